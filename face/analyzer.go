package face

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"slices"
)

// Detector finds the boxes of the faces in a photo.
type Detector interface {
	// Name says which detector it is; an account stores it beside each face.
	Name() string
	// Detect returns the faces of a photo, without double boxes, in any
	// order. No faces is no error.
	Detect(ctx context.Context, p *Picture) ([]Detection, error)
}

// Landmarker finds the five points of a face in its box.
type Landmarker interface {
	Landmarks(ctx context.Context, p *Picture, b Box) (Landmarks, error)
}

// Embedder describes a face, given its five points, with a vector.
type Embedder interface {
	// Space names the vector space. Two embedders whose vectors may be
	// compared have the same space, any others do not.
	Space() string
	// Dim is the length of its vectors.
	Dim() int
	// Embed returns the face's unit vector. ErrDegenerate means that the
	// points fix no alignment.
	Embed(ctx context.Context, p *Picture, lm Landmarks) (Vector, error)
}

// Calibrated is implemented by an Embedder whose impostor tail was measured.
type Calibrated interface {
	Impostors() Impostors
}

// Analyzer detects, aligns, judges and embeds the faces of one photo at a
// time. It is safe for concurrent use if its parts are, and holds no photo
// after Analyze returns.
type Analyzer struct {
	detector   Detector
	landmarker Landmarker
	embedder   Embedder
}

// NewAnalyzer joins the parts. landmarker may be nil: then the detector's own
// points are used, and a detection without any is an error.
func NewAnalyzer(d Detector, l Landmarker, e Embedder) (*Analyzer, error) {
	if d == nil || e == nil {
		return nil, errors.New("face: an analyzer needs a detector and an embedder")
	}
	return &Analyzer{detector: d, landmarker: l, embedder: e}, nil
}

// Space names the vector space of the faces that Analyze returns.
func (a *Analyzer) Space() string { return a.embedder.Space() }

// Impostors is the embedder's measured impostor tail, the zero value where
// there is none.
func (a *Analyzer) Impostors() Impostors {
	if c, ok := a.embedder.(Calibrated); ok {
		return c.Impostors()
	}
	return Impostors{}
}

// Analyze finds and describes the faces of an upright photo (see [Upright]),
// ordered from left to right, then from top to bottom. A detection whose
// landmarks fix no alignment is no face and is left out; any other fault fails
// the whole photo, so that a failure never looks like a photo without faces.
func (a *Analyzer) Analyze(ctx context.Context, img image.Image) ([]Face, error) {
	p, err := NewPicture(img)
	if err != nil {
		return nil, err
	}
	return a.AnalyzePicture(ctx, p)
}

// AnalyzePicture is Analyze for a photo that is decoded as far as it is looked
// at. An error of its source fails the photo; see [Picture.Err].
func (a *Analyzer) AnalyzePicture(ctx context.Context, p *Picture) ([]Face, error) {
	ds, err := a.detector.Detect(ctx, p)
	if p.Err() != nil {
		return nil, p.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("detect (%s): %w", a.detector.Name(), err)
	}
	faces := make([]Face, 0, len(ds))
	crop := make([]float32, ArcFaceSize*ArcFaceSize)
	for _, d := range ds {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f, err := a.describe(ctx, p, d, crop)
		if err := p.Err(); err != nil {
			return nil, err
		}
		if errors.Is(err, ErrDegenerate) {
			continue
		}
		if err != nil {
			return nil, err
		}
		faces = append(faces, f)
	}
	slices.SortFunc(faces, func(a, b Face) int {
		return cmp.Or(cmp.Compare(a.Box.X, b.Box.X), cmp.Compare(a.Box.Y, b.Box.Y))
	})
	return faces, nil
}

func (a *Analyzer) describe(ctx context.Context, p *Picture, d Detection, crop []float32) (Face, error) {
	f := Face{Box: d.Box, Score: d.Score, Detector: a.detector.Name()}
	if !d.Box.Finite() || d.Box.Area() == 0 {
		return f, fmt.Errorf("detector %s returned the box %+v", f.Detector, d.Box)
	}
	switch {
	case a.landmarker != nil:
		lm, err := a.landmarker.Landmarks(ctx, p, d.Box)
		if err != nil {
			return f, fmt.Errorf("landmarks: %w", err)
		}
		f.Landmarks = lm
	case d.Landmarks != nil:
		f.Landmarks = *d.Landmarks
	default:
		return f, fmt.Errorf("detector %s gives no landmarks and there is no landmarker", f.Detector)
	}
	m, err := Align(f.Landmarks)
	if err != nil {
		return f, err
	}
	p.Warp(crop, ArcFaceSize, ArcFaceSize, m, Packing{Order: Gray, Scale: 1, Fill: 127})
	f.Quality = measure(f.Landmarks, crop, d.Score).Quality()
	if f.Vector, err = a.embedder.Embed(ctx, p, f.Landmarks); err != nil {
		return f, fmt.Errorf("embed (%s): %w", a.embedder.Space(), err)
	}
	return f, nil
}
