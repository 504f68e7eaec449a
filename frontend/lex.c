/* SPDX-License-Identifier: MIT
 * lex.c - source text to tokens, on demand.
 *
 * Design     One function for each class of token, chosen by the first byte. Strings take two
 *            passes: the first finds the end (and whether there is any escape), the second decodes;
 *            a string without escapes is a slice of the source. A backtick string is cut at each
 *            ${: the parser reads the expression through the same lexer and then asks for the next
 *            piece, so that strings and braces nest without a stack here.
 * UTF-8      Checked once over the whole text, eight bytes a step; the address of the first bad
 *            byte is kept and reported when the lexer passes it, once for a file.
 * Errors     Places are found by counting lines from the start of the text: slow, but there are
 *            GS_DIAG_MAX at most.
 * Numbers    Floats with up to 15 digits and small exponents are exact in one operation; the others
 *            go through strtod, as digits and exponent without a point, so that the locale has no
 *            say.
 */
#include "lex.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "port/mem.h"
#include "str.h"

/* What a byte can be; several may hold. */
enum {
    WORD_FIRST = 1,
    WORD_REST = 2,
    DIGIT = 4,
    QUOTED_STOP = 8,    /* ends a run of plain bytes in "..." and '...' */
    TEMPLATE_STOP = 16, /* the same in `...` */
    TOKEN_FIRST = 32,   /* begins a token, a comment or white space */
};

/* clang-format off */
#define WORD (WORD_FIRST | WORD_REST | TOKEN_FIRST)
__extension__ static const uint8_t byte_class[256] = {
    ['A' ... 'Z'] = WORD,        ['a' ... 'z'] = WORD,        ['_'] = WORD,
    ['0' ... '9'] = WORD_REST | DIGIT | TOKEN_FIRST,
    ['"'] = QUOTED_STOP | TOKEN_FIRST,
    ['\''] = QUOTED_STOP | TOKEN_FIRST,
    ['\\'] = QUOTED_STOP | TEMPLATE_STOP,
    ['\n'] = QUOTED_STOP | TEMPLATE_STOP | TOKEN_FIRST,
    ['`'] = TEMPLATE_STOP | TOKEN_FIRST,
    ['$'] = TEMPLATE_STOP,
    [' '] = TOKEN_FIRST, ['\t'] = TOKEN_FIRST, ['\r'] = TOKEN_FIRST,
    ['('] = TOKEN_FIRST, [')'] = TOKEN_FIRST, ['['] = TOKEN_FIRST, [']'] = TOKEN_FIRST,
    ['{'] = TOKEN_FIRST, ['}'] = TOKEN_FIRST, [','] = TOKEN_FIRST, [';'] = TOKEN_FIRST,
    [':'] = TOKEN_FIRST, ['.'] = TOKEN_FIRST, ['?'] = TOKEN_FIRST, ['='] = TOKEN_FIRST,
    ['!'] = TOKEN_FIRST, ['<'] = TOKEN_FIRST, ['>'] = TOKEN_FIRST, ['|'] = TOKEN_FIRST,
    ['^'] = TOKEN_FIRST, ['&'] = TOKEN_FIRST, ['+'] = TOKEN_FIRST, ['-'] = TOKEN_FIRST,
    ['*'] = TOKEN_FIRST, ['/'] = TOKEN_FIRST, ['%'] = TOKEN_FIRST, ['~'] = TOKEN_FIRST,
};
#undef WORD
/* clang-format on */

static inline bool is(char c, unsigned classes)
{
    return (byte_class[(unsigned char)c] & classes) != 0;
}

/* ---- the token list as tables ---- */

static const struct {
    const char *text;
    uint8_t len, prec;
} tokens[GS_TK_COUNT_] = {
#define GS_TOKEN(name, text, prec) {text, sizeof text - 1, prec},
#define GS_KEYWORD(name, text, prec) {text, sizeof text - 1, prec},
#include "token.def"
#undef GS_TOKEN
#undef GS_KEYWORD
};

const char *gs_token_text(enum gs_token_kind k)
{
    return tokens[k].text;
}

