package exif

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/rwcarlsen/goexif/tiff"
)

// The EXIF block is a TIFF file, and its values are decoded by goexif. That
// package is not maintained, and it trusts what it reads: it multiplies count
// and size in 32 bits, follows directories that lead back to each other
// without end, refuses the whole block for one bad tag, and panics on some
// values. So it is fenced: this file walks the directories first, checks
// every length, and copies the sound entries of the few tags kith needs into
// a small new TIFF block; goexif sees only that one.

// Limits of a TIFF block. Every wanted value is a short string or a handful
// of numbers; an XMP packet (tag 0x02bc) has its own limit, maxXMP.
const (
	maxEntries = 1024 // of one directory
	maxValue   = 1024 // bytes
)

var (
	errNotTIFF = errors.New("no TIFF header")
	errBigTIFF = errors.New("BigTIFF is not read")
)

// The directories that are read, in the order in which compact writes them.
const (
	dirMain = iota // IFD0
	dirExif
	dirGPS
	dirCount
)

// Tags of TIFF 6.0 and CIPA DC-008 (EXIF 3.0).
const (
	tagMake        = 0x010f
	tagModel       = 0x0110
	tagOrientation = 0x0112
	tagModified    = 0x0132
	tagXMP         = 0x02bc
	tagJpgFromRaw  = 0x002e // Panasonic RAW
	tagExifIFD     = 0x8769
	tagGPSIFD      = 0x8825

	tagOriginal        = 0x9003
	tagDigitized       = 0x9004
	tagOffset          = 0x9010
	tagOffsetOriginal  = 0x9011
	tagOffsetDigitized = 0x9012
	tagSubSec          = 0x9290
	tagSubSecOriginal  = 0x9291
	tagSubSecDigitized = 0x9292

	tagMakerNote  = 0x927c
	tagBodySerial = 0xa431

	tagLatRef    = 0x0001
	tagLat       = 0x0002
	tagLonRef    = 0x0003
	tagLon       = 0x0004
	tagAltRef    = 0x0005
	tagAlt       = 0x0006
	tagGPSTime   = 0x0007
	tagGPSStatus = 0x0009
	tagDatum     = 0x0012
	tagGPSDate   = 0x001d
	tagAccuracy  = 0x001f // GPSHPositioningError
)

// wanted reports whether kith needs the tag of this directory. IFD0 may hold
// EXIF's time tags itself: TIFF/EP, on which DNG and NEF are built, puts
// DateTimeOriginal there.
func wanted(dir int, tag uint16) bool {
	if dir == dirGPS {
		switch tag {
		case tagGPSStatus, tagDatum, tagGPSDate, tagAccuracy:
			return true
		}
		return tag >= tagLatRef && tag <= tagGPSTime
	}
	switch tag {
	case tagBodySerial:
		return dir == dirExif
	case tagMake, tagModel, tagOrientation, tagModified:
		return dir == dirMain
	case tagOriginal, tagDigitized, tagOffset, tagOffsetOriginal, tagOffsetDigitized,
		tagSubSec, tagSubSecOriginal, tagSubSecDigitized:
		return true
	}
	return false
}

// Field types (TIFF 6.0, section 2, and its first supplement; 129 is EXIF 3.0).
const (
	typeByte  = 1
	typeASCII = 2
	typeShort = 3
	typeLong  = 4
	typeUndef = 7
	typeIFD   = 13
	typeUTF8  = 129
)

// typeSize is the size in bytes of one value of a field type, 0 for none.
func typeSize(t uint16) uint64 {
	switch t {
	case typeByte, typeASCII, 6, typeUndef, typeUTF8:
		return 1
	case typeShort, 8:
		return 2
	case typeLong, 9, 11, typeIFD:
		return 4
	case 5, 10, 12:
		return 8
	}
	return 0
}

// byteOrder is what both orders of encoding/binary are.
type byteOrder interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

// isTIFF reports whether b begins with a TIFF header: the byte order and 42,
// or what stands in its place in BigTIFF, ORF and RW2 files.
func isTIFF(b []byte) bool {
	if len(b) < 8 {
		return false
	}
	switch string(b[:4]) {
	case "II*\x00", "MM\x00*", "II+\x00", "MM\x00+", "IIRO", "IIRS", "MMOR", "IIU\x00":
		return true
	}
	return false
}

// entry is a checked directory entry. The value lies in the scanned block.
type entry struct {
	tag, typ uint16
	count    uint32
	value    []byte
}

// tiffScan is the walk over the directories of one TIFF block.
type tiffScan struct {
	data    []byte
	order   byteOrder
	dirs    [dirCount][]entry
	offsets [dirCount]uint32 // 0: none
	xmp     []byte
	jpeg    []byte // in a Panasonic RAW file
	note    []byte // the maker note
	fault   func(part string, err error)
}

func dirName(dir int) string {
	return [dirCount]string{"IFD0", "Exif IFD", "GPS IFD"}[dir]
}

// scanTIFF walks the first directory of a block, and the two directories to
// which it points if it is IFD0. Each is read once, so that no loop is
// possible. The first directory is root: IFD0, or another one in CR3.
func scanTIFF(data []byte, root int, fault func(part string, err error)) *tiffScan {
	s := &tiffScan{data: data, order: binary.LittleEndian, fault: fault}
	if data[0] == 'M' {
		s.order = binary.BigEndian
	}
	if s.order.Uint16(data[2:]) == 43 {
		fault("header", errBigTIFF)
		return s
	}
	s.offsets[root] = s.order.Uint32(data[4:])
	s.dir(root)
	for _, dir := range []int{dirExif, dirGPS} {
		off := s.offsets[dir]
		if off == 0 || dir == root {
			continue
		}
		if slices.Contains(s.offsets[:dir], off) {
			fault(dirName(dir), errors.New("is a directory already read"))
			continue
		}
		s.dir(dir)
	}
	return s
}

