package simd

// kernel is one implementation. Its functions trust their arguments.
type kernel struct {
	name string
	// block computes the products of rows vectors of one panel with cols
	// vectors of another: out[i*stride+j], from pairs of numbers that lie
	// 2×Lanes apart, where a and b start at the first vector's first number.
	block      func(out []int32, stride int, a, b []int16, pairs int)
	rows, cols int
	// dots computes the products of probe with all vectors of some panels, of
	// which no number is -128.
	dots func(out []int32, probe, panels []int8)
	// above is Above.
	above func(hits []uint32, dots []int32, floor int32)
}

// best is the fastest that the processor has.
var best = kernels()[0]

// tile computes the products of all vectors of the panels a with all vectors
// of the panels b, block by block. One panel of b stays in the first-level
// cache, all of a in the second.
func (k *kernel) tile(out []int32, stride int, a, b []int16, width int) {
	panel := Lanes * width
	for j := 0; j < stride; j += k.cols {
		right := b[j/Lanes*panel : (j/Lanes+1)*panel][j%Lanes*2:]
		for i := 0; i < len(a)/width; i += k.rows {
			left := a[i/Lanes*panel : (i/Lanes+1)*panel][i%Lanes*2:]
			k.block(out[i*stride+j:(i+k.rows-1)*stride+j+k.cols], stride, left, right, width/2)
		}
	}
}
