/* SPDX-License-Identifier: MIT
 * deadlock.c - who is blocked for good. Contract: deadlock.h.
 *
 * Question   A task that waits on an object can be woken only by somebody with a handle of that object; if it waits for a mutex, only by its holder; if it waits for
 *            a task or future, only by that one's end; and by cancel, which takes a handle of the task itself. All shares of an object are counted (handle.h), wherever they are: in the
 *            ledgers of tasks, in queued values, in the store, in the table of pinned numbers. So if the ledgers of blocked tasks account for all shares of an object, then nobody
 *            else can reach it, and as blocked tasks do nothing, nobody ever will.
 * Method     1. Collect the blocked tasks with what they wait on and the shares in their ledgers. Each is held still for that (its wait word becomes HELD, as in
 *            select.c) for a microsecond; everything collected gets a share of ours.
 *            2. Assume that all of them are stuck. Take out whom somebody can wake who is not stuck; its shares then count as the world's. Repeat until nothing changes.
 *            3. Look again whether all that are left are still in the same wait (its number).
 * Argument   What is left after 3 has been blocked from 1 to 3, so its ledgers did not change. All counts were read in between, and each left nothing for others. From
 *            that moment on only blocked tasks have shares of these objects. Counts may be too high for a while (a worker's stock, garbage not collected
 *            yet, a value on its way), never too low: a deadlock is told late, or not, but none is told that is none.
 * Misses     Objects that a living task still could reach but will not use. Handles inside values that are queued in channels only the stuck can reach count as the world's. Of more than
 *            MOST blocked tasks only so many are looked at, the others count as living.
 * Stocks     A worker that stays in one task for long would keep the shares in its stock: while there are blocked tasks not told of yet, a look asks all
 *            running tasks to a safe point, where these go back; if there were any, that is a reason for another look.
 * Locks      The wait words held here are let go before anything is waited for; so who spins on HELD with a lock in hand never waits for us in turn.
 */
#include "deadlock.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "chan.h"
#include "lock.h"
#include "pool.h"
#include "port/clock.h"
#include "port/mem.h"
#include "quit.h"
#include "rt.h"
#include "taskobj.h"

#define MOST 65536u
#define WAIT_NS 20000000   /* from the first change: short programs never look */
#define PERIOD_NS 50000000
#define COST 50            /* a look that takes long makes the next one wait so many times as long */

_Atomic bool gs_deadlock_noted;

static pthread_mutex_t looking = PTHREAD_MUTEX_INITIALIZER;
static bool ended; /* under looking */
static int64_t next_ns; /* the watch thread's */

/* ---- a table of numbers ---- */

struct map {
    struct entry {
        uint64_t key; /* 0: free */
        uint32_t value;
    } *v;
    uint32_t n, mask;
};

static struct entry *map_at(const struct map *m, uint64_t key)
{
    uint32_t i = (uint32_t)(key * 0x9E3779B97F4A7C15u >> 32) & m->mask;
    while (m->v[i].key != 0 && m->v[i].key != key)
        i = (i + 1) & m->mask;
    return &m->v[i];
}

/* UINT32_MAX: not there. */
static uint32_t map_find(const struct map *m, uint64_t key)
{
    if (m->v == NULL)
        return UINT32_MAX;
    const struct entry *e = map_at(m, key);
    return e->key == key ? e->value : UINT32_MAX;
}

static bool map_put(struct map *m, uint64_t key, uint32_t value)
{
    if (m->v == NULL || m->n * 2 > m->mask) {
        uint32_t cap = m->v == NULL ? 64 : (m->mask + 1) * 2;
        struct map big = {.v = gs_mem_zalloc(cap * sizeof *big.v), .n = m->n, .mask = cap - 1};
        if (big.v == NULL)
            return false;
        for (uint32_t i = 0; m->v != NULL && i <= m->mask; i++)
            if (m->v[i].key != 0)
                *map_at(&big, m->v[i].key) = m->v[i];
        gs_mem_free(m->v);
        *m = big;
    }
    *map_at(m, key) = (struct entry){key, value};
    m->n++;
    return true;
}

