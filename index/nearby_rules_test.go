package index_test

import (
	"slices"
	"testing"
	"time"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/index/geo"
	"github.com/kith-photos/kith/index/nearby"
)

// meetRaw lets a friend of another program compare a day, on which it was where
// and when the account was.
func meetRaw(t *testing.T, acc *index.Account, friend index.FriendID, p *nearby.Pair, now time.Time, at nearby.Seen) (got index.Received) {
	t.Helper()
	r, err := p.Round(nil, nearby.DayOf(at.At), now.UnixMicro(), []nearby.Seen{at})
	must(t, err)
	send := func(m nearby.Message) {
		t.Helper()
		got = must1[index.Received](t)(acc.Receive(t.Context(), must1[[]byte](t)(p.Seal(nil, m))))
	}
	send(must1[nearby.Batch](t)(r.Batch()))
	for _, m := range must1[[]index.Message](t)(acc.Outbox(t.Context())) {
		if m.Friend != friend || m.Kind != index.MessageBatch {
			continue
		}
		theirs, ok := must1[nearby.Message](t)(p.Open(m.Bytes)).(nearby.Batch)
		if !ok {
			t.Fatal("no batch")
		}
		send(must1[nearby.Answer](t)(r.Answer(theirs)))
	}
	return got
}

// Rules say what is proposed and what is offered without asking.
func TestShareRules(t *testing.T) {
	alone(t)
	clock := newHands()
	acc := newAccount(t, index.Config{Now: clock.now})
	ctx := t.Context()
	reindex(t, acc, family(), index.ReindexOptions{})
	with, without := photoOf(t, acc, "a/1.jpg").ID, photoOf(t, acc, "b/6.jpg").ID
	spot := exif.GPS{Lat: 60.4518, Lon: 22.2666}
	for _, id := range []index.PhotoID{with, without} {
		must1[index.DecisionID](t)(acc.CorrectTime(ctx, id, exif.Time{Wall: start, Zone: exif.ZoneOffset}))
		must1[index.DecisionID](t)(acc.CorrectPlace(ctx, id, &spot))
	}
	both := []index.PhotoID{with, without}
	slices.Sort(both)
	anna := personOf(t, acc, "b/4.jpg", 0)
	cases := []struct {
		f        index.Friend
		proposed []index.PhotoID
		offered  []index.PhotoID
	}{
		{index.Friend{Label: "asks"}, both, nil},
		{index.Friend{Label: "offers hers", Person: anna, Rule: index.ShareRule{Automatic: true, OnlyWithFriend: true}}, nil, []index.PhotoID{with}},
		{index.Friend{Label: "nobody", Rule: index.ShareRule{OnlyWithFriend: true}}, nil, nil},
	}
	pairs := make([]*nearby.Pair, len(cases))
	for i := range cases {
		cases[i].f.ID, pairs[i] = rawFriend(t, acc)
		must(t, acc.SetFriend(ctx, cases[i].f))
	}
	clock.turn(day)
	if n := must1[int](t)(acc.CompareDays(ctx, index.CompareOptions{})); n != len(cases) {
		t.Fatalf("%d days begun", n)
	}
	for i, c := range cases {
		got := meetRaw(t, acc, c.f.ID, pairs[i], clock.now(), nearby.Seen{At: start.UnixMicro(), Point: geo.Point{Lat: spot.Lat, Lon: spot.Lon}, Key: "x"})
		var proposed, offered []index.PhotoID
		for _, p := range must1[[]index.Proposal](t)(acc.Proposals(ctx)) {
			if p.Friend == c.f.ID {
				proposed = append(proposed, p.Photos...)
			}
		}
		for _, ch := range all(t, acc.Choices(ctx)) {
			if ch.Friend == c.f.ID {
				if !ch.ByRule || !ch.Accepted {
					t.Errorf("%s: decided was %+v", c.f.Label, ch)
				}
				offered = append(offered, ch.Photos...)
			}
		}
		slices.Sort(proposed)
		if !slices.Equal(proposed, c.proposed) || !slices.Equal(offered, c.offered) {
			t.Errorf("%s: %v are proposed and %v offered, want %v and %v", c.f.Label, proposed, offered, c.proposed, c.offered)
		}
		if want := min(1, len(c.proposed)+len(c.offered)); got.Proposals != want {
			t.Errorf("%s: received %+v, want %d proposals", c.f.Label, got, want)
		}
	}
	offers := 0
	for _, m := range must1[[]index.Message](t)(acc.Outbox(ctx)) {
		if m.Kind == index.MessageOffer {
			offers++
		}
	}
	if offers != 1 {
		t.Errorf("%d offers are to be sent", offers)
	}
	// Erased photos are proposed and offered no more.
	must1[index.Receipt](t)(acc.ErasePhotos(ctx, both...))
	if left := len(must1[[]index.Proposal](t)(acc.Proposals(ctx))) + len(all(t, acc.Choices(ctx))); left > 0 {
		t.Errorf("%d are left of erased photos", left)
	}
}
