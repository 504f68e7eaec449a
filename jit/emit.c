/* SPDX-License-Identifier: MIT
 * emit.c - the unit as a whole: values, memory, exits, blocks. Contract: emit.h; rules: emit_int.h.
 *
 * Exits      Nodes without effects can be done again. So a guard need not leave at its own node: a segment is a run of nodes of a block
 *            that begins with any node and ends with the first that has an effect, and all its guards share one exit, which
 *            writes what was live as the segment began and says which instruction was to blame. Exits are most of the
 *            code that LLVM sees, and few of them are what makes compiling fast.
 * Functions  Two LLVM functions: `own` takes the arguments in registers and gives (payload, tag), where the tag GS_STATUS_TAG says that
 *            the code has left and the payload how; `enter` is what the interpreter calls. Loops have `enter` alone.
 */
#include "emit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "debug.h"
#include "decline.h"
#include "emit_int.h"

/* ---- constants, memory ---- */

LLVMValueRef gs_i64(struct gs_emit *e, int64_t v)
{
    return LLVMConstInt(e->i64, (unsigned long long)v, 0);
}

LLVMValueRef gs_i32(struct gs_emit *e, uint32_t v)
{
    return LLVMConstInt(e->i32, v, 0);
}

LLVMValueRef gs_pointer(struct gs_emit *e, LLVMValueRef word)
{
    if (LLVMGetTypeKind(LLVMTypeOf(word)) == LLVMPointerTypeKind)
        return word;
    return LLVMBuildIntToPtr(e->b, word, e->ptr, "");
}

LLVMValueRef gs_constant_pointer(struct gs_emit *e, const void *p)
{
    return LLVMConstIntToPtr(gs_i64(e, (int64_t)(intptr_t)p), e->ptr);
}

LLVMValueRef gs_at(struct gs_emit *e, LLVMValueRef p, int64_t bytes)
{
    LLVMValueRef index = gs_i64(e, bytes);
    return bytes == 0 ? p : LLVMBuildInBoundsGEP2(e->b, e->i8, p, &index, 1, "");
}

static void note(struct gs_emit *e, LLVMValueRef access, enum gs_mem m)
{
    LLVMSetMetadata(access, e->md_tbaa, LLVMMetadataAsValue(e->c, e->tbaa[m]));
}

LLVMValueRef gs_load(struct gs_emit *e, LLVMTypeRef t, LLVMValueRef p, enum gs_mem m)
{
    LLVMValueRef v = LLVMBuildLoad2(e->b, t, p, "");
    note(e, v, m);
    return v;
}

void gs_store_to(struct gs_emit *e, LLVMValueRef v, LLVMValueRef p, enum gs_mem m)
{
    note(e, LLVMBuildStore(e->b, v, p), m);
}

LLVMBasicBlockRef gs_new_block(struct gs_emit *e, const char *name)
{
    return LLVMAppendBasicBlockInContext(e->c, e->fn, name);
}

LLVMValueRef gs_helper(struct gs_emit *e, const char *name, LLVMValueRef *args, unsigned n)
{
    gs_facts_forget(e);
    e->looks = true;
    return gs_session_call(e->b, name, args, n);
}

LLVMValueRef gs_slot_at(struct gs_emit *e, uint32_t slot)
{
    return gs_at(e, e->base, (int64_t)slot * (int64_t)sizeof(gs_value));
}

/* The scalar types of memory, none of which aliases another. */
static void make_tbaa(struct gs_emit *e)
{
    static const char *const names[GS_MEM_COUNT_] = {"stack", "vm",     "array", "object", "slots",      "slot tags",
                                                     "ints",  "floats", "bytes", "values", "value tags", "cell",  "layout"};
    LLVMMetadataRef root = LLVMMDStringInContext2(e->c, "langoost", 8);
    root = LLVMMDNodeInContext2(e->c, &root, 1);
    LLVMMetadataRef zero = LLVMValueAsMetadata(gs_i64(e, 0));
    for (int i = 0; i < GS_MEM_COUNT_; i++) {
        LLVMMetadataRef type[3] = {LLVMMDStringInContext2(e->c, names[i], strlen(names[i])), root, zero};
        type[0] = LLVMMDNodeInContext2(e->c, type, 3);
        LLVMMetadataRef access[3] = {type[0], type[0], zero};
        e->tbaa[i] = LLVMMDNodeInContext2(e->c, access, 3);
    }
    e->md_tbaa = LLVMGetMDKindIDInContext(e->c, "tbaa", 4);
    e->md_prof = LLVMGetMDKindIDInContext(e->c, "prof", 4);
    LLVMMetadataRef w[3] = {LLVMMDStringInContext2(e->c, "branch_weights", 14),
                            LLVMValueAsMetadata(gs_i32(e, 100000)), LLVMValueAsMetadata(gs_i32(e, 1))};
    e->unlikely = LLVMMetadataAsValue(e->c, LLVMMDNodeInContext2(e->c, w, 3));
}

/* ---- values ---- */

struct gs_val gs_val_single(enum gs_kind kind, LLVMValueRef w)
{
    return (struct gs_val){w, NULL, GS_K(kind)};
}

struct gs_val gs_val_constant(struct gs_emit *e, gs_value v)
{
    if (gs_is(v, GS_T_FLOAT)) {
        /* By its bits: a NaN keeps its payload. */
        LLVMValueRef w = LLVMConstBitCast(gs_i64(e, v.i), e->f64);
        return gs_val_single(GS_T_FLOAT, w);
    }
    return gs_val_single(gs_kind(v), gs_i64(e, v.i));
}

static LLVMTypeRef type_of(const struct gs_emit *e, gs_kinds k)
{
    return k == GS_K_FLOAT ? e->f64 : e->i64;
}

LLVMValueRef gs_word(struct gs_emit *e, struct gs_val v)
{
    if (v.w == NULL)
        return gs_i64(e, 0);
    return v.k == GS_K_FLOAT ? LLVMBuildBitCast(e->b, v.w, e->i64, "") : v.w;
}