/* ---- what a look collects ---- */

/* An object that a blocked task waits on or has shares of. We have one share. */
struct thing {
    struct gs_hobj *o;
    uint32_t inside;  /* shares of those that are assumed to be stuck */
    uint32_t waiters; /* list through struct wait; UINT32_MAX: none */
    uint32_t jobs;    /* of a pool or a list of jobs: how many of its running jobs are assumed to be stuck */
};

struct wait {
    uint32_t task, thing, next;
};

struct blocked {
    struct gs_vm *vm;
    struct gs_taskobj *self; /* we have a share */
    uint32_t me;             /* self's thing */
    uint32_t number;         /* of the wait */
    uint32_t waits, nwaits;  /* in waits */
    uint32_t shares, nshares;
    uint32_t pool, list; /* things: whose job it is; UINT32_MAX: nobody's */
    bool stuck;
};

struct look {
    struct blocked *tasks;
    struct thing *things;
    struct wait *waits;
    uint32_t *shares; /* things */
    uint32_t *out;    /* tasks that have been taken out and whose shares are to be followed */
    uint32_t ntasks, nthings, nwaits, nshares, nout;
    uint32_t captasks, capthings, capwaits, capshares;
    struct map thing_of; /* address of an object */
    struct map task_of;  /* number of a task */
    bool failed;         /* out of memory */
};

static bool room(void **v, uint32_t n, uint32_t *cap, size_t size)
{
    if (n < *cap)
        return true;
    uint32_t c = *cap == 0 ? 64 : *cap * 2;
    void *p = gs_mem_realloc(*v, c * size);
    if (p == NULL)
        return false;
    *v = p;
    *cap = c;
    return true;
}

/* o is kept from going away by the caller. UINT32_MAX: out of memory. */
static uint32_t thing_of(struct look *k, struct gs_hobj *o)
{
    uint32_t i = map_find(&k->thing_of, (uintptr_t)o);
    if (i != UINT32_MAX)
        return i;
    if (!room((void **)&k->things, k->nthings, &k->capthings, sizeof *k->things) ||
        !map_put(&k->thing_of, (uintptr_t)o, k->nthings)) {
        k->failed = true;
        return UINT32_MAX;
    }
    gs_hobj_retain(o);
    k->things[k->nthings] = (struct thing){.o = o, .waiters = UINT32_MAX};
    return k->nthings++;
}

/* The thing whose job a blocked task is. */
static uint32_t job_of(struct look *k, struct gs_hobj *o)
{
    uint32_t t = thing_of(k, o);
    if (t != UINT32_MAX)
        k->things[t].jobs++;
    return t;
}

static void add_share(struct look *k, struct gs_hobj *o)
{
    uint32_t t = thing_of(k, o);
    if (t == UINT32_MAX || !room((void **)&k->shares, k->nshares, &k->capshares, sizeof *k->shares)) {
        k->failed = true;
        return;
    }
    k->things[t].inside++;
    k->shares[k->nshares++] = t;
}

static void add_wait(struct look *k, struct gs_hobj *o)
{
    uint32_t t = thing_of(k, o);
    if (t == UINT32_MAX || !room((void **)&k->waits, k->nwaits, &k->capwaits, sizeof *k->waits)) {
        k->failed = true;
        return;
    }
    k->waits[k->nwaits] = (struct wait){.task = k->ntasks, .thing = t, .next = k->things[t].waiters};
    k->things[t].waiters = k->nwaits++;
}

/* What waiter w of several waits on; NULL: it has ended. */
static struct gs_hobj *several_on(const struct gs_wait_ext *e, struct gs_waiter *w)
{
    struct gs_waitq *q = gs_load_acq(&w->q); /* [W2] */
    if (q == NULL)
        return NULL;
    if (e->many_on == GS_H_CHAN)
        return &gs_chan_of(q, w->send)->h;
    return gs_handle_obj(w->item.v);
}

