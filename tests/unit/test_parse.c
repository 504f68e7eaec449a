/* SPDX-License-Identifier: MIT
 * test_parse.c - trees, statement ends, precedence, errors and recovery. LANGUAGE sections 1, 3, 4,
 * 5, 6 and 11.
 */
#include "port/mem.h"
#include "unit.h"
#include "unit_source.h"

/* ---- where statements end ---- */

static void newline_or_semicolon_ends_a_statement(void)
{
    TREE("a\nb;c;;d\n\n;e", "a b c d e");
    TREE("let a = b\n(c)()\n[d].e\n{ f }", "(let a b) (call c) [d].e {f}");
    TREE("let a = b\n-1\n!c\n~d", "(let a b) (- 1) (! c) (~ d)");
    FAILS("a b", "t:1:3: expected newline or ;, got b");
    FAILS("let a = 1 let b = 2", "t:1:11: expected newline or ;, got let");
    FAILS("let a = b\n* c", "t:2:1: expected statement, got *");
    FAILS("a\n= 1", "t:2:1: expected statement, got =");
    FAILS("let a\n= 1", "t:2:1: expected statement, got =");
}

static void closing_brace_ends_a_statement(void)
{
    TREE("if a { return 1 }", "(if a {(return 1)})");
    TREE("fn f() { return }", "(fn f() {(return)})");
    TREE("if a { } b()", "(if a {}) (call b)");
    TREE("while a { } for x in b { } c", "(while a {}) (for x(in b {})) c");
    TREE("fn f() { } f() ; { } g", "(fn f() {}) (call f) {} g");
    TREE("class C { } interface I { } C{}", "(class C) (interface I) (new C )");
    TREE("try { } catch e { } a", "(try {} catch e{}) a");
    FAILS("let f = fn() { } f()", "t:1:18: expected newline or ;, got f");
}

static void lines_go_on_after_operators(void)
{
    TREE("a =\n1 +\n2 *\n3", "(= a (+ 1 (* 2 3)))");
    TREE("a +=\n1", "(+= a 1)");
    TREE("let a =\n\n// c\n 1", "(let a 1)");
    TREE("a = -\n5; b = !\nc; d = ~\ne", "(= a (- 5)) (= b (! c)) (= d (~ e))");
    TREE("a is\nint; a as\nint", "(is a :int) (as a :int)");
    TREE("a ?\nb :\nc", "(? a b c)");
    TREE("a &&\nb ||\nc ??\nd", "(?? (|| (&& a b) c) d)");
    TREE("a ==\nb; a <<\nb; a |\nb", "(== a b) (<< a b) (| a b)");
    TREE("a.\nb.\nc", "a.b.c");
    TREE("type T =\n{a: int}", "(type T a:int)");
    TREE("for i,\nv in a { }", "(for i,v(in a {}))");
    TREE("import a as\nb", "(import a as b)");
}

static void lines_go_on_when_the_next_begins_so(void)
{
    TREE("a\n.b\n.c(1)\n.d[2]", "(at (call a.b.c 1).d 2)");
    TREE("a\n&& b\n|| c\n?? d", "(?? (|| (&& a b) c) d)");
    TREE("a\n? b : c", "(? a b c)");
    TREE("a\n? b\n: c", "(? a b c)");
    TREE("a // x\n\n/* y */ // z\n   .b", "a.b");
    TREE("if a { }\nelse if b { }\n\n// c\nelse { }", "(if a {} (if b {} {}))");
    TREE("try { }\ncatch e { }\n\nfinally { }", "(try {} catch e{} finally {})");
    TREE("let x = a\n.b\nc", "(let x a.b) c");
    TREE("return a\n.b", "(return a.b)");
    FAILS("x = a\n.b = c", "t:2:4: expected newline or ;, got =");
}

static void newlines_mean_nothing_in_brackets_and_literals(void)
{
    TREE("f(\na\n,\nb\n)", "(call f a b)");
    TREE("(a\n+ b\n- c)", "(- (+ a b) c)");
    TREE("[\na\n, b,\n]", "[a b]");
    TREE("a[\n0\n]", "(at a 0)");
    TREE("f(a\n(b))", "(call f (call a b))");
    TREE("x = {\na: 1,\nb\n: 2\n}", "(= x (obj a:1 b:2))");
    TREE("P{\nx\n: 1\n,}", "(new P x:1)");
    TREE("fn f(\na\n, b\n= 1\n) { }", "(fn f(a b=1) {})");
    TREE("import {\na\n,\nb\n} from m", "(import a,b from m)");
    TREE("type T = {\na\n: int\n, b }", "(type T a:int b)");
}

