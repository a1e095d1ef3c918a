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
	// TakenFrom says which of the file's times Taken is; empty where Taken is zero.
	TakenFrom TimeSource
	// Fix is the GPS time stamp, in UTC: when the receiver last had a position,
	// whatever the camera's clock said. Zero where there is none with a date.
	Fix    time.Time
	GPS    *GPS // nil where there is no usable position
	Camera Camera
	// Burst is an id that the photos of one burst share, empty where there is
	// none: Apple's BurstUUID, or GCamera:BurstID in XMP.
	Burst string
	// Video is an id that a live photo shares with the video beside it (Apple's
	// ContentIdentifier), or VideoInside; empty where there is none.
	Video string
}

// VideoInside as Meta.Video says that the video of a motion photo lies in the
// photo's own file, behind the picture (GCamera:MotionPhoto or MicroVideo is 1).
const VideoInside = "inside"

// TimeSource says which of a file's times one is.
type TimeSource string

const (
	TimeOriginal  TimeSource = "original"  // EXIF DateTimeOriginal: when it was taken
	TimeDigitized TimeSource = "digitized" // EXIF DateTimeDigitized: when it was stored, or scanned
	TimeXMP       TimeSource = "xmp"       // one of the times in XMP
	TimeModified  TimeSource = "modified"  // EXIF DateTime: only when the file was last changed
)

// ZoneSource says where the zone of a Time came from.
type ZoneSource string

const (
	ZoneNone   ZoneSource = "none"   // unknown: nothing is invented
	ZoneOffset ZoneSource = "offset" // an EXIF OffsetTime tag, or the zone written with an XMP time
	ZoneGPS    ZoneSource = "gps"    // the difference to the GPS time stamp, which is in UTC
)

// Sources of a zone that was found without the file: Decode gives none of
// these. They are here so that a Time can carry what others found.
const (
	ZonePosition ZoneSource = "position" // the zone in use at the place where the photo was taken
	ZoneSeries   ZoneSource = "series"   // that of photos just before and after by the same camera
	ZoneDefault  ZoneSource = "default"  // the one that the host assumes where nothing is known
	ZoneSaid     ZoneSource = "said"     // a person's word
	// ZoneUTC: the reading itself is in UTC. The instant is known, and what
	// the clocks showed where the photo was taken is not; Offset has no meaning.
	ZoneUTC ZoneSource = "utc"
)

// Time is the moment a photo was taken, as its camera's clock showed it.
type Time struct {
	// Wall is the clock's reading with the location set to UTC as a
	// placeholder; the zero time where the file gives none.
	Wall time.Time
	// Offset is the zone's difference to UTC, east positive; it has no meaning
	// where Zone is ZoneNone or ZoneUTC.
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
	if t.Zone == ZoneUTC {
		return t.Wall, true
	}
	return t.Wall.Add(-t.Offset), true
}

// GPS is a position: degrees, north and east positive.
type GPS struct {
	Lat, Lon float64  // [-90,90], [-180,180]
	Alt      *float64 // metres above sea level, negative below; nil where unknown
	// Accuracy is the radius in metres within which the place lies, as the
	// receiver estimated it; 0 where unknown.
	Accuracy float64
	// Datum is what the numbers refer to, as the file writes it, where that is
	// another than WGS 84 and kith cannot convert it: the place may be some
	// hundred metres away. Empty means WGS 84, which is also assumed where the
	// file does not say.
	Datum string
	// Stale: the receiver had no position at that moment (GPSStatus "V"), and
	// this is the last one that it had, of unknown age.
	Stale bool
}

// Camera names the device, with surrounding space and NUL bytes removed.
type Camera struct {
	Make, Model string
	// Serial is the number of the body (EXIF BodySerialNumber, or in XMP
	// aux:SerialNumber or exifEX:BodySerialNumber), as it is written, for
	// makers pad it as they like. Phones give none.
	Serial string
}

// named reports whether there is a make or a model.
func (c Camera) named() bool { return c.Make != "" || c.Model != "" }

// fill takes from another source what c lacks. Make, model and number belong
// together: a number is added only to the camera that it is the number of, and
// a name only to a number that is not another one's.
func (c *Camera) fill(o Camera) {
	switch {
	case !c.named() && (c.Serial == "" || o.Serial == "" || o.Serial == c.Serial):
		c.Make, c.Model = o.Make, o.Model
		if c.Serial == "" {
			c.Serial = o.Serial
		}
	case c.Serial == "" && (!o.named() || o.Make == c.Make && o.Model == c.Model):
		c.Serial = o.Serial
	}
}
