/* SPDX-License-Identifier: MIT
 * emit_loop.c - loops: the instructions of ranges and iterations, strips, and what is checked before a strip. Rules: emit_int.h.
 *
 * Strips     Every innermost loop that calls nothing (loops.h) gets a block before its head, the strip's. A loop over a range runs through it once
 *            in many turns: there it polls, and learns how many turns are ahead,
 *                strip: n = min(turns left, what a strip may have)      head: body; n > 0: n -= 1, again; else to the strip, or out
 *            so that the loop inside is one that LLVM can count, unroll and, when no guard is left in it, make vectors of. R[A+1], the turns left,
 *            is only put together again where the loop is left. Other loops go through the block once, as they begin.
 * Before     In the strip stand the guards whose operands no turn changes: the kind and the storage of arrays, and, as the turns of a strip
 *            are known, the bounds of indices that are linear in the turn: c0 + c1 * t for t = 0 .. n lies within [0, len) when it does for
 *            t = 0 and t = n, both computed without overflow. Such a guard leaves with the state before the turn. When it fails it is charged to the
 *            instruction it was taken from, which then keeps its guard in the next unit; only instructions that every turn runs
 *            have their index checked here, so a failure means that the loop would have left all the same, unless it ends early.
 *            Likewise the shapes of objects, and the kinds of their fields that are read and wanted to be of one kind, unless the
 *            loop itself writes the field of some object with another kind, or gives any object another shape: facts (emit_fact.c) that
 *            hold in all blocks of the loop.
 */
#include <stdlib.h>
#include <string.h>

#include "debug.h"
#include "emit_int.h"

#define STRIP_NODES 16384u /* in a strip: some ten microseconds between two polls */
#define STRIP_TURNS 4096u

/* ---- what is known before the loop about a value inside it ---- */

enum what {
    ANYTHING, /* not known */
    SLOT,     /* what the invariant slot holds */
    LINEAR,   /* the int c0 + c1 * t in turn t of the strip */
    FIELD,    /* what a field of the object in the invariant slot holds in this turn */
};

struct known {
    enum what what;
    uint32_t slot, field;
    LLVMValueRef c0, c1; /* c1 NULL: 0 */
};

#define WRITTEN 16u

struct strip {
    struct gs_emit *e;
    const struct gs_loop *l;
    struct known *in;  /* nslots for each block of the loop, as it begins */
    bool *seen;        /* of each of its blocks: has an `in` */
    struct known *now; /* of each slot */
    const gs_kinds *k; /* in the middle of the block */
    LLVMValueRef turns; /* in this strip after the first; NULL: not known */
    struct {
        uint32_t slot;
        enum gs_store store;
        bool writes;
    } checked[32]; /* storage that has been looked at */
    uint32_t nchecked;
    struct {
        uint32_t field;
        gs_kinds k;
    } written[WRITTEN]; /* by the loop, to any object */
    uint32_t nwritten;
    bool fields; /* nothing in the loop changes the shape of an object, and `written` is all */
};

static struct known linear(LLVMValueRef c0, LLVMValueRef c1)
{
    return (struct known){.what = LINEAR, .c0 = c0, .c1 = c1};
}

static bool same(const struct known *x, const struct known *y)
{
    return x->what == y->what && x->slot == y->slot && x->field == y->field && x->c0 == y->c0 && x->c1 == y->c1;
}

static uint32_t number_in_loop(const struct gs_loop *l, uint32_t block)
{
    uint32_t i = 0;
    while (i < l->nblocks && l->block[i] != block)
        i++;
    return i;
}

static void merge(struct strip *s, uint32_t to)
{
    uint32_t i = number_in_loop(s->l, to), n = s->e->g->nslots;
    if (i == s->l->nblocks || i == 0)
        return;
    struct known *in = s->in + (size_t)i * n;
    if (!s->seen[i])
        memcpy(in, s->now, n * sizeof *in);
    s->seen[i] = true;
    for (uint32_t j = 0; j < n; j++) {
        if (!same(&in[j], &s->now[j]))
            in[j].what = ANYTHING;
    }
}

/* A guard before the loop in the name of n, once the value of an invariant slot is to be of kind k. False: it never can be. */
static bool narrow(struct strip *s, uint32_t slot, gs_kinds k)
{
    struct gs_emit *e = s->e;
    struct gs_val *v = &e->cur[slot];
    if (v->w == NULL || (v->k & k) == 0)
        return false;
    if (v->k == k)
        return true;
    gs_guard(e, gs_is_kind(e, *v, k));
    *v = gs_as(e, *v, k);
    return true;
}

