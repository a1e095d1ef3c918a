package store

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// timed is an account whose clock the test sets.
func timed(t *testing.T) (db *DB, now *time.Time, dir string) {
	t.Helper()
	dir = t.TempDir()
	now = new(time.Time)
	*now = start
	db = openAt(t, filepath.Join(dir, "a.kith"), Options{Now: func() time.Time { return *now }})
	must(t, db.PutSpace(t.Context(), Space{Name: testSpace, Dim: testDim}))
	return db, now, dir
}

const aDay = 24 * time.Hour

func TestAging(t *testing.T) {
	db, now, _ := timed(t)
	ctx := t.Context()
	until := start.AddDate(1, 0, 0)
	aged := func(class Class) string {
		t.Helper()
		var out []string
		for _, a := range must1[[]Age](t)(db.Aging(ctx, class, until)) {
			out = append(out, fmt.Sprintf("%s x%d", a.Since.Sub(start), a.Count))
		}
		return strings.Join(out, ", ")
	}
	classes := []Class{ClassFaces, ClassStrangers, ClassVanished, ClassOriginals, ClassExports, ClassCrops, ClassShares, ClassAudit}
	for _, class := range classes {
		if got := aged(class); got != "" {
			t.Errorf("%s of an empty account: %s", class, got)
		}
	}
	put(t, db, "a", "1", 0, 300)
	*now = start.Add(time.Hour)
	_, faces := put(t, db, "b", "2", 0, 300, 600)
	person(t, db, "Bert", faces[0])
	anna := person(t, db, "", faces[1])
	*now = start.Add(2 * aDay)
	put(t, db, "c", "3", 0)
	must1[Product](t)(db.PutProduct(ctx, Product{Class: ClassExports, Name: "e"}))
	must1[Product](t)(db.PutProduct(ctx, Product{Class: ClassShares, Name: "s"}))
	*now = start.Add(3 * aDay)
	must1[Product](t)(db.PutProduct(ctx, Product{Class: ClassExports, Name: "f"}))
	must1[AuditEntry](t)(db.Note(ctx, "note", nil))
	if got := aged(ClassAudit); got != "" {
		t.Errorf("the only entry of the audit ages: %s", got)
	}
	must1[AuditEntry](t)(db.Note(ctx, "note", nil))
	c, _ := photoAt(t, db, "c")
	if n := must1[int](t)(db.MarkVanished(ctx, []PhotoID{c.ID, "unknown"})); n != 1 {
		t.Errorf("%d vanished", n)
	}
	want := map[Class]string{
		ClassFaces: "0s x5, 48h0m0s x1", ClassStrangers: "0s x4, 48h0m0s x1", ClassVanished: "72h0m0s x1", ClassOriginals: "0s x2",
		ClassExports: "48h0m0s x1, 72h0m0s x1", ClassShares: "48h0m0s x1", ClassCrops: "", ClassAudit: "72h0m0s x2",
	}
	for _, class := range classes {
		if got := aged(class); got != want[class] {
			t.Errorf("%s: %s, want %s", class, got, want[class])
		}
	}
	for after, want := range map[time.Duration]string{2*aDay - time.Microsecond: "0s x5", 0: "0s x2", -time.Microsecond: ""} {
		until = start.Add(after)
		if got := aged(ClassFaces); got != want {
			t.Errorf("faces that began to age until %v: %s, want %s", until, got, want)
		}
	}
	until = start.Add(2 * aDay)
	// Somebody to be ignored is no stranger either, and what is no face is nobody.
	must(t, db.PutPeople(ctx, Assignment{People: []Person{{ID: anna, Ignored: true}}}))
	id := must1[DecisionID](t)(db.Decide(ctx, Decision{Kind: DecisionNotAFace, Faces: []FaceRef{{sha("2"), faces[2].Box}}}, Assignment{}))
	must(t, db.PutPeople(ctx, Assignment{Faces: map[FaceID]Placed{faces[2].ID: {Reject: id}}}))
	if got := aged(ClassStrangers); got != "0s x2, 48h0m0s x1" {
		t.Errorf("strangers: %s", got)
	}
	for _, class := range []Class{ClassPhotos, ClassTemplates, ClassSettings, "nonsense", ""} {
		if ages, err := db.Aging(ctx, class, until); err == nil || ages != nil {
			t.Errorf("class %q ages: %v, %v", class, ages, err)
		}
	}
	if _, err := db.PutProduct(ctx, Product{Class: ClassFaces}); err == nil {
		t.Error("faces are a product")
	}
}

