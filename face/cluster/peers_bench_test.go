//go:build unix && cgo

package cluster_test

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"testing"
	"text/tabwriter"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/face/cluster"
)

// BenchmarkPeers groups libraries drawn from the measuring albums by kith's
// rule and by those of its peers, on the same vectors, and prints a table:
//
//	go test -run '^$' -bench Peers -benchtime 1x ./face/cluster
//
// Each peer's threshold is the one of a grid with the best BCubed F on
// lfw-dev, and stays as it is for all libraries. kith has its zero options and
// the embedder's impostor tail, which was measured on lfw-dev too. CPU seconds
// include the similarities of all pairs, which the peers get from gonum, and
// are of the whole process; memory is what was allocated in all, not at once.
func BenchmarkPeers(b *testing.B) {
	engine := openEngine(b)
	analyzer := engine.Analyzer()
	lfw := readAlbum(b, analyzer, "lfw-dev")
	var r report
	methods := append([]method{kith(analyzer.Impostors())}, tuned(b, lfw)...)
	r.collection(b, methods, collection{"lfw-dev", "tuned on", []*library{lfw}})
	for _, name := range []string{"sports5", "celeb5", "bbt8"} {
		b.Run(name, func(b *testing.B) {
			r.measure(b, methods, collection{name, "album", []*library{readAlbum(b, analyzer, name)}})
		})
	}
	for _, c := range newPopulation(lfw).collections() {
		r.collection(b, methods, c)
	}
	for _, m := range methods[1:] {
		fmt.Printf("%-20s similarity %.2f, distance %.3f\n", m.name, m.similarity, distance(m.similarity))
	}
	if err := r.print(os.Stdout); err != nil {
		b.Error(err)
	}
}

// method is a rule with its threshold.
type method struct {
	name       string
	similarity float64
	group      func(tb testing.TB, l *library) []int
}

func kith(tail face.Impostors) method {
	return method{name: "kith", group: func(tb testing.TB, l *library) []int {
		res, err := cluster.Group(tb.Context(), l.Faces, cluster.Links{}, cluster.Options{Impostors: tail})
		if err != nil {
			tb.Fatal(err)
		}
		return res.Label
	}}
}

// tuned gives every peer the threshold that is best for it on a library.
func tuned(tb testing.TB, l *library) []method {
	tb.Helper()
	m := newMatrix(l.Faces)
	var out []method
	for _, p := range peers() {
		best, at := -1.0, 0.0
		const lowest, highest = 24, 70
		for percent := lowest; percent <= highest; percent += 2 {
			similarity := float64(percent) / 100
			if s := scoreOf(p.rule(m, l.Faces, similarity), l.truth); s.bcubed.F > best {
				best, at = s.bcubed.F, similarity
			}
		}
		if at == lowest/100. || at == highest/100. {
			tb.Fatalf("%s: the best threshold, %v, is at the end of the grid", p.name, at)
		}
		out = append(out, method{p.name, at, func(_ testing.TB, l *library) []int {
			return p.rule(newMatrix(l.Faces), l.Faces, at)
		}})
	}
	return out
}

// report collects the rows of the table.
type report struct {
	kinds []collection
	rows  [][]row
}

type row struct {
	method string
	score
	cpu, mib float64
}

func (r *report) collection(b *testing.B, methods []method, c collection) {
	b.Run(c.name, func(b *testing.B) { r.measure(b, methods, c) })
}

func (r *report) measure(b *testing.B, methods []method, c collection) {
	var rows []row
	for _, m := range methods {
		b.Run(m.name, func(b *testing.B) {
			var out row
			for b.Loop() {
				out = m.run(b, c)
			}
			rows = append(rows, out)
			b.ReportMetric(out.bcubed.Precision, "BCubed-P")
			b.ReportMetric(out.bcubed.Recall, "BCubed-R")
			b.ReportMetric(out.bcubed.F, "BCubed-F")
			b.ReportMetric(out.cpu, "cpu-s")
		})
	}
	r.kinds, r.rows = append(r.kinds, c), append(r.rows, rows)
}

// run groups every library of a collection. Times and sizes are of the mean
// library.
func (m method) run(tb testing.TB, c collection) row {
	out := row{method: m.name}
	var all []score
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := processCPU(tb)
	var labels [][]int
	for _, l := range c.draws {
		labels = append(labels, m.group(tb, l))
	}
	n := float64(len(c.draws))
	out.cpu = (processCPU(tb) - start).Seconds() / n
	runtime.ReadMemStats(&after)
	out.mib = float64(after.TotalAlloc-before.TotalAlloc) / (1 << 20) / n
	for i, l := range c.draws {
		all = append(all, scoreOf(labels[i], l.truth))
	}
	out.score = mean(all)
	return out
}

// print writes one aligned table, percentages but for the last columns:
// clusters a person, faces of the largest cluster with two or more people in
// it (of all libraries of a kind), CPU seconds and MiB allocated.
func (r *report) print(to io.Writer) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	head := "library\tmethod\tBCubed P\tR\tF\tpairwise P\tR\tF\tclusters/person\timpure\tCPU s\tMiB\n"
	for i, c := range r.kinds {
		faces := 0
		for _, l := range c.draws {
			faces += l.Len()
		}
		_, _ = fmt.Fprintf(w, "\n%s: %s; %d x %d faces\n%s", c.name, c.about, len(c.draws), faces/len(c.draws), head)
		for _, x := range r.rows[i] {
			_, _ = fmt.Fprintf(w, "%s\t%s\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.3f\t%.0f\t%.3f\t%.1f\n", c.name, x.method,
				100*x.bcubed.Precision, 100*x.bcubed.Recall, 100*x.bcubed.F,
				100*x.pairwise.Precision, 100*x.pairwise.Recall, 100*x.pairwise.F,
				x.perPerson, x.impure, x.cpu, x.mib)
		}
	}
	return w.Flush()
}
