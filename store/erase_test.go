package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kith-photos/kith/face"
)

// marks are byte strings that must not be found once they are erased.
type marks map[string]string

func (m marks) float64(what string, v float64) {
	m[what] = string(binary.LittleEndian.AppendUint64(nil, math.Float64bits(v)))
	m[what+" in SQLite's order"] = string(binary.BigEndian.AppendUint64(nil, math.Float64bits(v)))
}

// in lists which marks the files of a folder hold.
func (m marks) in(t *testing.T, dir string) (found []string) {
	t.Helper()
	for name, data := range snapshotDir(t, dir) {
		for what, mark := range m {
			if strings.Contains(data, mark) {
				found = append(found, what+" in "+name)
			}
		}
	}
	return found
}

// fillErasable fills an account with values that can be recognised among its
// bytes.
func fillErasable(t *testing.T, db *DB) marks {
	t.Helper()
	const dim = 512
	must(t, db.PutSpace(t.Context(), Space{Name: "erasable-space", Dim: dim}))
	m := marks{"the name": "Erasmia Erasable", "the old name": "Oldrich Erasable", "the detector": "erasable-detector"}
	for n := range 40 {
		f := face.Face{
			Box: face.Box{X: 1234.5678 + float64(n), Y: 10, W: 100, H: 100}, Score: 0.123456789,
			Detector: "erasable-detector", Vector: vector(dim, uint64(n)),
		}
		f.Landmarks[2].X = 4321.8765
		p := okPhoto(fmt.Sprintf("%d.jpg", n), fmt.Sprint(n))
		p.Analyzer = "erasable-space"
		must(t, db.PutPhotos(t.Context(), "erasable-space", []Analysis{{Photo: p, Faces: []face.Face{f}}}))
		m[fmt.Sprintf("vector %d", n)] = string(packVector(f.Vector)[100:132])
		m.float64(fmt.Sprintf("box %d", n), f.Box.X)
	}
	m.float64("the landmark", 4321.8765)
	m.float64("the score", 0.123456789)
	_, faces := photoAt(t, db, "0.jpg")
	anna := person(t, db, "Erasmia Erasable", faces...)
	must1[DecisionID](t)(db.Decide(t.Context(), Decision{
		Kind: DecisionName, Person: anna, Name: "Erasmia Erasable", OldName: "Oldrich Erasable",
		Faces: []FaceRef{{sha("0"), faces[0].Box}},
	}, Assignment{}))
	m["the person's id"], m["a face's id"] = string(anna), string(faces[0].ID)
	// What was overwritten or deleted before must go as well.
	_, faces = photoAt(t, db, "1.jpg")
	person(t, db, "Vanessa Vanished", faces...)
	m["a name of before"] = "Vanessa Vanished"
	must(t, db.PutPeople(t.Context(), Assignment{People: []Person{{ID: must1[Face](t)(db.Face(t.Context(), faces[0].ID)).Person}}}))
	_, faces = photoAt(t, db, "2.jpg")
	must1[int](t)(db.DropPhotos(t.Context(), []PhotoID{faces[0].Photo}))
	return m
}

func TestEraseBiometrics(t *testing.T) {
	needsPlain(t)
	for name, perChunk := range map[string]int{"in rows": 0, "in chunks": 7} {
		t.Run(name, func(t *testing.T) { testErase(t, perChunk) })
	}
}

func testErase(t *testing.T, perChunk int) {
	dir := t.TempDir()
	db := openAt(t, filepath.Join(dir, "a.kith"), Options{Now: clock(), perChunk: perChunk})
	ctx := t.Context()
	must(t, db.SetSetting(ctx, "folder", "photos"))
	must(t, db.PutConsent(ctx, Consent{Given: true, By: "anna"}))
	must(t, db.PutPhotos(ctx, "", []Analysis{{Photo: Photo{Path: "broken.jpg", Status: StatusFailed, Stage: "decode", Error: "broken"}}}))
	m := fillErasable(t, db)
	if found := m.in(t, dir); len(found) < len(m)/2 {
		t.Fatalf("only %d of %d marks are found before: this test would say nothing", len(found), len(m))
	}
	if n := must1[Receipt](t)(db.EraseBiometrics(ctx, false)).Counts[ClassFaces]; n != 39 {
		t.Errorf("%d faces erased, want 39", n)
	}
	if found := m.in(t, dir); len(found) > 0 {
		t.Errorf("while open: %q", found)
	}
	var free int
	if must(t, db.read.QueryRow("PRAGMA freelist_count").Scan(&free)); free != 0 {
		t.Errorf("%d pages of the file are unused", free)
	}
	photos := collect(t, db.Photos(ctx, PhotoQuery{Status: StatusPending}))
	if len(photos) != 39 || photos[0].Analyzer != "" || photos[0].GPS == nil || photos[0].SHA256 != sha("0") {
		t.Errorf("%d photos are pending, the first %+v", len(photos), photos[0])
	}
	if p := must1[Photo](t)(db.PhotoByPath(ctx, "broken.jpg")); p.Status != StatusFailed {
		t.Errorf("the broken photo: %+v", p)
	}
	left := len(collect(t, db.Faces(ctx, FaceQuery{}))) + len(collect(t, db.People(ctx, PeopleQuery{}))) +
		len(collect(t, db.Decisions(ctx))) + len(must1[[]Space](t)(db.Spaces(ctx)))
	if left != 0 {
		t.Errorf("%d rows are left", left)
	}
	if v := must1[string](t)(db.Setting(ctx, "folder")); v != "photos" || !must1[Consent](t)(db.Consent(ctx)).Given {
		t.Errorf("setting %q or the consent went as well", v)
	}
	if n := must1[Receipt](t)(db.EraseBiometrics(ctx, false)).Counts[ClassFaces]; n != 0 {
		t.Errorf("%d faces erased of none", n)
	}
	must(t, db.PutSpace(ctx, Space{Name: testSpace, Dim: testDim}))
	put(t, db, "new.jpg", "new", 0)
	mustCheck(t, db)
	must(t, db.Close())
	if found := m.in(t, dir); len(found) > 0 {
		t.Errorf("after Close: %q", found)
	}
}

// A reader holds the state before the erasure: it must see it to its end, and
// the caller must learn that the bytes are still there.
func TestEraseBesideReader(t *testing.T) {
	needsPlain(t)
	dir := t.TempDir()
	db := openAt(t, filepath.Join(dir, "a.kith"), Options{Now: clock(), perChunk: 7})
	m := fillErasable(t, db)
	if _, err := db.write.Exec("PRAGMA busy_timeout = 50"); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, err := range db.Faces(t.Context(), FaceQuery{}) {
		must(t, err)
		if seen == 0 {
			if r, err := db.EraseBiometrics(t.Context(), false); !errors.Is(err, ErrBusy) || r.Counts[ClassFaces] != 39 {
				t.Errorf("beside a reader: %+v, %v, want ErrBusy", r, err)
			}
		}
		seen++
	}
	if seen != 39 {
		t.Errorf("the reader saw %d faces of its snapshot", seen)
	}
	if n := must1[Receipt](t)(db.EraseBiometrics(t.Context(), false)).Counts[ClassFaces]; n != 0 {
		t.Errorf("%d faces erased the second time", n)
	}
	if found := m.in(t, dir); len(found) > 0 {
		t.Errorf("after the second time: %q", found)
	}
}
