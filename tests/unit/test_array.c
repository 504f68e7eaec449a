/* SPDX-License-Identifier: MIT
 * test_array.c - storage kinds, sharing, and sorting of arrays.
 */
#include <math.h>

#include "array.h"
#include "port/mem.h"
#include "str.h"
#include "unit.h"
#include "unit_heap.h"

static struct unit_heap u;

static gs_value arrv(const struct gs_array *a)
{
    return gs_objv(GS_T_ARRAY, a);
}

static bool well(const struct gs_array *a)
{
    return gs_gc_check_value(&u.h, arrv(a));
}

static gs_value str(const char *z)
{
    return gs_strv(gs_str_newz(&u.h, z));
}

static gs_value hnd(int64_t n)
{
    return gs_handlev(n, (struct gs_hobj *)(uintptr_t)0x1000);
}

static void the_first_element_decides_the_kind(void)
{
    struct gs_array *a = gs_array_new(&u.h);
    CU_ASSERT_EQUAL(gs_array_push(&u.h, a, gs_int(1)), GS_OK);
    CU_ASSERT_EQUAL(a->h.aux16, GS_STORE_INT);
    a = gs_array_new(&u.h);
    CU_ASSERT_EQUAL(gs_array_push(&u.h, a, gs_float(1)), GS_OK);
    CU_ASSERT_EQUAL(a->h.aux16, GS_STORE_FLOAT);
    a = gs_array_new(&u.h);
    CU_ASSERT_EQUAL(gs_array_push(&u.h, a, gs_bool(true)), GS_OK);
    CU_ASSERT_EQUAL(a->h.aux16, GS_STORE_BOOL);
    a = gs_array_new(&u.h);
    CU_ASSERT_EQUAL(gs_array_push(&u.h, a, str("x")), GS_OK);
    CU_ASSERT_EQUAL(a->h.aux16, GS_STORE_VALUE);
    a = gs_array_new(&u.h);
    CU_ASSERT_EQUAL(gs_array_push(&u.h, a, hnd(1)), GS_OK);
    CU_ASSERT_EQUAL(a->h.aux16, GS_STORE_VALUE);
}

static void kinds_only_widen_and_keep_their_elements(void)
{
    static const int64_t lengths[] = {1, 3, 63, 64, 65, 1000, 5000};
    for (size_t k = 0; k < sizeof lengths / sizeof lengths[0]; k++) {
        int64_t n = lengths[k];
        struct gs_array *a = gs_array_make(&u.h, GS_STORE_BYTE, n);
        for (int64_t i = 0; i < n; i++)
            CU_ASSERT_EQUAL(gs_array_set(&u.h, a, i, gs_int(i % 256)), GS_OK);
        CU_ASSERT_EQUAL(a->h.aux16, GS_STORE_BYTE);
        CU_ASSERT_EQUAL(gs_array_push(&u.h, a, gs_int(256)), GS_OK);
        CU_ASSERT_EQUAL(a->h.aux16, GS_STORE_INT);
        CU_ASSERT_TRUE(well(a));
        CU_ASSERT_EQUAL(gs_array_push(&u.h, a, gs_float(0.5)), GS_OK);
        CU_ASSERT_EQUAL(a->h.aux16, GS_STORE_VALUE);
        CU_ASSERT_TRUE(well(a));
        CU_ASSERT_EQUAL(gs_array_push(&u.h, a, gs_int(7)), GS_OK);
        bool ok = a->len == n + 3;
        for (int64_t i = 0; i < n; i++)
            ok = ok && gs_same(gs_array_at(a, i), gs_int(i % 256));
        CU_ASSERT_TRUE(ok);
        CU_ASSERT_TRUE(gs_same(gs_array_at(a, n), gs_int(256)));
        CU_ASSERT_TRUE(gs_same(gs_array_at(a, n + 1), gs_float(0.5)));
    }
}

