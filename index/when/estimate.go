package when

import (
	"slices"
	"time"

	"github.com/kith-photos/kith/exif"
)

// Basis says what a correction was estimated from.
type Basis string

const (
	BasisAnchors Basis = "anchors" // pairs of photos that a person named
	BasisGPS     Basis = "gps"     // the GPS time stamps in the camera's own photos
	BasisOthers  Basis = "others"  // the photos of other cameras
)

// Anchor names two photos that show the same moment, by their keys: one of the
// camera in question and one of another.
type Anchor struct{ This, That string }

// Estimate is a correction and what speaks for it.
type Estimate struct {
	Shift
	Basis   Basis
	Support int           // photos or anchors that agree with it
	Of      int           // out of these
	Spread  time.Duration // half of those that agree are nearer to it than this
	// Ratio is how much better it fits the other cameras than the next best
	// correction, which is at least clearRatio; 0 on another basis.
	Ratio float64
}

// EstimateShift finds by how much the clock of a camera was off, between two
// readings of it (zero: open), and false where the photos do not tell. Anchors
// count first, then GPS, then the photos of other cameras. A correction of a
// few seconds says that the clock was right.
//
// The estimate is for the camera's readings as they are in the files, whatever
// opt.Shifts says of it; the corrections of other cameras hold.
func EstimateShift(photos []Evidence, camera string, from, to time.Time, anchors []Anchor, opt Options) (Estimate, bool) {
	want := Shift{Camera: camera, From: from, To: to}
	if camera == "" {
		return Estimate{}, false
	}
	s := sample{photos: photos, times: Resolve(photos, opt), opt: opt}
	for i := range photos {
		e := &photos[i]
		if e.Camera == camera && !e.Taken.IsZero() && e.From != exif.TimeModified && want.holds(e.Taken.Wall) {
			s.own = append(s.own, i)
		}
	}
	for _, basis := range []func(*sample) (Estimate, bool){
		func(s *sample) (Estimate, bool) { return s.byAnchors(anchors) }, (*sample).byGPS, (*sample).byOthers,
	} {
		if got, ok := basis(&s); ok {
			want.By = got.By
			got.Shift = want
			return got, true
		}
		if len(anchors) > 0 {
			break // what a person said is not overruled by a guess
		}
	}
	return Estimate{}, false
}

// sample is what an estimate is made from.
type sample struct {
	photos []Evidence
	times  []Time
	opt    Options
	own    []int // photos of the camera
}

// byAnchors holds the two photos of each anchor against each other, by their
// instants where the camera writes its zone, else by their wall clocks.
func (s *sample) byAnchors(anchors []Anchor) (Estimate, bool) {
	if len(anchors) == 0 {
		return Estimate{}, false
	}
	byKey := map[string]int{}
	for i := range s.photos {
		byKey[s.photos[i].Key] = i
	}
	var by []time.Duration
	for _, a := range anchors {
		i, ok := byKey[a.This]
		j, found := byKey[a.That]
		if !ok || !found || !slices.Contains(s.own, i) {
			continue
		}
		this, that := s.photos[i].Taken, &s.times[j]
		if that.IsZero() || that.Precision == Day || that.Source == SourceModTime || s.photos[j].Camera == s.photos[i].Camera {
			continue
		}
		wall := that.Wall
		if at, ok := that.Instant(); ok && this.Zone == exif.ZoneOffset {
			wall = at.Add(this.Offset)
		} else if that.Zone == exif.ZoneUTC {
			continue
		}
		by = append(by, wall.Sub(this.Wall))
	}
	return agreement(by, 1, BasisAnchors)
}

// byGPS holds the readings against the GPS time stamps, in the zone of the
// place, or else in the one that the camera writes, or the host's. Without any
// of these an hour cannot be told from a zone.
func (s *sample) byGPS() (Estimate, bool) {
	var by []time.Duration
	for _, i := range s.own {
		e := &s.photos[i]
		if e.Fix.Year() < 1990 {
			continue
		}
		r := resolver{opt: s.opt}
		var offset time.Duration
		switch loc := r.location(e); {
		case loc != nil:
			offset = offsetAt(loc, e.Fix)
		case e.Taken.Zone == exif.ZoneOffset:
			offset = e.Taken.Offset
		case s.opt.Default != nil:
			offset = offsetAt(s.opt.Default, e.Fix)
		default:
			continue
		}
		by = append(by, e.Fix.UTC().Add(offset).Sub(e.Taken.Wall))
	}
	return agreement(by, 3, BasisGPS)
}

// agreement is the middle of what most say: at least two thirds must lie within
// a window of two minutes, and at least need.
func agreement(by []time.Duration, need int, basis Basis) (Estimate, bool) {
	const window = 2 * time.Minute
	slices.Sort(by)
	start, n := 0, 0
	for i, j := 0, 0; i < len(by); i++ {
		for j < len(by) && by[j]-by[i] <= window {
			j++
		}
		if j-i > n {
			start, n = i, j-i
		}
	}
	if n < need || 3*n < 2*len(by) {
		return Estimate{}, false
	}
	agree := by[start : start+n]
	e := Estimate{Basis: basis, Support: n, Of: len(by)}
	e.By = agree[n/2].Round(time.Second)
	off := make([]time.Duration, n)
	for i, d := range agree {
		off[i] = (d - e.By).Abs()
	}
	slices.Sort(off)
	e.Spread = off[n/2]
	return e, true
}
