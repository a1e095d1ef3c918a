package heic

import (
	"image"
	"math"
)

// nclx is what numbers mean as colours (23091-2, as colr and the decoders
// give it). The primaries are left: what differs there are shades of colour.
type nclx struct {
	matrix int
	full   bool // 0 to 255, and not 16 to 235 (240)
}

// Matrices: identity has the planes be green, blue and red, which the decoder
// turns to YCbCr or to RGB; unspecified is that of pictures that do not say.
const (
	identity    = 0
	unspecified = 2
)

// paint reads an nclx colour property, false where there is none.
func paint(props []property) (n nclx, ok bool) {
	for _, p := range props {
		if p.kind == "colr" {
			r := reader{b: p.body}
			r.uint(4 + 2 + 2)
			n = nclx{matrix: int(r.uint(2)), full: r.uint(1)&0x80 != 0}
			if !r.cut {
				return n, true
			}
		}
	}
	return nclx{}, false
}

// luma returns the weights of red and blue in the luma of a matrix (ISO/IEC
// 23091-2, table 4). Those not listed are read as JPEG's.
func (n nclx) luma() (kr, kb float64) {
	switch n.matrix {
	case 1:
		return 0.2126, 0.0722 // BT.709
	case 4:
		return 0.30, 0.11 // FCC
	case 7:
		return 0.212, 0.087 // SMPTE 240M
	case 9, 10:
		return 0.2627, 0.0593 // BT.2020
	}
	return 0.299, 0.114 // BT.601, JPEG
}

// toJFIF turns numbers that n describes into those of package image: the full
// range of BT.601, as JFIF has them. img is changed.
func (n nclx) toJFIF(img *image.YCbCr) {
	kr, kb := n.luma()
	if n.matrix == identity || n.full && kr == 0.299 {
		return
	}
	black, yScale, cScale := 0.0, 1.0, 1.0
	if !n.full {
		black, yScale, cScale = 16, 255.0/219, 255.0/224
	}
	// Grey stays grey, so that luma gains a share of both chroma, and chroma
	// becomes a mix of both: red of luma 0 and of unit Cr, and so on.
	kg := 1 - kr - kb
	mix := func(cb, cr float64) (y, u, v float64) {
		r, b := 2*(1-kr)*cr, 2*(1-kb)*cb
		g := -(kr*r + kb*b) / kg
		y = 0.299*r + 0.587*g + 0.114*b
		return y, (b - y) / 1.772, (r - y) / 1.402
	}
	yb, ub, vb := mix(cScale, 0)
	yr, ur, vr := mix(0, cScale)
	const one = 1 << 16
	fix := func(v float64) int { return int(math.Round(v * one)) }
	gain, base := fix(yScale), fix(0.5-black*yScale)
	yCb, yCr := fix(yb), fix(yr)
	uCb, uCr, vCb, vCr := fix(ub), fix(ur), fix(vb), fix(vr)

	r := img.Rect
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := img.Y[img.YOffset(r.Min.X, y):]
		for x := range r.Dx() {
			c := img.COffset(r.Min.X+x, y)
			cb, cr := int(img.Cb[c])-128, int(img.Cr[c])-128
			row[x] = clamp((gain*int(row[x]) + base + yCb*cb + yCr*cr) >> 16)
		}
	}
	for i := range img.Cb {
		cb, cr := int(img.Cb[i])-128, int(img.Cr[i])-128
		img.Cb[i] = clamp((uCb*cb+uCr*cr+one/2)>>16 + 128)
		img.Cr[i] = clamp((vCb*cb+vCr*cr+one/2)>>16 + 128)
	}
}

func clamp(v int) uint8 { return uint8(max(0, min(255, v))) }
