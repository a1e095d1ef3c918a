package cluster

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// plainGraph has n nodes of one vector and one face each, and equal edges.
func plainGraph(n int, pairs ...[2]int) *graph {
	photo := make([]int32, n)
	for i := range photo {
		photo[i] = int32(i)
	}
	return photoGraph(photo, pairs...)
}

// photoGraph is a plainGraph of a face for each photo number.
func photoGraph(photo []int32, pairs ...[2]int) *graph {
	n := len(photo)
	g := &graph{edges: make([][]edge, n), within: make([]int64, n), step: func(_, _ int32) int32 { return 0 }}
	d := distinct{rep: make([]int32, n), of: make([]int32, n)}
	for i := range n {
		g.nodes = append(g.nodes, node{faces: []int{i}, vectors: []int32{int32(i)}})
		g.salt = append(g.salt, saltOf([]float32{float32(i)}))
		d.of[i] = int32(i)
	}
	g.between = g.edges
	g.fillSlots(Faces{Photo: photo}, d)
	for _, p := range pairs {
		g.edges[p[0]] = append(g.edges[p[0]], edge{int32(p[1]), 100})
		g.edges[p[1]] = append(g.edges[p[1]], edge{int32(p[0]), 100})
	}
	return g
}

func clique(from, to int) [][2]int {
	var pairs [][2]int
	for a := from; a < to; a++ {
		for b := from; b < a; b++ {
			pairs = append(pairs, [2]int{a, b})
		}
	}
	return pairs
}

func TestCondense(t *testing.T) {
	ring := [][2]int{{0, 8}}
	for i := range 8 {
		ring = append(ring, [2]int{i, i + 1})
	}
	tests := []struct {
		name  string
		graph *graph
		label []int32
		want  []int
	}{
		{"all of a ring of nine are weak", plainGraph(9, ring...), make([]int32, 9),
			[]int{-1, -1, -1, -1, -1, -1, -1, -1, -1}},
		{"a pair that hangs on six is split off", plainGraph(8, append(clique(0, 6), [2]int{6, 7}, [2]int{6, 0}, [2]int{7, 1})...), make([]int32, 8),
			[]int{0, 0, 0, 0, 0, 0, 1, 1}},
		{"a face that hangs on six is alone", plainGraph(7, append(clique(0, 6), [2]int{6, 0})...), make([]int32, 7),
			[]int{0, 0, 0, 0, 0, 0, -1}},
		{"one edge is not enough among three others", plainGraph(4, append(clique(0, 3), [2]int{3, 0})...), make([]int32, 4),
			[]int{0, 0, 0, -1}},
		{"but among two", plainGraph(3, [2]int{0, 1}, [2]int{1, 2}), make([]int32, 3),
			[]int{0, 0, 0}},
		{"as are two among five", plainGraph(6, append(clique(0, 5), [2]int{5, 0}, [2]int{5, 1})...), make([]int32, 6),
			[]int{0, 0, 0, 0, 0, 0}},
		{"one label in two places", plainGraph(4, [2]int{0, 1}, [2]int{2, 3}), make([]int32, 4),
			[]int{0, 0, 1, 1}},
		{"an edge between two labels", plainGraph(4, [2]int{0, 1}, [2]int{2, 3}, [2]int{1, 2}), []int32{1, 1, 2, 2},
			[]int{0, 0, 1, 1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			set, err := test.graph.condense(t.Context(), test.label)
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := test.graph.people(set, len(test.want)); !slices.Equal(got, test.want) {
				t.Errorf("labels %v, want %v", got, test.want)
			}
		})
	}
}

func TestWhisper(t *testing.T) {
	// Two cliques with one edge between them.
	g := plainGraph(12, append(append(clique(0, 6), clique(6, 12)...), [2]int{0, 6})...)
	label := g.alone()
	if err := g.whisper(t.Context(), label, g.alone(), photoPenalty); err != nil {
		t.Fatal(err)
	}
	for i, l := range label {
		if first := label[i/6*6]; l != first || label[0] == label[6] {
			t.Fatalf("labels %v, want one for each clique", label)
		}
	}
}

func TestNearHeapKeepsTheNearest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 3*maxNeighbours).Draw(t, "offers")
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		var h nearHeap
		var all []neighbour
		steps := make([]int32, n)
		for _, v := range rng.Perm(n) {
			steps[v] = rng.Int32N(100) // many ties
			h.offer(int32(v), steps[v])
			all = append(all, packNeighbour(int32(v), steps[v]))
		}
		slices.Sort(all)
		want := all[max(0, n-maxNeighbours):]
		for v, step := range steps {
			if kept := h.keeps(int32(v), step); kept != slices.Contains(want, packNeighbour(int32(v), step)) {
				t.Fatalf("keeps(%d, %d) = %v", v, step, kept)
			}
		}
		if got := slices.Sorted(slices.Values(h)); !slices.Equal(got, want) {
			t.Fatalf("%d offers: not the nearest are kept", n)
		}
	})
}

func TestNeighbourPacks(t *testing.T) {
	for _, v := range []int32{0, 1, 1 << 20, 1<<31 - 1} {
		for _, step := range []int32{1, one} {
			if gotV, gotStep := packNeighbour(v, step).unpack(); gotV != v || gotStep != step {
				t.Errorf("(%d, %d) comes back as (%d, %d)", v, step, gotV, gotStep)
			}
		}
	}
}

// TestEdgesBothWays: with more neighbours than a vector keeps, an edge is
// there from both ends or from none, and once.
func TestEdgesBothWays(t *testing.T) {
	const n = 2 * maxNeighbours
	rng := rand.New(rand.NewPCG(1, 1))
	near := newNeighbours(n, 0)
	for u := range n {
		for v := range u {
			near.add(pair{int32(u), int32(v), 1 + rng.Int32N(1000)}, false)
		}
	}
	const threshold = 300
	weight := map[[2]int32]int32{}
	for u, edges := range near.edges(threshold) {
		for _, e := range edges {
			key := [2]int32{int32(u), e.to}
			if weight[key] != 0 || e.weight <= 0 {
				t.Fatalf("edge %v twice or of weight %d", key, e.weight)
			}
			weight[key] = e.weight
		}
	}
	for key, w := range weight {
		if weight[[2]int32{key[1], key[0]}] != w {
			t.Fatalf("edge %v weighs %d one way and %d the other", key, w, weight[[2]int32{key[1], key[0]}])
		}
	}
	if len(weight) < n*maxNeighbours {
		t.Errorf("%d edge ends, want at least %d", len(weight), n*maxNeighbours)
	}
}

func TestApartCountsPairs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 20).Draw(t, "faces")
		f := Faces{Dim: 2, Photo: make([]int32, n)}
		kinds := [][]float32{{1, 0}, {0, 1}, {-1, 0}, {0, -1}, {0.6, 0.8}}
		for i := range n {
			f.Data = append(f.Data, rapid.SampledFrom(kinds).Draw(t, "vector")...)
			f.Photo[i] = rapid.Int32Range(-1, 5).Draw(t, "photo")
		}
		d := distinctVectors(f)
		want := 0
		for u := range d.len() {
			for v := range u {
				met := false
				for i, p := range f.Photo {
					for j, q := range f.Photo {
						met = met || p >= 0 && p == q && int(d.of[i]) == u && int(d.of[j]) == v
					}
				}
				if d.together(u, v) != met {
					t.Fatalf("together(%d, %d) = %v", u, v, !met)
				}
				if !met {
					want++
				}
			}
		}
		if got := d.apart(); got != want {
			t.Fatalf("%d pairs, want %d", got, want)
		}
	})
}
