package raw

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
)

// The writers below build RAW files byte by byte, with the JPEG's headers for
// a picture: nothing in them was a photo.

var le, be = binary.LittleEndian, binary.BigEndian

// head is the JPEG of a frame of the given kind (0xc0 + n for SOFn) up to its
// image data, of which there are two bytes.
func head(sof byte, width, height int) []byte {
	out := []byte{0xff, 0xd8, 0xff, 0xdb, 0, 67, 0}
	out = append(out, bytes.Repeat([]byte{16}, 64)...)
	out = append(out, 0xff, sof, 0, 17, 8)
	out = be.AppendUint16(out, uint16(height))
	out = be.AppendUint16(out, uint16(width))
	out = append(out, 3, 1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0)
	out = append(out, 0xff, 0xda, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 63, 0)
	return append(out, 0x12, 0x34, 0xff, 0xd9)
}

func photo(width, height int) []byte { return head(0xc0, width, height) }

// field is a directory entry; a value of more than four bytes is written
// behind the directory.
type field struct {
	tag, typ uint16
	count    uint32
	value    []byte
}

// tiffFile is written from its end to its start: what an offset leads to is
// there before the directory with the offset.
type tiffFile struct {
	order interface {
		binary.ByteOrder
		binary.AppendByteOrder
	}
	out []byte
}

// newTIFF begins with the 16 bytes that CR2 has before its first directory.
func newTIFF(magic string) *tiffFile {
	t := &tiffFile{order: le, out: append([]byte(magic), make([]byte, 12)...)}
	if magic[0] == 'M' {
		t.order = be
	}
	return t
}

func (t *tiffFile) long(tag uint16, v ...uint32) field {
	var b []byte
	for _, n := range v {
		b = t.order.AppendUint32(b, n)
	}
	return field{tag, typeLong, uint32(len(v)), b}
}

func (t *tiffFile) short(tag uint16, v ...uint16) field {
	var b []byte
	for _, n := range v {
		b = t.order.AppendUint16(b, n)
	}
	return field{tag, typeShort, uint32(len(v)), b}
}

func (t *tiffFile) text(tag uint16, s string) field {
	return field{tag, 2, uint32(len(s) + 1), append([]byte(s), 0)}
}

func (t *tiffFile) bytes(tag uint16, b []byte) field { return field{tag, 7, uint32(len(b)), b} }

// put appends data at an even offset and returns that.
func (t *tiffFile) put(data []byte) uint32 {
	if len(t.out)%2 == 1 {
		t.out = append(t.out, 0)
	}
	at := len(t.out)
	t.out = append(t.out, data...)
	return uint32(at)
}

// dir appends a directory and returns its offset.
func (t *tiffFile) dir(next uint32, fields ...field) uint32 {
	slices.SortFunc(fields, func(a, b field) int { return cmp.Compare(a.tag, b.tag) })
	at := t.put(nil)
	behind := at + 2 + 12*uint32(len(fields)) + 4
	t.out = t.order.AppendUint16(t.out, uint16(len(fields)))
	var values []byte
	for _, f := range fields {
		t.out = t.order.AppendUint16(t.out, f.tag)
		t.out = t.order.AppendUint16(t.out, f.typ)
		t.out = t.order.AppendUint32(t.out, f.count)
		if len(f.value) <= 4 {
			t.out = append(t.out, append(bytes.Clone(f.value), 0, 0, 0, 0)[:4]...)
			continue
		}
		if len(values)%2 == 1 {
			values = append(values, 0)
		}
		t.out = t.order.AppendUint32(t.out, behind+uint32(len(values)))
		values = append(values, f.value...)
	}
	t.out = t.order.AppendUint32(t.out, next)
	t.out = append(t.out, values...)
	return at
}

// file sets the first directory.
func (t *tiffFile) file(first uint32) []byte {
	t.order.PutUint32(t.out[4:], first)
	return t.out
}

// strip is a picture in one strip; jpeg the tags of one with JPEG's own.
func (t *tiffFile) strip(data []byte) []field {
	return []field{t.long(tagStripOffset, t.put(data)), t.long(tagStripLength, uint32(len(data)))}
}

func (t *tiffFile) jpeg(data []byte) []field {
	return []field{t.long(tagJPEGOffset, t.put(data)), t.long(tagJPEGLength, uint32(len(data)))}
}

// picture is the tags that say what a picture is.
func (t *tiffFile) picture(subfile uint32, compression, photometric uint16, width, height uint32) []field {
	return []field{t.long(tagSubfileType, subfile), t.short(tagCompression, compression), t.short(tagPhotometric, photometric),
		t.long(tagWidth, width), t.long(tagHeight, height), t.short(0x0102, 8), t.short(0x0115, 1)}
}

// cfa is a directory with sensor data: lossless JPEG, as DNG and CR2 have it.
func (t *tiffFile) cfa(compression uint16) uint32 {
	return t.dir(0, slices.Concat(t.picture(0, compression, photometricCFA, 4000, 3000), t.strip(head(0xc3, 4000, 3000)))...)
}

// camera is the tags of IFD0 that name the camera and hold the note. The
// note is told where it stands in the file, and the JPEG follows it.
func (t *tiffFile) camera(maker string, note func(at, jpeg uint32) []byte, jpeg []byte) []field {
	main := []field{t.text(tagMake, maker), t.text(0x0110, "Camera One"), t.short(0x0112, 6)}
	if note == nil {
		return append(main, t.long(tagExifIFD, t.dir(0, t.text(0x9003, "2023:06:05 04:03:02"))))
	}
	at := uint32(len(t.out)+1) &^ 1
	at += 2 + 12*2 + 4 + 20 // behind the EXIF directory and the time
	n := uint32(len(note(at, 0)))
	body := note(at, at+n)
	exif := t.dir(0, t.text(0x9003, "2023:06:05 04:03:02"), t.bytes(tagMakerNote, body))
	t.out = append(t.out, jpeg...)
	return append(main, t.long(tagExifIFD, exif))
}

// note is a maker note: a mark and a directory behind it, whose offsets count
// from base.
func note(mark string, order string, base uint32, fields func(t *tiffFile) uint32) []byte {
	t := newTIFF(order + "*\x00")
	if t.order == be {
		t.out[2], t.out[3] = 0, '*'
	}
	// The directory is laid out where it will stand, and what is before it
	// is cut off.
	t.out = append(make([]byte, base), mark...)
	fields(t)
	return t.out[base:]
}

func box(kind string, bodies ...[]byte) []byte {
	body := bytes.Join(bodies, nil)
	return append(append(be.AppendUint32(nil, uint32(8+len(body))), kind...), body...)
}

// longBox has its size in 64 bits, as Canon writes mdat.
func longBox(kind string, body []byte) []byte {
	out := append([]byte{0, 0, 0, 1}, kind...)
	return append(be.AppendUint64(out, uint64(16+len(body))), body...)
}
