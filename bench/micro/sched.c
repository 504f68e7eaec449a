/* SPDX-License-Identifier: MIT
 * sched.c - the scheduler by itself, with plain C tasks: what a spawn, a switch, a timer and a steal cost.
 *
 * Every case counts what it did and compares with what it should have done; a wrong count ends the program with code 1.
 * Each is run ROUNDS times; the median and the best are printed. "late" is no cost but a distribution: how late 1 ms timers
 * fire while four times more endless tasks than processors run.
 *
 * Usage      bench_sched [case...]
 */
#include "micro.h"

#include "sched/sched.h"
#include "sched/deque.h"
#include "sched/timer.h"
#include "sched/port/check.h"
#include "sched/port/clock.h"
#include "sched/port/mem.h"

static struct gs_sched *sched;

static int run_with(unsigned workers, struct gs_task *first)
{
    struct gs_sched_config cfg = {.workers = workers, .pin = true, .seed = 1};
    sched = gs_sched_new(&cfg);
    expect(sched != NULL, "memory");
    int code = gs_sched_run(sched, first);
    gs_sched_free(sched);
    return code;
}

/* -- spawn ------------------------------------------------------------------------------------- */

#define SPAWNS 1000000

struct spawner {
    struct gs_task task;
    struct gs_task *children;
    _Atomic int left;
    int round, joins;
    int64_t start;
    double ns[ROUNDS];
};
static struct spawner spawner;

static enum gs_run child_resume(struct gs_task *t, struct gs_worker *w)
{
    (void)t;
    (void)w;
    if (gs_sub_acq_rel(&spawner.left, 1) == 1)
        gs_task_ready_mt(sched, &spawner.task);
    return GS_RUN_DONE;
}

static enum gs_run spawner_resume(struct gs_task *t, struct gs_worker *w)
{
    struct spawner *s = (struct spawner *)(void *)t;
    (void)w;
    if (s->round > 0) {
        expect(gs_load_acq(&s->left) == 0, "spawn");
        s->ns[s->round - 1] = (double)(gs_clock_mono_ns() - s->start) / SPAWNS;
    }
    if (s->round++ == ROUNDS) {
        gs_sched_stop(sched, 0);
        return GS_RUN_DONE;
    }
    gs_store_rlx(&s->left, SPAWNS);
    s->start = gs_clock_mono_ns();
    for (int i = 0; i < SPAWNS; i++) {
        gs_task_init(&s->children[i], child_resume);
        gs_sched_submit_mt(sched, &s->children[i]);
    }
    return GS_RUN_PARK;
}

static void bench_spawn(unsigned workers, const char *name)
{
    spawner = (struct spawner){.children = gs_mem_must_zalloc(SPAWNS * sizeof(struct gs_task))};
    gs_task_init(&spawner.task, spawner_resume);
    expect(run_with(workers, &spawner.task) == 0, "spawn's end");
    gs_mem_free(spawner.children);
    report(name, spawner.ns, "ns");
}

static void spawn_1(void)
{
    bench_spawn(1, "spawn and run, 1 worker");
}

static void spawn_2(void)
{
    bench_spawn(2, "spawn and run, 2 workers");
}

/* Spawns one task and waits for it, again and again. */
static enum gs_run joiner_resume(struct gs_task *t, struct gs_worker *w)
{
    enum { JOINS = 300000 };
    struct spawner *s = (struct spawner *)(void *)t;
    (void)w;
    if (s->joins == 0)
        s->start = gs_clock_mono_ns();
    if (s->joins++ == JOINS) {
        s->joins = 0;
        s->ns[s->round++] = (double)(gs_clock_mono_ns() - s->start) / JOINS;
        if (s->round == ROUNDS) {
            gs_sched_stop(sched, 0);
            return GS_RUN_DONE;
        }
    }
    gs_store_rlx(&s->left, 1);
    gs_task_init(&s->children[0], child_resume);
    gs_sched_submit_mt(sched, &s->children[0]);
    return GS_RUN_PARK;
}

static void bench_join(unsigned workers, const char *name)
{
    spawner = (struct spawner){.children = gs_mem_must_zalloc(sizeof(struct gs_task))};
    gs_task_init(&spawner.task, joiner_resume);
    expect(run_with(workers, &spawner.task) == 0, "join's end");
    gs_mem_free(spawner.children);
    report(name, spawner.ns, "ns");
}

static void join_1(void)
{
    bench_join(1, "spawn and wait, 1 worker");
}

static void join_2(void)
{
    bench_join(2, "spawn and wait, 2 workers");
}

