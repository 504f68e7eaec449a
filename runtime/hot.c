/* SPDX-License-Identifier: MIT
 * hot.c - samples, entries, patched opcodes, failing guards. Contract: hot.h. Requests and the compile thread: hot_queue.c.
 *
 * Samples    A sample stands for `interval` events on the average; its length varies a little, so that a loop of as many events
 *            does not always charge the same one. A function is hot after as many samples as make the threshold. From then on every
 *            few samples ask for an entry: the function itself when it is called often, else the outermost loop around the sample that has not
 *            been asked for and holds no call that was never made. What is outside holds what is inside, and for code that is entered often
 *            compiling it once is enough; if the program stays inside, later samples ask for the next loop inward. A function waits for
 *            one entry at a time. With --jit=eager the entry where the sample was taken is asked for.
 * Worth      Opening the compiler takes 5 to 10 ms of a processor, the first compiles 10 to 40, during which the program itself is up to a third
 *            slower where two processors share a core, and unmapping LLVM 1.3 ms at the end. So nothing is served until the program has worked
 *            so long that it may get that back: WORTH_WORK samples (a longer loop's count more, and one's with natives that compiled code does itself),
 *            15 to 30 ms of plain interpreting, or WORTH_NS of all processors together. Whatever the bound, a program that ends soon after it loses 5 to 10 ms:
 *            now those of 20 to 45 ms (1.0 to 1.2 of their time interpreted), with three times the bound those of 50 to 90, and the 18 of bench sequential
 *            took 1.2 of the time. A program that spends more than three quarters in natives, switches and collections has so much less to win that it
 *            takes twice as many samples or WORTH_LATE_NS (bench select_4: 180 ms interpreted, 215 with the compiler beside it, and no faster afterwards). While no processor is
 *            idle WORTH_CROWDED_WORK is enough if it is half of what the program has done lately: the compiler takes its time from the program, and all
 *            the processors gain when it is done, so at once is better than when a short program ends anyway (par_mandelbrot on two: 1.14 to 1.18 of Go's
 *            time after 200 ms of processor time, 1.06 to 1.12 so). Not with --jit-threshold, --jit=eager and listings, which want compiled code early.
 * Switching  A task that parks every few turns of its loop spends its time in the scheduler, and would leave and enter compiled code for
 *            each. Samples of a worker that has run many short runs since the last one (looks at the clock tell) do not count: prime_sieve
 *            and skynet were 10 to 15 % slower compiled.
 * Failing    A unit whose guards fail GS_HOT_MISSES times is dropped: its opcode is put back, the interpreter collects feedback for
 *            half the threshold, then the next sample at that entry asks again. The last generation stays unless it fails so
 *            often that it cannot be worth it (LAST_MISSES within LAST_NS), or does not even begin.
 * Locking    `lock` guards the plain fields of entries and the patching. Nothing is done under it that waits.
 * Invariant  asked is false or a request is on its way; true for ever: no more requests. Who sets it from false to true makes the request.
 */
#include "hot.h"

#include <pthread.h>
#include <string.h>

#include "cpus.h"
#include "hot_int.h"
#include "port/clock.h"
#include "reclaim.h"
#include "sched.h"
#include "slow_int.h"

#define THRESHOLD 8192u /* 16 samples, 20 to 100 us: a compile takes milliseconds */
#define THRESHOLD_EAGER 1u
#define INTERVAL 512u   /* a sample costs about 27 ns: 2 % of an empty loop, where one in 64 events took 15 % */
#define MIN_SAMPLES 16u
#define MANY_EVENTS 8u   /* in a run of a task, on the average: not a short one */
#define SHORT_RUN_NS 500 /* a switch takes 150 */
#define LONG_RUN_NS 2000 /* something came between */
#define WEIGH 32u /* samples between two looks whether the compiler is worth it */
#define WORTH_WORK 4000u /* samples of loops of LEAST instructions */
#define LEAST 4u
#define NATIVE 5u /* instructions that the call of a native takes, where compiled code needs none */
#define LENGTH_MAX 128u
#define WORK_NS 4000
#define WORTH_NS 300000000
#define WORTH_LATE_NS 1200000000
#define WORTH_CROWDED_WORK 1000u
#define WORTH_LOOK_NS 1000000
#define WORTH_LATELY_NS 4000000
#define REMAKE_ENTRIES 128u
#define LAST_MISSES 1000u
#define LAST_NS 100000000