/* The operand as an int of the strip, or ANYTHING. */
static struct known as_int(struct strip *s, unsigned operand, uint32_t field)
{
    struct gs_emit *e = s->e;
    if (operand == GS_OPND_K || operand != GS_OPND_R) {
        gs_value k = operand == GS_OPND_K ? e->n->frame->p->k[field] : gs_int((int16_t)field);
        return gs_is(k, GS_T_INT) ? linear(gs_i64(e, k.i), NULL) : (struct known){.what = ANYTHING};
    }
    struct known x = s->now[e->n->frame->off + field];
    if (x.what == SLOT)
        return narrow(s, x.slot, GS_K_INT) ? linear(e->cur[x.slot].w, NULL) : (struct known){.what = ANYTHING};
    return x.what == LINEAR ? x : (struct known){.what = ANYTHING};
}

static LLVMValueRef sum(struct gs_emit *e, bool minus, LLVMValueRef x, LLVMValueRef y)
{
    if (y == NULL)
        return x;
    if (x == NULL)
        x = gs_i64(e, 0);
    return minus ? LLVMBuildSub(e->b, x, y, "") : LLVMBuildAdd(e->b, x, y, "");
}

/* The result of an int operation. */
static struct known computed(struct strip *s, const struct gs_step *step)
{
    struct gs_emit *e = s->e;
    const struct gs_node *n = e->n;
    const struct gs_opinfo *o = &gs_opinfo[n->op];
    struct known none = {.what = ANYTHING};
    enum gs_arith op = gs_arith_of((enum gs_op)n->op);
    if (step->how != GS_HOW_INT || n->miss != 0 || (op != GS_AR_ADD && op != GS_AR_SUB && op != GS_AR_MUL))
        return none;
    struct known x = as_int(s, o->b, n->b), y = as_int(s, o->c, n->c);
    if (x.what != LINEAR || y.what != LINEAR)
        return none;
    if (op != GS_AR_MUL)
        return linear(sum(e, op == GS_AR_SUB, x.c0, y.c0), sum(e, op == GS_AR_SUB, x.c1, y.c1));
    if (x.c1 != NULL && y.c1 != NULL)
        return none;
    LLVMValueRef c1 = x.c1 != NULL ? LLVMBuildMul(e->b, x.c1, y.c0, "") : y.c1 != NULL ? LLVMBuildMul(e->b, y.c1, x.c0, "") : NULL;
    return linear(LLVMBuildMul(e->b, x.c0, y.c0, ""), c1);
}

/* ---- guards before the loop ---- */

/* x op y and whether it overflows. */
static LLVMValueRef with_overflow(struct gs_emit *e, const char *name, LLVMValueRef x, LLVMValueRef y, LLVMValueRef *overflow)
{
    unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
    LLVMTypeRef t = LLVMIntrinsicGetType(e->c, id, &e->i64, 1);
    LLVMValueRef args[2] = {x, y}, f = LLVMGetIntrinsicDeclaration(e->m, id, &e->i64, 1);
    LLVMValueRef r = LLVMBuildCall2(e->b, t, f, args, 2, ""), o = LLVMBuildExtractValue(e->b, r, 1, "");
    *overflow = *overflow == NULL ? o : LLVMBuildOr(e->b, *overflow, o, "");
    return LLVMBuildExtractValue(e->b, r, 0, "");
}

/* The index is within the array in all turns of the strip. */
static bool check_index(struct strip *s, LLVMValueRef array, const struct known *x)
{
    struct gs_emit *e = s->e;
    LLVMValueRef len = gs_len_of(e, array), overflow = NULL;
    LLVMValueRef first = LLVMBuildICmp(e->b, LLVMIntULT, x->c0, len, "");
    if (x->c1 == NULL) {
        gs_guard(e, first);
        return true;
    }
    if (s->turns == NULL)
        return false;
    LLVMValueRef last = with_overflow(e, "llvm.smul.with.overflow", x->c1, s->turns, &overflow);
    last = with_overflow(e, "llvm.sadd.with.overflow", last, x->c0, &overflow);
    LLVMValueRef in = LLVMBuildAnd(e->b, first, LLVMBuildICmp(e->b, LLVMIntULT, last, len, ""), "");
    gs_guard(e, LLVMBuildAnd(e->b, in, LLVMBuildNot(e->b, overflow, ""), ""));
    return true;
}

