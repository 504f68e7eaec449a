/* SPDX-License-Identifier: MIT
 * emit_call.c - calls: windows, methods, natives known beforehand, super.
 *
 * Window     R[A] callee and result, R[A+1] the link, R[A+2].. arguments. When the destination is
 *            the topmost register the window stands on it, so that the result needs no move.
 */
#include "emit_int.h"

#include "object.h"

static uint32_t window(struct gs_emit *e, uint32_t dst)
{
    return gs_fresh(e, dst) && dst + 1 == e->top ? dst : gs_alloc(e, 1);
}

static void close_window(struct gs_emit *e, uint32_t base, uint32_t dst, uint32_t top)
{
    gs_move(e, dst, base);
    gs_free_to(e, top);
}

static bool spreads(const struct gs_list *args)
{
    return args->n != 0 && args->v[args->n - 1]->kind == GS_N_SPREAD;
}

/* Each into the next register; of a spread argument the array. */
static void arguments(struct gs_emit *e, const struct gs_list *args)
{
    for (uint32_t i = 0; i < args->n; i++) {
        const struct gs_node *a = args->v[i];
        uint32_t r = gs_alloc(e, 1);
        gs_expr_to(e, a->kind == GS_N_SPREAD ? a->a : a, r);
    }
    if (args->n > 65000)
        gs_limit(e, "60000 registers");
}

/* A callee that is the same at every call. */
static bool static_callee(const struct gs_node *n, gs_value *v)
{
    struct gs_sym *s = NULL;
    if (n->kind == GS_N_NAME)
        s = n->info;
    else if (n->kind == GS_N_MEMBER) {
        enum gs_member m = gs_scope_member(n, v, &s);
        if (m == GS_MEMBER_VALUE)
            return true;
        if (m != GS_MEMBER_SYM)
            return false;
    }
    if (s == NULL)
        return false;
    switch (s->kind) {
    case GS_SYM_CONST:
    case GS_SYM_TOPFN:
    case GS_SYM_ALIAS:
    case GS_SYM_BUILTIN:
        *v = s->value;
        return true;
    default:
        return false;
    }
}

static bool is_builtin(const struct gs_node *n, const char *name)
{
    const struct gs_sym *s = n->info;
    return n->kind == GS_N_NAME && s->kind == GS_SYM_BUILTIN && gs_slice_is(s->name, name);
}

/* --- kinds of calls --------------------------------------------------------------------------- */

static void call_native(struct gs_emit *e, const struct gs_node *n, uint32_t k, uint32_t dst)
{
    uint32_t top = e->top, base = window(e, dst);
    gs_alloc(e, 1);
    arguments(e, &n->list);
    e->line = n->pos.line;
    gs_put_abc(e, GS_OP_CALLNAT, base, n->list.n, k);
    close_window(e, base, dst, top);
}

static void call_len(struct gs_emit *e, const struct gs_node *n, uint32_t dst)
{
    uint32_t top = e->top;
    uint32_t r = gs_expr_hint(e, n->list.v[0], dst);
    e->line = n->pos.line;
    gs_put_abc(e, GS_OP_LEN, dst, r, 0);
    gs_free_to(e, top);
}

static bool try_native(struct gs_emit *e, const struct gs_node *n, gs_value callee, uint32_t dst)
{
    uint32_t k;
    if (!gs_is(callee, GS_T_NATIVE) || spreads(&n->list))
        return false;
    const struct gs_native *f = callee.p;
    /* A wrong number of arguments throws at the call, as through any value. */
    if (n->list.n < f->min || (f->max != GS_ARGS_ANY && n->list.n > f->max))
        return false;
    if (is_builtin(n->a, "len") && n->list.n == 1) {
        call_len(e, n, dst);
        return true;
    }
    if (!gs_k_try(e, callee, &k))
        return false;
    call_native(e, n, k, dst);
    return true;
}

static void call_method(struct gs_emit *e, const struct gs_node *n, uint32_t dst)
{
    uint32_t top = e->top, base = window(e, dst);
    gs_alloc(e, 1);
    uint32_t obj = gs_alloc(e, 1);
    gs_expr_to(e, n->a->a, obj);
    arguments(e, &n->list);
    e->line = n->pos.line;
    gs_put_abc(e, spreads(&n->list) ? GS_OP_CALLMV : GS_OP_CALLM, base, n->list.n + 1,
               gs_ic(e, gs_slice_atom(n->a->name)));
    close_window(e, base, dst, top);
}

