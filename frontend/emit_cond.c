/* SPDX-License-Identifier: MIT
 * emit_cond.c - truth: conditional jumps, comparisons, && and ||.
 *
 * NaN        The negation of a < b is "not a < b", never a >= b: each ordering jump has its exact
 *            negation.
 * Swapped    a > b is b < a with x = 1 (so that an error names the operands as written); operands
 *            are evaluated as written all the same.
 */
#include "emit_int.h"

struct compare {
    int16_t yes, no;                      /* register forms */
    int16_t yes_i, no_i, yes_rev, no_rev; /* with an immediate on the right; with it on the left */
    bool swap; /* the register forms want the operands the other way round */
};

static const struct compare compares[] = {
    [GS_O_EQ] = {GS_OP_JEQ, GS_OP_JNE, GS_OP_JEQI, GS_OP_JNEI, GS_OP_JEQI, GS_OP_JNEI, false},
    [GS_O_NE] = {GS_OP_JNE, GS_OP_JEQ, GS_OP_JNEI, GS_OP_JEQI, GS_OP_JNEI, GS_OP_JEQI, false},
    [GS_O_LT] = {GS_OP_JLT, GS_OP_JNLT, GS_OP_JLTI, GS_OP_JNLTI, GS_OP_JGTI, GS_OP_JNGTI, false},
    [GS_O_LE] = {GS_OP_JLE, GS_OP_JNLE, GS_OP_JLEI, GS_OP_JNLEI, GS_OP_JGEI, GS_OP_JNGEI, false},
    [GS_O_GT] = {GS_OP_JLT, GS_OP_JNLT, GS_OP_JGTI, GS_OP_JNGTI, GS_OP_JLTI, GS_OP_JNLTI, true},
    [GS_O_GE] = {GS_OP_JLE, GS_OP_JNLE, GS_OP_JGEI, GS_OP_JNGEI, GS_OP_JLEI, GS_OP_JNLEI, true},
};

static bool is_compare(enum gs_operator op)
{
    return op >= GS_O_EQ && op <= GS_O_GE;
}

/* == and != with a constant that is no small int. */
static void jump_equal_const(struct gs_emit *e, const struct gs_node *n, uint32_t r, gs_value v,
                             bool equal, uint32_t label)
{
    uint32_t k;
    e->line = n->pos.line;
    if (gs_is(v, GS_T_NIL)) {
        gs_jump(e, gs_insn_abx(equal ? GS_OP_JNIL : GS_OP_JNNIL, r, 0), label);
    } else if (gs_k_try(e, v, &k)) {
        gs_jump(e, gs_insn_abc(equal ? GS_OP_JEQK : GS_OP_JNEK, r, k, 0), label);
    } else {
        uint32_t t = gs_alloc(e, 1);
        gs_load(e, t, v);
        gs_jump(e, gs_insn_abc(equal ? GS_OP_JEQ : GS_OP_JNE, r, t, 0), label);
    }
}

/* Comparisons with a constant that the instruction can hold; `left`: the constant stands on the
 * left. */
static bool jump_const(struct gs_emit *e, const struct gs_node *n, enum gs_operator op, bool sense,
                       bool left, uint32_t label)
{
    const struct compare *c = &compares[op];
    bool equality = op == GS_O_EQ || op == GS_O_NE;
    gs_value v;
    int32_t i;
    if (!gs_const_fold(left ? n->a : n->b, &v))
        return false;
    bool small = gs_small_int(v, &i);
    if (!small && !equality)
        return false;
    uint32_t r = gs_expr(e, left ? n->b : n->a);
    e->line = n->pos.line;
    if (!small) {
        jump_equal_const(e, n, r, v, sense == (op == GS_O_EQ), label);
        return true;
    }
    int16_t code = left ? (sense ? c->yes_rev : c->no_rev) : (sense ? c->yes_i : c->no_i);
    gs_jump(e, gs_insn_with_x(gs_insn_abc((enum gs_op)code, r, (uint32_t)i, 0), left), label);
    return true;
}

