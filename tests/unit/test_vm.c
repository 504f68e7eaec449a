/* SPDX-License-Identifier: MIT
 * test_vm.c - starting, stack growth and its mark, collections, failing allocations.
 */
#include "unit_vm.h"

#define LEN(a) ((uint32_t)(sizeof(a) / sizeof((a)[0])))
#define CODE(...) .code = (const gs_insn[]){__VA_ARGS__}, .n = LEN(((const gs_insn[]){__VA_ARGS__}))
#define RET(a) I_ABC(RET, a, 0, 0)

static gs_value *mark_of(const struct gs_vm *vm)
{
    return (gs_value *)vm->task.sp_real;
}

/* [G1], as far as it can be seen from outside: everything above the mark is zero. */
static bool clean_above_mark(const struct gs_vm *vm)
{
    for (const gs_value *v = mark_of(vm); v < vm->stack_end; v++) {
        if (v->u != 0 || v->tag != 0)
            return false;
    }
    return mark_of(vm) <= vm->stack_end && (vm->base == NULL || gs_vm_frame_end(vm) <= mark_of(vm));
}

static void a_fresh_vm_is_one_small_allocation(void)
{
    struct gs_vm *vm = gs_vm_new();
    CU_ASSERT_PTR_NOT_NULL_FATAL(vm);
    CU_ASSERT_EQUAL(vm->flags & (GS_VM_FOREIGN_STACK | GS_VM_FOREIGN_GLOBALS), 0);
    CU_ASSERT_TRUE((char *)vm->stack > (char *)vm && (char *)vm->stack < (char *)vm + 2048);
    CU_ASSERT_EQUAL((uintptr_t)vm->stack % 16, 0);
    CU_ASSERT_TRUE((char *)vm->stack_end <= (char *)vm + GS_VM_BYTES);
    CU_ASSERT_TRUE(vm->heap.cur > (char *)vm && vm->heap.end <= (char *)vm->stack);
    gs_vm_free(vm);
    gs_vm_free(NULL);
}

static void anything_callable_can_be_started(void)
{
    struct unit_code u = {CODE(I_ABC(SUB, 0, 0, 1), RET(0)), .nregs = 2, .nparams = 2, .nreq = 2};
    struct unit_code rest = {CODE(RET(0)), .nregs = 1, .nparams = 1, .flags = GS_PF_REST};
    gs_value two[] = {gs_int(9), gs_int(4)}, native;
    CU_ASSERT_TRUE(unit_gives(unit_proto(&u), two, 2, "5"));
    CU_ASSERT_TRUE(unit_gives(unit_proto(&rest), two, 2, "[9, 4]"));
    CU_ASSERT_TRUE(gs_hook_builtin("max", 3, &native));
    struct gs_vm *vm = gs_vm_new();
    CU_ASSERT_EQUAL(gs_vm_start(vm, native, two, 2), GS_OK);
    CU_ASSERT_EQUAL(gs_interp_run(vm), GS_OK);
    CU_ASSERT_EQUAL(vm->result.i, 9);
    gs_vm_free(vm);
    vm = gs_vm_new();
    CU_ASSERT_EQUAL(gs_vm_start(vm, gs_int(3), NULL, 0), GS_OK);
    CU_ASSERT_EQUAL(gs_interp_run(vm), GS_E_THROWN);
    CU_ASSERT_PTR_NOT_NULL(strstr(unit_error(vm), "TypeError: cannot call int"));
    gs_vm_free(vm);
}

