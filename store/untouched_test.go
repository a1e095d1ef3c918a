package store

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A file that is as Close left it is not looked through when it is opened; one
// that anything else has written to is. The damage tells them apart.
func TestUntouched(t *testing.T) {
	needsPlain(t)
	path := filepath.Join(t.TempDir(), "a.kith")
	when := func() time.Time { return must1[os.FileInfo](t)(os.Stat(path)).ModTime() }
	opens := func(readOnly bool) bool {
		t.Helper()
		db, err := testOpen(t.Context(), path, Options{ReadOnly: readOnly})
		var corrupt *CorruptError
		if err != nil && !errors.As(err, &corrupt) {
			t.Fatal(err)
		}
		if err == nil {
			must(t, db.Close())
		}
		return err == nil
	}
	db := must1[*DB](t)(testOpen(t.Context(), path, Options{}))
	must(t, db.PutSpace(t.Context(), Space{Name: testSpace, Dim: testDim}))
	put(t, db, "somewhere/photo.jpg", "1", 0)
	must(t, db.Close())
	closed := when()
	if closed.Nanosecond() != 0 || closed.Unix()%2 != 0 || time.Since(closed) > time.Minute {
		t.Errorf("closed at %v", closed)
	}
	if whole := must1[[]byte](t)(os.ReadFile(path)); !opens(false) || !opens(true) || !when().Equal(closed) {
		t.Error("opening and closing it changed the time")
	} else if !bytes.Equal(must1[[]byte](t)(os.ReadFile(path)), whole) {
		t.Error("opening and closing it changed the file")
	}

	// The header of the page that holds the photos loses its sense.
	data := must1[[]byte](t)(os.ReadFile(path))
	page := bytes.LastIndex(data, []byte("somewhere/photo.jpg")) / pageSize * pageSize
	copy(data[page+1:], "\xff\xff\xff\xff\xff\xff\xff")
	must(t, os.WriteFile(path, data, 0o600))
	if opens(false) || opens(true) {
		t.Error("a damaged file is opened")
	}
	must(t, os.Chtimes(path, closed, closed))
	if !opens(true) || !opens(false) {
		t.Error("a file that claims to be untouched was looked through")
	}
	db = must1[*DB](t)(testOpen(t.Context(), path, Options{ReadOnly: true}))
	found := 0
	for err := range db.Check(t.Context()) {
		if err != nil {
			found++
		}
	}
	if must(t, db.Close()); found == 0 {
		t.Error("Check does not look either")
	}
	must(t, os.Chtimes(path, closed, closed.Add(time.Nanosecond*100)))
	if opens(false) {
		t.Error("another time, and yet not looked through")
	}
	must(t, os.Chtimes(path, closed, closed))
	must(t, os.WriteFile(path+"-wal", []byte("what a crash left"), 0o600))
	if opens(false) || opens(true) {
		t.Error("a log is there, and yet not looked through")
	}
}

// While a reader keeps the log, the file is not marked as closed.
func TestClosedBesideReader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.kith")
	db := must1[*DB](t)(testOpen(t.Context(), path, Options{}))
	must(t, db.PutPhotos(t.Context(), testSpace, []Analysis{{Photo: okPhoto("a", "1")}}))
	reader := openAt(t, path, Options{ReadOnly: true})
	for _, err := range reader.Photos(t.Context(), PhotoQuery{}) {
		must(t, err)
		must(t, db.PutPhotos(t.Context(), testSpace, []Analysis{{Photo: okPhoto("b", "2")}}))
		must(t, db.Close())
		if must1[bool](t)(isUntouched(t.Context(), reader.read, path)) || !hasLog(path) {
			t.Error("the file is marked as closed, or the log is gone")
		}
	}
	db = openAt(t, path, Options{})
	if files := collect(t, db.Files(t.Context())); len(files) != 2 {
		t.Errorf("%d files", len(files))
	}
}
