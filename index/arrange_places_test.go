package index_test

import (
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/index/geo"
)

func wantWhere(t cleaner, acc *index.Account, path string, want *geo.Point, estimated bool) {
	t.Helper()
	s := shotOf(t, acc, path)
	switch {
	case (s.Where == nil) != (want == nil), s.Guessed != estimated,
		want != nil && (math.Abs(s.Where.Lat-want.Lat) > 1e-6 || math.Abs(s.Where.Lon-want.Lon) > 1e-6):
		t.Errorf("%s was taken at %+v (estimated: %v), want %+v (%v)", path, s.Where, s.Guessed, want, estimated)
	}
}

// walk is three photos of one camera, of which the middle one has no position.
func walk() library {
	return library{
		"a.jpg": {at: "2019:07:09 10:00:00", offset: "+03:00", point: at(60.4518, 22.2666), camera: mobile, acc: 5},
		"b.jpg": {at: "2019:07:09 10:05:00", offset: "+03:00", camera: mobile},
		"c.jpg": {at: "2019:07:09 10:20:00", offset: "+03:00", point: at(60.4558, 22.2666), camera: mobile, acc: 5},
	}
}

// A position between two others is estimated, marked, and gone with what it
// stood on.
func TestArrangeEstimate(t *testing.T) {
	ctx, l := t.Context(), walk()
	src := l.files()
	acc := bare(t, plugged(index.Config{}))
	reindex(t, acc, src, noFaces)
	between := at(60.4528, 22.2666)
	wantWhere(t, acc, "a.jpg", at(60.4518, 22.2666), false)
	wantWhere(t, acc, "b.jpg", between, true)
	if p := photoOf(t, acc, "b.jpg"); p.GPS != nil {
		t.Errorf("the photo itself says that it was taken at %+v", p.GPS)
	}
	n := func(p index.Position) int {
		t.Helper()
		return must1[index.Found](t)(acc.Find(ctx, index.Query{Position: p})).Total
	}
	if a, b, c := n(index.Measured), n(index.Estimated), n(index.NoPosition); a != 2 || b != 1 || c != 0 {
		t.Errorf("%d measured, %d estimated, %d without", a, b, c)
	}
	id := func(path string) index.PhotoID { return photoOf(t, acc, path).ID }

	// A person's word is a real value: for the photo, and for its neighbours.
	said := must1[index.DecisionID](t)(acc.CorrectPlace(ctx, id("b.jpg"), &exif.GPS{Lat: 60.46, Lon: 22.26}))
	wantWhere(t, acc, "b.jpg", at(60.46, 22.26), false)
	must(t, acc.Undo(ctx, said))
	wantWhere(t, acc, "b.jpg", between, true)
	said = must1[index.DecisionID](t)(acc.CorrectPlace(ctx, id("c.jpg"), &exif.GPS{Lat: 60.4538, Lon: 22.2666}))
	wantWhere(t, acc, "b.jpg", at(60.4523, 22.2666), true)
	must(t, acc.Undo(ctx, said))
	wantWhere(t, acc, "b.jpg", between, true)
	// Nobody knows where: then it is not estimated either.
	said = must1[index.DecisionID](t)(acc.CorrectPlace(ctx, id("b.jpg"), nil))
	wantWhere(t, acc, "b.jpg", nil, false)
	must(t, acc.Undo(ctx, said))
	said = must1[index.DecisionID](t)(acc.CorrectPlace(ctx, id("c.jpg"), nil))
	wantWhere(t, acc, "b.jpg", nil, false)
	must(t, acc.Undo(ctx, said))
	// A time that is corrected moves it, or takes it out of between.
	said = must1[index.DecisionID](t)(acc.CorrectTime(ctx, id("b.jpg"), exif.Time{Wall: wall("2019-07-09 10:10:00").Wall, Offset: 3 * 3600e9, Zone: exif.ZoneOffset}))
	wantWhere(t, acc, "b.jpg", at(60.4538, 22.2666), true)
	must(t, acc.Undo(ctx, said))
	said = must1[index.DecisionID](t)(acc.CorrectTime(ctx, id("b.jpg"), exif.Time{}))
	wantWhere(t, acc, "b.jpg", nil, false)
	must(t, acc.Undo(ctx, said))
	wantWhere(t, acc, "b.jpg", between, true)

	must1[index.Receipt](t)(acc.ErasePhotos(ctx, id("c.jpg")))
	wantWhere(t, acc, "b.jpg", nil, false)
}

