/* SPDX-License-Identifier: MIT
 * graph.c - builds the graph of a unit: reachable code, blocks, inlining. Contract: graph.h.
 *
 * Inlining   A callee is spliced in when the site has called one function only (a constant, or what its cache says), the arguments
 *            fit, it is small, and it is not on the way already (recursion is a call). Nothing is copied: see "Slots" in graph.h.
 */
#include <stdlib.h>
#include <string.h>

#include "decline.h"
#include "graph_int.h"
#include "shape.h"

#define INLINE_CODE 80u   /* instructions of a callee */
#define INLINE_DEPTH 4u
#define INLINE_SELF 40u      /* instructions of a function that is inlined into its own unit, */
#define INLINE_SELF_DEPTH 2u /* so deep */
#define INLINE_NODES 1500u /* no inlining once the unit has so many nodes */

/* ---- growing ---- */

static bool room(void **v, uint32_t n, uint32_t *cap, size_t size)
{
    if (n < *cap)
        return true;
    uint32_t want = *cap != 0 ? *cap * 2 : 64;
    void *p = realloc(*v, want * size);
    if (p == NULL)
        return false;
    *v = p;
    *cap = want;
    return true;
}

static uint8_t next_feedback(const struct gs_proto *p, uint32_t pc)
{
    gs_insn jump = gs_hot_insn(p, p->code + pc);
    uint32_t to = pc + 1 + (uint32_t)gs_insn_bx(jump);
    bool there = gs_insn_op(jump) == GS_OP_JMP && gs_insn_op(gs_hot_insn(p, p->code + to)) == GS_OP_ITERNEXT;
    return there ? gs_load_rlx(&p->fb[to]) : 0;
}

static struct gs_node *add_node(struct gs_graph *g, enum gs_nkind kind, struct gs_frame *f, uint32_t pc)
{
    if (g->nnodes >= GS_GRAPH_NODES || !room((void **)&g->node, g->nnodes, &g->cap, sizeof *g->node))
        return NULL;
    struct gs_node *n = &g->node[g->nnodes++];
    memset(n, 0, sizeof *n);
    n->kind = (uint8_t)kind;
    n->frame = f;
    n->pc = pc;
    if (pc < f->p->ncode) {
        gs_insn i = gs_hot_insn(f->p, f->p->code + pc);
        const struct gs_hot *h = gs_hot_of(f->p);
        n->op = (uint8_t)gs_insn_op(i);
        n->x = (uint8_t)gs_insn_x(i);
        n->a = (uint16_t)gs_insn_a(i);
        n->b = (uint16_t)gs_insn_b(i);
        n->c = (uint16_t)gs_insn_c(i);
        n->bx = gs_insn_bx(i);
        n->fb = gs_load_rlx(&f->p->fb[pc]);
        if (n->op == GS_OP_ITERNEW) /* what is iterated shows where it is; the next instruction jumps there */
            n->fb = next_feedback(f->p, pc + 1);
        n->miss = h != NULL ? gs_load_rlx(&h->miss[pc]) : 0;
        for (unsigned way = 0; gs_opinfo[n->op].c == GS_OPND_IC && way < GS_IC_WAYS; way++)
            n->ic[way] = gs_load_acq(&f->p->ics[n->c].w[way]); /* [I1] */
    }
    return n;
}

static uint32_t add_block(struct gs_graph *g)
{
    if (!room((void **)&g->block, g->nblocks, &g->capblocks, sizeof *g->block))
        return UINT32_MAX;
    struct gs_block *b = &g->block[g->nblocks];
    memset(b, 0, sizeof *b);
    b->order = UINT32_MAX;
    b->caught = GS_NO_BLOCK;
    return g->nblocks++;
}

static const struct gs_live *live_of(struct gs_graph *g, const struct gs_proto *p)
{
    for (uint32_t i = 0; i < g->nlives; i++) {
        if (g->lives[i]->p == p)
            return g->lives[i];
    }
    struct gs_live **v = realloc(g->lives, (g->nlives + 1) * sizeof *v);
    if (v == NULL)
        return NULL;
    g->lives = v;
    struct gs_live *l = gs_live_make(p);
    if (l != NULL)
        g->lives[g->nlives++] = l;
    return l;
}

