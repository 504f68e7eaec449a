/* SPDX-License-Identifier: MIT
 * lib_strings.c - the module strings and the methods of strings, which are the same functions. format: format.c.
 *
 * Bytes      Strings are bytes; positions and lengths count bytes. upper, lower and trim know ASCII only, so that they never break UTF-8; reverse, chars and codePoints go by code
 *            point, an invalid byte standing for itself.
 * Searching  memmem and memrchr-like scans of the C library.
 */
#define _GNU_SOURCE /* memmem */
#include <string.h>

#include "format.h"
#include "handle.h"
#include "lib.h"
#include "port/mem.h"

#define ARG_STR(fn, i, var)                                                                                            \
    struct gs_str *var;                                                                                                \
    do {                                                                                                               \
        int st_ = gs_arg_str(vm, fn, args, i, &var);                                                                   \
        if (st_ != GS_OK)                                                                                              \
            return st_;                                                                                                \
    } while (0)

#define ARG_INT(fn, i, var)                                                                                            \
    int64_t var;                                                                                                       \
    do {                                                                                                               \
        int st_ = gs_arg_int(vm, fn, args, i, &var);                                                                   \
        if (st_ != GS_OK)                                                                                              \
            return st_;                                                                                                \
    } while (0)

#define NATIVE(name) static int name(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)

/* Longest result a function makes before it is simply an error: above any real use, below what would wrap a size. */
#define STR_MAX ((size_t)1 << 40)

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static int sub(struct gs_vm *vm, struct gs_str *s, size_t from, size_t to, gs_value *ret)
{
    return gs_ret_str(ret, gs_str_sub(&vm->heap, s, from, to));
}

/* First place of needle in s from `from` on; SIZE_MAX: none. */
static size_t find(const struct gs_str *s, size_t from, const struct gs_str *needle)
{
    if (needle->len == 0)
        return from;
    if (from >= s->len)
        return SIZE_MAX;
    const char *p = memmem(s->data + from, s->len - from, needle->data, needle->len);
    return p != NULL ? (size_t)(p - s->data) : SIZE_MAX;
}

/* ---- parts ---- */

NATIVE(s_slice)
{
    ARG_STR("slice", 0, s);
    int64_t len = (int64_t)s->len, from = 0, to = len;
    if (n > 1) {
        ARG_INT("slice", 1, a);
        from = a;
    }
    if (n > 2 && args[2].tag != GS_T_NIL) {
        ARG_INT("slice", 2, b);
        to = b;
    }
    from = from < 0 ? (from + len < 0 ? 0 : from + len) : from > len ? len : from;
    to = to < 0 ? (to + len < 0 ? 0 : to + len) : to > len ? len : to;
    return sub(vm, s, (size_t)from, (size_t)(to < from ? from : to), ret);
}

NATIVE(s_byte_at)
{
    (void)n;
    ARG_STR("byteAt", 0, s);
    ARG_INT("byteAt", 1, i);
    int64_t len = (int64_t)s->len, at = i < 0 ? i + len : i;
    if (at < 0 || at >= len)
        return gs_throw(vm, GS_ERR_INDEX, "string index %lld out of bounds (len=%lld)", (long long)i, (long long)len);
    *ret = gs_int((unsigned char)s->data[at]);
    return GS_OK;
}

static int trim(struct gs_vm *vm, struct gs_str *s, const struct gs_str *cut, bool left, bool right, gs_value *ret)
{
    size_t a = 0, b = s->len;
    bool in[256] = {false};
    for (size_t i = 0; cut != NULL && i < cut->len; i++)
        in[(unsigned char)cut->data[i]] = true;
    for (int c = 0; cut == NULL && c < 256; c++)
        in[c] = is_space((char)c);
    while (left && a < b && in[(unsigned char)s->data[a]])
        a++;
    while (right && b > a && in[(unsigned char)s->data[b - 1]])
        b--;
    return sub(vm, s, a, b, ret);
}

static int trim_fn(struct gs_vm *vm, const char *fn, gs_value *args, uint32_t n, bool left, bool right, gs_value *ret)
{
    ARG_STR(fn, 0, s);
    struct gs_str *cut = NULL;
    int st = n > 1 ? gs_arg_str(vm, fn, args, 1, &cut) : GS_OK;
    return st != GS_OK ? st : trim(vm, s, cut, left, right, ret);
}

