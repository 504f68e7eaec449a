/* SPDX-License-Identifier: MIT
 * shape_object.c - the fields of objects: slots by shape, or a hash map.
 *
 * Slots      Inline first; an object that outgrows them has all its slots in a VALUES object, and
 *            the inline ones lie idle. Slots behind the shape's last key are nil at all times: the
 *            collector marks every slot without looking the shape up, and an append finds its slot
 *            ready.
 * Dictionary One way: see shape.h for when. Field writes that remove the last added key step back
 * to the parent shape
 * instead, so that a key set and removed again costs nothing.
 * Computed   Keys that the program computes or reads from data make shapes, too (JSON records),
 *            within limits (gs_shape_add_computed), beyond which the object is taken to be a
 *            dictionary. Callers say so by the function that they call; a key that is no atom was
 *            computed in any case.
 */
#include <string.h>

#include "array.h"
#include "heap_int.h"
#include "map.h"
#include "port/mem.h"
#include "shape_int.h"
#include "sort_int.h"
#include "str.h"

GS_INLINE bool is_dict(const struct gs_object *o)
{
    return o->cap == GS_OBJECT_DICT;
}

struct gs_object *gs_object_new(struct gs_heap *h, uint32_t shape, uint32_t nslots)
{
    struct gs_shape *s = gs_shape_get(shape);
    bool dict = s->flags & GS_SHAPE_DICT;
    uint32_t n = dict ? 0 : nslots > s->nkeys ? nslots : s->nkeys;
    if (n > UINT16_MAX)
        n = UINT16_MAX;
    struct gs_object *o = gs_heap_new(h, GS_T_OBJECT, sizeof *o + n * sizeof(gs_value));
    if (!o)
        return NULL;
    o->h.aux16 = (uint16_t)n;
    o->h.aux32 = shape;
    o->slots = o->fields;
    o->cap = n;
    o->pad = 0;
    for (uint32_t i = 0; i < n; i++)
        o->fields[i] = gs_nil();
    if (dict) {
        struct gs_map *m = gs_map_new(h, nslots);
        if (!m)
            return NULL;
        o->map = m;
        o->cap = GS_OBJECT_DICT;
    }
    return o;
}

struct gs_object *gs_object_share(struct gs_heap *from, const struct gs_object *o, struct gs_heap *to)
{
    struct gs_map *m = is_dict(o) ? gs_map_share(from, o->map, to) : NULL;
    struct gs_object *t = m != NULL ? gs_heap_new(to, GS_T_OBJECT, sizeof *t) : NULL;
    if (t == NULL)
        return NULL;
    t->h.aux16 = 0;
    t->h.aux32 = o->h.aux32;
    t->map = m;
    t->cap = GS_OBJECT_DICT;
    t->pad = 0;
    return t;
}

/* ---- reading ---- */

bool gs_object_get_atom(const struct gs_object *o, const struct gs_str *atom, gs_value *out)
{
    if (is_dict(o))
        return gs_object_get(o, (struct gs_str *)(uintptr_t)atom, out);
    int32_t i = gs_shape_slot(gs_shape_get(o->h.aux32), atom);
    if (i < 0)
        return false;
    *out = o->slots[i];
    return true;
}

bool gs_object_get(const struct gs_object *o, struct gs_str *key, gs_value *out)
{
    if (is_dict(o)) {
        gs_value *v = gs_map_find(o->map, key);
        if (!v)
            return false;
        *out = *v;
        return true;
    }
    struct gs_str *atom = gs_atom_find(key);
    return atom && gs_object_get_atom(o, atom, out);
}

uint32_t gs_object_count(const struct gs_object *o)
{
    return is_dict(o) ? o->map->count : gs_shape_get(o->h.aux32)->nkeys;
}

struct gs_class *gs_object_class(const struct gs_object *o)
{
    return gs_shape_get(o->h.aux32)->cls;
}

