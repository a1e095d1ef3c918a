package cluster

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sort"

	"github.com/kith-photos/kith/face"
)

// ErrNoTail says that too few pairs of strangers were above the lowest
// threshold to measure an impostor tail.
var ErrNoTail = errors.New("cluster: too few stranger pairs above the lowest threshold")

// minTailPairs is how many pairs have to stand behind a measured rate. A
// count of ten has a relative standard error of a third, less than what one
// step of the threshold changes.
const minTailPairs = 10

// ValidateImpostors checks that a tail can be interpolated: at least one
// threshold, thresholds in [-1,1] that rise strictly, and as many rates in
// (0,1] that never rise.
func ValidateImpostors(im face.Impostors) error {
	if len(im.Thresholds) == 0 {
		return errors.New("cluster: Impostors has no thresholds")
	}
	if len(im.FAR) != len(im.Thresholds) {
		return fmt.Errorf("cluster: Impostors has %d rates for %d thresholds", len(im.FAR), len(im.Thresholds))
	}
	if err := validateThresholds(im.Thresholds); err != nil {
		return err
	}
	for i, far := range im.FAR {
		if !(far > 0 && far <= 1) {
			return fmt.Errorf("cluster: FAR[%d] of Impostors is %v, want (0,1]", i, far)
		}
		if i > 0 && far > im.FAR[i-1] {
			return fmt.Errorf("cluster: FAR[%d] of Impostors rises", i)
		}
	}
	return nil
}

func validateThresholds(ts []float64) error {
	for i, t := range ts {
		if !(t >= -1 && t <= 1) {
			return fmt.Errorf("cluster: threshold %d is %v, want [-1,1]", i, t)
		}
		if i > 0 && t <= ts[i-1] {
			return fmt.Errorf("cluster: threshold %d does not rise", i)
		}
	}
	return nil
}

// FAR is the false accept rate of a valid impostor tail at threshold t: the
// share of stranger pairs whose similarity is above t.
//
// Between two measured thresholds the logarithm of the rate is interpolated
// linearly. Beyond the last it is continued on the line through the last two;
// the logarithm of a normal or lighter tail is concave, so that the line lies
// above it and errs towards a higher rate. A tail of one threshold stays
// constant beyond it. Below the first threshold nothing is known, and the
// rate is 1.
func FAR(im face.Impostors, t float64) float64 {
	ts, n := im.Thresholds, len(im.Thresholds)
	if t < ts[0] {
		return 1
	}
	if n == 1 {
		return im.FAR[0]
	}
	// The segment from i-1 to i.
	i := min(max(sort.SearchFloat64s(ts, t), 1), n-1)
	lo, hi := math.Log(im.FAR[i-1]), math.Log(im.FAR[i])
	return math.Exp(lo + (hi-lo)*(t-ts[i-1])/(ts[i]-ts[i-1]))
}

// MeasureImpostors measures an embedder's impostor tail on labelled faces:
// over all pairs of faces with different identities, the share whose
// similarity is above each of the thresholds, which rise strictly in [-1,1].
// Faces with a negative identity are unknown and left out. The tail ends
// before the first threshold that fewer than ten pairs exceed; if that is the
// first of all, the error is ErrNoTail. A wrong label puts pairs of one
// person into the tail, so the labels have to be much cleaner than the lowest
// rate that is to be believed.
func MeasureImpostors(ctx context.Context, f Faces, identity []int, thresholds []float64) (face.Impostors, error) {
	if err := f.validate(); err != nil {
		return face.Impostors{}, err
	}
	if len(identity) != f.Len() {
		return face.Impostors{}, fmt.Errorf("cluster: %d identities for %d faces", len(identity), f.Len())
	}
	if len(thresholds) == 0 {
		return face.Impostors{}, errors.New("cluster: no thresholds to measure at")
	}
	if err := validateThresholds(thresholds); err != nil {
		return face.Impostors{}, err
	}
	var known []int
	for i, id := range identity {
		if id >= 0 {
			known = append(known, i)
		}
	}
	// above[k] counts the pairs above thresholds[k] and not above the next.
	above := make([]int64, len(thresholds))
	m := quantized(f.Dim, len(known), func(a int) []float32 { return f.row(known[a]) })
	err := similarities(ctx, m, int32(math.Floor(thresholds[0]*one)), func(pairs []pair) {
		for _, p := range pairs {
			if identity[known[p.u]] != identity[known[p.v]] {
				above[sort.SearchFloat64s(thresholds, float64(p.step)/one)-1]++
			}
		}
	})
	if err != nil {
		return face.Impostors{}, err
	}
	for k := len(above) - 2; k >= 0; k-- {
		above[k] += above[k+1]
	}
	im := face.Impostors{Pairs: strangerPairs(identity)}
	for k, t := range thresholds {
		if above[k] < minTailPairs {
			break
		}
		im.Thresholds = append(im.Thresholds, t)
		im.FAR = append(im.FAR, float64(above[k])/float64(im.Pairs))
	}
	if len(im.Thresholds) == 0 {
		return face.Impostors{}, ErrNoTail
	}
	return im, nil
}

// strangerPairs counts the pairs of faces with different identities, none of
// them negative.
func strangerPairs(identity []int) int64 {
	faces := map[int]int64{}
	var known, same int64
	for _, id := range identity {
		if id >= 0 {
			same += faces[id]
			faces[id]++
			known++
		}
	}
	return known*(known-1)/2 - same
}
