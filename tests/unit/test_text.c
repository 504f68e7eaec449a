/* SPDX-License-Identifier: MIT
 * test_text.c - numbers to text and back, text forms of values.
 */
#include <math.h>

#include "array.h"
#include "handle.h"
#include "port/mem.h"
#include "shape.h"
#include "str.h"
#include "text.h"
#include "unit.h"
#include "unit_heap.h"
#include "vm.h"

static struct unit_heap u;

static gs_value arrv(const struct gs_array *a)
{
    return gs_objv(GS_T_ARRAY, a);
}

static gs_value objv(const struct gs_object *o)
{
    return gs_objv(GS_T_OBJECT, o);
}

static gs_value str(const char *z)
{
    return gs_strv(gs_str_newz(&u.h, z));
}

/* Compares the text form with what is wanted; prints both when they differ. */
static bool is_text(gs_value v, bool top, const char *want)
{
    struct gs_buf b = {0};
    gs_text_value(&b, v, top);
    gs_buf_putc(&b, 0);
    bool ok = !b.failed && strcmp(b.p, want) == 0;
    if (!ok)
        fprintf(stderr, "got  %s\nwant %s\n", b.p, want);
    gs_buf_free(&b);
    return ok;
}

static bool float_is(double d, const char *want)
{
    return is_text(gs_float(d), true, want);
}

/* ---- the table ---- */

#define LIMBS 48

struct big {
    uint32_t limb[LIMBS];
};

