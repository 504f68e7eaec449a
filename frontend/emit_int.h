/* SPDX-License-Identifier: MIT
 * emit_int.h - the emitter's state for one function, and the calls between its sources.
 *
 * Registers  A stack: parameters, then variables, then temporaries; `top` is the next free one.
 *            Variables are declared between statements only, so all temporaries lie above all
 *            variables (`vars`). Ways to evaluate an expression:
 *                gs_expr_to(e, n, dst)   exactly to dst
 *                gs_expr(e, n)           to a variable's own register, or a new temporary
 *                gs_expr_hint(e, n, h)   to a variable's own register, or h when h is fresh
 *            A destination below `vars` is a variable that the expression may still read: it is
 *            written by the last instruction only. One at or above `vars` is fresh and may hold
 *            intermediate values.
 * Order      Operands that are variables are used in place. That keeps left-to-right order, because
 *            only cells can change while an expression is evaluated (assignment is a statement),
 *            and cells are read into temporaries, in order.
 * Jumps      go to labels; offsets are filled in when the function is finished, where those that do
 *            not fit 16 bits get their long form.
 * Dead code  is not written: after an unconditional jump nothing is, until a label that something
 *            jumps to.
 */
#ifndef GS_FRONTEND_EMIT_INT_H
#define GS_FRONTEND_EMIT_INT_H

#include "bytecode.h"
#include "hooks.h"
#include "str.h"

#include "emit.h"
#include "ops.h"
#include "scope.h"

struct gs_jump {
    uint32_t pc, label;
};

struct gs_range_handler {
    uint32_t from, to, target; /* instruction numbers; mapped when the long forms move the code */
    uint32_t reg;
};

struct gs_kentry {
    gs_value v;
    uint32_t index, next;
};

/* Leaving a try with finally by anything but an error: what its end has to do. */
struct gs_exit {
    bool is_return;
    uint32_t label;         /* else: where to go on */
    struct gs_finally *fin; /* and the innermost finally around that place */
};

struct gs_finally {
    struct gs_finally *outer;
    uint32_t code, value;         /* registers: how the body was left, with what */
    uint32_t entry;               /* label of the finally code */
    GS_VEC(struct gs_exit) exits; /* exit i has code i + GS_EXIT_FIRST */
};

enum { GS_EXIT_NORMAL, GS_EXIT_ERROR, GS_EXIT_FIRST };

struct gs_loop {
    struct gs_loop *outer;
    uint32_t on_break, on_continue; /* labels */
    struct gs_finally *fin;         /* innermost at the loop's start */
};

struct gs_emit {
    struct gs_emit *outer;
    struct gs_unit *u;
    struct gs_compiler *c;
    struct gs_fnscope *f;
    GS_VEC(gs_insn) code;
    GS_VEC(uint32_t) lines;
    GS_VEC(struct gs_jump) jumps;
    GS_VEC(uint32_t) labels; /* place; UINT32_MAX: not yet */
    GS_VEC(uint8_t) label_used;
    GS_VEC(struct gs_range_handler) handlers;
    GS_VEC(gs_value) k;     /* constants that 16 bits reach */
    GS_VEC(gs_value) kwide; /* those beyond, for LOADK only: they follow at GS_KNARROW */
    GS_VEC(struct gs_kentry) kentries;
    struct gs_table kindex; /* hash -> number of an entry + 1, chained */
    GS_VEC(struct gs_str *) ics;
    struct gs_table ic_of_key; /* shared ones, once there are very many */
    GS_VEC(struct gs_proto *) protos;
    GS_VEC(uint32_t) gnames;
    struct gs_loop *loop;
    struct gs_finally *fin; /* innermost whose body is being emitted */
    uint32_t top, max, vars;
    uint32_t line;      /* of what is being emitted */
    uint32_t self_reg;  /* holds the running function, when f->self_reg */
    uint32_t defer_reg; /* list of deferred calls, when f->has_defer */
    uint32_t pinned;    /* last place that something refers to */
    const struct gs_node *no_result; /* the expression of the statement at hand: nobody takes its value */
    bool dead;
    const char *limit; /* what there is too much of */
    unsigned depth;
};

#define GS_LABEL_NONE UINT32_MAX
#define GS_KNARROW 65536u
#define GS_KWIDE_FROM                                                                              \
    50000u /* from so many constants on, whoever can do with LOADK leaves the rest to others */

/* --- emit.c: code ----------------------------------------------------------------------------- */
void gs_put(struct gs_emit *e, gs_insn i);
void gs_put_abc(struct gs_emit *e, enum gs_op op, uint32_t a, uint32_t b, uint32_t c);
void gs_put_abx(struct gs_emit *e, enum gs_op op, uint32_t a, int32_t bx);
uint32_t gs_label(struct gs_emit *e);
void gs_place(struct gs_emit *e,
              uint32_t label); /* here; reachable when something jumps there already */
void gs_place_loop(struct gs_emit *e, uint32_t label);      /* here; a jump will follow */
void gs_jump(struct gs_emit *e, gs_insn i, uint32_t label); /* i's offset is filled in later */
void gs_goto(struct gs_emit *e, uint32_t label);
uint32_t gs_here(struct gs_emit *e); /* the place of the next instruction; it stays what it is */
/* Errors raised in [from, to) go to this place with the error in reg. Inner ones first. Nothing
 * when the range is empty. */
void gs_handler(struct gs_emit *e, uint32_t from, uint32_t to, uint32_t reg);

