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
// probe as others: the differences are around what float32 and what rounding to
// 8 bits lose. One large number in a vector makes its step large.
func drawCrowd(t *rapid.T) (Faces, face.Vector) {
	dim := rapid.SampledFrom([]int{1, 2, 3, 16, 33, 128, 512}).Draw(t, "dim")
	rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
	noise := math.Pow(10, rapid.Float64Range(-7, 1).Draw(t, "noise"))
	center := direction(rng, dim)
	peak := float32(rapid.SampledFrom([]int{0, 0, 1, 10}).Draw(t, "peak"))
	spread := rapid.SampledFrom([]float64{1.9 * normTolerance, 1e-6}).Draw(t, "spread")
	// near is a vector about as long as it may be or shorter.
	near := func(noise float64) face.Vector {
		v := mix(center, direction(rng, dim), noise)
		v[rng.IntN(dim)] += peak * float32(rng.NormFloat64())
		v.Normalize()
		length := 1 + float32(spread*(rng.Float64()-0.5))
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

// TestScannerWhereRoundingMisleads has nearly the worst that rounding can do.
// What a vector loses points where the other one does, so that by the rounded
// vectors the first face is as little similar as the bound allows, and the
// second as much.
func TestScannerWhereRoundingMisleads(t *testing.T) {
	const dim = 512
	// crest is a vector with one number of 127 steps, many times a step, and
	// others of rest steps. Where rest is a whole number, nothing is lost.
	crest := func(many int, step, rest float32) face.Vector {
		v := slices.Repeat(face.Vector{rest}, dim)
		v[0] = 127
		for k := 1; k <= many; k++ {
			v[k] = step
		}
		v.Normalize()
		return v
	}
	flat := crest(dim-1, 127, 0)
	for name, c := range map[string]struct{ probe, first, second face.Vector }{
		"the faces lose":  {flat, crest(0, 0, 0.49), crest(63, 8, -0.49)},
		"the probe loses": {crest(0, 0, 0.49), flat, crest(0, 0, -26)},
	} {
		t.Run(name, func(t *testing.T) {
			first, second := c.probe.Dot(c.first), c.probe.Dot(c.second)
			if !(first > second && first < second+0.01) {
				t.Fatalf("%v and %v are no close race", first, second)
			}
			s, err := NewScanner(Faces{Dim: dim, Data: slices.Concat(c.second, c.first, c.second)})
			if err != nil {
				t.Fatal(err)
			}
			want := []Match{{1, first}}
			if got, err := s.Nearest(c.probe, 1); err != nil || !slices.Equal(got, want) {
				t.Errorf("the nearest is %v, %v, want %v", got, err, want)
			}
			if got, err := s.Above(c.probe, second); err != nil || !slices.Equal(got, want) {
				t.Errorf("above %v is %v, %v, want %v", second, got, err, want)
			}
		})
	}
}

// TestScannerWhereFloat32Misleads looks for the nearest of faces that are all
// about as similar to the probe, by less than what float32 tells apart.
func TestScannerWhereFloat32Misleads(t *testing.T) {
	const n, dim, k = 2000, 512, 3
	rng := rand.New(rand.NewPCG(1, 12))
	center := direction(rng, dim)
	f := Faces{Dim: dim}
	for range n {
		f.Data = append(f.Data, mix(center, direction(rng, dim), 1e-6)...)
	}
	s, err := NewScanner(f)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		probe := mix(center, direction(rng, dim), 0.3)
		want := bruteMatches(f, probe)[:k]
		if got, err := s.Nearest(probe, k); err != nil || !slices.Equal(got, want) {
			t.Errorf("probe %d: the nearest are %v, %v, want %v", i, got, err, want)
		}
	}
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
