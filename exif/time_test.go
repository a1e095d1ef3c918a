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
		"2011:12:31 24:00:00":             "2012-01-01T00:00:00",
		"2011:05:01 24:00:00.5":           "2011-05-02T00:00:00.5",
		"2012:02:28 24:00":                "2012-02-29T00:00:00",
		"2011:05:01 24:00:00+02:00":       "2011-05-02T00:00:00+02:00",
		"1970:01:01 00:00:00":             "1970-01-01T00:00:00", // a clock that was reset: a fact all the same
		"2000:01:01 00:00:07":             "2000-01-01T00:00:07",
		"0000:00:00 00:00:00":             unknown,
		"0000-00-00T00:00:00":             unknown,
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
		"0000:01:01 00:00:00":             bad,
		"0000:00:00 12:34:56":             bad,
		"2011:00:00 00:00:00":             bad,
		"23:07:04 10:11:12":               bad,
		"2011:05:01 24:30":                bad,
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
