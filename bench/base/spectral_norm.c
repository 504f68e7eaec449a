/* SPDX-License-Identifier: MIT
 * spectral_norm.c - largest singular value of an infinite matrix by power iteration: a small
 * function of ints called in a double loop over float arrays.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static double a(int64_t i, int64_t j)
{
    int64_t ij = i + j;
    return 1.0 / (double)(ij * (ij + 1) / 2 + i + 1);
}

static void mul_av(int64_t n, const double *v, double *out)
{
    for (int64_t i = 0; i < n; i++) {
        double sum = 0.0;
        for (int64_t j = 0; j < n; j++)
            sum += a(i, j) * v[j];
        out[i] = sum;
    }
}

static void mul_atv(int64_t n, const double *v, double *out)
{
    for (int64_t i = 0; i < n; i++) {
        double sum = 0.0;
        for (int64_t j = 0; j < n; j++)
            sum += a(j, i) * v[j];
        out[i] = sum;
    }
}

static double *floats(int64_t n)
{
    double *m = calloc((size_t)n, sizeof *m);
    if (!m)
        exit(1);
    return m;
}

int main(int argc, char **argv)
{
    int64_t n = argc > 1 ? atoll(argv[1]) : 1000;
    double *u = floats(n), *v = floats(n), *t = floats(n);
    for (int64_t i = 0; i < n; i++)
        u[i] = 1.0;
    for (int step = 0; step < 10; step++) {
        mul_av(n, u, t);
        mul_atv(n, t, v);
        mul_av(n, v, t);
        mul_atv(n, t, u);
    }
    double vbv = 0.0, vv = 0.0;
    for (int64_t i = 0; i < n; i++) {
        vbv += u[i] * v[i];
        vv += v[i] * v[i];
    }
    printf("%.9f\n", sqrt(vbv / vv));
    free(u);
    free(v);
    free(t);
    return 0;
}
