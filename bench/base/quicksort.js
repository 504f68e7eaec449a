// Quicksort written by hand on an array of pseudo-random ints.
'use strict';
function sort(a, lo, hi) {
    while (lo < hi) {
        const pivot = a[Math.floor((lo + hi) / 2)];
        let i = lo, j = hi;
        while (i <= j) {
            while (a[i] < pivot)
                i++;
            while (a[j] > pivot)
                j--;
            if (i <= j) {
                const t = a[i];
                a[i] = a[j];
                a[j] = t;
                i++;
                j--;
            }
        }
        if (j - lo < hi - i) {
            sort(a, lo, j);
            lo = i;
        } else {
            sort(a, i, hi);
            hi = j;
        }
    }
}

function run(n) {
    const a = new Array(n).fill(0);
    let x = 42;
    for (let i = 0; i < n; i++) {
        x = x * 16807 % 2147483647;
        a[i] = x;
    }
    sort(a, 0, n - 1);
    let h = 0;
    for (let i = 0; i < n; i++) {
        if (i > 0 && a[i - 1] > a[i]) {
            console.log('not sorted at', i);
            return;
        }
        h = (h * 31 + a[i]) % 1000000007;
    }
    console.log(h);
}

run(Number(process.argv[2] ?? 2000000));
