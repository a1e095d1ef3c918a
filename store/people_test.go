package store

import (
	"database/sql"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kith-photos/kith/face"
)

func TestPeople(t *testing.T) {
	db := newDB(t)
	ctx := t.Context()
	_, fa := put(t, db, "a", "1", 0, 300)
	_, fb := put(t, db, "b", "2", 0, 300)
	anna := Person{ID: "anna", Name: "Anna", Cover: fa[0].ID, Created: start.Add(time.Minute)}
	bert := Person{ID: "bert", Name: ""}
	must(t, db.PutPeople(ctx, Assignment{
		People: []Person{anna, bert, {ID: "cleo", Name: "Cleo"}},
		Faces: map[FaceID]Placed{
			fa[0].ID: {Person: "anna", By: ByDecision}, fa[1].ID: {Person: "anna", By: ByGroup}, fb[0].ID: {Person: "anna", By: ByGroup}, fb[1].ID: {Person: "bert", By: ByImport},
		},
	}))
	anna.Faces, anna.Photos = 3, 2
	if got := must1[Person](t)(db.Person(ctx, "anna")); got != anna {
		t.Errorf("%+v, want %+v", got, anna)
	}
	order := func(q PeopleQuery) (all []PersonID) {
		for _, p := range collect(t, db.People(ctx, q)) {
			all = append(all, p.ID)
		}
		return all
	}
	for _, c := range []struct {
		q    PeopleQuery
		want []PersonID
	}{
		{PeopleQuery{}, []PersonID{"anna", "bert", "cleo"}},
		{PeopleQuery{MinFaces: 1}, []PersonID{"anna", "bert"}},
		{PeopleQuery{Named: true}, []PersonID{"anna", "cleo"}},
		{PeopleQuery{Named: true, MinFaces: 1}, []PersonID{"anna"}},
		{PeopleQuery{Limit: 2}, []PersonID{"anna", "bert"}},
	} {
		if got := order(c.q); !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v, want %v", c.q, got, c.want)
		}
	}

	everybody := collect(t, db.AllPeople(ctx))
	anna.Faces, anna.Photos = 0, 0
	if len(everybody) != 3 || everybody[0] != anna || everybody[1].ID != "bert" || everybody[2].Name != "Cleo" {
		t.Errorf("everybody: %+v", everybody)
	}
	before := must1[Person](t)(db.Person(ctx, "bert"))
	// An update keeps Created where none is given; the cover follows the face.
	must(t, db.PutPeople(ctx, Assignment{
		People: []Person{{ID: "bert", Name: "Bert", Cover: fa[0].ID}},
		Faces:  map[FaceID]Placed{fa[0].ID: {Person: "bert", By: ByDecision}, fb[0].ID: {}},
	}))
	got := must1[Person](t)(db.Person(ctx, "anna"))
	if got.Cover != "" || got.Faces != 1 || got.Name != "Anna" || !got.Created.Equal(anna.Created) {
		t.Errorf("Anna after her cover moved away: %+v", got)
	}
	if got := must1[Person](t)(db.Person(ctx, "bert")); got.Cover != fa[0].ID || got.Faces != 2 || got.Created != before.Created {
		t.Errorf("Bert: %+v", got)
	}
	if f := must1[Face](t)(db.Face(ctx, fb[0].ID)); f.Person != "" || f.By != ByNone {
		t.Errorf("the face that was taken away: %+v", f)
	}
	must(t, db.PutPeople(ctx, Assignment{Drop: []PersonID{"bert", "nobody"}}))
	if f := must1[Face](t)(db.Face(ctx, fa[0].ID)); f.Person != "" || f.By != ByNone {
		t.Errorf("a face of the dropped person: %+v", f)
	}
	put(t, db, "a", "other", 0) // the last face of Anna goes, and with it nothing else
	if got := must1[Person](t)(db.Person(ctx, "anna")); got.Faces != 0 {
		t.Errorf("Anna: %+v", got)
	}
}

