package turbojpeg

import (
	"fmt"
	"image"
	"runtime"
	"unsafe"
)

// units are the sides of a subsampling's MCU, in blocks of 8 by 8 pixels: how
// many luma pixels there are to one of chroma.
var units = [...]struct{ x, y int }{S444: {1, 1}, S422: {2, 1}, S420: {2, 2}, Gray: {1, 1}, S440: {1, 2}, S411: {4, 1}}

// ratios are the same for package image.
var ratios = [...]image.YCbCrSubsampleRatio{
	S444: image.YCbCrSubsampleRatio444, S422: image.YCbCrSubsampleRatio422, S420: image.YCbCrSubsampleRatio420,
	S440: image.YCbCrSubsampleRatio440, S411: image.YCbCrSubsampleRatio411,
}

// limitScans is TJFLAG_LIMITSCANS: a progressive file of more than 500 scans
// is an error and does not keep the processor busy for minutes. Versions that
// do not know it ignore it.
const limitScans = 32768

// Decode decodes a JPEG, which must be Planar, at 1/2^k of its size, k in 0..3:
// the sides are those of the whole divided by 2^k and rounded up. The result is
// an *image.YCbCr or *image.Gray. What the library only warns of, such as a
// file that ends too early, is an error.
func (d *Decoder) Decode(data []byte, k int) (image.Image, error) {
	h, err := d.Header(data)
	if err != nil {
		return nil, err
	}
	if !h.Planar || k < 0 || k > 3 {
		return nil, fmt.Errorf("libjpeg-turbo: cannot decode %+v at 1/2^%d", h, k)
	}
	w, ht := ceil(h.Width, 1<<k), ceil(h.Height, 1<<k)
	unit := units[h.Subsampling]
	// The planes are as large as whole units need (tjPlaneWidth, tjPlaneHeight).
	cw, ch := ceil(w, unit.x), ceil(ht, unit.y)
	pw, ph := cw*unit.x, ch*unit.y
	luma := make([]byte, pw*ph)
	planes := [3]*byte{unsafe.SliceData(luma)}
	strides := [3]int32{int32(pw), int32(cw), int32(cw)}
	var img image.Image
	if h.Subsampling == Gray {
		img = &image.Gray{Pix: luma, Stride: pw, Rect: image.Rect(0, 0, w, ht)}
	} else {
		chroma := make([]byte, 2*cw*ch)
		cb, cr := chroma[:cw*ch:cw*ch], chroma[cw*ch:]
		planes[1], planes[2] = unsafe.SliceData(cb), unsafe.SliceData(cr)
		img = &image.YCbCr{
			Y: luma, Cb: cb, Cr: cr, YStride: pw, CStride: cw,
			SubsampleRatio: ratios[h.Subsampling], Rect: image.Rect(0, 0, w, ht),
		}
	}
	// C gets a pointer to pointers.
	var pin runtime.Pinner
	defer pin.Unpin()
	for _, p := range planes {
		if p != nil {
			pin.Pin(p)
		}
	}
	if d.lib.planes(d.handle, unsafe.SliceData(data), uint(len(data)),
		&planes[0], int32(w), &strides[0], int32(ht), limitScans) != 0 {
		return nil, d.fault()
	}
	return img, nil
}

func ceil(n, unit int) int { return (n + unit - 1) / unit }
