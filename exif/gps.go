package exif

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// Altitudes in metres outside of these are the numbers that broken software
// writes for "unknown": below the deepest sea, and above every orbit that
// photos are taken in. maxAccuracy is the same for the accuracy: what is
// further off is no position.
const (
	minAltitude = -12e3
	maxAltitude = 1e6
	maxAccuracy = 1e5
)

func plausibleAltitude(m float64) bool { return m >= minAltitude && m <= maxAltitude } // NaN is not

// plausibleAccuracy is the accuracy, or 0 where it can be none.
func plausibleAccuracy(m float64) float64 {
	if m > 0 && m <= maxAccuracy {
		return m
	}
	return 0
}

// newGPS checks a position. Exactly 0 N 0 E is nil without an error: it lies
// in the sea, and is what devices write that have no fix.
func newGPS(lat, lon float64) (*GPS, error) {
	if !(lat >= -90 && lat <= 90 && lon >= -180 && lon <= 180) { // so that NaN fails
		return nil, fmt.Errorf("position %g, %g out of range", lat, lon)
	}
	if lat == 0 && lon == 0 {
		return nil, nil
	}
	return &GPS{Lat: lat, Lon: lon}, nil
}

// coordinate is a number of degrees with what its letter says of it.
type coordinate struct {
	degrees float64 // not negative
	east    bool    // the letter is E or W
	minus   bool    // the letter is S or W
}

// newCoordinate takes the letter, small or capital, or the word that it stands for.
func newCoordinate(degrees float64, ref string) (coordinate, error) {
	word := strings.ToUpper(strings.TrimSpace(ref))
	for i, name := range []string{"NORTH", "SOUTH", "EAST", "WEST"} {
		if word != "" && strings.HasPrefix(name, word) {
			return coordinate{degrees: degrees, east: i >= 2, minus: i%2 == 1}, nil
		}
	}
	return coordinate{}, fmt.Errorf("reference %.8q", ref)
}

func (c coordinate) signed() float64 {
	if c.minus {
		return 0 - c.degrees // not -c.degrees, which would make -0 of 0
	}
	return c.degrees
}

var errSwapped = errors.New("latitude and longitude are swapped, and were put right")

// nearZero in degrees is about 11 m: as near to 0 N 0 E as a receiver's noise
// or a rounding leaves it.
const nearZero = 1e-4

// position is what a file says of a place.
type position struct {
	first, second coordinate // as latitude and longitude
	void          bool       // the receiver had no fix at that moment
	timed         bool       // there is a time stamp of the fix
	datum         string
}

// gps judges it. A *GPS and an error together are a position that was put right.
//
// Near 0 N 0 E, a position needs a fix with its time: without, it is noise
// around what means "none". In a place with a void fix the receiver was once, so
// that it is kept, and marked.
//
// Latitude and longitude are swapped where the letters say so, and where the
// latitude is beyond the pole by more than a slip of the last digit and the
// longitude could be one; the letters then belong to the numbers, for they
// were made from the signs of these. Any other pair is taken as it stands:
// nothing tells 45 N 10 E from 10 N 45 E.
func (p position) gps() (*GPS, error) {
	lat, lon := p.first.signed(), p.second.signed()
	var swapped error
	switch {
	case p.first.east && !p.second.east:
		swapped = errSwapped
	case p.first.east == p.second.east:
		return nil, errors.New("two letters of one axis")
	case math.Abs(lat) > 91 && math.Abs(lat) <= 180 && math.Abs(lon) <= 90:
		swapped = errSwapped
	}
	if swapped != nil {
		lat, lon = lon, lat
	}
	g, err := newGPS(lat, lon)
	if err != nil || g == nil {
		return nil, err
	}
	if math.Abs(lat) < nearZero && math.Abs(lon) < nearZero && (p.void || !p.timed) {
		return nil, nil
	}
	g.Stale = p.void
	g.Lat, g.Lon, g.Datum = toWGS84(g.Lat, g.Lon, p.datum)
	return g, swapped
}

// parseXMPDegrees reads XMP's form of a coordinate, "DDD,MM,SSk" or
// "DDD,MM.mmk" with k a letter for the sign (XMP part 2, GPSCoordinate).
func parseXMPDegrees(s string) (coordinate, error) {
	bad := fmt.Errorf("coordinate %.40q", s)
	s = strings.TrimSpace(s)
	if s == "" {
		return coordinate{}, bad
	}
	parts := strings.Split(s[:len(s)-1], ",")
	if len(parts) < 2 || len(parts) > 3 {
		return coordinate{}, bad
	}
	d, unit := 0.0, 1.0
	for _, p := range parts {
		v, ok := parseDecimal(p)
		if !ok {
			return coordinate{}, bad
		}
		d += v / unit
		unit *= 60
	}
	c, err := newCoordinate(d, s[len(s)-1:])
	if err != nil {
		return coordinate{}, bad
	}
	return c, nil
}

// parseDecimal reads digits with at most one point: no sign, exponent or NaN.
func parseDecimal(s string) (float64, bool) {
	if s == "" || len(s) > 32 || strings.Trim(s, "0123456789.") != "" {
		return 0, false
	}
	v, err := strconv.ParseFloat(s, 64)
	return v, err == nil
}

// parseXMPFraction reads a number that is not negative, "2398/10" or "239.8".
func parseXMPFraction(s string) (float64, bool) {
	num, den, frac := strings.Cut(strings.TrimSpace(s), "/")
	v, ok := parseDecimal(num)
	if frac && ok {
		var d float64
		if d, ok = parseDecimal(den); d == 0 {
			return 0, false
		}
		v /= d
	}
	return v, ok
}

// parseXMPAltitude reads a fraction of metres and its reference.
func parseXMPAltitude(s, ref string) (float64, bool) {
	v, ok := parseXMPFraction(s)
	switch strings.TrimSpace(ref) {
	case "", "0", "2":
	case "1", "3":
		v = 0 - v
	default:
		ok = false
	}
	return v, ok && plausibleAltitude(v)
}

// cleanName makes the name of a maker or model fit to show: valid UTF-8
// without control characters, NUL bytes and surrounding space.
func cleanName(s string) string {
	s, _, _ = strings.Cut(s, "\x00")
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.TrimSpace(s)
}
