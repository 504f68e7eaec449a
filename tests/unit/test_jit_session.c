/* SPDX-License-Identifier: MIT
 * test_jit_session.c - modules made by hand, compiled at both levels and run.
 */
#include <llvm-c/Core.h>
#include <math.h>
#include <string.h>

#include "compiled.h"
#include "jit/decline.h"
#include "jit/session.h"
#include "unit.h"

static LLVMTypeRef i64(void)
{
    return LLVMInt64TypeInContext(gs_session_context());
}

static LLVMTypeRef f64(void)
{
    return LLVMDoubleTypeInContext(gs_session_context());
}

static LLVMTypeRef ptr(void)
{
    return LLVMPointerTypeInContext(gs_session_context(), 0);
}

/* A function of n parameters, all of type t, that gives one; the builder stands in its first block. */
static LLVMValueRef function(LLVMModuleRef m, const char *name, LLVMTypeRef t, unsigned n,
                             LLVMBuilderRef b)
{
    LLVMTypeRef types[8];
    for (unsigned i = 0; i < n; i++)
        types[i] = t;
    LLVMValueRef f = LLVMAddFunction(m, name, LLVMFunctionType(t, types, n, 0));
    LLVMPositionBuilderAtEnd(b, LLVMAppendBasicBlockInContext(gs_session_context(), f, ""));
    return f;
}

static void *compiled(LLVMModuleRef m, enum gs_level level, const char *name)
{
    void *address = NULL;
    const char *why = "";
    bool good = gs_session_compile(m, level, &name, &address, 1, "unit unit.goost:1", &why);
    if (!good)
        printf("  %s: %s\n", why, gs_session_detail());
    CU_ASSERT_FATAL(good);
    return address;
}

static LLVMModuleRef adder(const char *name)
{
    LLVMModuleRef m = gs_session_module("add");
    LLVMBuilderRef b = LLVMCreateBuilderInContext(gs_session_context());
    LLVMValueRef f = function(m, name, i64(), 2, b);
    LLVMBuildRet(b, LLVMBuildAdd(b, LLVMGetParam(f, 0), LLVMGetParam(f, 1), ""));
    LLVMDisposeBuilder(b);
    return m;
}

static void it_opens(void)
{
    const char *why = "";
    CU_ASSERT_FATAL(gs_session_open(&why));
    CU_ASSERT(gs_session_open(&why));
    CU_ASSERT_PTR_NOT_NULL(gs_session_context());
}

static void an_addition_of_ints_wraps_at_both_levels(void)
{
    for (int level = 0; level < GS_LEVEL_COUNT_; level++) {
        void *p = compiled(adder("add"), (enum gs_level)level, "add");
        int64_t (*add)(int64_t, int64_t);
        memcpy(&add, &p, sizeof p);
        CU_ASSERT_EQUAL(add(40, 2), 42);
        CU_ASSERT_EQUAL(add(INT64_MAX, 1), INT64_MIN);
    }
}

static void the_same_name_twice_gives_two_functions(void)
{
    CU_ASSERT_PTR_NOT_EQUAL(compiled(adder("add"), GS_LEVEL_QUICK, "add"),
                            compiled(adder("add"), GS_LEVEL_QUICK, "add"));
}

/* a * b + c: one rounding if contracted, two if not. */
static void floats_are_not_contracted(void)
{
    volatile double a = 1.0 + 0x1p-30, c = -1.0 - 0x1p-29;
    volatile double product = a * a;
    for (int level = 0; level < GS_LEVEL_COUNT_; level++) {
        LLVMModuleRef m = gs_session_module("float");
        LLVMBuilderRef b = LLVMCreateBuilderInContext(gs_session_context());
        LLVMValueRef f = function(m, "mac", f64(), 3, b);
        LLVMValueRef mul = LLVMBuildFMul(b, LLVMGetParam(f, 0), LLVMGetParam(f, 1), "");
        LLVMBuildRet(b, LLVMBuildFAdd(b, mul, LLVMGetParam(f, 2), ""));
        LLVMDisposeBuilder(b);
        void *p = compiled(m, (enum gs_level)level, "mac");
        double (*mac)(double, double, double);
        memcpy(&mac, &p, sizeof p);
        CU_ASSERT_EQUAL(mac(a, a, c), product + c);
        CU_ASSERT_NOT_EQUAL(mac(a, a, c), fma(a, a, c));
    }
}

