package store

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/face"
)

// restoration is one of everything.
func restoration() Restoration {
	p, q := okPhoto("a.jpg", "a"), okPhoto("b.jpg", "b")
	p.ID, q.ID = "photo-a", "photo-b"
	q.Status, q.Analyzer = StatusPending, ""
	p.Added, q.Added, q.Vanished = start, start.Add(time.Hour), start.Add(2*time.Hour)
	bare := faceAt(30)
	bare.Vector = nil
	revoked := start.Add(time.Hour)
	return Restoration{
		Settings: map[string]string{"source": "/photos"},
		Spaces:   []Space{{Name: "other-space", Dim: 3, Impostors: face.Impostors{Thresholds: []float64{0.5}, FAR: []float64{0.1}}}},
		Photos: []RestoredPhoto{
			{Photo: p, Faces: []RestoredFace{
				{ID: "face-1", Face: faceAt(10), Space: testSpace},
				{ID: "face-2", Face: func() face.Face { f := faceAt(200); f.Vector = vector(3, 7); return f }(), Space: "other-space"},
			}},
			{Photo: q, Faces: []RestoredFace{{ID: "face-3", Face: bare}}},
		},
		Decisions: []Decision{
			{ID: "d1", Seq: 3, Kind: DecisionName, At: start, Person: "anna", Name: "Anna", Faces: []FaceRef{{sha("a"), faceAt(10).Box}}},
			{ID: "d2", Seq: 5, Kind: DecisionMerge, At: start, Person: "anna", Other: "bert", OldName: "Bert", Revoked: &revoked, RevokedAfter: 9,
				Before: []Holder{{Person: "bert", Created: start}}},
			{ID: "d3", Seq: 9, Kind: DecisionNotAFace, At: start, Faces: []FaceRef{{sha("a"), faceAt(200).Box}}},
			{ID: "d4", Seq: 10, Kind: DecisionPlace, At: start, Faces: []FaceRef{{SHA256: sha("b")}}, Correction: &Correction{GPS: &exif.GPS{Lat: 1, Lon: 2}}},
		},
		Assignment: Assignment{
			People: []Person{{ID: "anna", Name: "Anna", Cover: "face-1", CoverChosen: true, Created: start}},
			Faces:  map[FaceID]Placed{"face-1": {Person: "anna", By: ByImport}, "face-2": {Reject: "d3"}, "face-3": {Person: "anna", By: ByGroup}},
		},
	}
}

func TestRestore(t *testing.T) {
	db, r := newDB(t), restoration()
	must(t, db.Restore(t.Context(), r))
	for i, want := range r.Photos {
		got := must1[Photo](t)(db.Photo(t.Context(), want.Photo.ID))
		if i == 1 { // as corrected
			want.Photo.GPS, want.Photo.Corrected = &exif.GPS{Lat: 1, Lon: 2}, true
		}
		if !reflect.DeepEqual(got, want.Photo) {
			t.Errorf("photo\n%+v, want\n%+v", got, want.Photo)
		}
		for _, f := range want.Faces {
			got := must1[Face](t)(db.Face(t.Context(), f.ID))
			be := r.Faces[f.ID]
			wantFace := Face{f.ID, want.Photo.ID, f.Box, f.Landmarks, f.Score, f.Quality, f.Detector, be.Person, be.By, be.Reject}
			if got != wantFace {
				t.Errorf("face\n%+v, want\n%+v", got, wantFace)
			}
			if v, err := db.Vector(t.Context(), f.ID); !slices.Equal(v, f.Vector) || (f.Vector == nil) != errors.Is(err, ErrNotFound) {
				t.Errorf("vector %v, %v, want %v", v, err, f.Vector)
			}
		}
	}
	if got := collect(t, db.Decisions(t.Context())); !reflect.DeepEqual(got, r.Decisions) {
		t.Errorf("decisions\n%+v, want\n%+v", got, r.Decisions)
	}
	if p := must1[Person](t)(db.Person(t.Context(), "anna")); p.Faces != 2 || !p.CoverChosen || !p.Created.Equal(start) {
		t.Errorf("%+v", p)
	}
	if s := must1[string](t)(db.Setting(t.Context(), "source")); s != "/photos" {
		t.Errorf("setting %q", s)
	}
	if es := collect(t, db.Events(t.Context(), 0)); len(es) != 1 || es[0].Kind != EventNew || es[0].Joined != 2 {
		t.Errorf("events %+v", es)
	}
	var seen []FaceID
	must(t, db.EachVector(t.Context(), "other-space", func(id FaceID, v face.Vector) error {
		seen = append(seen, id)
		return nil
	}))
	if !slices.Equal(seen, []FaceID{"face-2"}) { // a rejected one, which Embeddings leaves out
		t.Errorf("vectors of %v", seen)
	}
	if _, gps, err := db.Original(t.Context(), "photo-b"); err != nil || gps.Lat != -33.9 {
		t.Errorf("the file says %+v, %v", gps, err)
	}
	// What comes next has the next place.
	must1[DecisionID](t)(db.Decide(t.Context(), Decision{ID: "d5", Kind: DecisionIgnore, Person: "anna"}, Assignment{}))
	if d := must1[Decision](t)(db.Decision(t.Context(), "d5")); d.Seq != 11 {
		t.Errorf("after 10 comes %d", d.Seq)
	}
}

