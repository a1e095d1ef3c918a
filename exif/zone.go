package exif

import (
	"errors"
	"time"
)

// inferZone gives a time without a zone the zone of another time of the same
// file where both show the same reading, or else the one that follows from
// the GPS time stamp.
//
// The reading must be the same because OffsetTime belongs to DateTime, the
// time of the last change: editors set both to their own computer's clock and
// zone, and keep the capture's time as it was.
func (t *Time) inferZone(gps gpsClock, others ...Time) {
	if t.IsZero() || t.Zone != ZoneNone {
		return
	}
	for _, o := range others {
		same := o.Wall.IsZero() || o.Wall.Sub(t.Wall).Abs() <= time.Minute
		if o.Zone == ZoneOffset && same {
			t.Offset, t.Zone = o.Offset, ZoneOffset
			return
		}
	}
	if d, ok := gps.zone(t.Wall); ok {
		t.Offset, t.Zone = d, ZoneGPS
	}
}

// ZoneBetween is the zone that a clock was set to which shows wall at the
// moment utc of a GPS fix. A fix is some seconds old and a camera's clock
// some seconds off, so two minutes are tolerated; a fix that is older leaves
// a difference that is no zone, or else would become a wrong one: that is why
// only differences in use since 2000 count, which are whole and half hours
// and four others (IANA time zone database), and not every quarter hour.
//
// wall is as in Time. The second result is false where there is no such zone.
func ZoneBetween(wall, utc time.Time) (time.Duration, bool) {
	const quarter = 15 * time.Minute
	diff := wall.Sub(utc)
	d := diff.Round(quarter)
	if (diff-d).Abs() > 2*time.Minute || d < -12*time.Hour || d > 14*time.Hour {
		return 0, false
	}
	switch d {
	case 5*time.Hour + 3*quarter, 8*time.Hour + 3*quarter, // Nepal, Eucla
		12*time.Hour + 3*quarter, 13*time.Hour + 3*quarter: // the Chatham Islands
		return d, true
	}
	return d, d%(2*quarter) == 0
}

// rollover is how far a date is too early that a receiver gives which does not
// know that the week number of GPS, which has 10 bits, has begun again at 0
// (IS-GPS-200, 20.3.3.3.1.1): on 22 August 1999, 7 April 2019, and every
// 1024 weeks.
const rollover = 1024 * 7 * 24 * time.Hour

var errRollover = errors.New("the date is early by a rollover of the week number (1024 weeks), and was corrected")

// gpsClock is the time stamp of a receiver.
type gpsClock struct {
	day   time.Time // in UTC; zero where only the time of day is known
	clock time.Duration
	known bool // false: there is no stamp
}

// stampOf is the stamp with the date.
func stampOf(at time.Time) gpsClock {
	day := at.Truncate(24 * time.Hour)
	return gpsClock{day: day, clock: at.Sub(day), known: !at.IsZero()}
}

// at is the moment, zero where the date is unknown.
func (g gpsClock) at() time.Time {
	if !g.known || g.day.IsZero() {
		return time.Time{}
	}
	return g.day.Add(g.clock)
}

// zone is that of a clock which shows wall at the moment of the stamp. A stamp
// without a date is taken for one of the same day, the one before or the one
// after, whichever leads to a zone, unless two do: 14:00 and 00:00 may be
// 14 hours east of UTC, or 10 hours west.
func (g gpsClock) zone(wall time.Time) (zone time.Duration, ok bool) {
	if at := g.at(); !g.known || !at.IsZero() {
		if at.IsZero() {
			return 0, false
		}
		return ZoneBetween(wall, at)
	}
	today := wall.Truncate(24 * time.Hour)
	for day := -1; day <= 1; day++ {
		d, fits := ZoneBetween(wall, today.AddDate(0, 0, day).Add(g.clock))
		if fits && ok {
			return 0, false
		}
		if fits {
			zone, ok = d, true
		}
	}
	return zone, ok
}

// unroll corrects the date where, against the reading of the camera's clock,
// it is early by whole rollovers, and says so. Nothing else makes a photo
// precisely so much older than its own position.
func (g *gpsClock) unroll(wall time.Time) error {
	if g.at().IsZero() || wall.IsZero() {
		return nil
	}
	for n := range 2 {
		day := g.day.Add(time.Duration(n+1) * rollover)
		if _, ok := ZoneBetween(wall, day.Add(g.clock)); ok {
			g.day = day
			return errRollover
		}
	}
	return nil
}
