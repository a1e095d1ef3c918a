package index

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"time"

	"github.com/kith-photos/kith/face"
)

// readyForFaces checks that faces may and can be worked on, and returns the
// analyzer's vector space.
func (a *Account) readyForFaces(ctx context.Context) (space string, err error) {
	if a.cfg.Analyzer == nil {
		return "", ErrNoAnalyzer
	}
	if err := a.needConsent(ctx); err != nil {
		return "", err
	}
	space = a.cfg.Analyzer.Space()
	known, err := a.db.Spaces(ctx)
	if err != nil {
		return "", err
	}
	for _, s := range known {
		if s.Name == space {
			a.dim.CompareAndSwap(0, int64(s.Dim))
		}
	}
	return space, nil
}

// pictureAnalyzer is an Analyzer that needs a photo decoded only as far as it
// looks at it. *face.Analyzer is one.
type pictureAnalyzer interface {
	AnalyzePicture(ctx context.Context, p *face.Picture) ([]face.Face, error)
}

// analyzePhoto finds the faces of a photo; stage is where an error came from.
func (a *Account) analyzePhoto(ctx context.Context, px *pixels, orientation int, work clock) (fs []face.Face, stage string, err error) {
	start, decoding := time.Now(), work["decode"]
	defer func() { work["analyze"] += time.Since(start) - (work["decode"] - decoding) }()
	pa, ok := a.cfg.Analyzer.(pictureAnalyzer)
	if !ok {
		return a.analyzeWhole(ctx, px, orientation)
	}
	p, err := face.PictureOf(px, orientation)
	if err != nil {
		return nil, StageDecode, err
	}
	fs, err = a.fenced(func() ([]face.Face, error) { return pa.AnalyzePicture(ctx, p) })
	if p.Err() != nil {
		return nil, StageDecode, p.Err()
	}
	return fs, StageAnalyze, err
}

// analyzeWhole is analyzePhoto for an Analyzer that wants to see the image.
func (a *Account) analyzeWhole(ctx context.Context, px *pixels, orientation int) (fs []face.Face, stage string, err error) {
	img, shrink, err := px.Level(0)
	if err != nil {
		return nil, StageDecode, err
	}
	fs, err = a.analyze(ctx, face.Upright(img, orientation))
	for i := range fs { // back to the photo's own pixels
		f := &fs[i]
		f.Box = face.Box{X: f.Box.X / shrink, Y: f.Box.Y / shrink, W: f.Box.W / shrink, H: f.Box.H / shrink}
		for k, p := range f.Landmarks {
			f.Landmarks[k] = face.Point{X: p.X / shrink, Y: p.Y / shrink}
		}
	}
	return fs, StageAnalyze, err
}

// analyze finds the faces of an image.
func (a *Account) analyze(ctx context.Context, img image.Image) ([]face.Face, error) {
	return a.fenced(func() ([]face.Face, error) { return a.cfg.Analyzer.Analyze(ctx, img) })
}

// fenced runs the analyzer: a panic in it, or faces that cannot be, fail one
// photo.
func (a *Account) fenced(run func() ([]face.Face, error)) (fs []face.Face, err error) {
	defer fence("analyzer", &err)
	fs, err = run()
	if err != nil {
		return nil, err
	}
	for i, f := range fs {
		if err := checkFace(f); err != nil {
			return nil, fmt.Errorf("face %d: %w", i, err)
		}
	}
	for i, f := range fs { // the first vector of a new space says how long all are
		n := int64(len(f.Vector))
		if !a.dim.CompareAndSwap(0, n) && a.dim.Load() != n {
			return nil, fmt.Errorf("face %d: %w: %d values, and not %d", i, ErrModelMismatch, n, a.dim.Load())
		}
	}
	return fs, nil
}

// checkFace reports what an analyzer must not return: a box without area, a
// number that is none, a score outside [0,1], or a vector of another length
// than 1, within what the sums of float32 leave.
func checkFace(f face.Face) error {
	if f.Box.Area() == 0 || !f.Box.Finite() {
		return fmt.Errorf("the box is %+v", f.Box)
	}
	if !(f.Score >= 0 && f.Score <= 1) || !(f.Quality >= 0 && f.Quality <= 1) {
		return fmt.Errorf("score %v and quality %v, want [0,1]", f.Score, f.Quality)
	}
	if !f.Landmarks.Finite() {
		return errors.New("the landmarks are not finite")
	}
	if l := math.Sqrt(f.Vector.Dot(f.Vector)); !(math.Abs(l-1) <= 0.001) { // also NaN
		return fmt.Errorf("the vector's length is %v, want 1", l)
	}
	return nil
}
