package models

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// local is a manifest whose artifacts have known content, for this platform.
func local(t *testing.T) Manifest {
	t.Helper()
	m := valid(t)
	better := m.Artifacts[1]
	better.ID, better.File = "det-better", "b.onnx"
	m.Artifacts = append(m.Artifacts, better)
	m.Sets[0].Detectors = []string{"det-better", "det"}
	m.Sets = append(m.Sets, Set{ID: "plain", Detectors: []string{"det"}, Embedder: "emb"})
	for i := range m.Artifacts {
		a := &m.Artifacts[i]
		sum := sha256.Sum256([]byte(content(*a)))
		a.Size, a.SHA256 = int64(len(content(*a))), hex.EncodeToString(sum[:])
	}
	m.Artifacts[0].Platform = runtime.GOOS + "/" + runtime.GOARCH
	if err := m.Validate(); err != nil {
		t.Fatal(err)
	}
	return m
}

func content(a Artifact) string { return "content of " + a.ID }

// put writes an artifact's file, flat or in the layout of the cache.
func put(t *testing.T, dir string, a Artifact, cached bool) string {
	t.Helper()
	path := filepath.Join(dir, a.File)
	if cached {
		path = filepath.Join(dir, a.ID, a.File)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content(a)), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLocate(t *testing.T) {
	m := local(t)
	first, second := t.TempDir(), t.TempDir()
	paths := map[string]string{}
	for i, a := range m.Artifacts[:4] {
		paths[a.ID] = put(t, second, a, i%2 == 0)
	}
	opt := Options{Dirs: []string{first, second}}
	inst, err := Locate(m, opt)
	if err != nil {
		t.Fatal(err)
	}
	if inst.Set != "default" || inst.Runtime != paths["rt"] || inst.Detector.Path != paths["det"] ||
		inst.Landmarker.Path != paths["lm"] || inst.Embedder.Path != paths["emb"] || inst.Embedder.Dim != 4 {
		t.Errorf("located %+v, want %v", inst, paths)
	}

	better, _ := m.Artifact("det-better")
	put(t, first, better, false)
	if inst, err = Locate(m, opt); err != nil || inst.Detector.ID != "det-better" {
		t.Errorf("detector %q, %v: want the preferred one", inst.Detector.ID, err)
	}
	opt.Detector = "det"
	if inst, err = Locate(m, opt); err != nil || inst.Detector.ID != "det" {
		t.Errorf("detector %q, %v: want the one that was asked for", inst.Detector.ID, err)
	}
	opt = Options{Dirs: opt.Dirs, Set: "plain"}
	if inst, err = Locate(m, opt); err != nil || inst.Landmarker != nil {
		t.Errorf("landmarker %v, %v: the set has none", inst.Landmarker, err)
	}
}

func TestLocateMissing(t *testing.T) {
	m := local(t)
	dir := t.TempDir()
	put(t, dir, m.Artifacts[2], false)
	_, err := Locate(m, Options{Dirs: []string{dir}})
	var missing *MissingError
	if !errors.As(err, &missing) {
		t.Fatalf("got %v", err)
	}
	if len(missing.Artifacts) != 2 || len(missing.Detectors) != 2 {
		t.Errorf("missing %v and detectors %v, want emb, rt and both", missing.Artifacts, missing.Detectors)
	}
	text := err.Error()
	for _, want := range []string{
		"e.onnx", m.Artifacts[3].SHA256, "https://example.org/d", "@a/b@1.2.3-rc.1",
		dir, "KITH_MODELS", "KITH_ORT_LIB", "-models plain", "one of these detectors",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "l.onnx") {
		t.Errorf("the text names a file that is there:\n%s", text)
	}
}

func TestLocateRefusesOtherContent(t *testing.T) {
	m := local(t)
	for name, damage := range map[string]func([]byte) []byte{
		"one bit":  func(b []byte) []byte { b[3] ^= 1; return b },
		"longer":   func(b []byte) []byte { return append(b, 0) },
		"shorter":  func(b []byte) []byte { return b[:len(b)-1] },
		"no bytes": func([]byte) []byte { return nil },
	} {
		bad, good := t.TempDir(), t.TempDir()
		for _, a := range m.Artifacts {
			put(t, good, a, false)
		}
		path := put(t, bad, m.Artifacts[1], true)
		if err := os.WriteFile(path, damage([]byte(content(m.Artifacts[1]))), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Locate(m, Options{Dirs: []string{bad, good}, Detector: "det"})
		var sum *ChecksumError
		if !errors.As(err, &sum) || sum.Path != path || sum.Artifact != "det" {
			t.Errorf("%s: got %v, want a ChecksumError for %s", name, err, path)
		}
	}
}

func TestLocateLicense(t *testing.T) {
	m := local(t)
	dir := t.TempDir()
	for i := range m.Artifacts {
		put(t, dir, m.Artifacts[i], false)
		if id := m.Artifacts[i].ID; id == "emb" || id == "det-better" {
			m.Artifacts[i].License.Commercial = false
		}
	}
	var license *LicenseError
	opt := Options{Dirs: []string{dir}}
	if _, err := Locate(m, opt); !errors.As(err, &license) || license.Artifact.ID != "emb" {
		t.Errorf("got %v, want a LicenseError for emb", err)
	}
	opt.AcceptNonCommercial = true
	if inst, err := Locate(m, opt); err != nil || inst.Detector.ID != "det-better" {
		t.Errorf("detector %q, %v after acceptance", inst.Detector.ID, err)
	}
	m.Artifacts[3].License.Commercial = true
	opt.AcceptNonCommercial = false
	if inst, err := Locate(m, opt); err != nil || inst.Detector.ID != "det" {
		t.Errorf("detector %q, %v: one under a free licence is there", inst.Detector.ID, err)
	}
}

func TestNamedRuntime(t *testing.T) {
	m := local(t)
	m.Artifacts[0].Platform = "other/arch"
	dir := t.TempDir()
	for _, a := range m.Artifacts[1:] {
		put(t, dir, a, false)
	}
	opt := Options{Dirs: []string{dir}}
	var platform *PlatformError
	if _, err := Locate(m, opt); !errors.As(err, &platform) || !strings.Contains(err.Error(), "KITH_ORT_LIB") {
		t.Errorf("got %v, want a PlatformError that names KITH_ORT_LIB", err)
	}
	opt.Runtime = filepath.Join(dir, "absent.so")
	if _, err := Locate(m, opt); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
	opt.Runtime = dir
	if _, err := Locate(m, opt); err == nil {
		t.Error("a directory was taken as a runtime")
	}
	opt.Runtime = filepath.Join(dir, "my.so")
	if err := os.WriteFile(opt.Runtime, []byte("anything"), 0o644); err != nil {
		t.Fatal(err)
	}
	if inst, err := Locate(m, opt); err != nil || inst.Runtime != opt.Runtime {
		t.Errorf("runtime %q, %v", inst.Runtime, err)
	}
}

func TestResolveUnknown(t *testing.T) {
	m := local(t)
	if _, err := Resolve(m, Options{Set: "no"}); err == nil || !strings.Contains(err.Error(), "default, plain") {
		t.Errorf("got %v, want the known sets", err)
	}
	if _, err := Resolve(m, Options{Detector: "emb"}); err == nil {
		t.Error("an embedder was accepted as a detector")
	}
}

func TestFromEnv(t *testing.T) {
	sep := string(filepath.ListSeparator)
	t.Setenv("KITH_MODELS", "a"+sep+sep+"b")
	t.Setenv("KITH_CACHE", "c")
	t.Setenv("KITH_ORT_LIB", "lib.so")
	opt := FromEnv()
	if strings.Join(opt.Dirs, " ") != "a b c" || opt.Runtime != "lib.so" {
		t.Errorf("got %+v", opt)
	}
}
