//go:build unix

package cluster_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kith-photos/kith/face/cluster"
)

// grouped is a made-up library that was grouped whole.
type grouped struct {
	cluster.Faces
	label   []int
	o       cluster.Options
	scanner *cluster.Scanner
	whole   time.Duration // processor time of the grouping
}

func newGrouped(tb testing.TB, n int) grouped {
	tb.Helper()
	f, _, tail := cluster.SyntheticAlbum(1, n)
	g := grouped{Faces: f, o: cluster.Options{Impostors: tail}}
	start := processCPU(tb)
	res, err := cluster.Group(tb.Context(), f, cluster.Links{}, g.o)
	if err != nil {
		tb.Fatal(err)
	}
	g.whole = processCPU(tb) - start
	g.label, g.o.Library = res.Label, res.Calibration
	if g.scanner, err = cluster.NewScanner(f); err != nil {
		tb.Fatal(err)
	}
	return g
}

// extend lets random faces of the library be new, as many as photos times faces
// a photo. It returns the processor time of all, the longest of one photo, and
// how many faces there were in the regions.
func (g grouped) extend(tb testing.TB, rng *rand.Rand, photos, faces int) (all, longest time.Duration, region int) {
	tb.Helper()
	for range photos {
		fresh := rng.Perm(g.Len())[:faces]
		old := make([]int, faces)
		for k, i := range fresh {
			old[k], g.label[i] = g.label[i], -1
		}
		start := processCPU(tb)
		ext, err := cluster.Extend(tb.Context(), g.scanner, g.Faces, g.label, fresh, nil, g.o)
		if err != nil {
			tb.Fatal(err)
		}
		took := processCPU(tb) - start
		all, longest, region = all+took, max(longest, took), region+len(ext.Faces)
		for k, i := range fresh {
			g.label[i] = old[k]
		}
	}
	return all, longest, region
}

// BenchmarkExtend adds a photo to a library of 100,000 made-up faces, and
// compares the processor time with that of grouping the library:
//
//	go test -run '^$' -bench Extend -benchtime 100x ./face/cluster
//
// Grouping the library first takes a minute or so.
func BenchmarkExtend(b *testing.B) {
	for _, n := range []int{20_000, 100_000} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			g := newGrouped(b, n)
			for _, faces := range []int{1, 3} {
				b.Run(fmt.Sprintf("faces=%d", faces), func(b *testing.B) {
					rng := rand.New(rand.NewPCG(2, 2))
					var all, longest time.Duration
					region := 0
					for b.Loop() {
						took, long, size := g.extend(b, rng, 1, faces)
						all, longest, region = all+took, max(longest, long), region+size
					}
					perPhoto := all.Seconds() / float64(b.N)
					b.ReportMetric(1000*perPhoto, "cpu-ms/photo")
					b.ReportMetric(1000*longest.Seconds(), "cpu-ms-longest")
					b.ReportMetric(float64(region)/float64(b.N), "faces/region")
					b.ReportMetric(g.whole.Seconds()/perPhoto, "Group/Extend")
				})
			}
		})
	}
}

// TestExtendCost compares what it costs to add a photo with what it costs to
// group the library, in one run.
func TestExtendCost(t *testing.T) {
	if testing.Short() {
		t.Skip("groups 20,000 faces; not with -short")
	}
	const photos, least = 20, 50
	g := newGrouped(t, 20_000)
	all, _, region := g.extend(t, rand.New(rand.NewPCG(3, 3)), photos, 3)
	if least*all > photos*g.whole {
		t.Errorf("%v a photo, %v for the library, want 1/%d of it at most", all/photos, g.whole, least)
	}
	if region < 4*photos {
		t.Errorf("%d faces in %d regions: these were no extensions", region, photos)
	}
}
