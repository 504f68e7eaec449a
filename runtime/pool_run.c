/* SPDX-License-Identifier: MIT
 * pool_run.c - the runners of pools. Contract and invariants: pool.h.
 *
 * Batches    A runner looks at the clock whenever it takes jobs: a batch that was over within SHORT_NS doubles the next one, any other makes it 1 again. So a tiny job costs no
 *            lock, no clock and no shared line, only the CAS on its runner's own range; and a long one has at most BATCH_MAX tiny ones behind it, which others may take over.
 * Task       A job's task object is the runner's own and serves the next job as well, unless it is a future's, somebody has learned of it (it has more shares than
 *            the VM's), or it keeps an error.
 * Leaving    A runner leaves under the lock, when it finds neither queue nor ranges, and in the same breath it accounts for what it has run: who is woken by that finds it gone.
 *            What it gets under the lock instead is a job of its own at once, never only a range: else thieves could empty that before it has begun any of it, and all jobs were over
 *            while it is still counted as a task.
 */
#include "pool.h"

#include "deadlock.h"
#include "flat.h"
#include "port/clock.h"
#include "port/mem.h"
#include "rt.h"

#define BATCH_MAX 64u
#define SHORT_NS 20000
#define AHEAD 8u /* slots */

static uint64_t pair(uint32_t lo, uint32_t hi)
{
    return (uint64_t)lo << 32 | hi;
}

static uint32_t lo_of(uint64_t range)
{
    return (uint32_t)(range >> 32);
}

static uint32_t hi_of(uint64_t range)
{
    return (uint32_t)range;
}

/* ---- the lists of some runners: what is looked through for each job must not be as long as the pool is large ---- */

static void list_add(struct gs_runner **list, struct gs_runner *r)
{
    r->left = NULL;
    r->right = *list;
    if (r->right != NULL)
        r->right->left = r;
    *list = r;
}

static void list_remove(struct gs_runner **list, struct gs_runner *r)
{
    if (r->left != NULL)
        r->left->right = r->right;
    else
        *list = r->right;
    if (r->right != NULL)
        r->right->left = r->left;
}

static void set_wide(struct gs_runner *r, bool wide)
{
    if (wide == r->wide)
        return;
    r->wide = wide;
    if (wide)
        list_add(&r->pool->wide, r);
    else
        list_remove(&r->pool->wide, r);
}

/* ---- taking ---- */

/* The first of the range becomes the runner's job. */
static bool pop(struct gs_runner *r)
{
    uint64_t range = gs_load_rlx(&r->range); /* the CAS decides */
    while (lo_of(range) < hi_of(range))
        if (gs_cas_acq_rel(&r->range, &range, pair(lo_of(range) + 1, hi_of(range)))) { /* [P1] */
            r->at = lo_of(range);
            return true;
        }
    return false;
}

/* The same for a new range [lo, hi) of c, which is not empty. */
static void fill_locked(struct gs_runner *r, struct gs_chunk *c, uint32_t lo, uint32_t hi)
{
    r->chunk = c;
    r->at = lo;
    gs_store_rel(&r->range, pair(lo + 1, hi)); /* [P1] */
    set_wide(r, lo + 1 < hi);
}

static void unqueue_locked(struct gs_pool *p)
{
    struct gs_chunk *c = p->first;
    p->first = c->behind;
    if (p->first == NULL)
        p->last = NULL;
}

static bool take_queued_locked(struct gs_runner *r)
{
    struct gs_pool *p = r->pool;
    struct gs_chunk *c = p->first;
    if (c == NULL)
        return false;
    uint32_t n = c->n - c->taken;
    n = n < r->batch ? n : r->batch;
    fill_locked(r, c, c->taken, c->taken + n);
    c->taken += n;
    if (!gs_chunk_is_queued(c))
        unqueue_locked(p);
    return true;
}

/* Half of what another runner has not begun. */
static bool steal_locked(struct gs_runner *r)
{
    for (struct gs_runner *v; (v = r->pool->wide) != NULL; set_wide(v, false)) {
        uint64_t range = gs_load_rlx(&v->range); /* the CAS decides */
        while (lo_of(range) < hi_of(range)) {
            uint32_t hi = hi_of(range), mid = hi - (hi - lo_of(range) + 1) / 2;
            if (gs_cas_acq_rel(&v->range, &range, pair(lo_of(range), mid))) { /* [P1] */
                fill_locked(r, v->chunk, mid, hi);
                return true;
            }
        }
    }
    return false;
}

