/* SPDX-License-Identifier: MIT
 * test_hot.c - sampling, requests, patched opcodes and all ways to leave compiled code, with a compiler whose "machine code" is C functions.
 */
#include <pthread.h>
#include <time.h>

#include "unit_vm.h"

#include "compiled.h"
#include "hot_int.h"
#include "reclaim.h"
#include "slow_int.h"

#define LEN(a) ((uint32_t)(sizeof(a) / sizeof((a)[0])))
#define CODE(...) .code = (const gs_insn[]){__VA_ARGS__}, .n = LEN(((const gs_insn[]){__VA_ARGS__}))

/* ---- the compiler ---- */

#define MAX_UNITS 64u

static struct {
    const struct gs_proto *p; /* only this entry gets code; NULL: any */
    uint32_t pc;
    uint32_t (*enter)(struct gs_vm *vm, gs_value *base); /* NULL: declines all */
    uint32_t slots;
    long others_ns; /* what compiling other functions takes */
    struct gs_unit units[MAX_UNITS];
    /* what it was asked */
    unsigned compiles, declines;
    struct gs_hot_request last;
    gs_value regs[8];
    enum gs_level levels[8];
    _Atomic unsigned released; /* by the compile thread while a test looks */
    struct gs_hot_cell *cell; /* of all units; NULL: none */
    uint32_t asked[8]; /* the entries of the first requests */
    unsigned nasked;
} fake;

static struct gs_unit *fake_compile(const struct gs_hot_request *r, const char **why)
{
    if (fake.nasked < 8)
        fake.asked[fake.nasked++] = r->entry->pc;
    if (r->p != fake.p && fake.others_ns > 0)
        (void)nanosleep(&(struct timespec){.tv_nsec = fake.others_ns}, NULL);
    if (fake.enter == NULL || r->p != fake.p || r->entry->pc != fake.pc || fake.compiles == MAX_UNITS) {
        *why = "not wanted";
        fake.declines += r->p == fake.p && r->entry->pc == fake.pc;
        return NULL;
    }
    struct gs_unit *u = &fake.units[fake.compiles++];
    u->enter = fake.enter;
    u->generation = r->generation;
    u->slots = fake.slots;
    u->level = r->level;
    u->code = fake.cell != NULL ? u : NULL;
    u->cell[0] = fake.cell;
    if (fake.compiles <= 8)
        fake.levels[fake.compiles - 1] = r->level;
    fake.last = *r;
    memcpy(fake.regs, r->regs, (r->p->nregs < 8 ? r->p->nregs : 8) * sizeof fake.regs[0]);
    return u;
}

static void fake_release(struct gs_unit *u)
{
    CU_ASSERT_TRUE(u >= fake.units && u < fake.units + MAX_UNITS);
    u->enter = NULL;
    (void)gs_add_acq_rel(&fake.released, 1u);
}

static const struct gs_jit_face face = {.compile = fake_compile, .release = fake_release};

static void start(enum gs_jit_mode mode, uint32_t threshold)
{
    struct gs_hot_options o = {.mode = mode, .threshold = threshold};
    memset(&fake, 0, sizeof fake);
    gs_hot_use_face(&face);
    gs_hot_start(&o);
}

static void want(const struct gs_proto *p, uint32_t pc, uint32_t (*enter)(struct gs_vm *, gs_value *))
{
    fake.p = p;
    fake.pc = pc;
    fake.enter = enter;
}

/* ---- the program: main(n) calls f n times, acc = f(acc) = acc + 1 ---- */

#define HEADER 1u /* of its loop */
#define AFTER_CALL 4u
#define AFTER_LOOP 7u

static struct gs_proto *make_f(void)
{
    struct unit_code u = {.name = "f",
                          CODE(I_ABC(ADDI, 1, 0, 1), I_ABC(RET, 1, 0, 0)),
                          .nregs = 2,
                          .nparams = 1,
                          .nreq = 1};
    return unit_proto(&u);
}

static struct gs_proto *make_main(struct gs_proto *f)
{
    gs_value *k = gs_perm_alloc(sizeof *k);
    *k = gs_objv(GS_T_FUNC, f->self);
    struct unit_code u = {.name = "m",
                          CODE(I_ABX(LOADI, 1, 0), I_ABX(LOADK, 2, 0), I_ABC(MOVE, 4, 1, 0),
                               I_ABC(CALL, 2, 1, 0), I_ABC(MOVE, 1, 2, 0), I_ABC(SUBI, 0, 0, 1),
                               I_ABC(JGTI, 0, 0, -6), I_ABC(RET, 1, 0, 0)),
                          .nregs = 5,
                          .nparams = 1,
                          .nreq = 1,
                          .k = k,
                          .nk = 1,
                          .ic = {""},
                          .nics = 1};
    struct gs_proto *p = unit_proto(&u);
    CU_ASSERT_TRUE(unit_verifies(p));
    return p;
}

