/* SPDX-License-Identifier: MIT
 * pool.c - thread.pool: the queue and the library functions. Contract: pool.h; runners: pool_run.c. wait and map are written in the prelude on top of these.
 *
 * Submitting What memory it takes (a list, a chunk, a packed call, a runner) is made without the lock: an attempt under the lock says what it lacks, and the next one finds it made.
 */
#include "pool.h"

#include "error.h"
#include "flat.h"
#include "lib.h"
#include "port/mem.h"
#include "rt.h"
#include "slow.h"

#define CHUNK_MIN 512u /* bytes of a chunk; powers of two, as the allocator has them */
#define CHUNK_MAX 16384u
#define SLOTS_MIN 4u
#define AHEAD 16u /* slots */

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

static struct gs_jobs *jobs_new(struct gs_pool *p)
{
    struct gs_jobs *b = gs_mem_zalloc(sizeof *b);
    if (b == NULL)
        return NULL;
    gs_hobj_init(&b->h, GS_H_JOBS);
    b->pool = p;
    b->waiters.lock = &p->lock;
    return b;
}

/* From here on the list has a share of the pool, and the pool none of the list. */
static void set_apart(struct gs_jobs *b)
{
    gs_hobj_retain(&b->pool->h);
    b->apart = true;
}

void gs_jobs_drop(struct gs_hobj *h)
{
    struct gs_jobs *b = (struct gs_jobs *)h;
    for (struct gs_chunk *c = b->first, *next; c != NULL; c = next) {
        next = c->next;
        for (uint32_t i = 0; (c->futures || gs_load_rlx(&c->holds)) && i < c->n; i++) {
            struct gs_slot *s = gs_chunk_slot(c, i);
            struct gs_taskobj **future = gs_slot_future(c, s), *o = gs_slot_outcome(s);
            if (future != NULL && *future != NULL) /* it was abandoned */
                gs_hobj_release(&(*future)->h);
            if (o != NULL)
                gs_hobj_release(&o->h);
            else
                gs_parcel_drop(&s->p);
        }
        gs_flat_free(c->call);
        gs_mem_free(c);
    }
    if (b->apart)
        gs_hobj_release(&b->pool->h);
    gs_mem_free(b);
}

void gs_pool_drop(struct gs_hobj *h)
{
    struct gs_pool *p = (struct gs_pool *)h; /* no job is left: each runner holds a share */
    if (p->since != NULL)
        gs_hobj_release(&p->since->h);
    gs_mem_free(p);
}

/* ---- submitting ---- */

/* A call on its way into the queue. */
struct call {
    const gs_value *args; /* the function, then its arguments */
    uint32_t n;
    bool plain;           /* the arguments would do for a flat call */
    struct gs_taskobj *o; /* its future, with a share for the slot; or NULL */
    struct made *made;    /* NULL: nothing yet */
};

/* What has been made for it without the lock. */
struct made {
    bool packed; /* it is a packed call: */
    struct gs_parcel parcel;
    struct gs_jobs *list;
    struct gs_chunk *chunk; /* which this call fits */
    struct gs_vm *runner;
    bool started; /* the runner has been linked */
};

enum put { PUT_DONE, PUT_CLOSED, PUT_NOMEM, PUT_WANTS_LIST, PUT_WANTS_CHUNK, PUT_WANTS_RUNNER };

/* The last chunk of the list, if the call can be added there. */
static struct gs_chunk *open_chunk(struct gs_vm *vm, const struct gs_pool *p, const struct gs_jobs *b, const struct call *k)
{
    struct gs_chunk *c = b->last;
    if (c == NULL || c->n == c->cap || (gs_chunk_is_queued(c) && c != p->last) || c->at != vm->pc || c->futures != (k->o != NULL))
        return NULL;
    bool fits = c->call != NULL ? k->plain && gs_flat_fits(c->call, vm, k->args[0], k->n - 1) : k->made != NULL && k->made->packed;
    return fits ? c : NULL;
}

static void queue_locked(struct gs_pool *p, struct gs_chunk *c)
{
    c->behind = NULL;
    if (p->first == NULL)
        p->first = c;
    else
        p->last->behind = c;
    p->last = c;
}

