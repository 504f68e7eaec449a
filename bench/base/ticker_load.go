// How late does a goroutine wake from a sleep of 1 ms while four times more endless loops than
// cores run?
package main

import (
	"fmt"
	"runtime"
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

const ticks = 1000

var stop int64
var wg sync.WaitGroup
var sink int64

func spin() {
	x := 1
	for atomic.LoadInt64(&stop) == 0 {
		for i := 0; i < 100000; i++ {
			x = (x*31 + i) % 1000003
		}
	}
	atomic.AddInt64(&sink, int64(x))
	wg.Done()
}

func main() {
	tasks := runtime.GOMAXPROCS(0) * 4
	wg.Add(tasks)
	for t := 0; t < tasks; t++ {
		go spin()
	}
	late := []int{}
	for i := 0; i < ticks; i++ {
		due := time.Now().Add(time.Millisecond)
		time.Sleep(time.Millisecond)
		late = append(late, int(time.Since(due).Microseconds()))
	}
	atomic.StoreInt64(&stop, 1)
	wg.Wait()
	sort.Ints(late)
	fmt.Println("# late_p50", late[ticks/2], "us")
	fmt.Println("# late_p99", late[ticks*99/100], "us")
	fmt.Println(ticks, "ticks")
}
