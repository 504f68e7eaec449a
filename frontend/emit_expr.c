/* SPDX-License-Identifier: MIT
 * emit_expr.c - expressions: names, operators, members, indexes.
 */
#include "emit_int.h"

#include "object.h"

/* Left operands nest without the parser's limit; C frames do not. */
#define MAX_DEPTH 2500

bool gs_small_int(gs_value v, int32_t *out)
{
    if (!gs_is(v, GS_T_INT) || v.i < INT16_MIN || v.i > INT16_MAX)
        return false;
    *out = (int32_t)v.i;
    return true;
}

/* --- names ------------------------------------------------------------------------------------ */

static bool is_local(const struct gs_sym *s)
{
    return s->kind <= GS_SYM_FN;
}

bool gs_in_place(const struct gs_emit *e, const struct gs_node *n, uint32_t *reg)
{
    if (n->kind != GS_N_NAME && n->kind != GS_N_SELF)
        return false;
    const struct gs_sym *s = n->info;
    if (!is_local(s) || s->fn != e->f || s->cell)
        return false;
    *reg = s->reg;
    return true;
}

static bool is_own(const struct gs_emit *e, const struct gs_sym *s)
{
    return e->f->own == s && !s->assigned && s->fn != e->f;
}

static void load_captured(struct gs_emit *e, struct gs_sym *s, uint32_t dst)
{
    if (is_own(e, s)) {
        if (e->f->self_reg)
            gs_move(e, dst, e->self_reg);
        else
            gs_put_abc(e, GS_OP_GETFN, dst, 0, 0);
        return;
    }
    uint32_t up = (uint32_t)gs_scope_capture(e->f, s);
    if (s->cell && !e->f->caps.v[up].by_own)
        gs_put_abc(e, GS_OP_UPGET, dst, up, gs_k(e, gs_strv(gs_ident_atom(s->ident))));
    else
        gs_put_abc(e, GS_OP_GETUP, dst, up, 0);
}

void gs_load_sym(struct gs_emit *e, struct gs_sym *s, uint32_t dst, struct gs_pos at)
{
    e->line = at.line;
    if (is_local(s)) {
        if (s->fn != e->f)
            load_captured(e, s, dst);
        else if (s->cell)
            gs_put_abc(e, GS_OP_CELLGET, dst, s->reg, gs_k(e, gs_strv(gs_ident_atom(s->ident))));
        else
            gs_move(e, dst, s->reg);
        return;
    }
    switch (s->kind) {
    case GS_SYM_GLOBAL:
        gs_put_abx(e, GS_OP_GETGLOBAL, dst, (int32_t)s->slot);
        gs_name_global(e, s->slot);
        break;
    case GS_SYM_MODULE:
        gs_load(e, dst,
                s->imp->unit ? gs_objv(GS_T_MODULE, s->imp->unit->info->value) : s->imp->lib);
        break;
    case GS_SYM_POISON:
        gs_load(e, dst, gs_nil());
        break;
    default:
        gs_load(e, dst, s->value);
        break;
    }
}

/* --- members and indexes ---------------------------------------------------------------------- */

static void member_to(struct gs_emit *e, const struct gs_node *n, uint32_t dst)
{
    gs_value v;
    struct gs_sym *s;
    switch (gs_scope_member(n, &v, &s)) {
    case GS_MEMBER_VALUE:
        e->line = n->pos.line;
        gs_load(e, dst, v);
        return;
    case GS_MEMBER_SYM:
        gs_load_sym(e, s, dst, n->pos);
        return;
    case GS_MEMBER_MISSING: /* reported */
    case GS_MEMBER_POISON:
        return;
    default:
        break;
    }
    if (n->a->kind == GS_N_SUPER) {
        gs_super_to(e, n->a, dst);
        return;
    }
    uint32_t top = e->top;
    uint32_t obj = gs_expr_hint(e, n->a, dst);
    e->line = n->pos.line;
    gs_put_abc(e, GS_OP_GETFIELD, dst, obj, gs_ic(e, gs_slice_atom(n->name)));
    gs_free_to(e, top);
}

