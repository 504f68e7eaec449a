/* SPDX-License-Identifier: MIT
 * test_unwind.c - handlers, traces, places of errors, reports.
 */
#include "unit_vm.h"

#define LEN(a) ((uint32_t)(sizeof(a) / sizeof((a)[0])))
#define CODE(...) .code = (const gs_insn[]){__VA_ARGS__}, .n = LEN(((const gs_insn[]){__VA_ARGS__}))
#define RET(a) I_ABC(RET, a, 0, 0)

static void the_innermost_handler_takes_the_error(void)
{
    struct gs_handler h[] = {{.from = 1, .to = 2, .target = 3, .reg = 1},
                             {.from = 0, .to = 3, .target = 5, .reg = 1}};
    struct unit_code u = {CODE(I_ABX(LOADI, 0, 7), I_ABC(THROW, 0, 0, 0), I_ABC(RETNIL, 0, 0, 0),
                               I_ABC(ADDI, 1, 1, 1), RET(1), I_ABC(ADDI, 1, 1, 100), RET(1)),
                          .nregs = 2, .handlers = h, .nhandlers = 2};
    CU_ASSERT_TRUE(unit_gives(unit_proto(&u), NULL, 0, "8"));
}

static void a_handler_does_not_cover_its_target_or_the_end_of_its_range(void)
{
    struct gs_handler h[] = {{.from = 0, .to = 1, .target = 1, .reg = 0}};
    struct unit_code u = {CODE(I_ABC(THROW, 1, 0, 0), I_ABC(THROW, 1, 0, 0)), .nregs = 2,
                          .handlers = h, .nhandlers = 1};
    CU_ASSERT_TRUE(unit_gives(unit_proto(&u), NULL, 0, "unit:2: nil\n  at unit:2 in f\n"));
}

static void an_error_of_a_callee_belongs_to_the_call(void)
{
    struct unit_code inner = {CODE(I_ABC(RETNIL, 0, 0, 0), I_ABC(THROW, 0, 0, 0)), .nregs = 1,
                              .nparams = 1, .nreq = 1};
    struct unit_code thrower = {
        .name = "g", CODE(I_ABC(THROW, 0, 0, 0)), .nregs = 1, .nparams = 1, .nreq = 1};
    gs_value k[] = {gs_objv(GS_T_FUNC, unit_proto(&thrower)->self),
                    gs_objv(GS_T_FUNC, unit_proto(&inner)->self)};
    struct gs_handler h[] = {{.from = 2, .to = 3, .target = 4, .reg = 0}};
    struct unit_code u = {CODE(I_ABX(LOADK, 1, 0), I_ABX(LOADI, 3, 9), I_ABC(CALL, 1, 1, 0), RET(1),
                               I_ABC(ADDI, 0, 0, 1), RET(0)),
                          .nregs = 4,
                          .k = k,
                          .nk = 2,
                          .ic = {""},
                          .nics = 1,
                          .handlers = h,
                          .nhandlers = 1};
    CU_ASSERT_TRUE(unit_gives(unit_proto(&u), NULL, 0, "10"));
    u.nhandlers = 0;
    CU_ASSERT_TRUE(
        unit_gives(unit_proto(&u), NULL, 0, "unit:1: 9\n  at unit:1 in g\n  at unit:3 in f\n"));
}

static void errors_know_their_line_and_stack(void)
{
    CU_ASSERT_TRUE(unit_runs("fn inner(x) {\n  let y = 1\n  return x.a.b\n}\nfn outer() {\n  "
                             "return inner({})\n}\nlet r = outer()",
                             "t:3: TypeError: cannot read \"b\" of void\n  at t:3 in inner\n  at "
                             "t:6 in outer\n  at t:8 in main\n"));
    CU_ASSERT_TRUE(unit_runs(
        "fn add(a, b) { return a }\n\nlet r = add(1,\n2, 3)",
        "t:3: ArityError: function \"add\" expects 2 arguments, got 3\n  at t:3 in main\n"));
    CU_ASSERT_TRUE(unit_runs("\nlet r = toInt(\"x\")",
                             "t:2: ValueError: \"x\" is no int\n  at t:2 in main\n"));
}

static void frames_of_the_prelude_are_left_out(void)
{
    CU_ASSERT_TRUE(
        unit_runs("fn bad(x) {\n  return x + nil\n}\nlet r = [1].map(bad)",
                  "t:2: TypeError: cannot add int and void\n  at t:2 in bad\n  at t:4 in main\n"));
    CU_ASSERT_TRUE(unit_runs(
        "\n[1].map(5)",
        "t:2: TypeError: map expects function as argument 1, got int\n  at t:2 in main\n"));
    CU_ASSERT_TRUE(unit_runs(
        "[1].map()",
        "t:1: ArityError: function \"map\" expects 1 argument, got 0\n  at t:1 in main\n"));
    CU_ASSERT_TRUE(unit_runs("let r = nil\ntry { [].reduce(fn(a, b) { return a }) } catch e { r = "
                             "[e.line, len(e.stack)] }",
                             "[2, 1]"));
}

