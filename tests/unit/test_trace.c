/* SPDX-License-Identifier: MIT
 * test_trace.c - event rings: what is put in comes out, the oldest goes first, a reader disturbs nobody; and the file.
 */
#include "sched_unit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "port/clock.h"
#include "sched_int.h"

static void put(struct gs_ring *r, uint64_t i)
{
    gs_ring_put_owner(r, (int64_t)i + 1,
                      &(struct gs_trace_event){.kind = GS_TRACE_STEAL,
                                               .a = i,
                                               .b = ~i,
                                               .id = (uint32_t)i,
                                               .arg = (uint16_t)i});
}

static bool is(const struct gs_ring *r, uint64_t i)
{
    struct gs_trace_event e;
    return gs_ring_get_locked(r, i, &e) && e.when_ns == (int64_t)i + 1 && e.a == i && e.b == ~i &&
           e.id == (uint32_t)i && e.arg == (uint16_t)i && e.kind == GS_TRACE_STEAL &&
           e.phase == GS_TRACE_POINT;
}

static void what_is_put_in_comes_out(void)
{
    struct gs_trace_event e;
    struct gs_ring *r = gs_ring_new("one", NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    CU_ASSERT_FALSE(gs_ring_get_locked(r, 0, &e));
    for (uint64_t i = 0; i < 3 * GS_TRACE_CHUNK / 2; i++) {
        put(r, i);
        if (!is(r, i) || gs_ring_get_locked(r, i + 1, &e))
            CU_FAIL("another event");
    }
    CU_ASSERT(is(r, 0));
    gs_trace_reset();
}

static void a_full_ring_loses_its_oldest_chunk(void)
{
    const uint64_t n = (uint64_t)GS_TRACE_CHUNK * GS_TRACE_CHUNKS;
    struct gs_trace_event e;
    struct gs_ring *r = gs_ring_new("one", NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    for (uint64_t i = 0; i < n; i++)
        put(r, i);
    CU_ASSERT(is(r, 0));
    put(r, n);
    CU_ASSERT_FALSE(gs_ring_get_locked(r, GS_TRACE_CHUNK - 1, &e));
    CU_ASSERT(is(r, GS_TRACE_CHUNK));
    CU_ASSERT(is(r, n));
    for (uint64_t i = n + 1; i < 2 * n + 5; i++)
        put(r, i);
    CU_ASSERT_EQUAL(r->first, GS_TRACE_CHUNKS + 1);
    for (uint64_t i = r->first * GS_TRACE_CHUNK; i < 2 * n + 5; i++) {
        if (!is(r, i))
            CU_FAIL("another event");
    }
    gs_trace_reset();
}

static void while_it_is_read_no_chunk_changes(void)
{
    struct gs_ring *r = gs_ring_new("one", NULL);
    struct gs_trace_event e;
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    for (uint64_t i = 0; i < GS_TRACE_CHUNK - 1; i++)
        put(r, i);
    gs_spin_lock(&r->lock);
    put(r, GS_TRACE_CHUNK - 1); /* still has its place */
    put(r, GS_TRACE_CHUNK);     /* is lost, but nobody waits */
    CU_ASSERT(is(r, GS_TRACE_CHUNK - 1));
    CU_ASSERT_FALSE(gs_ring_get_locked(r, GS_TRACE_CHUNK, &e));
    gs_spin_unlock(&r->lock);
    put(r, GS_TRACE_CHUNK);
    CU_ASSERT(is(r, GS_TRACE_CHUNK));
    gs_trace_reset();
}

/* -- the file ---------------------------------------------------------------------------------- */

static void task_hook(const struct gs_task *t, struct gs_trace_task *out)
{
    (void)t;
    *out = (struct gs_trace_task){"work", 7, "some \"file\"\x01\xff", 12};
}

static void stop_hook(const struct gs_task *t, struct gs_trace_stop *out)
{
    (void)t;
    (void)out;
}

static void name_hook(const void *what, uint64_t at, struct gs_trace_name *out)
{
    (void)at;
    out->name = what;
}

static const struct gs_trace_hooks hooks = {task_hook, stop_hook, name_hook};

/* All rings as a text of the caller's. */
static char *print(void)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT_EQUAL(gs_trace_print(f, &hooks, 0), 0);
    fclose(f);
    return text;
}

/* strstr of a sanitized program takes the length of all the rest each time. */
static const char *find(const char *p, const char *what)
{
    size_t n = strlen(what);
    while (*p && (*p != what[0] || strncmp(p, what, n) != 0))
        p++;
    return *p ? p : NULL;
}

static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;
    for (const char *p = text; (p = find(p, what)); p++)
        n++;
    return n;
}

