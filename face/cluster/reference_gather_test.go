package cluster

import (
	"cmp"
	"math"
	"slices"

	"github.com/kith-photos/kith/face/internal/simd"
)

// mean is the mean direction of some of the vectors, in their order.
func (r *reference) mean(vectors []int) []float32 {
	sum, sq := make([]float64, r.f.Dim), 0.0
	for _, u := range vectors {
		for k, x := range r.vectors[u] {
			sum[k] += float64(x)
		}
	}
	for _, x := range sum {
		sq += x * x
	}
	out := make([]float32, r.f.Dim)
	for k, x := range sum {
		if sq > 0 {
			out[k] = float32(x / math.Sqrt(sq))
		}
	}
	return out
}

// refJoin is a small set that may join a large one.
type refJoin struct {
	loose, person int
	sim           float64
}

// gather is the second stage: small sets join the person whose mean they are
// like. It changes set, which numbers the set of each blob by its first.
func (r *reference) gather(set []int) {
	all := -1
	for range 3 {
		var persons, loose []int
		for _, at := range slices.Compact(slices.Sorted(slices.Values(set))) {
			n := len(r.vectorsOf(r.members(set, at)))
			pinned := slices.ContainsFunc(r.blobsOf(set, at), func(a int) bool { return r.pinned(r.blobs[a]) })
			switch {
			case n >= 4:
				persons = append(persons, at)
			case n <= 3 && !pinned:
				loose = append(loose, at)
			}
		}
		if all < 0 {
			all = len(loose)
		}
		joined := r.joins(set, persons, loose, all)
		for _, j := range joined {
			for a := range set {
				if set[a] == j.loose {
					set[a] = j.person
				}
			}
		}
		r.renumber(set)
		if len(joined) == 0 {
			return
		}
	}
}

func (r *reference) joins(set, persons, loose []int, all int) []refJoin {
	near, runnerUp := map[int][]refJoin{}, map[int]float64{}
	for _, l := range loose {
		var js []refJoin
		for _, p := range persons {
			js = append(js, refJoin{l, p, max(r.alike(set, l, p), 0)})
		}
		slices.SortStableFunc(js, func(a, b refJoin) int { return cmp.Compare(b.sim, a.sim) })
		if len(js) > 1 {
			runnerUp[l] = js[1].sim
		}
		if len(js) > 0 && r.mayJoin(set, l, js[0].person) {
			near[js[0].person] = append(near[js[0].person], js[0])
		}
	}
	var out []refJoin
	for _, js := range near {
		byLikeness(js)
		for n := len(js); n > 0; n-- {
			if float64(all)*r.far(js[n-1].sim-0.04) <= 0.05*float64(n) {
				out = append(out, js[:n]...)
				break
			}
		}
	}
	out = slices.DeleteFunc(out, func(j refJoin) bool { return j.sim-runnerUp[j.loose] < 0.1 })
	byLikeness(out)
	var kept []refJoin
	for _, j := range out {
		if !slices.ContainsFunc(kept, func(k refJoin) bool {
			return k.person == j.person && r.excludes(set, k.loose, j.loose)
		}) {
			kept = append(kept, j)
		}
	}
	return kept
}

func byLikeness(js []refJoin) {
	slices.SortFunc(js, func(a, b refJoin) int { return cmp.Or(cmp.Compare(b.sim, a.sim), cmp.Compare(a.loose, b.loose)) })
}

func (r *reference) mayJoin(set []int, l, p int) bool {
	return 2*len(r.vectorsOf(r.members(set, l))) <= len(r.vectorsOf(r.members(set, p))) && !r.excludes(set, l, p)
}

// excludes: they stand on one photo, or were said to be different people.
func (r *reference) excludes(set []int, x, y int) bool {
	for _, p := range r.photosOf(r.members(set, x)) {
		if slices.Contains(r.photosOf(r.members(set, y)), p) {
			return true
		}
	}
	for _, a := range r.blobsOf(set, x) {
		for _, b := range r.blobsOf(set, y) {
			if r.apart[a][b] {
				return true
			}
		}
	}
	return false
}

func (r *reference) alike(set []int, x, y int) float64 {
	a, b := r.mean(r.vectorsOf(r.members(set, x))), r.mean(r.vectorsOf(r.members(set, y)))
	return float64(dotStep(simd.Dot(a, b))) / one
}

func (r *reference) blobsOf(set []int, at int) []int {
	var out []int
	for a := range set {
		if set[a] == at {
			out = append(out, a)
		}
	}
	return out
}

func (r *reference) members(set []int, at int) []int {
	var out []int
	for _, a := range r.blobsOf(set, at) {
		out = append(out, r.blobs[a]...)
	}
	return out
}

// renumber names each set by its first blob.
func (r *reference) renumber(set []int) {
	first := map[int]int{}
	for a, at := range set {
		if _, ok := first[at]; !ok {
			first[at] = a
		}
		set[a] = first[at]
	}
}
