package index

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"slices"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/face/cluster"
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
	var best []Match
	err = a.withVectors(ctx, space, func(vs *vectors) error {
		if d := vs.Space.Dim; len(probe) != d {
			return fmt.Errorf("%w: the probe has %d values, space %s has %d", ErrModelMismatch, len(probe), space, d)
		}
		found, err := vs.scanner.Nearest(probe, k)
		if err != nil {
			return fmt.Errorf("index: search: %w", err)
		}
		best = make([]Match, len(found))
		for i, m := range found {
			f := vs.Faces[m.Face]
			best[i] = Match{Face: f.ID, Photo: f.Photo, Person: f.Person, Similarity: m.Similarity}
		}
		return nil
	})
	return best, err
}

// vectors are the faces of a space with their vectors, made ready for searches.
type vectors struct {
	store.VectorSet
	scanner *cluster.Scanner
}

func (a *Account) loadVectors(ctx context.Context, space string) (*vectors, error) {
	set, err := a.db.Vectors(ctx, space)
	if err != nil {
		return nil, err
	}
	scanner, err := cluster.NewScanner(cluster.Faces{Dim: set.Space.Dim, Data: set.Data})
	if err != nil {
		return nil, fmt.Errorf("index: vectors of space %s: %w", space, err)
	}
	return &vectors{set, scanner}, nil
}

// withVectors shows the account's vectors, which stay in memory until something
// changes that extend does not follow. show must not keep them. It is not
// called where the space has none. A read-only account loads them each time:
// the process that writes would not tell.
func (a *Account) withVectors(ctx context.Context, space string, show func(*vectors) error) error {
	a.vectors.RLock()
	if vs := a.vectors.set; vs != nil && vs.Space.Name == space {
		defer a.vectors.RUnlock()
		return show(vs)
	}
	a.vectors.RUnlock()
	a.vectors.Lock()
	defer a.vectors.Unlock()
	vs, err := a.loadVectors(ctx, space)
	if isNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if !a.cfg.ReadOnly {
		a.vectors.set = vs
	}
	return show(vs)
}

// takeVectors is what is in memory, nil if nothing is. The caller holds
// a.people, and is then the only one who changes it.
func (a *Account) takeVectors() *vectors {
	a.vectors.RLock()
	defer a.vectors.RUnlock()
	return a.vectors.set
}

// keepVectors puts into memory what forgetVectors took out, brought up to date.
func (a *Account) keepVectors(vs *vectors) {
	a.vectors.Lock()
	defer a.vectors.Unlock()
	a.vectors.set = vs
}

// appendVectors adds the faces of a photo that is new.
func (a *Account) appendVectors(ctx context.Context, vs *vectors, photo PhotoID) error {
	p, err := a.db.Photo(ctx, photo)
	if err != nil {
		return err
	}
	faces, err := collect(a.db.Faces(ctx, FaceQuery{Photo: photo}))
	if err != nil {
		return err
	}
	a.vectors.Lock() // a search may still be looking at them
	defer a.vectors.Unlock()
	for _, f := range faces {
		v, err := a.db.Vector(ctx, f.ID)
		if err != nil {
			return err
		}
		vs.Data = append(vs.Data, v...)
		vs.Faces = append(vs.Faces, store.VectorFace{
			ID: f.ID, Photo: f.Photo, SHA256: p.SHA256, Box: f.Box, Quality: f.Quality, Person: f.Person, By: f.By,
		})
	}
	return vs.scanner.Append(vs.Data)
}

// forgetVectors is called by everything that changes faces or whose they are.
func (a *Account) forgetVectors() {
	a.vectors.Lock()
	defer a.vectors.Unlock()
	a.vectors.set = nil
}
