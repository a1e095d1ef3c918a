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
// be trusted (it finds flowers and clouds). Detect therefore looks three times:
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

// Detect finds candidates in the whole photo and in its tiles and keeps those
// that a second look confirms, with the second look's box and score.
func (u *ultraface) Detect(ctx context.Context, p *face.Picture) ([]face.Detection, error) {
	w, h := p.Size()
	whole := face.Box{W: float64(w), H: float64(h)}
	candidates, err := u.look(ctx, p, whole)
	if err != nil {
		return nil, err
	}
	if float64(max(w, h)) >= u.tileFrom {
		for _, t := range u.tiles(whole) {
			found, err := u.look(ctx, p, t)
			if err != nil {
				return nil, err
			}
			for _, d := range found {
				if !u.cut(d.Box, t, whole) {
					candidates = append(candidates, d)
				}
			}
		}
	}
	var kept []face.Detection
	for _, c := range face.Suppress(candidates, u.iou, u.contain) {
		d, ok, err := u.again(ctx, p, c)
		if err != nil {
			return nil, err
		}
		if ok {
			kept = append(kept, d)
		}
	}
	return face.Suppress(kept, u.iou, u.contain), nil
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

// spread places windows along a side so that neighbours overlap by at least
// overlap of their size and the outer ones end with the side.
func spread(side, window, overlap float64) []float64 {
	if side <= window {
		return []float64{(side - window) / 2}
	}
	// The slack keeps a photo that needs just one step from getting two.
	n := int(math.Ceil((side-window)/(window*(1-overlap))-0.02)) + 1
	at := make([]float64, n)
	for i := range at {
		at[i] = (side - window) * float64(i) / float64(n-1)
	}
	return at
}

// cut reports whether a box touches a border of the tile that is not also a
// border of the photo: it may be half a face.
func (u *ultraface) cut(b, t, whole face.Box) bool {
	mx, my := u.tileBorder*t.W, u.tileBorder*t.H
	return (b.X < t.X+mx && t.X > mx) ||
		(b.Y < t.Y+my && t.Y > my) ||
		(b.X+b.W > t.X+t.W-mx && t.X+t.W < whole.W-mx) ||
		(b.Y+b.H > t.Y+t.H-my && t.Y+t.H < whole.H-my)
}

// again looks at one candidate from close by.
func (u *ultraface) again(ctx context.Context, p *face.Picture, c face.Detection) (face.Detection, bool, error) {
	found, err := u.look(ctx, p, u.around(c.Box, u.window))
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
	ok, err := u.steady(ctx, p, best)
	return best, ok, err
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

// steady looks at a large face from further away, as far as there is photo
// around it.
func (u *ultraface) steady(ctx context.Context, p *face.Picture, d face.Detection) (bool, error) {
	w, h := p.Size()
	long := float64(max(w, h))
	if d.Box.H < steadyFrom*long {
		return true, nil
	}
	sum, looks := d.Score, 1
	for _, k := range steadyAt {
		if k*d.Box.H > 2*long {
			continue
		}
		found, err := u.look(ctx, p, u.around(d.Box, k))
		if err != nil {
			return false, err
		}
		best := 0.0
		for _, f := range found {
			if f.Box.IoU(d.Box) >= u.verifyIoU {
				best = max(best, f.Score)
			}
		}
		sum += best
		looks++
	}
	return sum >= steadyMean*float64(looks), nil
}

// around is a window of the input's aspect, k box heights high, with the box
// in its middle.
func (u *ultraface) around(b face.Box, k float64) face.Box {
	h := k * b.H
	w := h * float64(u.input.Width) / float64(u.input.Height)
	c := b.Center()
	return face.Box{X: c.X - w/2, Y: c.Y - h/2, W: w, H: h}
}

// look is one pass over a window of the photo, which keeps its aspect: what
// the input has too much is split between both sides.
func (u *ultraface) look(ctx context.Context, p *face.Picture, win face.Box) ([]face.Detection, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	iw, ih := u.input.Width, u.input.Height
	scale := max(win.W/float64(iw), win.H/float64(ih))
	left := win.X - (float64(iw)*scale-win.W)/2
	top := win.Y - (float64(ih)*scale-win.H)/2
	out, err := u.run(p, face.Affine{A: scale, C: left, E: scale, F: top}, iw, ih)
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
		x0, y0 := left+float64(c[0])*fw, top+float64(c[1])*fh
		x1, y1 := left+float64(c[2])*fw, top+float64(c[3])*fh
		ds = append(ds, face.Detection{Box: face.Box{X: x0, Y: y0, W: x1 - x0, H: y1 - y0}, Score: min(1, s)})
	}
	return face.Suppress(ds, u.iou, u.contain), nil
}