static void blocks_inside_brackets_count_newlines_again(void)
{
    TREE("f(fn() {\na\n(b)\n}, c)", "(call f (fn () {a b}) c)");
    TREE("let o = {f: fn() {\na\n-1\n}, k:\n1}", "(let o (obj f:(fn () {a (- 1)}) k:1))");
    TREE("[fn() {\nreturn\na\n}\n]", "[(fn () {(return) a})]");
    TREE("f(fn()\n{ a\n })", "(call f (fn () {a}))");
    TREE("(fn() { if a {\nb\n} })\nc", "(fn () {(if a {b})}) c");
}

static void headers_and_words_stay_on_their_line(void)
{
    FAILS("fn f()\n{ }", "t:1:7: expected {, got newline");
    FAILS("if a\n{ }", "t:1:5: expected {, got newline");
    FAILS("if\na { }", "t:1:3: expected expression, got newline");
    FAILS("let\na = 1", "t:1:4: expected name, got newline");
    FAILS("throw\na", "t:1:6: expected expression, got newline");
    FAILS("class C // c\n{ }", "t:1:8: expected {, got newline");
    FAILS("let a:\nint", "t:1:7: expected type, got newline");
    FAILS("const a\n", "t:2:1: expected =, got EOF");
    TREE("return\na", "(return) a");
    TREE("fn f() { return\n}", "(fn f() {(return)})");
}

static void brace_at_the_start_of_a_statement_is_a_block(void)
{
    TREE("{ a }\n{ }\n{ { b } }", "{a} {} {{b}}");
    TREE("x\n{ a }", "x {a}");
    TREE("fn f() { { a } }", "(fn f() {{a}})");
    FAILS("{a: 1}", "t:1:3: expected newline or ;, got :");
    TREE("({a: 1}); x = {a: 1}", "(obj a:1) (= x (obj a:1))");
}

/* ---- expressions ---- */

static void precedence_is_that_of_the_table(void)
{
    TREE("a + b * c; a * b + c", "(+ a (* b c)) (+ (* a b) c)");
    TREE("a ?? b || c && d == e < f | g ^ h & i << j + k * -l.m",
         "(?? a (|| b (&& c (== d (< e (| f (^ g (& h (<< i (+ j (* k (- l.m))))))))))))");
    TREE("-l.m * k + j << i & h ^ g | f < e == d && c || b ?? a",
         "(?? (|| (&& (== (< (| (^ (& (<< (+ (* (- l.m) k) j) i) h) g) f) e) d) c) b) a)");
    TREE("a - b - c; a / b % c * d", "(- (- a b) c) (* (% (/ a b) c) d)");
    TREE("a < b < c; a == b != c; a << b >> c", "(< (< a b) c) (!= (== a b) c) (>> (<< a b) c)");
    TREE("a && b && c; a || b || c; a ?? b ?? c",
         "(&& (&& a b) c) (|| (|| a b) c) (?? (?? a b) c)");
    TREE("!a == b; -a * b; ~a & b; !a.b(); -a[0]",
         "(== (! a) b) (* (- a) b) (& (~ a) b) (! (call a.b)) (- (at a 0))");
    TREE("a <= b; a >= b; a > b", "(<= a b) (>= a b) (> a b)");
}

static void conditionals_go_to_the_right(void)
{
    TREE("a ? b : c ? d : e", "(? a b (? c d e))");
    TREE("a ? b ? c : d : e", "(? a (? b c d) e)");
    TREE("a ?? b ? c || d : e + f", "(? (?? a b) (|| c d) (+ e f))");
    TREE("x = a ? {k: 1} : [b]", "(= x (? a (obj k:1) [b]))");
    FAILS("a ? b", "t:1:6: expected :, got EOF");
    FAILS("a ? b c", "t:1:7: expected :, got c");
}

static void is_and_as_stand_with_the_comparisons(void)
{
    TREE("a is int == b; a + b as float", "(== (is a :int) b) (as (+ a b) :float)");
    TREE("!a is T", "(is (! a) :T)");
    TREE("a as m.T is mod.sub.U[][]", "(is (as a :m.T) :mod.sub.U[][])");
    TREE("a is fn && b", "(&& (is a :fn) b)");
    TREE("a is m . n . T", "(is a :m.n.T)");
    TREE("a is T\n[b]", "(is a :T) [b]");
    TREE("if a is T { }", "(if (is a :T) {})");
    FAILS("a is nil", "t:1:6: expected type, got nil");
    FAILS("a is 5", "t:1:6: expected type, got 5");
    FAILS("a as T[0]", "t:1:8: expected ], got 0");
}

