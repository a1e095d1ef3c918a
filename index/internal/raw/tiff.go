package raw

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
)

// Tags of TIFF 6.0, TIFF/EP (ISO 12234-2), EXIF (CIPA DC-008) and DNG, and of
// Panasonic's IFD0, which gives the low numbers a meaning of its own.
const (
	tagSensorWidth  = 0x0002 // Panasonic
	tagSensorHeight = 0x0003 // Panasonic
	tagJpgFromRaw   = 0x002e // Panasonic
	tagJpgFromRaw2  = 0x0127 // Panasonic
	tagSubfileType  = 0x00fe
	tagWidth        = 0x0100
	tagHeight       = 0x0101
	tagCompression  = 0x0103
	tagPhotometric  = 0x0106
	tagMake         = 0x010f
	tagStripOffset  = 0x0111
	tagStripLength  = 0x0117
	tagTileOffset   = 0x0144
	tagTileLength   = 0x0145
	tagSubIFDs      = 0x014a
	tagJPEGOffset   = 0x0201
	tagJPEGLength   = 0x0202
	tagExifIFD      = 0x8769
	tagMakerNote    = 0x927c
	tagDNGVersion   = 0xc612
)

const (
	photometricTransparency = 4
	photometricCFA          = 32803 // colour filter array (TIFF/EP)
	photometricLinear       = 34892 // LinearRaw (DNG)
	photometricDepth        = 51177 // DNG 1.5
	photometricMask         = 52527 // PhotometricMask, DNG 1.6

	none = 1 << 32 // instead of a missing photometric interpretation or compression
)

// makers gives the format of a TIFF/EP file by the start of its Make, in
// lower case.
func makers() [][2]string {
	return [][2]string{
		{"nikon", "NEF"},
		{"sony", "ARW"},
		{"pentax", "PEF"},
		{"asahi", "PEF"},
		{"ricoh", "PEF"},
		{"samsung", "SRW"},
		{"hasselblad", "3FR"},
		{"seiko epson", "ERF"},
		{"mamiya", "MEF"},
		{"leaf", "MOS"},
		{"phase one", "IIQ"},
		{"eastman kodak", "DCR"},
		{"kodak", "DCR"},
	}
}

// walk is the way through the directories of a TIFF file.
type walk struct {
	*finder
	file view
	cr2  bool
	seen [maxDirs]uint64 // offsets of the directories met
	n    int
	raw  bool // a directory holds the sensor's data
	full bool // a directory below IFD0 holds the full picture
	area uint64
}

// tiff looks through a TIFF file, or one with the header of ORF or RW2, and
// names its RAW format: "" for none.
func (f *finder) tiff() string {
	if len(f.data) < 16 {
		return ""
	}
	w := walk{finder: f, file: view{data: f.data, order: binary.LittleEndian}}
	format := ""
	switch string(f.data[:4]) {
	case "II*\x00":
		if f.data[8] == 'C' && f.data[9] == 'R' && f.data[10] == 2 {
			w.cr2, format = true, "CR2"
		}
	case "MM\x00*":
		w.file.order = binary.BigEndian
	case "IIRO", "IIRS":
		format = "ORF"
	case "MMOR":
		w.file.order, format = binary.BigEndian, "ORF"
	case "IIU\x00":
		format = "RW2"
	default:
		return ""
	}
	first := uint64(w.file.order.Uint32(f.data[4:]))
	for off := first; off != 0; {
		d, next, ok := w.enter(off)
		if !ok {
			break
		}
		w.visit(d, 0)
		off = next
	}
	main, _, ok := w.file.dir(first)
	if !ok {
		return format // RW2, ORF and CR2 say by their header what they are
	}
	if format == "" {
		if format = w.isRAW(main); format == "" {
			return ""
		}
	}
	switch format {
	case "RW2":
		for _, tag := range []uint16{tagJpgFromRaw, tagJpgFromRaw2} {
			if e := main.entry(tag); e != nil {
				w.at(uint64(w.file.order.Uint32(e[8:])), uint64(w.file.order.Uint32(e[4:])))
			}
		}
		w.sensor(main.first(tagSensorWidth, 0), main.first(tagSensorHeight, 0))
	case "ORF":
		w.sensor(main.first(tagWidth, 0), main.first(tagHeight, 0))
	}
	w.makerNote(main)
	return format
}

// isRAW names the format of a file with a plain TIFF header. Scanners and
// editors write Make as well, and TIFF with small pictures beside the main
// one; what they do not write is a colour filter array or linear sensor data,
// or, by a known maker, a small IFD0 above the full picture: there are such
// files with the sensor's data already interpolated (sNEF, compressed ARW).
func (w *walk) isRAW(main dir) string {
	if main.has(tagDNGVersion) {
		return "DNG"
	}
	name, _ := main.value(tagMake)
	maker := strings.ToLower(string(name[:min(len(name), 32)]))
	known := w.raw || w.full && main.first(tagSubfileType, 0)&1 == 1
	for _, m := range makers() {
		if known && strings.HasPrefix(maker, m[0]) {
			return m[1]
		}
	}
	if w.raw {
		return "TIFF/EP"
	}
	return ""
}

// enter reads a directory that was not met before.
func (w *walk) enter(offset uint64) (d dir, next uint64, ok bool) {
	if w.n == maxDirs || slices.Contains(w.seen[:w.n], offset) {
		return dir{}, 0, false
	}
	w.seen[w.n] = offset
	w.n++
	return w.file.dir(offset)
}

