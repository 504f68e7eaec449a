/* SPDX-License-Identifier: MIT
 * test_sched.c - the scheduler as its callers see it: plain C tasks on real workers.
 *
 * Assertions of CUnit are for the main thread: tasks write down what they saw, and the case looks at it after the run.
 */
#define _GNU_SOURCE
#include "sched_unit.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sched.h"
#include "sched_int.h"
#include "port/clock.h"
#include "port/mem.h"
#include "port/thread.h"

#define MS 1000000

static struct gs_sched *s;
static _Atomic int hook_quiet, hook_idle, hook_start, hook_stop;

struct job {
    struct gs_task task; /* first */
    struct gs_timer timer;
    int step;
    int64_t count;
    _Atomic int left;
    struct job *other;
    int64_t at;
};

static struct job *job_of(struct gs_task *t)
{
    return (struct job *)(void *)t;
}

static void job_init(struct job *j, enum gs_run (*resume)(struct gs_task *, struct gs_worker *))
{
    memset(j, 0, sizeof *j);
    gs_task_init(&j->task, resume);
}

static void wake_job(struct gs_timer *tm)
{
    struct job *j = (struct job *)(void *)((char *)tm - offsetof(struct job, timer));
    gs_task_ready_mt(s, &j->task);
}

static enum gs_run sleep_for(struct job *j, int64_t ns)
{
    gs_timer_start_mt(s, &j->timer, gs_clock_mono_ns() + ns, wake_job);
    return GS_RUN_PARK;
}

static void on_quiet(void *ctx, struct gs_worker *w)
{
    (void)ctx;
    (void)w;
    (void)gs_add_rlx(&hook_quiet, 1);
}

static void on_idle(void *ctx, struct gs_worker *w)
{
    (void)ctx;
    (void)w;
    (void)gs_add_rlx(&hook_idle, 1);
}

static void *on_start(void *ctx, struct gs_worker *w)
{
    (void)ctx;
    (void)gs_add_rlx(&hook_start, 1);
    return w;
}

static void on_stop(void *ctx, struct gs_worker *w, void *local)
{
    (void)ctx;
    if (local == w && gs_worker_local(w) == w && gs_worker_self() == w)
        (void)gs_add_rlx(&hook_stop, 1);
}

static const struct gs_sched_hooks hooks = {
    .quiescent = on_quiet, .idle = on_idle, .worker_start = on_start, .worker_stop = on_stop};

static void setup(unsigned workers)
{
    struct gs_sched_config cfg = {.workers = workers, .pin = true, .hooks = &hooks, .seed = 3};
    s = gs_sched_new(&cfg);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    gs_store_rlx(&hook_quiet, 0);
    gs_store_rlx(&hook_idle, 0);
    gs_store_rlx(&hook_start, 0);
    gs_store_rlx(&hook_stop, 0);
}

static int threads(void)
{
    int n = 0;
    DIR *d = opendir("/proc/self/task");
    while (d && readdir(d))
        n++;
    if (d)
        closedir(d);
    return n - 2;
}

/* -- one task ---------------------------------------------------------------------------------- */

static int threads_seen;

static enum gs_run sleep_twice(struct gs_task *t, struct gs_worker *w)
{
    struct job *j = job_of(t);
    (void)w;
    threads_seen = threads();
    if (j->step++ < 2) {
        j->at = gs_clock_mono_ns();
        return sleep_for(j, 3 * MS);
    }
    gs_sched_stop(s, 7);
    return GS_RUN_DONE;
}

static void a_single_task_starts_no_thread_and_loads_no_topology(void)
{
    struct job j;
    int before = threads();
    setup(0);
    job_init(&j, sleep_twice);
    CU_ASSERT_EQUAL(gs_sched_run(s, &j.task), 7);
    CU_ASSERT_EQUAL(threads_seen, before);
    CU_ASSERT_EQUAL(j.step, 3);
    CU_ASSERT_PTR_NULL(gs_load_rlx(&s->topology));
    CU_ASSERT_EQUAL(gs_load_rlx(&s->nworkers), 0); /* not even counted */
    CU_ASSERT_EQUAL(gs_load_rlx(&hook_start), 1);
    CU_ASSERT_EQUAL(gs_load_rlx(&hook_stop), 1);
    CU_ASSERT(gs_load_rlx(&hook_idle) >= 2);
    CU_ASSERT_EQUAL(gs_load_rlx(&hook_quiet), 0);
    gs_sched_free(s);
}

static enum gs_run note_lateness(struct gs_task *t, struct gs_worker *w)
{
    struct job *j = job_of(t);
    (void)w;
    int64_t now = gs_clock_mono_ns();
    if (j->step > 0 && now < j->at)
        j->count++; /* too early */
    if (j->step++ == 20) {
        gs_sched_stop(s, 0);
        return GS_RUN_DONE;
    }
    j->at = now + MS;
    gs_timer_start_mt(s, &j->timer, j->at, wake_job);
    return GS_RUN_PARK;
}

static void a_timer_never_fires_early(void)
{
    struct job j;
    setup(1);
    job_init(&j, note_lateness);
    CU_ASSERT_EQUAL(gs_sched_run(s, &j.task), 0);
    CU_ASSERT_EQUAL(j.count, 0);
    gs_sched_free(s);
}

static enum gs_run park_for_ever(struct gs_task *t, struct gs_worker *w)
{
    (void)t;
    (void)w;
    return GS_RUN_PARK;
}

static void a_task_that_nobody_can_wake_ends_the_run_with_3(void)
{
    struct job j;
    setup(0);
    job_init(&j, park_for_ever);
    CU_ASSERT_EQUAL(gs_sched_run(s, &j.task), 3);
    CU_ASSERT_EQUAL(gs_load_rlx(&hook_quiet), 1);
    CU_ASSERT_EQUAL(gs_load_rlx(&j.task.state), GS_TASK_PARKED);
    gs_sched_free(s);
}

