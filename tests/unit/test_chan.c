/* SPDX-License-Identifier: MIT
 * test_chan.c - channels and select, step by step: who parks, who is woken, whose value it is.
 */
#include "unit_task.h"

#include "chan.h"
#include "port/mem.h"

static int send(struct gs_vm *vm, struct gs_chan *c, int64_t v, int64_t ms)
{
    gs_value ret = gs_nil();
    int st = gs_chan_send(vm, c, gs_int(v), ms, "send", &ret);
    return st != GS_OK ? st : gs_truthy(ret) ? GS_OK : -1;
}

static int recv(struct gs_vm *vm, struct gs_chan *c, int64_t ms, gs_value *ret)
{
    *ret = gs_nil();
    return gs_chan_recv(vm, c, ms, "recv", ret);
}

static int finish(struct gs_vm *vm, gs_value *ret)
{
    *ret = gs_nil();
    return vm->park.finish(vm, ret);
}

static gs_value select_case(struct gs_vm *vm, struct gs_chan *c, bool sends, int64_t v)
{
    gs_value h = gs_nil(), parts[2];
    CU_ASSERT_EQUAL_FATAL(gs_handle_share(vm, &c->h, &h), GS_OK);
    parts[0] = h;
    parts[1] = gs_int(v);
    return gs_objv(GS_T_ARRAY, gs_array_from(&vm->heap, parts, sends ? 2 : 1));
}

static int select_of(struct gs_vm *vm, const gs_value *cases, int64_t n, int64_t ms, gs_value *ret)
{
    *ret = gs_nil();
    return gs_chan_select(vm, gs_array_from(&vm->heap, cases, n), ms, ret);
}

static void a_buffer_keeps_order_round_and_round(void)
{
    struct gs_vm *vm = unit_task();
    struct gs_chan *c = gs_chan_new(20);
    gs_value v;
    int64_t in = 0, out = 0;
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 13 && gs_chan_len_locked(c) < 20; i++)
            CU_ASSERT_EQUAL(send(vm, c, in++, 0), GS_OK);
        for (int i = 0; i < 11 && gs_chan_len_locked(c) > 0; i++) {
            CU_ASSERT_EQUAL(recv(vm, c, 0, &v), GS_OK);
            CU_ASSERT_EQUAL(v.i, out++);
        }
    }
    while (gs_chan_len_locked(c) < 20)
        CU_ASSERT_EQUAL(send(vm, c, in++, 0), GS_OK);
    CU_ASSERT_EQUAL(send(vm, c, 0, 0), -1);
    while (gs_chan_len_locked(c) > 0) {
        CU_ASSERT_EQUAL(recv(vm, c, 0, &v), GS_OK);
        CU_ASSERT_EQUAL(v.i, out++);
    }
    CU_ASSERT_EQUAL(in, out);
    gs_hobj_release(&c->h);
    unit_task_free(vm);
}

static void a_rendezvous_hands_over(void)
{
    struct gs_vm *a = unit_task(), *b = unit_task();
    struct gs_chan *c = gs_chan_new(0);
    gs_value v;
    CU_ASSERT_EQUAL(send(a, c, 1, 0), -1);
    CU_ASSERT_EQUAL(recv(b, c, -1, &v), GS_PARK);
    CU_ASSERT_EQUAL(send(a, c, 7, -1), GS_OK);
    CU_ASSERT_TRUE(unit_woken(b));
    CU_ASSERT_EQUAL(finish(b, &v), GS_OK);
    CU_ASSERT_EQUAL(v.i, 7);
    CU_ASSERT_EQUAL(send(a, c, 8, -1), GS_PARK);
    CU_ASSERT_EQUAL(recv(b, c, 0, &v), GS_OK);
    CU_ASSERT_EQUAL(v.i, 8);
    CU_ASSERT_TRUE(unit_woken(a));
    CU_ASSERT_EQUAL(finish(a, &v), GS_OK);
    CU_ASSERT_TRUE(gs_truthy(v));
    gs_hobj_release(&c->h);
    unit_task_free(a);
    unit_task_free(b);
}

