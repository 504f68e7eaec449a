/* SPDX-License-Identifier: MIT
 * text.c - the text form of values.
 *
 * Nesting is walked with a stack of frames in plain memory, so depth costs no C stack. A container
 * that is being printed already is a cycle: with few frames open they are compared one by one, from
 * SET_AT on a set of addresses answers.
 */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "array.h"
#include "handle.h"
#include "heap.h"
#include "port/mem.h"
#include "proto.h"
#include "ptrset_int.h"
#include "shape.h"
#include "str.h"

/* ---- buffers ---- */

#define LARGE_TEXT ((size_t)1 << 20) /* bytes from which the heap limit is asked */

char *gs_buf_reserve(struct gs_buf *b, size_t n)
{
    if (b->failed)
        return NULL;
    if (GS_LIKELY(b->cap - b->len >= n && b->p != NULL)) /* NULL + 0 is no pointer */
        return b->p + b->len;
    if (n > SIZE_MAX / 4 || b->len > SIZE_MAX / 4) {
        b->failed = true;
        return NULL;
    }
    size_t cap = b->cap ? b->cap * 2 : 64;
    if (cap < b->len + n)
        cap = b->len + n;
    /* The text of a few objects can be endless: [a, a] of [a, a] of ... */
    char *p = cap < LARGE_TEXT || gs_heap_process_has_room(cap) ? gs_mem_realloc(b->p, cap) : NULL;
    if (!p) {
        b->failed = true;
        return NULL;
    }
    b->p = p;
    b->cap = cap;
    return p + b->len;
}

void gs_buf_put(struct gs_buf *b, const char *p, size_t n)
{
    char *to = gs_buf_reserve(b, n);
    if (!to || n == 0)
        return;
    memcpy(to, p, n);
    b->len += n;
}

void gs_buf_putz(struct gs_buf *b, const char *z)
{
    gs_buf_put(b, z, strlen(z));
}

void gs_buf_putc(struct gs_buf *b, char c)
{
    char *to = gs_buf_reserve(b, 1);
    if (to) {
        *to = c;
        b->len++;
    }
}

void gs_buf_printf(struct gs_buf *b, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *to =
        n < 0 ? NULL : gs_buf_reserve(b, (size_t)n + 1); /* vsnprintf wants room for its NUL */
    if (to) {
        vsnprintf(to, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    } else {
        b->failed = true;
    }
    va_end(again);
}

void gs_buf_free(struct gs_buf *b)
{
    gs_mem_free(b->p);
    memset(b, 0, sizeof *b);
}

/* ---- strings ---- */

/* The escape of a byte, or NULL when it stands for itself. */
static const char *escape(uint8_t c, char room[8])
{
    switch (c) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\n':
        return "\\n";
    case '\t':
        return "\\t";
    case '\r':
        return "\\r";
    case '\b':
        return "\\b";
    case '\f':
        return "\\f";
    default:
        if (c >= 0x20)
            return NULL;
        snprintf(room, 8, "\\u%04x", c);
        return room;
    }
}

void gs_text_quote(struct gs_buf *b, const char *p, size_t n)
{
    char room[8];
    size_t from = 0;
    gs_buf_putc(b, '"');
    for (size_t i = 0; i < n; i++) {
        uint8_t c = (uint8_t)p[i];
        if (GS_LIKELY(c >= 0x20 && c != '"' && c != '\\'))
            continue;
        gs_buf_put(b, p + from, i - from);
        gs_buf_putz(b, escape(c, room));
        from = i + 1;
    }
    gs_buf_put(b, p + from, n - from);
    gs_buf_putc(b, '"');
}

