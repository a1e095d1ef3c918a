package nearby

import (
	"bytes"
	"cmp"
	"crypto/ecdh"
	"fmt"
	"io"
	"slices"
)

// Round is one side's part in a day of a pair. Both have one for each day:
// they send their batches (Batch), answer each other's (Answer), and take each
// other's answer (Take), in any order. Then each can tell at which of its own
// photos it was near the other (Meetings). Close wipes the secrets.
//
// A round does not change after it was made, but by what comes from the other
// side: photos that are found later do not enter it.
type Round struct {
	day      Day
	closed   bool
	key      [keySize]byte // of the pair and the day
	me, them ID            // the sides, by their addresses
	seed     [keySize]byte // of this side alone: all that is random in the round
	labels   []label       // BatchSize, ascending

	asked  bool             // their batch was answered
	batch  [digestSize]byte // it was this one
	theirs []Token          // it held these
	mine   []Token          // what their answer makes of the labels
}

// Round begins a day that is over. A day without photos is begun too, so that
// it looks like any other. Of more than BatchSize spots those are kept whose
// keyed hashes are the least: the same ones on both sides where both have them.
func (p *Pair) Round(rand io.Reader, d Day, now int64, seen []Seen) (*Round, error) {
	if d < 0 || d > lastDay {
		return nil, fmt.Errorf("nearby: day %d is not one of 1970 to 9999", d)
	}
	if !d.Over(now) {
		return nil, ErrNotOver
	}
	seed, err := random(rand, keySize)
	if err != nil {
		return nil, err
	}
	r := &Round{day: d, me: p.out, them: p.in}
	r.key = [keySize]byte(derive(p.tokens[:], "day", number(int64(d))))
	// With the pair's key, so that bad randomness does not link pairs.
	r.seed = [keySize]byte(derive(r.key[:], "seed", seed))
	labels := make([]label, 0, BatchSize)
	for s := range spots(d, seen) {
		labels = append(labels, r.label(s))
	}
	for i := 0; len(labels) < BatchSize; i++ {
		labels = append(labels, label(derive(r.seed[:], "nothing", number(int64(i)))))
	}
	slices.SortFunc(labels, func(a, b label) int { return bytes.Compare(a[:], b[:]) })
	r.labels = labels[:BatchSize:BatchSize]
	return r, nil
}

func (r *Round) label(s spot) label {
	return label(derive(r.key[:], "spot", number(int64(s.cell)), number(s.slot)))
}

// Day is the round's.
func (r *Round) Day() Day { return r.day }

// id is what this side calls the round.
func (r *Round) id() ID { return ID(derive(r.seed[:], "round")) }

// answering is the scalar that answers the other side's questions.
func (r *Round) answering() (*ecdh.PrivateKey, error) {
	return ecdh.X25519().NewPrivateKey(derive(r.seed[:], "answering"))
}

// token is of a label and its point under the scalar of who made the token. It
// says who did: sent back, it is not taken for the other side's.
func (r *Round) token(maker ID, l label, n Blinded) Token {
	return Token(derive(r.key[:], "token", maker[:], l[:], n[:]))
}

// Batch is this side's part. It is the same each time.
func (r *Round) Batch() (Batch, error) {
	if r.closed {
		return Batch{}, ErrClosed
	}
	b := Batch{Day: r.day, Round: r.id()}
	own, err := r.answering()
	if err != nil {
		return b, err
	}
	f := curve25519()
	for i, l := range r.labels {
		h := f.hash(l)
		blind, _ := f.blinding(r.seed[:], l)
		if b.Questions[i], err = by(blind, h); err != nil {
			return b, err
		}
		n, err := multiply(own, h)
		if err != nil {
			return b, err
		}
		b.Tokens[i] = r.token(r.me, l, n)
	}
	slices.SortFunc(b.Tokens[:], func(a, b Token) int { return bytes.Compare(a[:], b[:]) })
	return b, nil
}