NATIVE(s_trim) { return trim_fn(vm, "trim", args, n, true, true, ret); }
NATIVE(s_trim_left) { return trim_fn(vm, "trimLeft", args, n, true, false, ret); }
NATIVE(s_trim_right) { return trim_fn(vm, "trimRight", args, n, false, true, ret); }

/* ---- case and order ---- */

static int map_ascii(struct gs_vm *vm, struct gs_str *s, char lo, char hi, gs_value *ret)
{
    char *p;
    struct gs_str *t = gs_str_make(&vm->heap, s->len, &p);
    if (t == NULL)
        return GS_E_NOMEM;
    for (size_t i = 0; i < s->len; i++)
        p[i] = s->data[i] >= lo && s->data[i] <= hi ? (char)(s->data[i] ^ 32) : s->data[i];
    *ret = gs_strv(t);
    return GS_OK;
}

NATIVE(s_upper)
{
    (void)n;
    ARG_STR("upper", 0, s);
    return map_ascii(vm, s, 'a', 'z', ret);
}

NATIVE(s_lower)
{
    (void)n;
    ARG_STR("lower", 0, s);
    return map_ascii(vm, s, 'A', 'Z', ret);
}

NATIVE(s_compare)
{
    (void)n;
    ARG_STR("compare", 0, a);
    ARG_STR("compare", 1, b);
    *ret = gs_int(gs_str_compare(a, b));
    return GS_OK;
}

/* ---- searching ---- */

NATIVE(s_has_prefix)
{
    (void)n;
    ARG_STR("hasPrefix", 0, s);
    ARG_STR("hasPrefix", 1, p);
    *ret = gs_bool(p->len <= s->len && memcmp(s->data, p->data, p->len) == 0);
    return GS_OK;
}

NATIVE(s_has_suffix)
{
    (void)n;
    ARG_STR("hasSuffix", 0, s);
    ARG_STR("hasSuffix", 1, p);
    *ret = gs_bool(p->len <= s->len && memcmp(s->data + s->len - p->len, p->data, p->len) == 0);
    return GS_OK;
}

NATIVE(s_contains)
{
    (void)n;
    ARG_STR("contains", 0, s);
    ARG_STR("contains", 1, p);
    *ret = gs_bool(find(s, 0, p) != SIZE_MAX);
    return GS_OK;
}

/* indexOf(s, part, from = 0) */
NATIVE(s_index_of)
{
    ARG_STR("indexOf", 0, s);
    ARG_STR("indexOf", 1, p);
    int64_t from = 0;
    if (n > 2) {
        ARG_INT("indexOf", 2, f);
        from = f < 0 ? (f + (int64_t)s->len < 0 ? 0 : f + (int64_t)s->len) : f;
    }
    size_t at = from > (int64_t)s->len ? SIZE_MAX : find(s, (size_t)from, p);
    *ret = gs_int(at == SIZE_MAX ? -1 : (int64_t)at);
    return GS_OK;
}

NATIVE(s_last_index_of)
{
    (void)n;
    ARG_STR("lastIndexOf", 0, s);
    ARG_STR("lastIndexOf", 1, p);
    int64_t at = (int64_t)s->len - (int64_t)p->len;
    while (at >= 0 && memcmp(s->data + at, p->data, p->len) != 0)
        at--;
    *ret = gs_int(at < 0 ? -1 : at);
    return GS_OK;
}

/* Without overlaps; the empty string is found between all code points, as in Go. */
NATIVE(s_count)
{
    (void)n;
    ARG_STR("count", 0, s);
    ARG_STR("count", 1, p);
    int64_t k = 0;
    if (p->len == 0) {
        uint32_t cp;
        for (size_t i = 0; i < s->len; i += gs_utf8_decode(s->data + i, s->len - i, &cp))
            k++;
        *ret = gs_int(k + 1);
        return GS_OK;
    }
    for (size_t at = find(s, 0, p); at != SIZE_MAX; at = find(s, at + p->len, p))
        k++;
    *ret = gs_int(k);
    return GS_OK;
}

/* ---- splitting and joining ---- */