LLVMValueRef gs_tag(struct gs_emit *e, struct gs_val v)
{
    if (v.w == NULL)
        return gs_i64(e, GS_T_NIL);
    return v.tag != NULL ? v.tag : gs_i64(e, (int64_t)__builtin_ctz(v.k));
}

struct gs_val gs_as(struct gs_emit *e, struct gs_val v, gs_kinds k)
{
    if (v.w == NULL) { /* never stored: any value will do */
        if (gs_kinds_single(k))
            return (struct gs_val){k == GS_K_FLOAT ? LLVMConstReal(e->f64, 0) : gs_i64(e, 0), NULL, k};
        return (struct gs_val){gs_i64(e, 0), gs_i64(e, GS_T_NIL), k};
    }
    if (v.k == k)
        return v;
    if (!gs_kinds_single(k))
        return (struct gs_val){gs_word(e, v), gs_tag(e, v), k};
    if (gs_kinds_single(v.k)) /* of another kind: this edge is never taken */
        return gs_as(e, (struct gs_val){NULL, NULL, 0}, k);
    return (struct gs_val){k == GS_K_FLOAT ? LLVMBuildBitCast(e->b, v.w, e->f64, "") : v.w, NULL, k};
}

struct gs_val gs_get(struct gs_emit *e, uint32_t reg)
{
    struct gs_val v = e->cur[e->n->frame->off + reg];
    return v.w != NULL ? v : gs_as(e, v, GS_K_NIL);
}

void gs_set(struct gs_emit *e, uint32_t reg, struct gs_val v)
{
    e->cur[e->n->frame->off + reg] = v;
}

/* Tags have a kind of memory of their own where payloads are written without them. */
static enum gs_mem mem_of_tag(enum gs_mem m)
{
    return m == GS_MEM_SLOTS ? GS_MEM_SLOT_TAGS : m == GS_MEM_VALUES ? GS_MEM_VALUE_TAGS : m;
}

LLVMValueRef gs_load_tag(struct gs_emit *e, LLVMValueRef p, enum gs_mem m)
{
    return gs_load(e, e->i64, gs_at(e, p, 8), mem_of_tag(m));
}

struct gs_val gs_load_value(struct gs_emit *e, LLVMValueRef p, gs_kinds k, enum gs_mem m)
{
    if (gs_kinds_single(k))
        return (struct gs_val){gs_load(e, type_of(e, k), p, m), NULL, k};
    LLVMValueRef w = gs_load(e, e->i64, p, m);
    return (struct gs_val){w, gs_load_tag(e, p, m), k};
}

void gs_store_payload(struct gs_emit *e, struct gs_val v, LLVMValueRef p, enum gs_mem m)
{
    gs_store_to(e, v.k == GS_K_FLOAT && v.w != NULL ? v.w : gs_word(e, v), p, m);
}

void gs_store_value(struct gs_emit *e, struct gs_val v, LLVMValueRef p, enum gs_mem m)
{
    gs_store_payload(e, v, p, m);
    gs_store_to(e, gs_tag(e, v), gs_at(e, p, 8), mem_of_tag(m));
}

LLVMValueRef gs_is_kind(struct gs_emit *e, struct gs_val v, gs_kinds k)
{
    LLVMValueRef yes = LLVMConstInt(e->i1, 1, 0), no = LLVMConstInt(e->i1, 0, 0), is = NULL;
    if (v.w == NULL)
        return yes;
    if ((v.k & k) == 0)
        return no;
    if ((v.k & ~k) == 0)
        return yes;
    /* The complement may be the shorter question. */
    gs_kinds ask = k & v.k, not = v.k & ~k;
    bool turned = __builtin_popcount(not) < __builtin_popcount(ask);
    LLVMValueRef kind = LLVMBuildAnd(e->b, v.tag, gs_i64(e, 0xff), "");
    for (gs_kinds left = turned ? not : ask; left != 0; left &= left - 1) {
        unsigned one = (unsigned)__builtin_ctz(left);
        LLVMValueRef t = LLVMBuildICmp(e->b, LLVMIntEQ, one == GS_T_HANDLE ? kind : v.tag, gs_i64(e, one), "");
        is = is == NULL ? t : LLVMBuildOr(e->b, is, t, "");
    }
    return turned ? LLVMBuildNot(e->b, is, "") : is;
}

LLVMValueRef gs_to_double(struct gs_emit *e, struct gs_val v)
{
    if (v.k == GS_K_FLOAT)
        return v.w;
    LLVMValueRef from_int = LLVMBuildSIToFP(e->b, v.w, e->f64, "");
    if (v.k == GS_K_INT)
        return from_int;
    LLVMValueRef is_int = LLVMBuildICmp(e->b, LLVMIntEQ, v.tag, gs_i64(e, GS_T_INT), "");
    return LLVMBuildSelect(e->b, is_int, from_int, LLVMBuildBitCast(e->b, v.w, e->f64, ""), "");
}

/* ---- exits ---- */

void gs_return_status(struct gs_emit *e, LLVMValueRef how)
{
    if (e->g->is_loop) {
        LLVMBuildRet(e->b, how);
        return;
    }
    LLVMValueRef v = LLVMGetUndef(e->pair);
    v = LLVMBuildInsertValue(e->b, v, LLVMBuildZExt(e->b, how, e->i64, ""), 0, "");
    LLVMBuildRet(e->b, LLVMBuildInsertValue(e->b, v, gs_i64(e, GS_STATUS_TAG), 1, ""));
}

LLVMValueRef gs_frame_fn(struct gs_emit *e, const struct gs_frame *f)
{
    if (f->parent == NULL) {
        e->looks = true;
        return gs_load(e, e->i64, gs_at(e, e->base, -2 * (int64_t)sizeof(gs_value)), GS_MEM_STACK);
    }
    if (f->fn != NULL)
        return gs_i64(e, (int64_t)(intptr_t)f->fn);
    return e->frame_fn[f->number];
}