static void put_call(struct gs_emit *e, const struct gs_node *n, uint32_t base, uint32_t nargs)
{
    e->line = n->pos.line;
    if (spreads(&n->list))
        gs_put_abc(e, GS_OP_CALLV, base, nargs, 0);
    else
        gs_put_abc(e, GS_OP_CALL, base, nargs, gs_ic(e, NULL));
}

/* __call(f, a...) of the prelude */
static void call_trim(struct gs_emit *e, const struct gs_node *n, uint32_t dst)
{
    if (n->list.n == 0) {
        gs_emit_error(e, n->pos, "__call wants a function");
        return;
    }
    uint32_t top = e->top, base = window(e, dst);
    gs_expr_to(e, n->list.v[0], base);
    gs_alloc(e, 1);
    struct gs_list rest = {n->list.v + 1, n->list.n - 1};
    arguments(e, &rest);
    e->line = n->pos.line;
    gs_put_abc(e, GS_OP_CALLTRIM, base, rest.n, gs_ic(e, NULL));
    close_window(e, base, dst, top);
}

/* --- super ------------------------------------------------------------------------------------ */

struct gs_func *gs_super_method(const struct gs_emit *e, struct gs_str *name)
{
    for (const struct gs_class *c = e->f->cls->super; c != NULL; c = c->super) {
        for (uint32_t i = 0; i < c->nmethods; i++) {
            if (c->methods[i].name == name)
                return c->methods[i].fn;
        }
    }
    return NULL;
}

/* Classes never change, so the method is known; when there is none the instruction throws. */
static void load_super(struct gs_emit *e, const struct gs_node *n, uint32_t dst)
{
    struct gs_str *name = gs_slice_atom(n->name);
    const struct gs_func *f = gs_super_method(e, name);
    e->line = n->pos.line;
    if (f != NULL)
        gs_load(e, dst, gs_objv(GS_T_FUNC, f));
    else
        gs_put_abc(e, GS_OP_GETSUPER, dst, gs_k(e, gs_strv(name)), 0);
}

static void call_super(struct gs_emit *e, const struct gs_node *n, uint32_t dst)
{
    uint32_t top = e->top, base = window(e, dst);
    load_super(e, n->a, base);
    gs_alloc(e, 1);
    uint32_t self = gs_alloc(e, 1);
    gs_load_sym(e, n->a->info, self, n->a->pos);
    arguments(e, &n->list);
    put_call(e, n, base, n->list.n + 1);
    close_window(e, base, dst, top);
}

/* super.m as a value: a function that holds self and passes all its arguments on. */
void gs_super_to(struct gs_emit *e, const struct gs_node *n, uint32_t dst)
{
    uint32_t top = e->top;
    uint32_t self = gs_alloc(e, 1);
    gs_load_sym(e, n->info, self, n->pos);
    struct gs_fnscope f = {.unit = e->u, .cls = e->f->cls};
    f.proto = gs_perm_alloc(sizeof(*f.proto));
    struct gs_emit in;
    gs_emit_begin(&in, e, e->u, &f);
    in.line = n->pos.line;
    uint32_t rest = gs_alloc(&in, 1), base = gs_alloc(&in, 4);
    in.vars = 1;
    load_super(&in, n, base);
    gs_put_abc(&in, GS_OP_GETUP, base + 2, 0, 0);
    gs_put_abc(&in, GS_OP_MOVE, base + 3, rest, 0);
    gs_put_abc(&in, GS_OP_CALLV, base, 2, 0);
    gs_put_abc(&in, GS_OP_RET, base, 0, 0);
    struct gs_capture cap = {.index = (uint16_t)self};
    gs_emit_end(&in, gs_slice_atom(n->name), 1, 0, GS_PF_REST, &cap, 1);
    f.proto->line = n->pos.line;
    GS_VEC_PUSH(&e->protos, f.proto);
    GS_VEC_PUSH(&e->c->protos, f.proto);
    gs_put_abx(e, GS_OP_CLOSURE, dst, (int32_t)(e->protos.n - 1));
    gs_free_to(e, top);
}

