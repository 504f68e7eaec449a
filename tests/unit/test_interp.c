/* SPDX-License-Identifier: MIT
 * test_interp.c - instructions one by one in hand-made functions, calls, safe points, parking, and
 * feedback.
 */
#include <math.h>

#include "unit_vm.h"

#define LEN(a) ((uint32_t)(sizeof(a) / sizeof((a)[0])))
#define CODE(...) .code = (const gs_insn[]){__VA_ARGS__}, .n = LEN(((const gs_insn[]){__VA_ARGS__}))
#define RET(a) I_ABC(RET, a, 0, 0)

/* The text of `a op b`, or of the error. */
static const char *binary(enum gs_op op, gs_value a, gs_value b)
{
    static char text[8192];
    gs_value args[] = {a, b};
    struct unit_code u = {CODE(gs_insn_abc(op, 2, 0, 1), RET(2)), .nregs = 3, .nparams = 2,
                          .nreq = 2};
    struct gs_vm *vm = unit_vm(unit_proto(&u), args, 2);
    gs_status st = gs_interp_run(vm);
    (void)snprintf(text, sizeof text, "%s", st == GS_OK ? unit_text(vm->result) : unit_error(vm));
    text[strcspn(text, "\n")] = '\0';
    gs_vm_free(vm);
    return text;
}

#define IS(op, a, b, want) CU_ASSERT_TRUE(unit_same(binary(GS_OP_##op, a, b), want))
#define S(z) gs_strv(gs_atomz(z))

static void ints_wrap_around(void)
{
    IS(ADD, gs_int(INT64_MAX), gs_int(1), "-9223372036854775808");
    IS(SUB, gs_int(INT64_MIN), gs_int(1), "9223372036854775807");
    IS(MUL, gs_int(INT64_MAX), gs_int(2), "-2");
    IS(SHL, gs_int(1), gs_int(63), "-9223372036854775808");
    IS(SHL, gs_int(1), gs_int(64), "1");
    IS(SHR, gs_int(-8), gs_int(1), "-4");
}

static void division_of_ints_truncates_and_never_traps(void)
{
    IS(DIV, gs_int(7), gs_int(2), "3");
    IS(DIV, gs_int(-7), gs_int(2), "-3");
    IS(DIV, gs_int(7), gs_int(-2), "-3");
    IS(MOD, gs_int(-7), gs_int(2), "-1");
    IS(MOD, gs_int(7), gs_int(-2), "1");
    IS(DIV, gs_int(1LL << 40), gs_int(3), "366503875925");
    IS(MOD, gs_int(1LL << 40), gs_int(1000), "776");
    IS(DIV, gs_int(INT64_MIN), gs_int(-1), "-9223372036854775808");
    IS(MOD, gs_int(INT64_MIN), gs_int(-1), "0");
    IS(DIV, gs_int(1), gs_int(0), "unit:1: ZeroDivision: division by zero");
    IS(MOD, gs_int(1), gs_int(0), "unit:1: ZeroDivision: remainder by zero");
}

static void mixed_numbers_become_floats(void)
{
    IS(ADD, gs_int(1), gs_float(0.5), "1.5");
    IS(SUB, gs_float(0.5), gs_int(1), "-0.5");
    IS(DIV, gs_int(1), gs_float(0), "Inf");
    IS(MOD, gs_float(7.5), gs_int(2), "1.5");
    IS(MOD, gs_float(1), gs_float(0), "NaN");
    IS(MUL, gs_float(2), gs_float(3), "6.0");
}

static void other_kinds_are_refused_in_the_order_written(void)
{
    IS(ADD, S("a"), S("b"), "ab");
    IS(ADD, S("a"), gs_int(1), "unit:1: TypeError: cannot add string and int");
    IS(ADD, gs_nil(), gs_float(1), "unit:1: TypeError: cannot add void and float");
    IS(SUB, S("a"), gs_int(1), "unit:1: TypeError: cannot subtract string and int");
    IS(BAND, gs_float(1), gs_int(1), "unit:1: TypeError: cannot apply & to float and int");
    IS(LT, gs_int(1), S("a"), "unit:1: TypeError: cannot compare int and string");
}

