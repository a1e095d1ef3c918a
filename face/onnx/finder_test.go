package onnx

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/disintegration/imaging"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/models"
	"github.com/kith-photos/kith/models/modelstest"
)

// quarter turns pixels clockwise; imaging turns the other way.
func quarter(img image.Image, quarters int) image.Image {
	switch quarters {
	case 1:
		return imaging.Rotate270(img)
	case 2:
		return imaging.Rotate180(img)
	case 3:
		return imaging.Rotate90(img)
	}
	return img
}

// A frame shows the pixels of the turned photo, and its boxes and points are
// at the same pixels of the photo.
func TestFrame(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 7, 5))
	rnd := rand.New(rand.NewPCG(1, 1))
	for i := range img.Pix {
		img.Pix[i] = uint8(rnd.IntN(256))
	}
	pack := face.Packing{Order: face.Gray, Scale: 1}
	pixels := func(p *face.Picture, m face.Affine, w, h int) []float32 {
		out := make([]float32, w*h)
		p.Warp(out, w, h, m, pack)
		return out
	}
	p, err := face.NewPicture(img)
	if err != nil {
		t.Fatal(err)
	}
	for quarters := range 4 {
		f := turned(p, quarters)
		w, h := int(f.w), int(f.h)
		q, err := face.NewPicture(quarter(img, quarters))
		if err != nil {
			t.Fatal(err)
		}
		if qw, qh := q.Size(); qw != w || qh != h {
			t.Fatalf("%d quarters: %dx%d, want %dx%d", quarters, w, h, qw, qh)
		}
		have, want := pixels(p, f.back, w, h), pixels(q, face.Affine{A: 1, E: 1}, w, h)
		for i := range want {
			if math.Abs(float64(have[i]-want[i])) > 0.51 { // one of them may be rounded
				t.Fatalf("%d quarters, pixel %d: %v, want %v", quarters, i, have[i], want[i])
			}
		}
		// A box of one pixel, and a point in it.
		for y := range h {
			for x := range w {
				box := face.Box{X: float64(x), Y: float64(y), W: 1, H: 1}
				on := f.onPhoto(face.Detection{Box: box, Landmarks: &face.Landmarks{box.Center()}})
				if c := on.Box.Center(); c != on.Landmarks[0] || on.Box.W != 1 || on.Box.H != 1 {
					t.Fatalf("%d quarters: %v became %v with the point %v", quarters, box, on.Box, on.Landmarks[0])
				}
				v := float32(img.GrayAt(int(on.Box.X), int(on.Box.Y)).Y)
				if math.Abs(float64(v-want[y*w+x])) > 0.51 {
					t.Fatalf("%d quarters: %v became %v, which holds another pixel", quarters, box, on.Box)
				}
			}
		}
	}
	wide := turned(p, 1).onPhoto(face.Detection{Box: face.Box{X: 1, Y: 2, W: 3, H: 4}})
	if wide.Box.W != 4 || wide.Box.H != 3 || wide.Landmarks != nil {
		t.Errorf("3x4 turned is %v", wide)
	}
}

// A photo that lies on a side or on its head and does not say so has the faces
// of the upright photo, and their vectors.
func TestTurned(t *testing.T) {
	for name, inst := range map[string]models.Installation{
		"default": modelstest.Require(t), "ultraface": modelstest.RequireUltraFace(t),
	} {
		t.Run(name, func(t *testing.T) {
			e := open(t, inst, Options{})
			if inst.Detector.Kind == "yunet" && inst.Detector.Input.Width > 0 {
				t.Skip("a YuNet of fixed input size looks once")
			}
			for _, file := range []string{"sample1.jpg", "sample4.jpg"} {
				photo := small(t, file, 768)
				want := analyze(t, e, photo)
				if len(want) == 0 {
					t.Fatalf("%s: no face upright", file)
				}
				for quarters := 1; quarters < 4; quarters++ {
					img := quarter(photo, quarters)
					p, err := face.NewPicture(img)
					if err != nil {
						t.Fatal(err)
					}
					have := analyze(t, e, img)
					if len(have) != len(want) {
						t.Errorf("%s, %d quarters: %d faces, upright %d", file, quarters, len(have), len(want))
					}
					f := turned(p, 4-quarters) // the upright photo
					for _, w := range want {
						on := f.onPhoto(face.Detection{Box: w.Box, Landmarks: &w.Landmarks})
						h, ok := nearest(have, on.Box)
						if !ok {
							t.Errorf("%s, %d quarters: the face at %v is missing", file, quarters, w.Box)
							continue
						}
						if off := apart(h.Landmarks, *on.Landmarks) / max(w.Box.W, w.Box.H); off > 0.15 {
							t.Errorf("%s, %d quarters: points %.3f box sides apart", file, quarters, off)
						}
						if c := h.Vector.Dot(w.Vector); c < 0.8 {
							t.Errorf("%s, %d quarters: cosine similarity %.3f", file, quarters, c)
						}
					}
				}
			}
		})
	}
}

