/* SPDX-License-Identifier: MIT
 * handle.c - numbers, shares, the table of pinned numbers, and the ledgers of VMs. Protocol: handle.h.
 *
 * Table      Sixteen hash tables (by number), each under its spin lock. Only plain ints are looked up here - rare: a program that keeps its handles as
 *            values never touches it. A pinned object is freed at the end of the process.
 */
#include <string.h>

#include "deadlock.h"
#include "error.h"
#include "handle.h"
#include "hold.h"
#include "port/mem.h"
#include "waitq.h"

static const char *const kind_names[] = {
#define GS_HANDLE(name, text, drop) text,
#include "handle.def"
#undef GS_HANDLE
};

static void (*const drops[])(struct gs_hobj *) = {
#define GS_HANDLE(name, text, drop) drop,
#include "handle.def"
#undef GS_HANDLE
};

const char *gs_hkind_name(enum gs_hkind k)
{
    return kind_names[k];
}

/* ---- numbers and shares ---- */

#define ID_RANGE 64 /* numbers a thread takes at a time: small enough that programs see small numbers */

static _Atomic int64_t id_next = 1;

static int64_t new_id(void)
{
    static _Thread_local int64_t next, end;
    if (next == end) {
        next = gs_add_rlx(&id_next, ID_RANGE); /* relaxed: only uniqueness matters */
        end = next + ID_RANGE;
    }
    return next++;
}

void gs_hobj_init(struct gs_hobj *o, enum gs_hkind k)
{
    o->kind = (uint8_t)k;
    o->id = new_id();
    gs_store_rlx(&o->flags, (uint8_t)0);
    gs_store_rlx(&o->refs, 1u); /* nobody else knows it yet */
}

/* Dropping one object may drop the last share of another, and so on along a chain as long as the program likes (a channel in a
 * channel in a channel ...): the outermost call on this thread does them one after the other instead of one inside the other. */
static GS_COLD void drop(struct gs_hobj *o)
{
    static _Thread_local struct gs_hobj *pending;
    static _Thread_local bool dropping;
    if (dropping) {
        o->doomed = pending;
        pending = o;
        return;
    }
    dropping = true;
    drops[o->kind](o);
    while ((o = pending) != NULL) {
        pending = o->doomed;
        drops[o->kind](o);
    }
    dropping = false;
}

static void release_many(struct gs_hobj *o, uint32_t n)
{
    /* [H1] When these are all the shares there are nobody else can reach it, and no RMW is needed. */
    if (gs_load_acq(&o->refs) == n || gs_sub_acq_rel(&o->refs, n) == n)
        drop(o);
}

/* ---- a worker's stock of shares ---- */

/* Shares that a worker takes at a time; it gives as many back when it has three times as many. */
#define STOCK 32u

static struct gs_hold_set *set_of(const struct gs_hobj *o)
{
    uintptr_t a = (uintptr_t)o;
    return &gs_hold.set[(a >> 5 ^ a >> 9) % GS_HOLD_SETS];
}

static struct gs_hold_share *find_way(struct gs_hold_set *s, const struct gs_hobj *o)
{
    if (GS_LIKELY(s->way[0].o == o))
        return &s->way[0];
    return GS_LIKELY(s->way[1].o == o) ? &s->way[1] : NULL;
}

bool gs_hold_return_shares(void)
{
    bool on = gs_hold.on, any = false;
    gs_hold.on = false; /* what is dropped below drops others: none of them gets a place meanwhile */
    struct gs_vm *warm = gs_hold.warm;
    gs_hold.warm = NULL;
    if (warm != NULL) {
        any = warm->ledger.n > 0;
        gs_vm_free(warm);
    }
    for (uint32_t i = 0; i < GS_HOLD_SETS; i++) {
        struct gs_hold_set s = gs_hold.set[i];
        gs_hold.set[i] = (struct gs_hold_set){0};
        for (int w = 0; w < 2; w++)
            if (s.way[w].n > 0) {
                release_many(s.way[w].o, s.way[w].n);
                any = true;
            }
    }
    gs_hold.on = on;
    return any;
}

