/* SPDX-License-Identifier: MIT
 * test_park.c - sleeping, waking and the verdict that nothing can run, step by step on workers without a loop.
 */
#include "sched_unit.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "sched_int.h"
#include "topology.h"
#include "port/clock.h"
#include "port/mem.h"

static struct gs_sched *s;
static int quiet_calls;
static bool ready_in_hook;
static struct gs_task spare;

static enum gs_run no_resume(struct gs_task *t, struct gs_worker *w)
{
    (void)t;
    (void)w;
    return GS_RUN_DONE;
}

static void on_quiet(void *ctx, struct gs_worker *w)
{
    (void)ctx;
    quiet_calls++;
    if (ready_in_hook)
        gs_worker_push_owner(w, &spare);
}

/* Workers that exist but have no threads; the test plays all of them. */
static void setup(unsigned workers, const char *topology)
{
    static const struct gs_sched_hooks hooks = {.quiescent = on_quiet};
    struct gs_sched_config cfg = {
        .workers = workers, .hooks = &hooks, .seed = 5, .topology = topology};
    s = gs_sched_new(&cfg);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    CU_ASSERT_EQUAL_FATAL(gs_sched_expand_mt(s), workers);
    for (unsigned i = 1; i < workers; i++) {
        gs_load_rlx(&s->worker)[i] = gs_worker_new(s, i);
        CU_ASSERT_PTR_NOT_NULL_FATAL(gs_sched_worker(s, i));
    }
    gs_store_rel(&s->nstarted, workers);
    gs_park_open(s);
    /* Opening makes worker 0 awake and the others not started: here they are awake as well. */
    for (unsigned i = 1; i < workers; i++) {
        gs_store_rlx(&s->park.awake, gs_load_rlx(&s->park.awake) + 1);
        (void)gs_sub_seq(&s->park.idle, 1u);
    }
    quiet_calls = 0;
    ready_in_hook = false;
    gs_task_init(&spare, no_resume);
}

static void teardown(void)
{
    gs_park_close(s);
    gs_sched_free(s);
}

static struct gs_worker *worker(unsigned i)
{
    return gs_sched_worker(s, i);
}

static uint32_t idle(void)
{
    return gs_load_seq(&s->park.idle);
}

struct sleeper {
    pthread_t th;
    struct gs_worker *w;
    _Atomic bool back;
};

static void *sleep_main(void *arg)
{
    struct sleeper *x = arg;
    gs_park_search_begin_owner(x->w);
    gs_park_sleep_owner(x->w);
    gs_store_rel(&x->back, true);
    return NULL;
}

static bool in_set(unsigned i)
{
    gs_spin_lock(&s->park.lock);
    bool in = (s->park.asleep[i / 64] >> (i % 64)) & 1u;
    gs_spin_unlock(&s->park.lock);
    return in;
}

static void put_to_sleep(struct sleeper *x, unsigned i)
{
    x->w = worker(i);
    gs_store_rlx(&x->back, false);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&x->th, NULL, sleep_main, x), 0);
    while (!in_set(i) && !gs_load_acq(&x->back))
        usleep(100);
    usleep(2000); /* most likely it is in the kernel by now; the cases hold anyway */
}

static void with_nobody_asleep_nothing_is_woken(void)
{
    setup(2, NULL);
    CU_ASSERT_EQUAL(idle(), 0);
    CU_ASSERT_FALSE(gs_park_wanted_mt(&s->park));
    gs_park_wake_one_mt(s);
    CU_ASSERT_EQUAL(idle(), 0);
    CU_ASSERT_FALSE(gs_park_wake_this_mt(worker(1)));
    teardown();
}

static void a_push_wakes_a_sleeper_who_then_counts_as_searching(void)
{
    struct sleeper x;
    setup(2, NULL);
    put_to_sleep(&x, 1);
    CU_ASSERT(gs_park_wanted_mt(&s->park));
    CU_ASSERT_FALSE(gs_load_acq(&x.back));
    gs_worker_push_owner(worker(0), &spare);
    gs_sched_notify_mt(s);
    pthread_join(x.th, NULL);
    CU_ASSERT_EQUAL(idle(), GS_PARK_SEARCHING);
    gs_park_search_end_owner(worker(1));
    CU_ASSERT_EQUAL(idle(), 0);
    teardown();
}

static void while_one_searches_nobody_else_is_woken(void)
{
    struct sleeper x;
    setup(3, NULL);
    put_to_sleep(&x, 1);
    gs_park_search_begin_owner(worker(2));
    gs_worker_push_owner(worker(0), &spare);
    CU_ASSERT_FALSE(gs_park_wanted_mt(&s->park));
    gs_park_wake_one_mt(s);
    CU_ASSERT_EQUAL(idle(), GS_PARK_SEARCHING + 1);
    /* The searcher finds a task (another one) and leaves: it sees that there is more, and wakes the next. */
    gs_park_search_end_owner(worker(2));
    pthread_join(x.th, NULL);
    CU_ASSERT_EQUAL(idle(), GS_PARK_SEARCHING);
    teardown();
}

