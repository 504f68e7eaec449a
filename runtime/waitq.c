/* SPDX-License-Identifier: MIT
 * waitq.c - the abortable wait queue. Protocol: waitq.h.
 */
#include "waitq.h"

#include <sched.h>
#include <string.h>

#include "error.h"
#include "port/clock.h"
#include "port/mem.h"
#include "rt.h"
#include "taskobj.h"

#define MANY_KEPT 16u /* waiters: a kilobyte */

void gs_wait_begin(struct gs_vm *vm)
{
    struct gs_waiter *w = &vm->park.first;
    gs_parcel_drop(&w->item); /* left behind only when memory was out */
    w->vm = vm;
    gs_store_rlx(&w->q, NULL);
    w->ok = false;
    vm->park.winner = NULL;
    w->timed = false;
    gs_store_rlx(&vm->park.number, gs_load_rlx(&vm->park.number) + 1); /* published by the next store */
    /* [C1] before the light fence in cancel_parking (taskobj.c). Other wakers find the VM through a queue, whose lock publishes this. */
    gs_store_rlx(&vm->park.word, (uint32_t)GS_WAIT_WAITING);
}

/* Links w, with prev as the one before it in the ring that the prevs make. */
static void link_locked(struct gs_waitq *q, struct gs_waiter *w)
{
    struct gs_waiter *head = q->head;
    w->prev = head != NULL ? head->prev : w;
    if (head != NULL)
        head->prev = w;
    gs_store_rlx(&w->q, q); /* under the lock */
}

void gs_waitq_push_locked(struct gs_waitq *q, struct gs_waiter *w)
{
    link_locked(q, w);
    w->next = NULL;
    if (q->head != NULL)
        w->prev->next = w;
    else
        q->head = w;
}

void gs_waitq_push_front_locked(struct gs_waitq *q, struct gs_waiter *w)
{
    link_locked(q, w);
    w->next = q->head;
    q->head = w;
}

static void unlink_locked(struct gs_waitq *q, struct gs_waiter *w)
{
    struct gs_waiter *next = w->next;
    if (q->head == w)
        q->head = next;
    else
        w->prev->next = next;
    if (next != NULL)
        next->prev = w->prev;
    else if (q->head != NULL) /* it was the last one */
        q->head->prev = w->prev;
}

void gs_waitq_remove_locked(struct gs_waitq *q, struct gs_waiter *w)
{
    unlink_locked(q, w);
    gs_store_rlx(&w->q, NULL); /* under the lock, by its own VM */
}

void gs_waitq_pop_locked(struct gs_waitq *q, struct gs_waiter *w)
{
    unlink_locked(q, w);
    gs_store_rel(&w->q, NULL); /* [W2] last: from here on its VM may reuse it */
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

bool gs_wait_claim(struct gs_vm *vm, enum gs_wait_word reason)
{
    for (uint32_t round = 0;;) {
        uint32_t seen = GS_WAIT_WAITING;
        if (gs_cas_acq_rel(&vm->park.word, &seen, (uint32_t)reason)) /* [W1] */
            return true;
        if (seen != GS_WAIT_HELD)
            return false;
        gs_wait_pause(&round); /* a select is deciding */
    }
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

enum gs_wait_word gs_wait_end(struct gs_vm *vm)
{
    struct gs_wait_ext *e = vm->park.ext;
    if (e != NULL)
        (void)gs_timer_stop_mt(gs_rt.sched, &e->timer);
    unlink_own(&vm->park.first);
    if (e != NULL)
        for (uint32_t i = 0; i < e->nmany; i++)
            unlink_own(&e->many[i]);
    /* Nobody changes the word any more: everybody does only from WAITING, and who has done so is behind us by [T1]. */
    enum gs_wait_word why = (enum gs_wait_word)gs_load_rlx(&vm->park.word);
    gs_store_rlx(&vm->park.word, (uint32_t)GS_WAIT_IDLE);
    return why;
}

void gs_wait_wake(struct gs_waiter *w)
{
    struct gs_vm *vm = w->vm;
    vm->park.winner = w;
    gs_task_ready_mt(gs_rt.sched, &vm->task);
}

void gs_wait_park_locked(struct gs_vm *vm, struct gs_waitq *q, struct gs_hobj *o, const char *what, int (*finish)(struct gs_vm *, gs_value *))
{
    gs_wait_begin(vm);
    vm->park.finish = finish;
    vm->park.what = what;
    vm->park.obj = o;
    gs_waitq_push_locked(q, &vm->park.first);
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

struct gs_waiter *gs_waitq_claim_first_locked(struct gs_waitq *q)
{
    struct gs_waiter *w;
    while ((w = q->head) != NULL) {
        /* Claim before unlinking: once w->q is NULL and the VM is awake for another reason, w may be reused. While it is linked its VM cannot get
         * past gs_wait_end, which needs this lock. */
        bool mine = gs_wait_claim(w->vm, GS_WAIT_WOKEN);
        gs_waitq_pop_locked(q, w);
        if (mine)
            return w;
    }
    return NULL;
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
    if (n > 0)
        memset(e->many, 0, n * sizeof *e->many);
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
