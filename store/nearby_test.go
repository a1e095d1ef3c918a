package store

import (
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"
)

// The photos of a day are found by their instants, not among all.
func TestSightingsAreSearched(t *testing.T) {
	db := newDB(t)
	checkPlans(t, db, map[string][]any{sightings: {0, 1}})
	found := false
	must(t, each(t.Context(), db.read, "EXPLAIN QUERY PLAN "+sightings, []any{0, 1}, func(rows *sql.Rows) error {
		var id, parent, unused int
		var line string
		err := rows.Scan(&id, &parent, &unused, &line)
		found = found || strings.Contains(line, "SEARCH s USING INDEX shots_instant (instant>? AND instant<?)")
		return err
	}))
	if !found {
		t.Error("the index on instants is not used")
	}
}

// What is asked of a friend, an offer or a person who is not there changes
// nothing.
func TestShareUnknown(t *testing.T) {
	c, _ := castAt(t, Options{})
	before := c.everything(t, c.db)
	if r, err := c.db.Unpair(t.Context(), "unknown", "unpair"); !errors.Is(err, ErrNotFound) || r.ID != "" {
		t.Errorf("Unpair: %+v, %v", r, err)
	}
	for what, f := range map[string]func(*Sharing) error{
		"Friend":          func(s *Sharing) error { return second(s.Friend("unknown")) },
		"Offer":           func(s *Sharing) error { return second(s.Offer("unknown", OfferProposed)) },
		"Offer elsewhere": func(s *Sharing) error { return second(s.Offer(OfferID(c.idOf("wanted")), OfferProposed)) },
		"PutFriend": func(s *Sharing) error {
			f, err := s.Friend(FriendID(c.idOf("maija")))
			must(t, err)
			must(t, s.DropRounds(castDay+100)) // goes back with what fails
			f.Person = "unknown"
			return s.PutFriend(f)
		},
	} {
		if err := c.db.Share(t.Context(), f); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v, want ErrNotFound", what, err)
		}
	}
	if d := differences(before, c.everything(t, c.db)); len(d) > 0 {
		t.Errorf("it changed %q", d)
	}
}

// What is asked again before it was sent is sent once.
func TestEnqueueReplaces(t *testing.T) {
	c, _ := castAt(t, Options{})
	maija := FriendID(c.idOf("maija"))
	must(t, c.db.Share(t.Context(), func(s *Sharing) error {
		for _, o := range []Outgoing{
			{Friend: maija, Kind: "reply", Ref: "one", Message: []byte("yes")}, {Friend: maija, Kind: "reply", Ref: "two", Message: []byte("yes")},
			{Friend: maija, Kind: "reply", Ref: "one", Message: []byte("no")},
		} {
			must(t, s.Enqueue(o))
		}
		return nil
	}))
	var got []string
	must(t, c.db.Shared(t.Context(), func(s *Sharing) error {
		for _, o := range must1[[]Outgoing](t)(s.Outbox()) {
			if o.Kind == "reply" {
				got = append(got, o.Ref+" "+string(o.Message))
			}
		}
		return nil
	}))
	if slices.Sort(got); !slices.Equal(got, []string{"one no", "two yes"}) {
		t.Errorf("to be sent are %q", got)
	}
}

// Photos whose files are gone are in nothing that is shared, and their open days
// are closed.
func TestDroppedPhotosAreNotShared(t *testing.T) {
	c, _ := castAt(t, Options{})
	before := c.everything(t, c.db)
	must1[int](t)(c.db.DropPhotos(t.Context(), []PhotoID{c.photo("b").ID}))
	after := c.everything(t, c.db)
	want := []string{"-choice refused", "-outgoing of the day", "~offer proposed", "~round open"}
	got := slices.DeleteFunc(differences(before, after), func(d string) bool {
		return !hasAny(d[1:], "friend ", "round ", "outgoing ", "offer ", "choice ")
	})
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("changed are %q, want %q", got, want)
	}
	mustCheck(t, c.db)
}

// A friend whose person is merged into another is that one.
func TestFriendsPersonIsMerged(t *testing.T) {
	c, _ := castAt(t, Options{})
	anna, dora := c.people["anna"], c.people["dora"]
	faces := map[FaceID]Placed{}
	for _, photo := range []string{"a", "b", "copy"} {
		faces[c.at("anna", photo).ID] = Placed{Person: dora, By: ByDecision}
	}
	faces[c.at("clara", "d").ID] = Placed{Person: dora, By: ByDecision} // merged into Anna before
	must1[DecisionID](t)(c.db.Decide(t.Context(), Decision{
		Kind: DecisionMerge, Person: dora, Other: anna, Faces: []FaceRef{c.ref("dora", "e")}, Others: []FaceRef{c.ref("anna", "a")},
		Before: []Holder{{Person: anna, Created: start}},
	}, Assignment{Faces: faces, Drop: []PersonID{anna}}))
	must(t, c.db.Shared(t.Context(), func(s *Sharing) error {
		if f := must1[Friend](t)(s.Friend(FriendID(c.idOf("maija")))); f.Person != dora {
			t.Errorf("the friend is %q, want Dora, %q", f.Person, dora)
		}
		return nil
	}))
	mustCheck(t, c.db)
}

// The link to a person goes with the person, and with biometrics even where
// names are kept; the pair stays.
func TestFriendsPersonGoes(t *testing.T) {
	for name, erase := range map[string]func(*cast) error{
		"person":     func(c *cast) error { return second(c.db.ErasePerson(t.Context(), c.people["anna"], "erase person")) },
		"biometrics": func(c *cast) error { return second(c.db.EraseBiometrics(t.Context(), true)) },
	} {
		c, _ := castAt(t, Options{})
		must(t, erase(c))
		must(t, c.db.Shared(t.Context(), func(s *Sharing) error {
			if f := must1[Friend](t)(s.Friend(FriendID(c.idOf("maija")))); f.Person != "" || f.State != FriendPaired || len(f.Secret) == 0 {
				t.Errorf("%s: left is %+v", name, f)
			}
			return nil
		}))
	}
}