static void the_last_searcher_wakes_nobody_when_there_is_no_more(void)
{
    struct sleeper x;
    setup(3, NULL);
    put_to_sleep(&x, 1);
    gs_park_search_begin_owner(worker(2));
    gs_park_search_end_owner(worker(2));
    CU_ASSERT_EQUAL(idle(), 1);
    CU_ASSERT(gs_park_wake_this_mt(worker(1)));
    CU_ASSERT_FALSE(gs_park_wake_this_mt(worker(1))); /* claimed already */
    pthread_join(x.th, NULL);
    teardown();
}

static void a_worker_does_not_sleep_while_a_task_is_queued(void)
{
    setup(2, NULL);
    gs_worker_push_late_owner(worker(0), &spare);
    gs_park_search_begin_owner(worker(1));
    gs_park_sleep_owner(worker(1)); /* returns at once */
    CU_ASSERT_EQUAL(idle(), GS_PARK_SEARCHING);
    CU_ASSERT_PTR_EQUAL(gs_deque_take_mt(&worker(0)->late), &spare);
    (void)gs_inbox_push_mt(&worker(0)->inbox, &spare);
    gs_park_sleep_owner(worker(1));
    CU_ASSERT_EQUAL(idle(), GS_PARK_SEARCHING);
    teardown();
}

static void a_full_slot_keeps_nobody_awake_until_it_is_emptied_in_the_run_it_was_seen_in(void)
{
    struct sleeper x;
    struct gs_task running;
    setup(2, NULL);
    gs_store_rel(&worker(0)->slot, &spare);
    gs_store_rlx(&worker(0)->run_seq, 5u);
    gs_store_rel(&worker(0)->current, &running);
    put_to_sleep(&x, 1);
    CU_ASSERT(gs_park_wake_this_mt(worker(1)));
    pthread_join(x.th, NULL);
    CU_ASSERT(gs_worker_hold_mt(worker(0)));
    CU_ASSERT_FALSE(gs_worker_hold_mt(worker(0)));
    CU_ASSERT_FALSE(gs_worker_empty_slot_held(worker(0), 3u));
    CU_ASSERT_PTR_EQUAL(gs_load_rlx(&worker(0)->slot), &spare);
    CU_ASSERT(gs_worker_empty_slot_held(worker(0), 5u));
    CU_ASSERT_PTR_NULL(gs_load_rlx(&worker(0)->slot));
    CU_ASSERT_FALSE(gs_worker_empty_slot_held(worker(0), 5u));
    gs_worker_release_mt(worker(0));
    gs_park_sleep_owner(worker(1)); /* returns at once */
    CU_ASSERT_PTR_EQUAL(gs_steal_owner(worker(1)), &spare);
    gs_worker_detach_owner(worker(0));
    CU_ASSERT_FALSE(gs_worker_hold_mt(worker(0)));
    teardown();
}

static void fire_nothing(struct gs_timer *tm)
{
    (void)tm;
}

static void a_sleeper_comes_back_for_its_own_timer(void)
{
    struct gs_timer tm = {.fire = fire_nothing};
    setup(1, NULL);
    int64_t due = gs_clock_mono_ns() + 3000000;
    tm.when_ns = due;
    (void)gs_timers_start_mt(&worker(0)->timers, &tm);
    gs_park_search_begin_owner(worker(0));
    gs_park_sleep_owner(worker(0));
    CU_ASSERT(gs_clock_mono_ns() >= due);
    CU_ASSERT_EQUAL(quiet_calls, 0);
    CU_ASSERT_EQUAL(idle(), GS_PARK_SEARCHING);
    teardown();
}

static void with_nothing_left_the_hook_is_called_and_the_run_stops_with_3(void)
{
    setup(1, NULL);
    gs_park_search_begin_owner(worker(0));
    gs_park_sleep_owner(worker(0));
    CU_ASSERT_EQUAL(quiet_calls, 1);
    CU_ASSERT(gs_sched_stopping(s));
    CU_ASSERT_EQUAL(gs_load_rlx(&s->stop_code), 3);
    teardown();
}

static void a_hook_that_readies_a_task_keeps_the_run_going(void)
{
    setup(1, NULL);
    ready_in_hook = true;
    gs_park_search_begin_owner(worker(0));
    gs_park_sleep_owner(worker(0));
    CU_ASSERT_EQUAL(quiet_calls, 1);
    CU_ASSERT_FALSE(gs_sched_stopping(s));
    teardown();
}

