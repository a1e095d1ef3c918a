package nearby

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func someMessages() []Message {
	return []Message{
		Offer{ID: ID{1, 2, 3}, Day: someDay, Photos: 14}, Reply{Offer: ID{4}, Accepted: true}, Reply{Offer: ID{5}},
		Delivered{Offer: ID{6}}, Unpair{},
	}
}

func TestMessagesArriveAsTheyAre(t *testing.T) {
	a, b := paired(t, 1)
	r := begin(t, a, 1, someDay, []Seen{at(0, 0, "p")})
	x := batch(t, r)
	for _, m := range append(someMessages(), x, answer(t, r, x)) {
		if got := pass(t, a, b, m); got != m {
			t.Errorf("%T: %v, want %v", m, got, m)
		}
	}
}

// TestChangedMessagesAreRefused: any byte of the header and some of the rest,
// cut and prolonged ones, those of the other direction and of another pair.
func TestChangedMessagesAreRefused(t *testing.T) {
	a, b := paired(t, 1)
	_, stranger := paired(t, 2)
	msg, err := a.Seal(chance(1), Offer{Photos: 3})
	must(t, err)
	for n := 0; n < len(msg); n += 1 + 96*(n/(headerSize+nonceSize+40)) {
		bad := bytes.Clone(msg)
		bad[n] ^= 1
		if m, err := b.Open(bad); err == nil {
			t.Errorf("byte %d changed: %v", n, m)
		}
	}
	last := bytes.Clone(msg)
	last[len(last)-1] ^= 1
	swapped := bytes.Clone(msg)
	swapped[100], swapped[200] = swapped[200], swapped[100]
	if swapped[100] == swapped[200] {
		t.Fatal("nothing to interchange")
	}
	for name, c := range map[string]struct {
		p    *Pair
		msg  []byte
		want error
	}{
		"last byte changed":   {b, last, ErrForged},
		"bytes interchanged":  {b, swapped, ErrForged},
		"cut":                 {b, msg[:len(msg)-1], ErrMalformed},
		"prolonged":           {b, append(bytes.Clone(msg), 0), ErrMalformed},
		"empty":               {b, nil, ErrMalformed},
		"sent back":           {a, msg, ErrForeign},
		"for another":         {stranger, msg, ErrForeign},
		"for another, forged": {stranger, slices.Concat(header(KindSealed, stranger.Inbox()), msg[headerSize:]), ErrForged},
	} {
		if _, err := c.p.Open(c.msg); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if _, err := b.Open(msg); err != nil {
		t.Errorf("after all that: %v", err)
	}
}

func TestOtherVersionsAreNamed(t *testing.T) {
	a, b := paired(t, 1)
	msg, err := a.Seal(nil, Unpair{})
	must(t, err)
	for _, v := range []byte{0, 2, 255} {
		msg[len(magic)] = v
		var e *VersionError
		if _, err := b.Open(msg); !errors.As(err, &e) || e.Have != v || e.Want != version {
			t.Errorf("version %d: %v", v, err)
		}
		if _, err := Read(msg[:len(magic)+1]); !errors.As(err, &e) {
			t.Errorf("version %d, of any length: %v", v, err)
		}
	}
}

// TestMessagesOpenOnce in whatever order they come, each and only once, also
// over a stored state.
func TestMessagesOpenOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Few places of the window, over some of its lengths.
		number := rapid.Custom(func(t *rapid.T) uint64 {
			return rapid.Uint64Range(0, 4).Draw(t, "windows")*windowSize + rapid.Uint64Range(0, 9).Draw(t, "place")
		})
		numbers := rapid.SliceOfN(number, 1, 60).Draw(t, "numbers")
		var w window
		opened := make(map[uint64]bool)
		greatest := uint64(0)
		for _, n := range numbers {
			fresh := n > 0 && !opened[n] && (n > greatest || greatest-n < windowSize)
			if w.has(n) == fresh {
				t.Fatalf("number %d after %d: open again: %v", n, greatest, fresh)
			}
			if fresh {
				w.add(n)
				opened[n] = true
				greatest = max(greatest, n)
			}
		}
	})
	a, b := paired(t, 1)
	var sent [][]byte
	for _, m := range someMessages() {
		msg, err := a.Seal(nil, m)
		must(t, err)
		sent = append(sent, msg)
	}
	slices.Reverse(sent)
	for _, msg := range sent {
		if _, err := b.Open(msg); err != nil {
			t.Fatal(err)
		}
		again, err := RestorePair(b.State())
		must(t, err)
		for _, p := range []*Pair{b, again} {
			if _, err := p.Open(msg); !errors.Is(err, ErrReplayed) {
				t.Errorf("again: %v", err)
			}
		}
	}
}

// TestWhatIsNeverWrittenIsNotRead, although it comes sealed: from a friend
// with another program.
func TestWhatIsNeverWrittenIsNotRead(t *testing.T) {
	a, b := paired(t, 1)
	x := batch(t, begin(t, a, 1, someDay, nil))
	unsorted, double, large, noDay := x, x, x, x
	unsorted.Tokens[3], unsorted.Tokens[4] = x.Tokens[4], x.Tokens[3]
	double.Tokens[4] = x.Tokens[3]
	fillBytes(&large.Questions[255])
	noDay.Day = lastDay + 1
	for name, m := range map[string]Message{
		"tokens not in order": unsorted, "a token twice": double, "a number above the prime": large,
		"a day that is none": noDay, "an offer of nothing": Offer{}, "an answer of no day": Answer{Day: -1},
	} {
		sent := a.sent
		if _, err := a.Seal(nil, m); !errors.Is(err, ErrMalformed) || a.sent != sent {
			t.Errorf("%s is sealed: %v", name, err)
		}
		if _, err := b.Open(sealRaw(t, a, m.tag(), m.append(nil), 0)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s is opened: %v", name, err)
		}
	}
	for name, msg := range map[string][]byte{
		"unknown kind": sealRaw(t, a, 77, nil, 0), "padding": sealRaw(t, a, tagUnpair, nil, 1),
		"neither yes nor no": sealRaw(t, a, tagReply, append(make([]byte, idSize), 2), 0),
		"too short":          sealRaw(t, a, tagReply, make([]byte, idSize), 0),
		"too long":           sealRaw(t, a, tagUnpair, make([]byte, 1), 0),
	} {
		if _, err := b.Open(msg); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func fillBytes(p *Blinded) {
	for i := range p {
		p[i] = 0xff
	}
}

// sealRaw seals what Seal would not.
func sealRaw(t testing.TB, p *Pair, tag byte, body []byte, padding byte) []byte {
	t.Helper()
	p.sent++
	plain := make([]byte, plainSize)
	copy(plain, slices.Concat([]byte{tag}, number(int64(p.sent)), []byte{byte(len(body) >> 8), byte(len(body))}, body))
	if len(body) < batchSize {
		plain[plainSize-1] = padding
	}
	aead, err := gcm(p.keyOut)
	must(t, err)
	head, nonce := header(KindSealed, p.out), make([]byte, nonceSize)
	return aead.Seal(append(head, nonce...), nonce, plain, head)
}