static void index_to(struct gs_emit *e, const struct gs_node *n, uint32_t dst)
{
    uint32_t top = e->top;
    uint32_t obj = gs_expr_hint(e, n->a, dst);
    gs_value v;
    int32_t i;
    if (gs_const_fold(n->b, &v) && gs_small_int(v, &i)) {
        e->line = n->pos.line;
        gs_put_abc(e, GS_OP_GETINDEXI, dst, obj, (uint32_t)i);
    } else {
        uint32_t idx = obj != dst ? gs_expr_hint(e, n->b, dst) : gs_expr(e, n->b);
        e->line = n->pos.line;
        gs_put_abc(e, GS_OP_GETINDEX, dst, obj, idx);
    }
    gs_free_to(e, top);
}

/* --- arithmetic ------------------------------------------------------------------------------- */

static const struct {
    int16_t rr, ri, rk, kr; /* opcodes; -1: there is none */
    bool commutes;
} forms[] = {
    [GS_O_ADD] = {GS_OP_ADD, GS_OP_ADDI, GS_OP_ADDK, -1, true},
    [GS_O_SUB] = {GS_OP_SUB, GS_OP_SUBI, GS_OP_SUBK, GS_OP_KSUB, false},
    [GS_O_MUL] = {GS_OP_MUL, GS_OP_MULI, GS_OP_MULK, -1, true},
    [GS_O_DIV] = {GS_OP_DIV, GS_OP_DIVI, GS_OP_DIVK, GS_OP_KDIV, false},
    [GS_O_MOD] = {GS_OP_MOD, GS_OP_MODI, GS_OP_MODK, -1, false},
    [GS_O_BAND] = {GS_OP_BAND, GS_OP_BANDI, -1, -1, true},
    [GS_O_BOR] = {GS_OP_BOR, -1, -1, -1, true},
    [GS_O_BXOR] = {GS_OP_BXOR, -1, -1, -1, true},
    [GS_O_SHL] = {GS_OP_SHL, GS_OP_SHLI, -1, -1, false},
    [GS_O_SHR] = {GS_OP_SHR, GS_OP_SHRI, -1, -1, false},
};

static bool is_arith(enum gs_operator op)
{
    return op >= GS_O_ADD && op <= GS_O_SHR;
}

static bool is_num(gs_value v)
{
    return gs_is(v, GS_T_INT) || gs_is(v, GS_T_FLOAT);
}

/* reg op constant, or (rev) constant op reg where the operator commutes; x = 1 tells error texts of
 * the latter. */
static bool with_constant(struct gs_emit *e, enum gs_operator op, uint32_t dst, uint32_t reg,
                          gs_value v, bool rev)
{
    int32_t i;
    uint32_t k;
    if (forms[op].ri >= 0 && gs_small_int(v, &i)) {
        gs_put(e,
               gs_insn_with_x(gs_insn_abc((enum gs_op)forms[op].ri, dst, reg, (uint32_t)i), rev));
        return true;
    }
    if (forms[op].rk >= 0 && is_num(v) && gs_k_try(e, v, &k)) {
        gs_put(e, gs_insn_with_x(gs_insn_abc((enum gs_op)forms[op].rk, dst, reg, k), rev));
        return true;
    }
    return false;
}

void gs_binary(struct gs_emit *e, enum gs_operator op, uint32_t dst, uint32_t left,
               const struct gs_node *right, struct gs_pos at)
{
    uint32_t top = e->top;
    gs_value v;
    if (gs_const_fold(right, &v) && is_num(v)) {
        e->line = at.line;
        if (with_constant(e, op, dst, left, v, false))
            return;
    }
    uint32_t r = left != dst ? gs_expr_hint(e, right, dst) : gs_expr(e, right);
    e->line = at.line;
    gs_put_abc(e, (enum gs_op)forms[op].rr, dst, left, r);
    gs_free_to(e, top);
}