static struct gs_frame *add_frame(struct gs_graph *g, struct gs_frame *parent, const struct gs_proto *p,
                                  uint32_t call_pc, uint32_t off)
{
    struct gs_frame *f = calloc(1, sizeof *f);
    const struct gs_live *l = live_of(g, p);
    if (f == NULL || l == NULL || !room((void **)&g->frames, g->nframes, &g->capframes, sizeof *g->frames)) {
        free(f);
        return NULL;
    }
    f->parent = parent;
    f->p = p;
    f->live = l;
    f->call_pc = call_pc;
    f->off = off;
    f->depth = parent != NULL ? parent->depth + 1 : 0;
    f->number = g->nframes;
    g->frames[g->nframes++] = f;
    if (off + p->nregs + 4u > g->nslots)
        g->nslots = off + p->nregs + 4u;
    return f;
}

/* ---- callees ---- */

bool gs_node_never_called(const struct gs_node *n)
{
    bool cached = n->op == GS_OP_CALL || n->op == GS_OP_CALLM || n->op == GS_OP_CALLTRIM;
    return n->kind == GS_N_OP && cached && n->ic[0] == 0 && n->callee == NULL;
}

/* The callees of a method call site: groups of ways with the same function. 0: none known, or natives. */
struct callees {
    const struct gs_func *fn[GS_IC_WAYS];
    uint8_t ways[GS_IC_WAYS];
};

static unsigned find_methods(const struct gs_node *n, struct callees *c)
{
    unsigned groups = 0;
    if (n->miss >= 3) /* more shapes than the cache knows */
        return 0;
    for (unsigned way = 0; way < GS_IC_WAYS; way++) {
        const struct gs_mcache *m = (const struct gs_mcache *)(uintptr_t)n->ic[way];
        if (m == NULL)
            break;
        if (!gs_is(m->fn, GS_T_FUNC))
            return 0;
        unsigned g = 0;
        while (g < groups && c->fn[g] != m->fn.f)
            g++;
        if (g == groups) {
            c->fn[g] = m->fn.f;
            c->ways[g] = 0;
            groups++;
        }
        c->ways[g] |= (uint8_t)(1u << way);
    }
    return groups;
}

static bool splices(const struct gs_graph *g, const struct gs_node *n)
{
    const struct gs_proto *q = n->callee;
    if (!n->fits || q->ncode > INLINE_CODE ||
        n->frame->depth + 1 > INLINE_DEPTH || g->nnodes > INLINE_NODES ||
        n->frame->off + n->a + 2u + q->nregs + 4u > GS_GRAPH_SLOTS)
        return false;
    uint32_t within = 0; /* itself */
    for (const struct gs_frame *f = n->frame; f != NULL; f = f->parent)
        within += f->p == q;
    if (within > (q->ncode <= INLINE_SELF && g->root->p == q ? INLINE_SELF_DEPTH : 0u))
        return false;
    for (uint32_t pc = 0; pc < q->ncode; pc++) {
        switch (gs_insn_op(gs_hot_insn(q, q->code + pc))) {
        case GS_OP_DEFERCALL:
        case GS_OP_DEFERPUSH:
            return false;
        default:
            break;
        }
    }
    return true;
}

/* ---- blocks ---- */

static bool is_end(enum gs_op op)
{
    switch (op) {
    case GS_OP_RET:
    case GS_OP_RETNIL:
    case GS_OP_THROW:
    case GS_OP_RETHROW:
        return true; /* returns or leaves */
    default:
        return false;
    }
}

