/* SPDX-License-Identifier: MIT
 * hold.h - what a worker keeps for itself so that a short task touches no line that other workers
 * write: memory of ended VMs and task objects, shares of objects, leave to start tasks.
 *
 * Problem    A task of 100 ns that takes and drops one share of a waitgroup, counts itself in and out
 *            and returns its memory to another worker's allocator pays more for these lines than
 *            for its work, and they go from core to core at each step.
 * Design     Each worker takes such things from the common stock by the dozen and hands them out
 *            without atomics. What it holds is always covered: by the object's count (handle.c), by
 *            gs_rt.tasks_alive (taskobj.c), by the allocator (hold.c).
 * Bounds     All of it goes back when the worker finds nothing to do and is about to sleep, and when
 *            it ends; so nothing is held while the verdict "nothing can run" is made. Shares
 *            (those of the warm VM, too) go back after GS_HOLD_RUNS runs and after each collection: a dropped channel is freed
 *            soon, also on a worker that never rests.
 * Owner      The thread itself. Threads that are no workers have `on` false and use the common stock.
 */
#ifndef GS_RUNTIME_HOLD_H
#define GS_RUNTIME_HOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "heap_int.h"
#include "port/atomic.h"

struct gs_hobj;
struct gs_vm;

#define GS_HOLD_SETS 16u
#define GS_HOLD_RUNS 256u
/* Blocks of a kind that are kept, and how many go to or come from the depot at a time. */
#define GS_HOLD_BLOCKS 256u
#define GS_HOLD_BATCH 64u

/* Memory of ended VMs, task objects and seeds. */
enum gs_hold_kind { GS_HOLD_VM, GS_HOLD_TASK, GS_HOLD_SEED, GS_HOLD_KINDS };

struct gs_hold {
    bool on;       /* this thread is a worker, between its start and its stop */
    uint32_t runs; /* until the shares go back */
    uint32_t leave; /* tasks that may start here, counted in gs_rt.tasks_alive already */
    /* A set has places for two of the objects whose addresses fall into it: with one, two objects in steady use by
     * every task (a counter and a waitgroup) would keep each other out in one program of sixteen. */
    struct gs_hold_set {
        struct gs_hold_share {
            struct gs_hobj *o; /* `n` of its shares are ours to give; NULL: none */
            uint32_t n;
        } way[2];                /* the newer one first */
        struct gs_hobj *miss[2]; /* others that were asked for last: the second time one gets a place */
    } set[GS_HOLD_SETS];
    struct gs_vm *warm; /* of a task that has ended, with what it held: the next one begins there (seed.c); NULL: none */
    struct gs_hold_blocks {
        uint32_t n;
        void *block[GS_HOLD_BLOCKS];
    } blocks[GS_HOLD_KINDS];
};

extern _Thread_local struct gs_hold gs_hold;

/* The worker's hooks; api.c. */
void gs_hold_start(void);
void gs_hold_idle(void);
void gs_hold_stop(void);

/* A block of the kind from what the worker, or else the depot, has; not cleared. NULL: there is none, ask the allocator for one of gs_hold_bytes. */
GS_INLINE void *gs_hold_take(enum gs_hold_kind k);
/* A block of gs_mem_* that is needed no longer. Any thread: who is no worker frees it. */
GS_INLINE void gs_hold_give(enum gs_hold_kind k, void *p);
extern const uint32_t gs_hold_bytes[GS_HOLD_KINDS];

/* Parts of the above: give everything back. handle.c, taskobj.c. */
bool gs_hold_return_shares(void); /* true: there were some */
void gs_hold_return_leave(void);

void *gs_hold_take_slow(enum gs_hold_kind k);
void gs_hold_give_slow(enum gs_hold_kind k, void *p);

GS_INLINE void *gs_hold_take(enum gs_hold_kind k)
{
    struct gs_hold_blocks *b = &gs_hold.blocks[k];
    if (GS_UNLIKELY(b->n == 0))
        return gs_hold_take_slow(k);
    void *p = b->block[--b->n];
    GS_UNPOISON(p, gs_hold_bytes[k]);
    return p;
}

GS_INLINE void gs_hold_give(enum gs_hold_kind k, void *p)
{
    struct gs_hold_blocks *b = &gs_hold.blocks[k];
    if (GS_UNLIKELY(!gs_hold.on || b->n == GS_HOLD_BLOCKS)) {
        gs_hold_give_slow(k, p);
        return;
    }
    b->block[b->n++] = p;
    GS_POISON(p, gs_hold_bytes[k]);
}

#endif
