/* SPDX-License-Identifier: MIT
 * array.c - arrays: storage, growth, widening, sharing. Sorting is in array_sort.c.
 *
 * Storage    Kinds of one byte and eight bytes an element are packed; VALUE storage holds values.
 *            Packed storage below GS_PAYLOAD_MIN bytes is a RAW object of the heap, above it a
 *            payload outside; VALUE storage is always a VALUES object (a large one when it is big).
 *            Storage belongs to one array alone unless COW is set.
 * prepare    Every writer calls it first: afterwards the storage is of the kind wanted, writable,
 *            and has the room wanted; or nothing has changed and memory is out. Everything below it
 *            may then just write.
 * Handles    A handle is never packed as an int: its object would be lost (value.h). It makes the
 *            storage VALUE.
 */
#include "array.h"

#include <string.h>

#include "heap_int.h"
#include "str.h"

#define SLICE_SHARE_MIN ((size_t)16 << 10)
#define LEN_MAX ((int64_t)1 << 40) /* elements; keeps byte counts far from overflow */

GS_INLINE size_t elem_size(enum gs_store st)
{
    switch (st) {
    case GS_STORE_BOOL:
    case GS_STORE_BYTE:
        return 1;
    case GS_STORE_INT:
    case GS_STORE_FLOAT:
        return 8;
    case GS_STORE_VALUE:
        return sizeof(gs_value);
    default:
        return 0;
    }
}

/* ---- kinds ---- */

static enum gs_store kind_of_value(gs_value v)
{
    switch (v.tag) {
    case GS_T_INT:
        return GS_STORE_INT;
    case GS_T_FLOAT:
        return GS_STORE_FLOAT;
    case GS_T_BOOL:
        return GS_STORE_BOOL;
    default:
        return GS_STORE_VALUE;
    }
}

/* The narrowest kind that holds all of kind st and v. */
static enum gs_store kind_with(enum gs_store st, gs_value v)
{
    enum gs_store k = kind_of_value(v);
    if (st == GS_STORE_EMPTY || st == k)
        return k;
    if (st == GS_STORE_BYTE && k == GS_STORE_INT)
        return v.u <= 255 ? GS_STORE_BYTE : GS_STORE_INT;
    return GS_STORE_VALUE;
}

static enum gs_store kind_join(enum gs_store a, enum gs_store b)
{
    if (a == b || b == GS_STORE_EMPTY)
        return a;
    if (a == GS_STORE_EMPTY)
        return b;
    bool ints =
        (a == GS_STORE_INT || a == GS_STORE_BYTE) && (b == GS_STORE_INT || b == GS_STORE_BYTE);
    return ints ? GS_STORE_INT : GS_STORE_VALUE;
}

static enum gs_store kind_of_values(enum gs_store st, const gs_value *v, int64_t n)
{
    for (int64_t i = 0; i < n && st != GS_STORE_VALUE; i++)
        st = kind_with(st, v[i]);
    return st;
}

/* ---- storage ---- */

struct storage {
    void *data;
    struct gs_payload *pay;
    int64_t cap;
};

static bool storage_new(struct gs_heap *h, enum gs_store st, int64_t cap, bool zeroed,
                        struct storage *s)
{
    size_t es = elem_size(st), bytes = (size_t)cap * es;
    if (cap > LEN_MAX)
        return false;
    s->pay = NULL;
    if (st == GS_STORE_VALUE || bytes < GS_PAYLOAD_MIN) {
        s->data = gs_storage_new(h, st == GS_STORE_VALUE ? GS_T_VALUES : GS_T_RAW, bytes);
        if (!s->data)
            return false;
        if (zeroed)
            memset(s->data, 0, bytes);
        s->cap = (int64_t)(gs_storage_bytes(s->data) / es);
        return true;
    }
    if (!gs_heap_has_room(h, bytes))
        return false;
    s->pay = zeroed ? gs_payload_new_zeroed(bytes) : gs_payload_new(bytes);
    if (!s->pay)
        return false;
    s->data = s->pay->data;
    s->cap = (int64_t)(s->pay->bytes / es);
    return true;
}