/* k jobs of the list have ended. True: they were the last, and the list's own share is the caller's to release, without the lock. */
static bool account_locked(struct gs_jobs *b, uint32_t k)
{
    if (k == 0)
        return false;
    b->over += k;
    if (b->over < b->n)
        return false;
    gs_waitq_wake_all_locked(&b->waiters, true);
    return true;
}

/* The queue is empty: those who were started for what lay there have nothing to do. */
static void count_out_locked(struct gs_pool *p, struct gs_worker *w)
{
    uint32_t n = 0;
    for (struct gs_runner *r = p->fresh; r != NULL; r = r->right) {
        n += !r->out;
        r->out = true;
    }
    p->out += n;
    gs_worker_count_out_owner(w, n);
}

void gs_pool_count_in_locked(struct gs_pool *p, struct gs_worker *w)
{
    struct gs_runner *r = p->fresh;
    while (!r->out)
        r = r->right;
    r->out = false;
    p->out--;
    gs_worker_count_in_owner(w, 1);
}

/* r has looked for jobs for the first time, and others had taken what it was started for. */
static void come_in_locked(struct gs_runner *r, struct gs_worker *w, bool got)
{
    r->out = false;
    r->pool->out--;
    if (got)
        gs_worker_count_in_owner(w, 1);
    else
        gs_worker_over_out_owner(w);
}

static void unlink_locked(struct gs_runner *r)
{
    struct gs_pool *p = r->pool;
    if (!r->begun)
        list_remove(&p->fresh, r);
    set_wide(r, false);
    if (r->prev != NULL)
        r->prev->next = r->next;
    else
        p->runners = r->next;
    if (r->next != NULL)
        r->next->prev = r->prev;
    p->running--;
}

static void measure(struct gs_runner *r)
{
    int64_t now = gs_clock_mono_ns();
    uint32_t twice = r->batch < BATCH_MAX ? r->batch * 2 : BATCH_MAX;
    r->batch = now - r->since_ns < SHORT_NS ? twice : 1;
    r->since_ns = now;
}

/* Gives r its next job. False: there is none, and it has left the pool. ending: how many of the jobs it has begun, 0 or 1, are about to end: the pool has that behind it from here on,
 * the list not before account. */
static bool refill(struct gs_runner *r, struct gs_worker *w, uint32_t ending)
{
    struct gs_pool *p = r->pool;
    struct gs_jobs *b = r->chunk != NULL ? r->chunk->jobs : NULL;
    uint32_t over = gs_load_rlx(&r->over); /* ours */
    measure(r);
    gs_spin_lock(&p->lock);
    if (!r->begun)
        list_remove(&p->fresh, r);
    r->begun = true;
    bool got = pop(r);
    if (!got) {
        set_wide(r, false);
        got = take_queued_locked(r) || steal_locked(r);
    }
    if (r->out)
        come_in_locked(r, w, got);
    if (!got) {
        unlink_locked(r);
        gs_worker_over_owner(w); /* before anybody is woken */
    } else if (p->first == NULL && p->fresh != NULL) {
        count_out_locked(p, w);
    }
    /* While it goes on with the same list that cannot be over, and its line, which the submitter writes, too, is left alone. */
    uint32_t settled = got && b != NULL && r->chunk->jobs == b ? 0 : over;
    p->unfinished -= settled + ending;
    gs_store_rlx(&r->over, over - settled); /* [P2] */
    bool last = account_locked(b, settled);
    gs_spin_unlock(&p->lock);
    if (last)
        gs_hobj_release(&b->h);
    return got;
}

/* The job of slot s has ended with an outcome in o: its future, or one that the slot gets a share of. */
static void account(struct gs_pool *p, struct gs_chunk *c, struct gs_slot *s, struct gs_taskobj **future, struct gs_taskobj *o)
{
    struct gs_jobs *b = c->jobs;
    if (future != NULL)
        *future = NULL;
    else
        gs_hobj_retain(&o->h);
    gs_slot_set_outcome(s, o);
    gs_store_rlx(&c->holds, true);
    gs_spin_lock(&p->lock);
    bool last = account_locked(b, 1);
    gs_spin_unlock(&p->lock);
    if (last)
        gs_hobj_release(&b->h);
}

