//go:build !unix

package turbojpeg

import (
	"errors"
	"fmt"
	"runtime"
)

// Open opens the machine's libjpeg-turbo.
func Open() (*Lib, error) {
	return nil, fmt.Errorf("%w: not looked for on %s", ErrUnavailable, runtime.GOOS)
}

func symbol(uintptr, string) (uintptr, error) { return 0, errors.ErrUnsupported }
