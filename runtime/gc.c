/* SPDX-License-Identifier: MIT
 * gc.c - the collector of one heap: marks, then sweeps lines. Nothing moves.
 *
 * Colours    An object's flags hold a mark colour, 0 to 3. New objects have 0. A collection picks a
 *            colour that no object which the heap believes alive can have (heap->colours knows the
 *            ones in use), marks with it, and afterwards the living ones have that colour or, when
 *            made since, 0. So no mark is ever cleared, a fragment (colour 0 throughout) can be
 *            adopted as it is, and a marking that had to be given up leaves no traces that could be
 *            taken for marks of the next one. Three colours, because an adopted heap or a given-up
 *            marking adds one.
 * Invariant  [G1] Every value that the roots or living objects hold was valid after the last
 *            collection: memory is freed and reused in collections only, and each collection clears
 *            what lies above the stack's top. A stale value thus keeps something alive too long,
 *            but is always safe to mark. (Storage objects are freed earlier, but no value ever
 *            refers to one.)
 * Marking    An explicit stack of words, starting in the C stack. Popped objects are prefetched and
 *            wait in a short ring before they are looked at, which hides most of the cache misses
 *            of a large heap. Children are pushed unseen. Long value arrays and maps are pushed as
 *            ranges and scanned piecewise, so the stack stays shallow. When it cannot grow, the
 *            collection is given up and nothing is freed.
 * Sweep      Line marks of each block are counted: no line marked: the block is free (kept in
 *            reserve as far as the next cycle will need it); holes: the block is recycled. Objects
 *            are never visited by the sweep; large ones and holders of outside shares are in
 *            vectors of their own.
 * Pacing     The next collection comes after as many bytes as are alive now, at least GS_GC_FIRST.
 *            Of outside buffers, which cost a collection the same whatever their size, each counts for
 *            OUTSIDE_EACH at most: a program that builds one long string goes round in a megabyte
 *            of small strings, which stays in the cache, and not in as many as the long one has.
 */
#include "heap_int.h"

#include <stdio.h>
#include <string.h>

#include "map.h"
#include "payload.h"
#include "port/clock.h"
#include "port/mem.h"
#include "shape.h"

#define RING 16u /* objects between prefetch and use; micro/heap live_heap: 8 is 40 % slower */
#define LOCAL_STACK 512u /* words on the C stack; most small heaps need no more */
#define RANGE_STEP 32u   /* values of a range that are scanned at a time */
#define OUTSIDE_EACH 4096u /* 30 % less memory on string_build with ten million pieces */
#define DRAIN_AT 4096u   /* words on the stack after which roots are drained on the way */

/* Low bits of a word on the mark stack. */
enum entry { ENTRY_OBJ = 0, ENTRY_RANGE = 1, ENTRY_MAP = 2, ENTRY_BITS = 3 };

struct gs_marker {
    uintptr_t *stack;
    size_t n, cap;
    uint32_t colour;
    bool failed;
    size_t live_chunk; /* bytes of marked objects outside blocks */
    void (*handle)(void *ctx, struct gs_hobj *o);
    void *ctx;
    struct gs_obj *ring[RING];
    uintptr_t local[LOCAL_STACK];
};

GS_INLINE size_t size_of(const struct gs_obj *o)
{
    size_t n;
    if (o->flags & GS_OF_LARGE)
        return gs_large_of(o)->size;
    switch ((enum gs_kind)o->kind) {
    case GS_T_STR:
        n = (o->flags & GS_OF_EXT) ? sizeof(struct gs_xstr)
                                   : sizeof(struct gs_str) + ((const struct gs_str *)o)->len + 1;
        break;
    case GS_T_ARRAY:
        n = sizeof(struct gs_array);
        break;
    case GS_T_OBJECT:
        n = sizeof(struct gs_object) + o->aux16 * sizeof(gs_value);
        break;
    case GS_T_FUNC:
        n = sizeof(struct gs_func) + o->aux16 * sizeof(gs_value);
        break;
    case GS_T_BOUND:
        n = sizeof(struct gs_bound);
        break;
    case GS_T_RANGE:
        n = sizeof(struct gs_range);
        break;
    case GS_T_CELL:
        n = sizeof(struct gs_cell);
        break;
    case GS_T_RAW:
    case GS_T_VALUES:
        n = GS_STORAGE_HEAD + (size_t)o->aux32 * 16u;
        break;
    case GS_T_MAP:
        n = sizeof(struct gs_map);
        break;
    case GS_T_NATIVE:
        n = sizeof(struct gs_native);
        break;
    case GS_T_CLASS:
        n = sizeof(struct gs_class);
        break;
    case GS_T_IFACE:
        n = sizeof(struct gs_iface);
        break;
    case GS_T_TYPE:
        n = sizeof(struct gs_type);
        break;
    case GS_T_MODULE:
        n = sizeof(struct gs_module);
        break;
    case GS_T_OBJLIT:
        n = sizeof(struct gs_objlit);
        break;
    default:
        gs_panic("object of no kind");
    }
    return (n + 15u) & ~(size_t)15u;
}