static struct gs_vm *vm_of(struct gs_proto *m, int64_t n)
{
    gs_value arg = gs_int(n);
    return unit_vm(m, &arg, 1);
}

static gs_status run_main(struct gs_proto *m, int64_t n, int64_t *result)
{
    struct gs_vm *vm = vm_of(m, n);
    gs_status st = gs_interp_run(vm);
    *result = vm->result.i;
    gs_vm_free(vm);
    return st;
}

static bool gives(struct gs_proto *m, int64_t n, int64_t expected)
{
    int64_t result;
    return run_main(m, n, &result) == GS_OK && result == expected;
}

static enum gs_op op_at(const struct gs_proto *p, uint32_t pc)
{
    return gs_insn_op(gs_insn_load(&p->code[pc])); /* the compile thread may be patching it */
}

/* ---- units ---- */

static uint32_t add_thousand(struct gs_vm *vm, gs_value *base)
{
    CU_ASSERT_TRUE(vm->compiled);
    CU_ASSERT_TRUE(vm->cstack_limit < (uintptr_t)&base);
    base[-2] = gs_int(base[0].i + 1000);
    return GS_LEFT_RETURN;
}

static uint32_t finish_loop(struct gs_vm *vm, gs_value *base)
{
    base[1].i += base[0].i;
    base[0] = gs_int(0);
    vm->base = base;
    vm->pc = gs_vm_proto(vm)->code + AFTER_LOOP;
    return GS_LEFT_GO;
}

static uint32_t miss_at_once(struct gs_vm *vm, gs_value *base)
{
    vm->base = base;
    vm->pc = gs_vm_proto(vm)->code;
    return GS_LEFT_MISS;
}

static uint32_t refuse(struct gs_vm *vm, gs_value *base)
{
    (void)base;
    vm->pc = NULL; /* does not matter: nothing has happened */
    return GS_LEFT_REFUSED;
}

/* The loop up to the call, which is left to the interpreter. */
static uint32_t call_leaves(struct gs_vm *vm, gs_value *base)
{
    const struct gs_proto *m = base[-2].f->proto;
    base[2] = m->k[0];
    base[4] = base[1];
    base[3] = (gs_value){.p = (void *)(uintptr_t)&m->code[AFTER_CALL],
                         .tag = (uint64_t)4 << 32 | GS_T_FRAME};
    vm->base = base + 4;
    vm->pc = base[2].f->proto->code;
    return GS_LEFT_ENTER;
}

static uint32_t throw_value(struct gs_vm *vm, gs_value *base)
{
    vm->base = base;
    vm->pc = base[-2].f->proto->code + 1;
    (void)gs_throw_value(vm, gs_int(42));
    return GS_LEFT_THROWN;
}

static int give_five(struct gs_vm *vm, gs_value *ret)
{
    (void)vm;
    *ret = gs_int(5);
    return GS_OK;
}

static uint32_t park(struct gs_vm *vm, gs_value *base)
{
    vm->base = base;
    vm->pc = base[-2].f->proto->code + 1;
    vm->park.finish = give_five;
    vm->resume_dst = 1;
    return GS_LEFT_PARK;
}

static unsigned yields;
static uint32_t yield_once(struct gs_vm *vm, gs_value *base)
{
    vm->base = base;
    vm->pc = base[-2].f->proto->code;
    if (yields++ == 0)
        return GS_LEFT_YIELD;
    return add_thousand(vm, base);
}

static uint32_t leave_process(struct gs_vm *vm, gs_value *base)
{
    vm->base = base;
    vm->pc = base[-2].f->proto->code + 1;
    return GS_LEFT_EXIT;
}

static int first_try, collections_wanted;
static uint32_t wants_memory(struct gs_vm *vm, gs_value *base)
{
    gs_value dst = gs_nil();
    vm->base = base;
    vm->pc = base[-2].f->proto->code + 1; /* as for any slow path: behind the instruction */
    if (collections_wanted++ == 0)
        vm->heap.used = vm->heap.threshold + 1; /* due */
    first_try = gs_c_newarray(vm, base, 1, &dst);
    if (first_try == GS_C_AGAIN) {
        CU_ASSERT_TRUE(gs_vm_wants_gc(vm));
        vm->pc = base[-2].f->proto->code;
        return GS_LEFT_GO;
    }
    CU_ASSERT_EQUAL(dst.a->len, 1);
    return add_thousand(vm, base);
}

static uint32_t collects(struct gs_vm *vm, gs_value *base)
{
    gs_vm_collect(vm);
    CU_ASSERT_TRUE(vm->refused);
    vm->base = base;
    vm->pc = base[-2].f->proto->code;
    return GS_LEFT_GO;
}

/* ---- sampling ---- */

