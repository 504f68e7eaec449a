/* SPDX-License-Identifier: MIT
 * emit_alloc.c - cells, closures and objects made by compiled code itself. Rules: emit_int.h; the heap: heap.h.
 *
 * Memory     Comes from the bump run of the VM's heap by one compare, else from gs_c_alloc, which gives NULL when a collection is due or memory is
 *            out: then the code leaves and the interpreter makes the object. Nothing is looked at as long as the run lasts: what asks for a
 *            collection changes where a run ends, but for buffers outside the heap, and a run is 32 KiB at the most.
 * Contents   Everything is written, as by new_object, closure_new and cell_new of slow.c, before the next allocation. Making an object changes no
 *            other, so what is known about others stays known, and loops that make objects can have strips.
 */
#include "emit_int.h"

static size_t heap_field(size_t offset)
{
    return offsetof(struct gs_vm, heap) + offset;
}

static LLVMValueRef from_slow(struct gs_emit *e, size_t bytes)
{
    LLVMValueRef args[2] = {e->vm, gs_i64(e, (int64_t)bytes)}, p = gs_session_call(e->b, "gs_c_alloc", args, 2);
    LLVMBasicBlockRef got = gs_new_block(e, ""), none = gs_again(e);
    gs_branch(e, LLVMBuildIsNotNull(e->b, p, ""), got, none);
    LLVMPositionBuilderAtEnd(e->b, got);
    return p;
}

/* Memory for an object of `bytes` bytes, rounded up as gs_heap_alloc does. */
static LLVMValueRef memory(struct gs_emit *e, size_t bytes)
{
    bytes = (bytes + 15u) & ~(size_t)15u;
    LLVMValueRef cur_at = gs_at(e, e->vm, (int64_t)heap_field(offsetof(struct gs_heap, cur)));
    LLVMValueRef end_at = gs_at(e, e->vm, (int64_t)heap_field(offsetof(struct gs_heap, end)));
    LLVMValueRef cur = gs_load(e, e->ptr, cur_at, GS_MEM_VM), end = gs_load(e, e->ptr, end_at, GS_MEM_VM);
    LLVMValueRef room = LLVMBuildSub(e->b, LLVMBuildPtrToInt(e->b, end, e->i64, ""), LLVMBuildPtrToInt(e->b, cur, e->i64, ""), "");
    LLVMBasicBlockRef bump = gs_new_block(e, "bump"), slow = gs_new_block(e, "slow"), on = gs_new_block(e, "");
    gs_branch(e, LLVMBuildICmp(e->b, LLVMIntUGE, room, gs_i64(e, (int64_t)bytes), ""), bump, slow);
    LLVMPositionBuilderAtEnd(e->b, slow);
    LLVMValueRef p = from_slow(e, bytes);
    LLVMBasicBlockRef from[2] = {LLVMGetInsertBlock(e->b), bump};
    LLVMBuildBr(e->b, on);
    LLVMPositionBuilderAtEnd(e->b, bump);
    gs_store_to(e, gs_at(e, cur, (int64_t)bytes), cur_at, GS_MEM_VM);
    LLVMBuildBr(e->b, on);
    LLVMPositionBuilderAtEnd(e->b, on);
    LLVMValueRef phi = LLVMBuildPhi(e->b, e->ptr, ""), in[2] = {p, cur};
    LLVMAddIncoming(phi, in, from, 2);
    return phi;
}

/* An object with its header, and its word. */
static LLVMValueRef object(struct gs_emit *e, enum gs_kind kind, uint32_t aux16, uint32_t aux32, size_t bytes)
{
    LLVMValueRef p = memory(e, bytes);
    LLVMValueRef flags = gs_load(e, e->i32, gs_at(e, e->vm, (int64_t)heap_field(offsetof(struct gs_heap, newflags))), GS_MEM_VM);
    flags = LLVMBuildShl(e->b, LLVMBuildZExt(e->b, flags, e->i64, ""), gs_i64(e, 8), "");
    uint64_t rest = (uint64_t)kind | (uint64_t)aux16 << 16 | (uint64_t)aux32 << 32;
    gs_store_to(e, LLVMBuildOr(e->b, flags, gs_i64(e, (int64_t)rest), ""), p, GS_MEM_OBJECT);
    return p;
}

_Static_assert(offsetof(struct gs_obj, flags) == 1 && offsetof(struct gs_obj, aux16) == 2 && offsetof(struct gs_obj, aux32) == 4, "object()");

