/* SPDX-License-Identifier: MIT
 * live.c - which registers an instruction reads and writes, and which are live before it. Contract: graph.h.
 */
#include <stdlib.h>
#include <string.h>

#include "graph_int.h"

/* ---- operands ---- */

static void run(gs_reg_fn *f, void *ctx, uint32_t first, uint32_t n, bool sure)
{
    for (uint32_t i = 0; i < n; i++)
        f(ctx, first + i, sure);
}

bool gs_op_is_call(enum gs_op op)
{
    return op == GS_OP_CALL || op == GS_OP_CALLM || op == GS_OP_CALLV || op == GS_OP_CALLMV || op == GS_OP_CALLTRIM;
}

bool gs_insn_is_jump(gs_insn i, int32_t *by)
{
    const struct gs_opinfo *o = &gs_opinfo[gs_insn_op(i)];
    if (o->c == GS_OPND_J) {
        *by = gs_insn_sc(i);
        return true;
    }
    if (o->b == GS_OPND_JX) {
        *by = gs_insn_bx(i);
        return true;
    }
    return false;
}

static void capture_uses(const struct gs_proto *q, gs_reg_fn *f, void *ctx)
{
    for (uint32_t i = 0; i < q->ncaps; i++) {
        if (!q->caps[i].from_up)
            f(ctx, q->caps[i].index, true);
    }
}

void gs_insn_uses(const struct gs_proto *p, gs_insn i, gs_reg_fn *f, void *ctx)
{
    enum gs_op op = gs_insn_op(i);
    const struct gs_opinfo *o = &gs_opinfo[op];
    uint32_t a = gs_insn_a(i), b = gs_insn_b(i), c = gs_insn_c(i);
    switch (op) {
    case GS_OP_CLOSURE:
        capture_uses(p->protos[gs_insn_bx(i)], f, ctx);
        return;
    case GS_OP_CONCAT:
    case GS_OP_NEWARRAY:
        run(f, ctx, b, c, true);
        return;
    case GS_OP_ARRPUSH:
        f(ctx, a, true);
        run(f, ctx, b, c, true);
        return;
    case GS_OP_NEWOBJ:
        run(f, ctx, b, ((const struct gs_objlit *)p->k[c].p)->n, true);
        return;
    case GS_OP_CALL:
    case GS_OP_CALLV:
    case GS_OP_CALLTRIM:
        f(ctx, a, true);
        run(f, ctx, a + 2, b, true);
        return;
    case GS_OP_CALLM:
    case GS_OP_CALLMV:
    case GS_OP_CALLNAT:
        run(f, ctx, a + 2, b, true);
        return;
    case GS_OP_FORPREP:
    case GS_OP_FORLOOP:
        run(f, ctx, a, 3, true);
        return;
    case GS_OP_ITERNEW:
        f(ctx, a, true);
        return;
    case GS_OP_ITERNEXT:
        run(f, ctx, a, 3, true);
        return;
    case GS_OP_DEFERPUSH:
        f(ctx, a, true);
        run(f, ctx, b, c + 1, true);
        return;
    case GS_OP_DEFERCALL:
        f(ctx, b, true);
        return;
    default:
        break;
    }
    if (o->a == GS_OPND_R || o->a == GS_OPND_RW)
        f(ctx, a, true);
    if (o->b == GS_OPND_R)
        f(ctx, b, true);
    if (o->c == GS_OPND_R)
        f(ctx, c, true);
}

void gs_insn_defs(const struct gs_proto *p, gs_insn i, gs_reg_fn *f, void *ctx)
{
    enum gs_op op = gs_insn_op(i);
    const struct gs_opinfo *o = &gs_opinfo[op];
    uint32_t a = gs_insn_a(i), b = gs_insn_b(i);
    (void)p;
    switch (op) {
    case GS_OP_LOADNIL:
        run(f, ctx, a, b, true);
        return;
    case GS_OP_FORPREP:
        run(f, ctx, a, 3, true);
        f(ctx, a + 3, false);
        return;
    case GS_OP_FORLOOP:
        run(f, ctx, a, 2, false);
        f(ctx, a + 3, false);
        return;
    case GS_OP_ITERNEW:
        run(f, ctx, a, 3, true);
        return;
    case GS_OP_ITERNEXT:
        run(f, ctx, a + 1, 2, false);
        run(f, ctx, b, gs_insn_x(i) == 2 ? 2 : 1, false);
        return;
    default:
        break;
    }
    if (o->a == GS_OPND_W || o->a == GS_OPND_RW || o->a == GS_OPND_CL)
        f(ctx, a, op != GS_OP_DEFERCALL);
}

/* ---- liveness ---- */

static void set_reg(void *ctx, uint32_t reg, bool sure)
{
    (void)sure;
    uint64_t *s = ctx;
    s[reg / 64] |= (uint64_t)1 << reg % 64;
}

static void clear_reg(void *ctx, uint32_t reg, bool sure)
{
    uint64_t *s = ctx;
    if (sure)
        s[reg / 64] &= ~((uint64_t)1 << reg % 64);
}

static void clear_run(uint64_t *s, uint32_t reg, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        clear_reg(s, reg + i, true);
}

