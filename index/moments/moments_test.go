package moments

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/kith-photos/kith/index/geo"
	"github.com/kith-photos/kith/testdata/synth"
	"pgregory.net/rapid"
)

const (
	second = int64(1e6)
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour
)

// drawShots draws shots of a few days, places and cameras, with gaps from none
// to days.
func drawShots(t *rapid.T) []Shot {
	places := []geo.Point{{Lat: 60.45, Lon: 22.27}, {Lat: 60.453, Lon: 22.272}, {Lat: 60.47, Lon: 22.3}, {Lat: 38.72, Lon: -9.14}, {Lat: -17, Lon: 179.999}, {Lat: -17, Lon: -179.999}}
	at := 15_000 * day
	burst := int32(-1)
	var out []Shot
	for i := range rapid.IntRange(1, 60).Draw(t, "shots") {
		inBurst := burst >= 0 && rapid.Bool().Draw(t, "more of the burst")
		if inBurst {
			at += rapid.Int64Range(0, second).Draw(t, "frame")
		} else {
			at += rapid.OneOf(rapid.Int64Range(0, 2*minute), rapid.Int64Range(0, 5*hour), rapid.Int64Range(0, 3*day)).Draw(t, "gap")
		}
		s := Shot{
			Key: fmt.Sprintf("%04d", i*7919%10007), At: at, Day: int32(at / day), Burst: -1,
			Camera: int32(rapid.IntRange(-1, 2).Draw(t, "camera")),
			Weight: float32(rapid.IntRange(0, 2).Draw(t, "weight")),
			Coarse: !inBurst && rapid.IntRange(0, 9).Draw(t, "coarse") == 0,
		}
		if s.HasPoint = rapid.Bool().Draw(t, "located"); s.HasPoint {
			s.Point = rapid.SampledFrom(places).Draw(t, "place")
		}
		if inBurst {
			s.Burst = burst
		} else if !s.Coarse && rapid.IntRange(0, 4).Draw(t, "burst") == 0 {
			burst = int32(i)
			s.Burst = burst
		} else {
			burst = -1
		}
		out = append(out, s)
	}
	return out
}

func drawHomes(t *rapid.T) []Home {
	var out []Home
	if rapid.Bool().Draw(t, "home") {
		out = append(out, Home{Point: geo.Point{Lat: 60.45, Lon: 22.27}, Radius: 80, From: 15_001, To: 15_400})
	}
	if rapid.Bool().Draw(t, "second home") {
		out = append(out, Home{Point: geo.Point{Lat: 38.72, Lon: -9.14}, Radius: 200, From: 14_000, To: 15_010})
	}
	return out
}

// named is a timeline with keys in the place of indexes.
func named(shots []Shot, t Timeline) string {
	name := func(of []int32) []string {
		var out []string
		for _, i := range of {
			out = append(out, shots[i].Key)
		}
		return out
	}
	out := ""
	for _, m := range t.Moments {
		out += fmt.Sprintln(name(m.Shots), m.Start, m.End, m.Day, m.Center, m.Radius, shots[m.Cover].Key, m.Coarse)
	}
	for _, d := range t.Days {
		out += fmt.Sprintln(d.Day, d.Moments, shots[d.Cover].Key)
	}
	for _, tr := range t.Trips {
		cover := shots[tr.Cover].Key
		tr.Cover = 0
		out += fmt.Sprintln(tr, cover)
	}
	return out
}

func TestOrderChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shots, homes := drawShots(t), drawHomes(t)
		want := named(shots, Group(shots, homes))
		shuffled := rapid.Permutation(shots).Draw(t, "shuffled")
		slices.Reverse(homes)
		if got := named(shuffled, Group(shuffled, homes)); got != want {
			t.Fatalf("in another order:\n%s\nnot\n%s", got, want)
		}
	})
}

