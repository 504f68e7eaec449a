/* SPDX-License-Identifier: MIT
 * test_taskobj.c - tasks from spawn to outcome, run by a real scheduler: a program of the language for each case would need a process of its own, so here one
 * program does all and the cases look at what it left.
 */
#include "unit_task.h"

#include "chan.h"
#include "flat.h"
#include "goost.h"
#include "output.h"
#include "port/mem.h"
#include "seed.h"

static const char program[] =
    "import thread\n"
    "import runtime\n"
    "let core = thread.core\n"
    "fn own() { return core.current() }\n"
    "let id = core.spawn(own)\n"
    "runtime.core.share(\"own\", core.join(id) == id)\n"
    "let never = thread.channel.new(0)\n"
    "let parked = core.spawn(fn() { try { thread.channel.recv(never) } catch e { return e.kind } })\n"
    "core.yield()\n"
    "core.cancel(parked)\n"
    "runtime.core.share(\"cancelled\", core.join(parked))\n"
    "runtime.core.share(\"timeout\", core.join(core.spawn(fn() { core.sleep(50) }), 1) == nil)\n"
    "let fs = []\n"
    "for i in range(50) { fs.push(thread.async.run(fn() { return i })) }\n"
    "runtime.core.share(\"all\", thread.async.all(fs).sum())\n"
    "let p = thread.pool.new(2)\n"
    "for i in range(50) { thread.pool.submit(p, fn() { return i }) }\n"
    "runtime.core.share(\"pool\", thread.pool.wait(p).sum())\n";

static int code = -1;

static gs_value stored(struct gs_vm *vm, const char *key)
{
    return CALL(vm, "runtime.core", "fetch", native_str(vm, key));
}

static void the_program_ends_well(void)
{
    struct goost_options o;
    struct compiled r = compile_text(program);
    if (r.c.program == NULL)
        printf("\n  %s\n", r.messages);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r.c.program);
    struct gs_program *p = r.c.program;
    compiled_free(&r);
    goost_options_init(&o);
    o.workers = 4;
    o.pin = false;
    code = goost_run_program(&o, p, 0, NULL);
    CU_ASSERT_EQUAL(code, 0);
    CU_ASSERT_EQUAL(gs_load_rlx(&gs_rt.tasks_alive), 0);
    CU_ASSERT_EQUAL(gs_load_rlx(&gs_rt.failures), 0);
}

static void outcomes_are_what_the_tasks_gave(void)
{
    struct gs_vm *vm = native_vm();
    CU_ASSERT_STRING_EQUAL(unit_text(stored(vm, "own")), "true");
    CU_ASSERT_STRING_EQUAL(unit_text(stored(vm, "cancelled")), "Cancelled");
    CU_ASSERT_STRING_EQUAL(unit_text(stored(vm, "timeout")), "true");
    CU_ASSERT_STRING_EQUAL(unit_text(stored(vm, "all")), "1225");
    CU_ASSERT_STRING_EQUAL(unit_text(stored(vm, "pool")), "1225");
    gs_vm_free(vm);
}

/* A function of two parameters that gives the second one, and captures a handle. */
static gs_value closure(struct gs_vm *a, gs_value h)
{
    const gs_insn gives[] = {I_ABC(RET, 1, 0, 0)};
    struct gs_func *f = gs_heap_new(&a->heap, GS_T_FUNC, sizeof *f + sizeof(gs_value));
    f->h.aux16 = 1;
    f->proto = unit_proto(&(struct unit_code){.code = gives, .n = 1, .nregs = 3, .nparams = 2, .nreq = 2});
    f->up[0] = h;
    return gs_objv(GS_T_FUNC, f);
}

