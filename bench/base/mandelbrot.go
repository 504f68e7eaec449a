// Nested loops over floats: iterations of z = z*z + c over a picture.
package main

import "fmt"

func mandel(w, h, limit int64) int64 {
	total := int64(0)
	for y := int64(0); y < h; y++ {
		ci := 2.0*float64(y)/float64(h) - 1.0
		for x := int64(0); x < w; x++ {
			cr := 3.0*float64(x)/float64(w) - 2.0
			zr, zi := 0.0, 0.0
			n := int64(0)
			for n < limit && zr*zr+zi*zi <= 4.0 {
				t := zr*zr - zi*zi + cr
				zi = 2.0*zr*zi + ci
				zr = t
				n++
			}
			total += n
		}
	}
	return total
}

func main() {
	fmt.Println(mandel(900, 600, 300))
}
