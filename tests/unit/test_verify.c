/* SPDX-License-Identifier: MIT
 * test_verify.c - what the bytecode verifier lets through and what it does not, and that what it
 * lets through cannot crash the interpreter.
 */
#include "unit_mutate.h"
#include "unit_vm.h"

#define LEN(a) ((uint32_t)(sizeof(a) / sizeof((a)[0])))

/* Verifies code in a function of 8 registers; the message must contain `want`, NULL: it passes. */
static bool says(struct unit_code u, const char *want)
{
    char msg[200] = "";
    if (u.nregs == 0)
        u.nregs = 8;
    gs_status st = gs_bytecode_verify(unit_proto(&u), msg, sizeof msg);
    bool right = want == NULL ? st == GS_OK : st == GS_E_INVALID && strstr(msg, want) != NULL;
    if (!right)
        printf("\n  want %s\n  got  %s\n", want != NULL ? want : "ok", msg);
    return right;
}

#define CODE(...) .code = (const gs_insn[]){__VA_ARGS__}, .n = LEN(((const gs_insn[]){__VA_ARGS__}))
#define REFUSES(want, ...) CU_ASSERT_TRUE(says((struct unit_code){__VA_ARGS__}, want))
#define ACCEPTS(...) CU_ASSERT_TRUE(says((struct unit_code){__VA_ARGS__}, NULL))

static void registers_must_be_in_the_frame(void)
{
    ACCEPTS(CODE(I_ABC(MOVE, 7, 0, 0), I_ABC(RETNIL, 0, 0, 0)));
    REFUSES("registers 8..8 of 8", CODE(I_ABC(MOVE, 8, 0, 0), I_ABC(RETNIL, 0, 0, 0)));
    REFUSES("registers 9..9 of 8", CODE(I_ABC(MOVE, 0, 9, 0), I_ABC(RETNIL, 0, 0, 0)));
    REFUSES("registers 65535", CODE(I_ABC(ADD, 0, 1, 65535), I_ABC(RETNIL, 0, 0, 0)));
    REFUSES("registers 8..8 of 8", CODE(I_ABC(RET, 8, 0, 0)));
}

static void runs_of_registers_must_be_in_the_frame(void)
{
    ACCEPTS(CODE(I_ABC(LOADNIL, 4, 4, 0), I_ABC(RETNIL, 0, 0, 0)));
    REFUSES("registers 4..8", CODE(I_ABC(LOADNIL, 4, 5, 0), I_ABC(RETNIL, 0, 0, 0)));
    REFUSES("no register", CODE(I_ABC(LOADNIL, 4, 0, 0), I_ABC(RETNIL, 0, 0, 0)));
    REFUSES("registers 6..8", CODE(I_ABC(NEWARRAY, 0, 6, 3), I_ABC(RETNIL, 0, 0, 0)));
    ACCEPTS(CODE(I_ABC(NEWARRAY, 0, 60000, 0), I_ABC(RETNIL, 0, 0, 0)));
    REFUSES("registers 7..8", CODE(I_ABC(CONCAT, 0, 7, 2), I_ABC(RETNIL, 0, 0, 0)));
    REFUSES("registers 5..8", CODE(I_ABX(FORLOOP, 5, -1), I_ABC(RETNIL, 0, 0, 0)));
    REFUSES("registers 6..8", CODE(I_ABC(ITERNEW, 6, 1, 0), I_ABC(RETNIL, 0, 0, 0)));
    REFUSES("registers 7..8",
            CODE(gs_insn_with_x(I_ABC(ITERNEXT, 0, 7, -1), 2), I_ABC(RETNIL, 0, 0, 0)));
    REFUSES("3 loop variables",
            CODE(gs_insn_with_x(I_ABC(ITERNEXT, 0, 3, -1), 3), I_ABC(RETNIL, 0, 0, 0)));
    REFUSES("registers 6..8", CODE(I_ABC(DEFERPUSH, 0, 6, 2), I_ABC(RETNIL, 0, 0, 0)));
}

