/* SPDX-License-Identifier: MIT
 * test_coll.c - collections: keys, and what is left when memory runs out in the middle. What the
 * functions give: tests/script/lib_collections.
 */
#include "unit_native.h"

#include <math.h>

#include "coll_int.h"

static bool same_key(gs_value a, gs_value b)
{
    struct gs_key x = gs_key_of(a), y = gs_key_of(b);
    bool same = gs_key_equal(&x, &y);
    CU_ASSERT(!same || x.hash == y.hash);
    CU_ASSERT_EQUAL(same, gs_key_equal(&y, &x));
    return same;
}

static void numbers_are_one_key_when_they_are_equal(void)
{
    CU_ASSERT(same_key(gs_int(1), gs_float(1.0)));
    CU_ASSERT(same_key(gs_float(0.0), gs_float(-0.0)));
    CU_ASSERT(same_key(gs_int(0), gs_float(-0.0)));
    CU_ASSERT(same_key(gs_int(INT64_MIN), gs_float(-0x1p63)));
    CU_ASSERT(!same_key(gs_int(INT64_MAX), gs_float(0x1p63)));
    CU_ASSERT(!same_key(gs_int((INT64_C(1) << 53) + 1), gs_float(0x1p53)));
    CU_ASSERT(same_key(gs_float(0.5), gs_float(0.5)));
    CU_ASSERT(!same_key(gs_float((double)INFINITY), gs_float(-(double)INFINITY)));
    CU_ASSERT(same_key(gs_float((double)NAN), gs_float(-(double)NAN)));
}

static void keys_of_different_types_differ(void)
{
    struct gs_vm *vm = native_vm();
    gs_value v[] = {gs_nil(),  gs_bool(false),     gs_bool(true),      gs_int(0),
                    gs_int(1), native_str(vm, ""), native_str(vm, "1")};
    for (size_t i = 0; i < sizeof v / sizeof v[0]; i++)
        for (size_t k = 0; k < sizeof v / sizeof v[0]; k++)
            CU_ASSERT_EQUAL(same_key(v[i], v[k]), i == k);
    CU_ASSERT_EQUAL(gs_key_of(native_ints(vm, 1)).kind, GS_KEY_NONE);
    gs_vm_free(vm);
}

static void strings_are_one_key_however_they_are_kept(void)
{
    struct gs_vm *vm = native_vm();
    gs_value heap = native_str(vm, "some text"), rest, again;
    CU_ASSERT_EQUAL_FATAL(gs_key_pack(heap, &rest), GS_OK);
    CU_ASSERT(gs_is(rest, GS_T_RAW));
    CU_ASSERT(same_key(heap, rest) && same_key(rest, gs_strv(gs_atomz("some text"))));
    gs_key_dup(rest, &again);
    CU_ASSERT(gs_same(rest, again));
    gs_key_drop(again);
    gs_key_drop(rest);
    gs_vm_free(vm);
}

/* ---- failing allocations ---- */

#define LONG "a string that is long enough to be kept as a text of its own, and not a constant"

static const char *values_text(struct gs_vm *vm, const char *module, const char *function,
                               gs_value h)
{
    return unit_text(CALL(vm, module, function, h));
}

static const char *stack_text(struct gs_vm *vm, gs_value h)
{
    return values_text(vm, "collections.stack", "values", h);
}

static const char *ring_text(struct gs_vm *vm, gs_value h)
{
    return values_text(vm, "collections.ring", "values", h);
}

static const char *set_text(struct gs_vm *vm, gs_value h)
{
    return values_text(vm, "collections.set", "values", h);
}

static const char *map_text(struct gs_vm *vm, gs_value h)
{
    return values_text(vm, "collections.map", "entries", h);
}

/* A heap shows only its first; its length tells the rest. */
static const char *heap_text(struct gs_vm *vm, gs_value h)
{
    static char text[4096];
    (void)snprintf(text, sizeof text, "%s of %s",
                   unit_text(CALL(vm, "collections.heap", "peek", h)),
                   unit_text(CALL(vm, "collections.heap", "len", h)));
    return text;
}

static void a_push_without_memory_changes_nothing(void)
{
    struct gs_vm *vm = native_vm();
    gs_value s = native_new(vm, "collections.stack"), ret;
    for (int i = 0; i < 40; i++) /* past several sizes of the buffer */
        (void)native_without_memory(vm, "collections.stack", "push",
                                    NATIVE_ARGS(s, native_str(vm, LONG)), stack_text, &ret);
    CU_ASSERT(native_without_memory(vm, "collections.stack", "push",
                                    NATIVE_ARGS(s, native_ints(vm, 1000)), stack_text, &ret) > 0);
    CU_ASSERT_EQUAL(CALL(vm, "collections.stack", "len", s).i, 41);
    gs_vm_free(vm);
}

