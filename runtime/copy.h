/* SPDX-License-Identifier: MIT
 * copy.h - the one copier: spawn arguments, messages, results and the store.
 *
 * What       A tracing copy with a forwarding table: aliasing and cycles inside a copy are kept. Immediates, immortal objects (code, constants,
 *            classes) are themselves; long strings and packed array payloads are shared (counted, copy-on-write); handles take a share.
 * Functions  A function leads to its captures and to the globals that its code, and the functions and classes it can reach through constants, name
 *            (proto->reach, computed once). An instance leads to the methods of its class. Globals travel as (slot, value) pairs; the receiver
 *            takes those that it lacks.
 * Parcel     A value on its way: either it stands for itself (immediate, immortal without globals, or a handle whose share the parcel holds), or a fragment
 *            owns everything: a heap without VM, shares of handles, globals. A fragment is never changed after packing, so that any number of VMs may
 *            open it at the same time (results awaited twice, the store). Zeroed is the parcel of nil.
 * Order      Parcels are handed from thread to thread by queues that order memory (release/acquire).
 */
#ifndef GS_RUNTIME_COPY_H
#define GS_RUNTIME_COPY_H

#include "handle.h"

/* Copies v out of vm. GS_OK or GS_E_NOMEM (*out is then nil). */
GS_INLINE gs_status gs_parcel_pack(struct gs_vm *vm, gs_value v, struct gs_parcel *out);
/* Packs n values as one graph (aliasing between them is kept); opens as an array of n elements. */
gs_status gs_parcel_pack_n(struct gs_vm *vm, const gs_value *v, uint32_t n, struct gs_parcel *out);
/* Copies the value into vm; the parcel stays as it is. */
gs_status gs_parcel_open(struct gs_vm *vm, const struct gs_parcel *p, gs_value *out);
/* As gs_parcel_open followed by gs_parcel_drop, without copying large fragments again. On GS_E_NOMEM the parcel stays. */
GS_INLINE gs_status gs_parcel_take(struct gs_vm *vm, struct gs_parcel *p, gs_value *out);
/* Frees what it owns and makes it the parcel of nil. Any thread. */
GS_INLINE void gs_parcel_drop(struct gs_parcel *p);
/* Bytes of its fragment; 0: it has none. */
size_t gs_parcel_size(const struct gs_parcel *p);
/* A second parcel of the same value (bumps a count; no copying). */
void gs_parcel_dup(const struct gs_parcel *p, struct gs_parcel *out);

gs_status gs_parcel_pack_object(struct gs_vm *vm, gs_value v, struct gs_parcel *out);
gs_status gs_parcel_take_object(struct gs_vm *vm, struct gs_parcel *p, gs_value *out);
void gs_parcel_drop_object(struct gs_parcel *p);

/* A number, nil or a bool: nothing is held. */
GS_INLINE bool gs_parcel_is_plain(const struct gs_parcel *p)
{
    return gs_value_is_plain(p->v);
}

/* What owns the value; NULL: it stands for itself. */
GS_INLINE struct gs_fragment *gs_parcel_fragment(const struct gs_parcel *p)
{
    return gs_is(p->v, GS_T_FRAGMENT) ? p->v.p : NULL;
}

/* *p by words; value.h. */
GS_INLINE struct gs_parcel gs_parcel_words(const struct gs_parcel *p)
{
    return (struct gs_parcel){.v = gs_value_words(&p->v)};
}

GS_INLINE gs_status gs_parcel_pack(struct gs_vm *vm, gs_value v, struct gs_parcel *out)
{
    *out = (struct gs_parcel){.v = v};
    return GS_LIKELY(gs_parcel_is_plain(out)) ? GS_OK : gs_parcel_pack_object(vm, v, out);
}

GS_INLINE gs_status gs_parcel_take(struct gs_vm *vm, struct gs_parcel *p, gs_value *out)
{
    if (GS_UNLIKELY(!gs_parcel_is_plain(p)))
        return gs_parcel_take_object(vm, p, out);
    *out = gs_value_words(&p->v);
    p->v = gs_nil();
    return GS_OK;
}

GS_INLINE void gs_parcel_drop(struct gs_parcel *p)
{
    if (GS_UNLIKELY(!gs_parcel_is_plain(p)))
        gs_parcel_drop_object(p);
    else
        p->v = gs_nil();
}

/* Copies fn and n arguments from one VM straight into a fresh VM (spawn) and starts it there. GS_OK or GS_E_NOMEM. */
gs_status gs_copy_start(struct gs_vm *from, struct gs_vm *to, gs_value fn, const gs_value *args, uint32_t n);

/* Values that travel as they are, without a fragment: immediates and immortal objects that lead to no globals. */
bool gs_copy_stands_for_itself(gs_value v);
/* Room for a table of n globals, NULL when out. One that is made while the VM still lives in its first chunk, which is never reclaimed, lies there if it fits: most tasks name a few
 * globals only. Else *foreign: the VM gets it with GS_VM_FOREIGN_GLOBALS. */
gs_value *gs_copy_new_globals(struct gs_vm *vm, uint32_t n, bool *foreign);

/* A deep copy within one VM (builtin copy()). */
gs_status gs_copy_local(struct gs_vm *vm, gs_value v, gs_value *out);

#endif
