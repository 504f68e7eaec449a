// Product of two square float matrices on all cores: a pool with a worker for each, and a job for each
// of 40 bands of rows. Every job gives back its band.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
)

const bands = 40

func fill(n, shift int) []float64 {
	m := make([]float64, n*n)
	for i := range m {
		m[i] = float64((i*7+shift)%11) - 5.0
	}
	return m
}

func band(n int, a, b []float64, lo, hi int) []float64 {
	c := make([]float64, (hi-lo)*n)
	for i := lo; i < hi; i++ {
		for j := 0; j < n; j++ {
			sum := 0.0
			for k := 0; k < n; k++ {
				sum += a[i*n+k] * b[k*n+j]
			}
			c[(i-lo)*n+j] = sum
		}
	}
	return c
}

func matmul(n int, a, b []float64) []float64 {
	queue := make(chan int, bands)
	results := make([][]float64, bands)
	var wg sync.WaitGroup
	for i := 0; i < runtime.GOMAXPROCS(0); i++ {
		wg.Add(1)
		go func() {
			for t := range queue {
				results[t] = band(n, a, b, n*t/bands, n*(t+1)/bands)
			}
			wg.Done()
		}()
	}
	for t := 0; t < bands; t++ {
		queue <- t
	}
	close(queue)
	wg.Wait()
	c := []float64{}
	for _, rows := range results {
		c = append(c, rows...)
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
	n := size(1000)
	fmt.Printf("%.1f\n", check(n, matmul(n, fill(n, 1), fill(n, 4))))
}
