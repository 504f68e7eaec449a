/* SPDX-License-Identifier: MIT
 * heap.c - where a heap's memory comes from: chunks, blocks, large objects, and the books about
 * them.
 *
 * Runs       h->cur..h->end is the bump run, inside one chunk, one hole or one fresh block. Objects
 *            of more than a line that do not fit there while holes are waiting go to a second run
 *            (ocur..oend) in a fresh block, so that one of them does not throw many small holes
 *            away.
 * newflags   0 while the bump run is in a block, GS_OF_CHUNK in a chunk. An object of GS_LARGE_MIN
 *            bytes asked for through gs_heap_alloc gets an allocation of its own and an empty run
 *            behind it, so that newflags can be GS_OF_LARGE until the next slow path. The overflow
 *            run is used only while newflags is 0.
 * Books      used counts memory taken from the allocator, holes and reserve included, and outside
 *            shares. What is handed out again of it lowers `threshold` instead, so that used >
 *            threshold says when as much has been allocated as the last collection allowed, from
 *            wherever it came. The process-wide sum is told in steps of REPORT_STEP: a shared
 *            counter written by each small task would cost more than the tasks. A heap of chunks alone stays below a step.
 */
#include "heap_int.h"
#include "map.h"

#include <string.h>

#include "payload.h"
#include "port/mem.h"

#define REPORT_STEP ((size_t)32 << 10)
#define NCHUNKS 4u /* the caller's or 192 bytes, 512, 2 KiB, 8 KiB; blocks from then on */

struct chunk {
    struct chunk *next;
    size_t size; /* of all, this header included */
};
_Static_assert(sizeof(struct chunk) == 16, "keeps objects 16-aligned");

static _Atomic uint64_t next_uid = 1;

/* uids are handed out to threads in ranges: a heap is made for every task and message. */
static uint64_t new_uid(void)
{
    static _Thread_local uint64_t next, last;
    if (next == last) {
        next = gs_add_rlx(&next_uid, 1024u); /* relaxed: only uniqueness matters */
        last = next + 1024u;
    }
    return next++;
}

void gs_heap_init(struct gs_heap *h, void *first, size_t nfirst)
{
    h->uid = new_uid();
    h->threshold = GS_GC_FIRST;
    h->limit = SIZE_MAX;
    if (nfirst >= 16) {
        h->cur = first;
        h->end = h->cur + (nfirst & ~(size_t)15);
        h->nchunks = 1;
        h->newflags = GS_OF_CHUNK;
        h->first_foreign = true;
    }
}

struct gs_heap_process gs_heap_process;
const struct gs_heap_rest gs_heap_no_rest;

struct gs_heap_rest *gs_heap_make_rest(struct gs_heap *h)
{
    if (GS_LIKELY(h->rest != NULL))
        return h->rest;
    struct gs_heap_rest *r = gs_mem_zalloc(sizeof *r);
    if (r == NULL)
        return NULL;
    r->hole = GS_BLOCK_FIRST_LINE;
    r->final = r->few;
    r->capfinal = sizeof r->few / sizeof r->few[0];
    h->rest = r;
    return r;
}

void gs_heap_report(struct gs_heap *h)
{
    struct gs_heap_rest *r = h->rest;
    gs_add_rlx(&gs_heap_process.used, h->used - r->reported); /* a sum; wraps properly when used went down */
    r->reported = h->used;
}

#define SMALL_PROCESS ((size_t)256 << 20) /* below this nobody asks how much memory there is */

bool gs_heap_process_has_room(size_t bytes)
{
    /* Relaxed: the sum is a little behind anyway. */
    size_t used = gs_load_rlx(&gs_heap_process.used), limit = gs_load_rlx(&gs_heap_process.limit);
    if (limit == 0) {
        if (bytes < SMALL_PROCESS && used < SMALL_PROCESS)
            return true;
        limit = gs_mem_machine_bytes() / 4 * 3; /* the rest is for code, stacks, channels and the neighbours */
        gs_store_rlx(&gs_heap_process.limit, limit);
    }
    return bytes <= limit && used <= limit - bytes;
}