// What began to age at the cutoff goes, what began a microsecond later stays.
func TestExpireBoundary(t *testing.T) {
	for class, fill := range map[Class]func(t *testing.T, db *DB){
		ClassFaces:     func(t *testing.T, db *DB) { _, f := put(t, db, "a", "1", 0); person(t, db, "Anna", f...) },
		ClassStrangers: func(t *testing.T, db *DB) { put(t, db, "a", "1", 0) },
		ClassVanished: func(t *testing.T, db *DB) {
			p, _ := put(t, db, "a", "1")
			must1[int](t)(db.MarkVanished(t.Context(), []PhotoID{p.ID}))
		},
		ClassAudit: func(t *testing.T, db *DB) {
			for range 2 { // a single one would not go
				must1[AuditEntry](t)(db.Note(t.Context(), "note", nil))
			}
		},
	} {
		t.Run(string(class), func(t *testing.T) {
			db, now, dir := timed(t)
			fill(t, db)
			*now = start.Add(aDay)
			before := snapshotDir(t, dir)
			for _, old := range []Cutoffs{{class: start.Add(-time.Microsecond)}, {}, nil, {ClassPhotos: *now, ClassExports: *now, ClassAccount: *now}} {
				if r := must1[Receipt](t)(db.Expire(t.Context(), old)); !isZero(r) {
					t.Errorf("with %v: receipt %+v, want none", old, r)
				}
			}
			for name, data := range snapshotDir(t, dir) {
				if data != before[name] && !strings.HasSuffix(name, "-shm") {
					t.Errorf("nothing was due, and %s changed", name)
				}
			}
			r := must1[Receipt](t)(db.Expire(t.Context(), Cutoffs{class: start}))
			want := map[Class]Counts{
				ClassFaces: {ClassFaces: 1, ClassTemplates: 1}, ClassStrangers: {ClassFaces: 1, ClassTemplates: 1},
				ClassVanished: {ClassPhotos: 1}, ClassAudit: {ClassAudit: 2},
			}[class]
			if !maps.Equal(r.Counts, want) || r.Action != "expire" || !r.At.Equal(*now) {
				t.Errorf("receipt %+v, want %v", r, want)
			}
			before = snapshotDir(t, dir)
			if r := must1[Receipt](t)(db.Expire(t.Context(), Cutoffs{class: start})); !isZero(r) {
				t.Errorf("again: receipt %+v, want none", r)
			}
			if after := snapshotDir(t, dir); after["a.kith"] != before["a.kith"] || after["a.kith-wal"] != before["a.kith-wal"] {
				t.Error("the second time changed the file")
			}
		})
	}
}

func isZero(r Receipt) bool {
	return r.ID == "" && r.Seq == 0 && r.At.IsZero() && len(r.Counts) == 0 && r.Hash == [32]byte{}
}

