package store

import (
	"fmt"
	"testing"
	"time"
)

// castDay is the day of UTC of the cast's photos.
var castDay = int32(okPhoto("", "").Taken.Wall.Unix() / 86400)

// share pairs with Maija, who is Anna, and invites Oskar.
func (c *cast) share(t *testing.T) {
	t.Helper()
	maija := Friend{
		ID: NewFriendID(), State: FriendPaired, Label: "Maija Friendmark", Person: c.people["anna"], Made: start, Since: castDay,
		Heard: true, Secret: []byte("Secretmark of Maija"),
	}
	oskar := Friend{ID: NewFriendID(), State: FriendInvited, Label: "Oskar Friendmark", Made: start.Add(time.Hour), Secret: []byte("Secretmark of Oskar")}
	b, a, d := c.photo("b").ID, c.photo("a").ID, c.photo("d").ID
	proposed := Offer{ID: NewOfferID(), Friend: maija.ID, State: OfferProposed, Day: castDay, At: start, From: 1, To: 2, Photos: []PhotoID{b, d}}
	wanted := Offer{ID: NewOfferID(), Friend: maija.ID, State: OfferWanted, Day: castDay, At: start, Number: []byte("number of 16 byt"), Photos: []PhotoID{a, d}}
	asked := Offer{ID: NewOfferID(), Friend: maija.ID, State: OfferAsked, Day: castDay, At: start, Number: []byte("another number.."), Count: 3}
	var choices []Choice
	var out []Outgoing
	must(t, c.db.Share(t.Context(), func(s *Sharing) (err error) {
		for _, f := range []Friend{maija, oskar} {
			must(t, s.PutFriend(f))
		}
		must(t, s.PutRound(maija.ID, Round{Day: castDay, State: RoundOpen, Value: []byte("Openmark of Maija")}))
		must(t, s.PutRound(maija.ID, Round{Day: castDay + 2, State: RoundHeld, Value: []byte("Heldmark of Maija")}))
		must(t, s.Enqueue(Outgoing{Friend: maija.ID, Kind: "batch", Ref: fmt.Sprint(castDay), Message: []byte("Batchmark of Maija")}))
		must(t, s.Enqueue(Outgoing{Friend: maija.ID, Kind: "batch", Ref: fmt.Sprint(castDay + 2), Message: []byte("Latermark of Maija")}))
		for _, o := range []Offer{proposed, wanted, asked} {
			must(t, s.PutOffer(o))
		}
		must(t, s.AddChoice(Choice{Friend: maija.ID, Accepted: true, Day: castDay, Photos: []PhotoID{a, d}}))
		must(t, s.AddChoice(Choice{Friend: maija.ID, ByRule: true, Day: castDay, Photos: []PhotoID{b}}))
		choices = must1[[]Choice](t)(s.Choices(maija.ID))
		out = must1[[]Outgoing](t)(s.Outbox())
		return nil
	}))
	for id, label := range map[string]string{
		string(maija.ID): "maija", string(oskar.ID): "oskar", string(proposed.ID): "proposed", string(wanted.ID): "wanted", string(asked.ID): "asked",
		string(choices[0].ID): "accepted", string(choices[1].ID): "refused", string(out[0].ID): "of the day", string(out[1].ID): "of later",
		fmt.Sprint(maija.ID, " ", castDay): "open", fmt.Sprint(maija.ID, " ", castDay+2): "held",
	} {
		c.labels[id] = label
	}
	for _, m := range []struct{ of, what, mark string }{
		{"maija", "label", maija.Label}, {"maija", "secret", string(maija.Secret)}, {"oskar", "label", oskar.Label}, {"oskar", "secret", string(oskar.Secret)},
		{"maija's day", "value", "Openmark of Maija"}, {"maija's day", "message", "Batchmark of Maija"},
		{"maija", "held", "Heldmark of Maija"}, {"maija", "message", "Latermark of Maija"},
		{"Pathmark-a.jpg (row)", "id", string(a)}, {"Pathmark-b.jpg (row)", "id", string(b)}, {"Pathmark-d.jpg (row)", "id", string(d)},
	} {
		c.mark(m.of, m.what, m.mark)
	}
}