static void from_chooses_the_narrowest_kind(void)
{
    gs_value v[3] = {gs_int(1), gs_int(2), gs_int(3)};
    CU_ASSERT_EQUAL(gs_array_from(&u.h, v, 3)->h.aux16, GS_STORE_INT);
    v[2] = gs_float(3);
    CU_ASSERT_EQUAL(gs_array_from(&u.h, v, 3)->h.aux16, GS_STORE_VALUE);
    v[0] = v[1] = gs_float(1);
    CU_ASSERT_EQUAL(gs_array_from(&u.h, v, 3)->h.aux16, GS_STORE_FLOAT);
    v[0] = v[1] = v[2] = gs_bool(true);
    CU_ASSERT_EQUAL(gs_array_from(&u.h, v, 3)->h.aux16, GS_STORE_BOOL);
    v[1] = gs_nil();
    CU_ASSERT_EQUAL(gs_array_from(&u.h, v, 3)->h.aux16, GS_STORE_VALUE);
    CU_ASSERT_EQUAL(gs_array_from(&u.h, v, 0)->h.aux16, GS_STORE_EMPTY);
    v[0] = gs_int(1);
    v[1] = hnd(2);
    struct gs_array *a = gs_array_from(&u.h, v, 2);
    CU_ASSERT_EQUAL(gs_kind(a->v[1]), GS_T_HANDLE);
}

static void make_gives_zeroes_or_nils(void)
{
    CU_ASSERT_EQUAL(gs_array_at(gs_array_make(&u.h, GS_STORE_INT, 9), 8).i, 0);
    CU_ASSERT_TRUE(
        gs_same(gs_array_at(gs_array_make(&u.h, GS_STORE_FLOAT, 999), 998), gs_float(0)));
    CU_ASSERT_TRUE(gs_same(gs_array_at(gs_array_make(&u.h, GS_STORE_VALUE, 999), 998), gs_nil()));
    CU_ASSERT_TRUE(gs_same(gs_array_at(gs_array_make(&u.h, GS_STORE_BOOL, 5), 4), gs_bool(false)));
    CU_ASSERT_PTR_NULL(gs_array_make(&u.h, GS_STORE_VALUE, (int64_t)1 << 60));
    CU_ASSERT_PTR_NULL(gs_array_make(&u.h, GS_STORE_BYTE, INT64_MAX));
}

