package heic

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/kith-photos/kith/index"
)

// maxTiles is how many tiles of a grid are read: four times those of a phone's
// photo of 200 megapixels.
const maxTiles = 1 << 12

// maxProperty is the size of a property that is looked at. Those needed have
// some hundred bytes.
const maxProperty = 1 << 16

// picture is an image item whose header holds together.
type picture struct {
	w, h  int    // of the result, turned and cropped
	turns []byte // its irot and imir properties, in order, to compare
	paint nclx   // what its numbers mean as colours

	props []property // of the item itself
	whole bool       // it is coded in one piece, and grid is of that
	grid  *grid
	tiles []tile // the coded parts, in the grid's order
	area  int    // pixels of all tiles
}

// property is one that an item needs to be decoded.
type property struct {
	box
	essential bool
}

// transforms reports whether a property changes the shape of its picture.
func (p property) transforms() bool {
	return p.kind == "irot" || p.kind == "imir" || p.kind == "clap"
}

// configures reports whether a property is that of a decoder.
func (p property) configures() bool { return p.kind == "hvcC" || p.kind == "av1C" }

// tile is a coded picture, or a part of one.
type tile struct {
	frame
	kind  string // how it is coded: "hvc1" or "av01"
	data  []byte
	props []property
}

// grid is how tiles make a picture (23008-12, 6.6.2.3).
type grid struct{ rows, cols, w, h int }

// picture checks an image item and what it is made of. It returns an error
// that is index.ErrTooLarge where there are more than maxPixels.
func (c *container) picture(id uint32, maxPixels int) (*picture, error) {
	it := c.items[id]
	if it == nil {
		return nil, fmt.Errorf("there is no item %d", id)
	}
	p := &picture{}
	if it.kind == "grid" {
		if err := c.readGrid(it, p, maxPixels); err != nil {
			return nil, fmt.Errorf("item %d: %w", id, err)
		}
	} else {
		t, err := c.tile(it, maxPixels)
		if err != nil {
			return nil, fmt.Errorf("item %d: %w", id, err)
		}
		p.tiles, p.props = []tile{t}, t.props
		p.whole, p.grid = true, &grid{1, 1, t.w, t.h}
		p.w, p.h, p.area = t.w, t.h, t.w*t.h
	}
	p.paint = p.colours()
	if err := p.transform(); err != nil {
		return nil, fmt.Errorf("item %d: %w", id, err)
	}
	return p, nil
}

// tile checks a coded item: what its header says is what its pixels say.
func (c *container) tile(it *item, maxPixels int) (t tile, err error) {
	t.kind = it.kind
	read, config := hevcFrame, "hvcC"
	switch it.kind {
	case "hvc1":
	case "av01":
		read, config = av1Frame, "av1C"
	default:
		return t, fmt.Errorf("%w: pictures of type %q", index.ErrFormat, it.kind)
	}
	if t.props, err = c.properties(it); err != nil {
		return t, err
	}
	w, h, err := extents(t.props, maxPixels)
	if err != nil {
		return t, err
	}
	if t.data, err = c.bytes(it); err != nil {
		return t, err
	}
	i := slices.IndexFunc(t.props, func(p property) bool { return p.kind == config })
	if i < 0 {
		return t, fmt.Errorf("there is no property %s", config)
	}
	if t.frame, err = read(t.props[i].body, t.data); err != nil {
		return t, err
	}
	if t.w != w || t.h != h {
		return t, fmt.Errorf("its pixels are %d x %d, its header says %d x %d", t.w, t.h, w, h)
	}
	return t, nil
}

