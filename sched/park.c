/* SPDX-License-Identifier: MIT
 * park.c - putting idle workers to sleep, waking them, and knowing when nothing can run.
 *
 * Problem    Spinning burns the machine; sleeping too eagerly loses work just submitted; waking too
 *            eagerly costs more than the work (a wake-up across cores is 50 to 120 us on virtual
 *            machines). And when everything sleeps for good somebody has to say so, exactly once
 *            and never wrongly.
 *
 * Design     One word, idle, counts the workers asleep (or not yet started, which is a deeper
 *            sleep) and those searching for work. Submitters only read it. Who sleeps, how many are
 *            awake and how many outside calls are out is kept under a spin lock: these change only
 *            when a worker is about to make a system call anyway. Throttle: nobody is woken while
 *            somebody searches. A searcher that finds work and was the last one searching looks
 *            whether there is more, and if so wakes the next, so that a burst of work wakes workers
 *            one by one.
 * Thrift     A program that spawns one task and waits for it runs it itself long before
 *            anybody woken for it arrives. When the woken found nothing a few times in a row, a
 *            worker that queues a single task behind itself wakes nobody (P0 holds: it is itself
 *            awake); should it stay in its task, the ticker wakes somebody a tick later.
 *
 * Invariant  [P0] If a task is queued where thieves find it, then a worker is awake that will look
 *            at that queue before it sleeps, or one has been claimed to do so.
 * Proof      [P1] Submitter: push, then load idle. Sleeper: move itself in idle from searching to
 *            asleep (RMW), then look in all queues. All of these are seq_cst. If the submitter's
 *            load came before the sleeper's RMW, its push came before the sleeper's look, which
 *            sees it. If it came after, the submitter saw the sleeper. It then wakes one, or leaves
 *            it because some X was searching; X has not yet left the searching state at that load,
 *            so X's own RMW (to asleep, or by search_end) comes after the push, and X looks in all
 *            queues after it in both cases. The owner's own slot is no such queue: only a running
 *            owner fills it, and it looks there before it sleeps.
 *
 * Claiming   A sleeper is in the set asleep until somebody takes it out, under the lock: a waker
 *            (who then sets wake to 1 [P3] and moves idle and awake on the sleeper's behalf), or
 *            the sleeper itself. So a wake-up is given to exactly one sleeper and is never lost; a
 *            late futex call only makes it look at its word once more.
 *            [P3] wake is stored (release) under the lock and read (acquire) by the sleeper without
 *                 it.
 *
 * Timers     [P2] A sleeper reads the time of its earliest timer after it has entered the set. Who
 *            starts an earlier one there from another thread does so before it looks in the set
 *            (both under locks), so it finds the sleeper or the sleeper finds the timer. A sleeper
 *            whose timer is due takes itself out of the set before it fires it.
 *
 * Quiescence Nothing can run when no worker is awake, no outside call is out, no timer is set and
 *            no task is queued. Who could change that? (a) an awake worker, (b) a call that is out,
 *            or the ticker inside its outside bracket, (c) a sleeper whose timer is due. All of
 *            them are counted in awake or outside before they act: a woken worker by its waker, (c)
 *            and the ticker by themselves, each under the lock. So if under the lock awake and
 *            outside are 0 and no timer is set, there is no actor left and none can appear: the
 *            four conditions are read as if at one instant, because with no actor the queues and
 *            heaps cannot change while we read them. Conversely the last actor always looks: a
 *            worker that brings awake to 0 with outside 0 checks before it sleeps, and who brings
 *            outside to 0 with awake 0 (or retires as the last one awake) wakes a worker for it.
 *            The checker takes itself out of the set in the same section, so it is an actor again
 *            and nobody else can come to the same verdict.
 *
 * Naps       A searcher may rest for a moment (steal.c, Worth). It is awake in the sense of all the above and looks at all queues afterwards, so P0 holds; only later.
 *            [N1] What is posted to it alone it must not sleep over: poster: push, then exchange nap; napper: store nap, then look at its inbox; all seq_cst.
 *
 * Rejected   Waking a worker at every push: a spawn then costs a system call while the woken ones
 *            are on their way. A lock-free set of sleepers: the lock is taken once for each futex
 *            call, and makes the argument short.
 */
