package face

import (
	"image"

	"github.com/kith-photos/kith/face/internal/pixel"
)

// planar reads a YCbCr picture whose chroma planes are halved by shifting: see
// onGrid. The arithmetic is in whole numbers, positions and weights in 1/256
// of a pixel, and a colour is rounded to 8 bits as decoders do it.
type planar struct {
	luma, cb, cr   []byte
	stride, cs     int // of luma, of chroma
	w, h           int
	shiftX, shiftY uint
}

func newPlanar(m *image.YCbCr) planar {
	x0, y0 := m.Rect.Min.X, m.Rect.Min.Y
	c := m.COffset(x0, y0)
	p := planar{
		luma: m.Y[m.YOffset(x0, y0):], cb: m.Cb[c:], cr: m.Cr[c:],
		stride: m.YStride, cs: m.CStride, w: m.Rect.Dx(), h: m.Rect.Dy(),
	}
	if m.SubsampleRatio != image.YCbCrSubsampleRatio444 {
		p.shiftX = 1
	}
	if m.SubsampleRatio == image.YCbCrSubsampleRatio420 {
		p.shiftY = 1
	}
	return p
}

// weight is a tap's t in 1/256.
func (t tap) weight() int32 { return int32(t.t*256 + 0.5) }

// fromYCbCr interpolates luma and takes the chroma of the nearest pixel, which
// is what image/jpeg's own conversion does. Grey is luma as it is.
func (o *planes) fromYCbCr(m *image.YCbCr, a Affine) {
	s := newPlanar(m)
	x, y := axis{s.w, s.shiftX, o.endX}, axis{s.h, s.shiftY, o.endY}
	switch {
	case a.B == 0 && a.D == 0:
		o.rows(&s, x.span(o.w, a.A, a.C), y.span(o.h, a.E, a.F))
	case a.A == 0 && a.E == 0: // a photo that its orientation turns
		cols, rows := y.span(o.w, a.D, a.F), x.span(o.h, a.B, a.C)
		if cols.from < cols.to && rows.from < rows.to {
			s = s.transposed(cols, rows, o.g != nil)
		}
		o.rows(&s, cols, rows)
	default:
		o.turned(&s, a)
	}
}

// axis is a side of the source: its pixels, how often chroma is halved along
// it, and where the photo ends.
type axis struct {
	n     int
	shift uint
	end   float64
}

// span is where the columns of an output read along a side of the source, or
// its rows: those from..to are inside of the photo.
type span struct {
	all      []pixel.Column
	from, to int
}

// span works it out for n columns that read at scale*(u+0.5)+shift.
func (x axis) span(n int, scale, shift float64) span {
	s := span{all: make([]pixel.Column, n), from: n}
	for u := range s.all {
		if t, ok := at(scale*(float64(u)+0.5)+shift, x.n, x.end); ok {
			s.all[u] = pixel.Column{I: int32(t.i), J: int32(t.j), C: int32(t.nearest() >> x.shift), T: t.weight()}
			s.from, s.to = min(s.from, u), u+1
		}
	}
	return s
}

// transposed is the part of the source that an output reads whose columns run
// down and whose rows run across it. cols and rows, which are not empty, read
// in the part from now on.
func (s *planar) transposed(cols, rows span, colour bool) planar {
	x, w, cx, cw := pixel.Cut(rows.all[rows.from:rows.to])
	y, h, cy, ch := pixel.Cut(cols.all[cols.from:cols.to])
	part := planar{stride: h, cs: ch}
	part.luma = make([]byte, w*h)
	pixel.Transpose(part.luma, s.luma[y*s.stride+x:], s.stride, w, h)
	if colour {
		part.cb, part.cr = make([]byte, cw*ch), make([]byte, cw*ch)
		pixel.Transpose(part.cb, s.cb[cy*s.cs+cx:], s.cs, cw, ch)
		pixel.Transpose(part.cr, s.cr[cy*s.cs+cx:], s.cs, cw, ch)
	}
	return part
}

// rows is fromYCbCr where rows and columns of the output run along those of
// the source.
func (o *planes) rows(s *planar, cols, rows span) {
	norm := pixel.NewNorm(o.pack.Mean, o.pack.Scale)
	fill := (o.pack.Fill - o.pack.Mean) * o.pack.Scale
	if cols.from >= cols.to {
		cols.from, cols.to = o.w, o.w
	}
	inside := pixel.Prepare(cols.all[cols.from:cols.to])
	for v, row := range rows.all {
		from, to := cols.from, cols.to
		if v < rows.from || v >= rows.to {
			from, to = o.w, o.w
		}
		var out [3][]float32
		for k, p := range [3][]float32{o.r, o.g, o.b} {
			if p != nil {
				p = p[v*o.w:][:o.w]
				fillWith(p[:from], fill)
				fillWith(p[to:], fill)
				out[k] = p[from:to]
			}
		}
		if from == to {
			continue
		}
		top, bot := s.luma[int(row.I)*s.stride:], s.luma[int(row.J)*s.stride:]
		if o.g == nil {
			inside.Grey(out[0], top, bot, row.T, &norm)
		} else {
			c := int(row.C) * s.cs
			inside.Colour(out, top, bot, s.cb[c:], s.cr[c:], row.T, &norm)
		}
	}
}

// turned is fromYCbCr for any map, such as that of an aligned face.
func (o *planes) turned(s *planar, a Affine) {
	norm := pixel.NewNorm(o.pack.Mean, o.pack.Scale)
	fill := (o.pack.Fill - o.pack.Mean) * o.pack.Scale
	for v := range o.h {
		for u := range o.w {
			p := a.Apply(Point{float64(u) + 0.5, float64(v) + 0.5})
			x, y := p.X-0.5, p.Y-0.5
			i := v*o.w + u
			tx, ty := tap{i: int(x), j: int(x) + 1}, tap{i: int(y), j: int(y) + 1}
			if x >= 0 && y >= 0 && tx.j < s.w && ty.j < s.h { // well inside
				tx.t, ty.t = float32(x-float64(tx.i)), float32(y-float64(ty.i))
			} else {
				var okx, oky bool
				tx, okx = at(p.X, s.w, o.endX)
				ty, oky = at(p.Y, s.h, o.endY)
				if !okx || !oky {
					o.r[i] = fill
					if o.g != nil {
						o.g[i], o.b[i] = fill, fill
					}
					continue
				}
			}
			s.sample(o, &norm, i, tx, ty)
		}
	}
}

// sample writes one pixel.
func (s *planar) sample(o *planes, norm *pixel.Norm, i int, x, y tap) {
	top, bot := s.luma[y.i*s.stride:], s.luma[y.j*s.stride:]
	v := pixel.Bilinear(top[x.i], top[x.j], bot[x.i], bot[x.j], x.weight(), y.weight())
	if o.g == nil {
		o.r[i] = norm.Of(pixel.Byte(v))
		return
	}
	c := y.nearest()>>s.shiftY*s.cs + x.nearest()>>s.shiftX
	r, g, b := pixel.RGB(v, s.cb[c], s.cr[c])
	o.r[i], o.g[i], o.b[i] = norm.Of(r), norm.Of(g), norm.Of(b)
}

func fillWith(dst []float32, v float32) {
	for i := range dst {
		dst[i] = v
	}
}
