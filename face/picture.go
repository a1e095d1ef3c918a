package face

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"

	"github.com/disintegration/imaging"
)

// Picture is an upright photo prepared for analysis: whatever a model wants
// to see of it (the whole in small, a tile, an aligned face) is one [Picture.Warp]
// from the photo's own pixels to the model's input.
//
// Warping far down from full size would alias, so Picture keeps copies of
// half, quarter, ... size, made when first needed; a warp reads the copy
// nearest to its own scale. The photo is never turned: its EXIF orientation
// is folded into the warp. A Picture is not safe for concurrent use.
type Picture struct {
	w, h   int    // upright
	turn   Affine // upright photo to stored pixels
	levels []level
}

// level is the photo at 1/2^k of its size, as stored: either planar YCbCr or
// packed RGBA.
type level struct {
	w, h int
	pix  []byte // RGBA, 4*w bytes a row; nil when ycc is set
	ycc  *image.YCbCr
}

// ErrEmpty is returned for a photo of no width or height.
var ErrEmpty = errors.New("face: photo has no pixels")

// NewPicture prepares img. An image made by [Upright] is read with its
// orientation. The usual YCbCr and opaque RGBA pixels are read in place, so img must not
// change while the Picture is used; other kinds are converted once, over
// white where they are transparent.
func NewPicture(img image.Image) (*Picture, error) {
	o := 1
	if u, ok := img.(*upright); ok {
		img, o = u.Image, u.orientation
	}
	b := img.Bounds()
	if b.Empty() {
		return nil, fmt.Errorf("%w: %dx%d", ErrEmpty, b.Dx(), b.Dy())
	}
	p := &Picture{w: b.Dx(), h: b.Dy(), turn: orient(o, b.Dx(), b.Dy())}
	if o >= 5 {
		p.w, p.h = p.h, p.w
	}
	base := level{w: b.Dx(), h: b.Dy()}
	switch m := img.(type) {
	case *image.YCbCr:
		if onGrid(m) {
			base.ycc = m
		}
	case *image.RGBA:
		if m.Opaque() && m.Stride == 4*base.w {
			base.pix = m.Pix[m.PixOffset(b.Min.X, b.Min.Y):]
		}
	case *image.NRGBA:
		if m.Opaque() && m.Stride == 4*base.w {
			base.pix = m.Pix[m.PixOffset(b.Min.X, b.Min.Y):]
		}
	}
	if base.ycc == nil && base.pix == nil {
		base.pix = flatten(img).Pix
	}
	p.levels = []level{base}
	return p, nil
}