// properties returns those of an item that are needed to decode it. One that
// is not known and yet essential is an error (23008-12, 9.3.1).
func (c *container) properties(it *item) ([]property, error) {
	var list []property
	for _, a := range it.props {
		if a.index == 0 {
			continue // none
		}
		if a.index > len(c.props) {
			return nil, fmt.Errorf("it has property %d of %d", a.index, len(c.props))
		}
		p := property{c.props[a.index-1], a.essential}
		if len(p.body) > maxProperty {
			continue // no property that is needed is as large
		}
		switch p.kind {
		case "hvcC", "av1C", "ispe", "irot", "imir", "clap":
			list = append(list, p)
		case "colr":
			if len(p.body) >= 4 && string(p.body[:4]) == "nclx" {
				list = append(list, p)
			}
		case "pixi", "pasp", "auxC", "rloc", "clli", "mdcv", "cclv", "amve", "a1lx", "udes", "altt", "aebr":
		default:
			if p.essential {
				return nil, fmt.Errorf("%w: its essential property %q is not known", index.ErrFormat, p.kind)
			}
		}
	}
	return list, nil
}

// extents is the size of an item before it is turned (ispe).
func extents(props []property, maxPixels int) (w, h int, err error) {
	i := slices.IndexFunc(props, func(p property) bool { return p.kind == "ispe" })
	if i < 0 {
		return 0, 0, errors.New("there is no property ispe")
	}
	r, _, _ := props[i].full()
	wide, high := r.uint(4), r.uint(4)
	if r.cut || wide == 0 || high == 0 || wide > math.MaxInt32 || high > math.MaxInt32 {
		return 0, 0, fmt.Errorf("%w: %d x %d pixels", index.ErrFormat, wide, high)
	}
	w, h = int(wide), int(high)
	if w > maxPixels/h {
		return 0, 0, fmt.Errorf("%d x %d pixels: %w, the limit is %d", w, h, index.ErrTooLarge, maxPixels)
	}
	return w, h, nil
}

// readGrid checks a grid and its tiles.
func (c *container) readGrid(it *item, p *picture, maxPixels int) (err error) {
	if p.props, err = c.properties(it); err != nil {
		return err
	}
	if p.w, p.h, err = extents(p.props, maxPixels); err != nil {
		return err
	}
	body, err := c.bytes(it)
	if err != nil {
		return err
	}
	r := reader{b: body}
	r.uint(1) // version
	size := 2
	if r.uint(1)&1 == 1 {
		size = 4
	}
	g := &grid{rows: int(r.uint(1)) + 1, cols: int(r.uint(1)) + 1}
	g.w, g.h = int(r.uint(size)), int(r.uint(size))
	n := g.rows * g.cols
	switch {
	case r.cut:
		return fmt.Errorf("its grid is %w", errCut)
	case g.w != p.w || g.h != p.h:
		return fmt.Errorf("its grid is %d x %d, its header says %d x %d", g.w, g.h, p.w, p.h)
	case n != len(it.sources):
		return fmt.Errorf("%d x %d tiles, and there are %d", g.cols, g.rows, len(it.sources))
	case n > maxTiles:
		return fmt.Errorf("%d tiles: %w, the limit is %d", n, index.ErrTooLarge, maxTiles)
	}
	p.grid = g
	total := 0
	for i, id := range it.sources {
		src := c.items[id]
		if src == nil {
			return fmt.Errorf("there is no tile %d", id)
		}
		t, err := c.tile(src, maxPixels)
		if err != nil {
			return fmt.Errorf("tile %d: %w", id, err)
		}
		if total += len(t.data); total > len(c.data) {
			return errors.New("its tiles are longer than the file")
		}
		if slices.ContainsFunc(t.props, property.transforms) {
			return fmt.Errorf("tile %d is turned or cropped", id)
		}
		if i > 0 && (t.frame != p.tiles[0].frame || t.kind != p.tiles[0].kind) {
			return fmt.Errorf("tile %d is %s, %+v, and the first %s, %+v", id, t.kind, t.frame, p.tiles[0].kind, p.tiles[0].frame)
		}
		p.tiles = append(p.tiles, t)
	}
	// The tiles cover the picture, and none lies outside of it: what they
	// take is in proportion to it.
	t := p.tiles[0]
	wide, high := int64(t.w)*int64(g.cols), int64(t.h)*int64(g.rows)
	if wide < int64(g.w) || wide-int64(t.w) >= int64(g.w) || high < int64(g.h) || high-int64(t.h) >= int64(g.h) {
		return fmt.Errorf("%d x %d tiles of %d x %d do not make %d x %d", g.cols, g.rows, t.w, t.h, g.w, g.h)
	}
	if high > 2*int64(maxPixels)/wide {
		return fmt.Errorf("%d tiles of %d x %d: %w, the limit is %d pixels", n, t.w, t.h, index.ErrTooLarge, maxPixels)
	}
	p.area = int(wide * high)
	return nil
}

