/* SPDX-License-Identifier: MIT
 * pool.c - thread.pool. Contract: pool.h. wait and map are written in the prelude on top of these.
 */
#include "pool.h"

#include <string.h>

#include "error.h"
#include "lib.h"
#include "port/mem.h"
#include "rt.h"
#include "slow.h"

#define POOL(fn)                                                                                                       \
    struct gs_pool *p = (struct gs_pool *)gs_handle_check(vm, fn, args[0], GS_H_POOL);                                 \
    if (p == NULL)                                                                                                     \
    return GS_E_THROWN

static int pool_new(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    int64_t size = gs_sched_usable_cpus();
    int st = n > 0 ? gs_arg_int(vm, "new", args, 0, &size) : GS_OK;
    if (st != GS_OK)
        return st;
    if (size < 1 || size > UINT32_MAX)
        return gs_throw(vm, GS_ERR_VALUE, "pool size must be at least 1, got %lld", (long long)size);
    struct gs_pool *p = gs_mem_zalloc(sizeof *p);
    if (p == NULL)
        return GS_E_NOMEM;
    gs_hobj_init(&p->h, GS_H_POOL);
    p->size = (uint32_t)size;
    return (int)gs_handle_adopt(vm, &p->h, ret);
}

void gs_pool_drop(struct gs_hobj *h)
{
    struct gs_pool *p = (struct gs_pool *)h; /* no job is left: each holds a share */
    for (uint32_t i = 0; i < p->nsince; i++)
        gs_hobj_release(&p->since[i]->h);
    gs_mem_free(p->since);
    gs_mem_free(p->queue);
    gs_mem_free(p);
}

static bool queue_push_locked(struct gs_pool *p, struct gs_job j)
{
    if (p->len == p->cap) {
        uint32_t cap = p->cap != 0 ? p->cap * 2 : 16;
        struct gs_job *q = gs_mem_alloc(cap * sizeof *q);
        if (q == NULL)
            return false;
        uint32_t first = p->cap - p->head;
        if (p->len > 0) {
            memcpy(q, p->queue + p->head, first * sizeof *q);
            memcpy(q + first, p->queue, p->head * sizeof *q);
        }
        gs_mem_free(p->queue);
        p->queue = q;
        p->cap = cap;
        p->head = 0;
    }
    uint32_t at = p->head + p->len;
    p->queue[at >= p->cap ? at - p->cap : at] = j;
    p->len++;
    return true;
}

static bool queue_pop_locked(struct gs_pool *p, struct gs_job *j)
{
    if (p->len == 0)
        return false;
    *j = p->queue[p->head];
    p->head = p->head + 1 == p->cap ? 0 : p->head + 1;
    p->len--;
    return true;
}

static void job_over(struct gs_pool *p)
{
    gs_spin_lock(&p->lock);
    p->running--;
    gs_spin_unlock(&p->lock);
}

/* Starts queued jobs while there are places. A job for whose VM there is no memory ends with OutOfMemory. The caller holds a share of the pool. */
static void run_jobs(struct gs_pool *p)
{
    for (;;) {
        struct gs_job j;
        gs_spin_lock(&p->lock);
        bool got = p->running < p->size && queue_pop_locked(p, &j);
        if (got)
            p->running++;
        gs_spin_unlock(&p->lock);
        if (!got)
            return;
        if (gs_taskobj_start_packed(j.o, &j.call) != GS_OK) {
            gs_parcel_drop(&j.call);
            job_over(p);
            gs_taskobj_fail(j.o);
            gs_hobj_release(&p->h);
        }
        gs_hobj_release(&j.o->h);
    }
}

void gs_pool_job_over(struct gs_taskobj *o)
{
    job_over(o->pool);
}

void gs_pool_job_ended(struct gs_taskobj *o)
{
    struct gs_pool *p = o->pool;
    run_jobs(p);
    gs_hobj_release(&p->h);
}

void gs_pool_job_dropped(struct gs_taskobj *o)
{
    struct gs_pool *p = o->pool;
    struct gs_job j;
    while (queue_pop_locked(p, &j)) {
        gs_parcel_drop(&j.call);
        gs_hobj_release(&p->h);
        gs_hobj_release(&j.o->h);
    }
    gs_hobj_release(&p->h);
}

