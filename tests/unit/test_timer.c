/* SPDX-License-Identifier: MIT
 * test_timer.c - the timer heap: order, stopping, firing and stopping at once.
 */
#include "sched_unit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "timer.h"
#include "port/clock.h"
#include "port/mem.h"

static struct gs_timers ts;
static int fired;
static int64_t last;

static void on_fire(struct gs_timer *tm)
{
    CU_ASSERT(tm->when_ns >= last);
    last = tm->when_ns;
    fired++;
}

static void setup(void)
{
    gs_timers_init(&ts);
    fired = 0;
    last = INT64_MIN;
}

static bool start(struct gs_timer *tm, int64_t when)
{
    tm->when_ns = when;
    tm->fire = on_fire;
    return gs_timers_start_mt(&ts, tm);
}

static void nothing_is_set_at_first(void)
{
    struct gs_timer tm = {0};
    setup();
    CU_ASSERT_EQUAL(gs_timers_next_mt(&ts), INT64_MAX);
    CU_ASSERT_EQUAL(gs_timers_fire_mt(&ts, INT64_MAX, 10), 0);
    CU_ASSERT_FALSE(gs_timers_stop_mt(&ts, &tm));
    gs_timers_fini(&ts);
}

static void the_earliest_is_known_and_fires_first(void)
{
    struct gs_timer a = {0}, b = {0}, c = {0};
    setup();
    CU_ASSERT(start(&b, 20));
    CU_ASSERT(start(&a, 10));
    CU_ASSERT_FALSE(start(&c, 30));
    CU_ASSERT_EQUAL(gs_timers_next_mt(&ts), 10);
    CU_ASSERT_EQUAL(gs_timers_fire_mt(&ts, 9, 10), 0);
    CU_ASSERT_EQUAL(gs_timers_fire_mt(&ts, 25, 10), 2);
    CU_ASSERT_EQUAL(fired, 2);
    CU_ASSERT_EQUAL(gs_timers_next_mt(&ts), 30);
    CU_ASSERT(gs_timers_stop_mt(&ts, &c));
    CU_ASSERT_EQUAL(gs_timers_next_mt(&ts), INT64_MAX);
    gs_timers_fini(&ts);
}

static void no_more_are_fired_than_asked_for(void)
{
    struct gs_timer t[5] = {0};
    setup();
    for (int i = 0; i < 5; i++)
        (void)start(&t[i], i);
    CU_ASSERT_EQUAL(gs_timers_fire_mt(&ts, 100, 3), 3);
    CU_ASSERT_EQUAL(gs_timers_fire_mt(&ts, 100, 3), 2);
    gs_timers_fini(&ts);
}

static void a_stopped_timer_does_not_fire_and_may_be_started_again(void)
{
    struct gs_timer a = {0};
    setup();
    (void)start(&a, 10);
    CU_ASSERT(gs_timers_stop_mt(&ts, &a));
    CU_ASSERT_FALSE(gs_timers_stop_mt(&ts, &a));
    CU_ASSERT_EQUAL(gs_timers_fire_mt(&ts, 100, 10), 0);
    (void)start(&a, 20);
    CU_ASSERT_EQUAL(gs_timers_fire_mt(&ts, 100, 10), 1);
    CU_ASSERT_FALSE(gs_timers_stop_mt(&ts, &a));
    gs_timers_fini(&ts);
}

static void many_random_timers_fire_in_order(void)
{
    enum { N = 20000 };
    struct gs_timer *t = calloc(N, sizeof *t);
    uint64_t x = 1;
    int stopped = 0;
    setup();
    for (int i = 0; i < N; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        (void)start(&t[i], (int64_t)(x >> 44));
    }
    for (int i = 0; i < N; i += 3) {
        CU_ASSERT_FATAL(gs_timers_stop_mt(&ts, &t[(i * 7) % N]) ==
                        (t[(i * 7) % N].fire == on_fire));
        t[(i * 7) % N].fire = NULL;
        stopped++;
    }
    while (gs_timers_fire_mt(&ts, INT64_MAX - 1, 1000))
        ;
    CU_ASSERT(fired >= N - stopped && fired < N);
    CU_ASSERT_EQUAL(gs_timers_next_mt(&ts), INT64_MAX);
    gs_timers_fini(&ts);
    free(t);
}

static void clearing_makes_all_idle(void)
{
    struct gs_timer t[100] = {0};
    setup();
    for (int i = 0; i < 100; i++)
        (void)start(&t[i], 1000 - i);
    gs_timers_clear_mt(&ts);
    CU_ASSERT_EQUAL(gs_timers_next_mt(&ts), INT64_MAX);
    for (int i = 0; i < 100; i++)
        CU_ASSERT_FALSE(gs_timers_stop_mt(&ts, &t[i]));
    CU_ASSERT_EQUAL(fired, 0);
    gs_timers_fini(&ts);
}

