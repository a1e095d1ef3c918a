package exif

// heifTurn is the orientation that says the same as the irot and imir properties
// of a HEIF file's primary item, by which its decoder turns the coded image
// (ISO/IEC 23008-12, 6.5.10 and 6.5.12; 14496-12, 8.11); 1 where it has none or
// they cannot be read.
func heifTurn(data []byte) int {
	var primary uint64
	var properties, associations []byte
	// The walks end at what is broken; the faults are heif's to report.
	_ = boxes(data, func(kind string, body []byte) bool {
		if kind != "meta" || len(body) < 4 {
			return kind != "meta"
		}
		_ = boxes(body[4:], func(kind string, body []byte) bool {
			switch kind {
			case "pitm":
				p := boxReader{b: body}
				primary = p.uint(4) >> 24 // the version, and then the id
				primary = p.uint(2 + 2*int(min(primary, 1)))
			case "iprp":
				_ = boxes(body, func(kind string, body []byte) bool {
					switch kind {
					case "ipco":
						properties = body
					case "ipma":
						associations = body
					}
					return true
				})
			}
			return true
		})
		return false
	})
	turn := upright
	for _, index := range associated(associations, primary) {
		i := 0
		_ = boxes(properties, func(kind string, body []byte) bool {
			if i++; i == index {
				turn = compose(turn, transform(kind, body))
			}
			return i < index
		})
	}
	return turn
}

// transform is the orientation of one property: irot turns by quarters against
// the clock; imir exchanges top and bottom (axis 0), or left and right.
func transform(kind string, body []byte) int {
	switch {
	case len(body) == 0:
	case kind == "irot":
		return [4]int{1, 8, 3, 6}[body[0]&3]
	case kind == "imir":
		return [2]int{4, 2}[body[0]&1]
	}
	return upright
}

// associated lists the indices, from 1, of an item's properties in their order.
func associated(ipma []byte, item uint64) []int {
	p := boxReader{b: ipma}
	head := p.uint(4)
	idSize, indexSize := 2, 1
	if head>>24 > 0 {
		idSize = 4
	}
	if head&1 != 0 {
		indexSize = 2
	}
	for range p.uint(4) { // each takes bytes of the box, so that its end ends the loop
		id, n := p.uint(idSize), int(p.uint(1))
		if p.cut {
			break
		}
		indices := p.bytes(uint64(n * indexSize))
		if id != item {
			continue
		}
		out := make([]int, 0, len(indices)/indexSize)
		for q := (boxReader{b: indices}); len(q.b) > 0; {
			index := q.uint(indexSize) & (1<<(8*indexSize-1) - 1) // the top bit: essential
			out = append(out, int(index))
		}
		return out
	}
	return nil
}

// compose is the orientation that does what two do one after the other.
func compose(first, then int) int {
	// An area that no two orientations map alike.
	probe := rect{0, 0, 0.25, 0.5}
	want := probe.turn(first).turn(then)
	for o := range 8 {
		if probe.turn(o+1) == want {
			return o + 1
		}
	}
	return upright
}
