package heic

import (
	"errors"
	"fmt"
	"slices"

	"github.com/kith-photos/kith/index"
)

// Limits of a file's description. A phone's photo of 48 megapixels has 200
// items and 500 references.
const (
	maxItems   = 1 << 13
	maxLinks   = 1 << 16 // references, and properties of items, in all
	maxExtents = 32      // of one item
)

// container is the description of a HEIF file: the meta box and the bytes
// that its items lie in.
type container struct {
	data, idat []byte
	primary    uint32
	items      map[uint32]*item
	props      []box // ipco's, which items refer to by number from 1
}

// item is one of a file's items: a picture, a tile of one, or metadata.
type item struct {
	id      uint32
	kind    string // its type, as infe has it
	props   []association
	method  uint64 // where its extents lie: 0 the file, 1 idat
	extents []extent
	sources []uint32 // what it is derived from, in order (dimg)
	thumbs  []uint32 // thumbnails of it (thmb)
}

type association struct {
	index     int
	essential bool
}

type extent struct{ offset, length uint64 }

// parse reads a file's description (ISO/IEC 23008-12, 6; 14496-12, 8.11).
func parse(data []byte) (*container, error) {
	top, err := boxes(data)
	i := slices.IndexFunc(top, func(b box) bool { return b.kind == "meta" })
	if i < 0 {
		if err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("%w: there is no meta box: a film, or a layout that is not known", index.ErrFormat)
	}
	body, _, _ := top[i].full()
	parts, err := boxes(body.b)
	if err != nil {
		return nil, fmt.Errorf("box meta: %w", err)
	}
	c := &container{data: data, items: map[uint32]*item{}}
	// Items are named before they are described, in whichever order the file
	// has its boxes.
	for _, step := range []struct {
		kind string
		read func(box) error
		need bool
	}{
		{"iinf", c.readItems, true},
		{"pitm", c.readPrimary, true},
		{"iprp", c.readProperties, true},
		{"idat", func(b box) error { c.idat = b.body; return nil }, false},
		{"iloc", c.readLocations, true},
		{"iref", c.readReferences, false},
	} {
		i := slices.IndexFunc(parts, func(b box) bool { return b.kind == step.kind })
		switch {
		case i >= 0:
			if err := step.read(parts[i]); err != nil {
				return nil, fmt.Errorf("box %s: %w", step.kind, err)
			}
		case step.need:
			return nil, fmt.Errorf("there is no box %s", step.kind)
		}
	}
	return c, nil
}

func (c *container) readPrimary(b box) error {
	r, version, _ := b.full()
	c.primary = r.id(version > 0)
	if r.cut {
		return errCut
	}
	return nil
}

// readItems reads the items' types (14496-12, 8.11.6).
func (c *container) readItems(b box) error {
	r, version, _ := b.full()
	r.id(version > 0) // the count: the boxes say it themselves
	entries, err := boxes(r.b)
	if err != nil {
		return err
	}
	for _, e := range entries {
		r, version, _ := e.full()
		if e.kind != "infe" || version < 2 {
			continue // versions 0 and 1 have no item type
		}
		id := r.id(version > 2)
		r.uint(2) // protection
		kind := string(r.bytes(4))
		if r.cut {
			return errCut
		}
		if _, twice := c.items[id]; twice {
			return fmt.Errorf("item %d twice", id)
		}
		if len(c.items) == maxItems {
			return fmt.Errorf("more than %d items", maxItems)
		}
		c.items[id] = &item{id: id, kind: kind}
	}
	return nil
}

