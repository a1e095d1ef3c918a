package index_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/index/nearby"
	"github.com/kith-photos/kith/store"
)

// phone is an account with photos of which it is known when and where they were
// taken, and one friend.
type phone struct {
	*index.Account
	t      *testing.T
	path   string
	cfg    index.Config
	friend index.FriendID
	name   map[index.PhotoID]string
	again  bool // close and open the account before each step
}

// pic is a photo of a phone's: so long after the tests' start, so many metres
// north of Turku.
type pic struct {
	name  string
	after time.Duration
	north float64
}

func newPhone(t *testing.T, clock *hands, keys store.KeyProvider, pics ...pic) *phone {
	t.Helper()
	p := &phone{t: t, path: filepath.Join(t.TempDir(), "a.kith"), name: map[index.PhotoID]string{}}
	p.cfg = withScenes(index.Config{Now: clock.now, Keys: keys})
	p.Account = must1[*index.Account](t)(index.Open(t.Context(), p.path, p.cfg))
	t.Cleanup(func() { closeChecked(t, p.Account) })
	p.shoot(pics...)
	return p
}

func (p *phone) shoot(pics ...pic) {
	p.t.Helper()
	if len(pics) == 0 {
		return
	}
	ctx, src := p.t.Context(), newFiles(nil)
	for _, x := range pics {
		src.put(x.name, shot(x.name))
	}
	reindex(p.t, p.Account, src, index.ReindexOptions{NoFaces: true})
	for _, x := range pics {
		id := photoOf(p.t, p.Account, x.name).ID
		p.name[id] = x.name
		must1[index.DecisionID](p.t)(p.CorrectTime(ctx, id, exif.Time{Wall: start.Add(x.after), Zone: exif.ZoneOffset}))
		must1[index.DecisionID](p.t)(p.CorrectPlace(ctx, id, &exif.GPS{Lat: 60.4518 + x.north/111_195, Lon: 22.2666}))
	}
}

// step is the account for the next step.
func (p *phone) step() *index.Account {
	p.t.Helper()
	if p.again {
		must(p.t, p.Close())
		p.Account = must1[*index.Account](p.t)(index.Open(p.t.Context(), p.path, p.cfg))
	}
	return p.Account
}

// proposed are the names of the photos of each proposal.
func (p *phone) proposed() []string {
	p.t.Helper()
	var out []string
	for _, x := range must1[[]index.Proposal](p.t)(p.Proposals(p.t.Context())) {
		var names []string
		for _, id := range x.Photos {
			names = append(names, p.name[id])
		}
		slices.Sort(names)
		out = append(out, fmt.Sprint(names))
	}
	slices.Sort(out)
	return out
}

// post carries all messages of one to the other, and reports whether there were
// any. With r, it may lose some, carry some twice, and all in any order.
func post(from, to *phone, r *rand.Rand) bool {
	from.t.Helper()
	ctx := from.t.Context()
	out := must1[[]index.Message](from.t)(from.step().Outbox(ctx))
	if r != nil {
		r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	}
	for _, m := range out {
		fate := 0
		if r != nil {
			fate = r.IntN(3)
		}
		if fate == 1 { // lost
			must(from.t, from.step().Tried(ctx, m.ID))
			continue
		}
		if _, err := to.step().Receive(ctx, m.Bytes); err != nil && (r == nil || !errors.Is(err, nearby.ErrReplayed) && !errors.Is(err, nearby.ErrForeign)) {
			from.t.Fatalf("%s: %v", m.Kind, err)
		}
		if fate == 0 {
			must(from.t, from.step().Sent(ctx, m.ID))
		} // else it is sent once more
	}
	return len(out) > 0
}

// talk lets both send until neither has anything to say.
func talk(a, b *phone, r *rand.Rand) {
	a.t.Helper()
	for range 100 {
		if one, other := post(a, b, r), post(b, a, r); !one && !other {
			return
		}
	}
	a.t.Fatal("they never end")
}

// befriend pairs two.
func befriend(a, b *phone, r *rand.Rand) {
	a.t.Helper()
	var invitation []byte
	var err error
	a.friend, invitation, err = a.step().InviteFriend(a.t.Context(), "Bea Friendmark")
	must(a.t, err)
	b.friend = must1[index.FriendID](a.t)(b.step().AcceptFriend(a.t.Context(), "Abe Friendmark", invitation))
	talk(a, b, r)
}

// compareDays lets both begin what is over, and talk about it. The inviter
// begins when it has heard of the other.
func compareDays(a, b *phone, r *rand.Rand) {
	a.t.Helper()
	for range 2 {
		for _, p := range []*phone{b, a} {
			must1[int](a.t)(p.step().CompareDays(a.t.Context(), index.CompareOptions{}))
		}
		talk(a, b, r)
	}
}

// rawFriend is a friend with a program of its own.
func rawFriend(t *testing.T, acc *index.Account) (index.FriendID, *nearby.Pair) {
	t.Helper()
	i, invitation, err := nearby.Invite(nil)
	must(t, err)
	id := must1[index.FriendID](t)(acc.AcceptFriend(t.Context(), "Raw", invitation))
	var acceptance index.Message
	for _, m := range must1[[]index.Message](t)(acc.Outbox(t.Context())) {
		if m.Friend == id {
			acceptance = m
		}
	}
	p, opening, err := i.Complete(acceptance.Bytes)
	must(t, err)
	must(t, acc.Sent(t.Context(), acceptance.ID))
	must1[index.Received](t)(acc.Receive(t.Context(), opening))
	return id, p
}
