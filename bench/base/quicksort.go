// Quicksort written by hand on an array of pseudo-random ints.
package main

import (
	"fmt"
	"os"
	"strconv"
)

func sort(a []int, lo, hi int) {
	for lo < hi {
		pivot := a[(lo+hi)/2]
		i, j := lo, hi
		for i <= j {
			for a[i] < pivot {
				i++
			}
			for a[j] > pivot {
				j--
			}
			if i <= j {
				a[i], a[j] = a[j], a[i]
				i++
				j--
			}
		}
		if j-lo < hi-i {
			sort(a, lo, j)
			lo = i
		} else {
			sort(a, i, hi)
			hi = j
		}
	}
}

func run(n int) {
	a := make([]int, n)
	x := 42
	for i := range a {
		x = x * 16807 % 2147483647
		a[i] = x
	}
	sort(a, 0, n-1)
	h := 0
	for i := range a {
		if i > 0 && a[i-1] > a[i] {
			fmt.Println("not sorted at", i)
			return
		}
		h = (h*31 + a[i]) % 1000000007
	}
	fmt.Println(h)
}

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
	run(size(2000000))
}
