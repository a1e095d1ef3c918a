package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/face"
)

// twins are a plain account and a sealed one to which the same is done. A
// third is plain until it is sealed in the middle.
type twins struct {
	dir   string
	dbs   []*DB
	keys  []KeyProvider
	steps int
}

func (w *twins) open(rt *rapid.T) {
	w.dbs = nil
	for i, keys := range w.keys {
		tick := w.steps * 100 // no clock goes back when it is opened again
		now := func() time.Time { tick++; return start.Add(time.Duration(tick) * time.Second) }
		db, err := Open(context.Background(), filepath.Join(w.dir, fmt.Sprint(i)), Options{AccountID: "twin", Now: now, Keys: keys, perChunk: 3})
		if err != nil {
			rt.Fatal(err)
		}
		w.dbs = append(w.dbs, db)
	}
}

func (w *twins) close(rt *rapid.T) {
	for i, db := range w.dbs {
		for err := range db.Check(context.Background()) {
			rt.Errorf("check of %d: %v", i, err)
		}
		if err := db.Close(); err != nil {
			rt.Error(err)
		}
	}
}

// do does the same to each, and wants the same answer.
func (w *twins) do(rt *rapid.T, f func(ctx context.Context, db *DB) error) {
	rt.Helper()
	w.steps++
	var errs []error
	for _, db := range w.dbs {
		errs = append(errs, f(context.Background(), db))
	}
	for i, err := range errs {
		if (err == nil) != (errs[0] == nil) || errors.Is(err, ErrNotFound) != errors.Is(errs[0], ErrNotFound) {
			rt.Fatalf("account 0 says %v, account %d %v", errs[0], i, err)
		}
	}
}

// compare reads all of each.
func (w *twins) compare(rt *rapid.T) {
	want := story(rt, w.dbs[0])
	for i, db := range w.dbs[1:] {
		if d := differences(want, story(rt, db)); len(d) > 0 {
			rt.Errorf("account %d differs in %q", i+1, d)
		}
	}
}

// story is all that an account tells, with names instead of random ids.
func story(rt *rapid.T, db *DB) map[string]string {
	var names []string
	ctx := context.Background()
	paths := map[PhotoID]string{}
	name := func(id, is string) { names = append(names, id, is) }
	fail := func(err error) {
		if err != nil {
			rt.Fatal(err)
		}
	}
	for f, err := range db.Files(ctx) {
		fail(err)
		paths[f.ID] = f.Path
		name(string(f.ID), "photo:"+f.Path)
	}
	for f, err := range db.Faces(ctx, FaceQuery{Rejected: Include}) {
		fail(err)
		name(string(f.ID), fmt.Sprintf("face:%s@%g", paths[f.Photo], f.Box.X))
	}
	rows := tell(ctx, db, fail)
	r := strings.NewReplacer(names...)
	out := map[string]string{}
	for key, v := range rows {
		switch kind, _, _ := strings.Cut(key, " "); kind {
		case "audit": // ids and hashes are random
			var e AuditEntry
			fail(json.Unmarshal([]byte(v), &e))
			v = fmt.Sprint(e.At, e.Action, e.Counts)
		case "vectors": // faces of copies come in the order of their ids
			var fs []json.RawMessage
			fail(json.Unmarshal([]byte(v), &fs))
			slices.SortFunc(fs, func(a, b json.RawMessage) int { return strings.Compare(r.Replace(string(a)), r.Replace(string(b))) })
			v = fmt.Sprintf("%s", fs)
		case "products":
			var ps []Product
			fail(json.Unmarshal([]byte(v), &ps))
			slices.SortFunc(ps, func(a, b Product) int { return strings.Compare(a.Name, b.Name) })
			for i := range ps {
				ps[i].ID = ""
			}
			v = fmt.Sprint(ps)
		}
		out[r.Replace(key)] = r.Replace(v)
	}
	return out
}

// pathOf draws where a photo is: some names need care in one way or another.
func pathOf(rt *rapid.T) string {
	return rapid.SampledFrom([]string{"a.jpg", "b.jpg", "B.jpg", "ä\xff.jpg", "dir/c d.jpg"}).Draw(rt, "path")
}

