/* SPDX-License-Identifier: MIT
 * api.c - the process: options, the scheduler's hooks, running a program, reports about all tasks. Contract: goost.h, rt.h.
 *
 * Ending     The count of live tasks (main included) stops the scheduler when it reaches zero; exit() and an uncaught error of main stop it at once. What is still
 *            parked or queued then is dropped after the workers have been joined; those that do not come to a safe point in GRACE_NS are not waited for.
 * Registry   Live VMs are linked into one of LIVE_SHARDS lists, so that workers do not meet at one lock, when they first wait. What has never waited is
 *            running or queued, hence of no interest to the deadlock report, and handed over by the scheduler at the end.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "deadlock.h"
#include "error.h"
#include "goost.h"
#include "hold.h"
#include "hooks.h"
#include "hot.h"
#include "hot_int.h"
#include "insight.h"
#include "lib.h"
#include "output.h"
#include "pool.h"
#include "port/clock.h"
#include "port/mem.h"
#include "port/thread.h"
#include "quit.h"
#include "reclaim.h"
#include "rt.h"
#include "seed.h"
#include "taskobj.h"

struct gs_rt gs_rt;
struct gs_hooks gs_hooks;

#define LIVE_SHARDS 16u

static struct live_shard {
    _Alignas(GS_CACHE_LINE) struct gs_spin lock;
    struct gs_vm *head;
} live[LIVE_SHARDS];

void gs_rt_live_add(struct gs_vm *vm)
{
    struct gs_worker *w = gs_worker_self();
    vm->live_shard = (uint8_t)(w != NULL ? gs_worker_index(w) % LIVE_SHARDS : 0);
    struct live_shard *s = &live[vm->live_shard];
    gs_spin_lock(&s->lock);
    vm->live_prev = NULL;
    vm->live_next = s->head;
    if (s->head != NULL)
        s->head->live_prev = vm;
    s->head = vm;
    gs_spin_unlock(&s->lock);
    vm->flags |= GS_VM_LIVE;
}

void gs_rt_live_each(bool (*f)(struct gs_vm *vm, void *ctx), void *ctx)
{
    bool on = true;
    for (unsigned i = 0; i < LIVE_SHARDS && on; i++) {
        gs_spin_lock(&live[i].lock);
        for (struct gs_vm *vm = live[i].head; vm != NULL && on; vm = vm->live_next)
            on = f(vm, ctx);
        gs_spin_unlock(&live[i].lock);
    }
}

int64_t gs_rt_tasks(void)
{
    return gs_sched_tasks(gs_rt.sched);
}

void gs_rt_live_remove(struct gs_vm *vm)
{
    struct live_shard *s = &live[vm->live_shard];
    gs_spin_lock(&s->lock);
    if (vm->live_prev != NULL)
        vm->live_prev->live_next = vm->live_next;
    else
        s->head = vm->live_next;
    if (vm->live_next != NULL)
        vm->live_next->live_prev = vm->live_prev;
    gs_spin_unlock(&s->lock);
    vm->flags &= (uint8_t)~GS_VM_LIVE;
}

/* ---- reports about all tasks ---- */

/* Tasks that were still queued when the scheduler stopped. */
static struct gs_task *left_over;

/* A VM, or a seed, of which there is a VM only while it is told of. */
static const struct gs_taskobj *object_of(const struct gs_task *t)
{
    const struct gs_seed *seed = gs_seed_of(t);
    return seed != NULL ? seed->o : ((const struct gs_vm *)(const void *)t)->self; /* the task is its first member */
}

static int by_id(const void *a, const void *b)
{
    const struct gs_task *const *x = a, *const *y = b;
    int64_t i = object_of(*x)->h.id, j = object_of(*y)->h.id;
    return i < j ? -1 : i > j;
}

struct tasks {
    struct gs_task **v;
    size_t n, cap;
};

