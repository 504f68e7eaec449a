// A map with string keys that are made at run time: count, look up, remove.
package main

import (
	"fmt"
	"os"
	"strconv"
)

func run(n, words int) {
	counts := map[string]int{}
	x := 42
	for i := 0; i < n; i++ {
		x = x * 16807 % 2147483647
		key := "key" + strconv.Itoa(x%words)
		counts[key] = counts[key] + 1
	}
	removed := 0
	for i := 0; i < words; i += 3 {
		key := "key" + strconv.Itoa(i)
		if _, ok := counts[key]; ok {
			delete(counts, key)
			removed++
		}
	}
	sum := 0
	for i := 0; i < words; i++ {
		sum += counts["key"+strconv.Itoa(i)] * (i % 7)
	}
	fmt.Println(removed)
	fmt.Println(sum)
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
	run(size(3000000), 50000)
}