static void a_stack_takes_what_the_chunk_can_spare(void)
{
    struct unit_code wide = {CODE(I_ABC(RETNIL, 0, 0, 0)), .nregs = GS_VM_STACK0 + 2};
    struct unit_code huge = {CODE(I_ABC(RETNIL, 0, 0, 0)), .nregs = 60};
    for (int full = 0; full < 2; full++) {
        struct gs_vm *vm = gs_vm_new();
        char *end = vm->heap.end;
        void *held = full ? gs_heap_new(&vm->heap, GS_T_RAW, 64) : NULL;
        if (full)
            memset((char *)held + 8, 0xa5, 56);
        CU_ASSERT_EQUAL_FATAL(gs_vm_start(vm, gs_objv(GS_T_FUNC, unit_proto(&wide)->self), NULL, 0), GS_OK);
        CU_ASSERT_EQUAL((vm->flags & GS_VM_FOREIGN_STACK) != 0, full);
        CU_ASSERT_TRUE(vm->heap.end <= end && vm->heap.end >= vm->heap.cur);
        CU_ASSERT_TRUE(full || vm->heap.end == (char *)vm->stack);
        CU_ASSERT_TRUE(gs_vm_frame_end(vm) <= vm->stack_end && clean_above_mark(vm));
        for (gs_value *v = vm->base; v < vm->stack_end; v++)
            CU_ASSERT_EQUAL(v->tag, GS_T_NIL);
        for (int i = 8; full && i < 64; i++)
            CU_ASSERT_EQUAL(((unsigned char *)held)[i], 0xa5);
        CU_ASSERT_EQUAL(gs_interp_run(vm), GS_OK);
        gs_vm_renew(vm);
        CU_ASSERT_EQUAL((vm->flags & GS_VM_FOREIGN_STACK) != 0, full); /* one that has grown is kept */
        CU_ASSERT_TRUE(full || vm->stack_end - vm->stack == GS_VM_STACK0);
        CU_ASSERT_PTR_EQUAL(vm->heap.end, end);
        gs_vm_free(vm);
    }
    struct gs_vm *vm = unit_vm(unit_proto(&huge), NULL, 0);
    CU_ASSERT_TRUE((vm->flags & GS_VM_FOREIGN_STACK) && vm->heap.end - vm->heap.cur >= 96);
    gs_vm_free(vm);
}

static void growing_keeps_values_and_moves_pointers(void)
{
    struct unit_code u = {CODE(I_ABC(RETNIL, 0, 0, 0)), .nregs = 5, .nparams = 2, .nreq = 2};
    gs_value args[] = {gs_int(1), gs_float(2)};
    struct gs_vm *vm = unit_vm(unit_proto(&u), args, 2);
    for (uint32_t n = 10; n < 200000; n *= 3) {
        vm->top = vm->base + 3;
        CU_ASSERT_EQUAL_FATAL(gs_vm_grow_stack(vm, vm->base + 5, n), GS_OK);
        CU_ASSERT_PTR_EQUAL(vm->top, vm->base + 3);
        CU_ASSERT_PTR_EQUAL(vm->base, vm->stack + 2);
        CU_ASSERT_EQUAL(vm->base[0].i, 1);
        CU_ASSERT_EQUAL(vm->base[1].d, 2);
        CU_ASSERT_TRUE((size_t)(mark_of(vm) - vm->stack) >= 7 + n);
        CU_ASSERT_TRUE(clean_above_mark(vm));
        CU_ASSERT_EQUAL(gs_load_rlx(&vm->task.sp_limit), vm->task.sp_real);
    }
    vm->top = NULL;
    gs_vm_free(vm);
}

static void a_renewed_vm_keeps_a_small_grown_stack(void)
{
    struct unit_code u = {CODE(I_ABC(RETNIL, 0, 0, 0)), .nregs = 5};
    for (uint32_t n = 100; n < 100000; n *= 30) {
        struct gs_vm *vm = unit_vm(unit_proto(&u), NULL, 0);
        CU_ASSERT_EQUAL_FATAL(gs_vm_grow_stack(vm, vm->base + 5, n), GS_OK);
        gs_value *stack = vm->stack, *end = vm->stack_end;
        for (gs_value *v = vm->base; v < mark_of(vm); v++)
            *v = gs_int(7);
        gs_vm_renew(vm);
        bool kept = n < 500;
        CU_ASSERT_EQUAL((vm->flags & GS_VM_FOREIGN_STACK) != 0, kept);
        CU_ASSERT_TRUE(kept ? vm->stack == stack && vm->stack_end == end : vm->stack_end - vm->stack == GS_VM_STACK0);
        for (gs_value *v = vm->stack; v < vm->stack_end; v++)
            CU_ASSERT_EQUAL(v->tag, GS_T_NIL); /* nothing of the old heap */
        CU_ASSERT_TRUE(clean_above_mark(vm));
        CU_ASSERT_EQUAL_FATAL(gs_vm_start(vm, gs_objv(GS_T_FUNC, unit_proto(&u)->self), NULL, 0), GS_OK);
        CU_ASSERT_EQUAL(gs_interp_run(vm), GS_OK);
        gs_vm_free(vm);
    }
}

