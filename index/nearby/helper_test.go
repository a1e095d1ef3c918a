package nearby

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/kith-photos/kith/index/geo"
	"github.com/kith-photos/kith/testdata/synth"
)

// chance is randomness by a seed.
func chance(seed byte) *rand.ChaCha8 { return rand.NewChaCha8([32]byte{seed}) }

// paired are two who went through the three messages.
func paired(t testing.TB, seed byte) (inviter, accepter *Pair) {
	t.Helper()
	r := chance(seed)
	i, invitation, err := Invite(r)
	must(t, err)
	a, acceptance, err := Accept(r, invitation)
	must(t, err)
	inviter, opening, err := i.Complete(acceptance)
	must(t, err)
	accepter, err = a.Complete(opening)
	must(t, err)
	return inviter, accepter
}

// slow are tests that multiply some thousand points.
func slow(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("slow under the race detector, which has nothing to find: no goroutines here")
	}
	t.Parallel()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func begin(t testing.TB, p *Pair, seed byte, d Day, seen []Seen) *Round {
	t.Helper()
	r, err := p.Round(chance(seed), d, (d + 2).start(), seen)
	must(t, err)
	return r
}

func batch(t testing.TB, r *Round) Batch {
	t.Helper()
	b, err := r.Batch()
	must(t, err)
	return b
}

func answer(t testing.TB, r *Round, b Batch) Answer {
	t.Helper()
	a, err := r.Answer(b)
	must(t, err)
	return a
}

// pass seals a message on one side and opens it on the other.
func pass(t testing.TB, from, to *Pair, m Message) Message {
	t.Helper()
	msg, err := from.Seal(chance(9), m)
	must(t, err)
	out, err := to.Open(msg)
	must(t, err)
	return out
}

// play is a day of two, through sealed messages.
func play(t testing.TB, a, b *Pair, d Day, seenA, seenB []Seen) (ra, rb *Round) {
	t.Helper()
	ra, rb = begin(t, a, 1, d, seenA), begin(t, b, 2, d, seenB)
	atB := pass(t, a, b, batch(t, ra)).(Batch)
	atA := pass(t, b, a, batch(t, rb)).(Batch)
	must(t, rb.Take(pass(t, a, b, answer(t, ra, atA)).(Answer)))
	must(t, ra.Take(pass(t, b, a, answer(t, rb, atB)).(Answer)))
	return ra, rb
}

// shared are the spots of both, as nobody but a test can see them.
func shared(d Day, a, b []Seen) map[spot]bool { return common(spots(d, a), spots(d, b)) }

func common(a, b map[spot][]int) map[spot]bool {
	out := make(map[spot]bool)
	for s := range a {
		if _, ok := b[s]; ok {
			out[s] = true
		}
	}
	return out
}

func seenBy(p synth.Phone) []Seen {
	out := make([]Seen, len(p.Seen))
	for i, s := range p.Seen {
		out[i] = Seen{At: s.At.UnixMicro(), Point: s.Point, Key: strconv.Itoa(i)}
	}
	return out
}

const someDay Day = 19_500

var turku = geo.Point{Lat: 60.4518, Lon: 22.2666}

// at is a photo some minutes after someDay's noon, some metres north of Turku.
func at(minutes, north float64, key string) Seen {
	return Seen{
		At:    someDay.start() + day/2 + int64(minutes*float64(minute)),
		Point: geo.Point{Lat: turku.Lat + north/111_195, Lon: turku.Lon}, Key: key,
	}
}