/* vm is parked and held still. */
static void collect_held(struct look *k, struct gs_vm *vm)
{
    struct blocked *b = &k->tasks[k->ntasks];
    struct gs_wait_ext *e = vm->park.ext;
    *b = (struct blocked){.vm = vm, .self = vm->self, .number = gs_load_rlx(&vm->park.number), .waits = k->nwaits, .shares = k->nshares, .pool = UINT32_MAX, .list = UINT32_MAX, .stuck = true};
    if (vm->park.obj != NULL) {
        add_wait(k, vm->park.obj);
    } else {
        for (uint32_t i = 0; i < e->nmany; i++) {
            struct gs_hobj *o = several_on(e, &e->many[i]);
            if (o != NULL)
                add_wait(k, o);
            if (e->many_on == GS_H_TASK) /* the item's share */
                add_share(k, gs_handle_obj(e->many[i].item.v));
        }
    }
    for (uint32_t i = 0; i < vm->ledger.n; i++)
        add_share(k, gs_ledger_at(&vm->ledger, i));
    add_share(k, &vm->self->h); /* the VM's own */
    b->me = thing_of(k, &vm->self->h);
    struct gs_runner *r = vm->self->runner; /* its own affair, but it is parked */
    if (r != NULL) {
        b->pool = job_of(k, &r->pool->h);
        b->list = job_of(k, &r->chunk->jobs->h);
        /* Its list has a share of a future as long as that runs, but nobody is woken with it. */
        if (b->me != UINT32_MAX && r->chunk->futures)
            k->things[b->me].inside++;
    }
    b->nwaits = k->nwaits - b->waits;
    b->nshares = k->nshares - b->shares;
    if (b->nwaits != 0 && map_put(&k->task_of, (uint64_t)vm->self->h.id, k->ntasks))
        k->ntasks++;
    else
        k->failed = true; /* rare: the next look will do */
}

/* Nothing but an object can wake it. */
static bool waits_on_objects(const struct gs_vm *vm)
{
    const struct gs_wait_ext *e = vm->park.ext;
    if (vm->park.first.timed)
        return false;
    return vm->park.obj != NULL || (e != NULL && e->nmany > 0);
}

/* The registry's lock is held, so vm does not go away. */
static bool collect(struct gs_vm *vm, void *ctx)
{
    struct look *k = ctx;
    uint32_t waiting = GS_WAIT_WAITING;
    if (k->failed || k->ntasks == MOST || !room((void **)&k->tasks, k->ntasks, &k->captasks, sizeof *k->tasks))
        return false;
    if (gs_load_rlx(&vm->park.word) != GS_WAIT_WAITING || !gs_cas_acq_rel(&vm->park.word, &waiting, (uint32_t)GS_WAIT_HELD)) /* [W3] */
        return true;
    if (gs_load_acq(&vm->task.state) == GS_TASK_PARKED && waits_on_objects(vm)) /* [T1] */
        collect_held(k, vm);
    gs_store_rel(&vm->park.word, (uint32_t)GS_WAIT_WAITING); /* [W3] */
    return true;
}

/* ---- who can be woken ---- */

/* Somebody who is not stuck has a share of it. */
static bool reachable(const struct thing *t)
{
    return gs_load_acq(&t->o->refs) > t->inside + 1; /* ours */
}

static bool is_stuck(const struct look *k, int64_t id)
{
    uint32_t i = map_find(&k->task_of, (uint64_t)id);
    return i != UINT32_MAX && k->tasks[i].stuck;
}

/* Whether a job that is queued in the pool may still begin: one of those that run is not stuck. */
static bool pool_goes_on(const struct look *k, struct gs_pool *p)
{
    uint32_t t = map_find(&k->thing_of, (uintptr_t)&p->h);
    gs_spin_lock(&p->lock);
    uint32_t running = p->running;
    gs_spin_unlock(&p->lock);
    return t == UINT32_MAX || running == 0 || k->things[t].jobs < running;
}

