package heic

import (
	"errors"
	"fmt"
)

// frame is what coded pixels say of themselves, which a decoder believes and
// allocates for, whatever the file says around them.
type frame struct {
	w, h   int // shown
	depth  int // bits of a sample
	chroma chroma
	paint  nclx // of AV1 alone: HEVC's is in colr, or JPEG's
}

// chroma is how much of it there is, as H.265 numbers it (6.2).
type chroma uint8

const (
	grey chroma = iota
	c420
	c422
	c444
)

// bytes is about what a pixel takes while it is decoded: its samples, of one
// byte or two.
func (f frame) bytes() float64 {
	n := [...]float64{grey: 1, c420: 1.5, c422: 2, c444: 3}[f.chroma]
	if f.depth > 8 {
		n *= 2
	}
	return n
}

// maxPadding is by how much a coded frame may be larger than what is shown of
// it. Coding blocks have at most 64 pixels a side.
const maxPadding = 64

var errNoSequence = errors.New("the pixels lack their header")

// hevcFrame reads the sequence parameter sets of an hvcC property (ISO/IEC
// 14496-15, 8.3.3.1) and of the data, in which others could hide. All must
// agree. NAL units that are cut short are an error.
func hevcFrame(hvcC, data []byte) (frame, error) {
	r := reader{b: hvcC}
	r.bytes(21)
	lengthSize := int(r.uint(1)&3) + 1
	var f frame
	for range r.uint(1) {
		r.uint(1) // the type: each unit has its own
		for range r.uint(2) {
			unit := r.bytes(r.uint(2))
			if r.cut {
				return f, fmt.Errorf("property hvcC: %w", errCut)
			}
			if err := f.hevcUnit(unit); err != nil {
				return f, err
			}
		}
	}
	if r.cut {
		return f, fmt.Errorf("property hvcC: %w", errCut)
	}
	for r = (reader{b: data}); len(r.b) > 0; {
		unit := r.bytes(r.uint(lengthSize))
		if r.cut {
			return f, fmt.Errorf("the pixels are %w", errCut)
		}
		if err := f.hevcUnit(unit); err != nil {
			return f, err
		}
	}
	if f == (frame{}) {
		return f, errNoSequence
	}
	return f, nil
}

// hevcUnit takes a sequence parameter set and passes by other NAL units
// (H.265, 7.3.1.2, 7.3.2.2 and 7.3.3).
func (f *frame) hevcUnit(unit []byte) error {
	const spsType = 33
	if len(unit) < 2 || unit[0]>>1&63 != spsType || unit[0]&1 != 0 || unit[1]>>3 != 0 {
		return nil // another type, or another layer than the first
	}
	r := bits{b: unescape(unit[2:])}
	r.skip(4)
	subLayers := int(r.uint(3))
	r.skip(1 + 96) // the profile, tier and level
	var profiles, levels int
	for i := range 8 {
		switch {
		case subLayers == 0:
		case i < subLayers:
			profiles += int(r.uint(1))
			levels += int(r.uint(1))
		default:
			r.skip(2)
		}
	}
	r.skip(88*profiles + 8*levels)
	r.exp() // the set's number
	sub := r.exp()
	if sub == uint32(c444) {
		r.skip(1)
	}
	w, h := int64(r.exp()), int64(r.exp())
	codedW, codedH := w, h
	if r.flag() { // the conformance window, in units of chroma samples
		left, right, top, bottom := int64(r.exp()), int64(r.exp()), int64(r.exp()), int64(r.exp())
		unitW, unitH := int64(1), int64(1)
		if sub == uint32(c420) || sub == uint32(c422) {
			unitW = 2
		}
		if sub == uint32(c420) {
			unitH = 2
		}
		w -= unitW * (left + right)
		h -= unitH * (top + bottom)
	}
	depth := 8 + r.exp()
	if r.cut || sub > uint32(c444) || depth > 16 || w <= 0 || h <= 0 {
		return errors.New("the pixels have a sequence parameter set that cannot be read")
	}
	return f.agree(frame{w: int(w), h: int(h), depth: int(depth), chroma: chroma(sub)}, codedW, codedH)
}

// unescape takes the emulation prevention bytes out of the start of a NAL
// unit, which is all that is read of one (H.265, 7.3.1.1).
func unescape(b []byte) []byte {
	b = b[:min(len(b), 256)]
	out := make([]byte, 0, len(b))
	zeros := 0
	for _, c := range b {
		if zeros >= 2 && c == 3 {
			zeros = 0
			continue
		}
		if c == 0 {
			zeros++
		} else {
			zeros = 0
		}
		out = append(out, c)
	}
	return out
}

