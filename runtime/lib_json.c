/* SPDX-License-Identifier: MIT
 * lib_json.c - the module json: parse, stringify, and reading and changing single fields of JSON text.
 *
 * Why ours   The common C libraries build a tree of their own first, stop at integers beyond 64 bits and limit nesting; this one makes our values directly, reads such integers as
 *            floats as the language says, and names line and column.
 * Nesting    Both directions keep their own stack on the heap: depth costs memory, never C stack.
 * Errors     ValueError "line L, column C: expected X, got Y"; columns count bytes from 1.
 */
#include "json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "port/mem.h"

/* ---- parsing ---- */

struct parser {
    struct gs_vm *vm;
    struct gs_heap *h;
    const char *p, *end, *start;
    struct gs_buf scratch; /* decoded string */
    gs_value *stack;       /* containers being filled */
    struct gs_str **keys;  /* key waiting for its value, for each object on the stack */
    uint32_t depth, cap;
    int status;
};

static int fail(struct parser *q, const char *at, const char *what)
{
    uint32_t line = 1, col = 1;
    for (const char *c = q->start; c < at; c++) {
        col++;
        if (*c == '\n') {
            line++;
            col = 1;
        }
    }
    char got[16];
    if (at >= q->end)
        snprintf(got, sizeof got, "the end");
    else if ((unsigned char)*at < 0x20 || (unsigned char)*at >= 0x7f)
        snprintf(got, sizeof got, "byte 0x%02x", (unsigned char)*at);
    else
        snprintf(got, sizeof got, "'%c'", *at);
    q->status = gs_throw(q->vm, GS_ERR_VALUE, "line %u, column %u: expected %s, got %s", line, col, what, got);
    return q->status;
}

static int no_memory(struct parser *q)
{
    return q->status = GS_E_NOMEM;
}

static void skip_space(struct parser *q)
{
    while (q->p < q->end && (*q->p == ' ' || *q->p == '\n' || *q->p == '\t' || *q->p == '\r'))
        q->p++;
}

static int hex4(struct parser *q, uint32_t *out)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++, q->p++) {
        char c = q->p < q->end ? *q->p : 0;
        uint32_t d;
        if (c >= '0' && c <= '9')
            d = (uint32_t)(c - '0');
        else if ((c | 32) >= 'a' && (c | 32) <= 'f')
            d = (uint32_t)((c | 32) - 'a') + 10;
        else
            return fail(q, q->p, "four hexadecimal digits");
        v = v * 16 + d;
    }
    *out = v;
    return GS_OK;
}

/* After "\u": one code point, from a surrogate pair where there is one. A lone surrogate becomes U+FFFD. */
static int unicode_escape(struct parser *q)
{
    uint32_t cp, low;
    if (hex4(q, &cp) != GS_OK)
        return q->status;
    if (cp >= 0xD800 && cp < 0xDC00 && q->end - q->p >= 6 && q->p[0] == '\\' && q->p[1] == 'u') {
        const char *back = q->p;
        q->p += 2;
        if (hex4(q, &low) != GS_OK)
            return q->status;
        if (low >= 0xDC00 && low < 0xE000)
            cp = 0x10000 + ((cp - 0xD800) << 10) + (low - 0xDC00);
        else
            q->p = back;
    }
    if (cp >= 0xD800 && cp < 0xE000)
        cp = 0xFFFD;
    char utf8[4];
    gs_buf_put(&q->scratch, utf8, gs_utf8_encode(cp, utf8));
    return GS_OK;
}

static int escape(struct parser *q)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char c = q->p < q->end ? *q->p : 0;
    if (c == 'u') {
        q->p++;
        return unicode_escape(q);
    }
    const char *k = c != 0 ? strchr(from, c) : NULL;
    if (k == NULL)
        return fail(q, q->p, "an escape (one of \"\\/bfnrtu)");
    gs_buf_putc(&q->scratch, to[k - from]);
    q->p++;
    return GS_OK;
}