static void mark(struct gs_ring *r, int64_t when, enum gs_trace_kind kind,
                 enum gs_trace_phase phase, uint32_t id)
{
    gs_ring_put_owner(
        r, when,
        &(struct gs_trace_event){.kind = (uint8_t)kind, .phase = (uint8_t)phase, .id = id});
}

static void slices_that_are_cut_are_closed_or_left_out(void)
{
    struct gs_ring *r = gs_ring_new("one", NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    mark(r, 1, GS_TRACE_RUN, GS_TRACE_END, 0);    /* begun before the ring's oldest event */
    mark(r, 2, GS_TRACE_RUN, GS_TRACE_BEGIN, 0);  /* its end is lost */
    mark(r, 3, GS_TRACE_GC, GS_TRACE_BEGIN, 0);   /* likewise */
    mark(r, 4, GS_TRACE_RUN, GS_TRACE_BEGIN, 0);
    mark(r, 5, GS_TRACE_GC, GS_TRACE_BEGIN, 0);
    char *text = print();
    CU_ASSERT_EQUAL(count(text, "\"ph\":\"B\""), 4);
    CU_ASSERT_EQUAL(count(text, "\"ph\":\"E\""), 4);
    CU_ASSERT_EQUAL(count(text, "\"ended\":\"unknown\""), 2);
    CU_ASSERT_EQUAL(count(text, "\"ended\":\"not yet\""), 2);
    free(text);
    gs_trace_reset();
}

static void arrows_have_two_ends(void)
{
    struct gs_ring *r = gs_ring_new("one", NULL);
    struct gs_ring *q = gs_ring_new("two", NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    CU_ASSERT_PTR_NOT_NULL_FATAL(q);
    mark(r, 1, GS_TRACE_READY, GS_TRACE_POINT, 3); /* in no slice */
    mark(r, 2, GS_TRACE_RUN, GS_TRACE_BEGIN, 0);
    mark(r, 3, GS_TRACE_READY, GS_TRACE_POINT, 5);
    mark(r, 4, GS_TRACE_SPAWN, GS_TRACE_POINT, 6); /* nobody runs it */
    mark(q, 5, GS_TRACE_RUN, GS_TRACE_BEGIN, 5);
    mark(q, 6, GS_TRACE_RUN, GS_TRACE_END, 0);
    mark(q, 7, GS_TRACE_RUN, GS_TRACE_BEGIN, 3);
    mark(q, 8, GS_TRACE_RUN, GS_TRACE_BEGIN, 9); /* its beginning is lost */
    char *text = print();
    CU_ASSERT_EQUAL(count(text, "\"ph\":\"s\""), 1);
    CU_ASSERT_EQUAL(count(text, "\"ph\":\"f\""), 1);
    CU_ASSERT_EQUAL(count(text, "\"id\":5"), 2);
    free(text);
    gs_trace_reset();
}

static void names_are_escaped(void)
{
    struct gs_ring *r = gs_ring_new("a \\ b", NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    gs_ring_put_owner(r, 1,
                      &(struct gs_trace_event){.kind = GS_TRACE_RUN,
                                               .phase = GS_TRACE_BEGIN,
                                               .a = (uint64_t)(uintptr_t)"\"q\"\n\xc3\xa4\xff"});
    char *text = print();
    CU_ASSERT_EQUAL(count(text, "a \\\\ b"), 1);
    CU_ASSERT_EQUAL(count(text, "\"\\\"q\\\"\\u000a\xc3\xa4\\ufffd\""), 1);
    free(text);
    gs_trace_reset();
}

/* -- many threads ------------------------------------------------------------------------------ */

#define WRITERS 3

static void *writer(void *arg)
{
    struct gs_ring *r = arg;
    for (uint64_t i = 0; i < 20 * GS_TRACE_CHUNK; i++)
        put(r, i);
    return NULL;
}

static void a_file_is_written_while_others_record(void)
{
    pthread_t th[WRITERS];
    struct gs_ring *r[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        r[i] = gs_ring_new("writer", NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(r[i]);
        CU_ASSERT_EQUAL_FATAL(pthread_create(&th[i], NULL, writer, r[i]), 0);
    }
    while (gs_load_acq(&r[0]->head) < 3 * GS_TRACE_CHUNK)
        gs_cpu_relax();
    char *text = print();
    CU_ASSERT(count(text, "\"steal\"") >= 3 * GS_TRACE_CHUNK);
    for (int i = 0; i < WRITERS; i++)
        pthread_join(th[i], NULL);
    free(text);
    gs_trace_reset();
}

/* -- workers ----------------------------------------------------------------------------------- */

#define TASKS 50000

static struct gs_sched *s;
static struct gs_task crowd[TASKS];
static _Atomic int left;

static enum gs_run child_runs(struct gs_task *t, struct gs_worker *w)
{
    (void)t;
    (void)w;
    if (gs_sub_acq_rel(&left, 1) == 1)
        gs_sched_stop(s, 0);
    return GS_RUN_DONE;
}

static enum gs_run parent_runs(struct gs_task *t, struct gs_worker *w)
{
    (void)t;
    (void)w;
    for (int i = 0; i < TASKS; i++)
        gs_sched_submit_mt(s, &crowd[i]);
    return GS_RUN_DONE;
}

/* What follows "runs": in the ends of slices of many runs, added up. */
static unsigned long runs_told(const char *text)
{
    unsigned long n = 0;
    for (const char *p = text; (p = find(p, "{\"runs\":")); p++)
        n += strtoul(p + 8, NULL, 10);
    return n;
}

/* Closes it. */
static char *contents(int fd)
{
    off_t n = lseek(fd, 0, SEEK_END);
    char *text = calloc(1, (size_t)n + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_EQUAL(pread(fd, text, (size_t)n, 0), n);
    close(fd);
    return text;
}

static void every_run_is_told_or_counted(void)
{
    char path[] = "/tmp/goost-trace-XXXXXX";
    int fd = mkstemp(path);
    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL_FATAL(gs_trace_open(path, &hooks), 0);
    struct gs_sched_config cfg = {.workers = 3, .seed = 3};
    s = gs_sched_new(&cfg);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    struct gs_task parent;
    gs_task_init(&parent, parent_runs);
    gs_store_rlx(&left, TASKS);
    for (int i = 0; i < TASKS; i++)
        gs_task_init(&crowd[i], child_runs);
    (void)gs_sched_run(s, &parent);
    CU_ASSERT_EQUAL(gs_trace_write(), 0);
    CU_ASSERT_EQUAL(gs_trace_write(), 0); /* does not write again */
    char *text = contents(fd);
    unsigned slices = count(text, "\"cat\":\"task\"") - count(text, "\"many runs\"");
    CU_ASSERT_EQUAL(slices + runs_told(text), TASKS + 1);
    /* How many are told by themselves is a matter of time: the budget grows with it, and others may have used it up. */
    free(text);
    gs_sched_free(s);
    gs_trace_reset();
    (void)remove(path);
}

static void a_file_that_cannot_be_made_is_an_error(void)
{
    CU_ASSERT_NOT_EQUAL(gs_trace_open("/no/such/folder/file", &hooks), 0);
    CU_ASSERT_FALSE(gs_tracing);
    CU_ASSERT_EQUAL(gs_trace_write(), 0);
}

static const CU_TestInfo cases[] = {
    CASE(what_is_put_in_comes_out),
    CASE(a_full_ring_loses_its_oldest_chunk),
    CASE(while_it_is_read_no_chunk_changes),
    CASE(slices_that_are_cut_are_closed_or_left_out),
    CASE(arrows_have_two_ends),
    CASE(names_are_escaped),
    CASE(a_file_is_written_while_others_record),
    CASE(every_run_is_told_or_counted),
    CASE(a_file_that_cannot_be_made_is_an_error),
};

int main(void)
{
    return run_cases("trace", cases, sizeof cases / sizeof cases[0]);
}
