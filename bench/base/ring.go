// A thousand goroutines in a ring pass one number on, each taking one away from it, until it is
// nothing.
package main

import "fmt"

const tasks = 1000
const hops = 4000000

func node(id int, src, dst, done chan int) {
	for v := range src {
		if v == 0 {
			done <- id
		} else {
			dst <- v - 1
		}
	}
}

func main() {
	links := []chan int{}
	for i := 0; i < tasks; i++ {
		links = append(links, make(chan int))
	}
	done := make(chan int)
	for i := 0; i < tasks; i++ {
		go node(i, links[i], links[(i+1)%tasks], done)
	}
	links[0] <- hops + 123
	fmt.Println("ended at", <-done)
	for _, ch := range links {
		close(ch)
	}
}
