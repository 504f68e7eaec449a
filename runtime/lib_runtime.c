/* SPDX-License-Identifier: MIT
 * lib_runtime.c - the module runtime beside the store (store.c): collector and figures, errors, panic.
 */
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "lib.h"
#include "output.h"
#include "rt.h"

/* ---- runtime.core ---- */

static int core_gc(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)args;
    (void)n;
    (void)ret;
    vm->heap.threshold = 0; /* the interpreter collects right after this call */
    return GS_OK;
}

/* Bytes that this task's heap takes, its shares of outside buffers counted. */
static int core_memory(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)args;
    (void)n;
    *ret = gs_int((int64_t)vm->heap.used);
    return GS_OK;
}

static int core_stats(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)args;
    (void)n;
    static const char *const names[] = {"tasks", "workers", "memory"};
    gs_value vals[] = {gs_int(gs_rt_tasks()), gs_int(gs_sched_workers(gs_rt.sched)),
                       gs_int((int64_t)vm->heap.used)};
    struct gs_object *o = gs_object_new(&vm->heap, gs_shape_plain, 3);
    if (o == NULL)
        return GS_E_NOMEM;
    for (int i = 0; i < 3; i++)
        if (gs_object_put(&vm->heap, o, gs_atomz(names[i]), vals[i]) != GS_OK)
            return GS_E_NOMEM;
    *ret = gs_objv(GS_T_OBJECT, o);
    return GS_OK;
}

static int core_version(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)args;
    (void)n;
    return gs_ret_str(ret, gs_str_newz(&vm->heap, goost_version()));
}

static const struct gs_lib_entry core_entries[] = {
    GS_FN("gc", core_gc, 0, 0, 0),
    GS_FN("memory", core_memory, 0, 0, 0),
    GS_FN("stats", core_stats, 0, 0, GS_NF_PURE),
    GS_FN("version", core_version, 0, 0, GS_NF_PURE),
};
GS_LIB_MODULE(gs_lib_runtime_core, "runtime.core", true, core_entries);

/* ---- runtime.error: {kind, message} objects, which throw completes with place and stack ---- */

static bool field(gs_value v, const char *name, gs_value *out)
{
    return v.tag == GS_T_OBJECT && gs_object_get_atom(v.m, gs_atomz(name), out);
}

/* new(message) or new(kind, message). */
static int error_new(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    struct gs_str *s;
    for (uint32_t i = 0; i < n; i++) {
        int st = gs_arg_str(vm, "new", args, i, &s);
        if (st != GS_OK)
            return st;
    }
    struct gs_str *kind = n == 2 ? args[0].s : gs_str_newz(&vm->heap, "Error");
    struct gs_object *o = gs_object_new(&vm->heap, gs_shape_plain, 5);
    if (kind == NULL || o == NULL || gs_object_put(&vm->heap, o, gs_atomz("kind"), gs_strv(kind)) != GS_OK ||
        gs_object_put(&vm->heap, o, gs_atomz("message"), args[n - 1]) != GS_OK)
        return GS_E_NOMEM;
    *ret = gs_objv(GS_T_OBJECT, o);
    return GS_OK;
}

/* The message of an error; the text form of any other value. */
static int error_message(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    gs_value m;
    if (field(args[0], "message", &m)) {
        *ret = m;
        return GS_OK;
    }
    return gs_ret_str(ret, gs_text_str(&vm->heap, args[0]));
}

static int error_is(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)vm;
    gs_value m, k;
    bool is = field(args[0], "message", &m);
    if (is && n == 2) /* isError(e, kind) */
        is = field(args[0], "kind", &k) && gs_equal(k, args[1]);
    *ret = gs_bool(is);
    return GS_OK;
}

static const struct gs_lib_entry error_entries[] = {
    GS_FN("new", error_new, 1, 2, GS_NF_PURE),
    GS_FN("message", error_message, 1, 1, GS_NF_PURE),
    GS_FN("isError", error_is, 1, 2, GS_NF_PURE),
};
GS_LIB_MODULE(gs_lib_runtime_error, "runtime.error", false, error_entries);

/* ---- runtime.panic ---- */

static int panic_throw(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    (void)ret;
    const char *file = "?";
    uint32_t line = 0;
    struct gs_buf b = {0};
    gs_vm_place(vm, &file, &line);
    gs_buf_putz(&b, "panic: ");
    gs_text_value(&b, args[0], true);
    gs_buf_printf(&b, "\n  at %s:%u\n", file, line);
    gs_err_write(b.p, b.len);
    gs_buf_free(&b);
    gs_rt_exit(2);
    return GS_EXIT;
}

static const struct gs_lib_entry panic_entries[] = {
    GS_FN("throw", panic_throw, 1, 1, 0),
};
GS_LIB_MODULE(gs_lib_runtime_panic, "runtime.panic", false, panic_entries);
