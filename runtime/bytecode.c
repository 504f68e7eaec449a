/* SPDX-License-Identifier: MIT
 * bytecode.c - the table made from opcode.def, and the verifier.
 *
 * Purpose    What has passed gs_bytecode_verify can be interpreted without a bounds check on any
 *            operand: registers, constants, captures, caches, jumps and call windows are known to
 *            be inside their tables, and control cannot leave the code.
 * Design     One pass over the instructions by operand format, and a second look at those whose
 *            operands mean more than their format says (runs of registers, call windows, kinds of
 *            constants). An inline cache belongs to one kind of instruction, because the words in
 *            it mean different things to each.
 * Limits     Values are not tracked: a register may hold anything when it is read, so the
 *            interpreter checks the kinds of what the emitter only ever puts there on purpose
 *            (cells, defer lists, iteration states). Memory is safe all the same: every slot of a
 *            stack is a valid value (vm.h [G1]).
 */
#include "bytecode.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "port/mem.h"
#include "proto.h"

/* Operands and effects share letters: the list is read once with each meaning. */
/* clang-format off */
const struct gs_opinfo gs_opinfo[GS_OP_COUNT_] = {
#define N  GS_OPND_N
#define W  GS_OPND_W
#define R  GS_OPND_R
#define RW GS_OPND_RW
#define K  GS_OPND_K
#define I  GS_OPND_I
#define U  GS_OPND_U
#define J  GS_OPND_J
#define P  GS_OPND_P
#define KX GS_OPND_KX
#define IX GS_OPND_IX
#define JX GS_OPND_JX
#define GX GS_OPND_GX
#define IC GS_OPND_IC
#define UP GS_OPND_UP
#define RS GS_OPND_RS
#define CL GS_OPND_CL
#define GS_OP(name_, a_, b_, c_, fx_, meaning_)                                                    \
    [GS_OP_##name_].name = #name_,                                                                 \
    [GS_OP_##name_].a = a_, [GS_OP_##name_].b = b_, [GS_OP_##name_].c = c_,                        \
    [GS_OP_##name_].meaning = meaning_,
#include "opcode.def"
#undef GS_OP
#undef K
#undef P
#define T GS_FX_T
#define A GS_FX_A
#define P GS_FX_P
#define B GS_FX_B
#define C GS_FX_C
#define K GS_FX_K
#define Q GS_FX_Q
#define GS_OP(name_, a_, b_, c_, fx_, meaning_) [GS_OP_##name_].fx = fx_,
#include "opcode.def"
#undef GS_OP
};
#undef N
#undef W
#undef R
#undef RW
#undef I
#undef U
#undef J
#undef KX
#undef IX
#undef JX
#undef GX
#undef IC
#undef UP
#undef RS
#undef CL
#undef T
#undef A
#undef P
#undef B
#undef C
#undef K
#undef Q
/* clang-format on */

/* ---- verifier ---- */

#define MAX_DEPTH 200u /* of nested functions; the parser allows fewer */

struct check {
    const struct gs_proto *p;
    uint32_t at; /* instruction being looked at */
    gs_insn insn;
    uint8_t *icop; /* opcode that uses each inline cache, plus one */
    char *msg;
    size_t n;
};

static bool fail(struct check *c, const char *fmt, ...) GS_PRINTF(2, 3);
static bool fail(struct check *c, const char *fmt, ...)
{
    char what[160];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    if (c->n > 0)
        (void)snprintf(c->msg, c->n, "%s at instruction %u (%s)", what, c->at,
                       gs_insn_op(c->insn) < GS_OP_COUNT_ ? gs_opinfo[gs_insn_op(c->insn)].name
                                                          : "?");
    return false;
}

static bool reg_run(struct check *c, uint32_t first, uint32_t n)
{
    if (first + n > c->p->nregs)
        return fail(c, "registers %u..%u of %u", first, first + n - 1, c->p->nregs);
    return true;
}

static bool konst(struct check *c, uint32_t k, int kind)
{
    if (k >= c->p->nk)
        return fail(c, "constant %u of %u", k, c->p->nk);
    if (kind >= 0 && c->p->k[k].tag != (uint64_t)kind)
        return fail(c, "constant %u is of the wrong kind", k);
    return true;
}

static bool jump(struct check *c, int64_t off)
{
    int64_t to = (int64_t)c->at + 1 + off;
    if (to < 0 || to >= (int64_t)c->p->ncode)
        return fail(c, "jump to %lld", (long long)to);
    return true;
}

static bool cache(struct check *c, uint32_t ic, bool keyed)
{
    if (ic >= c->p->nics)
        return fail(c, "inline cache %u of %u", ic, c->p->nics);
    uint8_t op = (uint8_t)(gs_insn_op(c->insn) + 1);
    if (op == GS_OP_CALLMV + 1)
        op = GS_OP_CALLM + 1; /* they use their caches alike */
    if (c->icop[ic] != 0 && c->icop[ic] != op)
        return fail(c, "inline cache %u is used by another instruction", ic);
    c->icop[ic] = op;
    if (keyed && c->p->ics[ic].key == NULL)
        return fail(c, "inline cache %u has no key", ic);
    return true;
}

static bool global(struct check *c, int32_t slot)
{
    uint32_t lo = 0;
    uint32_t hi = c->p->ngnames;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if ((int64_t)c->p->gnames[mid] < (int64_t)slot)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == c->p->ngnames || (int64_t)c->p->gnames[lo] != (int64_t)slot)
        return fail(c, "global %d is not among the names of the function", slot);
    return true;
}

/* One operand of 16 bits by its format; what needs the other operands is left to `whole`. */
static bool operand(struct check *c, enum gs_operand kind, unsigned v)
{
    switch (kind) {
    case GS_OPND_W:
    case GS_OPND_R:
    case GS_OPND_RW:
        return reg_run(c, v, 1);
    case GS_OPND_K:
        return konst(c, v, -1);
    case GS_OPND_J:
        return jump(c, (int16_t)(uint16_t)v);
    case GS_OPND_UP:
        return v < c->p->ncaps || fail(c, "captured value %u of %u", v, c->p->ncaps);
    default:
        return true;
    }
}

static bool wide_operand(struct check *c, enum gs_operand kind, int32_t v)
{
    switch (kind) {
    case GS_OPND_KX:
        return v >= 0 ? konst(c, (uint32_t)v, -1) : fail(c, "constant %d", v);
    case GS_OPND_JX:
        return jump(c, v);
    case GS_OPND_GX:
        return global(c, v);
    case GS_OPND_P:
        return (v >= 0 && (uint32_t)v < c->p->nprotos) ||
               fail(c, "nested function %d of %u", v, c->p->nprotos);
    default:
        return true;
    }
}

static bool is_wide(enum gs_operand kind)
{
    return kind == GS_OPND_KX || kind == GS_OPND_IX || kind == GS_OPND_JX || kind == GS_OPND_GX ||
           kind == GS_OPND_P;
}

/* A call window: callee, link, n arguments. */
static bool window(struct check *c, unsigned first, unsigned n)
{
    return reg_run(c, first, n + 2);
}

static bool objlit(struct check *c, unsigned first, unsigned k)
{
    if (!konst(c, k, GS_T_OBJLIT))
        return false;
    const struct gs_objlit *lit = c->p->k[k].p;
    return lit->n == 0 || reg_run(c, first, lit->n);
}

static bool type_constant(struct check *c, unsigned k)
{
    if (!konst(c, k, -1))
        return false;
    gs_value v = c->p->k[k];
    return gs_is(v, GS_T_CLASS) || gs_is(v, GS_T_IFACE) || gs_is(v, GS_T_TYPE) ||
           gs_is(v, GS_T_STR) || fail(c, "constant %u is no type", k);
}

static bool super_method(struct check *c, unsigned k)
{
    if (c->p->cls == NULL || c->p->cls->super == NULL)
        return fail(c, "no superclass");
    return konst(c, k, GS_T_STR);
}

/* The nested proto takes its captures from places that exist here. */
static bool closure(struct check *c, int32_t n)
{
    const struct gs_proto *q = c->p->protos[n];
    for (uint32_t i = 0; i < q->ncaps; i++) {
        uint32_t limit = q->caps[i].from_up ? c->p->ncaps : c->p->nregs;
        if (q->caps[i].index >= limit)
            return fail(c, "capture %u of nested function %d", i, n);
    }
    return q->ncaps > 0 || q->self != NULL || fail(c, "nested function %d has no closure", n);
}

/* What the formats do not say. */
static bool whole(struct check *c)
{
    gs_insn in = c->insn;
    unsigned a = gs_insn_a(in), b = gs_insn_b(in), k = gs_insn_c(in), x = gs_insn_x(in);
    switch (gs_insn_op(in)) {
    case GS_OP_LOADNIL:
        return (b >= 1 || fail(c, "no register")) && reg_run(c, a, b);
    case GS_OP_CELLGET:
    case GS_OP_UPGET:
    case GS_OP_PUTFIELD:
        return konst(c, k, GS_T_STR);
    case GS_OP_CHECKSET:
        return konst(c, b, GS_T_STR);
    case GS_OP_CLOSURE:
        return closure(c, gs_insn_bx(in));
    case GS_OP_CONCAT:
    case GS_OP_NEWARRAY:
    case GS_OP_ARRPUSH:
        return k == 0 || reg_run(c, b, k);
    case GS_OP_CALL:
    case GS_OP_CALLTRIM:
        return window(c, a, b) && cache(c, k, false);
    case GS_OP_CALLM:
        return (b >= 1 || fail(c, "no receiver")) && window(c, a, b) && cache(c, k, true);
    case GS_OP_CALLV:
        return (b >= 1 || fail(c, "nothing to spread")) && window(c, a, b);
    case GS_OP_CALLMV:
        return (b >= 2 || fail(c, "nothing to spread")) && window(c, a, b) && cache(c, k, true);
    case GS_OP_CALLNAT:
        return window(c, a, b) && konst(c, k, GS_T_NATIVE);
    case GS_OP_GETSUPER:
        return super_method(c, b);
    case GS_OP_NEWOBJ:
        return objlit(c, b, k);
    case GS_OP_GETFIELD:
    case GS_OP_SETFIELD:
        return cache(c, k, true);
    case GS_OP_FORPREP:
    case GS_OP_FORLOOP:
        return reg_run(c, a, 4);
    case GS_OP_ITERNEW:
        return reg_run(c, a, 3);
    case GS_OP_ITERNEXT:
        return (x == 1 || x == 2 || fail(c, "%u loop variables", x)) && reg_run(c, a, 3) &&
               reg_run(c, b, x);
    case GS_OP_DEFERPUSH:
        return reg_run(c, b, k + 1);
    case GS_OP_DEFERCALL:
        return window(c, a, 0);
    case GS_OP_IS:
    case GS_OP_AS:
        return type_constant(c, k);
    default:
        return true;
    }
}

static bool instruction(struct check *c)
{
    gs_insn in = c->insn;
    if (gs_insn_op(in) >= GS_OP_JIT) /* the last one, which only hot.c writes */
        return fail(c, "unknown opcode %u", (unsigned)gs_insn_op(in));
    const struct gs_opinfo *o = &gs_opinfo[gs_insn_op(in)];
    if (!operand(c, o->a, gs_insn_a(in)))
        return false;
    if (is_wide(o->b)) {
        if (!wide_operand(c, o->b, gs_insn_bx(in)))
            return false;
    } else if (!operand(c, o->b, gs_insn_b(in)) || !operand(c, o->c, gs_insn_c(in))) {
        return false;
    }
    return whole(c);
}

/* Control must not run off the end, and not into it by the fall-through of a conditional jump or a
 * call either. */
static bool ends_well(struct check *c)
{
    c->at = c->p->ncode - 1;
    c->insn = c->p->code[c->at];
    switch (gs_insn_op(c->insn)) {
    case GS_OP_JMP:
    case GS_OP_RET:
    case GS_OP_RETNIL:
    case GS_OP_THROW:
    case GS_OP_RETHROW:
        return true;
    default:
        return fail(c, "the code does not end");
    }
}

/* Innermost first: a later handler may enclose an earlier one or lie beside it, but not cut it or
 * lie inside it. */
static bool handlers(struct check *c)
{
    const struct gs_proto *p = c->p;
    for (uint32_t i = 0; i < p->nhandlers; i++) {
        const struct gs_handler *h = &p->handlers[i];
        if (h->from >= h->to || h->to > p->ncode || h->target >= p->ncode || h->reg >= p->nregs)
            return fail(c, "handler %u is out of range", i);
    }
    return true;
}

static bool header(struct check *c)
{
    const struct gs_proto *p = c->p;
    if (p->ncode == 0 || p->code == NULL || p->fb == NULL || p->lines == NULL)
        return fail(c, "no code");
    if (p->nregs > GS_MAX_REGS || p->nparams > p->nregs)
        return fail(c, "%u parameters in %u registers", p->nparams, p->nregs);
    unsigned fixed = (p->flags & GS_PF_REST) ? 1u : 0u;
    if (p->nreq + fixed > p->nparams)
        return fail(c, "%u required parameters of %u", p->nreq, p->nparams);
    if ((p->flags & GS_PF_METHOD) && p->nparams == 0)
        return fail(c, "a method without self");
    for (uint32_t i = 1; i < p->ngnames; i++) {
        if (p->gnames[i - 1] >= p->gnames[i])
            return fail(c, "globals are not sorted");
    }
    return true;
}

static bool function(struct check *c)
{
    if (!header(c))
        return false;
    for (c->at = 0; c->at < c->p->ncode; c->at++) {
        c->insn = c->p->code[c->at];
        if (!instruction(c))
            return false;
    }
    return ends_well(c) && handlers(c);
}

static gs_status verify(const struct gs_proto *p, char *msg, size_t n, unsigned depth)
{
    struct check c = {.p = p, .msg = msg, .n = n};
    if (depth > MAX_DEPTH) {
        (void)fail(&c, "functions nested too deeply");
        return GS_E_INVALID;
    }
    uint8_t small[64] = {0};
    c.icop = p->nics <= sizeof small ? small : gs_mem_zalloc(p->nics);
    if (c.icop == NULL)
        return GS_E_NOMEM;
    bool ok = function(&c);
    if (c.icop != small)
        gs_mem_free(c.icop);
    if (!ok)
        return GS_E_INVALID;
    for (uint32_t i = 0; i < p->nprotos; i++) {
        gs_status st = verify(p->protos[i], msg, n, depth + 1);
        if (st != GS_OK)
            return st;
    }
    return GS_OK;
}

gs_status gs_bytecode_verify(const struct gs_proto *p, char *msg, size_t n)
{
    return verify(p, msg, n, 0);
}