static void call_windows_must_be_in_the_frame(void)
{
    ACCEPTS(CODE(I_ABC(CALL, 4, 2, 0), I_ABC(RETNIL, 0, 0, 0)), .ic = {""}, .nics = 1);
    REFUSES("registers 4..8", CODE(I_ABC(CALL, 4, 3, 0), I_ABC(RETNIL, 0, 0, 0)), .ic = {""},
            .nics = 1);
    REFUSES("registers 7..8", CODE(I_ABC(CALL, 7, 0, 0), I_ABC(RETNIL, 0, 0, 0)), .ic = {""},
            .nics = 1);
    REFUSES("no receiver", CODE(I_ABC(CALLM, 0, 0, 0), I_ABC(RETNIL, 0, 0, 0)), .ic = {"m"},
            .nics = 1);
    REFUSES("nothing to spread", CODE(I_ABC(CALLV, 0, 0, 0), I_ABC(RETNIL, 0, 0, 0)));
    REFUSES("nothing to spread", CODE(I_ABC(CALLMV, 0, 1, 0), I_ABC(RETNIL, 0, 0, 0)), .ic = {"m"},
            .nics = 1);
    REFUSES("registers 7..8", CODE(I_ABC(DEFERCALL, 7, 0, 0), I_ABC(RETNIL, 0, 0, 0)));
}

static void constants_must_exist_and_be_of_the_right_kind(void)
{
    gs_value k[] = {gs_int(1), gs_strv(gs_atomz("name"))};
    ACCEPTS(CODE(I_ABX(LOADK, 0, 1), I_ABC(RETNIL, 0, 0, 0)), .k = k, .nk = 2);
    REFUSES("constant 2 of 2", CODE(I_ABX(LOADK, 0, 2), I_ABC(RETNIL, 0, 0, 0)), .k = k, .nk = 2);
    REFUSES("constant -1", CODE(I_ABX(LOADK, 0, -1), I_ABC(RETNIL, 0, 0, 0)), .k = k, .nk = 2);
    REFUSES("constant 7 of 2", CODE(I_ABC(ADDK, 0, 0, 7), I_ABC(RETNIL, 0, 0, 0)), .k = k, .nk = 2);
    REFUSES("wrong kind", CODE(I_ABC(CALLNAT, 0, 0, 0), I_ABC(RETNIL, 0, 0, 0)), .k = k, .nk = 2);
    REFUSES("wrong kind", CODE(I_ABC(NEWOBJ, 0, 0, 1), I_ABC(RETNIL, 0, 0, 0)), .k = k, .nk = 2);
    REFUSES("wrong kind", CODE(I_ABC(CELLGET, 0, 0, 0), I_ABC(RETNIL, 0, 0, 0)), .k = k, .nk = 2);
    REFUSES("wrong kind", CODE(I_ABC(PUTFIELD, 0, 0, 0), I_ABC(RETNIL, 0, 0, 0)), .k = k, .nk = 2);
    REFUSES("wrong kind", CODE(I_ABC(CHECKSET, 0, 0, 0), I_ABC(RETNIL, 0, 0, 0)), .k = k, .nk = 2);
    REFUSES("no type", CODE(I_ABC(IS, 0, 0, 0), I_ABC(RETNIL, 0, 0, 0)), .k = k, .nk = 2);
    ACCEPTS(CODE(I_ABC(IS, 0, 0, 1), I_ABC(RETNIL, 0, 0, 0)), .k = k, .nk = 2);
}

static void object_literals_take_their_values_from_the_frame(void)
{
    struct gs_objlit lit = {.h = {.kind = GS_T_OBJLIT, .flags = GS_OF_IMMORTAL}, .n = 3};
    gs_value k[] = {gs_objv(GS_T_OBJLIT, &lit)};
    ACCEPTS(CODE(I_ABC(NEWOBJ, 0, 5, 0), I_ABC(RETNIL, 0, 0, 0)), .k = k, .nk = 1);
    REFUSES("registers 6..8", CODE(I_ABC(NEWOBJ, 0, 6, 0), I_ABC(RETNIL, 0, 0, 0)), .k = k,
            .nk = 1);
}

static void jumps_must_land_on_instructions(void)
{
    ACCEPTS(CODE(I_ABX(JMP, 0, 0), I_ABX(JMP, 0, -2)));
    REFUSES("jump to 2", CODE(I_ABX(JMP, 0, 1), I_ABC(RETNIL, 0, 0, 0)));
    REFUSES("jump to -1", CODE(I_ABX(JT, 0, -2), I_ABC(RETNIL, 0, 0, 0)));
    REFUSES("jump to 5", CODE(I_ABC(JLT, 0, 1, 4), I_ABC(RETNIL, 0, 0, 0)));
    REFUSES("jump to -4", CODE(I_ABC(JEQI, 0, 1, -5), I_ABC(RETNIL, 0, 0, 0)));
}

