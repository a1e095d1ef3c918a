package cluster_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/face/cluster"
)

const (
	pageSize    = 12   // questions on a page
	leastLikely = 0.02 // probability from which on a question is asked
	goalPieces  = 1.1  // clusters a person at most, and
	goalRight   = 0.99 // BCubed and pairwise precision at least: the goal
)

// page is what a user is shown at once: which of these are Anna?
type page struct {
	person    int // her cluster
	questions []cluster.Candidate
	worth     float64 // sum of Probability × faces: how many faces the answer is expected to place
}

// pages are the questions about each person, the pages worth most first.
func pages(cs []cluster.Candidate) []page {
	of := map[int]*page{}
	for _, c := range cs { // those that matter most come first
		p := of[c.Person]
		if p == nil {
			p = &page{person: c.Person}
			of[c.Person] = p
		}
		if c.Probability >= leastLikely && len(p.questions) < pageSize {
			p.questions = append(p.questions, c)
			p.worth += c.Probability * float64(len(c.Faces))
		}
	}
	var out []page
	for _, p := range of {
		if len(p.questions) > 0 {
			out = append(out, *p)
		}
	}
	slices.SortFunc(out, func(a, b page) int {
		return cmp.Or(cmp.Compare(b.worth, a.worth), cmp.Compare(a.person, b.person))
	})
	return out
}

// user answers the questions about a library by its labels.
type user struct {
	*library
	options cluster.Options
	links   cluster.Links
	label   []int // of the latest grouping
	score   score
	alone   float64 // share of the faces of people of two and more that are left alone
	pages   int     // answered
	ticked  int     // questions answered with yes
	refused int     // with no
}

func newUser(tb testing.TB, l *library, tail face.Impostors) *user {
	tb.Helper()
	u := &user{library: l, options: cluster.Options{Impostors: tail}}
	u.group(tb)
	return u
}

// group groups the library by what was answered so far.
func (u *user) group(tb testing.TB) {
	tb.Helper()
	res, err := cluster.Group(tb.Context(), u.Faces, u.links, u.options)
	if err != nil {
		tb.Fatal(err)
	}
	u.label, u.score, u.alone = res.Label, scoreOf(res.Label, u.truth), leftAlone(res.Label, u.truth)
	u.options.Library = cluster.Calibration{Loose: res.Loose}
}

// answer answers the page worth most and groups again. It is false where there
// is nothing left to ask. Pages about a cluster of nobody known are passed over.
func (u *user) answer(tb testing.TB) (page, bool) {
	tb.Helper()
	cs, err := cluster.Candidates(tb.Context(), u.Faces, u.label, u.links, u.options)
	if err != nil {
		tb.Fatal(err)
	}
	for _, p := range pages(cs) {
		faces := u.faces(p.person)
		name := u.who(faces)
		if name == "" {
			continue
		}
		same := slices.Clone(faces)
		for _, q := range p.questions {
			if u.who(q.Faces) == name {
				same = append(same, q.Faces...)
				u.ticked++
			} else {
				u.links.Different = append(u.links.Different, [2]int{faces[0], q.Faces[0]})
				u.refused++
			}
		}
		if len(same) > len(faces) {
			u.links.Same = append(u.links.Same, same)
		}
		u.pages++
		u.group(tb)
		return p, true
	}
	return page{}, false
}

// who is the person of more than half of the faces, "" if nobody known is. A
// set that mixes people so counts as who most of it is, and the others in it
// come along; one without a majority is nobody.
func (l *library) who(faces []int) string {
	n := map[string]int{}
	for _, i := range faces {
		n[l.truth[i]]++
	}
	for who, k := range n {
		if 2*k > len(faces) {
			return who
		}
	}
	return ""
}

func (u *user) faces(label int) (faces []int) {
	for i, l := range u.label {
		if l == label {
			faces = append(faces, i)
		}
	}
	return faces
}

func (u *user) done() bool {
	return u.score.perPerson <= goalPieces &&
		min(u.score.bcubed.Precision, u.score.pairwise.Precision) >= goalRight
}

