/* SPDX-License-Identifier: MIT
 * parse.c - the parser's tokens, errors and recovery, and the whole file.
 *
 * Recovery   After an error in a statement the tokens up to the next boundary are skipped, without
 *            messages: a newline or `;` outside all brackets that the statement opened, the } of
 *            the block around it, or a line that begins with a word that only statements begin with
 *            (so that a forgotten bracket costs one message). When the header of a function, a loop
 *            or a condition failed, its block is still parsed, because the errors in there are
 *            errors of their own.
 * Cascades   One token is complained about once. Too deep nesting, and GS_DIAG_MAX errors, end the
 *            parse.
 * Progress   gs_parse_statements takes at least one token each time round; all other loops end at
 *            panic and at the end.
 */
#include "parse_int.h"

#include <stdarg.h>
#include <string.h>

#include "port/mem.h"

#define SHOWN_MAX 40  /* longer tokens are named by their class, or cut */
#define SKIP_DEPTH 50 /* backtick strings inside each other: skipping then gives up the rest */

/* ---- tokens ---- */

void gs_parse_advance(struct gs_parser *p)
{
    p->prev = p->tok.pos;
    p->prev_end = p->tok.text.p + p->tok.text.n;
    if (p->has_next) {
        p->tok = p->next;
        p->has_next = false;
    } else {
        gs_lex_next(&p->lx, &p->tok);
    }
}

const struct gs_token *gs_parse_peek(struct gs_parser *p)
{
    if (!p->has_next) {
        gs_lex_next(&p->lx, &p->next);
        p->has_next = true;
    }
    return &p->next;
}

/* ---- scratch ---- */

void *gs_parse_push(struct gs_parser *p, size_t size)
{
    if (p->cap - p->used < size) {
        p->cap = p->cap ? p->cap * 2 : 4096;
        p->scratch = gs_mem_must_realloc(p->scratch, p->cap);
    }
    void *room = p->scratch + p->used;
    p->used += size;
    return memset(room, 0, size);
}

void *gs_parse_take(struct gs_parser *p, size_t mark, size_t size, uint32_t *n)
{
    size_t bytes = p->used - mark;
    *n = (uint32_t)(bytes / size);
    if (bytes == 0)
        return NULL;
    p->used = mark;
    return memcpy(gs_arena_alloc(p->arena, bytes), p->scratch + mark, bytes);
}

/* ---- errors ---- */

/* From here on there are neither tokens nor messages. */
static void give_up(struct gs_parser *p)
{
    p->dead = p->panic = true;
    p->lx.p = p->lx.end;
    p->has_next = false;
    p->tok.kind = GS_TK_END;
    p->tok.text = (struct gs_slice){p->lx.end, 0};
}

/* Starts panic; true when the failure is to be reported. */
static bool alarm(struct gs_parser *p)
{
    bool quiet = p->panic || p->dead;
    p->panic = true;
    if (quiet)
        return false;
    if (p->lx.errors >= GS_DIAG_MAX) {
        give_up(p);
        return false;
    }
    if (gs_parse_at(p, GS_TK_ERROR) || (gs_parse_at(p, GS_TK_END) && p->lx.cut))
        return false; /* the lexer has spoken */
    if (p->lx.complained == p->tok.text.p)
        return false;
    p->lx.complained = p->tok.text.p;
    p->lx.errors++;
    return true;
}

GS_PRINTF(3, 4) static void report(struct gs_parser *p, struct gs_pos at, const char *fmt, ...)
{
    char text[200];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    gs_diag_parse_error(p->lx.diag, p->lx.src, at, "%s", text);
}

GS_COLD void gs_parse_fail(struct gs_parser *p, const char *want)
{
    bool first = p->lx.errors == 0;
    if (!alarm(p))
        return;
    struct gs_slice got = p->tok.text;
    bool piece = gs_parse_at(p, GS_TK_TEMPLATE);
    bool cut = got.n > SHOWN_MAX,
         string = gs_parse_at(p, GS_TK_STR) && (cut || memchr(got.p, '\n', got.n));
    if (gs_parse_at(p, GS_TK_END)) {
        p->more = first;
        report(p, p->tok.pos, "expected %s, got EOF", want);
    } else if (piece || string) {
        report(p, p->tok.pos, "expected %s, got string", want);
    } else {
        report(p, p->tok.pos, "expected %s, got %.*s%s", want, cut ? SHOWN_MAX : (int)got.n, got.p,
               cut ? "..." : "");
    }
}

