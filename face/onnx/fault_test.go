package onnx

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/models"
	"github.com/kith-photos/kith/models/modelstest"
)

func TestFlippedByte(t *testing.T) {
	inst := modelstest.Require(t)
	copies := map[string]*models.Model{"detector": &inst.Detector, "landmarker": inst.Landmarker, "embedder": &inst.Embedder}
	for name, m := range copies {
		t.Run(name, func(t *testing.T) {
			before := *m
			defer func() { *m = before }()
			data, err := os.ReadFile(m.Path)
			if err != nil {
				t.Fatal(err)
			}
			data[len(data)/2] ^= 1
			m.Path = filepath.Join(t.TempDir(), m.File)
			if err := os.WriteFile(m.Path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			e, err := Open(inst, Options{})
			var sum *models.ChecksumError
			if e != nil || !errors.As(err, &sum) || sum.Path != m.Path || sum.Artifact != m.ID || sum.Want == sum.Have ||
				sum.WantSize != m.Size || sum.HaveSize != m.Size {
				t.Errorf("engine %v, error %v; want a *models.ChecksumError", e, err)
			}
		})
	}
}

// A manifest that does not fit its models is refused by Open, in words that
// name the model.
func TestOpenRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		bend func(inst *models.Installation)
		text string
	}{
		"output name": {func(i *models.Installation) { i.Embedder.Outputs = []string{"nothing"} }, `no output named "nothing"`},
		"input name": {func(i *models.Installation) {
			in := *i.Embedder.Input
			in.Name = "nothing"
			i.Embedder.Input = &in
		}, `no input named "nothing"`},
		"colour": {func(i *models.Installation) {
			in := *i.Embedder.Input
			in.Color = "HSV"
			i.Embedder.Input = &in
		}, "HSV"},
		"no input":      {func(i *models.Installation) { i.Embedder.Input = nil }, "input"},
		"outputs":       {func(i *models.Installation) { i.Detector.Outputs = i.Detector.Outputs[:1] }, "outputs"},
		"detector kind": {func(i *models.Installation) { i.Detector.Kind = "haar" }, "haar"},
		"embedder kind": {func(i *models.Installation) { i.Embedder.Kind = "yunet" }, "arcface"},
		"alignment":     {func(i *models.Installation) { i.Embedder.Align = "" }, "arcface-112"},
		"dimension":     {func(i *models.Installation) { i.Embedder.Dim = 0 }, "dimension"},
		"params":        {func(i *models.Installation) { i.Detector.Params = nil }, "score"},
		"other family": {func(i *models.Installation) {
			i.Detector.Kind = map[string]string{"yunet": "ultraface", "ultraface": "yunet"}[i.Detector.Kind]
		}, "outputs of a"},
	} {
		t.Run(name, func(t *testing.T) {
			inst := modelstest.Require(t)
			c.bend(&inst)
			e, err := Open(inst, Options{})
			if e != nil || err == nil || !strings.Contains(err.Error(), c.text) || !strings.Contains(err.Error(), "model ") {
				t.Errorf("engine %v, error %v; want one about %q", e, err, c.text)
			}
		})
	}
	t.Run("missing file", func(t *testing.T) {
		inst := modelstest.Require(t)
		inst.Detector.Path = filepath.Join(t.TempDir(), "gone.onnx")
		if _, err := Open(inst, Options{}); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), inst.Detector.Path) {
			t.Errorf("error %v, want fs.ErrNotExist with the path", err)
		}
	})
}

// A dimension that is not the model's is found with the first vector.
func TestWrongDimension(t *testing.T) {
	inst := modelstest.Require(t)
	inst.Embedder.Dim++
	e := open(t, inst, Options{})
	_, err := e.Analyzer().Analyze(context.Background(), small(t, "sample1.jpg", 384))
	if err == nil || !strings.Contains(err.Error(), "expected 513") {
		t.Errorf("error %v", err)
	}
}

func TestSpaceIsBoundToWeights(t *testing.T) {
	inst := modelstest.Require(t)
	a, err := newArcface(nil, inst.Embedder, false)
	if err != nil {
		t.Fatal(err)
	}
	inst.Embedder.SHA256 = strings.Repeat("0", 64)
	b, err := newArcface(nil, inst.Embedder, false)
	if err != nil {
		t.Fatal(err)
	}
	if a.Space() == b.Space() {
		t.Errorf("other weights have the same space %q", a.Space())
	}
	if len(a.Impostors().FAR) == 0 || len(b.Impostors().FAR) != 0 {
		t.Errorf("tails of %d and %d rates; only the measured weights have one", len(a.Impostors().FAR), len(b.Impostors().FAR))
	}
}

// UltraFace's tiles cover the photo, keep their aspect and overlap.
func TestUltrafaceTiles(t *testing.T) {
	u := &ultraface{net: &net{input: models.Input{Width: 320, Height: 240}}, tileDivisor: 1.7, tileOverlap: 0.3, tileBorder: 0.01}
	for _, size := range [][2]float64{{1920, 1280}, {1280, 1920}, {1000, 1000}, {4000, 300}, {300, 4000}, {640, 480}} {
		whole := face.Box{W: size[0], H: size[1]}
		ts := u.tiles(whole)
		if len(ts) == 0 || len(ts) > 40 {
			t.Errorf("%v: %d tiles", size, len(ts))
		}
		const n = 37
		for i := range n * n {
			x, y := (float64(i%n)+0.5)/n*size[0], (float64(i/n)+0.5)/n*size[1]
			covered := false
			for _, b := range ts {
				covered = covered || x >= b.X && x <= b.X+b.W && y >= b.Y && y <= b.Y+b.H
			}
			if !covered {
				t.Fatalf("%v: no tile covers %.0f, %.0f", size, x, y)
			}
		}
	}
	for _, c := range []struct {
		side, window float64
		want         int
	}{{100, 100, 1}, {100, 200, 1}, {170, 100, 2}, {171, 100, 2}, {200, 100, 3}, {240, 100, 3}, {300, 100, 4}} {
		at := spread(c.side, c.window, 0.3)
		if len(at) != c.want {
			t.Errorf("%v in %v: %v, want %d windows", c.window, c.side, at, c.want)
		}
		if last := at[len(at)-1]; len(at) > 1 && (at[0] != 0 || last+c.window < c.side-1e-9) {
			t.Errorf("%v in %v: %v does not reach both ends", c.window, c.side, at)
		}
	}
}

// Input sizes are whole multiples that hold the photo, which is never enlarged.
func TestYunetGeometry(t *testing.T) {
	free := &yunet{net: &net{input: models.Input{Multiple: 32, MaxSide: 640}}}
	fixed := &yunet{net: &net{input: models.Input{Width: 640, Height: 640, MaxSide: 640}}}
	for _, size := range [][2]int{{1, 1}, {3, 2000}, {2000, 3}, {640, 480}, {641, 640}, {4000, 3000}, {100, 33}} {
		for name, y := range map[string]*yunet{"free": free, "fixed": fixed} {
			w, h, scale := y.geometry(float64(size[0]), float64(size[1]), 640)
			if w%32 != 0 || h%32 != 0 || w <= 0 || h <= 0 || w > 640 || h > 640 || scale < 1 {
				t.Errorf("%s, %v: %dx%d at %v", name, size, w, h, scale)
			}
			if float64(size[0])/scale > float64(w)+1e-9 || float64(size[1])/scale > float64(h)+1e-9 {
				t.Errorf("%s, %v does not fit %dx%d at %v", name, size, w, h, scale)
			}
		}
	}
}
