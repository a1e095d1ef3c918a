package cluster

import (
	"fmt"
	"testing"
)

func BenchmarkGroup(b *testing.B) {
	for _, n := range []int{1000, 5000, 20000} {
		a := newAlbum(1, n)
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				group(b, a.Faces, Links{}, Options{Impostors: normalTail(strangerSD)})
			}
			reportPairs(b, n*(n-1)/2)
		})
	}
}

// BenchmarkSimilarities compares gonum's blocked product with a plain loop of
// four accumulators over the same pairs.
func BenchmarkSimilarities(b *testing.B) {
	const n = 2048
	a := newAlbum(1, n)
	b.Run("gonum", func(b *testing.B) {
		for b.Loop() {
			var above int
			err := similarities(b.Context(), a.Dim, n, a.row, func(_, _ int, sims []float32) {
				for _, sim := range sims {
					if sim > 0.3 {
						above++
					}
				}
			})
			if err != nil || above == 0 {
				b.Fatal(above, err)
			}
		}
		reportPairs(b, n*(n-1)/2)
	})
	b.Run("loop", func(b *testing.B) {
		for b.Loop() {
			var above int
			for i := range n {
				for j := i + 1; j < n; j++ {
					if dot4(a.row(i), a.row(j)) > 0.3 {
						above++
					}
				}
			}
			if above == 0 {
				b.Fatal("no pair is alike")
			}
		}
		reportPairs(b, n*(n-1)/2)
	})
}

// dot4 is a dot product with four accumulators, for lengths that four divides.
func dot4(x, y []float32) float32 {
	var s0, s1, s2, s3 float32
	for len(x) >= 4 && len(y) >= 4 {
		s0 += x[0] * y[0]
		s1 += x[1] * y[1]
		s2 += x[2] * y[2]
		s3 += x[3] * y[3]
		x, y = x[4:], y[4:]
	}
	return s0 + s1 + s2 + s3
}

func reportPairs(b *testing.B, pairs int) {
	b.ReportMetric(float64(b.N)*float64(pairs)/b.Elapsed().Seconds()/1e6, "Mpairs/s")
}