static void big_mul(struct big *b, uint32_t x)
{
    uint64_t carry = 0;
    for (int i = 0; i < LIMBS; i++) {
        carry += (uint64_t)b->limb[i] * x;
        b->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
    CU_ASSERT_EQUAL(carry, 0);
}

static void big_shift(struct big *b, int bits)
{
    while (bits-- > 0)
        big_mul(b, 2);
}

static int big_compare(const struct big *a, const struct big *b)
{
    for (int i = LIMBS; i-- > 0;)
        if (a->limb[i] != b->limb[i])
            return a->limb[i] < b->limb[i] ? -1 : 1;
    return 0;
}

static struct big big_entry(uint64_t high, uint64_t low)
{
    struct big b = {{(uint32_t)low, (uint32_t)(low >> 32 | high << 31), (uint32_t)(high >> 1),
                     (uint32_t)(high >> 33)}};
    return b;
}

/* 2^63 * high + low - 1 <= 10^k / 2^r < 2^63 * high + low, in integers. */
static void check_entry(int k, uint64_t high, uint64_t low)
{
    struct big power = {{1}}, below, above = big_entry(high, low);
    CU_ASSERT_TRUE(high >> 62 == 1 && low >> 63 == 0);
    below = above;
    for (int i = 0; i < LIMBS && below.limb[i]-- == 0; i++)
        ;
    int r = (int)((int64_t)k * 913124641741 >> 38) - 125;
    for (int i = 0; i < k; i++)
        big_mul(&power, 10);
    for (int i = 0; i < -k; i++) {
        big_mul(&below, 10);
        big_mul(&above, 10);
    }
    if (r > 0) {
        big_shift(&below, r);
        big_shift(&above, r);
    } else {
        big_shift(&power, -r);
    }
    CU_ASSERT_TRUE(big_compare(&below, &power) <= 0);
    CU_ASSERT_TRUE(big_compare(&power, &above) < 0);
}

static void the_table_of_powers_is_exact(void)
{
#define GS_POW10(k, high, low) check_entry(k, high, low);
#include "pow10.def"
#undef GS_POW10
}

/* ---- floats out ---- */

static void floats_look_as_the_language_says(void)
{
    CU_ASSERT_TRUE(float_is(3.0, "3.0"));
    CU_ASSERT_TRUE(float_is(0.1, "0.1"));
    CU_ASSERT_TRUE(float_is(1500000.0, "1500000.0"));
    CU_ASSERT_TRUE(float_is(0.000001, "0.000001"));
    CU_ASSERT_TRUE(float_is(1e21, "1e+21"));
    CU_ASSERT_TRUE(float_is(1.5e-7, "1.5e-7"));
    CU_ASSERT_TRUE(float_is(0.0, "0.0"));
    CU_ASSERT_TRUE(float_is(-0.0, "-0.0"));
    CU_ASSERT_TRUE(float_is(INFINITY, "Inf"));
    CU_ASSERT_TRUE(float_is(-INFINITY, "-Inf"));
    CU_ASSERT_TRUE(float_is(NAN, "NaN"));
    CU_ASSERT_TRUE(float_is(-NAN, "NaN"));
    CU_ASSERT_TRUE(float_is(1e20, "100000000000000000000.0"));
    CU_ASSERT_TRUE(float_is(999999999999999900000.0, "999999999999999900000.0"));
    CU_ASSERT_TRUE(float_is(123456789012345680000.0, "123456789012345680000.0"));
    CU_ASSERT_TRUE(float_is(1.0 / 3.0, "0.3333333333333333"));
    CU_ASSERT_TRUE(float_is(2.0 / 3.0, "0.6666666666666666"));
    CU_ASSERT_TRUE(float_is(0.1 + 0.2, "0.30000000000000004"));
    CU_ASSERT_TRUE(float_is(5e-324, "5e-324"));
    CU_ASSERT_TRUE(float_is(1e-323, "1e-323"));
    CU_ASSERT_TRUE(float_is(0x1p-1022, "2.2250738585072014e-308"));
    CU_ASSERT_TRUE(float_is(0x1.fffffffffffffp1023, "1.7976931348623157e+308"));
    CU_ASSERT_TRUE(float_is(9007199254740993.0, "9007199254740992.0"));
    CU_ASSERT_TRUE(float_is(0x1p63, "9223372036854776000.0"));
    CU_ASSERT_TRUE(float_is(-1.25e-9, "-1.25e-9"));
    CU_ASSERT_TRUE(float_is(1e100, "1e+100"));
    CU_ASSERT_TRUE(float_is(0.001234, "0.001234"));
    CU_ASSERT_TRUE(float_is(2e-6, "0.000002"));
    CU_ASSERT_TRUE(float_is(9.5e-7, "9.5e-7"));
}

/* Digits without sign, point, zeros at either end and exponent. */
static int significant(const char *p, char *out)
{
    int n = 0, end;
    for (; *p && *p != 'e'; p++)
        if (*p >= '0' && *p <= '9' && (n || *p != '0'))
            out[n++] = *p;
    for (end = n; end > 0 && out[end - 1] == '0'; end--)
        ;
    out[end] = 0;
    return end;
}

/* Reads back equal, no shorter one does, and of that length it is the nearest. */
static bool is_shortest(double d)
{
    char text[GS_NUM_MAX + 1], digits[40], other[40], mine[40];
    text[gs_text_float(d, text)] = 0;
    double back;
    if (strtod(text, NULL) != d || !gs_text_parse_float(text, strlen(text), &back) || back != d)
        return false;
    int n = significant(text, mine);
    if (n > 1) {
        snprintf(other, sizeof other, "%.*e", n - 2, d);
        if (strtod(other, NULL) == d)
            return false;
    }
    snprintf(other, sizeof other, "%.*e", n - 1, d);
    (void)significant(other, digits);
    return strtod(other, NULL) != d || strcmp(digits, mine) == 0;
}

static void floats_are_shortest_and_nearest(void)
{
    uint64_t seed = 2024, bad = 0;
    for (int i = 0; i < 150000; i++) {
        uint64_t r = unit_random(&seed);
        double d;
        if (i % 4 == 0)
            r &= 0x800fffffffffffff; /* denormal */
        if (i % 4 == 1)
            r &= ~(((uint64_t)1 << (r >> 58 & 51)) - 1); /* few bits */
        memcpy(&d, &r, 8);
        if (i % 4 == 2)
            d = (double)(int64_t)(r >> (r & 63)) / 1000.0;
        if (isfinite(d) && d != 0 && !is_shortest(d)) {
            bad++;
            fprintf(stderr, "not shortest: %a\n", d);
        }
    }
    for (int e = -1074; e < 1024; e++) {
        double p = ldexp(1, e);
        bad += !is_shortest(p);
        bad += e > -1074 && !is_shortest(nextafter(p, 0));
        bad += e < 1023 && !is_shortest(nextafter(p, INFINITY));
    }
    for (int e = -323; e < 309; e++) {
        char text[16];
        snprintf(text, sizeof text, "1e%d", e);
        double p = strtod(text, NULL);
        bad += !is_shortest(p) || !is_shortest(nextafter(p, 0) > 0 ? nextafter(p, 0) : p) ||
               !is_shortest(nextafter(p, INFINITY));
    }
    CU_ASSERT_EQUAL(bad, 0);
}

static void ints_are_decimal(void)
{
    CU_ASSERT_TRUE(is_text(gs_int(0), true, "0"));
    CU_ASSERT_TRUE(is_text(gs_int(INT64_MIN), true, "-9223372036854775808"));
    CU_ASSERT_TRUE(is_text(gs_int(INT64_MAX), true, "9223372036854775807"));
    for (int64_t i = 1; i < INT64_MAX / 10; i *= 10) {
        char want[32], text[GS_NUM_MAX + 1];
        for (int64_t d = -1; d <= 1; d++) {
            snprintf(want, sizeof want, "%lld", (long long)(d - i));
            text[gs_text_int(d - i, text)] = 0;
            CU_ASSERT_STRING_EQUAL(text, want);
        }
    }
}

/* All of up to five digits, every first digit and neighbourhood of a power of ten, and each group of eight apart. */
static void ints_have_their_digits(void)
{
    char want[32], text[GS_NUM_MAX + 1];
    uint64_t x = 1;
    for (int64_t k = 0; k < 400000; k++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        int64_t i = k < 100000 ? k : (int64_t)(x >> (k % 64));
        if (k % 3 == 2)
            i = (int64_t)(0 - (uint64_t)i);
        int n = snprintf(want, sizeof want, "%lld", (long long)i);
        CU_ASSERT_EQUAL(gs_text_int(i, text), (size_t)n);
        CU_ASSERT_TRUE(memcmp(text, want, (size_t)n) == 0);
    }
    for (uint64_t i = 1; i <= INT64_MAX; i *= 10)
        for (uint64_t d = 1; d < 10 && i * d <= INT64_MAX; d++)
            for (int64_t e = -1; e <= 1; e++) {
                int64_t v = (int64_t)(i * d) + e;
                int n = snprintf(want, sizeof want, "%lld", (long long)v);
                CU_ASSERT_EQUAL(gs_text_int(v, text), (size_t)n);
                CU_ASSERT_TRUE(memcmp(text, want, (size_t)n) == 0);
            }
}

/* ---- numbers in ---- */

static void ints_are_parsed_strictly(void)
{
    static const char *const good[] = {
        "0", "-0", "+7", "9223372036854775807", "-9223372036854775808", "007"};
    static const char *const bad[] = {"",
                                      "-",
                                      "+",
                                      " 1",
                                      "1 ",
                                      "1.0",
                                      "0x10",
                                      "1_000",
                                      "--1",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "99999999999999999999"};
    int64_t i;
    for (size_t k = 0; k < sizeof good / sizeof good[0]; k++) {
        CU_ASSERT_TRUE(gs_text_parse_int(good[k], strlen(good[k]), &i));
        CU_ASSERT_EQUAL(i, strtoll(good[k], NULL, 10));
    }
    for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++)
        CU_ASSERT_FALSE(gs_text_parse_int(bad[k], strlen(bad[k]), &i));
}

