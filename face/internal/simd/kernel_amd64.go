package simd

import "golang.org/x/sys/cpu"

// kernels are the implementations that the processor has, the fastest first.
func kernels() []kernel {
	all := []kernel{generic}
	if cpu.X86.HasAVX2 {
		all = append([]kernel{{"avx2", blockAVX2, 4, 16, dotsAVX2, aboveAVX2}}, all...)
	}
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512VNNI {
		all = append([]kernel{{"avx512vnni", blockVNNI, 8, 32, dotsVNNI, aboveAVX512}}, all...)
	}
	return all
}

//go:noescape
func blockVNNI(out []int32, stride int, a, b []int16, pairs int)

//go:noescape
func dotsVNNI(out []int32, probe, panels []int8)

//go:noescape
func aboveAVX512(hits []uint32, dots []int32, floor int32)

//go:noescape
func blockAVX2(out []int32, stride int, a, b []int16, pairs int)

//go:noescape
func dotsAVX2(out []int32, probe, panels []int8)

//go:noescape
func aboveAVX2(hits []uint32, dots []int32, floor int32)