/* Marks what is reached from pc within [lo, hi]. False: no memory. */
static bool mark(const struct gs_proto *p, uint32_t pc, uint32_t lo, uint32_t hi, uint8_t *m)
{
    uint32_t *stack = malloc((p->ncode + 1) * 2 * sizeof *stack), n = 0;
    if (stack == NULL)
        return false;
    stack[n++] = pc;
    m[pc] |= LEADER;
    do {
        pc = stack[--n];
        while (pc >= lo && pc <= hi && pc < p->ncode && !(m[pc] & REACHED)) {
            m[pc] |= REACHED;
            gs_insn i = gs_hot_insn(p, p->code + pc);
            int32_t by;
            if (gs_insn_is_jump(i, &by)) {
                uint32_t to = pc + 1 + (uint32_t)by;
                m[to] |= LEADER;
                m[pc + 1] |= LEADER;
                if (!(m[to] & REACHED) && n < 2 * p->ncode)
                    stack[n++] = to;
                if (gs_insn_op(i) == GS_OP_JMP)
                    break;
            } else if (is_end(gs_insn_op(i))) {
                break;
            }
            pc++;
        }
        if (n == 0 && gs_mark_handlers(p, lo, hi, m, &stack[0]))
            n = 1;
    } while (n > 0);
    free(stack);
    return true;
}

struct build {
    struct gs_graph *g;
    bool failed;
};

static void link_to(struct gs_graph *g, uint32_t from, uint32_t to)
{
    struct gs_block *b = &g->block[from];
    b->succ[b->nsucc++] = to;
}

static void build_frame(struct build *b, struct gs_frame *f, uint32_t entry, uint32_t lo, uint32_t hi, uint32_t first_block,
                        uint32_t after);

/* A block that leaves for the interpreter at pc. */
static uint32_t leave_block(struct build *b, struct gs_frame *f, uint32_t pc)
{
    uint32_t id = add_block(b->g);
    if (id == UINT32_MAX) {
        b->failed = true;
        return 0;
    }
    b->g->block[id].first = b->g->nnodes;
    b->g->block[id].n = 1;
    struct gs_node *n = add_node(b->g, GS_N_LEAVE, f, pc);
    if (n == NULL)
        b->failed = true;
    else
        n->end = true;
    return id;
}

struct region {
    struct gs_frame *f;
    uint32_t lo, hi;
    uint8_t *m;
    uint32_t *block_at; /* leader -> block */
};

static uint32_t target(struct build *b, const struct region *r, uint32_t pc)
{
    if (pc < r->lo || pc > r->hi)
        return leave_block(b, r->f, pc);
    return r->block_at[pc];
}

static void begin(struct build *b, uint32_t id)
{
    b->g->block[id].first = b->g->nnodes;
    b->g->block[id].n = 0;
}

static void finish(struct build *b, uint32_t id)
{
    b->g->block[id].n = b->g->nnodes - b->g->block[id].first;
}

/* The callee of the last node, which ends block id, is spliced in; its returns go to `on`. */
static void splice(struct build *b, uint32_t id, uint32_t on)
{
    struct gs_graph *g = b->g;
    struct gs_node *n = &g->node[g->nnodes - 1];
    struct gs_frame *f = n->frame;
    n->kind = GS_N_INLINE;
    const struct gs_func *fn = n->callee_fn;
    uint32_t call = g->nnodes - 1;
    struct gs_frame *child = add_frame(g, f, n->callee, n->pc, f->off + n->a + 2u);
    uint32_t in = add_block(g);
    if (child == NULL || in == UINT32_MAX) {
        b->failed = true;
        return;
    }
    child->fn = fn;
    child->given = g->node[call].given;
    finish(b, id);
    link_to(g, id, in);
    build_frame(b, child, 0, 0, child->p->ncode - 1, in, on);
}

/* A call that is not spliced in: parameters without arguments need slots, too. */
static void widen(struct gs_graph *g, const struct gs_node *n)
{
    uint32_t end = n->frame->off + n->a + 2u + (n->fits ? n->callee->nparams : 0u);
    if (end > g->nslots && end <= GS_GRAPH_SLOTS)
        g->nslots = end;
    if (end > GS_GRAPH_SLOTS)
        g->node[n - g->node].fits = false;
}

