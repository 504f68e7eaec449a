/* SPDX-License-Identifier: MIT
 * waitq.c - the abortable wait queue. Protocol: waitq.h.
 */
#include "waitq.h"

#include <sched.h>

#include "error.h"
#include "port/clock.h"
#include "port/mem.h"
#include "rt.h"
#include "taskobj.h"

#define MANY_KEPT 16u /* waiters: a kilobyte */

void gs_waitq_push_front_locked(struct gs_waitq *q, struct gs_waiter *w)
{
    gs_waitq_link_locked(q, w);
    w->next = q->head;
    q->head = w;
}

void gs_waitq_remove_locked(struct gs_waitq *q, struct gs_waiter *w)
{
    gs_waitq_unlink_locked(q, w);
    gs_store_rlx(&w->q, NULL); /* under the lock, by its own VM */
}

/* The VM takes its own waiter out. w->q is read without the lock: it goes from the queue to NULL only, by a popper; so NULL is final,
 * and a queue seen here is looked at again under its lock. */
static void unlink_own(struct gs_waiter *w)
{
    struct gs_waitq *q = gs_load_acq(&w->q); /* [W2] pairs with the popper's last store */
    if (q == NULL)
        return;
    gs_spin_lock(q->lock);
    if (gs_load_rlx(&w->q) != NULL)
        gs_waitq_remove_locked(q, w);
    gs_spin_unlock(q->lock);
}

struct gs_wait_ext *gs_wait_ext(struct gs_vm *vm)
{
    if (vm->park.ext == NULL) {
        vm->park.ext = gs_mem_zalloc(sizeof *vm->park.ext);
        if (vm->park.ext != NULL)
            vm->park.ext->vm = vm;
    }
    return vm->park.ext;
}

int gs_wait_again(struct gs_vm *vm, int (*finish)(struct gs_vm *, gs_value *), const char *what, struct gs_hobj *obj)
{
    gs_store_rlx(&vm->park.word, (uint32_t)GS_WAIT_WOKEN); /* nobody else knows of this wait */
    vm->park.finish = finish;
    vm->park.what = what;
    vm->park.obj = obj;
    gs_task_ready_mt(gs_rt.sched, &vm->task);
    return GS_PARK;
}

void gs_wait_pause(uint32_t *round)
{
    if (++*round % 64 == 0)
        sched_yield(); /* who holds it may have lost its processor */
    else
        gs_cpu_relax();
}

bool gs_wait_claim_again(struct gs_vm *vm, enum gs_wait_word reason, uint32_t seen)
{
    for (uint32_t round = 0; seen == GS_WAIT_HELD;) {
        gs_wait_pause(&round); /* a select is deciding */
        seen = GS_WAIT_WAITING;
        if (gs_cas_acq_rel(&vm->park.word, &seen, (uint32_t)reason)) /* [W1] */
            return true;
    }
    return false;
}

static void timer_fired(struct gs_timer *tm)
{
    struct gs_wait_ext *e = (struct gs_wait_ext *)tm; /* the timer is its first member */
    struct gs_vm *vm = e->vm;
    if (gs_wait_claim(vm, GS_WAIT_TIMEOUT))
        gs_task_ready_mt(gs_rt.sched, &vm->task);
}

void gs_wait_until(struct gs_vm *vm, int64_t when_ns)
{
    vm->park.first.timed = true;
    gs_timer_start_mt(gs_rt.sched, &vm->park.ext->timer, when_ns, timer_fired);
}

void gs_wait_timeout(struct gs_vm *vm, int64_t ms)
{
    if (ms < 0)
        return;
    int64_t now = gs_clock_mono_ns();
    gs_wait_until(vm, ms > (INT64_MAX - now) / 1000000 ? INT64_MAX : now + ms * 1000000);
}

void gs_wait_leave(struct gs_vm *vm)
{
    struct gs_wait_ext *e = vm->park.ext;
    if (e != NULL)
        (void)gs_timer_stop_mt(gs_rt.sched, &e->timer);
    unlink_own(&vm->park.first);
    if (e != NULL)
        for (uint32_t i = 0; i < e->nmany; i++)
            unlink_own(&e->many[i]);
}

void gs_wait_wake(struct gs_waiter *w)
{
    struct gs_vm *vm = w->vm;
    vm->park.winner = w;
    gs_task_ready_mt(gs_rt.sched, &vm->task);
}

int gs_wait_outcome(struct gs_vm *vm, gs_value on_time, gs_value got, gs_value *ret)
{
    switch (gs_wait_end(vm)) {
    case GS_WAIT_CANCELLED:
        (void)gs_vm_take_cancel(vm);
        return gs_throw_cancelled(vm);
    case GS_WAIT_TIMEOUT:
        *ret = on_time;
        return GS_OK;
    default:
        *ret = got;
        return GS_OK;
    }
}

void gs_waitq_wake_all_locked(struct gs_waitq *q, bool ok)
{
    struct gs_waiter *w;
    while ((w = gs_waitq_claim_first_locked(q)) != NULL) {
        w->ok = ok;
        gs_wait_wake(w);
    }
}

bool gs_wait_many(struct gs_vm *vm, uint32_t n)
{
    struct gs_wait_ext *e = vm->park.ext;
    gs_wait_drop_many(vm); /* left behind only when memory was out */
    if (n > e->many_cap) {
        struct gs_waiter *w = gs_mem_realloc(e->many, n * sizeof *w);
        if (w == NULL)
            return false;
        e->many = w;
        e->many_cap = n;
    }
    return true;
}

static void free_many(struct gs_wait_ext *e)
{
    gs_mem_free(e->many);
    e->many = NULL;
    e->many_cap = 0;
}

void gs_wait_drop_many(struct gs_vm *vm)
{
    struct gs_wait_ext *e = vm->park.ext;
    for (uint32_t i = 0; i < e->nmany; i++)
        gs_parcel_drop(&e->many[i].item);
    e->nmany = 0;
    if (e->many_cap > MANY_KEPT)
        free_many(e);
}

void gs_wait_fini(struct gs_vm *vm)
{
    gs_parcel_drop(&vm->park.first.item);
    if (vm->park.ext == NULL)
        return;
    gs_wait_drop_many(vm);
    free_many(vm->park.ext);
    gs_mem_free(vm->park.ext);
    vm->park.ext = NULL;
}

int gs_throw_cancelled(struct gs_vm *vm)
{
    return gs_throw(vm, GS_ERR_CANCELLED, "task was cancelled");
}