static void calls_indexes_and_members_chain(void)
{
    TREE("a.b(c)[d](e)(f).g", "(call (call (at (call a.b c) d) e) f).g");
    TREE("f(); f(a,); f(a, ...b); f(...b,)", "(call f) (call f a) (call f a ...b) (call f ...b)");
    TREE("[]; [a,]; [...a, b, ...c]", "[] [a] [...a b ...c]");
    TREE("(a)(b); (a + b).c; fn() { }()", "(call a b) (+ a b).c (call (fn () {}))");
    TREE("'x'.len; [1][0]", "\"x\".len (at [1] 0)");
    FAILS("f(,)", "t:1:3: expected expression, got ,");
    FAILS("[,]", "t:1:2: expected expression, got ,");
    FAILS("f(a b)", "t:1:5: expected ), got b");
    FAILS("a[]", "t:1:3: expected expression, got ]");
    FAILS("a[0", "t:1:4: expected ], got EOF");
    FAILS("f(...a, b)", "t:1:3: a spread argument must be the last one");
    FAILS("x = ...a", "t:1:5: expected expression, got ...");
}

static void any_word_may_be_a_member_key_or_method(void)
{
    TREE("a.type.if.nil.fn(1).class", "(call a.type.if.nil.fn 1).class");
    TREE("runtime.panic.throw(x)", "(call runtime.panic.throw x)");
    TREE("x = {type: 1, if: 2, nil: 3, fn: 4, let: 5, in: 6}",
         "(= x (obj type:1 if:2 nil:3 fn:4 let:5 in:6))");
    TREE("T{class: 1, self: 2}", "(new T class:1 self:2)");
    TREE("class C { fn type() { } fn throw(a) { } fn fn() { } }",
         "(class C (method type() {}) (method throw(a) {}) (method fn() {}))");
    TREE("super.import(1); self.for", "(call super.import 1) self.for");
    TREE("a.while = 1", "(= a.while 1)");
    FAILS("let while = 1", "t:1:5: expected name, got while");
    FAILS("fn type() { }", "t:1:4: expected name, got type");
    FAILS("f(type)", "t:1:3: expected expression, got type");
    FAILS("a.5", "t:1:3: expected name, got 5");
}

static void objects_and_instances(void)
{
    TREE("x = {}; x = {a: 1, 'b c': 2, \"d\": 3,}", "(= x (obj )) (= x (obj a:1 b c:2 d:3))");
    TREE("P{x: 1, y: 2}; m.P{}; a.b.P{x: 1}.f()",
         "(new P x:1 y:2) (new m.P ) (call (new a.b.P x:1).f)");
    TREE("return P {x: 1}", "(return (new P x:1))");
    TREE("x = {a: {b: [{c: 1}]}}", "(= x (obj a:(obj b:[(obj c:1)])))");
    FAILS("x = {a}", "t:1:7: expected :, got }");
    FAILS("x = {1: 2}", "t:1:6: expected key, got 1");
    FAILS("x = {a: 1 b: 2}", "t:1:11: expected }, got b");
    FAILS("x = {a: 1", "t:1:10: expected }, got EOF");
    FAILS("f(){x: 1}", "t:1:4: expected newline or ;, got {");
    FAILS("x = (P){x: 1}", "t:1:8: expected newline or ;, got {");
}

static void headers_take_no_instance_at_their_top_level(void)
{
    TREE("if a { b }", "(if a {b})");
    TREE("if a == P { }", "(if (== a P) {})");
    TREE("while m.p { x }", "(while m.p {x})");
    TREE("for x in xs { y }", "(for x(in xs {y}))");
    TREE("if (P{x: 1}).x { }", "(if (new P x:1).x {})");
    TREE("if f(P{x: 1}) { }; while a[P{}] { }",
         "(if (call f (new P x:1)) {}) (while (at a (new P )) {})");
    TREE("if [P{}] == {a: P{}} { }", "(if (== [(new P )] (obj a:(new P ))) {})");
    TREE("for k in {a: 1, b: 2} { }", "(for k(in (obj a:1 b:2) {}))");
    TREE("if {a: 1}.a { }", "(if (obj a:1).a {})");
    TREE("if a ? b : c { }", "(if (? a b c) {})");
    TREE("if f(fn() { return P{x: 1} }) { }", "(if (call f (fn () {(return (new P x:1))})) {})");
    TREE("while fn() { return P{} }() { }", "(while (call (fn () {(return (new P ))})) {})");
    TREE("for let i = 0; i < n; i += 1 { P{} }", "(for (let i 0);(< i n);(+= i 1) {(new P )})");
    TREE("if a { } else if b { P{} } else { P{} }", "(if a {} (if b {(new P )} {(new P )}))");
    TREE("x = P{}", "(= x (new P ))");
}

static void assignment_is_a_statement(void)
{
    TREE("a = 1; a.b = 2; a[0] = 3; a.b().c = 4; (a) = 5",
         "(= a 1) (= a.b 2) (= (at a 0) 3) (= (call a.b).c 4) (= a 5)");
    TREE("a += 1; a -= 1; a *= 1; a /= 1; a %= 1", "(+= a 1) (-= a 1) (*= a 1) (/= a 1) (%= a 1)");
    FAILS("f(a = b)", "t:1:5: expected ), got =");
    FAILS("if a = b { }", "t:1:6: expected {, got =");
    FAILS("a = b = c", "t:1:7: expected newline or ;, got =");
    FAILS("f() = 1", "t:1:1: cannot assign to this expression");
    FAILS("5 += 1; self = 2",
          "t:1:1: cannot assign to this expression\nt:1:9: cannot assign to this expression");
    FAILS("super.x = 1", "t:1:7: cannot assign to this expression");
    FAILS("a + b = c", "t:1:3: cannot assign to this expression");
}

