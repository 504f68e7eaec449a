/* SPDX-License-Identifier: MIT
 * array.h - arrays with storage kinds.
 *
 * All writers unshare (copy-on-write) and widen by themselves. gs_status results are GS_OK or GS_E_NOMEM, the array unchanged on failure.
 */
#ifndef GS_RUNTIME_ARRAY_H
#define GS_RUNTIME_ARRAY_H

#include "heap.h"
#include "payload.h"

struct gs_array *gs_array_new(struct gs_heap *h);
/* len elements of kind `store` (not EMPTY unless len is 0, no COW); packed kinds are zeroed, VALUE elements nil. */
struct gs_array *gs_array_make(struct gs_heap *h, enum gs_store store, int64_t len);
/* From values, with the narrowest of the kinds INT, FLOAT, BOOL, VALUE that holds them. */
struct gs_array *gs_array_from(struct gs_heap *h, const gs_value *v, int64_t n);

/* 0 <= i < len, unchecked. */
GS_INLINE gs_value gs_array_at(const struct gs_array *a, int64_t i)
{
    switch (gs_array_store(a)) {
    case GS_STORE_INT:
        return gs_int(a->i[i]);
    case GS_STORE_FLOAT:
        return gs_float(a->d[i]);
    case GS_STORE_VALUE:
        return a->v[i];
    case GS_STORE_BOOL:
        return gs_bool(a->b[i] != 0);
    case GS_STORE_BYTE:
        return gs_int(a->b[i]);
    default:
        return gs_nil();
    }
}
gs_status gs_array_set(struct gs_heap *h, struct gs_array *a, int64_t i, gs_value v); /* 0 <= i < len */
gs_status gs_array_push(struct gs_heap *h, struct gs_array *a, gs_value v);
/* The usual case of push: the kind fits and there is room. False: nothing done, call gs_array_push. */
GS_INLINE bool gs_array_push_fast(struct gs_array *a, gs_value v)
{
    int64_t n = a->len;
    if (GS_UNLIKELY(n >= a->cap))
        return false;
    uint32_t st = a->h.aux16;
    if (st == GS_STORE_VALUE)
        a->v[n] = v;
    else if ((st == GS_STORE_INT && v.tag == GS_T_INT) || (st == GS_STORE_FLOAT && v.tag == GS_T_FLOAT))
        a->i[n] = v.i; /* the bits of either */
    else
        return false;
    a->len = n + 1;
    return true;
}
gs_status gs_array_push_n(struct gs_heap *h, struct gs_array *a, const gs_value *v, int64_t n);
gs_status gs_array_append_array(struct gs_heap *h, struct gs_array *a, const struct gs_array *b);
gs_status gs_array_insert(struct gs_heap *h, struct gs_array *a, int64_t at, gs_value v); /* 0 <= at <= len */
gs_status gs_array_remove(struct gs_heap *h, struct gs_array *a, int64_t at, gs_value *out);
gs_status gs_array_truncate(struct gs_heap *h, struct gs_array *a, int64_t len); /* len <= a->len; pop and clear */
/* A new array of elements [from, to), 0 <= from <= to <= len; large packed parts from 0 on that are most of a share its payload
 * (a then becomes COW: do not keep its kind across the call). */
struct gs_array *gs_array_slice(struct gs_heap *h, const struct gs_array *a, int64_t from, int64_t to);
gs_status gs_array_reserve(struct gs_heap *h, struct gs_array *a, int64_t cap);
gs_status gs_array_fill(struct gs_heap *h, struct gs_array *a, gs_value v);
gs_status gs_array_reverse(struct gs_heap *h, struct gs_array *a);
/* Makes the storage writable by this VM alone (ends COW). */
gs_status gs_array_unshare(struct gs_heap *h, struct gs_array *a);
/* Widens to a kind that holds v besides what is there. */
gs_status gs_array_widen_for(struct gs_heap *h, struct gs_array *a, gs_value v);
/* Stable sort without a comparison function: all numbers (NaNs last), or all strings. Otherwise *bad is set to the first index i such that
 * elements i and i + 1 cannot be compared, nothing has changed and GS_E_INVALID is returned. */
gs_status gs_array_sort(struct gs_heap *h, struct gs_array *a, int64_t *bad);
int64_t gs_array_index_of(const struct gs_array *a, gs_value v, int64_t from); /* by ==; -1 */

/* For the copier: an array in heap h that shares a's payload (both become COW; a is the caller's own array), or, when a has none, a
 * copy of its packed bytes. Not for VALUE storage. */
struct gs_array *gs_array_share(struct gs_heap *h, struct gs_array *a);

#endif
