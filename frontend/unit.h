/* SPDX-License-Identifier: MIT
 * unit.h - what the passes of one compilation share: the compiler's state, its units (one for each
 * source file) and names.
 *
 * Lifetime   All of it belongs to one call of the compiler and is freed at its end; what a program
 *            needs when it runs is made by gs_perm_alloc and never points back here. Sources stay,
 *            because diagnostics quote them.
 */
#ifndef GS_FRONTEND_UNIT_H
#define GS_FRONTEND_UNIT_H

#include "proto.h"
#include "value.h"

#include "ast.h"
#include "diag.h"
#include "vec.h"

struct gs_sym;
struct gs_fnscope;
struct gs_block;
struct gs_unit;

/* A name as written, once for each spelling. */
struct gs_ident {
    struct gs_slice text;
    struct gs_str *atom;    /* made on demand */
    struct gs_sym *sym;     /* innermost binding visible where the walker stands */
    struct gs_sym *builtin; /* looked up on demand */
    bool builtin_known;
};

struct gs_import { /* GS_N_IMPORT's info */
    struct gs_node *node;
    gs_value lib;         /* MODULE value of a library module, or nil */
    struct gs_unit *unit; /* script module, or NULL */
    bool failed;          /* reported; its names are accepted without a word */
    bool soft;            /* a path's stem: gives way to a declaration of the same name */
    bool runs_here;       /* this unit is the first importer: its main calls the module's main */
    struct gs_slice stem; /* name that a namespace import without `as` binds; n == 0: none */
};

enum gs_unit_state { GS_UNIT_LOADING, GS_UNIT_READY, GS_UNIT_FAILED };

struct gs_unit {
    struct gs_compiler *c;
    struct gs_source *src;
    const char *real; /* canonical path, or NULL (standard input, prelude) */
    const char *dir;  /* relative imports start here */
    struct gs_node *tree;
    enum gs_unit_state state;
    bool is_main, prelude;
    bool grows; /* a text of a session: what it declares is seen by the texts behind it */
    GS_VEC(struct gs_import *) imports;
    GS_VEC(struct gs_sym *) syms;    /* top-level ones, in order of declaration */
    struct gs_table exports;         /* struct gs_ident * -> index in syms */
    GS_VEC(struct gs_fnscope *) fns; /* outer before inner */
    GS_VEC(struct gs_block *) blocks;
    struct gs_fnscope *main;
    struct gs_modinfo *info;
};

struct gs_compiler {
    struct gs_arena *arena;
    struct gs_diag *diag;
    GS_VEC(struct gs_unit *) units;
    /* names */
    struct gs_ident **idents;
    uint32_t nidents, ident_mask;
    /* the program's slots */
    GS_VEC(struct gs_str *) globals;
    GS_VEC(struct gs_proto *) protos; /* all that were made, in source order: for disasm */
    uint32_t syms_promoted;
    GS_VEC(struct gs_sym *) session; /* what the texts of a session have declared so far, the last of each name */
    const char *script_dir; /* where bare names are looked for */
    const char *cwd;        /* canonical */
};

struct gs_ident *gs_ident(struct gs_compiler *c, struct gs_slice text);
struct gs_str *gs_ident_atom(struct gs_ident *id);
struct gs_str *gs_slice_atom(struct gs_slice s);

/* A top-level name of a unit, or NULL. */
struct gs_sym *gs_unit_export(struct gs_unit *u, struct gs_slice name);

static inline struct gs_slice gs_slice_z(const char *z)
{
    size_t n = 0;
    while (z[n] != '\0')
        n++;
    return (struct gs_slice){z, n};
}

static inline bool gs_slice_is(struct gs_slice s, const char *z)
{
    size_t i = 0;
    for (; i < s.n && z[i] != '\0'; i++) {
        if (s.p[i] != z[i])
            return false;
    }
    return i == s.n && z[i] == '\0';
}

#define GS_SLICE_ARGS(s) (int)(s).n, (s).p /* for %.*s */

#endif