static void a_poke_survives_growth_and_collection(void)
{
    struct unit_code u = {CODE(I_ABC(RETNIL, 0, 0, 0)), .nregs = 5};
    struct gs_vm *vm = unit_vm(unit_proto(&u), NULL, 0);
    gs_task_poke_mt(&vm->task, GS_POKE_PREEMPT);
    CU_ASSERT_EQUAL(gs_vm_grow_stack(vm, vm->base + 5, 5000), GS_OK);
    CU_ASSERT_EQUAL(gs_load_rlx(&vm->task.sp_limit), 0);
    gs_vm_collect(vm); /* lowers the mark */
    CU_ASSERT_EQUAL(gs_load_rlx(&vm->task.sp_limit), 0);
    CU_ASSERT_EQUAL(gs_task_answer(&vm->task), GS_POKE_PREEMPT);
    CU_ASSERT_EQUAL(gs_load_rlx(&vm->task.sp_limit), vm->task.sp_real);
    gs_vm_free(vm);
}

static void the_limit_is_an_error(void)
{
    struct unit_code u = {CODE(I_ABC(RETNIL, 0, 0, 0)), .nregs = 5};
    struct gs_vm *vm = unit_vm(unit_proto(&u), NULL, 0);
    gs_rt.opt.stack_limit = 16384;
    CU_ASSERT_EQUAL(gs_vm_grow_stack(vm, vm->base + 5, 900), GS_OK);
    CU_ASSERT_EQUAL(gs_vm_grow_stack(vm, vm->base + 5, 1024), GS_E_THROWN);
    CU_ASSERT_PTR_NOT_NULL(strstr(unit_error(vm), "StackOverflow: "));
    gs_rt.opt.stack_limit = 0;
    gs_vm_free(vm);
}

static void a_collection_clears_what_is_above_the_frame(void)
{
    struct unit_code u = {CODE(I_ABC(RETNIL, 0, 0, 0)), .nregs = 3};
    struct gs_vm *vm = unit_vm(unit_proto(&u), NULL, 0);
    CU_ASSERT_EQUAL(gs_vm_grow_stack(vm, vm->base + 3, 4000), GS_OK);
    gs_value *end = gs_vm_frame_end(vm), *mark = mark_of(vm);
    for (gs_value *v = end; v < mark; v++)
        *v = gs_objv(GS_T_ARRAY, gs_array_new(&vm->heap)); /* stale garbage */
    gs_vm_collect(vm);
    for (gs_value *v = end; v < mark; v++)
        CU_ASSERT_TRUE_FATAL(v->tag == 0);
    CU_ASSERT_TRUE(mark_of(vm) < mark);
    CU_ASSERT_TRUE(clean_above_mark(vm));
    gs_vm_free(vm);
}

static void everything_the_program_holds_is_kept(void)
{
    struct gs_vm *vm = unit_vm_of(
        "let list = []\nlet o = {deep: {er: [1, \"two\", 3.5]}}\n"
        "fn keep(a, b) { let c = `${a} and ${b}`\n return fn() { return c } }\n"
        "for i in range(300) { list.push(keep(i, [i])) }\n"
        "let r = [list[0](), list[299](), o]\ntry { throw \"value\" } catch e { r.push(e) }");
    CU_ASSERT_PTR_NOT_NULL_FATAL(vm);
    gs_status st;
    do { /* a collection at every safe point */
        gs_task_poke_mt(&vm->task, GS_POKE_GC | GS_POKE_PREEMPT);
        st = gs_interp_run(vm);
        CU_ASSERT_TRUE(st != GS_YIELD || clean_above_mark(vm));
    } while (st == GS_YIELD);
    CU_ASSERT_EQUAL(st, GS_OK);
    CU_ASSERT_STRING_EQUAL(
        unit_text(unit_global(vm, "r")),
        "[\"0 and [0]\", \"299 and [299]\", {deep: {er: [1, \"two\", 3.5]}}, \"value\"]");
    CU_ASSERT_TRUE(gs_gc_check_value(&vm->heap, unit_global(vm, "r")));
    gs_vm_free(vm);
}

