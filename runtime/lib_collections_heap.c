/* SPDX-License-Identifier: MIT
 * lib_collections_heap.c - collections.heap: a priority queue, the smallest first. Ground rules:
 * coll_int.h; len, isEmpty, clear and free as told in lib_collections.c.
 *
 *   new() -> h
 *   push(h, v[, priority])    priority: a number or a string; without it v is its own. TypeError
 *                             when it is neither, or of the other kind than those in the heap;
 *                             ValueError for NaN. v is copied.
 *   pop(h) peek(h)            the value with the smallest priority, of equals the one pushed first;
 *                             nil when empty
 *   peekPriority(h)           its priority; nil when empty
 *
 * For the largest first push negated priorities.
 *
 * Design     A binary heap in an array, ordered by priority and then by a number that counts
 *            pushes, which makes it stable.
 * Popping    as in lib_collections.c: a place stays reserved until the item has become a value; put
 *            back, it has its old number and so its old rank.
 */
#include <string.h>

#include "coll_int.h"
#include "port/mem.h"

#define CAP_FIRST 8u
#define CAP_KEEP 1024u /* an empty heap with more room than that gives it back */

struct ranked {
    gs_value priority; /* at rest: int, float, immortal string or text */
    uint64_t number;
    struct gs_parcel item;
};

struct pq {
    struct gs_coll c;
    struct ranked *v; /* v[i] is before v[2i + 1] and v[2i + 2] */
    size_t len, cap;
    size_t pending; /* len + pending <= cap */
    uint64_t pushes;
};

/* ---- the order ---- */

static int compare_numbers(gs_value a, gs_value b)
{
    if (gs_is(a, GS_T_INT) && gs_is(b, GS_T_INT))
        return (a.i > b.i) - (a.i < b.i);
    if (gs_is(a, GS_T_INT))
        return gs_cmp_int_float(a.i, b.d);
    if (gs_is(b, GS_T_INT))
        return -gs_cmp_int_float(b.i, a.d);
    return (a.d > b.d) - (a.d < b.d);
}

static int compare_strings(gs_value a, gs_value b)
{
    struct gs_key x = gs_key_of(a), y = gs_key_of(b);
    int c = memcmp(x.p, y.p, x.len < y.len ? x.len : y.len);
    return c != 0 ? c : (x.len > y.len) - (x.len < y.len);
}

static bool is_number(gs_value v)
{
    return gs_is(v, GS_T_INT) || gs_is(v, GS_T_FLOAT);
}

static bool before(const struct ranked *a, const struct ranked *b)
{
    int c = is_number(a->priority) ? compare_numbers(a->priority, b->priority)
                                   : compare_strings(a->priority, b->priority);
    return c != 0 ? c < 0 : a->number < b->number;
}

/* ---- the heap; the lock is held ---- */

static bool reserve(struct pq *q)
{
    if (q->len + q->pending < q->cap)
        return true;
    size_t cap = q->cap != 0 ? q->cap * 2 : CAP_FIRST;
    struct ranked *v = gs_mem_realloc(q->v, cap * sizeof *v);
    if (v == NULL)
        return false;
    q->v = v;
    q->cap = cap;
    return true;
}

