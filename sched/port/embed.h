/* SPDX-License-Identifier: MIT
 * embed.h - files of the source tree that lie as texts inside the program; cmake/embed.cmake makes tables of them at build time, sorted by name. Immutable; any thread.
 */
#ifndef GS_SCHED_PORT_EMBED_H
#define GS_SCHED_PORT_EMBED_H

#include <stddef.h>

struct gs_embedded {
    const char *name; /* the file's name in its folder, "array.goost" */
    const char *text; /* its bytes, with a NUL behind them that len does not count */
    size_t len;
};

#endif