static void check_store(struct strip *s, uint32_t slot, LLVMValueRef array, enum gs_store store, bool writes)
{
    for (uint32_t i = 0; i < s->nchecked; i++) {
        if (s->checked[i].slot == slot && s->checked[i].store == store && s->checked[i].writes >= writes)
            return;
    }
    gs_guard_store(s->e, array, store, writes);
    if (s->nchecked < sizeof s->checked / sizeof s->checked[0]) {
        s->checked[s->nchecked].slot = slot;
        s->checked[s->nchecked].store = store;
        s->checked[s->nchecked++].writes = writes;
    }
}

/* The guards of an access to an array that can stand before the loop do so. always: every turn comes to it. */
static void access(struct strip *s, const struct gs_step *step, bool always)
{
    struct gs_emit *e = s->e;
    const struct gs_node *n = e->n;
    bool iterates = n->op == GS_OP_ITERNEXT, writes = n->op == GS_OP_SETINDEX;
    const struct known *a = &s->now[n->frame->off + (writes || iterates ? n->a : n->b)];
    if (step->how != (iterates ? GS_HOW_PLAIN : GS_HOW_STORE) || n->miss != 0 || a->what != SLOT ||
        !narrow(s, a->slot, GS_K(GS_T_ARRAY)))
        return;
    LLVMValueRef array = gs_pointer(e, e->cur[a->slot].w);
    check_store(s, a->slot, array, step->store, writes);
    uint8_t *sure = &e->sure[n - e->g->node];
    *sure |= GS_SURE_STORE;
    if (!always || iterates)
        return;
    const struct gs_opinfo *o = &gs_opinfo[n->op];
    struct known x = writes ? as_int(s, o->b, n->b) : as_int(s, o->c, n->c);
    if (x.what == LINEAR && check_index(s, array, &x))
        *sure |= GS_SURE_INDEX;
}

/* ---- fields ---- */

/* What the loop writes to fields. */
static void look_at_writes(struct strip *s, gs_kinds *k)
{
    struct gs_emit *e = s->e;
    const struct gs_graph *g = e->g;
    s->fields = true;
    for (uint32_t i = 0; i < s->l->nblocks; i++) {
        const struct gs_block *b = &g->block[s->l->block[i]];
        memcpy(k, e->t->in + (size_t)s->l->block[i] * g->nslots, g->nslots * sizeof *k);
        for (uint32_t j = 0; j < b->n; j++) {
            const struct gs_node *n = &g->node[b->first + j];
            struct gs_step step = gs_types_step(e->t, n, k);
            if (n->kind != GS_N_OP || n->op != GS_OP_SETFIELD)
                continue;
            if (step.how != GS_HOW_SHAPE || !gs_only_existing(n) || gs_only_field(n) == GS_FACT_SOME || s->nwritten == WRITTEN) {
                s->fields = false;
                return;
            }
            s->written[s->nwritten].field = gs_only_field(n);
            s->written[s->nwritten++].k = step.want[1];
        }
    }
}

/* The field that an instruction reads or writes in an object that no turn changes: its shape is looked at before the loop. */
static struct known field(struct strip *s, const struct gs_step *step)
{
    struct gs_emit *e = s->e;
    const struct gs_node *n = e->n;
    struct known none = {.what = ANYTHING};
    const struct known *o = &s->now[n->frame->off + (n->op == GS_OP_SETFIELD ? n->a : n->b)];
    uint32_t shape = (uint32_t)(n->ic[0] & 0xffffffu), at = gs_only_field(n);
    if (!s->fields || step->how != GS_HOW_SHAPE || n->miss != 0 || at == GS_FACT_SOME || o->what != SLOT ||
        !narrow(s, o->slot, GS_K(GS_T_OBJECT)))
        return none;
    LLVMValueRef w = e->cur[o->slot].w;
    if (!gs_fact_shape(e, w, shape)) {
        gs_guard_shape(e, w, shape);
        gs_fact_is_shape(e, w, shape);
    }
    return (struct known){.what = FIELD, .slot = o->slot, .field = at};
}

