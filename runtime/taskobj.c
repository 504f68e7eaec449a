/* SPDX-License-Identifier: MIT
 * taskobj.c - spawn, run, end and outcome of tasks. Contract: taskobj.h.
 *
 * Locks      o->lock guards what taskobj.h says; failed_lock guards the list of failed futures and is taken inside o->lock.
 * Several    Waiting for one of several futures, or for all of them, puts a waiter into the queue of each. Waiting for all counts: a future that ends well only
 *            lowers the waiting VM's counter, and the last one, or the first that fails, wakes it; so n futures cost n steps, however they end.
 *            [A1] the counter goes down by acq_rel: who brings it to zero has seen what every other did before.
 * Counting   gs_rt.tasks_alive counts the tasks that live and those that workers have leave to start: a worker takes leave by the dozen, gets one back with each
 *            task that ends there, and returns what it has before it sleeps. So the count is zero when, and not before, no task lives and no worker holds leave,
 *            and a task that starts and ends touches it not at all. [E1] it goes down by acq_rel: whoever takes it to zero has seen what every task did.
 * Memory     A worker keeps the objects of tasks that ended there for the next ones (hold.h): with an outcome that is dropped unless somebody has a share of the object, and a last share
 *            that goes without an RMW (handle.c), spawn_join_1m takes 0.9 of its time.
 * Registry   A VM is entered into the registry of live VMs (api.c) when it first waits: a task that never does costs nothing there.
 */
#include "taskobj.h"

#include <string.h>

#include "deadlock.h"
#include "error.h"
#include "hold.h"
#include "hot.h"
#include "lib.h"
#include "output.h"
#include "pool.h"
#include "port/mem.h"
#include "rt.h"
#include "seed.h"
#include "trace.h"

/* ---- failed futures: reported at the end when nobody received them ---- */

struct gs_failure {
    struct gs_failure *prev, *next;
    struct gs_taskobj *o; /* a share */
    struct gs_buf report;
};

static struct gs_spin failed_lock;
static struct gs_failure *failed_head, *failed_tail; /* in the order of failing */

static void failed_add(struct gs_failure *f)
{
    gs_spin_lock(&failed_lock);
    f->prev = failed_tail;
    f->next = NULL;
    if (failed_tail != NULL)
        failed_tail->next = f;
    else
        failed_head = f;
    failed_tail = f;
    gs_spin_unlock(&failed_lock);
}

static void failed_remove(struct gs_failure *f)
{
    gs_spin_lock(&failed_lock);
    if (f->prev != NULL)
        f->prev->next = f->next;
    else
        failed_head = f->next;
    if (f->next != NULL)
        f->next->prev = f->prev;
    else
        failed_tail = f->prev;
    gs_spin_unlock(&failed_lock);
}

static void failure_free(struct gs_failure *f)
{
    gs_hobj_release(&f->o->h);
    gs_buf_free(&f->report);
    gs_mem_free(f);
}

/* The error has reached somebody, or has a receiver if there will be one: it is none of the process's failures any more. */
void gs_taskobj_received(struct gs_taskobj *o)
{
    gs_spin_lock(&o->lock);
    bool counted = !o->received && o->failed && o->style == GS_TS_SPAWN;
    struct gs_failure *f = o->done ? o->failure : NULL;
    o->received = true;
    if (f != NULL) {
        o->failure = NULL;
        failed_remove(f);
    }
    gs_spin_unlock(&o->lock);
    if (counted)
        (void)gs_sub_rlx(&gs_rt.failures, 1);
    if (f != NULL)
        failure_free(f);
}

/* ---- reports ---- */

static void report_head(struct gs_buf *b, const struct gs_taskobj *o)
{
    gs_buf_printf(b, "%s %lld, spawned at %s:%u:\n", o->style == GS_TS_FUTURE ? "future" : "task",
                  (long long)o->h.id, o->file, o->line);
}

/* vm: what o's task ended with (it knows where a value that is no error object was thrown), or NULL: OutOfMemory. */
static struct gs_buf report(const struct gs_taskobj *o, const struct gs_vm *vm)
{
    struct gs_buf b = {0};
    report_head(&b, o);
    if (vm != NULL)
        gs_vm_error_report(&b, vm);
    else
        gs_buf_printf(&b, "%s:%u: OutOfMemory: out of memory\n", o->file, o->line);
    return b;
}

