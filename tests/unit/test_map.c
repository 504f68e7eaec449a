/* SPDX-License-Identifier: MIT
 * test_map.c - the hash table of dictionary objects.
 */
#include "map.h"
#include "payload.h"
#include "port/mem.h"
#include "str.h"
#include "unit.h"
#include "unit_heap.h"

static struct unit_heap u;

static struct gs_str *key(int i)
{
    char text[32];
    return gs_str_new(&u.h, text, (size_t)snprintf(text, sizeof text, "key %d", i));
}

static void what_was_put_is_found(void)
{
    struct gs_map *m = gs_map_new(&u.h, 0);
    for (int i = 0; i < 10000; i++)
        CU_ASSERT_EQUAL(gs_map_put(&u.h, m, key(i), gs_int(i)), GS_OK);
    CU_ASSERT_EQUAL(m->count, 10000);
    for (int i = 0; i < 10000; i++) {
        gs_value *v = gs_map_find(m, key(i));
        CU_ASSERT_TRUE(v && v->i == i);
    }
    CU_ASSERT_PTR_NULL(gs_map_find(m, key(10000)));
    CU_ASSERT_EQUAL(gs_map_put(&u.h, m, key(5), gs_int(-5)), GS_OK);
    CU_ASSERT_EQUAL(gs_map_find(m, key(5))->i, -5);
    CU_ASSERT_EQUAL(m->count, 10000);
}

static void nil_values_are_kept(void)
{
    struct gs_map *m = gs_map_new(&u.h, 0);
    CU_ASSERT_EQUAL(gs_map_put(&u.h, m, key(1), gs_nil()), GS_OK);
    CU_ASSERT_PTR_NOT_NULL(gs_map_find(m, key(1)));
    CU_ASSERT_EQUAL(m->count, 1);
}

static void random_operations_agree_with_a_model(void)
{
    enum { N = 700 };
    static int64_t model[N]; /* 0: absent */
    memset(model, 0, sizeof model);
    struct gs_map *m = gs_map_new(&u.h, 0);
    uint64_t seed = 3;
    uint32_t count = 0;
    for (int step = 0; step < 200000; step++) {
        uint64_t r = unit_random(&seed);
        int i = (int)(r >> 8) & 0x3ff;
        if (i >= N)
            continue;
        if (r % 5 < 3 - (unsigned)(step / 40000 % 3)) {
            CU_ASSERT_EQUAL(gs_map_put(&u.h, m, key(i), gs_int(step + 1)), GS_OK);
            count += model[i] == 0;
            model[i] = step + 1;
        } else if (r % 5 < 4) {
            CU_ASSERT_EQUAL(gs_map_delete(m, key(i)), model[i] != 0);
            count -= model[i] != 0;
            model[i] = 0;
        } else {
            gs_value *v = gs_map_find(m, key(i));
            CU_ASSERT_TRUE(model[i] ? v && v->i == model[i] : !v);
        }
    }
    CU_ASSERT_EQUAL(m->count, count);
    CU_ASSERT_TRUE(m->cap <= 2048);
}

/* Every byte counts, zeros at the end and all bits too, on both sides of the length where keys stop being short. */
static void keys_of_all_lengths_are_told_apart(void)
{
    enum { MAX = 40 };
    struct gs_map *m = gs_map_new(&u.h, 0);
    char text[MAX + 1];
    int64_t id = 0;
    for (size_t n = 0; n <= MAX; n++)
        for (size_t at = 0; at <= n; at++)
            for (int fill = 0; fill < 2; fill++) {
                memset(text, fill ? 0xff : 0, sizeof text);
                if (at < n)
                    text[at] ^= 1;
                CU_ASSERT_PTR_NULL(gs_map_find(m, gs_str_new(&u.h, text, n)));
                CU_ASSERT_EQUAL(gs_map_put(&u.h, m, gs_str_new(&u.h, text, n), gs_int(id++)), GS_OK);
                if (n == 0)
                    fill = 1;
            }
    CU_ASSERT_EQUAL(m->count, id);
    id = 0;
    for (size_t n = 0; n <= MAX; n++)
        for (size_t at = 0; at <= n; at++)
            for (int fill = 0; fill < 2; fill++) {
                memset(text, fill ? 0xff : 0, sizeof text);
                if (at < n)
                    text[at] ^= 1;
                gs_value *v = gs_map_find(m, gs_str_new(&u.h, text, n));
                CU_ASSERT_TRUE(v && v->i == id);
                id++;
                if (n == 0)
                    fill = 1;
            }
}