// Answer answers the other side's batch: one batch for each day, and the same
// one again if it comes again, else ErrAsked.
func (r *Round) Answer(b Batch) (Answer, error) {
	digest := b.digest()
	switch {
	case b.Day != r.day:
		return Answer{}, ErrOtherRound
	case r.asked && digest != r.batch:
		return Answer{}, ErrAsked
	case r.closed:
		return Answer{}, ErrClosed
	}
	a := Answer{Day: r.day, Round: b.Round}
	own, err := r.answering()
	if err != nil {
		return Answer{}, err
	}
	for i, q := range b.Questions {
		if a.Points[i], err = multiply(own, q); err != nil {
			return Answer{}, fmt.Errorf("%w: question %d: %w", ErrMalformed, i, err)
		}
	}
	r.asked, r.batch, r.theirs = true, digest, slices.Clone(b.Tokens[:])
	return a, nil
}

// Take takes the other side's answer to this side's batch.
func (r *Round) Take(a Answer) error {
	switch {
	case a.Day != r.day:
		return ErrOtherRound
	case r.closed:
		return ErrClosed
	case a.Round != r.id():
		return ErrOtherRound
	case r.mine != nil:
		return nil // the same came before, or the other side contradicts itself
	}
	f := curve25519()
	mine := make([]Token, BatchSize)
	for i, l := range r.labels {
		_, inverse := f.blinding(r.seed[:], l)
		n, err := by(inverse, a.Points[i])
		if err != nil {
			return fmt.Errorf("%w: answer %d: %w", ErrMalformed, i, err)
		}
		mine[i] = r.token(r.them, l, n)
	}
	r.mine = mine
	return nil
}

// Complete reports whether the other side's batch was answered and its answer
// taken.
func (r *Round) Complete() bool { return !r.closed && r.asked && r.mine != nil }

// Meeting is a time of the day in which the other side was near, as far as
// this side's own photos say. From and To are those of slots of ten minutes.
type Meeting struct {
	From, To int64    // microseconds since 1970 UTC
	Keys     []string // of the photos near the other side's, ascending
}

// Meetings are the meetings of a complete round, by time, none if the round is
// not complete. The photos are those that the account has now. A photo is in
// one meeting at most; one near midnight can be in a meeting of either day.
func (r *Round) Meetings(seen []Seen) []Meeting {
	if !r.Complete() {
		return nil
	}
	theirs := make(map[Token]bool, len(r.theirs))
	for _, t := range r.theirs {
		theirs[t] = true
	}
	matched := make(map[label]bool)
	for i, l := range r.labels {
		matched[l] = theirs[r.mine[i]]
	}
	return meetings(r.day, seen, func(s spot) bool { return matched[r.label(s)] })
}

// meetings are the photos in the spots that both sides have.
func meetings(d Day, seen []Seen, both func(spot) bool) []Meeting {
	type match struct {
		slot   int64
		photos []int
	}
	var matches []match
	for s, photos := range spots(d, seen) {
		if both(s) {
			matches = append(matches, match{s.slot, photos})
		}
	}
	slices.SortFunc(matches, func(a, b match) int { return cmp.Compare(a.slot, b.slot) })
	var out []Meeting
	used := make(map[int]bool)
	for _, m := range matches {
		// A photo's slots are three in a row, so that those that match are all
		// in one meeting.
		if n := len(out); n == 0 || m.slot*slot > out[n-1].To+Span {
			out = append(out, Meeting{From: m.slot * slot})
		}
		last := &out[len(out)-1]
		last.To = (m.slot + 1) * slot
		for _, i := range m.photos {
			if !used[i] {
				used[i] = true
				last.Keys = append(last.Keys, seen[i].Key)
			}
		}
	}
	for _, m := range out {
		slices.Sort(m.Keys)
	}
	return out
}

// Close wipes all but the day and which batch was answered.
func (r *Round) Close() {
	*r = Round{day: r.day, closed: true, asked: r.asked, batch: r.batch}
}
