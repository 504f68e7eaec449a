/* SPDX-License-Identifier: MIT
 * trace.c - recording for --trace: a ring of events for each thread.
 *
 * Ring       Chunks of events, taken from the allocator one by one up to GS_TRACE_CHUNKS, so that a short program
 *            pays for one; then the oldest chunk is used again, and the file says so. Only its
 *            thread writes a ring.
 * Orders     [R1] The owner stores an event (relaxed), then head (release). The writer loads head (acquire)
 *            and reads only below it. Which chunks there are changes under the ring's lock, which the owner
 *            only tries and the writer never gives back: so no chunk is used again while it is read,
 *            and no worker waits for a file. What an owner records after that stays in its current
 *            chunk, above the head that was read, or is lost.
 * Budget     See trace.h. Within "many runs" a worker reads the clock when the ticker has counted on, every
 *            GS_TRACE_LOOK runs, and after each run when there is no ticker. If that is LONG_NS after the last
 *            reading, the run that has just ended gets most of that time, and a slice of its own:
 *            it begins a few short runs too early at most. Its task may be over by then, and then has no name.
 * Nesting    Slices of one thread nest: a run holds what happens in it, and "many runs" ends before its worker
 *            sleeps. Of a slice that the budget has no room for neither end is recorded.
 * Rejected   Time stamps from the processor's counter: half the price, but it would have to be compared with
 *            the clock again and again, and the budget bounds the price anyway. A coarse clock that the ticker
 *            moves: a millisecond is a long time in which nothing could be told apart.
 */
#include "trace_int.h"

#include <errno.h>
#include <string.h>

#include "sched_int.h"
#include "port/clock.h"
#include "port/mem.h"
#include "port/thread.h"

#define RUN_COST 3 /* events of a run, at most */
#define LONG_NS 200000
#define FLOW_BLOCK 4096u

bool gs_tracing;

static _Atomic(struct gs_ring *) rings;
static _Atomic uint32_t flows; /* numbers of arrows given to rings so far */
static _Thread_local struct gs_ring *mine;

enum { CLOSED, OPEN, WRITING, WRITTEN };
static _Atomic uint32_t state; /* futex word */
static FILE *file;
static int64_t origin_ns;
static int error; /* before WRITTEN */
static struct gs_trace_hooks hooks;

/* -- rings ------------------------------------------------------------------------------------- */

struct gs_ring *gs_rings(void)
{
    return gs_load_acq(&rings); /* [R2] its constant fields */
}

struct gs_ring *gs_ring_new(const char *name, const struct gs_worker *w)
{
    struct gs_ring *r = gs_mem_alloc_aligned(sizeof *r, GS_CACHE_LINE);
    if (!r)
        return NULL;
    memset(r, 0, sizeof *r);
    r->name = name;
    r->worker = w;
    r->tokens = GS_TRACE_BURST;
    r->refilled_ns = gs_clock_mono_ns();
    struct gs_ring *head = gs_load_acq(&rings); /* [R2] */
    do {
        r->next = head;
        r->number = head ? head->number + 1 : 0;
    } while (!gs_cas_acq_rel(&rings, &head, r)); /* [R2] */
    return r;
}

/* Makes chunk number n / GS_TRACE_CHUNK the current one. */
static GS_COLD bool next_chunk(struct gs_ring *r)
{
    uint64_t number = r->n / GS_TRACE_CHUNK;
    struct gs_trace_slot *fresh = NULL;
    if (gs_load_rlx(&r->lock.word) != 0) /* only saves an allocation: the writer is at work */
        return false;
    if (number < GS_TRACE_CHUNKS)
        fresh = gs_mem_alloc(GS_TRACE_CHUNK * sizeof *fresh);
    if (!gs_spin_trylock(&r->lock)) {
        gs_mem_free(fresh);
        return false;
    }
    if (!fresh && r->first < number) { /* all are in use, or memory is out */
        uint64_t oldest = r->first++;
        fresh = r->chunk[oldest % GS_TRACE_CHUNKS];
        r->chunk[oldest % GS_TRACE_CHUNKS] = NULL;
    }
    if (fresh)
        r->chunk[number % GS_TRACE_CHUNKS] = fresh;
    gs_spin_unlock(&r->lock);
    r->at = fresh;
    return fresh != NULL;
}

