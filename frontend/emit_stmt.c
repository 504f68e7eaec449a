/* SPDX-License-Identifier: MIT
 * emit_stmt.c - statements that neither loop nor leave: let, assignment, if, blocks.
 */
#include "emit_int.h"

#include "object.h"

/* --- variables -------------------------------------------------------------------------------- */

static void new_cell(struct gs_emit *e, uint32_t reg)
{
    gs_put_abc(e, GS_OP_CELLNEW, reg, reg, 0);
}

/* A cell without a value, for what may be captured before its let. */
static void early_cell(struct gs_emit *e, struct gs_sym *s)
{
    s->reg = gs_alloc(e, 1);
    gs_put_abc(e, GS_OP_LOADUNSET, s->reg, 0, 0);
    new_cell(e, s->reg);
}

void gs_declare(struct gs_emit *e, struct gs_sym *s, uint32_t reg)
{
    s->reg = reg;
    if (s->cell)
        new_cell(e, reg);
    e->vars = e->top;
}

/* let x: json = {...} holds the text. */
static bool is_json_text(const struct gs_node *n)
{
    return n->type != NULL && n->type->arrays == 0 && n->type->module.n == 0 &&
           gs_slice_is(n->type->name, "json") && n->a != NULL &&
           (n->a->kind == GS_N_OBJECT || n->a->kind == GS_N_ARRAY);
}

static void json_text_to(struct gs_emit *e, const struct gs_node *n, uint32_t dst)
{
    gs_value m, f;
    uint32_t top = e->top;
    uint32_t base = gs_alloc(e, 1);
    if (!gs_hook_lib_module("json", 4, &m) || !gs_hook_lib_member(m, "stringify", 9, &f)) {
        gs_emit_error(e, n->pos, "this build has no json module");
        return;
    }
    gs_load(e, base, f);
    gs_alloc(e, 1);
    uint32_t arg = gs_alloc(e, 1);
    gs_expr_to(e, n->a, arg);
    e->line = n->pos.line;
    gs_put_abc(e, GS_OP_CALL, base, 1, gs_ic(e, NULL));
    gs_move(e, dst, base);
    gs_free_to(e, top);
}

static void init_to(struct gs_emit *e, const struct gs_node *n, uint32_t dst)
{
    e->line = n->pos.line;
    if (n->a == NULL)
        gs_load(e, dst, gs_nil());
    else if (is_json_text(n))
        json_text_to(e, n, dst);
    else
        gs_expr_to(e, n->a, dst);
}

static void let(struct gs_emit *e, const struct gs_node *n)
{
    struct gs_sym *s = n->info;
    uint32_t top = e->top;
    if (s->kind == GS_SYM_CONST) {
        if (s->body != NULL)
            gs_emit_fn(e, s->body);
        return;
    }
    if (s->kind == GS_SYM_GLOBAL) {
        uint32_t r = gs_alloc(e, 1);
        init_to(e, n, r);
        e->line = n->pos.line;
        gs_put_abx(e, GS_OP_SETGLOBAL, r, (int32_t)s->slot);
        gs_name_global(e, s->slot);
        gs_free_to(e, top);
        return;
    }
    if (!s->early) {
        uint32_t r = gs_alloc(e, 1);
        init_to(e, n, r);
        gs_declare(e, s, r);
        return;
    }
    if (s->first_cap >= s->let_seq) { /* only its own literal captures it early */
        early_cell(e, s);
        e->vars = top = e->top;
    }
    uint32_t r;
    if (n->a == NULL || !gs_in_place(e, n->a, &r)) {
        r = gs_alloc(e, 1);
        init_to(e, n, r);
    }
    gs_put_abc(e, GS_OP_CELLSET, s->reg, r, 0);
    gs_free_to(e, top);
}

/* --- assignment ------------------------------------------------------------------------------- */

static void assign_local(struct gs_emit *e, const struct gs_node *n, enum gs_operator op,
                         struct gs_sym *s)
{
    if (op == GS_O_NONE)
        gs_expr_to(e, n->b, s->reg);
    else
        gs_binary(e, op, s->reg, s->reg, n->b, n->pos);
}

