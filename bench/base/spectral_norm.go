// Largest singular value of an infinite matrix by power iteration: a small function of ints called
// in a double loop over float arrays.
package main

import (
	"fmt"
	"math"
	"os"
	"strconv"
)

func a(i, j int) float64 {
	ij := i + j
	return 1.0 / float64(ij*(ij+1)/2+i+1)
}

func mulAv(n int, v, out []float64) {
	for i := 0; i < n; i++ {
		sum := 0.0
		for j := 0; j < n; j++ {
			sum += a(i, j) * v[j]
		}
		out[i] = sum
	}
}

func mulAtv(n int, v, out []float64) {
	for i := 0; i < n; i++ {
		sum := 0.0
		for j := 0; j < n; j++ {
			sum += a(j, i) * v[j]
		}
		out[i] = sum
	}
}

func norm(n int) float64 {
	u := make([]float64, n)
	v := make([]float64, n)
	t := make([]float64, n)
	for i := range u {
		u[i] = 1.0
	}
	for step := 0; step < 10; step++ {
		mulAv(n, u, t)
		mulAtv(n, t, v)
		mulAv(n, v, t)
		mulAtv(n, t, u)
	}
	vbv, vv := 0.0, 0.0
	for i := 0; i < n; i++ {
		vbv += u[i] * v[i]
		vv += v[i] * v[i]
	}
	return math.Sqrt(vbv / vv)
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
	fmt.Printf("%.9f\n", norm(size(1000)))
}
