package fetch

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kith-photos/kith/models"
)

// world is a manifest with a set, a site that has some of its files, a directory
// of the user's and a cache.
type world struct {
	site *site
	opt  Options
	dir  string
	have map[string]bool // what the site has
	now  time.Time
}

// newWorld makes a default set of two detectors, a landmarker, an embedder and
// a runtime that the site all has.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{dir: t.TempDir(), have: map[string]bool{}, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	w.site = newSite(t, func(_ int, rw http.ResponseWriter, r *http.Request) {
		id := strings.TrimPrefix(r.URL.Path, "/")
		if !w.have[id] {
			http.NotFound(rw, r)
			return
		}
		serve(rw, r, "content of "+id, `"1"`)
	})
	m := &models.Manifest{Version: 1, Sets: []models.Set{{
		ID: "default", Detectors: []string{"best", "plain"}, Landmarker: "points", Embedder: "vectors",
	}}}
	for id, task := range map[string]string{
		"best": models.TaskDetector, "plain": models.TaskDetector, "points": models.TaskLandmarker,
		"vectors": models.TaskEmbedder, "lib": models.TaskRuntime,
	} {
		a := artifact(id, "content of "+id, web(w.site.URL+"/"+id))
		if task == models.TaskRuntime {
			a = runtimeLib(a)
		} else {
			a = network(a, task)
		}
		m.Artifacts = append(m.Artifacts, a)
		w.have[id] = true
	}
	w.opt = w.site.options(t, m)
	w.opt.Dirs = []string{w.dir}
	w.opt.Now = func() time.Time { return w.now }
	return w
}

// place puts files into the user's directory.
func (w *world) place(t *testing.T, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if err := os.WriteFile(filepath.Join(w.dir, id+".bin"), []byte("content of "+id), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// provision runs and checks which detector it ended with and how many requests
// it made.
func (w *world) provision(t *testing.T, detector string, requests int) {
	t.Helper()
	before := w.site.count()
	inst, err := Provision(t.Context(), w.opt)
	if err != nil {
		t.Fatal(err)
	}
	if got := w.site.count() - before; inst.Detector.ID != detector || got != requests {
		t.Errorf("detector %s after %d requests, want %s after %d", inst.Detector.ID, got, detector, requests)
	}
}

func TestProvisionFetchesASet(t *testing.T) {
	w := newWorld(t)
	w.provision(t, "best", 4)
	wantOnly(t, w.opt.Cache, "best/best.bin", "lib/lib.bin", "points/points.bin", "vectors/vectors.bin")
	w.provision(t, "best", 0)
}

func TestProvisionUsesWhatIsThere(t *testing.T) {
	w := newWorld(t)
	w.place(t, "plain", "points", "vectors", "lib")
	w.provision(t, "plain", 0)
	if _, err := os.Stat(w.opt.Cache); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the cache was made for nothing: %v", err)
	}
	w.opt.Detector = "best"
	w.provision(t, "best", 1)
}

// Who put a lesser detector there is not given another one along with the rest.
func TestProvisionFetchesOnlyTheRest(t *testing.T) {
	w := newWorld(t)
	w.place(t, "plain", "points")
	w.provision(t, "plain", 2)
	wantOnly(t, w.opt.Cache, "lib/lib.bin", "vectors/vectors.bin")
}

func TestDetectorFallsBackAndIsTriedAgain(t *testing.T) {
	w := newWorld(t)
	w.have["best"] = false
	w.provision(t, "plain", 5)
	marker := filepath.Join(w.opt.Cache, "best.failed")
	if _, err := os.Stat(marker); err != nil {
		t.Fatal(err)
	}
	w.have["best"] = true
	w.now = w.now.Add(retryAfter - time.Second)
	w.provision(t, "plain", 0)

	w.have["best"] = false
	w.now = w.now.Add(2 * time.Second)
	w.provision(t, "plain", 1) // fails again, and the wait begins anew
	w.provision(t, "plain", 0)

	w.have["best"] = true
	w.now = w.now.Add(retryAfter)
	w.provision(t, "best", 1)
	if _, err := os.Stat(marker); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the marker is still there: %v", err)
	}
}