void gs_write_link(struct gs_emit *e, uint32_t off, uint32_t by, LLVMValueRef f, const gs_insn *back)
{
    LLVMValueRef fn = gs_slot_at(e, off - 2), link = gs_slot_at(e, off - 1);
    gs_store_to(e, f, fn, GS_MEM_STACK);
    gs_store_to(e, gs_i64(e, GS_T_FUNC), gs_at(e, fn, 8), GS_MEM_STACK);
    gs_store_to(e, gs_i64(e, (int64_t)(intptr_t)back), link, GS_MEM_STACK);
    gs_store_to(e, gs_i64(e, (int64_t)((uint64_t)by << 32 | GS_T_FRAME)), gs_at(e, link, 8), GS_MEM_STACK);
}

void gs_write_links(struct gs_emit *e, const struct gs_frame *f)
{
    for (; f->parent != NULL; f = f->parent)
        gs_write_link(e, f->off, f->off - f->parent->off, gs_frame_fn(e, f), f->parent->p->code + f->call_pc + 1);
}

static void write_place(struct gs_emit *e, const struct gs_frame *f, uint32_t pc)
{
    gs_write_links(e, f);
    gs_store_to(e, gs_slot_at(e, f->off), gs_at(e, e->vm, offsetof(struct gs_vm, base)), GS_MEM_VM);
    gs_store_to(e, gs_i64(e, (int64_t)(intptr_t)(f->p->code + pc)), gs_at(e, e->vm, offsetof(struct gs_vm, pc)), GS_MEM_VM);
}

void gs_save(struct gs_emit *e)
{
    write_place(e, e->n->frame, e->n->pc + 1);
}

static void write_slot(void *ctx, uint32_t slot)
{
    struct gs_emit *e = ctx;
    if (e->cur[slot].w != NULL)
        gs_store_value(e, gs_virtual_real(e, e->cur[slot]), gs_slot_at(e, slot), GS_MEM_STACK);
}

void gs_write_live(struct gs_emit *e, uint32_t pc, uint32_t catch_pc, uint32_t end)
{
    gs_graph_live(e->n->frame, pc, end, write_slot, e);
    if (catch_pc != UINT32_MAX)
        gs_graph_live_catch(e->n->frame, catch_pc, end, write_slot, e);
}

void gs_write_catch(struct gs_emit *e)
{
    gs_graph_live_catch(e->n->frame, e->n->pc, UINT32_MAX, write_slot, e);
}

void gs_leave(struct gs_emit *e, uint32_t how, uint32_t pc)
{
    write_place(e, e->n->frame, pc);
    gs_return_status(e, gs_i32(e, how));
}

/* The exit of the segment. */
static void make_exit(struct gs_emit *e)
{
    LLVMBasicBlockRef here = LLVMGetInsertBlock(e->b);
    const struct gs_node *now = e->n;
    struct gs_val *cur = e->cur;
    e->exit = gs_new_block(e, "exit");
    LLVMPositionBuilderAtEnd(e->b, e->exit);
    e->n = e->first;
    e->cur = e->start;
    gs_debug_at(e, e->n);
    e->exit_how = LLVMBuildPhi(e->b, e->i32, "");
    e->exit_site = LLVMBuildPhi(e->b, e->i64, "");
    gs_write_live(e, e->n->pc, UINT32_MAX, UINT32_MAX);
    gs_store_to(e, e->exit_site, gs_at(e, e->vm, offsetof(struct gs_vm, missed)), GS_MEM_VM);
    write_place(e, e->n->frame, e->n->pc);
    gs_return_status(e, e->exit_how);
    e->n = now;
    e->cur = cur;
    gs_debug_at(e, now);
    LLVMPositionBuilderAtEnd(e->b, here);
}

static LLVMBasicBlockRef to_exit(struct gs_emit *e, uint32_t how)
{
    if (e->exit == NULL)
        make_exit(e);
    LLVMBasicBlockRef here = LLVMGetInsertBlock(e->b);
    struct gs_hot_site *site = &e->site[e->n - e->g->node];
    site->entry = e->g->r->entry;
    site->proto = (struct gs_proto *)(uintptr_t)e->n->frame->p;
    site->at = e->n->frame->p->code + e->n->pc;
    LLVMValueRef h = gs_i32(e, how), at = gs_i64(e, (int64_t)(intptr_t)site);
    LLVMAddIncoming(e->exit_how, &h, &here, 1);
    LLVMAddIncoming(e->exit_site, &at, &here, 1);
    return e->exit;
}

LLVMBasicBlockRef gs_miss(struct gs_emit *e)
{
    return to_exit(e, GS_LEFT_MISS);
}

LLVMBasicBlockRef gs_stuck(struct gs_emit *e)
{
    return to_exit(e, GS_LEFT_STUCK);
}

LLVMBasicBlockRef gs_stale(struct gs_emit *e)
{
    return to_exit(e, GS_LEFT_STALE);
}

LLVMBasicBlockRef gs_again(struct gs_emit *e)
{
    return to_exit(e, GS_LEFT_GO);
}

void gs_branch(struct gs_emit *e, LLVMValueRef cond, LLVMBasicBlockRef likely, LLVMBasicBlockRef unlikely)
{
    LLVMValueRef br = LLVMBuildCondBr(e->b, cond, likely, unlikely);
    LLVMSetMetadata(br, e->md_prof, e->unlikely);
}

