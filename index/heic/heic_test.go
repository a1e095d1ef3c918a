package heic

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"image"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/index"
)

// decoders returns those that this machine has: an installed libheif, and
// WASM.
func decoders(t testing.TB) []*Decoder {
	t.Helper()
	var list []*Decoder
	if d := New(Options{}); d.lib != nil {
		list = append(list, d)
	} else {
		t.Logf("not tested with an installed libheif: %v", d.why)
	}
	if err := wasmUnavailable(); err == nil {
		list = append(list, New(Options{Sandbox: true}))
	} else {
		t.Logf("not tested in WASM: %v", err)
	}
	if len(list) == 0 {
		t.Fatal("no decoder at all")
	}
	return list
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func open(t testing.TB, d *Decoder, data []byte) face.Source {
	t.Helper()
	s, err := d.Open(t.Context(), data, 1e6)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func level(t testing.TB, s face.Source, k int) (image.Image, float64) {
	t.Helper()
	img, shrink, err := s.Level(k)
	if err != nil {
		t.Fatal(err)
	}
	return img, shrink
}

// lacks reports whether a decoder cannot read a file of testdata.
func lacks(d *Decoder, name string) bool {
	if name == "oddgrey.heic" {
		return d.lib == nil
	}
	return strings.HasSuffix(name, ".avif") && (d.lib == nil || !d.lib.canDecode("av01"))
}

// TestGolden decodes every file and compares with what heif-convert made of
// it, whose colours and turns are another program's work.
func TestGolden(t *testing.T) {
	var g goldens
	if err := json.Unmarshal(readFile(t, "golden.json"), &g); err != nil {
		t.Fatal(err)
	}
	for _, d := range decoders(t) {
		for _, name := range testdata(t) {
			t.Run(d.Name()+"/"+name, func(t *testing.T) {
				if lacks(d, name) {
					_, err := d.Open(t.Context(), readFile(t, name), 1e6)
					if !errors.Is(err, index.ErrFormat) {
						t.Error(err)
					}
					t.Skip("not decoded:", err)
				}
				want, ok := g.Files[name]
				if !ok {
					t.Fatal("it has no golden")
				}
				s := open(t, d, readFile(t, name))
				if w, h := s.Size(); w != want.Width || h != want.Height {
					t.Errorf("%d x %d, want %d x %d", w, h, want.Width, want.Height)
				}
				img, shrink := level(t, s, 0)
				if b := img.Bounds(); shrink != 1 || b != image.Rect(0, 0, want.Width, want.Height) {
					t.Fatalf("level 0 is %v, 1/%g", b, 1/shrink)
				}
				got := means(img)
				for j := range cells {
					row, err := hex.DecodeString(got[j])
					if err != nil {
						t.Fatal(err)
					}
					wantRow, err := hex.DecodeString(want.Means[j])
					if err != nil {
						t.Fatal(err)
					}
					for i := range wantRow {
						if d := int(row[i]) - int(wantRow[i]); max(d, -d) > 2 {
							t.Fatalf("row %d is\n%s, want\n%s", j, got[j], want.Means[j])
						}
					}
				}
			})
		}
	}
}

// TestDrawn compares with the picture that was encoded, pixel by pixel, in
// the WASM build where a row or an edge could be lost.
func TestDrawn(t *testing.T) {
	for _, d := range decoders(t) {
		for _, name := range []string{"plain.heic", "chroma444.heic", "deep.heic", "odd.heic", "small.heic", "alpha.heic"} {
			img, _ := level(t, open(t, d, readFile(t, name)), 0)
			b := img.Bounds()
			want := drawn(b.Dx(), b.Dy())
			if got := psnr(img, want); got < 28 {
				t.Errorf("%s, %s: %.1f dB of what was drawn", d.Name(), name, got)
			}
			for _, edge := range []image.Rectangle{
				image.Rect(0, 0, b.Dx(), 1), image.Rect(0, b.Dy()-1, b.Dx(), b.Dy()),
				image.Rect(0, 0, 1, b.Dy()), image.Rect(b.Dx()-1, 0, b.Dx(), b.Dy()),
			} {
				if got := psnr(crop(img, edge), crop(want, edge)); got < 30 {
					t.Errorf("%s, %s: %.1f dB at the edge %v", d.Name(), name, got, edge)
				}
			}
		}
	}
}

func crop(img image.Image, r image.Rectangle) image.Image {
	return img.(interface {
		SubImage(image.Rectangle) image.Image
	}).SubImage(r)
}

// psnr is the peak signal to noise ratio of two pictures of one size, in dB.
func psnr(a, b image.Image) float64 {
	ra, rb := a.Bounds(), b.Bounds()
	if ra.Size() != rb.Size() {
		return 0
	}
	sum, n := 0.0, 0
	for y := range ra.Dy() {
		for x := range ra.Dx() {
			r1, g1, b1, _ := a.At(ra.Min.X+x, ra.Min.Y+y).RGBA()
			r2, g2, b2, _ := b.At(rb.Min.X+x, rb.Min.Y+y).RGBA()
			for _, p := range [][2]uint32{{r1, r2}, {g1, g2}, {b1, b2}} {
				d := float64(p[0]>>8) - float64(p[1]>>8)
				sum += d * d
				n++
			}
		}
	}
	return 10 * math.Log10(255*255*float64(n)/max(sum, 1))
}

func TestMatch(t *testing.T) {
	d := New(Options{Sandbox: true})
	for head, want := range map[string]bool{
		"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic": true,
		"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic": true,
		"\x00\x00\x00\x14ftypmsf1\x00\x00\x00\x00hevc":     true,
		"\x00\x00\x00\x18ftypavif\x00\x00\x00\x00avifmif1": true,
		"\x00\x00\x00\x14ftypavis\x00\x00\x00\x00avif":     true,
		"\x00\x00\x00\x14ftypMiHB\x00\x00\x00\x00mif1":     true,
		"\x00\x00\x00\x14ftypmif3\x00\x00\x00\x00heic":     true, // named in the error
		"\x00\x00\x00\x18ftypcrx \x00\x00\x00\x01crx isom": false,
		"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp41": false,
		"\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00qt  ":     false,
		"\x00\x00\x00\x10ftypisomheicheic":                 false, // a version is no brand, and the rest no box ftyp
		"\x00\x00\x00\x14ftyphe":                           false,
		"\x00\x00\x00\x00ftypheic":                         false,
		"\xff\xd8\xff\xe0":                                 false,
		"":                                                 false,
	} {
		if got := d.Match([]byte(head)); got != want {
			t.Errorf("%q: %v", head, got)
		}
	}
}

func TestName(t *testing.T) {
	if got := New(Options{Sandbox: true}).Name(); got != "libheif (WASM)" {
		t.Errorf("in the sandbox: %q", got)
	}
	d := New(Options{})
	if d.lib == nil {
		t.Skipf("no libheif is installed: %v", d.why)
	}
	if d.Name() != "libheif" || d.lib.version == "" {
		t.Errorf("%q, version %q", d.Name(), d.lib.version)
	}
}

// TestMissing: what is missing is said, and before anything is decoded.
func TestMissing(t *testing.T) {
	d := New(Options{Sandbox: true})
	if wasmUnavailable() != nil {
		t.Skip("the WASM build is not used here:", wasmUnavailable())
	}
	for name, want := range map[string]string{
		"plain.avif":   "AVIF needs an installed libheif with an AV1 decoder",
		"oddgrey.heic": "grey tiles needs an installed libheif",
		"narrow":       "64 pixels wide needs an installed libheif",
	} {
		data := testFile{codedItem(t, readFile(t, "small.heic")).item(clap(64, 96))}.bytes()
		if name != "narrow" {
			data = readFile(t, name)
		}
		if _, err := d.Open(t.Context(), data, 1e6); !errors.Is(err, index.ErrFormat) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}
