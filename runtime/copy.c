/* SPDX-License-Identifier: MIT
 * copy.c - the one copier. Contract: copy.h.
 *
 * Algorithm  conv() turns a value of the source into one of the target: immediates and immortal objects stand for themselves; strings and packed arrays are copied or
 *            shared at once; everything else gets an empty twin, remembered in the forwarding table, and goes on a work list; drain() then fills the twins in.
 *            No recursion, so depth costs memory, never C stack.
 * Globals    Slots met through functions, classes and modules are converted like any other value and collected in c->g; which they are says reach.h.
 * Flat       What leads to nothing but immediates, strings, handles and immortal objects needs none of this: flat.h.
 * Failure    Out of memory sets c->nomem; conv then gives nil and everything made so far is dropped with the target.
 */
#include "copy.h"

#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "flat.h"
#include "lib.h"
#include "map.h"
#include "payload.h"
#include "port/mem.h"
#include "reach.h"
#include "rt.h"
#include "shape.h"
#include "str.h"

struct gs_fragment {
    _Atomic uint32_t refs; /* [F1] parcels: drop is acq_rel, the last one frees */
    struct gs_heap heap;
    gs_value root;
    struct gs_hobj **shares;
    uint32_t nshares, capshares;
    struct gs_fglobal {
        uint32_t slot;
        gs_value v;
    } *g;
    uint32_t ng;
};

/* ---- the copier ---- */

struct fwd {
    uintptr_t from;
    void *to;
};

#define FWD_FIRST 8u /* cleared for each copy, and most copies are small */
#define WORK_FIRST 32u

struct copier {
    struct gs_vm *from_vm;               /* source of globals: a VM ... */
    const struct gs_fragment *from_frag; /* ... or a fragment */
    struct gs_heap *to;
    struct gs_vm *to_vm;       /* takes shares of handles: a VM's ledger ... */
    struct gs_fragment *to_frag; /* ... or a fragment */
    bool local;                /* within one VM: functions stay themselves */
    bool nomem;
    struct fwd *fwd; /* open addressing */
    uint32_t fwd_mask, nfwd;
    struct work {
        const void *from;
        void *to;
    } *work;
    uint32_t nwork, capwork;
    struct gs_fglobal *g;
    uint32_t ng, capg;
    const struct gs_reach *only; /* the one reach met so far ... */
    bool several;                /* ... or more than one */
    struct fwd fwd_first[FWD_FIRST];
    struct work work_first[WORK_FIRST];
};

static void copier_init(struct copier *c)
{
    /* Field by field: one memset over them all becomes a `rep stos`, which costs 30 ns before it begins. */
    c->from_vm = c->to_vm = NULL;
    c->from_frag = NULL;
    c->to = NULL;
    c->to_frag = NULL;
    c->local = c->nomem = c->several = false;
    c->nfwd = c->nwork = c->ng = c->capg = 0;
    c->g = NULL;
    c->only = NULL;
    for (uint32_t i = 0; i < FWD_FIRST; i++)
        c->fwd_first[i] = (struct fwd){0};
    c->fwd = c->fwd_first;
    c->fwd_mask = FWD_FIRST - 1;
    c->work = c->work_first;
    c->capwork = WORK_FIRST;
}

static void copier_fini(struct copier *c)
{
    if (c->fwd != c->fwd_first)
        gs_mem_free(c->fwd);
    if (c->work != c->work_first)
        gs_mem_free(c->work);
    gs_mem_free(c->g);
}

static struct fwd *fwd_slot(struct copier *c, uintptr_t key)
{
    uint32_t h = (uint32_t)((key * 0x9E3779B97F4A7C15u) >> 32) & c->fwd_mask;
    while (c->fwd[h].from != 0 && c->fwd[h].from != key)
        h = (h + 1) & c->fwd_mask;
    return &c->fwd[h];
}