static void jump_compare(struct gs_emit *e, const struct gs_node *n, enum gs_operator op,
                         bool sense, uint32_t label)
{
    const struct compare *c = &compares[op];
    if (jump_const(e, n, op, sense, false, label) || jump_const(e, n, op, sense, true, label))
        return;
    uint32_t l = gs_expr(e, n->a), r = gs_expr(e, n->b);
    e->line = n->pos.line;
    gs_insn in = c->swap ? gs_insn_abc((enum gs_op)(sense ? c->yes : c->no), r, l, 0)
                         : gs_insn_abc((enum gs_op)(sense ? c->yes : c->no), l, r, 0);
    gs_jump(e, gs_insn_with_x(in, c->swap), label);
}

/* The operands of a chain of one of && and || (left-deep), first one first. */
static void jump_chain(struct gs_emit *e, const struct gs_node *n, bool sense, uint32_t label)
{
    uint8_t kind = n->kind;
    GS_VEC(const struct gs_node *) parts = {0};
    for (; n->kind == kind; n = n->a)
        GS_VEC_PUSH(&parts, n->b);
    GS_VEC_PUSH(&parts, n);
    /* One operand decides an && by being false, an || by being true. */
    bool decider = kind == GS_N_OR;
    uint32_t skip = gs_label(e);
    for (uint32_t i = parts.n - 1; i > 0; i--)
        gs_cond(e, parts.v[i], decider, sense == decider ? label : skip);
    gs_cond(e, parts.v[0], sense, label);
    gs_place(e, skip);
    GS_VEC_FREE(&parts);
}

static bool truth(gs_value v, bool *out)
{
    switch (gs_kind(v)) {
    case GS_T_NIL:
        *out = false;
        return true;
    case GS_T_BOOL:
    case GS_T_INT:
        *out = v.u != 0;
        return true;
    case GS_T_FLOAT:
        *out = v.d != 0; /* NaN is truthy, as 0.0 alone is falsy */
        return true;
    case GS_T_STR:
        *out = v.s->len != 0;
        return true;
    default:
        return false;
    }
}

void gs_cond(struct gs_emit *e, const struct gs_node *n, bool sense, uint32_t label)
{
    while (n->kind == GS_N_UNARY && gs_operator_prefix(n->op) == GS_O_NOT) {
        sense = !sense;
        n = n->a;
    }
    uint32_t top = e->top;
    gs_value v;
    bool t;
    e->line = n->pos.line;
    if (n->kind == GS_N_AND || n->kind == GS_N_OR) {
        jump_chain(e, n, sense, label);
    } else if (gs_const_fold(n, &v) && truth(v, &t)) {
        if (t == sense)
            gs_goto(e, label);
    } else if (n->kind == GS_N_BINARY && is_compare(gs_operator_binary(n->op))) {
        jump_compare(e, n, gs_operator_binary(n->op), sense, label);
    } else {
        uint32_t r = gs_expr(e, n);
        gs_jump(e, gs_insn_abx(sense ? GS_OP_JT : GS_OP_JF, r, 0), label);
    }
    gs_free_to(e, top);
}

void gs_bool_to(struct gs_emit *e, const struct gs_node *n, uint32_t dst)
{
    uint32_t no = gs_label(e), end = gs_label(e);
    gs_cond(e, n, false, no);
    gs_put_abc(e, GS_OP_LOADBOOL, dst, 1, 0);
    gs_goto(e, end);
    gs_place(e, no);
    gs_put_abc(e, GS_OP_LOADBOOL, dst, 0, 0);
    gs_place(e, end);
}

void gs_compare_to(struct gs_emit *e, enum gs_operator op, const struct gs_node *n, uint32_t dst)
{
    static const uint8_t ops[] = {[GS_O_EQ] = GS_OP_EQ, [GS_O_NE] = GS_OP_NE, [GS_O_LT] = GS_OP_LT,
                                  [GS_O_LE] = GS_OP_LE, [GS_O_GT] = GS_OP_LT, [GS_O_GE] = GS_OP_LE};
    uint32_t top = e->top;
    uint32_t l = gs_expr_hint(e, n->a, dst);
    uint32_t r = l != dst ? gs_expr_hint(e, n->b, dst) : gs_expr(e, n->b);
    bool swap = compares[op].swap;
    e->line = n->pos.line;
    gs_insn in = gs_insn_abc((enum gs_op)ops[op], dst, swap ? r : l, swap ? l : r);
    gs_put(e, gs_insn_with_x(in, swap));
    gs_free_to(e, top);
}
