package heic

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

// bitWriter writes what bits reads.
type bitWriter struct {
	b []byte
	n int
}

func (w *bitWriter) put(v uint32, n int) *bitWriter {
	for i := n - 1; i >= 0; i-- {
		if w.n%8 == 0 {
			w.b = append(w.b, 0)
		}
		w.b[w.n/8] |= byte(v>>i&1) << (7 - w.n%8)
		w.n++
	}
	return w
}

func (w *bitWriter) zeros(n int) *bitWriter {
	for range n {
		w.put(0, 1)
	}
	return w
}

// exp writes an Exp-Golomb code.
func (w *bitWriter) exp(v uint32) *bitWriter {
	n := 0
	for (v+1)>>n > 1 {
		n++
	}
	return w.zeros(n).put(v+1, n+1)
}

func TestExp(t *testing.T) {
	var w bitWriter
	values := []uint32{0, 1, 2, 3, 7, 8, 255, 65534, 1<<31 - 2}
	for _, v := range values {
		w.exp(v)
	}
	r := bits{b: w.b}
	for _, v := range values {
		if got := r.exp(); got != v || r.cut {
			t.Errorf("%d, want %d", got, v)
		}
	}
	for _, b := range [][]byte{nil, {0, 0, 0, 0, 0, 1, 1, 1, 1, 1}, {1}} {
		if r := (bits{b: b}); r.exp() > 127 || !r.cut {
			t.Errorf("%x is read", b)
		}
	}
}

// sps is a sequence parameter set with two sub-layers, one of which has a
// profile and both a level; window is the conformance window.
func sps(sub, w, h, depth uint32, window ...uint32) []byte {
	p := (&bitWriter{}).put(0, 4).put(2, 3).put(1, 1).zeros(88).put(93, 8)
	p.put(0b11_01, 4).zeros(12).zeros(88).put(90, 8).put(90, 8).exp(0).exp(sub)
	if sub == 3 {
		p.put(0, 1)
	}
	p.exp(w).exp(h).put(uint32(min(len(window), 1)), 1)
	for _, v := range window {
		p.exp(v)
	}
	p.exp(depth-8).exp(depth-8).put(1, 1)
	// Three bytes of zeros and more are in the profile: they are escaped.
	out, zeros := []byte{33 << 1, 1}, 0
	for _, c := range p.b {
		if zeros == 2 && c <= 3 {
			out, zeros = append(out, 3), 0
		}
		if out = append(out, c); c == 0 {
			zeros++
		} else {
			zeros = 0
		}
	}
	return out
}

