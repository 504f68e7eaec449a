/* SPDX-License-Identifier: MIT
 * loops.c - finds innermost loops. Contract: loops.h.
 */
#include "loops.h"

#include <stdlib.h>
#include <string.h>

#define LOOP_BLOCKS 64u /* larger ones have enough to do that a poll a turn does not count */

static bool is_back_edge(const struct gs_graph *g, uint32_t from, uint32_t to)
{
    return g->block[to].order <= g->block[from].order;
}

/* ---- which blocks ---- */

struct search {
    const struct gs_types *t;
    bool *flows; /* of each block: it is reached, and control comes to its end */
    uint8_t *in; /* of each block */
    uint32_t n;
    bool whole;  /* nothing but the head leads into it */
};

/* Adds all blocks from which one of the set is reached without passing the head. Few blocks, so going over all of them until nothing
 * changes is cheap enough. */
static void grow(struct search *s, uint32_t head)
{
    const struct gs_graph *g = s->t->g;
    bool changed = true;
    while (changed && s->whole) {
        changed = false;
        for (uint32_t i = g->nrpo; i-- > 0;) {
            uint32_t b = g->rpo[i];
            if (s->in[b] || !s->flows[b])
                continue;
            for (uint32_t j = 0; j < gs_block_edges(&g->block[b]); j++) {
                uint32_t to = gs_block_edge(&g->block[b], j);
                if (to == head || !s->in[to])
                    continue;
                s->whole &= b != 0 && g->block[b].order > g->block[head].order && ++s->n <= LOOP_BLOCKS;
                s->in[b] = 1;
                changed = true;
                break;
            }
        }
    }
}

/* ---- what its nodes do ---- */

static bool short_op(const struct gs_node *n, const struct gs_step *s)
{
    if (n->kind != GS_N_OP)
        return n->kind != GS_N_CATCH;
    if (gs_op_is_call((enum gs_op)n->op) && n->op != GS_OP_CALLM)
        return false;
    switch ((enum gs_op)n->op) {
    case GS_OP_THROW:
    case GS_OP_RETHROW:
        return false;
    case GS_OP_CALLM:
    case GS_OP_CALLNAT:
        return s->how == GS_HOW_INTRINSIC;
    default:
        return s->how != GS_HOW_CALL && s->how != GS_HOW_ELEMENT && s->how != GS_HOW_RANGE && s->how != GS_HOW_DIVIDE;
    }
}

struct stores {
    struct gs_loop *l;
    uint32_t off;
};

static void store(void *ctx, uint32_t reg, bool sure)
{
    struct stores *s = ctx;
    uint32_t slot = s->off + reg;
    (void)sure;
    s->l->stored[slot / 64] |= (uint64_t)1 << slot % 64;
}

static void node_stores(struct gs_loop *l, const struct gs_node *n)
{
    struct stores s = {l, n->frame->off};
    if (n->kind == GS_N_RETURN) {
        s.off -= 2;
        store(&s, 0, true);
    } else if (n->kind == GS_N_INLINE) { /* arguments stay where they are */
        store(&s, n->a, true);
        uint32_t from, to;
        (void)gs_node_missing(n, &from, &to);
        for (uint32_t i = from; i < n->callee->nregs; i++)
            store(&s, n->a + 2u + i, true);
    } else if (n->kind == GS_N_OP) {
        gs_insn_defs(n->frame->p, gs_hot_insn(n->frame->p, n->frame->p->code + n->pc), store, &s);
    }
}

/* False: it is none of those we want. */
static bool look_at_nodes(const struct gs_types *t, struct gs_loop *l, gs_kinds *k)
{
    const struct gs_graph *g = t->g;
    for (uint32_t i = 0; i < l->nblocks; i++) {
        const struct gs_block *b = &g->block[l->block[i]];
        memcpy(k, t->in + (size_t)l->block[i] * g->nslots, g->nslots * sizeof *k);
        for (uint32_t j = 0; j < b->n; j++) {
            const struct gs_node *n = &g->node[b->first + j];
            struct gs_step s = gs_types_step(t, n, k);
            if (!short_op(n, &s))
                return false;
            node_stores(l, n);
            l->nodes++;
        }
    }
    return true;
}

/* ---- which are on every way round ---- */

/* Whether a latch is reached from the head without passing `avoid`. */
static bool way_round(const struct gs_graph *g, const struct gs_loop *l, uint32_t avoid, uint8_t *seen)
{
    memset(seen, 0, g->nblocks);
    if (l->head == avoid)
        return false;
    seen[l->head] = 1;
    for (uint32_t i = 0; i < l->nblocks; i++) { /* in reverse postorder: each after all that lead to it */
        uint32_t b = l->block[i];
        for (uint32_t j = 0; seen[b] && j < g->block[b].nsucc; j++) {
            uint32_t to = g->block[b].succ[j];
            if (to == l->head)
                return true;
            seen[to] |= to != avoid;
        }
    }
    return false;
}

