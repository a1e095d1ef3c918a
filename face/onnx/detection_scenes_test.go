package onnx

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	_ "image/png" // albums hold PNG and WebP too
	"iter"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/disintegration/imaging"
	_ "golang.org/x/image/webp"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/models/modelstest"
)

// scene is a photo, the faces that are to be found in it, and those that may
// be.
type scene struct {
	name      string
	img       image.Image
	must, may []face.Box
}

func sceneNames() []string {
	if names := os.Getenv("KITH_SCENES"); names != "" {
		return strings.Split(names, ",")
	}
	return []string{
		"demo", "boxes", "bbt", "politicians", "celeb5", "sports5", "lfw-dev",
		"turned politicians", "turned celeb5", "turned sports5", "turned lfw-dev",
		"close celeb5", "close sports5",
		"headless sports5", "headless politicians",
		"collage lfw-dev", "sheet sports5", "sheet politicians",
	}
}

// reference says where the faces of the albums' photos are.
type reference struct {
	fd    *finder
	limit int // photos of an album
}

func newReference(tb testing.TB) *reference {
	tb.Helper()
	inst := modelstest.RequireDetector(tb, "yunet-n-dynamic")
	fd, _, _ := partsOf(tb, open(tb, inst, Options{}), inst)
	fd.passes, fd.points = passes{}, nil
	limit := 60
	if s := os.Getenv("KITH_PHOTOS"); s != "" {
		var err error
		if limit, err = strconv.Atoi(s); err != nil {
			tb.Fatalf("KITH_PHOTOS: %v", err)
		}
	}
	return &reference{fd, limit}
}

// scenes makes the scenes of a name: an album, and what is done to it.
func (r *reference) scenes(tb testing.TB, name string) iter.Seq[scene] {
	how, album, ok := strings.Cut(name, " ")
	if !ok {
		how, album = "", name
	}
	make := map[string]func(testing.TB, scene, func(scene) bool) bool{
		"": asIs, "turned": turnedScenes, "close": closeScenes, "headless": headless,
	}[how]
	if how == "collage" || how == "sheet" {
		return r.canvas(tb, how, album)
	}
	return func(yield func(scene) bool) {
		for s := range r.photos(tb, album) {
			if !make(tb, s, yield) {
				return
			}
		}
	}
}

// photos are the photos of an album with the faces that the reference finds.
func (r *reference) photos(tb testing.TB, album string) iter.Seq[scene] {
	return func(yield func(scene) bool) {
		for _, path := range albumPhotos(tb, album, r.limit) {
			img, err := imaging.Open(path)
			if err != nil {
				tb.Fatalf("%s: %v", path, err)
			}
			p, err := face.NewPicture(img)
			if err != nil {
				tb.Fatal(err)
			}
			ds, err := r.fd.Detect(tb.Context(), p)
			if err != nil {
				tb.Fatal(err)
			}
			s := scene{name: path, img: img}
			for _, d := range ds {
				if d.Score >= 0.9 {
					s.must = append(s.must, d.Box)
				} else {
					s.may = append(s.may, d.Box)
				}
			}
			if !yield(s) {
				return
			}
		}
	}
}

func asIs(_ testing.TB, s scene, yield func(scene) bool) bool { return yield(s) }

// turnedScenes are a photo on its sides and on its head.
func turnedScenes(tb testing.TB, s scene, yield func(scene) bool) bool {
	for quarters, orientation := range map[int]int{1: 6, 2: 3, 3: 8} {
		t := scene{name: s.name + " turned " + strconv.Itoa(90*quarters), img: face.Upright(s.img, orientation)}
		p, err := face.NewPicture(t.img)
		if err != nil {
			tb.Fatal(err)
		}
		f := turned(p, 4-quarters) // the photo as it was
		on := func(bs []face.Box) (out []face.Box) {
			for _, b := range bs {
				out = append(out, f.onPhoto(face.Detection{Box: b}).Box)
			}
			return out
		}
		t.must, t.may = on(s.must), on(s.may)
		if !yield(t) {
			return false
		}
	}
	return true
}

