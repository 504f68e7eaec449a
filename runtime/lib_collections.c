/* SPDX-License-Identifier: MIT
 * lib_collections.c - collections.stack, queue, deque, ring, and free. set and map:
 * lib_collections_map.c; heap: lib_collections_heap.c. Ground rules: coll_int.h.
 *
 * What each function takes and gives (h: handle; v: any value, copied; taking from an empty one
 * gives nil; values: the oldest first, of a deque from front to back):
 *
 *   all kinds   new() -> h; ring.new(capacity), ValueError below 1
 *               len(h) -> int    isEmpty(h) -> bool    values(h) -> array    clear(h)
 *   stack       push(h, v)       pop(h) peek(h) -> the newest
 *   queue       enqueue(h, v)    dequeue(h) peek(h) -> the oldest
 *   deque       pushFront(h, v) pushBack(h, v)    popFront(h) popBack(h) front(h) back(h) -> value
 *   ring        push(h, v) -> what it overwrote: the oldest value when full, else nil
 *               pop(h) peek(h) -> the oldest      cap(h) -> int      isFull(h) -> bool
 *   collections.free(h)   gives its memory back; every later use of h, a second free too, throws
 *                         HandleError
 *
 * A handle of another kind: HandleError. Collections are shared by tasks, every operation is
 * atomic, and none of them waits.
 *
 * Design     One structure for the four: a circular buffer of items that grows by doubling. A ring
 *            has a limit and gives up its oldest item to make room.
 * Popping    An item leaves the buffer under the lock and becomes a value after it. When that fails
 *            for want of memory it must go back, so its place stays reserved (`pending`) until
 *            then, and putting back cannot fail. Only a ring that has been filled up meanwhile
 *            drops it: then it was the oldest.
 */
#include <string.h>

#include "coll_int.h"
#include "port/mem.h"

#define CAP_FIRST 8u
#define CAP_KEEP 1024u /* an empty buffer of more items than that is given back */

struct seq {
    struct gs_coll c;
    struct gs_parcel *v; /* circular; len of them from head on */
    size_t head, len, cap;
    size_t pending; /* len + pending <= cap */
    size_t limit;   /* ring: its capacity; 0: none */
};

enum side { FRONT, BACK };

/* ---- the buffer; the lock is held ---- */

static struct gs_parcel *at(const struct seq *s, size_t i)
{
    size_t k = s->head + i;
    return &s->v[k < s->cap ? k : k - s->cap];
}

static bool reserve(struct seq *s)
{
    if (s->len + s->pending < s->cap)
        return true;
    size_t cap = s->cap != 0 ? s->cap * 2 : CAP_FIRST;
    struct gs_parcel *v = gs_mem_alloc(cap * sizeof *v);
    if (v == NULL)
        return false;
    for (size_t i = 0; i < s->len; i++)
        v[i] = *at(s, i);
    gs_mem_free(s->v);
    s->v = v;
    s->head = 0;
    s->cap = cap;
    return true;
}

static void put(struct seq *s, enum side side, const struct gs_parcel *p)
{
    if (side == FRONT)
        s->head = s->head != 0 ? s->head - 1 : s->cap - 1;
    s->len++;
    *at(s, side == FRONT ? 0 : s->len - 1) = *p;
}

static struct gs_parcel get(struct seq *s, enum side side)
{
    struct gs_parcel p = *at(s, side == FRONT ? 0 : s->len - 1);
    s->len--;
    if (side == FRONT)
        s->head = s->head + 1 < s->cap ? s->head + 1 : 0;
    return p;
}

static void shrink(struct seq *s)
{
    if (s->len + s->pending > 0 || s->cap <= CAP_KEEP)
        return;
    gs_mem_free(s->v);
    s->v = NULL;
    s->head = s->cap = 0;
}

static void items_drop(struct seq *s)
{
    while (s->len > 0) {
        struct gs_parcel p = get(s, FRONT);
        gs_item_drop(&p);
    }
    gs_mem_free(s->v);
}