// Anna is on three photos of two days, one of which is 1969; Bert on two of
// one day; Cleo, who is ignored, on one without a time.
func TestPeopleQuery(t *testing.T) {
	db := newDB(t)
	ctx := t.Context()
	shot := func(path string, taken time.Time) FaceID {
		a := Analysis{Photo: okPhoto(path, path), Faces: []face.Face{faceAt(0)}}
		a.Photo.Taken.Wall = taken
		must(t, db.PutPhotos(ctx, testSpace, []Analysis{a}))
		_, faces := photoAt(t, db, path)
		return faces[0].ID
	}
	day := time.Date(2024, 2, 3, 0, 0, 0, 0, time.UTC)
	old := time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC)
	a := Assignment{People: []Person{{ID: "anna"}, {ID: "bert", Name: "Bert"}, {ID: "cleo", Ignored: true}}, Faces: map[FaceID]Placed{}}
	for person, taken := range map[PersonID][]time.Time{
		"anna": {old, old.Add(24*time.Hour - time.Microsecond), old.Add(24 * time.Hour)},
		"bert": {day, day.Add(24*time.Hour - time.Microsecond)},
		"cleo": {{}},
	} {
		for i, at := range taken {
			a.Faces[shot(string(person)+string(rune('0'+i)), at)] = Placed{Person: person, By: ByGroup}
		}
	}
	must(t, db.PutPeople(ctx, a))
	for _, c := range []struct {
		q    PeopleQuery
		want []PersonID
	}{
		{PeopleQuery{}, []PersonID{"anna", "bert"}},
		{PeopleQuery{Ignored: Include}, []PersonID{"anna", "bert", "cleo"}},
		{PeopleQuery{Ignored: Only}, []PersonID{"cleo"}},
		{PeopleQuery{Ignored: Only, Named: true}, nil},
		{PeopleQuery{Ignored: Include, MinPhotos: 2}, []PersonID{"anna", "bert"}},
		{PeopleQuery{MinPhotos: 3}, []PersonID{"anna"}},
		{PeopleQuery{MinDays: 1, Ignored: Include}, []PersonID{"anna", "bert"}},
		{PeopleQuery{MinDays: 2, Ignored: Include}, []PersonID{"anna"}},
		{PeopleQuery{MinDays: 3, Ignored: Include}, nil},
		{PeopleQuery{MinDays: 1, MinPhotos: 2, MinFaces: 2, Named: true, Limit: 1}, []PersonID{"bert"}},
	} {
		var got []PersonID
		for _, p := range collect(t, db.People(ctx, c.q)) {
			got = append(got, p.ID)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v, want %v", c.q, got, c.want)
		}
	}
	var plan string
	err := each(ctx, db.read, "EXPLAIN QUERY PLAN "+personSelect+" GROUP BY e.id HAVING "+daysOfPerson+" > 1", nil,
		func(rows *sql.Rows) error {
			var id, parent, unused int
			var detail string
			err := rows.Scan(&id, &parent, &unused, &detail)
			plan += detail + "\n"
			return err
		})
	must(t, err)
	if strings.Count(plan, "faces_person") < 2 || strings.Contains(plan, "SCAN f") {
		t.Errorf("the plan:\n%s", plan)
	}
}

func TestPutPeopleRefuses(t *testing.T) {
	db := newDB(t)
	_, faces := put(t, db, "a", "1", 0)
	for name, a := range map[string]Assignment{
		"unknown face":   {Faces: map[FaceID]Placed{"x": {Person: "p", By: ByGroup}}},
		"unknown face 2": {Faces: map[FaceID]Placed{"x": {}}},
		"unknown person": {Faces: map[FaceID]Placed{faces[0].ID: {Person: "x", By: ByGroup}}},
		"unknown cover":  {People: []Person{{ID: "q", Cover: "x"}}},
	} {
		a.People = append(a.People, Person{ID: "p"})
		if err := db.PutPeople(t.Context(), a); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v, want ErrNotFound", name, err)
		}
		if d, err := db.Decide(t.Context(), Decision{Kind: DecisionName}, a); !errors.Is(err, ErrNotFound) || d != "" {
			t.Errorf("%s: %v, want ErrNotFound", name, err)
		}
	}
	for name, a := range map[string]Assignment{
		"no id":     {People: []Person{{Name: "x"}}},
		"no reason": {People: []Person{{ID: "p"}}, Faces: map[FaceID]Placed{faces[0].ID: {Person: "p"}}},
	} {
		if err := db.PutPeople(t.Context(), a); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if people, ledger := collect(t, db.People(t.Context(), PeopleQuery{})), collect(t, db.Decisions(t.Context())); len(people)+len(ledger) != 0 {
		t.Errorf("part of it was recorded: %v, %v", people, ledger)
	}
}

