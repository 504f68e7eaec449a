// The loop that a beginner writes: no function, all variables at top level.
var end = Number(process.argv[2] ?? 25000000);
var s = 0;
var i = 0;
while (i < end) {
    if (i % 3 === 0 || i % 5 === 0)
        s += i;
    i += 1;
}
console.log(s);
