/* SPDX-License-Identifier: MIT
 * worker.c - the loop of a worker: pick a task, run it, put it where it belongs.
 *
 * Order      Slot (the task made ready last: its data is in the cache and its waker is about to
 *            park), inbox (woken by others, kept in order), own deque (newest first: a recursion of
 *            spawns runs depth first and keeps few tasks alive), late queue (tasks that gave way,
 *            oldest first), the task that just yielded if nothing else was queued. Then thieving.
 * Fairness   Nothing of this may starve the rest. Every GS_FAIR_PICKS picks the oldest of the deque
 *            is taken. The late queue is served by time, not by count: every few milliseconds in
 *            which something was queued the ticker asks for its oldest. Otherwise a task that
 *            spawns in a loop would be back after each 64 of its children, and they would pile up.
 *            What was woken from outside goes before even that, a few times, because somebody waits
 *            for it.
 * Letting go [C1] current is stored (release) before resume and becomes 0 after it, or when the task
 *            itself says so before it frees its memory. A poker takes `poking` by CAS, passes a heavy
 *            fence and loads current (acquire: sees the task's fields); it is done when it stores
 *            poking = 0 (release). The owner stores 0, passes a light fence and loads poking
 *            (acquire); while that is 1 it waits. So either the poker sees 0, or the owner
 *            waits for it: what it pokes is there, and the run goes on until it is done. Model:
 *            tests/model/letgo.pml.
 * Parking    [T1] see task.h: after the CAS to PARKED has succeeded the task is not touched.
 * Slot       [S1] only the owner puts a task into an empty slot (release). It takes it between two runs by plain load and store,
 *            because others do so only within a run, as pokers (gs_worker_empty_slot_held); there both use RMW.
 */
#include "sched_int.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "port/clock.h"
#include "port/mem.h"
#include "port/thread.h"

/* How long an idle worker looks for work before it sleeps: a fraction of what its wake-up would
 * cost. */
#define SPIN_NS 20000
/* Looks between two readings of the clock. */
#define SPIN_LOOKS 16u
/* Times a fair pick gives way to the inbox. */
#define FAIR_WAITS 8u
/* Yields of a task that is alone here between two looks for work elsewhere. */
#define LONE_YIELDS 16u
#define TIMER_BATCH 256u

static _Thread_local struct gs_worker *self;

struct gs_worker *gs_worker_self(void)
{
    return self;
}

uint32_t gs_worker_turns_owner(const struct gs_worker *w)
{
    return gs_load_rlx(&w->run_seq); /* ours */
}

unsigned gs_worker_index(const struct gs_worker *w)
{
    return w->index;
}

struct gs_sched *gs_worker_sched(const struct gs_worker *w)
{
    return w->sched;
}

void *gs_worker_local(const struct gs_worker *w)
{
    return w->local;
}

struct gs_worker *gs_worker_new(struct gs_sched *s, uint32_t index)
{
    struct gs_worker *w = gs_mem_alloc_aligned(sizeof *w, GS_CACHE_LINE);
    if (!w)
        return NULL;
    memset(w, 0, sizeof *w);
    w->sched = s;
    w->index = index;
    w->credit = GS_FAIR_PICKS;
    w->random = (s->seed + index) * 0x9e3779b97f4a7c15u | 1u;
    gs_store_rlx(&w->os_cpu, -1); /* nobody else knows w yet */
    gs_timers_init(&w->timers);
    if (!gs_deque_init(&w->deque))
        goto free_worker;
    if (!gs_deque_init(&w->late))
        goto free_deque;
    return w;

free_deque:
    gs_deque_fini(&w->deque);
free_worker:
    gs_mem_free(w);
    return NULL;
}

void gs_worker_free(struct gs_worker *w)
{
    if (!w)
        return;
    gs_victims_free(&w->victims);
    gs_timers_fini(&w->timers);
    gs_deque_fini(&w->late);
    gs_deque_fini(&w->deque);
    gs_mem_free(w);
}

/* -- the running task and those who poke it ---------------------------------------------------- */

static GS_COLD void wait_for_poker(const struct gs_worker *w)
{
    for (unsigned round = 1; gs_load_acq(&w->poking) != 0; round++) { /* [C1] */
        if (round % 64 == 0)
            sched_yield();
        else
            gs_cpu_relax();
    }
}

