package index

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"io"
	"strings"
	"time"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/index/internal/format"
	"github.com/kith-photos/kith/index/internal/raw"
)

// Decoder reads a photo format that the built-in ones do not.
type Decoder interface {
	// Match reports whether a file that starts with head (512 bytes, or the
	// whole of a smaller file) is for this decoder.
	Match(head []byte) bool
	// Open looks at a photo's header; decoding is for the source to do. The
	// pixels are as stored, before EXIF orientation. It returns ErrTooLarge
	// for a photo of more than maxPixels. data must not change while the
	// source is used.
	//
	// A source may also have a method Memory() int64: about how many bytes
	// decoding takes at most, the pixels included (see Config.MaxMemory). A
	// source or a decoder may have a method Name() string, for Report.Decoders.
	Open(ctx context.Context, data []byte, maxPixels int) (face.Source, error)
}

// codec is one built-in format, known by its first bytes.
type codec struct {
	name   string
	magic  string // '?' stands for any byte
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}

// codecs lists the formats by content; a name's ending is never asked. JPEG
// and RAW photos, whose previews are JPEG, come before them.
func codecs() []codec {
	return []codec{
		{"PNG", "\x89PNG\r\n\x1a\n", png.DecodeConfig, png.Decode},
		{"GIF", "GIF8?a", gif.DecodeConfig, gif.Decode},
		{"WebP", "RIFF????WEBP", webp.DecodeConfig, webp.Decode},
		{"TIFF", "II*\x00", tiff.DecodeConfig, tiff.Decode},
		{"TIFF", "MM\x00*", tiff.DecodeConfig, tiff.Decode},
		{"BMP", "BM????\x00\x00\x00\x00", bmp.DecodeConfig, bmp.Decode},
	}
}

// jpegMagic is how a JPEG starts, MPO and Ultra HDR files among them, whose
// first image is the photo.
const jpegMagic = "\xff\xd8\xff"

// headLen is how much of a file tells its format.
const headLen = format.HeadLen

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
		"dng", "cr2", "cr3", "nef", "nrw", "arw", "raf", "orf", "rw2", "pef", "srw", "3fr", "mpo":
		return true
	}
	return false
}

// photoHead reports whether a file that starts with head is a still photo by
// its content, be it one that needs a plug-in.
func photoHead(head []byte) bool {
	if _, ok := sniff(head); ok || bytes.HasPrefix(head, []byte(jpegMagic)) {
		return true
	}
	if raw.Match(head) {
		return true
	}
	switch format.Name(head) {
	case "HEIC", "HEIF", "AVIF", "JPEG XL":
		return true
	}
	return false
}

// checkSize refuses a photo of no pixels or too many.
func checkSize(w, h, maxPixels int) error {
	if w <= 0 || h <= 0 {
		return fmt.Errorf("%w: %d x %d pixels", ErrFormat, w, h)
	}
	if w > maxPixels/h {
		return fmt.Errorf("%d x %d pixels: %w, the limit is %d", w, h, ErrTooLarge, maxPixels)
	}
	return nil
}

// wholeSource decodes a photo by one of the codecs that know one size only.
type wholeSource struct {
	codec
	data []byte
	w, h int
	cost int64
}

func (s *wholeSource) Size() (w, h int) { return s.w, s.h }
func (s *wholeSource) Name() string     { return s.name }
func (s *wholeSource) Memory() int64    { return s.cost }

func (s *wholeSource) Level(int) (image.Image, float64, error) {
	img, err := s.decode(bytes.NewReader(s.data))
	return img, 1, err
}

