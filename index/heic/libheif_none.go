//go:build !((linux || darwin) && (amd64 || arm64))

package heic

import (
	"fmt"
	"runtime"
)

func openLibheif() (*libheif, error) {
	return nil, fmt.Errorf("it is not looked for on %s/%s", runtime.GOOS, runtime.GOARCH)
}
