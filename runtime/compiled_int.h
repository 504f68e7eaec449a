/* SPDX-License-Identifier: MIT
 * compiled_int.h - what the files behind compiled.h share.
 */
#ifndef GS_RUNTIME_COMPILED_INT_H
#define GS_RUNTIME_COMPILED_INT_H

#include "compiled.h"

/* After an operation that may have been refused a collection. */
GS_INLINE int gs_c_settle(struct gs_vm *vm, int st)
{
    if (GS_LIKELY(!vm->refused))
        return st;
    if (st == GS_OK) {
        vm->refused = false; /* it found memory the second time */
        return st;
    }
    vm->error = gs_nil();
    return GS_C_AGAIN; /* vm->refused stays for gs_hot_run */
}

#endif
