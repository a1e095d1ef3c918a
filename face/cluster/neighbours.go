package cluster

import (
	"context"
	"math"
	"slices"
	"sort"
)

const (
	// one is the similarity 1 in steps. All similarities are rounded to whole
	// steps of 2^-16 (0.000015), far more than the rounding of a float32 dot
	// product and far less than what tells two people apart.
	one = 1 << 16
	// maxNeighbours bounds memory: a vector keeps this many of its nearest
	// neighbours, and an edge is kept if either end keeps it. People with more
	// photos than that lose edges, never the ability to be connected.
	maxNeighbours = 256
	// mirrorStep is the similarity above which two faces of one photo are
	// taken for one person (a collage, a mirror, a picture on the wall). On
	// labelled press photos 1 in 7 million pairs of strangers is above 0.75,
	// and a quarter of the pairs of one person.
	mirrorStep = one * 3 / 4
)

// toStep rounds a similarity to steps.
func toStep(sim float32) int32 {
	return int32(min(math.Floor(float64(sim)*one+0.5), one))
}

// stepOf is the similarity of two vectors in steps. A pair may come out one
// step from where the matrix product put it.
func stepOf(x, y []float32) int32 {
	var dot float64
	for i := range x {
		dot += float64(x[i]) * float64(y[i])
	}
	return toStep(float32(dot))
}

// floorStep is the lowest step that can become the edge threshold: as observed
// pairs are at most all pairs, FAR has to be at most FalseEdges.
func floorStep(o Options) int32 {
	return int32(sort.Search(one, func(k int) bool {
		return FAR(o.Impostors, float64(k)/one) <= o.FalseEdges
	}))
}

// neighbours is what one pass over all pairs leaves behind.
type neighbours struct {
	floor int32
	pairs int        // how many pairs no photo shows together
	count []int      // count[k]: how many of them have a similarity of floor+1+k steps
	lists []nearHeap // per vector its nearest, unordered
}

// nearest compares all pairs of vectors and keeps those above the floor.
func nearest(ctx context.Context, f Faces, d distinct, floor int32) (neighbours, error) {
	near := neighbours{
		floor: floor,
		pairs: d.apart(),
		count: make([]int, one-floor),
		lists: make([]nearHeap, d.len()),
	}
	// The cheap float comparison may let a pair on the floor pass, and never
	// stops one above it.
	low := float32(floor) / one
	err := similarities(ctx, f.Dim, d.len(), func(u int) []float32 { return f.row(int(d.rep[u])) },
		func(u, v0 int, sims []float32) {
			for k, sim := range sims {
				if sim > low {
					near.add(d, u, v0+k, toStep(sim))
				}
			}
		})
	return near, err
}

func (near *neighbours) add(d distinct, u, v int, step int32) {
	if step <= near.floor {
		return
	}
	if !d.together(u, v) {
		near.count[step-near.floor-1]++
	} else if step <= mirrorStep {
		return
	}
	near.lists[u].offer(int32(v), step)
	near.lists[v].offer(int32(u), step)
}

// cut is the edge threshold and what it admits.
type cut struct {
	step          int32
	edges         int
	expectedFalse float64
}

// cut chooses the edge threshold, see Options.
func (near *neighbours) cut(o Options) cut {
	// observed[k] is the number of pairs above floor+k steps.
	observed := make([]int, len(near.count)+1)
	for k := len(near.count) - 1; k >= 0; k-- {
		observed[k] = observed[k+1] + near.count[k]
	}
	for k, edges := range observed {
		if edges == 0 {
			break
		}
		step := near.floor + int32(k)
		if far := FAR(o.Impostors, float64(step)/one); o.admits(near.pairs, edges, far) {
			return cut{step, edges, float64(near.pairs) * far}
		}
	}
	return cut{step: one}
}

// edges lists the neighbours of every vector above the threshold, both ways.
func (near *neighbours) edges(threshold int32) [][]edge {
	out := make([][]edge, len(near.lists))
	for u, list := range near.lists {
		for _, n := range list {
			v, step := n.unpack()
			if step <= threshold {
				continue
			}
			out[u] = append(out[u], edge{v, step - threshold})
			if !near.lists[v].keeps(int32(u), step) {
				out[v] = append(out[v], edge{int32(u), step - threshold})
			}
		}
	}
	return out
}

// edge leads to a vector or a node; weight is the similarity less the
// threshold, in steps, and positive.
type edge struct{ to, weight int32 }

// neighbour packs a neighbour so that nearer ones are greater, and of two equally
// near the one with the smaller number.
type neighbour uint64

func packNeighbour(v, step int32) neighbour {
	return neighbour(step)<<32 | neighbour(math.MaxUint32-uint32(v))
}
func (n neighbour) unpack() (v, step int32) { return int32(math.MaxUint32 - uint32(n)), int32(n >> 32) }

// nearHeap holds the maxNeighbours nearest of the neighbours offered, the
// farthest on top once it is full. What it holds does not depend on the order
// of the offers, because no two neighbours compare equal.
type nearHeap []neighbour

func (h *nearHeap) offer(v, step int32) {
	n := packNeighbour(v, step)
	s := *h
	switch {
	case len(s) < maxNeighbours:
		*h = append(s, n)
		if len(s)+1 == maxNeighbours {
			slices.Sort(*h) // a rising list is a heap
		}
	case n > s[0]:
		s[0] = n
		s.sink()
	}
}

// keeps reports whether a neighbour that was offered is still held.
func (h nearHeap) keeps(v, step int32) bool {
	return len(h) < maxNeighbours || packNeighbour(v, step) >= h[0]
}

func (h nearHeap) sink() {
	for i := 0; ; {
		child := 2*i + 1
		if child >= len(h) {
			return
		}
		if child+1 < len(h) && h[child+1] < h[child] {
			child++
		}
		if h[i] <= h[child] {
			return
		}
		h[i], h[child] = h[child], h[i]
		i = child
	}
}
