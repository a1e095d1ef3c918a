package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kith-photos/kith/face"
)

// faults are what Check finds, as text.
func faults(t *testing.T, db *DB) string {
	t.Helper()
	var all strings.Builder
	for err := range db.Check(t.Context()) {
		fmt.Fprintln(&all, err)
	}
	return all.String()
}

// Each erasure beside a reader takes effect, says that bytes are left, and is
// completed by Scrub, or by the next Open.
func TestScrubAfterReader(t *testing.T) {
	needsPlain(t)
	for name, e := range erasures {
		for _, by := range []string{"Scrub", "Open"} {
			t.Run(name+" by "+by, func(t *testing.T) {
				c, dir := castAt(t, Options{perChunk: castPerChunk})
				if _, err := c.db.write.Exec("PRAGMA busy_timeout = 20"); err != nil {
					t.Fatal(err)
				}
				gone := c.all(c.groups(e.gone)...)
				seen := 0
				for _, err := range c.db.Photos(t.Context(), PhotoQuery{}) {
					must(t, err)
					if seen++; seen > 1 {
						continue
					}
					r, err := eraseAs(t.Context(), c.db, e.op, e.of(c))
					if !errors.Is(err, ErrBusy) || r.ID == "" || !strings.Contains(err.Error(), c.db.path) {
						t.Fatalf("beside a reader: %+v, %v, want a receipt and ErrBusy", r, err)
					}
					if err := c.db.Scrub(t.Context()); !errors.Is(err, ErrBusy) {
						t.Errorf("Scrub beside a reader: %v, want ErrBusy", err)
					}
					if s := faults(t, c.db); !strings.Contains(s, "not complete") {
						t.Errorf("Check does not tell that bytes are left: %q", s)
					}
				}
				if seen != 7 {
					t.Errorf("the reader saw %d of 7 photos", seen)
				}
				db := c.db
				if by == "Scrub" {
					must(t, db.Scrub(t.Context()))
				} else {
					must(t, db.Close())
					db = must1[*DB](t)(Open(t.Context(), filepath.Join(dir, "a.kith"), Options{perChunk: castPerChunk}))
					defer func() { must(t, db.Close()) }()
				}
				if found := gone.in(t, dir); len(found) > 0 {
					t.Errorf("%q is there still", found)
				}
				mustCheck(t, db)
				before := snapshotDir(t, dir)
				must(t, db.Scrub(t.Context())) // there is nothing to do any more
				if after := snapshotDir(t, dir); after["a.kith"] != before["a.kith"] || after["a.kith-wal"] != before["a.kith-wal"] {
					t.Error("a second Scrub wrote")
				}
			})
		}
	}
}

// An erasure for which there is no room does nothing, and says so.
func TestEraseFull(t *testing.T) {
	needsPlain(t)
	const dim, all, hers = 512, 200, 110
	dir := t.TempDir()
	db := openAt(t, filepath.Join(dir, "a.kith"), Options{Now: clock(), perChunk: all})
	must(t, db.PutSpace(t.Context(), Space{Name: "wide", Dim: dim}))
	var anna []Face
	m := marks{"name": "Annabel Annamark"}
	for n := range all {
		f := faceAt(float64(n))
		f.Vector = vector(dim, uint64(n))
		path := fmt.Sprint(n, ".jpg")
		must(t, db.PutPhotos(t.Context(), "wide", []Analysis{{Photo: okPhoto(path, path), Faces: []face.Face{f}}}))
		if n < hers {
			_, faces := photoAt(t, db, path)
			anna = append(anna, faces...)
			m[path] = string(packVector(f.Vector)[:32])
		}
	}
	id := person(t, db, "Annabel Annamark", anna...)
	before := everything(t, db)
	if _, err := db.write.Exec("VACUUM"); err != nil { // else there is room within the file
		t.Fatal(err)
	}
	var pages int
	must(t, db.write.QueryRow("PRAGMA page_count").Scan(&pages))
	limitPages(t, db, pages) // her chunk must become rows before it goes
	r, err := db.ErasePerson(t.Context(), id, "erase person")
	if !errors.Is(err, ErrFull) || r.ID != "" || !strings.Contains(err.Error(), db.path) {
		t.Errorf("got %+v, %v, want ErrFull, the path and no receipt", r, err)
	}
	if d := differences(before, everything(t, db)); len(d) > 0 {
		t.Errorf("it changed %q", d)
	}
	mustCheck(t, db)
	limitPages(t, db, 0)
	if r := must1[Receipt](t)(db.ErasePerson(t.Context(), id, "erase person")); r.Counts[ClassTemplates] != hers {
		t.Errorf("receipt %+v", r)
	}
	if found := m.in(t, dir); len(found) > 0 {
		t.Errorf("%q is there still", found)
	}
}

// An erasure that is cancelled, whenever, did nothing, or gives a receipt and
// can be completed.
func TestErasureCancelled(t *testing.T) {
	needsOnce(t)
	receipts := 0
	for n := range 8 {
		c, dir := castAt(t, Options{perChunk: castPerChunk})
		must(t, c.db.PutPhotos(t.Context(), testSpace, manyPhotos("filler", fillers)))
		before := c.everything(t, c.db)
		e := erasures["a person"]
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(n*n)*500*time.Microsecond)
		r, err := eraseAs(ctx, c.db, e.op, e.of(c))
		cancel()
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, want the context's error", err)
		}
		must(t, c.db.Scrub(t.Context()))
		d := differences(before, c.everything(t, c.db))
		if (r.ID != "") != (len(d) > 0) {
			t.Errorf("receipt %+v, error %v, and %d rows are changed", r, err, len(d))
		}
		if r.ID != "" {
			receipts++
			if found := c.all(c.groups(e.gone)...).in(t, dir); len(found) > 0 {
				t.Errorf("%q is there still", found)
			}
		}
		mustCheck(t, c.db)
	}
	t.Logf("%d of 8 took effect", receipts)
}
