/* SPDX-License-Identifier: MIT
 * array_sort.c - sorting arrays of numbers and of strings without a comparison function.
 *
 * Packed     INT and FLOAT storage is radix-sorted by bytes, least significant first (stable), on
 *            keys whose unsigned order is the order wanted; bytes that are the same in all keys are
 *            skipped. BYTE storage is counted.
 * Values     Strings and mixed numbers become items of a 64-bit key and a reference: the first
 *            eight bytes of a string, the nearest double of a number. Most comparisons end at the
 *            keys; equal keys are told apart exactly. Merge sort.
 * Order      -0.0 and 0.0 are equal and stay in their order; NaNs come last, in their order.
 */
#include <string.h>

#include "array.h"
#include "port/mem.h"
#include "sort_int.h"
#include "str.h"

#define INSERTION_MAX                                                                              \
    40          /* below this a radix sort's histograms cost more; 32 to 64 measure alike */
#define RUN 16u /* items sorted by insertion before merging */

/* ---- items ---- */

typedef bool (*tie_fn)(const struct gs_sort_item *, const struct gs_sort_item *, const void *);

GS_INLINE bool before(const struct gs_sort_item *a, const struct gs_sort_item *b, tie_fn tie,
                      const void *ctx)
{
    if (a->key != b->key)
        return a->key < b->key;
    return tie && tie(a, b, ctx);
}

static void insertion_items(struct gs_sort_item *v, size_t n, tie_fn tie, const void *ctx)
{
    for (size_t i = 1; i < n; i++) {
        struct gs_sort_item x = v[i];
        size_t j = i;
        for (; j > 0 && before(&x, &v[j - 1], tie, ctx); j--)
            v[j] = v[j - 1];
        v[j] = x;
    }
}

static void merge(struct gs_sort_item *out, const struct gs_sort_item *a, size_t na,
                  const struct gs_sort_item *b, size_t nb, tie_fn tie, const void *ctx)
{
    if (!before(b, &a[na - 1], tie, ctx)) { /* in order already */
        memcpy(out, a, na * sizeof *a);
        memcpy(out + na, b, nb * sizeof *b);
        return;
    }
    while (na && nb) {
        if (before(b, a, tie, ctx)) {
            *out++ = *b++;
            nb--;
        } else {
            *out++ = *a++;
            na--;
        }
    }
    memcpy(out, a, na * sizeof *a);
    memcpy(out + na, b, nb * sizeof *b);
}

bool gs_sort_items(struct gs_sort_item *v, size_t n, tie_fn tie, const void *ctx)
{
    size_t i = 1;
    while (i < n && !before(&v[i], &v[i - 1], tie, ctx))
        i++;
    if (i >= n)
        return true;
    struct gs_sort_item *spare = n > RUN ? gs_mem_alloc(n * sizeof *spare) : NULL;
    if (n > RUN && !spare)
        return false;
    for (size_t at = 0; at < n; at += RUN)
        insertion_items(v + at, n - at < RUN ? n - at : RUN, tie, ctx);
    struct gs_sort_item *from = v, *to = spare;
    for (size_t width = RUN; width < n; width *= 2) {
        for (size_t at = 0; at < n; at += width * 2) {
            size_t left = n - at < width ? n - at : width;
            size_t right = n - at - left < width ? n - at - left : width;
            if (right)
                merge(to + at, from + at, left, from + at + left, right, tie, ctx);
            else
                memcpy(to + at, from + at, left * sizeof *to);
        }
        struct gs_sort_item *x = from;
        from = to;
        to = x;
    }
    if (from != v)
        memcpy(v, from, n * sizeof *v);
    gs_mem_free(spare);
    return true;
}

uint64_t gs_sort_str_key(const struct gs_str *s)
{
    uint64_t k = 0;
    const uint8_t *p = (const uint8_t *)s->data;
    size_t n = s->len < 8 ? s->len : 8;
    for (size_t i = 0; i < n; i++)
        k |= (uint64_t)p[i] << (56 - 8 * i);
    return k;
}

bool gs_sort_str_tie(const struct gs_sort_item *a, const struct gs_sort_item *b, const void *ctx)
{
    (void)ctx;
    const struct gs_str *x = (const struct gs_str *)(uintptr_t)a->ref;
    const struct gs_str *y = (const struct gs_str *)(uintptr_t)b->ref;
    return gs_str_compare(x, y) < 0;
}

/* ---- keys of numbers ---- */

#define SIGN ((uint64_t)1 << 63)

GS_INLINE uint64_t int_key(uint64_t bits)
{
    return bits ^ SIGN;
}

GS_INLINE uint64_t float_key(uint64_t bits)
{
    if (bits == SIGN)
        return SIGN; /* -0.0 like 0.0 */
    if ((bits & ~SIGN) > 0x7ff0000000000000u)
        return UINT64_MAX; /* NaN */
    return bits & SIGN ? ~bits : bits | SIGN;
}

GS_INLINE uint64_t number_key(uint64_t bits, bool is_float)
{
    return is_float ? float_key(bits) : int_key(bits);
}

/* ---- packed storage ---- */

GS_INLINE void insertion_words(uint64_t *v, size_t n, bool is_float)
{
    for (size_t i = 1; i < n; i++) {
        uint64_t x = v[i], k = number_key(x, is_float);
        size_t j = i;
        for (; j > 0 && k < number_key(v[j - 1], is_float); j--)
            v[j] = v[j - 1];
        v[j] = x;
    }
}