/* A task's error is told at once. Before anyone can receive it, who then takes the failure back. */
static void report_now(const struct gs_taskobj *o, const struct gs_vm *vm)
{
    struct gs_buf b = report(o, vm);
    (void)gs_add_rlx(&gs_rt.failures, 1);
    gs_err_write(b.p, b.len);
    gs_buf_free(&b);
}

/* A future's error may have to be told at the end; vm as above. NULL when there is no memory for that: then it is told now. */
static struct gs_failure *failure_new(struct gs_taskobj *o, const struct gs_vm *vm)
{
    struct gs_failure *f = gs_mem_zalloc(sizeof *f);
    struct gs_buf b = report(o, vm);
    if (f != NULL) {
        gs_hobj_retain(&o->h);
        f->o = o;
        f->report = b;
        return f;
    }
    (void)gs_add_rlx(&gs_rt.failures, 1);
    gs_err_write(b.p, b.len);
    gs_buf_free(&b);
    return NULL;
}

void gs_taskobj_report_unreceived(void)
{
    for (;;) {
        gs_spin_lock(&failed_lock);
        struct gs_failure *f = failed_head;
        if (f != NULL)
            failed_head = f->next; /* all workers have stopped: nobody else looks at the list */
        gs_spin_unlock(&failed_lock);
        if (f == NULL)
            return;
        gs_err_write(f->report.p, f->report.len);
        (void)gs_add_rlx(&gs_rt.failures, 1);
        f->o->failure = NULL;
        failure_free(f);
    }
}

/* ---- ending ---- */

#define LEAVE 64 /* tasks that a worker gets leave to start at a time; it returns as many when it has twice as many */

static void alive_down(int64_t n)
{
    if (gs_sub_acq_rel(&gs_rt.tasks_alive, n) == n) /* [E1] */
        gs_sched_stop(gs_rt.sched, 0);
}

static void count_in(void)
{
    struct gs_hold *h = &gs_hold;
    if (h->leave == 0) { /* relaxed: the spawner is alive itself, so the count cannot be zero */
        (void)gs_add_rlx(&gs_rt.tasks_alive, h->on ? LEAVE : 1);
        h->leave = h->on ? LEAVE : 1;
    }
    h->leave--;
}

static void count_out(void)
{
    struct gs_hold *h = &gs_hold;
    if (++h->leave < 2 * LEAVE && h->on)
        return;
    uint32_t n = h->on ? LEAVE : h->leave;
    h->leave -= n;
    alive_down(n);
}

void gs_hold_return_leave(void)
{
    uint32_t n = gs_hold.leave;
    gs_hold.leave = 0;
    if (n > 0)
        alive_down(n);
}

/* One of the tasks that w's VM waits for all of has ended well, and is not the last. While w is linked its VM cannot leave gs_wait_end. */
static bool only_counted(struct gs_waiter *w)
{
    return w->send && gs_sub_acq_rel(&w->vm->park.ext->pending, 1u) != 1; /* [A1] */
}

static void wake_waiters_locked(struct gs_taskobj *o)
{
    struct gs_waiter *w;
    while ((w = o->waiters.head) != NULL) {
        bool mine = (o->failed || !only_counted(w)) && gs_wait_claim(w->vm, GS_WAIT_WOKEN);
        gs_waitq_pop_locked(&o->waiters, w);
        if (mine)
            gs_wait_wake(w);
    }
}

/* failure: NULL, or the report of a future's error. */
static void publish(struct gs_taskobj *o, struct gs_parcel outcome, bool failed, struct gs_failure *failure)
{
    gs_spin_lock(&o->lock);
    struct gs_pool *pool = o->pool;
    o->outcome = outcome; /* instead of vm and pool */
    o->failed = failed;
    o->done = true;
    wake_waiters_locked(o); /* who may look at all that at once, but takes the lock for the rest */
    o->failure = NULL;
    if (failure != NULL && !o->received) {
        o->failure = failure;
        failed_add(failure);
        failure = NULL;
    }
    gs_spin_unlock(&o->lock);
    if (failure != NULL) /* somebody has taken charge of it before */
        failure_free(failure);
    if (pool != NULL)
        gs_hobj_release(&pool->h);
}

