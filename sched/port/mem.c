/* SPDX-License-Identifier: MIT
 * mem.c - mimalloc, or plain malloc under sanitizers, behind one door.
 *
 * Design     A countdown makes the n-th allocation and all after it fail (tests). While it is off
 *            every allocation pays one relaxed load of a line that nobody writes.
 * Large      Blocks that hold whole huge pages ask for them. Filling an array of 80 MB then costs 40 page faults instead of 20,000: captured_array takes 0.64 of the time,
 *            appending to a long string 0.87, sorting 6,000,000 numbers 0.95. What they may cost in memory is the untouched rest of one page a block. Zeroed blocks that come from the
 *            system are not written to, but their pages given back, which come again as zeros where and when they are first touched: 3,000,000 floats made and dropped take 1.6 ms instead of 14.
 */
#include "mem.h"

#include "atomic.h"
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(GS_SANITIZE)
#include <malloc.h>
#else
#include <mimalloc.h>
#endif

/* 0: off. n > 0: n - 1 allocations may still succeed. Once it has come down to 1 it stays there. */
static _Atomic uint64_t fail_in;

static GS_COLD bool countdown_failed(void)
{
    uint64_t n = gs_load_rlx(&fail_in);
    while (n > 1) {
        /* Relaxed: only the count matters, nothing is published by it. */
        if (gs_cas_rlx(&fail_in, &n, n - 1))
            return false;
    }
    return n == 1;
}

static inline bool must_fail(void)
{
    return GS_UNLIKELY(gs_load_rlx(&fail_in) != 0) && countdown_failed();
}

void gs_mem_fail_at(uint64_t n)
{
    gs_store_rlx(&fail_in, n);
}

__attribute__((constructor)) static void read_environment(void)
{
    const char *text = getenv("LANGOOST_FAIL_ALLOC");
    if (text && *text)
        gs_mem_fail_at(strtoull(text, NULL, 10));
}

#if defined(GS_SANITIZE)

static void *raw_alloc(size_t n)
{
    return malloc(n ? n : 1);
}

static void *raw_zalloc(size_t n)
{
    return calloc(1, n ? n : 1);
}

static void *raw_realloc(void *p, size_t n)
{
    return realloc(p, n ? n : 1);
}

static void *raw_aligned(size_t n, size_t align)
{
    void *p = NULL;
    if (align < sizeof(void *))
        align = sizeof(void *);
    return posix_memalign(&p, align, n ? n : 1) == 0 ? p : NULL;
}

static void raw_free(void *p)
{
    free(p);
}

size_t gs_mem_good_size(size_t n)
{
    return (n + 15u) & ~(size_t)15u;
}

const char *gs_mem_version(void)
{
    return "malloc";
}

#else

#define HUGE_PAGE ((size_t)2 << 20)
#define HUGE_MIN (2 * HUGE_PAGE) /* smaller blocks hold no whole huge page, or just one */
#define FRESH_MIN (8 * HUGE_PAGE) /* from here on mimalloc has every block from the system; below, it may be warm, and is zeroed faster than it comes again */

/* The huge pages that lie in [p, p + n) as a whole. */
static bool whole_pages(void *p, size_t n, char **from, size_t *bytes)
{
    uintptr_t begin = ((uintptr_t)p + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1), end = ((uintptr_t)p + n) & ~(HUGE_PAGE - 1);
    *from = (char *)begin;
    *bytes = end > begin ? end - begin : 0;
    return end > begin;
}

static void *large(void *p, size_t n)
{
    char *from;
    size_t bytes;
    if (p != NULL && whole_pages(p, n, &from, &bytes))
        (void)madvise(from, bytes, MADV_HUGEPAGE);
    return p;
}

static void *large_zeroed(size_t n)
{
    char *p = large(mi_malloc(n), n), *from;
    size_t bytes;
    if (p == NULL)
        return NULL;
    if (!whole_pages(p, n, &from, &bytes) || madvise(from, bytes, MADV_DONTNEED) != 0)
        return memset(p, 0, n);
    memset(p, 0, (size_t)(from - p));
    memset(from + bytes, 0, n - (size_t)(from - p) - bytes);
    return p;
}

static void *raw_alloc(size_t n)
{
    return GS_UNLIKELY(n >= HUGE_MIN) ? large(mi_malloc(n), n) : mi_malloc(n);
}

static void *raw_zalloc(size_t n)
{
    return GS_UNLIKELY(n >= FRESH_MIN) ? large_zeroed(n) : mi_zalloc(n);
}

static void *raw_realloc(void *p, size_t n)
{
    void *q = mi_realloc(p, n);
    return GS_UNLIKELY(n >= HUGE_MIN) && q != p ? large(q, n) : q;
}

static void *raw_aligned(size_t n, size_t align)
{
    return mi_malloc_aligned(n, align);
}

static void raw_free(void *p)
{
    mi_free(p);
}

size_t gs_mem_good_size(size_t n)
{
    return mi_good_size(n);
}

const char *gs_mem_version(void)
{
    static char text[32];
    static struct gs_spin lock;
    gs_spin_lock(&lock);
    if (!text[0]) {
        int v = mi_version();
        snprintf(text, sizeof text, "mimalloc %d.%d.%d", v / 100, v / 10 % 10, v % 10);
    }
    gs_spin_unlock(&lock);
    return text;
}

#endif

void *gs_mem_alloc(size_t n)
{
    return must_fail() ? NULL : raw_alloc(n);
}

void *gs_mem_zalloc(size_t n)
{
    return must_fail() ? NULL : raw_zalloc(n);
}

void *gs_mem_realloc(void *p, size_t n)
{
    return must_fail() ? NULL : raw_realloc(p, n);
}

void *gs_mem_alloc_aligned(size_t n, size_t align)
{
    return must_fail() ? NULL : raw_aligned(n, align);
}

void gs_mem_free(void *p)
{
    raw_free(p);
}

void *gs_mem_must(void *p)
{
    static const char text[] = "fatal: out of memory\n";
    if (GS_LIKELY(p != NULL))
        return p;
    ssize_t wrote = write(STDERR_FILENO, text, sizeof text - 1);
    (void)wrote;
    _exit(70);
}

void *gs_mem_must_alloc(size_t n)
{
    return gs_mem_must(gs_mem_alloc(n));
}

void *gs_mem_must_zalloc(size_t n)
{
    return gs_mem_must(gs_mem_zalloc(n));
}

void *gs_mem_must_realloc(void *p, size_t n)
{
    return gs_mem_must(gs_mem_realloc(p, n));
}

/* The number in a file of a control group; SIZE_MAX for "max", a missing file or anything else. */
static size_t limit_in(const char *path)
{
    FILE *f = fopen(path, "r");
    unsigned long long n = 0;
    if (f == NULL)
        return SIZE_MAX;
    int got = fscanf(f, "%llu", &n);
    fclose(f);
    return got == 1 && n > 0 ? (size_t)n : SIZE_MAX;
}

size_t gs_mem_machine_bytes(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    size_t bytes = pages > 0 && size > 0 ? (size_t)pages * (size_t)size : SIZE_MAX;
    size_t v2 = limit_in("/sys/fs/cgroup/memory.max"),
           v1 = limit_in("/sys/fs/cgroup/memory/memory.limit_in_bytes");
    bytes = v2 < bytes ? v2 : bytes;
    return v1 < bytes ? v1 : bytes;
}
