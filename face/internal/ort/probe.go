//go:build !windows

package ort

/*
#cgo LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>

// OrtApiBase of onnxruntime_c_api.h, which never changes.
struct kith_ort_base {
	const void *(*get_api)(uint32_t version);
	const char *(*get_version)(void);
};

static const char *kith_probe(void *lib, uint32_t api, int *ok) {
	const struct kith_ort_base *(*entry)(void) = dlsym(lib, "OrtGetApiBase");
	const struct kith_ort_base *base = entry ? entry() : NULL;
	if (!base)
		return NULL;
	*ok = base->get_api(api) != NULL;
	return base->get_version();
}
*/
import "C"

import (
	"errors"
	"unsafe"
)

// probe loads the library at path and asks for its version and whether it has
// the C API of the given number. The library stays loaded: onnxruntime_go
// keeps pointers into it even when it fails.
func probe(path string, api uint32) (version string, ok bool, err error) {
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	lib := C.dlopen(name, C.RTLD_LAZY)
	if lib == nil {
		return "", false, errors.New(C.GoString(C.dlerror()))
	}
	var has C.int
	v := C.kith_probe(lib, C.uint32_t(api), &has)
	if v == nil {
		C.dlclose(lib)
		return "", false, errNoEntry
	}
	return C.GoString(v), has != 0, nil
}
