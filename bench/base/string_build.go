// One long string grown piece by piece, then read byte by byte with a stride.
package main

import (
	"fmt"
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

func main() {
	s := build(2000000)
	fmt.Println(len(s))
	fmt.Println(checksum(s))
}
