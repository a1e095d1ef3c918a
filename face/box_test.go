package face

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func anyBox() *rapid.Generator[Box] {
	return rapid.Custom(func(t *rapid.T) Box {
		at := rapid.Float64Range(-50, 150)
		side := rapid.Float64Range(0.5, 80)
		return Box{at.Draw(t, "x"), at.Draw(t, "y"), side.Draw(t, "w"), side.Draw(t, "h")}
	})
}

func TestBox(t *testing.T) {
	a := Box{X: 0, Y: 0, W: 10, H: 20}
	for _, c := range []struct {
		b          Box
		inter, iou float64
	}{
		{a, 200, 1},
		{Box{X: 5, Y: 0, W: 10, H: 20}, 100, 100.0 / 300},
		{Box{X: 2, Y: 5, W: 4, H: 10}, 40, 0.2},
		{Box{X: 10, Y: 0, W: 10, H: 20}, 0, 0}, // touches
		{Box{X: 50, Y: 50, W: 1, H: 1}, 0, 0},
		{Box{X: 5, Y: 5, W: -3, H: 3}, 0, 0},
		{Box{}, 0, 0},
	} {
		if got := a.Intersection(c.b); got != c.inter {
			t.Errorf("%+v: intersection %v, want %v", c.b, got, c.inter)
		}
		if got := a.IoU(c.b); math.Abs(got-c.iou) > 1e-12 {
			t.Errorf("%+v: IoU %v, want %v", c.b, got, c.iou)
		}
	}
	if got := a.Center(); got != (Point{5, 10}) {
		t.Errorf("center %v", got)
	}
	if a.Area() != 200 || (Box{W: -1, H: -1}).Area() != 0 || (Box{W: 3}).Area() != 0 {
		t.Errorf("areas %v, %v, %v", a.Area(), Box{W: -1, H: -1}.Area(), Box{W: 3}.Area())
	}
	for _, b := range []Box{{X: math.NaN()}, {Y: math.Inf(1)}, {W: math.Inf(-1)}, {H: math.NaN()}} {
		if b.Finite() {
			t.Errorf("%+v counts as finite", b)
		}
	}
	if !a.Finite() {
		t.Errorf("%+v does not count as finite", a)
	}
}

func TestIoUProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyBox().Draw(t, "a"), anyBox().Draw(t, "b")
		iou := a.IoU(b)
		if iou != b.IoU(a) {
			t.Fatalf("not symmetric: %v and %v", iou, b.IoU(a))
		}
		if !(iou >= 0 && iou <= 1+1e-9) || math.Abs(a.IoU(a)-1) > 1e-9 {
			t.Fatalf("IoU %v, with itself %v", iou, a.IoU(a))
		}
		// Counted on a fine grid over a.
		const n = 64
		hits := 0
		for i := range n * n {
			x, y := a.X+(float64(i%n)+0.5)/n*a.W, a.Y+(float64(i/n)+0.5)/n*a.H
			if x > b.X && x < b.X+b.W && y > b.Y && y < b.Y+b.H {
				hits++
			}
		}
		share := float64(hits) / (n * n)
		if got := a.Intersection(b) / a.Area(); math.Abs(got-share) > 3.0/n {
			t.Fatalf("intersection is %v of a, counted %v", got, share)
		}
	})
}

func anyDetections() *rapid.Generator[[]Detection] {
	return rapid.Custom(func(t *rapid.T) []Detection {
		one := rapid.Custom(func(t *rapid.T) Detection {
			box := anyBox().Draw(t, "box")
			if rapid.Bool().Draw(t, "coarse") {
				// Few places and sizes, so that some are equal.
				n := rapid.IntRange(0, 2)
				box = Box{20 * float64(n.Draw(t, "x")), 20 * float64(n.Draw(t, "y")),
					30 + 10*float64(n.Draw(t, "w")), 30 + 10*float64(n.Draw(t, "h"))}
			}
			// Few scores, for the same reason.
			return Detection{Box: box, Score: float64(rapid.IntRange(0, 6).Draw(t, "score")) / 6}
		})
		return rapid.SliceOfN(one, 0, 20).Draw(t, "detections")
	})
}

func TestSuppressProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ds := anyDetections().Draw(t, "ds")
		iou := rapid.Float64Range(0, 1).Draw(t, "iou")
		contain := rapid.SampledFrom([]float64{0.5, 0.65, 1, 2}).Draw(t, "contain")
		before := slices.Clone(ds)
		kept := Suppress(ds, iou, contain)
		if !slices.Equal(ds, before) {
			t.Fatal("the input was changed")
		}
		rnd := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		rnd.Shuffle(len(ds), func(i, j int) { ds[i], ds[j] = ds[j], ds[i] })
		if again := Suppress(ds, iou, contain); !slices.Equal(again, kept) {
			t.Fatalf("another order gives %v, not %v", again, kept)
		}
		if again := Suppress(kept, iou, contain); !slices.Equal(again, kept) {
			t.Fatalf("a second time gives %v, not %v", again, kept)
		}
		overlaps := func(a, b Detection) bool {
			return a.Box.IoU(b.Box) > iou || a.Box.Intersection(b.Box) > contain*min(a.Box.Area(), b.Box.Area())
		}
		for i, k := range kept {
			if i > 0 && k.Score > kept[i-1].Score {
				t.Fatal("scores rise")
			}
			for _, o := range kept[:i] {
				if overlaps(k, o) {
					t.Fatalf("kept both %v and %v", k, o)
				}
			}
		}
		for _, d := range before {
			if slices.Contains(kept, d) {
				continue
			}
			if !slices.ContainsFunc(kept, func(k Detection) bool { return k.Score >= d.Score && overlaps(d, k) }) {
				t.Fatalf("%v was dropped for nothing", d)
			}
		}
	})
}

func TestSuppressNested(t *testing.T) {
	big := Detection{Box: Box{W: 100, H: 100}, Score: 0.9}
	small := Detection{Box: Box{X: 10, Y: 10, W: 20, H: 20}, Score: 0.95}
	if got := Suppress([]Detection{big, small}, 0.4, 1); len(got) != 2 {
		t.Errorf("containment off: %v", got)
	}
	if got := Suppress([]Detection{big, small}, 0.4, 0.65); len(got) != 1 || got[0] != small {
		t.Errorf("containment on: %v", got)
	}
	if got := Suppress(nil, 0.4, 0.65); len(got) != 0 {
		t.Errorf("nothing gives %v", got)
	}
}

func TestVector(t *testing.T) {
	v := Vector{3, 0, 4}
	if !v.Normalize() || math.Abs(v.Dot(v)-1) > 1e-6 || math.Abs(v.Dot(Vector{1, 0, 0})-0.6) > 1e-6 {
		t.Errorf("normalised to %v", v)
	}
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, bad := range []Vector{nil, {0, 0}, {nan, 1}, {inf, 1}} {
		before := slices.Clone(bad)
		if bad.Normalize() {
			t.Errorf("%v was normalised to %v", before, bad)
		}
	}
	tiny := Vector{1e-30, 1e-30}
	if !tiny.Normalize() || math.Abs(tiny.Dot(tiny)-1) > 1e-6 {
		t.Errorf("a tiny vector became %v", tiny)
	}
}