// TestEveryShotIsInOneMoment holds what a timeline promises of itself.
func TestEveryShotIsInOneMoment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shots, homes := drawShots(t), drawHomes(t)
		tl := Group(shots, homes)
		seen := make([]int, len(shots))
		for k, m := range tl.Moments {
			if len(m.Shots) == 0 || !slices.Contains(m.Shots, m.Cover) {
				t.Fatalf("moment %+v", m)
			}
			if k > 0 && m.Start < tl.Moments[k-1].Start {
				t.Fatalf("moment %d before moment %d", k, k-1)
			}
			for j, i := range m.Shots {
				s := shots[i]
				seen[i]++
				if tl.Of[i] != int32(k) {
					t.Fatalf("shot %d is of moment %d and in %d", i, tl.Of[i], k)
				}
				if s.At < m.Start || s.At > m.End || s.Coarse != m.Coarse || s.Coarse && s.Day != m.Day {
					t.Fatalf("%+v in %+v", s, m)
				}
				if s.Weight > shots[m.Cover].Weight {
					t.Fatalf("%+v would be the better cover of %+v", s, m)
				}
				if s.HasPoint && m.Center == nil {
					t.Fatalf("%+v has a place and %+v none", s, m)
				}
				if j == 0 {
					continue
				}
				before := shots[m.Shots[j-1]]
				if before.At > s.At || !m.Coarse && s.At-before.At > Horizon.Microseconds() {
					t.Fatalf("%+v after %+v", s, before)
				}
			}
			if first := shots[m.Shots[0]]; first.Day != m.Day || first.At != m.Start || shots[m.Shots[len(m.Shots)-1]].At != m.End {
				t.Fatalf("%+v begins with %+v", m, first)
			}
		}
		for i, n := range seen {
			if n != 1 {
				t.Fatalf("shot %d is in %d moments", i, n)
			}
		}
		n := 0
		for k, d := range tl.Days {
			if k > 0 && d.Day <= tl.Days[k-1].Day {
				t.Fatalf("day %d after %d", d.Day, tl.Days[k-1].Day)
			}
			n += len(d.Moments)
			for _, m := range d.Moments {
				if tl.Moments[m].Day != d.Day {
					t.Fatalf("%+v on %+v", tl.Moments[m], d)
				}
			}
		}
		if n != len(tl.Moments) {
			t.Fatalf("%d of %d moments on days", n, len(tl.Moments))
		}
		on := map[int32]bool{}
		for _, tr := range tl.Trips {
			if len(homes) == 0 || tr.Last <= tr.First || tr.Farthest < awayFrom || tr.End-tr.Start < night*second {
				t.Fatalf("trip %+v", tr)
			}
			for _, m := range tr.Moments {
				if on[m] || tl.Moments[m].Start < tr.Start || tl.Moments[m].End > tr.End {
					t.Fatalf("moment %d on trip %+v", m, tr)
				}
				on[m] = true
				if !slices.ContainsFunc(tr.Days, func(d int32) bool { return tl.Days[d].Day == tl.Moments[m].Day }) {
					t.Fatalf("trip %+v has not the day of moment %d", tr, m)
				}
			}
		}
	})
}

func TestBurstsAreNeverParted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shots := drawShots(t)
		for i := range shots { // also bursts that make no sense
			if rapid.IntRange(0, 9).Draw(t, "odd") == 0 && !shots[i].Coarse {
				shots[i].Burst = 1000
			}
		}
		tl := Group(shots, drawHomes(t))
		of := map[int32]int32{}
		for i, s := range shots {
			if s.Burst < 0 {
				continue
			}
			if m, ok := of[s.Burst]; ok && m != tl.Of[i] {
				t.Fatalf("burst %d is in moments %d and %d", s.Burst, m, tl.Of[i])
			}
			of[s.Burst] = tl.Of[i]
		}
	})
}

// together are the keys of the shots of each shot's moment.
func together(shots []Shot, homes []Home) map[string]string {
	tl := Group(shots, homes)
	out := map[string]string{}
	for _, m := range tl.Moments {
		all := ""
		for _, i := range m.Shots {
			all += shots[i].Key + " "
		}
		for _, i := range m.Shots {
			out[shots[i].Key] = all
		}
	}
	return out
}

func TestCoarseShotsDecideNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shots, homes := drawShots(t), drawHomes(t)
		all := together(shots, homes)
		fine := slices.DeleteFunc(slices.Clone(shots), func(s Shot) bool { return s.Coarse })
		for key, with := range together(fine, homes) {
			if all[key] != with {
				t.Fatalf("with coarse shots %s is with %s, without with %s", key, all[key], with)
			}
		}
	})
}

