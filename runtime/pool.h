/* SPDX-License-Identifier: MIT
 * pool.h - thread.pool: at most n jobs at a time.
 *
 * Jobs       What submit is given lies in the pool's queue until a runner takes it: a task that does one job after the other in one VM, which is made new for each (flat.h, Again). There are at
 *            most n runners; who submits starts one while there are fewer, and one that finds nothing more to do ends. So idle places are nothing at all: no task, no memory.
 * Chunks     Jobs lie in chunks of their list (what was submitted since the last wait, or for one map), in order. Those of a chunk call the same function with the same
 *            captured variables and globals, so that each is its arguments, and later its result in their place; where the copier is needed each is a packed call (copy.h). A job
 *            has a future of its own (taskobj.h) only if the program wants one, if its error has to be kept, or if somebody has learned of its task.
 * Ranges     A runner takes jobs by the dozen as long as these are over in microseconds. What it has not begun is its range [lo, hi) of the chunk, from which it takes the first, and
 *            of which a runner that finds the queue empty takes the last half: nobody waits behind a long job while there is a free place.
 * Invariant  There are at least as many runners as jobs that have not ended, up to n, unless memory is out; and none leaves while there is a job that nobody has begun.
 * Locks      The pool's lock guards it with its queue, its lists and their chunks. A job's slot belongs to who has taken the job; once all jobs of a list have ended, to who waits for them.
 *            [P1] A range is changed by CAS: by its owner without the lock, by thieves under it; it is filled by the owner under the lock. So under the lock a range that is not empty
 *            belongs to r->chunk, and a CAS that succeeds has met no other filling. acq_rel: who takes a job sees its slot as the last owner left it.
 *            [P2] over is written by the runner alone: up (release) when a job has ended, to zero under the lock, at the latest when it leaves or goes on with another list.
 */
#ifndef GS_RUNTIME_POOL_H
#define GS_RUNTIME_POOL_H

#include "taskobj.h"

struct gs_pool;

/* A job. At first its call: the arguments, as many as there are from here on, or p is the call as [fn, args...], packed. Then p is the result, or says which task object has the outcome.
 * In chunks with futures a pointer to the job's own follows (gs_slot_future). */
struct gs_slot {
    struct gs_parcel p;
};

struct gs_chunk {
    struct gs_jobs *jobs;    /* whose list it is */
    struct gs_flat *call;    /* what the jobs have in common; NULL: each has a packed call */
    const gs_insn *at;       /* where they were submitted */
    const char *file;
    uint32_t line;
    uint32_t cap, stride;    /* slots; bytes of one */
    bool futures;            /* the jobs have one each */
    _Atomic bool holds;      /* of some job that has ended there is more than a plain result. Relaxed: read once all have ended */
    /* Runners read what is above for each job, and who submits writes this: */
    _Alignas(GS_CACHE_LINE) uint32_t n; /* slots in use */
    uint32_t taken;          /* those before are with runners, or over; while there are others it is in the queue */
    struct gs_chunk *next;   /* of the list */
    struct gs_chunk *behind; /* in the queue */
};

/* What wait and map wait for; a handle of the task that waits, between the steps of the prelude. While jobs are left it has a share of its own. */
struct gs_jobs {
    struct gs_hobj h;
    struct gs_pool *pool; /* with a share, unless the pool has one of this list: what is submitted now */
    bool apart;           /* with a share */
    _Atomic bool no_memory; /* a job has failed for lack of memory, even for a place to keep that in */
    uint32_t n, over;     /* jobs; how many have ended */
    struct gs_chunk *first, *last;
    struct gs_waitq waiters; /* its lock is the pool's */
};

struct gs_runner {
    struct gs_runner *prev, *next;   /* of all */
    struct gs_runner *left, *right;  /* of fresh or wide */
    struct gs_pool *pool; /* with a share */
    struct gs_chunk *chunk; /* of the range and of the running job */
    _Atomic uint64_t range; /* lo << 32 | hi [P1] */
    uint32_t at;            /* the running job */
    bool busy;              /* there is one */
    bool begun;             /* has looked for jobs; until then it is in fresh */
    bool wide;              /* in wide */
    bool out;               /* has not, and others have taken what it was started for: it is none of the tasks that the program counts */
    _Atomic uint32_t over;  /* jobs that have ended and are not accounted for [P2] */
    uint32_t batch;         /* how many it takes at a time */
    int64_t since_ns;       /* the last taking */
    struct gs_taskobj *own; /* the VM's task if it is nobody's future and nobody knows it; else NULL */
    struct gs_taskobj *spare; /* such a one, while the VM is a future's */
};

