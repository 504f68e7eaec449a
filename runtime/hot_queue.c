/* SPDX-License-Identifier: MIT
 * hot_queue.c - requests, the thread that serves them, the opening of the compiler, and what is said about all that in --stats.
 * Contract: hot.h.
 *
 * Thread     One, started by the first request. It opens goost_jit.so, too, which takes longer than most compiles. EAGER has
 *            none: who asks opens and compiles, one at a time.
 *            It waits until gs_hot_open_ns (10 ms after the start): a script that is over by then is not worth the work of opening, nor the
 *            1.3 ms that the kernel takes to unmap LLVM. Not when --jit-threshold is given: tests want compiled code early.
 * Ending     The process does not wait for LLVM, and LLVM must not run while the process takes itself down. So when gs_hot_stop
 *            finds the thread busy, it says that the process must leave by _exit.
 * Locking    `q.lock` guards the queue and the counters; `compiling` is held during a compile. VMs hold the first for a few
 *            instructions only.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "hot.h"
#include "hot_int.h"
#include "loadable.h"
#include "port/clock.h"
#include "port/mem.h"
#include "port/thread.h"
#include "trace.h"

struct job {
    struct job *next;
    struct gs_hot_request r;
    gs_value regs[];
};

#define REASONS 64u

static struct {
    pthread_mutex_t lock;
    pthread_cond_t work; /* a job, or stopping */
    pthread_cond_t idle; /* nothing to do */
    struct job *head, **tail;
    pthread_t thread;
    bool started, stopping, busy;
    /* counters */
    uint64_t compiled, compile_ns, waited_ns, open_ns;
    uint64_t lefts[GS_LEFT_COUNT_];
    struct {
        const char *why;
        uint64_t n;
    } declined[REASONS];
} q = {.lock = PTHREAD_MUTEX_INITIALIZER,
       .work = PTHREAD_COND_INITIALIZER,
       .idle = PTHREAD_COND_INITIALIZER,
       .tail = &q.head};

static pthread_mutex_t compiling = PTHREAD_MUTEX_INITIALIZER;
/* Under `compiling`. */
static const struct gs_jit_face *face;
static bool opened;
static char trouble[512]; /* read after gs_hot_stop only */

_Thread_local uint64_t gs_hot_lefts[GS_LEFT_COUNT_];

/* ---- serving ---- */

static void open_face(void)
{
    if (opened)
        return;
    opened = true;
    int64_t begun = gs_clock_mono_ns();
    bool traced = gs_trace_begin(GS_TRACE_OPEN, NULL, 0);
    face = gs_loadable_find("goost_jit.so", "goost_jit_face", trouble, sizeof trouble);
    gs_trace_end(traced, GS_TRACE_OPEN, NULL, 0);
    if (face == NULL)
        gs_hot_give_up();
    int64_t took = gs_clock_mono_ns() - begun;
    pthread_mutex_lock(&q.lock);
    q.open_ns += (uint64_t)took;
    pthread_mutex_unlock(&q.lock);
}

static void count_reason_locked(const char *why)
{
    unsigned i = 0;
    while (i < REASONS - 1 && q.declined[i].why != NULL && strcmp(q.declined[i].why, why) != 0)
        i++;
    if (q.declined[i].why == NULL)
        q.declined[i].why = i < REASONS - 1 ? why : "other reasons";
    q.declined[i].n++;
}

