// A slice of a million ints goes to and fro between two goroutines; Go sends the reference.
package main

import "fmt"

func main() {
	data := make([]int, 1000000)
	for i := range data {
		data[i] = i
	}
	there, here := make(chan []int), make(chan []int)
	go func() {
		for a := range there {
			here <- a
		}
	}()
	for i := 0; i < 20000; i++ {
		there <- data
		data = <-here
	}
	close(there)
	sum := 0
	for _, v := range data {
		sum += v
	}
	fmt.Println(sum)
}
