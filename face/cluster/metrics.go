package cluster

import "fmt"

// Score says how well a clustering agrees with the truth. Precision falls
// with wrong merges, Recall with splits and abstentions; F is their harmonic
// mean. All are in [0,1].
type Score struct{ Precision, Recall, F float64 }

func newScore(precision, recall float64) Score {
	s := Score{Precision: precision, Recall: recall}
	if precision+recall > 0 {
		s.F = 2 * precision * recall / (precision + recall)
	}
	return s
}

// String is the score in percent.
func (s Score) String() string {
	return fmt.Sprintf("P %.2f R %.2f F %.2f", 100*s.Precision, 100*s.Recall, 100*s.F)
}

// contingency counts the faces of each cluster and person, and of each
// combination. A face labelled -1 is in no cluster.
type contingency[T comparable] struct {
	cluster map[int]int
	person  map[T]int
	both    map[cell[T]]int
}

type cell[T comparable] struct {
	cluster int
	person  T
}

func contingencyOf[T comparable](labels []int, truth []T) contingency[T] {
	if len(labels) != len(truth) {
		panic(fmt.Sprintf("cluster: %d labels for %d faces", len(labels), len(truth)))
	}
	c := contingency[T]{map[int]int{}, map[T]int{}, map[cell[T]]int{}}
	for i, l := range labels {
		c.person[truth[i]]++
		if l >= 0 {
			c.cluster[l]++
			c.both[cell[T]{l, truth[i]}]++
		}
	}
	return c
}

// BCubed compares labels with the truth by BCubed precision and recall: for
// each face the share of its cluster that is its person, and the share of its
// person that is in its cluster, averaged over the faces. Each face labelled
// -1 counts as a cluster of its own. Without faces the score is zero. It
// panics if the lengths differ.
//
// Bagga and Baldwin, "Entity-based cross-document coreferencing using the
// vector space model", COLING-ACL 1998; Amigó et al., "A comparison of
// extrinsic clustering evaluation metrics based on formal constraints",
// Information Retrieval 12 (2009).
func BCubed[T comparable](labels []int, truth []T) Score {
	c := contingencyOf(labels, truth)
	if len(labels) == 0 {
		return Score{}
	}
	var precision, recall float64
	for i, l := range labels {
		mates, cluster := 1, 1
		if l >= 0 {
			mates, cluster = c.both[cell[T]{l, truth[i]}], c.cluster[l]
		}
		precision += float64(mates) / float64(cluster)
		recall += float64(mates) / float64(c.person[truth[i]])
	}
	return newScore(precision/float64(len(labels)), recall/float64(len(labels)))
}

// Pairwise compares labels with the truth pair by pair: precision is the
// share of the pairs in one cluster that are one person, recall the share of
// the pairs of one person that are in one cluster. Large people dominate it.
// Each face labelled -1 counts as a cluster of its own. A share of no pairs
// at all is 1. It panics if the lengths differ.
func Pairwise[T comparable](labels []int, truth []T) Score {
	c := contingencyOf(labels, truth)
	return newScore(
		ratio(pairsIn(c.both), pairsIn(c.cluster)),
		ratio(pairsIn(c.both), pairsIn(c.person)),
	)
}

// ClustersPerPerson is the mean number of clusters over which a person is
// spread: 1 is best, more are splits. Abstained faces count for nothing, and
// so do people all of whose faces were abstained on; it is zero if there is
// nobody else. It panics if the lengths differ.
func ClustersPerPerson[T comparable](labels []int, truth []T) float64 {
	c := contingencyOf(labels, truth)
	people := map[T]bool{}
	for at := range c.both {
		people[at.person] = true
	}
	if len(people) == 0 {
		return 0
	}
	return float64(len(c.both)) / float64(len(people))
}

func pairsIn[K comparable](counts map[K]int) int {
	pairs := 0
	for _, n := range counts {
		pairs += n * (n - 1) / 2
	}
	return pairs
}

func ratio(part, whole int) float64 {
	if whole == 0 {
		return 1
	}
	return float64(part) / float64(whole)
}
