/* SPDX-License-Identifier: MIT
 * emit_call.c - calls: spliced in, of compiled functions, of natives. Rules: emit_int.h.
 *
 * Compiled   The link of the callee's frame is written before the call, so that traces and unwinding find every frame at any moment. A callee
 *            that has left says so by the tag GS_STATUS_TAG; then this frame writes what it needs behind the call (not the result:
 *            the interpreter will store it when the callee's frame returns) and returns the same.
 */
#include <string.h>

#include "emit_int.h"

/* The receivers' kinds where the ways are of values that have no shape, else 0. */
static gs_kinds kinds_of_ways(const struct gs_node *n)
{
    gs_kinds k = 0;
    for (unsigned way = 0; way < GS_IC_WAYS; way++) {
        const struct gs_mcache *m = (const struct gs_mcache *)(uintptr_t)n->ic[way];
        if ((n->ways >> way & 1) && m->shape < GS_T_COUNT_)
            k |= GS_K(m->shape);
    }
    return k;
}

LLVMValueRef gs_shape_test(struct gs_emit *e)
{
    const struct gs_node *n = e->n;
    gs_kinds kinds = kinds_of_ways(n);
    if (kinds != 0) /* a method of arrays or strings: no object has the same */
        return gs_is_kind(e, gs_get(e, n->a + 2u), kinds);
    LLVMValueRef o = gs_pointer(e, gs_want(e, n->a + 2u, GS_K(GS_T_OBJECT)).w), is = NULL;
    LLVMValueRef shape = gs_load(e, e->i32, gs_at(e, o, offsetof(struct gs_obj, aux32)), GS_MEM_OBJECT);
    for (unsigned way = 0; way < GS_IC_WAYS; way++) {
        if (!(n->ways >> way & 1))
            continue;
        const struct gs_mcache *m = (const struct gs_mcache *)(uintptr_t)n->ic[way];
        LLVMValueRef one = LLVMBuildICmp(e->b, LLVMIntEQ, shape, gs_i32(e, m->shape), "");
        is = is == NULL ? one : LLVMBuildOr(e->b, is, one, "");
    }
    return is;
}

/* Guards that the node's callee is the one it was compiled for; gives the closure as i64. */
static LLVMValueRef callee(struct gs_emit *e)
{
    const struct gs_node *n = e->n;
    if (n->op == GS_OP_CALLM && !n->tested) {
        gs_kinds kinds = kinds_of_ways(n);
        if (kinds != 0)
            (void)gs_want(e, n->a + 2u, kinds);
        else
            gs_guard(e, gs_shape_test(e));
    }
    if (n->callee_fn != NULL)
        return gs_i64(e, (int64_t)(intptr_t)n->callee_fn);
    LLVMValueRef f = gs_want(e, n->a, GS_K(GS_T_FUNC)).w;
    LLVMValueRef p = gs_load(e, e->i64, gs_at(e, gs_pointer(e, f), offsetof(struct gs_func, proto)), GS_MEM_OBJECT);
    gs_guard(e, LLVMBuildICmp(e->b, LLVMIntEQ, p, gs_i64(e, (int64_t)(intptr_t)n->callee), ""));
    return f;
}

void gs_emit_inline(struct gs_emit *e)
{
    const struct gs_node *n = e->n;
    LLVMValueRef f = callee(e);
    const struct gs_block *entry = &e->g->block[e->g->block[e->id].succ[0]];
    const struct gs_frame *child = e->g->node[entry->first].frame;
    e->frame_fn[child->number] = f;
    gs_emit_fit(e);
    gs_set(e, n->a, gs_val_single(GS_T_FUNC, f));
    for (uint32_t i = child->p->nparams; i < child->p->nregs; i++)
        e->cur[child->off + i].w = NULL;
}