/* Every operation beside a plain C array of values, with elements of all kinds and sharing now and then. */
static void random_operations_agree_with_a_model(void)
{
    uint64_t seed = 99;
    for (int round = 0; round < 60; round++) {
        struct gs_array *a = gs_array_new(&u.h), *other = NULL;
        static gs_value m[4000];
        static gs_value other_m[4000];
        int64_t n = 0, other_n = 0;
        int variety = 1 + round % 5;
        for (int step = 0; step < 600; step++) {
            uint64_t r = unit_random(&seed);
            gs_value v = gs_int((int64_t)(r >> 32 & 0x1ff));
            switch ((r >> 8) % (uint64_t)variety) {
            case 1:
                v = gs_int((int64_t)(r >> 33 & 0x7f));
                break;
            case 2:
                v = gs_float((double)(r >> 32));
                break;
            case 3:
                v = gs_bool(r >> 32 & 1);
                break;
            case 4:
                v = step > 300 ? gs_nil() : gs_bool(true);
                break;
            }
            int64_t at = n ? (int64_t)(r >> 20 & 0xfff) % n : 0;
            gs_value out;
            switch (r % 12) {
            case 0:
            case 1:
            case 2:
            case 3:
                CU_ASSERT_EQUAL(gs_array_push(&u.h, a, v), GS_OK);
                m[n++] = v;
                break;
            case 4:
                if (n) {
                    CU_ASSERT_EQUAL(gs_array_set(&u.h, a, at, v), GS_OK);
                    m[at] = v;
                }
                break;
            case 5:
                CU_ASSERT_EQUAL(gs_array_insert(&u.h, a, at, v), GS_OK);
                memmove(m + at + 1, m + at, (size_t)(n++ - at) * sizeof *m);
                m[at] = v;
                break;
            case 6:
                if (n) {
                    CU_ASSERT_EQUAL(gs_array_remove(&u.h, a, at, &out), GS_OK);
                    CU_ASSERT_TRUE(gs_same(out, m[at]));
                    memmove(m + at, m + at + 1, (size_t)(--n - at) * sizeof *m);
                }
                break;
            case 7:
                if (n < 1000) {
                    CU_ASSERT_EQUAL(gs_array_append_array(&u.h, a, a), GS_OK);
                    memcpy(m + n, m, (size_t)n * sizeof *m);
                    n *= 2;
                }
                break;
            case 8:
                CU_ASSERT_EQUAL(gs_array_reverse(&u.h, a), GS_OK);
                for (int64_t i = 0; i < n / 2; i++) {
                    gs_value x = m[i];
                    m[i] = m[n - 1 - i];
                    m[n - 1 - i] = x;
                }
                break;
            case 9:
                if (n > 3000) {
                    CU_ASSERT_EQUAL(gs_array_truncate(&u.h, a, at), GS_OK);
                    n = at;
                }
                break;
            case 10:
                other = (r >> 16 & 1) && gs_array_store(a) != GS_STORE_VALUE
                            ? gs_array_share(&u.h, a)
                            : gs_array_slice(&u.h, a, 0, n);
                other_n = n;
                memcpy(other_m, m, (size_t)n * sizeof *m);
                break;
            case 11:
                if (n < 3900) {
                    gs_value some[3] = {v, v, gs_int(5)};
                    CU_ASSERT_EQUAL(gs_array_push_n(&u.h, a, some, 3), GS_OK);
                    for (int i = 0; i < 3; i++)
                        m[n++] = some[i];
                }
                break;
            }
            if (n > 3900) {
                CU_ASSERT_EQUAL(gs_array_truncate(&u.h, a, 10), GS_OK);
                n = 10;
            }
        }
        bool ok = a->len == n && (!other || other->len == other_n);
        for (int64_t i = 0; ok && i < n; i++)
            ok = gs_same(gs_array_at(a, i), m[i]);
        for (int64_t i = 0; ok && other && i < other_n; i++)
            ok = gs_same(gs_array_at(other, i), other_m[i]);
        CU_ASSERT_TRUE(ok);
        CU_ASSERT_TRUE(well(a));
        CU_ASSERT_TRUE(!other || well(other));
    }
}

static void shared_payloads_are_copied_before_a_write(void)
{
    struct unit_heap w;
    unit_heap_init(&w);
    struct gs_array *a = gs_array_make(&u.h, GS_STORE_INT, 1000);
    struct gs_array *b = gs_array_share(&w.h, a);
    CU_ASSERT_PTR_EQUAL(a->data, b->data);
    CU_ASSERT_EQUAL(a->h.aux16, GS_STORE_INT | GS_STORE_COW);
    CU_ASSERT_EQUAL(b->h.aux16, GS_STORE_INT | GS_STORE_COW);
    CU_ASSERT_FALSE(gs_array_push_fast(a, gs_int(1)));
    CU_ASSERT_EQUAL(gs_array_set(&w.h, b, 3, gs_int(42)), GS_OK);
    CU_ASSERT_EQUAL(b->h.aux16, GS_STORE_INT);
    CU_ASSERT_PTR_NOT_EQUAL(a->data, b->data);
    CU_ASSERT_EQUAL(a->i[3], 0);
    /* Alone again: no copy. */
    void *data = a->data;
    CU_ASSERT_EQUAL(gs_array_set(&u.h, a, 3, gs_int(43)), GS_OK);
    CU_ASSERT_PTR_EQUAL(a->data, data);
    CU_ASSERT_EQUAL(a->h.aux16, GS_STORE_INT);
    CU_ASSERT_EQUAL(b->i[3], 42);
    unit_heap_fini(&w);
}