void gs_worker_detach_owner(struct gs_worker *w)
{
    if (gs_load_rlx(&w->current) == NULL) /* only we change it */
        return; /* let go of before */
    gs_store_rel(&w->current, NULL); /* [C1] */
    gs_fence_light();
    if (GS_UNLIKELY(gs_load_acq(&w->poking) != 0)) /* [C1] */
        wait_for_poker(w);
}

static inline void make_current(struct gs_worker *w, struct gs_task *t)
{
    t->last_worker = w->index;
    gs_store_rlx(&t->state, GS_TASK_RUNNING); /* no waker before it publishes itself again */
    gs_store_rel(&w->current, t);             /* [C1] */
}

void gs_worker_become_owner(struct gs_worker *w, struct gs_task *t)
{
    struct gs_task *was = gs_load_rlx(&w->current); /* ours */
    gs_worker_detach_owner(w);
    uint32_t flags = gs_load_rlx(&was->sp_flags); /* pokers have let go of it [C1] */
    make_current(w, t);
    if (GS_UNLIKELY(flags != 0))
        gs_task_poke_mt(t, flags);
}

void gs_worker_over_owner(struct gs_worker *w)
{
    if (!w->over)
        gs_stat_add_owner(&w->stats, GS_STAT_DONE, 1);
    w->over = true;
}

void gs_worker_count_out_owner(struct gs_worker *w, uint32_t n)
{
    gs_stat_add_owner(&w->stats, GS_STAT_DONE, n);
}

void gs_worker_count_in_owner(struct gs_worker *w, uint32_t n)
{
    gs_stat_add_owner(&w->stats, GS_STAT_SUBMITS, n);
}

void gs_worker_over_out_owner(struct gs_worker *w)
{
    w->over = true;
}

bool gs_worker_hold_mt(struct gs_worker *w)
{
    uint32_t nobody = 0;
    return gs_load_rlx(&w->current) != NULL /* a guess */ && gs_cas_acq(&w->poking, &nobody, 1u); /* [C1] */
}

void gs_worker_release_mt(struct gs_worker *w)
{
    gs_store_rel(&w->poking, 0u); /* [C1] */
}

/* The task that a held worker is running, if this is the run seq, or seq is 0. The run does not end before it is released. */
static struct gs_task *held_in(struct gs_worker *w, uint32_t seq)
{
    struct gs_task *t = gs_load_acq(&w->current); /* [C1] */
    return t && (seq == 0 || gs_load_rlx(&w->run_seq) == seq) ? t : NULL;
}

bool gs_worker_poke_held(struct gs_worker *w, uint32_t flags, uint32_t seq)
{
    struct gs_task *t = held_in(w, seq);
    if (!t)
        return false;
    gs_store_rlx(&w->poked_seq, gs_load_rlx(&w->run_seq)); /* for traces only */
    gs_task_poke_mt(t, flags);
    return true;
}

bool gs_worker_empty_slot_held(struct gs_worker *w, uint32_t seq)
{
    if (!gs_load_rlx(&w->slot) /* a guess */ || !held_in(w, seq))
        return false;
    /* The running task may put another one there meanwhile, for which it does not find an empty slot then. */
    struct gs_task *t = gs_xchg_acq(&w->slot, NULL); /* [S1] */
    if (t)
        (void)gs_inbox_push_mt(&w->inbox, t); /* before its worker can go to sleep */
    return t != NULL;
}

bool gs_worker_poke_mt(struct gs_worker *w, uint32_t flags, uint32_t seq)
{
    if (!gs_worker_hold_mt(w))
        return false;
    gs_fence_heavy(); /* [C1] */
    bool poked = gs_worker_poke_held(w, flags, seq);
    gs_worker_release_mt(w);
    return poked;
}

static bool queued_here(const struct gs_worker *w)
{
    return gs_load_rlx(&w->slot) || w->overflow || gs_inbox_nonempty_mt(&w->inbox) ||
           gs_deque_size_mt(&w->deque) > 0 || gs_deque_size_mt(&w->late) > 0;
}

