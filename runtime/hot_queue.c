/* SPDX-License-Identifier: MIT
 * hot_queue.c - requests, the thread that serves them, the opening of the compiler, and what is said about all that in --stats.
 * Contract: hot.h.
 *
 * Thread     One, started by the first request of a program that is worth it (hot.c). It opens goost_jit.so, too, which takes longer than most compiles. EAGER has
 *            none: who asks opens and compiles, one at a time.
 * Levels     A request is served QUICK first; then it waits in `second` until its unit has been found running LOOKS times while no other
 *            request waits, and is served FULL. The looks: while there is such a request the thread pokes the running tasks every LOOK_NS,
 *            more seldom after LOOK_OFTEN times (every LOOK_MAX_NS in the end), and no more
 *            when LOOK_LAST looks in a row found nothing running, until something new is compiled. Behind a FULL unit
 *            that takes the place of a QUICK one all running tasks are poked, so that a long loop goes on in the new one. With
 *            --jit=eager and for listings there is one level, FULL.
 * Stale      A loop may have ended while its request waited behind the opening of the compiler, or behind others. So the thread looks at the queue before
 *            each of these: a request whose function has not been sampled for STALE_NS, from one look to the next, is dropped; a sample will ask
 *            again. (pool_fib_10k: 18 ms for the loop that submits, after its end.) Not where compiled code is wanted early (hot.c, Worth).
 * Freeing    Units that were taken away wait in `retired` until all workers have been outside compiled code since (hot.h, H2). The thread looks when it has
 *            nothing else to do, a few times; after that when it is next woken.
 * Rest       When nothing has been compiled for REST_NS the compiler gives back the memory of its code (rest in hot.h): 30 MB.
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
#include "reclaim.h"
#include "rt.h"
#include "trace.h"

struct job {
    struct job *next;
    const struct gs_unit *first; /* not NULL: the QUICK unit that is to be replaced; compared only */
    int64_t seen_ns;             /* when it was made or looked at, ... */
    uint32_t samples;            /* ... and how often its function had been sampled by then */
    struct gs_hot_request r;
    gs_value regs[];
};

#define STALE_NS 5000000 /* code that runs is sampled after some tens of microseconds */
#define REASONS 64u
#define LOOK_NS 1000000
#define LOOK_OFTEN 32u /* times at this distance */
#define LOOK_MAX_NS 64000000
#define LOOK_LAST 32u /* that found nothing running at all: an idle process stays asleep */
#define LOOKS 4u /* that find a unit, before it is made once more */
#define FREE_TRIES 16u
#define REST_NS 100000000

