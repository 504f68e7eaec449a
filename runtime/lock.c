/* SPDX-License-Identifier: MIT
 * lock.c - semaphore, waitgroup, once, barrier: library functions and their protocols. Contract: lock.h. Mutex and rwlock have files of their own.
 */
#include "lock_int.h"

/* ---- what mutex and rwlock, too, are made of ---- */

int gs_lock_finish_nil(struct gs_vm *vm, gs_value *ret)
{
    return gs_wait_outcome(vm, gs_nil(), gs_nil(), ret);
}

static int finish_bool(struct gs_vm *vm, gs_value *ret)
{
    return gs_wait_outcome(vm, gs_bool(false), gs_bool(true), ret);
}

int gs_lock_may_block(struct gs_vm *vm, int64_t ms)
{
    if (gs_vm_take_cancel(vm))
        return gs_throw_cancelled(vm);
    return ms > 0 && gs_wait_ext(vm) == NULL ? GS_E_NOMEM : GS_OK;
}

int gs_lock_adopt(struct gs_vm *vm, struct gs_hobj *o, enum gs_hkind k, gs_value *ret)
{
    if (o == NULL)
        return GS_E_NOMEM;
    gs_hobj_init(o, k);
    return (int)gs_handle_adopt(vm, o, ret);
}

int gs_lock_arg_ms(struct gs_vm *vm, const char *fn, gs_value *args, uint32_t i, int64_t *ms)
{
    int st = gs_arg_int(vm, fn, args, i, ms);
    if (st == GS_OK && *ms < 0)
        *ms = 0;
    return st;
}

/* ---- semaphore ---- */

static int semaphore_new(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    int64_t count;
    int st = gs_arg_int(vm, "new", args, 0, &count);
    if (st != GS_OK)
        return st;
    if (count < 0)
        return gs_throw(vm, GS_ERR_VALUE, "semaphore count must not be negative, got %lld", (long long)count);
    struct gs_semaphore *s = gs_mem_zalloc(sizeof *s);
    if (s != NULL) {
        s->waiters.lock = &s->lock;
        s->count = count;
    }
    return gs_lock_adopt(vm, (struct gs_hobj *)s, GS_H_SEMAPHORE, ret);
}

void gs_semaphore_drop(struct gs_hobj *h)
{
    gs_mem_free(h);
}

static int semaphore_take(struct gs_vm *vm, struct gs_semaphore *s, int64_t ms, const char *what, bool says, gs_value *ret)
{
    int st = gs_lock_may_block(vm, ms);
    if (st != GS_OK)
        return st;
    gs_spin_lock(&s->lock);
    bool got = s->count > 0;
    if (got)
        s->count--;
    bool wait = !got && ms != 0;
    if (wait)
        gs_wait_park_locked(vm, &s->waiters, &s->h, what, says ? finish_bool : gs_lock_finish_nil);
    gs_spin_unlock(&s->lock);
    if (wait) {
        gs_wait_timeout(vm, ms);
        return GS_PARK;
    }
    if (says)
        *ret = gs_bool(got);
    return GS_OK;
}

static int semaphore_acquire(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    GS_LOCK_GET(gs_semaphore, GS_H_SEMAPHORE, "acquire");
    return semaphore_take(vm, o, -1, "acquire", false, ret);
}

static int semaphore_try(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    GS_LOCK_GET(gs_semaphore, GS_H_SEMAPHORE, "tryAcquire");
    return semaphore_take(vm, o, 0, "tryAcquire", true, ret);
}

static int semaphore_timeout(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    GS_LOCK_GET(gs_semaphore, GS_H_SEMAPHORE, "acquireTimeout");
    int64_t ms;
    int st = gs_lock_arg_ms(vm, "acquireTimeout", args, 1, &ms);
    return st != GS_OK ? st : semaphore_take(vm, o, ms, "acquireTimeout", true, ret);
}

static int semaphore_release(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)ret;
    GS_LOCK_GET(gs_semaphore, GS_H_SEMAPHORE, "release");
    gs_spin_lock(&o->lock);
    bool full = o->count == INT64_MAX; /* then nobody waits */
    struct gs_waiter *w = gs_waitq_claim_first_locked(&o->waiters);
    if (w == NULL && !full)
        o->count++;
    gs_spin_unlock(&o->lock);
    if (full)
        return gs_throw(vm, GS_ERR_VALUE, "semaphore %lld is full", (long long)o->h.id);
    if (w != NULL)
        gs_wait_wake(w);
    return GS_OK;
}