static void serve(struct job *j)
{
    pthread_mutex_lock(&compiling);
    open_face();
    const struct gs_unit *unit = NULL;
    const char *why = NULL;
    int64_t begun = gs_clock_mono_ns();
    bool traced = face != NULL && gs_trace_begin(GS_TRACE_COMPILE, j->r.p, (uint64_t)j->r.entry->pc << 8 | j->r.generation);
    if (face != NULL)
        unit = face->compile(&j->r, &why);
    gs_trace_end(traced, GS_TRACE_COMPILE, unit != NULL ? NULL : why != NULL ? why : "no reason given", 0);
    int64_t took = gs_clock_mono_ns() - begun;
    bool asked = face != NULL;
    pthread_mutex_unlock(&compiling);
    pthread_mutex_lock(&q.lock);
    if (unit != NULL)
        q.compiled++;
    else if (asked)
        count_reason_locked(why != NULL ? why : "no reason given");
    q.compile_ns += (uint64_t)took;
    pthread_mutex_unlock(&q.lock);
    if (unit != NULL)
        gs_hot_publish(j->r.entry, unit, j->r.generation);
    else if (asked)
        gs_hot_decline(j->r.entry);
    gs_mem_free(j);
}

static struct job *next_job(void)
{
    pthread_mutex_lock(&q.lock);
    q.busy = false;
    while (q.head == NULL && !q.stopping) {
        pthread_cond_broadcast(&q.idle);
        pthread_cond_wait(&q.work, &q.lock);
    }
    struct job *j = q.stopping ? NULL : q.head;
    if (j != NULL) {
        q.head = j->next;
        if (q.head == NULL)
            q.tail = &q.head;
        q.busy = true;
    }
    pthread_cond_broadcast(&q.idle);
    pthread_mutex_unlock(&q.lock);
    return j;
}

/* Not earlier than gs_hot_open_ns; at once when the process ends before. */
static void wait_for_age(void)
{
    int64_t left = gs_hot_open_ns() - gs_clock_mono_ns();
    if (left <= 0)
        return;
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    left += until.tv_nsec;
    until.tv_sec += left / 1000000000;
    until.tv_nsec = left % 1000000000;
    pthread_mutex_lock(&q.lock);
    while (!q.stopping && !opened && pthread_cond_timedwait(&q.work, &q.lock, &until) == 0)
        continue;
    pthread_mutex_unlock(&q.lock);
}

static void *compile_main(void *arg)
{
    (void)arg;
    gs_thread_low_self();
    gs_trace_thread("compiler");
    wait_for_age();
    for (struct job *j = next_job(); j != NULL; j = next_job())
        serve(j);
    return NULL;
}

/* ---- asking ---- */

static struct job *job_new(struct gs_vm *vm, struct gs_hot_entry *e, uint32_t generation)
{
    uint32_t n = e->proto->nregs;
    struct job *j = gs_mem_alloc(sizeof *j + n * sizeof j->regs[0]);
    if (j == NULL)
        return NULL;
    j->next = NULL;
    memcpy(j->regs, vm->base, n * sizeof j->regs[0]);
    j->r = (struct gs_hot_request){.p = e->proto,
                                   .hot = gs_hot_of(e->proto),
                                   .entry = e,
                                   .generation = generation,
                                   .regs = j->regs};
    return j;
}

static bool enqueue(struct job *j)
{
    pthread_mutex_lock(&q.lock);
    if (!q.started && !q.stopping)
        q.started = gs_thread_start(&q.thread, "goost-jit", compile_main, NULL) == 0;
    bool ok = q.started && !q.stopping;
    if (ok) {
        *q.tail = j;
        q.tail = &j->next;
        pthread_cond_signal(&q.work);
    }
    pthread_mutex_unlock(&q.lock);
    return ok;
}

bool gs_hot_submit(struct gs_vm *vm, struct gs_hot_entry *e, uint32_t generation)
{
    struct job *j = job_new(vm, e, generation);
    if (j == NULL) {
        gs_store_rel(&e->asked, false); /* [H4] memory is short: another time */
        return false;
    }
    if (gs_hot_options()->mode == GS_JIT_EAGER) {
        int64_t begun = gs_clock_mono_ns();
        serve(j);
        int64_t took = gs_clock_mono_ns() - begun;
        pthread_mutex_lock(&q.lock);
        q.waited_ns += (uint64_t)took;
        pthread_mutex_unlock(&q.lock);
    } else if (!enqueue(j)) {
        gs_hot_give_up(); /* no thread to be had, or the end */
        gs_mem_free(j);
        return false;
    }
    return true;
}

