/* SPDX-License-Identifier: MIT
 * steal.c - where an idle worker looks for work: near before far, at random among equals.
 *
 * Rings      0 same core, 1 same L3, 2 same memory node, 3 elsewhere (topology.h). Until the
 *            topology is known everyone is in one ring. A farther ring is looked at only when every
 *            victim of the nearer ones had nothing.
 * Inside     First all deques and late queues, then inboxes: what lies there
 *            prefers its owner.
 * How many   One from near, since the victim is going to be back soon; half (at most STEAL_MAX)
 *            from far, since the way is long. When steals follow each other within one tick the
 *            tasks are tiny, and one at a time would make both sides fight over the line of top:
 *            the number doubles with each such steal, and at the end of the doubling a thief lets the
 *            victim of its last steal gather WORTH of them first: both then work from their own
 *            deques for a while, instead of sending each task's memory from core to core. It looks at
 *            other places meanwhile, and takes what there is after PATIENCE looks, or at once in a
 *            new tick. It is awake all that time: before it sleeps it looks at all queues (park.c,
 *            P0), sees what it has left and comes back.
 * Worth      A stolen task's memory comes from another core: that takes a few hundred nanoseconds, which the victim does not save when the task is
 *            shorter than that; and it gets the memory back from afar, too. So a thief looks at the clock when it has run what it took in one go: less than
 *            TINY_NS for each, and it rests before it takes more, each time twice as long. Bench spawn_join_1m: 0.39 s and 47 MiB without, 0.21 s and 14 MiB with this and the next.
 * Late       A task that gave way to what it had spawned is back in a few microseconds; carried to another worker at each such time, bench spawn_join_1m's main
 *            task took all the memory of its children along. So a thief leaves a single one alone until its worker has been in one run for GATE_LOOKS looks.
 */
#include "sched_int.h"

#include "topology.h"
#include "port/clock.h"
#include "port/mem.h"

#define STEAL_MAX 64
/* Rings from which half is taken at once. */
#define FAR_RING 2u
/* Doublings: 2^6 is STEAL_MAX. */
#define STREAK_MAX 6u
/* At the end of such a streak fewer tasks than this are left alone for so many looks (about 10 us). */
#define WORTH 64
#define PATIENCE 64u

/* A steal of so many is judged. */
#define JUDGE_MIN 16u
#define TINY_NS 500
#define NAP_MIN_NS 250000
#define NAP_MAX_NS 1000000
#define GATE_LOOKS 32u /* about 15 us */

static uint64_t next_random(struct gs_worker *w)
{
    uint64_t x = w->random; /* xorshift: not zero, see gs_worker_new */
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    w->random = x;
    return x;
}

/* Sorts all other workers into rings. When memory is out the old order stays. */
static void sort_victims(struct gs_worker *w, const struct gs_topology *topo, uint32_t n)
{
    struct gs_victims *v = &w->victims;
    uint32_t *index = gs_mem_realloc(v->index, n * sizeof *index);
    if (!index)
        return;
    uint32_t k = 0;
    for (unsigned ring = 0; ring < GS_RINGS; ring++) {
        v->first[ring] = k;
        for (uint32_t i = 0; i < n; i++) {
            unsigned d = topo ? gs_topology_distance(topo, w->index, i) : 1;
            if (i != w->index && d == ring)
                index[k++] = i;
        }
    }
    v->first[GS_RINGS] = k;
    v->index = index;
    v->made_from = topo;
    v->made_for = n;
}

void gs_victims_free(struct gs_victims *v)
{
    gs_mem_free(v->index);
    v->index = NULL;
}

static int64_t how_many(struct gs_worker *w, const struct gs_deque *d, unsigned ring)
{
    uint32_t tick = gs_load_rlx(&w->sched->ticker.ticks); /* only a sense of time */
    w->streak = tick == w->streak_tick && w->streak < STREAK_MAX ? w->streak + 1 : 0;
    w->streak_tick = tick;
    w->streak_from = d;
    int64_t half = gs_deque_size_mt(d) / 2;
    int64_t most = ring >= FAR_RING ? STEAL_MAX : (int64_t)1 << w->streak;
    return half < most ? half : most;
}

static bool not_yet(struct gs_worker *w, const struct gs_deque *d, int64_t size)
{
    return w->streak == STREAK_MAX && w->streak_from == d && size < WORTH &&
           gs_load_rlx(&w->sched->ticker.ticks) == w->streak_tick && /* only a sense of time */
           ++w->patience < PATIENCE;
}

static struct gs_task *steal_once(struct gs_worker *w, struct gs_deque *d)
{
    struct gs_task *t = NULL;
    enum gs_steal st;
    while ((st = gs_deque_steal_mt(d, &t)) == GS_STEAL_LOST)
        gs_stat_add_owner(&w->stats, GS_STAT_LOST, 1); /* somebody else got on: this ends */
    return st == GS_STEAL_OK ? t : NULL;
}