/* A tree of spawns, depth first: the parent is made ready by its second child. */
#define TREE_DEPTH 18

struct node {
    struct gs_task task;
    struct node *parent;
    _Atomic int left;
    int depth;
    int64_t sum;
    struct node *child[2];
};

static enum gs_run node_resume(struct gs_task *t, struct gs_worker *w)
{
    struct node *n = (struct node *)(void *)t;
    if (n->depth > 0 && !n->child[0]) {
        gs_store_rlx(&n->left, 2);
        for (int i = 0; i < 2; i++) {
            n->child[i] = gs_mem_must_zalloc(sizeof *n);
            gs_task_init(&n->child[i]->task, node_resume);
            n->child[i]->parent = n;
            n->child[i]->depth = n->depth - 1;
        }
        gs_sched_submit_mt(sched, &n->child[0]->task);
        gs_sched_submit_mt(sched, &n->child[1]->task);
        return GS_RUN_PARK;
    }
    n->sum = 1;
    for (int i = 0; i < 2 && n->child[i]; i++) {
        n->sum += n->child[i]->sum;
        gs_mem_free(n->child[i]);
    }
    struct node *p = n->parent;
    gs_worker_detach_owner(w);
    if (!p)
        gs_sched_stop(sched, 0);
    else if (gs_sub_acq_rel(&p->left, 1) == 1)
        gs_task_ready_mt(sched, &p->task);
    return GS_RUN_DONE;
}

static void bench_tree(unsigned workers, const char *name)
{
    double ns[ROUNDS];
    for (int r = 0; r < ROUNDS; r++) {
        struct node root = {.depth = TREE_DEPTH};
        gs_task_init(&root.task, node_resume);
        int64_t start = gs_clock_mono_ns();
        expect(run_with(workers, &root.task) == 0, "tree's end");
        expect(root.sum == (2 << TREE_DEPTH) - 1, "tree");
        ns[r] = (double)(gs_clock_mono_ns() - start) / (double)root.sum;
    }
    report(name, ns, "ns");
}

static void tree_1(void)
{
    bench_tree(1, "tree of spawns, 1 worker");
}

static void tree_2(void)
{
    bench_tree(2, "tree of spawns, 2 workers");
}

/* -- switches ---------------------------------------------------------------------------------- */

#define SWITCHES 4000000

struct player {
    struct gs_task task;
    struct player *other;
    int64_t hits, limit;
    int64_t start;
    double ns[ROUNDS];
    int round;
};
static struct player ping, pong;

static enum gs_run pong_resume(struct gs_task *t, struct gs_worker *w)
{
    struct player *p = (struct player *)(void *)t;
    (void)w;
    p->hits++;
    gs_task_ready_mt(sched, &p->other->task);
    return GS_RUN_PARK;
}

static enum gs_run ping_resume(struct gs_task *t, struct gs_worker *w)
{
    struct player *p = (struct player *)(void *)t;
    (void)w;
    if (p->hits == 0 && p->round == 0) {
        p->start = gs_clock_mono_ns();
        p->hits = 1;
        gs_sched_submit_mt(sched, &p->other->task);
        return GS_RUN_PARK;
    }
    if (p->hits++ == SWITCHES / 2) {
        int64_t now = gs_clock_mono_ns();
        p->ns[p->round++] = (double)(now - p->start) / SWITCHES;
        expect(p->other->hits == (int64_t)p->round * SWITCHES / 2, "switch");
        p->hits = 1;
        p->start = now;
        if (p->round == ROUNDS) {
            gs_sched_stop(sched, 0);
            return GS_RUN_DONE;
        }
    }
    gs_task_ready_mt(sched, &p->other->task);
    return GS_RUN_PARK;
}

static void bench_switch(unsigned workers, const char *name)
{
    memset(&ping, 0, sizeof ping);
    memset(&pong, 0, sizeof pong);
    ping.other = &pong;
    pong.other = &ping;
    gs_task_init(&ping.task, ping_resume);
    gs_task_init(&pong.task, pong_resume);
    expect(run_with(workers, &ping.task) == 0, "switch's end");
    report(name, ping.ns, "ns");
}

static void switch_1(void)
{
    bench_switch(1, "park/ready switch, 1 worker");
}

static void switch_2(void)
{
    bench_switch(2, "park/ready switch, 2 workers");
}

