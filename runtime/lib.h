/* SPDX-License-Identifier: MIT
 * lib.h - how library functions are written and registered.
 *
 * One table (lib.c) lists the modules; a module is an array of entries in its lib_<module>.c. A
 * native is an immortal object in constant memory, so that registering costs nothing at start-up.
 * Functions that take callbacks or wait in several steps are written in Langoost (prelude/) and
 * entered by name.
 *
 * A native    int f(struct gs_vm *vm, gs_value *args, uint32_t nargs, gs_value *ret)
 *   returns   GS_OK with *ret set | GS_E_THROWN through gs_throw | GS_E_NOMEM (nothing changed) |
 *             GS_PARK having set vm->park and published a waiter | GS_YIELD (*ret set) | GS_EXIT.
 *   arity     has been checked against min/max. It never calls back into the language, never blocks
 *             its thread for long (file I/O excepted), keeps no pointer to args or to heap objects
 *             after it returns, and may hold bare gs_value locals (heap.h: nothing collects
 *             inside).
 */
#ifndef GS_RUNTIME_LIB_H
#define GS_RUNTIME_LIB_H

#include "array.h"
#include "error.h"
#include "shape.h"
#include "str.h"
#include "text.h"
#include "vm.h"

enum gs_entry_kind { GS_ENT_FN, GS_ENT_PRELUDE, GS_ENT_INT, GS_ENT_FLOAT, GS_ENT_STR };

struct gs_lib_entry {
    const char *name;
    enum gs_entry_kind kind;
    struct gs_native fn; /* FN */
    const char *prelude; /* PRELUDE: name of the prelude function; STR: the string */
    int64_t i;
    double d;
};

