/* SPDX-License-Identifier: MIT
 * insight.h - seeing what a program does while it runs: --trace.
 */
#ifndef GS_RUNTIME_INSIGHT_H
#define GS_RUNTIME_INSIGHT_H

#include <stdbool.h>

/* Before anything runs. False, with a message on stderr: the file cannot be created. */
bool gs_insight_start(const char *trace);
/* Before the process ends, in whatever way: writes the trace, if there is one to be written. Any thread. */
void gs_insight_end(void);

#endif
