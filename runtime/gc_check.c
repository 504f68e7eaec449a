/* SPDX-License-Identifier: MIT
 * gc_check.c - walks everything reachable from a value and looks whether it is well-formed. For
 * tests and debugging.
 *
 * The walk keeps a set of what it has seen and a work list; recursion never happens here either.
 */
#include <stdio.h>

#include "heap_int.h"
#include "map.h"
#include "ptrset_int.h"
#include "shape.h"

struct check {
    const struct gs_heap *h;
    struct gs_ptrset seen;
    const struct gs_obj **todo;
    size_t n, cap;
    const char *wrong;
};

static bool fail(struct check *c, const char *what, const void *p)
{
    if (!c->wrong) {
        c->wrong = what;
        fprintf(stderr, "heap check: %s at %p\n", what, p);
    }
    return false;
}

static bool in_run(const char *p, const char *cur, const char *end)
{
    return p >= cur && p < end;
}

static bool check_place(struct check *c, const struct gs_obj *o)
{
    if ((uintptr_t)o & 7)
        return fail(c, "misaligned object", o);
    if (o->flags & GS_OF_IMMORTAL)
        return true;
    if ((uintptr_t)o & 15)
        return fail(c, "misaligned object", o);
    const struct gs_heap_rest *r = gs_heap_rest_of(c->h);
    if (in_run((const char *)o, c->h->cur, c->h->end) || in_run((const char *)o, r->ocur, r->oend))
        return fail(c, "object in free memory", o);
    if (o->flags & GS_OF_LARGE) {
        uint32_t i = gs_large_of(o)->index;
        return i < r->nlarge && r->large[i] == o ? true : fail(c, "unlisted large object", o);
    }
    if (o->flags & GS_OF_CHUNK)
        return true;
    for (const struct gs_block *b = r->blocks; b; b = b->next)
        if (b == gs_block_of(o))
            return true;
    return fail(c, "object outside its heap", o);
}

static void check_ptr(struct check *c, const struct gs_obj *o, int kind)
{
    if (!o || o->kind != kind) {
        fail(c, o ? "object of another kind than its reference says" : "null reference", o);
        return;
    }
    if (gs_ptrset_has(&c->seen, o) || !check_place(c, o))
        return;
    if (c->n == c->cap) {
        size_t cap = c->cap ? c->cap * 2 : 64;
        const struct gs_obj **v =
            (const struct gs_obj **)gs_mem_realloc((void *)c->todo, cap * sizeof *v);
        if (!v) {
            fail(c, "out of memory", o);
            return;
        }
        c->todo = v;
        c->cap = cap;
    }
    if (!gs_ptrset_add(&c->seen, o))
        fail(c, "out of memory", o);
    else
        c->todo[c->n++] = o;
}

static void check_value(struct check *c, gs_value v)
{
    enum gs_kind k = gs_kind(v);
    if (k > GS_T_CELL)
        fail(c, "internal kind in a value", v.p);
    else if (k != GS_T_HANDLE && v.tag != (uint64_t)k)
        fail(c, "stray bits in a tag", v.p);
    else if (k >= GS_T_STR)
        check_ptr(c, v.o, (int)k);
}

static void check_values(struct check *c, const gs_value *v, size_t n)
{
    for (size_t i = 0; i < n && !c->wrong; i++)
        check_value(c, v[i]);
}

static void check_storage(struct check *c, const void *data, int kind, size_t bytes)
{
    check_ptr(c, gs_storage_obj(data), kind);
    if (!c->wrong && gs_storage_bytes(data) < bytes)
        fail(c, "storage too small", data);
}

static void check_array(struct check *c, const struct gs_array *a)
{
    static const uint8_t size[] = {0, 1, 1, 8, 8, 16};
    enum gs_store st = gs_array_store(a);
    if (st > GS_STORE_VALUE || a->len < 0 || a->len > a->cap) {
        fail(c, "array with a wrong length or kind", a);
        return;
    }
    size_t bytes = (size_t)a->cap * size[st];
    if (a->pay) {
        if (st == GS_STORE_VALUE || a->data != a->pay->data || a->pay->bytes < bytes ||
            !(a->h.flags & GS_OF_FINAL))
            fail(c, "array with a wrong payload", a);
        return;
    }
    if (a->h.aux16 & GS_STORE_COW)
        fail(c, "copy-on-write without a payload", a);
    if (a->data)
        check_storage(c, a->data, st == GS_STORE_VALUE ? GS_T_VALUES : GS_T_RAW, bytes);
    if (st == GS_STORE_VALUE)
        check_values(c, a->v, (size_t)a->len);
}

