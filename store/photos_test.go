package store

import (
	"errors"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/face"
)

func TestPhotoRoundTrip(t *testing.T) {
	db := newDB(t)
	bare := Photo{Path: "bare\xff\n", Status: StatusPending, Taken: exif.Time{}}
	noAlt := okPhoto("b/no alt", "2")
	noAlt.GPS, noAlt.Taken.Zone = &exif.GPS{Lat: 0, Lon: 0}, exif.ZoneNone
	failed := Photo{
		Path: "c", Status: StatusFailed, Stage: "decode", Error: "no photo", ModTime: time.Date(12000, 1, 1, 0, 0, 0, 5, time.UTC),
		Taken: exif.Time{Wall: time.Date(1850, 1, 1, 0, 0, 0, 1000, time.UTC), Zone: exif.ZoneNone},
	}
	var batch []Analysis
	for _, p := range []Photo{okPhoto("a/full", "1"), noAlt, bare, failed} {
		batch = append(batch, Analysis{Photo: p})
	}
	must(t, db.PutPhotos(t.Context(), testSpace, batch))
	got := collect(t, db.Photos(t.Context(), PhotoQuery{}))
	for i, p := range got {
		want := batch[i].Photo
		want.ID, want.Added = p.ID, p.Added
		if len(p.ID) != 26 || !reflect.DeepEqual(p, want) {
			t.Errorf("got  %+v\nwant %+v", p, want)
		}
		if one := must1[Photo](t)(db.Photo(t.Context(), p.ID)); !reflect.DeepEqual(one, p) {
			t.Errorf("Photo: %+v", one)
		}
		if one := must1[Photo](t)(db.PhotoByPath(t.Context(), p.Path)); !reflect.DeepEqual(one, p) {
			t.Errorf("PhotoByPath: %+v", one)
		}
	}
	if len(got) != 4 {
		t.Fatalf("%d photos", len(got))
	}
	for i, f := range collect(t, db.Files(t.Context())) {
		p := got[i]
		if want := (File{p.ID, p.Path, p.Size, p.ModTime, p.SHA256, p.Status, p.Analyzer, 0, false, false}); f != want {
			t.Errorf("file %+v, want %+v", f, want)
		}
	}
	if byStatus := collect(t, db.Photos(t.Context(), PhotoQuery{Status: StatusOK, Limit: 1})); len(byStatus) != 1 || byStatus[0].Path != "a/full" {
		t.Errorf("the first ok photo: %+v", byStatus)
	}
	if same := must1[[]Photo](t)(db.PhotosByContent(t.Context(), sha("2"))); len(same) != 1 || same[0].Path != "b/no alt" {
		t.Errorf("by content: %+v", same)
	}
	for _, err := range []error{
		second(db.Photo(t.Context(), "x")), second(db.PhotoByPath(t.Context(), "A/FULL")), second(db.Face(t.Context(), "x")),
		second(db.Person(t.Context(), "x")), second(db.Decision(t.Context(), "x")), second(db.Vector(t.Context(), "x")),
		second(db.Vectors(t.Context(), "x")), db.TouchPhotos(t.Context(), []File{{ID: "x"}}),
	} {
		if !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), db.path) {
			t.Errorf("%v, want ErrNotFound and the path", err)
		}
	}
}

func TestFaceRoundTrip(t *testing.T) {
	db := newDB(t)
	p, faces := put(t, db, "a.jpg", "1", 300, 0)
	if len(faces) != 2 {
		t.Fatalf("%d faces", len(faces))
	}
	for i, x := range []float64{0, 300} { // from left to right
		want := faceAt(x)
		f := faces[i]
		if f.Photo != p.ID || f.Box != want.Box || f.Landmarks != want.Landmarks || f.Score != want.Score ||
			f.Quality != want.Quality || f.Detector != "test" || f.Person != "" || f.By != ByNone {
			t.Errorf("face %+v, want %+v", f, want)
		}
		if v := must1[face.Vector](t)(db.Vector(t.Context(), f.ID)); !slices.Equal(v, want.Vector) {
			t.Errorf("vector %v, want %v", v, want.Vector)
		}
		if one := must1[Face](t)(db.Face(t.Context(), f.ID)); one != f {
			t.Errorf("Face: %+v", one)
		}
	}
	anna := person(t, db, "Anna", faces[1])
	put(t, db, "b.jpg", "2", 0)
	for name, q := range map[string]FaceQuery{"person": {Person: anna}, "photo": {Photo: p.ID, Limit: 1}, "unassigned": {Unassigned: true}} {
		want := map[string]int{"person": 1, "photo": 1, "unassigned": 2}[name]
		if got := collect(t, db.Faces(t.Context(), q)); len(got) != want {
			t.Errorf("%s: %d faces, want %d", name, len(got), want)
		}
	}
	if got := collect(t, db.Photos(t.Context(), PhotoQuery{Person: anna})); len(got) != 1 || got[0].ID != p.ID {
		t.Errorf("Anna's photos: %+v", got)
	}
}

