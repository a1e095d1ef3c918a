package index_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/index"
)

func TestCancel(t *testing.T) {
	for _, workers := range []int{1, 4} {
		eye := &analyzer{}
		acc := newAccount(t, index.Config{Analyzer: eye, Workers: workers})
		src := crowd(120, 5)
		ctx, cancel := context.WithCancel(t.Context())
		var counting sync.Mutex // nobody gets past the 70th before it has cancelled
		calls := 0
		eye.hook = func(ctx context.Context, _ *scene, fs []face.Face) ([]face.Face, error) {
			counting.Lock()
			defer counting.Unlock()
			if calls++; calls == 70 {
				cancel()
				<-ctx.Done() // a model that takes its time to notice
			}
			return fs, nil
		}
		began := time.Now()
		rep, err := acc.Reindex(ctx, src, index.ReindexOptions{})
		wantErr(t, "Reindex", err, context.Canceled)
		if d := time.Since(began); d > 10*time.Second {
			t.Errorf("it took %v", d)
		}
		// Each worker may lose the photo in its hands, and the one before.
		n := len(all(t, acc.Photos(t.Context(), index.PhotoQuery{Status: "ok"})))
		if n < 69-2*workers || n > 70+workers || rep.Indexed != n || rep.Seen != 120 {
			t.Errorf("%d photos are there, the report says %+v", n, rep)
		}
		mustCheck(t, acc)
		eye.hook = nil
		if rep := reindex(t, acc, src, index.ReindexOptions{}); rep.Unchanged != n || rep.Indexed != 120-n {
			t.Errorf("%d were there; the next run: %+v", n, rep)
		}
		whole := newAccount(t, index.Config{})
		reindex(t, whole, src, index.ReindexOptions{})
		if got, want := partition(t, acc), partition(t, whole); !slices.Equal(got, want) {
			t.Errorf("people %v, want %v", got, want)
		}
	}
}

func TestCancelledBefore(t *testing.T) {
	acc := newAccount(t, index.Config{})
	reindex(t, acc, family(), index.ReindexOptions{})
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("the user went home")
	cancel(why)
	_, err := acc.Reindex(ctx, sealed(t), index.ReindexOptions{})
	wantCancelled(t, "Reindex", err, why)
	_, err = acc.Regroup(ctx)
	wantCancelled(t, "Regroup", err, why)
	_, err = acc.Search(ctx, portrait(1, 1), 1)
	wantCancelled(t, "Search", err, why)
	_, err = acc.Name(ctx, personOf(t, acc, "a/1.jpg", 0), "x")
	wantCancelled(t, "Name", err, why)
	_, err = index.Open(ctx, filepath.Join(t.TempDir(), "b.kith"), index.Config{})
	wantCancelled(t, "Open", err, why)
}

// wantCancelled takes the context's error or its cause.
func wantCancelled(t *testing.T, what string, err, why error) {
	t.Helper()
	if !errors.Is(err, context.Canceled) && !errors.Is(err, why) {
		t.Errorf("%s: %v", what, err)
	}
}

func TestCloseDuringReindex(t *testing.T) {
	goroutines := runtime.NumGoroutine()
	eye, reached, _ := blocking()
	acc := newAccount(t, index.Config{Analyzer: eye, Workers: 3})
	done := make(chan error, 1)
	go func() {
		_, err := acc.Reindex(context.Background(), family(), index.ReindexOptions{})
		done <- err
	}()
	for range 3 {
		<-reached
	}
	must(t, acc.Close())
	select {
	case err := <-done:
		wantErr(t, "Reindex", err, index.ErrClosed)
	default:
		t.Errorf("Close returned before Reindex did, with %v", <-done)
	}
	must(t, acc.Close())
	afterClose(t, acc)
	settles(t, goroutines)
}

