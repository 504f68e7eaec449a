/* SPDX-License-Identifier: MIT
 * ticker.c - the thread that keeps time for workers which are busy.
 *
 * Problem    A worker inside a task sees neither its timers nor its queue. A loop without calls
 *            must not hold a core while others wait, and a timer must fire even if every worker is
 *            busy. But an idle process makes no wake-ups, and a program with one task has no use
 *            for another thread.
 * Levels     OFF   asleep without a timeout.
 *            SLOW  asleep until the earliest timer of a busy worker (plan_ns).
 *            FAST  a look every TICK_NS, and in between when a busy worker's timer is due.
 *            Who queues a task behind a running one raises it to FAST; a worker that is about to
 *            run a task while a timer of its own is earlier than plan_ns raises it to SLOW. After
 *            QUIET_TICKS looks that found nothing queued it steps down. The ticker is left on for a
 *            while, because switching it on costs the raiser a system call.
 * Slices     At a look a worker is found in the same run as at the look before: its task has been
 *            running for a tick at least. If something is queued there, an idle worker is woken to
 *            take it (what lies in the slot goes to the inbox for that), and the task is poked with PREEMPT: slices are
 *            1 to 2 ticks. If nothing is queued there but elsewhere, after LONG_NS. Tasks that a
 *            timer wakes get the worker at once: the running task is poked as soon as the timer has
 *            fired.
 * Absent     A worker whose processor somebody else has (another process, the compiler) cannot answer a poke before the kernel's next
 *            turn, 4 ms with most kernels; one inside a long library function not before its end. What a timer has woken there is carried
 *            to the next busy worker when the poked run still goes on after ANSWER_NS, and so on around; when none was busy just then, or an idle
 *            one was to take it and found something else, it is asked and carried again with the slices. What lies in its own queues idle workers take; when there
 *            are none, and it has not answered DEAF_SLICES times, some of it goes the same way with each slice.
 * Orders     [K1] raiser: push, then load the level; ticker: store a lower level, then look at the
 *                 queues once more. All seq_cst, so either the raiser sees the lower level and
 *                 raises it again, or the ticker sees the task and goes on.
 *            [K2] the same with a timer and plan_ns: a worker has left the set of sleepers (park
 *                 lock) when it compares its earliest timer with plan_ns; the ticker stores plan_ns
 *                 (seq_cst), then looks under that lock at the timers of all who are not in the
 *                 set. If it finds w still asleep, w comes out later and reads the new plan.
 *            Stepping down is a CAS on a word that every raise changes: no raise is overwritten.
 */
#include "sched_int.h"

#include "port/clock.h"
#include "port/thread.h"

#define TICK_NS 1000000
#define LONG_NS 10000000
/* A busy worker that makes fewer runs in a tick has long ones: what it readies is worth waking
 * another worker for. */
#define SHORT_RUNS 8u
/* Pokes because of a timer are at least so far apart on one worker. */
#define WAKE_POKE_NS 200000
/* A worker that has its processor answers within some microseconds, long library functions aside. */
#define ANSWER_NS 200000
#define DEAF_SLICES 4u
#define RELIEF 4u /* tasks a slice */
#define QUIET_TICKS 16u
#define LINGER_NS 10000000
/* A busy worker with queued tasks is told to serve the oldest every so many ticks. */
#define FAIR_TICKS 4u
/* A program that has kept two workers busy for so many ticks may care about the topology. */
#define TOPOLOGY_TICKS 64u
#define PINS_NS 100000000
#define FIRE_BATCH 256u

void gs_ticker_init(struct gs_sched *s)
{
    gs_store_rlx(&s->ticker.plan_ns, INT64_MAX); /* nobody else knows s yet */
    s->ticker.answer_ns = INT64_MAX;
}

static uint32_t level_of(uint32_t word)
{
    return word & GS_TICK_LEVEL;
}

static bool queued(const struct gs_worker *w)
{
    return gs_load_seq(&w->slot) || gs_inbox_nonempty_seq_mt(&w->inbox) ||
           gs_deque_nonempty_seq_mt(&w->deque) || gs_deque_nonempty_seq_mt(&w->late); /* [K1] */
}

static bool busy(const struct gs_worker *w)
{
    return gs_load_rlx(&w->run_seq) % 2 == 1; /* if it just was: a look too many or too few */
}

/* The earliest timer of a worker that is in a task. One that is missed is found at the next
 * look. */
