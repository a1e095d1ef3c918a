package nearby

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kith-photos/kith/testdata/synth"
)

// TestBothSidesFindTheSame plays days through sealed messages: each side's
// meetings are those that the shared spots make, and one side has some if and
// only if the other has.
func TestBothSidesFindTheSame(t *testing.T) {
	slow(t)
	w := synth.Days(3, synth.DaysOptions{Phones: 2, Days: 20})
	a, b := paired(t, 1)
	seenA, seenB := seenBy(w.Phones[0]), seenBy(w.Phones[1])
	met, not := 0, 0
	for d := DayOf(w.First.UnixMicro()); met < 1 || not < 1; d++ {
		both := shared(d, seenA, seenB)
		if len(both) == 0 && not > 0 {
			continue
		}
		ra, rb := play(t, a, b, d, seenA, seenB)
		for side, r := range map[*Round][]Seen{ra: seenA, rb: seenB} {
			got, want := side.Meetings(r), meetings(d, r, func(s spot) bool { return both[s] })
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("day %d: %v, want %v", d, got, want)
			}
			if (len(got) > 0) != (len(both) > 0) {
				t.Errorf("day %d: %d meetings of %d shared spots", d, len(got), len(both))
			}
		}
		if len(both) > 0 {
			met++
		} else {
			not++
		}
	}
}

func TestMeetingsNameTheirPhotosOnce(t *testing.T) {
	a, b := paired(t, 1)
	seenA := []Seen{at(0, 0, "c"), at(5, 20, "a"), at(25, 0, "b"), at(200, 0, "e"), at(300, 0, "lone"), at(10, 5000, "elsewhere")}
	seenB := []Seen{at(3, 10, "x"), at(28, 30, "y"), at(195, 100, "z"), at(300, 2000, "far")}
	ra, rb := play(t, a, b, someDay, seenA, seenB)
	for _, c := range []struct {
		r    *Round
		seen []Seen
		want [][]string
	}{
		{ra, seenA, [][]string{{"a", "b", "c"}, {"e"}}},
		{rb, seenB, [][]string{{"x", "y"}, {"z"}}},
		{ra, seenA[3:], [][]string{{"e"}}}, // the others were erased since
		{ra, append([]Seen{at(1, 0, "late")}, seenA...), [][]string{{"a", "b", "c", "late"}, {"e"}}},
	} {
		var got [][]string
		for _, m := range c.r.Meetings(c.seen) {
			got = append(got, m.Keys)
			if m.From >= m.To || m.From%slot != 0 || m.To%slot != 0 {
				t.Errorf("meeting from %d to %d", m.From, m.To)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%v, want %v", got, c.want)
		}
	}
}

// TestOverflowKeepsTheMeeting: of two who were at far more spots than a batch
// holds, and at some together, both keep the same ones of those.
func TestOverflowKeepsTheMeeting(t *testing.T) {
	slow(t)
	var seenA, seenB []Seen
	for i := range 200 {
		seenA = append(seenA, at(float64(3*i-300), float64(500*i), "a"))
		seenB = append(seenB, at(float64(3*i-300), float64(-500*i-5000), "b"))
	}
	meet := []Seen{at(0, 2e6, "m"), at(20, 2e6, "m"), at(40, 2e6, "m"), at(60, 2e6, "m")}
	seenA, seenB = append(seenA, meet...), append(seenB, meet...)
	if n := len(spots(someDay, seenA)); n < 4*BatchSize {
		t.Fatalf("%d spots", n)
	}
	a, b := paired(t, 1)
	ra, rb := play(t, a, b, someDay, seenA, seenB)
	if m, n := ra.Meetings(seenA), rb.Meetings(seenB); len(m) == 0 || len(n) == 0 {
		t.Errorf("%v and %v", m, n)
	}
}

// TestTheOrderOfPhotosChangesNothing but which of equal ones is named first.
func TestTheOrderOfPhotosChangesNothing(t *testing.T) {
	a, _ := paired(t, 1)
	seen := []Seen{at(0, 0, "a"), at(5, 20, "b"), at(25, 900, "c"), at(200, 0, "d")}
	one := begin(t, a, 1, someDay, seen)
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(seen), func(i, j int) { seen[i], seen[j] = seen[j], seen[i] })
	if two := begin(t, a, 1, someDay, seen); !bytes.Equal(one.State(), two.State()) {
		t.Error("another round")
	}
}