bool gs_heap_has_room(const struct gs_heap *h, size_t bytes)
{
    if (h->urgent)
        return true;
    return bytes <= h->limit && h->used <= h->limit - bytes && gs_heap_process_has_room(bytes);
}

static void charge(struct gs_heap *h, size_t n)
{
    h->used += n;
    const struct gs_heap_rest *r = h->rest;
    if (r != NULL && h->used > r->reported && h->used - r->reported >= REPORT_STEP)
        gs_heap_report(h);
}

static void discharge(struct gs_heap *h, size_t n)
{
    h->used -= n < h->used ? n : h->used;
}

void gs_heap_pressure(struct gs_heap *h, size_t bytes)
{
    h->threshold -= bytes < h->threshold ? bytes : h->threshold;
}

void gs_heap_pressure_share(struct gs_heap *h, size_t bytes)
{
    size_t half = bytes / 2;
    gs_heap_pressure(h, half < GS_GC_FIRST / 4 ? half : GS_GC_FIRST / 4);
}

void gs_heap_outside(struct gs_heap *h, size_t before, size_t now)
{
    struct gs_heap_rest *r = h->rest; /* made when the object was entered in final */
    GS_CHECK(r != NULL);
    if (before > r->outside) /* the last collection counted a part only, because others held shares too */
        before = r->outside;
    r->outside = r->outside - before + now;
    if (now > before)
        charge(h, now - before);
    else
        discharge(h, before - now);
}

/* ---- chunks ---- */

static bool new_chunk(struct gs_heap *h, size_t n)
{
    static const uint16_t sizes[NCHUNKS] = {192, 512, 2048, 8192};
    size_t size = sizes[h->nchunks];
    if (size < n + sizeof(struct chunk))
        size = n + sizeof(struct chunk);
    size = gs_mem_good_size(size) & ~(size_t)15;
    if (!gs_heap_has_room(h, size))
        return false;
    struct chunk *c = gs_mem_alloc(size);
    if (!c)
        return false;
    c->next = h->chunks;
    c->size = size;
    h->chunks = c;
    h->nchunks++;
    charge(h, size);
    h->cur = (char *)(c + 1);
    h->end = (char *)c + size;
    h->newflags = GS_OF_CHUNK;
    return true;
}

/* ---- blocks ---- */

static struct gs_block *new_block(struct gs_heap *h)
{
    struct gs_heap_rest *r = gs_heap_make_rest(h);
    if (r == NULL)
        return NULL;
    struct gs_block *b = r->reserve;
    if (b) {
        r->reserve = b->next;
        r->nreserve--;
        gs_heap_pressure(h, GS_BLOCK_SIZE);
    } else {
        if (!gs_heap_has_room(h, GS_BLOCK_SIZE))
            return NULL;
        b = gs_mem_alloc_aligned(GS_BLOCK_SIZE, GS_BLOCK_SIZE);
        if (!b)
            return NULL;
        charge(h, GS_BLOCK_SIZE);
    }
    b->recycle = NULL;
    b->next = r->blocks;
    r->blocks = b;
    r->nblocks++;
    GS_UNPOISON((char *)b + GS_LINE_SIZE, GS_BLOCK_SIZE - GS_LINE_SIZE);
    return b;
}

void gs_block_free(struct gs_heap *h, struct gs_block *b)
{
    discharge(h, GS_BLOCK_SIZE);
    GS_UNPOISON(b, GS_BLOCK_SIZE);
    gs_mem_free(b);
}

/* The next hole of the blocks in r->recycle becomes the bump run. */
static bool next_hole(struct gs_heap *h)
{
    struct gs_heap_rest *r = h->rest;
    if (r == NULL)
        return false;
    for (struct gs_block *b = r->recycle; b; b = r->recycle) {
        uint32_t i = r->hole;
        while (i < GS_BLOCK_LINES) {
            while (i < GS_BLOCK_LINES && b->line[i])
                i++;
            uint32_t from = i;
            while (i < GS_BLOCK_LINES && !b->line[i])
                i++;
            if (i - from < GS_HOLE_MIN)
                continue;
            r->hole = i;
            h->cur = (char *)b + (size_t)from * GS_LINE_SIZE;
            h->end = (char *)b + (size_t)i * GS_LINE_SIZE;
            h->newflags = 0;
            gs_heap_pressure(h, (size_t)(h->end - h->cur));
            GS_UNPOISON(h->cur, (size_t)(h->end - h->cur));
            return true;
        }
        r->recycle = b->recycle;
        r->hole = GS_BLOCK_FIRST_LINE;
    }
    return false;
}

