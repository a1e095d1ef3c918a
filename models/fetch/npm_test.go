package fetch

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"github.com/kith-photos/kith/models"
)

// entry is one entry of a false package.
type entry struct {
	name, content string
	kind          byte   // 0 = a regular file
	link          string // target
}

func tarOf(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var buf bytes.Buffer
	tw := tar.NewWriter(&buf)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Typeflag: e.kind, Linkname: e.link, Mode: 0o777, Size: int64(len(e.content))}
		if e.kind == 0 {
			h.Typeflag = tar.TypeReg
		}
		if err := tw.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := tw.Write([]byte(e.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func packageOf(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var buf bytes.Buffer
	zw := gzip.NewWriter(&buf)
	if _, err := zw.Write(tarOf(t, entries...)); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func npmOptions(t *testing.T, photos ...models.Artifact) Options {
	return Options{Manifest: album(photos...), Cache: filepath.Join(t.TempDir(), "cache")}
}

func TestNPMOnePackageServesAll(t *testing.T) {
	calls := falseNPM(t, "ok", packageOf(t,
		entry{name: "package/", kind: tar.TypeDir},
		entry{name: "package/package.json", content: "{}"},
		entry{name: "package/bin/b", content: "content of b"},
		entry{name: "package/a", content: "content of a"},
		entry{name: "package/unwanted", content: "x"},
	))
	opt := npmOptions(t,
		artifact("a", "content of a", npmSource("a")),
		artifact("b", "content of b", npmSource("bin/b")))
	var done []string
	opt.Progress = func(e Event) {
		if e.Stage == StageDone {
			done = append(done, e.Artifact)
		}
	}
	paths, err := Photos(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	wantContent(t, paths[0], "content of a")
	wantContent(t, paths[1], "content of b")
	wantOnly(t, opt.Cache, "photos/a.bin", "photos/b.bin")
	if n := calls(); n != 1 || strings.Join(done, " ") != "b a" {
		t.Errorf("npm ran %d times, done %q", n, done)
	}
	if _, err := Photos(t.Context(), opt); err != nil || calls() != 1 {
		t.Errorf("the second call: %v, npm ran %d times", err, calls())
	}
}

func TestNPMRefuses(t *testing.T) {
	good := entry{name: "package/a", content: "content of a"}
	whole := packageOf(t, entry{name: "package/first", content: body("x")}, good)
	for name, c := range map[string]struct {
		behaviour string
		tarball   []byte
		want      string
	}{
		"path that leads out":   {"ok", packageOf(t, entry{name: "package/../../a", content: "x"}, good), "odd path"},
		"absolute path":         {"ok", packageOf(t, entry{name: "/etc/a", content: "x"}, good), "odd path"},
		"path with a backslash": {"ok", packageOf(t, entry{name: `package\..\a`, content: "x"}, good), "odd path"},
		"symbolic link":         {"ok", packageOf(t, entry{name: "package/a", kind: tar.TypeSymlink, link: "/etc/passwd"}), "has type"},
		"hard link":             {"ok", packageOf(t, entry{name: "package/a", kind: tar.TypeLink, link: "package/b"}), "has type"},
		"device":                {"ok", packageOf(t, entry{name: "package/a", kind: tar.TypeFifo}), "has type"},
		"larger member":         {"ok", packageOf(t, entry{name: "package/a", content: body("x")}), "bytes, want 12"},
		"smaller member":        {"ok", packageOf(t, entry{name: "package/a", content: "x"}), "bytes, want 12"},
		"other content":         {"ok", packageOf(t, entry{name: "package/a", content: "Content of a"}), "is not a:"},
		"directory in its name": {"ok", packageOf(t, entry{name: "package/a", kind: tar.TypeDir}), "not in the package"},
		"no such member":        {"ok", packageOf(t, entry{name: "package/b", content: "x"}), "not in the package"},
		"cut off":               {"ok", whole[:len(whole)-40], "unexpected EOF"},
		"not gzip":              {"ok", tarOf(t, good), "gzip"},
		"npm fails":             {"fail", nil, "npm error 404 no such package"},
		"npm leaves nothing":    {"nothing", nil, "left 0 packages"},
	} {
		t.Run(name, func(t *testing.T) {
			calls := falseNPM(t, c.behaviour, c.tarball)
			opt := npmOptions(t, artifact("a", "content of a", npmSource("a")), artifact("z", "z", npmSource("z")))
			_, err := Photos(t.Context(), opt)
			var failed *Error
			if !errors.As(err, &failed) || len(failed.Failures) != 2 {
				t.Fatalf("got %v, want an *Error about a and z", err)
			}
			if first := failed.Failures[0].Attempts[0].Err; !strings.Contains(first.Error(), c.want) {
				t.Errorf("the text lacks %q: %v", c.want, first)
			}
			wantOnly(t, opt.Cache)
			if n := calls(); n != 1 {
				t.Errorf("npm ran %d times for one package", n)
			}
		})
	}
}

// A member that is fine is kept when another one of the package is not.
func TestNPMKeepsTheGoodMember(t *testing.T) {
	falseNPM(t, "ok", packageOf(t,
		entry{name: "package/a", content: "content of a"}, entry{name: "package/b", content: "wrong"}))
	opt := npmOptions(t,
		artifact("a", "content of a", npmSource("a")), artifact("b", "right", npmSource("b")))
	_, err := Photos(t.Context(), opt)
	var bad *models.ChecksumError
	if !errors.As(err, &bad) || bad.Artifact != "b" {
		t.Fatalf("got %v, want a ChecksumError about b", err)
	}
	wantOnly(t, opt.Cache, "photos/a.bin")
}

// A file that came along with another one's package is not fetched again.
func TestNPMBringsWhatHasOtherSourcesToo(t *testing.T) {
	falseNPM(t, "ok", packageOf(t,
		entry{name: "package/a", content: "content of a"}, entry{name: "package/b", content: "content of b"}))
	s := newSite(t, func(_ int, w http.ResponseWriter, r *http.Request) { serve(w, r, "content of b", `"1"`) })
	opt := s.options(t, album(
		artifact("a", "content of a", npmSource("a")),
		artifact("b", "content of b", web(s.URL+"/b"), npmSource("b"))))
	if _, err := Photos(t.Context(), opt); err != nil {
		t.Fatal(err)
	}
	wantOnly(t, opt.Cache, "photos/a.bin", "photos/b.bin")
	if s.count() != 0 {
		t.Errorf("%d requests for a file that was there", s.count())
	}
}

// The names of photos are common: a user's own file of that name is no obstacle.
func TestPhotosAreOfTheCacheOnly(t *testing.T) {
	falseNPM(t, "ok", packageOf(t, entry{name: "package/a", content: "content of a"}))
	opt := npmOptions(t, artifact("a", "content of a", npmSource("a")))
	opt.Dirs = []string{t.TempDir()}
	if err := os.WriteFile(filepath.Join(opt.Dirs[0], "a.bin"), []byte("a photo of mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	path, err := onlyPhoto(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	wantContent(t, path, "content of a")
}

func TestNPMAbsent(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Photos(t.Context(), npmOptions(t, artifact("a", "x", npmSource("a"))))
	if !errors.Is(err, ErrNoNPM) || !strings.Contains(err.Error(), "KITH_MODELS") {
		t.Errorf("got %v, want ErrNoNPM with advice", err)
	}
}

func TestNPMInterrupted(t *testing.T) {
	falseNPM(t, "hang", nil)
	lock := filepath.Join(t.TempDir(), "lock")
	t.Setenv("KITH_TEST_HANG_LOCK", lock)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { // ends with the test's context at the latest
		for ctx.Err() == nil {
			if _, err := os.Stat(lock + ".held"); err == nil {
				cancel()
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	opt := npmOptions(t, artifact("a", "x", npmSource("a")))
	began := time.Now()
	if _, err := Photos(ctx, opt); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want context.Canceled", err)
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %v to end", took)
	}
	wantOnly(t, opt.Cache)
	// The process that npm started holds the lock as long as it lives.
	waiting, stop := context.WithTimeout(t.Context(), 5*time.Second)
	defer stop()
	if _, err := os.Stat(lock + ".held"); err != nil {
		t.Fatal(err)
	}
	if ok, err := flock.New(lock).TryLockContext(waiting, 10*time.Millisecond); !ok {
		t.Errorf("a process that npm started still runs: %v", err)
	}
}

func TestNPMTimeout(t *testing.T) {
	falseNPM(t, "hang", nil)
	t.Setenv("KITH_TEST_HANG_LOCK", filepath.Join(t.TempDir(), "lock"))
	opt := npmOptions(t, artifact("a", "x", npmSource("a")))
	opt.Timeouts.NPM = 300 * time.Millisecond
	_, err := Photos(t.Context(), opt)
	var failed *Error
	if !errors.As(err, &failed) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want an *Error over the deadline", err)
	}
}

// A directory that a killed process left is removed by the next call that fetches.
func TestNPMStaleDirectory(t *testing.T) {
	falseNPM(t, "ok", packageOf(t, entry{name: "package/a", content: "x"}))
	opt := npmOptions(t, artifact("a", "x", npmSource("a")))
	stale := filepath.Join(opt.Cache, tempPrefix+"123")
	if err := os.MkdirAll(stale, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(stale, "half.tgz"), []byte("half"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Photos(t.Context(), opt); err != nil {
		t.Fatal(err)
	}
	wantOnly(t, opt.Cache, "photos/a.bin")
}

// Whatever the archive is, only verified files of the manifest appear, and only
// in their places.
func FuzzExtract(f *testing.F) {
	f.Add(tarOf(f, entry{name: "package/a", content: "content of a"}))
	f.Add(tarOf(f, entry{name: "package/../a", content: "content of a"}))
	f.Add(tarOf(f, entry{name: "package/a", kind: tar.TypeSymlink, link: "x"}, entry{name: "p/b", content: "content of b"}))
	a := artifact("a", "content of a", npmSource("a"))
	b := artifact("b", "content of b", npmSource("b"))
	f.Fuzz(func(t *testing.T, data []byte) {
		root := t.TempDir()
		opt := Options{Manifest: album(a, b), Cache: filepath.Join(root, "cache")}
		p, err := newProvisioner(opt)
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(p.cache, tempPrefix)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		x := &extraction{p: p, dir: dir, members: map[string]member{}, result: map[string]error{}}
		for _, m := range []models.Artifact{a, b} {
			x.members[m.Sources[0].Path] = member{m, m.Sources[0]}
			x.result[m.ID] = errors.New("absent")
		}
		_ = x.read(t.Context(), tar.NewReader(bytes.NewReader(data)))
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, m := range []models.Artifact{a, b} {
			if x.result[m.ID] != nil {
				continue
			}
			want = append(want, "cache/photos/"+m.File)
			if err := models.Verify(m, p.path(m)); err != nil {
				t.Error(err)
			}
		}
		wantOnly(t, root, want...)
	})
}
