/* SPDX-License-Identifier: MIT
 * parse_expr.c - expressions: precedence climbing over token.def's precedences, operands, literals,
 * calls.
 *
 * Newlines   An operand may begin on any line, since what precedes it is an operator or a bracket;
 *            gs_parse_expr_here is for the other places. What goes on after an operand is decided
 *            by joins: on a new line only the listed tokens do.
 * Literals   Name{...} is an instance where the mode is not header; a { in the place of an operand
 *            is always an object.
 */
#include "parse_int.h"

#include <string.h>

#define COND_PREC 0 /* looser than any binary operator */

static const uint8_t prec_of[GS_TK_COUNT_] = {
#define GS_TOKEN(name, text, prec) prec,
#define GS_KEYWORD(name, text, prec) prec,
#include "token.def"
#undef GS_TOKEN
#undef GS_KEYWORD
};

static struct gs_node *expression(struct gs_parser *p, unsigned min);
static struct gs_node *operand(struct gs_parser *p);

static struct gs_node *broken_node(struct gs_parser *p)
{
    return gs_parse_node(p, GS_N_ERROR, p->tok.pos);
}

/* ---- lists ---- */

static void push_node(struct gs_parser *p, struct gs_node *n)
{
    *(struct gs_node **)gs_parse_push(p, sizeof n) = n;
}

static void take_nodes(struct gs_parser *p, size_t mark, struct gs_node *n)
{
    n->list.v = gs_parse_take(p, mark, sizeof(struct gs_node *), &n->list.n);
    for (uint32_t i = 0; i < n->list.n; i++)
        gs_parse_lift(p, n, n->list.v[i]);
}

/* An element or argument: ...e or e. */
static struct gs_node *element(struct gs_parser *p)
{
    if (!gs_parse_at(p, GS_TK_ELLIPSIS))
        return expression(p, COND_PREC);
    struct gs_node *n = gs_parse_node(p, GS_N_SPREAD, p->tok.pos);
    gs_parse_advance(p);
    n->a = expression(p, COND_PREC);
    gs_parse_lift(p, n, n->a);
    return n;
}

/* Up to the closing bracket, which is left. */
static void elements(struct gs_parser *p, struct gs_node *n, enum gs_token_kind close,
                     bool spread_ends)
{
    size_t mark = p->used;
    while (!p->panic && !gs_parse_at(p, close)) {
        struct gs_node *e = element(p);
        push_node(p, e);
        if (p->panic || !gs_parse_accept(p, GS_TK_COMMA))
            break;
        if (spread_ends && e->kind == GS_N_SPREAD && !gs_parse_at(p, close))
            gs_parse_complain(p, e->pos, "a spread argument must be the last one");
    }
    take_nodes(p, mark, n);
}

static GS_NOINLINE struct gs_node *array(struct gs_parser *p)
{
    struct gs_node *n = gs_parse_node(p, GS_N_ARRAY, p->tok.pos);
    gs_parse_advance(p);
    struct gs_parse_mode mode = gs_parse_open(p, &p->open_round);
    elements(p, n, GS_TK_RBRACKET, false);
    gs_parse_close(p, mode, &p->open_round, GS_TK_RBRACKET);
    return n;
}

static void field(struct gs_parser *p, struct gs_node *n)
{
    struct gs_pos pos = p->tok.pos;
    struct gs_slice key = gs_parse_at(p, GS_TK_STR) ? p->tok.str : p->tok.text;
    if (!gs_parse_at(p, GS_TK_STR) && !gs_token_is_word(p->tok.kind)) {
        gs_parse_fail(p, gs_parse_at(p, GS_TK_END) ? "}" : "key");
        return;
    }
    gs_parse_advance(p);
    if (!gs_parse_expect(p, GS_TK_COLON))
        return;
    struct gs_node *value = expression(p, COND_PREC);
    gs_parse_lift(p, n, value);
    *(struct gs_field *)gs_parse_push(p, sizeof(struct gs_field)) =
        (struct gs_field){key, pos, value};
}

/* { key: value, ... } of an object or instance. */
static GS_NOINLINE void fields(struct gs_parser *p, struct gs_node *n)
{
    size_t mark = p->used;
    gs_parse_advance(p);
    struct gs_parse_mode mode = gs_parse_open(p, &p->open_braces);
    while (!p->panic && !gs_parse_at(p, GS_TK_RBRACE)) {
        field(p, n);
        if (p->panic || !gs_parse_accept(p, GS_TK_COMMA))
            break;
    }
    gs_parse_close(p, mode, &p->open_braces, GS_TK_RBRACE);
    n->fields.v = gs_parse_take(p, mark, sizeof(struct gs_field), &n->fields.n);
}

