package cluster_test

import (
	"fmt"
	"testing"

	"github.com/kith-photos/kith/face/cluster"
)

// TestIncrementalEqualsBatch adds two thirds of the photos of made-up albums
// one at a time, without one more grouping of the whole.
func TestIncrementalEqualsBatch(t *testing.T) {
	for name, l := range map[string]*library{"people": madeUp(1, 600), "families": madeUpFamilies(1)} {
		for seed := range uint64(2) {
			a := arrivalOf(l, cluster.SyntheticTail(), seed, false)
			a.run(t)
			if a.whole != 1 || a.extended < len(a.photos)/2 {
				t.Fatalf("%d whole groupings and %d extensions of %d photos", a.whole, a.extended, len(a.photos))
			}
			d := a.drift(t)
			d.check(t, fmt.Sprintf("%s, order %d", name, seed))
			if d.bcubed.F < 0.8 {
				t.Errorf("%s: %v: the album is no test", name, d.bcubed)
			}
			t.Logf("%s, order %d: %d faces, F %.4f lower, %.2f %% moved, %.0f faces a region", name, seed,
				a.Len(), d.f, 100*d.moved, float64(a.region)/float64(a.extended))
		}
	}
}

// madeUp is a library of n faces, one a photo.
func madeUp(seed uint64, n int) *library {
	f, who, _ := cluster.SyntheticAlbum(seed, n)
	return named(f, who)
}

// madeUpFamilies is a library of group photos of people who are alike.
func madeUpFamilies(seed uint64) *library {
	f, who := cluster.SyntheticFamilies(seed)
	return named(f, who)
}

func named(f cluster.Faces, who []int) *library {
	l := &library{}
	for i, p := range who {
		l.add(f.Data[i*f.Dim:(i+1)*f.Dim], 1, f.Photo[i], 0, fmt.Sprint(p))
	}
	return l
}
