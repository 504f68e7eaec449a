/* SPDX-License-Identifier: MIT
 * chan.c - channels. Contract and invariant: chan.h; waking protocol: waitq.h.
 *
 * Design     A ring and two wait queues under one spin lock that is held for a few dozen instructions; packing and opening of values (which allocate and may be long)
 *            happen outside it. A sender packs first, then takes the lock: to a waiting receiver the parcel goes straight over, else into the ring, else the
 *            sender waits with its parcel in its waiter, and a receiver that finds room moves it on.
 * Parcels    Each parcel has one owner at any time: the sender until it has been handed over, then the ring or the receiver's waiter. A waiter that is not served (timeout,
 *            close, cancel) still owns its parcel and drops it in finish.
 */
#include "chan_int.h"

#include <string.h>

#include "compiled.h"
#include "error.h"
#include "lib.h"
#include "port/mem.h"
#include "taskobj.h"

struct gs_chan *gs_chan_new(uint32_t cap)
{
    struct gs_chan *c = gs_mem_zalloc(sizeof *c);
    if (c == NULL)
        return NULL;
    gs_hobj_init(&c->h, GS_H_CHAN);
    c->cap = cap;
    c->senders.lock = c->receivers.lock = &c->lock;
    return c;
}

static struct gs_parcel ring_pop(struct gs_chan *c)
{
    struct gs_parcel p = c->ring[c->head];
    c->head = c->head + 1 == c->ringcap ? 0 : c->head + 1;
    c->len--;
    return p;
}

void gs_chan_drop(struct gs_hobj *h)
{
    struct gs_chan *c = (struct gs_chan *)h; /* nobody waits: a waiter's VM holds a share */
    while (c->len > 0) {
        struct gs_parcel p = ring_pop(c);
        gs_parcel_drop(&p);
    }
    gs_mem_free(c->ring);
    gs_mem_free(c);
}

/* Room for one value more in the ring, whose storage grows with what is really queued: a channel of a million slots that holds three costs little. False: out of memory. */
static bool ring_reserve_locked(struct gs_chan *c)
{
    if (c->len < c->ringcap)
        return true;
    uint32_t cap = c->ringcap == 0 ? 8 : c->ringcap * 2;
    if (cap > c->cap || cap < c->ringcap)
        cap = c->cap;
    struct gs_parcel *r = gs_mem_alloc(cap * sizeof *r);
    if (r == NULL)
        return false;
    uint32_t first = c->ringcap - c->head;
    if (c->len > 0) {
        memcpy(r, c->ring + c->head, first * sizeof *r);
        memcpy(r + first, c->ring, c->head * sizeof *r);
    }
    gs_mem_free(c->ring);
    c->ring = r;
    c->ringcap = cap;
    c->head = 0;
    return true;
}

static void ring_push_locked(struct gs_chan *c, struct gs_parcel p)
{
    uint32_t at = c->head + c->len;
    c->ring[at >= c->ringcap ? at - c->ringcap : at] = p;
    c->len++;
}

static struct gs_waiter *claim_plain(struct gs_waitq *q, void *ctx, bool *busy)
{
    (void)ctx;
    (void)busy;
    return gs_waitq_claim_first_locked(q);
}

enum gs_offer gs_chan_offer_locked(struct gs_chan *c, struct gs_parcel *p, struct gs_waiter **wake, gs_chan_claim_fn claim, void *ctx)
{
    bool busy = false;
    *wake = NULL;
    if (c->closed)
        return GS_OFFER_CLOSED;
    struct gs_waiter *w = claim(&c->receivers, ctx, &busy);
    if (w != NULL) {
        w->item = *p;
        w->ok = true;
        *wake = w;
        return GS_OFFER_DONE;
    }
    if (busy)
        return GS_OFFER_BUSY;
    if (c->len == c->cap)
        return GS_OFFER_WAIT;
    if (!ring_reserve_locked(c))
        return GS_OFFER_NOMEM;
    ring_push_locked(c, *p);
    return GS_OFFER_DONE;
}

