/* SPDX-License-Identifier: MIT
 * park.h - putting idle workers to sleep, waking them, and knowing when nothing can run. The
 * argument is in park.c.
 */
#ifndef GS_SCHED_PARK_H
#define GS_SCHED_PARK_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "port/atomic.h"

struct gs_sched;
struct gs_worker;

#define GS_PARK_WORDS 16u /* 1,024 workers */
#define GS_PARK_SEARCHING 0x10000u
/* After so many futile wake-ups a single task is left to the worker that queued it. */
#define GS_PARK_FUTILE 3u

struct gs_park {
    /* Low half: workers asleep or not yet started. High half: workers searching. Read by every
     * submitter. [P1] */
    alignas(GS_CACHE_LINE) _Atomic uint32_t idle;
    /* Wake-ups in a row for which the woken worker found nothing. A hint. */
    _Atomic uint32_t futile;
    /* Guards all below and gs_worker.wake. */
    alignas(GS_CACHE_LINE) struct gs_spin lock;
    /* Workers in their loop and not asleep. Read without the lock as a hint. */
    _Atomic uint32_t awake;
    /* Offloaded calls, callers that wait on the outside world, the ticker while it fires. */
    uint64_t outside;
    bool open;    /* a run is under way */
    bool no_more; /* starting a thread has failed */
    uint64_t asleep[GS_PARK_WORDS];
};

/* Before a run: worker 0 is awake, the others asleep or not started. */
void gs_park_open(struct gs_sched *s);
void gs_park_close(struct gs_sched *s);

/* Any thread, after a push [P1]: is there somebody to wake and nobody looking? */
static inline bool gs_park_wanted_mt(const struct gs_park *p)
{
    uint32_t idle = gs_load_seq(&p->idle); /* [P1] */
    return idle != 0 && idle < GS_PARK_SEARCHING;
}

/* Owner, after it queued one task behind itself: not worth waking anybody for, it seems? If the
 * owner stays in its task the ticker will wake somebody. */
static inline bool gs_park_futile(const struct gs_park *p)
{
    return gs_load_rlx(&p->futile) >= GS_PARK_FUTILE;
}

/* Any thread. Wakes one sleeper, or starts a worker, unless one is searching already. */
void gs_park_wake_one_mt(struct gs_sched *s);
/* Any thread. Wakes w if it sleeps: false if it was awake. */
bool gs_park_wake_this_mt(struct gs_worker *w);
void gs_park_wake_all_mt(struct gs_sched *s);

/* Owner. A worker begins to look for work beyond its own queues, and found some. */
void gs_park_search_begin_owner(struct gs_worker *w);
void gs_park_search_end_owner(struct gs_worker *w);
/* Owner, searching: it leaves for good (the machine has no processor for it). */
void gs_park_retire_owner(struct gs_worker *w);
/* Owner, searching and without work. Sleeps until woken, until a timer of its own is due, or the
 * scheduler stops; calls the quiescent hook when nothing can run. Returns searching. */
void gs_park_sleep_owner(struct gs_worker *w);
/* Owner, searching: rests so long, unless it is woken, a timer of its own is due or the scheduler stops. It goes on counting as searching: nobody else is woken. */
void gs_park_nap_owner(struct gs_worker *w, int64_t ns);
/* Whether another thread could produce work at all. A stale answer costs a spin or a sleep. */
bool gs_park_alone_mt(const struct gs_park *p);

/* Any thread. The earliest timer of the workers that are not asleep. [K2] */
int64_t gs_park_earliest_awake_mt(struct gs_sched *s);

void gs_park_outside_begin_mt(struct gs_sched *s);
void gs_park_outside_end_mt(struct gs_sched *s);

#endif
