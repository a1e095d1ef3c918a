package store

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sealedColumns are all of them, with the rows of the cast that tests change
// and take from. A text is base64 in the file.
var sealedColumns = []struct {
	name       string // as errors have it
	table, col string
	text       bool
	row, other string // conditions
}{
	{"photos.sealed", "photos", "sealed", false, "id = 1", "id = 2"},
	{"photos.original", "photos", "original", true, "id = 2", "id = 3"},
	{"faces.landmarks", "faces", "sealed", false, "id = 1", "id = 4"},
	{"vectors.v", "vectors", "v", false, lastOf("vectors", "face", 0), lastOf("vectors", "face", 1)},
	{"chunks.v", "chunks", "v", false, lastOf("chunks", "id", 0), lastOf("chunks", "id", 1)},
	{"decisions.name", "decisions", "name", true, "seq = 1", "seq = 2"},
	{"decisions.old_name", "decisions", "old_name", true, "seq = 2", "seq = 4"},
	{"decisions.faces", "decisions", "faces", false, "seq = 1", "seq = 2"},
	{"decisions.others", "decisions", "others", false, "seq = 5", "seq = 7"},
	{"decisions.value", "decisions", "value", true, "kind = 'time'", "kind = 'place'"},
	{"consent.by", "consent", "by", true, "seq = 1", "seq = 2"},
	{"consent.version", "consent", "version", true, "seq = 1", "seq = 2"},
	{"consent.means", "consent", "means", true, "seq = 1", "seq = 2"},
	{"people.name", "people", "name", true, lastOf("people WHERE name <> ''", "uid", 0), lastOf("people WHERE name <> ''", "uid", 1)},
	{"settings.value", "settings", "value", true, "key = 'folder'", "key = 'second'"},
	{"products.name", "products", "name", true, lastOf("products", "uid", 0), lastOf("products", "uid", 1)},
	{"photos.more", "photos", "more", true, "id = 1", "id = 2"},
	{"cameras.value", "cameras", "value", true, "id = 1", "id = 2"},
	{"cells.value", "cells", "value", true, "id = 1", "id = 2"},
	{"places.value", "places", "value", true, "id = 1", "id = 2"},
	{"moments.value", "moments", "value", true, "id = 1", "id = 2"},
	{"shots.spot", "shots", "spot", true, "photo = 1", "photo = 2"},
	{"friends.label", "friends", "label", true, "id = 1", "id = 2"},
	{"friends.secret", "friends", "secret", false, "id = 1", "id = 2"},
	{"rounds.value", "rounds", "value", false, "id = 1", "id = 2"},
	{"outbox.message", "outbox", "message", false, "id = 1", "id = 2"},
	{"offers.value", "offers", "value", true, "id = 1", "id = 2"},
	{"choices.value", "choices", "value", true, "id = 1", "id = 2"},
	{"account.salt", "account", "salt", false, "id = 1", ""},
}

// lastOf is the n-th row of a table from its end, in the order of a column.
func lastOf(table, col string, n int) string {
	return fmt.Sprintf("%s = (SELECT %s FROM %s ORDER BY %s DESC LIMIT 1 OFFSET %d)", col, col, table, col, n)
}

// sealedTwins are one account in two files that differ in nothing but the
// account's id, and have one data key.
func sealedTwins(t *testing.T) (c *cast, want map[string]string, path, twin string) {
	t.Helper()
	c, dir := castAt(t, Options{perChunk: castPerChunk})
	must(t, c.db.SetSetting(t.Context(), "second", "another setting"))
	must1[Product](t)(c.db.PutProduct(t.Context(), Product{Class: ClassCrops, Name: "another product"}))
	must(t, c.db.Close())
	path, twin = filepath.Join(dir, "a.kith"), filepath.Join(t.TempDir(), "b.kith")
	must(t, os.WriteFile(twin, must1[[]byte](t)(os.ReadFile(path)), 0o600))
	rawExec(t, twin, "UPDATE account SET uid = 'twin'")
	for _, p := range []string{twin, path} {
		db := must1[*DB](t)(Open(t.Context(), p, Options{Keys: oneKey, perChunk: castPerChunk, Now: clock()}))
		want = c.everything(t, db)
		must(t, db.Close())
	}
	return c, want, path, twin
}