static int push_sub(struct gs_vm *vm, struct gs_array *a, struct gs_str *s, size_t from, size_t to)
{
    struct gs_str *t = gs_str_sub(&vm->heap, s, from, to);
    return t == NULL || gs_array_push(&vm->heap, a, gs_strv(t)) != GS_OK ? GS_E_NOMEM : GS_OK;
}

/* Each code point as a string of its own: what split by "" and chars give; at most `most` parts, the last one the rest. */
static int explode(struct gs_vm *vm, struct gs_array *a, struct gs_str *s, int64_t most)
{
    int st = GS_OK;
    for (size_t i = 0; st == GS_OK && i < s->len;) {
        uint32_t cp;
        size_t k = a->len == most - 1 ? s->len - i : gs_utf8_decode(s->data + i, s->len - i, &cp);
        st = push_sub(vm, a, s, i, i + k);
        i += k;
    }
    return st;
}

static int split(struct gs_vm *vm, struct gs_str *s, struct gs_str *sep, int64_t most, gs_value *ret)
{
    struct gs_array *a = gs_array_new(&vm->heap);
    if (a == NULL)
        return GS_E_NOMEM;
    *ret = gs_objv(GS_T_ARRAY, a);
    if (most == 0)
        return GS_OK;
    if (sep->len == 0)
        return explode(vm, a, s, most);
    size_t from = 0;
    for (;;) {
        size_t at = a->len == most - 1 ? SIZE_MAX : find(s, from, sep);
        if (at == SIZE_MAX)
            return push_sub(vm, a, s, from, s->len);
        if (push_sub(vm, a, s, from, at) != GS_OK)
            return GS_E_NOMEM;
        from = at + sep->len;
    }
}

NATIVE(s_split)
{
    (void)n;
    ARG_STR("split", 0, s);
    ARG_STR("split", 1, sep);
    return split(vm, s, sep, INT64_MAX, ret);
}

/* At most `most` parts; negative: all. */
NATIVE(s_split_n)
{
    (void)n;
    ARG_STR("splitN", 0, s);
    ARG_STR("splitN", 1, sep);
    ARG_INT("splitN", 2, most);
    return split(vm, s, sep, most < 0 ? INT64_MAX : most, ret);
}

NATIVE(s_fields)
{
    (void)n;
    ARG_STR("fields", 0, s);
    struct gs_array *a = gs_array_new(&vm->heap);
    if (a == NULL)
        return GS_E_NOMEM;
    for (size_t i = 0; i < s->len;) {
        while (i < s->len && is_space(s->data[i]))
            i++;
        size_t from = i;
        while (i < s->len && !is_space(s->data[i]))
            i++;
        if (i > from && push_sub(vm, a, s, from, i) != GS_OK)
            return GS_E_NOMEM;
    }
    *ret = gs_objv(GS_T_ARRAY, a);
    return GS_OK;
}

/* join(array, sep = ""): elements by their text form. */
NATIVE(s_join)
{
    struct gs_array *a;
    struct gs_str *sep = gs_str_empty();
    int st = gs_arg_array(vm, "join", args, 0, &a);
    if (st == GS_OK && n > 1)
        st = gs_arg_str(vm, "join", args, 1, &sep);
    if (st != GS_OK)
        return st;
    struct gs_buf b = {0};
    for (int64_t i = 0; i < a->len; i++) {
        if (i > 0)
            gs_buf_put(&b, sep->data, sep->len);
        gs_value v = gs_array_at(a, i);
        if (v.tag == GS_T_STR)
            gs_buf_put(&b, v.s->data, v.s->len);
        else
            gs_text_value(&b, v, true);
    }
    st = b.failed ? GS_E_NOMEM : gs_ret_str(ret, gs_str_new(&vm->heap, b.p, b.len));
    gs_buf_free(&b);
    return st;
}

/* ---- building new ones ---- */

