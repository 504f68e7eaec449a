/* SPDX-License-Identifier: MIT
 * flat.c - flat calls. Contract: flat.h.
 */
#include "flat.h"

#include "copy.h"
#include "port/mem.h"
#include "str.h"

/* Values that need neither a forwarding table nor anything else to be copied with them. */
static bool is_flat(gs_value v)
{
    return !gs_is_obj(v) || (v.tag == GS_T_STR && !(v.o->flags & GS_OF_IMMORTAL)) || gs_copy_stands_for_itself(v);
}

static bool all_flat(const gs_value *v, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (!is_flat(v[i]))
            return false;
    return true;
}

bool gs_flat_call_of(struct gs_flat_call *f, const struct gs_vm *from, gs_value fn, const gs_value *args, uint32_t n)
{
    if (fn.tag != GS_T_FUNC || !all_flat(args, n))
        return false;
    if (!(fn.o->flags & GS_OF_IMMORTAL) && !all_flat(fn.f->up, fn.f->h.aux16))
        return false;
    const struct gs_reach *r = gs_reach_of_proto(fn.f->proto);
    for (uint32_t i = 0; i < r->n; i++) {
        const gs_value *p = gs_vm_global(from, r->slots[i]);
        if (p != NULL && !is_flat(*p))
            return false;
    }
    *f = (struct gs_flat_call){.proto = fn.f->proto, .args = args, .up = fn.f->up, .nargs = n, .nup = fn.f->h.aux16, .reach = r, .from = from};
    return true;
}

/* A flat value in `to`. */
static bool flat_copy(struct gs_vm *to, gs_value v, gs_value *out)
{
    *out = v;
    if (gs_kind(v) == GS_T_HANDLE)
        return gs_handle_share_value(to, v) == GS_OK;
    if (v.tag != GS_T_STR || (v.o->flags & GS_OF_IMMORTAL))
        return true;
    struct gs_str *s = v.o->flags & GS_OF_EXT ? gs_str_share(&to->heap, v.s) : gs_str_new(&to->heap, v.s->data, v.s->len);
    *out = gs_strv(s);
    return s != NULL;
}

static bool copy_globals(struct gs_vm *to, const struct gs_flat_call *f)
{
    bool foreign;
    uint32_t n = f->reach->n;
    to->layout = f->reach->layout;
    if (n == 0)
        return true;
    gs_value *g = gs_copy_new_globals(to, n, &foreign);
    if (g == NULL)
        return false;
    for (uint32_t i = 0; i < n; i++) /* the layout's places are in the order of the slots, as the set is */
        g[i] = gs_unset();
    to->globals = g;
    if (foreign)
        to->flags |= GS_VM_FOREIGN_GLOBALS;
    for (uint32_t i = 0; i < n; i++) {
        const gs_value *p = f->globals != NULL ? &f->globals[i] : gs_vm_global(f->from, f->reach->slots[i]);
        if (p != NULL && !flat_copy(to, *p, &g[i]))
            return false;
    }
    return true;
}

static bool copy_func(struct gs_vm *to, const struct gs_flat_call *f, gs_value *out)
{
    *out = gs_objv(GS_T_FUNC, f->proto->self);
    if (f->nup == 0 && f->proto->self != NULL)
        return true;
    struct gs_func *t = gs_heap_new(&to->heap, GS_T_FUNC, sizeof *t + f->nup * sizeof(gs_value));
    if (t == NULL)
        return false;
    t->h.aux16 = (uint16_t)f->nup;
    t->proto = f->proto;
    for (uint32_t i = 0; i < f->nup; i++)
        if (!flat_copy(to, f->up[i], &t->up[i]))
            return false;
    *out = gs_objv(GS_T_FUNC, t);
    return true;
}

gs_status gs_flat_call_start(struct gs_vm *to, const struct gs_flat_call *f)
{
    uint32_t n = f->nargs;
    gs_value few[8], *out = n <= 8 ? few : gs_mem_alloc(n * sizeof *out), fn;
    bool ok = out != NULL && copy_func(to, f, &fn) && copy_globals(to, f);
    for (uint32_t i = 0; ok && i < n; i++)
        ok = flat_copy(to, f->args[i], &out[i]);
    gs_status st = ok ? gs_vm_start(to, fn, out, n) : GS_E_NOMEM;
    if (out != few)
        gs_mem_free(out);
    return st;
}

/* ---- calls kept for later ---- */