/* ---- backtick strings ---- */

static void push_piece(struct gs_parser *p)
{
    if (p->tok.str.n == 0)
        return;
    struct gs_node *n = gs_parse_node(p, GS_N_STR, p->tok.pos);
    n->str = p->tok.str;
    push_node(p, n);
}

/* From the { of ${ to the token of the next piece. An error inside is made good here: the string's
 * own end is known. */
static void interpolation(struct gs_parser *p)
{
    unsigned braces = p->open_braces, round = p->open_round;
    gs_parse_advance(p);
    struct gs_parse_mode mode = gs_parse_open(p, &p->open_braces);
    push_node(p, expression(p, COND_PREC));
    if (!gs_parse_at(p, GS_TK_RBRACE))
        gs_parse_fail(p, "}");
    p->nl_off = mode.nl_off;
    p->header = mode.header;
    if (p->panic && !gs_parse_recover_brace(p))
        return;
    p->open_braces = braces;
    p->open_round = round;
    p->prev = p->tok.pos;
    gs_lex_template(&p->lx, &p->tok);
}

static GS_NOINLINE struct gs_node *interpolated(struct gs_parser *p)
{
    struct gs_node *n = gs_parse_node(p, GS_N_INTERP, p->tok.pos);
    size_t mark = p->used;
    while (!p->panic && gs_parse_at(p, GS_TK_TEMPLATE)) {
        push_piece(p);
        interpolation(p);
    }
    if (!p->panic) {
        push_piece(p);
        gs_parse_advance(p);
    }
    take_nodes(p, mark, n);
    return n;
}

/* ---- operands ---- */

static GS_NOINLINE struct gs_node *anonymous(struct gs_parser *p)
{
    struct gs_node *n = gs_parse_node(p, GS_N_FN, p->tok.pos);
    gs_parse_advance(p);
    n->fn = gs_parse_function(p, GS_PARSE_ANONYMOUS, n->pos);
    gs_parse_lift_fn(p, n, n->fn);
    return n;
}

static GS_NOINLINE struct gs_node *super(struct gs_parser *p)
{
    gs_parse_advance(p);
    if (!gs_parse_at(p, GS_TK_DOT)) {
        gs_parse_fail_line(p, ".");
        return broken_node(p);
    }
    gs_parse_advance(p);
    struct gs_node *n = gs_parse_node(p, GS_N_SUPER, p->tok.pos);
    if (gs_token_is_word(p->tok.kind)) {
        n->name = p->tok.text;
        gs_parse_advance(p);
    } else {
        gs_parse_fail(p, "name");
    }
    return n;
}

static GS_NOINLINE struct gs_node *parenthesised(struct gs_parser *p)
{
    gs_parse_advance(p);
    struct gs_parse_mode mode = gs_parse_open(p, &p->open_round);
    struct gs_node *n = expression(p, COND_PREC);
    gs_parse_close(p, mode, &p->open_round, GS_TK_RPAREN);
    n->paren = true;
    return n;
}

static struct gs_node *leaf(struct gs_parser *p, enum gs_node_kind kind)
{
    struct gs_node *n = gs_parse_node(p, kind, p->tok.pos);
    gs_parse_advance(p);
    return n;
}

static struct gs_node *literal(struct gs_parser *p)
{
    struct gs_node *n;
    struct gs_slice str = p->tok.str;
    int64_t i = p->tok.i;
    double d = p->tok.d;
    switch ((enum gs_token_kind)p->tok.kind) {
    case GS_TK_INT:
        n = leaf(p, GS_N_INT);
        n->i = i;
        break;
    case GS_TK_FLOAT:
        n = leaf(p, GS_N_FLOAT);
        n->d = d;
        break;
    case GS_TK_STR:
        n = leaf(p, GS_N_STR);
        n->str = str;
        break;
    default: /* true, false */
        i = gs_parse_at(p, GS_TK_TRUE);
        n = leaf(p, GS_N_BOOL);
        n->i = i;
        break;
    }
    return n;
}

