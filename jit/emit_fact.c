/* SPDX-License-Identifier: MIT
 * emit_fact.c - what is known about the fields of objects where the emitter stands. Rules: emit_int.h.
 *
 * Problem    `a.x -= dx` reads a field, looks at its tag, and writes payload and tag. LLVM cannot tell that the tag it writes is the one that is
 *            there, so each such write makes it read and compare the tags of all other fields anew: a third of n-body.
 * Facts      (object, field, kinds): the tag of the field lies in these kinds now; (object, shape). An object is named by its SSA word: two
 *            words may be the same object. A fact comes from a guard or a store. A store of kind K into field i of any object
 *            leaves a fact (other object, i, K) true, whichever objects they are, and ends those of field i with other kinds.
 *            What runs code of the runtime ends all.
 * Extent     A block; in the blocks of a loop with a strip also what the strip has found out and no turn can make untrue
 *            (emit_loop.c).
 */
#include "emit_int.h"

void gs_facts_forget(struct gs_emit *e)
{
    e->nfacts = 0;
}

static struct gs_fact *find(struct gs_emit *e, LLVMValueRef o, uint32_t field)
{
    for (uint32_t i = 0; i < e->nfacts; i++) {
        if (e->fact[i].o == o && e->fact[i].field == field)
            return &e->fact[i];
    }
    return NULL;
}

static struct gs_fact *find_or_make(struct gs_emit *e, LLVMValueRef o, uint32_t field)
{
    struct gs_fact *f = find(e, o, field);
    if (f != NULL)
        return f;
    if (e->nfacts == GS_FACTS) { /* the oldest goes */
        for (uint32_t i = 1; i < GS_FACTS; i++)
            e->fact[i - 1] = e->fact[i];
        e->nfacts--;
    }
    f = &e->fact[e->nfacts++];
    *f = (struct gs_fact){.o = o, .field = field};
    return f;
}

bool gs_fact_shape(struct gs_emit *e, LLVMValueRef o, uint32_t shape)
{
    const struct gs_fact *f = find(e, o, GS_FACT_SHAPE);
    return f != NULL && f->k == shape;
}

void gs_fact_is_shape(struct gs_emit *e, LLVMValueRef o, uint32_t shape)
{
    find_or_make(e, o, GS_FACT_SHAPE)->k = shape;
}

gs_kinds gs_fact_kinds(struct gs_emit *e, LLVMValueRef o, uint32_t field)
{
    const struct gs_fact *f = find(e, o, field);
    return f != NULL ? f->k : GS_K_ANY;
}

void gs_fact_loaded(struct gs_emit *e, LLVMValueRef o, uint32_t field, struct gs_val v)
{
    struct gs_fact *f = find_or_make(e, o, field);
    f->k = v.k;
    f->w = gs_kinds_single(v.k) || LLVMIsConstant(v.w) ? NULL : v.w; /* a constant may be the payload of anything */
}

void gs_fact_ends(struct gs_emit *e, LLVMValueRef o)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < e->nfacts; i++) {
        if (e->fact[i].o != o)
            e->fact[n++] = e->fact[i];
    }
    e->nfacts = n;
}

void gs_fact_narrowed(struct gs_emit *e, LLVMValueRef w, gs_kinds k)
{
    for (uint32_t i = 0; i < e->nfacts; i++) {
        if (e->fact[i].w == w && e->fact[i].field != GS_FACT_SHAPE)
            e->fact[i].k &= k;
    }
}

/* A fact that has become unspecific says nothing, and does no harm. */
void gs_fact_stored(struct gs_emit *e, LLVMValueRef o, uint32_t field, gs_kinds k)
{
    for (uint32_t i = 0; i < e->nfacts; i++) {
        struct gs_fact *f = &e->fact[i];
        if (f->field != field && (field != GS_FACT_SOME || f->field == GS_FACT_SHAPE))
            continue;
        f->k |= k;
        f->w = NULL; /* the tag that is there need not be the one that was loaded */
    }
    if (field != GS_FACT_SOME)
        find_or_make(e, o, field)->k = k;
}
