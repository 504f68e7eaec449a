/* SPDX-License-Identifier: MIT
 * emit_escape.c - objects that do not escape: places for their fields, and making them where the code leaves. Rules: emit_int.h; which: escape.h.
 *
 * Place      An alloca for each site, laid out as an object without the pointer to its slots; LLVM makes registers of it, since nothing
 *            but loads and stores ever sees it.
 * Exits      An exit may go back to the beginning of a segment, and makes objects with the fields as they are now. It is right
 *            because what changes a place (a store, a new object of the site) ends the segment.
 */
#include "emit_int.h"

static const struct gs_objlit *literal_of(const struct gs_emit *e, uint32_t site)
{
    const struct gs_node *n = e->escape.site[site];
    return n->frame->p->k[n->c].p;
}

void gs_virtual_places(struct gs_emit *e)
{
    LLVMBasicBlockRef entry = LLVMGetEntryBasicBlock(e->fn);
    LLVMValueRef first = LLVMGetFirstInstruction(entry);
    if (first != NULL)
        LLVMPositionBuilderBefore(e->b, first);
    else
        LLVMPositionBuilderAtEnd(e->b, entry);
    for (uint32_t i = 0; i < e->escape.nsites; i++) {
        if (e->escape.site[i] == NULL)
            continue;
        uint32_t words = (uint32_t)(sizeof(struct gs_object) / 8) + 2 * literal_of(e, i)->n;
        e->virtual[i].place = LLVMBuildAlloca(e->b, LLVMArrayType(e->i64, words), "virtual");
        LLVMSetAlignment(e->virtual[i].place, 16);
    }
}

/* The site of the object plus 1, or 0. */
static uint32_t site_of(const struct gs_emit *e, struct gs_val v)
{
    for (uint32_t i = 0; v.w != NULL && i < e->escape.nsites; i++) {
        if (e->virtual[i].place == v.w)
            return i + 1;
    }
    return 0;
}

bool gs_virtual_new(struct gs_emit *e)
{
    uint8_t site = gs_escape_site(&e->escape, e->n);
    if (site == 0)
        return false;
    const struct gs_objlit *lit = literal_of(e, site - 1u);
    LLVMValueRef p = e->virtual[site - 1].place;
    gs_fact_ends(e, p);
    gs_store_to(e, gs_i32(e, lit->shape), gs_at(e, p, offsetof(struct gs_object, h.aux32)), GS_MEM_OBJECT);
    for (uint32_t i = 0; i < lit->n; i++) {
        LLVMValueRef at = gs_at(e, p, (int64_t)(offsetof(struct gs_object, fields) + i * sizeof(gs_value)));
        gs_store_value(e, gs_get(e, e->n->b + i), at, GS_MEM_SLOTS);
    }
    gs_fact_is_shape(e, p, lit->shape);
    for (uint32_t i = 0; i < lit->n && i < GS_FACTS / 2; i++) {
        if (e->cur[e->n->frame->off + e->n->b + i].w != NULL)
            gs_fact_loaded(e, p, i, gs_get(e, e->n->b + i));
    }
    gs_set(e, e->n->a, gs_val_single(GS_T_OBJECT, p));
    return true;
}

void gs_virtual_begin(struct gs_emit *e, uint32_t id)
{
    if (e->escape.in == NULL)
        return;
    const uint8_t *in = e->escape.in + (size_t)id * e->g->nslots;
    for (uint32_t s = 0; s < e->g->nslots; s++) {
        if (in[s] != 0 && e->cur[s].w != NULL)
            e->cur[s] = gs_val_single(GS_T_OBJECT, e->virtual[in[s] - 1].place);
    }
}

struct gs_val gs_virtual_real(struct gs_emit *e, struct gs_val v)
{
    uint32_t site = site_of(e, v);
    if (site == 0)
        return v;
    struct gs_virtual *x = &e->virtual[site - 1];
    if (x->at != LLVMGetInsertBlock(e->b)) {
        const struct gs_objlit *lit = literal_of(e, site - 1);
        LLVMValueRef args[3] = {e->vm, gs_i32(e, lit->shape), gs_i32(e, lit->n)};
        LLVMValueRef p = gs_session_call(e->b, "gs_c_object", args, 3);
        for (uint32_t i = 0; i < lit->n; i++) {
            int64_t at = (int64_t)(offsetof(struct gs_object, fields) + i * sizeof(gs_value));
            struct gs_val f = gs_load_value(e, gs_at(e, x->place, at), GS_K_ANY, GS_MEM_SLOTS);
            gs_store_value(e, f, gs_at(e, p, at), GS_MEM_SLOTS);
        }
        x->at = LLVMGetInsertBlock(e->b);
        x->made = LLVMBuildPtrToInt(e->b, p, e->i64, "");
    }
    return gs_val_single(GS_T_OBJECT, x->made);
}