static void small_packed_arrays_are_copied_when_shared(void)
{
    struct unit_heap w;
    unit_heap_init(&w);
    struct gs_array *a = gs_array_make(&u.h, GS_STORE_FLOAT, 5);
    a->d[4] = 1.5;
    struct gs_array *b = gs_array_share(&w.h, a);
    CU_ASSERT_PTR_NOT_EQUAL(a->data, b->data);
    CU_ASSERT_EQUAL(b->d[4], 1.5);
    CU_ASSERT_EQUAL(b->h.aux16, GS_STORE_FLOAT);
    b = gs_array_share(&w.h, gs_array_new(&u.h));
    CU_ASSERT_EQUAL(b->len, 0);
    unit_heap_fini(&w);
}

static void slices_copy_or_share(void)
{
    struct gs_array *a = gs_array_make(&u.h, GS_STORE_INT, 10000);
    for (int i = 0; i < 10000; i++)
        a->i[i] = i;
    struct gs_array *s = gs_array_slice(&u.h, a, 10, 20);
    CU_ASSERT_EQUAL(s->len, 10);
    CU_ASSERT_EQUAL(s->i[9], 19);
    CU_ASSERT_EQUAL(a->h.aux16, GS_STORE_INT);
    s = gs_array_slice(&u.h, a, 0, 9000);
    CU_ASSERT_PTR_EQUAL(s->data, a->data);
    CU_ASSERT_EQUAL(gs_array_push(&u.h, s, gs_int(-1)), GS_OK);
    CU_ASSERT_EQUAL(s->i[9000], -1);
    CU_ASSERT_EQUAL(a->i[9000], 9000);
    CU_ASSERT_EQUAL(gs_array_slice(&u.h, a, 7, 7)->len, 0);
}

static void search_uses_equality_of_the_language(void)
{
    gs_value v[5] = {gs_int(1), gs_float(2.0), str("three"), gs_nil(), gs_bool(true)};
    struct gs_array *a = gs_array_from(&u.h, v, 5);
    CU_ASSERT_EQUAL(gs_array_index_of(a, gs_float(1.0), 0), 0);
    CU_ASSERT_EQUAL(gs_array_index_of(a, gs_int(2), 0), 1);
    CU_ASSERT_EQUAL(gs_array_index_of(a, str("three"), 0), 2);
    CU_ASSERT_EQUAL(gs_array_index_of(a, gs_nil(), 0), 3);
    CU_ASSERT_EQUAL(gs_array_index_of(a, gs_bool(true), 0), 4);
    CU_ASSERT_EQUAL(gs_array_index_of(a, gs_int(1), 1), -1);
    a = gs_array_make(&u.h, GS_STORE_BYTE, 300);
    a->b[299] = 200;
    CU_ASSERT_EQUAL(gs_array_index_of(a, gs_int(200), 0), 299);
    CU_ASSERT_EQUAL(gs_array_index_of(a, gs_float(200.0), 5), 299);
    CU_ASSERT_EQUAL(gs_array_index_of(a, gs_int(456), 0), -1);
    CU_ASSERT_EQUAL(gs_array_index_of(a, gs_int(-56), 0), -1);
    a = gs_array_make(&u.h, GS_STORE_FLOAT, 3);
    a->d[1] = NAN;
    a->d[2] = 5;
    CU_ASSERT_EQUAL(gs_array_index_of(a, gs_float(NAN), 0), -1);
    CU_ASSERT_EQUAL(gs_array_index_of(a, gs_int(5), 0), 2);
    CU_ASSERT_EQUAL(gs_array_index_of(a, gs_nil(), 0), -1);
    CU_ASSERT_EQUAL(gs_array_index_of(gs_array_new(&u.h), gs_nil(), 0), -1);
}