static void super_needs_a_member(void)
{
    TREE("super.m(a); super.m", "(call super.m a) super.m");
    FAILS("super(a)", "t:1:6: expected ., got (");
    FAILS("x = super", "t:1:10: expected ., got EOF");
}

/* ---- statements ---- */

static void let_and_const(void)
{
    TREE("let a; let b = 1; let c: int = 2; let d: m.T[]",
         "(let a) (let b 1) (let c:int 2) (let d:m.T[])");
    TREE("const a = 1; const b: fn = f", "(const a 1) (const b:fn f)");
    TREE("fn f() { let a }", "(fn f() {(let a)})");
    FAILS("let 5 = 1", "t:1:5: expected name, got 5");
    FAILS("let a b", "t:1:7: expected =, got b");
    FAILS("let a = ", "t:1:9: expected expression, got EOF");
    FAILS("const a", "t:1:8: expected =, got EOF");
    FAILS("let a: = 1", "t:1:8: expected type, got =");
}

static void functions(void)
{
    TREE("fn f() { }", "(fn f() {})");
    TREE("fn f(a, b: int, ...rest): T { return a }", "(fn f(a b:int ...rest):T {(return a)})");
    TREE("fn f(a, b = 1, c: T[] = [2], ...d: int[],): fn { }",
         "(fn f(a b=1 c:T[]=[2] ...d:int[]):fn {})");
    TREE("x = fn(a) { return fn() { } }", "(= x (fn (a) {(return (fn () {}))}))");
    TREE("fn() { a }()", "(call (fn () {a}))");
    TREE("fn f() { fn g() { } }", "(fn f() {(fn g() {})})");
    FAILS("fn f(...a, b) { }", "t:1:6: a rest parameter must be the last one");
    FAILS("fn f(a = 1, b) { }", "t:1:13: a parameter without a default follows one with a default");
    FAILS("fn f(a, b { }", "t:1:11: expected ), got {");
    FAILS("fn f(5) { }", "t:1:6: expected name, got 5");
    FAILS("fn f(...a = 1) { }", "t:1:11: expected ), got =");
    FAILS("fn f { }", "t:1:6: expected (, got {");
    FAILS("fn f() return 1", "t:1:8: expected {, got return");
    FAILS("x = fn g() { }", "t:1:8: expected (, got g");
}

static void conditions_and_loops(void)
{
    TREE("if a { } else { }", "(if a {} {})");
    TREE("if (a) { b } else if c { d } else if e { f }", "(if a {b} (if c {d} (if e {f})))");
    TREE("while true { break; continue }", "(while true {break continue})");
    TREE("for x in range(1, 2) { }; for i, v in a.b { }",
         "(for x(in (call range 1 2) {})) (for i,v(in a.b {}))");
    TREE("for let i = 0; i < 3; i += 1 { }", "(for (let i 0);(< i 3);(+= i 1) {})");
    TREE("for ;; { }; for i = 0; ; { }; for ; a; f() { }",
         "(for ;; {}) (for (= i 0);; {}) (for ;a;(call f) {})");
    TREE("for i = 0;\ni < 3;\ni += 1 { }", "(for (= i 0);(< i 3);(+= i 1) {})");
    TREE("for const i = 0; a; { }", "(for (const i 0);a; {})");
    FAILS("if a b", "t:1:6: expected {, got b");
    FAILS("while { }", "t:1:10: expected {, got EOF");
    FAILS("for x { }", "t:1:7: expected ;, got {");
    FAILS("for x in { }", "t:1:13: expected {, got EOF");
    FAILS("for x, 5 in a { }", "t:1:8: expected name, got 5");
    FAILS("for i = 0; i < 3 { }", "t:1:18: expected ;, got {");
    FAILS("else { }", "t:1:1: expected statement, got else");
    FAILS("if a { }; else { }", "t:1:11: expected statement, got else");
}

static void errors_and_defer(void)
{
    TREE("try { a } catch e { b } finally { c }", "(try {a} catch e{b} finally {c})");
    TREE("try { } catch { }; try { } finally { }", "(try {} catch {}) (try {} finally {})");
    TREE("throw {kind: 'x'}; throw e", "(throw (obj kind:\"x\")) (throw e)");
    TREE("defer f(a); defer a.b(); defer fn() { x }(); defer (f())",
         "(defer (call f a)) (defer (call a.b)) (defer (call (fn () {x}))) (defer (call f))");
    FAILS("try { }\nf()", "t:2:1: expected catch or finally, got f");
    FAILS("try a", "t:1:5: expected {, got a");
    FAILS("try { } catch (e) { }", "t:1:15: expected {, got (");
    FAILS("catch e { }", "t:1:1: expected statement, got catch");
    FAILS("defer 5", "t:1:7: defer needs a call");
    FAILS("defer f", "t:1:7: defer needs a call");
    FAILS("throw", "t:1:6: expected expression, got EOF");
}

