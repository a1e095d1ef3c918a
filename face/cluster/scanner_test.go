package cluster

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/kith-photos/kith/face"
)

// bruteMatches is what a Scanner promises, as plainly as it can be said.
func bruteMatches(f Faces, probe face.Vector) []Match {
	var all []Match
	for i := range f.Len() {
		all = append(all, Match{i, probe.Dot(f.row(i))})
	}
	slices.SortStableFunc(all, func(a, b Match) int { return cmp.Compare(b.Similarity, a.Similarity) })
	return all
}

// drawCrowd draws faces of which many are nearly or exactly as similar to a
// probe as others: the differences are around what rounding to 16 bits loses.
func drawCrowd(t *rapid.T) (Faces, face.Vector) {
	dim := rapid.SampledFrom([]int{1, 2, 3, 16, 33, 128}).Draw(t, "dim")
	rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
	noise := math.Pow(10, rapid.Float64Range(-7, 1).Draw(t, "noise"))
	center := direction(rng, dim)
	// near is a vector about as long as it may be or shorter.
	near := func(noise float64) face.Vector {
		v := mix(center, direction(rng, dim), noise)
		length := 1 + float32(rng.Float64()-0.5)*1.9*normTolerance
		for k := range v {
			v[k] *= length
		}
		if (Faces{Dim: dim, Data: v}).validate() != nil { // noise took all of the center away
			return center
		}
		return v
	}
	f := Faces{Dim: dim}
	for i := range rapid.IntRange(0, 200).Draw(t, "faces") {
		v := near(noise)
		if i > 0 && rng.IntN(3) == 0 {
			v = f.row(rng.IntN(i))
		}
		f.Data = append(f.Data, v...)
	}
	return f, near(rapid.Float64Range(0, 2).Draw(t, "distance"))
}

func TestScannerIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, probe := drawCrowd(t)
		s, err := NewScanner(f)
		if err != nil {
			t.Fatal(err)
		}
		all := bruteMatches(f, probe)
		k := rapid.IntRange(0, f.Len()+2).Draw(t, "k")
		got, err := s.Nearest(probe, k)
		if want := all[:min(k, len(all))]; err != nil || !slices.Equal(got, want) {
			t.Fatalf("the nearest %d are %v, %v, want %v", k, got, err, want)
		}
		value := rapid.Float64Range(-1.1, 1.1).Draw(t, "value")
		if len(all) > 0 && rapid.Bool().Draw(t, "at a face") {
			value = all[rapid.IntRange(0, len(all)-1).Draw(t, "face")].Similarity
		}
		end := slices.IndexFunc(all, func(m Match) bool { return m.Similarity <= value })
		if end < 0 {
			end = len(all)
		}
		got, err = s.Above(probe, value)
		if err != nil || !slices.Equal(got, all[:end]) {
			t.Fatalf("above %v are %v, %v, want %v", value, got, err, all[:end])
		}
	})
}

func TestScannerOnAnAlbum(t *testing.T) {
	f := newAlbum(3, 1500).Faces
	s, err := NewScanner(f)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := 0; i < f.Len(); i += 97 {
		wg.Go(func() {
			all := bruteMatches(f, f.row(i))
			for _, k := range []int{1, 10, f.Len()} {
				if got, err := s.Nearest(f.row(i), k); err != nil || !slices.Equal(got, all[:k]) {
					t.Errorf("the nearest %d of face %d are not the nearest: %v", k, i, err)
				}
			}
			for _, value := range []float64{math.Inf(-1), -1, 0, 0.3, 0.9, 2, math.Inf(1), math.NaN()} {
				n := 0
				for _, m := range all {
					if m.Similarity > value {
						n++
					}
				}
				if got, err := s.Above(f.row(i), value); err != nil || !slices.Equal(got, all[:n]) {
					t.Errorf("%d above %v of face %d, want %d: %v", len(got), value, i, n, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestScannerRefuses(t *testing.T) {
	two := Faces{Dim: 2, Data: []float32{1, 0, 0, 1}}
	s, err := NewScanner(two)
	if err != nil {
		t.Fatal(err)
	}
	nan := float32(math.NaN())
	for _, probe := range [][]float32{nil, {1}, {1, 0, 0}, {0, 0}, {2, 0}, {nan, 0}, {float32(math.Inf(1)), 0}} {
		if got, err := s.Nearest(probe, 1); err == nil {
			t.Errorf("nearest to %v: %v", probe, got)
		}
		if got, err := s.Above(probe, 0); err == nil {
			t.Errorf("above 0 to %v: %v", probe, got)
		}
	}
	if got, err := s.Nearest([]float32{1, 0}, -1); err == nil {
		t.Errorf("nearest -1: %v", got)
	}
	for _, f := range []Faces{{Dim: 2, Data: []float32{1}}, {Dim: -1}, {Data: []float32{1}}, {Dim: 1, Data: []float32{nan}}, {Dim: 1, Data: []float32{0.5}}} {
		if _, err := NewScanner(f); err == nil {
			t.Errorf("%v is accepted", f)
		}
	}
	for _, f := range []Faces{{}, {Dim: 2}} {
		s, err := NewScanner(f)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.Nearest(make([]float32, f.Dim), 3); err != nil || len(got) > 0 {
			t.Errorf("nearest of none: %v, %v", got, err)
		}
	}
}
