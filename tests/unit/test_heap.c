/* SPDX-License-Identifier: MIT
 * test_heap.c - where a heap's memory comes from, what it counts, and the joining of heaps.
 */
#include "array.h"
#include "heap_int.h"
#include "port/mem.h"
#include "str.h"
#include "unit.h"
#include "unit_heap.h"

static void first_allocations_come_from_the_callers_chunk(void)
{
    _Alignas(16) char first[256];
    struct gs_heap h = {0};
    gs_heap_init(&h, first, sizeof first);
    char *p = gs_heap_alloc(&h, 100);
    CU_ASSERT_PTR_EQUAL(p, first);
    CU_ASSERT_PTR_EQUAL(gs_heap_alloc(&h, 1), first + 112);
    CU_ASSERT_EQUAL(h.used, 0);
    CU_ASSERT_EQUAL(h.newflags, GS_OF_CHUNK);
    p = gs_heap_alloc(&h, 200);
    CU_ASSERT_TRUE(p < first || p >= first + sizeof first);
    gs_heap_fini(&h);
}

static void a_small_fragment_costs_one_small_allocation(void)
{
    struct gs_heap h = {0};
    gs_heap_init(&h, NULL, 0);
    CU_ASSERT_PTR_NOT_NULL(gs_heap_alloc(&h, 100));
    CU_ASSERT_EQUAL(h.nchunks, 1);
    CU_ASSERT_TRUE(h.used <= 512);
    gs_heap_fini(&h);
}

static void objects_of_all_sizes_are_aligned_and_apart(void)
{
    struct gs_heap h = {0};
    gs_heap_init(&h, NULL, 0);
    char *at[600];
    size_t size[600];
    uint64_t seed = 1;
    for (int i = 0; i < 600; i++) {
        size[i] = 8 + unit_random(&seed) % (i % 10 == 0 ? 40000 : 700);
        struct gs_obj *o = gs_heap_new(&h, GS_T_RAW, size[i]);
        CU_ASSERT_PTR_NOT_NULL_FATAL(o);
        CU_ASSERT_EQUAL((uintptr_t)o % 16, 0);
        at[i] = (char *)o;
        memset(at[i] + 8, i & 0xff, size[i] - 8);
    }
    for (int i = 0; i < 600; i++)
        for (size_t j = 8; j < size[i]; j++)
            if (at[i][j] != (char)(i & 0xff)) {
                CU_FAIL("overlap");
                break;
            }
    gs_heap_fini(&h);
}

static void flags_tell_where_an_object_lies(void)
{
    struct gs_heap h = {0};
    gs_heap_init(&h, NULL, 0);
    struct gs_obj *o = gs_heap_new(&h, GS_T_RAW, 64);
    CU_ASSERT_TRUE(o->flags & GS_OF_CHUNK);
    while (gs_heap_rest_of(&h)->nblocks == 0)
        o = gs_heap_new(&h, GS_T_RAW, 64);
    CU_ASSERT_EQUAL(o->flags, 0);
    o = gs_heap_new(&h, GS_T_RAW, GS_LARGE_MIN);
    CU_ASSERT_EQUAL(o->flags, GS_OF_LARGE);
    CU_ASSERT_EQUAL(gs_heap_rest_of(&h)->nlarge, 1);
    /* Through gs_heap_alloc and gs_obj_init the flags must come out the same. */
    o = gs_heap_alloc(&h, GS_BLOCK_SIZE);
    gs_obj_init(&h, o, GS_T_RAW);
    CU_ASSERT_EQUAL(o->flags, GS_OF_LARGE);
    CU_ASSERT_EQUAL(gs_heap_rest_of(&h)->nlarge, 2);
    o = gs_heap_alloc(&h, 64);
    gs_obj_init(&h, o, GS_T_RAW);
    CU_ASSERT_EQUAL(o->flags, 0);
    o = gs_heap_alloc(&h, 5000);
    gs_obj_init(&h, o, GS_T_RAW);
    CU_ASSERT_EQUAL(o->flags, 0);
    gs_heap_fini(&h);
}

static void the_limit_is_kept(void)
{
    struct gs_heap h = {0};
    gs_heap_init(&h, NULL, 0);
    h.limit = 200000;
    int n = 0;
    while (gs_heap_new(&h, GS_T_RAW, 1000))
        n++;
    CU_ASSERT_TRUE(h.used <= h.limit);
    CU_ASSERT_TRUE(n > 120);
    CU_ASSERT_PTR_NULL(gs_heap_new(&h, GS_T_RAW, 100000));
    CU_ASSERT_PTR_NULL(gs_array_make(&h, GS_STORE_INT, 100000));
    CU_ASSERT_PTR_NULL(gs_heap_new(&h, GS_T_RAW, SIZE_MAX - 5));
    gs_heap_fini(&h);
}

