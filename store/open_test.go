package store

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestAccountID(t *testing.T) {
	dir := t.TempDir()
	random := openAt(t, filepath.Join(dir, "random"), Options{})
	other := openAt(t, filepath.Join(dir, "other"), Options{})
	if id := random.AccountID(); len(id) != 26 || strings.ToLower(id) != id || id == other.AccountID() {
		t.Errorf("random ids %q and %q", id, other.AccountID())
	}
	path := filepath.Join(dir, "chosen")
	db := openAt(t, path, Options{AccountID: "anna"})
	must(t, db.Close())
	before := snapshotDir(t, dir)["chosen"]
	for _, opt := range []Options{{AccountID: "bert"}, {AccountID: "bert", ReadOnly: true}} {
		_, err := testOpen(t.Context(), path, opt)
		if !errors.Is(err, ErrWrongAccount) || !strings.Contains(err.Error(), path) {
			t.Errorf("%+v: %v, want ErrWrongAccount and the path", opt, err)
		}
		if s := err.Error(); strings.Contains(s, "anna") || strings.Contains(s, "bert") {
			t.Errorf("the message tells the id: %s", s)
		}
	}
	if snapshotDir(t, dir)["chosen"] != before {
		t.Error("the refused file changed")
	}
	for _, opt := range []Options{{AccountID: "anna"}, {}, {ReadOnly: true, AccountID: "anna"}} {
		db := must1[*DB](t)(testOpen(t.Context(), path, opt))
		if db.AccountID() != "anna" {
			t.Errorf("%+v: account %q", opt, db.AccountID())
		}
		must(t, db.Close())
	}
}

func TestRefusals(t *testing.T) {
	good := func(t *testing.T, path string) {
		db := must1[*DB](t)(testOpen(t.Context(), path, Options{}))
		must(t, db.PutSpace(t.Context(), Space{Name: testSpace, Dim: testDim}))
		for i := range 20 {
			put(t, db, strings.Repeat("x", i+1), "c", 0, 200)
		}
		must(t, db.Close())
	}
	bytes := func(b string) func(*testing.T, string) {
		return func(t *testing.T, path string) { must(t, os.WriteFile(path, []byte(b), 0o600)) }
	}
	patch := func(at int, b ...byte) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			good(t, path)
			data := must1[[]byte](t)(os.ReadFile(path))
			copy(data[at:], b)
			must(t, os.WriteFile(path, data, 0o600))
		}
	}
	newer := binary.BigEndian.AppendUint32(nil, 99)
	for _, c := range []struct {
		name string
		make func(*testing.T, string)
		want any
	}{
		{"one byte", bytes("x"), &NotAccountError{}},
		{"text", bytes(strings.Repeat("this is no database\n", 1000)), &NotAccountError{}},
		{"magic only", bytes("SQLite format 3\x00"), &NotAccountError{}},
		{"another program's", func(t *testing.T, path string) {
			rawExec(t, path, "PRAGMA journal_mode = DELETE", "CREATE TABLE t (x)", "PRAGMA application_id = 7")
		}, &NotAccountError{}},
		{"another program's in WAL mode", func(t *testing.T, path string) {
			rawExec(t, path, "CREATE TABLE t (x)")
		}, &NotAccountError{}},
		{"another application id", patch(68, 1, 2, 3, 4), &NotAccountError{}},
		{"newer schema", patch(60, newer...), &SchemaError{}},
		{"no tables", func(t *testing.T, path string) {
			rawExec(t, path, "PRAGMA application_id = 1802073192", "PRAGMA user_version = 1")
		}, &CorruptError{}},
		{"zeros in the middle", patch(5*pageSize, make([]byte, 3*pageSize)...), &CorruptError{}},
		{"cut off", func(t *testing.T, path string) {
			good(t, path)
			must(t, os.Truncate(path, 3*pageSize))
		}, &CorruptError{}},
	} {
		for _, readOnly := range []bool{false, true} {
			name := c.name
			if readOnly {
				name += ", read-only"
			}
			t.Run(name, func(t *testing.T) {
				dir := t.TempDir()
				path := filepath.Join(dir, "file")
				if c.name == "another program's" || c.name == "another program's in WAL mode" || c.name == "no tables" {
					must(t, os.WriteFile(path, nil, 0o644))
				}
				c.make(t, path)
				before := snapshotDir(t, dir)
				_, err := testOpen(t.Context(), path, Options{ReadOnly: readOnly})
				switch want := c.want.(type) {
				case *NotAccountError:
					if !errors.As(err, &want) || want.Path != path {
						t.Errorf("got %v, want a NotAccountError", err)
					}
				case *SchemaError:
					if !errors.As(err, &want) || want.Have != 99 || want.Want != len(next(t)) || want.Path != path {
						t.Errorf("got %v, want a SchemaError", err)
					}
				case *CorruptError:
					if !errors.As(err, &want) || want.Path != path || want.Detail == "" {
						t.Errorf("got %v, want a CorruptError", err)
					}
				}
				after := snapshotDir(t, dir)
				if readOnly { // SQLite's own files, which hold nothing
					maps.DeleteFunc(after, func(name, data string) bool {
						return name == "file-shm" || name == "file-wal" && data == ""
					})
				}
				if !maps.Equal(before, after) {
					t.Errorf("%v became %v, or changed", names(before), names(after))
				}
			})
		}
	}
}

