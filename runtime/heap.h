/* SPDX-License-Identifier: MIT
 * heap.h - one VM's heap: small blocks, bump allocation inside, a mark-region collector that moves nothing.
 *
 * Design     Immix (Blackburn and McKinley, PLDI 2008) without the moving: memory comes in 32 KiB blocks aligned to their size,
 *            divided into 256-byte lines with a byte of mark each; allocation bumps through runs of free lines. The first
 *            memory of a heap is a small chunk (some hundred bytes, often part of the VM's own allocation), the second a few KiB:
 *            these are never reclaimed before the heap ends, so a task that allocates little never pays for a line map.
 *            Objects of GS_LARGE_MIN bytes and more are allocations of their own.
 * When       A collection runs ONLY from gs_gc_collect, and that is called only by the interpreter at a safe point: between two
 *            instructions, or in the slow path of an allocating instruction before it has any effect, with every live value in
 *            a register, global or root of the VM. An allocation never collects by itself. So C code (library functions, the
 *            copier) may hold bare gs_value locals as long as it likes, across any number of allocations.
 * Limits     gs_heap_alloc returns NULL when memory is out or the heap limit is reached; callers return GS_E_NOMEM and leave
 *            everything as it was. The interpreter then collects and runs the instruction again (library functions only with
 *            GS_NF_PURE), and after a second failure throws OutOfMemory.
 * Owner      Only the thread that runs the VM (or builds it) may touch a heap. A heap without a VM is a fragment: the copier's
 *            target for messages and results; it may be handed to another thread as a whole, adopted by a heap, or freed.
 */
#ifndef GS_RUNTIME_HEAP_H
#define GS_RUNTIME_HEAP_H

#include "object.h"
#include "status.h"

#define GS_BLOCK_SIZE 32768u
#define GS_LINE_SIZE 256u
#define GS_LARGE_MIN 8192u

struct gs_heap {
    char *cur, *end;  /* the bump run */
    uint64_t uid;     /* never reused; owner of string buffers */
    uint32_t newflags;  /* flags of new objects: 0, GS_OF_CHUNK or GS_OF_LARGE */
    uint8_t nchunks;    /* how many chunks there have been, the caller's included */
    uint8_t colours;    /* bit c: living objects may carry mark colour c (1..3) */
    bool first_foreign; /* the first chunk is the caller's memory */
    bool urgent;        /* an error is being made: no limit holds, neither this heap's nor that of the process */
    size_t used;      /* bytes taken: blocks, chunks, large objects, and this heap's share of outside buffers */
    size_t threshold; /* used above this asks for a collection at the next safe point */
    size_t limit;     /* no allocation may push used above this; SIZE_MAX: none */
    void *chunks;     /* list of small chunks that are allocations of their own */
    struct gs_heap_rest *rest; /* NULL until it has any of that; gs_heap_rest_of reads it */
};

/* What a heap that has outgrown its chunks needs, or holds something outside. A parked task has to be small, and most never come here. */
struct gs_heap_rest {
    struct gs_block *blocks, *recycle; /* gc.c */
    char *ocur, *oend;        /* overflow run: for objects of more than a line that do not fit in a hole */
    struct gs_block *reserve; /* blocks that hold nothing */
    uint32_t hole;            /* next line to look at in *recycle */
    uint32_t nblocks;         /* in blocks, the reserve not counted */
    uint32_t nreserve;
    uint32_t ngc;             /* collections so far */
    uint64_t gc_ns;           /* time spent in them */
    struct gs_obj **large;    /* vector of large objects */
    uint32_t nlarge, caplarge;
    struct gs_obj **final;    /* vector of objects that hold outside shares (payloads, string buffers) */
    uint32_t nfinal, capfinal;
    size_t outside;           /* part of used: shares of outside buffers */
    size_t reported;          /* part of used that gs_heap_process.used knows of */
    struct gs_obj *few[2];    /* the first vector of final */
};
extern const struct gs_heap_rest gs_heap_no_rest; /* all zero */

GS_INLINE const struct gs_heap_rest *gs_heap_rest_of(const struct gs_heap *h)
{
    return h->rest != NULL ? h->rest : &gs_heap_no_rest;
}

/* All heaps of the process together. Heaps tell in steps of 32 KiB, so small ones do not count. */
struct gs_heap_process {
    _Alignas(GS_CACHE_LINE) _Atomic size_t used;
    _Atomic size_t limit; /* 0: found out when it first matters: the memory of the machine or of our control group */
};
extern struct gs_heap_process gs_heap_process;

/* The heap of a task that stayed in its first chunk: gs_heap_fini would find nothing to free. */
GS_INLINE bool gs_heap_is_bare(const struct gs_heap *h)
{
    return h->chunks == NULL && h->rest == NULL;
}

