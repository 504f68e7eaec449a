/* SPDX-License-Identifier: MIT
 * taskobj.h - the life of a task: spawn, run, end, result; tasks, futures and pool jobs are one thing.
 *
 * Object     What a task id or a future stands for. It outlives the VM and holds the outcome: a parcel with the result or the error. While the VM lives it is in
 *            o->vm, guarded by o->lock, so that cancel can reach it.
 * Shares     One for each holder (handle.h), one for the task itself: its seed (seed.h), then its VM.
 * End        When the bottom frame is left: pack the outcome, publish it under the lock (done = true), wake all who wait, count the task out, free the VM or keep it for the next
 *            task here. An outcome that nobody can ask for any more, because the task has the only share, is dropped.
 * Errors     A task's uncaught error is printed at once (spawn) and makes the process end with code 1 unless a join receives it; a future's error waits in the
 *            future, and is printed at the end of the process when nobody ever received it. Who hands a future to all, any or race has taken charge of its error,
 *            as in JavaScript: a loser that fails later is not reported.
 * Cancel     Happens under o->lock: the request is noted, the task is poked, and if it is parked its wait word is claimed. The task takes the request back under
 *            the same lock, so that one cancel never throws twice (once through the note, once through the claim).
 */
#ifndef GS_RUNTIME_TASKOBJ_H
#define GS_RUNTIME_TASKOBJ_H

#include "text.h"
#include "waitq.h"

enum gs_task_style {
    GS_TS_SPAWN,  /* thread.core.spawn: error printed at once */
    GS_TS_FUTURE, /* thread.async.run, pool.submit, scheduler: error kept */
};

/* The report of an error that nobody has received yet; taskobj.c. */
struct gs_failure;
struct gs_pool;
struct gs_runner;

struct gs_taskobj {
    struct gs_hobj h; /* GS_H_TASK or GS_H_FUTURE */
    struct gs_spin lock; /* guards done, failed, received, vm, failure, waiters, and cancel's way back to false */
    uint32_t line;       /* place of the spawn */
    const char *file;
    uint8_t style; /* enum gs_task_style; constant */
    bool done;
    bool failed;         /* outcome is the error */
    bool no_memory;      /* failed, and there was no memory to pack the error: OutOfMemory */
    bool received;       /* somebody took the error, or will take it if there is one */
    bool told;           /* in a report of a partial deadlock; the watch thread's */
    bool is_result;      /* its result is its own handle, of which outcome would hold a share for ever */
    _Atomic bool cancel; /* asked for; taken by gs_taskobj_take_cancel */
    union {
        struct { /* until it is done */
            struct gs_vm *vm;         /* while it runs */
            struct gs_pool *pool;     /* that of a future which a pool runs, with a share; else NULL */
            struct gs_runner *runner; /* while its VM is one's (pool.h); the VM's own affair */
        };
        struct gs_parcel outcome; /* then; constant */
    };
    union {
        struct gs_waitq waiters; /* until it is done; who has been woken still finds the lock there */
        struct {
            struct gs_spin *waiters_lock;
            struct gs_failure *failure; /* then: of a future that has failed and whose error is not received; else NULL */
        };
    };
};

/* With its VM all that a task is. */
_Static_assert(sizeof(struct gs_taskobj) <= 80, "a size class of the allocator");

/* Copies fn and args into a seed, or a fresh VM, and queues it. The handle value (task id or future) goes to *out in vm, unless out is NULL. GS_OK, GS_E_NOMEM. The function value is checked to be
 * callable by the caller (gs_arg_fn); wrong argument counts throw inside the task. */
gs_status gs_task_spawn(struct gs_vm *vm, enum gs_task_style style, gs_value fn, const gs_value *args, uint32_t n, gs_value *out);
/* The parts of the above, for pools: an object without VM; an empty VM; making such a VM call what is packed as [fn, args...], which is taken when GS_OK; making it o's, whose share it
 * takes over and which others may know; queueing it for the first time with an o that nobody knows yet. */
struct gs_taskobj *gs_taskobj_new(struct gs_vm *vm, enum gs_task_style style, enum gs_hkind kind);
struct gs_vm *gs_taskobj_new_vm(void);
void gs_taskobj_renew_vm(struct gs_vm *vm); /* an empty VM once more (gs_vm_renew) */
gs_status gs_taskobj_start_packed(struct gs_vm *vm, struct gs_parcel *take_call);
void gs_taskobj_attach(struct gs_vm *vm, struct gs_taskobj *o);
void gs_taskobj_launch(struct gs_vm *vm, struct gs_taskobj *o);
/* For seeds (seed.h). begin: o's task goes on as vm, which is the running task already and about to do its call. never: it cannot, for lack of memory, and nobody is the running task. */
enum gs_run gs_taskobj_begin(struct gs_vm *vm, struct gs_taskobj *o, struct gs_worker *w);
enum gs_run gs_taskobj_never(struct gs_taskobj *o, struct gs_worker *w);
/* vm's task has ended with st: packs the outcome, publishes it and wakes who waits. */
void gs_taskobj_settle(struct gs_vm *vm, gs_status st);
/* o will never need its pool again. */
void gs_taskobj_leave_pool(struct gs_taskobj *o);
/* Its error, if there is or will be one, counts as received. */
void gs_taskobj_received(struct gs_taskobj *o);
/* Without a VM: o ends with OutOfMemory. */
void gs_taskobj_fail(struct gs_taskobj *o);

/* Outcome of a done task into vm: GS_OK with a fresh copy, or GS_E_THROWN with the task's error (its place and stack kept). */
int gs_taskobj_outcome(struct gs_vm *vm, struct gs_taskobj *o, gs_value *ret);
/* Waits for o (PARK) or gives its outcome; ms < 0: for ever; at the timeout *ret is nil. For join and await. */
int gs_taskobj_wait(struct gs_vm *vm, struct gs_taskobj *o, const char *what, int64_t ms, gs_value *ret);
bool gs_taskobj_is_done(struct gs_taskobj *o);
/* Waits for the first of several (an array of handles of tasks or futures, checked by the caller): *ret is its index. all: waits for all, *ret is -1, or the index of one
 * that has failed as soon as there is one. The errors of all of them count as received from here on. */
int gs_taskobj_wait_several(struct gs_vm *vm, struct gs_array *fs, bool all, const char *what, gs_value *ret);
/* Makes the task's next blocking call or loop poll throw Cancelled, once; wakes it when it is parked. Any thread that holds a share. */
void gs_taskobj_cancel(struct gs_taskobj *o);
/* The task itself: true when it has been asked to stop since it last looked. */
bool gs_taskobj_take_cancel(struct gs_taskobj *o);
/* Whether the VM's task has been asked to stop. A look without the lock: what comes at this moment is seen next time. */
GS_INLINE bool gs_taskobj_is_cancelled(const struct gs_vm *vm)
{
    return vm->self != NULL && gs_load_rlx(&vm->self->cancel);
}
/* To be asked by every blocking call before it waits: true: the task has been cancelled, throw. Clears the request. */
GS_INLINE bool gs_vm_take_cancel(struct gs_vm *vm)
{
    return GS_UNLIKELY(gs_taskobj_is_cancelled(vm)) && gs_taskobj_take_cancel(vm->self);
}
/* The task of a VM as a value ("id()"). */
gs_status gs_taskobj_self(struct gs_vm *vm, gs_value *out);

/* The main program's task: runs p's main in the calling thread's scheduler. api.c. */
struct gs_vm *gs_task_new_main(struct gs_program *p);
/* Reports errors of futures that nobody received (end of process). */
void gs_taskobj_report_unreceived(void);

#endif