/* At the opening quote. */
static int parse_string(struct parser *q, struct gs_str **out)
{
    const char *from = ++q->p;
    q->scratch.len = 0;
    bool plain = true;
    for (;;) {
        while (q->p < q->end && *q->p != '"' && *q->p != '\\' && (unsigned char)*q->p >= 0x20)
            q->p++;
        if (q->p >= q->end || (unsigned char)*q->p < 0x20)
            return fail(q, q->p, "\" at the end of the string");
        bool closing = *q->p == '"';
        if (!closing || !plain)
            gs_buf_put(&q->scratch, from, (size_t)(q->p - from));
        if (closing)
            break;
        plain = false;
        q->p++;
        if (escape(q) != GS_OK)
            return q->status;
        from = q->p;
    }
    *out = plain ? gs_str_new(q->h, from, (size_t)(q->p - from)) : gs_str_new(q->h, q->scratch.p, q->scratch.len);
    q->p++;
    return *out == NULL || q->scratch.failed ? no_memory(q) : GS_OK;
}

static size_t digits(struct parser *q)
{
    const char *from = q->p;
    while (q->p < q->end && *q->p >= '0' && *q->p <= '9')
        q->p++;
    return (size_t)(q->p - from);
}

static int parse_number(struct parser *q, gs_value *out)
{
    const char *from = q->p;
    bool integral = true;
    if (*q->p == '-')
        q->p++;
    bool zero = q->p < q->end && *q->p == '0';
    const char *first = q->p;
    size_t n = digits(q);
    if (n == 0)
        return fail(q, q->p, "a digit");
    if (zero && n > 1)
        return fail(q, first + 1, "no digit after a leading 0");
    if (q->p < q->end && *q->p == '.') {
        integral = false;
        q->p++;
        if (digits(q) == 0)
            return fail(q, q->p, "a digit");
    }
    if (q->p < q->end && (*q->p | 32) == 'e') {
        integral = false;
        q->p++;
        if (q->p < q->end && (*q->p == '+' || *q->p == '-'))
            q->p++;
        if (digits(q) == 0)
            return fail(q, q->p, "a digit");
    }
    int64_t i;
    double d;
    if (integral && gs_text_parse_int(from, (size_t)(q->p - from), &i)) {
        *out = gs_int(i);
        return GS_OK;
    }
    if (!gs_text_parse_float(from, (size_t)(q->p - from), &d))
        return fail(q, from, "a number");
    *out = gs_float(d);
    return GS_OK;
}

static bool word(struct parser *q, const char *w)
{
    size_t n = strlen(w);
    if ((size_t)(q->end - q->p) < n || memcmp(q->p, w, n) != 0)
        return false;
    q->p += n;
    return true;
}

static int push(struct parser *q, gs_value container)
{
    if (q->depth == q->cap) {
        uint32_t cap = q->cap != 0 ? q->cap * 2 : 16;
        gs_value *s = gs_mem_realloc(q->stack, cap * sizeof *s);
        if (s != NULL)
            q->stack = s;
        struct gs_str **k = gs_mem_realloc(q->keys, cap * sizeof *k);
        if (k != NULL)
            q->keys = k;
        if (s == NULL || k == NULL)
            return no_memory(q);
        q->cap = cap;
    }
    q->stack[q->depth++] = container;
    return GS_OK;
}

/* In an object, before a key: reads `"key":`. */
static int parse_key(struct parser *q)
{
    skip_space(q);
    if (q->p >= q->end || *q->p != '"')
        return fail(q, q->p, "a key in \"quotes\"");
    if (parse_string(q, &q->keys[q->depth - 1]) != GS_OK)
        return q->status;
    skip_space(q);
    if (q->p >= q->end || *q->p != ':')
        return fail(q, q->p, ":");
    q->p++;
    return GS_OK;
}