static void call_unit(struct gs_emit *e, const struct gs_step *s)
{
    const struct gs_node *n = e->n;
    const struct gs_own *o = s->unit;
    LLVMValueRef args[2 + 2 * GS_OWN_PARAMS];
    LLVMTypeRef types[2 + 2 * GS_OWN_PARAMS];
    unsigned k = 0;
    LLVMValueRef f = callee(e), code = e->fn;
    struct gs_val v[GS_OWN_PARAMS];
    if (o != e->t->self) {
        LLVMBasicBlockRef there = gs_new_block(e, "");
        code = gs_load(e, e->ptr, gs_constant_pointer(e, &o->cell.code), GS_MEM_OBJECT);
        LLVMSetOrdering(code, LLVMAtomicOrderingMonotonic); /* [H2] the address is used for nothing but the call */
        LLVMSetAlignment(code, 8);
        gs_branch(e, LLVMBuildIsNotNull(e->b, code, ""), there, gs_stale(e));
        LLVMPositionBuilderAtEnd(e->b, there);
    }
    gs_emit_fit(e);
    for (uint32_t i = 0; i < o->nparams; i++) {
        uint32_t reg = n->a + 2u + i;
        v[i] = gs_kinds_single(o->param[i]) ? gs_want(e, reg, o->param[i]) : gs_get(e, reg);
    }
    gs_set(e, n->a, gs_val_single(GS_T_FUNC, f));
    args[k++] = e->vm;
    args[k++] = gs_slot_at(e, n->frame->off + n->a + 2u);
    for (uint32_t i = 0; i < o->nparams; i++) {
        struct gs_val p = gs_as(e, v[i], o->param[i]);
        args[k++] = p.w;
        if (!gs_kinds_single(o->param[i]))
            args[k++] = p.tag;
    }
    LLVMTypeRef type = LLVMFunctionType(e->pair, types, gs_own_types(e, o, types), 0);
    gs_facts_forget(e);
    LLVMBasicBlockRef block = LLVMGetInsertBlock(e->b), on = gs_new_block(e, ""), left = gs_new_block(e, "left");
    struct gs_links links = {.block = block, .left = left, .before = LLVMGetLastInstruction(block)};
    gs_write_links(e, n->frame);
    gs_write_link(e, n->frame->off + n->a + 2u, n->a + 2u, f, n->frame->p->code + n->pc + 1);
    LLVMValueRef r = links.call = LLVMBuildCall2(e->b, type, code, args, k, "");
    if (o == e->t->self)
        e->links[e->nlinks++] = links;
    else
        e->looks = true;
    LLVMValueRef w = LLVMBuildExtractValue(e->b, r, 0, ""), tag = LLVMBuildExtractValue(e->b, r, 1, "");
    bool one = gs_kinds_single(o->ret);
    LLVMValueRef ok = one ? LLVMBuildICmp(e->b, LLVMIntEQ, tag, gs_i64(e, __builtin_ctz(o->ret)), "")
                          : LLVMBuildICmp(e->b, LLVMIntNE, tag, gs_i64(e, GS_STATUS_TAG), "");
    gs_branch(e, ok, on, left);
    LLVMPositionBuilderAtEnd(e->b, left);
    LLVMValueRef how = gs_catch_first(e, LLVMBuildTrunc(e->b, w, e->i32, ""));
    gs_write_live(e, n->pc + 1, n->pc, n->a);
    gs_return_status(e, how);
    LLVMPositionBuilderAtEnd(e->b, on);
    if (o->ret == 0) { /* it never returns */
        LLVMBuildUnreachable(e->b);
        e->ended = true;
        return;
    }
    struct gs_val got = one ? gs_as(e, (struct gs_val){w, tag, GS_K_ANY}, o->ret) : (struct gs_val){w, tag, o->ret};
    gs_set(e, n->a, got);
}

void gs_emit_call(struct gs_emit *e, const struct gs_step *s)
{
    if (s->how == GS_HOW_UNIT)
        call_unit(e, s);
    else if (s->how == GS_HOW_ANY)
        gs_emit_any_call(e, s);
    else
        gs_emit_native(e, s);
}

static void text(struct gs_emit *e)
{
    const struct gs_node *n = e->n;
    struct gs_val x = gs_get(e, n->a + 2u);
    LLVMValueRef place = gs_slot_at(e, n->frame->off + n->a);
    LLVMValueRef args[4] = {e->vm, gs_word(e, x), gs_tag(e, x), place};
    gs_save(e);
    gs_check(e, gs_helper(e, "gs_c_text", args, 4));
    gs_set(e, n->a, gs_load_value(e, place, GS_K(GS_T_STR), GS_MEM_STACK));
}

/* What enum gs_left says for a status that a native ends with. */
static LLVMValueRef left_of(struct gs_emit *e, LLVMValueRef status)
{
    static const struct {
        gs_status st;
        uint32_t left;
    } map[] = {{GS_PARK, GS_LEFT_PARK}, {GS_YIELD, GS_LEFT_YIELD}, {GS_EXIT, GS_LEFT_EXIT}};
    LLVMValueRef v = gs_i32(e, GS_LEFT_THROWN);
    for (size_t i = 0; i < sizeof map / sizeof map[0]; i++) {
        LLVMValueRef is = LLVMBuildICmp(e->b, LLVMIntEQ, status, gs_i32(e, map[i].st), "");
        v = LLVMBuildSelect(e->b, is, gs_i32(e, map[i].left), v, "");
    }
    return v;
}

