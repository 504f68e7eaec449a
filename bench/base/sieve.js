// Sieve of Eratosthenes, four times over: an array of bools written with a stride.
'use strict';
function sieve(n) {
    const prime = new Uint8Array(n + 1).fill(1);
    for (let i = 2; i * i <= n; i++) {
        if (prime[i]) {
            for (let j = i * i; j <= n; j += i)
                prime[j] = 0;
        }
    }
    let count = 0;
    for (let k = 2; k <= n; k++) {
        if (prime[k])
            count++;
    }
    return count;
}

const rounds = Number(process.argv[2] ?? 4);
let total = 0;
for (let round = 0; round < rounds; round++)
    total += sieve(5000000 + round);
console.log(total);