/* One value; *open: it is a container that has been pushed and is to be filled. */
static int parse_value(struct parser *q, gs_value *out, bool *open)
{
    *open = false;
    skip_space(q);
    char c = q->p < q->end ? *q->p : 0;
    struct gs_str *s;
    if (c == '"') {
        if (parse_string(q, &s) == GS_OK)
            *out = gs_strv(s);
        return q->status;
    }
    if (c == '-' || (c >= '0' && c <= '9'))
        return parse_number(q, out);
    if (c == '[' || c == '{') {
        void *o = c == '[' ? (void *)gs_array_new(q->h) : (void *)gs_object_new(q->h, gs_shape_plain, 4);
        if (o == NULL)
            return no_memory(q);
        *out = gs_objv(c == '[' ? GS_T_ARRAY : GS_T_OBJECT, o);
        q->p++;
        skip_space(q);
        if (q->p < q->end && *q->p == (c == '[' ? ']' : '}')) {
            q->p++;
            return GS_OK;
        }
        *open = true;
        return push(q, *out);
    }
    if (word(q, "true"))
        *out = gs_bool(true);
    else if (word(q, "false"))
        *out = gs_bool(false);
    else if (word(q, "null"))
        *out = gs_nil();
    else
        return fail(q, q->p, "a value");
    return GS_OK;
}

static int store(struct parser *q, gs_value v)
{
    gs_value top = q->stack[q->depth - 1];
    gs_status st = top.tag == GS_T_ARRAY ? gs_array_push(q->h, top.a, v)
                                         : gs_object_put(q->h, top.m, q->keys[q->depth - 1], v);
    return st == GS_OK ? GS_OK : no_memory(q);
}

/* After a value inside a container: a comma, or the ends of one or more containers. */
static int after_value(struct parser *q)
{
    while (q->depth > 0) {
        bool array = q->stack[q->depth - 1].tag == GS_T_ARRAY;
        skip_space(q);
        char c = q->p < q->end ? *q->p : 0;
        if (c == ',') {
            q->p++;
            return array ? GS_OK : parse_key(q);
        }
        if (c != (array ? ']' : '}'))
            return fail(q, q->p, array ? ", or ]" : ", or }");
        q->p++;
        q->depth--;
    }
    return GS_OK;
}

static int parse_all(struct parser *q, gs_value *root)
{
    bool first = true;
    do {
        gs_value v;
        bool open;
        if (parse_value(q, &v, &open) != GS_OK)
            return q->status;
        if (first)
            *root = v;
        else if (open)
            q->depth--; /* the parent is below it */
        if (!first && store(q, v) != GS_OK)
            return q->status;
        if (!first && open)
            q->depth++;
        first = false;
        if (open) {
            if (v.tag == GS_T_OBJECT && parse_key(q) != GS_OK)
                return q->status;
            continue;
        }
        if (after_value(q) != GS_OK)
            return q->status;
    } while (q->depth > 0);
    skip_space(q);
    return q->p < q->end ? fail(q, q->p, "the end") : GS_OK;
}

int gs_json_parse(struct gs_vm *vm, const char *p, size_t n, gs_value *out)
{
    struct parser q = {.vm = vm, .h = &vm->heap, .p = p, .end = p + n, .start = p};
    int st = parse_all(&q, out);
    gs_buf_free(&q.scratch);
    gs_mem_free(q.stack);
    gs_mem_free(q.keys);
    return st;
}

/* ---- writing ---- */

struct level { /* a container being written */
    gs_value c;
    struct gs_array *keys; /* of an object */
    int64_t i;
};

struct writer {
    struct gs_vm *vm;
    struct gs_buf b;
    const char *indent; /* NULL: compact */
    size_t nindent;
    struct level *stack;
    uint32_t depth, cap;
};

static void new_line(struct writer *w)
{
    if (w->indent == NULL)
        return;
    gs_buf_putc(&w->b, '\n');
    for (uint32_t i = 0; i < w->depth; i++)
        gs_buf_put(&w->b, w->indent, w->nindent);
}

/* A value that contains itself is met again and again on the way down, so it is enough to look at depths that are powers of two; looking at each would
 * make deep nesting quadratic. */
static bool contains_itself(const struct writer *w, gs_value v)
{
    if (w->depth & (w->depth - 1))
        return false;
    for (uint32_t i = 0; i < w->depth; i++)
        if (w->stack[i].c.p == v.p)
            return true;
    return false;
}

