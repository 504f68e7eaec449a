/* SPDX-License-Identifier: MIT
 * timer.c - sleeping tasks: a 4-ary heap for each worker under a spin lock.
 *
 * Problem    A million sleepers are ordinary, most timeouts are stopped before they fire, and a
 *            task may be freed by another thread the moment its timer has readied it.
 * Design     The heap holds (time, timer) pairs, so comparing children reads one cache line and not
 *            four timers; each timer knows its index, so that stopping removes it at once instead
 *            of leaving a tombstone that keeps memory alive. Starting a timer later than its parent
 *            costs no move, and such are most timeouts.
 * Firing     One at a time in each structure. Under the lock the timer leaves the heap and becomes
 *            ts->firing; fire is called without the lock; then firing is cleared under it. The
 *            timer itself is not touched after fire was called.
 * Invariant  index is UINT32_MAX unless heap[index].timer is this timer. stop finds a timer in the
 *            heap (removes it), or as firing (waits until it is not, unless it is called by that
 *            very fire), or idle; it looks again after waiting, since fire may have started its
 *            timer anew.
 * Orders     [M1] the lock orders all of it: the thread that sees firing cleared sees everything
 *            fire did. [P2] next_ns is stored seq_cst: see park.c on sleeping until the earliest
 *            timer.
 * Rejected   A hierarchical wheel: needs links in each timer or a table of nodes, and cascades
 *            touch every timer again.
 */
#include "timer.h"

#include "port/check.h"
#include "port/mem.h"

#include <sched.h>
#include <string.h>

#define IDLE_INDEX UINT32_MAX
#define FIRST_CAPACITY 16u

/* state: only so that an all-zero timer, whose index is 0, is known to be idle. */
enum { TIMER_FRESH, TIMER_USED };

static _Thread_local const struct gs_timer *inside;
/* Its address tells one thread from another. */
static _Thread_local char thread_mark;

const struct gs_timer *gs_timers_inside(void)
{
    return inside;
}

void gs_timers_init(struct gs_timers *ts)
{
    memset(ts, 0, sizeof *ts);
    gs_store_rlx(&ts->next_ns, INT64_MAX); /* before any other thread knows ts */
}

void gs_timers_fini(struct gs_timers *ts)
{
    gs_mem_free(ts->heap);
    ts->heap = NULL;
}

static void put_locked(struct gs_timers *ts, uint32_t i, struct gs_timer_entry e)
{
    ts->heap[i] = e;
    e.timer->index = i;
}

static void sift_up_locked(struct gs_timers *ts, uint32_t i, struct gs_timer_entry e)
{
    while (i > 0) {
        uint32_t parent = (i - 1) / 4;
        if (ts->heap[parent].when_ns <= e.when_ns)
            break;
        put_locked(ts, i, ts->heap[parent]);
        i = parent;
    }
    put_locked(ts, i, e);
}

static void sift_down_locked(struct gs_timers *ts, uint32_t i, struct gs_timer_entry e)
{
    for (;;) {
        uint32_t first = 4 * i + 1;
        if (first >= ts->count || first < i)
            break;
        uint32_t end = ts->count - first < 4 ? ts->count : first + 4;
        uint32_t least = first;
        for (uint32_t c = first + 1; c < end; c++) {
            if (ts->heap[c].when_ns < ts->heap[least].when_ns)
                least = c;
        }
        if (ts->heap[least].when_ns >= e.when_ns)
            break;
        put_locked(ts, i, ts->heap[least]);
        i = least;
    }
    put_locked(ts, i, e);
}

static void publish_next_locked(struct gs_timers *ts)
{
    int64_t next = ts->count ? ts->heap[0].when_ns : INT64_MAX;
    if (gs_load_rlx(&ts->next_ns) != next)
        gs_store_seq(&ts->next_ns, next); /* [P2] */
}

static void remove_locked(struct gs_timers *ts, uint32_t i)
{
    ts->heap[i].timer->index = IDLE_INDEX;
    struct gs_timer_entry last = ts->heap[--ts->count];
    if (i == ts->count)
        return;
    if (i > 0 && ts->heap[(i - 1) / 4].when_ns > last.when_ns)
        sift_up_locked(ts, i, last);
    else
        sift_down_locked(ts, i, last);
}