static enum gs_run yield_resume(struct gs_task *t, struct gs_worker *w)
{
    struct player *p = (struct player *)(void *)t;
    (void)w;
    if (p->hits == 0 && p->other) {
        p->start = gs_clock_mono_ns();
        gs_sched_submit_mt(sched, &p->other->task);
    }
    if (++p->hits % (SWITCHES / 2) == 0 && p->other) {
        int64_t now = gs_clock_mono_ns();
        p->ns[p->round++] = (double)(now - p->start) / SWITCHES;
        p->start = now;
    }
    if (gs_sched_stopping(sched))
        return GS_RUN_DONE;
    if (p->round == ROUNDS)
        gs_sched_stop(sched, 0);
    return GS_RUN_YIELD;
}

static void yield_1(void)
{
    memset(&ping, 0, sizeof ping);
    memset(&pong, 0, sizeof pong);
    ping.other = &pong;
    gs_task_init(&ping.task, yield_resume);
    gs_task_init(&pong.task, yield_resume);
    expect(run_with(1, &ping.task) == 0, "yield's end");
    int64_t apart = ping.hits - pong.hits;
    expect(apart >= -100000 && apart <= 100000, "yield is not fair");
    report("yield switch, 1 worker", ping.ns, "ns");
}

/* -- deque ------------------------------------------------------------------------------------- */

#define DEQUE_OPS 20000000
#define DEQUE_DEPTH 100

static void deque_pop(void)
{
    static struct gs_task tasks[DEQUE_DEPTH];
    static struct gs_deque d;
    double ns[ROUNDS];
    expect(gs_deque_init(&d), "memory");
    for (int r = 0; r < ROUNDS; r++) {
        int64_t start = gs_clock_mono_ns();
        for (int i = 0; i < DEQUE_OPS / DEQUE_DEPTH; i++) {
            for (int k = 0; k < DEQUE_DEPTH; k++)
                gs_deque_push_owner(&d, &tasks[k]);
            for (int k = DEQUE_DEPTH - 1; k >= 0; k--)
                expect(gs_deque_pop_owner(&d) == &tasks[k], "deque pop");
        }
        ns[r] = (double)(gs_clock_mono_ns() - start) / DEQUE_OPS;
    }
    gs_deque_fini(&d);
    report("deque push and pop", ns, "ns");
}

static void deque_steal(void)
{
    static struct gs_task tasks[DEQUE_DEPTH];
    static struct gs_deque d;
    double ns[ROUNDS];
    expect(gs_deque_init(&d), "memory");
    for (int r = 0; r < ROUNDS; r++) {
        int64_t start = gs_clock_mono_ns();
        for (int i = 0; i < DEQUE_OPS / DEQUE_DEPTH; i++) {
            struct gs_task *t;
            for (int k = 0; k < DEQUE_DEPTH; k++)
                gs_deque_push_owner(&d, &tasks[k]);
            for (int k = 0; k < DEQUE_DEPTH; k++)
                expect(gs_deque_steal_mt(&d, &t) == GS_STEAL_OK && t == &tasks[k], "deque steal");
        }
        ns[r] = (double)(gs_clock_mono_ns() - start) / DEQUE_OPS;
    }
    gs_deque_fini(&d);
    report("deque push and steal", ns, "ns");
}

/* -- timers ------------------------------------------------------------------------------------ */

static int64_t fired, last_when;

static void on_fire(struct gs_timer *tm)
{
    expect(tm->when_ns >= last_when, "timers fire in order");
    last_when = tm->when_ns;
    fired++;
}

static void start_stop(int sleeping, const char *name)
{
    enum { OPS = 2000000 };
    static struct gs_timers ts;
    double ns[ROUNDS];
    gs_timers_init(&ts);
    struct gs_timer *set = gs_mem_must_zalloc(((size_t)sleeping + 1) * sizeof *set);
    uint64_t x = 88172645463325252u;
    for (int i = 0; i < sleeping; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        set[i].when_ns = 1000000 + (int64_t)(x % 1000000000);
        set[i].fire = on_fire;
        (void)gs_timers_start_mt(&ts, &set[i]);
    }
    struct gs_timer *one = &set[sleeping];
    for (int r = 0; r < ROUNDS; r++) {
        int64_t start = gs_clock_mono_ns();
        for (int i = 0; i < OPS; i++) {
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            one->when_ns = 500000000 + (int64_t)(x % 1000000000);
            one->fire = on_fire;
            (void)gs_timers_start_mt(&ts, one);
            expect(gs_timers_stop_mt(&ts, one), "timer stop");
        }
        ns[r] = (double)(gs_clock_mono_ns() - start) / OPS;
    }
    report(name, ns, "ns");
    if (sleeping) {
        fired = last_when = 0;
        int64_t start = gs_clock_mono_ns();
        while (gs_timers_fire_mt(&ts, INT64_MAX - 1, 1000))
            ;
        expect(fired == sleeping, "timers fired");
        for (int r = 0; r < ROUNDS; r++)
            ns[r] = (double)(gs_clock_mono_ns() - start) / sleeping;
        report("fire one of 1,000,000", ns, "ns");
    }
    gs_timers_fini(&ts);
    gs_mem_free(set);
}

