/* SPDX-License-Identifier: MIT
 * emit_any.c - calls of callees that the compiler does not know, by the helpers of runtime/compiled_call.c. Rules: emit_int.h.
 */
#include "emit_int.h"

void gs_emit_fit(struct gs_emit *e)
{
    const struct gs_node *n = e->n;
    uint32_t from, to, args = n->a + 2u;
    int rest = gs_node_missing(n, &from, &to);
    if (rest >= 0) {
        uint32_t first = args + (uint32_t)rest, count = n->given > to ? n->given - to : 0;
        LLVMValueRef place = gs_slot_at(e, n->frame->off + first), a[4] = {e->vm, place, gs_i32(e, count), place};
        gs_spill(e, first, count);
        gs_save(e);
        gs_check(e, gs_helper(e, "gs_c_newarray", a, 4));
        gs_set(e, first, gs_load_value(e, place, GS_K(GS_T_ARRAY), GS_MEM_STACK));
    }
    for (uint32_t i = from; i < to; i++)
        gs_set(e, args + i, gs_val_constant(e, gs_unset()));
}

static LLVMValueRef call_helper(struct gs_emit *e)
{
    const struct gs_node *n = e->n;
    LLVMValueRef args[4] = {e->vm, gs_i32(e, n->a), gs_i32(e, n->b)};
    if (n->op == GS_OP_CALLV)
        return gs_helper(e, "gs_c_callv", args, 3);
    args[3] = gs_constant_pointer(e, &n->frame->p->ics[n->c]);
    switch ((enum gs_op)n->op) {
    case GS_OP_CALL:
        return gs_helper(e, "gs_c_call", args, 4);
    case GS_OP_CALLM:
        return gs_helper(e, "gs_c_callm", args, 4);
    case GS_OP_CALLMV:
        return gs_helper(e, "gs_c_callmv", args, 4);
    default:
        return gs_helper(e, "gs_c_calltrim", args, 4);
    }
}

/* On when cond holds, else to the helper. */
static void or_helper(struct gs_emit *e, LLVMValueRef cond, LLVMBasicBlockRef helper)
{
    LLVMBasicBlockRef on = gs_new_block(e, "");
    LLVMBuildCondBr(e->b, cond, on, helper);
    LLVMPositionBuilderAtEnd(e->b, on);
}

static LLVMValueRef load_acquire(struct gs_emit *e, LLVMValueRef p)
{
    LLVMValueRef v = gs_load(e, e->ptr, p, GS_MEM_OBJECT);
    LLVMSetOrdering(v, LLVMAtomicOrderingAcquire);
    LLVMSetAlignment(v, sizeof(void *));
    return v;
}

/* The usual case of the helper in line: a function with code that takes so many arguments. Gives how the callee came back; what it refused is
 * for the helper, as all else. */
