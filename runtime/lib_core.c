/* SPDX-License-Identifier: MIT
 * lib_core.c - the built-in functions (LANGUAGE section 7) and the intrinsics of the prelude's
 * array functions. Array methods: lib_array.c.
 */
#include <math.h>
#include <string.h>

#include "copy.h"
#include "lib.h"
#include "output.h"
#include "rt.h"
#include "slow.h"
#include "slow_int.h"

#define QUIET (GS_NF_PURE | GS_NF_NOPARK)

/* ---- output ---- */

static int write_values(gs_value *args, uint32_t n, bool newline)
{
    struct gs_buf b = {0};
    for (uint32_t i = 0; i < n; i++) {
        if (i > 0)
            gs_buf_putc(&b, ' ');
        gs_text_value(&b, args[i], true);
    }
    if (newline)
        gs_buf_putc(&b, '\n');
    int st = b.failed ? GS_E_NOMEM : GS_OK;
    if (st == GS_OK)
        gs_out_write(b.p, b.len);
    gs_buf_free(&b);
    return st;
}

static int b_print(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)vm;
    (void)ret;
    return n > 0 ? write_values(args, n, false) : GS_OK;
}

static int b_println(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)vm;
    (void)ret;
    if (n == 1 && gs_is(args[0], GS_T_STR) &&
        args[0].s->len < 256) { /* one short string: no buffer */
        char line[257];
        memcpy(line, args[0].s->data, args[0].s->len);
        line[args[0].s->len] = '\n';
        gs_out_write(line, args[0].s->len + 1);
        return GS_OK;
    }
    return write_values(args, n, true);
}

/* ---- values ---- */

static int b_len(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    return gs_slow_len(vm, args[0], ret);
}

static int b_append(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    struct gs_array *a, *c;
    int st = gs_arg_array(vm, "append", args, 0, &a);
    if (st != GS_OK)
        return st;
    c = gs_array_slice(&vm->heap, a, 0, a->len);
    if (c == NULL || gs_array_push_n(&vm->heap, c, args + 1, (int64_t)n - 1) != GS_OK)
        return GS_E_NOMEM;
    *ret = gs_objv(GS_T_ARRAY, c);
    return GS_OK;
}

static int b_typeof(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)vm;
    (void)n;
    *ret = gs_strv(gs_atomz(gs_typeof_name(args[0])));
    return GS_OK;
}

static int b_to_string(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    return gs_ret_str(ret, gs_text_str(&vm->heap, args[0]));
}

static int cannot_convert(struct gs_vm *vm, gs_value v, const char *to)
{
    return gs_throw(vm, GS_ERR_TYPE, "cannot convert %s to %s", gs_kind_word(v), to);
}

static int not_a_number(struct gs_vm *vm, const struct gs_str *s, const char *to)
{
    struct gs_buf b = {0};
    gs_text_quote(&b, s->data, s->len < 60 ? s->len : 60);
    gs_buf_putz(&b, s->len < 60 ? "" : "...");
    gs_buf_putc(&b, '\0');
    int st = gs_throw(vm, GS_ERR_VALUE, "%s is no %s", b.failed ? "the text" : b.p, to);
    gs_buf_free(&b);
    return st;
}

static int float_to_int(struct gs_vm *vm, double d, gs_value *ret)
{
    /* 2^63 is a float, 2^63 - 1 is none: the bounds are exact. */
    if (!(d >= -9223372036854775808.0 && d < 9223372036854775808.0)) {
        char text[GS_NUM_MAX];
        size_t n = gs_text_float(d, text);
        return gs_throw(vm, GS_ERR_VALUE, "%.*s is outside the range of int", (int)n, text);
    }
    *ret = gs_int((int64_t)d);
    return GS_OK;
}

static int b_to_int(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    gs_value v = args[0];
    int64_t i;
    switch (gs_kind(v)) {
    case GS_T_INT:
    case GS_T_HANDLE:
        *ret = gs_visible_int(v);
        return GS_OK;
    case GS_T_BOOL:
        *ret = gs_int(v.u != 0);
        return GS_OK;
    case GS_T_FLOAT:
        return float_to_int(vm, v.d, ret);
    case GS_T_STR:
        if (!gs_text_parse_int(v.s->data, v.s->len, &i))
            return not_a_number(vm, v.s, "int");
        *ret = gs_int(i);
        return GS_OK;
    default:
        return cannot_convert(vm, v, "int");
    }
}