static void fwd_put(struct copier *c, uintptr_t key, void *to)
{
    if (c->nfwd * 4 >= (c->fwd_mask + 1) * 3) {
        struct fwd *old = c->fwd;
        uint32_t n = c->fwd_mask + 1;
        struct fwd *grown = gs_mem_zalloc((size_t)n * 4 * sizeof *grown);
        if (grown == NULL) {
            c->nomem = true;
            return;
        }
        c->fwd = grown;
        c->fwd_mask = n * 4 - 1;
        for (uint32_t i = 0; i < n; i++)
            if (old[i].from != 0)
                *fwd_slot(c, old[i].from) = old[i];
        if (old != c->fwd_first)
            gs_mem_free(old);
    }
    struct fwd *f = fwd_slot(c, key);
    f->from = key;
    f->to = to;
    c->nfwd++;
}

static void push_work(struct copier *c, const void *from, void *to)
{
    if (c->nwork == c->capwork) {
        struct work *w = gs_mem_realloc(c->work == c->work_first ? NULL : c->work, (size_t)c->capwork * 2 * sizeof *w);
        if (w == NULL) {
            c->nomem = true;
            return;
        }
        if (c->work == c->work_first)
            memcpy(w, c->work_first, sizeof c->work_first);
        c->work = w;
        c->capwork *= 2;
    }
    c->work[c->nwork++] = (struct work){from, to};
}

static gs_value conv(struct copier *c, gs_value v);

/* The target takes a share of what a handle stands for. */
static gs_value conv_handle(struct copier *c, gs_value v)
{
    struct gs_hobj *o = gs_handle_obj(v);
    if (c->local)
        return v;
    if (c->to_vm != NULL) {
        gs_value out = gs_nil();
        if (gs_handle_share(c->to_vm, o, &out) != GS_OK)
            c->nomem = true;
        return out;
    }
    struct gs_fragment *f = c->to_frag;
    if (f->nshares == f->capshares) {
        uint32_t cap = f->capshares != 0 ? f->capshares * 2 : 4;
        struct gs_hobj **s = gs_mem_realloc(f->shares, cap * sizeof *s);
        if (s == NULL) {
            c->nomem = true;
            return gs_nil();
        }
        f->shares = s;
        f->capshares = cap;
    }
    gs_hobj_retain(o);
    f->shares[f->nshares++] = o;
    return v;
}

/* The source's value of a global slot; UNSET when it has none. */
static gs_value source_global(struct copier *c, uint32_t slot)
{
    if (c->from_vm != NULL) {
        gs_value *p = gs_vm_global(c->from_vm, slot);
        return p != NULL ? *p : gs_unset();
    }
    for (uint32_t lo = 0, hi = c->from_frag->ng; lo < hi;) { /* sorted by slot */
        uint32_t mid = (lo + hi) / 2;
        if (c->from_frag->g[mid].slot == slot)
            return c->from_frag->g[mid].v;
        if (c->from_frag->g[mid].slot < slot)
            lo = mid + 1;
        else
            hi = mid;
    }
    return gs_unset();
}

/* A place that was empty when the VM was made is as good as none: only main runs the code that fills it. */
static bool has_global(const struct gs_vm *vm, uint32_t slot)
{
    const gs_value *p = gs_vm_global(vm, slot);
    return p != NULL && (vm->layout == NULL || !gs_is(*p, GS_T_UNSET));
}

static void add_global(struct copier *c, uint32_t slot)
{
    uintptr_t key = ((uintptr_t)slot << 1) | 1; /* odd: no object's address */
    if (fwd_slot(c, key)->from != 0)
        return;
    if (c->to_vm != NULL && c->from_frag != NULL && has_global(c->to_vm, slot))
        return; /* a message: the receiver's own value counts */
    fwd_put(c, key, NULL);
    if (c->ng == c->capg) {
        uint32_t cap = c->capg != 0 ? c->capg * 2 : 8;
        struct gs_fglobal *g = gs_mem_realloc(c->g, cap * sizeof *g);
        if (g == NULL) {
            c->nomem = true;
            return;
        }
        c->g = g;
        c->capg = cap;
    }
    uint32_t at = c->ng++;
    c->g[at].slot = slot;
    c->g[at].v = gs_unset(); /* conv may add more and move c->g */
    gs_value v = conv(c, source_global(c, slot));
    c->g[at].v = v;
}