static void comparisons_are_exact(void)
{
    IS(LT, gs_int(INT64_MAX), gs_float(9223372036854775808.0), "true");
    IS(LE, gs_float(9007199254740992.0), gs_int(9007199254740993), "true");
    IS(LE, gs_int(9007199254740993), gs_float(9007199254740992.0), "false");
    IS(EQ, gs_int(9007199254740993), gs_float(9007199254740992.0), "false");
    IS(EQ, gs_int(1), gs_float(1), "true");
    IS(NE, S("a"), gs_strv(gs_str_immortal("a", 1)), "false");
    IS(LT, S("a"), S("b"), "true");
    IS(LE, S("b"), S("a\0x"), "false");
}

/* 1 when the jump is taken. */
static int taken(enum gs_op op, gs_value a, gs_value b)
{
    gs_value args[] = {a, b};
    struct unit_code u = {
        CODE(gs_insn_abc(op, 0, 1, 2), I_ABX(LOADI, 0, 0), RET(0), I_ABX(LOADI, 0, 1), RET(0)),
        .nregs = 2, .nparams = 2, .nreq = 2};
    struct gs_vm *vm = unit_vm(unit_proto(&u), args, 2);
    CU_ASSERT_EQUAL(gs_interp_run(vm), GS_OK);
    int r = (int)vm->result.i;
    gs_vm_free(vm);
    return r;
}

static void negated_jumps_differ_for_nan(void)
{
    gs_value nan = gs_float(NAN), one = gs_float(1);
    CU_ASSERT_EQUAL(taken(GS_OP_JLT, nan, one), 0);
    CU_ASSERT_EQUAL(taken(GS_OP_JNLT, nan, one), 1);
    CU_ASSERT_EQUAL(taken(GS_OP_JLE, nan, one), 0);
    CU_ASSERT_EQUAL(taken(GS_OP_JNLE, nan, one), 1);
    CU_ASSERT_EQUAL(taken(GS_OP_JEQ, nan, nan), 0);
    CU_ASSERT_EQUAL(taken(GS_OP_JNE, nan, nan), 1);
    CU_ASSERT_EQUAL(taken(GS_OP_JNLT, nan, gs_int(1)), 1);
    CU_ASSERT_EQUAL(taken(GS_OP_JLE, gs_int(2), gs_int(2)), 1);
    CU_ASSERT_EQUAL(taken(GS_OP_JLT, gs_int(2), gs_int(2)), 0);
}

static void immediate_jumps_compare_as_written(void)
{
    static const struct {
        enum gs_op op;
        int below, same, above;
    } table[] = {{GS_OP_JLTI, 1, 0, 0},  {GS_OP_JNLTI, 0, 1, 1}, {GS_OP_JLEI, 1, 1, 0},
                 {GS_OP_JNLEI, 0, 0, 1}, {GS_OP_JGTI, 0, 0, 1},  {GS_OP_JNGTI, 1, 1, 0},
                 {GS_OP_JGEI, 0, 1, 1},  {GS_OP_JNGEI, 1, 0, 0}, {GS_OP_JEQI, 0, 1, 0},
                 {GS_OP_JNEI, 1, 0, 1}};
    for (unsigned i = 0; i < LEN(table); i++) {
        const int *want = &table[i].below;
        for (int k = -1; k <= 1; k++) {
            gs_value forms[] = {gs_int(-3 + k), gs_float(-3 + k)};
            for (int f = 0; f < 2; f++) {
                struct unit_code u = {CODE(gs_insn_abc(table[i].op, 0, (unsigned)-3, 2),
                                           I_ABX(LOADI, 0, 0), RET(0), I_ABX(LOADI, 0, 1), RET(0)),
                                      .nregs = 1, .nparams = 1, .nreq = 1};
                CU_ASSERT_TRUE(unit_gives(unit_proto(&u), &forms[f], 1, want[k + 1] ? "1" : "0"));
            }
        }
    }
}