unsigned gs_token_prec(enum gs_token_kind k)
{
    return tokens[k].prec;
}

/* Where each letter's keywords begin in the alphabetical list. */
static const uint8_t first_keyword[128] = {
    ['a'] = GS_TK_AS,    ['b'] = GS_TK_BREAK,  ['c'] = GS_TK_CATCH, ['d'] = GS_TK_DEFER,
    ['e'] = GS_TK_ELSE,  ['f'] = GS_TK_FALSE,  ['i'] = GS_TK_IF,    ['l'] = GS_TK_LET,
    ['n'] = GS_TK_NIL,   ['r'] = GS_TK_RETURN, ['s'] = GS_TK_SELF,  ['t'] = GS_TK_THROW,
    ['w'] = GS_TK_WHILE,
};

#define KEYWORD_MAX 9 /* strlen("interface") */

static enum gs_token_kind word_kind(const char *p, size_t n)
{
    unsigned k = first_keyword[(unsigned char)p[0]];
    if (k == 0 || n > KEYWORD_MAX)
        return GS_TK_NAME;
    for (; k < GS_TK_COUNT_ && tokens[k].text[0] == p[0]; k++)
        if (tokens[k].len == n && tokens[k].text[n - 1] == p[n - 1] &&
            !memcmp(tokens[k].text, p, n))
            return k;
    return GS_TK_NAME;
}

/* ---- errors ---- */

static const char *text_start(const struct gs_source *src)
{
    bool mark = src->len >= 3 && !memcmp(src->text, "\xEF\xBB\xBF", 3);
    return mark ? src->text + 3 : src->text;
}

struct gs_pos gs_lex_locate(const struct gs_source *src, const char *at)
{
    const char *line = text_start(src), *nl;
    struct gs_pos pos = {1, 0};
    while (line < at && (nl = memchr(line, '\n', (size_t)(at - line)))) {
        line = nl + 1;
        pos.line++;
    }
    pos.col = (uint32_t)(at - line) + 1;
    return pos;
}

GS_COLD GS_PRINTF(3, 4) static void error(struct gs_lexer *lx, const char *at, const char *fmt, ...)
{
    if (lx->mute || lx->errors >= GS_DIAG_MAX)
        return;
    lx->errors++;
    lx->complained = lx->token;
    char text[160];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    gs_diag_parse_error(lx->diag, lx->src, gs_lex_locate(lx->src, at), "%s", text);
}

/* ---- UTF-8 ---- */

#define NO_UTF8 0xFFFFFFFFu /* what gs_utf8_decode gives for a byte that is none */

static const char *find_bad_utf8(const char *p, const char *end)
{
    while (p < end) {
        uint64_t eight;
        if (end - p >= 8 && (memcpy(&eight, p, 8), !(eight & 0x8080808080808080u))) {
            p += 8;
            continue;
        }
        uint32_t cp;
        size_t n = gs_utf8_decode(p, (size_t)(end - p), &cp);
        if (cp == NO_UTF8)
            return p;
        p += n;
    }
    return NULL;
}

GS_COLD static void report_bad(struct gs_lexer *lx)
{
    if (lx->mute)
        return;
    error(lx, lx->bad, "invalid UTF-8 byte 0x%02X", (unsigned)(unsigned char)*lx->bad);
    lx->bad = NULL;
}

/* A run of bytes that begin no token: one error, one token. */
GS_COLD static void unexpected(struct gs_lexer *lx)
{
    const char *at = lx->p;
    uint32_t cp;
    size_t n = gs_utf8_decode(at, (size_t)(lx->end - at), &cp);
    if (n > 1)
        error(lx, at, "unexpected character U+%04X", (unsigned)cp);
    else if (cp > ' ' && cp < 0x7F)
        error(lx, at, "unexpected character %c", *at);
    else if (cp != NO_UTF8) /* which is said once for a file, by report_bad */
        error(lx, at, "unexpected byte 0x%02X", (unsigned)cp);
    while (lx->p < lx->end && !is(*lx->p, TOKEN_FIRST))
        lx->p++;
}

/* ---- white space and comments ---- */

