// Package exif reads what a photo file says about itself: when it was taken
// and in which zone, where, how it must be turned, with which camera, and which
// parts of it somebody marked as a face. It also writes XMP sidecars.
//
// It parses bytes that strangers made. Every length is checked against the
// bytes at hand before it is used, nesting and counts are limited, and a
// panic in the unmaintained TIFF parser underneath is turned into an error.
package exif

import "time"

// Meta is what a photo file says about itself. The zero value means that it
// says nothing.
type Meta struct {
	// Orientation is the EXIF orientation, 1 to 8 (CIPA DC-008, tag 0x0112);
	// 0 where it is absent or out of range, which is to be shown as 1.
	Orientation int
	Taken       Time
	GPS         *GPS // nil where there is no usable position
	Camera      Camera
}

// ZoneSource says where the zone of a Time came from.
type ZoneSource string

const (
	ZoneNone   ZoneSource = "none"   // unknown: nothing is invented
	ZoneOffset ZoneSource = "offset" // an EXIF OffsetTime tag, or the zone written with an XMP time
	ZoneGPS    ZoneSource = "gps"    // the difference to the GPS time stamp, which is in UTC
)

// Time is the moment a photo was taken, as its camera's clock showed it.
type Time struct {
	// Wall is the clock's reading with the location set to UTC as a
	// placeholder; the zero time where the file gives none.
	Wall time.Time
	// Offset is the zone's difference to UTC, east positive; it has a meaning
	// only where Zone is not ZoneNone.
	Offset time.Duration
	Zone   ZoneSource
}

// IsZero reports whether the time is unknown.
func (t Time) IsZero() bool { return t.Wall.IsZero() }

// Instant is the moment in UTC, and false where the zone is unknown.
func (t Time) Instant() (time.Time, bool) {
	if t.IsZero() || t.Zone == ZoneNone || t.Zone == "" {
		return time.Time{}, false
	}
	return t.Wall.Add(-t.Offset), true
}

// GPS is a position in WGS 84: degrees, north and east positive.
type GPS struct {
	Lat, Lon float64  // [-90,90], [-180,180]
	Alt      *float64 // metres above sea level, negative below; nil where unknown
}

// Camera names the device, with surrounding space and NUL bytes removed.
type Camera struct {
	Make, Model string
}
