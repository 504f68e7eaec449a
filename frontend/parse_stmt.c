/* SPDX-License-Identifier: MIT
 * parse_stmt.c - statements, their ends, blocks and headers.
 */
#include "parse_int.h"

#include <string.h>

static struct gs_node *statement(struct gs_parser *p);

static struct gs_node *begin(struct gs_parser *p, enum gs_node_kind kind)
{
    struct gs_node *n = gs_parse_node(p, kind, p->tok.pos);
    gs_parse_advance(p);
    return n;
}

/* ---- lists of statements ---- */

/* The } of a block ends its statement. */
static bool ends_with_block(const struct gs_node *n)
{
    switch ((enum gs_node_kind)n->kind) {
    case GS_N_BLOCK:
    case GS_N_IF:
    case GS_N_WHILE:
    case GS_N_FOR:
    case GS_N_FORIN:
    case GS_N_TRY:
    case GS_N_FNDECL:
    case GS_N_CLASS:
    case GS_N_INTERFACE:
        return true;
    default:
        return false;
    }
}

/* One statement with its end, back at a boundary whatever happened. */
static struct gs_node *whole_statement(struct gs_parser *p)
{
    enum gs_token_kind first = p->tok.kind;
    unsigned braces = p->open_braces, round = p->open_round;
    p->open_braces = p->open_round = 0;
    struct gs_node *n = statement(p);
    if (!p->panic && !gs_parse_accept(p, GS_TK_SEMI) && !gs_parse_at_end(p) && !ends_with_block(n))
        gs_parse_fail(p, "newline or ;");
    if (p->panic)
        gs_parse_recover(p, first);
    p->open_braces = braces;
    p->open_round = round;
    return n;
}

void gs_parse_statements(struct gs_parser *p, struct gs_node *block)
{
    size_t mark = p->used;
    while (!gs_parse_at(p, GS_TK_END)) {
        if (gs_parse_at(p, GS_TK_RBRACE) && p->blocks > 0)
            break;
        if (gs_parse_accept(p, GS_TK_SEMI))
            continue;
        const char *before = p->tok.text.p;
        struct gs_node *n = whole_statement(p);
        memcpy(gs_parse_push(p, sizeof n), &n, sizeof n);
        if (p->tok.text.p == before)
            gs_parse_advance(p);
    }
    block->list.v = gs_parse_take(p, mark, sizeof(struct gs_node *), &block->list.n);
    for (uint32_t i = 0; i < block->list.n; i++)
        gs_parse_lift(p, block, block->list.v[i]);
}

/* Inside, newlines count again, whatever is open around the block. */
struct gs_node *gs_parse_block(struct gs_parser *p)
{
    struct gs_node *n = gs_parse_node(p, GS_N_BLOCK, p->tok.pos);
    if (!gs_parse_expect(p, GS_TK_LBRACE) || !gs_parse_enter(p))
        return n;
    struct gs_parse_mode mode = {p->nl_off, p->header};
    unsigned braces = p->open_braces, round = p->open_round;
    p->nl_off = p->header = false;
    p->open_braces = p->open_round = 0;
    p->blocks++;
    gs_parse_statements(p, n);
    p->blocks--;
    n->end = p->tok.pos;
    if (!gs_parse_accept(p, GS_TK_RBRACE))
        gs_parse_fail(p, "}");
    p->nl_off = mode.nl_off;
    p->header = mode.header;
    p->open_braces = braces;
    p->open_round = round;
    p->depth--;
    return n;
}

/* ---- simple statements ---- */

static struct gs_node *let(struct gs_parser *p)
{
    bool constant = gs_parse_at(p, GS_TK_CONST);
    struct gs_node *n = begin(p, GS_N_LET);
    n->flag = constant;
    n->name = gs_parse_name(p);
    if (!p->panic)
        n->type = gs_parse_annotation(p);
    if (p->panic || (gs_parse_at_end(p) && !constant) || !gs_parse_expect(p, GS_TK_ASSIGN))
        return n;
    n->a = gs_parse_expr(p);
    gs_parse_lift(p, n, n->a);
    return n;
}

static bool assignable(const struct gs_node *n)
{
    return n->kind == GS_N_NAME || n->kind == GS_N_MEMBER || n->kind == GS_N_INDEX;
}