static void classes_interfaces_and_types(void)
{
    TREE("class C { fn m(a) { return self.x + a } fn n() { } }",
         "(class C (method m(a) {(return (+ self.x a))}) (method n() {}))");
    TREE("class D extends C { }; class E extends m.C { }", "(class D<C) (class E<m.C)");
    TREE("class C {\n\nfn a() { }\n;fn b() { };\n}", "(class C (method a() {}) (method b() {}))");
    TREE("interface R { fn read() fn write(a: int, b = 1, ...c): string fn close(): fn }",
         "(interface R (method read()) (method write(a:int b=1 ...c):string) (method close():fn))");
    TREE("interface R {\nfn a(); fn b()\nfn c(): T[]\n}",
         "(interface R (method a()) (method b()) (method c():T[]))");
    TREE("type U = {id: int, name: string, tags: m.T[], x, type: any,}",
         "(type U id:int name:string tags:m.T[] x type:any)");
    TREE("type E = {}", "(type E)");
    FAILS("class C { let x = 1 }", "t:1:11: expected fn, got let");
    FAILS("class C { x: 1, y: 2 }", "t:1:11: expected fn, got x");
    FAILS("class C {\nfn a() { }\n", "t:3:1: expected }, got EOF");
    FAILS("class C extends { }", "t:1:17: expected name, got {");
    FAILS("class 5 { }", "t:1:7: expected name, got 5");
    FAILS("interface R { fn a() { } }", "t:1:22: expected fn, got {");
    FAILS("interface R { a() }", "t:1:15: expected fn, got a");
    FAILS("type T = int", "t:1:10: expected {, got int");
    FAILS("type T {a: int}", "t:1:8: expected =, got {");
    FAILS("type T = {5: int}", "t:1:11: expected key, got 5");
}

static void imports(void)
{
    TREE("import strings; import m as n", "(import strings) (import m as n)");
    TREE("import 'm'; import \"./x.goost\" as x", "(import \"m\") (import \"./x.goost\" as x)");
    TREE("import { a, B } from 'm'; import {a as b, c,} from m",
         "(import a,B from \"m\") (import a>b,c from m)");
    TREE("import {type as t, as as b} from m", "(import type>t,as>b from m)");
    FAILS("import a.b", "t:1:9: expected newline or ;, got .");
    FAILS("import 5", "t:1:8: expected module name, got 5");
    FAILS("import {} from m", "t:1:9: expected name, got }");
    FAILS("import {a b} from m", "t:1:11: expected }, got b");
    FAILS("import {a}", "t:1:11: expected from, got EOF");
    FAILS("import {type} from m", "t:1:9: expected name, got type");
    FAILS("fn f() {\nimport m\n}", "t:2:1: import stands only at the top level");
    FAILS("import m as 'x'", "t:1:13: expected name, got 'x'");
}

/* ---- places ---- */

static const struct gs_node *statement_of(const struct source_copy *c, uint32_t i)
{
    return c->root->list.v[i];
}

static bool stands_at(const struct gs_node *n, unsigned line, unsigned col)
{
    return n->pos.line == line && n->pos.col == col;
}

static void each_call_of_a_chain_has_the_line_of_its_name(void)
{
    const char *text = "a\n  .b()\n  .c(\n1\n)\n  .d[0](x)";
    struct source_copy c = source_parse(text, strlen(text));
    const struct gs_node *last = statement_of(&c, 0)->a;
    CU_ASSERT_TRUE(stands_at(last, 6, 7)); /* the ] */
    const struct gs_node *at = last->a;
    CU_ASSERT_TRUE(stands_at(at, 6, 5)); /* the [ */
    CU_ASSERT_TRUE(stands_at(at->a, 6, 4));
    const struct gs_node *call_c = at->a->a;
    CU_ASSERT_TRUE(stands_at(call_c, 3, 4));
    CU_ASSERT_TRUE(stands_at(call_c->a, 3, 4));
    CU_ASSERT_TRUE(stands_at(call_c->a->a, 2, 4));
    source_free(&c);
}

