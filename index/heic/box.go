package heic

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// maxBoxes is how many boxes of one level are read.
const maxBoxes = 1 << 13

var errCut = errors.New("cut short")

// reader reads big-endian numbers from the start of a box. What is missing
// reads as 0, and sets cut.
type reader struct {
	b   []byte
	cut bool
}

// uint reads a number of n bytes, 0 to 8.
func (r *reader) uint(n int) uint64 {
	var v uint64
	for _, c := range r.bytes(uint64(n)) {
		v = v<<8 | uint64(c)
	}
	return v
}

func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.b, r.cut = nil, true
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

// id reads the number of an item, which newer versions of a box write wide.
func (r *reader) id(wide bool) uint32 {
	if wide {
		return uint32(r.uint(4))
	}
	return uint32(r.uint(2))
}

// box is one box (ISO/IEC 14496-12, 4.2).
type box struct {
	kind string
	all  []byte // with its header
	body []byte
}

// full reads the version and the flags that a FullBox's body begins with.
func (b box) full() (r reader, version, flags uint32) {
	r = reader{b: b.body}
	v := uint32(r.uint(4))
	return r, v >> 24, v & 0xffffff
}

// boxes lists the boxes of b. What it found before a broken one comes with
// the error.
func boxes(b []byte) ([]box, error) {
	var list []box
	for len(b) >= 8 {
		size, head := uint64(binary.BigEndian.Uint32(b)), uint64(8)
		kind := string(b[4:8])
		switch size {
		case 0: // to the end
			size = uint64(len(b))
		case 1:
			if len(b) < 16 {
				return list, fmt.Errorf("box %q: %w", kind, errCut)
			}
			size, head = binary.BigEndian.Uint64(b[8:]), 16
		}
		if size < head || size > uint64(len(b)) {
			return list, fmt.Errorf("box %q of %d bytes in %d: %w", kind, size, len(b), errCut)
		}
		if len(list) == maxBoxes {
			return list, fmt.Errorf("more than %d boxes in one", maxBoxes)
		}
		list = append(list, box{kind: kind, all: b[:size], body: b[head:size]})
		b = b[size:]
	}
	return list, nil
}

// makeBox writes a box.
func makeBox(kind string, body ...[]byte) []byte {
	size := 8
	for _, b := range body {
		size += len(b)
	}
	out := make([]byte, 0, size)
	out = binary.BigEndian.AppendUint32(out, uint32(size))
	out = append(out, kind...)
	for _, b := range body {
		out = append(out, b...)
	}
	return out
}

// makeFull writes a FullBox.
func makeFull(kind string, version byte, flags byte, body ...[]byte) []byte {
	return makeBox(kind, append([][]byte{{version, 0, 0, flags}}, body...)...)
}

func be16[T ~int | ~uint16 | ~uint32](b []byte, v T) []byte {
	return binary.BigEndian.AppendUint16(b, uint16(v))
}

func be32[T ~int | ~uint32](b []byte, v T) []byte {
	return binary.BigEndian.AppendUint32(b, uint32(v))
}