_Thread_local int32_t gs_heat;

static struct gs_hot_options options = {.mode = GS_JIT_OFF};
static _Atomic bool active; /* relaxed everywhere: a sample too many is harmless */
static uint32_t interval, samples_wanted; /* before the first run */
static int64_t start_ns, start_cpu_ns;
static bool patient;         /* before the first run: see "Worth" and "Switching" */
static _Atomic bool worth;   /* relaxed: who learns it late asks in vain for a while */
static _Atomic uint32_t work, weighed; /* until worth; relaxed, lost updates included */
static _Atomic int64_t look_at; /* age at which the next look is due; likewise */
static struct gs_spin weighing;
static struct {
    int64_t age, used, work;
} lately[2]; /* under `weighing`: how it stood at two looks, the younger one first; what has come since the older one is what is done lately */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void gs_hot_start(const struct gs_hot_options *o)
{
    options = *o;
    patient = o->threshold == 0 && o->mode == GS_JIT_ON && !o->listing;
    gs_store_rlx(&worth, !patient);
    gs_store_rlx(&work, 0u);
    gs_store_rlx(&look_at, WORTH_LOOK_NS);
    memset(lately, 0, sizeof lately);
    if (options.threshold == 0)
        options.threshold = options.mode == GS_JIT_EAGER ? THRESHOLD_EAGER : THRESHOLD;
    interval = options.threshold / MIN_SAMPLES;
    interval = interval < 1 ? 1 : interval > INTERVAL ? INTERVAL : interval;
    samples_wanted = options.threshold / interval;
    gs_store_rlx(&active, options.mode != GS_JIT_OFF);
    gs_heat = 0;
    start_ns = gs_clock_mono_ns();
    start_cpu_ns = gs_clock_cpu_ns();
}

bool gs_hot_patient(void)
{
    return patient;
}

bool gs_hot_worth(void)
{
    return gs_load_rlx(&worth);
}

const struct gs_hot_options *gs_hot_options(void)
{
    return &options;
}

void gs_hot_give_up(void)
{
    gs_store_rlx(&active, false);
}

/* ---- entries ---- */

static struct gs_hot *hot_get(struct gs_proto *p)
{
    struct gs_hot *h = gs_hot_of(p);
    if (GS_LIKELY(h != NULL))
        return h;
    h = gs_perm_alloc(sizeof *h + p->ncode);
    void *none = NULL;
    if (gs_cas_acq_rel(&p->jit, &none, (void *)h)) /* [H3] lost: a few bytes */
        return h;
    return none;
}

static struct gs_hot_entry *find(const struct gs_hot *h, uint32_t pc)
{
    struct gs_hot_entry *e = gs_load_acq(&((struct gs_hot *)(uintptr_t)h)->entries); /* [H3] */
    while (e != NULL && e->pc != pc)
        e = e->next;
    return e;
}

struct gs_hot_entry *gs_hot_entry_get(struct gs_proto *p, uint32_t pc)
{
    struct gs_hot *h = hot_get(p);
    struct gs_hot_entry *e = find(h, pc);
    if (e != NULL)
        return e;
    struct gs_hot_entry *made = gs_perm_alloc(sizeof *made);
    made->pc = pc;
    made->proto = p;
    pthread_mutex_lock(&lock);
    e = find(h, pc);
    if (e == NULL) {
        /* Not patched: only an entry in the list is, and all who add some stand under the lock. */
        made->original = (uint8_t)gs_insn_op(gs_insn_load(&p->code[pc]));
        made->next = gs_load_rlx(&h->entries); /* written under the lock alone */
        gs_store_rel(&h->entries, made);       /* [H3] */
        e = made;
    }
    pthread_mutex_unlock(&lock);
    return e;
}

