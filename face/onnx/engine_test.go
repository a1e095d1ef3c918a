package onnx

import (
	"context"
	"errors"
	"image"
	"image/jpeg"
	"math"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/disintegration/imaging"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/face/facetest"
	"github.com/kith-photos/kith/face/internal/ort"
	"github.com/kith-photos/kith/models"
	"github.com/kith-photos/kith/models/modelstest"
)

// open opens an engine that lives as long as the test.
func open(t testing.TB, inst models.Installation, opt Options) *Engine {
	t.Helper()
	e, err := Open(inst, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// demo decodes one of the demonstration photos.
func demo(t testing.TB, name string) image.Image {
	t.Helper()
	for _, path := range modelstest.DemoPhotos(t) {
		if filepath.Base(path) == name {
			return decode(t, path)
		}
	}
	t.Fatalf("no demonstration photo %s", name)
	return nil
}

func decode(t testing.TB, path string) image.Image {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() // only read
	img, err := jpeg.Decode(f)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return img
}

// small is a demonstration photo at a width for quick tests.
func small(t testing.TB, name string, width int) image.Image {
	t.Helper()
	return imaging.Resize(demo(t, name), width, 0, imaging.Box)
}

func analyze(t testing.TB, e *Engine, img image.Image) []face.Face {
	t.Helper()
	faces, err := e.Analyzer().Analyze(context.Background(), img)
	if err != nil {
		t.Fatal(err)
	}
	return faces
}

// partsOf are the engine's parts, over the models that it holds already.
func partsOf(t testing.TB, e *Engine, inst models.Installation) (*finder, face.Landmarker, face.Embedder) {
	t.Helper()
	byID := map[string]*net{}
	for _, n := range e.nets {
		byID[n.id] = n
	}
	points := landmark68{byID[inst.Landmarker.ID]}
	d := &finder{points: &points, passes: allPasses()}
	var err error
	if n := byID[inst.Detector.ID]; inst.Detector.Kind == "yunet" {
		d.network, err = newYunet(n, inst.Detector)
	} else {
		d.network, err = newUltraface(n, inst.Detector)
	}
	if err != nil {
		t.Fatal(err)
	}
	a, err := newArcface(byID[inst.Embedder.ID], inst.Embedder, false)
	if err != nil {
		t.Fatal(err)
	}
	return d, points, a
}

func TestConformance(t *testing.T) {
	for name, inst := range map[string]models.Installation{
		"default": modelstest.Require(t), "ultraface": modelstest.RequireUltraFace(t),
	} {
		t.Run(name, func(t *testing.T) {
			e := open(t, inst, Options{})
			photo := small(t, "sample1.jpg", 384)
			detector, _, embedder := partsOf(t, e, inst)
			faces := analyze(t, e, photo)
			if len(faces) == 0 {
				t.Fatal("no face found")
			}
			t.Run("detector", func(t *testing.T) { facetest.TestDetector(t, detector, photo) })
			t.Run("analyzer", func(t *testing.T) { facetest.TestAnalyzer(t, e.Analyzer(), photo) })
			if name == "default" {
				t.Run("embedder", func(t *testing.T) { facetest.TestEmbedder(t, embedder, photo, faces[0].Landmarks) })
			}
		})
	}
}

// Mirrored vectors are unit vectors near the plain ones, in a space of their
// own, and do not change when the photo is mirrored.
func TestMirror(t *testing.T) {
	inst := modelstest.Require(t)
	plain, mirror := open(t, inst, Options{}), open(t, inst, Options{Mirror: true})
	if a, b := plain.Analyzer().Space(), mirror.Analyzer().Space(); a == b || a == "" || b == "" {
		t.Errorf("spaces %q and %q", a, b)
	}
	photo := small(t, "sample1.jpg", 768)
	_, _, one := partsOf(t, plain, inst)
	two, err := newArcface(one.(*arcface).net, inst.Embedder, true)
	if err != nil {
		t.Fatal(err)
	}
	w := float64(photo.Bounds().Dx())
	for i, f := range analyze(t, mirror, photo) {
		flipped := face.Landmarks{f.Landmarks[1], f.Landmarks[0], f.Landmarks[2], f.Landmarks[4], f.Landmarks[3]}
		for k := range flipped {
			flipped[k].X = w - flipped[k].X
		}
		vector := func(e face.Embedder, img image.Image, lm face.Landmarks) face.Vector {
			p, err := face.NewPicture(img)
			if err != nil {
				t.Fatal(err)
			}
			v, err := e.Embed(t.Context(), p, lm)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		if length := f.Vector.Dot(f.Vector); math.Abs(length-1) > 1e-3 {
			t.Errorf("face %d: squared length %v", i, length)
		}
		to := func(e face.Embedder) float64 {
			return vector(e, photo, f.Landmarks).Dot(vector(e, imaging.FlipH(photo), flipped))
		}
		// The crop's template is not quite symmetric, hence below 1.
		single, both := to(one), to(two)
		t.Logf("face %d and its mirror image: cosine %.4f, with Mirror %.4f", i, single, both)
		if both < 0.97 || both < single {
			t.Errorf("face %d: mirroring the photo leaves a cosine of %.4f, without Mirror %.4f", i, both, single)
		}
		if c := f.Vector.Dot(vector(one, photo, f.Landmarks)); c < 0.8 {
			t.Errorf("face %d: cosine similarity to the plain vector %.4f", i, c)
		}
	}
}

func TestClose(t *testing.T) {
	e, err := Open(modelstest.Require(t), Options{})
	if err != nil {
		t.Fatal(err)
	}
	photo := small(t, "sample1.jpg", 384)
	if len(analyze(t, e, photo)) == 0 {
		t.Error("no face before Close")
	}
	if e.Time() <= 0 || e.RuntimeVersion() == "" {
		t.Errorf("time %v, runtime %q", e.Time(), e.RuntimeVersion())
	}
	var wg sync.WaitGroup
	for range 4 { // Close waits for what runs and fails what comes later
		wg.Go(func() {
			for range 20 {
				if _, err := e.Analyzer().Analyze(context.Background(), photo); err != nil && !errors.Is(err, ort.ErrClosed) {
					t.Errorf("error %v", err)
				}
			}
		})
	}
	for range 3 {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
	if faces, err := e.Analyzer().Analyze(t.Context(), photo); !errors.Is(err, ort.ErrClosed) {
		t.Errorf("after Close: %d faces, error %v", len(faces), err)
	}
}

// The share of the time that is ONNX Runtime's own is what no other pipeline
// around it could save.
func BenchmarkAnalyze(b *testing.B) {
	for name, inst := range map[string]models.Installation{
		"default": modelstest.Require(b), "ultraface": modelstest.RequireUltraFace(b),
	} {
		b.Run(name, func(b *testing.B) {
			e := open(b, inst, Options{})
			photo := demo(b, "sample1.jpg")
			faces := len(analyze(b, e, photo))
			before := e.Time()
			for b.Loop() {
				analyze(b, e, photo)
			}
			b.ReportMetric(100*float64(e.Time()-before)/float64(b.Elapsed()), "%onnx")
			b.ReportMetric(float64(faces), "faces")
		})
	}
}
