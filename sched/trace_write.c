/* SPDX-License-Identifier: MIT
 * trace_write.c - the rings as a file in Chrome's JSON format, which Perfetto reads, too.
 *
 * Tracks     One for each ring, events in the order of their times. Begins and ends nest: what was cut off (the
 *            oldest events dropped, a run that is still going on) is left out or closed here.
 * Arrows     A bit for each number of an arrow whose beginning is there, in a first pass over all rings; the second
 *            pass draws those whose end it meets, too. An arrow needs a slice at both ends.
 * Memory     Only those bits. If there is no room for them, the file has no arrows.
 */
#include "trace_int.h"

#include <errno.h>
#include <string.h>

#include "sched_int.h"
#include "port/clock.h"
#include "port/mem.h"

#define DEPTH 16u /* slices open at once on one track: a run and what is in it */

struct writer {
    FILE *out;
    const struct gs_trace_hooks *hooks;
    int64_t origin_ns, now_ns;
    bool any; /* a line has been written */
    /* Arrows: two bits for each number in [low, low + n). */
    uint8_t *arrows;
    uint32_t low, n;
};

enum { ARROW_BEGINS = 1, ARROW_ENDS = 2 };

/* A ring while it is read. */
struct track {
    const struct gs_ring *ring;
    uint64_t i, head;
    unsigned depth;
    uint8_t open[DEPTH]; /* kinds */
};

static const struct {
    const char *title, *category;
} kinds[] = {
#define GS_TRACE(name, title, category) {title, category},
#include "trace.def"
#undef GS_TRACE
};

/* -- reading ----------------------------------------------------------------------------------- */

static struct track track_of(const struct gs_ring *r)
{
    return (struct track){
        .ring = r, .i = r->first * GS_TRACE_CHUNK, .head = gs_load_acq(&r->head)}; /* [R1] */
}

static bool next_event(struct track *t, struct gs_trace_event *e)
{
    return t->i < t->head && gs_ring_get_locked(t->ring, t->i++, e);
}

static bool holds(const struct track *t, uint8_t kind)
{
    for (unsigned i = 0; i < t->depth; i++) {
        if (t->open[i] == kind)
            return true;
    }
    return false;
}

/* Slices that stand on their own: when one begins and another is open, its end is lost. */
static bool outermost(uint8_t kind)
{
    return kind == GS_TRACE_RUN || kind == GS_TRACE_MANY || kind == GS_TRACE_SLEEP;
}

/* How many slices have to be closed before e, and whether e itself counts. */
static unsigned to_close(const struct track *t, const struct gs_trace_event *e, bool *counts)
{
    unsigned close = 0;
    *counts = true;
    if (e->phase == GS_TRACE_BEGIN) {
        close = outermost(e->kind) ? t->depth : 0;
        *counts = t->depth - close < DEPTH;
    } else if (e->phase == GS_TRACE_END) {
        *counts = holds(t, e->kind);
        while (*counts && t->open[t->depth - 1 - close] != e->kind)
            close++;
    }
    return close;
}

static void step(struct track *t, const struct gs_trace_event *e)
{
    if (e->phase == GS_TRACE_BEGIN)
        t->open[t->depth++] = e->kind;
    else if (e->phase == GS_TRACE_END)
        t->depth--;
}

/* -- arrows ------------------------------------------------------------------------------------ */

static bool begins_arrow(const struct gs_trace_event *e)
{
    return e->kind == GS_TRACE_SPAWN || e->kind == GS_TRACE_READY;
}

static bool ends_arrow(const struct gs_trace_event *e)
{
    return e->kind == GS_TRACE_RUN && e->phase == GS_TRACE_BEGIN && e->id != 0;
}

static uint8_t *arrow(const struct writer *w, uint32_t flow, unsigned *shift)
{
    uint32_t i = flow / 2 - w->low;
    *shift = i % 4 * 2;
    return w->arrows && i < w->n ? &w->arrows[i / 4] : NULL;
}

static void mark(const struct writer *w, uint32_t flow, unsigned bits)
{
    unsigned shift;
    uint8_t *p = arrow(w, flow, &shift);
    if (p)
        *p |= (uint8_t)(bits << shift);
}

static bool whole(const struct writer *w, uint32_t flow)
{
    unsigned shift;
    const uint8_t *p = arrow(w, flow, &shift);
    return p && ((*p >> shift) & 3u) == (ARROW_BEGINS | ARROW_ENDS);
}

