package raw

import (
	"encoding/binary"
	"iter"
)

// Limits of an ISO base media file. A CR3 has at most 6 tracks.
const (
	maxBoxes  = 256 // of one level
	maxTracks = 16
)

// The ids of Canon's boxes of type "uuid".
const (
	uuidMeta    = "\x85\xc0\xb6\x87\x82\x0f\x11\xe0\x81\x11\xf4\xce\x46\x2b\x6a\x48" // in moov: EXIF and thumbnail
	uuidPreview = "\xea\xf4\x2b\x5e\x1c\x98\x4b\x88\xb9\xfb\xb7\xdc\x40\x6e\x4d\x16"
)

// cr3 looks at the samples of the tracks, of which the first is the photo as
// a JPEG of full size and the others are sensor data, and at the preview and
// thumbnail in boxes of their own. Cameras that store these in HEVC for an
// HDR photo leave no JPEG.
func (f *finder) cr3() {
	for kind, body := range boxes(f.data) {
		switch kind {
		case "moov":
			tracks := 0
			for kind, body := range boxes(body) {
				switch {
				case kind == "trak" && tracks < maxTracks:
					tracks++
					f.track(body)
				case kind == "uuid" && hasUUID(body, uuidMeta):
					f.sized(child(body[16:], "THMB"), 8)
				}
			}
		case "uuid":
			// Behind the id stand a version and a count of 4 bytes each.
			if hasUUID(body, uuidPreview) && len(body) > 24 {
				f.sized(child(body[24:], "PRVW"), 12)
			}
		}
	}
}

func hasUUID(body []byte, id string) bool {
	return len(body) >= 16 && string(body[:16]) == id
}

// sized offers the JPEG of a PRVW or THMB box: its length stands at a place
// of the box's head of 16 bytes.
func (f *finder) sized(body []byte, length int) {
	if len(body) < 16 {
		return
	}
	n := uint64(binary.BigEndian.Uint32(body[length:]))
	if n > uint64(len(body)-16) {
		if f.fault == nil {
			f.fault = errCut
		}
		return
	}
	f.offer(body[16 : 16+n : 16+n])
}

// track offers the first sample of a track (ISO/IEC 14496-12, 8.7.3 sample
// sizes, 8.7.5 chunk offsets). A CR3 of a burst has further ones.
func (f *finder) track(trak []byte) {
	stbl := child(child(child(trak, "mdia"), "minf"), "stbl")
	be := binary.BigEndian
	sizes := child(stbl, "stsz")
	if len(sizes) < 12 {
		return
	}
	n := be.Uint32(sizes[4:])
	if n == 0 && len(sizes) >= 16 {
		n = be.Uint32(sizes[12:]) // each sample has a size of its own
	}
	var offset uint64
	if b := child(stbl, "co64"); len(b) >= 16 {
		offset = be.Uint64(b[8:])
	} else if b := child(stbl, "stco"); len(b) >= 12 {
		offset = uint64(be.Uint32(b[8:]))
	}
	f.at(offset, uint64(n))
}

// child is the body of the first box of a kind.
func child(b []byte, want string) []byte {
	for kind, body := range boxes(b) {
		if kind == want {
			return body
		}
	}
	return nil
}

// boxes yields the type and the body of each box (14496-12, 4.2). It ends at
// one that claims more than there is.
func boxes(b []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for range maxBoxes {
			if len(b) < 8 {
				return
			}
			kind := string(b[4:8])
			size, head := uint64(binary.BigEndian.Uint32(b)), uint64(8)
			switch size {
			case 0: // to the end
				size = uint64(len(b))
			case 1:
				if len(b) < 16 {
					return
				}
				size, head = binary.BigEndian.Uint64(b[8:]), 16
			}
			if size < head || size > uint64(len(b)) || !yield(kind, b[head:size]) {
				return
			}
			b = b[size:]
		}
	}
}
