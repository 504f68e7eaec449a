/* SPDX-License-Identifier: MIT
 * test_copy.c - the copier: aliasing, cycles, sharing, globals, shares of handles, failing allocations.
 */
#include "unit_task.h"

#include "chan.h"
#include "copy.h"
#include "flat.h"
#include "payload.h"
#include "port/mem.h"

static struct gs_vm *receiver(void)
{
    struct gs_vm *vm = gs_vm_new();
    CU_ASSERT_PTR_NOT_NULL_FATAL(vm);
    return vm;
}

/* v of one VM in another, by a parcel. */
static gs_value sent(struct gs_vm *from, struct gs_vm *to, gs_value v)
{
    struct gs_parcel p;
    gs_value out = gs_nil();
    CU_ASSERT_EQUAL_FATAL(gs_parcel_pack(from, v, &p), GS_OK);
    CU_ASSERT_EQUAL_FATAL(gs_parcel_take(to, &p, &out), GS_OK);
    CU_ASSERT_TRUE(p.v.tag == GS_T_NIL);
    return out;
}

static gs_value floats(struct gs_vm *vm, int64_t n)
{
    struct gs_array *a = gs_array_make(&vm->heap, GS_STORE_FLOAT, n);
    for (int64_t i = 0; i < n; i++)
        a->d[i] = (double)i;
    return gs_objv(GS_T_ARRAY, a);
}

static void immediates_need_no_fragment(void)
{
    struct gs_vm *a = unit_task();
    gs_value v[] = {gs_nil(), gs_int(5), gs_float(1.5), gs_bool(true), gs_strv(gs_atomz("atom"))};
    for (unsigned i = 0; i < sizeof v / sizeof v[0]; i++) {
        struct gs_parcel p;
        CU_ASSERT_EQUAL(gs_parcel_pack(a, v[i], &p), GS_OK);
        CU_ASSERT_PTR_NULL(gs_parcel_fragment(&p));
        CU_ASSERT_TRUE(p.v.u == v[i].u && p.v.tag == v[i].tag);
        gs_parcel_drop(&p);
    }
    unit_task_free(a);
}

static void aliasing_and_cycles_are_kept(void)
{
    struct gs_vm *a = unit_task(), *b = receiver();
    struct gs_array *outer = gs_array_new(&a->heap), *inner = gs_array_new(&a->heap);
    (void)gs_array_push(&a->heap, outer, gs_objv(GS_T_ARRAY, inner));
    (void)gs_array_push(&a->heap, outer, gs_objv(GS_T_ARRAY, inner));
    (void)gs_array_push(&a->heap, inner, gs_objv(GS_T_ARRAY, outer));
    struct gs_array *got = sent(a, b, gs_objv(GS_T_ARRAY, outer)).a;
    CU_ASSERT_PTR_NOT_EQUAL(got, outer);
    CU_ASSERT_PTR_EQUAL(got->v[0].a, got->v[1].a);
    CU_ASSERT_PTR_EQUAL(got->v[0].a->v[0].a, got);
    gs_vm_free(b);
    unit_task_free(a);
}

static void depth_costs_no_stack(void)
{
    struct gs_vm *a = unit_task(), *b = receiver();
    gs_value v = gs_int(1);
    for (int i = 0; i < 200000; i++) {
        struct gs_array *outer = gs_array_make(&a->heap, GS_STORE_VALUE, 1);
        outer->v[0] = v;
        v = gs_objv(GS_T_ARRAY, outer);
    }
    v = sent(a, b, v);
    int depth = 0;
    for (; gs_is(v, GS_T_ARRAY); v = v.a->v[0])
        depth++;
    CU_ASSERT_EQUAL(depth, 200000);
    gs_vm_free(b);
    unit_task_free(a);
}