static _Atomic uint8_t *opcode_at(const struct gs_proto *p, uint32_t pc)
{
    return (_Atomic uint8_t *)(uintptr_t)&p->code[pc]; /* little-endian; see interp.c */
}

struct gs_hot_entry *gs_hot_entry_at(const struct gs_proto *p, uint32_t pc)
{
    (void)gs_load_acq(opcode_at(p, pc)); /* [H1] the dispatch that brought us here was relaxed */
    struct gs_hot_entry *e = find(gs_hot_of(p), pc);
    GS_CHECK(e != NULL);
    return e;
}

gs_insn gs_hot_insn(const struct gs_proto *p, const gs_insn *at)
{
    gs_insn i = gs_insn_load(at);
    if (GS_LIKELY(gs_insn_op(i) != GS_OP_JIT))
        return i;
    return (i & ~(gs_insn)0xff) | gs_hot_entry_at(p, (uint32_t)(at - p->code))->original;
}

/* ---- patching ---- */

static void patch_locked(struct gs_hot_entry *e, bool on)
{
    if (e->patched == on)
        return;
    e->patched = on;
    gs_store_rel(opcode_at(e->proto, e->pc), on ? (uint8_t)GS_OP_JIT : e->original); /* [H1] */
}

/* ---- units ---- */

void gs_hot_cell_add(struct gs_hot_entry *e, struct gs_hot_cell *c)
{
    pthread_mutex_lock(&lock);
    c->next = e->cells;
    e->cells = c;
    pthread_mutex_unlock(&lock);
}

/* Before it is swept: what is taken away here must be unlinked everywhere first. */
static void set_unit_locked(struct gs_hot_entry *e, const struct gs_unit *unit)
{
    gs_store_rel(&e->unit, unit); /* [H1] */
    if (e->pc == 0)
        gs_store_rel(&gs_hot_of(e->proto)->whole, unit); /* [H1] */
}

static bool reachable_locked(const struct gs_hot_entry *e, const struct gs_unit *u)
{
    bool found = gs_load_rlx(&e->unit) == u; /* written under the lock alone, as the cells are */
    for (struct gs_hot_cell *c = e->cells; c != NULL && !found && u->code != NULL; c = c->next)
        found = gs_load_rlx(&c->code) == u->code;
    return found;
}

/* [H2] Units that nobody finds any more are on their way out. */
static void sweep_locked(struct gs_hot_entry *e)
{
    for (struct gs_unit **at = &e->units; *at != NULL;) {
        struct gs_unit *u = *at;
        if (reachable_locked(e, u)) {
            at = &u->next;
            continue;
        }
        *at = u->next;
        gs_hot_retire(u);
    }
}

static void add_locked(struct gs_hot_entry *e, struct gs_unit *unit)
{
    unit->entry = e;
    unit->next = e->units;
    e->units = unit;
    for (unsigned i = 0; i < GS_UNIT_CELLS; i++) {
        if (unit->cell[i] != NULL)
            gs_store_rel(&unit->cell[i]->code, unit->code); /* [H2] */
    }
}

void gs_hot_inner(struct gs_hot_entry *e, struct gs_unit *unit)
{
    pthread_mutex_lock(&lock);
    add_locked(e, unit);
    sweep_locked(e);
    pthread_mutex_unlock(&lock);
}

bool gs_hot_replace(struct gs_hot_entry *e, const struct gs_unit *instead, struct gs_unit *unit)
{
    pthread_mutex_lock(&lock);
    bool still = gs_load_rlx(&e->unit) == instead; /* written under the lock alone */
    if (still) {
        add_locked(e, unit);
        set_unit_locked(e, unit);
        sweep_locked(e);
    } else {
        unit->entry = e;
        gs_hot_retire(unit);
    }
    pthread_mutex_unlock(&lock);
    return still;
}

