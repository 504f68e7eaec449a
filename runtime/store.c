/* SPDX-License-Identifier: MIT
 * store.c - runtime.core's store: string keys to values, shared by all tasks; every value is copied in and out.
 *
 * Design     Sharded by key; a shard is a chained hash table under a spin lock. Values are parcels; a reader takes a second share of the fragment under the lock
 *            and opens it outside, or opens a small one at once.
 * Reading    After CALM readers without a writer a shard is open: a reader says on a line of its worker that it is in the shard, and if that is still open then it reads without the
 *            lock, and what is small without writing to any line that others use. A writer closes the shard before its first change, and waits until no worker is in it: that is as long as
 *            a look-up and a small copy. Reads do not park, so a worker is in one shard at most. As in rwlock.c, after BRAVO (Dice and Kogan, 2019).
 *            [R1] reader: says where it is, then looks at open; writer: open = false, then looks where they are. All seq_cst: one sees the other. A reader leaves with release, and a
 *            shard opens again with release (seq_cst): changes and reads are ordered both ways.
 * Update     update(key, fn) runs fn in the caller's VM while its task owns the key: other writers of that key wait in the entry's queue, readers see the old value. The
 *            prelude takes the key (storeOwn), calls fn, and gives the key back with a value (storeCommit) or without (storeAbort), whatever fn did.
 * Hand-over  Who gives a key back makes the first waiter its owner before waking it. A waiter that was woken and is cancelled then owns the key all the same and gives it back like
 *            any owner that throws: no wake-up is lost.
 * Entries    An entry lives while it has a value, an owner, or tasks that wait for it. These are counted from before a waiter is linked until its task has left gs_wait_end, which may
 *            still look at the queue (and through it at the lock) after a waker has unlinked the waiter.
 */
#include <string.h>

#include "error.h"
#include "lib.h"
#include "port/mem.h"
#include "rt.h"
#include "taskobj.h"

#define STORE_SHARDS 64u
#define CALM 32u
#define SMALL 1024u /* bytes that are copied while a writer may be waiting */

struct entry {
    struct entry *next;
    uint32_t hash;
    bool present;
    int64_t owner; /* task number of the one that updates it; 0: nobody */
    uint32_t nwaiting; /* tasks that may look at waiters */
    struct gs_waitq waiters;
    struct gs_parcel value;
    size_t len;
    char key[];
};

struct shard {
    _Alignas(GS_CACHE_LINE) struct gs_spin lock; /* guards all of it */
    _Atomic bool open; /* changed under the lock; while it is true nothing else is, but for owners and waiters */
    struct entry **tab;
    uint32_t mask, n;
    uint32_t calm; /* reads under the lock since the last change */
};

static struct shard shards[STORE_SHARDS];

/* Where each worker is reading without a lock; made when a shard is first opened. */
struct places {
    unsigned n;
    struct place {
        _Alignas(GS_CACHE_LINE) _Atomic(struct shard *) in;
    } of[];
};
static _Atomic(struct places *) places;

static struct shard *shard_of(uint32_t hash)
{
    return &shards[hash % STORE_SHARDS];
}

/* NULL: the lock has to be taken. */
static struct place *enter(struct shard *s)
{
    struct places *all = gs_load_acq(&places); /* [R2] */
    const struct gs_worker *w = gs_worker_self();
    if (all == NULL || w == NULL || !gs_load_rlx(&s->open)) /* looked at again */
        return NULL;
    unsigned me = gs_worker_index(w);
    if (me >= all->n) /* of an earlier scheduler with fewer workers */
        return NULL;
    gs_store_seq(&all->of[me].in, s);     /* [R1] */
    if (GS_LIKELY(gs_load_seq(&s->open))) /* [R1] */
        return &all->of[me];
    gs_store_rel(&all->of[me].in, NULL);
    return NULL;
}

/* [R2] release: the places are zeroed before others see them. */
static bool make_places(unsigned n)
{
    struct places *all = gs_mem_alloc_aligned(sizeof *all + n * sizeof all->of[0], GS_CACHE_LINE), *none = NULL;
    if (all == NULL)
        return false;
    memset(all, 0, sizeof *all + n * sizeof all->of[0]);
    all->n = n;
    if (!gs_cas_acq_rel(&places, &none, all)) /* [R2] another shard was faster */
        gs_mem_free(all);
    return true;
}

/* Gives what end_read takes. */
static struct place *begin_read(struct shard *s)
{
    struct place *p = enter(s);
    if (p == NULL)
        gs_spin_lock(&s->lock);
    return p;
}

