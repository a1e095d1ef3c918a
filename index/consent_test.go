package index_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/index"
)

// sealed is a source that fails the test when anything in it is touched.
func sealed(t *testing.T) *files {
	src := family()
	src.open = func(name string) error {
		t.Errorf("%s was opened", name)
		return os.ErrPermission
	}
	return src
}

func TestNoConsent(t *testing.T) {
	eye := &analyzer{}
	acc := openAt(t, filepath.Join(t.TempDir(), "a.kith"), withScenes(index.Config{Analyzer: eye}))
	refused := func(when string) {
		t.Helper()
		_, err := acc.Reindex(t.Context(), sealed(t), index.ReindexOptions{})
		wantErr(t, when+": Reindex", err, index.ErrNoConsent)
		_, err = acc.Index(t.Context(), sealed(t), "a/1.jpg")
		wantErr(t, when+": Index", err, index.ErrNoConsent)
		_, err = acc.Regroup(t.Context())
		wantErr(t, when+": Regroup", err, index.ErrNoConsent)
		_, err = acc.Search(t.Context(), portrait(1, 1), 3)
		wantErr(t, when+": Search", err, index.ErrNoConsent)
		img := must1[*scene](t)(decoded(shot("probe", 1)))
		_, err = acc.SearchImage(t.Context(), img, 3)
		wantErr(t, when+": SearchImage", err, index.ErrNoConsent)
	}
	if c := must1[index.Consent](t)(acc.Consent(t.Context())); c != (index.Consent{}) {
		t.Errorf("a new account says %+v", c)
	}
	refused("never asked")
	must(t, acc.SetConsent(t.Context(), index.Consent{By: "anna"}))
	refused("refused")
	if n := eye.calls.Load(); n != 0 {
		t.Errorf("the analyzer was called %d times", n)
	}
	// What needs no consent works.
	wantReport(t, reindex(t, acc, family(), index.ReindexOptions{NoFaces: true}), "seen 6, indexed 6, ignored 1")
	if eye.calls.Load() != 0 || len(all(t, acc.Faces(t.Context(), index.FaceQuery{}))) != 0 {
		t.Error("faces were looked for")
	}
}

func decoded(data []byte) (*scene, error) {
	img, err := sceneDecoder{}.Decode(context.Background(), data, 0)
	if err != nil {
		return nil, err
	}
	return img.(*scene), nil
}

func TestNoAnalyzer(t *testing.T) {
	acc := openAt(t, filepath.Join(t.TempDir(), "a.kith"), index.Config{})
	must(t, acc.SetConsent(t.Context(), yes))
	_, err := acc.Reindex(t.Context(), sealed(t), index.ReindexOptions{})
	wantErr(t, "Reindex", err, index.ErrNoAnalyzer)
	_, err = acc.Index(t.Context(), sealed(t), "a/1.jpg")
	wantErr(t, "Index", err, index.ErrNoAnalyzer)
	_, err = acc.SearchImage(t.Context(), must1[*scene](t)(decoded(shot("probe", 1))), 3)
	wantErr(t, "SearchImage", err, index.ErrNoAnalyzer)
	// Nothing to group or to find is no error.
	must1[index.Report](t)(acc.Regroup(t.Context()))
	if ms, err := acc.Search(t.Context(), portrait(1, 1), 3); len(ms) != 0 || err != nil {
		t.Errorf("Search: %v, %v", ms, err)
	}
}

// An account is browsed, named, searched and regrouped without any model.
func TestWithoutModel(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.kith")
	acc := openAt(t, path, withScenes(index.Config{}))
	must(t, acc.SetConsent(t.Context(), yes))
	reindex(t, acc, family(), index.ReindexOptions{})
	anna := personOf(t, acc, "a/1.jpg", 0)
	closeChecked(t, acc)

	acc = openAt(t, path, index.Config{})
	must1[index.DecisionID](t)(acc.Name(t.Context(), anna, "Anna"))
	must1[index.Report](t)(acc.Regroup(t.Context()))
	wantPartition(t, acc, append([]string{"Anna " + familyPeople[0]}, familyPeople[1:]...)...)
	if ms := must1[[]index.Match](t)(acc.Search(t.Context(), portrait(1, 77), 3)); len(ms) != 3 || ms[2].Person != anna {
		t.Errorf("found %+v", ms)
	}
}