static void a_deep_stack_is_given_back_after_the_error(void)
{
    struct gs_vm *vm = unit_vm_of(
        "fn f(n) { return f(n + 1) + 1 }\nlet r = nil\ntry { f(0) } catch e { r = e.kind }\n"
        "for i in range(3) { r = r + \"!\" }");
    CU_ASSERT_PTR_NOT_NULL_FATAL(vm);
    gs_rt.opt.stack_limit = 64u << 20;
    CU_ASSERT_EQUAL(gs_interp_run(vm), GS_OK);
    CU_ASSERT_STRING_EQUAL(unit_text(unit_global(vm, "r")), "StackOverflow!!!");
    CU_ASSERT_TRUE((size_t)(vm->stack_end - vm->stack) * sizeof(gs_value) <= 8u << 20);
    CU_ASSERT_TRUE(clean_above_mark(vm));
    gs_rt.opt.stack_limit = 0;
    gs_vm_free(vm);
}

/* The n-th allocation and all after it fail: whatever n, the run ends in an error or in its result.
 * */
static void failing_allocations_end_in_clean_errors(void)
{
    unsigned failed = 0;
    struct gs_vm *vm = unit_vm_of("let r = [1].map(fn(x) { return x })"); /* compiles the prelude */
    CU_ASSERT_EQUAL(gs_interp_run(vm), GS_OK);
    gs_vm_free(vm);
    for (uint64_t n = 1; n < 60; n++) {
        vm = unit_vm_of(
            "fn f(n, ...more) { if n == 0 { return [n, more] } return f(n - 1, n, ...more) }\n"
            "let r = nil\nlet s = \"\"\n"
            "try { let o = {k: f(60)}\n for i in range(200) { o[`key${i}`] = [i, 1.5, s]\n s += "
            "\"text\" }\n"
            "r = [o.k, len(keys(o))].map(fn(x) { return toString(x) }).join(\"\") } catch e { r = "
            "e }");
        CU_ASSERT_PTR_NOT_NULL_FATAL(vm);
        gs_mem_fail_at(n);
        gs_status st = gs_interp_run(vm);
        gs_mem_fail_at(0);
        CU_ASSERT_TRUE(st == GS_OK || st == GS_E_THROWN);
        const char *text = st == GS_OK ? unit_text(unit_global(vm, "r")) : unit_error(vm);
        failed += strstr(text, "OutOfMemory") != NULL;
        CU_ASSERT_TRUE(gs_gc_check_value(&vm->heap, unit_global(vm, "r")));
        gs_vm_free(vm);
    }
    CU_ASSERT_TRUE(failed > 5);
}

static const struct unit_case cases[] = {
    UNIT_CASE(a_fresh_vm_is_one_small_allocation),
    UNIT_CASE(anything_callable_can_be_started),
    UNIT_CASE(a_stack_takes_what_the_chunk_can_spare),
    UNIT_CASE(growing_keeps_values_and_moves_pointers),
    UNIT_CASE(a_renewed_vm_keeps_a_small_grown_stack),
    UNIT_CASE(a_poke_survives_growth_and_collection),
    UNIT_CASE(the_limit_is_an_error),
    UNIT_CASE(a_collection_clears_what_is_above_the_frame),
    UNIT_CASE(everything_the_program_holds_is_kept),
    UNIT_CASE(a_deep_stack_is_given_back_after_the_error),
    UNIT_CASE(failing_allocations_end_in_clean_errors),
};
UNIT_MAIN("vm", cases)