// TestHorizon adds a shot: nothing changes but what is linked to it by gaps of
// at most Horizon.
func TestHorizon(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all, homes := drawShots(t), drawHomes(t)
		added := rapid.IntRange(0, len(all)-1).Draw(t, "added")
		if all[added].Burst >= 0 || all[added].Coarse {
			all[added].Burst, all[added].Coarse = -1, false
		}
		linked := map[string]bool{}
		for _, step := range []int{1, -1} {
			last := all[added].At
			for i := added; i >= 0 && i < len(all); i += step {
				if all[i].Coarse {
					continue
				}
				if (all[i].At-last)*int64(step) > Horizon.Microseconds() {
					break
				}
				last = all[i].At
				linked[all[i].Key] = true
			}
		}
		before := together(slices.Delete(slices.Clone(all), added, added+1), homes)
		for key, with := range together(all, homes) {
			if !linked[key] && before[key] != with {
				t.Fatalf("%s was with %s and is with %s after %+v", key, before[key], with, all[added])
			}
		}
	})
}

// TestOnlyGapsCount shifts all shots in time.
func TestOnlyGapsCount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shots := drawShots(t)
		want := together(shots, nil)
		by := rapid.Int64Range(-20_000, 20_000).Draw(t, "days")
		for i := range shots {
			shots[i].At += by * day
			shots[i].Day += int32(by)
		}
		if !reflect.DeepEqual(want, together(shots, nil)) {
			t.Fatalf("%d days later they are with others", by)
		}
	})
}

func TestNothingIsNothing(t *testing.T) {
	if tl := Group(nil, nil); len(tl.Moments)+len(tl.Days)+len(tl.Trips)+len(tl.Of) != 0 {
		t.Errorf("%+v", tl)
	}
}

// TestWeddingIsFewMoments holds that nearly all of a wedding's photos are in
// as many moments as it has, and no more than a handful around them.
func TestWeddingIsFewMoments(t *testing.T) {
	s := sampleOf(testSeed, synth.Wedding, synth.Options{})
	tl := Group(s.shots, s.homes)
	var sizes []int
	for _, m := range tl.Moments {
		sizes = append(sizes, len(m.Shots))
	}
	slices.Sort(sizes)
	slices.Reverse(sizes)
	true4, n := len(s.album.Events), 0
	for _, size := range sizes[:min(true4, len(sizes))] {
		n += size
	}
	t.Logf("%d photos, %d events, moments of %v", len(s.shots), true4, sizes)
	if len(sizes) > true4+5 || n*100 < 97*len(s.shots) {
		t.Errorf("%d photos of %d events are in moments of %v", len(s.shots), true4, sizes)
	}
}

// TestSinglesStayAlone holds ten years of a snap a day, at home and around.
func TestSinglesStayAlone(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var shots []Shot
	for d := range int64(3650) {
		shots = append(shots, Shot{
			Key: fmt.Sprint(d), At: (12_000+d)*day + r.Int64N(day), Day: int32(12_000 + d), Burst: -1,
			HasPoint: true, Point: geo.Point{Lat: 60 + r.Float64()/10, Lon: 22},
		})
	}
	tl := Group(shots, nil)
	if n := len(tl.Moments); n < 3600 || len(tl.Days) < 3600 {
		t.Errorf("%d moments on %d days", n, len(tl.Days))
	}
	for _, m := range tl.Moments {
		if len(m.Shots) > 2 {
			t.Errorf("%d snaps in a moment", len(m.Shots))
		}
	}
}

// TestTwoPhonesOfOneName holds two people apart whose phones cannot be told
// from each other.
func TestTwoPhonesOfOneName(t *testing.T) {
	s := sampleOf(testSeed, synth.Apart, synth.Options{Years: 0.2})
	for i := range s.shots {
		s.shots[i].Camera = 0
	}
	got := judge(s.truth, ours(s))
	t.Logf("%+v", got)
	if got.mean() < 0.8 {
		t.Errorf("%+v", got)
	}
}
