/* SPDX-License-Identifier: MIT
 * chan.h - channels between tasks, and select over several.
 *
 * Semantics  LANGUAGE section 8. Capacity 0 is a rendezvous: the value goes straight over. A channel holds parcels (copy.h), so values are copied when they are sent.
 * Order      Values of one sender arrive in the order sent; waiting senders and receivers are served first come, first served.
 * Invariant  At most one of the two wait queues has live waiters. A receiver waits only while the buffer is empty and no sender waits; a sender waits only while the
 *            buffer is full and no receiver waits. Once closed nobody starts to wait.
 */
#ifndef GS_RUNTIME_CHAN_H
#define GS_RUNTIME_CHAN_H

#include <stddef.h>

#include "waitq.h"

struct gs_chan {
    struct gs_hobj h;
    struct gs_spin lock; /* guards everything below */
    bool closed;
    uint32_t cap, len;   /* slots of the ring; values in it */
    uint32_t head;       /* oldest value */
    struct gs_parcel *ring; /* grown up to cap as needed */
    uint32_t ringcap;
    struct gs_waitq senders, receivers;
};

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