// ids maps the left edge of each of a photo's faces to the face.
func ids(t *testing.T, db *DB, path string) map[float64]Face {
	t.Helper()
	_, faces := photoAt(t, db, path)
	m := map[float64]Face{}
	for _, f := range faces {
		m[f.Box.X] = f
	}
	return m
}

func TestReanalysis(t *testing.T) {
	db := newDB(t)
	ctx := t.Context()
	first, faces := put(t, db, "a.jpg", "1", 0, 300, 600)
	anna := person(t, db, "Anna", faces[0])
	old := ids(t, db, "a.jpg")

	// The same content: 0 moved to 20 (IoU 2/3), 300 to 370 (IoU 3/17), 600 is
	// gone; 10 overlaps the old 0 more than 20 does, and so gets it.
	p, _ := put(t, db, "a.jpg", "1", 20, 370, 10)
	now := ids(t, db, "a.jpg")
	if p.ID != first.ID || len(now) != 3 {
		t.Fatalf("photo %+v with %d faces", p, len(now))
	}
	if f := now[10]; f.ID != old[0].ID || f.Person != anna || f.By != ByGroup || f.Landmarks != faceAt(10).Landmarks {
		t.Errorf("the overlapping face did not stay itself: %+v", f)
	}
	if v := must1[face.Vector](t)(db.Vector(ctx, now[10].ID)); !slices.Equal(v, vector(testDim, 10)) {
		t.Error("the kept face has the old vector")
	}
	for _, x := range []float64{20, 370} {
		for _, o := range old {
			if now[x].ID == o.ID {
				t.Errorf("the face at %v has the id of the old one at %v", x, o.Box.X)
			}
		}
		if now[x].Person != "" {
			t.Errorf("the new face at %v is with %v", x, now[x].Person)
		}
	}

	// A moved photo keeps its faces; another content does not.
	a := Analysis{Photo: okPhoto("sub/b.jpg", "1"), Faces: []face.Face{faceAt(10)}}
	a.Photo.ID = p.ID
	must(t, db.PutPhotos(ctx, testSpace, []Analysis{a}))
	if moved, _ := photoAt(t, db, "sub/b.jpg"); moved.ID != p.ID {
		t.Error("the moved photo has a new id")
	}
	if f := ids(t, db, "sub/b.jpg")[10]; f.ID != old[0].ID || f.Person != anna {
		t.Errorf("the moved photo's face did not stay itself: %+v", f)
	}
	if _, err := db.PhotoByPath(ctx, "a.jpg"); !errors.Is(err, ErrNotFound) {
		t.Errorf("the old path: %v", err)
	}
	put(t, db, "sub/b.jpg", "2", 10)
	if f := ids(t, db, "sub/b.jpg")[10]; f.ID == old[0].ID || f.Person != "" {
		t.Errorf("a face of the old content stayed: %+v", f)
	}
	if p := must1[Person](t)(db.Person(ctx, anna)); p.Faces != 0 || p.Photos != 0 {
		t.Errorf("Anna has %+v", p)
	}
	// A vector of a face that was found again without one does not stay.
	bare := faceAt(10)
	bare.Vector = nil
	must(t, db.PutPhotos(ctx, "", []Analysis{{Photo: okPhoto("sub/b.jpg", "2"), Faces: []face.Face{bare}}}))
	if _, err := db.Vector(ctx, ids(t, db, "sub/b.jpg")[10].ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("the vector stayed: %v", err)
	}
}

func TestPendingAndFailed(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(*Photo)
		faces   int
		sha     string
		analyze string
	}{
		{"pending, same content", func(p *Photo) { p.Status = StatusPending }, 2, "1", ""},
		{"pending, other content", func(p *Photo) { p.Status, p.SHA256 = StatusPending, sha("2") }, 0, "2", ""},
		{"failed, same content", func(p *Photo) { p.Status, p.Stage, p.Analyzer = StatusFailed, "analyze", "" }, 2, "1", ""},
		{"failed, other content", func(p *Photo) { p.Status, p.Stage, p.Analyzer, p.SHA256 = StatusFailed, "decode", "", sha("2") }, 0, "2", ""},
		{"unreadable", func(p *Photo) {
			*p = Photo{Path: p.Path, Status: StatusFailed, Stage: "read", Error: "permission denied"}
		}, 2, "1", testSpace},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := newDB(t)
			put(t, db, "a.jpg", "1", 0, 300)
			p := okPhoto("a.jpg", "1")
			c.change(&p)
			must(t, db.PutPhotos(t.Context(), "", []Analysis{{Photo: p}}))
			got, faces := photoAt(t, db, "a.jpg")
			if got.Status != p.Status || got.Stage != p.Stage || got.Error != p.Error ||
				got.SHA256 != sha(c.sha) || got.Analyzer != c.analyze || len(faces) != c.faces {
				t.Errorf("%+v with %d faces", got, len(faces))
			}
			if c.name == "unreadable" && (got.GPS == nil || got.Width != 400 || got.Taken.IsZero()) {
				t.Errorf("what was known is gone: %+v", got)
			}
		})
	}
}

