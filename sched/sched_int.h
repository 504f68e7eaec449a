/* SPDX-License-Identifier: MIT
 * sched_int.h - workers and the scheduler inside; for this folder and its tests.
 *
 * Reading order: worker.c (the loop), sched.c (how tasks come in), steal.c, park.c (sleep, wake,
 * quiescence), ticker.c.
 */
#ifndef GS_SCHED_SCHED_INT_H
#define GS_SCHED_SCHED_INT_H

#include <pthread.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "port/atomic.h"
#include "port/check.h"
#include "sched.h"
#include "deque.h"
#include "inbox.h"
#include "park.h"
#include "stat.h"
#include "timer.h"
#include "trace_int.h"

#define GS_WORKERS_MAX 1024u
/* Steal distances: same core, same L3, same node, elsewhere. */
#define GS_RINGS 4u
/* Picks between two takings of the oldest new task: about 2 us of the shortest tasks. */
#define GS_FAIR_PICKS 64u
/* So many tasks one run spawns before it gives way to them. Twice a first-level cache: with 32 it is
 * 3 % faster on one worker, with 256 6 % slower, and two workers want 64; see sched.c, Crowds. */
#define GS_CROWD 64u

struct gs_topology;
struct gs_offload;

/* Victims by distance: index[first[r]] up to index[first[r + 1]] are those at distance r. Owner
 * only. */
struct gs_victims {
    uint32_t first[GS_RINGS + 1];
    uint32_t made_for;                   /* number of workers, 0 before the first use */
    const struct gs_topology *made_from; /* NULL: without a topology, everyone in one ring */
    uint32_t *index;
};

struct gs_worker {
    /* Set before the worker's first run, constant then. */
    struct gs_sched *sched;
    uint32_t index;
    bool has_thread; /* written by the starter before, read by the joiner after the run */
    pthread_t thread;

    /* Owner only. */
    alignas(GS_CACHE_LINE) void *local; /* what the hook worker_start gave */
    struct gs_task *again;              /* yielded while nothing else was queued here */
    struct gs_task *overflow;           /* what no deque could take for lack of memory */
    bool roused;                        /* woken because of somebody's task, and found none yet */
    bool in_task;                       /* inside resume, so tasks made ready go to the slot */
    bool over; /* the running task has been counted as done */
    uint32_t credit;                    /* picks left until the next fair one */
    uint32_t fair_waits;  /* times in a row that the late queue gave way to the inbox */
    uint32_t lone_yields; /* counts, for run_again */
    uint32_t streak;      /* steals in a row within one tick: more taken at a time */
    uint32_t streak_tick;
    const struct gs_deque *streak_from; /* the last one; never looked into */
    uint32_t patience; /* looks at a queue that is not worth a steal yet */
    uint32_t batch;   /* tasks taken with the last steal, when it is to be judged; 0: it is not */
    int64_t batch_ns; /* when that was */
    int64_t nap_ns;   /* how long it rests before it steals again; 0: steals are worth it */
    bool gated;       /* the last looks found only what is to be left alone for a while */
    uint32_t gate_of, gate_seq, gate_looks; /* of whom, in which of its runs, and for how many looks */
    uint32_t crowd_credit; /* of the running task: submits left until the next look whether too many wait */
    uint32_t crowd_tick;   /* when a task was last asked to give way to what it had spawned ... */
    bool crowd_gave;       /* ... and whether one was at the last such look */
    uint64_t random;
    struct gs_victims victims;
    struct gs_stats stats;
    struct gs_ring *ring; /* NULL: nothing is traced */

    /* Written by the owner at each run, read by the ticker. Odd while a task runs. */
    alignas(GS_CACHE_LINE) _Atomic uint32_t run_seq;
    _Atomic(struct gs_task *) current; /* the running task, or NULL [C1] */
    /* The task made ready last by the running one. [S1] */
    alignas(GS_CACHE_LINE) _Atomic(struct gs_task *) slot;

