package cluster

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestMetricsByHand(t *testing.T) {
	tests := []struct {
		name     string
		labels   []int
		truth    []string
		bcubed   Score
		pairwise Score
		spread   float64
	}{
		{"nothing", nil, nil, Score{}, Score{1, 1, 1}, 0},
		{"perfect", []int{0, 0, 1, 1}, []string{"a", "a", "b", "b"}, Score{1, 1, 1}, Score{1, 1, 1}, 1},
		{"all abstained", []int{-1, -1}, []string{"a", "a"}, Score{1, 0.5, 2. / 3}, Score{1, 0, 0}, 0},
		{"one lump", []int{3, 3, 3, 3}, []string{"a", "a", "b", "b"}, Score{0.5, 1, 2. / 3}, Score{1. / 3, 1, 0.5}, 1},
		// Cluster 0 holds a a b, cluster 1 holds a, b is left out once.
		// Precision: (2/3 + 2/3 + 1/3 + 1 + 1) / 5; recall: (2/3 + 2/3 + 1/2 + 1/3 + 1/2) / 5.
		{"mixed", []int{0, 0, 0, 1, -1}, []string{"a", "a", "b", "a", "b"},
			newScore(11./15, 8./15), newScore(1./3, 1./4), 1.5},
	}
	near := func(a, b Score) bool {
		return math.Abs(a.Precision-b.Precision)+math.Abs(a.Recall-b.Recall)+math.Abs(a.F-b.F) < 1e-12
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := BCubed(test.labels, test.truth); !near(got, test.bcubed) {
				t.Errorf("BCubed %v, want %v", got, test.bcubed)
			}
			if got := Pairwise(test.labels, test.truth); !near(got, test.pairwise) {
				t.Errorf("Pairwise %v, want %v", got, test.pairwise)
			}
			if got := ClustersPerPerson(test.labels, test.truth); got != test.spread {
				t.Errorf("ClustersPerPerson %v, want %v", got, test.spread)
			}
		})
	}
}

// TestMetricsByDefinition compares with the definitions, face by face and
// pair by pair.
func TestMetricsByDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "n")
		labels := rapid.SliceOfN(rapid.IntRange(-1, 3), n, n).Draw(t, "labels")
		truth := rapid.SliceOfN(rapid.IntRange(0, 3), n, n).Draw(t, "truth")
		var precision, recall float64
		var both, inCluster, inPerson int
		for i := range n {
			var cluster, person, mates float64
			for j := range n {
				c := i == j || labels[i] >= 0 && labels[i] == labels[j]
				p := truth[i] == truth[j]
				count := func(b bool, sum *float64, pairs *int) {
					if b {
						*sum++
						if j < i {
							*pairs++
						}
					}
				}
				count(c, &cluster, &inCluster)
				count(p, &person, &inPerson)
				count(c && p, &mates, &both)
			}
			precision += mates / cluster / float64(n)
			recall += mates / person / float64(n)
		}
		got := BCubed(labels, truth)
		if math.Abs(got.Precision-precision)+math.Abs(got.Recall-recall) > 1e-12 {
			t.Fatalf("BCubed %v, want P %v R %v", got, precision, recall)
		}
		pairs := Pairwise(labels, truth)
		if pairs.Precision != ratio(both, inCluster) || pairs.Recall != ratio(both, inPerson) {
			t.Fatalf("Pairwise %v, want %d of %d and of %d", pairs, both, inCluster, inPerson)
		}
	})
}

func TestMetricsPanicOnLengths(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic for two labels and one person")
		}
	}()
	BCubed([]int{0, 0}, []string{"a"})
}

var (
	testScores = []float64{0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2}
	testSame   = []bool{true, true, false, true, true, false, false, false}
)

func TestROC(t *testing.T) {
	roc, err := ROC([]float64{0.9, 0.7, 0.7, 0.1}, []bool{true, true, false, false})
	if err != nil {
		t.Fatal(err)
	}
	want := []Operating{{0.9, 0, 0}, {0.7, 0.5, 0}, {0.1, 1, 0.5}, {math.Inf(-1), 1, 1}}
	if !slices.Equal(roc, want) {
		t.Errorf("ROC %v, want %v", roc, want)
	}
}

