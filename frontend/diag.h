/* SPDX-License-Identifier: MIT
 * diag.h - messages with a place: collected, counted, printed with the source line and a caret.
 *
 * Format     FILE:LINE: message            compile errors
 *            FILE:LINE:COL: message        lexical and parse errors
 *            FILE:LINE: warning: message   warnings
 *            followed, when colour is on, by the source line and a caret.
 */
#ifndef GS_FRONTEND_DIAG_H
#define GS_FRONTEND_DIAG_H

#include <stdio.h>

#include "ast.h"
#include "port/check.h"

#define GS_DIAG_MAX 20 /* errors reported at once */

struct gs_source { /* one file; owned by the module cache, lives until the process ends */
    const char *path;  /* as shown in messages */
    const char *text;
    size_t len;
};

struct gs_diag; /* collector */
struct gs_diag *gs_diag_new(void);
void gs_diag_free(struct gs_diag *d);
/* Any further error behind GS_DIAG_MAX is counted only. Messages are copied. */
void gs_diag_parse_error(struct gs_diag *d, const struct gs_source *s, struct gs_pos at, const char *fmt, ...) GS_PRINTF(4, 5);
void gs_diag_error(struct gs_diag *d, const struct gs_source *s, struct gs_pos at, const char *fmt, ...) GS_PRINTF(4, 5);
void gs_diag_warning(struct gs_diag *d, const struct gs_source *s, struct gs_pos at, const char *fmt, ...) GS_PRINTF(4, 5);
unsigned gs_diag_errors(const struct gs_diag *d);
unsigned gs_diag_warnings(const struct gs_diag *d);
/* Prints everything collected, in order of file and line; excerpt: with source line and caret; colour: with terminal colours. */
void gs_diag_print(const struct gs_diag *d, FILE *out, bool excerpt, bool colour);

#endif
