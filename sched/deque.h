/* SPDX-License-Identifier: MIT
 * deque.h - a growable double-ended queue of tasks with one owner and many thieves.
 *
 * The owner pushes and pops at the bottom (last in, first out); anybody, the owner included, takes
 * the oldest at the top. The argument for the memory orders is at the head of deque.c.
 */
#ifndef GS_SCHED_DEQUE_H
#define GS_SCHED_DEQUE_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "port/atomic.h"
#include "task.h"

struct gs_ring;

struct gs_deque {
    /* Takers move top up by CAS; the popping owner does so only for the last task. Never goes
     * down. */
    alignas(GS_CACHE_LINE) _Atomic int64_t top;
    /* Written by the owner alone. Tasks in [top, bottom) are queued. */
    alignas(GS_CACHE_LINE) _Atomic int64_t bottom;
    /* Written by the owner alone. Old rings stay readable until gs_deque_fini. */
    _Atomic(struct gs_ring *) ring;
    /* The owner's: a value that top once had, so that a push need not read the line that thieves
     * write. */
    int64_t top_seen;
};

enum gs_steal {
    GS_STEAL_OK,
    GS_STEAL_LOST, /* another thread took that task; worth trying again at once */
    GS_STEAL_EMPTY,
};

/* False when memory is out. */
bool gs_deque_init(struct gs_deque *d);
/* When no other thread can look any more. Forgets what is still queued. */
void gs_deque_fini(struct gs_deque *d);

/* Owner only. False when the ring is full and memory is out: the task is not queued. */
bool gs_deque_push_owner(struct gs_deque *d, struct gs_task *t);
/* Owner only. The newest task, or NULL. */
struct gs_task *gs_deque_pop_owner(struct gs_deque *d);
/* Any thread. The oldest task into *out when the answer is OK. */
enum gs_steal gs_deque_steal_mt(struct gs_deque *d, struct gs_task **out);
/* Any thread: the oldest task or NULL, tries again while it only lost races. */
struct gs_task *gs_deque_take_mt(struct gs_deque *d);

/* Any thread: how many are queued, a moment ago. A stale answer costs a missed steal or a look for
 * nothing. */
static inline int64_t gs_deque_size_mt(const struct gs_deque *d)
{
    int64_t n = gs_load_rlx(&d->bottom) - gs_load_rlx(&d->top);
    return n > 0 ? n : 0;
}

/* Any thread. As the size, but ordered: a push that came before in the total order is seen. [P1] */
static inline bool gs_deque_nonempty_seq_mt(const struct gs_deque *d)
{
    int64_t t = gs_load_seq(&d->top);
    return gs_load_seq(&d->bottom) - t > 0;
}

#endif
