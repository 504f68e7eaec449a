/* SPDX-License-Identifier: MIT
 * callee.c - whom a call calls, and what its arguments become. Contract: graph_int.h.
 *
 * Sources    A constant that the block of the call loads; where the value of the callee comes from; what the site has called so far. The last
 *            says little in a function that all call, such as arrays' map: there the value is an argument of a function that is
 *            spliced in, and the code of its caller shows which closure was made for it.
 * Values     A register holds what the last definition before it in its block has stored, or the only one that the function has. That says
 *            which function's code a closure has, not which closure it is: a guard stands behind it all the same.
 */
#include "graph_int.h"
#include "shape.h"

#define FLOW_DEPTH 12u /* moves and frames that a value is followed through */

/* ---- where values come from ---- */

struct search {
    uint32_t reg;
    bool found;
};

static void look(void *ctx, uint32_t reg, bool sure)
{
    struct search *s = ctx;
    (void)sure;
    s->found |= reg == s->reg;
}

/* A call may write all registers from its window on. */
static bool defines(const struct gs_proto *p, uint32_t pc, uint32_t reg)
{
    gs_insn i = gs_hot_insn(p, p->code + pc);
    struct search s = {reg, false};
    gs_insn_defs(p, i, look, &s);
    return s.found || (gs_opinfo[gs_insn_op(i)].a == GS_OPND_CL && gs_insn_a(i) <= reg);
}

static bool is_target(const struct gs_proto *p, uint32_t pc)
{
    for (uint32_t at = 0; at < p->ncode; at++) {
        int32_t by;
        if (gs_insn_is_jump(gs_hot_insn(p, p->code + at), &by) && at + 1 + (uint32_t)by == pc)
            return true;
    }
    for (uint32_t i = 0; i < p->nhandlers; i++) {
        if (p->handlers[i].target == pc)
            return true;
    }
    return false;
}

/* The only definition of reg but those in [from, to); UINT32_MAX: there is none, or there are several. */
static uint32_t only_definition(const struct gs_proto *p, uint32_t reg, uint32_t from, uint32_t to, bool *none)
{
    uint32_t found = UINT32_MAX, n = 0;
    for (uint32_t pc = 0; pc < p->ncode; pc++) {
        if ((pc < from || pc >= to) && defines(p, pc, reg)) {
            found = pc;
            n++;
        }
    }
    *none = n == 0;
    return n == 1 ? found : UINT32_MAX;
}

/* Where the code lies that is left out when the parameter was given: [*from, *to), empty without a default. */
static void find_default(const struct gs_proto *p, uint32_t param, uint32_t *from, uint32_t *to)
{
    *from = *to = 0;
    for (uint32_t pc = 0; pc < p->ncode; pc++) {
        gs_insn i = gs_hot_insn(p, p->code + pc);
        if (gs_insn_op(i) == GS_OP_JSET && gs_insn_a(i) == param) {
            *from = pc + 1;
            *to = pc + 1 + (uint32_t)gs_insn_bx(i);
            return;
        }
    }
}

static const struct gs_proto *follow(const struct gs_frame *f, uint32_t pc, uint32_t reg, unsigned depth);

static const struct gs_proto *defined(const struct gs_frame *f, uint32_t pc, uint32_t reg, unsigned depth)
{
    const struct gs_proto *p = f->p;
    gs_insn i = gs_hot_insn(p, p->code + pc);
    if (gs_insn_a(i) != reg)
        return NULL;
    switch (gs_insn_op(i)) {
    case GS_OP_MOVE:
        return follow(f, pc, gs_insn_b(i), depth + 1);
    case GS_OP_CLOSURE:
        return p->protos[gs_insn_bx(i)];
    case GS_OP_LOADK: {
        gs_value k = p->k[gs_insn_bx(i)];
        return gs_is(k, GS_T_FUNC) ? k.f->proto : NULL;
    }
    default:
        return NULL;
    }
}

/* The code of the closure that reg of f holds before the instruction at pc; NULL: not known. */
static const struct gs_proto *follow(const struct gs_frame *f, uint32_t pc, uint32_t reg, unsigned depth)
{
    const struct gs_proto *p = f->p;
    if (depth > FLOW_DEPTH)
        return NULL;
    while (pc > 0 && !is_target(p, pc)) {
        if (defines(p, --pc, reg))
            return defined(f, pc, reg, depth);
    }
    uint32_t from = 0, to = 0;
    bool none;
    if (reg < p->nparams)
        find_default(p, reg, &from, &to);
    uint32_t at = only_definition(p, reg, from, to, &none);
    if (reg >= p->nparams)
        return at != UINT32_MAX ? defined(f, at, reg, depth) : NULL;
    if (!none || f->parent == NULL || reg >= f->given)
        return NULL;
    return follow(f->parent, f->call_pc, gs_insn_a(gs_hot_insn(f->parent->p, f->parent->p->code + f->call_pc)) + 2u + reg, depth + 1);
}

/* The constant that R[a] holds at the call at pc, when the same block has loaded it. */
static const struct gs_func *constant_callee(const struct gs_proto *p, uint32_t pc, uint32_t a)
{
    while (pc > 0 && !is_target(p, pc)) {
        gs_insn i = gs_hot_insn(p, p->code + --pc);
        if (!defines(p, pc, a))
            continue;
        if (gs_insn_op(i) == GS_OP_GETSUPER)
            return p->cls != NULL && p->cls->super != NULL ? gs_class_method(p->cls->super, p->k[gs_insn_b(i)].s) : NULL;
        if (gs_insn_op(i) != GS_OP_LOADK)
            return NULL;
        gs_value k = p->k[gs_insn_bx(i)];
        return gs_is(k, GS_T_FUNC) ? k.f : NULL;
    }
    return NULL;
}

/* ---- arguments ---- */

bool gs_node_fit(struct gs_node *n)
{
    const struct gs_proto *q = n->callee;
    if (q == NULL || n->op == GS_OP_CALLV || n->op == GS_OP_CALLMV)
        return false;
    bool rest = (q->flags & GS_PF_REST) != 0;
    n->given = n->op == GS_OP_CALLTRIM && !rest && n->b > q->nparams ? q->nparams : n->b;
    return n->given >= q->nreq && (rest || n->given <= q->nparams);
}

/* ---- calls ---- */

void gs_node_find_callee(struct gs_node *n)
{
    n->callee_fn = constant_callee(n->frame->p, n->pc, n->a);
    if (n->callee_fn != NULL)
        n->callee = n->callee_fn->proto;
    else if (n->miss < GS_GRAPH_WRONG)
        n->callee = follow(n->frame, n->pc, n->a, 0);
    if (n->callee == NULL && n->ic[1] == 0 && n->miss == 0)
        n->callee = (const struct gs_proto *)(uintptr_t)n->ic[0];
}