static bool may_end(const struct look *k, struct gs_taskobj *o)
{
    gs_spin_lock(&o->lock);
    bool over = o->done;
    struct gs_pool *p = !over && o->vm == NULL ? o->pool : NULL; /* it is queued there */
    if (p != NULL)
        gs_hobj_retain(&p->h);
    gs_spin_unlock(&o->lock);
    bool may = over || (p != NULL ? pool_goes_on(k, p) : !is_stuck(k, o->h.id));
    if (p != NULL)
        gs_hobj_release(&p->h);
    return may;
}

/* Whether all jobs of the list may end: none of those that run is stuck, and those that are queued may begin. */
static bool jobs_may_end(const struct look *k, const struct thing *t)
{
    struct gs_jobs *b = (struct gs_jobs *)t->o; /* somebody waits for it, so it has a share of its pool */
    gs_spin_lock(&b->pool->lock);
    bool queued = b->last != NULL && gs_chunk_is_queued(b->last);
    gs_spin_unlock(&b->pool->lock);
    return t->jobs == 0 && (!queued || pool_goes_on(k, b->pool));
}

static bool may_wake(const struct look *k, const struct thing *t)
{
    int64_t holder = 0;
    switch ((enum gs_hkind)t->o->kind) {
    case GS_H_TASK:
    case GS_H_FUTURE:
        return may_end(k, (struct gs_taskobj *)t->o);
    case GS_H_JOBS:
        return jobs_may_end(k, t);
    case GS_H_MUTEX:
        holder = gs_mutex_holder((struct gs_mutex *)t->o);
        break;
    case GS_H_RWLOCK:
        holder = gs_rwlock_writer((struct gs_rwlock *)t->o);
        break;
    case GS_H_CHAN:
    case GS_H_SEMAPHORE:
    case GS_H_WAITGROUP:
    case GS_H_ONCE:
    case GS_H_BARRIER:
        break;
    default:
        return true;
    }
    return reachable(t) && !(holder != 0 && is_stuck(k, holder));
}

static bool may_be_woken(const struct look *k, const struct blocked *b)
{
    if (reachable(&k->things[b->me])) /* cancel */
        return true;
    for (uint32_t i = 0; i < b->nwaits; i++)
        if (may_wake(k, &k->things[k->waits[b->waits + i].thing]))
            return true;
    return false;
}

/* Task i turns out to be not stuck: what it has is within the world's reach. */
static void take_out(struct look *k, uint32_t i)
{
    struct blocked *b = &k->tasks[i];
    b->stuck = false;
    for (uint32_t s = 0; s < b->nshares; s++)
        k->things[k->shares[b->shares + s]].inside--;
    if (b->pool != UINT32_MAX)
        k->things[b->pool].jobs--;
    if (b->list != UINT32_MAX)
        k->things[b->list].jobs--;
    k->out[k->nout++] = i;
}

/* Takes out those of the thing's waiters that can be woken, and forgets whoever is out: each is met once, however many have a share of the thing. */
static void follow_waiters(struct look *k, struct thing *t)
{
    uint32_t *link = &t->waiters;
    while (*link != UINT32_MAX) {
        const struct wait *w = &k->waits[*link];
        if (k->tasks[w->task].stuck && may_be_woken(k, &k->tasks[w->task]))
            take_out(k, w->task);
        if (k->tasks[w->task].stuck)
            link = &k->waits[*link].next;
        else
            *link = w->next;
    }
}

/* Takes out those that wait on what the ones before have. */
static void follow(struct look *k)
{
    while (k->nout > 0) {
        const struct blocked *b = &k->tasks[k->out[--k->nout]];
        for (uint32_t s = 0; s < b->nshares; s++)
            follow_waiters(k, &k->things[k->shares[b->shares + s]]);
    }
}

/* How many are left. */
static uint32_t sift(struct look *k)
{
    uint32_t left;
    bool changed;
    do {
        changed = false;
        left = 0;
        for (uint32_t i = 0; i < k->ntasks; i++) {
            if (k->tasks[i].stuck && may_be_woken(k, &k->tasks[i])) {
                take_out(k, i);
                follow(k);
                changed = true;
            }
            left += k->tasks[i].stuck;
        }
    } while (changed); /* a second round finds what no share leads to: the holder of a lock known by its plain number */
    return left;
}

/* ---- telling ---- */