// readProperties reads ipco and every ipma (23008-12, 9.3).
func (c *container) readProperties(b box) error {
	parts, err := boxes(b.body)
	if err != nil {
		return err
	}
	links := 0
	for _, p := range parts {
		switch p.kind {
		case "ipco":
			if c.props != nil {
				return errors.New("two boxes ipco")
			}
			if c.props, err = boxes(p.body); err != nil {
				return fmt.Errorf("ipco: %w", err)
			}
		case "ipma":
			r, version, flags := p.full()
			for range r.uint(4) { // each takes bytes of the box, so that its end ends the loop
				id := r.id(version > 0)
				it := c.items[id]
				n := int(r.uint(1))
				if links += n; links > maxLinks {
					return fmt.Errorf("more than %d properties of items", maxLinks)
				}
				for range n {
					size := 1 + int(flags&1)
					v := r.uint(size)
					top := uint64(1) << (8*size - 1)
					if it != nil {
						it.props = append(it.props, association{index: int(v &^ top), essential: v&top != 0})
					}
				}
				if r.cut {
					return fmt.Errorf("ipma: %w", errCut)
				}
			}
		}
	}
	return nil
}

// readLocations reads where the items' bytes lie (14496-12, 8.11.3).
func (c *container) readLocations(b box) error {
	r, version, _ := b.full()
	if version > 2 {
		return fmt.Errorf("version %d", version)
	}
	sizes := r.uint(2)
	offsetSize, lengthSize := int(sizes>>12), int(sizes>>8&15)
	baseSize, indexSize := int(sizes>>4&15), int(sizes&15)
	if max(offsetSize, lengthSize, baseSize, indexSize) > 8 {
		return errors.New("field sizes above 8")
	}
	count := r.id(version == 2)
	for range count { // each takes bytes of the box, so that its end ends the loop
		id := r.id(version == 2)
		method := uint64(0)
		if version > 0 {
			method = r.uint(2) & 15
		}
		r.uint(2) // data reference
		base := r.uint(baseSize)
		n := r.uint(2)
		if n > maxExtents {
			return fmt.Errorf("item %d in %d parts", id, n)
		}
		var extents []extent
		for range n {
			if version > 0 {
				r.uint(indexSize)
			}
			offset, length := r.uint(offsetSize), r.uint(lengthSize)
			if offset += base; offset < base {
				return fmt.Errorf("item %d: %w", id, errCut)
			}
			extents = append(extents, extent{offset, length})
		}
		if r.cut {
			return errCut
		}
		if it := c.items[id]; it != nil && it.extents == nil {
			it.method, it.extents = method, extents
		}
	}
	return nil
}

// readReferences reads which items are made of or stand for others (14496-12,
// 8.11.12).
func (c *container) readReferences(b box) error {
	r, version, _ := b.full()
	refs, err := boxes(r.b)
	if err != nil {
		return err
	}
	links := 0
	for _, ref := range refs {
		r := reader{b: ref.body}
		from := r.id(version > 0)
		n := int(r.uint(2))
		if links += n; links > maxLinks {
			return fmt.Errorf("more than %d references", maxLinks)
		}
		for range n {
			to := r.id(version > 0)
			switch {
			case r.cut:
				return fmt.Errorf("%s: %w", ref.kind, errCut)
			case ref.kind == "dimg" && c.items[from] != nil:
				c.items[from].sources = append(c.items[from].sources, to)
			case ref.kind == "thmb" && c.items[to] != nil:
				c.items[to].thumbs = append(c.items[to].thumbs, from)
			}
		}
	}
	return nil
}

// bytes returns an item's bytes, joined where they lie in parts.
func (c *container) bytes(it *item) ([]byte, error) {
	from := c.data
	switch it.method {
	case 0:
	case 1:
		from = c.idat
	default:
		return nil, fmt.Errorf("item %d has construction method %d", it.id, it.method)
	}
	var parts [][]byte
	total, size := uint64(0), uint64(len(from))
	for _, e := range it.extents {
		if e.length == 0 && e.offset < size { // up to the end
			e.length = size - e.offset
		}
		if e.offset > size || e.length > size-e.offset {
			return nil, fmt.Errorf("item %d: %d bytes at offset %d of %d: %w", it.id, e.length, e.offset, size, errCut)
		}
		if total += e.length; total > size {
			return nil, fmt.Errorf("item %d is longer than the file", it.id)
		}
		parts = append(parts, from[e.offset:e.offset+e.length])
	}
	switch {
	case total == 0:
		return nil, fmt.Errorf("item %d has no bytes", it.id)
	case len(parts) == 1:
		return parts[0], nil
	}
	return slices.Concat(parts...), nil
}
