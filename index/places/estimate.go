package places

import (
	"cmp"
	"slices"

	"github.com/kith-photos/kith/index/geo"
)

// The bounds of an estimate: the photo before and the photo after are at most
// this far from each other, in time and on the ground.
const (
	MaxGap      = 30 * 60 * 1_000_000 // µs
	MaxDistance = 1000                // metres
)

// assumedAccuracy stands for the accuracy of a position that tells none. A
// phone under the open sky is within 5 m (GPS.gov), between houses within some
// tens.
const assumedAccuracy = 30

// Shot is what [Estimate] has to know of a photo.
type Shot struct {
	Key      string    // unique; it parts photos of one time
	At       int64     // µs since 1970 UTC
	Camera   int32     // below 0: not known, and nothing is estimated
	Known    bool      // At can be compared with that of the camera's other photos
	Located  bool      // Point is where the photo was taken, as the file says
	Point    geo.Point // read only if Located
	Accuracy float64   // metres; 0: not known
}

// Guess is the estimated position of a photo that has none.
type Guess struct {
	Shot          int32 // index into the shots
	Before, After int32 // the two shots that it stands on
	Point         geo.Point
	// Accuracy in metres: the distance between the two, and the accuracies of
	// both. That the photographer left and came back is not in it.
	Accuracy float64
}

// Estimate gives positions to shots that have none. A guess stands on two
// located shots of the same camera: the last one before and the first one after
// it (of shots at one time, the smaller key is before). It is made if those two
// are at most [MaxGap] and [MaxDistance] from each other, and lies between them
// in proportion to the time. Only positions out of files are stood on, never a
// guess; a shot that has a position gets none. The guesses are in the order of
// their shots in the input.
func Estimate(shots []Shot) []Guess {
	order := inOrder(shots)
	var out []Guess
	before := -1 // in order, the last located shot of this camera
	for i, at := range order {
		if before >= 0 && shots[order[before]].Camera != shots[at].Camera {
			before = -1
		}
		if !shots[at].Located {
			continue
		}
		if before >= 0 && i-before > 1 {
			out = between(out, shots, order[before:i+1])
		}
		before = i
	}
	slices.SortFunc(out, func(a, b Guess) int { return cmp.Compare(a.Shot, b.Shot) })
	return out
}

// inOrder are the shots that matter: by camera, time and key.
func inOrder(shots []Shot) []int32 {
	type entry struct {
		at           int64
		camera, shot int32
	}
	var entries []entry // small, as a million of them are moved about
	for i := range shots {
		if s := &shots[i]; s.Camera >= 0 && s.Known && (!s.Located || s.Point.Valid()) {
			entries = append(entries, entry{s.At, s.Camera, int32(i)})
		}
	}
	slices.SortFunc(entries, func(a, b entry) int {
		switch {
		case a.camera != b.camera:
			return cmp.Compare(a.camera, b.camera)
		case a.at != b.at:
			return cmp.Compare(a.at, b.at)
		}
		return cmp.Compare(shots[a.shot].Key, shots[b.shot].Key)
	})
	order := make([]int32, len(entries))
	for i, e := range entries {
		order[i] = e.shot
	}
	return order
}

// between appends the guesses for the shots of a run whose first and last are
// the located ones.
func between(out []Guess, shots []Shot, run []int32) []Guess {
	first, last := run[0], run[len(run)-1]
	a, b := &shots[first], &shots[last]
	// The unsigned difference is right also where the signed one overflows.
	gap := uint64(b.At) - uint64(a.At)
	if gap > MaxGap {
		return out
	}
	distance := geo.Distance(a.Point, b.Point)
	if distance > MaxDistance {
		return out
	}
	accuracy := distance + accuracyOf(a) + accuracyOf(b)
	for _, i := range run[1 : len(run)-1] {
		share := 0.5 // all at one time
		if gap > 0 {
			share = float64(shots[i].At-a.At) / float64(gap)
		}
		out = append(out, Guess{Shot: i, Before: first, After: last, Point: onTheWay(a.Point, b.Point, share), Accuracy: accuracy})
	}
	return out
}

func accuracyOf(s *Shot) float64 {
	if s.Accuracy > 0 { // not NaN either
		return s.Accuracy
	}
	return assumedAccuracy
}

// onTheWay is the point at a share of the way from a to b. The chord stands
// for the arc, from which it differs by less than a millimetre in a kilometre.
func onTheWay(a, b geo.Point, share float64) geo.Point {
	if a == b {
		return a
	}
	return pointOf(vector(a).Mul(1 - share).Add(vector(b).Mul(share)))
}
