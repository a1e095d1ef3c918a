package cluster

import (
	"context"
	"slices"
)

// partition is the rule from the graph on: whisper, condense, and separate
// the faces of one photo.
func (g *graph) partition(ctx context.Context) (disjoint, error) {
	label := g.alone()
	if err := g.whisper(ctx, label, slices.Clone(label), photoPenalty); err != nil {
		return nil, err
	}
	set, err := g.condense(ctx, label)
	if err != nil {
		return nil, err
	}
	if left, err := g.separate(ctx, set, label); err != nil || left == 0 {
		return set, err
	}
	return g.condense(ctx, label)
}

// condense turns labels into sets of nodes of which every one is well
// connected to its set, see shareOf. The nodes of a set that are not are
// split off together and looked at again as sets of their own; a set that has
// no well connected node at all falls apart.
func (g *graph) condense(ctx context.Context, label []int32) (disjoint, error) {
	n := int32(len(g.nodes))
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		set := g.connected(label)
		weak, changed := g.weak(set)
		strong := make([]bool, n)
		for a := range g.nodes {
			if !weak[a] {
				strong[set.find(a)] = true
			}
		}
		if !changed {
			return set, nil
		}
		for a := range g.nodes {
			root := int32(set.find(a))
			switch {
			case !weak[a]:
				label[a] = root
			case strong[root]:
				label[a] = n + root
			default:
				label[a] = -1
			}
		}
	}
}

// connected joins neighbours of equal label: a label can reach two places
// over a node that has since moved on, and these are two sets. A negative
// label joins nothing.
func (g *graph) connected(label []int32) disjoint {
	set := newDisjoint(len(g.nodes))
	for a, edges := range g.edges {
		for _, e := range edges {
			if label[a] >= 0 && label[a] == label[e.to] {
				set.join(a, int(e.to))
			}
		}
	}
	return set
}

// weak finds the nodes with edges to too few of the vectors of their set: of
// the pairs of a vector of the node and one of the others, it counts those that
// are edges. A node that a decision holds may be weak like any other, and is a
// cluster of its own then.
func (g *graph) weak(set disjoint) (weak []bool, any bool) {
	size := make([]int, len(g.nodes))
	for a, nd := range g.nodes {
		size[set.find(a)] += len(nd.vectors)
	}
	weak = make([]bool, len(g.nodes))
	for a, nd := range g.nodes {
		root, linked := set.find(a), 0
		for _, e := range g.edges[a] {
			if set.find(int(e.to)) == root {
				linked++
			}
		}
		own := len(nd.vectors)
		weak[a] = shareIn*linked < shareOf*own*min(size[root]-own, maxNeighbours)
		any = any || weak[a]
	}
	return weak, any
}

// people numbers the sets that are clusters, and says for each face in which
// it is. One vector alone is no cluster, unless a decision holds it.
func (g *graph) people(set disjoint, faces int) (label []int, clusters int) {
	// The root of a set is its smallest node: a pinned node or a vector other
	// than the root's first makes the set a cluster.
	kept := make([]bool, len(g.nodes))
	for a, nd := range g.nodes {
		root := set.find(a)
		if nd.pinned || nd.vectors[0] != g.nodes[root].vectors[0] {
			kept[root] = true
		}
	}
	label = make([]int, faces)
	number := make([]int, len(g.nodes))
	for a, nd := range g.nodes {
		root := set.find(a)
		if root == a && kept[a] {
			number[a] = clusters
			clusters++
		} else if root == a {
			number[a] = -1
		}
		for _, i := range nd.faces {
			label[i] = number[root]
		}
	}
	return label, clusters
}
