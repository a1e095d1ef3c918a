package exif

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseStamp(t *testing.T) {
	const unknown, bad = "unknown", "bad"
	for text, want := range map[string]string{
		"2011:05:01 12:00:00":             "2011-05-01T12:00:00",
		"2011:05:01 12:00:00\x00 13":      "2011-05-01T12:00:00",
		"2011:05:01 12:00:00   ":          "2011-05-01T12:00:00",
		"2011:05:01 12:00:00 garbage":     "2011-05-01T12:00:00",
		"2011:05:01 12:00:00#":            "2011-05-01T12:00:00",
		"2011-05-01 12:00:00":             "2011-05-01T12:00:00",
		"2011/05/01 12:00:00":             "2011-05-01T12:00:00",
		"2011.05.01 12.00.00":             "2011-05-01T12:00:00",
		"2011-05-01T12:00:00":             "2011-05-01T12:00:00",
		"2011-05-01t12:00:00z":            "2011-05-01T12:00:00+00:00",
		"2011-05-01T12:00:00.25-03:30":    "2011-05-01T12:00:00.25-03:30",
		"2011-05-01T12:00+02:00":          "2011-05-01T12:00:00+02:00",
		"2011-05-01T12:00:00+99:00":       "2011-05-01T12:00:00",
		"2011:05:01 12:00":                "2011-05-01T12:00:00",
		"2011: 5: 1  2: 3: 4":             "2011-05-01T02:03:04",
		"2011:5:1 2:3:4":                  "2011-05-01T02:03:04",
		"2011:05:01 24:00:00":             "2011-05-02T00:00:00",
		"2012:12:31 23:59:60":             "2013-01-01T00:00:00",
		"2011:05:01 12:00:00.1234567899":  "2011-05-01T12:00:00.123456789",
		"2011:05:01 12:00:00.":            "2011-05-01T12:00:00",
		"2216:11:15 11:46:51":             "2216-11-15T11:46:51",
		"0000:00:00 00:00:00":             unknown,
		"    :  :     :  :  ":             unknown,
		"":                                unknown,
		"\x002011:05:01 12:00:00":         unknown,
		"2011:05:01":                      bad,
		"2011:05:01 ":                     bad,
		"2011:05:01 12:00:00 PM":          bad,
		"2011:05:01 05:00:00am":           bad,
		"2011:02:29 12:00:00":             bad,
		"2011:13:01 12:00:00":             bad,
		"2011:00:01 12:00:00":             bad,
		"2011:01:00 12:00:00":             bad,
		"2011:05:01 24:00:01":             bad,
		"2011:05:01 25:00:00":             bad,
		"2011:05:01 12:60:00":             bad,
		"2011:05:01 12:00:61":             bad,
		"0001:01:01 00:00:00":             bad,
		"9999:99:99 99:99:99":             bad,
		"11:05:01 12:00:00":               bad,
		"2011:05:01x12:00:00":             bad,
		"2011:05:01 noon":                 bad,
		"2011:05:01 12":                   bad,
		"May 1 2011":                      bad,
		"20110501120000":                  bad,
		"99999999999999999999:01:01 00:0": bad,
	} {
		s, err := parseStamp(text)
		got := s.wall.Format("2006-01-02T15:04:05.999999999")
		if s.zoned {
			got += time.Time{}.In(time.FixedZone("", int(s.offset.Seconds()))).Format("-07:00")
		}
		switch {
		case err != nil:
			got = bad
		case s == stamp{}:
			got = unknown
		}
		if got != want {
			t.Errorf("%q: %s (%v), want %s", text, got, err, want)
		}
	}
}