static enum gs_run past_timer(struct gs_task *t, struct gs_worker *w)
{
    struct job *j = job_of(t);
    (void)w;
    if (j->step++ == 0) {
        gs_timer_start_mt(s, &j->timer, 1, wake_job); /* long ago */
        j->count = gs_load_rlx(&t->state);            /* it has not fired inside the call */
        return GS_RUN_PARK;
    }
    gs_sched_stop(s, 0);
    return GS_RUN_DONE;
}

static void a_timer_in_the_past_fires_soon_but_not_inside_the_call(void)
{
    struct job j;
    setup(0);
    job_init(&j, past_timer);
    CU_ASSERT_EQUAL(gs_sched_run(s, &j.task), 0);
    CU_ASSERT_EQUAL(j.count, GS_TASK_RUNNING);
    gs_sched_free(s);
}

static enum gs_run stop_a_timer(struct gs_task *t, struct gs_worker *w)
{
    struct job *j = job_of(t);
    (void)w;
    if (j->step++ == 0) {
        gs_timer_start_mt(s, &j->timer, gs_clock_mono_ns() + 1000 * MS, wake_job);
        j->count += gs_timer_stop_mt(s, &j->timer) ? 1 : 100;
        j->count += gs_timer_stop_mt(s, &j->timer) ? 100 : 1;
        return sleep_for(j, MS);
    }
    j->count += gs_timer_stop_mt(s, &j->timer) ? 100 : 1; /* it has fired */
    gs_sched_stop(s, 0);
    return GS_RUN_DONE;
}

static void a_stopped_timer_stays_stopped(void)
{
    struct job j;
    setup(1);
    job_init(&j, stop_a_timer);
    CU_ASSERT_EQUAL(gs_sched_run(s, &j.task), 0);
    CU_ASSERT_EQUAL(j.count, 3);
    gs_sched_free(s);
}

/* -- a task that is only the beginning of another ---------------------------------------------- */

/* The other one: looks at what it was asked for in its beginning, then parks, yields and ends in runs of its own. */
static enum gs_run go_on(struct gs_task *t, struct gs_worker *w)
{
    struct job *j = job_of(t);
    switch (j->step++) {
    case 0:
        j->count = gs_task_answer(t);
        gs_task_ready_mt(s, t);
        return GS_RUN_PARK;
    case 1:
        return sleep_for(j, MS);
    case 2:
        return GS_RUN_YIELD;
    case 3:
        return gs_worker_poke_mt(w, GS_POKE_LOOK, 0) ? GS_RUN_YIELD : GS_RUN_DONE;
    default:
        j->at = gs_task_answer(t);
        gs_sched_stop(s, 0);
        return GS_RUN_DONE;
    }
}

static enum gs_run begin(struct gs_task *t, struct gs_worker *w)
{
    struct job *j = job_of(t), *other = j->other;
    gs_task_poke_mt(t, GS_POKE_PREEMPT);
    gs_worker_become_owner(w, &other->task);
    memset(j, 0xff, sizeof *j);
    free(j);
    return go_on(&other->task, w);
}

static void a_task_may_go_on_as_another(void)
{
    struct job *first = malloc(sizeof *first), other;
    CU_ASSERT_PTR_NOT_NULL_FATAL(first);
    setup(1);
    job_init(first, begin);
    job_init(&other, go_on);
    first->other = &other;
    CU_ASSERT_EQUAL(gs_sched_run(s, &first->task), 0);
    CU_ASSERT_EQUAL(other.step, 5);
    CU_ASSERT_EQUAL(other.count, GS_POKE_PREEMPT); /* what came before has come along */
    CU_ASSERT_TRUE((other.at & GS_POKE_LOOK) != 0);
    gs_sched_free(s);
}

/* -- parking against waking -------------------------------------------------------------------- */

static enum gs_run ready_myself(struct gs_task *t, struct gs_worker *w)
{
    struct job *j = job_of(t);
    (void)w;
    if (j->step++ == 1000) {
        gs_sched_stop(s, 0);
        return GS_RUN_DONE;
    }
    gs_task_ready_mt(s, t); /* before the park it belongs to */
    return GS_RUN_PARK;
}

static void a_wake_up_before_the_park_is_not_lost(void)
{
    struct job j;
    setup(1);
    job_init(&j, ready_myself);
    CU_ASSERT_EQUAL(gs_sched_run(s, &j.task), 0);
    CU_ASSERT_EQUAL(j.step, 1001);
    gs_sched_free(s);
}

static enum gs_run count_and_stop(struct gs_task *t, struct gs_worker *w)
{
    struct job *j = job_of(t);
    (void)w;
    j->count = j->other->step;
    gs_sched_stop(s, 0);
    return GS_RUN_DONE;
}

static enum gs_run ready_myself_for_ever(struct gs_task *t, struct gs_worker *w)
{
    struct job *j = job_of(t);
    (void)w;
    if (j->step++ == 0)
        gs_sched_submit_mt(s, &j->other->task);
    gs_task_ready_mt(s, t);
    return GS_RUN_PARK;
}

static void a_task_that_readies_itself_for_ever_starves_nobody(void)
{
    struct job j, k;
    setup(1);
    job_init(&j, ready_myself_for_ever);
    job_init(&k, count_and_stop);
    j.other = &k;
    k.other = &j;
    CU_ASSERT_EQUAL(gs_sched_run(s, &j.task), 0);
    CU_ASSERT(k.count <= 2 * (int64_t)GS_FAIR_PICKS);
    gs_sched_free(s);
}

static enum gs_run play(struct gs_task *t, struct gs_worker *w)
{
    struct job *j = job_of(t);
    (void)w;
    j->step++;
    gs_task_ready_mt(s, &j->other->task);
    return GS_RUN_PARK;
}

