/* SPDX-License-Identifier: MIT
 * test_deque.c - the work-stealing deque, alone and with thieves.
 */
#include "sched_unit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "deque.h"
#include "port/mem.h"

static struct gs_deque d;
static struct gs_task some[10000];

static void setup(void)
{
    CU_ASSERT_FATAL(gs_deque_init(&d));
}

static void an_empty_deque_gives_nothing(void)
{
    struct gs_task *t = &some[3];
    setup();
    CU_ASSERT_PTR_NULL(gs_deque_pop_owner(&d));
    CU_ASSERT_EQUAL(gs_deque_steal_mt(&d, &t), GS_STEAL_EMPTY);
    CU_ASSERT_PTR_EQUAL(t, &some[3]);
    CU_ASSERT_PTR_NULL(gs_deque_take_mt(&d));
    CU_ASSERT_EQUAL(gs_deque_size_mt(&d), 0);
    gs_deque_fini(&d);
}

static void the_owner_pops_the_newest(void)
{
    setup();
    for (int i = 0; i < 10; i++)
        CU_ASSERT(gs_deque_push_owner(&d, &some[i]));
    CU_ASSERT_EQUAL(gs_deque_size_mt(&d), 10);
    for (int i = 9; i >= 0; i--)
        CU_ASSERT_PTR_EQUAL(gs_deque_pop_owner(&d), &some[i]);
    CU_ASSERT_PTR_NULL(gs_deque_pop_owner(&d));
    gs_deque_fini(&d);
}

static void a_thief_takes_the_oldest(void)
{
    setup();
    for (int i = 0; i < 10; i++)
        CU_ASSERT(gs_deque_push_owner(&d, &some[i]));
    for (int i = 0; i < 5; i++)
        CU_ASSERT_PTR_EQUAL(gs_deque_take_mt(&d), &some[i]);
    CU_ASSERT_PTR_EQUAL(gs_deque_pop_owner(&d), &some[9]);
    CU_ASSERT(gs_deque_nonempty_seq_mt(&d));
    gs_deque_fini(&d);
}

static void the_last_one_goes_to_one_side_only(void)
{
    setup();
    CU_ASSERT(gs_deque_push_owner(&d, &some[0]));
    CU_ASSERT_PTR_EQUAL(gs_deque_take_mt(&d), &some[0]);
    CU_ASSERT_PTR_NULL(gs_deque_pop_owner(&d));
    CU_ASSERT(gs_deque_push_owner(&d, &some[1]));
    CU_ASSERT_PTR_EQUAL(gs_deque_pop_owner(&d), &some[1]);
    CU_ASSERT_PTR_NULL(gs_deque_take_mt(&d));
    CU_ASSERT_FALSE(gs_deque_nonempty_seq_mt(&d));
    gs_deque_fini(&d);
}

static void growing_keeps_all_and_their_order(void)
{
    setup();
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 10000; i++)
            CU_ASSERT_FATAL(gs_deque_push_owner(&d, &some[i]));
        CU_ASSERT_EQUAL(gs_deque_size_mt(&d), 10000);
        for (int i = 0; i < 5000; i++)
            CU_ASSERT_PTR_EQUAL_FATAL(gs_deque_take_mt(&d), &some[i]);
        for (int i = 9999; i >= 5000; i--)
            CU_ASSERT_PTR_EQUAL_FATAL(gs_deque_pop_owner(&d), &some[i]);
    }
    gs_deque_fini(&d);
}

static void growing_across_the_ring_s_end_keeps_the_order(void)
{
    setup();
    /* The occupied part wraps round the first ring of 256 before it grows. */
    for (int i = 0; i < 200; i++)
        (void)gs_deque_push_owner(&d, &some[0]);
    for (int i = 0; i < 200; i++)
        (void)gs_deque_take_mt(&d);
    for (int i = 0; i < 1000; i++)
        CU_ASSERT_FATAL(gs_deque_push_owner(&d, &some[i]));
    for (int i = 0; i < 1000; i++)
        CU_ASSERT_PTR_EQUAL_FATAL(gs_deque_take_mt(&d), &some[i]);
    gs_deque_fini(&d);
}