func TestLedger(t *testing.T) {
	db := newDB(t)
	ctx := t.Context()
	_, faces := put(t, db, "a", "1", 0, 300)
	given := Decision{
		Kind: DecisionMerge, At: start.Add(-time.Hour), Person: "anna", Other: "bert", Name: "A", OldName: "B",
		Faces:  []FaceRef{{sha("1"), faces[0].Box}, {sha("2"), face.Box{X: -1.5, Y: math.MaxFloat64, W: 1e-300}}},
		Others: []FaceRef{{sha("1"), faces[1].Box}},
		Before: []Holder{{Person: "bert", Created: start, Faces: []int{0, 1}}, {}},
	}
	first := must1[DecisionID](t)(db.Decide(ctx, given, Assignment{
		People: []Person{{ID: "anna"}}, Faces: map[FaceID]Placed{faces[0].ID: {Person: "anna", By: ByDecision}},
	}))
	named := must1[DecisionID](t)(db.Decide(ctx, Decision{ID: "mine", Kind: DecisionName, Person: "anna"}, Assignment{}))
	want := given
	want.ID, want.Seq = first, 1
	if got := must1[Decision](t)(db.Decision(ctx, first)); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if f := must1[Face](t)(db.Face(ctx, faces[0].ID)); f.Person != "anna" {
		t.Errorf("the assignment was not applied: %+v", f)
	}
	must(t, db.Revoke(ctx, first, Assignment{Drop: []PersonID{"anna"}}))
	all := collect(t, db.Decisions(ctx))
	if len(all) != 2 || all[0].Revoked == nil || all[0].Revoked.Before(start) || all[0].RevokedAfter != 2 || all[1].ID != "mine" || named != "mine" ||
		all[1].Seq != 2 || all[1].Revoked != nil || all[1].At.Before(start) || all[1].Faces != nil {
		t.Errorf("the ledger: %+v", all)
	}
	if f := must1[Face](t)(db.Face(ctx, faces[0].ID)); f.Person != "" {
		t.Errorf("the undoing was not applied: %+v", f)
	}
	if err := db.Revoke(ctx, first, Assignment{}); !errors.Is(err, ErrRevoked) {
		t.Errorf("revoke again: %v", err)
	}
	if err := db.Revoke(ctx, "x", Assignment{}); !errors.Is(err, ErrNotFound) {
		t.Errorf("revoke the unknown: %v", err)
	}
	bad := Decision{Kind: DecisionName, Faces: []FaceRef{{Box: face.Box{X: math.NaN()}}}}
	for _, d := range []Decision{bad, {}, {ID: "mine", Kind: DecisionName}} {
		if _, err := db.Decide(ctx, d, Assignment{People: []Person{{ID: "zoe"}}}); err == nil {
			t.Errorf("%+v was taken", d)
		}
	}
	if err := db.Revoke(ctx, "mine", Assignment{Faces: map[FaceID]Placed{"x": {}}}); !errors.Is(err, ErrNotFound) {
		t.Errorf("revoke with a bad assignment: %v", err)
	}
	if d := must1[Decision](t)(db.Decision(ctx, "mine")); d.Revoked != nil {
		t.Error("it was revoked all the same")
	}
}

func TestRecords(t *testing.T) {
	db := newDB(t)
	ctx := t.Context()
	if c := must1[Consent](t)(db.Consent(ctx)); c != (Consent{}) {
		t.Errorf("nobody was asked, and yet %+v", c)
	}
	yes := Consent{Given: true, Purpose: PurposeFaces, At: start, By: "anna", Version: "2", Means: "terminal"}
	must(t, db.PutConsent(ctx, yes))
	must(t, db.PutConsent(ctx, Consent{By: "bert"}))
	all := must1[[]Consent](t)(db.Consents(ctx))
	if len(all) != 2 || all[0] != yes || all[1].Given || all[1].By != "bert" || all[1].At.Before(start) {
		t.Errorf("%+v", all)
	}
	if c := must1[Consent](t)(db.Consent(ctx)); c != all[1] {
		t.Errorf("the latest is %+v", c)
	}
	for _, v := range []string{"", "one", "two\x00'; DROP TABLE photos"} {
		if v != "" {
			must(t, db.SetSetting(ctx, "key", v))
		}
		if got := must1[string](t)(db.Setting(ctx, "key")); got != v {
			t.Errorf("%q, want %q", got, v)
		}
	}
}

func TestSpaces(t *testing.T) {
	db := newDB(t)
	ctx := t.Context()
	s := Space{Name: "a first", Dim: 512, Impostors: face.Impostors{
		Thresholds: []float64{0.1, 0.2}, FAR: []float64{0.1, 1e-7}, Pairs: 1 << 40, Source: "test",
	}}
	must(t, db.PutSpace(ctx, s))
	s.Impostors.Pairs++
	must(t, db.PutSpace(ctx, s))
	all := must1[[]Space](t)(db.Spaces(ctx))
	if len(all) != 2 || all[0].Name != testSpace || !reflect.DeepEqual(all[1], s) {
		t.Errorf("%+v", all)
	}
	for _, bad := range []Space{
		{Name: s.Name, Dim: 128}, {Dim: 1}, {Name: "x"}, {Name: "x", Dim: maxDim + 1}, {Name: "x", Dim: -1},
		{Name: "x", Dim: 1, Impostors: face.Impostors{FAR: []float64{math.NaN()}}},
	} {
		if err := db.PutSpace(ctx, bad); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
	if set := must1[VectorSet](t)(db.Vectors(ctx, s.Name)); set.Space.Dim != 512 || len(set.Data) != 0 || len(set.Faces) != 0 {
		t.Errorf("an empty space: %+v", set)
	}
}