static struct gs_node *primary(struct gs_parser *p)
{
    struct gs_node *n;
    switch ((enum gs_token_kind)p->tok.kind) {
    case GS_TK_NAME:
        n = gs_parse_node(p, GS_N_NAME, p->tok.pos);
        n->name = p->tok.text;
        gs_parse_advance(p);
        return n;
    case GS_TK_INT:
    case GS_TK_FLOAT:
    case GS_TK_STR:
    case GS_TK_TRUE:
    case GS_TK_FALSE:
        return literal(p);
    case GS_TK_NIL:
        return leaf(p, GS_N_NIL);
    case GS_TK_SELF:
        return leaf(p, GS_N_SELF);
    case GS_TK_SUPER:
        return super(p);
    case GS_TK_TEMPLATE:
        return interpolated(p);
    case GS_TK_LPAREN:
        return parenthesised(p);
    case GS_TK_LBRACKET:
        return array(p);
    case GS_TK_LBRACE:
        n = gs_parse_node(p, GS_N_OBJECT, p->tok.pos);
        fields(p, n);
        return n;
    case GS_TK_FN:
        return anonymous(p);
    default:
        gs_parse_fail(p, "expression");
        return broken_node(p);
    }
}

bool gs_parse_starts_expr(enum gs_token_kind k)
{
    switch (k) {
    case GS_TK_NAME:
    case GS_TK_INT:
    case GS_TK_FLOAT:
    case GS_TK_STR:
    case GS_TK_TEMPLATE:
    case GS_TK_TRUE:
    case GS_TK_FALSE:
    case GS_TK_NIL:
    case GS_TK_SELF:
    case GS_TK_SUPER:
    case GS_TK_LPAREN:
    case GS_TK_LBRACKET:
    case GS_TK_LBRACE:
    case GS_TK_FN:
    case GS_TK_BANG:
    case GS_TK_MINUS:
    case GS_TK_TILDE:
        return true;
    default:
        return false;
    }
}

/* ---- what follows an operand ---- */

static struct gs_node *member(struct gs_parser *p, struct gs_node *of)
{
    gs_parse_advance(p);
    struct gs_node *n = gs_parse_node(p, GS_N_MEMBER, p->tok.pos);
    n->a = of;
    n->name = p->tok.text;
    if (gs_token_is_word(p->tok.kind))
        gs_parse_advance(p);
    else
        gs_parse_fail(p, "name");
    gs_parse_lift(p, n, of);
    return n;
}

static GS_NOINLINE struct gs_node *call(struct gs_parser *p, struct gs_node *callee)
{
    /* In a chain over several lines each call has the line of its name. */
    struct gs_node *n = gs_parse_node(p, GS_N_CALL, p->prev);
    n->a = callee;
    gs_parse_advance(p);
    struct gs_parse_mode mode = gs_parse_open(p, &p->open_round);
    elements(p, n, GS_TK_RPAREN, true);
    gs_parse_close(p, mode, &p->open_round, GS_TK_RPAREN);
    gs_parse_lift(p, n, callee);
    return n;
}

static GS_NOINLINE struct gs_node *element_of(struct gs_parser *p, struct gs_node *of)
{
    struct gs_node *n = gs_parse_node(p, GS_N_INDEX, p->tok.pos);
    n->a = of;
    gs_parse_advance(p);
    struct gs_parse_mode mode = gs_parse_open(p, &p->open_round);
    n->b = expression(p, COND_PREC);
    gs_parse_close(p, mode, &p->open_round, GS_TK_RBRACKET);
    gs_parse_lift(p, n, of);
    gs_parse_lift(p, n, n->b);
    return n;
}

/* Name or mod.Name: what an instance literal may begin with. */
static bool names_class(const struct gs_node *n)
{
    while (n->kind == GS_N_MEMBER && !n->paren)
        n = n->a;
    return n->kind == GS_N_NAME && !n->paren;
}

static struct gs_node *instance(struct gs_parser *p, struct gs_node *cls)
{
    struct gs_node *n = gs_parse_node(p, GS_N_INSTANCE, cls->pos);
    n->a = cls;
    gs_parse_lift(p, n, cls);
    fields(p, n);
    return n;
}

static GS_NOINLINE struct gs_node *prefixed(struct gs_parser *p)
{
    struct gs_node *n = gs_parse_node(p, GS_N_UNARY, p->tok.pos);
    n->op = p->tok.kind;
    if (!gs_parse_enter(p))
        return n;
    gs_parse_advance(p);
    n->a = operand(p);
    gs_parse_lift(p, n, n->a);
    p->depth--;
    return n;
}

