package facetest

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/disintegration/imaging"

	"github.com/kith-photos/kith/face"
)

// near is how alike the faces of one scene must be that reached the models by
// different ways: turned copies are shrunk from another corner, which moves
// what a network sees by a part of a pixel.
var near = tolerance{iou: 0.9, score: 0.05, cosine: 0.97}

// same is for equal pixels.
var same = tolerance{iou: 1 - 1e-9, score: 0, cosine: 1 - 1e-6}

type tolerance struct {
	iou    float64 // at least
	score  float64 // at most apart
	cosine float64 // at least
}

// compare says in what two lists of faces differ, "" if they do not.
func (tol tolerance) compare(got, want []face.Face) string {
	if len(got) != len(want) {
		return fmt.Sprintf("%d faces, want %d", len(got), len(want))
	}
	left := slices.Clone(got)
	for _, w := range want {
		i := 0
		for j, g := range left {
			if g.Box.IoU(w.Box) > left[i].Box.IoU(w.Box) {
				i = j
			}
		}
		g := left[i]
		left = slices.Delete(left, i, i+1)
		switch {
		case w.Box != (face.Box{}) && !(g.Box.IoU(w.Box) >= tol.iou):
			return fmt.Sprintf("box %+v, want %+v", g.Box, w.Box)
		case !(math.Abs(g.Score-w.Score) <= tol.score):
			return fmt.Sprintf("score %v, want %v", g.Score, w.Score)
		case len(g.Vector) != len(w.Vector):
			return fmt.Sprintf("vector of %d numbers, want %d", len(g.Vector), len(w.Vector))
		case len(w.Vector) > 0 && !(g.Vector.Dot(w.Vector) >= tol.cosine):
			return fmt.Sprintf("vector has a cosine similarity of %v", g.Vector.Dot(w.Vector))
		}
		reach := (1 - tol.iou) * max(w.Box.W, w.Box.H)
		for k := range w.Landmarks {
			if d := math.Hypot(g.Landmarks[k].X-w.Landmarks[k].X, g.Landmarks[k].Y-w.Landmarks[k].Y); !(d <= reach) {
				return fmt.Sprintf("landmark %d is %.2f px away", k, d)
			}
		}
	}
	return ""
}

func finds(t testing.TB, s subject) {
	for i, photo := range s.photos {
		if len(must(t, s, photo)) == 0 {
			t.Errorf("photo %d: no face found", i)
		}
	}
}

// sound checks the numbers of each face.
func sound(t testing.TB, s subject) {
	for i, photo := range s.photos {
		fs := must(t, s, photo)
		for j, f := range fs {
			if err := s.flaw(f, photo.Bounds()); err != nil {
				t.Errorf("photo %d, face %d: %v", i, j, err)
			}
			for k, g := range fs[:j] {
				if f.Box.IoU(g.Box) > 0.5 {
					t.Errorf("photo %d: faces %d and %d are one, IoU %.2f", i, k, j, f.Box.IoU(g.Box))
				}
			}
		}
	}
}

func (s subject) flaw(f face.Face, photo image.Rectangle) error {
	if s.boxes {
		b := f.Box
		if !(b.Area() > 0) || !b.Finite() {
			return fmt.Errorf("box %+v", b)
		}
		whole := face.Box{W: float64(photo.Dx()), H: float64(photo.Dy())}
		if b.Intersection(whole) == 0 {
			return fmt.Errorf("box %+v lies beside the photo of %v", b, photo.Size())
		}
		if !(f.Score >= 0 && f.Score <= 1) {
			return fmt.Errorf("score %v", f.Score)
		}
	}
	if !f.Landmarks.Finite() {
		return fmt.Errorf("landmarks %+v", f.Landmarks)
	}
	if !(f.Quality >= 0 && f.Quality <= 1) {
		return fmt.Errorf("quality %v", f.Quality)
	}
	if s.vector < 0 {
		return nil
	}
	if len(f.Vector) == 0 || s.vector > 0 && len(f.Vector) != s.vector {
		return fmt.Errorf("vector of %d numbers, want %d", len(f.Vector), s.vector)
	}
	if length := math.Sqrt(f.Vector.Dot(f.Vector)); !(math.Abs(length-1) < 1e-3) {
		return fmt.Errorf("vector of length %v", length)
	}
	return nil
}

