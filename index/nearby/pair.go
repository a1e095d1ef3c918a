package nearby

import (
	"bytes"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/hmac"
	crand "crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

const (
	secretSize = 16
	keySize    = 32
	tagSize    = sha256.Size
)

// Pairing takes three messages; the package's documentation says why.
//
//	invitation   SHA-256(inviter's public key), secret
//	acceptance   accepter's public key, a tag by the secret
//	opening      inviter's public key, a tag by what both now share

// Invited is an invitation that was made and not yet accepted.
type Invited struct {
	key        *ecdh.PrivateKey
	invitation []byte
}

// Accepted is an invitation that was accepted and not yet opened.
type Accepted struct {
	key                    *ecdh.PrivateKey
	invitation, acceptance []byte
}

// Invite begins a pair with a key of its own, and makes the invitation. It is
// for one pair only: Complete it once, then forget it. Randomness is read from
// rand, crypto/rand's if nil.
func Invite(rand io.Reader) (*Invited, []byte, error) {
	key, err := newKey(rand)
	if err != nil {
		return nil, nil, err
	}
	id, err := random(rand, idSize)
	if err != nil {
		return nil, nil, err
	}
	secret, err := random(rand, secretSize)
	if err != nil {
		return nil, nil, err
	}
	commitment := sha256.Sum256(key.PublicKey().Bytes())
	msg := slices.Concat(header(KindInvitation, ID(id)), commitment[:], secret)
	return &Invited{key: key, invitation: msg}, bytes.Clone(msg), nil
}

// Accept accepts an invitation and makes the acceptance.
func Accept(rand io.Reader, invitation []byte) (*Accepted, []byte, error) {
	h, err := expect(invitation, KindInvitation)
	if err != nil {
		return nil, nil, err
	}
	key, err := newKey(rand)
	if err != nil {
		return nil, nil, err
	}
	msg := slices.Concat(header(KindAcceptance, h.To), key.PublicKey().Bytes())
	msg = append(msg, acceptanceTag(invitation, msg)...)
	return &Accepted{key: key, invitation: bytes.Clone(invitation), acceptance: msg}, bytes.Clone(msg), nil
}

func acceptanceTag(invitation, msg []byte) []byte {
	return derive(invitation[len(invitation)-secretSize:], "acceptance", invitation, msg)
}

// Complete takes the acceptance, and makes the pair and the opening.
func (i *Invited) Complete(acceptance []byte) (*Pair, []byte, error) {
	h, err := expect(acceptance, KindAcceptance)
	if err != nil {
		return nil, nil, err
	}
	if h.To != i.ID() {
		return nil, nil, ErrForeign
	}
	msg, tag := acceptance[:len(acceptance)-tagSize], acceptance[len(acceptance)-tagSize:]
	if !hmac.Equal(tag, acceptanceTag(i.invitation, msg)) {
		return nil, nil, ErrForged
	}
	opening := slices.Concat(header(KindOpening, h.To), i.key.PublicKey().Bytes())
	root, err := agree(i.key, msg[headerSize:], i.invitation, msg, opening)
	if err != nil {
		return nil, nil, err
	}
	p, err := newPair(root, true)
	if err != nil {
		return nil, nil, err
	}
	return p, append(opening, derive(root, "opening", opening)...), nil
}

// Complete takes the opening, and makes the pair.
func (a *Accepted) Complete(opening []byte) (*Pair, error) {
	h, err := expect(opening, KindOpening)
	if err != nil {
		return nil, err
	}
	if h.To != a.ID() {
		return nil, ErrForeign
	}
	msg, tag := opening[:len(opening)-tagSize], opening[len(opening)-tagSize:]
	if sum := sha256.Sum256(msg[headerSize:]); !hmac.Equal(sum[:], a.invitation[headerSize:headerSize+len(sum)]) {
		return nil, ErrForged
	}
	root, err := agree(a.key, msg[headerSize:], a.invitation, a.acceptance[:len(a.acceptance)-tagSize], msg)
	if err != nil {
		return nil, err
	}
	if !hmac.Equal(tag, derive(root, "opening", msg)) {
		return nil, ErrForged
	}
	return newPair(root, false)
}

// ID is the invitation's, by which the acceptance and the opening name it.
func (i *Invited) ID() ID { return ID(i.invitation[headerSize-idSize:]) }

// ID is the invitation's.
func (a *Accepted) ID() ID { return ID(a.invitation[headerSize-idSize:]) }

// agree is the pair's root: HKDF's extract (RFC 5869) of what X25519 gives
// both, salted with all that was said.
func agree(key *ecdh.PrivateKey, theirs []byte, said ...[]byte) ([]byte, error) {
	pub, err := ecdh.X25519().NewPublicKey(theirs)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	shared, err := key.ECDH(pub)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	salt := sha256.New()
	for _, s := range said { // each of a fixed size
		salt.Write(s)
	}
	return hkdf.Extract(sha256.New, shared, salt.Sum(nil))
}

// Pair is what two accounts share: keys that no other pair has. Both sides
// have the same, seen from their ends. Its state changes with each message
// that is sealed or opened, and has to be kept before that message's effects.
type Pair struct {
	in, out       ID // the addresses on the messages
	keyIn, keyOut [keySize]byte
	tokens        [keySize]byte
	code          uint32
	sent          uint64 // messages
	window        window // of those that were opened
}

func newPair(root []byte, inviter bool) (*Pair, error) {
	var err error
	expand := func(what string) []byte {
		k, e := hkdf.Expand(sha256.New, root, "kith-nearby v1 "+what, keySize)
		if e != nil {
			err = e
			return make([]byte, keySize)
		}
		return k
	}
	p := &Pair{
		out: ID(expand("address inviter")[:idSize]), keyOut: [keySize]byte(expand("key inviter")),
		in: ID(expand("address accepter")[:idSize]), keyIn: [keySize]byte(expand("key accepter")),
		tokens: [keySize]byte(expand("tokens")),
		code:   uint32(binary.BigEndian.Uint64(expand("code")) % 100_000_000),
	}
	if !inviter {
		p.in, p.out, p.keyIn, p.keyOut = p.out, p.in, p.keyOut, p.keyIn
	}
	return p, err
}

// Code is what the two should see to be the same, by a way that shows who they
// are (side by side, on the phone): eight digits.
func (p *Pair) Code() string { return fmt.Sprintf("%04d %04d", p.code/10_000, p.code%10_000) }

// Inbox is the address on the messages to this side, Outbox that on those to
// the other. They are random numbers for all others.
func (p *Pair) Inbox() ID  { return p.in }
func (p *Pair) Outbox() ID { return p.out }

func newKey(rand io.Reader) (*ecdh.PrivateKey, error) {
	k, err := random(rand, keySize)
	if err != nil {
		return nil, err
	}
	return ecdh.X25519().NewPrivateKey(k)
}

func random(rand io.Reader, n int) ([]byte, error) {
	if rand == nil {
		rand = crand.Reader
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(rand, b); err != nil {
		return nil, fmt.Errorf("nearby: randomness: %w", err)
	}
	return b, nil
}