static void operators_stand_at_their_sign(void)
{
    const char *text = "x = a\n  && -b ? c\n : d is\n T\nfn f(p,\n q) {\n}";
    struct source_copy c = source_parse(text, strlen(text));
    const struct gs_node *n = statement_of(&c, 0);
    CU_ASSERT_TRUE(stands_at(n, 1, 3));
    CU_ASSERT_TRUE(stands_at(n->a, 1, 1));
    CU_ASSERT_TRUE(stands_at(n->b, 2, 9));
    CU_ASSERT_TRUE(stands_at(n->b->a, 2, 3));
    CU_ASSERT_TRUE(stands_at(n->b->a->b, 2, 6));
    CU_ASSERT_TRUE(stands_at(n->b->c, 3, 6));
    const struct gs_fnnode *fn = statement_of(&c, 1)->fn;
    CU_ASSERT_TRUE(fn->pos.line == 5 && fn->pos.col == 1);
    CU_ASSERT_TRUE(fn->params[1].pos.line == 6 && fn->params[1].pos.col == 2);
    CU_ASSERT_TRUE(fn->end.line == 7 && fn->end.col == 1);
    CU_ASSERT_TRUE(fn->body->end.line == 7);
    source_free(&c);
}

static void parentheses_leave_a_mark(void)
{
    struct source_copy c = source_parse("(a)\na", 5);
    CU_ASSERT_TRUE(statement_of(&c, 0)->a->paren);
    CU_ASSERT_FALSE(statement_of(&c, 1)->a->paren);
    source_free(&c);
}

/* ---- errors ---- */

static void unclosed_brackets_name_what_is_missing(void)
{
    FAILS("fn f() {", "t:1:9: expected }, got EOF");
    FAILS("fn f() {\n  if a {\n  }\n", "t:4:1: expected }, got EOF");
    FAILS("f(a, b", "t:1:7: expected ), got EOF");
    FAILS("f(\n", "t:2:1: expected expression, got EOF");
    FAILS("x = [1, 2", "t:1:10: expected ], got EOF");
    FAILS("println(1\nlet x = 1\nlet y = = 2",
          "t:2:1: expected ), got let\nt:3:9: expected expression, got =");
    FAILS("x = [1,\n2\nfn f() { let = 1 }",
          "t:3:1: expected ], got fn\nt:3:14: expected name, got =");
    FAILS("}", "t:1:1: expected statement, got }");
    FAILS("f() }\ng() )", "t:1:5: expected statement, got }\nt:2:5: expected newline or ;, got )");
    FAILS("if a { ) }", "t:1:8: expected statement, got )");
}

static void independent_errors_are_all_reported(void)
{
    FAILS("let a = = 1\nf()\nlet b = * 2\nf()\nlet = 3\nf()",
          "t:1:9: expected expression, got =\nt:3:9: expected expression, got *\nt:5:5: expected "
          "name, got =");
    FAILS("fn f(a b) {\n let x = = 1\n return 5 5\n}\nlet = 1",
          "t:1:8: expected ), got b\nt:2:10: expected expression, got =\nt:3:11: expected newline "
          "or ;, got 5\n"
          "t:5:5: expected name, got =");
    FAILS("class C {\n let x = 1\n fn a( { return 1 }\n fn b() { let = 3 }\n {a}\n fn c() { let = "
          "4 }\n}\nlet = 5",
          "t:2:2: expected fn, got let\nt:3:8: expected name, got {\nt:4:15: expected name, got =\n"
          "t:5:2: expected fn, got {\nt:6:15: expected name, got =\nt:8:5: expected name, got =");
    FAILS("let y = [1 2,\n 3\n]\nf(a b, fn() {\n let x = 1\n})\nlet = 1",
          "t:1:12: expected ], got 2\nt:4:5: expected ), got b\nt:7:5: expected name, got =");
    FAILS("if a b { let = 1 } else if c d { let = 2 } else { let = 4 }",
          "t:1:6: expected {, got b\nt:1:14: expected name, got =\nt:1:38: expected name, got =\n"
          "t:1:55: expected name, got =");
    FAILS("for let i = 0 0; i < 3; i += 1 { let = 1 }\nlet = 2",
          "t:1:15: expected ;, got 0\nt:1:38: expected name, got =\nt:2:5: expected name, got =");
    FAILS("let o = {a: 1 b: 2,\n type: 3,\n let: 4}\nlet = 1",
          "t:1:15: expected }, got b\nt:4:5: expected name, got =");
    FAILS(
        "f(fn() {\n let = 1\n}, [fn() { let = 2 }], {k: fn() { let = 3 }})\nlet = 4",
        "t:2:6: expected name, got =\nt:3:16: expected name, got =\nt:3:39: expected name, got =\n"
        "t:4:5: expected name, got =");
    FAILS("f(a `x ${b} }` c)\nlet = 1",
          "t:1:5: expected ), got string\nt:2:5: expected name, got =");
}

static void twenty_errors_are_the_most(void)
{
    char text[40 * 8 + 1] = "";
    for (int i = 0; i < 40; i++)
        strcat(text, "let = 1\n");
    struct source_copy c = source_parse(text, strlen(text));
    CU_ASSERT_EQUAL(gs_diag_errors(c.diag), GS_DIAG_MAX);
    source_free(&c);
}