func TestWithdraw(t *testing.T) {
	dir := t.TempDir()
	acc := openAt(t, filepath.Join(dir, "a.kith"), withScenes(index.Config{Now: func() time.Time { return start }}))
	must(t, acc.SetConsent(t.Context(), yes))
	src := family()
	reindex(t, acc, src, index.ReindexOptions{})
	who := personOf(t, acc, "a/1.jpg", 0)
	name := "Aurelia Featherstonehaugh"
	must1[index.DecisionID](t)(acc.Name(t.Context(), who, name))
	must1[[]index.Match](t)(acc.Search(t.Context(), portrait(1, 1), 3))
	probe := portrait(1, 1) // of a face as the account has it

	must(t, acc.SetConsent(t.Context(), index.Consent{By: "anna", Version: "1", Means: "test"}))
	if c := must1[index.Consent](t)(acc.Consent(t.Context())); c.Given || !c.At.Equal(start) || c.By != "anna" {
		t.Errorf("the record is %+v", c)
	}
	w := worldOf(t, acc)
	if len(w.faces)+len(w.names) != 0 || len(w.photos) != 6 {
		t.Errorf("left: %+v", w)
	}
	if ds := all(t, acc.Decisions(t.Context())); len(ds) != 0 {
		t.Errorf("left: %+v", ds)
	}
	_, err := acc.Search(t.Context(), probe, 3)
	wantErr(t, "Search", err, index.ErrNoConsent)
	_, err = acc.Name(t.Context(), who, "Anna")
	wantErr(t, "Name", err, index.ErrNotFound)
	for _, e := range must1[[]os.DirEntry](t)(os.ReadDir(dir)) {
		if bytes.Contains(must1[[]byte](t)(os.ReadFile(filepath.Join(dir, e.Name()))), []byte(name)) {
			t.Errorf("%s still holds the name", e.Name())
		}
	}
	var out bytes.Buffer
	must(t, acc.Export(t.Context(), &out, index.ExportOptions{Embeddings: true}))
	if bytes.Contains(out.Bytes(), []byte(name)) || bytes.Contains(out.Bytes(), []byte(`"embedding"`)) {
		t.Error("the export still holds what was erased")
	}

	// Given again: everything is found anew, and the old search result is not.
	must(t, acc.SetConsent(t.Context(), yes))
	if ms := must1[[]index.Match](t)(acc.Search(t.Context(), probe, 3)); len(ms) != 0 {
		t.Errorf("found %+v in an account without faces", ms)
	}
	wantReport(t, reindex(t, acc, src, index.ReindexOptions{}), "seen 6, indexed 6, ignored 1, faces 9")
	wantPartition(t, acc, familyPeople...)
}

// blocking is an analyzer that waits in the middle of a photo.
func blocking() (eye *analyzer, reached, release chan struct{}) {
	reached, release = make(chan struct{}, 100), make(chan struct{})
	eye = &analyzer{hook: func(ctx context.Context, _ *scene, fs []face.Face) ([]face.Face, error) {
		reached <- struct{}{}
		select {
		case <-release:
			return fs, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}
	return eye, reached, release
}

func TestWithdrawDuringReindex(t *testing.T) {
	eye, reached, release := blocking()
	acc := newAccount(t, index.Config{Analyzer: eye})
	done := make(chan error, 1)
	go func() {
		_, err := acc.Reindex(context.Background(), family(), index.ReindexOptions{})
		done <- err
	}()
	<-reached
	_, err := acc.Reindex(t.Context(), family(), index.ReindexOptions{})
	wantErr(t, "a second Reindex", err, index.ErrBusy)
	must(t, acc.SetConsent(t.Context(), index.Consent{}))
	wantErr(t, "the Reindex that ran", <-done, index.ErrNoConsent)
	if n := len(worldOf(t, acc).faces); n != 0 {
		t.Errorf("%d faces are left", n)
	}
	close(release)
}

// A photo that is being looked at when consent is withdrawn must not bring
// its faces in afterwards.
func TestWithdrawDuringIndex(t *testing.T) {
	eye, reached, release := blocking()
	acc := newAccount(t, index.Config{Analyzer: eye})
	done := make(chan error, 1)
	go func() {
		_, err := acc.Index(context.Background(), family(), "a/1.jpg")
		done <- err
	}()
	<-reached
	err := acc.SetConsent(t.Context(), index.Consent{})
	close(release)
	indexed := <-done
	switch {
	case err == nil:
		wantErr(t, "Index", indexed, index.ErrNoConsent)
		if fs := all(t, acc.Faces(t.Context(), index.FaceQuery{})); len(fs) != 0 {
			t.Errorf("%d faces came in after consent was withdrawn", len(fs))
		}
	case errors.Is(err, index.ErrBusy): // it may also refuse to withdraw
		must(t, indexed)
	default:
		t.Error(err)
	}
}

// A listing keeps the erased bytes in the log; that is said, and withdrawing
// again takes it up.
func TestWithdrawDuringListing(t *testing.T) {
	if testing.Short() {
		t.Skip("takes the five seconds that an erasure waits for a reader")
	}
	acc := newAccount(t, index.Config{})
	reindex(t, acc, family(), index.ReindexOptions{})
	for _, err := range acc.Photos(t.Context(), index.PhotoQuery{}) {
		must(t, err)
		wantErr(t, "withdraw", acc.SetConsent(t.Context(), index.Consent{}), index.ErrBusy)
		break
	}
	if n := len(worldOf(t, acc).faces); n != 0 {
		t.Errorf("%d faces are left", n)
	}
	must(t, acc.SetConsent(t.Context(), index.Consent{}))
	must(t, acc.Export(t.Context(), io.Discard, index.ExportOptions{}))
}
