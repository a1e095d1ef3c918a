//go:build unix

package cluster

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"
	"unsafe"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"

	"github.com/kith-photos/kith/face/internal/simd"
)

// BenchmarkScanner looks for the ten faces of 100,000 nearest to one: in a
// made-up library, and in one whose faces are all alike, so that rounding tells
// nothing. It compares the Scanner with float32 products, and with the time to
// read the vectors once; in turns, and the medians of the processor time:
//
//	go test -run '^$' -bench Scanner -benchtime 50x ./face/cluster
//
// recall@10 is how many of the ten nearest are found, on average: by the
// products of the rounded vectors alone, and by the Scanner.
func BenchmarkScanner(b *testing.B) {
	const n, dim = 100_000, 512
	b.Run("album", func(b *testing.B) { benchmarkScanner(b, newAlbum(1, n).Faces) })
	b.Run("alike", func(b *testing.B) {
		rng := rand.New(rand.NewPCG(1, 0))
		f, center := Faces{Dim: dim}, direction(rng, dim)
		for range n {
			f.Data = append(f.Data, mix(center, direction(rng, dim), 0.05)...)
		}
		benchmarkScanner(b, f)
	})
}

func benchmarkScanner(b *testing.B, f Faces) {
	const k = 10
	f.Data = slices.Clone(f.Data) // without the room that append made
	s, err := NewScanner(f)
	if err != nil {
		b.Fatal(err)
	}
	out := make([]float32, f.Len())
	var sink uint64
	var took [4][]time.Duration
	i := 0
	for b.Loop() {
		probe := f.row(i)
		for v, run := range []func(){
			func() { sink += readWords(f.Data) },
			func() { readVectors(f.Data) },
			func() { floatNearest(f, probe, out, k) },
			func() {
				if _, err := s.Nearest(probe, k); err != nil {
					b.Fatal(err)
				}
			},
		} {
			start := cpuTime(b)
			run()
			took[v] = append(took[v], cpuTime(b)-start)
		}
		i = (i + 7919) % f.Len()
	}
	runtime.KeepAlive(sink)
	read := min(median(took[0]), median(took[1]))
	b.ReportMetric(4e-9*float64(len(f.Data))/read, "read-GB/s")
	b.ReportMetric(1000*median(took[0]), "read-go-cpu-ms")
	b.ReportMetric(1000*median(took[1]), "read-"+simd.Name()+"-cpu-ms")
	b.ReportMetric(1000*median(took[2]), "gonum-float32-cpu-ms")
	b.ReportMetric(1000*median(took[3]), "scanner-cpu-ms")
	b.ReportMetric(median(took[3])/read, "scanner/read")
	alone, ranked := recalls(b, s, k)
	b.ReportMetric(alone, "int8-recall@10")
	b.ReportMetric(ranked, "scanner-recall@10")
	b.ReportMetric(0, "ns/op")
}

func median(d []time.Duration) float64 {
	slices.Sort(d)
	return d[len(d)/2].Seconds()
}

// readWords reads the vectors in plain Go, two streams of words at a time.
func readWords(data []float32) uint64 {
	words := unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(data))), len(data)/2)
	half := len(words) / 2
	var a, b, c, d uint64
	for i := 0; i+8 <= half; i += 8 {
		x, y := (*[8]uint64)(words[i:]), (*[8]uint64)(words[half+i:])
		a += x[0] + x[4] + y[0] + y[4]
		b += x[1] + x[5] + y[1] + y[5]
		c += x[2] + x[6] + y[2] + y[6]
		d += x[3] + x[7] + y[3] + y[7]
	}
	return a + b + c + d
}

// readVectors reads them with the widest loads that there are: those of
// simd.Above, which does little else.
func readVectors(data []float32) {
	words := unsafe.Slice((*int32)(unsafe.Pointer(unsafe.SliceData(data))), len(data)/32*32)
	hits := make([]uint32, 1024)
	for chunk := range slices.Chunk(words, 32*len(hits)) {
		simd.Above(hits[:len(chunk)/32], chunk, 0)
	}
}

// floatNearest finds the k nearest by products in float32.
func floatNearest(f Faces, probe, out []float32, k int) []Match {
	m := blas32.General{Rows: f.Len(), Cols: f.Dim, Stride: f.Dim, Data: f.Data}
	blas32.Gemv(blas.NoTrans, 1, m, blas32.Vector{N: f.Dim, Inc: 1, Data: probe}, 0, blas32.Vector{N: f.Len(), Inc: 1, Data: out})
	found := shortlist[Match]{k: k, order: nearer}
	for i, x := range out {
		found.add(Match{i, float64(x)})
	}
	return found.first()
}

// recalls compares what the products of rounded vectors and what a Scanner find
// with the truth, for some probes.
func recalls(b *testing.B, s *Scanner, k int) (alone, ranked float64) {
	const probes = 20
	dots := make([]int32, s.m.Panels()*simd.Lanes)
	for p := range probes {
		probe := s.f.row(p * s.f.Len() / probes)
		l, err := s.look(probe)
		if err != nil {
			b.Fatal(err)
		}
		s.m.Dots(dots, l.rounded, 0, s.m.Panels())
		truth, rounded := shortlist[Match]{k: k, order: nearer}, shortlist[Match]{k: k, order: nearer}
		for i, r := range s.m.Roundings(0, s.f.Len()) {
			truth.add(Match{i, dot(probe, s.f.row(i))})
			rounded.add(Match{i, float64(dots[i]) * float64(r.Step) * l.step})
		}
		found, err := s.Nearest(probe, k)
		if err != nil {
			b.Fatal(err)
		}
		alone += sharedFaces(truth.first(), rounded.first()) / probes / float64(k)
		ranked += sharedFaces(truth.first(), found) / probes / float64(k)
	}
	return alone, ranked
}

// sharedFaces counts the faces that two lists share.
func sharedFaces(x, y []Match) (n float64) {
	for _, m := range x {
		if slices.ContainsFunc(y, func(o Match) bool { return m.Face == o.Face }) {
			n++
		}
	}
	return n
}