/* o, which has no place, is asked for: soon after the first time it gets one. Objects that are met once stay out, and tasks, which are met twice, too. */
static GS_NOINLINE struct gs_hold_share *open_way(struct gs_hold_set *s, struct gs_hobj *o)
{
    if (o->kind == GS_H_TASK || o->kind == GS_H_FUTURE)
        return NULL;
    if (s->miss[0] != o && s->miss[1] != o) {
        s->miss[1] = s->miss[0];
        s->miss[0] = o;
        return NULL;
    }
    struct gs_hold_share old = s->way[1];
    s->way[1] = s->way[0];
    s->way[0] = (struct gs_hold_share){.o = o};
    if (old.n > 0)
        release_many(old.o, old.n); /* may open places for what it drops, also here */
    return find_way(s, o);
}

/* Where o has a place nothing of o is read: other workers may be writing to the line. */
static struct gs_hold_share *way_of(struct gs_hobj *o)
{
    if (GS_UNLIKELY(!gs_hold.on))
        return NULL;
    struct gs_hold_set *s = set_of(o);
    struct gs_hold_share *e = find_way(s, o);
    return GS_LIKELY(e != NULL) ? e : open_way(s, o);
}

void gs_hobj_retain(struct gs_hobj *o)
{
    struct gs_hold_share *e = way_of(o);
    if (e == NULL) {
        (void)gs_add_rlx(&o->refs, 1u); /* the caller already has a share to stand on */
        return;
    }
    if (GS_UNLIKELY(e->n == 0)) {
        (void)gs_add_rlx(&o->refs, STOCK); /* as above */
        e->n = STOCK;
    }
    e->n--;
}

void gs_hobj_release(struct gs_hobj *o)
{
    struct gs_hold_share *e = way_of(o);
    if (e == NULL) {
        release_many(o, 1);
    } else if (GS_UNLIKELY(++e->n == 3 * STOCK)) {
        e->n -= STOCK;
        (void)gs_sub_acq_rel(&o->refs, STOCK); /* [H1] not the last: we hold more */
    }
}

/* ---- pinned numbers ---- */

#define SHARDS 16

struct pin_shard {
    _Alignas(GS_CACHE_LINE) struct gs_spin lock;
    struct gs_hobj **slots; /* open addressing by id; guarded by lock */
    uint32_t mask, n;
};

static struct pin_shard pins[SHARDS];

static struct pin_shard *shard_of(int64_t id)
{
    return &pins[(uint64_t)id % SHARDS];
}

static uint32_t pin_hash(int64_t id)
{
    return (uint32_t)(((uint64_t)id * 0x9E3779B97F4A7C15u) >> 32);
}

static void pin_insert(struct pin_shard *s, struct gs_hobj *o)
{
    uint32_t i = pin_hash(o->id) & s->mask;
    while (s->slots[i] != NULL)
        i = (i + 1) & s->mask;
    s->slots[i] = o;
}

static void pin_grow_locked(struct pin_shard *s)
{
    struct pin_shard old = {.slots = s->slots, .mask = s->mask};
    uint32_t cap = s->slots != NULL ? (s->mask + 1) * 2 : 16;
    s->slots = gs_mem_must_zalloc(cap * sizeof(struct gs_hobj *));
    s->mask = cap - 1;
    if (old.slots == NULL)
        return;
    for (uint32_t i = 0; i <= old.mask; i++)
        if (old.slots[i] != NULL)
            pin_insert(s, old.slots[i]);
    gs_mem_free(old.slots);
}