#define GS_NATIVE_INIT(f, nm, lo, hi, fl, is) GS_NATIVE_TWIN_INIT(f, nm, lo, hi, fl, is, NULL)
#define GS_NATIVE_TWIN_INIT(f, nm, lo, hi, fl, is, twin)                                           \
    {                                                                                              \
        .h = {.kind = GS_T_NATIVE, .flags = GS_OF_IMMORTAL, .aux16 = GS_INTRINSIC_##is},           \
        .fn = (f), .name = (nm), .min = (lo), .max = (hi), .flags = (fl), .no_result = (twin)      \
    }
/* hi: GS_ARGS_ANY for no limit */
#define GS_FN(nm, f, lo, hi, fl) GS_FN_AS(NONE, nm, f, lo, hi, fl)
/* A native that compiled code knows: intrinsic.def. */
#define GS_FN_AS(is, nm, f, lo, hi, fl)                                                            \
    {                                                                                              \
        .name = (nm), .kind = GS_ENT_FN, .fn = GS_NATIVE_INIT(f, nm, lo, hi, fl, is)               \
    }
/* A native f that takes ret NULL for "nobody takes the result", with a twin for statements (no_result of struct gs_native): GS_TWIN behind it, then GS_FN_TWIN in the table. */
#define GS_TWIN(f, nm, lo, hi)                                                                     \
    static int f##_alone(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)              \
    {                                                                                              \
        (void)ret;                                                                                 \
        return f(vm, args, n, NULL);                                                               \
    }                                                                                              \
    static const struct gs_native f##_twin = GS_NATIVE_INIT(f##_alone, nm, lo, hi, 0, NONE)
#define GS_FN_TWIN(nm, f, lo, hi)                                                                  \
    {                                                                                              \
        .name = (nm), .kind = GS_ENT_FN, .fn = GS_NATIVE_TWIN_INIT(f, nm, lo, hi, 0, NONE, &f##_twin) \
    }
#define GS_PRELUDE_FN(nm, pre)                                                                     \
    {                                                                                              \
        .name = (nm), .kind = GS_ENT_PRELUDE, .prelude = (pre)                                     \
    }
#define GS_INT_CONST(nm, v)                                                                        \
    {                                                                                              \
        .name = (nm), .kind = GS_ENT_INT, .i = (v)                                                 \
    }
#define GS_FLOAT_CONST(nm, v)                                                                      \
    {                                                                                              \
        .name = (nm), .kind = GS_ENT_FLOAT, .d = (v)                                               \
    }
#define GS_STR_CONST(nm, v)                                                                        \
    {                                                                                              \
        .name = (nm), .kind = GS_ENT_STR, .prelude = (v)                                           \
    }

struct gs_lib_module {
    const char *name; /* full: "math.trig" */
    const struct gs_lib_entry *entries;
    uint32_t n;
    bool flat; /* its entries are also entries of the module it is part of (math.sqrt) */
};

/* Each lib_*.c defines one or more of these and lib.c lists them (lib.def: GS_LIB(symbol)). */
#define GS_LIB_MODULE(sym, full, is_flat, arr)                                                     \
    const struct gs_lib_module sym = {                                                             \
        .name = (full), .entries = (arr), .n = sizeof(arr) / sizeof((arr)[0]), .flat = (is_flat)}

/* Built-in functions (println, len, ...) and the methods of arrays and strings are entries too:
 * modules named "<builtin>", "<array>", "<string>" (natives there take the receiver as args[0] and
 * carry GS_NF_METHOD). */

/* ---- lookups, for the front end and for values of kind MODULE ---- */
const struct gs_lib_module *gs_lib_find(const char *name, size_t n);
/* A member: a NATIVE, a FUNC of the prelude (compiled on demand), a number; or the MODULE value of
 * a sub-module. False when unknown. */
bool gs_lib_member(const struct gs_lib_module *m, const char *name, size_t n, gs_value *out);
gs_value gs_lib_module_value(const struct gs_lib_module *m);
/* Method of a non-object receiver kind (ARRAY, STR), for CALLM's slow path and for bound
 * methods. */
bool gs_lib_method(enum gs_kind receiver, const struct gs_str *name, gs_value *out);
/* A function of the prelude by name; compiles the prelude the first time. Any thread. Panics when
 * there is none: a mistake of ours. */
struct gs_func *gs_prelude_get(const char *name);

/* ---- argument helpers ---- */

/* GS_OK, or GS_E_THROWN with "NAME expects X as argument N, got TYPE". */

/* Int or handle. */
int gs_arg_int(struct gs_vm *vm, const char *fn, gs_value *args, uint32_t i, int64_t *out);
int gs_arg_num(struct gs_vm *vm, const char *fn, gs_value *args, uint32_t i, double *out);
int gs_arg_str(struct gs_vm *vm, const char *fn, gs_value *args, uint32_t i, struct gs_str **out);
int gs_arg_array(struct gs_vm *vm, const char *fn, gs_value *args, uint32_t i,
                 struct gs_array **out);
int gs_arg_object(struct gs_vm *vm, const char *fn, gs_value *args, uint32_t i,
                  struct gs_object **out);
/* FUNC, NATIVE, BOUND. */
int gs_arg_fn(struct gs_vm *vm, const char *fn, gs_value *args, uint32_t i);

/* thread.core.sleep and time.timer.sleep are one function; lib_thread.c. */
int gs_native_sleep(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret);

/* io.stdin.readLine, for input(); lib_io.c. */
int gs_native_read_line(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret);
/* The same after a prompt, which is constant. edit: who reads instead, at a terminal, prompt included, and gives false at the end; NULL: nobody. lib_io.c. */
int gs_read_prompted(struct gs_vm *vm, const char *prompt, bool (*edit)(const char *prompt, struct gs_buf *line), gs_value *ret);
/* os.args and args(), os.exit and exit(): lib_os.c. */
int gs_native_args(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret);
int gs_native_exit(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret);
/* A terminated copy of a string argument that must hold no NUL byte (paths, names); to be freed
 * with gs_mem_free. */
int gs_arg_cstr(struct gs_vm *vm, const char *fn, gs_value *args, uint32_t i, char **z);

/* *ret = string; GS_E_NOMEM when s is NULL. */
GS_INLINE int gs_ret_str(gs_value *ret, struct gs_str *s)
{
    if (s == NULL)
        return GS_E_NOMEM;
    *ret = gs_strv(s);
    return GS_OK;
}

#endif