static void short_keys_are_bytes_and_long_ones_strings(void)
{
    struct gs_map *m = gs_map_new(&u.h, 64);
    char text[32];
    memset(text, 'k', sizeof text);
    for (size_t n = 0; n < sizeof text; n++) {
        struct gs_str *k = gs_str_new(&u.h, text, n), bytes;
        CU_ASSERT_EQUAL(gs_map_put(&u.h, m, k, gs_nil()), GS_OK);
        const struct gs_map_entry *e = &m->entries[n];
        CU_ASSERT_PTR_EQUAL(gs_map_long_key(e), n > GS_MAP_SHORT ? k : NULL);
        if (n > GS_MAP_SHORT)
            continue;
        gs_map_short_key(e, &bytes);
        CU_ASSERT_TRUE(gs_str_equal(k, &bytes));
        CU_ASSERT_TRUE(gs_map_delete(m, &bytes));
        CU_ASSERT_TRUE(gs_map_is_gone(e));
        CU_ASSERT_PTR_NULL(gs_map_long_key(e));
    }
}

static int form_key(char *to, size_t size, int form, int i)
{
    switch (form) {
    case 0:
        return snprintf(to, size, "%d", i);
    case 1:
        return snprintf(to, size, "key%d", i);
    case 2:
        return snprintf(to, size, "k%08d", i * 8);
    case 3:
        return snprintf(to, size, "%d,%d", i / 200, i % 200);
    case 4:
        return snprintf(to, size, "item_%06x", (unsigned)i * 256);
    default:
        return snprintf(to, size, "%c%c%c", i % 35 + 60, i / 35 % 35 + 60, i / 1225 + 60);
    }
}

/* The index fills as it would with random hashes: about 23,900 runs of places, the longest of about 15. */
static void short_keys_spread(void)
{
    for (int form = 0; form < 6; form++) {
        struct gs_map *m = gs_map_new(&u.h, 0);
        for (int i = 0; i < 40000; i++) {
            char text[40];
            size_t n = (size_t)form_key(text, sizeof text, form, i);
            CU_ASSERT_EQUAL(gs_map_put(&u.h, m, gs_str_new(&u.h, text, n), gs_int(i)), GS_OK);
        }
        CU_ASSERT_EQUAL(m->count, 40000);
        uint32_t run = 0, longest = 0, runs = 0;
        for (uint32_t i = 0; i <= m->mask; i++) {
            run = m->index[i] ? run + 1 : 0;
            runs += run == 1;
            longest = run > longest ? run : longest;
        }
        CU_ASSERT_TRUE(runs > 23000);
        CU_ASSERT_TRUE(longest < 30);
    }
}

static void adding_and_removing_does_not_grow(void)
{
    struct gs_map *m = gs_map_new(&u.h, 0);
    for (int i = 0; i < 100000; i++) {
        CU_ASSERT_EQUAL(gs_map_put(&u.h, m, key(i), gs_int(i)), GS_OK);
        CU_ASSERT_TRUE(gs_map_delete(m, key(i)));
    }
    CU_ASSERT_EQUAL(m->count, 0);
    CU_ASSERT_EQUAL(m->cap, 8);
}