static void tasks_add(struct tasks *t, struct gs_task *task)
{
    if (t->n == t->cap) {
        t->cap = t->cap != 0 ? t->cap * 2 : 64;
        t->v = gs_mem_must_realloc(t->v, t->cap * sizeof(struct gs_task *));
    }
    t->v[t->n++] = task;
}

static bool add_any(struct gs_vm *vm, void *ctx)
{
    tasks_add(ctx, &vm->task);
    return true;
}

static bool add_parked(struct gs_vm *vm, void *ctx)
{
    if (gs_load_acq(&vm->task.state) == GS_TASK_PARKED) /* [T1] of the scheduler: it does not move any more once that is stopping */
        tasks_add(ctx, &vm->task);
    return true;
}

/* Those that have waited, and those that the scheduler left over, in no order. Not ended: those that are parked. */
static struct tasks tasks_all(bool ended)
{
    struct tasks t = {0};
    gs_rt_live_each(ended ? add_any : add_parked, &t);
    for (struct gs_task *left = ended ? left_over : NULL; left != NULL; left = left->next) {
        struct gs_vm *vm = (struct gs_vm *)left; /* the task is its first member */
        if (gs_seed_of(left) != NULL || !(vm->flags & GS_VM_LIVE))
            tasks_add(&t, left);
    }
    return t;
}

static bool waits(const struct gs_vm *vm)
{
    return gs_load_rlx(&vm->park.word) == GS_WAIT_WAITING; /* nobody runs */
}

static void tell_vm(struct gs_buf *b, const struct gs_taskobj *o, const struct gs_vm *vm, bool stack)
{
    const char *file = "?";
    uint32_t line = 0;
    gs_vm_place(vm, &file, &line);
    gs_buf_printf(b, "task %lld%s: ", (long long)o->h.id, vm->flags & GS_VM_MAIN ? " (main)" : "");
    if (waits(vm))
        gs_buf_printf(b, "waiting in %s", vm->park.what != NULL ? vm->park.what : "?");
    else
        gs_buf_putz(b, "runnable");
    if (waits(vm) && vm->park.obj != NULL)
        gs_buf_printf(b, " on %s %lld", gs_hkind_name((enum gs_hkind)vm->park.obj->kind), (long long)vm->park.obj->id);
    gs_buf_printf(b, " at %s:%u", file, line);
    if (!(vm->flags & GS_VM_MAIN))
        gs_buf_printf(b, ", spawned at %s:%u", o->file, o->line);
    gs_buf_putc(b, '\n');
    if (stack)
        gs_stack_text(vm, b, "    ");
}

static void tell_task(struct gs_buf *b, const struct gs_task *t, bool stack)
{
    const struct gs_seed *seed = gs_seed_of(t);
    struct gs_vm *made = seed != NULL ? gs_seed_vm(seed) : NULL;
    const struct gs_vm *vm = seed != NULL ? made : (const struct gs_vm *)(const void *)t; /* the task is its first member */
    if (vm != NULL)
        tell_vm(b, object_of(t), vm, stack);
    gs_vm_free(made);
}

#define REPORT_MAX 1000u /* tasks told one by one */

static void tell_tasks(const char *title, struct gs_task **v, size_t n, bool stacks)
{
    struct gs_buf b = {0};
    if (n > 0)
        qsort(v, n, sizeof v[0], by_id);
    gs_buf_putz(&b, title);
    for (size_t i = 0; i < n && i < REPORT_MAX; i++)
        tell_task(&b, v[i], stacks);
    if (n > REPORT_MAX)
        gs_buf_printf(&b, "... and %zu more tasks\n", n - REPORT_MAX);
    gs_err_write(b.p, b.len);
    gs_buf_free(&b);
}

void gs_rt_tell_tasks(const char *title, struct gs_task **v, size_t n)
{
    tell_tasks(title, v, n, false);
}