static bool since_push_locked(struct gs_pool *p, struct gs_taskobj *o)
{
    if (p->nsince == p->capsince) {
        uint32_t cap = p->capsince != 0 ? p->capsince * 2 : 16;
        struct gs_taskobj **v = gs_mem_realloc(p->since, cap * sizeof *v);
        if (v == NULL)
            return false;
        p->since = v;
        p->capsince = cap;
    }
    gs_hobj_retain(&o->h);
    p->since[p->nsince++] = o;
    return true;
}

enum place { PLACE_NONE, PLACE_FREE, PLACE_CLOSED };

/* Takes a place for a job at once when one is free and nobody queues for it. */
static enum place take_place(struct gs_pool *p)
{
    gs_spin_lock(&p->lock);
    enum place is = p->closed ? PLACE_CLOSED : p->running < p->size && p->len == 0 ? PLACE_FREE : PLACE_NONE;
    if (is == PLACE_FREE)
        p->running++;
    gs_spin_unlock(&p->lock);
    return is;
}

/* keep: the job is one of those that wait waits for (map waits for its own by itself). */

/* Notes a job that has a place. False when memory is out. */
static bool note_job(struct gs_pool *p, struct gs_taskobj *o)
{
    gs_spin_lock(&p->lock);
    bool ok = since_push_locked(p, o);
    gs_spin_unlock(&p->lock);
    return ok;
}

/* Queues and notes a job. Takes the call and a share of o when true. */
static bool queue_job(struct gs_pool *p, struct gs_job j, bool keep)
{
    gs_spin_lock(&p->lock);
    bool ok = queue_push_locked(p, j);
    if (ok && keep && !since_push_locked(p, j.o)) {
        p->len--; /* ours is the last one */
        ok = false;
    }
    gs_spin_unlock(&p->lock);
    return ok;
}

/* A noted job could not be started. */
static void forget_job(struct gs_pool *p, struct gs_taskobj *o)
{
    gs_spin_lock(&p->lock);
    uint32_t i = p->nsince;
    while (i > 0 && p->since[i - 1] != o)
        i--;
    if (i > 0) {
        memmove(p->since + i - 1, p->since + i, (p->nsince - i) * sizeof *p->since);
        p->nsince--;
    }
    gs_spin_unlock(&p->lock);
    if (i > 0)
        gs_hobj_release(&o->h);
    else /* another task waits for it already */
        gs_taskobj_fail(o);
}

static int start_now(struct gs_vm *vm, struct gs_pool *p, struct gs_taskobj *o, gs_value *args, uint32_t n, bool keep)
{
    if (!keep || note_job(p, o)) {
        if (gs_taskobj_start(vm, o, args[1], args + 2, n - 2) == GS_OK)
            return GS_OK;
        if (keep)
            job_over(p);
        forget_job(p, o);
    } else {
        job_over(p);
    }
    run_jobs(p); /* somebody may have queued up meanwhile */
    return GS_E_NOMEM;
}

static int start_later(struct gs_vm *vm, struct gs_pool *p, struct gs_taskobj *o, gs_value *args, uint32_t n, bool keep)
{
    struct gs_job j = {.o = o};
    if (gs_parcel_pack_n(vm, args + 1, n - 1, &j.call) != GS_OK)
        return GS_E_NOMEM;
    gs_hobj_retain(&o->h);
    if (queue_job(p, j, keep)) {
        run_jobs(p); /* places may have become free meanwhile */
        return GS_OK;
    }
    gs_parcel_drop(&j.call);
    gs_hobj_release(&o->h);
    return GS_E_NOMEM;
}

/* ret NULL: nobody takes the future. */
static int submit(struct gs_vm *vm, struct gs_pool *p, gs_value *args, uint32_t n, bool keep, gs_value *ret)
{
    struct gs_taskobj *o = gs_taskobj_new(vm, GS_TS_FUTURE, GS_H_FUTURE);
    if (o == NULL)
        return GS_E_NOMEM;
    int st = GS_OK;
    if (ret != NULL) {
        gs_hobj_retain(&o->h); /* the first share stays ours */
        st = (int)gs_handle_adopt(vm, &o->h, ret);
    }
    if (st == GS_OK) {
        gs_hobj_retain(&p->h); /* the job's */
        o->pool = p;
        enum place is = take_place(p);
        if (is == PLACE_CLOSED)
            st = gs_throw(vm, GS_ERR_VALUE, "submit to a closed pool");
        else
            st = is == PLACE_FREE ? start_now(vm, p, o, args, n, keep) : start_later(vm, p, o, args, n, keep);
        if (st != GS_OK)
            gs_hobj_release(&p->h); /* no job has come of it */
    }
    gs_hobj_release(&o->h);
    return st;
}

