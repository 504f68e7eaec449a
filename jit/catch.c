/* SPDX-License-Identifier: MIT
 * catch.c - which handler an error of a node goes to. Contract: graph.h, "Errors"; who catches what when calls are on the way: hot.h, L4.
 */
#include "graph_int.h"
#include "types.h"

/* The innermost handler around pc catches first; the outer ones may follow from its own code. */
const struct gs_handler *gs_handler_at(const struct gs_proto *p, uint32_t pc)
{
    for (uint32_t i = 0; i < p->nhandlers; i++) {
        if (pc >= p->handlers[i].from && pc < p->handlers[i].to)
            return &p->handlers[i];
    }
    return NULL;
}

static bool reached_within(const uint8_t *m, uint32_t from, uint32_t to)
{
    for (uint32_t pc = from; pc < to; pc++) {
        if (m[pc] & REACHED)
            return true;
    }
    return false;
}

bool gs_mark_handlers(const struct gs_proto *p, uint32_t lo, uint32_t hi, uint8_t *m, uint32_t *pc)
{
    for (uint32_t i = 0; i < p->nhandlers; i++) {
        const struct gs_handler *h = &p->handlers[i];
        m[h->from] |= LEADER;
        m[h->to] |= LEADER;
        if (h->target < lo || h->target > hi || !reached_within(m, h->from, h->to))
            continue;
        m[h->target] |= LEADER;
        if (m[h->target] & REACHED)
            continue;
        *pc = h->target;
        return true;
    }
    return false;
}

bool gs_graph_handler(const struct gs_frame *f, uint32_t pc, uint32_t *block)
{
    *block = GS_NO_BLOCK;
    for (; f != NULL; pc = f->call_pc, f = f->parent) {
        const struct gs_handler *h = gs_handler_at(f->p, pc);
        if (h == NULL)
            continue;
        *block = f->caught[h - f->p->handlers];
        return true;
    }
    return false;
}

bool gs_node_throws(const struct gs_node *n, const struct gs_step *s)
{
    if (n->kind != GS_N_OP)
        return false;
    switch (s->how) {
    case GS_HOW_INT:
    case GS_HOW_FLOAT:
    case GS_HOW_NUM:
    case GS_HOW_STORE:
    case GS_HOW_ELEMENT:
    case GS_HOW_RANGE:
    case GS_HOW_STR:
    case GS_HOW_INTRINSIC:
    case GS_HOW_LEAVE:
        return false;
    case GS_HOW_SHAPE: /* a field that is new to several shapes is set by the helper */
        return n->op == GS_OP_SETFIELD;
    case GS_HOW_PLAIN:
        return n->op == GS_OP_THROW || n->op == GS_OP_RETHROW;
    default:
        return true;
    }
}

/* All instructions of a block that may throw have the same handler: see gs_mark_handlers. */
uint32_t gs_graph_caught(const struct gs_graph *g, const struct gs_block *b)
{
    for (uint32_t i = 0; i < b->n; i++) {
        const struct gs_node *n = &g->node[b->first + i];
        uint32_t block;
        if (n->kind != GS_N_OP || !(gs_opinfo[n->op].fx & (GS_FX_T | GS_FX_A | GS_FX_C)))
            continue;
        (void)gs_graph_handler(n->frame, n->pc, &block);
        return block;
    }
    return GS_NO_BLOCK;
}
