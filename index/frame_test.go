package index

import (
	"bytes"
	"image"
	"image/jpeg"
	"testing"
)

// The frame header is an estimate's source only, but any bytes may hold one.
func FuzzFrame(f *testing.F) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewYCbCr(image.Rect(0, 0, 20, 10), image.YCbCrSubsampleRatio420), nil); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte("\xff\xd8\xff\xff\xff\xc2\x00\x0b\x08\x00\x10\x00\x10\x01\x01\x11\x00"))
	f.Add([]byte("\xff\xd8\xff\xe0\xff\xff"))
	f.Add([]byte("\xff\xd8\xff\xc0\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		fr := readFrame(data)
		fr.w, fr.h = 4000, 3000
		// Up to 255 components, each with factors up to 15.
		if n := fr.samples(); n < 0 || n > 255*225*12_000_000 {
			t.Errorf("%+v: %d samples", fr, n)
		}
	})
}

func TestFrame(t *testing.T) {
	for _, c := range []struct {
		img  image.Image
		want int64
	}{
		{image.NewGray(image.Rect(0, 0, 40, 20)), 800},
		{image.NewYCbCr(image.Rect(0, 0, 40, 20), image.YCbCrSubsampleRatio420), 1200},
	} {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, c.img, nil); err != nil {
			t.Fatal(err)
		}
		s, err := openJPEG(b.Bytes(), nil, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Memory(); got != c.want || s.frame.progressive {
			t.Errorf("%T takes %d bytes, want %d: %+v", c.img, got, c.want, s.frame)
		}
	}
	progressive := frame{w: 40, h: 20, h1: 1, v1: 1, factors: 1, progressive: true}
	if s := (&jpegSource{frame: progressive}); s.Memory() != 5*800 {
		t.Errorf("%d bytes", s.Memory())
	}
}

// A photo is decoded to what most faces need at first, and a large one never
// as a whole.
func TestJPEGLevels(t *testing.T) {
	for _, c := range []struct{ w, h, first, finest int }{
		{250, 250, 0, 0}, {1920, 1080, 0, 0}, {2816, 2112, 0, 0}, {3000, 2000, 1, 0}, {4000, 3000, 1, 0}, {4624, 3472, 1, 1},
		{6000, 4000, 2, 1}, {8000, 6000, 2, 1}, {12000, 10000, 3, 2}, {16000, 12000, 3, 2}, {60000, 30000, 3, 3},
	} {
		s := jpegSource{frame: frame{w: c.w, h: c.h}}
		if first, finest := s.levels(); first != c.first || finest != c.finest {
			t.Errorf("%d x %d: levels %d and %d, want %d and %d", c.w, c.h, first, finest, c.first, c.finest)
		}
	}
}
