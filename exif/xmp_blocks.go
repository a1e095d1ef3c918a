package exif

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// findXMP takes the XMP packets that lie inside of TIFF blocks.
func (f *file) findXMP() {
	for _, block := range f.tiffs {
		scan := scanTIFF(block, dirMain, f.fault)
		if scan.xmp != nil {
			f.addXMP(scan.xmp)
		}
		if scan.jpeg != nil {
			inner := file{data: scan.jpeg, container: f.container, faults: f.faults}
			inner.jpeg()
			for _, packet := range inner.xmps {
				f.addXMP(packet)
			}
			f.faults = inner.faults
		}
	}
}

// Extended XMP (XMP part 3, 1.1.3.1): a JPEG segment holds 64 KiB, so what a
// packet has no room for stands in a second one, cut into segments. Each begins
// with the MD5 of the second packet in hexadecimal, its whole length, and the
// part's offset in it. The first packet names the MD5.
const (
	extendedXMPName = "http://ns.adobe.com/xmp/extension/\x00"
	maxExtendedXMP  = 256 // segments
)

type extendedXMP struct {
	id            string
	total, offset uint64
	part          []byte
}

// namedIn reports whether a packet names the second one, whichever way it
// spells the property (xmpNote:HasExtendedXMP).
func (x extendedXMP) namedIn(packet []byte) bool {
	return bytes.Contains(packet, []byte(x.id))
}

func (f *file) addExtendedXMP(b []byte) {
	p := boxReader{b: b}
	x := extendedXMP{id: string(p.bytes(32)), total: p.uint(4), offset: p.uint(4), part: p.b}
	if !p.cut && len(f.extended) < maxExtendedXMP {
		f.extended = append(f.extended, x)
	}
}

// joinExtendedXMP puts together the packet that one of the first packets names;
// nil where there is none.
func (f *file) joinExtendedXMP() ([]byte, error) {
	parts := slices.DeleteFunc(slices.Clone(f.extended), func(x extendedXMP) bool {
		return !slices.ContainsFunc(f.xmps, x.namedIn)
	})
	if len(parts) == 0 {
		return nil, nil
	}
	first := parts[0]
	if first.total > maxXMP {
		return nil, fmt.Errorf("%d bytes: %w", first.total, errTooLarge)
	}
	slices.SortStableFunc(parts, func(a, b extendedXMP) int { return cmp.Compare(a.offset, b.offset) })
	var packet []byte
	for _, x := range parts {
		switch have := uint64(len(packet)); {
		case x.id != first.id:
			return nil, errors.New("two packets in one file")
		case x.offset != have:
			return nil, fmt.Errorf("%d bytes are followed by those from %d: %w", have, x.offset, errCut)
		case have+uint64(len(x.part)) > first.total:
			return nil, fmt.Errorf("more than its %d bytes: %w", first.total, errTooLarge)
		}
		packet = append(packet, x.part...)
	}
	if uint64(len(packet)) < first.total {
		return nil, fmt.Errorf("%d of %d bytes: %w", len(packet), first.total, errCut)
	}
	return packet, nil
}
