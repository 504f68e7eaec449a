/* SPDX-License-Identifier: MIT
 * prelude.h - the part of the library that is written in the language, as text inside the binary.
 */
#ifndef GS_RUNTIME_PRELUDE_H
#define GS_RUNTIME_PRELUDE_H

#include "port/embed.h"

extern const struct gs_embedded gs_prelude_files[]; /* of runtime/prelude */
extern const size_t gs_prelude_nfiles;

#endif
