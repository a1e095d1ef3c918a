package index_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/models"
	"github.com/kith-photos/kith/models/fetch"
)

// peerChild and peerModels make the test binary one of the pipelines; see
// TestPipelines.
const (
	peerChild  = "KITH_PEER"
	peerModels = "KITH_PEER_MODELS"
)

// seen is a face as a pipeline tells of it.
type seen struct {
	Photo  string     `json:"photo"`
	Box    [4]float64 `json:"box"` // left, top, width, height in pixels of the photo
	Vector []float32  `json:"vector,omitempty"`
}

// outcome is what a pipeline prints: one JSON object.
type outcome struct {
	Version string  `json:"version"`
	CPU     float64 `json:"cpu_seconds"`  // from the first photo to the last, models loaded before
	Wall    float64 `json:"wall_seconds"` // the same
	Peak    int64   `json:"rss_peak"`     // resident bytes at the highest, models and program included
	Faces   []seen  `json:"faces"`
}

// pipeline is one way to find the faces of an album: a program that takes the
// album's folder as its last argument.
type pipeline struct {
	name    string
	command []string
	env     []string
	missing string // why it cannot run here
}

// The pipelines by their names.
const (
	kith          = "kith"
	kithPureGo    = "kith-PureGo"
	naiveGo       = "naive-Go"
	naiveFlushing = "naive-Go-flushing"
	openCV        = "OpenCV-Python"
	dlibHOG       = "dlib-HOG"
)

// pipelines lists kith first, then kith where there is no libjpeg-turbo, then
// what people would take instead.
func pipelines(tb testing.TB, inst models.Installation) []pipeline {
	tb.Helper()
	file := filepath.Join(tb.TempDir(), "models.json")
	data, err := json.Marshal(inst)
	if err == nil {
		err = os.WriteFile(file, data, 0o600)
	}
	if err != nil {
		tb.Fatal(err)
	}
	var list []pipeline
	for _, name := range []string{kith, kithPureGo, naiveGo, naiveFlushing} {
		list = append(list, pipeline{ // this binary as another process, on one processor
			name:    name,
			command: []string{os.Args[0], "-test.run=^TestPipelines$"},
			env:     []string{peerChild + "=" + name, peerModels + "=" + file, "GOMAXPROCS=1"},
		})
	}
	return append(list, opencv(tb, inst, file))
}

// opencv is compare/opencv.py, where there is a Python with an OpenCV that can
// load the networks; KITH_PYTHON names one.
func opencv(tb testing.TB, inst models.Installation, file string) pipeline {
	tb.Helper()
	p := pipeline{name: openCV}
	for _, yunet := range []func() (string, error){
		func() (string, error) { return inst.Detector.Path, nil },
		func() (string, error) { return fixedYuNet(tb, inst) },
	} {
		path, err := yunet()
		if err == nil {
			p.command = []string{cmp.Or(os.Getenv("KITH_PYTHON"), "/usr/bin/python3"), "compare/opencv.py", file, path}
			_, err = p.run(tb.Context(), tb.TempDir())
		}
		if err == nil {
			p.missing = ""
			return p
		}
		p.missing = fmt.Sprintf("%s (KITH_PYTHON names a Python with OpenCV)", lastLine(err.Error()))
	}
	return p
}

// fixedYuNet is the path of the YuNet of fixed input size, for an OpenCV that
// cannot load the installation's.
func fixedYuNet(tb testing.TB, inst models.Installation) (string, error) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), time.Minute)
	defer cancel()
	opt := fetch.FromEnv()
	opt.Detector = "yunet-2023mar"
	opt.Dirs = append(opt.Dirs, filepath.Dir(inst.Detector.Path))
	other, err := fetch.Provision(ctx, opt)
	return other.Detector.Path, err
}