// leftAlone is the share of the faces of people of two and more that have no
// cluster, which ClustersPerPerson does not count.
func leftAlone(label []int, truth []string) float64 {
	of := map[string]int{}
	for _, who := range truth {
		of[who]++
	}
	alone, all := 0, 0
	for i, who := range truth {
		if who == "" || of[who] < 2 {
			continue
		}
		if all++; label[i] < 0 {
			alone++
		}
	}
	return float64(alone) / float64(max(all, 1))
}

// In libraries whose strangers are clearly apart, what a truthful user answers
// only ever helps, and is not asked again.
func TestUser(t *testing.T) {
	_, _, tail := cluster.SyntheticAlbum(1, 0)
	answered, ticked, refused := 0, 0, 0
	for seed := range uint64(20) {
		f, who := cluster.PoorAlbum(seed, 100)
		l := &library{Faces: f}
		for _, w := range who {
			l.truth = append(l.truth, fmt.Sprint(w))
		}
		u := newUser(t, l, tail)
		start := u.score.pairwise
		told := map[[2]int]bool{}
		for range 10 {
			before, label := u.score.pairwise, slices.Clone(u.label)
			p, ok := u.answer(t)
			if !ok {
				break
			}
			if u.score.pairwise.F < before.F {
				t.Errorf("library %d: answer %d made %v of %v", seed, u.pages, u.score.pairwise, before)
			}
			for _, q := range p.questions {
				for i, l := range label {
					if l != p.person {
						continue
					}
					for _, j := range q.Faces {
						at := [2]int{min(i, j), max(i, j)}
						if told[at] {
							t.Fatalf("library %d: answer %d had been given for %v", seed, u.pages, at)
						}
						told[at] = true
					}
				}
			}
		}
		if u.ticked > 0 && u.score.pairwise.F <= start.F {
			t.Errorf("library %d: %d answers made %v of %v", seed, u.pages, u.score.pairwise, start)
		}
		answered, ticked, refused = answered+u.pages, ticked+u.ticked, refused+u.refused
	}
	if answered < 30 || ticked < 30 || refused < 10 {
		t.Errorf("%d answers with %d questions ticked and %d refused prove nothing", answered, ticked, refused)
	}
}

func TestPages(t *testing.T) {
	var cs []cluster.Candidate
	for i := range 20 {
		cs = append(cs, cluster.Candidate{Faces: []int{i}, Person: 1, Probability: 0.9 - float64(i)/100})
	}
	cs = append(cs, cluster.Candidate{Faces: make([]int, 30), Person: 2, Probability: 0.5},
		cluster.Candidate{Faces: []int{50}, Person: 2, Probability: 0.01},
		cluster.Candidate{Faces: []int{51}, Person: 3, Probability: 0.01})
	got := pages(cs)
	if len(got) != 2 || got[0].person != 2 || len(got[0].questions) != 1 || len(got[1].questions) != pageSize {
		t.Errorf("pages %+v", got)
	}
	if want := 0.9*pageSize - 0.66; got[1].worth < want-1e-9 || got[1].worth > want+1e-9 {
		t.Errorf("twelve questions are worth %v, want %v", got[1].worth, want)
	}
}

func TestUserKnows(t *testing.T) {
	l := &library{truth: []string{"Anna", "Anna", "Ben", "", "Ben"}}
	label := []int{0, 0, -1, -1, 1}
	for _, tt := range []struct {
		faces []int
		want  string
	}{{[]int{0, 1, 2}, "Anna"}, {[]int{0, 2}, ""}, {[]int{3}, ""}, {[]int{2, 3, 4}, "Ben"}} {
		if got := l.who(tt.faces); got != tt.want {
			t.Errorf("faces %v are %q, want %q", tt.faces, got, tt.want)
		}
	}
	if got, want := leftAlone(label, l.truth), 1.0/4; got != want {
		t.Errorf("%v left alone, want %v", got, want)
	}
}