static bool parses_like_strtod(const char *z)
{
    double d = 12345, want = strtod(z, NULL);
    bool ok = gs_text_parse_float(z, strlen(z), &d);
    if (isinf(want))
        return !ok;
    if (!ok || memcmp(&d, &want, 8) != 0) {
        fprintf(stderr, "%s: got %a, want %a\n", z, d, want);
        return false;
    }
    return true;
}

static void floats_are_parsed_strictly_and_rightly(void)
{
    static const char *const bad[] = {"",    ".",   "e5",    "1e",   "1e+",   "1.2.3",
                                      " 1",  "1 ",  "0x1p3", "inf",  "nan",   "infinity",
                                      "1_0", "--1", "-",     "1e5x", "1e999", "-1e400"};
    static const char *const good[] = {
        "0",
        "-0",
        "0.0",
        "1",
        "1.",
        ".5",
        "1e5",
        "1E-5",
        "+2.5e+3",
        "123456789012345678",
        "9007199254740993",
        "9007199254740993.00000000000000000000000000000001",
        "9007199254740992.99999999999999999999999999999999",
        "2.2250738585072011e-308",
        "2.2250738585072014e-308",
        "4.9e-324",
        "2.4e-324",
        "2.5e-324",
        "1.7976931348623157e308",
        "1.7976931348623158e308",
        "1.7976931348623159e308",
        "0.000000000000000000000000000000000000000000000000000000000001",
        "1000000000000000000000000000000000000000000000000000000000000",
        "1e-400",
        "0e999",
        "0.00e-999",
        "00000000000000000000000000001.5",
        "3.14159265358979323846264338327950288419716939937510",
        "7.2057594037927933e16",
        "1e23",
        "8.5e22",
        "6929495644600919.5",
        "1e22",
        "1e-22",
        "123456789012345678901234567890e-20",
        "1e99999999999999999999",
        "1e-99999999999999999999",
    };
    double d;
    for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++)
        CU_ASSERT_FALSE(gs_text_parse_float(bad[k], strlen(bad[k]), &d));
    for (size_t k = 0; k < sizeof good / sizeof good[0]; k++)
        CU_ASSERT_TRUE(parses_like_strtod(good[k]));
    CU_ASSERT_TRUE(gs_text_parse_float("Inf", 3, &d) && d == INFINITY);
    CU_ASSERT_TRUE(gs_text_parse_float("-Inf", 4, &d) && d == -INFINITY);
    CU_ASSERT_TRUE(gs_text_parse_float("NaN", 3, &d) && isnan(d));
}

