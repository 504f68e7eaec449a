/* SPDX-License-Identifier: MIT
 * emit_ops.c - one instruction at a time, but calls. Rules: emit_int.h.
 */
#include <stdlib.h>
#include <string.h>

#include "emit_int.h"
#include "shape.h"

/* ---- arithmetic ---- */

enum gs_arith gs_arith_of(enum gs_op op)
{
    switch (op) {
    case GS_OP_ADD:
    case GS_OP_ADDI:
    case GS_OP_ADDK:
        return GS_AR_ADD;
    case GS_OP_SUB:
    case GS_OP_SUBI:
    case GS_OP_SUBK:
    case GS_OP_KSUB:
        return GS_AR_SUB;
    case GS_OP_MUL:
    case GS_OP_MULI:
    case GS_OP_MULK:
        return GS_AR_MUL;
    case GS_OP_DIV:
    case GS_OP_DIVI:
    case GS_OP_DIVK:
    case GS_OP_KDIV:
        return GS_AR_DIV;
    case GS_OP_MOD:
    case GS_OP_MODI:
    case GS_OP_MODK:
        return GS_AR_MOD;
    case GS_OP_BAND:
    case GS_OP_BANDI:
        return GS_AR_AND;
    case GS_OP_BOR:
        return GS_AR_OR;
    case GS_OP_BXOR:
        return GS_AR_XOR;
    case GS_OP_SHL:
    case GS_OP_SHLI:
        return GS_AR_SHL;
    default:
        return GS_AR_SHR;
    }
}

/* The operand that opcode.def calls b or c: a register, a constant or the small int. */
static struct gs_val operand(struct gs_emit *e, unsigned kind, uint32_t field, gs_kinds want)
{
    switch (kind) {
    case GS_OPND_R:
        return want != 0 ? gs_want(e, field, want) : gs_get(e, field);
    case GS_OPND_K:
        return gs_val_constant(e, e->n->frame->p->k[field]);
    default:
        return gs_val_constant(e, gs_int((int16_t)field));
    }
}

static LLVMValueRef not_zero_nor_minus_one(struct gs_emit *e, LLVMValueRef y)
{
    LLVMValueRef up = LLVMBuildAdd(e->b, y, gs_i64(e, 1), "");
    return LLVMBuildICmp(e->b, LLVMIntUGT, up, gs_i64(e, 1), "");
}

static LLVMValueRef int_op(struct gs_emit *e, enum gs_arith op, LLVMValueRef x, LLVMValueRef y)
{
    LLVMValueRef count;
    switch (op) {
    case GS_AR_ADD:
        return LLVMBuildAdd(e->b, x, y, "");
    case GS_AR_SUB:
        return LLVMBuildSub(e->b, x, y, "");
    case GS_AR_MUL:
        return LLVMBuildMul(e->b, x, y, "");
    case GS_AR_DIV:
        return LLVMBuildSDiv(e->b, x, y, "");
    case GS_AR_MOD:
        return LLVMBuildSRem(e->b, x, y, "");
    case GS_AR_AND:
        return LLVMBuildAnd(e->b, x, y, "");
    case GS_AR_OR:
        return LLVMBuildOr(e->b, x, y, "");
    case GS_AR_XOR:
        return LLVMBuildXor(e->b, x, y, "");
    default:
        count = LLVMBuildAnd(e->b, y, gs_i64(e, 63), "");
        return op == GS_AR_SHL ? LLVMBuildShl(e->b, x, count, "") : LLVMBuildAShr(e->b, x, count, "");
    }
}

static LLVMValueRef float_op(struct gs_emit *e, enum gs_arith op, LLVMValueRef x, LLVMValueRef y)
{
    LLVMValueRef args[2] = {x, y};
    switch (op) {
    case GS_AR_ADD:
        return LLVMBuildFAdd(e->b, x, y, "");
    case GS_AR_SUB:
        return LLVMBuildFSub(e->b, x, y, "");
    case GS_AR_MUL:
        return LLVMBuildFMul(e->b, x, y, "");
    case GS_AR_DIV:
        return LLVMBuildFDiv(e->b, x, y, "");
    default:
        return gs_helper(e, "gs_c_fmod", args, 2);
    }
}

/* The result that a helper has left in the register's place. */
static void take_result(struct gs_emit *e, uint32_t reg, gs_kinds k)
{
    gs_set(e, reg, gs_load_value(e, gs_slot_at(e, e->n->frame->off + reg), k, GS_MEM_STACK));
}

static LLVMValueRef result_at(struct gs_emit *e, uint32_t reg)
{
    return gs_slot_at(e, e->n->frame->off + reg);
}

static void arith_by_helper(struct gs_emit *e, enum gs_arith op, struct gs_val x, struct gs_val y)
{
    LLVMValueRef args[7] = {e->vm, gs_i32(e, op), gs_word(e, x), gs_tag(e, x), gs_word(e, y), gs_tag(e, y),
                            result_at(e, e->n->a)};
    gs_save(e);
    gs_check(e, gs_helper(e, "gs_c_arith", args, 7));
}

/* Ints; the helper knows what comes of a divisor of 0 or -1. */
static void divide(struct gs_emit *e, enum gs_arith op, struct gs_val x, struct gs_val y)
{
    LLVMBasicBlockRef fast = gs_new_block(e, ""), slow = gs_new_block(e, ""), on = gs_new_block(e, "");
    gs_branch(e, not_zero_nor_minus_one(e, y.w), fast, slow);
    LLVMPositionBuilderAtEnd(e->b, fast);
    LLVMValueRef in[2] = {int_op(e, op, x.w, y.w), NULL};
    LLVMBuildBr(e->b, on);
    LLVMPositionBuilderAtEnd(e->b, slow);
    arith_by_helper(e, op, x, y);
    in[1] = gs_load_value(e, result_at(e, e->n->a), GS_K_INT, GS_MEM_STACK).w;
    LLVMBasicBlockRef from[2] = {fast, LLVMGetInsertBlock(e->b)};
    LLVMBuildBr(e->b, on);
    LLVMPositionBuilderAtEnd(e->b, on);
    LLVMValueRef phi = LLVMBuildPhi(e->b, e->i64, "");
    LLVMAddIncoming(phi, in, from, 2);
    gs_set(e, e->n->a, gs_val_single(GS_T_INT, phi));
}