/* Called and returns with the lock held, but gives it up between: allocation must not happen under
 * a spin lock. */
static GS_COLD void make_room_locked(struct gs_timers *ts)
{
    while (ts->count == ts->capacity) {
        GS_CHECK(ts->capacity < UINT32_MAX / 8);
        uint32_t want = ts->capacity ? 2 * ts->capacity : FIRST_CAPACITY;
        gs_spin_unlock(&ts->lock);
        struct gs_timer_entry *heap = gs_mem_must_alloc(want * sizeof *heap);
        gs_spin_lock(&ts->lock);
        struct gs_timer_entry *old = heap;
        if (ts->capacity < want) {
            if (ts->count)
                memcpy(heap, ts->heap, ts->count * sizeof *heap);
            old = ts->heap;
            ts->heap = heap;
            ts->capacity = want;
        }
        gs_spin_unlock(&ts->lock);
        gs_mem_free(old);
        gs_spin_lock(&ts->lock);
    }
}

static bool in_heap_locked(const struct gs_timers *ts, const struct gs_timer *tm)
{
    return gs_load_rlx(&tm->state) == TIMER_USED && tm->index < ts->count &&
           ts->heap[tm->index].timer == tm;
}

bool gs_timers_start_mt(struct gs_timers *ts, struct gs_timer *tm)
{
    gs_spin_lock(&ts->lock); /* [M1] */
    if (GS_UNLIKELY(ts->count == ts->capacity))
        make_room_locked(ts);
    GS_ASSERT(!in_heap_locked(ts, tm)); /* only idle timers are started */
    tm->home = ts;
    gs_store_rlx(&tm->state, TIMER_USED);
    sift_up_locked(ts, ts->count++, (struct gs_timer_entry){tm->when_ns, tm});
    bool first = tm->index == 0;
    publish_next_locked(ts);
    gs_spin_unlock(&ts->lock);
    return first;
}

/* Waits, without the lock, until tm is no longer being fired by another thread. */
static void wait_for_fire_locked(struct gs_timers *ts, const struct gs_timer *tm)
{
    for (unsigned round = 1; ts->firing == tm; round++) {
        gs_spin_unlock(&ts->lock);
        if (round % 64 == 0)
            sched_yield();
        else
            gs_cpu_relax();
        gs_spin_lock(&ts->lock);
    }
}

bool gs_timers_stop_mt(struct gs_timers *ts, struct gs_timer *tm)
{
    gs_spin_lock(&ts->lock); /* [M1] */
    for (;;) {
        if (in_heap_locked(ts, tm)) {
            remove_locked(ts, tm->index);
            publish_next_locked(ts);
            gs_spin_unlock(&ts->lock);
            return true;
        }
        if (ts->firing != tm || ts->firing_thread == &thread_mark)
            break;
        wait_for_fire_locked(ts, tm);
    }
    gs_spin_unlock(&ts->lock);
    return false;
}

unsigned gs_timers_fire_mt(struct gs_timers *ts, int64_t now_ns, unsigned max)
{
    unsigned fired = 0;
    gs_spin_lock(&ts->lock); /* [M1] */
    if (ts->firing)
        max = 0;
    while (fired < max && ts->count && ts->heap[0].when_ns <= now_ns) {
        struct gs_timer *tm = ts->heap[0].timer;
        remove_locked(ts, 0);
        publish_next_locked(ts);
        ts->firing = tm;
        ts->firing_thread = &thread_mark;
        gs_spin_unlock(&ts->lock);
        inside = tm;
        tm->fire(tm);
        inside = NULL;
        fired++;
        gs_spin_lock(&ts->lock);
        ts->firing = NULL; /* tm itself may be gone */
    }
    gs_spin_unlock(&ts->lock);
    return fired;
}

void gs_timers_clear_mt(struct gs_timers *ts)
{
    gs_spin_lock(&ts->lock);
    for (uint32_t i = 0; i < ts->count; i++)
        ts->heap[i].timer->index = IDLE_INDEX;
    ts->count = 0;
    publish_next_locked(ts);
    if (ts->firing)
        wait_for_fire_locked(ts, ts->firing);
    gs_spin_unlock(&ts->lock);
}