/* An instruction wants a field to be of one kind: looks before the loop whether it is, when that cannot change in it. */
static void want_field(struct strip *s, const struct known *x, gs_kinds k)
{
    struct gs_emit *e = s->e;
    LLVMValueRef w = e->cur[x->slot].w;
    if (!gs_kinds_single(k) || e->n->miss != 0 || gs_kinds_single(gs_fact_kinds(e, w, x->field)))
        return;
    for (uint32_t i = 0; i < s->nwritten; i++) {
        if (s->written[i].field == x->field && s->written[i].k != k)
            return;
    }
    LLVMValueRef tag = gs_load_tag(e, gs_field_at(e, gs_pointer(e, w), gs_i64(e, x->field)), GS_MEM_SLOTS);
    gs_guard(e, LLVMBuildICmp(e->b, LLVMIntEQ, tag, gs_i64(e, __builtin_ctz(k)), ""));
    gs_fact_stored(e, w, x->field, k);
}

/* The fields among the operands. */
static void want_fields(struct strip *s, const struct gs_step *step)
{
    const struct gs_node *n = s->e->n;
    const struct gs_opinfo *o = &gs_opinfo[n->op];
    const struct {
        unsigned operand;
        uint32_t reg;
    } at[3] = {{o->a, n->a}, {o->b, n->b}, {o->c, n->c}};
    for (unsigned i = 0; i < 3; i++) {
        if (at[i].operand != GS_OPND_R)
            continue;
        struct known x = s->now[n->frame->off + at[i].reg];
        if (x.what == FIELD)
            want_field(s, &x, step->want[i]);
    }
}

/* ---- over the loop ---- */

static void forget(void *ctx, uint32_t reg, bool sure)
{
    struct strip *s = ctx;
    (void)sure;
    s->now[s->e->n->frame->off + reg].what = ANYTHING;
}

static void pass_over(struct strip *s, const struct gs_step *step, bool always)
{
    struct gs_emit *e = s->e;
    const struct gs_node *n = e->n;
    uint32_t off = n->frame->off;
    struct known result = {.what = ANYTHING};
    if (n->kind == GS_N_RETURN) {
        s->now[off - 2] = n->op == GS_OP_RET ? s->now[off + n->a] : result;
        return;
    }
    if (n->kind == GS_N_INLINE) {
        s->now[off + n->a].what = ANYTHING;
        for (uint32_t i = n->callee->nparams; i < n->callee->nregs; i++)
            s->now[off + n->a + 2 + i].what = ANYTHING;
        return;
    }
    if (n->kind != GS_N_OP)
        return;
    want_fields(s, step);
    switch ((enum gs_op)n->op) {
    case GS_OP_MOVE:
        result = s->now[off + n->b];
        break;
    case GS_OP_GETFIELD:
        result = field(s, step);
        break;
    case GS_OP_SETFIELD:
        (void)field(s, step);
        break;
    case GS_OP_LOADI:
        result = linear(gs_i64(e, n->bx), NULL);
        break;
    case GS_OP_LOADK:
        if (gs_is(n->frame->p->k[n->bx], GS_T_INT))
            result = linear(gs_i64(e, n->frame->p->k[n->bx].i), NULL);
        break;
    case GS_OP_ADD:
    case GS_OP_SUB:
    case GS_OP_MUL:
    case GS_OP_ADDI:
    case GS_OP_SUBI:
    case GS_OP_MULI:
    case GS_OP_ADDK:
    case GS_OP_SUBK:
    case GS_OP_MULK:
    case GS_OP_KSUB:
        result = computed(s, step);
        break;
    case GS_OP_GETINDEX:
    case GS_OP_GETINDEXI:
    case GS_OP_SETINDEX:
    case GS_OP_ITERNEXT:
        access(s, step, always);
        break;
    default:
        break;
    }
    gs_insn_defs(n->frame->p, gs_hot_insn(n->frame->p, n->frame->p->code + n->pc), forget, s);
    if (result.what != ANYTHING)
        s->now[off + n->a] = result;
}

/* Emits guards for the whole loop into the strip's block. */
static void check_before(struct strip *s, gs_kinds *k)
{
    struct gs_emit *e = s->e;
    const struct gs_graph *g = e->g;
    for (uint32_t i = 0; i < s->l->nblocks; i++) {
        const struct gs_block *b = &g->block[s->l->block[i]];
        if (!s->seen[i])
            continue;
        memcpy(s->now, s->in + (size_t)i * g->nslots, g->nslots * sizeof *s->now);
        memcpy(k, e->t->in + (size_t)s->l->block[i] * g->nslots, g->nslots * sizeof *k);
        for (uint32_t j = 0; j < b->n; j++) {
            e->n = &g->node[b->first + j];
            struct gs_step step = gs_types_step(e->t, e->n, k);
            pass_over(s, &step, s->l->always[i]);
        }
        for (uint32_t j = 0; j < b->nsucc; j++)
            merge(s, b->succ[j]);
    }
}

