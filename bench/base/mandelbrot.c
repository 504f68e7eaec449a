/* SPDX-License-Identifier: MIT
 * mandelbrot.c - nested loops over floats: iterations of z = z*z + c over a picture.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t mandel(int64_t w, int64_t h, int64_t limit)
{
    int64_t total = 0;
    for (int64_t y = 0; y < h; y++) {
        double ci = 2.0 * (double)y / (double)h - 1.0;
        for (int64_t x = 0; x < w; x++) {
            double cr = 3.0 * (double)x / (double)w - 2.0;
            double zr = 0.0, zi = 0.0;
            int64_t n = 0;
            while (n < limit && zr * zr + zi * zi <= 4.0) {
                double t = zr * zr - zi * zi + cr;
                zi = 2.0 * zr * zi + ci;
                zr = t;
                n++;
            }
            total += n;
        }
    }
    return total;
}

int main(int argc, char **argv)
{
    int64_t h = argc > 1 ? atoll(argv[1]) : 600;
    printf("%" PRId64 "\n", mandel(h * 3 / 2, h, 300));
    return 0;
}
