/* SPDX-License-Identifier: MIT
 * test_inbox.c - the inbox: many pushers, everything taken at once.
 */
#include "sched_unit.h"

#include <pthread.h>
#include <stdlib.h>

#include "inbox.h"

static struct gs_inbox in;
static struct gs_task some[10];

static void an_empty_inbox_gives_nothing(void)
{
    CU_ASSERT_PTR_NULL(gs_inbox_take_mt(&in));
    CU_ASSERT_FALSE(gs_inbox_nonempty_mt(&in));
    CU_ASSERT_FALSE(gs_inbox_nonempty_seq_mt(&in));
}

static void all_are_taken_newest_first(void)
{
    CU_ASSERT(gs_inbox_push_mt(&in, &some[0])); /* was empty */
    for (int i = 1; i < 10; i++)
        CU_ASSERT_FALSE(gs_inbox_push_mt(&in, &some[i]));
    CU_ASSERT(gs_inbox_nonempty_mt(&in));
    CU_ASSERT(gs_inbox_nonempty_seq_mt(&in));
    struct gs_task *t = gs_inbox_take_mt(&in);
    for (int i = 9; i >= 0; i--, t = t->next)
        CU_ASSERT_PTR_EQUAL_FATAL(t, &some[i]);
    CU_ASSERT_PTR_NULL(t);
    CU_ASSERT_PTR_NULL(gs_inbox_take_mt(&in));
}

#define PUSHERS 3
#define EACH 100000

static struct gs_task *many;
static _Atomic uint32_t got[PUSHERS * EACH];
static _Atomic int pushing;
static _Atomic int wrong; /* CUnit's assertions are for one thread */

static void *pusher(void *arg)
{
    struct gs_task *mine = arg;
    for (int i = 0; i < EACH; i++) {
        mine[i].flow = (uint32_t)i; /* read by the taker */
        (void)gs_inbox_push_mt(&in, &mine[i]);
    }
    (void)gs_sub_acq_rel(&pushing, 1);
    return NULL;
}

static void take_all(void)
{
    struct gs_task *t = gs_inbox_take_mt(&in);
    while (t) {
        struct gs_task *next = t->next;
        (void)gs_add_rlx(&wrong, t->flow != (uint32_t)((t - many) % EACH));
        (void)gs_add_rlx(&got[t - many], 1u);
        t->next = NULL;
        t = next;
    }
}

static void *taker(void *arg)
{
    (void)arg;
    while (gs_load_acq(&pushing) > 0)
        take_all();
    take_all();
    return NULL;
}

static void two_takers_get_every_pushed_task_once(void)
{
    pthread_t th[PUSHERS + 2];
    many = calloc(PUSHERS * EACH, sizeof *many);
    gs_store_rlx(&pushing, PUSHERS);
    for (int i = 0; i < PUSHERS; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&th[i], NULL, pusher, many + i * EACH), 0);
    for (int i = PUSHERS; i < PUSHERS + 2; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&th[i], NULL, taker, NULL), 0);
    for (int i = 0; i < PUSHERS + 2; i++)
        pthread_join(th[i], NULL);
    for (int i = 0; i < PUSHERS * EACH; i++)
        CU_ASSERT_EQUAL_FATAL(gs_load_rlx(&got[i]), 1);
    CU_ASSERT_EQUAL(gs_load_rlx(&wrong), 0);
    free(many);
}

static const CU_TestInfo cases[] = {
    CASE(an_empty_inbox_gives_nothing),
    CASE(all_are_taken_newest_first),
    CASE(two_takers_get_every_pushed_task_once),
};

int main(void)
{
    return run_cases("inbox", cases, sizeof cases / sizeof cases[0]);
}
