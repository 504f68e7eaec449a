// Largest singular value of an infinite matrix by power iteration: a small function of ints called
// in a double loop over float arrays.
'use strict';
function a(i, j) {
    const ij = i + j;
    return 1.0 / (ij * (ij + 1) / 2 + i + 1);
}

function mulAv(n, v, out) {
    for (let i = 0; i < n; i++) {
        let sum = 0.0;
        for (let j = 0; j < n; j++)
            sum += a(i, j) * v[j];
        out[i] = sum;
    }
}

function mulAtv(n, v, out) {
    for (let i = 0; i < n; i++) {
        let sum = 0.0;
        for (let j = 0; j < n; j++)
            sum += a(j, i) * v[j];
        out[i] = sum;
    }
}

function norm(n) {
    const u = new Float64Array(n).fill(1.0);
    const v = new Float64Array(n);
    const t = new Float64Array(n);
    for (let step = 0; step < 10; step++) {
        mulAv(n, u, t);
        mulAtv(n, t, v);
        mulAv(n, v, t);
        mulAtv(n, t, u);
    }
    let vbv = 0.0, vv = 0.0;
    for (let i = 0; i < n; i++) {
        vbv += u[i] * v[i];
        vv += v[i] * v[i];
    }
    return Math.sqrt(vbv / vv);
}

console.log(norm(Number(process.argv[2] ?? 1000)).toFixed(9));