static struct {
    pthread_mutex_t lock;
    pthread_cond_t work; /* a job, or stopping */
    pthread_cond_t idle; /* nothing to do */
    struct job *head, **tail;
    struct job *second;      /* served once, oldest last */
    struct gs_unit *retired;
    unsigned tries;          /* to free them */
    unsigned fruitless;      /* looks in a row that led to no request */
    unsigned alone;          /* looks in a row that found nothing running */
    int64_t look_ns;         /* from the last look to the next */
    pthread_t thread;
    bool started, stopping, busy;
    bool opened;             /* the thread has begun to open the compiler */
    bool awake;              /* something has been compiled since the last rest ... */
    int64_t served_ns;       /* ... and when that was */
    /* counters */
    uint64_t waited_ns, open_ns;
    struct {
        uint64_t units, ns;
    } made[GS_LEVEL_COUNT_];
    uint64_t replaced, taken, freed, bytes, bytes_freed;
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

/* ---- opening ---- */

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

/* ---- freeing ---- */

void gs_hot_retire(struct gs_unit *unit)
{
    pthread_mutex_lock(&q.lock);
    unit->hour = gs_reclaim_next_mt();
    unit->next = q.retired;
    q.retired = unit;
    q.taken++;
    q.tries = 0;
    pthread_cond_signal(&q.work);
    pthread_mutex_unlock(&q.lock);
}

/* Those that nobody can be in, out of the list. */
static struct gs_unit *take_passed_locked(void)
{
    if (q.retired == NULL)
        return NULL;
    uint64_t passed = gs_reclaim_passed_mt();
    struct gs_unit *out = NULL;
    for (struct gs_unit **at = &q.retired; *at != NULL;) {
        struct gs_unit *u = *at;
        if (u->hour > passed) {
            at = &u->next;
            continue;
        }
        *at = u->next;
        u->next = out;
        out = u;
        q.freed++;
        q.bytes_freed += u->bytes;
    }
    return out;
}

/* Not under q.lock. */
static void release(struct gs_unit *u)
{
    pthread_mutex_lock(&compiling);
    while (u != NULL) {
        struct gs_unit *next = u->next;
        if (face != NULL && face->release != NULL)
            face->release(u);
        u = next;
    }
    pthread_mutex_unlock(&compiling);
}

static void free_passed(void)
{
    pthread_mutex_lock(&q.lock);
    struct gs_unit *out = take_passed_locked();
    pthread_mutex_unlock(&q.lock);
    if (out != NULL)
        release(out);
}

/* ---- serving ---- */

static bool one_level(void)
{
    return gs_hot_options()->mode == GS_JIT_EAGER || gs_hot_options()->listing;
}

static struct gs_unit *compile(struct job *j)
{
    struct gs_unit *unit = NULL;
    const char *why = NULL;
    pthread_mutex_lock(&compiling);
    open_face();
    bool asked = face != NULL;
    int64_t begun = gs_clock_mono_ns();
    bool traced = asked && gs_trace_begin(GS_TRACE_COMPILE, j->r.p, (uint64_t)j->r.entry->pc << 8 | j->r.generation);
    if (asked)
        unit = face->compile(&j->r, &why);
    gs_trace_end(traced, GS_TRACE_COMPILE, unit != NULL ? NULL : why != NULL ? why : "no reason given", 0);
    int64_t took = gs_clock_mono_ns() - begun;
    pthread_mutex_unlock(&compiling);
    pthread_mutex_lock(&q.lock);
    q.made[j->r.level].ns += (uint64_t)took;
    q.awake = true;
    q.served_ns = begun + took;
    if (unit != NULL) {
        q.made[j->r.level].units++;
        q.bytes += unit->bytes;
    } else if (asked) {
        count_reason_locked(why != NULL ? why : "no reason given");
    }
    pthread_mutex_unlock(&q.lock);
    return unit;
}

/* A job that was served QUICK waits for its second turn. */
static void keep(struct job *j, const struct gs_unit *unit)
{
    j->first = unit;
    j->r.level = GS_LEVEL_FULL;
    pthread_mutex_lock(&q.lock);
    j->next = q.second;
    q.second = j;
    q.look_ns = LOOK_NS;
    q.fruitless = q.alone = 0;
    pthread_mutex_unlock(&q.lock);
}

static void look(void)
{
    bool running = gs_rt.sched != NULL && gs_sched_look_mt(gs_rt.sched);
    pthread_mutex_lock(&q.lock);
    q.alone = running ? 0 : q.alone + 1;
    if (++q.fruitless >= LOOK_OFTEN)
        q.look_ns = q.look_ns * 2 < LOOK_MAX_NS ? q.look_ns * 2 : LOOK_MAX_NS;
    pthread_mutex_unlock(&q.lock);
}

static void serve_second(struct job *j)
{
    struct gs_unit *unit = compile(j);
    if (unit != NULL && gs_hot_replace(j->r.entry, j->first, unit)) {
        pthread_mutex_lock(&q.lock);
        q.replaced++;
        pthread_mutex_unlock(&q.lock);
        if (gs_rt.sched != NULL)
            (void)gs_sched_look_mt(gs_rt.sched);
    }
    gs_mem_free(j);
}

static void serve(struct job *j)
{
    if (j->first != NULL) {
        serve_second(j);
        return;
    }
    struct gs_unit *unit = compile(j);
    if (unit == NULL) {
        if (face != NULL) /* set once, by this thread, or under `compiling` just now */
            gs_hot_decline(j->r.entry);
        gs_mem_free(j);
        return;
    }
    uint32_t generation = j->r.generation;
    struct gs_hot_entry *e = j->r.entry;
    if (unit->level == GS_LEVEL_QUICK)
        keep(j, unit);
    else
        gs_mem_free(j);
    gs_hot_publish(e, unit, generation);
}

/* One whose unit was found running often enough; those whose unit is gone are dropped. */
static struct job *take_second_locked(void)
{
    struct job *found = NULL;
    for (struct job **at = &q.second; *at != NULL;) {
        struct job *j = *at;
        if (gs_load_rlx(&j->r.entry->unit) != j->first) { /* relaxed: gs_hot_replace looks again */
            *at = j->next;
            gs_mem_free(j);
            continue;
        }
        if (gs_load_rlx(&j->r.entry->looks) >= LOOKS && (found == NULL || j->r.entry->pc != 0)) {
            found = j; /* a loop first */
        }
        at = &j->next;
    }
    for (struct job **at = &q.second; found != NULL && *at != NULL; at = &(*at)->next) {
        if (*at == found) {
            *at = found->next;
            q.fruitless = 0;
            q.look_ns = LOOK_NS;
            return found;
        }
    }
    return NULL;
}

/* See "Stale". */
static void drop_stale_locked(void)
{
    int64_t now = q.head != NULL && gs_hot_patient() ? gs_clock_mono_ns() : 0;
    for (struct job **at = &q.head; *at != NULL;) {
        struct job *j = *at;
        uint32_t samples = gs_load_rlx(&j->r.hot->samples); /* a guess */
        if (now - j->seen_ns < STALE_NS) {
            at = &j->next;
        } else if (samples != j->samples) {
            j->seen_ns = now;
            j->samples = samples;
            at = &j->next;
        } else {
            *at = j->next;
            gs_hot_request_over(j->r.entry);
            gs_mem_free(j);
        }
        if (*at == NULL)
            q.tail = at;
    }
}

static struct job *take_locked(void)
{
    struct job *j = q.head;
    if (j == NULL)
        return take_second_locked();
    q.head = j->next;
    if (q.head == NULL)
        q.tail = &q.head;
    return j;
}

/* False: `ns` are over. */
static bool wait_locked(int64_t ns)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    ns += until.tv_nsec;
    until.tv_sec += ns / 1000000000;
    until.tv_nsec = ns % 1000000000;
    return pthread_cond_timedwait(&q.work, &q.lock, &until) == 0;
}

