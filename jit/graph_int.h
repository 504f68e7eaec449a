/* SPDX-License-Identifier: MIT
 * graph_int.h - what live.c, callee.c and graph.c share.
 */
#ifndef GS_JIT_GRAPH_INT_H
#define GS_JIT_GRAPH_INT_H

#include "graph.h"

#define GS_GRAPH_WRONG 3u /* so often guards of callees may fail before the site is taken for one that calls anything */

/* NULL: no memory. */
struct gs_live *gs_live_make(const struct gs_proto *p);
void gs_live_free(struct gs_live *l);

/* callee.c: sets callee and, for a constant, callee_fn of a CALL or CALLTRIM. */
void gs_node_find_callee(struct gs_node *n);
/* Whether the arguments of the call can be made to fit its callee; sets given. */
bool gs_node_fit(struct gs_node *n);
/* What graph.c knows of each instruction of a function. */
enum { LEADER = 1, REACHED = 2 };

/* catch.c: marks the bounds of handlers as leaders. A handler within [lo, hi] whose code is not reached although an instruction in its range
 * is: true, and *pc is where its code begins. */
bool gs_mark_handlers(const struct gs_proto *p, uint32_t lo, uint32_t hi, uint8_t *m, uint32_t *pc);
/* The block to which errors of b go, or GS_NO_BLOCK. */
uint32_t gs_graph_caught(const struct gs_graph *g, const struct gs_block *b);

#endif
