package exif

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestZones: which zone a time of an EXIF block gets, and from where.
func TestZones(t *testing.T) {
	const none = ZoneNone
	shot := func() *block { return newBlock(be).ascii(dirExif, tagOriginal, "2023:07:01 14:00:00") }
	gps := func(b *block, day string, h, m, s uint32) *block {
		return b.ascii(dirGPS, tagGPSDate, day).rat(dirGPS, tagGPSTime, h, 1, m, 1, s, 1)
	}
	const day = "2023:07:01"
	for _, c := range []struct {
		name string
		b    *block
		zone ZoneSource
		want time.Duration
	}{
		{"none", shot(), none, 0},
		{"own", shot().ascii(dirExif, tagOffsetOriginal, "+01:00").ascii(dirExif, tagOffset, "+02:00"), ZoneOffset, time.Hour},
		{"blank own", shot().ascii(dirExif, tagOffsetOriginal, "   :  "), none, 0},
		{"in the text", newBlock(le).ascii(dirExif, tagOriginal, "2023:07:01 14:00:00+05:30"), ZoneOffset, 5*time.Hour + 30*time.Minute},
		{"own before GPS", gps(shot().ascii(dirExif, tagOffsetOriginal, "+01:00"), day, 12, 0, 0), ZoneOffset, time.Hour},
		{"OffsetTime, no DateTime", shot().ascii(dirExif, tagOffset, "+02:00"), ZoneOffset, 2 * time.Hour},
		{"OffsetTime, same DateTime", shot().ascii(dirExif, tagOffset, "+02:00").ascii(dirMain, tagModified, "2023:07:01 14:00:03"), ZoneOffset, 2 * time.Hour},
		{"OffsetTime of an editor", shot().ascii(dirExif, tagOffset, "+08:00").ascii(dirMain, tagModified, "2024:01:01 10:00:00"), none, 0},
		{"of the digitized", shot().ascii(dirExif, tagOffsetDigitized, "-05:00").ascii(dirExif, tagDigitized, "2023:07:01 14:00:00"), ZoneOffset, -5 * time.Hour},
		{"of another digitized", shot().ascii(dirExif, tagOffsetDigitized, "-05:00").ascii(dirExif, tagDigitized, "2023:09:01 14:00:00"), none, 0},
		{"GPS", gps(shot(), day, 12, 0, 0), ZoneGPS, 2 * time.Hour},
		{"GPS, some seconds off", gps(shot(), day, 11, 58, 40), ZoneGPS, 2 * time.Hour},
		{"GPS, other sign", gps(shot(), day, 18, 1, 30), ZoneGPS, -4 * time.Hour},
		{"GPS, Nepal", gps(shot(), day, 8, 15, 0), ZoneGPS, 5*time.Hour + 45*time.Minute},
		{"GPS, day before", gps(shot(), "2023:06:30", 24, 0, 0), ZoneGPS, 14 * time.Hour}, // 24:00 is the next day's 0:00
		{"GPS, 24:01", gps(shot(), "2023:06:30", 24, 1, 0), none, 0},
		{"GPS, next day", gps(shot(), "2023:07:02", 1, 0, 0), ZoneGPS, -11 * time.Hour},
		{"GPS, date with dashes", gps(shot(), "2023-07-01", 12, 0, 0), ZoneGPS, 2 * time.Hour},
		{"GPS, three minutes off", gps(shot(), day, 11, 57, 0), none, 0},
		{"GPS, no such zone", gps(shot(), day, 11, 45, 0), none, 0}, // +02:15
		{"GPS, too far", gps(shot(), "2023:06:30", 23, 0, 0), none, 0},
		{"GPS, no date", shot().rat(dirGPS, tagGPSTime, 12, 1, 0, 1, 0, 1), ZoneGPS, 2 * time.Hour},
		{"GPS, no date, day before", shot().rat(dirGPS, tagGPSTime, 23, 1, 0, 1, 0, 1), ZoneGPS, -9 * time.Hour},
		{"GPS, no date, two zones", shot().rat(dirGPS, tagGPSTime, 1, 1, 0, 1, 0, 1), none, 0}, // +13:00 and -11:00
		{"GPS, no date, zeros", newBlock(be).ascii(dirExif, tagOriginal, "2023:07:01 05:00:00").rat(dirGPS, tagGPSTime, 0, 1, 0, 1, 0, 1), none, 0},
		{"GPS, no date, midnight, two zones", shot().rat(dirGPS, tagGPSTime, 0, 1, 0, 1, 1, 1), none, 0},
		{"GPS, no date, no zone", shot().rat(dirGPS, tagGPSTime, 12, 1, 20, 1, 0, 1), none, 0},
		{"GPS, no date, void", shot().rat(dirGPS, tagGPSTime, 12, 1, 0, 1, 0, 1).ascii(dirGPS, tagGPSStatus, "V"), none, 0},
		{"GPS, blank date", gps(shot(), "          ", 12, 0, 0), ZoneGPS, 2 * time.Hour},
		{"GPS, wrong date", gps(shot(), "2023:13:01", 12, 0, 0), none, 0},
		{"GPS, date with NUL bytes", gps(shot(), "2023\x0007\x0001", 12, 0, 0), ZoneGPS, 2 * time.Hour},
		{"GPS, 1024 weeks early", gps(shot(), "2003:11:15", 12, 0, 0), ZoneGPS, 2 * time.Hour},
		{"GPS, 2048 weeks early", gps(shot(), "1984:03:31", 12, 0, 0), ZoneGPS, 2 * time.Hour},
		{"GPS, 1024 weeks early and stale", gps(shot(), "2003:11:15", 11, 50, 0), none, 0},
		{"GPS, 1023 weeks early", gps(shot(), "2003:11:22", 12, 0, 0), none, 0},
		{"GPS, 0/0", shot().ascii(dirGPS, tagGPSDate, day).rat(dirGPS, tagGPSTime, 0, 0, 0, 0, 0, 0), none, 0},
		{"not for the last change", gps(newBlock(le).ascii(dirMain, tagModified, "2023:07:01 14:00:00"), day, 12, 0, 0), none, 0},
	} {
		m, _ := Decode(jpegFile(exifSegment(c.b.bytes())))
		if m.Taken.IsZero() || m.Taken.Zone != c.zone || m.Taken.Offset != c.want {
			t.Errorf("%s: %+v, want %v %v", c.name, m.Taken, c.zone, c.want)
		}
		if _, ok := m.Taken.Instant(); ok != (c.zone != none) {
			t.Errorf("%s: instant known: %v", c.name, ok)
		}
	}
}

