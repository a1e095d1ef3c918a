package raw

import "encoding/binary"

// Limits of a TIFF file. Real ones have up to about 10 directories, nested
// twice, of up to about 100 entries.
const (
	maxDirs    = 64
	maxSubDirs = 16 // of one directory
	maxDepth   = 3
	maxEntries = 1024 // of one directory
)

// Field types of numbers (TIFF 6.0, section 2, and its first supplement).
const (
	typeByte  = 1
	typeShort = 3
	typeLong  = 4
	typeIFD   = 13
)

// view is a part of the file to which the offsets of a directory refer: the
// whole file, or what follows the start of a maker note.
type view struct {
	data  []byte
	base  uint64 // of data in the file
	order binary.ByteOrder
}

// dir is a directory: its entries of 12 bytes each. Its offsets are checked
// when they are followed.
type dir struct {
	view
	raw []byte
}

// dir reads the directory at an offset, and the offset of the next one. A
// directory that is cut short has the entries that are there.
func (v view) dir(offset uint64) (d dir, next uint64, ok bool) {
	size := uint64(len(v.data))
	if offset < 2 || size < 2 || offset > size-2 {
		return dir{}, 0, false
	}
	n := int(v.order.Uint16(v.data[offset:]))
	rest := v.data[offset+2:]
	if n == 0 || n > maxEntries {
		return dir{}, 0, false
	}
	if len(rest) >= 12*n+4 {
		next = uint64(v.order.Uint32(rest[12*n:]))
	}
	n = min(n, len(rest)/12)
	return dir{v, rest[:12*n]}, next, true
}

// entry is the 12 bytes of a tag: tag, type, count, value or offset.
func (d dir) entry(tag uint16) []byte {
	for e := d.raw; len(e) >= 12; e = e[12:] {
		if d.order.Uint16(e) == tag {
			return e[:12]
		}
	}
	return nil
}

func (d dir) has(tag uint16) bool { return d.entry(tag) != nil }

// value is the bytes of a tag, nil where it is missing or not in the file, and
// where they are in the file.
func (d dir) value(tag uint16) (b []byte, offset uint64) {
	e := d.entry(tag)
	if e == nil {
		return nil, 0
	}
	size := uint64(1)
	switch d.order.Uint16(e[2:]) {
	case typeShort, 8:
		size = 2
	case typeLong, 9, 11, typeIFD:
		size = 4
	case 5, 10, 12:
		size = 8
	}
	size *= uint64(d.order.Uint32(e[4:])) // below 2^35
	if size <= 4 {
		return e[8 : 8+size], 0
	}
	offset = uint64(d.order.Uint32(e[8:]))
	if have := uint64(len(d.data)); offset > have || size > have-offset {
		return nil, 0
	}
	return d.data[offset : offset+size], d.base + offset
}

// number is the i-th number of a tag.
func (d dir) number(tag uint16, i int) (uint64, bool) {
	b, _ := d.value(tag)
	if b == nil {
		return 0, false
	}
	switch d.order.Uint16(d.entry(tag)[2:]) {
	case typeByte:
		if i < len(b) {
			return uint64(b[i]), true
		}
	case typeShort:
		if 2*i+2 <= len(b) {
			return uint64(d.order.Uint16(b[2*i:])), true
		}
	case typeLong, typeIFD:
		if 4*i+4 <= len(b) {
			return uint64(d.order.Uint32(b[4*i:])), true
		}
	}
	return 0, false
}

// first is the first number of a tag, or what stands for a missing one.
func (d dir) first(tag uint16, missing uint64) uint64 {
	if v, ok := d.number(tag, 0); ok {
		return v
	}
	return missing
}

// one is the number of a tag that has exactly one.
func (d dir) one(tag uint16) (uint64, bool) {
	if _, more := d.number(tag, 1); more {
		return 0, false
	}
	return d.number(tag, 0)
}