static void store_sym(struct gs_emit *e, const struct gs_sym *s, uint32_t r)
{
    if (s->kind == GS_SYM_GLOBAL) {
        gs_put_abx(e, GS_OP_SETGLOBAL, r, (int32_t)s->slot);
        gs_name_global(e, s->slot);
    } else if (s->fn == e->f) {
        gs_put_abc(e, GS_OP_CELLSET, s->reg, r, 0);
    } else {
        gs_put_abc(e, GS_OP_UPSET, (uint32_t)gs_scope_capture(e->f, s), r, 0);
    }
}

static void assign_name(struct gs_emit *e, const struct gs_node *n, enum gs_operator op)
{
    struct gs_sym *s = n->a->info;
    if (s->kind == GS_SYM_POISON)
        return;
    if (s->kind != GS_SYM_GLOBAL && s->fn == e->f && !s->cell) {
        assign_local(e, n, op, s);
        return;
    }
    uint32_t r;
    if (op == GS_O_NONE) {
        r = gs_expr(e, n->b);
    } else {
        r = gs_alloc(e, 1);
        gs_load_sym(e, s, r, n->a->pos);
        gs_binary(e, op, r, r, n->b, n->pos);
    }
    e->line = n->pos.line;
    store_sym(e, s, r);
}

static void assign_member(struct gs_emit *e, const struct gs_node *n, enum gs_operator op)
{
    const struct gs_node *t = n->a;
    uint32_t obj = gs_expr(e, t->a), r;
    uint32_t ic = gs_ic(e, gs_slice_atom(t->name));
    if (op == GS_O_NONE) {
        r = gs_expr(e, n->b);
    } else {
        r = gs_alloc(e, 1);
        e->line = t->pos.line;
        gs_put_abc(e, GS_OP_GETFIELD, r, obj, ic);
        gs_binary(e, op, r, r, n->b, n->pos);
        ic = gs_ic(e, gs_slice_atom(t->name));
    }
    e->line = t->pos.line;
    gs_put_abc(e, GS_OP_SETFIELD, obj, r, ic);
}

static void assign_index(struct gs_emit *e, const struct gs_node *n, enum gs_operator op)
{
    const struct gs_node *t = n->a;
    uint32_t obj = gs_expr(e, t->a), i = gs_expr(e, t->b), r;
    if (op == GS_O_NONE) {
        r = gs_expr(e, n->b);
    } else {
        r = gs_alloc(e, 1);
        e->line = t->pos.line;
        gs_put_abc(e, GS_OP_GETINDEX, r, obj, i);
        gs_binary(e, op, r, r, n->b, n->pos);
    }
    e->line = t->pos.line;
    gs_put_abc(e, GS_OP_SETINDEX, obj, i, r);
}

static void assign(struct gs_emit *e, const struct gs_node *n)
{
    enum gs_operator op = gs_operator_binary(n->op);
    if (n->a->kind == GS_N_NAME)
        assign_name(e, n, op);
    else if (n->a->kind == GS_N_MEMBER)
        assign_member(e, n, op);
    else
        assign_index(e, n, op);
}

/* --- blocks ----------------------------------------------------------------------------------- */

static void make_fn(struct gs_emit *e, struct gs_sym *s)
{
    if (s->early) {
        uint32_t top = e->top, r = gs_alloc(e, 1);
        gs_emit_closure(e, s->body, r);
        gs_put_abc(e, GS_OP_CELLSET, s->reg, r, 0);
        gs_free_to(e, top);
        return;
    }
    uint32_t r = gs_alloc(e, 1);
    gs_emit_closure(e, s->body, r);
    gs_declare(e, s, r);
}

static void fndecl(struct gs_emit *e, const struct gs_node *n)
{
    struct gs_sym *s = n->info;
    if (s->kind == GS_SYM_TOPFN) /* a constant; nested ones, too */
        gs_emit_fn(e, s->body);
    else if (!s->hoisted)
        make_fn(e, s);
}

