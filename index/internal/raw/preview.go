// Package raw finds the JPEG that a camera put into its RAW file.
//
// kith does not develop RAW files. Nearly every camera stores a JPEG of the
// same picture beside the sensor's data, for its own screen and for browsers,
// and that one is looked at. The formats, and where each keeps its JPEGs:
//
//	DNG  IFD0 and SubIFDs, one strip with JPEG compression (DNG 1.7, "Preview Images")
//	CR2  IFD0, one strip
//	CR3  first track, PRVW and THMB boxes (ISO/IEC 14496-12 with Canon's own boxes)
//	NEF  SubIFDs, and the preview directory of the maker note
//	ARW  IFD0, and IFD2 of newer cameras
//	RAF  offset and length in the file's header
//	ORF  camera settings in the maker note
//	RW2  IFD0, tags 0x002e and 0x0127
//	PEF  IFD2, and the maker note
//	SRW and other TIFF/EP files: any directory
//
// Where a comment names no standard, the layout is the one that the tag
// documentation of exiftool (exiftool.org/TagNames) gives, and the tests hold
// this package against that program.
//
// # Orientation
//
// A preview is stored as the sensor saw it, and carries as a rule no EXIF of
// its own: the orientation in the RAW file's main directory, which
// exif.Decode reads, applies to it. That is how DNG defines it, and how
// viewers treat CR2, CR3, NEF, ARW, ORF, PEF and SRW. The JPEGs of RAF and RW2 do
// have EXIF, with the same orientation; in RAF it is the file's only one. A
// few early cameras (the Nikon E5700 is one) turned the preview and kept the
// orientation of the sensor's data; see Preview.Orientation. An orientation
// in a preview's own EXIF is not asked: it agrees with the main one, or is
// what an editor forgot to change along with it.
package raw

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
)

// minSide is the least length in pixels of the longer side of a usable
// preview. What is below is the EXIF thumbnail of 160 x 120 pixels (CIPA
// DC-008), in which a face of a group photo has no features left: to look
// there and find nothing would read as "no faces".
const minSide = 320

// ErrNoPreview is the error for a RAW file in which no usable JPEG was found.
var ErrNoPreview = errors.New("no usable preview")

var (
	errCut      = errors.New("it lies beyond the end of the file")
	errLossless = errors.New("not a DCT JPEG of 8 bits")
	errNotJPEG  = errors.New("not a JPEG")
)

// Preview is a JPEG inside a RAW file.
type Preview struct {
	Format        string // of the RAW file: "DNG", "CR2", "CR3", "NEF", "ARW", "RAF", "ORF", "RW2", "PEF", "SRW", ...
	JPEG          []byte // a part of the file's own bytes, not a copy
	Width, Height int    // pixels, from the JPEG's own frame header
	// Orientation is 0 where the RAW file's EXIF orientation applies to the
	// preview, which is the rule, and 1 where the preview is upright as
	// stored: its sides are swapped against those of the sensor's data.
	Orientation int
}

// Match reports whether a file that starts with head (12 bytes are enough) may
// be a RAW file by its first bytes. Those of most formats are TIFF's.
func Match(head []byte) bool {
	for _, magic := range []string{"FUJIFILMCCD-RAW ", "II*\x00", "MM\x00*", "IIRO", "IIRS", "MMOR", "IIU\x00"} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return true
		}
	}
	return isCR3(head)
}

func isCR3(head []byte) bool { return len(head) >= 12 && string(head[4:12]) == "ftypcrx " }

// Find returns the largest JPEG in a RAW file that shows the whole photo. The
// JPEG is baseline, extended or progressive, with 8 bits a sample, and at
// least 320 pixels long on its longer side; its image data is not checked.
//
// ok is false where data is no RAW file. That is decided by content alone:
// a TIFF is one only if it says so with DNG's or Canon's mark, with a colour
// filter array, or with a compression that only cameras write; see isRAW. A
// RAW file without a usable preview gives ok, the format's name, and an error
// that wraps ErrNoPreview and says what was there instead.
//
// Find allocates next to nothing, whatever the lengths in the file are, and
// looks at no more than 64 directories.
func Find(data []byte) (p Preview, ok bool, err error) {
	f := finder{data: data}
	switch {
	case bytes.HasPrefix(data, []byte("FUJIFILMCCD-RAW ")):
		f.best.Format = "RAF"
		f.raf()
	case isCR3(data):
		f.best.Format = "CR3"
		f.cr3()
	default:
		if f.best.Format = f.tiff(); f.best.Format == "" {
			return Preview{}, false, nil
		}
	}
	if f.best.JPEG == nil {
		return f.best, true, f.failure()
	}
	if f.best.Format != "DNG" && f.sides*cmp.Compare(f.best.Width, f.best.Height) < 0 {
		// Not in DNG, where a portrait preview is a crop made by an editor.
		f.best.Orientation = 1
	}
	return f.best, true, nil
}

// finder collects what one file has.
type finder struct {
	data  []byte
	best  Preview
	sides int    // sign of width less height of the sensor's data; 0: unknown
	small [2]int // width and height of the largest JPEG below minSide
	fault error  // why the first other candidate is none
}

func (f *finder) failure() error {
	switch {
	case f.fault != nil:
		return fmt.Errorf("%s: %w: %w", f.best.Format, ErrNoPreview, f.fault)
	case f.small != [2]int{}:
		return fmt.Errorf("%s: %w: only a thumbnail of %d x %d pixels", f.best.Format, ErrNoPreview, f.small[0], f.small[1])
	}
	return fmt.Errorf("%s: %w", f.best.Format, ErrNoPreview)
}

// at offers the n bytes at an offset of the file.
func (f *finder) at(offset, n uint64) {
	size := uint64(len(f.data))
	if n == 0 || offset == 0 {
		return // how a camera says that there is none
	}
	if offset > size || n > size-offset {
		if f.fault == nil {
			f.fault = errCut
		}
		return
	}
	f.offer(f.data[offset : offset+n : offset+n])
}

// offer takes b if it is the largest usable JPEG so far.
func (f *finder) offer(b []byte) {
	w, h, err := frame(b)
	switch {
	case errors.Is(err, errNotJPEG):
	case err != nil:
		if f.fault == nil {
			f.fault = err
		}
	case max(w, h) < minSide:
		if w*h > f.small[0]*f.small[1] {
			f.small = [2]int{w, h}
		}
	case uint64(w)*uint64(h) > uint64(f.best.Width)*uint64(f.best.Height):
		f.best.JPEG, f.best.Width, f.best.Height = b, w, h
	}
}

// raf reads Fujifilm's header: the JPEG's offset and length stand at bytes 84
// and 88, big-endian.
func (f *finder) raf() {
	if len(f.data) < 92 {
		f.fault = errCut
		return
	}
	be := binary.BigEndian
	f.at(uint64(be.Uint32(f.data[84:])), uint64(be.Uint32(f.data[88:])))
}
