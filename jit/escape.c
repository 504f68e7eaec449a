/* SPDX-License-Identifier: MIT
 * escape.c - finds the objects that do not escape. Contract: escape.h.
 *
 * Way        What each slot holds flows through the blocks until nothing changes, as the kinds do in types.c. A use that is not one of those
 *            below lets the object escape; then all is done again without its site.
 */
#include "escape.h"

#include <stdlib.h>
#include <string.h>

#include "compiled.h"

struct scan {
    const struct gs_types *t;
    struct gs_escape *x;
    uint8_t *now; /* of each slot */
    bool *seen;   /* of each block */
    bool again;   /* a site was struck out */
    /* for the callbacks */
    const struct gs_node *n;
    const uint8_t *from;
    uint8_t *to;
    bool changed;
};

static void escapes(struct scan *s, uint8_t origin)
{
    if (origin == 0 || s->x->site[origin - 1] == NULL)
        return;
    s->x->site[origin - 1] = NULL;
    s->again = true;
}

uint8_t gs_escape_site(const struct gs_escape *x, const struct gs_node *n)
{
    for (uint32_t i = 0; i < x->nsites; i++) {
        if (x->site[i] == n)
            return (uint8_t)(i + 1);
    }
    return 0;
}

static const struct gs_objlit *literal_of(const struct gs_node *n)
{
    return n->frame->p->k[n->c].p;
}

/* The only way of the field's cache is a field that objects of the site begin with. */
static bool own_field(const struct scan *s, uint8_t origin, const struct gs_node *n)
{
    const struct gs_node *site = s->x->site[origin - 1];
    uint64_t w = n->ic[0];
    return site != NULL && n->ic[1] == 0 && (w & 0xffffffu) == literal_of(site)->shape && (w >> 48) < literal_of(site)->n &&
           (n->op != GS_OP_SETFIELD || (w >> 24 & 0xffffffu) == (w & 0xffffffu));
}

static void use(void *ctx, uint32_t reg, bool sure)
{
    struct scan *s = ctx;
    (void)sure;
    escapes(s, s->now[s->n->frame->off + reg]);
}

static void define(void *ctx, uint32_t reg, bool sure)
{
    struct scan *s = ctx;
    uint8_t *slot = &s->now[s->n->frame->off + reg];
    if (!sure)
        escapes(s, *slot);
    *slot = 0;
}

/* An older object of the site that is still wanted. */
static void older(void *ctx, uint32_t slot)
{
    struct scan *s = ctx;
    uint8_t site = gs_escape_site(s->x, s->n);
    if (site != 0 && s->now[slot] == site && slot != s->n->frame->off + s->n->a)
        escapes(s, site);
}

static void make(struct scan *s)
{
    const struct gs_node *n = s->n;
    uint8_t site = gs_escape_site(s->x, n);
    for (uint32_t i = 0; i < literal_of(n)->n; i++)
        use(s, n->b + i, true);
    if (site != 0) {
        gs_graph_live(n->frame, n->pc + 1, UINT32_MAX, older, s);
        gs_graph_live_catch(n->frame, n->pc, UINT32_MAX, older, s);
    }
    for (uint32_t i = 0; site != 0 && i < s->t->g->nslots; i++) {
        if (s->now[i] == site)
            s->now[i] = 0;
    }
    s->now[n->frame->off + n->a] = site;
}

static void spliced_call(struct scan *s)
{
    const struct gs_node *n = s->n;
    uint32_t from, to, args = n->frame->off + n->a + 2;
    int rest = gs_node_missing(n, &from, &to);
    if (n->op != GS_OP_CALLM)
        escapes(s, s->now[n->frame->off + n->a]);
    for (uint32_t i = rest >= 0 ? (uint32_t)rest : n->callee->nparams; i < n->given; i++)
        escapes(s, s->now[args + i]);
    for (uint32_t i = from; i < n->callee->nregs; i++)
        s->now[args + i] = 0;
    s->now[n->frame->off + n->a] = 0;
}

static void step(struct scan *s, const struct gs_step *how)
{
    const struct gs_node *n = s->n;
    uint8_t *r = s->now + n->frame->off;
    gs_insn insn = gs_hot_insn(n->frame->p, n->frame->p->code + n->pc);
    switch ((enum gs_nkind)n->kind) {
    case GS_N_GOTO:
    case GS_N_LEAVE:
    case GS_N_TEST: /* looks at the shape */
        return;
    case GS_N_CATCH:
        r[n->a] = 0;
        return;
    case GS_N_RETURN:
        s->now[n->frame->off - 2] = n->op == GS_OP_RET ? r[n->a] : 0;
        return;
    case GS_N_INLINE:
        spliced_call(s);
        return;
    default:
        break;
    }
    switch ((enum gs_op)n->op) {
    case GS_OP_MOVE:
        r[n->a] = r[n->b];
        return;
    case GS_OP_JNIL:
    case GS_OP_JNNIL:
    case GS_OP_CHECKSET:
        return;
    case GS_OP_NEWOBJ:
        make(s);
        return;
    case GS_OP_GETFIELD:
        if (r[n->b] != 0 && (how->how != GS_HOW_SHAPE || !own_field(s, r[n->b], n)))
            escapes(s, r[n->b]);
        r[n->a] = 0;
        return;
    case GS_OP_SETFIELD:
        if (r[n->a] != 0 && (how->how != GS_HOW_SHAPE || !own_field(s, r[n->a], n)))
            escapes(s, r[n->a]);
        escapes(s, r[n->b]);
        return;
    default:
        gs_insn_uses(n->frame->p, insn, use, s);
        gs_insn_defs(n->frame->p, insn, define, s);
    }
}

