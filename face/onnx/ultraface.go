package onnx

import (
	"context"
	"fmt"
	"math"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/models"
)

// ultraface is Linzaer's Ultra-Light-Fast-Generic-Face-Detector (RFB-320). It
// sees 320x240 pixels, so one pass misses small faces, and its scores cannot
// be trusted (it finds flowers and clouds). It therefore looks three times:
// at the whole, at overlapping tiles, and again at each candidate from close
// by; only what comes back then is a face.
type ultraface struct {
	*net
	score, iou, contain float64 // of a pass; of the union of passes
	// Tiles: from which long side on, the long side over a tile's, how much
	// neighbours overlap, and the margin at inner borders where boxes are
	// dropped, as shares of a tile.
	tileFrom, tileDivisor, tileOverlap, tileBorder float64
	// The second look: the score and IoU with which a candidate must come
	// back, and the window in box heights.
	verify, verifyIoU, window float64
}

func newUltraface(n *net, m models.Model) (*ultraface, error) {
	if m.Input.Width <= 0 || m.Input.Height <= 0 {
		return nil, fmt.Errorf("model %s: the manifest gives no input size", m.ID)
	}
	u := &ultraface{net: n}
	for _, p := range []struct {
		name  string
		value *float64
	}{
		{"score", &u.score}, {"iou", &u.iou}, {"contain", &u.contain},
		{"tile_from", &u.tileFrom}, {"tile_divisor", &u.tileDivisor},
		{"tile_overlap", &u.tileOverlap}, {"tile_border", &u.tileBorder},
		{"verify", &u.verify}, {"verify_iou", &u.verifyIoU}, {"verify_window", &u.window},
	} {
		if *p.value = m.Params[p.name]; *p.value <= 0 {
			return nil, fmt.Errorf("model %s: the manifest gives no parameter %q", m.ID, p.name)
		}
	}
	return u, nil
}

func (u *ultraface) Name() string { return u.id }

// limits: the scores saturate, in turned photos too; what tells is how steadily
// a face shows from several distances.
func (u *ultraface) limits() limits {
	return limits{plain: 3, turned: 2, ahead: 0.3, glance: 0.9, sides: []float64{math.Inf(1)}}
}

// find collects candidates in the whole frame and in its tiles and keeps those
// that a second look confirms, with the second look's box and score.
func (u *ultraface) find(ctx context.Context, f frame, how care) ([]face.Detection, float64, error) {
	whole := f.whole()
	candidates, err := u.view(ctx, f, whole)
	if err != nil {
		return nil, 0, err
	}
	if max(f.w, f.h) >= u.tileFrom {
		for _, t := range u.tiles(whole) {
			found, err := u.view(ctx, f, t)
			if err != nil {
				return nil, 0, err
			}
			for _, d := range found {
				if !cut(d.Box, t, whole, u.tileBorder) {
					candidates = append(candidates, d)
				}
			}
		}
	}
	var kept []face.Detection
	for _, c := range face.Suppress(candidates, u.iou, u.contain) {
		d, ok, err := u.again(ctx, f, c, how.strict)
		if err != nil {
			return nil, 0, err
		}
		if ok {
			kept = append(kept, d)
		}
	}
	return face.Suppress(kept, u.iou, u.contain), top(candidates), nil
}

// glance is a look at the whole frame. The input has one size.
func (u *ultraface) glance(ctx context.Context, f frame, _ float64) ([]face.Detection, error) {
	return u.view(ctx, f, f.whole())
}

// plain is how steadily a face shows from further away: the negative decimal
// logarithm of what its mean score lacks of 1, at most 4.
func (u *ultraface) plain(ctx context.Context, f frame, d face.Detection) (float64, error) {
	sum, looks, err := u.looks(ctx, f, d)
	return -math.Log10(max(1e-4, 1-sum/looks)), err
}

// tiles covers the photo with windows of the input's aspect.
func (u *ultraface) tiles(whole face.Box) []face.Box {
	tw := max(whole.W, whole.H) / u.tileDivisor
	th := tw * float64(u.input.Height) / float64(u.input.Width)
	var ts []face.Box
	ys := spread(whole.H, th, u.tileOverlap)
	for _, x := range spread(whole.W, tw, u.tileOverlap) {
		for _, y := range ys {
			ts = append(ts, face.Box{X: x, Y: y, W: tw, H: th})
		}
	}
	return ts
}