static int replace(struct gs_vm *vm, struct gs_str *s, struct gs_str *old, struct gs_str *new, int64_t most, gs_value *ret)
{
    struct gs_buf b = {0};
    size_t from = 0, at;
    if (old->len == 0) { /* before each code point and at the end, as in Go */
        uint32_t cp;
        for (size_t i = 0; i <= s->len && most > 0; most--) {
            size_t k = i < s->len ? gs_utf8_decode(s->data + i, s->len - i, &cp) : 1;
            gs_buf_put(&b, new->data, new->len);
            gs_buf_put(&b, s->data + i, i < s->len ? k : 0);
            from = i += k;
        }
        from = from > s->len ? s->len : from;
    }
    for (; old->len > 0 && most > 0 && (at = find(s, from, old)) != SIZE_MAX; most--) {
        gs_buf_put(&b, s->data + from, at - from);
        gs_buf_put(&b, new->data, new->len);
        from = at + old->len;
    }
    int st = GS_OK;
    if (from == 0 && b.len == 0) {
        *ret = gs_strv(s); /* nothing replaced */
    } else {
        gs_buf_put(&b, s->data + from, s->len - from);
        st = b.failed ? GS_E_NOMEM : gs_ret_str(ret, gs_str_new(&vm->heap, b.p, b.len));
    }
    gs_buf_free(&b);
    return st;
}

NATIVE(s_replace)
{
    (void)n;
    ARG_STR("replace", 0, s);
    ARG_STR("replace", 1, old);
    ARG_STR("replace", 2, new);
    return replace(vm, s, old, new, INT64_MAX, ret);
}

NATIVE(s_replace_n)
{
    (void)n;
    ARG_STR("replaceN", 0, s);
    ARG_STR("replaceN", 1, old);
    ARG_STR("replaceN", 2, new);
    ARG_INT("replaceN", 3, most);
    return replace(vm, s, old, new, most < 0 ? INT64_MAX : most, ret);
}

NATIVE(s_repeat)
{
    (void)n;
    ARG_STR("repeat", 0, s);
    ARG_INT("repeat", 1, k);
    if (k < 0)
        return gs_throw(vm, GS_ERR_VALUE, "repeat: count must not be negative, got %lld", (long long)k);
    if (s->len > 0 && (uint64_t)k > STR_MAX / s->len)
        return gs_throw_nomem(vm);
    char *p;
    struct gs_str *t = gs_str_make(&vm->heap, s->len * (size_t)k, &p);
    if (t == NULL)
        return GS_E_NOMEM;
    if (s->len == 1)
        memset(p, s->data[0], (size_t)k);
    else
        for (int64_t i = 0; i < k; i++, p += s->len)
            memcpy(p, s->data, s->len);
    *ret = gs_strv(t);
    return GS_OK;
}

static int pad(struct gs_vm *vm, const char *fn, gs_value *args, uint32_t n, bool left, gs_value *ret)
{
    ARG_STR(fn, 0, s);
    ARG_INT(fn, 1, width);
    struct gs_str *fill = gs_str_byte(' ');
    int st = n > 2 ? gs_arg_str(vm, fn, args, 2, &fill) : GS_OK;
    if (st != GS_OK)
        return st;
    if (width <= (int64_t)s->len || fill->len == 0) {
        *ret = args[0];
        return GS_OK;
    }
    if ((uint64_t)width > STR_MAX)
        return gs_throw_nomem(vm);
    char *p;
    struct gs_str *t = gs_str_make(&vm->heap, (size_t)width, &p);
    if (t == NULL)
        return GS_E_NOMEM;
    size_t k = (size_t)width - s->len;
    memcpy(left ? p + k : p, s->data, s->len);
    char *q = left ? p : p + s->len;
    for (size_t i = 0; i < k; i++)
        q[i] = fill->data[i % fill->len];
    *ret = gs_strv(t);
    return GS_OK;
}

NATIVE(s_pad_left) { return pad(vm, "padLeft", args, n, true, ret); }
NATIVE(s_pad_right) { return pad(vm, "padRight", args, n, false, ret); }

/* By code point. */
NATIVE(s_reverse)
{
    (void)n;
    ARG_STR("reverse", 0, s);
    char *p;
    struct gs_str *t = gs_str_make(&vm->heap, s->len, &p);
    if (t == NULL)
        return GS_E_NOMEM;
    for (size_t i = 0, to = s->len; i < s->len;) {
        uint32_t cp;
        size_t k = gs_utf8_decode(s->data + i, s->len - i, &cp);
        to -= k;
        memcpy(p + to, s->data + i, k);
        i += k;
    }
    *ret = gs_strv(t);
    return GS_OK;
}

/* ---- bytes and code points ---- */