// TestDaysHaveKeysOfTheirOwn, also where the random numbers are the same.
func TestDaysHaveKeysOfTheirOwn(t *testing.T) {
	a, _ := paired(t, 1)
	one, two := begin(t, a, 1, someDay, nil), begin(t, a, 1, someDay+1, nil)
	if one.key == two.key || one.seed == two.seed || one.id() == two.id() {
		t.Error("two days share a key")
	}
	for _, l := range one.labels {
		if slices.Contains(two.labels, l) {
			t.Errorf("two days share %x", l)
		}
	}
}

// TestMidnight: photos on both sides of midnight share a spot in the later
// day's round; the earlier day's window reaches as far.
func TestMidnight(t *testing.T) {
	before, after := at(12*60-3, 0, "before"), at(12*60+4, 0, "after")
	n := 0
	for d := someDay; d <= someDay+1; d++ {
		n += len(shared(d, []Seen{before}, []Seen{after}))
		for s := range spots(d, []Seen{before, after}) {
			if DayOf(s.slot*slot) != d {
				t.Errorf("slot %d is not of day %d", s.slot, d)
			}
		}
		for _, s := range []Seen{before, after} {
			if first, last := d.Window(); s.At < first || s.At > last {
				t.Errorf("%s is outside of the window of day %d", s.Key, d)
			}
		}
	}
	if n == 0 {
		t.Error("nothing in common")
	}
	first, last := someDay.Window()
	out := []Seen{{At: first - 1, Point: turku}, {At: last + 1, Point: turku}}
	if s := spots(someDay, out); len(s) > 0 {
		t.Errorf("%v outside of the window", s)
	}
	in := []Seen{{At: first, Point: turku}, {At: last, Point: turku}}
	if s := spots(someDay, in); len(s) < 2 {
		t.Errorf("%v at the window's ends", s)
	}
}

func TestOnlyDaysThatAreOver(t *testing.T) {
	a, _ := paired(t, 1)
	if _, err := a.Round(chance(1), someDay, (someDay+1).start()+Span-1, nil); !errors.Is(err, ErrNotOver) {
		t.Errorf("a day that is not over: %v", err)
	}
	if _, err := a.Round(chance(1), someDay, (someDay+1).start()+Span, nil); err != nil {
		t.Error(err)
	}
	for _, d := range []Day{-1, lastDay + 1} {
		if _, err := a.Round(chance(1), d, Day(lastDay+10).start(), nil); err == nil || errors.Is(err, ErrNotOver) {
			t.Errorf("day %d: %v", d, err)
		}
	}
	if _, err := a.Round(bytes.NewReader(make([]byte, 31)), someDay, (someDay + 2).start(), nil); err == nil {
		t.Error("a round without randomness")
	}
}

// TestADayIsAnsweredOnce: a friend gets the questions of one batch answered.
func TestADayIsAnsweredOnce(t *testing.T) {
	slow(t)
	a, b := paired(t, 1)
	r := begin(t, a, 1, someDay, nil)
	one, two := batch(t, begin(t, b, 2, someDay, nil)), batch(t, begin(t, b, 3, someDay, nil))
	first := answer(t, r, one)
	if again := answer(t, r, one); again != first {
		t.Error("the same batch has another answer")
	}
	if _, err := r.Answer(two); !errors.Is(err, ErrAsked) {
		t.Errorf("another batch: %v", err)
	}
	other := one
	other.Day++
	if _, err := r.Answer(other); !errors.Is(err, ErrOtherRound) {
		t.Errorf("another day: %v", err)
	}
	r.Close()
	restored, err := RestoreRound(r.State())
	must(t, err)
	for _, r := range []*Round{r, restored} {
		if _, err := r.Answer(one); !errors.Is(err, ErrClosed) {
			t.Errorf("after the end: %v", err)
		}
		if _, err := r.Answer(two); !errors.Is(err, ErrAsked) {
			t.Errorf("after the end, another batch: %v", err)
		}
		if _, err := r.Batch(); !errors.Is(err, ErrClosed) {
			t.Errorf("after the end, a batch: %v", err)
		}
	}
}

