package index_test

import (
	"context"
	"crypto/sha256"
	"os"
	"path/filepath"
	"testing"

	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/store"
)

// memoryKeys has a data key for every account until it is destroyed.
type memoryKeys map[string]bool // destroyed, by account

func (k memoryKeys) DataKey(_ context.Context, account string, _ bool) ([]byte, error) {
	if k[account] {
		return nil, store.ErrNoKey
	}
	key := sha256.Sum256([]byte("the key of " + account))
	return key[:], nil
}

func (k memoryKeys) DestroyKey(_ context.Context, account string) error {
	k[account] = true
	return nil
}

// BenchmarkSealed opens an account of 100,000 faces and loads them, once plain
// and once sealed: the first search, which reads all vectors, the vectors that
// searches keep, and the vectors with their faces that grouping needs.
func BenchmarkSealed(b *testing.B) {
	dir := b.TempDir()
	type account struct {
		path              string
		keys              store.KeyProvider
		cold, load, faces spent
	}
	plain, sealed := &account{path: filepath.Join(dir, "plain.kith")}, &account{path: filepath.Join(dir, "sealed.kith"), keys: memoryKeys{}}
	for _, a := range []*account{plain, sealed} {
		largeAccount(b, a.path, a.keys)
	}
	probe := unit(4711)
	ctx := b.Context()
	for b.Loop() {
		for _, a := range []*account{plain, sealed} {
			a.cold.on(b, func() {
				acc := must1[*index.Account](b)(index.Open(ctx, a.path, index.Config{Keys: a.keys}))
				must1[[]index.Match](b)(acc.Search(ctx, probe, 10))
				must(b, acc.Close())
			})
			a.load.on(b, func() {
				db := must1[*store.DB](b)(store.Open(ctx, a.path, store.Options{Keys: a.keys}))
				must1[store.Embeddings](b)(db.Embeddings(ctx, "large"))
				must(b, db.Close())
			})
			a.faces.on(b, func() {
				db := must1[*store.DB](b)(store.Open(ctx, a.path, store.Options{Keys: a.keys}))
				must1[store.VectorSet](b)(db.Vectors(ctx, "large"))
				must(b, db.Close())
			})
		}
	}
	plain.cold.report(b, "plain-search")
	plain.load.report(b, "plain-load")
	plain.faces.report(b, "plain-faces")
	sealed.cold.compare(b, "plain-search", plain.cold)
	sealed.load.compare(b, "plain-load", plain.load)
	sealed.faces.compare(b, "plain-faces", plain.faces)
}

// BenchmarkErase erases people of 20 faces, one by one, from accounts of 100,000
// faces, plain and sealed, each time rewriting the file, and compares that with
// copying the file. The list is that of all photos.
func BenchmarkErase(b *testing.B) {
	dir := b.TempDir()
	for name, keys := range map[string]store.KeyProvider{"plain": nil, "sealed": memoryKeys{}} {
		b.Run(name, func(b *testing.B) {
			path := filepath.Join(dir, name+".kith")
			largeAccount(b, path, keys)
			ctx := b.Context()
			acc := must1[*index.Account](b)(index.Open(ctx, path, index.Config{Keys: keys}))
			ids := make([]index.PersonID, 0, 100)
			for p, err := range acc.People(ctx, index.PeopleQuery{Limit: cap(ids)}) {
				must(b, err)
				ids = append(ids, p.ID)
			}
			var erase, list, files spent
			for i := 0; b.Loop(); i++ {
				erase.on(b, func() { must1[index.Receipt](b)(acc.ErasePerson(ctx, ids[i%len(ids)])) })
				list.on(b, func() {
					for _, err := range acc.Photos(ctx, index.PhotoQuery{}) {
						must(b, err)
					}
				})
				files.on(b, func() { must(b, os.WriteFile(filepath.Join(dir, "copy"), must1[[]byte](b)(os.ReadFile(path)), 0o600)) })
			}
			erase.report(b, "erase")
			list.report(b, "list")
			erase.compare(b, "copy", files)
			must(b, acc.Close())
		})
	}
}
