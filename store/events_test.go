package store

import (
	"fmt"
	"slices"
	"testing"
)

// told lists the events after one, shortly.
func told(t *testing.T, db *DB, after EventID) (out []string, last EventID) {
	t.Helper()
	last = after
	for _, e := range collect(t, db.Events(t.Context(), after)) {
		if e.ID <= last || e.At.Before(start) {
			t.Errorf("%+v after %d", e, last)
		}
		last = e.ID
		out = append(out, fmt.Sprintf("%s %s %s +%d -%d", e.Kind, e.Person, e.Other, e.Joined, e.Left))
	}
	return out, last
}

func TestEvents(t *testing.T) {
	db := newDB(t)
	ctx := t.Context()
	_, fa := put(t, db, "a", "1", 0, 300, 600)
	_, fb := put(t, db, "b", "2", 0, 300)
	var last EventID
	want := func(when string, want ...string) {
		t.Helper()
		var got []string
		if got, last = told(t, db, last); !slices.Equal(got, want) {
			t.Errorf("%s:\n%q, want\n%q", when, got, want)
		}
	}
	want("photos without people")
	all := Assignment{
		People: []Person{{ID: "anna", Name: "Anna", Cover: fa[0].ID}, {ID: "bert"}},
		Faces: map[FaceID]Placed{
			fa[0].ID: {Person: "anna", By: ByGroup}, fa[1].ID: {Person: "anna", By: ByGroup}, fb[0].ID: {Person: "bert", By: ByGroup},
		},
	}
	must(t, db.PutPeople(ctx, all))
	want("two people", "new anna  +2 -0", "new bert  +1 -0")
	must(t, db.PutPeople(ctx, all))
	want("the same again")
	all.Faces[fa[0].ID] = Placed{Person: "anna", By: ByDecision}
	must(t, db.PutPeople(ctx, all))
	want("only the reason changed")
	must(t, db.PutPeople(ctx, Assignment{
		People: []Person{{ID: "anna", Name: "Anne", Ignored: true, Cover: fa[1].ID, CoverChosen: true}, {ID: "cleo"}},
		Faces: map[FaceID]Placed{
			fa[0].ID: {Person: "cleo", By: ByGroup}, fa[2].ID: {Person: "anna", By: ByGroup}, fb[0].ID: {Person: "anna", By: ByGroup},
		},
		Drop: []PersonID{"bert", "nobody"},
	}))
	want("all at once", "new cleo anna +1 -0",
		"renamed anna  +0 -0", "faces anna  +2 -1", "ignored anna  +0 -0", "cover anna  +0 -0", "gone bert anna +0 -1")
	// A copy brings faces, and a photo that is gone takes them.
	p, _ := photoAt(t, db, "a")
	must(t, db.PutPhotos(ctx, testSpace, []Analysis{{Photo: okPhoto("copy", "1"), CopyOf: p.ID}}))
	want("a copy", "faces anna  +2 -0", "faces cleo  +1 -0")
	put(t, db, "a", "1", 300) // looked at again: two faces are not found any more
	want("looked at again", "faces anna  +0 -1", "faces cleo  +0 -1")
	put(t, db, "copy", "other")
	want("another content", "faces anna  +0 -2", "faces cleo  +0 -1")
	must1[int](t)(db.DropPhotos(ctx, []PhotoID{p.ID, "unknown"}))
	want("gone with the cover", "faces anna  +0 -1", "cover anna  +0 -0", "gone cleo  +0 -0")
	if anna := must1[Person](t)(db.Person(ctx, "anna")); anna.CoverChosen || anna.Cover != "" || anna.Faces != 1 {
		t.Errorf("%+v", anna)
	}
	must(t, db.PutPeople(ctx, Assignment{Drop: []PersonID{"anna"}}))
	want("forgotten", "gone anna  +0 -1")
	if err := db.PutPeople(ctx, Assignment{People: []Person{{ID: "dora"}}, Faces: map[FaceID]Placed{"x": {}}}); err == nil {
		t.Error("an unknown face was placed")
	}
	want("nothing happened")
	must1[Receipt](t)(db.EraseBiometrics(ctx, false))
	before := last
	if got, _ := told(t, db, 0); !slices.Equal(got, []string{"erased   +0 -2"}) {
		t.Errorf("%q", got)
	}
	want("erased", "erased   +0 -2")
	must1[Receipt](t)(db.EraseBiometrics(ctx, false))
	want("erased again", "erased   +0 -0")
	if last != before+2 {
		t.Errorf("the last event is %d, and was %d before two", last, before)
	}
}

