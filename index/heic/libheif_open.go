//go:build (linux || darwin) && (amd64 || arm64)

package heic

import (
	"fmt"
	"runtime"

	"github.com/ebitengine/purego"
)

// openLibheif opens the machine's libheif, by the name that its first version
// gave it and all have kept. It is never closed.
func openLibheif() (*libheif, error) {
	names := []string{"libheif.so.1"}
	if runtime.GOOS == "darwin" {
		names = []string{"libheif.1.dylib", "/opt/homebrew/lib/libheif.1.dylib", "/usr/local/lib/libheif.1.dylib"}
	}
	var last error
	for _, name := range names {
		handle, err := purego.Dlopen(name, purego.RTLD_NOW|purego.RTLD_LOCAL)
		if err != nil {
			last = err
			continue
		}
		l := &libheif{name: name}
		for _, f := range l.functions() {
			addr, err := purego.Dlsym(handle, f.name)
			if err == nil {
				purego.RegisterFunc(f.to, addr)
			} else if f.need {
				return nil, fmt.Errorf("%s is too old: %w", name, err)
			}
		}
		if addr, err := purego.Dlsym(purego.RTLD_DEFAULT, "malloc_trim"); err == nil {
			purego.RegisterFunc(&l.trim, addr)
		}
		if err := l.start(); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return l, nil
	}
	return nil, last
}
