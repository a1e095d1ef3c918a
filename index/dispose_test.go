package index_test

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kith-photos/kith/index"
)

// disposer deletes files of a source, and remembers what it was asked.
type disposer struct {
	src  *files                       // nil: it says that it did, and does not
	hook func(d index.Disposal) error // nil: nothing goes wrong

	mu    sync.Mutex
	asked []index.Disposal
}

func (d *disposer) Dispose(ctx context.Context, x index.Disposal) error {
	d.mu.Lock()
	d.asked = append(d.asked, x)
	d.mu.Unlock()
	if d.hook != nil {
		if err := d.hook(x); err != nil {
			return err
		}
	}
	if d.src != nil {
		d.src.remove(x.Name)
	}
	return ctx.Err()
}

// take lists the names that were asked for since it was last asked.
func (d *disposer) take() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var names []string
	for _, x := range d.asked {
		names = append(names, x.Name)
	}
	d.asked = nil
	return names
}

func wantAsked(t cleaner, when string, d *disposer, want ...string) {
	t.Helper()
	if got := d.take(); !slices.Equal(got, want) {
		t.Errorf("%s: asked to delete %q, want %q", when, got, want)
	}
}

var familyPhotos = []string{"a/1.jpg", "a/2.jpg", "a/3.jpg", "b/4.jpg", "b/5.jpg", "b/6.jpg"}

// disposing is an account with consent whose originals go after a period.
func disposing(t testing.TB, cfg index.Config, period time.Duration) *index.Account {
	t.Helper()
	acc := newAccount(t, cfg)
	must(t, acc.SetRetention(t.Context(), index.Retention{index.ClassOriginals: period}))
	return acc
}

// An original goes when its photo is there with its faces, for whoever looks,
// and is not missed afterwards.
func TestDispose(t *testing.T) {
	src := family()
	d := &disposer{src: src}
	path := filepath.Join(t.TempDir(), "a.kith")
	d.hook = func(x index.Disposal) error {
		other, err := index.Open(context.Background(), path, index.Config{ReadOnly: true})
		if err != nil {
			return err
		}
		p, err := other.Photo(context.Background(), x.Photo)
		f := src.get(x.Name)
		if err != nil || p.Path != x.Name || p.Status != "ok" || p.SHA256 != x.SHA256 || x.Size != int64(len(f.data)) || !x.ModTime.Equal(f.at) {
			t.Errorf("asked to delete %+v of %+v, %v", x, p, err)
		}
		s := must1[*scene](t)(decoded(f.data))
		if fs := all(t, other.Faces(context.Background(), index.FaceQuery{Photo: x.Photo})); len(fs) != len(s.faces) || fs[0].Person == "" {
			t.Errorf("%s is deleted and has %d faces of %d", x.Name, len(fs), len(s.faces))
		}
		if x.Class != index.ClassOriginals {
			t.Errorf("asked for %s", x.Class)
		}
		return other.Close()
	}
	clock := newHands()
	cfg := withScenes(index.Config{Disposer: d, Now: clock.now})
	acc := openAt(t, path, cfg)
	must(t, acc.SetConsent(t.Context(), yes))
	wantReport(t, reindex(t, acc, src, index.ReindexOptions{}), "seen 6, indexed 6, ignored 1, faces 9")
	wantAsked(t, "off by default", d)
	must(t, acc.SetRetention(t.Context(), index.Retention{index.ClassOriginals: 0}))
	clock.turn(time.Second)
	rep := reindex(t, acc, src, index.ReindexOptions{})
	if rep.Disposed != 6 {
		t.Errorf("the report counts %d", rep.Disposed)
	}
	wantAsked(t, "the run", d, familyPhotos...)
	if p := photoOf(t, acc, "a/1.jpg"); !p.Disposed.Equal(clock.now()) || !p.Vanished.IsZero() {
		t.Errorf("the photo is %+v", p)
	}
	before := worldOf(t, acc)
	for _, opt := range []index.ReindexOptions{{}, {Force: true}, {NoFaces: true}} {
		wantReport(t, reindex(t, acc, src, opt), "ignored 1")
	}
	closeChecked(t, acc)
	acc = openAt(t, path, cfg)
	wantReport(t, reindex(t, acc, newFiles(nil), index.ReindexOptions{}), "")
	must1[index.Expiry](t)(acc.Expire(t.Context(), index.ExpireOptions{}))
	must1[index.Expiry](t)(acc.DisposeOriginals(t.Context(), src))
	wantAsked(t, "afterwards", d)
	if !worldOf(t, acc).equal(before) {
		t.Error("photos, faces or people went with the files")
	}
	// What is new goes as well, and only that.
	src.put("c/7.jpg", shot("7", 1))
	if rep := reindex(t, acc, src, index.ReindexOptions{}); rep.Disposed != 1 || rep.Vanished != 0 {
		t.Errorf("the report is %+v", rep)
	}
	wantAsked(t, "a new photo", d, "c/7.jpg")
	n := 0
	for _, e := range all(t, acc.Audit(t.Context())) {
		if e.Action == "dispose" {
			n += e.Counts[index.ClassOriginals]
		}
	}
	if n != 7 {
		t.Errorf("the audit counts %d originals", n)
	}
}

