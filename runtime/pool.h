/* SPDX-License-Identifier: MIT
 * pool.h - thread.pool: at most n jobs at a time.
 *
 * A job is a future (taskobj.h). While a place is free it is started like any other; else its call waits in the pool's queue, flat if it can be (copy.h) and packed otherwise, and a job that ends starts the next one.
 * Idle places are nothing at all: no task, no memory. The pool keeps the futures submitted since the last wait, in order.
 */
#ifndef GS_RUNTIME_POOL_H
#define GS_RUNTIME_POOL_H

#include "taskobj.h"

struct gs_job {
    struct gs_taskobj *o;  /* one share */
    struct gs_flat_call *flat; /* the call; NULL: it is in the parcel */
    struct gs_parcel call; /* [fn, args...] */
};

/* Jobs in order, one share each. */
struct gs_joblist {
    struct gs_taskobj **v;
    uint32_t n, cap;
};

/* What wait and map wait for; between the steps of the prelude it is a handle of the task that waits. */
struct gs_jobs {
    struct gs_hobj h;
    struct gs_pool *p;      /* map: where to submit, with a share; else NULL */
    struct gs_joblist list; /* of that task alone */
    uint32_t left;          /* those from here on have ended */
};

struct gs_pool {
    struct gs_hobj h; /* each job that has not ended holds a share */
    struct gs_spin lock; /* guards everything below */
    uint32_t size, running;
    bool closed;
    struct gs_job *queue; /* ring */
    uint32_t head, len, cap;
    struct gs_joblist since; /* submitted since the last wait */
};

/* On the worker that ran o. First, before its outcome is out: frees its place, so that who has waited for the job finds it gone (pending); or gives the place to the next in the queue:
 * true, *next is taken out and to be run by the caller. Only a flat one; next NULL: none. */
bool gs_pool_job_over(struct gs_taskobj *o, struct gs_job *next);
/* Then, after the outcome: drops o's share of the pool, and starts what is queued unless the place has been given away. */
void gs_pool_job_ended(struct gs_taskobj *o, bool given);
/* What gs_pool_job_over gave cannot be run for lack of memory: it ends with OutOfMemory. */
void gs_pool_job_failed(struct gs_job *j);

/* The process ends with o's VM still there, and all workers have stopped: o and what its pool has queued will never run. */
void gs_pool_job_dropped(struct gs_taskobj *o);

#endif
