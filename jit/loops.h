/* SPDX-License-Identifier: MIT
 * loops.h - the innermost loops of a unit: those worth a place before them where things are done once for many turns.
 *
 * Which      A loop with one head that contains no other loop, calls nothing and asks no slow helper: so a turn is short, and nothing
 *            but its own stores changes memory.
 * Terms      The head is the block that every turn begins with; a latch is a block with an edge back to it. A slot that the loop does not store
 *            is invariant.
 */
#ifndef GS_JIT_LOOPS_H
#define GS_JIT_LOOPS_H

#include "types.h"

struct gs_loop {
    uint32_t head;
    uint32_t latch;              /* when there is but one; else UINT32_MAX */
    const struct gs_node *range; /* the FORLOOP that ends the only latch, or NULL */
    uint32_t *block;             /* its blocks in reverse postorder, so the head is the first */
    bool *always;                /* of each: on every way from the head to a latch */
    uint32_t nblocks;
    uint32_t nodes;
    uint64_t *stored;            /* set of slots */
};

struct gs_loops {
    struct gs_loop *loop;
    uint32_t n;
    uint32_t *of_head; /* of each block: the number of the loop that it is the head of, plus 1; 0: of none */
};

/* After the inference. False: no memory. */
bool gs_loops_find(const struct gs_types *t, struct gs_loops *l);
void gs_loops_free(struct gs_loops *l);

static inline bool gs_loop_stores(const struct gs_loop *l, uint32_t slot)
{
    return l->stored[slot / 64] >> slot % 64 & 1;
}

#endif
