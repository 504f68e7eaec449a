// A hundred thousand goroutines sleep for up to 100 ms each; what counts is the processor time.
package main

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

func main() {
	const n = 100000
	var wg sync.WaitGroup
	var sum int64
	wg.Add(n)
	for i := 0; i < n; i++ {
		go func(ms int64) {
			time.Sleep(time.Duration(ms) * time.Millisecond)
			atomic.AddInt64(&sum, ms)
			wg.Done()
		}(int64(1 + i%100))
	}
	wg.Wait()
	fmt.Println(sum)
}