size_t gs_obj_size(const struct gs_obj *o)
{
    return size_of(o);
}

/* ---- the mark stack ---- */

static GS_COLD bool stack_grow(struct gs_marker *m)
{
    size_t cap = m->cap * 2;
    uintptr_t *s;
    if (m->stack == m->local) {
        s = gs_mem_alloc(cap * sizeof *s);
        if (s)
            memcpy(s, m->local, m->n * sizeof *s);
    } else {
        s = gs_mem_realloc(m->stack, cap * sizeof *s);
    }
    if (!s) {
        m->failed = true;
        return false;
    }
    m->stack = s;
    m->cap = cap;
    return true;
}

/* Room for n more words; the n is small. */
GS_INLINE bool room(struct gs_marker *m, size_t n)
{
    return GS_LIKELY(m->cap - m->n >= n) || stack_grow(m);
}

GS_INLINE void push_obj(struct gs_marker *m, const struct gs_obj *o)
{
    if (room(m, 1))
        m->stack[m->n++] = (uintptr_t)o;
}

static void push_pair(struct gs_marker *m, const void *p, enum entry e, uintptr_t second)
{
    if (room(m, 2)) {
        m->stack[m->n++] = second;
        m->stack[m->n++] = (uintptr_t)p | e;
    }
}

GS_INLINE void push_value(struct gs_marker *m, gs_value v)
{
    enum gs_kind k = gs_kind(v);
    if (k >= GS_T_STR)
        push_obj(m, v.o);
    else if (GS_UNLIKELY(k == GS_T_HANDLE) && m->handle)
        m->handle(m->ctx, gs_handle_obj(v));
}

static void push_values(struct gs_marker *m, const gs_value *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        push_value(m, v[i]);
}

static void push_range(struct gs_marker *m, const gs_value *v, size_t n)
{
    if (n > RANGE_STEP)
        push_pair(m, v, ENTRY_RANGE, n);
    else
        push_values(m, v, n);
}

/* ---- marking one object ---- */

static void mark_lines(const struct gs_obj *o, size_t n)
{
    struct gs_block *b = gs_block_of(o);
    size_t at = (uintptr_t)o & (GS_BLOCK_SIZE - 1);
    size_t from = at / GS_LINE_SIZE, to = (at + n - 1) / GS_LINE_SIZE;
    b->line[from] = 1;
    while (GS_UNLIKELY(from < to))
        b->line[++from] = 1;
}

/* True when o was not marked before. */
GS_INLINE bool mark_header(struct gs_marker *m, struct gs_obj *o)
{
    uint32_t f = o->flags;
    if ((f & GS_OF_IMMORTAL) || (f & GS_OF_COLOUR) == m->colour)
        return false;
    o->flags = (uint8_t)((f & ~GS_OF_COLOUR) | m->colour);
    return true;
}

GS_INLINE void mark_place(struct gs_marker *m, struct gs_obj *o, size_t n)
{
    if (GS_LIKELY(!(o->flags & (GS_OF_CHUNK | GS_OF_LARGE))))
        mark_lines(o, n);
    else
        m->live_chunk += n;
}

