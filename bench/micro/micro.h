/* SPDX-License-Identifier: MIT
 * micro.h - what the programs of this folder share: wrong answers, medians of ROUNDS, and which cases were asked for.
 */
#ifndef GS_BENCH_MICRO_H
#define GS_BENCH_MICRO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 7

static inline void expect(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "wrong answer: %s\n", what);
    exit(1);
}

static inline int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Sorts v; the median is v[n / 2], the best v[0]. */
static inline void sort_values(double *v, size_t n)
{
    qsort(v, n, sizeof *v, compare);
}

static inline void report(const char *name, double *ns, const char *unit)
{
    sort_values(ns, ROUNDS);
    printf("%-28s %9.1f %s   best %9.1f\n", name, ns[ROUNDS / 2], unit, ns[0]);
    fflush(stdout);
}

static inline bool wanted(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return true;
    return argc < 2;
}

#endif
