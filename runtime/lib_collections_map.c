/* SPDX-License-Identifier: MIT
 * lib_collections_map.c - collections.set and collections.map. Ground rules: coll_int.h; len,
 * isEmpty, clear and free as told in lib_collections.c.
 *
 * k is a key: nil, bool, number, string or handle, anything else throws TypeError; 1 and 1.0 are
 * one key. v is any value, copied.
 *
 *   set   new([array]) -> h          with the elements of an array
 *         add(h, k) -> bool          true when it was not there
 *         has(h, k) -> bool
 *         remove(h, k) -> bool       true when it was there
 *         values(h) -> array         in order of insertion
 *         union(a, b) intersection(a, b) difference(a, b) -> a new set, in the order of a and then
 *                                    of b; a and b stay
 *         isSubset(a, b) -> bool     true when b has all of a
 *   map   new([object]) -> h         with the fields of an object
 *         set(h, k, v)
 *         get(h, k[, default])       the value, or the default (nil)
 *         has(h, k) -> bool
 *         delete(h, k) -> bool       true when it was there
 *         keys(h) values(h) -> array, entries(h) -> array of [key, value]: in order of insertion
 *
 * A key keeps the place and the form of its first insertion until it is removed. nil is a value
 * like any other here: has tells it from nothing.
 *
 * Design     Entries in order of insertion, as parallel arrays (sets have no values), and an index
 *            of entry numbers, open addressing with linear probing. A removed entry keeps its place
 *            until the arrays are full; then they are packed or doubled.
 * Two sets   are never locked at once: the first is copied under its lock, the second read under
 *            its own. So each is seen at one instant of its own.
 */
#include <string.h>

#include "coll_int.h"
#include "port/mem.h"

#define ENTRIES_FIRST 8u
#define ENTRIES_MAX (UINT32_MAX / 4) /* so that the numbers of entries and of index slots fit */

struct entry {
    gs_value key; /* at rest; UNSET: removed */
    uint32_t hash;
};

struct slot {
    uint32_t number; /* of the entry, + 1; 0: free */
    uint32_t hash;   /* so that probing past other keys does not touch their entries */
};

struct table {
    struct gs_coll c;
    struct entry *e;
    struct gs_parcel *v; /* NULL: a set */
    struct slot *index;  /* a power of two of them, at least twice cap */
    uint32_t count;      /* keys present */
    uint32_t used;       /* entries used, removed ones included */
    uint32_t cap;
    uint32_t mask;
};

static bool is_map(const struct table *t)
{
    return t->c.h.kind == GS_H_MAP;
}

static bool live(const struct entry *e)
{
    return !gs_is(e->key, GS_T_UNSET);
}

/* ---- the table; the lock is held, or nobody else knows it yet ---- */

static struct entry *find(const struct table *t, const struct gs_key *k)
{
    if (t->count == 0)
        return NULL;
    for (uint32_t i = k->hash & t->mask; t->index[i].number != 0; i = (i + 1) & t->mask) {
        if (t->index[i].hash != k->hash)
            continue;
        struct entry *e = &t->e[t->index[i].number - 1];
        if (!live(e))
            continue;
        struct gs_key have = gs_key_of(e->key);
        if (gs_key_equal(&have, k))
            return e;
    }
    return NULL;
}

static void index_put(struct table *t, uint32_t number, uint32_t hash)
{
    uint32_t i = hash & t->mask;
    while (t->index[i].number != 0)
        i = (i + 1) & t->mask;
    t->index[i] = (struct slot){number + 1, hash};
}