// What cannot be restored leaves nothing at all.
func TestRestoreRefuses(t *testing.T) {
	for _, c := range []struct {
		what  string
		spoil func(*Restoration)
		want  string
	}{
		{"a photo without an id", func(r *Restoration) { r.Photos[1].Photo.ID = "" }, "no id"},
		{"a known path", func(r *Restoration) { r.Photos[1].Photo.Path = "known.jpg" }, "there is one"},
		{"one path twice", func(r *Restoration) { r.Photos[1].Photo.Path = "a.jpg" }, "there is one"},
		{"one id twice", func(r *Restoration) { r.Photos[1].Photo.ID = "photo-a" }, "UNIQUE"},
		{"ok, by no analyzer", func(r *Restoration) { r.Photos[0].Photo.Analyzer = "" }, "no analyzer"},
		{"a face without an id", func(r *Restoration) { r.Photos[1].Faces[0].ID = "" }, "no id"},
		{"one face twice", func(r *Restoration) { r.Photos[1].Faces[0].ID = "face-1" }, "UNIQUE"},
		{"a box that is not finite", func(r *Restoration) { r.Photos[1].Faces[0].Box.W = 0 / zero }, "not finite"},
		{"a vector that is not a unit", func(r *Restoration) { r.Photos[0].Faces[0].Vector = make(face.Vector, testDim) }, "length"},
		{"a vector of another space", func(r *Restoration) { r.Photos[0].Faces[0].Space = "other-space" }, "other-space"},
		{"a vector of no space", func(r *Restoration) { r.Photos[0].Faces[0].Space = "nowhere" }, "nowhere"},
		{"a space of another dimension", func(r *Restoration) { r.Spaces[0].Name = testSpace }, "dimension"},
		{"places that fall", func(r *Restoration) { r.Decisions[1].Seq = 3 }, "its place"},
		{"a decision without an id", func(r *Restoration) { r.Decisions[0].ID = "" }, "no id"},
		{"revoked before it was made", func(r *Restoration) { r.Decisions[1].RevokedAfter = 4 }, "revoked after"},
		{"revoked, but nowhere", func(r *Restoration) { r.Decisions[1].RevokedAfter = 0 }, "revoked after"},
		{"a correction of nothing", func(r *Restoration) { r.Decisions[3].Correction = nil }, "correction"},
		{"a face that is not there", func(r *Restoration) { r.Faces["face-9"] = Placed{} }, "not found"},
	} {
		t.Run(c.what, func(t *testing.T) {
			db, r := newDB(t), restoration()
			put(t, db, "known.jpg", "known", 10)
			c.spoil(&r)
			if err := db.Restore(t.Context(), r); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if n := len(collect(t, db.Photos(t.Context(), PhotoQuery{}))); n != 1 {
				t.Errorf("%d photos", n)
			}
			if n := len(collect(t, db.Decisions(t.Context()))) + len(collect(t, db.AllPeople(t.Context()))); n != 0 {
				t.Errorf("%d people and decisions", n)
			}
			if s := must1[string](t)(db.Setting(t.Context(), "source")); s != "" {
				t.Errorf("setting %q", s)
			}
			r = restoration() // and it is as good as new
			must(t, db.Restore(t.Context(), r))
		})
	}
}

