/* SPDX-License-Identifier: MIT
 * chan.h - channels between tasks, and select over several.
 *
 * Semantics  LANGUAGE section 8. Capacity 0 is a rendezvous: the value goes straight over. A channel holds parcels (copy.h), so values are copied when they are sent.
 * Order      Values of one sender arrive in the order sent; waiting senders and receivers are served first come, first served.
 * Locks      Two, so that a sender and a receiver on two cores share no line as long as nobody waits (Michael and Scott's two-lock queue, 1996): in is held by who adds to the buffer, out
 *            by who takes from it. Who waits, wakes, closes, grows the buffer or looks at both ends holds both, in before out. Without a buffer there is in alone. Under in alone one may see
 *            that no receiver waits, under out alone that no sender does: nobody starts to wait without both.
 * Counts     [N1] added and taken count values ever added and taken. The adder stores added (release) behind the value, the taker loads it (acquire) before it; the taker stores
 *            taken (release) when it has read the value, the adder loads it (acquire) before it writes over the place. Each side keeps what it saw last.
 * Invariant  At most one of the two wait queues has live waiters. A receiver waits only while the buffer is empty and no sender waits; a sender waits only while the
 *            buffer is full and no receiver waits. Once closed nobody starts to wait.
 */
#ifndef GS_RUNTIME_CHAN_H
#define GS_RUNTIME_CHAN_H

#include <stddef.h>

#include "waitq.h"

#define GS_CHAN_LINE 64

struct gs_chan {
    struct gs_hobj h;
    uint32_t cap;    /* constant; 0: no buffer */
    uint32_t ringcap; /* these three are written under both locks */
    struct gs_parcel *ring; /* grown up to cap as needed */
    _Atomic bool closed; /* written under both locks */
    _Alignas(GS_CHAN_LINE) struct gs_spin in;
    uint32_t in_at;          /* place of the next value */
    _Atomic uint64_t added;
    uint64_t taken_seen;     /* under in */
    struct gs_waitq receivers; /* its lock is in */
    _Alignas(GS_CHAN_LINE) struct gs_spin out;
    uint32_t out_at;         /* place of the oldest value */
    _Atomic uint64_t taken;
    uint64_t added_seen;     /* under out */
    struct gs_waitq senders; /* its lock is out, or in when there is no buffer */
};

/* Both locks. */
static inline void gs_chan_lock(struct gs_chan *c)
{
    gs_spin_lock(&c->in);
    if (c->cap != 0)
        gs_spin_lock(&c->out);
}
static inline void gs_chan_unlock(struct gs_chan *c)
{
    if (c->cap != 0)
        gs_spin_unlock(&c->out);
    gs_spin_unlock(&c->in);
}
/* Values in the buffer; both locks are held. */
static inline uint32_t gs_chan_len_locked(struct gs_chan *c)
{
    return (uint32_t)(gs_load_rlx(&c->added) - gs_load_rlx(&c->taken)); /* under the locks */
}

/* Whose queue of senders or receivers q is. */
static inline struct gs_chan *gs_chan_of(struct gs_waitq *q, bool senders)
{
    return (struct gs_chan *)(void *)((char *)q - (senders ? offsetof(struct gs_chan, senders) : offsetof(struct gs_chan, receivers)));
}

struct gs_chan *gs_chan_new(uint32_t cap); /* one share, the caller's; NULL when out */

/* All of these are run by the task on its own VM and give what a library function gives (lib.h). ms < 0: for ever; 0: do not wait. */

/* *ret = true. A timeout gives false. Closed: ChannelClosed. */
int gs_chan_send(struct gs_vm *vm, struct gs_chan *c, gs_value v, int64_t ms, const char *what, gs_value *ret);
/* *ret = the value; nil once closed and drained, or at the timeout. */
int gs_chan_recv(struct gs_vm *vm, struct gs_chan *c, int64_t ms, const char *what, gs_value *ret);
/* For `for x in ch`: as recv, but the end of the channel is *ret = UNSET (so that nil values get through). */
int gs_chan_next(struct gs_vm *vm, struct gs_chan *c, gs_value *ret);
/* True the first time. Waiting receivers get nil, waiting senders ChannelClosed. */
bool gs_chan_close(struct gs_chan *c);

/* select(cases[, ms]): cases is an array of [ch] (receive) and [ch, v] (send). *ret = {index, value, ok}, or nil at the timeout. Fair among the ready ones. */
int gs_chan_select(struct gs_vm *vm, struct gs_array *cases, int64_t ms, gs_value *ret);

#endif