    /* Written by others, rarely. */
    alignas(GS_CACHE_LINE) _Atomic uint32_t poking; /* 1: somebody holds on to the running task, so its run must not end [C1] */
    /* The ticker's; a stale value costs a worse choice, not correctness. */
    _Atomic bool slot_shut; /* runs are long here: ready tasks go to the deque instead */
    _Atomic bool fair;      /* serve the late queue next; cleared by the owner */
    _Atomic bool abroad;    /* when its task yields, look at the others' queues first; likewise */
    _Atomic uint32_t poked_seq; /* the run that was last asked to give way; only told in traces */
    _Atomic int os_cpu;     /* where it is pinned, or -1 */
    _Atomic int thread_id;
    /* Ticker only. */
    uint32_t seen_seq;
    int64_t seen_at_ns;
    bool held;   /* for this look */
    bool gave;   /* it was told to give way at this look */
    int64_t poked_at_ns;
    uint32_t asked_seq; /* the run that was poked for the inbox and has not been looked at again; 0: none */
    uint32_t deaf_seq, deaf; /* a run that was asked to give way, and how often in vain */
    int64_t seen_run_ns, seen_delay_ns;

    /* The owner sleeps on it: 1 once somebody has claimed it. Written under the park lock. [P3] */
    alignas(GS_CACHE_LINE) _Atomic uint32_t wake;
    /* It naps on this one: 1 meanwhile. [N1] */
    _Atomic uint32_t nap;

    struct gs_inbox inbox;
    struct gs_deque deque; /* new tasks: newest first for the owner, oldest first for thieves */
    struct gs_deque late;  /* tasks that gave way: oldest first for everybody */
    struct gs_timers timers;
};

/* Levels of the ticker, in the two low bits of its word. */
enum { GS_TICK_OFF, GS_TICK_SLOW, GS_TICK_FAST, GS_TICK_QUIT };
#define GS_TICK_LEVEL 3u

struct gs_ticker {
    /* The level, and above it a count of raises. Futex word. [K1] */
    alignas(GS_CACHE_LINE) _Atomic uint32_t word;
    _Atomic uint32_t made; /* 1: the thread exists or is about to */
    /* It will look at timers by then; 0 while FAST, INT64_MAX while OFF. [K2] */
    _Atomic int64_t plan_ns;
    _Atomic uint32_t ticks; /* for those who want to know whether time has passed */
    /* The ticker's own. */
    uint32_t planned;  /* the word that the plan was made for */
    bool lingering;    /* SLOW without a timer, for a little while */
    unsigned quiet;    /* looks in a row that found nothing queued */
    unsigned parallel; /* ticks at which two workers were busy */
    int64_t next_tick_ns;
    int64_t answer_ns; /* when a worker that was poked for its inbox should have answered */
    int64_t pins_at_ns;
    /* Under grow_lock. */
    pthread_t thread;
    bool has_thread;
};

struct gs_sched {
    /* Constant after gs_sched_new. */
    struct gs_sched_hooks hooks;
    void *ctx;
    unsigned wanted; /* 0: find out */
    bool pin;
    bool synthetic;
    uint64_t seed;

    /* Read often, written at start, expansion and stop. */
    alignas(GS_CACHE_LINE) _Atomic uint32_t nworkers; /* 0 until it is known */
    /* Only workers [0, nstarted) have ever run, so that who looks at them all (for work before it parks, to count tasks, to poke) misses none. Changed under grow_lock. [W1] */
    _Atomic uint32_t nstarted;
    _Atomic(struct gs_worker **) worker;
    _Atomic bool stop; /* [Q1] */
    _Atomic bool stop_claimed;
    _Atomic int stop_code;
    _Atomic(struct gs_topology *) topology; /* [H1] */

    struct gs_park park;
    struct gs_ticker ticker;
    alignas(GS_CACHE_LINE) struct gs_stats others; /* counted by threads that are no workers */

    /* The workers' table and nstarted; making the ticker, the offload pool, the topology thread. */
    pthread_mutex_t grow_lock;
    struct gs_worker *first[1];
    bool ran; /* the caller's: a run has ended, so stop is a leftover */
    bool has_topology_thread;
    pthread_t topology_thread;
    _Atomic(struct gs_offload *) offload; /* [O1] */
};

static inline struct gs_worker *gs_sched_worker(const struct gs_sched *s, unsigned i)
{
    /* [W1] acquire: the table may just have been exchanged for one with room for all. */
    return gs_load_acq(&s->worker)[i];
}

static inline unsigned gs_sched_started(const struct gs_sched *s)
{
    return gs_load_acq(&s->nstarted); /* [W1] the structs of those workers are visible */
}