static void random_decimals_parse_like_the_c_library(void)
{
    uint64_t seed = 77, bad = 0;
    char text[64];
    for (int i = 0; i < 200000; i++) {
        uint64_t r = unit_random(&seed);
        int digits = 1 + (int)(r & 15) + (int)(r >> 4 & 7), exp = (int)(r >> 10 & 1023) - 540;
        int n = snprintf(text, sizeof text, "%llu%llu", (unsigned long long)unit_random(&seed),
                         (unsigned long long)unit_random(&seed));
        n = n < digits ? n : digits;
        snprintf(text + n, sizeof text - (size_t)n, "e%d", i & 1 ? exp % 40 : exp);
        bad += !parses_like_strtod(text);
    }
    CU_ASSERT_EQUAL(bad, 0);
}

static void halfway_decimals_round_to_even(void)
{
    uint64_t seed = 9, bad = 0;
    char text[800];
    for (int i = 0; i < 20000; i++) {
        uint64_t r = unit_random(&seed);
        int e = (int)(r % 60) - 20;
        /* The middle between two neighbours, exactly: 54 bits with the last set. */
        long double mid = ldexpl((long double)(r >> 10 | 1), e);
        snprintf(text, sizeof text, "%.60Lf", mid);
        bad += !parses_like_strtod(text);
    }
    CU_ASSERT_EQUAL(bad, 0);
}

/* ---- values ---- */