// TestALiarFindsAndClaimsNoMore than the spots that he guessed.
func TestALiarFindsAndClaimsNoMore(t *testing.T) {
	slow(t)
	a, b := paired(t, 1)
	seen := []Seen{at(0, 0, "p"), at(100, 4000, "q")}
	r := begin(t, a, 1, someDay, seen)
	asked := batch(t, r)
	liar := begin(t, b, 2, someDay, []Seen{at(0, 0, "guess")})
	his := batch(t, liar)
	got := answer(t, r, his)
	honest := answer(t, liar, asked)
	must(t, liar.Take(got))
	if m := liar.Meetings([]Seen{at(0, 0, "guess"), at(100, 4000, "second thought")}); len(m) != 1 || len(m[0].Keys) != 1 {
		t.Errorf("he finds %v", m)
	}
	for name, lie := range map[string]func(*Answer){
		"what he was answered":  func(x *Answer) { x.Points = got.Points },
		"what he was asked":     func(x *Answer) { x.Points = asked.Questions },
		"one answer for all":    func(x *Answer) { x.Points = [BatchSize]Blinded{}; fill(&x.Points, honest.Points[0]) },
		"answers interchanged":  func(x *Answer) { slices.Reverse(x.Points[:]) },
		"answers of other days": func(x *Answer) { x.Points = answer(t, begin(t, b, 7, someDay, nil), asked).Points },
	} {
		x := honest
		lie(&x)
		victim, err := RestoreRound(r.State())
		must(t, err)
		must(t, victim.Take(x))
		if m := victim.Meetings(seen); name != "one answer for all" && len(m) > 0 || len(m) > 1 {
			t.Errorf("%s: %v", name, m)
		}
	}
	bad := honest
	bad.Points[17] = Blinded{}
	if err := r.Take(bad); !errors.Is(err, ErrMalformed) {
		t.Errorf("a point of low order: %v", err)
	}
	if his.Questions[3] = (Blinded{1}); errors.Is(r.Take(honest), ErrMalformed) {
		t.Error("an honest answer after a bad one")
	}
	if _, err := begin(t, a, 5, someDay, seen).Answer(his); !errors.Is(err, ErrMalformed) {
		t.Errorf("a question of low order: %v", err)
	}
	if m := r.Meetings(seen); len(m) != 1 || !slices.Equal(m[0].Keys, []string{"p"}) {
		t.Errorf("of a guess and an honest answer: %v", m)
	}
}

func fill(points *[BatchSize]Blinded, p Blinded) {
	for i := range points {
		points[i] = p
	}
}

// TestAMirrorClaimsNothing: who sends a batch back as his own, and the answer
// to it as his answer, was nowhere.
func TestAMirrorClaimsNothing(t *testing.T) {
	a, b := paired(t, 1)
	seen := []Seen{at(0, 0, "p")}
	for _, p := range []*Pair{a, b} {
		r := begin(t, p, 1, someDay, seen)
		must(t, r.Take(answer(t, r, batch(t, r))))
		if m := r.Meetings(seen); !r.Complete() || len(m) > 0 {
			t.Errorf("%v", m)
		}
	}
}

// TestAnAnswerOfAnotherRoundIsRefused: by day, by batch, and after the end.
func TestAnAnswerOfAnotherRoundIsRefused(t *testing.T) {
	a, b := paired(t, 1)
	r, other := begin(t, a, 1, someDay, nil), begin(t, b, 2, someDay, nil)
	right := answer(t, other, batch(t, r))
	day, round := right, right
	day.Day++
	round.Round[0]++
	for name, x := range map[string]Answer{"day": day, "batch": round} {
		if err := r.Take(x); !errors.Is(err, ErrOtherRound) {
			t.Errorf("another %s: %v", name, err)
		}
	}
	if r.Complete() || r.Meetings(nil) != nil {
		t.Error("complete before anything was taken")
	}
	r.Close()
	if err := r.Take(right); !errors.Is(err, ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
}

// TestRoundsAreRestored at each step, and close with nothing in them.
func TestRoundsAreRestored(t *testing.T) {
	a, b := paired(t, 1)
	seen := []Seen{at(0, 0, "p")}
	again := func(r *Round) *Round {
		out, err := RestoreRound(r.State())
		must(t, err)
		if !bytes.Equal(out.State(), r.State()) || out.Day() != someDay {
			t.Error("another state")
		}
		return out
	}
	r, other := again(begin(t, a, 1, someDay, seen)), begin(t, b, 2, someDay, seen)
	for _, n := range []int{0, 1, 2, 6, roundSize - 1, roundSize - 1 - BatchSize*tokenSize} {
		bad := r.State()
		bad[n] |= 0x80
		if _, err := RestoreRound(bad); !errors.Is(err, ErrState) {
			t.Errorf("byte %d changed: %v", n, err)
		}
	}
	back := answer(t, other, batch(t, r))
	must(t, r.Take(back)) // before their batch
	r = again(r)
	answer(t, r, batch(t, other))
	r = again(r)
	if m := r.Meetings(seen); len(m) != 1 {
		t.Errorf("%d meetings", len(m))
	}
	seed := bytes.Clone(r.seed[:])
	r.Close()
	if s := again(r).State(); len(s) != closedSize || bytes.Contains(s, seed) || again(r).Complete() {
		t.Errorf("%d bytes of a closed round", len(s))
	}
}
