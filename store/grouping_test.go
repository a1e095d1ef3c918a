package store

import (
	"testing"

	"github.com/kith-photos/kith/face"
)

// A grouping is current until something is committed that another one could
// depend on, and no longer.
func TestGroupingIsCurrent(t *testing.T) {
	db := newDB(t)
	ctx := t.Context()
	p, faces := put(t, db, "a", "1", 0, 300, 600)
	empty, _ := put(t, db, "empty", "2")
	anna := person(t, db, "Anna", faces[:2]...)
	space := Space{Name: testSpace, Dim: testDim, Impostors: face.Impostors{Thresholds: []float64{0.1}, FAR: []float64{0.5}}}
	must(t, db.PutSpace(ctx, space))
	decision := must1[DecisionID](t)(db.Decide(ctx, Decision{Kind: DecisionName, Person: anna}, Assignment{}))
	is := func(what, wantAbout string, want bool) {
		t.Helper()
		about, current, err := db.Grouping(ctx)
		if about != wantAbout || current != want || err != nil {
			t.Errorf("%s: %q, current: %v, %v; want %q and %v", what, about, current, err, wantAbout, want)
		}
	}
	is("before any", "", false)
	put2 := func(change func(*Analysis)) func() error {
		a := Analysis{Photo: okPhoto("a", "1"), Faces: []face.Face{faceAt(0), faceAt(300), faceAt(600)}}
		change(&a)
		return func() error { return db.PutPhotos(ctx, testSpace, []Analysis{a}) }
	}
	for _, c := range []struct {
		what  string
		do    func() error
		stays bool
	}{
		{"nothing", func() error { return nil }, true},
		{"a setting", func() error { return db.SetSetting(ctx, "k", "v") }, true},
		{"a file's time", func() error { return db.TouchPhotos(ctx, []File{{ID: p.ID, Size: 7}}) }, true},
		{"a photo without faces", put2(func(a *Analysis) { *a = Analysis{Photo: okPhoto("none", "3")} }), true},
		{"such a photo with another content", put2(func(a *Analysis) { *a = Analysis{Photo: okPhoto("none", "4")} }), true},
		{"a photo that fails, as before", put2(func(a *Analysis) {
			*a = Analysis{Photo: Photo{Path: "broken", Status: StatusFailed, Stage: "decode", SHA256: sha("5")}}
		}), true},
		{"a photo that cannot be read", put2(func(a *Analysis) {
			*a = Analysis{Photo: Photo{Path: "a", Status: StatusFailed, Stage: "read"}}
		}), true},
		{"a photo without faces goes", func() error { _, err := db.DropPhotos(ctx, []PhotoID{empty.ID}); return err }, true},
		{"the same impostors", func() error { return db.PutSpace(ctx, space) }, true},
		{"the same faces again", put2(func(*Analysis) {}), false},
		{"one face less", put2(func(a *Analysis) { a.Faces = a.Faces[:2] }), false},
		{"one more", put2(func(*Analysis) {}), false},
		{"a photo with faces", put2(func(a *Analysis) { a.Photo = okPhoto("b", "6") }), false},
		{"a copy", put2(func(a *Analysis) { a.Photo.Path, a.CopyOf, a.Faces = "c", p.ID, nil }), false},
		{"another content, not looked at", put2(func(a *Analysis) {
			a.Photo = Photo{Path: "c", Status: StatusPending, SHA256: sha("7")}
			a.Faces = nil
		}), false},
		{"a photo with faces goes", func() error {
			b := must1[Photo](t)(db.PhotoByPath(ctx, "b"))
			_, err := db.DropPhotos(ctx, []PhotoID{b.ID})
			return err
		}, false},
		{"other impostors", func() error { space.Impostors.FAR[0] = 0.25; return db.PutSpace(ctx, space) }, false},
		{"another space", func() error { return db.PutSpace(ctx, Space{Name: "new", Dim: 3}) }, false},
		{"somebody's name", func() error { return db.PutPeople(ctx, Assignment{People: []Person{{ID: anna, Name: "Bert"}}}) }, false},
		{"a face's person", func() error { return db.PutPeople(ctx, Assignment{Faces: map[FaceID]Placed{faces[1].ID: {}}}) }, false},
		{"somebody goes", func() error {
			err := db.PutPeople(ctx, Assignment{People: []Person{{ID: "bert"}}})
			must(t, db.PutGrouping(ctx, Assignment{}, "again"))
			must(t, err)
			return db.PutPeople(ctx, Assignment{Drop: []PersonID{"bert"}})
		}, false},
		{"a decision", func() error {
			_, err := db.Decide(ctx, Decision{Kind: DecisionIgnore, Person: anna}, Assignment{})
			return err
		}, false},
		{"a decision is revoked", func() error { return db.Revoke(ctx, decision, Assignment{}) }, false},
		{"consent", func() error { return db.PutConsent(ctx, Consent{Given: true}) }, false},
	} {
		must(t, db.PutGrouping(ctx, Assignment{}, "again"))
		must(t, c.do())
		is(c.what, "again", c.stays)
		mustCheck(t, db)
	}
	must(t, db.PutGrouping(ctx, Assignment{Faces: map[FaceID]Placed{faces[0].ID: {Person: anna, By: ByDecision}}}, "with changes"))
	is("what it changes itself", "with changes", true)
	if err := db.PutGrouping(ctx, Assignment{Faces: map[FaceID]Placed{"unknown": {}}}, "failed"); err == nil {
		t.Error("an unknown face is accepted")
	}
	is("one that failed", "with changes", true)
	must1[Receipt](t)(db.EraseBiometrics(ctx, false))
	is("erased", "", false)
}