static int64_t earliest(struct gs_sched *s)
{
    int64_t next = INT64_MAX;
    unsigned n = gs_sched_started(s);
    for (unsigned i = 0; i < n; i++) {
        struct gs_worker *w = gs_sched_worker(s, i);
        int64_t t = gs_timers_next_mt(&w->timers);
        if (t < next && busy(w))
            next = t;
    }
    return next;
}

static bool any_queued(struct gs_sched *s, const struct gs_worker *but)
{
    unsigned n = gs_sched_started(s);
    for (unsigned i = 0; i < n; i++) {
        struct gs_worker *w = gs_sched_worker(s, i);
        if (w != but && queued(w))
            return true;
    }
    return false;
}

static void was_poked(struct gs_sched *s, struct gs_worker *w, int64_t now)
{
    w->poked_at_ns = now;
    gs_stat_add_mt(&s->others, GS_STAT_PREEMPTS, 1);
    gs_trace_point(GS_TRACE_SLICE, w->index, 0, 0);
}

static void expect_answer(struct gs_ticker *k, const struct gs_worker *w)
{
    int64_t by = w->poked_at_ns + ANSWER_NS;
    if (by < k->answer_ns)
        k->answer_ns = by;
}

/* It was poked in this run, for its inbox. */
static void ask(struct gs_ticker *k, struct gs_worker *w, uint32_t seq)
{
    w->asked_seq = seq;
    expect_answer(k, w);
}

/* Tells a busy worker to serve what a timer has woken, unless it was told to give way just now, and looks again when it has had time to. */
static void poke_for_inbox(struct gs_sched *s, struct gs_worker *w, int64_t now)
{
    uint32_t seq = gs_load_rlx(&w->run_seq);
    if (now - w->poked_at_ns >= WAKE_POKE_NS) {
        if (gs_worker_poke_mt(w, GS_POKE_PREEMPT, 0))
            was_poked(s, w, now);
        w->poked_at_ns = now; /* if somebody else is just poking it, that is as good */
    }
    ask(&s->ticker, w, seq | 1u); /* between two runs: the next one is as good */
}

/* Fires the due timers of a worker that is in a task. Returns how many. */
static unsigned fire_for(struct gs_sched *s, struct gs_worker *w, int64_t now)
{
    int64_t next = gs_timers_next_mt(&w->timers);
    /* Between two tasks it does so itself; unless it is held up, in a hook that blocks for
     * example. */
    if (next > now || (!busy(w) && now - next < TICK_NS))
        return 0;
    gs_park_outside_begin_mt(s); /* so that nobody declares the end while a task is in our hands */
    bool traced = gs_trace_begin(GS_TRACE_TIMERS, NULL, 0);
    unsigned n = gs_timers_fire_mt(&w->timers, now, FIRE_BATCH);
    gs_trace_end(traced, GS_TRACE_TIMERS, NULL, n);
    gs_park_outside_end_mt(s);
    if (n > 0)
        gs_stat_add_mt(&s->others, GS_STAT_TIMERS, n);
    return n;
}

static void fire_all(struct gs_sched *s, int64_t now)
{
    unsigned n = gs_sched_started(s), fired = 0;
    for (unsigned i = 0; i < n; i++)
        fired += fire_for(s, gs_sched_worker(s, i), now);
    if (fired == 0 || gs_load_rlx(&s->park.idle) != 0)
        return;
    /* Nobody else to take what was woken: the tasks of the workers where it lies have to give way. */
    for (unsigned i = 0; i < n; i++) {
        struct gs_worker *w = gs_sched_worker(s, i);
        if (gs_inbox_nonempty_mt(&w->inbox))
            poke_for_inbox(s, w, now);
    }
}

static struct gs_worker *next_busy(struct gs_sched *s, const struct gs_worker *w)
{
    unsigned n = gs_sched_started(s);
    for (unsigned i = 1; i < n; i++) {
        struct gs_worker *v = gs_sched_worker(s, (w->index + i) % n);
        if (busy(v))
            return v;
    }
    return NULL;
}

/* The oldest first, so that they stay in order. */
static void carry(struct gs_inbox *from, struct gs_inbox *to)
{
    struct gs_task *oldest = NULL;
    for (struct gs_task *t = gs_inbox_take_mt(from), *older; t; t = older) {
        older = t->next;
        t->next = oldest;
        oldest = t;
    }
    while (oldest) {
        struct gs_task *t = oldest;
        oldest = t->next;
        (void)gs_inbox_push_mt(to, t);
    }
}