static struct job extra;

static enum gs_run serve(struct gs_task *t, struct gs_worker *w)
{
    struct job *j = job_of(t);
    if (j->step++ > 0)
        return play(t, w);
    gs_sched_submit_mt(s, &extra.task);
    gs_sched_submit_mt(s, &j->other->task);
    return GS_RUN_PARK;
}

static void two_tasks_that_wake_each_other_for_ever_starve_nobody(void)
{
    struct job j, k;
    setup(1);
    job_init(&j, serve);
    job_init(&k, play);
    job_init(&extra, count_and_stop);
    j.other = &k;
    k.other = &j;
    extra.other = &j;
    CU_ASSERT_EQUAL(gs_sched_run(s, &j.task), 0);
    CU_ASSERT(extra.count <= 2 * (int64_t)GS_FAIR_PICKS);
    gs_sched_free(s);
}

static enum gs_run yield_and_count(struct gs_task *t, struct gs_worker *w)
{
    struct job *j = job_of(t);
    (void)w;
    if (j->step++ < 20)
        return GS_RUN_YIELD;
    gs_sched_stop(s, 0);
    return GS_RUN_DONE;
}

static void two_tasks_that_wake_each_other_do_not_starve_one_that_yields(void)
{
    struct job j, k;
    setup(1);
    job_init(&j, serve);
    job_init(&k, play);
    job_init(&extra, yield_and_count);
    j.other = &k;
    k.other = &j;
    CU_ASSERT_EQUAL(gs_sched_run(s, &j.task), 0);
    gs_sched_free(s);
}

/* -- many tasks -------------------------------------------------------------------------------- */

#define MANY 20000

static struct job *many;
static struct job root;

static enum gs_run count_down(struct gs_task *t, struct gs_worker *w)
{
    (void)w;
    job_of(t)->count++;
    if (gs_sub_acq_rel(&root.left, 1) == 1)
        gs_task_ready_mt(s, &root.task);
    return GS_RUN_DONE;
}

static enum gs_run spawn_many(struct gs_task *t, struct gs_worker *w)
{
    struct job *j = job_of(t);
    (void)w;
    if (j->step++ > 0) {
        gs_sched_stop(s, 0);
        return GS_RUN_DONE;
    }
    gs_store_rlx(&j->left, MANY);
    for (int i = 0; i < MANY; i++)
        gs_sched_submit_mt(s, &many[i].task);
    return GS_RUN_PARK;
}

static void spawn_with(unsigned workers)
{
    many = calloc(MANY, sizeof *many);
    setup(workers);
    for (int i = 0; i < MANY; i++)
        job_init(&many[i], count_down);
    job_init(&root, spawn_many);
    CU_ASSERT_EQUAL(gs_sched_run(s, &root.task), 0);
    for (int i = 0; i < MANY; i++)
        CU_ASSERT_FATAL(many[i].count == 1);
    CU_ASSERT(gs_sched_workers(s) >= 1);
    CU_ASSERT_EQUAL(gs_load_rlx(&hook_start), gs_load_rlx(&hook_stop));
    gs_sched_free(s);
    free(many);
}

static void every_spawned_task_runs_once_on_one_worker(void)
{
    spawn_with(1);
}

static void every_spawned_task_runs_once_on_eight_workers(void)
{
    spawn_with(8);
}

/* Spawns what is left until it is asked to give way, and counts how often it was. */
static enum gs_run spawn_politely(struct gs_task *t, struct gs_worker *w)
{
    struct job *j = job_of(t);
    (void)w;
    while (j->step < MANY) {
        gs_sched_submit_mt(s, &many[j->step++].task);
        if (gs_task_answer(t) & GS_POKE_PREEMPT) {
            j->count++;
            return GS_RUN_YIELD;
        }
    }
    return gs_load_rlx(&j->left) > 0 ? GS_RUN_PARK : GS_RUN_DONE;
}

static enum gs_run count_down_and_stop(struct gs_task *t, struct gs_worker *w)
{
    (void)w;
    job_of(t)->count++;
    if (gs_sub_acq_rel(&root.left, 1) == 1)
        gs_sched_stop(s, 0);
    return GS_RUN_DONE;
}

static void who_spawns_many_short_tasks_gives_way_to_them(void)
{
    many = calloc(MANY, sizeof *many);
    setup(1);
    for (int i = 0; i < MANY; i++)
        job_init(&many[i], count_down_and_stop);
    job_init(&root, spawn_politely);
    gs_store_rlx(&root.left, MANY);
    CU_ASSERT_EQUAL(gs_sched_run(s, &root.task), 0);
    for (int i = 0; i < MANY; i++)
        CU_ASSERT_FATAL(many[i].count == 1);
    CU_ASSERT_TRUE(root.count >= 1); /* once for each crowd, unless the machine is so slow that they count as long */
    gs_sched_free(s);
    free(many);
}

static void every_spawned_task_runs_when_memory_is_out(void)
{
    many = calloc(MANY, sizeof *many);
    setup(1);
    for (int i = 0; i < MANY; i++)
        job_init(&many[i], count_down);
    job_init(&root, spawn_many);
    gs_mem_fail_at(1); /* the deque cannot grow, no second thread can start */
    CU_ASSERT_EQUAL(gs_sched_run(s, &root.task), 0);
    gs_mem_fail_at(0);
    for (int i = 0; i < MANY; i++)
        CU_ASSERT_FATAL(many[i].count == 1);
    gs_sched_free(s);
    free(many);
}

static void without_memory_there_is_no_scheduler_and_no_leak(void)
{
    struct gs_sched_config cfg = {.topology = "core:2 pu:1"};
    for (uint64_t n = 1; n < 7; n++) {
        gs_mem_fail_at(n);
        CU_ASSERT_PTR_NULL(gs_sched_new(&cfg));
        gs_mem_fail_at(0);
    }
}

