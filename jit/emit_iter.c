/* SPDX-License-Identifier: MIT
 * emit_iter.c - elements of arrays whose kind of storage is found out while running, and iterations over what is no array. Rules:
 * emit_int.h.
 *
 * Waiting    A loop over a channel takes what is there. When it must wait, the channel's ITERNEXT parks as the interpreter's does: its registers are
 *            in memory, vm->pc is behind it, and whoever goes on knows by the instruction there that the outcome is one for variables.
 */
#include "emit_int.h"

struct gs_val gs_load_any_element(struct gs_emit *e, LLVMValueRef a, LLVMValueRef at, LLVMValueRef spare)
{
    static const enum gs_store known[] = {GS_STORE_INT, GS_STORE_FLOAT, GS_STORE_VALUE};
    enum { KNOWN = sizeof known / sizeof known[0] };
    LLVMValueRef store = gs_load(e, e->i8, gs_at(e, a, offsetof(struct gs_array, h.aux16)), GS_MEM_ARRAY);
    LLVMBasicBlockRef from[KNOWN + 1], on = gs_new_block(e, ""), other = gs_new_block(e, "other");
    LLVMValueRef w[KNOWN + 1], tag[KNOWN + 1], way = LLVMBuildSwitch(e->b, store, other, KNOWN);
    for (unsigned i = 0; i < KNOWN; i++) {
        from[i] = gs_new_block(e, "");
        LLVMAddCase(way, LLVMConstInt(e->i8, known[i], 0), from[i]);
        LLVMPositionBuilderAtEnd(e->b, from[i]);
        struct gs_val v = gs_load_element(e, gs_element_at(e, a, known[i], at), known[i]);
        w[i] = gs_word(e, v);
        tag[i] = gs_tag(e, v);
        LLVMBuildBr(e->b, on);
    }
    LLVMPositionBuilderAtEnd(e->b, other);
    LLVMValueRef args[3] = {a, at, spare};
    (void)gs_helper(e, "gs_c_element", args, 3);
    struct gs_val v = gs_load_value(e, spare, GS_K_ANY, GS_MEM_STACK);
    w[KNOWN] = v.w;
    tag[KNOWN] = v.tag;
    from[KNOWN] = other;
    LLVMBuildBr(e->b, on);
    LLVMPositionBuilderAtEnd(e->b, on);
    struct gs_val r = {LLVMBuildPhi(e->b, e->i64, ""), LLVMBuildPhi(e->b, e->i64, ""), GS_K_ANY & ~GS_K(GS_T_UNSET)};
    LLVMAddIncoming(r.w, w, from, KNOWN + 1);
    LLVMAddIncoming(r.tag, tag, from, KNOWN + 1);
    return r;
}

void gs_emit_iternew(struct gs_emit *e, const struct gs_step *s)
{
    const struct gs_node *n = e->n;
    if (s->how != GS_HOW_CALL) {
        (void)gs_want(e, n->a, GS_K(GS_T_ARRAY));
        gs_set(e, n->a + 1u, gs_val_constant(e, gs_int(0)));
        gs_set(e, n->a + 2u, gs_val_constant(e, gs_nil()));
        return;
    }
    LLVMValueRef it = gs_slot_at(e, n->frame->off + n->a), args[3] = {e->vm, it, gs_i32(e, n->b)};
    gs_spill(e, n->a, 1);
    gs_save(e);
    gs_check(e, gs_helper(e, "gs_c_iternew", args, 3));
    gs_set(e, n->a + 1u, gs_val_single(GS_T_INT, gs_load(e, e->i64, gs_at(e, it, sizeof(gs_value)), GS_MEM_STACK)));
    gs_set(e, n->a + 2u, gs_load_value(e, gs_at(e, it, 2 * sizeof(gs_value)), GS_ITER_STATE, GS_MEM_STACK));
}

/* The variables get the number of the turn and v. */
static void deliver(struct gs_emit *e, LLVMValueRef at, struct gs_val v)
{
    const struct gs_node *n = e->n;
    gs_set(e, n->a + 1u, gs_val_single(GS_T_INT, LLVMBuildAdd(e->b, at, gs_i64(e, 1), "")));
    if (n->x == 2)
        gs_set(e, n->b, gs_val_single(GS_T_INT, at));
    gs_set(e, n->x == 2 ? n->b + 1u : n->b, v);
}

static void next_of_range(struct gs_emit *e, uint32_t block)
{
    const struct gs_node *n = e->n;
    LLVMValueRef r = gs_pointer(e, gs_want(e, n->a, GS_K(GS_T_RANGE)).w), at = gs_want(e, n->a + 1u, GS_K_INT).w;
    LLVMValueRef len = gs_want(e, n->a + 2u, GS_K_INT).w;
    LLVMBasicBlockRef yes = gs_new_block(e, ""), no = gs_new_block(e, "");
    LLVMBuildCondBr(e->b, LLVMBuildICmp(e->b, LLVMIntULT, at, len, ""), yes, no);
    LLVMPositionBuilderAtEnd(e->b, no);
    gs_goto(e, e->g->block[block].succ[1]);
    LLVMPositionBuilderAtEnd(e->b, yes);
    LLVMValueRef start = gs_load(e, e->i64, gs_at(e, r, offsetof(struct gs_range, start)), GS_MEM_OBJECT);
    LLVMValueRef step = gs_load(e, e->i64, gs_at(e, r, offsetof(struct gs_range, step)), GS_MEM_OBJECT);
    LLVMValueRef v = LLVMBuildAdd(e->b, start, LLVMBuildMul(e->b, at, step, ""), "");
    deliver(e, at, gs_val_single(GS_T_INT, v));
    gs_goto(e, e->g->block[block].succ[0]);
}