static void begin_known(struct strip *s)
{
    struct gs_emit *e = s->e;
    uint32_t nslots = e->g->nslots;
    for (uint32_t i = 0; i < nslots; i++) {
        s->in[i].what = ANYTHING;
        if (e->cur[i].w != NULL && !gs_loop_stores(s->l, i))
            s->in[i] = (struct known){.what = SLOT, .slot = i};
    }
    s->seen[0] = true;
    if (s->l->range != NULL) {
        uint32_t a = s->l->range->frame->off + s->l->range->a;
        s->in[a] = s->in[a + 3] = linear(e->cur[a].w, e->cur[a + 2].w);
    }
}

/* The strip's block ends: on to the head. */
void gs_emit_strip(struct gs_emit *e, const struct gs_loop *l, struct gs_strip *p)
{
    uint32_t nslots = e->g->nslots;
    const struct gs_node *head = &e->g->node[e->g->block[l->head].first];
    struct strip s = {.e = e, .l = l};
    LLVMPositionBuilderAtEnd(e->b, p->block);
    memcpy(e->cur, p->phi, nslots * sizeof *e->cur);
    gs_virtual_begin(e, l->head);
    e->n = head;
    gs_debug_at(e, head);
    gs_begin_segment(e);
    if (l->range != NULL) {
        uint32_t most = STRIP_NODES / (l->nodes + 1);
        LLVMValueRef limit = gs_i64(e, most < STRIP_TURNS ? most : STRIP_TURNS);
        e->n = l->range;
        (void)gs_want(e, l->range->a, GS_K_INT);
        LLVMValueRef left = gs_want(e, l->range->a + 1u, GS_K_INT).w;
        (void)gs_want(e, l->range->a + 2u, GS_K_INT);
        LLVMValueRef few = LLVMBuildICmp(e->b, LLVMIntULT, left, limit, "");
        s.turns = LLVMBuildSelect(e->b, few, left, limit, "");
        p->behind = LLVMBuildSub(e->b, left, s.turns, "");
    }
    gs_kinds *k = malloc(nslots * sizeof *k);
    s.in = calloc((size_t)l->nblocks * nslots, sizeof *s.in);
    s.now = calloc(nslots, sizeof *s.now);
    s.seen = calloc(l->nblocks, sizeof *s.seen);
    if (k != NULL && s.in != NULL && s.now != NULL && s.seen != NULL) {
        begin_known(&s);
        gs_facts_forget(e);
        look_at_writes(&s, k);
        check_before(&s, k);
        memcpy(p->fact, e->fact, sizeof p->fact);
        p->nfacts = e->nfacts;
    }
    free(k);
    free(s.in);
    free(s.now);
    free(s.seen);
    gs_next_turn(e, l->head, s.turns);
    memcpy(p->cur, e->cur, nslots * sizeof *e->cur);
}

/* ---- ranges ---- */

/* Where there is nothing to do it goes to succ[0], else on with the first value. */
void gs_emit_forprep(struct gs_emit *e, uint32_t block)
{
    const struct gs_node *n = e->n;
    LLVMValueRef start = gs_want(e, n->a, GS_K_INT).w, stop = gs_want(e, n->a + 1u, GS_K_INT).w;
    LLVMValueRef step = gs_want(e, n->a + 2u, GS_K_INT).w, any, left;
    if (LLVMIsAConstantInt(step) && LLVMConstIntGetSExtValue(step) == 1) {
        any = LLVMBuildICmp(e->b, LLVMIntSLT, start, stop, "");
        left = LLVMBuildSub(e->b, LLVMBuildSub(e->b, stop, start, ""), gs_i64(e, 1), "");
    } else {
        LLVMValueRef zero = gs_i64(e, 0);
        gs_guard(e, LLVMBuildICmp(e->b, LLVMIntNE, step, zero, ""));
        LLVMValueRef up = LLVMBuildICmp(e->b, LLVMIntSGT, step, zero, "");
        LLVMValueRef lo = LLVMBuildSelect(e->b, up, start, stop, ""), hi = LLVMBuildSelect(e->b, up, stop, start, "");
        LLVMValueRef by = LLVMBuildSelect(e->b, up, step, LLVMBuildSub(e->b, zero, step, ""), "");
        any = LLVMBuildICmp(e->b, LLVMIntSLT, lo, hi, "");
        left = LLVMBuildSub(e->b, LLVMBuildSub(e->b, hi, lo, ""), gs_i64(e, 1), "");
        left = LLVMBuildUDiv(e->b, left, by, "");
    }
    LLVMBasicBlockRef none = gs_new_block(e, ""), some = gs_new_block(e, "");
    LLVMBuildCondBr(e->b, any, some, none);
    LLVMPositionBuilderAtEnd(e->b, none);
    gs_goto(e, e->g->block[block].succ[0]);
    LLVMPositionBuilderAtEnd(e->b, some);
    gs_set(e, n->a + 1u, gs_val_single(GS_T_INT, left));
    gs_set(e, n->a + 3u, gs_val_single(GS_T_INT, start));
    gs_goto(e, e->g->block[block].succ[1]);
    e->ended = true;
}

