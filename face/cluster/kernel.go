package cluster

import (
	"context"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
)

const (
	// tile is the side of the blocks of the similarity matrix. A block of 512-d
	// vectors is 128 KB and stays in a second-level cache. gonum computes a
	// product of this size at one go, in the calling goroutine; from 128 on it
	// cuts the vectors into pieces of 64 numbers and spreads them over
	// goroutines, which was measured to cost 1.7 times the processor time.
	tile = 64
	// lane is the multiple to which packed rows are padded with zeros. gonum's
	// dot product peels the numbers before a 16-byte boundary and then takes
	// 16 at a time; whole lanes make its order of summation, and with it the
	// rounding, the same for every pair.
	lane = 16
)

// similarities calls visit for the upper half of the similarity matrix of n
// vectors of dim numbers, where row(i) is vector i: each call has one i and
// the similarities to j, j+1, ..., all greater than i. The slice is reused.
func similarities(ctx context.Context, dim, n int, row func(i int) []float32, visit func(i, j int, sim []float32)) error {
	width := (dim + lane - 1) / lane * lane
	side := min(tile, n)
	a, b := newBlock(side, width), newBlock(side, width)
	c := make([]float32, side*side)
	for i0 := 0; i0 < n; i0 += tile {
		a.pack(i0, min(tile, n-i0), row)
		for j0 := i0; j0 < n; j0 += tile {
			if err := ctx.Err(); err != nil {
				return err
			}
			right := a
			if j0 > i0 {
				b.pack(j0, min(tile, n-j0), row)
				right = b
			}
			prod := blas32.General{Rows: a.Rows, Cols: right.Rows, Stride: right.Rows, Data: c}
			blas32.Gemm(blas.NoTrans, blas.Trans, 1, a.General, right.General, 0, prod)
			for i := range prod.Rows {
				from := 0
				if j0 == i0 {
					from = i + 1
				}
				visit(i0+i, j0+from, c[i*prod.Stride+from:(i+1)*prod.Stride])
			}
		}
	}
	return nil
}

// block is a run of vectors packed for the matrix product.
type block struct{ blas32.General }

func newBlock(rows, width int) *block {
	return &block{blas32.General{Rows: rows, Cols: width, Stride: width, Data: make([]float32, rows*width)}}
}

// pack copies vectors from, from+1, ... into the block. The padding was
// zeroed when the block was made and is never written.
func (b *block) pack(from, rows int, row func(i int) []float32) {
	b.Rows = rows
	for i := range rows {
		copy(b.Data[i*b.Stride:], row(from+i))
	}
}
