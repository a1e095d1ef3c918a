package index

import (
	"crypto/sha256"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/index/nearby"
	"github.com/kith-photos/kith/index/places"
	"github.com/kith-photos/kith/store"
)

// A day is compared by what is known exactly and was measured, and at home only
// where the friend's rule says so.
func TestSeen(t *testing.T) {
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	db, err := store.Open(ctx, filepath.Join(t.TempDir(), "a.kith"), store.Options{})
	must(err)
	defer func() { must(db.Close()) }()
	noon := time.Date(2024, 5, 17, 12, 0, 0, 0, time.UTC)
	shots := map[string]func(*store.Shot, *store.Photo){
		"exact":        func(*store.Shot, *store.Photo) {},
		"near home":    func(s *store.Shot, _ *store.Photo) { s.Where.Lat += 0.009 },                                // 1 km, where the home is
		"beside home":  func(s *store.Shot, _ *store.Photo) { s.Where.Lat += 0.009 + 200.0/111_195 },                // in its radius and nearby.Reach
		"street":       func(s *store.Shot, _ *store.Photo) { s.Where.Lat += 0.009 + 260.0/111_195 },                // just not
		"estimated":    func(s *store.Shot, _ *store.Photo) { s.Guessed = true },                                    // between two others
		"stale":        func(_ *store.Shot, p *store.Photo) { p.GPS.Stale = true },                                  // the receiver's last place
		"rough":        func(s *store.Shot, _ *store.Photo) { s.Where.Accuracy = 500 },                              // by a mast
		"to a minute":  func(s *store.Shot, _ *store.Photo) { s.Fine = time.Minute },                                //
		"of the file":  func(s *store.Shot, _ *store.Photo) { s.Source = "modtime" },                                //
		"of its name":  func(s *store.Shot, _ *store.Photo) { s.Source = "name" },                                   // when it was sent, maybe
		"no zone":      func(s *store.Shot, _ *store.Photo) { s.Taken.Zone, s.Taken.Offset = exif.ZoneNone, 0 },     //
		"no place":     func(s *store.Shot, _ *store.Photo) { s.Where = nil },                                       //
		"the next day": func(s *store.Shot, _ *store.Photo) { s.Taken.Wall = s.Taken.Wall.Add(24 * time.Hour) },     //
		"at its end":   func(s *store.Shot, _ *store.Photo) { s.Taken.Wall = noon.Add(12*time.Hour + time.Minute) }, // in the spots of both days
		"vanished":     func(*store.Shot, *store.Photo) {},
	}
	arr := store.Arrangement{Places: []store.Place{
		{Kind: string(places.KindHome), Lat: 60.459, Lon: 22.2, Radius: 100}, {Kind: string(places.KindOther), Lat: 60.45, Lon: 22.2, Radius: 100},
	}}
	for name, change := range shots {
		p := store.Photo{Path: name, Status: store.StatusPending, SHA256: sha256.Sum256([]byte(name)), GPS: &exif.GPS{Lat: 1, Lon: 1}}
		change(&store.Shot{Where: &exif.GPS{}}, &p)
		must(db.PutPhotos(ctx, "", []store.Analysis{{Photo: p}}))
	}
	name := map[string]string{}
	for p, err := range db.Photos(ctx, store.PhotoQuery{}) {
		must(err)
		name[string(p.ID)] = p.Path
		s := store.Shot{Photo: p.ID, Camera: -1, Cell: -1, Place: -1, Moment: -1, Source: "original", Where: &exif.GPS{Lat: 60.45, Lon: 22.2}}
		s.Taken = exif.Time{Wall: noon, Zone: exif.ZoneOffset}
		shots[p.Path](&s, &p)
		arr.Shots = append(arr.Shots, s)
		if p.Path == "vanished" {
			_, err := db.MarkVanished(ctx, []PhotoID{p.ID})
			must(err)
		}
	}
	was, err := db.LoadArrangement(ctx)
	must(err)
	must(db.PutArrangement(ctx, was, arr))
	for rule, want := range map[ShareRule][]string{
		{}:             {"at its end", "exact", "street"},
		{AtHome: true}: {"at its end", "beside home", "exact", "near home", "street"},
	} {
		must(db.Shared(ctx, func(s *store.Sharing) error {
			c := &comparison{ctx: ctx, s: s, f: store.Friend{Rule: rule}}
			seen, err := c.seen(nearby.DayOf(noon.UnixMicro()))
			var got []string
			for _, p := range seen {
				got = append(got, name[p.Key])
			}
			if slices.Sort(got); !slices.Equal(got, want) {
				t.Errorf("%+v: compared by %q, want %q", rule, got, want)
			}
			return err
		}))
	}
}

// The own consent of who is looked for is asked for where the account does.
func TestShowingNeedsConsent(t *testing.T) {
	c := &comparison{f: store.Friend{Person: "anna"}, consents: map[PersonID]bool{"bert": true}}
	if shows, err := c.showing([]PhotoID{"a"}); len(shows) > 0 || err != nil { // without asking the account
		t.Errorf("%v, %v", shows, err)
	}
}

// A photo is proposed for a friend once, whatever was decided: one near midnight
// is in meetings of two days.
func TestProposedOnce(t *testing.T) {
	ctx := t.Context()
	db, err := store.Open(ctx, filepath.Join(t.TempDir(), "a.kith"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, name := range []string{"a", "b", "c"} {
		err = errors.Join(err, db.PutPhotos(ctx, "", []store.Analysis{{Photo: store.Photo{
			Path: name, Status: store.StatusPending, SHA256: sha256.Sum256([]byte(name)),
		}}}))
	}
	for p, e := range db.Photos(ctx, store.PhotoQuery{}) {
		err, keys = errors.Join(err, e), append(keys, string(p.ID))
	}
	f := store.Friend{ID: store.NewFriendID(), State: store.FriendPaired, Secret: []byte("x")}
	err = errors.Join(err, db.Share(ctx, func(s *store.Sharing) error {
		c := &comparison{ctx: ctx, s: s, f: f}
		err := errors.Join(s.PutFriend(f), c.propose(1, nearby.Meeting{Keys: keys[:2]}), c.propose(2, nearby.Meeting{Keys: keys[1:]}))
		all, readErr := s.OffersOf(f.ID)
		if len(all) != 2 || all[0].Count != 2 || !slices.Equal(all[1].Photos, []PhotoID{PhotoID(keys[2])}) {
			t.Errorf("proposed are %+v", all)
		}
		for _, o := range all {
			err = errors.Join(err, s.DropOffer(o.ID), s.AddChoice(store.Choice{Friend: f.ID, Day: o.Day, Photos: o.Photos}))
		}
		err = errors.Join(err, readErr, c.propose(3, nearby.Meeting{Keys: keys}))
		if all, _ := s.OffersOf(f.ID); len(all) > 0 || c.proposed != 2 {
			t.Errorf("proposed again are %+v; %d in all", all, c.proposed)
		}
		return err
	}))
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}