static void end_read(struct shard *s, struct place *p)
{
    if (p != NULL) {
        gs_store_rel(&p->in, NULL); /* [R1] */
        return;
    }
    unsigned n = gs_worker_self() != NULL ? gs_sched_indices(gs_rt.sched) : 1;
    if (++s->calm >= CALM && n > 1 && (gs_load_acq(&places) != NULL || make_places(n)))
        gs_store_seq(&s->open, true); /* [R1] */
    gs_spin_unlock(&s->lock);
}

/* To be called before what readers see is changed. */
static void close_locked(struct shard *s)
{
    s->calm = 0;
    if (!gs_load_rlx(&s->open)) /* changed under the lock only */
        return;
    gs_store_seq(&s->open, false); /* [R1] */
    struct places *all = gs_load_acq(&places);
    for (unsigned i = 0; i < all->n; i++) /* was made before the shard was opened */
        for (uint32_t round = 0; gs_load_seq(&all->of[i].in) == s;) /* [R1] */
            gs_wait_pause(&round);
}

/* Between begin_read and end_read, or under the lock. */
static struct entry *find(struct shard *s, const struct gs_str *k, uint32_t hash)
{
    if (s->tab == NULL)
        return NULL;
    for (struct entry *e = s->tab[(hash / STORE_SHARDS) & s->mask]; e != NULL; e = e->next)
        if (e->hash == hash && e->len == k->len && memcmp(e->key, k->data, k->len) == 0)
            return e;
    return NULL;
}

static bool grow_locked(struct shard *s)
{
    uint32_t cap = s->tab != NULL ? (s->mask + 1) * 2 : 16;
    struct entry **t = gs_mem_zalloc(cap * sizeof(struct entry *));
    if (t == NULL)
        return s->tab != NULL; /* fuller chains, if there are any */
    for (uint32_t i = 0; s->tab != NULL && i <= s->mask; i++) {
        for (struct entry *e = s->tab[i], *next; e != NULL; e = next) {
            next = e->next;
            struct entry **b = &t[(e->hash / STORE_SHARDS) & (cap - 1)];
            e->next = *b;
            *b = e;
        }
    }
    gs_mem_free(s->tab);
    s->tab = t;
    s->mask = cap - 1;
    return true;
}

static struct entry *make_locked(struct shard *s, const struct gs_str *k, uint32_t hash)
{
    struct entry *e = find(s, k, hash);
    if (e != NULL)
        return e;
    close_locked(s);
    if ((s->tab == NULL || s->n > s->mask) && !grow_locked(s))
        return NULL;
    e = gs_mem_zalloc(sizeof *e + k->len + 1);
    if (e == NULL)
        return NULL;
    e->hash = hash;
    e->len = k->len;
    memcpy(e->key, k->data, k->len);
    e->waiters.lock = &s->lock;
    struct entry **b = &s->tab[(hash / STORE_SHARDS) & s->mask];
    e->next = *b;
    *b = e;
    s->n++;
    return e;
}

static void prune_locked(struct shard *s, struct entry *e)
{
    if (e->present || e->owner != 0 || e->nwaiting > 0)
        return;
    close_locked(s);
    struct entry **p = &s->tab[(e->hash / STORE_SHARDS) & s->mask];
    while (*p != e)
        p = &(*p)->next;
    *p = e->next;
    s->n--;
    gs_mem_free(e);
}

/* ---- reading ---- */

static int store_fetch(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_str *k;
    int st = gs_arg_str(vm, "fetch", args, 0, &k);
    if (st != GS_OK)
        return st;
    uint32_t hash = gs_str_hash(k);
    struct shard *s = shard_of(hash);
    struct gs_parcel p = {0};
    struct place *at = begin_read(s);
    struct entry *e = find(s, k, hash);
    bool present = e != NULL && e->present, here = present && at != NULL && gs_parcel_size(&e->value) <= SMALL;
    if (here)
        st = (int)gs_parcel_open(vm, &e->value, ret);
    else if (present)
        gs_parcel_dup(&e->value, &p);
    end_read(s, at);
    if (here)
        return st;
    st = (int)gs_parcel_open(vm, &p, ret);
    gs_parcel_drop(&p);
    return st;
}

static int store_has(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_str *k;
    int st = gs_arg_str(vm, "has", args, 0, &k);
    if (st != GS_OK)
        return st;
    struct shard *s = shard_of(gs_str_hash(k));
    struct place *at = begin_read(s);
    struct entry *e = find(s, k, gs_str_hash(k));
    *ret = gs_bool(e != NULL && e->present);
    end_read(s, at);
    return GS_OK;
}

