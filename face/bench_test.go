package face

import (
	"image"
	"testing"

	"github.com/disintegration/imaging"
)

// Fitting a photo of 12 megapixels, as a JPEG decoder returns it, into a
// detector's input of 640x480: by Warp to normalised planes, and by the
// general purpose resizer to an image, which would still have to be converted.
func BenchmarkFit12MP(b *testing.B) {
	photo := noiseYCbCr(4000, 3000, image.YCbCrSubsampleRatio420, image.Point{}, 1)
	dst := make([]float32, 3*640*480)
	pack := Packing{Order: BGR, Mean: 127.5, Scale: 1.0 / 128}
	for _, c := range []struct {
		name        string
		orientation int
	}{{"Warp", 1}, {"WarpTurned", 6}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p, err := NewPicture(Upright(photo, c.orientation))
				if err != nil {
					b.Fatal(err)
				}
				w, h := p.Size()
				s := float64(max(w, h)) / 640
				p.Warp(dst, int(float64(w)/s), int(float64(h)/s), Affine{A: s, E: s}, pack)
			}
		})
	}
	for _, c := range []struct {
		name   string
		filter imaging.ResampleFilter
	}{{"ImagingBox", imaging.Box}, {"ImagingLinear", imaging.Linear}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				imaging.Resize(photo, 640, 480, c.filter)
			}
		})
	}
}

// An aligned face of 112x112 from a photo whose smaller copies exist already;
// the peer crops the box and resizes it, without turning it upright.
func BenchmarkFaceCrop(b *testing.B) {
	photo := noiseYCbCr(4000, 3000, image.YCbCrSubsampleRatio420, image.Point{}, 1)
	var lm Landmarks
	for i, p := range arcFace {
		lm[i] = Point{1500 + 3*p.X - 0.4*p.Y, 1000 + 3*p.Y + 0.4*p.X}
	}
	m, err := Align(lm)
	if err != nil {
		b.Fatal(err)
	}
	dst := make([]float32, 3*ArcFaceSize*ArcFaceSize)
	p, err := NewPicture(photo)
	if err != nil {
		b.Fatal(err)
	}
	p.level(3)
	b.Run("Warp", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			p.Warp(dst, ArcFaceSize, ArcFaceSize, m, Packing{Order: BGR, Mean: 127.5, Scale: 1.0 / 128})
		}
	})
	b.Run("ImagingLinear", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			imaging.Resize(imaging.Crop(photo, image.Rect(1450, 1000, 1790, 1340)), ArcFaceSize, ArcFaceSize, imaging.Linear)
		}
	})
}