void gs_seq_empty(struct gs_coll *c)
{
    struct seq *s = (struct seq *)c,
               old = {.v = s->v, .head = s->head, .len = s->len, .cap = s->cap};
    s->v = NULL;
    s->head = s->len = s->cap = s->pending = 0;
    c->epoch++;
    gs_coll_leave(c);
    items_drop(&old);
}

void gs_seq_drop(struct gs_hobj *h)
{
    struct seq *s = (struct seq *)h; /* the last share: nobody is popping */
    items_drop(s);
    gs_coll_fini(&s->c);
}

/* ---- operations ---- */

static int seq_new(struct gs_vm *vm, enum gs_hkind k, size_t limit, gs_value *ret)
{
    struct seq *s = gs_coll_new(sizeof *s, k);
    if (s == NULL)
        return GS_E_NOMEM;
    s->limit = limit;
    return (int)gs_handle_adopt(vm, &s->c.h, ret);
}

static int push(struct gs_vm *vm, const char *fn, enum gs_hkind k, enum side side, gs_value *args)
{
    struct gs_parcel p;
    if (gs_handle_check(vm, fn, args[0], k) == NULL) /* before the value is copied */
        return GS_E_THROWN;
    if (gs_item_pack(vm, args[1], &p) != GS_OK)
        return GS_E_NOMEM;
    int st = GS_E_THROWN;
    struct seq *s = gs_coll_enter(vm, fn, args[0], k);
    if (s != NULL) {
        st = reserve(s) ? GS_OK : GS_E_NOMEM;
        if (st == GS_OK)
            put(s, side, &p);
        gs_coll_leave(s);
    }
    if (st != GS_OK)
        gs_item_drop(&p);
    return st;
}

/* Makes a value of an item that has left s; puts it back when memory is out. */
static int deliver(struct gs_vm *vm, struct seq *s, enum side side, struct gs_parcel *p,
                   uint32_t epoch, gs_value *ret)
{
    gs_status st = gs_item_take(vm, p, ret);
    (void)pthread_mutex_lock(&s->c.lock);
    if (s->c.epoch == epoch) {
        s->pending--;
        if (st != GS_OK && (s->limit == 0 || s->len < s->limit)) {
            put(s, side, p);
            p = NULL;
        }
        shrink(s);
    }
    gs_coll_leave(s);
    if (st != GS_OK && p != NULL)
        gs_item_drop(p);
    return (int)st;
}

static int pop(struct gs_vm *vm, const char *fn, enum gs_hkind k, enum side side, gs_value *args,
               gs_value *ret)
{
    struct seq *s = gs_coll_enter(vm, fn, args[0], k);
    if (s == NULL)
        return GS_E_THROWN;
    if (s->len == 0) {
        gs_coll_leave(s);
        return GS_OK;
    }
    struct gs_parcel p = get(s, side);
    if (gs_item_is_plain(&p)) {
        shrink(s);
        gs_coll_leave(s);
        return (int)gs_item_take(vm, &p, ret);
    }
    uint32_t epoch = s->c.epoch;
    s->pending++;
    gs_coll_leave(s);
    return deliver(vm, s, side, &p, epoch, ret);
}

static int peek(struct gs_vm *vm, const char *fn, enum gs_hkind k, enum side side, gs_value *args,
                gs_value *ret)
{
    struct seq *s = gs_coll_enter(vm, fn, args[0], k);
    if (s == NULL)
        return GS_E_THROWN;
    struct gs_parcel p = {0};
    if (s->len > 0)
        gs_item_dup(at(s, side == FRONT ? 0 : s->len - 1), &p);
    gs_coll_leave(s);
    gs_status st = gs_item_open(vm, &p, ret);
    gs_item_drop(&p);
    return (int)st;
}

enum fact { LEN, IS_EMPTY, CAP, IS_FULL };