/* constant op right */
static void const_left(struct gs_emit *e, enum gs_operator op, uint32_t dst, gs_value v,
                       const struct gs_node *n)
{
    uint32_t top = e->top, k;
    bool kr = forms[op].kr >= 0 && gs_k_try(e, v, &k);
    if (kr || (forms[op].commutes && forms[op].ri >= 0)) {
        uint32_t r = gs_expr_hint(e, n->b, dst);
        e->line = n->pos.line;
        if (kr)
            gs_put_abc(e, (enum gs_op)forms[op].kr, dst, k, r);
        else if (!with_constant(e, op, dst, r, v, true)) {
            uint32_t t = gs_alloc(e, 1);
            gs_load(e, t, v);
            gs_put_abc(e, (enum gs_op)forms[op].rr, dst, t, r);
        }
    } else {
        uint32_t t = gs_fresh(e, dst) ? dst : gs_alloc(e, 1);
        gs_load(e, t, v);
        gs_binary(e, op, dst, t, n->b, n->pos);
    }
    gs_free_to(e, top);
}

/* a op b op c ...: the left operands are a list here, so that a chain of any length costs no C
 * stack. */
static void arith_to(struct gs_emit *e, const struct gs_node *n, uint32_t dst)
{
    GS_VEC(const struct gs_node *) chain = {0};
    uint32_t top = e->top;
    gs_value v;
    bool folded = false;
    for (;;) {
        GS_VEC_PUSH(&chain, n);
        folded = gs_const_fold(n->a, &v) && is_num(v);
        if (folded || n->a->kind != GS_N_BINARY || !is_arith(gs_operator_binary(n->a->op)))
            break;
        n = n->a;
    }
    uint32_t t = gs_fresh(e, dst) ? dst : GS_LABEL_NONE;
    if (t == GS_LABEL_NONE && chain.n > 1)
        t = gs_alloc(e, 1);
    uint32_t i = chain.n - 1;
    uint32_t left;
    if (folded) {
        uint32_t d = i == 0 ? dst : t;
        const_left(e, gs_operator_binary(n->op), d, v, n);
        left = d;
        i--;
    } else {
        left = t == GS_LABEL_NONE ? gs_expr(e, n->a) : gs_expr_hint(e, n->a, t);
    }
    for (; i < chain.n; i--) { /* wraps behind 0 */
        const struct gs_node *x = chain.v[i];
        gs_binary(e, gs_operator_binary(x->op), i == 0 ? dst : t, left, x->b, x->pos);
        left = t;
    }
    GS_VEC_FREE(&chain);
    gs_free_to(e, top);
}

static void binary_to(struct gs_emit *e, const struct gs_node *n, uint32_t dst)
{
    enum gs_operator op = gs_operator_binary(n->op);
    if (is_arith(op))
        arith_to(e, n, dst);
    else
        gs_compare_to(e, op, n, dst);
}

static void unary_to(struct gs_emit *e, const struct gs_node *n, uint32_t dst)
{
    static const uint8_t ops[] = {
        [GS_O_NEG] = GS_OP_NEG, [GS_O_BNOT] = GS_OP_BNOT, [GS_O_NOT] = GS_OP_NOT};
    uint32_t top = e->top;
    uint32_t r = gs_expr_hint(e, n->a, dst);
    e->line = n->pos.line;
    gs_put_abc(e, (enum gs_op)ops[gs_operator_prefix(n->op)], dst, r, 0);
    gs_free_to(e, top);
}

/* --- choices ---------------------------------------------------------------------------------- */

static void cond_to(struct gs_emit *e, const struct gs_node *n, uint32_t dst)
{
    uint32_t end = gs_label(e);
    for (; n->kind == GS_N_COND; n = n->c) {
        uint32_t no = gs_label(e);
        gs_cond(e, n->a, false, no);
        gs_expr_to(e, n->b, dst);
        gs_goto(e, end);
        gs_place(e, no);
    }
    gs_expr_to(e, n, dst);
    gs_place(e, end);
}

/* a ?? b ?? c groups to the left. A variable as destination may still be read on the right, so it
 * is written last. */
