// One counted loop over ints, with a remainder that no closed form replaces.
'use strict';
function run(n) {
    let s = 0;
    for (let i = 0; i < n; i++)
        s += i % 7;
    return s;
}

console.log(run(Number(process.argv[2] ?? 200000000)));
