package store

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/kith-photos/kith/face"
)

// again is what a run finds on a photo of the cast that it looks at once more:
// each face, moved by so many pixels.
func (c *cast) again(photo string, moved float64, who ...string) Analysis {
	p := c.photo(photo)
	p.ID, p.Status, p.Analyzer = "", StatusOK, testSpace
	a := Analysis{Photo: p}
	for _, w := range who {
		f := c.at(w, photo)
		found := faceAt(0)
		found.Box = f.Box
		found.Box.X += moved
		a.Faces = append(a.Faces, found)
	}
	return a
}

// boxesAt are the left edges of the faces of a photo, as whole pixels.
func boxesAt(t *testing.T, db *DB, path string) (xs []int) {
	t.Helper()
	_, faces := photoAt(t, db, path)
	for _, f := range faces {
		xs = append(xs, int(f.Box.X))
	}
	return xs
}

// sealedOrNot runs a test on a plain account and on a sealed one.
func sealedOrNot(t *testing.T, f func(t *testing.T, keys KeyProvider)) {
	needsOnce(t)
	t.Run("plain", func(t *testing.T) { f(t, nil) })
	t.Run("sealed", func(t *testing.T) { f(t, fixedKeys{}) })
}

// The faces of somebody who was erased stay away, by whatever way a run comes
// upon them; the face beside them does not.
func TestErasedFacesStayAway(t *testing.T) {
	sealedOrNot(t, func(t *testing.T, keys KeyProvider) {
		c, _ := castAt(t, Options{perChunk: castPerChunk, Keys: keys})
		ctx, db, a := t.Context(), c.db, c.photo("a")
		r := must1[Receipt](t)(db.ErasePerson(ctx, c.people["anna"], "erase person"))
		put := func(path string, an Analysis) {
			t.Helper()
			if path != "" {
				an.Photo.Path = path
			}
			must(t, db.PutPhotos(ctx, testSpace, []Analysis{an}))
			want := []int{300}
			if an.Photo.Status == StatusOK {
				if got := boxesAt(t, db, an.Photo.Path); !slices.Equal(got, want) {
					t.Errorf("%s: faces at %v, want %v", an.Photo.Path, got, want)
				}
			}
		}
		put("", c.again("a", 0, "anna", "nobody"))
		for _, moved := range []float64{0.25, 10, 30} { // the last one: IoU 0.54
			an := c.again("a", 0, "anna", "nobody")
			an.Faces[0].Box.X += moved
			put("", an)
			put(fmt.Sprintf("another path %v.jpg", moved), an)
		}
		moved := c.again("a", 0, "anna", "nobody")
		moved.Photo.ID = c.photos["Pathmark-copy.jpg"].ID
		put("moved.jpg", moved)
		copied := c.again("a", 0)
		copied.CopyOf = a.ID
		put("copied.jpg", copied)
		for _, status := range []Status{StatusFailed, StatusPending} {
			broken := c.again("a", 0)
			broken.Photo.Status, broken.Photo.Stage, broken.Photo.Error = status, "decode", "for now"
			put("", broken)
			put(string(status)+" at first.jpg", broken)
			put("", c.again("a", 0, "anna", "nobody"))
			put(string(status)+" at first.jpg", c.again("a", 0, "anna", "nobody"))
		}
		unread := Analysis{Photo: Photo{Path: a.Path, Status: StatusFailed, Stage: "read", Error: "no permission"}}
		must(t, db.PutPhotos(ctx, "", []Analysis{unread}))
		put("", c.again("a", 0, "anna", "nobody"))
		// Without the face there is nothing to leave out.
		put("", c.again("a", 0, "nobody"))

		// What it is about is the content, not the path.
		other := c.again("a", 0, "anna", "nobody")
		other.Photo.SHA256 = sha("something else")
		must(t, db.PutPhotos(ctx, testSpace, []Analysis{other}))
		if got := boxesAt(t, db, a.Path); !slices.Equal(got, []int{0, 300}) {
			t.Errorf("another content under that path: faces at %v", got)
		}

		e := must1[AuditEntry](t)(db.Readmit(ctx, r.ID))
		if e.Action != "readmit" || e.Seq <= r.Seq {
			t.Errorf("entry %+v", e)
		}
		must(t, db.PutPhotos(ctx, testSpace, []Analysis{c.again("a", 0, "anna", "nobody")}))
		if got := boxesAt(t, db, a.Path); !slices.Equal(got, []int{0, 300}) {
			t.Errorf("readmitted: faces at %v", got)
		}
		for _, id := range []string{r.ID, "", "unknown"} {
			if _, err := db.Readmit(ctx, id); !errors.Is(err, ErrNotFound) {
				t.Errorf("readmit %q: %v, want ErrNotFound", id, err)
			}
		}
		mustCheck(t, db)
	})
}

// A photo that lies there twice leaves two tombstones of one box; they must
// not take a second face with them.
func TestErasedFaceOfCopies(t *testing.T) {
	db := newDB(t)
	beside := func() []face.Face { return []face.Face{faceAt(0), faceAt(38)} } // IoU 0.45
	for _, path := range []string{"a.jpg", "b.jpg"} {
		must(t, db.PutPhotos(t.Context(), testSpace, []Analysis{{Photo: okPhoto(path, "1"), Faces: beside()}}))
	}
	_, onA := photoAt(t, db, "a.jpg")
	_, onB := photoAt(t, db, "b.jpg")
	anna := person(t, db, "Anna", onA[0], onB[0])
	must1[Receipt](t)(db.ErasePerson(t.Context(), anna, "erase person"))
	must(t, db.PutPhotos(t.Context(), testSpace, []Analysis{{Photo: okPhoto("a.jpg", "1"), Faces: beside()}}))
	if got := boxesAt(t, db, "a.jpg"); !slices.Equal(got, []int{38}) {
		t.Errorf("faces at %v, want the neighbour at 38", got)
	}
}

