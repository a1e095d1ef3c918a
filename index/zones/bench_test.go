package zones

import (
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/kith-photos/kith/index/geo"
)

// BenchmarkZone looks up positions near cities, where photos are taken, and
// anywhere.
func BenchmarkZone(b *testing.B) {
	z := zones(b)
	cities := []geo.Point{{Lat: 60.45, Lon: 22.27}, {Lat: 52.52, Lon: 13.4}, {Lat: 40.71, Lon: -74}, {Lat: 35.68, Lon: 139.65}, {Lat: -33.87, Lon: 151.2}, {Lat: 47.56, Lon: 7.59}}
	rng := rand.New(rand.NewPCG(1, 2))
	near, any := make([]geo.Point, 4096), make([]geo.Point, 4096)
	for i := range near {
		c := cities[rng.IntN(len(cities))]
		near[i] = geo.Point{Lat: c.Lat + rng.Float64()/10, Lon: c.Lon + rng.Float64()/10}
		any[i] = geo.Point{Lat: rng.Float64()*180 - 90, Lon: rng.Float64()*360 - 180}
	}
	for name, points := range map[string][]geo.Point{"cities": near, "anywhere": any} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				z.Zone(points[i%len(points)])
			}
		})
	}
}

// BenchmarkNew also reports what stays in memory.
func BenchmarkNew(b *testing.B) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var z *Zones
	for b.Loop() {
		var err error
		if z, err = New(); err != nil {
			b.Fatal(err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB-kept")
	runtime.KeepAlive(z)
}
