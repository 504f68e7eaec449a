/* SPDX-License-Identifier: MIT
 * quit.c - SIGQUIT. Contract: quit.h.
 *
 * How        A task's stack can be read only while the task stands still, so the scheduler is stopped as by exit(), and the report made
 *            of what is left (api.c): those that wait, and those that were running or queued.
 * Handler    Stopping takes locks and may start threads, which a handler must not. Once anybody may sleep there is a thread that the handler
 *            wakes, and which stops the scheduler (gs_quit_watch). Before that, one worker runs one task, and the handler itself says stop and pokes
 *            it (gs_sched_stop_signal), again every AGAIN_MS, since a poke may come just before the task begins to run. So a program that starts no
 *            thread need not start one for this.
 * Grace      A task inside a library function that takes long does not come to a safe point. After GRACE_MS the process ends without it: the
 *            thread still tells of those that wait, which nobody runs any more; the handler can say no more than that.
 * Watching   The same thread looks for partial deadlocks (deadlock.c) when there is reason to, and cancels what the REPL runs at Ctrl-C (repl.c).
 * Orders     [Q1] asked: turned by the handler or the end (a CAS), loaded by the thread and at the end (acquire). [Q2] told: an exchange; who finds it false
 *            makes the report, the thread when the grace is over or the end. [Q3] watched, over: stored (release), loaded (acquire). [Q4] nudges: counted up (release) after what
 *            it is about has been stored, loaded (acquire) by the thread before it looks at that.
 */
#include "quit.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "deadlock.h"
#include "insight.h"
#include "port/clock.h"
#include "port/thread.h"
#include "repl.h"
#include "rt.h"

#define AGAIN_MS 10
#define GRACE_MS 1000
#define CODE 2

static bool armed;             /* before the run */
static _Atomic bool begun;     /* somebody starts the thread */
static _Atomic bool watched;   /* there is the thread */
enum { NOT_ASKED, ASKED, DISMISSED };
static _Atomic uint32_t asked;
static _Atomic uint32_t nudges; /* futex word */
static pthread_t thread;        /* once watched */
static _Atomic uint32_t over;  /* futex word: the workers have stopped */
static _Atomic bool told;
static _Atomic uint32_t rounds; /* of the handler; only a count */

static void *quit_main(void *arg)
{
    (void)arg;
    for (;;) {
        uint32_t seen = gs_load_acq(&nudges); /* [Q4] */
        if (gs_load_acq(&asked) != NOT_ASKED) /* [Q1] */
            break;
        gs_repl_look();
        gs_futex_wait(&nudges, seen, gs_deadlock_look());
    }
    if (gs_load_acq(&asked) == DISMISSED) /* [Q1] */
        return NULL;
    gs_store_rlx(&gs_rt.ending, true);
    gs_sched_stop(gs_rt.sched, CODE);
    int64_t until = gs_clock_mono_ns() + (int64_t)GRACE_MS * 1000000, left;
    while (gs_load_acq(&over) == 0 && (left = until - gs_clock_mono_ns()) > 0) /* [Q3] */
        gs_futex_wait(&over, 0, left);
    if (!gs_xchg_acq_rel(&told, true)) { /* [Q2] */
        gs_rt_report_tasks(false);
        gs_insight_end();
        _exit(CODE);
    }
    return NULL;
}

static void repeat(int ms)
{
    struct itimerval again = {.it_value = {.tv_usec = (suseconds_t)ms * 1000}}; /* 0: no more */
    (void)setitimer(ITIMER_REAL, &again, NULL);
}

/* SIGQUIT, and SIGALRM after it. */
static void on_signal(int sig)
{
    static const char text[] = "fatal: SIGQUIT: the task is inside a library function and does not come back\n";
    int err = errno;
    (void)sig;
    uint32_t seen = NOT_ASKED;
    (void)gs_cas_acq_rel(&asked, &seen, (uint32_t)ASKED); /* [Q1] */
    if (gs_load_acq(&watched)) { /* [Q3] */
        gs_quit_nudge();
    } else if (gs_add_rlx(&rounds, 1u) < GRACE_MS / AGAIN_MS) {
        gs_store_rlx(&gs_rt.ending, true);
        gs_sched_stop_signal(gs_rt.sched, CODE);
        (void)signal(SIGALRM, on_signal);
        repeat(AGAIN_MS);
    } else {
        (void)!write(STDERR_FILENO, text, sizeof text - 1);
        _exit(CODE);
    }
    errno = err;
}

void gs_quit_arm(void)
{
    armed = gs_signal_take(SIGQUIT, on_signal);
}

void gs_quit_nudge(void)
{
    (void)gs_add_acq_rel(&nudges, 1u); /* [Q4] */
    gs_futex_wake(&nudges, 1);
}

void gs_quit_watch(void)
{
    if (gs_load_rlx(&begun) || gs_xchg_acq_rel(&begun, true))
        return;
    if (gs_thread_start(&thread, "goost-watch", quit_main, NULL) == 0)
        gs_store_rel(&watched, true); /* [Q3]; it looks at `asked` itself. Without it the handler does what it can */
}

static void dismiss(void)
{
    uint32_t none = NOT_ASKED;
    if (!gs_load_acq(&watched)) /* [Q3] */
        return;
    (void)gs_cas_acq_rel(&asked, &none, (uint32_t)DISMISSED); /* [Q1] */
    gs_quit_nudge();
    pthread_join(thread, NULL);
}

/* Whether the signal came. */
static bool disarm(void)
{
    (void)signal(SIGQUIT, SIG_IGN); /* who asks again while the report is made still gets it */
    armed = false;
    bool early = gs_xchg_acq_rel(&told, true); /* [Q2] */
    gs_store_rel(&over, 1u);                   /* [Q3] */
    gs_futex_wake(&over, 1);
    if (early) /* the thread is telling, and ends the process */
        for (;;)
            pause();
    bool was = gs_load_acq(&asked) == ASKED; /* [Q1] */
    if (was) {
        repeat(0);
        (void)signal(SIGALRM, SIG_IGN);
    } else {
        (void)signal(SIGQUIT, SIG_DFL);
    }
    return was;
}

bool gs_quit_end(void)
{
    bool was = armed && disarm(), wait = was;
#if defined(GS_SANITIZE)
    wait = true; /* they count threads that the end of the process would take along */
#endif
    if (wait)
        dismiss();
    return was;
}
