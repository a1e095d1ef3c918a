package index_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/kith-photos/kith/"

// imports lists what packages and all that they depend on import.
func imports(t *testing.T, patterns ...string) map[string][]string {
	t.Helper()
	args := append([]string{"list", "-deps", "-f", "{{.ImportPath}}|{{range .Imports}}{{.}} {{end}}"}, patterns...)
	cmd := exec.Command("go", args...)
	cmd.Dir = ".."
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	deps := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		name, list, _ := strings.Cut(strings.TrimSpace(line), "|")
		deps[name] = strings.Fields(list)
	}
	return deps
}

// No part of the library links code that could reach the network.
func TestBoundary(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no go command")
	}
	deps := imports(t, "./face/...", "./exif", "./store/...", "./models", "./index", "./index/geo", "./index/when",
		"./index/moments", "./index/places", "./index/nearby")
	if len(deps) < 50 || deps[module+"index"] == nil || deps[module+"face/onnx"] == nil {
		t.Fatalf("only %d packages were listed", len(deps))
	}
	for _, banned := range []string{"net", "net/http"} {
		if _, ok := deps[banned]; !ok {
			continue
		}
		for name, list := range deps {
			if slices.Contains(list, banned) {
				t.Errorf("%s imports %s", name, banned)
			}
		}
	}

	// The rooms, and what each may import of the house.
	for room, may := range map[string][]string{
		"exif": {}, "face": {"face/internal/pixel"}, "models": {},
		"face/internal/pixel": {},
		"face/cluster":        {"face", "face/internal/simd"},
		"face/internal/ort":   {},
		"face/internal/simd":  {},
		"face/onnx":           {"face", "models", "face/internal/ort"},
		"store":               {"face", "exif"},
		"store/keyring":       {"store"},
		"index/geo":           {},
		"index/when":          {"exif", "index/geo"},
		"index/moments":       {"index/geo"},
		"index/places":        {"index/geo"},
		"index/nearby":        {"index/geo"},
		"index": {"store", "face", "face/cluster", "exif", "index/geo", "index/when", "index/moments", "index/places", "index/nearby",
			"index/internal/bundle", "index/internal/format", "index/internal/raw", "index/internal/turbojpeg"},
	} {
		if _, ok := deps[module+room]; !ok {
			t.Errorf("there is no package %s", room)
		}
		for _, name := range deps[module+room] {
			if part, ok := strings.CutPrefix(name, module); ok && !slices.Contains(may, part) {
				t.Errorf("%s imports %s", room, part)
			}
		}
	}
	for name := range imports(t, "./index") {
		if strings.Contains(name, "onnx") {
			t.Errorf("index depends on %s", name)
		}
	}
}
