package simd

import (
	"fmt"
	"math"
)

// Matrix8 holds vectors rounded to int8, each by a step of its own: one large
// number in one vector does not coarsen the others, and a vector that is added
// later needs no other to be rounded anew.
type Matrix8 struct {
	packed[int8]
	dim      int
	rounding []Rounding
}

// Rounding says what a vector became: it is Step times its integers, but for a
// residual whose Euclidean norm is at most Lost.
//
// So, by Cauchy-Schwarz, the product of two vectors p and v is the product of
// their integers times both steps, and at most |p|×v.Lost + p.Lost×(|v|+v.Lost)
// more or less.
type Rounding struct{ Step, Lost float32 }

// group8 is how many numbers of a vector the implementations take at once.
const group8 = 8

// Width8 is the length of a vector of dim numbers that is rounded to int8: dim,
// or the multiple of 8 after it.
func Width8(dim int) int { return (dim + group8 - 1) / group8 * group8 }

// NewMatrix8 rounds n vectors of dim numbers, where row(i) is vector i. It
// panics if dim is below 1 or n below 0, or if a row has another length. It
// takes a byte a number, and 8 a vector.
func NewMatrix8(n, dim int, row func(i int) []float32) *Matrix8 {
	if n < 0 || dim < 1 {
		panic(fmt.Sprintf("simd: %d vectors of %d numbers", n, dim))
	}
	m := &Matrix8{packed: packed[int8]{width: Width8(dim)}, dim: dim}
	m.Append(n, row)
	return m
}

// Append adds n vectors behind the others, where row(i) is vector i of these.
// It panics if n is below 0, or if a row has another length than the others.
func (m *Matrix8) Append(n int, row func(i int) []float32) {
	if n < 0 {
		panic(fmt.Sprintf("simd: %d vectors", n))
	}
	first, rounded := m.rows, make([]int8, m.width)
	m.grow(n)
	m.rounding = append(m.rounding, make([]Rounding, n)...)
	for k := range n {
		v, i := row(k), first+k
		if len(v) != m.dim {
			panic(fmt.Sprintf("simd: vector %d has %d numbers, want %d", i, len(v), m.dim))
		}
		m.rounding[i] = Quantize8(rounded, v)
		panel := m.panels(i/Lanes, i/Lanes+1)
		for at := 0; at < m.width; at += 4 {
			copy(panel[at*Lanes+i%Lanes*4:][:4], rounded[at:])
		}
	}
}

// Roundings says what the vectors from from to to became, without the last.
func (m *Matrix8) Roundings(from, to int) []Rounding { return m.rounding[from:to:to] }

// Dots computes the dot products of a vector of Quantize8 with the integers of
// all vectors in the panels from to to, without the last: (to-from)×Lanes
// numbers. It panics if the panels are not there, probe has another length than
// Width8 says or out is too short.
func (m *Matrix8) Dots(out []int32, probe []int8, from, to int) {
	if len(probe) != m.width {
		panic(fmt.Sprintf("simd: probe of %d numbers, want %d", len(probe), m.width))
	}
	best.dots(out[:(to-from)*Lanes], probe, m.panels(from, to))
}

// shortest is the least step; what is shorter than that is rounded to zero.
const shortest = 1e-30

// Quantize8 rounds v into dst, which has length Width8(len(v)), to integers
// from -127 to 127, so that the greatest of them is 127. Of a very long vector
// it may be less: no vector of integers is longer than 2^15 and a little, so
// that a product fits into int32. A vector with NaN or infinity in it becomes
// zeros, and all of it is lost.
func Quantize8(dst []int8, v []float32) Rounding {
	if len(dst) != Width8(len(v)) {
		panic(fmt.Sprintf("simd: %d numbers into %d", len(v), len(dst)))
	}
	var greatest uint32 // without the sign, float32 are in the order of their bits
	var square float64
	for _, x := range v {
		greatest = max(greatest, math.Float32bits(x)&^(1<<31))
		square += float64(x) * float64(x)
	}
	norm := math.Sqrt(square)
	step := float32(max(float64(math.Float32frombits(greatest))/127, norm/(1<<15)))
	if !(step > shortest && norm <= math.MaxFloat64) {
		clear(dst)
		return Rounding{0, up(norm)}
	}
	var lost float64
	per := 1 / step
	for k, x := range v {
		q := int8(math.Float32bits(x*per + magic))
		r := float64(x) - float64(step)*float64(q)
		lost += r * r
		dst[k] = q
	}
	clear(dst[len(v):])
	return Rounding{step, up(math.Sqrt(lost))}
}

// up is a float32 that is not below x, which is a sum of float64 and may be off
// by its last bits.
func up(x float64) float32 { return math.Nextafter32(float32(x*(1+1e-9)), float32(math.Inf(1))) }
