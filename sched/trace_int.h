/* SPDX-License-Identifier: MIT
 * trace_int.h - event rings; for this folder and its tests.
 */
#ifndef GS_SCHED_TRACE_INT_H
#define GS_SCHED_TRACE_INT_H

#include <stdalign.h>
#include <stdio.h>

#include "port/atomic.h"
#include "sched.h"
#include "trace.h"

#define GS_TRACE_BURST 16384 /* 2 to 3 ms of work in all, and the file still opens at once */
#define GS_TRACE_RATE 100    /* a millisecond: 10 us of it on the slowest clock we met */
#define GS_TRACE_LOOK 256u   /* runs among many between two readings of the clock, at most */
#define GS_TRACE_SOME 128    /* so many are saved up before runs are told one by one again */

#define GS_TRACE_CHUNK 4096u /* events; 128 KiB */
#define GS_TRACE_CHUNKS 256u /* of one ring: ten seconds at the full rate; then the oldest goes */

enum gs_trace_phase { GS_TRACE_POINT, GS_TRACE_BEGIN, GS_TRACE_END };
enum gs_trace_how { GS_TRACE_DONE, GS_TRACE_PARKED, GS_TRACE_YIELDED, GS_TRACE_PREEMPTED };

struct gs_trace_event {
    int64_t when_ns;
    uint64_t a, b;
    uint32_t id;
    uint16_t arg;
    uint8_t kind;  /* enum gs_trace_kind */
    uint8_t phase; /* enum gs_trace_phase */
};

/* An event as it lies in a ring. Relaxed: [R1] orders it, and a reader never looks at what is being written. */
struct gs_trace_slot {
    _Atomic uint64_t w[4];
};

struct gs_ring {
    /* Owner only. */
    int64_t refilled_ns; /* when tokens was last added to */
    int64_t looked_ns;   /* within "many runs": the last reading of the clock */
    int64_t last_ns;     /* of the last event */
    int64_t tokens;      /* what may still be told */
    uint64_t runs;       /* since "many runs" began */
    uint32_t tick;       /* of the scheduler when the clock was read */
    uint32_t flow, flow_end; /* numbers of arrows that are ours to give */
    bool many;           /* runs are not told one by one, nor what happens in them */
    struct gs_trace_slot *at; /* the current chunk */
    uint64_t n;          /* head, as the owner knows it */

    /* [R1] Written by the owner, released after the event. Events below it are complete. */
    alignas(GS_CACHE_LINE) _Atomic uint64_t head;
    /* Guards first and chunk. The owner only tries it: the writer, who keeps it, is never waited for. */
    struct gs_spin lock;
    uint64_t first; /* number of the oldest chunk */
    struct gs_trace_slot *chunk[GS_TRACE_CHUNKS]; /* number n is at n % GS_TRACE_CHUNKS */

    /* Constant once it is in the list. */
    struct gs_ring *next;
    const struct gs_worker *worker; /* NULL: another thread */
    const char *name;
    uint32_t number; /* in the order of making */
};

/* trace.c */
/* A ring in the list of all, or NULL. w: its worker, or NULL. */
struct gs_ring *gs_ring_new(const char *name, const struct gs_worker *w);
/* The newest first. */
struct gs_ring *gs_rings(void);
/* Owner. Records whatever the budget says. */
void gs_ring_put_owner(struct gs_ring *r, int64_t when_ns, const struct gs_trace_event *e);
/* The writer, holding the lock. False: there is none of that number. */
bool gs_ring_get_locked(const struct gs_ring *r, uint64_t i, struct gs_trace_event *out);
/* For tests: forgets all rings, and that anything was opened. Nobody else may be there. */
void gs_trace_reset(void);

/* A ring for the worker of the calling thread; NULL when memory is out. */
struct gs_ring *gs_trace_start_owner(struct gs_worker *w);
/* What the workers tell; w->ring is not NULL. flow: t's, taken from it. */
void gs_trace_run_begin_owner(struct gs_worker *w, const struct gs_task *t, uint32_t flow);
/* t: NULL when the task is over. */
void gs_trace_run_end_owner(struct gs_worker *w, const struct gs_task *t, enum gs_run how);
void gs_trace_sleep_owner(struct gs_worker *w);
void gs_trace_awake_owner(struct gs_worker *w);
/* The worker ends. */
void gs_trace_stop_owner(struct gs_worker *w);
/* A point on the calling thread's track, if the budget allows. */
void gs_trace_point_slow(enum gs_trace_kind kind, uint64_t a, uint64_t b, uint16_t arg);
static inline void gs_trace_point(enum gs_trace_kind kind, uint64_t a, uint64_t b, uint16_t arg)
{
    if (__builtin_expect(gs_tracing, 0))
        gs_trace_point_slow(kind, a, b, arg);
}
/* An arrow begins here: the number for the task, or 0. w: the calling thread's, or NULL. */
uint32_t gs_trace_flow_slow(struct gs_worker *w, enum gs_trace_kind kind);

/* trace_write.c */
/* The rings' locks are taken and kept. 0 or an errno. */
int gs_trace_print(FILE *out, const struct gs_trace_hooks *hooks, int64_t origin_ns);

#endif
