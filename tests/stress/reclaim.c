/* SPDX-License-Identifier: MIT
 * reclaim.c - stress: nobody reads what was freed. Readers follow a pointer and look at what they find for a while, pass quiet points, go
 * away and come back; two takers exchange what is there and free the old when its hour has passed.
 *
 * What is freed is overwritten first, so a reader that comes too late sees it without any sanitizer; ThreadSanitizer sees missing orders.
 *
 * Usage      stress_reclaim [seconds [seed]]
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "port/atomic.h"
#include "port/clock.h"
#include "reclaim.h"

#define READERS 3
#define TAKERS 2
#define WAITING 64
#define MARK 0x5eedu

struct thing {
    uint64_t hour;
    unsigned mark[8];
};

static _Atomic(struct thing *) shared;
static _Atomic int stop;
static _Atomic uint64_t reads, freed;
static uint64_t seed = 1;

static uint64_t next(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

static struct thing *thing_new(void)
{
    struct thing *t = malloc(sizeof *t);
    if (t == NULL)
        exit(1);
    for (int i = 0; i < 8; i++)
        t->mark[i] = MARK;
    return t;
}

static void *reader(void *arg)
{
    uint64_t random = seed + (uint64_t)(uintptr_t)arg * 77 + 1, n = 0;
    while (!gs_load_rlx(&stop)) {
        gs_reclaim_quiet();
        for (uint64_t looks = next(&random) % 4; looks > 0; looks--) {
            const struct thing *t = gs_load_acq(&shared);
            for (int i = 0; i < 8; i++) {
                if (t->mark[i] != MARK) {
                    fprintf(stderr, "stress_reclaim: read after it was freed\n");
                    exit(1);
                }
            }
            n++;
        }
        if (next(&random) % 8 == 0)
            gs_reclaim_away();
    }
    gs_reclaim_away();
    (void)gs_add_rlx(&reads, n);
    return NULL;
}

/* What a taker had left at the end: freed when the readers are gone. */
static struct thing *left[TAKERS][WAITING];
static unsigned nleft[TAKERS];

static void *taker(void *arg)
{
    struct thing **waiting = left[(uintptr_t)arg];
    unsigned n = 0;
    uint64_t count = 0;
    while (!gs_load_rlx(&stop)) {
        struct thing *old = gs_xchg_acq_rel(&shared, thing_new());
        old->hour = gs_reclaim_next_mt();
        waiting[n++] = old;
        do {
            uint64_t passed = gs_reclaim_passed_mt();
            for (unsigned i = 0; i < n;) {
                if (waiting[i]->hour > passed) {
                    i++;
                    continue;
                }
                for (int k = 0; k < 8; k++)
                    waiting[i]->mark[k] = 0;
                free(waiting[i]);
                waiting[i] = waiting[--n];
                count++;
            }
        } while (n == WAITING && !gs_load_rlx(&stop));
    }
    (void)gs_add_rlx(&freed, count);
    nleft[(uintptr_t)arg] = n;
    return NULL;
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? atof(argv[1]) : 3;
    pthread_t r[READERS], t[TAKERS];
    if (argc > 2)
        seed = strtoull(argv[2], NULL, 10);
    gs_store_rel(&shared, thing_new());
    for (uintptr_t i = 0; i < READERS; i++)
        pthread_create(&r[i], NULL, reader, (void *)i);
    for (uintptr_t i = 0; i < TAKERS; i++)
        pthread_create(&t[i], NULL, taker, (void *)i);
    int64_t end = gs_clock_mono_ns() + (int64_t)(seconds * 1e9);
    while (gs_clock_mono_ns() < end)
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    gs_store_rlx(&stop, 1);
    for (int i = 0; i < READERS; i++)
        pthread_join(r[i], NULL);
    for (int i = 0; i < TAKERS; i++)
        pthread_join(t[i], NULL);
    free(gs_load_acq(&shared));
    for (int i = 0; i < TAKERS; i++) {
        while (nleft[i] > 0)
            free(left[i][--nleft[i]]);
    }
    printf("stress_reclaim: %llu reads, %llu freed\n", (unsigned long long)gs_load_rlx(&reads), (unsigned long long)gs_load_rlx(&freed));
    return gs_load_rlx(&freed) == 0;
}
