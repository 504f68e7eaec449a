/* SPDX-License-Identifier: MIT
 * top_loop.c - the loop that a beginner writes, all variables global.
 */
#include <inttypes.h>
#include <stdio.h>

int64_t s, i;

int main(void)
{
    while (i < 25000000) {
        if (i % 3 == 0 || i % 5 == 0)
            s += i;
        i++;
    }
    printf("%" PRId64 "\n", s);
    return 0;
}