static void make_late(struct gs_worker *w, struct gs_task *t)
{
    gs_worker_push_late_owner(w, t);
    gs_sched_notify_mt(w->sched);
    gs_sched_tick_mt(w->sched);
}

static void after_park(struct gs_worker *w, struct gs_task *t)
{
    uint32_t state = GS_TASK_RUNNING;
    gs_stat_add_owner(&w->stats, GS_STAT_PARKS, 1);
    if (gs_cas_acq_rel(&t->state, &state, (uint32_t)GS_TASK_PARKED)) /* [T1] */
        return;
    GS_ASSERT(state == GS_TASK_READY);
    /* Woken before it was gone. In the slot like other woken tasks; the fair picks see to it that
     * one which always does this does not starve the rest. */
    struct gs_task *old = gs_load_rlx(&w->slot);
    if (!old) {
        gs_store_rel(&w->slot, t); /* [S1] */
        return;
    }
    gs_worker_push_owner(w, t);
    gs_sched_notify_mt(w->sched);
}

static void after_yield(struct gs_worker *w, struct gs_task *t)
{
    gs_stat_add_owner(&w->stats, GS_STAT_YIELDS, 1);
    gs_store_rlx(&t->state, GS_TASK_READY); /* published by the push, or kept here */
    if (queued_here(w))
        make_late(w, t);
    else
        w->again = t;
}

static inline void trace_begin(struct gs_worker *w, struct gs_task *t)
{
    uint32_t flow = t->flow;
    if (flow) /* else its line need not be written */
        t->flow = 0;
    if (!w->ring->many)
        gs_trace_run_begin_owner(w, t, flow);
}

/* Among many runs most are only counted: see trace.c, Budget. */
static inline void trace_end(struct gs_worker *w, const struct gs_task *t, enum gs_run how)
{
    struct gs_ring *r = w->ring;
    const struct gs_ticker *k = &w->sched->ticker;
    if (r->many && ++r->runs % GS_TRACE_LOOK != 0 && gs_load_rlx(&k->ticks) == r->tick &&
        (gs_load_rlx(&k->word) & GS_TICK_LEVEL) == GS_TICK_FAST) /* only a sense of time */
        return;
    gs_trace_run_end_owner(w, how == GS_RUN_DONE ? NULL : t, how);
}

static void run(struct gs_worker *w, struct gs_task *t)
{
    /* [K2] a timer of ours that nobody would see to while we are busy */
    if (GS_UNLIKELY(gs_timers_next_mt(&w->timers) < gs_load_seq(&w->sched->ticker.plan_ns)))
        gs_ticker_raise_mt(w->sched, GS_TICK_SLOW);
    if (GS_UNLIKELY(w->ring != NULL))
        trace_begin(w, t);
    uint32_t seq = gs_load_rlx(&w->run_seq);
    gs_store_rlx(&w->run_seq, seq + 1); /* a stale value costs a poke that comes a tick late */
    make_current(w, t);
    w->in_task = true;
    w->crowd_credit = GS_CROWD;
    enum gs_run how = t->resume(t, w);
    w->in_task = false;
    struct gs_task *on = gs_load_rlx(&w->current); /* ours; NULL when it has let go of its memory */
    t = on != NULL ? on : t;
    if (GS_UNLIKELY(w->ring != NULL))
        trace_end(w, t, how);
    gs_worker_detach_owner(w);
    gs_store_rlx(&w->run_seq, seq + 2);
    gs_stat_add_owner(&w->stats, GS_STAT_RUNS, 1);
    switch (how) {
    case GS_RUN_DONE:
        gs_worker_over_owner(w);
        w->over = false;
        return;
    case GS_RUN_PARK:
        after_park(w, t);
        return;
    case GS_RUN_YIELD:
        after_yield(w, t);
        return;
    }
    GS_UNREACHABLE();
}

/* -- picking ----------------------------------------------------------------------------------- */

/* Memory is out, so the deque cannot take the rest of the list. It waits where only we see it. */
static GS_COLD void keep_rest(struct gs_worker *w, struct gs_task *rest)
{
    struct gs_task **end = &w->overflow;
    while (*end)
        end = &(*end)->next;
    *end = rest;
}

