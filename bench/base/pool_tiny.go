// Two workers that range over a channel of a million ints and add one.
package main

import (
	"fmt"
	"sync"
)

const n = 1000000

func inc(i int) int { return i + 1 }

func main() {
	jobs := make(chan int, 128)
	results := make([]int, n)
	var workers sync.WaitGroup
	for w := 0; w < 2; w++ {
		workers.Add(1)
		go func() {
			for i := range jobs {
				results[i] = inc(i)
			}
			workers.Done()
		}()
	}
	for i := 0; i < n; i++ {
		jobs <- i
	}
	close(jobs)
	workers.Wait()
	sum := 0
	for _, r := range results {
		sum += r
	}
	fmt.Println(sum)
}