enum gs_offer gs_chan_poll_locked(struct gs_chan *c, struct gs_parcel *p, struct gs_waiter **wake, gs_chan_claim_fn claim, void *ctx)
{
    bool busy = false;
    *wake = NULL;
    struct gs_waiter *w = claim(&c->senders, ctx, &busy);
    if (busy)
        return GS_OFFER_BUSY;
    if (c->len > 0) {
        *p = ring_pop(c);
        if (w != NULL) /* its value takes the place that has become free */
            ring_push_locked(c, w->item);
    } else if (w != NULL) {
        *p = w->item;
    } else {
        return c->closed ? GS_OFFER_CLOSED : GS_OFFER_WAIT;
    }
    if (w != NULL) {
        w->item = (struct gs_parcel){0};
        w->ok = true;
        *wake = w;
    }
    return GS_OFFER_DONE;
}

int gs_chan_throw_closed(struct gs_vm *vm, const char *what)
{
    return gs_throw(vm, GS_ERR_CLOSED, "%s on a closed channel", what);
}

/* ---- send ---- */

static int send_finish(struct gs_vm *vm, gs_value *ret)
{
    struct gs_waiter *w = &vm->park.first;
    enum gs_wait_word why = gs_wait_end(vm);
    bool sent = why == GS_WAIT_WOKEN && w->ok;
    gs_parcel_drop(&w->item); /* nil when it has been taken */
    if (why == GS_WAIT_CANCELLED) {
        (void)gs_vm_take_cancel(vm);
        return gs_throw_cancelled(vm);
    }
    if (why == GS_WAIT_WOKEN && !sent)
        return gs_chan_throw_closed(vm, vm->park.what);
    *ret = gs_bool(sent);
    return GS_OK;
}

int gs_chan_send(struct gs_vm *vm, struct gs_chan *c, gs_value v, int64_t ms, const char *what, gs_value *ret)
{
    if (gs_vm_take_cancel(vm))
        return gs_throw_cancelled(vm);
    if (ms > 0 && gs_wait_ext(vm) == NULL)
        return GS_E_NOMEM;
    struct gs_parcel p;
    if (gs_parcel_pack(vm, v, &p) != GS_OK)
        return GS_E_NOMEM;
    struct gs_waiter *wake;
    gs_spin_lock(&c->lock);
    enum gs_offer o = gs_chan_offer_locked(c, &p, &wake, claim_plain, NULL);
    if (o == GS_OFFER_WAIT && ms != 0) {
        gs_wait_begin(vm);
        vm->park.finish = send_finish;
        vm->park.what = what;
        vm->park.obj = &c->h;
        vm->park.first.item = p;
        vm->park.first.send = true;
        gs_waitq_push_locked(&c->senders, &vm->park.first);
        gs_spin_unlock(&c->lock);
        gs_wait_timeout(vm, ms);
        return GS_PARK;
    }
    gs_spin_unlock(&c->lock);
    if (wake != NULL)
        gs_wait_wake(wake);
    if (o != GS_OFFER_DONE)
        gs_parcel_drop(&p);
    if (o == GS_OFFER_NOMEM)
        return GS_E_NOMEM;
    if (o == GS_OFFER_CLOSED)
        return gs_chan_throw_closed(vm, what);
    *ret = gs_bool(o == GS_OFFER_DONE);
    return GS_OK;
}

/* ---- receive ---- */

static int recv_outcome(struct gs_vm *vm, gs_value end, gs_value *ret)
{
    struct gs_waiter *w = &vm->park.first;
    /* After a failed allocation this runs again: the word is IDLE then, the reason kept, and the item still there. */
    if (gs_load_rlx(&vm->park.word) != GS_WAIT_IDLE)
        w->index = (uint32_t)gs_wait_end(vm);
    if (w->index == GS_WAIT_CANCELLED) {
        (void)gs_vm_take_cancel(vm);
        return gs_throw_cancelled(vm);
    }
    if (w->index == GS_WAIT_TIMEOUT) {
        *ret = gs_nil();
        return GS_OK;
    }
    if (!w->ok) {
        *ret = end;
        return GS_OK;
    }
    return (int)gs_parcel_take(vm, &w->item, ret);
}

static int recv_finish(struct gs_vm *vm, gs_value *ret)
{
    return recv_outcome(vm, gs_nil(), ret);
}

static int next_finish(struct gs_vm *vm, gs_value *ret)
{
    return recv_outcome(vm, gs_unset(), ret);
}

