/* SPDX-License-Identifier: MIT
 * collatz.c - the longest Collatz chain: a loop of unforeseeable length over ints, division and
 * parity.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    int64_t limit = argc > 1 ? atoll(argv[1]) : 1000000;
    int64_t best = 0, best_start = 0;
    for (int64_t start = 1; start < limit; start++) {
        int64_t n = start, steps = 1;
        while (n != 1) {
            if (n % 2 == 0)
                n = n / 2;
            else
                n = 3 * n + 1;
            steps++;
        }
        if (steps > best) {
            best = steps;
            best_start = start;
        }
    }
    printf("%" PRId64 " %" PRId64 "\n", best_start, best);
    return 0;
}
