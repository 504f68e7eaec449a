/* SPDX-License-Identifier: MIT
 * sieve.c - sieve of Eratosthenes, four times over: an array of bools written with a stride.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t sieve(int64_t n)
{
    bool *prime = malloc((size_t)n + 1);
    if (!prime)
        exit(1);
    memset(prime, true, (size_t)n + 1);
    for (int64_t i = 2; i * i <= n; i++) {
        if (prime[i]) {
            for (int64_t j = i * i; j <= n; j += i)
                prime[j] = false;
        }
    }
    int64_t count = 0;
    for (int64_t k = 2; k <= n; k++) {
        if (prime[k])
            count++;
    }
    free(prime);
    return count;
}

int main(int argc, char **argv)
{
    int64_t rounds = argc > 1 ? atoll(argv[1]) : 4;
    int64_t total = 0;
    for (int64_t round = 0; round < rounds; round++)
        total += sieve(5000000 + round);
    printf("%" PRId64 "\n", total);
    return 0;
}
