/* SPDX-License-Identifier: MIT
 * parse.h - source text to syntax tree, with error recovery.
 */
#ifndef GS_FRONTEND_PARSE_H
#define GS_FRONTEND_PARSE_H

#include "diag.h"

/* The whole file as a GS_N_BLOCK. Errors go to d (up to GS_DIAG_MAX of them from one file); the
 * tree is only to be used when gs_diag_errors(d) did not grow. Never NULL. Nesting deeper than 800
 * levels (400 functions in each other), and trees higher than GS_NODE_HEIGHT, are an error of their
 * own, never a crash; the parser needs about 200 KiB of C stack. */
struct gs_node *gs_parse(struct gs_arena *a, const struct gs_source *src, struct gs_diag *d);

/* True when the only trouble with the text is that it ends too early: an open bracket, block,
 * comment or backtick string, an operator at the end. For the REPL, which then asks for another
 * line. */
bool gs_parse_incomplete(const struct gs_source *src);

#endif
