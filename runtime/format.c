/* SPDX-License-Identifier: MIT
 * format.c - strings.format. Contract: format.h.
 *
 * A verb is %[flags][width][.precision]verb; flags - + space 0 #. Floats go through the C library's printf with the same flags (%g without a precision is the shortest form that
 * reads back equal); all else is put together here, then padded.
 */
#include "format.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "handle.h"

#define WIDTH_MAX 1000000 /* a wider field is a mistake */

struct spec {
    bool minus, plus, space, zero, sharp;
    int width;     /* 0: none */
    int precision; /* -1: none */
    char verb;
};

static int bad_verb(struct gs_vm *vm, const char *f, size_t n)
{
    return gs_throw(vm, GS_ERR_VALUE, "format: \"%.*s\" is no complete verb", (int)n, f);
}

/* Reads a number of at most WIDTH_MAX; false when it is larger. */
static bool number(const char **p, const char *end, int *out)
{
    *out = 0;
    while (*p < end && **p >= '0' && **p <= '9') {
        *out = *out * 10 + (*(*p)++ - '0');
        if (*out > WIDTH_MAX)
            return false;
    }
    return true;
}

/* *p stands behind the %; on return behind the verb. */
static bool read_spec(const char **p, const char *end, struct spec *s)
{
    *s = (struct spec){.precision = -1};
    for (; *p < end; (*p)++) {
        if (**p == '-')
            s->minus = true;
        else if (**p == '+')
            s->plus = true;
        else if (**p == ' ')
            s->space = true;
        else if (**p == '0')
            s->zero = true;
        else if (**p == '#')
            s->sharp = true;
        else
            break;
    }
    if (!number(p, end, &s->width))
        return false;
    if (*p < end && **p == '.') {
        (*p)++;
        if (!number(p, end, &s->precision))
            return false;
    }
    if (*p >= end)
        return false;
    s->verb = *(*p)++;
    return true;
}

static void fill(struct gs_buf *b, char c, size_t n)
{
    char *p = n > 0 ? gs_buf_reserve(b, n) : NULL;
    if (p == NULL)
        return;
    memset(p, c, n);
    b->len += n;
}

/* Pads text to the width; `columns` is how wide it counts (code points for text). Zeros go behind a sign or base prefix of `lead` bytes. */
static void padded(struct gs_buf *b, const struct spec *s, const char *p, size_t n, size_t columns, size_t lead, bool zeros)
{
    size_t k = (size_t)s->width > columns ? (size_t)s->width - columns : 0;
    if (s->minus) {
        gs_buf_put(b, p, n);
        fill(b, ' ', k);
    } else if (zeros) {
        gs_buf_put(b, p, lead);
        fill(b, '0', k);
        gs_buf_put(b, p + lead, n - lead);
    } else {
        fill(b, ' ', k);
        gs_buf_put(b, p, n);
    }
}

static size_t count_points(const char *p, size_t n)
{
    size_t k = 0;
    uint32_t cp;
    for (size_t i = 0; i < n; i += gs_utf8_decode(p + i, n - i, &cp))
        k++;
    return k;
}

static void put_text(struct gs_buf *b, const struct spec *s, const char *p, size_t n)
{
    if (s->precision >= 0) { /* at most that many code points */
        size_t i = 0;
        uint32_t cp;
        for (int k = 0; k < s->precision && i < n; k++)
            i += gs_utf8_decode(p + i, n - i, &cp);
        n = i;
    }
    padded(b, s, p, n, count_points(p, n), 0, false);
}

static void put_int(struct gs_buf *b, const struct spec *s, int64_t v)
{
    char t[80], *end = t + sizeof t, *p = end;
    unsigned base = s->verb == 'd' ? 10 : s->verb == 'o' ? 8 : s->verb == 'b' ? 2 : 16;
    const char *digits = s->verb == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do
        *--p = digits[u % base];
    while ((u /= base) != 0);
    for (int precision = s->precision < 64 ? s->precision : 64; end - p < precision;)
        *--p = '0'; /* at least that many digits */
    size_t lead = 0;
    if (s->sharp && base != 10) {
        if (base != 8)
            *--p = s->verb;
        *--p = '0';
        lead = base == 8 ? 1 : 2;
    }
    if (v < 0 || s->plus || s->space) {
        *--p = v < 0 ? '-' : s->plus ? '+' : ' ';
        lead++;
    }
    padded(b, s, p, (size_t)(end - p), (size_t)(end - p), lead, s->zero && s->precision < 0);
}

