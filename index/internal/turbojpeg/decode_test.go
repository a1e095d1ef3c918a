package turbojpeg

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// library opens the machine's libjpeg-turbo.
func library(t testing.TB) *Lib {
	t.Helper()
	l, err := Open()
	if errors.Is(err, ErrUnavailable) {
		t.Skipf("nothing to test: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// file reads one of the drawn pictures; testdata/README says how they were made.
func file(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".jpg"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func decode(t testing.TB, l *Lib, data []byte, k int) (image.Image, error) {
	t.Helper()
	d, err := l.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	return d.Decode(data, k)
}

// plane is one of a picture's planes.
type plane struct {
	pix          []byte
	stride, w, h int
}

func planes(img image.Image) []plane {
	switch m := img.(type) {
	case *image.Gray:
		return []plane{{m.Pix, m.Stride, m.Rect.Dx(), m.Rect.Dy()}}
	case *image.YCbCr:
		w, h := m.Rect.Dx(), m.Rect.Dy()
		cw, ch := w, h
		switch m.SubsampleRatio {
		case image.YCbCrSubsampleRatio422:
			cw = ceil(w, 2)
		case image.YCbCrSubsampleRatio420:
			cw, ch = ceil(w, 2), ceil(h, 2)
		case image.YCbCrSubsampleRatio440:
			ch = ceil(h, 2)
		case image.YCbCrSubsampleRatio411:
			cw = ceil(w, 4)
		}
		return []plane{{m.Y, m.YStride, w, h}, {m.Cb, m.CStride, cw, ch}, {m.Cr, m.CStride, cw, ch}}
	}
	panic("unknown image")
}

// off is by how much the pixels of p are, on average, not the mean of n by n
// pixels of whole.
func (p plane) off(whole plane, n int) float64 {
	var sum, count float64
	for y := range whole.h / n {
		for x := range whole.w / n {
			mean := 0.0
			for i := range n * n {
				mean += float64(whole.pix[(n*y+i/n)*whole.stride+n*x+i%n]) / float64(n*n)
			}
			sum += math.Abs(float64(p.pix[y*p.stride+x]) - mean)
			count++
		}
	}
	return sum / max(1, count)
}

// At every scale a picture's planes are those that image/jpeg makes, averaged
// over the pixels that one of the small picture covers.
func TestDecode(t *testing.T) {
	l := library(t)
	for _, name := range []string{
		"444", "422", "420", "440", "411", "grey", "progressive", "progressive-444", "restart", "one", "two-images",
	} {
		data := file(t, name)
		whole, err := jpeg.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		b := whole.Bounds()
		for k := range 4 {
			n := 1 << k
			img, err := decode(t, l, data, k)
			if err != nil {
				t.Fatalf("%s at 1/%d: %v", name, n, err)
			}
			if got, want := img.Bounds(), image.Rect(0, 0, ceil(b.Dx(), n), ceil(b.Dy(), n)); got != want {
				t.Fatalf("%s at 1/%d is %v, want %v", name, n, got, want)
			}
			got, want := planes(img), planes(whole)
			if len(got) != len(want) {
				t.Fatalf("%s at 1/%d has %d planes, want %d", name, n, len(got), len(want))
			}
			for i, p := range got {
				// The inverse DCTs differ by rounding, and a cut spectrum from
				// a mean where the picture has edges.
				if off := p.off(want[i], n); off > [4]float64{0.6, 1.5, 1.5, 1}[k] {
					t.Errorf("%s at 1/%d: plane %d is off by %.2f on average", name, n, i, off)
				}
			}
		}
	}
}

// What the library does not hand over as planes, or complains about, is an
// error, so that another decoder can have a look.
func TestDecodeRefuses(t *testing.T) {
	l := library(t)
	for name, says := range map[string]string{
		"cmyk": "cannot decode", "rgb": "cannot decode", "truncated": "", "stray-bytes": "",
	} {
		img, err := decode(t, l, file(t, name), 0)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, %v", name, img != nil, err)
		}
	}
	d, err := l.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for _, data := range [][]byte{nil, {0xff}, []byte("no photo"), file(t, "420")[:4]} {
		if _, err := d.Header(data); err == nil {
			t.Errorf("%q has a header", data)
		}
	}
	for _, k := range []int{-1, 4} {
		if _, err := d.Decode(file(t, "420"), k); err == nil {
			t.Errorf("decoded at 1/2^%d", k)
		}
	}
}

// Decoders of one library work side by side.
func TestDecodersTogether(t *testing.T) {
	l := library(t)
	want, err := decode(t, l, file(t, "420"), 1)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				img, err := decode(t, l, file(t, "420"), 1)
				if err != nil || !bytes.Equal(img.(*image.YCbCr).Y, want.(*image.YCbCr).Y) {
					t.Errorf("another picture, %v", err)
				}
			}
		})
	}
	wg.Wait()
}

// Whatever the bytes, there is a picture of the size in the header or an
// error.
func FuzzDecode(f *testing.F) {
	l := library(f)
	for _, name := range []string{"420", "444", "411", "grey", "progressive", "restart", "cmyk", "truncated", "one"} {
		f.Add(file(f, name), byte(2))
	}
	f.Fuzz(func(t *testing.T, data []byte, k byte) {
		d, err := l.NewDecoder()
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		h, err := d.Header(data)
		if err != nil || h.Width*h.Height > 1<<22 {
			return
		}
		img, err := d.Decode(data, int(k%4))
		if err != nil {
			return
		}
		b := img.Bounds()
		if n := 1 << (k % 4); b.Dx() != ceil(h.Width, n) || b.Dy() != ceil(h.Height, n) {
			t.Fatalf("%v of %dx%d", b, h.Width, h.Height)
		}
		for i, p := range planes(img) {
			if len(p.pix) < (p.h-1)*p.stride+p.w {
				t.Fatalf("plane %d of %v has %d bytes", i, b, len(p.pix))
			}
		}
	})
}