static void a_pop_without_memory_puts_back(void)
{
    struct gs_vm *vm = native_vm();
    gs_value s = native_new(vm, "collections.stack"), ret;
    CALL(vm, "collections.stack", "push", s, native_str(vm, LONG));
    CALL(vm, "collections.stack", "push", s, native_ints(vm, 50));
    CALL(vm, "collections.stack", "push", s, native_ints(vm, 5000));
    char want[3][512];
    for (int i = 0; i < 3; i++) {
        (void)snprintf(want[i], sizeof want[i], "%s",
                       unit_text(CALL(vm, "collections.stack", "peek", s)));
        CU_ASSERT(native_without_memory(vm, "collections.stack", "pop", NATIVE_ARGS(s), stack_text,
                                        &ret) > 0);
        char got[512];
        (void)snprintf(got, sizeof got, "%s", unit_text(ret));
        CU_ASSERT_STRING_EQUAL(got, want[i]);
    }
    CU_ASSERT_EQUAL(CALL(vm, "collections.stack", "len", s).i, 0);
    gs_vm_free(vm);
}

static void a_full_ring_without_memory_keeps_its_oldest(void)
{
    struct gs_vm *vm = native_vm();
    gs_value ret, r = CALL(vm, "collections.ring", "new", gs_int(2));
    CALL(vm, "collections.ring", "push", r, native_ints(vm, 100));
    CALL(vm, "collections.ring", "push", r, gs_int(1));
    CU_ASSERT(native_without_memory(vm, "collections.ring", "push",
                                    NATIVE_ARGS(r, native_ints(vm, 200)), ring_text, &ret) > 0);
    CU_ASSERT(gs_is(ret, GS_T_ARRAY) && ret.a->len == 100);
    CU_ASSERT_EQUAL(CALL(vm, "collections.ring", "len", r).i, 2);
    gs_vm_free(vm);
}

static void sets_and_maps_without_memory_stay(void)
{
    struct gs_vm *vm = native_vm();
    gs_value s = native_new(vm, "collections.set"), m = native_new(vm, "collections.map"), ret;
    char key[100];
    for (int i = 0; i < 40; i++) {
        (void)snprintf(key, sizeof key, "%s %d", LONG, i);
        (void)native_without_memory(vm, "collections.set", "add",
                                    NATIVE_ARGS(s, native_str(vm, key)), set_text, &ret);
        CU_ASSERT(gs_truthy(ret));
        (void)native_without_memory(vm, "collections.map", "set",
                                    NATIVE_ARGS(m, native_str(vm, key), native_ints(vm, i)),
                                    map_text, &ret);
        (void)native_without_memory(vm, "collections.map", "set",
                                    NATIVE_ARGS(m, native_str(vm, key), gs_int(i)), map_text, &ret);
    }
    CU_ASSERT(native_without_memory(vm, "collections.set", "union", NATIVE_ARGS(s, s), set_text,
                                    &ret) > 0);
    CU_ASSERT_EQUAL(CALL(vm, "collections.set", "len", ret).i, 40);
    CU_ASSERT(native_without_memory(vm, "collections.map", "entries", NATIVE_ARGS(m), map_text,
                                    &ret) > 0);
    CU_ASSERT_EQUAL(ret.a->len, 40);
    gs_vm_free(vm);
}

static void a_heap_without_memory_keeps_its_order(void)
{
    struct gs_vm *vm = native_vm();
    gs_value h = native_new(vm, "collections.heap"), ret;
    char key[100];
    for (int i = 0; i < 40; i++) {
        (void)snprintf(key, sizeof key, "%02d %s", i * 7 % 40, LONG);
        (void)native_without_memory(vm, "collections.heap", "push",
                                    NATIVE_ARGS(h, native_str(vm, key)), heap_text, &ret);
    }
    for (int i = 0; i < 40; i++) {
        (void)native_without_memory(vm, "collections.heap", "pop", NATIVE_ARGS(h), heap_text, &ret);
        CU_ASSERT_EQUAL_FATAL(atoi(ret.s->data), i);
    }
    gs_vm_free(vm);
}

static void a_cleared_stack_goes_on_and_a_freed_one_does_not(void)
{
    struct gs_vm *vm = native_vm();
    gs_value s = native_new(vm, "collections.stack");
    for (int i = 0; i < 3000; i++)
        CALL(vm, "collections.stack", "push", s, native_ints(vm, 2));
    CALL(vm, "collections.stack", "clear", s);
    CU_ASSERT_EQUAL(CALL(vm, "collections.stack", "len", s).i, 0);
    CALL(vm, "collections.stack", "push", s, gs_int(5));
    CU_ASSERT_EQUAL(CALL(vm, "collections.stack", "pop", s).i, 5);
    gs_value none = gs_nil();
    CU_ASSERT_EQUAL(native_call(vm, "collections", "free", &s, 1, &none), GS_OK);
    CU_ASSERT_PTR_NULL(gs_handle_find(s));
    gs_vm_free(vm);
}

static const struct unit_case cases[] = {
    UNIT_CASE(numbers_are_one_key_when_they_are_equal),
    UNIT_CASE(keys_of_different_types_differ),
    UNIT_CASE(strings_are_one_key_however_they_are_kept),
    UNIT_CASE(a_push_without_memory_changes_nothing),
    UNIT_CASE(a_pop_without_memory_puts_back),
    UNIT_CASE(a_full_ring_without_memory_keeps_its_oldest),
    UNIT_CASE(sets_and_maps_without_memory_stay),
    UNIT_CASE(a_heap_without_memory_keeps_its_order),
    UNIT_CASE(a_cleared_stack_goes_on_and_a_freed_one_does_not),
};
UNIT_MAIN("collections", cases)
