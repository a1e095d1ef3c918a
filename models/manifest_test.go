package models

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestDefaultManifest(t *testing.T) {
	m, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	for _, platform := range []string{"linux/amd64", "linux/arm64", "darwin/arm64", "windows/amd64", "windows/arm64"} {
		goos, goarch, _ := strings.Cut(platform, "/")
		if a, ok := m.Runtime(goos, goarch); !ok || a.ID != "onnxruntime-1.24.3-"+goos+"-"+goarch {
			t.Errorf("runtime for %s: %q, %v", platform, a.ID, ok)
		}
	}
	if _, ok := m.Runtime("plan9", "386"); ok {
		t.Error("there is a runtime for plan9/386")
	}
	if got := len(m.Photos()); got != 6 {
		t.Errorf("%d demo photos, want 6", got)
	}
	for id, vector := range map[string]int{"default": 512, "opencv": 128} {
		set, ok := m.Set(id)
		if !ok {
			t.Fatalf("no set %q", id)
		}
		if e, _ := m.Artifact(set.Embedder); e.Dim != vector || e.Align != "arcface-112" || e.Input.Width != 112 {
			t.Errorf("set %q embeds with %+v", id, e)
		}
	}
	for _, a := range m.Artifacts {
		if !a.License.Commercial {
			t.Errorf("%s: the built-in manifest holds no model that needs acceptance", a.ID)
		}
		if a.Kind == "yunet" && len(a.Outputs) != 12 {
			t.Errorf("%s has %d outputs, want 4 for each of 3 strides", a.ID, len(a.Outputs))
		}
	}
}

// valid is a small manifest for tests to break.
func valid(t testing.TB) Manifest {
	t.Helper()
	input := &Input{Name: "x", Width: 8, Height: 8, Color: "RGB", Scale: 1, Layout: "NCHW"}
	license := License{SPDX: "MIT", Name: "MIT License", Commercial: true}
	npm := []Source{{Type: SourceNPM, Package: "@a/b", Version: "1.2.3-rc.1", Path: "c/d"}}
	web := []Source{{Type: SourceHTTPS, URL: "https://example.org/d"}}
	sum := strings.Repeat("0a", 32)
	m := Manifest{
		Version: 1,
		Artifacts: []Artifact{
			{ID: "rt", Task: TaskRuntime, File: "lib.so.1", Platform: "linux/amd64", Size: 1, SHA256: sum, License: license, Sources: npm},
			{ID: "det", Task: TaskDetector, File: "d.onnx", Kind: "yunet", Size: 1, SHA256: sum, License: license, Input: input, Outputs: []string{"o"}, Sources: web},
			{ID: "lm", Task: TaskLandmarker, File: "l.onnx", Kind: "landmark68", Size: 1, SHA256: sum, License: license, Input: input, Outputs: []string{"o"}, Sources: web},
			{ID: "emb", Task: TaskEmbedder, File: "e.onnx", Kind: "arcface", Size: 1, SHA256: sum, License: license, Input: input, Outputs: []string{"o"}, Dim: 4, Align: "arcface-112", Sources: web},
		},
		Sets: []Set{{ID: "default", Detectors: []string{"det"}, Landmarker: "lm", Embedder: "emb"}},
	}
	if err := m.Validate(); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestValidateRefuses(t *testing.T) {
	for want, damage := range map[string]func(m *Manifest){
		"version 2":              func(m *Manifest) { m.Version = 2 },
		"appears twice":          func(m *Manifest) { m.Artifacts[1].ID = "rt" },
		"set \"default\" appear": func(m *Manifest) { m.Sets = append(m.Sets, m.Sets[0]) },
		"bad id":                 func(m *Manifest) { m.Artifacts[0].ID = "../rt" },
		"plain base name":        func(m *Manifest) { m.Artifacts[0].File = "../lib.so" },
		"64 lower-case":          func(m *Manifest) { m.Artifacts[0].SHA256 = strings.Repeat("0A", 32) },
		"size 0":                 func(m *Manifest) { m.Artifacts[0].Size = 0 },
		"size 4294967296":        func(m *Manifest) { m.Artifacts[0].Size = 1 << 32 },
		"spdx and name":          func(m *Manifest) { m.Artifacts[0].License = License{} },
		"no sources":             func(m *Manifest) { m.Artifacts[0].Sources = nil },
		"is not os/arch":         func(m *Manifest) { m.Artifacts[0].Platform = "linux" },
		"unknown task":           func(m *Manifest) { m.Artifacts[0].Task = "tea" },
		"kind, input and":        func(m *Manifest) { m.Artifacts[1].Kind = "" },
		"named outputs":          func(m *Manifest) { m.Artifacts[1].Outputs = []string{""} },
		"dim 0":                  func(m *Manifest) { m.Artifacts[3].Dim = 0 },
		"align":                  func(m *Manifest) { m.Artifacts[3].Align = "" },
		"impostors":              func(m *Manifest) { m.Artifacts[3].Impostors = &Tail{} },
		"unknown color":          func(m *Manifest) { m.Artifacts[1].Input.Color = "YUV" },
		"unknown layout":         func(m *Manifest) { m.Artifacts[1].Input.Layout = "CHWN" },
		"scale is 0":             func(m *Manifest) { m.Artifacts[1].Input.Scale = 0 },
		"-1 pixels":              func(m *Manifest) { m.Artifacts[1].Input.Width = -1 },
		"outside 0..255":         func(m *Manifest) { m.Artifacts[1].Input.Fill = 256 },
		"https://host/path":      func(m *Manifest) { m.Artifacts[1].Sources[0].URL = "http://example.org/d" },
		"user:secret":            func(m *Manifest) { m.Artifacts[1].Sources[0].URL = "https://user:secret@example.org/d" },
		"not a package name":     func(m *Manifest) { m.Artifacts[0].Sources[0].Package = "--registry=x" },
		"is not exact":           func(m *Manifest) { m.Artifacts[0].Sources[0].Version = "latest" },
		"clean and relative":     func(m *Manifest) { m.Artifacts[0].Sources[0].Path = "../d" },
		"unknown type":           func(m *Manifest) { m.Artifacts[0].Sources[0].Type = "ftp" },
		"no detectors":           func(m *Manifest) { m.Sets[0].Detectors = nil },
		"\"lm\" is not a detec":  func(m *Manifest) { m.Sets[0].Detectors = []string{"lm"} },
		"\"no\" is not a landm":  func(m *Manifest) { m.Sets[0].Landmarker = "no" },
		"\"\" is not a embedder": func(m *Manifest) { m.Sets[0].Embedder = "" },
	} {
		m := valid(t)
		damage(&m)
		if err := m.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
}

func TestParseIsStrict(t *testing.T) {
	good, err := json.Marshal(valid(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Parse(good); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"unknown field": slices.Concat([]byte(`{"colour":1,`), good[1:]),
		"trailing data": slices.Concat(good, []byte("{}")),
		"too long":      slices.Concat(good, make([]byte, maxManifest)),
		"empty":         nil,
	} {
		if _, err := Parse(data); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func FuzzParse(f *testing.F) {
	data, err := json.Marshal(valid(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Parse(data)
		if err != nil {
			return
		}
		again, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		m2, err := Parse(again)
		if err != nil {
			t.Fatalf("its own encoding is refused: %v\n%s", err, again)
		}
		if third, err := json.Marshal(m2); err != nil || !bytes.Equal(again, third) {
			t.Fatalf("the encoding is not stable: %v\n%s\n%s", err, again, third)
		}
	})
}
