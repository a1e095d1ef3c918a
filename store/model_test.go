package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/kith-photos/kith/face"
)

// The account must behave as this plain model does, whatever is done to it in
// whatever order. Faces lie at fixed places, so that two of one photo either
// are the same box or do not touch.
type model struct {
	t     *rapid.T
	db    *DB
	path  string
	names int // makes unique names

	photos    map[string]*modelPhoto // by path
	people    map[PersonID]string    // names
	decisions []*modelDecision
	seen      map[FaceID]bool
	told      map[PersonID]int // faces by events alone
	last      EventID
	grouped   string // all that grouping depends on, as the latest grouping left it
}

type modelPhoto struct {
	id      PhotoID
	content string
	status  Status
	faces   map[float64]*modelFace
}

type modelFace struct {
	id     FaceID // empty: new, and not yet known to the model
	person PersonID
	by     Origin
}

type modelDecision struct {
	id            DecisionID
	person, other PersonID
	revoked       bool
}

var modelPlaces = []float64{0, 300, 600}

func TestModel(t *testing.T) {
	base := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(base, "run")
		must(t, err)
		m := &model{
			t: rt, path: filepath.Join(dir, "a.kith"), photos: map[string]*modelPhoto{},
			people: map[PersonID]string{}, seen: map[FaceID]bool{}, told: map[PersonID]int{},
		}
		m.open()
		defer func() {
			for err := range m.db.Check(t.Context()) {
				rt.Errorf("check: %v", err)
			}
			m.ok(m.db.Close())
		}()
		m.ok(m.db.PutSpace(t.Context(), Space{Name: testSpace, Dim: testDim}))
		rt.Repeat(map[string]func(*rapid.T){
			"": m.compare, "analyse": m.analyse, "move": m.move, "copy": m.copy, "drop": m.drop,
			"assign": m.assign, "decide": m.decide, "revoke": m.revoke, "group": m.group, "reopen": m.reopen,
		})
	})
}

func (m *model) ok(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

func (m *model) open() {
	// Vectors are sealed and come loose again all the time.
	db, err := testOpen(m.t.Context(), m.path, Options{AccountID: "model", perChunk: 3})
	m.ok(err)
	m.db = db
}

func (m *model) reopen(rt *rapid.T) {
	for err := range m.db.Check(rt.Context()) {
		rt.Fatalf("check: %v", err)
	}
	m.ok(m.db.Close())
	m.open()
}

// pick draws one of the keys of a map, or skips the step if it is empty.
func pick[K ~string, V any](rt *rapid.T, from map[K]V, label string) K {
	if len(from) == 0 {
		rt.Skip("nothing to pick from")
	}
	var keys []K
	for k := range from {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return rapid.SampledFrom(keys).Draw(rt, label)
}

// found draws an analysis of a path.
func (m *model) found(rt *rapid.T, path string) (Analysis, []float64) {
	a := Analysis{Photo: okPhoto(path, rapid.SampledFrom([]string{"1", "2"}).Draw(rt, "content"))}
	a.Photo.Status = rapid.SampledFrom([]Status{StatusOK, StatusOK, StatusPending, StatusFailed}).Draw(rt, "status")
	if a.Photo.Status != StatusOK {
		a.Photo.Analyzer = ""
		return a, nil
	}
	places := rapid.SliceOfDistinct(rapid.SampledFrom(modelPlaces), rapid.ID).Draw(rt, "places")
	for _, x := range places {
		a.Faces = append(a.Faces, faceAt(x))
	}
	return a, places
}

// apply changes the model's photo as PutPhotos should; p is what it was.
func (p *modelPhoto) apply(a Analysis, content string, places []float64, moved bool) {
	same := p.content == content
	old := p.faces
	switch {
	case a.Photo.Status == StatusOK:
		p.faces = map[float64]*modelFace{}
		for _, x := range places {
			p.faces[x] = &modelFace{}
			if f := old[x]; f != nil && (same || moved) {
				p.faces[x] = f
			}
		}
	case !same:
		p.faces = map[float64]*modelFace{}
	}
	p.content, p.status = content, a.Photo.Status
}

func contentOf(a Analysis) string {
	if a.Photo.SHA256 == sha("1") {
		return "1"
	}
	return "2"
}

func (m *model) analyse(rt *rapid.T) {
	var batch []Analysis
	for range rapid.IntRange(1, 3).Draw(rt, "batch") {
		path := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(rt, "path")
		a, places := m.found(rt, path)
		p := m.photos[path]
		if p == nil {
			p = &modelPhoto{faces: map[float64]*modelFace{}}
			m.photos[path] = p
		}
		p.apply(a, contentOf(a), places, false)
		batch = append(batch, a)
	}
	m.ok(m.db.PutPhotos(rt.Context(), testSpace, batch))
}

func (m *model) move(rt *rapid.T) {
	from := pick(rt, m.photos, "from")
	p := m.photos[from]
	to := rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}).Draw(rt, "to")
	a, places := m.found(rt, to)
	a.Photo.ID = p.id
	m.ok(m.db.PutPhotos(rt.Context(), testSpace, []Analysis{a}))
	displaced := to != from && m.photos[to] != nil
	p.apply(a, contentOf(a), places, to != from)
	delete(m.photos, from)
	m.photos[to] = p
	if displaced {
		m.forgetStrangers()
	}
}