static void any_failing_allocation_leaves_a_run_that_ends(void)
{
    many = calloc(MANY, sizeof *many);
    for (uint64_t n = 1; n < 14; n++) {
        setup(3);
        for (int i = 0; i < MANY; i++)
            job_init(&many[i], count_down);
        job_init(&root, spawn_many);
        gs_mem_fail_at(n);
        CU_ASSERT_EQUAL(gs_sched_run(s, &root.task), 0);
        gs_mem_fail_at(0);
        gs_sched_free(s);
    }
    free(many);
}

static void a_scheduler_may_run_again(void)
{
    many = calloc(MANY, sizeof *many);
    setup(4);
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < MANY; i++)
            job_init(&many[i], count_down);
        job_init(&root, spawn_many);
        CU_ASSERT_EQUAL(gs_sched_run(s, &root.task), 0);
        for (int i = 0; i < MANY; i++)
            CU_ASSERT_FATAL(many[i].count == 1);
    }
    gs_sched_free(s);
    free(many);
}

static int order[8], order_n;

static enum gs_run note_order(struct gs_task *t, struct gs_worker *w)
{
    struct job *j = job_of(t);
    (void)w;
    order[order_n++] = (int)j->count;
    if (order_n == 3)
        gs_sched_stop(s, 0);
    return GS_RUN_DONE;
}

static struct job three[3];

static enum gs_run spawn_three(struct gs_task *t, struct gs_worker *w)
{
    (void)w;
    if (job_of(t)->step++ > 0) {
        order[order_n++] = 9;
        return GS_RUN_DONE;
    }
    for (int i = 0; i < 3; i++)
        gs_sched_submit_mt(s, &three[i].task);
    return GS_RUN_YIELD;
}

static void who_yields_goes_behind_all_that_is_queued(void)
{
    struct job j;
    setup(1);
    order_n = 0;
    for (int i = 0; i < 3; i++) {
        job_init(&three[i], note_order);
        three[i].count = i;
    }
    job_init(&j, spawn_three);
    CU_ASSERT_EQUAL(gs_sched_run(s, &j.task), 0);
    bool slow = gs_load_rlx(&s->ticker.ticks) >= 4; /* the machine was elsewhere: the ticker has had the oldest served in between */
    CU_ASSERT(slow || order_n == 3);  /* 9 was never reached */
    CU_ASSERT(slow || order[0] == 2); /* the newest first: depth first */
    CU_ASSERT(slow || order[2] == 0);
    gs_sched_free(s);
}

#define YIELDERS 5
static struct job yielders[YIELDERS];

static enum gs_run yield_on(struct gs_task *t, struct gs_worker *w)
{
    struct job *j = job_of(t);
    (void)w;
    if (j->step++ == 0 && j == &yielders[0]) {
        for (int i = 1; i < YIELDERS; i++)
            gs_sched_submit_mt(s, &yielders[i].task);
    }
    if (gs_sched_stopping(s))
        return GS_RUN_DONE;
    if (j->step == 10000)
        gs_sched_stop(s, 0);
    return GS_RUN_YIELD;
}

static void those_who_yield_take_turns(void)
{
    setup(1);
    for (int i = 0; i < YIELDERS; i++)
        job_init(&yielders[i], yield_on);
    CU_ASSERT_EQUAL(gs_sched_run(s, &yielders[0].task), 0);
    for (int i = 0; i < YIELDERS; i++)
        CU_ASSERT(yielders[i].step > 9900);
    gs_sched_free(s);
}

static enum gs_run yield_until_other(struct gs_task *t, struct gs_worker *w)
{
    struct job *j = job_of(t);
    (void)w;
    if (gs_load_acq(&j->other->left) == 0)
        return GS_RUN_YIELD;
    gs_sched_stop(s, 0);
    return GS_RUN_DONE;
}

static enum gs_run sleep_then_tell(struct gs_task *t, struct gs_worker *w)
{
    struct job *j = job_of(t);
    (void)w;
    if (j->step++ == 0) {
        gs_sched_submit_mt(s, &j->other->task);
        return sleep_for(j, 5 * MS);
    }
    gs_store_rel(&j->left, 1);
    return GS_RUN_DONE;
}

static void a_lone_yielding_task_does_not_keep_timers_from_firing(void)
{
    for (unsigned workers = 1; workers <= 2; workers++) {
        struct job j, k;
        setup(workers);
        job_init(&j, sleep_then_tell);
        job_init(&k, yield_until_other);
        j.other = &k;
        k.other = &j;
        CU_ASSERT_EQUAL(gs_sched_run(s, &j.task), 0);
        gs_sched_free(s);
    }
}

/* -- busy workers ------------------------------------------------------------------------------ */

static enum gs_run poll_loop(struct gs_task *t, struct gs_worker *w)
{
    struct job *j = job_of(t);
    (void)w;
    while (gs_load_rlx(&t->sp_limit) != 0)
        gs_cpu_relax();
    (void)gs_task_answer(t);
    (void)gs_add_rlx(&j->left, 1); /* slices */
    return gs_sched_stopping(s) ? GS_RUN_DONE : GS_RUN_YIELD;
}

#define LOOPS 8
static struct job loops[LOOPS];

static enum gs_run start_loops(struct gs_task *t, struct gs_worker *w)
{
    struct job *j = job_of(t);
    (void)w;
    if (j->step++ == 0) {
        for (int i = 0; i < LOOPS; i++)
            gs_sched_submit_mt(s, &loops[i].task);
        j->at = gs_clock_mono_ns();
    }
    int behind = 0;
    for (int i = 0; i < LOOPS; i++)
        behind += gs_load_rlx(&loops[i].left) < 5;
    if (behind && gs_clock_mono_ns() - j->at < (int64_t)30000 * MS)
        return sleep_for(j, 5 * MS); /* nobody fires it but the ticker: all workers are busy */
    gs_sched_stop(s, behind);
    return GS_RUN_DONE;
}