static void large_packed_arrays_are_shared_until_written(void)
{
    struct gs_vm *a = unit_task(), *b = receiver(), *c = receiver();
    gs_value v = floats(a, 10000);
    struct gs_parcel p;
    gs_value x, y;
    CU_ASSERT_EQUAL_FATAL(gs_parcel_pack(a, v, &p), GS_OK);
    CU_ASSERT_EQUAL_FATAL(gs_parcel_open(b, &p, &x), GS_OK);
    CU_ASSERT_EQUAL_FATAL(gs_parcel_open(c, &p, &y), GS_OK);
    gs_parcel_drop(&p);
    CU_ASSERT_TRUE(x.a->pay == v.a->pay && y.a->pay == v.a->pay);
    CU_ASSERT_EQUAL(gs_array_set(&b->heap, x.a, 3, gs_float(-1)), GS_OK);
    CU_ASSERT_PTR_NOT_EQUAL(x.a->pay, v.a->pay);
    CU_ASSERT_TRUE(x.a->d[3] == -1 && y.a->d[3] == 3 && v.a->d[3] == 3);
    CU_ASSERT_EQUAL(gs_array_set(&a->heap, v.a, 4, gs_float(-2)), GS_OK); /* the maker, too, is not alone */
    CU_ASSERT_TRUE(v.a->d[4] == -2 && y.a->d[4] == 4);
    gs_vm_free(b);
    gs_vm_free(c);
    unit_task_free(a);
}

static void handles_in_a_parcel_hold_a_share(void)
{
    struct gs_vm *a = unit_task(), *b = receiver();
    struct gs_chan *c = gs_chan_new(0);
    struct gs_parcel p, q;
    gs_value v, list;
    CU_ASSERT_EQUAL_FATAL(gs_handle_share(a, &c->h, &v), GS_OK);
    list = gs_objv(GS_T_ARRAY, gs_array_from(&a->heap, &v, 1));
    CU_ASSERT_EQUAL_FATAL(gs_parcel_pack(a, v, &p), GS_OK);    /* by itself */
    CU_ASSERT_EQUAL_FATAL(gs_parcel_pack(a, list, &q), GS_OK); /* in a fragment */
    unit_task_free(a);
    CU_ASSERT_EQUAL(gs_load_rlx(&c->h.refs), 3);
    CU_ASSERT_EQUAL(gs_parcel_take(b, &p, &v), GS_OK);
    CU_ASSERT_EQUAL(gs_parcel_take(b, &q, &list), GS_OK);
    CU_ASSERT_PTR_EQUAL(gs_handle_obj(gs_array_at(list.a, 0)), &c->h);
    CU_ASSERT_EQUAL(gs_load_rlx(&c->h.refs), 3); /* two in the ledger, one ours */
    gs_vm_free(b);
    CU_ASSERT_EQUAL(gs_load_rlx(&c->h.refs), 1);
    gs_hobj_release(&c->h);
}

static void a_second_parcel_is_the_same_value(void)
{
    struct gs_vm *a = unit_task(), *b = receiver();
    struct gs_parcel p, q;
    gs_value v;
    CU_ASSERT_EQUAL_FATAL(gs_parcel_pack(a, native_ints(a, 5), &p), GS_OK);
    gs_parcel_dup(&p, &q);
    gs_parcel_drop(&p);
    CU_ASSERT_EQUAL(gs_parcel_open(b, &q, &v), GS_OK);
    CU_ASSERT_STRING_EQUAL(unit_text(v), "[0, 1, 2, 3, 4]");
    gs_parcel_drop(&q);
    CU_ASSERT_STRING_EQUAL(unit_text(v), "[0, 1, 2, 3, 4]");
    gs_vm_free(b);
    unit_task_free(a);
}