func contentDrawn(rt *rapid.T) string {
	return rapid.SampledFrom([]string{"1", "2", "3"}).Draw(rt, "content")
}

func somebody(rt *rapid.T) PersonID {
	return PersonID(rapid.SampledFrom([]string{"p1", "p2", "p3"}).Draw(rt, "person"))
}

func drawnPhoto(rt *rapid.T, path string) Analysis {
	a := Analysis{Photo: okPhoto(path, contentDrawn(rt))}
	a.Photo.Camera.Make = rapid.SampledFrom([]string{"", "Acme", "\x00"}).Draw(rt, "make")
	switch rapid.IntRange(0, 3).Draw(rt, "place") {
	case 0:
		a.Photo.GPS = nil
	case 1:
		a.Photo.GPS.Alt = nil
	}
	switch status := rapid.SampledFrom([]Status{StatusOK, StatusOK, StatusOK, StatusPending, StatusFailed, "unread"}).Draw(rt, "status"); status {
	case StatusOK:
		for _, x := range rapid.SliceOfDistinct(rapid.SampledFrom(modelPlaces), rapid.ID).Draw(rt, "faces") {
			a.Faces = append(a.Faces, faceAt(x))
		}
	case "unread":
		a.Photo = Photo{Path: path, Status: StatusFailed, Stage: "read", Error: "not " + path}
	default:
		a.Photo.Status, a.Photo.Analyzer = status, ""
	}
	return a
}

func (w *twins) put(rt *rapid.T) {
	a, from, how := drawnPhoto(rt, pathOf(rt)), pathOf(rt), rapid.IntRange(0, 5).Draw(rt, "move or copy")
	w.do(rt, func(ctx context.Context, db *DB) error {
		a := a
		old, err := db.PhotoByPath(ctx, from)
		switch {
		case err != nil || how > 1:
		case how == 0:
			a.Photo.ID = old.ID
		default:
			a = Analysis{Photo: old, CopyOf: old.ID}
			a.Photo.ID, a.Photo.Path = "", "copy of "+from
			a.Photo.Status, a.Photo.Analyzer = StatusOK, testSpace
		}
		return db.PutPhotos(ctx, testSpace, []Analysis{a})
	})
}

// assign says who some faces are, by photo and place.
func (w *twins) assign(rt *rapid.T) {
	id, named := somebody(rt), rapid.SampledFrom([]string{"", "Anna", "Bert ö"}).Draw(rt, "name")
	path, ignored := pathOf(rt), rapid.IntRange(0, 4).Draw(rt, "ignored") == 0
	w.do(rt, func(ctx context.Context, db *DB) error {
		a := Assignment{People: []Person{{ID: id, Name: named, Ignored: ignored}}, Faces: map[FaceID]Placed{}}
		if p, err := db.PhotoByPath(ctx, path); err == nil {
			for f, err := range db.Faces(ctx, FaceQuery{Photo: p.ID}) {
				if err != nil {
					return err
				}
				a.Faces[f.ID] = Placed{Person: id, By: ByGroup}
				a.People[0].Cover = f.ID
				break
			}
		}
		return db.PutPeople(ctx, a)
	})
}

func (w *twins) decide(rt *rapid.T) {
	d := Decision{
		ID: DecisionID(fmt.Sprint("d", w.steps)), Person: somebody(rt), Name: "Anna", OldName: rapid.SampledFrom([]string{"", "Old"}).Draw(rt, "old"),
		Kind:  rapid.SampledFrom([]DecisionKind{DecisionName, DecisionSame, DecisionNotAFace, DecisionMerge, DecisionTime, DecisionPlace}).Draw(rt, "kind"),
		Faces: []FaceRef{{sha(contentDrawn(rt)), face.Box{X: rapid.SampledFrom(modelPlaces).Draw(rt, "x"), Y: 20, W: 100, H: 100}}},
	}
	switch d.Kind {
	case DecisionMerge:
		d.Other, d.Others = somebody(rt), d.Faces
	case DecisionTime:
		d.Correction = &Correction{Taken: &exif.Time{Wall: start}}
	case DecisionPlace:
		d.Correction = &Correction{GPS: rapid.SampledFrom([]*exif.GPS{nil, {Lat: 1.5, Lon: 2.5}}).Draw(rt, "gps")}
	}
	w.do(rt, func(ctx context.Context, db *DB) error { return second(db.Decide(ctx, d, Assignment{})) })
}