static void arith(struct gs_emit *e, const struct gs_step *s)
{
    const struct gs_node *n = e->n;
    const struct gs_opinfo *o = &gs_opinfo[n->op];
    enum gs_arith op = gs_arith_of((enum gs_op)n->op);
    struct gs_val x = operand(e, o->b, n->b, s->want[1]), y = operand(e, o->c, n->c, s->want[2]);
    bool divides = op == GS_AR_DIV || op == GS_AR_MOD;
    if (s->how == GS_HOW_DIVIDE) {
        divide(e, op, x, y);
    } else if (s->how == GS_HOW_INT) {
        if (divides)
            gs_guard(e, not_zero_nor_minus_one(e, y.w));
        gs_set(e, n->a, gs_val_single(GS_T_INT, int_op(e, op, x.w, y.w)));
    } else if (s->how == GS_HOW_FLOAT) {
        gs_set(e, n->a, gs_val_single(GS_T_FLOAT, float_op(e, op, gs_to_double(e, x), gs_to_double(e, y))));
    } else if (s->how == GS_HOW_NUM && !divides) {
        LLVMValueRef ints = LLVMBuildAnd(e->b, gs_is_kind(e, x, GS_K_INT), gs_is_kind(e, y, GS_K_INT), "");
        LLVMValueRef i = int_op(e, op, gs_word(e, x), gs_word(e, y));
        LLVMValueRef d = float_op(e, op, gs_to_double(e, x), gs_to_double(e, y));
        LLVMValueRef w = LLVMBuildSelect(e->b, ints, i, LLVMBuildBitCast(e->b, d, e->i64, ""), "");
        LLVMValueRef tag = LLVMBuildSelect(e->b, ints, gs_i64(e, GS_T_INT), gs_i64(e, GS_T_FLOAT), "");
        gs_set(e, n->a, (struct gs_val){w, tag, GS_K_NUM});
    } else {
        arith_by_helper(e, op, x, y);
        take_result(e, n->a, s->result);
    }
}

static void unary(struct gs_emit *e, const struct gs_step *s)
{
    const struct gs_node *n = e->n;
    bool neg = n->op == GS_OP_NEG;
    struct gs_val x = s->want[1] != 0 ? gs_want(e, n->b, s->want[1]) : gs_get(e, n->b);
    if (s->how == GS_HOW_INT) {
        LLVMValueRef v = neg ? LLVMBuildSub(e->b, gs_i64(e, 0), x.w, "") : LLVMBuildNot(e->b, x.w, "");
        gs_set(e, n->a, gs_val_single(GS_T_INT, v));
    } else if (s->how == GS_HOW_FLOAT) {
        gs_set(e, n->a, gs_val_single(GS_T_FLOAT, LLVMBuildFNeg(e->b, x.w, "")));
    } else {
        LLVMValueRef args[4] = {e->vm, gs_word(e, x), gs_tag(e, x), result_at(e, n->a)};
        gs_save(e);
        gs_check(e, gs_helper(e, neg ? "gs_c_neg" : "gs_c_bnot", args, 4));
        take_result(e, n->a, s->result);
    }
}

/* ---- truth and comparison: each gives an i1 ---- */

static LLVMValueRef truth(struct gs_emit *e, struct gs_val v)
{
    if (v.k == GS_K_NIL)
        return LLVMConstInt(e->i1, 0, 0);
    if ((v.k & ~(GS_K_NIL | GS_K_BOOL | GS_K_INT)) == 0) /* nil's payload is 0 */
        return LLVMBuildICmp(e->b, LLVMIntNE, gs_word(e, v), gs_i64(e, 0), "");
    LLVMValueRef args[2] = {gs_word(e, v), gs_tag(e, v)};
    return LLVMBuildICmp(e->b, LLVMIntNE, gs_helper(e, "gs_c_truthy", args, 2), gs_i32(e, 0), "");
}

enum relation { REL_LT, REL_LE, REL_GT, REL_GE, REL_EQ };

static LLVMValueRef relation_by_helper(struct gs_emit *e, enum relation r, struct gs_val x, struct gs_val y)
{
    if (r == REL_EQ) {
        LLVMValueRef args[4] = {gs_word(e, x), gs_tag(e, x), gs_word(e, y), gs_tag(e, y)};
        return LLVMBuildICmp(e->b, LLVMIntNE, gs_helper(e, "gs_c_equal", args, 4), gs_i32(e, 0), "");
    }
    /* As in interp.c: > and >= compare the other way round, and say so for the message. */
    bool turned = r == REL_GT || r == REL_GE;
    bool swapped = turned ? e->n->x == 0 : e->n->x != 0;
    uint32_t flags = (r == REL_LE || r == REL_GE ? 1u : 0u) | (swapped ? 2u : 0u);
    struct gs_val l = turned ? y : x, m = turned ? x : y;
    LLVMValueRef args[6] = {e->vm, gs_i32(e, flags), gs_word(e, l), gs_tag(e, l), gs_word(e, m), gs_tag(e, m)};
    gs_save(e);
    /* 0, 1, or 2 + status */
    LLVMValueRef answer = gs_helper(e, "gs_c_compare", args, 6);
    LLVMValueRef failed = LLVMBuildICmp(e->b, LLVMIntUGT, answer, gs_i32(e, 1), "");
    LLVMValueRef status = LLVMBuildSelect(e->b, failed, LLVMBuildSub(e->b, answer, gs_i32(e, 2), ""), gs_i32(e, GS_OK), "");
    gs_check(e, status);
    return LLVMBuildICmp(e->b, LLVMIntNE, answer, gs_i32(e, 0), "");
}