static void a_full_ring_without_memory_refuses_and_loses_nothing(void)
{
    setup();
    int pushed = 0;
    gs_mem_fail_at(1);
    while (pushed < 10000 && gs_deque_push_owner(&d, &some[pushed]))
        pushed++;
    CU_ASSERT(pushed > 0 && pushed < 10000);
    CU_ASSERT_FALSE(gs_deque_push_owner(&d, &some[pushed]));
    gs_mem_fail_at(0);
    CU_ASSERT(gs_deque_push_owner(&d, &some[pushed]));
    for (int i = 0; i <= pushed; i++)
        CU_ASSERT_PTR_EQUAL(gs_deque_take_mt(&d), &some[i]);
    gs_deque_fini(&d);
    gs_mem_fail_at(1);
    CU_ASSERT_FALSE(gs_deque_init(&d));
    gs_mem_fail_at(0);
}

/* -- with thieves: every task is taken exactly once -------------------------------------------- */

#define THIEVES 3
#define ROUNDS 200
#define BATCH 500

static _Atomic bool done;
static _Atomic uint32_t taken[BATCH * ROUNDS];
static struct gs_task *many;
static _Atomic int wrong; /* CUnit's assertions are for one thread */

static void take(struct gs_task *t)
{
    (void)gs_add_rlx(&wrong, t->flow != 7); /* written before the push */
    (void)gs_add_rlx(&taken[t - many], 1u);
}

static void *thief(void *arg)
{
    struct gs_task *t;
    (void)arg;
    for (;;) {
        bool last = gs_load_acq(&done);
        enum gs_steal st = gs_deque_steal_mt(&d, &t);
        if (st == GS_STEAL_OK)
            take(t);
        else if (st == GS_STEAL_EMPTY && last)
            return NULL;
    }
}

static void check_all_once(void)
{
    CU_ASSERT_EQUAL(gs_load_rlx(&wrong), 0);
    for (int i = 0; i < BATCH * ROUNDS; i++)
        CU_ASSERT_EQUAL_FATAL(gs_load_rlx(&taken[i]), 1);
}

static void with_thieves(int pops_per_push)
{
    pthread_t th[THIEVES];
    setup();
    many = calloc(BATCH * ROUNDS, sizeof *many);
    gs_store_rlx(&done, false);
    memset(taken, 0, sizeof taken);
    for (int i = 0; i < THIEVES; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&th[i], NULL, thief, NULL), 0);
    struct gs_task *t;
    for (int i = 0; i < BATCH * ROUNDS; i++) {
        many[i].flow = 7;
        CU_ASSERT_FATAL(gs_deque_push_owner(&d, &many[i]));
        for (int k = 0; k < pops_per_push && i % 3 == 0; k++) {
            if ((t = gs_deque_pop_owner(&d)) != NULL)
                take(t);
        }
    }
    while ((t = gs_deque_pop_owner(&d)) != NULL)
        take(t);
    gs_store_rel(&done, true);
    for (int i = 0; i < THIEVES; i++)
        pthread_join(th[i], NULL);
    check_all_once();
    free(many);
    gs_deque_fini(&d);
}

static void thieves_and_a_pushing_owner_take_each_task_once(void)
{
    with_thieves(0);
}

static void thieves_and_a_popping_owner_take_each_task_once(void)
{
    with_thieves(4);
}

static const CU_TestInfo cases[] = {
    CASE(an_empty_deque_gives_nothing),
    CASE(the_owner_pops_the_newest),
    CASE(a_thief_takes_the_oldest),
    CASE(the_last_one_goes_to_one_side_only),
    CASE(growing_keeps_all_and_their_order),
    CASE(growing_across_the_ring_s_end_keeps_the_order),
    CASE(a_full_ring_without_memory_refuses_and_loses_nothing),
    CASE(thieves_and_a_pushing_owner_take_each_task_once),
    CASE(thieves_and_a_popping_owner_take_each_task_once),
};

int main(void)
{
    return run_cases("deque", cases, sizeof cases / sizeof cases[0]);
}