/* ---- writing ---- */

static bool grow_slots(struct gs_heap *h, struct gs_object *o, uint32_t need)
{
    uint32_t cap = o->cap < 2 ? 4 : o->cap * 2;
    if (cap < need)
        cap = need;
    bool inlined = o->slots == o->fields;
    size_t used = o->cap * sizeof(gs_value), bytes = cap * sizeof(gs_value);
    gs_value *v = gs_storage_grow(h, GS_T_VALUES, inlined ? NULL : o->slots, used, bytes);
    if (!v)
        return false;
    if (inlined && used)
        memcpy(v, o->fields, used);
    for (uint32_t i = o->cap; i < cap; i++)
        v[i] = gs_nil();
    o->slots = v;
    o->cap = cap;
    return true;
}

gs_status gs_object_append_slot(struct gs_heap *h, struct gs_object *o, uint32_t to, gs_value v)
{
    uint32_t slot = gs_shape_get(to)->nkeys - 1;
    if (GS_UNLIKELY(slot >= o->cap) && !grow_slots(h, o, slot + 1))
        return GS_E_NOMEM;
    o->slots[slot] = v;
    o->h.aux32 = to;
    return GS_OK;
}

static gs_status to_dict(struct gs_heap *h, struct gs_object *o)
{
    struct gs_shape *s = gs_shape_get(o->h.aux32);
    struct gs_map *m = gs_map_new(h, s->nkeys + 1);
    if (!m)
        return GS_E_NOMEM;
    for (uint32_t i = 0; i < s->nkeys; i++)
        if (gs_map_put(h, m, gs_shape_key(s, i), o->slots[i]) != GS_OK)
            return GS_E_NOMEM;
    if (o->slots != o->fields)
        gs_storage_free(h, o->slots);
    o->map = m;
    o->cap = GS_OBJECT_DICT;
    o->h.aux32 = gs_shape_dict_of(s)->id;
    return GS_OK;
}

static gs_status dict_put(struct gs_heap *h, struct gs_object *o, struct gs_str *key, gs_value v)
{
    if (!is_dict(o)) {
        gs_status st = to_dict(h, o);
        if (st != GS_OK)
            return st;
    }
    return gs_map_put(h, o->map, key, v);
}

static gs_status put(struct gs_heap *h, struct gs_object *o, struct gs_str *key, gs_value v,
                     bool computed)
{
    if (is_dict(o))
        return gs_map_put(h, o->map, key, v);
    struct gs_shape *s = gs_shape_get(o->h.aux32);
    struct gs_str *atom = gs_atom_find(key);
    struct gs_shape *next = atom ? gs_shape_next(s, atom) : NULL;
    if (!next && atom) {
        int32_t i = gs_shape_slot(s, atom);
        if (i >= 0) {
            o->slots[i] = v;
            return GS_OK;
        }
    }
    if (!atom)
        atom = gs_atom_data(key);
    if (!next && atom)
        next = computed ? gs_shape_add_computed(s, atom) : gs_shape_add(s, atom);
    if (!next || (next->flags & GS_SHAPE_DICT))
        return dict_put(h, o, key, v);
    return gs_object_append_slot(h, o, next->id, v);
}

gs_status gs_object_put(struct gs_heap *h, struct gs_object *o, struct gs_str *key, gs_value v)
{
    return put(h, o, key, v, !(key->h.flags & GS_OF_ATOM));
}

gs_status gs_object_put_computed(struct gs_heap *h, struct gs_object *o, struct gs_str *key,
                                 gs_value v)
{
    return put(h, o, key, v, true);
}

gs_status gs_object_set_computed(struct gs_heap *h, struct gs_object *o, struct gs_str *key,
                                 gs_value v)
{
    bool was;
    return v.tag != GS_T_NIL ? put(h, o, key, v, true) : gs_object_delete(h, o, key, &was);
}