/* Moves what is live into arrays of cap entries. */
static bool rebuild(struct table *t, uint32_t cap)
{
    struct table to = {.cap = cap, .mask = cap * 2 - 1};
    to.e = gs_mem_alloc(cap * sizeof *to.e);
    to.v = is_map(t) ? gs_mem_alloc(cap * sizeof *to.v) : NULL;
    to.index = gs_mem_zalloc(((size_t)to.mask + 1) * sizeof *to.index);
    if (to.e == NULL || to.index == NULL || (is_map(t) && to.v == NULL)) {
        gs_mem_free(to.e);
        gs_mem_free(to.v);
        gs_mem_free(to.index);
        return false;
    }
    for (uint32_t i = 0; i < t->used; i++) {
        if (!live(&t->e[i]))
            continue;
        to.e[to.used] = t->e[i];
        if (to.v != NULL)
            to.v[to.used] = t->v[i];
        index_put(&to, to.used++, t->e[i].hash);
    }
    gs_mem_free(t->e);
    gs_mem_free(t->v);
    gs_mem_free(t->index);
    t->e = to.e;
    t->v = to.v;
    t->index = to.index;
    t->used = to.used;
    t->cap = to.cap;
    t->mask = to.mask;
    return true;
}

static bool reserve(struct table *t)
{
    if (t->used < t->cap)
        return true;
    if (t->cap == 0)
        return rebuild(t, ENTRIES_FIRST);
    if (t->count < t->cap / 4 * 3) /* a quarter is removed entries: packing pays for itself */
        return rebuild(t, t->cap);
    return t->cap <= ENTRIES_MAX / 2 && rebuild(t, t->cap * 2);
}

/* An absent key; takes over key and (of a map) v. There is room. */
static void append(struct table *t, gs_value key, uint32_t hash, const struct gs_parcel *v)
{
    t->e[t->used] = (struct entry){.key = key, .hash = hash};
    if (t->v != NULL)
        t->v[t->used] = *v;
    index_put(t, t->used++, hash);
    t->count++;
}

/* The caller gets the key and the value (of a set: nil), to drop after the lock. */
static void take_out(struct table *t, struct entry *e, struct gs_parcel old[2])
{
    old[0].v = e->key;
    if (t->v != NULL)
        old[1] = t->v[e - t->e];
    e->key = gs_unset();
    t->count--;
}

static void contents_drop(struct table *t)
{
    for (uint32_t i = 0; i < t->used; i++) {
        if (!live(&t->e[i]))
            continue;
        gs_key_drop(t->e[i].key);
        if (t->v != NULL)
            gs_item_drop(&t->v[i]);
    }
    gs_mem_free(t->e);
    gs_mem_free(t->v);
    gs_mem_free(t->index);
}

void gs_table_empty(struct gs_coll *c)
{
    struct table *t = (struct table *)c,
                 old = {.e = t->e, .v = t->v, .index = t->index, .used = t->used};
    t->e = NULL;
    t->v = NULL;
    t->index = NULL;
    t->count = t->used = t->cap = t->mask = 0;
    gs_coll_leave(c);
    contents_drop(&old);
}

void gs_table_drop(struct gs_hobj *h)
{
    struct table *t = (struct table *)h;
    contents_drop(t);
    gs_coll_fini(&t->c);
}

/* ---- what both have ---- */

static int tell(struct gs_vm *vm, const char *fn, enum gs_hkind k, bool empty, gs_value *args,
                gs_value *ret)
{
    struct table *t = gs_coll_enter(vm, fn, args[0], k);
    if (t == NULL)
        return GS_E_THROWN;
    uint32_t count = t->count;
    gs_coll_leave(t);
    *ret = empty ? gs_bool(count == 0) : gs_int(count);
    return GS_OK;
}

static int has(struct gs_vm *vm, enum gs_hkind kind, gs_value *args, gs_value *ret)
{
    struct gs_key k;
    int st = gs_key_arg(vm, "has", args, 1, &k);
    if (st != GS_OK)
        return st;
    struct table *t = gs_coll_enter(vm, "has", args[0], kind);
    if (t == NULL)
        return GS_E_THROWN;
    *ret = gs_bool(find(t, &k) != NULL);
    gs_coll_leave(t);
    return GS_OK;
}

