/* SPDX-License-Identifier: MIT
 * graph.h - what is compiled as one unit: the blocks of a function or of one of its loops, with small callees spliced in.
 *
 * Slots      Registers of inlined functions lie where their frames would lie in the VM's stack: a callee of a window at R[a] has its
 *            register 0 at slot a + 2 of its caller. So one numbering, relative to the unit's frame, serves the whole graph, arguments
 *            need no copies, and an exit writes each slot to its own place.
 * Loops      A loop is the region from the target of a back-edge to the last jump back to it (the compiler lays loops out in one
 *            piece), with the body of a loop it begins with. Edges that leave it end in LEAVE nodes.
 * Errors     A block has one frame and one innermost handler. When the handler's code is in the unit, in this frame or in one that it
 *            is inlined into, the block has one more edge, `caught`: to a block that begins with a CATCH node. Every node of the
 *            block that may throw goes there from its middle, with the registers as they are then.
 * Liveness   Computed for each function alone, an instruction at a time; what is live in an inlined callee is what is live there
 *            and what its callers need once it has returned. Instructions in the range of a handler need what the handler needs.
 */
#ifndef GS_JIT_GRAPH_H
#define GS_JIT_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include "hot.h"

#define GS_GRAPH_NODES 6000u /* a unit may have */
#define GS_GRAPH_SLOTS 512u

/* Liveness of a function: live[pc] is a set of registers. */
struct gs_live {
    const struct gs_proto *p;
    uint32_t words;  /* of a set */
    uint64_t *in;    /* before each instruction: (ncode + 1) sets */
    uint64_t *catch; /* what the handlers around each instruction need: ncode sets */
};

/* A function in the unit: the unit's own, or an inlined one. */
struct gs_frame {
    struct gs_frame *parent; /* NULL: the unit's own */
    const struct gs_proto *p;
    const struct gs_func *fn; /* the callee where it is known, else NULL (then slot off - 2 holds it) */
    const struct gs_live *live;
    uint32_t call_pc;         /* of the call in the parent, */
    uint32_t given;           /* and how many of its arguments the function got */
    uint32_t off;             /* slot of its register 0 */
    uint32_t depth;
    uint32_t number;          /* in gs_graph.frames */
    uint32_t *caught;         /* of each handler of p: its block, GS_NO_BLOCK: not in the unit; NULL when there are none */
};

#define GS_NO_BLOCK UINT32_MAX

enum gs_nkind {
    GS_N_OP,     /* the instruction */
    GS_N_INLINE, /* a call whose callee is spliced in: guards the callee, then goes to its entry */
    GS_N_RETURN, /* RET, RETNIL of an inlined function: the value to slot off - 2, then to the block after the call */
    GS_N_GOTO,   /* to succ[0] */
    GS_N_LEAVE,  /* leaves for the interpreter at pc (the end of a loop) */
    GS_N_TEST,   /* a method call: to succ[0] when the receiver's shape is in one of `ways`, else to succ[1] */
    GS_N_CATCH,  /* the error under way goes into R[a]; pc is where the handler's code begins */
};

struct gs_node {
    uint8_t kind; /* enum gs_nkind */
    uint8_t op;   /* enum gs_op */
    uint8_t x;
    uint8_t fb;   /* feedback when the graph was made */
    uint8_t miss; /* guards that have failed here in earlier units */
    uint16_t a, b, c; /* as in the instruction: without the frame's offset */
    int32_t bx;
    uint32_t pc;
    struct gs_frame *frame;
    const struct gs_proto *callee;   /* calls: whom the site calls, as far as the cache and constants tell */
    const struct gs_func *callee_fn; /* INLINE and CALL: the callee when it is a constant: no guard */
    uint8_t ways; /* method calls: the ways of the cache that lead to this callee, as bits */
    bool fits;     /* calls: the arguments can be made to fit the callee: */
    uint16_t given; /* it takes so many; other parameters have no value, or are the rest */
    bool tested;  /* behind a TEST: no guard */
    bool end;     /* LEAVE: the loop is over */
    /* What the inline cache held when the graph was made: others go on filling it, and all who look must see the same. */
    uint64_t ic[GS_IC_WAYS];
};

