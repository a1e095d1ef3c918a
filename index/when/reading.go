package when

import (
	"time"

	"github.com/kith-photos/kith/exif"
)

const (
	// A clock that lost its battery starts at midnight of a first of January
	// and runs on until somebody sets it: the photos of the next weeks.
	resetSpan = 30 * 24 * time.Hour
	// A GPS time stamp that is further from the reading than any zone, and two
	// days more: cameras write the last fix they had.
	stale = 48*time.Hour + 14*time.Hour
	// Dates that differ by more are different days in any zone.
	dayApart = 24*time.Hour + 14*time.Hour
)

// choose sets the reading of a photo, its source and precision, and its zone
// where that is part of the reading. It reports whether the reading is in UTC
// and the zone is to be found for it, and the index of a name with a date only.
//
// The order: a person; the file's original, digitized or XMP time; the GPS time
// stamp; a full time in the name; the file's time of the last change; a date in
// the name; the time of the file in its file system. A reading of the file
// that other evidence shows to be of a clock that was never set is none.
func (r *resolver) choose(e *Evidence, t *Time) (utc bool, index int) {
	if e.Said != nil {
		t.Time, t.Source, t.Precision = *e.Said, SourceSaid, e.SaidTo
		if t.Zone != exif.ZoneNone && t.Zone != exif.ZoneUTC && t.Zone != "" {
			t.Zone = exif.ZoneSaid
		}
		return t.Zone == exif.ZoneUTC && t.Precision != Day, 0
	}
	fix := e.Fix
	if fix.Year() < 1990 || fix.Year() > 2099 { // a receiver that has no time yet
		fix = time.Time{}
	}
	taken, by := r.shifted(e, fix)
	name, isNamed, looked := Named{}, false, false
	named := func() bool {
		if !looked {
			name, isNamed = r.names.read(e.Name)
			looked = true
		}
		return isNamed
	}
	ok := !taken.IsZero()
	if ok && doubtful(taken.Wall, fix) {
		ok = r.trusted(e, taken.Wall, fix, named, &name)
	}
	switch {
	case ok && e.From != exif.TimeModified:
		t.Time, t.Source, t.Shift = taken, source(e.From), by
		return taken.Zone == exif.ZoneUTC, 0
	case !fix.IsZero():
		t.Wall, t.Source = fix.UTC(), SourceGPS
		return true, 0
	case named() && name.Precision != Day:
		t.Wall, t.Source, t.Precision = name.At, SourceName, name.Precision
		return name.UTC, 0
	case ok:
		t.Time, t.Source, t.Shift = taken, SourceModified, by
		return taken.Zone == exif.ZoneUTC, 0
	case isNamed:
		t.Wall, t.Source, t.Precision = name.At, SourceName, Day
		return false, name.Index
	case r.written(e.ModTime):
		t.Wall, t.Source = e.ModTime.UTC(), SourceModTime
		return true, 0
	}
	return false, 0
}

func source(from exif.TimeSource) Source {
	if from == "" {
		return SourceOriginal
	}
	return Source(from)
}

// doubtful reports whether a reading needs a closer look: one from after the
// start of a clock, or one that its GPS time stamp contradicts.
func doubtful(wall, fix time.Time) bool {
	return !fix.IsZero() && fix.Sub(wall).Abs() > stale || started(wall)
}

// started reports whether a reading is from the weeks after the start of a
// clock: of 1970 (Unix), 1980 (FAT, GPS), or the first years of digital cameras.
func started(wall time.Time) bool {
	year := wall.Year()
	return (year == 1970 || year == 1980 || year >= 2000 && year <= 2010) &&
		wall.Sub(time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)) < resetSpan
}

// trusted reports whether a doubtful reading counts all the same: the photos of
// a real New Year do.
func (r *resolver) trusted(e *Evidence, wall, fix time.Time, named func() bool, name *Named) bool {
	byCamera := named() && (name.Kind == KindCamera || name.Kind == KindVideo)
	away := wall.Sub(name.At).Abs() > dayApart
	if !fix.IsZero() {
		// A fix from before the reading can be one that the camera kept, if
		// the name bears the reading out; one from after it cannot.
		if d := fix.Sub(wall); d.Abs() > stale && (d > 0 || !byCamera || away) {
			return false
		}
		return true
	}
	if byCamera && away {
		return false
	}
	if wall.Year() <= 1980 {
		// Before digital cameras. Without one, it is a scan that somebody dated.
		return e.Camera == ""
	}
	// A file from before it was taken.
	return !r.written(e.ModTime) || wall.Sub(e.ModTime.UTC()) <= dayApart
}

// written reports whether the time of a file is one: not that of a file system
// without a clock, or from the future.
func (r *resolver) written(at time.Time) bool {
	const margin = 48 * time.Hour
	for _, zero := range []int{1970, 1980} {
		if at.Sub(time.Date(zero, 1, 1, 0, 0, 0, 0, time.UTC)).Abs() < margin {
			return false
		}
	}
	return at.Year() >= 1970 && at.Year() <= 2099 && (r.opt.Now.IsZero() || !at.After(r.opt.Now.Add(24*time.Hour)))
}

// byCamera sorts corrections by camera, keeping their order.
func byCamera(shifts []Shift) map[string][]Shift {
	if len(shifts) == 0 {
		return nil
	}
	out := map[string][]Shift{}
	for _, s := range shifts {
		out[s.Camera] = append(out[s.Camera], s)
	}
	return out
}

// holds reports whether a correction is one for a reading of its camera.
func (s Shift) holds(wall time.Time) bool {
	return (s.From.IsZero() || !wall.Before(s.From)) && (s.To.IsZero() || wall.Before(s.To))
}

// shifted is what the file says with the correction of its camera's clock, and
// the zone that follows from the GPS time stamp: the reading must be right
// first, as a clock that is wrong differs by no zone, or by the wrong one.
func (r *resolver) shifted(e *Evidence, fix time.Time) (exif.Time, time.Duration) {
	taken := e.Taken
	if taken.IsZero() {
		return exif.Time{}, 0
	}
	var by time.Duration
	if e.Camera != "" && len(r.shifts) > 0 {
		for _, s := range r.shifts[e.Camera] {
			if s.holds(taken.Wall) {
				by = s.By
			}
		}
	}
	moved := by != 0 && taken.Zone == exif.ZoneGPS
	if moved && fix.IsZero() {
		fix = taken.Wall.Add(-taken.Offset)
	}
	taken.Wall = taken.Wall.Add(by)
	if moved || taken.Zone == exif.ZoneNone || taken.Zone == "" {
		taken.Offset, taken.Zone = 0, exif.ZoneNone
		if !fix.IsZero() {
			if d, ok := exif.ZoneBetween(taken.Wall, fix); ok {
				taken.Offset, taken.Zone = d, exif.ZoneGPS
			}
		}
	}
	return taken, by
}
