// Four goroutines take one mutex in turn. It guards an atomic that is read and then written, as in
// the Langoost program.
package main

import (
	"fmt"
	"sync"
	"sync/atomic"
)

const perTask = 3000000

var counter int64
var lock sync.Mutex
var wg sync.WaitGroup

func task() {
	for i := 0; i < perTask; i++ {
		lock.Lock()
		atomic.StoreInt64(&counter, atomic.LoadInt64(&counter)+1)
		lock.Unlock()
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