#include "park.h"

#include "sched_int.h"
#include "port/clock.h"
#include "port/thread.h"

/* Adding this to idle turns a sleeper into a searcher. */
#define ROUSE (GS_PARK_SEARCHING - 1u)

static bool in_set_locked(const struct gs_park *p, uint32_t i)
{
    return (p->asleep[i / 64] >> (i % 64)) & 1u;
}

static void set_locked(struct gs_park *p, uint32_t i, bool in)
{
    uint64_t bit = (uint64_t)1 << (i % 64);
    if (in)
        p->asleep[i / 64] |= bit;
    else
        p->asleep[i / 64] &= ~bit;
}

static void awake_add_locked(struct gs_park *p, uint32_t n)
{
    /* Relaxed: written under the lock; readers without it only want a hint. */
    gs_store_rlx(&p->awake, gs_load_rlx(&p->awake) + n);
}

/* Takes a sleeper out of the set, counted as awake and searching. */
static void rouse_locked(struct gs_park *p, uint32_t i)
{
    set_locked(p, i, false);
    awake_add_locked(p, 1);
    (void)gs_add_seq(&p->idle, ROUSE); /* [P1] */
}

/* Values of gs_worker.wake: asleep, woken for itself, woken because somebody queued a task
 * somewhere. */
enum { WAKE_NOT, WAKE_THIS, WAKE_ANY };

static void claim_locked(struct gs_park *p, struct gs_worker *w, uint32_t how)
{
    rouse_locked(p, w->index);
    gs_store_rel(&w->wake, how); /* [P3] */
}

/* The sleeper nearest above index near, or -1. Neighbouring workers share caches (topology.c orders
 * them). */
static int find_sleeper_locked(const struct gs_park *p, uint32_t near)
{
    for (uint32_t k = 0; k <= GS_PARK_WORDS; k++) {
        uint32_t word = (near / 64 + k) % GS_PARK_WORDS;
        uint64_t bits = p->asleep[word];
        if (k == 0)
            bits &= ~(uint64_t)0 << (near % 64);
        if (bits)
            return (int)(word * 64) + __builtin_ctzll(bits);
    }
    return -1;
}

/* Looks at every queue, beginning with that of worker first. */
static bool work_seen(struct gs_sched *s, unsigned first)
{
    unsigned n = gs_sched_started(s);
    for (unsigned k = 0; k < n; k++) {
        struct gs_worker *w = gs_sched_worker(s, (first + k) % n);
        if (gs_deque_nonempty_seq_mt(&w->deque) || gs_deque_nonempty_seq_mt(&w->late) ||
            gs_inbox_nonempty_seq_mt(&w->inbox)) /* [P1] */
            return true;
    }
    return false;
}

static bool timers_set(struct gs_sched *s)
{
    unsigned n = gs_sched_started(s);
    for (unsigned i = 0; i < n; i++) {
        if (gs_timers_next_mt(&gs_sched_worker(s, i)->timers) != INT64_MAX)
            return true;
    }
    return false;
}

int64_t gs_park_earliest_awake_mt(struct gs_sched *s)
{
    struct gs_park *p = &s->park;
    int64_t next = INT64_MAX;
    gs_spin_lock(&p->lock); /* [K2] */
    unsigned n = gs_sched_started(s);
    for (unsigned i = 0; i < n; i++) {
        int64_t t = gs_timers_next_mt(&gs_sched_worker(s, i)->timers);
        if (t < next && !in_set_locked(p, i))
            next = t;
    }
    gs_spin_unlock(&p->lock);
    return next;
}

