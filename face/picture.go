package face

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
	"math/bits"

	"github.com/disintegration/imaging"

	"github.com/kith-photos/kith/face/internal/pixel"
)

// Picture is an upright photo prepared for analysis: whatever a model wants
// to see of it (the whole in small, a tile, an aligned face) is one [Picture.Warp]
// from the photo's own pixels to the model's input.
//
// Warping far down from full size would alias, so Picture reads from copies of
// half, quarter, ... size; a warp takes the one nearest to its own scale. A
// copy is made when first needed, by the photo's Source or out of a larger one.
// The photo is never turned: its EXIF orientation is folded into the warp. A
// Picture is not safe for concurrent use.
type Picture struct {
	w, h   int    // upright
	turn   Affine // upright photo to stored pixels
	src    Source
	sw, sh int // as stored
	levels []*level
	err    error // of the source
}

// level is the photo, as stored, at about 1/2^k of its size: either planar
// YCbCr or packed RGBA.
type level struct {
	w, h   int
	shrink float64 // pixels to one of the photo's, along a side
	pix    []byte  // RGBA, 4*w bytes a row; nil when ycc is set
	ycc    *image.YCbCr
}

// ErrEmpty is returned for a photo of no width or height.
var ErrEmpty = errors.New("face: photo has no pixels")

// NewPicture prepares an image. One made by [Upright] is read with its
// orientation. The usual YCbCr and opaque RGBA pixels are read in place, so img
// must not change while the Picture is used; other kinds are converted once,
// over white where they are transparent.
func NewPicture(img image.Image) (*Picture, error) {
	o := 1
	if u, ok := img.(*upright); ok {
		img, o = u.Image, u.orientation
	}
	return PictureOf(Whole(img), o)
}

// PictureOf prepares a photo that its source decodes as far as the warps need
// it, with its EXIF orientation (see [Upright]). What the source's images are
// made of is treated as by [NewPicture]. Warps cannot fail: see [Picture.Err].
func PictureOf(src Source, orientation int) (*Picture, error) {
	w, h := src.Size()
	if w <= 0 || h <= 0 {
		return nil, fmt.Errorf("%w: %dx%d", ErrEmpty, w, h)
	}
	p := &Picture{w: w, h: h, turn: orient(orientation, w, h), src: src, sw: w, sh: h}
	if orientation >= 5 && orientation <= 8 {
		p.w, p.h = h, w
	}
	p.levels = make([]*level, bits.Len(uint(min(w, h))))
	return p, nil
}

// Err is the error of the photo's source, if it had any: then what was warped
// since shows nothing, or less than it should, and is not to be used.
func (p *Picture) Err() error { return p.err }

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
	lv := p.level(k)
	in := m.Then(p.turn.Then(Affine{A: lv.shrink, E: lv.shrink}))
	n := w * h
	out := planes{w: w, h: h, pack: pack, endX: float64(p.sw) * lv.shrink, endY: float64(p.sh) * lv.shrink}
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

// level returns the copy at 1/2^k, or the smallest there is.
func (p *Picture) level(k int) *level {
	k = min(k, len(p.levels)-1)
	if p.levels[k] != nil {
		return p.levels[k]
	}
	from := k
	for from > 0 && p.levels[from] == nil {
		from--
	}
	if p.levels[from] == nil {
		from = p.decode(k)
	}
	for ; from < k; from++ {
		lv := p.levels[from]
		if lv.w > 1 && lv.h > 1 {
			lv = lv.half()
		}
		p.levels[from+1] = lv
	}
	return p.levels[k]
}

// decode has the source make a copy for k, and returns which one it made: k
// itself, or a larger one to make it of.
func (p *Picture) decode(k int) int {
	img, shrink, err := p.src.Level(k)
	if err == nil && (img.Bounds().Empty() || !(shrink > 0 && shrink <= 1)) {
		err = fmt.Errorf("%w: %v at %v of the photo", ErrEmpty, img.Bounds(), shrink)
	}
	if err != nil {
		p.err = errors.Join(p.err, err)
		p.levels[k] = &level{w: 1, h: 1, shrink: 1 / float64(max(p.sw, p.sh)), pix: make([]byte, 4)}
		return k
	}
	lv := newLevel(img, shrink)
	made := min(len(p.levels)-1, int(math.Floor(-math.Log2(shrink)+1e-9)))
	if made <= k {
		p.levels[made] = lv
		return made
	}
	for i := k; i <= made; i++ { // this is the finest there is
		if p.levels[i] == nil {
			p.levels[i] = lv
		}
	}
	return k
}

// newLevel takes over an image's pixels, converting them where the warps
// cannot read them.
func newLevel(img image.Image, shrink float64) *level {
	b := img.Bounds()
	lv := &level{w: b.Dx(), h: b.Dy(), shrink: shrink}
	switch m := img.(type) {
	case *image.YCbCr:
		if onGrid(m) {
			lv.ycc = m
		}
	case *image.RGBA:
		if m.Opaque() && m.Stride == 4*lv.w {
			lv.pix = m.Pix[m.PixOffset(b.Min.X, b.Min.Y):]
		}
	case *image.NRGBA:
		if m.Opaque() && m.Stride == 4*lv.w {
			lv.pix = m.Pix[m.PixOffset(b.Min.X, b.Min.Y):]
		}
	}
	if lv.ycc == nil && lv.pix == nil {
		lv.pix = flatten(img).Pix
	}
	return lv
}

// half is the level at half the size, each pixel the mean of four. An odd last
// row or column is dropped, which shifts nothing.
func (l *level) half() *level {
	out := &level{w: l.w / 2, h: l.h / 2, shrink: l.shrink / 2}
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
		pixel.Halve(d, a, b)
	}
	return out, w
}
