// Package simd multiplies unit vectors of small integers fast and exactly.
//
// Vectors are rounded once to int16 multiples of 1/[Scale]. Their dot products
// are sums of integers in int32, so a product is the same number on every
// machine, with every implementation and in every order of summation. For
// unit vectors it cannot overflow: by Cauchy-Schwarz it is at most Scale² =
// 2^28 and a little for the rounding. For other vectors it wraps around at
// 2^32, in all implementations alike.
//
// The processor decides the implementation, see [Name]: AVX-512 with VNNI or
// AVX2 on amd64, NEON on arm64, plain Go elsewhere. Arguments that do not fit
// panic in Go; no assembly runs on them.
package simd

import (
	"fmt"
	"math"
)

const (
	// Scale is what the number 1 becomes. It leaves room for numbers to ±2,
	// more than a unit vector has. The rounding moves a number by at most
	// 1/2^15 and, with errors of either sign, the product of two unit vectors
	// by about 1/2^15 (standard deviation 1/(Scale√6)).
	Scale = 1 << 14
	// Lanes is how many vectors a panel of a Matrix holds.
	Lanes = 32
)

// Matrix holds vectors rounded to int16.
//
// They are packed for the processor: Lanes vectors to a panel, and in a panel
// the numbers 0 and 1 of each of its vectors, then the numbers 2 and 3 of
// each, and so on. A vector instruction that multiplies pairs of int16 and
// adds the two products then works on as many vectors as it has lanes, and
// nothing has to be added up across lanes. A length that is odd and a last
// panel that is not full are filled with zeros.
type Matrix struct {
	rows, width int
	data        []int16
}

// Width is the length of a rounded vector of dim numbers: dim, or the even
// number after it.
func Width(dim int) int { return dim + dim&1 }

// NewMatrix rounds n vectors of dim numbers, where row(i) is vector i. It
// panics if dim is below 1 or n below 0, or if a row has another length. It
// takes 2 bytes a number.
func NewMatrix(n, dim int, row func(i int) []float32) *Matrix {
	if n < 0 || dim < 1 {
		panic(fmt.Sprintf("simd: %d vectors of %d numbers", n, dim))
	}
	m := &Matrix{width: Width(dim)}
	m.data = make([]int16, 0, (n+Lanes-1)/Lanes*Lanes*m.width)
	m.Append(n, dim, row)
	return m
}

// Append adds n vectors behind the others, with the arguments of NewMatrix. It
// panics if they have another length than those.
func (m *Matrix) Append(n, dim int, row func(i int) []float32) {
	if n < 0 || Width(dim) != m.width {
		panic(fmt.Sprintf("simd: %d vectors of %d numbers to others of %d", n, dim, m.width))
	}
	first := m.rows
	m.rows += n
	m.data = append(m.data, make([]int16, m.Panels()*Lanes*m.width-len(m.data))...)
	for k := range n {
		v, i := row(k), first+k
		if len(v) != dim {
			panic(fmt.Sprintf("simd: vector %d has %d numbers, want %d", i, len(v), dim))
		}
		panel := m.panels(i/Lanes, i/Lanes+1)
		for k, x := range v {
			panel[k/2*2*Lanes+i%Lanes*2+k%2] = quantize(x)
		}
	}
}

// Rows is the number of vectors.
func (m *Matrix) Rows() int { return m.rows }

// Panels is the number of panels; the last may not be full.
func (m *Matrix) Panels() int { return (m.rows + Lanes - 1) / Lanes }

func (m *Matrix) panels(from, to int) []int16 {
	if from < 0 || from > to || to > m.Panels() {
		panic(fmt.Sprintf("simd: panels %d to %d of %d", from, to, m.Panels()))
	}
	size := Lanes * m.width
	return m.data[from*size : to*size : to*size]
}

// Quantize rounds v into dst, which has length Width(len(v)).
func Quantize(dst []int16, v []float32) {
	if len(dst) != Width(len(v)) {
		panic(fmt.Sprintf("simd: %d numbers into %d", len(v), len(dst)))
	}
	for k, x := range v {
		dst[k] = quantize(x)
	}
	clear(dst[len(v):])
}

// Dot is the dot product of two vectors of one length, rounded as by Quantize:
// what Tile and Dots compute, one at a time.
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
	// From 2^23 to 2^24 float32 has whole numbers only, so that adding 1.5×2^23
	// rounds and leaves the integer in the low bits.
	const magic = 3 << 22
	scaled := min(max(x*Scale, math.MinInt16), math.MaxInt16)
	return int16(math.Float32bits(scaled + magic))
}

// Tile computes the dot products of all vectors in the panels a0 to a1 with
// all vectors in the panels b0 to b1, each without the last. The product of
// vector a0×Lanes+i and vector b0×Lanes+j is out[i×stride+j], where stride is
// (b1-b0)×Lanes. It panics if the panels are not there or out is too short.
func (m *Matrix) Tile(out []int32, a0, a1, b0, b1 int) {
	a, b := m.panels(a0, a1), m.panels(b0, b1)
	stride := (b1 - b0) * Lanes
	best.tile(out[:(a1-a0)*Lanes*stride], stride, a, b, m.width)
}

// Dots computes the dot products of a vector of Quantize with all vectors in
// the panels from to to, without the last: (to-from)×Lanes numbers. It panics
// if the panels are not there, probe has another length than the vectors or
// out is too short.
func (m *Matrix) Dots(out []int32, probe []int16, from, to int) {
	if len(probe) != m.width {
		panic(fmt.Sprintf("simd: probe of %d numbers, want %d", len(probe), m.width))
	}
	best.dots(out[:(to-from)*Lanes], probe, m.panels(from, to))
}

// Above marks the numbers above the floor: bit j%32 of hits[j/32] says
// whether dots[j] > floor. It panics if len(dots) is not 32 times len(hits).
func Above(hits []uint32, dots []int32, floor int32) {
	if len(dots) != 32*len(hits) {
		panic(fmt.Sprintf("simd: %d marks for %d numbers", len(hits), len(dots)))
	}
	best.above(hits, dots, floor)
}

// Name is the implementation in use: "avx512vnni", "avx2", "neon" or "go".
func Name() string { return best.name }
