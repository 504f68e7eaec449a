/* SPDX-License-Identifier: MIT
 * test_handle.c - shares, numbers, ledgers.
 */
#include "unit_task.h"

#include "chan.h"
#include "hold.h"
#include "port/mem.h"

static uint32_t refs(const struct gs_chan *c)
{
    return gs_load_rlx(&c->h.refs);
}

/* A channel with a share of the test's own, so that it outlives what is tested. */
static struct gs_chan *channel(uint32_t cap)
{
    struct gs_chan *c = gs_chan_new(cap);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    return c;
}

static gs_value shared_with(struct gs_vm *vm, struct gs_chan *c)
{
    gs_value v = gs_nil();
    CU_ASSERT_EQUAL_FATAL(gs_handle_share(vm, &c->h, &v), GS_OK);
    return v;
}

static void numbers_are_never_given_twice(void)
{
    struct gs_chan *a = channel(0), *b = channel(0);
    int64_t x = a->h.id, y = b->h.id;
    CU_ASSERT_TRUE(x >= 1 && y > x);
    gs_hobj_release(&a->h);
    gs_hobj_release(&b->h);
    struct gs_chan *c = channel(0);
    CU_ASSERT_TRUE(c->h.id > y);
    gs_hobj_release(&c->h);
}

static void a_vm_holds_a_share_until_it_ends(void)
{
    struct gs_vm *vm = unit_task();
    struct gs_chan *c = channel(0);
    gs_value v = shared_with(vm, c);
    CU_ASSERT_EQUAL(gs_kind(v), GS_T_HANDLE);
    CU_ASSERT_EQUAL(v.i, c->h.id);
    CU_ASSERT_PTR_EQUAL(gs_handle_obj(v), &c->h);
    CU_ASSERT_EQUAL(refs(c), 2);
    unit_task_free(vm);
    CU_ASSERT_EQUAL(refs(c), 1);
    gs_hobj_release(&c->h);
}

static void a_collection_drops_what_it_does_not_meet(void)
{
    struct gs_vm *vm = unit_task();
    struct gs_chan *kept = channel(0), *lost = channel(0);
    vm->result = shared_with(vm, kept); /* a root */
    for (int i = 0; i < 50; i++)
        (void)shared_with(vm, lost);
    (void)shared_with(vm, kept); /* a second share of the same: one is enough */
    CU_ASSERT_EQUAL(refs(lost), 51);
    gs_vm_collect(vm);
    CU_ASSERT_EQUAL(refs(lost), 1);
    CU_ASSERT_EQUAL(refs(kept), 2);
    vm->result = gs_nil();
    gs_vm_collect(vm);
    CU_ASSERT_EQUAL(refs(kept), 1);
    unit_task_free(vm);
    gs_hobj_release(&kept->h);
    gs_hobj_release(&lost->h);
}

static void handles_ask_for_collections(void)
{
    struct gs_vm *vm = unit_task();
    struct gs_chan *c = channel(0);
    int n = 0;
    while (!gs_heap_wants_gc(&vm->heap) && n < 1000000) {
        (void)shared_with(vm, c);
        n++;
    }
    CU_ASSERT_TRUE(n < 1000000);
    unit_task_free(vm);
    gs_hobj_release(&c->h);
}

static void a_plain_int_is_a_handle_once_it_was_shown(void)
{
    struct gs_vm *vm = unit_task();
    struct gs_chan *c = channel(0);
    gs_value v = shared_with(vm, c), plain = gs_int(v.i);
    CU_ASSERT_PTR_EQUAL(gs_handle_find(v), &c->h);
    CU_ASSERT_PTR_NULL(gs_handle_find(plain));
    CU_ASSERT_PTR_NULL(gs_handle_check(vm, "recv", plain, GS_H_CHAN));
    gs_handle_pin(&c->h);
    gs_handle_pin(&c->h);
    CU_ASSERT_EQUAL(refs(c), 3); /* the table's, once */
    CU_ASSERT_PTR_EQUAL(gs_handle_find(plain), &c->h);
    CU_ASSERT_PTR_EQUAL(gs_handle_check(vm, "recv", plain, GS_H_CHAN), &c->h);
    unit_task_free(vm);
    gs_hobj_release(&c->h);
    CU_ASSERT_PTR_EQUAL(gs_handle_find(plain), &c->h); /* for good */
}

static void many_pinned_numbers_are_found(void)
{
    enum { N = 5000 };
    static int64_t id[N];
    for (int i = 0; i < N; i++) {
        struct gs_chan *c = channel(0);
        id[i] = c->h.id;
        gs_handle_pin(&c->h);
        gs_hobj_release(&c->h);
    }
    for (int i = 0; i < N; i++) {
        struct gs_hobj *o = gs_handle_find(gs_int(id[i]));
        CU_ASSERT_TRUE_FATAL(o != NULL && o->id == id[i]);
    }
    CU_ASSERT_PTR_NULL(gs_handle_find(gs_int(0)));
    CU_ASSERT_PTR_NULL(gs_handle_find(gs_int(-1)));
    CU_ASSERT_PTR_NULL(gs_handle_find(gs_int(INT64_MAX)));
}