func (s *tiffScan) dir(dir int) {
	off := uint64(s.offsets[dir])
	if off < 8 || off+2 > uint64(len(s.data)) {
		s.fault(dirName(dir), fmt.Errorf("offset %d in a block of %d bytes", off, len(s.data)))
		return
	}
	n := int(s.order.Uint16(s.data[off:]))
	raw := s.data[off+2:]
	if n > len(raw)/12 || n > maxEntries {
		s.fault(dirName(dir), fmt.Errorf("%d entries announced: %w", n, errCut))
		n = min(n, len(raw)/12, maxEntries)
	}
	for i := range n {
		s.entry(dir, raw[12*i:12*i+12])
	}
}

// entry checks one directory entry of 12 bytes and keeps it where it is wanted.
func (s *tiffScan) entry(dir int, raw []byte) {
	e := entry{tag: s.order.Uint16(raw), typ: s.order.Uint16(raw[2:]), count: s.order.Uint32(raw[4:])}
	limit := uint64(maxValue)
	pointer := dir == dirMain && (e.tag == tagExifIFD || e.tag == tagGPSIFD)
	packet := dir == dirMain && e.tag == tagXMP
	jpeg := dir == dirMain && e.tag == tagJpgFromRaw && s.data[2] == 'U'
	note := dir == dirExif && e.tag == tagMakerNote
	switch {
	case packet:
		limit = maxXMP
	case jpeg, note:
		limit = uint64(len(s.data)) // it is not copied
	}
	if !pointer && !packet && !jpeg && !note && !wanted(dir, e.tag) || e.count == 0 {
		return // count 0 is how some software writes an empty string
	}
	size := typeSize(e.typ)
	total := size * uint64(e.count) // below 2^35: no overflow
	err := error(nil)
	switch {
	case size == 0:
		err = fmt.Errorf("unknown type %d", e.typ)
	case total > limit:
		err = fmt.Errorf("%d bytes: %w", total, errTooLarge)
	case total <= 4:
		e.value = raw[8 : 8+total]
	default:
		off := uint64(s.order.Uint32(raw[8:]))
		if off+total > uint64(len(s.data)) {
			err = fmt.Errorf("%d bytes at offset %d of %d: %w", total, off, len(s.data), errCut)
			break
		}
		e.value = s.data[off : off+total]
	}
	if err == nil && pointer && (e.typ != typeLong && e.typ != typeIFD || e.count != 1) {
		err = fmt.Errorf("type %d and count %d for an offset", e.typ, e.count)
	}
	if err != nil {
		if !note { // nothing can be said of those that are not read
			s.fault(fmt.Sprintf("%s tag 0x%04x", dirName(dir), e.tag), err)
		}
		return
	}
	switch {
	case packet:
		s.xmp = e.value
	case jpeg:
		s.jpeg = e.value
	case note:
		s.note = e.value
	case pointer && e.tag == tagExifIFD:
		s.offsets[dirExif] = s.order.Uint32(e.value)
	case pointer:
		s.offsets[dirGPS] = s.order.Uint32(e.value)
	default:
		s.keep(dir, e)
	}
}

// keep adds an entry to its directory. Of a tag that stands there twice the
// last counts, as with exiftool, unless it is empty.
func (s *tiffScan) keep(dir int, e entry) {
	switch e.typ { // goexif knows neither, and refuses the whole block for them
	case typeUTF8:
		e.typ = typeASCII // which it reads byte by byte
	case typeIFD:
		e.typ = typeLong
	}
	i := slices.IndexFunc(s.dirs[dir], func(o entry) bool { return o.tag == e.tag })
	switch {
	case i < 0:
		s.dirs[dir] = append(s.dirs[dir], e)
	case len(bytes.Trim(e.value, "\x00 ")) > 0:
		s.dirs[dir][i] = e
	}
}

// decode gives the kept entries to goexif.
func (s *tiffScan) decode() ([]*tiff.Dir, error) {
	t, err := tiff.Decode(bytes.NewReader(s.compact()))
	if err != nil {
		return nil, err
	}
	if len(t.Dirs) != dirCount {
		return nil, fmt.Errorf("%d of %d directories", len(t.Dirs), dirCount)
	}
	return t.Dirs, nil
}

// compact writes the kept entries as a TIFF block of its own, in the byte
// order of the original: the three directories in a row, each the next of
// the one before, and the values behind them.
func (s *tiffScan) compact() []byte {
	head := 8
	for _, d := range s.dirs {
		head += 2 + 12*len(d) + 4
	}
	out := make([]byte, 0, 2*head)
	if s.order == byteOrder(binary.BigEndian) {
		out = append(out, "MM"...)
	} else {
		out = append(out, "II"...)
	}
	out = s.order.AppendUint16(out, 42)
	out = s.order.AppendUint32(out, 8)
	var values []byte
	for i, d := range s.dirs {
		out = s.order.AppendUint16(out, uint16(len(d)))
		for _, e := range d {
			out = s.order.AppendUint16(out, e.tag)
			out = s.order.AppendUint16(out, e.typ)
			out = s.order.AppendUint32(out, e.count)
			if len(e.value) <= 4 {
				out = append(out, e.value...)
				out = append(out, make([]byte, 4-len(e.value))...)
				continue
			}
			out = s.order.AppendUint32(out, uint32(head+len(values)))
			values = append(values, e.value...)
		}
		next := uint32(0)
		if i < dirCount-1 {
			next = uint32(len(out) + 4)
		}
		out = s.order.AppendUint32(out, next)
	}
	return append(out, values...)
}