/* ---- the search ---- */

static void loop_free(struct gs_loop *l)
{
    free(l->block);
    free(l->always);
    free(l->stored);
}

/* The loop with this head, whose blocks are s->in. False: not one of ours (or no memory: then it is compiled like any other). */
static bool make(const struct gs_types *t, struct gs_loop *l, const struct search *s, gs_kinds *k, uint8_t *seen)
{
    const struct gs_graph *g = t->g;
    uint32_t latches = 0;
    l->block = malloc(s->n * sizeof *l->block);
    l->always = calloc(s->n, sizeof *l->always);
    l->stored = calloc(g->nslots / 64 + 1, sizeof *l->stored);
    if (l->block == NULL || l->always == NULL || l->stored == NULL)
        return false;
    for (uint32_t i = 0; i < g->nrpo; i++) {
        uint32_t b = g->rpo[i];
        if (!s->in[b])
            continue;
        l->block[l->nblocks++] = b;
        for (uint32_t j = 0; j < g->block[b].nsucc; j++) {
            uint32_t to = g->block[b].succ[j];
            if (to == l->head) {
                latches++;
                l->latch = b;
            } else if (is_back_edge(g, b, to)) {
                return false; /* another loop */
            }
        }
    }
    if (!look_at_nodes(t, l, k))
        return false;
    const struct gs_block *last = &g->block[l->latch];
    const struct gs_node *n = &g->node[last->first + last->n - 1];
    if (latches != 1)
        l->latch = UINT32_MAX;
    else if (n->kind == GS_N_OP && n->op == GS_OP_FORLOOP && last->succ[0] == l->head)
        l->range = n;
    for (uint32_t i = 0; i < l->nblocks; i++)
        l->always[i] = !way_round(g, l, l->block[i], seen);
    return true;
}

/* Blocks that leave for good in their middle are in no loop. */
static void find_flow(struct search *s, gs_kinds *k)
{
    const struct gs_graph *g = s->t->g;
    for (uint32_t b = 0; b < g->nblocks; b++) {
        s->flows[b] = s->t->seen[b];
        memcpy(k, s->t->in + (size_t)b * g->nslots, g->nslots * sizeof *k);
        for (uint32_t i = 0; s->flows[b] && i < g->block[b].n; i++)
            s->flows[b] = gs_types_step(s->t, &g->node[g->block[b].first + i], k).how != GS_HOW_LEAVE;
    }
}

bool gs_loops_find(const struct gs_types *t, struct gs_loops *l)
{
    const struct gs_graph *g = t->g;
    struct search s = {.t = t, .in = malloc(g->nblocks), .flows = malloc(g->nblocks * sizeof *s.flows)};
    uint8_t *seen = malloc(g->nblocks);
    gs_kinds *k = malloc(g->nslots * sizeof *k);
    memset(l, 0, sizeof *l);
    l->of_head = calloc(g->nblocks, sizeof *l->of_head);
    l->loop = calloc(g->nblocks, sizeof *l->loop);
    bool ok = s.in != NULL && s.flows != NULL && seen != NULL && k != NULL && l->of_head != NULL && l->loop != NULL;
    if (ok)
        find_flow(&s, k);
    for (uint32_t i = 0; ok && i < g->nrpo; i++) {
        uint32_t head = g->rpo[i];
        if (!g->block[head].loop || !s.flows[head])
            continue;
        memset(s.in, 0, g->nblocks);
        s.in[head] = 1;
        s.n = 1;
        s.whole = true;
        for (uint32_t j = i; j < g->nrpo; j++) {
            const struct gs_block *b = &g->block[g->rpo[j]];
            for (uint32_t e = 0; e < b->nsucc && s.flows[g->rpo[j]]; e++) {
                if (b->succ[e] == head && !s.in[g->rpo[j]]) {
                    s.in[g->rpo[j]] = 1;
                    s.n++;
                }
            }
        }
        grow(&s, head);
        struct gs_loop *one = &l->loop[l->n];
        memset(one, 0, sizeof *one);
        one->head = head;
        if (s.whole && make(t, one, &s, k, seen))
            l->of_head[head] = ++l->n;
        else
            loop_free(one);
    }
    free(s.in);
    free(s.flows);
    free(seen);
    free(k);
    if (!ok)
        gs_loops_free(l);
    return ok;
}

void gs_loops_free(struct gs_loops *l)
{
    for (uint32_t i = 0; l->loop != NULL && i < l->n; i++)
        loop_free(&l->loop[i]);
    free(l->loop);
    free(l->of_head);
    memset(l, 0, sizeof *l);
}
