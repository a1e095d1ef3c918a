// Package turbojpeg decodes JPEG with the libjpeg-turbo of the machine, at a
// half, a quarter or an eighth of the size where that is all that is needed:
// the inverse DCT then makes fewer pixels, and most of what is left is Huffman
// decoding.
//
// The library is opened at run time, nothing of it is needed to build. Its
// TurboJPEG API (libturbojpeg.so.0, functions of version 1.4 and later) is
// stable: https://libjpeg-turbo.org/Documentation/Documentation.
package turbojpeg

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"unsafe"

	"github.com/ebitengine/purego"
)

// Lib is an opened libjpeg-turbo. It is safe for concurrent use.
type Lib struct {
	path string

	initDecompress func() uintptr
	destroy        func(uintptr) int32
	header         func(h uintptr, data *byte, size uint, w, ht, subsamp, colorspace *int32) int32
	planes         func(h uintptr, data *byte, size uint, planes **byte, w int32, strides *int32, ht, flags int32) int32
	errorText      func(uintptr) string
}

// ErrUnavailable is returned where the machine has no libjpeg-turbo that can
// be used.
var ErrUnavailable = errors.New("no libjpeg-turbo on this machine")

// names are what the library is called, by the dynamic linker's own search.
func names() []string {
	switch runtime.GOOS {
	case "darwin":
		return []string{
			"libturbojpeg.0.dylib",
			"/opt/homebrew/lib/libturbojpeg.0.dylib",
			"/usr/local/lib/libturbojpeg.0.dylib",
		}
	default:
		return []string{"libturbojpeg.so.0"}
	}
}

// Path is the file, or the name, that the library was opened by.
func (l *Lib) Path() string { return l.path }

// bind looks up the functions; a missing one makes the library unusable.
func (l *Lib) bind(handle uintptr) error {
	for _, f := range []struct {
		to   any
		name string
	}{
		{&l.initDecompress, "tjInitDecompress"},
		{&l.destroy, "tjDestroy"},
		{&l.header, "tjDecompressHeader3"},
		{&l.planes, "tjDecompressToYUVPlanes"},
		{&l.errorText, "tjGetErrorStr2"},
	} {
		addr, err := symbol(handle, f.name)
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrUnavailable, l.path, err)
		}
		purego.RegisterFunc(f.to, addr)
	}
	return nil
}

// Subsampling is how much smaller than the luma plane the chroma planes are,
// as TurboJPEG's enum TJSAMP numbers it.
type Subsampling int32

// The values of TJSAMP.
const (
	S444 Subsampling = iota
	S422
	S420
	Gray
	S440
	S411
)

// yCbCr is TJCS_YCbCr, gray TJCS_GRAY.
const (
	yCbCr = 1
	gray  = 2
)

// Header is what a JPEG says of itself.
type Header struct {
	Width, Height int
	Subsampling   Subsampling
	// Planar: YCbCr or grey, which Decode returns as they are.
	Planar bool
}

// Decoder is one thread's decoder. Close frees it.
type Decoder struct {
	lib    *Lib
	handle uintptr
}

// NewDecoder makes a decoder; it is not safe for concurrent use.
func (l *Lib) NewDecoder() (*Decoder, error) {
	h := l.initDecompress()
	if h == 0 {
		return nil, errors.New("libjpeg-turbo: no decompressor")
	}
	return &Decoder{lib: l, handle: h}, nil
}

// Close frees the decoder.
func (d *Decoder) Close() {
	if d.handle != 0 {
		d.lib.destroy(d.handle)
		d.handle = 0
	}
}

// Header reads a JPEG's header.
func (d *Decoder) Header(data []byte) (Header, error) {
	if len(data) == 0 {
		return Header{}, errors.New("libjpeg-turbo: no data")
	}
	var w, h, samp, space int32
	if d.lib.header(d.handle, unsafe.SliceData(data), uint(len(data)), &w, &h, &samp, &space) != 0 {
		return Header{}, d.fault()
	}
	if w <= 0 || h <= 0 { // a file that ends too early is only warned of
		return Header{}, errors.New("libjpeg-turbo: no header")
	}
	hd := Header{Width: int(w), Height: int(h), Subsampling: Subsampling(samp)}
	hd.Planar = space == yCbCr && samp >= 0 && samp != int32(Gray) && samp <= int32(S411) ||
		space == gray && samp == int32(Gray)
	return hd, nil
}

func (d *Decoder) fault() error {
	text := strings.TrimSpace(d.lib.errorText(d.handle))
	return fmt.Errorf("libjpeg-turbo: %s", text)
}
