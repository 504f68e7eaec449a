/* SPDX-License-Identifier: MIT
 * test_scope.c - names: what is undefined, what may be assigned, what is captured and how. LANGUAGE
 * sections 3, 6 and 11.
 */
#include "unit_compile.h"

#define OK(text) CU_ASSERT(messages_are((text), ""))
#define SAYS(text, want) CU_ASSERT(messages_are((text), (want)))

/* --- errors ----------------------------------------------------------------------------------- */

static void a_name_that_nobody_declared_is_undefined(void)
{
    SAYS("println(x)", "t:1: undefined variable \"x\"\n");
    SAYS("x = 1", "t:1: undefined variable \"x\"\n");
    SAYS("x += 1", "t:1: undefined variable \"x\"\n");
    SAYS("fn f() { return x }", "t:1: undefined variable \"x\"\n");
    SAYS("println(`${x}`)", "t:1: undefined variable \"x\"\n");
    SAYS("let p = X{a: 1}", "t:1: undefined variable \"X\"\n");
    SAYS("class A extends B { }", "t:1: undefined variable \"B\"\n");
}

static void several_errors_are_reported_at_once(void)
{
    SAYS("println(a)\nprintln(b)\nlet c = 1\nlet c = 2",
         "t:1: undefined variable \"a\"\nt:2: undefined variable \"b\"\nt:4: \"c\" is already "
         "declared (line 3)\n");
}

static void a_local_is_visible_from_the_end_of_its_let(void)
{
    SAYS("fn f() { println(x)\nlet x = 1 }", "t:1: undefined variable \"x\"\n");
    SAYS("fn f() { let x = x }", "t:1: undefined variable \"x\"\n");
    SAYS("let x = x", "t:1: undefined variable \"x\"\n");
    OK("let x = 1\nfn f() { let x = x + 1\nreturn x }");
    OK("let len = len");
}

static void straight_top_level_code_sees_lets_before_it_and_functions_see_all(void)
{
    SAYS("println(x)\nlet x = 1", "t:1: undefined variable \"x\"\n");
    SAYS("if true { println(x) }\nlet x = 1", "t:1: undefined variable \"x\"\n");
    OK("fn f() { return x }\nlet x = 1");
    OK("let f = fn() { return x }\nlet x = 1");
    OK("println(range(3))\nlet range = 1\nprintln(range + 1)");
}

static void a_scope_ends_with_its_block(void)
{
    SAYS("if true { let x = 1 }\nprintln(x)", "t:2: undefined variable \"x\"\n");
    SAYS("for i in range(3) { }\nprintln(i)", "t:2: undefined variable \"i\"\n");
    SAYS("for let i = 0; i < 3; i += 1 { }\nprintln(i)", "t:2: undefined variable \"i\"\n");
    SAYS("try { } catch e { }\nprintln(e)", "t:2: undefined variable \"e\"\n");
    SAYS("fn f(p) { }\nprintln(p)", "t:2: undefined variable \"p\"\n");
}

static void one_scope_holds_a_name_once(void)
{
    SAYS("let a = 1\nlet a = 2", "t:2: \"a\" is already declared (line 1)\n");
    SAYS("fn f() { }\nlet f = 1", "t:2: \"f\" is already declared (line 1)\n");
    SAYS("let f = 1\nfn f() { }", "t:2: \"f\" is already declared (line 1)\n");
    SAYS("fn f(a, a) { }", "t:1: \"a\" is already declared (line 1)\n");
    SAYS("fn f(a) {\nlet a = 1 }", "t:2: \"a\" is already declared (line 1)\n");
    SAYS("fn g() { let a = 1\nfn a() { } }", "t:2: \"a\" is already declared (line 1)\n");
    SAYS("class C { fn m() { }\nfn m() { } }",
         "t:2: method \"m\" is already declared in class \"C\"\n");
    SAYS("interface I { fn m()\nfn m() }",
         "t:2: method \"m\" is already declared in interface \"I\"\n");
    OK("let a = 1\nif a { let a = 2\nfor a in range(3) { let a = 4 } }");
    OK("try { } catch e { let e = 1 }");
}

static void what_is_no_variable_cannot_be_assigned_to(void)
{
    SAYS("const A = 1\nA = 2", "t:2: cannot assign to constant \"A\"\n");
    SAYS("const A = 1\nfn f() { A += 2 }", "t:2: cannot assign to constant \"A\"\n");
    SAYS("fn f() { }\nf = 1", "t:2: cannot assign to function \"f\"\n");
    SAYS("class C { }\nC = 1", "t:2: cannot assign to class \"C\"\n");
    SAYS("interface I { }\nI = 1", "t:2: cannot assign to interface \"I\"\n");
    SAYS("type T = {a: int}\nT = 1", "t:2: cannot assign to type \"T\"\n");
    SAYS("println = 1", "t:1: cannot assign to built-in \"println\"\n");
    SAYS("import math\nmath = 1", "t:2: cannot assign to imported name \"math\"\n");
    SAYS("import { sqrt } from \"math\"\nsqrt = 1",
         "t:2: cannot assign to imported name \"sqrt\"\n");
    SAYS("import math\nmath.PI = 3", "t:2: cannot assign to member \"PI\" of a module\n");
    OK("for i in range(3) { i = 5 }\ntry { } catch e { e = 1 }\nfn f(a) { a = 1 }");
}

