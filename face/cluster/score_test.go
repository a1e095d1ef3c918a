package cluster_test

import (
	"math"
	"testing"

	"github.com/kith-photos/kith/face/cluster"
)

// score says how well a library was grouped. Faces that nobody named are left
// out of all of it.
type score struct {
	bcubed, pairwise cluster.Score
	perPerson        float64 // clusters a person
	impure           float64 // faces of the largest cluster of two or more people
}

func scoreOf(labels []int, truth []string) score {
	var known []int
	var who []string
	sizes, first, impure := map[int]int{}, map[int]string{}, map[int]bool{}
	for i, l := range labels {
		if truth[i] == "" {
			continue
		}
		known, who = append(known, l), append(who, truth[i])
		if l < 0 {
			continue
		}
		if sizes[l]++; sizes[l] == 1 {
			first[l] = truth[i]
		}
		impure[l] = impure[l] || first[l] != truth[i]
	}
	s := score{
		bcubed:    cluster.BCubed(known, who),
		pairwise:  cluster.Pairwise(known, who),
		perPerson: cluster.ClustersPerPerson(known, who),
	}
	for l := range impure {
		if impure[l] {
			s.impure = max(s.impure, float64(sizes[l]))
		}
	}
	return s
}

// mean averages scores. Of the impure clusters it keeps the largest, and where
// nobody was grouped there are no clusters a person to average.
func mean(all []score) score {
	var out score
	grouped := 0.0
	add := func(to *cluster.Score, s cluster.Score) {
		n := float64(len(all))
		to.Precision += s.Precision / n
		to.Recall += s.Recall / n
		to.F += s.F / n
	}
	for _, s := range all {
		add(&out.bcubed, s.bcubed)
		add(&out.pairwise, s.pairwise)
		if s.perPerson > 0 {
			out.perPerson += s.perPerson
			grouped++
		}
		out.impure = max(out.impure, s.impure)
	}
	out.perPerson /= max(grouped, 1)
	return out
}

func TestScoreOf(t *testing.T) {
	// Anna is split in two, Ben sits with her, one face is abstained on, and
	// two are nobody's.
	labels := []int{0, 0, 1, 1, 1, -1, 2, 2}
	truth := []string{"Anna", "Anna", "Anna", "Anna", "Ben", "Ben", "", ""}
	s := scoreOf(labels, truth)
	if want := cluster.BCubed(labels[:6], truth[:6]); s.bcubed != want {
		t.Errorf("BCubed %v, want %v", s.bcubed, want)
	}
	if want := 1.0 / 2; math.Abs(s.pairwise.Precision-want) > 1e-9 {
		t.Errorf("pairwise precision %v, want %v", s.pairwise.Precision, want)
	}
	if s.perPerson != 1.5 || s.impure != 3 {
		t.Errorf("%v clusters a person, impure cluster of %v, want 1.5 and 3", s.perPerson, s.impure)
	}
	m := mean([]score{s, {}})
	if m.impure != 3 || m.perPerson != 1.5 || math.Abs(m.bcubed.F-s.bcubed.F/2) > 1e-9 {
		t.Errorf("mean %+v of %+v and nothing", m, s)
	}
}
