/* SPDX-License-Identifier: MIT
 * diag.c - messages with a place: collected, counted, printed.
 *
 * Design     Messages are kept until someone prints them, because the parser and the emitter meet
 *            errors in another order than the reader wants to see them in. Printing sorts by file
 *            (in the order in which the files were first named), line and column; equal places keep
 *            the order of reporting.
 * Excerpt    The line is shown through a window around the column, so that a message about a line
 *            of megabytes stays readable, and control characters are blanked, so that source text
 *            cannot steer the terminal.
 */
#include "diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "port/mem.h"
#include "str.h"

#define TEXT_MAX 512        /* bytes of one message; longer ones are cut */
#define NO_UTF8 0xFFFFFFFFu /* what gs_utf8_decode gives for a byte that is none */
#define WINDOW 100          /* bytes of source shown at most */

#define BOLD "\033[1m"
#define RED "\033[31m"
#define MAGENTA "\033[35m"
#define PLAIN "\033[0m"

enum what { PARSE_ERROR, ERROR, WARNING };

struct message {
    enum what what;
    struct gs_pos at;
    const struct gs_source *src;
    unsigned file; /* rank of src: when it was first named */
    unsigned seq;
    char *text;
};

struct gs_diag {
    struct message *v;
    unsigned n, cap;
    unsigned files;
    unsigned errors, warnings;
};

struct gs_diag *gs_diag_new(void)
{
    return gs_mem_must_zalloc(sizeof(struct gs_diag));
}

void gs_diag_free(struct gs_diag *d)
{
    if (!d)
        return;
    for (unsigned i = 0; i < d->n; i++)
        gs_mem_free(d->v[i].text);
    gs_mem_free(d->v);
    gs_mem_free(d);
}

unsigned gs_diag_errors(const struct gs_diag *d)
{
    return d->errors;
}

unsigned gs_diag_warnings(const struct gs_diag *d)
{
    return d->warnings;
}

/* ---- collecting ---- */

static unsigned rank_of(struct gs_diag *d, const struct gs_source *s)
{
    for (unsigned i = 0; i < d->n; i++)
        if (d->v[i].src == s)
            return d->v[i].file;
    return d->files++;
}