// damages are what may become of a sealed value, as SQL that gives the value
// instead, given the column's place in sealedColumns.
func damages(i int) map[string]string {
	k := sealedColumns[i]
	foreign := sealedColumns[0]
	for _, o := range sealedColumns {
		if o.text == k.text && o.table+o.col != k.table+k.col && o.name != "account.salt" {
			foreign = o
		}
	}
	d := map[string]string{
		"another column's value":      fmt.Sprintf("(SELECT %s FROM %s WHERE %s)", foreign.col, foreign.table, foreign.row),
		"another account's same row":  fmt.Sprintf("(SELECT %s FROM twin.%s WHERE %s)", k.col, k.table, k.row),
		"half of it":                  fmt.Sprintf("substr(%s, 1, length(%s) / 8 * 4)", k.col, k.col),
		"eight bytes":                 fmt.Sprintf("substr(%s, 1, 8)", k.col),
		"a bit of the nonce flipped":  "flip(0)",
		"a bit of the middle flipped": "flip(1)",
		"a bit of the tag flipped":    "flip(2)",
	}
	if k.other != "" {
		d["another row's value"] = fmt.Sprintf("(SELECT %s FROM %s WHERE %s)", k.col, k.table, k.other)
	}
	if k.text {
		d["what is no base64"] = "'Anna'"
	}
	return d
}

// flipped is an SQL literal of a column's value with a bit of it flipped.
func flipped(t *testing.T, path string, i, where int) string {
	t.Helper()
	k := sealedColumns[i]
	pool := openSQL(path, readOnly, nil)
	defer func() { must(t, pool.Close()) }()
	var v []byte
	must(t, pool.QueryRow(fmt.Sprintf("SELECT %s FROM %s WHERE %s", k.col, k.table, k.row)).Scan(&v))
	if k.text {
		v = must1[[]byte](t)(base64.RawStdEncoding.DecodeString(string(v)))
	}
	if len(v) <= sealOverhead {
		t.Fatalf("%s has %d bytes: there is nothing to change", k.name, len(v))
	}
	v[[]int{3, 13, len(v) - 1}[where]] ^= 0x10
	if k.text {
		return "'" + base64.RawStdEncoding.EncodeToString(v) + "'"
	}
	return fmt.Sprintf("x'%x'", v)
}

// Every sealed value that was changed or moved is found out by who reads it
// and by Check, and nobody is given another value than was put.
func TestTampered(t *testing.T) {
	if testing.Short() {
		t.Skip("it damages hundreds of values; run without -short")
	}
	needsOnce(t)
	c, want, path, twin := sealedTwins(t)
	whole := must1[[]byte](t)(os.ReadFile(path))
	for i, k := range sealedColumns {
		for what, value := range damages(i) {
			t.Run(k.name+": "+what, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "a.kith")
				must(t, os.WriteFile(path, whole, 0o600))
				var where int
				if n, _ := fmt.Sscanf(value, "flip(%d)", &where); n == 1 {
					value = flipped(t, path, i, where)
				}
				rawExec(t, path, fmt.Sprintf("ATTACH '%s' AS twin; PRAGMA ignore_check_constraints = ON; UPDATE main.%s SET %s = %s WHERE %s",
					twin, k.table, k.col, value, k.row))
				mustBeFoundOut(t, c, want, path, k.name)
			})
		}
	}
}

