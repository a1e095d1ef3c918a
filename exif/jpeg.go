package exif

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// JPEG markers (ITU-T T.81, table B.1).
const (
	mTEM  = 0x01
	mRST0 = 0xd0
	mRST7 = 0xd7
	mSOI  = 0xd8
	mEOI  = 0xd9
	mSOS  = 0xda
	mAPP1 = 0xe1
)

// jpeg walks the segments up to the image data and takes the EXIF and XMP
// ones (CIPA DC-008, 4.7.2; XMP part 3). Whatever follows the image,
// such as the further images of a multi-picture file, is not looked at.
func (f *file) jpeg() {
	for p := 2; ; {
		// A marker may be preceded by fill bytes, and in damaged files by
		// stray ones, which decoders skip as well.
		skip := bytes.IndexByte(f.data[p:], 0xff)
		if skip < 0 {
			return
		}
		for p += skip; p < len(f.data) && f.data[p] == 0xff; p++ {
		}
		if p == len(f.data) {
			return
		}
		marker := f.data[p]
		p++
		switch {
		case marker == mSOS || marker == mEOI:
			return
		case marker == 0 || marker == mTEM || marker == mSOI || marker >= mRST0 && marker <= mRST7:
			continue // stands alone
		case p+2 > len(f.data):
			return
		}
		n := int(binary.BigEndian.Uint16(f.data[p:]))
		if n < 2 {
			f.fault(fmt.Sprintf("segment 0x%02x", marker), fmt.Errorf("length %d", n))
			return
		}
		end := p + n
		if end > len(f.data) {
			end = len(f.data)
			if marker == mAPP1 {
				f.fault("segment APP1", errCut)
			}
		}
		if marker == mAPP1 {
			f.app1(f.data[p+2 : end])
		}
		p = end
	}
}

func (f *file) app1(b []byte) {
	switch {
	case bytes.HasPrefix(b, []byte("Exif\x00")):
		if !f.addExif(b) {
			f.fault("segment APP1", errNotTIFF)
		}
	case bytes.HasPrefix(b, []byte("http://ns.adobe.com/xap/1.0/\x00")):
		f.addXMP(b[29:])
	case bytes.HasPrefix(b, []byte("XMP\x00://ns.adobe.com/xap/1.0/\x00")):
		f.addXMP(b[29:]) // written so by some picture agencies' software
	case bytes.HasPrefix(b, []byte(extendedXMPName)):
		f.addExtendedXMP(b[len(extendedXMPName):])
	}
}