/* --jit-stress: every now and then a guard that holds leaves, too. It is no miss, so that nothing else changes. */
static void stress(struct gs_emit *e)
{
    static uint32_t left; /* relaxed: whose guard it is does not matter */
    LLVMValueRef at = gs_constant_pointer(e, &left), n = LLVMBuildLoad2(e->b, e->i32, at, "");
    LLVMValueRef now = LLVMBuildICmp(e->b, LLVMIntEQ, n, gs_i32(e, 0), "");
    LLVMValueRef next = LLVMBuildSub(e->b, n, gs_i32(e, 1), "");
    LLVMValueRef store = LLVMBuildStore(e->b, LLVMBuildSelect(e->b, now, gs_i32(e, gs_hot_options()->stress - 1), next, ""), at);
    LLVMSetOrdering(n, LLVMAtomicOrderingMonotonic);
    LLVMSetAlignment(n, 4);
    LLVMSetOrdering(store, LLVMAtomicOrderingMonotonic);
    LLVMSetAlignment(store, 4);
    LLVMBasicBlockRef on = gs_new_block(e, ""), leave = gs_again(e);
    gs_branch(e, LLVMBuildNot(e->b, now, ""), on, leave);
    LLVMPositionBuilderAtEnd(e->b, on);
}

void gs_guard(struct gs_emit *e, LLVMValueRef cond)
{
    if (gs_hot_options()->stress != 0)
        stress(e);
    if (LLVMIsAConstantInt(cond) && LLVMConstIntGetZExtValue(cond) == 1)
        return;
    LLVMBasicBlockRef miss = gs_miss(e), on = gs_new_block(e, "");
    gs_branch(e, cond, on, miss);
    LLVMPositionBuilderAtEnd(e->b, on);
}

struct gs_val gs_want(struct gs_emit *e, uint32_t reg, gs_kinds k)
{
    struct gs_val v = gs_get(e, reg);
    gs_kinds both = v.k & k;
    if (v.k == k)
        return v;
    gs_guard(e, gs_is_kind(e, v, k));
    gs_fact_narrowed(e, v.w, k);
    v = gs_as(e, v, both != 0 ? both : k);
    e->cur[e->n->frame->off + reg] = v;
    return v;
}

void gs_check(struct gs_emit *e, LLVMValueRef status)
{
    LLVMBasicBlockRef bad = gs_new_block(e, "failed"), thrown = gs_new_block(e, "thrown");
    LLVMBasicBlockRef on = gs_new_block(e, "");
    gs_branch(e, LLVMBuildICmp(e->b, LLVMIntEQ, status, gs_i32(e, GS_OK), ""), on, bad);
    LLVMPositionBuilderAtEnd(e->b, bad);
    LLVMBuildCondBr(e->b, LLVMBuildICmp(e->b, LLVMIntEQ, status, gs_i32(e, GS_E_THROWN), ""), thrown, gs_again(e));
    LLVMPositionBuilderAtEnd(e->b, thrown);
    gs_thrown(e); /* the helper saw vm->base and vm->pc */
    LLVMPositionBuilderAtEnd(e->b, on);
}

void gs_spill(struct gs_emit *e, uint32_t reg, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        gs_store_value(e, gs_get(e, reg + i), gs_slot_at(e, e->n->frame->off + reg + i), GS_MEM_STACK);
}

/* ---- blocks ---- */

struct live_phi {
    struct gs_emit *e;
    struct gs_val *phi;
    const gs_kinds *k;
    const struct gs_loop *of; /* not NULL: only what this loop stores */
};

static void make_phi(void *ctx, uint32_t slot)
{
    struct live_phi *l = ctx;
    struct gs_emit *e = l->e;
    gs_kinds k = l->k[slot];
    if (k == 0 || l->phi[slot].w != NULL || (l->of != NULL && !gs_loop_stores(l->of, slot)))
        return;
    l->phi[slot].k = k;
    l->phi[slot].w = LLVMBuildPhi(e->b, type_of(e, k), "");
    l->phi[slot].tag = gs_kinds_single(k) ? NULL : LLVMBuildPhi(e->b, e->i64, "");
}

struct gs_strip *gs_strip_of(struct gs_emit *e, uint32_t head)
{
    uint32_t i = e->loops.of_head[head];
    return i != 0 ? &e->strip[i - 1] : NULL;
}

static const struct gs_loop *loop_of(const struct gs_emit *e, uint32_t head)
{
    uint32_t i = e->loops.of_head[head];
    return i != 0 ? &e->loops.loop[i - 1] : NULL;
}

/* Every block but the entry gets phis for what is live there; LLVM folds those that join nothing. */
static void make_block(struct gs_emit *e, uint32_t id)
{
    const struct gs_block *b = &e->g->block[id];
    const struct gs_node *n = &e->g->node[b->first];
    struct gs_strip *p = gs_strip_of(e, id);
    struct live_phi l = {e, e->phi + (size_t)id * e->g->nslots, e->t->in + (size_t)id * e->g->nslots, loop_of(e, id)};
    if (p != NULL) {
        struct live_phi all = {e, p->phi, l.k, NULL};
        p->block = gs_new_block(e, "strip");
        LLVMPositionBuilderAtEnd(e->b, p->block);
        gs_graph_live(n->frame, n->pc, UINT32_MAX, make_phi, &all);
    }
    e->block[id] = gs_new_block(e, "b");
    if (id == 0)
        return;
    LLVMPositionBuilderAtEnd(e->b, e->block[id]);
    gs_debug_at(e, n);
    gs_graph_live(n->frame, n->pc, UINT32_MAX, make_phi, &l);
    if (n->kind == GS_N_RETURN && n->op == GS_OP_RET) /* reads it */
        make_phi(&l, n->frame->off + n->a);
    if (p != NULL && l.of->range != NULL)
        p->turns = LLVMBuildPhi(e->b, e->i64, "");
}