var zero float64

// A new face is none if that was said before.
func TestRestoreRejects(t *testing.T) {
	db := newDB(t)
	must1[DecisionID](t)(db.Decide(t.Context(), Decision{ID: "no", Kind: DecisionNotAFace, Faces: []FaceRef{{sha("a"), faceAt(12).Box}}}, Assignment{}))
	r := restoration()
	r.Decisions, r.Assignment = nil, Assignment{}
	must(t, db.Restore(t.Context(), r))
	for id, want := range map[FaceID]DecisionID{"face-1": "no", "face-2": "", "face-3": ""} {
		if f := must1[Face](t)(db.Face(t.Context(), id)); f.Rejected != want {
			t.Errorf("%s is rejected by %q, want %q", id, f.Rejected, want)
		}
	}
}

// Enough vectors to be sealed into chunks.
func TestRestoreMany(t *testing.T) {
	db := newDB(t)
	db.capacity = func(int) int { return 4 }
	var r Restoration
	for i := range 10 {
		p := okPhoto(fmt.Sprintf("%d.jpg", i), fmt.Sprint(i))
		p.ID = PhotoID(fmt.Sprint("p", i))
		f := RestoredFace{ID: FaceID(fmt.Sprint("f", i)), Face: faceAt(float64(10 * i)), Space: testSpace}
		r.Photos = append(r.Photos, RestoredPhoto{Photo: p, Faces: []RestoredFace{f}})
	}
	must(t, db.Restore(t.Context(), r))
	for i := range 10 {
		v := must1[face.Vector](t)(db.Vector(t.Context(), FaceID(fmt.Sprint("f", i))))
		if !slices.Equal(v, faceAt(float64(10*i)).Vector) {
			t.Errorf("face %d has another vector", i)
		}
	}
}

func TestTombstonesStrip(t *testing.T) {
	db := newDB(t)
	_, faces := put(t, db, "a.jpg", "a", 10, 300)
	anna := person(t, db, "Anna", faces[0])
	gone, stays := FaceRef{sha("a"), faces[0].Box}, FaceRef{sha("a"), faces[1].Box}
	must1[Receipt](t)(db.ErasePerson(t.Context(), anna, "erase person"))
	tombs := must1[*Tombstones](t)(db.Tombstones(t.Context()))
	if !tombs.Face(gone) || tombs.Face(stays) {
		t.Error("another face was erased")
	}
	d, ok := tombs.Decision(Decision{Kind: DecisionName, Person: anna, Name: "Anna", Faces: []FaceRef{gone}})
	if ok {
		t.Errorf("%+v", d)
	}
	d, ok = tombs.Decision(Decision{Kind: DecisionMerge, Person: "b", Other: anna, OldName: "Anna", Faces: []FaceRef{stays}, Others: []FaceRef{gone}})
	if !ok || d.OldName != "" || len(d.Others) != 0 || len(d.Faces) != 1 {
		t.Errorf("%+v", d)
	}
	d, ok = tombs.Decision(Decision{Kind: DecisionSame, Faces: []FaceRef{gone, stays}, Before: []Holder{{Person: anna, Faces: []int{0}}, {Faces: []int{1}}}})
	if !ok || len(d.Faces) != 1 || len(d.Before) != 1 || !slices.Equal(d.Before[0].Faces, []int{0}) {
		t.Errorf("%+v", d)
	}
}
