/* SPDX-License-Identifier: MIT
 * mutex.c - thread.mutex. Contract: lock.h.
 *
 * Problem    Handing the mutex straight to the first waiter is fair, but makes every contended lock wait until a parked task has been scheduled: tasks that take turns quickly
 *            crawl from wake-up to wake-up (6.6 times the time of Go on bench mutex_4). Letting anybody take it who comes starves those who wait.
 * Design     word is 0 (free) or the holder's number, with a low bit that says: look at the queue when unlocking. Nobody waiting: lock and unlock are one CAS each. An unlocker with
 *            a queue frees the mutex and wakes the first waiter, which tries again; whoever comes in between may take it. At most one waiter is awake in this way (waking):
 *            while it is on its way, unlocking does not look at the queue. It goes back to the head of the queue when it finds the mutex taken. A task that finds the
 *            mutex held looks again for about a microsecond before it queues up, unless that has been in vain lately.
 * Fairness   A waiter that has waited STARVED_NS is handed the mutex by the next unlocker: nobody can get in between. So a waiter at the head of the queue waits for that time, for one
 *            critical section and for its turn on a worker at most, and the queue is served in order of arrival.
 * Invariant  While somebody is queued, either the bit is set or waking is: no unlocker can miss the last waiter. Whoever queues up sets the bit, under lock, on a word that
 *            is not free; the woken one sets it again when it takes the mutex or goes back to the queue.
 * Orders     [M1] lock is a CAS with acquire, unlock a CAS or store with release: what was done under the mutex is seen by the next holder. A hand-over is ordered by
 *            the wake-up (task.h [T1]).
 */
#include "lock_int.h"

#include "port/clock.h"

#define WAITING 1 /* bit of word */
#define STARVED_NS 1000000
#define SPINS 40u     /* about a microsecond: ten critical sections of a few instructions */
#define SPIN_VAIN 8   /* so many in a row in vain: spin only ... */
#define SPIN_RETRY 16 /* ... every so many times */

enum { SAYS = 1, TIMED = 2 }; /* waiter.index: lock answers with a bool; there is a timeout */

static int mutex_new(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)args;
    (void)n;
    struct gs_mutex *m = gs_mem_zalloc(sizeof *m);
    if (m != NULL)
        m->waiters.lock = &m->lock;
    return gs_lock_adopt(vm, (struct gs_hobj *)m, GS_H_MUTEX, ret);
}

void gs_mutex_drop(struct gs_hobj *h)
{
    gs_mem_free(h);
}

static bool take_free(struct gs_mutex *m, int64_t id)
{
    int64_t free = 0;
    return gs_cas_acq(&m->word, &free, gs_mutex_held_by(id)); /* [M1] */
}

/* The mutex is held: true when it was given up soon, and taken. */
static bool spin(struct gs_mutex *m, int64_t id)
{
    unsigned vain = gs_load_rlx(&m->vain); /* a guess, whoever writes it */
    if (vain >= SPIN_VAIN && vain % SPIN_RETRY != 0) {
        gs_store_rlx(&m->vain, (uint8_t)(vain < 255 ? vain + 1 : SPIN_VAIN));
        return false;
    }
    for (unsigned i = 0; i < SPINS; i++) {
        gs_cpu_relax();
        if (gs_load_rlx(&m->word) == 0 && take_free(m, id)) {
            if (vain != 0)
                gs_store_rlx(&m->vain, (uint8_t)0);
            return true;
        }
    }
    gs_store_rlx(&m->vain, (uint8_t)(vain < 255 ? vain + 1 : SPIN_VAIN));
    return false;
}

/* Takes the mutex, or marks it: then the caller must queue up before it lets go of the lock. */
static bool take_or_mark_locked(struct gs_mutex *m, int64_t id)
{
    int64_t seen = gs_load_rlx(&m->word);
    for (;;) {
        if (seen == 0) {
            int64_t mine = gs_mutex_held_by(id) | (m->waiters.head != NULL ? WAITING : 0);
            if (gs_cas_acq(&m->word, &seen, mine)) /* [M1] */
                return true;
        } else if ((seen & WAITING) || gs_cas_rlx(&m->word, &seen, seen | WAITING)) { /* relaxed: who sees the bit takes the lock */
            return false;
        }
    }
}

/* A waiter has been woken: it owns the mutex (ok), or tries again. */
static int finish(struct gs_vm *vm, gs_value *ret)
{
    struct gs_mutex *m = (struct gs_mutex *)vm->park.obj;
    struct gs_waiter *w = &vm->park.first;
    int64_t since = w->item.v.i;
    bool says = w->index & SAYS;
    enum gs_wait_word why = gs_wait_end(vm);
    if (why == GS_WAIT_CANCELLED) {
        (void)gs_vm_take_cancel(vm);
        return gs_throw_cancelled(vm);
    }
    if (why != GS_WAIT_TIMEOUT && !w->ok) {
        gs_spin_lock(&m->lock);
        m->waking = false;
        bool taken = take_or_mark_locked(m, gs_lock_me(vm));
        if (!taken) {
            gs_wait_begin(vm);
            w->item.v = gs_int(since);
            gs_waitq_push_front_locked(&m->waiters, w);
        }
        gs_spin_unlock(&m->lock);
        if (!taken) {
            if (w->index & TIMED)
                gs_wait_until(vm, vm->park.ext->timer.when_ns); /* as set before */
            return GS_PARK;
        }
    }
    *ret = says ? gs_bool(why != GS_WAIT_TIMEOUT) : gs_nil();
    return GS_OK;
}

