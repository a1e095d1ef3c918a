package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kith-photos/kith/face"
)

// layout says where the vectors lie: how many are in the tail, and then in
// each chunk.
func layout(t *testing.T, db *DB) string {
	t.Helper()
	var tail int
	must(t, db.read.QueryRow("SELECT count(*) FROM vectors").Scan(&tail))
	out := fmt.Sprint(tail)
	for _, faces := range column(t, db, "SELECT faces FROM chunks ORDER BY id") {
		out += fmt.Sprint(" ", len(strings.Split(faces, " ")))
	}
	return out
}

func column(t *testing.T, db *DB, query string) (all []string) {
	t.Helper()
	rows, err := db.read.Query(query)
	must(t, err)
	for rows.Next() {
		var s string
		must(t, rows.Scan(&s))
		all = append(all, s)
	}
	must(t, errors.Join(rows.Err(), rows.Close()))
	return all
}

func TestChunks(t *testing.T) {
	db := openAt(t, filepath.Join(t.TempDir(), "a.kith"), Options{Now: clock(), perChunk: 4})
	ctx := t.Context()
	must(t, db.PutSpace(ctx, Space{Name: testSpace, Dim: testDim}))
	must(t, db.PutSpace(ctx, Space{Name: "other", Dim: 2 * testDim}))
	other := func(path string) {
		f := faceAt(0)
		f.Vector = vector(2*testDim, 4711)
		must(t, db.PutPhotos(ctx, "other", []Analysis{{Photo: okPhoto(path, path), Faces: []face.Face{f}}}))
	}
	drop := func(paths ...string) {
		var ids []PhotoID
		for _, path := range paths {
			ids = append(ids, must1[Photo](t)(db.PhotoByPath(ctx, path)).ID)
		}
		must1[int](t)(db.DropPhotos(ctx, ids))
	}
	for _, step := range []struct {
		what string
		do   func()
		want string
	}{
		{"too few", func() { put(t, db, "a", "1", 0, 300, 600) }, "3"},
		{"another space's do not count", func() { other("x"); other("y") }, "5"},
		{"the fourth seals", func() { put(t, db, "b", "2", 0) }, "2 4"},
		{"and so on", func() { put(t, db, "c", "3", 0, 300, 600); put(t, db, "d", "4", 0, 300, 600) }, "4 4 4"},
		{"one transaction seals several", func() {
			must(t, db.PutPhotos(ctx, testSpace, []Analysis{
				{Photo: okPhoto("e", "5"), Faces: []face.Face{faceAt(0), faceAt(300), faceAt(600)}},
				{Photo: okPhoto("f", "6"), Faces: []face.Face{faceAt(0), faceAt(300), faceAt(600)}},
			}))
		}, "2 4 4 4 4"},
		{"one out of a chunk", func() { drop("b") }, "2 3 4 4 4"},
		{"one is left with three, one with half", func() { drop("d") }, "4 3 3 4"},
		{"replaced in the tail and in a chunk", func() { put(t, db, "e", "5", 0, 300, 600) }, "5 3 3 3"},
		{"what came loose is sealed again", func() { put(t, db, "g", "7", 0) }, "2 3 3 3 4"},
		{"the other space's fills", func() { other("z"); other("w"); other("v") }, "1 3 3 3 4 4"},
		{"all of it", func() { drop("a", "c", "e", "f", "g", "v", "w", "x", "y", "z") }, "0"},
	} {
		step.do()
		if got := layout(t, db); got != step.want {
			t.Errorf("%s: %s, want %s", step.what, got, step.want)
		}
		mustCheck(t, db)
	}
}

