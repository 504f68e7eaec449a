/* SPDX-License-Identifier: MIT
 * seed.c - spawned tasks before they begin. Contract: seed.h.
 */
#include "seed.h"

#include "hold.h"
#include "port/mem.h"
#include "taskobj.h"

static struct gs_flat *call_of(const struct gs_seed *s)
{
    return (struct gs_flat *)((uintptr_t)s + sizeof *s);
}

static uint32_t values_of(const struct gs_flat *f)
{
    return f->nup + f->reach->n + f->nargs;
}

static const gs_value *args_of(const struct gs_flat *f)
{
    return f->v + f->nup + f->reach->n;
}

static size_t bytes_for(uint32_t values)
{
    return sizeof(struct gs_seed) + sizeof(struct gs_flat) + values * sizeof(gs_value);
}

static void block_free(struct gs_seed *s, uint32_t values)
{
    if (bytes_for(values) <= GS_SEED_BYTES)
        gs_hold_give(GS_HOLD_SEED, s);
    else
        gs_mem_free(s);
}

static struct gs_seed *block_new(uint32_t values)
{
    size_t bytes = bytes_for(values);
    struct gs_seed *s = bytes <= GS_SEED_BYTES ? gs_hold_take(GS_HOLD_SEED) : NULL;
    return s != NULL ? s : gs_mem_alloc(bytes <= GS_SEED_BYTES ? GS_SEED_BYTES : bytes);
}

static enum gs_run resume(struct gs_task *t, struct gs_worker *w);

struct gs_seed *gs_seed_new(const struct gs_vm *from, gs_value fn, const gs_value *args, uint32_t n)
{
    if (fn.tag != GS_T_FUNC)
        return NULL;
    const struct gs_reach *r = gs_reach_of_proto(fn.f->proto);
    uint32_t values = fn.f->h.aux16 + r->n + n;
    struct gs_seed *s = block_new(values);
    if (s == NULL)
        return NULL;
    if (!gs_flat_fill(call_of(s), from, fn, r, args, n)) {
        block_free(s, values);
        return NULL;
    }
    gs_task_init(&s->task, resume);
    return s;
}

void gs_seed_free(struct gs_seed *s)
{
    struct gs_flat *f = call_of(s);
    uint32_t values = values_of(f);
    gs_flat_drop(f->v, values);
    block_free(s, values);
}

void gs_seed_drop(struct gs_seed *s)
{
    struct gs_taskobj *o = s->o;
    gs_seed_free(s);
    gs_hobj_release(&o->h);
}

struct gs_seed *gs_seed_of(const struct gs_task *t)
{
    return t->resume == resume ? (struct gs_seed *)(uintptr_t)t : NULL; /* the task is its first member */
}

const struct gs_proto *gs_seed_proto(const struct gs_seed *s)
{
    return call_of(s)->proto;
}

/* vm: a new or renewed one. Gives it, or NULL without it. */
static struct gs_vm *start(struct gs_vm *vm, const struct gs_flat *f)
{
    if (vm != NULL && gs_flat_start(vm, f, args_of(f)) == GS_OK)
        return vm;
    gs_vm_free(vm);
    return NULL;
}

struct gs_vm *gs_seed_vm(const struct gs_seed *s)
{
    return start(gs_taskobj_new_vm(), call_of(s));
}

/* The worker's VM of an ended task, or a new one, about to do the call. */
static struct gs_vm *vm_for(const struct gs_flat *f)
{
    struct gs_vm *vm = gs_hold.warm;
    gs_hold.warm = NULL;
    if (vm == NULL)
        return start(gs_taskobj_new_vm(), f);
    if (GS_UNLIKELY(gs_load_rlx(&vm->task.sp_limit) == 0)) /* what somebody wanted of the task that has ended; nobody else looks now */
        (void)gs_task_answer(&vm->task);
    if (GS_LIKELY(gs_flat_restart(vm, f, args_of(f))))
        return vm;
    gs_taskobj_renew_vm(vm);
    return start(vm, f);
}

static enum gs_run resume(struct gs_task *t, struct gs_worker *w)
{
    struct gs_seed *s = (struct gs_seed *)t; /* the task is its first member */
    struct gs_taskobj *o = s->o;
    struct gs_vm *vm = vm_for(call_of(s));
    if (GS_LIKELY(vm != NULL))
        gs_worker_become_owner(w, &vm->task);
    else
        gs_worker_detach_owner(w);
    gs_seed_free(s);
    return vm != NULL ? gs_taskobj_begin(vm, o, w) : gs_taskobj_never(o, w);
}