// source finds the decoder of a file's content. kind is what the file is;
// upright says that its EXIF orientation is not to be applied.
func (a *Account) source(ctx context.Context, data []byte) (src face.Source, kind string, upright bool, err error) {
	if len(data) == 0 {
		return nil, "", false, fmt.Errorf("%w: the file is empty", ErrFormat)
	}
	head := data[:min(len(data), headLen)]
	for _, d := range a.cfg.Decoders {
		if d.Match(head) {
			src, err := d.Open(ctx, data, a.cfg.MaxPixels)
			return src, nameOf(d, "plug-in"), false, err
		}
	}
	if bytes.HasPrefix(head, []byte(jpegMagic)) {
		src, err := openJPEG(data, a.turbo(), a.cfg.MaxPixels)
		return src, "JPEG", false, err
	}
	if p, ok, err := raw.Find(data); ok {
		if err != nil { // it names the format
			return nil, "", false, fmt.Errorf("%w: %w", ErrFormat, err)
		}
		src, err := openJPEG(p.JPEG, a.turbo(), a.cfg.MaxPixels)
		return src, p.Format + " preview", p.Orientation == 1, err
	}
	if c, ok := sniff(head); ok {
		src, err := c.open(data, a.cfg.MaxPixels)
		return src, c.name, false, err
	}
	if name := format.Name(head); name != "" {
		return nil, "", false, fmt.Errorf("%w: it is %s, which needs a decoder that this program was built without", ErrFormat, name)
	}
	return nil, "", false, ErrFormat
}

func (c codec) open(data []byte, maxPixels int) (face.Source, error) {
	cfg, err := c.config(bytes.NewReader(data))
	if err == nil {
		err = checkSize(cfg.Width, cfg.Height, maxPixels)
	}
	cost := bytesPerPixel(cfg.ColorModel) * int64(cfg.Width) * int64(cfg.Height)
	return &wholeSource{codec: c, data: data, w: cfg.Width, h: cfg.Height, cost: cost}, err
}

// bytesPerPixel is what a pixel takes at most: as decoded, where that cannot
// be read in place as converted to 4 bytes, and a third for smaller copies.
func bytesPerPixel(m color.Model) int64 {
	switch m {
	case color.YCbCrModel, color.NYCbCrAModel:
		return 4
	case color.RGBAModel:
		return 6
	case color.GrayModel:
		return 7
	case color.RGBA64Model, color.NRGBA64Model:
		return 14
	}
	return 10 // transparent, by a palette, CMYK, deep grey
}

func nameOf(v any, otherwise string) string {
	if n, ok := v.(interface{ Name() string }); ok {
		return n.Name()
	}
	return otherwise
}

// pixels is a photo's source behind a fence: a panic in a decoder becomes an
// error, and the time that decoding takes is counted. They all read bytes that
// strangers made.
type pixels struct {
	ctx  context.Context // of the photo, which ends before the call it is for
	src  face.Source
	kind string
	w, h int
	work clock
	// upright: the pixels are, whatever EXIF says.
	upright bool
}

// open looks at a photo's header. The size is checked before anything is
// allocated for it.
func (a *Account) open(ctx context.Context, data []byte, work clock) (p *pixels, err error) {
	defer work.since("decode", time.Now())
	defer fence("decoder", &err)
	src, kind, upright, err := a.source(ctx, data)
	if err != nil {
		if kind != "" {
			err = fmt.Errorf("%s: %w", kind, err)
		}
		return nil, err
	}
	p = &pixels{ctx: ctx, src: src, kind: kind, work: work, upright: upright}
	p.w, p.h = src.Size()
	if err := checkSize(p.w, p.h, a.cfg.MaxPixels); err != nil {
		return nil, fmt.Errorf("%s: %w", kind, err)
	}
	return p, nil
}

// fence turns a panic into an error; it must be deferred itself.
func fence(what string, err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%s panicked: %v", what, r)
	}
}

func (p *pixels) Size() (w, h int) { return p.w, p.h }

// memory is what decoding takes at most.
func (p *pixels) memory() int64 {
	if m, ok := p.src.(interface{ Memory() int64 }); ok {
		return max(0, m.Memory())
	}
	return 8 * int64(p.w) * int64(p.h)
}

// decoder is what decoded it.
func (p *pixels) decoder() string { return nameOf(p.src, p.kind) }

// Level implements face.Source.
func (p *pixels) Level(k int) (img image.Image, shrink float64, err error) {
	if err := p.ctx.Err(); err != nil {
		return nil, 0, cause(p.ctx, err)
	}
	defer p.work.since("decode", time.Now())
	defer fence("decoder", &err)
	img, shrink, err = p.src.Level(k)
	if err == nil && (img == nil || img.Bounds().Empty()) {
		err = errors.New("the decoder returned no pixels")
	}
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w", p.kind, err)
	}
	return img, shrink, nil
}
