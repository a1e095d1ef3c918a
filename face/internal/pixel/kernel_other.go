//go:build !amd64 && !arm64

package pixel

func kernels() []kernel { return []kernel{generic} }