/* A method call with several callees: tests one after the other. Its node is the last one, which ends block id. */
static uint32_t build_dispatch(struct build *b, uint32_t id, const struct callees *c, unsigned groups)
{
    struct gs_graph *g = b->g;
    struct gs_node call = g->node[--g->nnodes];
    uint32_t on = add_block(g);
    for (unsigned i = 0; i < groups && !b->failed; i++) {
        bool last = i + 1 == groups;
        uint32_t to = id, next = 0;
        if (!last) {
            struct gs_node *t = add_node(g, GS_N_TEST, call.frame, call.pc);
            to = add_block(g);
            next = add_block(g);
            if (t == NULL || on == UINT32_MAX || to == UINT32_MAX || next == UINT32_MAX) {
                b->failed = true;
                break;
            }
            t->ways = c->ways[i];
            finish(b, id);
            link_to(g, id, to);
            link_to(g, id, next);
            begin(b, to);
        }
        struct gs_node *n = add_node(g, GS_N_OP, call.frame, call.pc);
        if (n == NULL) {
            b->failed = true;
            break;
        }
        n->callee_fn = c->fn[i];
        n->callee = c->fn[i]->proto;
        n->ways = c->ways[i];
        n->tested = !last;
        n->fits = gs_node_fit(n);
        bool in = splices(g, n);
        if (!in)
            widen(g, n);
        if (in) {
            splice(b, to, on);
        } else if (add_node(g, GS_N_GOTO, call.frame, call.pc + 1) != NULL) {
            finish(b, to);
            link_to(g, to, on);
        } else {
            b->failed = true;
        }
        if (!last) {
            id = next;
            begin(b, id);
        }
    }
    return on;
}

/* The call that is the last node of block id: gives the block in which the code behind it goes on. */
static uint32_t build_call(struct build *b, uint32_t id)
{
    struct gs_graph *g = b->g;
    struct gs_node *n = &g->node[g->nnodes - 1];
    struct callees c;
    if (n->op == GS_OP_CALLM) {
        unsigned groups = find_methods(n, &c);
        if (groups > 1)
            return build_dispatch(b, id, &c, groups);
        if (groups == 1) {
            n->callee_fn = c.fn[0];
            n->callee = c.fn[0]->proto;
            n->ways = c.ways[0];
        }
    } else {
        gs_node_find_callee(n);
    }
    n->fits = gs_node_fit(n);
    if (!splices(g, n)) {
        widen(g, n);
        return id;
    }
    uint32_t on = add_block(g);
    if (on == UINT32_MAX) {
        b->failed = true;
        return id;
    }
    splice(b, id, on);
    return on;
}

/* Where the handlers of a frame begin, as far as their code is in the unit. */
static void catch_blocks(struct build *b, const struct region *r)
{
    struct gs_graph *g = b->g;
    const struct gs_proto *p = r->f->p;
    if (p->nhandlers == 0)
        return;
    r->f->caught = malloc(p->nhandlers * sizeof *r->f->caught);
    b->failed |= r->f->caught == NULL;
    for (uint32_t i = 0; i < p->nhandlers && !b->failed; i++) {
        const struct gs_handler *h = &p->handlers[i];
        bool in = h->target >= r->lo && h->target <= r->hi && (r->m[h->target] & REACHED);
        r->f->caught[i] = in ? add_block(g) : GS_NO_BLOCK;
        if (!in)
            continue;
        b->failed |= r->f->caught[i] == GS_NO_BLOCK;
        begin(b, r->f->caught[i]);
        struct gs_node *n = add_node(g, GS_N_CATCH, r->f, h->target);
        b->failed |= n == NULL;
        if (b->failed)
            return;
        n->a = h->reg;
        finish(b, r->f->caught[i]);
        link_to(g, r->f->caught[i], r->block_at[h->target]);
    }
}

