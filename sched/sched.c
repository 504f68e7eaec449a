/* SPDX-License-Identifier: MIT
 * sched.c - the face: making a scheduler, running it, and how tasks and timers come in.
 *
 * Lazy       gs_sched_new makes one worker struct and counts nothing. The first task queued behind
 *            another one reads the affinity mask and starts the second worker; each further one is
 *            started like a sleeper is woken (park.c). The second worker's thread, not the spawning
 *            task, makes the ticker and reads the CPU quotas. It counts as searching meanwhile, so
 *            a third worker is not started before; if the quota is one processor, the second one
 *            goes again.
 * Ways in    submit on a worker: its deque. ready in a running task: that worker's slot, unless
 *            runs are long there; what was in the slot before goes to the deque. Everything else:
 *            the inbox of the worker that ran the task last. A push that thieves can see is
 *            followed by notify [P1]; a push behind a running task by a look at the ticker's level
 *            [K1].
 * Crowds     A task that spawns in a loop fills its worker's deque with tasks that nobody runs before
 *            its slice is over: thousands of VMs, which have left the caches when their turn comes.
 *            So when one run has spawned GS_CROWD tasks and half as many wait, it is asked to give
 *            way (PREEMPT) to them, and the next ones use their memory again. That is for short tasks:
 *            if the next crowd comes CROWD_TICKS after that, they are long, the caches do not
 *            matter, and the spawner is let alone for the next CROWD_LONG crowds. One worker, a
 *            million empty tasks: 30 % less time, 5 MB instead of 22.
 * Stopping   [Q1] stop is stored after the code and read with acquire. Every worker looks at it
 *            between two tasks; the tasks that run are poked, by stop itself and then by the ticker
 *            until all have left.
 */
#include "sched.h"

#include "sched_int.h"
#include "cpus.h"
#include "topology.h"
#include "port/clock.h"
#include "port/mem.h"
#include "port/thread.h"

#define CROWD_TICKS 2u
#define CROWD_LONG 64u

/* -- making ------------------------------------------------------------------------------------ */

static void forget(struct gs_sched *s)
{
    struct gs_topology *topo = gs_load_rlx(&s->topology);
    gs_topology_free(topo);
    gs_worker_free(s->first[0]);
    pthread_mutex_destroy(&s->grow_lock);
    gs_mem_free(s);
}

struct gs_sched *gs_sched_new(const struct gs_sched_config *cfg)
{
    struct gs_sched *s = gs_mem_alloc_aligned(sizeof *s, GS_CACHE_LINE);
    if (!s)
        return NULL;
    *s = (struct gs_sched){.ctx = cfg->ctx, .pin = cfg->pin, .seed = cfg->seed};
    if (cfg->hooks)
        s->hooks = *cfg->hooks;
    s->wanted = cfg->workers > GS_WORKERS_MAX ? GS_WORKERS_MAX : cfg->workers;
    if (s->seed == 0)
        s->seed = (uint64_t)gs_clock_mono_ns() | 1u;
    pthread_mutex_init(&s->grow_lock, NULL);
    gs_ticker_init(s);
    gs_fence_init();
    s->first[0] = gs_worker_new(s, 0);
    if (!s->first[0])
        goto fail;
    /* All relaxed: no other thread knows s yet. */
    gs_store_rlx(&s->worker, s->first);
    gs_store_rlx(&s->nworkers, s->wanted == 1 ? 1u : 0u);
    gs_store_rlx(&s->nstarted, 1u);
    if (cfg->topology) {
        struct gs_topology *topo = NULL;
        if (gs_topology_load(cfg->topology, &topo) != 0)
            goto fail;
        s->synthetic = true;
        gs_store_rlx(&s->topology, topo);
    }
    return s;

fail:
    forget(s);
    return NULL;
}

void gs_sched_free(struct gs_sched *s)
{
    if (!s)
        return;
    gs_offload_fini(s);
    gs_ticker_fini(s);
    gs_pin_fini(s);
    struct gs_worker **table = gs_load_rlx(&s->worker); /* all threads are gone */
    unsigned n = table == s->first ? 1 : gs_load_rlx(&s->nworkers);
    for (unsigned i = 1; i < n; i++)
        gs_worker_free(table[i]);
    if (table != s->first)
        gs_mem_free(table);
    forget(s);
}

