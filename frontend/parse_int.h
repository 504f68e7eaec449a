/* SPDX-License-Identifier: MIT
 * parse_int.h - the parser's state and what its files share: parse.c (tokens, errors, recovery),
 * parse_expr.c, parse_stmt.c, parse_decl.c.
 *
 * Newlines   Where a newline may end a statement (nl_off is false), a token with nl set begins the
 *            next one, unless the rule at hand says that it may go on (after an operator; `.`,
 *            `&&`, `else` ...). Brackets and literals set nl_off for what is inside them, blocks
 *            clear it again.
 * Errors     The first failure of a statement is reported and sets panic; from there every function
 *            returns at once, with any node, and every loop ends. The statement list then skips to
 *            the next boundary and clears panic.
 * Stack      depth counts what recurses in C: expressions, prefix operators, functions, blocks.
 *            GS_PARSE_DEPTH levels of the widest of them take about 200 KiB (gcc 12, -O2).
 */
#ifndef GS_FRONTEND_PARSE_INT_H
#define GS_FRONTEND_PARSE_INT_H

#include "lex.h"
#include "parse.h"

#define GS_PARSE_DEPTH 800

struct gs_parser {
    struct gs_token tok;  /* the current token */
    struct gs_token next; /* the one behind it, when has_next */
    struct gs_lexer lx;
    struct gs_pos prev;   /* where the token before tok begins */
    const char *prev_end; /* and where it ends */
    struct gs_arena *arena;

    char *scratch; /* a stack on which lists grow until they are copied into the arena */
    size_t used, cap;

    bool has_next;
    bool nl_off; /* inside ( ), [ ] and literals: newlines mean nothing */
    bool header; /* at the top level of an if, while or for header: { opens the block */
    bool panic;  /* an error was met in this statement */
    bool dead;   /* no more errors, no more tokens */
    bool more;   /* the first error is that the text ends too early */
    unsigned depth;
    unsigned blocks;      /* around the current statement */
    unsigned open_braces; /* opened and not closed by this statement */
    unsigned open_round;  /* the same of ( and [ */
};

/* ---- parse.c ---- */

void gs_parse_advance(struct gs_parser *p);
const struct gs_token *gs_parse_peek(struct gs_parser *p);
/* "expected WANT, got ..." about the current token; the second form says "got newline" when that is
 * what is in the way. */
void gs_parse_fail(struct gs_parser *p, const char *want);
void gs_parse_fail_line(struct gs_parser *p, const char *want);
/* An error that does not stand in the way of going on. */
void gs_parse_complain(struct gs_parser *p, struct gs_pos at, const char *what);
/* Takes the token or fails; a newline before it is a failure where newlines count. */
bool gs_parse_expect(struct gs_parser *p, enum gs_token_kind k);
/* A name, or any word. Empty after a failure. */
struct gs_slice gs_parse_name(struct gs_parser *p);
struct gs_slice gs_parse_word(struct gs_parser *p);
/* One level deeper; false when that is too deep. Who got true lowers p->depth again. */
bool gs_parse_enter(struct gs_parser *p);
GS_COLD void gs_parse_too_deep(struct gs_parser *p);
/* After an error: to the next statement. first: the kind of token the failed one began with. */
void gs_parse_recover(struct gs_parser *p, enum gs_token_kind first);
/* After an error inside ${ }: to its }. False when there is none. */
bool gs_parse_recover_brace(struct gs_parser *p);

void *gs_parse_push(struct gs_parser *p, size_t size);
/* What was pushed since used was mark, in the arena; NULL when it was nothing. */
void *gs_parse_take(struct gs_parser *p, size_t mark, size_t size, uint32_t *n);

/* ---- parse_expr.c ---- */

struct gs_node *gs_parse_expr(struct gs_parser *p);
/* An expression that must begin on this line, where newlines count. */
struct gs_node *gs_parse_expr_here(struct gs_parser *p);
bool gs_parse_starts_expr(enum gs_token_kind k);

/* ---- parse_stmt.c ---- */

/* Statements up to a } or the end of the text. */
void gs_parse_statements(struct gs_parser *p, struct gs_node *block);
struct gs_node *gs_parse_block(struct gs_parser *p);

/* ---- parse_decl.c ---- */

enum gs_parse_fn { GS_PARSE_ANONYMOUS, GS_PARSE_NAMED, GS_PARSE_METHOD, GS_PARSE_SIGNATURE };
/* From the name or the ( on; at is the place of `fn`. */
struct gs_fnnode *gs_parse_function(struct gs_parser *p, enum gs_parse_fn what, struct gs_pos at);
void gs_parse_lift_fn(struct gs_parser *p, struct gs_node *n, const struct gs_fnnode *fn);
struct gs_typeref *gs_parse_type(struct gs_parser *p);
/* `: T`, or NULL when there is no colon. */
struct gs_typeref *gs_parse_annotation(struct gs_parser *p);
struct gs_node *gs_parse_class(struct gs_parser *p);
struct gs_node *gs_parse_interface(struct gs_parser *p);
struct gs_node *gs_parse_typedecl(struct gs_parser *p);
struct gs_node *gs_parse_import(struct gs_parser *p);

/* ---- small things ---- */

static inline bool gs_parse_at(const struct gs_parser *p, enum gs_token_kind k)
{
    return p->tok.kind == k;
}

/* A newline that counts stands before the current token. */
static inline bool gs_parse_broken(const struct gs_parser *p)
{
    return p->tok.nl && !p->nl_off;
}

static inline bool gs_parse_accept(struct gs_parser *p, enum gs_token_kind k)
{
    if (p->tok.kind != k)
        return false;
    gs_parse_advance(p);
    return true;
}

/* The statement ends before the current token. */
static inline bool gs_parse_at_end(const struct gs_parser *p)
{
    return p->tok.nl || gs_parse_at(p, GS_TK_SEMI) || gs_parse_at(p, GS_TK_RBRACE) ||
           gs_parse_at(p, GS_TK_END);
}

static inline struct gs_node *gs_parse_node(struct gs_parser *p, enum gs_node_kind kind,
                                            struct gs_pos pos)
{
    struct gs_node *n = gs_arena_alloc(p->arena, sizeof *n);
    n->kind = (uint8_t)kind;
    n->height = 1;
    n->pos = pos;
    return n;
}

/* n is higher than its child. */
static inline void gs_parse_lift(struct gs_parser *p, struct gs_node *n,
                                 const struct gs_node *child)
{
    if (child && child->height >= n->height) {
        n->height = child->height + 1;
        if (GS_UNLIKELY(n->height > GS_NODE_HEIGHT))
            gs_parse_too_deep(p);
    }
}

/* What brackets change for what is inside them. */
struct gs_parse_mode {
    bool nl_off, header;
};

static inline struct gs_parse_mode gs_parse_open(struct gs_parser *p, unsigned *count)
{
    struct gs_parse_mode old = {p->nl_off, p->header};
    p->nl_off = true;
    p->header = false;
    ++*count;
    return old;
}

/* Takes the closing bracket. */
static inline void gs_parse_close(struct gs_parser *p, struct gs_parse_mode old, unsigned *count,
                                  enum gs_token_kind k)
{
    if (gs_parse_expect(p, k))
        --*count;
    p->nl_off = old.nl_off;
    p->header = old.header;
}

#endif
