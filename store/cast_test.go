package store

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/face"
)

// cast is an account in which everything that can be said was said, under
// names by which tests speak of it, and with values that can be recognised
// among its bytes.
type cast struct {
	db        *DB
	people    map[string]PersonID
	photos    map[string]Photo
	faces     map[string]Face // "anna@a.jpg"
	decisions map[string]DecisionID
	labels    map[string]string // of ids
	marks     map[string]marks  // by what they are of
	n         int               // makes every value another one
}

// beforeCorrection are the marks of what is said otherwise in the end.
const beforeCorrection = "what was corrected"

// castPerChunk makes chunks of what is in the cast's few photos.
const castPerChunk = 3

func newCast(t *testing.T, db *DB) *cast {
	t.Helper()
	c := &cast{
		db: db, people: map[string]PersonID{}, photos: map[string]Photo{}, faces: map[string]Face{},
		decisions: map[string]DecisionID{}, labels: map[string]string{}, marks: map[string]marks{},
	}
	must(t, db.PutSpace(t.Context(), Space{Name: testSpace, Dim: testDim}))
	c.putRecords(t)
	c.putPhotos(t)
	c.putPeople(t)
	c.decide(t)
	c.arrange(t)
	c.share(t)
	must(t, db.PutGrouping(t.Context(), Assignment{}, "grouped"))
	mustCheck(t, db)
	return c
}

func (c *cast) mark(of, what, mark string) {
	if c.marks[of] == nil {
		c.marks[of] = marks{}
	}
	c.marks[of][of+": "+what] = mark
}

func (c *cast) markFloat(of, what string, v float64) {
	c.mark(of, what, "")
	delete(c.marks[of], of+": "+what)
	c.marks[of].float64(of+": "+what, v)
}

// all are the marks of some things together.
func (c *cast) all(of ...string) marks {
	m := marks{}
	for _, o := range of {
		maps.Copy(m, c.marks[o])
	}
	return m
}

func (c *cast) putRecords(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	must(t, c.db.PutConsent(ctx, Consent{Given: true, By: "Consenting Ownermark", Version: "Versionmark 3", Means: "Meansmark"}))
	must(t, c.db.SetSetting(ctx, "folder", "Settingmark"))
	p := must1[Product](t)(c.db.PutProduct(ctx, Product{Class: ClassExports, Name: "Productmark.zip"}))
	c.labels[p.ID] = "product"
	for what, mark := range map[string]string{"by": "Consenting Ownermark", "version": "Versionmark 3", "means": "Meansmark"} {
		c.mark("owner's consent", what, mark)
	}
	c.mark("settings", "value", "Settingmark")
	c.mark("products", "name", "Productmark.zip")
}

// markedPhoto is a photo in which nothing is as in any other.
func (c *cast) markedPhoto(name string) Photo {
	c.n++
	p := okPhoto(name, "content of "+name)
	p.GPS.Lat, p.GPS.Lon = 11.123457+float64(c.n), 22.765433+float64(c.n)
	alt := 333.13579 + float64(c.n)
	p.GPS.Alt = &alt
	p.Camera = exif.Camera{Make: "Makemark of " + name, Model: "Modelmark of " + name}
	p.Warning = "Warningmark of " + name
	p.Camera.Serial, p.Burst, p.Video, p.GPS.Datum = "Serialmark of "+name, "Burstmark of "+name, "Videomark of "+name, "Datummark of "+name
	of := name
	c.mark(of, "path", name)
	c.mark(of, "content", string(p.SHA256[:]))
	c.mark(of, "make", p.Camera.Make)
	c.mark(of, "model", p.Camera.Model)
	c.mark(of, "warning", p.Warning)
	c.mark(of, "serial number", p.Camera.Serial)
	c.mark(of, "burst", p.Burst)
	c.mark(of, "video", p.Video)
	if name == "Pathmark-b.jpg" {
		of = beforeCorrection
	}
	c.markFloat(of, "latitude", p.GPS.Lat)
	c.markFloat(of, "longitude", p.GPS.Lon)
	c.markFloat(of, "altitude", alt)
	return p
}