GS_INLINE void radix_pass(uint64_t *to, const uint64_t *from, size_t n, size_t *count,
                          unsigned shift, bool is_float)
{
    size_t at = 0;
    for (unsigned d = 0; d < 256; d++) {
        size_t c = count[d];
        count[d] = at;
        at += c;
    }
    for (size_t i = 0; i < n; i++)
        to[count[number_key(from[i], is_float) >> shift & 0xff]++] = from[i];
}

GS_INLINE bool sort_words(uint64_t *v, size_t n, bool is_float)
{
    size_t i = 1;
    while (i < n && number_key(v[i - 1], is_float) <= number_key(v[i], is_float))
        i++;
    if (i >= n)
        return true;
    if (n <= INSERTION_MAX) {
        insertion_words(v, n, is_float);
        return true;
    }
    uint64_t *spare = gs_mem_alloc(n * sizeof *spare);
    if (!spare)
        return false;
    size_t count[8][256];
    memset(count, 0, sizeof count);
    for (i = 0; i < n; i++) {
        uint64_t k = number_key(v[i], is_float);
        for (unsigned b = 0; b < 8; b++)
            count[b][k >> (8 * b) & 0xff]++;
    }
    uint64_t *from = v, *to = spare, first = number_key(v[0], is_float);
    for (unsigned b = 0; b < 8; b++) {
        if (count[b][first >> (8 * b) & 0xff] == n)
            continue;
        radix_pass(to, from, n, count[b], 8 * b, is_float);
        uint64_t *x = from;
        from = to;
        to = x;
    }
    if (from != v)
        memcpy(v, from, n * sizeof *v);
    gs_mem_free(spare);
    return true;
}

static bool sort_ints(uint64_t *v, size_t n)
{
    return sort_words(v, n, false);
}

static bool sort_floats(uint64_t *v, size_t n)
{
    return sort_words(v, n, true);
}

static void sort_bytes(uint8_t *v, size_t n)
{
    size_t count[256] = {0};
    for (size_t i = 0; i < n; i++)
        count[v[i]]++;
    for (unsigned b = 0; b < 256; b++) {
        memset(v, (int)b, count[b]);
        v += count[b];
    }
}

/* ---- values ---- */

static bool is_number(gs_value v)
{
    return gs_is_intlike(v) || v.tag == GS_T_FLOAT;
}

static bool comparable(gs_value a, gs_value b)
{
    return (is_number(a) && is_number(b)) || (a.tag == GS_T_STR && b.tag == GS_T_STR);
}

static bool number_tie(const struct gs_sort_item *a, const struct gs_sort_item *b, const void *ctx)
{
    const gs_value *v = ctx;
    gs_value x = v[a->ref], y = v[b->ref];
    bool fx = x.tag == GS_T_FLOAT, fy = y.tag == GS_T_FLOAT;
    if (fx && fy)
        return false; /* equal keys of two floats: equal, or both NaN */
    if (!fx && !fy)
        return x.i < y.i;
    return fx ? gs_cmp_int_float(y.i, x.d) == 1 : gs_cmp_int_float(x.i, y.d) == -1;
}

static uint64_t value_key(gs_value v)
{
    if (v.tag == GS_T_STR)
        return gs_sort_str_key(v.s);
    gs_value f = v.tag == GS_T_FLOAT ? v : gs_float((double)v.i); /* rounding keeps the order */
    return float_key(f.u);
}

static gs_status sort_values(gs_value *v, size_t n, int64_t *bad)
{
    for (size_t i = 0; i + 1 < n; i++) {
        if (!comparable(v[i], v[i + 1])) {
            *bad = (int64_t)i;
            return GS_E_INVALID;
        }
    }
    bool strings = v[0].tag == GS_T_STR;
    struct gs_sort_item *items = gs_mem_alloc(n * sizeof *items);
    if (!items)
        return GS_E_NOMEM;
    for (size_t i = 0; i < n; i++)
        items[i] = (struct gs_sort_item){value_key(v[i]), strings ? v[i].u : i};
    gs_status st = GS_E_NOMEM;
    if (!gs_sort_items(items, n, strings ? gs_sort_str_tie : number_tie, v))
        goto done;
    if (strings) {
        for (size_t i = 0; i < n; i++)
            v[i].u = items[i].ref;
        st = GS_OK;
        goto done;
    }
    gs_value *sorted = gs_mem_alloc(n * sizeof *sorted);
    if (!sorted)
        goto done;
    for (size_t i = 0; i < n; i++)
        sorted[i] = v[items[i].ref];
    memcpy(v, sorted, n * sizeof *v);
    gs_mem_free(sorted);
    st = GS_OK;
done:
    gs_mem_free(items);
    return st;
}

gs_status gs_array_sort(struct gs_heap *h, struct gs_array *a, int64_t *bad)
{
    size_t n = (size_t)a->len;
    if (n < 2)
        return GS_OK;
    if (gs_array_store(a) == GS_STORE_BOOL) {
        *bad = 0;
        return GS_E_INVALID;
    }
    gs_status st = gs_array_unshare(h, a);
    if (st != GS_OK)
        return st;
    switch (gs_array_store(a)) {
    case GS_STORE_INT:
        return sort_ints((uint64_t *)a->i, n) ? GS_OK : GS_E_NOMEM;
    case GS_STORE_FLOAT:
        return sort_floats((uint64_t *)a->data, n) ? GS_OK : GS_E_NOMEM;
    case GS_STORE_BYTE:
        sort_bytes(a->b, n);
        return GS_OK;
    default:
        return sort_values(a->v, n, bad);
    }
}