struct gs_pool {
    struct gs_hobj h; /* each runner holds a share */
    struct gs_spin lock;
    uint32_t size, running; /* runners */
    uint32_t out;           /* of those */
    bool closed;
    struct gs_chunk *first, *last; /* the queue: chunks with jobs that no runner has taken */
    uint64_t unfinished;           /* jobs that have not ended, less what the runners have not accounted for */
    struct gs_jobs *since;         /* submitted since the last wait; NULL: none */
    struct gs_runner *runners;
    struct gs_runner *fresh; /* those that have been started and have not looked for jobs yet */
    struct gs_runner *wide;  /* those that have taken several jobs at once: only these have any that they have not begun */
};

/* A task that is to be a runner of p; NULL when memory is out. It is linked and counted under the lock, then launched; or freed instead. */
struct gs_vm *gs_runner_new(struct gs_pool *p);
void gs_runner_link_locked(struct gs_vm *vm);
void gs_runner_launch(struct gs_vm *vm);
void gs_runner_free(struct gs_vm *vm);
/* A job has been queued, and there is a runner out (p->out): it counts again. On w's thread. */
void gs_pool_count_in_locked(struct gs_pool *p, struct gs_worker *w);
/* These two on the worker w that runs the task of vm, a runner's. False: there is nothing more to do, the runner is gone, and the task has to end.
 * next: takes a job, of which it has none, and makes vm a new one that is about to run it. over: its job has ended with st. */
bool gs_runner_next(struct gs_vm *vm, struct gs_worker *w);
bool gs_runner_over(struct gs_vm *vm, gs_status st, struct gs_worker *w);
/* The process ends with o's VM, a runner's, still there, and all workers have stopped: it and what its pool has queued will never run. */
void gs_runner_dropped(struct gs_taskobj *o);

/* The lock is held. */
static inline bool gs_chunk_is_queued(const struct gs_chunk *c)
{
    return c->taken < c->n;
}
static inline gs_value *gs_slot_args(struct gs_slot *s)
{
    return &s->p.v;
}
static inline struct gs_slot *gs_chunk_slot(struct gs_chunk *c, uint32_t i)
{
    return (struct gs_slot *)(void *)((char *)(c + 1) + (size_t)i * c->stride);
}
/* i will be needed soon, and another processor has written it last. There may be no slot i. */
static inline void gs_chunk_prefetch(struct gs_chunk *c, uint32_t i)
{
    __builtin_prefetch((char *)(c + 1) + (size_t)i * c->stride, 1);
}
/* Bytes of a slot for n arguments. */
static inline uint32_t gs_slot_stride(uint32_t n, bool future)
{
    return (uint32_t)((n > 0 ? n : 1u) * sizeof(gs_value) + (future ? sizeof(struct gs_taskobj *) : 0u));
}
/* Where the job's future stands, with a share until the job has its outcome there; NULL: jobs of c have none. */
static inline struct gs_taskobj **gs_slot_future(const struct gs_chunk *c, struct gs_slot *s)
{
    return c->futures ? (struct gs_taskobj **)(void *)((char *)s + c->stride - sizeof(struct gs_taskobj *)) : NULL;
}
/* The task object with the outcome of a job that has ended, with a share; NULL: p is the result. */
static inline struct gs_taskobj *gs_slot_outcome(const struct gs_slot *s)
{
    return gs_is(s->p.v, GS_T_UNSET) ? s->p.v.p : NULL;
}
static inline void gs_slot_set_outcome(struct gs_slot *s, struct gs_taskobj *o)
{
    s->p.v = (gs_value){.p = o, .tag = GS_T_UNSET}; /* no value of the language */
}

#endif