/* The native itself, called with its arguments in the window. */
static void call_native(struct gs_emit *e, const struct gs_step *s)
{
    const struct gs_node *n = e->n;
    if (n->op == GS_OP_CALLM)
        (void)gs_want(e, n->a + 2u, s->want[2]);
    gs_spill(e, n->a + 2u, n->b);
    gs_save(e);
    LLVMValueRef place = gs_slot_at(e, n->frame->off + n->a);
    LLVMValueRef args[5] = {e->vm, gs_constant_pointer(e, s->native), gs_slot_at(e, n->frame->off + n->a + 2u),
                            gs_i32(e, n->b), place};
    LLVMBasicBlockRef bad = gs_new_block(e, "failed"), left = gs_new_block(e, "left");
    LLVMBasicBlockRef on = gs_new_block(e, "");
    LLVMValueRef status = gs_helper(e, "gs_c_native", args, 5);
    gs_branch(e, LLVMBuildICmp(e->b, LLVMIntEQ, status, gs_i32(e, GS_OK), ""), on, bad);
    LLVMPositionBuilderAtEnd(e->b, bad);
    LLVMBuildCondBr(e->b, LLVMBuildICmp(e->b, LLVMIntEQ, status, gs_i32(e, GS_C_AGAIN), ""), gs_again(e), left);
    LLVMPositionBuilderAtEnd(e->b, left);
    LLVMValueRef how = gs_catch_first(e, left_of(e, status));
    e->cur[n->frame->off + n->a].w = NULL; /* the place holds what the native put there */
    gs_write_live(e, n->pc + 1, n->pc, n->a);
    gs_store_to(e, gs_i32(e, n->a), gs_at(e, e->vm, offsetof(struct gs_vm, resume_dst)), GS_MEM_VM);
    gs_return_status(e, how);
    LLVMPositionBuilderAtEnd(e->b, on);
    gs_set(e, n->a, gs_load_value(e, place, s->result, GS_MEM_STACK));
}

static LLVMValueRef either(struct gs_emit *e, LLVMValueRef *v, LLVMBasicBlockRef *from)
{
    LLVMValueRef phi = LLVMBuildPhi(e->b, e->i64, "");
    LLVMAddIncoming(phi, v, from, 2);
    return phi;
}

/* The helper of a native with the arguments in registers and nothing saved; when it declines, on to native. */
static void try_helper(struct gs_emit *e, const char *name, LLVMValueRef *w, LLVMValueRef *tag, LLVMBasicBlockRef native)
{
    const struct gs_node *n = e->n;
    LLVMValueRef args[1 + 2 * 3] = {e->vm};
    for (uint32_t i = 0; i < n->b; i++) {
        struct gs_val v = gs_get(e, n->a + 2u + i);
        args[1 + 2 * i] = gs_word(e, v);
        args[2 + 2 * i] = gs_tag(e, v);
    }
    LLVMValueRef r = gs_helper(e, name, args, 1u + 2u * n->b);
    *w = LLVMBuildExtractValue(e->b, r, 0, "");
    *tag = LLVMBuildExtractValue(e->b, r, 1, "");
    LLVMBasicBlockRef done = gs_new_block(e, "");
    gs_branch(e, LLVMBuildICmp(e->b, LLVMIntNE, *tag, gs_i64(e, GS_C_DECLINED), ""), done, native);
    LLVMPositionBuilderAtEnd(e->b, done);
}

/* GS_HOW_TRY */
static void attempt(struct gs_emit *e, const struct gs_step *s)
{
    const struct gs_node *n = e->n;
    enum gs_intrinsic is = gs_intrinsic_of(s->native);
    const char *helper = gs_intrinsic_function(is);
    LLVMValueRef w[2] = {gs_i64(e, 0)}, tag[2] = {gs_i64(e, GS_T_NIL)};
    LLVMBasicBlockRef native = gs_new_block(e, "native"), on = gs_new_block(e, "");
    if (helper != NULL)
        try_helper(e, helper, w, tag, native);
    else
        gs_emit_mutex(e, is == GS_INTRINSIC_LOCK, gs_get(e, n->a + 2u), native);
    LLVMBasicBlockRef from[2] = {LLVMGetInsertBlock(e->b)};
    LLVMBuildBr(e->b, on);
    LLVMPositionBuilderAtEnd(e->b, native);
    call_native(e, s);
    struct gs_val v = gs_get(e, n->a);
    w[1] = gs_word(e, v);
    tag[1] = gs_tag(e, v);
    from[1] = LLVMGetInsertBlock(e->b);
    LLVMBuildBr(e->b, on);
    LLVMPositionBuilderAtEnd(e->b, on);
    bool one = gs_kinds_single(s->result);
    gs_set(e, n->a, (struct gs_val){either(e, w, from), one ? NULL : either(e, tag, from), s->result});
}

void gs_emit_native(struct gs_emit *e, const struct gs_step *s)
{
    if (s->how == GS_HOW_INTRINSIC)
        gs_emit_intrinsic(e, s, gs_intrinsic_of(s->native));
    else if (s->how == GS_HOW_TEXT)
        text(e);
    else if (s->how == GS_HOW_TRY)
        attempt(e, s);
    else
        call_native(e, s);
}
