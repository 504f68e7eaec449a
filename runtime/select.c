/* SPDX-License-Identifier: MIT
 * select.c - waiting on several channels at once. Contract: chan.h; wait word: waitq.h.
 *
 * Pass 1     polls the cases in random order (so that of those that are ready each is as likely as any other), each under its channel's lock alone: what is ready is done at once.
 * Pass 2     registers a waiter in one channel after the other. There is no lock of all: a channel that has become ready meanwhile is used on the spot. To do so the select
 *            must win its own word and its partner's together: it moves its own from WAITING to HELD (others who want it spin), then claims the partner.
 * Ordering   Two selects may want each other. Of two that hold themselves the one with the lower address waits for the other, and the other lets go of itself (BUSY: back to
 *            WAITING, unlock, try again). So there is no cycle of holders, and a holder never waits for a lock: it has the channel's, the only ones it needs.
 * Own ends   A select with a send and a receive on one channel does not meet itself: its own waiters are passed over.
 * Parcels    A send case packs its value when it first needs it and owns it until a receiver or the ring has taken it; cleanup drops what is left.
 */
#include "chan_int.h"

#include <string.h>

#include "error.h"
#include "lib.h"
#include "port/clock.h"
#include "port/mem.h"
#include "taskobj.h"

struct select_case {
    struct gs_chan *ch;
    bool send;
    gs_value v;
};

static uint32_t random_below(uint32_t n)
{
    static _Thread_local uint64_t s;
    if (s == 0)
        s = (uint64_t)gs_clock_mono_ns() ^ (uintptr_t)&s;
    s ^= s << 13;
    s ^= s >> 7;
    s ^= s << 17;
    return (uint32_t)((s >> 32) * n >> 32); /* without a division; each is as likely but for n in 2^32 */
}

/* ---- claiming a partner while holding oneself ---- */

struct hold {
    struct gs_vm *self;
    bool held; /* pass 2: our own word is HELD */
};

static struct gs_waiter *claim_partner(struct gs_waitq *q, void *ctx, bool *busy)
{
    struct hold *h = ctx;
    struct gs_waiter *w = q->head;
    uint32_t round = 0;
    while (w != NULL) {
        struct gs_waiter *next = w->next;
        if (w->vm == h->self) {
            w = next;
            continue;
        }
        uint32_t seen = GS_WAIT_WAITING;
        bool won = gs_cas_acq_rel(&w->vm->park.word, &seen, (uint32_t)GS_WAIT_WOKEN); /* [W1] */
        if (!won && seen == GS_WAIT_HELD) {
            if (h->held && (uintptr_t)h->self > (uintptr_t)w->vm) {
                *busy = true;
                return NULL;
            }
            gs_wait_pause(&round);
            continue; /* the same waiter again: its select decides soon */
        }
        gs_waitq_pop_locked(q, w);
        if (won)
            return w;
        w = next;
    }
    return NULL;
}

/* ---- results ---- */

/* {index, value, ok} of w, which is decided. The value is taken last: on GS_E_NOMEM it stays in w. */
static int result(struct gs_vm *vm, struct gs_waiter *w, gs_value *ret)
{
    static _Atomic uint32_t shape; /* of such an object, once there was one; shapes are immortal. Relaxed: a number, and 0 is another's */
    static const char *const names[] = {"index", "ok", "value"};
    gs_value vals[] = {gs_int((int64_t)w->index), gs_bool(w->ok), gs_nil()};
    uint32_t known = gs_load_rlx(&shape);
    struct gs_object *o = gs_object_new(&vm->heap, known != 0 ? known : gs_shape_plain, 3);
    if (o == NULL)
        return GS_E_NOMEM;
    for (int i = 0; i < 3 && known == 0; i++)
        if (gs_object_put(&vm->heap, o, gs_atomz(names[i]), vals[i]) != GS_OK)
            return GS_E_NOMEM;
    if (known == 0)
        gs_store_rlx(&shape, o->h.aux32);
    if (!w->send && w->ok && gs_parcel_take(vm, &w->item, &vals[2]) != GS_OK)
        return GS_E_NOMEM;
    memcpy(o->slots, vals, sizeof vals); /* in the order of the names */
    *ret = gs_objv(GS_T_OBJECT, o);
    return GS_OK;
}