static void without_it_nothing_is_sampled(void)
{
    start(GS_JIT_OFF, 0);
    struct gs_proto *f = make_f(), *m = make_main(f);
    want(f, 0, add_thousand);
    struct gs_vm *vm = vm_of(m, 100000);
    CU_ASSERT_EQUAL(gs_interp_run(vm), GS_OK);
    CU_ASSERT_EQUAL(vm->result.i, 100000);
    CU_ASSERT_PTR_NULL(gs_hot_of(f));
    CU_ASSERT_TRUE(vm->heat > INT32_MAX - 1000000);
    gs_vm_free(vm);
    CU_ASSERT_EQUAL(fake.compiles, 0);
}

static void a_function_is_asked_for_when_it_was_called_often(void)
{
    start(GS_JIT_ON, 6400);
    struct gs_proto *f = make_f(), *m = make_main(f);
    want(f, 0, add_thousand);
    CU_ASSERT_TRUE(gives(m, 3000, 3000));
    gs_hot_settle();
    CU_ASSERT_EQUAL(fake.compiles, 0);
    struct gs_hot *h = gs_hot_of(f);
    CU_ASSERT_PTR_NOT_NULL_FATAL(h);
    unsigned n = gs_load_rlx(&h->samples);
    CU_ASSERT_TRUE(n >= 2 && n < 16); /* about 3000 / 400, half of them the loop's */
    int64_t result;
    CU_ASSERT_EQUAL(run_main(m, 100000, &result), GS_OK);
    gs_hot_settle();
    CU_ASSERT_EQUAL(fake.compiles, 1);
    CU_ASSERT_EQUAL(op_at(f, 0), GS_OP_JIT);
    CU_ASSERT_TRUE(gives(m, 10, 10000));
    CU_ASSERT_TRUE(gs_hot_stop());
}

static void a_task_that_is_short_but_frequent_becomes_hot(void)
{
    start(GS_JIT_ON, 640);
    struct gs_proto *f = make_f();
    want(f, 0, add_thousand);
    for (int i = 0; i < 100000 && op_at(f, 0) != GS_OP_JIT; i++) {
        gs_value arg = gs_int(1);
        struct gs_vm *vm = unit_vm(f, &arg, 1);
        vm->heat = gs_heat; /* as the worker does */
        CU_ASSERT_EQUAL(gs_interp_run(vm), GS_OK);
        gs_heat = vm->heat;
        gs_vm_free(vm);
        if (i > 2000)
            gs_hot_settle();
    }
    gs_hot_settle(); /* patched is not yet done: what it counted belongs to the compile thread till then */
    CU_ASSERT_EQUAL(fake.compiles, 1);
    CU_ASSERT_EQUAL(op_at(f, 0), GS_OP_JIT);
    CU_ASSERT_TRUE(gs_hot_stop());
}

static void a_loop_is_asked_for_with_the_registers_at_its_header(void)
{
    start(GS_JIT_EAGER, 64);
    struct gs_proto *f = make_f(), *m = make_main(f);
    want(m, HEADER, finish_loop);
    CU_ASSERT_TRUE(gives(m, 1000, 1000));
    CU_ASSERT_EQUAL(fake.compiles, 1);
    CU_ASSERT_EQUAL(fake.last.entry->pc, HEADER);
    CU_ASSERT_EQUAL(fake.last.generation, 1);
    CU_ASSERT_TRUE(gs_is(fake.regs[0], GS_T_INT) && gs_is(fake.regs[1], GS_T_INT));
    CU_ASSERT_EQUAL(fake.regs[0].i + fake.regs[1].i, 1000);
    CU_ASSERT_TRUE(fake.regs[0].i > 900);
    CU_ASSERT_TRUE(gs_is(fake.regs[2], GS_T_INT));
}

/* The outer loop runs n times, the inner one 50 times in each. */
static struct gs_proto *make_nest(void)
{
    struct unit_code u = {.name = "nest",
                          CODE(I_ABX(LOADI, 1, 0), I_ABX(LOADI, 2, 50), I_ABC(SUBI, 2, 2, 1), I_ABC(ADDI, 1, 1, 1),
                               I_ABC(JGTI, 2, 0, -3), I_ABC(SUBI, 0, 0, 1), I_ABC(JGTI, 0, 0, -6), I_ABC(RET, 1, 0, 0)),
                          .nregs = 3,
                          .nparams = 1,
                          .nreq = 1};
    struct gs_proto *p = unit_proto(&u);
    CU_ASSERT_TRUE(unit_verifies(p));
    return p;
}