/* Counts its own time on the worker. */
static enum gs_run measured_loop(struct gs_task *t, struct gs_worker *w)
{
    struct job *j = job_of(t);
    int64_t start = gs_clock_mono_ns();
    enum gs_run r = poll_loop(t, w);
    j->count += gs_clock_mono_ns() - start;
    return r;
}

static enum gs_run stop_after_three(struct gs_task *t, struct gs_worker *w)
{
    struct job *j = job_of(t);
    (void)w;
    if (j->step++ == 0) {
        for (int i = 0; i < 3; i++)
            gs_sched_submit_mt(s, &loops[i].task);
        return sleep_for(j, 600 * MS);
    }
    gs_sched_stop(s, 0);
    return GS_RUN_DONE;
}

static void endless_loops_share_the_workers_and_timers_fire(void)
{
    for (unsigned workers = 1; workers <= 2; workers++) {
        struct job j;
        setup(workers);
        for (int i = 0; i < LOOPS; i++)
            job_init(&loops[i], poll_loop);
        job_init(&j, start_loops);
        CU_ASSERT_EQUAL(gs_sched_run(s, &j.task), 0);
        gs_sched_free(s);
    }
}

static void three_endless_loops_share_two_workers(void)
{
    struct job j;
    int64_t ran[3] = {0};
    setup(2);
    for (int i = 0; i < LOOPS; i++)
        job_init(&loops[i], i < 3 ? measured_loop : park_for_ever);
    job_init(&j, stop_after_three);
    CU_ASSERT_EQUAL(gs_sched_run(s, &j.task), 0);
    for (int i = 0; i < 3; i++)
        ran[i] = loops[i].count / MS;
    /* The one that is alone on its worker gives way every 10 ms, so nobody has a worker for itself. */
    for (int i = 0; i < 3; i++)
        CU_ASSERT(ran[i] * 10 > ran[0] + ran[1] + ran[2]);
    gs_sched_free(s);
}

/* Stops the run when the other one has been seen to run, or the time is over. */
static enum gs_run end_with_other(struct job *j, int64_t end)
{
    while (gs_load_acq(&j->other->left) == 0 && gs_clock_mono_ns() < end)
        gs_cpu_relax();
    j->count = gs_load_acq(&j->other->left);
    gs_sched_stop(s, 0);
    return GS_RUN_DONE;
}

/* Worker i is in one of several loops of its own. */
static void wait_for_loops(unsigned i, int64_t end)
{
    const struct gs_worker *v = gs_sched_worker(s, i);
    while ((gs_load_rlx(&v->run_seq) % 2 == 0 || gs_deque_size_mt(&v->late) == 0) && gs_clock_mono_ns() < end)
        gs_cpu_relax();
}

static enum gs_run hog(struct gs_task *t, struct gs_worker *w)
{
    struct job *j = job_of(t);
    (void)w;
    /* Readies the other one into its slot and then neither parks nor polls until it has run. */
    if (j->step++ == 0) {
        gs_sched_submit_mt(s, &j->other->task);
        return sleep_for(j, 5 * MS); /* the other one parks meanwhile */
    }
    gs_task_ready_mt(s, &j->other->task);
    int64_t end = gs_clock_mono_ns() + (int64_t)20000 * MS;
    return end_with_other(j, end);
}

static enum gs_run park_then_tell(struct gs_task *t, struct gs_worker *w)
{
    struct job *j = job_of(t);
    (void)w;
    if (j->step++ == 0)
        return GS_RUN_PARK;
    gs_store_rel(&j->left, 1);
    return GS_RUN_DONE;
}

/* first holds its worker until it has seen the other one, which parks once, run. */
static void the_other_one_runs(enum gs_run (*first)(struct gs_task *, struct gs_worker *))
{
    struct job j, k;
    setup(2);
    job_init(&j, first);
    job_init(&k, park_then_tell);
    j.other = &k;
    CU_ASSERT_EQUAL(gs_sched_run(s, &j.task), 0);
    CU_ASSERT_EQUAL(j.count, 1);
    gs_sched_free(s);
}

static void a_task_in_the_slot_of_a_hog_is_taken_by_another_worker(void)
{
    the_other_one_runs(hog);
}

/* Starts a timer for the parked one and then does not answer until it has run, while the other worker has loops enough of its own: it does
 * not look for work elsewhere. */
static enum gs_run deaf(struct gs_task *t, struct gs_worker *w)
{
    struct job *j = job_of(t);
    if (j->step++ == 0) {
        gs_sched_submit_mt(s, &j->other->task);
        for (int i = 0; i < LOOPS; i++)
            gs_sched_submit_mt(s, &loops[i].task);
        return sleep_for(j, 5 * MS); /* the other one parks meanwhile */
    }
    int64_t end = gs_clock_mono_ns() + (int64_t)20000 * MS;
    while (gs_load_acq(&j->other->task.state) != GS_TASK_PARKED && gs_clock_mono_ns() < end) /* [T1] */
        gs_cpu_relax();
    wait_for_loops(1 - w->index, end);
    j->other->task.last_worker = w->index; /* as if it had parked here */
    gs_timer_start_mt(s, &j->other->timer, gs_clock_mono_ns() + 2 * MS, wake_job);
    gs_sched_watch_mt(s);
    return end_with_other(j, end);
}

static void what_a_timer_wakes_on_a_deaf_worker_is_carried_to_another(void)
{
    for (int i = 0; i < LOOPS; i++)
        job_init(&loops[i], poll_loop);
    the_other_one_runs(deaf);
}

