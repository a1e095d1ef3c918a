// Package when finds the time of each photo of an account from all that is
// known: what the file says, what a person said, GPS, the name of the file, the
// photos around it, and what the host knows. It opens no file, knows no clock
// and asks nobody.
//
// A time is a wall clock's reading and, where the zone is known, an instant.
// Resolve keeps both apart from what it had to guess: Source says where the
// reading comes from, exif.Time.Zone where the zone comes from, and a zone that
// nothing tells stays unknown.
//
// # Zones
//
// In this order: what a person said; what is written with the time; the
// difference to the GPS time stamp; the zone of the place; the photos of the
// same camera around it; the host's default; none.
//
// The zone of a place is what the clocks on the walls there show, and so do
// phones. A camera whose owner travels without setting its clock keeps showing
// the time of home; where such a camera writes the position but neither its
// offset nor the GPS time stamp, its photos get the zone of the place and are
// off by the difference. Nothing in the file tells, but EstimateShift may.
//
// A reading that the clocks of a zone showed twice, as they were set back, is of
// the first time, unless the numbers in the names of the camera's photos show
// that its own clock went back before it. A reading that they never showed, as
// they were set forward, is of a clock that was not set yet.
package when

import (
	"cmp"
	"slices"
	"time"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/index/geo"
)

// Evidence is what is known of the time of one photo.
type Evidence struct {
	Key     string          // unique and random; breaks ties
	Taken   exif.Time       // what the file says; zero: nothing
	From    exif.TimeSource // which of the file's times; "" counts as original
	Fix     time.Time       // GPS time stamp, UTC
	Point   *geo.Point      // where it was taken, if the file or a person says so
	Name    string          // base name of the file
	ModTime time.Time       // of the file
	Camera  string          // make, model and serial number in one key; "" unknown
	Said    *exif.Time      // what a person said: wins over all; the zero Time means that it is unknown
	SaidTo  Precision       // how precise that is; of Day only the date counts
}

// Source says where a reading comes from.
type Source string

const (
	SourceNone      Source = ""          // there is no time
	SourceSaid      Source = "said"      // a person's word, which may be that nobody knows
	SourceOriginal  Source = "original"  // the file: when it was taken
	SourceDigitized Source = "digitized" // the file: when it was digitized
	SourceXMP       Source = "xmp"       // the file's XMP packet or sidecar
	SourceGPS       Source = "gps"       // the GPS time stamp, as the camera's clock was wrong or is not given
	SourceName      Source = "name"      // the name of the file
	SourceModified  Source = "modified"  // the file: when it was last changed
	SourceModTime   Source = "modtime"   // the file system: when it was last written; the last resort
)

// Precision is how much of a reading is known.
type Precision uint8

const (
	Second Precision = iota // or finer
	Minute
	Day // Wall is midnight and says nothing; the zone is ZoneNone, as a day is no instant
)

// Time is the time of one photo. Its zero Wall means that it is unknown.
type Time struct {
	exif.Time
	Source    Source
	Precision Precision
	// Shift is what a correction added to the reading of the camera's clock:
	// the camera showed Wall - Shift.
	Shift time.Duration
	// Sort orders photos and parts them, in microseconds since 1970 UTC: the
	// instant where there is one, else the wall clock read in the zone of the
	// photos around it, a day at its noon. It is 0 where the time is unknown.
	// Never show it as a fact.
	Sort int64
}

// Zones finds the zone of a position; nil where it is not known.
type Zones interface {
	Zone(geo.Point) *time.Location
}

// Shift is a correction of one camera's clock.
type Shift struct {
	Camera   string
	From, To time.Time     // readings of that clock, from From until before To, location UTC; zero: open
	By       time.Duration // is added to the reading
}

// Options are what the host knows.
type Options struct {
	Zones   Zones          // nil: places tell no zone
	Default *time.Location // where photos were taken of which nothing is known; nil: nowhere
	// Shifts correct the readings of cameras in files. Where several hold for a
	// reading, the last one counts. Names of files, their times and what people
	// said are not shifted.
	Shifts []Shift
	// Now bounds the times of files: what was written a day later is no time.
	// Zero: no bound.
	Now time.Time
}

// Resolve finds the time of each photo and returns them in the order of
// photos. Times depend on the set of photos only, never on its order.
func Resolve(photos []Evidence, opt Options) []Time {
	r := resolver{
		photos: photos, opt: opt, times: make([]Time, len(photos)), shifts: byCamera(opt.Shifts), names: newNames(),
	}
	for i := range photos {
		r.read(i)
	}
	r.placeTwice()
	r.placeSeries()
	for i := range photos {
		r.fallBack(i)
	}
	r.placeTwice()
	r.sort()
	return r.times
}

type resolver struct {
	photos []Evidence
	opt    Options
	times  []Time
	shifts map[string][]Shift
	names  *names
	series bool    // whether a photo of a camera lacks its zone
	twice  []twice // readings that a clock showed twice
	orders []order // of Sort, for what has no instant
}

// order is what tells how photos of one day follow each other.
type order struct {
	photo int32
	index int32 // within the day, from the name
}

