package pixel

// kernels are the implementations that the processor has, the fastest first.
// Every arm64 processor has NEON.
func kernels() []kernel {
	neon := generic
	neon.name, neon.halve = "neon", halveNEON
	return []kernel{neon, generic}
}

// halveNEON works out what does not fill a step again with some of what comes
// before it.
func halveNEON(dst, a, b []byte) {
	const step = 16
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

// halveSteps is halve for the whole 16 values of dst.
//
//go:noescape
func halveSteps(dst, a, b []byte)