static void follow(struct copier *c, const struct gs_reach *r)
{
    if (r->n == 0 || c->local)
        return;
    if (fwd_slot(c, (uintptr_t)r)->from != 0)
        return;
    fwd_put(c, (uintptr_t)r, NULL);
    if (c->only != NULL)
        c->several = true;
    c->only = r;
    push_work(c, r, NULL); /* its globals are added by drain: conv must not nest through chains of functions */
}

static void follow_immortal(struct copier *c, gs_value v)
{
    switch (gs_kind(v)) {
    case GS_T_FUNC:
        follow(c, gs_reach_of_proto(v.f->proto));
        break;
    case GS_T_CLASS:
        follow(c, gs_reach_of_class((struct gs_class *)v.p));
        break;
    case GS_T_MODULE:
        if (((struct gs_module *)v.p)->mod != NULL)
            follow(c, gs_reach_of_module(((struct gs_module *)v.p)->mod));
        break;
    default:
        break;
    }
}

static gs_value out_of(struct copier *c, enum gs_kind k, void *o)
{
    if (o == NULL) {
        c->nomem = true;
        return gs_nil();
    }
    return gs_objv(k, o);
}

static gs_value conv_str(struct copier *c, struct gs_str *s)
{
    struct gs_str *t;
    if (s->h.flags & GS_OF_EXT) {
        t = gs_str_share(c->to, s);
    } else {
        t = gs_str_new(c->to, s->data, s->len);
    }
    return out_of(c, GS_T_STR, t);
}

static void *twin_array(struct copier *c, struct gs_array *a)
{
    if (gs_array_store(a) != GS_STORE_VALUE)
        return gs_array_share(c->to, a);
    struct gs_array *t = gs_array_make(c->to, GS_STORE_VALUE, a->len);
    if (t != NULL)
        push_work(c, a, t);
    return t;
}

static void *twin_object(struct copier *c, struct gs_object *o)
{
    struct gs_shape *s = gs_shape_get(o->h.aux32);
    if (s->cls != NULL)
        follow(c, gs_reach_of_class(s->cls));
    struct gs_object *t = gs_object_share(c->from_vm != NULL ? &c->from_vm->heap : NULL, o, c->to);
    if (t != NULL) /* there is nothing to fill */
        return t;
    t = gs_object_new(c->to, s->id, s->flags & GS_SHAPE_DICT ? 0 : s->nkeys);
    if (t != NULL)
        push_work(c, o, t);
    return t;
}

static void *twin_func(struct copier *c, struct gs_func *f)
{
    uint32_t n = f->h.aux16;
    struct gs_func *t = gs_heap_new(c->to, GS_T_FUNC, sizeof *t + n * sizeof(gs_value));
    if (t == NULL)
        return NULL;
    t->h.aux16 = (uint16_t)n;
    t->proto = f->proto;
    memset(t->up, 0, n * sizeof(gs_value));
    follow(c, gs_reach_of_proto(f->proto));
    push_work(c, f, t);
    return t;
}

static void *twin_small(struct copier *c, const struct gs_obj *o, size_t n)
{
    struct gs_obj *t = gs_heap_new(c->to, (enum gs_kind)o->kind, n);
    if (t == NULL)
        return NULL;
    memset(t + 1, 0, n - sizeof *t);
    push_work(c, o, t);
    return t;
}

