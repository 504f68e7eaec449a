/* SPDX-License-Identifier: MIT
 * test_emit.c - the code that comes out: no needless moves, the right immediate forms, exact
 * negations, long jumps, limits.
 */
#include "unit_compile.h"

#define F(body, want) CU_ASSERT(ops_are("fn g(x) { }\nfn f(a, b, c) { " body " }", "f", want))

static void operands_and_results_need_no_moves(void)
{
    F("let x = g(a)", "LOADK MOVE CALL RETNIL");
    F("let x = a + b * c", "MUL ADD RETNIL");
    F("a = b + c", "ADD RETNIL");
    F("a += b", "ADD RETNIL");
    F("return g(1) + g(2)", "LOADK LOADI CALL LOADK LOADI CALL ADD RET");
    F("return a[b].k", "GETINDEX GETFIELD RET");
    F("a[b] = c", "SETINDEX RETNIL");
    F("a.k += b", "GETFIELD ADD SETFIELD RETNIL");
    F("return a.m(b)", "MOVE MOVE CALLM RET");
    F("return [a, b]", "MOVE MOVE NEWARRAY RET");
    F("return {k: a, l: b}", "MOVE MOVE NEWOBJ RET");
}

static void a_variable_is_not_written_before_it_was_read(void)
{
    F("a = (b * c) + (a * b)", "MUL MUL ADD RETNIL");
    F("a = a ?? b", "MOVE JNNIL MOVE MOVE RETNIL");
    F("a = [a, a]", "MOVE MOVE NEWARRAY RETNIL");
    F("a = {k: 1, l: a}", "LOADI MOVE NEWOBJ RETNIL");
}

static void constants_go_into_the_instruction(void)
{
    F("return a + 1", "ADDI RET");
    F("return a - 1", "SUBI RET");
    F("return a * 3 / 4 % 5", "MULI DIVI MODI RET");
    F("return a << 1 >> 2 & 3", "SHLI SHRI BANDI RET");
    F("return a * 2.5", "MULK RET");
    F("return 2.5 - a", "KSUB RET");
    F("return 2 * a", "MULI RET");
    F("return a + 100000", "ADDK RET");
    F("return a[0]", "GETINDEXI RET");
    F("return a[-1]", "GETINDEXI RET");
    F("return len(a)", "LEN RET");
    F("return 1 + 2 * 3", "LOADI RET");
    F("return 1 / 0", "LOADI KDIV RET"); /* must throw when it runs */
    F("return -5 + a", "ADDI RET");
}

static void conditions_are_one_fused_jump(void)
{
    F("if a < b { return 1 }", "JNLT LOADI RET RETNIL");
    F("if a > b { return 1 }", "JNLT LOADI RET RETNIL");
    F("if a <= 5 { return 1 }", "JNLEI LOADI RET RETNIL");
    F("if 5 <= a { return 1 }", "JNGEI LOADI RET RETNIL");
    F("if !(a < b) { return 1 }", "JLT LOADI RET RETNIL");
    F("if a == nil { return 1 }", "JNNIL LOADI RET RETNIL");
    F("if a != \"s\" { return 1 }", "JEQK LOADI RET RETNIL");
    F("if a == 5 { return 1 }", "JNEI LOADI RET RETNIL");
    F("if a { return 1 }", "JF LOADI RET RETNIL");
    F("if a && !b || c { return 1 }", "JF JF JF LOADI RET RETNIL");
    F("return a && b", "JF JF LOADBOOL JMP LOADBOOL RET");
}

static void constant_conditions_leave_no_test(void)
{
    F("if true { return 1 }", "LOADI RET");
    F("if false { return 1 } return 2", "LOADI RET");
    F("while true { g(1) }", "LOADK LOADI CALL JMP");
    F("while false { g(1) }", "RETNIL");
}

