/* SPDX-License-Identifier: MIT
 * unit_task.h - VMs that look to channels and locks like running tasks, without being run: what blocks gives GS_PARK, what is woken is READY, and the
 * test itself calls finish.
 */
#ifndef GS_TESTS_UNIT_TASK_H
#define GS_TESTS_UNIT_TASK_H

#include "unit_native.h"

#include "taskobj.h"

static inline enum gs_run unit_task_never(struct gs_task *t, struct gs_worker *w)
{
    (void)t;
    (void)w;
    return GS_RUN_PARK;
}

/* The scheduler of the process; timers are set in it, and fire by unit_timers_fire. */
static inline void unit_sched(void)
{
    static const struct gs_sched_config cfg = {.workers = 1};
    if (gs_rt.sched == NULL)
        gs_rt.sched = gs_sched_new(&cfg);
}

static inline struct gs_vm *unit_task(void)
{
    unit_sched();
    struct gs_vm *vm = native_vm();
    uintptr_t mark = vm->task.sp_real;
    gs_task_init(&vm->task, unit_task_never);
    vm->task.sp_real = mark;
    gs_store_rlx(&vm->task.sp_limit, mark);
    gs_store_rlx(&vm->task.state, (uint32_t)GS_TASK_RUNNING);
    vm->self = gs_taskobj_new(NULL, GS_TS_SPAWN, GS_H_TASK);
    vm->self->vm = vm;
    return vm;
}

/* Has somebody woken it? Asking takes the wake-up. */
static inline bool unit_woken(struct gs_vm *vm)
{
    bool is = gs_load_rlx(&vm->task.state) == GS_TASK_READY;
    gs_store_rlx(&vm->task.state, (uint32_t)GS_TASK_RUNNING);
    return is;
}

static inline void unit_task_free(struct gs_vm *vm)
{
    struct gs_taskobj *o = vm->self;
    if (gs_load_rlx(&vm->park.word) != GS_WAIT_IDLE)
        (void)gs_wait_end(vm);
    gs_vm_free(vm);
    gs_hobj_release(&o->h);
}

#endif
