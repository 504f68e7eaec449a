// A thousand goroutines read a part each of one slice of ten million floats.
package main

import "fmt"

const size = 10000000
const tasks = 1000

var data = make([]float64, size)

func part(t int) float64 {
	sum := 0.0
	from := t * (size / tasks)
	for i := from; i < from+size/tasks; i++ {
		sum += data[i]
	}
	return sum
}

func main() {
	for i := range data {
		data[i] = float64(i%1000) * 0.5
	}
	futures := []chan float64{}
	for t := 0; t < tasks; t++ {
		out := make(chan float64, 1)
		go func(t int) { out <- part(t) }(t)
		futures = append(futures, out)
	}
	total := 0.0
	for _, f := range futures {
		total += <-f
	}
	fmt.Printf("%.1f\n", total)
}