/* One run of instructions from a leader. */
static void build_run(struct build *b, struct region *r, uint32_t pc, uint32_t after)
{
    struct gs_graph *g = b->g;
    struct gs_frame *f = r->f;
    uint32_t id = r->block_at[pc];
    begin(b, id);
    for (;; pc++) {
        gs_insn i = gs_hot_insn(f->p, f->p->code + pc);
        enum gs_op op = gs_insn_op(i);
        bool back = op == GS_OP_RET || op == GS_OP_RETNIL;
        enum gs_nkind kind = GS_N_OP;
        if (back)
            kind = f->parent != NULL ? GS_N_RETURN : g->is_loop ? GS_N_LEAVE : GS_N_OP;
        else if (is_end(op) && op != GS_OP_THROW && op != GS_OP_RETHROW)
            kind = GS_N_LEAVE;
        struct gs_node *n = add_node(g, kind, f, pc);
        if (n == NULL) {
            b->failed = true;
            return;
        }
        if (is_end(op)) {
            finish(b, id);
            if (kind == GS_N_RETURN)
                link_to(g, id, after);
            return;
        }
        int32_t by;
        if (gs_insn_is_jump(i, &by)) {
            finish(b, id);
            uint32_t to = target(b, r, pc + 1 + (uint32_t)by);
            link_to(g, id, to);
            if (op != GS_OP_JMP)
                link_to(g, id, target(b, r, pc + 1));
            return;
        }
        if (op == GS_OP_CALL || op == GS_OP_CALLM || op == GS_OP_CALLTRIM) {
            uint32_t on = build_call(b, id);
            if (b->failed)
                return;
            if (on != id) {
                id = on;
                begin(b, id);
            }
        }
        if (pc + 1 > r->hi || (r->m[pc + 1] & LEADER)) {
            if (add_node(g, GS_N_GOTO, f, pc + 1) == NULL) {
                b->failed = true;
                return;
            }
            finish(b, id);
            link_to(g, id, target(b, r, pc + 1));
            return;
        }
    }
}

/* Blocks of the code of f reached from entry within [lo, hi]; the entry becomes first_block, returns go to `after`. */
static void build_frame(struct build *b, struct gs_frame *f, uint32_t entry, uint32_t lo, uint32_t hi, uint32_t first_block,
                        uint32_t after)
{
    const struct gs_proto *p = f->p;
    struct region r = {f, lo, hi, calloc(p->ncode + 1, 1), calloc(p->ncode + 1, sizeof(uint32_t))};
    if (r.m == NULL || r.block_at == NULL || !mark(p, entry, lo, hi, r.m)) {
        b->failed = true;
    } else {
        for (uint32_t pc = lo; pc <= hi && !b->failed; pc++) {
            if ((r.m[pc] & (LEADER | REACHED)) == (LEADER | REACHED)) {
                r.block_at[pc] = add_block(b->g);
                b->failed |= r.block_at[pc] == UINT32_MAX;
            }
        }
        /* A block of its own before that of the entry: a jump back to the entry must not come to it. */
        begin(b, first_block);
        if (add_node(b->g, GS_N_GOTO, f, entry) == NULL)
            b->failed = true;
        finish(b, first_block);
        link_to(b->g, first_block, r.block_at[entry]);
        catch_blocks(b, &r);
        for (uint32_t pc = lo; pc <= hi && !b->failed; pc++) {
            if ((r.m[pc] & (LEADER | REACHED)) == (LEADER | REACHED))
                build_run(b, &r, pc, after);
        }
    }
    free(r.m);
    free(r.block_at);
}

/* ---- order ---- */

static bool order_blocks(struct gs_graph *g)
{
    for (uint32_t i = 0; i < g->nblocks; i++)
        g->block[i].caught = gs_graph_caught(g, &g->block[i]);
    uint32_t *stack = malloc((g->nblocks + 1) * sizeof *stack), *at = calloc(g->nblocks, sizeof *at);
    uint32_t *post = malloc((g->nblocks + 1) * sizeof *post), n = 0, npost = 0;
    uint8_t *state = calloc(g->nblocks, 1);
    g->rpo = malloc((g->nblocks + 1) * sizeof *g->rpo);
    bool ok = stack != NULL && at != NULL && post != NULL && state != NULL && g->rpo != NULL;
    if (ok) {
        stack[n++] = 0;
        state[0] = 1;
        g->block[0].npred = 1;
    }
    while (ok && n > 0) {
        uint32_t id = stack[n - 1];
        struct gs_block *b = &g->block[id];
        if (at[id] < gs_block_edges(b)) {
            /* The fallen-through side is visited first, so that it comes last and stands behind the taken one; behind all the handler. */
            uint32_t to = gs_block_edge(b, gs_block_edges(b) - 1 - at[id]++);
            g->block[to].npred++;
            if (state[to] == 1)
                g->block[to].loop = true;
            if (state[to] == 0) {
                state[to] = 1;
                stack[n++] = to;
            }
        } else {
            state[id] = 2;
            post[npost++] = id;
            n--;
        }
    }
    for (uint32_t i = 0; ok && i < npost; i++) {
        g->rpo[i] = post[npost - 1 - i];
        g->block[g->rpo[i]].order = i;
    }
    g->nrpo = npost;
    free(stack);
    free(at);
    free(post);
    free(state);
    return ok;
}

