package index_test

import (
	"fmt"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/disintegration/imaging"

	"github.com/kith-photos/kith/face/onnx"
	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/index/internal/turbojpeg"
	"github.com/kith-photos/kith/models/modelstest"
)

// maxPerWorker is how much memory a worker may take beyond the models, with
// libjpeg-turbo and without, where the photos are decoded as a whole.
func maxPerWorker(turbo bool, megapixels int) int64 {
	if turbo {
		return 40 << 20
	}
	return int64(30+6*megapixels) << 20
}

// bigAlbum makes an album of n different photos of 12 megapixels out of the
// demonstration photos.
func bigAlbum(tb testing.TB, n int) string { return enlarged(tb, n, 4000, 3000) }

// enlarged makes an album of n photos of a size.
func enlarged(tb testing.TB, n, w, h int) string {
	tb.Helper()
	dir := tb.TempDir()
	photos := modelstest.DemoPhotos(tb)
	for i := range n {
		small, err := imaging.Open(photos[i%len(photos)])
		if err != nil {
			tb.Fatal(err)
		}
		filter := imaging.Linear
		if w > 4000 { // makes a photo of 48 megapixels in a second
			filter = imaging.NearestNeighbor
		}
		img := imaging.Resize(small, w, h, filter)
		f, err := os.Create(filepath.Join(dir, fmt.Sprintf("big%02d.jpg", i)))
		if err != nil {
			tb.Fatal(err)
		}
		if err := jpeg.Encode(f, img, &jpeg.Options{Quality: 90 - i/len(photos)}); err != nil {
			tb.Fatal(err)
		}
		if err := f.Close(); err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

// TestMemory indexes photos of 12 and of 48 megapixels in processes of their own
// and compares their peak memory with what it was once the models were loaded.
func TestMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("peak memory is read from /proc, which only Linux has")
	}
	if os.Getenv("KITH_MEMORY_CHILD") != "" {
		memoryChild(t)
		return
	}
	if raceEnabled {
		t.Skip("the race detector multiplies memory")
	}
	_, err := turbojpeg.Open()
	if err != nil {
		t.Logf("the limits are those of image/jpeg: %v", err)
	}
	for megapixels, dir := range map[int]string{12: bigAlbum(t, 6), 48: enlarged(t, 2, 8000, 6000)} {
		for _, workers := range []int{1, 2} {
			beyond := memoryOf(t, dir, workers)
			t.Logf("%d megapixels, %d workers: %d MB a worker", megapixels, workers, beyond>>20)
			if most := maxPerWorker(err == nil, megapixels); beyond > most {
				t.Errorf("%d megapixels: %d MB a worker, more than %d", megapixels, beyond>>20, most>>20)
			}
		}
	}
}

// memoryOf is the peak memory of a process that indexes an album, a worker.
func memoryOf(t *testing.T, dir string, workers int) int64 {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestMemory$", "-test.v")
	cmd.Env = append(os.Environ(), "KITH_MEMORY_CHILD="+dir, fmt.Sprintf("KITH_WORKERS=%d", workers))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, figures, ok := strings.Cut(string(out), "peak: ")
	var before, after int64
	if _, err := fmt.Sscan(figures, &before, &after); !ok || err != nil {
		t.Fatalf("no figures in %s", out)
	}
	return (after - before) / int64(workers)
}

func memoryChild(t *testing.T) {
	e, err := onnx.Open(modelstest.Require(t), onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	workers := 1
	if _, err := fmt.Sscan(os.Getenv("KITH_WORKERS"), &workers); err != nil {
		t.Fatal(err)
	}
	// One small photo first: the models' own working memory counts as theirs.
	warmUp(t, e)
	runtime.GC()
	acc := consented(t, filepath.Join(t.TempDir(), "a.kith"), index.Config{Analyzer: e.Analyzer(), Workers: workers})
	before := resident(t, "VmRSS:")
	if _, err := acc.Reindex(t.Context(), os.DirFS(os.Getenv("KITH_MEMORY_CHILD")), index.ReindexOptions{}); err != nil {
		t.Fatal(err)
	}
	fmt.Printf("peak: %d %d\n", before, resident(t, "VmHWM:"))
}

func warmUp(t *testing.T, e *onnx.Engine) {
	t.Helper()
	photo, err := imaging.Open(modelstest.DemoPhotos(t)[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Analyzer().Analyze(t.Context(), imaging.Resize(photo, 640, 0, imaging.Linear)); err != nil {
		t.Fatal(err)
	}
}

func resident(t *testing.T, field string) int64 {
	t.Helper()
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(data), field)
	var kb int64
	if _, err := fmt.Sscan(rest, &kb); !ok || err != nil {
		t.Fatalf("no %s in /proc/self/status", field)
	}
	return kb << 10
}

// BenchmarkTwelveMegapixels is what a phone's photo costs, against the CPU
// time of ONNX Runtime alone.
//
//	go test -run '^$' -bench TwelveMegapixels -benchtime 1x ./index
func BenchmarkTwelveMegapixels(b *testing.B) {
	e := openEngine(b, modelstest.Require(b))
	dir := bigAlbum(b, 12)
	for name, cfg := range map[string]index.Config{"turbo": {Workers: 1}, "PureGo": {Workers: 1, PureGo: true}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				m := measureWith(b, dir, e, cfg)
				if name == "turbo" && m.report.Decoders["libjpeg-turbo"] == 0 {
					b.Skip("there is no libjpeg-turbo on this machine")
				}
				n := float64(m.report.Indexed)
				b.ReportMetric(1000*m.cpu.Seconds()/n, "cpu-ms/photo")
				b.ReportMetric(m.cpu.Seconds()/m.ort.Seconds(), "cpu/ort")
				b.ReportMetric(1000*m.report.Work["decode"].Seconds()/n, "decode-ms/photo")
				b.ReportMetric(0, "ns/op")
			}
		})
	}
}

// BenchmarkWorkers is how much sooner two workers are done than one.
//
//	go test -run '^$' -bench Workers -benchtime 1x ./index
func BenchmarkWorkers(b *testing.B) {
	e := openEngine(b, modelstest.Require(b))
	dir := bigAlbum(b, 24)
	for b.Loop() {
		best := map[int]time.Duration{}
		for range 3 {
			for _, n := range []int{1, 2} {
				began := time.Now()
				measureWith(b, dir, e, index.Config{Workers: n})
				if d := time.Since(began); best[n] == 0 || d < best[n] {
					best[n] = d
				}
			}
		}
		b.ReportMetric(best[1].Seconds()/best[2].Seconds(), "one/two")
		b.ReportMetric(24/best[2].Seconds(), "photos/s")
		b.ReportMetric(0, "ns/op")
	}
}
