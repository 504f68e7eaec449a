/* SPDX-License-Identifier: MIT
 * lex.h - source text to tokens, one at a time.
 *
 * Newlines are no tokens: a token says whether one stands before it (nl), and the parser decides
 * what that means. Errors are reported as they are met. A token that is malformed inside (an
 * unknown escape, a bad digit) still comes out as the token it was meant to be, so that one mistake
 * is one message; bytes that begin no token at all come out as one GS_TK_ERROR for each run of
 * them.
 */
#ifndef GS_FRONTEND_LEX_H
#define GS_FRONTEND_LEX_H

#include "diag.h"

enum gs_token_kind {
#define GS_TOKEN(name, text, prec) GS_TK_##name,
#define GS_KEYWORD(name, text, prec) GS_TK_##name,
#include "token.def"
#undef GS_TOKEN
#undef GS_KEYWORD
    GS_TK_COUNT_
};

struct gs_token {
    uint8_t kind; /* enum gs_token_kind */
    bool nl;      /* a newline stands between the previous token and this one */
    struct gs_pos pos;
    struct gs_slice text; /* as written */
    union {
        int64_t i;           /* INT */
        double d;            /* FLOAT */
        struct gs_slice str; /* STR, TEMPLATE: decoded */
    };
};

struct gs_lexer {
    const char *p;    /* the next byte to read */
    const char *end;  /* behind the last one */
    const char *line; /* where the current line begins: columns count from here */
    const char *bad;  /* the next byte that is not UTF-8; behind end when there is none */
    uint32_t lineno;
    bool mute;       /* errors are swallowed: the parser is skipping */
    bool cut;        /* a comment or backtick string had no end: what follows at EOF is no news */
    char stray;      /* the quote of a string that a newline cut off: the next one may be its end */
    unsigned errors; /* reported so far, the parser's too */
    const char *token;      /* where the current token begins */
    const char *complained; /* the token that the last error was about: one is enough */
    const struct gs_source *src;
    struct gs_arena *arena; /* decoded strings */
    struct gs_diag *diag;
};

/* Skips a byte order mark and a #! line. */
void gs_lex_init(struct gs_lexer *lx, struct gs_arena *a, const struct gs_source *src,
                 struct gs_diag *d);
/* At the end of the text GS_TK_END, as often as it is called. */
void gs_lex_next(struct gs_lexer *lx, struct gs_token *t);
/* Goes on in a backtick string. The lexer must stand right behind the } that ended an
 * interpolation. Gives GS_TK_TEMPLATE when another ${ follows, GS_TK_STR for the last piece. */
void gs_lex_template(struct gs_lexer *lx, struct gs_token *t);

/* The place of a byte of the text, found by counting lines: for messages. */
struct gs_pos gs_lex_locate(const struct gs_source *src, const char *at);

/* As written in source; for classes of tokens what they are called in messages ("name", "EOF"). */
const char *gs_token_text(enum gs_token_kind k);
/* 0: no binary operator; higher binds tighter. IS and AS count as binary. */
unsigned gs_token_prec(enum gs_token_kind k);

static inline bool gs_token_is_keyword(enum gs_token_kind k)
{
    return k >= GS_TK_AS;
}

/* Names and keywords: what may follow a dot. */
static inline bool gs_token_is_word(enum gs_token_kind k)
{
    return k == GS_TK_NAME || k >= GS_TK_AS;
}

static inline bool gs_token_assigns(enum gs_token_kind k)
{
    return k >= GS_TK_ASSIGN && k <= GS_TK_PERCENT_ASSIGN;
}

#endif
