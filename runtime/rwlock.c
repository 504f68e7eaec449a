/* SPDX-License-Identifier: MIT
 * rwlock.c - thread.rwlock. Contract: lock.h.
 *
 * Queue      One, in order of arrival: a reader that finds anyone waiting queues up behind, so a waiting writer is not overtaken; when the lock becomes free for the head
 *            of the queue, the head and, if it is a reader, all readers right behind it are let in.
 * Problem    A count of readers is a line that all of them write: two readers on two cores take turns for it, although neither keeps the other out.
 * Design     After CALM readers without a writer the lock is open: a reader adds 1 to the count of the worker it is on, and is in if the lock is still open then. Who reads no longer takes
 *            1 from its own worker's count or, if that is 0, from another, or from the count under the lock: which one does not matter, all of them together are the readers. A writer
 *            closes the lock first. After Dice and Kogan, BRAVO - biased locking for reader-writer locks (USENIX ATC 2019), with counts in the place of their table, so that any
 *            task may unlock on any worker.
 * Invariant  No count goes below 0. While the lock is closed no count goes up but by readers on their way back, who then take the lock and let in whom they have kept out.
 * Orders     [R1] reader: count up, then look at open; writer: open = false, then look at the counts. All seq_cst: one sees the other. Likewise who unlocks: count down,
 *            then look at open; either the writer has seen that it was down, or the unlocker sees it closed and lets in the first waiter.
 */
#include "lock_int.h"

#include <string.h>

#include "compiled.h"
#include "rt.h"

#define CALM 32u

static int rwlock_new(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)args;
    (void)n;
    struct gs_rwlock *l = gs_mem_alloc_aligned(sizeof *l, GS_CACHE_LINE);
    if (l != NULL) {
        memset(l, 0, sizeof *l);
        l->waiters.lock = &l->lock;
    }
    return gs_lock_adopt(vm, (struct gs_hobj *)l, GS_H_RWLOCK, ret);
}

void gs_rwlock_drop(struct gs_hobj *h)
{
    gs_mem_free(gs_load_rlx(&((struct gs_rwlock *)h)->counts)); /* the last share */
    gs_mem_free(h);
}

/* ---- counting readers without the lock ---- */

/* That of the worker we are on. c: all of them. */
static struct gs_rwlock_count *own(const struct gs_rwlock *l, struct gs_rwlock_count *c)
{
    unsigned i = gs_worker_index(gs_worker_self());
    GS_ASSERT(i < l->ncounts);
    (void)l;
    return &c[i];
}

static bool take_one(struct gs_rwlock_count *c)
{
    uint32_t n = gs_load_rlx(&c->n); /* the CAS decides */
    while (n > 0)
        if (gs_cas_seq(&c->n, &n, n - 1)) /* [R1] */
            return true;
    return false;
}

/* One reader less, its own worker's count first. False: all are 0. */
static bool leave(struct gs_rwlock *l)
{
    struct gs_rwlock_count *c = gs_load_acq(&l->counts); /* [R2] */
    if (c == NULL)
        return false;
    if (GS_LIKELY(take_one(own(l, c))))
        return true;
    for (unsigned i = 0; i < l->ncounts; i++)
        if (take_one(&c[i]))
            return true;
    return false;
}

static bool is_open(struct gs_rwlock *l)
{
    return gs_load_seq(&l->open); /* [R1] */
}

/* True: the caller reads. *owes: it does not, but counts as a reader: somebody who counted elsewhere has left in its place. */
static bool enter(struct gs_rwlock *l, bool *owes)
{
    struct gs_rwlock_count *c = gs_load_acq(&l->counts); /* [R2] */
    if (c == NULL || !gs_load_rlx(&l->open)) /* looked at again */
        return false;
    (void)gs_add_seq(&own(l, c)->n, 1u); /* [R1] */
    if (GS_LIKELY(is_open(l)))
        return true;
    *owes = !leave(l);
    return false;
}

/* While it is closed. */
static uint64_t readers_locked(struct gs_rwlock *l)
{
    struct gs_rwlock_count *c = gs_load_rlx(&l->counts); /* set under the lock */
    uint64_t all = l->readers;
    for (unsigned i = 0; c != NULL && i < l->ncounts; i++)
        all += gs_load_seq(&c[i].n); /* [R1] */
    return all;
}

