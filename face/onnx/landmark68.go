package onnx

import (
	"context"
	"fmt"

	"github.com/kith-photos/kith/face"
)

// landmark68 finds the 68 points of the iBUG 300-W scheme (Sagonas et al.,
// ICCVW 2013) in a square around the box, as side long as the box is high, and
// reduces them to the five that alignment needs.
type landmark68 struct{ *net }

// Landmarks finds the points of a face that stands upright.
func (l landmark68) Landmarks(ctx context.Context, p *face.Picture, b face.Box) (face.Landmarks, error) {
	return l.in(ctx, turned(p, 0), b)
}

// in finds the points of a face that stands upright in a frame.
func (l landmark68) in(ctx context.Context, f frame, b face.Box) (face.Landmarks, error) {
	var lm face.Landmarks
	if err := ctx.Err(); err != nil {
		return lm, err
	}
	n := l.input.Width
	c := b.Center()
	scale := b.H / float64(n)
	left, top := c.X-b.H/2, c.Y-b.H/2
	out, err := l.look(f, face.Affine{A: scale, C: left, E: scale, F: top}, n, n)
	if err != nil {
		return lm, err
	}
	if len(out[0]) != 2*68 {
		return lm, fmt.Errorf("model %s: %d values, expected 68 points", l.id, len(out[0]))
	}
	// The points are fractions of the crop's side.
	mean := func(from, to int) face.Point {
		var q face.Point
		for i := from; i <= to; i++ {
			q.X += float64(out[0][2*i])
			q.Y += float64(out[0][2*i+1])
		}
		k := b.H / float64(to-from+1)
		return face.Point{X: left + q.X*k, Y: top + q.Y*k}
	}
	return face.Landmarks{mean(36, 41), mean(42, 47), mean(30, 30), mean(48, 48), mean(54, 54)}, nil
}
