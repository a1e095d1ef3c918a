package cluster_test

import (
	"cmp"
	"math"
	"slices"
	"testing"

	"github.com/kith-photos/kith/face/cluster"
)

// HDBSCAN, as the two projects that use it have it: Campello, Moulavi and
// Sander, "Density-based clustering based on hierarchical density estimates",
// PAKDD 2013; McInnes, Healy and Astels, "hdbscan: Hierarchical density based
// clustering", JOSS 2, 2017.

// dendrogram is the tree of single linkage. Nodes below n are faces; node n+k
// is the k-th join, at a height that never falls.
type dendrogram struct {
	n           int
	left, right []int
	height      []float64
	sizes       []int
}

func (d *dendrogram) size(node int) int {
	if node < d.n {
		return 1
	}
	return d.sizes[node-d.n]
}

// split is what a node was joined of, the larger first, and at what density
// (the inverse of its height) the two part.
func (d *dendrogram) split(node int) (large, small int, density float64) {
	k := node - d.n
	large, small = d.left[k], d.right[k]
	if d.size(large) < d.size(small) {
		large, small = small, large
	}
	return large, small, 1 / max(d.height[k], 1e-6)
}

// name gives the faces below a node a name.
func (d *dendrogram) name(names []int, node, name int) {
	if node < d.n {
		names[node] = name
		return
	}
	d.name(names, d.left[node-d.n], name)
	d.name(names, d.right[node-d.n], name)
}

// reachability is the dendrogram of the mutual reachability distances: the
// largest of the distance of two faces and the distances from each to its
// k-th nearest, where a face is its own first. It is read off Prim's minimum
// spanning tree.
func reachability(m *matrix, k int) *dendrogram {
	type edge struct {
		a, b       int
		similarity float32 // at the mutual reachability distance
	}
	core := make([]float32, m.n)
	for i := range core {
		core[i] = kthLargest(m.row(i), i, k)
	}
	near := make([]edge, m.n) // of each face outside: its edge into the tree
	for i := range near {
		near[i] = edge{-1, i, -2}
	}
	var tree []edge
	at, outside := 0, indices(m.n)
	for len(outside) > 1 {
		outside = without(outside, at)
		next, row := outside[0], m.row(at)
		for _, j := range outside {
			if s := min(row[j], core[at], core[j]); s > near[j].similarity {
				near[j] = edge{at, j, s}
			}
			if near[j].similarity > near[next].similarity {
				next = j
			}
		}
		tree = append(tree, near[next])
		at = next
	}
	slices.SortStableFunc(tree, func(x, y edge) int { return cmp.Compare(y.similarity, x.similarity) })

	d := &dendrogram{n: m.n}
	set, node := disjoint(indices(m.n)), indices(m.n) // root -> its node
	for k, e := range tree {
		a, b := set.find(e.a), set.find(e.b)
		d.left, d.right = append(d.left, node[a]), append(d.right, node[b])
		d.height = append(d.height, distance(float64(e.similarity)))
		d.sizes = append(d.sizes, d.size(node[a])+d.size(node[b]))
		set[a] = b
		node[b] = m.n + k
	}
	return d
}

// kthLargest is the k-th largest number of a row, or the least if there are
// fewer; place i counts as the largest.
func kthLargest(row []float32, i, k int) float32 {
	top := []float32{2}
	for j, x := range row {
		if j == i || len(top) >= k && x <= top[len(top)-1] {
			continue
		}
		at, _ := slices.BinarySearchFunc(top, x, func(a, b float32) int { return cmp.Compare(b, a) })
		top = slices.Insert(top, at, x)
		top = top[:min(k, len(top))]
	}
	return top[len(top)-1]
}

// dense is a cluster of the condensed tree: the faces below a node, born at a
// density and falling apart into children or face by face.
type dense struct {
	top       int
	birth     float64
	stability float64
	children  []*dense
	parent    *dense
}

func condense(d *dendrogram, top int, birth float64, smallest int, parent *dense) *dense {
	c := &dense{top: top, birth: birth, parent: parent}
	for node := top; node >= d.n; {
		large, small, density := d.split(node)
		if d.size(small) >= smallest {
			c.stability += float64(d.size(node)) * (density - birth)
			for _, part := range []int{large, small} {
				c.children = append(c.children, condense(d, part, density, smallest, c))
			}
			break
		}
		falling := d.size(small)
		if d.size(large) < smallest {
			falling = d.size(node)
		}
		c.stability += float64(falling) * (density - birth)
		if falling == d.size(node) {
			break
		}
		node = large
	}
	return c
}

// best is the choice below and including c with the highest stability in all.
func (c *dense) best() (chosen []*dense, stability float64) {
	for _, child := range c.children {
		sub, s := child.best()
		chosen, stability = append(chosen, sub...), stability+s
	}
	if c.parent == nil || len(c.children) > 0 && stability > c.stability {
		return chosen, stability
	}
	return []*dense{c}, c.stability
}

