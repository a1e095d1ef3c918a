package heic

import (
	"bytes"
	"fmt"
	"image"

	wasm "github.com/gen2brain/heic"
)

// minWASM is the narrowest picture that the WASM build is given. libheif
// makes the rows of its planes at least 64 bytes long, chroma's too;
// gen2brain/heic does not know that and would read narrower ones askew.
const minWASM = 128

// wasmUnavailable says why the WASM build cannot be used, nil where it can:
// its package takes a libheif that it finds itself, and returns no picture's
// memory to that.
func wasmUnavailable() error {
	if wasm.Dynamic() == nil {
		return errNotWASM
	}
	return nil
}

// decodeWASM decodes the primary picture of a file, whose numbers mean what n
// says, to 8 bits, turned and cropped as its properties say.
func decodeWASM(file []byte, n nclx) (image.Image, error) {
	img, err := wasm.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("libheif (WASM): %w", err)
	}
	// What it returns is a view of the module's whole memory, ten times as
	// large as the picture: a copy lets go of that.
	var out *image.YCbCr
	switch m := img.(type) {
	case *image.YCbCr:
		out = image.NewYCbCr(m.Rect, m.SubsampleRatio)
		mend(m.Y, m.YStride)
		copyPlane(out.Y, out.YStride, m.Y, m.YStride)
		copyPlane(out.Cb, out.CStride, m.Cb, m.CStride)
		copyPlane(out.Cr, out.CStride, m.Cr, m.CStride)
	case *image.Gray:
		out = image.NewYCbCr(m.Rect, image.YCbCrSubsampleRatio420)
		mend(m.Pix, m.Stride)
		copyPlane(out.Y, out.YStride, m.Pix, m.Stride)
		for i := range out.Cb {
			out.Cb[i], out.Cr[i] = 128, 128
		}
	case *image.NRGBA: // coded as RGB
		mend(m.Pix, m.Stride)
		rgb := image.NewNRGBA(m.Rect)
		copyPlane(rgb.Pix, rgb.Stride, m.Pix, m.Stride)
		return rgb, nil
	default:
		return nil, fmt.Errorf("libheif (WASM): a picture of type %T", img)
	}
	n.toJFIF(out)
	return out, nil
}

// copyPlane copies the rows of src, which are at least as long as dst's.
func copyPlane(dst []byte, dstStride int, src []byte, srcStride int) {
	for len(dst) >= dstStride && len(src) >= dstStride && dstStride > 0 {
		copy(dst, src[:dstStride])
		dst, src = dst[dstStride:], src[min(srcStride, len(src)):]
	}
}

// mend takes the first bytes of a picture from its second row:
// gen2brain/heic frees the memory of a picture before it hands it out, and the
// allocator keeps a list there (of dlmalloc: six words).
func mend(pix []byte, stride int) {
	const overwritten = 24
	if len(pix) >= stride+overwritten {
		copy(pix[:overwritten], pix[stride:])
	}
}