static bool refused(struct gs_vm *vm, gs_value v, const char *why)
{
    return gs_handle_check(vm, "lock", v, GS_H_MUTEX) == NULL && strstr(unit_error(vm), why) != NULL;
}

static void a_wrong_handle_is_named(void)
{
    struct gs_vm *vm = unit_task();
    struct gs_chan *c = channel(0);
    CU_ASSERT_TRUE(refused(vm, shared_with(vm, c), "HandleError: lock expects a mutex handle, got a channel handle"));
    CU_ASSERT_TRUE(refused(vm, gs_int(1000000000), "lock expects a mutex handle, got 1000000000, which is none"));
    CU_ASSERT_TRUE(refused(vm, gs_float(1), "lock expects a mutex handle, got float"));
    unit_task_free(vm);
    gs_hobj_release(&c->h);
}

static void dropping_a_long_chain_needs_no_stack(void)
{
    struct gs_vm *vm = unit_task();
    struct gs_chan *c = channel(1);
    for (int i = 0; i < 300000; i++) {
        struct gs_chan *outer = channel(1);
        gs_value ret, v = gs_handlev(c->h.id, &c->h);
        CU_ASSERT_EQUAL_FATAL(gs_chan_send(vm, outer, v, 0, "send", &ret), GS_OK);
        gs_hobj_release(&c->h); /* the message holds it */
        c = outer;
    }
    gs_hobj_release(&c->h);
    unit_task_free(vm);
}

static void a_ledger_that_cannot_grow_keeps_what_it_has(void)
{
    struct gs_vm *vm = unit_task();
    struct gs_chan *c = channel(0);
    gs_value v;
    uint32_t had = 0;
    gs_mem_fail_at(1);
    while (gs_handle_share(vm, &c->h, &v) == GS_OK && had < 100)
        had++;
    gs_mem_fail_at(0);
    CU_ASSERT_TRUE(had < 100);
    CU_ASSERT_EQUAL(refs(c), had + 1);
    CU_ASSERT_EQUAL(gs_handle_share(vm, &c->h, &v), GS_OK);
    unit_task_free(vm);
    CU_ASSERT_EQUAL(refs(c), 1);
    gs_hobj_release(&c->h);
}

static void what_a_worker_holds_goes_back_when_it_rests(void)
{
    struct gs_chan *c = channel(0);
    gs_hold_start();
    for (int i = 0; i < 200; i++)
        gs_hobj_retain(&c->h);
    CU_ASSERT_TRUE(refs(c) >= 201); /* some are the worker's */
    for (int i = 0; i < 150; i++)
        gs_hobj_release(&c->h);
    CU_ASSERT_TRUE(refs(c) >= 51);
    gs_hold_idle();
    CU_ASSERT_EQUAL(refs(c), 51);
    for (int i = 0; i < 50; i++)
        gs_hobj_release(&c->h);
    gs_hold_stop();
    CU_ASSERT_EQUAL(refs(c), 1);
    gs_hobj_release(&c->h);
}

/* More channels than there are places: taking a place returns what another channel had there, whose last share that may be. */
static void the_last_share_may_be_the_worker_s(void)
{
    enum { N = 200 };
    static struct gs_chan *c[N];
    gs_hold_start();
    for (int i = 0; i < N; i++)
        c[i] = channel(0);
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < N; i++) {
            gs_hobj_retain(&c[i]->h);
            gs_hobj_retain(&c[i]->h);
            gs_hobj_release(&c[i]->h);
            gs_hobj_release(&c[i]->h);
        }
    for (int i = 0; i < N; i++)
        gs_hobj_release(&c[i]->h); /* the leak checker sees what stays */
    gs_hold_stop();
    CU_PASS("nothing is left");
}

/* Whatever their addresses: a task that uses two objects in turn writes to the count of neither. */
static void two_objects_never_keep_each_other_out(void)
{
    enum { N = 100 };
    static struct gs_chan *c[N];
    gs_hold_start();
    for (int i = 0; i < N; i++)
        c[i] = channel(0);
    for (int i = 1; i < N; i++) {
        for (int round = 0; round < 3; round++) {
            gs_hobj_retain(&c[0]->h);
            gs_hobj_retain(&c[i]->h);
            gs_hobj_release(&c[0]->h);
            gs_hobj_release(&c[i]->h);
        }
        uint32_t a = refs(c[0]), b = refs(c[i]);
        for (int round = 0; round < 3; round++) {
            gs_hobj_retain(&c[0]->h);
            gs_hobj_retain(&c[i]->h);
            CU_ASSERT_EQUAL(refs(c[0]), a);
            CU_ASSERT_EQUAL(refs(c[i]), b);
            gs_hobj_release(&c[0]->h);
            gs_hobj_release(&c[i]->h);
        }
    }
    for (int i = 0; i < N; i++)
        gs_hobj_release(&c[i]->h);
    gs_hold_stop();
}

