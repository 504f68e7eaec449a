/* SPDX-License-Identifier: MIT
 * test_reclaim.c - when something that was taken away may be freed: quiet points, threads that are away, threads that come back.
 */
#include "sched_unit.h"

#include <pthread.h>

#include "reclaim.h"

/* A thread that does one step at a time, as it is told. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t change;
    int step, done;
} other = {.lock = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER};

enum { QUIET = 1, AWAY, END };

static void *other_main(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&other.lock);
    for (int step = 0; step != END;) {
        while (other.step == 0)
            pthread_cond_wait(&other.change, &other.lock);
        step = other.step;
        other.step = 0;
        if (step == QUIET)
            gs_reclaim_quiet();
        else
            gs_reclaim_away();
        other.done++;
        pthread_cond_broadcast(&other.change);
    }
    pthread_mutex_unlock(&other.lock);
    return NULL;
}

static void other_does(int step)
{
    pthread_mutex_lock(&other.lock);
    int before = other.done;
    other.step = step;
    pthread_cond_broadcast(&other.change);
    while (other.done == before)
        pthread_cond_wait(&other.change, &other.lock);
    pthread_mutex_unlock(&other.lock);
}

static bool passed(uint64_t hour)
{
    return gs_reclaim_passed_mt() >= hour;
}

static void nobody_reads_nothing_waits(void)
{
    uint64_t h = gs_reclaim_next_mt();
    CU_ASSERT_TRUE(passed(h));
    CU_ASSERT_TRUE(gs_reclaim_next_mt() > h);
}

static void a_reader_holds_what_was_taken_away_until_it_is_quiet(void)
{
    gs_reclaim_quiet();
    uint64_t first = gs_reclaim_next_mt();
    CU_ASSERT_FALSE(passed(first));
    gs_reclaim_quiet();
    CU_ASSERT_TRUE(passed(first));
    uint64_t second = gs_reclaim_next_mt();
    CU_ASSERT_TRUE(passed(first));
    CU_ASSERT_FALSE(passed(second));
    gs_reclaim_away();
    CU_ASSERT_TRUE(passed(second));
}

static void the_slowest_of_several_decides(void)
{
    pthread_t t;
    CU_ASSERT_EQUAL_FATAL(pthread_create(&t, NULL, other_main, NULL), 0);
    gs_reclaim_quiet();
    other_does(QUIET);
    uint64_t h = gs_reclaim_next_mt();
    gs_reclaim_quiet();
    CU_ASSERT_FALSE(passed(h));
    other_does(QUIET);
    CU_ASSERT_TRUE(passed(h));
    other_does(AWAY);
    h = gs_reclaim_next_mt();
    gs_reclaim_quiet();
    CU_ASSERT_TRUE(passed(h));
    other_does(QUIET); /* it is back, and has seen that */
    CU_ASSERT_TRUE(passed(h));
    h = gs_reclaim_next_mt();
    gs_reclaim_away();
    CU_ASSERT_FALSE(passed(h));
    other_does(END);
    pthread_join(t, NULL);
    CU_ASSERT_TRUE(passed(h));
}

static const CU_TestInfo cases[] = {
    CASE(nobody_reads_nothing_waits),
    CASE(a_reader_holds_what_was_taken_away_until_it_is_quiet),
    CASE(the_slowest_of_several_decides),
};

int main(void)
{
    return run_cases("reclaim", cases, sizeof cases / sizeof cases[0]);
}
