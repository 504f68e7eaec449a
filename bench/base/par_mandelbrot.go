// The picture of mandelbrot on all cores: a pool with a worker for each, and a job for each row.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
)

func row(y, w, h, limit int64) int64 {
	total := int64(0)
	ci := 2.0*float64(y)/float64(h) - 1.0
	for x := int64(0); x < w; x++ {
		cr := 3.0*float64(x)/float64(w) - 2.0
		zr, zi := 0.0, 0.0
		n := int64(0)
		for n < limit && zr*zr+zi*zi <= 4.0 {
			t := zr*zr - zi*zi + cr
			zi = 2.0*zr*zi + ci
			zr = t
			n++
		}
		total += n
	}
	return total
}

func mandel(w, h, limit int64) int64 {
	queue := make(chan int64, h)
	results := make([]int64, h)
	var wg sync.WaitGroup
	for i := 0; i < runtime.GOMAXPROCS(0); i++ {
		wg.Add(1)
		go func() {
			for y := range queue {
				results[y] = row(y, w, h, limit)
			}
			wg.Done()
		}()
	}
	for y := int64(0); y < h; y++ {
		queue <- y
	}
	close(queue)
	wg.Wait()
	total := int64(0)
	for _, count := range results {
		total += count
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
	h := int64(size(2000))
	fmt.Println(mandel(h*3/2, h, 300))
}
