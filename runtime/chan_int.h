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

/* Room for one value more in the ring; both locks are held. False: out of memory. */
bool gs_chan_reserve_locked(struct gs_chan *c);

/* The place at out_at has been read; out is held. */
GS_INLINE void gs_chan_taken_one(struct gs_chan *c)
{
    c->out_at = c->out_at + 1 == c->ringcap ? 0 : c->out_at + 1;
    gs_store_rel(&c->taken, gs_load_rlx(&c->taken) + 1); /* [N1] ours to write */
}

/* The oldest value, of which there is one; out is held. */
GS_INLINE struct gs_parcel gs_chan_take_locked(struct gs_chan *c)
{
    struct gs_parcel p = gs_parcel_words(&c->ring[c->out_at]);
    gs_chan_taken_one(c);
    return p;
}

/* There is room; in is held. */
GS_INLINE void gs_chan_add_locked(struct gs_chan *c, struct gs_parcel p)
{
    c->ring[c->in_at] = p;
    c->in_at = c->in_at + 1 == c->ringcap ? 0 : c->in_at + 1;
    gs_store_rel(&c->added, gs_load_rlx(&c->added) + 1); /* [N1] ours to write */
}

/* Sends or receives without waiting; both locks are held. DONE takes (fills) *p. A claimed partner is given in *wake, to be woken after unlocking. WAIT: nothing to be
 * had. BUSY: only with a claim function that says so. Inline, so that the claim is, too. */
GS_INLINE enum gs_offer gs_chan_offer_locked(struct gs_chan *c, struct gs_parcel *p, struct gs_waiter **wake, gs_chan_claim_fn claim, void *ctx)
{
    bool busy = false;
    *wake = NULL;
    if (gs_load_rlx(&c->closed)) /* under the locks */
        return GS_OFFER_CLOSED;
    struct gs_waiter *w = claim(&c->receivers, ctx, &busy);
    if (w != NULL) {
        w->item = gs_parcel_words(p);
        w->ok = true;
        *wake = w;
        return GS_OFFER_DONE;
    }
    if (busy)
        return GS_OFFER_BUSY;
    if (gs_chan_len_locked(c) == c->cap)
        return GS_OFFER_WAIT;
    if (!gs_chan_reserve_locked(c))
        return GS_OFFER_NOMEM;
    gs_chan_add_locked(c, gs_parcel_words(p));
    return GS_OFFER_DONE;
}

GS_INLINE enum gs_offer gs_chan_poll_locked(struct gs_chan *c, struct gs_parcel *p, struct gs_waiter **wake, gs_chan_claim_fn claim, void *ctx)
{
    bool busy = false;
    *wake = NULL;
    struct gs_waiter *w = claim(&c->senders, ctx, &busy);
    if (busy)
        return GS_OFFER_BUSY;
    if (gs_chan_len_locked(c) > 0) {
        *p = gs_chan_take_locked(c);
        if (w != NULL) /* its value takes the place that has become free */
            gs_chan_add_locked(c, gs_parcel_words(&w->item));
    } else if (w != NULL) {
        *p = gs_parcel_words(&w->item);
    } else {
        return gs_load_rlx(&c->closed) ? GS_OFFER_CLOSED : GS_OFFER_WAIT;
    }
    if (w != NULL) {
        w->item = (struct gs_parcel){0};
        w->ok = true;
        *wake = w;
    }
    return GS_OFFER_DONE;
}

/* A buffered channel: receives when there is a value and nobody waits to send. */
bool gs_chan_try_take(struct gs_chan *c, struct gs_parcel *p);

int gs_chan_throw_closed(struct gs_vm *vm, const char *what);

#endif
