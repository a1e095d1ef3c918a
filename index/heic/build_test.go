package heic

import (
	"slices"
	"testing"
)

// testItem is an item of a file made for a test.
type testItem struct {
	kind  string
	data  []byte
	props [][]byte // whole boxes
	to    []uint16 // what it refers to
	ref   string   // and how: "dimg", "thmb", "auxl"
}

// testFile is a HEIF file to be made. Its items are numbered from 1, and the
// first is the primary one.
type testFile []testItem

// bytes writes the file as a camera would.
func (f testFile) bytes() []byte {
	ftyp := makeBox("ftyp", []byte("heic\x00\x00\x00\x00mif1heic"))
	if slices.ContainsFunc(f, func(it testItem) bool { return it.kind == "av01" }) {
		ftyp = makeBox("ftyp", []byte("avif\x00\x00\x00\x00mif1avif"))
	}
	var data [][]byte
	for _, it := range f {
		data = append(data, it.data)
	}
	meta := f.meta(0)
	meta = f.meta(len(ftyp) + len(meta) + 8)
	return slices.Concat(ftyp, meta, makeBox("mdat", data...))
}

func (f testFile) meta(offset int) []byte {
	infe, loc := be16(nil, len(f)), be16([]byte{0x44, 0}, len(f))
	ipma := be32(nil, len(f))
	var ipco, refs []byte
	props := 0
	for i, it := range f {
		hidden := byte(0) // tiles are no pictures of their own
		if slices.ContainsFunc(f, func(of testItem) bool { return of.ref == "dimg" && slices.Contains(of.to, uint16(i+1)) }) {
			hidden = 1
		}
		infe = append(infe, makeFull("infe", 2, hidden, be16(nil, i+1), make([]byte, 2), []byte(it.kind), make([]byte, 1))...)
		loc = be32(be32(be16(be16(be16(loc, i+1), 0), 1), offset), len(it.data))
		offset += len(it.data)
		ipma = append(be16(ipma, i+1), byte(len(it.props)))
		for _, p := range it.props {
			ipco = append(ipco, p...)
			props++
			ipma = append(ipma, byte(props)|0x80)
		}
		if it.ref != "" {
			b := be16(be16(nil, i+1), len(it.to))
			for _, to := range it.to {
				b = be16(b, to)
			}
			refs = append(refs, makeBox(it.ref, b)...)
		}
	}
	return makeFull("meta", 0, 0,
		makeFull("hdlr", 0, 0, make([]byte, 4), []byte("pict"), make([]byte, 13)),
		makeFull("pitm", 0, 0, []byte{0, 1}),
		makeFull("iloc", 0, 0, loc),
		makeFull("iinf", 0, 0, infe),
		makeBox("iprp", makeBox("ipco", ipco), makeFull("ipma", 0, 0, ipma)),
		makeFull("iref", 0, 0, refs))
}

// with returns the file with more properties of item i.
func (f testFile) with(i int, props ...[]byte) testFile {
	f = slices.Clone(f)
	f[i].props = slices.Concat(f[i].props, props)
	return f
}

// replaced returns the file with another property of item i in place of the
// one of the same type.
func (f testFile) replaced(i int, prop []byte) testFile {
	f = slices.Clone(f)
	f[i].props = slices.Clone(f[i].props)
	for j, p := range f[i].props {
		if string(p[4:8]) == string(prop[4:8]) {
			f[i].props[j] = prop
		}
	}
	return f
}

func ispe(w, h int) []byte { return makeFull("ispe", 0, 0, be32(be32(nil, w), h)) }

func irot(quarters byte) []byte { return makeBox("irot", []byte{quarters}) }

func imir(axis byte) []byte { return makeBox("imir", []byte{axis}) }

func colr(matrix byte, full bool) []byte {
	b := []byte{'n', 'c', 'l', 'x', 0, 1, 0, 13, 0, matrix, 0}
	if full {
		b[10] = 0x80
	}
	return makeBox("colr", b)
}

// clap crops to w x h pixels in the middle.
func clap(w, h int) []byte {
	var b []byte
	for _, v := range []int{w, 1, h, 1, 0, 1, 0, 1} {
		b = be32(b, v)
	}
	return makeBox("clap", b)
}

func gridItem(rows, cols, w, h int, tiles ...uint16) testItem {
	return testItem{kind: "grid", data: (&grid{rows, cols, w, h}).bytes(), props: [][]byte{ispe(w, h)}, ref: "dimg", to: tiles}
}

// pictureOf reads the primary picture of a file.
func pictureOf(t testing.TB, data []byte) *picture {
	t.Helper()
	c, err := parse(data)
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.picture(c.primary, 1e8)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// codedItem takes the one tile of a file's primary picture, without what
// turns it.
func codedItem(t testing.TB, data []byte) testItem {
	t.Helper()
	p := pictureOf(t, data)
	it := testItem{kind: p.tiles[0].kind, data: p.tiles[0].data}
	for _, prop := range p.tiles[0].props {
		if !prop.transforms() {
			it.props = append(it.props, prop.all)
		}
	}
	return it
}

// withThumb makes a file of a photo and its thumbnail.
func withThumb(photo, thumb testItem) testFile {
	thumb.ref, thumb.to = "thmb", []uint16{1}
	return testFile{photo, thumb}
}