/* Sorted, like keys() of an object. Keys are collected shard by shard: not one instant for the whole store. */
static int store_keys(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)args;
    (void)n;
    struct gs_array *a = gs_array_new(&vm->heap);
    struct gs_buf b = {0}; /* length-prefixed: nothing of a heap is touched under a spin lock */
    for (uint32_t i = 0; i < STORE_SHARDS; i++) {
        struct shard *s = &shards[i];
        gs_spin_lock(&s->lock);
        for (uint32_t k = 0; s->tab != NULL && k <= s->mask; k++) {
            for (struct entry *e = s->tab[k]; e != NULL; e = e->next) {
                if (e->present) {
                    gs_buf_put(&b, (const char *)&e->len, sizeof e->len);
                    gs_buf_put(&b, e->key, e->len);
                }
            }
        }
        gs_spin_unlock(&s->lock);
    }
    bool ok = a != NULL && !b.failed;
    for (size_t at = 0; ok && at < b.len;) {
        size_t len;
        memcpy(&len, b.p + at, sizeof len);
        struct gs_str *s = gs_str_new(&vm->heap, b.p + at + sizeof len, len);
        ok = s != NULL && gs_array_push(&vm->heap, a, gs_strv(s)) == GS_OK;
        at += sizeof len + len;
    }
    gs_buf_free(&b);
    int64_t bad;
    if (!ok || gs_array_sort(&vm->heap, a, &bad) == GS_E_NOMEM)
        return GS_E_NOMEM;
    *ret = gs_objv(GS_T_ARRAY, a);
    return GS_OK;
}

/* ---- writing ---- */

static int own_finish(struct gs_vm *vm, gs_value *ret);

/* Waits until e becomes the task's; the shard's lock is held and given up. */
static int wait_locked(struct gs_vm *vm, struct shard *s, struct entry *e, const char *what)
{
    gs_wait_begin(vm);
    vm->park.finish = own_finish;
    vm->park.what = what;
    vm->park.obj = NULL;
    vm->park.first.item.v = (gs_value){.p = e, .tag = GS_T_UNSET}; /* no object of the language */
    e->nwaiting++;
    gs_waitq_push_locked(&e->waiters, &vm->park.first);
    gs_spin_unlock(&s->lock);
    return GS_PARK;
}

/* false: waited, and the key is the caller's now. */
static int own_finish(struct gs_vm *vm, gs_value *ret)
{
    struct entry *e = (struct entry *)vm->park.first.item.v.p;
    bool cancelled = gs_wait_end(vm) == GS_WAIT_CANCELLED;
    struct shard *s = shard_of(e->hash);
    gs_spin_lock(&s->lock);
    e->nwaiting--;
    prune_locked(s, e);
    gs_spin_unlock(&s->lock);
    vm->park.first.item = (struct gs_parcel){0};
    *ret = gs_bool(false);
    if (!cancelled)
        return GS_OK;
    (void)gs_vm_take_cancel(vm);
    return gs_throw_cancelled(vm);
}

/* Makes the first waiter the owner; to be woken after unlocking. */
static struct gs_waiter *hand_over_locked(struct entry *e)
{
    struct gs_waiter *w = gs_waitq_claim_first_locked(&e->waiters);
    e->owner = w != NULL ? w->vm->self->h.id : 0;
    return w;
}

/* The key belongs to the caller when this has returned (or parked and returned); with which of the two is all the same here. */
static int store_own(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_str *k, *fn;
    int st = gs_arg_str(vm, "update", args, 0, &k);
    if (st == GS_OK)
        st = gs_arg_str(vm, "update", args, 1, &fn);
    if (st == GS_OK && gs_vm_take_cancel(vm))
        st = gs_throw_cancelled(vm);
    if (st != GS_OK)
        return st;
    uint32_t hash = gs_str_hash(k);
    struct shard *s = shard_of(hash);
    gs_spin_lock(&s->lock);
    struct entry *e = make_locked(s, k, hash);
    if (e == NULL) {
        gs_spin_unlock(&s->lock);
        return GS_E_NOMEM;
    }
    if (e->owner == vm->self->h.id) {
        gs_spin_unlock(&s->lock);
        return gs_throw(vm, GS_ERR_LOCK, "%s of key \"%s\" inside its own update", fn->data, e->key);
    }
    if (e->owner != 0)
        return wait_locked(vm, s, e, "update");
    e->owner = vm->self->h.id;
    gs_spin_unlock(&s->lock);
    *ret = gs_bool(true);
    return GS_OK;
}

