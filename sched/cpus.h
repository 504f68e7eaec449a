/* SPDX-License-Identifier: MIT
 * cpus.h - how many processors this process may use. Needs no topology.
 */
#ifndef GS_SCHED_CPUS_H
#define GS_SCHED_CPUS_H

/* The affinity mask, bounded by the tightest CPU quota of all visible control groups. At least 1.
 * Any thread. Reads a dozen files (60 us) unless it did so within the last second. */
unsigned gs_cpus_usable(void);
/* The affinity mask alone: a microsecond. */
unsigned gs_cpus_in_mask(void);
/* The quota alone, rounded up, or 0 when there is none. root is put before every path that is read
 * ("" for the real machine; tests give a made-up tree). */
unsigned gs_cpus_quota(const char *root);

#endif
