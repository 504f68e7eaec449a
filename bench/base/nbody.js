// Five bodies under gravity: floats in object fields, read and written in a hot loop.
'use strict';
const PI = 3.141592653589793;
const SOLAR_MASS = 4.0 * PI * PI;
const YEAR = 365.24;

function body(x, y, z, vx, vy, vz, mass) {
    return {
        x: x, y: y, z: z,
        vx: vx * YEAR, vy: vy * YEAR, vz: vz * YEAR,
        mass: mass * SOLAR_MASS
    };
}

function system() {
    return [
        body(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0),
        body(4.84143144246472090, -1.16032004402742839, -0.103622044471123109,
             0.00166007664274403694, 0.00769901118419740425, -0.0000690460016972063023,
             0.000954791938424326609),
        body(8.34336671824457987, 4.12479856412430479, -0.403523417114321381,
             -0.00276742510726411816, 0.00499852801234917238, 0.0000230417297573763929,
             0.000285885980666130812),
        body(12.8943695621391310, -15.1111514016986312, -0.223307578892655734,
             0.00296460137564761618, 0.00237847173959480950, -0.0000296589568540237556,
             0.0000436624404335156298),
        body(15.3796971148509165, -25.9193146099879641, 0.179258772950371181,
             0.00268067772490389322, 0.00162824170038242295, -0.0000951592254519715870,
             0.0000515138902046611451)
    ];
}

function offsetMomentum(bodies) {
    let px = 0.0, py = 0.0, pz = 0.0;
    for (const b of bodies) {
        px += b.vx * b.mass;
        py += b.vy * b.mass;
        pz += b.vz * b.mass;
    }
    const sun = bodies[0];
    sun.vx = -px / SOLAR_MASS;
    sun.vy = -py / SOLAR_MASS;
    sun.vz = -pz / SOLAR_MASS;
}

function energy(bodies) {
    let e = 0.0;
    const n = bodies.length;
    for (let i = 0; i < n; i++) {
        const a = bodies[i];
        e += 0.5 * a.mass * (a.vx * a.vx + a.vy * a.vy + a.vz * a.vz);
        for (let j = i + 1; j < n; j++) {
            const b = bodies[j];
            const dx = a.x - b.x, dy = a.y - b.y, dz = a.z - b.z;
            e -= a.mass * b.mass / Math.sqrt(dx * dx + dy * dy + dz * dz);
        }
    }
    return e;
}

function advance(bodies, n, dt) {
    for (let i = 0; i < n; i++) {
        const a = bodies[i];
        const am = a.mass;
        for (let j = i + 1; j < n; j++) {
            const b = bodies[j];
            const dx = a.x - b.x, dy = a.y - b.y, dz = a.z - b.z;
            const d2 = dx * dx + dy * dy + dz * dz;
            const mag = dt / (d2 * Math.sqrt(d2));
            const bm = b.mass * mag;
            a.vx -= dx * bm;
            a.vy -= dy * bm;
            a.vz -= dz * bm;
            const m = am * mag;
            b.vx += dx * m;
            b.vy += dy * m;
            b.vz += dz * m;
        }
        a.x += dt * a.vx;
        a.y += dt * a.vy;
        a.z += dt * a.vz;
    }
}

const steps = Number(process.argv[2] ?? 750000);
const bodies = system();
offsetMomentum(bodies);
console.log(energy(bodies).toFixed(9));
for (let step = 0; step < steps; step++)
    advance(bodies, bodies.length, 0.01);
console.log(energy(bodies).toFixed(9));