static void timers_few(void)
{
    start_stop(0, "timer start and stop");
}

static void timers_many(void)
{
    start_stop(1000000, "... among 1,000,000");
}

/* -- speed-up ---------------------------------------------------------------------------------- */

#define JOBS 400
#define JOB_STEPS 1000000u

static enum gs_run job_resume(struct gs_task *t, struct gs_worker *w)
{
    static _Atomic uint64_t sink;
    uint64_t x = (uintptr_t)t;
    for (unsigned i = 0; i < JOB_STEPS; i++)
        x = x * 6364136223846793005u + 1442695040888963407u;
    gs_store_rlx(&sink, x);
    return child_resume(t, w);
}

static enum gs_run jobs_resume(struct gs_task *t, struct gs_worker *w)
{
    struct spawner *s = (struct spawner *)(void *)t;
    (void)w;
    if (s->round > 0)
        s->ns[s->round - 1] = (double)(gs_clock_mono_ns() - s->start) / 1e6;
    if (s->round++ == ROUNDS) {
        gs_sched_stop(sched, 0);
        return GS_RUN_DONE;
    }
    gs_store_rlx(&s->left, JOBS);
    s->start = gs_clock_mono_ns();
    for (int i = 0; i < JOBS; i++) {
        gs_task_init(&s->children[i], job_resume);
        gs_sched_submit_mt(sched, &s->children[i]);
    }
    return GS_RUN_PARK;
}

static void speedup(void)
{
    double ms[2];
    for (unsigned n = 1; n <= 2; n++) {
        spawner = (struct spawner){.children = gs_mem_must_zalloc(JOBS * sizeof(struct gs_task))};
        gs_task_init(&spawner.task, jobs_resume);
        expect(run_with(n, &spawner.task) == 0, "jobs");
        gs_mem_free(spawner.children);
        report(n == 1 ? "400 jobs, 1 worker" : "400 jobs, 2 workers", spawner.ns, "ms");
        ms[n - 1] = spawner.ns[ROUNDS / 2];
    }
    printf("%-28s %9.2f times\n", "speed-up", ms[0] / ms[1]);
}

/* -- pipeline ------------------------------------------------------------------------------------ */

/* Two stages of some 30 us an item and a buffer between them: on two workers they should overlap. */
#define ITEMS 3000
#define ITEM_STEPS 50000u
#define BUFFER 16

struct stage {
    struct gs_task task;
    int done;
    int64_t start;
    double ms[ROUNDS];
    int round;
};
static struct stage producer, consumer;
static struct gs_spin buffer_lock;
static int buffered;
static bool producer_parked, consumer_parked;

static void work_on_item(const struct stage *st)
{
    static _Atomic uint64_t sink;
    uint64_t x = (uintptr_t)st;
    for (unsigned i = 0; i < ITEM_STEPS; i++)
        x = x * 6364136223846793005u + 1442695040888963407u;
    gs_store_rlx(&sink, x);
}

/* Moves the buffer by d; false when it cannot and the caller has to park. */
static bool move(int d, bool *me, bool *other, struct gs_task *wake)
{
    gs_spin_lock(&buffer_lock);
    bool ok = buffered + d >= 0 && buffered + d <= BUFFER;
    bool rouse = ok && *other;
    if (ok)
        buffered += d;
    else
        *me = true;
    if (rouse)
        *other = false;
    gs_spin_unlock(&buffer_lock);
    if (rouse)
        gs_task_ready_mt(sched, wake);
    return ok;
}

static enum gs_run consume(struct gs_task *t, struct gs_worker *w)
{
    struct stage *c = (struct stage *)(void *)t;
    (void)w;
    while (c->done < ITEMS * ROUNDS) {
        if (!move(-1, &consumer_parked, &producer_parked, &producer.task))
            return GS_RUN_PARK;
        work_on_item(c);
        if (++c->done % ITEMS == 0) {
            int64_t now = gs_clock_mono_ns();
            c->ms[c->round++] = (double)(now - c->start) / 1e6;
            c->start = now;
        }
    }
    gs_sched_stop(sched, 0);
    return GS_RUN_DONE;
}

