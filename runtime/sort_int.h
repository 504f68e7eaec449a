/* SPDX-License-Identifier: MIT
 * sort_int.h - the sorts behind arrays and objects' keys.
 */
#ifndef GS_RUNTIME_SORT_INT_H
#define GS_RUNTIME_SORT_INT_H

#include "object.h"

/* An element on its way: the key decides where it can, tie (when keys are equal) where it
 * cannot. */
struct gs_sort_item {
    uint64_t key;
    uint64_t ref; /* the element, or its number; for the caller */
};

/* Stable merge sort. tie(a, b, ctx): a before b though their keys are equal; NULL: never. False
 * when memory is out: v unchanged. */
bool gs_sort_items(struct gs_sort_item *v, size_t n,
                   bool (*tie)(const struct gs_sort_item *a, const struct gs_sort_item *b,
                               const void *ctx),
                   const void *ctx);
/* Key and tie for strings in byte order; ref is the struct gs_str *. */
uint64_t gs_sort_str_key(const struct gs_str *s);
bool gs_sort_str_tie(const struct gs_sort_item *a, const struct gs_sort_item *b, const void *ctx);

#endif