static void a_float_helper_is_called(void)
{
    for (int level = 0; level < GS_LEVEL_COUNT_; level++) {
        LLVMModuleRef m = gs_session_module("fmod");
        LLVMBuilderRef b = LLVMCreateBuilderInContext(gs_session_context());
        LLVMValueRef f = function(m, "rest", f64(), 2, b);
        LLVMValueRef args[] = {LLVMGetParam(f, 0), LLVMGetParam(f, 1)};
        LLVMBuildRet(b, gs_session_call(b, "gs_c_fmod", args, 2));
        LLVMDisposeBuilder(b);
        void *p = compiled(m, (enum gs_level)level, "rest");
        double (*rest)(double, double);
        memcpy(&rest, &p, sizeof p);
        CU_ASSERT_EQUAL(rest(7.5, 2.0), 1.5);
        CU_ASSERT_EQUAL(rest(-7.5, 2.0), -1.5);
    }
}

static void values_travel_to_a_helper_in_two_words(void)
{
    for (int level = 0; level < GS_LEVEL_COUNT_; level++) {
        LLVMModuleRef m = gs_session_module("equal");
        LLVMBuilderRef b = LLVMCreateBuilderInContext(gs_session_context());
        LLVMValueRef f = function(m, "equal", i64(), 4, b);
        LLVMValueRef args[4];
        LLVMGetParams(f, args);
        LLVMBuildRet(b, LLVMBuildZExt(b, gs_session_call(b, "gs_c_equal", args, 4), i64(), ""));
        LLVMDisposeBuilder(b);
        void *p = compiled(m, (enum gs_level)level, "equal");
        int64_t (*equal)(gs_value, gs_value);
        memcpy(&equal, &p, sizeof p);
        CU_ASSERT_EQUAL(equal(gs_int(3), gs_float(3.0)), 1);
        CU_ASSERT_EQUAL(equal(gs_int(3), gs_float(3.5)), 0);
        CU_ASSERT_EQUAL(equal(gs_bool(true), gs_int(1)), 0);
    }
}

/* On x86-64 the third value of gs_c_setindex finds one register free; C then leaves that one alone. */
static void a_value_is_never_half_in_a_register(void)
{
    LLVMModuleRef m = gs_session_module("types");
    LLVMTypeRef type;
    LLVMValueRef f = gs_session_helper(m, "gs_c_setindex", &type);
    CU_ASSERT_PTR_EQUAL(f, gs_session_helper(m, "gs_c_setindex", NULL));
#if defined(__x86_64__)
    CU_ASSERT_EQUAL(LLVMCountParamTypes(type), 8);
#else
    CU_ASSERT_EQUAL(LLVMCountParamTypes(type), 7);
#endif
    (void)gs_session_helper(m, "gs_c_putfield", &type);
    CU_ASSERT_EQUAL(LLVMCountParamTypes(type), 6);
    CU_ASSERT_EQUAL(LLVMGetReturnType(type), LLVMInt32TypeInContext(gs_session_context()));
    LLVMDisposeModule(m);
}

static void unnamed_functions_stay_inside(void)
{
    LLVMModuleRef m = adder("inner");
    LLVMBuilderRef b = LLVMCreateBuilderInContext(gs_session_context());
    LLVMValueRef f = function(m, "outer", i64(), 1, b);
    LLVMValueRef inner = LLVMGetNamedFunction(m, "inner");
    LLVMValueRef args[] = {LLVMGetParam(f, 0), LLVMConstInt(i64(), 7, 0)};
    LLVMBuildRet(b, LLVMBuildCall2(b, LLVMGlobalGetValueType(inner), inner, args, 2, ""));
    LLVMDisposeBuilder(b);
    void *p = compiled(m, GS_LEVEL_FULL, "outer");
    int64_t (*outer)(int64_t);
    memcpy(&outer, &p, sizeof p);
    CU_ASSERT_EQUAL(outer(1), 8);
}