// Faces of strangers go; those of people with a name or to be ignored, and what
// is no face, stay. Several classes go in one erasure.
func TestExpireRules(t *testing.T) {
	db, now, _ := timed(t)
	ctx := t.Context()
	_, faces := put(t, db, "a", "1", 0, 200, 400, 600, 800)
	named, ignored, stranger := person(t, db, "Anna", faces[0]), person(t, db, "", faces[1]), person(t, db, "", faces[2])
	must(t, db.PutPeople(ctx, Assignment{People: []Person{{ID: ignored, Ignored: true}}}))
	id := must1[DecisionID](t)(db.Decide(ctx, Decision{Kind: DecisionNotAFace, Faces: []FaceRef{{sha("1"), faces[3].Box}}}, Assignment{}))
	must(t, db.PutPeople(ctx, Assignment{Faces: map[FaceID]Placed{faces[3].ID: {Reject: id}}}))
	gone, _ := put(t, db, "gone", "2", 0)
	must1[int](t)(db.MarkVanished(ctx, []PhotoID{gone.ID}))
	*now = start.Add(aDay)
	put(t, db, "young", "3", 0)
	r := must1[Receipt](t)(db.Expire(ctx, Cutoffs{ClassStrangers: start, ClassVanished: start, ClassAudit: start.Add(-aDay)}))
	if want := (Counts{ClassPhotos: 1, ClassFaces: 3, ClassTemplates: 3, ClassPeople: 1}); !maps.Equal(r.Counts, want) {
		t.Errorf("receipt %+v, want %v", r, want)
	}
	var left []FaceID
	for f, err := range db.Faces(ctx, FaceQuery{Photo: faces[0].Photo, Rejected: Include}) {
		must(t, err)
		left = append(left, f.ID)
	}
	if !slices.Equal(left, []FaceID{faces[0].ID, faces[1].ID, faces[3].ID}) {
		t.Errorf("%d faces are left: %v of %v", len(left), left, faces)
	}
	people := map[PersonID]bool{}
	for p, err := range db.People(ctx, PeopleQuery{Ignored: Include}) {
		must(t, err)
		people[p.ID] = true
	}
	if !people[named] || !people[ignored] || people[stranger] || len(people) != 2 {
		t.Errorf("people %v", people)
	}
	if got := boxesAt(t, db, "young"); len(got) != 1 {
		t.Errorf("the young photo has %d faces", len(got))
	}
	if p, _ := photoAt(t, db, "a"); p.Status != StatusOK {
		t.Errorf("the photo is %s: it would be looked at again", p.Status)
	}
	// There are no tombstones: who finds a face later finds it.
	put(t, db, "a", "1", 0, 200, 400, 600, 800)
	if got := boxesAt(t, db, "a"); !slices.Equal(got, []int{0, 200, 400, 800}) { // 600 is no face
		t.Errorf("found again: %v", got)
	}
}

// A photo that is looked at again does not become younger, unless it is
// another photo by then; one that is back is not missed.
func TestWhatAges(t *testing.T) {
	db, now, _ := timed(t)
	ctx := t.Context()
	p, _ := put(t, db, "a", "1", 0)
	since := func() [2]time.Duration {
		t.Helper()
		p := must1[Photo](t)(db.Photo(ctx, p.ID))
		out := [2]time.Duration{p.Added.Sub(start), -1}
		if !p.Vanished.IsZero() {
			out[1] = p.Vanished.Sub(start)
		}
		return out
	}
	for n, step := range []struct {
		name string
		do   func()
		want [2]time.Duration // added; vanished, -1: not
	}{
		{"recorded", func() {}, [2]time.Duration{0, -1}},
		{"again", func() { put(t, db, "a", "1", 0) }, [2]time.Duration{0, -1}},
		{"missed", func() { must1[int](t)(db.MarkVanished(ctx, []PhotoID{p.ID})) }, [2]time.Duration{0, 2 * time.Hour}},
		{"still missed", func() {
			if n := must1[int](t)(db.MarkVanished(ctx, []PhotoID{p.ID})); n != 0 {
				t.Errorf("%d more are missed", n)
			}
		}, [2]time.Duration{0, 2 * time.Hour}},
		{"touched", func() { must(t, db.TouchPhotos(ctx, []File{{ID: p.ID, ModTime: start}})) }, [2]time.Duration{0, -1}},
		{"missed again", func() { must1[int](t)(db.MarkVanished(ctx, []PhotoID{p.ID})) }, [2]time.Duration{0, 5 * time.Hour}},
		{"there again", func() { put(t, db, "a", "1", 0) }, [2]time.Duration{0, -1}},
		{"unreadable", func() {
			must(t, db.PutPhotos(ctx, "", []Analysis{{Photo: Photo{Path: "a", Status: StatusFailed, Stage: "read", Error: "no"}}}))
		}, [2]time.Duration{0, -1}},
		{"another photo", func() { put(t, db, "a", "2", 0) }, [2]time.Duration{8 * time.Hour, -1}},
		{"moved", func() {
			a := Analysis{Photo: okPhoto("b", "2")}
			a.Photo.ID = p.ID
			must(t, db.PutPhotos(ctx, testSpace, []Analysis{a}))
		}, [2]time.Duration{8 * time.Hour, -1}},
	} {
		*now = start.Add(time.Duration(n) * time.Hour)
		step.do()
		if got := since(); got != step.want {
			t.Errorf("%s: %v, want %v", step.name, got, step.want)
		}
	}
	// A clock that jumps back makes nothing old that is not, and nothing fails.
	*now = start.Add(-365 * aDay)
	if r := must1[Receipt](t)(db.Expire(ctx, Cutoffs{ClassFaces: now.Add(-aDay), ClassStrangers: now.Add(-aDay), ClassVanished: *now})); !isZero(r) {
		t.Errorf("receipt %+v", r)
	}
}

