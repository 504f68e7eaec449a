/* SPDX-License-Identifier: MIT
 * offload.c - calls that block in the kernel, on threads of their own.
 *
 * Design     A queue under a mutex and as many threads as calls were ever out at once, up to
 *            THREADS_MAX; further calls wait in the queue. Idle threads stay asleep without a
 *            timeout (an idle process makes no wake-ups) until gs_sched_free.
 * Invariant  Each call that was accepted is counted outside (park.c) from before it is queued until
 *            after fn has returned, so the scheduler is not quiescent while one is out.
 */
#include "sched_int.h"

#include <errno.h>

#include "port/mem.h"
#include "port/thread.h"

#define THREADS_MAX 256u

struct call {
    struct call *next;
    void (*fn)(void *arg);
    void *arg;
};

struct gs_offload {
    struct gs_sched *sched;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t more;
    struct call *head, **tail;
    unsigned waiting; /* calls in the queue */
    unsigned idle;    /* threads that wait for one */
    unsigned threads;
    bool quit;
    pthread_t thread[THREADS_MAX];
};

static void *offload_main(void *arg)
{
    struct gs_offload *o = arg;
    gs_trace_thread("blocking calls");
    pthread_mutex_lock(&o->lock);
    for (;;) {
        while (!o->head && !o->quit) {
            o->idle++;
            pthread_cond_wait(&o->more, &o->lock);
            o->idle--;
        }
        struct call *c = o->head;
        if (!c)
            break;
        o->head = c->next;
        if (!o->head)
            o->tail = &o->head;
        o->waiting--;
        pthread_mutex_unlock(&o->lock);
        bool traced = gs_trace_begin(GS_TRACE_CALL, NULL, 0);
        c->fn(c->arg);
        gs_trace_end(traced, GS_TRACE_CALL, NULL, 0);
        gs_mem_free(c);
        gs_park_outside_end_mt(o->sched);
        pthread_mutex_lock(&o->lock);
    }
    pthread_mutex_unlock(&o->lock);
    return NULL;
}

static struct gs_offload *offload_new(struct gs_sched *s)
{
    struct gs_offload *o = gs_mem_zalloc(sizeof *o);
    if (!o)
        return NULL;
    o->sched = s;
    o->tail = &o->head;
    pthread_mutex_init(&o->lock, NULL);
    pthread_cond_init(&o->more, NULL);
    return o;
}

static struct gs_offload *get(struct gs_sched *s)
{
    struct gs_offload *o = gs_load_acq(&s->offload); /* [O1] its fields are visible */
    if (o)
        return o;
    pthread_mutex_lock(&s->grow_lock);
    o = gs_load_rlx(&s->offload); /* written under this lock */
    if (!o) {
        o = offload_new(s);
        gs_store_rel(&s->offload, o); /* [O1] */
    }
    pthread_mutex_unlock(&s->grow_lock);
    return o;
}

/* One more thread if the queue is longer than those who wait for it. 0 if some thread will come to
 * the queue. */
static int make_thread_locked(struct gs_offload *o)
{
    if (o->waiting < o->idle || o->threads == THREADS_MAX)
        return 0;
    int err = gs_thread_start(&o->thread[o->threads], "goost-offload", offload_main, o);
    if (err)
        return o->threads ? 0 : err;
    o->threads++;
    return 0;
}

int gs_sched_offload_mt(struct gs_sched *s, void (*fn)(void *arg), void *arg)
{
    struct gs_offload *o = get(s);
    struct call *c = o ? gs_mem_alloc(sizeof *c) : NULL;
    if (!c)
        return ENOMEM;
    *c = (struct call){NULL, fn, arg};
    gs_park_outside_begin_mt(s);
    pthread_mutex_lock(&o->lock);
    int err = make_thread_locked(o);
    if (!err) {
        *o->tail = c;
        o->tail = &c->next;
        o->waiting++;
        pthread_cond_signal(&o->more);
    }
    pthread_mutex_unlock(&o->lock);
    if (err) {
        gs_park_outside_end_mt(s);
        gs_mem_free(c);
        return err;
    }
    struct gs_worker *w = gs_worker_self();
    if (w && w->sched == s)
        gs_stat_add_owner(&w->stats, GS_STAT_OFFLOADS, 1);
    else
        gs_stat_add_mt(&s->others, GS_STAT_OFFLOADS, 1);
    return 0;
}

void gs_offload_fini(struct gs_sched *s)
{
    struct gs_offload *o = gs_load_acq(&s->offload); /* [O1] */
    if (!o)
        return;
    pthread_mutex_lock(&o->lock);
    o->quit = true;
    pthread_cond_broadcast(&o->more);
    pthread_mutex_unlock(&o->lock);
    for (unsigned i = 0; i < o->threads; i++) /* nobody makes new ones any more */
        pthread_join(o->thread[i], NULL);
    pthread_cond_destroy(&o->more);
    pthread_mutex_destroy(&o->lock);
    gs_mem_free(o);
    gs_store_rlx(&s->offload, NULL); /* the last user */
}
