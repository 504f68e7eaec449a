/* SPDX-License-Identifier: MIT
 * parse.h - source text to syntax tree, with error recovery.
 */
#ifndef GS_FRONTEND_PARSE_H
#define GS_FRONTEND_PARSE_H

#include "diag.h"

/* The whole file as a GS_N_BLOCK. Errors go to d (up to GS_DIAG_MAX of them from one file); the tree is only to be used when
 * gs_diag_errors(d) did not grow. Never NULL. Nesting deeper than an internal limit (about 1,000 levels is ordinary, 200 KiB of C stack
 * is the budget) is an error of its own, never a crash. */
struct gs_node *gs_parse(struct gs_arena *a, const struct gs_source *src, struct gs_diag *d);

/* True when the only trouble with the text is that it ends too early: an open bracket, block, comment or backtick string, an
 * operator at the end. For the REPL, which then asks for another line. */
bool gs_parse_incomplete(const struct gs_source *src);

#endif