static void insertion_order_is_kept_by_entries(void)
{
    struct gs_map *m = gs_map_new(&u.h, 0);
    for (int i = 0; i < 100; i++)
        CU_ASSERT_EQUAL(gs_map_put(&u.h, m, key(99 - i), gs_int(i)), GS_OK);
    for (int i = 0; i < 100; i += 2)
        CU_ASSERT_TRUE(gs_map_delete(m, key(99 - i)));
    for (int i = 100; i < 300; i++)
        CU_ASSERT_EQUAL(gs_map_put(&u.h, m, key(i), gs_int(i)), GS_OK);
    int64_t last = -1;
    for (uint32_t i = 0; i < m->nused; i++)
        if (!gs_map_is_gone(&m->entries[i])) {
            CU_ASSERT_TRUE(m->entries[i].v.i > last);
            last = m->entries[i].v.i;
        }
    CU_ASSERT_EQUAL(last, 299);
}

static void no_memory_leaves_the_map_unchanged(void)
{
    for (uint64_t n = 1; n < 8; n++) {
        struct unit_heap w;
        unit_heap_init(&w);
        struct gs_map *m = gs_map_new(&w.h, 0);
        gs_status st = GS_OK;
        uint32_t i = 0;
        gs_mem_fail_at(n);
        for (; i < 100000 && st == GS_OK; i++)
            st = gs_map_put(&w.h, m, gs_str_byte((uint8_t)i), gs_int(i));
        gs_mem_fail_at(0);
        for (uint32_t k = 0; k < m->count; k++) {
            gs_value *v = gs_map_find(m, gs_str_byte((uint8_t)k));
            CU_ASSERT_TRUE(v != NULL);
        }
        for (int k = 0; k < 256; k++)
            CU_ASSERT_EQUAL(gs_map_put(&w.h, m, gs_str_byte((uint8_t)k), gs_int(k)), GS_OK);
        CU_ASSERT_EQUAL(m->count, 256);
        unit_heap_fini(&w);
    }
    gs_mem_fail_at(1);
    CU_ASSERT_PTR_NULL(gs_map_new(&u.h, 1u << 20));
    gs_mem_fail_at(0);
    CU_ASSERT_PTR_NULL(gs_map_new(&u.h, UINT32_MAX));
}

/* ---- sharing ---- */

static struct gs_map *numbered(struct gs_heap *h, int n)
{
    struct gs_map *m = gs_map_new(h, 0);
    for (int i = 0; i < n; i++)
        CU_ASSERT_EQUAL_FATAL(gs_map_put(h, m, key(i), gs_int(i)), GS_OK);
    return m;
}

static bool has_numbers(const struct gs_map *m, int n)
{
    for (int i = 0; i < n; i++) {
        gs_value *v = gs_map_find(m, key(i));
        if (v == NULL || v->i != i)
            return false;
    }
    return m->count == (uint32_t)n;
}

static void a_shared_map_is_copied_by_who_writes(void)
{
    struct unit_heap a, b;
    unit_heap_init(&a);
    unit_heap_init(&b);
    struct gs_map *m = numbered(&a.h, 1000);
    struct gs_map *t = gs_map_share(&a.h, m, &b.h), *second = gs_map_share(&a.h, m, &b.h);
    CU_ASSERT_PTR_NOT_NULL_FATAL(t);
    CU_ASSERT_PTR_NOT_NULL_FATAL(second);
    CU_ASSERT_PTR_EQUAL(m->entries, t->entries);
    CU_ASSERT_PTR_EQUAL(m->pay, second->pay);
    CU_ASSERT_EQUAL(gs_load_rlx(&m->pay->refs), 3);
    CU_ASSERT(has_numbers(t, 1000));
    CU_ASSERT_EQUAL(gs_map_put(&b.h, t, key(3), gs_int(-3)), GS_OK);
    CU_ASSERT_PTR_NULL(t->pay);
    CU_ASSERT_EQUAL(gs_map_find(t, key(3))->i, -3);
    CU_ASSERT(has_numbers(m, 1000) && has_numbers(second, 1000));
    CU_ASSERT_EQUAL(gs_map_own(&a.h, m), GS_OK);
    CU_ASSERT(gs_map_delete(m, key(7)));
    CU_ASSERT_EQUAL(gs_map_put(&a.h, m, key(2000), gs_int(2000)), GS_OK);
    CU_ASSERT(has_numbers(second, 1000));
    CU_ASSERT_EQUAL(gs_load_rlx(&second->pay->refs), 1);
    CU_ASSERT_PTR_NOT_NULL(gs_map_share(&a.h, m, &b.h)); /* again, and it is in the final list already */
    unit_heap_fini(&a);
    unit_heap_fini(&b);
}