/* The last jump back to `head`; 0 when there is none. */
static uint32_t loop_end(const struct gs_proto *p, uint32_t head)
{
    uint32_t end = 0;
    for (uint32_t pc = head; pc < p->ncode; pc++) {
        int32_t by;
        if (gs_insn_is_jump(gs_hot_insn(p, p->code + pc), &by) && by < 0 && pc + 1 + (uint32_t)by == head)
            end = pc;
    }
    return end;
}

/* Where the loop begins in the code. Before its head stands what it goes back to, too: when its body begins with a loop that tests at its
 * end, the body of that loop, behind a jump to the test, which is the head of both. */
static uint32_t loop_begin(const struct gs_proto *p, uint32_t head, uint32_t end)
{
    uint32_t begin = head;
    for (uint32_t pc = head; pc <= end; pc++) {
        int32_t by;
        if (!gs_insn_is_jump(gs_hot_insn(p, p->code + pc), &by))
            continue;
        uint32_t to = pc + 1 + (uint32_t)by;
        if (to == 0 || to >= begin)
            continue;
        gs_insn before = gs_hot_insn(p, p->code + to - 1);
        if (gs_insn_op(before) == GS_OP_JMP && to + (uint32_t)gs_insn_bx(before) == head)
            begin = to;
    }
    return begin;
}

struct gs_graph *gs_graph_make(const struct gs_hot_request *r, const char **why)
{
    struct gs_graph *g = calloc(1, sizeof *g);
    const struct gs_proto *p = r->p;
    uint32_t pc = r->entry->pc, lo = 0, hi = p->ncode - 1;
    *why = GS_DECLINE(NOMEM);
    if (g == NULL)
        return NULL;
    g->r = r;
    g->is_loop = pc != 0;
    if (g->is_loop) {
        hi = loop_end(p, pc);
        lo = hi < pc ? pc : loop_begin(p, pc, hi);
    }
    if ((g->is_loop && hi < pc) || p->nregs + 4u > GS_GRAPH_SLOTS || hi - lo > GS_GRAPH_NODES / 2) {
        *why = g->is_loop && hi < pc ? GS_DECLINE(NO_LOOP) : GS_DECLINE(TOO_BIG);
        gs_graph_free(g);
        return NULL;
    }
    struct build b = {g, false};
    g->root = add_frame(g, NULL, p, 0, 0);
    if (g->root == NULL || add_block(g) != 0)
        b.failed = true;
    if (!b.failed)
        build_frame(&b, g->root, pc, lo, hi, 0, 0);
    if (b.failed && g->nnodes >= GS_GRAPH_NODES)
        *why = GS_DECLINE(TOO_BIG);
    if (b.failed || !order_blocks(g)) {
        gs_graph_free(g);
        return NULL;
    }
    return g;
}

void gs_graph_free(struct gs_graph *g)
{
    if (g == NULL)
        return;
    for (uint32_t i = 0; i < g->nframes; i++) {
        free(g->frames[i]->caught);
        free(g->frames[i]);
    }
    for (uint32_t i = 0; i < g->nlives; i++)
        gs_live_free(g->lives[i]);
    free(g->lives);
    free(g->frames);
    free(g->node);
    free(g->block);
    free(g->rpo);
    free(g);
}
