// Jobs that only compute, on a pool with a worker for each core.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
)

func fib(n int) int {
	if n < 2 {
		return n
	}
	return fib(n-1) + fib(n-2)
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
	smallest := size(27)
	const jobs = 64
	queue := make(chan int, jobs)
	results := make([]int, jobs)
	var wg sync.WaitGroup
	for w := 0; w < runtime.GOMAXPROCS(0); w++ {
		wg.Add(1)
		go func() {
			for i := range queue {
				results[i] = fib(smallest + i%5)
			}
			wg.Done()
		}()
	}
	for i := 0; i < jobs; i++ {
		queue <- i
	}
	close(queue)
	wg.Wait()
	sum := 0
	for _, v := range results {
		sum += v
	}
	fmt.Println(sum)
}
