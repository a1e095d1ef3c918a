package when

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/kith-photos/kith/exif"
)

// offsetAt is a zone's difference to UTC at a moment, in whole minutes: the
// mean times of places before zones had seconds, which no file can tell.
func offsetAt(loc *time.Location, at time.Time) time.Duration {
	_, s := at.In(loc).Zone()
	return (time.Duration(s) * time.Second).Round(time.Minute)
}

// offsets are the differences to UTC with which the clocks of a zone show a
// reading: mostly one, given twice; the earlier moment's and the later one's
// where the clocks were set back and showed it twice. A reading that they never
// showed is of a clock that was not yet set forward, and has the difference
// from before.
func offsets(loc *time.Location, wall time.Time) (first, second time.Duration) {
	guess := wall.Add(-offsetAt(loc, wall)).In(loc)
	start, end := guess.ZoneBounds()
	here := offsetAt(loc, guess)
	const margin = 27 * time.Hour // more than any clock was ever set, across the date line
	if (start.IsZero() || guess.Sub(start) > margin) && (end.IsZero() || end.Sub(guess) > margin) {
		return here, here
	}
	first, second, found := time.Duration(0), time.Duration(0), false
	show := func(d time.Duration) { // the greater the difference, the earlier the moment
		if !found {
			first, second, found = d, d, true
		}
		first, second = max(first, d), min(second, d)
	}
	missing := here
	if offsetAt(loc, wall.Add(-here)) == here {
		show(here)
	}
	for _, change := range []time.Time{start, end} {
		if change.IsZero() {
			continue
		}
		before, after := offsetAt(loc, change.Add(-time.Second)), offsetAt(loc, change)
		for _, d := range []time.Duration{before, after} {
			if offsetAt(loc, wall.Add(-d)) == d {
				show(d)
			}
		}
		at := change.UTC()
		if !wall.Before(at.Add(before)) && wall.Before(at.Add(after)) {
			missing = before
		}
	}
	if !found {
		return missing, missing
	}
	return first, second
}

const (
	seriesSpan = 24 * time.Hour // how far in a camera's series its zone is believed to hold
	between    = 6 * time.Hour  // the same between two photos that have different zones
)

// shot is a photo in the series of its camera.
type shot struct {
	camera, photo int32
	wall          int64 // microseconds
}

// primary reports whether a photo's own evidence tells the zone of its
// camera's clock. What a person said tells nothing of the clock.
func primary(t *Time) bool {
	switch t.Source {
	case SourceSaid, SourceGPS, SourceModTime, SourceNone:
		return false
	}
	return t.Zone == exif.ZoneOffset || t.Zone == exif.ZoneGPS || t.Zone == exif.ZonePosition
}

// placeSeries gives readings without a zone that of the nearest photos of the
// same camera. These must have it of their own, so that no zone wanders from
// photo to photo.
//
// One neighbour within a day is enough, and two that agree are. Of two that
// differ the nearer one counts if it is within six hours, and the earlier of
// two that are equally near, as a clock stays as it is until somebody sets it.
func (r *resolver) placeSeries() {
	if !r.series {
		return
	}
	shots := r.shots()
	next := make([]int32, len(shots)) // the next primary at or after, -1 none
	after := int32(-1)
	for i := len(shots) - 1; i >= 0; i-- {
		if i+1 < len(shots) && shots[i].camera != shots[i+1].camera {
			after = -1
		}
		if primary(&r.times[shots[i].photo]) {
			after = int32(i)
		}
		next[i] = after
	}
	before := -1
	for i, s := range shots {
		if i > 0 && shots[i-1].camera != s.camera {
			before = -1
		}
		t := &r.times[s.photo]
		if primary(t) {
			before = i
			continue
		}
		if t.Zone != exif.ZoneNone {
			continue
		}
		var a, b *Time
		if before >= 0 {
			a = &r.times[shots[before].photo]
		}
		if next[i] >= 0 {
			b = &r.times[shots[next[i]].photo]
		}
		if d, ok := agreed(t.Wall, a, b); ok {
			t.Offset, t.Zone = d, exif.ZoneSeries // not primary: no later photo asks this one
		}
	}
}

