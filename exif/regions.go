package exif

import (
	"fmt"
	"math"
	"slices"
)

const maxRegions = 1000 // of one file

var errTooManyRegions = fmt.Errorf("more than %d regions: %w", maxRegions, errTooLarge)

// shapeTolerance is the part by which two ratios of width to height may differ
// and still count as one: a photo of 160 pixels that was made smaller is off by
// up to half a pixel, which is 0.3 percent.
const shapeTolerance = 0.01

// Region is one marked part of a photo.
type Region struct {
	// Name is the name that is written beside it: trimmed, valid UTF-8 without
	// control characters, at most 1024 bytes; it may be empty.
	Name string
	// Type is "Face", "Pet", "Focus", "BarCode" or whatever was written; empty
	// where nothing was.
	Type string
	// X, Y, W, H are left, top, width and height as fractions of the upright
	// photo's width and height, within [0,1]; W and H are above 0.
	X, Y, W, H float64
}

// Area is one region as it stands in the file: relative to the photo as it is
// stored, which is how the pixels lie in the file before the orientation turns
// them. It may lie outside of the photo, and have no extent.
type Area struct {
	Name, Type string // as in Region
	// X and Y are the centre, W and H the width and height, as fractions of the
	// stored photo's width and height.
	X, Y, W, H float64
	// D is the diameter of a circle, which has no W and H, as a fraction of the
	// stored photo's smaller side.
	D float64
}

// Regions are those of one photo or sidecar. The zero value has none.
type Regions struct {
	Areas []Area // in the order of the file; duplicates are kept
	// Width and Height are mwg-rs:AppliedToDimensions: the size of the photo on
	// which the regions were drawn. 0, 0 where it is not written.
	Width, Height float64
	// Orientation is the tiff:Orientation written beside the regions, 1 to 8, or
	// 0 where there is none.
	Orientation int
	// Turn is the orientation, 1 to 8, by which the decoder of a HEIF file has
	// turned the photo already (its irot and imir properties), for which Decode
	// gives Meta.Orientation 1; 0 for other files. ReadRegions finds it. For a
	// sidecar of a HEIF file set it to what ReadRegions finds in the photo.
	Turn int
}

// ReadRegions reads the regions in the XMP of a photo. The argument is the whole
// file, of any container that Decode knows; in a JPEG file the extended XMP
// (XMP part 3, 1.1.3.1) is read too. ReadRegions keeps no part of data.
//
// Faults are reported as by Decode, those of the container among them: the good
// regions are returned beside one or several *Error. A photo without regions
// gives no areas and no error.
func ReadRegions(data []byte) (Regions, error) {
	f := open(data)
	f.findXMP()
	r := f.regions()
	if f.container == "heif" {
		r.Turn = heifTurn(data)
	}
	return r, f.err()
}

// ParseRegions reads the regions of an XMP packet or sidecar of at most 1 MiB.
// Faults are reported as by ReadRegions, with the container "xmp".
//
// It reads MWG regions (Metadata Working Group, Guidelines for handling image
// metadata 2.0, section 5.9) and, where these name no face, Microsoft's
// (MP:RegionInfo, "People Tagging Overview" of the Windows Imaging Component):
// programs that write both write the same faces twice. Names without an area
// (Iptc4xmpExt:PersonInImage, a people tag of Microsoft's without a rectangle)
// are no regions.
//
// At most 1000 regions are read. A region with a broken area, or with a name of
// more than 1024 bytes, is left out and reported.
func ParseRegions(packet []byte) (Regions, error) {
	f := &file{container: "xmp", xmps: [][]byte{packet}}
	return f.regions(), f.err()
}

// regions reads all packets. The first with regions of a kind is the file's
// own: later ones are left over from embedded images.
func (f *file) regions() Regions {
	var all packetRegions
	read := func(packet []byte) {
		p := f.readRegions(packet)
		if o := all.mwg.Orientation; len(all.mwg.Areas) == 0 {
			all.mwg = p.mwg
			if o != 0 {
				all.mwg.Orientation = o
			}
		}
		if len(all.microsoft) == 0 {
			all.microsoft = p.microsoft
		}
	}
	for _, packet := range f.xmps {
		read(packet)
	}
	if len(all.mwg.Areas) == 0 && len(f.extended) > 0 {
		if packet, err := f.joinExtendedXMP(); err != nil {
			f.fault("extended XMP", err)
		} else if packet != nil {
			read(packet)
		}
	}
	r := all.mwg
	if !slices.ContainsFunc(r.Areas, isFace) {
		r.Areas = append(r.Areas, all.microsoft...)
	}
	if len(r.Areas) > maxRegions { // of both kinds together
		f.fault("XMP MPRI:Regions", errTooManyRegions)
		r.Areas = r.Areas[:maxRegions]
	}
	return r
}

// isFace: a region without a type is taken for a face, the only type that
// Microsoft's regions have and that most programs write.
func isFace(a Area) bool { return a.Type == "Face" || a.Type == "" }

