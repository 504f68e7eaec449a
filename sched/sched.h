/* SPDX-License-Identifier: MIT
 * sched.h - the face of the scheduler: workers that run tasks.
 *
 * Model      The thread that calls gs_sched_run becomes worker 0 and runs tasks until gs_sched_stop. Other workers are
 *            threads that start lazily: when a task is queued, no worker is searching, and fewer run than configured.
 *            A program that never submits a second task starts no thread and loads no topology.
 * Order      A worker takes: its slot (the task it readied last, with a budget so that the queue does not starve), its
 *            own deque, its inbox, then steals by distance, then expired timers of others, then sleeps.
 * Ownership  Tasks belong to their makers; the scheduler only links them. Everything here is safe from any thread
 *            unless its name ends in _owner.
 */
#ifndef GS_SCHED_SCHED_H
#define GS_SCHED_SCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "task.h"

/* What the embedding program may hook into. Every member may be NULL. */
struct gs_sched_hooks {
    /* On a worker's own thread before it runs its first task / after its last one. The result of worker_start is what
     * gs_worker_local gives. */
    void *(*worker_start)(void *ctx, struct gs_worker *w);
    void (*worker_stop)(void *ctx, struct gs_worker *w, void *local);
    /* A worker found nothing to do and is about to sleep (output is flushed here). */
    void (*idle)(void *ctx, struct gs_worker *w);
    /* Nothing is queued or running, no timer is set and no offloaded call is out, and yet gs_sched_stop was not called:
     * nobody will ever wake the parked tasks. Called once, on one worker, with all the others asleep. It may ready a task or
     * call gs_sched_stop; when it does neither the scheduler stops by itself with code 3. */
    void (*quiescent)(void *ctx, struct gs_worker *w);
    /* In gs_sched_run, after the last worker has stopped: t is still queued, and will never run. Its next is the callee's. */
    void (*left)(void *ctx, struct gs_task *t);
};

struct gs_sched_config {
    unsigned workers;     /* 0: one for each usable core (affinity and cgroup quotas counted) */
    bool pin;             /* pin workers to cores once the topology is known */
    const char *topology; /* hwloc synthetic description for tests, or NULL for the real machine */
    uint64_t seed;        /* of the victim choice; 0: from the clock */
    const struct gs_sched_hooks *hooks;
    void *ctx; /* handed to the hooks */
};

/* NULL when memory is out. Starts nothing. */
struct gs_sched *gs_sched_new(const struct gs_sched_config *cfg);
/* After gs_sched_run has returned, and with no other thread inside a call on s (one that is bracketed by outside_begin and
 * outside_end may still be on its way out of the latter). Joins all threads, so it waits for offloaded calls that are out: a
 * program that wants to exit at once does not call it. */
void gs_sched_free(struct gs_sched *s);
/* Runs first and all that comes of it on the calling thread (and others). Returns the code given to gs_sched_stop.
 * Tasks still queued or parked by then are left as they are: the caller owns and may drop them. */
int gs_sched_run(struct gs_sched *s, struct gs_task *first);
/* Asks every worker to leave its loop after the task it is running (which it pokes); the first code given counts. */
void gs_sched_stop(struct gs_sched *s, int code);
/* From a signal handler, while nobody sleeps and there is one worker: as above, but may come just too early, so it is to be called again until
 * gs_sched_run returns. */
void gs_sched_stop_signal(struct gs_sched *s, int code);
bool gs_sched_stopping(const struct gs_sched *s);

/* How many tasks are not over, the first one included: exact when no other worker is running. Any thread. */
int64_t gs_sched_tasks(struct gs_sched *s);

/* How many workers there may be (not: have been started) by what the system allows now; reads the clock, loads no topology. */
unsigned gs_sched_workers(const struct gs_sched *s);
/* No worker of this run has or gets an index as high as this. Cheap; 1 until there may be a second worker, then it only goes down, and never below the truth. Any thread. */
unsigned gs_sched_indices(const struct gs_sched *s);
/* Cores usable by this process: affinity mask and the tightest cgroup quota (v1, v2, every visible ancestor). At least 1. */
unsigned gs_sched_usable_cpus(void);

/* The worker of the calling thread, or NULL on other threads. */
struct gs_worker *gs_worker_self(void);
unsigned gs_worker_index(const struct gs_worker *w);
/* How many runs of tasks it has begun and ended so far, each counted; wraps. Its worker. */
uint32_t gs_worker_turns_owner(const struct gs_worker *w);
struct gs_sched *gs_worker_sched(const struct gs_worker *w);
void *gs_worker_local(const struct gs_worker *w);

