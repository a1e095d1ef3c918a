package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"github.com/kith-photos/kith/models"
)

// The test binary plays two other programs: npm, and a second process that
// shares the cache.
func TestMain(m *testing.M) {
	switch {
	case os.Getenv("KITH_TEST_CHILD") != "":
		os.Exit(childMain())
	case os.Getenv("KITH_TEST_NPM_LOCK") != "":
		os.Exit(holdLock())
	case os.Getenv("KITH_TEST_NPM") != "":
		os.Exit(npmMain(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// artifact is a photo with the given content; makers of other tasks start from it.
func artifact(id, content string, sources ...models.Source) models.Artifact {
	sum := sha256.Sum256([]byte(content))
	return models.Artifact{
		ID: id, Task: models.TaskPhoto, File: id + ".bin", Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:]),
		License: models.License{SPDX: "MIT", Name: "MIT License", Commercial: true}, Sources: sources,
	}
}

func network(a models.Artifact, task string) models.Artifact {
	a.Task, a.Kind, a.Outputs = task, "any", []string{"o"}
	a.Input = &models.Input{Name: "i", Color: "RGB", Scale: 1, Layout: "NCHW"}
	if task == models.TaskEmbedder {
		a.Dim, a.Align = 4, "arcface-112"
	}
	return a
}

func runtimeLib(a models.Artifact) models.Artifact {
	a.Task, a.Platform = models.TaskRuntime, runtime.GOOS+"/"+runtime.GOARCH
	return a
}

func web(url string) models.Source { return models.Source{Type: models.SourceHTTPS, URL: url} }

func npmSource(path string) models.Source {
	return models.Source{Type: models.SourceNPM, Package: "@scope/pack", Version: "1.0.0", Path: path}
}

// album is a manifest of photos only: enough for the ways of fetching.
func album(photos ...models.Artifact) *models.Manifest {
	return &models.Manifest{Version: 1, Artifacts: photos}
}

// body is content that is long enough to be cut into pieces.
func body(seed string) string { return strings.Repeat(seed+" 0123456789abcdef\n", 20_000) }

// onlyPhoto fetches a one-photo album and returns the photo's path.
func onlyPhoto(ctx context.Context, opt Options) (string, error) {
	paths, err := Photos(ctx, opt)
	if err != nil {
		return "", err
	}
	return paths[0], nil
}

func wantContent(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Fatalf("%s holds %d bytes that are not the %d expected ones", path, len(got), len(want))
	}
	if info, err := os.Stat(path); runtime.GOOS != "windows" && (err != nil || info.Mode().Perm() != 0o644) {
		t.Errorf("%s has mode %v, %v; want 0644", path, info.Mode(), err)
	}
}

// wantOnly fails if the cache holds other files than these, the lock aside.
func wantOnly(t *testing.T, cache string, want ...string) {
	t.Helper()
	var got []string
	err := filepath.WalkDir(cache, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != ".lock" {
			rel, _ := filepath.Rel(cache, path)
			got = append(got, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("the cache holds %q, want %q", got, want)
	}
}

// child is what a second process is told.
type child struct {
	Manifest    models.Manifest
	Cache       string
	Certificate []byte // DER, of the test server
}

// childMain fetches the album of the child's manifest and prints the stages.
func childMain() int {
	var c child
	data, err := os.ReadFile(os.Getenv("KITH_TEST_CHILD"))
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	if err != nil {
		fmt.Println("error", err)
		return 1
	}
	cert, err := x509.ParseCertificate(c.Certificate)
	if err != nil {
		fmt.Println("error", err)
		return 1
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, err = Photos(ctx, Options{
		Manifest: &c.Manifest, Cache: c.Cache,
		HTTP:     &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}},
		Progress: func(e Event) { fmt.Println(e.Stage, e.Artifact) },
	})
	if err != nil {
		fmt.Println("error", err)
		return 1
	}
	fmt.Println("ready")
	return 0
}

// npmMain is a false npm: KITH_TEST_NPM is how it behaves, KITH_TEST_TARBALL
// the package that it has, KITH_TEST_NPM_LOG a file that notes the calls.
func npmMain(args []string) int {
	if len(args) != 6 || strings.Join(args[:4], " ") != "pack --ignore-scripts --json --pack-destination" {
		fmt.Fprintln(os.Stderr, "unexpected arguments", args)
		return 2
	}
	dir, spec := args[4], args[5]
	if log := os.Getenv("KITH_TEST_NPM_LOG"); log != "" {
		f, err := os.OpenFile(log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return 2
		}
		wd, _ := os.Getwd()
		_, _ = fmt.Fprintln(f, spec, wd == dir)
		_ = f.Close()
	}
	if _, err := os.Stat("package.json"); err != nil {
		fmt.Fprintln(os.Stderr, "the configuration of a project above could apply")
		return 2
	}
	switch os.Getenv("KITH_TEST_NPM") {
	case "ok":
		data, err := os.ReadFile(os.Getenv("KITH_TEST_TARBALL"))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "scope-pack-1.0.0.tgz"), data, 0o644)
		}
		if err != nil {
			return 2
		}
	case "fail":
		fmt.Fprintln(os.Stderr, "npm error code E404\nnpm error 404 no such package")
		return 1
	case "hang":
		return hang()
	case "nothing":
	}
	return 0
}

// hang starts a process of its own that holds a lock, as npm starts node, and
// then never ends.
func hang() int {
	self, err := os.Executable()
	if err != nil {
		return 2
	}
	attr := &os.ProcAttr{
		Env:   append(os.Environ(), "KITH_TEST_NPM_LOCK="+os.Getenv("KITH_TEST_HANG_LOCK")),
		Files: []*os.File{nil, os.Stdout, os.Stderr},
	}
	if _, err := os.StartProcess(self, []string{self}, attr); err != nil {
		return 2
	}
	time.Sleep(10 * time.Minute)
	return 0
}

func holdLock() int {
	path := os.Getenv("KITH_TEST_NPM_LOCK")
	if ok, err := flock.New(path).TryLock(); err != nil || !ok {
		return 2
	}
	if err := os.WriteFile(path+".held", nil, 0o644); err != nil {
		return 2
	}
	time.Sleep(10 * time.Minute)
	return 0
}

// falseNPM puts the false npm on PATH, alone, and returns a function that
// counts its calls.
func falseNPM(t *testing.T, behaviour string, tarball []byte) (calls func() int) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(self, filepath.Join(bin, "npm")); err != nil || runtime.GOOS == "windows" {
		t.Skipf("a program named npm cannot be made by a symbolic link here: %v", err)
	}
	files := t.TempDir()
	if err := os.WriteFile(filepath.Join(files, "p.tgz"), tarball, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
	t.Setenv("KITH_TEST_NPM", behaviour)
	t.Setenv("KITH_TEST_TARBALL", filepath.Join(files, "p.tgz"))
	t.Setenv("KITH_TEST_NPM_LOG", filepath.Join(files, "log"))
	return func() int {
		log, err := os.ReadFile(filepath.Join(files, "log"))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(log)) {
			if line != "@scope/pack@1.0.0 true\n" {
				t.Errorf("npm was called with %q; want the exact package, and to run in the directory that it writes to", line)
			}
		}
		return bytes.Count(log, []byte("\n"))
	}
}

// sendPart announces everything, sends n bytes and breaks the connection.
func sendPart(w http.ResponseWriter, data string, n int) {
	w.Header().Set("Content-Length", fmt.Sprint(len(data)))
	_, _ = io.WriteString(w, data[:n])
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}