static void the_process_sum_returns_to_zero(void)
{
    struct gs_heap h = {0};
    gs_heap_init(&h, NULL, 0);
    for (int i = 0; i < 1000; i++)
        (void)gs_heap_new(&h, GS_T_RAW, 1000);
    CU_ASSERT_TRUE(gs_load_rlx(&gs_heap_process.used) > 900000);
    CU_ASSERT_PTR_NOT_NULL(gs_array_make(&h, GS_STORE_INT, 1000000));
    CU_ASSERT_TRUE(gs_load_rlx(&gs_heap_process.used) > 8900000);
    gs_heap_fini(&h);
    CU_ASSERT_EQUAL(gs_load_rlx(&gs_heap_process.used), 0);
}

static void the_process_limit_holds_for_all_heaps_together(void)
{
    struct gs_heap a = {0}, b = {0};
    gs_heap_init(&a, NULL, 0);
    gs_heap_init(&b, NULL, 0);
    gs_store_rlx(&gs_heap_process.limit, (size_t)10 << 20);
    CU_ASSERT_PTR_NOT_NULL(gs_array_make(&a, GS_STORE_INT, 1 << 20)); /* 8 MiB */
    CU_ASSERT_PTR_NULL(gs_array_make(&b, GS_STORE_INT, 1 << 20));
    gs_heap_fini(&a);
    CU_ASSERT_PTR_NOT_NULL(gs_array_make(&b, GS_STORE_INT, 1 << 20));
    gs_heap_fini(&b);
    gs_store_rlx(&gs_heap_process.limit, (size_t)0);
}

static void what_no_machine_has_is_refused(void)
{
    struct gs_heap h = {0};
    gs_heap_init(&h, NULL, 0);
    CU_ASSERT_FALSE(gs_heap_has_room(&h, (size_t)1 << 45));
    CU_ASSERT_TRUE(gs_load_rlx(&gs_heap_process.limit) > 0);
    gs_store_rlx(&gs_heap_process.limit, (size_t)0);
    gs_heap_fini(&h);
}

static void uids_differ(void)
{
    uint64_t last = 0;
    for (int i = 0; i < 3000; i++) {
        struct gs_heap h = {0};
        gs_heap_init(&h, NULL, 0);
        CU_ASSERT_TRUE(h.uid > last);
        last = h.uid;
        gs_heap_fini(&h);
    }
}

/* An array of n strings, every third one long. */
static struct gs_array *strings(struct gs_heap *h, int n)
{
    char text[400];
    struct gs_array *a = gs_array_new(h);
    for (int i = 0; i < n; i++) {
        int len = snprintf(text, sizeof text, "string %d %*s", i, i % 3 ? 1 : 300, "end");
        struct gs_str *s = gs_str_new(h, text, (size_t)len);
        CU_ASSERT_EQUAL_FATAL(gs_array_push(h, a, gs_strv(s)), GS_OK);
    }
    return a;
}

static bool strings_are_right(const struct gs_array *a, int n)
{
    char text[400];
    bool ok = a->len == n;
    for (int i = 0; i < n && ok; i++) {
        int len = snprintf(text, sizeof text, "string %d %*s", i, i % 3 ? 1 : 300, "end");
        ok = gs_str_equal_bytes(a->v[i].s, text, (size_t)len);
    }
    return ok;
}

static void adoption_keeps_objects_and_frees_them_later(void)
{
    static const int sizes[] = {0, 1, 5, 40, 400, 4000, 40000};
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        struct unit_heap u;
        struct gs_heap frag = {0};
        unit_heap_init(&u);
        for (int i = 0; i < 3000; i++)
            (void)gs_heap_new(&u.h, GS_T_RAW, 100);
        CU_ASSERT_TRUE(unit_heap_collect(&u));
        gs_heap_init(&frag, NULL, 0);
        u.root[0] = gs_objv(GS_T_ARRAY, strings(&frag, sizes[k]));
        size_t before = u.h.used, more = frag.used;
        CU_ASSERT_TRUE(gs_heap_adopt(&u.h, &frag));
        CU_ASSERT_EQUAL(u.h.used, before + more);
        for (int i = 0; i < 3; i++) {
            CU_ASSERT_TRUE(gs_gc_check_value(&u.h, u.root[0]));
            CU_ASSERT_TRUE(strings_are_right(u.root[0].a, sizes[k]));
            CU_ASSERT_TRUE(unit_heap_collect(&u));
            for (int j = 0; j < 3000; j++)
                (void)gs_heap_new(&u.h, GS_T_RAW, 100);
        }
        u.root[0] = gs_nil();
        CU_ASSERT_TRUE(unit_heap_collect(&u));
        CU_ASSERT_EQUAL(gs_heap_rest_of(&u.h)->nfinal, 0);
        unit_heap_fini(&u);
    }
}

