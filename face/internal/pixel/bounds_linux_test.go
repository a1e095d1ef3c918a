package pixel

import (
	"os"
	"syscall"
	"testing"
)

// fenced is n bytes between two pages that cannot be read, beginning right
// after the first or ending right before the second.
func fenced(t *testing.T, n int, atEnd bool) []byte {
	t.Helper()
	page := os.Getpagesize()
	size := (n + page - 1) / page * page
	m, err := syscall.Mmap(-1, 0, size+2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Munmap(m); err != nil {
			t.Error(err)
		}
	})
	for _, fence := range [][]byte{m[:page], m[page+size:]} {
		if err := syscall.Mprotect(fence, syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	at := page
	if atEnd {
		at = page + size - n
	}
	return m[at : at+n : at+n]
}

// TestBounds runs everything on memory that ends where a read beyond it, or
// before it, is a fault: of the test, which dies of it.
func TestBounds(t *testing.T) {
	for _, atEnd := range []bool{false, true} {
		for n := range 140 {
			a, b, dst := fenced(t, 2*n, atEnd), fenced(t, 2*n, atEnd), fenced(t, n, atEnd)
			for _, k := range kernels() {
				k.halve(dst, a, b)
			}
		}
		for _, w := range []int{1, 7, 8, 9, 16, 23} {
			for _, h := range []int{1, 7, 8, 9, 16, 23} {
				src, dst := fenced(t, (h-1)*(w+3)+w, atEnd), fenced(t, w*h, atEnd)
				for _, k := range kernels() {
					k.transpose(dst, src, w+3, w, h)
				}
			}
		}
		for n := 1; n < 100; n++ {
			rowBounds(t, n, atEnd)
		}
	}
}

// rowBounds reads rows that hold not a byte more than their columns need.
func rowBounds(t *testing.T, n int, atEnd bool) {
	norm := NewNorm(127.5, 1.0/128)
	dst := newCanvas(n).rows()
	for _, distance := range []float64{0.2, 0.78, 1, 1.99, -0.78, -1.41} {
		for shift := range uint(2) {
			c := Prepare(evenly(n, distance, shift))
			top, bot := fenced(t, c.luma, atEnd), fenced(t, c.luma, atEnd)
			cb, cr := fenced(t, c.chroma, atEnd), fenced(t, c.chroma, atEnd)
			if best.colour != nil && n >= lanes && min(c.luma, c.chroma) >= window && c.blocks == nil {
				t.Fatalf("no blocks for %d columns %v apart", n, distance)
			}
			c.Colour(dst, top, bot, cb, cr, 100, &norm)
			c.Grey(dst[0], top, bot, 100, &norm)
		}
	}
}
