package nearby

import (
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"math/big"
	"slices"
)

// The blinding is the oblivious pseudorandom function 2HashDH (Jarecki,
// Kiayias and Krawczyk 2014; RFC 9497 has it for other groups) over
// Curve25519 (RFC 7748), of which the standard library multiplies a point,
// given by its coordinate u, by a scalar:
//
//	one side's question    P = r·H(x)       r random, another for each x
//	the other's answer     Z = b·P          b random, another for each day
//	from which follows     N = r⁻¹·Z = b·H(x)
//	and the token of x     HMAC(key, who made it, x, N)
//
// P is as likely for each x, so that it says nothing. N can be had only of
// what was asked. X25519 sets the three lowest bits of its scalar to 0: it
// multiplies by a multiple of 8, and what is left lies in the subgroup of the
// prime order, in which r has an inverse.

const (
	labelSize = 32 // of what stands for a spot: a keyed hash of it
	pointSize = 32
	tokenSize = 16
)

type (
	label [labelSize]byte
	// Blinded is a point of Curve25519 by its coordinate u, little-endian.
	Blinded [pointSize]byte
	// Token is what two who were at one spot have in common.
	Token [tokenSize]byte
)

// field is the curve: its prime and the order of its subgroup, and the
// coefficient A of v² = u³ + Au² + u.
type field struct{ p, order, a, one *big.Int }

func curve25519() field {
	p := new(big.Int).Lsh(big.NewInt(1), 255)
	p.Sub(p, big.NewInt(19))
	// 2²⁵² + 27742317777372353535851937790883648493
	low, _ := new(big.Int).SetString("27742317777372353535851937790883648493", 10)
	order := new(big.Int).Lsh(big.NewInt(1), 252)
	return field{p: p, order: order.Add(order, low), a: big.NewInt(486662), one: big.NewInt(1)}
}

// hash maps a label to a point of the curve: the first of a sequence of hashes
// that is the u of one. About every second is; the others are on its twist,
// and blinding would not hide which of both a point is on.
func (f field) hash(x label) Blinded {
	for n := byte(0); ; n++ {
		h := sha256.Sum256(slices.Concat([]byte("kith-nearby v1 point"), x[:], []byte{n}))
		h[31] &= 0x7f
		if u := little(h[:]); u.Cmp(f.p) < 0 && f.onCurve(u) {
			return Blinded(h)
		}
	}
}

func (f field) onCurve(u *big.Int) bool {
	v2 := new(big.Int).Add(u, f.a)
	v2.Mul(v2, u).Mod(v2, f.p).Add(v2, f.one).Mul(v2, u).Mod(v2, f.p)
	return big.Jacobi(v2, f.p) == 1
}

// blinding is a scalar and its inverse, both as X25519 takes them.
func (f field) blinding(seed []byte, x label) (r, inverse []byte) {
	for n := byte(0); ; n++ {
		r = derive(seed, "blinding", x[:], []byte{n})
		clamp(r)
		if inverse = f.inverse(r); inverse != nil {
			return r, inverse
		}
	}
}

// inverse is the scalar that undoes r in the subgroup: the one multiple of 8
// among the eight numbers below 8·order that are the inverse modulo the order.
// Half of those have the highest bit that X25519 sets; for the others it is
// nil.
func (f field) inverse(r []byte) []byte {
	k := new(big.Int).ModInverse(little(r), f.order) // r, a multiple of 8 below 8·order, has one
	for k.Bit(0)|k.Bit(1)|k.Bit(2) != 0 {
		k.Add(k, f.order)
	}
	if k.BitLen() != 255 {
		return nil
	}
	out := k.FillBytes(make([]byte, 32))
	slices.Reverse(out)
	return out
}

// clamp sets the bits that X25519 sets (RFC 7748, section 5).
func clamp(scalar []byte) {
	scalar[0] &= 248
	scalar[31] = scalar[31]&127 | 64
}

// canonical reports whether the bytes are a number below the prime, which is
// the only form that is written.
func (f field) canonical(p Blinded) bool { return little(p[:]).Cmp(f.p) < 0 }

func little(b []byte) *big.Int {
	b = slices.Clone(b)
	slices.Reverse(b)
	return new(big.Int).SetBytes(b)
}

// multiply is scalar·p. It fails for the few points of low order only.
func multiply(scalar *ecdh.PrivateKey, p Blinded) (Blinded, error) {
	pub, err := ecdh.X25519().NewPublicKey(p[:])
	if err != nil {
		return Blinded{}, err
	}
	out, err := scalar.ECDH(pub)
	if err != nil {
		return Blinded{}, err
	}
	return Blinded(out), nil
}

// by is multiply by a scalar that is used once.
func by(scalar []byte, p Blinded) (Blinded, error) {
	k, err := ecdh.X25519().NewPrivateKey(scalar)
	if err != nil {
		return Blinded{}, err
	}
	return multiply(k, p)
}

// derive is 32 bytes that follow from a key and, each with its length, from
// what they are for.
func derive(key []byte, what string, parts ...[]byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte("kith-nearby v1 " + what))
	for _, p := range parts {
		m.Write(binary.BigEndian.AppendUint32(nil, uint32(len(p))))
		m.Write(p)
	}
	return m.Sum(nil)
}