static void the_outermost_loop_is_asked_for_first_and_then_the_next(void)
{
    start(GS_JIT_ON, 640);
    struct gs_proto *m = make_nest(), *called = make_nest();
    for (int i = 0; i < 1000 && fake.nasked < 2; i++) {
        struct gs_vm *vm = vm_of(m, 1000);
        vm->heat = 5; /* never a sample as the function begins */
        CU_ASSERT_EQUAL(gs_interp_run(vm), GS_OK);
        gs_vm_free(vm);
        gs_hot_settle();
    }
    CU_ASSERT_TRUE(fake.nasked >= 2);
    CU_ASSERT_EQUAL(fake.asked[0], 1);
    CU_ASSERT_EQUAL(fake.asked[1], 2);
    start(GS_JIT_ON, 640);
    for (int i = 0; i < 10000 && fake.nasked < 1; i++) {
        struct gs_vm *vm = vm_of(called, 1);
        vm->heat = i < 10 ? 0 : 30; /* a sample as it begins, then only inside the loops */
        CU_ASSERT_EQUAL(gs_interp_run(vm), GS_OK);
        gs_vm_free(vm);
        gs_hot_settle();
    }
    CU_ASSERT_EQUAL(fake.asked[0], 0);
    CU_ASSERT_TRUE(gs_hot_stop());
}

/* ---- patching ---- */

static void a_patched_instruction_keeps_its_operands(void)
{
    start(GS_JIT_EAGER, 0);
    struct gs_proto *f = make_f(), *m = make_main(f);
    gs_insn before = f->code[0];
    CU_ASSERT_EQUAL(gs_hot_insn(f, &f->code[0]), before);
    want(f, 0, add_thousand);
    CU_ASSERT_TRUE(gives(m, 3, 3000));
    CU_ASSERT_EQUAL(op_at(f, 0), GS_OP_JIT);
    CU_ASSERT_EQUAL(f->code[0] >> 8, before >> 8);
    CU_ASSERT_EQUAL(gs_hot_insn(f, &f->code[0]), before);
    CU_ASSERT_EQUAL(gs_hot_entry_at(f, 0)->original, GS_OP_ADDI);
    CU_ASSERT_EQUAL(fake.compiles, 1);
}

static void the_opcode_is_refused_in_code_from_outside(void)
{
    struct unit_code u = {CODE(I_ABC(JIT, 0, 0, 0), I_ABC(RETNIL, 0, 0, 0)), .nregs = 1};
    char msg[200] = "";
    CU_ASSERT_EQUAL(gs_bytecode_verify(unit_proto(&u), msg, sizeof msg), GS_E_INVALID);
}

/* ---- leaving ---- */

static void prepare(struct gs_proto **f, struct gs_proto **m)
{
    start(GS_JIT_EAGER, 0);
    *f = make_f();
    *m = make_main(*f);
}

static void a_unit_of_a_loop_goes_on_behind_it(void)
{
    struct gs_proto *f, *m;
    prepare(&f, &m);
    want(m, HEADER, finish_loop);
    CU_ASSERT_TRUE(gives(m, 1000000000000, 1000000000000));
    CU_ASSERT_TRUE(gives(m, 50, 50));
    CU_ASSERT_EQUAL(fake.compiles, 1);
}

static void the_bottom_frame_may_return_from_its_unit(void)
{
    struct gs_proto *f, *m;
    prepare(&f, &m);
    want(f, 0, add_thousand);
    gs_value arg = gs_int(1);
    struct gs_vm *vm = unit_vm(f, &arg, 1);
    CU_ASSERT_EQUAL(gs_interp_run(vm), GS_OK);
    CU_ASSERT_EQUAL(vm->result.i, 1001);
    CU_ASSERT_PTR_NULL(vm->base);
    CU_ASSERT_FALSE(vm->compiled);
    gs_vm_free(vm);
}

static void a_guard_that_keeps_failing_leads_to_a_few_generations_and_then_to_none(void)
{
    struct gs_proto *f, *m;
    prepare(&f, &m);
    want(f, 0, miss_at_once);
    CU_ASSERT_TRUE(gives(m, GS_HOT_MISSES(1) - 1, GS_HOT_MISSES(1) - 1));
    CU_ASSERT_EQUAL(fake.compiles, 1);
    CU_ASSERT_EQUAL(gs_load_rlx(&gs_hot_of(f)->miss[0]), GS_HOT_MISSES(1) - 1);
    CU_ASSERT_TRUE(gives(m, 50, 50));
    CU_ASSERT_TRUE(fake.compiles >= 3 && fake.compiles <= 5);
    CU_ASSERT_TRUE(gives(m, 100000, 100000));
    CU_ASSERT_EQUAL(fake.compiles, GS_HOT_GENERATIONS);
    CU_ASSERT_EQUAL(fake.last.generation, GS_HOT_GENERATIONS);
    CU_ASSERT_EQUAL(gs_load_rlx(&gs_hot_of(f)->miss[0]), 255);
    CU_ASSERT_EQUAL(op_at(f, 0), GS_OP_ADDI); /* it failed too fast to be worth anything */
}

