package index_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/index/nearby"
	"github.com/kith-photos/kith/store"
)

// Abe and Bea eat together, and are apart before and after.
var (
	picsOfAbe = []pic{{"market.jpg", time.Hour, 2000}, {"soup.jpg", 3 * time.Hour, 0}, {"cake.jpg", 3*time.Hour + 20*time.Minute, 10}}
	picsOfBea = []pic{{"plate.jpg", 3*time.Hour + 5*time.Minute, 40}, {"castle.jpg", 6 * time.Hour, -3000}}
)

// Two who met get proposals of their own photos of that, decide, and are offered
// what the other accepted; in the sealed account each step is the last one of its process.
func TestNearby(t *testing.T) {
	plainAndSealed(t, func(t *testing.T, keys store.KeyProvider) {
		clock := newHands()
		a, b := newPhone(t, clock, keys, picsOfAbe...), newPhone(t, clock, nil, picsOfBea...)
		a.again, b.again = keys != nil, keys != nil
		befriend(a, b, nil)
		ofA, ofB := must1[[]index.Friend](t)(a.Friends(t.Context()))[0], must1[[]index.Friend](t)(b.Friends(t.Context()))[0]
		if ofA.Code == "" || ofA.Code != ofB.Code || ofA.State != index.FriendPaired || ofB.State != index.FriendPaired || ofA.Label != "Bea Friendmark" {
			t.Errorf("they are %+v and %+v", ofA, ofB)
		}
		compareDays(a, b, nil)
		if p := a.proposed(); len(p) > 0 {
			t.Errorf("before the day is over: %v", p)
		}
		clock.turn(day)
		compareDays(a, b, nil)
		if p := a.proposed(); !slices.Equal(p, []string{"[cake.jpg soup.jpg]"}) {
			t.Errorf("Abe is proposed %v", p)
		}
		if p := b.proposed(); !slices.Equal(p, []string{"[plate.jpg]"}) {
			t.Errorf("Bea is proposed %v", p)
		}
		share(t, a, b)
	})
}

// share is what follows on proposals: Abe offers the soup and not the cake, and
// Bea wants it.
func share(t *testing.T, a, b *phone) {
	t.Helper()
	ctx := index.WithActor(t.Context(), "abe")
	p := must1[[]index.Proposal](t)(a.step().Proposals(ctx))[0]
	soup, cake := photoOf(t, a.Account, "soup.jpg").ID, photoOf(t, a.Account, "cake.jpg").ID
	wantErr(t, "a photo of another", a.AcceptProposal(ctx, p.ID, soup, photoOf(t, a.Account, "market.jpg").ID), index.ErrNotFound)
	must(t, a.step().AcceptProposal(ctx, p.ID, soup))
	must(t, a.step().RefuseProposal(ctx, p.ID))
	wantErr(t, "decided already", a.step().AcceptProposal(ctx, p.ID), index.ErrNotFound)
	if left := a.proposed(); len(left) > 0 {
		t.Errorf("left are %v", left)
	}
	choices := all(t, a.Choices(ctx))
	if len(choices) != 2 || !choices[0].Accepted || choices[1].Accepted || choices[0].Actor != "abe" || choices[0].ByRule ||
		!slices.Equal(choices[0].Photos, []index.PhotoID{soup}) || !slices.Equal(choices[1].Photos, []index.PhotoID{cake}) {
		t.Errorf("decided was %+v", choices)
	}
	must(t, validate(t, schemaOf(t), exportText(t, a.Account, index.ExportOptions{})))
	if f := exportOf(t, a.Account, index.ExportOptions{}).Friends; len(f) != 1 || f[0].Label != "Bea Friendmark" || len(f[0].Choices) != 2 ||
		!f[0].Choices[0].Accepted || f[0].Choices[0].Actor != "abe" || f[0].Choices[0].Day != start.Format(time.DateOnly) {
		t.Errorf("exported is %+v", f)
	}
	talk(a, b, nil)
	offers := must1[[]index.FriendOffer](t)(b.step().Offers(ctx))
	if len(offers) != 1 || offers[0].Count != 1 || !offers[0].Day.Equal(start.Truncate(24*time.Hour)) || offers[0].Wanted {
		t.Fatalf("Bea is offered %+v", offers)
	}
	if d := must1[[]index.Delivery](t)(a.Deliveries(ctx)); len(d) > 0 {
		t.Errorf("to be delivered before it is wanted: %+v", d)
	}
	must(t, b.step().ReplyOffer(ctx, offers[0].ID, true))
	must(t, b.step().ReplyOffer(ctx, offers[0].ID, true))
	talk(a, b, nil)
	d := must1[[]index.Delivery](t)(a.step().Deliveries(ctx))
	if len(d) != 1 || !slices.Equal(d[0].Photos, []index.PhotoID{soup}) {
		t.Fatalf("to be delivered: %+v", d)
	}
	must(t, a.step().Delivered(ctx, d[0].ID))
	talk(a, b, nil)
	if left := len(must1[[]index.Delivery](t)(a.Deliveries(ctx))) + len(must1[[]index.FriendOffer](t)(b.Offers(ctx))); left > 0 {
		t.Errorf("%d are left after delivery", left)
	}
	wantErr(t, "delivered twice", a.Delivered(ctx, d[0].ID), index.ErrNotFound)
}

