package index

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"math"
	"slices"

	"gonum.org/v1/gonum/blas/blas32"

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
// most similar first and equally similar ones in no particular order. The
// probe must be a unit vector of the account's space. The search is exact.
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
	if a.cfg.AuditSearches && !a.cfg.ReadOnly {
		if _, err := a.db.Note(ctx, "search", Counts{ClassTemplates: 1}); err != nil {
			return nil, err
		}
	}
	consents, err := a.consents(ctx)
	if err != nil {
		return nil, err
	}
	// Where some are left out, more are asked for until there are enough.
	for n := k; ; n *= 4 {
		near, err := a.nearest(ctx, space, probe, n)
		if err != nil || len(near) == 0 {
			return nil, err
		}
		best, err := a.matches(ctx, near, consents)
		if err != nil || consents == nil || len(best) >= k || len(near) < n {
			return best[:min(k, len(best))], err
		}
	}
}

// matches says whose the faces are that were found, leaving out, where consents
// are asked for, those whose person has not given it.
func (a *Account) matches(ctx context.Context, near []near, consents map[PersonID]bool) ([]Match, error) {
	ids := make([]FaceID, len(near))
	for i, n := range near {
		ids[i] = n.id
	}
	// Whose they are is read when it is asked: it changes more often than the
	// vectors do.
	faces, err := a.db.FacesByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	best := make([]Match, 0, len(near))
	for _, n := range near {
		f, ok := faces[n.id]
		if !ok || f.Rejected != "" { // it went while we searched
			continue
		}
		if consents == nil || consents[f.Person] {
			best = append(best, Match{Face: n.id, Photo: f.Photo, Person: f.Person, Similarity: n.similarity})
		}
	}
	return best, nil
}

// near is a face that a search found.
type near struct {
	id         FaceID
	similarity float64
}

// nearest finds the k faces of a space that are nearest to the probe, none
// where it has none. The first search since the vectors have changed reads
// through them once and keeps nothing: making a Scanner takes as long as
// several such searches. The second makes it.
func (a *Account) nearest(ctx context.Context, space string, probe face.Vector, k int) (best []near, err error) {
	s, err := a.db.Space(ctx, space)
	if isNotFound(err) {
		return nil, nil
	}
	if err == nil {
		err = fits(probe, s)
	}
	if err != nil {
		return nil, err
	}
	if a.firstSearch() {
		return a.readNearest(ctx, s, probe, k)
	}
	err = a.withLoaded(ctx, space, false, func(vs *vectors) error {
		found, err := vs.scanner.Nearest(probe, k)
		if err != nil {
			return fmt.Errorf("index: search: %w", err)
		}
		for _, m := range found {
			best = append(best, near{vs.id(m.Face), m.Similarity})
		}
		return nil
	})
	return best, err
}

// probeTolerance is how far a probe's length may be from 1.
const probeTolerance = 0.01

func fits(probe face.Vector, s store.Space) error {
	if len(probe) != s.Dim {
		return fmt.Errorf("%w: the probe has %d values, space %s has %d", ErrModelMismatch, len(probe), s.Name, s.Dim)
	}
	if n := math.Sqrt(probe.Dot(probe)); !(math.Abs(n-1) <= probeTolerance) {
		return fmt.Errorf("index: search: the length of the probe is %v, not 1", n)
	}
	return nil
}

// firstSearch reports whether nothing is in memory and no search has asked for
// it since it was forgotten. A read-only account forgets at once, because the
// process that writes does not tell what it changes.
func (a *Account) firstSearch() bool {
	a.vectors.Lock()
	defer a.vectors.Unlock()
	if a.vectors.set != nil {
		return false
	}
	if !a.cfg.ReadOnly {
		a.vectors.set = &vectors{} // serves nobody
	}
	return true
}

// readNearest compares the probe with each vector as it comes from the file:
// in float32, and in float64 where that may put it among the nearest.
func (a *Account) readNearest(ctx context.Context, space store.Space, probe face.Vector, k int) ([]near, error) {
	var best []near
	least := math.Inf(-1) // what one must be above to be among them
	cut := func() {
		slices.SortFunc(best, func(x, y near) int {
			return cmp.Or(cmp.Compare(y.similarity, x.similarity), cmp.Compare(x.id, y.id))
		})
		if best = best[:min(k, len(best))]; len(best) == k {
			least = best[k-1].similarity
		}
	}
	// A sum of n products is off by at most n/2^24 of the lengths' product, and a
	// little more (Higham, "Accuracy and Stability of Numerical Algorithms", 3.1).
	slack := 1.1 * float64(len(probe)) / (1 << 24)
	rough := blas32.Vector{N: len(probe), Inc: 1, Data: probe}
	err := a.db.EachEmbedding(ctx, space.Name, func(id FaceID, v face.Vector) error {
		if len(v) != len(probe) { // another space has come to its name
			return ErrModelMismatch
		}
		if float64(blas32.Dot(rough, blas32.Vector{N: len(v), Inc: 1, Data: v})) <= least-slack {
			return nil
		}
		if sim := probe.Dot(v); sim > least {
			if best = append(best, near{id, sim}); len(best)/2 >= k {
				cut()
			}
		}
		return nil
	})
	if isNotFound(err) { // it went since we looked
		return nil, nil
	}
	cut()
	return best, err
}

