package exif

import (
	"encoding/binary"
	"fmt"
)

// webp walks the RIFF chunks (RFC 9649, section 2). The EXIF chunk
// begins with the TIFF header; files with a JPEG's "Exif\0\0" before it exist.
func (f *file) webp() {
	for p := 12; len(f.data)-p >= 8; {
		kind := string(f.data[p : p+4])
		n := uint64(binary.LittleEndian.Uint32(f.data[p+4:]))
		body := f.data[p+8:]
		whole := n <= uint64(len(body))
		if whole {
			body = body[:n]
		}
		switch kind {
		case "EXIF":
			if !f.addExif(body) {
				f.fault("chunk EXIF", errNotTIFF)
			}
		case "XMP ":
			f.addXMP(body)
		}
		if !whole {
			if kind == "EXIF" || kind == "XMP " {
				f.fault(fmt.Sprintf("chunk %q", kind), errCut)
			}
			return
		}
		p += 8 + int(n+n%2) // chunks are padded to even sizes
	}
}
