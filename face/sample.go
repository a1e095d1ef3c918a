package face

import "math"

// planes is the output of one warp. With Gray only r is set.
type planes struct {
	w, h    int
	r, g, b []float32
	pack    Packing
	// endX and endY are where the photo ends, in pixels of the copy that is
	// read: up to one beyond the copy, which drops odd rows and columns.
	endX, endY float64
}

// put writes one pixel, given its colour in 0..255.
func (o *planes) put(i int, r, g, b float32) {
	p := &o.pack
	if o.g == nil {
		o.r[i] = (0.299*r + 0.587*g + 0.114*b - p.Mean) * p.Scale
		return
	}
	o.r[i] = (r - p.Mean) * p.Scale
	o.g[i] = (g - p.Mean) * p.Scale
	o.b[i] = (b - p.Mean) * p.Scale
}

// tap is where a bilinear sample reads along one axis: two neighbours and the
// weight of the second.
type tap struct {
	i, j int
	t    float32
}

// at clamps a position (in pixels, centres at .5) to the n pixels of an axis;
// ok is false half a pixel and more outside of the photo, which ends at end.
func at(pos float64, n int, end float64) (tp tap, ok bool) {
	if !(pos >= -0.5 && pos <= end+0.5) {
		return tap{}, false
	}
	pos -= 0.5
	f := math.Floor(pos)
	i := int(f)
	return tap{max(0, min(n-1, i)), max(0, min(n-1, i+1)), float32(pos - f)}, true
}

func lerp(a, b byte, t float32) float32 { return float32(a) + t*(float32(b)-float32(a)) }

// walk calls sample for every output pixel that reads inside a w by h source
// and fills the others. Where output rows run along source rows, as they do
// for a detector's input, the taps of a column are worked out once.
func (o *planes) walk(m Affine, w, h int, sample func(i int, x, y tap)) {
	fill := o.pack.Fill
	if m.B == 0 && m.D == 0 {
		cols, inside := o.columns(m, w)
		for v := range o.h {
			ty, ok := at(m.E*(float64(v)+0.5)+m.F, h, o.endY)
			for u := range cols {
				if ok && inside[u] {
					sample(v*o.w+u, cols[u], ty)
				} else {
					o.put(v*o.w+u, fill, fill, fill)
				}
			}
		}
		return
	}
	for v := range o.h {
		for u := range o.w {
			p := m.Apply(Point{float64(u) + 0.5, float64(v) + 0.5})
			tx, okx := at(p.X, w, o.endX)
			ty, oky := at(p.Y, h, o.endY)
			if okx && oky {
				sample(v*o.w+u, tx, ty)
			} else {
				o.put(v*o.w+u, fill, fill, fill)
			}
		}
	}
}

func (o *planes) fromRGBA(l *level, m Affine) {
	if m.B == 0 && m.D == 0 && o.g != nil {
		o.rowsRGBA(l, m)
		return
	}
	o.walk(m, l.w, l.h, func(i int, x, y tap) {
		a := l.pix[4*(y.i*l.w+x.i):][:3]
		b := l.pix[4*(y.i*l.w+x.j):][:3]
		c := l.pix[4*(y.j*l.w+x.i):][:3]
		d := l.pix[4*(y.j*l.w+x.j):][:3]
		var rgb [3]float32
		for k := range 3 {
			top, bottom := lerp(a[k], b[k], x.t), lerp(c[k], d[k], x.t)
			rgb[k] = top + y.t*(bottom-top)
		}
		o.put(i, rgb[0], rgb[1], rgb[2])
	})
}

// rowsRGBA is fromRGBA for the case that costs most: the colour input of a
// detector, whose rows run along the photo's.
func (o *planes) rowsRGBA(l *level, m Affine) {
	fill := (o.pack.Fill - o.pack.Mean) * o.pack.Scale
	shift, scale := -o.pack.Mean*o.pack.Scale, o.pack.Scale
	cols, inside := o.columns(m, l.w)
	for v := range o.h {
		ty, ok := at(m.E*(float64(v)+0.5)+m.F, l.h, o.endY)
		r, g, b := o.r[v*o.w:][:o.w], o.g[v*o.w:][:o.w], o.b[v*o.w:][:o.w]
		top := l.pix[4*ty.i*l.w:][:4*l.w]
		bot := l.pix[4*ty.j*l.w:][:4*l.w]
		for u, c := range cols {
			if !ok || !inside[u] {
				r[u], g[u], b[u] = fill, fill, fill
				continue
			}
			w11 := c.t * ty.t
			w10, w01 := ty.t-w11, c.t-w11
			w00 := 1 - c.t - w10
			p, q := top[4*c.i:][:3], top[4*c.j:][:3]
			s, t := bot[4*c.i:][:3], bot[4*c.j:][:3]
			r[u] = (w00*float32(p[0])+w01*float32(q[0])+w10*float32(s[0])+w11*float32(t[0]))*scale + shift
			g[u] = (w00*float32(p[1])+w01*float32(q[1])+w10*float32(s[1])+w11*float32(t[1]))*scale + shift
			b[u] = (w00*float32(p[2])+w01*float32(q[2])+w10*float32(s[2])+w11*float32(t[2]))*scale + shift
		}
	}
}

// columns works out where the columns of an output read along a source row of
// n pixels.
func (o *planes) columns(m Affine, n int) (taps []tap, inside []bool) {
	taps, inside = make([]tap, o.w), make([]bool, o.w)
	for u := range taps {
		taps[u], inside[u] = at(m.A*(float64(u)+0.5)+m.C, n, o.endX)
	}
	return taps, inside
}

// nearest is the index of the nearer of a tap's two pixels.
func (t tap) nearest() int {
	if t.t >= 0.5 {
		return t.j
	}
	return t.i
}
