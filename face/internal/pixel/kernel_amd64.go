package pixel

import "golang.org/x/sys/cpu"

// kernels are the implementations that the processor has, the fastest first.
func kernels() []kernel {
	all := []kernel{generic}
	if cpu.X86.HasAVX2 {
		all = append([]kernel{{"avx2", halveAVX2, transposeAVX2, colourBlocks, greyBlocks}}, all...)
	}
	return all
}

// halveAVX2 works out what does not fill a step again with some of what comes
// before it.
func halveAVX2(dst, a, b []byte) {
	const step = 32
	last := len(dst) - step
	if last < 0 {
		halveGeneric(dst, a, b)
		return
	}
	halveSteps(dst, a, b)
	if len(dst)%step != 0 {
		halveSteps(dst[last:], a[2*last:2*len(dst)], b[2*last:2*len(dst)])
	}
}

// transposeAVX2 takes squares of 8 by 8, those at the ends together with some
// of what comes before.
func transposeAVX2(dst, src []byte, stride, w, h int) {
	const side = 8
	if w < side || h < side {
		transposeGeneric(dst, src, stride, w, h)
		return
	}
	for i := 0; i < w; i += side {
		x := min(i, w-side)
		transposeSquares(&dst[x*h], h, &src[x], stride, h/side)
		if y := h - side; h%side != 0 {
			transposeSquares(&dst[x*h+y], h, &src[y*stride+x], stride, 1)
		}
	}
}

// halveSteps is halve for the whole 32 values of dst.
//
//go:noescape
func halveSteps(dst, a, b []byte)

// transposeSquares transposes n squares of 8 by 8 that lie below each other in
// src and side by side in dst, both with rows that begin so far apart.
//
//go:noescape
func transposeSquares(dst *byte, dstStride int, src *byte, stride, n int)

//go:noescape
func colourBlocks(row colourRow, blocks []block)

//go:noescape
func greyBlocks(row greyRow, blocks []block)