/* Sum of the values of a counted loop. */
static const char *loop_sum(int64_t start, int64_t stop, int64_t step)
{
    static char text[8192];
    gs_value args[] = {gs_int(start), gs_int(stop), gs_int(step)};
    struct unit_code u = {CODE(I_ABX(LOADI, 4, 0), gs_insn_with_x(I_ABX(FORPREP, 0, 2), 3),
                               I_ABC(ADD, 4, 4, 3), I_ABX(FORLOOP, 0, -2), RET(4)),
                          .nregs = 5, .nparams = 3, .nreq = 3};
    struct gs_vm *vm = unit_vm(unit_proto(&u), args, 3);
    gs_status st = gs_interp_run(vm);
    (void)snprintf(text, sizeof text, "%s", st == GS_OK ? unit_text(vm->result) : unit_error(vm));
    gs_vm_free(vm);
    return text;
}

static void counted_loops_end_where_they_should(void)
{
    CU_ASSERT_STRING_EQUAL(loop_sum(0, 5, 1), "10");
    CU_ASSERT_STRING_EQUAL(loop_sum(5, 0, 1), "0");
    CU_ASSERT_STRING_EQUAL(loop_sum(5, 0, -2), "9");
    CU_ASSERT_STRING_EQUAL(loop_sum(0, 0, 1), "0");
    CU_ASSERT_STRING_EQUAL(loop_sum(INT64_MAX - 1, INT64_MAX, 1), "9223372036854775806");
    CU_ASSERT_STRING_EQUAL(loop_sum(INT64_MIN, INT64_MAX, INT64_MAX), "-3");
    CU_ASSERT_STRING_EQUAL(loop_sum(INT64_MAX, INT64_MIN, INT64_MIN), "9223372036854775806");
    CU_ASSERT_PTR_NOT_NULL(strstr(loop_sum(0, 1, 0), "ValueError: range step is 0"));
}

static void values_of_registers_never_run_are_harmless(void)
{
    gs_value k[] = {S("v")};
    struct unit_code u = {CODE(I_ABC(CELLGET, 0, 1, 0), RET(0)), .nregs = 2, .k = k, .nk = 1};
    CU_ASSERT_TRUE(unit_gives(unit_proto(&u), NULL, 0,
                              "unit:1: TypeError: malformed code\n  at unit:1 in f\n"));
    struct unit_code loop = {CODE(I_ABX(FORLOOP, 0, -1), RET(3)), .nregs = 4};
    CU_ASSERT_TRUE(unit_gives(unit_proto(&loop), NULL, 0,
                              "unit:1: TypeError: malformed code\n  at unit:1 in f\n"));
    struct unit_code push = {CODE(I_ABC(ARRPUSH, 0, 1, 1), RET(0)), .nregs = 2};
    CU_ASSERT_TRUE(unit_gives(unit_proto(&push), NULL, 0,
                              "unit:1: TypeError: malformed code\n  at unit:1 in f\n"));
}

/* ---- calls ---- */

static void arguments_are_fitted_to_parameters(void)
{
    CU_ASSERT_TRUE(unit_runs(
        "fn f(a, b = a + 1, ...c) { return [a, b, c] } let r = [f(1), f(1, 5), f(1, 5, 6, 7)]",
        "[[1, 2, []], [1, 5, []], [1, 5, [6, 7]]]"));
    CU_ASSERT_TRUE(unit_runs("fn f(a, b) { return a - b } let r = f(...[5, 3])", "2"));
    CU_ASSERT_TRUE(
        unit_runs("fn f(...a) { return len(a) } let r = f(...array.ints(5000))", "5000"));
    CU_ASSERT_TRUE(unit_runs("let r = max(...array.new(3000, 7))", "7"));
    CU_ASSERT_TRUE(unit_runs("class C { fn m(a, b = 2) { return [self.x, a, b] } } let m = C{x: "
                             "1}.m\nlet r = [m(8), m(...[8, 9])]",
                             "[[1, 8, 2], [1, 8, 9]]"));
    CU_ASSERT_TRUE(unit_runs("let p = [1].push\nlet r = [p(2), p(...[3, 4])]", "[2, 4]"));
}