/* Something has been pushed into v's inbox. [P1] That v was busy is a guess: it may have gone to sleep meanwhile. */
static void was_carried(struct gs_sched *s, struct gs_worker *v, int64_t now)
{
    gs_sched_notify_mt(s);
    poke_for_inbox(s, v, now);
}

/* Whoever was poked for its inbox has had time to answer. See "Absent". */
static void look_for_answers(struct gs_sched *s, int64_t now)
{
    s->ticker.answer_ns = INT64_MAX;
    unsigned n = gs_sched_started(s);
    for (unsigned i = 0; i < n; i++) {
        struct gs_worker *w = gs_sched_worker(s, i);
        uint32_t asked = w->asked_seq;
        if (asked == 0)
            continue;
        if (now - w->poked_at_ns < ANSWER_NS) { /* it still has time */
            expect_answer(&s->ticker, w);
            continue;
        }
        w->asked_seq = 0;
        if (gs_load_rlx(&w->run_seq) != asked || !gs_inbox_nonempty_mt(&w->inbox)) /* a guess */
            continue;
        struct gs_worker *v = next_busy(s, w);
        if (!v)
            continue;
        gs_park_outside_begin_mt(s); /* as in fire_for */
        carry(&w->inbox, &v->inbox);
        gs_park_outside_end_mt(s);
        was_carried(s, v, now);
    }
}

/* w, in this run, has been asked to give way once more. Others should not wait for what it has queued. See "Absent". */
static void relieve(struct gs_sched *s, struct gs_worker *w, uint32_t seq, int64_t now)
{
    w->deaf = w->deaf_seq == seq ? w->deaf + 1 : 0;
    w->deaf_seq = seq;
    struct gs_worker *v = w->deaf < DEAF_SLICES ? NULL : next_busy(s, w);
    if (!v)
        return;
    unsigned n = 0;
    gs_park_outside_begin_mt(s); /* as in fire_for */
    for (; n < RELIEF; n++) {
        struct gs_task *t = gs_deque_take_mt(&w->deque);
        if (!t)
            t = gs_deque_take_mt(&w->late);
        if (!t)
            break;
        (void)gs_inbox_push_mt(&v->inbox, t);
    }
    gs_park_outside_end_mt(s);
    if (n > 0)
        was_carried(s, v, now);
}

/* In the run in which it was seen at the last look. */
static bool in_long_run(const struct gs_worker *w)
{
    uint32_t seq = gs_load_rlx(&w->run_seq); /* a guess, as all of this */
    return seq == w->seen_seq && seq % 2 == 1;
}

/* A held worker in a long run, of which nobody waits for the end: does what cannot be done without holding it. */
static void poke_long_run(struct gs_sched *s, struct gs_worker *w, int64_t now)
{
    int64_t age = now - w->seen_at_ns;
    if (queued(w)) {
        (void)gs_worker_empty_slot_held(w, w->seen_seq);
        /* An idle worker takes it; one that is on its way gets a tick more. */
        bool helped = gs_load_rlx(&s->park.idle) != 0;
        if (age < (helped ? 2 * TICK_NS : TICK_NS) - TICK_NS / 2)
            return;
    } else if (age >= LONG_NS) {
        gs_store_rlx(&w->abroad, true); /* a hint, see sched_int.h */
    } else {
        return; /* somebody has just taken it */
    }
    w->gave = gs_worker_poke_held(w, GS_POKE_PREEMPT, w->seen_seq);
}

/* One fence for all whose tasks have to give way: it interrupts every processor. */
static void poke_long_runs(struct gs_sched *s, int64_t now)
{
    bool any = false;
    unsigned n = gs_sched_started(s);
    for (unsigned i = 0; i < n; i++) {
        struct gs_worker *w = gs_sched_worker(s, i);
        w->gave = false;
        w->held = in_long_run(w) && (queued(w) || (now - w->seen_at_ns >= LONG_NS && any_queued(s, w))) && gs_worker_hold_mt(w);
        any |= w->held;
    }
    if (!any)
        return;
    gs_fence_heavy(); /* worker.c [C1] */
    for (unsigned i = 0; i < n; i++) {
        struct gs_worker *w = gs_sched_worker(s, i);
        if (w->held) {
            poke_long_run(s, w, now);
            gs_worker_release_mt(w);
        }
        if (w->gave)
            was_poked(s, w, now);
    }
}