// flatten converts any image to packed RGBA over white. imaging.Clone knows
// the fast way for each of the standard library's types.
func flatten(img image.Image) *image.NRGBA {
	m := imaging.Clone(img)
	if m.Opaque() {
		return m
	}
	over := image.NewNRGBA(m.Rect)
	draw.Draw(over, over.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(over, over.Rect, m, m.Rect.Min, draw.Over)
	return over
}

// Size is the upright photo's width and height in pixels.
func (p *Picture) Size() (w, h int) { return p.w, p.h }

// Packing says how a model wants its pixels: a value v in 0..255 becomes
// (v-Mean)*Scale. What lies outside the photo is Fill, in 0..255 as well.
type Packing struct {
	Order Order
	Mean  float32
	Scale float32
	Fill  float32
}

// Order is the order of the colour planes.
type Order uint8

// The colour orders; Gray is one plane of BT.601 luma.
const (
	RGB Order = iota
	BGR
	Gray
)

// Planes is the number of colour planes: 1 or 3.
func (o Order) Planes() int {
	if o == Gray {
		return 1
	}
	return 3
}

// Warp samples the photo into dst as float32 planes (NCHW with N = 1) of w by
// h pixels: the output pixel with centre (u+0.5, v+0.5) is taken from
// m.Apply(u+0.5, v+0.5) of the upright photo, bilinearly. dst must hold
// Planes*w*h values.
func (p *Picture) Warp(dst []float32, w, h int, m Affine, pack Packing) {
	scale := m.Scale()
	// The copy whose pixels are nearest in size to the output's: between 0.7
	// and 1.4 of its pixels to one of ours.
	k := 0
	if scale > math.Sqrt2 {
		k = int(math.Floor(math.Log2(scale) + 0.5))
	}
	lv, shrink := p.level(k)
	in := p.turn.Then(Affine{A: shrink, E: shrink})
	in = m.Then(in)
	n := w * h
	base := &p.levels[0]
	out := planes{w: w, h: h, pack: pack, endX: float64(base.w) * shrink, endY: float64(base.h) * shrink}
	switch pack.Order {
	case Gray:
		out.r = dst[:n]
	case BGR:
		out.b, out.g, out.r = dst[:n], dst[n:2*n], dst[2*n:3*n]
	default:
		out.r, out.g, out.b = dst[:n], dst[n:2*n], dst[2*n:3*n]
	}
	if lv.ycc != nil {
		out.fromYCbCr(lv.ycc, in)
		return
	}
	out.fromRGBA(lv, in)
}

// Crop renders w by h pixels of the upright photo, for showing a face.
// Pixels outside the photo are grey.
func (p *Picture) Crop(b Box, w, h int) *image.NRGBA {
	buf := make([]float32, 3*w*h)
	m := Affine{A: b.W / float64(w), C: b.X, E: b.H / float64(h), F: b.Y}
	p.Warp(buf, w, h, m, Packing{Order: RGB, Scale: 1, Fill: 127})
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	n := w * h
	for i := range n {
		img.Pix[4*i] = uint8(buf[i] + 0.5)
		img.Pix[4*i+1] = uint8(buf[n+i] + 0.5)
		img.Pix[4*i+2] = uint8(buf[2*n+i] + 0.5)
		img.Pix[4*i+3] = 255
	}
	return img
}

// level returns the copy at 1/2^k, or the smallest there is, and its scale.
func (p *Picture) level(k int) (*level, float64) {
	for len(p.levels) <= k {
		last := &p.levels[len(p.levels)-1]
		if last.w < 2 || last.h < 2 {
			break
		}
		p.levels = append(p.levels, last.half())
	}
	k = min(k, len(p.levels)-1)
	return &p.levels[k], 1 / float64(int(1)<<k)
}

// half is the level at half the size, each pixel the mean of four. An odd last
// row or column is dropped, which shifts nothing.
func (l *level) half() level {
	out := level{w: l.w / 2, h: l.h / 2}
	if l.ycc != nil {
		out.ycc = halfYCbCr(l.ycc, out.w, out.h)
		return out
	}
	out.pix = make([]byte, 4*out.w*out.h)
	for y := range out.h {
		a := l.pix[4*l.w*2*y:][:8*out.w]
		b := l.pix[4*l.w*(2*y+1):][:8*out.w]
		d := out.pix[4*out.w*y:][:4*out.w]
		for i, j := 0, 0; i < len(d); i, j = i+4, j+8 {
			d[i] = uint8((uint(a[j]) + uint(a[j+4]) + uint(b[j]) + uint(b[j+4]) + 2) >> 2)
			d[i+1] = uint8((uint(a[j+1]) + uint(a[j+5]) + uint(b[j+1]) + uint(b[j+5]) + 2) >> 2)
			d[i+2] = uint8((uint(a[j+2]) + uint(a[j+6]) + uint(b[j+2]) + uint(b[j+6]) + 2) >> 2)
			d[i+3] = 255
		}
	}
	return out
}

// onGrid reports whether halving the picture leaves a chroma sample for every
// pixel: the usual layouts, and no odd cut out of a larger picture. Others are
// converted.
func onGrid(m *image.YCbCr) bool {
	switch m.SubsampleRatio {
	case image.YCbCrSubsampleRatio444:
		return true
	case image.YCbCrSubsampleRatio422:
		return m.Rect.Min.X%2 == 0
	case image.YCbCrSubsampleRatio420:
		return m.Rect.Min.X%2 == 0 && m.Rect.Min.Y%2 == 0
	default:
		return false
	}
}

// halfYCbCr halves a planar picture without converting it: luma always, chroma
// where it has the resolution. The result has a chroma sample for each pixel;
// of 4:2:0, the usual JPEG, it shares the chroma planes as they are.
func halfYCbCr(m *image.YCbCr, w, h int) *image.YCbCr {
	fx, fy := 2, 2
	if m.SubsampleRatio != image.YCbCrSubsampleRatio444 {
		fx = 1
	}
	if m.SubsampleRatio == image.YCbCrSubsampleRatio420 {
		fy = 1
	}
	x0, y0 := m.Rect.Min.X, m.Rect.Min.Y
	chroma := m.COffset(x0, y0)
	out := &image.YCbCr{SubsampleRatio: image.YCbCrSubsampleRatio444, Rect: image.Rect(0, 0, w, h)}
	out.Y, out.YStride = halfPlane(m.Y[m.YOffset(x0, y0):], m.YStride, w, h, 2, 2)
	out.Cb, out.CStride = halfPlane(m.Cb[chroma:], m.CStride, w, h, fx, fy)
	out.Cr, _ = halfPlane(m.Cr[chroma:], m.CStride, w, h, fx, fy)
	return out
}

// halfPlane makes w by h means of fx by fy values of a plane, each 1 or 2.
func halfPlane(src []byte, stride, w, h, fx, fy int) (out []byte, outStride int) {
	if fx == 1 && fy == 1 {
		return src, stride
	}
	out = make([]byte, w*h)
	for y := range h {
		a := src[y*fy*stride:][:w*fx]
		b := src[(y*fy+fy-1)*stride:][:w*fx]
		d := out[y*w:][:w]
		if fx == 1 {
			for x := range d {
				d[x] = uint8((uint(a[x]) + uint(b[x]) + 1) >> 1)
			}
			continue
		}
		for x, i := 0, 0; x < len(d); x, i = x+1, i+2 {
			d[x] = uint8((uint(a[i]) + uint(a[i+1]) + uint(b[i]) + uint(b[i+1]) + 2) >> 2)
		}
	}
	return out, w
}
