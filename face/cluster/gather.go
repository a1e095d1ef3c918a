package cluster

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sort"

	"github.com/kith-photos/kith/face/internal/simd"
)

// The second stage. Chinese Whispers leaves the poor photos of a person alone
// or in twos and threes: in profile, blurred, behind sunglasses, they have few
// edges to any one of the person's other faces. To the mean of all those faces
// they are much closer, because what the photos do not share averages out,
// while strangers come hardly any closer: on 3,806 labelled press photos the
// similarity of two photos of one person is 0.68 on average, of a photo to the
// mean of eight others 0.80, and the false accept rate at a similarity grows
// only as if the similarity were 0.01 to 0.03 higher.
const (
	// minPerson is how many vectors a set needs for its mean to be one that
	// others may join. The means of two or three are hardly better than a
	// face, and there are many of them in an album of strangers.
	minPerson = 4
	// maxLoose is how many vectors a set may have to join another. A larger
	// one is a person of its own, perhaps a look-alike; whether the two are
	// one is for somebody to say.
	maxLoose = 3
	// falseJoins is the share of false ones to expect among the sets that
	// join a person, see [gathering.admit].
	falseJoins = 0.05
	// meanShift is how much higher than two faces' the similarity of a face to
	// a mean has to be for the same false accept rate; rounded up.
	meanShift = 0.04
	// joinMargin is how much more like the person than like any other a set
	// has to be to join.
	joinMargin = 0.1
	// maxGatherings is how often the means are formed anew.
	maxGatherings = 3
)

// gathering is one round of the second stage.
type gathering struct {
	g       *graph
	tail    func(similarity float64) float64
	persons []*set
	loose   []*set
	all     int // how many loose sets the whole library has
}

// set is a set of nodes that the first stage put together.
type set struct {
	root    int // its smallest node
	nodes   []int32
	vectors []int32 // rising
	photos  []int32 // rising
	pinned  bool
}

// gather lets small sets join persons until none does. It returns how many
// sets were loose at first.
func (g *graph) gather(ctx context.Context, f Faces, d distinct, ds disjoint, o Options) (int, error) {
	first := -1
	for range maxGatherings {
		r := gathering{g: g, tail: func(s float64) float64 { return FAR(o.Impostors, s-meanShift) }}
		r.sort(ds)
		if first < 0 {
			first = len(r.loose)
		}
		if len(r.persons) == 0 || len(r.loose) == 0 {
			break
		}
		r.all = max(first, o.Library.Loose)
		joins, err := r.joins(ctx, f, d, ds)
		if err != nil {
			return 0, err
		}
		for _, j := range joins {
			ds.join(r.loose[j.loose].root, r.persons[j.person].root)
		}
		if len(joins) == 0 {
			break
		}
	}
	return max(first, 0), nil
}

// sort lists the sets by their roots.
func (r *gathering) sort(ds disjoint) {
	sets := make([]*set, len(r.g.nodes))
	for a, nd := range r.g.nodes {
		root := ds.find(a)
		if sets[root] == nil {
			sets[root] = &set{root: root}
		}
		s := sets[root]
		s.nodes = append(s.nodes, int32(a))
		s.vectors = append(s.vectors, nd.vectors...)
		s.photos = append(s.photos, nd.photos...)
		s.pinned = s.pinned || nd.pinned
	}
	for _, s := range sets {
		if s == nil {
			continue
		}
		s.vectors, s.photos = sortedSet(s.vectors), sortedSet(s.photos)
		switch {
		case len(s.vectors) >= minPerson:
			r.persons = append(r.persons, s)
		case len(s.vectors) <= maxLoose && !s.pinned:
			r.loose = append(r.loose, s)
		}
	}
}

// join is a loose set that may join a person, at a similarity in steps.
type join struct{ loose, person, step int32 }

// joins decides which loose sets join which persons.
func (r *gathering) joins(ctx context.Context, f Faces, d distinct, ds disjoint) ([]join, error) {
	// Nothing with a false accept rate above falseJoins is ever admitted, but
	// it may be the runner-up.
	low := float64(sort.Search(one, func(k int) bool { return r.tail(float64(k)/one) <= falseJoins })) / one
	floor := int32(max(low-joinMargin, 0) * one)
	nearest, second := make([]join, len(r.loose)), make([]int32, len(r.loose))
	err := compareMeans(ctx, f, d, r.persons, r.loose, floor, func(j join) {
		best := &nearest[j.loose]
		if j.step > best.step || j.step == best.step && j.person < best.person {
			second[j.loose] = max(second[j.loose], best.step)
			*best = j
		} else {
			second[j.loose] = max(second[j.loose], j.step)
		}
	})
	if err != nil {
		return nil, err
	}
	near := make([][]join, len(r.persons))
	for _, j := range nearest {
		if j.step > 0 && r.may(ds, r.loose[j.loose], r.persons[j.person]) {
			near[j.person] = append(near[j.person], j)
		}
	}
	var out []join
	for _, js := range near {
		for _, j := range r.admit(js) {
			if float64(j.step-second[j.loose]) >= joinMargin*one {
				out = append(out, j)
			}
		}
	}
	// The set that is most alike comes first; one that shares a photo with it,
	// or was said to be another, then has to wait for the next round.
	slices.SortFunc(out, func(a, b join) int {
		return cmp.Or(cmp.Compare(b.step, a.step), cmp.Compare(a.loose, b.loose))
	})
	return r.compatible(ds, out), nil
}

