/* SPDX-License-Identifier: MIT
 * task.h - what the scheduler knows about a task.
 *
 * Purpose    A task is a stackless state machine: a header with a resume function, embedded by the runtime in its
 *            VM. The scheduler moves headers between queues and calls resume; it never looks further.
 *
 * States     NEW -> READY -> RUNNING -> (READY | PARKED | gone)
 *              NEW      initialised, not yet submitted; only its maker touches it.
 *              READY    in exactly one queue, or a wake-up that came before the task had left its worker.
 *              RUNNING  on exactly one worker; only resume touches the fields of the embedding VM.
 *              PARKED   in no queue; whoever won the right to wake it calls gs_task_ready_mt exactly once.
 *
 * Parking    1. While RUNNING the task publishes itself where wakers will find it (a waiter in a queue, a timer).
 *            2. resume returns GS_RUN_PARK; the worker moves RUNNING -> PARKED by CAS.
 *            3. A waker may come at any time after step 1. Finding PARKED it has the task for itself: it stores READY and
 *               queues it. Else it exchanges the state to READY: having found PARKED it queues the task; having found
 *               RUNNING it does nothing, and the worker, whose CAS now fails, queues it.
 *            Invariant: for each park there is exactly one gs_task_ready_mt, and exactly one party queues the task.
 *            [T1] the exchange in ready (acq_rel), or the load there that finds PARKED (acquire), pairs with the CAS of the
 *            worker (acq_rel): whatever the waker wrote before is visible to the resumed task (by the queue, when the waker
 *            queues it), whatever the task wrote before parking is visible to the waker.
 *            After its CAS to PARKED has succeeded, the worker must not touch the task again: it may be gone.
 *
 * Safe point A running task is asked to look up by gs_task_poke_mt. Frame entry and loop back-edges compare the top
 *            of the frame with sp_limit; the poker sets the flags, then sp_limit = 0 so that every compare fails.
 *            [T2] poke: or flags (acq_rel), then store limit 0 (release). answer: store the real limit, then exchange
 *            the flags (acq_rel). If the answerer's exchange misses a flag, the poker's or came after it and, by its
 *            acquire half, its store of 0 after the answerer's store, so the next compare fails again: no poke is
 *            lost; a spurious one is harmless.
 *
 * Letting go The scheduler itself pokes whatever task a worker is running (time slices, stop). A task whose memory goes
 *            away inside its own resume must therefore first call gs_worker_detach_owner (sched.h): after it no poke of
 *            the scheduler can reach the task. Tasks that outlive their resume need not care.
 */
#ifndef GS_SCHED_TASK_H
#define GS_SCHED_TASK_H

#include "port/atomic.h"

struct gs_worker;
struct gs_sched;
struct gs_task;

enum gs_task_state { GS_TASK_NEW, GS_TASK_READY, GS_TASK_RUNNING, GS_TASK_PARKED };

/* What resume says when it returns to the worker. */
enum gs_run {
    /* The task is over; its memory may be gone if resume called gs_worker_detach_owner before. */
    GS_RUN_DONE,
    GS_RUN_PARK,  /* it waits; see the parking protocol */
    GS_RUN_YIELD, /* it could go on, but lets others run first */
};

/* Safe-point flags. */
enum gs_poke {
    GS_POKE_PREEMPT = 1u, /* the time slice is over */
    GS_POKE_CANCEL = 2u,  /* thread.core.cancel */
    GS_POKE_DUMP = 4u,    /* somebody wants this task's stack */
    GS_POKE_GC = 8u,      /* set by the VM itself: collect at the next safe point */
    GS_POKE_LOOK = 16u,   /* nothing but coming to a safe point */
};

struct gs_task {
    struct gs_task *next; /* link of the queue it is in; the scheduler's */
    enum gs_run (*resume)(struct gs_task *t, struct gs_worker *w);
    _Atomic uintptr_t sp_limit; /* compared at safe points; 0 asks for attention */
    uintptr_t sp_real; /* what sp_limit is when nobody wants anything; the running task's own */
    _Atomic uint32_t sp_flags; /* enum gs_poke */
    _Atomic uint32_t state;    /* enum gs_task_state */
    uint32_t last_worker;      /* where it last ran, UINT32_MAX before; the scheduler's */
    uint32_t flow; /* trace.h: the arrow that ends where it runs next, or 0; who makes it ready's */
};

/* Any thread. The task must be kept alive by the caller for the duration of the call. */
static inline void gs_task_poke_mt(struct gs_task *t, uint32_t flags)
{
    (void)gs_or_acq_rel(&t->sp_flags, flags); /* [T2] */
    gs_store_rel(&t->sp_limit, (uintptr_t)0); /* [T2] after the flags */
}

/* The running task itself: gives the flags and rearms the word. */
static inline uint32_t gs_task_answer(struct gs_task *t)
{
    gs_store_rel(&t->sp_limit, t->sp_real); /* [T2] first the word, then the flags */
    return gs_xchg_acq_rel(&t->sp_flags, 0u);
}

#endif
