package exif

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"time"
)

// Limits of one photo file. Real files stay far below them.
const (
	maxBlocks = 4       // EXIF blocks, and XMP packets, looked at in one file
	maxFaults = 16      // faults reported for one file
	maxBlock  = 4 << 20 // bytes to decompress in one file, or to join for one item
)

// Error is a fault in the metadata of a photo file or of its sidecar. What could
// be read beside it is returned with it, so that a caller may treat it as a warning.
type Error struct {
	Container string // "jpeg", "png", "webp", "tiff", "heif", "raf", "cr3" or "xmp"
	Part      string // where: a segment, box, directory, tag or property
	Err       error
}

func (e *Error) Error() string {
	return fmt.Sprintf("exif: %s: %s: %v", e.Container, e.Part, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

var (
	errCut      = errors.New("cut short")
	errTooLarge = errors.New("larger than its limit")
)

// Decode reads the metadata of a photo. The argument is the whole file; its
// container is found from its content, never from a name: JPEG, PNG, WebP,
// TIFF and the RAW formats that are TIFF inside (DNG, NEF, CR2, ARW, PEF, SRW,
// ORF, RW2), HEIF (HEIC, AVIF), and the RAW formats RAF, whose metadata is that
// of the JPEG in it, and CR3. Decode keeps no part of data.
//
// A file without metadata, and a file of another kind, gives the zero Meta and
// no error. Where metadata is broken, Decode returns what could be read and
// one or several *Error (joined; errors.As finds the first).
//
// EXIF comes first. An XMP packet fills in only what the EXIF block does not
// say. The time is the first readable one of EXIF DateTimeOriginal and
// DateTimeDigitized; XMP exif:DateTimeOriginal, photoshop:DateCreated,
// exif:DateTimeDigitized and xmp:CreateDate; and last EXIF DateTime, which is
// only when the file was last changed; Meta.TakenFrom says which. A date
// without a time of day is no time. Of maker notes, only the two ids in
// Apple's are read.
//
// The zone of an EXIF time is that of its own OffsetTime tag, or of the
// OffsetTime tag of another time with the same reading, or what follows from
// the GPS time stamp. OffsetTime itself belongs to DateTime, so that an
// editor's zone is not taken for the camera's. The zone of an XMP time is the
// one written with it, or what follows from XMP's GPS time stamp.
//
// A GPS time stamp that is 1024 or 2048 weeks before the camera's clock, to
// the minute and but for a zone, is one of a receiver whose week number has
// begun again: its date is corrected. Without its date it is no Fix, and
// gives the zone where only one day is possible.
//
// A position needs the letters of its half of the world. They count, and not
// a sign in the numbers. Latitude and longitude that are evidently swapped
// are put right. At 0 N 0 E, and within 11 m of it without a fix, there is no
// position. One of the Tokyo datum is converted to WGS 84. What was put right
// and what is contradictory is returned with an *Error.
//
// For HEIF, Meta.Orientation is 1 where there is one, whatever EXIF and XMP
// say: the image's own irot and imir properties turn it (ISO/IEC 23008-12,
// 6.5.10 and 6.5.12), a HEIF decoder applies these, and whoever turned its
// result again by EXIF, which repeats them or is left over, would turn it
// twice. For a RAW file it is that of the sensor's picture, and by rule of the
// JPEG beside it.
//
// Decode allocates no more than a small multiple of the metadata: lengths in
// the file are checked against the bytes at hand, and at most 4 MiB are
// decompressed for a file or joined for an item.
func Decode(data []byte) (Meta, error) {
	f := open(data)
	m := f.meta()
	if f.container == "heif" {
		m.Orientation = min(m.Orientation, upright)
	}
	return m, f.err()
}

// open finds the metadata blocks in the container of a photo file.
func open(data []byte) *file {
	f := &file{data: data}
	switch {
	case bytes.HasPrefix(data, []byte{0xff, mSOI, 0xff}):
		f.container = "jpeg"
		f.jpeg()
	case bytes.HasPrefix(data, []byte(pngSignature)):
		f.container = "png"
		f.png()
	case len(data) >= 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP":
		f.container = "webp"
		f.webp()
	case bytes.HasPrefix(data, []byte(rafMagic)):
		f.container = "raf"
		f.raf()
	case len(data) >= 12 && string(data[4:12]) == "ftypcrx ":
		f.container = "cr3"
		f.cr3()
	case len(data) >= 12 && string(data[4:8]) == "ftyp":
		f.container = "heif"
		f.heif()
	case isTIFF(data):
		f.container = "tiff"
		f.tiffs = [][]byte{data}
	}
	return f
}

// file is one photo on its way through Decode or ReadRegions: the metadata
// blocks found in its container, and what was wrong.
type file struct {
	data      []byte
	container string
	tiffs     [][]byte         // EXIF blocks, from their TIFF header on
	xmps      [][]byte         // XMP packets
	extended  []extendedXMP    // in JPEG files: what a packet had no room for
	split     [dirCount][]byte // directories in TIFF blocks of their own
	embedded  []byte           // the JPEG in the TIFF block read last
	faults    []error
}

func (f *file) fault(part string, err error) {
	if len(f.faults) < maxFaults {
		f.faults = append(f.faults, &Error{Container: f.container, Part: part, Err: err})
	}
}

func (f *file) err() error {
	if len(f.faults) == 1 {
		return f.faults[0]
	}
	return errors.Join(f.faults...)
}

// addExif takes an EXIF block, which may begin with "Exif\0\0" or directly
// with its TIFF header, and reports whether it has such a header.
func (f *file) addExif(b []byte) bool {
	if len(b) >= 6 && string(b[:5]) == "Exif\x00" {
		b = b[6:] // the sixth byte is 0 by the book and 0xff in some files
	}
	if !isTIFF(b) {
		return false
	}
	if len(f.tiffs) < maxBlocks {
		f.tiffs = append(f.tiffs, b)
	}
	return true
}

func (f *file) addXMP(b []byte) {
	if len(f.xmps) < maxBlocks {
		f.xmps = append(f.xmps, b)
	}
}

// meta reads the blocks found and joins them.
func (f *file) meta() Meta {
	var ex source
	if f.container == "cr3" {
		ex = f.readSplit()
	}
	for _, block := range f.tiffs {
		// One block is the rule. With several, the first that says anything
		// is the file's own: later ones are left over from embedded images.
		if ex = f.readTIFF(block); !ex.empty() {
			break
		}
	}
	if f.embedded != nil && ex.incomplete() {
		ex.fill(f.readEmbedded())
	}
	var xm source
	incomplete := ex.incomplete()
	for _, packet := range f.xmps {
		if incomplete || addsToEXIF(packet) {
			xm.fill(f.readXMP(packet))
		}
	}
	all := ex // with the times of ex beside those of xm
	all.fill(xm)
	m := Meta{Orientation: all.orientation, GPS: all.gps, Camera: all.camera,
		Fix: all.fix, Burst: all.burst, Video: all.video}
	for _, c := range []struct {
		at   Time
		from TimeSource
	}{
		{ex.original, TimeOriginal}, {ex.digitized, TimeDigitized},
		{xm.original, TimeXMP}, {xm.digitized, TimeXMP}, {ex.modified, TimeModified},
	} {
		if !c.at.IsZero() {
			m.Taken, m.TakenFrom = c.at, c.from
			break
		}
	}
	if ex.fix.IsZero() && (m.TakenFrom == TimeOriginal || m.TakenFrom == TimeDigitized) {
		m.Taken.inferZone(stampOf(xm.fix)) // of a program that added the position
	}
	return m
}

// source is what one block says.
type source struct {
	orientation                   int
	original, digitized, modified Time
	fix                           time.Time
	gps                           *GPS
	camera                        Camera
	burst, video                  string
}

func (s source) empty() bool { return s == source{} }

// incomplete reports whether what most packets repeat is missing; see addsToEXIF.
func (s source) incomplete() bool {
	return s.orientation == 0 || s.gps == nil || !s.camera.named() ||
		s.original.IsZero() && s.digitized.IsZero()
}

// fill takes from t what s lacks.
func (s *source) fill(t source) {
	if s.orientation == 0 {
		s.orientation = t.orientation
	}
	if s.original.IsZero() {
		s.original = t.original
	}
	if s.digitized.IsZero() {
		s.digitized = t.digitized
	}
	if s.modified.IsZero() {
		s.modified = t.modified
	}
	if s.fix.IsZero() {
		s.fix = t.fix
	}
	switch {
	case s.gps == nil:
		s.gps = t.gps
	case s.gps.Accuracy == 0 && t.gps != nil && samePlace(*s.gps, *t.gps):
		s.gps.Accuracy = t.gps.Accuracy // it is that of this place only
	}
	s.camera.fill(t.camera)
	if s.burst == "" {
		s.burst = t.burst
	}
	if s.video == "" {
		s.video = t.video
	}
}

// samePlace allows for rounding, of about a metre.
func samePlace(a, b GPS) bool {
	return math.Abs(a.Lat-b.Lat) < 1e-5 && math.Abs(a.Lon-b.Lon) < 1e-5
}