void gs_taskobj_leave_pool(struct gs_taskobj *o)
{
    gs_spin_lock(&o->lock);
    struct gs_pool *pool = o->done ? NULL : o->pool;
    if (pool != NULL)
        o->pool = NULL;
    gs_spin_unlock(&o->lock);
    if (pool != NULL)
        gs_hobj_release(&pool->h);
}

static void end_main(struct gs_vm *vm, gs_status st)
{
    publish(vm->self, (struct gs_parcel){0}, false, NULL);
    if (st == GS_E_THROWN) {
        struct gs_buf b = {0};
        gs_vm_error_report(&b, vm);
        gs_err_write(b.p, b.len);
        gs_buf_free(&b);
        gs_rt_exit(1);
    }
}

void gs_taskobj_settle(struct gs_vm *vm, gs_status st)
{
    struct gs_taskobj *o = vm->self;
    struct gs_parcel out = {0};
    struct gs_failure *failure = NULL;
    bool failed = st == GS_E_THROWN;
    o->is_result = !failed && gs_kind(vm->result) == GS_T_HANDLE && gs_handle_obj(vm->result) == &o->h;
    if (!o->is_result && gs_parcel_pack(vm, failed ? vm->error : vm->result, &out) != GS_OK) {
        failed = true;
        gs_throw_nomem(vm);
        if (gs_parcel_pack(vm, vm->error, &out) != GS_OK)
            o->no_memory = true;
    }
    if (failed && o->style == GS_TS_SPAWN)
        report_now(o, vm);
    else if (failed)
        failure = failure_new(o, vm);
    publish(o, out, failed, failure);
}

void gs_taskobj_fail(struct gs_taskobj *o)
{
    struct gs_failure *f = NULL;
    if (o->style == GS_TS_SPAWN)
        report_now(o, NULL);
    else
        f = failure_new(o, NULL);
    o->no_memory = true; /* before publish, whose lock orders it */
    publish(o, (struct gs_parcel){0}, true, f);
}

/* ---- cancelling ---- */

/* [C1] A cancel and a task that is about to park must not miss each other. Canceller: stores cancel, passes a heavy fence, looks at the wait word. Task: stores WAITING
 * (gs_wait_begin), passes a light fence, looks at cancel (cancel_parking). So one of them sees what the other stored. The canceller looks at the word before the fence, too: most
 * tasks that are cancelled have been waiting for long. */
static struct gs_vm *claim_locked(struct gs_taskobj *o)
{
    return gs_wait_claim(o->vm, GS_WAIT_CANCELLED) ? o->vm : NULL; /* parked, and ours to wake: it cannot end before */
}

static void wake_cancelled(struct gs_vm *vm)
{
    if (vm != NULL)
        gs_task_ready_mt(gs_rt.sched, &vm->task);
}

/* The second look, behind the fence: the canceller's, and the task's own. */
static void cancel_waiting(struct gs_taskobj *o)
{
    gs_spin_lock(&o->lock);
    struct gs_vm *wake = gs_load_rlx(&o->cancel) && !o->done && o->vm != NULL ? claim_locked(o) : NULL;
    gs_spin_unlock(&o->lock);
    wake_cancelled(wake);
}

void gs_taskobj_cancel(struct gs_taskobj *o)
{
    struct gs_vm *wake = NULL;
    gs_spin_lock(&o->lock);
    bool runs = !o->done && o->vm != NULL;
    if (!o->done)
        gs_store_rlx(&o->cancel, true); /* [C1]; taken back under this lock only */
    if (runs) {
        gs_task_poke_mt(&o->vm->task, GS_POKE_CANCEL);
        wake = claim_locked(o);
    }
    gs_spin_unlock(&o->lock);
    wake_cancelled(wake);
    if (runs && wake == NULL) {
        gs_fence_heavy(); /* [C1] */
        cancel_waiting(o);
    }
}

/* Before vm's task goes back to its worker in order to park. */
static void cancel_parking(struct gs_vm *vm)
{
    gs_fence_light(); /* [C1] */
    if (GS_UNLIKELY(gs_load_rlx(&vm->self->cancel)))
        cancel_waiting(vm->self);
}

bool gs_taskobj_take_cancel(struct gs_taskobj *o)
{
    if (GS_LIKELY(!gs_load_rlx(&o->cancel)))
        return false;
    gs_spin_lock(&o->lock);
    bool was = gs_load_rlx(&o->cancel); /* under the lock */
    gs_store_rlx(&o->cancel, false);
    gs_spin_unlock(&o->lock);
    return was;
}

