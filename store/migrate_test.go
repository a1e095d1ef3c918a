package store

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

func migrations(files ...string) fstest.MapFS {
	m := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		m["schema/"+files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return m
}

func TestLoadSchema(t *testing.T) {
	for name, m := range map[string]fstest.MapFS{
		"none": {}, "a gap": migrations("0001_a.sql", "", "0003_c.sql", ""), "no first": migrations("0002_a.sql", ""),
		"twice": migrations("0001_a.sql", "", "0001_b.sql", ""), "stranger": migrations("0001_a.sql", "", "notes.txt", ""),
	} {
		if s, err := loadSchema(m, "schema"); err == nil {
			t.Errorf("%s: %q", name, s)
		}
	}
	s := must1[schema](t)(loadSchema(migrations("0002_b.sql", "second", "0001_a.sql", "first", "0010_j.sql", "x",
		"0003_c.sql", "x", "0004_c.sql", "x", "0005_c.sql", "x", "0006_c.sql", "x", "0007_c.sql", "x", "0008_c.sql", "x",
		"0009_c.sql", "x"), "schema"))
	if s.version() != 10 || s[0] != "first" || s[1] != "second" {
		t.Errorf("%q", s)
	}
	if s := must1[schema](t)(loadSchema(schemaFS, "schema")); s.version() < 1 {
		t.Error("the package has no schema")
	}
}

// next is the package's schema with more steps after it.
func next(t *testing.T, steps ...string) schema {
	t.Helper()
	return append(must1[schema](t)(loadSchema(schemaFS, "schema")), steps...)
}

func TestMigrate(t *testing.T) {
	needsPlain(t)
	path := filepath.Join(t.TempDir(), "a.kith")
	db := must1[*DB](t)(testOpen(t.Context(), path, Options{AccountID: "anna"}))
	must(t, db.PutSpace(t.Context(), Space{Name: testSpace, Dim: testDim}))
	p, _ := put(t, db, "a.jpg", "1", 0)
	must(t, db.Close())
	now := next(t).version()
	opt := Options{AccountID: "anna"}
	version := func() (v int) {
		pool := openSQL(path, readOnly, nil)
		defer func() { must(t, pool.Close()) }()
		must(t, pool.QueryRow("PRAGMA user_version").Scan(&v))
		return v
	}

	// A step that fails, by its text or by what it leaves behind, leaves the
	// version before it whole; the step before it stays.
	good := "ALTER TABLE photos ADD COLUMN stars INTEGER NOT NULL DEFAULT 3; UPDATE photos SET stars = 4;"
	for name, bad := range map[string]string{
		"syntax": "CREATE TABLE extra (x); CREATE TABLE;",
		"broken reference": `CREATE TABLE extra (face INTEGER REFERENCES faces (id) DEFERRABLE INITIALLY DEFERRED);
			INSERT INTO extra VALUES (4711);`,
	} {
		if db, err := open(t.Context(), path, opt, next(t, good, bad)); err == nil {
			t.Errorf("%s: the migration went through", name)
			must(t, db.Close())
		} else if !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v lacks the path", name, err)
		}
		if v := version(); v != now+1 {
			t.Errorf("%s: version %d, want %d", name, v, now+1)
		}
	}
	var tooOld *SchemaError
	if _, err := open(t.Context(), path, Options{ReadOnly: true}, next(t, good, "SELECT 1")); !errors.As(err, &tooOld) || tooOld.Have != now+1 {
		t.Errorf("an old schema, read-only: %v", err)
	}
	if _, err := testOpen(t.Context(), path, opt); !errors.As(err, &tooOld) || tooOld.Have != now+1 || tooOld.Want != now {
		t.Errorf("a newer schema: %v", err)
	}

	db = must1[*DB](t)(open(t.Context(), path, opt, next(t, good, "CREATE TABLE extra (x ANY) STRICT;")))
	defer func() { must(t, db.Close()) }()
	mustCheck(t, db)
	var stars int
	must(t, db.read.QueryRow("SELECT stars FROM photos WHERE uid = ? AND NOT EXISTS (SELECT 1 FROM extra)", string(p.ID)).Scan(&stars))
	if stars != 4 || version() != now+2 || db.AccountID() != "anna" {
		t.Errorf("after all steps: %d stars, version %d", stars, version())
	}
	if faces := collect(t, db.Faces(t.Context(), FaceQuery{})); len(faces) != 1 {
		t.Errorf("%d faces survived", len(faces))
	}
}
