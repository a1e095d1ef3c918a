//go:build cgo

package cluster_test

import (
	"fmt"
	"image"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/models/modelstest"
)

// albums keeps what was analysed: a process needs the same albums for several
// benchmarks, and the largest takes a minute.
var albums struct {
	sync.Mutex
	libraries map[string]*library
}

// once is the library of that name, made at most once a process. Nothing is
// kept where making it skips or fails.
func once(name string, analyse func() *library) *library {
	albums.Lock()
	defer albums.Unlock()
	if l, ok := albums.libraries[name]; ok {
		return l
	}
	l := analyse()
	if albums.libraries == nil {
		albums.libraries = map[string]*library{}
	}
	albums.libraries[name] = l
	return l
}

// source is an album and the libraries that are drawn from it.
type source struct {
	name    string
	collect func(tb testing.TB, a *face.Analyzer) []collection
}

const (
	shrunkLeast  = 12 // photos a person has to have
	shrunkPeople = 8
	shrunkDraws  = 10
)

// sources are all that is measured on.
func sources() []source {
	out := []source{{"lfw-dev", func(tb testing.TB, a *face.Analyzer) []collection {
		p := readPopulation(tb, a, "lfw-dev")
		whole := collection{"lfw-dev", "the whole album", []*library{p.library}}
		return append([]collection{whole, p.siblings()}, p.collections()...)
	}}}
	for _, name := range []string{"sports5", "celeb5", "bbt8"} {
		out = append(out, source{name, func(tb testing.TB, a *face.Analyzer) []collection {
			return []collection{{name, "the whole album", []*library{readPopulation(tb, a, name).library}}}
		}})
	}
	for _, side := range []int{72, 36, 28} {
		name := fmt.Sprintf("tiny-%d", side)
		out = append(out, source{name, func(tb testing.TB, a *face.Analyzer) []collection {
			p := readShrunk(tb, a, side)
			return []collection{
				{name, fmt.Sprintf("%d people of %d and more photos of %d pixels", shrunkPeople, shrunkLeast, side),
					p.repeat(shrunkDraws, func(d *draft) { d.take(mostPhotos, sample(d.rng, p.people, shrunkPeople)...) })},
				{name + "-all", fmt.Sprintf("everybody of %d and more photos of %d pixels", shrunkLeast, side),
					p.repeat(1, func(d *draft) { d.take(math.MaxInt, p.people...) })},
			}
		}})
	}
	return out
}

// eachCollection runs a sub-benchmark for every collection of every album that
// is there.
func eachCollection(b *testing.B, a *face.Analyzer, run func(b *testing.B, from string, c collection)) {
	for _, s := range sources() {
		b.Run(s.name, func(b *testing.B) {
			for _, c := range s.collect(b, a) {
				b.Run(c.name, func(b *testing.B) { run(b, s.name, c) })
			}
		})
	}
}

func readPopulation(tb testing.TB, a *face.Analyzer, album string) population {
	tb.Helper()
	return newPopulation(once(album, func() *library { return readAlbum(tb, a, album) }))
}

// readShrunk analyses the photos of lfw-dev's people of shrunkLeast photos and
// more, shrunk to side pixels. A photo on which no face is found is left out.
func readShrunk(tb testing.TB, a *face.Analyzer, side int) population {
	tb.Helper()
	return newPopulation(once(fmt.Sprintf("shrunk to %d", side), func() *library {
		dir := modelstest.Album(tb, "lfw-dev")
		files, err := fs.Glob(os.DirFS(dir), "*/*")
		if err != nil {
			tb.Fatal(err)
		}
		photos := map[string]int{}
		for _, file := range files {
			photos[filepath.Dir(file)]++
		}
		lib := &library{}
		for i, file := range files {
			if photos[filepath.Dir(file)] < shrunkLeast {
				continue
			}
			f, found, err := analyseShrunk(tb, a, filepath.Join(dir, file), side, uint64(i))
			if err != nil {
				tb.Fatalf("%s shrunk to %d: %v", file, side, err)
			}
			if found {
				lib.add(f.Vector, f.Quality, int32(i), 0, filepath.Dir(file))
			}
		}
		return lib
	}))
}

// analyseShrunk finds the face nearest the middle of a shrunk photo.
func analyseShrunk(tb testing.TB, a *face.Analyzer, path string, side int, seed uint64) (f face.Face, found bool, err error) {
	file, err := os.Open(path)
	if err != nil {
		return f, false, err
	}
	defer func() { _ = file.Close() }()
	img, _, err := image.Decode(file)
	if err != nil {
		return f, false, err
	}
	if img, err = shrunk(img, side, rand.New(rand.NewPCG(seed, uint64(side)))); err != nil {
		return f, false, err
	}
	faces, err := a.Analyze(tb.Context(), img)
	if err != nil {
		return f, false, err
	}
	best := math.Inf(1)
	for _, g := range faces {
		c := g.Box.Center()
		if d := math.Hypot(c.X-surroundings/2, c.Y-surroundings/2); d < best {
			f, found, best = g, true, d
		}
	}
	return f, found, nil
}