static struct gs_val made(struct gs_emit *e, enum gs_kind kind, LLVMValueRef p)
{
    struct gs_val v = gs_val_single(kind, LLVMBuildPtrToInt(e->b, p, e->i64, ""));
    gs_set(e, e->n->a, v);
    return v;
}

static void cell(struct gs_emit *e)
{
    struct gs_val v = gs_get(e, e->n->b);
    LLVMValueRef p = object(e, GS_T_CELL, 0, 0, sizeof(struct gs_cell));
    gs_store_value(e, v, gs_at(e, p, offsetof(struct gs_cell, v)), GS_MEM_CELL);
    (void)made(e, GS_T_CELL, p);
}

static void closure(struct gs_emit *e, const struct gs_proto *q)
{
    if (q->ncaps == 0) {
        gs_set(e, e->n->a, gs_val_constant(e, gs_objv(GS_T_FUNC, q->self)));
        return;
    }
    LLVMValueRef p = object(e, GS_T_FUNC, q->ncaps, 0, sizeof(struct gs_func) + q->ncaps * sizeof(gs_value));
    gs_store_to(e, gs_constant_pointer(e, q), gs_at(e, p, offsetof(struct gs_func, proto)), GS_MEM_OBJECT);
    for (uint32_t i = 0; i < q->ncaps; i++) {
        struct gs_val v = q->caps[i].from_up ? gs_load_value(e, gs_captured_at(e, q->caps[i].index), GS_K_ANY, GS_MEM_CELL)
                                             : gs_get(e, q->caps[i].index);
        gs_store_value(e, v, gs_at(e, p, (int64_t)(offsetof(struct gs_func, up) + i * sizeof(gs_value))), GS_MEM_CELL);
    }
    (void)made(e, GS_T_FUNC, p);
}

static void literal(struct gs_emit *e, const struct gs_objlit *lit)
{
    uint32_t n = lit->n;
    LLVMValueRef p = object(e, GS_T_OBJECT, n, lit->shape, sizeof(struct gs_object) + n * sizeof(gs_value));
    LLVMValueRef fields = gs_at(e, p, offsetof(struct gs_object, fields));
    gs_store_to(e, fields, gs_at(e, p, offsetof(struct gs_object, slots)), GS_MEM_OBJECT);
    gs_store_to(e, gs_i64(e, n), gs_at(e, p, offsetof(struct gs_object, cap)), GS_MEM_OBJECT); /* cap, and 0 to pad */
    for (uint32_t i = 0; i < n; i++)
        gs_store_value(e, gs_get(e, e->n->b + i), gs_at(e, fields, (int64_t)(i * sizeof(gs_value))), GS_MEM_SLOTS);
    LLVMValueRef w = made(e, GS_T_OBJECT, p).w;
    gs_fact_is_shape(e, w, lit->shape);
    for (uint32_t i = 0; i < n && i < GS_FACTS / 2; i++) {
        if (e->cur[e->n->frame->off + e->n->b + i].w != NULL)
            gs_fact_loaded(e, w, i, gs_get(e, e->n->b + i));
    }
}

_Static_assert(offsetof(struct gs_object, pad) == offsetof(struct gs_object, cap) + 4, "literal()");

static bool bumps(const struct gs_node *n)
{
    const struct gs_proto *p = n->frame->p;
    const struct gs_objlit *lit;
    switch ((enum gs_op)n->op) {
    case GS_OP_CELLNEW:
        return true;
    case GS_OP_CLOSURE:
        return p->protos[n->bx]->ncaps <= GS_BUMP_VALUES;
    case GS_OP_NEWOBJ:
        lit = p->k[n->c].p;
        return lit->n <= GS_BUMP_VALUES && gs_c_is_plain(lit);
    default:
        return false;
    }
}

enum gs_how gs_alloc_how(const struct gs_node *n)
{
#if defined(GS_GC_STRESS)
    (void)bumps; /* the helpers collect at every object */
    (void)n;
    return GS_HOW_CALL;
#else
    return bumps(n) ? GS_HOW_BUMP : GS_HOW_CALL;
#endif
}

void gs_emit_alloc(struct gs_emit *e)
{
    const struct gs_node *n = e->n;
    const struct gs_proto *p = n->frame->p;
    if (n->op == GS_OP_CELLNEW)
        cell(e);
    else if (n->op == GS_OP_CLOSURE)
        closure(e, p->protos[n->bx]);
    else
        literal(e, p->k[n->c].p);
}
