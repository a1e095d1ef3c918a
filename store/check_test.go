package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every rule of Check must find the fault that it is for.
func TestCheckFinds(t *testing.T) {
	needsPlain(t)
	nan := fmt.Sprintf("x'%x'", packVector([]float32{float32(math.NaN()), 0, 0, 0, 0, 0, 0, 0}))
	for _, c := range []struct{ name, damage, want string }{
		{"status", "UPDATE photos SET status = 'maybe'", "unknown status"},
		{"ok without analyzer", "UPDATE photos SET analyzer = ''", "nothing looked"},
		{"pending with analyzer", "UPDATE photos SET status = 'pending'", "looked at"},
		{"path with NUL", "UPDATE photos SET path = char(0) || 'x'", "no path"},
		{"SHA-256", "UPDATE photos SET sha256 = x'00'", "SHA-256"},
		{"landmarks", "UPDATE faces SET landmarks = x'00'", "landmarks"},
		{"infinite box", "UPDATE faces SET w = 9e999", "not finite"},
		{"origin without person", "UPDATE faces SET person = NULL WHERE origin <> ''", "for a reason"},
		{"half a position", "UPDATE photos SET lon = NULL", "half a position"},
		{"unknown origin", "UPDATE faces SET origin = 'x'", "unknown origin"},
		{"face of nobody", "UPDATE faces SET person = 4711", "row of people that is missing"},
		{"vector of nothing", "UPDATE vectors SET face = 4711", "row of faces that is missing"},
		{"short vector", "UPDATE vectors SET v = x'0000803f'", "does not fit its space"},
		{"vector not unit", "UPDATE vectors SET v = zeroblob(32)", "length 0"},
		{"vector NaN", "UPDATE vectors SET v = " + nan, "length NaN"},
		{"foreign cover", "UPDATE people SET cover = 2", "somebody else"},
		{"chosen cover that is missing", "UPDATE people SET chosen = 1, cover = NULL", "chosen cover"},
		{"rejected by nothing", "UPDATE faces SET rejected = 'x' WHERE id = 2", "does not say so"},
		{"rejected by a name", "UPDATE faces SET rejected = (SELECT uid FROM decisions) WHERE id = 2", "does not say so"},
		{"rejected and with somebody", "UPDATE faces SET rejected = (SELECT uid FROM decisions)", "and no face"},
		{"revoked nowhere", "UPDATE decisions SET revoked = 1", "no place in the ledger"},
		{"revoked before it was made", "UPDATE decisions SET revoked = 1, revoked_after = 0", "no place in the ledger"},
		{"holders", "UPDATE decisions SET before = '['", "holders"},
		{"holder of no face", "UPDATE decisions SET before = '[{\"faces\":[0]}]'", "beyond the 0"},
		{"references", "UPDATE decisions SET faces = x'00'", "face references of 1 bytes"},
		{"infinite reference", "UPDATE decisions SET others = x'" + strings.Repeat("ff", refSize) + "'", "not finite"},
		{"impostors", "UPDATE spaces SET impostors = '{'", "impostors"},
		{"no account", "DELETE FROM account", "one account"},
		{"chunk of another length", "UPDATE chunks SET v = CAST(v || x'00000000' AS BLOB)", "100 bytes of vectors for 3 faces"},
		{"chunk without a vector", "UPDATE chunks SET v = x''", "0 bytes of vectors for 3 faces"},
		{"chunk of another dimension", "UPDATE chunks SET v = CAST(v || v AS BLOB)", "vectors of 64 bytes in a space of dimension 8"},
		{"chunk of no space", "UPDATE chunks SET space = 4711", "row of spaces that is missing"},
		{"sealed vector not unit", "UPDATE chunks SET v = zeroblob(96)", "length 0"},
		{"sealed vector of nothing", "UPDATE chunks SET faces = '0' || substr(faces, 2)", "which is no face"},
		{"sealed twice", "UPDATE chunks SET faces = substr(faces, 28, 27) || substr(faces, 28)", "twice there"},
		{"slot without a vector", "INSERT INTO slots SELECT face, (SELECT id FROM chunks) FROM vectors; DELETE FROM vectors", "but no vector"},
		{"slot of nothing", "UPDATE slots SET face = 4711 WHERE face = 1", "row of faces that is missing"},
		{"slot without a chunk", "UPDATE slots SET chunk = 4711", "row of chunks that is missing"},
		{"vector without a slot", "DELETE FROM slots WHERE face = 1", "which is no face"},
		{"two vectors of a face", "INSERT INTO vectors SELECT 1, space, v FROM vectors", "has two vectors"},
		{"grouping that is no mark", "INSERT INTO grouping VALUES (1, '', 2)", "neither current nor not"},
		{"lost index entry", "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE INDEX faces_photo ON faces (person)' WHERE name = 'faces_photo'", "faces_photo"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.kith")
			db := must1[*DB](t)(testOpen(t.Context(), path, Options{perChunk: 3}))
			must(t, db.PutSpace(t.Context(), Space{Name: testSpace, Dim: testDim}))
			_, faces := put(t, db, "a", "1", 0, 300, 600, 900) // three are sealed
			anna := person(t, db, "Anna", faces[0])
			must1[DecisionID](t)(db.Decide(t.Context(), Decision{Kind: DecisionName, Person: anna}, Assignment{}))
			mustCheck(t, db)
			must(t, db.Close())
			rawExec(t, path, "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; "+c.damage)

			db = &DB{path: path, read: openSQL(path, readOnly, nil), writing: make(chan struct{}, 1)} // Open would refuse some of them
			var found []string
			for err := range db.Check(t.Context()) {
				var corrupt *CorruptError
				if !errors.As(err, &corrupt) || corrupt.Path != path {
					t.Errorf("%v is no CorruptError of the file", err)
				}
				found = append(found, err.Error())
			}
			if !strings.Contains(strings.Join(found, "\n"), c.want) {
				t.Errorf("found %q, want %q among it", found, c.want)
			}
			for err := range db.Check(t.Context()) { // a caller may stop
				_ = err
				break
			}
			must(t, db.Close())
		})
	}
}