static enum gs_run tell(struct gs_task *t, struct gs_worker *w)
{
    (void)w;
    gs_store_rel(&job_of(t)->left, 1);
    return GS_RUN_DONE;
}

/* Spawns a task and then does not answer until that has run, likewise. */
static enum gs_run deaf_parent(struct gs_task *t, struct gs_worker *w)
{
    struct job *j = job_of(t);
    if (j->step++ == 0) {
        for (int i = 0; i < LOOPS; i++)
            gs_sched_submit_mt(s, &loops[i].task);
        return sleep_for(j, 5 * MS);
    }
    int64_t end = gs_clock_mono_ns() + (int64_t)20000 * MS;
    wait_for_loops(1 - w->index, end);
    gs_sched_submit_mt(s, &j->other->task);
    return end_with_other(j, end);
}

static void what_a_deaf_worker_has_queued_is_carried_to_another(void)
{
    struct job j, k;
    setup(2);
    for (int i = 0; i < LOOPS; i++)
        job_init(&loops[i], poll_loop);
    job_init(&j, deaf_parent);
    job_init(&k, tell);
    j.other = &k;
    CU_ASSERT_EQUAL(gs_sched_run(s, &j.task), 0);
    CU_ASSERT_EQUAL(j.count, 1);
    gs_sched_free(s);
}

static enum gs_run watch_a_timer(struct gs_task *t, struct gs_worker *w)
{
    struct job *j = job_of(t);
    (void)w;
    (void)t;
    int64_t end = gs_clock_mono_ns() + (int64_t)20000 * MS;
    while (gs_load_acq(&j->left) == 0 && gs_clock_mono_ns() < end)
        gs_cpu_relax();
    gs_sched_stop(s, 0);
    return GS_RUN_DONE;
}

static void set_left(struct gs_timer *tm)
{
    struct job *j = (struct job *)(void *)((char *)tm - offsetof(struct job, timer));
    gs_store_rel(&j->left, 1);
}

static enum gs_run start_and_watch(struct gs_task *t, struct gs_worker *w)
{
    struct job *j = job_of(t);
    gs_timer_start_mt(s, &j->timer, gs_clock_mono_ns() + 2 * MS, set_left);
    gs_sched_watch_mt(s);
    return watch_a_timer(t, w);
}

static void a_watched_timer_fires_while_its_only_worker_is_busy(void)
{
    struct job j;
    setup(1);
    job_init(&j, start_and_watch);
    CU_ASSERT_EQUAL(gs_sched_run(s, &j.task), 0);
    CU_ASSERT_EQUAL(gs_load_rlx(&j.left), 1);
    gs_sched_free(s);
}

/* -- from outside ------------------------------------------------------------------------------ */

static void *stop_later(void *arg)
{
    (void)arg;
    usleep(5000);
    gs_sched_stop(s, 42);
    gs_sched_stop(s, 43);
    return NULL;
}

static void a_stop_from_outside_ends_an_endless_loop(void)
{
    pthread_t th;
    struct job j;
    setup(1);
    job_init(&j, poll_loop);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&th, NULL, stop_later, NULL), 0);
    CU_ASSERT_EQUAL(gs_sched_run(s, &j.task), 42); /* the first code counts */
    pthread_join(th, NULL);
    gs_sched_free(s);
}

static void *feed(void *arg)
{
    (void)arg;
    for (int i = 0; i < MANY; i++) {
        gs_sched_submit_mt(s, &many[i].task);
        if (i % 1000 == 0)
            usleep(100);
    }
    gs_sched_outside_end_mt(s);
    return NULL;
}

static enum gs_run wait_for_all(struct gs_task *t, struct gs_worker *w)
{
    (void)w;
    if (job_of(t)->step++ == 0)
        return GS_RUN_PARK;
    gs_sched_stop(s, 0);
    return GS_RUN_DONE;
}

static void tasks_may_be_submitted_by_other_threads(void)
{
    for (unsigned workers = 1; workers <= 4; workers += 3) {
        pthread_t th;
        many = calloc(MANY, sizeof *many);
        setup(workers);
        for (int i = 0; i < MANY; i++)
            job_init(&many[i], count_down);
        job_init(&root, wait_for_all);
        gs_store_rlx(&root.left, MANY);
        gs_sched_outside_begin_mt(s);
        CU_ASSERT_EQUAL_FATAL(pthread_create(&th, NULL, feed, NULL), 0);
        CU_ASSERT_EQUAL(gs_sched_run(s, &root.task), 0);
        pthread_join(th, NULL);
        for (int i = 0; i < MANY; i++)
            CU_ASSERT_FATAL(many[i].count == 1);
        CU_ASSERT_EQUAL(gs_load_rlx(&hook_quiet), 0);
        gs_sched_free(s);
        free(many);
    }
}

static void blocking_call(void *arg)
{
    struct job *j = arg;
    usleep(3000);
    j->count = gs_worker_self() == NULL;
    gs_task_ready_mt(s, &j->task);
}

static enum gs_run offload_once(struct gs_task *t, struct gs_worker *w)
{
    struct job *j = job_of(t);
    (void)w;
    if (j->step++ == 0)
        return gs_sched_offload_mt(s, blocking_call, j) == 0 ? GS_RUN_PARK : GS_RUN_DONE;
    gs_sched_stop(s, 0);
    return GS_RUN_DONE;
}

static void an_offloaded_call_is_no_deadlock(void)
{
    struct job j;
    setup(0);
    job_init(&j, offload_once);
    CU_ASSERT_EQUAL(gs_sched_run(s, &j.task), 0);
    CU_ASSERT_EQUAL(j.count, 1);
    CU_ASSERT_EQUAL(gs_load_rlx(&hook_quiet), 0);
    gs_sched_free(s);
}