static gs_value conv_obj(struct copier *c, gs_value v)
{
    enum gs_kind k = gs_kind(v);
    struct fwd *f = fwd_slot(c, (uintptr_t)v.p);
    if (f->from != 0)
        return gs_objv(k, f->to);
    void *t = NULL;
    switch (k) {
    case GS_T_ARRAY:
        t = twin_array(c, v.a);
        break;
    case GS_T_OBJECT:
        t = twin_object(c, v.m);
        break;
    case GS_T_FUNC:
        if (c->local)
            return v;
        t = twin_func(c, v.f);
        break;
    case GS_T_CELL:
        t = twin_small(c, v.o, sizeof(struct gs_cell));
        break;
    case GS_T_BOUND:
        if (c->local)
            return v;
        t = twin_small(c, v.o, sizeof(struct gs_bound));
        break;
    case GS_T_RANGE: {
        struct gs_range *r = gs_heap_new(c->to, GS_T_RANGE, sizeof *r);
        if (r != NULL) {
            const struct gs_range *s = v.p;
            r->start = s->start;
            r->stop = s->stop;
            r->step = s->step;
        }
        t = r;
        break;
    }
    default:
        GS_UNREACHABLE();
    }
    if (t == NULL)
        c->nomem = true;
    else
        fwd_put(c, (uintptr_t)v.p, t);
    return c->nomem ? gs_nil() : gs_objv(k, t);
}

static gs_value conv(struct copier *c, gs_value v)
{
    if (c->nomem)
        return gs_nil();
    if (!gs_is_obj(v))
        return gs_kind(v) == GS_T_HANDLE ? conv_handle(c, v) : v;
    if (v.o->flags & GS_OF_IMMORTAL) {
        if (!c->local)
            follow_immortal(c, v);
        return v;
    }
    if (v.tag == GS_T_STR)
        return c->local ? v : conv_str(c, v.s);
    return conv_obj(c, v);
}

static void fill_object(struct copier *c, const struct gs_object *from, struct gs_object *to)
{
    struct gs_shape *s = gs_shape_get(from->h.aux32);
    if (!(s->flags & GS_SHAPE_DICT)) {
        for (uint32_t i = 0; i < s->nkeys; i++) {
            gs_value v = conv(c, from->slots[i]);
            to->slots[i] = v;
        }
        return;
    }
    const struct gs_map *m = from->map;
    for (uint32_t i = 0; i < m->nused && !c->nomem; i++) {
        const struct gs_map_entry *e = &m->entries[i];
        if (gs_map_is_gone(e))
            continue;
        struct gs_str bytes, *key = gs_map_long_key(e);
        if (key != NULL)
            key = conv(c, gs_strv(key)).s;
        else
            gs_map_short_key(e, key = &bytes);
        gs_value v = conv(c, e->v);
        if (!c->nomem && gs_map_put(c->to, to->map, key, v) != GS_OK)
            c->nomem = true;
    }
}

static void fill(struct copier *c, const void *from, void *to)
{
    const struct gs_obj *o = from;
    switch (o->kind) {
    case GS_T_ARRAY: {
        const struct gs_array *a = from;
        struct gs_array *t = to;
        for (int64_t i = 0; i < a->len && !c->nomem; i++)
            t->v[i] = conv(c, a->v[i]);
        break;
    }
    case GS_T_OBJECT:
        fill_object(c, from, to);
        break;
    case GS_T_FUNC: {
        const struct gs_func *f = from;
        struct gs_func *t = to;
        for (uint32_t i = 0; i < f->h.aux16; i++)
            t->up[i] = conv(c, f->up[i]);
        break;
    }
    case GS_T_CELL:
        ((struct gs_cell *)to)->v = conv(c, ((const struct gs_cell *)from)->v);
        break;
    case GS_T_BOUND:
        ((struct gs_bound *)to)->self = conv(c, ((const struct gs_bound *)from)->self);
        ((struct gs_bound *)to)->fn = conv(c, ((const struct gs_bound *)from)->fn);
        break;
    default:
        GS_UNREACHABLE();
    }
}

