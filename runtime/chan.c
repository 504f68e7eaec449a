/* SPDX-License-Identifier: MIT
 * chan.c - channels. Contract and invariant: chan.h; waking protocol: waitq.h.
 *
 * Design     A ring and two wait queues under spin locks that are held for a few dozen instructions; packing and opening of values (which allocate and may be long)
 *            happen outside. A sender packs first, then looks whether there is room and nobody waits (try_add, one lock). If not it takes both locks: to a waiting receiver the parcel
 *            goes straight over, else into the ring, else the sender waits with its parcel in its waiter, and a receiver that finds room moves it on. Receivers likewise.
 *            A plain value (gs_value_is_plain) goes through the buffer in registers: one locked instruction to send and one to receive, 23 ns for both (bench_sync chan; 44 when parcels
 *            were copied in memory, see value.h, Words).
 *            What every rendezvous does (offer, poll, claim, the queue) is inlined into send and receive: ping_pong 0.84, ring 0.88, prime_sieve 0.85 of the time that calls took.
 * Rejected   One lock: with four senders and four receivers on two workers its line went to and fro for each message (bench mpmc_4x4 with waiters that back off: 0.72 s, two locks 0.61). Cells taken by
 *            fetch-and-add need two atomic operations a message where nobody contends, and a third against lost waiters.
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
    struct gs_chan *c = gs_mem_alloc_aligned(sizeof *c, GS_CHAN_LINE);
    if (c == NULL)
        return NULL;
    memset(c, 0, sizeof *c);
    gs_hobj_init(&c->h, GS_H_CHAN);
    c->cap = cap;
    c->receivers.lock = &c->in;
    c->senders.lock = cap != 0 ? &c->out : &c->in;
    return c;
}

static bool has_room(struct gs_chan *c)
{
    uint64_t added = gs_load_rlx(&c->added); /* in is held */
    if (GS_UNLIKELY(added - c->taken_seen >= c->ringcap))
        c->taken_seen = gs_load_acq(&c->taken); /* [N1] */
    return added - c->taken_seen < c->ringcap;
}

static bool has_values(struct gs_chan *c)
{
    uint64_t taken = gs_load_rlx(&c->taken); /* out is held */
    if (GS_UNLIKELY(taken >= c->added_seen)) /* or beyond: who holds both locks does not look at it */
        c->added_seen = gs_load_acq(&c->added); /* [N1] */
    return taken < c->added_seen;
}

/* Sends p (in registers: see value.h, Words) when nobody has to be woken and nothing to be grown. */
static inline bool try_add(struct gs_chan *c, struct gs_parcel p)
{
    gs_spin_lock(&c->in);
    bool ok = !gs_load_rlx(&c->closed) && /* under in */ c->receivers.head == NULL && has_room(c);
    if (GS_LIKELY(ok))
        gs_chan_add_locked(c, p);
    gs_spin_unlock(&c->in);
    return ok;
}

/* Receives a plain value when nobody waits to send; else UNSET. */
static inline gs_value try_take_plain(struct gs_chan *c)
{
    gs_value v = gs_unset();
    gs_spin_lock(&c->out);
    if (GS_LIKELY(c->senders.head == NULL && has_values(c))) {
        const struct gs_parcel *p = &c->ring[c->out_at];
        gs_value first = gs_value_words(&p->v);
        if (GS_LIKELY(gs_value_is_plain(first))) {
            v = first;
            gs_chan_taken_one(c);
        }
    }
    gs_spin_unlock(&c->out);
    return v;
}

/* Receives when nobody waits to send. */
bool gs_chan_try_take(struct gs_chan *c, struct gs_parcel *p)
{
    gs_spin_lock(&c->out);
    bool ok = c->senders.head == NULL && has_values(c);
    if (ok)
        *p = gs_chan_take_locked(c);
    gs_spin_unlock(&c->out);
    return ok;
}

