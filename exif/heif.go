package exif

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Limits of an ISO base media file. The walk goes two boxes deep.
const (
	maxBoxes   = 1024 // of one level
	maxExtents = 64   // of one item
	maxItems   = 8    // EXIF and XMP items of a file
)

// upright is the orientation of what a HEIF decoder returns.
const upright = 1

// boxReader reads big-endian numbers from the start of a box. What is missing
// reads as 0, and sets cut.
type boxReader struct {
	b   []byte
	cut bool
}

// uint reads a number of n bytes, 0 to 8.
func (p *boxReader) uint(n int) uint64 {
	var v uint64
	for _, c := range p.bytes(uint64(n)) {
		v = v<<8 | uint64(c)
	}
	return v
}

func (p *boxReader) bytes(n uint64) []byte {
	if n > uint64(len(p.b)) {
		p.b, p.cut = nil, true
		return nil
	}
	b := p.b[:n]
	p.b = p.b[n:]
	return b
}

// text reads a string up to its NUL, or to the end of the box.
func (p *boxReader) text() string {
	for i, c := range p.b {
		if c == 0 {
			s := string(p.b[:i])
			p.b = p.b[i+1:]
			return s
		}
	}
	s := string(p.b)
	p.b = nil
	return s
}

// boxes calls visit with the type and the body of each box in b (ISO/IEC
// 14496-12, 4.2) until it returns false. A box that claims more than there is
// ends the walk with an error.
func boxes(b []byte, visit func(kind string, body []byte) bool) error {
	for range maxBoxes {
		if len(b) < 8 {
			return nil
		}
		size, head := uint64(binary.BigEndian.Uint32(b)), uint64(8)
		kind := string(b[4:8])
		switch size {
		case 0: // to the end
			size = uint64(len(b))
		case 1:
			if len(b) < 16 {
				return fmt.Errorf("box %q: %w", kind, errCut)
			}
			size, head = binary.BigEndian.Uint64(b[8:]), 16
		}
		if size < head || size > uint64(len(b)) {
			return fmt.Errorf("box %q of %d bytes in %d: %w", kind, size, len(b), errCut)
		}
		if !visit(kind, b[head:size]) {
			return nil
		}
		b = b[size:]
	}
	return fmt.Errorf("more than %d boxes: %w", maxBoxes, errTooLarge)
}

// heif finds the EXIF and XMP items of the file's meta box (ISO/IEC
// 23008-12, annex A; 14496-12, 8.11).
func (f *file) heif() {
	var meta []byte
	err := boxes(f.data, func(kind string, body []byte) bool {
		if kind == "meta" {
			meta = body
		}
		return meta == nil
	})
	if meta == nil {
		if err != nil {
			f.fault("boxes", err)
		}
		return
	}
	p := boxReader{b: meta}
	p.uint(4) // version and flags
	var iinf, iloc, idat []byte
	if err := boxes(p.b, func(kind string, body []byte) bool {
		switch kind {
		case "iinf":
			iinf = body
		case "iloc":
			iloc = body
		case "idat":
			idat = body
		}
		return true
	}); err != nil {
		f.fault("box meta", err)
	}
	items, err := metadataItems(iinf)
	if err != nil {
		f.fault("box iinf", err)
	}
	if len(items) == 0 {
		return
	}
	if err := f.locate(iloc, idat, items); err != nil {
		f.fault("box iloc", err)
	}
}

// metadataItems lists the items with EXIF ("Exif") or XMP ("mime") by id.
func metadataItems(iinf []byte) (map[uint64]string, error) {
	if iinf == nil {
		return nil, nil
	}
	p := boxReader{b: iinf}
	if version := p.uint(4) >> 24; version == 0 {
		p.uint(2) // the count: the boxes say it themselves
	} else {
		p.uint(4)
	}
	items := make(map[uint64]string)
	err := boxes(p.b, func(kind string, body []byte) bool {
		if kind != "infe" {
			return true
		}
		e := boxReader{b: body}
		var id uint64
		switch version := e.uint(4) >> 24; version {
		case 2:
			id = e.uint(2)
		case 3:
			id = e.uint(4)
		default:
			return true // versions 0 and 1 have no item type
		}
		e.uint(2) // protection
		itemType := string(e.bytes(4))
		e.text() // name
		if !e.cut && (itemType == "Exif" || itemType == "mime" && e.text() == "application/rdf+xml") {
			items[id] = itemType
		}
		return len(items) < maxItems
	})
	return items, err
}

