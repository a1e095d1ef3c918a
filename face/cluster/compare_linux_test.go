package cluster_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/kith-photos/kith/face/cluster"
)

// The variables by which BenchmarkScikitLearn hands files to its child.
const (
	childVectors = "KITH_CLUSTER_VECTORS"
	childLabels  = "KITH_CLUSTER_LABELS"
	childUsage   = "KITH_CLUSTER_USAGE"
)

// childDim is the length of the vectors there.
const childDim = 512

// hacSimilarity is where average linkage is cut. Of 0.30 to 0.45 in steps of
// 0.02 it has its best BCubed F about here on 5,000 faces.
const hacSimilarity = 0.38

// usage is what one process needed.
type usage struct {
	CPU     float64 `json:"cpu_seconds"` // for grouping alone
	Before  int64   `json:"rss_before"`  // resident bytes before the vectors were read
	Peak    int64   `json:"rss_peak"`    // resident bytes at the highest
	Version string  `json:"version"`
}

// BenchmarkScikitLearn groups the same synthetic vectors with kith and with
// scikit-learn's average linkage, each in a process of its own, and prints
// what they needed:
//
//	go test -run '^$' -bench ScikitLearn -benchtime 1x ./face/cluster
//
// ScikitLearn/n=5000 is the quick variant. KITH_PYTHON names a Python that has
// scikit-learn.
func BenchmarkScikitLearn(b *testing.B) {
	python := findPython(b)
	for _, n := range []int{5000, 20000} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			f, who, _ := cluster.SyntheticAlbum(1, n)
			vectors := filepath.Join(b.TempDir(), "vectors.f32")
			writeRaw(b, vectors, f.Data)
			for b.Loop() {
				ours, ourLabels := runKith(b, vectors)
				theirs, theirLabels := runHAC(b, python, vectors)
				fmt.Printf("%d faces: kith %s; %s %s; ratio of CPU %.1f, of memory %.1f\n", n,
					ours.row(ourLabels, who), theirs.Version, theirs.row(theirLabels, who),
					theirs.CPU/ours.CPU, float64(theirs.Peak)/float64(ours.Peak))
				b.ReportMetric(ours.CPU, "kith-cpu-s")
				b.ReportMetric(theirs.CPU, "sklearn-cpu-s")
				b.ReportMetric(float64(ours.Peak), "kith-B")
				b.ReportMetric(float64(theirs.Peak), "sklearn-B")
			}
		})
	}
}

func (u usage) row(labels, who []int) string {
	const mib = 1 << 20
	return fmt.Sprintf("%.2f s CPU, %d MiB at most (%d before), BCubed %v",
		u.CPU, u.Peak/mib, u.Before/mib, cluster.BCubed(labels, who))
}

// findPython finds a Python with scikit-learn, or skips.
func findPython(tb testing.TB) string {
	tb.Helper()
	tried := []string{os.Getenv("KITH_PYTHON"), "/usr/bin/python3", "python3"}
	if tried[0] != "" {
		tried = tried[:1]
	}
	for _, python := range tried {
		if python != "" && exec.CommandContext(tb.Context(), python, "-c", "import sklearn").Run() == nil {
			return python
		}
	}
	tb.Skip("no Python with scikit-learn was found; KITH_PYTHON names one")
	return ""
}

func runHAC(tb testing.TB, python, vectors string) (usage, []int) {
	tb.Helper()
	labels := filepath.Join(tb.TempDir(), "labels.i32")
	cmd := exec.CommandContext(tb.Context(), python, "compare/hac.py", vectors, strconv.Itoa(childDim),
		strconv.FormatFloat(hacSimilarity, 'g', -1, 64), labels)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		tb.Fatalf("hac.py: %v", err)
	}
	return readUsage(tb, out), readLabels(tb, labels)
}

// runKith has this test binary run BenchmarkGroupFile.
func runKith(tb testing.TB, vectors string) (usage, []int) {
	tb.Helper()
	dir := tb.TempDir()
	labels, out := filepath.Join(dir, "labels.i32"), filepath.Join(dir, "usage.json")
	cmd := exec.CommandContext(tb.Context(), os.Args[0],
		"-test.run=^$", "-test.bench=^BenchmarkGroupFile$", "-test.benchtime=1x")
	cmd.Env = append(os.Environ(), childVectors+"="+vectors, childLabels+"="+labels, childUsage+"="+out)
	if text, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("child: %v\n%s", err, text)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		tb.Fatal(err)
	}
	return readUsage(tb, data), readLabels(tb, labels)
}

// BenchmarkGroupFile is the child of BenchmarkScikitLearn: it groups the
// vectors of a file once and writes the labels and what it needed to others.
func BenchmarkGroupFile(b *testing.B) {
	if os.Getenv(childVectors) == "" {
		b.Skip("it is run by BenchmarkScikitLearn")
	}
	u := usage{Before: memory(b, "VmRSS"), Version: runtime.Version()}
	f := cluster.Faces{Dim: childDim, Data: readRaw[float32](b, os.Getenv(childVectors))}
	runtime.GC() // the file as it was read
	_, _, tail := cluster.SyntheticAlbum(1, 0)
	start := processCPU(b)
	res, err := cluster.Group(b.Context(), f, cluster.Links{}, cluster.Options{Impostors: tail})
	if err != nil {
		b.Fatal(err)
	}
	u.CPU, u.Peak = (processCPU(b) - start).Seconds(), memory(b, "VmHWM")
	labels := make([]int32, len(res.Label))
	for i, l := range res.Label {
		labels[i] = int32(l)
	}
	writeRaw(b, os.Getenv(childLabels), labels)
	out, err := json.Marshal(u)
	if err == nil {
		err = os.WriteFile(os.Getenv(childUsage), out, 0o600)
	}
	if err != nil {
		b.Fatal(err)
	}
}

// memory reads a line of /proc/self/status, in bytes. Unlike the maximum that
// getrusage gives, VmHWM does not include the parent's.
func memory(tb testing.TB, field string) int64 {
	tb.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		tb.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, field+":"); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			if err != nil {
				tb.Fatal(err)
			}
			return kib * 1024
		}
	}
	tb.Fatalf("/proc/self/status has no %s", field)
	return 0
}

func writeRaw(tb testing.TB, path string, numbers any) {
	tb.Helper()
	var buf bytes.Buffer
	err := binary.Write(&buf, binary.LittleEndian, numbers)
	if err == nil {
		err = os.WriteFile(path, buf.Bytes(), 0o600)
	}
	if err != nil {
		tb.Fatal(err)
	}
}

func readRaw[T int32 | float32](tb testing.TB, path string) []T {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	numbers := make([]T, len(data)/4)
	if _, err := binary.Decode(data, binary.LittleEndian, numbers); err != nil {
		tb.Fatal(err)
	}
	return numbers
}

func readLabels(tb testing.TB, path string) []int {
	tb.Helper()
	var labels []int
	for _, l := range readRaw[int32](tb, path) {
		labels = append(labels, int(l))
	}
	return labels
}

func readUsage(tb testing.TB, data []byte) usage {
	tb.Helper()
	var u usage
	if err := json.Unmarshal(data, &u); err != nil || u.Peak == 0 {
		tb.Fatalf("%q: %v", data, err)
	}
	return u
}