struct gs_block {
    uint32_t first, n; /* nodes */
    uint32_t succ[2];  /* [0] taken or only, [1] fallen through */
    uint32_t nsucc;
    uint32_t caught;   /* block of the handler, or GS_NO_BLOCK */
    uint32_t npred;    /* edges into it, the unit's entry counted */
    uint32_t order;    /* in reverse postorder; UINT32_MAX: not reached */
    bool loop;         /* some edge into it goes backward */
};

struct gs_graph {
    const struct gs_hot_request *r;
    struct gs_frame *root;
    struct gs_node *node;
    uint32_t nnodes, cap;
    struct gs_block *block; /* block 0 is the entry */
    uint32_t nblocks, capblocks;
    uint32_t *rpo; /* blocks in reverse postorder */
    uint32_t nrpo;
    uint32_t nslots;
    bool is_loop; /* the entry is a loop */
    struct gs_frame **frames;
    uint32_t nframes, capframes;
    struct gs_live **lives;
    uint32_t nlives;
};

/* NULL and *why: declined. */
struct gs_graph *gs_graph_make(const struct gs_hot_request *r, const char **why);
void gs_graph_free(struct gs_graph *g);

/* Edges out of b, that to its handler last. */
static inline uint32_t gs_block_edges(const struct gs_block *b)
{
    return b->nsucc + (b->caught != GS_NO_BLOCK);
}

static inline uint32_t gs_block_edge(const struct gs_block *b, uint32_t i)
{
    return i < b->nsucc ? b->succ[i] : b->caught;
}

/* The innermost handler around pc, or NULL. */
const struct gs_handler *gs_handler_at(const struct gs_proto *p, uint32_t pc);
/* Whether a frame of the unit has a handler for an error of the instruction at pc of f; *block: where its code is, or GS_NO_BLOCK. */
bool gs_graph_handler(const struct gs_frame *f, uint32_t pc, uint32_t *block);

/* The registers that an instruction reads and writes, called for each; sure is false for what it may leave alone. */
typedef void gs_reg_fn(void *ctx, uint32_t reg, bool sure);
void gs_insn_uses(const struct gs_proto *p, gs_insn i, gs_reg_fn *f, void *ctx);
void gs_insn_defs(const struct gs_proto *p, gs_insn i, gs_reg_fn *f, void *ctx);
bool gs_op_is_call(enum gs_op op); /* of what the language calls a function or method: natives by CALLNAT are not among them */
/* A call that had not been made when the graph was. */
bool gs_node_never_called(const struct gs_node *n);
bool gs_insn_is_jump(gs_insn i, int32_t *by); /* conditional or not; *by relative to the next */

/* Calls whose arguments fit: the parameters [*from, *to) that get no value; -1, or the one that gets an array of what follows. */
static inline int gs_node_missing(const struct gs_node *n, uint32_t *from, uint32_t *to)
{
    bool rest = (n->callee->flags & GS_PF_REST) != 0;
    *to = n->callee->nparams - (rest ? 1u : 0u);
    *from = n->given < *to ? n->given : *to;
    return rest ? (int)*to : -1;
}

/* The slots that must be right in memory when the interpreter goes on at pc of frame f: calls fn for each. Registers of f from `end` on
 * are left out: when a call is on its way they are the callee's. In the callers of f it is so by itself. */
void gs_graph_live(const struct gs_frame *f, uint32_t pc, uint32_t end, void (*fn)(void *ctx, uint32_t slot), void *ctx);
/* The slots that are needed when an error is thrown in the call or operation at pc of frame f. */
void gs_graph_live_catch(const struct gs_frame *f, uint32_t pc, uint32_t end, void (*fn)(void *ctx, uint32_t slot), void *ctx);

#endif
