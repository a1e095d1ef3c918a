package simd

import "golang.org/x/sys/cpu"

// kernels are the implementations that the processor has, the fastest first.
// Every arm64 processor has NEON, most since 2018 its dot product of bytes.
func kernels() []kernel {
	all := []kernel{{"neon", blockNEON, 2, 16, dotsNEON, aboveNEON}, generic}
	if cpu.ARM64.HasASIMDDP {
		all = append([]kernel{{"sdot", blockNEON, 2, 16, dotsSDOT, aboveNEON}}, all...)
	}
	return all
}

//go:noescape
func blockNEON(out []int32, stride int, a, b []int16, pairs int)

//go:noescape
func dotsNEON(out []int32, probe, panels []int8)

//go:noescape
func dotsSDOT(out []int32, probe, panels []int8)

//go:noescape
func aboveNEON(hits []uint32, dots []int32, floor int32)