func TestTARAtFAR(t *testing.T) {
	for _, test := range []struct {
		far  float64
		want Operating
	}{
		{0, Operating{0.7, 0.5, 0}},
		{0.2, Operating{0.7, 0.5, 0}},
		{0.25, Operating{0.4, 1, 0.25}},
		{1, Operating{math.Inf(-1), 1, 1}},
	} {
		if got, err := TARAtFAR(testScores, testSame, test.far); err != nil || got != test.want {
			t.Errorf("TAR at FAR %v: %v, %v, want %v", test.far, got, err, test.want)
		}
	}
}

func TestKFoldAccuracy(t *testing.T) {
	// Even pairs learn from odd ones and the other way round.
	// Even: .9 same, .7 different, .5 same, .3 different: best above .7 or .3,
	// three of four right each; the higher wins: 0.8.
	// Odd: .8 same, .6 same, .4 different, .2 different: best 0.5, all right.
	// Judged by 0.5: even .9 right, .7 wrong, .5 wrong (not above), .3 right.
	// Judged by 0.8: odd .8 wrong (not above), .6 wrong, .4 and .2 right.
	v, err := KFoldAccuracy(testScores, testSame, []int{0, 1, 0, 1, 0, 1, 0, 1})
	if err != nil {
		t.Fatal(err)
	}
	if v.Accuracy != 0.5 || v.StdErr != 0 || v.Folds != 2 || math.Abs(v.Threshold-0.65) > 1e-9 {
		t.Errorf("%+v, want accuracy 0.5, threshold 0.65", v)
	}
}

// TestBestThreshold compares with trying every score.
func TestBestThreshold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 12).Draw(t, "n")
		scores := rapid.SliceOfN(rapid.SampledFrom([]float64{0, 0.1, 0.2, 0.3, 0.4, 0.5}), n, n).Draw(t, "scores")
		same := rapid.SliceOfN(rapid.Bool(), n, n).Draw(t, "same")
		order, _, err := ranked(scores, same)
		if err != nil {
			return // all pairs are of one kind
		}
		right := func(threshold float64) (count int) {
			for i, s := range scores {
				if (s > threshold) == same[i] {
					count++
				}
			}
			return count
		}
		got := right(bestThreshold(scores, same, order, func(int) bool { return true }))
		for _, s := range append(scores, -1) {
			if best := right(s); best > got {
				t.Fatalf("%d pairs judged right, %d at a threshold of %v", got, best, s)
			}
		}
	})
}

func TestVerificationRefuses(t *testing.T) {
	nan := math.NaN()
	for name, check := range map[string]func() error{
		"lengths":      func() error { _, err := ROC([]float64{1}, testSame); return err },
		"NaN":          func() error { _, err := ROC([]float64{nan, 1}, []bool{true, false}); return err },
		"one kind":     func() error { _, err := ROC([]float64{0, 1}, []bool{true, true}); return err },
		"nothing":      func() error { _, err := KFoldAccuracy(nil, nil, nil); return err },
		"FAR":          func() error { _, err := TARAtFAR(testScores, testSame, nan); return err },
		"fold lengths": func() error { _, err := KFoldAccuracy(testScores, testSame, []int{0, 1}); return err },
		"one fold":     func() error { _, err := KFoldAccuracy(testScores, testSame, make([]int, 8)); return err },
		"empty fold":   func() error { _, err := KFoldAccuracy(testScores, testSame, []int{0, 0, 0, 0, 2, 2, 2, 2}); return err },
		"negative fold": func() error {
			_, err := KFoldAccuracy(testScores, testSame, []int{0, 1, 0, 1, 0, 1, 0, -1})
			return err
		},
		"huge fold": func() error {
			_, err := KFoldAccuracy(testScores, testSame, []int{0, 1, 0, 1, 0, 1, 0, 1 << 40})
			return err
		},
	} {
		if err := check(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
