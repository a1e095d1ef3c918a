package heic

import (
	"bytes"
	"slices"
)

// file writes the picture as the primary and only one of a HEIF file. The
// decoder sees nothing else of the original: no other pictures, no auxiliary
// ones, no metadata, and no box that was not understood here.
//
// A picture in one piece becomes a grid of one tile: libheif 1.18, which the
// WASM build is, changes the colours of some single pictures, to a limited
// range or by blurring their chroma, and leaves those of tiles alone. But it
// cannot decode grids of grey tiles.
func (p *picture) file() []byte {
	brand := "heic"
	if p.tiles[0].kind == "av01" {
		brand = "avif"
	}
	w := writer{at: map[*byte]int{}}
	pixi := p.tiles[0].pixi()
	if !p.whole || p.tiles[0].chroma != grey {
		w.add("grid", p.grid.bytes(), append(without(p.props, property.configures), pixi))
		for _, t := range p.tiles {
			w.add(t.kind, t.data, append(without(t.props, property.transforms), pixi))
		}
	} else {
		w.add(p.tiles[0].kind, p.tiles[0].data, append(slices.Clone(p.props), pixi))
	}
	ftyp := makeBox("ftyp", []byte(brand), make([]byte, 4), []byte("mif1"), []byte(brand))
	meta := w.meta(0)
	meta = w.meta(len(ftyp) + len(meta) + 8) // of the same size, now that it is known
	return slices.Concat(ftyp, meta, makeBox("mdat", w.data...))
}

func without(props []property, which func(property) bool) []property {
	return slices.DeleteFunc(slices.Clone(props), which)
}

// pixi is the property with the bits of each channel (23008-12, 6.5.6). Files
// have it wrong, some with one channel for three, which libheif 1.18 refuses.
func (f frame) pixi() property {
	channels := 3
	if f.chroma == grey {
		channels = 1
	}
	b := makeFull("pixi", 0, 0, []byte{byte(channels)}, bytes.Repeat([]byte{byte(f.depth)}, channels))
	return property{box: box{kind: "pixi", all: b, body: b[8:]}}
}

// bytes is the grid's item data.
func (g *grid) bytes() []byte {
	b := []byte{0, 1, byte(g.rows - 1), byte(g.cols - 1)} // fields of 32 bits
	return be32(be32(b, g.w), g.h)
}

// writer collects the items of a file, numbered from 1. The first is the
// primary one and made of the others.
type writer struct {
	kinds []string
	data  [][]byte
	ipco  []byte        // the properties
	at    map[*byte]int // their numbers, from 1, by where the original has them
	links [][]uint16    // by item: its properties' numbers, the top bit for essential
}

func (w *writer) add(kind string, data []byte, props []property) {
	var links []uint16
	for _, p := range props {
		if n, ok := paint([]property{p}); ok && n.matrix != identity {
			continue // a decoder that knew would convert, each its own way
		}
		n := w.at[&p.all[0]] // tiles share their properties
		if n == 0 {
			n = len(w.at) + 1
			w.at[&p.all[0]] = n
			w.ipco = append(w.ipco, makeBox(p.kind, p.body)...)
		}
		if p.essential {
			n |= 1 << 15
		}
		links = append(links, uint16(n))
	}
	w.kinds, w.data, w.links = append(w.kinds, kind), append(w.data, data), append(w.links, links)
}

// meta writes the meta box of a file whose items' bytes begin at offset.
func (w *writer) meta(offset int) []byte {
	hdlr := makeFull("hdlr", 0, 0, make([]byte, 4), []byte("pict"), make([]byte, 13))
	infe, loc := be16(nil, len(w.kinds)), be16([]byte{0x44, 0}, len(w.kinds))
	ipma := be32(nil, len(w.kinds))
	for i, kind := range w.kinds {
		id := i + 1
		infe = append(infe, makeFull("infe", 2, 0, be16(nil, id), make([]byte, 2), []byte(kind), make([]byte, 1))...)
		loc = be16(be16(be16(loc, id), 0), 1)
		loc = be32(be32(loc, offset), len(w.data[i]))
		offset += len(w.data[i])
		ipma = append(be16(ipma, id), byte(len(w.links[i])))
		for _, n := range w.links[i] {
			ipma = be16(ipma, n)
		}
	}
	parts := [][]byte{
		hdlr,
		makeFull("pitm", 0, 0, []byte{0, 1}),
		makeFull("iloc", 0, 0, loc),
		makeFull("iinf", 0, 0, infe),
		makeBox("iprp", makeBox("ipco", w.ipco), makeFull("ipma", 0, 1, ipma)),
	}
	if n := len(w.kinds) - 1; n > 0 {
		refs := be16(be16(nil, 1), n)
		for i := range n {
			refs = be16(refs, i+2)
		}
		parts = append(parts, makeFull("iref", 0, 0, makeBox("dimg", refs)))
	}
	return makeFull("meta", 0, 0, parts...)
}
