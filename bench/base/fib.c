/* SPDX-License-Identifier: MIT
 * fib.c - plain double recursion: the cost of a call.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t fib(int64_t n)
{
    if (n < 2)
        return n;
    return fib(n - 1) + fib(n - 2);
}

int main(int argc, char **argv)
{
    int64_t n = argc > 1 ? atoll(argv[1]) : 37;
    printf("%" PRId64 "\n", fib(n));
    return 0;
}