static int open_container(struct writer *w, gs_value v)
{
    if (contains_itself(w, v))
        return gs_throw(w->vm, GS_ERR_VALUE, "cannot write a value that contains itself as JSON");
    if (w->depth == w->cap) {
        uint32_t cap = w->cap != 0 ? w->cap * 2 : 16;
        struct level *s = gs_mem_realloc(w->stack, cap * sizeof *s);
        if (s == NULL)
            return GS_E_NOMEM;
        w->stack = s;
        w->cap = cap;
    }
    struct level l = {.c = v};
    if (v.tag == GS_T_OBJECT && (l.keys = gs_object_keys(&w->vm->heap, v.m)) == NULL)
        return GS_E_NOMEM;
    gs_buf_putc(&w->b, v.tag == GS_T_ARRAY ? '[' : '{');
    w->stack[w->depth++] = l;
    return GS_OK;
}

/* A scalar is written, a container opened. */
static int write_value(struct writer *w, gs_value v)
{
    char num[GS_NUM_MAX];
    switch (gs_kind(v)) {
    case GS_T_NIL:
        gs_buf_putz(&w->b, "null");
        return GS_OK;
    case GS_T_BOOL:
        gs_buf_putz(&w->b, v.u ? "true" : "false");
        return GS_OK;
    case GS_T_HANDLE:
        gs_handle_pin(gs_handle_obj(v)); /* the number becomes visible */
        /* fall through */
    case GS_T_INT:
        gs_buf_put(&w->b, num, gs_text_int(v.i, num));
        return GS_OK;
    case GS_T_FLOAT:
        if (!isfinite(v.d))
            return gs_throw(w->vm, GS_ERR_VALUE, "JSON has no form for %s", isnan(v.d) ? "NaN" : v.d > 0 ? "Inf" : "-Inf");
        gs_buf_put(&w->b, num, gs_text_float(v.d, num));
        return GS_OK;
    case GS_T_STR:
        gs_text_quote(&w->b, v.s->data, v.s->len);
        return GS_OK;
    case GS_T_ARRAY:
    case GS_T_OBJECT:
        return open_container(w, v);
    default:
        return gs_throw(w->vm, GS_ERR_VALUE, "cannot write a %s as JSON", gs_typeof_name(v));
    }
}

/* The next element of the innermost container, or its end. */
static int step(struct writer *w)
{
    struct level *l = &w->stack[w->depth - 1];
    bool array = l->c.tag == GS_T_ARRAY;
    int64_t n = array ? l->c.a->len : l->keys->len;
    if (l->i >= n) {
        w->depth--;
        if (n > 0)
            new_line(w);
        gs_buf_putc(&w->b, array ? ']' : '}');
        return GS_OK;
    }
    if (l->i > 0)
        gs_buf_putc(&w->b, ',');
    new_line(w);
    gs_value v = gs_nil();
    if (array) {
        v = gs_array_at(l->c.a, l->i);
    } else {
        struct gs_str *k = gs_array_at(l->keys, l->i).s;
        (void)gs_object_get(l->c.m, k, &v);
        gs_text_quote(&w->b, k->data, k->len);
        gs_buf_putz(&w->b, w->indent != NULL ? ": " : ":");
    }
    l->i++;
    return write_value(w, v);
}

int gs_json_write(struct gs_vm *vm, gs_value v, const char *indent, size_t nindent, gs_value *out)
{
    struct writer w = {.vm = vm, .indent = indent, .nindent = nindent};
    int st = write_value(&w, v);
    while (st == GS_OK && w.depth > 0)
        st = step(&w);
    if (st == GS_OK)
        st = w.b.failed ? GS_E_NOMEM : gs_ret_str(out, gs_str_new(&vm->heap, w.b.p, w.b.len));
    gs_buf_free(&w.b);
    gs_mem_free(w.stack);
    return st;
}

/* ---- library functions ---- */

static int json_parse(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_str *s;
    int st = gs_arg_str(vm, "parse", args, 0, &s);
    return st != GS_OK ? st : gs_json_parse(vm, s->data, s->len, ret);
}

