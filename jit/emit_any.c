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

void gs_emit_any_call(struct gs_emit *e, const struct gs_step *s)
{
    const struct gs_node *n = e->n;
    if (n->op != GS_OP_CALLM && n->op != GS_OP_CALLMV) /* they look the callee up */
        gs_spill(e, n->a, 1);
    gs_spill(e, n->a + 2u, n->b);
    gs_save(e);
    LLVMBasicBlockRef bad = gs_new_block(e, "not_returned"), left = gs_new_block(e, "left"), on = gs_new_block(e, "");
    LLVMValueRef how = call_helper(e);
    gs_branch(e, LLVMBuildICmp(e->b, LLVMIntEQ, how, gs_i32(e, GS_LEFT_RETURN), ""), on, bad);
    LLVMPositionBuilderAtEnd(e->b, bad);
    LLVMBuildCondBr(e->b, LLVMBuildICmp(e->b, LLVMIntEQ, how, gs_i32(e, GS_C_AGAIN), ""), gs_again(e), left);
    LLVMPositionBuilderAtEnd(e->b, left);
    gs_write_live(e, n->pc + 1, n->pc, n->a); /* the result, if there is one, is in its place */
    gs_return_status(e, how);
    LLVMPositionBuilderAtEnd(e->b, on);
    gs_set(e, n->a, gs_load_value(e, gs_slot_at(e, n->frame->off + n->a), s->result, GS_MEM_STACK));
}