/* From here to block id (or the strip before it), that has these phis. Those of virtual objects are looked at by nobody. */
static void join(struct gs_emit *e, const struct gs_val *phi, uint32_t id, LLVMBasicBlockRef to)
{
    const uint8_t *in = e->escape.in != NULL ? e->escape.in + (size_t)id * e->g->nslots : NULL;
    LLVMBasicBlockRef here = LLVMGetInsertBlock(e->b);
    for (uint32_t s = 0; s < e->g->nslots; s++) {
        if (phi[s].w == NULL)
            continue;
        struct gs_val v = gs_as(e, e->cur[s], phi[s].k);
        if (in != NULL && in[s] != 0)
            v.w = LLVMConstNull(LLVMTypeOf(phi[s].w));
        LLVMAddIncoming(phi[s].w, &v.w, &here, 1);
        if (phi[s].tag != NULL)
            LLVMAddIncoming(phi[s].tag, &v.tag, &here, 1);
    }
    LLVMBuildBr(e->b, to);
}

void gs_goto_strip(struct gs_emit *e, struct gs_strip *p)
{
    join(e, p->phi, e->loops.loop[p - e->strip].head, p->block);
}

void gs_next_turn(struct gs_emit *e, uint32_t head, LLVMValueRef turns)
{
    LLVMBasicBlockRef here = LLVMGetInsertBlock(e->b);
    struct gs_strip *p = gs_strip_of(e, head);
    if (p != NULL && p->turns != NULL)
        LLVMAddIncoming(p->turns, &turns, &here, 1);
    join(e, e->phi + (size_t)head * e->g->nslots, head, e->block[head]);
}

void gs_goto(struct gs_emit *e, uint32_t to)
{
    struct gs_strip *p = gs_strip_of(e, to);
    bool back = e->g->block[e->id].order >= e->g->block[to].order;
    if (p != NULL && !back)
        gs_goto_strip(e, p);
    else
        gs_next_turn(e, to, NULL);
}

void gs_goto_if(struct gs_emit *e, uint32_t block, LLVMValueRef cond)
{
    const struct gs_block *b = &e->g->block[block];
    if (gs_types_ways(e->n, e->k) != 3) { /* the other block is not there */
        gs_goto(e, b->succ[gs_types_ways(e->n, e->k) == 1 ? 0 : 1]);
        return;
    }
    LLVMBasicBlockRef yes = gs_new_block(e, ""), no = gs_new_block(e, "");
    LLVMBuildCondBr(e->b, cond, yes, no);
    LLVMPositionBuilderAtEnd(e->b, yes);
    gs_goto(e, b->succ[0]);
    LLVMPositionBuilderAtEnd(e->b, no);
    gs_goto(e, b->succ[1]);
}

/* vm->task.sp_limit: another thread may make it 0 at any time. */
static LLVMValueRef stack_limit(struct gs_emit *e)
{
    LLVMValueRef limit = gs_load(e, e->i64, gs_at(e, e->vm, offsetof(struct gs_vm, task.sp_limit)), GS_MEM_VM);
    LLVMSetOrdering(limit, LLVMAtomicOrderingMonotonic);
    LLVMSetAlignment(limit, 8);
    return limit;
}

void gs_poll(struct gs_emit *e)
{
    LLVMValueRef limit = stack_limit(e);
    LLVMValueRef base = LLVMBuildPtrToInt(e->b, e->base, e->i64, "");
    LLVMBasicBlockRef on = gs_new_block(e, "");
    LLVMBasicBlockRef again = gs_again(e);
    gs_branch(e, LLVMBuildICmp(e->b, LLVMIntULE, base, limit, ""), on, again);
    LLVMPositionBuilderAtEnd(e->b, on);
}

/* A jump back polls before anything else, so that it can be done again; a loop that has strips does so where one ends. */
static void poll(struct gs_emit *e, uint32_t id)
{
    const struct gs_block *b = &e->g->block[id];
    bool back = false;
    for (uint32_t i = 0; i < b->nsucc; i++) {
        const struct gs_strip *p = gs_strip_of(e, b->succ[i]);
        back |= e->g->block[b->succ[i]].order <= b->order && (p == NULL || p->turns == NULL);
    }
    if (back && e->n->kind != GS_N_GOTO && e->n->kind != GS_N_RETURN && e->n->kind != GS_N_INLINE)
        gs_poll(e);
}

void gs_begin_segment(struct gs_emit *e)
{
    e->first = e->n;
    e->exit = NULL;
    memcpy(e->start, e->cur, e->g->nslots * sizeof *e->start);
}

/* What the slots hold as the block begins; the strip before a head is emitted with it. */
static void begin_block(struct gs_emit *e, uint32_t id)
{
    const struct gs_loop *l = loop_of(e, id);
    struct gs_strip *p = gs_strip_of(e, id);
    uint32_t nslots = e->g->nslots;
    if (p != NULL)
        gs_emit_strip(e, l, p);
    LLVMPositionBuilderAtEnd(e->b, e->block[id]);
    if (id != 0)
        memcpy(e->cur, e->phi + (size_t)id * nslots, nslots * sizeof *e->cur);
    for (uint32_t s = 0; p != NULL && s < nslots; s++) {
        if (!gs_loop_stores(l, s))
            e->cur[s] = p->cur[s];
    }
    gs_virtual_begin(e, id);
    gs_facts_forget(e);
    if (e->in_loop[id] != 0) {
        const struct gs_strip *in = &e->strip[e->in_loop[id] - 1];
        memcpy(e->fact, in->fact, sizeof e->fact);
        e->nfacts = in->nfacts;
    }
    if (p != NULL && p->turns != NULL) {
        LLVMValueRef left = LLVMBuildAdd(e->b, p->behind, p->turns, "");
        e->cur[l->range->frame->off + l->range->a + 1u] = gs_val_single(GS_T_INT, left);
    }
}

