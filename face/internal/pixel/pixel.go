// Package pixel has the loops over pixels that preparing a photo for a model
// spends its time in: halving a plane, turning one, and reading a row of a
// detector's input out of planar YCbCr. They are in assembly where that pays.
// The arithmetic of colours is in whole numbers, with the same results on
// every machine and from every implementation.
package pixel

// fraction is how many bits of fraction luma and colours are worked out with:
// as many as let the weights of JFIF fit an int16.
const fraction = 14

// Byte rounds a number with 14 bits of fraction into 0..255.
func Byte(v int32) uint8 {
	v = (v + 1<<(fraction-1)) >> fraction
	if uint32(v) > 255 {
		return uint8(^(v >> 31))
	}
	return uint8(v)
}

// Bilinear interpolates between the four neighbours a b / c d, x and y being
// the weights of the second of each, 0..256 for 0..1. The result has 14 bits
// of fraction.
func Bilinear(a, b, c, d byte, x, y int32) int32 {
	hi := int32(a)<<8 + (int32(b)-int32(a))*x
	lo := int32(c)<<8 + (int32(d)-int32(c))*x
	return (hi<<8 + (lo-hi)*y) >> (16 - fraction)
}

// The conversion of JFIF 1.02 with 14 bits of fraction, for u = Cb-128 and
// v = Cr-128.
const (
	redV   = 22970  // 1.402
	greenU = -5638  // -0.344136
	greenV = -11700 // -0.714136
	blueU  = 29032  // 1.772
)

// RGB converts a colour whose luma has 14 bits of fraction.
func RGB(luma int32, cb, cr byte) (r, g, b uint8) {
	u, v := int32(cb)-128, int32(cr)-128
	return Byte(luma + redV*v), Byte(luma + greenU*u + greenV*v), Byte(luma + blueU*u)
}

// Norm is what a model wants of a colour of 0..255: (colour-mean)*scale. It
// holds them all, which is faster than working one out.
type Norm struct {
	mean, scale float32
	of          [256]float32
}

// NewNorm works it out for all colours.
func NewNorm(mean, scale float32) Norm {
	n := Norm{mean: mean, scale: scale}
	for i := range n.of {
		n.of[i] = (float32(i) - mean) * scale
	}
	return n
}

// Of is the norm of one colour.
func (n *Norm) Of(colour uint8) float32 { return n.of[colour] }

// Halve makes a row of half the width out of two rows: each value is the mean
// of four, halves rounded up. a and b hold at least twice as many as dst, which
// does not overlap them.
func Halve(dst, a, b []byte) {
	if len(a) < 2*len(dst) || len(b) < 2*len(dst) {
		panic("pixel: a row to halve is shorter than twice its half")
	}
	best.halve(dst, a, b)
}

// Transpose writes the w by h values of src, whose rows begin stride apart, by
// columns: the result is h wide and w high, without gaps. dst holds at least
// w*h values and does not overlap src.
func Transpose(dst, src []byte, stride, w, h int) {
	if w <= 0 || h <= 0 {
		return
	}
	if stride < w || len(dst)/w < h || len(src) < w || (len(src)-w)/stride < h-1 {
		panic("pixel: a plane to transpose is smaller than its size")
	}
	best.transpose(dst, src, stride, w, h)
}