static LLVMValueRef relation(struct gs_emit *e, enum gs_how how, enum relation r, struct gs_val x, struct gs_val y)
{
    static const LLVMIntPredicate ints[] = {LLVMIntSLT, LLVMIntSLE, LLVMIntSGT, LLVMIntSGE, LLVMIntEQ};
    static const LLVMRealPredicate floats[] = {LLVMRealOLT, LLVMRealOLE, LLVMRealOGT, LLVMRealOGE, LLVMRealOEQ};
    if (how == GS_HOW_INT)
        return LLVMBuildICmp(e->b, ints[r], x.w, y.w, "");
    if (how == GS_HOW_FLOAT)
        return LLVMBuildFCmp(e->b, floats[r], gs_to_double(e, x), gs_to_double(e, y), "");
    return relation_by_helper(e, r, x, y);
}

/* A conditional jump that compares R[A] with B. */
static LLVMValueRef jump_relation(struct gs_emit *e, const struct gs_step *s, enum relation r)
{
    const struct gs_node *n = e->n;
    struct gs_val x = s->want[0] != 0 ? gs_want(e, n->a, s->want[0]) : gs_get(e, n->a);
    struct gs_val y = operand(e, gs_opinfo[n->op].b, n->b, s->want[1]);
    return relation(e, s->how, r, x, y);
}

static void set_bool(struct gs_emit *e, LLVMValueRef i1)
{
    gs_set(e, e->n->a, gs_val_single(GS_T_BOOL, LLVMBuildZExt(e->b, i1, e->i64, "")));
}

static void store_relation(struct gs_emit *e, const struct gs_step *s, enum relation r, bool negated)
{
    const struct gs_node *n = e->n;
    struct gs_val x = s->want[1] != 0 ? gs_want(e, n->b, s->want[1]) : gs_get(e, n->b);
    struct gs_val y = s->want[2] != 0 ? gs_want(e, n->c, s->want[2]) : gs_get(e, n->c);
    LLVMValueRef v = relation(e, s->how, r, x, y);
    set_bool(e, negated ? LLVMBuildNot(e->b, v, "") : v);
}

static bool conditional(struct gs_emit *e, const struct gs_step *s, LLVMValueRef *cond)
{
    const struct gs_node *n = e->n;
    struct gs_val v;
    bool negated = false;
    switch ((enum gs_op)n->op) {
    case GS_OP_JF:
        negated = true;
        __attribute__((fallthrough));
    case GS_OP_JT:
        *cond = truth(e, gs_get(e, n->a));
        break;
    case GS_OP_JNNIL:
        negated = true;
        __attribute__((fallthrough));
    case GS_OP_JNIL:
        *cond = gs_is_kind(e, gs_get(e, n->a), GS_K_NIL);
        break;
    case GS_OP_JSET:
        v = gs_get(e, n->a);
        *cond = gs_is_kind(e, v, GS_K(GS_T_UNSET));
        negated = true;
        break;
    case GS_OP_JNE:
    case GS_OP_JNEK:
    case GS_OP_JNEI:
        negated = true;
        __attribute__((fallthrough));
    case GS_OP_JEQ:
    case GS_OP_JEQK:
    case GS_OP_JEQI:
        *cond = jump_relation(e, s, REL_EQ);
        break;
    case GS_OP_JNLT:
    case GS_OP_JNLTI:
        negated = true;
        __attribute__((fallthrough));
    case GS_OP_JLT:
    case GS_OP_JLTI:
        *cond = jump_relation(e, s, REL_LT);
        break;
    case GS_OP_JNLE:
    case GS_OP_JNLEI:
        negated = true;
        __attribute__((fallthrough));
    case GS_OP_JLE:
    case GS_OP_JLEI:
        *cond = jump_relation(e, s, REL_LE);
        break;
    case GS_OP_JNGTI:
        negated = true;
        __attribute__((fallthrough));
    case GS_OP_JGTI:
        *cond = jump_relation(e, s, REL_GT);
        break;
    case GS_OP_JNGEI:
        negated = true;
        __attribute__((fallthrough));
    case GS_OP_JGEI:
        *cond = jump_relation(e, s, REL_GE);
        break;
    default:
        return false;
    }
    if (negated)
        *cond = LLVMBuildNot(e->b, *cond, "");
    return true;
}

/* ---- arrays ---- */

void gs_guard_store(struct gs_emit *e, LLVMValueRef a, enum gs_store store, bool writes)
{
    LLVMTypeRef t = writes ? e->i16 : e->i8; /* a payload that is shared may be read */
    LLVMValueRef st = gs_load(e, t, gs_at(e, a, offsetof(struct gs_array, h.aux16)), GS_MEM_ARRAY);
    gs_guard(e, LLVMBuildICmp(e->b, LLVMIntEQ, st, LLVMConstInt(t, store, 0), ""));
}

LLVMValueRef gs_len_of(struct gs_emit *e, LLVMValueRef a)
{
    return gs_load(e, e->i64, gs_at(e, a, offsetof(struct gs_array, len)), GS_MEM_ARRAY);
}

/* The address of element at, whose kind of storage is known. */
LLVMValueRef gs_element_at(struct gs_emit *e, LLVMValueRef a, enum gs_store store, LLVMValueRef at)
{
    LLVMValueRef data = gs_load(e, e->ptr, gs_at(e, a, offsetof(struct gs_array, data)), GS_MEM_ARRAY);
    if (store == GS_STORE_VALUE) {
        at = LLVMBuildShl(e->b, at, gs_i64(e, 1), "");
        return LLVMBuildInBoundsGEP2(e->b, e->i64, data, &at, 1, "");
    }
    return LLVMBuildInBoundsGEP2(e->b, store == GS_STORE_BOOL ? e->i8 : e->i64, data, &at, 1, "");
}

