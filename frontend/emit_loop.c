/* SPDX-License-Identifier: MIT
 * emit_loop.c - loops. The condition stands at the bottom: one taken jump an iteration.
 */
#include "emit_int.h"

#include "object.h"

static void loop_begin(struct gs_emit *e, struct gs_loop *l)
{
    *l = (struct gs_loop){e->loop, gs_label(e), gs_label(e), e->fin};
    e->loop = l;
}

static void loop_end(struct gs_emit *e, const struct gs_loop *l)
{
    gs_place(e, l->on_break);
    e->loop = l->outer;
}

static bool is_endless(const struct gs_node *cond)
{
    gs_value v;
    return cond == NULL || (gs_const_fold(cond, &v) && gs_is(v, GS_T_BOOL) && v.u != 0);
}

static bool is_never(const struct gs_node *cond)
{
    gs_value v;
    return cond != NULL && gs_const_fold(cond, &v) && (gs_is(v, GS_T_BOOL) || gs_is(v, GS_T_NIL)) &&
           v.u == 0;
}

/* Jumps to the condition when there is one. */
static uint32_t enter_loop(struct gs_emit *e, const struct gs_node *cond, uint32_t *test)
{
    uint32_t body = gs_label(e);
    bool dead = e->dead;
    *test = gs_label(e);
    if (!is_endless(cond))
        gs_goto(e, *test);
    e->dead = dead; /* the test at the bottom leads here */
    gs_place_loop(e, body);
    return body;
}

static void repeat(struct gs_emit *e, const struct gs_node *cond, uint32_t body, uint32_t test)
{
    if (is_endless(cond)) {
        gs_goto(e, body);
        return;
    }
    gs_place(e, test);
    gs_cond(e, cond, true, body);
}

void gs_while(struct gs_emit *e, const struct gs_node *n)
{
    struct gs_loop l;
    uint32_t test;
    bool dead = e->dead;
    if (is_never(n->a)) { /* its functions are compiled all the same: they may be wrong */
        e->dead = true;
        loop_begin(e, &l);
        gs_block(e, n->b);
        e->loop = l.outer;
        e->dead = dead;
        return;
    }
    loop_begin(e, &l);
    uint32_t body = enter_loop(e, n->a, &test);
    gs_block(e, n->b);
    gs_place(e, l.on_continue);
    repeat(e, n->a, body, test);
    loop_end(e, &l);
}

/* A captured variable lives in a cell: the next iteration gets a new one that starts with the value
 * of this one. */
static void renew_binding(struct gs_emit *e, const struct gs_sym *v)
{
    if (v == NULL || !v->cell)
        return;
    uint32_t t = gs_alloc(e, 1);
    gs_put_abc(e, GS_OP_CELLGET, t, v->reg, gs_k(e, gs_strv(gs_ident_atom(v->ident))));
    gs_put_abc(e, GS_OP_CELLNEW, v->reg, t, 0);
    gs_free_to(e, t);
}

void gs_for(struct gs_emit *e, const struct gs_node *n)
{
    struct gs_loop l;
    uint32_t test, top = e->top, vars = e->vars;
    e->vars = top;
    if (n->init != NULL)
        gs_stmt(e, n->init);
    loop_begin(e, &l);
    uint32_t body = enter_loop(e, n->a, &test);
    gs_block(e, n->b);
    gs_place(e, l.on_continue);
    e->line = n->pos.line;
    renew_binding(e, n->info);
    if (n->step != NULL)
        gs_stmt(e, n->step);
    repeat(e, n->a, body, test);
    loop_end(e, &l);
    e->top = top;
    e->vars = vars;
}

/* --- for in ----------------------------------------------------------------------------------- */

static bool is_range_call(const struct gs_node *n)
{
    if (n->kind != GS_N_CALL || n->a->kind != GS_N_NAME || n->list.n < 1 || n->list.n > 3 ||
        n->list.v[n->list.n - 1]->kind == GS_N_SPREAD)
        return false;
    const struct gs_sym *s = n->a->info;
    return s->kind == GS_SYM_BUILTIN && gs_slice_is(s->name, "range");
}

/* next, steps left, step, variable: four registers, counted without making a range. */
static void for_range(struct gs_emit *e, const struct gs_node *n, struct gs_sym *v)
{
    const struct gs_list *args = &n->a->list;
    uint32_t base = e->top, body = gs_label(e);
    struct gs_loop l;
    if (args->n == 1)
        gs_load(e, gs_alloc(e, 1), gs_int(0));
    for (uint32_t i = 0; i < args->n; i++)
        gs_expr_to(e, args->v[i], gs_alloc(e, 1));
    if (args->n < 3)
        gs_load(e, gs_alloc(e, 1), gs_int(1));
    uint32_t var = gs_alloc(e, 1);
    e->vars = e->top;
    e->line = n->a->pos.line;
    loop_begin(e, &l);
    gs_jump(e, gs_insn_with_x(gs_insn_abx(GS_OP_FORPREP, base, 0), args->n), l.on_break);
    gs_place_loop(e, body);
    gs_declare(e, v, var);
    gs_block(e, n->b);
    gs_place(e, l.on_continue);
    e->line = n->a->pos.line;
    gs_jump(e, gs_insn_abx(GS_OP_FORLOOP, base, 0), body);
    loop_end(e, &l);
}

static void for_any(struct gs_emit *e, const struct gs_node *n, const struct gs_forin_info *info)
{
    uint32_t base = gs_alloc(e, 1), nvars = info->v2 ? 2 : 1;
    uint32_t body = gs_label(e), next = gs_label(e);
    struct gs_loop l;
    gs_expr_to(e, n->a, base);
    gs_alloc(e, 2);
    uint32_t var = gs_alloc(e, nvars);
    e->vars = e->top;
    e->line = n->a->pos.line;
    gs_put_abc(e, GS_OP_ITERNEW, base, nvars, 0);
    loop_begin(e, &l);
    bool dead = e->dead;
    gs_goto(e, next);
    e->dead = dead;
    gs_place_loop(e, body);
    gs_declare(e, info->v1, var);
    if (info->v2 != NULL)
        gs_declare(e, info->v2, var + 1);
    gs_block(e, n->b);
    gs_place(e, l.on_continue);
    gs_place(e, next);
    e->line = n->a->pos.line;
    gs_jump(e, gs_insn_with_x(gs_insn_abc(GS_OP_ITERNEXT, base, var, 0), nvars), body);
    loop_end(e, &l);
}

void gs_forin(struct gs_emit *e, const struct gs_node *n)
{
    const struct gs_forin_info *info = n->info;
    uint32_t top = e->top, vars = e->vars;
    if (info->v2 == NULL && is_range_call(n->a))
        for_range(e, n, info->v1);
    else
        for_any(e, n, info);
    e->top = top;
    e->vars = vars;
}