static void check_map(struct check *c, const struct gs_map *m)
{
    uint32_t n = 0;
    if (m->pay) {
        if (!(m->h.flags & GS_OF_FINAL) || (const void *)m->entries != (const void *)m->pay->data || !gs_map_is_flat(m))
            fail(c, "map with a wrong payload", m);
    } else {
        check_storage(c, m->entries, GS_T_RAW, (size_t)m->cap * sizeof *m->entries);
        check_storage(c, m->index, GS_T_RAW, ((size_t)m->mask + 1) * sizeof *m->index);
    }
    for (uint32_t i = 0; i < m->nused && !c->wrong; i++) {
        const struct gs_str *key = gs_map_long_key(&m->entries[i]);
        if (gs_map_is_gone(&m->entries[i]))
            continue;
        n++;
        if (key)
            check_ptr(c, &key->h, GS_T_STR);
        else if (gs_map_key_kind(&m->entries[i]) > GS_MAP_SHORT)
            fail(c, "map with a key of no kind", m);
        check_value(c, m->entries[i].v);
    }
    if (n != m->count)
        fail(c, "map with a wrong count", m);
}

static void check_object(struct check *c, const struct gs_object *o)
{
    struct gs_shape *s = gs_shape_get(o->h.aux32);
    bool dict = o->cap == GS_OBJECT_DICT;
    if (!s || dict != ((s->flags & GS_SHAPE_DICT) != 0)) {
        fail(c, "object whose shape does not fit", o);
        return;
    }
    if (dict) {
        check_ptr(c, &o->map->h, GS_T_MAP);
        return;
    }
    if (s->nkeys > o->cap)
        fail(c, "object with too few slots", o);
    if (o->slots != o->fields)
        check_storage(c, o->slots, GS_T_VALUES, o->cap * sizeof(gs_value));
    check_values(c, o->slots, o->cap);
    for (uint32_t i = s->nkeys; i < o->cap && !c->wrong; i++)
        if (o->slots[i].tag != GS_T_NIL)
            fail(c, "free slot that is not nil", o);
}

static void check_str(struct check *c, const struct gs_str *s)
{
    if (!(s->h.flags & GS_OF_EXT)) {
        if (!(s->h.flags & GS_OF_IMMORTAL) && s->data != (const char *)(s + 1))
            fail(c, "inline string that points elsewhere", s);
        return;
    }
    const struct gs_xstr *x = (const struct gs_xstr *)s;
    if (gs_xstr_is_part(x)) {
        check_ptr(c, &x->root->s.h, GS_T_STR);
        if (c->wrong)
            return;
        if (gs_xstr_is_part(x->root) || !(x->root->s.h.flags & GS_OF_FINAL))
            fail(c, "part of a string that holds no buffer", s);
    } else if (!(s->h.flags & GS_OF_FINAL)) {
        fail(c, "string whose share nobody would drop", s);
    }
    const struct gs_strbuf *b = gs_xstr_buf(x);
    if (s->data < b->data || s->data + s->len > b->data + b->cap)
        fail(c, "string outside its buffer", s);
}

static void check_children(struct check *c, const struct gs_obj *o)
{
    switch ((enum gs_kind)o->kind) {
    case GS_T_STR:
        check_str(c, (const struct gs_str *)o);
        break;
    case GS_T_ARRAY:
        check_array(c, (const struct gs_array *)o);
        break;
    case GS_T_OBJECT:
        check_object(c, (const struct gs_object *)o);
        break;
    case GS_T_FUNC:
        check_values(c, ((const struct gs_func *)o)->up, o->aux16);
        break;
    case GS_T_BOUND:
        check_value(c, ((const struct gs_bound *)o)->self);
        check_value(c, ((const struct gs_bound *)o)->fn);
        break;
    case GS_T_CELL:
        check_value(c, ((const struct gs_cell *)o)->v);
        break;
    case GS_T_MAP:
        check_map(c, (const struct gs_map *)o);
        break;
    default:
        break;
    }
}

bool gs_gc_check_value(const struct gs_heap *h, gs_value v)
{
    struct check c = {.h = h};
    check_value(&c, v);
    while (c.n && !c.wrong)
        check_children(&c, c.todo[--c.n]);
    gs_ptrset_fini(&c.seen);
    gs_mem_free((void *)c.todo);
    return !c.wrong;
}
