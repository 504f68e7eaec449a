// Closures: captured variables that are written, functions made of functions, short-lived closures.
'use strict';
function counter(step) {
    let n = 0;
    return () => {
        n += step;
        return n;
    };
}

function compose(f, g) {
    return (x) => f(g(x));
}

function adder(k) {
    return (x) => x + k;
}

function run(n) {
    const a = counter(1), b = counter(3);
    let s = 0;
    for (let i = 0; i < n; i++)
        s += a() + b();
    console.log(s);

    const h = compose((x) => x % 1000003, (x) => x * 7 + 1);
    let x = 1;
    for (let i = 0; i < n; i++)
        x = h(x);
    console.log(x);

    let t = 0;
    for (let i = 0; i < n; i++)
        t += adder(i)(1);
    console.log(t);
}

run(Number(process.argv[2] ?? 8000000));
