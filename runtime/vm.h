/* SPDX-License-Identifier: MIT
 * vm.h - one task's virtual machine: scheduler header, frames, heap, globals, error in flight.
 *
 * Stack      One growable array of values, nothing on the C stack. A call window at R[A] becomes
 *            the callee's frame:
 *              base[-2]  the callee (FUNC), kept for the collector, traces and captures
 *              base[-1]  the link: payload = caller's return pc,
 *                        tag = GS_T_FRAME | flags << 8 | (base - caller's base) << 32
 *              base[0].. its registers (proto->nregs of them)
 *            The bottom frame's link has a pc of NULL. Growing moves the stack: hold no pointer
 *            into it across a call marked so.
 * Stale      [G1] Every slot of the stack holds a value that was valid after the last collection:
 *            objects are freed in collections only, new stacks are zeroed, and each collection
 *            clears all slots above the top frame. So the collector marks whole frames.
 * Safe point task.sp_limit (task.h): entry compares base + nregs with it, taken back-edges compare
 *            base (a poke makes it 0).
 * High water task.sp_real is not the end of the stack but a mark below it: no slot from there up
 *            has been used since it was cleared, so that a collection clears only up to the mark,
 *            however large the stack once was. Reaching the mark costs a visit to
 *            gs_vm_grow_stack, which moves the mark before it moves the stack.
 * Owner      The worker that runs the task. A waker touches only what waitq.h says.
 * Memory     VM, first heap chunk and first stack are one allocation of GS_VM_BYTES; a task that
 *            stays small needs nothing else. The stack lies behind the chunk and has GS_VM_STACK0
 *            slots; a function that needs more takes them from what the chunk has left when it
 *            is started.
 */
#ifndef GS_RUNTIME_VM_H
#define GS_RUNTIME_VM_H

#include "heap.h"
#include "proto.h"
#include "task.h"

struct gs_taskobj;
struct gs_places;
struct gs_fragment;
struct gs_wait_ext;
struct gs_waitq;
struct gs_vm;

/* A value on its way between VMs; copy.h. */
struct gs_parcel {
    gs_value v; /* stands for itself, or is of the kind FRAGMENT */
};

/* One way to be woken; waitq.h. */
struct gs_waiter {
    struct gs_waiter *next, *prev;
    _Atomic(struct gs_waitq *) q; /* queue it is in, NULL: none; changed under that queue's lock */
    struct gs_vm *vm;
    struct gs_parcel item; /* what a sender brings or a receiver got */
    uint32_t index;        /* select: number of the case */
    /* Outcome: receive: a value (else closed); send: delivered (else closed). */
    bool ok;
    bool send;
    bool timed; /* of the VM's own first one: a timer, too, will wake the VM */
};

/* Compact table of globals: slot number of the program -> place in the VM's table. Immutable,
 * shared by all VMs with the same set, immortal. NULL layout: the identity (the main VM, which has
 * a place for each slot). */
struct gs_glayout {
    uint32_t n; /* places */
    /* Size of map - 1; the map is sparse enough to be free of collisions, else probed linearly. */
    uint32_t mask;
    struct gs_gentry {
        uint32_t slot; /* slot + 1; 0: empty */
        uint32_t place;
    } *map;
    const uint32_t *slots; /* place -> slot */
    void *trans;           /* copy.c: layouts with more slots */
};

/* Shares that this VM holds in objects behind handles: one entry a share. A collection drops the
 * entries of handles it did not meet. */
struct gs_ledger {
    struct gs_hobj **v;
    uint32_t n, cap;
    struct gs_hobj *first[3]; /* room before the first allocation */
};

/* Why and where a task waits; set by the library function that returns GS_PARK. The words and
 * waiters: waitq.h. */
struct gs_park {
    /* Called on the worker that resumes the task: takes the outcome. GS_OK with *ret set,
     * GS_E_THROWN, GS_E_NOMEM (it is called again after a collection, so it must leave the outcome
     * in place), or GS_PARK again. */
    int (*finish)(struct gs_vm *vm, gs_value *ret);
    const char *what;         /* "recv": name of the operation, for the deadlock report and dumps */
    struct gs_hobj *obj;      /* what it waits on, or NULL */
    _Atomic uint32_t word;    /* enum gs_wait_word */
    _Atomic uint32_t number;  /* of the wait, counted by the VM; for who wants to know whether it is still the same */
    struct gs_waiter *winner; /* the waiter that woke it */
    struct gs_waiter first;
    struct gs_wait_ext *ext; /* timer and select waiters; NULL until needed */
};

struct gs_vm {
    struct gs_task task; /* first: the scheduler's header */

    /* registers of the interpreter while it does not run (or is inside a slow path) */
    gs_value *base;    /* NULL: no frame (not started, or the bottom frame has returned) */
    const gs_insn *pc; /* next instruction; errors are at pc[-1] */
    gs_value *stack, *stack_end;
    struct gs_heap heap;

    gs_value *globals;
    const struct gs_glayout *layout;

