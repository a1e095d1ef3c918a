package index_test

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/index"
)

func TestReadOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.kith")
	acc := openAt(t, path, withScenes(index.Config{}))
	must(t, acc.SetConsent(t.Context(), yes))
	src := family()
	reindex(t, acc, src, index.ReindexOptions{Source: "here"})
	anna, bert := personOf(t, acc, "b/4.jpg", 0), personOf(t, acc, "b/5.jpg", 0)
	id := named(t, acc, anna, "Anna")

	ro := openAt(t, path, withScenes(index.Config{ReadOnly: true}))
	ctx := t.Context()
	same := func(when string) {
		t.Helper()
		if !worldOf(t, ro).equal(worldOf(t, acc)) {
			t.Errorf("%s: the reader sees something else than the writer", when)
		}
	}
	same("at first")
	wantPartition(t, ro, append([]string{"Anna " + familyPeople[0]}, familyPeople[1:]...)...)
	must(t, ro.Export(ctx, io.Discard, index.ExportOptions{Embeddings: true}))
	if ms := must1[[]index.Match](t)(ro.Search(ctx, portrait(1, 1), 3)); len(ms) != 3 || ms[0].Person != anna {
		t.Errorf("found %v", ms)
	}
	if n := len(all(t, ro.Decisions(ctx))); n != 1 {
		t.Errorf("%d decisions", n)
	}

	changed := family()
	changed.put("new.jpg", shot("new", 1))
	_, reindexErr := ro.Reindex(ctx, changed, index.ReindexOptions{})
	_, indexErr := ro.Index(ctx, changed, "new.jpg")
	_, regroupErr := ro.Regroup(ctx)
	_, nameErr := ro.Name(ctx, anna, "x")
	_, mergeErr := ro.Merge(ctx, anna, bert)
	_, _, splitErr := ro.Split(ctx, []index.FaceID{facesOf(t, ro, "b/4.jpg")[0].ID})
	for what, err := range map[string]error{
		"Reindex": reindexErr, "Index": indexErr, "Regroup": regroupErr, "Name": nameErr, "Merge": mergeErr, "Split": splitErr,
		"Undo": ro.Undo(ctx, id), "SetConsent": ro.SetConsent(ctx, yes), "withdrawing": ro.SetConsent(ctx, index.Consent{}),
	} {
		wantErr(t, what, err, index.ErrReadOnly)
		if err != nil && !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v does not name the file", what, err)
		}
	}
	same("after all was refused")

	// The reader follows the writer, in its searches too.
	merged(t, acc, anna, bert)
	same("after a merge")
	if ms := must1[[]index.Match](t)(ro.Search(ctx, portrait(2, 1), 3)); ms[0].Person != anna {
		t.Errorf("found %v", ms)
	}
	_, err := index.Open(ctx, path+" that is not there", index.Config{ReadOnly: true})
	if err == nil {
		t.Error("a file that is not there was opened for reading")
	}
}

// TestFullDisk indexes onto a disk that is too small. What was committed stays
// sound, and the run goes on where there is room.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	grow := smallDisk(t, dir)
	path := filepath.Join(dir, "a.kith")
	acc := openAt(t, path, withScenes(index.Config{Workers: 2}))
	must(t, acc.SetConsent(t.Context(), yes))
	src := crowd(3000, 40)
	rep, err := acc.Reindex(t.Context(), src, index.ReindexOptions{NoGroup: true})
	wantErr(t, "Reindex", err, index.ErrFull)
	if err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("%v does not name the file", err)
	}
	n := len(all(t, acc.Photos(t.Context(), index.PhotoQuery{Status: "ok"})))
	if n != rep.Indexed || n == 0 || n == 3000 {
		t.Errorf("%d photos are there, the report says %+v", n, rep)
	}
	mustCheck(t, acc)
	grow()
	if rep := reindex(t, acc, src, index.ReindexOptions{NoGroup: true}); rep.Unchanged != n || rep.Indexed != 3000-n {
		t.Errorf("%d were there, and then: %+v", n, rep)
	}
}

// An error of the disk in the middle of a run comes back to the caller, not to
// the photo that happened to be at work.
func TestStoreErrorIsNoPhotoError(t *testing.T) {
	eye := &analyzer{}
	path := filepath.Join(t.TempDir(), "a.kith")
	acc := openAt(t, path, withScenes(index.Config{Analyzer: eye}))
	must(t, acc.SetConsent(t.Context(), yes))
	reindex(t, acc, newFiles(map[string][]byte{"0.jpg": shot("0", 1)}), index.ReindexOptions{})
	ro := openAt(t, path, withScenes(index.Config{ReadOnly: true, Analyzer: eye}))
	eye.hook = func(_ context.Context, _ *scene, fs []face.Face) ([]face.Face, error) { return fs, nil }
	var failed failures
	rep, err := ro.Reindex(t.Context(), crowd(50, 3), index.ReindexOptions{Failed: failed.add})
	wantErr(t, "Reindex", err, index.ErrReadOnly)
	var pe *index.PhotoError
	if errors.As(err, &pe) || len(failed) != 0 || rep.Failed != 0 || rep.Indexed != 0 {
		t.Errorf("%v; failed %v; report %+v", err, []*index.PhotoError(failed), rep)
	}
}