static void count_rouse(struct gs_sched *s)
{
    struct gs_worker *self = gs_worker_self();
    if (self && self->sched == s)
        gs_stat_add_owner(&self->stats, GS_STAT_ROUSES, 1);
    else
        gs_stat_add_mt(&s->others, GS_STAT_ROUSES, 1);
}

void gs_park_open(struct gs_sched *s)
{
    struct gs_park *p = &s->park;
    uint32_t n = gs_load_rlx(&s->nworkers);
    gs_spin_lock(&p->lock);
    for (unsigned i = 0; i < GS_PARK_WORDS; i++)
        p->asleep[i] = 0;
    p->no_more = false;
    p->open = true;
    gs_store_rlx(&p->awake, 1u);
    /* While the number of workers is not known one stands for all the others. */
    gs_store_seq(&p->idle, n == 0 ? 1u : n - 1u);
    gs_spin_unlock(&p->lock);
}

void gs_park_close(struct gs_sched *s)
{
    struct gs_park *p = &s->park;
    gs_spin_lock(&p->lock);
    p->open = false;
    gs_store_seq(&p->idle, 0u);
    gs_store_rlx(&p->awake, 0u);
    gs_spin_unlock(&p->lock);
}

bool gs_park_alone_mt(const struct gs_park *p)
{
    return gs_load_rlx(&p->awake) <= 1;
}

/* A worker that is asleep deeper: not started yet. */
static void start_another(struct gs_sched *s)
{
    struct gs_park *p = &s->park;
    if (gs_sched_start_worker_mt(s))
        return;
    gs_spin_lock(&p->lock);
    awake_add_locked(p, UINT32_MAX);
    if (!p->no_more) {
        p->no_more = true;
        /* Those never started count as asleep no longer: nobody can wake them. */
        uint32_t asleep = 0;
        for (unsigned i = 0; i < GS_PARK_WORDS; i++)
            asleep += (uint32_t)__builtin_popcountll(p->asleep[i]);
        uint32_t idle = gs_load_seq(&p->idle);
        (void)gs_sub_seq(&p->idle, (idle % GS_PARK_SEARCHING) - asleep);
    }
    (void)gs_sub_seq(&p->idle, GS_PARK_SEARCHING); /* [P1] the caller is awake and has the work */
    gs_spin_unlock(&p->lock);
}

void gs_park_wake_one_mt(struct gs_sched *s)
{
    struct gs_park *p = &s->park;
    if (gs_load_acq(&s->nworkers) == 0)
        (void)gs_sched_expand_mt(s);
    struct gs_worker *self = gs_worker_self();
    uint32_t near = self && self->sched == s ? self->index : 0;
    struct gs_worker *w = NULL;
    gs_spin_lock(&p->lock);
    bool go = p->open && gs_park_wanted_mt(p);
    if (go) {
        int i = find_sleeper_locked(p, near);
        if (i >= 0) {
            w = gs_sched_worker(s, (unsigned)i);
            claim_locked(p, w, WAKE_ANY);
        } else if (!p->no_more) {
            awake_add_locked(p, 1);
            (void)gs_add_seq(&p->idle, ROUSE); /* [P1] */
        } else {
            go = false;
        }
    }
    gs_spin_unlock(&p->lock);
    if (!go)
        return;
    count_rouse(s);
    /* A worker yet to be started: most likely the next one. */
    gs_trace_point(GS_TRACE_ROUSE, w ? w->index : gs_sched_started(s), 0, 0);
    if (w)
        gs_futex_wake(&w->wake, 1);
    else
        start_another(s);
}