static void a_failing_guard_is_charged_to_the_entry_that_the_code_names(void)
{
    struct gs_proto *f, *m;
    prepare(&f, &m);
    struct gs_hot_entry *other = gs_hot_entry_get(m, 0), *e = gs_hot_entry_get(f, 0);
    struct gs_vm *vm = vm_of(m, 1);
    want(f, 0, miss_at_once);
    CU_ASSERT_EQUAL(gs_interp_run(vm), GS_OK);
    CU_ASSERT_EQUAL(gs_load_rlx(&e->misses), 1);
    gs_vm_free(vm);
    vm = vm_of(m, 1);
    gs_hot_missed(vm, other, GS_LEFT_MISS);
    CU_ASSERT_EQUAL(gs_load_rlx(&other->misses), 1);
    gs_vm_free(vm);
}

static void a_unit_that_refuses_its_registers_is_made_anew_and_then_given_up(void)
{
    struct gs_proto *f, *m;
    prepare(&f, &m);
    want(f, 0, refuse);
    CU_ASSERT_TRUE(gives(m, 10000, 10000));
    CU_ASSERT_EQUAL(fake.compiles, GS_HOT_GENERATIONS);
    CU_ASSERT_EQUAL(op_at(f, 0), GS_OP_ADDI);
    CU_ASSERT_EQUAL(gs_load_rlx(&gs_hot_of(f)->miss[0]), 0);
}

static void a_call_that_code_cannot_make_is_made_by_the_interpreter(void)
{
    struct gs_proto *f, *m;
    prepare(&f, &m);
    want(m, HEADER, call_leaves);
    CU_ASSERT_TRUE(gives(m, 1000, 1000));
    CU_ASSERT_EQUAL(fake.compiles, 1);
    /* and a poke is answered there */
    struct gs_vm *vm = vm_of(m, 1000);
    gs_store_rlx(&vm->task.sp_limit, 0);
    CU_ASSERT_EQUAL(gs_interp_run(vm), GS_OK);
    CU_ASSERT_EQUAL(vm->result.i, 1000);
    CU_ASSERT_NOT_EQUAL(gs_load_rlx(&vm->task.sp_limit), 0);
    gs_vm_free(vm);
}

static void an_error_unwinds_from_the_frame_that_the_code_names(void)
{
    struct gs_proto *f, *m;
    prepare(&f, &m);
    want(f, 0, throw_value);
    struct gs_vm *vm = vm_of(m, 3);
    CU_ASSERT_EQUAL(gs_interp_run(vm), GS_E_THROWN);
    CU_ASSERT_EQUAL(vm->error.i, 42);
    gs_vm_free(vm);
}

static void a_parked_call_gets_its_outcome_into_the_register(void)
{
    struct gs_proto *f, *m;
    prepare(&f, &m);
    want(f, 0, park);
    struct gs_vm *vm = vm_of(m, 2);
    CU_ASSERT_EQUAL(gs_interp_run(vm), GS_PARK);
    CU_ASSERT_EQUAL(gs_interp_run(vm), GS_PARK); /* f returned 5, and was called again */
    CU_ASSERT_EQUAL(vm->base[0].i, 5);
    CU_ASSERT_EQUAL(gs_interp_run(vm), GS_OK);
    CU_ASSERT_EQUAL(vm->result.i, 5);
    gs_vm_free(vm);
}

static void a_yield_goes_on_where_the_code_says(void)
{
    struct gs_proto *f, *m;
    prepare(&f, &m);
    want(f, 0, yield_once);
    yields = 0;
    struct gs_vm *vm = vm_of(m, 2);
    CU_ASSERT_EQUAL(gs_interp_run(vm), GS_YIELD);
    CU_ASSERT_EQUAL(gs_interp_run(vm), GS_OK);
    CU_ASSERT_EQUAL(vm->result.i, 2000);
    gs_vm_free(vm);
}

static void an_exit_ends_the_run(void)
{
    struct gs_proto *f, *m;
    prepare(&f, &m);
    want(f, 0, leave_process);
    struct gs_vm *vm = vm_of(m, 2);
    CU_ASSERT_EQUAL(gs_interp_run(vm), GS_EXIT);
    gs_vm_free(vm);
}

static unsigned fulls;
static uint32_t needs_room(struct gs_vm *vm, gs_value *base)
{
    if ((uintptr_t)(base + 10000) > gs_load_rlx(&vm->task.sp_limit)) {
        fulls++;
        return GS_LEFT_FULL;
    }
    return add_thousand(vm, base);
}

