// Two goroutines and two rendezvous channels: the round trip of one message.
package main

import "fmt"

const rounds = 3000000

func echo(ping, pong chan int) {
	for v := range ping {
		pong <- v + 1
	}
	close(pong)
}

func main() {
	ping := make(chan int)
	pong := make(chan int)
	go echo(ping, pong)
	v := 0
	for i := 0; i < rounds; i++ {
		ping <- v
		v = <-pong
	}
	close(ping)
	fmt.Println(v)
}
