// One goroutine selects over four channels that are filled by a goroutine each.
package main

import "fmt"

const perTask = 250000

func produce(ch chan int, t int) {
	for i := 0; i < perTask; i++ {
		ch <- t + i
	}
}

func main() {
	var c [4]chan int
	for t := range c {
		c[t] = make(chan int, 16)
		go produce(c[t], t)
	}
	sum := 0
	for i := 0; i < 4*perTask; i++ {
		select {
		case v := <-c[0]:
			sum += v
		case v := <-c[1]:
			sum += v
		case v := <-c[2]:
			sum += v
		case v := <-c[3]:
			sum += v
		}
	}
	fmt.Println(sum)
}