// agreed is the offset that the neighbours before and after a reading tell.
func agreed(wall time.Time, before, after *Time) (time.Duration, bool) {
	a, b := seriesSpan+1, seriesSpan+1
	if before != nil {
		a = wall.Sub(before.Wall)
	}
	if after != nil {
		b = after.Wall.Sub(wall)
	}
	switch {
	case a > seriesSpan && b > seriesSpan:
		return 0, false
	case b > seriesSpan:
		return before.Offset, true
	case a > seriesSpan:
		return after.Offset, true
	case before.Offset == after.Offset:
		return before.Offset, true
	case min(a, b) > between:
		return 0, false
	case b < a:
		return after.Offset, true
	}
	return before.Offset, true
}

// shots lists the readings of cameras by camera, in the order of their clocks.
func (r *resolver) shots() []shot {
	ids := make([]int32, len(r.times)) // of cameras, -1 none; comparing texts costs
	known := map[string]int32{}
	var wanted []bool // cameras with a photo that has no zone
	for i := range r.times {
		camera, t := r.photos[i].Camera, &r.times[i]
		ids[i] = -1
		if camera == "" || t.IsZero() || t.Precision == Day {
			continue
		}
		id, ok := known[camera]
		if !ok {
			id = int32(len(wanted))
			known[camera], wanted = id, append(wanted, false)
		}
		ids[i] = id
		wanted[id] = wanted[id] || t.Zone == exif.ZoneNone
	}
	out := make([]shot, 0, len(r.times))
	for i, id := range ids {
		if t := &r.times[i]; id >= 0 && wanted[id] && (t.Zone == exif.ZoneNone || primary(t)) {
			out = append(out, shot{id, int32(i), t.Wall.UnixMicro()})
		}
	}
	slices.SortFunc(out, func(a, b shot) int {
		if a.camera != b.camera {
			return cmp.Compare(a.camera, b.camera)
		}
		if a.wall != b.wall {
			return cmp.Compare(a.wall, b.wall)
		}
		return strings.Compare(r.photos[a.photo].Key, r.photos[b.photo].Key)
	})
	return out
}

// twice is a reading that the clocks of its place, or the host's, showed twice.
type twice struct {
	photo         int32
	first, second time.Duration
}

// placeTwice decides between the two moments of such readings. The first one
// stands, in daylight saving time, unless the numbers in the names of the same
// camera's photos of that hour show that the clock went back between them once:
// then those with the higher numbers are of the second time.
func (r *resolver) placeTwice() {
	which := r.twice
	r.twice = nil
	type numbered struct {
		twice
		stem, camera string
		number       int
		wall         time.Time
	}
	var all []numbered
	for _, w := range which {
		e := &r.photos[w.photo]
		if stem, n, ok := counter(e.Name); ok && e.Camera != "" {
			all = append(all, numbered{w, stem, e.Camera, n, r.times[w.photo].Wall})
		}
	}
	same := func(a, b numbered) bool {
		return a.camera == b.camera && a.stem == b.stem && a.first == b.first && a.second == b.second &&
			a.wall.Sub(b.wall).Abs() <= 3*time.Hour
	}
	slices.SortFunc(all, func(a, b numbered) int {
		return cmp.Or(strings.Compare(a.camera, b.camera), strings.Compare(a.stem, b.stem),
			a.wall.Truncate(24*time.Hour).Compare(b.wall.Truncate(24*time.Hour)), cmp.Compare(a.number, b.number), a.wall.Compare(b.wall))
	})
	for start := 0; start < len(all); {
		end := start + 1
		back, at := 0, 0
		for ; end < len(all) && same(all[end-1], all[end]); end++ {
			if all[end].wall.Before(all[end-1].wall) {
				back, at = back+1, end
			}
		}
		if back == 1 {
			for _, w := range all[at:end] {
				r.times[w.photo].Offset = w.second
			}
		}
		start = end
	}
}

// counter is the number that cameras count up in names such as DSC_0123.JPG,
// and what stands before it.
func counter(name string) (stem string, number int, ok bool) {
	if dot := strings.LastIndexByte(name, '.'); dot > 0 {
		name = name[:dot]
	}
	stem = strings.TrimRight(name, "0123456789")
	n := len(name) - len(stem)
	if n < 3 || n > 6 {
		return "", 0, false
	}
	number, _ = leading(name[len(stem):])
	return stem, number, true
}
