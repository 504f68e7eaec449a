// All ways to place queens on a board: recursion over three slices of bools.
package main

import (
	"fmt"
	"os"
	"strconv"
)

func place(n, row int, cols, up, down []bool) int {
	if row == n {
		return 1
	}
	count := 0
	for c := 0; c < n; c++ {
		if cols[c] || up[row+c] || down[row-c+n] {
			continue
		}
		cols[c], up[row+c], down[row-c+n] = true, true, true
		count += place(n, row+1, cols, up, down)
		cols[c], up[row+c], down[row-c+n] = false, false, false
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
	n := size(13)
	fmt.Println(place(n, 0, make([]bool, n), make([]bool, 2*n), make([]bool, 2*n)))
}