func TestCopy(t *testing.T) {
	db := newDB(t)
	ctx := t.Context()
	p, faces := put(t, db, "a.jpg", "1", 0, 300)
	anna := person(t, db, "Anna", faces[0])
	must(t, db.PutPhotos(ctx, "", []Analysis{{Photo: okPhoto("copy.jpg", "1"), CopyOf: p.ID}}))
	copied, theirs := photoAt(t, db, "copy.jpg")
	if copied.ID == p.ID || len(theirs) != 2 {
		t.Fatalf("copy %s with %d faces", copied.ID, len(theirs))
	}
	for i, f := range theirs {
		want := faces[i]
		if f.ID == want.ID {
			t.Error("the copy shares a face")
		}
		want.ID, want.Photo = f.ID, copied.ID
		if i == 0 {
			want.Person, want.By = anna, ByGroup
		}
		if f != want {
			t.Errorf("%+v, want %+v", f, want)
		}
		a, b := must1[face.Vector](t)(db.Vector(ctx, f.ID)), must1[face.Vector](t)(db.Vector(ctx, faces[i].ID))
		if !slices.Equal(a, b) {
			t.Error("the copy's vector is another")
		}
	}
	// Again: nothing changes, not even the ids.
	must(t, db.PutPhotos(ctx, "", []Analysis{{Photo: okPhoto("copy.jpg", "1"), CopyOf: p.ID}}))
	if _, again := photoAt(t, db, "copy.jpg"); !slices.Equal(again, theirs) {
		t.Error("a second copy changed the faces")
	}
	set := must1[VectorSet](t)(db.Vectors(ctx, testSpace))
	if len(set.Faces) != 4 || set.Faces[0].Box != set.Faces[1].Box || set.Faces[2].Box != set.Faces[3].Box {
		t.Errorf("vectors are not ordered by content and box: %+v", set.Faces)
	}
	for i, f := range set.Faces {
		if !slices.Equal(set.Vector(i), vector(testDim, uint64(f.Box.X))) {
			t.Errorf("row %d is not the vector of face %s", i, f.ID)
		}
	}
}

func TestMoves(t *testing.T) {
	db := newDB(t)
	ctx := t.Context()
	a, _ := put(t, db, "a", "1", 0)
	b, _ := put(t, db, "b", "2", 0)
	move := func(id PhotoID, path, content string) Analysis {
		m := Analysis{Photo: okPhoto(path, content), Faces: []face.Face{faceAt(0)}}
		m.Photo.ID = id
		return m
	}
	paths := func() map[string]PhotoID {
		m := map[string]PhotoID{}
		for _, f := range collect(t, db.Files(ctx)) {
			m[f.Path] = f.ID
		}
		return m
	}
	must(t, db.PutPhotos(ctx, testSpace, []Analysis{move(a.ID, "b", "1"), move(b.ID, "a", "2")}))
	if got := paths(); !maps.Equal(got, map[string]PhotoID{"b": a.ID, "a": b.ID}) {
		t.Errorf("two photos that changed places: %v", got)
	}
	must(t, db.PutPhotos(ctx, testSpace, []Analysis{move(a.ID, "a", "1")}))
	if got := paths(); !maps.Equal(got, map[string]PhotoID{"a": a.ID}) {
		t.Errorf("a photo moved over another: %v", got)
	}
	err := db.PutPhotos(ctx, testSpace, []Analysis{move(a.ID, "z", "1"), move(b.ID, "y", "2")})
	if !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), `"y"`) {
		t.Errorf("a move of a photo that is gone: %v", err)
	}
	if got := paths(); !maps.Equal(got, map[string]PhotoID{"a": a.ID}) {
		t.Errorf("after a batch that failed: %v", got)
	}
}