// A cache that cannot be locked any more is no reason to fail over an upgrade.
func TestUpgradeNeedsNoCache(t *testing.T) {
	w := newWorld(t)
	w.have["best"] = false
	w.provision(t, "plain", 5)
	lock := filepath.Join(w.opt.Cache, ".lock")
	if err := errors.Join(os.Remove(lock), os.Mkdir(lock, 0o755)); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(2 * retryAfter)
	w.provision(t, "plain", 0)
	if err := os.RemoveAll(filepath.Join(w.opt.Cache, "lib")); err != nil {
		t.Fatal(err)
	}
	if _, err := Provision(t.Context(), w.opt); err == nil || !strings.Contains(err.Error(), lock) {
		t.Errorf("got %v, want the lock's error: something is missing", err)
	}
}

func TestMarkedDetectorIsTheLastResort(t *testing.T) {
	w := newWorld(t)
	w.have["best"] = false
	w.provision(t, "plain", 5)
	if err := os.RemoveAll(filepath.Join(w.opt.Cache, "plain")); err != nil {
		t.Fatal(err)
	}
	w.have["best"], w.have["plain"] = true, false
	w.provision(t, "best", 2)
}

func TestNoDetectorCanBeHad(t *testing.T) {
	w := newWorld(t)
	w.have["best"], w.have["plain"] = false, false
	_, err := Provision(t.Context(), w.opt)
	var failed *Error
	if !errors.As(err, &failed) || len(failed.Failures) != 2 || failed.Set != "default" {
		t.Fatalf("got %v, want both detectors", err)
	}
	wantOnly(t, w.opt.Cache, "best.failed", "lib/lib.bin", "points/points.bin", "vectors/vectors.bin")
}

func TestNamedDetectorIsMandatory(t *testing.T) {
	w := newWorld(t)
	w.place(t, "plain", "points", "vectors", "lib")
	w.have["best"] = false
	w.opt.Detector = "best"
	_, err := Provision(t.Context(), w.opt)
	var failed *Error
	if !errors.As(err, &failed) || len(failed.Failures) != 1 || failed.Failures[0].Artifact.ID != "best" {
		t.Errorf("got %v, want the failure of best", err)
	}
}

func TestEveryFailingSourceIsListed(t *testing.T) {
	w := newWorld(t)
	t.Setenv("PATH", t.TempDir()) // no npm
	for i, a := range w.opt.Manifest.Artifacts {
		if a.ID == "vectors" || a.ID == "lib" {
			w.opt.Manifest.Artifacts[i].Sources = append(a.Sources, npmSource("x"))
			w.have[a.ID] = false
		}
	}
	_, err := Provision(t.Context(), w.opt)
	if !errors.Is(err, ErrNoNPM) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{
		w.site.URL + "/vectors: status 404", w.site.URL + "/lib: status 404", "@scope/pack@1.0.0, file x: npm was not found",
		"-models opencv", "KITH_MODELS", "KITH_ORT_LIB",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the text lacks %q:\n%v", want, err)
		}
	}
}

func TestOffline(t *testing.T) {
	w := newWorld(t)
	calls := falseNPM(t, "fail", nil)
	w.opt.Offline = true
	w.place(t, "plain", "points", "vectors")
	var missing *models.MissingError
	if _, err := Provision(t.Context(), w.opt); !errors.As(err, &missing) || len(missing.Artifacts) != 1 {
		t.Errorf("got %v, want the runtime as missing", err)
	}
	photo := w.opt
	photo.Manifest = album(artifact("a", "a", npmSource("a"), web(w.site.URL+"/a")))
	if _, err := Photos(t.Context(), photo); !errors.As(err, &missing) {
		t.Errorf("got %v, want a MissingError", err)
	}
	w.place(t, "lib")
	w.provision(t, "plain", 0)
	if w.site.count() != 0 || calls() != 0 {
		t.Errorf("%d requests and %d npm calls", w.site.count(), calls())
	}
	if _, err := os.Stat(w.opt.Cache); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the cache was made: %v", err)
	}
}

