/* SPDX-License-Identifier: MIT
 * test_payload.c - counted buffers.
 */
#include <pthread.h>
#include <string.h>

#include "payload.h"
#include "port/mem.h"
#include "unit.h"

static void a_payload_has_room_and_one_share(void)
{
    struct gs_payload *p = gs_payload_new(1000);
    CU_ASSERT_TRUE(p->bytes >= 1000);
    CU_ASSERT_EQUAL(gs_load_rlx(&p->refs), 1);
    CU_ASSERT_EQUAL((uintptr_t)p->data % 16, 0);
    memset(p->data, 1, p->bytes);
    gs_payload_retain(p);
    gs_payload_release(p);
    CU_ASSERT_EQUAL(gs_load_rlx(&p->refs), 1);
    p = gs_payload_resize(p, 100000);
    CU_ASSERT_EQUAL(p->data[999], 1);
    CU_ASSERT_TRUE(p->bytes >= 100000);
    gs_payload_release(p);
    gs_payload_release(NULL);
}

/* Where a column of a matrix would otherwise walk over the same few sets of the cache. */
static void large_payloads_begin_on_lines_of_many_colours(void)
{
    struct gs_payload *p[8];
    uint64_t colours = 0;
    for (unsigned i = 0; i < 8; i++) {
        p[i] = gs_payload_new(8000);
        CU_ASSERT_EQUAL((uintptr_t)p[i]->data % 64, 0);
        CU_ASSERT_TRUE(p[i]->bytes >= 8000);
        colours |= (uint64_t)1 << (p[i]->lead + 63) / 64;
    }
    CU_ASSERT_EQUAL(__builtin_popcountll(colours), 8);
    for (unsigned i = 0; i < 8; i++) {
        memset(p[i]->data, (int)i, p[i]->bytes);
        p[i] = gs_payload_resize(p[i], i % 2 ? 100000 : 5000);
        CU_ASSERT_EQUAL(p[i]->data[4999], i);
        CU_ASSERT_TRUE(p[i]->bytes >= (i % 2 ? 100000u : 5000u));
        memset(p[i]->data, 0, p[i]->bytes);
        gs_payload_release(p[i]);
    }
}

static void zeroed_means_zeroed(void)
{
    for (int k = 0; k < 20; k++) {
        struct gs_payload *p = gs_payload_new_zeroed(5000);
        bool zero = true;
        for (size_t i = 0; i < 5000; i++)
            zero = zero && p->data[i] == 0;
        CU_ASSERT_TRUE(zero);
        memset(p->data, 0xff, p->bytes);
        gs_payload_release(p);
    }
}

static void absurd_sizes_and_no_memory_give_null(void)
{
    CU_ASSERT_PTR_NULL(gs_payload_new(SIZE_MAX - 3));
    CU_ASSERT_PTR_NULL(gs_payload_new_zeroed(SIZE_MAX / 2));
    CU_ASSERT_PTR_NULL(gs_strbuf_new(SIZE_MAX - 3, 1));
    struct gs_payload *p = gs_payload_new(100);
    gs_mem_fail_at(1);
    CU_ASSERT_PTR_NULL(gs_payload_new(10));
    CU_ASSERT_PTR_NULL(gs_strbuf_new(10, 1));
    CU_ASSERT_PTR_NULL(gs_payload_resize(p, 100000));
    gs_mem_fail_at(0);
    gs_payload_release(p);
}

static void a_string_buffer_starts_empty(void)
{
    struct gs_strbuf *b = gs_strbuf_new(300, 77);
    CU_ASSERT_EQUAL(b->used, 0);
    CU_ASSERT_EQUAL(b->owner, 77);
    CU_ASSERT_TRUE(b->cap >= 300);
    gs_strbuf_retain(b);
    gs_strbuf_release(b);
    gs_strbuf_release(b);
    gs_strbuf_release(NULL);
}

static void *churn(void *arg)
{
    struct gs_payload *p = arg;
    for (int i = 0; i < 20000; i++) {
        gs_payload_retain(p);
        gs_payload_release(p);
    }
    gs_payload_release(p);
    return NULL;
}

static void the_last_of_many_threads_frees(void)
{
    struct gs_payload *p = gs_payload_new(100);
    pthread_t t[4];
    for (int i = 0; i < 4; i++) {
        gs_payload_retain(p);
        CU_ASSERT_EQUAL(pthread_create(&t[i], NULL, churn, p), 0);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    CU_ASSERT_EQUAL(gs_load_rlx(&p->refs), 1);
    gs_payload_release(p);
}

static const struct unit_case cases[] = {
    UNIT_CASE(a_payload_has_room_and_one_share),
    UNIT_CASE(large_payloads_begin_on_lines_of_many_colours),
    UNIT_CASE(zeroed_means_zeroed),
    UNIT_CASE(absurd_sizes_and_no_memory_give_null), UNIT_CASE(a_string_buffer_starts_empty),
    UNIT_CASE(the_last_of_many_threads_frees),
};

UNIT_MAIN("payload", cases)
