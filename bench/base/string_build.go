// One long string grown piece by piece, then read byte by byte with a stride.
package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

func build(n int) string {
	var b strings.Builder
	for i := 0; i < n; i++ {
		b.WriteString(strconv.Itoa(i))
		b.WriteString(",")
	}
	return b.String()
}

func checksum(s string) int {
	h := 0
	for i := 0; i < len(s); i += 3 {
		h = (h*31 + int(s[i])) % 1000000007
	}
	return h
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
	s := build(size(2000000))
	fmt.Println(len(s))
	fmt.Println(checksum(s))
}
