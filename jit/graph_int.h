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

#endif
