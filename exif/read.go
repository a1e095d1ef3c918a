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

// reader reads the values of the wanted tags out of a decoded block.
type reader struct {
	dirs  []*tiff.Dir
	fault func(part string, err error)
}

// readTIFF reads one EXIF block, which must begin with a TIFF header.
func (f *file) readTIFF(block []byte) (src source) {
	defer f.fence()
	scan := scanTIFF(block, dirMain, f.fault)
	if scan.xmp != nil {
		f.addXMP(scan.xmp)
	}
	f.embedded = scan.jpeg
	dirs, err := scan.decode()
	if err != nil {
		f.fault("TIFF block", err)
		return source{}
	}
	return f.source(dirs)
}

// fence turns a panic into a fault. The scan leaves goexif nothing known to
// panic on; what is unknown of it must not take the caller down.
func (f *file) fence() {
	if p := recover(); p != nil {
		f.fault("TIFF block", fmt.Errorf("panic: %v", p))
	}
}

// source reads the wanted tags.
func (f *file) source(dirs []*tiff.Dir) (src source) {
	r := reader{dirs: dirs, fault: f.fault}
	src.orientation = r.orientation()
	src.camera = Camera{Make: cleanName(r.text(dirMain, tagMake)), Model: cleanName(r.text(dirMain, tagModel))}
	src.gps = r.gps()
	r.times(&src)
	return src
}

// find returns a tag, nil where there is none.
func (r *reader) find(dir int, tag uint16) *tiff.Tag {
	for _, t := range r.dirs[dir].Tags {
		if t.Id == tag {
			return t
		}
	}
	return nil
}

func (r *reader) faultTag(dir int, tag uint16, err error) {
	r.fault(fmt.Sprintf("%s tag 0x%04x", dirName(dir), tag), err)
}

// text is the value of a string tag up to its first NUL, empty where there is
// none. Some software gives strings the type UNDEFINED or BYTE.
func (r *reader) text(dir int, tag uint16) string {
	t := r.find(dir, tag)
	if t == nil {
		return ""
	}
	if s, err := t.StringVal(); err == nil {
		return s
	}
	if t.Type == tiff.DTUndefined || t.Type == tiff.DTByte {
		b, _, _ := bytes.Cut(t.Val, []byte{0})
		return string(b)
	}
	r.faultTag(dir, tag, fmt.Errorf("type %d for a text", t.Type))
	return ""
}

// dated is text from the EXIF directory, or else from IFD0.
func (r *reader) dated(tag uint16) string {
	if s := r.text(dirExif, tag); strings.TrimSpace(s) != "" {
		return s
	}
	return r.text(dirMain, tag)
}

func (r *reader) orientation() int {
	t := r.find(dirMain, tagOrientation)
	if t == nil {
		return 0
	}
	v, err := t.Int(0)
	if err == nil && (v < 0 || v > 8) {
		err = fmt.Errorf("value %d", v)
	}
	if err != nil {
		r.faultTag(dirMain, tagOrientation, err)
		return 0
	}
	return v // 0 is what some software writes for "unknown"
}

// times reads the three times of a block with their sub-seconds and zones.
func (r *reader) times(src *source) {
	offset := func(tag uint16) (time.Duration, bool) {
		d, known, err := parseOffset(r.dated(tag))
		if err != nil {
			r.faultTag(dirExif, tag, err)
		}
		return d, known
	}
	stamp := func(dir int, text string, tag, subSec, zone uint16) Time {
		s, err := parseStamp(text)
		if err != nil {
			r.faultTag(dir, tag, err)
		}
		if s.wall.IsZero() {
			return Time{}
		}
		if ns, ok := parseFraction(r.dated(subSec)); ok {
			s.wall = s.wall.Truncate(time.Second).Add(ns)
		}
		if d, known := offset(zone); known {
			s.offset, s.zoned = d, true
		}
		return s.time()
	}
	src.original = stamp(dirExif, r.dated(tagOriginal), tagOriginal, tagSubSecOriginal, tagOffsetOriginal)
	src.digitized = stamp(dirExif, r.dated(tagDigitized), tagDigitized, tagSubSecDigitized, tagOffsetDigitized)
	src.modified = stamp(dirMain, r.text(dirMain, tagModified), tagModified, tagSubSec, tagOffset)
	utc := r.gpsTime()
	var fallback Time // an OffsetTime whose DateTime is missing
	if src.modified.IsZero() {
		if d, known := offset(tagOffset); known {
			fallback = Time{Offset: d, Zone: ZoneOffset}
		}
	}
	src.original.inferZone(utc, src.digitized, src.modified, fallback)
	src.digitized.inferZone(utc, src.original, src.modified, fallback)
}

