package places

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/kith-photos/kith/index/geo"
)

const minute = int64(60_000_000)

func TestEstimateBetweenTwoOfTheSameCamera(t *testing.T) {
	a, b := geo.Point{Lat: 60.450, Lon: 22.260}, geo.Point{Lat: 60.458, Lon: 22.260} // 890 m
	far := geo.Point{Lat: 60.4595, Lon: 22.260}                                      // 1,056 m from a
	real := func(at int64, p geo.Point, accuracy float64) Shot {
		return Shot{At: at * minute, Camera: 1, Known: true, Located: true, Point: p, Accuracy: accuracy}
	}
	none := func(at int64) Shot { return Shot{At: at * minute, Camera: 1, Known: true} }
	with := func(s Shot, change func(*Shot)) Shot { change(&s); return s }
	for _, c := range []struct {
		what  string
		shots []Shot
		want  string // shot: latitude accuracy
	}{
		{"a quarter of the way", []Shot{real(0, a, 5), none(5), real(20, b, 10)}, "1: 60.4520 905; "},
		{"accuracies not known", []Shot{real(0, a, 0), none(10), real(20, b, math.NaN())}, "1: 60.4540 950; "},
		{"two between", []Shot{real(0, a, 5), none(15), none(30), real(30, a, 5)}, "1: 60.4500 10; 2: 60.4500 10; "},
		{"31 minutes", []Shot{real(0, a, 5), none(15), real(31, a, 5)}, ""},
		{"over a kilometre", []Shot{real(0, a, 5), none(15), real(30, far, 5)}, ""},
		{"nothing after", []Shot{real(0, a, 5), none(1)}, ""},
		{"nothing before", []Shot{none(0), real(1, a, 5)}, ""},
		{"another camera", []Shot{real(0, a, 5), with(none(1), func(s *Shot) { s.Camera = 2 }), real(2, a, 5)}, ""},
		{"two cameras between", []Shot{real(0, a, 5), none(1), with(real(2, a, 5), func(s *Shot) { s.Camera = 2 })}, ""},
		{"no camera", []Shot{with(real(0, a, 5), func(s *Shot) { s.Camera = -1 }), with(none(1), func(s *Shot) { s.Camera = -1 }),
			with(real(2, a, 5), func(s *Shot) { s.Camera = -1 })}, ""},
		{"a time that cannot be compared", []Shot{real(0, a, 5), with(none(1), func(s *Shot) { s.Known = false }), real(2, a, 5)}, ""},
		{"beside such a one", []Shot{real(0, a, 5), with(real(1, far, 5), func(s *Shot) { s.Known = false }), none(1), real(2, a, 5)}, "2: 60.4500 10; "},
		{"a position that is none", []Shot{real(0, a, 5), with(real(1, a, 5), func(s *Shot) { s.Point.Lat = 91 }), none(1), real(2, a, 5)}, "2: 60.4500 10; "},
		{"the nearest two count", []Shot{real(0, a, 5), real(1, b, 5), none(2), real(3, b, 5), real(4, a, 5)}, "2: 60.4580 10; "},
		{"not over a jump", []Shot{real(0, a, 5), none(1), real(2, far, 5), none(3), real(4, a, 5)}, ""},
		{"no chain", []Shot{real(0, a, 5), none(20), none(40), real(60, a, 5)}, ""},
		{"the ends of time", []Shot{real(0, a, 5), none(0), real(0, a, 5), with(real(0, a, 5), func(s *Shot) { s.At = math.MaxInt64 }),
			with(none(0), func(s *Shot) { s.At = math.MinInt64 + 1 }), with(real(0, a, 5), func(s *Shot) { s.At = math.MinInt64 })}, "1: 60.4500 10; "},
	} {
		for i := range c.shots {
			c.shots[i].Key = fmt.Sprint("k", i)
		}
		got := ""
		for _, g := range Estimate(c.shots) {
			got += fmt.Sprintf("%d: %.4f %.0f; ", g.Shot, g.Point.Lat, g.Accuracy)
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
}

func TestEstimateCrossesThe180thMeridian(t *testing.T) {
	shots := []Shot{
		{Key: "a", At: 0, Known: true, Located: true, Point: geo.Point{Lat: -17, Lon: 179.998}},
		{Key: "b", At: 3, Known: true},
		{Key: "c", At: 4, Known: true, Located: true, Point: geo.Point{Lat: -17, Lon: -179.998}},
	}
	got := Estimate(shots)
	if len(got) != 1 || geo.Distance(got[0].Point, geo.Point{Lat: -17, Lon: -179.999}) > 0.01 {
		t.Errorf("%+v", got)
	}
}

// TestEstimateProperties holds each guess against the rule, and the set of
// guesses against another order of the shots.
func TestEstimateProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		shots := make([]Shot, rapid.IntRange(0, 60).Draw(t, "shots"))
		at := int64(0)
		for i := range shots {
			at += r.Int64N(20) * minute / 2
			shots[i] = Shot{Key: fmt.Sprintf("%x", r.Uint64()), At: at, Camera: int32(r.IntN(3) - 1), Known: r.IntN(8) > 0, Located: r.IntN(2) == 0,
				Point: geo.Point{Lat: 60 + 0.005*r.NormFloat64(), Lon: 22}, Accuracy: float64(r.IntN(3))}
		}
		got := map[string]Guess{}
		for _, g := range Estimate(shots) {
			s, a, b := shots[g.Shot], shots[g.Before], shots[g.After]
			d := geo.Distance(a.Point, b.Point)
			if s.Located || !a.Located || !b.Located || !s.Known || !a.Known || !b.Known || s.Camera < 0 || a.Camera != s.Camera || b.Camera != s.Camera ||
				a.At > s.At || b.At < s.At || b.At-a.At > 30*minute || d > 1000 || g.Accuracy < d {
				t.Fatalf("%+v: %+v between %+v and %+v", g, s, a, b)
			}
			for _, o := range shots {
				if o.Located && o.Known && o.Camera == s.Camera && o.At > a.At && o.At < b.At {
					t.Fatalf("%+v is nearer", o)
				}
			}
			if off := geo.Distance(a.Point, g.Point) + geo.Distance(g.Point, b.Point) - d; off > 0.01 {
				t.Fatalf("%+v is %f m off the way", g, off)
			}
			if _, twice := got[s.Key]; twice {
				t.Fatal("two guesses for one shot")
			}
			got[s.Key] = Guess{Point: g.Point, Accuracy: g.Accuracy}
		}
		r.Shuffle(len(shots), func(i, j int) { shots[i], shots[j] = shots[j], shots[i] })
		again := Estimate(shots)
		if len(again) != len(got) {
			t.Fatalf("%d guesses, in another order %d", len(got), len(again))
		}
		for _, g := range again {
			if want := got[shots[g.Shot].Key]; want.Point != g.Point || want.Accuracy != g.Accuracy {
				t.Fatalf("%+v, in another order %+v", want, g)
			}
		}
	})
}
