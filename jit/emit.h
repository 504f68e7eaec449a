/* SPDX-License-Identifier: MIT
 * emit.h - from graph and types to an LLVM module.
 */
#ifndef GS_JIT_EMIT_H
#define GS_JIT_EMIT_H

#include "session.h"
#include "types.h"

/* The module of a unit. enter: name of the function that the interpreter calls; own: of the one that compiled code calls
 * (functions only). *sites: what the guards of its code name, to be freed (free) with the code, or when that is not made. NULL and *why. */
LLVMModuleRef gs_emit_unit(struct gs_types *t, const char *enter, const char *own, struct gs_hot_site **sites, const char **why);

#endif
