package index_test

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/index"
)

func TestDisposeOriginals(t *testing.T) {
	src := family()
	d := &disposer{src: src}
	eye, reached, release := blocking()
	acc := disposing(t, index.Config{Disposer: d, Analyzer: eye, Workers: 1}, 0)
	done := make(chan error, 1)
	go func() {
		_, err := acc.Reindex(context.Background(), src, index.ReindexOptions{KeepOriginals: true})
		done <- err
	}()
	<-reached
	_, err := acc.DisposeOriginals(t.Context(), src)
	wantErr(t, "beside a Reindex", err, index.ErrBusy)
	_, err = acc.Expire(t.Context(), index.ExpireOptions{})
	wantErr(t, "Expire beside a Reindex", err, index.ErrBusy)
	close(release)
	must(t, <-done)
	must1[index.AuditEntry](t)(acc.Restrict(t.Context()))
	_, err = acc.DisposeOriginals(t.Context(), src)
	wantErr(t, "restricted", err, index.ErrRestricted)
	wantAsked(t, "restricted", d)
	must1[index.AuditEntry](t)(acc.Unrestrict(t.Context()))
	if e := must1[index.Expiry](t)(acc.DisposeOriginals(t.Context(), src)); e.Disposed != 6 {
		t.Errorf("the expiry is %+v", e)
	}
	wantAsked(t, "when told", d, familyPhotos...)

	none := disposing(t, index.Config{}, 0) // without a Disposer
	if rep := reindex(t, none, family(), index.ReindexOptions{}); rep.Disposed != 0 {
		t.Errorf("%d were deleted by nobody", rep.Disposed)
	}
}

// What was deleted when the caller gave up is not deleted again.
func TestDisposeCancelled(t *testing.T) {
	src := family()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	d := &disposer{}
	d.hook = func(x index.Disposal) error {
		src.remove(x.Name)
		if x.Name == "a/3.jpg" {
			cancel()
		}
		return nil
	}
	acc := disposing(t, index.Config{Disposer: disposeFunc(func(_ context.Context, x index.Disposal) error {
		return d.Dispose(context.Background(), x)
	})}, 0)
	rep, err := acc.Reindex(ctx, src, index.ReindexOptions{})
	wantErr(t, "Reindex", err, context.Canceled)
	if rep.Disposed != 3 {
		t.Errorf("the report counts %d", rep.Disposed)
	}
	wantAsked(t, "until then", d, familyPhotos[:3]...)
	reindex(t, acc, src, index.ReindexOptions{})
	wantAsked(t, "then", d, familyPhotos[3:]...)
}

type disposeFunc func(context.Context, index.Disposal) error

func (f disposeFunc) Dispose(ctx context.Context, d index.Disposal) error { return f(ctx, d) }

func TestIndexDisposes(t *testing.T) {
	src := family()
	d := &disposer{src: src}
	acc := disposing(t, index.Config{Disposer: d}, 0)
	p := must1[index.Photo](t)(acc.Index(t.Context(), src, "a/2.jpg"))
	if p.Disposed.IsZero() || p.Status != "ok" {
		t.Errorf("the photo is %+v", p)
	}
	wantAsked(t, "Index", d, "a/2.jpg")
	d.hook = func(x index.Disposal) error { return fs.ErrPermission }
	var pe *index.PhotoError
	_, err := acc.Index(t.Context(), src, "b/4.jpg")
	if !errors.As(err, &pe) || pe.Stage != index.StageDispose || pe.Path != "b/4.jpg" || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("Index: %v", err)
	}
	if fs := facesOf(t, acc, "b/4.jpg"); len(fs) != 1 {
		t.Errorf("%d faces", len(fs))
	}
	d.take()
	d.hook = func(x index.Disposal) error {
		if x.Name == "b/4.jpg" {
			return fs.ErrPermission
		}
		return nil
	}
	// The next photo is none the worse for it.
	p, err = acc.Index(t.Context(), src, "b/5.jpg")
	if p.Path != "b/5.jpg" || p.Disposed.IsZero() || errors.As(err, &pe) && pe.Path == "b/5.jpg" {
		t.Errorf("Index: %+v, %v", p, err)
	}
	wantAsked(t, "Index", d, "b/4.jpg", "b/5.jpg")
}

// A photo whose analysis panics is a photo that failed, and stays.
func TestDisposeNotWhatFailed(t *testing.T) {
	src := family()
	d := &disposer{src: src}
	eye := &analyzer{hook: func(_ context.Context, s *scene, fs []face.Face) ([]face.Face, error) {
		if len(fs) == 1 {
			return nil, errors.New("the model is out of sorts")
		}
		return fs, nil
	}}
	acc := disposing(t, index.Config{Disposer: d, Analyzer: eye}, 0)
	_, failed := reindexFailing(t, acc, src, index.ReindexOptions{})
	if len(failed) != 3 {
		t.Errorf("%v failed", failed)
	}
	wantAsked(t, "the run", d, "a/1.jpg", "a/2.jpg", "a/3.jpg")
	eye.hook = nil
	reindex(t, acc, src, index.ReindexOptions{})
	wantAsked(t, "the next", d, "b/4.jpg", "b/5.jpg", "b/6.jpg")
}

