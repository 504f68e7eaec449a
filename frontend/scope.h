/* SPDX-License-Identifier: MIT
 * scope.h - names: what each one means, which variables are captured, and how.
 *
 * Pass       gs_scope_unit walks a unit's tree once, in source order. Each identifier knows its
 *            innermost visible binding, so a look-up is one load and leaving a scope undoes what it
 *            bound. It writes into the nodes' info what they mean, so that the emitter never looks
 *            a name up. All errors about names are reported here.
 * Captures   By value when the variable cannot change any more once a closure over it may exist,
 *            else through a cell. "Can change" is decided on a line of event numbers: every let,
 *            assignment, function literal and loop start takes the next one. A capture inside a
 *            loop that does not make the variable anew counts from the start of that loop. cell =
 *            assigned in a nested function, or last assigned behind the first capture, or captured
 *            before its let.
 * Nested fns Are hoisted only where it shows: a nested function that is named nowhere before its
 *            declaration is made there. One that captures nothing but such functions is a constant
 *            and never made at all.
 * Own name   A function literal that initialises a variable, and a nested function, name themselves
 *            through GETFN.
 * Globals    Top-level lets of the main script that no function names are registers of its main
 *            (nothing else can see them); those with a constant initialiser that are set before
 *            anything can run are constants.
 */
#ifndef GS_FRONTEND_SCOPE_H
#define GS_FRONTEND_SCOPE_H

#include "unit.h"

enum gs_sym_kind {
    /* local variables: registers */
    GS_SYM_LET,
    GS_SYM_PARAM,
    GS_SYM_LOOP,
    GS_SYM_CATCH,
    GS_SYM_SELF,
    GS_SYM_FN, /* nested function */
    /* of the unit, or constants */
    GS_SYM_GLOBAL, /* top-level let that needs a slot */
    GS_SYM_CONST,  /* .value */
    GS_SYM_TOPFN,  /* .value FUNC */
    GS_SYM_CLASS,  /* .value CLASS */
    GS_SYM_IFACE,
    GS_SYM_TYPE,
    GS_SYM_MODULE,  /* .imp: library or script module */
    GS_SYM_ALIAS,   /* import { x }: .target, or .value when from a library */
    GS_SYM_BUILTIN, /* .value */
    GS_SYM_POISON,  /* of a failed import: anything goes, nothing is emitted */
};

struct gs_block { /* BLOCK's info when it declares something that outlives its statement */
    uint32_t seq; /* event number at its start; the following nfns ones belong to its hoisted
                     functions */
    GS_VEC(struct gs_sym *) fns;    /* nested functions, in source order */
    GS_VEC(struct gs_sym *) early;  /* variables whose cells must exist from the start */
    GS_VEC(struct gs_node *) types; /* local classes, interfaces, types */
};

struct gs_sym {
    uint8_t kind;       /* enum gs_sym_kind */
    bool is_const;      /* written with const */
    bool declared;      /* the walker has passed its declaration */
    bool assigned;      /* besides its initialisation */
    bool nested_assign; /* ... in a nested function */
    bool captured;
    bool force_cell;
    bool cell;
    bool early;       /* captured before its initialisation */
    bool hoisted;     /* FN: made at the start of its block */
    bool named_in_fn; /* GLOBAL: some function names it */
    bool quiet;       /* GLOBAL: its let runs before anything could call a function */
    bool promoted;    /* LET that is a top-level one */
    uint32_t scope;   /* number of the scope that holds it */
    struct gs_slice name;
    struct gs_pos pos;
    struct gs_ident *ident;
    struct gs_sym *outer; /* binding that it hides */
    struct gs_unit *unit;
    struct gs_node *node; /* LET, FNDECL, CLASS ... */
    /* local */
    struct gs_fnscope *fn;
    struct gs_fnscope *body; /* FN, and LET initialised with a literal: the function */
    struct gs_block *block;
    uint32_t made_seq; /* the binding came into being: loops that began later do not renew it */
    uint32_t let_seq;  /* its let began */
    uint32_t init_seq; /* its let ended */
    uint32_t last_assign;
    uint32_t first_cap;
    uint32_t loop_id; /* variable of the FOR with this number, else 0 */
    uint32_t reg;     /* emitter's */
    /* unit */
    uint32_t slot;
    gs_value value;
    struct gs_sym *target;
    struct gs_import *imp;
};

struct gs_capref {
    struct gs_sym *sym;
    uint32_t loop; /* start of the outermost loop of the variable's function, begun after it was
                      made, around the capture; 0: none */
    bool by_own;   /* names a function around this one, which hands down itself and never a cell */
};

struct gs_fnscope {
    struct gs_fnscope *parent; /* whose frame makes it; NULL: top-level function, method, main */
    struct gs_fnnode *node;    /* NULL: main */
    struct gs_unit *unit;
    struct gs_sym *own;  /* variable that names it, or NULL */
    struct gs_sym *self; /* of methods */
    struct gs_sym **params;
    struct gs_class *cls; /* class whose method it is, or is inside of */
    bool sealed;          /* method: nothing can be captured through it */
    bool impure;          /* captures what is no constant */
    bool has_defer;
    bool self_reg; /* a nested function captures the own name: keep it in a register */
    uint32_t seq;  /* when the closure is made */
    GS_VEC(struct gs_capref) caps;
    struct gs_table capidx; /* struct gs_sym * -> index + 1, once there are many */
    GS_VEC(uint32_t) loops; /* the walker's: starts of the open loops */
    struct gs_func *func;   /* immortal closure, when there are no captures */
    struct gs_proto *proto;
};

struct gs_forin_info {      /* FORIN's info */
    struct gs_sym *v1, *v2; /* v2 NULL: one variable. With two v1 is the index */
};

/* Declares, resolves and decides; u->imports are ready. Errors go to the diagnostics. After it,
 * when there was no error anywhere, the unit can be emitted: constants are known, functions have
 * their (empty) protos, classes are ready. */
void gs_scope_unit(struct gs_unit *u);

/* Index of a captured variable, or -1. */
int32_t gs_scope_capture(const struct gs_fnscope *f, const struct gs_sym *s);

/* Literals, unary minus, arithmetic on them, and constants. False: not a constant, or evaluating it
 * would throw. */
bool gs_const_fold(const struct gs_node *n, gs_value *out);

/* A static module: namespace import, or member of one. For MEMBER nodes on them. */
struct gs_modref {
    gs_value lib; /* MODULE value, or nil */
    struct gs_unit *unit;
    bool poison;
};
bool gs_scope_module(const struct gs_node *n, struct gs_modref *out);

enum gs_member {
    GS_MEMBER_NONE,
    GS_MEMBER_MISSING,
    GS_MEMBER_VALUE,
    GS_MEMBER_SYM,
    GS_MEMBER_POISON
};
/* What the MEMBER node n means when its object is a module; NONE when it is an ordinary member. */
enum gs_member gs_scope_member(const struct gs_node *n, gs_value *value, struct gs_sym **sym);

/* The class, interface or type that a NAME or MEMBER node means, else NULL (not reported). *poison:
 * from a failed import. */
struct gs_sym *gs_scope_type_sym(const struct gs_node *n, gs_value *value, bool *poison);

#endif
