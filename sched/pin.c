/* SPDX-License-Identifier: MIT
 * pin.c - pinning workers to processors once the topology is known, and letting go when it hurts.
 *
 * Design     Loading the topology takes 5 to 40 ms, so it happens on a background thread, asked for
 *            by the ticker when a program has kept several workers busy for a while. The loader
 *            stores the topology and pins the workers that run by then; workers that start later
 *            pin themselves.
 * Soft       A pin is a bet that nobody else wants the processor. The kernel counts for each thread
 *            how long it was runnable but had to wait; a pinned worker that waited for more than a
 *            tenth of the last period shares its processor with somebody while others may be free.
 *            It is let go and not pinned again in this run.
 * Orders     [H1] topology is stored (release) once, complete; readers load it with acquire. A
 *                 worker that starts while the loader is pinning is pinned by itself or by the
 *                 loader or by both, to the same place.
 */
#include "sched_int.h"

#include "topology.h"
#include "port/thread.h"

/* Of the time since the last look, in percent. */
#define DELAY_PERCENT 10

static bool wants_pins(const struct gs_sched *s, const struct gs_topology *t)
{
    /* More workers than processors would have to share one: the kernel does that better. */
    return s->pin && t && !t->synthetic && gs_load_acq(&s->nworkers) <= t->count;
}

static void pin(struct gs_worker *w, const struct gs_topology *t, int id)
{
    unsigned cpu = gs_topology_place(t, w->index)->os_cpu;
    if (gs_thread_pin(id, cpu))
        gs_store_rlx(&w->os_cpu, (int)cpu); /* for the watch and the printer */
}

void gs_pin_self_owner(struct gs_worker *w)
{
    const struct gs_topology *t = gs_load_acq(&w->sched->topology); /* [H1] */
    if (wants_pins(w->sched, t))
        pin(w, t, 0);
}

static void *load_main(void *arg)
{
    struct gs_sched *s = arg;
    struct gs_topology *t = NULL;
    gs_thread_background_self();
    if (gs_topology_load(NULL, &t) != 0)
        return NULL;               /* then there are no pins and one ring */
    gs_store_rel(&s->topology, t); /* [H1] */
    if (!wants_pins(s, t))
        return NULL;
    unsigned n = gs_sched_started(s);
    for (unsigned i = 0; i < n; i++) {
        struct gs_worker *w = gs_sched_worker(s, i);
        int id = gs_load_rlx(&w->thread_id); /* a thread that is gone meanwhile: the call fails */
        if (id)
            pin(w, t, id);
    }
    return NULL;
}

void gs_pin_load_mt(struct gs_sched *s)
{
    pthread_mutex_lock(&s->grow_lock);
    if (!s->has_topology_thread && !gs_load_rlx(&s->topology)) /* [H1] stored once */
        s->has_topology_thread =
            gs_thread_start(&s->topology_thread, "goost-topology", load_main, s) == 0;
    pthread_mutex_unlock(&s->grow_lock);
}

void gs_pin_fini(struct gs_sched *s)
{
    pthread_mutex_lock(&s->grow_lock);
    bool has = s->has_topology_thread;
    pthread_mutex_unlock(&s->grow_lock);
    if (has)
        pthread_join(s->topology_thread, NULL);
    s->has_topology_thread = false;
}

static void watch_one(struct gs_worker *w)
{
    int id = gs_load_rlx(&w->thread_id);
    int64_t run, delay;
    if (id == 0 || gs_load_rlx(&w->os_cpu) < 0 || !gs_thread_times(id, &run, &delay))
        return;
    int64_t ran = run - w->seen_run_ns, waited = delay - w->seen_delay_ns;
    bool first = w->seen_run_ns == 0;
    w->seen_run_ns = run;
    w->seen_delay_ns = delay;
    if (first || waited * 100 <= (ran + waited) * DELAY_PERCENT)
        return;
    gs_thread_unpin(id);
    gs_store_rlx(&w->os_cpu, -1); /* for good: see the file head */
}

void gs_pin_watch(struct gs_sched *s)
{
    if (!wants_pins(s, gs_load_acq(&s->topology))) /* [H1] */
        return;
    unsigned n = gs_sched_started(s);
    for (unsigned i = 0; i < n; i++)
        watch_one(gs_sched_worker(s, i));
}