    gs_value error;  /* with GS_E_THROWN; always a value in this heap */
    gs_value result; /* of the bottom frame */
    struct gs_park park;
    struct gs_ledger ledger;
    uint32_t resume_dst;     /* register (relative to base) that the outcome of a park goes to */
    uint8_t resume_how;      /* interp.c: how the parked instruction goes on */
    uint8_t flags;           /* enum gs_vmflag */
    uint8_t live_shard;      /* api.c */
    uint8_t marked_shares;   /* gs_vm_mark: entries of the ledger, */
    struct gs_taskobj *self; /* the handle object of this task; it outlives the VM */
    struct gs_vm *live_prev, *live_next; /* registry of VMs that have waited, for reports */
    void *lib; /* lib_math's random state and such; struct gs_vmlib, NULL until needed */
    /* End of a call window that reaches beyond its frame, for the collector; NULL: the frame's end
     * counts. */
    gs_value *top;
    /* Error.c: where thrown values that are no error objects were thrown; NULL until needed. */
    struct gs_places *places;
    /* Compiled code; hot.h. */
    int32_t heat;            /* events until the next sample */
    bool compiled;           /* its frames are on the C stack: nothing collects */
    bool refused;            /* a collection was asked for meanwhile */
    uint16_t marked_used;    /* bytes of the first chunk, */
    const struct gs_func *marked_fn; /* and the function; NULL: there is no mark */
    uintptr_t cstack_limit;  /* it goes no deeper than this */
    const struct gs_hot_site *missed; /* which guard failed, when the code says so */
};

enum gs_vmflag {
    GS_VM_MAIN = 1,
    GS_VM_CANCELLED = 2,     /* the next blocking call or poll throws Cancelled */
    GS_VM_FOREIGN_STACK = 4, /* stack is an allocation of its own (not part of the VM's) */
    GS_VM_FOREIGN_GLOBALS = 8,
    GS_VM_LIVE = 16, /* in the registry of live VMs */
};

/* A size class of the allocator; the next ones are 512 and 768. A parked task is this and little
 * else, so that a million of them take less than 800 bytes each. */
#define GS_VM_BYTES 640u
#define GS_VM_STACK0 7u /* slots of the first stack at least */

/* A VM with an empty stack; NULL when memory is out. `self` may be NULL (main VM of tests). */
struct gs_vm *gs_vm_new(void);
void gs_vm_free(struct gs_vm *vm);
/* Of one that has ended: it has next to nothing beside its own block and shares of objects. */
bool gs_vm_is_light(const struct gs_vm *vm);
/* The running task's VM becomes as a new one; only what the scheduler knows of it and a stack that has grown a little stay. */
void gs_vm_renew(struct gs_vm *vm);
/* Prepares the call of fn (FUNC, NATIVE or BOUND, in this VM's heap or immortal) with n arguments
 * as the bottom frame. Arity and other errors throw when the VM first runs. GS_OK or GS_E_NOMEM. */
gs_status gs_vm_start(struct gs_vm *vm, gs_value fn, const gs_value *args, uint32_t n);
/* To be called when it has just been started: what gs_vm_rewind compares with. */
void gs_vm_mark(struct gs_vm *vm);
/* Of a VM whose bottom frame has returned: true when it has made nothing and holds nothing since the mark and has never waited; it stands before the call again then, and only the
 * arguments have to be set (base[0] on). Globals are the caller's affair. False: there was no mark, or it did more. */
bool gs_vm_rewind(struct gs_vm *vm);
/* Makes room for n more slots above top (a pointer into the stack); moves the stack: vm->base and
 * vm->top are updated. GS_OK, or GS_E_THROWN with StackOverflow / OutOfMemory in vm->error (raised
 * at vm->pc[-1], so base and pc must be saved). Rearms task.sp_limit; a poke that came meanwhile
 * stays. */
gs_status gs_vm_grow_stack(struct gs_vm *vm, gs_value *top, uint32_t n);
/* As above, but false instead of an error: making one costs a walk over all frames. */
bool gs_vm_try_grow_stack(struct gs_vm *vm, gs_value *top, uint32_t n);
/* Gives memory back after a deep recursion has been unwound. Moves the stack. */
void gs_vm_trim_stack(struct gs_vm *vm);
/* First slot behind the running frame. */
gs_value *gs_vm_frame_end(const struct gs_vm *vm);

/* interp.c: runs until the bottom frame returns (GS_OK, vm->result), an error leaves it
 * (GS_E_THROWN, vm->error), the task parks (GS_PARK), lets others run (GS_YIELD) or the process
 * ends (GS_EXIT). To go on after PARK or YIELD call it again. */
gs_status gs_interp_run(struct gs_vm *vm);

/* A collection now; at safe points only (see heap.h). While vm->compiled is set only vm->refused is. */
void gs_vm_collect(struct gs_vm *vm);

/* The frame of the running function. */
GS_INLINE const struct gs_proto *gs_vm_proto(const struct gs_vm *vm)
{
    return vm->base[-2].f->proto;
}

/* Globals: NULL when this VM has no place for the slot. */
GS_INLINE gs_value *gs_vm_global(const struct gs_vm *vm, uint32_t slot)
{
    const struct gs_glayout *l = vm->layout;
    if (l == NULL)
        return &vm->globals[slot];
    for (uint32_t i = slot & l->mask;; i = (i + 1) & l->mask) {
        if (l->map[i].slot == slot + 1)
            return &vm->globals[l->map[i].place];
        if (l->map[i].slot == 0)
            return NULL;
    }
}

#endif
