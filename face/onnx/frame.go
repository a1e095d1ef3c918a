package onnx

import "github.com/kith-photos/kith/face"

// frame is a photo turned by quarter turns: what a detector that knows upright
// faces only is shown of a photo that lies on its side. Positions in a frame
// are pixels of the turned photo.
type frame struct {
	p    *face.Picture
	w, h float64
	back face.Affine // from the frame to the photo
}

// turned is the photo after so many clockwise quarter turns, 0 to 3.
func turned(p *face.Picture, quarters int) frame {
	pw, ph := p.Size()
	w, h := float64(pw), float64(ph)
	switch quarters {
	case 1:
		return frame{p: p, w: h, h: w, back: face.Affine{B: 1, D: -1, F: h}}
	case 2:
		return frame{p: p, w: w, h: h, back: face.Affine{A: -1, C: w, E: -1, F: h}}
	case 3:
		return frame{p: p, w: h, h: w, back: face.Affine{B: -1, C: w, D: 1}}
	}
	return frame{p: p, w: w, h: h, back: face.Affine{A: 1, E: 1}}
}

func (f frame) whole() face.Box { return face.Box{W: f.w, H: f.h} }

// onPhoto is a detection of the frame in positions of the photo. Its points
// keep their order, which is that of the upright face.
func (f frame) onPhoto(d face.Detection) face.Detection {
	c := f.back.Apply(d.Box.Center())
	if f.back.A == 0 {
		d.Box.W, d.Box.H = d.Box.H, d.Box.W
	}
	if f.back.A != 1 {
		d.Box.X, d.Box.Y = c.X-d.Box.W/2, c.Y-d.Box.H/2
	}
	if d.Landmarks != nil {
		lm := new(face.Landmarks)
		for i, q := range d.Landmarks {
			lm[i] = f.back.Apply(q)
		}
		d.Landmarks = lm
	}
	return d
}

// look shows a network w by h pixels of the frame, sampled by m.
func (n *net) look(f frame, m face.Affine, w, h int) ([][]float32, error) {
	return n.run(f.p, m.Then(f.back), w, h)
}
