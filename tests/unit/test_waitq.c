/* SPDX-License-Identifier: MIT
 * test_waitq.c - the wait word and the queue: who wakes, who is passed over, what stays behind.
 */
#include "unit_task.h"

static struct gs_spin lock;

static void queue_up(struct gs_waitq *q, struct gs_vm *vm)
{
    gs_spin_lock(&lock);
    gs_wait_begin(vm);
    gs_waitq_push_locked(q, &vm->park.first);
    gs_spin_unlock(&lock);
}

static struct gs_waiter *claim(struct gs_waitq *q)
{
    gs_spin_lock(&lock);
    struct gs_waiter *w = gs_waitq_claim_first_locked(q);
    gs_spin_unlock(&lock);
    return w;
}

static void first_come_first_served(void)
{
    struct gs_waitq q = {.lock = &lock};
    struct gs_vm *vm[3];
    for (int i = 0; i < 3; i++)
        queue_up(&q, vm[i] = unit_task());
    for (int i = 0; i < 3; i++) {
        struct gs_waiter *w = claim(&q);
        CU_ASSERT_PTR_EQUAL_FATAL(w, &vm[i]->park.first);
        gs_wait_wake(w);
        CU_ASSERT_TRUE(unit_woken(vm[i]));
        CU_ASSERT_EQUAL(gs_wait_end(vm[i]), GS_WAIT_WOKEN);
    }
    CU_ASSERT_PTR_NULL(claim(&q));
    for (int i = 0; i < 3; i++)
        unit_task_free(vm[i]);
}

static void whoever_leaves_the_others_keep_their_order(void)
{
    for (int gone = 0; gone < 3; gone++) {
        struct gs_waitq q = {.lock = &lock};
        struct gs_vm *vm[4];
        for (int i = 0; i < 3; i++) {
            vm[i] = unit_task();
            queue_up(&q, vm[i]);
        }
        vm[3] = unit_task();
        gs_waitq_remove_locked(&q, &vm[gone]->park.first);
        queue_up(&q, vm[3]);
        for (int i = 0; i < 4; i++) {
            if (i != gone)
                CU_ASSERT_PTR_EQUAL(claim(&q), &vm[i]->park.first);
        }
        CU_ASSERT_PTR_NULL(q.head);
        for (int i = 0; i < 4; i++)
            unit_task_free(vm[i]);
    }
}

static void who_has_waited_before_goes_to_the_head(void)
{
    struct gs_waitq q = {.lock = &lock};
    struct gs_vm *a = unit_task(), *b = unit_task(), *c = unit_task();
    queue_up(&q, a);
    queue_up(&q, b);
    gs_wait_begin(c);
    gs_waitq_push_front_locked(&q, &c->park.first);
    CU_ASSERT_PTR_EQUAL(claim(&q), &c->park.first);
    CU_ASSERT_PTR_EQUAL(claim(&q), &a->park.first);
    CU_ASSERT_PTR_EQUAL(claim(&q), &b->park.first);
    gs_wait_begin(c); /* also into an empty queue */
    gs_waitq_push_front_locked(&q, &c->park.first);
    CU_ASSERT_PTR_EQUAL(q.head->prev, q.head);
    CU_ASSERT_PTR_EQUAL(claim(&q), &c->park.first);
    unit_task_free(a);
    unit_task_free(b);
    unit_task_free(c);
}

static void only_one_reason_wins(void)
{
    static const enum gs_wait_word why[] = {GS_WAIT_WOKEN, GS_WAIT_TIMEOUT, GS_WAIT_CANCELLED};
    struct gs_vm *vm = unit_task();
    CU_ASSERT_FALSE(gs_wait_claim(vm, GS_WAIT_WOKEN)); /* it does not wait */
    for (int i = 0; i < 3; i++) {
        gs_wait_begin(vm);
        CU_ASSERT_TRUE(gs_wait_claim(vm, why[i]));
        for (int k = 0; k < 3; k++)
            CU_ASSERT_FALSE(gs_wait_claim(vm, why[k]));
        CU_ASSERT_EQUAL(gs_wait_end(vm), why[i]);
        CU_ASSERT_FALSE(gs_wait_claim(vm, why[i]));
    }
    unit_task_free(vm);
}