/* Gives a's storage up. */
static void storage_drop(struct gs_heap *h, struct gs_array *a)
{
    if (!a->pay) {
        gs_storage_free(h, a->data);
        return;
    }
    gs_heap_outside(h, a->pay->bytes, 0);
    gs_payload_release(a->pay);
}

/* Puts s in a's place. False when there was no room in the final list: then s is gone and a
 * unchanged. */
static bool storage_install(struct gs_heap *h, struct gs_array *a, enum gs_store st,
                            const struct storage *s)
{
    if (s->pay && !(a->h.flags & GS_OF_FINAL)) {
        if (!gs_heap_add_final(h, &a->h, s->pay->bytes)) {
            gs_payload_release(s->pay);
            return false;
        }
    } else if (s->pay) {
        gs_heap_outside(h, 0, s->pay->bytes);
    }
    storage_drop(h, a);
    a->h.aux16 = (uint16_t)st;
    a->data = s->data;
    a->pay = s->pay;
    a->cap = s->cap;
    return true;
}

/* n elements of kind from, as kind to. */
static void convert(void *out, enum gs_store to, const struct gs_array *a, int64_t n)
{
    enum gs_store from = gs_array_store(a);
    if (n == 0)
        return;
    if (from == to) {
        memcpy(out, a->data, (size_t)n * elem_size(to));
    } else if (to == GS_STORE_INT) {
        for (int64_t i = 0; i < n; i++)
            ((int64_t *)out)[i] = a->b[i];
    } else {
        for (int64_t i = 0; i < n; i++)
            ((gs_value *)out)[i] = gs_array_at(a, i);
    }
}

/* The capacity to ask for when `need` elements must fit: doubling for a linear push loop, by half
 * once that is many MiB. */
static int64_t growth(enum gs_store st, int64_t cap, int64_t need)
{
    int64_t es = (int64_t)elem_size(st);
    int64_t more = cap * es < ((int64_t)16 << 20) ? cap * 2 : cap + cap / 2;
    int64_t least = es == 1 ? 16 : 4;
    if (more < least)
        more = least;
    return more > need ? more : need;
}

/* Same kind, own storage, more room: in place where that can be. */
static bool grow_in_place(struct gs_heap *h, struct gs_array *a, enum gs_store st, int64_t cap)
{
    size_t es = elem_size(st), bytes = (size_t)cap * es, used = (size_t)a->len * es;
    if (cap > LEN_MAX)
        return false;
    if (a->pay) {
        size_t before = a->pay->bytes;
        if (!gs_heap_has_room(h, bytes - before))
            return false;
        struct gs_payload *p = gs_payload_resize(a->pay, bytes);
        if (!p)
            return false;
        gs_heap_outside(h, before, p->bytes);
        a->pay = p;
        a->data = p->data;
        a->cap = (int64_t)(p->bytes / es);
        return true;
    }
    enum gs_kind k = st == GS_STORE_VALUE ? GS_T_VALUES : GS_T_RAW;
    void *p = gs_storage_grow(h, k, a->data, used, bytes);
    if (!p)
        return false;
    a->data = p;
    a->cap = (int64_t)(gs_storage_bytes(p) / es);
    return true;
}

static GS_NOINLINE gs_status prepare_slow(struct gs_heap *h, struct gs_array *a, enum gs_store want,
                                          int64_t cap)
{
    bool cow = a->h.aux16 & GS_STORE_COW;
    enum gs_store st = gs_array_store(a);
    if (cow && gs_load_acq(&a->pay->refs) == 1) { /* [Y2] nobody else is left */
        a->h.aux16 = (uint16_t)st;
        cow = false;
    }
    if (!cow && st == want && cap <= a->cap)
        return GS_OK;
    /* A copy of a shared payload grows from what is in it: its capacity may itself come from such a copy, and
     * would double each time the array goes round through a channel or the store. */
    int64_t to = cap <= a->cap && cap <= a->len ? a->len : growth(want, cow ? a->len : a->cap, cap);
    if (!cow && st == want) {
        bool stays = a->pay || st == GS_STORE_VALUE || (size_t)to * elem_size(st) < GS_PAYLOAD_MIN;
        if (stays)
            return grow_in_place(h, a, st, to) || (to > cap && grow_in_place(h, a, st, cap))
                       ? GS_OK
                       : GS_E_NOMEM;
    }
    struct storage s;
    if (!storage_new(h, want, to, false, &s))
        return GS_E_NOMEM;
    convert(s.data, want, a, a->len);
    return storage_install(h, a, want, &s) ? GS_OK : GS_E_NOMEM;
}

