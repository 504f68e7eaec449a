/* SPDX-License-Identifier: MIT
 * lib_os.c - the modules os and assert.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib.h"
#include "port/mem.h"
#include "rt.h"

/* A terminated copy of a string argument, which must hold no NUL byte. *z is to be freed. */
int gs_arg_cstr(struct gs_vm *vm, const char *fn, gs_value *args, uint32_t i, char **z)
{
    struct gs_str *s;
    int st = gs_arg_str(vm, fn, args, i, &s);
    if (st != GS_OK)
        return st;
    if (memchr(s->data, '\0', s->len) != NULL)
        return gs_throw(vm, GS_ERR_VALUE, "%s: argument %u holds a NUL byte", fn, i + 1);
    *z = gs_mem_alloc(s->len + 1);
    if (*z == NULL)
        return GS_E_NOMEM;
    memcpy(*z, s->data, s->len);
    (*z)[s->len] = '\0';
    return GS_OK;
}

/* ---- os ---- */

static int os_getenv(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    char *name;
    int st = gs_arg_cstr(vm, "getenv", args, 0, &name);
    if (st != GS_OK)
        return st;
    const char *v = getenv(name);
    gs_mem_free(name);
    return v == NULL ? GS_OK : gs_ret_str(ret, gs_str_newz(&vm->heap, v));
}

int gs_native_args(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)args;
    (void)n;
    struct gs_array *a = gs_array_new(&vm->heap);
    for (int i = 0; a != NULL && i < gs_rt.argc; i++) {
        struct gs_str *s = gs_str_newz(&vm->heap, gs_rt.argv[i]);
        if (s == NULL || gs_array_push(&vm->heap, a, gs_strv(s)) != GS_OK)
            return GS_E_NOMEM;
    }
    if (a == NULL)
        return GS_E_NOMEM;
    *ret = gs_objv(GS_T_ARRAY, a);
    return GS_OK;
}

static int os_cwd(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)args;
    (void)n;
    char *p = getcwd(NULL, 0);
    if (p == NULL)
        return gs_throw(vm, GS_ERR_IO, "cwd: %s", strerror(errno));
    struct gs_str *s = gs_str_newz(&vm->heap, p);
    free(p); /* libc's */
    return gs_ret_str(ret, s);
}

/* exit(code = 0): ends the process at once, after flushing output. */
int gs_native_exit(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)ret;
    int64_t code = 0;
    int st = n > 0 ? gs_arg_int(vm, "exit", args, 0, &code) : GS_OK;
    if (st != GS_OK)
        return st;
    gs_rt_exit((int)(code & 0xff)); /* what the system keeps of it */
    return GS_EXIT;
}

static int os_pid(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)vm;
    (void)args;
    (void)n;
    *ret = gs_int((int64_t)getpid());
    return GS_OK;
}

static int os_hostname(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)args;
    (void)n;
    char name[256];
    if (gethostname(name, sizeof name) != 0)
        return gs_throw(vm, GS_ERR_IO, "hostname: %s", strerror(errno));
    name[sizeof name - 1] = '\0';
    return gs_ret_str(ret, gs_str_newz(&vm->heap, name));
}

static const struct gs_lib_entry os_entries[] = {
    GS_FN("getenv", os_getenv, 1, 1, GS_NF_PURE), GS_FN("args", gs_native_args, 0, 0, GS_NF_PURE),
    GS_FN("cwd", os_cwd, 0, 0, GS_NF_PURE),       GS_FN("exit", gs_native_exit, 0, 1, 0),
    GS_FN("pid", os_pid, 0, 0, GS_NF_PURE),       GS_FN("hostname", os_hostname, 0, 0, GS_NF_PURE),
};
GS_LIB_MODULE(gs_lib_os, "os", false, os_entries);

/* ---- assert ---- */

/* An optional message as the last argument goes before the reason. */
static int failed(struct gs_vm *vm, gs_value *args, uint32_t n, uint32_t at, struct gs_buf *why)
{
    struct gs_buf m = {0};
    if (n > at) {
        gs_text_value(&m, args[at], true);
        gs_buf_putz(&m, ": ");
    }
    gs_buf_put(&m, why->p, why->len);
    int st = m.failed ? GS_E_NOMEM : gs_throw(vm, GS_ERR_ASSERTION, "%.*s", (int)m.len, m.p);
    gs_buf_free(&m);
    gs_buf_free(why);
    return st;
}

/* By ==; arrays and objects by their text form, so that equal contents are equal here. */
static bool same(gs_value a, gs_value b)
{
    if (gs_equal(a, b))
        return true;
    if (gs_kind(a) != gs_kind(b) || (a.tag != GS_T_ARRAY && a.tag != GS_T_OBJECT))
        return false;
    struct gs_buf x = {0}, y = {0};
    gs_text_value(&x, a, false);
    gs_text_value(&y, b, false);
    bool is = x.len == y.len && (x.len == 0 || memcmp(x.p, y.p, x.len) == 0);
    gs_buf_free(&x);
    gs_buf_free(&y);
    return is;
}

static int assert_eq(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)ret;
    if (same(args[0], args[1]))
        return GS_OK;
    struct gs_buf why = {0};
    gs_buf_putz(&why, "expected ");
    gs_text_value(&why, args[1], false);
    gs_buf_putz(&why, ", got ");
    gs_text_value(&why, args[0], false);
    return failed(vm, args, n, 2, &why);
}

static int assert_ok(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)ret;
    if (gs_truthy(args[0]))
        return GS_OK;
    struct gs_buf why = {0};
    gs_buf_putz(&why, "expected a true value, got ");
    gs_text_value(&why, args[0], false);
    return failed(vm, args, n, 1, &why);
}

/* Raised by the prelude's assertThrows. */
static int assert_fail(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)ret;
    struct gs_buf why = {0};
    gs_text_value(&why, args[0], true);
    return failed(vm, args, n, 1, &why);
}

static const struct gs_lib_entry assert_entries[] = {
    GS_FN("eq", assert_eq, 2, 3, 0),
    GS_FN("ok", assert_ok, 1, 2, 0),
    GS_PRELUDE_FN("throws", "assertThrows"),
};
GS_LIB_MODULE(gs_lib_assert, "assert", false, assert_entries);

static const struct gs_lib_entry intrinsics[] = {
    GS_FN("assertFail", assert_fail, 1, 1, 0),
};
GS_LIB_MODULE(gs_lib_assert_intrinsics, "<intrinsic>", false, intrinsics);