static int tell(struct gs_vm *vm, const char *fn, enum gs_hkind k, enum fact what, gs_value *args,
                gs_value *ret)
{
    struct seq *s = gs_coll_enter(vm, fn, args[0], k);
    if (s == NULL)
        return GS_E_THROWN;
    size_t len = s->len, limit = s->limit;
    gs_coll_leave(s);
    switch (what) {
    case LEN:
        *ret = gs_int((int64_t)len);
        break;
    case IS_EMPTY:
        *ret = gs_bool(len == 0);
        break;
    case CAP:
        *ret = gs_int((int64_t)limit);
        break;
    case IS_FULL:
        *ret = gs_bool(len == limit);
        break;
    }
    return GS_OK;
}

static int values(struct gs_vm *vm, enum gs_hkind k, gs_value *args, gs_value *ret)
{
    struct seq *s = gs_coll_enter(vm, "values", args[0], k);
    if (s == NULL)
        return GS_E_THROWN;
    size_t n = s->len;
    struct gs_parcel *items = gs_mem_alloc(n * sizeof *items);
    for (size_t i = 0; i < n && items != NULL; i++)
        gs_item_dup(at(s, i), &items[i]);
    gs_coll_leave(s);
    return items != NULL ? gs_item_list(vm, items, n, ret) : GS_E_NOMEM;
}

/* ---- the functions of each kind ---- */

#define NEW(name, kind)                                                                            \
    GS_COLL_FN(name)                                                                               \
    {                                                                                              \
        (void)args;                                                                                \
        (void)n;                                                                                   \
        return seq_new(vm, kind, 0, ret);                                                          \
    }
#define PUSH(name, fn, kind, side)                                                                 \
    GS_COLL_FN(name)                                                                               \
    {                                                                                              \
        (void)n;                                                                                   \
        (void)ret;                                                                                 \
        return push(vm, fn, kind, side, args);                                                     \
    }
#define POP(name, fn, kind, side)                                                                  \
    GS_COLL_FN(name)                                                                               \
    {                                                                                              \
        (void)n;                                                                                   \
        return pop(vm, fn, kind, side, args, ret);                                                 \
    }
#define PEEK(name, fn, kind, side)                                                                 \
    GS_COLL_FN(name)                                                                               \
    {                                                                                              \
        (void)n;                                                                                   \
        return peek(vm, fn, kind, side, args, ret);                                                \
    }
#define TELL(name, fn, kind, what)                                                                 \
    GS_COLL_FN(name)                                                                               \
    {                                                                                              \
        (void)n;                                                                                   \
        return tell(vm, fn, kind, what, args, ret);                                                \
    }