NATIVE(s_to_bytes)
{
    (void)n;
    ARG_STR("toBytes", 0, s);
    struct gs_array *a = s->len > 0 ? gs_array_make(&vm->heap, GS_STORE_BYTE, (int64_t)s->len) : gs_array_new(&vm->heap);
    if (a == NULL)
        return GS_E_NOMEM;
    if (s->len > 0)
        memcpy(a->b, s->data, s->len);
    *ret = gs_objv(GS_T_ARRAY, a);
    return GS_OK;
}

NATIVE(s_from_bytes)
{
    (void)n;
    struct gs_array *a;
    int st = gs_arg_array(vm, "fromBytes", args, 0, &a);
    if (st != GS_OK)
        return st;
    char *p;
    struct gs_str *t = gs_str_make(&vm->heap, (size_t)a->len, &p);
    if (t == NULL)
        return GS_E_NOMEM;
    if (gs_array_store(a) == GS_STORE_BYTE)
        memcpy(p, a->b, (size_t)a->len);
    for (int64_t i = 0; gs_array_store(a) != GS_STORE_BYTE && i < a->len; i++) {
        gs_value v = gs_array_at(a, i);
        if (!gs_is_intlike(v) || v.i < 0 || v.i > 255)
            return gs_throw(vm, gs_is_intlike(v) ? GS_ERR_VALUE : GS_ERR_TYPE, "fromBytes: element %lld is no byte", (long long)i);
        p[i] = (char)v.i;
    }
    *ret = gs_strv(t);
    return GS_OK;
}

NATIVE(s_chars)
{
    (void)n;
    ARG_STR("chars", 0, s);
    struct gs_array *a = gs_array_new(&vm->heap);
    if (a == NULL)
        return GS_E_NOMEM;
    *ret = gs_objv(GS_T_ARRAY, a);
    return explode(vm, a, s, INT64_MAX);
}

/* Numbers; an invalid byte is its own value. */
NATIVE(s_code_points)
{
    (void)n;
    ARG_STR("codePoints", 0, s);
    struct gs_array *a = gs_array_new(&vm->heap);
    if (a == NULL)
        return GS_E_NOMEM;
    for (size_t i = 0; i < s->len;) {
        uint32_t cp;
        size_t k = gs_utf8_decode(s->data + i, s->len - i, &cp);
        if (gs_array_push(&vm->heap, a, gs_int(cp == 0xFFFFFFFFu ? (unsigned char)s->data[i] : cp)) != GS_OK)
            return GS_E_NOMEM;
        i += k;
    }
    *ret = gs_objv(GS_T_ARRAY, a);
    return GS_OK;
}

NATIVE(s_format)
{
    ARG_STR("format", 0, f);
    struct gs_buf b = {0};
    int st = gs_format(vm, &b, f->data, f->len, args + 1, n - 1);
    if (st == GS_OK)
        st = b.failed ? GS_E_NOMEM : gs_ret_str(ret, gs_str_new(&vm->heap, b.p, b.len));
    gs_buf_free(&b);
    return st;
}

/* One list for the module and for the methods; a method's receiver is its first argument. */
#define STRING_FNS(X)                                                                                                  \
    X("slice", s_slice, 2, 3) X("lower", s_lower, 1, 1) X("upper", s_upper, 1, 1) X("hasPrefix", s_has_prefix, 2, 2)    \
    X("hasSuffix", s_has_suffix, 2, 2) X("indexOf", s_index_of, 2, 3) X("lastIndexOf", s_last_index_of, 2, 2)           \
    X("trim", s_trim, 1, 2) X("trimLeft", s_trim_left, 1, 2) X("trimRight", s_trim_right, 1, 2)                        \
    X("split", s_split, 2, 2) X("splitN", s_split_n, 3, 3) X("replace", s_replace, 3, 3)  \
    X("replaceN", s_replace_n, 4, 4) X("contains", s_contains, 2, 2) X("count", s_count, 2, 2)                         \
    X("toBytes", s_to_bytes, 1, 1) X("padLeft", s_pad_left, 2, 3) X("padRight", s_pad_right, 2, 3)                     \
    X("repeat", s_repeat, 2, 2) X("reverse", s_reverse, 1, 1) X("chars", s_chars, 1, 1)                                \
    X("codePoints", s_code_points, 1, 1) X("fields", s_fields, 1, 1) X("compare", s_compare, 2, 2)                     \
    X("format", s_format, 1, GS_ARGS_ANY)

