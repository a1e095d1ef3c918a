// Package moments groups photos by time and place: into moments, what somebody
// would call "the dinner" or "at the lake"; into the days of the wall clock;
// and into trips away from home. It is pure: no files, no clock, no state.
//
// # How moments are found
//
// One pass over the shots by time holds the moments that are still open, often
// one, several where people of one account are at several places. A shot joins
// the one that it fits best, or begins one. It fits if the time since the
// moment's last shot is within a limit, which depends on
//
//   - the rhythm: the limit is a multiple of the geometric mean of the moment's
//     gaps so far, so that on a hike more may pass than at a wedding. That the
//     logarithm of a gap is held against the mean of its neighbours' is the idea
//     of PhotoTOC (Platt, Czerwinski and Field, "PhotoTOC: Automatic Clustering
//     for Browsing Personal Photographs", 2003); here the neighbours are those
//     of the same moment, since several run at once, and a floor and a ceiling
//     hold it, since an album of sparse snaps and one of bursts have no rhythm;
//   - the place: at one place more may pass, and less if that is home, where
//     many things follow each other. Another place, further than one walks in
//     the time, parts however short the gap is, unless both are on the way:
//     the camera went fast before and after.
//
// A shot without a position follows its camera, then time, and joins nothing
// that its camera's nearest position rules out. A position that the same camera
// cannot have reached counts as none.
//
// BenchmarkAlbums measures it on synthetic albums. Time alone, by a fixed gap
// or an adaptive one, cannot tell two people apart who shoot at once, nor the
// way to the next place from a pause; most of what is gained comes from there.
//
// # What a new shot can change
//
// Horizon is the longest gap in a moment, and nothing looks further. Where no
// shot was taken for longer, the shots before and after know nothing of each
// other: to add or to remove a shot changes only moments of the shots that are
// linked to it by gaps of at most Horizon (provided that no burst is longer).
// Days follow from their moments, and trips from all moments and homes.
package moments

import (
	"cmp"
	"slices"
	"time"

	"github.com/kith-photos/kith/index/geo"
)

// Shot is a photo of which at least the day is known.
type Shot struct {
	Key      string // unique; it breaks ties
	At       int64  // microseconds since 1970 UTC
	Day      int32  // of the wall clock, since 1970-01-01
	HasPoint bool
	Point    geo.Point // where, if HasPoint; an estimate will do
	Camera   int32     // best one number for each device; -1: unknown
	Burst    int32     // shots of one burst are never parted; -1: none
	Coarse   bool      // only Day is known: it says nothing of gaps, and goes to its day
	Weight   float32   // how good a cover it is
}

// Home is a place where somebody of the account lived, from a day to a day,
// both included.
type Home struct {
	Point    geo.Point
	Radius   float64 // metres
	From, To int32
}

// Moment is one thing that was photographed.
type Moment struct {
	Shots      []int32    // indexes of the shots given to Group, by time and key
	Start, End int64      // of the first and of the last of them, in microseconds
	Day        int32      // on which it began, by the wall clock: a night belongs to its evening
	Center     *geo.Point // of the shots with a position; nil: there is none
	Radius     float64    // metres around Center that hold nine tenths of them
	Cover      int32      // index of a shot: of those of most Weight the nearest to the middle
	Coarse     bool       // all that is known of these shots is the day
}

// Day holds the moments that began on a day.
type Day struct {
	Day     int32
	Moments []int32 // indexes into Timeline.Moments
	Cover   int32   // index of a shot
}

// Trip is a time away from all homes, with at least a night.
type Trip struct {
	First, Last int32     // days of the first and of the last moment; they may lie on others' days
	Start, End  int64     // microseconds
	Moments     []int32   // indexes into Timeline.Moments, by time: those of the people who were away
	Days        []int32   // indexes into Timeline.Days of the days on which they began
	Center      geo.Point // of the moments away
	Farthest    float64   // metres from the nearest home, at most
	Cover       int32     // index of a shot
}