// A face that is none stays none when it is found again, by id or, if it was
// gone in between, by what was decided.
func TestRejected(t *testing.T) {
	db := newDB(t)
	ctx := t.Context()
	p, faces := put(t, db, "a", "1", 0, 300)
	anna := person(t, db, "Anna", faces...)
	must(t, db.PutPeople(ctx, Assignment{People: []Person{{ID: anna, Name: "Anna", Cover: faces[0].ID, CoverChosen: true}}}))
	d := Decision{ID: NewDecisionID(), Kind: DecisionNotAFace, Faces: []FaceRef{{sha("1"), faces[0].Box}}}
	must1[DecisionID](t)(db.Decide(ctx, d, Assignment{Faces: map[FaceID]Placed{faces[0].ID: {Reject: d.ID}}}))
	rejected := func(when string, path string, same bool) {
		t.Helper()
		p := must1[Photo](t)(db.PhotoByPath(ctx, path))
		all := collect(t, db.Faces(ctx, FaceQuery{Photo: p.ID, Rejected: Include}))
		only := collect(t, db.Faces(ctx, FaceQuery{Photo: p.ID, Rejected: Only}))
		listed := collect(t, db.Faces(ctx, FaceQuery{Photo: p.ID}))
		if len(all) != 2 || len(only) != 1 || len(listed) != 1 {
			t.Fatalf("%s: %d faces, %d rejected, %d listed", when, len(all), len(only), len(listed))
		}
		f := only[0]
		if f.Rejected != d.ID || f.Person != "" || f.By != ByNone || (f.ID == faces[0].ID) != same {
			t.Errorf("%s: %+v", when, f)
		}
		set := must1[VectorSet](t)(db.Vectors(ctx, testSpace))
		for _, v := range set.Faces {
			if v.ID == f.ID {
				t.Errorf("%s: its vector is loaded", when)
			}
		}
		if len(set.Data) != len(set.Faces)*testDim {
			t.Errorf("%s: %d numbers for %d faces", when, len(set.Data), len(set.Faces))
		}
	}
	rejected("at once", "a", true)
	if anna := must1[Person](t)(db.Person(ctx, anna)); anna.Faces != 1 || anna.Cover != "" || anna.CoverChosen {
		t.Errorf("%+v", anna)
	}
	put(t, db, "a", "1", 20, 310)
	rejected("found again, a little off", "a", true)
	must(t, db.PutPhotos(ctx, testSpace, []Analysis{{Photo: okPhoto("copy", "1"), CopyOf: p.ID}}))
	rejected("copied", "copy", false)
	put(t, db, "a", "1", 300)
	put(t, db, "a", "1", 30, 300) // IoU 0.54 with what was decided
	rejected("gone for a while", "a", false)
	must1[int](t)(db.DropPhotos(ctx, []PhotoID{p.ID}))
	put(t, db, "back", "1", 0, 300)
	rejected("vanished and back", "back", false)
	if _, faces := put(t, db, "other", "2", 0, 300); len(faces) != 2 {
		t.Error("a face of another photo was rejected")
	}
	put(t, db, "far", "1", 60, 300) // IoU 0.25
	if _, faces := photoAt(t, db, "far"); len(faces) != 2 {
		t.Error("a face elsewhere was rejected")
	}
	_, faces = photoAt(t, db, "other")
	for name, a := range map[string]Assignment{
		"an unknown decision": {Faces: map[FaceID]Placed{faces[0].ID: {Reject: "x"}}},
		"with somebody":       {Faces: map[FaceID]Placed{faces[0].ID: {Reject: d.ID, Person: anna, By: ByGroup}}},
	} {
		if err := db.PutPeople(ctx, a); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	free := Assignment{Faces: map[FaceID]Placed{}}
	for _, f := range must1[[]VectorFace](t)(db.AllFaces(ctx)) {
		if f.Rejected != "" {
			free.Faces[f.ID] = Placed{}
		}
	}
	must(t, db.Revoke(ctx, d.ID, free))
	put(t, db, "back", "1", 0, 300)
	if _, faces := photoAt(t, db, "back"); len(faces) != 2 {
		t.Error("undone, and still rejected")
	}
}
