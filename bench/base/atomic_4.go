// Four goroutines add to one atomic.
package main

import (
	"fmt"
	"sync"
	"sync/atomic"
)

const perTask = 10000000

var counter int64
var wg sync.WaitGroup

func task() {
	for i := 0; i < perTask; i++ {
		atomic.AddInt64(&counter, 1)
	}
	wg.Done()
}

func main() {
	wg.Add(4)
	for t := 0; t < 4; t++ {
		go task()
	}
	wg.Wait()
	fmt.Println(atomic.LoadInt64(&counter))
}