static int b_to_float(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    gs_value v = args[0];
    double d;
    switch (gs_kind(v)) {
    case GS_T_INT:
    case GS_T_HANDLE:
        *ret = gs_float((double)gs_visible_int(v).i);
        return GS_OK;
    case GS_T_BOOL:
        *ret = gs_float(v.u != 0 ? 1.0 : 0.0);
        return GS_OK;
    case GS_T_FLOAT:
        *ret = v;
        return GS_OK;
    case GS_T_STR:
        if (!gs_text_parse_float(v.s->data, v.s->len, &d))
            return not_a_number(vm, v.s, "float");
        *ret = gs_float(d);
        return GS_OK;
    default:
        return cannot_convert(vm, v, "float");
    }
}

static int b_to_bool(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)vm;
    (void)n;
    *ret = gs_bool(gs_truthy(args[0]));
    return GS_OK;
}

static int b_range(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    int64_t v[3] = {0, 0, 1};
    for (uint32_t i = 0; i < n; i++) {
        int st = gs_arg_int(vm, "range", args, i, &v[i]);
        if (st != GS_OK)
            return st;
    }
    if (n == 1) {
        v[1] = v[0];
        v[0] = 0;
    }
    if (v[2] == 0)
        return gs_throw(vm, GS_ERR_VALUE, "range step is 0");
    struct gs_range *r = gs_heap_new(&vm->heap, GS_T_RANGE, sizeof *r);
    if (r == NULL)
        return GS_E_NOMEM;
    r->start = v[0];
    r->stop = v[1];
    r->step = v[2];
    *ret = gs_objv(GS_T_RANGE, r);
    return GS_OK;
}

/* ---- objects ---- */

static int b_keys(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_object *o;
    int st = gs_arg_object(vm, "keys", args, 0, &o);
    if (st != GS_OK)
        return st;
    struct gs_array *a = gs_object_keys(&vm->heap, o);
    if (a == NULL)
        return GS_E_NOMEM;
    *ret = gs_objv(GS_T_ARRAY, a);
    return GS_OK;
}

static int b_values(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_object *o;
    int st = gs_arg_object(vm, "values", args, 0, &o);
    if (st != GS_OK)
        return st;
    struct gs_array *names = gs_object_keys(&vm->heap, o), *out = gs_array_new(&vm->heap);
    if (names == NULL || out == NULL)
        return GS_E_NOMEM;
    for (int64_t i = 0; i < names->len; i++) {
        gs_value v = gs_nil();
        (void)gs_object_get(o, gs_array_at(names, i).s, &v);
        if (gs_array_push(&vm->heap, out, v) != GS_OK)
            return GS_E_NOMEM;
    }
    *ret = gs_objv(GS_T_ARRAY, out);
    return GS_OK;
}

static int object_and_key(struct gs_vm *vm, const char *fn, gs_value *args, struct gs_object **o,
                          struct gs_str **k)
{
    int st = gs_arg_object(vm, fn, args, 0, o);
    return st == GS_OK ? gs_arg_str(vm, fn, args, 1, k) : st;
}

static int b_has(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_object *o;
    struct gs_str *k;
    int st = object_and_key(vm, "has", args, &o, &k);
    gs_value v;
    if (st == GS_OK)
        *ret = gs_bool(gs_object_get(o, k, &v));
    return st;
}

static int b_delete(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_object *o;
    struct gs_str *k;
    bool was = false;
    int st = object_and_key(vm, "delete", args, &o, &k);
    if (st == GS_OK)
        st = (int)gs_object_delete(&vm->heap, o, k, &was);
    if (st == GS_OK)
        *ret = gs_bool(was);
    return st;
}

static int b_copy(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    return (int)gs_copy_local(vm, args[0], ret);
}

/* ---- numbers ---- */

static bool is_number(gs_value v)
{
    return gs_is(v, GS_T_FLOAT) || gs_is_intlike(v);
}

/* The extreme of the arguments, its kind kept; a NaN among them wins. sign: 1 for max, -1 for min.
 * */