static int take_away(struct gs_vm *vm, const char *fn, enum gs_hkind kind, gs_value *args,
                     gs_value *ret)
{
    struct gs_key k;
    int st = gs_key_arg(vm, fn, args, 1, &k);
    if (st != GS_OK)
        return st;
    struct table *t = gs_coll_enter(vm, fn, args[0], kind);
    if (t == NULL)
        return GS_E_THROWN;
    struct entry *e = find(t, &k);
    struct gs_parcel old[2] = {{gs_nil()}, {gs_nil()}};
    if (e != NULL)
        take_out(t, e, old);
    gs_coll_leave(t);
    gs_item_drop(&old[0]);
    gs_item_drop(&old[1]);
    *ret = gs_bool(e != NULL);
    return GS_OK;
}

/* Shares of all keys (KEYS), values (VALUES), or keys and values by turns (BOTH), as they are at
 * this instant; NULL: out of memory. The lock is held. */
enum part { KEYS, VALUES, BOTH };

static struct gs_parcel *snapshot(const struct table *t, enum part part, size_t *n)
{
    *n = part == BOTH ? 2 * (size_t)t->count : t->count;
    struct gs_parcel *items = gs_mem_alloc(*n * sizeof *items);
    if (items == NULL)
        return NULL;
    struct gs_parcel *p = items;
    for (uint32_t i = 0; i < t->used; i++) {
        if (!live(&t->e[i]))
            continue;
        if (part != VALUES) {
            *p = (struct gs_parcel){0};
            gs_key_dup(t->e[i].key, &p++->v);
        }
        if (part != KEYS)
            gs_item_dup(&t->v[i], p++);
    }
    return items;
}

static int list(struct gs_vm *vm, const char *fn, enum gs_hkind k, enum part part, gs_value *args,
                gs_value *ret)
{
    struct table *t = gs_coll_enter(vm, fn, args[0], k);
    if (t == NULL)
        return GS_E_THROWN;
    size_t n;
    struct gs_parcel *items = snapshot(t, part, &n);
    gs_coll_leave(t);
    return items != NULL ? gs_item_list(vm, items, n, ret) : GS_E_NOMEM;
}

