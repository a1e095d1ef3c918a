//go:build unix

package cluster

import (
	"bytes"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/kith-photos/kith/face/internal/simd"
)

// BenchmarkGroup groups whole albums, and reports the processor time and, on
// Linux, the most memory that the process held meanwhile, the vectors
// included. The largest album takes a minute or so:
//
//	go test -run '^$' -bench 'Group/n=(1000|5000|20000)$' ./face/cluster
//	go test -run '^$' -bench 'Group/n=100000$' -benchtime 1x ./face/cluster
func BenchmarkGroup(b *testing.B) {
	for _, n := range []int{1000, 5000, 20000, 100_000} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			f := newAlbum(1, n).Faces
			f.Data = slices.Clone(f.Data) // without the room that append made
			measure(b, n*(n-1)/2, func() { group(b, f, Links{}, Options{Impostors: normalTail(strangerSD)}) })
		})
	}
}

// BenchmarkNearest is the part of Group that compares all pairs. With -cpu 1,2
// it shows what a second processor brings.
func BenchmarkNearest(b *testing.B) {
	for _, n := range []int{5000, 20000, 100_000} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			f := newAlbum(1, n).Faces
			f.Data = slices.Clone(f.Data)
			d := distinctVectors(f)
			floor := floorStep(Options{Impostors: normalTail(strangerSD)}.withDefaults())
			measure(b, n*(n-1)/2, func() {
				if _, err := nearest(b.Context(), f, d, floor); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

// BenchmarkSimilarities compares the integer kernel with gonum's matrix
// product over the same pairs, in turns, and reports how many pairs each does
// in a second of processor time.
func BenchmarkSimilarities(b *testing.B) {
	const n, pairs = 2048, 2048 * 2047 / 2
	f := newAlbum(1, n).Faces
	m := quantized(f.Dim, n, f.row)
	var fast, slow time.Duration
	for b.Loop() {
		start := cpuTime(b)
		above := 0
		gonumSimilarities(f, func(_, _ int, sims []float32) {
			for _, sim := range sims {
				if sim > 0.3 {
					above++
				}
			}
		})
		middle := cpuTime(b)
		const times = 10 // about as long as gonum once
		for range times {
			found := 0
			err := similarities(b.Context(), m, one*3/10, func(p []pair) { found += len(p) })
			if err != nil || above == 0 || found == 0 {
				b.Fatal(above, found, err)
			}
		}
		slow += middle - start
		fast += (cpuTime(b) - middle) / times
	}
	perSecond := func(d time.Duration) float64 { return float64(b.N) * pairs / d.Seconds() / 1e6 }
	b.ReportMetric(perSecond(slow), "gonum-Mpairs/s")
	b.ReportMetric(perSecond(fast), simd.Name()+"-Mpairs/s")
	b.ReportMetric(slow.Seconds()/fast.Seconds(), "x-gonum")
	b.ReportMetric(0, "ns/op")
}

// measure reports what f costs, which compares so many pairs.
func measure(b *testing.B, pairs int, f func()) {
	b.Helper()
	debug.FreeOSMemory()
	forgetPeak()
	start := cpuTime(b)
	for b.Loop() {
		f()
	}
	cpu := (cpuTime(b) - start).Seconds() / float64(b.N)
	b.ReportMetric(cpu, "cpu-s/op")
	b.ReportMetric(float64(pairs)/cpu/1e6, "Mpairs/cpu-s")
	if mb := peakMB(); mb > 0 {
		b.ReportMetric(mb, "peak-MB")
	}
}

func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// forgetPeak resets what peakMB reads to what is in use now, on Linux.
func forgetPeak() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }

// peakMB is the most memory that the process has held, 0 where nothing says.
func peakMB() float64 {
	status, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := bytes.Cut(status, []byte("VmHWM:"))
	var kb float64
	_, _ = fmt.Sscan(string(rest), &kb)
	return kb / 1024
}