bool gs_worker_drain_owner(struct gs_worker *w, struct gs_inbox *from)
{
    struct gs_task *t = gs_inbox_take_mt(from);
    if (!t)
        return false;
    bool several = t->next != NULL;
    while (t) {
        /* Read before the push: a thief may run it at once. Newest first: the oldest gets to the
         * bottom. */
        struct gs_task *older = t->next;
        if (GS_UNLIKELY(!gs_deque_push_owner(&w->deque, t))) {
            t->next = older;
            keep_rest(w, t);
            break;
        }
        t = older;
    }
    if (several) {
        gs_sched_notify_mt(w->sched);
        gs_sched_tick_mt(w->sched);
    }
    return true;
}

unsigned gs_worker_fire_owner(struct gs_worker *w, int64_t now_ns)
{
    if (gs_timers_next_mt(&w->timers) > now_ns)
        return 0;
    bool traced = gs_trace_begin(GS_TRACE_TIMERS, NULL, 0);
    unsigned n = gs_timers_fire_mt(&w->timers, now_ns, TIMER_BATCH);
    gs_trace_end(traced, GS_TRACE_TIMERS, NULL, n);
    gs_stat_add_owner(&w->stats, GS_STAT_TIMERS, n);
    return n;
}

static struct gs_task *take_slot(struct gs_worker *w)
{
    struct gs_task *t = gs_load_rlx(&w->slot); /* [S1] between two runs it is ours alone */
    if (!t)
        return NULL;
    gs_store_rlx(&w->slot, NULL);
    gs_stat_add_owner(&w->stats, GS_STAT_SLOTS, 1);
    return t;
}

/* The ticker has seen tasks wait for some milliseconds. */
static GS_NOINLINE struct gs_task *pick_late(struct gs_worker *w)
{
    if (gs_inbox_nonempty_mt(&w->inbox) && ++w->fair_waits < FAIR_WAITS)
        return NULL; /* what a timer has woken is what somebody waits for; the flag stays */
    w->fair_waits = 0;
    gs_store_rlx(&w->fair, false); /* the ticker sets it again if need be */
    struct gs_task *t = gs_deque_take_mt(&w->late);
    return t ? t : gs_deque_take_mt(&w->deque);
}

static GS_NOINLINE struct gs_task *pick_oldest(struct gs_worker *w)
{
    w->credit = GS_FAIR_PICKS;
    if (gs_timers_next_mt(&w->timers) != INT64_MAX)
        (void)gs_worker_fire_owner(w, gs_clock_mono_ns());
    return gs_deque_take_mt(&w->deque);
}

static inline struct gs_task *pick_fair(struct gs_worker *w)
{
    if (GS_UNLIKELY(--w->credit == 0))
        return pick_oldest(w);
    if (GS_UNLIKELY(gs_load_rlx(&w->fair)))
        return pick_late(w);
    return NULL;
}

/* Nothing is queued here but the task that just yielded. Now and then somebody else's may have
 * waited longer. */
static struct gs_task *run_again(struct gs_worker *w)
{
    struct gs_task *t = w->again;
    w->again = NULL;
    if (gs_load_rlx(&w->abroad))
        gs_store_rlx(&w->abroad, false); /* the ticker sets it again if need be */
    else if (++w->lone_yields % LONE_YIELDS != 0)
        return t;
    struct gs_task *other = gs_steal_owner(w);
    if (!other)
        return t;
    make_late(w, t);
    return other;
}

static struct gs_task *pick_queued(struct gs_worker *w)
{
    struct gs_task *t = take_slot(w);
    if (t)
        return t;
    if (GS_UNLIKELY(w->overflow != NULL)) {
        t = w->overflow;
        w->overflow = t->next;
        return t;
    }
    if (gs_inbox_nonempty_mt(&w->inbox))
        (void)gs_worker_drain_owner(w, &w->inbox);
    t = gs_deque_pop_owner(&w->deque);
    if (!t && gs_deque_size_mt(&w->late) > 0)
        t = gs_deque_take_mt(&w->late);
    return t;
}

static struct gs_task *pick(struct gs_worker *w)
{
    struct gs_task *t = pick_fair(w);
    if (!t)
        t = pick_queued(w);
    if (GS_LIKELY(!w->again))
        return t;
    if (!t)
        return run_again(w);
    make_late(w, w->again); /* something came: it goes behind */
    w->again = NULL;
    return t;
}