static void mark_storage(struct gs_marker *m, const void *data)
{
    struct gs_obj *o = gs_storage_obj(data);
    if (mark_header(m, o))
        mark_place(m, o, GS_STORAGE_HEAD + (size_t)o->aux32 * 16u);
}

static void mark_array(struct gs_marker *m, struct gs_array *a)
{
    if (!a->data || a->pay)
        return;
    mark_storage(m, a->data);
    if (gs_array_store(a) == GS_STORE_VALUE)
        push_range(m, a->v, (size_t)a->len);
}

static void mark_map(struct gs_marker *m, struct gs_map *p)
{
    if (p->pay)
        return; /* nothing in it belongs to the heap */
    if (p->entries)
        mark_storage(m, p->entries);
    if (p->index)
        mark_storage(m, p->index);
    if (p->nused)
        push_pair(m, p, ENTRY_MAP, 0);
}

static void mark_object(struct gs_marker *m, struct gs_object *o)
{
    if (o->cap == GS_OBJECT_DICT) {
        if (o->map)
            push_obj(m, (const struct gs_obj *)o->map);
        return;
    }
    if (o->slots != o->fields)
        mark_storage(m, o->slots);
    push_values(m, o->slots, o->cap);
}

static void mark_children(struct gs_marker *m, struct gs_obj *o)
{
    switch ((enum gs_kind)o->kind) {
    case GS_T_STR:
        if ((o->flags & GS_OF_EXT) && gs_xstr_is_part((struct gs_xstr *)o))
            push_obj(m, &((struct gs_xstr *)o)->root->s.h);
        break;
    case GS_T_ARRAY:
        mark_array(m, (struct gs_array *)o);
        break;
    case GS_T_OBJECT:
        mark_object(m, (struct gs_object *)o);
        break;
    case GS_T_FUNC:
        push_range(m, ((struct gs_func *)o)->up, o->aux16);
        break;
    case GS_T_BOUND:
        push_value(m, ((struct gs_bound *)o)->self);
        push_value(m, ((struct gs_bound *)o)->fn);
        break;
    case GS_T_CELL:
        push_value(m, ((struct gs_cell *)o)->v);
        break;
    case GS_T_MAP:
        mark_map(m, (struct gs_map *)o);
        break;
    default:
        break; /* no children, or immortal ones only */
    }
}

static void visit(struct gs_marker *m, struct gs_obj *o)
{
    if (!mark_header(m, o))
        return;
    mark_place(m, o, size_of(o));
    mark_children(m, o);
}

/* ---- the loop ---- */

static void scan_map(struct gs_marker *m, struct gs_map *p, size_t from)
{
    size_t to = p->nused - from > RANGE_STEP ? from + RANGE_STEP : p->nused;
    if (to < p->nused)
        push_pair(m, p, ENTRY_MAP, to);
    for (size_t i = from; i < to; i++) {
        const struct gs_str *key = gs_map_long_key(&p->entries[i]);
        if (key)
            push_obj(m, &key->h);
        push_value(m, p->entries[i].v); /* nil when the entry is gone */
    }
}

static void scan_pair(struct gs_marker *m, uintptr_t word, uintptr_t second)
{
    uintptr_t p = word & ~(uintptr_t)ENTRY_BITS;
    if ((word & ENTRY_BITS) == ENTRY_MAP) {
        scan_map(m, (struct gs_map *)p, second);
        return;
    }
    const gs_value *v = (const gs_value *)p;
    size_t n = second;
    if (n > RANGE_STEP) {
        push_pair(m, v + RANGE_STEP, ENTRY_RANGE, n - RANGE_STEP);
        n = RANGE_STEP;
    }
    push_values(m, v, n);
}

static void drain(struct gs_marker *m)
{
    uint32_t at = 0, idle = 0;
    while (idle < RING && !m->failed) {
        struct gs_obj *in = NULL;
        if (m->n) {
            uintptr_t word = m->stack[--m->n];
            if (word & ENTRY_BITS) {
                uintptr_t second = m->stack[--m->n];
                scan_pair(m, word, second);
                continue;
            }
            in = (struct gs_obj *)word;
            __builtin_prefetch(in, 1);
        }
        struct gs_obj *out = m->ring[at];
        m->ring[at] = in;
        at = (at + 1) % RING;
        idle = in || out ? 0 : idle + 1;
        if (out)
            visit(m, out);
    }
}