func TestHEVCFrame(t *testing.T) {
	config := func(units ...[]byte) []byte {
		b := append(make([]byte, 21), 3, 1, 33)
		b = be16(b, len(units))
		for _, u := range units {
			b = append(be16(b, len(u)), u...)
		}
		return b
	}
	layer1 := sps(1, 64, 64, 8)
	layer1[1] |= 1 << 3
	for name, c := range map[string]struct {
		units [][]byte
		want  frame
		fault string
	}{
		"plain":            {[][]byte{sps(1, 4032, 3024, 8)}, frame{w: 4032, h: 3024, depth: 8, chroma: c420}, ""},
		"cropped":          {[][]byte{sps(1, 1928, 1088, 10, 1, 3, 0, 4)}, frame{w: 1920, h: 1080, depth: 10, chroma: c420}, ""},
		"cropped 4:2:2":    {[][]byte{sps(2, 1928, 1088, 10, 1, 3, 0, 4)}, frame{w: 1920, h: 1084, depth: 10, chroma: c422}, ""},
		"cropped 4:4:4":    {[][]byte{sps(3, 1928, 1088, 12, 1, 3, 0, 4)}, frame{w: 1924, h: 1084, depth: 12, chroma: c444}, ""},
		"grey":             {[][]byte{sps(0, 64, 64, 8)}, frame{w: 64, h: 64, depth: 8}, ""},
		"twice the same":   {[][]byte{sps(1, 64, 64, 8), sps(1, 64, 64, 8)}, frame{w: 64, h: 64, depth: 8, chroma: c420}, ""},
		"two layers":       {[][]byte{sps(1, 64, 48, 8), layer1}, frame{w: 64, h: 48, depth: 8, chroma: c420}, ""},
		"another size":     {[][]byte{sps(1, 64, 64, 8), sps(1, 64, 72, 8)}, frame{}, "two headers"},
		"another depth":    {[][]byte{sps(1, 64, 64, 8), sps(1, 64, 64, 10)}, frame{}, "two headers"},
		"much hidden":      {[][]byte{sps(1, 16384, 64, 8, 0, 8160, 0, 0)}, frame{}, "are coded to show"},
		"all hidden":       {[][]byte{sps(1, 64, 64, 8, 16, 16, 0, 0)}, frame{}, "cannot be read"},
		"hidden, overflow": {[][]byte{sps(1, 64, 64, 8, 1<<31-2, 1<<31-2, 0, 0)}, frame{}, "cannot be read"},
		"20 bits":          {[][]byte{sps(1, 64, 64, 20)}, frame{}, "cannot be read"},
		"4:1:0":            {[][]byte{sps(4, 64, 64, 8)}, frame{}, "cannot be read"},
		"cut":              {[][]byte{sps(1, 64, 64, 8)[:30]}, frame{}, "cannot be read"},
		"none":             {nil, frame{}, "lack their header"},
	} {
		// In the property, and among the pixels.
		var data []byte
		for _, u := range c.units {
			data = append(binary.BigEndian.AppendUint32(data, uint32(len(u))), u...)
		}
		for _, in := range [][2][]byte{{config(c.units...), nil}, {config(), data}} {
			f, err := hevcFrame(in[0], in[1])
			if c.fault == "" && (err != nil || f != c.want) || c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)) {
				t.Errorf("%s: %+v, %v; want %+v, %q", name, f, err, c.want, c.fault)
			}
		}
	}
}

// obu is a sequence header of w x h pixels; full has all that may be in one.
func obu(profile, w, h uint32, full bool, colour func(*bitWriter)) []byte {
	p := (&bitWriter{}).put(profile, 3)
	if full {
		p.put(0, 2).put(1, 1).zeros(64).put(1, 1).exp(5) // timing
		p.put(1, 1).put(9, 5).zeros(42)                  // decoder model, delays of 10 bits
		p.put(1, 1).put(1, 5)                            // display delays, two points
		p.zeros(12).put(8, 5).put(1, 1).put(1, 1).zeros(21).put(1, 1).put(3, 4)
		p.zeros(12).put(5, 5).put(0, 1).put(0, 1)
	} else {
		p.put(0b11, 2).put(8, 5)
	}
	p.put(15, 4).put(11, 4).put(w-1, 16).put(h-1, 12)
	if full {
		p.put(1, 1).zeros(7).zeros(3).zeros(4).put(1, 1).zeros(2)
		p.put(0, 1).put(1, 1).put(0, 1).put(1, 1).put(6, 3) // screen content, and integer vectors
	} else {
		p.zeros(3)
	}
	p.zeros(3)
	colour(p)
	p.zeros(16)
	return slices.Concat([]byte{1<<3 | 2, byte(len(p.b))}, p.b)
}