static struct gs_node *operand(struct gs_parser *p)
{
    if (gs_parse_at(p, GS_TK_MINUS) || gs_parse_at(p, GS_TK_BANG) || gs_parse_at(p, GS_TK_TILDE))
        return prefixed(p);
    struct gs_node *n = primary(p);
    while (!p->panic) {
        if (gs_parse_at(p, GS_TK_DOT))
            n = member(p, n); /* also on the next line */
        else if (gs_parse_broken(p))
            break;
        else if (gs_parse_at(p, GS_TK_LPAREN))
            n = call(p, n);
        else if (gs_parse_at(p, GS_TK_LBRACKET))
            n = element_of(p, n);
        else if (gs_parse_at(p, GS_TK_LBRACE) && !p->header && names_class(n))
            n = instance(p, n);
        else
            break;
    }
    return n;
}

/* ---- operators ---- */

static enum gs_node_kind binary_kind(enum gs_token_kind op)
{
    switch (op) {
    case GS_TK_ANDAND:
        return GS_N_AND;
    case GS_TK_OROR:
        return GS_N_OR;
    case GS_TK_COALESCE:
        return GS_N_COALESCE;
    case GS_TK_IS:
        return GS_N_IS;
    case GS_TK_AS:
        return GS_N_AS;
    default:
        return GS_N_BINARY;
    }
}

/* May this operator go on with the expression before it? */
static inline bool joins(const struct gs_parser *p)
{
    return !gs_parse_broken(p) || gs_parse_at(p, GS_TK_ANDAND) || gs_parse_at(p, GS_TK_OROR) ||
           gs_parse_at(p, GS_TK_COALESCE);
}

/* Everything from op on has been read up to its right side. */
static struct gs_node *binary(struct gs_parser *p, struct gs_node *left, unsigned prec)
{
    enum gs_token_kind op = p->tok.kind;
    struct gs_node *n = gs_parse_node(p, binary_kind(op), p->tok.pos);
    n->op = (uint8_t)op;
    n->a = left;
    gs_parse_advance(p);
    if (op == GS_TK_IS || op == GS_TK_AS) {
        n->type = gs_parse_type(p);
    } else {
        n->b = expression(p, prec + 1);
        gs_parse_lift(p, n, n->b);
    }
    gs_parse_lift(p, n, left);
    return n;
}

/* cond ? b : c; both arms may be conditions again. The colon may begin a line, as the ? may. */
static GS_NOINLINE struct gs_node *condition(struct gs_parser *p, struct gs_node *cond)
{
    struct gs_node *n = gs_parse_node(p, GS_N_COND, p->tok.pos);
    n->a = cond;
    gs_parse_advance(p);
    n->b = expression(p, COND_PREC);
    if (!p->panic && !gs_parse_accept(p, GS_TK_COLON)) {
        if (gs_parse_at(p, GS_TK_END))
            gs_parse_fail(p, ":");
        else
            gs_parse_fail_line(p, ":");
    }
    if (!p->panic)
        n->c = expression(p, COND_PREC);
    gs_parse_lift(p, n, cond);
    gs_parse_lift(p, n, n->b);
    gs_parse_lift(p, n, n->c);
    return n;
}

/* Operators of precedence min and tighter; with COND_PREC also ? :. */
static struct gs_node *expression(struct gs_parser *p, unsigned min)
{
    if (!gs_parse_enter(p))
        return broken_node(p);
    struct gs_node *n = operand(p);
    while (!p->panic) {
        unsigned prec = prec_of[p->tok.kind];
        if (prec == 0 || prec < min || !joins(p))
            break;
        n = binary(p, n, prec);
    }
    if (min == COND_PREC && !p->panic && gs_parse_at(p, GS_TK_QUESTION))
        n = condition(p, n);
    p->depth--;
    return n;
}

struct gs_node *gs_parse_expr(struct gs_parser *p)
{
    return expression(p, COND_PREC);
}

struct gs_node *gs_parse_expr_here(struct gs_parser *p)
{
    if (!gs_parse_broken(p) && !gs_parse_at(p, GS_TK_END))
        return expression(p, COND_PREC);
    gs_parse_fail_line(p, "expression");
    return broken_node(p);
}
