// One producer, one consumer, a buffer of 128: the cost of an item that passes through.
package main

import "fmt"

const items = 15000000

func produce(ch chan int, n int) {
	for i := 0; i < n; i++ {
		ch <- i
	}
	close(ch)
}

func consume(ch chan int) int {
	sum := 0
	for v := range ch {
		sum += v
	}
	return sum
}

func main() {
	ch := make(chan int, 128)
	go produce(ch, items)
	fmt.Println(consume(ch))
}