/* See the head of the file. cap: elements that must fit. */
GS_INLINE gs_status prepare(struct gs_heap *h, struct gs_array *a, enum gs_store want, int64_t cap)
{
    if (a->h.aux16 == want && cap <= a->cap)
        return GS_OK;
    return prepare_slow(h, a, want, cap);
}

/* Writes without looking: the storage is of a kind that holds v. */
GS_INLINE void put(struct gs_array *a, int64_t i, gs_value v)
{
    switch (gs_array_store(a)) {
    case GS_STORE_INT:
        a->i[i] = v.i;
        break;
    case GS_STORE_FLOAT:
        a->d[i] = v.d;
        break;
    case GS_STORE_VALUE:
        a->v[i] = v;
        break;
    case GS_STORE_BOOL:
    case GS_STORE_BYTE:
        a->b[i] = (uint8_t)v.u;
        break;
    default:
        break;
    }
}

GS_INLINE char *elem(const struct gs_array *a, int64_t i)
{
    return (char *)a->data + (size_t)i * elem_size(gs_array_store(a));
}

static void move_elems(struct gs_array *a, int64_t to, int64_t from, int64_t n)
{
    if (n > 0)
        memmove(elem(a, to), elem(a, from), (size_t)n * elem_size(gs_array_store(a)));
}

/* ---- making arrays ---- */

struct gs_array *gs_array_new(struct gs_heap *h)
{
    struct gs_array *a = gs_heap_alloc(h, sizeof *a);
    if (!a)
        return NULL;
    gs_obj_init(h, &a->h, GS_T_ARRAY);
    a->len = a->cap = 0;
    a->data = NULL;
    a->pay = NULL;
    return a;
}

static struct gs_array *make(struct gs_heap *h, enum gs_store st, int64_t len, bool zeroed)
{
    struct gs_array *a = gs_array_new(h);
    if (!a || len == 0) {
        if (a)
            a->h.aux16 = (uint16_t)st;
        return a;
    }
    struct storage s;
    if (!storage_new(h, st, len, zeroed, &s) || !storage_install(h, a, st, &s))
        return NULL;
    a->len = len;
    return a;
}

struct gs_array *gs_array_make(struct gs_heap *h, enum gs_store store, int64_t len)
{
    return make(h, store, len, true); /* nil is all zero bits */
}

struct gs_array *gs_array_from(struct gs_heap *h, const gs_value *v, int64_t n)
{
    enum gs_store st = kind_of_values(GS_STORE_EMPTY, v, n);
    struct gs_array *a = make(h, st, n, false);
    if (!a || n == 0)
        return a;
    if (st == GS_STORE_VALUE)
        memcpy(a->v, v, (size_t)n * sizeof *v);
    else
        for (int64_t i = 0; i < n; i++)
            put(a, i, v[i]);
    return a;
}

/* A second array over a's payload; both are COW from now on. */
static struct gs_array *share_payload(struct gs_heap *h, struct gs_array *a, int64_t len)
{
    struct gs_array *c = gs_array_new(h);
    if (!c || !gs_heap_add_final(h, &c->h, 0))
        return NULL;
    gs_payload_retain(a->pay);
    if (!(a->h.aux16 &
          GS_STORE_COW)) /* in a fragment it is set, and other threads may be reading it */
        a->h.aux16 |= GS_STORE_COW;
    c->h.aux16 = a->h.aux16;
    c->len = len;
    c->cap = a->cap;
    c->data = a->data;
    c->pay = a->pay;
    gs_heap_pressure_share(h, a->pay->bytes);
    return c;
}

