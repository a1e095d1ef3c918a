//go:build cgo

package cluster_test

import (
	"bytes"
	"fmt"
	"image"
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	_ "golang.org/x/image/webp"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/face/onnx"
	"github.com/kith-photos/kith/models/modelstest"
)

func openEngine(tb testing.TB) *onnx.Engine {
	tb.Helper()
	inst := modelstest.Require(tb)
	if d := os.Getenv("KITH_DETECTOR"); d != "" {
		inst = modelstest.RequireDetector(tb, d)
	}
	e, err := onnx.Open(inst, onnx.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := e.Close(); err != nil {
			tb.Error(err)
		}
	})
	return e
}

// readAlbum analyses a measuring album of one folder a person. All its faces
// are kept. The one nearest the middle of a photo is the folder's person, the
// others are nobody known. Photos are in random order: rules that add one face
// after another must not profit from folders that are already people.
func readAlbum(tb testing.TB, a *face.Analyzer, name string) *library {
	tb.Helper()
	dir := modelstest.Album(tb, name)
	files, err := fs.Glob(os.DirFS(dir), "*/*")
	if err != nil {
		tb.Fatal(err)
	}
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
	photos := make([]analysed, len(files))
	next := make(chan int)
	var workers sync.WaitGroup
	for range 2 {
		workers.Go(func() {
			for i := range next {
				photos[i] = analyse(tb, a, filepath.Join(dir, files[i]))
			}
		})
	}
	for i := range files {
		next <- i
	}
	close(next)
	workers.Wait()

	lib := &library{}
	for i, p := range photos {
		if p.err != nil {
			tb.Fatalf("%s: %v", files[i], p.err)
		}
		for k, f := range p.faces {
			who := ""
			if k == p.central {
				who = filepath.Dir(files[i])
			}
			lib.add(f.Vector, f.Quality, int32(i), p.taken, who)
		}
	}
	return lib
}

// analysed is what was found on one photo.
type analysed struct {
	faces   []face.Face
	central int // the face nearest the middle; -1 if there is none
	taken   int64
	err     error
}

func analyse(tb testing.TB, a *face.Analyzer, path string) analysed {
	data, err := os.ReadFile(path)
	if err != nil {
		return analysed{err: err}
	}
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return analysed{err: fmt.Errorf("decode: %w", err)}
	}
	meta, _ := exif.Decode(data) // whatever could be read of damaged metadata
	img = face.Upright(img, meta.Orientation)
	out := analysed{central: -1}
	if !meta.Taken.IsZero() {
		out.taken = meta.Taken.Wall.Unix()
	}
	if out.faces, out.err = a.Analyze(tb.Context(), img); out.err != nil {
		return out
	}
	middle, best := img.Bounds().Size().Div(2), math.Inf(1)
	for i, f := range out.faces {
		c := f.Box.Center()
		if d := math.Hypot(c.X-float64(middle.X), c.Y-float64(middle.Y)); d < best {
			out.central, best = i, d
		}
	}
	return out
}
