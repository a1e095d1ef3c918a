package cluster

import (
	"cmp"
	"context"
	"errors"
	"slices"
)

// Extension is what new faces change in a library: a region of it, grouped
// anew.
type Extension struct {
	// Faces are the faces of the region as positions in the library, rising.
	// The fresh ones are among them; most others stay where they were.
	Faces []int
	// Label holds for each of Faces its cluster among them, from 0, or -1 where
	// it was abstained on.
	Label []int
	// Clusters is how many there are.
	Clusters int
}

const (
	// wholeUntil is the number of faces up to which a library is always grouped
	// whole. At 1,000 that takes 17 ms of processor time, about as long as it
	// takes to analyse one small photo.
	wholeUntil = 1000
	// maxExtensions is how often one region is grouped, and looked around from
	// where it changed. With 2 instead of 4, adding 2,500 photos one by one to
	// 1,600 press faces ended with up to 2.3 % of them elsewhere than by one
	// grouping of all; with 8, as with 4, with less than 1 %.
	maxExtensions = 4
)

// Due reports whether a library that had then faces when it was last grouped
// whole, and has now so many, should be grouped whole again, rather than
// extended: always up to 1,000 faces, and then when it has grown or shrunk by
// a tenth. That keeps its [Calibration] current, and mends what [Extend]
// could not see.
//
// As Group takes time in proportion to n², all the groupings of a growing
// library take six times that of the last, and each new face's share of the
// next is that of 12n pairs: at 100,000 faces 10 ms of processor time.
func Due(then, now int) bool {
	return then <= 0 || now <= wholeUntil || 10*now >= 11*then || 10*now <= 9*then
}

var errNoMeasure = errors.New("cluster: Extend needs the Library that the last whole Group measured")

// Extend groups fresh faces together with those whose people they can change,
// by the measure of the whole: o.Library is the Calibration of the latest
// [Group] of the library, f the library with the fresh faces, and s a scanner
// of the same faces. label holds the cluster of each face up to now, from 0 to
// less than the number of faces, or -1 where it has none, as the fresh ones
// usually do. Of f, Quality is not looked at.
//
// The region that is grouped begins with the fresh faces, the faces to which
// they have edges, and the persons whose means they are most like. Where this
// moves a face, those around that face are added, where it changes a person,
// the loose faces like that person's mean, and the region is grouped again, up
// to four times. Nothing is grouped by any other rule than Group's. The
// Extension does not say which person a cluster continues: that is the one of
// the most of its faces, and where two clusters continue one person, of the one
// with most.
//
// links is asked for the decisions about faces of the library, and names them
// by their position in that list; nil stands for none. A decision that
// reaches out of the region is not seen, unless its other faces are among the
// fresh ones too.
//
// Of a person of more than 320 faces a region has the 160 nearest to each face
// that is looked around from, and 160 others, always the same. Such a person
// can gain faces, but of those it has it loses only faces that links name and
// faces that a better one of their photo replaces. What else it should lose,
// the next whole Group finds out.
//
// Time is that of up to four scans for each face that moves, in most cases one
// for each fresh face and one for its person, and of grouping the region. The
// result does not depend on the order of the library or of fresh, save where
// the limits of a region cut between faces that are exactly as similar.
func Extend(ctx context.Context, s *Scanner, f Faces, label []int, fresh []int, links func(faces []int) Links, o Options) (Extension, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return Extension{}, err
	}
	if o.Library.Threshold == 0 {
		return Extension{}, errNoMeasure
	}
	r, err := newRegion(s, f, label, fresh, o)
	if err != nil {
		return Extension{}, err
	}
	asked := slices.Clone(r.faces)
	var means [][]float32
	for round := 1; ; round++ {
		size := len(r.faces)
		if err := errors.Join(r.lookAround(ctx, asked), r.lookForLoose(means)); err != nil {
			return Extension{}, err
		}
		if round > 1 && len(r.faces) == size {
			return r.now, nil
		}
		if err := r.group(ctx, links); err != nil || round == maxExtensions {
			return r.now, err
		}
		asked, means = r.unsettled()
	}
}