static void add_locked(struct gs_pool *p, struct gs_chunk *c, struct call *k)
{
    if (!gs_chunk_is_queued(c))
        queue_locked(p, c);
    struct gs_slot *s = gs_chunk_slot(c, c->n++);
    if (c->call == NULL) {
        s->p = k->made->parcel;
        k->made->parcel = (struct gs_parcel){0};
    } else {
        gs_flat_keep(gs_slot_args(s), k->args + 1, k->n - 1);
    }
    if (c->futures)
        *gs_slot_future(c, s) = k->o;
    if (c->jobs->n++ == c->jobs->over)
        gs_hobj_retain(&c->jobs->h);
    p->unfinished++;
}

static enum put put_locked(struct gs_vm *vm, struct gs_pool *p, struct gs_jobs *b, struct call *k)
{
    struct made *m = k->made;
    bool start = p->running < p->size;
    if (p->closed)
        return PUT_CLOSED;
    if (b == NULL && p->since == NULL) {
        if (m == NULL || m->list == NULL)
            return PUT_WANTS_LIST;
        p->since = m->list;
        m->list = NULL;
    }
    if (b == NULL)
        b = p->since;
    if (start && (m == NULL || m->runner == NULL))
        return PUT_WANTS_RUNNER;
    struct gs_chunk *c = open_chunk(vm, p, b, k);
    if (c == NULL && (m == NULL || m->chunk == NULL))
        return PUT_WANTS_CHUNK;
    if (b->n == UINT32_MAX)
        return PUT_NOMEM;
    if (c == NULL) {
        c = m->chunk;
        m->chunk = NULL;
        c->jobs = b;
        *(b->last != NULL ? &b->last->next : &b->first) = c;
        b->last = c;
    }
    add_locked(p, c, k);
    if (start)
        gs_runner_link_locked(m->runner);
    else if (p->out > 0)
        gs_pool_count_in_locked(p, gs_worker_self());
    if (m != NULL)
        m->started = start;
    return PUT_DONE;
}

/* Finds out whether it is a flat call, packs it if not, and makes a chunk for such. */
static bool make_chunk(struct gs_vm *vm, struct call *k, uint32_t bytes)
{
    struct made *m = k->made;
    uint32_t n = k->n - 1;
    struct gs_flat *f = k->plain && !m->packed ? gs_flat_new(vm, k->args[0], n) : NULL;
    if (f == NULL && !m->packed) {
        if (gs_parcel_pack_n(vm, k->args, k->n, &m->parcel) != GS_OK)
            return false;
        m->packed = true;
    }
    uint32_t stride = gs_slot_stride(f != NULL ? n : 0, k->o != NULL);
    uint32_t cap = (bytes - (uint32_t)sizeof(struct gs_chunk)) / stride;
    cap = cap < SLOTS_MIN ? SLOTS_MIN : cap;
    struct gs_chunk *c = gs_mem_alloc_aligned(sizeof *c + (size_t)cap * stride, GS_CACHE_LINE);
    if (c == NULL) {
        gs_flat_free(f);
        return false;
    }
    *c = (struct gs_chunk){.call = f, .at = vm->pc, .cap = cap, .stride = stride, .futures = k->o != NULL};
    gs_vm_place(vm, &c->file, &c->line);
    m->chunk = c;
    return true;
}

static void drop_made(struct made *m)
{
    if (m->list != NULL)
        gs_hobj_release(&m->list->h);
    if (m->chunk != NULL) {
        gs_flat_free(m->chunk->call);
        gs_mem_free(m->chunk);
    }
    if (m->runner != NULL)
        gs_runner_free(m->runner);
    gs_parcel_drop(&m->parcel); /* nil when the slot has it */
}

/* What else putting it takes; false: there is no memory for that. */
static bool make(struct gs_vm *vm, struct gs_pool *p, enum put wanted, struct call *k, uint32_t bytes)
{
    switch (wanted) {
    case PUT_WANTS_LIST:
        return (k->made->list = jobs_new(p)) != NULL;
    case PUT_WANTS_RUNNER:
        return (k->made->runner = gs_runner_new(p)) != NULL;
    case PUT_WANTS_CHUNK:
        return make_chunk(vm, k, bytes);
    default:
        return false;
    }
}

