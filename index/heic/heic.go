// Package heic decodes HEIC, HEIF and AVIF photos for package index:
//
//	index.Open(ctx, path, index.Config{Decoders: []index.Decoder{heic.New(heic.Options{})}})
//
// It is a package of its own because of what it links: an installed libheif
// is opened at run time, and where there is none, HEIC is decoded by a libheif
// that was compiled to WASM and runs in the process (gen2brain/heic on
// wazero). The latter is several times slower, takes two to three times the
// memory and has no AV1 decoder for AVIF. wazero links package net, which
// nothing here uses.
//
// A file is parsed here, and of what it holds only the photo itself goes to
// libheif, in a file written anew: no metadata, no other pictures, no alpha,
// depth or gain maps. What is announced must agree with what is coded, in
// HEVC's parameter sets and AV1's sequence headers too, before libheif sees
// it, so that the limit on pixels holds. Still an installed libheif is C++
// code that reads files of strangers; Options.Sandbox has every file decoded
// in WASM, which cannot reach the rest of the process.
//
// Read are pictures coded as HEVC or AV1, in one piece or as a grid of tiles,
// with 8 to 12 bits, which become 8. Pixels come turned, mirrored and cropped
// as the file's irot, imir and clap properties say (ISO/IEC 23008-12, 6.5),
// and are not to be turned again by EXIF's orientation, which says the same or
// is left over.
package heic

import (
	"context"
	"errors"
	"fmt"
	"image"
	"runtime"
	"slices"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/index"
)

// Options configure a Decoder. The zero value is the usual one.
type Options struct {
	// Sandbox has the WASM build decode even where libheif is installed: C++
	// code that reads files of strangers then cannot reach the rest of the
	// process.
	Sandbox bool
}

// Decoder is an index.Decoder for HEIC, HEIF and AVIF. It is safe for
// concurrent use.
type Decoder struct {
	lib *libheif      // nil: WASM
	why error         // why there is no lib
	one chan struct{} // taken by the decoding that runs in WASM
}

var _ index.Decoder = (*Decoder)(nil)

var (
	errSandbox = errors.New("the decoder was told to decode in WASM only")
	errNotWASM = errors.New("the WASM build is not used where it finds a libheif.so, whose memory it would not free; build with -tags nodynamic")
)

// New makes a decoder; it opens the machine's libheif, where it has one.
func New(opt Options) *Decoder {
	d := &Decoder{why: errSandbox, one: make(chan struct{}, 1)}
	if !opt.Sandbox {
		d.lib, d.why = openLibheif()
	}
	return d
}

// Name says which library decodes: "libheif" or "libheif (WASM)".
func (d *Decoder) Name() string {
	if d.lib != nil {
		return "libheif"
	}
	return "libheif (WASM)"
}

// Match reports whether head begins a file of the HEIF family: its brands say
// so (ISO/IEC 14496-12, 4.3). Films are not of it.
func (d *Decoder) Match(head []byte) bool {
	r := reader{b: head}
	size := r.uint(4)
	if string(r.bytes(4)) != "ftyp" {
		return false
	}
	r.b = r.b[:min(max(size, 8)-8, uint64(len(r.b)))]
	for i := 0; len(r.b) >= 4; i++ {
		brand := string(r.bytes(4))
		if i == 1 {
			continue // the major brand's version
		}
		switch brand {
		case "heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs",
			"mif1", "mif2", "mif3", "msf1", "miaf", "avif", "avis":
			return true
		case "crx ":
			return false // Canon's raw files
		}
	}
	return false
}

// Open reads a photo's header. The context is also that of the source's
// decoding: it ends a wait for another photo's. It returns index.ErrTooLarge
// for a photo of more than maxPixels, and index.ErrFormat, with what is
// missing, for one that no decoder at hand can read.
func (d *Decoder) Open(ctx context.Context, data []byte, maxPixels int) (face.Source, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	s, err := d.open(ctx, data, maxPixels)
	if err != nil {
		return nil, fmt.Errorf("HEIF: %w", err)
	}
	return s, nil
}

