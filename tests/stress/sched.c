/* SPDX-License-Identifier: MIT
 * sched.c - stress: tasks that wait with a timeout, wake each other, compute, spawn and free themselves, on several workers.
 *
 * A wait is a cell that two parties race for: a timer and whoever picks the cell from a common table. Exactly one may win and ready
 * the waiter. Tasks free their memory inside their last resume while the ticker pokes them, so an address sanitizer sees a poke
 * that comes too late, and a thread sanitizer any missing order. Every task counts once at its end.
 *
 * Usage      stress_sched [seconds [seed]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sched.h"
#include "port/clock.h"
#include "port/mem.h"

#define CELLS 64
#define LIVE_MAX 3000
#define SPAWNS 20000

enum { CELL_IDLE, CELL_WAITING, CELL_TAKEN };

struct waiter {
    struct gs_task task;
    struct gs_timer timer;
    _Atomic uint32_t cell; /* of one wait: who takes it from WAITING wakes us */
    uint64_t random;
    int steps;
    int place;    /* in the table, -1 while not waiting there */
    int woken_by; /* 1: somebody, 2: the timer; written by the winner before it readies us */
};

static struct gs_sched *sched;
static _Atomic(struct waiter *) table[CELLS];
static _Atomic int live, spawned, ended, by_timer, by_task;
static struct gs_task root;

static void fail(const char *what)
{
    fprintf(stderr, "stress_sched: %s\n", what);
    exit(1);
}

