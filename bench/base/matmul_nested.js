// Product of two square float matrices, each an array of rows.
'use strict';
function fill(n, shift) {
    const rows = [];
    for (let i = 0; i < n; i++) {
        const row = new Float64Array(n);
        for (let j = 0; j < n; j++)
            row[j] = ((i * n + j) * 7 + shift) % 11 - 5.0;
        rows.push(row);
    }
    return rows;
}

function matmul(n, a, b) {
    const c = [];
    for (let i = 0; i < n; i++) {
        const ai = a[i];
        const row = new Float64Array(n);
        for (let j = 0; j < n; j++) {
            let sum = 0.0;
            for (let k = 0; k < n; k++)
                sum += ai[k] * b[k][j];
            row[j] = sum;
        }
        c.push(row);
    }
    return c;
}

function check(n, c) {
    let total = 0.0;
    for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++)
            total += c[i][j] * ((i * n + j) % 5);
    }
    return total;
}

const N = Number(process.argv[2] ?? 400);
console.log(check(N, matmul(N, fill(N, 1), fill(N, 4))).toFixed(1));
