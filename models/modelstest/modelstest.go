// Package modelstest gives tests the real models, the demonstration photos and
// the measuring albums, or skips the test with one line that says what is absent.
//
// KITH_REQUIRE_MODELS=1 turns the skip over absent models and photos into a
// failure, for continuous integration.
package modelstest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kith-photos/kith/models"
	"github.com/kith-photos/kith/models/fetch"
)

// patience bounds one provisioning; the default set is about 130 MB as npm
// packages when nothing is cached.
const patience = 4 * time.Minute

// Each is provided once per process and shared by its tests.
var (
	defaultSet = sync.OnceValues(func() (models.Installation, error) { return provision("") })
	ultraFace  = sync.OnceValues(func() (models.Installation, error) { return provision("ultraface-rfb-320") })
	demoPhotos = sync.OnceValues(func() ([]string, error) {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		return fetch.Photos(ctx, fetch.FromEnv())
	})
)

// Require returns the default set with the best detector that can be had.
func Require(t testing.TB) models.Installation {
	t.Helper()
	inst, err := defaultSet()
	check(t, err)
	return inst
}

// RequireUltraFace returns the default set with UltraFace as the detector,
// which needs npm only.
func RequireUltraFace(t testing.TB) models.Installation {
	t.Helper()
	inst, err := ultraFace()
	check(t, err)
	return inst
}

// DemoPhotos returns the paths of the six demonstration photos.
func DemoPhotos(t testing.TB) []string {
	t.Helper()
	paths, err := demoPhotos()
	check(t, err)
	return paths
}

// Album returns a folder or file of the measuring albums: KITH_ALBUMS/name, or
// shared/albums/name beside the repository. They are photos of real people that
// are not part of the project, so the test is skipped where they are absent.
func Album(t testing.TB, name string) string {
	t.Helper()
	base := os.Getenv("KITH_ALBUMS")
	if base == "" {
		base = beside("albums")
	}
	path := filepath.Join(base, filepath.FromSlash(name))
	if _, err := os.Stat(path); base == "" || err != nil {
		t.Skipf("measuring album %q is absent; KITH_ALBUMS names the folder that holds it", name)
	}
	return path
}

func provision(detector string) (models.Installation, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	opt := fetch.FromEnv()
	opt.Detector = detector
	if dir := beside("models"); dir != "" {
		opt.Dirs = append(opt.Dirs, dir)
	}
	return fetch.Provision(ctx, opt)
}

// beside returns ../shared/name as seen from the repository that the test runs
// in, or "" if there is none.
func beside(name string) string {
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
	shared := filepath.Join(filepath.Dir(dir), "shared", name)
	if info, err := os.Stat(shared); err != nil || !info.IsDir() {
		return ""
	}
	return shared
}

// check skips the test if the files could not be had and fails it on anything
// else, such as a damaged file.
func check(t testing.TB, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if absent(err) && os.Getenv("KITH_REQUIRE_MODELS") != "1" {
		t.Skipf("the models are absent (KITH_REQUIRE_MODELS=1 makes this a failure): %s", oneLine(err))
	}
	t.Fatal(err)
}

// absent reports whether an error says no more than that files cannot be had here.
func absent(err error) bool {
	var failed *fetch.Error
	var missing *models.MissingError
	var platform *models.PlatformError
	return errors.As(err, &failed) || errors.As(err, &missing) || errors.As(err, &platform) ||
		errors.Is(err, context.DeadlineExceeded)
}

// oneLine is the beginning of an error's text: what is absent and the first reason.
func oneLine(err error) string {
	text := []rune(strings.Join(strings.Fields(err.Error()), " "))
	const enough = 400
	if len(text) > enough {
		text = append(text[:enough], '…')
	}
	return string(text)
}

// RequireDetector returns the default set with a detector of the manifest.
func RequireDetector(t testing.TB, id string) models.Installation {
	t.Helper()
	inst, err := provision(id)
	check(t, err)
	return inst
}
