package cluster

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// Operating is one point of a ROC curve: with pairs accepted as one person
// where their score is above Threshold, TAR is the share of the pairs of one
// person that are accepted, FAR the share of the pairs of different people.
type Operating struct{ Threshold, TAR, FAR float64 }

// ROC is the receiver operating characteristic of a verification: a point for
// each distinct score, from the highest to the lowest, and a last one that
// accepts all pairs, with a threshold of minus infinity. same says which
// pairs are one person. Both kinds have to occur and no score may be NaN.
func ROC(scores []float64, same []bool) ([]Operating, error) {
	order, positives, err := ranked(scores, same)
	if err != nil {
		return nil, err
	}
	negatives := len(scores) - positives
	var roc []Operating
	var tp, fp int
	for k, i := range order {
		// Pairs of one score are accepted together.
		if k == 0 || scores[i] != scores[order[k-1]] {
			roc = append(roc, operating(scores[i], tp, positives, fp, negatives))
		}
		if same[i] {
			tp++
		} else {
			fp++
		}
	}
	return append(roc, operating(math.Inf(-1), tp, positives, fp, negatives)), nil
}

func operating(t float64, tp, positives, fp, negatives int) Operating {
	return Operating{t, float64(tp) / float64(positives), float64(fp) / float64(negatives)}
}

// TARAtFAR is the point of the ROC curve with the highest TAR whose FAR is at
// most far, in [0,1]. Nothing is interpolated: with few pairs of different
// people, a low far is reached only at an FAR of zero.
func TARAtFAR(scores []float64, same []bool, far float64) (Operating, error) {
	if !(far >= 0 && far <= 1) {
		return Operating{}, fmt.Errorf("cluster: FAR of %v, want [0,1]", far)
	}
	roc, err := ROC(scores, same)
	if err != nil {
		return Operating{}, err
	}
	best := roc[0] // accepts nothing: FAR 0
	for _, p := range roc {
		if p.FAR <= far {
			best = p
		}
	}
	return best, nil
}

// Verification is the outcome of a cross-validated verification.
type Verification struct {
	Accuracy  float64 // mean over the folds of the share of pairs judged right
	StdErr    float64 // standard error of that mean
	Threshold float64 // mean of the thresholds that were used
	Folds     int
}

// KFoldAccuracy is the verification accuracy by the protocol of Labeled Faces
// in the Wild (Huang et al., technical report 07-49, University of
// Massachusetts, 2007): each fold is judged with the threshold that is most
// accurate on the other folds. Pair i belongs to fold[i]; there are at least
// two folds, numbered from 0 and none of them empty.
func KFoldAccuracy(scores []float64, same []bool, fold []int) (Verification, error) {
	order, _, err := ranked(scores, same)
	if err != nil {
		return Verification{}, err
	}
	sizes, err := foldSizes(len(scores), fold)
	if err != nil {
		return Verification{}, err
	}
	accuracy, threshold := make([]float64, len(sizes)), make([]float64, len(sizes))
	for k, size := range sizes {
		t := bestThreshold(scores, same, order, func(i int) bool { return fold[i] != k })
		right := 0
		for i, s := range scores {
			if fold[i] == k && (s > t) == same[i] {
				right++
			}
		}
		accuracy[k], threshold[k] = float64(right)/float64(size), t
	}
	mean, std := stat.MeanStdDev(accuracy, nil)
	return Verification{
		Accuracy:  mean,
		StdErr:    stat.StdErr(std, float64(len(sizes))),
		Threshold: stat.Mean(threshold, nil),
		Folds:     len(sizes),
	}, nil
}

// bestThreshold is the threshold that judges most of the used pairs right,
// half way between two scores: the pairs above it are accepted. order is from
// the highest score to the lowest. Among equals the highest wins.
func bestThreshold(scores []float64, same []bool, order []int, use func(i int) bool) float64 {
	order = slices.DeleteFunc(slices.Clone(order), func(i int) bool { return !use(i) })
	// gain: pairs judged right by accepting the first k, less those judged
	// right by accepting none.
	gain, most, at := 0, 0, 0
	for k, i := range order {
		if same[i] {
			gain++
		} else {
			gain--
		}
		last := k+1 == len(order) || scores[order[k+1]] != scores[i]
		if last && gain > most {
			most, at = gain, k+1
		}
	}
	switch at {
	case 0:
		return scores[order[0]]
	case len(order):
		return math.Nextafter(scores[order[at-1]], math.Inf(-1))
	}
	lo, hi := scores[order[at]], scores[order[at-1]]
	if mid := lo + (hi-lo)/2; mid < hi {
		return mid
	}
	return lo // next to hi: nothing lies between
}

// ranked checks a verification and orders its pairs from the highest score to
// the lowest; it also counts the pairs of one person.
func ranked(scores []float64, same []bool) (order []int, positives int, err error) {
	if len(scores) != len(same) {
		return nil, 0, fmt.Errorf("cluster: %d scores for %d pairs", len(scores), len(same))
	}
	order = make([]int, len(scores))
	for i, s := range scores {
		if math.IsNaN(s) || math.IsInf(s, 0) {
			return nil, 0, fmt.Errorf("cluster: score %d is %v", i, s)
		}
		if same[i] {
			positives++
		}
		order[i] = i
	}
	if positives == 0 || positives == len(scores) {
		return nil, 0, errors.New("cluster: verification needs pairs of one person and pairs of different people")
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(scores[b], scores[a])
	})
	return order, positives, nil
}

func foldSizes(n int, fold []int) ([]int, error) {
	if len(fold) != n {
		return nil, fmt.Errorf("cluster: %d fold numbers for %d pairs", len(fold), n)
	}
	folds := slices.Max(fold) + 1
	if slices.Min(fold) < 0 || folds < 2 || folds > n {
		return nil, fmt.Errorf("cluster: folds are numbered %d to %d, want 0 to at least 1", slices.Min(fold), folds-1)
	}
	sizes := make([]int, folds)
	for _, k := range fold {
		sizes[k]++
	}
	for k, size := range sizes {
		if size == 0 {
			return nil, fmt.Errorf("cluster: fold %d is empty", k)
		}
	}
	return sizes, nil
}