/* See "Rest". */
static void rest_locked(void)
{
    if (!q.awake || gs_clock_mono_ns() - q.served_ns < REST_NS)
        return;
    q.awake = false;
    pthread_mutex_unlock(&q.lock);
    pthread_mutex_lock(&compiling);
    if (face != NULL && face->rest != NULL)
        face->rest();
    pthread_mutex_unlock(&compiling);
    pthread_mutex_lock(&q.lock);
}

/* Nothing waits to be served. Comes back with q.lock held, when there may be something to do. */
static void idle_locked(void)
{
    pthread_cond_broadcast(&q.idle);
    if (q.second != NULL && q.alone < LOOK_LAST) {
        if (wait_locked(q.look_ns))
            return;
        pthread_mutex_unlock(&q.lock);
        look();
        free_passed();
        pthread_mutex_lock(&q.lock);
        rest_locked();
        return;
    }
    if (q.retired != NULL && q.tries < FREE_TRIES) {
        int64_t ns = (int64_t)1000000 << (q.tries < 10 ? q.tries : 10);
        q.tries++;
        (void)wait_locked(ns);
        pthread_mutex_unlock(&q.lock);
        free_passed();
        pthread_mutex_lock(&q.lock);
        return;
    }
    if (!q.awake)
        pthread_cond_wait(&q.work, &q.lock);
    else if (!wait_locked(REST_NS))
        rest_locked();
}

/* Before the first job is taken, because some may be stale when it is done. True: it has let go of the lock, so everything may be different. */
static bool open_first_locked(void)
{
    if (q.opened || q.head == NULL)
        return false;
    q.opened = true;
    q.busy = true;
    pthread_mutex_unlock(&q.lock);
    pthread_mutex_lock(&compiling);
    open_face();
    pthread_mutex_unlock(&compiling);
    pthread_mutex_lock(&q.lock);
    q.busy = false;
    return true;
}