static void put(struct pq *q, const struct ranked *r)
{
    size_t i = q->len++;
    while (i > 0 && before(r, &q->v[(i - 1) / 2])) {
        q->v[i] = q->v[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    q->v[i] = *r;
}

static struct ranked get(struct pq *q)
{
    struct ranked top = q->v[0], last = q->v[--q->len];
    size_t i = 0;
    for (size_t k = 1; k < q->len; k = 2 * i + 1) {
        if (k + 1 < q->len && before(&q->v[k + 1], &q->v[k]))
            k++;
        if (!before(&q->v[k], &last))
            break;
        q->v[i] = q->v[k];
        i = k;
    }
    q->v[i] = last; /* an empty heap: the place of the top, unused */
    return top;
}

static void shrink(struct pq *q)
{
    if (q->len + q->pending > 0 || q->cap <= CAP_KEEP)
        return;
    gs_mem_free(q->v);
    q->v = NULL;
    q->cap = 0;
}

static void ranked_drop(struct ranked *r)
{
    gs_key_drop(r->priority);
    gs_item_drop(&r->item);
}

static void contents_drop(struct ranked *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ranked_drop(&v[i]);
    gs_mem_free(v);
}

void gs_pq_empty(struct gs_coll *c)
{
    struct pq *q = (struct pq *)c;
    struct ranked *v = q->v;
    size_t n = q->len;
    q->v = NULL;
    q->len = q->cap = q->pending = 0;
    c->epoch++;
    gs_coll_leave(c);
    contents_drop(v, n);
}

void gs_pq_drop(struct gs_hobj *h)
{
    struct pq *q = (struct pq *)h; /* the last share: nobody is popping */
    contents_drop(q->v, q->len);
    gs_coll_fini(&q->c);
}

/* ---- operations ---- */

GS_COLL_FN(heap_new)
{
    (void)args;
    (void)n;
    struct pq *q = gs_coll_new(sizeof *q, GS_H_HEAP);
    return q != NULL ? (int)gs_handle_adopt(vm, &q->c.h, ret) : GS_E_NOMEM;
}

/* The priority of a push, of which the handle has been checked. */
static int priority_arg(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *out)
{
    gs_value p = args[n > 2 ? 2 : 1];
    if (gs_is_intlike(p))
        p = gs_int(p.i);
    if (!is_number(p) && !gs_is(p, GS_T_STR))
        return gs_throw(vm, GS_ERR_TYPE, "push expects a number or string as priority, got %s",
                        gs_kind_word(p));
    if (gs_is(p, GS_T_FLOAT) && p.d != p.d)
        return gs_throw(vm, GS_ERR_VALUE, "push: NaN is no priority");
    return (int)gs_key_pack(p, out);
}

/* Takes over *r when GS_OK. The lock is held. */
static gs_status push(struct pq *q, struct ranked *r)
{
    if (q->len > 0 && is_number(q->v[0].priority) != is_number(r->priority))
        return GS_E_INVALID;
    if (!reserve(q))
        return GS_E_NOMEM;
    r->number = q->pushes++;
    put(q, r);
    return GS_OK;
}

GS_COLL_FN(heap_push)
{
    (void)ret;
    struct ranked r = {.number = 0};
    if (gs_handle_check(vm, "push", args[0], GS_H_HEAP) == NULL) /* before anything is copied */
        return GS_E_THROWN;
    int st = priority_arg(vm, args, n, &r.priority);
    if (st != GS_OK)
        return st;
    st = (int)gs_item_pack(vm, args[1], &r.item);
    struct pq *q = NULL;
    if (st == GS_OK) {
        q = gs_coll_enter(vm, "push", args[0], GS_H_HEAP);
        st = q != NULL ? (int)push(q, &r) : GS_E_THROWN;
    }
    if (q != NULL)
        gs_coll_leave(q);
    if (st == GS_OK)
        return GS_OK;
    bool number = is_number(r.priority);
    ranked_drop(&r);
    if (st != GS_E_INVALID)
        return st;
    return gs_throw(vm, GS_ERR_TYPE, "push: a %s as priority in a heap of %s priorities",
                    number ? "number" : "string", number ? "string" : "number");
}

/* Makes a value of what has left q; puts it back when memory is out. */
static int deliver(struct gs_vm *vm, struct pq *q, struct ranked *r, uint32_t epoch, gs_value *ret)
{
    gs_status st = gs_item_take(vm, &r->item, ret);
    bool back = false;
    (void)pthread_mutex_lock(&q->c.lock);
    if (q->c.epoch == epoch) {
        q->pending--;
        /* Emptied and filled again with the other kind of priorities meanwhile: there is no place
         * for it any more. */
        back =
            st != GS_OK && (q->len == 0 || is_number(q->v[0].priority) == is_number(r->priority));
        if (back)
            put(q, r);
        shrink(q);
    }
    gs_coll_leave(q);
    if (!back)
        ranked_drop(r);
    return (int)st;
}

GS_COLL_FN(heap_pop)
{
    (void)n;
    struct pq *q = gs_coll_enter(vm, "pop", args[0], GS_H_HEAP);
    if (q == NULL)
        return GS_E_THROWN;
    if (q->len == 0) {
        gs_coll_leave(q);
        return GS_OK;
    }
    struct ranked r = get(q);
    if (gs_item_is_plain(&r.item)) {
        shrink(q);
        gs_coll_leave(q);
        gs_key_drop(r.priority);
        return (int)gs_item_take(vm, &r.item, ret);
    }
    uint32_t epoch = q->c.epoch;
    q->pending++;
    gs_coll_leave(q);
    return deliver(vm, q, &r, epoch, ret);
}

GS_COLL_FN(heap_peek)
{
    (void)n;
    struct pq *q = gs_coll_enter(vm, "peek", args[0], GS_H_HEAP);
    if (q == NULL)
        return GS_E_THROWN;
    struct gs_parcel p = {0};
    if (q->len > 0)
        gs_item_dup(&q->v[0].item, &p);
    gs_coll_leave(q);
    gs_status st = gs_item_open(vm, &p, ret);
    gs_item_drop(&p);
    return (int)st;
}

GS_COLL_FN(heap_peek_priority)
{
    (void)n;
    struct pq *q = gs_coll_enter(vm, "peekPriority", args[0], GS_H_HEAP);
    if (q == NULL)
        return GS_E_THROWN;
    struct gs_parcel p = {0};
    if (q->len > 0)
        gs_key_dup(q->v[0].priority, &p.v);
    gs_coll_leave(q);
    gs_status st = gs_item_open(vm, &p, ret);
    gs_item_drop(&p);
    return (int)st;
}

static int tell(struct gs_vm *vm, const char *fn, gs_value *args, size_t *len)
{
    struct pq *q = gs_coll_enter(vm, fn, args[0], GS_H_HEAP);
    if (q == NULL)
        return GS_E_THROWN;
    *len = q->len;
    gs_coll_leave(q);
    return GS_OK;
}

GS_COLL_FN(heap_len)
{
    (void)n;
    size_t len = 0;
    int st = tell(vm, "len", args, &len);
    *ret = gs_int((int64_t)len);
    return st;
}

GS_COLL_FN(heap_is_empty)
{
    (void)n;
    size_t len = 0;
    int st = tell(vm, "isEmpty", args, &len);
    *ret = gs_bool(len == 0);
    return st;
}

GS_COLL_FN(heap_clear)
{
    (void)n;
    (void)ret;
    return gs_coll_clear(vm, GS_H_HEAP, args);
}

static const struct gs_lib_entry entries[] = {
    GS_COLL_ENTRY("new", heap_new, 0, 0),
    GS_COLL_ENTRY("push", heap_push, 2, 3),
    GS_COLL_ENTRY("pop", heap_pop, 1, 1),
    GS_COLL_ENTRY("peek", heap_peek, 1, 1),
    GS_COLL_ENTRY("peekPriority", heap_peek_priority, 1, 1),
    GS_COLL_ENTRY("len", heap_len, 1, 1),
    GS_COLL_ENTRY("isEmpty", heap_is_empty, 1, 1),
    GS_COLL_ENTRY("clear", heap_clear, 1, 1),
};
GS_LIB_MODULE(gs_lib_collections_heap, "collections.heap", false, entries);
