package nearby

import (
	"crypto/ecdh"
	"encoding/hex"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// TestCurve holds the constants: both numbers are prime, and the base point of
// RFC 7748 is on the curve. That the order is the curve's is seen from
// TestBlindingIsUndone.
func TestCurve(t *testing.T) {
	f := curve25519()
	if !f.p.ProbablyPrime(32) || !f.order.ProbablyPrime(32) || f.p.BitLen() != 255 || f.order.BitLen() != 253 {
		t.Error("not the curve's primes")
	}
	if !f.onCurve(big.NewInt(9)) || f.onCurve(big.NewInt(2)) {
		t.Error("9 is on the curve, 2 is on the twist")
	}
}

// TestX25519 holds the multiplication against RFC 7748, section 5.2.
func TestX25519(t *testing.T) {
	dec := func(s string) []byte {
		b, err := hex.DecodeString(s)
		must(t, err)
		return b
	}
	got, err := by(dec("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
		Blinded(dec("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")))
	must(t, err)
	if hex.EncodeToString(got[:]) != "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552" {
		t.Errorf("%x", got)
	}
}

// TestBlindingIsUndone: what is asked under a blinding and answered is, freed
// of it, what the answering side has of the label itself; and the question is
// another one with each blinding.
func TestBlindingIsUndone(t *testing.T) {
	f := curve25519()
	asked := make(map[Blinded]bool)
	rapid.Check(t, func(t *rapid.T) {
		bytes := rapid.SliceOfN(rapid.Byte(), 32, 32)
		x := label(bytes.Draw(t, "label"))
		own, err := ecdh.X25519().NewPrivateKey(bytes.Draw(t, "own"))
		if err != nil {
			t.Fatal(err)
		}
		h := f.hash(x)
		if !f.canonical(h) || !f.onCurve(little(h[:])) {
			t.Fatalf("%x is no point", h)
		}
		seed := bytes.Draw(t, "seed")
		r, inverse := f.blinding(seed, x)
		question, err1 := by(r, h)
		answer, err2 := multiply(own, question)
		got, err3 := by(inverse, answer)
		want, err4 := multiply(own, h)
		if err1 != nil || err2 != nil || err3 != nil || err4 != nil || got != want || question == h {
			t.Fatalf("%x, want %x", got, want)
		}
		if _, repeated := f.blinding(seed, label{1}); string(repeated) == string(inverse) && x != (label{1}) {
			t.Fatal("two labels have one blinding")
		}
		asked[question] = true
	})
	if len(asked) < 20 {
		t.Errorf("%d different questions", len(asked))
	}
}