static void give_back(const struct gs_str *k, uint32_t hash, const struct gs_parcel *value, bool remove)
{
    struct shard *s = shard_of(hash);
    struct gs_parcel old = {0};
    gs_spin_lock(&s->lock);
    struct entry *e = find(s, k, hash); /* it has an owner: it is there */
    if (value != NULL || remove) {
        close_locked(s);
        old = e->value;
        e->value = value != NULL ? *value : (struct gs_parcel){0};
        e->present = value != NULL;
    }
    struct gs_waiter *w = hand_over_locked(e);
    prune_locked(s, e);
    gs_spin_unlock(&s->lock);
    if (w != NULL)
        gs_wait_wake(w);
    gs_parcel_drop(&old);
}

/* storeCommit(key, value): gives the key back with a new value; storeAbort(key): with the old one; storeRemove(key): without any, true when there was one. */
static int store_commit(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_parcel p;
    if (gs_parcel_pack(vm, args[1], &p) != GS_OK)
        return GS_E_NOMEM; /* the prelude then aborts */
    give_back(args[0].s, gs_str_hash(args[0].s), &p, false);
    *ret = args[1];
    return GS_OK;
}

static int store_abort(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)vm;
    (void)n;
    (void)ret;
    give_back(args[0].s, gs_str_hash(args[0].s), NULL, false);
    return GS_OK;
}

static int store_remove(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    int st = store_has(vm, args, n, ret);
    give_back(args[0].s, gs_str_hash(args[0].s), NULL, true);
    return st;
}

/* share does in one step what the prelude does in three, when nobody owns the key. true: done; false: waited, and the key is the caller's now. */
static int store_share(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    struct gs_str *k;
    int st = gs_arg_str(vm, "share", args, 0, &k);
    if (st == GS_OK && gs_vm_take_cancel(vm))
        st = gs_throw_cancelled(vm);
    if (st != GS_OK)
        return st;
    struct gs_parcel p, old;
    if (gs_parcel_pack(vm, args[1], &p) != GS_OK)
        return GS_E_NOMEM;
    uint32_t hash = gs_str_hash(k);
    struct shard *s = shard_of(hash);
    gs_spin_lock(&s->lock);
    struct entry *e = make_locked(s, k, hash);
    if (e == NULL || e->owner == vm->self->h.id) {
        gs_spin_unlock(&s->lock);
        gs_parcel_drop(&p);
        if (e == NULL)
            return GS_E_NOMEM;
        return gs_throw(vm, GS_ERR_LOCK, "share of key \"%s\" inside its own update", e->key);
    }
    if (e->owner != 0) {
        st = wait_locked(vm, s, e, "share");
        gs_parcel_drop(&p); /* packed again when its turn comes: a rare case */
        return st;
    }
    close_locked(s);
    old = e->value;
    e->value = p;
    e->present = true;
    gs_spin_unlock(&s->lock);
    gs_parcel_drop(&old);
    *ret = gs_bool(true);
    return GS_OK;
}

void gs_rt_drop_store(void)
{
    for (uint32_t i = 0; i < STORE_SHARDS; i++) {
        struct shard *s = &shards[i];
        for (uint32_t k = 0; s->tab != NULL && k <= s->mask; k++)
            for (struct entry *e = s->tab[k], *next; e != NULL; e = next) {
                next = e->next;
                gs_parcel_drop(&e->value);
                gs_mem_free(e);
            }
        gs_mem_free(s->tab);
        s->tab = NULL;
    }
}

static const struct gs_lib_entry intrinsics[] = {
    GS_FN("storeFetch", store_fetch, 1, 1, GS_NF_PURE),
    GS_FN("storeOwn", store_own, 2, 2, 0),
    GS_FN("storeCommit", store_commit, 2, 2, GS_NF_PURE), /* as long as it fails */
    GS_FN("storeAbort", store_abort, 1, 1, 0),
    GS_FN("storeShare", store_share, 2, 2, 0),
    GS_FN("storeRemove", store_remove, 1, 1, 0),
};
GS_LIB_MODULE(gs_lib_store_intrinsics, "<intrinsic>", false, intrinsics);

static const struct gs_lib_entry entries[] = {
    GS_PRELUDE_FN("share", "storeShareAll"),
    GS_FN("fetch", store_fetch, 1, 1, GS_NF_PURE),
    GS_FN("has", store_has, 1, 1, GS_NF_PURE),
    GS_FN("keys", store_keys, 0, 0, GS_NF_PURE),
    GS_PRELUDE_FN("delete", "storeDelete"),
    GS_PRELUDE_FN("update", "storeUpdate"),
    GS_PRELUDE_FN("incr", "storeIncr"),
};
GS_LIB_MODULE(gs_lib_runtime_store, "runtime.core", false, entries);
