package heic

import (
	"errors"
	"fmt"
	"image"
	"runtime"
	"unsafe"
)

// The numbers of libheif's enums that are used.
const (
	compressionHEVC = 1
	compressionAV1  = 4

	colourYCbCr = 0
	chroma420   = 1

	planeY = 0
)

// libheif is an installed library. Its functions are those of libheif/heif.h;
// those at the end may be missing. It is safe for
// concurrent use: all state is in the contexts.
type libheif struct {
	name    string
	version string

	getVersion   func() string
	haveDecoder  func(format int32) int32
	allocContext func() uintptr
	freeContext  func(ctx uintptr)
	readMemory   func(ctx uintptr, data *byte, size uint, options uintptr) heifError
	primary      func(ctx uintptr, handle *uintptr) heifError
	freeHandle   func(handle uintptr)
	allocOptions func() *decodingOptions
	freeOptions  func(*decodingOptions)
	decodeImage  func(handle uintptr, img *uintptr, colour, chroma int32, o *decodingOptions) heifError
	freeImage    func(img uintptr)
	width        func(img uintptr, plane int32) int32
	height       func(img uintptr, plane int32) int32
	plane        func(img uintptr, plane int32, stride *int32) *byte

	initialize func(params uintptr) heifError
	setThreads func(ctx uintptr, n int32)
	trim       func(pad uint) int32 // glibc's malloc_trim
}

// heifError is struct heif_error. The text belongs to the library.
type heifError struct {
	code, subcode int32
	text          *byte
}

func (e heifError) err() error {
	if e.code == 0 {
		return nil
	}
	if e.text == nil {
		return fmt.Errorf("libheif: error %d.%d", e.code, e.subcode)
	}
	const longest = 500
	n := 0
	for n < longest && *(*byte)(unsafe.Add(unsafe.Pointer(e.text), n)) != 0 {
		n++
	}
	return fmt.Errorf("libheif: %s", unsafe.Slice(e.text, n))
}

// decodingOptions is the start of struct heif_decoding_options, version 1.
type decodingOptions struct {
	_      [2]uint8   // version, ignore_transformations
	_      [4]uintptr // the progress functions and their user data
	to8bit uint8
}

// functions lists what bind looks up: pointers to the fields above.
func (l *libheif) functions() []libFunction {
	return []libFunction{
		{&l.getVersion, "heif_get_version", true},
		{&l.haveDecoder, "heif_have_decoder_for_format", true},
		{&l.allocContext, "heif_context_alloc", true},
		{&l.freeContext, "heif_context_free", true},
		{&l.readMemory, "heif_context_read_from_memory_without_copy", true},
		{&l.primary, "heif_context_get_primary_image_handle", true},
		{&l.freeHandle, "heif_image_handle_release", true},
		{&l.allocOptions, "heif_decoding_options_alloc", true},
		{&l.freeOptions, "heif_decoding_options_free", true},
		{&l.decodeImage, "heif_decode_image", true},
		{&l.freeImage, "heif_image_release", true},
		{&l.width, "heif_image_get_width", true},
		{&l.height, "heif_image_get_height", true},
		{&l.plane, "heif_image_get_plane_readonly", true},
		{&l.initialize, "heif_init", false},
		{&l.setThreads, "heif_context_set_max_decoding_threads", false},
	}
}

type libFunction struct {
	to   any
	name string
	need bool
}

// start makes a library ready to decode, its plug-ins loaded.
func (l *libheif) start() error {
	l.version = l.getVersion()
	if l.initialize != nil {
		return l.initialize(0).err()
	}
	return nil
}

// canDecode reports whether the library has a decoder for this coding.
func (l *libheif) canDecode(coded string) bool {
	if coded == "av01" {
		return l.haveDecoder(compressionAV1) != 0
	}
	return l.haveDecoder(compressionHEVC) != 0
}

// decode decodes the primary picture of a file to 8 bits, turned and cropped
// as its properties say, in this thread. n is what its numbers mean.
func (l *libheif) decode(file []byte, n nclx) (*image.YCbCr, error) {
	var pin runtime.Pinner // the context keeps the address
	defer pin.Unpin()
	pin.Pin(&file[0])
	ctx := l.allocContext()
	if ctx == 0 {
		return nil, errors.New("libheif: no context")
	}
	defer func() {
		l.freeContext(ctx)
		// glibc keeps what other threads than this freed, the decoders' own,
		// for each of them: half a gigabyte soon without this millisecond.
		if l.trim != nil {
			l.trim(0)
		}
	}()
	if l.setThreads != nil {
		l.setThreads(ctx, 0)
	}
	if err := l.readMemory(ctx, &file[0], uint(len(file)), 0).err(); err != nil {
		return nil, err
	}
	var handle uintptr
	if err := l.primary(ctx, &handle).err(); err != nil {
		return nil, err
	}
	defer l.freeHandle(handle)
	options := l.allocOptions()
	if options == nil {
		return nil, errors.New("libheif: no options")
	}
	defer l.freeOptions(options)
	options.to8bit = 1
	var img uintptr
	if err := l.decodeImage(handle, &img, colourYCbCr, chroma420, options).err(); err != nil {
		return nil, err
	}
	defer l.freeImage(img)
	out, err := l.copy(img)
	if err != nil {
		return nil, err
	}
	n.toJFIF(out)
	return out, nil
}

// copy takes the planes out of the library's memory.
func (l *libheif) copy(img uintptr) (*image.YCbCr, error) {
	w, h := int(l.width(img, planeY)), int(l.height(img, planeY))
	if w <= 0 || h <= 0 {
		return nil, fmt.Errorf("libheif: a picture of %d x %d pixels", w, h)
	}
	out := image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420)
	for i, dst := range [][]byte{out.Y, out.Cb, out.Cr} {
		pw, ph, dstStride := w, h, out.YStride
		if i > 0 {
			pw, ph, dstStride = (w+1)/2, (h+1)/2, out.CStride
		}
		plane := planeY + int32(i) // heif_channel_Cb and Cr come next
		var stride int32
		src := l.plane(img, plane, &stride)
		if src == nil || int(stride) < pw || int(l.width(img, plane)) != pw || int(l.height(img, plane)) != ph {
			return nil, fmt.Errorf("libheif: plane %d is %d x %d of stride %d in a picture of %d x %d",
				i, l.width(img, plane), l.height(img, plane), stride, w, h)
		}
		for y := range ph {
			row := unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(src), y*int(stride))), pw)
			copy(dst[y*dstStride:], row)
		}
	}
	return out, nil
}
