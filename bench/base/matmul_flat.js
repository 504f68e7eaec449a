// Product of two square float matrices, each in one flat array.
'use strict';
function fill(n, shift) {
    const m = new Float64Array(n * n);
    for (let i = 0; i < n * n; i++)
        m[i] = (i * 7 + shift) % 11 - 5.0;
    return m;
}

function matmul(n, a, b) {
    const c = new Float64Array(n * n);
    for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++) {
            let sum = 0.0;
            for (let k = 0; k < n; k++)
                sum += a[i * n + k] * b[k * n + j];
            c[i * n + j] = sum;
        }
    }
    return c;
}

function check(n, c) {
    let total = 0.0;
    for (let i = 0; i < n * n; i++)
        total += c[i] * (i % 5);
    return total;
}

const N = Number(process.argv[2] ?? 400);
console.log(check(N, matmul(N, fill(N, 1), fill(N, 4))).toFixed(1));
