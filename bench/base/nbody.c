/* SPDX-License-Identifier: MIT
 * nbody.c - five bodies under gravity: floats in struct fields, read and written in a hot loop.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define PI 3.141592653589793
#define SOLAR_MASS (4.0 * PI * PI)
#define YEAR 365.24
#define COUNT 5

struct body {
    double x, y, z, vx, vy, vz, mass;
};

/* Speeds are per day and masses in suns; fill() scales them to years and to the unit of G = 1. */
static struct body bodies[COUNT] = {
    {0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0},
    {4.84143144246472090, -1.16032004402742839, -0.103622044471123109, 0.00166007664274403694,
     0.00769901118419740425, -0.0000690460016972063023, 0.000954791938424326609},
    {8.34336671824457987, 4.12479856412430479, -0.403523417114321381, -0.00276742510726411816,
     0.00499852801234917238, 0.0000230417297573763929, 0.000285885980666130812},
    {12.8943695621391310, -15.1111514016986312, -0.223307578892655734, 0.00296460137564761618,
     0.00237847173959480950, -0.0000296589568540237556, 0.0000436624404335156298},
    {15.3796971148509165, -25.9193146099879641, 0.179258772950371181, 0.00268067772490389322,
     0.00162824170038242295, -0.0000951592254519715870, 0.0000515138902046611451},
};

static void fill(void)
{
    for (int i = 0; i < COUNT; i++) {
        bodies[i].vx *= YEAR;
        bodies[i].vy *= YEAR;
        bodies[i].vz *= YEAR;
        bodies[i].mass *= SOLAR_MASS;
    }
}

static void offset_momentum(void)
{
    double px = 0.0, py = 0.0, pz = 0.0;
    for (int i = 0; i < COUNT; i++) {
        px += bodies[i].vx * bodies[i].mass;
        py += bodies[i].vy * bodies[i].mass;
        pz += bodies[i].vz * bodies[i].mass;
    }
    bodies[0].vx = -px / SOLAR_MASS;
    bodies[0].vy = -py / SOLAR_MASS;
    bodies[0].vz = -pz / SOLAR_MASS;
}

static double energy(void)
{
    double e = 0.0;
    for (int i = 0; i < COUNT; i++) {
        struct body *a = &bodies[i];
        e += 0.5 * a->mass * (a->vx * a->vx + a->vy * a->vy + a->vz * a->vz);
        for (int j = i + 1; j < COUNT; j++) {
            struct body *b = &bodies[j];
            double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
            e -= a->mass * b->mass / sqrt(dx * dx + dy * dy + dz * dz);
        }
    }
    return e;
}

static void advance(double dt)
{
    for (int i = 0; i < COUNT; i++) {
        struct body *a = &bodies[i];
        double am = a->mass;
        for (int j = i + 1; j < COUNT; j++) {
            struct body *b = &bodies[j];
            double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
            double d2 = dx * dx + dy * dy + dz * dz;
            double mag = dt / (d2 * sqrt(d2));
            double bm = b->mass * mag;
            a->vx -= dx * bm;
            a->vy -= dy * bm;
            a->vz -= dz * bm;
            double m = am * mag;
            b->vx += dx * m;
            b->vy += dy * m;
            b->vz += dz * m;
        }
        a->x += dt * a->vx;
        a->y += dt * a->vy;
        a->z += dt * a->vz;
    }
}

int main(int argc, char **argv)
{
    int64_t steps = argc > 1 ? atoll(argv[1]) : 750000;
    fill();
    offset_momentum();
    printf("%.9f\n", energy());
    for (int64_t step = 0; step < steps; step++)
        advance(0.01);
    printf("%.9f\n", energy());
    return 0;
}
