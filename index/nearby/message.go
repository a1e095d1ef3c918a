package nearby

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
)

const (
	magic      = "kith-nearby"
	version    = 1
	idSize     = 16
	headerSize = len(magic) + 2 + idSize
)

// Size is the number of bytes of each message of a pair, whatever it says.
const Size = headerSize + nonceSize + plainSize + gcmTag

// BatchSize is the number of questions, and of tokens, in each batch.
const BatchSize = 256

// ID is an address, or names an invitation or an offer.
type ID [idSize]byte

// Kind is the kind of a message, as all can see it.
type Kind byte

const (
	KindInvitation Kind = 1 + iota
	KindAcceptance
	KindOpening
	KindSealed // a message of a pair, see Pair.Open
)

// Header is the readable part of a message: For KindSealed, To is the Inbox of
// the pair that it is for; for the others it is the ID of the invitation.
type Header struct {
	Kind Kind
	To   ID
}

// size is the number of bytes of a kind's messages.
func size(k Kind) int {
	switch k {
	case KindInvitation:
		return headerSize + sha256.Size + secretSize
	case KindAcceptance, KindOpening:
		return headerSize + pointSize + tagSize
	case KindSealed:
		return Size
	}
	return 0
}

// Read reads the header of a message of any kind. The error is a *VersionError
// or ErrMalformed.
func Read(msg []byte) (Header, error) {
	if len(msg) <= len(magic) || string(msg[:len(magic)]) != magic {
		return Header{}, fmt.Errorf("%w: no %s", ErrMalformed, magic)
	}
	if v := msg[len(magic)]; v != version {
		return Header{}, &VersionError{Have: v, Want: version}
	}
	if len(msg) < headerSize {
		return Header{}, fmt.Errorf("%w: %d bytes", ErrMalformed, len(msg))
	}
	h := Header{Kind: Kind(msg[len(magic)+1]), To: ID(msg[headerSize-idSize:])}
	if len(msg) != size(h.Kind) {
		return Header{}, fmt.Errorf("%w: kind %d of %d bytes", ErrMalformed, h.Kind, len(msg))
	}
	return h, nil
}

func expect(msg []byte, k Kind) (Header, error) {
	h, err := Read(msg)
	if err == nil && h.Kind != k {
		err = ErrForeign
	}
	return h, err
}

func header(k Kind, to ID) []byte {
	return slices.Concat([]byte(magic), []byte{version, byte(k)}, to[:])
}

// Message is what a pair says to each other: Batch, Answer, Offer, Reply,
// Delivered or Unpair.
type Message interface {
	tag() byte
	append([]byte) []byte
}

// Batch is one side's day: questions about its spots, and tokens for the
// other's. See Round.
type Batch struct {
	Day       Day
	Round     ID // random
	Questions [BatchSize]Blinded
	Tokens    [BatchSize]Token // ascending
}

// Answer answers the other side's batch.
type Answer struct {
	Day    Day
	Round  ID // the batch's
	Points [BatchSize]Blinded
}

// Offer proposes photos of a meeting on a day, and says how many they are.
type Offer struct {
	ID     ID // random
	Day    Day
	Photos uint16 // > 0
}

// Reply says whether an offer is wanted.
type Reply struct {
	Offer    ID
	Accepted bool
}

// Delivered says that the photos of an offer have come.
type Delivered struct{ Offer ID }

// Unpair ends the pair. Nothing is sent or opened after it.
type Unpair struct{}

const (
	tagBatch byte = 1 + iota
	tagAnswer
	tagOffer
	tagReply
	tagDelivered
	tagUnpair
)

func (Batch) tag() byte     { return tagBatch }
func (Answer) tag() byte    { return tagAnswer }
func (Offer) tag() byte     { return tagOffer }
func (Reply) tag() byte     { return tagReply }
func (Delivered) tag() byte { return tagDelivered }
func (Unpair) tag() byte    { return tagUnpair }

const (
	batchSize  = 4 + idSize + BatchSize*(pointSize+tokenSize)
	digestSize = 16
	lastDay    = 2_932_896 // 9999-12-31
)

func (b Batch) append(out []byte) []byte {
	out = append(binary.BigEndian.AppendUint32(out, uint32(b.Day)), b.Round[:]...)
	for _, q := range b.Questions {
		out = append(out, q[:]...)
	}
	for _, t := range b.Tokens {
		out = append(out, t[:]...)
	}
	return out
}

// digest tells batches of a day apart.
func (b Batch) digest() [digestSize]byte {
	sum := sha256.Sum256(b.append([]byte("kith-nearby v1 batch")))
	return [digestSize]byte(sum[:])
}

func (a Answer) append(out []byte) []byte {
	out = append(binary.BigEndian.AppendUint32(out, uint32(a.Day)), a.Round[:]...)
	for _, p := range a.Points {
		out = append(out, p[:]...)
	}
	return out
}

func (o Offer) append(out []byte) []byte {
	out = binary.BigEndian.AppendUint32(append(out, o.ID[:]...), uint32(o.Day))
	return binary.BigEndian.AppendUint16(out, o.Photos)
}

func (r Reply) append(out []byte) []byte {
	if r.Accepted {
		return append(append(out, r.Offer[:]...), 1)
	}
	return append(append(out, r.Offer[:]...), 0)
}

func (d Delivered) append(out []byte) []byte { return append(out, d.Offer[:]...) }

func (Unpair) append(out []byte) []byte { return out }

// reader reads what has a fixed order, and remembers that it was too short or
// held what is never written.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if len(r.b) < n {
		r.bad = true
		return make([]byte, n)
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) id() ID { return ID(r.take(idSize)) }

func (r *reader) day() Day {
	n := binary.BigEndian.Uint32(r.take(4))
	r.bad = r.bad || n > lastDay
	return Day(n)
}

func (r *reader) points(f field) (out [BatchSize]Blinded) {
	for i := range out {
		out[i] = Blinded(r.take(pointSize))
		r.bad = r.bad || !f.canonical(out[i])
	}
	return out
}

func (r *reader) tokens() (out [BatchSize]Token) {
	for i := range out {
		out[i] = Token(r.take(tokenSize))
	}
	return out
}

// ascending are tokens that are all different, in the order that says nothing.
func (r *reader) ascending() (out [BatchSize]Token) {
	out = r.tokens()
	for i := range out[1:] {
		r.bad = r.bad || bytes.Compare(out[i][:], out[i+1][:]) >= 0
	}
	return out
}

// parse reads one message, and nothing but it.
func parse(tag byte, body []byte) (Message, error) {
	r := &reader{b: body}
	var m Message
	switch tag {
	case tagBatch:
		m = Batch{Day: r.day(), Round: r.id(), Questions: r.points(curve25519()), Tokens: r.ascending()}
	case tagAnswer:
		m = Answer{Day: r.day(), Round: r.id(), Points: r.points(curve25519())}
	case tagOffer:
		o := Offer{ID: r.id(), Day: r.day(), Photos: binary.BigEndian.Uint16(r.take(2))}
		r.bad = r.bad || o.Photos == 0
		m = o
	case tagReply:
		o, yes := r.id(), r.take(1)[0]
		r.bad = r.bad || yes > 1
		m = Reply{Offer: o, Accepted: yes == 1}
	case tagDelivered:
		m = Delivered{Offer: r.id()}
	case tagUnpair:
		m = Unpair{}
	default:
		r.bad = true
	}
	if r.bad || len(r.b) > 0 {
		return nil, fmt.Errorf("%w: message %d of %d bytes", ErrMalformed, tag, len(body))
	}
	return m, nil
}