/* Bytes of the list's next chunk: twice as many as the last one was made for if that is full. */
static uint32_t next_size(const struct gs_jobs *b)
{
    const struct gs_chunk *c = b != NULL ? b->last : NULL;
    if (c == NULL || c->n < c->cap)
        return CHUNK_MIN;
    uint32_t bytes = CHUNK_MIN;
    while (bytes < CHUNK_MAX / 2 && bytes < sizeof *c + (size_t)c->cap * c->stride)
        bytes *= 2;
    return bytes * 2;
}

/* *bytes: of the chunk that it wants. */
GS_INLINE enum put try_put(struct gs_vm *vm, struct gs_pool *p, struct gs_jobs *list, struct call *k, uint32_t *bytes)
{
    gs_spin_lock(&p->lock);
    enum put is = put_locked(vm, p, list, k);
    if (GS_UNLIKELY(is == PUT_WANTS_CHUNK))
        *bytes = next_size(list != NULL ? list : p->since);
    gs_spin_unlock(&p->lock);
    return is;
}

/* Not at once: `is` says what is wanted first. */
static GS_NOINLINE int put_slow(struct gs_vm *vm, struct gs_pool *p, struct gs_jobs *list, struct call *k, enum put is, uint32_t bytes)
{
    struct made m = {0};
    k->made = &m;
    while (is != PUT_DONE && make(vm, p, is, k, bytes))
        is = try_put(vm, p, list, k, &bytes);
    if (m.started) {
        gs_runner_launch(m.runner);
        m.runner = NULL;
    }
    drop_made(&m);
    if (GS_LIKELY(is == PUT_DONE))
        return GS_OK;
    return is == PUT_CLOSED ? gs_throw(vm, GS_ERR_VALUE, "submit to a closed pool") : GS_E_NOMEM;
}

/* The slot's share of k->o is taken when GS_OK. */
GS_INLINE int put(struct gs_vm *vm, struct gs_pool *p, struct gs_jobs *list, struct call *k)
{
    uint32_t bytes = 0;
    enum put is = try_put(vm, p, list, k, &bytes);
    return GS_LIKELY(is == PUT_DONE) ? GS_OK : put_slow(vm, p, list, k, is, bytes);
}

/* list: of whom waits for the job; NULL: what is submitted now. ret NULL: nobody takes the future. */
static int submit(struct gs_vm *vm, struct gs_pool *p, struct gs_jobs *list, gs_value *args, uint32_t n, gs_value *ret)
{
    struct call k = {.args = args + 1, .n = n - 1, .plain = gs_flat_takes(args + 2, n - 2)};
    if (ret == NULL)
        return put(vm, p, list, &k);
    k.o = gs_taskobj_new(vm, GS_TS_FUTURE, GS_H_FUTURE);
    if (k.o == NULL)
        return GS_E_NOMEM;
    gs_hobj_retain(&k.o->h); /* the slot's */
    int st = (int)gs_handle_adopt(vm, &k.o->h, ret);
    if (st == GS_OK) {
        gs_hobj_retain(&p->h);
        k.o->pool = p;
        st = put(vm, p, list, &k);
    }
    if (st != GS_OK) {
        gs_taskobj_leave_pool(k.o);
        gs_hobj_release(&k.o->h);
    }
    return st;
}

static int pool_submit(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    POOL("submit");
    int st = gs_arg_fn(vm, "submit", args, 1);
    return st != GS_OK ? st : submit(vm, p, NULL, args, n, ret);
}

GS_TWIN(pool_submit, "submit", 2, GS_ARGS_ANY);

/* ---- what wait and map are made of ---- */

#define JOBS(fn)                                                                                                       \
    struct gs_jobs *b = (struct gs_jobs *)gs_handle_check(vm, fn, args[0], GS_H_JOBS);                                 \
    (void)n;                                                                                                           \
    if (b == NULL)                                                                                                     \
    return GS_E_THROWN

/* The pool's list, which has been b a moment ago, is taken from it. False: somebody else was faster. */
static bool take_list(struct gs_pool *p, struct gs_jobs *b)
{
    gs_spin_lock(&p->lock);
    bool mine = p->since == b;
    if (mine) {
        p->since = NULL;
        set_apart(b);
    }
    gs_spin_unlock(&p->lock);
    if (mine)
        gs_hobj_release(&b->h); /* the pool's */
    return mine;
}