void gs_hot_request_over(struct gs_hot_entry *e)
{
    gs_sub_rlx(&gs_hot_of(e->proto)->requests, 1u);
    gs_store_rel(&e->asked, false); /* [H4] */
}

void gs_hot_publish(struct gs_hot_entry *e, struct gs_unit *unit, uint32_t generation)
{
    pthread_mutex_lock(&lock);
    e->generation = generation;
    e->declined = false;
    e->since_ns = gs_clock_mono_ns();
    gs_store_rlx(&e->misses, 0u); /* one that is lost comes again */
    gs_store_rlx(&e->looks, 0u);
    add_locked(e, unit);
    set_unit_locked(e, unit);
    sweep_locked(e);
    patch_locked(e, true);
    gs_hot_request_over(e); /* behind the unit: who asks again sees it. Under the lock: a drop for good comes after it */
    pthread_mutex_unlock(&lock);
}

void gs_hot_decline(struct gs_hot_entry *e)
{
    pthread_mutex_lock(&lock);
    e->declined = true;
    bool again = ++e->tries < GS_HOT_TRIES;
    pthread_mutex_unlock(&lock);
    if (!again) {
        gs_sub_rlx(&gs_hot_of(e->proto)->requests, 1u);
        if (e->pc == 0)
            gs_store_rlx(&gs_hot_of(e->proto)->hopeless, true); /* relaxed: a hint */
        return;
    }
    uint32_t had = gs_load_rlx(&gs_hot_of(e->proto)->samples); /* a hint */
    gs_store_rlx(&e->not_before, had < UINT32_MAX / 8 ? had * 8 : UINT32_MAX);
    gs_hot_request_over(e);
}

/* ---- counting ---- */

static int32_t next_interval(void)
{
    static _Thread_local uint32_t random = 1;
    random = random * 1664525u + 1013904223u;
    uint32_t spread = interval / 2;
    return (int32_t)(interval - spread / 2 + (random >> 16) % (spread + 1)) - 1;
}

static void ask(struct gs_vm *vm, struct gs_hot_entry *e, uint32_t samples)
{
    /* Relaxed: looked at once more below, or at the next sample. */
    if (gs_load_rlx(&e->asked) || gs_load_rlx(&e->unit) != NULL ||
        samples < gs_load_rlx(&e->not_before))
        return;
    if (gs_xchg_acq_rel(&e->asked, true)) /* [H4] */
        return;
    pthread_mutex_lock(&lock);
    uint32_t generation = e->generation + 1;
    bool has = gs_load_rlx(&e->unit) != NULL; /* under the lock */
    if (has)
        gs_store_rel(&e->asked, false); /* [H4] under the lock: a drop for good comes before or after it */
    pthread_mutex_unlock(&lock);
    if (has || generation > GS_HOT_GENERATIONS) /* dropped for good since we looked: asked stays */
        return;
    gs_add_rlx(&gs_hot_of(e->proto)->requests, 1u);
    if (!gs_hot_submit(vm, e, generation))
        gs_sub_rlx(&gs_hot_of(e->proto)->requests, 1u);
}

/* Whether it may be asked for: as far as one can see without the lock. */
static bool wanted(const struct gs_hot *h, uint32_t pc)
{
    const struct gs_hot_entry *e = find(h, pc);
    return e == NULL || (!gs_load_rlx(&e->asked) && gs_load_rlx(&e->unit) == NULL &&
                         gs_load_rlx(&h->samples) >= gs_load_rlx(&e->not_before));
}

/* Whether all calls in the loop have been made: then it is known what they call. */
static bool ripe(const struct gs_proto *p, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i <= to; i++) {
        gs_insn insn = gs_hot_insn(p, &p->code[i]);
        enum gs_op op = gs_insn_op(insn);
        if ((op == GS_OP_CALL || op == GS_OP_CALLM) && gs_load_rlx(&p->ics[gs_insn_c(insn)].w[0]) == 0) /* a hint */
            return false;
    }
    return true;
}

