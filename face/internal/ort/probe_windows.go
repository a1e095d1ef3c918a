package ort

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// base is OrtApiBase of onnxruntime_c_api.h, which never changes.
type base struct{ getAPI, getVersion uintptr }

// probe loads the library at path and asks for its version and whether it has
// the C API of the given number. The library stays loaded: onnxruntime_go
// keeps pointers into it even when it fails.
func probe(path string, api uint32) (version string, ok bool, err error) {
	lib, err := windows.LoadLibrary(path)
	if err != nil {
		return "", false, err
	}
	entry, err := windows.GetProcAddress(lib, "OrtGetApiBase")
	if err != nil {
		_ = windows.FreeLibrary(lib)
		return "", false, errNoEntry
	}
	at, _, _ := syscall.SyscallN(entry)
	if at == 0 {
		_ = windows.FreeLibrary(lib)
		return "", false, errNoEntry
	}
	b := *(**base)(unsafe.Pointer(&at))
	has, _, _ := syscall.SyscallN(b.getAPI, uintptr(api))
	text, _, _ := syscall.SyscallN(b.getVersion)
	return windows.BytePtrToString(*(**byte)(unsafe.Pointer(&text))), has != 0, nil
}