static struct gs_array *copy_part(struct gs_heap *h, const struct gs_array *a, int64_t from,
                                  int64_t to)
{
    enum gs_store st = gs_array_store(a);
    struct gs_array *c = make(h, to > from ? st : GS_STORE_EMPTY, to - from, false);
    if (c && to > from)
        memcpy(c->data, elem(a, from), (size_t)(to - from) * elem_size(st));
    return c;
}

struct gs_array *gs_array_share(struct gs_heap *h, struct gs_array *a)
{
    if (a->pay)
        return share_payload(h, a, a->len);
    struct gs_array *c = copy_part(h, a, 0, a->len);
    if (c && a->len == 0)
        c->h.aux16 = (uint16_t)gs_array_store(a); /* an emptied array keeps its kind */
    return c;
}

struct gs_array *gs_array_slice(struct gs_heap *h, const struct gs_array *a, int64_t from,
                                int64_t to)
{
    /* The part must be most of the payload, or a few elements would hold all of it; and sharing
     * makes both slower to write to, which a small copy is not worth. */
    if (from == 0 && a->pay && a->pay->bytes >= SLICE_SHARE_MIN && to >= a->len / 2)
        return share_payload(h, (struct gs_array *)(uintptr_t)a, to);
    return copy_part(h, a, from, to);
}

/* ---- writing ---- */

gs_status gs_array_set(struct gs_heap *h, struct gs_array *a, int64_t i, gs_value v)
{
    gs_status st = prepare(h, a, kind_with(gs_array_store(a), v), a->len);
    if (st == GS_OK)
        put(a, i, v);
    return st;
}

gs_status gs_array_push(struct gs_heap *h, struct gs_array *a, gs_value v)
{
    if (gs_array_push_fast(a, v))
        return GS_OK;
    gs_status st = prepare(h, a, kind_with(gs_array_store(a), v), a->len + 1);
    if (st == GS_OK)
        put(a, a->len++, v);
    return st;
}

gs_status gs_array_push_n(struct gs_heap *h, struct gs_array *a, const gs_value *v, int64_t n)
{
    if (n <= 0)
        return GS_OK;
    gs_status st = prepare(h, a, kind_of_values(gs_array_store(a), v, n), a->len + n);
    if (st != GS_OK)
        return st;
    for (int64_t i = 0; i < n; i++)
        put(a, a->len + i, v[i]);
    a->len += n;
    return GS_OK;
}

gs_status gs_array_append_array(struct gs_heap *h, struct gs_array *a, const struct gs_array *b)
{
    int64_t n = b->len; /* b may be a itself */
    if (n == 0)
        return GS_OK;
    enum gs_store want = kind_join(gs_array_store(a), gs_array_store(b));
    gs_status st = prepare(h, a, want, a->len + n);
    if (st != GS_OK)
        return st;
    convert(elem(a, a->len), want, b, n);
    a->len += n;
    return GS_OK;
}

gs_status gs_array_insert(struct gs_heap *h, struct gs_array *a, int64_t at, gs_value v)
{
    gs_status st = prepare(h, a, kind_with(gs_array_store(a), v), a->len + 1);
    if (st != GS_OK)
        return st;
    move_elems(a, at + 1, at, a->len - at);
    put(a, at, v);
    a->len++;
    return GS_OK;
}

gs_status gs_array_remove(struct gs_heap *h, struct gs_array *a, int64_t at, gs_value *out)
{
    gs_status st = gs_array_unshare(h, a);
    if (st != GS_OK)
        return st;
    *out = gs_array_at(a, at);
    move_elems(a, at, at + 1, a->len - at - 1);
    a->len--;
    return GS_OK;
}

gs_status gs_array_truncate(struct gs_heap *h, struct gs_array *a, int64_t len)
{
    (void)h; /* shortening writes nothing, so shared storage stays shared */
    a->len = len;
    return GS_OK;
}