static void coalesce_to(struct gs_emit *e, const struct gs_node *n, uint32_t dst)
{
    GS_VEC(const struct gs_node *) parts = {0};
    for (; n->kind == GS_N_COALESCE; n = n->a)
        GS_VEC_PUSH(&parts, n->b);
    uint32_t top = e->top, end = gs_label(e);
    uint32_t t = gs_fresh(e, dst) ? dst : gs_alloc(e, 1);
    gs_expr_to(e, n, t);
    for (uint32_t i = parts.n - 1; i < parts.n; i--) {
        gs_jump(e, gs_insn_abx(GS_OP_JNNIL, t, 0), end);
        gs_expr_to(e, parts.v[i], t);
    }
    gs_place(e, end);
    gs_move(e, dst, t);
    GS_VEC_FREE(&parts);
    gs_free_to(e, top);
}

static gs_value test_constant(const struct gs_node *n)
{
    const struct gs_sym *s = n->info;
    if (s != NULL)
        return s->value;
    struct gs_slice name = n->type->name;
    if (gs_slice_is(name, "fn"))
        name = gs_slice_z("function");
    return gs_strv(gs_slice_atom(name));
}

static void test_to(struct gs_emit *e, const struct gs_node *n, uint32_t dst)
{
    uint32_t top = e->top;
    uint32_t r = gs_expr_hint(e, n->a, dst);
    e->line = n->pos.line;
    gs_put_abc(e, n->kind == GS_N_IS ? GS_OP_IS : GS_OP_AS, dst, r, gs_k(e, test_constant(n)));
    gs_free_to(e, top);
}

/* --- all of them ------------------------------------------------------------------------------ */

static void dispatch(struct gs_emit *e, const struct gs_node *n, uint32_t dst)
{
    switch (n->kind) {
    case GS_N_INTERP:
        gs_interp_to(e, n, dst);
        break;
    case GS_N_NAME:
    case GS_N_SELF:
        gs_load_sym(e, n->info, dst, n->pos);
        break;
    case GS_N_SUPER:
        gs_super_to(e, n, dst);
        break;
    case GS_N_ARRAY:
        gs_array_to(e, n, dst);
        break;
    case GS_N_OBJECT:
    case GS_N_INSTANCE:
        gs_object_to(e, n, dst);
        break;
    case GS_N_FN:
        gs_emit_closure(e, n->fn->scope, dst);
        break;
    case GS_N_CALL:
        gs_call_to(e, n, dst);
        break;
    case GS_N_INDEX:
        index_to(e, n, dst);
        break;
    case GS_N_MEMBER:
        member_to(e, n, dst);
        break;
    case GS_N_UNARY:
        unary_to(e, n, dst);
        break;
    case GS_N_BINARY:
        binary_to(e, n, dst);
        break;
    case GS_N_AND:
    case GS_N_OR:
        gs_bool_to(e, n, dst);
        break;
    case GS_N_COALESCE:
        coalesce_to(e, n, dst);
        break;
    case GS_N_COND:
        cond_to(e, n, dst);
        break;
    case GS_N_IS:
    case GS_N_AS:
        test_to(e, n, dst);
        break;
    default: /* literals are constants; a spread stands in lists only */
        gs_load(e, dst, gs_nil());
        break;
    }
}

void gs_expr_to(struct gs_emit *e, const struct gs_node *n, uint32_t dst)
{
    gs_value v;
    if (gs_const_fold(n, &v)) {
        e->line = n->pos.line;
        gs_load(e, dst, v);
        return;
    }
    if (e->depth >= MAX_DEPTH) {
        if (e->depth == MAX_DEPTH)
            gs_emit_error(e, n->pos, "expression is nested too deeply");
        e->depth = MAX_DEPTH + 1; /* said once */
        return;
    }
    e->depth++;
    dispatch(e, n, dst);
    if (e->depth <= MAX_DEPTH)
        e->depth--;
}

uint32_t gs_expr(struct gs_emit *e, const struct gs_node *n)
{
    uint32_t reg;
    if (gs_in_place(e, n, &reg))
        return reg;
    reg = gs_alloc(e, 1);
    gs_expr_to(e, n, reg);
    return reg;
}

uint32_t gs_expr_hint(struct gs_emit *e, const struct gs_node *n, uint32_t hint)
{
    uint32_t reg;
    if (gs_in_place(e, n, &reg))
        return reg;
    if (!gs_fresh(e, hint))
        return gs_expr(e, n);
    gs_expr_to(e, n, hint);
    return hint;
}
