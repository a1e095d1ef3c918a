package onnx

import (
	"math"

	"github.com/kith-photos/kith/face"
)

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

// cut reports whether a box touches a border of the tile t that is not also a
// border of the whole: it may be half a face. margin is the border's width as
// a share of the tile.
func cut(b, t, whole face.Box, margin float64) bool {
	mx, my := margin*t.W, margin*t.H
	return (b.X < t.X+mx && t.X > mx) ||
		(b.Y < t.Y+my && t.Y > my) ||
		(b.X+b.W > t.X+t.W-mx && t.X+t.W < whole.W-mx) ||
		(b.Y+b.H > t.Y+t.H-my && t.Y+t.H < whole.H-my)
}
