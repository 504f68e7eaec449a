// A map with string keys that are made at run time: count, look up, remove.
'use strict';
function run(n, words) {
    const counts = new Map();
    let x = 42;
    for (let i = 0; i < n; i++) {
        x = x * 16807 % 2147483647;
        const key = 'key' + x % words;
        counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    let removed = 0;
    for (let i = 0; i < words; i += 3) {
        if (counts.delete('key' + i))
            removed++;
    }
    let sum = 0;
    for (let i = 0; i < words; i++)
        sum += (counts.get('key' + i) ?? 0) * (i % 7);
    console.log(removed);
    console.log(sum);
}

run(Number(process.argv[2] ?? 3000000), 50000);