bool gs_flat_takes_object(gs_value v)
{
    return is_flat(v) && (v.tag != GS_T_STR || (v.o->flags & GS_OF_IMMORTAL) != 0); /* else it is in a heap */
}

static gs_value reached(const struct gs_vm *from, const struct gs_reach *r, uint32_t i)
{
    const gs_value *p = gs_vm_global(from, r->slots[i]);
    return p != NULL ? *p : gs_unset();
}

/* A value into a place for it, with a share. */
static bool keep(gs_value *to, gs_value v)
{
    if (!gs_flat_takes(&v, 1))
        return false;
    gs_flat_keep(to, &v, 1);
    return true;
}

bool gs_flat_fill(struct gs_flat *f, const struct gs_vm *from, gs_value fn, const struct gs_reach *r, const gs_value *args, uint32_t n)
{
    uint32_t nup = fn.f->h.aux16, nglobals = r->n;
    *f = (struct gs_flat){.proto = fn.f->proto, .reach = r, .nargs = n, .nup = nup};
    gs_value *to = f->v;
    bool ok = true;
    for (uint32_t i = 0; ok && i < nup; i++)
        ok = keep(to++, gs_value_words(&fn.f->up[i]));
    for (uint32_t i = 0; ok && i < nglobals; i++)
        ok = keep(to++, reached(from, r, i));
    for (uint32_t i = 0; ok && i < n; i++)
        ok = keep(to++, gs_value_words(&args[i]));
    if (!ok) /* the last one holds nothing */
        gs_flat_drop(f->v, (uint32_t)(to - f->v) - 1);
    return ok;
}

struct gs_flat *gs_flat_new(const struct gs_vm *from, gs_value fn, uint32_t n)
{
    if (fn.tag != GS_T_FUNC)
        return NULL;
    const struct gs_reach *r = gs_reach_of_proto(fn.f->proto);
    struct gs_flat *f = gs_mem_alloc(sizeof *f + ((size_t)fn.f->h.aux16 + r->n) * sizeof(gs_value));
    if (f == NULL || !gs_flat_fill(f, from, fn, r, NULL, 0)) {
        gs_mem_free(f);
        return NULL;
    }
    f->nargs = n;
    return f;
}

void gs_flat_free(struct gs_flat *f)
{
    if (f == NULL)
        return;
    gs_flat_drop(f->v, f->nup + f->reach->n);
    gs_mem_free(f);
}

static bool same(gs_value a, gs_value b)
{
    return a.tag == b.tag && a.u == b.u;
}

static bool all_same(const gs_value *a, const gs_value *b, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (!same(a[i], b[i]))
            return false;
    return true;
}

bool gs_flat_fits_values(const struct gs_flat *f, const struct gs_vm *from, const struct gs_func *fn)
{
    if (fn->h.aux16 != f->nup || !all_same(fn->up, f->v, f->nup))
        return false;
    for (uint32_t i = 0; i < f->reach->n; i++)
        if (!same(reached(from, f->reach, i), f->v[f->nup + i]))
            return false;
    return true;
}

gs_status gs_flat_start(struct gs_vm *to, const struct gs_flat *f, const gs_value *args)
{
    const struct gs_flat_call call = {
        .proto = f->proto, .args = args, .up = f->v, .globals = f->v + f->nup, .nargs = f->nargs, .nup = f->nup, .reach = f->reach};
    gs_status st = gs_flat_call_start(to, &call);
    if (st == GS_OK)
        gs_vm_mark(to);
    return st;
}

/* An argument of the next call; a share that vm has of its object already serves that, too. */
static bool copy_again(struct gs_vm *vm, gs_value v, gs_value *out)
{
    for (uint32_t i = 0; gs_kind(v) == GS_T_HANDLE && i < vm->ledger.n; i++)
        if (gs_ledger_at(&vm->ledger, i) == gs_handle_obj(v)) {
            *out = v;
            return true;
        }
    return flat_copy(vm, v, out);
}

bool gs_flat_restart(struct gs_vm *vm, const struct gs_flat *f, const gs_value *args)
{
    const struct gs_func *fn = vm->marked_fn;
    if (fn == NULL || fn->proto != f->proto || f->nargs != f->proto->nparams || vm->layout != f->reach->layout || !all_same(fn->up, f->v, f->nup) ||
        !all_same(vm->globals, f->v + f->nup, f->reach->n) || !gs_vm_rewind(vm))
        return false;
    for (uint32_t i = 0; i < f->nargs; i++)
        if (!copy_again(vm, gs_value_words(&args[i]), &vm->base[i]))
            return false;
    return true;
}