/* h is zeroed memory of any kind. first/nfirst: memory for the first chunk that the caller owns (16-aligned; may be NULL/0). */
void gs_heap_init(struct gs_heap *h, void *first, size_t nfirst);
/* Drops every share and all memory (not `first`). */
void gs_heap_fini(struct gs_heap *h);

void *gs_heap_alloc_slow(struct gs_heap *h, size_t n);

/* n bytes, 16-aligned, NOT zeroed; NULL when out. n need not be rounded. The header must be written (gs_obj_init) before the next
 * allocation from h, which may change h->newflags. */
GS_INLINE void *gs_heap_alloc(struct gs_heap *h, size_t n)
{
    n = (n + 15u) & ~(size_t)15u;
    char *p = h->cur;
    if (GS_LIKELY((size_t)(h->end - p) >= n)) {
        h->cur = p + n;
        return p;
    }
    return gs_heap_alloc_slow(h, n);
}

/* Writes the header. h->newflags tells where the object is: in a block (0), in a chunk, or large. */
GS_INLINE void gs_obj_init(struct gs_heap *h, struct gs_obj *o, enum gs_kind kind)
{
    o->kind = (uint8_t)kind;
    o->flags = (uint8_t)h->newflags;
    o->aux16 = 0;
    o->aux32 = 0;
}

/* An object with its header written; NULL when out. Handles GS_OF_LARGE by itself: always use this one to make objects of
 * variable size. The body is not zeroed. */
void *gs_heap_new(struct gs_heap *h, enum gs_kind kind, size_t n);

/* Registers o (which holds an outside share of `bytes` bytes) for finalisation; false when memory is out. */
bool gs_heap_add_final(struct gs_heap *h, struct gs_obj *o, size_t bytes);

/* Changes what used counts for buffers outside the heap: an object's share grew from `before` to `now` bytes. */
void gs_heap_outside(struct gs_heap *h, size_t before, size_t now);
/* Asks whether the limit leaves room for `bytes` more of outside buffers. */
bool gs_heap_has_room(const struct gs_heap *h, size_t bytes);
/* The same for all heaps together: for scratch memory that a script can make large. */
bool gs_heap_process_has_room(size_t bytes);
/* h took a share of a buffer that others hold, too: not counted in used (each holder would count it), but a reason to collect
 * sooner, so that a receiver that drops what it receives does not keep all of it. */
void gs_heap_pressure(struct gs_heap *h, size_t bytes);
/* What a share of a payload of so many bytes counts for: half of it, and no more than a quarter of a first collection. */
void gs_heap_pressure_share(struct gs_heap *h, size_t bytes);

/* Moves all of `frag` into h and ends frag (its memory struct stays the caller's). Large fragments in O(blocks); frag must have been
 * made without a caller-owned first chunk. False when memory is out (or, for a heap that has been collected, when the mark colours of
 * the two do not go together): frag is untouched. */
bool gs_heap_adopt(struct gs_heap *h, struct gs_heap *frag);

/* True when the interpreter should collect at this safe point. */
GS_INLINE bool gs_heap_wants_gc(const struct gs_heap *h)
{
#if defined(GS_GC_STRESS)
    /* Always, while the heap is small; at pseudo-random allocations when it is not, or a stressed program would take quadratic time. */
    uint32_t nblocks = gs_heap_rest_of(h)->nblocks;
    size_t every = nblocks < 4 ? 1 : nblocks < 64 ? 61 : 4093;
    return every == 1 || (h->cur && ((uintptr_t)h->cur >> 4) % every == 0);
#else
    return h->used > h->threshold;
#endif
}

/* ---- gc.c ---- */

struct gs_marker; /* explicit mark stack; never recursive */

void gs_gc_mark_value(struct gs_marker *m, gs_value v);
void gs_gc_mark_values(struct gs_marker *m, const gs_value *v, size_t n);

/* Collects h. roots(ctx, m) marks the roots by the two functions above; handle(ctx, hobj) is called for each handle value met (also
 * among the roots; may be NULL), so that the owner can tell which shares are still held. The threshold is set anew. Callable at safe
 * points only. False when there was no memory for the mark stack: nothing has been freed, and every handle counts as held. */
bool gs_gc_collect(struct gs_heap *h, void (*roots)(void *ctx, struct gs_marker *m),
                   void (*handle)(void *ctx, struct gs_hobj *o), void *ctx);

/* The number of bytes that o takes in its heap (header included, rounded up). */
size_t gs_obj_size(const struct gs_obj *o);

/* For tests: every object reachable from v is well-formed; false with a message on stderr otherwise. */
bool gs_gc_check_value(const struct gs_heap *h, gs_value v);

#endif
