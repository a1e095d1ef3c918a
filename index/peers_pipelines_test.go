package index_test

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"text/tabwriter"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/models"
	"github.com/kith-photos/kith/models/modelstest"
)

// BenchmarkPipelines finds the faces of the same 12 photos of 12 megapixels
// with kith and with what people would take instead, each in a process of its
// own on one thread, in turn for several rounds, and prints the medians:
//
//	go test -run '^$' -bench Pipelines -benchtime 1x ./index
//
// [indexAlbum], [naive], compare/opencv.py and compare/dlib.cc say what is done
// and what is left out. The time is that from the first photo to the last, with
// the models loaded; the memory is the whole process'. KITH_DETECTOR names
// another YuNet for all; with yunet-2023mar OpenCV 4.6 has the same network as
// kith, and otherwise a somewhat smaller one. -short takes three photos once.
func BenchmarkPipelines(b *testing.B) {
	inst := requireYuNet(b, cmp.Or(os.Getenv("KITH_DETECTOR"), defaultYuNet))
	photos, rounds := 12, 3
	if testing.Short() {
		photos, rounds = 3, 1
	}
	album, truth := bigAlbum(b, photos), bigTruth(b, photos)
	var rows []*row
	for _, p := range append(pipelines(b, inst), dlib(b)) {
		rows = append(rows, &row{pipeline: p})
	}
	for b.Loop() {
		for range rounds {
			for _, r := range rows {
				if r.missing != "" {
					continue
				}
				o, err := r.run(b.Context(), album)
				if err != nil {
					b.Fatal(err)
				}
				r.rounds = append(r.rounds, o)
			}
		}
	}
	fmt.Printf("%d photos, %d rounds, detector %s\n", photos, len(rows[0].rounds), inst.Detector.ID)
	printRows(rows, truth)
	for _, r := range rows[1:] {
		if r.missing == "" {
			b.ReportMetric(r.ratio(rows[0], outcome.cpu), r.name+"-cpu/kith")
		}
	}
	b.ReportMetric(1000*rows[0].median(outcome.cpu)/float64(photos), "kith-cpu-ms/photo")
	b.ReportMetric(0, "ns/op")
}

// TestPipelines: on two demonstration photos the pipelines that describe faces
// find the same ones and describe them alike. It is also the child that runs
// those written in Go.
func TestPipelines(t *testing.T) {
	if name := os.Getenv(peerChild); name != "" {
		peer(t, name)
		return
	}
	if raceEnabled {
		t.Skip("the race detector slows the naive program down, which has nothing concurrent")
	}
	inst := requireYuNet(t, defaultYuNet)
	album, there := t.TempDir(), 0
	counts := readManifest(t, "demo").Counts
	for _, path := range modelstest.DemoPhotos(t)[:2] {
		must(t, os.Symlink(path, filepath.Join(album, filepath.Base(path))))
		there += counts[filepath.Base(path)][0]
	}
	list := pipelines(t, inst)
	ours := must1[outcome](t)(list[0].run(t.Context(), album))
	if len(ours.Faces) != there {
		t.Fatalf("kith finds %d faces, a person sees %d", len(ours.Faces), there)
	}
	for _, p := range list[1:] {
		t.Run(p.name, func(t *testing.T) {
			if p.missing != "" {
				t.Skip(p.missing)
			}
			o := must1[outcome](t)(p.run(t.Context(), album))
			same := o.matched(ours)
			// One more may be what kith drops at a second look.
			if len(same) != there || len(o.Faces) > there+1 {
				t.Fatalf("%d faces of which %d are kith's, who finds %d", len(o.Faces), len(same), there)
			}
			least := 0.9 // of the overlap
			if p.name == openCV {
				least = 0.65 // its YuNet may be another, and it shrinks the photo by a coarser filter
			}
			for i, m := range same {
				t.Logf("%v: IoU %.3f, cosine %.3f", ours.Faces[i].Box, m.iou, m.cosine)
				// The crops are cut from pixels of other sizes; different
				// people are at 0.0 +- 0.1.
				if m.iou < least || !(m.cosine > 0.8) {
					t.Errorf("face %d: IoU %.3f, cosine %.3f", i, m.iou, m.cosine)
				}
			}
		})
	}
}

// defaultYuNet is the detector of the default set.
const defaultYuNet = "yunet-n-dynamic"