func (w *twins) revoke(rt *rapid.T) {
	id := DecisionID(fmt.Sprint("d", rapid.IntRange(0, w.steps).Draw(rt, "decision")))
	w.do(rt, func(ctx context.Context, db *DB) error {
		a := Assignment{Faces: map[FaceID]Placed{}} // what is no face by it is one again
		for f, err := range db.Faces(ctx, FaceQuery{Rejected: Only}) {
			if err != nil {
				return err
			}
			if f.Rejected == id {
				a.Faces[f.ID] = Placed{}
			}
		}
		return db.Revoke(ctx, id, a)
	})
}

func (w *twins) record(rt *rapid.T) {
	text := rapid.String().Draw(rt, "text")
	what := rapid.IntRange(0, 3).Draw(rt, "what")
	id := rapid.SampledFrom([]PersonID{"", "p1"}).Draw(rt, "whose")
	path := pathOf(rt)
	w.do(rt, func(ctx context.Context, db *DB) error {
		switch what {
		case 0:
			return db.SetSetting(ctx, "folder", text)
		case 1:
			return db.PutConsent(ctx, Consent{Given: len(text) > 2, Person: id, By: text, Version: text, Means: "host"})
		case 2:
			return second(db.PutProduct(ctx, Product{Class: ClassExports, Name: text}))
		}
		p, err := db.PhotoByPath(ctx, path)
		if err != nil {
			return err
		}
		return second(db.MarkVanished(ctx, []PhotoID{p.ID}))
	})
}

func (w *twins) erase(rt *rapid.T) {
	op := rapid.SampledFrom([]string{"person", "photos", "name", "biometrics", "strangers", "drop", "vanished"}).Draw(rt, "erasure")
	id, path := somebody(rt), pathOf(rt)
	w.do(rt, func(ctx context.Context, db *DB) error {
		of := string(id)
		if op == "photos" || op == "drop" {
			p, err := db.PhotoByPath(ctx, path)
			if err != nil {
				return err
			}
			of = string(p.ID)
		}
		switch op {
		case "drop":
			return second(db.DropPhotos(ctx, []PhotoID{PhotoID(of)}))
		case "vanished":
			return second(db.Expire(ctx, Cutoffs{ClassVanished: start.AddDate(1, 0, 0), ClassAudit: start}))
		case "biometrics":
			if _, err := eraseAs(ctx, db, op, "keep"); err != nil {
				return err
			}
			return db.PutSpace(ctx, Space{Name: testSpace, Dim: testDim})
		}
		return second(eraseAs(ctx, db, op, of))
	})
}

// Whatever is done, a sealed account tells what a plain one tells.
func TestSealedTellsTheSame(t *testing.T) {
	needsOnce(t)
	base := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(base, "run")
		must(t, err)
		w := &twins{dir: dir, keys: []KeyProvider{nil, fixedKeys{}, nil}}
		w.open(rt)
		defer func() {
			w.compare(rt)
			w.close(rt)
		}()
		w.do(rt, func(ctx context.Context, db *DB) error { return db.PutSpace(ctx, Space{Name: testSpace, Dim: testDim}) })
		rt.Repeat(map[string]func(*rapid.T){
			"compare": w.compare,
			"put":     w.put, "put more": w.put, "assign": w.assign, "decide": w.decide, "revoke": w.revoke, "record": w.record, "erase": w.erase,
			"reopen": func(rt *rapid.T) {
				w.compare(rt)
				w.close(rt)
				if rapid.Bool().Draw(rt, "seal it") {
					w.keys[2] = fixedKeys{}
				}
				w.open(rt)
			},
		})
	})
}