static void emit_block(struct gs_emit *e, uint32_t id)
{
    const struct gs_block *b = &e->g->block[id];
    uint32_t nslots = e->g->nslots;
    e->id = id;
    begin_block(e, id);
    memcpy(e->k, e->t->in + (size_t)id * nslots, nslots * sizeof *e->k);
    e->ended = false;
    e->in_segment = false;
    for (uint32_t i = 0; i < b->n && !e->ended; i++) {
        e->n = &e->g->node[b->first + i];
        gs_debug_at(e, e->n);
        if (!e->in_segment)
            gs_begin_segment(e);
        if (i + 1 == b->n)
            poll(e, id);
        e->in_segment = gs_emit_node(e, e->n, id);
    }
    if (!e->ended && b->nsucc == 1)
        gs_goto(e, b->succ[0]);
}

/* ---- functions ---- */

static void attribute(struct gs_emit *e, LLVMValueRef f, const char *name)
{
    unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
    LLVMAddAttributeAtIndex(f, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, LLVMCreateEnumAttribute(e->c, kind, 0));
}

static LLVMValueRef add_function(struct gs_emit *e, const char *name, LLVMTypeRef result, LLVMTypeRef *args, unsigned n)
{
    LLVMValueRef f = LLVMAddFunction(e->m, name, LLVMFunctionType(result, args, n, 0));
    attribute(e, f, "nounwind");
    return f;
}

unsigned gs_own_types(const struct gs_emit *e, const struct gs_own *o, LLVMTypeRef *t)
{
    unsigned n = 0;
    t[n++] = e->ptr;
    t[n++] = e->ptr;
    for (uint32_t i = 0; i < o->nparams; i++) {
        t[n++] = type_of(e, o->param[i]);
        if (!gs_kinds_single(o->param[i]))
            t[n++] = e->i64;
    }
    return n;
}

/* i1: the frame with all that the unit may write would reach the limit, or the C stack is used up. */
static LLVMValueRef over_limit(struct gs_emit *e)
{
    LLVMValueRef limit = stack_limit(e);
    LLVMValueRef top = LLVMBuildPtrToInt(e->b, gs_slot_at(e, e->g->nslots), e->i64, "");
    return LLVMBuildICmp(e->b, LLVMIntUGT, top, limit, "");
}

static bool calls_units(const struct gs_emit *e)
{
    for (uint32_t i = 0; i < e->g->nnodes; i++) {
        const struct gs_node *n = &e->g->node[i];
        if (n->kind == GS_N_OP && (gs_op_is_call((enum gs_op)n->op) || n->op == GS_OP_DEFERCALL))
            return true;
    }
    return false;
}

/* i1: too deep in the C stack. */
static LLVMValueRef too_deep(struct gs_emit *e)
{
    unsigned id = LLVMLookupIntrinsicID("llvm.read_register", 18);
    LLVMTypeRef t = LLVMIntrinsicGetType(e->c, id, &e->i64, 1);
    LLVMValueRef f = LLVMGetIntrinsicDeclaration(e->m, id, &e->i64, 1);
    LLVMMetadataRef name = LLVMMDStringInContext2(e->c, "rsp", 3);
    LLVMValueRef arg = LLVMMetadataAsValue(e->c, LLVMMDNodeInContext2(e->c, &name, 1));
    LLVMValueRef sp = LLVMBuildCall2(e->b, t, f, &arg, 1, "");
    LLVMValueRef limit = gs_load(e, e->i64, gs_at(e, e->vm, offsetof(struct gs_vm, cstack_limit)), GS_MEM_VM);
    return LLVMBuildICmp(e->b, LLVMIntULT, sp, limit, "");
}

static void emit_body(struct gs_emit *e)
{
    gs_virtual_places(e);
    for (uint32_t i = 0; i < e->g->nrpo; i++) {
        if (e->t->seen[e->g->rpo[i]])
            make_block(e, e->g->rpo[i]);
    }
    for (uint32_t i = 0; i < e->g->nrpo; i++) {
        if (e->t->seen[e->g->rpo[i]])
            emit_block(e, e->g->rpo[i]);
    }
}

/* A unit that calls nothing but itself and never looks at links needs none while it runs, only once it is left: its calls then write them on the way out. fib writes
 * 1.6 links a call otherwise, a third of its time. */
static void sink_links(struct gs_emit *e)
{
    for (uint32_t i = 0; i < e->nlinks; i++) {
        const struct gs_links *l = &e->links[i];
        LLVMPositionBuilderBefore(e->b, LLVMGetFirstInstruction(l->left));
        LLVMValueRef in = l->before != NULL ? LLVMGetNextInstruction(l->before) : LLVMGetFirstInstruction(l->block);
        for (LLVMValueRef next; in != l->call; in = next) {
            next = LLVMGetNextInstruction(in);
            if (LLVMGetInstructionOpcode(in) != LLVMStore)
                continue; /* an address; needed there or nowhere */
            LLVMInstructionRemoveFromParent(in);
            LLVMInsertIntoBuilder(e->b, in);
        }
    }
}

/* The function that compiled code calls: arguments in registers. */
static void emit_own(struct gs_emit *e, LLVMValueRef own)
{
    const struct gs_own *o = e->t->self;
    LLVMBasicBlockRef entry, deep, on;
    unsigned arg = 2;
    e->fn = own;
    e->vm = LLVMGetParam(own, 0);
    e->base = LLVMGetParam(own, 1);
    gs_debug_function(e, "");
    entry = gs_new_block(e, "entry");
    LLVMPositionBuilderAtEnd(e->b, entry);
    for (uint32_t i = 0; i < o->nparams; i++) {
        e->cur[i] = (struct gs_val){LLVMGetParam(own, arg++), NULL, o->param[i]};
        if (!gs_kinds_single(o->param[i]))
            e->cur[i].tag = LLVMGetParam(own, arg++);
    }
    LLVMValueRef over = over_limit(e);
    if (calls_units(e))
        over = LLVMBuildOr(e->b, over, too_deep(e), "");
    deep = gs_new_block(e, "deep");
    on = gs_new_block(e, "on");
    LLVMValueRef br = LLVMBuildCondBr(e->b, LLVMBuildNot(e->b, over, ""), on, deep);
    LLVMSetMetadata(br, e->md_prof, e->unlikely);
    LLVMPositionBuilderAtEnd(e->b, deep);
    struct gs_node at = {.frame = e->g->root, .pc = 0};
    e->n = &at;
    for (uint32_t i = 0; i < o->nparams; i++)
        gs_store_value(e, e->cur[i], gs_slot_at(e, i), GS_MEM_STACK);
    gs_leave(e, GS_LEFT_ENTER, 0);
    LLVMPositionBuilderAtEnd(e->b, on);
    emit_body(e); /* begins with block 0, which takes e->cur as it is */
    LLVMPositionBuilderAtEnd(e->b, on);
    LLVMBuildBr(e->b, e->block[0]);
    if (!e->looks)
        sink_links(e);
}

