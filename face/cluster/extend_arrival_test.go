package cluster_test

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/face/cluster"
)

// arrival is a library whose photos come one at a time.
type arrival struct {
	*library
	tail   face.Impostors
	due    bool  // whether Due is asked; else only the first third is grouped whole
	photos []int // the end of each photo's faces

	scanner *cluster.Scanner
	label   []int // of the faces so far
	measure cluster.Calibration
	then    int // faces at the last whole grouping

	extended, region int
	whole            int
}

// arrivalOf puts the photos into random order. Faces without a photo are one
// photo each.
func arrivalOf(l *library, tail face.Impostors, seed uint64, due bool) *arrival {
	var photos [][]int
	at := map[int32]int{}
	for i, p := range l.Photo {
		k, ok := at[p]
		if !ok || p < 0 {
			k = len(photos)
			at[p] = k
			photos = append(photos, nil)
		}
		photos[k] = append(photos[k], i)
	}
	a := &arrival{library: &library{}, tail: tail, due: due}
	for _, k := range rand.New(rand.NewPCG(seed, 11)).Perm(len(photos)) {
		for _, i := range photos[k] {
			a.add(l.vector(i), l.Quality[i], l.Photo[i], l.taken[i], l.truth[i])
		}
		a.photos = append(a.photos, a.Len())
	}
	return a
}

// first is the first n faces.
func (a *arrival) first(n int) cluster.Faces {
	return cluster.Faces{Dim: a.Dim, Data: a.Data[:n*a.Dim], Photo: a.Photo[:n]}
}

func (a *arrival) group(tb testing.TB, n int) cluster.Result {
	tb.Helper()
	res, err := cluster.Group(tb.Context(), a.first(n), cluster.Links{}, cluster.Options{Impostors: a.tail})
	if err != nil {
		tb.Fatal(err)
	}
	return res
}

// run lets the first third come at once and the others one after another.
func (a *arrival) run(tb testing.TB) {
	tb.Helper()
	third := len(a.photos) / 3
	n := a.photos[third]
	a.regroup(tb, n)
	var err error
	if a.scanner, err = cluster.NewScanner(a.first(n)); err != nil {
		tb.Fatal(err)
	}
	for _, end := range a.photos[third+1:] {
		if err := a.scanner.Append(a.first(end).Data); err != nil {
			tb.Fatal(err)
		}
		if a.due && cluster.Due(a.then, end) {
			a.regroup(tb, end)
		} else {
			a.extend(tb, end)
		}
	}
}

func (a *arrival) regroup(tb testing.TB, n int) {
	tb.Helper()
	res := a.group(tb, n)
	a.label, a.measure, a.then = res.Label, res.Calibration, n
	a.whole++
}

func (a *arrival) extend(tb testing.TB, end int) {
	tb.Helper()
	var fresh []int
	for i := len(a.label); i < end; i++ {
		fresh = append(fresh, i)
		a.label = append(a.label, -1)
	}
	o := cluster.Options{Impostors: a.tail, Library: a.measure}
	ext, err := cluster.Extend(tb.Context(), a.scanner, a.first(end), a.label, fresh, nil, o)
	if err != nil {
		tb.Fatal(err)
	}
	a.apply(ext)
	a.extended++
	a.region += len(ext.Faces)
}

// apply gives each cluster of an extension the label that it continues, or one
// that no face has.
func (a *arrival) apply(ext cluster.Extension) {
	old := make([]int, len(ext.Faces))
	for k, i := range ext.Faces {
		old[k] = a.label[i]
	}
	label := matched(ext.Label, old)
	used := make([]bool, len(a.label)+1)
	for _, l := range a.label {
		if l >= 0 {
			used[l] = true
		}
	}
	for k, i := range ext.Faces {
		c := ext.Label[k]
		if c >= 0 {
			if _, ok := label[c]; !ok {
				label[c] = slices.Index(used, false)
				used[label[c]] = true
			}
			a.label[i] = label[c]
		} else {
			a.label[i] = -1
		}
	}
}

// matched pairs the clusters of a with those of b, one to one, the pairs that
// share most faces first.
func matched(a, b []int) map[int]int {
	type pair struct{ a, b int }
	shared := map[pair]int{}
	for i := range a {
		if a[i] >= 0 && b[i] >= 0 {
			shared[pair{a[i], b[i]}]++
		}
	}
	var all []pair
	for p := range shared {
		all = append(all, p)
	}
	slices.SortFunc(all, func(x, y pair) int {
		return cmp.Or(cmp.Compare(shared[y], shared[x]), cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b))
	})
	out, taken := map[int]int{}, map[int]bool{}
	for _, p := range all {
		if _, ok := out[p.a]; !ok && !taken[p.b] {
			out[p.a], taken[p.b] = p.b, true
		}
	}
	return out
}

// moved is the share of the faces that are in another cluster of b than the
// one that goes on for theirs of a.
func moved(a, b []int) float64 {
	on := matched(a, b)
	n := 0
	for i, l := range a {
		to, ok := on[l]
		if l < 0 {
			to, ok = -1, true
		}
		if !ok || to != b[i] {
			n++
		}
	}
	return float64(n) / float64(len(a))
}

func TestMoved(t *testing.T) {
	for _, c := range []struct {
		a, b []int
		want float64
	}{
		{[]int{0, 0, 1, -1}, []int{5, 5, 3, -1}, 0},
		{[]int{0, 0, 1, -1}, []int{5, 5, 3, 3}, 1. / 4},    // joined
		{[]int{0, 0, 0, 1}, []int{0, 0, 1, 1}, 1. / 4},     // from one to the other
		{[]int{0, 0, 0, 1}, []int{2, 2, 2, 2}, 1. / 4},     // merged
		{[]int{0, 0, 0, 0}, []int{2, 2, 7, -1}, 1. / 2},    // split, and left
		{[]int{0, 0, 1, 1}, []int{-1, -1, -1, -1}, 1},      // gone
		{[]int{0, 0, 0, 1, 1}, []int{4, 4, 4, 4, 4}, .4},   // merged into the larger
		{[]int{0, 1, 2, 3, -1}, []int{3, 2, 1, 0, -1}, 0.}, // renamed
	} {
		if got := moved(c.a, c.b); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("from %v to %v %v moved, want %v", c.a, c.b, got, c.want)
		}
	}
}

// drift is how far a library that came photo by photo is from a grouping of
// all of it.
type drift struct {
	bcubed cluster.Score // that of the grouping from scratch
	f      float64       // how much lower F was before it
	all    float64       // share of the faces that it moves
	moved  float64       // of those that have a label: the others are mostly
	// bystanders too blurred to tell, who form one loose set or another
}

func (a *arrival) drift(tb testing.TB) drift {
	tb.Helper()
	res := a.group(tb, a.Len())
	scratch := scoreOf(res.Label, a.truth).bcubed
	var was, is []int
	for i, who := range a.truth {
		if who != "" {
			was, is = append(was, a.label[i]), append(is, res.Label[i])
		}
	}
	return drift{scratch, scratch.F - scoreOf(a.label, a.truth).bcubed.F, moved(a.label, res.Label), moved(was, is)}
}

const (
	mostDriftF = 0.005
	mostMoved  = 0.01
)

func (d drift) check(tb testing.TB, about string) {
	tb.Helper()
	if math.Abs(d.f) > mostDriftF || d.moved > mostMoved {
		tb.Errorf("%s: F is %.4f lower than from scratch, and a whole Group moves %.2f %% of the labelled faces", about, d.f, 100*d.moved)
	}
}