static void a_collected_heap_can_be_adopted_when_colours_allow(void)
{
    struct unit_heap a, b, c;
    unit_heap_init(&a);
    unit_heap_init(&b);
    unit_heap_init(&c);
    a.root[0] = gs_objv(GS_T_ARRAY, strings(&a.h, 500));
    b.root[0] = gs_objv(GS_T_ARRAY, strings(&b.h, 500));
    c.root[0] = gs_objv(GS_T_ARRAY, strings(&c.h, 500));
    CU_ASSERT_TRUE(unit_heap_collect(&a)); /* colour 1 */
    CU_ASSERT_TRUE(unit_heap_collect(&b));
    CU_ASSERT_TRUE(unit_heap_collect(&b)); /* colour 2 */
    CU_ASSERT_TRUE(unit_heap_collect(&c));
    CU_ASSERT_TRUE(gs_heap_adopt(&a.h, &b.h));
    a.root[1] = b.root[0];
    a.root[2] = c.root[0];
    CU_ASSERT_TRUE(gs_heap_adopt(&a.h, &c.h));
    CU_ASSERT_TRUE(unit_heap_collect(&a));
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_TRUE(gs_gc_check_value(&a.h, a.root[i]));
        CU_ASSERT_TRUE(strings_are_right(a.root[i].a, 500));
    }
    unit_heap_fini(&a);
}

static void out_of_memory_leaves_heaps_intact(void)
{
    for (uint64_t n = 1; n < 60; n++) {
        struct unit_heap u;
        struct gs_heap frag = {0};
        unit_heap_init(&u);
        gs_heap_init(&frag, NULL, 0);
        u.root[0] = gs_objv(GS_T_ARRAY, strings(&u.h, 200));
        struct gs_array *more = strings(&frag, 200);
        gs_mem_fail_at(n);
        for (int i = 0; i < 200; i++) {
            (void)gs_heap_new(&u.h, GS_T_RAW, 200);
            (void)gs_heap_new(&u.h, GS_T_RAW, 20000);
            (void)gs_str_concat(&u.h, u.root[0].a->v[0].s, u.root[0].a->v[3].s);
        }
        bool adopted = gs_heap_adopt(&u.h, &frag);
        gs_mem_fail_at(0);
        CU_ASSERT_TRUE(strings_are_right(u.root[0].a, 200));
        CU_ASSERT_TRUE(strings_are_right(more, 200));
        u.root[1] = adopted ? gs_objv(GS_T_ARRAY, more) : gs_nil();
        CU_ASSERT_TRUE(unit_heap_collect(&u));
        CU_ASSERT_TRUE(gs_gc_check_value(&u.h, u.root[0]));
        CU_ASSERT_TRUE(gs_gc_check_value(&u.h, u.root[1]));
        gs_heap_fini(&frag);
        unit_heap_fini(&u);
    }
}

static void storage_grows_in_place_at_the_end_of_a_run(void)
{
    struct gs_heap h = {0};
    gs_heap_init(&h, NULL, 0);
    while (gs_heap_rest_of(&h)->nblocks == 0)
        (void)gs_heap_new(&h, GS_T_RAW, 128);
    void *p = gs_storage_new(&h, GS_T_VALUES, 64);
    void *q = gs_storage_grow(&h, GS_T_VALUES, p, 64, 512);
    CU_ASSERT_PTR_EQUAL(p, q);
    CU_ASSERT_EQUAL(gs_storage_bytes(q), 512);
    char *cur = h.cur;
    void *r = gs_storage_new(&h, GS_T_RAW, 100);
    CU_ASSERT_PTR_EQUAL(r, cur + 16);
    CU_ASSERT_PTR_NOT_EQUAL(gs_storage_grow(&h, GS_T_VALUES, q, 512, 1024), q);
    gs_heap_fini(&h);
}

static const struct unit_case cases[] = {
    UNIT_CASE(first_allocations_come_from_the_callers_chunk),
    UNIT_CASE(a_small_fragment_costs_one_small_allocation),
    UNIT_CASE(objects_of_all_sizes_are_aligned_and_apart),
    UNIT_CASE(flags_tell_where_an_object_lies),
    UNIT_CASE(the_limit_is_kept),
    UNIT_CASE(the_process_sum_returns_to_zero),
    UNIT_CASE(the_process_limit_holds_for_all_heaps_together),
    UNIT_CASE(what_no_machine_has_is_refused),
    UNIT_CASE(uids_differ),
    UNIT_CASE(adoption_keeps_objects_and_frees_them_later),
    UNIT_CASE(a_collected_heap_can_be_adopted_when_colours_allow),
    UNIT_CASE(out_of_memory_leaves_heaps_intact),
    UNIT_CASE(storage_grows_in_place_at_the_end_of_a_run),
};

UNIT_MAIN("heap", cases)