static bool fresh_run(struct gs_heap *h)
{
    struct gs_block *b = new_block(h);
    if (!b)
        return false;
    h->cur = (char *)b + GS_BLOCK_FIRST_LINE * GS_LINE_SIZE;
    h->end = (char *)b + GS_BLOCK_SIZE;
    h->newflags = 0;
    return true;
}

static void *bump(struct gs_heap *h, size_t n)
{
    void *p = h->cur;
    h->cur += n;
    return p;
}

/* The bump run is in a block, so there is a rest. */
static void *alloc_overflow(struct gs_heap *h, size_t n)
{
    struct gs_heap_rest *r = h->rest;
    if ((size_t)(r->oend - r->ocur) < n) {
        struct gs_block *b = new_block(h);
        if (!b)
            return NULL;
        r->ocur = (char *)b + GS_BLOCK_FIRST_LINE * GS_LINE_SIZE;
        r->oend = (char *)b + GS_BLOCK_SIZE;
    }
    void *p = r->ocur;
    r->ocur += n;
    return p;
}

/* Large, but asked for without gs_heap_new: newflags holds GS_OF_LARGE, and the empty run sees to
 * it that the next allocation comes to the slow path and sets it anew. */
static void *alloc_large_run(struct gs_heap *h, size_t n)
{
    void *p = gs_large_new(h, n);
    if (p) {
        h->cur = h->end = NULL;
        h->newflags = GS_OF_LARGE;
    }
    return p;
}

GS_COLD void *gs_heap_alloc_slow(struct gs_heap *h, size_t n)
{
    n = (n + 15u) & ~(size_t)15u;
    if (n >= GS_LARGE_MIN)
        return alloc_large_run(h, n);
    const struct gs_heap_rest *r = gs_heap_rest_of(h);
    if (h->nchunks < NCHUNKS && r->nblocks == 0)
        return new_chunk(h, n) ? bump(h, n) : NULL;
    bool medium = n > GS_LINE_SIZE && h->newflags == 0;
    if (medium && (r->recycle || (size_t)(h->end - h->cur) > GS_LINE_SIZE))
        return alloc_overflow(h, n);
    /* A hole of GS_HOLE_MIN lines holds every object that is not medium; behind a chunk run the
     * size is unknown. */
    while (next_hole(h))
        if ((size_t)(h->end - h->cur) >= n)
            return bump(h, n);
    return fresh_run(h) ? bump(h, n) : NULL;
}

/* ---- large objects ---- */

/* Room for n more in the vector of large objects; h->rest is there afterwards. */
static bool large_room(struct gs_heap *h, uint32_t more)
{
    struct gs_heap_rest *r = gs_heap_make_rest(h);
    if (r == NULL)
        return false;
    if (r->caplarge - r->nlarge >= more)
        return true;
    uint32_t cap = r->caplarge ? r->caplarge : 8;
    while (cap - r->nlarge < more)
        cap *= 2;
    struct gs_obj **v = gs_mem_realloc(r->large, cap * sizeof *v);
    if (!v)
        return false;
    r->large = v;
    r->caplarge = cap;
    return true;
}

void *gs_large_new(struct gs_heap *h, size_t n)
{
    if (n > SIZE_MAX / 4)
        return NULL;
    size_t size = n + sizeof(struct gs_large);
    if (!gs_heap_has_room(h, size) || !large_room(h, 1))
        return NULL;
    struct gs_large *l = gs_mem_alloc(size);
    if (!l)
        return NULL;
    l->size = n;
    l->index = h->rest->nlarge;
    l->pad = 0;
    h->rest->large[h->rest->nlarge++] = (struct gs_obj *)(l + 1);
    charge(h, size);
    return l + 1;
}

void gs_large_free(struct gs_heap *h, struct gs_obj *o)
{
    struct gs_large *l = gs_large_of(o);
    struct gs_heap_rest *r = h->rest;
    struct gs_obj *last = r->large[--r->nlarge];
    r->large[l->index] = last;
    gs_large_of(last)->index = l->index;
    discharge(h, l->size + sizeof *l);
    gs_mem_free(l);
}