/* The helper did not say whether there is more. */
static void not_next(struct gs_emit *e, LLVMValueRef how)
{
    const struct gs_node *n = e->n;
    LLVMBasicBlockRef thrown = gs_new_block(e, "thrown"), park = gs_new_block(e, "park"), yield = gs_new_block(e, "yield");
    struct gs_val was[4];
    LLVMValueRef way = LLVMBuildSwitch(e->b, how, gs_again(e), 3);
    LLVMAddCase(way, gs_i32(e, GS_E_THROWN), thrown);
    LLVMAddCase(way, gs_i32(e, GS_PARK), park);
    LLVMAddCase(way, gs_i32(e, GS_YIELD), yield);
    LLVMPositionBuilderAtEnd(e->b, thrown);
    gs_thrown(e);
    LLVMPositionBuilderAtEnd(e->b, park);
    gs_write_live(e, n->pc, UINT32_MAX, UINT32_MAX);
    gs_return_status(e, gs_i32(e, GS_LEFT_PARK));
    LLVMPositionBuilderAtEnd(e->b, yield); /* it is done, also vm->pc: what it stored is in memory */
    struct gs_val *to[4] = {e->cur + n->frame->off + n->a + 1, e->cur + n->frame->off + n->b,
                            n->x == 2 ? e->cur + n->frame->off + n->b + 1 : e->cur + n->frame->off + n->b,
                            e->cur + n->frame->off + n->a + 2};
    for (int i = 0; i < 4; i++)
        was[i] = *to[i];
    for (int i = 0; i < 4; i++)
        to[i]->w = NULL;
    gs_write_live(e, n->pc + 1, UINT32_MAX, UINT32_MAX);
    gs_write_live(e, (uint32_t)((int64_t)n->pc + 1 + (int16_t)n->c), UINT32_MAX, UINT32_MAX);
    gs_return_status(e, gs_i32(e, GS_LEFT_YIELD));
    for (int i = 0; i < 4; i++)
        *to[i] = was[i];
}

static void next_of_any(struct gs_emit *e, uint32_t block)
{
    const struct gs_node *n = e->n;
    LLVMValueRef it = gs_slot_at(e, n->frame->off + n->a), to = gs_slot_at(e, n->frame->off + n->b);
    LLVMValueRef args[4] = {e->vm, it, to, gs_i32(e, n->x)};
    LLVMBasicBlockRef yes = gs_new_block(e, ""), no = gs_new_block(e, ""), neither = gs_new_block(e, "");
    gs_spill(e, n->a, 3);
    gs_save(e);
    LLVMValueRef how = gs_helper(e, "gs_c_iternext", args, 4), way = LLVMBuildSwitch(e->b, how, neither, 2);
    LLVMAddCase(way, gs_i32(e, GS_C_MORE), yes);
    LLVMAddCase(way, gs_i32(e, GS_OK), no);
    LLVMPositionBuilderAtEnd(e->b, neither);
    not_next(e, how);
    LLVMPositionBuilderAtEnd(e->b, no);
    gs_goto(e, e->g->block[block].succ[1]);
    LLVMPositionBuilderAtEnd(e->b, yes);
    gs_set(e, n->a + 1u, gs_val_single(GS_T_INT, gs_load(e, e->i64, gs_at(e, it, sizeof(gs_value)), GS_MEM_STACK)));
    for (uint32_t i = 0; i < n->x; i++) {
        LLVMValueRef p = gs_at(e, to, (int64_t)(i * sizeof(gs_value)));
        gs_set(e, n->b + i, gs_load_value(e, p, GS_K_ANY & ~GS_K(GS_T_UNSET), GS_MEM_STACK));
    }
    gs_goto(e, e->g->block[block].succ[0]);
}

static void next_element(struct gs_emit *e, const struct gs_step *s, uint32_t block)
{
    const struct gs_node *n = e->n;
    LLVMValueRef a = gs_pointer(e, gs_want(e, n->a, GS_K(GS_T_ARRAY)).w);
    LLVMValueRef at = gs_want(e, n->a + 1u, GS_K_INT).w;
    LLVMValueRef more = LLVMBuildICmp(e->b, LLVMIntULT, at, gs_len_of(e, a), "");
    LLVMBasicBlockRef yes = gs_new_block(e, ""), no = gs_new_block(e, "");
    LLVMBuildCondBr(e->b, more, yes, no);
    LLVMPositionBuilderAtEnd(e->b, no);
    gs_goto(e, e->g->block[block].succ[1]);
    LLVMPositionBuilderAtEnd(e->b, yes);
    struct gs_val v;
    if (s->how == GS_HOW_ELEMENT) {
        v = gs_load_any_element(e, a, at, gs_slot_at(e, n->frame->off + n->b));
    } else {
        if (!(e->sure[n - e->g->node] & GS_SURE_STORE))
            gs_guard_store(e, a, s->store, false);
        v = gs_load_element(e, gs_element_at(e, a, s->store, at), s->store);
    }
    deliver(e, at, v);
    gs_goto(e, e->g->block[block].succ[0]);
}

void gs_emit_iternext(struct gs_emit *e, const struct gs_step *s, uint32_t block)
{
    if (s->how == GS_HOW_CALL)
        next_of_any(e, block);
    else if (s->how == GS_HOW_RANGE)
        next_of_range(e, block);
    else
        next_element(e, s, block);
    e->ended = true;
}
