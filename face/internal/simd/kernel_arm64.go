package simd

// kernels are the implementations, the fastest first. Every arm64 processor
// has NEON.
func kernels() []kernel {
	return []kernel{{"neon", blockNEON, 2, 16, dotsNEON, aboveNEON}, generic}
}

//go:noescape
func blockNEON(out []int32, stride int, a, b []int16, pairs int)

//go:noescape
func dotsNEON(out []int32, probe, panels []int16)

//go:noescape
func aboveNEON(hits []uint32, dots []int32, floor int32)