void gs_gc_mark_value(struct gs_marker *m, gs_value v)
{
    push_value(m, v);
}

void gs_gc_mark_values(struct gs_marker *m, const gs_value *v, size_t n)
{
    for (size_t i = 0; i < n && !m->failed; i++) {
        push_value(m, v[i]);
        if (m->n >= DRAIN_AT)
            drain(m);
    }
}

/* ---- sweep ---- */

/* An array's or map's. */
static struct gs_payload *payload_of(const struct gs_obj *o)
{
    return o->kind == GS_T_ARRAY ? ((const struct gs_array *)o)->pay : ((const struct gs_map *)o)->pay;
}

/* Bytes of o's outside buffer that this heap answers for: holders share the cost. */
static size_t outside_bytes(const struct gs_obj *o)
{
    size_t bytes = 0;
    uint32_t refs = 1;
    if (o->kind == GS_T_ARRAY || o->kind == GS_T_MAP) {
        struct gs_payload *p = payload_of(o);
        bytes = p->bytes;
        refs = gs_load_rlx(
            &p->refs); /* an estimate; a stale count makes a wrong share until the next time */
    } else {
        struct gs_strbuf *b = ((const struct gs_xstr *)o)->buf;
        bytes = b->cap;
        refs = gs_load_rlx(&b->refs);
    }
    return refs > 1 ? bytes / refs : bytes;
}

static void sweep_final(struct gs_heap *h, uint32_t colour)
{
    struct gs_heap_rest *r = h->rest;
    uint32_t n = 0;
    size_t outside = 0;
    for (uint32_t i = 0; i < r->nfinal; i++) {
        if (i + 8 < r->nfinal)
            __builtin_prefetch(r->final[i + 8]);
        struct gs_obj *o = r->final[i];
        if ((o->flags & GS_OF_COLOUR) != colour) {
            gs_obj_release_outside(o);
        } else if (o->kind != GS_T_STR && !payload_of(o)) {
            o->flags &= (uint8_t)~GS_OF_FINAL; /* it has widened to values, or changed, since */
        } else {
            outside += outside_bytes(o);
            r->final[n++] = o;
        }
    }
    r->nfinal = n;
    h->used = h->used - r->outside + outside;
    r->outside = outside;
}

static void sweep_large(struct gs_heap *h, uint32_t colour)
{
    struct gs_heap_rest *r = h->rest;
    for (uint32_t i = r->nlarge; i-- > 0;)
        if ((r->large[i]->flags & GS_OF_COLOUR) != colour)
            gs_large_free(h, r->large[i]);
}

static uint32_t count_lines(const struct gs_block *b)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < GS_BLOCK_LINES; i++)
        n += b->line[i];
    return n;
}

/* Debug builds overwrite what has died, so that a forgotten root shows at once. */
static void spoil_free_lines(struct gs_block *b)
{
#if defined(GS_DEBUG) || defined(GS_ASAN)
    for (uint32_t i = GS_BLOCK_FIRST_LINE; i < GS_BLOCK_LINES; i++) {
        char *p = (char *)b + (size_t)i * GS_LINE_SIZE;
        if (!b->line[i]) {
            GS_UNPOISON(p, GS_LINE_SIZE);
            memset(p, 0xdb, GS_LINE_SIZE);
            GS_POISON(p, GS_LINE_SIZE);
        }
    }
#else
    (void)b;
#endif
}

/* Sorts the blocks into full, recyclable and free ones; gives the living bytes. */
static size_t sweep_blocks(struct gs_heap *h, struct gs_block **free)
{
    struct gs_heap_rest *r = h->rest;
    struct gs_block *b = r->blocks, *next, **tail = &r->recycle, **keep = &r->blocks;
    size_t lines = 0;
    uint32_t nblocks = 0;
    for (; b; b = next) {
        next = b->next;
        uint32_t n = count_lines(b);
        spoil_free_lines(b);
        if (n == 0) {
            b->next = *free;
            *free = b;
            continue;
        }
        lines += n;
        nblocks++;
        *keep = b;
        keep = &b->next;
        if (n <= GS_BLOCK_LINES - GS_BLOCK_FIRST_LINE - GS_HOLE_MIN) {
            *tail = b;
            tail = &b->recycle;
        }
    }
    *keep = NULL;
    *tail = NULL;
    r->nblocks = nblocks;
    r->hole = GS_BLOCK_FIRST_LINE;
    return lines * GS_LINE_SIZE;
}