struct gs_val gs_load_element(struct gs_emit *e, LLVMValueRef p, enum gs_store store)
{
    switch (store) {
    case GS_STORE_INT:
        return gs_val_single(GS_T_INT, gs_load(e, e->i64, p, GS_MEM_INTS));
    case GS_STORE_FLOAT:
        return gs_val_single(GS_T_FLOAT, gs_load(e, e->f64, p, GS_MEM_FLOATS));
    case GS_STORE_BOOL:
        return gs_val_single(GS_T_BOOL, LLVMBuildZExt(e->b, gs_load(e, e->i8, p, GS_MEM_BYTES), e->i64, ""));
    default:
        return gs_load_value(e, p, GS_K_ANY & ~GS_K(GS_T_UNSET), GS_MEM_VALUES);
    }
}

static void store_element(struct gs_emit *e, struct gs_val v, LLVMValueRef p, enum gs_store store)
{
    switch (store) {
    case GS_STORE_INT:
        gs_store_to(e, v.w, p, GS_MEM_INTS);
        return;
    case GS_STORE_FLOAT:
        gs_store_to(e, v.w, p, GS_MEM_FLOATS);
        return;
    case GS_STORE_BOOL:
        gs_store_to(e, LLVMBuildTrunc(e->b, v.w, e->i8, ""), p, GS_MEM_BYTES);
        return;
    default:
        gs_store_value(e, v, p, GS_MEM_VALUES);
    }
}

static void get_index(struct gs_emit *e, const struct gs_step *s)
{
    const struct gs_node *n = e->n;
    bool constant = n->op == GS_OP_GETINDEXI;
    if (s->how != GS_HOW_STORE && s->how != GS_HOW_ELEMENT) {
        struct gs_val o = gs_get(e, n->b);
        struct gs_val x = constant ? gs_val_constant(e, gs_int((int16_t)n->c)) : gs_get(e, n->c);
        LLVMValueRef args[6] = {e->vm, gs_word(e, o), gs_tag(e, o), gs_word(e, x), gs_tag(e, x), result_at(e, n->a)};
        gs_save(e);
        gs_check(e, gs_helper(e, "gs_c_getindex", args, 6));
        take_result(e, n->a, s->result);
        return;
    }
    struct gs_val o = gs_want(e, n->b, s->want[1]);
    LLVMValueRef at = constant ? gs_i64(e, (int16_t)n->c) : gs_want(e, n->c, GS_K_INT).w;
    LLVMValueRef a = gs_pointer(e, o.w);
    bool any = s->how == GS_HOW_ELEMENT;
    if (!any && !(e->sure[n - e->g->node] & GS_SURE_STORE))
        gs_guard_store(e, a, s->store, false);
    if (!(e->sure[n - e->g->node] & GS_SURE_INDEX))
        gs_guard(e, LLVMBuildICmp(e->b, LLVMIntULT, at, gs_len_of(e, a), ""));
    gs_set(e, n->a, any ? gs_load_any_element(e, a, at, result_at(e, n->a)) : gs_load_element(e, gs_element_at(e, a, s->store, at), s->store));
}

static void set_index(struct gs_emit *e, const struct gs_step *s)
{
    const struct gs_node *n = e->n;
    if (s->how != GS_HOW_STORE) {
        struct gs_val o = gs_get(e, n->a), x = gs_get(e, n->b), v = gs_get(e, n->c);
        LLVMValueRef args[7] = {e->vm,         gs_word(e, o), gs_tag(e, o), gs_word(e, x),
                                gs_tag(e, x), gs_word(e, v), gs_tag(e, v)};
        gs_save(e);
        gs_check(e, gs_helper(e, "gs_c_setindex", args, 7));
        return;
    }
    struct gs_val o = gs_want(e, n->a, s->want[0]), x = gs_want(e, n->b, GS_K_INT);
    struct gs_val v = s->want[2] != 0 ? gs_want(e, n->c, s->want[2]) : gs_get(e, n->c);
    LLVMValueRef a = gs_pointer(e, o.w);
    if (!(e->sure[n - e->g->node] & GS_SURE_STORE))
        gs_guard_store(e, a, s->store, true);
    if (!(e->sure[n - e->g->node] & GS_SURE_INDEX))
        gs_guard(e, LLVMBuildICmp(e->b, LLVMIntULT, x.w, gs_len_of(e, a), ""));
    store_element(e, v, gs_element_at(e, a, s->store, x.w), s->store);
}

static void len(struct gs_emit *e, const struct gs_step *s)
{
    const struct gs_node *n = e->n;
    if (s->how == GS_HOW_CALL) {
        struct gs_val v = gs_get(e, n->b);
        LLVMValueRef args[4] = {e->vm, gs_word(e, v), gs_tag(e, v), result_at(e, n->a)};
        gs_save(e);
        gs_check(e, gs_helper(e, "gs_c_len", args, 4));
        take_result(e, n->a, s->result);
        return;
    }
    LLVMValueRef o = gs_pointer(e, gs_want(e, n->b, s->want[1]).w);
    LLVMValueRef v = s->how == GS_HOW_STR ? gs_load(e, e->i64, gs_at(e, o, offsetof(struct gs_str, len)), GS_MEM_OBJECT)
                                          : gs_len_of(e, o);
    gs_set(e, n->a, gs_val_single(GS_T_INT, v));
}

/* ---- fields ---- */

static LLVMValueRef shape_at(struct gs_emit *e, LLVMValueRef o)
{
    return gs_at(e, o, offsetof(struct gs_object, h.aux32));
}

void gs_guard_shape(struct gs_emit *e, LLVMValueRef o, uint32_t shape)
{
    LLVMValueRef is = gs_load(e, e->i32, shape_at(e, gs_pointer(e, o)), GS_MEM_OBJECT);
    gs_guard(e, LLVMBuildICmp(e->b, LLVMIntEQ, is, gs_i32(e, shape), ""));
}

uint32_t gs_only_field(const struct gs_node *n)
{
    return n->ic[1] == 0 ? (uint32_t)(n->ic[0] >> 48) : GS_FACT_SOME;
}