/* The decided case is in vm->park.winner; may be called again after a collection. */
static int finish(struct gs_vm *vm, gs_value *ret)
{
    struct gs_wait_ext *e = vm->park.ext;
    if (gs_load_rlx(&vm->park.word) != GS_WAIT_IDLE)
        e->reason = gs_wait_end(vm);
    int st = GS_OK;
    struct gs_waiter *w = vm->park.winner;
    if (e->reason == GS_WAIT_CANCELLED) {
        (void)gs_vm_take_cancel(vm);
        st = gs_throw_cancelled(vm);
    } else if (e->reason == GS_WAIT_TIMEOUT) {
        *ret = gs_nil();
    } else if (w->send && !w->ok) {
        st = gs_chan_throw_closed(vm, "send");
    } else {
        st = result(vm, w, ret);
    }
    if (st != GS_E_NOMEM)
        gs_wait_drop_many(vm);
    return st;
}

/* ---- the cases ---- */

static int read_cases(struct gs_vm *vm, struct gs_array *cases, struct select_case *out)
{
    for (int64_t i = 0; i < cases->len; i++) {
        gs_value v = gs_array_at(cases, i);
        if (v.tag != GS_T_ARRAY || v.a->len < 1 || v.a->len > 2)
            return gs_throw(vm, GS_ERR_VALUE, "select expects cases [ch] or [ch, value], case %lld is %s", (long long)i,
                            v.tag == GS_T_ARRAY ? "an array of another length" : gs_typeof_name(v));
        out[i].ch = (struct gs_chan *)gs_handle_check(vm, "select", gs_array_at(v.a, 0), GS_H_CHAN);
        if (out[i].ch == NULL)
            return GS_E_THROWN;
        out[i].send = v.a->len == 2;
        if (out[i].send)
            out[i].v = gs_array_at(v.a, 1);
    }
    return GS_OK;
}

/* Does case w if it can be done now; WAIT otherwise. The lock is held. */
static enum gs_offer attempt_locked(struct gs_waiter *w, struct gs_chan *ch, struct hold *h, struct gs_waiter **wake)
{
    if (!w->send)
        return gs_chan_poll_locked(ch, &w->item, wake, claim_partner, h);
    enum gs_offer o = gs_chan_offer_locked(ch, &w->item, wake, claim_partner, h);
    if (o == GS_OFFER_DONE)
        w->item = (struct gs_parcel){0};
    return o;
}

/* Worth looking closer: keeps pass 2 from holding itself for nothing. */
static bool maybe_ready_locked(const struct gs_waiter *w, struct gs_chan *ch)
{
    if (gs_load_rlx(&ch->closed)) /* under the locks */
        return true;
    return w->send ? ch->receivers.head != NULL || gs_chan_len_locked(ch) < ch->cap : gs_chan_len_locked(ch) > 0 || ch->senders.head != NULL;
}

/* The select is decided by ourselves: case w, with outcome o. */
static void decide(struct gs_vm *vm, struct gs_waiter *w, enum gs_offer o)
{
    vm->park.winner = w;
    w->ok = o == GS_OFFER_DONE;
}

/* A receive from a channel that has been empty and open at some moment since the select began: taken never passes added, so when they are equal in this order they were so
 * when the second was read; and where the buffer is empty nobody waits to send. Without a lock, of which there would be two for each case that is not ready. */
static bool has_been_empty(const struct gs_waiter *w, struct gs_chan *ch)
{
    if (w->send || ch->cap == 0 || gs_load_rlx(&ch->closed)) /* one that is closed just now is found in pass 2 */
        return false;
    uint64_t taken = gs_load_acq(&ch->taken); /* [N1] */
    return taken == gs_load_acq(&ch->added);  /* [N1] */
}

/* Waiter k becomes that of a case that none before it has, each as likely; the cases that are left stand behind it by their numbers. */
static struct gs_waiter *draw(struct gs_vm *vm, const struct select_case *cs, struct gs_waiter *ws, uint32_t n, uint32_t k)
{
    uint32_t at = k + random_below(n - k), index = ws[at].index;
    ws[at].index = ws[k].index;
    ws[k] = (struct gs_waiter){.vm = vm, .index = index, .send = cs[index].send};
    vm->park.ext->nmany = k + 1;
    return &ws[k];
}

