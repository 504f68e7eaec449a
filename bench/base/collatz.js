// The longest Collatz chain: a loop of unforeseeable length over ints, division and parity.
'use strict';
function longest(limit) {
    let best = 0, bestStart = 0;
    for (let start = 1; start < limit; start++) {
        let n = start, steps = 1;
        while (n !== 1) {
            if (n % 2 === 0)
                n = n / 2;
            else
                n = 3 * n + 1;
            steps++;
        }
        if (steps > best) {
            best = steps;
            bestStart = start;
        }
    }
    console.log(bestStart, best);
}

longest(Number(process.argv[2] ?? 1000000));
