package cluster_test

import (
	"math/rand/v2"
	"testing"

	"github.com/kith-photos/kith/face/cluster"
)

// chineseWhispers is the rule of Nextcloud's facerecognition
// (lib/BackgroundJob/Tasks/CreateClustersTask.php) and of whoever calls dlib
// (dlib/clustering/chinese_whispers.h): all pairs within the distance are
// edges that count alike, each face has one to itself, and 100 times as often
// as there are faces a face drawn at random takes the label that most of its
// neighbours have, the lowest of those that are as frequent. The first drops
// faces below a detector's confidence of 0.99, which is not imitated.
func chineseWhispers(m *matrix, _ cluster.Faces, similarity float64) []int {
	const iterations = 100
	edges := make([][]int, m.n)
	for i := range edges {
		for j, s := range m.row(i) {
			if i == j || float64(s) > similarity {
				edges[i] = append(edges[i], j)
			}
		}
	}
	rng := rand.New(rand.NewPCG(1, 1))
	label, votes := indices(m.n), make([]int, m.n)
	for range iterations * m.n {
		i := rng.IntN(m.n)
		best := label[i]
		for _, j := range edges[i] {
			votes[label[j]]++
		}
		for _, j := range edges[i] {
			if l := label[j]; votes[l] > votes[best] || votes[l] == votes[best] && l < best {
				best = l
			}
		}
		for _, j := range edges[i] {
			votes[label[j]] = 0
		}
		label[i] = best
	}
	return numbered(label)
}

// disjoint is a union-find forest: root[i] is nearer the root of i than i.
type disjoint []int

func (d disjoint) find(i int) int {
	for d[i] != i {
		d[i] = d[d[i]]
		i = d[i]
	}
	return i
}

func (d disjoint) names() []int {
	names := make([]int, len(d))
	for i := range d {
		names[i] = d.find(i)
	}
	return names
}

// components joins every pair that is similar enough (single linkage).
func components(m *matrix, _ cluster.Faces, similarity float64) []int {
	set := disjoint(indices(m.n))
	for i := range m.n {
		for j, s := range m.row(i)[:i] {
			if float64(s) >= similarity {
				set[set.find(i)] = set.find(j)
			}
		}
	}
	return numbered(set.names())
}

// averageLinkage is hierarchical clustering of all pairs (UPGMA): the two
// clusters with the highest mean similarity between their faces are joined as
// long as it is high enough. It follows chains of nearest neighbours
// (Murtagh, "A survey of recent advances in hierarchical clustering
// algorithms", The Computer Journal 26, 1983). A cluster whose nearest is too
// far is finished: a join only averages, so none can come nearer.
func averageLinkage(m *matrix, _ cluster.Faces, similarity float64) []int {
	w := &linkage{matrix: matrix{m.n, append([]float32(nil), m.sim...)}, size: make([]float32, m.n)}
	set, left := disjoint(indices(m.n)), indices(m.n)
	for i := range w.size {
		w.size[i] = 1
	}
	var chain []int
	for len(left) > 0 {
		if len(chain) == 0 {
			chain = append(chain, left[0])
		}
		top, last := chain[len(chain)-1], -1
		if len(chain) > 1 {
			last = chain[len(chain)-2]
		}
		near, best := w.nearest(left, top, last)
		switch {
		case near < 0 || float64(best) < similarity:
			left = without(left, top)
			chain = chain[:len(chain)-1]
		case near == last:
			w.join(left, top, near)
			set[top] = near
			left = without(left, top)
			chain = chain[:len(chain)-2]
		default:
			chain = append(chain, near)
		}
	}
	return numbered(set.names())
}

// linkage is a matrix whose rows are clusters, and their sizes.
type linkage struct {
	matrix
	size []float32
}

// nearest is the most similar cluster to a among those left; last wins among
// equals, so that a chain ends.
func (w *linkage) nearest(left []int, a, last int) (near int, best float32) {
	near, row := last, w.row(a)
	if last >= 0 {
		best = row[last]
	}
	for _, b := range left {
		if b != a && (near < 0 || row[b] > best) {
			near, best = b, row[b]
		}
	}
	return near, best
}

// join makes a and b one cluster at b's place.
func (w *linkage) join(left []int, a, b int) {
	na, nb := w.size[a], w.size[b]
	for _, k := range left {
		if k != a && k != b {
			s := (na*w.row(k)[a] + nb*w.row(k)[b]) / (na + nb)
			w.row(k)[b], w.row(b)[k] = s, s
		}
	}
	w.size[b] = na + nb
}

func without(list []int, x int) []int {
	for k, y := range list {
		if y == x {
			return append(list[:k], list[k+1:]...)
		}
	}
	return list
}

func TestGraphPeers(t *testing.T) {
	for _, c := range []peerCase{
		{"a chain", components, onCircle(0, 10, 20, 30, 180), 10, "aaaa."},
		{"too far", components, onCircle(0, 10, 20, 180), 9, "...."},

		// The mean similarity of 20 to {0, 10} is less than at 12 degrees.
		{"a chain of three", averageLinkage, onCircle(0, 10, 20, 180), 12, "aa.."},
		{"a chain of three", averageLinkage, onCircle(0, 10, 20, 180), 16, "aaa."},
		{"two pairs", averageLinkage, onCircle(0, 30, 1, 31), 20, "abab"},
		{"nothing", averageLinkage, onCircle(), 20, ""},

		{"two cliques and a weak bridge", chineseWhispers, onCircle(0, 1, 2, 3, 4, 5, 6, 7, 17, 18, 19, 20, 21, 22, 23, 24), 10, "aaaaaaaabbbbbbbb"},
		{"strangers", chineseWhispers, onCircle(0, 90, 180), 10, "..."},
	} {
		c.run(t)
	}
}

// TestAverageLinkageIsThePlainOne compares the chains with joining the best
// pair of all again and again, means taken over the faces.
func TestAverageLinkageIsThePlainOne(t *testing.T) {
	f, _, _ := cluster.SyntheticAlbum(3, 60)
	m := newMatrix(f)
	for _, similarity := range []float64{0.1, 0.3, 0.5, 0.7} {
		groups := [][]int{}
		for i := range m.n {
			groups = append(groups, []int{i})
		}
		for {
			a, b, best := -1, -1, similarity
			for i := range groups {
				for j := range i {
					var sum float64
					for _, x := range groups[i] {
						for _, y := range groups[j] {
							sum += float64(m.row(x)[y])
						}
					}
					if s := sum / float64(len(groups[i])*len(groups[j])); s >= best {
						a, b, best = i, j, s
					}
				}
			}
			if a < 0 {
				break
			}
			groups[b] = append(groups[b], groups[a]...)
			groups = append(groups[:a], groups[a+1:]...)
		}
		names := make([]int, m.n)
		for name, g := range groups {
			for _, i := range g {
				names[i] = name
			}
		}
		want := letters(numbered(names))
		if got := letters(averageLinkage(m, f, similarity)); got != want {
			t.Errorf("at %v: %s, want %s", similarity, got, want)
		}
	}
}