static void the_code_must_end(void)
{
    REFUSES("does not end", CODE(I_ABC(LOADBOOL, 0, 1, 0)));
    REFUSES("does not end", CODE(I_ABC(RETNIL, 0, 0, 0), I_ABX(JT, 0, -1)));
    REFUSES("no code", .n = 0);
    REFUSES("unknown opcode", CODE((gs_insn)255, I_ABC(RETNIL, 0, 0, 0)));
}

static void a_cache_belongs_to_one_kind_of_instruction(void)
{
    ACCEPTS(CODE(I_ABC(GETFIELD, 0, 1, 0), I_ABC(GETFIELD, 0, 2, 0), I_ABC(RETNIL, 0, 0, 0)),
            .ic = {"x"}, .nics = 1);
    REFUSES("another instruction",
            CODE(I_ABC(GETFIELD, 0, 1, 0), I_ABC(SETFIELD, 0, 2, 0), I_ABC(RETNIL, 0, 0, 0)),
            .ic = {"x"}, .nics = 1);
    REFUSES("another instruction",
            CODE(I_ABC(CALLM, 0, 1, 0), I_ABC(GETFIELD, 0, 2, 0), I_ABC(RETNIL, 0, 0, 0)),
            .ic = {"x"}, .nics = 1);
    ACCEPTS(CODE(I_ABC(CALLM, 0, 1, 0), I_ABC(CALLMV, 0, 2, 0), I_ABC(RETNIL, 0, 0, 0)),
            .ic = {"x"}, .nics = 1);
    REFUSES("has no key", CODE(I_ABC(GETFIELD, 0, 1, 0), I_ABC(RETNIL, 0, 0, 0)), .ic = {""},
            .nics = 1);
    REFUSES("inline cache 1 of 1", CODE(I_ABC(GETFIELD, 0, 1, 1), I_ABC(RETNIL, 0, 0, 0)),
            .ic = {"x"}, .nics = 1);
}

static void globals_must_be_named_by_the_function(void)
{
    static const uint32_t names[] = {3, 9}, unsorted[] = {9, 3};
    ACCEPTS(CODE(I_ABX(GETGLOBAL, 0, 9), I_ABC(RETNIL, 0, 0, 0)), .gnames = names, .ngnames = 2);
    REFUSES("global 4", CODE(I_ABX(SETGLOBAL, 0, 4), I_ABC(RETNIL, 0, 0, 0)), .gnames = names,
            .ngnames = 2);
    REFUSES("global -1", CODE(I_ABX(GETGLOBAL, 0, -1), I_ABC(RETNIL, 0, 0, 0)), .gnames = names,
            .ngnames = 2);
    REFUSES("not sorted", CODE(I_ABC(RETNIL, 0, 0, 0)), .gnames = unsorted, .ngnames = 2);
}

static void captures_must_exist_on_both_sides(void)
{
    struct gs_capture from_register[] = {{.index = 7}}, from_up[] = {{.index = 0, .from_up = true}};
    struct unit_code inner = {CODE(I_ABC(GETUP, 0, 0, 0), I_ABC(RET, 0, 0, 0)), .nregs = 1,
                              .ncaps = 1};
    inner.caps = from_register;
    struct gs_proto *good[] = {unit_proto(&inner)};
    inner.caps = from_up;
    struct gs_proto *bad[] = {unit_proto(&inner)};
    ACCEPTS(CODE(I_ABX(CLOSURE, 0, 0), I_ABC(RETNIL, 0, 0, 0)), .protos = good, .nprotos = 1);
    REFUSES("capture 0 of nested function 0", CODE(I_ABX(CLOSURE, 0, 0), I_ABC(RETNIL, 0, 0, 0)),
            .protos = bad, .nprotos = 1);
    REFUSES("nested function 1 of 1", CODE(I_ABX(CLOSURE, 0, 1), I_ABC(RETNIL, 0, 0, 0)),
            .protos = good, .nprotos = 1);
    REFUSES("captured value 0 of 0", CODE(I_ABC(GETUP, 0, 0, 0), I_ABC(RETNIL, 0, 0, 0)));
    REFUSES("captured value 3 of 0", CODE(I_ABC(UPSET, 3, 0, 0), I_ABC(RETNIL, 0, 0, 0)));
}

