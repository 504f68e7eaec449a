/* SPDX-License-Identifier: MIT
 * stat.h - counters of one worker.
 *
 * A counter is written by one thread only, so counting is a load and a store and never a locked
 * operation; whoever prints reads them while they move. The set that threads without a worker share
 * uses real additions.
 */
#ifndef GS_SCHED_STAT_H
#define GS_SCHED_STAT_H

#include <stdint.h>

#include "port/atomic.h"

enum gs_stat {
#define GS_STAT(name, heading, meaning) GS_STAT_##name,
#include "stat.def"
#undef GS_STAT
    GS_STAT_COUNT
};

struct gs_stats {
    _Atomic uint64_t count[GS_STAT_COUNT];
};

/* The only writer. Relaxed: nothing depends on the counters. */
static inline void gs_stat_add_owner(struct gs_stats *st, enum gs_stat which, uint64_t n)
{
    gs_store_rlx(&st->count[which], gs_load_rlx(&st->count[which]) + n);
}

/* Any thread, for a shared set. */
static inline void gs_stat_add_mt(struct gs_stats *st, enum gs_stat which, uint64_t n)
{
    (void)gs_add_rlx(&st->count[which], n);
}

const char *gs_stat_heading(enum gs_stat which);

#endif