void gs_park_nap_owner(struct gs_worker *w, int64_t ns)
{
    int64_t next = gs_timers_next_mt(&w->timers);
    if (next != INT64_MAX) {
        int64_t left = next - gs_clock_mono_ns();
        ns = left < ns ? left : ns;
    }
    if (ns <= 0)
        return;
    gs_store_seq(&w->nap, 1u); /* [N1] */
    if (!gs_inbox_nonempty_seq_mt(&w->inbox) && !gs_sched_stopped(w->sched))
        gs_futex_wait(&w->nap, 1, ns);
    gs_store_rlx(&w->nap, 0u); /* who exchanges a 1 meanwhile wakes nobody */
}

bool gs_park_wake_this_mt(struct gs_worker *w)
{
    struct gs_park *p = &w->sched->park;
    if (GS_UNLIKELY(gs_load_seq(&w->nap)) && gs_xchg_seq(&w->nap, 0u)) { /* [N1] */
        gs_futex_wake(&w->nap, 1);
        return true;
    }
    gs_spin_lock(&p->lock); /* [P2] */
    bool was = in_set_locked(p, w->index);
    if (was)
        claim_locked(p, w, WAKE_THIS);
    gs_spin_unlock(&p->lock);
    if (was) {
        count_rouse(w->sched);
        gs_trace_point(GS_TRACE_ROUSE, w->index, 0, 0);
        gs_futex_wake(&w->wake, 1);
    }
    return was;
}

void gs_park_wake_all_mt(struct gs_sched *s)
{
    unsigned n = gs_sched_started(s);
    for (unsigned i = 0; i < n; i++)
        (void)gs_park_wake_this_mt(gs_sched_worker(s, i));
}

/* Keeps the count of futile wake-ups. Relaxed: a lost update makes the guess a little worse. */
static void judge_wake_up(struct gs_worker *w, bool found)
{
    struct gs_park *p = &w->sched->park;
    uint32_t n = gs_load_rlx(&p->futile);
    if (!w->roused)
        return;
    w->roused = false;
    if (found && n)
        gs_store_rlx(&p->futile, 0u);
    else if (!found && n < GS_PARK_FUTILE)
        gs_store_rlx(&p->futile, n + 1);
}

void gs_park_search_begin_owner(struct gs_worker *w)
{
    (void)gs_add_seq(&w->sched->park.idle, GS_PARK_SEARCHING); /* [P1] */
}

void gs_park_search_end_owner(struct gs_worker *w)
{
    struct gs_sched *s = w->sched;
    judge_wake_up(w, true);
    uint32_t idle = gs_sub_seq(&s->park.idle, GS_PARK_SEARCHING); /* [P1] */
    bool last = idle / GS_PARK_SEARCHING == 1;
    if (last && idle % GS_PARK_SEARCHING != 0 && work_seen(s, w->index))
        gs_park_wake_one_mt(s);
}

/* Out of the set again, unless somebody has taken us out. Either way we are awake and searching. */
static void withdraw(struct gs_worker *w)
{
    struct gs_park *p = &w->sched->park;
    gs_spin_lock(&p->lock);
    if (in_set_locked(p, w->index))
        rouse_locked(p, w->index);
    gs_spin_unlock(&p->lock);
}

/* The last one to go to sleep asks whether anything can still happen. True: nothing could, the hook
 * was called, and w is awake again. */
static bool declare_quiescent(struct gs_worker *w)
{
    struct gs_sched *s = w->sched;
    struct gs_park *p = &s->park;
    gs_spin_lock(&p->lock);
    bool quiet = p->open && in_set_locked(p, w->index) && gs_load_rlx(&p->awake) == 0 &&
                 p->outside == 0 && !timers_set(s) && !work_seen(s, 0) && !gs_sched_stopped(s);
    if (quiet)
        rouse_locked(p, w->index);
    gs_spin_unlock(&p->lock);
    if (!quiet)
        return false;
    if (s->hooks.quiescent)
        s->hooks.quiescent(s->ctx, w);
    gs_spin_lock(&p->lock);
    bool stuck = p->outside == 0 && gs_load_rlx(&p->awake) == 1;
    gs_spin_unlock(&p->lock);
    if (stuck && !timers_set(s) && !work_seen(s, 0))
        gs_sched_stop(s, 3);
    return true;
}