// colours says what the numbers mean: as the item has it, or its tiles, or
// their pixels. Where nothing is said, they are JPEG's, as ISO/IEC 23000-22
// has it and libheif 1.15; what HEVC's VUI says is not read.
func (p *picture) colours() nclx {
	for _, props := range [][]property{p.props, p.tiles[0].props} {
		if n, ok := paint(props); ok {
			return n
		}
	}
	if p.tiles[0].kind == "av01" {
		return p.tiles[0].paint
	}
	return nclx{matrix: unspecified, full: true}
}

// transform applies the item's clap, irot and imir properties to its size, in
// their order (23008-12, 6.5.9, 6.5.10 and 6.5.12).
func (p *picture) transform() error {
	p.turns = turns(p.props)
	for _, prop := range p.props {
		switch prop.kind {
		case "irot":
			if len(prop.body) < 1 {
				return fmt.Errorf("property irot: %w", errCut)
			}
			if prop.body[0]&1 == 1 { // a quarter, or three
				p.w, p.h = p.h, p.w
			}
		case "imir":
			if len(prop.body) < 1 {
				return fmt.Errorf("property imir: %w", errCut)
			}
		case "clap":
			if err := p.crop(prop.body); err != nil {
				return fmt.Errorf("property clap: %w", err)
			}
		}
	}
	return nil
}

// crop applies a clean aperture, which must lie within the picture.
func (p *picture) crop(body []byte) error {
	if len(body) < 32 {
		return errCut
	}
	var v [8]int64
	for i := range v {
		v[i] = int64(int32(binary.BigEndian.Uint32(body[4*i:])))
	}
	for _, den := range []int64{v[1], v[3], v[5], v[7]} {
		if den <= 0 {
			return fmt.Errorf("a fraction of %d", den)
		}
	}
	w, h := float64(v[0])/float64(v[1]), float64(v[2])/float64(v[3])
	left := (float64(p.w)-w)/2 + float64(v[4])/float64(v[5])
	top := (float64(p.h)-h)/2 + float64(v[6])/float64(v[7])
	const half = 0.51 // what rounding may add
	if w < 1 || h < 1 || left < -half || top < -half || left+w > float64(p.w)+half || top+h > float64(p.h)+half {
		return fmt.Errorf("%g x %g at %g, %g of %d x %d", w, h, left, top, p.w, p.h)
	}
	p.w, p.h = int(math.Round(w)), int(math.Round(h))
	return nil
}

// turns lists the irot and imir properties in order.
func turns(props []property) []byte {
	var list []byte
	for _, p := range props {
		if (p.kind == "irot" || p.kind == "imir") && len(p.body) > 0 {
			list = append(list, p.kind[1], p.body[0]&3)
		}
	}
	return list
}

// thumbnails returns the pictures that may stand for p, smaller first: they
// are made of p's whole picture, and turned as it is.
func (c *container) thumbnails(id uint32, p *picture) []*picture {
	const look = 8 // so many are looked at
	var list []*picture
	for _, thumb := range c.items[id].thumbs[:min(look, len(c.items[id].thumbs))] {
		if thumb == id {
			continue
		}
		t, err := c.picture(thumb, p.area)
		if err != nil || t.w >= p.w || t.h >= p.h || !slices.Equal(t.turns, p.turns) {
			continue // the photo itself will do
		}
		// The same aspect, within a pixel of the thumbnail.
		if d := t.w*p.h - t.h*p.w; max(d, -d) > max(p.w, p.h) {
			continue
		}
		list = append(list, t)
	}
	slices.SortStableFunc(list, func(a, b *picture) int { return a.w - b.w })
	return list
}