static void find_range(struct writer *w)
{
    uint32_t low = UINT32_MAX, high = 0;
    for (const struct gs_ring *r = gs_rings(); r; r = r->next) {
        struct track t = track_of(r);
        struct gs_trace_event e;
        while (next_event(&t, &e)) {
            if (!begins_arrow(&e))
                continue;
            low = e.id / 2 < low ? e.id / 2 : low;
            high = e.id / 2 > high ? e.id / 2 : high;
        }
    }
    w->low = low;
    w->n = low <= high ? high - low + 1 : 0;
    w->arrows = w->n ? gs_mem_zalloc(w->n / 4 + 1) : NULL;
}

static void mark_ring(const struct writer *w, const struct gs_ring *r)
{
    struct track t = track_of(r);
    struct gs_trace_event e;
    while (next_event(&t, &e)) {
        bool counts;
        t.depth -= to_close(&t, &e, &counts);
        if (begins_arrow(&e) && t.depth > 0)
            mark(w, e.id, ARROW_BEGINS);
        else if (ends_arrow(&e) && counts)
            mark(w, e.id, ARROW_ENDS);
        if (counts)
            step(&t, &e);
    }
}

static void find_arrows(struct writer *w)
{
    find_range(w);
    if (!w->arrows)
        return;
    for (const struct gs_ring *r = gs_rings(); r; r = r->next)
        mark_ring(w, r);
}

/* -- text -------------------------------------------------------------------------------------- */

/* Length of the UTF-8 character at p, or 0: none. Surrogates and overlong forms do not come in names that
 * the front end has let pass; in paths any byte may. */
