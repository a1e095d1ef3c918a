package face_test

import (
	"context"
	"errors"
	"image"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/face/facetest"
)

func TestAnalyzerConforms(t *testing.T) {
	facetest.TestAnalyzer(t, facetest.NewAnalyzer(), facetest.Photo(90, 60, 1, 2))
}

// parts is a Fake whose answers may be replaced.
type parts struct {
	*facetest.Fake
	detect    func(ds []face.Detection) ([]face.Detection, error)
	landmarks func(b face.Box) (face.Landmarks, error)
	embed     func(v face.Vector) (face.Vector, error)
}

func (p parts) Detect(ctx context.Context, img *face.Picture) ([]face.Detection, error) {
	ds, err := p.Fake.Detect(ctx, img)
	if p.detect != nil && err == nil {
		return p.detect(ds)
	}
	return ds, err
}

func (p parts) Landmarks(_ context.Context, _ *face.Picture, b face.Box) (face.Landmarks, error) {
	return p.landmarks(b)
}

func (p parts) Embed(ctx context.Context, img *face.Picture, lm face.Landmarks) (face.Vector, error) {
	// Deaf to ctx, so that only the Analyzer can notice it.
	v, err := p.Fake.Embed(context.WithoutCancel(ctx), img, lm)
	if p.embed != nil && err == nil {
		return p.embed(v)
	}
	return v, err
}

func (p parts) analyze(ctx context.Context, img image.Image) ([]face.Face, error) {
	var l face.Landmarker
	if p.landmarks != nil {
		l = p
	}
	a, err := face.NewAnalyzer(p, l, p)
	if err != nil {
		return nil, err
	}
	return a.Analyze(ctx, img)
}

// first changes the first of the detections.
func first(f func(d *face.Detection)) func([]face.Detection) ([]face.Detection, error) {
	return func(ds []face.Detection) ([]face.Detection, error) {
		f(&ds[0])
		return ds, nil
	}
}

func TestAnalyzeFaults(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		parts parts
		text  string // in the error
		is    error
	}{
		"detector":     {parts{detect: func([]face.Detection) ([]face.Detection, error) { return nil, broken }}, "detect (facetest)", broken},
		"embedder":     {parts{embed: func(face.Vector) (face.Vector, error) { return nil, broken }}, "embed (facetest)", broken},
		"landmarker":   {parts{landmarks: func(face.Box) (face.Landmarks, error) { return face.Landmarks{}, broken }}, "landmarks", broken},
		"no landmarks": {parts{detect: first(func(d *face.Detection) { d.Landmarks = nil })}, "no landmarks", nil},
		"NaN box":      {parts{detect: first(func(d *face.Detection) { d.Box.X = math.NaN() })}, "box", nil},
		"empty box":    {parts{detect: first(func(d *face.Detection) { d.Box.W = 0 })}, "box", nil},
		"inverted box": {parts{detect: first(func(d *face.Detection) { d.Box.H *= -1 })}, "box", nil},
	} {
		t.Run(name, func(t *testing.T) {
			c.parts.Fake = facetest.NewFake()
			faces, err := c.parts.analyze(t.Context(), facetest.Photo(120, 60, 1, 2))
			if err == nil || faces != nil || !strings.Contains(err.Error(), c.text) {
				t.Fatalf("%d faces, error %v; want one with %q", len(faces), err, c.text)
			}
			if c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("error %v does not wrap the cause", err)
			}
		})
	}
}

// A detection that fixes no alignment is left out; the others stay.
func TestAnalyzeDropsDegenerate(t *testing.T) {
	photo := facetest.Photo(120, 60, 1, 2)
	all, err := facetest.NewAnalyzer().Analyze(t.Context(), photo)
	if err != nil || len(all) != 2 {
		t.Fatal(len(all), err)
	}
	flat := first(func(d *face.Detection) { d.Landmarks = &face.Landmarks{} })
	nan := first(func(d *face.Detection) { d.Landmarks = &face.Landmarks{{X: math.NaN()}} })
	for name, p := range map[string]parts{
		"points": {detect: flat}, "NaN": {detect: nan},
		"embedder": {embed: func(v face.Vector) (face.Vector, error) {
			if v.Dot(all[0].Vector) > 0.99 {
				return nil, face.ErrDegenerate
			}
			return v, nil
		}},
	} {
		p.Fake = facetest.NewFake()
		faces, err := p.analyze(t.Context(), photo)
		if err != nil || len(faces) != 1 || faces[0].Box != all[1].Box {
			t.Errorf("%s: %+v, %v; want the second face alone", name, faces, err)
		}
	}
}