// admit keeps the most alike of those that may join one person: as many as
// keep the number of false ones that the tail predicts among all loose sets at
// falseJoins of theirs (Benjamini and Hochberg, "Controlling the false
// discovery rate", J. R. Statist. Soc. B 57, 1995).
func (r *gathering) admit(js []join) []join {
	slices.SortFunc(js, func(a, b join) int {
		return cmp.Or(cmp.Compare(b.step, a.step), cmp.Compare(a.loose, b.loose))
	})
	for n := len(js); n > 0; n-- {
		if float64(r.all)*r.tail(float64(js[n-1].step)/one) <= falseJoins*float64(n) {
			return js[:n]
		}
	}
	return nil
}

// may reports whether a loose set may join a person at all: not one of half
// its size, nor one that stands beside it on a photo or was said to be
// somebody else.
func (r *gathering) may(ds disjoint, s, person *set) bool {
	if 2*len(s.vectors) > len(person.vectors) || intersects(s.photos, person.photos) {
		return false
	}
	for _, a := range s.nodes {
		for _, b := range r.g.nodes[a].apart {
			if ds.find(int(b)) == person.root {
				return false
			}
		}
	}
	return true
}

// compatible leaves out the joins that those before them exclude.
func (r *gathering) compatible(ds disjoint, js []join) []join {
	var out []join
	joined := map[int32][]*set{}
	for _, j := range js {
		s := r.loose[j.loose]
		if slices.ContainsFunc(joined[j.person], func(o *set) bool {
			return intersects(s.photos, o.photos) || r.apart(ds, s, o)
		}) {
			continue
		}
		joined[j.person] = append(joined[j.person], s)
		out = append(out, j)
	}
	return out
}

func (r *gathering) apart(ds disjoint, s, o *set) bool {
	return slices.ContainsFunc(s.nodes, func(a int32) bool {
		return slices.ContainsFunc(r.g.nodes[a].apart, func(b int32) bool { return ds.find(int(b)) == o.root })
	})
}

// compareMeans visits the pairs of a person and a loose set whose means have a
// similarity above the floor.
func compareMeans(ctx context.Context, f Faces, d distinct, persons, loose []*set, floor int32, visit func(join)) error {
	// The persons fill whole panels, so that a tile has persons on one side
	// and loose sets on the other.
	from := (len(persons) + simd.Lanes - 1) / simd.Lanes * simd.Lanes
	mean, nothing := make([]float32, f.Dim), make([]float32, f.Dim)
	m := simd.NewMatrix(from+len(loose), f.Dim, func(i int) []float32 {
		switch {
		case i < len(persons):
			persons[i].mean(mean, f, d)
		case i < from:
			return nothing
		default:
			loose[i-from].mean(mean, f, d)
		}
		return mean
	})
	t := newTile(m, floor)
	for a := 0; a < from/simd.Lanes; a += tileRows {
		for b := from / simd.Lanes; b < m.Panels(); b += tileCols {
			if err := ctx.Err(); err != nil {
				return err
			}
			for _, p := range t.above(a, b) {
				// A tile may reach over the persons' end.
				if int(p.u) < len(persons) && int(p.v) >= from {
					visit(join{loose: p.v - int32(from), person: p.u, step: p.step})
				}
			}
		}
	}
	return nil
}

// mean is the mean of the vectors, scaled to length 1. They are added in
// canonical order, so that it does not depend on the order of the faces.
func (s *set) mean(out []float32, f Faces, d distinct) {
	sum := make([]float64, f.Dim)
	for _, u := range s.vectors {
		for k, x := range f.row(int(d.rep[u])) {
			sum[k] += float64(x)
		}
	}
	var sq float64
	for _, x := range sum {
		sq += x * x
	}
	scale := 0.0
	if sq > 0 {
		scale = 1 / math.Sqrt(sq)
	}
	for k, x := range sum {
		out[k] = float32(x * scale)
	}
}