// gpsTime is the UTC time of the GPS tags, zero where they have none.
func (r *reader) gpsTime() time.Time {
	text := r.text(dirGPS, tagGPSDate)
	t := r.find(dirGPS, tagGPSTime)
	if text == "" || t == nil {
		return time.Time{} // without its date the time of day fits two zones
	}
	v, ok, err := rationals(t, 3)
	if err == nil && ok {
		var day time.Time
		if day, err = parseDate(text); err == nil && !day.IsZero() {
			if v[0] >= 0 && v[0] < 24 && v[1] >= 0 && v[1] < 60 && v[2] >= 0 && v[2] < 61 {
				return day.Add(time.Duration((v[0]*3600 + v[1]*60 + v[2]) * float64(time.Second)))
			}
			err = fmt.Errorf("time of day %v", v)
		}
	}
	if err != nil {
		r.faultTag(dirGPS, tagGPSTime, err)
	}
	return time.Time{}
}

// gps is the position, nil where there is no usable one.
func (r *reader) gps() *GPS {
	lat, okLat := r.degrees(tagLat, tagLatRef, "N", "S")
	lon, okLon := r.degrees(tagLon, tagLonRef, "E", "W")
	if !okLat || !okLon {
		return nil
	}
	g, err := newGPS(lat, lon)
	if err != nil {
		r.fault(dirName(dirGPS), err)
	}
	if g != nil {
		g.Alt = r.altitude()
	}
	return g
}

// degrees reads degrees, minutes and seconds, and the sign from the reference.
func (r *reader) degrees(tag, refTag uint16, plus, minus string) (float64, bool) {
	t := r.find(dirGPS, tag)
	if t == nil {
		return 0, false
	}
	v, ok, err := rationals(t, 3)
	if err != nil {
		r.faultTag(dirGPS, tag, err)
	}
	if err != nil || !ok {
		return 0, false
	}
	d := v[0] + v[1]/60 + v[2]/3600
	if v[0] < 0 || v[1] < 0 || v[2] < 0 {
		r.faultTag(dirGPS, tag, fmt.Errorf("negative part in %v", v))
		return 0, false
	}
	switch ref := strings.ToUpper(strings.TrimSpace(r.text(dirGPS, refTag))); {
	case ref == plus:
		return d, true
	case ref == minus:
		return 0 - d, true // not -d, which would make -0 of 0
	case ref != "" || d != 0: // no fix is often written as zeros without references
		r.faultTag(dirGPS, refTag, fmt.Errorf("reference %.8q", ref))
	}
	return 0, false
}

// altitude reads metres and the sign from GPSAltitudeRef: 0 (also assumed
// where it is missing, as the standard has it) and 2 above, 1 and 3 below.
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
	if err == nil && ok && math.Abs(v[0]) > maxAltitude {
		err = fmt.Errorf("altitude %g m", v[0])
	}
	if err != nil {
		r.faultTag(dirGPS, tagAlt, err)
	}
	if err != nil || !ok {
		return nil
	}
	if ref%2 == 1 {
		v[0] = 0 - v[0]
	}
	return &v[0]
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