static void simple_values_have_their_text(void)
{
    CU_ASSERT_TRUE(is_text(gs_nil(), true, "nil"));
    CU_ASSERT_TRUE(is_text(gs_bool(true), true, "true"));
    CU_ASSERT_TRUE(is_text(gs_bool(false), false, "false"));
    CU_ASSERT_TRUE(is_text(str("a \"b\"\n"), true, "a \"b\"\n"));
    CU_ASSERT_TRUE(
        is_text(str("a \"b\"\n\\\x01\x7f\xff"), false, "\"a \\\"b\\\"\\n\\\\\\u0001\x7f\xff\""));
    CU_ASSERT_TRUE(is_text(str("\t\r\b\f"), false, "\"\\t\\r\\b\\f\""));
    struct gs_range r = {.h = {.kind = GS_T_RANGE}, .stop = 3, .step = 1};
    CU_ASSERT_TRUE(is_text(gs_objv(GS_T_RANGE, &r), true, "range(0, 3, 1)"));
    struct gs_class c = {.name = gs_atomz("C")};
    CU_ASSERT_TRUE(is_text(gs_objv(GS_T_CLASS, &c), true, "<class C>"));
    struct gs_iface i = {.name = gs_atomz("I")};
    CU_ASSERT_TRUE(is_text(gs_objv(GS_T_IFACE, &i), true, "<interface I>"));
    struct gs_module m = {.name = gs_atomz("m")};
    CU_ASSERT_TRUE(is_text(gs_objv(GS_T_MODULE, &m), true, "<module m>"));
}

static void functions_show_name_and_arity(void)
{
    struct gs_proto p = {.name = gs_atomz("add"), .nparams = 2, .nreq = 2};
    struct gs_func *f = gs_heap_new(&u.h, GS_T_FUNC, sizeof *f);
    f->proto = &p;
    CU_ASSERT_TRUE(is_text(gs_objv(GS_T_FUNC, f), true, "<fn add/2>"));
    p.flags = GS_PF_METHOD | GS_PF_REST;
    p.nparams = 4;
    CU_ASSERT_TRUE(is_text(gs_objv(GS_T_FUNC, f), true, "<fn add/2>"));
    struct gs_bound b = {.self = gs_nil(), .fn = gs_objv(GS_T_FUNC, f)};
    CU_ASSERT_TRUE(is_text(gs_objv(GS_T_BOUND, &b), true, "<fn add/2>"));
    struct gs_native n = {.name = "sqrt", .min = 1, .max = 1};
    CU_ASSERT_TRUE(is_text(gs_objv(GS_T_NATIVE, &n), true, "<fn sqrt>"));
}

static void containers_nest_and_quote(void)
{
    gs_value v[] = {gs_int(1), str("a"), gs_nil(), gs_float(2)};
    gs_value a = arrv(gs_array_from(&u.h, v, 4));
    CU_ASSERT_TRUE(is_text(a, true, "[1, \"a\", nil, 2.0]"));
    struct gs_object *o = gs_object_new(&u.h, gs_shape_plain, 0);
    CU_ASSERT_TRUE(is_text(objv(o), true, "{}"));
    CU_ASSERT_TRUE(is_text(arrv(gs_array_new(&u.h)), true, "[]"));
    CU_ASSERT_EQUAL(gs_object_set(&u.h, o, gs_atomz("b"), str("x")), GS_OK);
    CU_ASSERT_EQUAL(gs_object_set(&u.h, o, gs_atomz("a"), gs_int(1)), GS_OK);
    CU_ASSERT_TRUE(is_text(objv(o), true, "{a: 1, b: \"x\"}"));
    CU_ASSERT_EQUAL(gs_object_set(&u.h, o, gs_atomz("not an id"), a), GS_OK);
    CU_ASSERT_EQUAL(gs_object_set(&u.h, o, gs_atomz("9"), gs_bool(true)), GS_OK);
    CU_ASSERT_EQUAL(gs_object_set(&u.h, o, gs_atomz(""), gs_bool(true)), GS_OK);
    CU_ASSERT_EQUAL(gs_object_put(&u.h, o, gs_atomz("type"), gs_nil()), GS_OK);
    const char *want =
        "{\"\": true, \"9\": true, a: 1, b: \"x\", \"not an id\": [1, \"a\", nil, 2.0], type: nil}";
    CU_ASSERT_TRUE(is_text(objv(o), true, want));
    CU_ASSERT_EQUAL(gs_object_set(&u.h, o, gs_atomz("a"), gs_nil()), GS_OK);
    CU_ASSERT_EQUAL(gs_object_set(&u.h, o, gs_atomz("a"), gs_int(1)), GS_OK);
    CU_ASSERT_TRUE(is_text(objv(o), true, want)); /* now a dictionary */
}

