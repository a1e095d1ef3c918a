package nearby

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestPairing(t *testing.T) {
	r := chance(1)
	i, invitation, err := Invite(r)
	must(t, err)
	a, acceptance, err := Accept(r, invitation)
	must(t, err)
	// What is kept between the messages is enough.
	i, err = RestoreInvited(i.State())
	must(t, err)
	a, err = RestoreAccepted(a.State())
	must(t, err)
	for _, msg := range [][]byte{invitation, acceptance} {
		if h, err := Read(msg); err != nil || h.To != i.ID() || h.To != a.ID() {
			t.Errorf("%v, %v", h, err)
		}
	}
	one, opening, err := i.Complete(acceptance)
	must(t, err)
	two, err := a.Complete(opening)
	must(t, err)
	if one.Code() != two.Code() || len(one.Code()) != 9 || strings.Trim(one.Code(), "0123456789") != " " {
		t.Errorf("codes %q and %q", one.Code(), two.Code())
	}
	for _, p := range []*Pair{one, two} {
		again, err := RestorePair(p.State())
		must(t, err)
		if *again != *p {
			t.Error("another pair")
		}
	}
	for from, to := range map[*Pair]*Pair{one: two, two: one} {
		if m := pass(t, from, to, Unpair{}); m != (Unpair{}) {
			t.Errorf("%v", m)
		}
	}
	if one.keyIn == one.keyOut || one.in == one.out {
		t.Error("both directions have one key")
	}
}

// TestPairsHaveKeysOfTheirOwn: nothing of a pair is in another of the same
// account.
func TestPairsHaveKeysOfTheirOwn(t *testing.T) {
	a, _ := paired(t, 1)
	b, _ := paired(t, 2)
	if a.keyIn == b.keyIn || a.keyOut == b.keyOut || a.tokens == b.tokens || a.Code() == b.Code() {
		t.Error("two pairs share a key")
	}
}

// TestChangedPairingIsRefused: whatever byte of the three messages is changed
// on its way, nobody is paired.
func TestChangedPairingIsRefused(t *testing.T) {
	r := chance(1)
	i, invitation, err := Invite(r)
	must(t, err)
	a, acceptance, err := Accept(r, invitation)
	must(t, err)
	_, opening, err := i.Complete(acceptance)
	must(t, err)
	changed := func(msg []byte, n int) []byte {
		msg = bytes.Clone(msg)
		msg[n] ^= 0x10
		return msg
	}
	for n := range invitation {
		b, back, err := Accept(r, changed(invitation, n))
		if err != nil {
			continue
		}
		if _, last, err := i.Complete(back); err == nil {
			t.Errorf("invitation, byte %d: accepted", n)
		} else if _, err := b.Complete(last); err == nil {
			t.Errorf("invitation, byte %d: opened", n)
		}
	}
	for n := range acceptance {
		if _, _, err := i.Complete(changed(acceptance, n)); err == nil {
			t.Errorf("acceptance, byte %d", n)
		}
	}
	for n := range opening {
		if _, err := a.Complete(changed(opening, n)); err == nil {
			t.Errorf("opening, byte %d", n)
		}
	}
	if _, err := a.Complete(opening); err != nil {
		t.Error(err)
	}
}

// TestTheManInTheMiddleIsSeen: one who read the invitation on its way and
// pairs with both has two codes.
func TestTheManInTheMiddleIsSeen(t *testing.T) {
	r := chance(1)
	anna, invitation, err := Invite(r)
	must(t, err)
	him, his, err := Invite(r)
	must(t, err)
	ben, acceptance, err := Accept(r, his)
	must(t, err)
	_, opening, err := him.Complete(acceptance)
	must(t, err)
	benPair, err := ben.Complete(opening)
	must(t, err)
	_, back, err := Accept(r, invitation)
	must(t, err)
	annaPair, _, err := anna.Complete(back)
	must(t, err)
	if annaPair.Code() == benPair.Code() {
		t.Error("equal codes")
	}
	// An acceptance of another invitation, and an opening for another.
	if _, _, err := anna.Complete(acceptance); !errors.Is(err, ErrForeign) {
		t.Errorf("another acceptance: %v", err)
	}
	if _, err := ben.Complete(slices.Concat(header(KindOpening, anna.ID()), opening[headerSize:])); !errors.Is(err, ErrForeign) {
		t.Errorf("another opening: %v", err)
	}
}

// TestTheInvitersKeyIsHiddenAndFixed until the accepter's is known: that is
// what lets a short code suffice.
func TestTheInvitersKeyIsHiddenAndFixed(t *testing.T) {
	r := chance(1)
	i, invitation, err := Invite(r)
	must(t, err)
	public := i.key.PublicKey().Bytes()
	sum := sha256.Sum256(public)
	if bytes.Contains(invitation, public) || !bytes.Contains(invitation, sum[:]) {
		t.Error("the invitation shows the key, or does not fix it")
	}
	a, acceptance, err := Accept(r, invitation)
	must(t, err)
	// One who read all that was said opens with a key of their own.
	other, _, err := Invite(r)
	must(t, err)
	opening := slices.Concat(header(KindOpening, a.ID()), other.key.PublicKey().Bytes())
	root, err := agree(other.key, a.key.PublicKey().Bytes(), invitation, acceptance[:len(acceptance)-tagSize], opening)
	must(t, err)
	if _, err := a.Complete(append(opening, derive(root, "opening", opening)...)); !errors.Is(err, ErrForged) {
		t.Errorf("another key: %v", err)
	}
}

func TestPairingWithoutRandomness(t *testing.T) {
	for n := range keySize + idSize + secretSize {
		if _, _, err := Invite(bytes.NewReader(make([]byte, n))); err == nil {
			t.Errorf("an invitation of %d random bytes", n)
		}
	}
	_, invitation, err := Invite(nil)
	must(t, err)
	if _, _, err := Accept(bytes.NewReader(nil), invitation); err == nil {
		t.Error("an acceptance of none")
	}
}
