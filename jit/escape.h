/* SPDX-License-Identifier: MIT
 * escape.h - which objects made in a unit nobody else ever sees: they need no memory while compiled code runs.
 *
 * Virtual    A NEWOBJ whose object is only kept in slots, read and written by field and called with methods that are spliced in. At
 *            most one object of each such site is alive at any time, and a slot that is live holds the object of one site on every
 *            way that leads to it, or of none. So one place for each site is enough, and LLVM makes registers of its fields.
 * Exits      Whoever writes a slot for the interpreter makes the object first (emit_escape.c): two slots that hold the same get the same.
 */
#ifndef GS_JIT_ESCAPE_H
#define GS_JIT_ESCAPE_H

#include "types.h"

#define GS_ESCAPE_SITES 16u

struct gs_escape {
    const struct gs_node *site[GS_ESCAPE_SITES]; /* NULL: its object escapes */
    uint32_t nsites;
    uint8_t *in; /* what each slot holds as each block begins: the number of a site plus 1; nslots for each block. NULL: no sites */
};

/* After the inference. False: no memory. */
bool gs_escape_find(const struct gs_types *t, struct gs_escape *x);
void gs_escape_free(struct gs_escape *x);
/* The number of the site plus 1; 0: not a virtual object. */
uint8_t gs_escape_site(const struct gs_escape *x, const struct gs_node *n);

#endif