static void one_place_is_complained_about_once(void)
{
    FAILS("let x =\nelse { }", "t:2:1: expected expression, got else");
    FAILS("let x = 1 +\n)", "t:2:1: expected expression, got )");
    FAILS("f(\n}\n", "t:2:1: expected expression, got }");
}

static void tokens_are_shown_as_written(void)
{
    FAILS("a 'str'", "t:1:3: expected newline or ;, got 'str'");
    FAILS("a `x\ny`", "t:1:3: expected newline or ;, got string");
    FAILS("a 0x1F", "t:1:3: expected newline or ;, got 0x1F");
    FAILS("a xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
          "t:1:3: expected newline or ;, got xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...");
    FAILS("a \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"",
          "t:1:3: expected newline or ;, got string");
}

/* ---- limits ---- */

static void repeat(char **text, size_t *n, const char *what, size_t times)
{
    size_t len = strlen(what);
    *text = realloc(*text, *n + len * times + 1);
    for (size_t i = 0; i < times; i++, *n += len)
        memcpy(*text + *n, what, len);
    (*text)[*n] = '\0';
}

/* head, then open n times, middle, close n times. */
static char *nested_errors(const char *head, const char *open, const char *middle,
                           const char *close, size_t times)
{
    char *text = NULL;
    size_t n = 0;
    repeat(&text, &n, head, 1);
    repeat(&text, &n, open, times);
    repeat(&text, &n, middle, 1);
    repeat(&text, &n, close, times);
    struct source_copy c = source_parse(text, n);
    char *got = source_messages(c.diag);
    source_free(&c);
    free(text);
    return got;
}

static const struct nest {
    const char *head, *open, *middle, *close;
    size_t fine;
} nests[] = {
    {"x = ", "(", "1", ")", 700},
    {"x = ", "[", "", "]", 700},
    {"x = ", "{a: ", "1", "}", 700},
    {"", "{", "", "}", 700},
    {"", "if a {", "", "}", 350},
    {"", "fn f() {", "", "}", 350},
    {"", "f(fn() { return ", "1", "})", 180},
    {"x = ", "`${", "1", "}`", 700},
    {"x = ", "-", "1", "", 350},
    {"x = ", "a ? b : ", "1", "", 700},
    {"x = ", "a ? ", "1", " : 2", 700},
    {"x = ", "f(", "1", ")", 700},
    {"x = ", "a[", "1", "]", 700},
    {"x = 1", " + 1", "", "", 1900},
    {"x = f", "()", "", "", 1900},
    {"x = a", ".b", "", "", 1900},
    {"if a { }", " else if b { }", "", "", 1900},
    {"x = ", "P{a: ", "1", "}", 700},
    {"", "class C { fn m() {", "", "} }", 300},
    {"", "try { } catch e {", "", "}", 700},
    {"", "for x in f(fn() {", "", "}) { }", 180},
};

static void ordinary_nesting_is_fine(void)
{
    for (size_t i = 0; i < sizeof nests / sizeof nests[0]; i++) {
        char *got = nested_errors(nests[i].head, nests[i].open, nests[i].middle, nests[i].close,
                                  nests[i].fine);
        source_compare(__LINE__, __FILE__, nests[i].open, got, "");
        free(got);
    }
}

static void nesting_too_deep_is_one_error(void)
{
    for (size_t i = 0; i < sizeof nests / sizeof nests[0]; i++)
        for (int closed = 0; closed < 2; closed++) {
            char *got = nested_errors(nests[i].head, nests[i].open, closed ? nests[i].middle : "",
                                      closed ? nests[i].close : "", 10000);
            const char *colon = strrchr(got, ':');
            source_compare(__LINE__, __FILE__, nests[i].open, colon ? colon : got,
                           ": nesting too deep\n");
            CU_ASSERT_PTR_EQUAL(strchr(got, '\n'), strrchr(got, '\n'));
            free(got);
        }
}

static void long_lists_are_no_nesting(void)
{
    char *got = nested_errors("x = [0", ", 1", "]", "", 200000);
    CU_ASSERT_STRING_EQUAL(got, "");
    free(got);
    got = nested_errors("", "f()\n", "", "", 200000);
    CU_ASSERT_STRING_EQUAL(got, "");
    free(got);
    got = nested_errors("x = `", "${a}b", "`", "", 100000);
    CU_ASSERT_STRING_EQUAL(got, "");
    free(got);
}

/* Every prefix and every text with one byte gone or doubled: no crash, no hang, and a tree or a
 * message. */