/* Whether instruction i jumps, and where to. */
static bool jumps(const struct gs_proto *p, uint32_t i, int64_t *to)
{
    gs_insn insn = gs_hot_insn(p, &p->code[i]);
    const struct gs_opinfo *o = &gs_opinfo[gs_insn_op(insn)];
    if (o->b != GS_OPND_JX && o->c != GS_OPND_J)
        return false;
    *to = (int64_t)i + 1 + (o->b == GS_OPND_JX ? gs_insn_bx(insn) : gs_insn_sc(insn));
    return true;
}

/* Instructions from the head of a loop to its last jump back, or of a function. */
static uint32_t length(const struct gs_proto *p, uint32_t pc)
{
    uint32_t end = p->ncode - pc < LENGTH_MAX ? p->ncode : pc + LENGTH_MAX;
    int64_t to;
    for (uint32_t i = end; i-- > pc && pc != 0;) {
        if (jumps(p, i, &to) && to == (int64_t)pc)
            return i - pc + 1;
    }
    return end - pc;
}

/* What the instructions of a loop, or of a function, take of the interpreter, in instructions. */
static uint32_t load(const struct gs_proto *p, uint32_t pc)
{
    uint32_t n = length(p, pc), sum = n;
    for (uint32_t i = pc; i < pc + n; i++) {
        gs_insn insn = gs_hot_insn(p, &p->code[i]);
        if (gs_insn_op(insn) != GS_OP_CALLNAT)
            continue;
        if (gs_intrinsic_of(p->k[gs_insn_c(insn)].p) != GS_INTRINSIC_NONE)
            sum += NATIVE - 1;
    }
    return sum;
}

/* Whether no processor has been idle lately, and half of what was done is interpreting. */
static bool is_crowded_locked(uint32_t w, int64_t age, int64_t used, int64_t cpus)
{
    int64_t wall = age - lately[1].age, done = used - lately[1].used, plain = ((int64_t)w - lately[1].work) * WORK_NS;
    if (age - lately[0].age >= WORTH_LATELY_NS) {
        lately[1] = lately[0];
        lately[0].age = age;
        lately[0].used = used;
        lately[0].work = w;
    }
    return wall >= WORTH_LOOK_NS && done > wall * cpus - wall / 2 && plain >= done / 2;
}

/* See "Worth". age and used: nanoseconds since the start, and of all processors together. */
static bool is_worth(uint32_t w, int64_t age, int64_t used)
{
    int64_t cpus = gs_cpus_in_mask();
    gs_spin_lock(&weighing);
    bool crowded = is_crowded_locked(w, age, used, cpus);
    gs_spin_unlock(&weighing);
    bool plain = (int64_t)w * WORK_NS >= used / 4;
    if (w >= (plain ? WORTH_WORK : 2 * WORTH_WORK) || (crowded && w >= WORTH_CROWDED_WORK))
        return true;
    return used >= (plain ? WORTH_NS : WORTH_LATE_NS);
}

/* See "Worth". A sample at pc. */
static GS_COLD void weigh(const struct gs_proto *p, uint32_t pc)
{
    uint32_t instructions = load(p, pc), n = gs_load_rlx(&weighed) + 1,
             w = gs_load_rlx(&work) + (instructions > LEAST ? instructions / LEAST : 1);
    gs_store_rlx(&work, w);
    gs_store_rlx(&weighed, n);
    if (n % WEIGH != 0)
        return;
    int64_t age = gs_clock_mono_ns() - start_ns;
    if (age < gs_load_rlx(&look_at)) /* the processor time of all threads costs the kernel some microseconds */
        return;
    gs_store_rlx(&look_at, age + WORTH_LOOK_NS);
    int64_t used = gs_clock_cpu_ns() - start_cpu_ns;
    if (!is_worth(w, age, used))
        return;
    gs_store_rlx(&worth, true);
    gs_hot_begin();
}

