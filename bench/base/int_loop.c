/* SPDX-License-Identifier: MIT
 * int_loop.c - one counted loop over ints, with a remainder that no closed form replaces.
 */
#include <inttypes.h>
#include <stdio.h>

static int64_t run(int64_t n)
{
    int64_t s = 0;
    for (int64_t i = 0; i < n; i++)
        s += i % 7;
    return s;
}

int main(void)
{
    printf("%" PRId64 "\n", run(200000000));
    return 0;
}
