/* SPDX-License-Identifier: MIT
 * cmd_bench.h - the benchmark programs inside the binary.
 */
#ifndef GS_FRONTEND_CMD_BENCH_H
#define GS_FRONTEND_CMD_BENCH_H

#include "port/embed.h"

/* Of bench/script: NAME.goost, and NAME.expect with what it has to print. */
extern const struct gs_embedded gs_bench_files[];
extern const size_t gs_bench_nfiles;

#endif