func repeatable(t testing.TB, s subject) {
	for i, photo := range s.photos {
		if diff := same.compare(must(t, s, photo), must(t, s, photo)); diff != "" {
			t.Errorf("photo %d, second time: %s", i, diff)
		}
	}
}

func concurrent(t testing.TB, s subject) {
	var want [][]face.Face
	for _, photo := range s.photos {
		want = append(want, must(t, s, photo))
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	for range 8 {
		wg.Go(func() {
			for i, photo := range s.photos {
				got, err := s.faces(context.Background(), photo)
				if err != nil {
					t.Errorf("photo %d: %v", i, err)
				} else if diff := same.compare(got, want[i]); diff != "" {
					t.Errorf("photo %d, with seven others at work: %s", i, diff)
				}
			}
		})
	}
}

func cancelled(t testing.TB, s subject) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.faces(ctx, s.photos[0]); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	ctx, cancel = context.WithDeadline(context.Background(), time.Unix(1, 0))
	defer cancel()
	if _, err := s.faces(ctx, s.photos[0]); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want context.DeadlineExceeded", err)
	}
}

// orientation checks that a photo stored turned, and shown upright again,
// gives the faces of the photo itself.
func orientation(t testing.TB, s subject, o int) {
	for i, photo := range s.photos {
		plain := imaging.Clone(photo)
		stored := turned(plain, o)
		if diff := near.compare(must(t, s, face.Upright(stored, o)), must(t, s, plain)); diff != "" {
			t.Errorf("photo %d: %s", i, diff)
		}
	}
}

// turned is how a camera stores an upright photo to which it gives the EXIF
// orientation o. It is written apart from face.Upright on purpose.
func turned(img image.Image, o int) image.Image {
	switch o {
	case 2:
		return imaging.FlipH(img)
	case 3:
		return imaging.Rotate180(img)
	case 4:
		return imaging.FlipV(img)
	case 5:
		return imaging.Transpose(img)
	case 6: // to be shown turned clockwise, so stored turned against it
		return imaging.Rotate90(img)
	case 7:
		return imaging.Transverse(img)
	case 8:
		return imaging.Rotate270(img)
	}
	return img
}

// oddSizes checks that photos of strange shapes are no fault.
func oddSizes(t testing.TB, s subject) {
	for _, size := range []image.Point{{1, 1}, {1, 2}, {3, 2000}, {2000, 3}, {33, 31}} {
		img := image.NewRGBA(image.Rectangle{Max: size})
		draw.Draw(img, img.Rect, image.NewUniform(color.Gray{Y: 90}), image.Point{}, draw.Src)
		odd := s
		odd.photos = []image.Image{img}
		sound(t, odd)
	}
}

// kinds checks that the type that holds the pixels does not matter.
func kinds(t testing.TB, s subject) {
	plain := imaging.Clone(s.photos[0])
	want := must(t, s, plain)
	for _, img := range equal(plain) {
		if diff := same.compare(must(t, s, img), want); diff != "" {
			t.Errorf("%T of %v: %s", img, img.Bounds(), diff)
		}
	}
	for _, img := range alike(plain) {
		odd := s
		odd.photos = []image.Image{img}
		sound(t, odd)
	}
}

// equal are other images of the same opaque pixels.
func equal(img *image.NRGBA) []image.Image {
	size := img.Rect.Size()
	around := image.Rect(-3, 5, size.X+4, size.Y+14)
	inner := image.Rectangle{Max: size}.Add(image.Pt(0, 7))
	rgba, wide, deep := image.NewRGBA(img.Rect), image.NewNRGBA(around), image.NewRGBA64(img.Rect)
	draw.Draw(rgba, rgba.Rect, img, img.Rect.Min, draw.Src)
	draw.Draw(wide, inner, img, img.Rect.Min, draw.Src)
	draw.Draw(deep, deep.Rect, img, img.Rect.Min, draw.Src)
	return []image.Image{rgba, wide.SubImage(inner), deep, struct{ image.Image }{img}}
}