// markedFace is a face near x in which nothing is as in any other.
func (c *cast) markedFace(of string, x float64) face.Face {
	c.n++
	n := float64(c.n)
	f := face.Face{
		Box:   face.Box{X: x + 0.0123457*n, Y: 20.5 + 0.0765433*n, W: 100.125, H: 100.25},
		Score: 0.5 + 0.00123457*n, Quality: 0.4 + 0.00765433*n, Detector: "test", Vector: vector(testDim, uint64(1000+c.n)),
	}
	f.Landmarks[2] = face.Point{X: 7000.1357 + n, Y: 8000.2468 + n}
	c.mark(of, "vector", string(packVector(f.Vector)))
	c.markFloat(of, "landmark", f.Landmarks[2].X)
	c.markFloat(of+" (row)", "score", f.Score)
	c.markFloat(of+" (box)", "left", f.Box.X)
	c.markFloat(of+" (box)", "top", f.Box.Y)
	return f
}

// castPhotos are the photos and, from left to right, whose faces they show.
var castPhotos = []struct {
	path  string
	faces []string
}{
	{"Pathmark-a.jpg", []string{"anna", "nobody"}}, {"Pathmark-b.jpg", []string{"anna", "bert"}}, {"Pathmark-c.jpg", []string{"bert", "stranger"}},
	{"Pathmark-d.jpg", []string{"clara"}}, {"Pathmark-e.jpg", []string{"dora", "ghost"}},
}

// at is the face of somebody on one of the photos: "anna", "a".
func (c *cast) at(who, photo string) Face { return c.faces[who+"@Pathmark-"+photo+".jpg"] }

func (c *cast) photo(letter string) Photo { return c.photos["Pathmark-"+letter+".jpg"] }

func (c *cast) ref(who, photo string) FaceRef {
	return FaceRef{SHA256: c.photo(photo).SHA256, Box: c.at(who, photo).Box}
}

func (c *cast) putPhotos(t *testing.T) {
	t.Helper()
	for _, p := range castPhotos {
		a := Analysis{Photo: c.markedPhoto(p.path)}
		for i, who := range p.faces {
			a.Faces = append(a.Faces, c.markedFace(who+"@"+p.path, float64(300*i)))
		}
		must(t, c.db.PutPhotos(t.Context(), testSpace, []Analysis{a}))
		c.know(t, p.path, p.faces)
	}
	a := c.photo("a")
	copied := a
	copied.ID, copied.Path = "", "Pathmark-copy.jpg"
	must(t, c.db.PutPhotos(t.Context(), testSpace, []Analysis{{Photo: copied, CopyOf: a.ID}}))
	c.mark("Pathmark-a.jpg", "path of the copy", copied.Path)
	c.know(t, copied.Path, []string{"anna", "nobody"})
	broken := Photo{Path: "Pathmark-broken.jpg", Status: StatusFailed, Stage: "decode", Error: "Errormark", SHA256: sha("broken")}
	must(t, c.db.PutPhotos(t.Context(), testSpace, []Analysis{{Photo: broken}}))
	c.know(t, broken.Path, nil)
	c.mark(broken.Path, "error", broken.Error)
	c.mark(broken.Path, "path", broken.Path)
	c.mark(broken.Path, "content", string(broken.SHA256[:]))
}

// know gives names to the rows of a photo.
func (c *cast) know(t *testing.T, path string, who []string) {
	t.Helper()
	p, faces := photoAt(t, c.db, path)
	c.photos[path], c.labels[string(p.ID)] = p, path
	for i, f := range faces {
		name := who[i] + "@" + path
		c.faces[name], c.labels[string(f.ID)] = f, name
		c.mark(name+" (row)", "id", string(f.ID))
	}
}

func (c *cast) putPeople(t *testing.T) {
	t.Helper()
	for name, faces := range map[string][]Face{
		"anna": {c.at("anna", "a"), c.at("anna", "b"), c.at("anna", "copy")}, "bert": {c.at("bert", "b"), c.at("bert", "c")},
		"clara": {c.at("clara", "d")}, "dora": {c.at("dora", "e")}, "stranger": {c.at("stranger", "c")},
	} {
		id := person(t, c.db, "", faces...)
		c.people[name], c.labels[string(id)] = id, name
		c.mark(name+" (row)", "id", string(id))
	}
	must(t, c.db.PutConsent(t.Context(), Consent{Given: true, Person: c.people["anna"], By: "Consenting Annamark", Version: "v", Means: "m"}))
	c.mark("anna's consent", "by", "Consenting Annamark")
}

func (c *cast) say(t *testing.T, name string, d Decision, a Assignment) {
	t.Helper()
	id := must1[DecisionID](t)(c.db.Decide(t.Context(), d, a))
	c.decisions[name], c.labels[string(id)] = id, name
}

