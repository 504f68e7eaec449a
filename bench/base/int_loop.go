// One counted loop over ints, with a remainder that no closed form replaces.
package main

import (
	"fmt"
	"os"
	"strconv"
)

func run(n int64) int64 {
	s := int64(0)
	for i := int64(0); i < n; i++ {
		s += i % 7
	}
	return s
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
	fmt.Println(run(int64(size(200000000))))
}