static void useless_call(void *arg)
{
    usleep(2000);
    *(int *)arg = 1;
}

static int useless_done;

static enum gs_run offload_and_park(struct gs_task *t, struct gs_worker *w)
{
    (void)t;
    (void)w;
    (void)gs_sched_offload_mt(s, useless_call, &useless_done);
    return GS_RUN_PARK;
}

static void an_offloaded_call_that_wakes_nobody_ends_in_quiescence(void)
{
    for (unsigned workers = 1; workers <= 4; workers++) {
        struct job j;
        setup(workers);
        useless_done = 0;
        job_init(&j, offload_and_park);
        CU_ASSERT_EQUAL(gs_sched_run(s, &j.task), 3);
        CU_ASSERT_EQUAL(gs_load_rlx(&hook_quiet), 1);
        CU_ASSERT_EQUAL(useless_done, 1);
        gs_sched_free(s);
    }
}

#define CALLS 600
static struct job callers[CALLS];

static void quick_call(void *arg)
{
    gs_task_ready_mt(s, &((struct job *)arg)->task);
}

static enum gs_run call_then_count(struct gs_task *t, struct gs_worker *w)
{
    struct job *j = job_of(t);
    if (j->step++ < 3) {
        while (gs_sched_offload_mt(s, quick_call, j) != 0)
            ;
        return GS_RUN_PARK;
    }
    return count_down(t, w);
}

static enum gs_run start_callers(struct gs_task *t, struct gs_worker *w)
{
    (void)w;
    if (job_of(t)->step++ > 0) {
        gs_sched_stop(s, 0);
        return GS_RUN_DONE;
    }
    gs_store_rlx(&root.left, CALLS);
    for (int i = 0; i < CALLS; i++)
        gs_sched_submit_mt(s, &callers[i].task);
    return GS_RUN_PARK;
}

static void many_offloaded_calls_all_come_back(void)
{
    setup(2);
    for (int i = 0; i < CALLS; i++)
        job_init(&callers[i], call_then_count);
    job_init(&root, start_callers);
    CU_ASSERT_EQUAL(gs_sched_run(s, &root.task), 0);
    gs_sched_free(s);
}

static void *start_timer_outside(void *arg)
{
    struct job *j = arg;
    usleep(3000); /* its worker sleeps by now */
    gs_timer_start_mt(s, &j->timer, gs_clock_mono_ns() + MS, wake_job);
    gs_sched_outside_end_mt(s);
    return NULL;
}

static void a_timer_started_by_another_thread_wakes_a_sleeping_worker(void)
{
    pthread_t th;
    struct job j;
    setup(0);
    job_init(&j, wait_for_all);
    gs_sched_outside_begin_mt(s);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&th, NULL, start_timer_outside, &j), 0);
    CU_ASSERT_EQUAL(gs_sched_run(s, &j.task), 0);
    pthread_join(th, NULL);
    gs_sched_free(s);
}

/* -- silence ----------------------------------------------------------------------------------- */

/* How often the scheduler's threads, worker 0 among them, have gone to sleep so far. */
static long long switches(void)
{
    long long sum = 0;
    DIR *d = opendir("/proc/self/task");
    for (struct dirent *e; d && (e = readdir(d));) {
        char path[300], line[200], name[32] = "";
        snprintf(path, sizeof path, "/proc/self/task/%s/status", e->d_name);
        FILE *f = e->d_name[0] == '.' ? NULL : fopen(path, "r");
        while (f && fgets(line, sizeof line, f)) {
            long long n;
            (void)sscanf(line, "Name: %31s", name);
            bool ours = atoi(e->d_name) == (int)getpid() || strncmp(name, "goost", 5) == 0;
            if (ours && sscanf(line, "voluntary_ctxt_switches: %lld", &n) == 1)
                sum += n;
        }
        if (f)
            fclose(f);
    }
    if (d)
        closedir(d);
    return sum;
}

static bool silent;

static void *watch_silence(void *arg)
{
    (void)arg;
    /* The ticker steps down after some tens of milliseconds, later on a machine that is busy. */
    for (int i = 0; i < 100 && !silent; i++) {
        long long before = switches();
        usleep(150000);
        silent = switches() == before;
    }
    gs_sched_stop(s, 0);
    gs_sched_outside_end_mt(s);
    return NULL;
}

static enum gs_run spawn_then_park(struct gs_task *t, struct gs_worker *w)
{
    (void)t;
    (void)w;
    for (int i = 0; i < 1000; i++)
        gs_sched_submit_mt(s, &many[i].task);
    return GS_RUN_PARK;
}

static void an_idle_scheduler_makes_no_wake_ups(void)
{
    pthread_t th;
    struct job j;
    many = calloc(MANY, sizeof *many);
    setup(4);
    for (int i = 0; i < MANY; i++)
        job_init(&many[i], count_down);
    gs_store_rlx(&root.left, MANY); /* never reached */
    job_init(&j, spawn_then_park);
    silent = false;
    gs_sched_outside_begin_mt(s);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&th, NULL, watch_silence, NULL), 0);
    CU_ASSERT_EQUAL(gs_sched_run(s, &j.task), 0);
    pthread_join(th, NULL);
    CU_ASSERT(silent);
    gs_sched_free(s);
    free(many);
}

/* -- the rest ---------------------------------------------------------------------------------- */

