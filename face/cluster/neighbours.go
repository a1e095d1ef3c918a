package cluster

import (
	"context"
	"math"
	"sort"

	"github.com/kith-photos/kith/face/internal/simd"
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

// stepOf is the similarity of two vectors in steps, the same as similarities
// gives.
func stepOf(x, y []float32) int32 { return dotStep(simd.Dot(x, y)) }

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
	least []int32    // per vector the steps below which an offer is in vain
}

func newNeighbours(n int, floor int32) neighbours {
	return neighbours{
		floor: floor,
		count: make([]int, one-floor),
		lists: newNearHeaps(n),
		least: make([]int32, n),
	}
}

// nearest compares all pairs of vectors and keeps those above the floor.
func nearest(ctx context.Context, f Faces, d distinct, floor int32) (neighbours, error) {
	near := newNeighbours(d.len(), floor)
	near.pairs = d.apart()
	m := quantized(f.Dim, d.len(), func(u int) []float32 { return f.row(int(d.rep[u])) })
	together := d.meeting()
	err := similarities(ctx, m, floor, func(pairs []pair) {
		for _, p := range pairs {
			near.add(p, together(p.u, p.v))
		}
	})
	return near, err
}

// meeting is together for many pairs: most vectors are on one photo, whose
// numbers fit into a cache.
func (d distinct) meeting() func(u, v int32) bool {
	if d.photos == nil {
		return func(_, _ int32) bool { return false }
	}
	only := make([]int32, d.len()) // the only photo; -1 if there is none or another
	for u, photos := range d.photos {
		only[u] = -1
		if len(photos) == 1 {
			only[u] = photos[0]
		}
	}
	return func(u, v int32) bool {
		if p, q := only[u], only[v]; p >= 0 && q >= 0 {
			return p == q
		}
		return d.together(int(u), int(v))
	}
}

// add notes a pair above the floor.
func (near *neighbours) add(p pair, together bool) {
	if !together {
		near.count[p.step-near.floor-1]++
	} else if p.step <= mirrorStep {
		return
	}
	near.offer(p.u, p.v, p.step)
	near.offer(p.v, p.u, p.step)
}

// offer offers vector u a neighbour. Most offers are in vain, and least says so
// without a look at the heap, which may be far away.
func (near *neighbours) offer(u, v, step int32) {
	if step < near.least[u] {
		return
	}
	h := &near.lists[u]
	h.offer(v, step)
	if len(*h) == maxNeighbours {
		_, near.least[u] = (*h)[0].unpack()
	}
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
		far := FAR(o.Impostors, float64(step)/one)
		if o.Library.Threshold != 0 || o.admits(near.pairs, edges, far) {
			return cut{step, edges, float64(near.pairs) * far}
		}
	}
	if o.Library.Threshold != 0 {
		return cut{step: near.floor}
	}
	return cut{step: one}
}

// edges lists the neighbours of every vector above the threshold, both ways.
func (near *neighbours) edges(threshold int32) [][]edge {
	degree, total := make([]int, len(near.lists)), 0
	near.eachEdge(threshold, func(u int, _ edge) { degree[u]++; total++ })
	// One block of the right size: lists that grow would leave twice as much
	// behind.
	out, block := make([][]edge, len(near.lists)), make([]edge, total)
	for u, n := range degree {
		out[u], block = block[:0:n], block[n:]
	}
	near.eachEdge(threshold, func(u int, e edge) { out[u] = append(out[u], e) })
	return out
}

// eachEdge calls visit for the two ends of every edge above the threshold.
func (near *neighbours) eachEdge(threshold int32, visit func(u int, e edge)) {
	for u, list := range near.lists {
		for _, n := range list {
			v, step := n.unpack()
			if step <= threshold {
				continue
			}
			visit(u, edge{v, step - threshold})
			if !near.lists[v].keeps(int32(u), step) {
				visit(int(v), edge{int32(u), step - threshold})
			}
		}
	}
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

// newNearHeaps makes n empty heaps in one block, which takes real memory only
// where it is written to.
func newNearHeaps(n int) []nearHeap {
	size := min(maxNeighbours, max(n-1, 0))
	heaps, block := make([]nearHeap, n), make(nearHeap, n*size)
	for i := range heaps {
		heaps[i] = block[i*size : i*size : (i+1)*size]
	}
	return heaps
}

func (h *nearHeap) offer(v, step int32) {
	n := packNeighbour(v, step)
	s := *h
	switch {
	case len(s) < maxNeighbours:
		*h = append(s, n)
		if len(s)+1 == maxNeighbours {
			for i := maxNeighbours/2 - 1; i >= 0; i-- {
				h.sink(i)
			}
		}
	case n > s[0]:
		s[0] = n
		h.sink(0)
	}
}

// keeps reports whether a neighbour that was offered is still held.
func (h nearHeap) keeps(v, step int32) bool {
	return len(h) < maxNeighbours || packNeighbour(v, step) >= h[0]
}

// sink restores the order of a heap in which only the neighbour at i may be
// nearer than those below it.
func (h nearHeap) sink(i int) {
	for n := h[i]; ; {
		child := 2*i + 1
		if child >= len(h) {
			h[i] = n
			return
		}
		if child+1 < len(h) && h[child+1] < h[child] {
			child++
		}
		if n <= h[child] {
			h[i] = n
			return
		}
		h[i] = h[child]
		i = child
	}
}