/* The slot that the cache of the node gives for the object's shape (i64); guards that it is there. o: the object's word. */
static LLVMValueRef cached_slot(struct gs_emit *e, LLVMValueRef o)
{
    uint32_t only = (uint32_t)(e->n->ic[0] & 0xffffffu);
    if (gs_only_field(e->n) != GS_FACT_SOME && gs_fact_shape(e, o, only))
        return gs_i64(e, gs_only_field(e->n));
    LLVMValueRef shape = gs_load(e, e->i32, shape_at(e, gs_pointer(e, o)), GS_MEM_OBJECT);
    LLVMValueRef known = NULL, slot = NULL;
    for (int way = GS_IC_WAYS - 1; way >= 0; way--) {
        uint64_t w = e->n->ic[way];
        if (w == 0)
            continue;
        LLVMValueRef is = LLVMBuildICmp(e->b, LLVMIntEQ, shape, gs_i32(e, (uint32_t)(w & 0xffffffu)), "");
        LLVMValueRef at = gs_i64(e, (int64_t)(w >> 48));
        known = known == NULL ? is : LLVMBuildOr(e->b, is, known, "");
        slot = slot == NULL ? at : LLVMBuildSelect(e->b, is, at, slot, "");
    }
    gs_guard(e, known);
    if (gs_only_field(e->n) != GS_FACT_SOME)
        gs_fact_is_shape(e, o, only);
    return slot;
}

LLVMValueRef gs_field_at(struct gs_emit *e, LLVMValueRef o, LLVMValueRef slot)
{
    LLVMValueRef slots = LLVMIsAAllocaInst(o) ? gs_at(e, o, offsetof(struct gs_object, fields)) /* virtual */
                                              : gs_load(e, e->ptr, gs_at(e, o, offsetof(struct gs_object, slots)), GS_MEM_OBJECT);
    slot = LLVMBuildShl(e->b, slot, gs_i64(e, 1), "");
    return LLVMBuildInBoundsGEP2(e->b, e->i64, slots, &slot, 1, "");
}

static void get_field(struct gs_emit *e, const struct gs_step *s)
{
    const struct gs_node *n = e->n;
    const struct gs_ic *ic = &n->frame->p->ics[n->c];
    if (s->how == GS_HOW_CALL) {
        struct gs_val v = gs_get(e, n->b);
        LLVMValueRef args[5] = {e->vm, gs_constant_pointer(e, ic), gs_word(e, v), gs_tag(e, v), result_at(e, n->a)};
        gs_save(e);
        gs_check(e, gs_helper(e, "gs_c_getfield", args, 5));
        take_result(e, n->a, s->result);
        return;
    }
    LLVMValueRef o = gs_want(e, n->b, s->want[1]).w, slot = cached_slot(e, o);
    uint32_t field = gs_only_field(n);
    struct gs_val v = gs_load_value(e, gs_field_at(e, gs_pointer(e, o), slot), s->result & gs_fact_kinds(e, o, field), GS_MEM_SLOTS);
    if (field != GS_FACT_SOME)
        gs_fact_loaded(e, o, field, v);
    gs_set(e, n->a, v);
}

bool gs_only_existing(const struct gs_node *n)
{
    for (int way = 0; way < GS_IC_WAYS; way++) {
        uint64_t w = n->ic[way];
        if (w != 0 && (w & 0xffffffu) != ((w >> 24) & 0xffffffu))
            return false;
    }
    return true;
}

static void set_field(struct gs_emit *e, const struct gs_step *s)
{
    const struct gs_node *n = e->n;
    const struct gs_ic *ic = &n->frame->p->ics[n->c];
    uint64_t w = n->ic[0];
    bool existing = gs_only_existing(n);
    if (s->how == GS_HOW_CALL || (!existing && n->ic[1] != 0)) {
        struct gs_val o = gs_get(e, n->a), v = gs_get(e, n->b);
        LLVMValueRef args[6] = {e->vm, gs_constant_pointer(e, ic), gs_word(e, o), gs_tag(e, o), gs_word(e, v), gs_tag(e, v)};
        gs_save(e);
        gs_check(e, gs_helper(e, "gs_c_setfield", args, 6));
        return;
    }
    LLVMValueRef word = gs_want(e, n->a, s->want[0]).w, o = gs_pointer(e, word), slot;
    struct gs_val v = gs_want(e, n->b, s->want[1]);
    uint32_t field = gs_only_field(n);
    if (existing) {
        slot = cached_slot(e, word);
    } else { /* one shape, and the field is new to it */
        LLVMValueRef shape = gs_load(e, e->i32, shape_at(e, o), GS_MEM_OBJECT);
        slot = gs_i64(e, (int64_t)(w >> 48));
        gs_guard(e, LLVMBuildICmp(e->b, LLVMIntEQ, shape, gs_i32(e, (uint32_t)(w & 0xffffffu)), ""));
        LLVMValueRef cap = gs_load(e, e->i32, gs_at(e, o, offsetof(struct gs_object, cap)), GS_MEM_OBJECT);
        gs_guard(e, LLVMBuildICmp(e->b, LLVMIntUGT, cap, gs_i32(e, (uint32_t)(w >> 48)), ""));
        gs_store_to(e, gs_i32(e, (uint32_t)(w >> 24) & 0xffffffu), shape_at(e, o), GS_MEM_OBJECT);
        gs_facts_forget(e);
    }
    if (gs_kinds_single(v.k) && gs_fact_kinds(e, word, field) == v.k)
        gs_store_payload(e, v, gs_field_at(e, o, slot), GS_MEM_SLOTS);
    else
        gs_store_value(e, v, gs_field_at(e, o, slot), GS_MEM_SLOTS);
    gs_fact_stored(e, word, field, v.k);
}

/* ---- variables ---- */

static LLVMValueRef place_at(struct gs_emit *e, LLVMValueRef globals, LLVMValueRef place)
{
    LLVMValueRef offset = LLVMBuildMul(e->b, place, gs_i64(e, (int64_t)sizeof(gs_value)), "");
    return LLVMBuildInBoundsGEP2(e->b, e->i8, globals, &offset, 1, "");
}

