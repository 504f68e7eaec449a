/* SPDX-License-Identifier: MIT
 * handle.h - handles: ints to the program, shares of an object to the VM.
 *
 * Shares     An object behind a handle is reference-counted by holders, not by values: a VM's ledger (vm.h) has an entry for each share it took
 *            - when it made the object, received the handle in a message, result or spawn - and a collection drops the entries of handles that
 *            are no longer reachable in that VM. Parcels (copy.h) and other objects hold shares of their own. [H1] drop: fetch_sub acq_rel;
 *            the dropper that finds 1 calls the kind's drop function and sees all earlier writes. Workers keep a few shares of the objects they
 *            meet often, so that a task that takes and drops one touches no shared line: such an object lives until they have gone back (hold.h).
 * Numbers    64-bit, from 1 up, handed out to workers in ranges, never reused. A handle value carries the object's address in its tag, so that a use
 *            looks nothing up.
 * Cycles     A channel that holds its own handle in a message keeps itself: counts do not see that. It is memory lost, nothing worse.
 * Pinning    When the number itself becomes visible (text, arithmetic, JSON) the object is pinned: a global table (number -> object) takes a share for good,
 *            and from then on the plain int works like the handle. An int that is in no table is no handle: HandleError.
 * Freed      Some kinds can be freed by the program (collections.free): GS_HF_FREED makes every later use a HandleError.
 */
#ifndef GS_RUNTIME_HANDLE_H
#define GS_RUNTIME_HANDLE_H

#include "vm.h"

enum gs_hkind {
#define GS_HANDLE(name, text, drop) GS_H_##name,
#include "handle.def"
#undef GS_HANDLE
    GS_H_COUNT_
};

enum gs_hflag { GS_HF_PINNED = 1u, GS_HF_FREED = 2u };

struct gs_hobj { /* first member of every object behind a handle */
    _Atomic uint32_t refs;
    uint8_t kind; /* enum gs_hkind; constant */
    _Atomic uint8_t flags;
    union {
        int64_t id; /* constant */
        struct gs_hobj *doomed; /* once the last share is gone: the next one to drop; handle.c */
    };
};

/* Each kind's drop function: frees o, whose last share is gone. */
#define GS_HANDLE(name, text, drop) void drop(struct gs_hobj *o);
#include "handle.def"
#undef GS_HANDLE

const char *gs_hkind_name(enum gs_hkind k);

/* o is zeroed memory of gs_mem_*; afterwards it has one share, the caller's, and a number. */
void gs_hobj_init(struct gs_hobj *o, enum gs_hkind k);
void gs_hobj_retain(struct gs_hobj *o);
void gs_hobj_release(struct gs_hobj *o);

/* Gives the caller's share to vm's ledger and makes the handle value. On GS_E_NOMEM the share has been dropped. */
gs_status gs_handle_adopt(struct gs_vm *vm, struct gs_hobj *o, gs_value *out);
/* As above, but takes a share of its own. */
gs_status gs_handle_share(struct gs_vm *vm, struct gs_hobj *o, gs_value *out);
/* As above, with a handle value, which is vm's value too; reads nothing of the object, whose line others may be writing to. */
gs_status gs_handle_share_value(struct gs_vm *vm, gs_value v);

/* The object of a handle value or of a plain int that is pinned; NULL with a HandleError thrown ("expected a channel, got ...") when it is none, freed, or of
 * another kind. Borrowed: vm's ledger or the pin keeps it for the duration of the call. fn: name for the message ("recv"). */
GS_INLINE struct gs_hobj *gs_handle_check(struct gs_vm *vm, const char *fn, gs_value v, enum gs_hkind k);
struct gs_hobj *gs_handle_check_slow(struct gs_vm *vm, const char *fn, gs_value v, enum gs_hkind k);
/* As above without throwing and for any kind; NULL when v is no live handle. */
struct gs_hobj *gs_handle_find(gs_value v);

GS_INLINE struct gs_hobj *gs_handle_check(struct gs_vm *vm, const char *fn, gs_value v, enum gs_hkind k)
{
    if (GS_LIKELY(gs_kind(v) == GS_T_HANDLE)) {
        struct gs_hobj *o = gs_handle_obj(v);
        if (GS_LIKELY(o->kind == (uint8_t)k && !(gs_load_rlx(&o->flags) & GS_HF_FREED)))
            return o;
    }
    return gs_handle_check_slow(vm, fn, v, k);
}

/* As above without a word to say: NULL when v is no handle value of a live object of kind k; it may still be a number that is pinned. */
GS_INLINE struct gs_hobj *gs_handle_quick(gs_value v, enum gs_hkind k)
{
    struct gs_hobj *o = gs_handle_obj(v);
    bool ok = gs_kind(v) == GS_T_HANDLE && o->kind == (uint8_t)k && !(gs_load_rlx(&o->flags) & GS_HF_FREED);
    return GS_LIKELY(ok) ? o : NULL;
}

/* The number becomes visible. Any thread; idempotent. */
void gs_handle_pin(struct gs_hobj *o);

/* Entry i of n; of one's own VM, or of one that is held still. */
static inline struct gs_hobj *gs_ledger_at(const struct gs_ledger *l, uint32_t i)
{
    return l->v != NULL ? l->v[i] : l->first[i];
}

/* Ledger of a collection: begin, then seen for each handle met while marking, then end drops the rest. */
void gs_ledger_begin(struct gs_vm *vm);
void gs_ledger_seen(struct gs_vm *vm, struct gs_hobj *o);
void gs_ledger_end(struct gs_vm *vm);
/* Drops everything (the VM ends). */
void gs_ledger_fini(struct gs_vm *vm);

#endif