// Two erasures can be taken back one by one.
func TestReadmitOneOfTwo(t *testing.T) {
	db := newDB(t)
	_, faces := put(t, db, "a.jpg", "1", 0, 300)
	anna, bert := person(t, db, "Anna", faces[0]), person(t, db, "Bert", faces[1])
	must1[Receipt](t)(db.ErasePerson(t.Context(), anna, "erase person"))
	r := must1[Receipt](t)(db.ErasePerson(t.Context(), bert, "erase person"))
	must1[AuditEntry](t)(db.Readmit(t.Context(), r.ID))
	put(t, db, "a.jpg", "1", 0, 300)
	if got := boxesAt(t, db, "a.jpg"); !slices.Equal(got, []int{300}) {
		t.Errorf("faces at %v, want Bert's alone", got)
	}
}

// A photo that was erased is not recorded again as long as its file is there.
func TestErasedPhotosStayAway(t *testing.T) {
	sealedOrNot(t, func(t *testing.T, keys KeyProvider) {
		c, _ := castAt(t, Options{perChunk: castPerChunk, Keys: keys})
		ctx, db, b := t.Context(), c.db, c.photo("b")
		r := must1[Receipt](t)(db.ErasePhotos(ctx, b.ID))
		paths := func() (all []string) {
			for f, err := range db.Files(ctx) {
				must(t, err)
				all = append(all, f.Path)
			}
			slices.Sort(all)
			return all
		}
		want := paths()
		if tombs := must1[*Tombstones](t)(db.Tombstones(ctx)); !tombs.Photo(b.SHA256) || tombs.Photo(c.photo("a").SHA256) {
			t.Error("the tombstones say otherwise")
		}
		an := c.again("b", 0)
		an.Faces = []face.Face{faceAt(0), faceAt(300)}
		for _, path := range []string{b.Path, "elsewhere.jpg"} {
			for _, status := range []Status{StatusOK, StatusPending, StatusFailed} {
				try := an
				try.Photo.Path, try.Photo.Status = path, status
				if status != StatusOK {
					try.Faces = nil
				}
				must(t, db.PutPhotos(ctx, testSpace, []Analysis{try}))
				if got := paths(); !slices.Equal(got, want) {
					t.Errorf("%s as %s: files %q, want %q", status, path, got, want)
				}
			}
		}
		// What becomes of a known photo whose file is now the erased one: by
		// its path, and by a move.
		for _, move := range []bool{false, true} {
			try, victim := an, c.photo(map[bool]string{false: "d", true: "e"}[move])
			try.Photo.Path = victim.Path
			if move {
				try.Photo.ID, try.Photo.Path = victim.ID, "moved.jpg"
			}
			must(t, db.PutPhotos(ctx, testSpace, []Analysis{try}))
			want = slices.DeleteFunc(want, func(p string) bool { return p == victim.Path })
			if got := paths(); !slices.Equal(got, want) {
				t.Errorf("in place of %s: files %q, want %q", victim.Path, got, want)
			}
		}
		mustCheck(t, db)
		must1[AuditEntry](t)(db.Readmit(ctx, r.ID))
		must(t, db.PutPhotos(ctx, testSpace, []Analysis{an}))
		if got := boxesAt(t, db, b.Path); !slices.Equal(got, []int{0, 300}) {
			t.Errorf("readmitted: faces at %v", got)
		}
	})
}

// Tombstones are there after the account is sealed, biometrics are erased,
// and the file is opened again; who reads them learns no content.
func TestTombstonesLast(t *testing.T) {
	needsPlain(t)
	c, dir := castAt(t, Options{perChunk: castPerChunk})
	ctx := t.Context()
	must1[Receipt](t)(c.db.ErasePerson(ctx, c.people["anna"], "erase person"))
	must1[Receipt](t)(c.db.ErasePhotos(ctx, c.photo("b").ID))
	must1[Receipt](t)(c.db.EraseBiometrics(ctx, false))
	erased := sha("content of Pathmark-b.jpg")
	if found := (marks{"content": string(erased[:])}).in(t, dir); len(found) > 0 {
		t.Errorf("the tombstone tells the content: %q", found)
	}
	must(t, c.db.Close())
	for _, keys := range []KeyProvider{nil, fixedKeys{}, fixedKeys{}} {
		db := must1[*DB](t)(Open(ctx, c.db.path, Options{Keys: keys}))
		must(t, db.PutSpace(ctx, Space{Name: testSpace, Dim: testDim}))
		again := c.again("a", 0, "anna", "nobody")
		must(t, db.PutPhotos(ctx, testSpace, []Analysis{again, {Photo: okPhoto("b again.jpg", "content of Pathmark-b.jpg")}}))
		if got := boxesAt(t, db, c.photo("a").Path); !slices.Equal(got, []int{300}) {
			t.Errorf("faces at %v", got)
		}
		if _, err := db.PhotoByPath(ctx, "b again.jpg"); !errors.Is(err, ErrNotFound) {
			t.Errorf("the erased photo: %v, want ErrNotFound", err)
		}
		must(t, db.Close())
	}
}
