/* SPDX-License-Identifier: MIT
 * prelude_int.h - between lib.c and prelude.c.
 */
#ifndef GS_RUNTIME_PRELUDE_INT_H
#define GS_RUNTIME_PRELUDE_INT_H

#include "lib.h"

/* A function of the prelude that the table of `module` names: its file, named after the first part
 * of the module ("thread.core" and "<array>" are in thread.goost and array.goost), is compiled
 * first, and the others only when it is not there. */
struct gs_func *gs_prelude_find(const char *module, const char *name);
/* Calls fn for each entry that is written in the prelude. */
void gs_lib_each_prelude(void (*fn)(void *ctx, const struct gs_lib_module *m,
                                    const struct gs_lib_entry *e),
                         void *ctx);

#endif