static int semaphore_available(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    GS_LOCK_GET(gs_semaphore, GS_H_SEMAPHORE, "available");
    gs_spin_lock(&o->lock);
    *ret = gs_int(o->count);
    gs_spin_unlock(&o->lock);
    return GS_OK;
}

static const struct gs_lib_entry semaphore_entries[] = {
    GS_FN("new", semaphore_new, 1, 1, 0),
    GS_FN("acquire", semaphore_acquire, 1, 1, 0),
    GS_FN("release", semaphore_release, 1, 1, 0),
    GS_FN("tryAcquire", semaphore_try, 1, 1, 0),
    GS_FN("acquireTimeout", semaphore_timeout, 2, 2, 0),
    GS_FN("available", semaphore_available, 1, 1, 0),
};
GS_LIB_MODULE(gs_lib_thread_semaphore, "thread.semaphore", false, semaphore_entries);

/* ---- waitgroup ---- */

static int waitgroup_new(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    int64_t count = 0;
    int st = n > 0 ? gs_arg_int(vm, "new", args, 0, &count) : GS_OK;
    if (st != GS_OK)
        return st;
    if (count < 0)
        return gs_throw(vm, GS_ERR_VALUE, "waitgroup counter must not be negative, got %lld", (long long)count);
    struct gs_waitgroup *g = gs_mem_zalloc(sizeof *g);
    if (g != NULL) {
        g->waiters.lock = &g->lock;
        g->count = count;
    }
    return gs_lock_adopt(vm, (struct gs_hobj *)g, GS_H_WAITGROUP, ret);
}

void gs_waitgroup_drop(struct gs_hobj *h)
{
    gs_mem_free(h);
}

static int waitgroup_change(struct gs_vm *vm, struct gs_waitgroup *g, int64_t d)
{
    gs_spin_lock(&g->lock);
    int64_t now = 0;
    bool ok = !__builtin_add_overflow(g->count, d, &now) && now >= 0;
    if (ok) {
        g->count = now;
        if (now == 0)
            gs_waitq_wake_all_locked(&g->waiters, true);
    }
    gs_spin_unlock(&g->lock);
    return ok ? GS_OK : gs_throw(vm, GS_ERR_VALUE, "waitgroup counter would become negative");
}

static int waitgroup_add(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)ret;
    int64_t d = 1;
    int st = n > 1 ? gs_arg_int(vm, "add", args, 1, &d) : GS_OK;
    if (st != GS_OK)
        return st;
    GS_LOCK_GET(gs_waitgroup, GS_H_WAITGROUP, "add");
    return waitgroup_change(vm, o, d);
}

static int waitgroup_done(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)ret;
    GS_LOCK_GET(gs_waitgroup, GS_H_WAITGROUP, "done");
    return waitgroup_change(vm, o, -1);
}

static int waitgroup_wait(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)ret;
    GS_LOCK_GET(gs_waitgroup, GS_H_WAITGROUP, "wait");
    int st = gs_lock_may_block(vm, 0);
    if (st != GS_OK)
        return st;
    gs_spin_lock(&o->lock);
    bool wait = o->count > 0;
    if (wait)
        gs_wait_park_locked(vm, &o->waiters, &o->h, "wait", gs_lock_finish_nil);
    gs_spin_unlock(&o->lock);
    return wait ? GS_PARK : GS_OK;
}

static const struct gs_lib_entry waitgroup_entries[] = {
    GS_FN("new", waitgroup_new, 0, 1, 0),
    GS_FN("add", waitgroup_add, 1, 2, 0),
    GS_FN("done", waitgroup_done, 1, 1, 0),
    GS_FN("wait", waitgroup_wait, 1, 1, 0),
};
GS_LIB_MODULE(gs_lib_thread_waitgroup, "thread.waitgroup", false, waitgroup_entries);

/* ---- once: the prelude runs the function between enter and leave ---- */

static int once_new(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)args;
    (void)n;
    struct gs_once *o = gs_mem_zalloc(sizeof *o);
    if (o != NULL)
        o->waiters.lock = &o->lock;
    return gs_lock_adopt(vm, (struct gs_hobj *)o, GS_H_ONCE, ret);
}

void gs_once_drop(struct gs_hobj *h)
{
    gs_mem_free(h);
}