/* Step 3: b still waits the same wait. */
static bool still_waits(const struct blocked *b)
{
    gs_spin_lock(&b->self->lock);
    bool same = !b->self->done && b->self->vm == b->vm && gs_load_rlx(&b->vm->park.number) == b->number && /* alive while the lock is held */
                gs_load_acq(&b->vm->park.word) == GS_WAIT_WAITING;
    gs_spin_unlock(&b->self->lock);
    return same;
}

static bool all_still_wait(const struct look *k)
{
    for (uint32_t i = 0; i < k->ntasks; i++)
        if (k->tasks[i].stuck && !still_waits(&k->tasks[i]))
            return false;
    return true;
}

static void tell(struct look *k)
{
    struct gs_task **v = gs_mem_alloc(k->ntasks * sizeof(struct gs_task *));
    uint32_t n = 0;
    if (v == NULL)
        return;
    for (uint32_t i = 0; i < k->ntasks; i++) {
        struct blocked *b = &k->tasks[i];
        if (!b->stuck || b->self->told) /* told: the watch thread's alone */
            continue;
        b->self->told = true;
        v[n++] = &b->vm->task;
    }
    if (n > 0) {
        bool fatal = gs_rt.opt.deadlock == GOOST_DEADLOCK_ERROR;
        char title[96];
        snprintf(title, sizeof title, "%s: %u task%s blocked for good - deadlock\n", fatal ? "fatal" : "warning", n, n == 1 ? " is" : "s are");
        gs_rt_tell_tasks(title, v, n);
        if (fatal)
            gs_rt_exit(3);
    }
    gs_mem_free(v);
}

static void look(void)
{
    struct look k = {0};
    gs_rt_live_each(collect, &k);
    k.out = gs_mem_alloc((k.ntasks + 1u) * sizeof *k.out);
    if (!k.failed && k.out != NULL && k.ntasks > 0) {
        if (sift(&k) > 0 && all_still_wait(&k))
            tell(&k);
    }
    bool untold = false;
    for (uint32_t i = 0; i < k.ntasks && !untold; i++)
        untold = !k.tasks[i].self->told;
    for (uint32_t i = 0; i < k.nthings; i++)
        gs_hobj_release(k.things[i].o);
    if (untold)
        (void)gs_sched_look_mt(gs_rt.sched); /* see "Stocks" */
    gs_mem_free(k.tasks);
    gs_mem_free(k.things);
    gs_mem_free(k.waits);
    gs_mem_free(k.shares);
    gs_mem_free(k.out);
    gs_mem_free(k.thing_of.v);
    gs_mem_free(k.task_of.v);
}

/* ---- when ---- */

GS_COLD void gs_deadlock_note_first(void)
{
    if (gs_rt.opt.deadlock == GOOST_DEADLOCK_OFF || gs_rt_tasks() <= 1) /* a program of one task needs no thread for this */
        return;
    if (gs_xchg_acq_rel(&gs_deadlock_noted, true))
        return;
    gs_quit_watch();
    gs_quit_nudge();
}

int64_t gs_deadlock_look(void)
{
    if (!gs_load_acq(&gs_deadlock_noted))
        return -1;
    int64_t now = gs_clock_mono_ns();
    if (next_ns < now - PERIOD_NS) { /* the first change for long */
        next_ns = now + WAIT_NS;
        return WAIT_NS;
    }
    if (now < next_ns)
        return next_ns - now;
    gs_store_rlx(&gs_deadlock_noted, false);
    gs_fence_heavy(); /* [N1] */
    pthread_mutex_lock(&looking);
    if (!ended)
        look();
    pthread_mutex_unlock(&looking);
    int64_t then = gs_clock_mono_ns(), pause = (then - now) * COST;
    next_ns = then + (pause > PERIOD_NS ? pause : PERIOD_NS);
    return gs_load_acq(&gs_deadlock_noted) ? next_ns - then : -1;
}

void gs_deadlock_end(void)
{
    pthread_mutex_lock(&looking);
    ended = true;
    pthread_mutex_unlock(&looking);
}
