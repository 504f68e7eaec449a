/* SPDX-License-Identifier: MIT
 * quicksort.c - quicksort written by hand on an array of pseudo-random ints.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void sort(int64_t *a, int64_t lo, int64_t hi)
{
    while (lo < hi) {
        int64_t pivot = a[(lo + hi) / 2];
        int64_t i = lo, j = hi;
        while (i <= j) {
            while (a[i] < pivot)
                i++;
            while (a[j] > pivot)
                j--;
            if (i <= j) {
                int64_t t = a[i];
                a[i] = a[j];
                a[j] = t;
                i++;
                j--;
            }
        }
        if (j - lo < hi - i) {
            sort(a, lo, j);
            lo = i;
        } else {
            sort(a, i, hi);
            hi = j;
        }
    }
}

int main(int argc, char **argv)
{
    int64_t n = argc > 1 ? atoll(argv[1]) : 2000000;
    int64_t *a = malloc((size_t)n * sizeof *a);
    if (!a)
        return 1;
    int64_t x = 42, h = 0;
    for (int64_t i = 0; i < n; i++) {
        x = x * 16807 % 2147483647;
        a[i] = x;
    }
    sort(a, 0, n - 1);
    for (int64_t i = 0; i < n; i++) {
        if (i > 0 && a[i - 1] > a[i]) {
            printf("not sorted at %" PRId64 "\n", i);
            return 1;
        }
        h = (h * 31 + a[i]) % 1000000007;
    }
    printf("%" PRId64 "\n", h);
    free(a);
    return 0;
}