// again looks at one candidate from close by.
func (u *ultraface) again(ctx context.Context, f frame, c face.Detection, strict bool) (face.Detection, bool, error) {
	found, err := u.view(ctx, f, u.around(c.Box, u.window))
	if err != nil {
		return face.Detection{}, false, err
	}
	best, overlap := face.Detection{}, 0.0
	for _, d := range found {
		if iou := d.Box.IoU(c.Box); iou > overlap && d.Score >= u.verify {
			best, overlap = d, iou
		}
	}
	if overlap < u.verifyIoU {
		return best, false, nil
	}
	if !strict && best.Box.H < steadyFrom*max(f.w, f.h) {
		return best, true, nil
	}
	sum, looks, err := u.looks(ctx, f, best)
	return best, sum >= steadyMean*looks, err
}

// holds reports whether a detection is confirmed and shows steadily.
func (u *ultraface) holds(ctx context.Context, f frame, d face.Detection) (bool, error) {
	_, ok, err := u.again(ctx, f, d, true)
	return ok, err
}

// A large face shows plainly from any distance, a dog's only from some. These
// are the distances, in box heights, the least height over the photo's long
// side of a face that is asked for, and the least mean score with that of the
// second look. It rejects the dogs of the boxes album, and costs 2 faces of
// the 118 photos of celeb5 and 1 of the 312 of sports5.
var steadyAt = [2]float64{3.5, 7}

const (
	steadyFrom = 0.12
	steadyMean = 0.85
)

// looks sums the scores of a face from further away, as far as there is photo
// around it, and its own.
func (u *ultraface) looks(ctx context.Context, f frame, d face.Detection) (sum, looks float64, err error) {
	sum, looks = d.Score, 1
	for _, k := range steadyAt {
		if k*d.Box.H > 2*max(f.w, f.h) {
			continue
		}
		found, err := u.view(ctx, f, u.around(d.Box, k))
		if err != nil {
			return 0, 1, err
		}
		best := 0.0
		for _, g := range found {
			if g.Box.IoU(d.Box) >= u.verifyIoU {
				best = max(best, g.Score)
			}
		}
		sum += best
		looks++
	}
	return sum, looks, nil
}

// around is a window of the input's aspect, k box heights high, with the box
// in its middle.
func (u *ultraface) around(b face.Box, k float64) face.Box {
	h := k * b.H
	w := h * float64(u.input.Width) / float64(u.input.Height)
	c := b.Center()
	return face.Box{X: c.X - w/2, Y: c.Y - h/2, W: w, H: h}
}

// view is one pass over a window of the frame, which keeps its aspect: what
// the input has too much is split between both sides.
func (u *ultraface) view(ctx context.Context, f frame, win face.Box) ([]face.Detection, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	iw, ih := u.input.Width, u.input.Height
	scale := max(win.W/float64(iw), win.H/float64(ih))
	left := win.X - (float64(iw)*scale-win.W)/2
	upper := win.Y - (float64(ih)*scale-win.H)/2
	out, err := u.look(f, face.Affine{A: scale, C: left, E: scale, F: upper}, iw, ih)
	if err != nil {
		return nil, err
	}
	scores, boxes := out[0], out[1]
	n := len(scores) / 2
	if err := u.want(boxes, 4*n, "boxes"); err != nil {
		return nil, err
	}
	fw, fh := float64(iw)*scale, float64(ih)*scale
	var ds []face.Detection
	for i := range n {
		s := float64(scores[2*i+1])
		if !(s >= u.score) {
			continue
		}
		c := boxes[4*i : 4*i+4]
		x0, y0 := left+float64(c[0])*fw, upper+float64(c[1])*fh
		x1, y1 := left+float64(c[2])*fw, upper+float64(c[3])*fh
		ds = append(ds, face.Detection{Box: face.Box{X: x0, Y: y0, W: x1 - x0, H: y1 - y0}, Score: min(1, s)})
	}
	return face.Suppress(ds, u.iou, u.contain), nil
}
