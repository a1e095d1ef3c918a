package nearby

import (
	"crypto/ecdh"
	"encoding/binary"
	"slices"
)

// The states hold secret keys, and those of rounds what stands for
// places and times: they are to be kept sealed, and only as long as needed.
// The first byte is the version, the second what it is the state of.

const (
	stateInvited byte = 1 + iota
	stateAccepted
	statePair
	stateRound
	stateClosed
)

func number(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

// restoring reads a state of a kind and of a size.
func restoring(state []byte, kind byte, size int) (*reader, error) {
	if len(state) != size || state[0] != version || state[1] != kind {
		return nil, ErrState
	}
	return &reader{b: state[2:]}, nil
}

func (r *reader) array(out []byte) { copy(out, r.take(len(out))) }

func (r *reader) uint64() uint64 { return binary.BigEndian.Uint64(r.take(8)) }

// State is for RestoreInvited.
func (i *Invited) State() []byte {
	return slices.Concat([]byte{version, stateInvited}, i.key.Bytes(), i.invitation)
}

// RestoreInvited is the invitation that had the state.
func RestoreInvited(state []byte) (*Invited, error) {
	r, err := restoring(state, stateInvited, 2+keySize+size(KindInvitation))
	if err != nil {
		return nil, err
	}
	i := new(Invited)
	if i.key, err = ecdh.X25519().NewPrivateKey(r.take(keySize)); err != nil {
		return nil, err
	}
	i.invitation = slices.Clone(r.b)
	if _, err := expect(i.invitation, KindInvitation); err != nil {
		return nil, ErrState
	}
	return i, nil
}

// State is for RestoreAccepted.
func (a *Accepted) State() []byte {
	return slices.Concat([]byte{version, stateAccepted}, a.key.Bytes(), a.invitation, a.acceptance)
}

// RestoreAccepted is the accepted invitation that had the state.
func RestoreAccepted(state []byte) (*Accepted, error) {
	r, err := restoring(state, stateAccepted, 2+keySize+size(KindInvitation)+size(KindAcceptance))
	if err != nil {
		return nil, err
	}
	a := new(Accepted)
	if a.key, err = ecdh.X25519().NewPrivateKey(r.take(keySize)); err != nil {
		return nil, err
	}
	a.invitation, a.acceptance = slices.Clone(r.take(size(KindInvitation))), slices.Clone(r.b)
	if _, err := expect(a.invitation, KindInvitation); err != nil {
		return nil, ErrState
	}
	if _, err := expect(a.acceptance, KindAcceptance); err != nil {
		return nil, ErrState
	}
	return a, nil
}

const pairSize = 2 + 2*idSize + 3*keySize + 4 + 8 + 8 + windowSize/8

// State is for RestorePair. It is another one after each Seal and Open.
func (p *Pair) State() []byte {
	out := slices.Concat([]byte{version, statePair}, p.in[:], p.out[:], p.keyIn[:], p.keyOut[:], p.tokens[:])
	out = binary.BigEndian.AppendUint32(out, p.code)
	out = binary.BigEndian.AppendUint64(out, p.sent)
	out = binary.BigEndian.AppendUint64(out, p.window.last)
	for _, w := range p.window.bits {
		out = binary.BigEndian.AppendUint64(out, w)
	}
	return out
}

// RestorePair is the pair that had the state.
func RestorePair(state []byte) (*Pair, error) {
	r, err := restoring(state, statePair, pairSize)
	if err != nil {
		return nil, err
	}
	p := new(Pair)
	for _, b := range [][]byte{p.in[:], p.out[:], p.keyIn[:], p.keyOut[:], p.tokens[:]} {
		r.array(b)
	}
	p.code = binary.BigEndian.Uint32(r.take(4))
	p.sent, p.window.last = r.uint64(), r.uint64()
	for i := range p.window.bits {
		p.window.bits[i] = r.uint64()
	}
	return p, nil
}

const (
	closedSize = 2 + 4 + 1 + digestSize
	roundSize  = closedSize + 2*keySize + 2*idSize + BatchSize*(labelSize+2*tokenSize)

	flagAsked = 1
	flagTaken = 2
)

// State is for RestoreRound. It is another one after Answer, Take and Close.
func (r *Round) State() []byte {
	kind, flags := stateRound, byte(0)
	if r.closed {
		kind = stateClosed
	}
	if r.asked {
		flags |= flagAsked
	}
	if r.mine != nil {
		flags |= flagTaken
	}
	out := binary.BigEndian.AppendUint32([]byte{version, kind}, uint32(r.day))
	out = append(append(out, flags), r.batch[:]...)
	if r.closed {
		return out
	}
	out = slices.Concat(out, r.key[:], r.seed[:], r.me[:], r.them[:])
	for _, l := range r.labels {
		out = append(out, l[:]...)
	}
	for _, list := range [][]Token{r.theirs, r.mine} {
		bytes := make([]byte, BatchSize*tokenSize) // zero if there is no list
		for i, t := range list {
			copy(bytes[i*tokenSize:], t[:])
		}
		out = append(out, bytes...)
	}
	return out
}

// RestoreRound is the round that had the state.
func RestoreRound(state []byte) (*Round, error) {
	r, err := restoring(state, stateRound, roundSize)
	closed := err != nil
	if closed {
		if r, err = restoring(state, stateClosed, closedSize); err != nil {
			return nil, err
		}
	}
	out := &Round{day: r.day(), closed: closed}
	flags := r.take(1)[0]
	out.asked = flags&flagAsked != 0
	r.array(out.batch[:])
	if r.bad || flags > flagAsked|flagTaken || closed && flags&flagTaken != 0 {
		return nil, ErrState
	}
	if closed {
		return out, nil
	}
	for _, b := range [][]byte{out.key[:], out.seed[:], out.me[:], out.them[:]} {
		r.array(b)
	}
	out.labels = make([]label, BatchSize)
	for i := range out.labels {
		r.array(out.labels[i][:])
	}
	theirs, mine := r.tokens(), r.tokens()
	var none [BatchSize]Token
	switch {
	case out.asked:
		out.theirs = theirs[:]
	case theirs != none:
		return nil, ErrState
	}
	switch {
	case flags&flagTaken != 0:
		out.mine = mine[:]
	case mine != none:
		return nil, ErrState
	}
	return out, nil
}
