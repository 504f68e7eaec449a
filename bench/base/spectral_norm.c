/* SPDX-License-Identifier: MIT
 * spectral_norm.c - largest singular value of an infinite matrix by power iteration: a small
 * function of ints called in a double loop over float arrays.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define N 1000

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

static double u[N], v[N], t[N];

int main(void)
{
    for (int64_t i = 0; i < N; i++)
        u[i] = 1.0;
    for (int step = 0; step < 10; step++) {
        mul_av(N, u, t);
        mul_atv(N, t, v);
        mul_av(N, v, t);
        mul_atv(N, t, u);
    }
    double vbv = 0.0, vv = 0.0;
    for (int64_t i = 0; i < N; i++) {
        vbv += u[i] * v[i];
        vv += v[i] * v[i];
    }
    printf("%.9f\n", sqrt(vbv / vv));
    return 0;
}