// Products are files that the host made of the account.
func TestProducts(t *testing.T) {
	clock, d := newHands(), &disposer{}
	path := filepath.Join(t.TempDir(), "a.kith")
	cfg := withScenes(index.Config{Disposer: d, Now: clock.now, Keys: &keySafe{}})
	acc := openAt(t, path, cfg)
	must(t, acc.SetRetention(t.Context(), index.Retention{index.ClassShares: 7 * day, index.ClassCrops: index.Forever}))
	for _, class := range []index.Class{"", index.ClassFaces, index.ClassOriginals, "nonsense"} {
		if id, err := acc.Keep(t.Context(), class, "x"); err == nil {
			t.Errorf("a product of class %q is %s", class, id)
		}
	}
	must1[string](t)(acc.Keep(t.Context(), index.ClassExports, "export.json"))
	must1[string](t)(acc.Keep(t.Context(), index.ClassShares, "share.zip"))
	must1[string](t)(acc.Keep(t.Context(), index.ClassCrops, "crops.zip"))
	must(t, acc.Release(t.Context(), must1[string](t)(acc.Keep(t.Context(), index.ClassShares, "deleted.zip"))))
	expire := func() index.Expiry {
		t.Helper()
		return must1[index.Expiry](t)(acc.Expire(t.Context(), index.ExpireOptions{}))
	}
	clock.turn(7*day - time.Microsecond)
	expire()
	wantAsked(t, "too early", d)
	clock.turn(time.Microsecond)
	d.hook = func(index.Disposal) error { return fs.ErrPermission }
	for range 2 {
		if e := expire(); len(e.Failed) != 1 || e.Disposed != 0 {
			t.Errorf("the expiry is %+v", e)
		}
		wantAsked(t, "a failing one", d, "share.zip")
	}
	d.hook = nil
	if e := expire(); e.Disposed != 1 || d.asked[0].Class != index.ClassShares || !d.asked[0].ModTime.Equal(start) {
		t.Errorf("the expiry is %+v, asked for %+v", e, d.asked)
	}
	wantAsked(t, "mended", d, "share.zip")
	closeChecked(t, acc)
	acc = openAt(t, path, cfg)
	clock.turn(23 * day)
	expire()
	wantAsked(t, "after 30 days", d, "export.json")
	clock.turn(1000 * day)
	expire()
	wantAsked(t, "for ever", d)
}

// What was made of an account goes with it, at once or when its grace is over,
// and what cannot be deleted does not keep the account.
func TestEraseAllDisposes(t *testing.T) {
	for _, graceful := range []bool{false, true} {
		clock := newHands()
		d := &disposer{hook: func(x index.Disposal) error {
			if x.Name == "stuck.zip" {
				return errors.New("it is stuck")
			}
			return nil
		}}
		acc := newAccount(t, index.Config{Now: clock.now, Disposer: d})
		must1[string](t)(acc.Keep(t.Context(), index.ClassExports, "stuck.zip"))
		clock.turn(time.Second)
		must1[string](t)(acc.Keep(t.Context(), index.ClassCrops, "crops.zip"))
		must(t, acc.SetRetention(t.Context(), index.Retention{index.ClassExports: index.Forever, index.ClassCrops: index.Forever}))
		var receipt index.Receipt
		var failed error
		if graceful {
			must1[index.AuditEntry](t)(acc.Delete(t.Context()))
			clock.turn(31 * day)
			e := must1[index.Expiry](t)(acc.Expire(t.Context(), index.ExpireOptions{}))
			if len(e.Receipts) != 1 || len(e.Failed) != 1 || e.Disposed != 1 {
				t.Fatalf("Expire: %+v", e)
			}
			receipt, failed = e.Receipts[0], e.Failed[0]
		} else {
			receipt, failed = acc.EraseAll(t.Context())
		}
		var disposal *index.DisposalError
		if !errors.As(failed, &disposal) || disposal.Disposal.Name != "stuck.zip" || receipt.Action != "erase account" {
			t.Errorf("after grace: %v: receipt %+v, %v", graceful, receipt, failed)
		}
		wantAsked(t, "products", d, "stuck.zip", "crops.zip")
		if s := must1[index.State](t)(acc.State(t.Context())); s.Erased.IsZero() {
			t.Error("the account is there")
		}
	}
}
