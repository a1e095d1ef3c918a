package index

import (
	"context"
	"crypto/rand"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/kith-photos/kith/index/nearby"
	"github.com/kith-photos/kith/store"
)

// propose proposes the photos of a meeting, but for those that were before, and
// those that the friend's rule leaves out.
func (c *comparison) propose(day int32, m nearby.Meeting) error {
	var photos []PhotoID
	for _, k := range m.Keys {
		photos = append(photos, PhotoID(k))
	}
	known, err := c.known()
	if err != nil {
		return err
	}
	photos = slices.DeleteFunc(photos, func(id PhotoID) bool { return known[id] })
	if c.f.Rule.OnlyWithFriend {
		shows, err := c.showing(photos)
		if err != nil {
			return err
		}
		photos = slices.DeleteFunc(photos, func(id PhotoID) bool { return !shows[id] })
	}
	for some := range slices.Chunk(photos, mostPhotos) {
		o := store.Offer{
			ID: store.NewOfferID(), Friend: c.f.ID, State: store.OfferProposed, Day: day, At: c.now, From: m.From, To: m.To, Photos: some,
		}
		c.proposed++
		if c.f.Rule.Automatic {
			err = c.offer(o, true)
		} else {
			err = c.s.PutOffer(o)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// known are the photos that were proposed to be offered to the friend, whatever
// was decided: those near midnight are in meetings of two days.
func (c *comparison) known() (map[PhotoID]bool, error) {
	out := map[PhotoID]bool{}
	offers, err := c.s.OffersOf(c.f.ID)
	if err != nil {
		return nil, err
	}
	choices, err := c.s.Choices(c.f.ID)
	for _, o := range offers {
		for _, id := range o.Photos {
			out[id] = true
		}
	}
	for _, choice := range choices {
		for _, id := range choice.Photos {
			out[id] = true
		}
	}
	return out, err
}

// showing are the photos on which the account recognises the friend: none if it
// is not said who the friend is, or recognition needs a consent that is missing.
func (c *comparison) showing(photos []PhotoID) (map[PhotoID]bool, error) {
	person := c.f.Person
	if person == "" || c.consents != nil && !c.consents[person] {
		return nil, nil
	}
	return c.s.Showing(photos, person)
}

// offer offers the photos of a proposal to the friend.
func (c *comparison) offer(o store.Offer, byRule bool) error {
	var number nearby.ID
	_, _ = rand.Read(number[:]) // it never fails
	o.State, o.Number, o.At = store.OfferMade, number[:], c.now
	if err := c.s.PutOffer(o); err != nil {
		return err
	}
	m := nearby.Offer{ID: number, Day: nearby.Day(o.Day), Photos: uint16(len(o.Photos))}
	if err := c.send(MessageOffer, string(o.ID), m); err != nil {
		return err
	}
	return c.s.AddChoice(store.Choice{Friend: o.Friend, ByRule: byRule, Accepted: true, Day: o.Day, Photos: o.Photos})
}

// Proposals lists what may be offered to friends and nobody has decided about,
// the earliest first.
func (a *Account) Proposals(ctx context.Context) ([]Proposal, error) {
	return shared(a, ctx, func(s *store.Sharing) (out []Proposal, err error) {
		all, err := s.Offers(store.OfferProposed)
		for _, o := range all {
			if len(o.Photos) > 0 {
				out = append(out, Proposal{o.ID, o.Friend, time.UnixMicro(o.From).UTC(), time.UnixMicro(o.To).UTC(), o.Photos})
			}
		}
		return out, err
	})
}

// AcceptProposal offers photos of a proposal to the friend: those that are
// named, or, where none is, all. The others stay proposed. ErrNotFound if there
// is no such proposal any more, or it has no such photo.
func (a *Account) AcceptProposal(ctx context.Context, id OfferID, photos ...PhotoID) error {
	return a.settle(ctx, id, photos, func(c *comparison, chosen store.Offer) error {
		if err := c.withID(chosen.Friend); err != nil {
			return err
		}
		if err := c.offer(chosen, false); err != nil {
			return err
		}
		return c.save()
	})
}

// RefuseProposal says of photos of a proposal that they are not to be offered to
// this friend, as AcceptProposal says the contrary. They will not be proposed
// for the friend again.
func (a *Account) RefuseProposal(ctx context.Context, id OfferID, photos ...PhotoID) error {
	return a.settle(ctx, id, photos, func(c *comparison, chosen store.Offer) error {
		return c.s.AddChoice(store.Choice{Friend: chosen.Friend, Day: chosen.Day, Photos: chosen.Photos})
	})
}

// settle takes photos out of a proposal, and decides about them.
func (a *Account) settle(ctx context.Context, id OfferID, photos []PhotoID, f func(*comparison, store.Offer) error) error {
	return a.sharing(ctx, func(ctx context.Context, s *store.Sharing) error {
		o, err := s.Offer(id, store.OfferProposed)
		if err != nil {
			return err
		}
		for _, p := range photos {
			if !slices.Contains(o.Photos, p) {
				return fmt.Errorf("index: photo %s in proposal %s: %w", p, id, ErrNotFound)
			}
		}
		chosen := o
		chosen.ID = store.NewOfferID()
		if len(photos) > 0 {
			chosen.Photos = slices.Compact(slices.Sorted(slices.Values(photos)))
		}
		if o.Photos = slices.DeleteFunc(slices.Clone(o.Photos), func(p PhotoID) bool { return slices.Contains(chosen.Photos, p) }); len(o.Photos) > 0 {
			err = s.PutOffer(o)
		} else {
			err = s.DropOffer(id)
		}
		if err != nil || len(chosen.Photos) == 0 { // all have left the account
			return err
		}
		return f(&comparison{ctx: ctx, s: s, now: a.cfg.Now()}, chosen)
	})
}

// Choices lists what was decided about proposals, by whom or by a friend's rule,
// the first first.
func (a *Account) Choices(ctx context.Context) iter.Seq2[Choice, error] {
	return func(yield func(Choice, error) bool) {
		all, err := shared(a, ctx, func(s *store.Sharing) ([]Choice, error) { return s.Choices("") })
		for _, c := range all {
			if err != nil || !yield(c, nil) {
				break
			}
		}
		if err != nil {
			yield(Choice{}, err)
		}
	}
}

// Offers lists what friends offer, and has not come, the earliest first.
func (a *Account) Offers(ctx context.Context) ([]FriendOffer, error) {
	return shared(a, ctx, func(s *store.Sharing) (out []FriendOffer, err error) {
		for _, state := range []store.OfferState{store.OfferAsked, store.OfferTaken} {
			all, err := s.Offers(state)
			if err != nil {
				return nil, err
			}
			for _, o := range all {
				out = append(out, FriendOffer{o.ID, o.Friend, dayTime(o.Day), o.Count, state == store.OfferTaken, o.At})
			}
		}
		slices.SortStableFunc(out, func(x, y FriendOffer) int { return x.At.Compare(y.At) })
		return out, nil
	})
}

// ReplyOffer says whether a friend's offer is wanted. One that is not wanted is
// forgotten; one that is can still be refused until it has come.
func (a *Account) ReplyOffer(ctx context.Context, id OfferID, wanted bool) error {
	return a.sharing(ctx, func(ctx context.Context, s *store.Sharing) error {
		o, err := s.Offer(id, store.OfferAsked, store.OfferTaken)
		if err != nil || wanted && o.State == store.OfferTaken {
			return err
		}
		if o.State = store.OfferTaken; wanted {
			err = s.PutOffer(o)
		} else {
			err = s.DropOffer(id)
		}
		if err != nil {
			return err
		}
		c := &comparison{ctx: ctx, s: s, now: a.cfg.Now()}
		return c.tell(o, MessageReply, nearby.Reply{Offer: numberOf(o), Accepted: wanted})
	})
}

// numberOf is what both sides call an offer.
func numberOf(o store.Offer) (id nearby.ID) {
	copy(id[:], o.Number)
	return id
}

// tell says something about an offer.
func (c *comparison) tell(o store.Offer, kind string, m nearby.Message) error {
	if err := c.withID(o.Friend); err != nil {
		return err
	}
	if err := c.send(kind, string(o.ID), m); err != nil {
		return err
	}
	return c.save()
}

// Deliveries lists the photos that friends want, the earliest first: the host is
// to bring them there. They stay until they are Delivered, or Expire drops them,
// as Retention says of ClassShares, from when they were offered.
func (a *Account) Deliveries(ctx context.Context) ([]Delivery, error) {
	return leaving(a, ctx, func(s *store.Sharing) (out []Delivery, err error) {
		all, err := s.Offers(store.OfferWanted)
		for _, o := range all {
			if len(o.Photos) > 0 {
				out = append(out, Delivery{o.ID, o.Friend, numberOf(o), o.Photos})
			}
		}
		return out, err
	})
}

// Delivered says that the photos of a delivery are with the friend, who is told
// so. It leaves.
func (a *Account) Delivered(ctx context.Context, id OfferID) error {
	return a.sharing(ctx, func(ctx context.Context, s *store.Sharing) error {
		o, err := s.Offer(id, store.OfferWanted)
		if err != nil {
			return err
		}
		if err := s.DropOffer(id); err != nil {
			return err
		}
		if err := s.Note("deliver", Counts{ClassPhotos: len(o.Photos)}); err != nil {
			return err
		}
		c := &comparison{ctx: ctx, s: s, now: a.cfg.Now()}
		return c.tell(o, MessageDelivered, nearby.Delivered{Offer: numberOf(o)})
	})
}