// No memory is taken for vectors that the file only claims to hold.
func TestVectorsDistrustDimension(t *testing.T) {
	needsPlain(t)
	path := filepath.Join(t.TempDir(), "a.kith")
	db := must1[*DB](t)(testOpen(t.Context(), path, Options{}))
	must(t, db.PutSpace(t.Context(), Space{Name: testSpace, Dim: testDim}))
	put(t, db, "a", "1", 0, 300)
	must(t, db.Close())
	for dim, want := range map[int]string{maxDim: "holds 64 bytes, which are no vectors of 65536", maxDim + 1: "dimension 65537", -8: "dimension -8"} {
		rawExec(t, path, "PRAGMA ignore_check_constraints = ON; UPDATE spaces SET dim = "+fmt.Sprint(dim))
		db = &DB{path: path, read: openSQL(path, readOnly, nil)}
		_, err := db.Vectors(t.Context(), testSpace)
		var corrupt *CorruptError
		if !errors.As(err, &corrupt) || !strings.Contains(corrupt.Detail, want) {
			t.Errorf("dimension %d: %v, want %q", dim, err, want)
		}
		must(t, db.read.Close())
	}
}

// Bytes changed anywhere in the file end in an error or go unnoticed, but
// never in a panic, and a refusal changes nothing.
func TestDamagedAnywhere(t *testing.T) {
	alone(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "a.kith")
	db := must1[*DB](t)(testOpen(t.Context(), path, Options{}))
	must(t, db.PutSpace(t.Context(), Space{Name: testSpace, Dim: testDim}))
	for i := range 30 {
		_, faces := put(t, db, fmt.Sprint(i), fmt.Sprint(i), 0, 300)
		person(t, db, "somebody", faces...)
	}
	must(t, db.Close())
	whole := must1[[]byte](t)(os.ReadFile(path))
	r := rand.New(rand.NewPCG(1, 2))
	refused := 0
	for range 150 {
		data := append([]byte(nil), whole...)
		for range 1 + r.IntN(40) {
			data[r.IntN(len(data))] = byte(r.Uint32())
		}
		must(t, os.WriteFile(path, data, 0o600))
		db, err := testOpen(t.Context(), path, Options{})
		if err != nil {
			refused++
			var corrupt *CorruptError
			var foreign *NotAccountError
			var schemaErr *SchemaError
			if !errors.As(err, &corrupt) && !errors.As(err, &foreign) && !errors.As(err, &schemaErr) {
				t.Errorf("refused for another reason: %v", err)
			}
			if after := must1[[]byte](t)(os.ReadFile(path)); string(after) != string(data) {
				t.Error("a refused file changed")
			}
			continue
		}
		useEverything(t.Context(), db)
		_ = db.Close()
	}
	if refused < 20 {
		t.Errorf("only %d of 150 damaged files were refused", refused)
	}
}

// useEverything calls what reads; only a panic would be wrong.
func useEverything(ctx context.Context, db *DB) {
	for err := range db.Check(ctx) {
		_ = err.Error()
	}
	for p, err := range db.Photos(ctx, PhotoQuery{}) {
		if err == nil {
			_, _ = db.Photo(ctx, p.ID)
		}
	}
	for f, err := range db.Faces(ctx, FaceQuery{}) {
		if err == nil {
			_, _ = db.Vector(ctx, f.ID)
		}
	}
	for p, err := range db.People(ctx, PeopleQuery{}) {
		if err == nil {
			_, _ = db.Person(ctx, p.ID)
		}
	}
	_, _ = db.Vectors(ctx, testSpace)
	_, _ = db.EraseBiometrics(ctx, false)
}
