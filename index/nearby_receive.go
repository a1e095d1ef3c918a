package index

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/kith-photos/kith/index/nearby"
	"github.com/kith-photos/kith/store"
)

// errEnded: the friend has ended the pair.
var errEnded = errors.New("the friend has ended the pair")

// Receive takes a message that has come for the account, from whichever friend.
// What follows from it is kept with the knowledge that it came, or, with an
// error, neither is: after a crash the same message can be given again.
//
// With any of these errors the message says nothing and can be dropped:
// nearby.ErrMalformed, nearby.ErrForeign (no friend's, or no more),
// nearby.ErrForged, nearby.ErrReplayed (it came before), nearby.ErrOtherRound,
// nearby.ErrAsked, nearby.ErrClosed, ErrDay, ErrManyOffers. With a
// *nearby.VersionError the friend's program is newer. Messages may come in any
// order and several times. A friend's last word erases the pair, as Unpair does.
func (a *Account) Receive(ctx context.Context, msg []byte) (Received, error) {
	ctx, done, err := a.deciding(ctx)
	if err != nil {
		return Received{}, err
	}
	defer done()
	var got Received
	err = a.converse(ctx, func(c *comparison) error {
		kind, err := c.receive(msg)
		got = Received{c.f.ID, kind, c.proposed}
		return err
	})
	switch {
	case errors.Is(err, errEnded):
		_, err = a.db.Unpair(ctx, got.Friend, "unpaired by the friend")
	case err != nil:
		got = Received{}
	}
	return got, err
}

func (c *comparison) receive(msg []byte) (kind string, err error) {
	h, err := nearby.Read(msg)
	if err != nil {
		return "", err
	}
	friends, err := c.s.Friends()
	if err != nil {
		return "", err
	}
	for _, f := range friends {
		switch {
		case h.Kind == nearby.KindSealed && f.State == store.FriendPaired:
			if err := c.with(f); err != nil {
				return "", err
			}
			if c.p.Inbox() == h.To {
				return c.open(msg)
			}
		case h.Kind == nearby.KindAcceptance && f.State == store.FriendInvited, h.Kind == nearby.KindOpening && f.State == store.FriendAccepted:
			if id, _, err := pairing(f); err != nil || id == h.To {
				return c.pair(f, msg, err)
			}
		}
	}
	c.f = store.Friend{}
	return "", nearby.ErrForeign
}

// pair takes the friend's part in pairing.
func (c *comparison) pair(f store.Friend, msg []byte, err error) (string, error) {
	if err != nil {
		return "", err
	}
	kind := MessageOpening
	if c.f = f; f.State == store.FriendInvited {
		kind, err = MessageAcceptance, c.complete(msg)
	} else {
		var a *nearby.Accepted
		if a, err = nearby.RestoreAccepted(f.Secret); err == nil {
			c.p, err = a.Complete(msg)
		}
		c.f.Heard = true
	}
	if err != nil {
		return "", err
	}
	c.f.State = store.FriendPaired
	return kind, errors.Join(c.save(), c.s.Note("pair", Counts{ClassFriends: 1}))
}

// complete is pair for who has invited.
func (c *comparison) complete(acceptance []byte) error {
	i, err := nearby.RestoreInvited(c.f.Secret)
	if err != nil {
		return err
	}
	var opening []byte
	if c.p, opening, err = i.Complete(acceptance); err != nil {
		return err
	}
	c.f.Since = int32(nearby.DayOf(c.now.UnixMicro()))
	return c.s.Enqueue(store.Outgoing{Friend: c.f.ID, Kind: MessageOpening, Message: opening})
}

// open takes a message of the pair.
func (c *comparison) open(msg []byte) (kind string, err error) {
	m, err := c.p.Open(msg)
	if err != nil {
		return "", err
	}
	c.f.Heard = true
	switch m := m.(type) {
	case nearby.Batch:
		kind, err = MessageBatch, c.takeBatch(m, msg)
	case nearby.Answer:
		kind, err = MessageAnswer, c.takeAnswer(m)
	case nearby.Offer:
		kind, err = MessageOffer, c.takeOffer(m)
	case nearby.Reply:
		kind, err = MessageReply, c.takeReply(m)
	case nearby.Delivered:
		kind, err = MessageDelivered, c.takeDelivered(m)
	case nearby.Unpair:
		return MessageUnpair, errEnded
	}
	if err != nil {
		return "", err
	}
	return kind, c.save()
}