static void fill_and_reserve(void)
{
    struct gs_array *a = gs_array_make(&u.h, GS_STORE_BYTE, 100);
    CU_ASSERT_EQUAL(gs_array_fill(&u.h, a, gs_int(300)), GS_OK);
    CU_ASSERT_EQUAL(a->h.aux16, GS_STORE_INT);
    CU_ASSERT_EQUAL(a->i[99], 300);
    CU_ASSERT_EQUAL(gs_array_reserve(&u.h, a, 5000), GS_OK);
    CU_ASSERT_TRUE(a->cap >= 5000);
    CU_ASSERT_EQUAL(a->i[99], 300);
    CU_ASSERT_EQUAL(gs_array_fill(&u.h, a, str("s")), GS_OK);
    CU_ASSERT_EQUAL(a->h.aux16, GS_STORE_VALUE);
    CU_ASSERT_EQUAL(gs_array_reserve(&u.h, a, (int64_t)1 << 55), GS_E_NOMEM);
    CU_ASSERT_EQUAL(a->len, 100);
    CU_ASSERT_TRUE(well(a));
}

static void growth_is_charged_to_the_heap(void)
{
    struct unit_heap w;
    unit_heap_init(&w);
    struct gs_array *a = gs_array_new(&w.h);
    for (int i = 0; i < 1000000; i++)
        (void)gs_array_push(&w.h, a, gs_int(i));
    CU_ASSERT_EQUAL(a->len, 1000000);
    CU_ASSERT_TRUE(w.h.used >= 8000000 && w.h.used < 34000000);
    CU_ASSERT_TRUE(w.h.used > w.h.threshold);
    CU_ASSERT_EQUAL(gs_array_set(&w.h, a, 0, gs_nil()), GS_OK);
    CU_ASSERT_TRUE(w.h.used >= 16000000 && w.h.used < 17000000);
    unit_heap_fini(&w);
}

/* ---- sorting ---- */

static gs_status sort(struct gs_array *a)
{
    int64_t bad = -1;
    gs_status st = gs_array_sort(&u.h, a, &bad);
    CU_ASSERT_EQUAL(st == GS_E_INVALID, bad >= 0);
    return st;
}

static void ints_of_all_sizes_are_sorted(void)
{
    static const int64_t lengths[] = {0, 1, 2, 3, 40, 41, 100, 1000, 50000};
    uint64_t seed = 5;
    for (size_t k = 0; k < sizeof lengths / sizeof lengths[0]; k++)
        for (int bits = 1; bits <= 64; bits += 21) {
            int64_t n = lengths[k], sum = 0, after = 0;
            struct gs_array *a = gs_array_make(&u.h, n ? GS_STORE_INT : GS_STORE_EMPTY, n);
            for (int64_t i = 0; i < n; i++)
                sum ^= a->i[i] = (int64_t)unit_random(&seed) >> (64 - bits);
            CU_ASSERT_EQUAL(sort(a), GS_OK);
            bool ok = true;
            for (int64_t i = 0; i < n; i++) {
                ok = ok && (i == 0 || a->i[i - 1] <= a->i[i]);
                after ^= a->i[i];
            }
            CU_ASSERT_TRUE(ok && after == sum);
        }
}

static void floats_sort_with_nan_last_and_zeros_stable(void)
{
    static const int64_t lengths[] = {10, 1000};
    uint64_t seed = 5;
    for (int k = 0; k < 2; k++) {
        int64_t n = lengths[k];
        struct gs_array *a = gs_array_make(&u.h, GS_STORE_FLOAT, n);
        static const double special[] = {NAN, INFINITY, -INFINITY, 0.0, -0.0};
        for (int64_t i = 0; i < n; i++)
            a->d[i] = i % 2 ? special[i / 2 % 5] : (double)(int64_t)unit_random(&seed) / 3e10;
        double zeros[2000];
        int64_t nz = 0, at = 0;
        for (int64_t i = 0; i < n; i++)
            if (a->d[i] == 0)
                zeros[nz++] = a->d[i];
        CU_ASSERT_EQUAL(sort(a), GS_OK);
        bool ok = true;
        for (int64_t i = 1; i < n; i++)
            ok = ok && (isnan(a->d[i]) || a->d[i - 1] <= a->d[i]);
        for (int64_t i = 0; i < n; i++)
            if (a->d[i] == 0)
                ok = ok && signbit(a->d[i]) == signbit(zeros[at++]);
        CU_ASSERT_TRUE(ok);
        CU_ASSERT_TRUE(isnan(a->d[n - 1]));
    }
}