/* indent: a number of spaces, or the text of one level. */
static int json_stringify(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    static const char spaces[] = "                "; /* 16 */
    if (n < 2 || args[1].tag == GS_T_NIL)
        return gs_json_write(vm, args[0], NULL, 0, ret);
    if (args[1].tag == GS_T_STR)
        return gs_json_write(vm, args[0], args[1].s->data, args[1].s->len, ret);
    int64_t k;
    int st = gs_arg_int(vm, "stringify", args, 1, &k);
    if (st != GS_OK)
        return st;
    if (k < 0 || k > 16)
        return gs_throw(vm, GS_ERR_VALUE, "stringify: indent must be between 0 and 16, got %lld", (long long)k);
    return gs_json_write(vm, args[0], k > 0 ? spaces : NULL, (size_t)k, ret);
}

/* The object that a document holds. */
static int document(struct gs_vm *vm, const char *fn, gs_value *args, struct gs_object **o, struct gs_str **key)
{
    struct gs_str *doc;
    gs_value v;
    int st = gs_arg_str(vm, fn, args, 0, &doc);
    if (st == GS_OK)
        st = gs_arg_str(vm, fn, args, 1, key);
    if (st == GS_OK)
        st = gs_json_parse(vm, doc->data, doc->len, &v);
    if (st == GS_OK && v.tag != GS_T_OBJECT)
        st = gs_throw(vm, GS_ERR_VALUE, "%s expects a JSON object, got %s", fn, gs_typeof_name(v));
    if (st == GS_OK)
        *o = v.m;
    return st;
}

/* nil when the key is missing or null; another kind is a TypeError. */
static int get(struct gs_vm *vm, const char *fn, gs_value *args, enum gs_kind k, gs_value *ret)
{
    struct gs_object *o;
    struct gs_str *key;
    int st = document(vm, fn, args, &o, &key);
    gs_value v = gs_nil();
    if (st != GS_OK || !gs_object_get(o, key, &v) || v.tag == GS_T_NIL)
        return st;
    if (v.tag != (uint64_t)k)
        return gs_throw(vm, GS_ERR_TYPE, "%s: \"%.*s\" is %s", fn, (int)key->len, key->data, gs_typeof_name(v));
    *ret = v;
    return GS_OK;
}

static int set(struct gs_vm *vm, const char *fn, gs_value *args, enum gs_kind k, gs_value *ret)
{
    struct gs_object *o;
    struct gs_str *key;
    if (gs_kind(args[2]) != k && !(k == GS_T_INT && gs_is_intlike(args[2])))
        return gs_throw(vm, GS_ERR_TYPE, "%s expects %s as argument 3, got %s", fn,
                        k == GS_T_STR ? "string" : k == GS_T_INT ? "int" : "bool", gs_typeof_name(args[2]));
    int st = document(vm, fn, args, &o, &key);
    if (st != GS_OK)
        return st;
    if (gs_object_put(&vm->heap, o, key, args[2]) != GS_OK)
        return GS_E_NOMEM;
    return gs_json_write(vm, gs_objv(GS_T_OBJECT, o), NULL, 0, ret);
}

#define GETTER(name, kind)                                                                                             \
    static int json_get##name(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)                             \
    {                                                                                                                  \
        (void)n;                                                                                                       \
        return get(vm, "get" #name, args, kind, ret);                                                                  \
    }                                                                                                                  \
    static int json_set##name(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)                             \
    {                                                                                                                  \
        (void)n;                                                                                                       \
        return set(vm, "set" #name, args, kind, ret);                                                                  \
    }
GETTER(String, GS_T_STR)
GETTER(Int, GS_T_INT)
GETTER(Bool, GS_T_BOOL)

static const struct gs_lib_entry entries[] = {
    GS_FN("parse", json_parse, 1, 1, GS_NF_PURE),
    GS_FN("stringify", json_stringify, 1, 2, GS_NF_PURE),
    GS_FN("setString", json_setString, 3, 3, GS_NF_PURE),
    GS_FN("setInt", json_setInt, 3, 3, GS_NF_PURE),
    GS_FN("setBool", json_setBool, 3, 3, GS_NF_PURE),
    GS_FN("getString", json_getString, 2, 2, GS_NF_PURE),
    GS_FN("getInt", json_getInt, 2, 2, GS_NF_PURE),
    GS_FN("getBool", json_getBool, 2, 2, GS_NF_PURE),
};
GS_LIB_MODULE(gs_lib_json, "json", false, entries);
