// A thousand goroutines read one map of a hundred thousand keys, which Go lets them share.
package main

import (
	"fmt"
	"strconv"
)

func main() {
	table := make(map[string]int)
	for i := 0; i < 100000; i++ {
		table["key"+strconv.Itoa(i)] = i
	}
	out := make(chan int, 1000)
	for i := 0; i < 1000; i++ {
		go func(i int) { out <- table["key"+strconv.Itoa(i*7)] }(i)
	}
	sum := 0
	for i := 0; i < 1000; i++ {
		sum += <-out
	}
	fmt.Println(sum)
}