/* Keeps as many free blocks as `want` bytes take, and gives the others back. */
static void keep_reserve(struct gs_heap *h, struct gs_block *free, size_t want)
{
    struct gs_heap_rest *r = h->rest;
    while (free) {
        struct gs_block *next = free->next;
        if ((size_t)r->nreserve * GS_BLOCK_SIZE < want) {
            free->next = r->reserve;
            r->reserve = free;
            r->nreserve++;
        } else {
            gs_block_free(h, free);
        }
        free = next;
    }
}

static void sweep(struct gs_heap *h, struct gs_marker *m)
{
    struct gs_heap_rest *r = h->rest;
    sweep_final(h, m->colour);
    sweep_large(h, m->colour);
    /* The reserve of last time counts as free again. */
    struct gs_block *free = r->reserve;
    r->reserve = NULL;
    r->nreserve = 0;
    size_t live = sweep_blocks(h, &free);
    size_t holes = (size_t)r->nblocks * (GS_BLOCK_SIZE - GS_LINE_SIZE) - live;
    size_t holders = (size_t)r->nfinal * OUTSIDE_EACH;
    live += m->live_chunk + (r->outside < holders ? r->outside : holders);
    size_t budget = live > GS_GC_FIRST ? live : GS_GC_FIRST;
    keep_reserve(h, free, budget > holes ? budget - holes : 0);
    h->threshold = h->used + budget;
    if (h->threshold < budget)
        h->threshold = SIZE_MAX;
    gs_heap_report(h);
}

/* ---- a collection ---- */

static uint32_t pick_colour(const struct gs_heap *h)
{
    for (uint32_t c = 1; c <= 3; c++)
        if (!(h->colours & 1u << c))
            return c;
    return 0;
}

static void clear_lines(struct gs_heap *h)
{
    for (struct gs_block *b = h->rest->blocks; b; b = b->next)
        memset(b->line, 0, sizeof b->line);
}

/* The bump runs end here: what is left of them is holes like others. A run in a chunk goes on. */
static void close_runs(struct gs_heap *h)
{
    h->rest->ocur = h->rest->oend = NULL;
    if (!(h->newflags & GS_OF_CHUNK)) {
        h->cur = h->end = NULL;
        h->newflags = 0;
    }
}

bool gs_gc_collect(struct gs_heap *h, void (*roots)(void *ctx, struct gs_marker *m),
                   void (*handle)(void *ctx, struct gs_hobj *o), void *ctx)
{
    int64_t start = gs_clock_mono_ns();
    struct gs_marker m;
    m.stack = m.local;
    m.n = 0;
    m.cap = LOCAL_STACK;
    m.colour = pick_colour(h);
    if (gs_heap_make_rest(h) == NULL) {
        h->threshold = h->used + GS_GC_FIRST;
        return false;
    }
    m.failed = m.colour == 0; /* three markings in a row were given up */
    m.live_chunk = 0;
    m.handle = handle;
    m.ctx = ctx;
    memset(m.ring, 0, sizeof m.ring);
    if (!m.failed) {
        h->colours |= (uint8_t)(1u << m.colour);
        clear_lines(h);
        roots(ctx, &m);
        drain(&m);
    }
    if (m.stack != m.local)
        gs_mem_free(m.stack);
    if (m.failed) {
        h->rest->recycle =
            NULL; /* the line marks are incomplete now: no holes until a marking succeeds */
        h->threshold = h->used + GS_GC_FIRST;
    } else {
        close_runs(h);
        sweep(h, &m);
        h->colours = (uint8_t)(1u << m.colour);
    }
    h->rest->ngc++;
    h->rest->gc_ns += (uint64_t)(gs_clock_mono_ns() - start);
    return !m.failed;
}
