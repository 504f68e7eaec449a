/* SPDX-License-Identifier: MIT
 * timer.h - the timers of one worker. The face for callers is in sched.h; this is what the
 * scheduler uses.
 */
#ifndef GS_SCHED_TIMER_H
#define GS_SCHED_TIMER_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "port/atomic.h"
#include "sched.h"

struct gs_timer_entry {
    int64_t when_ns; /* a copy, so that sifting does not touch the timers it compares */
    struct gs_timer *timer;
};

struct gs_timers {
    /* Guards everything below but next_ns's readers. */
    alignas(GS_CACHE_LINE) struct gs_spin lock;
    uint32_t count;
    uint32_t capacity;
    struct gs_timer_entry *heap; /* 4-ary, the earliest first */
    struct gs_timer *firing;     /* its fire is being called by firing_thread, or NULL */
    const void *firing_thread;
    /* Written under the lock: when of the earliest, INT64_MAX when none is set. Read by anyone. */
    _Atomic int64_t next_ns;
};

void gs_timers_init(struct gs_timers *ts);
/* When no other thread can look any more; what is still set is forgotten. */
void gs_timers_fini(struct gs_timers *ts);
/* Makes every set timer idle without firing it, and waits for one that is firing. */
void gs_timers_clear_mt(struct gs_timers *ts);

/* Any thread. True when this timer is now the earliest. Ends the process when memory is out. */
bool gs_timers_start_mt(struct gs_timers *ts, struct gs_timer *tm);
/* Any thread. As gs_timer_stop_mt, for a timer whose home is ts. */
bool gs_timers_stop_mt(struct gs_timers *ts, struct gs_timer *tm);
/* Any thread. Fires what is due at now_ns, the earliest first and at most max; somebody else firing
 * here already does it instead. Returns how many. */
unsigned gs_timers_fire_mt(struct gs_timers *ts, int64_t now_ns, unsigned max);
/* The timer whose fire the calling thread is in, or NULL. */
const struct gs_timer *gs_timers_inside(void);

/* Any thread. A stale answer: the reader wakes too early, or the starter of an earlier timer sees
 * to it that it looks again. */
static inline int64_t gs_timers_next_mt(const struct gs_timers *ts)
{
    return gs_load_rlx(&ts->next_ns);
}

#endif