gs_status gs_array_reserve(struct gs_heap *h, struct gs_array *a, int64_t cap)
{
    enum gs_store st = gs_array_store(a);
    if (st == GS_STORE_EMPTY || cap <= a->cap)
        return cap > LEN_MAX ? GS_E_NOMEM : GS_OK; /* no kind yet: the first push decides */
    return prepare(h, a, st, cap);
}

gs_status gs_array_fill(struct gs_heap *h, struct gs_array *a, gs_value v)
{
    if (a->len == 0)
        return GS_OK;
    gs_status st = prepare(h, a, kind_with(gs_array_store(a), v), a->len);
    if (st != GS_OK)
        return st;
    int64_t n = a->len;
    switch (gs_array_store(a)) {
    case GS_STORE_BOOL:
    case GS_STORE_BYTE:
        memset(a->b, (int)(uint8_t)v.u, (size_t)n);
        break;
    case GS_STORE_INT:
    case GS_STORE_FLOAT:
        for (int64_t i = 0; i < n; i++)
            a->i[i] = v.i; /* the bits of either */
        break;
    default:
        for (int64_t i = 0; i < n; i++)
            a->v[i] = v;
        break;
    }
    return GS_OK;
}

gs_status gs_array_reverse(struct gs_heap *h, struct gs_array *a)
{
    if (a->len < 2)
        return GS_OK;
    gs_status st = gs_array_unshare(h, a);
    if (st != GS_OK)
        return st;
    for (int64_t i = 0, j = a->len - 1; i < j; i++, j--) {
        gs_value x = gs_array_at(a, i);
        put(a, i, gs_array_at(a, j));
        put(a, j, x);
    }
    return GS_OK;
}

gs_status gs_array_unshare(struct gs_heap *h, struct gs_array *a)
{
    return prepare(h, a, gs_array_store(a), a->len);
}

gs_status gs_array_widen_for(struct gs_heap *h, struct gs_array *a, gs_value v)
{
    return prepare(h, a, kind_with(gs_array_store(a), v), a->len);
}

/* ---- searching ---- */

static int64_t find_int(const struct gs_array *a, int64_t x, int64_t from)
{
    for (int64_t i = from; i < a->len; i++)
        if (a->i[i] == x)
            return i;
    return -1;
}

static int64_t find_byte(const struct gs_array *a, uint8_t x, int64_t from)
{
    const uint8_t *p = from < a->len ? memchr(a->b + from, x, (size_t)(a->len - from)) : NULL;
    return p ? p - a->b : -1;
}

static int64_t find_float(const struct gs_array *a, gs_value v, int64_t from)
{
    for (int64_t i = from; i < a->len; i++)
        if (gs_equal(gs_float(a->d[i]), v))
            return i;
    return -1;
}

/* The int that equals v, if there is one. */
static bool as_int(gs_value v, int64_t *out)
{
    if (gs_is_intlike(v)) {
        *out = v.i;
        return true;
    }
    if (v.tag != GS_T_FLOAT || !(v.d >= -0x1p63 && v.d < 0x1p63) || (double)(int64_t)v.d != v.d)
        return false;
    *out = (int64_t)v.d;
    return true;
}

int64_t gs_array_index_of(const struct gs_array *a, gs_value v, int64_t from)
{
    int64_t x;
    switch (gs_array_store(a)) {
    case GS_STORE_INT:
        return as_int(v, &x) ? find_int(a, x, from) : -1;
    case GS_STORE_BYTE:
        return as_int(v, &x) && x >= 0 && x <= 255 ? find_byte(a, (uint8_t)x, from) : -1;
    case GS_STORE_BOOL:
        return v.tag == GS_T_BOOL ? find_byte(a, v.u != 0, from) : -1;
    case GS_STORE_FLOAT:
        return v.tag == GS_T_FLOAT || gs_is_intlike(v) ? find_float(a, v, from) : -1;
    case GS_STORE_VALUE:
        for (int64_t i = from; i < a->len; i++)
            if (gs_equal(a->v[i], v))
                return i;
        return -1;
    default:
        return -1;
    }
}