static void break_self_and_super_have_their_places(void)
{
    SAYS("break", "t:1: break outside a loop\n");
    SAYS("while true { fn f() { continue }\nbreak }", "t:1: continue outside a loop\n");
    SAYS("println(self)", "t:1: self outside a method\n");
    SAYS("fn f() { return super.m() }", "t:1: super outside a method\n");
    SAYS("class C { fn m() { return super.m() } }", "t:1: class \"C\" has no superclass\n");
    OK("class A { fn m() { return fn() { return self } } }");
    OK("return 5");
}

static void superclasses_are_classes_without_cycles(void)
{
    SAYS("let x = 1\nclass C extends x { }", "t:2: \"x\" is not a class\n");
    SAYS("class C extends C { }", "t:1: class \"C\" extends itself\n");
    SAYS("class A extends B { }\nclass B extends C { }\nclass C extends A { }",
         "t:3: class \"C\" extends itself through its superclasses\n");
    SAYS("interface I { }\nlet x = I{}", "t:2: \"I\" is not a class or type\n");
    SAYS("fn f() { }\nlet x = f{}", "t:2: \"f\" is not a class or type\n");
    OK("class B extends A { }\nclass A { }");
}

static void tests_name_classes_interfaces_and_primitives(void)
{
    SAYS("println(1 is Nope)", "t:1: \"Nope\" is not a class, an interface or a primitive type\n");
    SAYS("type T = {a: int}\nprintln(1 is T)",
         "t:2: \"T\" is a type, which no value can be tested for\n");
    SAYS("println(1 is int[])", "t:1: element types cannot be tested; write \"array\"\n");
    OK("class C { }\ninterface I { }\nprintln(1 is C, 1 is I, 1 is int, 1 as fn, 1 is void)");
}

static void members_of_modules_must_exist(void)
{
    SAYS("import math\nprintln(math.nope)", "t:2: module \"math\" has no member \"nope\"\n");
    SAYS("import math\nprintln(math.trig.nope(1))",
         "t:2: module \"math.trig\" has no member \"nope\"\n");
    SAYS("import { nope } from \"math\"", "t:1: module \"math\" has no member \"nope\"\n");
    OK("import math\nprintln(math.trig.sin(1.0), math.sqrt(2))");
}

static void annotations_only_warn(void)
{
    SAYS("let x: int = \"a\"", "t:1: warning: a string where int is annotated\n");
    SAYS("let x: int[] = 5", "t:1: warning: an int where int[] is annotated\n");
    SAYS("fn f(a: string = 1): int { return 1.5 }",
         "t:1: warning: an int where string is annotated\nt:1: warning: a float where int is "
         "annotated\n");
    SAYS("let x: Nope = 1", "t:1: warning: unknown type \"Nope\"\n");
    OK("let a: int = 1\nlet b: float = 1\nlet c: any = 1\nlet d: string = `x`\nlet e: json = "
       "{}\nlet f: fn = fn() { }");
    OK("class C { }\nlet c: C = C{}\nlet d: C = nil\nlet e: C[] = []");
}

/* --- captures --------------------------------------------------------------------------------- */

static bool has_cells(const char *text, const char *function)
{
    struct compiled r = compile_text(text);
    const struct gs_proto *p = proto_named(&r, function);
    bool has = p != NULL && count_op(p, GS_OP_CELLNEW) > 0;
    if (p == NULL)
        printf("\n  %s\n", r.messages);
    compiled_free(&r);
    return has;
}

static void a_variable_that_stays_is_captured_by_value(void)
{
    CU_ASSERT(!has_cells("fn f(a) { return fn() { return a } }", "f"));
    CU_ASSERT(
        !has_cells("fn f() { let a = g()\na = a + 1\nreturn fn() { return a } }\nfn g() { }", "f"));
    CU_ASSERT(!has_cells("fn f(l) { for x in l { l.push(fn() { return x }) } }", "f"));
    CU_ASSERT(
        !has_cells("fn f(l) { for let i = 0; i < 3; i += 1 { l.push(fn() { return i }) } }", "f"));
    CU_ASSERT(!has_cells(
        "fn f(l) { while l { let a = l.pop()\na += 1\nl.push(fn() { return a }) } }", "f"));
}