/* See "Samples". */
static uint32_t choose(const struct gs_proto *p, const struct gs_hot *h, uint32_t pc)
{
    if (options.mode == GS_JIT_EAGER || pc == 0)
        return pc;
    if (gs_load_rlx(&h->called) && wanted(h, 0))
        return 0;
    /* A loop that tests at its end has a jump to the test before it. When it is the first of another loop's body, the test is the head of both. */
    gs_insn before = gs_hot_insn(p, &p->code[pc - 1]);
    uint32_t at = gs_insn_op(before) == GS_OP_JMP && gs_insn_bx(before) > 0 ? pc + (uint32_t)gs_insn_bx(before) : pc;
    uint32_t best = pc;
    for (uint32_t i = at; i < p->ncode; i++) {
        int64_t to;
        if (jumps(p, i, &to) && to > 0 && to <= at && to <= i && (uint32_t)to != pc && (best == pc || (uint32_t)to < best) &&
            ripe(p, (uint32_t)to, i) && wanted(h, (uint32_t)to))
            best = (uint32_t)to;
    }
    return best;
}

/* See "Switching". */
static bool switching(void)
{
    static _Thread_local uint32_t turns_before;
    static _Thread_local int64_t before_ns, mean_ns; /* 0: unknown; of a run */
    const struct gs_worker *w = gs_worker_self();
    if (w == NULL)
        return false;
    uint32_t turns = gs_worker_turns_owner(w), runs = (turns - turns_before) / 2;
    turns_before = turns;
    if (runs < interval / MANY_EVENTS) {
        before_ns = 0;
        return false;
    }
    int64_t now = gs_clock_mono_ns(), each = (now - before_ns) / runs;
    if (before_ns != 0)
        mean_ns += ((each < LONG_RUN_NS ? each : LONG_RUN_NS) - mean_ns) / 16;
    before_ns = now;
    return mean_ns < SHORT_RUN_NS;
}

void gs_hot_count(struct gs_vm *vm, const struct gs_proto *cp, uint32_t pc)
{
    gs_reclaim_quiet(); /* the interpreter runs: no compiled code is on the C stack */
    if (!gs_load_rlx(&active)) {
        vm->heat = INT32_MAX;
        return;
    }
    vm->heat = next_interval();
    if (patient && switching())
        return;
    if (GS_UNLIKELY(!gs_load_rlx(&worth)))
        weigh(cp, pc);
    if (cp->flags & GS_PF_COLD)
        return;
    struct gs_proto *p = (struct gs_proto *)(uintptr_t)cp;
    struct gs_hot *h = hot_get(p);
    uint32_t n = gs_load_rlx(&h->samples) + 1; /* relaxed, lost updates included: a few samples later */
    if (n != 0)
        gs_store_rlx(&h->samples, n);
    else
        n = UINT32_MAX;
    if (pc == 0 && !gs_load_rlx(&h->called))
        gs_store_rlx(&h->called, true);
    uint32_t every = samples_wanted / 2 + 1;
    if (n < samples_wanted || (n - samples_wanted) % every != 0 || gs_load_rlx(&h->requests) != 0)
        return;
    ask(vm, gs_hot_entry_get(p, choose(p, h, pc)), n);
}

/* ---- failing guards ---- */

/* Its units are not entered again. Not for ever: the interpreter learns what they assumed wrongly. */
static void drop_locked(struct gs_hot_entry *e)
{
    set_unit_locked(e, NULL);
    if (e->pc == 0)
        gs_store_rlx(&gs_hot_of(e->proto)->hopeless, e->generation >= GS_HOT_GENERATIONS); /* relaxed: a hint */
    for (struct gs_hot_cell *c = e->cells; c != NULL; c = c->next)
        gs_store_rel(&c->code, (void *)NULL); /* [H2] */
    sweep_locked(e);
    patch_locked(e, false);
    if (e->generation >= GS_HOT_GENERATIONS)
        gs_store_rlx(&e->asked, true); /* for ever. A request cannot be on its way: there was a unit */
    else
        gs_store_rlx(&gs_hot_of(e->proto)->samples, samples_wanted / 2); /* a hint */
}

