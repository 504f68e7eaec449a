// Nested loops over floats: iterations of z = z*z + c over a picture.
'use strict';
function mandel(w, h, limit) {
    let total = 0;
    for (let y = 0; y < h; y++) {
        const ci = 2.0 * y / h - 1.0;
        for (let x = 0; x < w; x++) {
            const cr = 3.0 * x / w - 2.0;
            let zr = 0.0, zi = 0.0, n = 0;
            while (n < limit && zr * zr + zi * zi <= 4.0) {
                const t = zr * zr - zi * zi + cr;
                zi = 2.0 * zr * zi + ci;
                zr = t;
                n++;
            }
            total += n;
        }
    }
    return total;
}

const h = Number(process.argv[2] ?? 600);
console.log(mandel(Math.floor(h * 1.5), h, 300));