/* What the interpreter calls for a function: arguments from memory, the result to base[-2]. */
static void emit_enter(struct gs_emit *e, LLVMValueRef enter, LLVMValueRef own)
{
    const struct gs_own *o = e->t->self;
    LLVMValueRef args[2 + 2 * GS_OWN_PARAMS], fits = LLVMConstInt(e->i1, 1, 0);
    LLVMTypeRef types[2 + 2 * GS_OWN_PARAMS];
    unsigned n = 0, nt = gs_own_types(e, o, types);
    e->fn = enter;
    e->vm = LLVMGetParam(enter, 0);
    e->base = LLVMGetParam(enter, 1);
    gs_debug_function(e, ".entry");
    LLVMPositionBuilderAtEnd(e->b, gs_new_block(e, "entry"));
    args[n++] = e->vm;
    args[n++] = e->base;
    for (uint32_t i = 0; i < o->nparams; i++) {
        struct gs_val v = gs_load_value(e, gs_slot_at(e, i), GS_K_ANY, GS_MEM_STACK);
        if (gs_kinds_single(o->param[i])) {
            fits = LLVMBuildAnd(e->b, fits, gs_is_kind(e, v, o->param[i]), "");
            args[n++] = gs_as(e, v, o->param[i]).w;
        } else {
            args[n++] = v.w;
            args[n++] = v.tag;
        }
    }
    LLVMValueRef over = over_limit(e);
    LLVMBasicBlockRef full = gs_new_block(e, "full"), room = gs_new_block(e, "room"), refused = gs_new_block(e, "refused");
    LLVMBasicBlockRef call = gs_new_block(e, "call"), left = gs_new_block(e, "left"), returned = gs_new_block(e, "returned");
    gs_branch(e, LLVMBuildNot(e->b, over, ""), room, full);
    LLVMPositionBuilderAtEnd(e->b, full);
    LLVMBuildRet(e->b, gs_i32(e, GS_LEFT_FULL));
    LLVMPositionBuilderAtEnd(e->b, room);
    gs_branch(e, fits, call, refused);
    LLVMPositionBuilderAtEnd(e->b, refused);
    LLVMBuildRet(e->b, gs_i32(e, GS_LEFT_REFUSED));
    LLVMPositionBuilderAtEnd(e->b, call);
    LLVMValueRef r = LLVMBuildCall2(e->b, LLVMFunctionType(e->pair, types, nt, 0), own, args, n, "");
    LLVMValueRef w = LLVMBuildExtractValue(e->b, r, 0, ""), tag = LLVMBuildExtractValue(e->b, r, 1, "");
    LLVMBuildCondBr(e->b, LLVMBuildICmp(e->b, LLVMIntEQ, tag, gs_i64(e, GS_STATUS_TAG), ""), left, returned);
    LLVMPositionBuilderAtEnd(e->b, left);
    LLVMBuildRet(e->b, LLVMBuildTrunc(e->b, w, e->i32, ""));
    LLVMPositionBuilderAtEnd(e->b, returned);
    gs_store_value(e, (struct gs_val){w, tag, GS_K_ANY}, gs_at(e, e->base, -2 * (int64_t)sizeof(gs_value)), GS_MEM_STACK);
    LLVMBuildRet(e->b, gs_i32(e, GS_LEFT_RETURN));
}

struct entry_load {
    struct gs_emit *e;
    const gs_kinds *k;
    LLVMValueRef fits;
};

static void load_live(void *ctx, uint32_t slot)
{
    struct entry_load *l = ctx;
    struct gs_emit *e = l->e;
    gs_kinds k = l->k[slot];
    if (e->cur[slot].w != NULL)
        return;
    struct gs_val v = gs_load_value(e, gs_slot_at(e, slot), GS_K_ANY, GS_MEM_STACK);
    if (gs_kinds_single(k)) {
        l->fits = LLVMBuildAnd(e->b, l->fits, gs_is_kind(e, v, k), "");
        v = gs_as(e, v, k);
    } else {
        v.k = k;
    }
    e->cur[slot] = v;
}

/* The step of a range is nearly always 1: a constant in the loop, when it was 1 as the loop got hot. */
static void constant_steps(struct gs_emit *e, struct entry_load *l)
{
    const struct gs_hot_request *r = e->g->r;
    for (uint32_t i = 0; i < e->g->nnodes; i++) {
        const struct gs_node *n = &e->g->node[i];
        uint32_t step = n->a + 2u;
        if (n->kind != GS_N_OP || n->op != GS_OP_FORLOOP || n->frame->parent != NULL || r->generation > 1 ||
            e->cur[step].w == NULL || e->cur[step].k != GS_K_INT || LLVMIsConstant(e->cur[step].w) ||
            !gs_is(r->regs[step], GS_T_INT) || n->pc + 1u + (uint32_t)n->bx != r->entry->pc)
            continue;
        LLVMValueRef k = gs_i64(e, r->regs[step].i);
        l->fits = LLVMBuildAnd(e->b, l->fits, LLVMBuildICmp(e->b, LLVMIntEQ, e->cur[step].w, k, ""), "");
        e->cur[step].w = k;
    }
}

