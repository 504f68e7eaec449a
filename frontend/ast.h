/* SPDX-License-Identifier: MIT
 * ast.h - the syntax tree. Nodes are owned by an arena (one for each source file) and freed all at once.
 *
 * Names are slices of the source text (not terminated). String values are decoded bytes in the arena.
 * The tree says what was written; scopes, captures and meanings belong to scope.h and emit.h.
 */
#ifndef GS_FRONTEND_AST_H
#define GS_FRONTEND_AST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gs_slice {
    const char *p;
    size_t n;
};

/* Line and column count from 1; columns count bytes. */
struct gs_pos {
    uint32_t line, col;
};

enum gs_node_kind {
    /* expressions */
    GS_N_NIL,
    GS_N_BOOL,   /* .i 0/1 */
    GS_N_INT,    /* .i */
    GS_N_FLOAT,  /* .d */
    GS_N_STR,    /* .str decoded */
    GS_N_INTERP, /* .list: GS_N_STR and expressions as written; empty pieces of text are left out */
    GS_N_NAME,   /* .name */
    GS_N_SELF,
    GS_N_SUPER,  /* super.m: .name is m; only as callee or member */
    GS_N_ARRAY,  /* .list; elements may be GS_N_SPREAD */
    GS_N_OBJECT, /* .fields */
    GS_N_INSTANCE, /* .a: GS_N_NAME or GS_N_MEMBER (mod.Name); .fields */
    GS_N_FN,     /* .fn: anonymous function */
    GS_N_CALL,   /* .a callee, .list arguments; the last may be GS_N_SPREAD */
    GS_N_INDEX,  /* .a [ .b ] */
    GS_N_MEMBER, /* .a . .name */
    GS_N_UNARY,  /* .op token, .a */
    GS_N_BINARY, /* .op, .a, .b; arithmetic, bits, comparison */
    GS_N_AND, GS_N_OR, GS_N_COALESCE, /* .a .b */
    GS_N_COND,   /* .a ? .b : .c */
    GS_N_IS, GS_N_AS, /* .a, .type */
    GS_N_SPREAD, /* ... .a */
    /* statements */
    GS_N_LET,    /* .name, .type or NULL, .a or NULL; .flag: const */
    GS_N_FNDECL, /* .fn (has a name) */
    GS_N_CLASS,  /* .cls */
    GS_N_INTERFACE, /* .iface */
    GS_N_TYPE,   /* .tdecl */
    GS_N_IMPORT, /* .imp */
    GS_N_EXPR,   /* .a as a statement */
    GS_N_ASSIGN, /* .op token ('=' or compound), .a target (NAME, MEMBER, INDEX), .b value */
    GS_N_RETURN, /* .a or NULL */
    GS_N_IF,     /* .a, .b block, .c NULL, block or IF */
    GS_N_WHILE,  /* .a, .b block */
    GS_N_FORIN,  /* .name, .name2 (n == 0: one variable), .a iterated, .b block; with two: name = index, name2 = value */
    GS_N_FOR,    /* .init, .a condition or NULL, .step, .b block */
    GS_N_BREAK, GS_N_CONTINUE,
    GS_N_BLOCK,  /* .list; .end position of the closing brace */
    GS_N_TRY,    /* .a block, .name of catch variable (n == 0: none), .b catch block or NULL, .c finally block or NULL */
    GS_N_THROW,  /* .a */
    GS_N_DEFER,  /* .a: a GS_N_CALL */
    GS_N_ERROR,  /* left by error recovery; never reaches the emitter */
};

struct gs_node;

/* The parser refuses a tree that is higher ("nesting too deep"): a chain of n binary operators, calls or `else if`s is n high. */
#define GS_NODE_HEIGHT 2000

struct gs_list {
    struct gs_node **v;
    uint32_t n;
};

struct gs_typeref { /* an annotation: base name (also mod.Name), [] count */
    struct gs_slice module; /* n == 0: none */
    struct gs_slice name;
    uint32_t arrays;
    struct gs_pos pos;
};

struct gs_field { /* of an object or instance literal */
    struct gs_slice key; /* decoded */
    struct gs_pos pos;
    struct gs_node *value;
};

struct gs_param {
    struct gs_slice name;
    struct gs_typeref *type;  /* or NULL */
    struct gs_node *def;      /* default, or NULL */
    bool rest;
    struct gs_pos pos;
};

struct gs_fnnode {
    struct gs_slice name; /* n == 0: anonymous */
    struct gs_param *params;
    uint32_t nparams;
    struct gs_typeref *ret; /* or NULL */
    struct gs_node *body;   /* GS_N_BLOCK */
    struct gs_pos pos, end;
    bool method;
    void *scope; /* for scope.c */
};

struct gs_classnode {
    struct gs_slice name;
    struct gs_node *super; /* NAME or MEMBER, or NULL */
    struct gs_fnnode **methods;
    uint32_t nmethods;
};

struct gs_ifacenode {
    struct gs_slice name;
    struct gs_fnnode **methods; /* body NULL */
    uint32_t nmethods;
};

struct gs_typenode { /* type User = {id: int, ...} */
    struct gs_slice name;
    struct gs_slice *fields;
    struct gs_typeref **types; /* one for each field, may be NULL */
    uint32_t nfields;
};

struct gs_importname {
    struct gs_slice name, as; /* as.n == 0: same */
    struct gs_pos pos;
};

struct gs_importnode {
    struct gs_slice from;  /* module name or decoded path */
    bool quoted;           /* written as a string */
    struct gs_slice as;    /* import m as n; n == 0: none */
    struct gs_importname *names; /* import { ... } from; NULL: a namespace import */
    uint32_t nnames;
    struct gs_pos from_pos;
};

struct gs_node {
    uint8_t kind; /* enum gs_node_kind */
    uint8_t op;   /* token kind of the operator */
    bool flag;
    bool paren; /* the expression was written in parentheses */
    uint32_t height; /* of the tree below, leaves 1: at most GS_NODE_HEIGHT, so that walking it may recurse */
    struct gs_pos pos; /* where an error in this node is reported: operators and assignments at the operator, an index at its [,
                        * calls at the last token of the callee, members at the name, others at their first token */
    struct gs_slice name, name2;
    union {
        int64_t i;
        double d;
        struct gs_slice str;
        struct gs_typeref *type;
        struct gs_fnnode *fn;
        struct gs_classnode *cls;
        struct gs_ifacenode *iface;
        struct gs_typenode *tdecl;
        struct gs_importnode *imp;
        struct { struct gs_field *v; uint32_t n; } fields;
        struct { struct gs_node *init, *step; }; /* FOR */
        struct gs_pos end; /* BLOCK */
    };
    struct gs_node *a, *b, *c;
    struct gs_list list;
    void *info; /* for scope.c and emit.c */
};

/* ---- arena ---- */
struct gs_arena;
struct gs_arena *gs_arena_new(void);
void gs_arena_free(struct gs_arena *a);
void *gs_arena_alloc(struct gs_arena *a, size_t n); /* zeroed, 16-aligned; exits when memory is out */

#endif
