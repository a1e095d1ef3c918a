// Package simd multiplies vectors of small integers fast and exactly.
//
// A [Matrix] compares all its vectors with each other: unit vectors rounded to
// int16 multiples of 1/[Scale]. By Cauchy-Schwarz a product of two is at most
// Scale² = 2^28 and a little for the rounding. For other vectors it wraps
// around at 2^32, in all implementations alike.
//
// A [Matrix8] compares one vector with many, in a quarter of float32's memory:
// vectors rounded to int8, each by a step of its own, and for each how much
// the rounding lost.
//
// Either way dot products are sums of integers in int32, so that a product is
// the same number on every machine, with every implementation and in every
// order of summation.
//
// The processor decides the implementation, see [Name]. Arguments that do not
// fit panic in Go; no assembly runs on them.
package simd

import (
	"fmt"
	"math"
)

const (
	// Scale is what the number 1 becomes in a Matrix. It leaves room for numbers
	// to ±2, more than a unit vector has. The rounding moves a number by at most
	// 1/2^15 and, with errors of either sign, the product of two unit vectors
	// by about 1/2^15 (standard deviation 1/(Scale√6)).
	Scale = 1 << 14
	// Lanes is how many vectors a panel of a Matrix or a Matrix8 holds.
	Lanes = 32
)

// packed holds vectors packed for the processor: Lanes vectors to a panel, and
// in a panel the first few numbers of each of its vectors, then the next few of
// each, and so on, where a few are four bytes. A vector instruction that
// multiplies so many and adds up the products then works on as many vectors as
// it has lanes, and nothing has to be added up across lanes. What is missing in
// a length that does not fit and in a last panel that is not full is zero.
type packed[T int8 | int16] struct {
	rows, width int
	data        []T
}

// Rows is the number of vectors.
func (p *packed[T]) Rows() int { return p.rows }

// Panels is the number of panels; the last may not be full.
func (p *packed[T]) Panels() int { return (p.rows + Lanes - 1) / Lanes }

func (p *packed[T]) panels(from, to int) []T {
	if from < 0 || from > to || to > p.Panels() {
		panic(fmt.Sprintf("simd: panels %d to %d of %d", from, to, p.Panels()))
	}
	size := Lanes * p.width
	return p.data[from*size : to*size : to*size]
}

// grow adds room for n vectors.
func (p *packed[T]) grow(n int) {
	p.rows += n
	p.data = append(p.data, make([]T, p.Panels()*Lanes*p.width-len(p.data))...)
}

// Matrix holds vectors rounded to int16.
type Matrix struct{ packed[int16] }

// NewMatrix rounds n vectors of dim numbers, where row(i) is vector i. It
// panics if dim is below 1 or n below 0, or if a row has another length. It
// takes 2 bytes a number.
func NewMatrix(n, dim int, row func(i int) []float32) *Matrix {
	if n < 0 || dim < 1 {
		panic(fmt.Sprintf("simd: %d vectors of %d numbers", n, dim))
	}
	m := &Matrix{packed[int16]{width: dim + dim&1}}
	m.grow(n)
	for i := range n {
		v := row(i)
		if len(v) != dim {
			panic(fmt.Sprintf("simd: vector %d has %d numbers, want %d", i, len(v), dim))
		}
		panel := m.panels(i/Lanes, i/Lanes+1)
		for k, x := range v {
			panel[k/2*2*Lanes+i%Lanes*2+k%2] = quantize(x)
		}
	}
	return m
}

// Dot is the dot product of two vectors of one length, rounded as in a Matrix:
// what Tile computes, one at a time.
func Dot(x, y []float32) int32 {
	y = y[:len(x)]
	var sum int32
	for k, v := range x {
		sum += int32(quantize(v)) * int32(quantize(y[k]))
	}
	return sum
}

// quantize rounds to the nearest multiple of 1/Scale, halves to even, and
// brings what int16 does not hold to the nearest number that it does. NaN
// becomes some number.
func quantize(x float32) int16 {
	scaled := min(max(x*Scale, math.MinInt16), math.MaxInt16)
	return int16(math.Float32bits(scaled + magic))
}

// magic rounds what is added to it: from 2^23 to 2^24 float32 has whole numbers
// only, so that 1.5×2^23 and a little leaves the integer in the low bits.
const magic = 3 << 22

// Tile computes the dot products of all vectors in the panels a0 to a1 with
// all vectors in the panels b0 to b1, each without the last. The product of
// vector a0×Lanes+i and vector b0×Lanes+j is out[i×stride+j], where stride is
// (b1-b0)×Lanes. It panics if the panels are not there or out is too short.
func (m *Matrix) Tile(out []int32, a0, a1, b0, b1 int) {
	a, b := m.panels(a0, a1), m.panels(b0, b1)
	stride := (b1 - b0) * Lanes
	best.tile(out[:(a1-a0)*Lanes*stride], stride, a, b, m.width)
}

// Above marks the numbers above the floor: bit j%32 of hits[j/32] says
// whether dots[j] > floor. It panics if len(dots) is not 32 times len(hits).
func Above(hits []uint32, dots []int32, floor int32) {
	if len(dots) != 32*len(hits) {
		panic(fmt.Sprintf("simd: %d marks for %d numbers", len(hits), len(dots)))
	}
	best.above(hits, dots, floor)
}

// Name is the implementation in use: "avx512vnni" or "avx2" on amd64, "sdot" or
// "neon" on arm64, and "go" elsewhere.
func Name() string { return best.name }