static void loops_test_at_the_bottom(void)
{
    F("while a < b { a += 1 }", "JMP ADDI JLT RETNIL");
    F("for let i = 0; i < 9; i += 1 { g(i) }", "LOADI JMP LOADK MOVE CALL ADDI JLTI RETNIL");
    F("for i in range(a) { b += i }", "LOADI MOVE LOADI FORPREP ADD FORLOOP RETNIL");
    F("for i in range(a, b, c) { }", "MOVE MOVE MOVE FORPREP FORLOOP RETNIL");
    F("for x in a { b += x }", "MOVE ITERNEW JMP ADD ITERNEXT RETNIL");
    F("for x in range() { }", "LOADK CALL ITERNEW JMP ITERNEXT RETNIL"); /* throws as a call does */
}

static void natives_that_are_known_are_called_directly(void)
{
    F("println(a)", "MOVE CALLNAT RETNIL");
    F("return toString(a, b)",
      "LOADK MOVE MOVE CALL RET"); /* a wrong number of arguments throws when it runs */
    F("println(...a)", "LOADK MOVE CALLV RETNIL");
    CU_ASSERT(ops_are("import math\nfn f(a) { return math.sqrt(a) }", "f", "MOVE CALLNAT RET"));
    CU_ASSERT(ops_are("fn f(a) { let len = a\nreturn len(a) }", "f", "MOVE MOVE MOVE CALL RET"));
}

/* Whether a constant of the function is the native of that name that makes no result. */
static bool calls_without_result(const char *body, const char *name)
{
    char text[256];
    snprintf(text, sizeof(text), "import thread\nfn f(g, p) { %s }", body);
    struct compiled r = compile_text(text);
    CU_ASSERT_STRING_EQUAL(r.messages, "");
    const struct gs_proto *f = proto_named(&r, "f");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    bool twin = false, full = false;
    for (uint32_t i = 0; i < f->nk; i++) {
        const struct gs_native *n = f->k[i].p;
        if (!gs_is(f->k[i], GS_T_NATIVE) || strcmp(n->name, name) != 0)
            continue;
        if (n->no_result != NULL)
            full = true;
        else
            twin = true;
    }
    CU_ASSERT_NOT_EQUAL(twin, full);
    compiled_free(&r);
    return twin;
}

static void a_statement_asks_for_no_result(void)
{
    CU_ASSERT(calls_without_result("thread.core.spawn(g, 1)", "spawn"));
    CU_ASSERT(calls_without_result("thread.core.spawn(g, ...p)", "spawn"));
    CU_ASSERT(calls_without_result("thread.async.run(g)", "run"));
    CU_ASSERT(calls_without_result("thread.pool.submit(p, g)", "submit"));
    CU_ASSERT(!calls_without_result("let t = thread.core.spawn(g)", "spawn"));
    CU_ASSERT(!calls_without_result("return thread.core.spawn(g)", "spawn"));
    CU_ASSERT(!calls_without_result("p.push(thread.core.spawn(g))", "spawn"));
    CU_ASSERT(!calls_without_result("thread.core.join(thread.core.spawn(g))", "spawn"));
    CU_ASSERT(!calls_without_result("g ?? thread.core.spawn(g)", "spawn"));
    CU_ASSERT(!calls_without_result("let h = thread.core.spawn\nh(g)", "spawn"));
}

static void dead_code_is_not_written(void)
{
    F("return 1\nprintln(a)", "LOADI RET");
    F("if a { return 1 } else { return 2 } println(a)", "JF LOADI RET LOADI RET");
    F("throw a\ng(1)", "THROW");
    F("while true { break\ng(1) }", "RETNIL");
}

static void finally_code_stands_once(void)
{
    struct compiled r = compile_text("fn f(a) { for x in a { try { if x { return 1 } if a { break "
                                     "} continue } finally { println(x) } } }");
    const struct gs_proto *p = proto_named(&r, "f");
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    CU_ASSERT_EQUAL(count_op(p, GS_OP_CALLNAT), 1);
    CU_ASSERT_EQUAL(p->nhandlers, 1);
    compiled_free(&r);
}

