// One counted loop over ints, with a remainder that no closed form replaces.
package main

import "fmt"

func run(n int64) int64 {
	s := int64(0)
	for i := int64(0); i < n; i++ {
		s += i % 7
	}
	return s
}

func main() {
	fmt.Println(run(200000000))
}