void gs_ring_put_owner(struct gs_ring *r, int64_t when_ns, const struct gs_trace_event *e)
{
    uint64_t i = r->n % GS_TRACE_CHUNK;
    if (GS_UNLIKELY(i == 0) && !next_chunk(r))
        return;
    struct gs_trace_slot *s = &r->at[i];
    r->last_ns = when_ns;
    gs_store_rlx(&s->w[0], (uint64_t)when_ns);
    gs_store_rlx(&s->w[1], e->a);
    gs_store_rlx(&s->w[2], e->b);
    gs_store_rlx(&s->w[3], (uint64_t)e->id << 32 | (uint64_t)e->arg << 16 |
                               (uint64_t)e->kind << 8 | e->phase);
    gs_store_rel(&r->head, ++r->n); /* [R1] */
}

bool gs_ring_get_locked(const struct gs_ring *r, uint64_t i, struct gs_trace_event *out)
{
    uint64_t number = i / GS_TRACE_CHUNK;
    if (number < r->first || i >= gs_load_acq(&r->head)) /* [R1] */
        return false;
    struct gs_trace_slot *s = &r->chunk[number % GS_TRACE_CHUNKS][i % GS_TRACE_CHUNK];
    uint64_t last = gs_load_rlx(&s->w[3]);
    out->when_ns = (int64_t)gs_load_rlx(&s->w[0]);
    out->a = gs_load_rlx(&s->w[1]);
    out->b = gs_load_rlx(&s->w[2]);
    out->id = (uint32_t)(last >> 32);
    out->arg = (uint16_t)(last >> 16);
    out->kind = (uint8_t)(last >> 8);
    out->phase = (uint8_t)last;
    return true;
}

static uint64_t word(const void *p)
{
    return (uint64_t)(uintptr_t)p;
}

/* The ring of the calling thread; a thread that nobody has introduced gets one, too. */
static struct gs_ring *ring_self(void)
{
    if (!mine)
        mine = gs_ring_new("a thread", NULL);
    return mine;
}

void gs_trace_thread(const char *name)
{
    if (gs_tracing && !mine)
        mine = gs_ring_new(name, NULL);
}

struct gs_ring *gs_trace_start_owner(struct gs_worker *w)
{
    mine = gs_ring_new("worker", w);
    return mine;
}

/* -- the budget -------------------------------------------------------------------------------- */

static void refill(struct gs_ring *r, int64_t now)
{
    const int64_t each = 1000000 / GS_TRACE_RATE;
    int64_t gain = (now - r->refilled_ns) / each;
    r->refilled_ns += gain * each;
    r->tokens += gain;
    if (r->tokens > GS_TRACE_BURST)
        r->tokens = GS_TRACE_BURST;
}

/* -- runs -------------------------------------------------------------------------------------- */

static void put_run(struct gs_ring *r, int64_t when, const struct gs_task *t, uint32_t flow,
                    bool first)
{
    struct gs_trace_task who = {0};
    if (t)
        hooks.task(t, &who);
    gs_ring_put_owner(r, when,
                      &(struct gs_trace_event){.kind = GS_TRACE_RUN,
                                               .phase = GS_TRACE_BEGIN,
                                               .a = word(who.what),
                                               .b = (uint64_t)who.number,
                                               .id = flow});
    if (!first || !who.file)
        return;
    r->tokens--;
    gs_ring_put_owner(
        r, when,
        &(struct gs_trace_event){.kind = GS_TRACE_FIRST, .a = word(who.file), .b = who.line});
}

static void put_run_end(struct gs_ring *r, int64_t when, const struct gs_task *t,
                        enum gs_trace_how how)
{
    struct gs_trace_stop stop = {0};
    if (t)
        hooks.stop(t, &stop);
    gs_ring_put_owner(r, when,
                      &(struct gs_trace_event){.kind = GS_TRACE_RUN,
                                               .phase = GS_TRACE_END,
                                               .arg = (uint16_t)how,
                                               .a = word(stop.why),
                                               .b = word(stop.file),
                                               .id = stop.line});
}

static void begin_many(struct gs_ring *r, const struct gs_worker *w, int64_t now)
{
    r->many = true;
    r->runs = 0;
    r->looked_ns = now;
    r->tick = gs_sched_ticks(w->sched);
    gs_ring_put_owner(
        r, now, &(struct gs_trace_event){.kind = GS_TRACE_MANY, .phase = GS_TRACE_BEGIN});
}