static void room_is_made_for_code_that_wants_more_of_the_stack(void)
{
    struct gs_proto *f, *m;
    prepare(&f, &m);
    want(f, 0, needs_room);
    fake.slots = 10000;
    fulls = 0;
    CU_ASSERT_TRUE(gives(m, 100, 100000));
    CU_ASSERT_EQUAL(fulls, 1);
    /* A poke is no want of room. */
    struct gs_vm *vm = vm_of(f, 1);
    CU_ASSERT_EQUAL(gs_vm_grow_stack(vm, vm->base, 10000), GS_OK);
    gs_store_rlx(&vm->task.sp_limit, 0);
    CU_ASSERT_EQUAL(gs_interp_run(vm), GS_OK);
    CU_ASSERT_EQUAL(vm->result.i, 2); /* by the interpreter */
    gs_vm_free(vm);
    /* Where the stack may not grow the interpreter goes on. */
    size_t limit = gs_rt.opt.stack_limit;
    gs_rt.opt.stack_limit = 1000 * sizeof(gs_value);
    CU_ASSERT_TRUE(gives(m, 3, 3));
    gs_rt.opt.stack_limit = limit;
}

/* ---- collections ---- */

static void code_that_needs_memory_leaves_and_is_entered_again_later(void)
{
    struct gs_proto *f, *m;
    prepare(&f, &m);
    want(f, 0, wants_memory);
    collections_wanted = 0;
    struct gs_vm *vm = vm_of(m, 1);
    CU_ASSERT_EQUAL(gs_interp_run(vm), GS_OK);
    CU_ASSERT_EQUAL(first_try, GS_C_AGAIN);
    CU_ASSERT_EQUAL(vm->result.i, 1);
#if !defined(GS_GC_STRESS)
    CU_ASSERT_FALSE(gs_vm_wants_gc(vm)); /* it has been made on the way out */
    gs_vm_free(vm);
    vm = vm_of(m, 1);
    CU_ASSERT_EQUAL(gs_interp_run(vm), GS_OK);
    CU_ASSERT_EQUAL(first_try, GS_OK);
    CU_ASSERT_EQUAL(vm->result.i, 1000);
#endif
    gs_vm_free(vm);
}

static void nothing_collects_while_code_runs(void)
{
    struct gs_proto *f, *m;
    prepare(&f, &m);
    want(f, 0, collects);
    struct gs_vm *vm = vm_of(m, 3);
    CU_ASSERT_EQUAL(gs_interp_run(vm), GS_OK);
    CU_ASSERT_EQUAL(vm->result.i, 3);
    CU_ASSERT_FALSE(vm->refused);
    gs_vm_free(vm);
}

/* ---- refusals of the compiler ---- */

static void what_is_declined_is_asked_for_a_few_times_only(void)
{
    struct gs_proto *f, *m;
    prepare(&f, &m);
    want(f, 0, NULL);
    CU_ASSERT_TRUE(gives(m, 10000, 10000));
    CU_ASSERT_EQUAL(fake.declines, GS_HOT_TRIES);
    CU_ASSERT_TRUE(gs_hot_entry_at(f, 0)->declined);
    CU_ASSERT_EQUAL(op_at(f, 0), GS_OP_ADDI);
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    gs_hot_stats(out);
    fclose(out);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "not wanted"));
    free(text);
}

/* ---- requests that have become pointless ---- */

static void what_has_ended_while_its_request_waited_is_not_compiled(void)
{
    struct gs_proto *f[2], *m[2];
    start(GS_JIT_ON, 0); /* nothing is served before it is worth it */
    for (int i = 0; i < 2; i++) {
        f[i] = make_f();
        m[i] = make_main(f[i]);
    }
    want(f[0], 0, NULL);
    fake.others_ns = 20000000;
    CU_ASSERT_TRUE(gives(m[1], 20000, 20000)); /* first in the queue */
    CU_ASSERT_TRUE(gives(m[0], 20000, 20000));
    CU_ASSERT_TRUE(gs_load_rlx(&gs_hot_entry_get(f[0], 0)->asked));
    CU_ASSERT_FALSE(gs_hot_worth());
    while (!gs_hot_worth())
        CU_ASSERT_TRUE(gives(m[1], 20000, 20000));
    gs_hot_settle();
    CU_ASSERT_EQUAL(fake.declines, 0);
    CU_ASSERT_FALSE(gs_load_rlx(&gs_hot_entry_get(f[0], 0)->asked));
    fake.others_ns = 0;
    for (int i = 0; i < 1000 && fake.declines == 0; i++) { /* it goes on after all */
        CU_ASSERT_TRUE(gives(m[0], 20000, 20000));
        gs_hot_settle();
    }
    CU_ASSERT_TRUE(fake.declines > 0);
}

static _Atomic bool dumping, ending;

static unsigned slow_dump(void *out, const struct gs_proto *p)
{
    (void)out;
    (void)p;
    gs_store_rel(&dumping, true);
    while (!gs_load_acq(&ending))
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    (void)nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL); /* gs_hot_stop waits by now, and the requests are stale */
    return 0;
}

static void *dump_main(void *arg)
{
    (void)arg;
    (void)gs_hot_dump(NULL, NULL);
    return NULL;
}