/* ---- running ---- */

/* Jobs of a pool that follow each other in one VM without a way through the scheduler: a tiny job is over before that would be. */
#define JOBS_IN_A_ROW 32u

void gs_taskobj_attach(struct gs_vm *vm, struct gs_taskobj *o)
{
    vm->self = o;
    gs_spin_lock(&o->lock);
    o->vm = vm;
    if (gs_load_rlx(&o->cancel)) /* cancelled while it waited in a pool */
        gs_task_poke_mt(&vm->task, GS_POKE_CANCEL);
    gs_spin_unlock(&o->lock);
}

static void init_limits(struct gs_vm *vm)
{
    if (gs_rt.opt.heap_limit != 0)
        vm->heap.limit = gs_rt.opt.heap_limit;
}

static enum gs_run task_resume(struct gs_task *t, struct gs_worker *w);

struct gs_vm *gs_taskobj_new_vm(void)
{
    struct gs_vm *vm = gs_vm_new();
    if (vm == NULL)
        return NULL;
    uintptr_t mark = vm->task.sp_real;
    gs_task_init(&vm->task, task_resume);
    vm->task.sp_real = mark;
    gs_store_rlx(&vm->task.sp_limit, mark); /* nobody else knows it yet */
    init_limits(vm);
    return vm;
}

void gs_taskobj_renew_vm(struct gs_vm *vm)
{
    gs_vm_renew(vm);
    init_limits(vm);
}

/* The last of a task: its own share, and its place among those that live. */
static enum gs_run gone(struct gs_taskobj *o)
{
    gs_hobj_release(&o->h);
    gs_deadlock_note();
    count_out();
    return GS_RUN_DONE;
}

static enum gs_run end_vm(struct gs_vm *vm, struct gs_worker *w)
{
    struct gs_taskobj *o = vm->self; /* the VM has a share of it */
    if (vm->flags & GS_VM_LIVE)
        gs_rt_live_remove(vm);
    gs_worker_detach_owner(w); /* before the memory goes: the ticker may be poking */
    if (gs_hold.on && gs_hold.warm == NULL && gs_vm_is_light(vm)) {
        gs_hold.warm = vm;
        vm->self = NULL;
    } else {
        gs_vm_free(vm);
    }
    return gone(o);
}

static gs_status run(struct gs_vm *vm)
{
    if (GS_UNLIKELY(--gs_hold.runs == 0)) {
        gs_hold.runs = GS_HOLD_RUNS;
        (void)gs_hold_return_shares();
    }
    vm->heat = gs_heat;
    gs_status st = gs_interp_run(vm);
    gs_heat = vm->heat;
    return st;
}

static enum gs_run pause(struct gs_vm *vm, gs_status st)
{
    if (st == GS_YIELD)
        return GS_RUN_YIELD;
    if (!(vm->flags & GS_VM_LIVE)) /* EXIT: the scheduler is stopping and never runs it again */
        gs_rt_live_add(vm); /* it may have been woken, but we have not let go of it yet */
    if (st == GS_PARK) {
        cancel_parking(vm);
        gs_deadlock_note();
    }
    return GS_RUN_PARK;
}

static bool has_ended(gs_status st)
{
    return st != GS_YIELD && st != GS_PARK && st != GS_EXIT;
}

/* A runner's task: as many jobs as come, now and then by way of the scheduler. */
static enum gs_run resume_runner(struct gs_vm *vm, struct gs_worker *w)
{
    if (!vm->self->runner->busy && !gs_runner_next(vm, w))
        return end_vm(vm, w);
    for (unsigned left = gs_tracing && gs_trace_tells_owner(w) ? 1 : JOBS_IN_A_ROW; left > 0; left--) {
        gs_status st = run(vm);
        if (!has_ended(st))
            return pause(vm, st);
        if (!gs_runner_over(vm, st, w))
            return end_vm(vm, w);
    }
    return GS_RUN_YIELD;
}

/* Nobody else has a share of o, or can get one: its outcome is nobody's. Workers keep no shares of tasks (handle.c). */
static bool is_nobodys(struct gs_taskobj *o)
{
    return gs_load_acq(&o->h.refs) == 1 && o->pool == NULL; /* [H1] */
}