static void mixed_numbers_compare_exactly(void)
{
    int64_t big = (int64_t)1 << 53;
    gs_value v[] = {gs_int(big + 1), gs_float((double)big), gs_int(big),
                    gs_float(NAN),   gs_float(1.5),         gs_int(1),
                    hnd(2),          gs_float(-INFINITY),   gs_int(big - 1),
                    gs_float(1.0)};
    struct gs_array *a = gs_array_from(&u.h, v, 10);
    CU_ASSERT_EQUAL(sort(a), GS_OK);
    gs_value want[] = {gs_float(-INFINITY),   gs_int(1),   gs_float(1.0),
                       gs_float(1.5),         hnd(2),      gs_int(big - 1),
                       gs_float((double)big), gs_int(big), gs_int(big + 1)};
    for (int i = 0; i < 9; i++)
        CU_ASSERT_TRUE(gs_same(a->v[i], want[i]));
    CU_ASSERT_TRUE(isnan(a->v[9].d));
}

static void strings_sort_bytewise(void)
{
    uint64_t seed = 11;
    for (int64_t n = 2; n < 5000; n = n * 3 + 1) {
        struct gs_array *a = gs_array_make(&u.h, GS_STORE_VALUE, n);
        for (int64_t i = 0; i < n; i++) {
            char text[40];
            uint64_t r = unit_random(&seed);
            size_t len = r % 20;
            memset(text, 'k', sizeof text);
            for (size_t j = len > 4 ? len - 4 : 0; j < len; j++)
                text[j] = (char)(unit_random(&seed) % 3 == 0 ? 0 : 'a' + (int)(r >> j & 3));
            a->v[i] = gs_strv(gs_str_new(&u.h, text, len));
        }
        CU_ASSERT_EQUAL(sort(a), GS_OK);
        bool ok = true;
        for (int64_t i = 1; i < n; i++)
            ok = ok && gs_str_compare(a->v[i - 1].s, a->v[i].s) <= 0;
        CU_ASSERT_TRUE(ok);
        CU_ASSERT_TRUE(well(a));
    }
}

static void equal_strings_keep_their_order(void)
{
    enum { N = 300 };
    struct gs_array *a = gs_array_make(&u.h, GS_STORE_VALUE, N);
    for (int i = 0; i < N; i++)
        a->v[i] = str(i % 3 == 0 ? "the same string" : i % 3 == 1 ? "another string" : "short");
    static gs_value before[N];
    memcpy(before, a->v, sizeof before);
    CU_ASSERT_EQUAL(sort(a), GS_OK);
    int at[3] = {1, 2, 0}; /* another, short, the same */
    for (int k = 0, j = 0; k < 3; k++)
        for (int i = at[k]; i < N; i += 3, j++)
            CU_ASSERT_TRUE(gs_same(a->v[j], before[i]));
}

static void what_cannot_be_compared_is_named(void)
{
    gs_value v[] = {gs_int(1), gs_int(2), str("x"), gs_int(3)};
    struct gs_array *a = gs_array_from(&u.h, v, 4);
    int64_t bad = -1;
    CU_ASSERT_EQUAL(gs_array_sort(&u.h, a, &bad), GS_E_INVALID);
    CU_ASSERT_EQUAL(bad, 1);
    CU_ASSERT_TRUE(gs_same(a->v[0], v[0]));
    gs_value w[] = {gs_nil(), gs_nil()};
    CU_ASSERT_EQUAL(gs_array_sort(&u.h, gs_array_from(&u.h, w, 2), &bad), GS_E_INVALID);
    CU_ASSERT_EQUAL(bad, 0);
    CU_ASSERT_EQUAL(gs_array_sort(&u.h, gs_array_from(&u.h, w, 1), &bad), GS_OK);
    w[0] = w[1] = gs_bool(true);
    CU_ASSERT_EQUAL(gs_array_sort(&u.h, gs_array_from(&u.h, w, 2), &bad), GS_E_INVALID);
}

