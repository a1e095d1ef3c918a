package raw

import "encoding/binary"

// maxSegments of a JPEG are looked at. Cameras write about ten; an ICC
// profile or a maker note may need some dozens.
const maxSegments = 512

// frame reads a JPEG's segments up to its image data (ITU-T T.81, annex B)
// and returns the size in its frame header. The error is errNotJPEG where the
// bytes do not begin as one, and errLossless for what image/jpeg and browsers
// do not decode: the sensor's own data in CR2 and DNG (SOF3), 12 bits, and
// the abbreviated streams of TIFF, whose tables are elsewhere.
func frame(b []byte) (width, height int, err error) {
	if len(b) < 4 || b[0] != 0xff || b[1] != 0xd8 || b[2] != 0xff {
		return 0, 0, errNotJPEG
	}
	tables := false
	p := 2
	for range maxSegments {
		if len(b)-p < 4 || b[p] != 0xff {
			return 0, 0, errNotJPEG
		}
		marker := b[p+1]
		if marker == 0xff { // a fill byte
			p++
			continue
		}
		n := int(binary.BigEndian.Uint16(b[p+2:]))
		if n < 2 || n > len(b)-p-2 {
			return 0, 0, errNotJPEG
		}
		body := b[p+4 : p+2+n]
		switch {
		case marker == 0xda: // SOS
			if width == 0 || height == 0 || !tables {
				return 0, 0, errLossless
			}
			return width, height, nil
		case marker == 0xdb: // DQT
			tables = true
		case marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc: // SOF, not DHT, JPG, DAC
			if marker > 0xc2 || len(body) < 6 || body[0] != 8 || body[5] != 1 && body[5] != 3 {
				return 0, 0, errLossless
			}
			height, width = int(binary.BigEndian.Uint16(body[1:])), int(binary.BigEndian.Uint16(body[3:]))
		}
		p += 2 + n
	}
	return 0, 0, errNotJPEG
}
