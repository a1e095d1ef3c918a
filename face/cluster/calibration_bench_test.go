//go:build cgo

package cluster_test

import (
	"fmt"
	"io"
	"math"
	"os"
	"testing"
	"text/tabwriter"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/face/cluster"
)

// BenchmarkCalibration compares what kith predicts with what is true by the
// labels, and prints tables:
//
//	go test -run '^$' -bench Calibration -benchtime 1x ./face/cluster
//
// The first has the share of false edges at the chosen threshold, and of false
// joins of the second stage, the latter among the persons whom somebody joined.
// Only faces that somebody named count, but for "all edges", which is what
// Result predicts. The others have the share of candidates that are true, by
// their probability: a candidate is true if most of its faces and most of its
// person's are of one person.
//
// The tail that predicts was measured on lfw-dev as a whole.
func BenchmarkCalibration(b *testing.B) {
	analyzer := openEngine(b).Analyzer()
	var joined []joinedRow
	var asked []question
	eachCollection(b, analyzer, func(b *testing.B, from string, c collection) {
		var row joinedRow
		var qs []question
		for b.Loop() {
			row, qs = joinedRow{library: c.name}, nil
			for _, l := range c.draws {
				row.add(b, l, analyzer.Impostors())
				qs = append(qs, questions(b, l, analyzer.Impostors(), from, c.name)...)
			}
		}
		joined, asked = append(joined, row), append(asked, qs...)
	})
	if len(joined) == 0 {
		return
	}
	if err := printCalibration(os.Stdout, joined, asked); err != nil {
		b.Error(err)
	}
}

// joinedRow counts, over the libraries of a collection, what was predicted and
// what is so.
type joinedRow struct {
	library                    string
	threshold                  float64 // mean over the libraries with edges
	grouped                    int     // libraries with edges
	edges, allEdges, trueEdges int
	falseEdges, allFalseEdges  float64 // predicted
	joins, trueJoins           int
	falseJoins                 float64 // predicted among all joins
	allJoins                   int
}

func (r *joinedRow) add(b *testing.B, l *library, tail face.Impostors) {
	o := cluster.Options{Impostors: tail}
	res, err := cluster.Group(b.Context(), l.Faces, cluster.Links{}, o)
	if err != nil {
		b.Fatal(err)
	}
	if res.Edges == 0 {
		return
	}
	r.grouped++
	r.threshold += res.Threshold
	r.allEdges += res.Edges
	r.allFalseEdges += res.ExpectedFalse
	err = cluster.EdgesAbove(b.Context(), l.Faces, res.Threshold, func(i, j int) {
		if l.truth[i] != "" && l.truth[j] != "" {
			r.edges++
			if l.truth[i] == l.truth[j] {
				r.trueEdges++
			}
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	r.falseEdges += float64(l.knownPairs()) * cluster.FAR(tail, res.Threshold)
	js, err := cluster.SecondStage(b.Context(), l.Faces, o)
	if err != nil {
		b.Fatal(err)
	}
	r.falseJoins += js.ExpectedFalse
	r.allJoins += len(js.Joinings)
	for _, j := range js.Joinings {
		if who, whose := l.who(j.Loose), l.who(j.Person); who != "" && whose != "" {
			r.joins++
			if who == whose {
				r.trueJoins++
			}
		}
	}
}

// knownPairs is the number of pairs of named faces that no photo shows
// together.
func (l *library) knownPairs() int {
	known, on := 0, map[int32]int{}
	for i, who := range l.truth {
		if who != "" {
			known++
			on[l.Photo[i]]++
		}
	}
	pairs := known * (known - 1) / 2
	for _, n := range on {
		pairs -= n * (n - 1) / 2
	}
	return pairs
}

// question is a candidate and its answer.
type question struct {
	source, kind string
	cluster.Candidate
	vectors int
	yes     bool
}

// questions are the candidates of a library whose answer is known.
func questions(b *testing.B, l *library, tail face.Impostors, from, kind string) []question {
	b.Helper()
	u := newUser(b, l, tail)
	cs, err := cluster.Candidates(b.Context(), u.Faces, u.label, u.links, u.options)
	if err != nil {
		b.Fatal(err)
	}
	members := map[int][]int{}
	for i, k := range u.label {
		members[k] = append(members[k], i)
	}
	var out []question
	for _, c := range cs {
		who, whose := l.who(c.Faces), l.who(members[c.Person])
		if who != "" && whose != "" {
			out = append(out, question{from, kind, c, l.vectors(c.Faces), who == whose})
		}
	}
	return out
}

// vectors is how many different ones the faces have.
func (l *library) vectors(faces []int) int {
	different := map[string]bool{}
	for _, i := range faces {
		different[fmt.Sprint(l.vector(i))] = true
	}
	return len(different)
}

// likelihoods are the bounds of the bins of a table of candidates.
var likelihoods = [...]float64{0, 0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 1}

// bins are candidates counted by their probability.
type bins [len(likelihoods) - 1]struct {
	n        int
	sum, yes float64
}

func (t *bins) add(p float64, yes bool) {
	for k := range t {
		if p < likelihoods[k+1] || k == len(t)-1 {
			t[k].n++
			t[k].sum += p
			t[k].yes += truth(yes)
			return
		}
	}
}

func truth(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// row is a line of such a table: of each bin, how many there are, the mean
// probability, and the share that is true, in percent.
func (t *bins) row() string {
	s := ""
	for _, bin := range t {
		n := math.Max(float64(bin.n), 1)
		if s += "\t"; bin.n > 0 {
			s += fmt.Sprintf("%d: %.0f %.0f", bin.n, 100*bin.sum/n, 100*bin.yes/n)
		}
	}
	return s
}

func binsHead() string {
	s := ""
	for k, low := range likelihoods[:len(likelihoods)-1] {
		s += fmt.Sprintf("\t%g to %g", 100*low, 100*likelihoods[k+1])
	}
	return s
}

func printCalibration(to io.Writer, joined []joinedRow, asked []question) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprint(w, "\nfalse edges and false joins, %, predicted and measured\n"+
		"library\tthreshold\tall edges\tpredicted\tof named\tpredicted\tmeasured\tjoins\tpredicted\tof named\tmeasured\n")
	share := func(part float64, n int) float64 { return 100 * part / float64(max(n, 1)) }
	for _, r := range joined {
		_, _ = fmt.Fprintf(w, "%s\t%.3f\t%d\t%.2f\t%d\t%.2f\t%.2f\t%d\t%.1f\t%d\t%.1f\n", r.library,
			r.threshold/float64(max(r.grouped, 1)), r.allEdges, share(r.allFalseEdges, r.allEdges),
			r.edges, share(r.falseEdges, r.edges), share(float64(r.edges-r.trueEdges), r.edges),
			r.allJoins, share(r.falseJoins, r.allJoins), r.joins, share(float64(r.joins-r.trueJoins), r.joins))
	}
	for _, by := range []struct {
		title string
		of    func(q question) string
	}{
		{"library", func(q question) string { return q.kind }},
		{"album", func(q question) string { return q.source }},
		{"", func(question) string { return "all" }},
	} {
		_, _ = fmt.Fprintf(w, "\ncandidates by probability, %%: how many, mean probability, share true\n%s%s\n", by.title, binsHead())
		var order []string
		of := map[string]*bins{}
		for _, q := range asked {
			name := by.of(q)
			if of[name] == nil {
				of[name], order = &bins{}, append(order, name)
			}
			of[name].add(q.Probability, q.yes)
		}
		for _, name := range order {
			_, _ = fmt.Fprintln(w, name+of[name].row())
		}
	}
	return w.Flush()
}
