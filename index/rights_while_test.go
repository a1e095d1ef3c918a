package index_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/store"
)

// A photo that is erased while Index looks at a file of its content stays
// erased.
func TestEraseDuringIndex(t *testing.T) {
	eye, reached, release := blocking()
	acc, src := newAccount(t, index.Config{Analyzer: eye}), family()
	reindex(t, acc, src, index.ReindexOptions{NoFaces: true})
	done := make(chan error, 1)
	go func() {
		_, err := acc.Index(context.Background(), src, "b/4.jpg")
		done <- err
	}()
	<-reached
	must1[index.Receipt](t)(acc.ErasePhotos(t.Context(), photoOf(t, acc, "b/4.jpg").ID))
	close(release)
	wantErr(t, "Index", <-done, index.ErrTombstone)
	if w := worldOf(t, acc); len(w.photos) != 5 || len(w.faces) != 0 {
		t.Errorf("%d photos and %d faces are there", len(w.photos), len(w.faces))
	}
}

// An account that is restricted or deleted while Index looks at a photo does
// not get it.
func TestRestrictDuringIndex(t *testing.T) {
	for name, c := range map[string]struct {
		ask  func(*index.Account, context.Context) (index.AuditEntry, error)
		want error
	}{
		"restricted": {(*index.Account).Restrict, index.ErrRestricted},
		"deleted":    {(*index.Account).Delete, index.ErrDeleted},
		"erased":     {(*index.Account).EraseAll, index.ErrErased},
	} {
		t.Run(name, func(t *testing.T) {
			eye, reached, release := blocking()
			acc := newAccount(t, index.Config{Analyzer: eye})
			done := make(chan error, 1)
			go func() {
				_, err := acc.Index(context.Background(), family(), "b/4.jpg")
				done <- err
			}()
			<-reached
			must1[index.AuditEntry](t)(c.ask(acc, t.Context()))
			close(release)
			err := <-done
			if name == "erased" { // its consent is gone as well
				if !errors.Is(err, index.ErrErased) && !errors.Is(err, index.ErrNoConsent) {
					t.Errorf("Index: %v", err)
				}
				return
			}
			wantErr(t, "Index", err, c.want)
			if name == "deleted" {
				must1[index.AuditEntry](t)(acc.Restore(t.Context()))
			}
			if w := worldOf(t, acc); len(w.photos) != 0 {
				t.Errorf("%d photos are there", len(w.photos))
			}
		})
	}
}

// Searches go on beside an erasure; one that begins after it finds nothing of
// what was erased, whatever is in memory.
func TestEraseDuringSearch(t *testing.T) {
	acc := newAccount(t, index.Config{})
	reindex(t, acc, crowd(90, 3), index.ReindexOptions{})
	anna := personOf(t, acc, "00/000.jpg", 0)
	erased := map[index.FaceID]bool{}
	for _, f := range all(t, acc.Faces(t.Context(), index.FaceQuery{Person: anna})) {
		erased[f.ID] = true
	}
	for range 3 { // so that vectors are in memory
		must1[[]index.Match](t)(acc.Search(t.Context(), portrait(1, 5), 20))
	}
	stop := make(chan struct{})
	var searching sync.WaitGroup
	for range 3 {
		searching.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := acc.Search(context.Background(), portrait(1, 5), 20); err != nil {
					t.Errorf("a search meanwhile: %v", err)
					return
				}
			}
		})
	}
	receipt, err := acc.Object(t.Context(), anna)
	if !errors.Is(err, index.ErrBusy) { // a search may hold the file when the log is to be emptied
		must(t, err)
	}
	if receipt.Counts[index.ClassFaces] != len(erased) {
		t.Errorf("the receipt counts %v of %d faces", receipt.Counts, len(erased))
	}
	for _, k := range []int{20, 20, 1000, 1000} {
		ms := must1[[]index.Match](t)(acc.Search(t.Context(), portrait(1, 5), k))
		if len(ms) < 20 { // those that are gone take nobody's place
			t.Errorf("a search for %d finds %d faces", k, len(ms))
		}
		for _, m := range ms {
			if erased[m.Face] || m.Person == anna {
				t.Errorf("%+v is found after it was erased", m)
			}
		}
	}
	close(stop)
	searching.Wait()
}