static bool is_identifier(const struct gs_str *s)
{
    for (size_t i = 0; i < s->len; i++) {
        char c = s->data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return s->len > 0;
}

static void put_str(struct gs_buf *b, const struct gs_str *s)
{
    gs_buf_put(b, s->data, s->len);
}

static void put_key(struct gs_buf *b, const struct gs_str *s)
{
    if (is_identifier(s))
        put_str(b, s);
    else
        gs_text_quote(b, s->data, s->len);
    gs_buf_put(b, ": ", 2);
}

/* ---- values without parts ---- */

static void put_int(struct gs_buf *b, int64_t i)
{
    char *to = gs_buf_reserve(b, GS_NUM_MAX);
    if (to)
        b->len += gs_text_int(i, to);
}

static void put_named(struct gs_buf *b, const char *what, const struct gs_str *name)
{
    gs_buf_putc(b, '<');
    gs_buf_putz(b, what);
    gs_buf_putc(b, ' ');
    put_str(b, name);
    gs_buf_putc(b, '>');
}

static void put_func(struct gs_buf *b, const struct gs_proto *p)
{
    int n = p->nparams - ((p->flags & GS_PF_METHOD) != 0) - ((p->flags & GS_PF_REST) != 0);
    gs_buf_put(b, "<fn ", 4);
    put_str(b, p->name);
    if (!(p->flags & GS_PF_PRELUDE)) { /* those are built-ins to the program */
        gs_buf_putc(b, '/');
        put_int(b, n);
    }
    gs_buf_putc(b, '>');
}

static void put_range(struct gs_buf *b, const struct gs_range *r)
{
    gs_buf_put(b, "range(", 6);
    put_int(b, r->start);
    gs_buf_put(b, ", ", 2);
    put_int(b, r->stop);
    gs_buf_put(b, ", ", 2);
    put_int(b, r->step);
    gs_buf_putc(b, ')');
}

static void put_callable(struct gs_buf *b, gs_value v)
{
    while (v.tag == GS_T_BOUND)
        v = ((const struct gs_bound *)v.p)->fn;
    if (v.tag == GS_T_FUNC) {
        put_func(b, v.f->proto);
        return;
    }
    gs_buf_put(b, "<fn ", 4);
    gs_buf_putz(b, ((const struct gs_native *)v.p)->name);
    gs_buf_putc(b, '>');
}

static void put_plain(struct gs_buf *b, gs_value v, bool top)
{
    char *to;
    switch (gs_kind(v)) {
    case GS_T_BOOL:
        gs_buf_putz(b, v.u ? "true" : "false");
        break;
    case GS_T_HANDLE:
        gs_handle_pin(gs_handle_obj(v)); /* the number is visible from now on */
        put_int(b, v.i);
        break;
    case GS_T_INT:
        put_int(b, v.i);
        break;
    case GS_T_FLOAT:
        to = gs_buf_reserve(b, GS_NUM_MAX);
        if (to)
            b->len += gs_text_float(v.d, to);
        break;
    case GS_T_STR:
        if (top)
            put_str(b, v.s);
        else
            gs_text_quote(b, v.s->data, v.s->len);
        break;
    case GS_T_FUNC:
    case GS_T_NATIVE:
    case GS_T_BOUND:
        put_callable(b, v);
        break;
    case GS_T_CLASS:
        put_named(b, "class", ((const struct gs_class *)v.p)->name);
        break;
    case GS_T_IFACE:
        put_named(b, "interface", ((const struct gs_iface *)v.p)->name);
        break;
    case GS_T_TYPE:
        put_named(b, "type", ((const struct gs_type *)v.p)->name);
        break;
    case GS_T_MODULE:
        put_named(b, "module", ((const struct gs_module *)v.p)->name);
        break;
    case GS_T_RANGE:
        put_range(b, v.p);
        break;
    default:
        gs_buf_put(b, "nil", 3);
        break;
    }
}

/* ---- containers ---- */

#define LOCAL_FRAMES 16u
#define SET_AT 16u

struct frame {
    gs_value v; /* ARRAY or OBJECT */
    size_t i, n;
    gs_value *keys; /* sorted, of an object */
};

struct walk {
    struct gs_buf *b;
    struct frame *frames;
    size_t n, cap;
    struct gs_ptrset open; /* in use while n > SET_AT */
    struct frame local[LOCAL_FRAMES];
};

static bool is_open(const struct walk *w, const struct gs_obj *o)
{
    if (w->open.slot)
        return gs_ptrset_has(&w->open, o);
    for (size_t i = 0; i < w->n; i++)
        if (w->frames[i].v.o == o)
            return true;
    return false;
}

static bool frames_grow(struct walk *w)
{
    size_t cap = w->cap * 2;
    struct frame *f;
    if (w->frames == w->local) {
        f = gs_mem_alloc(cap * sizeof *f);
        if (f)
            memcpy(f, w->local, sizeof w->local);
    } else {
        f = gs_mem_realloc(w->frames, cap * sizeof *f);
    }
    if (!f)
        return false;
    w->frames = f;
    w->cap = cap;
    return true;
}

static bool remember(struct walk *w, const struct gs_obj *o)
{
    if (w->n < SET_AT)
        return true;
    if (w->n == SET_AT)
        for (size_t i = 0; i < w->n; i++)
            if (!gs_ptrset_add(&w->open, w->frames[i].v.o))
                return false;
    return gs_ptrset_add(&w->open, o);
}

static void put_class_name(struct gs_buf *b, gs_value v)
{
    const struct gs_class *c = v.tag == GS_T_OBJECT ? gs_object_class(v.m) : NULL;
    if (c)
        put_str(b, c->name);
}

/* Opens a container: its bracket, and a frame for what is inside. False when memory is out. */
static bool enter(struct walk *w, gs_value v)
{
    bool array = v.tag == GS_T_ARRAY;
    struct frame f = {.v = v, .n = array ? (size_t)v.a->len : gs_object_count(v.m)};
    put_class_name(w->b, v);
    gs_buf_putc(w->b, array ? '[' : '{');
    if (w->n == w->cap && !frames_grow(w))
        return false;
    if (!array && f.n) {
        f.keys = gs_object_sorted_keys(v.m);
        if (!f.keys)
            return false;
    }
    if (!remember(w, v.o)) {
        gs_mem_free(f.keys);
        return false;
    }
    w->frames[w->n++] = f;
    return true;
}

static void leave(struct walk *w)
{
    struct frame *f = &w->frames[--w->n];
    gs_buf_putc(w->b, f->v.tag == GS_T_ARRAY ? ']' : '}');
    gs_mem_free(f->keys);
    if (!w->open.slot)
        return;
    gs_ptrset_remove(&w->open, f->v.o);
    if (w->n <= SET_AT)
        gs_ptrset_fini(&w->open);
}

/* The next part of the innermost container, its separator and key written. */
static gs_value next_part(struct walk *w)
{
    struct frame *f = &w->frames[w->n - 1];
    size_t i = f->i++;
    gs_value v = gs_nil();
    if (i)
        gs_buf_put(w->b, ", ", 2);
    if (f->v.tag == GS_T_ARRAY)
        return gs_array_at(f->v.a, (int64_t)i);
    put_key(w->b, f->keys[i].s);
    (void)gs_object_get(f->v.m, f->keys[i].s, &v);
    return v;
}

static void put_cycle(struct gs_buf *b, gs_value v)
{
    put_class_name(b, v);
    gs_buf_putz(b, v.tag == GS_T_ARRAY ? "[...]" : "{...}");
}

static bool put_part(struct walk *w, gs_value v)
{
    if (v.tag != GS_T_ARRAY && v.tag != GS_T_OBJECT) {
        put_plain(w->b, v, false);
        return true;
    }
    if (is_open(w, v.o)) {
        put_cycle(w->b, v);
        return true;
    }
    return enter(w, v);
}

static void put_container(struct gs_buf *b, gs_value v)
{
    struct walk w = {.b = b, .cap = LOCAL_FRAMES};
    w.frames = w.local;
    bool ok = enter(&w, v);
    while (ok && w.n && !b->failed) {
        if (w.frames[w.n - 1].i == w.frames[w.n - 1].n)
            leave(&w);
        else
            ok = put_part(&w, next_part(&w));
    }
    if (!ok)
        b->failed = true;
    while (w.n)
        gs_mem_free(w.frames[--w.n].keys);
    gs_ptrset_fini(&w.open);
    if (w.frames != w.local)
        gs_mem_free(w.frames);
}

void gs_text_value(struct gs_buf *b, gs_value v, bool top)
{
    if (v.tag == GS_T_ARRAY || v.tag == GS_T_OBJECT)
        put_container(b, v);
    else
        put_plain(b, v, top);
}

struct gs_str *gs_text_str(struct gs_heap *h, gs_value v)
{
    if (v.tag == GS_T_STR)
        return v.s;
    char num[GS_NUM_MAX];
    if (v.tag == GS_T_INT)
        return gs_str_new(h, num, gs_text_int(v.i, num));
    if (v.tag == GS_T_FLOAT)
        return gs_str_new(h, num, gs_text_float(v.d, num));
    struct gs_buf b = {0};
    gs_text_value(&b, v, true);
    struct gs_str *s = b.failed ? NULL : gs_str_new(h, b.p, b.len);
    gs_buf_free(&b);
    return s;
}
