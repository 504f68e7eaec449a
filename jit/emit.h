/* SPDX-License-Identifier: MIT
 * emit.h - from graph and types to an LLVM module.
 */
#ifndef GS_JIT_EMIT_H
#define GS_JIT_EMIT_H

#include "session.h"
#include "types.h"

/* The module of a unit. enter: name of the function that the interpreter calls; own: of the one that compiled code calls
 * (functions only). NULL and *why. */
LLVMModuleRef gs_emit_unit(struct gs_types *t, const char *enter, const char *own, const char **why);

#endif