/* A reader has come in, and no writer is about. [R2] release: the counts are zeroed, and it is known how many, before others see them. */
static void calm_locked(struct gs_rwlock *l)
{
    unsigned n = gs_sched_indices(gs_rt.sched);
    if (++l->calm < CALM || n == 1)
        return;
    struct gs_rwlock_count *c = gs_load_rlx(&l->counts); /* set under the lock */
    if (c == NULL) {
        c = gs_mem_alloc_aligned(n * sizeof *c, GS_CACHE_LINE);
        if (c == NULL)
            return;
        memset(c, 0, n * sizeof *c);
        l->ncounts = n;
        gs_store_rel(&l->counts, c); /* [R2] */
    }
    gs_store_seq(&l->open, true);
}

static void close_locked(struct gs_rwlock *l)
{
    l->calm = 0;
    if (gs_load_rlx(&l->open)) /* changed under the lock only */
        gs_store_seq(&l->open, false); /* [R1] */
}

/* ---- under the lock ---- */

/* As leave, looking everywhere. */
static bool leave_locked(struct gs_rwlock *l)
{
    if (l->readers > 0) {
        l->readers--;
        return true;
    }
    close_locked(l); /* one may have come in behind our look along the counts, and another gone before it; nobody comes in now */
    return leave(l);
}

/* Lets in whom the state allows, from the head of the queue on. */
static void admit_locked(struct gs_rwlock *l)
{
    while (l->writer == 0 && l->waiters.head != NULL) {
        bool wants_write = l->waiters.head->send;
        if (wants_write && readers_locked(l) > 0)
            return;
        struct gs_waiter *w = l->waiters.head;
        bool mine = gs_wait_claim(w->vm, GS_WAIT_WOKEN);
        gs_waitq_pop_locked(&l->waiters, w);
        if (!mine)
            continue;
        if (wants_write)
            l->writer = gs_lock_me(w->vm);
        else
            l->readers++;
        gs_wait_wake(w);
    }
}

static void admit(struct gs_rwlock *l)
{
    gs_spin_lock(&l->lock);
    admit_locked(l);
    gs_spin_unlock(&l->lock);
}

/* A waiter that gives up may have stood in the way of others behind it. */
static int rwlock_finish(struct gs_vm *vm, gs_value *ret)
{
    struct gs_rwlock *l = (struct gs_rwlock *)vm->park.obj;
    int st = gs_lock_finish_nil(vm, ret);
    if (st != GS_OK)
        admit(l);
    return st;
}

/* The way back of a reader that enter has refused. */
static void go_back_locked(struct gs_rwlock *l, bool owes)
{
    if (owes)
        (void)leave_locked(l);
    admit_locked(l); /* whom it has kept out */
}

static int rwlock_take(struct gs_vm *vm, struct gs_rwlock *l, bool write, bool wait, const char *what, bool *got)
{
    int st = gs_lock_may_block(vm, 0);
    if (st != GS_OK)
        return st;
    bool owes = false;
    *got = !write && enter(l, &owes);
    if (*got)
        return GS_OK;
    gs_spin_lock(&l->lock);
    if (write)
        close_locked(l);
    go_back_locked(l, owes);
    bool mine = l->writer == gs_lock_me(vm);
    *got = l->writer == 0 && l->waiters.head == NULL && !(write && readers_locked(l) > 0);
    if (*got && write) {
        l->writer = gs_lock_me(vm);
    } else if (*got) {
        l->readers++;
        calm_locked(l);
    }
    wait = wait && !*got && !mine;
    if (wait) {
        gs_wait_park_locked(vm, &l->waiters, &l->h, what, rwlock_finish);
        vm->park.first.send = write;
    }
    gs_spin_unlock(&l->lock);
    if (wait)
        return GS_PARK;
    return GS_OK;
}

static int rwlock_wait(struct gs_vm *vm, struct gs_rwlock *l, bool write, const char *what)
{
    bool got;
    int st = rwlock_take(vm, l, write, true, what, &got);
    if (st == GS_OK && !got)
        return gs_throw(vm, GS_ERR_LOCK, "rwlock %lld is already locked by this task", (long long)l->h.id);
    return st;
}

static int rwlock_rlock(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)ret;
    GS_LOCK_GET(gs_rwlock, GS_H_RWLOCK, "rlock");
    return rwlock_wait(vm, o, false, "rlock");
}

