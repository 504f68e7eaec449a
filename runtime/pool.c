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

/* Takes over a share when true. */
static bool list_push(struct gs_joblist *l, struct gs_taskobj *o)
{
    if (l->n == l->cap) {
        uint32_t cap = l->cap != 0 ? l->cap * 2 : 16;
        struct gs_taskobj **v = gs_mem_realloc(l->v, cap * sizeof(struct gs_taskobj *));
        if (v == NULL)
            return false;
        l->v = v;
        l->cap = cap;
    }
    l->v[l->n++] = o;
    return true;
}

static void list_drop(struct gs_joblist *l)
{
    for (uint32_t i = 0; i < l->n; i++)
        gs_hobj_release(&l->v[i]->h);
    gs_mem_free(l->v);
}

void gs_pool_drop(struct gs_hobj *h)
{
    struct gs_pool *p = (struct gs_pool *)h; /* no job is left: each holds a share */
    list_drop(&p->since);
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

static void drop_call(struct gs_job *j)
{
    gs_flat_call_drop(j->flat);
    gs_parcel_drop(&j->call);
}

static void job_over(struct gs_pool *p)
{
    gs_spin_lock(&p->lock);
    p->running--;
    gs_spin_unlock(&p->lock);
}

static gs_status start_job(struct gs_job *j)
{
    return j->flat != NULL ? gs_taskobj_start_flat(j->o, j->flat) : gs_taskobj_start_packed(j->o, &j->call);
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
        gs_status st = start_job(&j);
        drop_call(&j); /* a parcel that was started is empty */
        if (st != GS_OK) {
            job_over(p);
            gs_taskobj_fail(j.o);
            gs_hobj_release(&p->h);
            gs_hobj_release(&j.o->h);
        }
    }
}

bool gs_pool_job_over(struct gs_taskobj *o, struct gs_job *next)
{
    struct gs_pool *p = o->pool;
    gs_spin_lock(&p->lock);
    bool given = next != NULL && p->running <= p->size && p->len > 0 && p->queue[p->head].flat != NULL;
    if (given)
        (void)queue_pop_locked(p, next);
    else
        p->running--;
    gs_spin_unlock(&p->lock);
    return given;
}

void gs_pool_job_ended(struct gs_taskobj *o, bool given)
{
    struct gs_pool *p = o->pool;
    if (!given)
        run_jobs(p);
    gs_hobj_release(&p->h);
}

void gs_pool_job_failed(struct gs_job *j)
{
    struct gs_pool *p = j->o->pool;
    gs_flat_call_drop(j->flat);
    job_over(p);
    gs_taskobj_fail(j->o);
    run_jobs(p);
    gs_hobj_release(&p->h);
    gs_hobj_release(&j->o->h);
}

void gs_pool_job_dropped(struct gs_taskobj *o)
{
    struct gs_pool *p = o->pool;
    struct gs_job j;
    while (queue_pop_locked(p, &j)) {
        drop_call(&j);
        gs_hobj_release(&p->h);
        gs_hobj_release(&j.o->h);
    }
    gs_hobj_release(&p->h);
}

/* Takes o, which has a share for it, out of the list again. False: another task waits for it already. */
static bool list_forget(struct gs_joblist *l, struct gs_taskobj *o)
{
    uint32_t i = l->n;
    while (i > 0 && l->v[i - 1] != o)
        i--;
    if (i == 0)
        return false;
    memmove(l->v + i - 1, l->v + i, (l->n - i) * sizeof *l->v);
    l->n--;
    return true;
}

enum place { PLACE_FREE, PLACE_QUEUED, PLACE_CLOSED, PLACE_NOMEM };

/* Notes the job in list; takes a place for it when one is free and nobody queues, else queues it. */
static enum place take_place(struct gs_pool *p, struct gs_joblist *list, struct gs_job j)
{
    enum place is = PLACE_CLOSED;
    gs_spin_lock(&p->lock);
    if (!p->closed) {
        is = !list_push(list, j.o) ? PLACE_NOMEM : p->running < p->size && p->len == 0 ? PLACE_FREE : PLACE_QUEUED;
        if (is == PLACE_FREE) {
            p->running++;
        } else if (is == PLACE_QUEUED && !queue_push_locked(p, j)) {
            (void)list_forget(list, j.o); /* nobody has come between */
            is = PLACE_NOMEM;
        }
    }
    gs_spin_unlock(&p->lock);
    return is;
}