// mustBeFoundOut opens an account of which a value was changed.
func mustBeFoundOut(t *testing.T, c *cast, want map[string]string, path, column string) {
	t.Helper()
	db := must1[*DB](t)(Open(t.Context(), path, Options{Keys: oneKey, perChunk: castPerChunk, Now: clock()}))
	defer func() { must(t, db.Close()) }()
	read, checked := false, false
	var texts []string
	isIt := func(err error) bool {
		var tampered *TamperedError
		if !errors.As(err, &tampered) {
			if err != nil {
				texts = append(texts, err.Error())
			}
			return false
		}
		if tampered.Path != path || !strings.Contains(err.Error(), path) {
			t.Errorf("%v does not say which file", err)
		}
		if errors.Is(err, ErrWrongKey) || errors.Is(err, ErrNoKey) {
			t.Errorf("%v is two errors at once", err)
		}
		texts = append(texts, err.Error())
		return strings.HasPrefix(tampered.Value, column+" of")
	}
	got := c.named(tell(t.Context(), db, func(err error) { read = isIt(err) || read }))
	for _, p := range c.photos { // what is read only when a photo is corrected anew
		own, err := db.original(t.Context(), db.read, string(p.ID))
		read = isIt(explain(t.Context(), "read", path, err)) || read
		if own != nil && own.GPS != nil && *own.GPS != *p.GPS && own.GPS.Lat != p.GPS.Lat {
			t.Errorf("the file of %s is said to lie at %v", p.Path, own.GPS)
		}
	}
	for err := range db.Check(t.Context()) {
		checked = isIt(err) || checked
	}
	if !read || !checked {
		t.Errorf("found out by reading: %v, by Check: %v, want both to say *TamperedError of %s; said was %.300q", read, checked, column, texts)
	}
	for key, v := range got {
		// Writing behind the package's back makes a grouping old, too.
		if old, ok := want[key]; (!ok || old != v) && key != "grouping " && key != "arrangedby " {
			t.Errorf("%s is %.200s, and was %.200s", key, v, old)
		}
	}
	useEverything(t.Context(), db) // must not panic
}

// What photos are looked up by is a keyed hash beside the sealed value: the
// two must be of one photo.
func TestTamperedLookups(t *testing.T) {
	needsOnce(t)
	c, _, path, _ := sealedTwins(t)
	whole := must1[[]byte](t)(os.ReadFile(path))
	for _, column := range []string{"path", "sha256"} {
		t.Run(column, func(t *testing.T) {
			must(t, os.WriteFile(path, whole, 0o600))
			rawExec(t, path, fmt.Sprintf(`CREATE TEMP TABLE two AS SELECT id, %[1]s AS v FROM photos WHERE id IN (1, 2);
				UPDATE photos SET %[1]s = CAST(%[1]s || x'00' AS %[2]s) WHERE id = -1;
				UPDATE photos SET path = 'aside' WHERE id = 1 AND '%[1]s' = 'path';
				UPDATE photos SET %[1]s = (SELECT v FROM two WHERE id = 1) WHERE id = 2;
				UPDATE photos SET %[1]s = (SELECT v FROM two WHERE id = 2) WHERE id = 1`, column, map[string]string{"path": "TEXT", "sha256": "BLOB"}[column]))
			db := must1[*DB](t)(Open(t.Context(), path, Options{Keys: oneKey, perChunk: castPerChunk}))
			defer func() { must(t, db.Close()) }()
			a, b := c.photo("a"), c.photo("b")
			var tampered *TamperedError
			if p, err := db.PhotoByPath(t.Context(), a.Path); p.ID == b.ID || err == nil && p.ID != a.ID {
				t.Errorf("by the path of %s: %s, %v", a.Path, p.Path, err)
			}
			ps, err := db.PhotosByContent(t.Context(), b.SHA256)
			for _, p := range ps {
				if p.SHA256 != b.SHA256 && !errors.As(err, &tampered) {
					t.Errorf("by the content of %s: %s, %v", b.Path, p.Path, err)
				}
			}
			found := false
			for err := range db.Check(t.Context()) {
				found = found || errors.As(err, &tampered)
			}
			if !found {
				t.Error("Check finds nothing")
			}
		})
	}
}