static void cycles_are_cut_but_repetition_is_not(void)
{
    struct gs_array *a = gs_array_make(&u.h, GS_STORE_VALUE, 2);
    a->v[0] = gs_int(1);
    a->v[1] = arrv(a);
    CU_ASSERT_TRUE(is_text(arrv(a), true, "[1, [...]]"));
    struct gs_object *o = gs_object_new(&u.h, gs_shape_plain, 0);
    CU_ASSERT_EQUAL(gs_object_set(&u.h, o, gs_atomz("me"), objv(o)), GS_OK);
    CU_ASSERT_TRUE(is_text(objv(o), true, "{me: {...}}"));
    struct gs_array *twice = gs_array_make(&u.h, GS_STORE_VALUE, 2);
    twice->v[0] = twice->v[1] = arrv(gs_array_new(&u.h));
    CU_ASSERT_TRUE(is_text(arrv(twice), true, "[[], []]"));
    static struct gs_class c;
    c.name = gs_atomz("Point");
    gs_shape_for_class(&c);
    struct gs_object *p = gs_object_new(&u.h, c.shape, 1);
    CU_ASSERT_TRUE(is_text(objv(p), true, "Point{}"));
    CU_ASSERT_EQUAL(gs_object_set(&u.h, p, gs_atomz("x"), gs_int(1)), GS_OK);
    CU_ASSERT_EQUAL(gs_object_set(&u.h, p, gs_atomz("y"), objv(p)), GS_OK);
    CU_ASSERT_TRUE(is_text(objv(p), true, "Point{x: 1, y: Point{...}}"));
}

/* depth brackets, the innermost refers to the outermost or the one `back` above it. */
static gs_value nested(int depth, struct gs_array **inner, struct gs_array **outer)
{
    gs_value v = gs_nil();
    for (int i = 0; i < depth; i++) {
        struct gs_array *a = gs_array_make(&u.h, GS_STORE_VALUE, 1);
        a->v[0] = v;
        v = arrv(a);
        if (i == 0)
            *inner = a;
        *outer = a;
    }
    return v;
}

static void deep_nesting_does_not_overflow(void)
{
    static const int depths[] = {15, 16, 17, 18, 40, 100000};
    for (size_t k = 0; k < sizeof depths / sizeof depths[0]; k++) {
        struct gs_array *inner = NULL, *outer = NULL;
        int n = depths[k];
        gs_value v = nested(n, &inner, &outer);
        inner->v[0] = arrv(outer);
        struct gs_buf b = {0};
        gs_text_value(&b, v, true);
        CU_ASSERT_EQUAL(b.len, (size_t)n * 2 + 5);
        CU_ASSERT_TRUE(!b.failed && memcmp(b.p + n - 1, "[[...]]", n > 1 ? 7 : 6) == 0);
        gs_buf_free(&b);
    }
}

static void handles_print_as_numbers_and_are_pinned(void)
{
    struct gs_hobj *o = gs_mem_zalloc(sizeof *o);
    gs_hobj_init(o, GS_H_CHAN);
    char want[32];
    snprintf(want, sizeof want, "%lld", (long long)o->id);
    CU_ASSERT_TRUE(is_text(gs_handlev(o->id, o), true, want));
    CU_ASSERT_TRUE(gs_load_rlx(&o->flags) & GS_HF_PINNED);
}

