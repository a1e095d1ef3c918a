package ort

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/kith-photos/kith/models/modelstest"
)

// children is the variable that makes a test binary a child: it calls Init
// with each of the paths in turn and says what came of it. The environment is
// one per process, so each case needs a process of its own.
const children = "KITH_ORT_TEST_INIT"

func TestMain(m *testing.M) {
	if paths := os.Getenv(children); paths != "" {
		for _, path := range filepath.SplitList(paths) {
			err := Init(path)
			fmt.Printf("too old %v, missing %v: %v\n", errors.Is(err, ErrTooOld), errors.Is(err, fs.ErrNotExist), err)
		}
		fmt.Printf("version %q\n", Version())
		return
	}
	os.Exit(m.Run())
}

// child returns one line for each path and one with the version.
func child(t *testing.T, paths ...string) []string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), children+"="+strings.Join(paths, string(filepath.ListSeparator)))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("Init of %q: %v\n%s", paths, err, out)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

func expect(t *testing.T, line string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(line, w) {
			t.Errorf("%s\nwant %q in it", line, w)
		}
	}
}

func TestInitFaults(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text.so")
	if err := os.WriteFile(text, []byte("this is no library\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	gone := filepath.Join(dir, "gone.so")
	lines := child(t, gone, dir, text)
	expect(t, lines[0], "missing true", gone)
	expect(t, lines[1], "missing false", "not a file", dir)
	expect(t, lines[2], "too old false", "missing false", "ONNX Runtime", text)
}

// A library with the entry point of an ONNX Runtime that knows only an older
// C API, as version 1.10 is.
const tooOld = `
#include <stdint.h>
struct base { const void *(*api)(uint32_t); const char *(*version)(void); };
static const void *api(uint32_t version) { return 0; }
static const char *version(void) { return "1.10.0"; }
static const struct base it = { api, version };
const struct base *OrtGetApiBase(void) { return &it; }
`

// buildLibrary compiles a shared library.
func buildLibrary(t *testing.T, source string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the library is built for systems with cc -shared")
	}
	cc, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("no C compiler to build a library with: ", err)
	}
	dir := t.TempDir()
	src, lib := filepath.Join(dir, "ort.c"), filepath.Join(dir, "libort.so")
	if err := os.WriteFile(src, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), cc, "-shared", "-fPIC", "-o", lib, src).CombinedOutput(); err != nil {
		t.Fatalf("cc: %v\n%s", err, out)
	}
	return lib
}

func TestInitTooOld(t *testing.T) {
	lib := buildLibrary(t, tooOld)
	// Twice: the first attempt must leave nothing behind that harms the next.
	for _, line := range child(t, lib, lib)[:2] {
		expect(t, line, "too old true", "1.10.0", "1.24", lib)
	}
}

// onnxruntime_go must not ask for a newer C API than was probed for, or a
// library that is too old would pass for a broken one.
func TestSameAPI(t *testing.T) {
	lib := buildLibrary(t, `
#include <stdint.h>
#include <stdio.h>
struct base { const void *(*api)(uint32_t); const char *(*version)(void); };
static int calls;
static const void *api(uint32_t v) { printf("asked for %u\n", v); fflush(stdout); return calls++ ? 0 : &calls; }
static const char *version(void) { return "1.24.0"; }
static const struct base it = { api, version };
const struct base *OrtGetApiBase(void) { return &it; }
`)
	lines := child(t, lib)
	if want := fmt.Sprint("asked for ", apiVersion); len(lines) != 4 || lines[0] != want || lines[1] != want {
		t.Errorf("%q, want %q twice, an error and a version", lines, want)
	}
	expect(t, lines[2], "too old false", "ONNX Runtime", lib)
	expect(t, lines[3], `version ""`)
}

// A library without the entry point is not called too old.
func TestInitOtherLibrary(t *testing.T) {
	lib := buildLibrary(t, "int answer(void) { return 42; }\n")
	expect(t, child(t, lib)[0], "too old false", "missing false", "OrtGetApiBase", lib)
}

// Failures do not spoil a later attempt, and after a success no path matters.
func TestInitAfterFailure(t *testing.T) {
	inst := modelstest.Require(t)
	paths := []string{filepath.Join(t.TempDir(), "gone.so"), inst.Runtime, "gone.so", inst.Runtime}
	if runtime.GOOS != "windows" {
		paths = append([]string{buildLibrary(t, tooOld)}, paths...)
	}
	lines := child(t, paths...)
	n := len(lines)
	for _, line := range lines[n-4 : n-1] {
		expect(t, line, "<nil>")
	}
	expect(t, lines[n-5], "missing true")
	expect(t, lines[n-1], `version "1.`)
}