static int receive(struct gs_vm *vm, struct gs_chan *c, int64_t ms, const char *what, int (*finish)(struct gs_vm *, gs_value *),
                   gs_value end, gs_value *ret)
{
    if (gs_vm_take_cancel(vm))
        return gs_throw_cancelled(vm);
    if (ms > 0 && gs_wait_ext(vm) == NULL)
        return GS_E_NOMEM;
    struct gs_parcel p = {0};
    struct gs_waiter *wake;
    gs_spin_lock(&c->lock);
    enum gs_offer o = gs_chan_poll_locked(c, &p, &wake, claim_plain, NULL);
    if (o == GS_OFFER_WAIT && ms != 0) {
        gs_wait_begin(vm);
        vm->park.finish = finish;
        vm->park.what = what;
        vm->park.obj = &c->h;
        vm->park.first.item = (struct gs_parcel){0};
        vm->park.first.send = false;
        gs_waitq_push_locked(&c->receivers, &vm->park.first);
        gs_spin_unlock(&c->lock);
        gs_wait_timeout(vm, ms);
        return GS_PARK;
    }
    gs_spin_unlock(&c->lock);
    if (wake != NULL)
        gs_wait_wake(wake);
    if (o == GS_OFFER_DONE) {
        if (gs_parcel_take(vm, &p, ret) == GS_OK)
            return GS_OK;
        vm->park.first.vm = vm;
        vm->park.first.item = p;
        vm->park.first.ok = true;
        return gs_wait_again(vm, finish, what, &c->h);
    }
    *ret = o == GS_OFFER_CLOSED ? end : gs_nil();
    return GS_OK;
}

int gs_chan_recv(struct gs_vm *vm, struct gs_chan *c, int64_t ms, const char *what, gs_value *ret)
{
    return receive(vm, c, ms, what, recv_finish, gs_nil(), ret);
}

int gs_chan_next(struct gs_vm *vm, struct gs_chan *c, gs_value *ret)
{
    return receive(vm, c, -1, "for over a channel", next_finish, gs_unset(), ret);
}

/* ---- from compiled code, when nobody has to wait, be woken or copy ---- */

/* The channel, unless there is something that only the natives do. A rendezvous always has to do with another task. */
static struct gs_chan *quick(const struct gs_vm *vm, gs_value v)
{
    struct gs_chan *c = (struct gs_chan *)gs_handle_quick(v, GS_H_CHAN);
    return c != NULL && c->cap != 0 && !gs_taskobj_is_cancelled(vm) ? c : NULL; /* cap: constant */
}

static bool is_number(gs_value v)
{
    return v.tag <= GS_T_FLOAT; /* or nil or a bool: stands for itself, and nothing is held by it */
}

static const gs_value declined = {.tag = GS_C_DECLINED};

gs_value gs_c_try_send(struct gs_vm *vm, gs_value chan, gs_value v)
{
    struct gs_chan *c = quick(vm, chan);
    if (c == NULL || !is_number(v))
        return declined;
    gs_spin_lock(&c->lock);
    bool room = c->len < c->ringcap && !c->closed && c->receivers.head == NULL;
    if (room)
        ring_push_locked(c, (struct gs_parcel){.v = v});
    gs_spin_unlock(&c->lock);
    return room ? gs_bool(true) : declined;
}

gs_value gs_c_try_recv(struct gs_vm *vm, gs_value chan)
{
    struct gs_chan *c = quick(vm, chan);
    if (c == NULL)
        return declined;
    gs_value v = declined;
    gs_spin_lock(&c->lock);
    if (c->len > 0 && c->senders.head == NULL && is_number(c->ring[c->head].v) && c->ring[c->head].frag == NULL)
        v = ring_pop(c).v;
    gs_spin_unlock(&c->lock);
    return v;
}

bool gs_chan_close(struct gs_chan *c)
{
    gs_spin_lock(&c->lock);
    bool first = !c->closed;
    c->closed = true;
    if (first) {
        gs_waitq_wake_all_locked(&c->receivers, false);
        gs_waitq_wake_all_locked(&c->senders, false);
    }
    gs_spin_unlock(&c->lock);
    return first;
}
