/* SPDX-License-Identifier: MIT
 * rt.h - what there is once in a process: options, scheduler, registry of live tasks. One runtime for one process by design: shapes, atoms and code are
 * process-wide, too.
 */
#ifndef GS_RUNTIME_RT_H
#define GS_RUNTIME_RT_H

#include "goost.h"
#include "sched.h"
#include "vm.h"

#define GS_STACK_LIMIT_DEFAULT (256u << 20) /* bytes; 100,000 frames of 160 registers */

struct gs_rt {
    struct goost_options opt;
    struct gs_program *program;
    struct gs_sched *sched;
    int argc;
    char **argv;
    _Atomic int64_t tasks_alive;      /* and leave to start some; taskobj.c, Counting */
    _Atomic int failures;             /* uncaught errors of tasks so far: the process ends with 1 */
    _Atomic bool ending;
};
extern struct gs_rt gs_rt;

/* Ends the process's run with a code: output is flushed, nothing else runs. The calling native returns GS_EXIT. */
void gs_rt_exit(int code);
/* What the process cannot begin without is missing: says so and ends it with code 70. */
_Noreturn void gs_rt_no_memory(void);
/* SIGQUIT: what each task was doing, to stderr. ended: the workers have stopped; else they may still be inside library functions, and what is told of are the
 * tasks that wait. */
void gs_rt_report_tasks(bool ended);
/* How many tasks live, main included. */
int64_t gs_rt_tasks(void);
/* Registry of live VMs that have waited (reports). */
void gs_rt_live_add(struct gs_vm *vm);
void gs_rt_live_remove(struct gs_vm *vm);
/* Calls f with each of them, which stays alive for the call, until f says false. f must not wait. Any thread. */
void gs_rt_live_each(bool (*f)(struct gs_vm *vm, void *ctx), void *ctx);
/* Empties the store, when all workers have stopped and nobody will look into it any more. store.c. */
void gs_rt_drop_store(void);
/* Tells of n tasks that hold still, on stderr under a title. */
void gs_rt_tell_tasks(const char *title, struct gs_task **v, size_t n);

#endif
