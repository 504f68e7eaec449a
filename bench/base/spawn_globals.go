// Spawn and join of goroutines. Goroutines share the globals, so their number makes no difference.
package main

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const n = 500000

var bonus = 3
var wg sync.WaitGroup
var total int64

func task(i int) {
	atomic.AddInt64(&total, int64(i+bonus))
	wg.Done()
}

func main() {
	start := time.Now()
	wg.Add(n)
	for i := 0; i < n; i++ {
		go task(i)
	}
	wg.Wait()
	fmt.Println("# loop", time.Since(start).Milliseconds(), "ms")
	fmt.Println(atomic.LoadInt64(&total))
}