unsigned gs_sched_expand_mt(struct gs_sched *s)
{
    uint32_t n = gs_load_acq(&s->nworkers);
    if (n)
        return n;
    pthread_mutex_lock(&s->grow_lock);
    n = gs_load_rlx(&s->nworkers); /* written under this lock */
    if (n == 0) {
        n = s->wanted ? s->wanted : gs_cpus_in_mask(); /* the quota comes later: gs_sched_count */
        if (n > GS_WORKERS_MAX)
            n = GS_WORKERS_MAX;
        struct gs_worker **table = n > 1 ? gs_mem_zalloc(n * sizeof(struct gs_worker *)) : NULL;
        if (table) {
            table[0] = s->first[0];
            gs_store_rel(&s->worker, table); /* [W1] */
        } else {
            n = 1;
        }
        gs_spin_lock(&s->park.lock);
        if (s->park.open) /* one stood for all of them */
            (void)gs_add_seq(&s->park.idle, n - 2u);
        gs_store_rel(&s->nworkers, n);
        gs_spin_unlock(&s->park.lock);
    }
    pthread_mutex_unlock(&s->grow_lock);
    return n;
}

unsigned gs_sched_count_mt(struct gs_sched *s)
{
    if (s->wanted)
        return gs_load_acq(&s->nworkers);
    unsigned usable = gs_cpus_usable();
    gs_spin_lock(&s->park.lock);
    uint32_t n = gs_load_rlx(&s->nworkers);
    if (usable < n) {
        /* Nobody but worker 0 and the caller, who counts as searching, has been started yet. */
        uint32_t unstarted = n - 2, allowed = usable > 2 ? usable - 2 : 0;
        (void)gs_sub_seq(&s->park.idle, unstarted - allowed);
        n = usable;
        gs_store_rel(&s->nworkers, n);
    }
    gs_spin_unlock(&s->park.lock);
    return n;
}

bool gs_sched_start_worker_mt(struct gs_sched *s)
{
    pthread_mutex_lock(&s->grow_lock);
    uint32_t i = gs_load_rlx(&s->nstarted); /* written under this lock */
    struct gs_worker **table = gs_load_rlx(&s->worker);
    /* The quota leaves no more; or a run is ending, and join_workers, which takes this lock, has
     * looked already. */
    int err = i >= gs_load_rlx(&s->nworkers) || gs_sched_stopped(s);
    if (!err && !table[i]) {
        table[i] = gs_worker_new(s, i);
        err = table[i] == NULL;
    }
    if (!err) {
        gs_store_rel(&s->nstarted, i + 1); /* [W1] before it runs */
        err = gs_worker_start_thread(table[i]);
        if (err)
            gs_store_rel(&s->nstarted, i); /* [W1] nothing has come to it */
    }
    pthread_mutex_unlock(&s->grow_lock);
    return err == 0;
}

/* -- running ----------------------------------------------------------------------------------- */

static void drop(struct gs_sched *s, struct gs_task *t)
{
    if (t && s->hooks.left)
        s->hooks.left(s->ctx, t);
}

static void drop_list(struct gs_sched *s, struct gs_task *t)
{
    while (t) {
        struct gs_task *next = t->next;
        drop(s, t);
        t = next;
    }
}

static void drop_queues(struct gs_sched *s, struct gs_worker *w)
{
    struct gs_task *t;
    drop_list(s, gs_inbox_take_mt(&w->inbox));
    while ((t = gs_deque_take_mt(&w->deque)))
        drop(s, t);
    while ((t = gs_deque_take_mt(&w->late)))
        drop(s, t);
    drop(s, gs_load_rlx(&w->slot)); /* nobody runs any more */
    gs_store_rlx(&w->slot, NULL);
    drop(s, w->again);
    w->again = NULL;
    drop_list(s, w->overflow);
    w->overflow = NULL;
}

static void join_workers(struct gs_sched *s)
{
    /* Under the lock: a start that was under way is over, and no new one follows a stop. */
    pthread_mutex_lock(&s->grow_lock);
    unsigned n = gs_load_rlx(&s->nstarted);
    pthread_mutex_unlock(&s->grow_lock);
    for (unsigned i = 1; i < n; i++) {
        struct gs_worker *w = gs_sched_worker(s, i);
        if (w->has_thread)
            pthread_join(w->thread, NULL);
        w->has_thread = false;
    }
}

