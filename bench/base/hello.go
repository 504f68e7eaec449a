// The smallest program, for the time from start to exit.
package main

import "fmt"

func main() {
	fmt.Println("hello, world")
}
