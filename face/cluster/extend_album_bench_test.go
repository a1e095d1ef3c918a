//go:build cgo

package cluster_test

import (
	"fmt"
	"os"
	"testing"
	"text/tabwriter"
)

// BenchmarkIncremental adds two thirds of the photos of the measuring albums
// one at a time, in random orders, and prints how far that ends from one
// grouping of all:
//
//	go test -run '^$' -bench Incremental -benchtime 1x ./face/cluster
//
// "as due" groups the whole whenever Due says so, "never" only at first.
// tiny-36 is lfw-dev's people of twelve photos and more, shrunk to 36 pixels.
func BenchmarkIncremental(b *testing.B) {
	analyzer := openEngine(b).Analyzer()
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "\nalbum\tgrouped whole\torder\tphotos\tF from scratch\tF lower by\tmoved by Regroup, %\tlabelled, %\tfaces a region\ttimes grouped whole")
	for _, name := range []string{"lfw-dev", "sports5", "celeb5", "bbt8", "tiny-36"} {
		b.Run(name, func(b *testing.B) {
			var l *library
			if name == "tiny-36" {
				l = readShrunk(b, analyzer, 36).library
			} else {
				l = readPopulation(b, analyzer, name).library
			}
			for b.Loop() {
				for _, due := range []bool{true, false} {
					for seed := range uint64(2) {
						a := arrivalOf(l, analyzer.Impostors(), seed, due)
						a.run(b)
						d := a.drift(b)
						when := map[bool]string{true: "as due", false: "never"}[due]
						_, _ = fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%.4f\t%.4f\t%.2f\t%.2f\t%.0f\t%d\n", name, when, seed, len(a.photos),
							d.bcubed.F, d.f, 100*d.all, 100*d.moved, float64(a.region)/float64(max(a.extended, 1)), a.whole)
						if due && name != "tiny-36" { // a whole Group moves up to 2 % of these
							d.check(b, fmt.Sprintf("%s, order %d", name, seed))
						}
					}
				}
			}
		})
	}
	if err := w.Flush(); err != nil {
		b.Error(err)
	}
}
