package pixel

import "encoding/binary"

// kernel is one implementation. Its functions trust their arguments.
type kernel struct {
	name      string
	halve     func(dst, a, b []byte)
	transpose func(dst, src []byte, stride, w, h int)
	// colour and grey read rows that hold all windows of the blocks, with t
	// in 0..256; nil where there is only the loop over columns.
	colour func(row colourRow, blocks []block)
	grey   func(row greyRow, blocks []block)
}

// best is the fastest that the processor has.
var best = kernels()[0]

var generic = kernel{name: "go", halve: halveGeneric, transpose: transposeGeneric}

// colourRow and greyRow are the arguments of Colour and Grey.
type colourRow struct {
	red, green, blue []float32
	top, bot, cb, cr []byte
	t                int32
	mean, scale      float32
}

type greyRow struct {
	dst      []float32
	top, bot []byte
	t        int32

	mean, scale float32
}

func (o *colourRow) generic(cols []Column, norm *Norm) {
	red, green, blue := o.red[:len(cols)], o.green[:len(cols)], o.blue[:len(cols)]
	top, bot, cb, cr, t := o.top, o.bot, o.cb, o.cr, o.t
	for i := range cols {
		c := &cols[i]
		r, g, b := RGB(Bilinear(top[c.I], top[c.J], bot[c.I], bot[c.J], c.T, t), cb[c.C], cr[c.C])
		red[i], green[i], blue[i] = norm.Of(r), norm.Of(g), norm.Of(b)
	}
}

func (o *greyRow) generic(cols []Column, norm *Norm) {
	dst, top, bot, t := o.dst[:len(cols)], o.top, o.bot, o.t
	for i := range cols {
		c := &cols[i]
		dst[i] = norm.Of(Byte(Bilinear(top[c.I], top[c.J], bot[c.I], bot[c.J], c.T, t)))
	}
}

func halveGeneric(dst, a, b []byte) {
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

// transposeGeneric goes down strips that are narrow enough for the cache to
// keep the rows that it writes.
func transposeGeneric(dst, src []byte, stride, w, h int) {
	const strip = 16
	for x := 0; x < w; x += strip {
		n := min(strip, w-x)
		for y := range h {
			to := x*h + y
			for _, v := range src[y*stride+x:][:n] {
				dst[to] = v
				to += h
			}
		}
	}
}
