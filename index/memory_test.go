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

	"github.com/disintegration/imaging"

	"github.com/kith-photos/kith/face/onnx"
	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/models/modelstest"
)

// maxPerWorker is how much memory a worker may take beyond the models on
// photos of 12 megapixels.
const maxPerWorker = 150 << 20

// bigAlbum makes an album of n different 12-megapixel photos out of the
// demonstration photos.
func bigAlbum(tb testing.TB, n int) string {
	tb.Helper()
	dir := tb.TempDir()
	photos := modelstest.DemoPhotos(tb)
	for i := range n {
		small, err := imaging.Open(photos[i%len(photos)])
		if err != nil {
			tb.Fatal(err)
		}
		img := imaging.Resize(small, 4000, 3000, imaging.Linear)
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

// TestMemory indexes 12-megapixel photos in a process of its own and compares
// its peak memory with what it was once the models were loaded.
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
	dir := bigAlbum(t, 6)
	for workers := 1; workers <= 2; workers++ {
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
		beyond := (after - before) / int64(workers)
		t.Logf("%d workers: %d MB with the models, %d MB at the peak, %d MB a worker", workers, before>>20, after>>20, beyond>>20)
		if beyond > maxPerWorker {
			t.Errorf("%d MB a worker, more than %d", beyond>>20, maxPerWorker>>20)
		}
	}
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
	inst := modelstest.Require(b)
	dir := bigAlbum(b, 12)
	for b.Loop() {
		m := measure(b, dir, inst, 1)
		n := float64(m.report.Indexed)
		b.ReportMetric(1000*m.cpu.Seconds()/n, "cpu-ms/photo")
		b.ReportMetric(m.cpu.Seconds()/m.ort.Seconds(), "cpu/ort")
		for _, stage := range []string{"read", "exif", "decode", "analyze", "commit"} {
			b.ReportMetric(1000*m.report.Work[stage].Seconds()/n, stage+"-ms/photo")
		}
		b.ReportMetric(0, "ns/op")
	}
}