static void callbacks_get_what_they_declare(void)
{
    CU_ASSERT_TRUE(unit_runs("let r = [[5, 6].map(fn() { return 1 }), [5, 6].map(fn(x, i) { return "
                             "i }), [5].map(fn(...a) { return a })]",
                             "[[1, 1], [0, 1], [[5, 0]]]"));
    CU_ASSERT_TRUE(unit_runs("let r = [\"1\", \"2\"].map(toInt)", "[1, 2]"));
}

static void a_site_that_sees_many_shapes_stays_right(void)
{
    CU_ASSERT_TRUE(unit_runs(
        "class A { fn v() { return 1 } } class B extends A { fn v() { return super.v() + 1 } }\n"
        "class C { fn v() { return self.x } } class D { fn v() { return 4 } }\n"
        "let list = [A{}, B{}, C{x: 3}, D{}, {v: fn() { return 5 }}, A{q: 1}, C{y: 1, x: 7}]\n"
        "let r = []\nfor i in range(3) { for o in list { r.push(o.v()) } }\nr = r.sum()",
        "69"));
    CU_ASSERT_TRUE(unit_runs("let r = 0\nfor i in range(20) { let o = {}\n o[`k${i % 7}`] = 1\n "
                             "o.x = i\n o.x += 1\n r += o.x }",
                             "210"));
}

static void deep_recursion_grows_the_stack_and_ends_in_an_error(void)
{
    CU_ASSERT_TRUE(unit_runs(
        "fn f(n) { if n == 0 { return 0 } return f(n - 1) + 1 } let r = f(100000)", "100000"));
    CU_ASSERT_TRUE(unit_runs(
        "fn f(n) { return f(n + 1) + 1 } let r = nil\ntry { f(0) } catch e { r = e.kind }",
        "StackOverflow"));
}

/* ---- safe points ---- */

static void a_poke_makes_loops_and_calls_yield(void)
{
    struct gs_vm *vm = unit_vm_of("fn f(x) { return x + 1 } let r = 0\nwhile r < 10 { r = f(r) }");
    CU_ASSERT_PTR_NOT_NULL_FATAL(vm);
    int yields = 0;
    gs_status st;
    do {
        gs_task_poke_mt(&vm->task, GS_POKE_PREEMPT);
        st = gs_interp_run(vm);
        yields += st == GS_YIELD;
    } while (st == GS_YIELD);
    CU_ASSERT_EQUAL(st, GS_OK);
    CU_ASSERT_TRUE(yields >= 20); /* ten calls, ten back-edges */
    CU_ASSERT_EQUAL(unit_global(vm, "r").i, 10);
    gs_vm_free(vm);
}

static void every_kind_of_poke_leaves_the_program_alone(void)
{
    struct gs_vm *vm =
        unit_vm_of("fn f(n) { if n < 2 { return [n] } return f(n - 1).concat(f(n - 2)) }\n"
                   "let r = 0\nfor i in range(8) { for x in f(i) { r += x } }");
    CU_ASSERT_PTR_NOT_NULL_FATAL(vm);
    gs_status st;
    unsigned turn = 0;
    do {
        gs_task_poke_mt(&vm->task, turn++ % 3 == 0 ? GS_POKE_GC | GS_POKE_PREEMPT
                                                   : GS_POKE_PREEMPT | GS_POKE_CANCEL);
        st = gs_interp_run(vm);
    } while (st == GS_YIELD);
    CU_ASSERT_EQUAL(st, GS_OK);
    CU_ASSERT_EQUAL(unit_global(vm, "r").i, 33);
    gs_vm_free(vm);
}