static void count(struct gs_worker *w, const struct gs_worker *v, unsigned ring, uint64_t n)
{
    gs_stat_add_owner(&w->stats, (enum gs_stat)(GS_STAT_STEAL_0 + ring), n);
    if (n)
        gs_trace_point(GS_TRACE_STEAL, n, v->index, (uint16_t)ring);
}

/* The first to run; more go to our own deque, whence others may take them in turn. */
static struct gs_task *steal_from(struct gs_worker *w, const struct gs_worker *v,
                                  struct gs_deque *d, struct gs_deque *mine, unsigned ring)
{
    int64_t size = gs_deque_size_mt(d);
    if (size == 0)
        return NULL;
    if (not_yet(w, d, size))
        return NULL;
    w->patience = 0;
    int64_t want = how_many(w, d, ring);
    struct gs_task *t = steal_once(w, d);
    uint64_t got = t != NULL;
    while (t && (int64_t)got < want) {
        struct gs_task *more = steal_once(w, d);
        if (!more)
            break;
        if (!gs_deque_push_owner(mine, more)) {
            (void)gs_inbox_push_mt(&w->inbox, more);
            break;
        }
        got++;
    }
    count(w, v, ring, got);
    if (got >= JUDGE_MIN) {
        w->batch = (uint32_t)got;
        w->batch_ns = gs_clock_mono_ns();
    }
    return t;
}

int64_t gs_steal_nap_owner(struct gs_worker *w)
{
    bool gated = w->gated;
    w->gated = false;
    if (w->batch != 0) {
        int64_t each = (gs_clock_mono_ns() - w->batch_ns) / w->batch, longer = w->nap_ns * 2;
        longer = longer > NAP_MAX_NS ? NAP_MAX_NS : longer < NAP_MIN_NS ? NAP_MIN_NS : longer;
        w->batch = 0;
        w->nap_ns = each < TINY_NS ? longer : 0;
        if (w->nap_ns != 0)
            return w->nap_ns;
    }
    return gated ? NAP_MIN_NS : 0;
}

/* A single task that gave way is soon run again where it is, with its data in the cache: it may be taken when its worker has
 * been in one run for some looks. See "Late". */
static bool late_is_ripe(struct gs_worker *w, const struct gs_worker *v)
{
    int64_t n = gs_deque_size_mt(&v->late);
    if (n != 1)
        return n > 0;
    uint32_t seq = gs_load_rlx(&v->run_seq); /* a guess */
    if (w->gate_of == v->index && w->gate_seq == seq)
        w->gate_looks++;
    else
        w->gate_looks = 0;
    w->gate_of = v->index;
    w->gate_seq = seq;
    bool ripe = w->gate_looks > GATE_LOOKS;
    w->gated |= !ripe;
    return ripe;
}

static struct gs_task *steal_queued(struct gs_worker *w, struct gs_worker *v, unsigned ring)
{
    struct gs_task *t = steal_from(w, v, &v->deque, &w->deque, ring);
    return t == NULL && late_is_ripe(w, v) ? steal_from(w, v, &v->late, &w->late, ring) : t;
}

static struct gs_task *steal_inbox(struct gs_worker *w, struct gs_worker *v, unsigned ring)
{
    if (!gs_inbox_nonempty_mt(&v->inbox) || !gs_worker_drain_owner(w, &v->inbox))
        return NULL;
    struct gs_task *t = gs_deque_pop_owner(&w->deque);
    count(w, v, ring, t != NULL);
    return t; /* NULL: another thief was there */
}

static struct gs_task *steal_ring(struct gs_worker *w, unsigned ring, uint32_t started)
{
    const struct gs_victims *v = &w->victims;
    uint32_t from = v->first[ring];
    uint32_t n = v->first[ring + 1] - from;
    if (n == 0)
        return NULL;
    uint32_t start = (uint32_t)(next_random(w) % n);
    for (unsigned pass = 0; pass < 2; pass++) {
        for (uint32_t k = 0; k < n; k++) {
            uint32_t i = v->index[from + (start + k) % n];
            if (i >= started)
                continue;
            struct gs_worker *victim = gs_sched_worker(w->sched, i);
            struct gs_task *t =
                pass == 0 ? steal_queued(w, victim, ring) : steal_inbox(w, victim, ring);
            if (t)
                return t;
        }
    }
    return NULL;
}

struct gs_task *gs_steal_owner(struct gs_worker *w)
{
    struct gs_sched *s = w->sched;
    uint32_t started = gs_sched_started(s);
    if (started <= 1)
        return NULL;
    /* [H1] acquire: the topology's contents; it is stored once and lives as long as s. */
    const struct gs_topology *topo = gs_load_acq(&s->topology);
    uint32_t n = gs_load_rlx(&s->nworkers); /* known before any worker was started */
    if (w->victims.made_for != n || w->victims.made_from != topo)
        sort_victims(w, topo, n);
    if (!w->victims.index)
        return NULL; /* no memory: others have to do the work */
    for (unsigned ring = 0; ring < GS_RINGS; ring++) {
        struct gs_task *t = steal_ring(w, ring, started);
        if (t)
            return t;
    }
    return NULL;
}
