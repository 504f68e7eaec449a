// Methods: one hot type that writes its fields, and a site that sees three types in turn. Go has no
// inheritance, so weight() reaches area() through an interface value that it is given.
package main

import (
	"fmt"
	"os"
	"strconv"
)

type counter struct{ n, calls int }

func (c *counter) add(d int) int {
	c.n = (c.n + d) % 1000003
	c.calls++
	return c.n
}

type shape interface {
	area() int
	weight(k int) int
}

func weightOf(s shape, k int) int { return s.area() * k }

type square struct{ side int }

func (s *square) area() int        { return s.side * s.side }
func (s *square) weight(k int) int { return weightOf(s, k) }

type box struct{ w, h int }

func (b *box) area() int        { return b.w * b.h }
func (b *box) weight(k int) int { return weightOf(b, k) }

type strip struct{ box }

func (s *strip) area() int        { return s.box.area() + 1 }
func (s *strip) weight(k int) int { return weightOf(s, k) }

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
	n := size(10000000)
	c := &counter{n: 1}
	for i := 0; i < n; i++ {
		c.add(i)
	}
	fmt.Println(c.n)
	fmt.Println(c.calls)

	shapes := []shape{&square{3}, &box{2, 5}, &strip{box{7, 1}}, &box{1, 1}}
	total := 0
	for i := 0; i < n; i++ {
		total += shapes[i%4].weight(i % 3)
	}
	fmt.Println(total)
}
