/* SPDX-License-Identifier: MIT
 * waitq.h - waiting: the one abortable wait queue under channels, locks, futures and everything else that parks a task.
 *
 * Waiter     One for each way a parked task can be woken through an object: select has several, all others one. It belongs to the parked VM.
 * Wait word  vm->park.word says who may wake the VM:
 *                IDLE -> WAITING            the VM itself, before it publishes any waiter
 *                WAITING -> WOKEN           an object, by gs_wait_claim; its winner alone then writes the outcome and calls gs_wait_wake once
 *                WAITING -> TIMEOUT         its timer, likewise
 *                WAITING -> CANCELLED       thread.core.cancel, likewise
 *                WAITING -> HELD -> WAITING | WOKEN   a select that must claim itself and its partner together (select.c); who finds HELD spins
 *                any reason -> IDLE         the VM, resumed, after its waiters have left their queues (gs_wait_end)
 *            Invariant: for each park exactly one party leaves WAITING for good, and that party calls gs_task_ready_mt exactly once.
 *            So a VM that has become WAITING returns GS_PARK, come what may, unless it wins its own word by gs_wait_claim: somebody else may be on the way to ready it.
 *            [W1] claim is a CAS (acq_rel); the outcome is written after it and read by the VM after task.h's [T1], which orders the two.
 * Queue      A doubly linked FIFO guarded by its object's spin lock. A timeout or cancel wins the word and leaves the waiters where they are; the VM unlinks them
 *            in gs_wait_end. A waker that pops a waiter and loses its claim forgets it and tries the next: the VM is being woken by somebody else.
 * Lifetime   The object a VM waits on is held by the VM's ledger (or the pin table) until after gs_wait_end.
 */
#ifndef GS_RUNTIME_WAITQ_H
#define GS_RUNTIME_WAITQ_H

#include "copy.h"
#include "sched.h"

enum gs_wait_word { GS_WAIT_IDLE, GS_WAIT_WAITING, GS_WAIT_HELD, GS_WAIT_WOKEN, GS_WAIT_TIMEOUT, GS_WAIT_CANCELLED };

struct gs_waitq {
    struct gs_spin *lock; /* of the object */
    struct gs_waiter *head; /* its prev is the tail */
};

/* Part of a VM that most tasks never need: timeouts and selects. Kept for the VM's life once made. */
struct gs_wait_ext {
    struct gs_timer timer;
    struct gs_vm *vm;
    struct gs_waiter *many; /* select, or waiting for several tasks: nmany waiters; the memory is kept for the next time */
    uint32_t many_cap;
    uint8_t many_on;        /* GS_H_CHAN or GS_H_TASK: what they wait on */
    uint32_t nmany;
    _Atomic uint32_t pending; /* waiting for all of several tasks: how many have not ended; taskobj.c */
    enum gs_wait_word reason; /* select: how it was decided */
};

/* ---- the parking side: the running VM ---- */

/* word = WAITING. Then enqueue waiters, then set vm->park.finish/what/obj and return GS_PARK. */
GS_INLINE void gs_wait_begin(struct gs_vm *vm);
/* Links w at the tail; q's lock is held. */
GS_INLINE void gs_waitq_push_locked(struct gs_waitq *q, struct gs_waiter *w);
/* Both of these for a wait on o, which may be NULL, with vm's own waiter: q's lock is held and stays so, and what else the waiter says is set after it. */
GS_INLINE void gs_wait_park_locked(struct gs_vm *vm, struct gs_waitq *q, struct gs_hobj *o, const char *what, int (*finish)(struct gs_vm *, gs_value *));
/* At the head: one that has waited before. */
void gs_waitq_push_front_locked(struct gs_waitq *q, struct gs_waiter *w);
/* For wakers that walk a queue themselves: w leaves it, its own VM sees that as the last thing. */
GS_INLINE void gs_waitq_pop_locked(struct gs_waitq *q, struct gs_waiter *w);
void gs_waitq_remove_locked(struct gs_waitq *q, struct gs_waiter *w);
/* Sets a timer that wakes with TIMEOUT; after gs_wait_begin. ms < 0: none. Else gs_wait_ext must have succeeded before (and before anything was published). */
void gs_wait_timeout(struct gs_vm *vm, int64_t ms);
/* The same with a point in time of gs_clock_mono_ns. */
void gs_wait_until(struct gs_vm *vm, int64_t when_ns);
/* The VM ends: drops what its waiter may still hold and the extension. */
void gs_wait_fini(struct gs_vm *vm);
/* First thing in vm->park.finish: stops the timer, takes the waiters out of their queues, word = IDLE; gives the reason. */
GS_INLINE enum gs_wait_word gs_wait_end(struct gs_vm *vm);
/* What the finish of a plain wait does: gs_wait_end; a cancel throws, a timeout gives on_time, and else it is got. */
int gs_wait_outcome(struct gs_vm *vm, gs_value on_time, gs_value got, gs_value *ret);
/* Out of memory with the outcome in hand: the VM is parked and woken at once, so that the interpreter collects and calls finish (again). Gives GS_PARK. */
int gs_wait_again(struct gs_vm *vm, int (*finish)(struct gs_vm *, gs_value *), const char *what, struct gs_hobj *obj);
int gs_throw_cancelled(struct gs_vm *vm);
struct gs_wait_ext *gs_wait_ext(struct gs_vm *vm); /* NULL when out */
/* Room for n waiters in the extension, which is there, not cleared; none is in use (nmany is 0) until the caller says so. False when out. */
bool gs_wait_many(struct gs_vm *vm, uint32_t n);
/* Drops the extension's waiters (out of all queues by now) with what their items hold. */
void gs_wait_drop_many(struct gs_vm *vm);