// call names a person.
func (c *cast) call(t *testing.T, who, name, old string, faces ...FaceRef) {
	t.Helper()
	id := c.people[who]
	c.say(t, "name "+who, Decision{Kind: DecisionName, Person: id, Name: name, OldName: old, Faces: faces},
		Assignment{People: []Person{{ID: id, Name: name}}})
	c.mark(who, "name", name)
	if old != "" {
		c.mark(who, "name before", old)
	}
}

func (c *cast) decide(t *testing.T) {
	t.Helper()
	anna, bert, clara, dora := c.people["anna"], c.people["bert"], c.people["clara"], c.people["dora"]
	ofAnna := []FaceRef{c.ref("anna", "a"), c.ref("anna", "b")}
	ofBert := []FaceRef{c.ref("bert", "b"), c.ref("bert", "c")}
	c.call(t, "bert", "Bertram Bertmark", "", ofBert...)
	c.call(t, "anna", "Annabel Annamark", "Anneliese Oldmark", ofAnna...)
	c.call(t, "clara", "Clarissa Claramark", "", c.ref("clara", "d"))
	created := start
	c.say(t, "merge", Decision{
		Kind: DecisionMerge, Person: anna, Other: clara, OldName: "Clarissa Claramark", Faces: ofAnna,
		Others: []FaceRef{c.ref("clara", "d")}, Before: []Holder{{Person: clara, Created: created}},
	}, Assignment{Faces: map[FaceID]Placed{c.at("clara", "d").ID: {Person: anna, By: ByDecision}}, Drop: []PersonID{clara}})
	c.say(t, "split", Decision{
		Kind: DecisionSplit, Person: dora, Other: anna, Faces: []FaceRef{c.ref("dora", "e")}, Others: ofAnna,
		Before: []Holder{{Person: anna, Created: created}},
	}, Assignment{})
	c.call(t, "dora", "Dorothea Doramark", "", c.ref("dora", "e"))
	c.say(t, "different", Decision{Kind: DecisionDifferent, Person: anna, Other: bert, Faces: ofAnna, Others: ofBert}, Assignment{})
	c.say(t, "same", Decision{
		Kind: DecisionSame, Person: bert, Faces: []FaceRef{c.ref("bert", "c")}, Others: ofBert[:1],
		Before: []Holder{{Person: anna, Created: created, Faces: []int{0}}},
	}, Assignment{})
	c.say(t, "same mixed", Decision{
		Kind: DecisionSame, Person: bert, Faces: []FaceRef{c.ref("anna", "b"), c.ref("bert", "b")}, Before: []Holder{{Faces: []int{0, 1}}},
	}, Assignment{})
	must(t, c.db.Revoke(t.Context(), c.decisions["same mixed"], Assignment{}))
	c.say(t, "remove", Decision{
		Kind: DecisionRemove, Other: bert, Faces: []FaceRef{c.ref("stranger", "c")}, Others: ofBert, Before: []Holder{{Person: bert, Created: created}},
	}, Assignment{})
	ghost := NewDecisionID()
	c.say(t, "not a face", Decision{ID: ghost, Kind: DecisionNotAFace, Faces: []FaceRef{c.ref("ghost", "e")}},
		Assignment{Faces: map[FaceID]Placed{c.at("ghost", "e").ID: {Reject: ghost}}})
	c.say(t, "cover", Decision{Kind: DecisionCover, Person: bert, Faces: ofBert[:1]},
		Assignment{People: []Person{{ID: bert, Name: "Bertram Bertmark", Cover: c.at("bert", "b").ID, CoverChosen: true}}})
	c.correct(t)
}

// correct gives b.jpg another place and c.jpg another time.
func (c *cast) correct(t *testing.T) {
	t.Helper()
	spot := exif.GPS{Lat: -44.246813, Lon: 55.135792}
	c.say(t, "place", Decision{
		Kind: DecisionPlace, Faces: []FaceRef{{SHA256: c.photo("b").SHA256}}, Correction: &Correction{GPS: &spot},
	}, Assignment{})
	c.say(t, "time", Decision{
		Kind: DecisionTime, Faces: []FaceRef{{SHA256: c.photo("c").SHA256}},
		Correction: &Correction{Taken: &exif.Time{Wall: time.Date(1999, 2, 3, 4, 5, 6, 0, time.UTC), Zone: exif.ZoneNone}},
	}, Assignment{})
	c.markFloat("Pathmark-b.jpg", "corrected latitude", spot.Lat)
	c.mark("Pathmark-b.jpg", "corrected latitude as text", "-44.246813")
	// What the file says is kept as text as long as the correction stands.
	c.mark("Pathmark-b.jpg", "latitude as text", fmt.Sprint(c.photo("b").GPS.Lat))
	c.mark("Pathmark-c.jpg", "corrected time as text", "1999-02-03T04:05:06")
}

