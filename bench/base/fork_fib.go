// Fork and join at its finest: every call of a small recursion is a goroutine of its own.
package main

import "fmt"

func run(n int) chan int {
	out := make(chan int, 1)
	go func() { out <- fib(n) }()
	return out
}

func fib(n int) int {
	if n < 2 {
		return n
	}
	a := run(n - 1)
	b := fib(n - 2)
	return <-a + b
}

func main() {
	fmt.Println(fib(27))
}