// What is said of a face reaches its sealed vector: a rejected one is not
// loaded, a copy and a moved photo have their own.
func TestSealedFaces(t *testing.T) {
	db := openAt(t, filepath.Join(t.TempDir(), "a.kith"), Options{Now: clock(), perChunk: 4})
	ctx := t.Context()
	must(t, db.PutSpace(ctx, Space{Name: testSpace, Dim: testDim}))
	p, faces := put(t, db, "a", "1", 0, 300, 600)
	put(t, db, "b", "2", 0)
	must(t, db.PutPhotos(ctx, "", []Analysis{{Photo: okPhoto("copy", "1"), CopyOf: p.ID}}))
	moved := Analysis{Photo: okPhoto("c", "1"), CopyOf: p.ID}
	moved.Photo.ID = p.ID
	must(t, db.PutPhotos(ctx, "", []Analysis{moved}))
	if got := layout(t, db); got != "3 4" {
		t.Errorf("the vectors lie as %s", got)
	}
	for _, path := range []string{"c", "copy"} {
		for x, f := range ids(t, db, path) {
			if v := must1[face.Vector](t)(db.Vector(ctx, f.ID)); !slices.Equal(v, vector(testDim, uint64(x))) {
				t.Errorf("%s: the face at %v has another vector", path, x)
			}
		}
	}
	load := func() int {
		e := must1[Embeddings](t)(db.Embeddings(ctx, testSpace))
		set := must1[VectorSet](t)(db.Vectors(ctx, testSpace))
		if len(e.IDs) != len(set.Faces) || len(e.Data) != len(set.Data) || len(e.Data) != testDim*len(e.IDs) {
			t.Fatalf("%d ids and %d numbers, %d faces and %d numbers", len(e.IDs), len(e.Data), len(set.Faces), len(set.Data))
		}
		for i, id := range e.IDs {
			if f := must1[Face](t)(db.Face(ctx, id)); f.Rejected != "" ||
				!slices.Equal(e.Data[i*testDim:(i+1)*testDim], vector(testDim, uint64(f.Box.X))) {
				t.Errorf("row %d is not the vector of %+v", i, f)
			}
		}
		return len(e.IDs)
	}
	if n := load(); n != 7 {
		t.Errorf("%d faces, want 7", n)
	}
	no := Assignment{Faces: map[FaceID]Placed{}}
	for _, f := range []Face{ids(t, db, "copy")[300], faces[0]} {
		no.Faces[f.ID] = Placed{Reject: "no"}
	}
	must1[DecisionID](t)(db.Decide(ctx, Decision{ID: "no", Kind: DecisionNotAFace}, no))
	if n := load(); n != 5 {
		t.Errorf("%d faces beside the rejected ones, want 5", n)
	}
	some := must1[map[FaceID]Face](t)(db.FacesByID(ctx, []FaceID{faces[0].ID, faces[1].ID, "unknown"}))
	if len(some) != 2 || some[faces[0].ID].Rejected != "no" || some[faces[1].ID] != must1[Face](t)(db.Face(ctx, faces[1].ID)) {
		t.Errorf("by id: %+v", some)
	}
	if some := must1[map[FaceID]Face](t)(db.FacesByID(ctx, nil)); len(some) != 0 {
		t.Errorf("by no id: %+v", some)
	}
}

// Vectors that leave a chunk leave no byte behind, neither in the chunk that
// is written anew nor in the pages of the one before.
func TestDropSealed(t *testing.T) {
	needsPlain(t)
	const dim, photos = 512, 40
	dir := t.TempDir()
	path := filepath.Join(dir, "a.kith")
	db := must1[*DB](t)(testOpen(t.Context(), path, Options{Now: clock(), perChunk: 8}))
	ctx := t.Context()
	must(t, db.PutSpace(ctx, Space{Name: testSpace, Dim: dim}))
	all := make([]Analysis, photos)
	for i := range all {
		f := faceAt(0)
		f.Vector = vector(dim, uint64(i))
		all[i] = Analysis{Photo: okPhoto(fmt.Sprint(i), fmt.Sprint(i)), Faces: []face.Face{f}}
	}
	must(t, db.PutPhotos(ctx, testSpace, all))
	mark := func(n int) marks {
		packed := packVector(vector(dim, uint64(n)))
		m := marks{"the id of " + fmt.Sprint(n): string(must1[Photo](t)(db.PhotoByPath(ctx, fmt.Sprint(n))).ID)}
		_, faces := photoAt(t, db, fmt.Sprint(n))
		m["the face id of "+fmt.Sprint(n)] = string(faces[0].ID)
		for _, at := range []int{0, 700, 4*dim - 32} {
			m[fmt.Sprintf("vector %d at %d", n, at)] = string(packed[at : at+32])
		}
		return m
	}
	gone, stay := marks{}, marks{}
	var drop []PhotoID
	for n := range photos {
		m := gone
		switch {
		case n%8 == 3, n/8 == 1, n/8 == 2 && n%8 < 5: // one of each chunk, a whole one, and most of one
			drop = append(drop, must1[Photo](t)(db.PhotoByPath(ctx, fmt.Sprint(n))).ID)
		default:
			m = stay
		}
		for what, mark := range mark(n) {
			m[what] = mark
		}
	}
	if found := gone.in(t, dir); len(found) < len(gone) {
		t.Fatalf("only %d of %d marks are found before: this test would say nothing", len(found), len(gone))
	}
	must1[int](t)(db.DropPhotos(ctx, drop))
	if got := layout(t, db); got != "3 7 7 7" {
		t.Errorf("the vectors lie as %s", got)
	}
	// Found again with another vector: the old one goes, too.
	for what, mark := range mark(39) {
		if strings.HasPrefix(what, "vector") {
			gone[what] = mark
			delete(stay, what)
		}
	}
	all[39].Faces[0].Vector = vector(dim, 4711)
	must(t, db.PutPhotos(ctx, testSpace, all[39:]))
	mustCheck(t, db)
	must(t, db.Close())
	if found := gone.in(t, dir); len(found) > 0 {
		t.Errorf("left behind: %q", found)
	}
	if found := stay.in(t, dir); len(found) < len(stay)*9/10 { // a mark that two pages share is not found
		t.Errorf("of %d marks only %d are left", len(stay), len(found))
	}
}