func TestRefusedPaths(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	must(t, os.Symlink(filepath.Join(dir, "nowhere"), link))
	for _, readOnly := range []bool{false, true} {
		for _, c := range []struct {
			path string
			want error // nil: any
		}{
			{dir, nil}, {"", fs.ErrInvalid}, {filepath.Join(dir, "a\x00b"), fs.ErrInvalid},
			{filepath.Join(dir, "no", "such"), fs.ErrNotExist}, {link, fs.ErrNotExist}, {os.DevNull, nil},
		} {
			_, err := testOpen(t.Context(), c.path, Options{ReadOnly: readOnly})
			if err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("%q: %v, want %v", c.path, err, c.want)
			}
			if clean := strings.ReplaceAll(c.path, "\x00", `\x00`); err != nil && !strings.Contains(err.Error(), clean) {
				t.Errorf("%q: message %q lacks the path", c.path, err)
			}
		}
	}
	if _, err := testOpen(t.Context(), filepath.Join(dir, "new"), Options{ReadOnly: true}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("read-only without a file: %v", err)
	}
	must(t, os.WriteFile(filepath.Join(dir, "empty"), nil, 0o600))
	var foreign *NotAccountError
	if _, err := testOpen(t.Context(), filepath.Join(dir, "empty"), Options{ReadOnly: true}); !errors.As(err, &foreign) {
		t.Errorf("read-only with an empty file: %v", err)
	}
	if left := names(snapshotDir(t, dir)); left != "[empty]" {
		t.Errorf("left behind: %v", left)
	}
}

func TestOddPaths(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{
		"a b", "a?b", "a#b", "a%b", "a%41", "a\nb", "a&mode=ro", "ä€", "a'b\"c", "a\\b", "a:b", "\xff\xfe", "-x", "file:x",
	} {
		path := filepath.Join(dir, name)
		db, err := testOpen(t.Context(), path, Options{AccountID: name})
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		must(t, db.SetSetting(t.Context(), "k", name))
		must(t, db.Close())
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			t.Errorf("%q is not where it should be: %v", name, err)
		}
		db = must1[*DB](t)(testOpen(t.Context(), path, Options{ReadOnly: true}))
		if v := must1[string](t)(db.Setting(t.Context(), "k")); v != name {
			t.Errorf("%q: read %q", name, v)
		}
		must(t, db.Close())
	}
	t.Chdir(dir)
	relative := must1[*DB](t)(testOpen(t.Context(), "rel.kith", Options{}))
	must(t, os.Symlink("rel.kith", "link.kith"))
	if _, err := testOpen(t.Context(), "link.kith", Options{}); !errors.Is(err, ErrBusy) {
		t.Errorf("through a link: %v, want ErrBusy", err)
	}
	must(t, relative.Close())
}