/* ms 0: there is no pass 2. */
static bool pass1(struct gs_vm *vm, struct select_case *cs, struct gs_waiter *ws, uint32_t n, int64_t ms, int *st)
{
    struct hold h = {.self = vm, .held = false};
    for (uint32_t k = 0; k < n; k++)
        ws[k].index = k;
    for (uint32_t k = 0; k < n; k++) {
        struct gs_waiter *w = draw(vm, cs, ws, n, k);
        struct gs_chan *ch = cs[w->index].ch;
        if (ms != 0 && has_been_empty(w, ch))
            continue;
        if (!w->send && ch->cap != 0 && gs_chan_try_take(ch, &w->item)) {
            decide(vm, w, GS_OFFER_DONE);
            return true;
        }
        if (w->send && gs_parcel_pack(vm, cs[w->index].v, &w->item) != GS_OK) {
            *st = GS_E_NOMEM;
            return true;
        }
        struct gs_waiter *wake;
        gs_chan_lock(ch);
        enum gs_offer o = attempt_locked(w, ch, &h, &wake);
        gs_chan_unlock(ch);
        if (wake != NULL)
            gs_wait_wake(wake);
        if (o == GS_OFFER_NOMEM) {
            *st = GS_E_NOMEM;
            return true;
        }
        if (o != GS_OFFER_WAIT) {
            decide(vm, w, o);
            return true;
        }
    }
    return false;
}

/* Registers case w, or decides it on the spot. True: the select is over (decided here or by somebody else). */
static bool enlist(struct gs_vm *vm, struct gs_waiter *w, struct gs_chan *ch, bool *here)
{
    struct hold h = {.self = vm, .held = true};
    for (;;) {
        struct gs_waiter *wake = NULL;
        enum gs_offer o = GS_OFFER_WAIT;
        gs_chan_lock(ch);
        if (maybe_ready_locked(w, ch)) {
            uint32_t waiting = GS_WAIT_WAITING;
            if (!gs_cas_acq_rel(&vm->park.word, &waiting, (uint32_t)GS_WAIT_HELD)) { /* [W3] */
                gs_chan_unlock(ch);
                return true; /* woken through an earlier case */
            }
            o = attempt_locked(w, ch, &h, &wake);
            bool over = o == GS_OFFER_DONE || o == GS_OFFER_CLOSED;
            /* [W3] release: who spins on HELD continues; the partner's claim came before. */
            gs_store_rel(&vm->park.word, (uint32_t)(over ? GS_WAIT_WOKEN : GS_WAIT_WAITING));
            *here = over;
        }
        if (o == GS_OFFER_WAIT || o == GS_OFFER_NOMEM) /* no memory for the ring: wait for a receiver instead */
            gs_waitq_push_locked(w->send ? &ch->senders : &ch->receivers, w);
        gs_chan_unlock(ch);
        if (wake != NULL)
            gs_wait_wake(wake);
        if (*here)
            decide(vm, w, o);
        if (o != GS_OFFER_BUSY)
            return *here;
        gs_cpu_relax();
    }
}

static int wait_for_any(struct gs_vm *vm, struct select_case *cs, struct gs_waiter *ws, uint32_t n, int64_t ms, gs_value *ret)
{
    bool here = false;
    gs_wait_begin(vm);
    for (uint32_t k = 0; k < n; k++) {
        struct gs_waiter *w = &ws[k];
        if (enlist(vm, w, cs[w->index].ch, &here))
            break;
    }
    if (here) {
        int st = finish(vm, ret);
        return st == GS_E_NOMEM ? gs_wait_again(vm, finish, "select", NULL) : st;
    }
    vm->park.finish = finish;
    vm->park.what = "select";
    vm->park.obj = NULL;
    gs_wait_timeout(vm, ms);
    return GS_PARK;
}

int gs_chan_select(struct gs_vm *vm, struct gs_array *cases, int64_t ms, gs_value *ret)
{
    uint32_t n = (uint32_t)cases->len;
    if (gs_vm_take_cancel(vm))
        return gs_throw_cancelled(vm);
    struct gs_wait_ext *e = gs_wait_ext(vm);
    struct select_case few[8], *cs = n <= 8 ? few : gs_mem_alloc(n * sizeof *cs);
    int st = GS_E_NOMEM;
    if (e == NULL || cs == NULL || !gs_wait_many(vm, n))
        goto out;
    struct gs_waiter *ws = e->many;
    st = read_cases(vm, cases, cs);
    if (st != GS_OK)
        goto out;
    e->many_on = GS_H_CHAN;
    e->reason = GS_WAIT_WOKEN;
    if (n > 0 && pass1(vm, cs, ws, n, ms, &st)) {
        if (st == GS_OK)
            st = finish(vm, ret);
        else
            gs_wait_drop_many(vm);
        if (st == GS_E_NOMEM && e->nmany > 0)
            st = gs_wait_again(vm, finish, "select", NULL);
    } else if (ms == 0) {
        gs_wait_drop_many(vm);
    } else {
        st = wait_for_any(vm, cs, ws, n, ms, ret);
    }
out:
    if (cs != few)
        gs_mem_free(cs);
    return st;
}