/* A job that has been noted and given a place cannot be started. Its shares are with the caller again. */
static void forget_job(struct gs_pool *p, struct gs_joblist *list, struct gs_taskobj *o)
{
    gs_spin_lock(&p->lock);
    p->running--;
    bool mine = list_forget(list, o);
    gs_spin_unlock(&p->lock);
    if (!mine) {
        gs_hobj_retain(&o->h); /* the list's is with who waits for it */
        gs_taskobj_fail(o);
    }
    run_jobs(p); /* somebody may have queued up meanwhile */
}

/* o has two shares, the list's and the job's, which are taken when GS_OK. */
static int submit_job(struct gs_vm *vm, struct gs_pool *p, struct gs_joblist *list, struct gs_taskobj *o, gs_value *args, uint32_t n)
{
    struct gs_job j = {.o = o, .flat = gs_flat_call_pack(vm, args[1], args + 2, n - 2)};
    if (j.flat == NULL && gs_parcel_pack_n(vm, args + 1, n - 1, &j.call) != GS_OK)
        return GS_E_NOMEM;
    enum place is = take_place(p, list, j);
    if (is == PLACE_QUEUED)
        return GS_OK;
    gs_status st = is == PLACE_FREE ? start_job(&j) : GS_E_NOMEM;
    drop_call(&j);
    if (st == GS_OK)
        return GS_OK;
    if (is == PLACE_FREE)
        forget_job(p, list, o);
    return is == PLACE_CLOSED ? gs_throw(vm, GS_ERR_VALUE, "submit to a closed pool") : GS_E_NOMEM;
}

/* list: of whom waits for the job. ret NULL: nobody takes the future. */
static int submit(struct gs_vm *vm, struct gs_pool *p, struct gs_joblist *list, gs_value *args, uint32_t n, gs_value *ret)
{
    struct gs_taskobj *o = gs_taskobj_new(vm, GS_TS_FUTURE, GS_H_FUTURE);
    if (o == NULL)
        return GS_E_NOMEM;
    gs_store_rlx(&o->h.refs, ret != NULL ? 3u : 2u); /* nobody else knows it: one for the job and one for the list */
    int st = ret != NULL ? (int)gs_handle_adopt(vm, &o->h, ret) : GS_OK;
    if (st == GS_OK) {
        gs_hobj_retain(&p->h); /* the job's */
        o->pool = p;
        st = submit_job(vm, p, list, o, args, n);
        if (st == GS_OK)
            return GS_OK;
        gs_hobj_release(&p->h); /* no job has come of it */
    }
    gs_hobj_release(&o->h);
    gs_hobj_release(&o->h);
    return st;
}

static int pool_submit(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    POOL("submit");
    int st = gs_arg_fn(vm, "submit", args, 1);
    return st != GS_OK ? st : submit(vm, p, &p->since, args, n, ret);
}

GS_TWIN(pool_submit, "submit", 2, GS_ARGS_ANY);

/* ---- what wait and map are made of ---- */

#define JOBS(fn)                                                                                                       \
    struct gs_jobs *b = (struct gs_jobs *)gs_handle_check(vm, fn, args[0], GS_H_JOBS);                                 \
    (void)n;                                                                                                           \
    if (b == NULL)                                                                                                     \
    return GS_E_THROWN

void gs_jobs_drop(struct gs_hobj *h)
{
    struct gs_jobs *b = (struct gs_jobs *)h;
    list_drop(&b->list);
    if (b->p != NULL)
        gs_hobj_release(&b->p->h);
    gs_mem_free(b);
}

static struct gs_jobs *jobs_new(struct gs_vm *vm, gs_value *ret)
{
    struct gs_jobs *b = gs_mem_zalloc(sizeof *b);
    if (b == NULL)
        return NULL;
    gs_hobj_init(&b->h, GS_H_JOBS);
    return gs_handle_adopt(vm, &b->h, ret) == GS_OK ? b : NULL;
}

