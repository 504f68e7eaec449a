// A tree of goroutines: each has ten children, a million leaves send their number up, sums come
// back.
package main

import "fmt"

func node(up chan int, number, size int) {
	if size == 1 {
		up <- number
		return
	}
	down := make(chan int)
	part := size / 10
	for i := 0; i < 10; i++ {
		go node(down, number+i*part, part)
	}
	sum := 0
	for i := 0; i < 10; i++ {
		sum += <-down
	}
	up <- sum
}

func main() {
	top := make(chan int)
	go node(top, 0, 1000000)
	fmt.Println(<-top)
}