// Upright gives the regions relative to the upright photo, clipped to it. An
// area that is not finite or of which nothing is left, such as a focus point, is
// left out.
//
// The arguments are Meta.Orientation, 1 to 8 (others count as 1), and the size
// in pixels of the stored photo: before that orientation, so that with 5 to 8
// width is the upright photo's height. For a HEIF file both are those of what
// its decoder gives.
//
// Areas are relative to the stored image: MWG 2.0, section 5.9, applies region
// metadata to the stored image and wants it turned where the Exif orientation is
// applied. digiKam and Immich read it so. Microsoft's rectangles are read alike:
// digiKam writes the same numbers in both forms, and Windows Photo Gallery wrote
// them as before the turn.
//
// A program that writes areas of the upright photo instead gives itself away by
// AppliedToDimensions: with orientations 5 to 8, if its ratio of width to height
// is, to one percent, that of the upright photo and not that of the stored one,
// areas are taken as upright. Squares, and orientations 2 to 4, do not tell, and
// are read by the rule.
//
// The stored image of a HEIF file is taken to be the coded one, before Turn.
// There a packet whose Orientation is 1 counts as written by a program that saw
// the turned photo, if AppliedToDimensions does not tell otherwise.
func (r Regions) Upright(orientation, storedWidth, storedHeight int) []Region {
	o, w, h := r.frame(orientation, float64(storedWidth), float64(storedHeight))
	var out []Region
	for _, a := range r.Areas {
		if a.W == 0 && a.H == 0 && a.D > 0 && w > 0 && h > 0 {
			a.W, a.H = a.D*min(w, h)/w, a.D*min(w, h)/h
		}
		box := rect{a.X - a.W/2, a.Y - a.H/2, a.X + a.W/2, a.Y + a.H/2}.turn(o).clip()
		if !box.empty() {
			out = append(out, Region{a.Name, a.Type, box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0})
		}
	}
	return out
}

// Fits reports whether the photo still has the shape of the one on which the
// regions were drawn. If it does not, the photo was cropped or its pixels were
// turned since, and the regions are likely beside what they marked. It is true
// where AppliedToDimensions is not written. The arguments are those of Upright.
func (r Regions) Fits(orientation, storedWidth, storedHeight int) bool {
	_, w, h := r.frame(orientation, float64(storedWidth), float64(storedHeight))
	return r.Width <= 0 || r.Height <= 0 || sameShape(r.Width, r.Height, w, h)
}

// frame gives the orientation that turns the areas upright, and the size of the
// picture that they are relative to.
func (r Regions) frame(orientation int, w, h float64) (int, float64, float64) {
	o, drawnUpright := orientation, false
	if o < 1 || o > 8 {
		o = 1
	}
	if o == 1 && r.Turn > 1 && r.Turn <= 8 {
		o, drawnUpright = r.Turn, r.Orientation == 1
		if o >= 5 {
			w, h = h, w
		}
	}
	if o >= 5 {
		stored, turned := sameShape(r.Width, r.Height, w, h), sameShape(r.Width, r.Height, h, w)
		if stored != turned {
			drawnUpright = turned
		}
	}
	if drawnUpright {
		if o >= 5 {
			w, h = h, w
		}
		o = 1
	}
	return o, w, h
}

// sameShape compares the ratios of width to height. It is false where one is not
// known.
func sameShape(w1, h1, w2, h2 float64) bool {
	return w1 > 0 && h1 > 0 && w2 > 0 && h2 > 0 && math.Abs(w1*h2-h1*w2) <= shapeTolerance*w1*h2
}

// rect is an area by its edges, as fractions of the photo.
type rect struct{ x0, y0, x1, y1 float64 }

// turn maps an area of the stored photo to the upright one (CIPA DC-008, tag
// 0x0112: which side of the photo the first row and the first column show).
func (b rect) turn(orientation int) rect {
	switch orientation {
	case 2:
		return rect{1 - b.x1, b.y0, 1 - b.x0, b.y1}
	case 3:
		return rect{1 - b.x1, 1 - b.y1, 1 - b.x0, 1 - b.y0}
	case 4:
		return rect{b.x0, 1 - b.y1, b.x1, 1 - b.y0}
	case 5:
		return rect{b.y0, b.x0, b.y1, b.x1}
	case 6:
		return rect{1 - b.y1, b.x0, 1 - b.y0, b.x1}
	case 7:
		return rect{1 - b.y1, 1 - b.x1, 1 - b.y0, 1 - b.x0}
	case 8:
		return rect{b.y0, 1 - b.x1, b.y1, 1 - b.x0}
	}
	return b
}

// unturn maps an area of the upright photo to the stored one.
func (b rect) unturn(orientation int) rect {
	switch orientation {
	case 6:
		return b.turn(8)
	case 8:
		return b.turn(6)
	}
	return b.turn(orientation) // done twice, the others do nothing
}

func (b rect) clip() rect {
	return rect{max(b.x0, 0), max(b.y0, 0), min(b.x1, 1), min(b.y1, 1)}
}

// empty reports whether there is nothing in a clipped area. NaN is nothing.
func (b rect) empty() bool { return !(b.x1 > b.x0 && b.y1 > b.y0) }
