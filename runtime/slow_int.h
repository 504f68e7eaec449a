/* SPDX-License-Identifier: MIT
 * slow_int.h - what slow.c, slow_call.c, lib_core.c and interp.c share.
 */
#ifndef GS_RUNTIME_SLOW_INT_H
#define GS_RUNTIME_SLOW_INT_H

#include "error.h"
#include "handle.h"
#include "slow.h"

/* Before an allocating operation has any effect. */
#define GS_COLLECT_IF_DUE(vm)                                                                      \
    do {                                                                                           \
        if (GS_UNLIKELY(gs_vm_wants_gc(vm)))                                                       \
            gs_vm_collect(vm);                                                                     \
    } while (0)

/* Runs an operation that changes nothing when it gives GS_E_NOMEM; then collects and runs it once
 * more, then throws. Evaluates twice. */
#define GS_RETRY(vm, operation)                                                                    \
    __extension__({                                                                                \
        int status_ = (operation);                                                                 \
        if (GS_UNLIKELY(status_ == GS_E_NOMEM)) {                                                  \
            gs_vm_collect(vm);                                                                     \
            status_ = (operation);                                                                 \
            if (status_ == GS_E_NOMEM)                                                             \
                status_ = gs_throw_nomem(vm);                                                      \
        }                                                                                          \
        status_;                                                                                   \
    })

/* The int behind an int-like value whose number the program gets to see: a handle's object is
 * pinned from here on. */
GS_INLINE gs_value gs_visible_int(gs_value v)
{
    if (GS_UNLIKELY(!gs_is(v, GS_T_INT)))
        gs_handle_pin(gs_handle_obj(v));
    return gs_int(v.i);
}

/* An instruction whose marks other VMs may be setting (bytecode.h). */
GS_INLINE gs_insn gs_insn_load(const gs_insn *at)
{
    return gs_load_rlx((const _Atomic gs_insn *)at); /* relaxed: all else in it is constant */
}

/* How many values range(start, stop, step) has, as an unsigned number; step != 0. */
int64_t gs_range_steps(int64_t start, int64_t stop, int64_t step);
/* Member of a module value; UNSET for a global that has no value yet. */
bool gs_module_member(const struct gs_vm *vm, const struct gs_module *m, const struct gs_str *name,
                      gs_value *out);
#endif
