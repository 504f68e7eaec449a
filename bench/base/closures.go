// Closures: captured variables that are written, functions made of functions, short-lived closures.
package main

import (
	"fmt"
	"os"
	"strconv"
)

func counter(step int) func() int {
	n := 0
	return func() int {
		n += step
		return n
	}
}

func compose(f, g func(int) int) func(int) int {
	return func(x int) int { return f(g(x)) }
}

func adder(k int) func(int) int {
	return func(x int) int { return x + k }
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
	n := size(8000000)
	a, b := counter(1), counter(3)
	s := 0
	for i := 0; i < n; i++ {
		s += a() + b()
	}
	fmt.Println(s)

	h := compose(func(x int) int { return x % 1000003 }, func(x int) int { return x*7 + 1 })
	x := 1
	for i := 0; i < n; i++ {
		x = h(x)
	}
	fmt.Println(x)

	t := 0
	for i := 0; i < n; i++ {
		t += adder(i)(1)
	}
	fmt.Println(t)
}
