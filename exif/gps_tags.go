package exif

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/rwcarlsen/goexif/tiff"
)

// gpsTime is the time stamp of the GPS tags. The date is not used without the
// time of day. The time of day may be used without the date, but not where it
// is zero, as in what a receiver writes that has no fix, or from one that says
// that it has none.
func (r *reader) gpsTime() (g gpsClock) {
	t := r.find(dirGPS, tagGPSTime)
	if t == nil {
		return g
	}
	v, ok, err := rationals(t, 3)
	if err == nil && ok {
		s := v[0]*3600 + v[1]*60 + v[2]
		switch {
		case min(v[0], v[1], v[2]) < 0, v[1] >= 60, v[2] >= 61, v[0] >= 24 && s != 24*3600: // 24:00 is the next day's 0:00
			err = fmt.Errorf("time of day %v", v)
		default:
			g.clock = time.Duration(math.Round(s * float64(time.Second)))
			g.day, err = r.gpsDay()
			g.known = err == nil && (!g.day.IsZero() || s > 0 && !r.void())
		}
	}
	if err != nil {
		r.faultTag(dirGPS, tagGPSTime, err)
	}
	return g
}

// gpsDay is the date of the GPS tags. One maker separates its numbers by NUL
// bytes, as exiftool notes (Casio EX-H20G).
func (r *reader) gpsDay() (time.Time, error) {
	t := r.find(dirGPS, tagGPSDate)
	if t == nil {
		return time.Time{}, nil
	}
	text := string(bytes.ReplaceAll(bytes.TrimRight(t.Val, "\x00"), []byte{0}, []byte{':'}))
	return parseDate(text)
}

// void reports whether the receiver says that it had no position (NMEA 0183's
// "V", which CIPA DC-008 calls measurement interrupted).
func (r *reader) void() bool { return isVoid(r.text(dirGPS, tagGPSStatus)) }

func isVoid(status string) bool { return strings.EqualFold(strings.TrimSpace(status), "V") }

// gps is the position, nil where there is no usable one.
func (r *reader) gps() *GPS {
	first, okFirst := r.coordinate(tagLat, tagLatRef)
	second, okSecond := r.coordinate(tagLon, tagLonRef)
	if !okFirst || !okSecond {
		return nil
	}
	p := position{first: first, second: second, void: r.void(), timed: r.clock.known,
		datum: cleanName(r.text(dirGPS, tagDatum))}
	g, err := p.gps()
	if err != nil {
		r.fault(dirName(dirGPS), err)
	}
	if g != nil {
		g.Alt = r.altitude()
		g.Accuracy = r.accuracy()
	}
	return g
}

// coordinate reads degrees, minutes and seconds, and the letter beside them.
// Without a letter, they could lie in either half of the world, and say nothing.
//
// The standard has no sign in the numbers. Where there is one all the same, it
// is dropped, and the letter counts alone, as with exiftool: -33 S is written
// by software that means 33 S twice. -33 N says two things at once; it is also
// read as its letter says, but is a fault.
func (r *reader) coordinate(tag, refTag uint16) (c coordinate, ok bool) {
	t := r.find(dirGPS, tag)
	if t == nil {
		return c, false
	}
	v, ok, err := rationals(t, 3)
	if err != nil {
		r.faultTag(dirGPS, tag, err)
	}
	if err != nil || !ok {
		return c, false
	}
	negative := false
	for i, part := range v {
		if part < 0 && i > 0 && !negative && (v[0] > 0 || v[i-1] > 0) {
			r.faultTag(dirGPS, tag, fmt.Errorf("a sign within %v", v))
			return c, false
		}
		negative = negative || part < 0
	}
	degrees := math.Abs(v[0]) + math.Abs(v[1])/60 + math.Abs(v[2])/3600
	ref := r.text(dirGPS, refTag)
	c, err = newCoordinate(degrees, ref)
	switch {
	case err != nil && degrees == 0 && strings.TrimSpace(ref) == "":
		return c, false // no fix is often written as zeros without letters
	case err == nil && negative && !c.minus && degrees > 0:
		r.faultTag(dirGPS, tag, fmt.Errorf("%v with the letter %.8q", v, ref))
	case err != nil:
		r.faultTag(dirGPS, refTag, err)
	}
	return c, err == nil
}

// altitude reads metres and the sign from GPSAltitudeRef: 0 (also assumed
// where it is missing, as the standard has it) and 2 above, 1 and 3 below. 0
// and 1 refer to the sea level, 2 and 3 to the ellipsoid (EXIF 3.0), which
// lies up to 107 m off it (the geoid EGM2008) and is not told apart.
func (r *reader) altitude() *float64 {
	t := r.find(dirGPS, tagAlt)
	if t == nil {
		return nil
	}
	v, ok, err := rationals(t, 1)
	ref := 0
	if t := r.find(dirGPS, tagAltRef); err == nil && t != nil {
		ref, err = t.Int(0)
	}
	if err == nil && (ref < 0 || ref > 3) {
		err = fmt.Errorf("altitude reference %d", ref)
	}
	alt := v[0]
	if ref%2 == 1 {
		alt = 0 - math.Abs(alt) // some write the sign and the reference; and not -0
	}
	if err == nil && ok && !plausibleAltitude(alt) {
		err = fmt.Errorf("altitude %g m", alt)
	}
	if err != nil {
		r.faultTag(dirGPS, tagAlt, err)
	}
	if err != nil || !ok {
		return nil
	}
	return &alt
}

// accuracy is the positioning error in metres, 0 where it is unknown.
func (r *reader) accuracy() float64 {
	t := r.find(dirGPS, tagAccuracy)
	if t == nil {
		return 0
	}
	v, ok, err := rationals(t, 1)
	if err != nil {
		r.faultTag(dirGPS, tagAccuracy, err)
	}
	if err != nil || !ok {
		return 0
	}
	return plausibleAccuracy(v[0])
}

// rationals reads up to n fractions; what is missing at the end is 0. It is
// false where a denominator is 0: the standard's way to say "unknown".
func rationals(t *tiff.Tag, n int) (v [3]float64, ok bool, err error) {
	if t.Format() != tiff.RatVal {
		return v, false, errors.New("not a fraction")
	}
	for i := range min(n, int(t.Count)) {
		num, den, err := t.Rat2(i)
		if err != nil {
			return v, false, err
		}
		if den == 0 {
			return v, false, nil
		}
		v[i] = float64(num) / float64(den)
	}
	return v, true, nil
}
