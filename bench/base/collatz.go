// The longest Collatz chain: a loop of unforeseeable length over ints, division and parity.
package main

import (
	"fmt"
	"os"
	"strconv"
)

func longest(limit int) (int, int) {
	best, bestStart := 0, 0
	for start := 1; start < limit; start++ {
		n, steps := start, 1
		for n != 1 {
			if n%2 == 0 {
				n = n / 2
			} else {
				n = 3*n + 1
			}
			steps++
		}
		if steps > best {
			best, bestStart = steps, start
		}
	}
	return bestStart, best
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
	fmt.Println(longest(size(1000000)))
}
