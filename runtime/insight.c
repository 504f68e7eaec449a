/* SPDX-License-Identifier: MIT
 * insight.c - what traces call the scheduler's tasks. Contract: insight.h; the recording: sched/trace.h.
 *
 * Labels     A task goes by the function it was started with, which is the callee of its bottom frame (vm.c,
 *            gs_vm_start): a prototype, or a library function, told apart by bit 0. Both live as long as the
 *            process, as do the paths of files.
 * Signals    While a trace is recorded, one that ends the process has the file written first. The handler only says so
 *            to a thread (an atomic store and a system call); that one writes, and then raises the signal anew with what
 *            it does by default. After abort() the thread that broke waits, but not for ever: it may hold a lock that
 *            writing needs. Signals that are ignored stay so.
 *            [S1] asked: stored by the handler (release), loaded by the thread (acquire). [S2] told: the other way round.
 */
#include "insight.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "port/thread.h"
#include "rt.h"
#include "seed.h"
#include "taskobj.h"
#include "trace.h"

#define LABEL_NATIVE ((uintptr_t)1)

#define ABORT_WAIT_NS 5000000000

static const char *trace_path;
static _Atomic uint32_t asked; /* futex words: the signal that came, and whether the file is written */
static _Atomic uint32_t told;

static const void *label(const struct gs_vm *vm)
{
    const gs_value *base = vm->stack + 2; /* of the bottom frame */
    gs_value fn = base[-2];
    if (vm->base == NULL)
        return NULL;
    if (fn.f->proto->mod == NULL && gs_is(base[0], GS_T_FUNC)) /* the stub of a call that does not fit */
        fn = base[0];
    if (fn.f->proto->mod == NULL && gs_is(base[0], GS_T_NATIVE))
        return (const void *)((uintptr_t)base[0].p | LABEL_NATIVE);
    return fn.f->proto;
}

static void name_task(const struct gs_task *t, struct gs_trace_task *out)
{
    const struct gs_vm *vm = (const struct gs_vm *)(const void *)t; /* the task is its first member */
    const struct gs_seed *seed = gs_seed_of(t);
    const struct gs_taskobj *o = seed != NULL ? seed->o : vm->self;
    out->what = seed != NULL ? gs_seed_proto(seed) : label(vm);
    out->number = o->h.id;
    out->file = seed == NULL && (vm->flags & GS_VM_MAIN) ? NULL : o->file;
    out->line = o->line;
}

static void name_stop(const struct gs_task *t, struct gs_trace_stop *out)
{
    const struct gs_vm *vm = (const struct gs_vm *)(const void *)t;
    if (gs_load_rlx(&vm->park.word) != GS_WAIT_IDLE) /* only we change it from IDLE and to it */
        out->why = vm->park.what;
    gs_vm_place(vm, &out->file, &out->line);
}

/* at: a compile's instruction, above the eight bits of its attempt. */
static void name_label(const void *what, uint64_t at, struct gs_trace_name *out)
{
    if ((uintptr_t)what & LABEL_NATIVE) {
        const struct gs_native *n = (const void *)((uintptr_t)what - LABEL_NATIVE);
        out->name = n->name;
        return;
    }
    const struct gs_proto *p = what;
    uint64_t pc = at >> 8;
    out->name = p->flags & GS_PF_MAIN ? "main" : p->name->data;
    out->file = p->mod != NULL && p->mod->path != NULL ? p->mod->path : "?";
    out->line = pc > 0 && pc < p->ncode ? p->lines[pc] : p->line;
}

/* ---- signals ---- */

static void *signal_main(void *arg)
{
    (void)arg;
    uint32_t sig;
    while ((sig = gs_load_acq(&asked)) == 0) /* [S1] */
        gs_futex_wait(&asked, 0, -1);
    gs_insight_end();
    gs_store_rel(&told, 1u); /* [S2] */
    gs_futex_wake(&told, 1);
    if (sig != SIGABRT) { /* the handler sees to the rest itself */
        (void)signal((int)sig, SIG_DFL);
        (void)kill(getpid(), (int)sig);
    }
    return NULL;
}

static void on_signal(int sig)
{
    int err = errno;
    uint32_t none = 0;
    if (gs_cas_acq_rel(&asked, &none, (uint32_t)sig)) /* [S1] */
        gs_futex_wake(&asked, 1);
    if (sig == SIGABRT) {
        if (gs_load_acq(&told) == 0) /* [S2] */
            gs_futex_wait(&told, 0, ABORT_WAIT_NS);
        (void)signal(SIGABRT, SIG_DFL);
        (void)raise(SIGABRT); /* when this returns */
    }
    errno = err;
}

static void watch_signals(void)
{
    pthread_t t;
    if (gs_thread_start(&t, "goost-signal", signal_main, NULL) != 0)
        return; /* such an end leaves no trace */
    pthread_detach(t);
    (void)gs_signal_take(SIGINT, on_signal);
    (void)gs_signal_take(SIGTERM, on_signal);
    (void)gs_signal_take(SIGHUP, on_signal);
    (void)gs_signal_take(SIGABRT, on_signal);
}

/* ---- the trace ---- */

bool gs_insight_start(const char *trace)
{
    static const struct gs_trace_hooks hooks = {.task = name_task, .stop = name_stop, .name = name_label};
    int err = trace != NULL ? gs_trace_open(trace, &hooks) : 0;
    if (err != 0) {
        (void)fprintf(stderr, "langoost: cannot write %s: %s\n", trace, strerror(err));
        return false;
    }
    trace_path = trace;
    if (trace != NULL)
        watch_signals();
    return true;
}

void gs_insight_end(void)
{
    int err = gs_trace_write();
    if (err != 0)
        (void)fprintf(stderr, "langoost: cannot write %s: %s\n", trace_path, strerror(err));
}