static void drain(struct copier *c)
{
    while (c->nwork > 0 && !c->nomem) {
        struct work w = c->work[--c->nwork];
        if (w.to != NULL) {
            fill(c, w.from, w.to);
            continue;
        }
        const struct gs_reach *r = w.from;
        for (uint32_t i = 0; i < r->n && !c->nomem; i++)
            add_global(c, r->slots[i]);
    }
}

/* ---- globals of the target VM ---- */

static int fglobal_cmp(const void *a, const void *b)
{
    uint32_t x = ((const struct gs_fglobal *)a)->slot, y = ((const struct gs_fglobal *)b)->slot;
    return x < y ? -1 : x > y;
}

gs_value *gs_copy_new_globals(struct gs_vm *vm, uint32_t n, bool *foreign)
{
    struct gs_heap *h = &vm->heap;
    size_t bytes = n * sizeof(gs_value);
    *foreign = h->newflags != GS_OF_CHUNK || (size_t)(h->end - h->cur) < bytes;
    return *foreign ? gs_mem_alloc(bytes) : gs_heap_alloc(h, bytes);
}

/* Gives vm places for the collected globals besides those it has. */
static void install_globals(struct copier *c, struct gs_vm *vm)
{
    const struct gs_glayout *old = vm->layout, *l;
    if (c->ng == 0)
        return;
    if (old->n == 0 && !c->several && c->only->n == c->ng) {
        l = c->only->layout;
    } else {
        uint32_t n = old->n + c->ng, *slots = gs_mem_alloc(n * sizeof *slots);
        if (slots == NULL) {
            c->nomem = true;
            return;
        }
        for (uint32_t i = 0; i < n; i++)
            slots[i] = i < old->n ? old->slots[i] : c->g[i - old->n].slot;
        l = gs_glayout_of(slots, n);
        gs_mem_free(slots);
    }
    bool foreign;
    gs_value *g = gs_copy_new_globals(vm, l->n, &foreign), *had = vm->globals;
    if (g == NULL) {
        c->nomem = true;
        return;
    }
    vm->layout = l;
    vm->globals = g;
    for (uint32_t i = 0; i < l->n; i++)
        g[i] = gs_unset();
    for (uint32_t i = 0; i < old->n; i++)
        *gs_vm_global(vm, old->slots[i]) = had[i];
    for (uint32_t i = 0; i < c->ng; i++)
        *gs_vm_global(vm, c->g[i].slot) = c->g[i].v;
    if (vm->flags & GS_VM_FOREIGN_GLOBALS)
        gs_mem_free(had);
    vm->flags = (uint8_t)((vm->flags & ~GS_VM_FOREIGN_GLOBALS) | (foreign ? GS_VM_FOREIGN_GLOBALS : 0));
}

static const struct gs_glayout *empty_layout(void)
{
    static _Atomic(const struct gs_glayout *) empty;
    const struct gs_glayout *l = gs_load_acq(&empty); /* [R2] */
    if (l == NULL) {
        l = gs_glayout_of(NULL, 0);
        gs_store_rel(&empty, l); /* [R2] */
    }
    return l;
}

/* ---- spawn ---- */

static gs_status general_start(struct gs_vm *from, struct gs_vm *to, gs_value fn, const gs_value *args, uint32_t n)
{
    struct copier c;
    copier_init(&c);
    c.from_vm = from;
    c.to = &to->heap;
    c.to_vm = to;
    to->layout = empty_layout();
    gs_value few[8], *out = n <= 8 ? few : gs_mem_alloc(n * sizeof *out);
    gs_status st = GS_E_NOMEM;
    if (out != NULL) {
        gs_value f = conv(&c, fn);
        for (uint32_t i = 0; i < n; i++)
            out[i] = conv(&c, args[i]);
        drain(&c);
        if (!c.nomem)
            install_globals(&c, to);
        if (!c.nomem)
            st = gs_vm_start(to, f, out, n);
    }
    if (out != few)
        gs_mem_free(out);
    copier_fini(&c);
    return st;
}