static uint64_t next(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

static enum gs_run live_on(struct gs_task *t, struct gs_worker *w);

static bool spawn(uint64_t seed)
{
    if (gs_add_rlx(&spawned, 1) >= SPAWNS)
        return false;
    struct waiter *x = gs_mem_must_zalloc(sizeof *x);
    gs_task_init(&x->task, live_on);
    x->task.sp_real = 1;
    x->random = seed | 1u;
    x->steps = (int)(seed >> 20 & 15);
    x->place = -1;
    (void)gs_add_rlx(&live, 1);
    gs_sched_submit_mt(sched, &x->task);
    return true;
}

static bool win(struct waiter *x, int who)
{
    uint32_t waiting = CELL_WAITING;
    if (!gs_cas_acq_rel(&x->cell, &waiting, (uint32_t)CELL_TAKEN))
        return false;
    x->woken_by = who;
    gs_task_ready_mt(sched, &x->task);
    return true;
}

static void on_timer(struct gs_timer *tm)
{
    (void)win((struct waiter *)(void *)((char *)tm - offsetof(struct waiter, timer)), 2);
}

static struct waiter held; /* stands in the table for a waiter that a waker has in its hands */

/* Wakes some waiter of the table. While it is held it does not end. */
static void wake_one(uint64_t r)
{
    struct waiter *x = gs_load_acq(&table[r % CELLS]);
    if (!x || x == &held || !gs_cas_acq_rel(&table[r % CELLS], &x, &held))
        return;
    (void)win(x, 1);
    gs_store_rel(&table[r % CELLS], x);
}

static enum gs_run begin_wait(struct waiter *x, uint64_t r)
{
    struct waiter *empty = NULL;
    gs_store_rlx(&x->cell, (uint32_t)CELL_WAITING); /* published by the next two */
    x->woken_by = 0;
    if (gs_cas_acq_rel(&table[r % CELLS], &empty, x))
        x->place = (int)(r % CELLS);
    gs_timer_start_mt(sched, &x->timer, gs_clock_mono_ns() + (int64_t)(r >> 40) % 500000, on_timer);
    return GS_RUN_PARK;
}

/* Out of the table, unless a waker just holds us: then it puts us back soon. */
static bool end_wait(struct waiter *x)
{
    if (x->place >= 0) {
        struct waiter *me = x;
        if (!gs_cas_acq_rel(&table[x->place], &me, NULL))
            return false;
        x->place = -1;
    }
    bool stopped = gs_timer_stop_mt(sched, &x->timer);
    if (stopped && x->woken_by == 2)
        fail("a timer fired and was stopped");
    if (!stopped && x->woken_by == 0)
        fail("woken by nobody");
    (void)gs_add_rlx(x->woken_by == 2 ? &by_timer : &by_task, 1);
    x->woken_by = 0;
    gs_store_rlx(&x->cell, (uint32_t)CELL_IDLE);
    return true;
}

static void compute(struct gs_task *t, uint64_t r)
{
    for (uint64_t i = 0; i < r % 1000 && gs_load_rlx(&t->sp_limit) != 0; i++)
        gs_cpu_relax();
    (void)gs_task_answer(t);
}

static enum gs_run end_of_life(struct waiter *x, struct gs_worker *w)
{
    gs_worker_detach_owner(w);
    gs_mem_free(x);
    (void)gs_add_rlx(&ended, 1);
    if (gs_sub_acq_rel(&live, 1) == 1)
        gs_task_ready_mt(sched, &root);
    return GS_RUN_DONE;
}

static enum gs_run live_on(struct gs_task *t, struct gs_worker *w)
{
    struct waiter *x = (struct waiter *)(void *)t;
    if (gs_load_rlx(&x->cell) == CELL_TAKEN && !end_wait(x))
        return GS_RUN_YIELD;
    uint64_t r = next(&x->random);
    if (x->steps-- <= 0)
        return end_of_life(x, w);
    switch (r % 8) {
    case 0:
    case 1:
        return begin_wait(x, r >> 8);
    case 2:
        if (gs_load_rlx(&live) < LIVE_MAX)
            (void)(spawn(next(&x->random)) && spawn(next(&x->random)));
        return GS_RUN_YIELD;
    case 3:
        compute(t, r >> 8);
        return GS_RUN_YIELD;
    case 4:
        gs_task_ready_mt(sched, t);
        return GS_RUN_PARK;
    default:
        for (int i = 0; i < 4; i++)
            wake_one(next(&x->random));
        return GS_RUN_YIELD;
    }
}

static uint64_t root_random;

static enum gs_run root_resume(struct gs_task *t, struct gs_worker *w)
{
    (void)t;
    (void)w;
    /* live counts the root while it spawns, so that it is woken only when all are gone. */
    if (gs_load_rlx(&spawned) >= SPAWNS) {
        gs_sched_stop(sched, 0);
        return GS_RUN_DONE;
    }
    gs_store_rlx(&live, 1);
    for (int i = 0; i < 200 && spawn(next(&root_random)); i++)
        ;
    if (gs_sub_acq_rel(&live, 1) == 1)
        return GS_RUN_YIELD;
    return GS_RUN_PARK;
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? atof(argv[1]) : 3;
    uint64_t x = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)gs_clock_mono_ns();
    int64_t end = gs_clock_mono_ns() + (int64_t)(seconds * 1e9);
    printf("seed %llu\n", (unsigned long long)x);
    x |= 1u;
    int rounds = 0;
    for (; gs_clock_mono_ns() < end; rounds++) {
        struct gs_sched_config cfg = {
            .workers = 1 + (unsigned)(next(&x) % 6), .pin = next(&x) % 2, .seed = next(&x)};
        sched = gs_sched_new(&cfg);
        if (!sched)
            fail("no memory");
        gs_store_rlx(&spawned, 0);
        gs_store_rlx(&ended, 0);
        root_random = next(&x);
        gs_task_init(&root, root_resume);
        if (gs_sched_run(sched, &root) != 0)
            fail("somebody was not woken");
        if (gs_load_rlx(&ended) != SPAWNS)
            fail("tasks were lost");
        gs_sched_free(sched);
    }
    printf("%d rounds, %d waits ended by a task, %d by a timer\n", rounds, gs_load_rlx(&by_task),
           gs_load_rlx(&by_timer));
    return 0;
}