// TestZoneBetween: every zone in use is found within the tolerance.
func TestZoneBetween(t *testing.T) {
	utc := time.Date(2023, 7, 1, 12, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		zone := time.Duration(rapid.IntRange(-24, 28).Draw(t, "half hours")) * 30 * time.Minute
		off := time.Duration(rapid.IntRange(-120, 120).Draw(t, "seconds")) * time.Second
		if d, ok := ZoneBetween(utc.Add(zone+off), utc); !ok || d != zone {
			t.Errorf("zone %v off by %v: %v, %v", zone, off, d, ok)
		}
		stale := time.Duration(rapid.IntRange(121, 12*60-1).Draw(t, "stale seconds")) * time.Second
		if d, ok := ZoneBetween(utc.Add(zone+stale), utc); ok {
			t.Errorf("a fix %v old gives %v", stale, d)
		}
	})
}

// TestFix: the GPS time stamp itself, from EXIF or else from XMP.
func TestFix(t *testing.T) {
	gps := func(date string, v ...uint32) *block {
		return newBlock(be).ascii(dirExif, tagOriginal, "2023:07:01 14:00:00").ascii(dirGPS, tagGPSDate, date).rat(dirGPS, tagGPSTime, v...)
	}
	none := newBlock(be).ascii(dirExif, tagOriginal, "2023:07:01 14:00:00")
	for _, c := range []struct {
		name  string
		b     *block
		xmp   string
		want  string // empty: none
		zone  time.Duration
		fault error
	}{
		{"exact", gps("2023:07:01", 12, 1, 0, 1, 1, 3), "", "2023-07-01T12:00:00.333333333Z", 2 * time.Hour, nil},
		{"24:00", gps("2023:07:01", 24, 1, 0, 1, 0, 1), "", "2023-07-02T00:00:00Z", -10 * time.Hour, nil},
		{"hours alone", gps("2023:07:01", 2, 1), "", "2023-07-01T02:00:00Z", 12 * time.Hour, nil},
		{"no date", gps("", 12, 1, 0, 1, 0, 1), "", "", 2 * time.Hour, nil},
		{"of another day", gps("2023:06:01", 12, 1, 0, 1, 0, 1), "", "2023-06-01T12:00:00Z", 0, nil},
		{"rolled over", gps("2003:11:15", 12, 1, 0, 1, 5, 1), "", "2023-07-01T12:00:05Z", 2 * time.Hour, errRollover},
		{"rolled over, a zone already", gps("2003:11:15", 12, 1, 0, 1, 0, 1).ascii(dirExif, tagOffsetOriginal, "+03:00"), "", "2023-07-01T12:00:00Z", 3 * time.Hour, errRollover},
		{"XMP", none, "2023-07-01T12:00:00Z", "2023-07-01T12:00:00Z", 2 * time.Hour, nil},
		{"XMP, no zone written", none, "2023-07-01T12:00:00.5", "2023-07-01T12:00:00.5Z", 2 * time.Hour, nil},
		{"XMP, another zone", none, "2023-07-01T15:00:00+03:00", "2023-07-01T12:00:00Z", 2 * time.Hour, nil},
		{"XMP, a date alone", none, "2023-07-01", "", 0, nil},
		{"EXIF first", gps("2023:07:01", 12, 1, 0, 1, 0, 1), "2023-07-01T11:00:00Z", "2023-07-01T12:00:00Z", 2 * time.Hour, nil},
	} {
		x := ""
		if c.xmp != "" {
			x = ` exif:GPSTimeStamp="` + c.xmp + `"`
		}
		m, err := Decode(jpegFile(exifSegment(c.b.bytes()), xmpSegment(packet(x, ""))))
		if !errors.Is(err, c.fault) {
			t.Errorf("%s: error %v, want %v", c.name, err, c.fault)
		}
		got := ""
		if !m.Fix.IsZero() {
			got = m.Fix.Format(time.RFC3339Nano)
		}
		if got != c.want || m.Taken.Offset != c.zone {
			t.Errorf("%s: fix %q, zone %v; want %q, %v", c.name, got, m.Taken.Offset, c.want, c.zone)
		}
	}
}

