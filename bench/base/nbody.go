// Five bodies under gravity: floats in struct fields, read and written in a hot loop.
package main

import (
	"fmt"
	"math"
	"os"
	"strconv"
)

const pi = 3.141592653589793
const solarMass = 4.0 * pi * pi
const year = 365.24

type body struct {
	x, y, z, vx, vy, vz, mass float64
}

func newBody(x, y, z, vx, vy, vz, mass float64) *body {
	return &body{x, y, z, vx * year, vy * year, vz * year, mass * solarMass}
}

func system() []*body {
	return []*body{
		newBody(0, 0, 0, 0, 0, 0, 1),
		newBody(4.84143144246472090, -1.16032004402742839, -0.103622044471123109,
			0.00166007664274403694, 0.00769901118419740425, -0.0000690460016972063023,
			0.000954791938424326609),
		newBody(8.34336671824457987, 4.12479856412430479, -0.403523417114321381,
			-0.00276742510726411816, 0.00499852801234917238, 0.0000230417297573763929,
			0.000285885980666130812),
		newBody(12.8943695621391310, -15.1111514016986312, -0.223307578892655734,
			0.00296460137564761618, 0.00237847173959480950, -0.0000296589568540237556,
			0.0000436624404335156298),
		newBody(15.3796971148509165, -25.9193146099879641, 0.179258772950371181,
			0.00268067772490389322, 0.00162824170038242295, -0.0000951592254519715870,
			0.0000515138902046611451),
	}
}

func offsetMomentum(bodies []*body) {
	var px, py, pz float64
	for _, b := range bodies {
		px += b.vx * b.mass
		py += b.vy * b.mass
		pz += b.vz * b.mass
	}
	sun := bodies[0]
	sun.vx = -px / solarMass
	sun.vy = -py / solarMass
	sun.vz = -pz / solarMass
}

func energy(bodies []*body) float64 {
	e := 0.0
	for i, a := range bodies {
		e += 0.5 * a.mass * (a.vx*a.vx + a.vy*a.vy + a.vz*a.vz)
		for j := i + 1; j < len(bodies); j++ {
			b := bodies[j]
			dx, dy, dz := a.x-b.x, a.y-b.y, a.z-b.z
			e -= a.mass * b.mass / math.Sqrt(dx*dx+dy*dy+dz*dz)
		}
	}
	return e
}

func advance(bodies []*body, n int, dt float64) {
	for i := 0; i < n; i++ {
		a := bodies[i]
		am := a.mass
		for j := i + 1; j < n; j++ {
			b := bodies[j]
			dx, dy, dz := a.x-b.x, a.y-b.y, a.z-b.z
			d2 := dx*dx + dy*dy + dz*dz
			mag := dt / (d2 * math.Sqrt(d2))
			bm := b.mass * mag
			a.vx -= dx * bm
			a.vy -= dy * bm
			a.vz -= dz * bm
			m := am * mag
			b.vx += dx * m
			b.vy += dy * m
			b.vz += dz * m
		}
		a.x += dt * a.vx
		a.y += dt * a.vy
		a.z += dt * a.vz
	}
}

// size is the first argument, or what it usually is.
func size(usual int) int {
	if len(os.Args) < 2 {
		return usual
	}
	n, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	return n
}

func main() {
	steps := size(750000)
	bodies := system()
	offsetMomentum(bodies)
	fmt.Printf("%.9f\n", energy(bodies))
	for step := 0; step < steps; step++ {
		advance(bodies, len(bodies), 0.01)
	}
	fmt.Printf("%.9f\n", energy(bodies))
}