static int take_slowly(struct gs_vm *vm, struct gs_mutex *m, int64_t ms, const char *what, bool says, gs_value *ret)
{
    int64_t id = gs_lock_me(vm);
    bool taken = spin(m, id);
    if (!taken) {
        gs_spin_lock(&m->lock);
        taken = take_or_mark_locked(m, id);
        if (!taken) {
            gs_wait_park_locked(vm, &m->waiters, &m->h, what, finish);
            vm->park.first.item.v = gs_int(gs_clock_mono_ns());
            vm->park.first.index = (says ? SAYS : 0u) | (ms > 0 ? TIMED : 0u);
        }
        gs_spin_unlock(&m->lock);
    }
    if (!taken) {
        gs_wait_timeout(vm, ms);
        return GS_PARK;
    }
    if (says)
        *ret = gs_bool(true);
    return GS_OK;
}

static int mutex_take(struct gs_vm *vm, struct gs_mutex *m, int64_t ms, const char *what, bool says, gs_value *ret)
{
    int st = gs_lock_may_block(vm, ms);
    if (st != GS_OK)
        return st;
    bool taken = take_free(m, gs_lock_me(vm));
    if (!taken && ms != 0) {
        if (gs_load_rlx(&m->word) >> GS_MUTEX_SHIFT == gs_lock_me(vm)) /* only we could change that */
            return gs_throw(vm, GS_ERR_LOCK, "mutex %lld is already locked by this task", (long long)m->h.id);
        return take_slowly(vm, m, ms, what, says, ret);
    }
    if (says)
        *ret = gs_bool(taken);
    return GS_OK;
}

static int mutex_lock(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    GS_LOCK_GET(gs_mutex, GS_H_MUTEX, "lock");
    return mutex_take(vm, o, -1, "lock", false, ret);
}

static int mutex_try_lock(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    GS_LOCK_GET(gs_mutex, GS_H_MUTEX, "tryLock");
    return mutex_take(vm, o, 0, "tryLock", true, ret);
}

static int mutex_lock_timeout(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    GS_LOCK_GET(gs_mutex, GS_H_MUTEX, "lockTimeout");
    int64_t ms;
    int st = gs_lock_arg_ms(vm, "lockTimeout", args, 1, &ms);
    return st != GS_OK ? st : mutex_take(vm, o, ms, "lockTimeout", true, ret);
}

/* The bit is set, and the mutex ours: nobody else changes word but under the lock, which finds it held. */
static void unlock_slowly(struct gs_mutex *m)
{
    struct gs_waiter *w = NULL;
    int64_t next = 0;
    gs_spin_lock(&m->lock);
    if (!m->waking)
        w = gs_waitq_claim_first_locked(&m->waiters);
    if (w != NULL) {
        w->ok = gs_clock_mono_ns() - w->item.v.i >= STARVED_NS;
        if (w->ok)
            next = gs_mutex_held_by(gs_lock_me(w->vm)) | (m->waiters.head != NULL ? WAITING : 0);
        else
            m->waking = true;
    }
    gs_store_rel(&m->word, next); /* [M1] */
    gs_spin_unlock(&m->lock);
    if (w != NULL)
        gs_wait_wake(w);
}

static int mutex_unlock(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)ret;
    GS_LOCK_GET(gs_mutex, GS_H_MUTEX, "unlock");
    int64_t id = gs_lock_me(vm), seen = gs_mutex_held_by(id);
    if (gs_cas_rel(&o->word, &seen, (int64_t)0)) /* [M1] */
        return GS_OK;
    if (seen >> GS_MUTEX_SHIFT == id) {
        unlock_slowly(o);
        return GS_OK;
    }
    return gs_throw(vm, GS_ERR_LOCK, "unlock of mutex %lld, which %s", (long long)o->h.id,
                    seen == 0 ? "is not locked" : "another task has locked");
}

static const struct gs_lib_entry entries[] = {
    GS_FN("new", mutex_new, 0, 0, 0),
    GS_FN_AS(LOCK, "lock", mutex_lock, 1, 1, 0),
    GS_FN_AS(UNLOCK, "unlock", mutex_unlock, 1, 1, 0),
    GS_FN("tryLock", mutex_try_lock, 1, 1, 0),
    GS_FN("lockTimeout", mutex_lock_timeout, 2, 2, 0),
    GS_PRELUDE_FN("withLock", "mutexWithLock"),
};
GS_LIB_MODULE(gs_lib_thread_mutex, "thread.mutex", false, entries);

static const struct gs_lib_entry intrinsics[] = {
    GS_FN_AS(LOCK, "mutexLock", mutex_lock, 1, 1, 0),
    GS_FN_AS(UNLOCK, "mutexUnlock", mutex_unlock, 1, 1, 0),
};
GS_LIB_MODULE(gs_lib_mutex_intrinsics, "<intrinsic>", false, intrinsics);
