/* SPDX-License-Identifier: MIT
 * top_loop.c - the loop that a beginner writes, all variables global.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

int64_t s, i, end;

int main(int argc, char **argv)
{
    end = argc > 1 ? atoll(argv[1]) : 25000000;
    while (i < end) {
        if (i % 3 == 0 || i % 5 == 0)
            s += i;
        i++;
    }
    printf("%" PRId64 "\n", s);
    return 0;
}