/* true: the caller runs the function now and leaves afterwards; false: somebody has run it. */
static int once_finish(struct gs_vm *vm, gs_value *ret)
{
    return gs_wait_outcome(vm, gs_nil(), gs_bool(false), ret);
}

static int once_enter(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    GS_LOCK_GET(gs_once, GS_H_ONCE, "do");
    int st = gs_lock_may_block(vm, 0);
    if (st != GS_OK)
        return st;
    gs_spin_lock(&o->lock);
    bool wait = o->state == 1, first = o->state == 0;
    if (first)
        o->state = 1;
    if (wait)
        gs_wait_park_locked(vm, &o->waiters, &o->h, "do", once_finish);
    gs_spin_unlock(&o->lock);
    *ret = gs_bool(first);
    return wait ? GS_PARK : GS_OK;
}

static int once_leave(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)ret;
    GS_LOCK_GET(gs_once, GS_H_ONCE, "do");
    gs_spin_lock(&o->lock);
    o->state = 2; /* also when it threw: Go's meaning */
    gs_waitq_wake_all_locked(&o->waiters, true);
    gs_spin_unlock(&o->lock);
    return GS_OK;
}

static const struct gs_lib_entry once_entries[] = {
    GS_FN("new", once_new, 0, 0, 0),
    GS_PRELUDE_FN("do", "onceDo"),
};
GS_LIB_MODULE(gs_lib_thread_once, "thread.once", false, once_entries);

/* ---- barrier ---- */

static int barrier_new(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    int64_t size;
    int st = gs_arg_int(vm, "new", args, 0, &size);
    if (st != GS_OK)
        return st;
    if (size < 1 || size > UINT32_MAX)
        return gs_throw(vm, GS_ERR_VALUE, "barrier size must be at least 1, got %lld", (long long)size);
    struct gs_barrier *b = gs_mem_zalloc(sizeof *b);
    if (b != NULL) {
        b->waiters.lock = &b->lock;
        b->size = (uint32_t)size;
    }
    return gs_lock_adopt(vm, (struct gs_hobj *)b, GS_H_BARRIER, ret);
}

void gs_barrier_drop(struct gs_hobj *h)
{
    gs_mem_free(h);
}

/* A cancelled waiter takes its arrival back: the barrier waits for another task in its place. */
static int barrier_finish(struct gs_vm *vm, gs_value *ret)
{
    struct gs_barrier *b = (struct gs_barrier *)vm->park.obj;
    int64_t order = (int64_t)vm->park.first.index, round = vm->park.first.item.v.i;
    int st = gs_wait_outcome(vm, gs_nil(), gs_int(order), ret);
    if (st != GS_OK) {
        gs_spin_lock(&b->lock);
        if (b->round == round) /* not opened meanwhile */
            b->arrived--;
        gs_spin_unlock(&b->lock);
    }
    return st;
}

/* Gives the order of arrival, from 0; the last one opens the barrier for all, and it may be used again. */
static int barrier_wait(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    GS_LOCK_GET(gs_barrier, GS_H_BARRIER, "wait");
    int st = gs_lock_may_block(vm, 0);
    if (st != GS_OK)
        return st;
    gs_spin_lock(&o->lock);
    uint32_t order = o->arrived++;
    bool last = o->arrived == o->size;
    if (last) {
        o->arrived = 0;
        o->round++;
        gs_waitq_wake_all_locked(&o->waiters, true);
    } else {
        gs_wait_park_locked(vm, &o->waiters, &o->h, "wait", barrier_finish);
        vm->park.first.index = order;
        vm->park.first.item.v = gs_int((int64_t)o->round);
    }
    gs_spin_unlock(&o->lock);
    *ret = gs_int((int64_t)order);
    return last ? GS_OK : GS_PARK;
}

static const struct gs_lib_entry barrier_entries[] = {
    GS_FN("new", barrier_new, 1, 1, 0),
    GS_FN("wait", barrier_wait, 1, 1, 0),
};
GS_LIB_MODULE(gs_lib_thread_barrier, "thread.barrier", false, barrier_entries);

static const struct gs_lib_entry intrinsic_entries[] = {
    GS_FN("onceEnter", once_enter, 1, 1, 0),
    GS_FN("onceLeave", once_leave, 1, 1, 0),
};
GS_LIB_MODULE(gs_lib_lock_intrinsics, "<intrinsic>", false, intrinsic_entries);
