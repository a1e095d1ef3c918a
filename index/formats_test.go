package index_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"math"
	"slices"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/face/facetest"
	"github.com/kith-photos/kith/index"
)

// couple is a photo of two painted faces.
func couple() *image.RGBA { return facetest.Photo(120, 64, 5, 900) }

func converted(dst draw.Image, src image.Image) image.Image {
	draw.Draw(dst, dst.Bounds(), src, src.Bounds().Min, draw.Src)
	return dst
}

func encoded(t *testing.T, encode func(b *bytes.Buffer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	must(t, encode(&b))
	return b.Bytes()
}

// TestFormats indexes the same photo in every format that is read.
func TestFormats(t *testing.T) {
	img := couple()
	r := img.Bounds()
	acc := newAccount(t, index.Config{Analyzer: facetest.NewAnalyzer()})
	exact := map[string][]byte{
		"plain.png":         pngOf(img),
		"deep.png":          pngOf(converted(image.NewRGBA64(r), img)),
		"palette.png":       pngOf(converted(image.NewPaletted(r, palette.Plan9), img)),
		"a PNG by name.jpg": append(pngOf(img), "and something behind it"...),
		"photo.bmp":         encoded(t, func(b *bytes.Buffer) error { return bmp.Encode(b, img) }),
		"photo.tif":         encoded(t, func(b *bytes.Buffer) error { return tiff.Encode(b, img, nil) }),
		"deflated.tiff": encoded(t, func(b *bytes.Buffer) error {
			return tiff.Encode(b, img, &tiff.Options{Compression: tiff.Deflate, Predictor: true})
		}),
		"photo.gif":  encoded(t, func(b *bytes.Buffer) error { return gif.Encode(b, img, nil) }),
		"film.gif":   film(t, img),
		"photo.webp": losslessWebP(img),
		"UPPER.PNG":  append(pngOf(img), "another content"...),
		"nameless":   append(pngOf(img), "a third"...),
	}
	src := newFiles(exact)
	// JPEG keeps half of the colours' resolution: the faces are drawn larger.
	large := facetest.Photo(240, 128, 5, 900)
	src.put("large.png", pngOf(large))
	src.put("photo.jpeg", jpegOf(large))
	src.put("grey.jpg", jpegOf(converted(image.NewGray(r), img)))
	src.put("print.jpg", cmykJPEG())
	rep := reindex(t, acc, src, index.ReindexOptions{NoGroup: true})
	if rep.Indexed != len(exact)+4 {
		t.Errorf("report %+v", rep)
	}
	want := facesOf(t, acc, "plain.png")
	if len(want) != 2 {
		t.Fatalf("%d faces", len(want))
	}
	for name := range exact {
		p := photoOf(t, acc, name)
		if p.Width != 120 || p.Height != 64 || p.Status != "ok" || p.Warning != "" {
			t.Errorf("%s: %d x %d, %s, %s", name, p.Width, p.Height, p.Status, p.Warning)
		}
		sameBoxes(t, name, facesOf(t, acc, name), want, 0)
	}
	sameBoxes(t, "photo.jpeg", facesOf(t, acc, "photo.jpeg"), facesOf(t, acc, "large.png"), 2.5)
	for name, size := range map[string]image.Point{"grey.jpg": r.Size(), "print.jpg": {X: 8, Y: 8}} {
		if p := photoOf(t, acc, name); p.Status != "ok" || p.Width != size.X || len(facesOf(t, acc, name)) != 0 {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func sameBoxes(t *testing.T, what string, got, want []index.Face, within float64) {
	t.Helper()
	far := func(a, b float64) bool { return math.Abs(a-b) > within }
	if !slices.EqualFunc(got, want, func(a, b index.Face) bool {
		return !far(a.Box.X, b.Box.X) && !far(a.Box.Y, b.Box.Y) && !far(a.Box.W, b.Box.W) && !far(a.Box.H, b.Box.H)
	}) {
		var boxes []face.Box
		for _, f := range got {
			boxes = append(boxes, f.Box)
		}
		t.Errorf("%s: boxes %v, want %v", what, boxes, want)
	}
}

// film is a GIF of two pictures, of which the first is the photo.
func film(t *testing.T, img image.Image) []byte {
	first := converted(image.NewPaletted(img.Bounds(), palette.Plan9), img).(*image.Paletted)
	second := image.NewPaletted(img.Bounds(), palette.Plan9)
	return encoded(t, func(b *bytes.Buffer) error {
		return gif.EncodeAll(b, &gif.GIF{Image: []*image.Paletted{first, second}, Delay: []int{5, 5}})
	})
}

// losslessWebP encodes a painted photo in VP8L (RFC 9649, section 3) with two
// values a channel, 50 and 210, which the painted faces survive.
func losslessWebP(img *image.RGBA) []byte {
	var bits []byte
	n := 0
	put := func(v uint32, count int) {
		for i := range count {
			if n%8 == 0 {
				bits = append(bits, 0)
			}
			bits[n/8] |= byte(v>>i&1) << (n % 8)
			n++
		}
	}
	put(0x2f, 8)
	put(uint32(img.Rect.Dx()-1), 14)
	put(uint32(img.Rect.Dy()-1), 14)
	put(0, 1+3)   // opaque, version 0
	put(0, 1+1+1) // no transform, no colour cache, one set of codes
	for range 3 { // green, red, blue: a simple code of two symbols of 8 bits
		put(0b111, 3)
		put(50, 8)
		put(210, 8)
	}
	put(0b101, 3) // alpha: always 255
	put(255, 8)
	put(0b001, 3) // distance: never used
	put(0, 1)
	for i := 0; i < len(img.Pix); i += 4 {
		for _, c := range [3]int{1, 0, 2} {
			put(uint32(img.Pix[i+c]>>7), 1)
		}
	}
	if len(bits)%2 == 1 {
		bits = append(bits, 0)
	}
	out := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(12+len(bits)))
	out = binary.LittleEndian.AppendUint32(append(out, "WEBPVP8L"...), uint32(len(bits)))
	return append(out, bits...)
}

// cmykJPEG is 8 by 8 pixels of four components: each block is a DC
// coefficient of no bits and an end of block, one bit each.
func cmykJPEG() []byte {
	b := []byte("\xff\xd8\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00")
	b = append(b, "\xff\xdb\x00\x43\x00"...)
	b = append(b, bytes.Repeat([]byte{1}, 64)...)
	b = append(b, "\xff\xc0\x00\x14\x08\x00\x08\x00\x08\x04\x01\x11\x00\x02\x11\x00\x03\x11\x00\x04\x11\x00"...)
	for _, class := range []byte{0x00, 0x10} { // one code of one bit, for 0
		b = append(append(b, 0xff, 0xc4, 0, 20, class, 1), make([]byte, 16)...)
	}
	return append(b, "\xff\xda\x00\x0e\x04\x01\x00\x02\x00\x03\x00\x04\x00\x00\x3f\x00\x00\xff\xd9"...)
}

// stored is img as a camera stores it that writes this EXIF orientation (CIPA
// DC-008, table of tag 0x0112).
func stored(img *image.RGBA, orientation int) *image.RGBA {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	at := func(x, y int) image.Point {
		return [8]image.Point{
			{X: x, Y: y}, {X: w - 1 - x, Y: y}, {X: w - 1 - x, Y: h - 1 - y}, {X: x, Y: h - 1 - y},
			{X: y, Y: x}, {X: y, Y: w - 1 - x}, {X: h - 1 - y, Y: w - 1 - x}, {X: h - 1 - y, Y: x},
		}[orientation-1]
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	if orientation >= 5 {
		out = image.NewRGBA(image.Rect(0, 0, h, w))
	}
	for y := range h {
		for x := range w {
			p := at(x, y)
			out.SetRGBA(p.X, p.Y, img.RGBAAt(x, y))
		}
	}
	return out
}

// orientationTag is an EXIF block with nothing but the orientation.
func orientationTag(orientation int) []byte {
	return []byte{'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, byte(orientation), 0, 0, 0, 0, 0, 0}
}

func TestOrientations(t *testing.T) {
	acc := newAccount(t, index.Config{Analyzer: facetest.NewAnalyzer()})
	img := facetest.Photo(200, 104, 5, 900)
	src := newFiles(map[string][]byte{"plain.png": pngOf(img)})
	for o := range 10 { // 0 and 9 mean nothing, and are shown as stored
		turned := img
		if o >= 1 && o <= 8 {
			turned = stored(img, o)
		}
		p := pngOf(turned)
		const head = 8 + 25 // signature and IHDR
		src.put(fmt.Sprintf("%d.png", o), slices.Concat(p[:head], chunk("eXIf", orientationTag(o)), p[head:]))
		j := encoded(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, turned, &jpeg.Options{Quality: 100}) })
		app1 := append([]byte("Exif\x00\x00"), orientationTag(o)...)
		src.put(fmt.Sprintf("%d.jpg", o), slices.Concat(j[:2], []byte{0xff, 0xe1, 0, byte(2 + len(app1))}, app1, j[2:]))
	}
	reindex(t, acc, src, index.ReindexOptions{})
	want := facesOf(t, acc, "plain.png")
	if len(want) != 2 {
		t.Fatalf("%d faces", len(want))
	}
	for o := range 10 {
		for ext, within := range map[string]float64{"png": 0, "jpg": 2.5} {
			name := fmt.Sprintf("%d.%s", o, ext)
			p := photoOf(t, acc, name)
			if p.Width != 200 || p.Height != 104 || (p.Orientation != o && o >= 1 && o <= 8) {
				t.Errorf("%s: %d x %d, orientation %d", name, p.Width, p.Height, p.Orientation)
			}
			sameBoxes(t, name, facesOf(t, acc, name), want, within)
		}
	}
}

func TestCrops(t *testing.T) {
	acc := newAccount(t, index.Config{Analyzer: facetest.NewAnalyzer()})
	img := couple()
	p := pngOf(stored(img, 6))
	src := newFiles(map[string][]byte{
		"a.png": pngOf(img),
		"b.png": slices.Concat(p[:33], chunk("eXIf", orientationTag(6)), p[33:]),
		"c.png": pngOf(facetest.Photo(100, 100, 7)),
	})
	reindex(t, acc, src, index.ReindexOptions{})
	var ids []index.FaceID
	for _, name := range []string{"c.png", "b.png", "a.png"} {
		for _, f := range facesOf(t, acc, name) {
			ids = append(ids, f.ID)
		}
	}
	const size = 120 // the face fills the middle 72 pixels
	seen := map[index.FaceID]image.Image{}
	for c, err := range acc.Crops(t.Context(), src, ids, size) {
		must(t, err)
		seen[c.Face] = c.Image
		if r := c.Image.Bounds(); r != image.Rect(0, 0, size, size) {
			t.Errorf("the crop is %v", r)
		}
		// The frame is magenta above and below the code, the photo grey.
		for y, want := range map[int]color.NRGBA{26: {255, 0, 255, 255}, 93: {255, 0, 255, 255}, 19: {128, 128, 128, 255}} {
			if got := color.NRGBAModel.Convert(c.Image.At(size/2, y)).(color.NRGBA); !near(got, want) {
				t.Errorf("crop of %s at %d: %v, want %v", c.Face, y, got, want)
			}
		}
	}
	if len(seen) != 5 || len(ids) != 5 {
		t.Fatalf("%d crops of %d faces", len(seen), len(ids))
	}
	upright, turned := seen[facesOf(t, acc, "a.png")[0].ID], seen[facesOf(t, acc, "b.png")[0].ID]
	if !slices.Equal(upright.(*image.NRGBA).Pix, turned.(*image.NRGBA).Pix) {
		t.Error("the turned photo's crop differs")
	}
	cropFaults(t, acc, src, ids)
}

func near(a, b color.NRGBA) bool {
	d := func(x, y uint8) bool { return max(x, y)-min(x, y) <= 12 }
	return d(a.R, b.R) && d(a.G, b.G) && d(a.B, b.B)
}

// cropFaults changes one photo and removes another: the third is still shown.
func cropFaults(t *testing.T, acc *index.Account, src *files, ids []index.FaceID) {
	src.put("a.png", pngOf(facetest.Photo(120, 64, 5, 901)))
	src.remove("b.png")
	var failed failures
	shown := 0
	for c, err := range acc.Crops(t.Context(), src, ids, 50) {
		if err == nil {
			shown++
			if c.Face != ids[0] {
				t.Errorf("%s is shown", c.Face)
			}
			continue
		}
		pe, ok := err.(*index.PhotoError)
		if !ok {
			t.Fatalf("got %v", err)
		}
		failed.add(pe)
	}
	if shown != 1 || len(failed) != 2 {
		t.Errorf("%d shown, failed: %v", shown, []*index.PhotoError(failed))
	}
	_ = failed.of(t, "a.png")
	_ = failed.of(t, "b.png")
	for _, c := range []struct {
		what string
		id   index.FaceID
		size int
	}{{"no such face", "nobody", 50}, {"size 0", ids[0], 0}, {"size below 0", ids[0], -3}, {"no end of a size", ids[0], math.MaxInt}} {
		n := 0
		for _, err := range acc.Crops(t.Context(), src, []index.FaceID{c.id}, c.size) {
			if n++; err == nil {
				t.Errorf("%s: no error", c.what)
			}
		}
		if n != 1 {
			t.Errorf("%s: %d answers", c.what, n)
		}
	}
}