static void only_the_last_of_two_sleepers_calls_the_hook(void)
{
    struct sleeper x;
    setup(2, NULL);
    put_to_sleep(&x, 1);
    CU_ASSERT_EQUAL(quiet_calls, 0);
    gs_park_search_begin_owner(worker(0));
    gs_park_sleep_owner(worker(0));
    CU_ASSERT_EQUAL(quiet_calls, 1);
    pthread_join(x.th, NULL); /* woken by the stop */
    teardown();
}

static void a_call_that_is_out_prevents_the_verdict_until_it_ends(void)
{
    struct sleeper x;
    setup(1, NULL);
    gs_sched_outside_begin_mt(s);
    put_to_sleep(&x, 0);
    CU_ASSERT_EQUAL(quiet_calls, 0);
    gs_sched_outside_end_mt(s); /* wakes it, so that it looks */
    pthread_join(x.th, NULL);
    CU_ASSERT_EQUAL(quiet_calls, 0);
    gs_park_sleep_owner(worker(0));
    CU_ASSERT_EQUAL(quiet_calls, 1);
    teardown();
}

static void a_timer_of_another_sleeper_prevents_the_verdict(void)
{
    struct sleeper x;
    struct gs_timer tm = {.fire = fire_nothing, .when_ns = gs_clock_mono_ns() + 50000000};
    setup(2, NULL);
    (void)gs_timers_start_mt(&worker(1)->timers, &tm);
    put_to_sleep(&x, 1);
    struct sleeper y;
    put_to_sleep(&y, 0);
    CU_ASSERT_EQUAL(quiet_calls, 0);
    pthread_join(x.th, NULL); /* its timer is due */
    CU_ASSERT_EQUAL(gs_timers_fire_mt(&worker(1)->timers, gs_clock_mono_ns(), 1), 1);
    gs_park_sleep_owner(worker(1));
    CU_ASSERT_EQUAL(quiet_calls, 1);
    pthread_join(y.th, NULL);
    teardown();
}

static void a_worker_that_retires_last_makes_another_one_look(void)
{
    struct sleeper x;
    setup(2, NULL);
    put_to_sleep(&x, 0);
    CU_ASSERT_EQUAL(quiet_calls, 0);
    gs_park_search_begin_owner(worker(1));
    gs_park_retire_owner(worker(1));
    pthread_join(x.th, NULL);
    gs_park_sleep_owner(worker(0));
    CU_ASSERT_EQUAL(quiet_calls, 1);
    teardown();
}

/* -- victims: nearer rings first --------------------------------------------------------------- */

static struct gs_task marked[64];

static void nearer_victims_are_emptied_first(const char *topology, unsigned workers)
{
    setup(workers, topology);
    const struct gs_topology *topo = gs_load_acq(&s->topology);
    CU_ASSERT_PTR_NOT_NULL_FATAL(topo);
    for (unsigned thief = 0; thief < workers; thief++) {
        for (unsigned i = 0; i < workers; i++) {
            if (i != thief)
                (void)gs_deque_push_owner(&worker(i)->deque, &marked[i]);
        }
        unsigned last = 0;
        for (unsigned k = 1; k < workers; k++) {
            struct gs_task *t = gs_steal_owner(worker(thief));
            CU_ASSERT_PTR_NOT_NULL_FATAL(t);
            unsigned from = (unsigned)(t - marked);
            unsigned far = gs_topology_distance(topo, thief, from);
            CU_ASSERT(far >= last);
            last = far;
        }
        CU_ASSERT_PTR_NULL(gs_steal_owner(worker(thief)));
    }
    teardown();
}

static void steals_go_by_distance_on_two_packages_with_smt(void)
{
    nearer_victims_are_emptied_first("pack:2 core:4 pu:2", 16);
}

static void steals_go_by_distance_on_eight_nodes(void)
{
    nearer_victims_are_emptied_first("pack:2 numa:4 l3:2 core:2 pu:1", 32);
}

static void steals_go_by_distance_on_one_core(void)
{
    nearer_victims_are_emptied_first("core:1 pu:1", 3);
}

static void an_inbox_nearby_comes_before_a_deque_far_away(void)
{
    setup(8, "pack:2 core:4 pu:1");
    (void)gs_inbox_push_mt(&worker(2)->inbox, &marked[2]);
    (void)gs_deque_push_owner(&worker(3)->deque, &marked[3]);
    (void)gs_deque_push_owner(&worker(6)->deque, &marked[6]);
    CU_ASSERT_PTR_EQUAL(gs_steal_owner(worker(1)), &marked[3]); /* deques first inside a ring */
    CU_ASSERT_PTR_EQUAL(gs_steal_owner(worker(1)), &marked[2]);
    CU_ASSERT_PTR_EQUAL(gs_steal_owner(worker(1)), &marked[6]);
    teardown();
}

