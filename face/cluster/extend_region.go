package cluster

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sort"
)

// The limits of a region. They matter to libraries in which a face has edges
// to very many others; on 4,742 faces of press photos the mean region had 66.
const (
	// maxMembers is how many of a person's faces a region has at most for each
	// face that is looked around from: more than the 256 others that count in
	// the rule of shareOf, so that a fresh face is judged as by the whole.
	maxMembers = 320
	// maxEdgePersons and maxEdgeLoose are how many of the persons, and of the
	// loose faces, to which a face has edges, are added. Crowds of
	// unrecognisable faces in the background form a cluster all at once or not
	// at all; with 16 loose faces instead of 64, up to 2 % of the faces of an
	// album ended elsewhere on that account.
	maxEdgePersons, maxEdgeLoose = 8, 64
	// likeliest is how many persons are weighed for the one that a face is most
	// like and the runner-up, those with the most similar single faces.
	likeliest = 8
	// underThreshold is how far below the threshold their most similar face may
	// be. A face is more like a mean than like most of what it is the mean of.
	underThreshold = 0.15
	// maxAround is how many loose faces near a person's mean are added.
	maxAround = 32
	// maxMoved is how many of the faces that moved are looked around from.
	// Where more do, whole persons join, and these have the same neighbours.
	maxMoved = 16
	// scanned is how many probes are scanned together, at 4 bytes a face each.
	scanned = 8
)

// region is a part of a library, while it grows.
type region struct {
	s     *Scanner
	f     Faces
	o     Options
	label []int

	first   []int32 // label -> where its faces begin in members; one more at the end
	members []int32 // the faces that have a label, label by label
	around  float64 // the least similarity to a mean that matters

	faces   []int // in the region
	in      []bool
	asked   map[int]bool // faces that were looked around from
	whole   map[int]bool // labels that were added
	means   map[int]bool // persons whose mean was looked around from
	sampled []int        // labels of which only some faces were added
	now     Extension    // the latest grouping
}

func newRegion(s *Scanner, f Faces, label, fresh []int, o Options) (*region, error) {
	n := f.Len()
	switch {
	case f.Dim != s.f.Dim || len(f.Data) != len(s.f.Data):
		return nil, fmt.Errorf("cluster: the scanner has %d faces of %d numbers, the library %d of %d", s.f.Len(), s.f.Dim, n, f.Dim)
	case len(label) != n:
		return nil, fmt.Errorf("cluster: %d labels for %d faces", len(label), n)
	case f.Photo != nil && len(f.Photo) != n:
		return nil, fmt.Errorf("cluster: %d values of Photo for %d faces", len(f.Photo), n)
	}
	r := &region{
		s: s, f: f, o: o, label: label, in: make([]bool, n),
		asked: map[int]bool{}, whole: map[int]bool{}, means: map[int]bool{},
	}
	for _, i := range fresh {
		if i < 0 || i >= n {
			return nil, fmt.Errorf("cluster: fresh face %d of %d", i, n)
		}
		r.add(i)
	}
	if err := r.sortByLabel(); err != nil {
		return nil, err
	}
	r.o.Library.Loose = max(o.Library.Loose, r.loose())
	// What is less alike joins nobody, even together with maxAround others; see
	// gathering.admit.
	r.around = float64(sort.Search(one, func(k int) bool {
		far := FAR(o.Impostors, float64(k)/one-meanShift)
		return float64(r.o.Library.Loose)*far <= falseJoins*maxAround
	})) / one
	return r, nil
}

// sortByLabel lists the faces of each label.
func (r *region) sortByLabel() error {
	n := len(r.label)
	r.first = make([]int32, n+1)
	for i, l := range r.label {
		if l < -1 || l >= n {
			return fmt.Errorf("cluster: label %d of face %d, want -1 to %d", l, i, n-1)
		}
		if l >= 0 {
			r.first[l+1]++
		}
	}
	for l := range n {
		r.first[l+1] += r.first[l]
	}
	r.members = make([]int32, r.first[n])
	next := slices.Clone(r.first)
	for i, l := range r.label {
		if l >= 0 {
			r.members[next[l]] = int32(i)
			next[l]++
		}
	}
	return nil
}

// person lists the faces of a label.
func (r *region) person(label int) []int32 { return r.members[r.first[label]:r.first[label+1]] }

// isLoose says whether a face belongs to nobody who could not belong to
// somebody else.
func (r *region) isLoose(i int) bool {
	return r.label[i] < 0 || len(r.person(r.label[i])) <= maxLoose
}

// loose counts the loose sets, the region not included. There were more
// before the second stage, but the library has grown since that was known.
func (r *region) loose() int {
	loose := 0
	for i, l := range r.label {
		if !r.in[i] && r.isLoose(i) && (l < 0 || int(r.person(l)[0]) == i) {
			loose++
		}
	}
	return loose
}

func (r *region) add(i int) {
	if !r.in[i] {
		r.in[i] = true
		r.faces = append(r.faces, i)
	}
}