// closeScenes are cuts around the largest face, which is 0.8, 1 and 1.3 times as
// high as the cut and mostly without its forehead, enlarged to 1280 pixels.
func closeScenes(_ testing.TB, s scene, yield func(scene) bool) bool {
	var b face.Box
	for _, m := range s.must {
		if m.H > b.H {
			b = m
		}
	}
	if b.H < 110 {
		return true
	}
	rnd := rand.New(rand.NewPCG(uint64(len(s.name)), uint64(b.H)))
	for _, k := range []float64{0.8, 1, 1.3} {
		h := b.H / k
		w := h * 0.75
		c := b.Center()
		x, y := c.X-w/2+0.2*(rnd.Float64()-0.5)*b.W, c.Y-h/2+0.4*(rnd.Float64()-0.3)*b.H
		r := image.Rect(int(x), int(y), int(x+w), int(y+h)).Intersect(s.img.Bounds())
		if float64(r.Dx()*r.Dy()) < 0.8*w*h {
			continue
		}
		z := 1280 / float64(max(r.Dx(), r.Dy()))
		t := scene{name: fmt.Sprintf("%s close %g", s.name, k)}
		t.img = imaging.Resize(imaging.Crop(s.img, r), int(z*float64(r.Dx())), 0, imaging.Linear)
		on := func(bs []face.Box) (out []face.Box) {
			for _, b := range bs {
				out = append(out, face.Box{X: (b.X - float64(r.Min.X)) * z, Y: (b.Y - float64(r.Min.Y)) * z, W: b.W * z, H: b.H * z})
			}
			return out
		}
		t.must, t.may = on([]face.Box{b}), append(on(s.must), on(s.may)...)
		if !yield(t) {
			return false
		}
	}
	return true
}

// headless is a photo of people whose faces are covered: nothing is to be
// found in it, however it is turned.
func headless(_ testing.TB, s scene, yield func(scene) bool) bool {
	img := imaging.Clone(s.img)
	for _, bs := range [][]face.Box{s.must, s.may} {
		for _, b := range bs {
			r := image.Rect(int(b.X-0.3*b.W), int(b.Y-0.5*b.H), int(b.X+1.3*b.W), int(b.Y+1.3*b.H)).Intersect(img.Rect)
			if r.Empty() {
				continue
			}
			// The cover is smooth, of the colours at its corners.
			cover := imaging.Resize(imaging.Resize(imaging.Crop(img, r), 2, 2, imaging.Box), r.Dx(), r.Dy(), imaging.Linear)
			draw.Draw(img, r, cover, image.Point{}, draw.Src)
		}
	}
	return yield(scene{name: s.name + " headless", img: img})
}

// canvas pastes photos of an album on canvases of 12 megapixels: a sheet holds
// whole photos side by side, a collage heads of 24 to 60 pixels here and there.
func (r *reference) canvas(tb testing.TB, how, album string) iter.Seq[scene] {
	const w, h, cell = 4000, 3000, 500
	cols, rows, perCanvas := w/cell, h/cell, w/cell*(h/cell)
	return func(yield func(scene) bool) {
		rnd := rand.New(rand.NewPCG(1, 2))
		var s scene
		var img *image.NRGBA
		n := 0
		for photo := range r.photos(tb, album) {
			if n%perCanvas == 0 {
				if img != nil && !yield(s) {
					return
				}
				img = image.NewNRGBA(image.Rect(0, 0, w, h))
				draw.Draw(img, img.Rect, image.NewUniform(color.Gray{Y: 96}), image.Point{}, draw.Src)
				s = scene{name: fmt.Sprintf("%s %s %d", how, album, n/perCanvas), img: img}
			}
			at := image.Pt(n%cols*cell, n/cols%rows*cell)
			b := photo.img.Bounds()
			z := float64(cell-20) / float64(max(b.Dx(), b.Dy()))
			if how == "collage" {
				if len(photo.must) == 0 {
					continue
				}
				z = (24 + 36*rnd.Float64()) / photo.must[0].H
				at = at.Add(image.Pt(rnd.IntN(cell/2), rnd.IntN(cell/2)))
			}
			small := imaging.Resize(photo.img, int(z*float64(b.Dx())), 0, imaging.Box)
			draw.Draw(img, small.Rect.Add(at), small, image.Point{}, draw.Src)
			on := func(bs []face.Box) (out []face.Box) {
				for _, b := range bs {
					out = append(out, face.Box{X: b.X*z + float64(at.X), Y: b.Y*z + float64(at.Y), W: b.W * z, H: b.H * z})
				}
				return out
			}
			for _, m := range on(photo.must) {
				if m.H >= 16 {
					s.must = append(s.must, m)
				} else {
					s.may = append(s.may, m)
				}
			}
			s.may = append(s.may, on(photo.may)...)
			n++
		}
		if img != nil {
			yield(s)
		}
	}
}