void gs_handle_pin(struct gs_hobj *o)
{
    if (gs_load_acq(&o->flags) & GS_HF_PINNED) /* [H2] */
        return;
    struct pin_shard *s = shard_of(o->id);
    gs_spin_lock(&s->lock);
    if (!(gs_load_rlx(&o->flags) & GS_HF_PINNED)) { /* set under this lock only */
        gs_hobj_retain(o);                          /* the table's share, for good */
        if (s->slots == NULL || s->n * 2 >= s->mask)
            pin_grow_locked(s);
        pin_insert(s, o);
        s->n++;
        /* [H2] release, and last: whoever finds the mark may show the number, and then it must be in the table. */
        (void)gs_or_acq_rel(&o->flags, (uint8_t)GS_HF_PINNED);
    }
    gs_spin_unlock(&s->lock);
}

static struct gs_hobj *pin_find(int64_t id)
{
    struct pin_shard *s = shard_of(id);
    struct gs_hobj *found = NULL;
    gs_spin_lock(&s->lock);
    if (s->slots != NULL) {
        for (uint32_t i = pin_hash(id) & s->mask; s->slots[i] != NULL; i = (i + 1) & s->mask) {
            if (s->slots[i]->id == id) {
                found = s->slots[i];
                break;
            }
        }
    }
    gs_spin_unlock(&s->lock);
    return found;
}

struct gs_hobj *gs_handle_find(gs_value v)
{
    struct gs_hobj *o = NULL;
    if (gs_kind(v) == GS_T_HANDLE)
        o = gs_handle_obj(v);
    else if (v.tag == GS_T_INT && v.i > 0)
        o = pin_find(v.i);
    if (o != NULL && (gs_load_rlx(&o->flags) & GS_HF_FREED))
        return NULL;
    return o;
}

static struct gs_hobj *bad_handle(struct gs_vm *vm, const char *fn, gs_value v, enum gs_hkind want)
{
    if (!gs_is_intlike(v)) {
        gs_throw(vm, GS_ERR_HANDLE, "%s expects a %s handle, got %s", fn, kind_names[want],
                 gs_typeof_name(v));
        return NULL;
    }
    struct gs_hobj *o = gs_handle_find(v);
    if (o == NULL)
        gs_throw(vm, GS_ERR_HANDLE, "%s expects a %s handle, got %lld, which is none", fn,
                 kind_names[want], (long long)v.i);
    else
        gs_throw(vm, GS_ERR_HANDLE, "%s expects a %s handle, got a %s handle", fn, kind_names[want],
                 kind_names[o->kind]);
    return NULL;
}

struct gs_hobj *gs_handle_check_slow(struct gs_vm *vm, const char *fn, gs_value v, enum gs_hkind k)
{
    struct gs_hobj *o = gs_handle_find(v);
    if (GS_LIKELY(o != NULL && o->kind == (uint8_t)k))
        return o;
    return bad_handle(vm, fn, v, k);
}

/* ---- ledgers ---- */

#define LEDGER_FIRST (sizeof(((struct gs_ledger *)0)->first) / sizeof(struct gs_hobj *))

static struct gs_hobj **entries(struct gs_ledger *l)
{
    return l->v != NULL ? l->v : l->first;
}

/* Takes over a share; on failure it is dropped. */
static gs_status ledger_push(struct gs_ledger *l, struct gs_hobj *o)
{
    uint32_t cap = l->v != NULL ? l->cap : (uint32_t)LEDGER_FIRST;
    if (l->n == cap) {
        struct gs_hobj **v = gs_mem_realloc(l->v, (size_t)cap * 2 * sizeof *v);
        if (v == NULL) {
            gs_hobj_release(o);
            return GS_E_NOMEM;
        }
        if (l->v == NULL)
            memcpy(v, l->first, sizeof l->first);
        l->v = v;
        l->cap = cap * 2;
    }
    entries(l)[l->n++] = o;
    return GS_OK;
}

/* What an entry counts for in the pacing of collections, as if it were on the heap: about the memory behind a handle. So handles that are dropped and heap objects that are dropped
 * are looked for together, and a large heap is not marked for the sake of a few handles. */
#define SHARE_BYTES 128u

