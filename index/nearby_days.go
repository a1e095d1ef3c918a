package index

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/kith-photos/kith/index/geo"
	"github.com/kith-photos/kith/index/nearby"
	"github.com/kith-photos/kith/index/places"
	"github.com/kith-photos/kith/store"
)

// CompareOptions tune CompareDays.
type CompareOptions struct {
	// Delay is how long after its end a day is compared, for photos that come
	// late; below CompareBack days.
	Delay time.Duration
}

// CompareDays begins to compare the days that are over with all friends, and
// returns how many it began, one for each friend and day: those from the day of
// pairing on that were not begun, of the last CompareBack days. It is to be
// called once a day, and may be called at any time; what it has done is kept
// when it is stopped. Each day makes a message, also one without photos, and
// takes some tenths of a second.
//
// A day is compared by the photos of which the file, or a person, says exactly
// when and where they were taken; estimates count for nothing. Photos at a place
// that the account knows as a home, or within nearby.Reach of it, take no part
// unless the friend's rule says so. An account needs some weeks of photos before
// it knows a home. Photos that come to the account after their day was begun
// take no part in finding the friend.
func (a *Account) CompareDays(ctx context.Context, opt CompareOptions) (int, error) {
	if opt.Delay < 0 || opt.Delay >= CompareBack*24*time.Hour {
		return 0, fmt.Errorf("index: a delay of %v, want less than %d days", opt.Delay, CompareBack)
	}
	type job struct {
		friend FriendID
		day    int32
	}
	var jobs []job
	err := a.comparing(ctx, func(c *comparison) error {
		if err := c.s.DropRounds(c.earliest()); err != nil {
			return err
		}
		friends, err := c.s.Friends()
		if err != nil {
			return err
		}
		for _, f := range friends {
			if f.State != store.FriendPaired || !f.Heard {
				continue // who may not have the pair yet could not read it
			}
			states, err := c.s.RoundStates(f.ID)
			if err != nil {
				return err
			}
			over := c.now.Add(-opt.Delay).UnixMicro()
			for day := max(f.Since, c.earliest()); nearby.Day(day).Over(over); day++ {
				if s := states[day]; s == store.RoundNone || s == store.RoundHeld {
					jobs = append(jobs, job{f.ID, day})
				}
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	for n, j := range jobs {
		if err := ctx.Err(); err != nil {
			return n, cause(ctx, err)
		}
		if err := a.comparing(ctx, func(c *comparison) error { return c.begin(j.friend, j.day) }); err != nil {
			return n, fmt.Errorf("index: compare a day: %w", err)
		}
	}
	return len(jobs), nil
}

// comparison is one transaction with a friend.
type comparison struct {
	ctx      context.Context // of the one call that it lives in
	s        *store.Sharing
	now      time.Time
	consents map[PersonID]bool // nil: persons' own consent is not asked for
	f        store.Friend
	p        *nearby.Pair
	proposed int
}

// comparing runs f in one transaction, once times and places are up to date.
func (a *Account) comparing(ctx context.Context, f func(*comparison) error) error {
	ctx, done, err := a.deciding(ctx)
	if err != nil {
		return err
	}
	defer done()
	return a.converse(ctx, f)
}

// converse is comparing for who holds the lock on people.
func (a *Account) converse(ctx context.Context, f func(*comparison) error) error {
	if err := a.arrange(ctx); err != nil {
		return err
	}
	consents, err := a.consents(ctx)
	if err != nil {
		return err
	}
	return a.db.Share(ctx, func(s *store.Sharing) error {
		return f(&comparison{ctx: ctx, s: s, now: a.cfg.Now(), consents: consents})
	})
}

// earliest is the first day that is looked at still.
func (c *comparison) earliest() int32 { return int32(nearby.DayOf(c.now.UnixMicro())) - CompareBack }

// with takes up the conversation with a friend who is paired.
func (c *comparison) with(f store.Friend) (err error) {
	c.f = f
	c.p, err = nearby.RestorePair(f.Secret)
	return err
}

// withID is with for who has the id only.
func (c *comparison) withID(id FriendID) error {
	f, err := c.s.Friend(id)
	if err != nil {
		return err
	}
	return c.with(f)
}

// send seals a message. What is sealed is of use only once the pair is saved.
func (c *comparison) send(kind, ref string, m nearby.Message) error {
	b, err := c.p.Seal(nil, m)
	if err != nil {
		return err
	}
	return c.s.Enqueue(store.Outgoing{Friend: c.f.ID, Kind: kind, Ref: ref, Message: b})
}

func (c *comparison) save() error {
	c.f.Secret = c.p.State()
	return c.s.PutFriend(c.f)
}

func ref(day int32) string { return strconv.Itoa(int(day)) }

// begin begins a day, unless it was begun since, and answers the friend's part
// where that has come.
func (c *comparison) begin(id FriendID, day int32) error {
	if err := c.withID(id); err != nil {
		return err
	}
	was, err := c.s.Round(id, day)
	if err != nil || was.State == store.RoundOpen || was.State == store.RoundClosed {
		return err
	}
	seen, err := c.seen(nearby.Day(day))
	if err != nil {
		return err
	}
	r, err := c.p.Round(nil, nearby.Day(day), c.now.UnixMicro(), seen)
	if err != nil {
		return err
	}
	b, err := r.Batch()
	if err != nil {
		return err
	}
	if err := c.send(MessageBatch, ref(day), b); err != nil {
		return err
	}
	if was.State == store.RoundHeld {
		if m, err := c.p.Open(was.Value); err == nil {
			if theirs, ok := m.(nearby.Batch); ok {
				// One that cannot be answered is as if it had not come.
				if err := c.answer(r, theirs); err != nil && !errors.Is(err, nearby.ErrMalformed) {
					return err
				}
			}
		}
	}
	return errors.Join(c.put(r), c.save())
}

func (c *comparison) put(r *nearby.Round) error {
	return c.s.PutRound(c.f.ID, store.Round{Day: int32(r.Day()), State: store.RoundOpen, Value: r.State()})
}

// answer answers the friend's part of a day.
func (c *comparison) answer(r *nearby.Round, theirs nearby.Batch) error {
	a, err := r.Answer(theirs)
	if err != nil {
		return err
	}
	return c.send(MessageAnswer, ref(int32(r.Day())), a)
}

// advance keeps a day of which something came: if that was all, the photos near
// the friend's are proposed, and the day's secrets go.
func (c *comparison) advance(r *nearby.Round) error {
	if !r.Complete() {
		return c.put(r)
	}
	seen, err := c.seen(r.Day())
	if err != nil {
		return err
	}
	for _, m := range r.Meetings(seen) {
		if err := c.propose(int32(r.Day()), m); err != nil {
			return err
		}
	}
	return c.s.PutRound(c.f.ID, store.Round{Day: int32(r.Day()), State: store.RoundClosed})
}

// seen are the photos by which a day is compared with the friend.
func (c *comparison) seen(day nearby.Day) ([]nearby.Seen, error) {
	photos, err := c.s.Sightings(day.Window())
	if err != nil {
		return nil, err
	}
	var homes []Place
	if !c.f.Rule.AtHome {
		if homes, err = c.s.PlacesOf(string(places.KindHome)); err != nil {
			return nil, err
		}
	}
	var out []nearby.Seen
	for _, p := range photos {
		at := geo.Point{Lat: p.Where.Lat, Lon: p.Where.Lon}
		home := slices.ContainsFunc(homes, func(h Place) bool {
			return geo.Distance(at, geo.Point{Lat: h.Lat, Lon: h.Lon}) <= h.Radius+nearby.Reach
		})
		if !home && p.Where.Accuracy <= nearby.Reach {
			out = append(out, nearby.Seen{At: p.At, Point: at, Key: string(p.Photo)})
		}
	}
	return out, nil
}