static enum gs_run task_resume(struct gs_task *t, struct gs_worker *w)
{
    struct gs_vm *vm = (struct gs_vm *)t; /* the task is its first member */
    if (GS_UNLIKELY(vm->self->runner != NULL))
        return resume_runner(vm, w);
    gs_status st = run(vm);
    if (!has_ended(st))
        return pause(vm, st);
    gs_worker_over_owner(w); /* before the outcome is seen */
    if (GS_LIKELY(!(vm->flags & GS_VM_MAIN))) {
        if (st != GS_OK || !is_nobodys(vm->self))
            gs_taskobj_settle(vm, st);
        return end_vm(vm, w);
    }
    end_main(vm, st);
    (void)end_vm(vm, w);
    gs_hold_return_leave(); /* most programs end with it */
    return GS_RUN_DONE;
}

/* ---- starting ---- */

enum gs_run gs_taskobj_begin(struct gs_vm *vm, struct gs_taskobj *o, struct gs_worker *w)
{
    if (is_nobodys(o) && !gs_load_rlx(&o->cancel)) { /* nor can one come */
        vm->self = o;
        o->vm = vm;
    } else {
        gs_taskobj_attach(vm, o);
    }
    return task_resume(&vm->task, w);
}

enum gs_run gs_taskobj_never(struct gs_taskobj *o, struct gs_worker *w)
{
    gs_worker_over_owner(w); /* before the outcome is seen */
    gs_taskobj_fail(o);
    return gone(o);
}

static struct gs_taskobj *block_new(void)
{
    struct gs_taskobj *o = gs_hold_take(GS_HOLD_TASK);
    if (o == NULL)
        return gs_mem_zalloc(sizeof *o);
    *o = (struct gs_taskobj){0};
    return o;
}

struct gs_taskobj *gs_taskobj_new(struct gs_vm *vm, enum gs_task_style style, enum gs_hkind kind)
{
    struct gs_taskobj *o = block_new();
    if (o == NULL)
        return NULL;
    gs_hobj_init(&o->h, kind);
    o->style = (uint8_t)style;
    o->waiters.lock = &o->lock;
    o->file = "";
    if (vm != NULL)
        gs_vm_place(vm, &o->file, &o->line);
    return o;
}

void gs_taskobj_drop(struct gs_hobj *h)
{
    struct gs_taskobj *o = (struct gs_taskobj *)h;
    GS_ASSERT(o->done || o->pool == NULL);
    if (o->done)
        gs_parcel_drop(&o->outcome);
    gs_hold_give(GS_HOLD_TASK, o);
}

/* A task is about to be submitted. Nobody else knows its o yet, which gets so many shares, one of them the task's. vm: its VM, or NULL: a seed. */
static void come_in(struct gs_taskobj *o, struct gs_vm *vm, uint32_t shares)
{
    count_in();
    o->vm = vm;
    if (vm != NULL)
        vm->self = o;
    gs_store_rlx(&o->h.refs, shares); /* published with the handle, and by the submission */
}

void gs_taskobj_launch(struct gs_vm *vm, struct gs_taskobj *o)
{
    come_in(o, vm, 1);
    gs_sched_submit_mt(gs_rt.sched, &vm->task);
}

/* A VM with a copy of the call, or NULL. */
static struct gs_vm *copied_call(struct gs_vm *from, gs_value fn, const gs_value *args, uint32_t n)
{
    struct gs_vm *vm = gs_taskobj_new_vm();
    if (vm == NULL)
        return NULL;
    if (gs_copy_start(from, vm, fn, args, n) == GS_OK)
        return vm;
    gs_vm_free(vm);
    return NULL;
}

gs_status gs_task_spawn(struct gs_vm *vm, enum gs_task_style style, gs_value fn, const gs_value *args, uint32_t n, gs_value *out)
{
    struct gs_taskobj *o = gs_taskobj_new(vm, style, style == GS_TS_SPAWN ? GS_H_TASK : GS_H_FUTURE);
    if (o == NULL)
        return GS_E_NOMEM;
    struct gs_seed *seed = gs_seed_new(vm, fn, args, n);
    struct gs_vm *child = seed == NULL ? copied_call(vm, fn, args, n) : NULL;
    if (seed == NULL && child == NULL) {
        gs_hobj_release(&o->h);
        return GS_E_NOMEM;
    }
    if (out != NULL && gs_handle_adopt(vm, &o->h, out) != GS_OK) { /* which has dropped o */
        gs_vm_free(child);
        if (seed != NULL)
            gs_seed_free(seed);
        return GS_E_NOMEM;
    }
    if (seed != NULL)
        seed->o = o;
    come_in(o, child, out != NULL ? 2 : 1);
    gs_sched_submit_mt(gs_rt.sched, seed != NULL ? &seed->task : &child->task);
    return GS_OK;
}