static int extreme(struct gs_vm *vm, const char *fn, gs_value *args, uint32_t n, int sign,
                   gs_value *ret)
{
    gs_value best = gs_nil();
    for (uint32_t i = 0; i < n; i++) {
        double ignored;
        if (!is_number(args[i]))
            return gs_arg_num(vm, fn, args, i, &ignored);
        gs_value v = gs_is(args[i], GS_T_FLOAT) ? args[i] : gs_visible_int(args[i]);
        bool nan = gs_is(v, GS_T_FLOAT) && isnan(v.d);
        if (i == 0 || nan) {
            best = v;
            if (nan)
                break;
            continue;
        }
        int c = gs_slow_compare(vm, false, false, sign > 0 ? best : v, sign > 0 ? v : best);
        if (c == 1)
            best = v;
    }
    *ret = best;
    return GS_OK;
}

static int b_min(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    return extreme(vm, "min", args, n, -1, ret);
}

static int b_max(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    return extreme(vm, "max", args, n, 1, ret);
}

static int b_abs(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    gs_value v = args[0];
    double ignored;
    if (!is_number(v))
        return gs_arg_num(vm, "abs", args, 0, &ignored);
    if (gs_is(v, GS_T_FLOAT))
        *ret = gs_float(fabs(v.d));
    else
        *ret = gs_int(v.i < 0 ? (int64_t)(0 - (uint64_t)gs_visible_int(v).i) : gs_visible_int(v).i);
    return GS_OK;
}

/* ---- the process ---- */

static int b_assert(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)ret;
    if (gs_truthy(args[0]))
        return GS_OK;
    if (n < 2)
        return gs_throw(vm, GS_ERR_ASSERTION, "assertion failed");
    struct gs_buf b = {0};
    gs_text_value(&b, args[1], true);
    int st = gs_throw(vm, GS_ERR_ASSERTION, "%.*s", b.failed ? 0 : (int)b.len, b.failed ? "" : b.p);
    gs_buf_free(&b);
    return st;
}

/* A line of standard input without its end, nil at the end of input: io.stdin.readLine behind an
 * optional prompt. */
static int b_input(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    gs_value reader;
    const struct gs_lib_module *m = gs_lib_find("io.stdin", 8);
    if (m == NULL || !gs_lib_member(m, "readLine", 8, &reader) || !gs_is(reader, GS_T_NATIVE))
        return gs_throw(vm, GS_ERR_IO, "standard input cannot be read");
    if (n > 0) {
        int st = write_values(args, 1, false);
        if (st != GS_OK)
            return st;
        gs_out_flush();
    }
    return ((const struct gs_native *)reader.p)->fn(vm, args, 0, ret);
}

static const struct gs_lib_entry builtins[] = {
    GS_FN("print", b_print, 0, GS_ARGS_ANY, QUIET),
    GS_FN("println", b_println, 0, GS_ARGS_ANY, QUIET),
    GS_FN("len", b_len, 1, 1, QUIET),
    GS_FN("append", b_append, 1, GS_ARGS_ANY, QUIET),
    GS_FN("typeof", b_typeof, 1, 1, QUIET),
    GS_FN_AS(TEXT, "toString", b_to_string, 1, 1, QUIET),
    GS_FN_AS(TRUNC, "toInt", b_to_int, 1, 1, QUIET),
    GS_FN_AS(TO_FLOAT, "toFloat", b_to_float, 1, 1, QUIET),
    GS_FN("toBool", b_to_bool, 1, 1, QUIET),
    GS_FN("range", b_range, 1, 3, QUIET),
    GS_FN("exit", gs_native_exit, 0, 1, 0),
    GS_FN("keys", b_keys, 1, 1, QUIET),
    GS_FN("values", b_values, 1, 1, QUIET),
    GS_FN("has", b_has, 2, 2, QUIET),
    GS_FN("delete", b_delete, 2, 2, QUIET),
    GS_FN("copy", b_copy, 1, 1, QUIET),
    GS_FN("assert", b_assert, 1, 2, QUIET),
    GS_FN("input", b_input, 0, 1, 0),
    GS_FN("args", gs_native_args, 0, 0, QUIET),
    GS_FN_AS(MIN, "min", b_min, 1, GS_ARGS_ANY, QUIET),
    GS_FN_AS(MAX, "max", b_max, 1, GS_ARGS_ANY, QUIET),
    GS_FN_AS(ABS, "abs", b_abs, 1, 1, QUIET),
};
GS_LIB_MODULE(gs_lib_builtin, "<builtin>", false, builtins);
