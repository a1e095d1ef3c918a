package exif

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
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
// only when the file was last changed. A date without a time of day is no
// time. Times and positions inside maker notes are not read.
//
// The zone of an EXIF time is that of its own OffsetTime tag, or of the
// OffsetTime tag of another time with the same reading, or what follows from
// the GPS time stamp. OffsetTime itself belongs to DateTime, so that an
// editor's zone is not taken for the camera's. The zone of an XMP time is the
// one written with it.
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
	if ex.incomplete() {
		for _, packet := range f.xmps {
			xm.fill(f.readXMP(packet))
		}
	}
	m := Meta{Orientation: ex.orientation, GPS: ex.gps, Camera: ex.camera}
	if m.Orientation == 0 {
		m.Orientation = xm.orientation
	}
	if m.GPS == nil {
		m.GPS = xm.gps
	}
	if m.Camera == (Camera{}) {
		m.Camera = xm.camera // not field by field: a maker and a model belong together
	}
	times := []Time{ex.original, ex.digitized, xm.original, xm.digitized, ex.modified}
	if i := slices.IndexFunc(times, func(t Time) bool { return !t.IsZero() }); i >= 0 {
		m.Taken = times[i]
	}
	return m
}

// source is what one block says.
type source struct {
	orientation                   int
	original, digitized, modified Time
	gps                           *GPS
	camera                        Camera
}

func (s source) empty() bool { return s == source{} }

// incomplete reports whether an XMP packet could add anything.
func (s source) incomplete() bool {
	return s.orientation == 0 || s.gps == nil || s.camera == Camera{} ||
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
	if s.gps == nil {
		s.gps = t.gps
	}
	if s.camera == (Camera{}) {
		s.camera = t.camera
	}
}