/* Threads of an earlier run are gone: their structs are started again in the same order. */
static void restart(struct gs_sched *s)
{
    gs_store_rel(&s->nstarted, 1u); /* [W1] */
    gs_store_rlx(&s->stop_code, 0);
    gs_store_rlx(&s->stop_claimed, false);
    gs_store_seq(&s->stop, false);
    s->ran = false;
}

int gs_sched_run(struct gs_sched *s, struct gs_task *first)
{
    if (s->ran)
        restart(s);
    struct gs_worker *w = s->first[0];
    gs_park_open(s);
    gs_store_rlx(&first->state, GS_TASK_READY); /* published by the push */
    gs_worker_push_owner(w, first);
    gs_worker_main(w);
    join_workers(s);
    gs_park_close(s);
    unsigned n = gs_sched_started(s);
    /* The timers first: the ticker may be firing one that still posts a task. */
    for (unsigned i = 0; i < n; i++)
        gs_timers_clear_mt(&gs_sched_worker(s, i)->timers);
    for (unsigned i = 0; i < n; i++)
        drop_queues(s, gs_sched_worker(s, i));
    s->ran = true;
    return gs_load_rlx(&s->stop_code); /* [Q1] seen with stop */
}

/* True if a task was poked. */
static bool poke_all(struct gs_sched *s, uint32_t flags)
{
    uint64_t held[(GS_WORKERS_MAX + 63) / 64] = {0};
    bool any = false, poked = false;
    unsigned n = gs_sched_started(s);
    for (unsigned i = 0; i < n; i++) {
        if (gs_worker_hold_mt(gs_sched_worker(s, i))) {
            held[i / 64] |= (uint64_t)1 << i % 64;
            any = true;
        }
    }
    if (!any)
        return false;
    gs_fence_heavy(); /* worker.c [C1] */
    for (unsigned i = 0; i < n; i++) {
        if (held[i / 64] >> i % 64 & 1u) {
            poked |= gs_worker_poke_held(gs_sched_worker(s, i), flags, 0);
            gs_worker_release_mt(gs_sched_worker(s, i));
        }
    }
    return poked;
}

void gs_sched_stop(struct gs_sched *s, int code)
{
    if (gs_xchg_acq_rel(&s->stop_claimed, true))
        return;
    gs_store_rlx(&s->stop_code, code); /* before stop */
    gs_store_seq(&s->stop, true);      /* [Q1] */
    unsigned n = gs_sched_started(s);
    (void)poke_all(s, GS_POKE_PREEMPT);
    gs_park_wake_all_mt(s);
    /* A worker may just be between its look at stop and its task: the ticker pokes again. */
    if (n > 1 || !gs_worker_self())
        gs_ticker_raise_mt(s, GS_TICK_FAST);
}

void gs_sched_stop_signal(struct gs_sched *s, int code)
{
    if (!gs_sched_stopped(s))
        gs_store_rlx(&s->stop_code, code); /* before stop */
    gs_store_seq(&s->stop, true);          /* [Q1] */
    (void)gs_worker_poke_mt(gs_sched_worker(s, 0), GS_POKE_PREEMPT, 0);
}

bool gs_sched_look_mt(struct gs_sched *s)
{
    return poke_all(s, GS_POKE_LOOK);
}

bool gs_sched_stopping(const struct gs_sched *s)
{
    return gs_sched_stopped(s);
}

int64_t gs_sched_tasks(struct gs_sched *s)
{
    unsigned n = gs_sched_started(s);
    uint64_t alive = 1; /* the first one is not counted as submitted */
    /* Those that are over first, so that none is missed that is not. */
    for (unsigned i = 0; i < n; i++)
        alive -= gs_load_rlx(&gs_sched_worker(s, i)->stats.count[GS_STAT_DONE]);
    for (unsigned i = 0; i < n; i++)
        alive += gs_load_rlx(&gs_sched_worker(s, i)->stats.count[GS_STAT_SUBMITS]);
    return (int64_t)(alive + gs_load_rlx(&s->others.count[GS_STAT_SUBMITS]));
}

unsigned gs_sched_workers(const struct gs_sched *s)
{
    uint32_t n = gs_load_acq(&s->nworkers);
    if (s->wanted)
        return s->wanted;
    uint32_t usable = gs_cpus_usable();
    return n == 0 || usable < n ? usable : n;
}