/* A native that parks twice before it gives its argument plus one. */
static int64_t parked;
static int finish_park(struct gs_vm *vm, gs_value *ret)
{
    (void)vm;
    if (parked++ == 0)
        return GS_PARK;
    *ret = gs_int(parked * 100);
    return GS_OK;
}
static int park_native(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)args;
    (void)n;
    (void)ret;
    parked = 0;
    vm->park.finish = finish_park;
    return GS_PARK;
}
static int failing_finish(struct gs_vm *vm, gs_value *ret)
{
    (void)ret;
    return gs_throw(vm, GS_ERR_CLOSED, "gone");
}
static int park_to_fail(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)args;
    (void)n;
    (void)ret;
    vm->park.finish = failing_finish;
    return GS_PARK;
}
static int yield_native(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)vm;
    (void)n;
    *ret = gs_int(args[0].i * 2);
    return GS_YIELD;
}
static const struct gs_native natives[] = {
    GS_NATIVE_INIT(park_native, "park", 0, 1, 0, NONE),
    GS_NATIVE_INIT(park_to_fail, "fail", 0, 0, 0, NONE),
    GS_NATIVE_INIT(yield_native, "twice", 1, 1, 0, NONE),
};

static void a_parked_call_goes_on_with_its_outcome(void)
{
    gs_value k[] = {gs_objv(GS_T_NATIVE, &natives[0])};
    struct unit_code direct = {CODE(I_ABC(CALLNAT, 1, 0, 0), I_ABC(ADDI, 1, 1, 5), RET(1)),
                               .nregs = 4, .k = k, .nk = 1};
    struct unit_code by_value = {
        CODE(I_ABX(LOADK, 1, 0), I_ABC(CALL, 1, 0, 0), I_ABC(ADDI, 1, 1, 5), RET(1)),
        .nregs = 4,
        .k = k,
        .nk = 1,
        .ic = {""},
        .nics = 1};
    const struct unit_code *both[] = {&direct, &by_value};
    for (int i = 0; i < 2; i++) {
        struct gs_vm *vm = unit_vm(unit_proto(both[i]), NULL, 0);
        CU_ASSERT_EQUAL(gs_interp_run(vm), GS_PARK);
        CU_ASSERT_EQUAL(gs_interp_run(vm), GS_PARK);
        CU_ASSERT_EQUAL(gs_interp_run(vm), GS_OK);
        CU_ASSERT_EQUAL(vm->result.i, 205);
        gs_vm_free(vm);
    }
}

static void a_park_that_ends_in_an_error_throws_at_the_call(void)
{
    gs_value k[] = {gs_objv(GS_T_NATIVE, &natives[1])};
    struct gs_handler h = {.from = 1, .to = 2, .target = 3, .reg = 0};
    struct unit_code u = {CODE(I_ABX(LOADI, 0, 1), I_ABC(CALLNAT, 1, 0, 0), RET(1), RET(0)),
                          .nregs = 3,
                          .k = k,
                          .nk = 1,
                          .handlers = &h,
                          .nhandlers = 1};
    struct gs_vm *vm = unit_vm(unit_proto(&u), NULL, 0);
    CU_ASSERT_EQUAL(gs_interp_run(vm), GS_PARK);
    CU_ASSERT_EQUAL(gs_interp_run(vm), GS_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(unit_text(vm->result), "line: 2"));
    gs_vm_free(vm);
}

static void a_yielding_call_keeps_its_result(void)
{
    gs_value k[] = {gs_objv(GS_T_NATIVE, &natives[2])};
    struct unit_code u = {CODE(I_ABX(LOADI, 3, 21), I_ABC(CALLNAT, 1, 1, 0), RET(1)), .nregs = 4,
                          .k = k, .nk = 1};
    struct gs_vm *vm = unit_vm(unit_proto(&u), NULL, 0);
    CU_ASSERT_EQUAL(gs_interp_run(vm), GS_YIELD);
    CU_ASSERT_EQUAL(gs_interp_run(vm), GS_OK);
    CU_ASSERT_EQUAL(vm->result.i, 42);
    gs_vm_free(vm);
}

/* ---- memory ---- */