GS_COLD void gs_parse_fail_line(struct gs_parser *p, const char *want)
{
    if (!gs_parse_broken(p) || gs_parse_at(p, GS_TK_END) || !p->prev_end) {
        bool more = p->more;
        gs_parse_fail(p, want);
        if (!p->nl_off)
            p->more = more; /* another line would not help */
    } else if (alarm(p)) {
        /* The newline stood right behind the previous token. */
        report(p, gs_lex_locate(p->lx.src, p->prev_end), "expected %s, got newline", want);
    }
}

GS_COLD void gs_parse_complain(struct gs_parser *p, struct gs_pos at, const char *what)
{
    if (p->panic || p->dead || p->lx.errors >= GS_DIAG_MAX)
        return;
    p->lx.errors++;
    report(p, at, "%s", what);
}

GS_COLD void gs_parse_too_deep(struct gs_parser *p)
{
    gs_parse_complain(p, p->tok.pos, "nesting too deep");
    give_up(p);
}

bool gs_parse_enter(struct gs_parser *p)
{
    if (GS_UNLIKELY(p->depth >= GS_PARSE_DEPTH)) {
        gs_parse_too_deep(p);
        return false;
    }
    p->depth++;
    return true;
}

bool gs_parse_expect(struct gs_parser *p, enum gs_token_kind k)
{
    if (GS_LIKELY(p->tok.kind == k && !gs_parse_broken(p))) {
        gs_parse_advance(p);
        return true;
    }
    gs_parse_fail_line(p, gs_token_text(k));
    return false;
}

static struct gs_slice take_text(struct gs_parser *p, bool fits, const char *want)
{
    struct gs_slice s = p->tok.text;
    if (fits && !gs_parse_broken(p)) {
        gs_parse_advance(p);
        return s;
    }
    gs_parse_fail_line(p, want);
    return (struct gs_slice){"", 0};
}

struct gs_slice gs_parse_name(struct gs_parser *p)
{
    return take_text(p, gs_parse_at(p, GS_TK_NAME), "name");
}

struct gs_slice gs_parse_word(struct gs_parser *p)
{
    return take_text(p, gs_token_is_word(p->tok.kind), "name");
}

/* ---- skipping ---- */

static void skip_token(struct gs_parser *p, unsigned level);

/* To the } that ends an interpolation; false at the end of the text. */
static bool skip_to_brace(struct gs_parser *p, unsigned level)
{
    unsigned open = 0;
    for (; !gs_parse_at(p, GS_TK_END); skip_token(p, level)) {
        if (gs_parse_at(p, GS_TK_LBRACE))
            open++;
        else if (gs_parse_at(p, GS_TK_RBRACE) && open-- == 0)
            return true;
    }
    return false;
}

/* A backtick string counts as one token, whatever stands in it. */
static void skip_token(struct gs_parser *p, unsigned level)
{
    while (gs_parse_at(p, GS_TK_TEMPLATE)) {
        if (level >= SKIP_DEPTH) {
            give_up(p);
            return;
        }
        gs_parse_advance(p);
        if (!skip_to_brace(p, level + 1))
            return;
        gs_lex_template(&p->lx, &p->tok);
    }
    gs_parse_advance(p);
}

bool gs_parse_recover_brace(struct gs_parser *p)
{
    p->lx.mute = true;
    bool found = skip_to_brace(p, 0);
    p->lx.mute = false;
    p->panic = !found || p->dead;
    return found;
}

static bool only_starts_statement(enum gs_token_kind k)
{
    switch (k) {
    case GS_TK_LET:
    case GS_TK_CONST:
    case GS_TK_RETURN:
    case GS_TK_IF:
    case GS_TK_FOR:
    case GS_TK_WHILE:
    case GS_TK_BREAK:
    case GS_TK_CONTINUE:
    case GS_TK_CLASS:
    case GS_TK_INTERFACE:
    case GS_TK_TYPE:
    case GS_TK_IMPORT:
    case GS_TK_TRY:
    case GS_TK_THROW:
    case GS_TK_DEFER:
        return true;
    default:
        return false;
    }
}

/* `fn name` declares, `fn (` may stand in any expression. */
static bool begins_statement(struct gs_parser *p)
{
    if (gs_parse_at(p, GS_TK_FN))
        return gs_token_is_word(gs_parse_peek(p)->kind);
    /* In a literal the word may be a key. */
    return only_starts_statement(p->tok.kind) && gs_parse_peek(p)->kind != GS_TK_COLON;
}

