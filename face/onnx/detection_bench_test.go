package onnx

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/models"
	"github.com/kith-photos/kith/models/modelstest"
)

// variants are the passes that BenchmarkDetection compares: all, each of them
// switched off, none.
func variants() []variant {
	without := func(off func(p *passes)) passes {
		p := allPasses()
		off(&p)
		return p
	}
	return []variant{
		{"all", allPasses()},
		{"no turns", without(func(p *passes) { p.turns = false })},
		{"no close", without(func(p *passes) { p.close = false })},
		{"no tiles", without(func(p *passes) { p.tiles = false })},
		{"none", passes{}},
	}
}

type variant struct {
	name string
	passes
}

// BenchmarkDetection finds the faces of the albums as they are, turned, cut
// close, covered, and small on one large canvas, and prints what share of the
// faces each detector finds, how many boxes are on no face or the second on
// one, and the CPU time a photo, with each pass switched off in turn. What is
// to be found are the faces of which YuNet is sure in the photo as it is.
//
//	go test -run '^$' -bench Detection -benchtime 1x -timeout 30m ./face/onnx
//
// KITH_SCENES names some of the scenes, separated by commas; KITH_PHOTOS=N takes
// at most N photos of an album instead of 60, 0 all; KITH_SHOW=1 lists what is
// missed and what is false.
func BenchmarkDetection(b *testing.B) {
	ref := newReference(b)
	for name, inst := range map[string]models.Installation{
		"yunet": modelstest.RequireDetector(b, "yunet-n-dynamic"), "ultraface": modelstest.RequireUltraFace(b),
	} {
		b.Run(name, func(b *testing.B) {
			e := open(b, inst, Options{})
			fd, _, _ := partsOf(b, e, inst)
			for b.Loop() {
				printDetection(b, fd, ref)
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

func printDetection(b *testing.B, fd *finder, ref *reference) {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "scene\tpasses\tphotos\tfaces\tfound\tfalse\tdouble\tms CPU\t")
	for _, name := range sceneNames() {
		tallies := map[string]*tally{}
		for s := range ref.scenes(b, name) {
			for _, v := range variants() {
				fd.passes = v.passes
				if tallies[v.name] == nil {
					tallies[v.name] = &tally{}
				}
				tallies[v.name].add(b, fd, s)
			}
		}
		for _, v := range variants() {
			if t := tallies[v.name]; t != nil {
				fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%.1f\t\n", name, v.name, t.photos, t.faces, t.found, t.wrong, t.double,
					1000*t.cpu.Seconds()/float64(t.photos))
			}
		}
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	fmt.Fprintf(os.Stdout, "\n%s\n%s", fd.Name(), text.String())
}

// tally counts what a detector made of scenes.
type tally struct {
	photos, faces, found, wrong, double int
	cpu                                 time.Duration
}

func (t *tally) add(tb testing.TB, fd *finder, s scene) {
	tb.Helper()
	p, err := face.NewPicture(s.img)
	if err != nil {
		tb.Fatal(err)
	}
	before := cpuTime(tb)
	ds, err := fd.Detect(tb.Context(), p)
	if err != nil {
		tb.Fatal(err)
	}
	t.cpu += cpuTime(tb) - before
	t.photos++
	t.faces += len(s.must)
	slices.SortFunc(ds, func(a, b face.Detection) int { return cmp.Compare(b.Score, a.Score) })
	found := make([]bool, len(s.must))
	for _, d := range ds {
		i, best := -1, 0.4
		for k, m := range s.must {
			if iou := d.Box.IoU(m); iou >= best {
				i, best = k, iou
			}
		}
		may := slices.ContainsFunc(s.may, func(m face.Box) bool { return d.Box.Intersection(m) > 0.3*min(m.Area(), d.Box.Area()) })
		switch {
		case i >= 0 && !found[i]:
			found[i] = true
			t.found++
		case slices.ContainsFunc(s.must, func(m face.Box) bool { return d.Box.Intersection(m) > 0.65*min(m.Area(), d.Box.Area()) }):
			t.double++
		case !may:
			t.wrong++
			if os.Getenv("KITH_SHOW") != "" {
				fmt.Printf("false: %s %+v %.2f of %v\n", s.name, d.Box, d.Score, s.img.Bounds().Size())
			}
		}
	}
	if os.Getenv("KITH_SHOW") != "" {
		for k, ok := range found {
			if !ok {
				fmt.Printf("missed: %s %+v of %v\n", s.name, s.must[k], s.img.Bounds().Size())
			}
		}
	}
}

func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// albumPhotos lists the photos of an album, at most limit, spread evenly.
func albumPhotos(tb testing.TB, album string, limit int) []string {
	tb.Helper()
	if album == "demo" {
		return modelstest.DemoPhotos(tb)
	}
	var paths []string
	err := filepath.WalkDir(modelstest.Album(tb, album), func(path string, d fs.DirEntry, err error) error {
		switch strings.ToLower(filepath.Ext(path)) {
		case ".jpg", ".jpeg", ".png", ".webp":
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	slices.Sort(paths)
	if limit <= 0 || len(paths) <= limit {
		return paths
	}
	some := make([]string, limit)
	for i := range some {
		some[i] = paths[i*len(paths)/limit]
	}
	return some
}