// TestRollover: a stamp that is early by whole rollovers gives the zone and the
// moment that the right one gives, for any moment and zone.
func TestRollover(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(9e8, 3e9).Draw(t, "time"), 0).UTC()
		zone := time.Duration(rapid.IntRange(-24, 28).Draw(t, "half hours")) * 30 * time.Minute
		weeks := rapid.SampledFrom([]int{0, 1024, 2048}).Draw(t, "weeks")
		g := stampOf(at.AddDate(0, 0, -7*weeks))
		err := g.unroll(at.Add(zone))
		if d, ok := g.zone(at.Add(zone)); !ok || d != zone || !g.at().Equal(at) || (err != nil) != (weeks > 0) {
			t.Errorf("%v, zone %v, %v, error %v", g.at(), d, ok, err)
		}
	})
}

// TestUndated: a stamp without its date gives the zone that the dated one
// gives, or none; it is none only where two are 24 hours apart.
func TestUndated(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(9e8, 3e9).Draw(t, "time"), 0).UTC()
		zone := time.Duration(rapid.IntRange(-24, 28).Draw(t, "half hours")) * 30 * time.Minute
		g := stampOf(at)
		g.day = time.Time{}
		d, ok := g.zone(at.Add(zone))
		ambiguous := zone <= -10*time.Hour || zone >= 12*time.Hour
		if ok == ambiguous || ok && d != zone {
			t.Errorf("zone %v: %v, %v", zone, d, ok)
		}
	})
}

// TestInstant: every source of a zone gives the moment, and two give none.
func TestInstant(t *testing.T) {
	wall := time.Date(2023, 7, 1, 14, 0, 0, 0, time.UTC)
	for zone, want := range map[ZoneSource]int{
		ZoneNone: -1, "": -1, ZoneUTC: 14,
		ZoneOffset: 12, ZoneGPS: 12, ZonePosition: 12, ZoneSeries: 12, ZoneDefault: 12, ZoneSaid: 12,
	} {
		at, ok := Time{Wall: wall, Offset: 2 * time.Hour, Zone: zone}.Instant()
		if ok != (want >= 0) || ok && !at.Equal(time.Date(2023, 7, 1, want, 0, 0, 0, time.UTC)) {
			t.Errorf("%q: %v, %v", zone, at, ok)
		}
		if at, ok := (Time{Offset: time.Hour, Zone: zone}).Instant(); ok {
			t.Errorf("%q: no reading, and %v", zone, at)
		}
	}
}