static void inner_handlers_come_first(void)
{
    struct compiled r = compile_text(
        "fn f(a) { try { try { a() } catch e { a() } } catch e { a() } finally { a() } }");
    const struct gs_proto *p = proto_named(&r, "f");
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    CU_ASSERT_EQUAL_FATAL(p->nhandlers, 3);
    for (uint32_t i = 1; i < p->nhandlers; i++) {
        CU_ASSERT(p->handlers[i].from <= p->handlers[i - 1].from);
        CU_ASSERT(p->handlers[i].to >= p->handlers[i - 1].to);
    }
    compiled_free(&r);
}

static void duplicate_keys_share_a_slot(void)
{
    struct compiled r = compile_text("fn f(a) { return {x: a(1), y: a(2), x: a(3)} }");
    const struct gs_proto *p = proto_named(&r, "f");
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    CU_ASSERT_EQUAL(count_op(p, GS_OP_CALL), 3);
    CU_ASSERT_EQUAL(count_op(p, GS_OP_NEWOBJ), 1);
    compiled_free(&r);
}

/* --- sizes ------------------------------------------------------------------------------------ */

struct text {
    char *p;
    size_t n, cap;
};

static void put(struct text *t, const char *s)
{
    size_t n = strlen(s);
    if (t->n + n + 1 > t->cap) {
        t->cap = (t->n + n + 1) * 2;
        t->p = realloc(t->p, t->cap);
    }
    memcpy(t->p + t->n, s, n + 1);
    t->n += n;
}

static void put_many(struct text *t, const char *s, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        put(t, s);
}

