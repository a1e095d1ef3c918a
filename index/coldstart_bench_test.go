package index_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/store"
)

const (
	largeFaces = 100_000
	largeDim   = 512
)

// unit is a unit vector that belongs to seed.
func unit(seed uint64) face.Vector {
	r := rand.New(rand.NewPCG(seed, 1))
	v := make(face.Vector, largeDim)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	v.Normalize()
	return v
}

// largeAccount makes an account of 100,000 faces on 50,000 photos and of
// 5,000 people.
func largeAccount(b *testing.B, path string, keys store.KeyProvider) {
	b.Helper()
	ctx := context.Background()
	db := must1[*store.DB](b)(store.Open(ctx, path, store.Options{Keys: keys}))
	must(b, db.PutConsent(ctx, store.Consent{Given: true}))
	must(b, db.PutSpace(ctx, store.Space{Name: "large", Dim: largeDim}))
	for n := 0; n < largeFaces/2; n += 100 {
		var batch []store.Analysis
		for i := range 100 {
			p := store.Photo{
				Path: fmt.Sprintf("folder %d/photo %05d.jpg", n/1000, n+i), Size: 4_000_000, ModTime: start, Width: 4000, Height: 3000,
				SHA256: sha256.Sum256(fmt.Append(nil, n+i)), Status: store.StatusOK, Analyzer: "large",
			}
			var faces []face.Face
			for k := range 2 {
				faces = append(faces, face.Face{
					Box: face.Box{X: float64(500 * k), Y: 100, W: 300, H: 300}, Score: 0.9, Quality: 0.5, Detector: "test",
					Vector: unit(uint64(2*(n+i) + k)),
				})
			}
			batch = append(batch, store.Analysis{Photo: p, Faces: faces})
		}
		must(b, db.PutPhotos(ctx, "large", batch))
	}
	people := store.Assignment{Faces: map[store.FaceID]store.Placed{}}
	n := 0
	for f, err := range db.Faces(ctx, store.FaceQuery{}) {
		must(b, err)
		if n%20 == 0 {
			people.People = append(people.People, store.Person{ID: store.NewPersonID()})
		}
		n++
		people.Faces[f.ID] = store.Placed{Person: people.People[len(people.People)-1].ID, By: store.ByGroup}
	}
	must(b, db.PutPeople(ctx, people))
	must(b, db.Close())
}

// BenchmarkColdStart opens an account of 100,000 faces and searches it for the
// first time, and compares that with reading as many bytes as their vectors
// have from a plain file: into new memory, as os.ReadFile does, and into memory
// that is in use already. All files are in the page cache. The second search
// makes the Scanner, which the third finds.
func BenchmarkColdStart(b *testing.B) {
	dir := b.TempDir()
	path, plain := filepath.Join(dir, "a.kith"), filepath.Join(dir, "plain")
	largeAccount(b, path, nil)
	warm := make([]byte, 4*largeDim*largeFaces)
	must(b, os.WriteFile(plain, warm, 0o600))
	probe := unit(4711)
	var cold, open, first, second, third, fresh, reused spent
	for b.Loop() {
		var acc *index.Account
		search := func() {
			if ms := must1[[]index.Match](b)(acc.Search(b.Context(), probe, 10)); len(ms) != 10 || ms[0].Similarity < 0.99 {
				b.Fatal(ms)
			}
		}
		cold.on(b, func() {
			open.on(b, func() { acc = must1[*index.Account](b)(index.Open(b.Context(), path, index.Config{})) })
			first.on(b, search)
		})
		second.on(b, search)
		third.on(b, search)
		must(b, acc.Close())
		fresh.on(b, func() { must1[[]byte](b)(os.ReadFile(plain)) })
		reused.on(b, func() {
			f := must1[*os.File](b)(os.Open(plain))
			must1[int](b)(io.ReadFull(f, warm))
			must(b, f.Close())
		})
	}
	open.report(b, "open")
	first.report(b, "first")
	second.report(b, "second")
	third.report(b, "third")
	fresh.report(b, "ReadFile")
	reused.report(b, "read")
	cold.compare(b, "ReadFile", fresh)
	cold.compare(b, "read", reused)
}