static void end_many(struct gs_ring *r, int64_t when, uint64_t runs)
{
    r->many = false;
    gs_ring_put_owner(
        r, when,
        &(struct gs_trace_event){.kind = GS_TRACE_MANY, .phase = GS_TRACE_END, .b = runs});
}

/* The run after `runs` others among many is told after all, from when it may have begun. */
static void begin_late(struct gs_ring *r, const struct gs_task *t, uint64_t runs)
{
    int64_t from = r->last_ns > r->looked_ns ? r->last_ns : r->looked_ns;
    end_many(r, from, runs);
    put_run(r, from, t, 0, false);
    r->tokens -= RUN_COST;
}

/* Something is to be told in a run among many that has taken long already: first the run itself,
 * since no slice can begin before an event that is there. */
static void show_run(struct gs_ring *r)
{
    begin_late(r, gs_load_rlx(&r->worker->current) /* ours to change; NULL once let go of */, r->runs);
}

/* Takes one event from the budget and gives its time, or 0. */
static int64_t take(struct gs_ring *r)
{
    /* Inside one run that tells a lot: not worth reading the clock before a tick has passed. */
    if (r->tokens <= 0 && r->worker && gs_sched_ticks(r->worker->sched) == r->tick)
        return 0;
    int64_t now = gs_clock_mono_ns();
    if (r->tokens <= 0) {
        refill(r, now);
        if (r->worker)
            r->tick = gs_sched_ticks(r->worker->sched);
        if (r->tokens <= 0)
            return 0;
    }
    if (r->many && r->worker && r->worker->in_task && now - r->looked_ns >= LONG_NS)
        show_run(r);
    r->tokens--;
    return now;
}

void gs_trace_run_begin_owner(struct gs_worker *w, const struct gs_task *t, uint32_t flow)
{
    struct gs_ring *r = w->ring;
    int64_t now = gs_clock_mono_ns();
    if (r->tokens < RUN_COST)
        refill(r, now);
    if (r->tokens < RUN_COST) {
        begin_many(r, w, now);
        return;
    }
    r->tokens -= 2;
    put_run(r, now, t, flow, t->last_worker == UINT32_MAX);
}

static enum gs_trace_how how_ended(const struct gs_worker *w, enum gs_run how)
{
    if (how == GS_RUN_DONE)
        return GS_TRACE_DONE;
    if (how == GS_RUN_PARK)
        return GS_TRACE_PARKED;
    /* Poked in this run: that may be why. */
    return gs_load_rlx(&w->poked_seq) == gs_load_rlx(&w->run_seq) ? GS_TRACE_PREEMPTED
                                                                  : GS_TRACE_YIELDED;
}

/* A run among many has ended: how long did it take, and is there enough in the budget again? */
static void look(struct gs_worker *w, const struct gs_task *t, enum gs_trace_how how)
{
    struct gs_ring *r = w->ring;
    int64_t now = gs_clock_mono_ns();
    refill(r, now);
    if (now - r->looked_ns >= LONG_NS) {
        begin_late(r, t, r->runs - 1);
        put_run_end(r, now, t, how);
        return;
    }
    r->looked_ns = now;
    r->tick = gs_sched_ticks(w->sched);
    if (r->tokens >= GS_TRACE_SOME)
        end_many(r, now, r->runs);
}

void gs_trace_run_end_owner(struct gs_worker *w, const struct gs_task *t, enum gs_run how)
{
    struct gs_ring *r = w->ring;
    if (r->many)
        look(w, t, how_ended(w, how));
    else
        put_run_end(r, gs_clock_mono_ns(), t, how_ended(w, how));
}

/* -- what workers tell ------------------------------------------------------------------------- */

void gs_trace_sleep_owner(struct gs_worker *w)
{
    struct gs_ring *r = w->ring;
    int64_t now = gs_clock_mono_ns();
    if (r->many)
        end_many(r, now, r->runs);
    r->tokens -= 2; /* told in any case: it takes longer to sleep than to say so */
    gs_ring_put_owner(
        r, now, &(struct gs_trace_event){.kind = GS_TRACE_SLEEP, .phase = GS_TRACE_BEGIN});
}

void gs_trace_awake_owner(struct gs_worker *w)
{
    gs_ring_put_owner(
        w->ring, gs_clock_mono_ns(),
        &(struct gs_trace_event){.kind = GS_TRACE_SLEEP, .phase = GS_TRACE_END});
}

