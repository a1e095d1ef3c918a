package cluster

import (
	"context"
	"math"
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/kith-photos/kith/face/internal/simd"
)

// A tile of the similarity matrix is the products of tileRows panels of
// vectors with tileCols panels. Of 512-d vectors it is made from 256 KB and 64
// KB, about what a second-level cache holds, and its products take 64 KB. With
// half as many rows the neighbours of the columns are fetched from memory twice
// as often, which was measured to cost a sixth of the time on 40,000 vectors.
const tileRows, tileCols = 8, 2

// pair is two vectors, u before v, and their similarity in steps.
type pair struct{ u, v, step int32 }

// quantized rounds vectors for similarities; row(i) is vector i of n.
func quantized(dim, n int, row func(i int) []float32) *simd.Matrix {
	return simd.NewMatrix(n, max(dim, 1), row)
}

// similarities finds all pairs of vectors with a similarity above floor steps
// and hands them to visit, each once, in any order. The slice is reused.
//
// It works on GOMAXPROCS goroutines and returns when they have. No two calls
// of visit overlap: it is a small part of the work.
func similarities(ctx context.Context, m *simd.Matrix, floor int32, visit func(pairs []pair)) error {
	var (
		next atomic.Int64 // the first row of panels that nobody has taken
		mu   sync.Mutex
		wg   sync.WaitGroup
	)
	rows := (m.Panels() + tileRows - 1) / tileRows
	work := func() {
		t := newTile(m, floor)
		for a := int(next.Add(1) - 1); a < rows; a = int(next.Add(1) - 1) {
			for b := a * tileRows; b < m.Panels(); b += tileCols {
				if ctx.Err() != nil {
					return
				}
				if pairs := t.above(a*tileRows, b); len(pairs) > 0 {
					mu.Lock()
					visit(pairs)
					mu.Unlock()
				}
			}
		}
	}
	for range min(runtime.GOMAXPROCS(0), rows) {
		wg.Go(work)
	}
	wg.Wait()
	return ctx.Err()
}

// tile is the memory that a worker needs.
type tile struct {
	m     *simd.Matrix
	floor int32 // in steps
	dots  []int32
	hits  []uint32
	pairs []pair
}

func newTile(m *simd.Matrix, floor int32) *tile {
	const size = tileRows * simd.Lanes * tileCols * simd.Lanes
	return &tile{m: m, floor: floor, dots: make([]int32, size), hits: make([]uint32, size/32)}
}

// above is between for the tileRows panels from a0 on.
func (t *tile) above(a0, b0 int) []pair {
	return t.between(a0, min(a0+tileRows, t.m.Panels()), b0)
}

// between lists the pairs above the floor of a vector in the panels a0 to a1,
// the last one not included and at most tileRows, and a later vector in the
// tileCols panels from b0 on. The slice is reused.
func (t *tile) between(a0, a1, b0 int) []pair {
	b1 := min(b0+tileCols, t.m.Panels())
	stride := (b1 - b0) * simd.Lanes
	dots := t.dots[:(a1-a0)*simd.Lanes*stride]
	hits := t.hits[:len(dots)/32]
	t.m.Tile(dots, a0, a1, b0, b1)
	simd.Above(hits, dots, dotFloor(t.floor))
	t.pairs = t.pairs[:0]
	for i := range (a1 - a0) * simd.Lanes {
		u := a0*simd.Lanes + i
		row := dots[i*stride : (i+1)*stride]
		for w, word := range hits[i*stride/32 : (i+1)*stride/32] {
			for ; word != 0; word &= word - 1 {
				j := w*32 + bits.TrailingZeros32(word)
				// The tiles on the diagonal have each pair twice and each vector with
				// itself; the last panel may be filled up with zeros.
				if v := b0*simd.Lanes + j; u < v && v < t.m.Rows() {
					t.pairs = append(t.pairs, pair{int32(u), int32(v), dotStep(row[j])})
				}
			}
		}
	}
	return t.pairs
}

// dotBits is the power of two that one step is in a product of package simd,
// where the similarity 1 is Scale².
const dotBits = 28 - 16

// dotStep rounds a product to the nearest step, halves up.
func dotStep(dot int32) int32 { return min((dot+1<<(dotBits-1))>>dotBits, one) }

// dotFloor is the greatest product that is not above floor steps.
func dotFloor(floor int32) int32 {
	if floor >= one {
		return math.MaxInt32 // a step is at most one, also where the vectors are a little too long
	}
	return (floor+1)<<dotBits - 1<<(dotBits-1) - 1
}