/* ---- the end ---- */

/* Sanitized processes wait: their leak checker runs behind the return. */
static bool idle_locked(void)
{
#if defined(GS_SANITIZE)
    while (q.busy)
        pthread_cond_wait(&q.idle, &q.lock);
#endif
    return !q.busy;
}

bool gs_hot_stop(void)
{
    pthread_mutex_lock(&q.lock);
    q.stopping = true;
    pthread_cond_signal(&q.work);
    bool ended = idle_locked(), had = q.started;
    if (ended)
        q.started = false;
    while (ended && q.head != NULL) {
        struct job *j = q.head;
        q.head = j->next;
        gs_mem_free(j);
    }
    if (ended)
        q.tail = &q.head;
    pthread_mutex_unlock(&q.lock);
    if (ended && had)
        pthread_join(q.thread, NULL);
    if (ended)
        q.stopping = false; /* nobody else is left; tests start again */
    return ended;
}

void gs_hot_settle(void)
{
    pthread_mutex_lock(&q.lock);
    while (q.busy || q.head != NULL)
        pthread_cond_wait(&q.idle, &q.lock);
    pthread_mutex_unlock(&q.lock);
}

void gs_hot_use_face(const struct gs_jit_face *f)
{
    pthread_mutex_lock(&compiling);
    opened = true;
    face = f;
    pthread_mutex_unlock(&compiling);
}

/* ---- what is said about it ---- */

unsigned gs_hot_dump(void *FILE_out, const struct gs_proto *p)
{
    pthread_mutex_lock(&compiling);
    unsigned n = face != NULL && face->dump != NULL ? face->dump(FILE_out, p) : 0;
    pthread_mutex_unlock(&compiling);
    return n;
}

void gs_hot_worker_stop(void)
{
    pthread_mutex_lock(&q.lock);
    for (unsigned i = 0; i < GS_LEFT_COUNT_; i++) {
        q.lefts[i] += gs_hot_lefts[i];
        gs_hot_lefts[i] = 0;
    }
    pthread_mutex_unlock(&q.lock);
}

const char *gs_hot_trouble(void)
{
    return trouble;
}

void gs_hot_stats(void *FILE_out)
{
    static const char *const names[] = {
        [GS_LEFT_RETURN] = "return", [GS_LEFT_GO] = "go",       [GS_LEFT_MISS] = "miss",
        [GS_LEFT_ENTER] = "enter",   [GS_LEFT_THROWN] = "thrown", [GS_LEFT_PARK] = "park",
        [GS_LEFT_YIELD] = "yield",   [GS_LEFT_EXIT] = "exit",   [GS_LEFT_REFUSED] = "refused",
        [GS_LEFT_FULL] = "full", [GS_LEFT_STUCK] = "stuck",
    };
    FILE *out = FILE_out;
    pthread_mutex_lock(&q.lock);
    uint64_t declined = 0;
    for (unsigned i = 0; i < REASONS; i++)
        declined += q.declined[i].n;
    if (q.compiled + declined > 0) {
        (void)fprintf(out, "jit: %llu compiled, %llu declined, %.1f ms in the compiler, %.1f ms to open it, %.1f ms waited for it\n",
                      (unsigned long long)q.compiled, (unsigned long long)declined,
                      (double)q.compile_ns / 1e6, (double)q.open_ns / 1e6,
                      (double)q.waited_ns / 1e6);
        (void)fputs("jit: left by", out);
        for (unsigned i = 0; i < GS_LEFT_COUNT_; i++)
            if (q.lefts[i] > 0)
                (void)fprintf(out, " %s %llu", names[i], (unsigned long long)q.lefts[i]);
        (void)fputc('\n', out);
        for (unsigned i = 0; i < REASONS && q.declined[i].why != NULL; i++)
            (void)fprintf(out, "jit: declined %llu: %s\n", (unsigned long long)q.declined[i].n,
                          q.declined[i].why);
    }
    pthread_mutex_unlock(&q.lock);
}
