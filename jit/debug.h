/* SPDX-License-Identifier: MIT
 * debug.h - where each instruction of a unit comes from: debug information for the listing of disasm --jit and for gdb.
 *
 * Cost       Nothing is made unless gs_session_debug() says so; otherwise e->debug is NULL and each hook is one test.
 * Places     An instruction's line is the node's source line, its column the node's pc plus one (0: unknown), so that
 *            the listing finds the bytecode again. Inlined functions are scopes of their own, inlined at the call's place.
 * Names      gdb sees the function's name, "NAME.entry" for what the interpreter calls, "NAME.loop" for loops. Top-level code has its
 *            module's name before it: a plain "main" is C's.
 */
#ifndef GS_JIT_DEBUG_H
#define GS_JIT_DEBUG_H

#include "emit_int.h"

/* The module e->m and the builder e->b are new: makes e->debug when it is wanted. */
void gs_debug_begin(struct gs_emit *e);
/* Before the module is compiled; frees e->debug. */
void gs_debug_end(struct gs_emit *e);
/* e->fn has begun: what is built from now on is its, and comes from the unit's first line. kind: see "Names". */
void gs_debug_function(struct gs_emit *e, const char *kind);
/* What is built from now on comes from n. */
void gs_debug_place(struct gs_emit *e, const struct gs_node *n);

static inline void gs_debug_at(struct gs_emit *e, const struct gs_node *n)
{
    if (e->debug != NULL)
        gs_debug_place(e, n);
}

#endif
