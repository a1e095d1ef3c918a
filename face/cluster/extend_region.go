package cluster

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sort"
)

// The limits of a region. On 4,742 faces of press photos the mean region had
// 66 faces.
const (
	// maxMembers is how many faces a person may have to be added whole. Of a
	// larger one each face that is looked around from brings half of sampleSize
	// in, the most similar ones, and the other half is the same for all. A
	// crowd of 200 unrecognisable faces, which does not hold together in one
	// grouping and does in the next, is still whole.
	maxMembers, sampleSize = 256, 192
	// maxEdgePersons and maxEdgeLoose are how many of the persons, and of the
	// loose faces, to which a face has edges, are added. Such a crowd becomes a
	// cluster all at once or not at all; with 16 loose faces instead of 64, up
	// to 2 % of the faces of an album ended elsewhere on that account.
	maxEdgePersons, maxEdgeLoose = 4, 64
	// likeliest is how many persons are weighed for the one that a face is most
	// like and the runner-up, those with the most similar single faces.
	likeliest = 8
	// underThreshold is how far below the threshold their most similar face may
	// be. A face is more like a mean than like most of what it is the mean of.
	underThreshold = 0.15
	// maxAround is how many loose faces near a person's mean are added.
	maxAround = 32
	// firmMean is how many faces a person has whose mean a new one moves so
	// little that the loose faces near it can be added before it has joined,
	// which saves a grouping.
	firmMean = 16
	// maxMoved is how many of the faces that moved are looked around from.
	// Where more do, whole persons join, and these have the same neighbours.
	maxMoved = 32
	// maxRegion is how many faces a region may have that is grouped once more.
	maxRegion = 768
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

	faces   []int           // in the region
	fresh   int             // how many there were at first
	in      []bool          // face -> whether it is in the region
	asked   map[int]bool    // faces that were looked around from
	added   map[int]bool    // labels that were added
	samples map[int][]int32 // label -> its faces, or a sample
	sampled []int           // labels of which a sample was added
	means   map[int]bool    // persons whose mean was looked around from
	pending [][]float32     // means that are to be
	now     Extension       // the latest grouping
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
		asked: map[int]bool{}, added: map[int]bool{}, means: map[int]bool{}, samples: map[int][]int32{},
	}
	for _, i := range fresh {
		if i < 0 || i >= n {
			return nil, fmt.Errorf("cluster: fresh face %d of %d", i, n)
		}
		r.add(i)
	}
	r.fresh = len(r.faces)
	if err := r.sortByLabel(); err != nil {
		return nil, err
	}
	r.o.Library.Loose = max(o.Library.Loose, r.loose())
	// What is less alike joins nobody, even together with maxAround others; see
	// gathering.admit.
	most := falseJoins * maxAround / float64(max(r.o.Library.Loose, maxAround))
	r.around = float64(sort.Search(one, func(k int) bool {
		return FAR(o.Impostors, float64(k)/one-meanShift) <= most
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
			if r.label[h.Face] == label && near < sampleSize/2 {
				r.add(h.Face)
				near++
			}
		}
	}
	if r.added[label] {
		return
	}
	r.added[label] = true
	if len(m) > maxMembers {
		r.sampled = append(r.sampled, label)
		m = r.some(label)
	}
	for _, i := range m {
		r.add(int(i))
	}
}

// some is the faces of a label, or a sample if they are too many.
func (r *region) some(label int) []int32 {
	m, ok := r.samples[label]
	if !ok {
		if m = r.person(label); len(m) > maxMembers {
			m = sample(r, m, sampleSize/2)
		}
		r.samples[label] = m
	}
	return m
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

// lookAround adds those whom each of the faces may be together with.
func (r *region) lookAround(ctx context.Context, faces []int) error {
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
		mean       []float32
	}
	var best []candidate
	seen := map[int]bool{}
	for _, h := range hits {
		l := r.label[h.Face]
		if r.isLoose(h.Face) || seen[l] {
			continue
		}
		seen[l] = true
		mean := r.mean(r.some(l))
		best = append(best, candidate{l, dot(probe, mean), mean})
		if len(best) == likeliest {
			break
		}
	}
	slices.SortStableFunc(best, func(a, b candidate) int { return cmp.Compare(b.similarity, a.similarity) })
	for k, c := range best[:min(2, len(best))] {
		r.addPerson(c.label, hits)
		if n := len(r.person(c.label)); k == 0 && c.similarity > r.around && n >= firmMean {
			r.noteMean(c.label, c.mean)
		}
	}
}

// noteMean puts a person's mean on the list to be looked around from, once.
// One of very many faces hardly moves by a few.
func (r *region) noteMean(person int, mean []float32) {
	if !r.means[person] && !slices.Contains(r.sampled, person) && dot(mean, mean) > 0 {
		r.means[person] = true
		r.pending = append(r.pending, mean)
	}
}

// lookForLoose adds the loose sets that are near means: they may now join, and
// every one that may makes it easier for the others.
func (r *region) lookForLoose() error {
	means := r.pending
	r.pending = nil
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

// mean is the mean of the faces, scaled to length 1; zero if they cancel out.
func (r *region) mean(faces []int32) []float32 {
	sum := make([]float64, r.f.Dim)
	for _, i := range faces {
		for c, x := range r.f.row(int(i)) {
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