// alike are images of about the same pixels.
func alike(img *image.NRGBA) []image.Image {
	var greys color.Palette
	for v := 0; v < 256; v += 17 {
		greys = append(greys, color.Gray{Y: uint8(v)})
	}
	b := img.Rect
	all := []image.Image{coarse(img, image.YCbCrSubsampleRatio444), coarse(img, image.YCbCrSubsampleRatio420)}
	for _, m := range []draw.Image{
		image.NewGray(b), image.NewGray16(b), image.NewNRGBA64(b), image.NewCMYK(b), image.NewPaletted(b, greys),
	} {
		draw.Draw(m, b, img, b.Min, draw.Src)
		all = append(all, m)
	}
	return all
}

// coarse is the image as YCbCr; chroma is that of one of the pixels that share it.
func coarse(img *image.NRGBA, ratio image.YCbCrSubsampleRatio) *image.YCbCr {
	m := image.NewYCbCr(img.Rect, ratio)
	for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y++ {
		for x := m.Rect.Min.X; x < m.Rect.Max.X; x++ {
			c := img.NRGBAAt(x, y)
			m.Y[m.YOffset(x, y)], m.Cb[m.COffset(x, y)], m.Cr[m.COffset(x, y)] = color.RGBToYCbCr(c.R, c.G, c.B)
		}
	}
	return m
}

func leavesPixels(t testing.TB, s subject) {
	img := imaging.Clone(s.photos[0])
	before := slices.Clone(img.Pix)
	must(t, s, img)
	if !slices.Equal(img.Pix, before) {
		t.Errorf("the photo's pixels were changed")
	}
}

// keepsNoPixels looks at one image twice whose pixels change in between.
func keepsNoPixels(t testing.TB, s subject) {
	img := imaging.Clone(s.photos[0])
	must(t, s, img)
	for i := range img.Pix {
		img.Pix[i] = 255 - img.Pix[i]/2
	}
	for i := 3; i < len(img.Pix); i += 4 {
		img.Pix[i] = 255
	}
	got := must(t, s, img)
	if diff := same.compare(got, must(t, s, imaging.Clone(img))); diff != "" {
		t.Errorf("an image whose pixels were replaced differs from a new one: %s", diff)
	}
}

func degenerate(t testing.TB, e face.Embedder, photo image.Image, lm face.Landmarks) {
	nan := lm
	nan[2].X = math.NaN()
	for _, bad := range []face.Landmarks{{}, {lm[0], lm[0], lm[0], lm[0], lm[0]}, nan} {
		if _, err := embed(context.Background(), e, photo, bad); !errors.Is(err, face.ErrDegenerate) {
			t.Errorf("landmarks %v: error %v, want face.ErrDegenerate", bad, err)
		}
	}
}

// ownVector checks that a vector may be overwritten by whom it was given to.
func ownVector(t testing.TB, e face.Embedder, photo image.Image, lm face.Landmarks) {
	v, err := embed(context.Background(), e, photo, lm)
	if err != nil {
		t.Fatalf("%v", err)
	}
	before := slices.Clone(v)
	clear(v)
	w, err := embed(context.Background(), e, photo, lm)
	if err != nil {
		t.Fatalf("%v", err)
	}
	if !slices.Equal(w, before) {
		t.Errorf("overwriting a vector changed the next one")
	}
	if clear(w); len(w) > 0 && &w[0] == &v[0] {
		t.Errorf("two calls returned the same memory")
	}
}

// impostors checks a tail as package cluster will.
func impostors(t testing.TB, im face.Impostors) {
	if len(im.Thresholds) != len(im.FAR) {
		t.Errorf("%d thresholds, %d rates", len(im.Thresholds), len(im.FAR))
		return
	}
	for i := range im.FAR {
		if !(im.FAR[i] > 0 && im.FAR[i] <= 1) || !(math.Abs(im.Thresholds[i]) <= 1) {
			t.Errorf("rate %v at threshold %v", im.FAR[i], im.Thresholds[i])
		}
		if i > 0 && (im.FAR[i] > im.FAR[i-1] || im.Thresholds[i] <= im.Thresholds[i-1]) {
			t.Errorf("threshold %v does not rise, or its rate does", im.Thresholds[i])
		}
	}
	if im.Pairs < 0 || im.Pairs == 0 && len(im.FAR) > 0 && im.Source == "" {
		t.Errorf("a tail of %d pairs without a source", im.Pairs)
	}
}