func (d *Decoder) open(ctx context.Context, data []byte, maxPixels int) (s *source, err error) {
	defer func() {
		if r := recover(); r != nil {
			s, err = nil, fmt.Errorf("the parser panicked: %v", r)
		}
	}()
	c, err := parse(data)
	if err != nil {
		return nil, err
	}
	p, err := c.picture(c.primary, maxPixels)
	if err != nil {
		return nil, err
	}
	if err := d.able(p); err != nil {
		return nil, err
	}
	s = &source{d: d, ctx: ctx}
	for _, p := range append(c.thumbnails(c.primary, p), p) {
		s.sizes = append(s.sizes, scale{picture: p})
	}
	return s, nil
}

// able says what is missing to decode a picture, nil where nothing is.
func (d *Decoder) able(p *picture) error {
	name := map[string]string{"hvc1": "HEIC", "av01": "AVIF"}[p.tiles[0].kind]
	if d.lib != nil {
		if !d.lib.canDecode(p.tiles[0].kind) {
			return fmt.Errorf("%w: %s needs a libheif with a decoder for it, %s (%s) has none", index.ErrFormat, name, d.lib.name, d.lib.version)
		}
		return nil
	}
	switch {
	case p.tiles[0].kind == "av01":
		return fmt.Errorf("%w: AVIF needs an installed libheif with an AV1 decoder: %w", index.ErrFormat, d.why)
	case p.w < minWASM:
		return fmt.Errorf("%w: a picture %d pixels wide needs an installed libheif, the WASM build reads from %d on: %w", index.ErrFormat, p.w, minWASM, d.why)
	case !p.whole && p.tiles[0].chroma == grey:
		return fmt.Errorf("%w: a grid of grey tiles needs an installed libheif: %w", index.ErrFormat, d.why)
	case d.memory(p) > maxWASM:
		return fmt.Errorf("%d x %d pixels: %w for the WASM build, whose memory ends at %d MiB", p.w, p.h, index.ErrTooLarge, maxWASM>>20)
	}
	return wasmUnavailable()
}

// decode decodes a picture whole.
func (d *Decoder) decode(ctx context.Context, p *picture) (img image.Image, err error) {
	defer func() {
		if r := recover(); r != nil {
			img, err = nil, fmt.Errorf("HEIF: the decoder panicked: %v", r)
		}
	}()
	if err := d.able(p); err != nil {
		return nil, err
	}
	if d.lib != nil {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		img, err = d.lib.decode(p.file(), p.paint)
	} else {
		select {
		case d.one <- struct{}{}:
			defer func() { <-d.one }()
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		img, err = decodeWASM(p.file(), p.paint)
		runtime.GC() // hundreds of MB, at the end of seconds of work
	}
	if err != nil {
		return nil, fmt.Errorf("HEIF: %w", err)
	}
	if b := img.Bounds(); b.Dx() != p.w || b.Dy() != p.h {
		return nil, fmt.Errorf("HEIF: %d x %d pixels were decoded, the header says %d x %d", b.Dx(), b.Dy(), p.w, p.h)
	}
	return img, nil
}

// source is a photo and the thumbnails that may stand for it. It is not safe
// for concurrent use.
type source struct {
	d     *Decoder
	ctx   context.Context // Open's
	sizes []scale         // smaller ones first, the photo last
}

// scale is the photo at one of the sizes that the file holds.
type scale struct {
	*picture
	img image.Image // nil until it is decoded
}

func (s *source) photo() *picture { return s.sizes[len(s.sizes)-1].picture }

// Size is that of the photo after its irot, imir and clap properties.
func (s *source) Size() (w, h int) { return s.photo().w, s.photo().h }

// Name is the decoder's.
func (s *source) Name() string { return s.d.Name() }

// Memory is about how many bytes decoding takes at most.
func (s *source) Memory() int64 { return s.d.memory(s.photo()) }

// Level returns the photo, or a thumbnail of at least 1/2^k of its size that
// shows the same. HEVC and AV1 are decoded at their full size only. What was
// decoded is kept for the next call.
func (s *source) Level(k int) (image.Image, float64, error) {
	w, _ := s.Size()
	need := w
	if k > 0 {
		need = (w + 1<<min(k, 30) - 1) >> min(k, 30)
	}
	first := slices.IndexFunc(s.sizes, func(c scale) bool { return c.w >= need })
	var err error
	for i := first; i < len(s.sizes); i++ { // a broken thumbnail is passed by
		c := &s.sizes[i]
		if c.img == nil {
			if c.img, err = s.d.decode(s.ctx, c.picture); err != nil {
				continue
			}
		}
		return c.img, float64(c.w) / float64(w), nil
	}
	return nil, 0, err
}