static void a_malformed_module_is_declined(void)
{
    LLVMModuleRef m = gs_session_module("bad");
    LLVMBuilderRef b = LLVMCreateBuilderInContext(gs_session_context());
    (void)function(m, "bad", i64(), 1, b); /* its block has no end */
    LLVMDisposeBuilder(b);
    const char *name = "bad", *why = "";
    void *address = NULL;
    CU_ASSERT(!gs_session_compile(m, GS_LEVEL_FULL, &name, &address, 1, NULL, &why));
    CU_ASSERT_PTR_EQUAL(why, GS_DECLINE(VERIFY));
    CU_ASSERT_NOT_EQUAL(gs_session_detail()[0], '\0');
}

static void a_name_that_is_not_there_is_declined(void)
{
    const char *name = "sub", *why = "";
    void *address = NULL;
    CU_ASSERT(!gs_session_compile(adder("add"), GS_LEVEL_QUICK, &name, &address, 1, NULL, &why));
    CU_ASSERT_PTR_EQUAL(why, GS_DECLINE(VERIFY));
}

/* The link fails, and the session goes on after it. */
static void an_unknown_symbol_is_declined(void)
{
    LLVMModuleRef m = gs_session_module("unknown");
    LLVMBuilderRef b = LLVMCreateBuilderInContext(gs_session_context());
    LLVMTypeRef type = LLVMFunctionType(i64(), (LLVMTypeRef[]){ptr()}, 1, 0);
    LLVMValueRef nowhere = LLVMAddFunction(m, "gs_nobody_defines_this", type);
    (void)function(m, "f", i64(), 0, b);
    LLVMBuildRet(b,
                 LLVMBuildCall2(b, type, nowhere, (LLVMValueRef[]){LLVMConstNull(ptr())}, 1, ""));
    LLVMDisposeBuilder(b);
    const char *name = "f", *why = "";
    void *address = NULL;
    CU_ASSERT(!gs_session_compile(m, GS_LEVEL_QUICK, &name, &address, 1, NULL, &why));
    CU_ASSERT_PTR_EQUAL(why, GS_DECLINE(LINK));
    CU_ASSERT_PTR_NOT_NULL(compiled(adder("f"), GS_LEVEL_QUICK, "f"));
}

static void texts_are_kept_when_asked_for(void)
{
    (void)compiled(adder("add"), GS_LEVEL_FULL, "add");
    CU_ASSERT_PTR_NULL(gs_session_ir());
    CU_ASSERT(!gs_session_debug());
    gs_session_keep_text(true);
    CU_ASSERT(gs_session_debug());
    (void)compiled(adder("add"), GS_LEVEL_FULL, "add");
    gs_session_keep_text(false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(gs_session_ir());
    CU_ASSERT_PTR_NOT_NULL_FATAL(gs_session_asm());
    CU_ASSERT_PTR_NOT_NULL(strstr(gs_session_ir(), "add i64"));
    CU_ASSERT_PTR_NOT_NULL(strstr(gs_session_asm(), "ret"));
}

static void what_it_costs_is_counted(void)
{
    struct gs_session_cost before = *gs_session_cost();
    (void)compiled(adder("add"), GS_LEVEL_FULL, "add");
    const struct gs_session_cost *after = gs_session_cost();
    CU_ASSERT_EQUAL(after->compiles, before.compiles + 1);
    CU_ASSERT_EQUAL(after->failed, before.failed);
    CU_ASSERT(after->passes_ns > before.passes_ns && after->codegen_ns > before.codegen_ns);
    CU_ASSERT(after->link_ns > before.link_ns && after->object_bytes > before.object_bytes);
}

static const struct unit_case cases[] = {
    UNIT_CASE(it_opens),
    UNIT_CASE(an_addition_of_ints_wraps_at_both_levels),
    UNIT_CASE(the_same_name_twice_gives_two_functions),
    UNIT_CASE(floats_are_not_contracted),
    UNIT_CASE(a_float_helper_is_called),
    UNIT_CASE(values_travel_to_a_helper_in_two_words),
    UNIT_CASE(a_value_is_never_half_in_a_register),
    UNIT_CASE(unnamed_functions_stay_inside),
    UNIT_CASE(a_malformed_module_is_declined),
    UNIT_CASE(a_name_that_is_not_there_is_declined),
    UNIT_CASE(an_unknown_symbol_is_declined),
    UNIT_CASE(texts_are_kept_when_asked_for),
    UNIT_CASE(what_it_costs_is_counted),
};

UNIT_MAIN("jit_session", cases)