static void newline(struct gs_lexer *lx, const char *at)
{
    lx->lineno++;
    lx->line = at + 1;
}

/* lx->p stands at the opening mark. True when a newline was inside. */
static bool skip_block_comment(struct gs_lexer *lx)
{
    const char *start = lx->p, *p = start + 2, *end = lx->end;
    size_t depth = 1;
    bool nl = false;
    for (; p < end; p++) {
        if (*p == '\n') {
            newline(lx, p);
            nl = true;
        } else if (*p == '*' && end - p > 1 && p[1] == '/') {
            p++;
            if (--depth == 0)
                break;
        } else if (*p == '/' && end - p > 1 && p[1] == '*') {
            p++;
            depth++;
        }
    }
    if (depth == 0) {
        lx->p = p + 1;
        return nl;
    }
    lx->p = end;
    error(lx, start, "unterminated comment");
    lx->cut = true;
    return nl;
}

/* True when a newline was among what was skipped. */
static bool skip_space(struct gs_lexer *lx)
{
    bool nl = false;
    const char *p = lx->p, *end = lx->end;
    for (; p < end; p++) {
        if (*p == ' ' || *p == '\t' || *p == '\r')
            continue;
        if (*p == '\n') {
            newline(lx, p);
            nl = true;
        } else if (*p != '/' || end - p < 2 || (p[1] != '/' && p[1] != '*')) {
            break;
        } else if (p[1] == '/') {
            const char *eol = memchr(p, '\n', (size_t)(end - p));
            p = (eol ? eol : end) - 1;
        } else {
            lx->p = p;
            nl |= skip_block_comment(lx);
            p = lx->p - 1;
        }
    }
    lx->p = p;
    return nl;
}

/* ---- numbers ---- */

static unsigned digit_value(char c)
{
    if (is(c, DIGIT))
        return (unsigned)(c - '0');
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? (unsigned)(lower - 'a') + 10 : 99;
}

/* What is wrong with a literal; the first mistake is the one reported. */
struct mistake {
    const char *at, *text;
};

static void mistake(struct mistake *m, const char *at, const char *text)
{
    if (!m->at)
        *m = (struct mistake){at, text};
}

/* Behind any literal: letters and digits that hang on to it are taken in, so that they make no
 * second error. */
static void end_number(struct gs_lexer *lx, struct mistake *m, const char *what)
{
    if (lx->p < lx->end && is(*lx->p, WORD_REST)) {
        mistake(m, lx->p, what);
        while (lx->p < lx->end && is(*lx->p, WORD_REST))
            lx->p++;
    }
    if (m->at)
        error(lx, m->at, "%s", m->text);
}

/* An underscore must have a digit on both sides. */
static bool lone_underscore(const struct gs_lexer *lx, const char *p, unsigned base)
{
    return digit_value(p[-1]) >= base || lx->end - p < 2 || digit_value(p[1]) >= base;
}

/* A run of digits of a base, and underscores. What the digits amount to goes to *v; *big is set
 * when int64 is left. */
static size_t digits(struct gs_lexer *lx, unsigned base, int64_t *v, bool *big, struct mistake *m)
{
    size_t n = 0;
    for (; lx->p < lx->end; lx->p++) {
        unsigned d = digit_value(*lx->p);
        if (*lx->p == '_') {
            if (lone_underscore(lx, lx->p, base))
                mistake(m, lx->p, "_ must stand between digits");
            continue;
        }
        if (d >= base)
            break;
        if (__builtin_mul_overflow(*v, (int64_t)base, v) ||
            __builtin_add_overflow(*v, (int64_t)d, v))
            *big = true;
        n++;
    }
    return n;
}

static void set_int(struct gs_token *t, int64_t v, bool big, struct mistake *m)
{
    if (big)
        mistake(m, t->text.p, "integer literal is larger than 9223372036854775807");
    t->kind = GS_TK_INT;
    t->i = big ? 0 : v;
}

