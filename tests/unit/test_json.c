/* SPDX-License-Identifier: MIT
 * test_json.c - JSON in and out: values, places of errors, nesting, failing allocations.
 */
#include "unit_native.h"

#include "json.h"
#include "port/mem.h"

/* The text written for what was read from `in`, or the error's text. */
static const char *there_and_back(const char *in)
{
    static char text[2048];
    struct gs_vm *vm = native_vm();
    gs_value v, out;
    if (gs_json_parse(vm, in, strlen(in), &v) != GS_OK || gs_json_write(vm, v, NULL, 0, &out) != GS_OK)
        snprintf(text, sizeof text, "%.*s", (int)sizeof text - 1, unit_error(vm));
    else
        snprintf(text, sizeof text, "%.*s", (int)out.s->len, out.s->data);
    gs_vm_free(vm);
    return text;
}

static bool gives(const char *in, const char *want)
{
    const char *got = there_and_back(in);
    bool same = strcmp(got, want) == 0;
    if (!same)
        printf("\n  %s: want %s, got %s\n", in, want, got);
    return same;
}

static bool refused(const char *in, const char *part)
{
    const char *got = there_and_back(in);
    bool found = strstr(got, part) != NULL;
    if (!found)
        printf("\n  %s: want an error with \"%s\", got %s\n", in, part, got);
    return found;
}

static void values_come_back(void)
{
    CU_ASSERT_TRUE(gives(" null ", "null"));
    CU_ASSERT_TRUE(gives("[true,false]", "[true,false]"));
    CU_ASSERT_TRUE(gives("{\"b\": 1, \"a\": [ ], \"c\": { }}", "{\"a\":[],\"b\":1,\"c\":{}}"));
    CU_ASSERT_TRUE(gives("{\"a\":1,\"a\":2}", "{\"a\":2}"));
    CU_ASSERT_TRUE(gives("{\"k\":null}", "{\"k\":null}"));
    CU_ASSERT_TRUE(gives("\"\\u00e4\\ud83d\\ude00\\n\\/\"", "\"\xc3\xa4\xf0\x9f\x98\x80\\n/\""));
    CU_ASSERT_TRUE(gives("\"\\ud800x\"", "\"\xef\xbf\xbdx\""));
    CU_ASSERT_TRUE(gives("[[[[1]]],2]", "[[[[1]]],2]"));
}

static void numbers_keep_their_kind(void)
{
    CU_ASSERT_TRUE(gives("9223372036854775807", "9223372036854775807"));
    CU_ASSERT_TRUE(gives("-9223372036854775808", "-9223372036854775808"));
    CU_ASSERT_TRUE(gives("9223372036854775808", "9223372036854776000.0"));
    CU_ASSERT_TRUE(gives("1.0", "1.0"));
    CU_ASSERT_TRUE(gives("1e2", "100.0"));
    CU_ASSERT_TRUE(gives("-0", "0"));
    CU_ASSERT_TRUE(gives("0.1", "0.1"));
}

static void mistakes_are_told_with_their_place(void)
{
    CU_ASSERT_TRUE(refused("", "line 1, column 1"));
    CU_ASSERT_TRUE(refused("[1,\n 2,, 3]", "line 2, column 4"));
    CU_ASSERT_TRUE(refused("{\"a\" 1}", "line 1, column 6: expected :, got '1'"));
    CU_ASSERT_TRUE(refused("[1", "expected , or ], got the end"));
    CU_ASSERT_TRUE(refused("[1}", "expected , or ], got '}'"));
    CU_ASSERT_TRUE(refused("{1:2}", "a key"));
    CU_ASSERT_TRUE(refused("{\"a\":1,}", "a key"));
    CU_ASSERT_TRUE(refused("01", "leading 0"));
    CU_ASSERT_TRUE(refused("1.", "a digit"));
    CU_ASSERT_TRUE(refused("-", "a digit"));
    CU_ASSERT_TRUE(refused("1e+", "a digit"));
    CU_ASSERT_TRUE(refused("\"a\tb\"", "got byte 0x09"));
    CU_ASSERT_TRUE(refused("\"abc", "ValueError"));
    CU_ASSERT_TRUE(refused("\"\\x\"", "ValueError"));
    CU_ASSERT_TRUE(refused("\"\\u12g4\"", "hexadecimal"));
    CU_ASSERT_TRUE(refused("1 2", "expected the end"));
    CU_ASSERT_TRUE(refused("nul", "a value"));
}

