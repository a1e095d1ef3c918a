package places

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/kith-photos/kith/index/geo"
)

// million is a life of twenty years on a million photos: two homes, work,
// forty places seen again and again, trips, and a tenth of it anywhere.
func million() []Visit {
	l := newLife(11)
	var spots []geo.Point
	for range 40 {
		spots = append(spots, off(turku, 20000*l.r.NormFloat64(), 20000*l.r.NormFloat64()))
	}
	for len(l.visits) < 1_000_000 {
		day := start + l.r.IntN(7300)
		n := 1 + l.r.IntN(60)
		switch x := l.r.IntN(10); {
		case x < 4:
			l.shoot([]geo.Point{turku, oslo}[(day-start)/3650], day, n, 17, 24)
		case x < 5:
			l.shoot(parkad, day, n, 9, 16)
		case x < 7:
			l.shoot(spots[l.r.IntN(40)], day, n, 10, 22)
		case x < 9: // a walk through a town
			p := off([]geo.Point{turku, oslo, cabin}[l.r.IntN(3)], 3000*l.r.NormFloat64(), 3000*l.r.NormFloat64())
			for range n {
				p = off(p, 80*l.r.NormFloat64(), 80*l.r.NormFloat64())
				l.shoot(p, day, 1, 10, 20)
			}
		default:
			p := geo.Point{Lat: 180 / math.Pi * math.Asin(2*l.r.Float64()-1) * 0.9, Lon: 360*l.r.Float64() - 180}
			l.shoot(p, day, n, 8, 22)
		}
	}
	return l.visits[:1_000_000]
}

// BenchmarkFrequent finds the places of a million visits.
func BenchmarkFrequent(b *testing.B) {
	visits := million()
	b.ReportAllocs()
	b.ResetTimer()
	n := 0
	for b.Loop() {
		places, _ := Frequent(visits)
		n = len(places)
	}
	b.ReportMetric(float64(n), "places")
}

// BenchmarkFrequentSpread is the worst ground: visits without end on 30 by 30 km.
func BenchmarkFrequentSpread(b *testing.B) {
	l := newLife(12)
	visits := make([]Visit, 1_000_000)
	for i := range visits {
		visits[i] = Visit{Point: off(turku, 30000*l.r.Float64(), 30000*l.r.Float64()), Day: int32(l.r.IntN(7300)), Minute: int16(l.r.IntN(1440))}
	}
	b.ReportAllocs()
	b.ResetTimer()
	n := 0
	for b.Loop() {
		places, _ := Frequent(visits)
		n = len(places)
	}
	b.ReportMetric(float64(n), "places")
}

// BenchmarkEstimate estimates among a million shots, half of them without a position.
func BenchmarkEstimate(b *testing.B) {
	r := rand.New(rand.NewPCG(13, 0))
	shots := make([]Shot, 1_000_000)
	for i := range shots {
		shots[i] = Shot{Key: fmt.Sprintf("%016x", r.Uint64()), At: r.Int64N(2_000_000 * minute), Camera: int32(r.IntN(4)), Known: true,
			Located: r.IntN(2) == 0, Point: off(turku, 100*r.NormFloat64(), 100*r.NormFloat64())}
	}
	b.ReportAllocs()
	b.ResetTimer()
	n := 0
	for b.Loop() {
		n = len(Estimate(shots))
	}
	b.ReportMetric(float64(n), "guesses")
}

// cities is a file with as many lines as cities500.txt and as many other names
// to a line, eight, a third of them not in Latin letters; around 3,000 centres.
func cities(n int) string {
	r := rand.New(rand.NewPCG(14, 0))
	word := func() string {
		var b strings.Builder
		letters := []rune("abcdefghijklmnopqrstuvwxyzäöéñ")
		if r.IntN(3) == 0 {
			letters = []rune("абвгдежзиклмнопрстуфх東京大阪名古屋")
		}
		for range 4 + r.IntN(10) {
			b.WriteRune(letters[r.IntN(len(letters))])
		}
		return b.String()
	}
	var centres []geo.Point
	for range 3000 {
		centres = append(centres, geo.Point{Lat: 180 / math.Pi * math.Asin(2*r.Float64()-1) * 0.8, Lon: 360*r.Float64() - 180})
	}
	var b strings.Builder
	for i := range n {
		p := off(centres[r.IntN(len(centres))], 60000*r.NormFloat64(), 60000*r.NormFloat64())
		c := strings.Split(city(i, word(), p, "PPL", "FI", int(500*math.Exp(2*math.Abs(r.NormFloat64())))), "\t")
		others := make([]string, 8)
		for j := range others {
			others[j] = word()
		}
		c[3] = strings.Join(others, ",")
		b.WriteString(strings.Join(c, "\t") + "\n")
	}
	return b.String()
}

// BenchmarkReadGeoNames loads 200,000 places, and says how much memory they hold.
func BenchmarkReadGeoNames(b *testing.B) {
	text := cities(200_000)
	b.SetBytes(int64(len(text)))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var x *Index
	for b.Loop() {
		var err error
		if x, err = ReadGeoNames(strings.NewReader(text), nil); err != nil {
			b.Fatal(err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MiB-held")
	runtime.KeepAlive(x)
	runtime.KeepAlive(text)
}

// BenchmarkNearest looks up points where people live, among 200,000 places.
func BenchmarkNearest(b *testing.B) {
	x, err := ReadGeoNames(strings.NewReader(cities(200_000)), nil)
	if err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(15, 0))
	points := make([]geo.Point, 10_000)
	for i := range points {
		points[i] = off(x.places[r.IntN(x.Len())].point, 3000*r.NormFloat64(), 3000*r.NormFloat64())
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; b.Loop(); i++ {
		x.Nearest(points[i%len(points)])
	}
}

// BenchmarkFind looks up names, among 200,000 places.
func BenchmarkFind(b *testing.B) {
	x, err := ReadGeoNames(strings.NewReader(cities(200_000)), nil)
	if err != nil {
		b.Fatal(err)
	}
	var names []string
	for i := range 1000 {
		all := x.called(i * 100)
		names = append(names, strings.ToUpper(all[i%len(all)]))
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; b.Loop(); i++ {
		if len(x.Find(names[i%len(names)])) == 0 {
			b.Fatalf("%q is not found", names[i%len(names)])
		}
	}
}