/* poolTake(p): what has been submitted since the last call of this. */
static int pool_take(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    POOL("wait");
    for (;;) {
        gs_spin_lock(&p->lock);
        struct gs_jobs *b = p->since;
        if (b != NULL)
            gs_hobj_retain(&b->h);
        gs_spin_unlock(&p->lock);
        bool none = b == NULL;
        if (none && (b = jobs_new(p)) == NULL)
            return GS_E_NOMEM;
        if (none)
            set_apart(b);
        if (gs_handle_adopt(vm, &b->h, ret) != GS_OK)
            return GS_E_NOMEM;
        if (none || take_list(p, b))
            return GS_OK;
    }
}

/* poolJobs(p): none yet; poolMapJob(b, f, element, index) adds one, which f gets as many arguments of as it declares. */
static int pool_jobs(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)n;
    POOL("map");
    struct gs_jobs *b = jobs_new(p);
    if (b == NULL)
        return GS_E_NOMEM;
    set_apart(b);
    return (int)gs_handle_adopt(vm, &b->h, ret);
}

static int pool_map_job(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    (void)ret;
    JOBS("map");
    int st = gs_arg_fn(vm, "map", args, 1);
    return st != GS_OK ? st : submit(vm, b->pool, b, args, 2 + gs_slow_trim(args[1], n - 2), NULL);
}

static int done_finish(struct gs_vm *vm, gs_value *ret)
{
    return gs_wait_outcome(vm, gs_bool(false), gs_bool(false), ret);
}

/* poolDone(b, name): true: all have ended; false: ask again. */
static int pool_done(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    JOBS("wait");
    if (gs_vm_take_cancel(vm))
        return gs_throw_cancelled(vm);
    gs_spin_lock(&b->pool->lock);
    bool done = b->over == b->n;
    if (!done)
        gs_wait_park_locked(vm, &b->waiters, &b->h, args[1].s->data, done_finish);
    gs_spin_unlock(&b->pool->lock);
    *ret = gs_bool(done);
    return done ? GS_OK : GS_PARK;
}

/* The first error; all that there are count as received. */
static struct gs_taskobj *first_error(struct gs_jobs *b)
{
    struct gs_taskobj *first = NULL;
    for (struct gs_chunk *c = b->first; c != NULL; c = c->next)
        for (uint32_t i = 0; gs_load_rlx(&c->holds) && i < c->n; i++) {
            struct gs_taskobj *o = gs_slot_outcome(gs_chunk_slot(c, i));
            if (o == NULL || !o->failed) /* constant now */
                continue;
            gs_taskobj_received(o);
            first = first != NULL ? first : o;
        }
    return first;
}

/* poolResults(b), once all have ended: the results in order, or the first error. */
static int pool_results(struct gs_vm *vm, gs_value *args, uint32_t n, gs_value *ret)
{
    JOBS("wait");
    struct gs_taskobj *failed = first_error(b);
    if (failed != NULL)
        return gs_taskobj_outcome(vm, failed, ret);
    if (b->no_memory)
        return gs_throw_nomem(vm);
    struct gs_array *a = gs_array_new(&vm->heap);
    if (a == NULL)
        return GS_E_NOMEM;
    for (struct gs_chunk *c = b->first; c != NULL; c = c->next)
        for (uint32_t i = 0; i < c->n; i++) {
            const struct gs_slot *s = gs_chunk_slot(c, i);
            gs_chunk_prefetch(c, i + AHEAD);
            if (GS_LIKELY(gs_parcel_is_plain(&s->p) && gs_array_push_fast(a, s->p.v)))
                continue;
            struct gs_taskobj *o = gs_slot_outcome(s);
            gs_value v;
            int st = o != NULL ? gs_taskobj_outcome(vm, o, &v) : (int)gs_parcel_open(vm, &s->p, &v);
            if (st != GS_OK || gs_array_push(&vm->heap, a, v) != GS_OK || (a->len == 1 && gs_array_reserve(&vm->heap, a, b->n) != GS_OK))
                return GS_E_NOMEM;
        }
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
    uint64_t left = p->unfinished;
    for (const struct gs_runner *r = p->runners; r != NULL; r = r->next)
        left -= gs_load_acq(&r->over); /* [P2] */
    gs_spin_unlock(&p->lock);
    *ret = gs_int((int64_t)left);
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
