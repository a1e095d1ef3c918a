package cluster

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/kith-photos/kith/face/internal/simd"
)

// Scanner compares one vector with many. Its answers are exact: it looks
// through copies of the vectors that are rounded to 8 bits, and computes the
// similarity in float64 of all those that the rounding may have moved over the
// limit. That takes a quarter of the memory of the vectors on top of them, and
// little more time than to read this quarter. Where rounding cannot tell most
// faces from those at the limit, it takes the time to compare these in float32
// too, and that of Above in float64. It may be used by several goroutines at
// once, but for Append.
type Scanner struct {
	f Faces
	m *simd.Matrix8
}

// NewScanner prepares the faces to be scanned, of which Dim and Data are used.
// It keeps Data and expects its numbers not to change. A vector whose length is not 1
// within 0.01 is an error.
func NewScanner(f Faces) (*Scanner, error) {
	f = Faces{Dim: f.Dim, Data: f.Data}
	if err := f.validate(); err != nil {
		return nil, err
	}
	return &Scanner{f: f, m: simd.NewMatrix8(f.Len(), max(f.Dim, 1), f.row)}, nil
}

// Append adds faces behind the others. Data holds all faces, old and new ones:
// it begins with the numbers that the scanner has, and may be the same memory
// or a copy. Nothing changes where a new vector's length is not 1 within 0.01,
// or Data holds less than before or no whole number of vectors.
func (s *Scanner) Append(data []float32) error {
	old := s.f.Len()
	if len(data) < len(s.f.Data) {
		return fmt.Errorf("cluster: %d numbers, the scanner has %d already", len(data), len(s.f.Data))
	}
	if err := (Faces{Dim: s.f.Dim, Data: data[len(s.f.Data):]}).validate(); err != nil {
		return err
	}
	s.f.Data = data
	s.m.Append(s.f.Len()-old, func(i int) []float32 { return s.f.row(old + i) })
	return nil
}

// Match is a face that a Scanner found.
type Match struct {
	Face       int     // its position in Faces
	Similarity float64 // the dot product with the probe, in float64
}

// Nearest finds the k faces most similar to the probe, or all if there are
// fewer, the most similar first and equally similar ones by their position. A
// probe that has another dimension or whose length is not 1 within 0.01 is an
// error, and so is a negative k.
func (s *Scanner) Nearest(probe []float32, k int) ([]Match, error) {
	if k < 0 {
		return nil, fmt.Errorf("cluster: search for %d faces", k)
	}
	l, err := s.look(probe)
	if k = min(k, s.f.Len()); err != nil || k == 0 {
		return nil, err
	}
	l.nearest(k)
	s.scan(l)
	if l.settle(); len(l.found) > 4*k {
		s.narrow(l)
	}
	found := shortlist[Match]{k: k, order: nearer}
	for m := range s.exact(l) {
		found.add(m)
	}
	return found.first(), nil
}

// nearer is the order of Nearest.
func nearer(a, b Match) int {
	return cmp.Or(cmp.Compare(b.Similarity, a.Similarity), cmp.Compare(a.Face, b.Face))
}

// Above finds the faces whose similarity to the probe is above a value, in the
// order of Nearest. A probe that Nearest does not take is an error.
func (s *Scanner) Above(probe []float32, value float64) ([]Match, error) {
	found, err := s.aboveEach([][]float32{probe}, value)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// aboveEach is Above for several probes: a list for each, or none at all where
// nothing can be found.
func (s *Scanner) aboveEach(probes [][]float32, value float64) ([][]Match, error) {
	looks := make([]*look, len(probes))
	for k, probe := range probes {
		var err error
		if looks[k], err = s.look(probe); err != nil {
			return nil, err
		}
		looks[k].above(value)
	}
	if s.f.Len() == 0 || !(value < 2) {
		return nil, nil // nothing is above NaN
	}
	s.scan(looks...)
	all := make([][]Match, len(looks))
	for k, l := range looks {
		for m := range s.exact(l) {
			if m.Similarity > value {
				all[k] = append(all[k], m)
			}
		}
		slices.SortFunc(all[k], nearer)
	}
	return all, nil
}