static void text_str_gives_strings_as_they_are(void)
{
    gs_value s = str("some text");
    CU_ASSERT_PTR_EQUAL(gs_text_str(&u.h, s), s.s);
    CU_ASSERT_TRUE(gs_str_equal_bytes(gs_text_str(&u.h, gs_int(-12)), "-12", 3));
    CU_ASSERT_TRUE(gs_str_equal_bytes(gs_text_str(&u.h, gs_float(1.5)), "1.5", 3));
    CU_ASSERT_TRUE(gs_str_equal_bytes(gs_text_str(&u.h, gs_nil()), "nil", 3));
}

static void buffers_grow_and_remember_failure(void)
{
    struct gs_buf b = {0};
    for (int i = 0; i < 1000; i++)
        gs_buf_printf(&b, "%d,", i);
    CU_ASSERT_EQUAL(b.len, 10 * 2 + 90 * 3 + 900 * 4);
    gs_mem_fail_at(1);
    CU_ASSERT_PTR_NULL(gs_buf_reserve(&b, 1000000));
    gs_mem_fail_at(0);
    CU_ASSERT_TRUE(b.failed);
    gs_buf_putz(&b, "x");
    CU_ASSERT_EQUAL(b.len, 10 * 2 + 90 * 3 + 900 * 4);
    gs_buf_free(&b);
    CU_ASSERT_FALSE(b.failed);
}

static void no_memory_while_printing_is_reported(void)
{
    struct gs_array *inner = NULL, *outer = NULL;
    gs_value v = nested(50, &inner, &outer);
    struct gs_object *o = gs_object_new(&u.h, gs_shape_plain_dict, 0);
    CU_ASSERT_EQUAL(gs_object_set(&u.h, o, gs_atomz("a"), gs_int(1)), GS_OK);
    CU_ASSERT_EQUAL(gs_object_set(&u.h, o, gs_atomz("b"), gs_int(1)), GS_OK);
    inner->v[0] = objv(o);
    bool all = false;
    for (uint64_t n = 1; n < 40 && !all; n++) {
        struct gs_buf b = {0};
        gs_mem_fail_at(n);
        gs_text_value(&b, v, true);
        gs_mem_fail_at(0);
        all = !b.failed;
        CU_ASSERT_EQUAL(b.failed, b.len != 112);
        gs_buf_free(&b);
    }
    CU_ASSERT_TRUE(all);
}

static const struct unit_case cases[] = {
    UNIT_CASE(the_table_of_powers_is_exact),
    UNIT_CASE(floats_look_as_the_language_says),
    UNIT_CASE(floats_are_shortest_and_nearest),
    UNIT_CASE(ints_are_decimal),
    UNIT_CASE(ints_have_their_digits),
    UNIT_CASE(ints_are_parsed_strictly),
    UNIT_CASE(floats_are_parsed_strictly_and_rightly),
    UNIT_CASE(random_decimals_parse_like_the_c_library),
    UNIT_CASE(halfway_decimals_round_to_even),
    UNIT_CASE(simple_values_have_their_text),
    UNIT_CASE(functions_show_name_and_arity),
    UNIT_CASE(containers_nest_and_quote),
    UNIT_CASE(cycles_are_cut_but_repetition_is_not),
    UNIT_CASE(deep_nesting_does_not_overflow),
    UNIT_CASE(handles_print_as_numbers_and_are_pinned),
    UNIT_CASE(text_str_gives_strings_as_they_are),
    UNIT_CASE(buffers_grow_and_remember_failure),
    UNIT_CASE(no_memory_while_printing_is_reported),
};

int main(void)
{
    unit_heap_init(&u);
    int rc = unit_run("text", cases, sizeof cases / sizeof cases[0]);
    unit_heap_fini(&u);
    return rc;
}