// An original is due once it was processed, until its host deleted it.
func TestOriginals(t *testing.T) {
	db, now, _ := timed(t)
	ctx := t.Context()
	b, _ := put(t, db, "b", "2")
	put(t, db, "a", "1", 0)
	must(t, db.PutPhotos(ctx, "", []Analysis{{Photo: Photo{Path: "c", Status: StatusPending}}, {Photo: Photo{Path: "d", Status: StatusFailed}}}))
	*now = start.Add(aDay)
	e, _ := put(t, db, "e", "3")
	due := func(before time.Time) (out []string) {
		t.Helper()
		for _, o := range must1[[]Original](t)(db.Originals(ctx, before)) {
			begun := "-"
			if !o.Begun.IsZero() {
				begun = o.Begun.Sub(start).String()
			}
			out = append(out, fmt.Sprint(o.Photo.Path, " ", begun, " ", o.Tries))
		}
		return out
	}
	expect := func(before time.Time, want ...string) {
		t.Helper()
		if got := due(before); !slices.Equal(got, want) {
			t.Errorf("due are %q, want %q", got, want)
		}
	}
	expect(start.Add(-time.Microsecond))
	expect(start, "a - 0", "b - 0")
	expect(*now, "a - 0", "b - 0", "e - 0")
	must(t, db.BeginDisposal(ctx, b.ID))
	expect(start, "a - 0", "b 24h0m0s 0")
	must(t, db.EndDisposal(ctx, b.ID, false))
	must(t, db.BeginDisposal(ctx, b.ID))
	must(t, db.EndDisposal(ctx, b.ID, false))
	expect(start, "a - 0", "b - 2")
	must(t, db.BeginDisposal(ctx, b.ID))
	must(t, db.EndDisposal(ctx, b.ID, true))
	expect(start, "a - 0")
	if p := must1[Photo](t)(db.Photo(ctx, b.ID)); !p.Disposed.Equal(*now) {
		t.Errorf("disposed of at %v", p.Disposed)
	}
	must1[int](t)(db.MarkVanished(ctx, []PhotoID{e.ID}))
	expect(*now, "a - 0")
	// A file that is there again is due again.
	must(t, db.TouchPhotos(ctx, []File{{ID: b.ID, ModTime: start}}))
	expect(start, "a - 0", "b - 0")
	if err := db.BeginDisposal(ctx, "unknown"); err == nil {
		t.Error("an unknown photo can be disposed of")
	}
	mustCheck(t, db)
}
