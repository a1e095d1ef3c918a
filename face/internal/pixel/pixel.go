// Package pixel has the loops over pixels that preparing a photo for a model
// spends its time in: halving a plane, and reading a row of a detector's input
// out of planar YCbCr. The arithmetic is in whole numbers, with the same
// results on every machine.
package pixel

import "encoding/binary"

// Byte rounds a number with 16 bits of fraction into 0..255.
func Byte(v int32) uint8 {
	v = (v + 1<<15) >> 16
	if uint32(v) > 255 {
		return uint8(^(v >> 31))
	}
	return uint8(v)
}

// Bilinear interpolates between the four neighbours a b / c d, x and y being
// the weights of the second of each in 1/256. The result has 16 bits of
// fraction.
func Bilinear(a, b, c, d byte, x, y int32) int32 {
	hi := int32(a)<<8 + (int32(b)-int32(a))*x
	lo := int32(c)<<8 + (int32(d)-int32(c))*x
	return hi<<8 + (lo-hi)*y
}

// The conversion of JFIF 1.02 with 16 bits of fraction, for u = Cb-128 and
// v = Cr-128.
const (
	redV   = 91881  // 1.402
	greenU = 22554  // 0.344136
	greenV = 46802  // 0.714136
	blueU  = 116130 // 1.772
)

// RGB converts a colour whose luma has 16 bits of fraction.
func RGB(luma int32, cb, cr byte) (r, g, b uint8) {
	u, v := int32(cb)-128, int32(cr)-128
	return Byte(luma + redV*v), Byte(luma - greenU*u - greenV*v), Byte(luma + blueU*u)
}

// Column is where a column of an output reads in a row of a plane: the places
// of two neighbours and of the chroma sample, and the weight of the second in
// 1/256.
type Column struct{ I, J, C, T int32 }

// ColourRow makes one row of a colour input: for each column the luma between
// its neighbours in the rows top and bot, of which bot weighs t in 1/256, the
// chroma sample out of cb and cr, and of the colour that they make what tab
// says. The planes of dst are red, green and blue and as long as cols.
func ColourRow(dst [3][]float32, cols []Column, top, bot, cb, cr []byte, t int32, tab *[256]float32) {
	r, g, b := dst[0][:len(cols)], dst[1][:len(cols)], dst[2][:len(cols)]
	for i := range cols {
		c := &cols[i]
		x, y, z := RGB(Bilinear(top[c.I], top[c.J], bot[c.I], bot[c.J], c.T, t), cb[c.C], cr[c.C])
		r[i], g[i], b[i] = tab[x], tab[y], tab[z]
	}
}

// GreyRow is ColourRow for an input of luma alone.
func GreyRow(dst []float32, cols []Column, top, bot []byte, t int32, tab *[256]float32) {
	dst = dst[:len(cols)]
	for i := range cols {
		c := &cols[i]
		dst[i] = tab[Byte(Bilinear(top[c.I], top[c.J], bot[c.I], bot[c.J], c.T, t))]
	}
}

// Halve makes a row of half the width out of two rows: each value is the mean
// of four. a and b hold at least twice as many as dst.
func Halve(dst, a, b []byte) {
	const odd = 0x00ff00ff00ff00ff // the 16-bit parts of a word take sums
	a, b = a[:2*len(dst)], b[:2*len(dst)]
	i := 0
	for ; i+4 <= len(dst); i += 4 {
		x, y := binary.LittleEndian.Uint64(a[2*i:]), binary.LittleEndian.Uint64(b[2*i:])
		s := x&odd + x>>8&odd + y&odd + y>>8&odd + 0x0002000200020002
		s = s >> 2 & odd
		s |= s >> 8
		binary.LittleEndian.PutUint32(dst[i:], uint32(s&0xffff)|uint32(s>>16&0xffff0000))
	}
	for ; i < len(dst); i++ {
		dst[i] = uint8((uint(a[2*i]) + uint(a[2*i+1]) + uint(b[2*i]) + uint(b[2*i+1]) + 2) >> 2)
	}
}
