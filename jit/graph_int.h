/* SPDX-License-Identifier: MIT
 * graph_int.h - what live.c and graph.c share.
 */
#ifndef GS_JIT_GRAPH_INT_H
#define GS_JIT_GRAPH_INT_H

#include "graph.h"

/* NULL: no memory. */
struct gs_live *gs_live_make(const struct gs_proto *p);
void gs_live_free(struct gs_live *l);

#endif
