package onnx

import (
	"context"

	"github.com/kith-photos/kith/face"
)

// A face that is small in the input scores little or not at all. From close by
// it is plainly a face, and hardly anything else is: of 3,400 faint detections
// that are no face, in the albums' photos and in some without people, none came
// back with promoteMean. Where there are such faces, people were photographed
// from afar, and the window is looked at in tiles at twice the scale, which
// shows those that left no trace.
const (
	smallFace = 24 // long side of a box, in pixels of the input
	tinyFace  = 12
	tinyFaces = 2  // that make it worth to look at tiles
	mostFaint = 32 // detections that are looked at in one view

	wideWindow  = 4.0 // box sides
	wideSide    = 64  // of the input
	wideScore   = 0.6
	promoteMean = 0.9

	tileOverlap = 0.2
	tileBorder  = 0.01
	tileGain    = 1.5 // the least by which a tile must be larger than before
)

// closer looks at what is small in a window in whose view ds were found: again
// at each detection in doubt, and where it finds faces among them, at four
// tiles at twice the scale, and so on while that shows more of the photo.
func (y *yunet) closer(ctx context.Context, f frame, win face.Box, ds []face.Detection, scale float64) ([]face.Detection, error) {
	if scale == 1 {
		return ds, nil
	}
	ds, err := y.promoteSmall(ctx, f, ds, scale)
	if err != nil {
		return nil, err
	}
	tiny := 0
	for _, d := range ds {
		if d.Score >= sure && max(d.Box.W, d.Box.H) < tinyFace*scale {
			tiny++
		}
	}
	need := tinyFaces
	if win != f.whole() {
		need = 1
	}
	if tiny < need || scale < tileGain {
		return ds, nil
	}
	return y.tile(ctx, f, win, ds, max(1, scale/2))
}

// promoteSmall looks again at the small detections in doubt, best first, except
// those in the middle of a face.
func (y *yunet) promoteSmall(ctx context.Context, f frame, ds []face.Detection, scale float64) ([]face.Detection, error) {
	var kept []face.Detection
	looks := 0
	for _, d := range ds { // sorted by score
		if d.Score < sure && max(d.Box.W, d.Box.H) < smallFace*scale && looks < mostFaint && !onFace(d, kept) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			looks++
			var err error
			if d, err = y.promote(f, d); err != nil {
				return nil, err
			}
		}
		kept = append(kept, d)
	}
	return face.Suppress(kept, y.iou, 1), nil
}

// onFace reports whether the middle of a detection lies in one of the faces.
func onFace(d face.Detection, faces []face.Detection) bool {
	c := d.Box.Center()
	for _, k := range faces {
		if b := k.Box; k.Score >= sure && c.X >= b.X && c.X <= b.X+b.W && c.Y >= b.Y && c.Y <= b.Y+b.H {
			return true
		}
	}
	return false
}

// promote is a detection as it shows from close by, where it is plainly a face
// there. Of a face of a few pixels not even the box is right, hence the first
// look at more around it.
func (y *yunet) promote(f frame, d face.Detection) (face.Detection, error) {
	found, err := y.around(f, d.Box, wideWindow, wideSide)
	if err != nil {
		return d, err
	}
	var best face.Detection
	for _, w := range found {
		if w.Score > best.Score && w.Box.Intersection(d.Box) > 0.3*min(w.Box.Area(), d.Box.Area()) {
			best = w
		}
	}
	if best.Score < wideScore {
		return d, nil
	}
	sum := 0.0
	for _, n := range doubtSides {
		near, err := y.near(f, best.Box, n)
		if err != nil {
			return d, err
		}
		if sum += near.Score; near.Score == 0 {
			return d, nil
		}
		best = near
	}
	if best.Score = sum / float64(len(doubtSides)); best.Score < promoteMean {
		return d, nil
	}
	return best, nil
}

// tile looks at four tiles of a window, which overlap, and adds what it finds
// to ds.
func (y *yunet) tile(ctx context.Context, f frame, win face.Box, ds []face.Detection, scale float64) ([]face.Detection, error) {
	tw, th := win.W/(2-tileOverlap), win.H/(2-tileOverlap)
	for _, tx := range [2]float64{win.X, win.X + win.W - tw} {
		for _, ty := range [2]float64{win.Y, win.Y + win.H - th} {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			t := face.Box{X: tx, Y: ty, W: tw, H: th}
			found, err := y.view(f, face.Affine{A: scale, C: tx, E: scale, F: ty}, y.padded(tw/scale), y.padded(th/scale), faint)
			if err != nil {
				return nil, err
			}
			if found, err = y.closer(ctx, f, t, face.Suppress(found, y.iou, 1), scale); err != nil {
				return nil, err
			}
			if found, err = y.confirm(ctx, f, y.likely(found), sure, strictMean); err != nil {
				return nil, err
			}
			for _, d := range found {
				if !cut(d.Box, t, f.whole(), tileBorder) {
					ds = append(ds, d)
				}
			}
		}
	}
	return face.Suppress(ds, y.iou, 1), nil
}