// However the host loses, repeats and mixes up messages, both end where they
// would with a perfect one.
func TestNearbyMailbox(t *testing.T) {
	seeds := uint64(2)
	if testing.Short() {
		seeds = 1
	}
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 6))
		clock := newHands()
		a, b := newPhone(t, clock, nil, picsOfAbe...), newPhone(t, clock, nil, picsOfBea...)
		befriend(a, b, r)
		clock.turn(day)
		compareDays(a, b, r)
		if of, other := a.proposed(), b.proposed(); !slices.Equal(of, []string{"[cake.jpg soup.jpg]"}) || !slices.Equal(other, []string{"[plate.jpg]"}) {
			t.Errorf("seed %d: %v and %v", seed, of, other)
		}
	}
}

// Days are begun once, those that are over for as long as asked, from the day of
// pairing on and no longer ago than CompareBack; each makes one message of one
// size, and those to two friends have nothing in common.
func TestCompareDays(t *testing.T) {
	clock := newHands()
	p := newPhone(t, clock, nil, picsOfAbe...)
	one, _ := rawFriend(t, p.Account)
	other, _ := rawFriend(t, p.Account)
	compare := func(delay time.Duration, want int) {
		t.Helper()
		if n := must1[int](t)(p.CompareDays(t.Context(), index.CompareOptions{Delay: delay})); n != want {
			t.Errorf("%d days are begun, want %d", n, want)
		}
	}
	clock.turn(day)
	compare(24*time.Hour, 0)
	compare(0, 2)
	compare(0, 0)
	out := must1[[]index.Message](t)(p.Outbox(t.Context()))
	if len(out) != 2 || out[0].Friend != one || out[1].Friend != other || out[0].To == out[1].To {
		t.Fatalf("to be sent are %+v", out)
	}
	seen := map[string]bool{}
	for _, m := range out {
		if len(m.Bytes) != nearby.Size || m.Kind != index.MessageBatch {
			t.Errorf("%s of %d bytes", m.Kind, len(m.Bytes))
		}
		grams := map[string]bool{}
		for i := 13; i+8 <= len(m.Bytes); i++ { // behind magic, version and kind
			grams[string(m.Bytes[i:i+8])] = true
		}
		for g := range grams {
			if seen[g] {
				t.Errorf("both messages hold %x", g)
			}
			seen[g] = true
		}
	}
	// Of 33 days off, one is over for 29 days and not longer ago than 30. The
	// second friend has left.
	_, _, err := p.Unpair(t.Context(), other)
	must(t, err)
	clock.turn(32 * day)
	compare(29*24*time.Hour, 1)
	if _, err := p.CompareDays(t.Context(), index.CompareOptions{Delay: index.CompareBack * day}); err == nil {
		t.Error("a delay as long as days are looked back to is taken")
	}
}

