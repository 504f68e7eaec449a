// A worker for each core ranges over a channel of ten thousand jobs of some 50 microseconds.
package main

import (
	"fmt"
	"runtime"
	"sync"
)

const jobs = 10000

func fib(n int) int {
	if n < 2 {
		return n
	}
	return fib(n-1) + fib(n-2)
}

func main() {
	queue := make(chan int, jobs)
	results := make([]int, jobs)
	var workers sync.WaitGroup
	for w := 0; w < runtime.GOMAXPROCS(0); w++ {
		workers.Add(1)
		go func() {
			for i := range queue {
				results[i] = fib(20)
			}
			workers.Done()
		}()
	}
	for i := 0; i < jobs; i++ {
		queue <- i
	}
	close(queue)
	workers.Wait()
	sum := 0
	for _, r := range results {
		sum += r
	}
	fmt.Println(sum)
}
