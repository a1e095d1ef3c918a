package exif

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/rwcarlsen/goexif/tiff"
)

// RAW files that are TIFF inside are read as such; here are the others.

const rafMagic = "FUJIFILMCCD-RAW "

// Ids of boxes of type "uuid": Canon's own (as exiftool's documentation of
// CR3 has it) and that of XMP (XMP part 3, ISO base media files).
const (
	uuidCanon = "\x85\xc0\xb6\x87\x82\x0f\x11\xe0\x81\x11\xf4\xce\x46\x2b\x6a\x48"
	uuidXMP   = "\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac"
)

// raf reads the EXIF and XMP of the JPEG in a Fujifilm RAW file: the file has
// no other. The JPEG's offset and length stand at bytes 84 and 88.
func (f *file) raf() {
	size := uint64(len(f.data))
	if size < 92 {
		f.fault("header", errCut)
		return
	}
	from, n := uint64(binary.BigEndian.Uint32(f.data[84:])), uint64(binary.BigEndian.Uint32(f.data[88:]))
	if from > size || n > size-from {
		f.fault("header", fmt.Errorf("JPEG of %d bytes at offset %d of %d: %w", n, from, size, errCut))
		n = size - min(from, size)
	}
	if n < 2 {
		return
	}
	f.data = f.data[from : from+n]
	if bytes.HasPrefix(f.data, []byte{0xff, mSOI}) {
		f.jpeg()
	}
}

// cr3 finds the metadata of Canon's RAW file (ISO/IEC 14496-12 with Canon's
// boxes): in a box of moov, each of IFD0, the Exif and the GPS directory as
// the first directory of a TIFF block of its own; and XMP beside moov.
func (f *file) cr3() {
	found := false
	err := boxes(f.data, func(kind string, body []byte) bool {
		switch {
		case kind == "uuid" && bytes.HasPrefix(body, []byte(uuidXMP)):
			f.addXMP(body[len(uuidXMP):])
		case kind == "moov":
			found = true
			f.moov(body)
		}
		return true
	})
	if err != nil && !found { // that the photo behind it is cut is no matter here
		f.fault("boxes", err)
	}
}

func (f *file) moov(body []byte) {
	if err := boxes(body, func(kind string, body []byte) bool {
		if kind == "uuid" && bytes.HasPrefix(body, []byte(uuidCanon)) {
			f.canon(body[len(uuidCanon):])
		}
		return true
	}); err != nil {
		f.fault("box moov", err)
	}
}

func (f *file) canon(body []byte) {
	if err := boxes(body, func(kind string, body []byte) bool {
		dir, ok := map[string]int{"CMT1": dirMain, "CMT2": dirExif, "CMT4": dirGPS}[kind]
		switch {
		case !ok || f.split[dir] != nil:
		case isTIFF(body):
			f.split[dir] = body
		default:
			f.fault("box "+kind, errNotTIFF)
		}
		return true
	}); err != nil {
		f.fault("box uuid", err)
	}
}

// readSplit reads directories that stand in TIFF blocks of their own.
func (f *file) readSplit() (src source) {
	defer f.fence()
	dirs := make([]*tiff.Dir, dirCount)
	for dir, block := range f.split {
		if block == nil {
			dirs[dir] = new(tiff.Dir)
			continue
		}
		all, err := scanTIFF(block, dir, f.fault).decode()
		if err != nil {
			f.fault(dirName(dir), err)
			return source{}
		}
		dirs[dir] = all[dir]
	}
	return f.source(dirs)
}

// readEmbedded reads the EXIF of the JPEG in a Panasonic RAW file. Old
// cameras have the time and the position only there.
func (f *file) readEmbedded() (src source) {
	inner := file{data: f.embedded, container: f.container, faults: f.faults}
	inner.jpeg()
	for _, block := range inner.tiffs {
		src.fill(inner.readTIFF(block)) // a JPEG found in that one is not read
	}
	for _, packet := range inner.xmps {
		f.addXMP(packet)
	}
	f.faults = inner.faults
	return src
}
