package index

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"testing"
	"testing/fstest"
)

// FuzzImport reads exports that strangers made: no panic, no error that is not
// an *ImportError, and what is taken leaves an account without faults, whose own
// export is taken again.
func FuzzImport(f *testing.F) {
	f.Fuzz(func(t *testing.T, text []byte) {
		fsys := fstest.MapFS{exportFile: {Data: text}}
		if _, err := openImport(t.Context(), fsys, exportFile); err != nil {
			var bad *ImportError
			if !errors.As(err, &bad) {
				t.Fatalf("%v is no *ImportError", err)
			}
			return
		}
		acc := importInto(t, text)
		importTwice(t, acc, text)
		var again bytes.Buffer
		if err := acc.Export(t.Context(), &again, ExportOptions{Embeddings: true}); err != nil {
			t.Fatal(err)
		}
		_ = importInto(t, again.Bytes())
		if err := acc.ExportZIP(t.Context(), io.Discard, ExportOptions{}); err != nil {
			t.Fatal(err)
		}
	})
}

func importInto(t *testing.T, text []byte) *Account {
	t.Helper()
	acc, err := Open(t.Context(), filepath.Join(t.TempDir(), "a.kith"), Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := acc.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := acc.SetConsent(t.Context(), Consent{Given: true, By: "anna", Version: "1", Means: "test"}); err != nil {
		t.Fatal(err)
	}
	if _, err := acc.Import(t.Context(), fstest.MapFS{exportFile: {Data: text}}, ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	for err := range acc.Check(t.Context()) {
		t.Error(err)
	}
	return acc
}

// importTwice imports what is there already.
func importTwice(t *testing.T, acc *Account, text []byte) {
	t.Helper()
	rep, err := acc.Import(t.Context(), fstest.MapFS{exportFile: {Data: text}}, ImportOptions{})
	if err != nil && !errors.Is(err, ErrModelMismatch) { // a space without impostors cannot be grouped
		t.Fatal(err)
	}
	if rep.Decisions > rep.Named || rep.Photos > 0 {
		t.Errorf("the second time: %+v", rep)
	}
	for err := range acc.Check(t.Context()) {
		t.Error(err)
	}
}