// librePhotos is the rule of LibrePhotos (api/face_classify.py, create_all_clusters;
// defaults of api/models/user.py): the hdbscan package with a smallest cluster
// of 2, of 4 above 1,000 faces, 8 above 10,000 and 16 above 100,000, one
// neighbour for the density, and excess of mass. The threshold is its
// cluster_selection_epsilon (0.05 by default, for another embedder): a cluster
// that parted from another within that distance is replaced by the smallest
// one around it that did not.
func librePhotos(m *matrix, _ cluster.Faces, similarity float64) []int {
	names := slices.Repeat([]int{-1}, m.n)
	smallest := 2
	for limit := 1000; m.n > limit && limit <= 100000; limit *= 10 {
		smallest *= 2
	}
	if m.n < 2 {
		return names
	}
	d := reachability(m, 2) // the package counts the neighbours without the face
	chosen, _ := condense(d, 2*m.n-2, 0, smallest, nil).best()
	for i, c := range chosen {
		for 1/c.birth < distance(similarity) && c.parent.parent != nil {
			c = c.parent
		}
		d.name(names, c.top, i)
	}
	return numbered(names)
}

// recogniseSeparation is how long the edge between two clusters is at least,
// as a share of the longest in one.
const recogniseSeparation = 0.35 / 0.5

// recognize is the rule of Nextcloud Recognize
// (lib/Service/FaceClusterAnalyzer.php, lib/Clustering/MstClusterer.php): an
// HDBSCAN whose smallest cluster and sample grow with the number of faces, from
// 2 to 5 and from 2 to 4. The threshold is the longest edge of a cluster (0.5
// by default, for another embedder); the least separation keeps its ratio to
// it. That it groups nothing at all below 120 faces is not imitated.
func recognize(m *matrix, _ cluster.Faces, similarity float64) []int {
	names := slices.Repeat([]int{-1}, m.n)
	if m.n < 2 {
		return names
	}
	grown := func(root, most float64) int {
		return int(math.Round(max(2, min(most, math.Pow(float64(m.n), 1/root)))))
	}
	r := recognizer{
		dendrogram: reachability(m, grown(5.6, 4)),
		smallest:   grown(4.7, 5),
		longest:    distance(similarity),
	}
	chosen, _ := r.choose(2*m.n-2, 0, true)
	for i, node := range chosen {
		r.name(names, node, i)
	}
	return numbered(names)
}

type recognizer struct {
	*dendrogram
	smallest int
	longest  float64
}

// choose cuts the longest edges below a node one after another. A cluster's
// weight is the density its edges went through, but for the stretches above
// the longest edge allowed; where it falls in two, they are chosen if they
// weigh as much. Faces that fall off above that length are no members.
func (r *recognizer) choose(top int, birth float64, root bool) (chosen []int, weight float64) {
	node, last, length := top, birth, math.Inf(1)
	for r.size(node) >= r.smallest {
		large, small, density := r.split(node)
		length = r.height[node-r.n]
		if length > r.longest {
			last = density
		}
		weight += (density - last) * float64(r.size(node)-1)
		last = density
		if r.size(small) >= r.smallest && length >= r.longest*recogniseSeparation {
			a, wa := r.choose(large, density, false)
			b, wb := r.choose(small, density, false)
			if root || wa+wb >= weight {
				return append(a, b...), wa + wb
			}
			return []int{top}, weight
		}
		if node = large; length > r.longest {
			top = node
		}
	}
	if length > r.longest {
		return nil, 0
	}
	return []int{top}, weight
}

func TestHDBSCANPeers(t *testing.T) {
	// Two dense groups, one of them of two denser halves, and a stranger.
	halves := onCircle(0, 1, 2, 3, 8, 9, 10, 11, 90, 91, 92, 93, 200)
	for _, c := range []peerCase{
		{"two halves", librePhotos, halves, 1, "aaaabbbbcccc."},
		{"the halves are one within the distance", librePhotos, halves, 6, "aaaaaaaabbbb."},
		{"one face", librePhotos, onCircle(0), 5, "."},
		{"two groups", recognize, halves, 10, "aaaaaaaabbbb."},
		{"two halves", recognize, halves, 4, "aaaabbbbcccc."},
		{"nothing is near", recognize, halves, 0.5, "............."},
		{"one face", recognize, onCircle(0), 5, "."},
	} {
		c.run(t)
	}
}

func TestReachability(t *testing.T) {
	d := reachability(newMatrix(onCircle(0, 60, 62, 180)), 2)
	// 60 and 62 are nearest to each other; 0 and 180 reach them at their own
	// core distance.
	var degrees []float64
	for _, h := range d.height {
		degrees = append(degrees, math.Round(2*math.Asin(h/2)*180/math.Pi))
	}
	if !slices.Equal(degrees, []float64{2, 60, 118}) || d.size(6) != 4 {
		t.Errorf("heights at %v degrees, %d faces in all", degrees, d.size(6))
	}
}
