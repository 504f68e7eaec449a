/* SPDX-License-Identifier: MIT
 * nqueens.c - all ways to place queens on a board: recursion over three arrays of bools.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX 24

static int64_t place(int64_t n, int64_t row, bool *cols, bool *up, bool *down)
{
    if (row == n)
        return 1;
    int64_t count = 0;
    for (int64_t c = 0; c < n; c++) {
        if (cols[c] || up[row + c] || down[row - c + n])
            continue;
        cols[c] = up[row + c] = down[row - c + n] = true;
        count += place(n, row + 1, cols, up, down);
        cols[c] = up[row + c] = down[row - c + n] = false;
    }
    return count;
}

int main(int argc, char **argv)
{
    int64_t n = argc > 1 ? atoll(argv[1]) : 13;
    static bool cols[MAX], up[2 * MAX], down[2 * MAX];
    if (n < 1 || n > MAX)
        return 2;
    printf("%" PRId64 "\n", place(n, 0, cols, up, down));
    return 0;
}
