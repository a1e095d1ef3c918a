package cluster_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/face/cluster"
)

// PhotoPrism's defaults (internal/ai/face/config.go, cluster_split.go and
// models.go), where distances are Euclidean. It calibrates three of them for
// each embedder; here the first is the threshold that is chosen, and the other
// two keep the ratio to it that they have for the embedder of kith's kind
// (arcface_mbf: 1.03, 0.64, 0.49).
const (
	ppCore       = 5  // faces that make a core, itself among them
	ppSamples    = 10 // fewer faces are not grouped at all
	ppRadius     = 0.64 / 1.03
	ppMatch      = 0.49 / 1.03
	ppPercentile = 95  // of the members are within a cluster's radius
	ppFarthest   = 1.4 // where no face is accepted any more
	ppEpsilon    = 0.016
	ppRounds     = 6
	ppShrink     = 0.95
)

// photoPrism is the rule of PhotoPrism (internal/photoprism/faces_cluster.go
// and faces_match.go): DBSCAN, whose groups are grouped again at a distance
// ever 5 % smaller as long as they are wider than what they would accept, and
// given up after six rounds. Then each face goes to the nearest cluster middle
// that accepts it: nearer than the cluster's radius (clamped) and the matching
// distance together.
func photoPrism(m *matrix, f cluster.Faces, similarity float64) []int {
	if m.n < ppSamples {
		return slices.Repeat([]int{-1}, m.n)
	}
	dist := distance(similarity)
	radiusMax, match := dist*ppRadius, dist*ppMatch
	accept := func(radius float64) float64 { return min(min(radius, radiusMax)+match, ppFarthest) }
	type part struct {
		faces []int
		dist  float64
		round int
	}
	var middles []face.Vector
	var accepts []float64
	queue := []part{{indices(m.n), dist, -1}}
	for len(queue) > 0 {
		p := queue[0]
		queue = queue[1:]
		if p.round >= 0 {
			middle, radius := middleOf(f, p.faces)
			if radius <= accept(radius) {
				middles, accepts = append(middles, middle), append(accepts, accept(radius))
				continue
			}
			p.dist *= ppShrink
		}
		if p.round < ppRounds {
			for _, g := range dbscan(m, p.faces, p.dist, ppCore) {
				queue = append(queue, part{g, p.dist, p.round + 1})
			}
		}
	}
	name := make([]int, m.n)
	for i := range name {
		v, best := face.Vector(f.Data[i*f.Dim:(i+1)*f.Dim]), math.Inf(1)
		name[i] = -1
		for k, c := range middles {
			if d := distance(c.Dot(v)); d < accepts[k] && d < best {
				name[i], best = k, d
			}
		}
	}
	return numbered(name)
}

func indices(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// middleOf is the normalised mean of faces and the distance from it within
// which all but the farthest 5 % are.
func middleOf(f cluster.Faces, faces []int) (face.Vector, float64) {
	middle := make(face.Vector, f.Dim)
	for _, i := range faces {
		for k, x := range f.Data[i*f.Dim : (i+1)*f.Dim] {
			middle[k] += x
		}
	}
	middle.Normalize()
	var dists []float64
	for _, i := range faces {
		dists = append(dists, distance(middle.Dot(f.Data[i*f.Dim:(i+1)*f.Dim])))
	}
	slices.Sort(dists)
	rank := (ppPercentile*len(dists) + 99) / 100
	return middle, dists[max(rank, 1)-1] + ppEpsilon
}

// dbscan groups faces by density (Ester, Kriegel, Sander and Xu, "A
// density-based algorithm for discovering clusters in large spatial databases
// with noise", KDD 1996): cores have at least core faces within the distance,
// themselves among them; cores within the distance of each other are one
// group; another face belongs to the first group that reaches it, or to none.
func dbscan(m *matrix, faces []int, dist float64, core int) [][]int {
	similarity := 1 - dist*dist/2
	near := func(i int) []int {
		var out []int
		for k, j := range faces {
			if j == faces[i] || float64(m.row(faces[i])[j]) >= similarity {
				out = append(out, k)
			}
		}
		return out
	}
	var groups [][]int
	seen := make([]bool, len(faces))
	for i := range faces {
		first := near(i)
		if seen[i] || len(first) < core {
			continue
		}
		seen[i] = true
		group, reach := []int{faces[i]}, first
		for len(reach) > 0 {
			k := reach[len(reach)-1]
			reach = reach[:len(reach)-1]
			if seen[k] {
				continue
			}
			seen[k] = true
			group = append(group, faces[k])
			if next := near(k); len(next) >= core {
				reach = append(reach, next...)
			}
		}
		groups = append(groups, group)
	}
	return groups
}

func TestDBSCAN(t *testing.T) {
	// Cores at 10 and 20 degrees; 0 and 30 are reached, 180 is not.
	f := onCircle(0, 10, 20, 30, 180)
	got := dbscan(newMatrix(f), indices(5), distance(within(10)), 3)
	if len(got) != 1 || !slices.Equal(slices.Sorted(slices.Values(got[0])), []int{0, 1, 2, 3}) {
		t.Errorf("groups %v, want one of 0 to 3", got)
	}
	if got := dbscan(newMatrix(f), indices(5), distance(within(10)), 4); len(got) != 0 {
		t.Errorf("groups %v, want none: nobody has three others near", got)
	}
}

func TestPhotoPrism(t *testing.T) {
	var chain []float64
	for i := range 60 {
		chain = append(chain, float64(6*i)) // a closed ring, a face every 6 degrees
	}
	for _, c := range []peerCase{
		{"two groups of five, one stranger", photoPrism, onCircle(0, 1, 2, 3, 4, 90, 91, 92, 93, 94, 180), 10, "aaaaabbbbb."},
		{"fewer than ten", photoPrism, onCircle(0, 1, 2, 3, 4, 90, 91, 92, 93), 10, "........."},
		{"four are no core", photoPrism, onCircle(0, 1, 2, 3, 90, 91, 92, 93, 180, 181, 182, 183), 10, "............"},
		// 9 is reached at first; too wide for itself, the group is grouped again.
		{"a loose end is cut off", photoPrism, onCircle(0, 1, 2, 3, 4, 9, 90, 91, 92, 93, 94), 5, "aaaaa.bbbbb"},
		// No core reaches the middle of a ring, but the ring accepts it.
		{"the middle of a ring", photoPrism, ringAround(16, 0.52), 28.956, strings.Repeat("a", 17)},
		// Wider than it would accept, and six rounds do not cut it.
		{"a ring is given up", photoPrism, onCircle(chain...), 20, strings.Repeat(".", 60)},
	} {
		c.run(t)
	}
}

// ringAround is a face and n faces at that distance around it.
func ringAround(n int, dist float64) cluster.Faces {
	f := cluster.Faces{Dim: 3, Data: []float32{0, 0, 1}}
	height := 1 - dist*dist/2
	for i := range n {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(n))
		radius := math.Sqrt(1 - height*height)
		f.Data = append(f.Data, float32(radius*cos), float32(radius*sin), float32(height))
	}
	return f
}