#define BYTE_AT(fl) GS_FN_AS(BYTE_AT, "byteAt", s_byte_at, 2, 2, GS_NF_PURE | GS_NF_NOPARK | (fl))
#define AS_FUNCTION(nm, f, lo, hi) GS_FN(nm, f, lo, hi, GS_NF_PURE | GS_NF_NOPARK),
#define AS_METHOD(nm, f, lo, hi) GS_FN(nm, f, lo, hi, GS_NF_PURE | GS_NF_NOPARK | GS_NF_METHOD),

static const struct gs_lib_entry entries[] = {
    STRING_FNS(AS_FUNCTION) BYTE_AT(0), GS_FN("join", s_join, 1, 2, GS_NF_PURE),
    GS_FN("fromBytes", s_from_bytes, 1, 1, GS_NF_PURE),
};
GS_LIB_MODULE(gs_lib_strings, "strings", false, entries);

static const struct gs_lib_entry methods[] = {STRING_FNS(AS_METHOD) BYTE_AT(GS_NF_METHOD)};
GS_LIB_MODULE(gs_lib_string_methods, "<string>", false, methods);

/* ---- strings.builder: text that grows, behind a handle; tasks may share it ---- */

struct gs_builder {
    struct gs_hobj h;
    struct gs_spin lock;
    struct gs_buf b;
};

void gs_builder_drop(struct gs_hobj *h)
{
    struct gs_builder *b = (struct gs_builder *)h;
    gs_buf_free(&b->b);
    gs_mem_free(b);
}

#define BUILDER(fn)                                                                                                    \
    struct gs_builder *b = (struct gs_builder *)gs_handle_check(vm, fn, args[0], GS_H_BUILDER);                        \
    (void)n;                                                                                                           \
    if (b == NULL)                                                                                                     \
    return GS_E_THROWN

NATIVE(builder_new)
{
    (void)args;
    (void)n;
    struct gs_builder *b = gs_mem_zalloc(sizeof *b);
    if (b == NULL)
        return GS_E_NOMEM;
    gs_hobj_init(&b->h, GS_H_BUILDER);
    return (int)gs_handle_adopt(vm, &b->h, ret);
}

/* write(b, v...): text forms, nothing between them. */
NATIVE(builder_write)
{
    (void)ret;
    BUILDER("write");
    struct gs_buf t = {0};
    for (uint32_t i = 1; i < n; i++)
        if (n != 2 || args[1].tag != GS_T_STR)
            gs_text_value(&t, args[i], true); /* outside the lock: it may be long */
    const char *p = t.p;
    size_t len = t.len;
    if (n == 2 && args[1].tag == GS_T_STR) {
        p = args[1].s->data;
        len = args[1].s->len;
    }
    gs_spin_lock(&b->lock);
    if (!t.failed && len > 0)
        gs_buf_put(&b->b, p, len);
    bool failed = t.failed || b->b.failed;
    b->b.failed = false; /* what is there stays good */
    gs_spin_unlock(&b->lock);
    gs_buf_free(&t);
    return failed ? gs_throw_nomem(vm) : GS_OK;
}

NATIVE(builder_to_string)
{
    BUILDER("toString");
    gs_spin_lock(&b->lock);
    struct gs_str *s = gs_str_new(&vm->heap, b->b.p, b->b.len);
    gs_spin_unlock(&b->lock);
    return gs_ret_str(ret, s);
}

NATIVE(builder_len)
{
    BUILDER("len");
    gs_spin_lock(&b->lock);
    *ret = gs_int((int64_t)b->b.len);
    gs_spin_unlock(&b->lock);
    return GS_OK;
}

static const struct gs_lib_entry builder_entries[] = {
    GS_FN("new", builder_new, 0, 0, 0),
    GS_FN("write", builder_write, 1, GS_ARGS_ANY, 0),
    GS_FN("toString", builder_to_string, 1, 1, GS_NF_PURE),
    GS_FN("len", builder_len, 1, 1, GS_NF_PURE),
};
GS_LIB_MODULE(gs_lib_strings_builder, "strings.builder", false, builder_entries);
