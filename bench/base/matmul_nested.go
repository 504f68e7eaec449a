// Product of two square float matrices, each a slice of rows.
package main

import (
	"fmt"
	"os"
	"strconv"
)

func fill(n, shift int) [][]float64 {
	rows := [][]float64{}
	for i := 0; i < n; i++ {
		row := make([]float64, n)
		for j := range row {
			row[j] = float64(((i*n+j)*7+shift)%11) - 5.0
		}
		rows = append(rows, row)
	}
	return rows
}

func matmul(n int, a, b [][]float64) [][]float64 {
	c := [][]float64{}
	for i := 0; i < n; i++ {
		ai := a[i]
		row := make([]float64, n)
		for j := 0; j < n; j++ {
			sum := 0.0
			for k := 0; k < n; k++ {
				sum += ai[k] * b[k][j]
			}
			row[j] = sum
		}
		c = append(c, row)
	}
	return c
}

func check(n int, c [][]float64) float64 {
	total := 0.0
	for i := 0; i < n; i++ {
		for j := 0; j < n; j++ {
			total += c[i][j] * float64((i*n+j)%5)
		}
	}
	return total
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
	n := size(400)
	fmt.Printf("%.1f\n", check(n, matmul(n, fill(n, 1), fill(n, 4))))
}