static unsigned utf8_at(const unsigned char *p)
{
    unsigned n = p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
    for (unsigned i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    return n;
}

/* The inside of a JSON string. */
static void put_text(FILE *out, const char *s)
{
    const unsigned char *p = (const unsigned char *)s;
    while (*p) {
        unsigned n = *p < 0x80 ? 1 : utf8_at(p);
        if (n == 0)
            fputs("\\ufffd", out);
        else if (*p < 0x20)
            fprintf(out, "\\u%04x", *p);
        else if (*p == '"' || *p == '\\')
            fprintf(out, "\\%c", *p);
        else
            fwrite(p, 1, n, out);
        p += n ? n : 1;
    }
}

static unsigned track_id(const struct gs_ring *r)
{
    return r->worker ? r->worker->index + 1 : GS_WORKERS_MAX + 1 + r->number;
}

static void put_head(struct writer *w, const struct gs_ring *r, const char *phase)
{
    fprintf(w->out, "%s{\"ph\":\"%s\",\"pid\":1,\"tid\":%u", w->any ? ",\n" : "", phase,
            track_id(r));
    w->any = true;
}

static void put_time(struct writer *w, int64_t when_ns)
{
    int64_t ns = when_ns > w->origin_ns ? when_ns - w->origin_ns : 0;
    fprintf(w->out, ",\"ts\":%lld.%03d", (long long)(ns / 1000), (int)(ns % 1000));
}

static void put_place(struct writer *w, const char *key, const char *name, uint32_t line)
{
    fprintf(w->out, "\"%s\":\"", key);
    put_text(w->out, name);
    fprintf(w->out, ":%u\"", line);
}

static void put_kind(struct writer *w, uint8_t kind)
{
    fprintf(w->out, ",\"cat\":\"%s\",\"name\":\"%s", kinds[kind].category, kinds[kind].title);
}

/* -- events ------------------------------------------------------------------------------------ */

static void put_run_begin(struct writer *w, const struct track *t, const struct gs_trace_event *e)
{
    struct gs_trace_name name = {0};
    struct gs_trace_event first;
    if (e->a)
        w->hooks->name((const void *)(uintptr_t)e->a, 0, &name); /* what an owner put there */
    fputs(",\"cat\":\"task\",\"name\":\"", w->out);
    put_text(w->out, name.name ? name.name : "a task that has ended");
    fprintf(w->out, "\",\"args\":{\"task\":%lld", (long long)e->b);
    if (name.file) {
        fputc(',', w->out);
        put_place(w, "function", name.file, name.line);
    }
    if (t->i < t->head && gs_ring_get_locked(t->ring, t->i, &first) &&
        first.kind == GS_TRACE_FIRST) {
        fputc(',', w->out);
        put_place(w, "spawned", (const char *)(uintptr_t)first.a, (uint32_t)first.b);
    }
    fputs("}}", w->out);
}

static void put_compile_begin(struct writer *w, const struct gs_trace_event *e)
{
    struct gs_trace_name name = {0};
    w->hooks->name((const void *)(uintptr_t)e->a, e->b, &name);
    put_kind(w, e->kind);
    fputc(' ', w->out);
    put_text(w->out, name.name ? name.name : "?");
    fputs("\",\"args\":{", w->out);
    put_place(w, "at", name.file ? name.file : "?", name.line);
    fprintf(w->out, ",\"attempt\":%u}}", (unsigned)(e->b & 0xffu));
}

static void put_arrow(struct writer *w, const struct gs_ring *r, int64_t when_ns, uint32_t flow,
                      bool begin)
{
    if (!whole(w, flow))
        return;
    put_head(w, r, begin ? "s" : "f");
    put_time(w, when_ns);
    put_kind(w, flow & 1u ? GS_TRACE_READY : GS_TRACE_SPAWN);
    fprintf(w->out, "\",\"id\":%u%s}", flow, begin ? "" : ",\"bp\":\"e\"");
}

static void put_begin(struct writer *w, const struct track *t, const struct gs_trace_event *e)
{
    put_head(w, t->ring, "B");
    put_time(w, e->when_ns);
    if (e->kind == GS_TRACE_RUN) {
        put_run_begin(w, t, e);
    } else if (e->kind == GS_TRACE_COMPILE) {
        put_compile_begin(w, e);
    } else {
        put_kind(w, e->kind);
        fputc('"', w->out);
        if (e->kind == GS_TRACE_GC)
            fprintf(w->out, ",\"args\":{\"bytes before\":%llu}", (unsigned long long)e->b);
        fputc('}', w->out);
    }
    if (ends_arrow(e))
        put_arrow(w, t->ring, e->when_ns, e->id, false);
}

static void put_stop(struct writer *w, const struct gs_trace_event *e)
{
    static const char *const how[] = {[GS_TRACE_DONE] = "done",
                                      [GS_TRACE_PARKED] = "waits",
                                      [GS_TRACE_YIELDED] = "yielded",
                                      [GS_TRACE_PREEMPTED] = "time slice over"};
    /* Parked without waiting: the program ends, and it with it. */
    bool last = e->arg == GS_TRACE_PARKED && !e->a;
    fprintf(w->out, ",\"args\":{\"ended\":\"%s", last ? "stopped" : how[e->arg]);
    if (e->a) {
        fputs(" in ", w->out);
        put_text(w->out, (const char *)(uintptr_t)e->a);
    }
    fputc('"', w->out);
    if (e->b) {
        fputc(',', w->out);
        put_place(w, "stopped at", (const char *)(uintptr_t)e->b, e->id);
    }
    fputc('}', w->out);
}

static void put_end(struct writer *w, const struct track *t, const struct gs_trace_event *e)
{
    put_head(w, t->ring, "E");
    put_time(w, e->when_ns);
    switch ((enum gs_trace_kind)e->kind) {
    case GS_TRACE_RUN:
        put_stop(w, e);
        break;
    case GS_TRACE_MANY:
        fprintf(w->out, ",\"args\":{\"runs\":%llu}", (unsigned long long)e->b);
        break;
    case GS_TRACE_TIMERS:
        fprintf(w->out, ",\"args\":{\"fired\":%llu}", (unsigned long long)e->b);
        break;
    case GS_TRACE_GC:
        fprintf(w->out, ",\"args\":{\"bytes after\":%llu}", (unsigned long long)e->b);
        break;
    case GS_TRACE_COMPILE:
        fprintf(w->out, ",\"args\":{\"result\":\"%s", e->a ? "declined: " : "compiled");
        if (e->a)
            put_text(w->out, (const char *)(uintptr_t)e->a);
        fputs("\"}", w->out);
        break;
    default:
        break;
    }
    fputc('}', w->out);
}

static void put_instant(struct writer *w, const struct track *t, const struct gs_trace_event *e)
{
    put_head(w, t->ring, "i");
    put_time(w, e->when_ns);
    put_kind(w, e->kind);
    fputs("\",\"s\":\"t\",\"args\":{", w->out);
    if (e->kind == GS_TRACE_STEAL)
        fprintf(w->out, "\"tasks\":%llu,\"from worker\":%llu,\"distance\":%u",
                (unsigned long long)e->a, (unsigned long long)e->b, e->arg);
    else
        fprintf(w->out, "\"worker\":%llu", (unsigned long long)e->a);
    fputs("}}", w->out);
}

static void put_point(struct writer *w, const struct track *t, const struct gs_trace_event *e)
{
    switch ((enum gs_trace_kind)e->kind) {
    case GS_TRACE_SPAWN:
    case GS_TRACE_READY:
        put_arrow(w, t->ring, e->when_ns, e->id, true);
        break;
    case GS_TRACE_LOAD:
        put_head(w, t->ring, "C");
        put_time(w, e->when_ns);
        put_kind(w, e->kind);
        fprintf(w->out, "\",\"args\":{\"running\":%llu,\"queued\":%llu}}", (unsigned long long)e->a,
                (unsigned long long)e->b);
        break;
    case GS_TRACE_FIRST: /* told with its run */
        break;
    default:
        put_instant(w, t, e);
    }
}

static void put_event(struct writer *w, const struct track *t, const struct gs_trace_event *e)
{
    if (e->phase == GS_TRACE_BEGIN)
        put_begin(w, t, e);
    else if (e->phase == GS_TRACE_END)
        put_end(w, t, e);
    else
        put_point(w, t, e);
}

static void close_slices(struct writer *w, struct track *t, unsigned n, int64_t when_ns,
                         const char *why)
{
    for (; n > 0; n--, t->depth--) {
        put_head(w, t->ring, "E");
        put_time(w, when_ns);
        fprintf(w->out, ",\"args\":{\"ended\":\"%s\"}}", why);
    }
}

static void put_name(struct writer *w, const struct gs_ring *r)
{
    put_head(w, r, "M");
    fputs(",\"name\":\"thread_name\",\"args\":{\"name\":\"", w->out);
    if (!r->worker) {
        put_text(w->out, r->name);
    } else {
        int cpu = gs_load_rlx(&r->worker->os_cpu); /* where it is now */
        fprintf(w->out, "worker %u", r->worker->index);
        if (cpu >= 0)
            fprintf(w->out, " (cpu %d)", cpu);
    }
    fputs("\"}}", w->out);
    put_head(w, r, "M");
    fprintf(w->out, ",\"name\":\"thread_sort_index\",\"args\":{\"sort_index\":%u}}", track_id(r));
}

static void put_ring(struct writer *w, const struct gs_ring *r)
{
    struct track t = track_of(r);
    struct gs_trace_event e;
    put_name(w, r);
    if (r->first > 0 && gs_ring_get_locked(r, t.i, &e)) {
        put_head(w, r, "i");
        put_time(w, e.when_ns);
        fprintf(w->out,
                ",\"cat\":\"sched\",\"name\":\"%llu older events were dropped\",\"s\":\"t\"}",
                (unsigned long long)t.i);
    }
    int64_t last_ns = w->now_ns;
    while (next_event(&t, &e)) {
        bool counts;
        last_ns = e.when_ns > last_ns ? e.when_ns : last_ns;
        close_slices(w, &t, to_close(&t, &e, &counts), e.when_ns, "unknown");
        if (!counts)
            continue;
        put_event(w, &t, &e);
        step(&t, &e);
    }
    close_slices(w, &t, t.depth, last_ns, "not yet");
}

int gs_trace_print(FILE *out, const struct gs_trace_hooks *hooks, int64_t origin_ns)
{
    struct writer w = {.out = out, .hooks = hooks, .origin_ns = origin_ns};
    uint64_t dropped = 0;
    for (struct gs_ring *r = gs_rings(); r; r = r->next) {
        gs_spin_lock(&r->lock); /* kept: see [R1] */
        dropped += r->first * GS_TRACE_CHUNK;
    }
    w.now_ns = gs_clock_mono_ns();
    find_arrows(&w);
    errno = 0;
    fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n"
          "{\"ph\":\"M\",\"pid\":1,\"name\":\"process_name\",\"args\":{\"name\":\"langoost\"}}",
          out);
    w.any = true;
    for (const struct gs_ring *r = gs_rings(); r; r = r->next)
        put_ring(&w, r);
    fprintf(out, "\n],\"otherData\":{\"dropped events\":\"%llu\"}}\n", (unsigned long long)dropped);
    gs_mem_free(w.arrows);
    if (fflush(out) != 0 || ferror(out))
        return errno ? errno : EIO;
    return 0;
}