/* What must exist when the block begins. */
static void block_entry(struct gs_emit *e, const struct gs_node *n, const struct gs_block *b)
{
    e->line = n->pos.line;
    for (uint32_t i = 0; i < b->early.n; i++)
        early_cell(e, b->early.v[i]);
    e->vars = e->top;
    for (uint32_t i = 0; i < b->fns.n; i++) {
        struct gs_sym *s = b->fns.v[i];
        if (s->kind == GS_SYM_FN && s->hoisted)
            make_fn(e, s);
    }
}

void gs_body(struct gs_emit *e, const struct gs_node *n)
{
    const struct gs_block *b = n->info;
    block_entry(e, n, b);
    for (uint32_t i = 0; i < n->list.n; i++)
        gs_stmt(e, n->list.v[i]);
}

void gs_block(struct gs_emit *e, const struct gs_node *n)
{
    uint32_t top = e->top, vars = e->vars;
    e->vars = top;
    gs_body(e, n);
    e->top = top;
    e->vars = vars;
}

/* --- if --------------------------------------------------------------------------------------- */

/* Where a block that only says break or continue leads, when no finally is on the way. */
static bool leads_to(const struct gs_emit *e, const struct gs_node *block, uint32_t *label)
{
    if (block->list.n != 1)
        return false;
    const struct gs_node *n = block->list.v[0];
    if ((n->kind != GS_N_BREAK && n->kind != GS_N_CONTINUE) || e->loop->fin != e->fin)
        return false;
    *label = n->kind == GS_N_BREAK ? e->loop->on_break : e->loop->on_continue;
    return true;
}

static void if_chain(struct gs_emit *e, const struct gs_node *n)
{
    uint32_t end = gs_label(e), out;
    while (n != NULL && n->kind == GS_N_IF) {
        if (leads_to(e, n->b, &out)) {
            gs_cond(e, n->a, true, out);
            n = n->c;
            continue;
        }
        uint32_t no = gs_label(e);
        gs_cond(e, n->a, false, no);
        gs_block(e, n->b);
        n = n->c;
        if (n != NULL)
            gs_goto(e, end);
        gs_place(e, no);
    }
    if (n != NULL)
        gs_block(e, n);
    gs_place(e, end);
}

/* --- all of them ------------------------------------------------------------------------------ */

void gs_stmt(struct gs_emit *e, const struct gs_node *n)
{
    uint32_t top = e->top;
    bool declares = n->kind == GS_N_LET || n->kind == GS_N_FNDECL;
    e->line = n->pos.line;
    switch (n->kind) {
    case GS_N_LET:
        let(e, n);
        break;
    case GS_N_FNDECL:
        fndecl(e, n);
        break;
    case GS_N_CLASS:
        gs_emit_methods(e, n->cls);
        break;
    case GS_N_EXPR:
        e->no_result = n->a;
        gs_expr(e, n->a);
        break;
    case GS_N_ASSIGN:
        assign(e, n);
        break;
    case GS_N_RETURN:
        gs_return(e, n);
        break;
    case GS_N_IF:
        if_chain(e, n);
        break;
    case GS_N_WHILE:
        gs_while(e, n);
        break;
    case GS_N_FORIN:
        gs_forin(e, n);
        break;
    case GS_N_FOR:
        gs_for(e, n);
        break;
    case GS_N_BREAK:
    case GS_N_CONTINUE:
        gs_leave_loop(e, n->kind == GS_N_BREAK);
        break;
    case GS_N_BLOCK:
        gs_block(e, n);
        break;
    case GS_N_TRY:
        gs_try(e, n);
        break;
    case GS_N_THROW: {
        uint32_t r = gs_expr(e, n->a);
        e->line = n->pos.line;
        gs_put_abc(e, GS_OP_THROW, r, 0, 0);
        e->dead = true;
        break;
    }
    case GS_N_DEFER:
        gs_defer(e, n);
        break;
    default: /* interfaces, types and imports have no code */
        break;
    }
    if (!declares)
        gs_free_to(e, top);
}
