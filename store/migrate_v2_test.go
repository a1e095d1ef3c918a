package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/kith-photos/kith/face"
)

// fromVersion2 makes an account of version 2 with n faces in each of two
// spaces, the first of so many numbers and the second of one, and returns the
// vectors by the ids of the faces.
func fromVersion2(t *testing.T, path string, n, dim int) map[FaceID]face.Vector {
	t.Helper()
	old := must1[schema](t)(loadSchema(schemaFS, "schema"))[:2]
	db := must1[*DB](t)(open(t.Context(), path, Options{AccountID: "anna", Now: clock()}, old))
	must(t, db.Close())
	pool := openSQL(path, readWrite, nil)
	defer func() { must(t, pool.Close()) }()
	exec := func(query string, args ...any) {
		t.Helper()
		if _, err := pool.Exec(query, args...); err != nil {
			t.Fatal(err)
		}
	}
	exec(`INSERT INTO photos VALUES (1, 'photo', 'a.jpg', 1, 0, 0, zeroblob(32), 400, 300, 1, 'ok', '', '', '',
		'wide', NULL, 0, 'none', NULL, NULL, NULL, '', '')`)
	exec("INSERT INTO spaces VALUES (1, 'wide', ?, '{}'), (2, 'narrow', 1, '{}')", dim)
	exec("INSERT INTO settings VALUES ('grouped', 'as it was'), ('folder', 'photos')")
	all := map[FaceID]face.Vector{}
	for i := range 2 * n {
		v, space := face.Vector{1}, 2
		if i%2 == 0 {
			v, space = vector(dim, uint64(i)), 1
		}
		id := FaceID(newUID())
		exec("INSERT INTO faces VALUES (?, ?, 1, ?, 0, 9, 9, zeroblob(80), 0.9, 0.5, 'test', NULL, '', NULL)", i+1, string(id), i)
		exec("INSERT INTO vectors VALUES (?, ?, ?)", i+1, space, packVector(v))
		all[id] = v
	}
	return all
}

func TestMigrateVersion2(t *testing.T) {
	needsPlain(t)
	path := filepath.Join(t.TempDir(), "a.kith")
	const dim = 4096 // 32 make a chunk
	all := fromVersion2(t, path, 75, dim)
	for range 2 {
		db := must1[*DB](t)(testOpen(t.Context(), path, Options{AccountID: "anna"}))
		mustCheck(t, db)
		if got := layout(t, db); got != fmt.Sprint(75-64+75, " 32 32") {
			t.Errorf("the vectors lie as %s", got)
		}
		for id, want := range all {
			if v := must1[face.Vector](t)(db.Vector(t.Context(), id)); !slices.Equal(v, want) {
				t.Errorf("face %s has another vector", id)
			}
		}
		about, current, err := db.Grouping(t.Context())
		if about != "as it was" || current || err != nil {
			t.Errorf("grouping %q, current: %v, %v", about, current, err)
		}
		for key, want := range map[string]string{"grouped": "", "folder": "photos"} {
			if v := must1[string](t)(db.Setting(t.Context(), key)); v != want {
				t.Errorf("setting %s is %q", key, v)
			}
		}
		must(t, db.Close())
	}
	// What the rows held is nowhere else in the file.
	data := must1[[]byte](t)(os.ReadFile(path))
	for id, v := range all {
		if n := bytes.Count(data, packVector(v)[:min(64, 4*len(v))]); len(v) == dim && n > 1 {
			t.Errorf("the vector of face %s is there %d times", id, n)
		}
	}
}

// A file whose vectors cannot be sealed keeps its version.
func TestMigrateDamagedVector(t *testing.T) {
	needsPlain(t)
	path := filepath.Join(t.TempDir(), "a.kith")
	fromVersion2(t, path, 40, 4096)
	rawExec(t, path, "UPDATE vectors SET v = x'0000803f' WHERE face = 3")
	_, err := testOpen(t.Context(), path, Options{})
	var corrupt *CorruptError
	if !errors.As(err, &corrupt) || corrupt.Path != path {
		t.Errorf("got %v", err)
	}
	pool := openSQL(path, readOnly, nil)
	defer func() { must(t, pool.Close()) }()
	var version, rows int
	must(t, pool.QueryRow("SELECT user_version, (SELECT count(*) FROM vectors) FROM pragma_user_version").Scan(&version, &rows))
	if version != 2 || rows != 80 {
		t.Errorf("version %d with %d rows", version, rows)
	}
}