/* --- all of them ------------------------------------------------------------------------------ */

/* A native whose result the statement does not take: its twin for that. */
static gs_value without_result(const struct gs_emit *e, const struct gs_node *n, gs_value callee)
{
    if (e->no_result != n || !gs_is(callee, GS_T_NATIVE))
        return callee;
    const struct gs_native *f = callee.p;
    return f->no_result != NULL ? gs_objv(GS_T_NATIVE, f->no_result) : callee;
}

void gs_call_to(struct gs_emit *e, const struct gs_node *n, uint32_t dst)
{
    const struct gs_node *f = n->a;
    gs_value v;
    struct gs_sym *s;
    bool known = false;
    if (f->kind == GS_N_SUPER) {
        call_super(e, n, dst);
        return;
    }
    if (static_callee(f, &v)) {
        known = true;
        v = without_result(e, n, v);
        if (is_builtin(f, "__call")) {
            call_trim(e, n, dst);
            return;
        }
        if (try_native(e, n, v, dst))
            return;
    } else if (f->kind == GS_N_MEMBER && f->a->kind != GS_N_SUPER &&
               gs_scope_member(f, &v, &s) == GS_MEMBER_NONE) {
        call_method(e, n, dst);
        return;
    }
    uint32_t top = e->top, base = window(e, dst);
    if (known && gs_is(v, GS_T_NATIVE))
        gs_load(e, base, v);
    else
        gs_expr_to(e, f, base);
    gs_alloc(e, 1);
    arguments(e, &n->list);
    put_call(e, n, base, n->list.n);
    close_window(e, base, dst, top);
}

/* A function of no arguments that makes the call f(args..., ...array) of what it captures: a
 * deferred call has a fixed number of arguments. */
static void defer_spread(struct gs_emit *e, const struct gs_node *n, uint32_t base, uint32_t nargs)
{
    struct gs_fnscope f = {.unit = e->u, .cls = e->f->cls};
    f.proto = gs_perm_alloc(sizeof(*f.proto));
    struct gs_emit in;
    gs_emit_begin(&in, e, e->u, &f);
    in.line = n->pos.line;
    uint32_t w = gs_alloc(&in, nargs + 2);
    struct gs_capture *caps = gs_mem_must_zalloc((nargs + 1u) * sizeof(*caps));
    for (uint32_t i = 0; i <= nargs; i++) {
        caps[i].index = (uint16_t)(base + i);
        gs_put_abc(&in, GS_OP_GETUP, i == 0 ? w : w + 1 + i, i, 0);
    }
    gs_put_abc(&in, GS_OP_CALLV, w, nargs, 0);
    gs_put_abc(&in, GS_OP_RET, w, 0, 0);
    gs_emit_end(&in, gs_slice_atom(gs_slice_z("defer")), 0, 0, 0, caps, nargs + 1);
    gs_mem_free(caps);
    f.proto->line = n->pos.line;
    GS_VEC_PUSH(&e->protos, f.proto);
    GS_VEC_PUSH(&e->c->protos, f.proto);
    gs_put_abx(e, GS_OP_CLOSURE, base, (int32_t)(e->protos.n - 1));
}

uint32_t gs_defer_window(struct gs_emit *e, const struct gs_node *n, uint32_t base)
{
    const struct gs_node *f = n->a;
    uint32_t nargs = n->list.n;
    if (f->kind == GS_N_SUPER) {
        load_super(e, f, base);
        gs_load_sym(e, f->info, gs_alloc(e, 1), f->pos);
        nargs++;
    } else {
        gs_expr_to(e, f, base); /* o.m gives a bound method */
    }
    arguments(e, &n->list);
    if (!spreads(&n->list))
        return nargs;
    uint32_t array = e->top - 1,
             copy = gs_alloc(e, 1); /* later changes of the array do not count */
    e->line = n->pos.line;
    gs_put_abc(e, GS_OP_NEWARRAY, copy, 0, 0);
    gs_put_abc(e, GS_OP_ARRSPREAD, copy, array, 0);
    gs_move(e, array, copy);
    defer_spread(e, n, base, nargs);
    return 0;
}