func TestAV1Frame(t *testing.T) {
	for name, c := range map[string]struct {
		profile uint32
		colour  func(*bitWriter)
		want    frame
	}{
		"8 bits": {0, func(p *bitWriter) { p.put(0, 3).put(1, 1) },
			frame{w: 4000, h: 3000, depth: 8, chroma: c420, paint: nclx{matrix: unspecified, full: true}}},
		"10 bits of BT.709": {0, func(p *bitWriter) { p.put(0b101, 3).put(1, 8).put(1, 8).put(1, 8).put(0, 1) },
			frame{w: 4000, h: 3000, depth: 10, chroma: c420, paint: nclx{matrix: 1}}},
		"grey": {0, func(p *bitWriter) { p.put(0b010, 3).put(1, 1) },
			frame{w: 4000, h: 3000, depth: 8, paint: nclx{matrix: unspecified, full: true}}},
		"sRGB": {1, func(p *bitWriter) { p.put(0b01, 2).put(1, 8).put(13, 8).put(0, 8) },
			frame{w: 4000, h: 3000, depth: 8, chroma: c444, paint: nclx{full: true}}},
		"4:2:2": {2, func(p *bitWriter) { p.put(0b1000, 4).put(0, 1) },
			frame{w: 4000, h: 3000, depth: 10, chroma: c422, paint: nclx{matrix: unspecified}}},
		"12 bits": {2, func(p *bitWriter) { p.put(0b1100, 4).put(1, 1) },
			frame{w: 4000, h: 3000, depth: 12, chroma: c444, paint: nclx{matrix: unspecified, full: true}}},
	} {
		for _, full := range []bool{false, true} {
			unit := obu(c.profile, 4000, 3000, full, c.colour)
			for _, in := range [][2][]byte{{append([]byte{0x81, 0, 0, 0}, unit...), nil}, {{0x81, 0, 0, 0}, append([]byte{0x12, 0}, unit...)}} {
				f, err := av1Frame(in[0], in[1])
				if err != nil || f != c.want {
					t.Errorf("%s, full is %v: %+v, %v; want %+v", name, full, f, err, c.want)
				}
			}
			other := obu(c.profile, 4000, 3001, full, c.colour)
			if _, err := av1Frame(append([]byte{0x81, 0, 0, 0}, unit...), other); err == nil || !strings.Contains(err.Error(), "two headers") {
				t.Errorf("%s: two sizes: %v", name, err)
			}
			for n := 1; n < len(unit); n++ {
				if _, err := av1Frame([]byte{0x81, 0, 0, 0}, unit[:n]); err == nil {
					t.Errorf("%s, full is %v: cut to %d of %d bytes is read", name, full, n, len(unit))
				}
			}
		}
	}
	endless := append([]byte{0x81, 0, 0, 0}, 1<<3|2, 255, 255, 255, 255, 255, 255, 255, 255, 255)
	if _, err := av1Frame(endless, nil); err == nil {
		t.Error("an endless length is read")
	}
}

// TestVersions reads the same photo from boxes of other versions than those
// that heif-enc writes: wide numbers, bytes in idat, sizes of 64 bits.
func TestVersions(t *testing.T) {
	photo := codedItem(t, readFile(t, "plain.heic"))
	const id = 1 << 20
	wide := be32(nil, id)
	loc := slices.Concat([]byte{0x88, 0x84}, be32(nil, 1), wide, []byte{0, 1, 0, 0}, // in idat
		make([]byte, 8), []byte{0, 1}, make([]byte, 4), make([]byte, 8), binary.BigEndian.AppendUint64(nil, uint64(len(photo.data))))
	// Property 1 is none, of which the item has none: its own are 2 and 3, and
	// number 0 stands for no property.
	ipma := slices.Concat(be32(nil, 1), wide, []byte{3, 0x80, 2, 0, 0, 0, 3})
	meta := makeFull("meta", 0, 0,
		makeFull("iref", 1, 0, makeBox("thmb", be32(nil, 7), []byte{0, 1}, wide)),
		makeFull("pitm", 1, 0, wide),
		makeBox("idat", photo.data),
		makeFull("iloc", 2, 0, loc),
		makeFull("iinf", 1, 0, be32(nil, 1), makeFull("infe", 3, 0, wide, []byte("\x00\x00hvc1\x00"))),
		makeBox("iprp", makeBox("ipco", makeBox("free"), photo.props[0], photo.props[1]), makeFull("ipma", 1, 1, ipma)))
	ftyp := slices.Concat([]byte{0, 0, 0, 1}, []byte("ftyp"), binary.BigEndian.AppendUint64(nil, 24), []byte("heic\x00\x00\x00\x00"))
	p := pictureOf(t, append(ftyp, meta...))
	if want := pictureOf(t, readFile(t, "plain.heic")); !bytes.Equal(p.file(), want.file()) {
		t.Error("the photo is another")
	}
}