// group groups the region.
func (r *region) group(ctx context.Context, links func([]int) Links) error {
	slices.Sort(r.faces)
	sub := Faces{Dim: r.f.Dim, Data: make([]float32, 0, len(r.faces)*r.f.Dim)}
	for _, i := range r.faces {
		sub.Data = append(sub.Data, r.f.row(i)...)
		if r.f.Photo != nil {
			sub.Photo = append(sub.Photo, r.f.Photo[i])
		}
	}
	var l Links
	if links != nil {
		l = links(slices.Clone(r.faces))
	}
	res, err := Group(ctx, sub, l, r.o)
	if err != nil {
		return err
	}
	r.now = Extension{Faces: slices.Clone(r.faces), Label: res.Label, Clusters: res.Clusters}
	r.keepSampled(sub, l)
	return nil
}

// keepSampled brings the faces of a person of whom the region has a sample
// back to where most of them are: how well they are connected to the rest
// cannot be told from the sample.
func (r *region) keepSampled(sub Faces, l Links) {
	if len(r.sampled) == 0 {
		return
	}
	named := make([]bool, sub.Len())
	for _, g := range l.Same {
		for _, k := range g {
			named[k] = true
		}
	}
	for _, p := range l.Different {
		named[p[0]], named[p[1]] = true, true
	}
	for _, person := range r.sampled {
		most := r.cluster(person)
		photos := map[int32]bool{}
		for k, c := range r.now.Label {
			if c == most && sub.Photo != nil {
				photos[sub.Photo[k]] = true
			}
		}
		for k, i := range r.now.Faces {
			replaced := sub.Photo != nil && sub.Photo[k] >= 0 && photos[sub.Photo[k]]
			if r.label[i] == person && !named[k] && !replaced {
				r.now.Label[k] = most
			}
		}
	}
}

// cluster is the one that has most faces of a person; a new one if none has
// any.
func (r *region) cluster(person int) int {
	count := make([]int, r.now.Clusters+1)
	for k, c := range r.now.Label {
		if c >= 0 && r.label[r.now.Faces[k]] == person {
			count[c]++
		}
	}
	most := 0
	for c, n := range count {
		if n > count[most] {
			most = c
		}
	}
	if count[most] == 0 {
		most = r.now.Clusters
		r.now.Clusters++
	}
	return most
}

// continued says for each cluster which label it continues, -1 for none: one
// to one, and those that share most faces first.
func (r *region) continued() []int {
	type match struct{ cluster, label int }
	shared := map[match]int{}
	for k, c := range r.now.Label {
		if l := r.label[r.now.Faces[k]]; c >= 0 && l >= 0 {
			shared[match{c, l}]++
		}
	}
	ms := make([]match, 0, len(shared))
	for m := range shared {
		ms = append(ms, m)
	}
	slices.SortFunc(ms, func(a, b match) int {
		return cmp.Or(cmp.Compare(shared[b], shared[a]), cmp.Compare(a.cluster, b.cluster), cmp.Compare(a.label, b.label))
	})
	label, taken := slices.Repeat([]int{-1}, r.now.Clusters), map[int]bool{}
	for _, m := range ms {
		if label[m.cluster] < 0 && !taken[m.label] {
			label[m.cluster], taken[m.label] = m.label, true
		}
	}
	return label
}

// unsettled lists faces that moved and were not looked around from yet, and
// the means of the persons that gained or lost some, each person once.
func (r *region) unsettled() (moved []int, means [][]float32) {
	label := r.continued()
	of := map[int]int{} // label -> the cluster that continues it
	for c, l := range label {
		if l >= 0 {
			of[l] = c
		}
	}
	members, changed := make([][]int32, r.now.Clusters), make([]bool, r.now.Clusters)
	for k, c := range r.now.Label {
		i := r.now.Faces[k]
		was := r.label[i]
		if c >= 0 {
			members[c] = append(members[c], int32(i))
		}
		if c < 0 && was < 0 || c >= 0 && was >= 0 && label[c] == was {
			continue
		}
		if !r.asked[i] {
			moved = append(moved, i)
		}
		if c >= 0 {
			changed[c] = true
		}
		if left, ok := of[was]; ok {
			changed[left] = true
		}
	}
	for c, m := range members {
		if !changed[c] || len(m) < minPerson {
			continue
		}
		// A new person goes by its first face, below all labels.
		key := label[c]
		if key < 0 {
			key = -1 - int(m[0])
		}
		if mean := r.mean(m); !r.means[key] && dot(mean, mean) > 0 {
			r.means[key] = true
			means = append(means, mean)
		}
	}
	return sample(r, moved, maxMoved), means
}
