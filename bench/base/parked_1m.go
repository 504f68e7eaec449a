// A million goroutines that are all blocked in a receive at the same time; the peak of memory is
// the result.
package main

import (
	"fmt"
	"sync"
)

const n = 1000000

var gate = make(chan int)
var ready, woken sync.WaitGroup

func task() {
	ready.Done()
	<-gate
	woken.Done()
}

func main() {
	ready.Add(n)
	woken.Add(n)
	for i := 0; i < n; i++ {
		go task()
	}
	ready.Wait()
	fmt.Println(n, "parked")
	close(gate)
	woken.Wait()
	fmt.Println(n, "woken")
}