static void a_waiting_senders_value_moves_into_the_buffer(void)
{
    struct gs_vm *a = unit_task(), *b = unit_task();
    struct gs_chan *c = gs_chan_new(1);
    gs_value v;
    CU_ASSERT_EQUAL(send(a, c, 1, -1), GS_OK);
    CU_ASSERT_EQUAL(send(a, c, 2, -1), GS_PARK);
    CU_ASSERT_EQUAL(recv(b, c, -1, &v), GS_OK);
    CU_ASSERT_EQUAL(v.i, 1);
    CU_ASSERT_TRUE(unit_woken(a));
    CU_ASSERT_EQUAL(gs_chan_len_locked(c), 1);
    CU_ASSERT_EQUAL(finish(a, &v), GS_OK);
    CU_ASSERT_EQUAL(recv(b, c, -1, &v), GS_OK);
    CU_ASSERT_EQUAL(v.i, 2);
    gs_hobj_release(&c->h);
    unit_task_free(a);
    unit_task_free(b);
}

static void a_sender_that_gives_up_takes_its_value_back(void)
{
    struct gs_vm *a = unit_task(), *b = unit_task();
    struct gs_chan *c = gs_chan_new(0);
    gs_value v;
    CU_ASSERT_EQUAL(send(a, c, 1, 60000), GS_PARK);
    CU_ASSERT_TRUE(gs_wait_claim(a, GS_WAIT_TIMEOUT));
    CU_ASSERT_EQUAL(recv(b, c, 0, &v), GS_OK); /* passes it over */
    CU_ASSERT_EQUAL(v.tag, GS_T_NIL);
    CU_ASSERT_EQUAL(finish(a, &v), GS_OK);
    CU_ASSERT_FALSE(gs_truthy(v));
    CU_ASSERT_PTR_NULL(c->senders.head);
    CU_ASSERT_EQUAL(send(a, c, 1, -1), GS_PARK);
    gs_taskobj_cancel(a->self);
    CU_ASSERT_EQUAL(finish(a, &v), GS_E_THROWN);
    CU_ASSERT_PTR_NOT_NULL(strstr(unit_error(a), "Cancelled"));
    CU_ASSERT_PTR_NULL(c->senders.head);
    gs_hobj_release(&c->h);
    unit_task_free(a);
    unit_task_free(b);
}

static void close_wakes_everybody_and_keeps_the_buffer(void)
{
    struct gs_vm *a = unit_task(), *b = unit_task();
    struct gs_chan *c = gs_chan_new(1), *d = gs_chan_new(0);
    gs_value v;
    CU_ASSERT_EQUAL(send(a, c, 1, -1), GS_OK);
    CU_ASSERT_EQUAL(send(a, c, 2, -1), GS_PARK);
    CU_ASSERT_EQUAL(recv(b, d, -1, &v), GS_PARK);
    CU_ASSERT_TRUE(gs_chan_close(c));
    CU_ASSERT_FALSE(gs_chan_close(c));
    CU_ASSERT_TRUE(gs_chan_close(d));
    CU_ASSERT_TRUE(unit_woken(a) && unit_woken(b));
    CU_ASSERT_EQUAL(finish(a, &v), GS_E_THROWN);
    CU_ASSERT_PTR_NOT_NULL(strstr(unit_error(a), "ChannelClosed"));
    CU_ASSERT_EQUAL(finish(b, &v), GS_OK);
    CU_ASSERT_EQUAL(v.tag, GS_T_NIL);
    CU_ASSERT_EQUAL(recv(b, c, -1, &v), GS_OK);
    CU_ASSERT_EQUAL(v.i, 1);
    CU_ASSERT_EQUAL(recv(b, c, -1, &v), GS_OK);
    CU_ASSERT_EQUAL(v.tag, GS_T_NIL);
    CU_ASSERT_EQUAL(gs_chan_next(b, c, &v), GS_OK);
    CU_ASSERT_EQUAL(v.tag, GS_T_UNSET);
    CU_ASSERT_EQUAL(send(a, c, 3, 0), GS_E_THROWN);
    gs_hobj_release(&c->h);
    gs_hobj_release(&d->h);
    unit_task_free(a);
    unit_task_free(b);
}