static gs_status adopt(struct gs_vm *vm, struct gs_hobj *o)
{
    if (ledger_push(&vm->ledger, o) != GS_OK)
        return GS_E_NOMEM;
    gs_heap_pressure(&vm->heap, SHARE_BYTES);
    if (vm->heap.used == 0) /* nothing beyond the VM's own chunk yet: used > threshold must be able to come true */
        vm->heap.used = 1;
    return GS_OK;
}

gs_status gs_handle_adopt(struct gs_vm *vm, struct gs_hobj *o, gs_value *out)
{
    gs_value v = gs_handlev(o->id, o);
    if (adopt(vm, o) != GS_OK)
        return GS_E_NOMEM;
    *out = v;
    return GS_OK;
}

gs_status gs_handle_share_value(struct gs_vm *vm, gs_value v)
{
    gs_hobj_retain(gs_handle_obj(v));
    return adopt(vm, gs_handle_obj(v));
}

gs_status gs_handle_share(struct gs_vm *vm, struct gs_hobj *o, gs_value *out)
{
    gs_hobj_retain(o);
    return gs_handle_adopt(vm, o, out);
}

/* The marks of the collection that runs on this thread: objects of the ledger, open addressing; low bit set: seen. */
static _Thread_local struct {
    uintptr_t *slots;
    uint32_t mask;
} seen;

static uintptr_t *seen_slot(const struct gs_hobj *o)
{
    uintptr_t key = (uintptr_t)o;
    uint32_t i = (uint32_t)((key * 0x9E3779B97F4A7C15u) >> 32) & seen.mask;
    while (seen.slots[i] != 0 && (seen.slots[i] & ~(uintptr_t)1) != key)
        i = (i + 1) & seen.mask;
    return &seen.slots[i];
}

void gs_ledger_begin(struct gs_vm *vm)
{
    struct gs_ledger *l = &vm->ledger;
    seen.slots = NULL;
    if (l->n == 0)
        return;
    uint32_t cap = 8;
    while (cap < l->n * 2)
        cap *= 2;
    seen.slots = gs_mem_zalloc(cap * sizeof *seen.slots);
    if (seen.slots == NULL)
        return; /* out of memory: everything is kept this time */
    seen.mask = cap - 1;
    for (uint32_t i = 0; i < l->n; i++)
        *seen_slot(entries(l)[i]) = (uintptr_t)entries(l)[i];
}

void gs_ledger_seen(struct gs_vm *vm, struct gs_hobj *o)
{
    (void)vm;
    if (seen.slots == NULL)
        return;
    uintptr_t *s = seen_slot(o);
    if (*s != 0)
        *s |= 1;
}

void gs_ledger_end(struct gs_vm *vm)
{
    struct gs_ledger *l = &vm->ledger;
    if (seen.slots != NULL) {
        struct gs_hobj **v = entries(l);
        uint32_t kept = 0, n = l->n;
        for (uint32_t i = 0; i < n; i++) {
            uintptr_t *s = seen_slot(v[i]);
            if (*s & 1) {
                *s &= ~(uintptr_t)1; /* one share is enough: later entries of the same object go */
                v[kept++] = v[i];
            } else {
                gs_hobj_release(v[i]);
            }
        }
        l->n = kept;
        gs_mem_free(seen.slots);
        seen.slots = NULL;
    }
    if (gs_hold.on)
        (void)gs_hold_return_shares(); /* what nobody has any more goes now */
    gs_deadlock_note();
    size_t live = (size_t)l->n * SHARE_BYTES; /* as many again until the next collection */
    vm->heap.threshold += live < SIZE_MAX - vm->heap.threshold ? live : SIZE_MAX - vm->heap.threshold;
}

void gs_ledger_fini(struct gs_vm *vm)
{
    struct gs_ledger *l = &vm->ledger;
    for (uint32_t i = 0; i < l->n; i++)
        gs_hobj_release(entries(l)[i]);
    if (l->v != NULL)
        gs_mem_free(l->v);
    l->v = NULL;
    l->n = 0;
}
