// Product of two square float matrices, each in one flat array.
package main

import (
	"fmt"
	"os"
	"strconv"
)

func fill(n, shift int) []float64 {
	m := make([]float64, n*n)
	for i := range m {
		m[i] = float64((i*7+shift)%11) - 5.0
	}
	return m
}

func matmul(n int, a, b []float64) []float64 {
	c := make([]float64, n*n)
	for i := 0; i < n; i++ {
		for j := 0; j < n; j++ {
			sum := 0.0
			for k := 0; k < n; k++ {
				sum += a[i*n+k] * b[k*n+j]
			}
			c[i*n+j] = sum
		}
	}
	return c
}

func check(n int, c []float64) float64 {
	total := 0.0
	for i := 0; i < n*n; i++ {
		total += c[i] * float64(i%5)
	}
	return total
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
	n := size(400)
	fmt.Printf("%.1f\n", check(n, matmul(n, fill(n, 1), fill(n, 4))))
}