static void *large_resize(struct gs_heap *h, struct gs_obj *o, size_t n)
{
    struct gs_large *l = gs_large_of(o);
    size_t old = l->size;
    if (n > SIZE_MAX / 4 || (n > old && !gs_heap_has_room(h, n - old)))
        return NULL;
    l = gs_mem_realloc(l, n + sizeof *l);
    if (!l)
        return NULL;
    l->size = n;
    h->rest->large[l->index] = (struct gs_obj *)(l + 1);
    if (n > old)
        charge(h, n - old);
    else
        discharge(h, old - n);
    return l + 1;
}

void *gs_heap_new(struct gs_heap *h, enum gs_kind kind, size_t n)
{
    struct gs_obj *o;
    if (GS_UNLIKELY(n >= GS_LARGE_MIN)) {
        if (n > SIZE_MAX / 4)
            return NULL;
        o = gs_large_new(h, (n + 15u) & ~(size_t)15u);
        if (!o)
            return NULL;
        gs_obj_init(h, o, kind);
        o->flags = GS_OF_LARGE;
        return o;
    }
    o = gs_heap_alloc(h, n);
    if (GS_LIKELY(o != NULL))
        gs_obj_init(h, o, kind);
    return o;
}

/* ---- storage objects ---- */

#define STORAGE_MAX ((size_t)1 << 35) /* what aux32 can say */

void *gs_storage_new(struct gs_heap *h, enum gs_kind kind, size_t n)
{
    n = (n + 15u) & ~(size_t)15u;
    if (n > STORAGE_MAX)
        return NULL;
    struct gs_obj *o = gs_heap_new(h, kind, GS_STORAGE_HEAD + n);
    if (!o)
        return NULL;
    o->aux32 = (uint32_t)(n / 16u);
    return (char *)o + GS_STORAGE_HEAD;
}

/* When o is the last object of the bump run, it can grow where it is. */
static bool extend_in_place(struct gs_heap *h, struct gs_obj *o, size_t more)
{
    char *end = (char *)o + GS_STORAGE_HEAD + (size_t)o->aux32 * 16u;
    if (end != h->cur || (size_t)(h->end - end) < more)
        return false;
    h->cur += more;
    return true;
}

void *gs_storage_grow(struct gs_heap *h, enum gs_kind kind, void *data, size_t used, size_t n)
{
    if (!data)
        return gs_storage_new(h, kind, n);
    n = (n + 15u) & ~(size_t)15u;
    if (n > STORAGE_MAX)
        return NULL;
    struct gs_obj *o = gs_storage_obj(data);
    size_t have = gs_storage_bytes(data);
    if (o->flags & GS_OF_LARGE)
        o = large_resize(h, o, GS_STORAGE_HEAD + n);
    else if (n <= have || !extend_in_place(h, o, n - have))
        o = NULL;
    if (o) {
        o->aux32 = (uint32_t)(n / 16u);
        return (char *)o + GS_STORAGE_HEAD;
    }
    if (gs_storage_obj(data)->flags & GS_OF_LARGE)
        return NULL;
    void *p = gs_storage_new(h, kind, n);
    if (!p)
        return NULL;
    memcpy(p, data, used);
    return p;
}

void gs_storage_free(struct gs_heap *h, void *data)
{
    if (!data)
        return;
    struct gs_obj *o = gs_storage_obj(data);
    if (o->flags & GS_OF_LARGE)
        gs_large_free(h, o);
    else if ((char *)data + gs_storage_bytes(data) == h->cur)
        h->cur = (char *)o;
}

/* ---- outside shares ---- */

/* Room for n more in the vector of such objects; h->rest is there afterwards. */
static bool final_room(struct gs_heap *h, uint32_t more)
{
    struct gs_heap_rest *r = gs_heap_make_rest(h);
    if (r == NULL)
        return false;
    if (r->capfinal - r->nfinal >= more)
        return true;
    uint32_t cap = r->capfinal * 2;
    while (cap - r->nfinal < more)
        cap *= 2;
    bool few = r->final == r->few;
    struct gs_obj **v = gs_mem_realloc(few ? NULL : r->final, cap * sizeof *v);
    if (!v)
        return false;
    if (few)
        memcpy(v, r->few, r->nfinal * sizeof *v);
    r->final = v;
    r->capfinal = cap;
    return true;
}