/* An expression or an assignment. */
static struct gs_node *simple(struct gs_parser *p)
{
    struct gs_pos pos = p->tok.pos;
    if (!gs_parse_starts_expr(p->tok.kind)) {
        gs_parse_fail(p, "statement");
        return gs_parse_node(p, GS_N_ERROR, pos);
    }
    struct gs_node *e = gs_parse_expr(p);
    if (p->panic || !gs_token_assigns(p->tok.kind) || gs_parse_broken(p)) {
        struct gs_node *n = gs_parse_node(p, GS_N_EXPR, pos);
        n->a = e;
        gs_parse_lift(p, n, e);
        return n;
    }
    if (!assignable(e))
        gs_parse_complain(p, e->pos, "cannot assign to this expression");
    struct gs_node *n = gs_parse_node(p, GS_N_ASSIGN, p->tok.pos);
    n->op = p->tok.kind;
    n->a = e;
    gs_parse_advance(p);
    n->b = gs_parse_expr(p);
    gs_parse_lift(p, n, e);
    gs_parse_lift(p, n, n->b);
    return n;
}

static struct gs_node *with_operand(struct gs_parser *p, enum gs_node_kind kind)
{
    struct gs_node *n = begin(p, kind);
    if (kind != GS_N_RETURN || !gs_parse_at_end(p))
        n->a = gs_parse_expr_here(p);
    gs_parse_lift(p, n, n->a);
    if (kind == GS_N_DEFER && !p->panic && n->a->kind != GS_N_CALL)
        gs_parse_complain(p, n->a->pos, "defer needs a call");
    return n;
}

static struct gs_node *fn_statement(struct gs_parser *p)
{
    if (gs_parse_peek(p)->kind == GS_TK_LPAREN)
        return simple(p);
    struct gs_node *n = begin(p, GS_N_FNDECL);
    n->fn = gs_parse_function(p, GS_PARSE_NAMED, n->pos);
    gs_parse_lift_fn(p, n, n->fn);
    return n;
}

/* ---- statements with blocks ---- */

static struct gs_node *header_expr(struct gs_parser *p)
{
    bool header = p->header;
    p->header = true;
    struct gs_node *n = gs_parse_expr_here(p);
    p->header = header;
    return n;
}

static struct gs_node *block_after(struct gs_parser *p)
{
    return p->panic ? NULL : gs_parse_block(p);
}

static struct gs_node *while_statement(struct gs_parser *p)
{
    struct gs_node *n = begin(p, GS_N_WHILE);
    n->a = header_expr(p);
    n->b = block_after(p);
    gs_parse_lift(p, n, n->a);
    gs_parse_lift(p, n, n->b);
    return n;
}

/* An `else if` hangs in .c of the one before. A loop, so that long chains need no C stack. */
static struct gs_node *if_statement(struct gs_parser *p)
{
    size_t mark = p->used;
    struct gs_node *last = NULL;
    bool again = true;
    while (again) {
        struct gs_node *n = begin(p, GS_N_IF);
        memcpy(gs_parse_push(p, sizeof n), &n, sizeof n);
        if (last)
            last->c = n;
        last = n;
        n->a = header_expr(p);
        n->b = block_after(p);
        again = !p->panic && gs_parse_accept(p, GS_TK_ELSE);
        if (again && (!gs_parse_at(p, GS_TK_IF) || gs_parse_broken(p))) {
            n->c = gs_parse_block(p);
            again = false;
        }
    }
    uint32_t count;
    struct gs_node **chain = gs_parse_take(p, mark, sizeof *chain, &count);
    for (uint32_t i = count; i-- > 0;) {
        gs_parse_lift(p, chain[i], chain[i]->a);
        gs_parse_lift(p, chain[i], chain[i]->b);
        gs_parse_lift(p, chain[i], chain[i]->c);
    }
    return chain[0];
}

/* x in E, or i, v in E */
static void for_in(struct gs_parser *p, struct gs_node *n)
{
    n->kind = GS_N_FORIN;
    n->name = gs_parse_name(p);
    if (gs_parse_accept(p, GS_TK_COMMA)) {
        if (gs_parse_at(p, GS_TK_NAME))
            p->tok.nl = false; /* after a comma a line may break */
        n->name2 = gs_parse_name(p);
    }
    if (p->panic || !gs_parse_expect(p, GS_TK_IN))
        return;
    n->a = header_expr(p);
    gs_parse_lift(p, n, n->a);
}