/* Called by resume on its own worker before it frees the memory of the task it was given: the scheduler (its ticker, stop)
 * never touches the task after this. Cheap, a store; calling it twice is harmless. The task must then return GS_RUN_DONE, or GS_RUN_PARK soon. */
void gs_worker_detach_owner(struct gs_worker *w);
/* The running task was only the beginning of t, which goes on in its place from here: resume now speaks for t, and what it was called with may be freed. t is in no queue and nobody else
 * knows of it. Its worker, inside resume. */
void gs_worker_become_owner(struct gs_worker *w, struct gs_task *t);
/* The running task is over, and resume will return GS_RUN_DONE: it is no longer among gs_sched_tasks, so that whoever sees its outcome
 * does not count it. Its worker, at most once. */
void gs_worker_over_owner(struct gs_worker *w);
/* For tasks that wait for something to do: n tasks are taken out of gs_sched_tasks (they do not count as done when they are), or are put back. A task that ends while it is out
 * says so instead of gs_worker_over_owner. On w's thread. */
void gs_worker_count_out_owner(struct gs_worker *w, uint32_t n);
void gs_worker_count_in_owner(struct gs_worker *w, uint32_t n);
void gs_worker_over_out_owner(struct gs_worker *w);

/* Initialises the header: state NEW, limits for the embedding VM to set. */
void gs_task_init(struct gs_task *t, enum gs_run (*resume)(struct gs_task *, struct gs_worker *));
/* Queues a NEW task. On a worker thread it goes to that worker's deque (behind its slot), elsewhere to an inbox. */
void gs_sched_submit_mt(struct gs_sched *s, struct gs_task *t);
/* Wakes a parked (or just parking) task; exactly once for each park. Prefers the caller's slot when the caller is a worker
 * of this scheduler that is running a task, else the inbox of the worker the task last ran on. */
void gs_task_ready_mt(struct gs_sched *s, struct gs_task *t);

/* Timers. Embedded by the owner; initialised by zeroing. */
struct gs_timer {
    int64_t when_ns; /* gs_clock_mono_ns time */
    /* On some worker or the timer thread. Short, never blocks; may ready tasks. */
    void (*fire)(struct gs_timer *tm);
    struct gs_timers *home; /* the structure that holds or last held it; NULL before */
    uint32_t index;         /* the structure's */
    _Atomic uint32_t state; /* the structure's */
};
/* Sets an idle timer. A time in the past fires soon, but never inside this call. A timer that the running task sets is looked
 * after from the moment the task returns to its worker (it nearly always parks at once, and then nobody else need be woken);
 * a task that wants it to fire while it goes on running calls gs_sched_watch_mt after it. */
void gs_timer_start_mt(struct gs_sched *s, struct gs_timer *tm, int64_t when_ns,
                       void (*fire)(struct gs_timer *));
/* True: it was set and will not fire. False: it was idle, or it has fired. In both cases fire is not running when this
 * returns, unless the caller is fire itself, and the memory may be reused. Start and stop of one timer are ordered by its
 * owner. The scheduler does not touch a timer after it has called fire, so a task that fire has readied may also reuse the
 * memory without calling stop, provided that readying it is the last thing fire does. */
bool gs_timer_stop_mt(struct gs_sched *s, struct gs_timer *tm);

/* Makes sure that due timers fire even if every worker stays busy in its task (starts or wakes the timer thread). For timers
 * that are not followed by a park: tickers, deadlines. */
void gs_sched_watch_mt(struct gs_sched *s);

/* Runs fn(arg) on an auxiliary, unpinned thread: for calls that block in the kernel. The scheduler is not quiescent while one
 * is out. fn wakes whom it likes by gs_task_ready_mt. Returns 0 or an errno (then fn has not run). */
int gs_sched_offload_mt(struct gs_sched *s, void (*fn)(void *arg), void *arg);
/* The same bracket for a caller that waits on the outside world itself (an open stdin, a child): while the count is above
 * zero the scheduler is not quiescent. */
void gs_sched_outside_begin_mt(struct gs_sched *s);
void gs_sched_outside_end_mt(struct gs_sched *s);

/* Statistics, summed over the workers: a list of counters in stat.def. Printing for --stats, one row a worker and the sum. */
/* Any thread, while the scheduler lives: the tasks that are running now come to a safe point. False: none was. */
bool gs_sched_look_mt(struct gs_sched *s);

void gs_sched_stats_print(struct gs_sched *s, FILE *out);
/* The machine as the scheduler sees it and where its workers are (or would be) pinned: `langoost topology`. Loads the topology.
 * Returns 0, or -1 with a message on stderr when the synthetic description is bad. */
int gs_sched_topology_print(const struct gs_sched_config *cfg, FILE *out);

const char *gs_sched_hwloc_version(void);

#endif