func TestPutPhotosRefuses(t *testing.T) {
	db := newDB(t)
	p, _ := put(t, db, "known.jpg", "1", 0)
	with := func(change func(*Analysis)) Analysis {
		a := Analysis{Photo: okPhoto("bad.jpg", "9"), Faces: []face.Face{faceAt(0)}}
		change(&a)
		return a
	}
	nan, inf := math.NaN(), math.Inf(1)
	for name, a := range map[string]Analysis{
		"NaN in the box":        with(func(a *Analysis) { a.Faces[0].Box.W = nan }),
		"infinite quality":      with(func(a *Analysis) { a.Faces[0].Quality = inf }),
		"NaN score":             with(func(a *Analysis) { a.Faces[0].Score = nan }),
		"NaN landmark":          with(func(a *Analysis) { a.Faces[0].Landmarks[4].Y = nan }),
		"NaN in the vector":     with(func(a *Analysis) { a.Faces[0].Vector[3] = float32(nan) }),
		"vector not unit":       with(func(a *Analysis) { a.Faces[0].Vector[0] += 1 }),
		"vector too short":      with(func(a *Analysis) { a.Faces[0].Vector = vector(testDim-1, 1) }),
		"vector empty":          with(func(a *Analysis) { a.Faces[0].Vector = face.Vector{} }),
		"NaN latitude":          with(func(a *Analysis) { a.Photo.GPS.Lat = nan }),
		"infinite altitude":     with(func(a *Analysis) { a.Photo.GPS.Alt = &inf }),
		"unknown status":        with(func(a *Analysis) { a.Photo.Status = "maybe" }),
		"no status":             with(func(a *Analysis) { a.Photo.Status = "" }),
		"faces of a failure":    with(func(a *Analysis) { a.Photo.Status = StatusFailed }),
		"faces of a copy":       with(func(a *Analysis) { a.CopyOf = p.ID }),
		"copy of the unknown":   with(func(a *Analysis) { a.Faces, a.CopyOf = nil, "x" }),
		"copy of other content": with(func(a *Analysis) { a.Faces, a.CopyOf = nil, p.ID }),
		"moved from nowhere":    with(func(a *Analysis) { a.Photo.ID = "x" }),
	} {
		good := Analysis{Photo: okPhoto("good.jpg", "8")}
		err := db.PutPhotos(t.Context(), testSpace, []Analysis{good, a})
		if err == nil || !strings.Contains(err.Error(), `"bad.jpg"`) {
			t.Errorf("%s: %v, want an error that names the photo", name, err)
		}
		if files := collect(t, db.Files(t.Context())); len(files) != 1 {
			t.Fatalf("%s: part of the batch was recorded", name)
		}
	}
	for _, path := range []string{"", "a\x00b"} {
		if err := db.PutPhotos(t.Context(), testSpace, []Analysis{{Photo: okPhoto(path, "1")}}); err == nil {
			t.Errorf("path %q was taken", path)
		}
	}
	if err := db.PutPhotos(t.Context(), "nowhere", []Analysis{with(func(*Analysis) {})}); !errors.Is(err, ErrNotFound) {
		t.Errorf("unknown space: %v", err)
	}
}

func TestTouchAndDrop(t *testing.T) {
	db := newDB(t)
	ctx := t.Context()
	a, fa := put(t, db, "a", "1", 0)
	b, fb := put(t, db, "b", "2", 0)
	c, fc := put(t, db, "c", "3", 0)
	later := start.Add(time.Hour + 1)
	must(t, db.TouchPhotos(ctx, []File{{ID: a.ID, Size: 77, ModTime: later}}))
	want := a
	want.Size, want.ModTime = 77, later
	if got, _ := photoAt(t, db, "a"); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}

	stranger, anna, said := person(t, db, "", fa...), person(t, db, "Anna", fb...), person(t, db, "", fc...)
	d := must1[DecisionID](t)(db.Decide(ctx, Decision{Kind: DecisionSplit, Person: "somebody", Other: said}, Assignment{}))
	if n := must1[int](t)(db.DropPhotos(ctx, []PhotoID{a.ID, b.ID, c.ID, "unknown"})); n != 3 {
		t.Errorf("dropped %d", n)
	}
	for id, kept := range map[PersonID]bool{stranger: false, anna: true, said: true} {
		p, err := db.Person(ctx, id)
		if kept && (err != nil || p.Faces != 0) || !kept && !errors.Is(err, ErrNotFound) {
			t.Errorf("person %+v, %v; kept: %v", p, err, kept)
		}
	}
	must(t, db.Revoke(ctx, d, Assignment{}))
	must1[int](t)(db.DropPhotos(ctx, nil))
	if _, err := db.Person(ctx, said); !errors.Is(err, ErrNotFound) {
		t.Errorf("the person of a revoked decision: %v", err)
	}
	if left := collect(t, db.Faces(ctx, FaceQuery{})); len(left) != 0 {
		t.Errorf("%d faces left", len(left))
	}
}
