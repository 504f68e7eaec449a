/* SPDX-License-Identifier: MIT
 * emit.h - a unit's tree, with its names resolved, to bytecode.
 */
#ifndef GS_FRONTEND_EMIT_H
#define GS_FRONTEND_EMIT_H

#include "unit.h"

/* Fills the protos of all functions of the unit, its modinfo included. To be called only when the
 * diagnostics hold no error; may report some of its own (limits, members that a module lacks).
 * Every function is verified. */
void gs_emit_unit(struct gs_unit *u);

#endif