func (m *model) copy(rt *rapid.T) {
	source := m.photos[pick(rt, m.photos, "source")]
	path := rapid.SampledFrom([]string{"a", "b", "f"}).Draw(rt, "path")
	a := Analysis{Photo: okPhoto(path, source.content), CopyOf: source.id}
	m.ok(m.db.PutPhotos(rt.Context(), testSpace, []Analysis{a}))
	p := m.photos[path]
	if p == nil {
		p = &modelPhoto{faces: map[float64]*modelFace{}}
		m.photos[path] = p
	}
	faces := map[float64]*modelFace{}
	for x, f := range source.faces {
		old := p.faces[x]
		switch {
		case old == nil || p.content != source.content:
			faces[x] = &modelFace{person: f.person, by: f.by}
		case old.person == "":
			faces[x] = &modelFace{id: old.id, person: f.person, by: f.by}
		default:
			faces[x] = old
		}
	}
	p.faces, p.content, p.status = faces, source.content, StatusOK
}

func (m *model) drop(rt *rapid.T) {
	path := pick(rt, m.photos, "path")
	n, err := m.db.DropPhotos(rt.Context(), []PhotoID{m.photos[path].id, "unknown"})
	m.ok(err)
	if n != 1 {
		rt.Fatalf("dropped %d", n)
	}
	delete(m.photos, path)
	m.forgetStrangers()
}

func (m *model) forgetStrangers() {
	for id, name := range m.people {
		kept := name != ""
		for _, p := range m.photos {
			for _, f := range p.faces {
				kept = kept || f.person == id
			}
		}
		for _, d := range m.decisions {
			kept = kept || !d.revoked && (d.person == id || d.other == id)
		}
		if !kept {
			delete(m.people, id)
		}
	}
}

// assignment draws who is who, and changes the model accordingly.
func (m *model) assignment(rt *rapid.T) Assignment {
	a := Assignment{Faces: map[FaceID]Placed{}}
	for range rapid.IntRange(0, 2).Draw(rt, "people") {
		m.names++
		id := PersonID(rapid.SampledFrom([]string{"p1", "p2", "p3"}).Draw(rt, "person"))
		name := rapid.SampledFrom([]string{"", "Anna", fmt.Sprint("name ", m.names)}).Draw(rt, "name")
		a.People = append(a.People, Person{ID: id, Name: name})
		m.people[id] = name
	}
	for _, path := range []string{"a", "b", "c", "d", "e", "f"} {
		for _, x := range modelPlaces {
			p := m.photos[path]
			if p == nil || p.faces[x] == nil || !rapid.Bool().Draw(rt, "touch") {
				continue
			}
			placed := Placed{}
			if len(m.people) > 0 && rapid.Bool().Draw(rt, "with somebody") {
				placed = Placed{Person: pick(rt, m.people, "whom"), By: rapid.SampledFrom([]Origin{ByGroup, ByDecision}).Draw(rt, "by")}
			}
			a.Faces[p.faces[x].id] = placed
			p.faces[x].person, p.faces[x].by = placed.Person, placed.By
		}
	}
	if len(m.people) > 0 && rapid.IntRange(0, 3).Draw(rt, "forget one") == 0 {
		id := pick(rt, m.people, "forget")
		a.Drop = []PersonID{id}
		delete(m.people, id)
		for _, p := range m.photos {
			for _, f := range p.faces {
				if f.person == id {
					f.person, f.by = "", ByNone
				}
			}
		}
	}
	return a
}

func (m *model) assign(rt *rapid.T) {
	m.ok(m.db.PutPeople(rt.Context(), m.assignment(rt)))
}

