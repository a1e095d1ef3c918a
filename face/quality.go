package face

import "math"

// Measures are the measurable things that [Measures.Quality] is made of.
type Measures struct {
	// EyeDistance is the distance between the eyes in pixels of the photo.
	// Unlike the box's height it does not depend on the detector's habits.
	EyeDistance float64
	// Sharpness is the standard deviation of the Laplacian of the aligned
	// 112x112 grey crop divided by the standard deviation of the crop itself:
	// 0 for a flat or fully blurred crop, about 0.3 to 0.6 for a sharp one. The division
	// makes it independent of contrast.
	Sharpness float64
	// Yaw is how far the nose's tip lies from the middle of the eyes, along
	// the line of the eyes, in half eye distances: 0 frontal, about 1 profile.
	Yaw float64
	// Pitch is where the nose's tip lies between the line of the eyes (0) and
	// the mouth (1); about 0.55 looking straight ahead.
	Pitch float64
	// Score is the detector's confidence, in [0,1].
	Score float64
}

// Quality is the product of five terms, each a ramp from its worst to its best
// value, clamped to [0,1]; the last four never fall below the floors given, so
// that a single bad measure lowers the quality but does not erase it:
//
//	size      EyeDistance from 6 to 36 px
//	sharpness Sharpness from 0.04 to 0.20, floor 0.2
//	yaw       Yaw from 1.0 to 0.3, floor 0.2
//	pitch     |Pitch - 0.55| from 0.6 to 0.2, floor 0.4
//	score     Score from 0.4 to 0.8, floor 0.4
//
// 36 px between the eyes is what the embedder's crop holds: more adds nothing.
func (m Measures) Quality() float64 {
	return ramp(m.EyeDistance, 6, 36, 0) *
		ramp(m.Sharpness, 0.04, 0.20, 0.2) *
		ramp(m.Yaw, 1.0, 0.3, 0.2) *
		ramp(math.Abs(m.Pitch-0.55), 0.6, 0.2, 0.4) *
		ramp(m.Score, 0.4, 0.8, 0.4)
}

// ramp rises linearly from floor at worst to 1 at best.
func ramp(v, worst, best, floor float64) float64 {
	t := (v - worst) / (best - worst)
	if !(t > 0) { // also NaN
		t = 0
	}
	return floor + (1-floor)*min(1, t)
}

// measure reads the measures of one face off its landmarks and aligned crop.
func measure(lm Landmarks, crop []float32, score float64) Measures {
	dx, dy := lm[1].X-lm[0].X, lm[1].Y-lm[0].Y
	eyes := math.Hypot(dx, dy)
	m := Measures{EyeDistance: eyes, Score: score, Yaw: 1, Pitch: 2}
	if eyes == 0 {
		return m
	}
	ux, uy := dx/eyes, dy/eyes
	mid := Point{(lm[0].X + lm[1].X) / 2, (lm[0].Y + lm[1].Y) / 2}
	mouth := Point{(lm[3].X + lm[4].X) / 2, (lm[3].Y + lm[4].Y) / 2}
	nx, ny := lm[2].X-mid.X, lm[2].Y-mid.Y
	m.Yaw = math.Abs(nx*ux+ny*uy) / (eyes / 2)
	if down := (mouth.Y-mid.Y)*ux - (mouth.X-mid.X)*uy; down > 0 {
		m.Pitch = (ny*ux - nx*uy) / down
	}
	m.Sharpness = sharpness(crop, ArcFaceSize)
	return m
}

// sharpness compares the energy of the 4-neighbour Laplacian with that of the
// picture, over the inner part of a square grey crop of side n, where the face
// is (Pech-Pacheco et al., ICPR 2000, use the Laplacian's variance alone).
func sharpness(crop []float32, n int) float64 {
	var sum, sq, lap, lap2 float64
	lo, hi := n/6, n-n/6
	for y := lo; y < hi; y++ {
		for x := lo; x < hi; x++ {
			i := y*n + x
			v := float64(crop[i])
			l := float64(crop[i-1]) + float64(crop[i+1]) + float64(crop[i-n]) + float64(crop[i+n]) - 4*v
			sum += v
			sq += v * v
			lap += l
			lap2 += l * l
		}
	}
	count := float64((hi - lo) * (hi - lo))
	variance := sq/count - (sum/count)*(sum/count)
	if variance < 1 { // flat: less than one grey level
		return 0
	}
	return math.Sqrt(max(0, lap2/count-(lap/count)*(lap/count)) / variance)
}