// A listing sees its snapshot to the end and keeps its bytes in the log; that
// is said, and Expire takes it up.
func TestEraseDuringListing(t *testing.T) {
	if testing.Short() {
		t.Skip("takes the five seconds that an erasure waits for a reader")
	}
	dir, eye := t.TempDir(), &analyzer{}
	acc := openAt(t, filepath.Join(dir, "a.kith"), withScenes(index.Config{Analyzer: eye}))
	_, m := markedFamily(t, acc, eye)
	who := personOf(t, acc, "Balthasar Album/5.jpg", 0)
	seen := 0
	for _, err := range acc.Faces(t.Context(), index.FaceQuery{}) {
		must(t, err)
		if seen++; seen > 1 {
			continue
		}
		r, err := acc.Object(t.Context(), who)
		wantErr(t, "beside a listing", err, index.ErrBusy)
		if r.Counts[index.ClassFaces] != 3 || r.ID == "" {
			t.Errorf("the receipt is %+v", r)
		}
	}
	if seen != 9 {
		t.Errorf("the listing saw %d faces", seen)
	}
	if n := len(worldOf(t, acc).faces); n != 6 {
		t.Errorf("%d faces are left", n)
	}
	must1[index.Expiry](t)(acc.Expire(t.Context(), index.ExpireOptions{}))
	m.person.wantNone(t, "after Expire", dir)
}

func TestDeleteAndRestore(t *testing.T) {
	plainAndSealed(t, func(t *testing.T, keys store.KeyProvider) {
		dir, eye, clock := t.TempDir(), &analyzer{}, newHands()
		path := filepath.Join(dir, "a.kith")
		cfg := withScenes(index.Config{Analyzer: eye, Now: clock.now, Keys: keys})
		acc := openAt(t, path, cfg)
		_, m := markedFamily(t, acc, eye)
		before := worldOf(t, acc)
		expire := func() index.Expiry {
			t.Helper()
			return must1[index.Expiry](t)(acc.Expire(t.Context(), index.ExpireOptions{}))
		}
		must1[index.AuditEntry](t)(acc.Delete(t.Context()))
		clock.turn(10 * day)
		must1[index.AuditEntry](t)(acc.Delete(t.Context())) // asking again starts nothing anew
		if s := must1[index.State](t)(acc.State(t.Context())); !s.Deleted.Equal(start) {
			t.Errorf("deleted since %v", s.Deleted)
		}
		clock.turn(20*day - time.Microsecond)
		if e := expire(); len(e.Receipts) != 0 {
			t.Errorf("too early: %+v", e)
		}
		must1[index.AuditEntry](t)(acc.Restore(t.Context()))
		clock.turn(1000 * day)
		if e := expire(); e.Counts[index.ClassPhotos] != 0 {
			t.Errorf("restored: %+v", e)
		}
		if !worldOf(t, acc).equal(before) {
			t.Error("restored, it is another account")
		}
		must1[index.AuditEntry](t)(acc.Delete(t.Context()))
		closeChecked(t, acc)
		acc = openAt(t, path, cfg)
		clock.turn(30 * day)
		e := expire()
		if len(e.Receipts) != 1 || e.Counts[index.ClassPhotos] != 6 || e.Counts[index.ClassFaces] != 9 {
			t.Errorf("the expiry is %+v", e)
		}
		if e := expire(); len(e.Receipts) != 0 {
			t.Errorf("again: %+v", e)
		}
		_, err := acc.Restore(t.Context())
		wantErr(t, "Restore", err, index.ErrErased)
		for _, m := range []marks{m.photo, m.person, m.biometrics, m.account} {
			m.wantNone(t, "erased", dir)
		}
		closeChecked(t, acc)
		acc = openAt(t, path, cfg)
		if s := must1[index.State](t)(acc.State(t.Context())); !s.Erased.Equal(clock.now()) || s.Consent {
			t.Errorf("opened again: %+v", s)
		}
		entries := all(t, acc.Audit(t.Context()))
		if last := entries[len(entries)-1]; last.ID != e.Receipts[0].ID || last.Action != "erase account" {
			t.Errorf("the audit ends with %+v", last)
		}
		for _, m := range []marks{m.photo, m.person, m.biometrics, m.account} {
			m.wantNone(t, "opened again", dir)
		}
	})
}

// Another grace than that of 30 days, and none.
func TestGrace(t *testing.T) {
	for _, grace := range []time.Duration{0, 7 * day, index.Forever} {
		clock := newHands()
		acc := newAccount(t, index.Config{Now: clock.now})
		must(t, acc.SetRetention(t.Context(), index.Retention{index.ClassAccount: grace}))
		must1[index.AuditEntry](t)(acc.Delete(t.Context()))
		if grace == index.Forever {
			clock.turn(1000 * day)
		} else if clock.turn(grace - time.Microsecond); grace > 0 {
			must1[index.Expiry](t)(acc.Expire(t.Context(), index.ExpireOptions{}))
			if s := must1[index.State](t)(acc.State(t.Context())); !s.Erased.IsZero() {
				t.Errorf("%v: erased too early", grace)
			}
		}
		clock.turn(time.Microsecond)
		must1[index.Expiry](t)(acc.Expire(t.Context(), index.ExpireOptions{}))
		if s := must1[index.State](t)(acc.State(t.Context())); s.Erased.IsZero() != (grace == index.Forever) {
			t.Errorf("%v: the state is %+v", grace, s)
		}
	}
}