static void nesting_costs_no_stack(void)
{
    enum { DEPTH = 200000 };
    char *in = malloc(2 * DEPTH + 1);
    memset(in, '[', DEPTH);
    memset(in + DEPTH, ']', DEPTH);
    in[2 * DEPTH] = '\0';
    struct gs_vm *vm = native_vm();
    gs_value v, out;
    CU_ASSERT_EQUAL_FATAL(gs_json_parse(vm, in, 2 * DEPTH, &v), GS_OK);
    CU_ASSERT_EQUAL_FATAL(gs_json_write(vm, v, NULL, 0, &out), GS_OK);
    CU_ASSERT_TRUE(out.s->len == 2 * DEPTH && memcmp(out.s->data, in, 2 * DEPTH) == 0);
    gs_vm_free(vm);
    free(in);
}

static void a_value_that_contains_itself_is_refused(void)
{
    struct gs_vm *vm = native_vm();
    for (int depth = 1; depth < 40; depth++) {
        struct gs_array *outer = gs_array_new(&vm->heap), *a = outer;
        for (int i = 0; i < depth; i++) {
            struct gs_array *inner = gs_array_new(&vm->heap);
            (void)gs_array_push(&vm->heap, a, gs_objv(GS_T_ARRAY, inner));
            a = inner;
        }
        gs_value out;
        CU_ASSERT_EQUAL(gs_json_write(vm, gs_objv(GS_T_ARRAY, outer), NULL, 0, &out), GS_OK);
        (void)gs_array_push(&vm->heap, a, gs_objv(GS_T_ARRAY, depth % 2 ? outer : a));
        CU_ASSERT_EQUAL(gs_json_write(vm, gs_objv(GS_T_ARRAY, outer), NULL, 0, &out), GS_E_THROWN);
    }
    /* The same value twice, but not inside itself, is fine. */
    struct gs_array *two = gs_array_new(&vm->heap), *one = gs_array_new(&vm->heap);
    (void)gs_array_push(&vm->heap, two, gs_objv(GS_T_ARRAY, one));
    (void)gs_array_push(&vm->heap, two, gs_objv(GS_T_ARRAY, one));
    gs_value out;
    CU_ASSERT_EQUAL_FATAL(gs_json_write(vm, gs_objv(GS_T_ARRAY, two), NULL, 0, &out), GS_OK);
    CU_ASSERT_STRING_EQUAL(unit_text(out), "[[],[]]");
    gs_vm_free(vm);
}

static void failing_allocations_leave_nothing_behind(void)
{
    static const char in[] = "{\"a\": [1, 2.5, \"x\\ny\"], \"b\": {\"c\": [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}}";
    bool done = false;
    for (uint64_t n = 1; n < 500 && !done; n++) {
        struct gs_vm *vm = native_vm();
        gs_value v, out;
        gs_mem_fail_at(n);
        int st = gs_json_parse(vm, in, sizeof in - 1, &v);
        if (st == GS_OK)
            st = gs_json_write(vm, v, "  ", 2, &out);
        gs_mem_fail_at(0);
        CU_ASSERT_TRUE(st == GS_OK || st == GS_E_NOMEM);
        done = st == GS_OK;
        gs_vm_free(vm);
    }
    CU_ASSERT_TRUE(done);
}

static const struct unit_case cases[] = {
    UNIT_CASE(values_come_back),
    UNIT_CASE(numbers_keep_their_kind),
    UNIT_CASE(mistakes_are_told_with_their_place),
    UNIT_CASE(nesting_costs_no_stack),
    UNIT_CASE(a_value_that_contains_itself_is_refused),
    UNIT_CASE(failing_allocations_leave_nothing_behind),
};
UNIT_MAIN("json", cases)
