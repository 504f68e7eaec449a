// The loop that a beginner writes, all variables global.
package main

import (
	"fmt"
	"os"
	"strconv"
)

var s int64
var i int64
var end = int64(size(25000000))

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
	for i < end {
		if i%3 == 0 || i%5 == 0 {
			s += i
		}
		i++
	}
	fmt.Println(s)
}
