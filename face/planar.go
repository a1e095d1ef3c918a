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

// table maps a colour of 8 bits to what the model wants.
func (p Packing) table() (t [256]float32) {
	for i := range t {
		t[i] = (float32(i) - p.Mean) * p.Scale
	}
	return t
}

// weight is a tap's t in 1/256.
func (t tap) weight() int32 { return int32(t.t*256 + 0.5) }

// fromYCbCr interpolates luma and takes the chroma of the nearest pixel, which
// is what image/jpeg's own conversion does. Grey is luma as it is.
func (o *planes) fromYCbCr(m *image.YCbCr, a Affine) {
	s, tab := newPlanar(m), o.pack.table()
	switch {
	case a.B == 0 && a.D == 0:
		u := o.across(a.A, a.C, axis{s.w, 1, s.shiftX, 1, o.endX})
		o.rows(&s, u, a.E, a.F, axis{s.h, s.stride, s.shiftY, s.cs, o.endY}, &tab)
	case a.A == 0 && a.E == 0: // a photo that its orientation turns
		u := o.across(a.D, a.F, axis{s.h, s.stride, s.shiftY, s.cs, o.endY})
		o.rows(&s, u, a.B, a.C, axis{s.w, 1, s.shiftX, 1, o.endX}, &tab)
	default:
		o.turned(&s, a, &tab)
	}
}

// axis is a side of the source: its pixels, how far apart in memory they are,
// how often chroma is halved along it and how far apart that is, and where the
// photo ends.
type axis struct {
	n, step int
	shift   uint
	chroma  int
	end     float64
}

// columns are those of an output, of which those from..to are inside of the
// photo.
type columns struct {
	all      []pixel.Column
	from, to int
}

// column is where a column of the output with this tap reads in memory.
func (x axis) column(t tap) pixel.Column {
	return pixel.Column{I: int32(t.i * x.step), J: int32(t.j * x.step), C: int32(t.nearest() >> x.shift * x.chroma), T: t.weight()}
}

// across works out the columns of an output that reads at scale*(u+0.5)+shift.
func (o *planes) across(scale, shift float64, x axis) (c columns) {
	c.all, c.from = make([]pixel.Column, o.w), o.w
	for u := range c.all {
		if t, ok := at(scale*(float64(u)+0.5)+shift, x.n, x.end); ok {
			c.all[u] = x.column(t)
			c.from, c.to = min(c.from, u), u+1
		}
	}
	return c
}

// rows is fromYCbCr where rows and columns of the output run along those of
// the source, or the other way round.
func (o *planes) rows(s *planar, cols columns, scale, shift float64, y axis, tab *[256]float32) {
	fill := (o.pack.Fill - o.pack.Mean) * o.pack.Scale
	for v := range o.h {
		t, ok := at(scale*(float64(v)+0.5)+shift, y.n, y.end)
		from, to := cols.from, cols.to
		if !ok || from > to {
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
		row := y.column(t)
		if o.g == nil {
			pixel.GreyRow(out[0], cols.all[from:to], s.luma[row.I:], s.luma[row.J:], row.T, tab)
		} else {
			pixel.ColourRow(out, cols.all[from:to], s.luma[row.I:], s.luma[row.J:], s.cb[row.C:], s.cr[row.C:], row.T, tab)
		}
	}
}

// turned is fromYCbCr for any map, such as that of an aligned face.
func (o *planes) turned(s *planar, a Affine, tab *[256]float32) {
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
			s.sample(o, tab, i, tx, ty)
		}
	}
}

// sample writes one pixel.
func (s *planar) sample(o *planes, tab *[256]float32, i int, x, y tap) {
	top, bot := s.luma[y.i*s.stride:], s.luma[y.j*s.stride:]
	v := pixel.Bilinear(top[x.i], top[x.j], bot[x.i], bot[x.j], x.weight(), y.weight())
	if o.g == nil {
		o.r[i] = tab[pixel.Byte(v)]
		return
	}
	c := y.nearest()>>s.shiftY*s.cs + x.nearest()>>s.shiftX
	r, g, b := pixel.RGB(v, s.cb[c], s.cr[c])
	o.r[i], o.g[i], o.b[i] = tab[r], tab[g], tab[b]
}

func fillWith(dst []float32, v float32) {
	for i := range dst {
		dst[i] = v
	}
}