// dlib is compare/dlib.cc, compiled for this processor as dlib advises: its
// detector gains a third by it. Debian has none of dlib's model files, so it
// is the detector that needs none.
func dlib(tb testing.TB) pipeline {
	tb.Helper()
	program := filepath.Join(tb.TempDir(), "dlib")
	p := pipeline{name: dlibHOG, command: []string{program}}
	flags, err := exec.CommandContext(tb.Context(), "pkg-config", "--cflags", "--libs", "dlib-1").Output()
	if err != nil {
		p.missing = fmt.Sprintf("pkg-config finds no dlib-1: %v", err)
		return p
	}
	args := append([]string{"-std=c++17", "-O3", "-march=native", "-o", program, "compare/dlib.cc"}, strings.Fields(string(flags))...)
	if out, err := exec.CommandContext(tb.Context(), "g++", args...).CombinedOutput(); err != nil {
		p.missing = fmt.Sprintf("g++: %v: %s", err, lastLine(string(out)))
	}
	return p
}

func (p pipeline) run(ctx context.Context, album string) (o outcome, err error) {
	cmd := exec.CommandContext(ctx, p.command[0], append(p.command[1:len(p.command):len(p.command)], album)...)
	cmd.Env = append(os.Environ(), p.env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return o, fmt.Errorf("%s: %w\n%s%s", p.name, err, out, stderr.Bytes())
	}
	// A test binary says PASS after it.
	if err := json.NewDecoder(bytes.NewReader(out)).Decode(&o); err != nil || o.Peak == 0 {
		return o, fmt.Errorf("%s printed %.300q: %v", p.name, out, err)
	}
	return o, nil
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// peer runs one of the pipelines that are written in Go and prints its outcome.
func peer(t *testing.T, name string) {
	t.Helper()
	var inst models.Installation
	data, err := os.ReadFile(os.Getenv(peerModels))
	if err == nil {
		err = json.Unmarshal(data, &inst)
	}
	if err != nil {
		t.Fatal(err)
	}
	var o outcome
	switch name {
	case kith, kithPureGo:
		o = indexAlbum(t, inst, flag.Arg(0), name == kithPureGo)
	case naiveGo, naiveFlushing:
		o = openNaive(t, inst, name == naiveFlushing).index(t, flag.Arg(0))
	default:
		t.Fatalf("unknown pipeline %q", name)
	}
	o.Peak = resident(t, "VmHWM:")
	if data, err = json.Marshal(o); err != nil {
		t.Fatal(err)
	}
	fmt.Println(string(data))
}

// indexAlbum is kith as a host would use it, with one worker: besides finding
// the faces it reads the EXIF data, hashes the files, judges the faces, writes
// an account and groups the people.
func indexAlbum(t *testing.T, inst models.Installation, dir string, pureGo bool) outcome {
	t.Helper()
	acc := consented(t, filepath.Join(t.TempDir(), "album.kith"), index.Config{
		Analyzer: openEngine(t, inst).Analyzer(), Workers: 1, PureGo: pureGo,
	})
	cpu := processCPU(t)
	rep, err := acc.Reindex(t.Context(), os.DirFS(dir), index.ReindexOptions{
		Failed: func(e *index.PhotoError) { t.Error(e) },
	})
	if err != nil {
		t.Fatal(err)
	}
	o := outcome{CPU: (processCPU(t) - cpu).Seconds(), Wall: rep.Elapsed.Seconds()}
	o.Version = "JPEG by " + strings.Join(slices.Sorted(maps.Keys(rep.Decoders)), ", ")
	var buf bytes.Buffer
	if err := acc.Export(t.Context(), &buf, index.ExportOptions{Embeddings: true}); err != nil {
		t.Fatal(err)
	}
	var e export
	if err := json.Unmarshal(buf.Bytes(), &e); err != nil {
		t.Fatal(err)
	}
	path := map[string]string{}
	for _, p := range e.Photos {
		path[p.ID] = p.Path
	}
	for _, f := range e.Faces {
		o.Faces = append(o.Faces, seen{path[f.Photo], [4]float64{f.Box.X, f.Box.Y, f.Box.W, f.Box.H}, f.Embedding})
	}
	return o
}