// addPerson adds the faces of a label; if they are too many, a sample, and
// those that hits, the most similar first, say are near.
func (r *region) addPerson(label int, hits []Match) {
	m := r.person(label)
	if len(m) > maxMembers {
		near := 0
		for _, h := range hits {
			if r.label[h.Face] == label && near < maxMembers/2 {
				r.add(h.Face)
				near++
			}
		}
	}
	if r.whole[label] {
		return
	}
	r.whole[label] = true
	if len(m) > maxMembers {
		r.sampled = append(r.sampled, label)
		m = sample(r, m, maxMembers/2)
	}
	for _, i := range m {
		r.add(int(i))
	}
}

// sample is n of some faces, or all if there are no more, chosen by their
// content alone.
func sample[T int | int32](r *region, faces []T, n int) []T {
	if len(faces) <= n {
		return faces
	}
	key := map[T]uint64{}
	for _, i := range faces {
		key[i] = saltOf(r.f.row(int(i)))
	}
	faces = slices.Clone(faces)
	slices.SortStableFunc(faces, func(a, b T) int { return cmp.Compare(key[a], key[b]) })
	return faces[:n]
}

// lookAround adds those whom each of the faces may be together with. A face is
// looked around from once.
func (r *region) lookAround(ctx context.Context, faces []int) error {
	faces = slices.DeleteFunc(faces, func(i int) bool { return r.asked[i] })
	for some := range slices.Chunk(faces, scanned) {
		if err := ctx.Err(); err != nil {
			return err
		}
		var probes [][]float32
		for _, i := range some {
			r.asked[i] = true
			probes = append(probes, r.f.row(i))
		}
		found, err := r.s.aboveEach(probes, r.o.Library.Threshold-underThreshold)
		if err != nil {
			return err
		}
		for k, hits := range found {
			r.addNeighbours(hits)
			r.addLikely(probes[k], hits)
		}
	}
	return nil
}

// addNeighbours adds those to whom a face has edges: the nearest loose faces,
// and the persons that would have the most weight in its vote.
func (r *region) addNeighbours(hits []Match) {
	threshold := int64(math.Round(r.o.Library.Threshold * one))
	var labels []int
	loose, votes := 0, map[int]int64{}
	for _, h := range hits {
		// A step more than none, as Group rounds otherwise.
		weight := int64(math.Round(h.Similarity*one)) - threshold + 1
		if weight < 0 {
			break
		}
		l := r.label[h.Face]
		switch {
		case l >= 0:
			if _, ok := votes[l]; !ok {
				labels = append(labels, l)
			}
			votes[l] += weight
		case loose < maxEdgeLoose:
			r.add(h.Face)
			loose++
		}
	}
	slices.SortStableFunc(labels, func(a, b int) int { return cmp.Compare(votes[b], votes[a]) })
	for _, l := range labels[:min(len(labels), maxEdgePersons)] {
		r.addPerson(l, hits)
	}
}

// addLikely adds the two persons whose means a face is most like.
func (r *region) addLikely(probe []float32, hits []Match) {
	type candidate struct {
		label      int
		similarity float64
	}
	var best []candidate
	seen := map[int]bool{}
	for _, h := range hits {
		l := r.label[h.Face]
		if r.isLoose(h.Face) || seen[l] {
			continue
		}
		seen[l] = true
		best = append(best, candidate{l, dot(probe, r.mean(r.person(l)))})
		if len(best) == likeliest {
			break
		}
	}
	slices.SortStableFunc(best, func(a, b candidate) int { return cmp.Compare(b.similarity, a.similarity) })
	for _, c := range best[:min(2, len(best))] {
		r.addPerson(c.label, hits)
	}
}

// lookForLoose adds the loose sets that are near means: they may now join, and
// every one that may makes it easier for the others.
func (r *region) lookForLoose(means [][]float32) error {
	for some := range slices.Chunk(means, scanned) {
		found, err := r.s.aboveEach(some, r.around)
		if err != nil {
			return err
		}
		for _, hits := range found {
			near := 0
			for _, h := range hits {
				if !r.isLoose(h.Face) {
					continue
				}
				if near++; near > maxAround {
					break
				}
				r.add(h.Face)
				if l := r.label[h.Face]; l >= 0 {
					r.addPerson(l, nil)
				}
			}
		}
	}
	return nil
}

// mean is the mean of the faces, or of maxMembers of them, scaled to length 1;
// zero if they cancel out.
func (r *region) mean(faces []int32) []float32 {
	sum := make([]float64, r.f.Dim)
	for k := 0; k < len(faces); k += 1 + (len(faces)-1)/maxMembers {
		for c, x := range r.f.row(int(faces[k])) {
			sum[c] += float64(x)
		}
	}
	var sq float64
	for _, x := range sum {
		sq += x * x
	}
	out := make([]float32, len(sum))
	if sq == 0 {
		return out
	}
	for c, x := range sum {
		out[c] = float32(x / math.Sqrt(sq))
	}
	return out
}

func dot(x, y []float32) float64 {
	var sum float64
	for k, v := range x {
		sum += float64(v) * float64(y[k])
	}
	return sum
}
