/* SPDX-License-Identifier: MIT
 * shape.h - hidden classes of objects, shared by all VMs; and the operations on objects' fields.
 *
 * Ids        A shape is known by a number below 2^24. Ids below GS_SHAPE_FIRST are the kinds of non-objects (enum gs_kind), so
 *            that one word names what an inline cache has seen, whatever it is: gs_shape_of.
 * Tree       A shape is its parent plus one key. Transitions are found under a lock once and then through inline caches; a shape
 *            never changes after publication. [S1] release of the table entry, acquire by whoever got the id otherwise than from an object.
 * Dictionary An object moves to its root's dictionary shape (fields in a gs_map) when a key other than the last added one is removed, when
 *            it has more than GS_SHAPE_MAX_KEYS keys (half as many for computed ones), when the budget of shapes is used up, or when a
 *            computed key is no atom and the budget of those is spent.
 * Order      The sorted order of a shape's keys is computed once per shape, on demand, and published by pointer.
 */
#ifndef GS_RUNTIME_SHAPE_H
#define GS_RUNTIME_SHAPE_H

#include "heap.h"

#define GS_SHAPE_FIRST 64u
#define GS_SHAPE_LIMIT (1u << 24)
#define GS_SHAPE_MAX_KEYS 64u
#define GS_SHAPE_NONE 0xffffffu /* no shape: an empty inline cache */

enum gs_shape_flag { GS_SHAPE_DICT = 1u };

struct gs_shape {
    uint32_t id;
    uint32_t nkeys; /* slots in use */
    uint32_t flags;
    uint32_t root; /* id of the empty shape it came from */
    struct gs_class *cls; /* class of the instances, or NULL for plain objects */
    struct gs_shape *parent;
    struct gs_str *key; /* atom added last; its slot is nkeys - 1 */
    /* private to shape.c: lookup table, sorted order, transitions */
    _Atomic(void *) table;
    _Atomic(uint32_t *) sorted;
    _Atomic(void *) trans;
};

/* Ids of the shapes of a plain empty object and of a plain dictionary. */
extern uint32_t gs_shape_plain, gs_shape_plain_dict;

#define GS_SHAPE_SEG_BITS 10u
#define GS_SHAPE_SEG (1u << GS_SHAPE_SEG_BITS)
/* Shapes by number, in segments; shape.c writes them. */
extern _Atomic(_Atomic(struct gs_shape *) *) gs_shape_segs[GS_SHAPE_LIMIT / GS_SHAPE_SEG];
GS_INLINE struct gs_shape *gs_shape_get(uint32_t id)
{
    return gs_load_acq(&gs_load_acq(&gs_shape_segs[id >> GS_SHAPE_SEG_BITS])[id & (GS_SHAPE_SEG - 1)]); /* [S1] */
}
GS_INLINE uint32_t gs_shape_of(gs_value v)
{
    return v.tag == GS_T_OBJECT ? v.o->aux32 : (uint32_t)gs_kind(v);
}
/* Makes the empty and the dictionary shape of a class. */
void gs_shape_for_class(struct gs_class *c);
/* Slot of an atom, or -1. */
int32_t gs_shape_slot(struct gs_shape *s, const struct gs_str *atom);
/* The shape with one key more; the dictionary shape of the root when it would grow too large. Any thread. */
struct gs_shape *gs_shape_add(struct gs_shape *s, struct gs_str *atom);
/* Slots in sorted byte order of their keys: nkeys numbers. */
const uint32_t *gs_shape_sorted(struct gs_shape *s);
struct gs_str *gs_shape_key(struct gs_shape *s, uint32_t slot);

/* ---- objects ---- */

/* An object with the given shape and room for at least nslots inline; fields nil. The dictionary map is made at once for dict shapes. */
struct gs_object *gs_object_new(struct gs_heap *h, uint32_t shape, uint32_t nslots);
/* A twin of o in another heap that shares its dictionary, as gs_map_share does; NULL: o must be copied. */
struct gs_object *gs_object_share(struct gs_heap *from, const struct gs_object *o, struct gs_heap *to);
/* False when the key is absent (*out untouched). key: any string. */
bool gs_object_get(const struct gs_object *o, struct gs_str *key, gs_value *out);
bool gs_object_get_atom(const struct gs_object *o, const struct gs_str *atom, gs_value *out);
/* Sets; v nil removes the key. GS_OK or GS_E_NOMEM. */
gs_status gs_object_set(struct gs_heap *h, struct gs_object *o, struct gs_str *key, gs_value v);
/* Sets and keeps the key even when v is nil (literals, JSON null). */
gs_status gs_object_put(struct gs_heap *h, struct gs_object *o, struct gs_str *key, gs_value v);
/* The same for keys that were computed (o[expr] = v) or came from data (JSON), rather than written in the program as names: the object
 * becomes a dictionary sooner, so that data cannot make shapes without end. */
gs_status gs_object_set_computed(struct gs_heap *h, struct gs_object *o, struct gs_str *key, gs_value v);
gs_status gs_object_put_computed(struct gs_heap *h, struct gs_object *o, struct gs_str *key, gs_value v);
gs_status gs_object_delete(struct gs_heap *h, struct gs_object *o, struct gs_str *key, bool *was);
uint32_t gs_object_count(const struct gs_object *o);
/* A new array of the keys in sorted byte order: the snapshot that for, keys(), println and JSON use. NULL when out. */
struct gs_array *gs_object_keys(struct gs_heap *h, const struct gs_object *o);
/* The same in plain memory (gs_mem_free it), gs_object_count(o) of them, to look at while o does not change: some lie in that memory
 * themselves. NULL when out. */
gs_value *gs_object_sorted_keys(const struct gs_object *o);
/* Adds room for slot `slot` and writes v there, having moved o to shape `to` (inline-cache hit of an adding store). */
gs_status gs_object_append_slot(struct gs_heap *h, struct gs_object *o, uint32_t to, gs_value v);
struct gs_class *gs_object_class(const struct gs_object *o); /* NULL for plain objects */

/* Method of a class or its ancestors; NULL when there is none. atom only. */
GS_API struct gs_func *gs_class_method(const struct gs_class *c, const struct gs_str *atom);
bool gs_class_is(const struct gs_class *c, const struct gs_class *ancestor);

#endif