void gs_rt_report_tasks(bool ended)
{
    struct tasks t = tasks_all(ended);
    char title[96];
    if (ended)
        snprintf(title, sizeof title, "fatal: SIGQUIT: %zu task%s\n", t.n, t.n == 1 ? "" : "s");
    else
        snprintf(title, sizeof title, "fatal: SIGQUIT: %lld tasks, some inside library functions; these wait:\n", (long long)gs_rt_tasks());
    tell_tasks(title, t.v, t.n, true);
    gs_mem_free(t.v);
}

/* ---- scheduler hooks ---- */

static void *hook_start(void *ctx, struct gs_worker *w)
{
    (void)ctx;
    if (gs_worker_index(w) > 0)
        gs_quit_watch();
    gs_hold_start();
    return NULL;
}

static void hook_stop(void *ctx, struct gs_worker *w, void *local)
{
    (void)ctx;
    (void)w;
    (void)local;
    gs_hold_stop();
    gs_hot_worker_stop();
    gs_reclaim_away();
}

static void hook_idle(void *ctx, struct gs_worker *w)
{
    (void)ctx;
    (void)w;
    gs_quit_watch();
    gs_reclaim_away();
    gs_out_flush();
    gs_hold_idle();
    gs_deadlock_note(); /* last: shares have gone back */
}

static void hook_quiescent(void *ctx, struct gs_worker *w)
{
    (void)ctx;
    (void)w;
    /* All workers sleep: every live VM is parked and nothing moves. */
    gs_deadlock_end();
    struct tasks t = tasks_all(true);
    tell_tasks("fatal: all tasks are asleep - deadlock\n", t.v, t.n, false);
    gs_mem_free(t.v);
    gs_rt_exit(3);
}

static void hook_left(void *ctx, struct gs_task *t)
{
    (void)ctx;
    t->next = left_over;
    left_over = t;
}

static const struct gs_sched_hooks hooks = {.worker_start = hook_start,
                                            .worker_stop = hook_stop,
                                            .idle = hook_idle,
                                            .quiescent = hook_quiescent,
                                            .left = hook_left};

#define GRACE_NS 100000000 /* how long an exit waits for tasks on other workers to come to a safe point */

static _Atomic uint32_t run_over; /* futex word: 1 once all workers have stopped */

static void *end_anyway(void *code)
{
    gs_futex_wait(&run_over, 0, GRACE_NS);
    if (gs_load_rlx(&run_over) == 0) { /* nothing else is read */
        gs_insight_end();
        _exit((int)(intptr_t)code);
    }
    return NULL;
}

/* A task on another worker may be inside a library function that takes long, or the kernel: exit() does not wait for it. */
static void limit_stopping(int code)
{
    pthread_t t;
    if (gs_rt_tasks() > 1 && gs_thread_start(&t, "goost-exit", end_anyway, (void *)(intptr_t)code) == 0)
        pthread_detach(t);
}

void gs_rt_exit(int code)
{
    gs_out_close(); /* output of tasks still running on other workers is dropped from here on */
    gs_store_rlx(&gs_rt.ending, true);
    gs_sched_stop(gs_rt.sched, code);
    limit_stopping(code);
}

void gs_rt_no_memory(void)
{
    static const char text[] = "fatal: out of memory\n";
    gs_err_write(text, sizeof text - 1);
    gs_insight_end();
    _exit(70);
}

/* ---- running ---- */

void goost_options_init(struct goost_options *o)
{
    memset(o, 0, sizeof *o);
    o->pin = true;
    o->stack_limit = GS_STACK_LIMIT_DEFAULT;
    o->deadlock = GOOST_DEADLOCK_WARN;
}

const char *goost_version(void)
{
    return "0.1.0";
}

static void drop_vm(struct gs_vm *vm)
{
    struct gs_taskobj *o = vm->self;
    if (gs_load_rlx(&vm->park.word) != GS_WAIT_IDLE)
        (void)gs_wait_end(vm);
    gs_vm_free(vm);
    if (o->runner != NULL)
        gs_runner_dropped(o);
    gs_hobj_release(&o->h);
}

