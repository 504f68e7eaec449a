// A million goroutines, spawned as fast as possible and joined through a WaitGroup.
package main

import (
	"fmt"
	"sync"
)

const n = 1000000

var wg sync.WaitGroup

func task() {
	wg.Done()
}

func main() {
	wg.Add(n)
	for i := 0; i < n; i++ {
		go task()
	}
	wg.Wait()
	fmt.Println(n, "joined")
}