uint32_t gs_alloc(struct gs_emit *e, uint32_t n); /* n registers at top */
static inline void gs_free_to(struct gs_emit *e, uint32_t top)
{
    e->top = top;
}
static inline bool gs_fresh(const struct gs_emit *e, uint32_t dst)
{
    return dst >= e->vars;
}
void gs_limit(struct gs_emit *e, const char *what);

void gs_move(struct gs_emit *e, uint32_t dst, uint32_t src);
void gs_load(struct gs_emit *e, uint32_t dst, gs_value v); /* any constant */
void gs_load_str(struct gs_emit *e, uint32_t dst, struct gs_slice s);
uint32_t gs_k(struct gs_emit *e,
              gs_value v); /* index below 65536; a limit error when there is no room */
bool gs_k_try(struct gs_emit *e, gs_value v,
              uint32_t *out); /* for those who can do without: leaves the last ones to gs_k */
uint32_t gs_ic(struct gs_emit *e, struct gs_str *key); /* key NULL: of a CALL */
void gs_name_global(struct gs_emit *e, uint32_t slot);
struct gs_str *gs_literal_str(struct gs_slice s);

#define gs_emit_error(e, at, ...) gs_diag_error((e)->c->diag, (e)->u->src, (at), __VA_ARGS__)

/* --- emit_fn.c -------------------------------------------------------------------------------- */
void gs_emit_fn(struct gs_emit *outer, struct gs_fnscope *f); /* its proto */
void gs_emit_closure(struct gs_emit *e, struct gs_fnscope *f, uint32_t dst);
void gs_emit_methods(struct gs_emit *e, const struct gs_classnode *cn);
/* A function without a node: emit between begin and end. */
void gs_emit_begin(struct gs_emit *e, struct gs_emit *outer, struct gs_unit *u,
                   struct gs_fnscope *f);
void gs_emit_end(struct gs_emit *e, struct gs_str *name, uint32_t nparams, uint32_t nreq,
                 uint32_t flags, const struct gs_capture *caps, uint32_t ncaps);

/* --- emit_expr.c ------------------------------------------------------------------------------ */
uint32_t gs_expr(struct gs_emit *e, const struct gs_node *n);
uint32_t gs_expr_hint(struct gs_emit *e, const struct gs_node *n, uint32_t hint);
void gs_expr_to(struct gs_emit *e, const struct gs_node *n, uint32_t dst);
void gs_load_sym(struct gs_emit *e, struct gs_sym *s, uint32_t dst, struct gs_pos at);
/* The register of a variable that can be used in place. */
bool gs_in_place(const struct gs_emit *e, const struct gs_node *n, uint32_t *reg);
void gs_binary(struct gs_emit *e, enum gs_operator op, uint32_t dst, uint32_t left,
               const struct gs_node *right, struct gs_pos at);
bool gs_small_int(gs_value v, int32_t *out); /* fits a signed 16-bit operand */

/* --- emit_cond.c ------------------------------------------------------------------------------ */
/* Jumps to label when n's truth is `sense`, else goes on. */
void gs_cond(struct gs_emit *e, const struct gs_node *n, bool sense, uint32_t label);
void gs_bool_to(struct gs_emit *e, const struct gs_node *n, uint32_t dst); /* AND, OR */
void gs_compare_to(struct gs_emit *e, enum gs_operator op, const struct gs_node *n, uint32_t dst);

/* --- emit_call.c ------------------------------------------------------------------------------ */
void gs_call_to(struct gs_emit *e, const struct gs_node *n, uint32_t dst);
/* Callee and arguments of a deferred call into registers from `base` on; gives the number of
 * arguments. */
uint32_t gs_defer_window(struct gs_emit *e, const struct gs_node *call, uint32_t base);
void gs_super_to(struct gs_emit *e, const struct gs_node *n, uint32_t dst); /* as a value */
struct gs_func *gs_super_method(const struct gs_emit *e, struct gs_str *name);

/* --- emit_lit.c ------------------------------------------------------------------------------- */
void gs_array_to(struct gs_emit *e, const struct gs_node *n, uint32_t dst);
void gs_object_to(struct gs_emit *e, const struct gs_node *n, uint32_t dst);
void gs_interp_to(struct gs_emit *e, const struct gs_node *n, uint32_t dst);

/* --- emit_stmt.c, emit_loop.c ----------------------------------------------------------------- */
void gs_stmt(struct gs_emit *e, const struct gs_node *n);
void gs_block(struct gs_emit *e, const struct gs_node *n); /* a scope of its own */
void gs_body(struct gs_emit *e, const struct gs_node *n);  /* in the scope around it */
void gs_declare(struct gs_emit *e, struct gs_sym *s,
                uint32_t reg); /* reg, just allocated, holds its first value */
void gs_while(struct gs_emit *e, const struct gs_node *n);
void gs_for(struct gs_emit *e, const struct gs_node *n);
void gs_forin(struct gs_emit *e, const struct gs_node *n);

/* --- emit_try.c ------------------------------------------------------------------------------- */
void gs_try(struct gs_emit *e, const struct gs_node *n);
void gs_defer(struct gs_emit *e, const struct gs_node *n);
void gs_return(struct gs_emit *e, const struct gs_node *n);
void gs_leave_loop(struct gs_emit *e, bool is_break);
void gs_defer_begin(struct gs_emit *e, struct gs_finally *fin);
void gs_defer_end(struct gs_emit *e, struct gs_finally *fin, uint32_t from, uint32_t line);

#endif