gs_status gs_taskobj_start_packed(struct gs_vm *vm, struct gs_parcel *take_call)
{
    gs_value call;
    if (gs_parcel_take(vm, take_call, &call) != GS_OK)
        return GS_E_NOMEM;
    uint32_t n = (uint32_t)call.a->len - 1;
    gs_value few[8], *args = n <= 8 ? few : gs_mem_alloc(n * sizeof *args);
    if (args == NULL)
        return GS_E_NOMEM;
    for (uint32_t i = 0; i < n; i++)
        args[i] = gs_array_at(call.a, (int64_t)i + 1);
    gs_status st = gs_vm_start(vm, gs_array_at(call.a, 0), args, n);
    if (args != few)
        gs_mem_free(args);
    return st;
}

struct gs_vm *gs_task_new_main(struct gs_program *p)
{
    struct gs_vm *vm = gs_taskobj_new_vm();
    struct gs_taskobj *o = gs_taskobj_new(NULL, GS_TS_SPAWN, GS_H_TASK);
    gs_value *globals = gs_mem_alloc((p->nglobals + 1u) * sizeof *globals);
    if (vm == NULL || o == NULL || globals == NULL)
        gs_rt_no_memory();
    for (uint32_t i = 0; i < p->nglobals; i++)
        globals[i] = gs_unset();
    vm->globals = globals;
    vm->layout = NULL;
    vm->flags |= GS_VM_MAIN | GS_VM_FOREIGN_GLOBALS;
    if (gs_vm_start(vm, gs_objv(GS_T_FUNC, p->main->self), NULL, 0) != GS_OK)
        gs_rt_no_memory();
    come_in(o, vm, 1);
    return vm;
}

/* ---- outcome and waiting ---- */

int gs_taskobj_outcome(struct gs_vm *vm, struct gs_taskobj *o, gs_value *ret)
{
    gs_value v;
    if ((o->is_result ? gs_handle_share(vm, &o->h, &v) : gs_parcel_open(vm, &o->outcome, &v)) != GS_OK)
        return GS_E_NOMEM;
    if (!o->failed) {
        *ret = v;
        return GS_OK;
    }
    gs_taskobj_received(o);
    if (o->outcome.v.tag == GS_T_NIL && o->no_memory)
        return gs_throw_nomem(vm);
    vm->error = v;
    return GS_E_THROWN;
}

static int wait_finish(struct gs_vm *vm, gs_value *ret)
{
    struct gs_taskobj *o = (struct gs_taskobj *)vm->park.obj;
    switch (gs_wait_end(vm)) {
    case GS_WAIT_TIMEOUT:
        *ret = gs_nil();
        return GS_OK;
    case GS_WAIT_CANCELLED:
        (void)gs_vm_take_cancel(vm);
        return gs_throw_cancelled(vm);
    default:
        return gs_taskobj_outcome(vm, o, ret);
    }
}

bool gs_taskobj_is_done(struct gs_taskobj *o)
{
    gs_spin_lock(&o->lock);
    bool done = o->done;
    gs_spin_unlock(&o->lock);
    return done;
}

/* True: vm waits now for o's end, for ever or until its timer. */
static bool wait_if_not_done(struct gs_vm *vm, struct gs_taskobj *o, const char *what)
{
    gs_spin_lock(&o->lock);
    bool wait = !o->done;
    if (wait) {
        gs_wait_park_locked(vm, &o->waiters, &o->h, what, wait_finish);
        vm->park.first.send = false; /* not counted */
    }
    gs_spin_unlock(&o->lock);
    return wait;
}

