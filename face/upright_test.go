package face

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"slices"
	"testing"

	"github.com/disintegration/imaging"
)

// shown are the orientations of CIPA DC-008 in the words of another library:
// what a viewer does to the stored photo.
var shown = map[int]func(image.Image) *image.NRGBA{
	1: imaging.Clone,
	2: imaging.FlipH,
	3: imaging.Rotate180,
	4: imaging.FlipV,
	5: imaging.Transpose,
	6: imaging.Rotate270, // imaging turns against the clock
	7: imaging.Transverse,
	8: imaging.Rotate90,
}

func TestUprightAgainstImaging(t *testing.T) {
	for o, show := range shown {
		for _, size := range []image.Point{{1, 1}, {1, 7}, {6, 1}, {5, 8}, {9, 4}} {
			for _, img := range []image.Image{
				noiseRGBA(size.X, size.Y, image.Pt(3, 1), true, 1),
				noiseRGBA(size.X, size.Y, image.Pt(3, 1), false, 2),
				noiseYCbCr(size.X, size.Y, image.YCbCrSubsampleRatio420, image.Pt(2, 3), 3),
				noiseYCbCr(size.X, size.Y, image.YCbCrSubsampleRatio444, image.Point{}, 4),
			} {
				t.Run(fmt.Sprintf("%d/%v/%T", o, size, img), func(t *testing.T) {
					sameAs(t, Upright(img, o), show(img))
				})
			}
		}
	}
}

// sameAs checks that an image and its Picture both show want.
func sameAs(t *testing.T, got image.Image, want *image.NRGBA) {
	t.Helper()
	if got.Bounds().Size() != want.Rect.Size() {
		t.Fatalf("size %v, want %v", got.Bounds().Size(), want.Rect.Size())
	}
	if !slices.Equal(imaging.Clone(got).Pix, want.Pix) {
		t.Errorf("pixels by At differ")
	}
	p, err := NewPicture(got)
	if err != nil {
		t.Fatal(err)
	}
	w, h := p.Size()
	if image.Pt(w, h) != want.Rect.Size() {
		t.Fatalf("picture of %dx%d", w, h)
	}
	crop := p.Crop(Box{W: float64(w), H: float64(h)}, w, h)
	for i, v := range crop.Pix {
		if d := int(v) - int(want.Pix[i]); d < -1 || d > 1 { // YCbCr is rounded differently
			t.Fatalf("byte %d of the crop is %d, want %d", i, v, want.Pix[i])
		}
	}
}

func TestUprightOfNonsense(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 2, 3))
	for _, o := range []int{-1, 0, 1, 9, 1 << 30} {
		if got := Upright(img, o); got != image.Image(img) {
			t.Errorf("orientation %d turns the image", o)
		}
	}
}

func TestNewPictureEmpty(t *testing.T) {
	for _, img := range []image.Image{
		image.NewRGBA(image.Rectangle{}), image.NewGray(image.Rect(5, 5, 5, 9)),
		&image.YCbCr{}, Upright(image.NewRGBA(image.Rect(0, 0, 3, 0)), 6),
	} {
		if _, err := NewPicture(img); !errors.Is(err, ErrEmpty) {
			t.Errorf("%T of %v: error %v, want ErrEmpty", img, img.Bounds(), err)
		}
	}
}

// A crop beyond the photo is grey there.
func TestCropBeyond(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 10, 10))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	p, err := NewPicture(img)
	if err != nil {
		t.Fatal(err)
	}
	crop := p.Crop(Box{X: -10, W: 20, H: 10}, 20, 10)
	for x, want := range map[int]uint8{0: 127, 8: 127, 11: 255, 19: 255} {
		if c := crop.NRGBAAt(x, 5); c != (color.NRGBA{want, want, want, 255}) {
			t.Errorf("column %d is %v, want %d", x, c, want)
		}
	}
}