static void nested_functions_are_verified(void)
{
    struct unit_code inner = {CODE(I_ABC(MOVE, 0, 5, 0), I_ABC(RETNIL, 0, 0, 0)), .nregs = 2};
    struct gs_proto *nested[] = {unit_proto(&inner)};
    REFUSES("registers 5..5 of 2", CODE(I_ABC(RETNIL, 0, 0, 0)), .protos = nested, .nprotos = 1);
}

static void handlers_must_lie_in_the_code(void)
{
    struct gs_handler good = {.from = 0, .to = 1, .target = 1, .reg = 7};
    struct gs_handler far = {.from = 0, .to = 3, .target = 1},
                      empty = {.from = 1, .to = 1, .target = 1};
    struct gs_handler lost = {.from = 0, .to = 1, .target = 2},
                      wide = {.from = 0, .to = 1, .target = 1, .reg = 8};
    ACCEPTS(CODE(I_ABC(THROW, 0, 0, 0), I_ABC(RETNIL, 0, 0, 0)), .handlers = &good, .nhandlers = 1);
    REFUSES("handler 0", CODE(I_ABC(THROW, 0, 0, 0), I_ABC(RETNIL, 0, 0, 0)), .handlers = &far,
            .nhandlers = 1);
    REFUSES("handler 0", CODE(I_ABC(THROW, 0, 0, 0), I_ABC(RETNIL, 0, 0, 0)), .handlers = &empty,
            .nhandlers = 1);
    REFUSES("handler 0", CODE(I_ABC(THROW, 0, 0, 0), I_ABC(RETNIL, 0, 0, 0)), .handlers = &lost,
            .nhandlers = 1);
    REFUSES("handler 0", CODE(I_ABC(THROW, 0, 0, 0), I_ABC(RETNIL, 0, 0, 0)), .handlers = &wide,
            .nhandlers = 1);
}

static void parameters_must_fit_the_frame(void)
{
    REFUSES("9 parameters", CODE(I_ABC(RETNIL, 0, 0, 0)), .nparams = 9);
    REFUSES("required", CODE(I_ABC(RETNIL, 0, 0, 0)), .nparams = 2, .nreq = 3);
    REFUSES("required", CODE(I_ABC(RETNIL, 0, 0, 0)), .nparams = 2, .nreq = 2, .flags = GS_PF_REST);
    REFUSES("without self", CODE(I_ABC(RETNIL, 0, 0, 0)), .flags = GS_PF_METHOD);
}

/* The fuzz target does the same for longer (tests/fuzz/fuzz_verify.c). */
static void mutated_code_is_refused_or_survives(void)
{
    uint64_t seed = 20250707;
    unsigned ran = 0;
    struct unit_mutant m;
    CU_ASSERT_TRUE_FATAL(unit_mutant_init(&m));
    for (int i = 0; i < 3000; i++) {
        uint8_t data[32];
        for (unsigned k = 0; k < sizeof data; k++)
            data[k] = (uint8_t)(unit_random(&seed) >> 40);
        ran += unit_mutant_run(&m, data, 8 + 8 * (unit_random(&seed) >> 62));
    }
    CU_ASSERT_TRUE(ran > 300); /* mutations must not all be refused */
}

static const struct unit_case cases[] = {
    UNIT_CASE(registers_must_be_in_the_frame),
    UNIT_CASE(runs_of_registers_must_be_in_the_frame),
    UNIT_CASE(call_windows_must_be_in_the_frame),
    UNIT_CASE(constants_must_exist_and_be_of_the_right_kind),
    UNIT_CASE(object_literals_take_their_values_from_the_frame),
    UNIT_CASE(jumps_must_land_on_instructions),
    UNIT_CASE(the_code_must_end),
    UNIT_CASE(a_cache_belongs_to_one_kind_of_instruction),
    UNIT_CASE(globals_must_be_named_by_the_function),
    UNIT_CASE(captures_must_exist_on_both_sides),
    UNIT_CASE(nested_functions_are_verified),
    UNIT_CASE(handlers_must_lie_in_the_code),
    UNIT_CASE(parameters_must_fit_the_frame),
    UNIT_CASE(mutated_code_is_refused_or_survives),
};
UNIT_MAIN("verify", cases)