static void a_poke_is_answered_once_and_never_lost(void)
{
    struct gs_task t;
    gs_task_init(&t, park_for_ever);
    t.sp_real = 1234;
    CU_ASSERT_EQUAL(gs_task_answer(&t), 0);
    CU_ASSERT_EQUAL(gs_load_rlx(&t.sp_limit), 1234);
    gs_task_poke_mt(&t, GS_POKE_CANCEL);
    gs_task_poke_mt(&t, GS_POKE_PREEMPT);
    CU_ASSERT_EQUAL(gs_load_rlx(&t.sp_limit), 0);
    CU_ASSERT_EQUAL(gs_task_answer(&t), GS_POKE_CANCEL | GS_POKE_PREEMPT);
    CU_ASSERT_EQUAL(gs_task_answer(&t), 0);
    CU_ASSERT_EQUAL(gs_load_rlx(&t.sp_limit), 1234);
}

static void the_table_of_counters_adds_up(void)
{
    char *text = NULL;
    size_t len = 0;
    many = calloc(MANY, sizeof *many);
    setup(2);
    for (int i = 0; i < MANY; i++)
        job_init(&many[i], count_down);
    job_init(&root, spawn_many);
    CU_ASSERT_EQUAL(gs_sched_run(s, &root.task), 0);
    FILE *out = open_memstream(&text, &len);
    gs_sched_stats_print(s, out);
    fclose(out);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "runs"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "20002")); /* all, and the root twice */
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nall "));
    free(text);
    gs_sched_free(s);
    free(many);
}

static enum gs_run start_in_task(struct gs_task *t, struct gs_worker *w)
{
    struct job *j = job_of(t);
    j->step = gs_worker_self() == w && gs_worker_sched(w) == s && gs_worker_index(w) == 0 &&
              gs_worker_local(w) == w;
    gs_worker_detach_owner(w);
    gs_worker_detach_owner(w);
    gs_sched_stop(s, 0);
    return GS_RUN_DONE;
}

static void a_task_knows_its_worker(void)
{
    struct job j;
    CU_ASSERT_PTR_NULL(gs_worker_self());
    setup(1);
    job_init(&j, start_in_task);
    CU_ASSERT_EQUAL(gs_sched_run(s, &j.task), 0);
    CU_ASSERT_EQUAL(j.step, 1);
    CU_ASSERT_PTR_NULL(gs_worker_self());
    gs_sched_free(s);
}

static void workers_are_pinned_once_the_machine_is_known(void)
{
    if (gs_thread_mask_count() < 2)
        return;
    struct job j;
    setup(2);
    gs_pin_load_mt(s);
    pthread_join(s->topology_thread, NULL);
    s->has_topology_thread = false;
    CU_ASSERT_PTR_NOT_NULL(gs_load_acq(&s->topology));
    for (int i = 0; i < LOOPS; i++)
        job_init(&loops[i], poll_loop);
    job_init(&j, start_loops);
    CU_ASSERT_EQUAL(gs_sched_run(s, &j.task), 0);
    gs_sched_free(s);
    unsigned all = 0;
    for (unsigned cpu = 0; cpu < 8192; cpu++)
        all += gs_thread_mask_has(cpu);
    CU_ASSERT_EQUAL(all, gs_thread_mask_count());
    cpu_set_t set;
    CU_ASSERT_EQUAL(pthread_getaffinity_np(pthread_self(), sizeof set, &set), 0);
    CU_ASSERT_EQUAL((unsigned)CPU_COUNT(&set), all); /* the caller has its mask back */
}

static const CU_TestInfo cases[] = {
    CASE(a_single_task_starts_no_thread_and_loads_no_topology),
    CASE(a_timer_never_fires_early),
    CASE(a_task_that_nobody_can_wake_ends_the_run_with_3),
    CASE(a_timer_in_the_past_fires_soon_but_not_inside_the_call),
    CASE(a_stopped_timer_stays_stopped),
    CASE(a_task_may_go_on_as_another),
    CASE(a_wake_up_before_the_park_is_not_lost),
    CASE(a_task_that_readies_itself_for_ever_starves_nobody),
    CASE(two_tasks_that_wake_each_other_for_ever_starve_nobody),
    CASE(two_tasks_that_wake_each_other_do_not_starve_one_that_yields),
    CASE(who_spawns_many_short_tasks_gives_way_to_them),
    CASE(every_spawned_task_runs_once_on_one_worker),
    CASE(every_spawned_task_runs_once_on_eight_workers),
    CASE(every_spawned_task_runs_when_memory_is_out),
    CASE(without_memory_there_is_no_scheduler_and_no_leak),
    CASE(any_failing_allocation_leaves_a_run_that_ends),
    CASE(a_scheduler_may_run_again),
    CASE(who_yields_goes_behind_all_that_is_queued),
    CASE(those_who_yield_take_turns),
    CASE(a_lone_yielding_task_does_not_keep_timers_from_firing),
    CASE(endless_loops_share_the_workers_and_timers_fire),
    CASE(three_endless_loops_share_two_workers),
    CASE(a_task_in_the_slot_of_a_hog_is_taken_by_another_worker),
    CASE(what_a_timer_wakes_on_a_deaf_worker_is_carried_to_another),
    CASE(what_a_deaf_worker_has_queued_is_carried_to_another),
    CASE(a_watched_timer_fires_while_its_only_worker_is_busy),
    CASE(a_stop_from_outside_ends_an_endless_loop),
    CASE(tasks_may_be_submitted_by_other_threads),
    CASE(an_offloaded_call_is_no_deadlock),
    CASE(an_offloaded_call_that_wakes_nobody_ends_in_quiescence),
    CASE(many_offloaded_calls_all_come_back),
    CASE(a_timer_started_by_another_thread_wakes_a_sleeping_worker),
    CASE(an_idle_scheduler_makes_no_wake_ups),
    CASE(a_poke_is_answered_once_and_never_lost),
    CASE(the_table_of_counters_adds_up),
    CASE(a_task_knows_its_worker),
    CASE(workers_are_pinned_once_the_machine_is_known),
};

int main(void)
{
    return run_cases("sched", cases, sizeof cases / sizeof cases[0]);
}
