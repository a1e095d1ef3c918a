package exif

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/rwcarlsen/goexif/tiff"
)

// reader reads the values of the wanted tags out of a decoded block.
type reader struct {
	dirs  []*tiff.Dir
	fault func(part string, err error)
	clock gpsClock
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
	src = f.source(dirs)
	f.apple(scan.note, &src)
	return src
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
	r.clock = r.gpsTime()
	src.orientation = r.orientation()
	src.camera = Camera{Make: cleanName(r.text(dirMain, tagMake)), Model: cleanName(r.text(dirMain, tagModel)),
		Serial: cleanName(r.text(dirExif, tagBodySerial))}
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
	for _, t := range []Time{src.original, src.digitized} {
		if err := r.clock.unroll(t.Wall); err != nil {
			r.faultTag(dirGPS, tagGPSDate, err)
		}
	}
	src.fix = r.clock.at()
	var fallback Time // an OffsetTime whose DateTime is missing
	if src.modified.IsZero() {
		if d, known := offset(tagOffset); known {
			fallback = Time{Offset: d, Zone: ZoneOffset}
		}
	}
	src.original.inferZone(r.clock, src.digitized, src.modified, fallback)
	src.digitized.inferZone(r.clock, src.original, src.modified, fallback)
}