// TestParseStampRoundTrip: any moment written in any tolerated form reads back.
func TestParseStampRoundTrip(t *testing.T) {
	layouts := []string{
		"2006:01:02 15:04:05.999999999", "2006-01-02T15:04:05.999999999Z07:00", "2006/01/02 15:04:05.000000000-0700",
		"2006.1.2 15.4.5.999999999", "2006:01:02 15:04:05.999999999\x00\x00",
	}
	rapid.Check(t, func(t *rapid.T) {
		zone := time.Duration(rapid.IntRange(-15*60, 15*60).Draw(t, "minutes")) * time.Minute
		sec := rapid.Int64Range(time.Date(minYear, 1, 2, 0, 0, 0, 0, time.UTC).Unix(), time.Date(maxYear, 12, 30, 0, 0, 0, 0, time.UTC).Unix()).Draw(t, "sec")
		want := time.Unix(sec, rapid.Int64Range(0, 999999999).Draw(t, "ns")).In(time.FixedZone("", int(zone.Seconds())))
		layout := rapid.SampledFrom(layouts).Draw(t, "layout")
		s, err := parseStamp(want.Format(layout))
		if err != nil {
			t.Fatal(err)
		}
		_, off := want.Zone()
		if wall := want.Add(time.Duration(off) * time.Second).UTC(); !s.wall.Equal(wall) {
			t.Errorf("wall %v, want %v", s.wall, wall)
		}
		if s.zoned && s.offset != zone {
			t.Errorf("offset %v, want %v", s.offset, zone)
		}
	})
}

func TestParseOffset(t *testing.T) {
	const bad = time.Duration(1)
	for text, want := range map[string]time.Duration{
		"+02:00": 2 * time.Hour, "-0330": -3*time.Hour - 30*time.Minute, "+05:45\x00": 5*time.Hour + 45*time.Minute,
		"+2:00": 2 * time.Hour, "-08": -8 * time.Hour, " +14:00 ": 14 * time.Hour, "+15:00": 15 * time.Hour,
		"Z": 0, "z": 0, "+00:00": 0,
		"+15:01": bad, "-99:00": bad, "+02:60": bad, "02:00": bad, "+": bad, "+2:0": bad, "+ 2:00": bad, "+02:00:00": bad,
		"+02:": bad, "UTC": bad, "+330": bad, "−02:00": bad,
	} {
		d, known, err := parseOffset(text)
		if want == bad {
			if err == nil || known {
				t.Errorf("%q: %v, want an error", text, d)
			}
		} else if err != nil || !known || d != want {
			t.Errorf("%q: %v, %v, %v; want %v", text, d, known, err, want)
		}
	}
	for _, blank := range []string{"", "   ", "   :  ", "\x00+02:00"} {
		if _, known, err := parseOffset(blank); known || err != nil {
			t.Errorf("%q: %v, %v; want unknown", blank, known, err)
		}
	}
}

func TestParseFraction(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"5": 500e6, "05": 50e6, "057": 57e6, "53 ": 530e6, "123456789": 123456789, "1234567894": 123456789, "00": 0,
	} {
		if d, ok := parseFraction(text); !ok || d != want {
			t.Errorf("%q: %v, %v; want %v", text, d, ok, want)
		}
	}
	for _, text := range []string{"", "  ", "\x0012", "1.5", "-5", "x"} {
		if d, ok := parseFraction(text); ok {
			t.Errorf("%q: %v, want none", text, d)
		}
	}
}

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
		{"GPS, day before", gps(shot(), "2023:06:30", 24-0, 0, 0), none, 0}, // hour 24 is out of range
		{"GPS, next day", gps(shot(), "2023:07:02", 1, 0, 0), ZoneGPS, -11 * time.Hour},
		{"GPS, date with dashes", gps(shot(), "2023-07-01", 12, 0, 0), ZoneGPS, 2 * time.Hour},
		{"GPS, three minutes off", gps(shot(), day, 11, 57, 0), none, 0},
		{"GPS, no such zone", gps(shot(), day, 11, 45, 0), none, 0}, // +02:15
		{"GPS, too far", gps(shot(), "2023:06:30", 23, 0, 0), none, 0},
		{"GPS, no date", shot().rat(dirGPS, tagGPSTime, 12, 1, 0, 1, 0, 1), none, 0},
		{"GPS, blank date", gps(shot(), "          ", 12, 0, 0), none, 0},
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
		if d, ok := zoneBetween(utc.Add(zone+off), utc); !ok || d != zone {
			t.Errorf("zone %v off by %v: %v, %v", zone, off, d, ok)
		}
		stale := time.Duration(rapid.IntRange(121, 12*60-1).Draw(t, "stale seconds")) * time.Second
		if d, ok := zoneBetween(utc.Add(zone+stale), utc); ok {
			t.Errorf("a fix %v old gives %v", stale, d)
		}
	})
}
