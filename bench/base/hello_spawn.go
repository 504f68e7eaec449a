// Hello from a goroutine.
package main

import (
	"fmt"
	"sync"
)

func main() {
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		fmt.Println("hello, world")
		wg.Done()
	}()
	wg.Wait()
}
