// Four tasks read two keys of a map under a read-write lock, and nobody writes. What is read is copied.
package main

import (
	"fmt"
	"sync"
	"sync/atomic"
)

const perTask = 250000

type config struct {
	name    string
	retries int64
	ratio   float64
}

var lock sync.RWMutex
var store = map[string]any{}

func fetch(key string) any {
	lock.RLock()
	v := store[key]
	lock.RUnlock()
	if c, ok := v.(*config); ok {
		copied := *c
		return &copied
	}
	return v
}

func main() {
	store["limit"] = int64(7)
	store["config"] = &config{"bench", 3, 0.5}
	var wg sync.WaitGroup
	var total int64
	wg.Add(4)
	for t := 0; t < 4; t++ {
		go func() {
			n := int64(0)
			for i := 0; i < perTask; i++ {
				n += fetch("limit").(int64) + fetch("config").(*config).retries
			}
			atomic.AddInt64(&total, n)
			wg.Done()
		}()
	}
	wg.Wait()
	fmt.Println(total)
}