static bool continues_line(enum gs_token_kind k)
{
    return k == GS_TK_DOT || k == GS_TK_ANDAND || k == GS_TK_OROR || k == GS_TK_COALESCE ||
           k == GS_TK_QUESTION || k == GS_TK_COLON;
}

/* Stands before the current token a boundary, with that many brackets open? */
static bool at_boundary(struct gs_parser *p, unsigned braces, unsigned round, bool moved,
                        bool block)
{
    if (gs_parse_at(p, GS_TK_RBRACE))
        return braces == 0;
    if (gs_parse_at(p, GS_TK_SEMI))
        return braces == 0 && round == 0 && !block; /* it may be one of a for header */
    if (!p->tok.nl)
        return false;
    if (braces == 0 && round == 0)
        return !moved || !continues_line(p->tok.kind);
    return braces <= p->open_braces && begins_statement(p);
}

/* To the next boundary, or to a { outside all brackets when block is set. */
static void skip_statement(struct gs_parser *p, bool block)
{
    unsigned braces = p->open_braces, round = p->open_round;
    bool moved = false;
    for (; !gs_parse_at(p, GS_TK_END) && !at_boundary(p, braces, round, moved, block);
         skip_token(p, 0), moved = true) {
        if (gs_parse_at(p, GS_TK_LBRACE)) {
            if (block && braces == 0 && round == 0)
                return;
            braces++;
        } else if (gs_parse_at(p, GS_TK_RBRACE)) {
            braces--; /* not 0: that would be a boundary */
        } else if (gs_parse_at(p, GS_TK_LPAREN) || gs_parse_at(p, GS_TK_LBRACKET)) {
            round++;
        } else if (gs_parse_at(p, GS_TK_RPAREN) || gs_parse_at(p, GS_TK_RBRACKET)) {
            round -= round > 0;
        }
    }
}

static bool skip_to_block(struct gs_parser *p)
{
    p->lx.mute = true;
    skip_statement(p, true);
    p->lx.mute = false;
    p->panic = p->dead;
    p->open_braces = p->open_round = 0;
    return gs_parse_at(p, GS_TK_LBRACE) && !p->tok.nl;
}

static bool has_block(enum gs_token_kind first)
{
    return first == GS_TK_FN || first == GS_TK_IF || first == GS_TK_WHILE || first == GS_TK_FOR ||
           first == GS_TK_TRY;
}

void gs_parse_recover(struct gs_parser *p, enum gs_token_kind first)
{
    if (!has_block(first)) {
        p->lx.mute = true;
        skip_statement(p, false);
        p->lx.mute = false;
        p->panic = p->dead;
        return;
    }
    if (skip_to_block(p))
        gs_parse_block(p);
    while (!p->panic && (gs_parse_at(p, GS_TK_ELSE) || gs_parse_at(p, GS_TK_CATCH) ||
                         gs_parse_at(p, GS_TK_FINALLY))) {
        gs_parse_advance(p);
        if (skip_to_block(p))
            gs_parse_block(p);
    }
}

/* ---- the whole file ---- */

static struct gs_node *parse_file(struct gs_parser *p, struct gs_arena *a,
                                  const struct gs_source *src, struct gs_diag *d)
{
    *p = (struct gs_parser){.arena = a};
    gs_lex_init(&p->lx, a, src, d);
    gs_lex_next(&p->lx, &p->tok);
    struct gs_node *root = gs_parse_node(p, GS_N_BLOCK, (struct gs_pos){1, 1});
    gs_parse_statements(p, root);
    root->end = p->tok.pos;
    gs_mem_free(p->scratch);
    return root;
}

struct gs_node *gs_parse(struct gs_arena *a, const struct gs_source *src, struct gs_diag *d)
{
    struct gs_parser p;
    return parse_file(&p, a, src, d);
}

bool gs_parse_incomplete(const struct gs_source *src)
{
    struct gs_arena *a = gs_arena_new();
    struct gs_diag *d = gs_diag_new();
    struct gs_parser p;
    parse_file(&p, a, src, d);
    bool more = p.more || (p.lx.cut && p.lx.errors == 1);
    gs_diag_free(d);
    gs_arena_free(a);
    return more;
}