func TestDamagedFileOfTheUserIsRefused(t *testing.T) {
	w := newWorld(t)
	w.place(t, "vectors")
	path := filepath.Join(w.dir, "vectors.bin")
	if err := os.WriteFile(path, []byte("Content of vectors"), 0o644); err != nil {
		t.Fatal(err)
	}
	var bad *models.ChecksumError
	if _, err := Provision(t.Context(), w.opt); !errors.As(err, &bad) || bad.Path != path {
		t.Errorf("got %v, want a ChecksumError for %s", err, path)
	}
	if w.site.count() != 0 {
		t.Errorf("%d requests were made", w.site.count())
	}
	wantFile(t, path, "Content of vectors")
}

// A damaged file in the cache does not hide one of the user's.
func TestDamagedFileOfTheUserBesideTheCache(t *testing.T) {
	w := newWorld(t)
	w.provision(t, "best", 4)
	for _, path := range []string{filepath.Join(w.opt.Cache, "vectors", "vectors.bin"), filepath.Join(w.dir, "lib.bin")} {
		if err := os.WriteFile(path, []byte("damaged"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var bad *models.ChecksumError
	if _, err := Provision(t.Context(), w.opt); !errors.As(err, &bad) || bad.Artifact != "lib" {
		t.Errorf("got %v, want a ChecksumError about lib", err)
	}
	if n := w.site.count(); n != 4 {
		t.Errorf("%d requests were made before the refusal", n-4)
	}
}

func TestMarker(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	a := artifact("a", "a")
	p, err := newProvisioner(Options{Cache: t.TempDir(), Manifest: album(), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	if got := p.marker(a); got != markerNone {
		t.Errorf("without a file: %v", got)
	}
	for text, want := range map[string]markerState{
		now.Format(time.RFC3339):                                     markerFresh,
		now.Add(-retryAfter+time.Second).Format(time.RFC3339) + "\n": markerFresh,
		now.Add(-retryAfter).Format(time.RFC3339):                    markerExpired,
		now.Add(time.Hour).Format(time.RFC3339):                      markerExpired,
		"yesterday":                                                  markerExpired,
		"":                                                           markerExpired,
	} {
		if err := os.WriteFile(p.markerPath(a), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := p.marker(a); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func wantFile(t *testing.T, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s holds %q, %v; want %q", path, got, err, want)
	}
}

func TestDamagedSetInTheCacheIsMended(t *testing.T) {
	w := newWorld(t)
	// The cache among the user's directories is still the cache.
	t.Chdir(filepath.Dir(w.opt.Cache))
	w.opt.Dirs = append(w.opt.Dirs, filepath.Base(w.opt.Cache))
	w.provision(t, "best", 4)
	path := filepath.Join(w.opt.Cache, "vectors", "vectors.bin")
	if err := os.WriteFile(path, []byte("Content of vectors"), 0o644); err != nil {
		t.Fatal(err)
	}
	w.provision(t, "best", 1)
	wantContent(t, path, "content of vectors")
}

func TestNamedRuntimeIsNotFetched(t *testing.T) {
	w := newWorld(t)
	w.opt.Runtime = filepath.Join(w.dir, "own.so")
	if _, err := Provision(t.Context(), w.opt); !errors.Is(err, fs.ErrNotExist) || w.site.count() != 0 {
		t.Errorf("got %v after %d requests, want fs.ErrNotExist at once", err, w.site.count())
	}
	if err := os.WriteFile(w.opt.Runtime, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	w.provision(t, "best", 3)
}

func TestFromEnv(t *testing.T) {
	t.Setenv("KITH_MODELS", "a")
	t.Setenv("KITH_ORT_LIB", "lib.so")
	for value, offline := range map[string]bool{"": false, "0": false, "false": false, "1": true, "yes": true} {
		t.Setenv("KITH_OFFLINE", value)
		opt := FromEnv()
		if opt.Offline != offline || !slices.Equal(opt.Dirs, []string{"a"}) || opt.Runtime != "lib.so" {
			t.Errorf("KITH_OFFLINE=%q: %+v", value, opt)
		}
	}
	t.Setenv("KITH_CACHE", "c")
	p, err := newProvisioner(Options{})
	if err != nil || filepath.Base(p.cache) != "c" {
		t.Errorf("cache %v, %v", p, err)
	}
}
