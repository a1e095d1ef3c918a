//go:build !amd64 && !arm64

package simd

func kernels() []kernel { return []kernel{generic} }