#define COMMON(prefix, kind)                                                                       \
    GS_COLL_FN(prefix##_len)                                                                       \
    {                                                                                              \
        (void)n;                                                                                   \
        return tell(vm, "len", kind, false, args, ret);                                            \
    }                                                                                              \
    GS_COLL_FN(prefix##_is_empty)                                                                  \
    {                                                                                              \
        (void)n;                                                                                   \
        return tell(vm, "isEmpty", kind, true, args, ret);                                         \
    }                                                                                              \
    GS_COLL_FN(prefix##_clear)                                                                     \
    {                                                                                              \
        (void)n;                                                                                   \
        (void)ret;                                                                                 \
        return gs_coll_clear(vm, kind, args);                                                              \
    }                                                                                              \
    GS_COLL_FN(prefix##_has)                                                                       \
    {                                                                                              \
        (void)n;                                                                                   \
        return has(vm, kind, args, ret);                                                           \
    }

/* ---- set ---- */

COMMON(set, GS_H_SET)

/* Adds a key of a program's value to a table that is locked or still private: 1 added, 0 there
 * already, -1 out of memory. */
static int set_put(struct table *t, const struct gs_key *k, gs_value v)
{
    gs_value key;
    if (find(t, k) != NULL)
        return 0;
    if (!reserve(t) || gs_key_pack(v, &key) != GS_OK)
        return -1;
    append(t, key, k->hash, NULL);
    return 1;
}

static struct table *set_make(void)
{
    return gs_coll_new(sizeof(struct table), GS_H_SET);
}

GS_COLL_FN(set_new)
{
    struct gs_array *a = NULL;
    int st = n > 0 ? gs_arg_array(vm, "new", args, 0, &a) : GS_OK;
    if (st != GS_OK)
        return st;
    struct table *t = set_make();
    if (t == NULL)
        return GS_E_NOMEM;
    for (int64_t i = 0; a != NULL && i < a->len && st == GS_OK; i++) {
        gs_value v = gs_array_at(a, i);
        struct gs_key k = gs_key_of(v);
        if (k.kind == GS_KEY_NONE)
            st = gs_throw(vm, GS_ERR_TYPE, "new: element %lld is no value for a set: %s",
                          (long long)i, gs_kind_word(v));
        else if (set_put(t, &k, v) < 0)
            st = GS_E_NOMEM;
    }
    if (st == GS_OK)
        return (int)gs_handle_adopt(vm, &t->c.h, ret);
    gs_hobj_release(&t->c.h);
    return st;
}

GS_COLL_FN(set_add)
{
    (void)n;
    struct gs_key k;
    int st = gs_key_arg(vm, "add", args, 1, &k);
    if (st != GS_OK)
        return st;
    struct table *t = gs_coll_enter(vm, "add", args[0], GS_H_SET);
    if (t == NULL)
        return GS_E_THROWN;
    int added = set_put(t, &k, args[1]);
    gs_coll_leave(t);
    *ret = gs_bool(added > 0);
    return added < 0 ? GS_E_NOMEM : GS_OK;
}

GS_COLL_FN(set_remove)
{
    (void)n;
    return take_away(vm, "remove", GS_H_SET, args, ret);
}

GS_COLL_FN(set_values)
{
    (void)n;
    return list(vm, "values", GS_H_SET, KEYS, args, ret);
}

/* Adds the keys of `from` to `to`, which is private: all, or those that `only` has (want) or lacks
 * (!want). */
static bool set_merge(struct table *to, const struct table *from, const struct table *only,
                      bool want)
{
    for (uint32_t i = 0; i < from->used; i++) {
        if (!live(&from->e[i]))
            continue;
        struct gs_key k = gs_key_of(from->e[i].key);
        if ((only != NULL && (find(only, &k) != NULL) != want) || find(to, &k) != NULL)
            continue;
        if (!reserve(to))
            return false;
        gs_value key;
        gs_key_dup(from->e[i].key, &key);
        append(to, key, k.hash, NULL);
    }
    return true;
}

/* A private copy of argument i; NULL with *st. */
static struct table *set_copy(struct gs_vm *vm, const char *fn, gs_value v, int *st)
{
    struct table *to = set_make();
    struct table *t = to != NULL ? gs_coll_enter(vm, fn, v, GS_H_SET) : NULL;
    *st = to == NULL ? GS_E_NOMEM : t == NULL ? GS_E_THROWN : GS_OK;
    if (t != NULL) {
        *st = set_merge(to, t, NULL, false) ? GS_OK : GS_E_NOMEM;
        gs_coll_leave(t);
    }
    if (*st == GS_OK)
        return to;
    if (to != NULL)
        gs_hobj_release(&to->c.h);
    return NULL;
}

enum how { UNION, INTERSECTION, DIFFERENCE };

static int combine(struct gs_vm *vm, const char *fn, enum how how, gs_value *args, gs_value *ret)
{
    int st;
    struct table *a = set_copy(vm, fn, args[0], &st), *out = NULL;
    if (a == NULL)
        return st;
    struct table *b = gs_coll_enter(vm, fn, args[1], GS_H_SET);
    st = b == NULL ? GS_E_THROWN : GS_OK;
    if (b != NULL && how == UNION) {
        out = a;
        a = NULL;
        st = set_merge(out, b, NULL, false) ? GS_OK : GS_E_NOMEM;
    } else if (b != NULL) {
        out = set_make();
        st = out != NULL && set_merge(out, a, b, how == INTERSECTION) ? GS_OK : GS_E_NOMEM;
    }
    if (b != NULL)
        gs_coll_leave(b);
    if (a != NULL)
        gs_hobj_release(&a->c.h);
    if (st == GS_OK)
        return (int)gs_handle_adopt(vm, &out->c.h, ret);
    if (out != NULL)
        gs_hobj_release(&out->c.h);
    return st;
}

GS_COLL_FN(set_union)
{
    (void)n;
    return combine(vm, "union", UNION, args, ret);
}

GS_COLL_FN(set_intersection)
{
    (void)n;
    return combine(vm, "intersection", INTERSECTION, args, ret);
}

GS_COLL_FN(set_difference)
{
    (void)n;
    return combine(vm, "difference", DIFFERENCE, args, ret);
}

GS_COLL_FN(set_is_subset)
{
    (void)n;
    int st;
    struct table *a = set_copy(vm, "isSubset", args[0], &st);
    if (a == NULL)
        return st;
    struct table *b = gs_coll_enter(vm, "isSubset", args[1], GS_H_SET);
    if (b != NULL) {
        bool all = true;
        for (uint32_t i = 0; i < a->used && all; i++) { /* a fresh copy has no removed entries */
            struct gs_key k = gs_key_of(a->e[i].key);
            all = find(b, &k) != NULL;
        }
        *ret = gs_bool(all);
        gs_coll_leave(b);
    }
    gs_hobj_release(&a->c.h);
    return b != NULL ? GS_OK : GS_E_THROWN;
}

static const struct gs_lib_entry set_entries[] = {
    GS_COLL_ENTRY("new", set_new, 0, 1),
    GS_COLL_ENTRY("add", set_add, 2, 2),
    GS_COLL_ENTRY("has", set_has, 2, 2),
    GS_COLL_ENTRY("remove", set_remove, 2, 2),
    GS_COLL_ENTRY("len", set_len, 1, 1),
    GS_COLL_ENTRY("isEmpty", set_is_empty, 1, 1),
    GS_COLL_ENTRY("clear", set_clear, 1, 1),
    GS_COLL_ENTRY("values", set_values, 1, 1),
    GS_COLL_ENTRY("union", set_union, 2, 2),
    GS_COLL_ENTRY("intersection", set_intersection, 2, 2),
    GS_COLL_ENTRY("difference", set_difference, 2, 2),
    GS_COLL_ENTRY("isSubset", set_is_subset, 2, 2),
};
GS_LIB_MODULE(gs_lib_collections_set, "collections.set", false, set_entries);

/* ---- map ---- */

COMMON(map, GS_H_MAP)

/* Takes over *v when GS_OK; then *v is what it replaced, to be dropped after the lock. */
static gs_status map_put(struct table *t, const struct gs_key *k, gs_value key, struct gs_parcel *v)
{
    struct entry *e = find(t, k);
    if (e != NULL) {
        struct gs_parcel old = t->v[e - t->e];
        t->v[e - t->e] = *v;
        *v = old;
        return GS_OK;
    }
    gs_value rest;
    if (!reserve(t) || gs_key_pack(key, &rest) != GS_OK)
        return GS_E_NOMEM;
    append(t, rest, k->hash, v);
    *v = (struct gs_parcel){0};
    return GS_OK;
}

static gs_status fill(struct gs_vm *vm, struct table *t, struct gs_object *o)
{
    struct gs_array *names = gs_object_keys(&vm->heap, o);
    if (names == NULL)
        return GS_E_NOMEM;
    gs_status st = GS_OK;
    for (int64_t i = 0; i < names->len && st == GS_OK; i++) {
        gs_value name = gs_array_at(names, i);
        struct gs_key k = gs_key_of(name);
        struct gs_parcel v;
        gs_value field = gs_nil();
        (void)gs_object_get(o, name.s, &field);
        st = gs_item_pack(vm, field, &v);
        if (st != GS_OK)
            break;
        st = map_put(t, &k, name, &v);
        gs_item_drop(&v);
    }
    return st;
}

GS_COLL_FN(map_new)
{
    struct gs_object *o = NULL;
    int st = n > 0 ? gs_arg_object(vm, "new", args, 0, &o) : GS_OK;
    if (st != GS_OK)
        return st;
    struct table *t = gs_coll_new(sizeof *t, GS_H_MAP);
    if (t == NULL)
        return GS_E_NOMEM;
    if (o == NULL || fill(vm, t, o) == GS_OK)
        return (int)gs_handle_adopt(vm, &t->c.h, ret);
    gs_hobj_release(&t->c.h);
    return GS_E_NOMEM;
}

GS_COLL_FN(map_set)
{
    (void)n;
    (void)ret;
    struct gs_key k;
    struct gs_parcel v;
    int st = gs_key_arg(vm, "set", args, 1, &k);
    if (st == GS_OK &&
        gs_handle_check(vm, "set", args[0], GS_H_MAP) == NULL) /* before the value is copied */
        st = GS_E_THROWN;
    if (st == GS_OK)
        st = (int)gs_item_pack(vm, args[2], &v);
    if (st != GS_OK)
        return st;
    st = GS_E_THROWN;
    struct table *t = gs_coll_enter(vm, "set", args[0], GS_H_MAP);
    if (t != NULL) {
        st = (int)map_put(t, &k, args[1], &v);
        gs_coll_leave(t);
    }
    gs_item_drop(&v);
    return st;
}

GS_COLL_FN(map_get)
{
    struct gs_key k;
    int st = gs_key_arg(vm, "get", args, 1, &k);
    if (st != GS_OK)
        return st;
    struct table *t = gs_coll_enter(vm, "get", args[0], GS_H_MAP);
    if (t == NULL)
        return GS_E_THROWN;
    struct entry *e = find(t, &k);
    struct gs_parcel v = {0};
    if (e != NULL)
        gs_item_dup(&t->v[e - t->e], &v);
    gs_coll_leave(t);
    if (e == NULL) {
        *ret = n > 2 ? args[2] : gs_nil();
        return GS_OK;
    }
    st = (int)gs_item_open(vm, &v, ret);
    gs_item_drop(&v);
    return st;
}

GS_COLL_FN(map_delete)
{
    (void)n;
    return take_away(vm, "delete", GS_H_MAP, args, ret);
}

GS_COLL_FN(map_keys)
{
    (void)n;
    return list(vm, "keys", GS_H_MAP, KEYS, args, ret);
}

GS_COLL_FN(map_values)
{
    (void)n;
    return list(vm, "values", GS_H_MAP, VALUES, args, ret);
}

GS_COLL_FN(map_entries)
{
    int st = list(vm, "entries", GS_H_MAP, BOTH, args, ret);
    (void)n;
    if (st != GS_OK)
        return st;
    struct gs_array *flat = ret->a, *out = gs_array_new(&vm->heap);
    for (int64_t i = 0; out != NULL && i < flat->len; i += 2) {
        struct gs_array *pair = gs_array_new(&vm->heap);
        if (pair == NULL || gs_array_push(&vm->heap, pair, gs_array_at(flat, i)) != GS_OK ||
            gs_array_push(&vm->heap, pair, gs_array_at(flat, i + 1)) != GS_OK ||
            gs_array_push(&vm->heap, out, gs_objv(GS_T_ARRAY, pair)) != GS_OK)
            return GS_E_NOMEM;
    }
    if (out == NULL)
        return GS_E_NOMEM;
    *ret = gs_objv(GS_T_ARRAY, out);
    return GS_OK;
}

static const struct gs_lib_entry map_entries_table[] = {
    GS_COLL_ENTRY("new", map_new, 0, 1),          GS_COLL_ENTRY("set", map_set, 3, 3),
    GS_COLL_ENTRY("get", map_get, 2, 3),          GS_COLL_ENTRY("has", map_has, 2, 2),
    GS_COLL_ENTRY("delete", map_delete, 2, 2),    GS_COLL_ENTRY("len", map_len, 1, 1),
    GS_COLL_ENTRY("isEmpty", map_is_empty, 1, 1), GS_COLL_ENTRY("clear", map_clear, 1, 1),
    GS_COLL_ENTRY("keys", map_keys, 1, 1),        GS_COLL_ENTRY("values", map_values, 1, 1),
    GS_COLL_ENTRY("entries", map_entries, 1, 1),
};
GS_LIB_MODULE(gs_lib_collections_map, "collections.map", false, map_entries_table);