/* ---- beginning a job ---- */

/* The VM's task becomes o, whose share it takes over, or one of its own. False: there is no memory for that. */
static bool set_self(struct gs_vm *vm, struct gs_runner *r, struct gs_taskobj *o)
{
    struct gs_taskobj *was = vm->self;
    if (o == NULL && r->own == was)
        return true;
    if (o == NULL) {
        o = r->spare != NULL ? r->spare : gs_taskobj_new(NULL, GS_TS_FUTURE, GS_H_FUTURE);
        if (o == NULL)
            return false;
        r->spare = NULL;
        r->own = o;
    } else if (r->own == was) {
        r->spare = was;
        r->own = NULL;
    }
    if (was != r->spare)
        gs_hobj_release(&was->h);
    o->runner = r;
    gs_taskobj_attach(vm, o);
    return true;
}

static gs_status start(struct gs_vm *vm, struct gs_chunk *c, struct gs_slot *s)
{
    return c->call != NULL ? gs_flat_start(vm, c->call, gs_slot_args(s)) : gs_taskobj_start_packed(vm, &s->p);
}

/* What the slot holds of its call is needed no longer. */
static void drop_call(struct gs_chunk *c, struct gs_slot *s)
{
    if (c->call == NULL) {
        gs_parcel_drop(&s->p); /* nil when it has been taken */
        return;
    }
    gs_flat_drop(gs_slot_args(s), c->call->nargs);
    s->p = (struct gs_parcel){0};
}

static void renew(struct gs_vm *vm)
{
    struct gs_taskobj *self = vm->self;
    gs_taskobj_renew_vm(vm);
    vm->self = self;
}

static bool begin(struct gs_vm *vm, struct gs_runner *r)
{
    struct gs_chunk *c = r->chunk;
    struct gs_slot *s = gs_chunk_slot(c, r->at);
    gs_chunk_prefetch(c, r->at + AHEAD);
    bool again = c->call != NULL && gs_flat_restart(vm, c->call, gs_slot_args(s));
    if (!again)
        renew(vm);
    struct gs_taskobj **future = gs_slot_future(c, s), *o = future != NULL ? *future : NULL;
    if (o != NULL)
        gs_hobj_retain(&o->h);
    r->busy = set_self(vm, r, o);
    if (!r->busy)
        return false;
    if (o == NULL) {
        vm->self->file = c->file;
        vm->self->line = c->line;
    }
    r->busy = again || start(vm, c, s) == GS_OK;
    drop_call(c, s);
    return r->busy;
}

/* r has left the pool, and its task will end. */
static void leave(struct gs_runner *r)
{
    if (r->spare != NULL)
        gs_hobj_release(&r->spare->h);
    gs_hobj_release(&r->pool->h);
    gs_mem_free(r);
}

/* ---- from one job to the next ---- */

/* Nobody but the VM knows of it: its shares tell, and nobody can get one where there is none. */
static bool nobody_knows(const struct gs_runner *r, struct gs_taskobj *o)
{
    return r->own == o && gs_load_acq(&o->h.refs) == 1; /* [H1] */
}

/* As new: somebody may have known it for a while. */
static void forget(struct gs_taskobj *o)
{
    gs_store_rlx(&o->cancel, false); /* nobody else knows it */
    o->received = false;
    o->told = false;
}

static void count_over(struct gs_runner *r)
{
    gs_store_rel(&r->over, gs_load_rlx(&r->over) + 1); /* [P2] */
}

static bool take(struct gs_runner *r, struct gs_worker *w)
{
    if (pop(r) || refill(r, w, 0))
        return true;
    leave(r);
    return false;
}

/* The job ends with an outcome in a task object: what vm ended with, or, GS_E_NOMEM, it could not even begin. True: r has its next one; false: it has left. */
static bool end_known(struct gs_vm *vm, struct gs_runner *r, struct gs_worker *w, gs_status st)
{
    struct gs_pool *p = r->pool;
    struct gs_chunk *c = r->chunk;
    struct gs_slot *s = gs_chunk_slot(c, r->at);
    struct gs_taskobj **future = gs_slot_future(c, s), *o = future != NULL ? *future : r->own;
    if (o == NULL) { /* no memory for one */
        gs_store_rlx(&c->jobs->no_memory, true); /* read once all have ended */
        count_over(r);
        return take(r, w);
    }
    bool on = refill(r, w, 1); /* first: who waits for this very job finds it gone (pending, goroutines) */
    if (st == GS_E_NOMEM)
        gs_taskobj_fail(o);
    else
        gs_taskobj_settle(vm, st);
    if (r->own == o)
        r->own = NULL;
    account(p, c, s, future, o);
    if (!on)
        leave(r);
    return on;
}