static void jumps_over_long_code_get_their_long_form(void)
{
    struct text t = {0};
    put(&t, "fn f(a, s) { while a < 3 { if a == 2 { break } for x in s { a += x\n");
    put_many(&t, "s.n += a\n", 30000);
    put(&t, "} } return a }");
    struct compiled r = compile_text(t.p);
    const struct gs_proto *p = proto_named(&r, "f");
    CU_ASSERT_STRING_EQUAL(r.messages, "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    CU_ASSERT(p->ncode > 65536);
    CU_ASSERT(count_op(p, GS_OP_JMP) >= 4);
    compiled_free(&r);
    free(t.p);
}

static void a_function_with_too_many_variables_is_refused(void)
{
    struct text t = {0};
    char line[64];
    put(&t, "fn f() {\n");
    for (unsigned i = 0; i < 60001; i++) {
        snprintf(line, sizeof(line), "let v%u = 1.5\n", i);
        put(&t, line);
    }
    put(&t, "}");
    CU_ASSERT(messages_are(t.p, "t:1: function \"f\" is too large: more than 60000 registers\n"));
    free(t.p);
}

/* fn f(a) with a line for each of many constants, then the last one. */
static struct compiled with_constants(const char *before, const char *last)
{
    struct text t = {0};
    char line[64];
    put(&t, "fn f(a) {\n");
    for (unsigned i = 0; i < 70000; i++) {
        snprintf(line, sizeof(line), "%s%u.5\n", before, i);
        put(&t, line);
    }
    put(&t, last);
    put(&t, " }");
    struct compiled r = compile_text(t.p);
    CU_ASSERT_STRING_EQUAL(r.messages, "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(r.c.program);
    free(t.p);
    return r;
}

static void more_constants_than_an_operand_reaches_still_work(void)
{
    struct compiled r = with_constants("a = a + ", "return {k: a}");
    CU_ASSERT(proto_named(&r, "f")->nk > 65536);
    compiled_free(&r);
}

static void many_loaded_constants_leave_places_for_natives(void)
{
    struct compiled r = with_constants("a = ", "println(a)");
    const struct gs_proto *f = proto_named(&r, "f");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT_EQUAL(count_op(f, GS_OP_LOADK), 70000);
    CU_ASSERT_EQUAL(count_op(f, GS_OP_CALLNAT), 1);
    compiled_free(&r);
}

static void a_hundred_thousand_top_level_lets_compile(void)
{
    struct text t = {0};
    char line[64];
    for (unsigned i = 0; i < 100000; i++) {
        snprintf(line, sizeof(line), "let v%u = input()\n", i);
        put(&t, line);
    }
    struct compiled r = compile_text(t.p);
    CU_ASSERT_STRING_EQUAL(r.messages, "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(r.c.program);
    CU_ASSERT(r.c.program->nglobals > 99000);
    compiled_free(&r);
    free(t.p);
}

/* --- what else a proto says ------------------------------------------------------------------- */

static void parameters_are_counted(void)
{
    struct compiled r = compile_text("fn f(a, b = 1, ...c) { }\nclass C { fn m(a) { } }");
    const struct gs_proto *f = proto_named(&r, "f"), *m = proto_named(&r, "m");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT_PTR_NOT_NULL_FATAL(m);
    CU_ASSERT_EQUAL(f->nparams, 3);
    CU_ASSERT_EQUAL(f->nreq, 1);
    CU_ASSERT_EQUAL(f->flags, GS_PF_REST);
    CU_ASSERT_EQUAL(m->nparams, 2);
    CU_ASSERT_EQUAL(m->nreq, 2);
    CU_ASSERT_EQUAL(m->flags, GS_PF_METHOD);
    CU_ASSERT_PTR_NOT_NULL(m->cls);
    CU_ASSERT_PTR_NOT_NULL(f->self);
    compiled_free(&r);
}

static void named_globals_are_listed_with_those_of_closures(void)
{
    struct compiled r = compile_text(
        "let a = input()\nlet b = input()\nfn f(k) { a = 1\nreturn fn() { return b + k } }");
    const struct gs_proto *f = proto_named(&r, "f");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT_EQUAL_FATAL(f->ngnames, 2);
    CU_ASSERT_EQUAL(f->gnames[0], 0);
    CU_ASSERT_EQUAL(f->gnames[1], 1);
    compiled_free(&r);
}

static void instructions_have_the_line_of_their_operator(void)
{
    struct compiled r = compile_text("fn f(a,\n b) {\n return a.x(\n  b)\n  .y\n  .z +\n 1\n}");
    const struct gs_proto *f = proto_named(&r, "f");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    for (uint32_t i = 0; i < f->ncode; i++) {
        if (gs_insn_op(f->code[i]) == GS_OP_CALLM)
            CU_ASSERT_EQUAL(f->lines[i], 3);
        if (gs_insn_op(f->code[i]) == GS_OP_GETFIELD)
            CU_ASSERT(f->lines[i] == 5 || f->lines[i] == 6);
        if (gs_insn_op(f->code[i]) == GS_OP_ADDI)
            CU_ASSERT_EQUAL(f->lines[i], 6);
    }
    compiled_free(&r);
}

static const struct unit_case cases[] = {
    UNIT_CASE(operands_and_results_need_no_moves),
    UNIT_CASE(a_variable_is_not_written_before_it_was_read),
    UNIT_CASE(constants_go_into_the_instruction),
    UNIT_CASE(conditions_are_one_fused_jump),
    UNIT_CASE(constant_conditions_leave_no_test),
    UNIT_CASE(loops_test_at_the_bottom),
    UNIT_CASE(natives_that_are_known_are_called_directly),
    UNIT_CASE(a_statement_asks_for_no_result),
    UNIT_CASE(dead_code_is_not_written),
    UNIT_CASE(finally_code_stands_once),
    UNIT_CASE(inner_handlers_come_first),
    UNIT_CASE(duplicate_keys_share_a_slot),
    UNIT_CASE(jumps_over_long_code_get_their_long_form),
    UNIT_CASE(a_function_with_too_many_variables_is_refused),
    UNIT_CASE(more_constants_than_an_operand_reaches_still_work),
    UNIT_CASE(many_loaded_constants_leave_places_for_natives),
    UNIT_CASE(a_hundred_thousand_top_level_lets_compile),
    UNIT_CASE(parameters_are_counted),
    UNIT_CASE(named_globals_are_listed_with_those_of_closures),
    UNIT_CASE(instructions_have_the_line_of_their_operator),
};

UNIT_MAIN("emit", cases)
