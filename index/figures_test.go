package index_test

import (
	"encoding/json"
	"math"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/face/cluster"
	"github.com/kith-photos/kith/models"
	"github.com/kith-photos/kith/models/modelstest"
)

var albumNames = []string{"demo", "lfw-dev", "sports5", "celeb5", "bbt8", "boxes", "bbt", "politicians"}

// BenchmarkAlbum indexes whole albums from nothing and prints what came of
// it: the figures of the README.
//
//	go test -run '^$' -bench Album -benchtime 1x ./index
//
// The detector is the best that can be had; KITH_DETECTOR names another.
func BenchmarkAlbum(b *testing.B) {
	inst := modelstest.Require(b)
	if d := os.Getenv("KITH_DETECTOR"); d != "" {
		inst = modelstest.RequireDetector(b, d)
	}
	for _, name := range albumNames {
		b.Run(name, func(b *testing.B) {
			man := readManifest(b, name)
			dir := albumDir(b, name)
			for b.Loop() {
				m := measure(b, dir, inst, 1)
				n := float64(m.report.Indexed + m.report.Failed)
				b.ReportMetric(n/m.report.Elapsed.Seconds(), "photos/s")
				b.ReportMetric(float64(len(m.Faces)), "faces")
				b.ReportMetric(float64(m.report.Failed), "failed")
				b.ReportMetric(m.cpu.Seconds()/m.ort.Seconds(), "cpu/ort")
				reportAlbum(b, man, dir, &m)
				b.ReportMetric(0, "ns/op")
			}
		})
	}
}

func reportAlbum(b *testing.B, man manifest, dir string, m *measured) {
	switch man.Layout {
	case "folders":
		id := m.identities()
		b.ReportMetric(float64(id.missed), "missed")
		b.ReportMetric(id.bcubed.Precision, "BCubed-P")
		b.ReportMetric(id.bcubed.Recall, "BCubed-R")
		b.ReportMetric(id.bcubed.F, "BCubed-F")
		b.ReportMetric(id.perPerson, "clusters/person")
		b.ReportMetric(m.report.Grouping.Threshold, "threshold")
		if man.Pairs != "" {
			b.ReportMetric(id.verify(b, filepath.Join(dir, "..", man.Pairs)).Accuracy, "accuracy")
		}
	case "boxes":
		found, all, onNone := m.boxed(b, filepath.Join(dir, man.Boxes), man.Faceless)
		b.ReportMetric(float64(found), "found")
		b.ReportMetric(float64(all), "of")
		b.ReportMetric(float64(onNone), "on-no-face")
	default:
		few, many := m.outside(b, man.counts(b, dir))
		b.ReportMetric(float64(few), "too-few")
		b.ReportMetric(float64(many), "too-many")
	}
}

// lfw indexes lfw-dev once for all tests that need it.
var lfw = sync.OnceValue(func() *measured { return new(measured) })

func measureLFW(t *testing.T) *measured {
	t.Helper()
	dir := albumDir(t, "lfw-dev")
	inst := modelstest.Require(t)
	m := lfw()
	if m.Format == "" {
		*m = measure(t, dir, inst, runtime.GOMAXPROCS(0))
	}
	return m
}

// TestFigures holds the line on what the README says of lfw-dev.
func TestFigures(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: indexing lfw-dev takes a minute")
	}
	m := measureLFW(t)
	id := m.identities()
	v := id.verify(t, filepath.Join(albumDir(t, "lfw-dev"), "..", "lfw-dev-pairs.txt"))
	t.Logf("missed %d of %d, accuracy %.4f, %v, %.2f clusters a person", id.missed, id.photos, v.Accuracy, id.bcubed, id.perPerson)
	if float64(id.missed) > 0.002*float64(id.photos) {
		t.Errorf("missed the face of %d of %d photos, more than 0.2 %%", id.missed, id.photos)
	}
	if v.Accuracy < 0.992 {
		t.Errorf("balanced verification accuracy %.4f, below 0.992", v.Accuracy)
	}
	if id.bcubed.F < 0.983 || id.bcubed.Precision < 0.989 {
		t.Errorf("%v: F below 0.983 or precision below 0.989", id.bcubed)
	}
}

// TestImpostorTail measures the tail that is shipped beside the embedder
// again, on lfw-dev, and compares. With KITH_WRITE_TAIL=FILE it writes it.
func TestImpostorTail(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: indexing lfw-dev takes a minute")
	}
	m := measureLFW(t)
	inst := modelstest.Require(t)
	id := m.identities()
	f := cluster.Faces{Dim: inst.Embedder.Dim}
	var who []int
	number := map[string]int{}
	paths := make([]string, 0, len(id.vectors))
	for p := range id.vectors {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	for _, p := range paths {
		f.Data = append(f.Data, id.vectors[p]...)
		name := path.Dir(p)
		if _, ok := number[name]; !ok {
			number[name] = len(number)
		}
		who = append(who, number[name])
	}
	var ts []float64
	for i := range 91 {
		ts = append(ts, float64(i+10)/100)
	}
	im, err := cluster.MeasureImpostors(t.Context(), f, who, ts)
	if err != nil {
		t.Fatal(err)
	}
	if file := os.Getenv("KITH_WRITE_TAIL"); file != "" {
		writeTail(t, file, inst.Embedder.SHA256, im)
		return
	}
	shipped, ok, err := inst.Embedder.Tail()
	if err != nil || !ok {
		t.Fatalf("no tail is shipped: %v", err)
	}
	have := face.Impostors{Thresholds: shipped.Thresholds, FAR: shipped.FAR}
	for i, th := range im.Thresholds {
		a, b := im.FAR[i], cluster.FAR(have, th)
		// Counts of a handful of pairs scatter; the detector of the day differs.
		if n := a * float64(im.Pairs); n > 1000 && math.Abs(math.Log(a/b)) > 0.1 {
			t.Errorf("FAR(%.2f): measured %.3g, shipped %.3g", th, a, b)
		}
	}
}

func writeTail(t *testing.T, file, sum string, im face.Impostors) {
	t.Helper()
	for i := range im.FAR {
		im.FAR[i], _ = strconv.ParseFloat(strconv.FormatFloat(im.FAR[i], 'g', 5, 64), 64)
	}
	b, err := json.MarshalIndent(models.Tail{
		SHA256: sum, Thresholds: im.Thresholds, FAR: im.FAR, Pairs: im.Pairs,
		Source: "lfw-dev, all pairs of different people, central faces: KITH_WRITE_TAIL=FILE go test -run ImpostorTail ./index",
	}, "", " ")
	if err == nil {
		err = os.WriteFile(file, append(b, '\n'), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}
