/* SPDX-License-Identifier: MIT
 * seed.h - a spawned task before it begins: its call, and no VM yet.
 *
 * Why        Most tasks wait in a queue for a while and are short. What waits is the values of a flat call (flat.h) in a block of 160 bytes, where a VM takes 640; the worker that begins
 *            the task gives it one from its own caches, mostly that of the task which has just ended there, put back to the beginning. So a task that another worker takes brings two
 *            lines with it instead of ten. Calls that are not flat get their VM at once (copy.h).
 * Task       A seed is a task of the scheduler like a VM (task.h). When it runs it makes itself a VM, which becomes the running task in its place (gs_worker_become_owner), and is gone.
 * Owner      Who spawns, until it is submitted; then the worker that runs it, or the process that ends before (gs_seed_drop). Nobody else looks into it: a cancel finds o->vm NULL,
 *            leaves its note in the object, and gs_taskobj_begin sees that.
 * Memory     There may be none for the VM: then the task ends with OutOfMemory.
 */
#ifndef GS_RUNTIME_SEED_H
#define GS_RUNTIME_SEED_H

#include "flat.h"

struct gs_seed {
    struct gs_task task; /* first: the scheduler's header */
    struct gs_taskobj *o; /* the task's own share; set by gs_task_spawn */
    /* A struct gs_flat follows, with the arguments behind its values. */
};

/* One that fits most calls: five values. The stock of blocks has these. */
#define GS_SEED_BYTES 160u

/* A call of fn by `from`. NULL: it is not flat, or memory is out. */
struct gs_seed *gs_seed_new(const struct gs_vm *from, gs_value fn, const gs_value *args, uint32_t n);
/* Frees it with what it holds but for o. */
void gs_seed_free(struct gs_seed *s);
/* The process ends and has never run it: frees it and drops o. */
void gs_seed_drop(struct gs_seed *s);
/* The seed that a queued task is; NULL: it is a VM. */
struct gs_seed *gs_seed_of(const struct gs_task *t);
const struct gs_proto *gs_seed_proto(const struct gs_seed *s);
/* A VM that is about to do the call, for reports: the caller's, and no task's. NULL: no memory. */
struct gs_vm *gs_seed_vm(const struct gs_seed *s);

#endif