/* The ; between two parts of a header; the next part may stand on another line. */
static bool next_part(struct gs_parser *p)
{
    if (p->panic || !gs_parse_expect(p, GS_TK_SEMI))
        return false;
    p->tok.nl = false;
    return true;
}

/* init; cond; step - each may be missing */
static void for_parts(struct gs_parser *p, struct gs_node *n)
{
    if (gs_parse_at(p, GS_TK_LET) || gs_parse_at(p, GS_TK_CONST))
        n->init = let(p);
    else if (!gs_parse_at(p, GS_TK_SEMI))
        n->init = simple(p);
    if (!next_part(p))
        return;
    if (!gs_parse_at(p, GS_TK_SEMI))
        n->a = gs_parse_expr_here(p);
    if (!next_part(p))
        return;
    if (!gs_parse_at(p, GS_TK_LBRACE))
        n->step = simple(p);
    gs_parse_lift(p, n, n->init);
    gs_parse_lift(p, n, n->a);
    gs_parse_lift(p, n, n->step);
}

static struct gs_node *for_statement(struct gs_parser *p)
{
    struct gs_node *n = begin(p, GS_N_FOR);
    bool header = p->header;
    if (gs_parse_broken(p)) {
        gs_parse_fail_line(p, "name");
        return n;
    }
    p->header = true;
    enum gs_token_kind next = gs_parse_at(p, GS_TK_NAME) ? gs_parse_peek(p)->kind : GS_TK_END;
    if (next == GS_TK_IN || next == GS_TK_COMMA)
        for_in(p, n);
    else
        for_parts(p, n);
    p->header = header;
    n->b = block_after(p);
    gs_parse_lift(p, n, n->b);
    return n;
}

static struct gs_node *try_statement(struct gs_parser *p)
{
    struct gs_node *n = begin(p, GS_N_TRY);
    n->a = gs_parse_block(p);
    if (!p->panic && !gs_parse_at(p, GS_TK_CATCH) && !gs_parse_at(p, GS_TK_FINALLY))
        gs_parse_fail(p, "catch or finally");
    if (!p->panic && gs_parse_accept(p, GS_TK_CATCH)) {
        if (gs_parse_at(p, GS_TK_NAME) && !gs_parse_broken(p))
            n->name = gs_parse_name(p);
        n->b = gs_parse_block(p);
    }
    if (!p->panic && gs_parse_accept(p, GS_TK_FINALLY))
        n->c = gs_parse_block(p);
    gs_parse_lift(p, n, n->a);
    gs_parse_lift(p, n, n->b);
    gs_parse_lift(p, n, n->c);
    return n;
}

static struct gs_node *statement(struct gs_parser *p)
{
    switch ((enum gs_token_kind)p->tok.kind) {
    case GS_TK_LBRACE:
        p->tok.nl = false; /* it begins the statement: no newline is in its way */
        return gs_parse_block(p);
    case GS_TK_LET:
    case GS_TK_CONST:
        return let(p);
    case GS_TK_FN:
        return fn_statement(p);
    case GS_TK_CLASS:
        return gs_parse_class(p);
    case GS_TK_INTERFACE:
        return gs_parse_interface(p);
    case GS_TK_TYPE:
        return gs_parse_typedecl(p);
    case GS_TK_IMPORT:
        return gs_parse_import(p);
    case GS_TK_RETURN:
        return with_operand(p, GS_N_RETURN);
    case GS_TK_THROW:
        return with_operand(p, GS_N_THROW);
    case GS_TK_DEFER:
        return with_operand(p, GS_N_DEFER);
    case GS_TK_IF:
        return if_statement(p);
    case GS_TK_WHILE:
        return while_statement(p);
    case GS_TK_FOR:
        return for_statement(p);
    case GS_TK_TRY:
        return try_statement(p);
    case GS_TK_BREAK:
        return begin(p, GS_N_BREAK);
    case GS_TK_CONTINUE:
        return begin(p, GS_N_CONTINUE);
    default:
        return simple(p);
    }
}