// Too far, too late, of another camera, or of a time that is no camera's:
// nothing is estimated.
func TestArrangeNoEstimate(t *testing.T) {
	for what, change := range map[string]func(library){
		"too late": func(l library) {
			s := l["c.jpg"]
			s.at = "2019:07:09 10:31:00"
			l["c.jpg"] = s
		},
		"too far": func(l library) {
			s := l["c.jpg"]
			s.point = at(60.4650, 22.2666)
			l["c.jpg"] = s
		},
		"another camera": func(l library) {
			s := l["c.jpg"]
			s.camera = other
			l["c.jpg"] = s
		},
		"no camera": func(l library) {
			for name, s := range l {
				s.camera = exif.Camera{}
				l[name] = s
			}
		},
		"a time out of a name": func(l library) {
			delete(l, "b.jpg")
			l["IMG_20190709_100500.jpg"] = snap{camera: mobile}
		},
	} {
		t.Run(what, func(t *testing.T) {
			l := walk()
			change(l)
			acc := taken(t, plugged(index.Config{}), l)
			if got := must1[index.Found](t)(acc.Find(t.Context(), index.Query{Position: index.Estimated})).Total; got != 0 {
				t.Errorf("%d positions were estimated", got)
			}
		})
	}
}

// Estimates are no visits: they make no place frequent.
func TestArrangePlaces(t *testing.T) {
	l := life(1)
	maps.DeleteFunc(l, func(name string, _ snap) bool { return !strings.HasPrefix(name, "home/") })
	acc := taken(t, plugged(index.Config{}), l)
	home := all(t, acc.Places(t.Context(), index.PlaceQuery{Kind: "home"}))
	if len(home) != 1 || home[0].Shots != len(l) || home[0].Days != len(l) || home[0].Country != "FI" || home[0].Name != "Turku" {
		t.Fatalf("homes: %+v, want one with all %d photos", home, len(l))
	}
	found := must1[index.Found](t)(acc.Find(t.Context(), index.Query{Places: []index.PlaceID{home[0].ID}}))
	if found.Total != len(l) {
		t.Errorf("%d photos at home, want %d", found.Total, len(l))
	}
	if n := len(all(t, acc.Moments(t.Context(), index.MomentQuery{Place: home[0].ID}))); n != len(l) {
		t.Errorf("%d moments at home, want %d", n, len(l))
	}
	// The account never leaves: there are no trips.
	if trips := all(t, acc.Moments(t.Context(), index.MomentQuery{Kind: index.KindTrip})); len(trips) != 0 {
		t.Errorf("trips of somebody who stays at home: %+v", trips)
	}
	// A place that is not come back to is none any more.
	ids := []index.PhotoID{}
	for _, h := range found.Hits[:found.Total-4] {
		ids = append(ids, h.Photo)
	}
	must1[index.Receipt](t)(acc.ErasePhotos(t.Context(), ids...))
	if left := all(t, acc.Places(t.Context(), index.PlaceQuery{})); len(left) != 0 {
		t.Errorf("with four photos left, there are places: %+v", left)
	}
	if i := slices.IndexFunc(must1[index.Found](t)(acc.Find(t.Context(), index.Query{})).Hits, func(s index.Shot) bool { return s.Place != "" }); i >= 0 {
		t.Error("a photo is still at a place")
	}
}
