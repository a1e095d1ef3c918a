//go:build cgo

package cluster_test

import (
	"fmt"
	"io"
	"os"
	"testing"
	"text/tabwriter"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/face/cluster"
)

// BenchmarkAblation leaves out parts of the rule, one at a time, and prints
// BCubed F, precision and recall of what is left on every library:
//
//	go test -run '^$' -bench Ablation -benchtime 1x ./face/cluster
//
// "no means" is without the second stage (rule 7), "no shares" without rule 5,
// "no photos" without rule 6: nothing is known of photos. "constant" has the
// threshold with the best BCubed F on lfw-dev in place of rule 3, and "no
// deviations" takes the number of edges as it is however few there are.
func BenchmarkAblation(b *testing.B) {
	analyzer := openEngine(b).Analyzer()
	lfw := readPopulation(b, analyzer, "lfw-dev").library
	tail := analyzer.Impostors()
	constant := bestConstant(b, lfw, tail)
	all := ablations(tail, constant)
	var rows []ablationRow
	eachCollection(b, analyzer, func(b *testing.B, _ string, c collection) {
		row := ablationRow{library: c.name}
		for b.Loop() {
			row.scores = nil
			for _, a := range all {
				var of []score
				for _, l := range c.draws {
					of = append(of, scoreOf(a.group(b, l.Faces), l.truth))
				}
				row.scores = append(row.scores, mean(of))
			}
		}
		rows = append(rows, row)
	})
	fmt.Printf("\nthe constant threshold is %.2f\n", constant)
	if err := printAblation(os.Stdout, all, rows); err != nil {
		b.Error(err)
	}
}

// ablation is the rule without some part of it.
type ablation struct {
	name  string
	group func(tb testing.TB, f cluster.Faces) []int
}

func ablations(tail face.Impostors, constant float64) []ablation {
	variant := func(name string, v cluster.Variant, o cluster.Options) ablation {
		o.Impostors = tail
		return ablation{name, func(tb testing.TB, f cluster.Faces) []int {
			tb.Helper()
			res, err := v.Group(tb.Context(), f, o)
			if err != nil {
				tb.Fatal(err)
			}
			return res.Label
		}}
	}
	whole := variant("whole", cluster.Variant{}, cluster.Options{})
	return []ablation{
		whole,
		variant("no means", cluster.Variant{NoMeans: true}, cluster.Options{}),
		variant("no shares", cluster.Variant{NoShares: true}, cluster.Options{}),
		{"no photos", func(tb testing.TB, f cluster.Faces) []int {
			tb.Helper()
			f.Photo = nil
			return whole.group(tb, f)
		}},
		variant("constant", cluster.Variant{}, cluster.Options{Library: cluster.Calibration{Threshold: constant}}),
		variant("no deviations", cluster.Variant{}, cluster.Options{SureFAR: 1}),
	}
}

// bestConstant is the threshold of a grid with which a library is grouped best.
func bestConstant(tb testing.TB, l *library, tail face.Impostors) float64 {
	tb.Helper()
	best, at := -1.0, 0.0
	const lowest, highest = 26, 60
	for percent := lowest; percent <= highest; percent += 2 {
		o := cluster.Options{Impostors: tail, Library: cluster.Calibration{Threshold: float64(percent) / 100}}
		res, err := cluster.Group(tb.Context(), l.Faces, cluster.Links{}, o)
		if err != nil {
			tb.Fatal(err)
		}
		if s := scoreOf(res.Label, l.truth); s.bcubed.F > best {
			best, at = s.bcubed.F, o.Library.Threshold
		}
	}
	if at == lowest/100. || at == highest/100. {
		tb.Fatalf("the best threshold, %v, is at the end of the grid", at)
	}
	return at
}

type ablationRow struct {
	library string
	scores  []score // as the ablations
}

// print writes a line a library and the mean of all lines, in percent.
func printAblation(to io.Writer, all []ablation, rows []ablationRow) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprint(w, "BCubed F (P/R)\nlibrary")
	for _, a := range all {
		_, _ = fmt.Fprint(w, "\t"+a.name)
	}
	line := func(name string, scores []score) {
		_, _ = fmt.Fprint(w, "\n"+name)
		for _, s := range scores {
			_, _ = fmt.Fprintf(w, "\t%.2f (%.2f/%.2f)", 100*s.bcubed.F, 100*s.bcubed.Precision, 100*s.bcubed.Recall)
		}
	}
	var means []score
	for k := range all {
		var of []score
		for _, r := range rows {
			of = append(of, r.scores[k])
		}
		means = append(means, mean(of))
	}
	for _, r := range rows {
		line(r.library, r.scores)
	}
	line("mean", means)
	_, _ = fmt.Fprintln(w)
	return w.Flush()
}
