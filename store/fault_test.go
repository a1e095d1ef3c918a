package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kith-photos/kith/face"
)

// limitPages makes the account's file full at n pages; 0 lifts the limit.
func limitPages(t *testing.T, db *DB, n int) {
	t.Helper()
	if n == 0 {
		n = 1 << 30
	}
	if _, err := db.write.Exec(fmt.Sprintf("PRAGMA max_page_count = %d", n)); err != nil {
		t.Fatal(err)
	}
}

func manyPhotos(prefix string, n int) []Analysis {
	batch := make([]Analysis, n)
	for i := range batch {
		path := fmt.Sprintf("%s/%04d", prefix, i)
		batch[i] = Analysis{Photo: okPhoto(path, path), Faces: []face.Face{faceAt(0), faceAt(300)}}
	}
	return batch
}

func TestFullDisk(t *testing.T) {
	db := newDB(t)
	ctx := t.Context()
	must(t, db.PutPhotos(ctx, testSpace, manyPhotos("before", 50)))
	before := collect(t, db.Files(ctx))
	var pages int
	must(t, db.read.QueryRow("PRAGMA page_count").Scan(&pages))
	limitPages(t, db, pages+3)
	err := db.PutPhotos(ctx, testSpace, manyPhotos("more", 500))
	if !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), db.path) {
		t.Errorf("got %v, want ErrFull and the path", err)
	}
	if after := collect(t, db.Files(ctx)); !slices.Equal(before, after) {
		t.Errorf("%d files after it, %d before", len(after), len(before))
	}
	mustCheck(t, db)
	limitPages(t, db, 0)
	must(t, db.PutPhotos(ctx, testSpace, manyPhotos("more", 500)))
	if after := collect(t, db.Files(ctx)); len(after) != 550 {
		t.Errorf("%d files in the end", len(after))
	}
}

func TestCancelled(t *testing.T) {
	db := newDB(t)
	must(t, db.PutPhotos(t.Context(), testSpace, manyPhotos("before", 20)))
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := testOpen(gone, db.path+"2", Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Open: %v", err)
	}
	_, vectorsErr := db.Vectors(gone, testSpace)
	var listErr, checkErr error
	for _, listErr = range db.Photos(gone, PhotoQuery{}) {
	}
	for checkErr = range db.Check(gone) {
	}
	for name, err := range map[string]error{
		"PutPhotos": db.PutPhotos(gone, testSpace, manyPhotos("never", 1)), "Photos": listErr, "Check": checkErr,
		"Vectors": vectorsErr, "Erase": second(db.EraseBiometrics(gone, false)), "Consent": second(db.Consent(gone)),
	} {
		if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), db.path) {
			t.Errorf("%s: %v, want the context's error and the path", name, err)
		}
	}

	for range 20 {
		if err := db.PutPhotos(gone, "", nil); !errors.Is(err, context.Canceled) {
			t.Errorf("nothing to do, but cancelled: %v", err)
		}
	}
	// In the middle of a batch: everything is as before, and writing goes on.
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if err := db.PutPhotos(ctx, testSpace, manyPhotos("never", 20000)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled in a batch: %v", err)
	}
	if files := collect(t, db.Files(t.Context())); len(files) != 20 {
		t.Errorf("%d files", len(files))
	}
	must(t, db.PutPhotos(t.Context(), testSpace, manyPhotos("after", 1)))

	// In the middle of a listing: the error comes once and last.
	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	var seen, failed int
	for _, err := range db.Photos(ctx, PhotoQuery{}) {
		if failed > 0 {
			t.Error("something was yielded after the error")
		}
		if err != nil {
			failed++
			continue
		}
		seen++
		cancel()
	}
	if failed != 1 || seen == 0 || seen > 2 {
		t.Errorf("%d photos and %d errors", seen, failed)
	}
	// Waiting for another write gives up too.
	db.writing <- struct{}{}
	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := db.SetSetting(ctx, "k", "v"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting: %v", err)
	}
	<-db.writing
}

// A listing that was broken off must not keep its connection or its snapshot.
func TestBreakReleases(t *testing.T) {
	db := newDB(t)
	must(t, db.PutPhotos(t.Context(), testSpace, manyPhotos("a", 50)))
	// An account of which Check yields many faults.
	broken := must1[*DB](t)(testOpen(t.Context(), filepath.Join(t.TempDir(), "b.kith"), Options{}))
	defer func() { must(t, broken.Close()) }()
	must(t, broken.PutPhotos(t.Context(), testSpace, []Analysis{{Photo: okPhoto("a", "1")}, {Photo: okPhoto("b", "2")}}))
	if _, err := broken.write.Exec("UPDATE photos SET status = 'pending'"); err != nil {
		t.Fatal(err)
	}
	for range 3 * idleReaders {
		for _, err := range db.Photos(t.Context(), PhotoQuery{}) {
			must(t, err)
			break
		}
		for err := range broken.Check(t.Context()) {
			if err == nil {
				t.Error("a fault without words")
			}
			break
		}
	}
	if n := db.read.Stats().InUse + broken.read.Stats().InUse; n != 0 {
		t.Errorf("%d connections are still in use", n)
	}
	if _, err := db.EraseBiometrics(t.Context(), false); err != nil {
		t.Errorf("a snapshot is still held: %v", err)
	}
}

// A listing inside a listing, deeper than connections are kept.
func TestNestedListings(t *testing.T) {
	db := newDB(t)
	put(t, db, "a", "1", 0)
	var nest func(depth int)
	nest = func(depth int) {
		for _, err := range db.Photos(t.Context(), PhotoQuery{}) {
			must(t, err)
			if depth > 0 {
				nest(depth - 1)
			} else {
				must(t, db.SetSetting(t.Context(), "written", "inside"))
			}
		}
	}
	nest(3 * idleReaders)
	if v := must1[string](t)(db.Setting(t.Context(), "written")); v != "inside" {
		t.Errorf("got %q", v)
	}
}

// Every batch gives all photos one common size; a reader must never see two.
func TestConcurrentReaders(t *testing.T) {
	db := newDB(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	batch := manyPhotos("a", 30)
	must(t, db.PutPhotos(ctx, testSpace, batch))
	for i := range batch {
		batch[i].Photo.Size = 0
	}
	must(t, db.PutPhotos(ctx, testSpace, batch))
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			last := int64(0)
			for ctx.Err() == nil {
				first, n := int64(-1), 0
				for p, err := range db.Photos(context.WithoutCancel(ctx), PhotoQuery{}) {
					if err != nil {
						t.Error(err)
						return
					}
					if first < 0 {
						first = p.Size
					}
					if p.Size != first {
						t.Errorf("one listing saw batches %d and %d", first, p.Size)
						return
					}
					n++
				}
				if n != 30 || first < last {
					t.Errorf("%d photos, batch %d after batch %d", n, first, last)
					return
				}
				last = first
				if set, err := db.Vectors(context.WithoutCancel(ctx), testSpace); err != nil || len(set.Faces) != 60 {
					t.Errorf("%d vectors, %v", len(set.Faces), err)
					return
				}
			}
		})
	}
	for round := range 40 {
		for i := range batch {
			batch[i].Photo.Size = int64(round)
		}
		must(t, db.PutPhotos(ctx, testSpace, batch))
	}
	cancel()
	wg.Wait()
}