// Timeline is what Group makes of shots.
type Timeline struct {
	Moments []Moment // by Start, and by the key of the first shot
	Days    []Day    // by day
	Trips   []Trip   // by Start
	Of      []int32  // the moment of each shot
}

// Horizon is the longest gap within a moment.
const Horizon = 4 * time.Hour

// Group groups shots. It depends on the set of shots and homes and not on
// their order. Positions must be valid. Without homes there are no trips.
func Group(shots []Shot, homes []Home) Timeline {
	order := byTime(shots)
	p := newPass(shots, homes, order)
	for _, i := range order {
		p.place(i)
	}
	t := Timeline{Of: p.of}
	t.Moments = collect(shots, order, p.of, int(p.moments))
	t.Days = days(shots, t.Moments)
	t.Trips = trips(shots, homes, t)
	return t
}

// byTime are the indexes of shots by time and key.
func byTime(shots []Shot) []int32 {
	type entry struct {
		at int64
		i  int32
	}
	entries := make([]entry, len(shots)) // beside each other, since shots are large
	for i := range shots {
		entries[i] = entry{shots[i].At, int32(i)}
	}
	slices.SortFunc(entries, func(a, b entry) int {
		if a.at != b.at {
			return cmp.Compare(a.at, b.at)
		}
		return cmp.Compare(shots[a.i].Key, shots[b.i].Key)
	})
	order := make([]int32, len(shots))
	for k, e := range entries {
		order[k] = e.i
	}
	return order
}

// collect makes the moments of what moment each shot is in.
func collect(shots []Shot, order, of []int32, n int) []Moment {
	size := make([]int32, n)
	for _, m := range of {
		size[m]++
	}
	room := make([]int32, len(shots))
	out := make([]Moment, n)
	at := int32(0)
	for m := range out {
		out[m].Shots = room[at : at : at+size[m]]
		at += size[m]
	}
	for _, i := range order {
		m := &out[of[i]]
		m.Shots = append(m.Shots, i)
	}
	centers := make([]geo.Point, n)
	var points []geo.Point
	var far []float64
	for k := range out {
		m := &out[k]
		first := &shots[m.Shots[0]]
		m.Start, m.End = first.At, shots[m.Shots[len(m.Shots)-1]].At
		m.Day, m.Coarse = first.Day, first.Coarse
		m.Cover = cover(shots, m.Shots)
		points, far = points[:0], far[:0]
		for _, i := range m.Shots {
			if shots[i].HasPoint {
				points = append(points, shots[i].Point)
			}
		}
		if len(points) == 0 {
			continue
		}
		centers[k] = geo.Centroid(points)
		m.Center = &centers[k]
		for _, q := range points {
			far = append(far, geo.Distance(centers[k], q))
		}
		slices.Sort(far)
		m.Radius = far[(len(far)*9-1)/10]
	}
	return out
}

// cover is, of the shots of most weight, the nearest to the middle, the first
// of two.
func cover(shots []Shot, of []int32) int32 {
	best, away := of[0], len(of)
	for k, i := range of {
		d := max(2*k-len(of)+1, len(of)-1-2*k)
		if w, most := shots[i].Weight, shots[best].Weight; w > most || w == most && d < away {
			best, away = i, d
		}
	}
	return best
}

// days makes the days of moments.
func days(shots []Shot, moments []Moment) []Day {
	order := make([]int32, len(moments))
	for m := range order {
		order[m] = int32(m)
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(moments[a].Day, moments[b].Day) })
	var out []Day
	for from := 0; from < len(order); {
		day, to := moments[order[from]].Day, from
		for to < len(order) && moments[order[to]].Day == day {
			to++
		}
		of := order[from:to:to]
		out = append(out, Day{Day: day, Moments: of, Cover: coverOf(shots, moments, of)})
		from = to
	}
	return out
}

// coverOf is the cover of moments: the best of theirs.
func coverOf(shots []Shot, moments []Moment, of []int32) int32 {
	covers := make([]int32, len(of))
	for k, m := range of {
		covers[k] = moments[m].Cover
	}
	return cover(shots, covers)
}