static void radix_number(struct gs_lexer *lx, struct gs_token *t, unsigned base)
{
    struct mistake m = {NULL, NULL};
    int64_t v = 0;
    bool big = false;
    lx->p += 2;
    if (digits(lx, base, &v, &big, &m) == 0 && !(lx->p < lx->end && is(*lx->p, WORD_REST)))
        mistake(&m, t->text.p,
                base == 16  ? "no digits after 0x"
                : base == 8 ? "no digits after 0o"
                            : "no digits after 0b");
    set_int(t, v, big, &m);
    end_number(lx, &m,
               base == 16  ? "not a digit of a hexadecimal number"
               : base == 8 ? "not a digit of an octal number"
                           : "not a digit of a binary number");
}

/* The value of a float written at p..end, possibly with underscores. */
static double float_value(const char *p, const char *end)
{
    static const double ten_to[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    char small[64];
    size_t room = (size_t)(end - p) + 32;
    char *buf = room <= sizeof small ? small : gs_mem_must_alloc(room);
    size_t n = 0;
    int64_t scale = 0, exp = 0;
    uint64_t m = 0;
    bool point = false, minus = false;
    for (; p < end && (*p | 0x20) != 'e'; p++) {
        if (*p == '.') {
            point = true;
        } else if (*p != '_') {
            buf[n++] = *p;
            m = n < 20 ? m * 10 + (uint64_t)(*p - '0') : 0;
            scale -= point;
        }
    }
    for (; p < end; p++) {
        minus |= *p == '-';
        if (is(*p, DIGIT) && exp < 1000000000)
            exp = exp * 10 + (*p - '0');
    }
    scale += minus ? -exp : exp;
    double d;
    if (n <= 15 && scale >= -22 && scale <= 22) {
        d = scale < 0 ? (double)m / ten_to[-scale] : (double)m * ten_to[scale];
    } else {
        snprintf(buf + n, room - n, "e%lld", (long long)scale);
        d = strtod(buf, NULL);
    }
    if (buf != small)
        gs_mem_free(buf);
    return d;
}

/* The exponent, from its e on. False: there is none, and the e is left to be an error. */
static bool exponent(struct gs_lexer *lx, struct mistake *m)
{
    const char *p = lx->p + 1;
    if (p < lx->end && (*p == '+' || *p == '-'))
        p++;
    if (p >= lx->end || !is(*p, DIGIT)) {
        mistake(m, lx->p, "exponent has no digits");
        lx->p = p;
        return false;
    }
    int64_t v = 0;
    bool big = false;
    lx->p = p;
    digits(lx, 10, &v, &big, m);
    return true;
}

static void number(struct gs_lexer *lx, struct gs_token *t)
{
    const char *p = lx->p, *end = lx->end;
    if (*p == '0' && end - p > 1) {
        char c = (char)(p[1] | 0x20);
        if (c == 'x' || c == 'o' || c == 'b') {
            radix_number(lx, t, c == 'x' ? 16 : c == 'o' ? 8 : 2);
            return;
        }
    }
    struct mistake m = {NULL, NULL};
    int64_t v = 0;
    bool big = false, real = false;
    digits(lx, 10, &v, &big, &m);
    if (end - lx->p > 1 && *lx->p == '.' && is(lx->p[1], DIGIT)) {
        int64_t fraction = 0;
        bool ignored = false;
        real = true;
        lx->p++;
        digits(lx, 10, &fraction, &ignored, &m);
    }
    if (lx->p < end && (*lx->p | 0x20) == 'e')
        real |= exponent(lx, &m);
    if (real) {
        t->kind = GS_TK_FLOAT;
        t->d = m.at ? 0 : float_value(t->text.p, lx->p);
    } else {
        set_int(t, v, big, &m);
    }
    end_number(lx, &m, "a number ends where letters follow");
}

/* ---- strings ---- */

/* Reads up to max hexadecimal digits. */
static uint32_t hex(const char **pp, const char *end, size_t max, size_t *count)
{
    const char *p = *pp;
    uint32_t v = 0;
    for (*count = 0; *count < max && p < end && digit_value(*p) < 16; p++, ++*count)
        v = v << 4 | digit_value(*p);
    *pp = p;
    return v;
}

static size_t byte_escape(struct gs_lexer *lx, const char **pp, const char *end, char *out)
{
    const char *at = *pp - 2;
    size_t n;
    uint32_t v = hex(pp, end, 2, &n);
    if (n < 2)
        error(lx, at, "\\x needs two hexadecimal digits");
    *out = (char)v;
    return 1;
}

/* \uXXXX and \u{X...}; *pp stands behind the u. */
static size_t unicode_escape(struct gs_lexer *lx, const char **pp, const char *end, char *out)
{
    const char *at = *pp - 2;
    bool braces = *pp < end && **pp == '{';
    size_t n;
    *pp += braces;
    uint32_t v = hex(pp, end, braces ? 8 : 4, &n);
    if (braces && n > 0 && *pp < end && **pp == '}') {
        ++*pp;
    } else if (braces) {
        error(lx, at, "\\u{ needs hexadecimal digits and }");
        return 0;
    } else if (n < 4) {
        error(lx, at, "\\u needs four hexadecimal digits or braces");
        return 0;
    }
    n = gs_utf8_encode(v, out);
    if (n == 0)
        error(lx, at, "U+%04X is no Unicode character", (unsigned)v);
    return n;
}

GS_COLD static void unknown_escape(struct gs_lexer *lx, const char *at, const char *end)
{
    uint32_t cp;
    size_t n = gs_utf8_decode(at + 1, (size_t)(end - at - 1), &cp);
    if (cp == NO_UTF8 || cp < ' ')
        error(lx, at, "unknown escape");
    else
        error(lx, at, "unknown escape \\%.*s", (int)n, at + 1);
}

/* The escape at *pp, which stands at the backslash. Returns the bytes written, never more than were
 * read. */
static size_t escape(struct gs_lexer *lx, const char **pp, const char *end, bool template,
                     char *out)
{
    static const char plain[128] = {['n'] = '\n',  ['t'] = '\t',  ['r'] = '\r', ['"'] = '"',
                                    ['\''] = '\'', ['\\'] = '\\', ['`'] = '`',  ['$'] = '$'};
    const char *at = *pp;
    if (end - at < 2) {
        *pp = end; /* the string has no end, which has been said */
        return 0;
    }
    unsigned char c = (unsigned char)at[1];
    *pp = at + 2;
    if (c == 'x')
        return byte_escape(lx, pp, end, out);
    if (c == 'u')
        return unicode_escape(lx, pp, end, out);
    *out = '\0';
    if (c == '0')
        return 1;
    if (c < 128 && plain[c] && (template || (c != '`' && c != '$'))) {
        *out = plain[c];
        return 1;
    }
    unknown_escape(lx, at, end);
    *pp = at + 1; /* what was escaped stands for itself */
    return 0;
}

static struct gs_slice decode(struct gs_lexer *lx, const char *p, const char *end, bool template)
{
    char *buf = gs_arena_alloc(lx->arena, (size_t)(end - p)), *out = buf;
    while (p < end) {
        const char *run = memchr(p, '\\', (size_t)(end - p));
        size_t n = (size_t)((run ? run : end) - p);
        memcpy(out, p, n);
        out += n;
        p += n;
        if (p < end)
            out += escape(lx, &p, end, template, out);
    }
    return (struct gs_slice){buf, (size_t)(out - buf)};
}

/* Without the closing brackets and separators at the end of a line: behind a string that was never
 * closed, most likely they are code. */
static const char *before_closers(const char *start, const char *end)
{
    while (end > start && strchr(" \t\r)]}{,;", end[-1]) && end[-1])
        end--;
    return end;
}

/* A string from start that ends at a newline, or with the text, at p. Returns where reading goes
 * on. */
GS_COLD static const char *cut_off(struct gs_lexer *lx, const char *start, const char *p)
{
    const char *code = before_closers(start + 1, p);
    if (code == start + 1 && lx->stray == *start) {
        /* The closing quote of the string that was cut off before. */
        lx->stray = '\0';
        lx->complained = start;
        return code;
    }
    error(lx, start, p < lx->end ? "newline in string" : "unterminated string");
    lx->stray = *start;
    return code;
}

static void quoted(struct gs_lexer *lx, struct gs_token *t)
{
    const char *start = lx->p, *p = start + 1, *end = lx->end;
    char quote = *start;
    bool escapes = false;
    while (p < end) {
        if (!is(*p, QUOTED_STOP)) {
            p++;
        } else if (*p == quote || *p == '\n') {
            break;
        } else if (*p == '\\') {
            escapes = true;
            p += end - p > 1 && p[1] != '\n' ? 2 : 1;
        } else {
            p++; /* the other quote */
        }
    }
    t->kind = GS_TK_STR;
    if (p < end && *p == quote)
        lx->p = p + 1;
    else
        lx->p = p = cut_off(lx, start, p);
    t->str = escapes ? decode(lx, start + 1, p, false)
                     : (struct gs_slice){start + 1, (size_t)(p - start - 1)};
}

/* A piece of a backtick string: lx->p stands behind the ` or the } before it. */
static void template_piece(struct gs_lexer *lx, struct gs_token *t)
{
    const char *start = lx->p, *p = start, *end = lx->end;
    bool escapes = false;
    t->kind = GS_TK_STR;
    for (; p < end; p++) {
        if (!is(*p, TEMPLATE_STOP))
            continue;
        if (*p == '`')
            break;
        if (*p == '$' && end - p > 1 && p[1] == '{') {
            t->kind = GS_TK_TEMPLATE;
            break;
        }
        if (*p == '\\') {
            escapes = true;
            p += end - p > 1 && p[1] != '\n';
        } else if (*p == '\n') {
            newline(lx, p);
        }
    }
    lx->p = p < end ? p + (t->kind == GS_TK_TEMPLATE ? 2 : 1) : end;
    if (p >= end) {
        error(lx, t->text.p, "unterminated string");
        lx->cut = true;
    }
    t->str = escapes ? decode(lx, start, p, true) : (struct gs_slice){start, (size_t)(p - start)};
}

void gs_lex_template(struct gs_lexer *lx, struct gs_token *t)
{
    t->nl = false;
    t->pos = (struct gs_pos){lx->lineno, (uint32_t)(lx->p - lx->line) + 1};
    t->text.p = lx->token = lx->p;
    template_piece(lx, t);
    t->text.n = (size_t)(lx->p - t->text.p);
    if (GS_UNLIKELY(lx->bad && lx->bad < lx->p))
        report_bad(lx);
}

/* ---- tokens ---- */

/* The byte k behind the current one; 0 at the end. */
static inline char peek(const struct gs_lexer *lx, ptrdiff_t k)
{
    return lx->end - lx->p > k ? lx->p[k] : '\0';
}

static void one(struct gs_lexer *lx, struct gs_token *t, enum gs_token_kind k)
{
    t->kind = (uint8_t)k;
    lx->p++;
}

/* k2 when the byte c follows, else k1. */
static void one_or_two(struct gs_lexer *lx, struct gs_token *t, enum gs_token_kind k1, char c,
                       enum gs_token_kind k2)
{
    bool two = peek(lx, 1) == c;
    t->kind = (uint8_t)(two ? k2 : k1);
    lx->p += two ? 2 : 1;
}

static void angle(struct gs_lexer *lx, struct gs_token *t, enum gs_token_kind k,
                  enum gs_token_kind equal, enum gs_token_kind shift)
{
    if (peek(lx, 1) == *lx->p) {
        lx->p++;
        one(lx, t, shift);
    } else {
        one_or_two(lx, t, k, '=', equal);
    }
}

static void dots(struct gs_lexer *lx, struct gs_token *t)
{
    bool three = peek(lx, 1) == '.' && peek(lx, 2) == '.';
    t->kind = three ? GS_TK_ELLIPSIS : GS_TK_DOT;
    lx->p += three ? 3 : 1;
}

static void word(struct gs_lexer *lx, struct gs_token *t)
{
    const char *p = lx->p, *end = lx->end;
    while (p < end && is(*p, WORD_REST))
        p++;
    t->kind = (uint8_t)word_kind(lx->p, (size_t)(p - lx->p));
    lx->p = p;
}

static void punctuation(struct gs_lexer *lx, struct gs_token *t)
{
    switch (*lx->p) {
    case '(':
        one(lx, t, GS_TK_LPAREN);
        break;
    case ')':
        one(lx, t, GS_TK_RPAREN);
        break;
    case '[':
        one(lx, t, GS_TK_LBRACKET);
        break;
    case ']':
        one(lx, t, GS_TK_RBRACKET);
        break;
    case '{':
        one(lx, t, GS_TK_LBRACE);
        break;
    case '}':
        one(lx, t, GS_TK_RBRACE);
        break;
    case ',':
        one(lx, t, GS_TK_COMMA);
        break;
    case ';':
        one(lx, t, GS_TK_SEMI);
        break;
    case ':':
        one(lx, t, GS_TK_COLON);
        break;
    case '.':
        dots(lx, t);
        break;
    case '?':
        one_or_two(lx, t, GS_TK_QUESTION, '?', GS_TK_COALESCE);
        break;
    case '=':
        one_or_two(lx, t, GS_TK_ASSIGN, '=', GS_TK_EQ);
        break;
    case '!':
        one_or_two(lx, t, GS_TK_BANG, '=', GS_TK_NE);
        break;
    case '<':
        angle(lx, t, GS_TK_LT, GS_TK_LE, GS_TK_SHL);
        break;
    case '>':
        angle(lx, t, GS_TK_GT, GS_TK_GE, GS_TK_SHR);
        break;
    case '|':
        one_or_two(lx, t, GS_TK_PIPE, '|', GS_TK_OROR);
        break;
    case '&':
        one_or_two(lx, t, GS_TK_AMP, '&', GS_TK_ANDAND);
        break;
    case '^':
        one(lx, t, GS_TK_CARET);
        break;
    case '~':
        one(lx, t, GS_TK_TILDE);
        break;
    case '+':
        one_or_two(lx, t, GS_TK_PLUS, '=', GS_TK_PLUS_ASSIGN);
        break;
    case '-':
        one_or_two(lx, t, GS_TK_MINUS, '=', GS_TK_MINUS_ASSIGN);
        break;
    case '*':
        one_or_two(lx, t, GS_TK_STAR, '=', GS_TK_STAR_ASSIGN);
        break;
    case '/':
        one_or_two(lx, t, GS_TK_SLASH, '=', GS_TK_SLASH_ASSIGN);
        break;
    case '%':
        one_or_two(lx, t, GS_TK_PERCENT, '=', GS_TK_PERCENT_ASSIGN);
        break;
    default:
        unexpected(lx);
        t->kind = GS_TK_ERROR;
        break;
    }
}

void gs_lex_next(struct gs_lexer *lx, struct gs_token *t)
{
    t->nl = skip_space(lx);
    t->pos = (struct gs_pos){lx->lineno, (uint32_t)(lx->p - lx->line) + 1};
    t->text.p = lx->token = lx->p;
    if (lx->p >= lx->end) {
        t->kind = GS_TK_END;
    } else if (is(*lx->p, WORD_FIRST)) {
        word(lx, t);
    } else if (is(*lx->p, DIGIT)) {
        number(lx, t);
    } else if (*lx->p == '"' || *lx->p == '\'') {
        quoted(lx, t);
    } else if (*lx->p == '`') {
        lx->p++;
        template_piece(lx, t);
    } else {
        punctuation(lx, t);
    }
    t->text.n = (size_t)(lx->p - t->text.p);
    if (GS_UNLIKELY(lx->bad && lx->bad < lx->p))
        report_bad(lx);
}

void gs_lex_init(struct gs_lexer *lx, struct gs_arena *a, const struct gs_source *src,
                 struct gs_diag *d)
{
    const char *p = text_start(src), *end = src->text + src->len;
    *lx = (struct gs_lexer){
        .p = p, .end = end, .line = p, .lineno = 1, .src = src, .arena = a, .diag = d};
    lx->bad = find_bad_utf8(p, end);
    if (end - p > 1 && p[0] == '#' && p[1] == '!') {
        const char *eol = memchr(p, '\n', (size_t)(end - p));
        lx->p = eol ? eol : end;
    }
}
