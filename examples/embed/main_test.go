package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/kith-photos/kith/models/modelstest"
)

const asProgram = "EMBED_TEST_RUNS_MAIN"

// The test binary is also the program.
func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// embed runs the program with what the test has found of models.
func embed(t *testing.T, models []string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), asProgram+"=1", "KITH_OFFLINE=1",
		"KITH_MODELS="+strings.Join(models, string(filepath.ListSeparator)))
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

func TestUsage(t *testing.T) {
	stdout, stderr, err := embed(t, nil)
	if err == nil || stdout != "" || !strings.Contains(stderr, "usage: embed ACCOUNT.db FOLDER") {
		t.Errorf("%v, %q, %q", err, stdout, stderr)
	}
}

func TestFindsThePeople(t *testing.T) {
	inst, photos := modelstest.Require(t), modelstest.DemoPhotos(t)
	var dirs []string
	for _, path := range []string{inst.Runtime, inst.Detector.Path, inst.Landmarker.Path, inst.Embedder.Path} {
		dirs = append(dirs, filepath.Dir(path))
	}
	folder := t.TempDir()
	for _, path := range []string{photos[0], photos[2]} { // somebody is in both
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, filepath.Base(path)), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	db := filepath.Join(t.TempDir(), "kith.db")
	first, stderr, err := embed(t, dirs, db, folder)
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	if !regexp.MustCompile(`(?m)^[a-z2-7]{26}  [2-9]$`).MatchString(first) {
		t.Errorf("nobody with two faces:\n%s", first)
	}
	again, stderr, err := embed(t, dirs, db, folder)
	if err != nil || again != first {
		t.Errorf("the second run: %v %s\n%s, want\n%s", err, stderr, again, first)
	}
	if _, stderr, err := embed(t, dirs, db, t.TempDir()); err == nil || !strings.Contains(stderr, "no photo found") {
		t.Errorf("an empty folder: %v, %q", err, stderr)
	}
}