static void one_is_taken_from_near_and_half_from_far(void)
{
    setup(4, "pack:2 core:2 pu:1");
    for (unsigned i = 0; i < 20; i++)
        (void)gs_deque_push_owner(&worker(1)->deque, &marked[i]);
    CU_ASSERT_PTR_EQUAL(gs_steal_owner(worker(0)), &marked[0]);
    CU_ASSERT(gs_deque_size_mt(&worker(0)->deque) <= 1);
    while (gs_deque_take_mt(&worker(1)->deque) || gs_deque_take_mt(&worker(0)->deque))
        ;
    for (unsigned i = 0; i < 20; i++)
        (void)gs_deque_push_owner(&worker(3)->deque, &marked[i]);
    CU_ASSERT_PTR_EQUAL(gs_steal_owner(worker(0)), &marked[0]);
    CU_ASSERT_EQUAL(gs_deque_size_mt(&worker(0)->deque), 9);
    CU_ASSERT_EQUAL(gs_deque_size_mt(&worker(3)->deque), 10);
    teardown();
}

static void steals_in_a_row_take_more_and_more(void)
{
    setup(2, NULL);
    static struct gs_task lots[1000];
    for (unsigned i = 0; i < 1000; i++)
        (void)gs_deque_push_owner(&worker(1)->deque, &lots[i]);
    int64_t before = 1000;
    for (unsigned k = 0; k < 4; k++) {
        CU_ASSERT_PTR_NOT_NULL(gs_steal_owner(worker(0)));
        int64_t taken = before - gs_deque_size_mt(&worker(1)->deque);
        CU_ASSERT(taken >= 1 << k);
        before -= taken;
    }
    gs_store_rlx(&s->ticker.ticks, 7u); /* time passes */
    CU_ASSERT_PTR_NOT_NULL(gs_steal_owner(worker(0)));
    CU_ASSERT_EQUAL(before - gs_deque_size_mt(&worker(1)->deque), 1);
    teardown();
}

static void a_thief_without_memory_steals_nothing_and_loses_nothing(void)
{
    setup(2, NULL);
    (void)gs_deque_push_owner(&worker(1)->deque, &marked[1]);
    gs_mem_fail_at(1);
    CU_ASSERT_PTR_NULL(gs_steal_owner(worker(0)));
    gs_mem_fail_at(0);
    CU_ASSERT_PTR_EQUAL(gs_steal_owner(worker(0)), &marked[1]);
    teardown();
}

static void another_s_inbox_is_taken_in_order(void)
{
    setup(2, NULL);
    for (unsigned i = 0; i < 5; i++)
        (void)gs_inbox_push_mt(&worker(1)->inbox, &marked[i]);
    CU_ASSERT_PTR_EQUAL(gs_steal_owner(worker(0)), &marked[0]);
    for (unsigned i = 1; i < 5; i++)
        CU_ASSERT_PTR_EQUAL(gs_deque_pop_owner(&worker(0)->deque), &marked[i]);
    teardown();
}

static const CU_TestInfo cases[] = {
    CASE(with_nobody_asleep_nothing_is_woken),
    CASE(a_push_wakes_a_sleeper_who_then_counts_as_searching),
    CASE(while_one_searches_nobody_else_is_woken),
    CASE(the_last_searcher_wakes_nobody_when_there_is_no_more),
    CASE(a_worker_does_not_sleep_while_a_task_is_queued),
    CASE(a_full_slot_keeps_nobody_awake_until_it_is_emptied_in_the_run_it_was_seen_in),
    CASE(a_sleeper_comes_back_for_its_own_timer),
    CASE(with_nothing_left_the_hook_is_called_and_the_run_stops_with_3),
    CASE(a_hook_that_readies_a_task_keeps_the_run_going),
    CASE(only_the_last_of_two_sleepers_calls_the_hook),
    CASE(a_call_that_is_out_prevents_the_verdict_until_it_ends),
    CASE(a_timer_of_another_sleeper_prevents_the_verdict),
    CASE(a_worker_that_retires_last_makes_another_one_look),
    CASE(steals_go_by_distance_on_two_packages_with_smt),
    CASE(steals_go_by_distance_on_eight_nodes),
    CASE(steals_go_by_distance_on_one_core),
    CASE(an_inbox_nearby_comes_before_a_deque_far_away),
    CASE(one_is_taken_from_near_and_half_from_far),
    CASE(steals_in_a_row_take_more_and_more),
    CASE(a_thief_without_memory_steals_nothing_and_loses_nothing),
    CASE(another_s_inbox_is_taken_in_order),
};

int main(void)
{
    return run_cases("park", cases, sizeof cases / sizeof cases[0]);
}