unsigned gs_sched_indices(const struct gs_sched *s)
{
    uint32_t n = gs_load_acq(&s->nworkers);
    return n > 1 ? n : 1;
}

unsigned gs_sched_usable_cpus(void)
{
    return gs_cpus_usable();
}

/* -- tasks come in ----------------------------------------------------------------------------- */

void gs_task_init(struct gs_task *t, enum gs_run (*resume)(struct gs_task *, struct gs_worker *))
{
    *t = (struct gs_task){.resume = resume, .last_worker = UINT32_MAX};
    gs_store_rlx(&t->state, GS_TASK_NEW);
    t->sp_real = 1;
    gs_store_rlx(&t->sp_limit, (uintptr_t)1);
}

static struct gs_worker *self_in(const struct gs_sched *s)
{
    struct gs_worker *w = gs_worker_self();
    return w && w->sched == s ? w : NULL;
}

void gs_sched_notify_mt(struct gs_sched *s)
{
    if (GS_UNLIKELY(gs_park_wanted_mt(&s->park)))
        gs_park_wake_one_mt(s);
}

void gs_sched_tick_mt(struct gs_sched *s)
{
    if (GS_UNLIKELY(gs_load_seq(&s->ticker.word) % (GS_TICK_LEVEL + 1) != GS_TICK_FAST)) /* [K1] */
        gs_ticker_raise_mt(s, GS_TICK_FAST);
}

void gs_worker_push_owner(struct gs_worker *w, struct gs_task *t)
{
    if (GS_UNLIKELY(!gs_deque_push_owner(&w->deque, t)))
        (void)gs_inbox_push_mt(&w->inbox, t); /* needs no memory */
}

void gs_worker_push_late_owner(struct gs_worker *w, struct gs_task *t)
{
    if (GS_UNLIKELY(!gs_deque_push_owner(&w->late, t)))
        (void)gs_inbox_push_mt(&w->inbox, t);
}

/* From another thread: w is woken for it; if it is awake another one may come and take it. */
static void post_from_outside(struct gs_sched *s, struct gs_task *t)
{
    uint32_t last = t->last_worker;
    unsigned n = gs_sched_started(s);
    struct gs_worker *w = gs_sched_worker(s, last < n && !gs_sched_stopped(s) ? last : 0);
    (void)gs_inbox_push_mt(&w->inbox, t); /* t may be running elsewhere from here on */
    if (gs_park_wake_this_mt(w))
        return;
    gs_sched_notify_mt(s);
    gs_sched_tick_mt(s);
}

static void put_in_slot(struct gs_worker *w, struct gs_task *t)
{
    struct gs_sched *s = w->sched;
    struct gs_task *old = t;
    if (GS_LIKELY(!gs_load_rlx(&w->slot_shut))) {
        old = gs_load_rlx(&w->slot);
        if (GS_LIKELY(!old))
            gs_store_rel(&w->slot, t); /* [S1] nobody but us fills an empty slot */
        else
            old = gs_xchg_acq_rel(&w->slot, t); /* [S1] NULL if the ticker was faster */
    }
    if (old) {
        gs_worker_push_owner(w, old);
        gs_sched_notify_mt(s);
    }
    gs_sched_tick_mt(s);
}

/* A single task, which we are likely to run ourselves (park.c, Thrift). */
static bool only_one_here(const struct gs_worker *w)
{
    return gs_park_futile(&w->sched->park) && gs_deque_size_mt(&w->deque) <= 1 &&
           !gs_load_rlx(&w->slot) && gs_deque_size_mt(&w->late) == 0;
}

/* See Crowds above. */
static GS_COLD void look_at_crowd(struct gs_worker *w)
{
    uint32_t tick = gs_load_rlx(&w->sched->ticker.ticks); /* only a sense of time */
    struct gs_task *running = gs_load_rlx(&w->current); /* only we change it */
    w->crowd_credit = GS_CROWD;
    if (running == NULL || gs_deque_size_mt(&w->deque) < GS_CROWD / 2)
        return;
    if (w->crowd_gave && tick - w->crowd_tick >= CROWD_TICKS) {
        w->crowd_gave = false;
        w->crowd_credit = CROWD_LONG * GS_CROWD;
        return;
    }
    w->crowd_gave = true;
    w->crowd_tick = tick;
    gs_store_rlx(&w->poked_seq, gs_load_rlx(&w->run_seq)); /* for traces only */
    gs_task_poke_mt(running, GS_POKE_PREEMPT);
}