static void memory_of_an_ended_vm_is_like_new(void)
{
    gs_hold_start();
    struct gs_vm *a = gs_vm_new();
    void *had = a;
    for (gs_value *v = a->stack; v < a->stack_end; v++)
        *v = gs_int(7);
    a->result = a->error = gs_int(7);
    a->resume_dst = 7;
    gs_vm_free(a);
    a = gs_vm_new();
    CU_ASSERT_PTR_EQUAL(a, had);
    CU_ASSERT_PTR_NULL(a->base);
    CU_ASSERT_EQUAL(a->result.tag, gs_nil().tag);
    CU_ASSERT_EQUAL(a->resume_dst, 0);
    for (gs_value *v = a->stack; v < a->stack_end; v++)
        CU_ASSERT_EQUAL(v->tag, gs_nil().tag);
    enum { N = 2000 }; /* more than the stock and the depot take */
    static struct gs_vm *many[N];
    for (int i = 0; i < N; i++)
        many[i] = gs_vm_new();
    for (int i = 0; i < N; i++)
        gs_vm_free(many[i]);
    for (int i = 0; i < N; i++) {
        many[i] = gs_vm_new();
        CU_ASSERT_TRUE_FATAL(many[i] != NULL && many[i]->base == NULL);
    }
    for (int i = 0; i < N; i++)
        gs_vm_free(many[i]);
    gs_vm_free(a);
    gs_hold_stop();
}

static void a_renewed_vm_is_like_new(void)
{
    struct gs_vm *vm = gs_vm_new(), *fresh = gs_vm_new();
    struct gs_chan *c = channel(0);
    uintptr_t mark = vm->task.sp_real;
    CU_ASSERT_PTR_NOT_NULL_FATAL(gs_array_make(&vm->heap, GS_STORE_VALUE, 10000)); /* beyond the first chunk */
    vm->result = shared_with(vm, c);
    for (int i = 0; i < 10; i++)
        (void)shared_with(vm, c);
    CU_ASSERT_EQUAL(refs(c), 12);
    for (gs_value *v = vm->stack; v < vm->stack_end; v++)
        *v = gs_int(7);
    vm->globals = gs_mem_alloc(64);
    vm->flags |= GS_VM_FOREIGN_GLOBALS;
    vm->resume_dst = 7;
    CU_ASSERT_EQUAL_FATAL(gs_vm_grow_stack(vm, vm->stack, 1000), GS_OK);
    CU_ASSERT_NOT_EQUAL(vm->flags & GS_VM_FOREIGN_STACK, 0);
    gs_vm_renew(vm);
    CU_ASSERT_EQUAL(refs(c), 1);
    CU_ASSERT_EQUAL(vm->flags, 0);
    CU_ASSERT_PTR_NULL(vm->globals);
    CU_ASSERT_PTR_NULL(vm->base);
    CU_ASSERT_EQUAL(vm->resume_dst, 0);
    CU_ASSERT_EQUAL(vm->result.tag, gs_nil().tag);
    CU_ASSERT_EQUAL(vm->ledger.n, 0);
    CU_ASSERT_TRUE(gs_heap_is_bare(&vm->heap));
    CU_ASSERT_EQUAL(vm->stack_end - vm->stack, fresh->stack_end - fresh->stack);
    CU_ASSERT_EQUAL((uintptr_t)vm->stack - (uintptr_t)vm, (uintptr_t)fresh->stack - (uintptr_t)fresh);
    CU_ASSERT_EQUAL(vm->task.sp_real, mark);
    CU_ASSERT_EQUAL(gs_load_rlx(&vm->task.sp_limit), mark);
    for (gs_value *v = vm->stack; v < vm->stack_end; v++)
        CU_ASSERT_EQUAL(v->tag, gs_nil().tag);
    gs_vm_free(vm);
    gs_vm_free(fresh);
    gs_hobj_release(&c->h);
}

static const struct unit_case cases[] = {
    UNIT_CASE(a_renewed_vm_is_like_new),
    UNIT_CASE(what_a_worker_holds_goes_back_when_it_rests),
    UNIT_CASE(the_last_share_may_be_the_worker_s),
    UNIT_CASE(two_objects_never_keep_each_other_out),
    UNIT_CASE(memory_of_an_ended_vm_is_like_new),
    UNIT_CASE(numbers_are_never_given_twice),
    UNIT_CASE(a_vm_holds_a_share_until_it_ends),
    UNIT_CASE(a_collection_drops_what_it_does_not_meet),
    UNIT_CASE(handles_ask_for_collections),
    UNIT_CASE(a_plain_int_is_a_handle_once_it_was_shown),
    UNIT_CASE(many_pinned_numbers_are_found),
    UNIT_CASE(a_wrong_handle_is_named),
    UNIT_CASE(dropping_a_long_chain_needs_no_stack),
    UNIT_CASE(a_ledger_that_cannot_grow_keeps_what_it_has),
};
UNIT_MAIN("handle", cases)
