/* SPDX-License-Identifier: MIT
 * test_value.c - truth, equality, exact comparison of numbers, names of kinds.
 */
#include <math.h>

#include "array.h"
#include "status.h"
#include "str.h"
#include "unit.h"
#include "unit_heap.h"
#include "value.h"

static struct unit_heap u;

static gs_value str(const char *z)
{
    return gs_strv(gs_str_newz(&u.h, z));
}

static void only_five_values_are_falsy(void)
{
    CU_ASSERT_FALSE(gs_truthy(gs_nil()));
    CU_ASSERT_FALSE(gs_truthy(gs_bool(false)));
    CU_ASSERT_FALSE(gs_truthy(gs_int(0)));
    CU_ASSERT_FALSE(gs_truthy(gs_float(0.0)));
    CU_ASSERT_FALSE(gs_truthy(gs_float(-0.0)));
    CU_ASSERT_FALSE(gs_truthy(str("")));
    CU_ASSERT_TRUE(gs_truthy(gs_bool(true)));
    CU_ASSERT_TRUE(gs_truthy(gs_int(-1)));
    CU_ASSERT_TRUE(gs_truthy(gs_float(NAN)));
    CU_ASSERT_TRUE(gs_truthy(str("0")));
    CU_ASSERT_TRUE(gs_truthy(gs_objv(GS_T_ARRAY, gs_array_new(&u.h))));
    CU_ASSERT_TRUE(gs_truthy(gs_handlev(3, (struct gs_hobj *)(uintptr_t)0x10)));
}

static void numbers_compare_exactly_across_kinds(void)
{
    int64_t big = ((int64_t)1 << 53) + 1;
    CU_ASSERT_TRUE(gs_equal(gs_int(1), gs_float(1.0)));
    CU_ASSERT_FALSE(gs_equal(gs_int(big), gs_float((double)big)));
    CU_ASSERT_EQUAL(gs_cmp_int_float(big, (double)big), 1);
    CU_ASSERT_EQUAL(gs_cmp_int_float(INT64_MAX, 0x1p63), -1);
    CU_ASSERT_EQUAL(gs_cmp_int_float(INT64_MIN, -0x1p63), 0);
    CU_ASSERT_EQUAL(gs_cmp_int_float(INT64_MIN, -0x1.0000000000001p63), 1);
    CU_ASSERT_EQUAL(gs_cmp_int_float(0, -0.0), 0);
    CU_ASSERT_EQUAL(gs_cmp_int_float(3, 3.5), -1);
    CU_ASSERT_EQUAL(gs_cmp_int_float(-3, -3.5), 1);
    CU_ASSERT_EQUAL(gs_cmp_int_float(-4, -3.5), -1);
    CU_ASSERT_EQUAL(gs_cmp_int_float(5, INFINITY), -1);
    CU_ASSERT_EQUAL(gs_cmp_int_float(5, -INFINITY), 1);
    CU_ASSERT_EQUAL(gs_cmp_int_float(5, NAN), 2);
    CU_ASSERT_FALSE(gs_equal(gs_float(NAN), gs_float(NAN)));
    CU_ASSERT_TRUE(gs_equal(gs_float(0.0), gs_float(-0.0)));
    CU_ASSERT_TRUE(gs_equal(gs_handlev(7, (struct gs_hobj *)(uintptr_t)0x10), gs_int(7)));
    CU_ASSERT_TRUE(gs_equal(gs_float(7.0), gs_handlev(7, (struct gs_hobj *)(uintptr_t)0x10)));
}

static void different_kinds_are_unequal(void)
{
    CU_ASSERT_FALSE(gs_equal(gs_nil(), gs_bool(false)));
    CU_ASSERT_FALSE(gs_equal(gs_int(1), gs_bool(true)));
    CU_ASSERT_FALSE(gs_equal(gs_int(1), str("1")));
    CU_ASSERT_TRUE(gs_equal(gs_nil(), gs_nil()));
    CU_ASSERT_TRUE(gs_equal(gs_bool(true), gs_bool(true)));
}

