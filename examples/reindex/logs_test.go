package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/models/modelstest"
)

// TestStderrHoldsNothingPersonal: what goes to standard error, which services
// keep as a log, names no person, and photos only where they failed. Who was
// found is told on standard output.
func TestStderrHoldsNothingPersonal(t *testing.T) {
	inst, demo := modelstest.Require(t), modelstest.DemoPhotos(t)
	t.Setenv("KITH_MODELS", strings.Join(foldersOf(inst), string(filepath.ListSeparator)))
	t.Setenv("KITH_OFFLINE", "1")
	photos := filepath.Join(t.TempDir(), "Quendels Hochzeit")
	album := filepath.Join(photos, "Standesamt")
	try(t, os.MkdirAll(album, 0o700))
	for name, from := range map[string]string{"Zacharias.jpg": demo[0], "Ottilie.jpg": demo[2]} {
		try(t, copyFile(filepath.Join(album, name), from))
	}
	try(t, os.WriteFile(filepath.Join(album, "Pleite.jpg"), []byte("no photo"), 0o600))
	out := t.TempDir()
	db := filepath.Join(out, "a.kith")
	args := []string{"-v", "-consent", "-workers", "1", "-db", db, "-html", "", photos}
	program := func(more ...string) (stdout, stderr string) {
		t.Helper()
		return runProgram(t, exitFailed, append(more, args...)...)
	}

	program()
	callMost(t, db, "Zacharias Quendel")
	secrets := []string{"Quendel", "Zacharias", "Ottilie", "Hochzeit", "Standesamt"}
	for _, more := range [][]string{{"-force"}, {"-json", "-force"}, {"-export", filepath.Join(out, "export.json")}} {
		stdout, stderr := program(more...)
		if !strings.Contains(stdout, "Zacharias Quendel") {
			t.Errorf("%v: standard output does not tell who was found:\n%s", more, stdout)
		}
		failures := 0
		for line := range strings.Lines(stderr) {
			if strings.HasPrefix(line, `failed: "Standesamt/Pleite.jpg": `) {
				failures++
				continue
			}
			for _, s := range secrets {
				if strings.Contains(line, s) {
					t.Errorf("%v: standard error has %q in %q", more, s, line)
				}
			}
		}
		if want := map[bool]int{true: 0, false: 1}[more[0] == "-json"]; failures != want {
			t.Errorf("%v: %d failures in\n%s", more, failures, stderr)
		}
		if more[0] != "-json" && !strings.Contains(stderr, "time per stage") {
			t.Errorf("%v: -v says nothing:\n%s", more, stderr)
		}
	}
}

// runProgram runs the program as a process of its own, so that what the
// libraries in it print is seen too.
func runProgram(t *testing.T, want int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, problems strings.Builder
	cmd := exec.Command("reindex", args...) // see TestMain
	cmd.Stdout, cmd.Stderr = &out, &problems
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if status := cmd.ProcessState.ExitCode(); status != want {
		t.Fatalf("%q: exit status %d, want %d\n%s%s", args, status, want, &out, &problems)
	}
	return out.String(), problems.String()
}

// callMost names the person with most faces.
func callMost(t *testing.T, db, name string) {
	t.Helper()
	acc, err := index.Open(t.Context(), db, index.Config{})
	try(t, err)
	defer func() { try(t, acc.Close()) }()
	for p, err := range acc.People(t.Context(), index.PeopleQuery{}) {
		try(t, err)
		_, err = acc.Name(t.Context(), p.ID, name)
		try(t, err)
		return
	}
	t.Fatal("nobody was found")
}

func try(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
