/* SPDX-License-Identifier: MIT
 * chan_int.h - what chan.c and select.c share.
 */
#ifndef GS_RUNTIME_CHAN_INT_H
#define GS_RUNTIME_CHAN_INT_H

#include "chan.h"

enum gs_offer { GS_OFFER_DONE, GS_OFFER_CLOSED, GS_OFFER_WAIT, GS_OFFER_NOMEM, GS_OFFER_BUSY };

/* How a partner is taken from a wait queue: NULL none, or a claimed waiter; *busy when a select that is deciding right now stands in the way and the
 * caller must let go of its own hold first. */
typedef struct gs_waiter *(*gs_chan_claim_fn)(struct gs_waitq *q, void *ctx, bool *busy);

/* Sends or receives without waiting; the lock is held. DONE takes (fills) *p. A claimed partner is given in *wake, to be woken after unlocking. WAIT: nothing to be
 * had. BUSY: only with a claim function that says so. */
enum gs_offer gs_chan_offer_locked(struct gs_chan *c, struct gs_parcel *p, struct gs_waiter **wake, gs_chan_claim_fn claim, void *ctx);
enum gs_offer gs_chan_poll_locked(struct gs_chan *c, struct gs_parcel *p, struct gs_waiter **wake, gs_chan_claim_fn claim, void *ctx);

/* A buffered channel: receives when there is a value and nobody waits to send. */
bool gs_chan_try_take(struct gs_chan *c, struct gs_parcel *p);

int gs_chan_throw_closed(struct gs_vm *vm, const char *what);

#endif