gs_status gs_copy_start(struct gs_vm *from, struct gs_vm *to, gs_value fn, const gs_value *args, uint32_t n)
{
    struct gs_flat_call f;
    return gs_flat_call_of(&f, from, fn, args, n) ? gs_flat_call_start(to, &f) : general_start(from, to, fn, args, n);
}

/* ---- parcels ---- */

static void fragment_free(struct gs_fragment *f)
{
    gs_heap_fini(&f->heap);
    for (uint32_t i = 0; i < f->nshares; i++)
        gs_hobj_release(f->shares[i]);
    gs_mem_free(f->shares);
    gs_mem_free(f->g);
    gs_mem_free(f);
}

static struct gs_fragment *fragment_new(void)
{
    struct gs_fragment *f = gs_mem_zalloc(sizeof *f);
    if (f == NULL)
        return NULL;
    gs_store_rlx(&f->refs, 1u);
    gs_heap_init(&f->heap, NULL, 0);
    return f;
}

bool gs_copy_stands_for_itself(gs_value v)
{
    if (!gs_is_obj(v))
        return true;
    if (!(v.o->flags & GS_OF_IMMORTAL))
        return false;
    switch (gs_kind(v)) {
    case GS_T_FUNC:
        return gs_reach_of_proto(v.f->proto)->n == 0;
    case GS_T_CLASS:
        return gs_reach_of_class((struct gs_class *)v.p)->n == 0;
    case GS_T_MODULE:
        return ((struct gs_module *)v.p)->mod == NULL;
    default:
        return true;
    }
}

static gs_status pack(struct gs_vm *vm, const gs_value *v, uint32_t n, bool many, struct gs_parcel *out)
{
    *out = (struct gs_parcel){0};
    struct gs_fragment *f = fragment_new();
    if (f == NULL)
        return GS_E_NOMEM;
    struct copier c;
    copier_init(&c);
    c.from_vm = vm;
    c.to = &f->heap;
    c.to_frag = f;
    if (many) {
        struct gs_array *a = gs_array_make(&f->heap, GS_STORE_VALUE, n);
        if (a == NULL)
            c.nomem = true;
        for (uint32_t i = 0; i < n && !c.nomem; i++)
            a->v[i] = conv(&c, v[i]);
        f->root = gs_objv(GS_T_ARRAY, a);
    } else {
        f->root = conv(&c, v[0]);
    }
    drain(&c);
    bool failed = c.nomem;
    if (c.ng > 0) {
        qsort(c.g, c.ng, sizeof *c.g, fglobal_cmp);
        f->g = c.g;
        f->ng = c.ng;
        c.g = NULL;
    }
    copier_fini(&c);
    if (failed) {
        fragment_free(f);
        return GS_E_NOMEM;
    }
    out->v = (gs_value){.p = f, .tag = GS_T_FRAGMENT};
    return GS_OK;
}

gs_status gs_parcel_pack_object(struct gs_vm *vm, gs_value v, struct gs_parcel *out)
{
    if (gs_copy_stands_for_itself(v)) {
        if (gs_kind(v) == GS_T_HANDLE)
            gs_hobj_retain(gs_handle_obj(v));
        *out = (struct gs_parcel){.v = v};
        return GS_OK;
    }
    return pack(vm, &v, 1, false, out);
}

gs_status gs_parcel_pack_n(struct gs_vm *vm, const gs_value *v, uint32_t n, struct gs_parcel *out)
{
    return pack(vm, v, n, true, out);
}

