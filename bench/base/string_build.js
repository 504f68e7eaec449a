// One long string grown piece by piece, then read byte by byte with a stride.
'use strict';
function build(n) {
    let s = '';
    for (let i = 0; i < n; i++) {
        s += String(i);
        s += ',';
    }
    return s;
}

function checksum(s) {
    let h = 0;
    for (let i = 0; i < s.length; i += 3)
        h = (h * 31 + s.charCodeAt(i)) % 1000000007;
    return h;
}

const s = build(Number(process.argv[2] ?? 2000000));
console.log(s.length);
console.log(checksum(s));