static struct job *next_job(void)
{
    pthread_mutex_lock(&q.lock);
    q.busy = false;
    struct job *j = NULL;
    while (!q.stopping) {
        drop_stale_locked();
        if (open_first_locked())
            continue;
        j = take_locked();
        if (j != NULL)
            break;
        idle_locked();
    }
    q.busy = j != NULL;
    pthread_cond_broadcast(&q.idle);
    pthread_mutex_unlock(&q.lock);
    if (j != NULL)
        free_passed();
    return j;
}

static void *compile_main(void *arg)
{
    (void)arg;
    gs_thread_low_self();
    gs_trace_thread("compiler");
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
    j->first = NULL;
    j->seen_ns = gs_clock_mono_ns();
    j->samples = gs_load_rlx(&gs_hot_of(e->proto)->samples);
    memcpy(j->regs, vm->base, n * sizeof j->regs[0]);
    j->r = (struct gs_hot_request){.p = e->proto,
                                   .hot = gs_hot_of(e->proto),
                                   .entry = e,
                                   .generation = generation,
                                   .level = one_level() ? GS_LEVEL_FULL : GS_LEVEL_QUICK,
                                   .regs = j->regs};
    return j;
}

static bool start_locked(void)
{
    if (!q.started && !q.stopping)
        q.started = gs_thread_start(&q.thread, "goost-jit", compile_main, NULL) == 0;
    return q.started && !q.stopping;
}

void gs_hot_begin(void)
{
    pthread_mutex_lock(&q.lock);
    bool ok = q.head == NULL || start_locked();
    pthread_mutex_unlock(&q.lock);
    if (!ok)
        gs_hot_give_up();
}

static bool enqueue(struct job *j)
{
    pthread_mutex_lock(&q.lock);
    bool ok = gs_hot_worth() ? start_locked() : !q.stopping;
    if (ok) {
        *q.tail = j;
        q.tail = &j->next;
        q.alone = 0;
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
        gs_reclaim_quiet();
        free_passed();
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
static bool at_rest_locked(void)
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
    bool ended = at_rest_locked(), had = q.started;
    if (ended)
        q.started = false;
    while (ended && q.head != NULL) {
        struct job *j = q.head;
        q.head = j->next;
        gs_mem_free(j);
    }
    while (ended && q.second != NULL) {
        struct job *j = q.second;
        q.second = j->next;
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
    pthread_mutex_lock(&q.lock);
    q.opened = q.awake = false;
    pthread_mutex_unlock(&q.lock);
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
        [GS_LEFT_FULL] = "full", [GS_LEFT_STUCK] = "stuck", [GS_LEFT_STALE] = "stale",
        [GS_LEFT_CATCH] = "catch",
    };
    FILE *out = FILE_out;
    pthread_mutex_lock(&q.lock);
    uint64_t declined = 0;
    for (unsigned i = 0; i < REASONS; i++)
        declined += q.declined[i].n;
    uint64_t compiled = 0, ns = 0;
    for (unsigned i = 0; i < GS_LEVEL_COUNT_; i++) {
        compiled += q.made[i].units;
        ns += q.made[i].ns;
    }
    if (compiled + declined > 0) {
        (void)fprintf(out, "jit: %llu compiled, %llu declined, %.1f ms in the compiler, %.1f ms to open it, %.1f ms waited for it\n",
                      (unsigned long long)compiled, (unsigned long long)declined, (double)ns / 1e6, (double)q.open_ns / 1e6,
                      (double)q.waited_ns / 1e6);
        (void)fprintf(out, "jit: quick %llu in %.1f ms, full %llu in %.1f ms, %llu replaced, %llu taken away, %llu freed, %llu of %llu bytes of code\n",
                      (unsigned long long)q.made[GS_LEVEL_QUICK].units, (double)q.made[GS_LEVEL_QUICK].ns / 1e6,
                      (unsigned long long)q.made[GS_LEVEL_FULL].units, (double)q.made[GS_LEVEL_FULL].ns / 1e6,
                      (unsigned long long)q.replaced, (unsigned long long)q.taken, (unsigned long long)q.freed,
                      (unsigned long long)(q.bytes - q.bytes_freed), (unsigned long long)q.bytes);
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
