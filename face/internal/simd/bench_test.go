package simd

import (
	"math/rand/v2"
	"testing"
)

// BenchmarkTile multiplies panels that lie in the second-level cache.
func BenchmarkTile(b *testing.B) {
	const a, c = 4, 2
	rng := rand.New(rand.NewPCG(1, 5))
	m := random((a+c)*Lanes, 512, func() int16 { return int16(rng.IntN(4000) - 2000) })
	out := make([]int32, a*Lanes*c*Lanes)
	for _, k := range kernels() {
		b.Run(k.name, func(b *testing.B) {
			for b.Loop() {
				k.tile(out, c*Lanes, m.panels(0, a), m.panels(a, a+c), m.width)
			}
			b.ReportMetric(float64(b.N)*float64(len(out))/b.Elapsed().Seconds()/1e6, "Mpairs/s")
		})
	}
}

// BenchmarkDots compares one vector with 100,000.
func BenchmarkDots(b *testing.B) {
	const n = 100_000
	rng := rand.New(rand.NewPCG(1, 6))
	m := random8(n, 512, func() int8 { return int8(rng.IntN(255) - 127) })
	out := make([]int32, m.Panels()*Lanes)
	probe := make([]int8, m.width)
	for _, k := range kernels() {
		b.Run(k.name, func(b *testing.B) {
			for b.Loop() {
				k.dots(out, probe, m.data)
			}
			b.ReportMetric(float64(b.N)*float64(len(m.data))/b.Elapsed().Seconds()/1e9, "GB/s")
		})
	}
}

// BenchmarkAbove searches the products of one BenchmarkTile.
func BenchmarkAbove(b *testing.B) {
	dots := make([]int32, 8192)
	hits := make([]uint32, len(dots)/32)
	for _, k := range kernels() {
		b.Run(k.name, func(b *testing.B) {
			for b.Loop() {
				k.above(hits, dots, 0)
			}
		})
	}
}
