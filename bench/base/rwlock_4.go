// Four tasks read under one lock, and nobody writes.
package main

import (
	"fmt"
	"sync"
	"sync/atomic"
)

const perTask = 1000000

func main() {
	var l sync.RWMutex
	var wg sync.WaitGroup
	var total int64
	wg.Add(4)
	for t := 0; t < 4; t++ {
		go func() {
			n := int64(0)
			for i := 0; i < perTask; i++ {
				l.RLock()
				n++
				l.RUnlock()
			}
			atomic.AddInt64(&total, n)
			wg.Done()
		}()
	}
	wg.Wait()
	fmt.Println(total)
}