static enum gs_run produce(struct gs_task *t, struct gs_worker *w)
{
    struct stage *p = (struct stage *)(void *)t;
    (void)w;
    if (p->done == 0) {
        consumer.start = gs_clock_mono_ns();
        gs_sched_submit_mt(sched, &consumer.task);
    }
    while (p->done < ITEMS * ROUNDS) {
        if (p->round == p->done) { /* the next item is not made yet */
            work_on_item(p);
            p->round++;
        }
        if (!move(1, &producer_parked, &consumer_parked, &consumer.task))
            return GS_RUN_PARK;
        p->done++;
    }
    return GS_RUN_DONE;
}

static void bench_pipeline(unsigned workers, const char *name)
{
    memset(&producer, 0, sizeof producer);
    memset(&consumer, 0, sizeof consumer);
    buffered = 0;
    producer_parked = consumer_parked = false;
    gs_task_init(&producer.task, produce);
    gs_task_init(&consumer.task, consume);
    expect(run_with(workers, &producer.task) == 0, "pipeline's end");
    expect(producer.done == consumer.done && buffered == 0, "pipeline");
    report(name, consumer.ms, "ms");
}

static void pipeline_1(void)
{
    bench_pipeline(1, "3,000 items, 1 worker");
}

static void pipeline_2(void)
{
    bench_pipeline(2, "3,000 items, 2 workers");
}

/* -- lateness ---------------------------------------------------------------------------------- */

#define SLEEPS 2000

struct sleeper {
    struct gs_task task;
    struct gs_timer timer;
    int64_t due;
    int n;
    double late[SLEEPS];
};
static struct sleeper sleeper;
static struct gs_task *loops;

static enum gs_run loop_resume(struct gs_task *t, struct gs_worker *w)
{
    (void)w;
    /* What a script's loop does: nothing but the poll. */
    while (gs_load_rlx(&t->sp_limit) != 0)
        gs_cpu_relax();
    (void)gs_task_answer(t);
    return gs_sched_stopping(sched) ? GS_RUN_DONE : GS_RUN_YIELD;
}

static void wake_sleeper(struct gs_timer *tm)
{
    (void)tm;
    gs_task_ready_mt(sched, &sleeper.task);
}

static enum gs_run sleeper_resume(struct gs_task *t, struct gs_worker *w)
{
    struct sleeper *s = (struct sleeper *)(void *)t;
    int64_t now = gs_clock_mono_ns();
    (void)w;
    if (s->due == 0) {
        for (unsigned i = 0; i < 4 * gs_sched_usable_cpus(); i++) {
            gs_task_init(&loops[i], loop_resume);
            gs_sched_submit_mt(sched, &loops[i]);
        }
    } else {
        s->late[s->n++] = (double)(now - s->due) / 1e3;
        if (s->n == SLEEPS) {
            gs_sched_stop(sched, 0);
            return GS_RUN_DONE;
        }
    }
    s->due = gs_clock_mono_ns() + 1000000;
    gs_timer_start_mt(sched, &s->timer, s->due, wake_sleeper);
    return GS_RUN_PARK;
}

static void late(void)
{
    loops = gs_mem_must_zalloc(4 * gs_sched_usable_cpus() * sizeof *loops);
    memset(&sleeper, 0, sizeof sleeper);
    gs_task_init(&sleeper.task, sleeper_resume);
    expect(run_with(0, &sleeper.task) == 0, "late's end");
    gs_mem_free(loops);
    sort_values(sleeper.late, SLEEPS);
    printf("%-28s p50 %.0f us, p90 %.0f us, p99 %.0f us, worst %.0f us\n",
           "1 ms timers are late by", sleeper.late[SLEEPS / 2], sleeper.late[SLEEPS * 9 / 10],
           sleeper.late[SLEEPS * 99 / 100], sleeper.late[SLEEPS - 1]);
}

/* -- main -------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    {"spawn1", spawn_1},         {"spawn2", spawn_2},    {"join1", join_1},
    {"join2", join_2},           {"tree1", tree_1},      {"tree2", tree_2},
    {"switch1", switch_1},       {"switch2", switch_2},  {"yield", yield_1},
    {"pop", deque_pop},          {"steal", deque_steal}, {"timers", timers_few},
    {"manytimers", timers_many}, {"speedup", speedup},   {"pipeline1", pipeline_1},
    {"pipeline2", pipeline_2},   {"late", late},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (wanted(cases[i].name, argc, argv))
            cases[i].run();
    }
    return 0;
}