static void strings_are_equal_by_content_and_arrays_by_identity(void)
{
    gs_value a = gs_objv(GS_T_ARRAY, gs_array_new(&u.h));
    gs_value b = gs_objv(GS_T_ARRAY, gs_array_new(&u.h));
    CU_ASSERT_TRUE(gs_equal(str("hello there"), str("hello there")));
    CU_ASSERT_FALSE(gs_equal(str("hello there"), str("hello thera")));
    CU_ASSERT_FALSE(gs_equal(a, b));
    CU_ASSERT_TRUE(gs_equal(a, a));
}

static void typeof_names_what_the_program_sees(void)
{
    CU_ASSERT_STRING_EQUAL(gs_typeof_name(gs_nil()), "void");
    CU_ASSERT_STRING_EQUAL(gs_typeof_name(gs_bool(true)), "bool");
    CU_ASSERT_STRING_EQUAL(gs_typeof_name(gs_int(1)), "int");
    CU_ASSERT_STRING_EQUAL(gs_typeof_name(gs_handlev(1, (struct gs_hobj *)(uintptr_t)0x10)), "int");
    CU_ASSERT_STRING_EQUAL(gs_typeof_name(gs_float(1)), "float");
    CU_ASSERT_STRING_EQUAL(gs_typeof_name(str("x")), "string");
    static const struct {
        enum gs_kind k;
        const char *name;
    } kinds[] = {{GS_T_ARRAY, "array"},     {GS_T_OBJECT, "object"},  {GS_T_FUNC, "function"},
                 {GS_T_NATIVE, "function"}, {GS_T_BOUND, "function"}, {GS_T_CLASS, "class"},
                 {GS_T_IFACE, "interface"}, {GS_T_TYPE, "type"},      {GS_T_MODULE, "module"},
                 {GS_T_RANGE, "range"}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        CU_ASSERT_STRING_EQUAL(gs_typeof_name(gs_objv(kinds[i].k, "")), kinds[i].name);
}

static void handles_carry_number_and_object(void)
{
    struct gs_hobj *o = (struct gs_hobj *)(uintptr_t)0x7fffdeadbee0;
    gs_value v = gs_handlev(-5, o);
    CU_ASSERT_EQUAL(v.i, -5);
    CU_ASSERT_EQUAL(gs_kind(v), GS_T_HANDLE);
    CU_ASSERT_PTR_EQUAL(gs_handle_obj(v), o);
    CU_ASSERT_TRUE(gs_is_intlike(v));
    CU_ASSERT_FALSE(gs_is_obj(v));
}

static void codes_have_texts(void)
{
    CU_ASSERT_STRING_EQUAL(gs_status_text(GS_OK), "ok");
    CU_ASSERT_STRING_EQUAL(gs_status_text((gs_status)9999), "unknown status");
    CU_ASSERT_STRING_EQUAL(gs_errkind_text(GS_ERR_INDEX), "IndexError");
    CU_ASSERT_STRING_EQUAL(gs_errkind_text(GS_ERR_CANCELLED), "Cancelled");
}

static const struct unit_case cases[] = {
    UNIT_CASE(only_five_values_are_falsy),
    UNIT_CASE(numbers_compare_exactly_across_kinds),
    UNIT_CASE(different_kinds_are_unequal),
    UNIT_CASE(strings_are_equal_by_content_and_arrays_by_identity),
    UNIT_CASE(typeof_names_what_the_program_sees),
    UNIT_CASE(handles_carry_number_and_object),
    UNIT_CASE(codes_have_texts),
};

int main(void)
{
    unit_heap_init(&u);
    int rc = unit_run("value", cases, sizeof cases / sizeof cases[0]);
    unit_heap_fini(&u);
    return rc;
}
