package index

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"slices"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/store"
)

// Match is one face found by a search.
type Match struct {
	Face       FaceID
	Photo      PhotoID
	Person     PersonID // empty: kith abstained
	Similarity float64  // cosine, in [-1,1]
}

// Search finds the k faces whose vectors are most similar to the probe, the
// most similar first. The probe must be a unit vector of the account's space.
// The search is exact.
func (a *Account) Search(ctx context.Context, probe face.Vector, k int) ([]Match, error) {
	ctx, done, err := a.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	if err := a.needConsent(ctx); err != nil {
		return nil, err
	}
	return a.search(ctx, probe, k)
}

// SearchImage finds the k faces most similar to the largest face of an
// upright photo (see face.Upright), or returns ErrNoFace. The photo is not
// stored.
func (a *Account) SearchImage(ctx context.Context, img image.Image, k int) ([]Match, error) {
	ctx, done, err := a.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	if _, err := a.readyForFaces(ctx); err != nil {
		return nil, err
	}
	faces, err := a.analyze(ctx, img)
	if err != nil {
		return nil, err
	}
	if len(faces) == 0 {
		return nil, ErrNoFace
	}
	f := slices.MaxFunc(faces, func(a, b face.Face) int { return cmp.Compare(a.Box.Area(), b.Box.Area()) })
	return a.search(ctx, f.Vector, k)
}

func (a *Account) search(ctx context.Context, probe face.Vector, k int) ([]Match, error) {
	if k <= 0 {
		return nil, fmt.Errorf("index: search for %d faces", k)
	}
	space, err := a.space(ctx)
	if err != nil || space == "" {
		return nil, err
	}
	vs, err := a.vectorSet(ctx, space)
	if isNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	d := vs.Space.Dim
	if len(probe) != d {
		return nil, fmt.Errorf("%w: the probe has %d values, space %s has %d", ErrModelMismatch, len(probe), space, d)
	}
	best := make([]Match, 0, min(k, len(vs.Faces))+1)
	for i, f := range vs.Faces {
		if i%4096 == 0 && ctx.Err() != nil {
			return nil, cause(ctx, ctx.Err())
		}
		s := dot(probe, vs.Data[i*d:(i+1)*d])
		if len(best) == k && s <= best[k-1].Similarity {
			continue
		}
		at, _ := slices.BinarySearchFunc(best, s, func(m Match, s float64) int { return cmp.Compare(s, m.Similarity) })
		best = slices.Insert(best, at, Match{Face: f.ID, Photo: f.Photo, Person: f.Person, Similarity: s})
		best = best[:min(k, len(best))]
	}
	return best, nil
}

// dot has four sums, so that the additions need not wait for one another.
func dot(a, b []float32) float64 {
	var s0, s1, s2, s3 float32
	n := len(a) &^ 3
	b = b[:len(a)]
	for i := 0; i < n; i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for i := n; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return float64(s0 + s1 + s2 + s3)
}

// vectorSet is the account's vectors, kept in memory between searches until
// something changes. A read-only account loads them each time: the process
// that writes would not tell.
func (a *Account) vectorSet(ctx context.Context, space string) (store.VectorSet, error) {
	a.vectors.Lock()
	defer a.vectors.Unlock()
	if a.vectors.set != nil && a.vectors.set.Space.Name == space {
		return *a.vectors.set, nil
	}
	vs, err := a.db.Vectors(ctx, space)
	if err == nil && !a.cfg.ReadOnly {
		a.vectors.set = &vs
	}
	return vs, err
}

// forgetVectors is called by everything that changes faces or whose they are.
func (a *Account) forgetVectors() {
	a.vectors.Lock()
	defer a.vectors.Unlock()
	a.vectors.set = nil
}
