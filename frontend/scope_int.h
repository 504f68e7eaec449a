/* SPDX-License-Identifier: MIT
 * scope_int.h - the walker's state, shared by the sources of the name pass.
 */
#ifndef GS_FRONTEND_SCOPE_INT_H
#define GS_FRONTEND_SCOPE_INT_H

#include "scope.h"

struct gs_header { /* the header of a three-part for that is being walked */
    uint32_t id;
    struct gs_header *up;
};

struct gs_walker {
    struct gs_unit *u;
    struct gs_compiler *c;
    struct gs_fnscope *fn;
    struct gs_block *block; /* innermost */
    struct gs_header *header;
    uint32_t seq;    /* last event number */
    uint32_t scopes; /* scopes made so far */
    uint32_t scope;  /* number of the innermost */
    uint32_t top;    /* number of the unit's top-level scope */
    uint32_t fors;
    bool quiet;                     /* nothing yet in main that could call a function */
    GS_VEC(struct gs_sym *) bound;  /* what leaving scopes undoes */
    GS_VEC(struct gs_node *) spine; /* operators whose left operand is being walked */
};

#define gs_scope_error(w, at, ...) gs_diag_error((w)->c->diag, (w)->u->src, (at), __VA_ARGS__)

/* scope_decl.c */
struct gs_sym *gs_sym_new(struct gs_walker *w, enum gs_sym_kind kind, struct gs_slice name,
                          struct gs_pos pos);
/* Makes s visible in the innermost scope; reports a second declaration there (then s stays
 * unbound). */
bool gs_sym_bind(struct gs_walker *w, struct gs_sym *s);
struct gs_fnscope *gs_fn_new(struct gs_walker *w, struct gs_fnnode *node,
                             struct gs_fnscope *parent);
void gs_fn_constant(struct gs_fnscope *f); /* gives it its immortal closure */
/* Declares the functions, classes, interfaces and types of a block. */
void gs_declare_block(struct gs_walker *w, const struct gs_list *l, struct gs_block *b);
/* Imports and lets, too. */
void gs_declare_unit(struct gs_walker *w);

/* scope.c: the binding that a name means where the walker stands, or NULL. */
struct gs_sym *gs_scope_lookup(struct gs_walker *w, struct gs_slice name);

/* annot.c */
void gs_annot_type(struct gs_walker *w, const struct gs_typeref *t);
/* Warns when the literal `value` cannot be of type t. */
void gs_annot_value(struct gs_walker *w, const struct gs_typeref *t, const struct gs_node *value);
/* Of `is` and `as`: into n->info the class or interface; NULL there for primitive names. Reports
 * what is unknown. */
void gs_annot_test(struct gs_walker *w, struct gs_node *n);

/* scope_fin.c: constants, hoisting, captures, cells; then numbers the globals. */
void gs_scope_finish(struct gs_walker *w);
/* A global gets the program's next slot. */
void gs_sym_place(struct gs_walker *w, struct gs_sym *s);

#endif
