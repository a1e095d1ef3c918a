//go:build cgo

package cluster_test

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"text/tabwriter"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/face/cluster"
)

const (
	mixtures     = 30  // libraries drawn from each album in addition
	mixtureLeast = 10  // photos a person of the family has to have
	marginAtMost = 0.3 // of the runner-up, a feature that suggest.go does without
)

// BenchmarkFitCandidates fits the logistic regression of suggest.go anew and
// prints the coefficients, with evidence of how well they carry over:
//
//	go test -run '^$' -bench FitCandidates -benchtime 1x ./face/cluster
//
// It fits the candidates of the libraries drawn from lfw-dev, as it is and
// shrunk, and of thirty mixtures of each: 3 to 20 people of 5 to 54 photos and
// up to 200 others of 1 to 3. A kind of library weighs as the root of its
// number of candidates. The other albums are never fitted. "without" was fitted
// without the libraries of the line's album, "now" are the constants in use.
func BenchmarkFitCandidates(b *testing.B) {
	analyzer := openEngine(b).Analyzer()
	var asked []question
	eachCollection(b, analyzer, func(b *testing.B, from string, c collection) {
		asked = append(asked, collect(b, c, from, analyzer.Impostors())...)
	})
	for _, from := range fitted {
		b.Run("mixtures of "+from, func(b *testing.B) {
			c := collection{name: "mixtures of " + from, draws: readSource(b, analyzer, from).mixtures()}
			asked = append(asked, collect(b, c, from, analyzer.Impostors())...)
		})
	}
	if len(asked) == 0 {
		return
	}
	if err := printFit(os.Stdout, observe(asked), asked); err != nil {
		b.Error(err)
	}
}

// fitted are the albums whose libraries the coefficients are made from.
var fitted = []string{"lfw-dev", "tiny-72", "tiny-36", "tiny-28"}

func readSource(b *testing.B, a *face.Analyzer, name string) population {
	b.Helper()
	side := 0
	if n, _ := fmt.Sscanf(name, "tiny-%d", &side); n == 1 {
		return readShrunk(b, a, side)
	}
	return readPopulation(b, a, name)
}

func collect(b *testing.B, c collection, from string, tail face.Impostors) (qs []question) {
	for b.Loop() {
		qs = nil
		for _, l := range c.draws {
			qs = append(qs, questions(b, l, tail, from, c.name)...)
		}
	}
	return qs
}

func (p population) mixtures() []*library {
	return p.repeat(mixtures, func(d *draft) {
		family := sample(d.rng, p.sized(mixtureLeast, math.MaxInt), 3+d.rng.IntN(18))
		for _, q := range family {
			d.take(5+d.rng.IntN(50), q)
		}
		for _, q := range sample(d.rng, p.people, d.rng.IntN(200)) {
			if !slices.ContainsFunc(family, func(o person) bool { return o.name == q.name }) {
				d.take(1+d.rng.IntN(3), q)
			}
		}
	})
}

// observe turns candidates into what is regressed on.
func observe(qs []question) []observation {
	of := map[string]int{}
	for _, q := range qs {
		of[q.kind]++
	}
	var out []observation
	for _, q := range qs {
		out = append(out, observation{
			features: []float64{1, -math.Log(q.Strangers), min(q.Similarity-q.RunnerUp, marginAtMost), math.Log2(float64(q.vectors))},
			outcome:  truth(q.yes),
			weight:   1 / math.Sqrt(float64(of[q.kind])),
		})
	}
	return out
}

// chosen are the observations whose question use picks.
func chosen(data []observation, qs []question, use func(q question) bool) (out []observation, from []question) {
	for i, q := range qs {
		if use(q) {
			out, from = append(out, data[i]), append(from, q)
		}
	}
	return out, from
}

// model is a choice of features.
type model struct {
	name  string
	terms []string
	of    func(features []float64) []float64
}

var margins = model{"with the margin, ", []string{"logitBase", "logitRare", "logitMargin", "logitSize"}, slices.Clone[[]float64]}
var noMargins = model{"", []string{"logitBase", "logitRare", "logitSize"},
	func(x []float64) []float64 { return []float64{x[0], x[1], x[3]} }}

