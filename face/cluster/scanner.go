package cluster

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"sort"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/face/internal/simd"
)

// Scanner compares one vector with many. Its answers are exact: it looks
// through copies of the vectors that are rounded to 16 bits, and computes the
// similarity in float64 of all those that the rounding may have moved over the
// limit. It takes half of the memory of the vectors on top of them. It may be
// used by several goroutines at once, but for Append.
type Scanner struct {
	f      Faces
	m      *simd.Matrix
	margin float64
}

// NewScanner prepares the faces to be scanned, of which Dim and Data are used.
// It keeps Data and expects its numbers not to change. A vector whose length is not 1
// within 0.01 is an error.
func NewScanner(f Faces) (*Scanner, error) {
	f = Faces{Dim: f.Dim, Data: f.Data}
	if err := f.validate(); err != nil {
		return nil, err
	}
	// A rounded number is off by at most 1/2 of a unit of 1/Scale, a vector by
	// √Dim times that, and a product by as much times the other vector's length,
	// once for each of the two (Cauchy-Schwarz). The last term is for sums of
	// float64 in another order.
	off := math.Sqrt(float64(f.Dim)) / 2 / simd.Scale
	const longest = 1 + normTolerance
	return &Scanner{f: f, m: quantized(f.Dim, f.Len(), f.row), margin: off*longest + off*(longest+off) + 1e-9}, nil
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
	s.m.Append(s.f.Len()-old, s.f.Dim, func(i int) []float32 { return s.f.row(old + i) })
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
	v, err := s.scan(probe)
	if k = min(k, s.f.Len()); err != nil || k == 0 {
		return nil, err
	}
	// Of the faces with the k greatest products none is less similar than the
	// least of these less margin, and so neither is any of the k nearest.
	found := s.exact(probe, v, v.kth(k)-2*s.margin)
	return found[:k:k], nil
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
	views, err := s.scanAll(probes)
	if err != nil || !(value < 2) {
		return nil, err // nothing is above NaN
	}
	all := make([][]Match, len(views))
	for k, v := range views {
		all[k] = s.above(probes[k], v, value)
	}
	return all, nil
}

func (s *Scanner) above(probe []float32, v view, value float64) []Match {
	found := s.exact(probe, v, max(value, -2)-s.margin)
	end, _ := slices.BinarySearchFunc(found, value, func(m Match, value float64) int {
		return cmp.Compare(value, m.Similarity)
	})
	return found[:end:end]
}

// exact computes the similarity of the faces whose product is at least low,
// and sorts them.
func (s *Scanner) exact(probe face.Vector, v view, low float64) []Match {
	var found []Match
	v.mark(int32(math.Floor(low*simd.Scale*simd.Scale)) - 1)
	for w, word := range v.hits {
		for ; word != 0; word &= word - 1 {
			i := 32*w + bits.TrailingZeros32(word)
			found = append(found, Match{i, probe.Dot(s.f.row(i))})
		}
	}
	slices.SortFunc(found, func(a, b Match) int {
		return cmp.Or(cmp.Compare(b.Similarity, a.Similarity), cmp.Compare(a.Face, b.Face))
	})
	return found
}

// view is what one probe sees: its product with every rounded vector, and
// nothing where a panel is not full.
type view struct {
	dots []int32
	hits []uint32
}

func (s *Scanner) scan(probe []float32) (view, error) {
	views, err := s.scanAll([][]float32{probe})
	if err != nil || len(views) == 0 {
		return view{}, err
	}
	return views[0], nil
}

// scanPanels is how many panels meet all probes before the next ones do: of
// 512-d vectors they take 256 KB, which a second-level cache holds. Fetching
// the vectors from memory is most of what a scan costs, and so several probes
// at once cost little more than one.
const scanPanels = 8

// scanAll is scan for several probes; it returns nothing where there are no
// faces.
func (s *Scanner) scanAll(probes [][]float32) ([]view, error) {
	rounded := make([][]int16, len(probes))
	for k, probe := range probes {
		if len(probe) != s.f.Dim {
			return nil, fmt.Errorf("cluster: probe has %d numbers, the faces have %d", len(probe), s.f.Dim)
		}
		if s.f.Len() == 0 {
			continue
		}
		if (Faces{Dim: s.f.Dim, Data: probe}).validate() != nil {
			return nil, errors.New("cluster: the length of the probe is not 1")
		}
		rounded[k] = make([]int16, simd.Width(len(probe)))
		simd.Quantize(rounded[k], probe)
	}
	if s.f.Len() == 0 {
		return nil, nil
	}
	views := make([]view, len(probes))
	for k := range views {
		dots := make([]int32, s.m.Panels()*simd.Lanes)
		views[k] = view{dots, make([]uint32, len(dots)/32)}
	}
	for from := 0; from < s.m.Panels(); from += scanPanels {
		to := min(from+scanPanels, s.m.Panels())
		for k, v := range views {
			s.m.Dots(v.dots[from*simd.Lanes:to*simd.Lanes], rounded[k], from, to)
		}
	}
	for _, v := range views {
		for i := s.f.Len(); i < len(v.dots); i++ {
			v.dots[i] = math.MinInt32
		}
	}
	return views, nil
}

// mark notes in hits which products are above floor.
func (v view) mark(floor int32) { simd.Above(v.hits, v.dots, floor) }

// kth is the similarity that the k-th greatest product stands for.
func (v view) kth(k int) float64 {
	// Thirty looks at all products are quicker than sorting them.
	const low, high = -2 * simd.Scale * simd.Scale, 2 * simd.Scale * simd.Scale
	floor := low + sort.Search(high-low, func(x int) bool {
		v.mark(int32(low + x))
		above := 0
		for _, word := range v.hits {
			above += bits.OnesCount32(word)
		}
		return above < k
	})
	return float64(floor) / (simd.Scale * simd.Scale)
}
