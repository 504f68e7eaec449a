/* SPDX-License-Identifier: MIT
 * int_loop.c - one counted loop over ints, with a remainder that no closed form replaces.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t run(int64_t n)
{
    int64_t s = 0;
    for (int64_t i = 0; i < n; i++)
        s += i % 7;
    return s;
}

int main(int argc, char **argv)
{
    int64_t n = argc > 1 ? atoll(argv[1]) : 200000000;
    printf("%" PRId64 "\n", run(n));
    return 0;
}