int gs_taskobj_wait(struct gs_vm *vm, struct gs_taskobj *o, const char *what, int64_t ms, gs_value *ret)
{
    if (gs_vm_take_cancel(vm))
        return gs_throw_cancelled(vm);
    if (ms > 0 && gs_wait_ext(vm) == NULL)
        return GS_E_NOMEM;
    if (ms == 0 ? gs_taskobj_is_done(o) : !wait_if_not_done(vm, o, what))
        return gs_taskobj_outcome(vm, o, ret);
    if (ms == 0)
        return GS_OK;
    gs_wait_timeout(vm, ms); /* we stay on this worker until PARK is returned, woken or not */
    return GS_PARK;
}

/* ---- waiting for several: a waiter in the queue of each; each waiter's item keeps a share of its object ---- */

static struct gs_taskobj *several_obj(const struct gs_waiter *w)
{
    return (struct gs_taskobj *)gs_handle_obj(w->item.v);
}

/* *ret when what is done so far decides. */
static bool several_decided(struct gs_wait_ext *e, bool all, gs_value *ret)
{
    uint32_t done = 0;
    for (uint32_t i = 0; i < e->nmany; i++) {
        struct gs_taskobj *o = several_obj(&e->many[i]);
        gs_spin_lock(&o->lock);
        bool ended = o->done, failed = o->failed;
        gs_spin_unlock(&o->lock);
        if (ended && (!all || failed)) {
            *ret = gs_int((int64_t)i);
            return true;
        }
        done += ended;
    }
    *ret = gs_int(-1);
    return all && done == e->nmany;
}

/* True: it is decided already, by what has ended meanwhile. */
static bool several_enlist(struct gs_wait_ext *e, bool all)
{
    bool news = false;
    gs_store_rlx(&e->pending, e->nmany); /* published by the first queue's lock */
    for (uint32_t i = 0; i < e->nmany; i++) {
        struct gs_waiter *w = &e->many[i];
        struct gs_taskobj *o = several_obj(w);
        w->send = all;
        gs_spin_lock(&o->lock);
        if (!o->done)
            gs_waitq_push_locked(&o->waiters, w);
        else if (!all || o->failed || gs_sub_acq_rel(&e->pending, 1u) == 1) /* [A1] */
            news = true;
        gs_spin_unlock(&o->lock);
    }
    return news;
}

static int several_finish(struct gs_vm *vm, gs_value *ret);

static int several_step(struct gs_vm *vm, gs_value *ret)
{
    bool all = vm->park.first.index != 0;
    while (!several_decided(vm->park.ext, all, ret)) {
        gs_wait_begin(vm);
        if (several_enlist(vm->park.ext, all) && gs_wait_claim(vm, GS_WAIT_WOKEN)) {
            (void)gs_wait_end(vm); /* woken by ourselves */
            continue;
        }
        vm->park.finish = several_finish;
        vm->park.obj = NULL;
        return GS_PARK;
    }
    gs_wait_drop_many(vm);
    return GS_OK;
}

static int several_finish(struct gs_vm *vm, gs_value *ret)
{
    if (gs_wait_end(vm) != GS_WAIT_CANCELLED)
        return several_step(vm, ret);
    gs_wait_drop_many(vm);
    (void)gs_vm_take_cancel(vm);
    return gs_throw_cancelled(vm);
}

int gs_taskobj_wait_several(struct gs_vm *vm, struct gs_array *fs, bool all, const char *what, gs_value *ret)
{
    if (gs_vm_take_cancel(vm))
        return gs_throw_cancelled(vm);
    uint32_t n = (uint32_t)fs->len;
    if (gs_wait_ext(vm) == NULL || !gs_wait_many(vm, n))
        return GS_E_NOMEM;
    struct gs_waiter *ws = vm->park.ext->many;
    for (uint32_t i = 0; i < n; i++) {
        struct gs_hobj *o = gs_handle_find(gs_array_at(fs, i));
        gs_hobj_retain(o);
        ws[i] = (struct gs_waiter){.vm = vm, .item.v = gs_handlev(o->id, o)};
        gs_taskobj_received((struct gs_taskobj *)o);
    }
    vm->park.ext->nmany = n;
    vm->park.ext->many_on = GS_H_TASK;
    vm->park.first.index = all;
    vm->park.what = what;
    return several_step(vm, ret);
}

gs_status gs_taskobj_self(struct gs_vm *vm, gs_value *out)
{
    return gs_handle_share(vm, &vm->self->h, out);
}