static bool join(uint64_t *to, const uint64_t *from, uint32_t words)
{
    bool changed = false;
    for (uint32_t i = 0; i < words; i++) {
        uint64_t was = to[i];
        to[i] |= from[i];
        changed |= to[i] != was;
    }
    return changed;
}

static bool ends(enum gs_op op)
{
    return op == GS_OP_RET || op == GS_OP_RETNIL || op == GS_OP_THROW || op == GS_OP_RETHROW ||
           op == GS_OP_JMP;
}

static bool transfer(struct gs_live *l, uint32_t pc, uint64_t *s)
{
    const struct gs_proto *p = l->p;
    gs_insn i = gs_hot_insn(p, p->code + pc);
    int32_t by;
    memset(s, 0, l->words * sizeof *s);
    /* What only one of two ways on defines is killed on that way: otherwise the variable of each loop would seem live
     * ever since the function began. */
    if (gs_insn_is_jump(i, &by))
        (void)join(s, l->in + (size_t)(pc + 1 + (uint32_t)by) * l->words, l->words);
    if (gs_insn_op(i) == GS_OP_FORLOOP)
        clear_reg(s, gs_insn_a(i) + 3u, true);
    if (gs_insn_op(i) == GS_OP_ITERNEXT)
        clear_run(s, gs_insn_b(i), gs_insn_x(i) == 2 ? 2 : 1);
    if (gs_insn_op(i) == GS_OP_FORPREP) {
        uint64_t none = s[(gs_insn_a(i) + 3u) / 64];
        (void)join(s, l->in + (size_t)(pc + 1) * l->words, l->words);
        clear_reg(s, gs_insn_a(i) + 3u, true);
        s[(gs_insn_a(i) + 3u) / 64] |= none & (uint64_t)1 << (gs_insn_a(i) + 3u) % 64;
    } else if (!ends(gs_insn_op(i))) {
        (void)join(s, l->in + (size_t)(pc + 1) * l->words, l->words);
    }
    gs_insn_defs(p, i, clear_reg, s);
    const struct gs_handler *h = gs_handler_at(p, pc);
    if (h != NULL) {
        uint64_t *c = l->catch + (size_t)pc * l->words;
        (void)join(c, l->in + (size_t)h->target * l->words, l->words);
        clear_reg(c, h->reg, true);
        (void)join(s, c, l->words);
    }
    gs_insn_uses(p, i, set_reg, s);
    return join(l->in + (size_t)pc * l->words, s, l->words);
}

struct gs_live *gs_live_make(const struct gs_proto *p)
{
    struct gs_live *l = calloc(1, sizeof *l);
    if (l == NULL)
        return NULL;
    l->p = p;
    l->words = (p->nregs + 66u) / 64u; /* FORLOOP's fourth register may be the last */
    l->in = calloc((size_t)(p->ncode + 1) * l->words, sizeof *l->in);
    l->catch = calloc((size_t)p->ncode * l->words, sizeof *l->catch);
    uint64_t *s = calloc(l->words, sizeof *s);
    bool changed = l->in != NULL && l->catch != NULL && s != NULL;
    while (changed) {
        changed = false;
        for (uint32_t pc = p->ncode; pc-- > 0;)
            changed |= transfer(l, pc, s);
    }
    if (l->in == NULL || l->catch == NULL || s == NULL) {
        free(s);
        gs_live_free(l);
        return NULL;
    }
    free(s);
    return l;
}

void gs_live_free(struct gs_live *l)
{
    if (l == NULL)
        return;
    free(l->in);
    free(l->catch);
    free(l);
}

/* ---- of a frame and its callers ---- */

/* Registers from `end` on belong to a callee's frame. */
static void each(const uint64_t *s, uint32_t words, uint32_t off, uint32_t end,
                 void (*fn)(void *ctx, uint32_t slot), void *ctx)
{
    for (uint32_t w = 0; w < words; w++) {
        for (uint64_t bits = s[w]; bits != 0; bits &= bits - 1) {
            uint32_t reg = w * 64 + (uint32_t)__builtin_ctzll(bits);
            if (reg < end)
                fn(ctx, off + reg);
        }
    }
}

/* What the callers of f need when it has returned, or when it throws. */
static void callers(const struct gs_frame *f, bool caught_only,
                    void (*fn)(void *ctx, uint32_t slot), void *ctx)
{
    for (; f->parent != NULL; f = f->parent) {
        const struct gs_frame *up = f->parent;
        const struct gs_live *l = up->live;
        uint32_t result = f->off - 2 - up->off;
        if (!caught_only)
            each(l->in + (size_t)(f->call_pc + 1) * l->words, l->words, up->off, result, fn, ctx);
        each(l->catch + (size_t)f->call_pc * l->words, l->words, up->off, result, fn, ctx);
    }
}

void gs_graph_live(const struct gs_frame *f, uint32_t pc, uint32_t end, void (*fn)(void *ctx, uint32_t slot), void *ctx)
{
    each(f->live->in + (size_t)pc * f->live->words, f->live->words, f->off, end, fn, ctx);
    callers(f, false, fn, ctx);
}

void gs_graph_live_catch(const struct gs_frame *f, uint32_t pc, uint32_t end, void (*fn)(void *ctx, uint32_t slot), void *ctx)
{
    each(f->live->catch + (size_t)pc * f->live->words, f->live->words, f->off, end, fn, ctx);
    callers(f, true, fn, ctx);
}
