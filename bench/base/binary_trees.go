// Many short-lived trees of small structs: allocation and collection.
package main

import (
	"fmt"
	"os"
	"strconv"
)

type node struct{ left, right *node }

func tree(depth int) *node {
	if depth == 0 {
		return &node{}
	}
	return &node{tree(depth - 1), tree(depth - 1)}
}

func count(t *node) int {
	if t.left == nil {
		return 1
	}
	return 1 + count(t.left) + count(t.right)
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
	maxDepth := size(16)
	fmt.Println("stretch tree of depth", maxDepth+1, "has", count(tree(maxDepth+1)), "nodes")
	kept := tree(maxDepth)
	for depth := 4; depth <= maxDepth; depth += 4 {
		rounds := 1 << (maxDepth - depth + 4)
		total := 0
		for i := 0; i < rounds; i++ {
			total += count(tree(depth))
		}
		fmt.Println(rounds, "trees of depth", depth, "have", total, "nodes")
	}
	fmt.Println("kept tree of depth", maxDepth, "has", count(kept), "nodes")
}
