package nearby

import (
	"bytes"
	"errors"
	"testing"
)

// FuzzRead: what comes from anywhere is read or refused by all that take it,
// and what is read has the header that it says.
func FuzzRead(f *testing.F) {
	i, invitation, err := Invite(chance(1))
	must(f, err)
	a, acceptance, err := Accept(chance(2), invitation)
	must(f, err)
	p, opening, err := i.Complete(acceptance)
	must(f, err)
	for _, msg := range [][]byte{invitation, acceptance, opening} {
		f.Add(msg)
	}
	f.Fuzz(func(t *testing.T, msg []byte) {
		h, err := Read(msg)
		var v *VersionError
		if err != nil && !errors.Is(err, ErrMalformed) && !errors.As(err, &v) {
			t.Fatalf("an error of no kind: %v", err)
		}
		if err == nil && !bytes.HasPrefix(msg, header(h.Kind, h.To)) {
			t.Fatalf("%v is not its header", h)
		}
		if b, reply, e := Accept(chance(3), msg); (e == nil) != (err == nil && h.Kind == KindInvitation) {
			t.Fatalf("kind %d accepted: %v", h.Kind, e)
		} else if e == nil {
			if r, err := Read(reply); err != nil || r.To != h.To || b.ID() != h.To {
				t.Fatalf("the acceptance of %x is for %x: %v", h.To, r.To, err)
			}
		}
		if _, _, e := i.Complete(msg); e == nil && !bytes.Equal(msg, acceptance) {
			t.Fatal("an acceptance that nobody wrote")
		}
		if _, e := a.Complete(msg); e == nil && !bytes.Equal(msg, opening) {
			t.Fatal("an opening that nobody wrote")
		}
		if m, e := p.Open(msg); e == nil {
			t.Fatalf("%v, that nobody sealed", m)
		}
	})
}

// FuzzOpen: what a friend with a changed program may seal is read or refused,
// and is written again as it was.
func FuzzOpen(f *testing.F) {
	a, b := paired(f, 1)
	round := begin(f, a, 1, someDay, nil)
	x := batch(f, round)
	f.Add(tagBatch, x.append(nil), byte(0))
	f.Add(tagAnswer, answer(f, round, x).append(nil), byte(0))
	for _, m := range someMessages() {
		f.Add(m.tag(), m.append(nil), byte(0))
	}
	f.Fuzz(func(t *testing.T, tag byte, body []byte, padding byte) {
		body = body[:min(len(body), batchSize)]
		m, err := b.Open(sealRaw(t, a, tag, body, padding))
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Fatalf("an error of no kind: %v", err)
			}
			return
		}
		if m.tag() != tag || !bytes.Equal(m.append(nil), body) {
			t.Fatalf("%T is written otherwise than it was read", m)
		}
	})
}

// FuzzRestore: what is restored is stored as it was.
func FuzzRestore(f *testing.F) {
	i, invitation, err := Invite(chance(1))
	must(f, err)
	a, acceptance, err := Accept(chance(2), invitation)
	must(f, err)
	p, _, err := i.Complete(acceptance)
	must(f, err)
	r := begin(f, p, 1, someDay, nil)
	states := [][]byte{i.State(), a.State(), p.State(), r.State()}
	r.Close()
	for _, s := range append(states, r.State()) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, state []byte) {
		check := func(s interface{ State() []byte }, err error) {
			if err == nil && !bytes.Equal(s.State(), state) {
				t.Fatalf("%T has another state", s)
			}
		}
		i, err := RestoreInvited(state)
		check(i, err)
		a, err := RestoreAccepted(state)
		check(a, err)
		p, err := RestorePair(state)
		check(p, err)
		r, err := RestoreRound(state)
		check(r, err)
	})
}