static LLVMValueRef enter_in_line(struct gs_emit *e, LLVMBasicBlockRef helper)
{
    const struct gs_node *n = e->n;
    struct gs_val f = gs_get(e, n->a);
    or_helper(e, gs_is_kind(e, f, GS_K(GS_T_FUNC)), helper);
    LLVMValueRef p = gs_load(e, e->ptr, gs_at(e, gs_pointer(e, gs_word(e, f)), offsetof(struct gs_func, proto)), GS_MEM_OBJECT);
    LLVMValueRef takes = gs_load(e, e->i16, gs_at(e, p, offsetof(struct gs_proto, nparams)), GS_MEM_OBJECT);
    LLVMValueRef flags = gs_load(e, e->i16, gs_at(e, p, offsetof(struct gs_proto, flags)), GS_MEM_OBJECT);
    LLVMValueRef rest = LLVMBuildAnd(e->b, flags, LLVMConstInt(e->i16, GS_PF_REST, 0), "");
    LLVMIntPredicate as = n->op == GS_OP_CALLTRIM ? LLVMIntULE : LLVMIntEQ; /* what a callback does not take is left out */
    LLVMValueRef fits = LLVMBuildICmp(e->b, as, takes, LLVMConstInt(e->i16, n->b, 0), "");
    or_helper(e, LLVMBuildAnd(e->b, fits, LLVMBuildICmp(e->b, LLVMIntEQ, rest, LLVMConstInt(e->i16, 0, 0), ""), ""), helper);
    LLVMValueRef hot = load_acquire(e, gs_at(e, p, offsetof(struct gs_proto, jit))); /* [H3] */
    or_helper(e, LLVMBuildIsNotNull(e->b, hot, ""), helper);
    LLVMValueRef unit = load_acquire(e, gs_at(e, hot, offsetof(struct gs_hot, whole))); /* [H1] */
    or_helper(e, LLVMBuildIsNotNull(e->b, unit, ""), helper);
    LLVMValueRef enter = gs_load(e, e->ptr, gs_at(e, unit, offsetof(struct gs_unit, enter)), GS_MEM_OBJECT);
    uint32_t frame = n->frame->off + n->a + 2u;
    gs_write_link(e, frame, n->a + 2u, gs_word(e, f), n->frame->p->code + n->pc + 1);
    LLVMTypeRef in[2] = {e->ptr, e->ptr};
    LLVMValueRef args[2] = {e->vm, gs_slot_at(e, frame)};
    return LLVMBuildCall2(e->b, LLVMFunctionType(e->i32, in, 2, 0), enter, args, 2, "");
}

void gs_emit_any_call(struct gs_emit *e, const struct gs_step *s)
{
    const struct gs_node *n = e->n;
    bool by_value = n->op != GS_OP_CALLM && n->op != GS_OP_CALLMV; /* they look the callee up */
    if (by_value)
        gs_spill(e, n->a, 1);
    gs_spill(e, n->a + 2u, n->b);
    gs_save(e);
    LLVMBasicBlockRef from[2], left = gs_new_block(e, "left"), on = gs_new_block(e, "");
    LLVMValueRef how[2];
    unsigned ways = 0;
    if (n->op == GS_OP_CALL || n->op == GS_OP_CALLTRIM) {
        LLVMBasicBlockRef helper = gs_new_block(e, "helper"), other = gs_new_block(e, "not_returned");
        how[0] = enter_in_line(e, helper);
        gs_branch(e, LLVMBuildICmp(e->b, LLVMIntEQ, how[0], gs_i32(e, GS_LEFT_RETURN), ""), on, other);
        LLVMPositionBuilderAtEnd(e->b, other);
        LLVMValueRef way = LLVMBuildSwitch(e->b, how[0], left, 2);
        LLVMAddCase(way, gs_i32(e, GS_LEFT_REFUSED), helper);
        LLVMAddCase(way, gs_i32(e, GS_LEFT_FULL), helper);
        from[ways++] = other;
        LLVMPositionBuilderAtEnd(e->b, helper);
    }
    LLVMBasicBlockRef bad = gs_new_block(e, "not_returned");
    how[ways] = call_helper(e);
    gs_branch(e, LLVMBuildICmp(e->b, LLVMIntEQ, how[ways], gs_i32(e, GS_LEFT_RETURN), ""), on, bad);
    LLVMPositionBuilderAtEnd(e->b, bad);
    LLVMBuildCondBr(e->b, LLVMBuildICmp(e->b, LLVMIntEQ, how[ways], gs_i32(e, GS_C_AGAIN), ""), gs_again(e), left);
    from[ways++] = bad;
    LLVMPositionBuilderAtEnd(e->b, left);
    LLVMValueRef as = LLVMBuildPhi(e->b, e->i32, "");
    LLVMAddIncoming(as, how, from, ways);
    LLVMValueRef leave = gs_catch_first(e, as);
    gs_write_live(e, n->pc + 1, n->pc, n->a); /* the result, if there is one, is in its place */
    gs_return_status(e, leave);
    LLVMPositionBuilderAtEnd(e->b, on);
    gs_set(e, n->a, gs_load_value(e, gs_slot_at(e, n->frame->off + n->a), s->result, GS_MEM_STACK));
}
