/* SPDX-License-Identifier: MIT
 * deque.c - work-stealing deque without fences.
 *
 * Design     Chase and Lev's: top and bottom are 64-bit counters that never wrap, the task of
 *            counter i lies in slot i mod size of the current ring. The owner doubles the ring when
 *            it is full; old rings keep their contents and are freed with the deque, so a thief
 *            with an old ring in hand reads valid memory (all old rings together are smaller than
 *            the newest).
 *
 * Orders     [D1] push stores the slot, then bottom (release part); a thief loads bottom (acquire
 *                 part), then the slot: the slot, the ring that has it and everything written into
 *                 the task before the push are visible.
 *            [D2] pop stores bottom = b, then loads top; a thief loads top = t, then bottom. All
 *                 four are seq_cst. If pop read a top <= t and took slot b > top without a CAS, the
 *                 thief that read top = t = b after that must see bottom <= b, hence an empty
 *                 deque. Without the total order both could read the old value of the other's word
 *                 and take the same task.
 *            [D3] for the last task owner and thieves race by CAS on top; exactly one wins. Every
 *                 taker moves top from t to t + 1 by CAS, so no task is taken twice.
 *            [D4] a slot is written again only after top has passed it: the owner reads top
 *                 (acquire) before it believes there is room. A thief that read the slot too late
 *                 has read a top that is gone, and its CAS fails, so what it read is never looked
 *                 into.
 *            [P1] bottom's store in push is seq_cst, not only release: it is the first half of the
 *                 protocol by which a submitter and a worker going to sleep cannot miss each other
 *                 (park.c).
 *
 * Rejected   Fences (ThreadSanitizer does not know them). Popping at the top by the owner always:
 *            breadth-first order makes a recursion of spawns keep all its leaves alive at once.
 */
#include "deque.h"

#include "port/check.h"
#include "port/mem.h"

#define FIRST_SIZE 256

struct gs_ring {
    int64_t mask;
    struct gs_ring *older;
    _Atomic(struct gs_task *) slot[];
};

static struct gs_ring *ring_new(int64_t size, struct gs_ring *older)
{
    struct gs_ring *r = gs_mem_alloc(sizeof *r + (size_t)size * sizeof r->slot[0]);
    if (!r)
        return NULL;
    r->mask = size - 1;
    r->older = older;
    return r;
}

bool gs_deque_init(struct gs_deque *d)
{
    struct gs_ring *r = ring_new(FIRST_SIZE, NULL);
    if (!r)
        return false;
    /* Relaxed: the deque is handed to other threads by something stronger. */
    gs_store_rlx(&d->top, 0);
    gs_store_rlx(&d->bottom, 0);
    gs_store_rlx(&d->ring, r);
    d->top_seen = 0;
    return true;
}

void gs_deque_fini(struct gs_deque *d)
{
    struct gs_ring *r = gs_load_rlx(&d->ring); /* nobody else is looking */
    while (r) {
        struct gs_ring *older = r->older;
        gs_mem_free(r);
        r = older;
    }
    gs_store_rlx(&d->ring, NULL);
}

static GS_COLD struct gs_ring *grow(struct gs_deque *d, struct gs_ring *r, int64_t t, int64_t b)
{
    struct gs_ring *n = ring_new(2 * (r->mask + 1), r);
    if (!n)
        return NULL;
    for (int64_t i = t; i < b; i++) {
        struct gs_task *x = gs_load_rlx(&r->slot[i & r->mask]);
        gs_store_rlx(&n->slot[i & n->mask], x);
    }
    /* [D1] release: a thief that sees this ring sees the copied slots. One that does not see it yet
     * reads the same tasks from the old one. */
    gs_store_rel(&d->ring, n);
    return n;
}

bool gs_deque_push_owner(struct gs_deque *d, struct gs_task *t)
{
    int64_t b = gs_load_rlx(&d->bottom); /* only we write it */
    struct gs_ring *r = gs_load_rlx(&d->ring);
    if (GS_UNLIKELY(b - d->top_seen > r->mask)) {
        d->top_seen = gs_load_acq(&d->top); /* [D4] */
        if (b - d->top_seen > r->mask) {
            r = grow(d, r, d->top_seen, b);
            if (!r)
                return false;
        }
    }
    gs_store_rlx(&r->slot[b & r->mask], t); /* published by the next line */
    gs_store_seq(&d->bottom, b + 1);        /* [D1] [P1] */
    return true;
}

struct gs_task *gs_deque_pop_owner(struct gs_deque *d)
{
    int64_t b = gs_load_rlx(&d->bottom) - 1;
    /* Relaxed: top only grows, so a stale top at most hides that the deque is empty, which is found
     * out below. */
    if (gs_load_rlx(&d->top) > b)
        return NULL;
    struct gs_ring *r = gs_load_rlx(&d->ring);
    gs_store_seq(&d->bottom, b);      /* [D2] */
    int64_t t = gs_load_seq(&d->top); /* [D2] */
    struct gs_task *x = NULL;
    if (GS_LIKELY(t < b)) {
        x = gs_load_rlx(&r->slot[b & r->mask]);
        return x;
    }
    if (t == b) { /* the last one */
        x = gs_load_rlx(&r->slot[b & r->mask]);
        if (!gs_cas_seq(&d->top, &t, t + 1)) /* [D3] */
            x = NULL;
    }
    /* Relaxed: the deque is empty and stays so; a thief that still sees b finds top == b + 1 or
     * loses its CAS. */
    gs_store_rlx(&d->bottom, b + 1);
    return x;
}

enum gs_steal gs_deque_steal_mt(struct gs_deque *d, struct gs_task **out)
{
    int64_t t = gs_load_seq(&d->top);    /* [D2] */
    int64_t b = gs_load_seq(&d->bottom); /* [D2], and [D1]: slots below b and their tasks */
    if (b - t <= 0)
        return GS_STEAL_EMPTY;
    struct gs_ring *r = gs_load_acq(&d->ring);              /* [D1] with the store in grow */
    struct gs_task *x = gs_load_rlx(&r->slot[t & r->mask]); /* not looked into before the CAS */
    if (!gs_cas_seq(&d->top, &t, t + 1))                    /* [D3] */
        return GS_STEAL_LOST;
    *out = x;
    return GS_STEAL_OK;
}

struct gs_task *gs_deque_take_mt(struct gs_deque *d)
{
    struct gs_task *x = NULL;
    enum gs_steal st;
    do {
        st = gs_deque_steal_mt(d, &x);
    } while (st == GS_STEAL_LOST);
    return x;
}