static void what_belongs_to_a_heap_is_not_shared(void)
{
    struct unit_heap a, b;
    unit_heap_init(&a);
    unit_heap_init(&b);
    CU_ASSERT_PTR_NULL(gs_map_share(&a.h, numbered(&a.h, 10), &b.h)); /* too small */
    struct gs_map *m = numbered(&a.h, 1000);
    CU_ASSERT_PTR_NULL(gs_map_share(NULL, m, &b.h)); /* in a fragment */
    CU_ASSERT_EQUAL(gs_map_put(&a.h, m, key(5), gs_strv(gs_str_new(&a.h, "text", 4))), GS_OK);
    CU_ASSERT_PTR_NULL(gs_map_share(&a.h, m, &b.h));
    CU_ASSERT_EQUAL(gs_map_put(&a.h, m, key(5), gs_strv(gs_atomz("text"))), GS_OK);
    CU_ASSERT_PTR_NOT_NULL(gs_map_share(&a.h, m, &b.h));
    m = numbered(&a.h, 1000);
    CU_ASSERT_EQUAL(gs_map_put(&a.h, m, gs_str_new(&a.h, "a key of more than fifteen bytes", 32), gs_int(1)), GS_OK);
    CU_ASSERT_PTR_NULL(gs_map_share(&a.h, m, &b.h));
    unit_heap_fini(&a);
    unit_heap_fini(&b);
}

static void no_memory_leaves_both_as_they_were(void)
{
    bool shared = false;
    for (int at = 1; !shared; at++) {
        struct unit_heap a, b;
        unit_heap_init(&a);
        unit_heap_init(&b);
        struct gs_map *m = numbered(&a.h, 1000);
        gs_mem_fail_at((uint32_t)at);
        struct gs_map *t = gs_map_share(&a.h, m, &b.h);
        gs_mem_fail_at(0);
        CU_ASSERT(has_numbers(m, 1000));
        shared = t != NULL;
        if (shared) {
            gs_mem_fail_at(1);
            CU_ASSERT_EQUAL(gs_map_put(&b.h, t, key(1), gs_int(5)), GS_E_NOMEM);
            gs_mem_fail_at(0);
            CU_ASSERT(has_numbers(t, 1000));
        }
        unit_heap_fini(&a);
        unit_heap_fini(&b);
    }
}

static const struct unit_case cases[] = {
    UNIT_CASE(a_shared_map_is_copied_by_who_writes),
    UNIT_CASE(what_belongs_to_a_heap_is_not_shared),
    UNIT_CASE(no_memory_leaves_both_as_they_were),
    UNIT_CASE(what_was_put_is_found),
    UNIT_CASE(keys_of_all_lengths_are_told_apart),
    UNIT_CASE(short_keys_are_bytes_and_long_ones_strings),
    UNIT_CASE(short_keys_spread),
    UNIT_CASE(nil_values_are_kept),
    UNIT_CASE(random_operations_agree_with_a_model),
    UNIT_CASE(adding_and_removing_does_not_grow),
    UNIT_CASE(insertion_order_is_kept_by_entries),
    UNIT_CASE(no_memory_leaves_the_map_unchanged),
};

int main(void)
{
    unit_heap_init(&u);
    int rc = unit_run("map", cases, sizeof cases / sizeof cases[0]);
    unit_heap_fini(&u);
    return rc;
}
