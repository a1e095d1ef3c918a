package modelstest

import (
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/kith-photos/kith/models"
	"github.com/kith-photos/kith/models/fetch"
)

// The default set, from npm and whatever lies beside the repository: the one
// test that goes the real way.
func TestDefaultSet(t *testing.T) {
	inst := Require(t)
	for _, m := range []models.Model{inst.Detector, *inst.Landmarker, inst.Embedder} {
		if err := models.Verify(m.Artifact, m.Path); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(inst.Runtime); err != nil {
		t.Error(err)
	}
	if ultra := RequireUltraFace(t); ultra.Detector.ID != "ultraface-rfb-320" || ultra.Embedder.ID != inst.Embedder.ID {
		t.Errorf("detector %s, embedder %s", ultra.Detector.ID, ultra.Embedder.ID)
	}
}

func TestDemoPhotos(t *testing.T) {
	paths := DemoPhotos(t)
	if len(paths) != 6 {
		t.Errorf("%d photos, want 6", len(paths))
	}
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := jpeg.DecodeConfig(f); err != nil || c.Width < 300 || c.Height < 300 {
			t.Errorf("%s: %dx%d, %v", path, c.Width, c.Height, err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

// recorder notes how a test was ended and, like testing, ends its goroutine.
type recorder struct {
	testing.TB
	ended, text string
}

func (r *recorder) Helper()                     {}
func (r *recorder) Fatal(args ...any)           { r.end("fatal", fmt.Sprint(args...)) }
func (r *recorder) Skipf(form string, a ...any) { r.end("skip", fmt.Sprintf(form, a...)) }

func (r *recorder) end(how, text string) {
	r.ended, r.text = how, text
	runtime.Goexit()
}

// record runs f as a test of its own.
func record(f func(t testing.TB)) *recorder {
	r := &recorder{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(r)
	}()
	<-done
	return r
}

func TestAbsentModelsSkip(t *testing.T) {
	failed := &fetch.Error{Set: "default", Failures: []fetch.Failure{{Artifact: models.Artifact{ID: "x"}}}}
	for _, c := range []struct {
		err     error
		require string
		want    string
	}{
		{nil, "", ""},
		{failed, "", "skip"},
		{&models.MissingError{}, "", "skip"},
		{&models.PlatformError{}, "", "skip"},
		{fmt.Errorf("fetch: %w", context.DeadlineExceeded), "", "skip"},
		{failed, "1", "fatal"},
		{&models.ChecksumError{}, "", "fatal"},
		{errors.New("disk full"), "", "fatal"},
	} {
		t.Setenv("KITH_REQUIRE_MODELS", c.require)
		r := record(func(t testing.TB) { check(t, c.err) })
		if r.ended != c.want {
			t.Errorf("%v with KITH_REQUIRE_MODELS=%q: %q, want %q", c.err, c.require, r.ended, c.want)
		}
		if r.ended == "skip" && strings.Contains(r.text, "\n") {
			t.Errorf("the skip has more than one line: %q", r.text)
		}
	}
}

func TestAlbum(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(dir+"/here", 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KITH_ALBUMS", dir)
	var path string
	if r := record(func(t testing.TB) { path = Album(t, "here") }); r.ended != "" || !strings.HasPrefix(path, dir) {
		t.Errorf("%q, ended %q", path, r.ended)
	}
	if r := record(func(t testing.TB) { Album(t, "not-here") }); r.ended != "skip" || !strings.Contains(r.text, "KITH_ALBUMS") {
		t.Errorf("ended %q: %s", r.ended, r.text)
	}
}
