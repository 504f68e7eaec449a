/* SPDX-License-Identifier: MIT
 * test_taskobj.c - tasks from spawn to outcome, run by a real scheduler: a program of the language for each case would need a process of its own, so here one
 * program does all and the cases look at what it left.
 */
#include "unit_task.h"

#include "goost.h"
#include "output.h"

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

static void a_task_object_is_small(void)
{
    CU_ASSERT_TRUE(sizeof(struct gs_taskobj) <= 112); /* a size class of the allocator; a million of them are ordinary */
}

static const struct unit_case cases[] = {
    UNIT_CASE(the_program_ends_well),
    UNIT_CASE(outcomes_are_what_the_tasks_gave),
    UNIT_CASE(a_task_object_is_small),
};
UNIT_MAIN("taskobj", cases)