static void one_that_gave_up_is_passed_over(void)
{
    struct gs_waitq q = {.lock = &lock};
    struct gs_vm *a = unit_task(), *b = unit_task();
    queue_up(&q, a);
    queue_up(&q, b);
    CU_ASSERT_TRUE(gs_wait_claim(a, GS_WAIT_TIMEOUT));
    CU_ASSERT_PTR_EQUAL(claim(&q), &b->park.first);
    CU_ASSERT_EQUAL(gs_wait_end(a), GS_WAIT_TIMEOUT);
    CU_ASSERT_PTR_NULL(q.head);
    unit_task_free(a);
    unit_task_free(b);
}

static void giving_up_leaves_the_queue_whole(void)
{
    for (int middle = 0; middle < 3; middle++) {
        struct gs_waitq q = {.lock = &lock};
        struct gs_vm *vm[3];
        for (int i = 0; i < 3; i++)
            queue_up(&q, vm[i] = unit_task());
        CU_ASSERT_TRUE(gs_wait_claim(vm[middle], GS_WAIT_CANCELLED));
        CU_ASSERT_EQUAL(gs_wait_end(vm[middle]), GS_WAIT_CANCELLED);
        for (int i = 0; i < 3; i++)
            if (i != middle)
                CU_ASSERT_PTR_EQUAL(claim(&q), &vm[i]->park.first);
        CU_ASSERT_PTR_NULL(claim(&q));
        for (int i = 0; i < 3; i++)
            unit_task_free(vm[i]);
    }
}

static void all_are_woken_at_once(void)
{
    struct gs_waitq q = {.lock = &lock};
    struct gs_vm *vm[4];
    for (int i = 0; i < 4; i++)
        queue_up(&q, vm[i] = unit_task());
    CU_ASSERT_TRUE(gs_wait_claim(vm[1], GS_WAIT_TIMEOUT));
    gs_waitq_wake_all_locked(&q, true);
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(unit_woken(vm[i]), i != 1);
        CU_ASSERT_EQUAL(vm[i]->park.first.ok, i != 1);
        unit_task_free(vm[i]);
    }
}

static void a_cancel_is_taken_once(void)
{
    struct gs_vm *vm = unit_task();
    CU_ASSERT_FALSE(gs_vm_take_cancel(vm));
    gs_taskobj_cancel(vm->self); /* running: noted */
    CU_ASSERT_FALSE(unit_woken(vm));
    CU_ASSERT_TRUE(gs_vm_take_cancel(vm));
    CU_ASSERT_FALSE(gs_vm_take_cancel(vm));
    gs_wait_begin(vm); /* parked: noted and woken */
    gs_taskobj_cancel(vm->self);
    CU_ASSERT_TRUE(unit_woken(vm));
    CU_ASSERT_EQUAL(gs_wait_end(vm), GS_WAIT_CANCELLED);
    CU_ASSERT_TRUE(gs_vm_take_cancel(vm));
    CU_ASSERT_FALSE(gs_vm_take_cancel(vm));
    unit_task_free(vm);
}

static const struct unit_case cases[] = {
    UNIT_CASE(first_come_first_served),
    UNIT_CASE(whoever_leaves_the_others_keep_their_order),
    UNIT_CASE(who_has_waited_before_goes_to_the_head),
    UNIT_CASE(only_one_reason_wins),
    UNIT_CASE(one_that_gave_up_is_passed_over),
    UNIT_CASE(giving_up_leaves_the_queue_whole),
    UNIT_CASE(all_are_woken_at_once),
    UNIT_CASE(a_cancel_is_taken_once),
};
UNIT_MAIN("waitq", cases)