static void a_seed_holds_what_its_call_needs(void)
{
    struct gs_vm *a = unit_task();
    struct gs_chan *c = gs_chan_new(0);
    gs_value h;
    CU_ASSERT_EQUAL_FATAL(gs_handle_share(a, &c->h, &h), GS_OK);
    gs_value fn = closure(a, h), args[] = {h, gs_int(5)};
    CU_ASSERT_EQUAL(gs_load_rlx(&c->h.refs), 2);
    gs_seed_free(gs_seed_new(a, fn, args, 2)); /* what code can reach is found out once, and needs memory */
    gs_mem_fail_at(1);
    CU_ASSERT_PTR_NULL(gs_seed_new(a, fn, args, 2));
    gs_mem_fail_at(0);
    args[1] = gs_strv(gs_str_new(&a->heap, "of this heap", 12));
    CU_ASSERT_PTR_NULL(gs_seed_new(a, fn, args, 2));
    CU_ASSERT_EQUAL(gs_load_rlx(&c->h.refs), 2);
    args[1] = gs_int(5);
    gs_value many[] = {h, h, gs_int(3), gs_int(4), gs_int(5), h, h}; /* more than a block of the stock has room for, and than the function takes */
    struct gs_seed *small = gs_seed_new(a, fn, args, 2), *large = gs_seed_new(a, fn, many, 7);
    CU_ASSERT_PTR_NOT_NULL_FATAL(small);
    CU_ASSERT_PTR_NOT_NULL_FATAL(large);
    CU_ASSERT_PTR_EQUAL(gs_seed_of(&small->task), small);
    CU_ASSERT_PTR_NULL(gs_seed_of(&a->task));
    CU_ASSERT_EQUAL(gs_load_rlx(&c->h.refs), 2 + 2 + 5);
    unit_task_free(a);
    struct gs_vm *b = gs_seed_vm(small);
    CU_ASSERT_PTR_NOT_NULL_FATAL(b);
    CU_ASSERT_PTR_EQUAL(gs_handle_obj(b->base[0]), &c->h);
    CU_ASSERT_EQUAL(b->base[1].i, 5);
    CU_ASSERT_PTR_EQUAL(gs_vm_proto(b), gs_seed_proto(small));
    gs_vm_free(b);
    CU_ASSERT_EQUAL(gs_load_rlx(&c->h.refs), 1 + 2 + 5);
    gs_seed_free(small);
    large->o = gs_taskobj_new(NULL, GS_TS_SPAWN, GS_H_TASK);
    gs_seed_drop(large);
    CU_ASSERT_EQUAL(gs_load_rlx(&c->h.refs), 1);
    gs_hobj_release(&c->h);
}

/* Runs a call of seven arguments, or of the two that the function takes, by a scheduler of its own. Gives the object, with a share. */
static struct gs_taskobj *run_seed(enum gs_task_style style, uint32_t nargs)
{
    static const struct gs_sched_config cfg = {.workers = 1};
    struct gs_vm *a = unit_task();
    struct gs_sched *unit = gs_rt.sched;
    gs_value args[7] = {gs_int(4), gs_int(5)};
    struct gs_seed *seed = gs_seed_new(a, closure(a, gs_nil()), args, nargs);
    struct gs_taskobj *o = gs_taskobj_new(NULL, style, style == GS_TS_SPAWN ? GS_H_TASK : GS_H_FUTURE);
    CU_ASSERT_PTR_NOT_NULL_FATAL(seed);
    seed->o = o;
    gs_hobj_retain(&o->h);
    gs_rt.sched = gs_sched_new(&cfg);
    gs_store_rlx(&gs_rt.tasks_alive, 1);
    CU_ASSERT_EQUAL(gs_sched_run(gs_rt.sched, &seed->task), 0);
    gs_sched_free(gs_rt.sched);
    gs_rt.sched = unit;
    unit_task_free(a);
    CU_ASSERT_TRUE_FATAL(o->done);
    CU_ASSERT_EQUAL(gs_load_rlx(&o->h.refs), o->failed && style == GS_TS_FUTURE ? 2 : 1); /* one is that of an error which nobody has received */
    return o;
}

static void a_task_without_memory_for_its_call_fails(void)
{
    for (int style = GS_TS_SPAWN; style <= GS_TS_FUTURE; style++) {
        int64_t failures = gs_load_rlx(&gs_rt.failures);
        struct gs_taskobj *o = run_seed((enum gs_task_style)style, 2);
        CU_ASSERT_FALSE(o->failed);
        CU_ASSERT_EQUAL(o->outcome.v.i, 5);
        gs_hobj_release(&o->h);
        gs_rt.opt.heap_limit = 16; /* the seven do not fit into the first chunk */
        o = run_seed((enum gs_task_style)style, 7);
        gs_rt.opt.heap_limit = 0;
        CU_ASSERT_TRUE(o->failed);
        CU_ASSERT_TRUE(o->no_memory);
        CU_ASSERT_EQUAL(gs_load_rlx(&gs_rt.failures), failures + (style == GS_TS_SPAWN));
        gs_taskobj_received(o);
        CU_ASSERT_EQUAL(gs_load_rlx(&gs_rt.failures), failures);
        gs_hobj_release(&o->h);
    }
}

static void a_task_object_is_small(void)
{
    CU_ASSERT_TRUE(sizeof(struct gs_taskobj) <= 112); /* a size class of the allocator; a million of them are ordinary */
}

static const struct unit_case cases[] = {
    UNIT_CASE(the_program_ends_well),
    UNIT_CASE(outcomes_are_what_the_tasks_gave),
    UNIT_CASE(a_seed_holds_what_its_call_needs),
    UNIT_CASE(a_task_without_memory_for_its_call_fails),
    UNIT_CASE(a_task_object_is_small),
};
UNIT_MAIN("taskobj", cases)
