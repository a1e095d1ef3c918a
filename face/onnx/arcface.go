package onnx

import (
	"context"
	"fmt"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/models"
)

// arcface is any embedder that takes the aligned 112x112 crop of Deng et al.,
// "ArcFace", CVPR 2019, and returns a vector to compare by cosine: the
// ArcFace family itself, MobileFaceNet, SFace.
type arcface struct {
	*net
	space     string
	dim       int
	mirror    bool
	impostors face.Impostors
}

func newArcface(n *net, m models.Model, mirror bool) (*arcface, error) {
	if m.Align != "arcface-112" || m.Input.Width != face.ArcFaceSize || m.Input.Height != face.ArcFaceSize || m.Dim <= 0 {
		return nil, fmt.Errorf("model %s: the manifest must describe a 112x112 arcface-112 embedder and its dimension", m.ID)
	}
	a := &arcface{net: n, dim: m.Dim, mirror: mirror}
	// The space is bound to the weights, not to a name that newer ones keep.
	a.space = m.ID + "/" + m.SHA256[:8]
	if mirror {
		a.space += "+mirror"
	}
	tail, ok, err := m.Tail()
	if err != nil {
		return nil, err
	}
	if ok {
		a.impostors = face.Impostors{Thresholds: tail.Thresholds, FAR: tail.FAR, Pairs: tail.Pairs, Source: tail.Source}
	}
	return a, nil
}

func (a *arcface) Space() string             { return a.space }
func (a *arcface) Dim() int                  { return a.dim }
func (a *arcface) Impostors() face.Impostors { return a.impostors }

func (a *arcface) Embed(ctx context.Context, p *face.Picture, lm face.Landmarks) (face.Vector, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m, err := face.Align(lm)
	if err != nil {
		return nil, err
	}
	v, err := a.embed(p, m)
	if err != nil || !a.mirror {
		return v, err
	}
	flipped, err := a.embed(p, face.Affine{A: -1, C: face.ArcFaceSize, E: 1}.Then(m))
	if err != nil {
		return nil, err
	}
	for i := range v {
		v[i] += flipped[i]
	}
	v.Normalize()
	return v, nil
}

func (a *arcface) embed(p *face.Picture, m face.Affine) (face.Vector, error) {
	out, err := a.run(p, m, face.ArcFaceSize, face.ArcFaceSize)
	if err != nil {
		return nil, err
	}
	if err := a.want(out[0], a.dim, "embedding"); err != nil {
		return nil, err
	}
	v := face.Vector(out[0])
	if !v.Normalize() {
		return nil, fmt.Errorf("model %s: the vector cannot be normalised", a.id)
	}
	return v, nil
}