/* What a task of a program of many globals gets: the ones its function names. */
static void a_task_gets_the_globals_it_names(void)
{
    static char text[4000];
    size_t at = 0;
    for (int i = 0; i < 100; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "let g%d = [%d]\n", i, i);
    (void)snprintf(text + at, sizeof text - at,
                   "fn keep() { return [g1, g50, g99] }\nfn two() { return [g7, g8] }\nfn none() { return 1 }\n"
                   "let r = [two, none]\n");
    struct gs_vm *vm = unit_vm_of(text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(vm);
    CU_ASSERT_EQUAL_FATAL(gs_interp_run(vm), GS_OK);
    gs_value fns = unit_global(vm, "r");
    struct gs_vm *two = receiver(), *none = receiver(), *again = receiver();
    CU_ASSERT_EQUAL(gs_copy_start(vm, two, gs_array_at(fns.a, 0), NULL, 0), GS_OK);
    CU_ASSERT_EQUAL(gs_copy_start(vm, none, gs_array_at(fns.a, 1), NULL, 0), GS_OK);
    CU_ASSERT_EQUAL(gs_copy_start(vm, again, gs_array_at(fns.a, 0), NULL, 0), GS_OK);
    CU_ASSERT_EQUAL(two->layout->n, 2);
    CU_ASSERT_EQUAL(none->layout->n, 0);
    CU_ASSERT_PTR_EQUAL(two->layout, again->layout); /* one for all VMs of a function */
    CU_ASSERT_EQUAL(two->flags & GS_VM_FOREIGN_GLOBALS, 0);
    CU_ASSERT_EQUAL(gs_interp_run(two), GS_OK);
    CU_ASSERT_STRING_EQUAL(unit_text(two->result), "[[7], [8]]");
    gs_vm_free(two);
    gs_vm_free(none);
    gs_vm_free(again);
    gs_vm_free(vm);
}

static struct gs_proto *two_parameters(void)
{
    const gs_insn code[] = {I_ABC(RET, 0, 0, 0)};
    return unit_proto(&(struct unit_code){.code = code, .n = 1, .nregs = 3, .nparams = 2, .nreq = 2});
}

/* A closure over a string and a handle, called with a string and x. */
static gs_status start_closure(struct gs_vm *a, struct gs_vm *b, gs_value handle, gs_value x)
{
    struct gs_func *f = gs_heap_new(&a->heap, GS_T_FUNC, sizeof *f + 2 * sizeof(gs_value));
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    f->h.aux16 = 2;
    f->proto = two_parameters();
    f->up[0] = gs_strv(gs_str_new(&a->heap, "captured", 8));
    f->up[1] = handle;
    gs_value args[] = {gs_strv(gs_str_new(&a->heap, "argument", 8)), x};
    return gs_copy_start(a, b, gs_objv(GS_T_FUNC, f), args, 2);
}

static void a_flat_call_is_copied_as_any_other(void)
{
    for (int graph = 0; graph < 2; graph++) { /* with an array it takes the other way */
        struct gs_vm *a = unit_task(), *b = receiver();
        struct gs_chan *c = gs_chan_new(0);
        gs_value h, x = gs_int(5);
        CU_ASSERT_EQUAL_FATAL(gs_handle_share(a, &c->h, &h), GS_OK);
        if (graph)
            x = gs_objv(GS_T_ARRAY, gs_array_from(&a->heap, &x, 1));
        CU_ASSERT_EQUAL_FATAL(start_closure(a, b, h, x), GS_OK);
        CU_ASSERT_EQUAL(gs_load_rlx(&c->h.refs), 3);
        unit_task_free(a); /* nothing of it is left in b */
        const struct gs_func *f = b->base[-2].f;
        CU_ASSERT_STRING_EQUAL(unit_text(f->up[0]), "captured");
        CU_ASSERT_PTR_EQUAL(gs_handle_obj(f->up[1]), &c->h);
        CU_ASSERT_EQUAL(f->up[1].i, c->h.id);
        CU_ASSERT_STRING_EQUAL(unit_text(b->base[0]), "argument");
        CU_ASSERT_EQUAL(graph ? gs_array_at(b->base[1].a, 0).i : b->base[1].i, 5);
        CU_ASSERT_PTR_NOT_NULL(b->layout);
        gs_vm_free(b);
        CU_ASSERT_EQUAL(gs_load_rlx(&c->h.refs), 1);
        gs_hobj_release(&c->h);
    }
}

/* The closure of start_closure, without its string in a heap: kept, started twice, dropped. */
static void a_flat_call_can_be_kept(void)
{
    struct gs_vm *a = unit_task();
    struct gs_chan *c = gs_chan_new(0);
    gs_value h;
    CU_ASSERT_EQUAL_FATAL(gs_handle_share(a, &c->h, &h), GS_OK);
    struct gs_func *f = gs_heap_new(&a->heap, GS_T_FUNC, sizeof *f + 2 * sizeof(gs_value));
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    f->h.aux16 = 2;
    f->proto = two_parameters();
    f->up[0] = gs_strv(gs_atomz("captured"));
    f->up[1] = h;
    gs_value args[] = {h, gs_int(5)};
    gs_value fn = gs_objv(GS_T_FUNC, f), kept_args[2];
    struct gs_flat *kept = gs_flat_new(a, fn, 2);
    CU_ASSERT_PTR_NOT_NULL_FATAL(kept);
    CU_ASSERT_TRUE_FATAL(gs_flat_takes(args, 2));
    gs_flat_keep(kept_args, args, 2);
    CU_ASSERT_EQUAL(gs_load_rlx(&c->h.refs), 4);
    CU_ASSERT_EQUAL(kept->nargs, 2);
    CU_ASSERT_TRUE(gs_flat_fits(kept, a, fn, 2));
    CU_ASSERT_FALSE(gs_flat_fits(kept, a, fn, 1));
    CU_ASSERT_FALSE(gs_flat_fits(kept, a, h, 2));
    f->up[0] = gs_int(1);
    CU_ASSERT_FALSE(gs_flat_fits(kept, a, fn, 2));
    f->up[0] = gs_strv(gs_str_new(&a->heap, "of this heap", 12));
    CU_ASSERT_PTR_NULL(gs_flat_new(a, fn, 2));
    args[1] = f->up[0];
    CU_ASSERT_FALSE(gs_flat_takes(args, 2));
    args[1] = gs_objv(GS_T_ARRAY, gs_array_from(&a->heap, args, 1));
    CU_ASSERT_FALSE(gs_flat_takes(args, 2));
    CU_ASSERT_EQUAL(gs_load_rlx(&c->h.refs), 4); /* nothing more has been kept */
    unit_task_free(a);
    CU_ASSERT_EQUAL(gs_load_rlx(&c->h.refs), 3);
    for (int round = 0; round < 2; round++) {
        struct gs_vm *b = receiver();
        CU_ASSERT_EQUAL_FATAL(gs_flat_start(b, kept, kept_args), GS_OK);
        const struct gs_func *g = b->base[-2].f;
        CU_ASSERT_STRING_EQUAL(unit_text(g->up[0]), "captured");
        CU_ASSERT_PTR_EQUAL(gs_handle_obj(g->up[1]), &c->h);
        CU_ASSERT_PTR_EQUAL(gs_handle_obj(b->base[0]), &c->h);
        CU_ASSERT_EQUAL(b->base[1].i, 5);
        CU_ASSERT_EQUAL(gs_load_rlx(&c->h.refs), 5);
        gs_vm_free(b);
    }
    gs_flat_drop(kept_args, 2);
    gs_flat_free(kept);
    gs_flat_free(NULL);
    CU_ASSERT_EQUAL(gs_load_rlx(&c->h.refs), 1);
    gs_hobj_release(&c->h);
}

/* As when the bottom frame has returned, and its registers with it. */
static void returns(struct gs_vm *vm)
{
    vm->base[-2] = gs_int(1);
    vm->base[0] = gs_nil();
    vm->base = NULL;
    vm->pc = NULL;
}

static void makes_nothing(struct gs_vm *vm)
{
    (void)vm;
}
static void makes_an_array(struct gs_vm *vm)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(gs_array_new(&vm->heap));
}
static void collects(struct gs_vm *vm)
{
    gs_vm_collect(vm);
}
static void gets_a_share(struct gs_vm *vm)
{
    gs_value h;
    struct gs_chan *c = gs_chan_new(0);
    CU_ASSERT_EQUAL_FATAL(gs_handle_adopt(vm, &c->h, &h), GS_OK);
}
static void waits(struct gs_vm *vm)
{
    gs_wait_begin(vm);
    (void)gs_wait_end(vm);
}
static void is_cancelled(struct gs_vm *vm)
{
    vm->flags |= GS_VM_CANCELLED;
}
static void grows(struct gs_vm *vm)
{
    CU_ASSERT_EQUAL_FATAL(gs_vm_grow_stack(vm, vm->stack, 300), GS_OK);
}
static void grows_a_lot(struct gs_vm *vm)
{
    CU_ASSERT_EQUAL_FATAL(gs_vm_grow_stack(vm, vm->stack, 3000), GS_OK);
}