func (m *model) decide(rt *rapid.T) {
	d := Decision{Kind: DecisionMerge, Person: "p1", Other: PersonID(rapid.SampledFrom([]string{"p2", "p3"}).Draw(rt, "other"))}
	d.Faces = []FaceRef{{sha("1"), face.Box{W: 1, H: 1}}}
	id, err := m.db.Decide(rt.Context(), d, m.assignment(rt))
	m.ok(err)
	m.decisions = append(m.decisions, &modelDecision{id: id, person: d.Person, other: d.Other})
}

func (m *model) revoke(rt *rapid.T) {
	if len(m.decisions) == 0 {
		rt.Skip("no decision")
	}
	d := rapid.SampledFrom(m.decisions).Draw(rt, "decision")
	if d.revoked {
		if err := m.db.Revoke(rt.Context(), d.id, Assignment{}); !errors.Is(err, ErrRevoked) {
			rt.Fatalf("revoked twice: %v", err)
		}
		return
	}
	m.ok(m.db.Revoke(rt.Context(), d.id, m.assignment(rt)))
	d.revoked = true
}

// compare reads everything back.
func (m *model) compare(rt *rapid.T) {
	m.t = rt
	paths := 0
	for p, err := range m.db.Photos(rt.Context(), PhotoQuery{}) {
		m.ok(err)
		want := m.photos[p.Path]
		if want == nil || want.id != "" && want.id != p.ID || want.status != p.Status || sha(want.content) != p.SHA256 {
			rt.Fatalf("photo %+v, want %+v", p, want)
		}
		want.id = p.ID
		paths++
		m.compareFaces(rt, p, want)
	}
	if paths != len(m.photos) {
		rt.Fatalf("%d photos, want %d", paths, len(m.photos))
	}
	m.compareVectors(rt)
	if _, current, err := m.db.Grouping(rt.Context()); err != nil || current && m.grouped != m.groupable(rt) {
		rt.Fatalf("a grouping of something else counts as current, or %v", err)
	}
	for e, err := range m.db.Events(rt.Context(), m.last) {
		m.ok(err)
		m.last = e.ID
		m.told[e.Person] += e.Joined - e.Left
		if e.Kind == EventGone {
			delete(m.told, e.Person)
		}
	}
	people := 0
	for p, err := range m.db.People(rt.Context(), PeopleQuery{}) {
		m.ok(err)
		faces, photos := 0, 0
		for _, photo := range m.photos {
			here := 0
			for _, f := range photo.faces {
				if f.person == p.ID {
					here++
				}
			}
			faces, photos = faces+here, photos+min(here, 1)
		}
		if name, ok := m.people[p.ID]; !ok || name != p.Name || faces != p.Faces || photos != p.Photos {
			rt.Fatalf("person %+v, want %q with %d faces in %d photos", p, name, faces, photos)
		}
		if told, ok := m.told[p.ID]; !ok || told != faces {
			rt.Fatalf("person %+v has %d faces by events (known: %v)", p, told, ok)
		}
		people++
	}
	if people != len(m.people) || people != len(m.told) {
		rt.Fatalf("%d people, want %d", people, len(m.people))
	}
	n := 0
	for d, err := range m.db.Decisions(rt.Context()) {
		m.ok(err)
		if want := m.decisions[n]; d.ID != want.id || d.Other != want.other || (d.Revoked != nil) != want.revoked {
			rt.Fatalf("decision %+v, want %+v", d, want)
		}
		n++
	}
	if n != len(m.decisions) {
		rt.Fatalf("%d decisions, want %d", n, len(m.decisions))
	}
}

func (m *model) compareFaces(rt *rapid.T, p Photo, want *modelPhoto) {
	n := 0
	for f, err := range m.db.Faces(rt.Context(), FaceQuery{Photo: p.ID}) {
		m.ok(err)
		w := want.faces[f.Box.X]
		if w == nil || w.person != f.Person || w.by != f.By || w.id != "" && w.id != f.ID {
			rt.Fatalf("face %+v, want %+v", f, w)
		}
		if w.id == "" && m.seen[f.ID] {
			rt.Fatalf("face %+v is new, but its id was in use before", f)
		}
		w.id, m.seen[f.ID] = f.ID, true
		v, err := m.db.Vector(rt.Context(), f.ID)
		m.ok(err)
		if !slices.Equal(v, vector(testDim, uint64(f.Box.X))) {
			rt.Fatalf("face %+v has another vector", f)
		}
		n++
	}
	if n != len(want.faces) {
		rt.Fatalf("%s has %d faces, want %d", p.Path, n, len(want.faces))
	}
}