gs_status gs_object_set(struct gs_heap *h, struct gs_object *o, struct gs_str *key, gs_value v)
{
    if (v.tag != GS_T_NIL)
        return gs_object_put(h, o, key, v);
    bool was;
    return gs_object_delete(h, o, key, &was);
}

gs_status gs_object_delete(struct gs_heap *h, struct gs_object *o, struct gs_str *key, bool *was)
{
    *was = false;
    if (!is_dict(o)) {
        struct gs_shape *s = gs_shape_get(o->h.aux32);
        struct gs_str *atom = gs_atom_find(key);
        int32_t i = atom ? gs_shape_slot(s, atom) : -1;
        if (i < 0)
            return GS_OK;
        if ((uint32_t)i == s->nkeys - 1) {
            o->slots[i] = gs_nil();
            o->h.aux32 = s->parent->id;
            *was = true;
            return GS_OK;
        }
        gs_status st = to_dict(h, o);
        if (st != GS_OK)
            return st;
    }
    if (gs_map_find(o->map, key) == NULL)
        return GS_OK;
    if (gs_map_own(h, o->map) != GS_OK)
        return GS_E_NOMEM;
    *was = gs_map_delete(o->map, key);
    return GS_OK;
}

/* ---- keys in order ---- */

/* Short keys become strings of the caller's memory: `bytes` has room for all keys. */
static bool sorted_dict_keys(const struct gs_map *m, gs_value *out, struct gs_str *bytes)
{
    struct gs_sort_item *items = gs_mem_alloc((m->count ? m->count : 1) * sizeof *items);
    if (!items)
        return false;
    uint32_t n = 0;
    for (uint32_t i = 0; i < m->nused; i++) {
        const struct gs_map_entry *e = &m->entries[i];
        if (gs_map_is_gone(e))
            continue;
        struct gs_str *k = gs_map_long_key(e);
        if (!k)
            gs_map_short_key(e, k = bytes++);
        items[n++] = (struct gs_sort_item){gs_sort_str_key(k), (uintptr_t)k};
    }
    bool ok = gs_sort_items(items, n, gs_sort_str_tie, NULL);
    for (uint32_t i = 0; ok && i < n; i++)
        out[i] = gs_strv((const struct gs_str *)(uintptr_t)items[i].ref);
    gs_mem_free(items);
    return ok;
}

gs_value *gs_object_sorted_keys(const struct gs_object *o)
{
    size_t n = gs_object_count(o), each = sizeof(gs_value);
    if (is_dict(o))
        each += sizeof(struct gs_str);
    gs_value *out = gs_mem_alloc(n ? n * each : 1);
    if (!out)
        return NULL;
    if (is_dict(o)) {
        if (sorted_dict_keys(o->map, out, (struct gs_str *)(out + n)))
            return out;
        gs_mem_free(out);
        return NULL;
    }
    struct gs_shape *s = gs_shape_get(o->h.aux32);
    const uint32_t *order = gs_shape_sorted(s);
    for (uint32_t i = 0; i < s->nkeys; i++)
        out[i] = gs_strv(gs_shape_key(s, order[i]));
    return out;
}

struct gs_array *gs_object_keys(struct gs_heap *h, const struct gs_object *o)
{
    uint32_t n = gs_object_count(o);
    struct gs_array *a = gs_array_make(h, n ? GS_STORE_VALUE : GS_STORE_EMPTY, n);
    if (!a || !n)
        return a;
    gs_value *key = gs_object_sorted_keys(o);
    if (!key)
        return NULL;
    for (uint32_t i = 0; i < n; i++) {
        struct gs_str *k = key[i].s;
        if (is_dict(o) && k->len <= GS_MAP_SHORT)
            k = gs_str_new(h, k->data, k->len);
        if (!k)
            goto out;
        a->v[i] = gs_strv(k);
    }
    gs_mem_free(key);
    return a;
out:
    gs_mem_free(key);
    return NULL;
}
