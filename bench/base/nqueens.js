// All ways to place queens on a board: recursion over three arrays of booleans.
'use strict';
function place(n, row, cols, up, down) {
    if (row === n)
        return 1;
    let count = 0;
    for (let c = 0; c < n; c++) {
        if (cols[c] || up[row + c] || down[row - c + n])
            continue;
        cols[c] = true;
        up[row + c] = true;
        down[row - c + n] = true;
        count += place(n, row + 1, cols, up, down);
        cols[c] = false;
        up[row + c] = false;
        down[row - c + n] = false;
    }
    return count;
}

function queens(n) {
    const falses = (k) => new Array(k).fill(false);
    return place(n, 0, falses(n), falses(2 * n), falses(2 * n));
}

console.log(queens(Number(process.argv[2] ?? 13)));
