// Fork and join at its finest: every call of a small recursion is a goroutine of its own.
package main

import (
	"fmt"
	"os"
	"strconv"
)

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

// size is the first argument, or what it usually is.
func size(usual int) int {
	if len(os.Args) < 2 {
		return usual
	}
	n, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	return n
}

func main() {
	fmt.Println(fib(size(27)))
}
