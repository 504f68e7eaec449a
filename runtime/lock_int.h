/* SPDX-License-Identifier: MIT
 * lock_int.h - what lock.c, mutex.c and rwlock.c share.
 */
#ifndef GS_RUNTIME_LOCK_INT_H
#define GS_RUNTIME_LOCK_INT_H

#include "error.h"
#include "lib.h"
#include "lock.h"
#include "port/mem.h"
#include "taskobj.h"

GS_INLINE int64_t gs_lock_me(const struct gs_vm *vm)
{
    return vm->self->h.id;
}

/* Before anything blocks: cancel and the room for a timer. GS_OK: go on. */
int gs_lock_may_block(struct gs_vm *vm, int64_t ms);
/* A new object, NULL when there was no memory for it, becomes a handle. */
int gs_lock_adopt(struct gs_vm *vm, struct gs_hobj *o, enum gs_hkind k, gs_value *ret);
/* Milliseconds; negative ones are 0. */
int gs_lock_arg_ms(struct gs_vm *vm, const char *fn, gs_value *args, uint32_t i, int64_t *ms);

/* The finish of a wait that gives nil, come what may. */
int gs_lock_finish_nil(struct gs_vm *vm, gs_value *ret);

/* Declares o, the object behind the first argument, or returns with a HandleError. */
#define GS_LOCK_GET(type, kind, fn)                                                                                    \
    struct type *o = (struct type *)gs_handle_check(vm, fn, args[0], kind);                                            \
    (void)n;                                                                                                           \
    if (o == NULL)                                                                                                     \
    return GS_E_THROWN

#endif