/* What is left after the workers have stopped: parked and queued tasks of a program that ended early. */
static void drop_live(void)
{
    while (left_over != NULL) {
        struct gs_vm *vm = (struct gs_vm *)left_over; /* the task is its first member */
        struct gs_seed *seed = gs_seed_of(left_over);
        left_over = left_over->next;
        if (seed != NULL)
            gs_seed_drop(seed);
        else if (!(vm->flags & GS_VM_LIVE))
            drop_vm(vm);
    }
    for (unsigned i = 0; i < LIVE_SHARDS; i++) {
        while (live[i].head != NULL) {
            struct gs_vm *vm = live[i].head;
            gs_rt_live_remove(vm);
            drop_vm(vm);
        }
    }
}

_Static_assert((int)GOOST_JIT_ON == GS_JIT_ON && (int)GOOST_JIT_OFF == GS_JIT_OFF && (int)GOOST_JIT_EAGER == GS_JIT_EAGER, "the same list twice");

static void start_jit(const struct goost_options *o)
{
    struct gs_hot_options h = {.mode = (enum gs_jit_mode)o->jit,
                               .threshold = (uint32_t)(o->jit_threshold < UINT32_MAX ? o->jit_threshold : UINT32_MAX),
                               .stress = o->jit_stress,
                               .remake = o->jit_remake,
                               .listing = o->jit_listing};
    gs_hot_start(&h);
}

/* The compiler would go on while the process takes down what it stands on: no destructor may run. */
static void stop_jit(int code)
{
    if (gs_hot_stop())
        return;
    (void)fflush(NULL);
    _exit(code);
}

int goost_run_program(const struct goost_options *o, struct gs_program *p, int argc, char **argv)
{
    gs_store_rlx(&run_over, 0u);
    gs_rt.opt = *o;
    if (gs_rt.opt.stack_limit == 0)
        gs_rt.opt.stack_limit = GS_STACK_LIMIT_DEFAULT;
    gs_store_rlx(&gs_heap_process.limit, o->heap_limit); /* 0: the machine's memory */
    gs_rt.program = p;
    gs_rt.argc = argc;
    gs_rt.argv = argv;
    if (!gs_insight_start(o->trace))
        return 1;
    start_jit(o);
    struct gs_sched_config cfg = {
        .workers = o->workers, .pin = o->pin, .topology = o->topology, .seed = o->seed, .hooks = &hooks};
    gs_rt.sched = gs_sched_new(&cfg);
    if (gs_rt.sched == NULL)
        gs_rt_no_memory();
    struct gs_vm *vm = gs_task_new_main(p);
    gs_quit_arm();
    int code = gs_sched_run(gs_rt.sched, &vm->task);
    bool quit = gs_quit_end();
    gs_deadlock_end();
    gs_store_rlx(&run_over, 1u);
    gs_futex_wake(&run_over, 1);
    bool early = gs_load_rlx(&gs_rt.ending);
    if (o->completed != NULL)
        *o->completed = !early;
    gs_out_open();
    if (!early) {
        gs_taskobj_report_unreceived();
        if (code == 0 && gs_load_rlx(&gs_rt.failures) > 0)
            code = 1;
    }
    if (quit) {
        gs_out_flush();
        gs_rt_report_tasks(true);
        code = 2;
    }
    gs_insight_end();
    if (o->stats) {
        gs_sched_stats_print(gs_rt.sched, stderr);
        gs_hot_stats(stderr);
    }
    if ((o->stats || o->debug) && gs_hot_trouble()[0] != '\0')
        (void)fprintf(stderr, "jit: %s\n", gs_hot_trouble());
    if (o->jit_listing)
        gs_hot_settle();
    stop_jit(code);
#if defined(GS_SANITIZE)
    drop_live(); /* for the leak checker; otherwise the process's end does it faster */
    (void)atexit(gs_rt_drop_store); /* tests look into the store when the program is over */
    gs_sched_free(gs_rt.sched);
#else
    (void)drop_live;
#endif
    return code;
}
