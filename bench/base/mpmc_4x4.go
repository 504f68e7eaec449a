// Four producers and four consumers on one channel with a buffer of 128.
package main

import (
	"fmt"
	"sync"
)

const perTask = 2000000

var ch = make(chan int, 128)
var senders sync.WaitGroup

func produce(from int) {
	for i := from; i < from+perTask; i++ {
		ch <- i
	}
	senders.Done()
}

func consume(out chan int) {
	sum := 0
	for v := range ch {
		sum += v
	}
	out <- sum
}

func main() {
	senders.Add(4)
	sums := make(chan int, 4)
	for t := 0; t < 4; t++ {
		go produce(t * perTask)
		go consume(sums)
	}
	senders.Wait()
	close(ch)
	total := 0
	for t := 0; t < 4; t++ {
		total += <-sums
	}
	fmt.Println(total)
}