gs_status gs_parcel_open(struct gs_vm *vm, const struct gs_parcel *p, gs_value *out)
{
    struct gs_fragment *f = gs_parcel_fragment(p);
    if (f == NULL) {
        if (gs_kind(p->v) == GS_T_HANDLE)
            return gs_handle_share(vm, gs_handle_obj(p->v), out);
        *out = p->v;
        return GS_OK;
    }
    struct copier c;
    copier_init(&c);
    c.from_frag = f;
    c.to = &vm->heap;
    c.to_vm = vm;
    if (vm->layout == NULL && !(vm->flags & GS_VM_MAIN))
        vm->layout = empty_layout(); /* a fresh VM of a pool */
    gs_value v = conv(&c, f->root);
    drain(&c);
    if (!c.nomem)
        install_globals(&c, vm);
    copier_fini(&c);
    if (c.nomem)
        return GS_E_NOMEM;
    *out = v;
    return GS_OK;
}

#define ADOPT_MIN (4 * GS_BLOCK_SIZE) /* bytes from which a fragment is adopted instead of copied */

/* The fragment is ours alone and large: its heap becomes part of the VM's. */
static bool adopt(struct gs_vm *vm, struct gs_fragment *f)
{
    if (gs_load_acq(&f->refs) != 1 || f->heap.used < ADOPT_MIN || f->ng != 0) /* [F1] */
        return false;
    for (uint32_t i = 0; i < f->nshares; i++) {
        gs_value v;
        if (gs_handle_share(vm, f->shares[i], &v) != GS_OK)
            return false; /* the ledger holds some shares too many until the next collection */
    }
    return gs_heap_adopt(&vm->heap, &f->heap);
}

gs_status gs_parcel_take_object(struct gs_vm *vm, struct gs_parcel *p, gs_value *out)
{
    struct gs_fragment *f = gs_parcel_fragment(p);
    if (f == NULL) {
        gs_value v = p->v;
        if (gs_kind(v) == GS_T_HANDLE) {
            gs_hobj_retain(gs_handle_obj(v)); /* so that the parcel stays when the ledger cannot grow */
            if (gs_handle_adopt(vm, gs_handle_obj(v), out) != GS_OK)
                return GS_E_NOMEM;
            gs_parcel_drop(p);
            return GS_OK;
        }
        *out = v;
        p->v = gs_nil();
        return GS_OK;
    }
    if (adopt(vm, f)) {
        *out = f->root;
        gs_parcel_drop(p);
        return GS_OK;
    }
    gs_status st = gs_parcel_open(vm, p, out);
    if (st == GS_OK)
        gs_parcel_drop(p);
    return st;
}

void gs_parcel_drop_object(struct gs_parcel *p)
{
    struct gs_fragment *f = gs_parcel_fragment(p);
    if (gs_kind(p->v) == GS_T_HANDLE)
        gs_hobj_release(gs_handle_obj(p->v));
    else if (f != NULL && gs_sub_acq_rel(&f->refs, 1u) == 1) /* [F1] */
        fragment_free(f);
    *p = (struct gs_parcel){0};
}

size_t gs_parcel_size(const struct gs_parcel *p)
{
    const struct gs_fragment *f = gs_parcel_fragment(p);
    return f != NULL ? f->heap.used : 0;
}

void gs_parcel_dup(const struct gs_parcel *p, struct gs_parcel *out)
{
    struct gs_fragment *f = gs_parcel_fragment(p);
    if (f != NULL)
        (void)gs_add_rlx(&f->refs, 1u);
    else if (gs_kind(p->v) == GS_T_HANDLE)
        gs_hobj_retain(gs_handle_obj(p->v));
    *out = *p;
}

gs_status gs_copy_local(struct gs_vm *vm, gs_value v, gs_value *out)
{
    struct copier c;
    copier_init(&c);
    c.from_vm = vm;
    c.to = &vm->heap;
    c.to_vm = vm;
    c.local = true;
    gs_value r = conv(&c, v);
    drain(&c);
    copier_fini(&c);
    if (c.nomem)
        return GS_E_NOMEM;
    *out = r;
    return GS_OK;
}
