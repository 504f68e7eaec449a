/* SPDX-License-Identifier: MIT
 * nqueens.c - all ways to place queens on a board: recursion over three arrays of bools.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#define N 13

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

int main(void)
{
    static bool cols[N], up[2 * N], down[2 * N];
    printf("%" PRId64 "\n", place(N, 0, cols, up, down));
    return 0;
}
