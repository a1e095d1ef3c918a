package exif

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// maxAltitude in metres keeps the largest numbers, which broken software
// writes for "unknown", apart from photos taken in orbit.
const maxAltitude = 1e6

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

// parseXMPDegrees reads XMP's form of a coordinate, "DDD,MM,SSk" or
// "DDD,MM.mmk" with k one of two letters for the sign (XMP part 2, GPSCoordinate).
func parseXMPDegrees(s string, plus, minus byte) (float64, error) {
	bad := fmt.Errorf("coordinate %.40q", s)
	s = strings.TrimSpace(s)
	if s == "" {
		return 0, bad
	}
	letter := s[len(s)-1]
	parts := strings.Split(s[:len(s)-1], ",")
	if letter != plus && letter != minus || len(parts) < 2 || len(parts) > 3 {
		return 0, bad
	}
	d, unit := 0.0, 1.0
	for _, p := range parts {
		v, ok := parseDecimal(p)
		if !ok {
			return 0, bad
		}
		d += v / unit
		unit *= 60
	}
	if letter == minus {
		d = 0 - d // not -d, which would make -0 of 0
	}
	return d, nil
}

// parseDecimal reads digits with at most one point: no sign, exponent or NaN.
func parseDecimal(s string) (float64, bool) {
	if s == "" || len(s) > 32 || strings.Trim(s, "0123456789.") != "" {
		return 0, false
	}
	v, err := strconv.ParseFloat(s, 64)
	return v, err == nil
}

// parseXMPAltitude reads a fraction of metres, "2398/10", and its reference.
func parseXMPAltitude(s, ref string) (float64, bool) {
	num, den, frac := strings.Cut(strings.TrimSpace(s), "/")
	v, ok := parseDecimal(num)
	if frac && ok {
		var d float64
		if d, ok = parseDecimal(den); d == 0 {
			return 0, false
		}
		v /= d
	}
	switch strings.TrimSpace(ref) {
	case "", "0", "2":
	case "1", "3":
		v = 0 - v
	default:
		ok = false
	}
	return v, ok && v >= -maxAltitude && v <= maxAltitude
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