// A photo that was not to be deleted is missed even where all others were.
func TestDisposedDoNotHideTheMissing(t *testing.T) {
	src := family()
	src.put("bad.jpg", []byte("no photo"))
	d := &disposer{src: src}
	acc := disposing(t, index.Config{Disposer: d}, 0)
	_, failed := reindexFailing(t, acc, src, index.ReindexOptions{})
	_ = failed.of(t, "bad.jpg")
	_, err := acc.Reindex(t.Context(), newFiles(nil), index.ReindexOptions{})
	wantErr(t, "an empty source", err, index.ErrNothingFound)
	src.remove("bad.jpg")
	src.put("c/7.jpg", shot("7", 1))
	wantReport(t, reindex(t, acc, src, index.ReindexOptions{}), "seen 1, indexed 1, vanished 1, ignored 1, faces 1")
}

// A host that deleted a file and yet said that it could not has deleted it.
func TestDisposedAndDenied(t *testing.T) {
	src := family()
	d := &disposer{src: src}
	d.hook = func(x index.Disposal) error {
		if x.Name != "b/6.jpg" {
			return nil
		}
		src.remove(x.Name)
		return fs.ErrPermission
	}
	acc := disposing(t, index.Config{Disposer: d}, 0)
	_, failed := reindexFailing(t, acc, src, index.ReindexOptions{})
	wantErr(t, "b/6.jpg", failed.of(t, "b/6.jpg"), fs.ErrPermission)
	wantAsked(t, "the run", d, familyPhotos...)
	wantReport(t, reindex(t, acc, src, index.ReindexOptions{}), "ignored 1")
	wantAsked(t, "the next", d)
	if p := photoOf(t, acc, "b/6.jpg"); p.Disposed.IsZero() || len(worldOf(t, acc).faces) != 9 {
		t.Errorf("the photo is %+v", p)
	}
}

func TestDisposerFails(t *testing.T) {
	src := family()
	broken := errors.New("the disk is read-only")
	ill := true
	d := &disposer{src: src, hook: func(x index.Disposal) error {
		switch {
		case ill && x.Name == "a/2.jpg":
			return broken
		case ill && x.Name == "b/5.jpg":
			panic("no such disk")
		}
		return nil
	}}
	acc := disposing(t, index.Config{Disposer: d}, 0)
	for round, asked := range [][]string{familyPhotos, {"a/2.jpg", "b/5.jpg"}, {"a/2.jpg", "b/5.jpg"}} {
		rep, failed := reindexFailing(t, acc, src, index.ReindexOptions{})
		if rep.Disposed != len(asked)-2 || len(failed) != 2 {
			t.Errorf("round %d: %d were deleted, %v failed", round, rep.Disposed, failed)
		}
		if e := failed.of(t, "a/2.jpg"); e.Stage != index.StageDispose || !errors.Is(e, broken) {
			t.Errorf("reported: %v", e)
		}
		if e := failed.of(t, "b/5.jpg"); e.Stage != index.StageDispose || !strings.Contains(e.Error(), "no such disk") {
			t.Errorf("reported: %v", e)
		}
		wantAsked(t, "a run", d, asked...)
	}
	if p := photoOf(t, acc, "a/2.jpg"); p.Status != "ok" || !p.Disposed.IsZero() {
		t.Errorf("the photo is %+v", p)
	}
	for _, e := range []index.Expiry{
		must1[index.Expiry](t)(acc.DisposeOriginals(t.Context(), src)),
		must1[index.Expiry](t)(acc.Expire(t.Context(), index.ExpireOptions{})),
	} {
		if len(e.Failed) != 2 || e.Disposed != 0 || e.Failed[0].Disposal.Name != "a/2.jpg" || !errors.Is(e.Failed[0], broken) {
			t.Errorf("the expiry is %+v", e)
		}
	}
	d.take()
	ill = false
	if rep := reindex(t, acc, src, index.ReindexOptions{}); rep.Disposed != 2 {
		t.Errorf("the report is %+v", rep)
	}
	wantAsked(t, "mended", d, "a/2.jpg", "b/5.jpg")
	reindex(t, acc, src, index.ReindexOptions{})
	wantAsked(t, "afterwards", d)
}