/* A loop: registers from memory. */
static void emit_loop(struct gs_emit *e, LLVMValueRef enter)
{
    gs_kinds *k = calloc(e->g->nslots, sizeof *k);
    if (k == NULL)
        return;
    gs_types_entry(e->t, k);
    e->fn = enter;
    e->vm = LLVMGetParam(enter, 0);
    e->base = LLVMGetParam(enter, 1);
    gs_debug_function(e, ".loop");
    LLVMBasicBlockRef entry = gs_new_block(e, "entry"), room = gs_new_block(e, "room"), full = gs_new_block(e, "full");
    LLVMBasicBlockRef on = gs_new_block(e, "on"), refused = gs_new_block(e, "refused");
    LLVMPositionBuilderAtEnd(e->b, entry);
    gs_branch(e, LLVMBuildNot(e->b, over_limit(e), ""), room, full);
    LLVMPositionBuilderAtEnd(e->b, full);
    LLVMBuildRet(e->b, gs_i32(e, GS_LEFT_FULL));
    LLVMPositionBuilderAtEnd(e->b, room);
    struct entry_load l = {e, k, LLVMConstInt(e->i1, 1, 0)};
    gs_graph_live(e->g->root, e->g->r->entry->pc, UINT32_MAX, load_live, &l);
    constant_steps(e, &l);
    gs_branch(e, l.fits, on, refused);
    LLVMPositionBuilderAtEnd(e->b, refused);
    LLVMBuildRet(e->b, gs_i32(e, GS_LEFT_REFUSED));
    emit_body(e);
    LLVMPositionBuilderAtEnd(e->b, on);
    LLVMBuildBr(e->b, e->block[0]);
    free(k);
}

static bool make_strips(struct gs_emit *e)
{
    if (!gs_loops_find(e->t, &e->loops))
        return false;
    e->strip = calloc(e->loops.n + 1, sizeof *e->strip);
    e->in_loop = calloc(e->g->nblocks, sizeof *e->in_loop);
    bool ok = e->strip != NULL && e->in_loop != NULL;
    for (uint32_t i = 0; ok && i < e->loops.n; i++) {
        for (uint32_t j = 0; j < e->loops.loop[i].nblocks; j++)
            e->in_loop[e->loops.loop[i].block[j]] = i + 1;
        e->strip[i].phi = calloc(e->g->nslots, sizeof *e->strip[i].phi);
        e->strip[i].cur = calloc(e->g->nslots, sizeof *e->strip[i].cur);
        ok = e->strip[i].phi != NULL && e->strip[i].cur != NULL;
    }
    return ok;
}

static void free_strips(struct gs_emit *e)
{
    for (uint32_t i = 0; e->strip != NULL && i < e->loops.n; i++) {
        free(e->strip[i].phi);
        free(e->strip[i].cur);
    }
    free(e->strip);
    free(e->in_loop);
    gs_loops_free(&e->loops);
}

LLVMModuleRef gs_emit_unit(struct gs_types *t, const char *enter, const char *own, struct gs_hot_site **sites, const char **why)
{
    struct gs_graph *g = t->g;
    struct gs_emit e = {.t = t, .g = g, .c = gs_session_context()};
    e.m = gs_session_module(enter);
    e.b = LLVMCreateBuilderInContext(e.c);
    e.i1 = LLVMInt1TypeInContext(e.c);
    e.i8 = LLVMInt8TypeInContext(e.c);
    e.i16 = LLVMInt16TypeInContext(e.c);
    e.i32 = LLVMInt32TypeInContext(e.c);
    e.i64 = LLVMInt64TypeInContext(e.c);
    e.f64 = LLVMDoubleTypeInContext(e.c);
    e.ptr = LLVMPointerTypeInContext(e.c, 0);
    LLVMTypeRef two[2] = {e.i64, e.i64};
    e.pair = LLVMStructTypeInContext(e.c, two, 2, 0);
    e.cur = calloc(g->nslots, sizeof *e.cur);
    e.k = calloc(g->nslots, sizeof *e.k);
    e.start = calloc(g->nslots, sizeof *e.start);
    *sites = e.site = calloc(g->nnodes + 1, sizeof *e.site);
    e.block = calloc(g->nblocks, sizeof *e.block);
    e.phi = calloc((size_t)g->nblocks * g->nslots, sizeof *e.phi);
    e.frame_fn = calloc(g->nframes, sizeof *e.frame_fn);
    e.sure = calloc(g->nnodes, sizeof *e.sure);
    e.links = calloc(g->nnodes, sizeof *e.links);
    bool ok = make_strips(&e) && gs_escape_find(t, &e.escape) && e.site != NULL && e.sure != NULL && e.cur != NULL && e.k != NULL && e.start != NULL && e.block != NULL && e.phi != NULL &&
              e.frame_fn != NULL && e.links != NULL;
    *why = GS_DECLINE(NOMEM);
    if (ok) {
        LLVMTypeRef in[2] = {e.ptr, e.ptr}, types[2 + 2 * GS_OWN_PARAMS];
        make_tbaa(&e);
        gs_debug_begin(&e);
        LLVMValueRef f = add_function(&e, enter, e.i32, in, 2);
        if (g->is_loop) {
            emit_loop(&e, f);
        } else {
            LLVMValueRef o = add_function(&e, own, e.pair, types, gs_own_types(&e, t->self, types));
            emit_own(&e, o);
            emit_enter(&e, f, o);
        }
        gs_debug_end(&e);
    }
    LLVMDisposeBuilder(e.b);
    free(e.cur);
    free(e.k);
    free(e.start);
    free(e.block);
    free(e.phi);
    free(e.frame_fn);
    free(e.sure);
    free(e.links);
    free_strips(&e);
    gs_escape_free(&e.escape);
    if (ok)
        return e.m;
    LLVMDisposeModule(e.m);
    return NULL;
}
