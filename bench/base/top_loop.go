// The loop that a beginner writes, all variables global.
package main

import "fmt"

var s int64
var i int64

func main() {
	for i < 25000000 {
		if i%3 == 0 || i%5 == 0 {
			s += i
		}
		i++
	}
	fmt.Println(s)
}