static void put_float(struct gs_buf *b, const struct spec *s, double d)
{
    char t[GS_NUM_MAX + 2];
    if (!isfinite(d) || (s->verb == 'g' && s->precision < 0)) {
        size_t n = 0;
        if (!(d < 0) && !signbit(d) && (s->plus || s->space))
            t[n++] = s->plus ? '+' : ' ';
        n += gs_text_float(d, t + n);
        if (isfinite(d) && n > 2 && memcmp(t + n - 2, ".0", 2) == 0)
            n -= 2; /* %g writes 3, not 3.0 */
        size_t lead = t[0] == '-' || t[0] == '+' || t[0] == ' ';
        padded(b, s, t, n, n, lead, s->zero && isfinite(d));
        return;
    }
    char fmt[16], *f = fmt;
    *f++ = '%';
    if (s->minus)
        *f++ = '-';
    if (s->plus)
        *f++ = '+';
    if (s->space)
        *f++ = ' ';
    if (s->zero)
        *f++ = '0';
    if (s->sharp)
        *f++ = '#';
    memcpy(f, "*.*", 3);
    f[3] = s->verb;
    f[4] = '\0';
    int precision = s->precision < 0 ? 6 : s->precision;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* built above from a closed set */
    size_t room = 64; /* most numbers fit, and the library takes its time for each */
    char *p = gs_buf_reserve(b, room);
    int n = p != NULL ? snprintf(p, room, fmt, s->width, precision, d) : 0;
    if ((size_t)n >= room && (p = gs_buf_reserve(b, (size_t)n + 1)) != NULL)
        (void)snprintf(p, (size_t)n + 1, fmt, s->width, precision, d);
    if (p != NULL)
        b->len += (size_t)n;
#pragma GCC diagnostic pop
}

static int mismatch(struct gs_vm *vm, const struct spec *s, const char *want, gs_value v)
{
    return gs_throw(vm, GS_ERR_VALUE, "format: %%%c expects %s, got %s", s->verb, want, gs_typeof_name(v));
}

static int put_char(struct gs_vm *vm, struct gs_buf *b, const struct spec *s, gs_value v)
{
    char utf8[4];
    unsigned n = v.i >= 0 && v.i <= 0x10FFFF ? gs_utf8_encode((uint32_t)v.i, utf8) : 0;
    if (n == 0)
        return gs_throw(vm, GS_ERR_VALUE, "format: %%c: %lld is no code point", (long long)v.i);
    padded(b, s, utf8, n, 1, 0, false);
    return GS_OK;
}

static int put_verb(struct gs_vm *vm, struct gs_buf *b, const struct spec *s, gs_value v)
{
    if (gs_kind(v) == GS_T_HANDLE)
        gs_handle_pin(gs_handle_obj(v)); /* its number may become visible */
    switch (s->verb) {
    case 'd':
    case 'x':
    case 'X':
    case 'o':
    case 'b':
        if (!gs_is_intlike(v))
            return mismatch(vm, s, "int", v);
        put_int(b, s, v.i);
        return GS_OK;
    case 'c':
        return gs_is_intlike(v) ? put_char(vm, b, s, v) : mismatch(vm, s, "int", v);
    case 'f':
    case 'e':
    case 'g':
        if (!gs_is_intlike(v) && v.tag != GS_T_FLOAT)
            return mismatch(vm, s, "number", v);
        put_float(b, s, v.tag == GS_T_FLOAT ? v.d : (double)v.i);
        return GS_OK;
    default: {
        if (s->verb != 'q' && v.tag == GS_T_STR) {
            put_text(b, s, v.s->data, v.s->len);
            return GS_OK;
        }
        struct gs_buf t = {0};
        if (s->verb == 'q' && v.tag == GS_T_STR)
            gs_text_quote(&t, v.s->data, v.s->len);
        else
            gs_text_value(&t, v, s->verb != 'q');
        put_text(b, s, t.p != NULL ? t.p : "", t.len);
        b->failed |= t.failed;
        gs_buf_free(&t);
        return GS_OK;
    }
    }
}

int gs_format(struct gs_vm *vm, struct gs_buf *out, const char *f, size_t n, const gs_value *args, uint32_t nargs)
{
    const char *p = f, *end = f + n;
    uint32_t used = 0;
    while (p < end) {
        const char *pct = memchr(p, '%', (size_t)(end - p));
        gs_buf_put(out, p, (size_t)((pct != NULL ? pct : end) - p));
        if (pct == NULL)
            break;
        struct spec s;
        p = pct + 1;
        if (!read_spec(&p, end, &s))
            return bad_verb(vm, pct, (size_t)(end - pct));
        if (s.verb == '%') {
            gs_buf_putc(out, '%');
            continue;
        }
        if (s.verb == '\0' || strchr("dxXobcsqvfeg", s.verb) == NULL)
            return gs_throw(vm, GS_ERR_VALUE, "format: unknown verb \"%.*s\"", (int)(p - pct), pct);
        if (used == nargs)
            return gs_throw(vm, GS_ERR_VALUE, "format: no argument for \"%.*s\"", (int)(p - pct), pct);
        int st = put_verb(vm, out, &s, args[used++]);
        if (st != GS_OK)
            return st;
    }
    if (used < nargs)
        return gs_throw(vm, GS_ERR_VALUE, "format: %u arguments for %u verbs", nargs, used);
    return GS_OK;
}