func TestModeAndFiles(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no file modes")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "a.kith")
	must(t, os.WriteFile(path, nil, 0o666)) // an empty file is as good as none
	db := openAt(t, path, Options{})
	must(t, db.SetSetting(t.Context(), "k", "v"))
	for _, name := range []string{"a.kith", "a.kith-wal", "a.kith-shm", "a.kith-lock"} {
		info := must1[fs.FileInfo](t)(os.Stat(filepath.Join(dir, name)))
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
	must(t, db.Close())
	must(t, db.Close())
	if left := names(snapshotDir(t, dir)); left != "[a.kith]" {
		t.Errorf("left after Close: %v", left)
	}
	must(t, os.Chmod(path, 0o644))
	fresh := filepath.Join(dir, "fresh.kith") // not after it was made: all along
	must(t, create(t.Context(), fresh, Options{Now: clock()}, must1[schema](t)(loadSchema(schemaFS, "schema"))))
	if m := must1[fs.FileInfo](t)(os.Stat(fresh)).Mode().Perm(); m != 0o600 {
		t.Errorf("a new file has mode %v", m)
	}
	reader := openAt(t, path, Options{ReadOnly: true})
	if m := must1[fs.FileInfo](t)(os.Stat(path)).Mode().Perm(); m != 0o644 {
		t.Errorf("a reader changed the mode to %v", m)
	}
	must(t, reader.Close())
	openAt(t, path, Options{})
	if m := must1[fs.FileInfo](t)(os.Stat(path)).Mode().Perm(); m != 0o600 {
		t.Errorf("the mode stayed %v", m)
	}
}

// A crash while an account was made, or a log whose database is gone, must
// not end up in a new account.
func TestCreateAfterCrash(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.kith")
	for _, name := range []string{"-creating", "-creating-wal", "-creating-journal", "-wal", "-journal", "-lock"} {
		must(t, os.WriteFile(path+name, []byte("rest of a crash"), 0o644))
	}
	db := openAt(t, path, Options{})
	mustCheck(t, db)
	must(t, db.Close())
	if left := names(snapshotDir(t, dir)); left != "[a.kith]" {
		t.Errorf("left behind: %v", left)
	}
}

func TestReadOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.kith")
	writer := openAt(t, path, Options{})
	must(t, writer.PutSpace(t.Context(), Space{Name: testSpace, Dim: testDim}))
	db := openAt(t, path, Options{ReadOnly: true})
	put(t, writer, "later.jpg", "1", 0)
	if files := collect(t, db.Files(t.Context())); len(files) != 1 {
		t.Errorf("the reader sees %d files", len(files))
	}
	ctx := t.Context()
	for name, err := range map[string]error{
		"PutPhotos":   db.PutPhotos(ctx, "", nil),
		"TouchPhotos": db.TouchPhotos(ctx, nil),
		"DropPhotos":  second(db.DropPhotos(ctx, nil)),
		"PutSpace":    db.PutSpace(ctx, Space{}),
		"PutPeople":   db.PutPeople(ctx, Assignment{}),
		"Decide":      second(db.Decide(ctx, Decision{}, Assignment{})),
		"Revoke":      db.Revoke(ctx, "", Assignment{}),
		"PutConsent":  db.PutConsent(ctx, Consent{}),
		"SetSetting":  db.SetSetting(ctx, "", ""),
		"Erase":       second(db.EraseBiometrics(ctx, false)),
	} {
		if !errors.Is(err, ErrReadOnly) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want ErrReadOnly and the path", name, err)
		}
	}
	if _, err := db.read.ExecContext(ctx, "DELETE FROM photos"); err == nil {
		t.Error("the read connections can write")
	}
}

func second[T any](_ T, err error) error { return err }