/* poolTake(p): what has been submitted since the last call of this. */
static int pool_take(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    POOL("wait");
    struct gs_jobs *b = jobs_new(vm, ret);
    if (b == NULL)
        return GS_E_NOMEM;
    gs_spin_lock(&p->lock);
    b->list = p->since;
    p->since = (struct gs_joblist){0};
    gs_spin_unlock(&p->lock);
    b->left = b->list.n;
    return GS_OK;
}

/* poolJobs(p): none yet; poolMapJob(b, f, element, index) adds one, which f gets as many arguments of as it declares. */
static int pool_jobs(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    POOL("map");
    struct gs_jobs *b = jobs_new(vm, ret);
    if (b == NULL)
        return GS_E_NOMEM;
    gs_hobj_retain(&p->h);
    b->p = p;
    return GS_OK;
}

static int pool_map_job(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)ret;
    JOBS("map");
    int st = gs_arg_fn(vm, "map", args, 1);
    if (st == GS_OK)
        st = submit(vm, b->p, &b->list, args, 2 + gs_slow_trim(args[1], n - 2), NULL);
    b->left = b->list.n;
    return st;
}

/* poolDone(b, name): true: all have ended; false: ask again. The last one is waited for first: when it has ended most others have, too. */
static int pool_done(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    JOBS("wait");
    while (b->left > 0 && gs_taskobj_is_done(b->list.v[b->left - 1]))
        b->left--;
    *ret = gs_bool(b->left == 0);
    return b->left == 0 ? GS_OK : gs_taskobj_wait_end(vm, b->list.v[b->left - 1], args[1].s->data, ret);
}

/* poolResults(b), once all have ended: the results in order, or the first error. */
static int pool_results(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    JOBS("wait");
    struct gs_taskobj *failed = NULL;
    for (uint32_t i = b->list.n; i-- > 0;) {
        if (!b->list.v[i]->failed) /* constant now */
            continue;
        failed = b->list.v[i];
        gs_taskobj_received(failed);
    }
    if (failed != NULL)
        return gs_taskobj_outcome(vm, failed, ret);
    struct gs_array *a = gs_array_new(&vm->heap);
    for (uint32_t i = 0; i < b->list.n; i++) {
        gs_value v;
        if (a == NULL || gs_taskobj_outcome(vm, b->list.v[i], &v) != GS_OK || gs_array_push(&vm->heap, a, v) != GS_OK)
            return GS_E_NOMEM;
    }
    if (a == NULL)
        return GS_E_NOMEM;
    *ret = gs_objv(GS_T_ARRAY, a);
    return GS_OK;
}

/* wantArray(name, a): a must be an array; it is argument 2 of pool.map, argument 1 of the others. */
static int want_array(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    (void)ret;
    struct gs_array *a;
    return gs_arg_array(vm, args[0].s->data, args + 1, 0, &a);
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
    GS_FN_TWIN("submit", pool_submit, 2, GS_ARGS_ANY),
    GS_PRELUDE_FN("wait", "poolWait"),
    GS_PRELUDE_FN("map", "poolMap"),
    GS_FN("close", pool_close, 1, 1, 0),
    GS_FN("size", pool_size, 1, 1, 0),
    GS_FN("pending", pool_pending, 1, 1, 0),
};
GS_LIB_MODULE(gs_lib_thread_pool, "thread.pool", false, entries);

static const struct gs_lib_entry intrinsics[] = {
    GS_FN("poolTake", pool_take, 1, 1, 0),
    GS_FN("poolJobs", pool_jobs, 1, 1, 0),
    GS_FN("poolMapJob", pool_map_job, 4, 4, 0),
    GS_FN("poolDone", pool_done, 2, 2, 0),
    GS_FN("poolResults", pool_results, 1, 1, GS_NF_PURE),
    GS_FN("wantArray", want_array, 2, 2, 0),
};
GS_LIB_MODULE(gs_lib_pool_intrinsics, "<intrinsic>", false, intrinsics);