/* The worker has been in one task since the last look at least. */
static void look_at_long_run(struct gs_sched *s, struct gs_worker *w, uint32_t seq, int64_t now)
{
    gs_store_rlx(&w->slot_shut, true); /* a hint, see sched_int.h */
    if (queued(w)) {
        gs_sched_notify_mt(s);
        if (w->gave) {
            /* The next run begins about now; otherwise it would be noticed a tick late. */
            w->seen_seq = seq + 2;
            w->seen_at_ns = now;
            if (gs_inbox_nonempty_mt(&w->inbox)) /* nobody has taken it so far, whoever was asked */
                ask(&s->ticker, w, seq);
            relieve(s, w, seq, now);
        }
    } else if (now - w->seen_at_ns >= LONG_NS) {
        w->seen_at_ns = now;
    }
}

/* True if something is queued there. */
static bool look_at(struct gs_sched *s, struct gs_worker *w, int64_t now)
{
    uint32_t seq = gs_load_rlx(&w->run_seq);
    bool waiting = queued(w);
    if (gs_sched_stopped(s)) {
        (void)gs_worker_poke_mt(w, GS_POKE_PREEMPT, 0);
        return busy(w);
    }
    if (seq == w->seen_seq && seq % 2 == 1) {
        look_at_long_run(s, w, seq, now);
    } else if (seq != w->seen_seq) {
        uint32_t runs = (seq - w->seen_seq) / 2;
        w->seen_seq = seq;
        w->seen_at_ns = now;
        gs_store_rlx(&w->slot_shut, seq % 2 == 1 && runs < SHORT_RUNS);
    }
    if (waiting && gs_load_rlx(&s->ticker.ticks) % FAIR_TICKS == 0)
        gs_store_rlx(&w->fair, true);
    return waiting;
}

/* For traces. An inbox counts as one: who is in it only its taker knows. */
static GS_COLD void tell_load(struct gs_sched *s)
{
    uint64_t tasks = 0;
    unsigned n = gs_sched_started(s), working = 0;
    for (unsigned i = 0; i < n; i++) {
        const struct gs_worker *w = gs_sched_worker(s, i);
        working += busy(w);
        tasks += (uint64_t)(gs_deque_size_mt(&w->deque) + gs_deque_size_mt(&w->late));
        tasks += (gs_inbox_nonempty_mt(&w->inbox) ? 1u : 0u) + (gs_load_rlx(&w->slot) != NULL ? 1u : 0u); /* a sample */
    }
    gs_trace_point(GS_TRACE_LOAD, working, tasks, 0);
}

static void tick(struct gs_sched *s, int64_t now)
{
    struct gs_ticker *k = &s->ticker;
    bool waiting = false;
    unsigned n = gs_sched_started(s), working = 0;
    uint32_t ticks = gs_load_rlx(&k->ticks) + 1; /* only we write it */
    gs_store_rlx(&k->ticks, ticks);
    poke_long_runs(s, now);
    for (unsigned i = 0; i < n; i++) {
        struct gs_worker *w = gs_sched_worker(s, i);
        waiting |= look_at(s, w, now);
        working += busy(w);
    }
    if (gs_tracing)
        tell_load(s);
    k->quiet = waiting ? 0 : k->quiet + 1;
    k->parallel += working > 1;
    if (k->parallel == TOPOLOGY_TICKS)
        gs_pin_load_mt(s);
    if (now - k->pins_at_ns >= PINS_NS) {
        k->pins_at_ns = now;
        gs_pin_watch(s);
    }
}

/* Plans the next look when nothing is queued: SLOW until the earliest timer, or OFF. */
static void step_down(struct gs_sched *s, uint32_t word, int64_t now)
{
    struct gs_ticker *k = &s->ticker;
    int64_t next = gs_park_earliest_awake_mt(s);
    bool linger = next == INT64_MAX && !k->lingering;
    int64_t plan = linger ? now + LINGER_NS : next;
    if (plan < now + WAKE_POKE_NS) /* due: its worker is just about to fire it */
        plan = now + WAKE_POKE_NS;
    uint32_t level = plan == INT64_MAX ? GS_TICK_OFF : GS_TICK_SLOW;
    gs_store_seq(&k->plan_ns, plan);                                   /* [K2] */
    if (!gs_cas_seq(&k->word, &word, (word & ~GS_TICK_LEVEL) | level)) /* [K1] */
        return;
    k->planned = (word & ~GS_TICK_LEVEL) | level;
    k->lingering = linger;
    if (gs_tracing)
        tell_load(s);
    if (any_queued(s, NULL) || gs_park_earliest_awake_mt(s) < next) /* [K1] [K2] */
        gs_ticker_raise_mt(s, GS_TICK_FAST);
}

