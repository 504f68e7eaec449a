/* SPDX-License-Identifier: MIT
 * lock.h - what tasks take turns at: mutex, rwlock, semaphore, waitgroup, once, barrier, ticker, atomic.
 *
 * All stand on the wait queue of waitq.h under one spin lock each, serve first come first served and, the mutex excepted (mutex.c), hand over directly: who is woken owns what
 * it waited for. So nobody starves, and a timeout or cancel that has won the wait word leaves nothing half taken.
 * Every function is run by the task on its own VM and gives what a library function gives (lib.h). ms < 0: for ever; 0: do not wait.
 */
#ifndef GS_RUNTIME_LOCK_H
#define GS_RUNTIME_LOCK_H

#include "waitq.h"

#define GS_MUTEX_SHIFT 1

struct gs_mutex {
    struct gs_hobj h;
    struct gs_spin lock; /* guards waking and waiters */
    bool waking;         /* a woken waiter is on its way to try again; mutex.c */
    _Atomic uint8_t vain; /* how often in a row spinning was in vain */
    _Atomic int64_t word; /* 0: free; else the holder's task number * 2, + 1: look at waiters when unlocking. Set under lock but for the two changes free to held and back without the bit */
    struct gs_waitq waiters;
};

/* Readers that came in on one worker. */
struct gs_rwlock_count {
    _Alignas(GS_CACHE_LINE) _Atomic uint32_t n;
};

struct gs_rwlock {
    struct gs_hobj h;
    struct gs_spin lock; /* guards all but counts and open */
    int64_t writer;   /* task number, 0: none */
    uint32_t readers; /* that came in under the lock */
    uint32_t calm;    /* so many of them since a writer was about */
    struct gs_waitq waiters; /* both kinds in order of arrival; waiter.send: wants to write */
    /* Others read these without the lock; rwlock.c. */
    _Alignas(GS_CACHE_LINE) _Atomic(struct gs_rwlock_count *) counts; /* one for each worker; NULL: not needed so far */
    uint32_t ncounts;  /* constant once there are counts */
    _Atomic bool open; /* no writer is about: readers come and go by counts */
};

/* The word while task id holds it and nobody is marked as waiting. Compiled code goes from 0 to this and back, too (emit_intrinsic.c). */
static inline int64_t gs_mutex_held_by(int64_t id)
{
    return id << GS_MUTEX_SHIFT;
}
/* Task numbers; 0: nobody. Any thread. */
static inline int64_t gs_mutex_holder(struct gs_mutex *m)
{
    return gs_load_acq(&m->word) >> GS_MUTEX_SHIFT;
}
static inline int64_t gs_rwlock_writer(struct gs_rwlock *l)
{
    gs_spin_lock(&l->lock);
    int64_t writer = l->writer;
    gs_spin_unlock(&l->lock);
    return writer;
}

struct gs_semaphore {
    struct gs_hobj h;
    struct gs_spin lock;
    int64_t count;
    struct gs_waitq waiters;
};

struct gs_waitgroup {
    struct gs_hobj h;
    struct gs_spin lock;
    int64_t count;
    struct gs_waitq waiters;
};

struct gs_once {
    struct gs_hobj h;
    struct gs_spin lock;
    uint32_t state; /* 0 new, 1 running, 2 done */
    struct gs_waitq waiters;
};

struct gs_barrier {
    struct gs_hobj h;
    struct gs_spin lock;
    uint32_t size, arrived;
    uint32_t round; /* how often it has opened */
    struct gs_waitq waiters;
};

/* Ticks are points in time start + k * period; a wait takes the next one. One tick is kept for a slow taker, the others are dropped, as in Go. */
struct gs_ticker {
    struct gs_hobj h;
    struct gs_spin lock;
    int64_t start_ns, period_ns;
    int64_t next; /* number of the next tick to be taken */
    bool stopped;
};

/* A plain 64-bit atomic on a line of its own. */
struct gs_atomic {
    struct gs_hobj h;
    _Alignas(GS_CACHE_LINE) _Atomic int64_t v;
};

#endif