static void a_select_leaves_no_waiter_behind(void)
{
    struct gs_vm *s = unit_task(), *a = unit_task();
    struct gs_chan *c[3];
    gs_value cases[3], v;
    for (int i = 0; i < 3; i++) {
        c[i] = gs_chan_new(0);
        cases[i] = select_case(s, c[i], i == 2, 9);
    }
    CU_ASSERT_EQUAL(select_of(s, cases, 3, 0, &v), GS_OK);
    CU_ASSERT_EQUAL(v.tag, GS_T_NIL);
    CU_ASSERT_EQUAL(select_of(s, cases, 3, -1, &v), GS_PARK);
    CU_ASSERT_PTR_NOT_NULL(c[0]->receivers.head);
    CU_ASSERT_PTR_NOT_NULL(c[2]->senders.head);
    CU_ASSERT_EQUAL(send(a, c[1], 5, -1), GS_OK);
    CU_ASSERT_TRUE(unit_woken(s));
    CU_ASSERT_EQUAL(send(a, c[0], 6, 0), -1); /* it is taken already */
    CU_ASSERT_EQUAL(finish(s, &v), GS_OK);
    CU_ASSERT_STRING_EQUAL(unit_text(v), "{index: 1, ok: true, value: 5}");
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_PTR_NULL(c[i]->receivers.head);
        CU_ASSERT_PTR_NULL(c[i]->senders.head);
    }
    CU_ASSERT_EQUAL(select_of(s, cases, 3, -1, &v), GS_PARK);
    CU_ASSERT_EQUAL(recv(a, c[2], -1, &v), GS_OK);
    CU_ASSERT_EQUAL(v.i, 9);
    CU_ASSERT_EQUAL(finish(s, &v), GS_OK);
    CU_ASSERT_STRING_EQUAL(unit_text(v), "{index: 2, ok: true, value: nil}");
    for (int i = 0; i < 3; i++)
        gs_hobj_release(&c[i]->h);
    unit_task_free(s);
    unit_task_free(a);
}

static void two_selects_meet_and_one_does_not_meet_itself(void)
{
    struct gs_vm *s = unit_task(), *t = unit_task();
    struct gs_chan *c = gs_chan_new(0);
    gs_value both[] = {select_case(s, c, true, 1), select_case(s, c, false, 0)}, v;
    gs_value other[] = {select_case(t, c, false, 0)};
    CU_ASSERT_EQUAL(select_of(s, both, 2, -1, &v), GS_PARK);
    CU_ASSERT_FALSE(unit_woken(s));
    CU_ASSERT_EQUAL(select_of(t, other, 1, -1, &v), GS_OK);
    CU_ASSERT_STRING_EQUAL(unit_text(v), "{index: 0, ok: true, value: 1}");
    CU_ASSERT_TRUE(unit_woken(s));
    CU_ASSERT_EQUAL(finish(s, &v), GS_OK);
    CU_ASSERT_STRING_EQUAL(unit_text(v), "{index: 0, ok: true, value: nil}");
    gs_hobj_release(&c->h);
    unit_task_free(s);
    unit_task_free(t);
}

static void failing_allocations_lose_no_value(void)
{
    struct gs_vm *a = unit_task(), *b = unit_task();
    struct gs_chan *c = gs_chan_new(4);
    for (uint64_t n = 1; n < 40; n++) {
        struct gs_array *big = native_ints(a, 100).a;
        gs_value v = gs_nil(), out = gs_objv(GS_T_ARRAY, big);
        gs_mem_fail_at(n);
        int st = gs_chan_send(a, c, out, 0, "send", &v);
        gs_mem_fail_at(0);
        if (st == GS_E_NOMEM) {
            CU_ASSERT_EQUAL(gs_chan_len_locked(c), 0);
            CU_ASSERT_EQUAL(gs_chan_send(a, c, out, 0, "send", &v), GS_OK);
        }
        gs_mem_fail_at(n % 5 + 1);
        st = recv(b, c, 0, &v);
        gs_mem_fail_at(0);
        if (st == GS_PARK) { /* out of memory with the value in hand: finish gives it */
            CU_ASSERT_TRUE(unit_woken(b));
            CU_ASSERT_EQUAL(finish(b, &v), GS_OK);
        }
        CU_ASSERT_TRUE_FATAL(gs_is(v, GS_T_ARRAY) && v.a->len == 100);
        CU_ASSERT_EQUAL(gs_chan_len_locked(c), 0);
    }
    gs_hobj_release(&c->h);
    unit_task_free(a);
    unit_task_free(b);
}

static const struct unit_case cases[] = {
    UNIT_CASE(a_buffer_keeps_order_round_and_round),
    UNIT_CASE(a_rendezvous_hands_over),
    UNIT_CASE(a_waiting_senders_value_moves_into_the_buffer),
    UNIT_CASE(a_sender_that_gives_up_takes_its_value_back),
    UNIT_CASE(close_wakes_everybody_and_keeps_the_buffer),
    UNIT_CASE(a_select_leaves_no_waiter_behind),
    UNIT_CASE(two_selects_meet_and_one_does_not_meet_itself),
    UNIT_CASE(failing_allocations_lose_no_value),
};
UNIT_MAIN("chan", cases)