void gs_chan_drop(struct gs_hobj *h)
{
    struct gs_chan *c = (struct gs_chan *)h; /* nobody waits: a waiter's VM holds a share */
    while (gs_chan_len_locked(c) > 0) {
        struct gs_parcel p = gs_chan_take_locked(c);
        gs_parcel_drop(&p);
    }
    gs_mem_free(c->ring);
    gs_mem_free(c);
}

/* The storage grows with what is really queued: a channel of a million slots that holds three costs little. */
bool gs_chan_reserve_locked(struct gs_chan *c)
{
    uint32_t len = gs_chan_len_locked(c);
    if (len < c->ringcap)
        return true;
    uint32_t cap = c->ringcap == 0 ? 8 : c->ringcap * 2;
    if (cap > c->cap || cap < c->ringcap)
        cap = c->cap;
    struct gs_parcel *r = gs_mem_alloc(cap * sizeof *r);
    if (r == NULL)
        return false;
    uint32_t first = c->ringcap - c->out_at;
    if (len > 0) { /* it is full */
        memcpy(r, c->ring + c->out_at, first * sizeof *r);
        memcpy(r + first, c->ring, c->out_at * sizeof *r);
    }
    gs_mem_free(c->ring);
    c->ring = r;
    c->ringcap = cap;
    c->out_at = 0;
    c->in_at = len;
    return true;
}

static inline struct gs_waiter *claim_plain(struct gs_waitq *q, void *ctx, bool *busy)
{
    (void)ctx;
    (void)busy;
    return gs_waitq_claim_first_locked(q);
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

/* With all that may come between: packing, growing, waking, waiting. */
static GS_NOINLINE int send_slow(struct gs_vm *vm, struct gs_chan *c, gs_value v, int64_t ms, const char *what, gs_value *ret)
{
    if (gs_vm_take_cancel(vm))
        return gs_throw_cancelled(vm);
    if (ms > 0 && gs_wait_ext(vm) == NULL)
        return GS_E_NOMEM;
    struct gs_parcel p;
    if (gs_parcel_pack(vm, v, &p) != GS_OK)
        return GS_E_NOMEM;
    if (c->cap != 0 && !gs_value_is_plain(v) && try_add(c, p)) {
        *ret = gs_bool(true);
        return GS_OK;
    }
    struct gs_waiter *wake;
    gs_chan_lock(c);
    enum gs_offer o = gs_chan_offer_locked(c, &p, &wake, claim_plain, NULL);
    if (o == GS_OFFER_WAIT && ms != 0) {
        gs_wait_park_locked(vm, &c->senders, &c->h, what, send_finish);
        vm->park.first.item = gs_parcel_words(&p);
        vm->park.first.send = true;
        gs_chan_unlock(c);
        gs_wait_timeout(vm, ms);
        return GS_PARK;
    }
    gs_chan_unlock(c);
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

int gs_chan_send(struct gs_vm *vm, struct gs_chan *c, gs_value v, int64_t ms, const char *what, gs_value *ret)
{
    if (GS_LIKELY(c->cap != 0 && gs_value_is_plain(v) && !gs_taskobj_is_cancelled(vm) && try_add(c, (struct gs_parcel){v}))) {
        *ret = gs_bool(true);
        return GS_OK;
    }
    return send_slow(vm, c, v, ms, what, ret);
}

/* ---- receive ---- */

/* What a closed channel gives: nil, or to a loop the end. */
static gs_value closed_value(bool loop)
{
    return loop ? gs_unset() : gs_nil();
}

static int recv_outcome(struct gs_vm *vm, bool loop, gs_value *ret)
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
        *ret = closed_value(loop);
        return GS_OK;
    }
    return (int)gs_parcel_take(vm, &w->item, ret);
}

static int recv_finish(struct gs_vm *vm, gs_value *ret)
{
    return recv_outcome(vm, false, ret);
}

static int next_finish(struct gs_vm *vm, gs_value *ret)
{
    return recv_outcome(vm, true, ret);
}

