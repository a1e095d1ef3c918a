//go:build cgo

package cluster_test

import (
	"fmt"
	"io"
	"os"
	"slices"
	"testing"
	"text/tabwriter"

	"github.com/kith-photos/kith/face"
)

// mostAnswers is after how many pages a user has had enough.
const mostAnswers = 10

// BenchmarkUser lets somebody who knows the labels answer kith's questions and
// prints how the libraries look before and after so many answers:
//
//	go test -run '^$' -bench User -benchtime 1x ./face/cluster
//
// An answer is one page: which of these up to twelve faces or clusters are
// this person? A face that nobody named is refused. "answers" and "ticks" are
// the means over the libraries that reached the goal, 1.1 clusters a person at
// BCubed and pairwise precision of 0.99, and "reached" says how many did.
// In sports5 three to five labels of a hundred are wrong.
func BenchmarkUser(b *testing.B) {
	analyzer := openEngine(b).Analyzer()
	var table userTable
	for _, s := range sources() {
		b.Run(s.name, func(b *testing.B) {
			for _, c := range askable(s, b, analyzer) {
				b.Run(c.name, func(b *testing.B) {
					var row []session
					for b.Loop() {
						row = nil
						for _, l := range c.draws {
							row = append(row, sit(b, newUser(b, l, analyzer.Impostors())))
						}
					}
					table = append(table, userRow{c, row})
				})
			}
		})
	}
	if len(table) == 0 {
		return
	}
	if err := table.print(os.Stdout); err != nil {
		b.Error(err)
	}
}

// askable are the libraries of a source whose people one user knows, at most
// twenty.
func askable(s source, b *testing.B, a *face.Analyzer) []collection {
	if s.name == "lfw-dev" {
		p := readPopulation(b, a, s.name)
		out := slices.DeleteFunc(p.collections(), func(c collection) bool {
			return c.name != "family" && c.name != "portraits"
		})
		return append(out, p.fewLookAlikes(), p.siblings())
	}
	return slices.DeleteFunc(s.collect(b, a), func(c collection) bool { return c.name == s.name+"-all" })
}

// fewLookAlikes are two people alike among a few others.
func (p population) fewLookAlikes() collection {
	c := collection{name: "look-alikes-20", about: "two alike of 10 or more photos among 18 others"}
	for i, pair := range p.lookAlikes(5, 10) {
		d := p.draft(uint64(i))
		d.take(mostPhotos, pair[:]...)
		d.take(mostPhotos, sample(d.rng, p.sized(2, 9), 18)...)
		c.draws = append(c.draws, d.done())
	}
	return c
}

// session is how a library looked after each answer, and what it took.
type session struct {
	after   []state // after[k]: after k answers
	reached int     // answers to the goal, -1 if that was never reached
	ticks   int     // to the goal
	refused int     // of all questions
	asked   int
}

type state struct {
	score
	alone float64
}

// sit answers pages until there is nothing left to ask or enough was answered,
// also beyond the goal.
func sit(b *testing.B, u *user) session {
	s := session{reached: -1}
	for {
		s.after = append(s.after, state{u.score, u.alone})
		if s.reached < 0 && u.done() {
			s.reached, s.ticks = u.pages, u.ticked
		}
		if u.pages == mostAnswers {
			break
		}
		if _, ok := u.answer(b); !ok {
			break
		}
	}
	s.refused, s.asked = u.refused, u.refused+u.ticked
	return s
}

// at is the state after k answers, or after the last.
func (s session) at(k int) state { return s.after[min(k, len(s.after)-1)] }

type userRow struct {
	collection
	sessions []session
}

type userTable []userRow

// print writes a line a collection: the means over its libraries, as
// clusters a person, share of faces left alone, and BCubed F.
func (t userTable) print(to io.Writer) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprint(w, "\nclusters/person, % alone, BCubed F (at the ends P/R)\n"+
		"library\tx\tstart\t1\t3\t5\t10 answers\treached\tanswers\tticks\trefused\n")
	for _, r := range t {
		_, _ = fmt.Fprintf(w, "%s\t%d", r.name, len(r.sessions))
		for _, k := range []int{0, 1, 3, 5, mostAnswers} {
			s, alone := r.mean(k)
			_, _ = fmt.Fprintf(w, "\t%.2f %.1f %.2f", s.perPerson, 100*alone, 100*s.bcubed.F)
			if k == 0 || k == mostAnswers {
				_, _ = fmt.Fprintf(w, " (%.2f/%.2f)", 100*s.bcubed.Precision, 100*s.bcubed.Recall)
			}
		}
		_, _ = fmt.Fprintln(w, "\t"+r.effort())
	}
	return w.Flush()
}

func (r userRow) mean(k int) (score, float64) {
	var all []score
	alone := 0.0
	for _, s := range r.sessions {
		all = append(all, s.at(k).score)
		alone += s.at(k).alone / float64(len(r.sessions))
	}
	return mean(all), alone
}

func (r userRow) effort() string {
	var answers, ticks, reached, refused, asked int
	for _, s := range r.sessions {
		if s.reached >= 0 {
			reached++
			answers += s.reached
			ticks += s.ticks
		}
		refused += s.refused
		asked += s.asked
	}
	cells := "-\t-"
	if reached > 0 {
		cells = fmt.Sprintf("%.1f\t%.1f", float64(answers)/float64(reached), float64(ticks)/float64(reached))
	}
	return fmt.Sprintf("%d/%d\t%s\t%d of %d", reached, len(r.sessions), cells, refused, asked)
}