static LLVMValueRef load_u32(struct gs_emit *e, LLVMValueRef p, size_t offset)
{
    return LLVMBuildZExt(e->b, gs_load(e, e->i32, gs_at(e, p, (int64_t)offset), GS_MEM_LAYOUT), e->i64, "");
}

/* The address of a global of this VM; leaves when it has no place. A task other than the main one looks it up: the first probe of gs_vm_global is done here, for it is nearly
 * always the only one (four calls a turn made a third of bench mutex_4). */
static LLVMValueRef global_at(struct gs_emit *e, uint32_t slot)
{
    LLVMBasicBlockRef look = gs_new_block(e, "look"), hit = gs_new_block(e, "hit"), miss = gs_new_block(e, "miss"), on = gs_new_block(e, "");
    LLVMBasicBlockRef from[3] = {LLVMGetInsertBlock(e->b), hit};
    LLVMValueRef in[3];
    LLVMValueRef globals = gs_load(e, e->ptr, gs_at(e, e->vm, offsetof(struct gs_vm, globals)), GS_MEM_VM);
    LLVMValueRef layout = gs_load(e, e->ptr, gs_at(e, e->vm, offsetof(struct gs_vm, layout)), GS_MEM_VM);
    in[0] = place_at(e, globals, gs_i64(e, slot));
    LLVMBuildCondBr(e->b, LLVMBuildIsNull(e->b, layout, ""), on, look);
    LLVMPositionBuilderAtEnd(e->b, look);
    LLVMValueRef first = LLVMBuildAnd(e->b, load_u32(e, layout, offsetof(struct gs_glayout, mask)), gs_i64(e, slot), "");
    LLVMValueRef map = gs_load(e, e->ptr, gs_at(e, layout, offsetof(struct gs_glayout, map)), GS_MEM_LAYOUT);
    LLVMValueRef offset = LLVMBuildMul(e->b, first, gs_i64(e, (int64_t)sizeof(struct gs_gentry)), "");
    LLVMValueRef entry = LLVMBuildInBoundsGEP2(e->b, e->i8, map, &offset, 1, "");
    LLVMValueRef key = load_u32(e, entry, offsetof(struct gs_gentry, slot));
    gs_branch(e, LLVMBuildICmp(e->b, LLVMIntEQ, key, gs_i64(e, (int64_t)slot + 1), ""), hit, miss);
    LLVMPositionBuilderAtEnd(e->b, hit);
    in[1] = place_at(e, globals, load_u32(e, entry, offsetof(struct gs_gentry, place)));
    LLVMBuildBr(e->b, on);
    LLVMPositionBuilderAtEnd(e->b, miss);
    LLVMValueRef args[2] = {e->vm, gs_i32(e, slot)};
    in[2] = gs_helper(e, "gs_c_global", args, 2);
    gs_guard(e, LLVMBuildIsNotNull(e->b, in[2], ""));
    from[2] = LLVMGetInsertBlock(e->b);
    LLVMBuildBr(e->b, on);
    LLVMPositionBuilderAtEnd(e->b, on);
    LLVMValueRef phi = LLVMBuildPhi(e->b, e->ptr, "");
    LLVMAddIncoming(phi, in, from, 3);
    return phi;
}

/* Loads a variable that must have a value. */
static void load_variable(struct gs_emit *e, LLVMValueRef p)
{
    struct gs_val v = gs_load_value(e, p, GS_K_ANY, GS_MEM_CELL);
    gs_guard(e, LLVMBuildICmp(e->b, LLVMIntNE, v.tag, gs_i64(e, GS_T_UNSET), ""));
    v.k = GS_K_ANY & ~GS_K(GS_T_UNSET);
    gs_set(e, e->n->a, v);
}

LLVMValueRef gs_captured_at(struct gs_emit *e, uint32_t i)
{
    LLVMValueRef f = gs_pointer(e, gs_frame_fn(e, e->n->frame));
    return gs_at(e, f, (int64_t)(offsetof(struct gs_func, up) + i * sizeof(gs_value)));
}

/* The value inside the cell in v. */
static LLVMValueRef cell_value(struct gs_emit *e, struct gs_val v)
{
    gs_guard(e, gs_is_kind(e, v, GS_K(GS_T_CELL)));
    return gs_at(e, gs_pointer(e, gs_word(e, v)), offsetof(struct gs_cell, v));
}

static void variable(struct gs_emit *e, const struct gs_step *s)
{
    const struct gs_node *n = e->n;
    struct gs_val v;
    (void)s;
    switch ((enum gs_op)n->op) {
    case GS_OP_GETUP:
        gs_set(e, n->a, gs_load_value(e, gs_captured_at(e, n->b), GS_K_ANY, GS_MEM_CELL));
        return;
    case GS_OP_GETFN:
        gs_set(e, n->a, gs_val_single(GS_T_FUNC, gs_frame_fn(e, n->frame)));
        return;
    case GS_OP_CELLGET:
        load_variable(e, cell_value(e, gs_get(e, n->b)));
        return;
    case GS_OP_CELLSET:
        gs_store_value(e, gs_get(e, n->b), cell_value(e, gs_get(e, n->a)), GS_MEM_CELL);
        return;
    case GS_OP_UPGET:
        load_variable(e, cell_value(e, gs_load_value(e, gs_captured_at(e, n->b), GS_K_ANY, GS_MEM_CELL)));
        return;
    case GS_OP_UPSET:
        gs_store_value(e, gs_get(e, n->b), cell_value(e, gs_load_value(e, gs_captured_at(e, n->a), GS_K_ANY, GS_MEM_CELL)),
                       GS_MEM_CELL);
        return;
    case GS_OP_GETGLOBAL:
        load_variable(e, global_at(e, (uint32_t)n->bx));
        return;
    case GS_OP_SETGLOBAL:
        gs_store_value(e, gs_get(e, n->a), global_at(e, (uint32_t)n->bx), GS_MEM_CELL);
        return;
    default: /* CHECKSET */
        v = gs_get(e, n->a);
        gs_guard(e, gs_is_kind(e, v, GS_K_ANY & ~GS_K(GS_T_UNSET)));
    }
}