static void start_again(struct gs_timer *tm)
{
    fired++;
    CU_ASSERT_PTR_EQUAL(gs_timers_inside(), tm);
    CU_ASSERT_FALSE(gs_timers_stop_mt(&ts, tm)); /* from its own fire: does not wait for itself */
    if (fired < 3) {
        tm->when_ns += 10;
        (void)gs_timers_start_mt(&ts, tm);
    }
}

static void a_timer_may_start_itself_from_its_fire(void)
{
    struct gs_timer a = {.when_ns = 10, .fire = start_again};
    setup();
    (void)gs_timers_start_mt(&ts, &a);
    CU_ASSERT_EQUAL(gs_timers_fire_mt(&ts, 20, 10), 2);
    CU_ASSERT_EQUAL(gs_timers_next_mt(&ts), 30);
    CU_ASSERT_EQUAL(gs_timers_fire_mt(&ts, 1000, 10), 1);
    CU_ASSERT_EQUAL(fired, 3);
    CU_ASSERT_PTR_NULL(gs_timers_inside());
    gs_timers_fini(&ts);
}

static void free_self(struct gs_timer *tm)
{
    free(tm);
    fired++;
}

static void a_timer_may_be_freed_by_its_fire(void)
{
    setup();
    for (int i = 0; i < 10; i++) {
        struct gs_timer *tm = calloc(1, sizeof *tm);
        tm->when_ns = 5;
        tm->fire = free_self;
        (void)gs_timers_start_mt(&ts, tm);
    }
    CU_ASSERT_EQUAL(gs_timers_fire_mt(&ts, 5, 100), 10);
    gs_timers_fini(&ts);
}

static void memory_running_out_ends_the_process_cleanly(void)
{
    /* The failure itself is the contract of gs_mem_must_alloc (test_port); here: no allocation on the way to the first 16. */
    struct gs_timer t[16] = {0};
    setup();
    (void)start(&t[0], 1);
    gs_mem_fail_at(1);
    for (int i = 1; i < 16; i++)
        (void)start(&t[i], i);
    gs_mem_fail_at(0);
    CU_ASSERT_EQUAL(gs_timers_fire_mt(&ts, 100, 100), 16);
    gs_timers_fini(&ts);
}

/* -- firing against stopping ------------------------------------------------------------------- */

#define RACES 20000

static struct gs_timer contested;
static _Atomic int in_fire, fires, stops;
static _Atomic uint32_t turn; /* odd: set; the firer fires while the stopper stops */
static int plain;             /* written by fire, read after stop: stop must order them */

static void contested_fire(struct gs_timer *tm)
{
    (void)tm;
    gs_store_rlx(&in_fire, 1);
    plain++;
    (void)gs_add_rlx(&fires, 1);
    gs_store_rlx(&in_fire, 0);
}

static void *firer(void *arg)
{
    (void)arg;
    for (uint32_t seen = 0; seen < 2 * RACES;) {
        uint32_t now = gs_load_acq(&turn);
        if (now % 2 == 1)
            (void)gs_timers_fire_mt(&ts, 100, 10);
        seen = now;
    }
    return NULL;
}

static void a_stop_wins_or_the_fire_is_over_when_it_returns(void)
{
    pthread_t th;
    setup();
    plain = 0;
    CU_ASSERT_EQUAL_FATAL(pthread_create(&th, NULL, firer, NULL), 0);
    int before = 0;
    for (int i = 0; i < RACES; i++) {
        contested = (struct gs_timer){.when_ns = 10, .fire = contested_fire};
        (void)gs_timers_start_mt(&ts, &contested);
        (void)gs_add_acq_rel(&turn, 1u);
        for (int k = 0; k < i % 64; k++)
            gs_cpu_relax();
        bool won = gs_timers_stop_mt(&ts, &contested);
        CU_ASSERT_FATAL(gs_load_rlx(&in_fire) == 0);
        CU_ASSERT_FATAL(plain == before + !won);
        before = plain;
        if (won)
            (void)gs_add_rlx(&stops, 1);
        (void)gs_add_acq_rel(&turn, 1u);
    }
    pthread_join(th, NULL);
    CU_ASSERT_EQUAL(gs_load_rlx(&fires) + gs_load_rlx(&stops), RACES);
    gs_timers_fini(&ts);
}

static const CU_TestInfo cases[] = {
    CASE(nothing_is_set_at_first),
    CASE(the_earliest_is_known_and_fires_first),
    CASE(no_more_are_fired_than_asked_for),
    CASE(a_stopped_timer_does_not_fire_and_may_be_started_again),
    CASE(many_random_timers_fire_in_order),
    CASE(clearing_makes_all_idle),
    CASE(a_timer_may_start_itself_from_its_fire),
    CASE(a_timer_may_be_freed_by_its_fire),
    CASE(memory_running_out_ends_the_process_cleanly),
    CASE(a_stop_wins_or_the_fire_is_over_when_it_returns),
};

int main(void)
{
    return run_cases("timer", cases, sizeof cases / sizeof cases[0]);
}
