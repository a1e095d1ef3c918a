package cluster_test

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/disintegration/imaging"
)

const (
	// surroundings is how many pixels a side of a funnelled LFW photo, which
	// has 250 and the face in the middle, are a head and little else.
	surroundings = 150
	leastQuality = 60 // of the JPEG
	mostQuality  = 85
	leastBlur    = 0.2 // standard deviation in pixels of the small photo
	mostBlur     = 0.4
)

// shrunk is a photo as it might come from a thumbnail of long ago: its middle,
// grey, side pixels wide and high, a little blurred, saved as JPEG, and then
// enlarged again so that a detector finds the face.
func shrunk(img image.Image, side int, rng *rand.Rand) (image.Image, error) {
	small := imaging.Resize(imaging.CropCenter(img, surroundings, surroundings), side, side, imaging.Lanczos)
	small = imaging.Blur(small, leastBlur+rng.Float64()*(mostBlur-leastBlur))
	grey := image.NewGray(small.Bounds())
	draw.Draw(grey, grey.Bounds(), small, image.Point{}, draw.Src)
	var buf bytes.Buffer
	quality := leastQuality + rng.IntN(mostQuality-leastQuality+1)
	if err := jpeg.Encode(&buf, grey, &jpeg.Options{Quality: quality}); err != nil {
		return nil, err
	}
	saved, err := jpeg.Decode(&buf)
	if err != nil {
		return nil, err
	}
	return imaging.Resize(saved, surroundings, surroundings, imaging.CatmullRom), nil
}

// The shrunk photo of fine stripes has lost what the original has, the more
// the smaller it was, and comes out the same every time.
func TestShrunk(t *testing.T) {
	stripes := image.NewRGBA(image.Rect(0, 0, 250, 250))
	for i := range 250 * 250 {
		if x := i % 250; x%6 < 3 {
			stripes.Set(x, i/250, color.RGBA{R: 255, A: 255})
		}
	}
	contrast := func(side int) int {
		img, err := shrunk(stripes, side, rand.New(rand.NewPCG(1, 1)))
		again, err2 := shrunk(stripes, side, rand.New(rand.NewPCG(1, 1)))
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		if img.Bounds() != image.Rect(0, 0, surroundings, surroundings) {
			t.Errorf("%v, want %d pixels a side", img.Bounds(), surroundings)
		}
		pix := img.(*image.NRGBA).Pix
		if !slices.Equal(pix, again.(*image.NRGBA).Pix) {
			t.Errorf("shrinking twice to %d pixels gives two photos", side)
		}
		if pix[0] != pix[1] || pix[1] != pix[2] {
			t.Errorf("pixel %v is not grey", pix[:4])
		}
		// Away from the edges, where resampling and JPEG ring.
		var middle []byte
		for y := 50; y < 100; y++ {
			for x := 50; x < 100; x++ {
				middle = append(middle, pix[4*(y*surroundings+x)])
			}
		}
		return int(slices.Max(middle)) - int(slices.Min(middle))
	}
	if fine, coarse := contrast(72), contrast(28); fine <= coarse || fine < 10 {
		t.Errorf("contrast %d at 72 pixels, %d at 28", fine, coarse)
	}
}