static void only_a_vm_that_did_nothing_begins_again(void)
{
    static const struct {
        void (*job)(struct gs_vm *);
        bool again;
    } jobs[] = {{makes_nothing, true}, {makes_an_array, false}, {collects, false}, {gets_a_share, false}, {waits, false}, {is_cancelled, false}, {grows, true}, {grows_a_lot, false}};
    struct gs_vm *a = unit_task();
    struct gs_func *f = gs_heap_new(&a->heap, GS_T_FUNC, sizeof *f + sizeof(gs_value));
    f->h.aux16 = 1;
    f->proto = two_parameters();
    f->up[0] = gs_int(8);
    struct gs_flat *kept = gs_flat_new(a, gs_objv(GS_T_FUNC, f), 2);
    f->up[0] = gs_int(9);
    struct gs_flat *other = gs_flat_new(a, gs_objv(GS_T_FUNC, f), 2);
    for (size_t i = 0; i < sizeof jobs / sizeof jobs[0]; i++) {
        struct gs_vm *b = receiver();
        gs_value args[] = {gs_int(1), gs_int(2)}, next[] = {gs_int(3), gs_int(4)};
        CU_ASSERT_EQUAL_FATAL(gs_flat_start(b, kept, args), GS_OK);
        for (int round = 0; round < 2; round++) {
            const gs_insn *begin = gs_vm_proto(b)->code;
            jobs[i].job(b);
            returns(b);
            CU_ASSERT_FALSE(gs_flat_restart(b, other, next));
            CU_ASSERT_EQUAL_FATAL(gs_flat_restart(b, kept, next), jobs[i].again);
            if (!jobs[i].again)
                break;
            CU_ASSERT_PTR_EQUAL(b->base[-2].f, b->marked_fn);
            CU_ASSERT_EQUAL(b->base[-2].f->up[0].i, 8);
            CU_ASSERT_PTR_EQUAL(b->pc, begin);
            CU_ASSERT_EQUAL(b->base[0].i, 3);
            CU_ASSERT_EQUAL(b->base[1].i, 4);
        }
        gs_vm_free(b);
    }
    gs_flat_free(kept);
    gs_flat_free(other);
    unit_task_free(a);
}