static void bytes_sort_by_counting(void)
{
    struct gs_array *a = gs_array_make(&u.h, GS_STORE_BYTE, 1000);
    for (int i = 0; i < 1000; i++)
        a->b[i] = (uint8_t)(i * 37);
    CU_ASSERT_EQUAL(sort(a), GS_OK);
    for (int i = 1; i < 1000; i++)
        CU_ASSERT_TRUE(a->b[i - 1] <= a->b[i]);
}

static void no_memory_leaves_arrays_unchanged(void)
{
    static const enum gs_store kinds[] = {GS_STORE_BYTE, GS_STORE_INT, GS_STORE_VALUE};
    for (int k = 0; k < 3; k++)
        for (uint64_t n = 1; n < 4; n++) {
            struct unit_heap w;
            unit_heap_init(&w);
            struct gs_array *a = gs_array_make(&w.h, kinds[k], 600);
            struct gs_array *b = kinds[k] == GS_STORE_VALUE ? NULL : gs_array_share(&w.h, a);
            for (int i = 0; i < 600 && !b; i++)
                a->v[i] = gs_int(600 - i);
            while (gs_heap_new(&w.h, GS_T_RAW, 512) && gs_heap_rest_of(&w.h)->nblocks < 2)
                ;
            int64_t bad;
            gs_mem_fail_at(n);
            gs_status st = GS_OK;
            for (int i = 0; i < 100000 && st == GS_OK; i++)
                st = gs_array_push(&w.h, a, gs_int(i));
            CU_ASSERT_EQUAL(st, GS_E_NOMEM);
            int64_t len = a->len;
            st = gs_array_set(&w.h, a, 0, gs_float(1));
            if (kinds[k] == GS_STORE_VALUE)
                CU_ASSERT_EQUAL(gs_array_sort(&w.h, a, &bad), GS_E_NOMEM);
            gs_mem_fail_at(0);
            CU_ASSERT_EQUAL(a->len, len);
            CU_ASSERT_TRUE(gs_gc_check_value(&w.h, arrv(a)));
            CU_ASSERT_TRUE(!b || gs_gc_check_value(&w.h, arrv(b)));
            CU_ASSERT_EQUAL(gs_array_push(&w.h, a, gs_nil()), GS_OK);
            CU_ASSERT_TRUE(gs_gc_check_value(&w.h, arrv(a)));
            unit_heap_fini(&w);
        }
}

static const struct unit_case cases[] = {
    UNIT_CASE(the_first_element_decides_the_kind),
    UNIT_CASE(kinds_only_widen_and_keep_their_elements),
    UNIT_CASE(from_chooses_the_narrowest_kind),
    UNIT_CASE(make_gives_zeroes_or_nils),
    UNIT_CASE(random_operations_agree_with_a_model),
    UNIT_CASE(shared_payloads_are_copied_before_a_write),
    UNIT_CASE(small_packed_arrays_are_copied_when_shared),
    UNIT_CASE(slices_copy_or_share),
    UNIT_CASE(search_uses_equality_of_the_language),
    UNIT_CASE(fill_and_reserve),
    UNIT_CASE(growth_is_charged_to_the_heap),
    UNIT_CASE(ints_of_all_sizes_are_sorted),
    UNIT_CASE(floats_sort_with_nan_last_and_zeros_stable),
    UNIT_CASE(mixed_numbers_compare_exactly),
    UNIT_CASE(strings_sort_bytewise),
    UNIT_CASE(equal_strings_keep_their_order),
    UNIT_CASE(what_cannot_be_compared_is_named),
    UNIT_CASE(bytes_sort_by_counting),
    UNIT_CASE(no_memory_leaves_arrays_unchanged),
};

int main(void)
{
    unit_heap_init(&u);
    int rc = unit_run("array", cases, sizeof cases / sizeof cases[0]);
    unit_heap_fini(&u);
    return rc;
}