static void sleep_until_claimed(struct gs_worker *w)
{
    while (!gs_load_acq(&w->wake)) {                  /* [P3] */
        int64_t next = gs_timers_next_mt(&w->timers); /* [P2] */
        if (next == INT64_MAX) {
            gs_futex_wait(&w->wake, WAKE_NOT, -1);
            continue;
        }
        int64_t left = next - gs_clock_mono_ns();
        if (left <= 0) {
            withdraw(w);
            return;
        }
        gs_futex_wait(&w->wake, WAKE_NOT, left);
    }
    w->roused = gs_load_rlx(&w->wake) == WAKE_ANY; /* nobody writes it before we sleep again */
}

void gs_park_sleep_owner(struct gs_worker *w)
{
    struct gs_sched *s = w->sched;
    struct gs_park *p = &s->park;
    judge_wake_up(w, false);
    gs_spin_lock(&p->lock); /* [P2] */
    set_locked(p, w->index, true);
    gs_store_rlx(&w->wake, (uint32_t)WAKE_NOT); /* under the lock nobody claims us */
    awake_add_locked(p, UINT32_MAX);
    bool last = gs_load_rlx(&p->awake) == 0 && p->outside == 0;
    (void)gs_sub_seq(&p->idle, ROUSE); /* [P1] */
    gs_spin_unlock(&p->lock);

    if (gs_sched_stopped(s) || work_seen(s, w->index)) {
        withdraw(w);
        return;
    }
    if (last && declare_quiescent(w))
        return;
    gs_stat_add_owner(&w->stats, GS_STAT_SLEEPS, 1);
    if (GS_UNLIKELY(w->ring != NULL))
        gs_trace_sleep_owner(w);
    sleep_until_claimed(w);
    if (GS_UNLIKELY(w->ring != NULL))
        gs_trace_awake_owner(w);
}

void gs_park_outside_begin_mt(struct gs_sched *s)
{
    gs_spin_lock(&s->park.lock);
    s->park.outside++;
    gs_spin_unlock(&s->park.lock);
}

/* If the last actor has just gone: a sleeper, claimed, who must look whether that was all. */
static struct gs_worker *claim_checker_locked(struct gs_sched *s)
{
    struct gs_park *p = &s->park;
    if (p->outside != 0 || gs_load_rlx(&p->awake) != 0 || !p->open)
        return NULL;
    int i = find_sleeper_locked(p, 0);
    if (i < 0)
        return NULL;
    struct gs_worker *w = gs_sched_worker(s, (unsigned)i);
    claim_locked(p, w, WAKE_THIS);
    count_rouse(s);
    return w;
}

void gs_park_outside_end_mt(struct gs_sched *s)
{
    struct gs_park *p = &s->park;
    gs_spin_lock(&p->lock);
    GS_CHECK(p->outside > 0);
    p->outside--;
    struct gs_worker *w = claim_checker_locked(s);
    gs_spin_unlock(&p->lock);
    /* From here on the run may end and s be freed: only the address is used, and a wake-up at a
     * stale one is harmless. */
    if (w)
        gs_futex_wake(&w->wake, 1);
}

void gs_park_retire_owner(struct gs_worker *w)
{
    struct gs_sched *s = w->sched;
    struct gs_park *p = &s->park;
    gs_spin_lock(&p->lock);
    awake_add_locked(p, UINT32_MAX);
    (void)gs_sub_seq(&p->idle, GS_PARK_SEARCHING); /* [P1] worker 0 is awake, or has looked */
    struct gs_worker *checker = claim_checker_locked(s);
    gs_spin_unlock(&p->lock);
    if (checker)
        gs_futex_wake(&checker->wake, 1);
}