// afterClose calls every method of a closed account.
func afterClose(t *testing.T, acc *index.Account) {
	t.Helper()
	ctx := t.Context()
	_, reindexErr := acc.Reindex(ctx, sealed(t), index.ReindexOptions{})
	_, indexErr := acc.Index(ctx, sealed(t), "a/1.jpg")
	_, regroupErr := acc.Regroup(ctx)
	_, searchErr := acc.Search(ctx, portrait(1, 1), 1)
	_, imageErr := acc.SearchImage(ctx, &scene{}, 1)
	_, nameErr := acc.Name(ctx, "x", "y")
	_, mergeErr := acc.Merge(ctx, "x", "y")
	_, _, splitErr := acc.Split(ctx, []index.FaceID{"x"})
	_, personErr := acc.Person(ctx, "x")
	_, photoErr := acc.Photo(ctx, "x")
	_, consentErr := acc.Consent(ctx)
	var checkErr error
	for checkErr = range acc.Check(ctx) {
	}
	for what, err := range map[string]error{
		"Reindex": reindexErr, "Index": indexErr, "Regroup": regroupErr, "Search": searchErr, "SearchImage": imageErr,
		"Name": nameErr, "Merge": mergeErr, "Split": splitErr, "Undo": acc.Undo(ctx, "x"), "Person": personErr,
		"Photo": photoErr, "Consent": consentErr, "SetConsent": acc.SetConsent(ctx, yes), "Check": checkErr,
		"Export":    acc.Export(ctx, &bytes.Buffer{}, index.ExportOptions{}),
		"People":    only(t, acc.People(ctx, index.PeopleQuery{})),
		"Faces":     only(t, acc.Faces(ctx, index.FaceQuery{})),
		"Photos":    only(t, acc.Photos(ctx, index.PhotoQuery{})),
		"Decisions": only(t, acc.Decisions(ctx)),
		"Crops":     only(t, acc.Crops(ctx, sealed(t), nil, 10)),
	} {
		wantErr(t, what+" after Close", err, index.ErrClosed)
	}
}

// only is the error of a listing that must yield nothing else.
func only[T any](t *testing.T, seq iter.Seq2[T, error]) error {
	t.Helper()
	n, last := 0, error(nil)
	for _, err := range seq {
		n, last = n+1, err
	}
	if n != 1 {
		t.Errorf("%d answers of a closed account", n)
	}
	return last
}

// settles waits until there are no more goroutines than before.
func settles(t *testing.T, before int) {
	t.Helper()
	for range 200 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	var stacks bytes.Buffer
	b := make([]byte, 1<<20)
	stacks.Write(b[:runtime.Stack(b, true)])
	t.Errorf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks.String())
}

func TestNoGoroutineLeaks(t *testing.T) {
	before := runtime.NumGoroutine()
	acc := must1[*index.Account](t)(index.Open(t.Context(), filepath.Join(t.TempDir(), "a.kith"), withScenes(index.Config{Workers: 4})))
	must(t, acc.SetConsent(t.Context(), yes))
	src := crowd(50, 3)
	reindex(t, acc, src, index.ReindexOptions{})
	for range 3 {
		for _, err := range acc.Photos(t.Context(), index.PhotoQuery{}) {
			must(t, err)
			break
		}
		for _, err := range acc.Crops(t.Context(), src, []index.FaceID{facesOf(t, acc, "00/000.jpg")[0].ID}, 10) {
			must(t, err)
			break
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, _ = acc.Reindex(ctx, crowd(60, 3), index.ReindexOptions{})
	}
	must(t, acc.Export(t.Context(), io.Discard, index.ExportOptions{}))
	closeChecked(t, acc)
	settles(t, before)
}

func TestConfig(t *testing.T) {
	for name, cfg := range map[string]index.Config{
		"Workers": {Workers: -1}, "MaxPixels": {MaxPixels: -1}, "MaxBytes": {MaxBytes: -1},
	} {
		if _, err := index.Open(t.Context(), filepath.Join(t.TempDir(), "a.kith"), cfg); err == nil {
			t.Errorf("%s below zero is accepted", name)
		}
	}
	path := filepath.Join(t.TempDir(), "a.kith")
	acc := openAt(t, path, index.Config{AccountID: "anna"})
	if acc.ID() != "anna" {
		t.Errorf("the account is %q", acc.ID())
	}
	must(t, acc.Close())
	_, err := index.Open(t.Context(), path, index.Config{AccountID: "bert"})
	wantErr(t, "another's account", err, index.ErrWrongAccount)
	openAt(t, path, index.Config{AccountID: "anna"})
	if id := openAt(t, path+"2", index.Config{}).ID(); id == "" || id == "anna" {
		t.Errorf("an account without an id got %q", id)
	}
}
