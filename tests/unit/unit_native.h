/* SPDX-License-Identifier: MIT
 * unit_native.h - calling library functions directly, as a VM would, also while allocations fail.
 */
#ifndef GS_TESTS_UNIT_NATIVE_H
#define GS_TESTS_UNIT_NATIVE_H

#include "unit_vm.h"

/* A VM in the middle of a main script that does nothing. */
static inline struct gs_vm *native_vm(void)
{
    return unit_vm_of("let r = 0\n");
}

/* Calls FUNCTION of MODULE; the result in *ret. */
static inline int native_call(struct gs_vm *vm, const char *module, const char *function,
                              gs_value *args, uint32_t n, gs_value *ret)
{
    gs_value f = gs_nil();
    const struct gs_lib_module *m = gs_lib_find(module, strlen(module));
    CU_ASSERT_FATAL(m != NULL && gs_lib_member(m, function, strlen(function), &f) &&
                    gs_is(f, GS_T_NATIVE));
    *ret = gs_nil();
    return ((struct gs_native *)f.p)->fn(vm, args, n, ret);
}

#define NATIVE_ARGS(...)                                                                           \
    (gs_value[]){__VA_ARGS__}, sizeof((gs_value[]){__VA_ARGS__}) / sizeof(gs_value)
/* Must succeed. */
#define CALL(vm, module, function, ...) native_must(vm, module, function, NATIVE_ARGS(__VA_ARGS__))

static inline gs_value native_must(struct gs_vm *vm, const char *module, const char *function,
                                   gs_value *args, uint32_t n)
{
    gs_value ret;
    CU_ASSERT_EQUAL_FATAL(native_call(vm, module, function, args, n, &ret), GS_OK);
    return ret;
}

static inline gs_value native_new(struct gs_vm *vm, const char *module)
{
    gs_value ret;
    CU_ASSERT_EQUAL_FATAL(native_call(vm, module, "new", NULL, 0, &ret), GS_OK);
    return ret;
}

static inline gs_value native_str(struct gs_vm *vm, const char *z)
{
    return gs_strv(gs_str_newz(&vm->heap, z));
}

/* An array of n ints from 0 on. */
static inline gs_value native_ints(struct gs_vm *vm, int64_t n)
{
    struct gs_array *a = gs_array_new(&vm->heap);
    for (int64_t i = 0; i < n; i++)
        (void)gs_array_push(&vm->heap, a, gs_int(i));
    return gs_objv(GS_T_ARRAY, a);
}

/* Uses up the room that is left in the heap's chunk or block: the next object needs an allocation.
 * */
static inline void native_fill_heap(struct gs_vm *vm)
{
    struct gs_obj *o;
    gs_mem_fail_at(1);
    while ((o = gs_heap_alloc(&vm->heap, 16)) != NULL)
        gs_obj_init(&vm->heap, o, GS_T_RAW);
    gs_mem_fail_at(0);
}

/* Calls with the 1st, 2nd, 3rd ... allocation and all after it failing, until the call gets
 * through; every failure must be GS_E_NOMEM (or an OutOfMemory thrown) and leave `text(vm, state)`
 * as it was. What the call gave is in *ret. Counts the failures. */
static inline int native_without_memory(struct gs_vm *vm, const char *module, const char *function,
                                        gs_value *args, uint32_t n,
                                        const char *(*text)(struct gs_vm *, gs_value),
                                        gs_value *ret)
{
    char before[4096];
    (void)snprintf(before, sizeof before, "%s", text(vm, args[0]));
    for (uint64_t at = 1; at < 1000; at++) {
        native_fill_heap(vm);
        gs_mem_fail_at(at);
        int st = native_call(vm, module, function, args, n, ret);
        gs_mem_fail_at(0);
        if (st == GS_OK)
            return (int)at - 1;
        if (st != GS_E_NOMEM || strcmp(before, text(vm, args[0])) != 0) {
            printf("\n  %s.%s, allocation %llu: status %d\n  before %s\n  after  %s\n", module,
                   function, (unsigned long long)at, st, before, text(vm, args[0]));
            CU_FAIL("a failed call has changed something");
            return -1;
        }
    }
    CU_FAIL("never gets through");
    return -1;
}

#endif