// Only what was looked at for faces goes, in the version that was looked at.
func TestDisposeOnlyProcessed(t *testing.T) {
	src := family()
	d := &disposer{src: src}
	acc := disposing(t, index.Config{Disposer: d}, 0)
	reindex(t, acc, src, index.ReindexOptions{NoFaces: true})
	must1[index.Expiry](t)(acc.Expire(t.Context(), index.ExpireOptions{}))
	must1[index.Expiry](t)(acc.DisposeOriginals(t.Context(), src))
	wantAsked(t, "without looking for faces", d)
	src.put("bad.jpg", []byte("no photo"))
	_, failed := reindexFailing(t, acc, src, index.ReindexOptions{KeepOriginals: true})
	if e := failed.of(t, "bad.jpg"); e.Stage != index.StageDecode {
		t.Errorf("bad.jpg: %v", e)
	}
	wantAsked(t, "told to keep them", d)

	// One changes, one is replaced by what cannot be read.
	src.put("a/1.jpg", shot("another 1", 2))
	src.put("a/2.jpg", []byte("broken"))
	src.set("a/3.jpg", file{data: shot("another 3", 1), at: start.Add(time.Hour), err: errors.New("a bad sector")})
	rep, failed := reindexFailing(t, acc, src, index.ReindexOptions{})
	if len(failed) != 3 || rep.Disposed != 4 {
		t.Errorf("%v failed, %d were deleted", failed, rep.Disposed)
	}
	for _, x := range d.asked {
		if p := must1[index.Photo](t)(acc.Photo(t.Context(), x.Photo)); x.Name == "a/1.jpg" && (x.SHA256 != p.SHA256 || len(facesOf(t, acc, "a/1.jpg")) != 1) {
			t.Errorf("asked to delete %+v of %+v", x, p)
		}
	}
	wantAsked(t, "a run", d, "a/1.jpg", "b/4.jpg", "b/5.jpg", "b/6.jpg")
	src.put("a/2.jpg", shot("2", 1, 3))
	src.put("a/3.jpg", shot("3", 2, 3))
	_, _ = reindexFailing(t, acc, src, index.ReindexOptions{})
	wantAsked(t, "mended", d, "a/2.jpg", "a/3.jpg")
	if _, ok := src.lookup("bad.jpg"); !ok {
		t.Error("a photo that cannot be read was deleted")
	}
}

// A file that is back is a file again.
func TestDisposeRestored(t *testing.T) {
	src := family()
	d := &disposer{src: src}
	acc := disposing(t, index.Config{Disposer: d}, 0)
	one, two, three := src.get("a/1.jpg"), src.get("a/2.jpg"), src.get("a/3.jpg")
	reindex(t, acc, src, index.ReindexOptions{})
	before := worldOf(t, acc)
	wantAsked(t, "the first time", d, familyPhotos...)
	src.set("a/1.jpg", one) // with its time
	two.at = two.at.Add(time.Hour)
	src.set("a/2.jpg", two)                  // with another
	src.put("a/3.jpg", shot("another 3", 1)) // in another version
	wantReport(t, reindex(t, acc, src, index.ReindexOptions{}), "seen 3, unchanged 2, indexed 1, ignored 1, faces 1")
	wantAsked(t, "restored", d, "a/1.jpg", "a/2.jpg", "a/3.jpg")
	for path, id := range before.photos {
		if p := photoOf(t, acc, path); p.ID != id || p.Disposed.IsZero() {
			t.Errorf("%s is %+v", path, p)
		}
	}
	src.set("c/3.jpg", three) // somewhere else: nothing knows this content any more
	src.set("c/1.jpg", one)   // of this it does
	wantReport(t, reindex(t, acc, src, index.ReindexOptions{}), "seen 2, indexed 1, copied 1, ignored 1, faces 2")
	wantAsked(t, "under another name", d, "c/1.jpg", "c/3.jpg")
}

func TestDisposeLater(t *testing.T) {
	src, clock := family(), newHands()
	d := &disposer{src: src}
	acc := disposing(t, index.Config{Disposer: d, Now: clock.now}, 30*day)
	reindex(t, acc, src, index.ReindexOptions{})
	due := must1[[]index.Due](t)(acc.Due(t.Context(), start.Add(30*day)))
	if want := (index.Due{Class: index.ClassOriginals, At: start.Add(30 * day), Count: 6}); len(due) == 0 || due[0] != want {
		t.Errorf("due: %+v", due)
	}
	clock.turn(30*day - time.Microsecond)
	must1[index.Expiry](t)(acc.Expire(t.Context(), index.ExpireOptions{}))
	reindex(t, acc, src, index.ReindexOptions{})
	wantAsked(t, "a moment before", d)
	clock.turn(time.Microsecond)
	e := must1[index.Expiry](t)(acc.Expire(t.Context(), index.ExpireOptions{}))
	if e.Disposed != 6 || len(e.Failed) != 0 {
		t.Errorf("the expiry is %+v", e)
	}
	wantAsked(t, "when it is time", d, familyPhotos...)
	if e := must1[index.Expiry](t)(acc.Expire(t.Context(), index.ExpireOptions{})); e.Disposed != 0 {
		t.Errorf("again: %+v", e)
	}
	wantAsked(t, "again", d)
	for _, x := range must1[[]index.Due](t)(acc.Due(t.Context(), clock.now().AddDate(100, 0, 0))) {
		t.Errorf("still due: %+v", x)
	}
}
