/* SPDX-License-Identifier: MIT
 * clock.h - time. Any thread.
 */
#ifndef GS_SCHED_PORT_CLOCK_H
#define GS_SCHED_PORT_CLOCK_H

#include <stdint.h>

/* CLOCK_MONOTONIC in nanoseconds. */
int64_t gs_clock_mono_ns(void);
/* What the process has used of its processors, all threads together, in nanoseconds. */
int64_t gs_clock_cpu_ns(void);
/* CLOCK_REALTIME in nanoseconds since 1970. */
int64_t gs_clock_wall_ns(void);

#endif
