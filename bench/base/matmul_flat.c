/* SPDX-License-Identifier: MIT
 * matmul_flat.c - product of two square float matrices, each in one flat array.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static double *floats(int64_t n)
{
    double *m = calloc((size_t)n, sizeof *m);
    if (!m)
        exit(1);
    return m;
}

static double *fill(int64_t n, int64_t shift)
{
    double *m = floats(n * n);
    for (int64_t i = 0; i < n * n; i++)
        m[i] = (double)((i * 7 + shift) % 11) - 5.0;
    return m;
}

static double *matmul(int64_t n, const double *a, const double *b)
{
    double *c = floats(n * n);
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < n; j++) {
            double sum = 0.0;
            for (int64_t k = 0; k < n; k++)
                sum += a[i * n + k] * b[k * n + j];
            c[i * n + j] = sum;
        }
    }
    return c;
}

static double check(int64_t n, const double *c)
{
    double total = 0.0;
    for (int64_t i = 0; i < n * n; i++)
        total += c[i] * (double)(i % 5);
    return total;
}

int main(int argc, char **argv)
{
    int64_t n = argc > 1 ? atoll(argv[1]) : 400;
    double *a = fill(n, 1), *b = fill(n, 4), *c = matmul(n, a, b);
    printf("%.1f\n", check(n, c));
    free(a);
    free(b);
    free(c);
    return 0;
}