static void a_flat_call_without_memory_leaves_nothing_behind(void)
{
    struct gs_vm *a = unit_task();
    struct gs_chan *c = gs_chan_new(0);
    gs_value h, big;
    static char text[3000];
    memset(text, 'x', sizeof text);
    CU_ASSERT_EQUAL_FATAL(gs_handle_share(a, &c->h, &h), GS_OK);
    big = gs_strv(gs_str_new(&a->heap, text, sizeof text));
    struct gs_func *f = gs_heap_new(&a->heap, GS_T_FUNC, sizeof *f + sizeof(gs_value));
    f->h.aux16 = 1;
    f->proto = two_parameters();
    f->up[0] = h;
    bool done = false;
    for (uint64_t n = 0; !done && n < 100; n++) {
        struct gs_vm *b = receiver();
        gs_value args[] = {big, big};
        gs_mem_fail_at(n); /* the first time not at all: what code can reach is found out once, and needs memory */
        gs_status st = gs_copy_start(a, b, gs_objv(GS_T_FUNC, f), args, 2);
        gs_mem_fail_at(0);
        CU_ASSERT_TRUE(st == GS_OK || st == GS_E_NOMEM);
        done = st == GS_OK && n > 0;
        gs_vm_free(b);
        CU_ASSERT_EQUAL(gs_load_rlx(&c->h.refs), 2);
    }
    CU_ASSERT_TRUE(done);
    unit_task_free(a);
    gs_hobj_release(&c->h);
}