static void merge(void *ctx, uint32_t slot)
{
    struct scan *s = ctx;
    if (s->to[slot] != s->from[slot]) {
        escapes(s, s->to[slot]);
        escapes(s, s->from[slot]);
    }
}

static void flow(struct scan *s, uint32_t to)
{
    const struct gs_graph *g = s->t->g;
    const struct gs_node *first = &g->node[g->block[to].first];
    s->to = s->x->in + (size_t)to * g->nslots;
    s->from = s->now;
    if (!s->seen[to]) {
        s->seen[to] = s->changed = true;
        memcpy(s->to, s->now, g->nslots);
        return;
    }
    gs_graph_live(first->frame, first->pc, UINT32_MAX, merge, s);
    if (first->kind == GS_N_RETURN && first->op == GS_OP_RET)
        merge(s, first->frame->off + first->a);
    for (uint32_t i = 0; i < g->nslots; i++) {
        if (s->to[i] != s->from[i] && s->to[i] != 0) {
            s->to[i] = 0;
            s->changed = true;
        }
    }
}

static void block(struct scan *s, uint32_t id, gs_kinds *k)
{
    const struct gs_graph *g = s->t->g;
    const struct gs_block *b = &g->block[id];
    memcpy(s->now, s->x->in + (size_t)id * g->nslots, g->nslots);
    memcpy(k, s->t->in + (size_t)id * g->nslots, g->nslots * sizeof *k);
    for (uint32_t i = 0; i < b->n; i++) {
        s->n = &g->node[b->first + i];
        struct gs_step how = gs_types_step(s->t, s->n, k);
        if (how.how == GS_HOW_LEAVE)
            return;
        if (b->caught != GS_NO_BLOCK && gs_node_throws(s->n, &how) && s->t->seen[b->caught])
            flow(s, b->caught); /* with the registers of before */
        step(s, &how);
        if (how.how == GS_HOW_UNIT && how.result == 0)
            return;
    }
    for (uint32_t i = 0; i < b->nsucc; i++) {
        if (s->t->seen[b->succ[i]])
            flow(s, b->succ[i]);
    }
}

static void find_sites(const struct gs_types *t, struct gs_escape *x)
{
    const struct gs_graph *g = t->g;
    for (uint32_t i = 0; i < g->nrpo; i++) {
        const struct gs_block *b = &g->block[g->rpo[i]];
        for (uint32_t j = 0; t->seen[g->rpo[i]] && j < b->n; j++) {
            const struct gs_node *n = &g->node[b->first + j];
            if (n->kind == GS_N_OP && n->op == GS_OP_NEWOBJ && x->nsites < GS_ESCAPE_SITES && literal_of(n)->n > 0 &&
                literal_of(n)->n <= GS_BUMP_VALUES && gs_c_is_plain(literal_of(n)))
                x->site[x->nsites++] = n;
        }
    }
}

bool gs_escape_find(const struct gs_types *t, struct gs_escape *x)
{
    const struct gs_graph *g = t->g;
    struct scan s = {.t = t, .x = x, .again = true};
    memset(x, 0, sizeof *x);
    find_sites(t, x);
    if (x->nsites == 0)
        return true;
    gs_kinds *k = malloc(g->nslots * sizeof *k);
    x->in = malloc((size_t)g->nblocks * g->nslots);
    s.now = malloc(g->nslots);
    s.seen = malloc(g->nblocks * sizeof *s.seen);
    bool ok = k != NULL && x->in != NULL && s.now != NULL && s.seen != NULL;
    while (ok && s.again) {
        s.again = false;
        s.changed = true;
        memset(x->in, 0, (size_t)g->nblocks * g->nslots);
        memset(s.seen, 0, g->nblocks * sizeof *s.seen);
        s.seen[0] = true;
        while (s.changed && !s.again) {
            s.changed = false;
            for (uint32_t i = 0; i < g->nrpo; i++) {
                if (s.seen[g->rpo[i]])
                    block(&s, g->rpo[i], k);
            }
        }
    }
    free(k);
    free(s.now);
    free(s.seen);
    return ok;
}

void gs_escape_free(struct gs_escape *x)
{
    free(x->in);
}