// visit takes the pictures of a directory and of those below it.
func (w *walk) visit(d dir, depth int) {
	w.picture(d, depth)
	if depth == maxDepth {
		return
	}
	for i := range maxSubDirs {
		off, ok := d.number(tagSubIFDs, i)
		if !ok {
			return
		}
		if sub, _, ok := w.enter(off); ok {
			w.visit(sub, depth+1)
		}
	}
}

// picture looks at what a directory holds: the sensor's data, or a JPEG.
func (w *walk) picture(d dir, depth int) {
	subfile := d.first(tagSubfileType, 0)
	photometric := d.first(tagPhotometric, none)
	compression := d.first(tagCompression, none)
	w.full = w.full || depth > 0 && d.has(tagSubfileType) && subfile == 0
	switch photometric {
	case photometricCFA, photometricLinear:
		w.raw = true
		w.sensor(d.first(tagWidth, 0), d.first(tagHeight, 0))
		return
	case photometricTransparency, photometricDepth, photometricMask:
		return
	}
	switch compression {
	case 32767, 34713, 65535: // Sony, Nikon, Pentax: sensor data only
		w.raw = true
		w.sensor(d.first(tagWidth, 0), d.first(tagHeight, 0))
		return
	}
	// Bit 0 is a smaller version and bit 16 an alternative one (DNG); masks,
	// depth maps and enhanced sensor data have other bits.
	if subfile&^0x10001 != 0 {
		return
	}
	if off, ok := d.number(tagJPEGOffset, 0); ok {
		w.at(d.base+off, d.first(tagJPEGLength, 0))
	}
	if compression != 6 && compression != 7 && (compression != none || !w.cr2) {
		return // old and new JPEG, TIFF 6.0 and its second supplement
	}
	// Several strips or tiles are several JPEGs.
	for _, t := range [][2]uint16{{tagStripOffset, tagStripLength}, {tagTileOffset, tagTileLength}} {
		off, ok := d.one(t[0])
		if n, ok2 := d.one(t[1]); ok && ok2 {
			w.at(d.base+off, n)
		}
	}
}

// sensor notes how the largest sensor picture lies.
func (w *walk) sensor(width, height uint64) {
	if max(width, height) <= 1<<20 && width*height > w.area {
		w.area = width * height
		w.sides = cmp.Compare(width, height)
	}
}

// makerNote looks for the previews that a maker keeps there. Its directory
// stands behind a mark; its offsets count from the mark, from a TIFF header
// behind it, or, in older cameras, from the start of the file.
func (w *walk) makerNote(main dir) {
	exif, _, ok := w.file.dir(main.first(tagExifIFD, 0))
	if !ok {
		return
	}
	note, at := exif.value(tagMakerNote)
	if len(note) < 32 {
		return
	}
	mark := func(s string) bool { return bytes.HasPrefix(note, []byte(s)) }
	inside := func(start, order int) view { // offsets count from note[start]
		base := at + uint64(start)
		return view{w.data[base:], base, byteOrder(note[order:], w.file.order)}
	}
	switch {
	case mark("Nikon\x00\x02"):
		v := inside(10, 10)
		if d, _, ok := v.dir(uint64(v.order.Uint32(v.data[4:]))); ok {
			w.sub(d, 0x0011, tagJPEGOffset, tagJPEGLength)
		}
	case mark("OLYMPUS\x00"):
		w.olympus(inside(0, 8), 12)
	case mark("OM SYSTEM\x00"):
		w.olympus(inside(0, 12), 16)
	case mark("OLYMP\x00"):
		w.olympus(w.file, at+8)
	case mark("AOC\x00"):
		v := w.file
		v.order = byteOrder(note[4:], v.order)
		w.pair(v, at+6, 0x0004, 0x0003)
	case mark("PENTAX \x00"):
		w.pair(inside(0, 8), 10, 0x0004, 0x0003)
	}
}

// olympus reads the maker note's directory and its camera settings. Whether
// the settings are given by their offset or as a value, that offset stands in
// the same place of the entry.
func (w *walk) olympus(v view, offset uint64) {
	d, _, ok := v.dir(offset)
	if !ok {
		return
	}
	w.pair(v, offset, 0x1036, 0x1037) // older cameras
	w.sub(d, 0x2020, 0x0101, 0x0102)
}

// sub offers the JPEG of the directory to which a tag of d leads.
func (w *walk) sub(d dir, tag, start, length uint16) {
	if e := d.entry(tag); e != nil {
		w.pair(d.view, uint64(d.order.Uint32(e[8:])), start, length)
	}
}

// pair offers the JPEG whose start and length two tags of the directory at an
// offset give.
func (w *walk) pair(v view, offset uint64, start, length uint16) {
	d, _, ok := v.dir(offset)
	if !ok {
		return
	}
	if off, ok := d.number(start, 0); ok && off != 0 {
		w.at(d.base+off, d.first(length, 0))
	}
}

// byteOrder reads the mark II or MM; some cameras leave it blank.
func byteOrder(b []byte, otherwise binary.ByteOrder) binary.ByteOrder {
	switch string(b[:2]) {
	case "II":
		return binary.LittleEndian
	case "MM":
		return binary.BigEndian
	}
	return otherwise
}
