package facetest

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"slices"
	"testing"

	"github.com/kith-photos/kith/face"
)

// Analyzer is what [TestAnalyzer] tests. *face.Analyzer is one.
type Analyzer interface {
	Analyze(ctx context.Context, img image.Image) ([]face.Face, error)
	Space() string
}

// subject is anything that describes the faces of an upright photo, reduced to
// what the checks need: a detector's faces have no vector, an embedder's single
// face has nothing else.
type subject struct {
	photos []image.Image
	faces  func(ctx context.Context, img image.Image) ([]face.Face, error)
	boxes  bool // faces have boxes and scores
	vector int  // the length of a face's vector; 0: any, -1: faces have none
}

// rule is one subtest. It takes a testing.TB so that the suite's own tests
// can see it fail.
type rule struct {
	name string
	run  func(t testing.TB, s subject)
}

func runAll(t *testing.T, s subject, checks []rule) {
	if len(s.photos) == 0 {
		t.Fatal("facetest: the suite needs a photo")
	}
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) { c.run(t, s) })
	}
}

// TestDetector checks a detector against the contract of [face.Detector]. Each
// of the photos must be upright and show at least one face that the detector
// finds. Small photos keep the test short: the first is looked at about forty
// times.
func TestDetector(t *testing.T, d face.Detector, photos ...image.Image) {
	runAll(t, ofDetector(d, photos), detectorChecks(d))
}

func ofDetector(d face.Detector, photos []image.Image) subject {
	faces := func(ctx context.Context, img image.Image) ([]face.Face, error) {
		p, err := face.NewPicture(img)
		if err != nil {
			return nil, err
		}
		ds, err := d.Detect(ctx, p)
		if err != nil {
			return nil, err
		}
		fs := make([]face.Face, len(ds))
		for i, d := range ds {
			fs[i] = face.Face{Box: d.Box, Score: d.Score}
			if d.Landmarks != nil {
				fs[i].Landmarks = *d.Landmarks
			}
		}
		// A detector may return its faces in any order.
		slices.SortFunc(fs, func(a, b face.Face) int {
			return cmp.Or(cmp.Compare(a.Box.X, b.Box.X), cmp.Compare(a.Box.Y, b.Box.Y))
		})
		return fs, nil
	}
	return subject{photos: photos, faces: faces, boxes: true, vector: -1}
}

func detectorChecks(d face.Detector) []rule {
	return append(common(), rule{"name", func(t testing.TB, _ subject) {
		if d.Name() == "" {
			t.Errorf("the detector has no name")
		}
	}})
}

// TestEmbedder checks an embedder against the contract of [face.Embedder], on
// the face that lm marks in an upright photo.
func TestEmbedder(t *testing.T, e face.Embedder, photo image.Image, lm face.Landmarks) {
	runAll(t, ofEmbedder(e, photo, lm), embedderChecks(e, lm))
}

func ofEmbedder(e face.Embedder, photo image.Image, lm face.Landmarks) subject {
	faces := func(ctx context.Context, img image.Image) ([]face.Face, error) {
		v, err := embed(ctx, e, img, lm)
		if err != nil {
			return nil, err
		}
		return []face.Face{{Vector: v}}, nil
	}
	return subject{photos: []image.Image{photo}, faces: faces, vector: e.Dim()}
}

func embed(ctx context.Context, e face.Embedder, img image.Image, lm face.Landmarks) (face.Vector, error) {
	p, err := face.NewPicture(img)
	if err != nil {
		return nil, err
	}
	return e.Embed(ctx, p, lm)
}

func embedderChecks(e face.Embedder, lm face.Landmarks) []rule {
	return append(common(),
		rule{"space", func(t testing.TB, _ subject) {
			if e.Space() == "" || e.Dim() <= 0 {
				t.Errorf("space %q of dimension %d", e.Space(), e.Dim())
			}
		}},
		rule{"degenerate landmarks", func(t testing.TB, s subject) { degenerate(t, e, s.photos[0], lm) }},
		rule{"landmarks beside the photo", func(t testing.TB, s subject) {
			away := lm
			for i := range away {
				away[i].X += float64(3 * s.photos[0].Bounds().Dx())
			}
			beside := ofEmbedder(e, s.photos[0], away)
			sound(t, beside)
		}},
		rule{"vector is the caller's", func(t testing.TB, s subject) { ownVector(t, e, s.photos[0], lm) }},
		rule{"impostors", func(t testing.TB, _ subject) {
			if c, ok := e.(face.Calibrated); ok {
				impostors(t, c.Impostors())
			}
		}},
	)
}

// TestAnalyzer checks what an account is given to index faces with against the
// contract of [face.Analyzer.Analyze]. Each of the photos must be upright and
// show at least one face that the analyzer finds.
func TestAnalyzer(t *testing.T, a Analyzer, photos ...image.Image) {
	runAll(t, ofAnalyzer(a, photos), analyzerChecks(a))
}

func ofAnalyzer(a Analyzer, photos []image.Image) subject {
	return subject{photos: photos, faces: a.Analyze, boxes: true}
}

func analyzerChecks(a Analyzer) []rule {
	return append(common(),
		rule{"space", func(t testing.TB, _ subject) {
			if a.Space() == "" {
				t.Errorf("the analyzer has no space")
			}
		}},
		rule{"empty photo", func(t testing.TB, s subject) {
			if fs, err := s.faces(context.Background(), image.NewRGBA(image.Rectangle{})); err == nil {
				t.Errorf("%d faces and no error for a photo without pixels", len(fs))
			}
		}},
		rule{"order", func(t testing.TB, s subject) {
			for i, photo := range s.photos {
				fs := must(t, s, photo)
				if !slices.IsSortedFunc(fs, func(a, b face.Face) int { return cmp.Compare(a.Box.X, b.Box.X) }) {
					t.Errorf("photo %d: the faces are not ordered from left to right", i)
				}
			}
		}},
	)
}

// common are the checks of all three.
func common() []rule {
	cs := []rule{
		{"finds a face", finds},
		{"sound", sound},
		{"repeatable", repeatable},
		{"concurrent", concurrent},
		{"cancelled", cancelled},
		{"odd sizes", oddSizes},
		{"kinds of image", kinds},
		{"leaves the pixels", leavesPixels},
		{"keeps no pixels", keepsNoPixels},
	}
	for o := 1; o <= 8; o++ {
		cs = append(cs, rule{fmt.Sprintf("orientation %d", o), func(t testing.TB, s subject) { orientation(t, s, o) }})
	}
	return cs
}

// must are the faces of a photo that has to succeed.
func must(t testing.TB, s subject, img image.Image) []face.Face {
	t.Helper()
	fs, err := s.faces(context.Background(), img)
	if err != nil {
		t.Fatalf("%T of %v: %v", img, img.Bounds(), err)
	}
	return fs
}
