// Primes by a chain of goroutines, one for each prime found, that filter out its multiples.
package main

import "fmt"

const limit = 30000

func generate(out chan int) {
	for i := 2; i < limit; i++ {
		out <- i
	}
	close(out)
}

func filter(src, out chan int, prime int) {
	for v := range src {
		if v%prime != 0 {
			out <- v
		}
	}
	close(out)
}

func main() {
	ch := make(chan int)
	go generate(ch)
	count, sum := 0, 0
	for {
		prime, ok := <-ch
		if !ok {
			break
		}
		count++
		sum += prime
		next := make(chan int)
		go filter(ch, next, prime)
		ch = next
	}
	fmt.Println(count, sum)
}