bool gs_heap_add_final(struct gs_heap *h, struct gs_obj *o, size_t bytes)
{
    struct gs_heap_rest *r = h->rest;
    if (GS_UNLIKELY(r == NULL || r->nfinal == r->capfinal)) {
        if (!final_room(h, 1))
            return false;
        r = h->rest;
    }
    r->final[r->nfinal++] = o;
    o->flags |= GS_OF_FINAL;
    gs_heap_outside(h, 0, bytes);
    return true;
}

void gs_obj_release_outside(struct gs_obj *o)
{
    if (o->kind == GS_T_ARRAY)
        gs_payload_release(((struct gs_array *)o)->pay);
    else if (o->kind == GS_T_MAP)
        gs_payload_release(((struct gs_map *)o)->pay);
    else if (o->kind == GS_T_STR && (o->flags & GS_OF_EXT))
        gs_strbuf_release(((struct gs_xstr *)o)->buf);
}

/* ---- ends ---- */

static void free_blocks(struct gs_block *b)
{
    while (b) {
        struct gs_block *next = b->next;
        GS_UNPOISON(b, GS_BLOCK_SIZE);
        gs_mem_free(b);
        b = next;
    }
}

static void free_rest(struct gs_heap_rest *r)
{
    if (r->final != r->few)
        gs_mem_free(r->final);
    gs_mem_free(r->large);
    free_blocks(r->reserve);
    if (r->reported)
        gs_sub_rlx(&gs_heap_process.used, r->reported);
    gs_mem_free(r);
}

void gs_heap_fini(struct gs_heap *h)
{
    struct gs_heap_rest *r = h->rest;
    if (r != NULL) {
        for (uint32_t i = 0; i < r->nfinal; i++)
            gs_obj_release_outside(r->final[i]);
        for (uint32_t i = 0; i < r->nlarge; i++)
            gs_mem_free(gs_large_of(r->large[i]));
        free_blocks(r->blocks);
        free_rest(r);
    }
    for (struct chunk *c = h->chunks, *next; c; c = next) {
        next = c->next;
        gs_mem_free(c);
    }
    memset(h, 0, sizeof *h);
}

/* ---- adoption ---- */

/* h has room for all of it. */
static void adopt_rest(struct gs_heap_rest *r, const struct gs_heap_rest *from)
{
    for (struct gs_block *b = from->blocks, *next; b; b = next) {
        next = b->next;
        b->next = r->blocks;
        b->recycle = NULL;
        r->blocks = b;
    }
    r->nblocks += from->nblocks;
    for (uint32_t i = 0; i < from->nlarge; i++) {
        gs_large_of(from->large[i])->index = r->nlarge;
        r->large[r->nlarge++] = from->large[i];
    }
    if (from->nfinal > 0)
        memcpy(r->final + r->nfinal, from->final, from->nfinal * sizeof *r->final);
    r->nfinal += from->nfinal;
    r->outside += from->outside;
}

bool gs_heap_adopt(struct gs_heap *h, struct gs_heap *frag)
{
    GS_CHECK(!frag->first_foreign);
    if ((h->colours | frag->colours) == (1u << 1 | 1u << 2 | 1u << 3))
        return false;
    struct gs_heap_rest *from = frag->rest;
    if (!gs_heap_has_room(h, frag->used))
        return false;
    if (from != NULL && (!final_room(h, from->nfinal) || !large_room(h, from->nlarge)))
        return false;
    for (struct chunk *c = frag->chunks, *next; c; c = next) {
        next = c->next;
        c->next = h->chunks;
        h->chunks = c;
    }
    if (from != NULL) {
        adopt_rest(h->rest, from);
        frag->used -= (size_t)from->nreserve * GS_BLOCK_SIZE;
        free_rest(from);
    }
    h->colours |= frag->colours;
    charge(h, frag->used);
    memset(frag, 0, sizeof *frag);
    return true;
}
