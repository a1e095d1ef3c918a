package face

import (
	"math"
	"slices"
)

// Point is a position in pixels of the upright photo; x grows to the right, y
// downwards, and the centre of the top left pixel is (0.5, 0.5).
type Point struct{ X, Y float64 }

// Box is an axis-aligned rectangle in pixels of the upright photo (after EXIF
// orientation): X, Y its top left corner, W, H its extent. A detector may
// return a box that reaches over the photo's border.
type Box struct{ X, Y, W, H float64 }

// Area is the box's area in square pixels; zero for an empty or inverted box.
func (b Box) Area() float64 {
	if b.W <= 0 || b.H <= 0 {
		return 0
	}
	return b.W * b.H
}

// Center is the box's middle.
func (b Box) Center() Point { return Point{b.X + b.W/2, b.Y + b.H/2} }

// Intersection is the area in square pixels that two boxes share.
func (b Box) Intersection(o Box) float64 {
	w := math.Min(b.X+b.W, o.X+o.W) - math.Max(b.X, o.X)
	h := math.Min(b.Y+b.H, o.Y+o.H) - math.Max(b.Y, o.Y)
	if w <= 0 || h <= 0 {
		return 0
	}
	return w * h
}

// IoU is intersection over union, in [0,1].
func (b Box) IoU(o Box) float64 {
	inter := b.Intersection(o)
	if inter == 0 {
		return 0
	}
	return inter / (b.Area() + o.Area() - inter)
}

// Finite reports whether no number of the box is NaN or infinite.
func (b Box) Finite() bool { return finite(b.X, b.Y, b.W, b.H) }

func finite(vs ...float64) bool {
	return !slices.ContainsFunc(vs, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
}

// Landmarks are five points in pixels of the upright photo, in this order, as
// seen with the face upright: the eye on the left, the eye on the right, the
// tip of the nose, the corner of the mouth on the left, the one on the right.
type Landmarks [5]Point

// Finite reports whether no number of the points is NaN or infinite.
func (lm Landmarks) Finite() bool {
	return !slices.ContainsFunc(lm[:], func(p Point) bool { return !finite(p.X, p.Y) })
}

// Vector is an embedding of one face: L2-normalised, so that the dot product
// of two vectors of the same space is their cosine similarity, in [-1,1].
type Vector []float32

// Dot is the cosine similarity of two unit vectors. Both must be of one
// length, which is true of vectors of one space.
func (v Vector) Dot(o Vector) float64 {
	var sum float64
	for i, x := range v {
		sum += float64(x) * float64(o[i])
	}
	return sum
}

// Normalize scales v in place to length 1 and reports whether it could: a
// vector of zeros, or one with NaN or infinity in it, is left as it is.
func (v Vector) Normalize() bool {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	if !(sum > 0) || math.IsInf(sum, 0) {
		return false
	}
	k := float32(1 / math.Sqrt(sum))
	for i := range v {
		v[i] *= k
	}
	return true
}

// Detection is one face that a detector found.
type Detection struct {
	Box   Box
	Score float64 // the detector's confidence, in [0,1]; comparable within one detector only
	// Landmarks holds the five points where the detector predicts them, nil
	// where it does not.
	Landmarks *Landmarks
}

// Face is one analysed face of a photo.
type Face struct {
	Box       Box
	Landmarks Landmarks
	Score     float64 // the detector's confidence, in [0,1]
	Quality   float64 // how much the embedding can be trusted, in [0,1]; see Quality
	Vector    Vector  // in the analyzer's space
	Detector  string  // the detector's name
}

// Impostors is an embedder's measured impostor tail: how often the cosine
// similarity of two different people exceeds a threshold. It belongs to the
// embedder and is shipped beside it.
type Impostors struct {
	// Thresholds rise strictly; FAR[i] is the share of stranger pairs whose
	// similarity is above Thresholds[i], and falls.
	Thresholds []float64 `json:"thresholds"`
	FAR        []float64 `json:"far"`
	// Pairs is how many stranger pairs were measured; zero where the tail was
	// assumed and not measured.
	Pairs int64 `json:"pairs"`
	// Source says on what it was measured.
	Source string `json:"source,omitempty"`
}