// read finds the reading of a photo, and its zone as far as the photo itself
// tells it.
func (r *resolver) read(i int) {
	e, t := &r.photos[i], &r.times[i]
	utc, index := r.choose(e, t)
	switch {
	case t.IsZero():
		*t = Time{Source: t.Source}
		return
	case utc:
		r.localize(e, t)
	case t.Precision == Day:
		t.Wall = t.Wall.Truncate(24 * time.Hour)
		t.Offset, t.Zone = 0, exif.ZoneNone
		r.orders = append(r.orders, order{int32(i), int32(index)})
	case t.Zone == exif.ZoneNone || t.Zone == "":
		t.Offset, t.Zone = 0, exif.ZoneNone
		r.place(i)
		r.series = r.series || t.Zone == exif.ZoneNone && e.Camera != ""
	}
}

// localize gives an instant the wall clock of its place, or of the host.
func (r *resolver) localize(e *Evidence, t *Time) {
	t.Offset, t.Zone = 0, exif.ZoneUTC
	if loc := r.location(e); loc != nil {
		t.Offset, t.Zone = offsetAt(loc, t.Wall), exif.ZonePosition
	} else if r.opt.Default != nil {
		t.Offset, t.Zone = offsetAt(r.opt.Default, t.Wall), exif.ZoneDefault
	}
	t.Wall = t.Wall.Add(t.Offset)
}

// location is the zone of the place of a photo.
func (r *resolver) location(e *Evidence) *time.Location {
	if e.Point == nil || r.opt.Zones == nil || !e.Point.Valid() {
		return nil
	}
	return r.opt.Zones.Zone(*e.Point)
}

// place gives a reading the zone of its place.
func (r *resolver) place(i int) {
	loc := r.location(&r.photos[i])
	if loc == nil {
		return
	}
	r.keep(i, loc, exif.ZonePosition)
}

// keep gives a reading the zone of a location.
func (r *resolver) keep(i int, loc *time.Location, source exif.ZoneSource) {
	t := &r.times[i]
	first, second := offsets(loc, t.Wall)
	t.Offset, t.Zone = first, source
	if second != first {
		r.twice = append(r.twice, twice{int32(i), first, second})
	}
}

// fallBack gives a reading that has no zone yet the host's.
func (r *resolver) fallBack(i int) {
	t := &r.times[i]
	if t.IsZero() || t.Zone != exif.ZoneNone || t.Precision == Day {
		return
	}
	if r.opt.Default != nil {
		r.keep(i, r.opt.Default, exif.ZoneDefault)
		return
	}
	r.orders = append(r.orders, order{photo: int32(i)})
}

// near is how far away in time other photos tell in which zone to sort a
// reading before the host's zone does.
const near = 48 * time.Hour

// sort gives every photo with a time its place among the others.
func (r *resolver) sort() {
	for i := range r.times {
		if t := &r.times[i]; t.Zone != exif.ZoneNone && !t.IsZero() {
			t.Sort = t.Wall.UnixMicro() - t.Offset.Microseconds()
		}
	}
	if len(r.orders) == 0 {
		return
	}
	around := r.around()
	for _, o := range r.orders {
		e, t := &r.photos[o.photo], &r.times[o.photo]
		wall := t.Wall
		if t.Precision == Day {
			wall = wall.Add(12*time.Hour + time.Duration(o.index)*time.Microsecond)
		}
		offset, away := around.offset(wall.UnixMicro())
		if r.opt.Default != nil && (away < 0 || away > near.Microseconds()) {
			offset, _ = offsets(r.opt.Default, wall)
		}
		at := wall.Add(-offset)
		if t.Precision == Day && t.Source == SourceName {
			// A messenger's file is written when the message comes.
			if local := e.ModTime.UTC().Add(offset); r.written(e.ModTime) && local.Truncate(24*time.Hour).Equal(t.Wall) {
				at = e.ModTime
			}
		}
		t.Sort = at.UnixMicro()
	}
}

// zoned is a reading of which the zone is known, in microseconds.
type zoned struct{ wall, offset int64 }

type zonedTimes []zoned

// around lists the readings of which the zone is known, in their order.
func (r *resolver) around() zonedTimes {
	var out zonedTimes
	for i := range r.times {
		if t := &r.times[i]; !t.IsZero() && t.Zone != exif.ZoneNone && t.Zone != exif.ZoneUTC {
			out = append(out, zoned{t.Wall.UnixMicro(), t.Offset.Microseconds()})
		}
	}
	slices.SortFunc(out, func(a, b zoned) int {
		return cmp.Or(cmp.Compare(a.wall, b.wall), cmp.Compare(a.offset, b.offset))
	})
	return out
}

// offset is that of the nearest reading, the earlier one of two, and how far
// away it is in microseconds: -1 where there is none.
func (z zonedTimes) offset(wall int64) (d time.Duration, away int64) {
	i, _ := slices.BinarySearchFunc(z, wall, func(a zoned, wall int64) int { return cmp.Compare(a.wall, wall) })
	best, away := zoned{}, int64(-1)
	if i > 0 {
		best, away = z[i-1], wall-z[i-1].wall
	}
	if i < len(z) && (away < 0 || z[i].wall-wall < away) {
		best, away = z[i], z[i].wall-wall
	}
	return time.Duration(best.offset) * time.Microsecond, away
}
