/* SPDX-License-Identifier: MIT
 * types.h - which kinds each slot can hold, and how each instruction is done: decided before LLVM sees anything.
 *
 * Kinds      A set of enum gs_kind as bits. 0: nothing has been stored yet (its value does not matter).
 * Deciding   gs_types_step looks at the kinds of the operands, the feedback and the misses of the site, and says how the
 *            instruction is done and what its operands must be for that. Operands that may be something else are guarded; behind
 *            the guard they are what was wanted. It is the only place that decides: the inference runs it until nothing changes, the
 *            emitter once more for each node. It is monotone: more kinds in, more kinds out.
 */
#ifndef GS_JIT_TYPES_H
#define GS_JIT_TYPES_H

#include "graph.h"

typedef uint32_t gs_kinds;

#define GS_K(kind) ((gs_kinds)1 << (kind))
#define GS_K_INT GS_K(GS_T_INT)
#define GS_K_FLOAT GS_K(GS_T_FLOAT)
#define GS_K_BOOL GS_K(GS_T_BOOL)
#define GS_K_NIL GS_K(GS_T_NIL)
#define GS_K_NUM (GS_K_INT | GS_K_FLOAT)
#define GS_K_ANY (GS_K(GS_T_COUNT_) - 1u)

/* What the third register of an iteration holds: nothing, the keys of an object, the length of a range. */
#define GS_ITER_STATE (GS_K_NIL | GS_K(GS_T_ARRAY) | GS_K_INT)

/* One kind whose tag word is a constant. */
static inline bool gs_kinds_single(gs_kinds k)
{
    return k != 0 && (k & (k - 1)) == 0 && k != GS_K(GS_T_HANDLE);
}

enum gs_how {
    GS_HOW_PLAIN, /* as the opcode says; operands as wanted */
    GS_HOW_INT,
    GS_HOW_DIVIDE, /* ints, and the divisor may be 0 */
    GS_HOW_FLOAT, /* operands become doubles */
    GS_HOW_NUM,   /* ints or floats, found out while running */
    GS_HOW_CALL,  /* the helper of compiled.h */
    GS_HOW_STORE, /* arrays: the storage kind in `store` */
    GS_HOW_ELEMENT, /* arrays: an element of whatever storage is there */
    GS_HOW_RANGE, /* ITERNEXT of a range value */
    GS_HOW_BUMP,  /* objects: made by the code itself (emit_alloc.c) */
    GS_HOW_SHAPE, /* fields: the shapes in the cache */
    GS_HOW_STR,
    GS_HOW_UNIT,  /* calls: the callee's compiled code */
    GS_HOW_ANY,   /* calls: whatever it is, found out while running */
    GS_HOW_INTRINSIC, /* natives that compiled code does itself; want: of the arguments */
    GS_HOW_TEXT,  /* toString: a helper of its own */
    GS_HOW_TRY,   /* natives: a helper that may decline, then the native */
    GS_HOW_LEAVE, /* nothing helps: the interpreter does it */
};

#define GS_OWN_PARAMS 16u

/* Calls between compiled functions: what is passed and what comes back. Immortal, as its cell is; a function has one for each way. */
struct gs_own {
    struct gs_hot_cell cell;
    const struct gs_proto *p;
    bool full; /* the last code in the cell was of GS_LEVEL_FULL */
    uint32_t nparams;
    gs_kinds ret;
    gs_kinds param[GS_OWN_PARAMS]; /* single kinds are passed as the payload alone */
};

struct gs_step {
    enum gs_how how;
    gs_kinds want[3]; /* of operands a, b, c; 0: not looked at */
    gs_kinds result;
    enum gs_store store;
    struct gs_own *unit;
    const struct gs_native *native; /* calls of natives */
};

struct gs_types {
    struct gs_graph *g;
    gs_kinds *in;      /* of each block, nslots each */
    bool *seen;
    struct gs_own *self; /* of a function: what calls to itself pass; ret grows during the inference */
    /* The code for calls of p with arguments of kinds args, or NULL. args NULL: of any kinds. */
    struct gs_own *(*unit_of)(const struct gs_proto *p, const gs_kinds *args);
};

/* ---- intrinsic.c ---- */

enum gs_form { GS_FORM_FLOATS, GS_FORM_BITS, GS_FORM_ROUND, GS_FORM_KEEP, GS_FORM_ATOMIC, GS_FORM_TRY, GS_FORM_OTHER }; /* see intrinsic.def */
enum gs_form gs_intrinsic_form(enum gs_intrinsic i);
const char *gs_intrinsic_function(enum gs_intrinsic i); /* the helper that does it; NULL: an instruction */
bool gs_intrinsic_repeats(enum gs_intrinsic i); /* of those that are instructions: can be done again */
/* The call n of nat with arguments of kinds arg is done by instructions, or by a helper of its own: says how. False: s is as it was. */
bool gs_intrinsic_step(const struct gs_node *n, const struct gs_native *nat, const gs_kinds *arg, struct gs_step *s);

/* ---- emit_alloc.c ---- */

#define GS_BUMP_VALUES 16u /* fields or captured values of an object that is made without a call; a line of the heap */
/* BUMP or CALL; of CELLNEW, CLOSURE, NEWOBJ. */
enum gs_how gs_alloc_how(const struct gs_node *n);

/* ---- types.c ---- */

/* Which of its successors the last node of a block may go to (bits 0 and 1), given the kinds behind it. */
unsigned gs_types_ways(const struct gs_node *n, const gs_kinds *k);
/* The kinds at the unit's entry: of each slot. */
void gs_types_entry(const struct gs_types *t, gs_kinds *k);
bool gs_types_infer(struct gs_types *t);
/* Whether n may throw when it is done like this; with doubts, yes. A node whose error is met in compiled code all the same leaves. */
bool gs_node_throws(const struct gs_node *n, const struct gs_step *s);
/* How n is done where the slots have kinds k; k becomes the kinds behind it (where control goes on). */
struct gs_step gs_types_step(const struct gs_types *t, const struct gs_node *n, gs_kinds *k);

#endif