static void wait_for_time(struct gs_sched *s, uint32_t word, int64_t until)
{
    int64_t left = until - gs_clock_mono_ns();
    if (until == INT64_MAX)
        gs_futex_wait(&s->ticker.word, word, -1);
    else if (left > 0)
        gs_futex_wait(&s->ticker.word, word, left);
}

/* Just raised to FAST: the first look is a tick away. */
static void begin_ticks(struct gs_ticker *k, uint32_t word)
{
    k->planned = word;
    k->quiet = 0;
    k->lingering = false;
    k->next_tick_ns = gs_clock_mono_ns() + TICK_NS;
    gs_store_seq(&k->plan_ns, (int64_t)0); /* [K2] */
}

static void keep_ticking(struct gs_sched *s, uint32_t word)
{
    struct gs_ticker *k = &s->ticker;
    int64_t timer = earliest(s);
    int64_t until = timer < k->next_tick_ns ? timer : k->next_tick_ns;
    wait_for_time(s, word, k->answer_ns < until ? k->answer_ns : until);
    int64_t now = gs_clock_mono_ns();
    if (now >= k->answer_ns)
        look_for_answers(s, now);
    fire_all(s, now);
    if (now < k->next_tick_ns)
        return;
    k->next_tick_ns = now + TICK_NS;
    tick(s, now);
    if (k->quiet >= QUIET_TICKS)
        step_down(s, word, now);
}

static void *ticker_main(void *arg)
{
    struct gs_sched *s = arg;
    struct gs_ticker *k = &s->ticker;
    gs_thread_prompt_self(true);
    gs_trace_thread("ticker");
    for (;;) {
        uint32_t word = gs_load_seq(&k->word); /* [K1] */
        switch (level_of(word)) {
        case GS_TICK_QUIT:
            return NULL;
        case GS_TICK_FAST:
            if (word != k->planned)
                begin_ticks(k, word);
            keep_ticking(s, word);
            break;
        default: /* raised to SLOW: planned first; then each time the plan has come */
            if (word == k->planned)
                wait_for_time(s, word, gs_load_rlx(&k->plan_ns)); /* only we write it */
            int64_t now = gs_clock_mono_ns();
            fire_all(s, now);
            step_down(s, word, now);
        }
    }
}

void gs_ticker_make_mt(struct gs_sched *s)
{
    struct gs_ticker *k = &s->ticker;
    if (gs_xchg_acq_rel(&k->made, 1u))
        return;
    pthread_mutex_lock(&s->grow_lock);
    k->has_thread = gs_thread_start(&k->thread, "goost-ticker", ticker_main, s) == 0;
    pthread_mutex_unlock(&s->grow_lock);
}

void gs_ticker_raise_mt(struct gs_sched *s, uint32_t level)
{
    struct gs_ticker *k = &s->ticker;
    uint32_t word = gs_load_seq(&k->word); /* [K1] */
    uint32_t to;
    do {
        uint32_t is = level_of(word);
        if (is >= GS_TICK_FAST)
            return;
        to = is == GS_TICK_SLOW || level == GS_TICK_FAST ? GS_TICK_FAST : GS_TICK_SLOW;
        to |= (word & ~GS_TICK_LEVEL) + (GS_TICK_LEVEL + 1);
    } while (!gs_cas_seq(&k->word, &word, to)); /* [K1] */
    /* With two workers the second one makes the thread, so that the first spawn need not. */
    if (gs_load_rlx(&k->made) == 0) {
        if (gs_sched_started(s) <= 1)
            gs_ticker_make_mt(s);
        return;
    }
    gs_futex_wake(&k->word, 1);
}

void gs_ticker_fini(struct gs_sched *s)
{
    struct gs_ticker *k = &s->ticker;
    pthread_mutex_lock(&s->grow_lock);
    bool has = k->has_thread;
    pthread_mutex_unlock(&s->grow_lock);
    if (!has)
        return;
    gs_store_seq(&k->word, (uint32_t)GS_TICK_QUIT);
    gs_futex_wake(&k->word, 1);
    pthread_join(k->thread, NULL);
    k->has_thread = false;
}
