/* SPDX-License-Identifier: MIT
 * test_lib_regex.c - the module regex when memory runs out, and its cache. What the functions give:
 * tests/script/lib_regex.
 */
#include "unit_native.h"

static const char *no_text(struct gs_vm *vm, gs_value v)
{
    (void)vm;
    (void)v;
    return "";
}

static gs_value long_text(struct gs_vm *vm)
{
    char text[2000];
    size_t n = 0;
    for (int i = 0; i < 100; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "word%d and ", i);
    return gs_strv(gs_str_new(&vm->heap, text, n));
}

static void every_function_survives_without_memory(void)
{
    struct gs_vm *vm = native_vm();
    gs_value s = long_text(vm), ret;
    gs_value pattern = native_str(vm, "([a-z]+)([0-9]+)"),
             wide = native_str(vm, "()()()()()()()()()()()(d)");
    CU_ASSERT(
        native_without_memory(vm, "regex", "findAll", NATIVE_ARGS(pattern, s), no_text, &ret) > 0);
    CU_ASSERT_EQUAL(ret.a->len, 100);
    CU_ASSERT(native_without_memory(vm, "regex", "findAllGroups", NATIVE_ARGS(pattern, s), no_text,
                                    &ret) > 0);
    CU_ASSERT_EQUAL(ret.a->len, 100);
    CU_ASSERT(native_without_memory(vm, "regex", "split", NATIVE_ARGS(pattern, s), no_text, &ret) >
              0);
    CU_ASSERT_EQUAL(ret.a->len, 101);
    CU_ASSERT(native_without_memory(vm, "regex", "replace",
                                    NATIVE_ARGS(pattern, s, native_str(vm, "$2$1$$")), no_text,
                                    &ret) > 0);
    CU_ASSERT_NSTRING_EQUAL(ret.s->data, "0word$ and 1word$", 17);
    CU_ASSERT(native_without_memory(vm, "regex", "groups", NATIVE_ARGS(wide, s), no_text, &ret) >
              0);
    CU_ASSERT_EQUAL(ret.a->len, 13);
    CU_ASSERT(native_without_memory(vm, "regex", "find", NATIVE_ARGS(native_str(vm, "d1.*"), s),
                                    no_text, &ret) > 0);
    CU_ASSERT(native_without_memory(vm, "regex", "escape", NATIVE_ARGS(s), no_text, &ret) > 0);
    gs_vm_free(vm);
}

static void more_patterns_than_the_cache_holds_take_turns(void)
{
    struct gs_vm *vm = native_vm();
    char pattern[40];
    bool right = true;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 500; i++) {
            (void)snprintf(pattern, sizeof pattern, "^%d(x)?$", i);
            gs_value p = native_str(vm, pattern);
            right =
                right &&
                CALL(vm, "regex", "match", p, gs_strv(gs_text_str(&vm->heap, gs_int(i)))).i == 1 &&
                CALL(vm, "regex", "match", p, gs_strv(gs_text_str(&vm->heap, gs_int(i + 1)))).i ==
                    0;
        }
    }
    CU_ASSERT(right);
    gs_vm_free(vm);
}

static const struct unit_case cases[] = {
    UNIT_CASE(every_function_survives_without_memory),
    UNIT_CASE(more_patterns_than_the_cache_holds_take_turns),
};
UNIT_MAIN("regex", cases)