// Whatever the detector's order, faces come from left to right and, one above
// the other, from top to bottom.
func TestAnalyzeOrder(t *testing.T) {
	photo := facetest.Photo(80, 80, 1, 2, 3, 4) // two columns of two
	for name, arrange := range map[string]func([]face.Detection){
		"as found": func([]face.Detection) {}, "reversed": slices.Reverse[[]face.Detection],
	} {
		p := parts{Fake: facetest.NewFake(), detect: func(ds []face.Detection) ([]face.Detection, error) {
			arrange(ds)
			return ds, nil
		}}
		faces, err := p.analyze(t.Context(), photo)
		if err != nil || len(faces) != 4 {
			t.Fatal(len(faces), err)
		}
		for i, f := range faces[1:] {
			if o := faces[i].Box; f.Box.X < o.X || f.Box.X == o.X && f.Box.Y <= o.Y {
				t.Errorf("%s: %+v comes after %+v", name, f.Box, o)
			}
		}
	}
}

// The landmarker's points count, and the detector need not give any.
func TestAnalyzeWithLandmarker(t *testing.T) {
	var want face.Landmarks
	p := parts{Fake: facetest.NewFake(), detect: first(func(d *face.Detection) {
		want = *d.Landmarks
		d.Landmarks = nil
	})}
	p.landmarks = func(face.Box) (face.Landmarks, error) { return want, nil }
	faces, err := p.analyze(t.Context(), facetest.Photo(80, 80, 4))
	if err != nil || len(faces) != 1 || faces[0].Landmarks != want {
		t.Fatalf("%+v, %v; want the landmarks %v", faces, err, want)
	}
}

func TestAnalyzeStopsBetweenFaces(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	embedded := 0
	p := parts{Fake: facetest.NewFake(), embed: func(v face.Vector) (face.Vector, error) {
		embedded++
		cancel()
		return v, nil
	}}
	if _, err := p.analyze(ctx, facetest.Photo(120, 60, 1, 2)); !errors.Is(err, context.Canceled) || embedded != 1 {
		t.Errorf("error %v after %d faces", err, embedded)
	}
}

// A panic of a part is the caller's to see: Analyze must not turn it into a
// photo without faces.
func TestAnalyzeDoesNotHidePanics(t *testing.T) {
	f := facetest.NewFake()
	f.Hook = func(context.Context, *face.Picture) error { panic("broken detector") }
	defer func() {
		if r := recover(); r != "broken detector" {
			t.Errorf("recovered %v", r)
		}
	}()
	faces, err := f.Analyzer().Analyze(t.Context(), facetest.Photo(60, 60, 1))
	t.Errorf("%v, %v and no panic", faces, err)
}

func TestNewAnalyzer(t *testing.T) {
	f := facetest.NewFake()
	if _, err := face.NewAnalyzer(nil, nil, f); err == nil {
		t.Error("no error without a detector")
	}
	if _, err := face.NewAnalyzer(f, nil, nil); err == nil {
		t.Error("no error without an embedder")
	}
	a, err := face.NewAnalyzer(f, nil, uncalibrated{f})
	if err != nil {
		t.Fatal(err)
	}
	if a.Space() != "facetest" || len(a.Impostors().FAR) != 0 {
		t.Errorf("space %q, impostors %v", a.Space(), a.Impostors())
	}
	if im := f.Analyzer().Impostors(); im.Source != "assumed" || len(im.FAR) == 0 {
		t.Errorf("impostors %+v", im)
	}
}

// uncalibrated hides the tail of an embedder.
type uncalibrated struct{ face.Embedder }

func TestAnalyzeFillsTheFace(t *testing.T) {
	faces, err := facetest.NewAnalyzer().Analyze(t.Context(), facetest.Photo(100, 100, 9))
	if err != nil || len(faces) != 1 {
		t.Fatal(faces, err)
	}
	f := faces[0]
	if f.Detector != "facetest" || f.Score != 0.95 || f.Quality <= 0 || f.Quality > 1 || len(f.Vector) != facetest.NewFake().Dim() {
		t.Errorf("%+v", f)
	}
	none, err := facetest.NewAnalyzer().Analyze(t.Context(), facetest.Photo(100, 100))
	if err != nil || none == nil || len(none) != 0 {
		t.Errorf("no people: %v, %v; want an empty list", none, err)
	}
}
