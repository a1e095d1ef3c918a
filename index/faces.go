package index

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math"

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

// analyze runs the analyzer behind a fence: a panic in it, or faces that
// cannot be, fail one photo.
func (a *Account) analyze(ctx context.Context, img image.Image) (fs []face.Face, err error) {
	defer func() {
		if r := recover(); r != nil {
			fs, err = nil, fmt.Errorf("analyzer panicked: %v", r)
		}
	}()
	fs, err = a.cfg.Analyzer.Analyze(ctx, img)
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