static inline bool gs_sched_stopped(const struct gs_sched *s)
{
    return gs_load_acq(&s->stop); /* [Q1] what the stopper wrote before, the code included */
}

/* How often the ticker has looked: only a sense of time. */
static inline uint32_t gs_sched_ticks(const struct gs_sched *s)
{
    return gs_load_rlx(&s->ticker.ticks);
}

/* sched.c */
/* Any thread. Finds out how many workers there may be, once; one when memory is out. */
unsigned gs_sched_expand_mt(struct gs_sched *s);
/* The second worker, before it looks for work: bounds the number by the CPU quotas, and returns
 * it. */
unsigned gs_sched_count_mt(struct gs_sched *s);
/* Any thread. Starts one more worker thread, which begins searching. False when that fails. */
bool gs_sched_start_worker_mt(struct gs_sched *s);
/* Any thread. A task was queued where thieves find it: wakes or starts a worker unless one is
 * already looking. */
void gs_sched_notify_mt(struct gs_sched *s);
/* Any thread. Something is queued behind a running task: time slices are needed. */
void gs_sched_tick_mt(struct gs_sched *s);
/* Owner. Queues behind everything newer thieves could see; falls back to the inbox when memory is
 * out. */
void gs_worker_push_owner(struct gs_worker *w, struct gs_task *t);
void gs_worker_push_late_owner(struct gs_worker *w, struct gs_task *t);
/* Any thread that is not w's, or w outside of a task. */
void gs_worker_post_mt(struct gs_worker *w, struct gs_task *t);

/* worker.c */
struct gs_worker *gs_worker_new(struct gs_sched *s, uint32_t index);
void gs_worker_free(struct gs_worker *w);
/* Runs tasks on the calling thread until the scheduler stops. */
void gs_worker_main(struct gs_worker *w);
int gs_worker_start_thread(struct gs_worker *w);
/* Any thread. Pokes the task that w is running, if any, and if seq is 0 or its run. True if a task
 * was poked. */
bool gs_worker_poke_mt(struct gs_worker *w, uint32_t flags, uint32_t seq);
/* The same in steps, for several workers and one heavy fence. hold: any thread; false if w runs nothing or somebody else holds it. Then gs_fence_heavy, then
 * the next two, which do nothing unless w is still in the run seq (0: in any), then release, soon: w waits for that at the end of its run.
 * empty_slot: what lies in the slot goes to the inbox, where others may take it; true if there was something. */
bool gs_worker_hold_mt(struct gs_worker *w);
bool gs_worker_poke_held(struct gs_worker *w, uint32_t flags, uint32_t seq);
bool gs_worker_empty_slot_held(struct gs_worker *w, uint32_t seq);
void gs_worker_release_mt(struct gs_worker *w);
/* Owner. Moves the inbox to the deque so that the oldest is popped first. */
bool gs_worker_drain_owner(struct gs_worker *w, struct gs_inbox *from);
/* Owner, outside of a task. Fires due timers of this worker. */
unsigned gs_worker_fire_owner(struct gs_worker *w, int64_t now_ns);

/* steal.c */
struct gs_task *gs_steal_owner(struct gs_worker *w);
/* Owner, searching: how long it should rest before it looks again, 0: not. Judges the last steal. */
int64_t gs_steal_nap_owner(struct gs_worker *w);
void gs_victims_free(struct gs_victims *v);

/* ticker.c */
void gs_ticker_init(struct gs_sched *s);
void gs_ticker_fini(struct gs_sched *s);
/* Any thread. Starts the thread unless it is there. */
void gs_ticker_make_mt(struct gs_sched *s);
/* Any thread. Raises the level (SLOW or FAST); being asked for SLOW twice it turns FAST. */
void gs_ticker_raise_mt(struct gs_sched *s, uint32_t level);

/* offload.c */
/* Joins the helper threads, and so waits for calls that are still out. */
void gs_offload_fini(struct gs_sched *s);

/* pin.c */
/* Asks for the topology on a helper thread, once. */
void gs_pin_load_mt(struct gs_sched *s);
void gs_pin_fini(struct gs_sched *s);
/* Owner, at its start: pins itself when the topology is there. */
void gs_pin_self_owner(struct gs_worker *w);
/* Ticker, now and then: lets go of pins that hurt. */
void gs_pin_watch(struct gs_sched *s);

#endif