// Who has invited says nothing until it has heard of the friend, who could not
// read it before the opening has come.
func TestInviterWaits(t *testing.T) {
	clock := newHands()
	p := newPhone(t, clock, nil)
	ctx := t.Context()
	_, invitation, err := p.InviteFriend(ctx, "Raw")
	must(t, err)
	accepted, acceptance, err := nearby.Accept(nil, invitation)
	must(t, err)
	must1[index.Received](t)(p.Receive(ctx, acceptance))
	clock.turn(day)
	if n := must1[int](t)(p.CompareDays(ctx, index.CompareOptions{})); n != 0 {
		t.Errorf("%d days are begun before the friend is heard of", n)
	}
	out := must1[[]index.Message](t)(p.Outbox(ctx))
	if len(out) != 1 || out[0].Kind != index.MessageOpening {
		t.Fatalf("to be sent are %+v", out)
	}
	raw := must1[*nearby.Pair](t)(accepted.Complete(out[0].Bytes))
	must1[index.Received](t)(p.Receive(ctx, must1[[]byte](t)(raw.Seal(nil, nearby.Delivered{Offer: nearby.ID{1}}))))
	if n := must1[int](t)(p.CompareDays(ctx, index.CompareOptions{})); n != 1 {
		t.Errorf("%d days are begun then, want 1", n)
	}
}

// What is refused changes nothing, and says why.
func TestReceiveRefuses(t *testing.T) {
	clock := newHands()
	p := newPhone(t, clock, nil)
	ctx := t.Context()
	id, raw := rawFriend(t, p.Account)
	stranger := newPhone(t, clock, nil)
	_, strange := rawFriend(t, stranger.Account)
	today := nearby.DayOf(start.UnixMicro())
	batch := func(on nearby.Day) nearby.Batch {
		b := nearby.Batch{Day: on}
		for i := range b.Tokens {
			b.Tokens[i][0] = byte(i)
		}
		return b
	}
	seal := func(p *nearby.Pair, m nearby.Message) []byte { return must1[[]byte](t)(p.Seal(nil, m)) }
	good := seal(raw, nearby.Offer{ID: nearby.ID{1}, Day: today, Photos: 3})
	forged := bytes.Clone(good)
	forged[len(forged)-1]++
	newer := bytes.Clone(good)
	newer[len("kith-nearby")]++
	held := seal(raw, batch(today))
	must1[index.Received](t)(p.Receive(ctx, good))
	must1[index.Received](t)(p.Receive(ctx, held))
	_, invitation, err := nearby.Invite(nil)
	must(t, err)
	state := func() []any {
		return []any{
			must1[[]index.Friend](t)(p.Friends(ctx)), must1[[]index.Message](t)(p.Outbox(ctx)), must1[[]index.FriendOffer](t)(p.Offers(ctx)),
		}
	}
	before := fmt.Sprint(state()...)
	for what, c := range map[string]struct {
		msg  []byte
		want error
	}{
		"nothing": {nil, nearby.ErrMalformed}, "cut off": {good[:len(good)-1], nearby.ErrMalformed}, "forged": {forged, nearby.ErrForged},
		"seen": {good, nearby.ErrReplayed}, "held": {held, nearby.ErrReplayed}, "another part": {seal(raw, batch(today)), nearby.ErrAsked},
		"a stranger's": {seal(strange, nearby.Unpair{}), nearby.ErrForeign}, "an invitation": {invitation, nearby.ErrForeign},
		"a day before the pair": {seal(raw, batch(today-1)), index.ErrDay}, "a day to come": {seal(raw, batch(today+2)), index.ErrDay},
		"an offer of before":  {seal(raw, nearby.Offer{Day: today - 1, Photos: 1}), index.ErrDay},
		"an unasked answer":   {seal(raw, nearby.Answer{Day: today}), nearby.ErrOtherRound},
		"an unwelcome answer": {seal(raw, nearby.Answer{Day: today + 1}), nearby.ErrOtherRound},
	} {
		got, err := p.Receive(ctx, c.msg)
		if !errors.Is(err, c.want) || got != (index.Received{}) {
			t.Errorf("%s: %+v, %v, want %v", what, got, err, c.want)
		}
	}
	var version *nearby.VersionError
	if _, err := p.Receive(ctx, newer); !errors.As(err, &version) {
		t.Errorf("a newer version: %v", err)
	}
	if after := fmt.Sprint(state()...); after != before {
		t.Errorf("it changed from\n%s to\n%s", before, after)
	}
	// What is said of offers that nobody knows is taken and means nothing.
	for _, m := range []nearby.Message{nearby.Reply{Offer: nearby.ID{7}, Accepted: true}, nearby.Delivered{Offer: nearby.ID{7}}} {
		if got := must1[index.Received](t)(p.Receive(ctx, seal(raw, m))); got.Friend != id {
			t.Errorf("%T: %+v", m, got)
		}
	}
}