// shrunk pastes a photo into the middle of a large grey one.
func shrunk(photo image.Image, width, w, h int) image.Image {
	canvas := imaging.New(w, h, color.Gray{Y: 90})
	return imaging.PasteCenter(canvas, imaging.Resize(photo, width, 0, imaging.Box))
}

// Faces of a few pixels in the detector's view are found in tiles, once.
func TestTiles(t *testing.T) {
	inst := modelstest.RequireDetector(t, "yunet-n-dynamic")
	fd, _, _ := partsOf(t, open(t, inst, Options{}), inst)
	p, err := face.NewPicture(shrunk(demo(t, "sample5.jpg"), 400, 3840, 2880))
	if err != nil {
		t.Fatal(err)
	}
	for _, tiles := range []bool{true, false} {
		fd.passes.tiles = tiles
		ds, err := fd.Detect(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("tiles %v: %d faces", tiles, len(ds))
		if tiles && len(ds) != 5 || !tiles && len(ds) >= 5 {
			t.Errorf("tiles %v: %d faces of 5", tiles, len(ds))
		}
	}
}

// A face that fills the photo is found once, and its box is better for the
// look from afar.
func TestFillingFace(t *testing.T) {
	inst := modelstest.RequireDetector(t, "yunet-n-dynamic")
	fd, _, _ := partsOf(t, open(t, inst, Options{}), inst)
	photo := demo(t, "sample1.jpg")
	p, err := face.NewPicture(photo)
	if err != nil {
		t.Fatal(err)
	}
	ds, err := fd.Detect(t.Context(), p)
	if err != nil || len(ds) == 0 {
		t.Fatalf("%d faces, %v", len(ds), err)
	}
	var overlap [2]mean // without the pass, with it
	for _, d := range ds {
		c, h := d.Box.Center(), d.Box.H/1.2
		x, y := int(c.X-0.4*h), int(c.Y-0.45*h)
		crop := imaging.Crop(photo, image.Rect(x, y, int(c.X+0.4*h), int(c.Y+0.55*h)))
		z := 1280 / float64(crop.Rect.Dy())
		want := face.Box{X: (d.Box.X - float64(x)) * z, Y: (d.Box.Y - float64(y)) * z, W: d.Box.W * z, H: d.Box.H * z}
		q, err := face.NewPicture(imaging.Resize(crop, 0, 1280, imaging.Linear))
		if err != nil {
			t.Fatal(err)
		}
		for i, on := range []bool{false, true} {
			fd.passes.close = on
			found, err := fd.Detect(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			best := 0.0
			for _, d := range found {
				best = max(best, d.Box.IoU(want))
			}
			overlap[i].add(best)
			if on && (len(found) != 1 || best < 0.5) {
				t.Errorf("%d faces in a cut of one, IoU %.2f", len(found), best)
			}
		}
	}
	t.Logf("IoU %v, without the pass %v", overlap[1], overlap[0])
	if overlap[1].mean() <= overlap[0].mean() {
		t.Errorf("IoU %v, without the pass %v", overlap[1], overlap[0])
	}
}

// Boxes at a tile's inner borders may be halves, at the photo's border not.
func TestCut(t *testing.T) {
	whole := face.Box{W: 100, H: 80}
	tile := face.Box{W: 60, H: 80}
	for _, c := range []struct {
		box  face.Box
		want bool
	}{
		{face.Box{X: 10, Y: 10, W: 20, H: 20}, false},
		{face.Box{X: 45, Y: 10, W: 15, H: 20}, true},
		{face.Box{X: -2, Y: 10, W: 15, H: 20}, false},
		{face.Box{X: 10, Y: 65, W: 15, H: 20}, false},
	} {
		if have := cut(c.box, tile, whole, 0.01); have != c.want {
			t.Errorf("%v: %v", c.box, have)
		}
		moved := face.Box{X: whole.W - c.box.X - c.box.W, Y: c.box.Y, W: c.box.W, H: c.box.H}
		if have := cut(moved, face.Box{X: 40, W: 60, H: 80}, whole, 0.01); have != c.want {
			t.Errorf("%v: %v", moved, have)
		}
	}
}
