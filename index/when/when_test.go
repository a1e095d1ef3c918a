package when

import (
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/index/geo"
)

// east finds zones by longitude alone.
type east struct{ t testing.TB }

func (z east) Zone(p geo.Point) *time.Location {
	switch {
	case p.Lon > 120:
		return location(z.t, "Asia/Tokyo")
	case p.Lon > 15:
		return location(z.t, "Europe/Helsinki")
	case p.Lon < -60:
		return location(z.t, "America/New_York")
	}
	return nil
}

func location(t testing.TB, name string) *time.Location {
	l, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

var (
	turku = &geo.Point{Lat: 60.45, Lon: 22.27}
	tokyo = &geo.Point{Lat: 35.68, Lon: 139.65}
	sea   = &geo.Point{Lat: 0, Lon: -30}
)

func utc(text string) time.Time {
	at, err := time.Parse(time.DateTime, text)
	if err != nil {
		panic(err)
	}
	return at
}

// wall is a reading without a zone, zonedAt one with its offset in hours.
func wall(text string) exif.Time { return exif.Time{Wall: utc(text), Zone: exif.ZoneNone} }

func zonedAt(text string, hours int, source exif.ZoneSource) exif.Time {
	return exif.Time{Wall: utc(text), Offset: time.Duration(hours) * time.Hour, Zone: source}
}

// TestReadings holds where a time is taken from, and its zone, photo by photo.
func TestReadings(t *testing.T) {
	helsinki := Options{Default: location(t, "Europe/Helsinki")}
	places := Options{Zones: east{t}}
	said := wall("1999-12-24 18:00:00")
	saidZoned := zonedAt("1999-12-24 18:00:00", 1, exif.ZoneOffset)
	saidUTC := zonedAt("1999-12-24 18:00:00", 0, exif.ZoneUTC)
	unknown := exif.Time{}
	const (
		noon  = "2023-07-04 12:00:00"
		named = "IMG_20230704_101112.jpg"
	)
	for _, c := range []struct {
		what string
		e    Evidence
		opt  Options
		want string // "" unknown
		hour float64
		zone exif.ZoneSource
		from Source
	}{
		{"nothing", Evidence{}, Options{}, "", 0, "", SourceNone},
		{"the file, nothing else", Evidence{Taken: wall(noon), From: exif.TimeDigitized}, Options{}, noon, 0, exif.ZoneNone, SourceDigitized},
		{"a person", Evidence{Said: &said, Taken: zonedAt(noon, 2, exif.ZoneOffset), Fix: utc(noon)}, Options{}, "1999-12-24 18:00:00", 0, exif.ZoneNone, SourceSaid},
		{"a person, with a zone", Evidence{Said: &saidZoned, Taken: wall(noon)}, Options{}, "1999-12-24 18:00:00", 1, exif.ZoneSaid, SourceSaid},
		{"a person, of a place", Evidence{Said: &said, Point: turku}, places, "1999-12-24 18:00:00", 2, exif.ZonePosition, SourceSaid},
		{"a person, of an instant", Evidence{Said: &saidUTC, Point: tokyo}, places, "1999-12-25 03:00:00", 9, exif.ZonePosition, SourceSaid},
		{"a file's reading in UTC", Evidence{Taken: zonedAt(noon, 0, exif.ZoneUTC)}, helsinki, "2023-07-04 15:00:00", 3, exif.ZoneDefault, SourceOriginal},
		{"a person: nobody knows", Evidence{Said: &unknown, Taken: wall(noon), Name: named, ModTime: utc(noon)}, helsinki, "", 0, "", SourceSaid},

		{"offset before all", Evidence{Taken: zonedAt(noon, 2, exif.ZoneOffset), Fix: utc("2023-07-04 09:00:00"), Point: tokyo}, places, noon, 2, exif.ZoneOffset, SourceOriginal},
		{"GPS before the place", Evidence{Taken: zonedAt(noon, 3, exif.ZoneGPS), Fix: utc("2023-07-04 09:00:10"), Point: tokyo}, places, noon, 3, exif.ZoneGPS, SourceOriginal},
		{"GPS that the file did not use", Evidence{Taken: wall(noon), Fix: utc("2023-07-04 09:00:10")}, helsinki, noon, 3, exif.ZoneGPS, SourceOriginal},
		{"place before default", Evidence{Taken: wall(noon), Point: tokyo}, Options{Zones: east{t}, Default: location(t, "Europe/Helsinki")}, noon, 9, exif.ZonePosition, SourceOriginal},
		{"a place without a zone", Evidence{Taken: wall(noon), Point: sea}, places, noon, 0, exif.ZoneNone, SourceOriginal},
		{"a place that is none", Evidence{Taken: wall(noon), Point: &geo.Point{Lat: 100, Lon: 139}}, places, noon, 0, exif.ZoneNone, SourceOriginal},
		{"default", Evidence{Taken: wall(noon)}, helsinki, noon, 3, exif.ZoneDefault, SourceOriginal},
		{"default in winter", Evidence{Taken: wall("2023-01-04 12:00:00")}, helsinki, "2023-01-04 12:00:00", 2, exif.ZoneDefault, SourceOriginal},

		{"name, nothing in the file", Evidence{Name: named}, Options{}, "2023-07-04 10:11:12", 0, exif.ZoneNone, SourceName},
		{"name before the last change", Evidence{Name: named, Taken: zonedAt("2023-08-01 12:00:00", 3, exif.ZoneOffset), From: exif.TimeModified}, Options{}, "2023-07-04 10:11:12", 0, exif.ZoneNone, SourceName},
		{"file before its name", Evidence{Name: named, Taken: wall(noon), From: exif.TimeXMP}, Options{}, noon, 0, exif.ZoneNone, SourceXMP},
		{"a name in UTC", Evidence{Name: "PXL_20230704_081112123.jpg"}, Options{}, "2023-07-04 08:11:12.123", 0, exif.ZoneUTC, SourceName},
		{"a name in UTC, at a place", Evidence{Name: "PXL_20230704_201112123.jpg", Point: tokyo}, places, "2023-07-05 05:11:12.123", 9, exif.ZonePosition, SourceName},
		{"a name in UTC, with a default", Evidence{Name: "PXL_20230704_201112123.jpg"}, helsinki, "2023-07-04 23:11:12.123", 3, exif.ZoneDefault, SourceName},
		{"a name in local time, with a default", Evidence{Name: named}, helsinki, "2023-07-04 10:11:12", 3, exif.ZoneDefault, SourceName},
		{"last change before a name's date", Evidence{Name: "IMG-20230704-WA0012.jpg", Taken: wall("2023-07-03 12:00:00"), From: exif.TimeModified}, Options{}, "2023-07-03 12:00:00", 0, exif.ZoneNone, SourceModified},
		{"a name's date", Evidence{Name: "IMG-20230704-WA0012.jpg", ModTime: utc(noon)}, helsinki, "2023-07-04 00:00:00", 0, exif.ZoneNone, SourceName},
		{"the GPS time stamp alone", Evidence{Fix: utc(noon), Name: named}, Options{}, noon, 0, exif.ZoneUTC, SourceGPS},
		{"the GPS time stamp at a place", Evidence{Fix: utc(noon), Point: tokyo}, places, "2023-07-04 21:00:00", 9, exif.ZonePosition, SourceGPS},
		{"a receiver that has no time", Evidence{Fix: utc("1980-01-06 00:00:12")}, Options{}, "", 0, "", SourceNone},

		{"the time of the file", Evidence{Name: "DSC_0001.JPG", ModTime: utc(noon)}, Options{}, noon, 0, exif.ZoneUTC, SourceModTime},
		{"the time of the file, with a default", Evidence{ModTime: utc(noon)}, helsinki, "2023-07-04 15:00:00", 3, exif.ZoneDefault, SourceModTime},
		{"a file of 1970", Evidence{ModTime: time.Unix(0, 0)}, Options{}, "", 0, "", SourceNone},
		{"a file of FAT's zero", Evidence{ModTime: utc("1979-12-31 22:00:00")}, Options{}, "", 0, "", SourceNone},
		{"a file from the future", Evidence{ModTime: utc("2024-07-04 12:00:00")}, Options{Now: utc(noon)}, "", 0, "", SourceNone},
		{"a file from the far future", Evidence{ModTime: utc("2107-12-31 23:59:58")}, Options{}, "", 0, "", SourceNone},
	} {
		got := Resolve([]Evidence{c.e}, c.opt)[0]
		text := ""
		if !got.IsZero() {
			text = got.Wall.Format("2006-01-02 15:04:05.999")
		}
		if text != c.want || got.Offset.Hours() != c.hour || got.Zone != c.zone || got.Source != c.from || got.Shift != 0 {
			t.Errorf("%s: %s %v %s from %q", c.what, text, got.Offset, got.Zone, got.Source)
		}
		if at, ok := got.Instant(); ok && got.Sort != at.UnixMicro() || got.IsZero() && got.Sort != 0 {
			t.Errorf("%s: sorts at %d, not at %v", c.what, got.Sort, at)
		}
	}
}

// TestResetClocks holds which readings count as those of a clock that was
// never set: none without evidence.
func TestResetClocks(t *testing.T) {
	const named = "IMG_20130704_101112.jpg"
	for _, c := range []struct {
		what string
		e    Evidence
		want string
		from Source
	}{
		{"the real New Year of 2000", Evidence{Taken: wall("2000-01-01 00:05:00"), Camera: "a"}, "2000-01-01 00:05:00", SourceOriginal},
		{"the same, copied later", Evidence{Taken: wall("2000-01-01 00:05:00"), Camera: "a", ModTime: utc("2013-07-04 12:00:00"), Name: "DSC_0001.JPG"}, "2000-01-01 00:05:00", SourceOriginal},
		{"sent with a messenger later", Evidence{Taken: wall("2005-01-02 10:00:00"), Camera: "a", Name: "IMG-20230704-WA0012.jpg"}, "2005-01-02 10:00:00", SourceOriginal},
		{"the name agrees", Evidence{Taken: wall("2004-01-01 10:11:12"), Camera: "a", Name: "20040101_101112.jpg"}, "2004-01-01 10:11:12", SourceOriginal},
		{"the name knows better", Evidence{Taken: wall("2000-01-03 10:00:00"), Camera: "a", Name: named}, "2013-07-04 10:11:12", SourceName},
		{"a name against no reset", Evidence{Taken: wall("2012-07-03 10:00:00"), Camera: "a", Name: named}, "2012-07-03 10:00:00", SourceOriginal},
		{"GPS knows better", Evidence{Taken: wall("2001-01-03 10:00:00"), Camera: "a", Fix: utc("2013-07-04 12:00:00")}, "2013-07-04 12:00:00", SourceGPS},
		{"GPS against any reading", Evidence{Taken: wall("2012-07-03 10:00:00"), Camera: "a", Fix: utc("2013-07-04 12:00:00")}, "2013-07-04 12:00:00", SourceGPS},
		{"a day apart is an old fix", Evidence{Taken: wall("2013-07-04 12:00:00"), Camera: "a", Fix: utc("2013-07-03 08:20:00")}, "2013-07-04 12:00:00", SourceOriginal},
		{"an old fix, and a name that agrees", Evidence{Taken: wall("2013-07-04 10:11:12"), Camera: "a", Name: named, Fix: utc("2013-06-03 08:20:00")}, "2013-07-04 10:11:12", SourceOriginal},
		{"an old fix, and a name that does not agree", Evidence{Taken: wall("2013-07-04 10:11:12"), Camera: "a", Name: "IMG_20130601_101112.jpg", Fix: utc("2013-06-03 08:20:00")}, "2013-06-03 08:20:00", SourceGPS},
		{"a fix from after it, and a name of the same clock", Evidence{Taken: wall("2000-01-01 10:11:12"), Camera: "a", Name: "IMG_20000101_101112.jpg", Fix: utc("2013-07-04 12:00:00")}, "2013-07-04 12:00:00", SourceGPS},
		{"a file older than its photo", Evidence{Taken: wall("2008-01-03 10:00:00"), Camera: "a", ModTime: utc("2005-07-04 12:00:00")}, "2005-07-04 12:00:00", SourceModTime},
		{"1970", Evidence{Taken: wall("1970-01-02 10:00:00"), Camera: "a", ModTime: utc("2013-07-04 12:00:00")}, "2013-07-04 12:00:00", SourceModTime},
		{"1980, and nothing else", Evidence{Taken: wall("1980-01-01 00:00:12"), Camera: "a"}, "", SourceNone},
		{"1980, of a scan that somebody dated", Evidence{Taken: wall("1980-01-01 00:00:00"), ModTime: utc("2013-07-04 12:00:00")}, "1980-01-01 00:00:00", SourceOriginal},
		{"the summer of 1980", Evidence{Taken: wall("1980-07-01 12:00:00"), Camera: "scanner"}, "1980-07-01 12:00:00", SourceOriginal},
	} {
		got := Resolve([]Evidence{c.e}, Options{})[0]
		text := ""
		if !got.IsZero() {
			text = got.Wall.Format(time.DateTime)
		}
		if text != c.want || got.Source != c.from {
			t.Errorf("%s: %s from %q, want %s from %q", c.what, text, got.Source, c.want, c.from)
		}
	}
}

// TestShifts holds that corrections count for the readings of their camera and
// their time only, and before the zone is inferred.
func TestShifts(t *testing.T) {
	const hour = time.Hour
	from, to := utc("2023-07-01 00:00:00"), utc("2023-07-05 00:00:00")
	off := hour + 3*time.Minute
	opt := Options{Zones: east{t}, Shifts: []Shift{
		{Camera: "a", By: 9 * hour},
		{Camera: "a", From: from, To: to, By: off},
	}}
	said := wall("2023-07-02 12:00:00")
	for _, c := range []struct {
		what  string
		e     Evidence
		want  string
		hours float64
		zone  exif.ZoneSource
		shift time.Duration
	}{
		{"within", Evidence{Camera: "a", Taken: wall("2023-07-01 00:00:00")}, "2023-07-01 01:03:00", 0, exif.ZoneNone, off},
		{"until before the end", Evidence{Camera: "a", Taken: wall("2023-07-05 00:00:00")}, "2023-07-05 09:00:00", 0, exif.ZoneNone, 9 * hour},
		{"another camera", Evidence{Camera: "b", Taken: wall("2023-07-02 00:00:00")}, "2023-07-02 00:00:00", 0, exif.ZoneNone, 0},
		{"no camera", Evidence{Taken: wall("2023-07-02 00:00:00")}, "2023-07-02 00:00:00", 0, exif.ZoneNone, 0},
		{"offset stays", Evidence{Camera: "a", Taken: zonedAt("2023-07-02 12:00:00", 2, exif.ZoneOffset)}, "2023-07-02 13:03:00", 2, exif.ZoneOffset, off},
		{"GPS, now a zone", Evidence{Camera: "a", Taken: wall("2023-07-02 10:57:00"), Fix: utc("2023-07-02 09:00:00")}, "2023-07-02 12:00:00", 3, exif.ZoneGPS, off},
		{"GPS, a zone no more: the place's", Evidence{Camera: "a", Taken: zonedAt("2023-07-02 12:00:00", 3, exif.ZoneGPS), Fix: utc("2023-07-02 09:00:00"), Point: turku}, "2023-07-02 13:03:00", 3, exif.ZonePosition, off},
		{"GPS, whose stamp is not at hand", Evidence{Camera: "a", Taken: zonedAt("2023-07-06 01:00:00", 0, exif.ZoneGPS)}, "2023-07-06 10:00:00", 9, exif.ZoneGPS, 9 * hour},
		{"a person", Evidence{Camera: "a", Said: &said, Taken: wall("2023-07-02 00:00:00")}, "2023-07-02 12:00:00", 0, exif.ZoneNone, 0},
		{"a name", Evidence{Camera: "a", Name: "IMG_20230702_101112.jpg"}, "2023-07-02 10:11:12", 0, exif.ZoneNone, 0},
		{"the time of the file", Evidence{Camera: "a", ModTime: utc("2023-07-02 10:11:12")}, "2023-07-02 10:11:12", 0, exif.ZoneUTC, 0},
	} {
		got := Resolve([]Evidence{c.e}, opt)[0]
		if got.Wall.Format(time.DateTime) != c.want || got.Offset.Hours() != c.hours || got.Zone != c.zone || got.Shift != c.shift {
			t.Errorf("%s: %s %v %s, shifted by %v", c.what, got.Wall.Format(time.DateTime), got.Offset, got.Zone, got.Shift)
		}
	}
}
