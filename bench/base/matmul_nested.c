/* SPDX-License-Identifier: MIT
 * matmul_nested.c - product of two square float matrices, each an array of row pointers.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static double **rows_new(int64_t n)
{
    double **rows = malloc((size_t)n * sizeof *rows);
    if (!rows)
        exit(1);
    for (int64_t i = 0; i < n; i++) {
        rows[i] = calloc((size_t)n, sizeof **rows);
        if (!rows[i])
            exit(1);
    }
    return rows;
}

static void rows_free(int64_t n, double **rows)
{
    for (int64_t i = 0; i < n; i++)
        free(rows[i]);
    free(rows);
}

static double **fill(int64_t n, int64_t shift)
{
    double **rows = rows_new(n);
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < n; j++)
            rows[i][j] = (double)(((i * n + j) * 7 + shift) % 11) - 5.0;
    }
    return rows;
}

static double **matmul(int64_t n, double **a, double **b)
{
    double **c = rows_new(n);
    for (int64_t i = 0; i < n; i++) {
        const double *ai = a[i];
        for (int64_t j = 0; j < n; j++) {
            double sum = 0.0;
            for (int64_t k = 0; k < n; k++)
                sum += ai[k] * b[k][j];
            c[i][j] = sum;
        }
    }
    return c;
}

static double check(int64_t n, double **c)
{
    double total = 0.0;
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < n; j++)
            total += c[i][j] * (double)((i * n + j) % 5);
    }
    return total;
}

int main(int argc, char **argv)
{
    int64_t n = argc > 1 ? atoll(argv[1]) : 400;
    double **a = fill(n, 1), **b = fill(n, 4), **c = matmul(n, a, b);
    printf("%.1f\n", check(n, c));
    rows_free(n, a);
    rows_free(n, b);
    rows_free(n, c);
    return 0;
}
