/* SPDX-License-Identifier: MIT
 * park.c - stress: the verdict "nothing can run" comes exactly once, never early and never not at all.
 *
 * Each round runs a few tasks through random steps (yield, sleep, offload, hand over to a partner, wait for a thread from outside) and
 * then lets all of them park for good. The hook must find every step done. A verdict that comes too early is seen by the
 * hook, one that never comes by the time limit of the test.
 *
 * Usage      stress_park [seconds [seed]]
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sched.h"
#include "port/clock.h"
#include "port/mem.h"

#define TASKS_MAX 24
#define STEPS_MAX 30

struct actor {
    struct gs_task task;
    struct gs_timer timer;
    uint64_t random;
    int steps;
    struct actor *partner; /* parks until we wake it, the first time round */
    bool waits;
};

static struct gs_sched *sched;
static struct actor actors[TASKS_MAX];
static int tasks;
static _Atomic int steps_left, verdicts, early;

static void fail(const char *what)
{
    fprintf(stderr, "stress_park: %s\n", what);
    exit(1);
}

static uint64_t next(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

static void on_quiet(void *ctx, struct gs_worker *w)
{
    (void)ctx;
    (void)w;
    (void)gs_add_rlx(&verdicts, 1);
    if (gs_load_acq(&steps_left) != 0)
        (void)gs_add_rlx(&early, 1);
}

static void on_timer(struct gs_timer *tm)
{
    struct actor *a = (struct actor *)(void *)((char *)tm - offsetof(struct actor, timer));
    gs_task_ready_mt(sched, &a->task);
}

static void on_offload(void *arg)
{
    struct actor *a = arg;
    if (a->random % 3 == 0)
        usleep((unsigned)(a->random % 100));
    gs_task_ready_mt(sched, &a->task);
}

static void *on_thread(void *arg)
{
    struct actor *a = arg;
    gs_task_ready_mt(sched, &a->task);
    gs_sched_outside_end_mt(sched);
    return NULL;
}

static void start_thread(struct actor *a)
{
    pthread_t th;
    gs_sched_outside_begin_mt(sched);
    if (pthread_create(&th, NULL, on_thread, a) != 0)
        fail("no thread");
    pthread_detach(th);
}

static enum gs_run act(struct gs_task *t, struct gs_worker *w)
{
    struct actor *a = (struct actor *)(void *)t;
    (void)w;
    if (a->waits) { /* its partner wakes it once */
        a->waits = false;
        return GS_RUN_PARK;
    }
    if (a->partner) {
        gs_task_ready_mt(sched, &a->partner->task);
        a->partner = NULL;
    }
    if (a->steps == 0)
        return GS_RUN_PARK; /* for good */
    a->steps--;
    (void)gs_sub_acq_rel(&steps_left, 1);
    uint64_t r = next(&a->random);
    switch (r % 8) {
    case 0:
    case 1:
        return GS_RUN_YIELD;
    case 2:
        gs_timer_start_mt(sched, &a->timer, gs_clock_mono_ns() + (int64_t)(r >> 8) % 200000,
                          on_timer);
        return GS_RUN_PARK;
    case 3:
        gs_timer_start_mt(sched, &a->timer, 0, on_timer);
        return GS_RUN_PARK;
    case 4:
        if (gs_sched_offload_mt(sched, on_offload, a) != 0)
            return GS_RUN_YIELD;
        return GS_RUN_PARK;
    case 5:
        gs_task_ready_mt(sched, t);
        return GS_RUN_PARK;
    case 6:
        if (r >> 8 & 7)
            return GS_RUN_YIELD;
        start_thread(a);
        return GS_RUN_PARK;
    default:
        for (unsigned i = 0; i < (r >> 8) % 2000; i++)
            gs_cpu_relax();
        return GS_RUN_YIELD;
    }
}

static enum gs_run start_all(struct gs_task *t, struct gs_worker *w)
{
    (void)w;
    for (int i = 0; i < tasks; i++)
        gs_sched_submit_mt(sched, &actors[i].task);
    gs_worker_detach_owner(w);
    memset(t, 0xff, sizeof *t);
    return GS_RUN_DONE;
}

static void prepare(uint64_t *x)
{
    int total = 0;
    tasks = 1 + (int)(next(x) % TASKS_MAX);
    for (int i = 0; i < tasks; i++) {
        struct actor *a = &actors[i];
        memset(a, 0, sizeof *a);
        gs_task_init(&a->task, act);
        a->random = next(x) | 1u;
        a->steps = (int)(next(x) % STEPS_MAX);
        total += a->steps;
    }
    gs_store_rlx(&steps_left, total);
    gs_store_rlx(&verdicts, 0);
    gs_store_rlx(&early, 0);
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? atof(argv[1]) : 3;
    uint64_t x = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)gs_clock_mono_ns();
    static const struct gs_sched_hooks hooks = {.quiescent = on_quiet};
    int64_t end = gs_clock_mono_ns() + (int64_t)(seconds * 1e9);
    printf("seed %llu\n", (unsigned long long)x);
    x |= 1u;
    int rounds = 0;
    while (gs_clock_mono_ns() < end) {
        struct gs_sched_config cfg = {
            .workers = 1 + (unsigned)(next(&x) % 5), .hooks = &hooks, .seed = next(&x)};
        sched = gs_sched_new(&cfg);
        if (!sched)
            fail("no memory");
        for (int k = 0; k < 20; k++, rounds++) {
            struct gs_task first;
            gs_task_init(&first, start_all);
            prepare(&x);
            if (gs_sched_run(sched, &first) != 3)
                fail("the run did not end by itself");
            if (gs_load_rlx(&early))
                fail("the verdict came while something could still run");
            if (gs_load_rlx(&verdicts) != 1)
                fail("more than one verdict");
        }
        gs_sched_free(sched);
    }
    printf("%d rounds\n", rounds);
    return 0;
}
