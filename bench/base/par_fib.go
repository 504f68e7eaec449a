// Fork and join on a pool with a worker for each core: the upper part of the recursion makes jobs of
// its leaves, and the join adds up their futures.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
)

const leaf = 26

type job struct {
	n   int
	out chan int
}

func fib(n int) int {
	if n < 2 {
		return n
	}
	return fib(n-1) + fib(n-2)
}

func fork(pool chan job, n int, leaves *[]chan int) {
	if n <= leaf {
		out := make(chan int, 1)
		*leaves = append(*leaves, out)
		pool <- job{n, out}
		return
	}
	fork(pool, n-1, leaves)
	fork(pool, n-2, leaves)
}

func join(leaves []chan int) int {
	sum := 0
	for _, out := range leaves {
		sum += <-out
	}
	return sum
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
	pool := make(chan job, 1024)
	for i := 0; i < runtime.GOMAXPROCS(0); i++ {
		go func() {
			for j := range pool {
				j.out <- fib(j.n)
			}
		}()
	}
	leaves := []chan int{}
	fork(pool, size(43), &leaves)
	fmt.Println(join(leaves))
}
