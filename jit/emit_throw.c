/* SPDX-License-Identifier: MIT
 * emit_throw.c - errors: thrown, caught in the unit, passed on; deferred calls. Rules: emit_int.h; who catches what: hot.h, L4.
 *
 * State      An error leaves a node before its gs_set: the handler gets the registers as they were before the instruction, which is what the
 *            interpreter's has, too. Helpers that fail have written nothing but their result's place, and that is in no register here.
 */
#include "emit_int.h"

static bool has_handler(const struct gs_emit *e, uint32_t *block)
{
    bool any = gs_graph_handler(e->n->frame, e->n->pc, block);
    if (*block != GS_NO_BLOCK && (!e->throws || !e->t->seen[*block]))
        *block = GS_NO_BLOCK;
    return any;
}

void gs_thrown(struct gs_emit *e)
{
    uint32_t to;
    bool any = has_handler(e, &to);
    if (to != GS_NO_BLOCK) {
        gs_goto(e, to);
        return;
    }
    gs_write_catch(e);
    gs_return_status(e, gs_i32(e, any ? GS_LEFT_CATCH : GS_LEFT_THROWN));
}

LLVMValueRef gs_catch_first(struct gs_emit *e, LLVMValueRef how)
{
    uint32_t to;
    if (!has_handler(e, &to))
        return how;
    LLVMValueRef thrown = LLVMBuildICmp(e->b, LLVMIntEQ, how, gs_i32(e, GS_LEFT_THROWN), "");
    if (to == GS_NO_BLOCK)
        return LLVMBuildSelect(e->b, thrown, gs_i32(e, GS_LEFT_CATCH), how, "");
    LLVMBasicBlockRef caught = gs_new_block(e, "thrown"), on = gs_new_block(e, "");
    LLVMBuildCondBr(e->b, thrown, caught, on);
    LLVMPositionBuilderAtEnd(e->b, caught);
    gs_goto(e, to);
    LLVMPositionBuilderAtEnd(e->b, on);
    return how;
}

void gs_emit_throw(struct gs_emit *e)
{
    struct gs_val v = gs_get(e, e->n->a);
    LLVMValueRef args[3] = {e->vm, gs_word(e, v), gs_tag(e, v)};
    gs_save(e);
    (void)gs_helper(e, e->n->op == GS_OP_THROW ? "gs_c_throw" : "gs_c_rethrow", args, 3);
    gs_thrown(e);
    e->ended = true;
}

/* When a collection is due it is made here, behind the catch: a loop that throws in each turn may come to no other place where it is
 * looked for. */
void gs_emit_catch(struct gs_emit *e)
{
    const struct gs_node *n = e->n;
    LLVMValueRef place = gs_slot_at(e, n->frame->off + n->a);
    LLVMValueRef args[3] = {e->vm, place, gs_i32(e, n->frame->p->nregs - n->a - 1u)};
    LLVMBasicBlockRef due = gs_new_block(e, "due"), on = gs_new_block(e, "");
    LLVMValueRef status = gs_helper(e, "gs_c_catch", args, 3);
    gs_set(e, n->a, gs_load_value(e, place, GS_K_ANY, GS_MEM_STACK));
    gs_branch(e, LLVMBuildICmp(e->b, LLVMIntEQ, status, gs_i32(e, GS_OK), ""), on, due);
    LLVMPositionBuilderAtEnd(e->b, due);
    gs_write_live(e, n->pc, UINT32_MAX, UINT32_MAX);
    gs_leave(e, GS_LEFT_GO, n->pc);
    LLVMPositionBuilderAtEnd(e->b, on);
}

void gs_emit_deferpush(struct gs_emit *e)
{
    const struct gs_node *n = e->n;
    LLVMValueRef list = gs_slot_at(e, n->frame->off + n->a);
    LLVMValueRef args[4] = {e->vm, list, gs_slot_at(e, n->frame->off + n->b), gs_i32(e, n->c)};
    gs_spill(e, n->a, 1);
    gs_spill(e, n->b, n->c + 1u);
    gs_save(e);
    gs_check(e, gs_helper(e, "gs_c_deferpush", args, 4));
    gs_set(e, n->a, gs_load_value(e, list, GS_K(GS_T_ARRAY), GS_MEM_STACK));
}

/* What the call gives is dropped. */
static void call_deferred(struct gs_emit *e, struct gs_val list)
{
    const struct gs_node *n = e->n;
    LLVMValueRef args[3] = {e->vm, gs_i32(e, n->a), gs_pointer(e, gs_word(e, list))};
    LLVMBasicBlockRef bad = gs_new_block(e, "not_returned"), left = gs_new_block(e, "left"), on = gs_new_block(e, "");
    gs_save(e);
    LLVMValueRef how = gs_helper(e, "gs_c_defercall", args, 3);
    gs_branch(e, LLVMBuildICmp(e->b, LLVMIntEQ, how, gs_i32(e, GS_LEFT_RETURN), ""), on, bad);
    LLVMPositionBuilderAtEnd(e->b, bad);
    LLVMBuildCondBr(e->b, LLVMBuildICmp(e->b, LLVMIntEQ, how, gs_i32(e, GS_C_AGAIN), ""), gs_again(e), left);
    LLVMPositionBuilderAtEnd(e->b, left);
    how = gs_catch_first(e, how);
    gs_write_live(e, n->pc + 1, n->pc, n->a);
    gs_return_status(e, how);
    LLVMPositionBuilderAtEnd(e->b, on);
}

/* To succ[0] when nothing is deferred (any more). */
void gs_emit_defercall(struct gs_emit *e, uint32_t block)
{
    const struct gs_node *n = e->n;
    const struct gs_block *b = &e->g->block[block];
    struct gs_val list = gs_want(e, n->b, e->cur[n->frame->off + n->b].k & (GS_K(GS_T_ARRAY) | GS_K_NIL));
    LLVMBasicBlockRef none = gs_new_block(e, "none"), array = gs_new_block(e, ""), some = gs_new_block(e, "some");
    LLVMBuildCondBr(e->b, gs_is_kind(e, list, GS_K_NIL), none, array);
    LLVMPositionBuilderAtEnd(e->b, array);
    LLVMValueRef len = gs_len_of(e, gs_pointer(e, gs_word(e, list)));
    LLVMBuildCondBr(e->b, LLVMBuildICmp(e->b, LLVMIntEQ, len, gs_i64(e, 0), ""), none, some);
    LLVMPositionBuilderAtEnd(e->b, none);
    gs_goto(e, b->succ[0]);
    LLVMPositionBuilderAtEnd(e->b, some);
    call_deferred(e, list);
    gs_goto(e, b->succ[1]);
    e->ended = true;
}
