package index

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"strings"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"
)

// Decoder reads a photo format that the built-in ones do not.
type Decoder interface {
	// Match reports whether a file that starts with head (512 bytes, or the
	// whole of a smaller file) is for this decoder.
	Match(head []byte) bool
	// Decode returns the pixels as stored, before EXIF orientation. It
	// returns ErrTooLarge for a photo of more than maxPixels.
	Decode(ctx context.Context, data []byte, maxPixels int) (image.Image, error)
}

// codec is one built-in format, known by its first bytes.
type codec struct {
	name   string
	magic  string // '?' stands for any byte
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}

// codecs lists the formats by content; a name's ending is never asked. Those
// without functions are known only to be named in the error.
func codecs() []codec {
	return []codec{
		{"JPEG", "\xff\xd8\xff", jpeg.DecodeConfig, jpeg.Decode},
		{"PNG", "\x89PNG\r\n\x1a\n", png.DecodeConfig, png.Decode},
		{"GIF", "GIF8?a", gif.DecodeConfig, gif.Decode},
		{"WebP", "RIFF????WEBP", webp.DecodeConfig, webp.Decode},
		{"TIFF", "II*\x00", tiff.DecodeConfig, tiff.Decode},
		{"TIFF", "MM\x00*", tiff.DecodeConfig, tiff.Decode},
		{"BMP", "BM????\x00\x00\x00\x00", bmp.DecodeConfig, bmp.Decode},
		{"HEIC", "????ftyphei", nil, nil},
		{"HEIC", "????ftyphev", nil, nil},
		{"HEIF", "????ftypmif1", nil, nil},
		{"HEIF", "????ftypmsf1", nil, nil},
		{"AVIF", "????ftypavi", nil, nil},
		{"CR3", "????ftypcrx ", nil, nil},
		{"JPEG XL", "\x00\x00\x00\x0cJXL ", nil, nil},
		{"JPEG XL", "\xff\x0a", nil, nil},
		{"RAF", "FUJIFILMCCD-RAW", nil, nil},
		{"ORF", "IIRO", nil, nil},
		{"RW2", "IIU\x00", nil, nil},
	}
}

// headLen is how much of a file tells its format.
const headLen = 512

// sniff finds the built-in format of a file by its first bytes.
func sniff(head []byte) (codec, bool) {
next:
	for _, c := range codecs() {
		if len(head) < len(c.magic) {
			continue
		}
		for i := range len(c.magic) {
			if c.magic[i] != '?' && c.magic[i] != head[i] {
				continue next
			}
		}
		return c, true
	}
	return codec{}, false
}

// photoName reports whether a name claims to be a photo's. Such a file is
// read and, where it is none, reported; others are looked into first.
func photoName(name string) bool {
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 {
		return false
	}
	switch strings.ToLower(name[dot+1:]) {
	case "jpg", "jpeg", "jpe", "jfif", "png", "gif", "webp", "tif", "tiff", "bmp",
		"heic", "heif", "hif", "avif", "jxl",
		"dng", "cr2", "cr3", "nef", "arw", "raf", "orf", "rw2", "pef":
		return true
	}
	return false
}

// decode turns a file's bytes into pixels, as stored. The size is checked
// before anything is allocated for it, and a panic in a decoder becomes an
// error: they all read bytes that strangers made.
func (a *Account) decode(ctx context.Context, data []byte) (img image.Image, err error) {
	defer func() {
		if r := recover(); r != nil {
			img, err = nil, fmt.Errorf("decoder panicked: %v", r)
		}
	}()
	if len(data) == 0 {
		return nil, fmt.Errorf("%w: the file is empty", ErrFormat)
	}
	head := data[:min(len(data), headLen)]
	for _, d := range a.cfg.Decoders {
		if d.Match(head) {
			return d.Decode(ctx, data, a.cfg.MaxPixels)
		}
	}
	c, ok := sniff(head)
	if !ok {
		return nil, ErrFormat
	}
	if c.decode == nil {
		return nil, fmt.Errorf("%w: %s needs a decoder that this program was built without", ErrFormat, c.name)
	}
	cfg, err := c.config(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	if cfg.Width <= 0 || cfg.Height <= 0 {
		return nil, fmt.Errorf("%s: %w: %d x %d pixels", c.name, ErrFormat, cfg.Width, cfg.Height)
	}
	if cfg.Width > a.cfg.MaxPixels/cfg.Height {
		return nil, fmt.Errorf("%s: %d x %d pixels: %w, the limit is %d", c.name, cfg.Width, cfg.Height, ErrTooLarge, a.cfg.MaxPixels)
	}
	img, err = c.decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	return img, nil
}