// mayBe refuses days that the friend is not to ask about.
func (c *comparison) mayBe(day nearby.Day) error {
	if d := int32(day); d < max(c.f.Since, c.earliest()) || d > c.earliest()+CompareBack+1 { // clocks differ
		return ErrDay
	}
	return nil
}

func (c *comparison) takeBatch(b nearby.Batch, msg []byte) error {
	if err := c.mayBe(b.Day); err != nil {
		return err
	}
	was, err := c.s.Round(c.f.ID, int32(b.Day))
	if err != nil {
		return err
	}
	switch was.State {
	case store.RoundClosed:
		return nearby.ErrClosed
	case store.RoundOpen:
		r, err := nearby.RestoreRound(was.Value)
		if err != nil {
			return err
		}
		if err := c.answer(r, b); err != nil {
			return err
		}
		return c.advance(r)
	case store.RoundHeld:
		if bytes.Equal(was.Value, msg) {
			return nearby.ErrReplayed
		}
		return nearby.ErrAsked
	default:
	}
	// It is opened again when this side begins the day, so that it must not be
	// known as opened.
	if c.p, err = nearby.RestorePair(c.f.Secret); err != nil {
		return err
	}
	return c.s.PutRound(c.f.ID, store.Round{Day: int32(b.Day), State: store.RoundHeld, Value: msg})
}

func (c *comparison) takeAnswer(a nearby.Answer) error {
	was, err := c.s.Round(c.f.ID, int32(a.Day))
	switch {
	case err != nil:
		return err
	case was.State == store.RoundClosed:
		return nearby.ErrClosed
	case was.State != store.RoundOpen:
		return nearby.ErrOtherRound
	}
	r, err := nearby.RestoreRound(was.Value)
	if err != nil {
		return err
	}
	if err := r.Take(a); err != nil {
		return err
	}
	return c.advance(r)
}

// numbered is the friend's offer, or the one to the friend, that both call so.
func (c *comparison) numbered(id nearby.ID, states ...store.OfferState) (o store.Offer, ok bool, open int, err error) {
	all, err := c.s.OffersOf(c.f.ID)
	for _, have := range all {
		if slices.Contains(states, have.State) {
			if open++; bytes.Equal(have.Number, id[:]) {
				o, ok = have, true
			}
		}
	}
	return o, ok, open, err
}

func (c *comparison) takeOffer(m nearby.Offer) error {
	if err := c.mayBe(m.Day); err != nil {
		return err
	}
	_, known, open, err := c.numbered(m.ID, store.OfferAsked, store.OfferTaken)
	switch {
	case err != nil || known:
		return err
	case open >= mostOffers:
		return ErrManyOffers
	}
	return c.s.PutOffer(store.Offer{
		ID: store.NewOfferID(), Friend: c.f.ID, State: store.OfferAsked, Day: int32(m.Day), At: c.now, Number: m.ID[:], Count: int(m.Photos),
	})
}

// takeReply takes what the friend says of an offer, which may have been dropped
// since.
func (c *comparison) takeReply(m nearby.Reply) error {
	o, ok, _, err := c.numbered(m.Offer, store.OfferMade, store.OfferWanted)
	switch {
	case err != nil || !ok:
		return err
	case !m.Accepted:
		return c.s.DropOffer(o.ID)
	}
	o.State = store.OfferWanted
	return c.s.PutOffer(o)
}

func (c *comparison) takeDelivered(m nearby.Delivered) error {
	o, ok, _, err := c.numbered(m.Offer, store.OfferAsked, store.OfferTaken)
	if err != nil || !ok {
		return err
	}
	return c.s.DropOffer(o.ID)
}