void gs_trace_stop_owner(struct gs_worker *w)
{
    if (w->ring->many)
        end_many(w->ring, gs_clock_mono_ns(), w->ring->runs);
}

bool gs_trace_tells_owner(const struct gs_worker *w)
{
    return w->ring != NULL && !w->ring->many;
}

void gs_trace_point_slow(enum gs_trace_kind kind, uint64_t a, uint64_t b, uint16_t arg)
{
    struct gs_ring *r = ring_self();
    int64_t now = r && !r->many ? take(r) : 0;
    if (now)
        gs_ring_put_owner(
            r, now, &(struct gs_trace_event){.kind = (uint8_t)kind, .a = a, .b = b, .arg = arg});
}

uint32_t gs_trace_flow_slow(struct gs_worker *w, enum gs_trace_kind kind)
{
    struct gs_ring *r = w ? w->ring : ring_self();
    int64_t now = r ? take(r) : 0;
    if (!now)
        return 0;
    if (r->flow == r->flow_end) {
        r->flow = gs_add_rlx(&flows, FLOW_BLOCK); /* only numbers */
        r->flow_end = r->flow + FLOW_BLOCK;
    }
    /* Bit 0: what kind of arrow; never 0. */
    uint32_t flow = (++r->flow << 1) | (kind == GS_TRACE_READY);
    gs_ring_put_owner(r, now, &(struct gs_trace_event){.kind = (uint8_t)kind, .id = flow});
    return flow;
}

/* -- slices of anybody ------------------------------------------------------------------------- */

/* Rare or long enough to be told whatever the budget says. */
static bool always(enum gs_trace_kind kind)
{
    return kind == GS_TRACE_COMPILE || kind == GS_TRACE_OPEN || kind == GS_TRACE_CALL;
}

bool gs_trace_begin_slow(enum gs_trace_kind kind, const void *what, uint64_t at)
{
    struct gs_ring *r = ring_self();
    if (!r)
        return false;
    int64_t now = always(kind) ? gs_clock_mono_ns() : take(r);
    if (now)
        gs_ring_put_owner(r, now,
                          &(struct gs_trace_event){.kind = (uint8_t)kind,
                                                   .phase = GS_TRACE_BEGIN,
                                                   .a = word(what),
                                                   .b = at});
    return now != 0;
}

void gs_trace_end_slow(enum gs_trace_kind kind, const void *what, uint64_t n)
{
    struct gs_ring *r = mine;
    r->tokens--;
    gs_ring_put_owner(r, gs_clock_mono_ns(),
                      &(struct gs_trace_event){.kind = (uint8_t)kind,
                                               .phase = GS_TRACE_END,
                                               .a = word(what),
                                               .b = n});
}

/* -- the file ---------------------------------------------------------------------------------- */

int gs_trace_open(const char *path, const struct gs_trace_hooks *h)
{
    file = fopen(path, "we");
    if (!file)
        return errno;
    hooks = *h;
    origin_ns = gs_clock_mono_ns();
    gs_store_rlx(&state, (uint32_t)OPEN); /* no other thread yet */
    gs_tracing = true;
    return 0;
}

int gs_trace_write(void)
{
    uint32_t seen = OPEN;
    if (!gs_cas_acq_rel(&state, &seen, (uint32_t)WRITING)) {
        while (seen == WRITING) {
            gs_futex_wait(&state, WRITING, -1);
            seen = gs_load_acq(&state); /* [R3] error */
        }
        return seen == WRITTEN ? error : 0;
    }
    error = gs_trace_print(file, &hooks, origin_ns);
    if (fclose(file) != 0 && !error)
        error = errno;
    gs_store_rel(&state, (uint32_t)WRITTEN); /* [R3] */
    gs_futex_wake(&state, 1000);
    return error;
}

void gs_trace_reset(void)
{
    struct gs_ring *r = gs_rings();
    while (r) {
        struct gs_ring *next = r->next;
        for (unsigned i = 0; i < GS_TRACE_CHUNKS; i++)
            gs_mem_free(r->chunk[i]);
        gs_mem_free(r);
        r = next;
    }
    gs_store_rlx(&rings, NULL);
    gs_store_rlx(&state, (uint32_t)CLOSED);
    gs_tracing = false;
    mine = NULL;
}