/* ---- things that are made ---- */

static void make(struct gs_emit *e, const struct gs_step *s)
{
    const struct gs_node *n = e->n;
    const struct gs_proto *p = n->frame->p;
    LLVMValueRef args[6] = {e->vm}, status;
    struct gs_val v;
    if (n->op == GS_OP_NEWOBJ && gs_virtual_new(e))
        return;
    if (s->how == GS_HOW_BUMP) {
        gs_emit_alloc(e);
        return;
    }
    gs_save(e);
    switch ((enum gs_op)n->op) {
    case GS_OP_CELLNEW:
        v = gs_get(e, n->b);
        args[1] = gs_word(e, v);
        args[2] = gs_tag(e, v);
        args[3] = result_at(e, n->a);
        status = gs_helper(e, "gs_c_cellnew", args, 4);
        break;
    case GS_OP_CLOSURE: {
        const struct gs_proto *q = p->protos[n->bx];
        for (uint32_t i = 0; i < q->ncaps; i++) {
            if (!q->caps[i].from_up)
                gs_spill(e, q->caps[i].index, 1);
        }
        args[1] = gs_constant_pointer(e, q);
        args[2] = result_at(e, n->a);
        status = gs_helper(e, "gs_c_closure", args, 3);
        break;
    }
    case GS_OP_NEWOBJ: {
        const struct gs_objlit *lit = p->k[n->c].p;
        gs_spill(e, n->b, lit->n);
        args[1] = gs_constant_pointer(e, lit);
        args[2] = result_at(e, n->b);
        args[3] = result_at(e, n->a);
        status = gs_helper(e, "gs_c_newobj", args, 4);
        break;
    }
    default: /* CONCAT, NEWARRAY */
        gs_spill(e, n->b, n->c);
        args[1] = result_at(e, n->b);
        args[2] = gs_i32(e, n->c);
        args[3] = result_at(e, n->a);
        status = gs_helper(e, n->op == GS_OP_CONCAT ? "gs_c_concat" : "gs_c_newarray", args, 4);
    }
    gs_check(e, status);
    take_result(e, n->a, s->result);
}

static void fill(struct gs_emit *e)
{
    const struct gs_node *n = e->n;
    struct gs_val o = gs_get(e, n->a), v;
    LLVMValueRef args[6] = {e->vm, gs_word(e, o), gs_tag(e, o)}, status;
    gs_save(e);
    if (n->op == GS_OP_ARRPUSH) {
        gs_spill(e, n->b, n->c);
        args[3] = result_at(e, n->b);
        args[4] = gs_i32(e, n->c);
        status = gs_helper(e, "gs_c_arrpush", args, 5);
    } else if (n->op == GS_OP_ARRSPREAD) {
        v = gs_get(e, n->b);
        args[3] = gs_word(e, v);
        args[4] = gs_tag(e, v);
        status = gs_helper(e, "gs_c_arrspread", args, 5);
    } else {
        v = gs_get(e, n->b);
        args[3] = gs_constant_pointer(e, n->frame->p->k[n->c].s);
        args[4] = gs_word(e, v);
        args[5] = gs_tag(e, v);
        status = gs_helper(e, "gs_c_putfield", args, 6);
    }
    gs_check(e, status);
}

/* ---- one node ---- */

static void leave_here(struct gs_emit *e)
{
    const struct gs_node *n = e->n;
    /* The end of a loop is no failure; neither is what ends a function of a compiled loop. */
    bool planned = n->kind == GS_N_LEAVE && (n->end || n->op == GS_OP_RET || n->op == GS_OP_RETNIL);
    if (gs_node_never_called(n)) { /* a miss, so that it is compiled again, knowing the callee */
        LLVMBuildBr(e->b, gs_miss(e));
    } else if (!planned) {
        LLVMBuildBr(e->b, gs_stuck(e));
    } else {
        gs_write_live(e, n->pc, UINT32_MAX, UINT32_MAX);
        gs_leave(e, GS_LEFT_GO, n->pc);
    }
    e->ended = true;
}

