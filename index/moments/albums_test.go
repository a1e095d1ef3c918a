package moments

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/kith-photos/kith/index/geo"
	"github.com/kith-photos/kith/testdata/synth"
)

// The limits were set on albums of the dev seeds, 1000 to 1005. Figures are of
// the others only.
const (
	testSeed   = 1      // 1 and 2: the test's
	figureSeed = 10_000 // and on: the benchmark's
)

// measure is the mean score of a method on albums of each kind.
func measure(m method, albums map[synth.Kind][]sample) (byKind map[synth.Kind]score, mean score) {
	byKind = map[synth.Kind]score{}
	for kind, of := range albums {
		for _, a := range of {
			byKind[kind] = byKind[kind].add(judge(a.truth, m.group(a)), 1/float64(len(of)))
		}
	}
	for _, kind := range synth.Kinds() {
		mean = mean.add(byKind[kind], 1/float64(len(albums)))
	}
	return byKind, mean
}

func albums(first uint64, n int, opt synth.Options) map[synth.Kind][]sample {
	out := map[synth.Kind][]sample{}
	for _, kind := range synth.Kinds() {
		for seed := range uint64(n) {
			out[kind] = append(out[kind], sampleOf(first+seed, kind, opt))
		}
	}
	return out
}

// TestAlbums holds the figures of the benchmark on a few short albums; the
// margins are two thirds of what they are there.
func TestAlbums(t *testing.T) {
	of := albums(testSeed, 2, synth.Options{Years: 0.3})
	means := map[string]score{}
	for _, m := range methods() {
		_, means[m.name] = measure(m, of)
		t.Logf("%-8s %.3f of pairs %.3f, BCubed %.3f, of boundaries %.3f", m.name, means[m.name].mean(),
			means[m.name].pair, means[m.name].bcubed, means[m.name].boundary)
	}
	kith := means["kith"]
	for name, margin := range map[string]float64{"10min": 0.15, "6h": 0.13, "1h": 0.05, "2h": 0.08, "phototoc": 0.3} {
		if got := kith.mean() - means[name].mean(); got < margin {
			t.Errorf("%.3f in mean F, only %.3f better than %s", kith.mean(), got, name)
		}
	}
	if kith.pair < 0.93 || kith.bcubed < 0.93 || kith.boundary < 0.85 {
		t.Errorf("mean F of %+v", kith)
	}
	trips := tripScore(map[synth.Kind][]sample{synth.Trips: {
		sampleOf(testSeed, synth.Trips, synth.Options{}), sampleOf(testSeed+1, synth.Trips, synth.Options{}),
	}})
	t.Logf("%+v", trips)
	if trips.recall() < 0.9 || trips.precision() < 0.9 || trips.photos < 0.95 {
		t.Errorf("%+v", trips)
	}
}

// tripsFound counts true trips and those found. One is right that shares at
// least four fifths of all photos of either with the other.
type tripsFound struct {
	truth, found, right int
	photos              float64 // F of photos being on a trip
}

func (t tripsFound) recall() float64    { return float64(t.right) / float64(max(t.truth, 1)) }
func (t tripsFound) precision() float64 { return float64(t.right) / float64(max(t.found, 1)) }

func tripScore(of map[synth.Kind][]sample) tripsFound {
	var s tripsFound
	var hit, said, should float64
	for _, kind := range synth.Kinds() {
		for _, a := range of[kind] {
			tl := Group(a.shots, a.homes)
			trip := make([]int, len(a.shots))
			for k, t := range tl.Trips {
				for _, m := range t.Moments {
					for _, i := range tl.Moments[m].Shots {
						trip[i] = k + 1
					}
				}
			}
			both, truth, found := map[[2]int]int{}, map[int]int{}, map[int]int{}
			for i, p := range a.album.Photos {
				both[[2]int{p.Trip, trip[i] - 1}]++
				truth[p.Trip]++
				found[trip[i]-1]++
				if p.Trip >= 0 {
					should++
				}
				if trip[i] > 0 {
					said++
				}
				if p.Trip >= 0 && trip[i] > 0 {
					hit++
				}
			}
			for k, n := range both {
				if k[0] >= 0 && k[1] >= 0 && 5*n >= 4*(truth[k[0]]+found[k[1]]-n) {
					s.right++
				}
			}
			s.found += len(tl.Trips)
			for k := range truth {
				if k >= 0 {
					s.truth++
				}
			}
		}
	}
	s.photos = f(hit/max(said, 1), hit/max(should, 1))
	return s
}

// BenchmarkAlbums prints how well the moments of synthetic albums are found,
// by kind and in the mean, beside fixed gaps and PhotoTOC:
//
//	go test -bench Albums -benchtime 1x ./index/moments
func BenchmarkAlbums(b *testing.B) {
	of := albums(figureSeed, 20, synth.Options{})
	for _, m := range methods() {
		b.Run(m.name, func(b *testing.B) {
			var byKind map[synth.Kind]score
			var mean score
			for b.Loop() {
				byKind, mean = measure(m, of)
			}
			for _, kind := range synth.Kinds() {
				b.ReportMetric(byKind[kind].mean(), string(kind))
			}
			b.ReportMetric(mean.pair, "pairs-F")
			b.ReportMetric(mean.bcubed, "bcubed-F")
			b.ReportMetric(mean.boundary, "boundary-F")
			b.ReportMetric(mean.mean(), "mean-F")
			b.ReportMetric(0, "ns/op")
		})
	}
	b.Run("trips", func(b *testing.B) {
		var s tripsFound
		for b.Loop() {
			s = tripScore(of)
		}
		b.ReportMetric(float64(s.truth), "true")
		b.ReportMetric(s.recall(), "recall")
		b.ReportMetric(s.precision(), "precision")
		b.ReportMetric(s.photos, "photos-F")
		b.ReportMetric(0, "ns/op")
	})
}

// BenchmarkMillion groups a million shots: those of families, one after the
// other, and the worst there is, everywhere at once by a thousand cameras.
func BenchmarkMillion(b *testing.B) {
	const n = 1_000_000
	var family []Shot
	var homes []Home
	for seed := uint64(1); len(family) < n; seed++ {
		s := sampleOf(seed, synth.Everyday, synth.Options{})
		year := int64(seed)*366 - int64(s.shots[0].Day)
		for _, shot := range s.shots {
			shot.Key = fmt.Sprint(shot.Key, seed)
			shot.Day += int32(year)
			shot.At += year * 86400e6
			family = append(family, shot)
		}
		homes = append(homes, s.homes...)
	}
	r := rand.New(rand.NewPCG(1, 1))
	chaos := make([]Shot, n)
	for i := range chaos {
		at := r.Int64N(30 * 86400e6)
		chaos[i] = Shot{
			Key: fmt.Sprintf("%016x", r.Uint64()), At: at, Day: int32(at / 86400e6), Camera: int32(r.IntN(1000)), Burst: -1,
			HasPoint: r.IntN(2) == 0, Point: geo.Point{Lat: r.Float64()*100 - 50, Lon: r.Float64()*300 - 150},
		}
	}
	r.Shuffle(n, func(i, j int) { family[i], family[j] = family[j], family[i] })
	for _, c := range []struct {
		name  string
		shots []Shot
	}{{"families", family[:n]}, {"chaos", chaos}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				t := Group(c.shots, homes[:min(8, len(homes))])
				b.ReportMetric(float64(len(t.Moments)), "moments")
			}
		})
	}
}