// fit is the model's coefficients for some observations.
func (m model) fit(data []observation) []float64 {
	data = slices.Clone(data)
	for i := range data {
		data[i].features = m.of(data[i].features)
	}
	return logistic(data)
}

// standardError is how far the coefficients move when the observations are
// drawn anew from themselves.
func (m model) standardError(data []observation) []float64 {
	const times = 20
	rng := rand.New(rand.NewPCG(1, 3))
	sum, squares := make([]float64, len(m.terms)), make([]float64, len(m.terms))
	for range times {
		again := make([]observation, len(data))
		for i := range again {
			again[i] = data[rng.IntN(len(data))]
		}
		for k, x := range m.fit(again) {
			sum[k] += x / times
			squares[k] += x * x / times
		}
	}
	for k := range sum {
		sum[k] = math.Sqrt(max(0, squares[k]-sum[k]*sum[k]))
	}
	return sum
}

func printFit(to io.Writer, data []observation, qs []question) error {
	train, _ := chosen(data, qs, func(q question) bool { return slices.Contains(fitted, q.source) })
	if len(train) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	models := []model{margins, noMargins}
	theta := make([][]float64, len(models))
	for k, m := range models {
		if theta[k] = m.fit(train); theta[k] == nil {
			return fmt.Errorf("the regression on %d candidates does not converge", len(train))
		}
		off := m.standardError(train)
		_, _ = fmt.Fprintf(w, "\n%s%d candidates, bootstrap standard error\n", m.name, len(train))
		for c, name := range m.terms {
			_, _ = fmt.Fprintf(w, "%s\t%.2f\t± %.2f\n", name, theta[k][c], off[c])
		}
	}
	_, _ = fmt.Fprintf(w, "\nlog loss, and candidates by probability, %%: how many, mean probability, share true\nalbum\tcoefficients\tlog loss%s\n", binsHead())
	for _, s := range sources() {
		held, from := chosen(data, qs, func(q question) bool { return q.source == s.name })
		if len(held) == 0 {
			continue
		}
		line := func(name string, p func(i int) float64) {
			var t bins
			for i, q := range from {
				t.add(p(i), q.yes)
			}
			_, _ = fmt.Fprintf(w, "%s\t%s\t%.4f%s\n", s.name, name, logLoss(held, p), t.row())
		}
		line("now", func(i int) float64 { return from[i].Probability })
		rest, _ := chosen(data, qs, func(q question) bool { return q.source != s.name && slices.Contains(fitted, q.source) })
		for k, m := range models {
			line(m.name+"fitted", func(i int) float64 { return predict(theta[k], m.of(held[i].features)) })
			if without := m.fit(rest); without != nil && len(rest) < len(train) {
				line(fmt.Sprintf("%swithout %.2f", m.name, without), func(i int) float64 { return predict(without, m.of(held[i].features)) })
			}
		}
	}
	return w.Flush()
}

// The regression sees what suggest.go computes: with its constants it gives the
// same probabilities.
func TestObserve(t *testing.T) {
	_, _, tail := cluster.SyntheticAlbum(1, 0)
	f, who := cluster.PoorAlbum(3, 200)
	u := newUser(t, &library{Faces: f, truth: make([]string, len(who))}, tail)
	cs, err := cluster.Candidates(t.Context(), u.Faces, u.label, u.links, u.options)
	if err != nil || len(cs) < 10 {
		t.Fatalf("%d candidates, %v", len(cs), err)
	}
	var qs []question
	for _, c := range cs {
		qs = append(qs, question{kind: "poor", Candidate: c, vectors: u.vectors(c.Faces)})
	}
	data := observe(qs)
	for i, o := range data {
		o.outcome = qs[i].Probability // a fractional outcome is fitted like any other
		o.weight = 1e6                // next to which the ridge is nothing
		data[i] = o
	}
	theta := logistic(data)
	for i, o := range data {
		if got, want := predict(theta, o.features), qs[i].Probability; math.Abs(got-want) > 1e-6 {
			t.Errorf("candidate %d: %v fitted, %v given: coefficients %.3f", i, got, want, theta)
		}
	}
}