/* Opening the compiler and a listing exclude each other, so that a slow listing makes a slow opening. */
static void the_end_comes_while_the_compiler_is_opened_for_what_is_stale_then(void)
{
    static const struct gs_jit_face slow = {.compile = fake_compile, .release = fake_release, .dump = slow_dump};
    pthread_t th;
    start(GS_JIT_ON, 0);
    CU_ASSERT_TRUE(gs_hot_stop());
    gs_hot_use_face(&slow);
    gs_store_rlx(&dumping, false);
    gs_store_rlx(&ending, false);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&th, NULL, dump_main, NULL), 0);
    while (!gs_load_acq(&dumping))
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    struct gs_proto *f = make_f(), *m = make_main(f);
    while (!gs_hot_worth())
        CU_ASSERT_TRUE(gives(m, 20000, 20000));
    (void)nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL); /* the thread is there, and waits for the listing */
    gs_store_rel(&ending, true);
    while (!gs_hot_stop()) /* busy: the process would leave by _exit */
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    pthread_join(th, NULL);
    CU_ASSERT_EQUAL(fake.declines, 0);
}

/* ---- levels, and what becomes of units ---- */

static bool in_time(_Atomic unsigned *n, unsigned wanted)
{
    for (int i = 0; i < 5000; i++) {
        gs_reclaim_quiet();
        if (gs_load_acq(n) >= wanted)
            return true;
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    return false;
}

static void what_is_found_running_is_made_once_more_and_replaced(void)
{
    start(GS_JIT_ON, 100);
    struct gs_proto *f = make_f(), *m = make_main(f);
    want(f, 0, add_thousand);
    struct gs_hot_cell cell = {0};
    fake.cell = &cell;
    gs_hot_cell_add(gs_hot_entry_get(f, 0), &cell);
    int64_t result;
    for (int i = 0; i < 100 && fake.compiles == 0; i++) {
        CU_ASSERT_EQUAL(run_main(m, 1000, &result), GS_OK);
        gs_hot_settle();
    }
    CU_ASSERT_EQUAL(fake.compiles, 1);
    CU_ASSERT_EQUAL(fake.levels[0], GS_LEVEL_QUICK);
    CU_ASSERT_PTR_EQUAL(gs_load_acq(&cell.code), &fake.units[0]);
    gs_hot_settle(); /* its lock stands between what we have read and what the looks bring about */
    for (int i = 0; i < 10; i++)
        gs_hot_looked(gs_hot_entry_at(f, 0));
    CU_ASSERT_TRUE(in_time(&fake.released, 1));
    CU_ASSERT_EQUAL(fake.compiles, 2);
    CU_ASSERT_EQUAL(fake.levels[1], GS_LEVEL_FULL);
    CU_ASSERT_EQUAL(fake.last.generation, 1);
    CU_ASSERT_PTR_NULL(fake.units[0].enter);
    CU_ASSERT_PTR_EQUAL(gs_load_acq(&cell.code), &fake.units[1]);
    CU_ASSERT_TRUE(gives(m, 3, 3000));
    CU_ASSERT_TRUE(gs_hot_stop());
}

static void a_dropped_unit_is_freed_when_this_thread_has_been_outside(void)
{
    start(GS_JIT_EAGER, 0);
    struct gs_proto *f = make_f(), *m = make_main(f), *other = make_f(), *main2 = make_main(other);
    struct gs_hot_cell cell = {0};
    want(f, 0, add_thousand);
    fake.cell = &cell;
    gs_hot_cell_add(gs_hot_entry_get(f, 0), &cell);
    CU_ASSERT_TRUE(gives(m, 3, 3000));
    struct gs_hot_entry *e = gs_hot_entry_at(f, 0);
    CU_ASSERT_EQUAL(e->generation, 1);
    gs_hot_stale(e);
    CU_ASSERT_PTR_NULL(gs_load_acq(&cell.code));
    CU_ASSERT_PTR_NULL(gs_load_acq(&e->unit));
    CU_ASSERT_EQUAL(op_at(f, 0), GS_OP_ADDI);
    CU_ASSERT_EQUAL(e->generation, 0); /* it assumed nothing wrongly */
    CU_ASSERT_EQUAL(gs_load_acq(&fake.released), 0);
    want(other, 0, add_thousand); /* a request of it frees on the way */
    CU_ASSERT_TRUE(gives(main2, 3, 3000));
    CU_ASSERT_EQUAL(gs_load_acq(&fake.released), 1);
    CU_ASSERT_PTR_NULL(fake.units[0].enter);
    CU_ASSERT_PTR_NOT_NULL(fake.units[1].enter);
}

static void a_unit_that_a_cell_names_stays(void)
{
    start(GS_JIT_EAGER, 0);
    struct gs_proto *f = make_f(), *m = make_main(f);
    struct gs_hot_entry *e = gs_hot_entry_get(f, 0);
    struct gs_hot_cell cells[2] = {0};
    gs_hot_cell_add(e, &cells[0]);
    gs_hot_cell_add(e, &cells[1]);
    struct gs_unit *inner = &fake.units[20], *better = &fake.units[21];
    *inner = (struct gs_unit){.enter = add_thousand, .code = inner, .cell = {&cells[0]}};
    gs_hot_inner(e, inner);
    CU_ASSERT_PTR_EQUAL(gs_load_acq(&cells[0].code), inner);
    want(f, 0, add_thousand);
    fake.cell = &cells[1];
    CU_ASSERT_TRUE(gives(m, 3, 3000));
    CU_ASSERT_PTR_EQUAL(gs_load_acq(&cells[0].code), inner);
    CU_ASSERT_PTR_EQUAL(e->units, &fake.units[0]);
    CU_ASSERT_PTR_EQUAL(e->units->next, inner);
    *better = (struct gs_unit){.enter = add_thousand, .code = better, .cell = {&cells[0]}};
    gs_hot_inner(e, better);
    CU_ASSERT_PTR_EQUAL(gs_load_acq(&cells[0].code), better);
    CU_ASSERT_PTR_EQUAL(e->units, better);
    CU_ASSERT_PTR_EQUAL(better->next, &fake.units[0]);
    CU_ASSERT_PTR_NULL(fake.units[0].next);
}

/* ---- several threads ---- */

#define THREADS 4
static uint32_t miss_or_return(struct gs_vm *vm, gs_value *base)
{
    if (base[0].i % 7 == 3)
        return miss_at_once(vm, base);
    base[-2] = gs_int(base[0].i + 1);
    return GS_LEFT_RETURN;
}

static void *thread_main(void *m)
{
    int64_t result = 0;
    for (int i = 0; i < 20; i++) {
        int64_t r;
        if (run_main(m, 5000, &r) == GS_OK)
            result += r;
    }
    return (void *)(intptr_t)result;
}

static void threads_run_a_function_that_is_compiled_and_dropped_meanwhile(void)
{
    start(GS_JIT_ON, 100);
    struct gs_proto *f = make_f(), *m = make_main(f);
    want(f, 0, miss_or_return);
    pthread_t t[THREADS];
    for (int i = 0; i < THREADS; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&t[i], NULL, thread_main, m), 0);
    for (int i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(t[i], &result);
        CU_ASSERT_EQUAL((intptr_t)result, 100000);
    }
    gs_hot_settle();
    CU_ASSERT_TRUE(fake.compiles >= 1 && fake.compiles <= GS_HOT_GENERATIONS);
    CU_ASSERT_TRUE(gs_hot_stop());
}

