//go:build unix

package turbojpeg

import (
	"fmt"

	"github.com/ebitengine/purego"
)

// Open opens the machine's libjpeg-turbo.
func Open() (*Lib, error) {
	var last error
	for _, name := range names() {
		handle, err := purego.Dlopen(name, purego.RTLD_NOW|purego.RTLD_LOCAL)
		if err != nil {
			last = err
			continue
		}
		l := &Lib{path: name}
		if err := l.bind(handle); err != nil {
			_ = purego.Dlclose(handle)
			return nil, err
		}
		return l, nil
	}
	return nil, fmt.Errorf("%w: %w", ErrUnavailable, last)
}

func symbol(handle uintptr, name string) (uintptr, error) { return purego.Dlsym(handle, name) }
