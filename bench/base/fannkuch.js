// Pancake flips over all permutations of ten: short int arrays, copied and reversed in place.
'use strict';
function fannkuch(n) {
    const perm1 = new Array(n).fill(0);
    const perm = new Array(n).fill(0);
    const count = new Array(n).fill(0);
    for (let i = 0; i < n; i++)
        perm1[i] = i;
    let maxFlips = 0, checksum = 0, even = true, r = n;
    for (;;) {
        while (r !== 1) {
            count[r - 1] = r;
            r--;
        }
        for (let i = 0; i < n; i++)
            perm[i] = perm1[i];
        let flips = 0;
        let k = perm[0];
        while (k !== 0) {
            for (let i = 0, j = k; i < j; i++, j--) {
                const t = perm[i];
                perm[i] = perm[j];
                perm[j] = t;
            }
            flips++;
            k = perm[0];
        }
        if (flips > maxFlips)
            maxFlips = flips;
        checksum += even ? flips : -flips;
        for (;;) {
            if (r === n)
                return [checksum, maxFlips];
            const first = perm1[0];
            for (let i = 0; i < r; i++)
                perm1[i] = perm1[i + 1];
            perm1[r] = first;
            count[r]--;
            if (count[r] > 0)
                break;
            r++;
        }
        even = !even;
    }
}

const [checksum, maxFlips] = fannkuch(Number(process.argv[2] ?? 10));
console.log(checksum);
console.log(maxFlips);
