/* SPDX-License-Identifier: MIT
 * unit_heap.h - a heap with a vector of roots, for the tests of what lives in heaps.
 */
#ifndef GS_TESTS_UNIT_HEAP_H
#define GS_TESTS_UNIT_HEAP_H

#include <stdlib.h>
#include <string.h>

#include "heap.h"

#define UNIT_ROOTS 64

struct unit_heap {
    struct gs_heap h;
    gs_value root[UNIT_ROOTS];
    struct gs_hobj *handle[16]; /* handles met by the last collection */
    int nhandles;
};

static inline void unit_heap_roots(void *ctx, struct gs_marker *m)
{
    gs_gc_mark_values(m, ((struct unit_heap *)ctx)->root, UNIT_ROOTS);
}

static inline void unit_heap_handle(void *ctx, struct gs_hobj *o)
{
    struct unit_heap *u = ctx;
    if (u->nhandles < 16)
        u->handle[u->nhandles] = o;
    u->nhandles++;
}

static inline void unit_heap_init(struct unit_heap *u)
{
    memset(u, 0, sizeof *u);
    gs_heap_init(&u->h, NULL, 0);
}

static inline bool unit_heap_collect(struct unit_heap *u)
{
    u->nhandles = 0;
    return gs_gc_collect(&u->h, unit_heap_roots, unit_heap_handle, u);
}

static inline void unit_heap_fini(struct unit_heap *u)
{
    gs_heap_fini(&u->h);
}

#endif