static void deep_traces_lose_their_middle(void)
{
    struct gs_vm *vm =
        unit_vm_of("fn f(n) {\n  if n == 0 { return nil.x }\n  return f(n - 1) + 1\n}\n"
                   "let r = nil\ntry { f(998) } catch e { r = e.stack }");
    CU_ASSERT_PTR_NOT_NULL_FATAL(vm);
    CU_ASSERT_EQUAL(gs_interp_run(vm), GS_OK);
    gs_value r = unit_global(vm, "r");
    CU_ASSERT_EQUAL_FATAL(r.tag, GS_T_ARRAY);
    CU_ASSERT_EQUAL(r.a->len, 101);
    CU_ASSERT_STRING_EQUAL(unit_text(gs_array_at(r.a, 0)), "t:2 in f");
    CU_ASSERT_STRING_EQUAL(unit_text(gs_array_at(r.a, 50)), "... 900 more ...");
    CU_ASSERT_STRING_EQUAL(unit_text(gs_array_at(r.a, 99)), "t:3 in f");
    CU_ASSERT_STRING_EQUAL(unit_text(gs_array_at(r.a, 100)), "t:6 in main");
    gs_vm_free(vm);
}

static void rethrown_errors_keep_their_place(void)
{
    CU_ASSERT_TRUE(unit_runs(
        "fn f() {\n  return [][1]\n}\ntry { f() } catch e {\n  throw e\n}",
        "t:2: IndexError: array index 1 out of bounds (len=0)\n  at t:2 in f\n  at t:4 in main\n"));
    CU_ASSERT_TRUE(
        unit_runs("try {\n  throw \"lost\"\n} finally {\n  try { throw \"other\" } catch e { }\n}",
                  "t:2: lost\n  at t:2 in main\n"));
    CU_ASSERT_TRUE(
        unit_runs("try { throw 5 } catch e {\n  throw e\n}", "t:2: 5\n  at t:2 in main\n"));
}

static void thrown_objects_get_what_they_lack(void)
{
    CU_ASSERT_TRUE(
        unit_runs("\nthrow {kind: \"Mine\", message: \"m\"}", "t:2: Mine: m\n  at t:2 in main\n"));
    CU_ASSERT_TRUE(unit_runs("\nthrow {message: [1]}", "t:2: [1]\n  at t:2 in main\n"));
    CU_ASSERT_TRUE(unit_runs("\nthrow {code: 5}", "t:2: {code: 5}\n  at t:2 in main\n"));
    CU_ASSERT_TRUE(
        unit_runs("let o = {code: 5}\nlet r = nil\ntry { throw o } catch e { r = [e == o, e] }",
                  "[true, {code: 5}]"));
}

static void arity_is_told_in_the_words_of_the_language(void)
{
    CU_ASSERT_TRUE(
        unit_runs("class C { fn m(a) { } }\nC{}.m()",
                  "t:2: ArityError: function \"m\" expects 1 argument, got 0\n  at t:2 in main\n"));
    CU_ASSERT_TRUE(unit_runs(
        "[1].pop(2)",
        "t:1: ArityError: function \"pop\" expects 0 arguments, got 1\n  at t:1 in main\n"));
    CU_ASSERT_TRUE(unit_runs(
        "fn f(a, b, ...c) { }\nf(1)",
        "t:2: ArityError: function \"f\" expects at least 2 arguments, got 1\n  at t:2 in main\n"));
    CU_ASSERT_TRUE(unit_runs(
        "range()",
        "t:1: ArityError: function \"range\" expects 1 to 3 arguments, got 0\n  at t:1 in main\n"));
}

static void a_task_with_wrong_arguments_names_its_function(void)
{
    struct unit_code u = {
        .name = "job", CODE(I_ABC(RETNIL, 0, 0, 0)), .nregs = 2, .nparams = 2, .nreq = 2};
    struct gs_proto *p = unit_proto(&u);
    p->line = 40;
    struct gs_vm *vm = unit_vm(p, NULL, 0);
    CU_ASSERT_EQUAL(gs_interp_run(vm), GS_E_THROWN);
    CU_ASSERT_TRUE(unit_same(unit_error(vm),
                             "unit:40: ArityError: function \"job\" expects 2 arguments, got 0\n"));
    gs_vm_free(vm);
}

static void an_error_is_raised_even_when_the_heap_is_full(void)
{
    struct gs_vm *vm = unit_vm_of("let r = nil.x");
    CU_ASSERT_PTR_NOT_NULL_FATAL(vm);
    vm->heap.limit = 0;
    CU_ASSERT_EQUAL(gs_interp_run(vm), GS_E_THROWN);
    CU_ASSERT_TRUE(
        unit_same(unit_error(vm), "t:1: TypeError: cannot read \"x\" of void\n  at t:1 in main\n"));
    gs_vm_free(vm);
}

static const struct unit_case cases[] = {
    UNIT_CASE(the_innermost_handler_takes_the_error),
    UNIT_CASE(a_handler_does_not_cover_its_target_or_the_end_of_its_range),
    UNIT_CASE(an_error_of_a_callee_belongs_to_the_call),
    UNIT_CASE(errors_know_their_line_and_stack),
    UNIT_CASE(frames_of_the_prelude_are_left_out),
    UNIT_CASE(deep_traces_lose_their_middle),
    UNIT_CASE(rethrown_errors_keep_their_place),
    UNIT_CASE(thrown_objects_get_what_they_lack),
    UNIT_CASE(arity_is_told_in_the_words_of_the_language),
    UNIT_CASE(a_task_with_wrong_arguments_names_its_function),
    UNIT_CASE(an_error_is_raised_even_when_the_heap_is_full),
};
UNIT_MAIN("unwind", cases)