// The marks by which an account is known as sealed, and as itself, cannot be
// changed so that what is sealed is taken for something else.
func TestTamperedAccount(t *testing.T) {
	needsOnce(t)
	_, _, path, twin := sealedTwins(t)
	whole := must1[[]byte](t)(os.ReadFile(path))
	for name, tc := range map[string]struct {
		sql, wants string
	}{
		"the id":                          {"UPDATE account SET uid = 'twin'", "wrong key"},
		"the check":                       {fmt.Sprintf("ATTACH '%s' AS twin; UPDATE main.account SET sealed = (SELECT sealed FROM twin.account)", twin), "wrong key"},
		"the check cut":                   {"UPDATE account SET sealed = substr(sealed, 1, 5)", "wrong key"},
		"the check emptied":               {"UPDATE account SET sealed = x''", "wrong key"},
		"no check, as if it were plain":   {"UPDATE account SET sealed = NULL", "refusal"},
		"the id and check of another one": {fmt.Sprintf("ATTACH '%s' AS twin; UPDATE main.account SET uid = 'twin', sealed = (SELECT sealed FROM twin.account)", twin), "tampered"},
	} {
		t.Run(name, func(t *testing.T) {
			must(t, os.WriteFile(path, whole, 0o600))
			rawExec(t, path, tc.sql)
			before := must1[[]byte](t)(os.ReadFile(path))
			db, err := Open(t.Context(), path, Options{Keys: oneKey, perChunk: castPerChunk})
			if tc.wants == "tampered" {
				must(t, err)
				defer func() { must(t, db.Close()) }()
				faults := 0
				got := tell(t.Context(), db, func(err error) {
					var tampered *TamperedError
					if errors.As(err, &tampered) {
						faults++
					}
				})
				for key, v := range got {
					if strings.Contains(v, "mark") {
						t.Errorf("%s: %s", key, v)
					}
				}
				if faults < 5 {
					t.Errorf("%d values are said to be tampered with", faults)
				}
				return
			}
			if err == nil {
				_ = db.Close()
				t.Fatal("it was opened")
			}
			if tc.wants == "wrong key" && !errors.Is(err, ErrWrongKey) {
				t.Errorf("%v, want ErrWrongKey", err)
			}
			if after := must1[[]byte](t)(os.ReadFile(path)); string(after) != string(before) {
				t.Error("the refused file changed")
			}
		})
	}
}

// A sealed account whose check was taken out is no plain one: what is encrypted
// must not be told as names, nor be encrypted again.
func TestUnmarkedAccount(t *testing.T) {
	needsOnce(t)
	path := filepath.Join(t.TempDir(), "a.kith")
	db := must1[*DB](t)(Open(t.Context(), path, Options{Keys: fixedKeys{}}))
	must(t, db.PutPhotos(t.Context(), "", []Analysis{{Photo: Photo{Path: "a.jpg", Status: StatusPending, SHA256: sha("a")}}}))
	person(t, db, "Anna")
	must(t, db.Close())
	rawExec(t, path, "UPDATE account SET sealed = NULL")
	before := must1[[]byte](t)(os.ReadFile(path))
	for name, opt := range map[string]Options{
		"with keys": {Keys: fixedKeys{}}, "without": {}, "read-only, with keys": {ReadOnly: true, Keys: fixedKeys{}}, "read-only": {ReadOnly: true},
	} {
		db, err := Open(t.Context(), path, opt)
		if err == nil {
			for p, err := range db.People(t.Context(), PeopleQuery{}) {
				if err == nil && p.Name != "Anna" {
					t.Errorf("%s: somebody is called %q", name, p.Name)
				}
			}
			must(t, db.Close())
		} else if after := must1[[]byte](t)(os.ReadFile(path)); string(after) != string(before) {
			t.Errorf("%s: the refused file changed", name)
		}
		must(t, os.WriteFile(path, before, 0o600))
	}
}

// A decision whose sealed part was taken out must not end the process.
func TestEmptiedDecision(t *testing.T) {
	for _, column := range []string{"faces = x''", "value = ''"} {
		for _, keys := range []KeyProvider{nil, fixedKeys{}} {
			t.Run(fmt.Sprintf("%s %v", column, keys), func(t *testing.T) {
				needsOnce(t)
				c, dir := castAt(t, Options{Keys: keys})
				must(t, c.db.Close())
				path := filepath.Join(dir, "a.kith")
				rawExec(t, path, "UPDATE decisions SET "+column+" WHERE kind = 'place'")
				db := must1[*DB](t)(Open(t.Context(), path, Options{Keys: keys}))
				defer func() { _ = db.Close() }()
				for name, f := range map[string]func() error{
					"Revoke":      func() error { return db.Revoke(t.Context(), c.decisions["place"], Assignment{}) },
					"ErasePhotos": func() error { return second(db.ErasePhotos(t.Context(), c.photo("a").ID)) },
					"ErasePerson": func() error { return second(db.ErasePerson(t.Context(), c.people["bert"], "erase person")) },
				} {
					func() {
						defer func() {
							if r := recover(); r != nil {
								t.Errorf("%s panics: %v", name, r)
							}
						}()
						_ = f()
					}()
				}
			})
		}
	}
}