/* Begins r's job, or the next one that can be. False: r has left. vm's task may be one that is done. */
static bool go_on(struct gs_vm *vm, struct gs_runner *r, struct gs_worker *w)
{
    while (!begin(vm, r))
        if (!end_known(vm, r, w, GS_E_NOMEM))
            return false;
    return true;
}

bool gs_runner_next(struct gs_vm *vm, struct gs_worker *w)
{
    struct gs_runner *r = vm->self->runner;
    return take(r, w) && go_on(vm, r, w);
}

bool gs_runner_over(struct gs_vm *vm, gs_status st, struct gs_worker *w)
{
    struct gs_taskobj *o = vm->self;
    struct gs_runner *r = o->runner;
    struct gs_slot *s = gs_chunk_slot(r->chunk, r->at);
    r->busy = false;
    gs_deadlock_note();
    if (GS_UNLIKELY(st != GS_OK || !nobody_knows(r, o) || gs_parcel_pack(vm, vm->result, &s->p) != GS_OK))
        return end_known(vm, r, w, st) && go_on(vm, r, w);
    if (!gs_parcel_is_plain(&s->p))
        gs_store_rlx(&r->chunk->holds, true);
    forget(o);
    count_over(r);
    return take(r, w) && go_on(vm, r, w);
}

/* ---- starting and dropping ---- */

struct gs_vm *gs_runner_new(struct gs_pool *p)
{
    struct gs_runner *r = gs_mem_zalloc(sizeof *r);
    struct gs_taskobj *o = gs_taskobj_new(NULL, GS_TS_FUTURE, GS_H_FUTURE);
    struct gs_vm *vm = gs_taskobj_new_vm();
    if (r == NULL || o == NULL || vm == NULL) {
        gs_mem_free(r);
        if (o != NULL)
            gs_hobj_release(&o->h);
        gs_vm_free(vm);
        return NULL;
    }
    r->pool = p;
    r->batch = 1;
    r->own = o;
    o->runner = r;
    vm->self = o;
    return vm;
}

void gs_runner_link_locked(struct gs_vm *vm)
{
    struct gs_runner *r = vm->self->runner;
    struct gs_pool *p = r->pool;
    gs_hobj_retain(&p->h);
    r->next = p->runners;
    if (r->next != NULL)
        r->next->prev = r;
    p->runners = r;
    p->running++;
    list_add(&p->fresh, r);
}

void gs_runner_launch(struct gs_vm *vm)
{
    gs_taskobj_launch(vm, vm->self);
}

void gs_runner_free(struct gs_vm *vm)
{
    gs_mem_free(vm->self->runner);
    gs_hobj_release(&vm->self->h);
    gs_vm_free(vm);
}

/* Slots that nobody has begun. */
static void abandon(struct gs_chunk *c, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        struct gs_slot *s = gs_chunk_slot(c, i);
        drop_call(c, s);
        struct gs_taskobj **future = gs_slot_future(c, s);
        if (future != NULL)
            gs_taskobj_leave_pool(*future);
    }
}

static void gone(struct gs_jobs *b, uint32_t k)
{
    b->over += k;
    if (k > 0 && b->over == b->n)
        gs_hobj_release(&b->h);
}

void gs_runner_dropped(struct gs_taskobj *o)
{
    struct gs_runner *r = o->runner;
    struct gs_pool *p = r->pool;
    uint64_t range = gs_load_rlx(&r->range); /* nobody else is there */
    for (struct gs_chunk *c = p->first; c != NULL; c = p->first) {
        unqueue_locked(p);
        abandon(c, c->taken, c->n);
        gone(c->jobs, c->n - c->taken);
    }
    if (r->chunk != NULL) {
        abandon(r->chunk, lo_of(range), hi_of(range));
        gone(r->chunk->jobs, hi_of(range) - lo_of(range) + r->busy + gs_load_rlx(&r->over)); /* likewise */
    }
    unlink_locked(r);
    gs_taskobj_leave_pool(o);
    leave(r);
}