static int pool_submit(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    POOL("submit");
    int st = gs_arg_fn(vm, "submit", args, 1);
    return st != GS_OK ? st : submit(vm, p, args, n, true, ret);
}

static int submit_alone(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)ret;
    return pool_submit(vm, args, n, NULL);
}
static const struct gs_native submit_no_result = GS_NATIVE_INIT(submit_alone, "submit", 2, GS_ARGS_ANY, 0, NONE);

/* poolMapJob(p, f, element, index): a job of map, which f gets as many arguments of as it declares. */
static int pool_map_job(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    POOL("map");
    int st = gs_arg_fn(vm, "map", args, 1);
    return st != GS_OK ? st : submit(vm, p, args, 2 + gs_slow_trim(args[1], n - 2), false, ret);
}

/* wantArray(name, a): a must be an array; it is argument 2 of pool.map, argument 1 of the others. */
static int want_array(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    (void)ret;
    struct gs_array *a;
    return gs_arg_array(vm, args[0].s->data, args + 1, 0, &a);
}

/* The futures submitted since the last call of this, in order: what wait waits for. */
static int pool_take(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    POOL("wait");
    struct gs_taskobj **v = NULL;
    struct gs_array *a;
    uint32_t count;
    do { /* the array first: what has been taken out of the pool must not be lost */
        gs_spin_lock(&p->lock);
        count = p->nsince;
        gs_spin_unlock(&p->lock);
        a = gs_array_make(&vm->heap, GS_STORE_VALUE, count);
        if (a == NULL)
            return GS_E_NOMEM;
        gs_spin_lock(&p->lock);
        if (p->nsince <= count) {
            v = p->since;
            count = p->nsince;
            p->since = NULL;
            p->nsince = p->capsince = 0;
        }
        gs_spin_unlock(&p->lock);
    } while (v == NULL && count > 0);
    a->len = count;
    int st = GS_OK;
    for (uint32_t i = 0; i < count; i++) {
        gs_value f = gs_nil();
        if (gs_handle_adopt(vm, &v[i]->h, &f) != GS_OK)
            st = GS_E_NOMEM;
        a->v[i] = f;
    }
    gs_mem_free(v);
    if (st == GS_OK)
        *ret = gs_objv(GS_T_ARRAY, a);
    return st;
}

static int pool_close(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    POOL("close");
    gs_spin_lock(&p->lock);
    *ret = gs_bool(!p->closed);
    p->closed = true;
    gs_spin_unlock(&p->lock);
    return GS_OK;
}

static int pool_size(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    POOL("size");
    *ret = gs_int(p->size);
    return GS_OK;
}

static int pool_pending(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    POOL("pending");
    gs_spin_lock(&p->lock);
    *ret = gs_int((int64_t)p->running + p->len);
    gs_spin_unlock(&p->lock);
    return GS_OK;
}

static const struct gs_lib_entry entries[] = {
    GS_FN("new", pool_new, 0, 1, 0),
    GS_FN_TWIN("submit", pool_submit, &submit_no_result, 2, GS_ARGS_ANY, 0),
    GS_PRELUDE_FN("wait", "poolWait"),
    GS_PRELUDE_FN("map", "poolMap"),
    GS_FN("close", pool_close, 1, 1, 0),
    GS_FN("size", pool_size, 1, 1, 0),
    GS_FN("pending", pool_pending, 1, 1, 0),
};
GS_LIB_MODULE(gs_lib_thread_pool, "thread.pool", false, entries);

static const struct gs_lib_entry intrinsics[] = {
    GS_FN("poolTake", pool_take, 1, 1, 0),
    GS_FN("poolMapJob", pool_map_job, 4, 4, 0),
    GS_FN("wantArray", want_array, 2, 2, 0),
};
GS_LIB_MODULE(gs_lib_pool_intrinsics, "<intrinsic>", false, intrinsics);
