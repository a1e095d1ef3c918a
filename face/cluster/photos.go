package cluster

import (
	"cmp"
	"context"
	"iter"
	"slices"
)

// slot is a vector in a node, with the photos on which faces of the node show
// it together with other slots.
type slot struct {
	node, vector int32
	photos       []int32
}

// fillSlots numbers the slots, node by node, and tells who is on which photo.
func (g *graph) fillSlots(f Faces, d distinct) {
	g.slotsOf, g.onPhoto = make([][]int32, d.len()), map[int32][]int32{}
	g.first = make([]int32, 0, len(g.nodes)+1)
	for a, nd := range g.nodes {
		g.first = append(g.first, int32(len(g.slots)))
		photos := map[int32][]int32{}
		for _, i := range nd.faces {
			if f.Photo != nil && f.Photo[i] >= 0 {
				photos[d.of[i]] = append(photos[d.of[i]], f.Photo[i])
			}
		}
		for _, u := range nd.vectors {
			s := int32(len(g.slots))
			g.slots = append(g.slots, slot{int32(a), u, sortedSet(photos[u])})
			g.slotsOf[u] = append(g.slotsOf[u], s)
			for _, p := range g.slots[s].photos {
				g.onPhoto[p] = append(g.onPhoto[p], s)
			}
		}
	}
	g.first = append(g.first, int32(len(g.slots)))
	for s := range g.slots {
		g.slots[s].photos = slices.DeleteFunc(g.slots[s].photos, func(p int32) bool { return len(g.onPhoto[p]) == 1 })
	}
}

// rivals are the pairs of a slot of node a and one of another node, its rival,
// that one photo shows and that are no edge. Each comes once. Only one of a
// vote's sequences may be under way.
func (g *graph) rivals(v *vote, a int32) iter.Seq2[slot, slot] {
	return func(yield func(own, rival slot) bool) {
		for _, own := range g.slots[g.first[a]:g.first[a+1]] {
			if len(own.photos) == 0 {
				continue
			}
			v.now++
			for _, s := range g.slotsOf[own.vector] {
				v.seen[s] = v.now
			}
			for _, e := range g.between[own.vector] {
				for _, s := range g.slotsOf[e.to] {
					v.seen[s] = v.now
				}
			}
			for _, p := range own.photos {
				for _, s := range g.onPhoto[p] {
					if v.seen[s] == v.now || g.slots[s].node == a {
						continue
					}
					v.seen[s] = v.now
					if !yield(own, g.slots[s]) {
						return
					}
				}
			}
		}
	}
}

// rivalsIn are the rivals of a in its set.
func (g *graph) rivalsIn(v *vote, set disjoint, a int32) iter.Seq2[slot, slot] {
	return func(yield func(own, rival slot) bool) {
		for own, rival := range g.rivals(v, a) {
			if set.find(int(a)) == set.find(int(rival.node)) && !yield(own, rival) {
				return
			}
		}
	}
}

// separate takes the rivals in each set apart and lets those that have to
// leave look for another label, one that no rival has. The labels it leaves
// still have to be condensed. It returns how many nodes had to leave.
func (g *graph) separate(ctx context.Context, set disjoint, label []int32) (int, error) {
	members := make([][]int32, len(g.nodes))
	for a := range g.nodes {
		root := set.find(a)
		members[root] = append(members[root], int32(a))
	}
	v := g.newVote()
	var leavers []int32
	for _, m := range members {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		stay, leave := g.divide(v, set, m)
		for _, a := range stay {
			label[a] = stay[0]
		}
		for _, a := range leave {
			label[a] = a
		}
		leavers = append(leavers, leave...)
	}
	slices.Sort(leavers)
	return len(leavers), g.whisper(ctx, label, leavers, banned)
}

// divide says which members of a set stay in it. Those with rivals are looked
// at from the best fitting to the worst, pinned ones first, and leave if a
// rival stays to whom they are not alike as faces of one person are.
func (g *graph) divide(v *vote, set disjoint, members []int32) (stay, leave []int32) {
	fit, order := g.fits(v, set, members)
	if len(order) == 0 {
		return members, nil
	}
	stays, left := map[int32]bool{}, map[int32]bool{}
	for _, a := range order {
		for own, rival := range g.rivalsIn(v, set, a) {
			b, denied := rival.node, g.step(own.vector, rival.vector)-g.threshold
			if stays[b] && mutual*one*int64(denied) < fit[a]+fit[b] {
				left[a] = true
				break
			}
		}
		stays[a] = !left[a]
	}
	for _, a := range members {
		if left[a] {
			leave = append(leave, a)
		} else {
			stay = append(stay, a)
		}
	}
	return stay, leave
}

// fits tells how well each member with a rival in the set fits it: by the mean
// weight between its vectors and those of the other members, where a missing
// edge weighs nothing and the pairs of rivals are left out. The unit is 2^-16
// steps. The order is the one in which divide looks at them.
func (g *graph) fits(v *vote, set disjoint, members []int32) (fit map[int32]int64, order []int32) {
	size := 0
	for _, a := range members {
		size += len(g.nodes[a].vectors)
	}
	fit = map[int32]int64{}
	for _, a := range members {
		rivals := 0
		for range g.rivalsIn(v, set, a) {
			rivals++
		}
		if rivals == 0 {
			continue
		}
		var sum int64
		for _, e := range g.edges[a] {
			if set.find(int(e.to)) == set.find(int(a)) {
				sum += int64(e.weight)
			}
		}
		// An edge connects a to its set, and is no pair of rivals.
		own := len(g.nodes[a].vectors)
		fit[a] = sum * one / int64(min(own*(size-own)-rivals, own*maxNeighbours))
		order = append(order, a)
	}
	slices.SortFunc(order, func(a, b int32) int {
		switch pa, pb := g.nodes[a].pinned, g.nodes[b].pinned; {
		case pa && !pb:
			return -1
		case pb && !pa:
			return 1
		}
		return cmp.Or(cmp.Compare(fit[b], fit[a]), cmp.Compare(a, b))
	})
	return fit, order
}
