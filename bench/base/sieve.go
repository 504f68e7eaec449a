// Sieve of Eratosthenes, four times over: an array of bools written with a stride.
package main

import (
	"fmt"
	"os"
	"strconv"
)

func sieve(n int) int {
	prime := make([]bool, n+1)
	for k := range prime {
		prime[k] = true
	}
	for i := 2; i*i <= n; i++ {
		if prime[i] {
			for j := i * i; j <= n; j += i {
				prime[j] = false
			}
		}
	}
	count := 0
	for k := 2; k <= n; k++ {
		if prime[k] {
			count++
		}
	}
	return count
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
	rounds := size(4)
	total := 0
	for round := 0; round < rounds; round++ {
		total += sieve(5000000 + round)
	}
	fmt.Println(total)
}
