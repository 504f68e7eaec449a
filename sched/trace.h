/* SPDX-License-Identifier: MIT
 * trace.h - --trace: what happened when, as a file for ui.perfetto.dev and chrome://tracing.
 *
 * Rings      Each thread that has something to tell writes it into a ring of its own (trace.c), without
 *            locks and without text. Names are asked for when the file is written, at the end
 *            (trace_write.c), through hooks: this folder knows tasks, not functions.
 * Sampling   A switch between two tasks takes some 10 ns, an event twice that, most of it for reading the
 *            clock. So each ring has a budget: GS_TRACE_BURST events at once, GS_TRACE_RATE in
 *            each millisecond. A worker that has used it up tells its runs in one slice ("many runs",
 *            with their number) until it has enough for some more; a run that turns out long
 *            is told all the same. A program of some ten thousand switches is told in full, one of
 *            millions costs 5 % at most, and both have files that can be opened.
 * Arrows     Whoever spawns or wakes a task writes a number into it (task.flow) and into its own ring, and
 *            the run that follows takes it. Only arrows with both ends in the file are drawn.
 */
#ifndef GS_SCHED_TRACE_H
#define GS_SCHED_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "task.h"

/* GS_TRACE(NAME, title, category): see trace.def. */
enum gs_trace_kind {
#define GS_TRACE(name, title, category) GS_TRACE_##name,
#include "trace.def"
#undef GS_TRACE
    GS_TRACE_COUNT_
};

/* Who a task is. Pointers live as long as the process. */
struct gs_trace_task {
    const void *what; /* for gs_trace_hooks.name */
    int64_t number;
    const char *file; /* place of the spawn; NULL: none */
    uint32_t line;
};

/* Why a run has ended, and where. */
struct gs_trace_stop {
    const char *why; /* what the task waits in; NULL: unknown */
    const char *file;
    uint32_t line;
};

struct gs_trace_name {
    const char *name, *file; /* NULL: none */
    uint32_t line;
};

/* All of them must be there. */
struct gs_trace_hooks {
    /* On the worker that is about to run t. */
    void (*task)(const struct gs_task *t, struct gs_trace_task *out);
    /* On the worker that has run t, which parks or yields and has not been let go of. */
    void (*stop)(const struct gs_task *t, struct gs_trace_stop *out);
    /* When the file is written. at: what gs_trace_begin was given with it, 0 for tasks. */
    void (*name)(const void *what, uint64_t at, struct gs_trace_name *out);
};

/* Constant once threads run. */
extern bool gs_tracing;

/* Creates the file and begins to record; before gs_sched_run, once. 0 or an errno. */
int gs_trace_open(const char *path, const struct gs_trace_hooks *hooks);
/* Writes what has been recorded so far. Any thread, whatever the others do: they are neither waited for nor
 * stopped. Only the first call does so; another one waits for it. 0 or an errno. Without gs_trace_open: 0. */
int gs_trace_write(void);

/* What the calling thread does, if it is no worker. */
void gs_trace_thread(const char *name);

/* A slice on the track of the calling thread. begin says whether it was recorded, which end is told; both do nothing
 * unless gs_tracing. */
bool gs_trace_begin_slow(enum gs_trace_kind kind, const void *what, uint64_t at);
void gs_trace_end_slow(enum gs_trace_kind kind, const void *what, uint64_t n);

/* Whether the worker tells each run now; false too when nothing is recorded. Owner, in a task: who holds several things that look like runs of their own goes by way of the
 * scheduler for each while they are told. */
bool gs_trace_tells_owner(const struct gs_worker *w);

static inline bool gs_trace_begin(enum gs_trace_kind kind, const void *what, uint64_t at)
{
    return __builtin_expect(gs_tracing, 0) && gs_trace_begin_slow(kind, what, at);
}

static inline void gs_trace_end(bool begun, enum gs_trace_kind kind, const void *what, uint64_t n)
{
    if (__builtin_expect(begun, 0))
        gs_trace_end_slow(kind, what, n);
}

#endif