// requireYuNet is the default set with a YuNet: the other pipelines know no
// other detector.
func requireYuNet(tb testing.TB, id string) models.Installation {
	tb.Helper()
	if runtime.GOOS != "linux" {
		tb.Skip("peak memory is read from /proc, which only Linux has")
	}
	inst := modelstest.RequireDetector(tb, id)
	if inst.Detector.Kind != "yunet" {
		tb.Skipf("%s is no YuNet, and the other pipelines know no other detector", id)
	}
	return inst
}

// bigTruth is how many faces a person sees on the photos of [bigAlbum].
func bigTruth(tb testing.TB, n int) map[string]int {
	tb.Helper()
	counts := readManifest(tb, "demo").Counts
	demo := modelstest.DemoPhotos(tb)
	truth := map[string]int{}
	for i := range n {
		truth[fmt.Sprintf("big%02d.jpg", i)] = counts[filepath.Base(demo[i%len(demo)])][1]
	}
	return truth
}

// row is a pipeline and what came of it, a round each.
type row struct {
	pipeline
	rounds []outcome
}

func (o outcome) cpu() float64  { return o.CPU }
func (o outcome) wall() float64 { return o.Wall }
func (o outcome) peak() float64 { return float64(o.Peak) }

func (r *row) median(of func(outcome) float64) float64 {
	var vs []float64
	for _, o := range r.rounds {
		vs = append(vs, of(o))
	}
	return median(vs)
}

// ratio is the median of the rounds' ratios: the machine's moods pass over
// both alike.
func (r *row) ratio(to *row, of func(outcome) float64) float64 {
	var vs []float64
	for i, o := range r.rounds {
		vs = append(vs, of(o)/of(to.rounds[i]))
	}
	return median(vs)
}

func median(vs []float64) float64 {
	slices.Sort(vs)
	return (vs[(len(vs)-1)/2] + vs[len(vs)/2]) / 2
}

func printRows(rows []*row, truth map[string]int) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(w, "\tCPU ms a photo\tphotos/s\tpeak MB\tfaces\ttoo many\tcosine\tCPU / kith\ttime / kith\t\tversion")
	for _, r := range rows {
		if r.missing != "" {
			fmt.Printf("%s is left out: %s\n", r.name, r.missing)
			continue
		}
		n, last := float64(len(truth)), r.rounds[len(r.rounds)-1]
		found, all, many := last.against(truth)
		_, _ = fmt.Fprintf(w, "%s\t%.0f\t%.2f\t%.0f\t%d of %d\t%d\t%s\t%.2f\t%.2f\t\t%s\n", r.name,
			1000*r.median(outcome.cpu)/n, n/r.median(outcome.wall), r.median(outcome.peak)/(1<<20),
			found, all, many, last.alike(rows[0].rounds[0]), r.ratio(rows[0], outcome.cpu), r.ratio(rows[0], outcome.wall), last.Version)
	}
	_ = w.Flush()
}

// against counts the faces by how many a person sees on each photo: those
// found, those that are there, and those beyond.
func (o outcome) against(truth map[string]int) (found, all, many int) {
	n := map[string]int{}
	for _, f := range o.Faces {
		n[f.Photo]++
	}
	for photo, there := range truth {
		found += min(n[photo], there)
		all += there
		many += max(0, n[photo]-there)
	}
	return found, all, many
}

// match is a face of one pipeline as another found it.
type match struct {
	iou    float64
	cosine float64 // NaN where there are no vectors
}

// matched finds the reference's faces again, those that overlap by a third at
// least, in the reference's order.
func (o outcome) matched(ref outcome) []match {
	var ms []match
	for _, want := range ref.Faces {
		best := match{iou: 1. / 3}
		for _, f := range o.Faces {
			if iou := f.box().IoU(want.box()); f.Photo == want.Photo && iou > best.iou {
				best = match{iou, math.NaN()}
				if len(f.Vector) > 0 {
					best.cosine = face.Vector(f.Vector).Dot(want.Vector)
				}
			}
		}
		if best.iou > 1./3 {
			ms = append(ms, best)
		}
	}
	return ms
}

func (s seen) box() face.Box { return face.Box{X: s.Box[0], Y: s.Box[1], W: s.Box[2], H: s.Box[3]} }

// alike is the mean cosine similarity of the faces that both found.
func (o outcome) alike(ref outcome) string {
	sum, ms := 0.0, o.matched(ref)
	for _, m := range ms {
		sum += m.cosine
	}
	if len(ms) == 0 || math.IsNaN(sum) {
		return "-"
	}
	return fmt.Sprintf("%.3f", sum/float64(len(ms)))
}