// Whoever ends a pair: nothing of it is left, in no file, on either side.
func TestUnpair(t *testing.T) {
	plainAndSealed(t, func(t *testing.T, keys store.KeyProvider) {
		clock := newHands()
		a, b := newPhone(t, clock, keys), newPhone(t, clock, nil)
		ctx := t.Context()
		befriend(a, b, nil)
		inbox := must1[[]index.Friend](t)(b.Friends(ctx))[0].Inbox
		dir, m := filepath.Dir(b.path), marks{"address": inbox[:], "id": []byte(b.friend)}
		m.text("Abe Friendmark")
		if found := m.in(t, dir); len(found) < len(m) {
			t.Fatalf("before, only %v is found: the test says nothing", found)
		}
		last, receipt, err := a.Unpair(ctx, a.friend)
		must(t, err)
		if receipt.Action != "unpair" || receipt.Counts[index.ClassFriends] != 1 || last.To != inbox || len(last.Bytes) != nearby.Size {
			t.Errorf("%+v, %+v", receipt, last)
		}
		if got := must1[index.Received](t)(b.Receive(ctx, last.Bytes)); got.Kind != index.MessageUnpair || got.Friend != b.friend {
			t.Errorf("received as %+v", got)
		}
		for _, p := range []*phone{a, b} {
			if left := len(must1[[]index.Friend](t)(p.Friends(ctx))) + len(must1[[]index.Message](t)(p.Outbox(ctx))); left > 0 {
				t.Errorf("%d are left", left)
			}
		}
		m.wantNone(t, "unpaired", dir)
		_, err = b.Receive(ctx, last.Bytes)
		wantErr(t, "once more", err, nearby.ErrForeign)
		_, _, err = b.Unpair(ctx, b.friend)
		wantErr(t, "who is gone", err, index.ErrNotFound)
	})
}

// What nobody takes is due after 30 days, and Expire drops it.
func TestSharesExpire(t *testing.T) {
	clock := newHands()
	p := newPhone(t, clock, nil)
	ctx := t.Context()
	_, raw := rawFriend(t, p.Account)
	must1[index.Received](t)(p.Receive(ctx, must1[[]byte](t)(raw.Seal(nil, nearby.Offer{ID: nearby.ID{1}, Day: nearby.DayOf(start.UnixMicro()), Photos: 3}))))
	clock.turn(day)
	must1[int](t)(p.CompareDays(ctx, index.CompareOptions{}))
	_, _, err := p.InviteFriend(ctx, "Nobody")
	must(t, err)
	must(t, p.Tried(ctx, must1[[]index.Message](t)(p.Outbox(ctx))[0].ID))
	left := func() [3]int {
		return [3]int{
			len(must1[[]index.Friend](t)(p.Friends(ctx))), len(must1[[]index.Message](t)(p.Outbox(ctx))), len(must1[[]index.FriendOffer](t)(p.Offers(ctx))),
		}
	}
	if m := must1[[]index.Message](t)(p.Outbox(ctx)); left() != [3]int{2, 1, 1} || m[0].Tries != 1 || !m[0].At.Equal(clock.now()) {
		t.Errorf("%v at first, %+v", left(), m)
	}
	for _, step := range []struct {
		days int
		want [3]int
	}{{29, [3]int{2, 1, 0}}, {1, [3]int{1, 0, 0}}} {
		clock.turn(time.Duration(step.days) * day)
		due := 0
		for _, d := range must1[[]index.Due](t)(p.Due(ctx, clock.now())) {
			if d.Class == index.ClassShares {
				due += d.Count
			}
		}
		e := must1[index.Expiry](t)(p.Expire(ctx, index.ExpireOptions{}))
		if left() != step.want || e.Counts[index.ClassShares] != due || due == 0 {
			t.Errorf("%d days later %v are left, want %v; %v were due, and %v went", step.days, left(), step.want, due, e.Counts)
		}
	}
}