static bool continues_char(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

/* The length without a code point that was cut in two at the end. */
static size_t whole_chars(const char *p, size_t n)
{
    size_t last = n - 1;
    uint32_t cp;
    while (last > 0 && n - last < 4 && continues_char(p[last]))
        last--;
    gs_utf8_decode(p + last, n - last, &cp);
    return cp == NO_UTF8 ? last : n;
}

static char *format(const char *fmt, va_list ap)
{
    char buf[TEXT_MAX];
    int want = vsnprintf(buf, sizeof buf, fmt, ap);
    size_t n = want < 0 ? 0 : (size_t)want;
    if (n >= sizeof buf)
        n = whole_chars(buf, sizeof buf - 1);
    char *text = gs_mem_must_alloc(n + 1);
    memcpy(text, buf, n);
    text[n] = '\0';
    return text;
}

GS_PRINTF(5, 0)
static void add(struct gs_diag *d, enum what what, const struct gs_source *s, struct gs_pos at,
                const char *fmt, va_list ap)
{
    if (what == WARNING)
        d->warnings++;
    else if (++d->errors > GS_DIAG_MAX)
        return;
    if (d->n == d->cap) {
        d->cap = d->cap ? d->cap * 2 : 8;
        d->v = gs_mem_must_realloc(d->v, d->cap * sizeof *d->v);
    }
    unsigned file = rank_of(d, s);
    d->v[d->n] = (struct message){what, at, s, file, d->n, format(fmt, ap)};
    d->n++;
}

void gs_diag_parse_error(struct gs_diag *d, const struct gs_source *s, struct gs_pos at,
                         const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add(d, PARSE_ERROR, s, at, fmt, ap);
    va_end(ap);
}

void gs_diag_error(struct gs_diag *d, const struct gs_source *s, struct gs_pos at, const char *fmt,
                   ...)
{
    va_list ap;
    va_start(ap, fmt);
    add(d, ERROR, s, at, fmt, ap);
    va_end(ap);
}

void gs_diag_warning(struct gs_diag *d, const struct gs_source *s, struct gs_pos at,
                     const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add(d, WARNING, s, at, fmt, ap);
    va_end(ap);
}

/* ---- printing ---- */

static int compare(const void *x, const void *y)
{
    const struct message *a = *(const struct message *const *)x,
                         *b = *(const struct message *const *)y;
    if (a->file != b->file)
        return a->file < b->file ? -1 : 1;
    if (a->at.line != b->at.line)
        return a->at.line < b->at.line ? -1 : 1;
    if (a->at.col != b->at.col)
        return a->at.col < b->at.col ? -1 : 1;
    return a->seq < b->seq ? -1 : 1;
}

/* False when the text has no such line (a position made up, or the text gone). */
static bool find_line(const struct gs_source *s, uint32_t line, struct gs_slice *out)
{
    if (!s->text || line == 0)
        return false;
    const char *p = s->text, *end = p + s->len;
    if (s->len >= 3 && !memcmp(p, "\xEF\xBB\xBF", 3))
        p += 3; /* columns count behind the mark */
    while (--line > 0) {
        p = memchr(p, '\n', (size_t)(end - p));
        if (!p)
            return false;
        p++;
    }
    const char *nl = memchr(p, '\n', (size_t)(end - p));
    out->p = p;
    out->n = (size_t)((nl ? nl : end) - p);
    if (out->n > 0 && p[out->n - 1] == '\r')
        out->n--;
    return true;
}

/* One character of the source, or a stand-in of one column. Returns the bytes it takes. */
static size_t put_char(FILE *out, const char *p, const char *end)
{
    uint32_t cp;
    size_t n = gs_utf8_decode(p, (size_t)(end - p), &cp);
    if (cp == NO_UTF8)
        putc('?', out);
    else if ((cp < 0x20 && cp != '\t') || (cp >= 0x7F && cp < 0xA0))
        putc(' ', out);
    else
        fwrite(p, 1, n, out);
    return n;
}

/* Blanks up to the column; a tab moves the caret as it moved the text. */
static size_t put_blank(FILE *out, const char *p, const char *end)
{
    uint32_t cp;
    putc(*p == '\t' ? '\t' : ' ', out);
    return gs_utf8_decode(p, (size_t)(end - p), &cp);
}

static void put_excerpt(FILE *out, const struct message *m, bool colour)
{
    struct gs_slice s;
    if (!find_line(m->src, m->at.line, &s))
        return;
    size_t at = m->at.col ? m->at.col - 1 : 0;
    if (at > s.n)
        at = s.n;
    size_t from = at > WINDOW * 2 / 3 ? at - WINDOW * 2 / 3 : 0;
    for (int i = 0; i < 3 && from > 0 && continues_char(s.p[from]); i++)
        from--;
    size_t to = s.n - from > WINDOW ? from + WINDOW : s.n;
    for (int i = 0; i < 3 && to < s.n && continues_char(s.p[to]); i++)
        to++;
    fputs(from ? "    ..." : "    ", out);
    for (const char *p = s.p + from, *end = s.p + to; p < end;)
        p += put_char(out, p, end);
    fputs(to < s.n ? "...\n" : "\n", out);
    if (!m->at.col)
        return;
    fputs(from ? "       " : "    ", out);
    for (const char *p = s.p + from, *end = s.p + at; p < end;)
        p += put_blank(out, p, s.p + to);
    fprintf(out, "%s^%s\n", colour ? BOLD RED : "", colour ? PLAIN : "");
}

static void put_message(FILE *out, const struct message *m, bool colour)
{
    fputs(colour ? BOLD : "", out);
    fputs(m->src->path, out);
    if (m->at.line)
        fprintf(out, ":%u", m->at.line);
    if (m->at.line && m->at.col && m->what == PARSE_ERROR)
        fprintf(out, ":%u", m->at.col);
    fprintf(out, ":%s ", colour ? PLAIN : "");
    if (m->what == WARNING)
        fprintf(out, "%swarning:%s ", colour ? BOLD MAGENTA : "", colour ? PLAIN : "");
    fprintf(out, "%s\n", m->text);
}

void gs_diag_print(const struct gs_diag *d, FILE *out, bool excerpt, bool colour)
{
    if (d->n == 0)
        return;
    const struct message **order = gs_mem_must_alloc(d->n * sizeof *order);
    for (unsigned i = 0; i < d->n; i++)
        order[i] = &d->v[i];
    qsort(order, d->n, sizeof *order, compare);
    for (unsigned i = 0; i < d->n; i++) {
        put_message(out, order[i], colour);
        if (excerpt)
            put_excerpt(out, order[i], colour);
    }
    gs_mem_free(order);
    if (d->errors > GS_DIAG_MAX)
        fprintf(out, "%u more errors are not shown\n", d->errors - GS_DIAG_MAX);
}