static GS_NOINLINE int receive_slow(struct gs_vm *vm, struct gs_chan *c, int64_t ms, const char *what, bool loop, gs_value *ret)
{
    int (*finish)(struct gs_vm *, gs_value *) = loop ? next_finish : recv_finish;
    if (gs_vm_take_cancel(vm))
        return gs_throw_cancelled(vm);
    if (ms > 0 && gs_wait_ext(vm) == NULL)
        return GS_E_NOMEM;
    struct gs_parcel p = {0};
    struct gs_waiter *wake = NULL;
    enum gs_offer o = GS_OFFER_DONE;
    if (c->cap != 0 && gs_chan_try_take(c, &p))
        goto got;
    gs_chan_lock(c);
    o = gs_chan_poll_locked(c, &p, &wake, claim_plain, NULL);
    if (o == GS_OFFER_WAIT && ms != 0) {
        gs_wait_park_locked(vm, &c->receivers, &c->h, what, finish);
        vm->park.first.item = (struct gs_parcel){0};
        vm->park.first.send = false;
        gs_chan_unlock(c);
        gs_wait_timeout(vm, ms);
        return GS_PARK;
    }
    gs_chan_unlock(c);
    if (wake != NULL)
        gs_wait_wake(wake);
got:
    if (o == GS_OFFER_DONE) {
        if (gs_parcel_take(vm, &p, ret) == GS_OK)
            return GS_OK;
        vm->park.first.vm = vm;
        vm->park.first.item = p;
        vm->park.first.ok = true;
        return gs_wait_again(vm, finish, what, &c->h);
    }
    *ret = closed_value(loop && o == GS_OFFER_CLOSED);
    return GS_OK;
}

static inline int receive(struct gs_vm *vm, struct gs_chan *c, int64_t ms, const char *what, bool loop, gs_value *ret)
{
    if (GS_LIKELY(c->cap != 0 && !gs_taskobj_is_cancelled(vm))) {
        gs_value v = try_take_plain(c);
        if (GS_LIKELY(!gs_is(v, GS_T_UNSET))) {
            *ret = v;
            return GS_OK;
        }
    }
    return receive_slow(vm, c, ms, what, loop, ret);
}

int gs_chan_recv(struct gs_vm *vm, struct gs_chan *c, int64_t ms, const char *what, gs_value *ret)
{
    return receive(vm, c, ms, what, false, ret);
}

int gs_chan_next(struct gs_vm *vm, struct gs_chan *c, gs_value *ret)
{
    return receive(vm, c, -1, "for over a channel", true, ret);
}

/* ---- from compiled code, when nobody has to wait, be woken or copy ---- */

/* The channel, unless there is something that only the natives do. A rendezvous always has to do with another task. */
static struct gs_chan *quick(const struct gs_vm *vm, gs_value v)
{
    struct gs_chan *c = (struct gs_chan *)gs_handle_quick(v, GS_H_CHAN);
    return c != NULL && c->cap != 0 && !gs_taskobj_is_cancelled(vm) ? c : NULL; /* cap: constant */
}

static const gs_value declined = {.tag = GS_C_DECLINED};

gs_value gs_c_try_send(struct gs_vm *vm, gs_value chan, gs_value v)
{
    struct gs_chan *c = quick(vm, chan);
    bool sent = c != NULL && gs_value_is_plain(v) && try_add(c, (struct gs_parcel){v});
    return sent ? gs_bool(true) : declined;
}

gs_value gs_c_try_recv(struct gs_vm *vm, gs_value chan)
{
    struct gs_chan *c = quick(vm, chan);
    gs_value v = c != NULL ? try_take_plain(c) : gs_unset();
    return gs_is(v, GS_T_UNSET) ? declined : v;
}

bool gs_chan_close(struct gs_chan *c)
{
    gs_chan_lock(c);
    bool first = !gs_load_rlx(&c->closed); /* under the locks */
    gs_store_rlx(&c->closed, true);
    if (first) {
        gs_waitq_wake_all_locked(&c->receivers, false);
        gs_waitq_wake_all_locked(&c->senders, false);
    }
    gs_chan_unlock(c);
    return first;
}
