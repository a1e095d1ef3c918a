package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Candidate is a set of faces, a cluster or a single face, that may belong to
// another cluster: a question for somebody to answer.
type Candidate struct {
	// Faces are the faces in question, rising; Label is their cluster, -1 for
	// a single face without one.
	Faces []int
	Label int
	// Person is the cluster that they may belong to. It has at least as many
	// different vectors as they, and two at least.
	Person int
	// Similarity is that of the two means, in [-1,1]. RunnerUp is that of the
	// faces' mean and the next cluster that they might belong to, 0 if no
	// other is at all alike.
	Similarity, RunnerUp float64
	// Strangers is how many sets of strangers as similar the impostor tail
	// predicts among the library's loose sets.
	Strangers float64
	// Probability is an estimate that the faces are that person's, in (0,1).
	Probability float64
}

// The probability is that of a logistic regression on 25,902 candidates in
// libraries drawn from labelled press photos, as they are and shrunk to 72, 36
// and 28 pixels: families, strangers and mixtures. BenchmarkFitCandidates makes
// it anew and says how far it carries: on good photos predictions are close, on
// the smallest, whose strangers look more alike than the tail knows, too low.
// The distance to the runner-up says nothing that Strangers does not.
const (
	logitBase = -3.11
	logitRare = 1.03  // per natural logarithm of 1/Strangers
	logitSize = -1.45 // per doubling of the set: a large one is a person of its own
)

// leastAlike is the similarity of two means from which it is worth asking.
const leastAlike = 0.1

func (c *Candidate) judge(vectors int) {
	logit := logitBase - logitRare*math.Log(c.Strangers) + logitSize*math.Log2(float64(vectors))
	c.Probability = 1 / (1 + math.Exp(-logit))
}

// Candidates lists for every set of a partition, that is every cluster and
// every single face without one, the cluster that it is most like, if that is
// alike at all. Label is as in [Result]. Two sets that share a photo, or that
// the links hold apart, are no candidates for each other.
//
// The order is that in which answers help most: by Probability times the
// number of different faces, falling.
func Candidates(ctx context.Context, f Faces, label []int, l Links, o Options) ([]Candidate, error) {
	o = o.withDefaults()
	if err := errors.Join(o.validate(), f.validate(), l.validate(f.Len())); err != nil {
		return nil, err
	}
	if len(label) != f.Len() {
		return nil, fmt.Errorf("cluster: %d labels for %d faces", len(label), f.Len())
	}
	d := distinctVectors(f)
	c := collectSets(f, d, label, l)
	best, err := c.mostAlike(ctx, f, d)
	if err != nil {
		return nil, err
	}
	var out []Candidate
	for i, s := range c.sets {
		if best[i].person < 0 {
			continue
		}
		p := c.persons[best[i].person]
		q := Candidate{
			Faces: c.faces[i], Label: label[c.faces[i][0]], Person: label[c.faces[p.root][0]],
			Similarity: float64(best[i].step) / one, RunnerUp: float64(best[i].second) / one,
		}
		q.Strangers = float64(max(c.loose, o.Library.Loose)+1) * FAR(o.Impostors, q.Similarity-meanShift)
		q.judge(len(s.vectors))
		out = append(out, q)
	}
	// The sets are in canonical order, which a stable sort keeps.
	slices.SortStableFunc(out, func(a, b Candidate) int {
		return cmp.Compare(b.Probability*float64(len(b.Faces)), a.Probability*float64(len(a.Faces)))
	})
	return out, nil
}

// labelled are the sets of a partition that is given.
type labelled struct {
	sets    []*set // in the order of their least vectors; root is the index
	faces   [][]int
	persons []*set
	loose   int
	apart   map[[2]int]bool
}

func collectSets(f Faces, d distinct, label []int, l Links) labelled {
	members := map[int][]int{}
	for i, k := range label {
		if k < 0 {
			k = -1 - int(d.of[i]) // copies of one face are one question
		}
		members[k] = append(members[k], i)
	}
	var c labelled
	least := func(faces []int) int32 {
		u := d.of[faces[0]]
		for _, i := range faces {
			u = min(u, d.of[i])
		}
		return u
	}
	for _, faces := range members {
		c.faces = append(c.faces, faces)
	}
	slices.SortFunc(c.faces, func(a, b []int) int {
		return cmp.Or(cmp.Compare(least(a), least(b)), cmp.Compare(a[0], b[0]))
	})
	of := make([]int, f.Len())
	for k, faces := range c.faces {
		s := &set{root: k}
		for _, i := range faces {
			of[i] = k
			s.vectors = append(s.vectors, d.of[i])
			if f.Photo != nil && f.Photo[i] >= 0 {
				s.photos = append(s.photos, f.Photo[i])
			}
		}
		s.vectors, s.photos = sortedSet(s.vectors), sortedSet(s.photos)
		c.sets = append(c.sets, s)
		if label[faces[0]] >= 0 && len(s.vectors) >= 2 {
			c.persons = append(c.persons, s)
		}
		if len(s.vectors) <= maxLoose {
			c.loose++
		}
	}
	c.apart = map[[2]int]bool{}
	for _, pair := range l.Different {
		a, b := of[pair[0]], of[pair[1]]
		c.apart[[2]int{min(a, b), max(a, b)}] = true
	}
	return c
}

// alike is the person that a set is most like, -1 for none, and how much.
type alike struct{ person, step, second int32 }

func (c *labelled) mostAlike(ctx context.Context, f Faces, d distinct) ([]alike, error) {
	best := make([]alike, len(c.sets))
	for i := range best {
		best[i].person = -1
	}
	floor := leastAlike // a variable, so that the product is not a constant
	err := compareMeans(ctx, f, d, c.persons, c.sets, int32(floor*one), func(j join) {
		s, p := c.sets[j.loose], c.persons[j.person]
		smaller := len(s.vectors) < len(p.vectors) || len(s.vectors) == len(p.vectors) && s.root > p.root
		if !smaller || intersects(s.photos, p.photos) || c.apart[[2]int{min(s.root, p.root), max(s.root, p.root)}] {
			return
		}
		switch b := &best[j.loose]; {
		case b.person < 0 || j.step > b.step || j.step == b.step && j.person < b.person:
			*b = alike{person: j.person, step: j.step, second: max(b.step, 0)}
		default:
			b.second = max(b.second, j.step)
		}
	})
	return best, err
}