// vectors are those of a space, made ready for searches. A search needs no
// more than the ids of the faces, which are loaded much faster than the faces.
type vectors struct {
	store.VectorSet
	scanner *cluster.Scanner
	whole   bool     // Faces is filled
	ids     []FaceID // of the faces, unless whole
}

func (vs *vectors) id(i int) FaceID {
	if vs.whole {
		return vs.Faces[i].ID
	}
	return vs.ids[i]
}

// serves reports whether vs, which may be nil, is of a space, and has the faces
// where they are needed.
func (vs *vectors) serves(space string, whole bool) bool {
	return vs != nil && vs.Space.Name == space && (vs.whole || !whole)
}

// loadVectors loads vectors and faces.
func (a *Account) loadVectors(ctx context.Context, space string) (*vectors, error) {
	set, err := a.db.Vectors(ctx, space)
	if err != nil {
		return nil, err
	}
	return (&vectors{VectorSet: set, whole: true}).ready()
}

// loadScan loads what a search needs.
func (a *Account) loadScan(ctx context.Context, space string) (*vectors, error) {
	e, err := a.db.Embeddings(ctx, space)
	if err != nil {
		return nil, err
	}
	return (&vectors{VectorSet: store.VectorSet{Space: e.Space, Data: e.Data}, ids: e.IDs}).ready()
}

func (vs *vectors) ready() (_ *vectors, err error) {
	vs.scanner, err = cluster.NewScanner(cluster.Faces{Dim: vs.Space.Dim, Data: vs.Data})
	if err != nil {
		return nil, fmt.Errorf("index: vectors of space %s: %w", vs.Space.Name, err)
	}
	return vs, nil
}

// withVectors shows the account's vectors and faces, which stay in memory
// until something changes that extend does not follow. show must not keep
// them. It is not called where the space has none. A read-only account loads
// them each time: the process that writes would not tell.
func (a *Account) withVectors(ctx context.Context, space string, show func(*vectors) error) error {
	return a.withLoaded(ctx, space, true, show)
}

// withLoaded is withVectors, where vectors without faces do unless whole.
func (a *Account) withLoaded(ctx context.Context, space string, whole bool, show func(*vectors) error) error {
	a.vectors.RLock()
	if vs := a.vectors.set; vs.serves(space, whole) {
		defer a.vectors.RUnlock()
		return show(vs)
	}
	a.vectors.RUnlock()
	a.vectors.Lock()
	defer a.vectors.Unlock()
	vs := a.vectors.set
	if !vs.serves(space, whole) { // nobody has loaded them meanwhile
		load := a.loadScan
		if whole {
			load = a.loadVectors
		}
		var err error
		if vs, err = load(ctx, space); isNotFound(err) {
			return nil
		} else if err != nil {
			return err
		}
		if !a.cfg.ReadOnly {
			a.vectors.set = vs
		}
	}
	return show(vs)
}

// takeVectors is what is in memory, nil if nothing is or no faces are with the
// vectors. The caller holds a.people, and is then the only one who changes it.
func (a *Account) takeVectors() *vectors {
	a.vectors.RLock()
	defer a.vectors.RUnlock()
	if vs := a.vectors.set; vs != nil && vs.whole {
		return vs
	}
	return nil
}

// keepVectors puts into memory what forgetVectors took out, brought up to date.
func (a *Account) keepVectors(vs *vectors) {
	a.vectors.Lock()
	defer a.vectors.Unlock()
	a.vectors.set = vs
}

// appendVectors adds the faces of a photo that is new to vectors with faces.
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

// forgetFaces is called where faces have only changed their people: searches
// need not load anything anew.
func (a *Account) forgetFaces() {
	a.vectors.Lock()
	defer a.vectors.Unlock()
	vs := a.vectors.set
	if vs == nil || !vs.whole {
		return
	}
	ids := make([]FaceID, len(vs.Faces))
	for i, f := range vs.Faces {
		ids[i] = f.ID
	}
	a.vectors.set = &vectors{VectorSet: store.VectorSet{Space: vs.Space, Data: vs.Data}, scanner: vs.scanner, ids: ids}
}

// forgetVectors is called by everything else that changes faces or whose they
// are.
func (a *Account) forgetVectors() {
	a.vectors.Lock()
	defer a.vectors.Unlock()
	a.vectors.set = nil
}
