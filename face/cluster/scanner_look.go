package cluster

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"

	"gonum.org/v1/gonum/blas/blas32"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/face/internal/simd"
)

// look is one probe's way through the rounded vectors. It collects the faces
// that may be in the exact answer.
//
// Similarities are in units of the probe's step here. What a face has is the
// product of the integers times its own step, and reach × what it lost more or
// less, and then apart more or less. See simd.Rounding: with a face no longer
// than longest, (|p|+p.Lost)×v.Lost and p.Lost×longest.
type look struct {
	probe        face.Vector
	rounded      []int8
	step         float64
	reach, apart float32
	floor        float32            // a face that may not be up here is out
	sure         shortlist[float32] // of Nearest: how similar the k nearest are at least, but for apart
	found        []candidate
}

// longest is how long a probe or a face may be.
const longest = 1 + normTolerance

// candidate is a face that may be as similar as high, but for look.apart.
type candidate struct {
	face int32
	high float32
}

// look rounds a probe; it finds nothing where there are no faces.
func (s *Scanner) look(probe []float32) (*look, error) {
	if len(probe) != s.f.Dim {
		return nil, fmt.Errorf("cluster: probe has %d numbers, the faces have %d", len(probe), s.f.Dim)
	}
	if s.f.Len() == 0 {
		return &look{}, nil
	}
	if (Faces{Dim: s.f.Dim, Data: probe}).validate() != nil {
		return nil, errors.New("cluster: the length of the probe is not 1")
	}
	l := &look{probe: probe, rounded: make([]int8, simd.Width8(len(probe)))}
	r := simd.Quantize8(l.rounded, probe)
	// The last term is for the numbers of float32 that take computes with, each
	// of which is off by up to 2^-24 of about 1, and for sums of float64 in
	// another order.
	const slack = 2e-6
	l.step = float64(r.Step)
	l.reach = float32((longest + float64(r.Lost)) / l.step)
	l.apart = float32((longest*float64(r.Lost) + slack) / l.step)
	return l, nil
}

// above makes the look one for faces above a value.
func (l *look) above(value float64) { l.floor = float32(max(value, -2)/l.step) - l.apart }

// nearest makes the look one for the k nearest faces.
func (l *look) nearest(k int) {
	l.floor = float32(math.Inf(-1))
	l.sure = shortlist[float32]{k: k, order: func(a, b float32) int { return cmp.Compare(b, a) }}
}

// scanPanels is how many panels meet all probes before the next ones do: of
// 512-d vectors they take 128 KB, which a second-level cache holds. Fetching
// the vectors from memory is most of what a scan costs, and so several probes
// at once cost little more than one.
const scanPanels = 8

// scan lets the looks collect what they find.
func (s *Scanner) scan(looks ...*look) {
	dots := make([]int32, scanPanels*simd.Lanes)
	for from := 0; from < s.m.Panels(); from += scanPanels {
		to := min(from+scanPanels, s.m.Panels())
		first := from * simd.Lanes
		roundings := s.m.Roundings(first, min(to*simd.Lanes, s.f.Len()))
		for _, l := range looks {
			s.m.Dots(dots, l.rounded, from, to)
			l.take(first, dots, roundings)
		}
	}
}

// take looks at the products with the faces from first on.
func (l *look) take(first int, dots []int32, roundings []simd.Rounding) {
	dots = dots[:len(roundings)]
	for j, r := range roundings {
		mid, off := float32(dots[j])*r.Step, l.reach*r.Lost
		if mid+off >= l.floor {
			l.see(int32(first+j), mid, off)
		}
	}
}

// see takes a face in whose similarity is mid, and off and apart more or less.
func (l *look) see(face int32, mid, off float32) {
	l.found = append(l.found, candidate{face, mid + off})
	if l.sure.add(mid - off) {
		l.raise()
	}
}

// raise brings the floor of Nearest up: as k faces are surely as similar as the
// last of them, less apart, no face is among the k nearest that may not be.
func (l *look) raise() {
	if first := l.sure.first(); len(first) == l.sure.k {
		l.floor = first[len(first)-1] - 2*l.apart
	}
}

// settle forgets the faces that turned out not to be among the nearest.
func (l *look) settle() {
	l.raise()
	l.found = slices.DeleteFunc(l.found, func(c candidate) bool { return c.high < l.floor })
}

// narrow has another look, in float32, at what a look for the nearest found: so
// many that this takes less time than to compute them all in float64.
func (s *Scanner) narrow(l *look) {
	// A sum of n products in float32, in any order, is off by less than
	// nu/(1-nu) × the sum of their magnitudes, u = 2^-24 (Higham, Accuracy and
	// Stability of Numerical Algorithms, section 3.1), which is at most the
	// product of the lengths. Four more are for what becomes of it here.
	nu := float64(s.f.Dim+4) / (1 << 24)
	if nu > 0.5 {
		return
	}
	found := l.found
	l.nearest(l.sure.k)
	l.found, l.apart = found[:0], float32(nu/(1-nu)*longest*longest/l.step)
	p := blas32.Vector{N: s.f.Dim, Inc: 1, Data: l.probe}
	for _, c := range found {
		row := blas32.Vector{N: s.f.Dim, Inc: 1, Data: s.f.row(int(c.face))}
		l.see(c.face, float32(float64(blas32.Dot(p, row))/l.step), 0)
	}
	l.settle()
}

// exact computes the similarity of the faces that a look found.
func (s *Scanner) exact(l *look) iter.Seq[Match] {
	return func(yield func(Match) bool) {
		for four := range slices.Chunk(l.found, 4) {
			var rows [4][]float32
			for k := range rows {
				rows[k] = s.f.row(int(four[min(k, len(four)-1)].face))
			}
			sums := dotFour(l.probe, rows)
			for k, c := range four {
				if !yield(Match{int(c.face), sums[k]}) {
					return
				}
			}
		}
	}
}

// dotFour is face.Vector.Dot four times, each sum in the same order: alone, it
// would wait for its own last addition.
func dotFour(probe face.Vector, rows [4][]float32) [4]float64 {
	var a, b, c, d float64
	n := len(probe)
	r0, r1, r2, r3 := rows[0][:n], rows[1][:n], rows[2][:n], rows[3][:n]
	for k, x := range probe {
		x := float64(x)
		// A product of two float32 is exact in float64, so that it makes no
		// difference whether a compiler adds it unrounded.
		a += x * float64(r0[k])
		b += x * float64(r1[k])
		c += x * float64(r2[k])
		d += x * float64(r3[k])
	}
	return [4]float64{a, b, c, d}
}

// shortlist keeps the first k, in an order, of what it is shown. That of no k
// keeps nothing.
type shortlist[T any] struct {
	k     int
	order func(a, b T) int
	list  []T
	full  bool // the k at the front of list are the first of all up to some time
}

// add shows it another, and reports whether the k-th may have come down.
func (s *shortlist[T]) add(x T) bool {
	if s.k == 0 || s.full && s.order(x, s.list[s.k-1]) >= 0 {
		return false
	}
	s.list = append(s.list, x)
	if len(s.list) < 2*s.k {
		return false
	}
	s.first()
	return true
}

// first are the first k of what it was shown, in order, or all if there were
// fewer.
func (s *shortlist[T]) first() []T {
	slices.SortFunc(s.list, s.order)
	s.full = len(s.list) >= s.k
	s.list = s.list[:min(s.k, len(s.list))]
	return s.list
}