static inline uint32_t trace_flow(struct gs_worker *w, enum gs_trace_kind kind)
{
    return w && w->ring && w->ring->many ? 0 : gs_trace_flow_slow(w, kind);
}

void gs_sched_submit_mt(struct gs_sched *s, struct gs_task *t)
{
    struct gs_worker *w = self_in(s);
    GS_ASSERT(gs_load_rlx(&t->state) == GS_TASK_NEW);
    gs_store_rlx(&t->state, GS_TASK_READY); /* published by the push */
    if (GS_UNLIKELY(gs_tracing)) /* before anybody can run it */
        t->flow = trace_flow(w, GS_TRACE_SPAWN);
    if (GS_LIKELY(w != NULL)) {
        gs_stat_add_owner(&w->stats, GS_STAT_SUBMITS, 1);
        gs_worker_push_owner(w, t);
        if (GS_UNLIKELY(gs_park_wanted_mt(&s->park)) && !only_one_here(w))
            gs_park_wake_one_mt(s);
        gs_sched_tick_mt(s);
        if (GS_UNLIKELY(--w->crowd_credit == 0))
            look_at_crowd(w);
    } else {
        gs_stat_add_mt(&s->others, GS_STAT_SUBMITS, 1);
        post_from_outside(s, t);
    }
}

void gs_task_ready_mt(struct gs_sched *s, struct gs_task *t)
{
    struct gs_worker *w = self_in(s);
    if (GS_LIKELY(w != NULL))
        gs_stat_add_owner(&w->stats, GS_STAT_READIES, 1);
    else
        gs_stat_add_mt(&s->others, GS_STAT_READIES, 1);
    if (GS_UNLIKELY(gs_tracing)) /* nobody else writes or reads it before the exchange */
        t->flow = trace_flow(w, GS_TRACE_READY);
    if (GS_LIKELY(gs_load_acq(&t->state) == GS_TASK_PARKED)) /* [T1] */
        gs_store_rlx(&t->state, (uint32_t)GS_TASK_READY); /* ours alone; published by the queue */
    else if (gs_xchg_acq_rel(&t->state, (uint32_t)GS_TASK_READY) == GS_TASK_RUNNING) /* [T1] */
        return; /* it has not left its worker yet, which will see READY */
    if (!w)
        post_from_outside(s, t);
    else if (w->in_task)
        put_in_slot(w, t);
    else /* a timer or a hook, between two tasks: the inbox keeps them in order */
        (void)gs_inbox_push_mt(&w->inbox, t);
}

/* -- timers ------------------------------------------------------------------------------------ */

void gs_timer_start_mt(struct gs_sched *s, struct gs_timer *tm, int64_t when_ns,
                       void (*fire)(struct gs_timer *))
{
    struct gs_worker *w = self_in(s);
    struct gs_timers *home = w ? &w->timers : &gs_sched_worker(s, 0)->timers;
    if (gs_timers_inside() == tm)
        home = tm->home; /* anew from its own fire: stop looks for it there */
    tm->when_ns = when_ns;
    tm->fire = fire;
    bool first = gs_timers_start_mt(home, tm);
    if (w && home == &w->timers)
        return; /* its worker looks at it before it runs another task or sleeps */
    /* tm may have fired and be gone: only home is used from here on. */
    struct gs_worker *owner =
        (struct gs_worker *)(void *)((char *)home - offsetof(struct gs_worker, timers));
    if (first && !gs_park_wake_this_mt(owner)) /* [P2] */
        gs_sched_watch_mt(s);
}

bool gs_timer_stop_mt(struct gs_sched *s, struct gs_timer *tm)
{
    (void)s;
    return tm->home && gs_timers_stop_mt(tm->home, tm);
}

void gs_sched_watch_mt(struct gs_sched *s)
{
    gs_ticker_raise_mt(s, GS_TICK_SLOW);
}

void gs_sched_outside_begin_mt(struct gs_sched *s)
{
    gs_park_outside_begin_mt(s);
}

void gs_sched_outside_end_mt(struct gs_sched *s)
{
    gs_park_outside_end_mt(s);
}