static int rwlock_lock(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)ret;
    GS_LOCK_GET(gs_rwlock, GS_H_RWLOCK, "lock");
    return rwlock_wait(vm, o, true, "lock");
}

static int rwlock_try(struct gs_vm *vm, gs_value *args, bool write, const char *what, gs_value *ret)
{
    struct gs_rwlock *l = (struct gs_rwlock *)gs_handle_check(vm, what, args[0], GS_H_RWLOCK);
    bool got;
    if (l == NULL)
        return GS_E_THROWN;
    int st = rwlock_take(vm, l, write, false, what, &got);
    if (st == GS_OK)
        *ret = gs_bool(got);
    return st;
}

static int rwlock_try_rlock(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    return rwlock_try(vm, args, false, "tryRLock", ret);
}

static int rwlock_try_lock(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    return rwlock_try(vm, args, true, "tryLock", ret);
}

/* A reader less, without the lock. False: nothing has happened. */
static bool leave_open(struct gs_rwlock *l)
{
    if (!leave(l))
        return false;
    if (GS_UNLIKELY(!is_open(l)))
        admit(l);
    return true;
}

static int rwlock_runlock(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)ret;
    GS_LOCK_GET(gs_rwlock, GS_H_RWLOCK, "runlock");
    if (leave_open(o))
        return GS_OK;
    gs_spin_lock(&o->lock);
    bool ok = leave_locked(o);
    admit_locked(o);
    gs_spin_unlock(&o->lock);
    if (!ok)
        return gs_throw(vm, GS_ERR_LOCK, "runlock of rwlock %lld, which nobody reads", (long long)o->h.id);
    return GS_OK;
}

static int rwlock_unlock(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)ret;
    GS_LOCK_GET(gs_rwlock, GS_H_RWLOCK, "unlock");
    gs_spin_lock(&o->lock);
    int64_t writer = o->writer;
    if (writer == gs_lock_me(vm)) {
        o->writer = 0;
        admit_locked(o);
    }
    gs_spin_unlock(&o->lock);
    if (writer == 0)
        return gs_throw(vm, GS_ERR_LOCK, "unlock of rwlock %lld, which is not locked", (long long)o->h.id);
    if (writer != gs_lock_me(vm))
        return gs_throw(vm, GS_ERR_LOCK, "unlock of rwlock %lld, which another task has locked", (long long)o->h.id);
    return GS_OK;
}

/* ---- from compiled code, while the lock is open ---- */

gs_value gs_c_try_rlock(struct gs_vm *vm, gs_value rwlock)
{
    struct gs_rwlock *l = (struct gs_rwlock *)gs_handle_quick(rwlock, GS_H_RWLOCK);
    bool owes = false;
    if (l == NULL || gs_taskobj_is_cancelled(vm) || !gs_load_rlx(&l->open)) /* enter looks again */
        return (gs_value){.tag = GS_C_DECLINED};
    if (GS_LIKELY(enter(l, &owes)))
        return gs_nil();
    gs_spin_lock(&l->lock);
    go_back_locked(l, owes);
    gs_spin_unlock(&l->lock);
    return (gs_value){.tag = GS_C_DECLINED};
}

gs_value gs_c_try_runlock(struct gs_vm *vm, gs_value rwlock)
{
    (void)vm;
    struct gs_rwlock *l = (struct gs_rwlock *)gs_handle_quick(rwlock, GS_H_RWLOCK);
    return l != NULL && leave_open(l) ? gs_nil() : (gs_value){.tag = GS_C_DECLINED};
}

static const struct gs_lib_entry rwlock_entries[] = {
    GS_FN("new", rwlock_new, 0, 0, 0),
    GS_FN_AS(RLOCK, "rlock", rwlock_rlock, 1, 1, 0),
    GS_FN_AS(RUNLOCK, "runlock", rwlock_runlock, 1, 1, 0),
    GS_FN("lock", rwlock_lock, 1, 1, 0),
    GS_FN("unlock", rwlock_unlock, 1, 1, 0),
    GS_FN("tryRLock", rwlock_try_rlock, 1, 1, 0),
    GS_FN("tryLock", rwlock_try_lock, 1, 1, 0),
};
GS_LIB_MODULE(gs_lib_thread_rwlock, "thread.rwlock", false, rwlock_entries);