// arrange gives each content that has a place a moment, day and trip, a cell and
// a place of its own.
func (c *cast) arrange(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	var a Arrangement
	at := map[[32]byte]int{}
	for p, err := range c.db.Photos(ctx, PhotoQuery{}) {
		must(t, err)
		s := Shot{Photo: p.ID, Taken: p.Taken, Source: "original", At: NoTime, Where: p.GPS, Camera: -1, Cell: -1, Place: -1, Moment: -1}
		if p.GPS == nil {
			a.Shots = append(a.Shots, s)
			continue
		}
		n, ok := at[p.SHA256]
		if !ok {
			n = len(a.Cells)
			at[p.SHA256] = n
			c.addMoment(&a, n, p)
		}
		m := &a.Moments[3*n+2]
		m.Shots++
		s.At, s.Camera, s.Cell, s.Place, s.Moment = m.At, n, n, n, 3*n+2
		a.Shots = append(a.Shots, s)
	}
	for i := range a.Cells {
		a.Moments[3*i].Shots, a.Moments[3*i+1].Shots = a.Moments[3*i+2].Shots, a.Moments[3*i+2].Shots
	}
	a.About = "arranged"
	was := must1[*Arranged](t)(c.db.LoadArrangement(ctx))
	must(t, c.db.PutArrangement(ctx, was, a))
	for i, p := range a.Places {
		c.labels[string(p.ID)] = fmt.Sprint("place ", i)
	}
	for i, m := range a.Moments {
		c.labels[string(m.ID)] = fmt.Sprint("moment ", i)
	}
}

func (c *cast) addMoment(a *Arrangement, n int, p Photo) {
	named := func(what string) Named {
		name := what + " of " + p.Path
		c.mark(p.Path, what, name)
		return Named{Name: name}
	}
	where := p.GPS
	a.Cameras = append(a.Cameras, p.Camera)
	a.Cells = append(a.Cells, Cell{Number: uint64(n + 1), Named: named("Cellmark")})
	a.Places = append(a.Places, Place{Lat: where.Lat, Lon: where.Lon, Named: named("Placemark")})
	for _, kind := range []MomentKind{KindTrip, KindDay, KindMoment} {
		m := Moment{Kind: kind, Parent: len(a.Moments) - 1, First: int32(n), Last: int32(n), At: int64(n), Until: int64(n), Cover: p.ID, Place: n}
		if kind == KindTrip {
			m.Parent = -1
		}
		m.Spot = &Spot{Lat: where.Lat, Lon: where.Lon, Radius: 1, Named: named(string(kind) + " Spotmark")}
		a.Moments = append(a.Moments, m)
	}
}

// idOf is the id of a label.
func (c *cast) idOf(label string) string {
	for id, l := range c.labels {
		if l == label {
			return id
		}
	}
	return ""
}

// castAt opens an account that holds the cast.
func castAt(t *testing.T, opt Options) (c *cast, dir string) {
	t.Helper()
	dir = t.TempDir()
	opt.Now, opt.AccountID = clock(), "cast"
	db := must1[*DB](t)(Open(t.Context(), filepath.Join(dir, "a.kith"), opt))
	t.Cleanup(func() { _ = db.Close() })
	return newCast(t, db), dir
}

// missing are the marks that are in none of a folder's files. Of numbers, one
// order is enough.
func (m marks) missing(t *testing.T, dir string) []string {
	t.Helper()
	found := map[string]bool{}
	for _, f := range m.in(t, dir) {
		found[f[:strings.LastIndex(f, " in ")]] = true
	}
	var out []string
	for what := range m {
		if !found[what] && !found[what+inSQLite] && !found[strings.TrimSuffix(what, inSQLite)] {
			out = append(out, what)
		}
	}
	slices.Sort(out)
	return out
}

const inSQLite = " in SQLite's order"

// groups are the names of marks of which keep tells.
func (c *cast) groups(keep func(of string) bool) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(c.marks)), func(of string) bool { return !keep(of) })
}

// secret tells of what is sealed: all but ids, boxes and scores.
func secret(of string) bool {
	return !strings.HasSuffix(of, " (row)") && !strings.HasSuffix(of, " (box)")
}