/* -- looking for work -------------------------------------------------------------------------- */

static struct gs_task *look_everywhere(struct gs_worker *w)
{
    if (gs_timers_next_mt(&w->timers) != INT64_MAX)
        (void)gs_worker_fire_owner(w, gs_clock_mono_ns());
    struct gs_task *t = pick_queued(w);
    return t ? t : gs_steal_owner(w);
}

/* One brief spin. Only the first searcher spins, and only while somebody else could produce
 * work. */
static struct gs_task *spin(struct gs_worker *w)
{
    struct gs_sched *s = w->sched;
    int64_t end = 0;
    for (unsigned look = 1;; look++) {
        struct gs_task *t = look_everywhere(w);
        if (t || gs_sched_stopped(s))
            return t;
        if (gs_park_alone_mt(&s->park) || gs_load_rlx(&s->park.idle) >= 2 * GS_PARK_SEARCHING)
            return NULL;
        for (unsigned i = 0; i < 8; i++)
            gs_cpu_relax();
        if (look % SPIN_LOOKS != 0)
            continue;
        int64_t now = gs_clock_mono_ns();
        if (end == 0)
            end = now + SPIN_NS;
        else if (now >= end)
            return NULL;
    }
}

/* The worker counts as searching. Returns not searching, and NULL only when the scheduler stops. */
static struct gs_task *search(struct gs_worker *w)
{
    struct gs_sched *s = w->sched;
    struct gs_task *t = NULL;
    while (!gs_sched_stopped(s)) {
        int64_t nap = gs_steal_nap_owner(w);
        if (GS_UNLIKELY(nap > 0))
            gs_park_nap_owner(w, nap);
        t = spin(w);
        if (t || gs_sched_stopped(s))
            break;
        if (s->hooks.idle)
            s->hooks.idle(s->ctx, w);
        gs_park_sleep_owner(w);
    }
    gs_park_search_end_owner(w);
    return t;
}

static void loop(struct gs_worker *w, bool searching)
{
    struct gs_sched *s = w->sched;
    while (!gs_sched_stopped(s)) {
        struct gs_task *t = searching ? NULL : pick(w);
        if (GS_UNLIKELY(!t)) {
            if (!searching)
                gs_park_search_begin_owner(w);
            searching = false;
            t = search(w);
        }
        if (t)
            run(w, t);
    }
}

/* -- threads ----------------------------------------------------------------------------------- */

static void work(struct gs_worker *w, bool searching)
{
    struct gs_sched *s = w->sched;
    struct gs_worker *outer = self; /* a scheduler run from a task of another one */
    self = w;
    gs_store_rlx(&w->thread_id, gs_thread_self_id()); /* a hint for the pinner */
    gs_thread_prompt_self(false);
    gs_pin_self_owner(w);
    if (gs_tracing)
        w->ring = gs_trace_start_owner(w);
    if (s->hooks.worker_start)
        w->local = s->hooks.worker_start(s->ctx, w);
    loop(w, searching);
    if (s->hooks.worker_stop)
        s->hooks.worker_stop(s->ctx, w, w->local);
    if (w->ring)
        gs_trace_stop_owner(w);
    gs_store_rlx(&w->thread_id, 0);
    self = outer;
}

void gs_worker_main(struct gs_worker *w)
{
    work(w, false);
    if (gs_load_rlx(&w->os_cpu) >= 0)
        gs_thread_unpin_self();
}

static void *thread_main(void *arg)
{
    struct gs_worker *w = arg;
    GS_ASSERT(gs_sched_started(w->sched) > w->index);
    gs_ticker_make_mt(w->sched);
    if (w->index == 1 && gs_sched_count_mt(w->sched) < 2) {
        gs_park_retire_owner(w);
        return NULL;
    }
    w->roused = true;
    work(w, true);
    return NULL;
}

int gs_worker_start_thread(struct gs_worker *w)
{
    char name[16];
    snprintf(name, sizeof name, "goost-%u", w->index);
    int err = gs_thread_start(&w->thread, name, thread_main, w);
    w->has_thread = err == 0;
    return err;
}