/* What all kinds have. */
#define COMMON(prefix, kind)                                                                       \
    TELL(prefix##_len, "len", kind, LEN)                                                           \
    TELL(prefix##_is_empty, "isEmpty", kind, IS_EMPTY)                                             \
    GS_COLL_FN(prefix##_clear)                                                                     \
    {                                                                                              \
        (void)n;                                                                                   \
        (void)ret;                                                                                 \
        return gs_coll_clear(vm, kind, args);                                                              \
    }                                                                                              \
    GS_COLL_FN(prefix##_values)                                                                    \
    {                                                                                              \
        (void)n;                                                                                   \
        return values(vm, kind, args, ret);                                                        \
    }
#define COMMON_ENTRIES(prefix)                                                                     \
    GS_COLL_ENTRY("len", prefix##_len, 1, 1), GS_COLL_ENTRY("isEmpty", prefix##_is_empty, 1, 1),   \
        GS_COLL_ENTRY("clear", prefix##_clear, 1, 1),                                              \
        GS_COLL_ENTRY("values", prefix##_values, 1, 1)

NEW(stack_new, GS_H_STACK)
PUSH(stack_push, "push", GS_H_STACK, BACK)
POP(stack_pop, "pop", GS_H_STACK, BACK)
PEEK(stack_peek, "peek", GS_H_STACK, BACK)
COMMON(stack, GS_H_STACK)

static const struct gs_lib_entry stack_entries[] = {
    GS_COLL_ENTRY("new", stack_new, 0, 0),
    GS_COLL_ENTRY("push", stack_push, 2, 2),
    GS_COLL_ENTRY("pop", stack_pop, 1, 1),
    GS_COLL_ENTRY("peek", stack_peek, 1, 1),
    COMMON_ENTRIES(stack),
};
GS_LIB_MODULE(gs_lib_collections_stack, "collections.stack", false, stack_entries);

NEW(queue_new, GS_H_QUEUE)
PUSH(queue_enqueue, "enqueue", GS_H_QUEUE, BACK)
POP(queue_dequeue, "dequeue", GS_H_QUEUE, FRONT)
PEEK(queue_peek, "peek", GS_H_QUEUE, FRONT)
COMMON(queue, GS_H_QUEUE)

static const struct gs_lib_entry queue_entries[] = {
    GS_COLL_ENTRY("new", queue_new, 0, 0),
    GS_COLL_ENTRY("enqueue", queue_enqueue, 2, 2),
    GS_COLL_ENTRY("dequeue", queue_dequeue, 1, 1),
    GS_COLL_ENTRY("peek", queue_peek, 1, 1),
    COMMON_ENTRIES(queue),
};
GS_LIB_MODULE(gs_lib_collections_queue, "collections.queue", false, queue_entries);

NEW(deque_new, GS_H_DEQUE)
PUSH(deque_push_front, "pushFront", GS_H_DEQUE, FRONT)
PUSH(deque_push_back, "pushBack", GS_H_DEQUE, BACK)
POP(deque_pop_front, "popFront", GS_H_DEQUE, FRONT)
POP(deque_pop_back, "popBack", GS_H_DEQUE, BACK)
PEEK(deque_front, "front", GS_H_DEQUE, FRONT)
PEEK(deque_back, "back", GS_H_DEQUE, BACK)
COMMON(deque, GS_H_DEQUE)

static const struct gs_lib_entry deque_entries[] = {
    GS_COLL_ENTRY("new", deque_new, 0, 0),
    GS_COLL_ENTRY("pushFront", deque_push_front, 2, 2),
    GS_COLL_ENTRY("pushBack", deque_push_back, 2, 2),
    GS_COLL_ENTRY("popFront", deque_pop_front, 1, 1),
    GS_COLL_ENTRY("popBack", deque_pop_back, 1, 1),
    GS_COLL_ENTRY("front", deque_front, 1, 1),
    GS_COLL_ENTRY("back", deque_back, 1, 1),
    COMMON_ENTRIES(deque),
};
GS_LIB_MODULE(gs_lib_collections_deque, "collections.deque", false, deque_entries);

GS_COLL_FN(ring_new)
{
    (void)n;
    int64_t cap;
    int st = gs_arg_int(vm, "new", args, 0, &cap);
    if (st == GS_OK && cap < 1)
        st = gs_throw(vm, GS_ERR_VALUE, "new: the capacity of a ring must be at least 1, got %lld",
                      (long long)cap);
    return st == GS_OK ? seq_new(vm, GS_H_RING, (size_t)cap, ret) : st;
}

/* Opens the value that gives way under the lock, so that a failure leaves everything as it was. */
static int ring_put(struct gs_vm *vm, struct seq *s, const struct gs_parcel *p, gs_value *ret)
{
    if (s->len < s->limit) {
        if (!reserve(s))
            return GS_E_NOMEM;
    } else {
        if (gs_item_take(vm, at(s, 0), ret) != GS_OK)
            return GS_E_NOMEM;
        (void)get(s, FRONT);
    }
    put(s, BACK, p);
    return GS_OK;
}

GS_COLL_FN(ring_push)
{
    (void)n;
    struct gs_parcel p;
    if (gs_handle_check(vm, "push", args[0], GS_H_RING) == NULL)
        return GS_E_THROWN;
    if (gs_item_pack(vm, args[1], &p) != GS_OK)
        return GS_E_NOMEM;
    int st = GS_E_THROWN;
    struct seq *s = gs_coll_enter(vm, "push", args[0], GS_H_RING);
    if (s != NULL) {
        st = ring_put(vm, s, &p, ret);
        gs_coll_leave(s);
    }
    if (st != GS_OK)
        gs_item_drop(&p);
    return st;
}

POP(ring_pop, "pop", GS_H_RING, FRONT)
PEEK(ring_peek, "peek", GS_H_RING, FRONT)
TELL(ring_cap, "cap", GS_H_RING, CAP)
TELL(ring_is_full, "isFull", GS_H_RING, IS_FULL)
COMMON(ring, GS_H_RING)

static const struct gs_lib_entry ring_entries[] = {
    GS_COLL_ENTRY("new", ring_new, 1, 1),
    GS_COLL_ENTRY("push", ring_push, 2, 2),
    GS_COLL_ENTRY("pop", ring_pop, 1, 1),
    GS_COLL_ENTRY("peek", ring_peek, 1, 1),
    GS_COLL_ENTRY("cap", ring_cap, 1, 1),
    GS_COLL_ENTRY("isFull", ring_is_full, 1, 1),
    COMMON_ENTRIES(ring),
};
GS_LIB_MODULE(gs_lib_collections_ring, "collections.ring", false, ring_entries);

/* ---- clear and free ---- */

static void (*empty_of(enum gs_hkind k))(struct gs_coll *)
{
    switch (k) {
    case GS_H_STACK:
    case GS_H_QUEUE:
    case GS_H_DEQUE:
    case GS_H_RING:
        return gs_seq_empty;
    case GS_H_SET:
    case GS_H_MAP:
        return gs_table_empty;
    case GS_H_HEAP:
        return gs_pq_empty;
    default:
        return NULL;
    }
}

int gs_coll_clear(struct gs_vm *vm, enum gs_hkind k, gs_value *args)
{
    struct gs_coll *c = gs_coll_enter(vm, "clear", args[0], k);
    if (c == NULL)
        return GS_E_THROWN;
    empty_of(k)(c);
    return GS_OK;
}

GS_COLL_FN(collection_free)
{
    (void)n;
    (void)ret;
    struct gs_hobj *o = gs_handle_find(args[0]);
    void (*empty)(struct gs_coll *) = o != NULL ? empty_of((enum gs_hkind)o->kind) : NULL;
    if (o != NULL && empty == NULL)
        return gs_throw(vm, GS_ERR_HANDLE,
                        "free expects the handle of a collection, got a %s handle",
                        gs_hkind_name((enum gs_hkind)o->kind));
    if (o == NULL && gs_is_intlike(args[0]))
        return gs_throw(vm, GS_ERR_HANDLE,
                        "free expects the handle of a collection, got %lld, which is none",
                        (long long)args[0].i);
    if (o == NULL)
        return gs_throw(vm, GS_ERR_HANDLE, "free expects the handle of a collection, got %s",
                        gs_typeof_name(args[0]));
    struct gs_coll *c = gs_coll_enter(vm, "free", args[0], (enum gs_hkind)o->kind);
    if (c == NULL)
        return GS_E_THROWN; /* another task was faster */
    /* relaxed: whoever needs to be sure looks under the lock */
    (void)gs_or_rlx(&c->h.flags, (uint8_t)GS_HF_FREED);
    empty(c);
    return GS_OK;
}

static const struct gs_lib_entry entries[] = {
    GS_COLL_ENTRY("free", collection_free, 1, 1),
};
GS_LIB_MODULE(gs_lib_collections, "collections", false, entries);