static void a_variable_that_changes_after_its_capture_is_a_cell(void)
{
    CU_ASSERT(has_cells("fn f(a) { let g = fn() { return a }\na = 2\nreturn g }", "f"));
    CU_ASSERT(has_cells("fn f(a) { return fn() { a += 1 } }", "f"));
    CU_ASSERT(has_cells("fn f(l) { let a = 0\nwhile l { a = l.pop()\nl.push(fn() { return a }) } }",
                        "f"));
    CU_ASSERT(has_cells(
        "fn f(l) { for let i = 0; i < 3; i += 1 { l.push(fn() { return i })\ni += 1 } }", "f"));
    CU_ASSERT(has_cells("fn f() { let g = nil\ng = fn() { return g() }\nreturn g }", "f"));
}

static void functions_name_themselves_without_a_capture(void)
{
    CU_ASSERT(
        ops_are("fn f(k) { let g = fn(n) { return g(n) + k }\nreturn g }", "f", "CLOSURE RET"));
    CU_ASSERT(ops_are("fn f(k) { fn g(n) { return g(n) + k }\nreturn g }", "g",
                      "GETFN MOVE CALL GETUP ADD RET"));
}

static void a_function_hands_itself_down_as_a_value_also_when_others_see_a_cell(void)
{
    const char *text = "fn f(k) { let r = c(1)\nfn c(n) { return a(n) }\n"
                       "fn a(n) { fn b() { return a(k) }\nreturn b() + c(n) }\nreturn r }";
    CU_ASSERT(ops_are(text, "c", "UPGET MOVE CALL RET"));
    CU_ASSERT(ops_are(text, "b", "GETUP GETUP CALL RET"));
}

static void functions_that_capture_nothing_are_constants(void)
{
    CU_ASSERT(ops_are("fn f() { fn g(n) { return h(n) }\nfn h(n) { return g(n) }\nreturn g(1) }",
                      "f", "LOADK LOADI CALL RET"));
    CU_ASSERT(ops_are("fn f(l) { return l.map(fn(x) { return x }) }", "f", "MOVE LOADK CALLM RET"));
}

static void nested_functions_are_hoisted_only_when_it_shows(void)
{
    CU_ASSERT(
        ops_are("fn f(a) { let b = a\nfn g() { return b }\nreturn g }", "f", "MOVE CLOSURE RET"));
    CU_ASSERT(ops_are("fn f(a) { a = g()\nlet b = a\nfn g() { return b }\nreturn g }", "f",
                      "LOADUNSET CELLNEW CLOSURE MOVE CALL MOVE CELLSET RET"));
}

/* --- top-level variables ---------------------------------------------------------------------- */

static void a_let_that_no_function_names_is_a_register(void)
{
    CU_ASSERT(
        ops_are("let a = input()\na += 1\nprintln(a)", "main", "CALLNAT ADDI MOVE CALLNAT RETNIL"));
    CU_ASSERT(ops_are("let a = input()\nfn f() { return a }", "main", "CALLNAT SETGLOBAL RETNIL"));
}

static void a_let_that_nothing_can_see_unset_is_a_constant(void)
{
    CU_ASSERT(ops_are("const A = 2\nlet B = A * 3\nfn f() { return B + 1 }", "f", "LOADI RET"));
    CU_ASSERT(
        ops_are("let f = fn(x) { return x }\nfn g() { return f(1) }", "g", "LOADK LOADI CALL RET"));
    /* g may run before, and then must find A unset. */
    CU_ASSERT(ops_are("println(g())\nconst A = 2\nfn g() { return A }", "g", "GETGLOBAL RET"));
    CU_ASSERT(
        ops_are("let A = 2\nfn g() { A = 3\nreturn A }", "g", "LOADI SETGLOBAL GETGLOBAL RET"));
}

static const struct unit_case cases[] = {
    UNIT_CASE(a_name_that_nobody_declared_is_undefined),
    UNIT_CASE(several_errors_are_reported_at_once),
    UNIT_CASE(a_local_is_visible_from_the_end_of_its_let),
    UNIT_CASE(straight_top_level_code_sees_lets_before_it_and_functions_see_all),
    UNIT_CASE(a_scope_ends_with_its_block),
    UNIT_CASE(one_scope_holds_a_name_once),
    UNIT_CASE(what_is_no_variable_cannot_be_assigned_to),
    UNIT_CASE(break_self_and_super_have_their_places),
    UNIT_CASE(superclasses_are_classes_without_cycles),
    UNIT_CASE(tests_name_classes_interfaces_and_primitives),
    UNIT_CASE(members_of_modules_must_exist),
    UNIT_CASE(annotations_only_warn),
    UNIT_CASE(a_variable_that_stays_is_captured_by_value),
    UNIT_CASE(a_variable_that_changes_after_its_capture_is_a_cell),
    UNIT_CASE(functions_name_themselves_without_a_capture),
    UNIT_CASE(a_function_hands_itself_down_as_a_value_also_when_others_see_a_cell),
    UNIT_CASE(functions_that_capture_nothing_are_constants),
    UNIT_CASE(nested_functions_are_hoisted_only_when_it_shows),
    UNIT_CASE(a_let_that_no_function_names_is_a_register),
    UNIT_CASE(a_let_that_nothing_can_see_unset_is_a_constant),
};

UNIT_MAIN("scope", cases)