static void a_heap_limit_gives_a_catchable_error(void)
{
    struct gs_vm *vm = unit_vm_of(
        "let r = nil\nlet keep = []\ntry { while true { keep.push([1, \"two\"]) } }\n"
        "catch e { keep = nil\n r = e.kind }\nr = [r, [1, 2, 3].map(fn(x) { return x * 2 })]");
    CU_ASSERT_PTR_NOT_NULL_FATAL(vm);
    vm->heap.limit = 4u << 20;
    CU_ASSERT_EQUAL(gs_interp_run(vm), GS_OK);
    CU_ASSERT_STRING_EQUAL(unit_text(unit_global(vm, "r")), "[\"OutOfMemory\", [2, 4, 6]]");
    gs_vm_free(vm);
}

static void garbage_is_collected_before_an_error(void)
{
    struct gs_vm *vm = unit_vm_of(
        "let r = 0\nfor i in range(200000) { let o = {a: [i], b: `text ${i}`}\n r += len(o.b) }");
    CU_ASSERT_PTR_NOT_NULL_FATAL(vm);
    vm->heap.limit = 2u << 20;
    CU_ASSERT_EQUAL(gs_interp_run(vm), GS_OK);
    CU_ASSERT_EQUAL(unit_global(vm, "r").i, 2088890);
    gs_vm_free(vm);
}

/* ---- feedback ---- */

static void feedback_tells_kinds_other_than_int(void)
{
    struct unit_code u = {CODE(I_ABC(ADD, 2, 0, 1), RET(2)), .nregs = 3, .nparams = 2, .nreq = 2};
    struct gs_proto *p = unit_proto(&u);
    gs_value ints[] = {gs_int(1), gs_int(2)}, floats[] = {gs_float(1), gs_float(2)},
             mixed[] = {gs_int(1), gs_float(2)};
    gs_value strings[] = {S("a"), S("b")};
    CU_ASSERT_TRUE(unit_gives(p, ints, 2, "3"));
    CU_ASSERT_EQUAL(gs_load_rlx(&p->fb[0]), 0);
    CU_ASSERT_TRUE(unit_gives(p, floats, 2, "3.0"));
    CU_ASSERT_EQUAL(gs_load_rlx(&p->fb[0]), GS_FB_FLOAT);
    CU_ASSERT_TRUE(unit_gives(p, mixed, 2, "3.0"));
    CU_ASSERT_TRUE(unit_gives(p, strings, 2, "ab"));
    CU_ASSERT_EQUAL(gs_load_rlx(&p->fb[0]), GS_FB_FLOAT | GS_FB_MIXED | GS_FB_STR);
}

static const struct unit_case cases[] = {
    UNIT_CASE(ints_wrap_around),
    UNIT_CASE(division_of_ints_truncates_and_never_traps),
    UNIT_CASE(mixed_numbers_become_floats),
    UNIT_CASE(other_kinds_are_refused_in_the_order_written),
    UNIT_CASE(comparisons_are_exact),
    UNIT_CASE(negated_jumps_differ_for_nan),
    UNIT_CASE(immediate_jumps_compare_as_written),
    UNIT_CASE(counted_loops_end_where_they_should),
    UNIT_CASE(values_of_registers_never_run_are_harmless),
    UNIT_CASE(arguments_are_fitted_to_parameters),
    UNIT_CASE(callbacks_get_what_they_declare),
    UNIT_CASE(a_site_that_sees_many_shapes_stays_right),
    UNIT_CASE(deep_recursion_grows_the_stack_and_ends_in_an_error),
    UNIT_CASE(a_poke_makes_loops_and_calls_yield),
    UNIT_CASE(every_kind_of_poke_leaves_the_program_alone),
    UNIT_CASE(a_parked_call_goes_on_with_its_outcome),
    UNIT_CASE(a_park_that_ends_in_an_error_throws_at_the_call),
    UNIT_CASE(a_yielding_call_keeps_its_result),
    UNIT_CASE(a_heap_limit_gives_a_catchable_error),
    UNIT_CASE(garbage_is_collected_before_an_error),
    UNIT_CASE(feedback_tells_kinds_other_than_int),
};
UNIT_MAIN("interp", cases)
