/* SPDX-License-Identifier: MIT
 * fannkuch.c - pancake flips over all permutations of ten: short int arrays, copied and reversed in
 * place.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX 16

static int64_t perm1[MAX], perm[MAX], count[MAX];

static int64_t count_flips(void)
{
    int64_t flips = 0;
    for (int64_t k = perm[0]; k != 0; k = perm[0]) {
        for (int64_t i = 0, j = k; i < j; i++, j--) {
            int64_t t = perm[i];
            perm[i] = perm[j];
            perm[j] = t;
        }
        flips++;
    }
    return flips;
}

static int64_t fannkuch(int64_t n, int64_t *max_flips)
{
    int64_t checksum = 0, r = n;
    bool even = true;
    for (int64_t i = 0; i < n; i++)
        perm1[i] = i;
    *max_flips = 0;
    for (;;) {
        while (r != 1) {
            count[r - 1] = r;
            r--;
        }
        for (int64_t i = 0; i < n; i++)
            perm[i] = perm1[i];
        int64_t flips = count_flips();
        if (flips > *max_flips)
            *max_flips = flips;
        checksum += even ? flips : -flips;
        for (;;) {
            if (r == n)
                return checksum;
            int64_t first = perm1[0];
            for (int64_t i = 0; i < r; i++)
                perm1[i] = perm1[i + 1];
            perm1[r] = first;
            if (--count[r] > 0)
                break;
            r++;
        }
        even = !even;
    }
}

int main(int argc, char **argv)
{
    int64_t n = argc > 1 ? atoll(argv[1]) : 10;
    if (n < 1 || n > MAX)
        return 2;
    int64_t max_flips;
    int64_t checksum = fannkuch(n, &max_flips);
    printf("%" PRId64 "\n%" PRId64 "\n", checksum, max_flips);
    return 0;
}
