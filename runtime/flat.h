/* SPDX-License-Identifier: MIT
 * flat.h - flat calls: those that lead to nothing but numbers, strings, handles and what never changes.
 *
 * What       Of such a call nothing has to be remembered while it is copied: the values of its arguments, captured variables and globals are written where they belong. Same result as
 *            the copier's, a tenth of the work; most spawns and jobs are flat calls.
 * Kept       What several calls of one function have in common (struct gs_flat: function, captured variables, globals) is kept outside of all heaps until there is a VM, for jobs that
 *            wait; a job is then no more than its arguments. A parcel would be a fragment with a heap of its own for each. Strings that are in a heap cannot be kept.
 * Again      A VM that has done such a call and is still as it was when it began - it made nothing, never waited, changed no global - is put back to the beginning for the next one
 *            instead of being cleared and started (gs_flat_restart): pool_tiny 0.9 of its time.
 */
#ifndef GS_RUNTIME_FLAT_H
#define GS_RUNTIME_FLAT_H

#include "handle.h"
#include "reach.h"

/* The values of a flat call, in the VM it comes from or kept. */
struct gs_flat_call {
    const struct gs_proto *proto;
    const gs_value *args, *up, *globals; /* globals NULL: those of from */
    uint32_t nargs, nup;
    const struct gs_reach *reach;
    const struct gs_vm *from;
};

/* False: it is no flat call. */
bool gs_flat_call_of(struct gs_flat_call *f, const struct gs_vm *from, gs_value fn, const gs_value *args, uint32_t n);
/* Starts it in a fresh VM. GS_OK or GS_E_NOMEM. */
gs_status gs_flat_call_start(struct gs_vm *to, const struct gs_flat_call *f);

struct gs_flat {
    const struct gs_proto *proto;
    const struct gs_reach *reach;
    uint32_t nargs, nup;
    gs_value v[]; /* captured variables, globals in the order of reach; handles keep a share */
};

/* What calls of fn with n arguments have in common. NULL: it cannot be kept, or memory is out: try a parcel. */
struct gs_flat *gs_flat_new(const struct gs_vm *from, gs_value fn, uint32_t n);
void gs_flat_free(struct gs_flat *f); /* any thread; NULL: nothing */
/* The same in memory of the caller's, with room for all values, and the arguments behind the others; r: what fn reaches. False: it cannot be kept, and nothing is held. */
bool gs_flat_fill(struct gs_flat *f, const struct gs_vm *from, gs_value fn, const struct gs_reach *r, const gs_value *args, uint32_t n);
/* Whether a call of fn with n arguments has just this in common with the others. */
GS_INLINE bool gs_flat_fits(const struct gs_flat *f, const struct gs_vm *from, gs_value fn, uint32_t n);
/* The arguments of one call: whether they can be kept; keeping them, handles with a share; and dropping them (any thread). */
GS_INLINE bool gs_flat_takes(const gs_value *args, uint32_t n);
GS_INLINE void gs_flat_keep(gs_value *to, const gs_value *args, uint32_t n);
GS_INLINE void gs_flat_drop(const gs_value *args, uint32_t n);
/* Starts a call in a fresh VM and marks it; f and args stay. GS_OK or GS_E_NOMEM. */
gs_status gs_flat_start(struct gs_vm *to, const struct gs_flat *f, const gs_value *args);
/* The same in a VM that has done a call. False: it was another one, or the VM is not as it was when that began, and has to be renewed; it may be in any state that gs_vm_renew takes. */
bool gs_flat_restart(struct gs_vm *vm, const struct gs_flat *f, const gs_value *args);

/* ---- inline ---- */

bool gs_flat_takes_object(gs_value v);
bool gs_flat_fits_values(const struct gs_flat *f, const struct gs_vm *from, const struct gs_func *fn);

GS_INLINE bool gs_flat_fits(const struct gs_flat *f, const struct gs_vm *from, gs_value fn, uint32_t n)
{
    if (fn.tag != GS_T_FUNC || fn.f->proto != f->proto || n != f->nargs)
        return false;
    return (f->nup == 0 && f->reach->n == 0) || gs_flat_fits_values(f, from, fn.f);
}

GS_INLINE bool gs_flat_takes(const gs_value *args, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (GS_UNLIKELY(!gs_value_is_plain(args[i])) && !gs_flat_takes_object(args[i]))
            return false;
    return true;
}

GS_INLINE void gs_flat_keep(gs_value *to, const gs_value *args, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        to[i] = gs_value_words(&args[i]);
        if (gs_kind(args[i]) == GS_T_HANDLE)
            gs_hobj_retain(gs_handle_obj(args[i]));
    }
}

GS_INLINE void gs_flat_drop(const gs_value *args, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (gs_kind(args[i]) == GS_T_HANDLE)
            gs_hobj_release(gs_handle_obj(args[i]));
}

#endif