// agree takes a header's frame, which must be what an earlier one said.
func (f *frame) agree(g frame, codedW, codedH int64) error {
	if codedW > int64(g.w)+maxPadding || codedH > int64(g.h)+maxPadding {
		return fmt.Errorf("%d x %d pixels are coded to show %d x %d", codedW, codedH, g.w, g.h)
	}
	if *f != (frame{}) && *f != g {
		return fmt.Errorf("the pixels have two headers: %+v and %+v", *f, g)
	}
	*f = g
	return nil
}

// av1Frame reads the sequence headers of an av1C property (AV1 in ISOBMFF,
// 2.3.3) and of the data. All must agree.
func av1Frame(av1C, data []byte) (frame, error) {
	var f frame
	if len(av1C) < 4 {
		return f, fmt.Errorf("property av1C: %w", errCut)
	}
	for _, b := range [][]byte{av1C[4:], data} {
		for r := (reader{b: b}); len(r.b) > 0; {
			if err := f.av1Unit(&r); err != nil {
				return f, err
			}
		}
	}
	if f == (frame{}) {
		return f, errNoSequence
	}
	return f, nil
}

// av1Unit takes one OBU off r (AV1, 5.3): a sequence header, or one that is
// passed by.
func (f *frame) av1Unit(r *reader) error {
	const sequenceHeader = 1
	head := r.uint(1)
	if head&4 != 0 {
		r.uint(1) // the extension
	}
	size := uint64(len(r.b))
	if head&2 != 0 {
		size = r.leb128()
	}
	unit := r.bytes(size)
	if r.cut {
		return fmt.Errorf("the pixels are %w", errCut)
	}
	if head>>3&15 != sequenceHeader {
		return nil
	}
	return f.av1Sequence(&bits{b: unit})
}

// leb128 reads a number of AV1 (4.10.5).
func (r *reader) leb128() uint64 {
	var v uint64
	for i := range 8 {
		c := r.uint(1)
		v |= c & 127 << (7 * i)
		if c < 128 {
			return v
		}
	}
	r.cut = true
	return 0
}

// av1Sequence reads a sequence header's frame size and colours (AV1, 5.5).
func (f *frame) av1Sequence(r *bits) error {
	profile := r.uint(3)
	r.skip(1) // still picture
	reduced := r.flag()
	if reduced {
		r.skip(5)
	} else {
		r.av1Points()
	}
	widthBits, heightBits := int(r.uint(4))+1, int(r.uint(4))+1
	w, h := int(r.uint(widthBits))+1, int(r.uint(heightBits))+1
	if !reduced && r.flag() { // frame numbers
		r.skip(7)
	}
	r.skip(3) // superblocks, filter intra, intra edges
	if !reduced {
		r.skip(4) // compound, warped and dual filters
		if r.flag() {
			r.skip(2) // order hints: joint compound, reference vectors
			r.av1Tools(true)
		} else {
			r.av1Tools(false)
		}
	}
	r.skip(3) // superresolution, CDEF, restoration
	g := frame{w: w, h: h, depth: 8}
	if r.flag() {
		g.depth = 10
		if profile == 2 && r.flag() {
			g.depth = 12
		}
	}
	// The profile, 0 to 2, says most of the chroma; of 12 bits there may be
	// less than this.
	g.chroma = [...]chroma{c420, c444, c422, grey}[profile&3]
	if g.depth == 12 {
		g.chroma = c444
	}
	if profile != 1 && r.flag() {
		g.chroma = grey
	}
	g.paint = nclx{matrix: unspecified}
	primaries, transfer := uint32(unspecified), uint32(unspecified)
	if r.flag() {
		primaries, transfer, g.paint.matrix = r.uint(8), r.uint(8), int(r.uint(8))
	}
	const srgb = 13
	g.paint.full = primaries == 1 && transfer == srgb && g.paint.matrix == identity || r.flag()
	if r.cut {
		return errors.New("the pixels have a sequence header that cannot be read")
	}
	return f.agree(g, int64(w), int64(h))
}

// av1Tools passes by what says whether screen content tools are used.
func (r *bits) av1Tools(orderHint bool) {
	screen := true
	if !r.flag() { // not chosen by each frame
		screen = r.flag()
	}
	if screen && !r.flag() {
		r.skip(1) // integer vectors
	}
	if orderHint {
		r.skip(3)
	}
}

// av1Points passes by the timing and the operating points.
func (r *bits) av1Points() {
	model, delay := false, 0
	if r.flag() {
		r.skip(64)
		if r.flag() {
			r.exp() // ticks per picture
		}
		if model = r.flag(); model {
			delay = int(r.uint(5)) + 1
			r.skip(32 + 5 + 5)
		}
	}
	display := r.flag()
	for range r.uint(5) + 1 {
		r.skip(12)
		if r.uint(5) > 7 { // levels from 4.0 on have a tier
			r.skip(1)
		}
		if model && r.flag() {
			r.skip(2*delay + 1)
		}
		if display && r.flag() {
			r.skip(4)
		}
	}
}