/* ---- the waking side: any thread ---- */

/* True: the caller now has the right and the duty to wake the VM. The VM must be kept from ending meanwhile: by the lock of a queue that one of its waiters is
 * in, or by the lock of its task object. */
GS_INLINE bool gs_wait_claim(struct gs_vm *vm, enum gs_wait_word reason);
/* One round of waiting for a word that is HELD. */
void gs_wait_pause(uint32_t *round);
/* After the outcome has been written. The VM may run, end and be freed at once: do not touch w afterwards. */
void gs_wait_wake(struct gs_waiter *w);
/* Pops waiters until one is claimed; NULL: none. q's lock is held. The caller writes the outcome, then gs_wait_wake (better after unlocking). */
GS_INLINE struct gs_waiter *gs_waitq_claim_first_locked(struct gs_waitq *q);
/* Claims and wakes all of them with ok as the outcome; q's lock is held. */
void gs_waitq_wake_all_locked(struct gs_waitq *q, bool ok);

/* ---- inline: what every message through a channel without a buffer does ---- */

GS_INLINE void gs_wait_begin(struct gs_vm *vm)
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
GS_INLINE void gs_waitq_link_locked(struct gs_waitq *q, struct gs_waiter *w)
{
    struct gs_waiter *head = q->head;
    w->prev = head != NULL ? head->prev : w;
    if (head != NULL)
        head->prev = w;
    gs_store_rlx(&w->q, q); /* under the lock */
}

GS_INLINE void gs_waitq_unlink_locked(struct gs_waitq *q, struct gs_waiter *w)
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

GS_INLINE void gs_waitq_push_locked(struct gs_waitq *q, struct gs_waiter *w)
{
    gs_waitq_link_locked(q, w);
    w->next = NULL;
    if (q->head != NULL)
        w->prev->next = w;
    else
        q->head = w;
}

GS_INLINE void gs_waitq_pop_locked(struct gs_waitq *q, struct gs_waiter *w)
{
    gs_waitq_unlink_locked(q, w);
    gs_store_rel(&w->q, NULL); /* [W2] last: from here on its VM may reuse it */
}

GS_INLINE void gs_wait_park_locked(struct gs_vm *vm, struct gs_waitq *q, struct gs_hobj *o, const char *what, int (*finish)(struct gs_vm *, gs_value *))
{
    gs_wait_begin(vm);
    vm->park.finish = finish;
    vm->park.what = what;
    vm->park.obj = o;
    gs_waitq_push_locked(q, &vm->park.first);
}

bool gs_wait_claim_again(struct gs_vm *vm, enum gs_wait_word reason, uint32_t seen); /* the word was `seen` */

GS_INLINE bool gs_wait_claim(struct gs_vm *vm, enum gs_wait_word reason)
{
    uint32_t seen = GS_WAIT_WAITING;
    return GS_LIKELY(gs_cas_acq_rel(&vm->park.word, &seen, (uint32_t)reason)) /* [W1] */ || gs_wait_claim_again(vm, reason, seen);
}

GS_INLINE struct gs_waiter *gs_waitq_claim_first_locked(struct gs_waitq *q)
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

void gs_wait_leave(struct gs_vm *vm); /* what gs_wait_end does when there is a timer, or a queue that still has a waiter */

GS_INLINE enum gs_wait_word gs_wait_end(struct gs_vm *vm)
{
    if (vm->park.ext != NULL || gs_load_acq(&vm->park.first.q) != NULL) /* [W2] pairs with the popper's last store */
        gs_wait_leave(vm);
    /* Nobody changes the word any more: everybody does only from WAITING, and who has done so is behind us by [T1]. */
    enum gs_wait_word why = (enum gs_wait_word)gs_load_rlx(&vm->park.word);
    gs_store_rlx(&vm->park.word, (uint32_t)GS_WAIT_IDLE);
    return why;
}

#endif
