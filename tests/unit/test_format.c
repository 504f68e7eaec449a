/* SPDX-License-Identifier: MIT
 * test_format.c - strings.format: every verb, its flags, and what it refuses.
 */
#include "unit_native.h"

#include <math.h>

#include "format.h"

static const char *formatted(const char *f, const gs_value *args, uint32_t n)
{
    static char text[512];
    struct gs_vm *vm = native_vm();
    struct gs_buf b = {0};
    if (gs_format(vm, &b, f, strlen(f), args, n) == GS_OK)
        snprintf(text, sizeof text, "%.*s", (int)b.len, b.p != NULL ? b.p : "");
    else
        snprintf(text, sizeof text, "error");
    gs_buf_free(&b);
    gs_vm_free(vm);
    return text;
}

static bool is(const char *f, gs_value v, const char *want)
{
    const char *got = formatted(f, &v, 1);
    if (strcmp(got, want) != 0)
        printf("\n  %s: want \"%s\", got \"%s\"\n", f, want, got);
    return strcmp(got, want) == 0;
}

static gs_value str(const char *z)
{
    return gs_strv(gs_atomz(z));
}

static void integers_in_all_bases(void)
{
    CU_ASSERT_TRUE(is("%d", gs_int(-42), "-42"));
    CU_ASSERT_TRUE(is("%5d|", gs_int(42), "   42|"));
    CU_ASSERT_TRUE(is("%-5d|", gs_int(42), "42   |"));
    CU_ASSERT_TRUE(is("%05d", gs_int(-42), "-0042"));
    CU_ASSERT_TRUE(is("%+d", gs_int(42), "+42"));
    CU_ASSERT_TRUE(is("% d", gs_int(42), " 42"));
    CU_ASSERT_TRUE(is("%-05d|", gs_int(42), "42   |"));
    CU_ASSERT_TRUE(is("%x %%", gs_int(255), "ff %"));
    CU_ASSERT_TRUE(is("%#X", gs_int(255), "0XFF"));
    CU_ASSERT_TRUE(is("%#06x", gs_int(255), "0x00ff"));
    CU_ASSERT_TRUE(is("%o", gs_int(8), "10"));
    CU_ASSERT_TRUE(is("%#o", gs_int(8), "010"));
    CU_ASSERT_TRUE(is("%b", gs_int(-5), "-101"));
    CU_ASSERT_TRUE(is("%d", gs_int(INT64_MIN), "-9223372036854775808"));
    CU_ASSERT_TRUE(is("%b", gs_int(INT64_MIN), "-1000000000000000000000000000000000000000000000000000000000000000"));
}

static void floats(void)
{
    CU_ASSERT_TRUE(is("%f", gs_float(1.5), "1.500000"));
    CU_ASSERT_TRUE(is("%.2f", gs_float(-1.005), "-1.00"));
    CU_ASSERT_TRUE(is("%8.3f|", gs_float(3.14159), "   3.142|"));
    CU_ASSERT_TRUE(is("%-8.3f|", gs_float(3.14159), "3.142   |"));
    CU_ASSERT_TRUE(is("%08.3f", gs_float(-3.14159), "-003.142"));
    CU_ASSERT_TRUE(is("%e", gs_float(12345.678), "1.234568e+04"));
    CU_ASSERT_TRUE(is("%g", gs_float(3.0), "3"));
    CU_ASSERT_TRUE(is("%g", gs_float(0.1), "0.1"));
    CU_ASSERT_TRUE(is("%.3g", gs_float(1234.5), "1.23e+03"));
    CU_ASSERT_TRUE(is("%f", gs_int(2), "2.000000"));
    CU_ASSERT_TRUE(is("%5g|", gs_float(HUGE_VAL), "  Inf|"));
    CU_ASSERT_TRUE(is("%05g", gs_float(-HUGE_VAL), " -Inf"));
    CU_ASSERT_TRUE(is("%+f", gs_float(HUGE_VAL), "+Inf"));
}

static void text_and_values(void)
{
    CU_ASSERT_TRUE(is("<%s>", str("a"), "<a>"));
    CU_ASSERT_TRUE(is("%5s|", str("\xc3\xa4"), "    \xc3\xa4|")); /* width counts code points */
    CU_ASSERT_TRUE(is("%.2s", str("\xc3\xa4\xc3\xb6\xc3\xbc"), "\xc3\xa4\xc3\xb6"));
    CU_ASSERT_TRUE(is("%-4s|", str("ab"), "ab  |"));
    CU_ASSERT_TRUE(is("%q", str("a\"b\n"), "\"a\\\"b\\n\""));
    CU_ASSERT_TRUE(is("%v", gs_nil(), "nil"));
    CU_ASSERT_TRUE(is("%v", gs_float(1), "1.0"));
    CU_ASSERT_TRUE(is("%s", gs_int(7), "7"));
    CU_ASSERT_TRUE(is("%c", gs_int(0x20AC), "\xe2\x82\xac"));
    CU_ASSERT_TRUE(is("%3c|", gs_int('x'), "  x|"));
}

static void mistakes_are_errors(void)
{
    CU_ASSERT_TRUE(is("%d", gs_float(1), "error"));
    CU_ASSERT_TRUE(is("%d", str("1"), "error"));
    CU_ASSERT_TRUE(is("%f", str("1"), "error"));
    CU_ASSERT_TRUE(is("%c", gs_int(-1), "error"));
    CU_ASSERT_TRUE(is("%c", gs_int(0xD800), "error"));
    CU_ASSERT_TRUE(is("%y", gs_int(1), "error"));
    CU_ASSERT_TRUE(is("%", gs_int(1), "error"));
    CU_ASSERT_TRUE(is("%5", gs_int(1), "error"));
    CU_ASSERT_TRUE(is("%.", gs_int(1), "error"));
    CU_ASSERT_TRUE(is("%9999999d", gs_int(1), "error"));
    CU_ASSERT_TRUE(is("no verb", gs_int(1), "error"));
    CU_ASSERT_TRUE(is("%d %d", gs_int(1), "error"));
    CU_ASSERT_STRING_EQUAL(formatted("%%", NULL, 0), "%");
    CU_ASSERT_STRING_EQUAL(formatted("", NULL, 0), "");
}

static const struct unit_case cases[] = {
    UNIT_CASE(integers_in_all_bases),
    UNIT_CASE(floats),
    UNIT_CASE(text_and_values),
    UNIT_CASE(mistakes_are_errors),
};
UNIT_MAIN("format", cases)