/* On to the next turn. */
static void next_turn(struct gs_emit *e, LLVMValueRef left)
{
    uint32_t a = e->n->a;
    LLVMValueRef next = LLVMBuildAdd(e->b, gs_get(e, a).w, gs_get(e, a + 2u).w, "");
    gs_set(e, a, gs_val_single(GS_T_INT, next));
    gs_set(e, a + 1u, gs_val_single(GS_T_INT, left));
    gs_set(e, a + 3u, gs_val_single(GS_T_INT, next));
}

/* The end of a turn of a loop that has strips: its own poll. */
static void end_turn(struct gs_emit *e, uint32_t block, struct gs_strip *p)
{
    const struct gs_node *n = e->n;
    LLVMBasicBlockRef more = gs_new_block(e, ""), over = gs_new_block(e, ""), end = gs_new_block(e, ""), rest = gs_new_block(e, "");
    LLVMBuildCondBr(e->b, LLVMBuildICmp(e->b, LLVMIntNE, p->turns, gs_i64(e, 0), ""), more, over);
    LLVMPositionBuilderAtEnd(e->b, over);
    struct gs_val last = gs_get(e, n->a), first = gs_get(e, n->a + 3u);
    LLVMBuildCondBr(e->b, LLVMBuildICmp(e->b, LLVMIntNE, p->behind, gs_i64(e, 0), ""), rest, end);
    LLVMPositionBuilderAtEnd(e->b, rest);
    gs_poll(e);
    next_turn(e, LLVMBuildSub(e->b, p->behind, gs_i64(e, 1), ""));
    gs_goto_strip(e, p);
    LLVMPositionBuilderAtEnd(e->b, end);
    gs_set(e, n->a, last);
    gs_set(e, n->a + 1u, gs_val_single(GS_T_INT, gs_i64(e, 0)));
    gs_set(e, n->a + 3u, first);
    gs_goto(e, e->g->block[block].succ[1]);
    LLVMPositionBuilderAtEnd(e->b, more);
    next_turn(e, gs_i64(e, 0)); /* not stored as such: see the head */
    gs_next_turn(e, e->g->block[block].succ[0], LLVMBuildSub(e->b, p->turns, gs_i64(e, 1), ""));
}

void gs_emit_forloop(struct gs_emit *e, uint32_t block)
{
    const struct gs_node *n = e->n;
    (void)gs_want(e, n->a, GS_K_INT);
    LLVMValueRef left = gs_want(e, n->a + 1u, GS_K_INT).w;
    (void)gs_want(e, n->a + 2u, GS_K_INT);
    struct gs_strip *p = gs_strip_of(e, e->g->block[block].succ[0]);
    e->ended = true;
    if (p != NULL && p->turns != NULL) {
        end_turn(e, block, p);
        return;
    }
    LLVMBasicBlockRef more = gs_new_block(e, ""), end = gs_new_block(e, "");
    LLVMBuildCondBr(e->b, LLVMBuildICmp(e->b, LLVMIntNE, left, gs_i64(e, 0), ""), more, end);
    LLVMPositionBuilderAtEnd(e->b, end);
    gs_goto(e, e->g->block[block].succ[1]);
    LLVMPositionBuilderAtEnd(e->b, more);
    next_turn(e, LLVMBuildSub(e->b, left, gs_i64(e, 1), ""));
    gs_goto(e, e->g->block[block].succ[0]);
}