/* Whether the failures of the last generation are too many for their time. */
static bool hopeless_locked(struct gs_hot_entry *e, enum gs_left left)
{
    if (left == GS_LEFT_REFUSED)
        return true;
    if (gs_load_rlx(&e->misses) < LAST_MISSES)
        return false;
    int64_t now = gs_clock_mono_ns();
    bool fast = now - e->since_ns < LAST_NS;
    e->since_ns = now;
    gs_store_rlx(&e->misses, 0u);
    return fast;
}

void gs_hot_stuck(struct gs_hot_entry *e)
{
    if (gs_add_rlx(&e->stuck, 1u) + 1 < GS_HOT_STUCK) /* a count, nothing hangs on it */
        return;
    pthread_mutex_lock(&lock);
    int64_t now = gs_clock_mono_ns();
    bool fast = now - e->stuck_ns < (int64_t)GS_HOT_STUCK * 1000;
    e->stuck_ns = now;
    gs_store_rlx(&e->stuck, 0u);
    if (fast && e->units != NULL) {
        e->generation = GS_HOT_GENERATIONS;
        drop_locked(e);
    }
    pthread_mutex_unlock(&lock);
}

void gs_hot_stale(struct gs_hot_entry *e)
{
    pthread_mutex_lock(&lock);
    if (e->units != NULL) {
        /* It assumed nothing wrongly: the next is of the same generation. But not for ever. */
        if (e->generation > 0 && e->stale < GS_HOT_STALE) {
            e->stale++;
            e->generation--;
        }
        drop_locked(e);
    }
    pthread_mutex_unlock(&lock);
}

/* Entered: every now and then that is the last time. */
void gs_hot_remake(struct gs_hot_entry *e)
{
    static _Thread_local uint32_t random = 1;
    random = random * 1664525u + 1013904223u;
    if ((random >> 16) % REMAKE_ENTRIES != 0)
        return;
    pthread_mutex_lock(&lock);
    if (e->units != NULL) {
        e->generation -= e->generation > 0;
        drop_locked(e);
    }
    pthread_mutex_unlock(&lock);
}

void gs_hot_looked(struct gs_hot_entry *e)
{
    gs_store_rlx(&e->looks, gs_load_rlx(&e->looks) + 1); /* relaxed, lost updates included: a look later */
}

static void charge(struct gs_hot_entry *e, enum gs_left left)
{
    if (gs_add_rlx(&e->misses, 1u) + 1 < GS_HOT_MISSES(1)) /* a count, nothing hangs on it */
        return;
    pthread_mutex_lock(&lock);
    bool still = e->units != NULL && gs_load_rlx(&e->misses) >= GS_HOT_MISSES(e->generation);
    if (still && (e->generation < GS_HOT_GENERATIONS || hopeless_locked(e, left)))
        drop_locked(e);
    pthread_mutex_unlock(&lock);
}

void gs_hot_missed(struct gs_vm *vm, struct gs_hot_entry *e, enum gs_left left)
{
    if (left == GS_LEFT_MISS) {
        struct gs_proto *p = vm->missed != NULL ? vm->missed->proto : (struct gs_proto *)(uintptr_t)gs_vm_proto(vm);
        const gs_insn *at = vm->missed != NULL ? vm->missed->at : vm->pc;
        _Atomic uint8_t *miss = &hot_get(p)->miss[at - p->code];
        uint8_t had = gs_load_rlx(miss); /* relaxed, lost updates included: only "often" counts */
        if (had < UINT8_MAX)
            gs_store_rlx(miss, (uint8_t)(had + 1));
    }
    charge(e, left);
}