static const struct unit_case cases[] = {
    UNIT_CASE(without_it_nothing_is_sampled),
    UNIT_CASE(a_function_is_asked_for_when_it_was_called_often),
    UNIT_CASE(a_task_that_is_short_but_frequent_becomes_hot),
    UNIT_CASE(a_loop_is_asked_for_with_the_registers_at_its_header),
    UNIT_CASE(the_outermost_loop_is_asked_for_first_and_then_the_next),
    UNIT_CASE(a_patched_instruction_keeps_its_operands),
    UNIT_CASE(the_opcode_is_refused_in_code_from_outside),
    UNIT_CASE(a_unit_of_a_loop_goes_on_behind_it),
    UNIT_CASE(the_bottom_frame_may_return_from_its_unit),
    UNIT_CASE(a_guard_that_keeps_failing_leads_to_a_few_generations_and_then_to_none),
    UNIT_CASE(a_failing_guard_is_charged_to_the_entry_that_the_code_names),
    UNIT_CASE(a_unit_that_refuses_its_registers_is_made_anew_and_then_given_up),
    UNIT_CASE(a_call_that_code_cannot_make_is_made_by_the_interpreter),
    UNIT_CASE(an_error_unwinds_from_the_frame_that_the_code_names),
    UNIT_CASE(a_parked_call_gets_its_outcome_into_the_register),
    UNIT_CASE(a_yield_goes_on_where_the_code_says),
    UNIT_CASE(an_exit_ends_the_run),
    UNIT_CASE(room_is_made_for_code_that_wants_more_of_the_stack),
    UNIT_CASE(code_that_needs_memory_leaves_and_is_entered_again_later),
    UNIT_CASE(nothing_collects_while_code_runs),
    UNIT_CASE(what_is_declined_is_asked_for_a_few_times_only),
    UNIT_CASE(what_has_ended_while_its_request_waited_is_not_compiled),
    UNIT_CASE(the_end_comes_while_the_compiler_is_opened_for_what_is_stale_then),
    UNIT_CASE(what_is_found_running_is_made_once_more_and_replaced),
    UNIT_CASE(a_dropped_unit_is_freed_when_this_thread_has_been_outside),
    UNIT_CASE(a_unit_that_a_cell_names_stays),
    UNIT_CASE(threads_run_a_function_that_is_compiled_and_dropped_meanwhile),
};
UNIT_MAIN("hot", cases)
