package cluster

import (
	"cmp"
	"slices"
)

// nodes are what the labels spread over: faces that stay together whatever
// happens. They are numbered in canonical order, by their vectors, then by
// their photos, and only then by the position of their faces.
type nodes []node

type node struct {
	faces   []int
	vectors []int32 // rising
	photos  []int32 // rising
	// pinned: a decision holds the node, it is a cluster even alone.
	pinned bool
	// apart are the nodes with which this one may never share a cluster.
	apart []int32
}

// contract forms the nodes: the groups of Links.Same, and the copies of a
// vector. Copies that no decision names follow the one that a decision does
// name, unless decisions hold copies in several places; copies in different
// places are left to the graph, which may be told to keep them apart.
func contract(f Faces, d distinct, l Links) (nodes, error) {
	n := f.Len()
	set := newDisjoint(n)
	linked, pinned := make([]bool, n), make([]bool, n)
	for _, group := range l.Same {
		for _, i := range group {
			set.join(group[0], i)
			linked[i], pinned[i] = true, true
		}
	}
	for _, pair := range l.Different {
		linked[pair[0]], linked[pair[1]] = true, true
		if set.find(pair[0]) == set.find(pair[1]) {
			return nil, &ConflictError{pair[0], pair[1]}
		}
	}
	joinCopies(d, set, linked)
	ns, of := collect(f, d, set, pinned)
	for _, pair := range l.Different {
		a, b := of[pair[0]], of[pair[1]]
		ns[a].apart = append(ns[a].apart, b)
		ns[b].apart = append(ns[b].apart, a)
	}
	return ns, nil
}

// joinCopies joins the faces of each vector that no decision names, and joins
// them to the ones it does name if those are in one place.
func joinCopies(d distinct, set disjoint, linked []bool) {
	const none, many = -1, -2
	free, place := make([]int, d.len()), make([]int, d.len())
	for u := range free {
		free[u], place[u] = none, none
	}
	for i, u := range d.of {
		switch {
		case !linked[i] && free[u] == none:
			free[u] = i
		case linked[i] && place[u] == none:
			place[u] = set.find(i)
		case linked[i] && place[u] != set.find(i):
			place[u] = many
		}
	}
	// A second loop, so that no join moves a place while places are compared.
	for i, u := range d.of {
		if linked[i] {
			continue
		}
		set.join(free[u], i)
		if place[u] >= 0 {
			set.join(place[u], i)
		}
	}
}

// collect numbers the sets and lists what each holds.
func collect(f Faces, d distinct, set disjoint, pinned []bool) (nodes, []int32) {
	members := map[int][]int{}
	for i := range d.of {
		root := set.find(i)
		members[root] = append(members[root], i)
	}
	ns := make(nodes, 0, len(members))
	for _, faces := range members {
		nd := node{faces: faces}
		for _, i := range faces {
			nd.vectors = append(nd.vectors, d.of[i])
			nd.pinned = nd.pinned || pinned[i]
			if f.Photo != nil && f.Photo[i] >= 0 {
				nd.photos = append(nd.photos, f.Photo[i])
			}
		}
		nd.vectors, nd.photos = sortedSet(nd.vectors), sortedSet(nd.photos)
		ns = append(ns, nd)
	}
	slices.SortFunc(ns, func(a, b node) int {
		return cmp.Or(
			slices.Compare(a.vectors, b.vectors),
			slices.Compare(a.photos, b.photos),
			cmp.Compare(a.faces[0], b.faces[0]),
		)
	})
	of := make([]int32, len(d.of))
	for a, nd := range ns {
		for _, i := range nd.faces {
			of[i] = int32(a)
		}
	}
	return ns, of
}

// disjoint is a union-find forest over 0..n-1 with path halving.
type disjoint []int32

func newDisjoint(n int) disjoint {
	d := make(disjoint, n)
	for i := range d {
		d[i] = int32(i)
	}
	return d
}

func (d disjoint) find(i int) int {
	x := int32(i)
	for d[x] != x {
		d[x] = d[d[x]]
		x = d[x]
	}
	return int(x)
}

// join makes the smaller root the parent, so that the forest does not depend
// on the order of the joins.
func (d disjoint) join(i, j int) {
	a, b := d.find(i), d.find(j)
	d[max(a, b)] = int32(min(a, b))
}