static void failing_allocations_leave_nothing_behind(void)
{
    struct gs_vm *a = unit_task();
    struct gs_array *all = gs_array_new(&a->heap);
    struct gs_chan *c = gs_chan_new(0);
    gs_value h;
    CU_ASSERT_EQUAL_FATAL(gs_handle_share(a, &c->h, &h), GS_OK);
    (void)gs_array_push(&a->heap, all, floats(a, 1000));
    (void)gs_array_push(&a->heap, all, h);
    (void)gs_array_push(&a->heap, all, native_str(a, "a string that is copied"));
    for (int i = 0; i < 60; i++) { /* more than the copier's first tables hold */
        gs_value x = gs_objv(GS_T_ARRAY, gs_array_make(&a->heap, GS_STORE_VALUE, 3));
        (void)gs_array_push(&a->heap, all, x);
    }
    bool done = false;
    for (uint64_t n = 1; n < 400 && !done; n++) {
        struct gs_vm *b = receiver();
        struct gs_parcel p = {0};
        gs_value v = gs_nil();
        gs_mem_fail_at(n);
        gs_status st = gs_parcel_pack(a, gs_objv(GS_T_ARRAY, all), &p);
        if (st == GS_OK)
            st = gs_parcel_take(b, &p, &v);
        gs_mem_fail_at(0);
        CU_ASSERT_TRUE(st == GS_OK || st == GS_E_NOMEM);
        if (st == GS_E_NOMEM && gs_parcel_fragment(&p) != NULL) { /* the parcel stays whole */
            CU_ASSERT_EQUAL(gs_parcel_take(b, &p, &v), GS_OK);
            CU_ASSERT_EQUAL(v.a->len, all->len);
        }
        done = st == GS_OK;
        gs_vm_free(b);
        CU_ASSERT_EQUAL(gs_load_rlx(&c->h.refs), 2);
    }
    CU_ASSERT_TRUE(done);
    unit_task_free(a);
    gs_hobj_release(&c->h);
}

static const struct unit_case cases[] = {
    UNIT_CASE(immediates_need_no_fragment),
    UNIT_CASE(aliasing_and_cycles_are_kept),
    UNIT_CASE(depth_costs_no_stack),
    UNIT_CASE(large_packed_arrays_are_shared_until_written),
    UNIT_CASE(handles_in_a_parcel_hold_a_share),
    UNIT_CASE(a_second_parcel_is_the_same_value),
    UNIT_CASE(a_task_gets_the_globals_it_names),
    UNIT_CASE(a_flat_call_is_copied_as_any_other),
    UNIT_CASE(a_flat_call_can_be_kept),
    UNIT_CASE(only_a_vm_that_did_nothing_begins_again),
    UNIT_CASE(a_flat_call_without_memory_leaves_nothing_behind),
    UNIT_CASE(failing_allocations_leave_nothing_behind),
};
UNIT_MAIN("copy", cases)