static void op(struct gs_emit *e, const struct gs_step *s, uint32_t block)
{
    const struct gs_node *n = e->n;
    LLVMValueRef cond;
    struct gs_val v;
    if (conditional(e, s, &cond)) {
        gs_goto_if(e, block, cond);
        e->ended = true;
        return;
    }
    switch ((enum gs_op)n->op) {
    case GS_OP_MOVE:
        v = e->cur[n->frame->off + n->b];
        gs_set(e, n->a, v);
        return;
    case GS_OP_LOADK:
        gs_set(e, n->a, gs_val_constant(e, n->frame->p->k[n->bx]));
        return;
    case GS_OP_LOADI:
        gs_set(e, n->a, gs_val_constant(e, gs_int(n->bx)));
        return;
    case GS_OP_LOADNIL:
        for (uint32_t i = 0; i < n->b; i++)
            gs_set(e, n->a + i, gs_val_constant(e, gs_nil()));
        return;
    case GS_OP_LOADBOOL:
        gs_set(e, n->a, gs_val_constant(e, gs_bool(n->b != 0)));
        return;
    case GS_OP_LOADUNSET:
        gs_set(e, n->a, gs_val_constant(e, gs_unset()));
        return;
    case GS_OP_GETUP:
    case GS_OP_GETFN:
    case GS_OP_CELLGET:
    case GS_OP_CELLSET:
    case GS_OP_UPGET:
    case GS_OP_UPSET:
    case GS_OP_CHECKSET:
    case GS_OP_GETGLOBAL:
    case GS_OP_SETGLOBAL:
        variable(e, s);
        return;
    case GS_OP_CELLNEW:
    case GS_OP_CLOSURE:
    case GS_OP_NEWOBJ:
    case GS_OP_NEWARRAY:
    case GS_OP_CONCAT:
        make(e, s);
        return;
    case GS_OP_ARRPUSH:
    case GS_OP_ARRSPREAD:
    case GS_OP_PUTFIELD:
        fill(e);
        return;
    case GS_OP_NEG:
    case GS_OP_BNOT:
        unary(e, s);
        return;
    case GS_OP_NOT:
        set_bool(e, LLVMBuildNot(e->b, truth(e, gs_get(e, n->b)), ""));
        return;
    case GS_OP_TOBOOL:
        set_bool(e, truth(e, gs_get(e, n->b)));
        return;
    case GS_OP_EQ:
    case GS_OP_NE:
        store_relation(e, s, REL_EQ, n->op == GS_OP_NE);
        return;
    case GS_OP_LT:
        store_relation(e, s, REL_LT, false);
        return;
    case GS_OP_LE:
        store_relation(e, s, REL_LE, false);
        return;
    case GS_OP_JMP:
        return; /* its block has one way on */
    case GS_OP_CALL:
    case GS_OP_CALLM:
    case GS_OP_CALLV:
    case GS_OP_CALLMV:
    case GS_OP_CALLTRIM:
        gs_emit_call(e, s);
        return;
    case GS_OP_CALLNAT:
        gs_emit_native(e, s);
        return;
    case GS_OP_RET:
    case GS_OP_RETNIL: {
        v = n->op == GS_OP_RET ? gs_get(e, n->a) : gs_val_constant(e, gs_nil());
        LLVMValueRef r = LLVMBuildInsertValue(e->b, LLVMGetUndef(e->pair), gs_word(e, v), 0, "");
        LLVMBuildRet(e->b, LLVMBuildInsertValue(e->b, r, gs_tag(e, v), 1, ""));
        e->ended = true;
        return;
    }
    case GS_OP_THROW:
    case GS_OP_RETHROW:
        gs_emit_throw(e);
        return;
    case GS_OP_DEFERPUSH:
        gs_emit_deferpush(e);
        return;
    case GS_OP_DEFERCALL:
        gs_emit_defercall(e, block);
        return;
    case GS_OP_GETFIELD:
        get_field(e, s);
        return;
    case GS_OP_SETFIELD:
        set_field(e, s);
        return;
    case GS_OP_GETINDEX:
    case GS_OP_GETINDEXI:
        get_index(e, s);
        return;
    case GS_OP_SETINDEX:
        set_index(e, s);
        return;
    case GS_OP_LEN:
        len(e, s);
        return;
    case GS_OP_FORPREP:
        gs_emit_forprep(e, block);
        return;
    case GS_OP_FORLOOP:
        gs_emit_forloop(e, block);
        return;
    case GS_OP_ITERNEW:
        gs_emit_iternew(e, s);
        return;
    case GS_OP_ITERNEXT:
        gs_emit_iternext(e, s, block);
        return;
    case GS_OP_GETSUPER:
        gs_set(e, n->a, gs_val_constant(e, gs_objv(GS_T_FUNC, gs_class_method(n->frame->p->cls->super, n->frame->p->k[n->b].s))));
        return;
    case GS_OP_AS:
    case GS_OP_IS: {
        v = gs_get(e, n->b);
        struct gs_val type = gs_val_constant(e, n->frame->p->k[n->c]);
        LLVMValueRef args[5] = {e->vm, gs_word(e, v), gs_tag(e, v), gs_word(e, type), gs_tag(e, type)};
        if (s->how == GS_HOW_CALL && n->op == GS_OP_AS) {
            gs_save(e);
            gs_check(e, gs_helper(e, "gs_c_as", args, 5));
            gs_set(e, n->a, v);
            return;
        }
        LLVMValueRef is = LLVMBuildICmp(e->b, LLVMIntNE, gs_helper(e, "gs_c_is", args + 1, 4), gs_i32(e, 0), "");
        if (n->op == GS_OP_IS) {
            set_bool(e, is);
        } else {
            gs_guard(e, is); /* the interpreter throws */
            gs_set(e, n->a, v);
        }
        return;
    }
    default:
        arith(e, s);
        return;
    }
}

/* Whether the node can be done again by the interpreter after compiled code has done it. */
static bool repeatable(const struct gs_emit *e, const struct gs_node *n, const struct gs_step *s)
{
    switch ((enum gs_op)n->op) {
    case GS_OP_NEWOBJ: /* a virtual one takes the place of the one before */
        return gs_escape_site(&e->escape, n) == 0;
    case GS_OP_CELLSET:
    case GS_OP_UPSET:
    case GS_OP_SETGLOBAL:
    case GS_OP_ARRPUSH:
    case GS_OP_ARRSPREAD:
    case GS_OP_PUTFIELD:
    case GS_OP_SETFIELD:
    case GS_OP_SETINDEX:
    case GS_OP_CALL:
    case GS_OP_CALLM:
    case GS_OP_CALLV:
    case GS_OP_CALLMV:
    case GS_OP_CALLTRIM:
    case GS_OP_DEFERPUSH:
        return false;
    case GS_OP_CALLNAT:
        return (s->how == GS_HOW_INTRINSIC && gs_intrinsic_repeats(gs_intrinsic_of(s->native))) || s->how == GS_HOW_TEXT;
    default:
        return true;
    }
}

bool gs_emit_node(struct gs_emit *e, const struct gs_node *n, uint32_t block)
{
    struct gs_step s = gs_types_step(e->t, n, e->k);
    if (n->kind == GS_N_LEAVE || s.how == GS_HOW_LEAVE) {
        leave_here(e);
        return false;
    }
    e->throws = gs_node_throws(n, &s);
    switch ((enum gs_nkind)n->kind) {
    case GS_N_GOTO:
        return true;
    case GS_N_CATCH:
        gs_emit_catch(e);
        return false;
    case GS_N_TEST:
        gs_goto_if(e, block, gs_shape_test(e));
        e->ended = true;
        return false;
    case GS_N_INLINE:
        gs_emit_inline(e);
        return false;
    case GS_N_RETURN:
        e->cur[n->frame->off - 2] = n->op == GS_OP_RET ? gs_get(e, n->a) : gs_val_constant(e, gs_nil());
        return true;
    default:
        op(e, &s, block);
        return repeatable(e, n, &s);
    }
}