// locate reads the item locations (14496-12, 8.11.3) and takes the items' bytes.
func (f *file) locate(iloc, idat []byte, items map[uint64]string) error {
	p := boxReader{b: iloc}
	version := p.uint(4) >> 24
	if version > 2 {
		return fmt.Errorf("version %d", version)
	}
	sizes := p.uint(2)
	offsetSize, lengthSize := int(sizes>>12), int(sizes>>8&15)
	baseSize, indexSize := int(sizes>>4&15), int(sizes&15)
	if max(offsetSize, lengthSize, baseSize, indexSize) > 8 {
		return errors.New("field sizes above 8")
	}
	idSize := 2
	if version == 2 {
		idSize = 4
	}
	for range p.uint(idSize) { // each takes bytes of the box, so that its end ends the loop
		id := p.uint(idSize)
		method := uint64(0)
		if version > 0 {
			method = p.uint(2) & 15
		}
		p.uint(2) // data reference
		base := p.uint(baseSize)
		extents := p.uint(2)
		if extents > 1 && offsetSize+lengthSize == 0 {
			return errors.New("extents without a size") // would take no bytes of the box, and much time
		}
		var parts [][]byte
		for range extents {
			if version > 0 {
				p.uint(indexSize)
			}
			offset, length := p.uint(offsetSize), p.uint(lengthSize)
			if p.cut {
				return errCut
			}
			if items[id] == "" || len(parts) > maxExtents {
				continue
			}
			from := f.data
			switch method {
			case 0:
			case 1:
				from = idat
			default:
				return fmt.Errorf("item %d has construction method %d", id, method)
			}
			part, err := extent(from, base, offset, length)
			if err != nil {
				f.fault(fmt.Sprintf("item %d", id), err)
				continue
			}
			parts = append(parts, part)
		}
		if p.cut {
			return errCut
		}
		if len(parts) > 0 {
			f.item(id, items[id], parts)
			delete(items, id) // once: a box may repeat an item without end
		}
	}
	return nil
}

// extent is the part of source at base+offset; length 0 is all up to the end.
func extent(source []byte, base, offset, length uint64) ([]byte, error) {
	size := uint64(len(source))
	if base > size || offset > size-base || length > size-base-offset {
		return nil, fmt.Errorf("%d bytes at offset %d+%d of %d: %w", length, base, offset, size, errCut)
	}
	b := source[base+offset:]
	if length > 0 {
		b = b[:length]
	}
	return b, nil
}

// item takes the bytes of an item, which may lie in several parts.
func (f *file) item(id uint64, itemType string, parts [][]byte) {
	total := 0
	for _, part := range parts {
		total += len(part)
	}
	b := parts[0]
	if len(parts) > 1 {
		if total > maxBlock || len(parts) > maxExtents {
			f.fault(fmt.Sprintf("item %d", id), errTooLarge)
			return
		}
		b = slices.Concat(parts...)
	}
	if itemType == "mime" {
		f.addXMP(b)
		return
	}
	// The EXIF item says in its first four bytes how far behind them the TIFF
	// header stands (23008-12, A.2.1); some files begin with the header or
	// with "Exif\0\0" at once.
	p := boxReader{b: b}
	skip := p.uint(4)
	if p.bytes(skip); !p.cut && f.addExif(p.b) {
		return
	}
	if len(b) > 4 && f.addExif(b[4:]) || f.addExif(b) {
		return
	}
	f.fault(fmt.Sprintf("item %d", id), errNotTIFF)
}
