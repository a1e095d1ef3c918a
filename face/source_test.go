package face

import (
	"errors"
	"image"
	"math"
	"slices"
	"testing"
)

// copies is a source with some copies of a photo, at powers of a half; it
// gives the coarsest that is fine enough, or the finest.
type copies struct {
	w, h  int
	have  map[int]image.Image
	fault error
	asked []int
}

func (s *copies) Size() (w, h int) { return s.w, s.h }

func (s *copies) Level(k int) (image.Image, float64, error) {
	s.asked = append(s.asked, k)
	if s.fault != nil {
		return nil, 0, s.fault
	}
	for i := range 10 {
		for _, j := range []int{k - i, k + i} {
			if img := s.have[j]; img != nil {
				return img, math.Exp2(-float64(j)), nil
			}
		}
	}
	panic("a source without a photo")
}

// see warps the middle of a photo, one output pixel to scale of the photo's.
func see(p *Picture, scale float64) []float32 {
	const side = 16
	w, h := p.Size()
	m := Affine{A: scale, C: float64(w)/2 - scale*side/2, E: scale, F: float64(h)/2 - scale*side/2}
	dst := make([]float32, 3*side*side)
	p.Warp(dst, side, side, m, Packing{Scale: 1})
	return dst
}

// A photo is decoded when it is looked at, as far as it is, and once.
func TestPictureDecodesWhatIsNeeded(t *testing.T) {
	photo := noiseYCbCr(256, 192, image.YCbCrSubsampleRatio420, image.Point{}, 7)
	whole, err := NewPicture(photo)
	if err != nil {
		t.Fatal(err)
	}
	have := map[int]image.Image{0: photo}
	for k := range 3 {
		have[k+1] = whole.level(k + 1).ycc
	}
	for _, c := range []struct {
		have   []int // of the source
		scales []float64
		asked  []int
	}{
		{have: []int{0, 1, 2, 3}, asked: nil},
		{have: []int{0, 1, 2, 3}, scales: []float64{8, 8.1, 7.9}, asked: []int{3}},
		{have: []int{0, 1, 2, 3}, scales: []float64{4, 8, 4}, asked: []int{2}}, // 8 is made of 4
		{have: []int{0, 1, 2, 3}, scales: []float64{8, 4, 2, 1, 0.5}, asked: []int{3, 2, 1, 0}},
		{have: []int{1}, scales: []float64{8, 4, 2}, asked: []int{3}}, // finer than asked
		{have: []int{0}, scales: []float64{8, 1, 2}, asked: []int{3}}, // all there is
	} {
		src := &copies{w: 256, h: 192, have: map[int]image.Image{}}
		for _, k := range c.have {
			src.have[k] = have[k]
		}
		p, err := PictureOf(src, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range c.scales {
			if !slices.Equal(see(p, s), see(whole, s)) {
				t.Errorf("%v: another picture at scale %v", c, s)
			}
		}
		if !slices.Equal(src.asked, c.asked) || p.Err() != nil {
			t.Errorf("%v: asked for %v, %v", c, src.asked, p.Err())
		}
	}
}

// The finest copy of a large photo may be coarser than the photo: it is then
// read for all that would be finer, and decoded once.
func TestPictureCoarsest(t *testing.T) {
	flat := image.NewGray(image.Rect(0, 0, 64, 48))
	for i := range flat.Pix {
		flat.Pix[i] = 80
	}
	src := &copies{w: 256, h: 192, have: map[int]image.Image{2: flat}}
	p, err := PictureOf(src, 6)
	if err != nil {
		t.Fatal(err)
	}
	if w, h := p.Size(); w != 192 || h != 256 {
		t.Errorf("%d x %d pixels", w, h)
	}
	for _, s := range []float64{1, 2, 4, 8} {
		for _, v := range see(p, s) {
			if v != 80 {
				t.Fatalf("%v at scale %v", v, s)
			}
		}
	}
	if !slices.Equal(src.asked, []int{0}) {
		t.Errorf("asked for %v", src.asked)
	}
}

// A thumbnail's scale need not be a power of a half.
func TestPictureThumbnail(t *testing.T) {
	wide := image.NewGray(image.Rect(0, 0, 100, 50)) // of 300 x 150, bright on the right
	for i := range wide.Pix {
		if i%100 >= 50 {
			wide.Pix[i] = 200
		}
	}
	p, err := PictureOf(thumbnail{wide}, 1)
	if err != nil {
		t.Fatal(err)
	}
	const side = 30
	dst := make([]float32, side*side/2)
	p.Warp(dst, side, side/2, Affine{A: 10, E: 10}, Packing{Order: Gray, Scale: 1})
	for i, v := range dst {
		if x := i % side; x < 14 && v != 0 || x > 15 && v != 200 {
			t.Fatalf("%v at %d", v, x)
		}
	}
}

type thumbnail struct{ image.Image }

func (thumbnail) Size() (w, h int)                          { return 300, 150 }
func (s thumbnail) Level(int) (image.Image, float64, error) { return s.Image, 1. / 3, nil }

// An error of the source is the photo's, whatever the warps show.
func TestPictureFault(t *testing.T) {
	fault := errors.New("the file is cut")
	src := &copies{w: 256, h: 192, fault: fault}
	p, err := PictureOf(src, 1)
	if err != nil || p.Err() != nil {
		t.Fatal(err, p.Err())
	}
	see(p, 1)
	see(p, 4)
	if !errors.Is(p.Err(), fault) {
		t.Errorf("the error is %v", p.Err())
	}
	for _, s := range []*copies{{w: 0, h: 5}, {w: 5, h: -1}} {
		if _, err := PictureOf(s, 1); !errors.Is(err, ErrEmpty) {
			t.Errorf("%d x %d: %v", s.w, s.h, err)
		}
	}
	p, err = PictureOf(&copies{w: 8, h: 8, have: map[int]image.Image{0: image.NewGray(image.Rectangle{})}}, 1)
	if see(p, 1); err != nil || !errors.Is(p.Err(), ErrEmpty) {
		t.Errorf("%v, %v", err, p.Err())
	}
}