static void mutilated_texts_do_no_harm(void)
{
    static const char text[] =
        "import {a as b} from 'm'\nclass C extends m.D { fn f(x: int[], y = {k: [1, 2.5]}, ...z): "
        "T {\n"
        "if x is T && !y { return P{a: 1} } else if z[0] { throw `a${`b${x}`}c` } else { }\n"
        "for i, v in z { break }\nfor let i = 0; i < 3; i += 1 { continue } } }\n"
        "try { f(...a) } catch e { } finally { defer g() }\nx = a ? b : c ?? d\ntype T = {a: int}\n"
        "interface I { fn a(): int }\nlet f = fn(a) { while true { super.x(0x1F, 'a\\n') } }\n";
    size_t n = sizeof text - 1;
    char buf[sizeof text + 1];
    for (size_t i = 0; i <= n; i++) {
        struct source_copy c = source_parse(text, i);
        source_free(&c);
        if (i == n)
            break;
        memcpy(buf, text, i);
        memcpy(buf + i, text + i + 1, n - i - 1);
        c = source_parse(buf, n - 1);
        source_free(&c);
        buf[i] = text[i];
        memcpy(buf + i + 1, text + i, n - i);
        c = source_parse(buf, n + 1);
        source_free(&c);
    }
    struct source_copy whole = source_parse(text, n);
    CU_ASSERT_EQUAL(gs_diag_errors(whole.diag), 0);
    source_free(&whole);
}

static bool incomplete(const char *text)
{
    struct gs_source s = {.path = "t", .text = text, .len = strlen(text)};
    return gs_parse_incomplete(&s);
}

static void text_that_only_ends_too_early_is_incomplete(void)
{
    static const char *const more[] = {"fn f() {",  "f(",
                                       "f(a",       "x = [1,",
                                       "x = {a: 1", "1 +",
                                       "x =",       "let x =\n",
                                       "/* a",      "`a",
                                       "`a ${",     "`a ${b",
                                       "`a ${b}",   "if a { }  else {",
                                       "class C {", "class C { fn a() { }",
                                       "a.",        "a ?",
                                       "a ? b",     "f(fn() {",
                                       "type T =",  "import {a",
                                       "fn f(",     "try { }",
                                       "x is",      "{",
                                       "-"};
    static const char *const done[] = {"",    "x",        "x = 1", "fn f() { }", "x }",
                                       ")",   "let = (",  "'a",    "fn f()",     "if a",
                                       "let", "for x in", "a b (", "return",     "throw"};
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
        CU_ASSERT_TRUE(incomplete(more[i]));
        if (!incomplete(more[i]))
            fprintf(stderr, "\nnot incomplete: %s\n", more[i]);
    }
    for (size_t i = 0; i < sizeof done / sizeof done[0]; i++) {
        CU_ASSERT_FALSE(incomplete(done[i]));
        if (incomplete(done[i]))
            fprintf(stderr, "\nincomplete: %s\n", done[i]);
    }
}

static const struct unit_case cases[] = {
    UNIT_CASE(newline_or_semicolon_ends_a_statement),
    UNIT_CASE(closing_brace_ends_a_statement),
    UNIT_CASE(lines_go_on_after_operators),
    UNIT_CASE(lines_go_on_when_the_next_begins_so),
    UNIT_CASE(newlines_mean_nothing_in_brackets_and_literals),
    UNIT_CASE(blocks_inside_brackets_count_newlines_again),
    UNIT_CASE(headers_and_words_stay_on_their_line),
    UNIT_CASE(brace_at_the_start_of_a_statement_is_a_block),
    UNIT_CASE(precedence_is_that_of_the_table),
    UNIT_CASE(conditionals_go_to_the_right),
    UNIT_CASE(is_and_as_stand_with_the_comparisons),
    UNIT_CASE(calls_indexes_and_members_chain),
    UNIT_CASE(any_word_may_be_a_member_key_or_method),
    UNIT_CASE(objects_and_instances),
    UNIT_CASE(headers_take_no_instance_at_their_top_level),
    UNIT_CASE(assignment_is_a_statement),
    UNIT_CASE(super_needs_a_member),
    UNIT_CASE(let_and_const),
    UNIT_CASE(functions),
    UNIT_CASE(conditions_and_loops),
    UNIT_CASE(errors_and_defer),
    UNIT_CASE(classes_interfaces_and_types),
    UNIT_CASE(imports),
    UNIT_CASE(each_call_of_a_chain_has_the_line_of_its_name),
    UNIT_CASE(operators_stand_at_their_sign),
    UNIT_CASE(parentheses_leave_a_mark),
    UNIT_CASE(unclosed_brackets_name_what_is_missing),
    UNIT_CASE(independent_errors_are_all_reported),
    UNIT_CASE(twenty_errors_are_the_most),
    UNIT_CASE(one_place_is_complained_about_once),
    UNIT_CASE(tokens_are_shown_as_written),
    UNIT_CASE(ordinary_nesting_is_fine),
    UNIT_CASE(nesting_too_deep_is_one_error),
    UNIT_CASE(long_lists_are_no_nesting),
    UNIT_CASE(mutilated_texts_do_no_harm),
    UNIT_CASE(text_that_only_ends_too_early_is_incomplete),
};
UNIT_MAIN("parse", cases)
