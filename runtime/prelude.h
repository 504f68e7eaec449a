/* SPDX-License-Identifier: MIT
 * prelude.h - the part of the library that is written in the language, as text inside the binary.
 *
 * The definitions are made at build time from the .goost files of runtime/prelude (cmake/embed_prelude.cmake), sorted by name.
 * Immutable; any thread.
 */
#ifndef GS_RUNTIME_PRELUDE_H
#define GS_RUNTIME_PRELUDE_H

#include <stddef.h>

struct gs_prelude_file {
    const char *name; /* the file's name in runtime/prelude, "array.goost" */
    const char *text; /* its bytes, with a NUL behind them that len does not count */
    size_t len;
};

extern const struct gs_prelude_file gs_prelude_files[];
extern const size_t gs_prelude_nfiles;

#endif
