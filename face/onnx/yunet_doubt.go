package onnx

import (
	"context"

	"github.com/kith-photos/kith/face"
)

// Where the network is in doubt, a second look decides: what is a face stays
// one from close by; hands, trophies, half faces at a border and dogs mostly do
// not. sure is the score from which a detection is not doubted; the second look
// is at windows of doubtWindow box sides, warped to these inputs, and must find
// the box again with a mean score of doubtMean, or of strictMean in turned
// photos, in tiles and at a glance, where more looks like a face by chance.
var doubtSides = [2]int{96, 160}

const (
	sure        = 0.85
	doubtWindow = 2.2
	doubtMean   = 0.35
	strictMean  = 0.5
	doubtIoU    = 0.4
)

// confirm drops the detections in doubt, those that score less than trusted,
// that do not come back with a mean of least. An input of fixed size is too
// large for a second look to be worth its cost.
func (y *yunet) confirm(ctx context.Context, f frame, ds []face.Detection, trusted, least float64) ([]face.Detection, error) {
	if y.fixed() {
		return ds, nil
	}
	kept := ds[:0]
	for _, d := range ds {
		if d.Score < trusted {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			mean, err := y.again(f, d.Box)
			if err != nil {
				return nil, err
			}
			if mean < least {
				continue
			}
		}
		kept = append(kept, d)
	}
	return kept, nil
}

// holds reports whether a detection comes back with strictMean.
func (y *yunet) holds(ctx context.Context, f frame, d face.Detection) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	mean, err := y.again(f, d.Box)
	return mean >= strictMean, err
}

// again is the mean score with which a box comes back from close by.
func (y *yunet) again(f frame, b face.Box) (float64, error) {
	sum := 0.0
	for _, n := range doubtSides {
		d, err := y.near(f, b, n)
		if err != nil {
			return 0, err
		}
		sum += d.Score
	}
	return sum / float64(len(doubtSides)), nil
}

// near is the best of what an input of n by n pixels shows where a box was
// found, the zero value for nothing.
func (y *yunet) near(f frame, b face.Box, n int) (face.Detection, error) {
	found, err := y.around(f, b, doubtWindow, n)
	var best face.Detection
	for _, d := range found {
		if d.Box.IoU(b) >= doubtIoU && d.Score > best.Score {
			best = d
		}
	}
	return best, err
}

// around is what an input of n by n pixels shows of a square of k box sides
// around a box.
func (y *yunet) around(f frame, b face.Box, k float64, n int) ([]face.Detection, error) {
	side := k * max(b.W, b.H)
	c := b.Center()
	scale := side / float64(n)
	return y.view(f, face.Affine{A: scale, C: c.X - side/2, E: scale, F: c.Y - side/2}, n, n, 0.05)
}
