package index_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/kith-photos/kith/index"
)

// wantBad wants an *ImportError, and an account in which nothing came to be.
func wantBad(t *testing.T, acc *index.Account, what string, err error) {
	t.Helper()
	var bad *index.ImportError
	if !errors.As(err, &bad) {
		t.Errorf("%s: %v", what, err)
	}
	wantUntouched(t, acc, what)
}

func wantUntouched(t *testing.T, acc *index.Account, what string) {
	t.Helper()
	n := len(all(t, acc.Photos(t.Context(), index.PhotoQuery{}))) + len(all(t, acc.People(t.Context(), index.PeopleQuery{Ignored: index.Include}))) +
		len(all(t, acc.Decisions(t.Context())))
	if n != 0 {
		t.Errorf("%s: nothing was to be imported, and %d rows were", what, n)
	}
}

func TestImportTruncated(t *testing.T) {
	acc := newAccount(t, index.Config{})
	reindex(t, acc, family(), index.ReindexOptions{})
	named(t, acc, personOf(t, acc, "b/4.jpg", 0), "Anna")
	text := bytes.TrimSpace(exportText(t, acc, index.ExportOptions{Embeddings: true}))
	fresh := newAccount(t, index.Config{})
	for i := range 20 {
		n := len(text) * i / 20
		_, err := fresh.Import(t.Context(), fsOf(text[:n]), index.ImportOptions{})
		wantBad(t, fresh, fmt.Sprintf("%d of %d bytes", n, len(text)), err)
		if err == nil || !strings.Contains(err.Error(), "cut off") {
			t.Errorf("%d of %d bytes: %v", n, len(text), err)
		}
	}
	_, err := fresh.Import(t.Context(), fsOf(text[:len(text)-1]), index.ImportOptions{})
	wantBad(t, fresh, "without the last byte", err)
	_, err = fresh.Import(t.Context(), fsOf(append(bytes.Clone(text), text...)), index.ImportOptions{})
	wantBad(t, fresh, "twice in a row", err)
	_ = importOf(t, fresh, text, index.ImportOptions{})
}

// Faults that no schema tells: of what refers to what, and of numbers.
func TestImportRefuses(t *testing.T) {
	acc := newAccount(t, index.Config{})
	reindex(t, acc, family(), index.ReindexOptions{})
	anna := personOf(t, acc, "b/4.jpg", 0)
	named(t, acc, anna, "Anna")
	no := must1[index.DecisionID](t)(acc.NotAFace(t.Context(), facesOf(t, acc, "b/5.jpg")[0].ID))
	text := string(exportText(t, acc, index.ExportOptions{Embeddings: true}))
	f := facesOf(t, acc, "b/4.jpg")[0]
	photo := photoOf(t, acc, "b/4.jpg")
	cover := must1[index.Person](t)(acc.Person(t.Context(), anna)).Cover
	other := facesOf(t, acc, "b/6.jpg")[0].ID
	deep := strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)
	for _, c := range []struct{ what, old, new, part string }{
		{"no JSON at all", "{", "kith", ""},
		{"a list", text, "[]", ""},
		{"something else behind it", "\n}\n", "\n}\n{}", ""},
		{"a member twice", `"people":[`, `"people":[],"people":[`, "people"},
		{"null for a list", `"people":[`, `"people":null,"x":[`, "people"},
		{"depth without end", `"people":[`, `"people":[` + deep + `,`, "people[0]"},
		{"depth without end in what is not read", `"people":[`, `"else":` + deep + `,"people":[`, "else"},
		{"a number beyond all", `"score":0.9`, `"score":1e999`, "faces[0]"},
		{"a box beyond all pixels", `"w":80`, `"w":1e300`, "faces[0]"},
		{"a retention that is none", `"settings":{`, `"settings":{"retention":"x",`, "settings"},
		{"a retention below zero", `"settings":{`, `"settings":{"retention":"{\"faces\":-1}"`, "settings"},
		{"a photo of no size that can be", `"width":1000`, `"width":99999999999`, "photos[0]"},
		{"two photos of one id", string(photo.ID), string(photoOf(t, acc, "b/5.jpg").ID), "photos[4]"},
		{"two photos at one path", `"path":"b/4.jpg"`, `"path":"b/5.jpg"`, "photos[4]"},
		{"a path upwards", `"path":"b/4.jpg"`, `"path":"../4.jpg"`, "photos[3]"},
		{"a path from the root", `"path":"b/4.jpg"`, `"path":"/etc/passwd"`, "photos[3]"},
		{"a path with NUL", `"path":"b/4.jpg"`, `"path":"b/4.jpg\u0000"`, "photos[3]"},
		{"two faces of one id", fmt.Sprintf(`{"id":%q`, f.ID), fmt.Sprintf(`{"id":%q`, other), ""},
		{"a face of no photo", fmt.Sprintf(`"photo":%q`, photo.ID), `"photo":"nobody"`, ""},
		{"a face of no person", fmt.Sprintf(`"person":%q,"by"`, anna), `"person":"nobody","by"`, ""},
		{"a cover of another", fmt.Sprintf(`"cover":%q`, cover), fmt.Sprintf(`"cover":%q`, other), ""},
		{"rejected by nothing", fmt.Sprintf(`"rejected_by":%q`, no), `"rejected_by":"nothing"`, ""},
		{"an embedding of another length", `"embedding":[`, `"embedding":[0.5,`, ""},
		{"an embedding of no length", `"dim":64`, `"dim":65`, ""},
		{"places in the ledger that fall", `"seq":1,"kind"`, `"seq":9,"kind"`, "decisions[1]"},
		{"a decision twice", string(no) + `","seq":2`, string(all(t, acc.Decisions(t.Context()))[0].ID) + `","seq":2`, "decisions[1]"},
		{"a holder of a face that is not there", `"before":[{"person":`, `"before":[{"faces":[7],"person":`, "decisions[1]"},
		{"a name without end", `"name":"Anna"`, `"name":"` + strings.Repeat("Anna", 1000) + `"`, ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			if !strings.Contains(text, c.old) {
				t.Fatalf("the export has no %s", c.old)
			}
			fresh := newAccount(t, index.Config{})
			_, err := fresh.Import(t.Context(), fsOf([]byte(strings.Replace(text, c.old, c.new, 1))), index.ImportOptions{})
			wantBad(t, fresh, c.what, err)
			var bad *index.ImportError
			if errors.As(err, &bad) && c.part != "" && bad.Part != c.part {
				t.Errorf("%v is said of %q, want %q", bad.Err, bad.Part, c.part)
			}
		})
	}
}

// A reader that fails is not taken for the end.
func TestImportReaderFails(t *testing.T) {
	acc := newAccount(t, index.Config{})
	reindex(t, acc, family(), index.ReindexOptions{})
	text := exportText(t, acc, index.ExportOptions{})
	fresh := newAccount(t, index.Config{})
	src := newFiles(nil)
	src.set("export.json", file{body: io.MultiReader(bytes.NewReader(text[:len(text)/2]), failing{})})
	_, err := fresh.Import(t.Context(), src, index.ImportOptions{})
	wantErr(t, "half of it", err, errPipe)
	wantUntouched(t, fresh, "half of it")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = fresh.Import(ctx, fsOf(text), index.ImportOptions{})
	wantErr(t, "cancelled", err, context.Canceled)
	wantUntouched(t, fresh, "cancelled")

	src = newFiles(map[string][]byte{"export.json/x": nil})
	_, err = fresh.Import(t.Context(), src, index.ImportOptions{})
	wantBad(t, fresh, "a folder", err)
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errPipe }

// A ZIP archive whose bytes were changed or cut is refused before anything is
// stored, at the latest by its checksum.
func TestImportDamagedZIP(t *testing.T) {
	acc := newAccount(t, index.Config{})
	reindex(t, acc, family(), index.ReindexOptions{})
	var whole bytes.Buffer
	must(t, acc.ExportZIP(t.Context(), &whole, index.ExportOptions{}))
	fresh := newAccount(t, index.Config{})
	read := func(b []byte) error {
		fsys, err := index.OpenExport(bytes.NewReader(b), int64(len(b)))
		if err == nil {
			_, err = fresh.Import(t.Context(), fsys, index.ImportOptions{})
		}
		return err
	}
	for i := range 20 {
		n := whole.Len() * i / 20
		wantBad(t, fresh, fmt.Sprintf("%d of %d bytes", n, whole.Len()), read(whole.Bytes()[:n]))
	}
	for i := range 40 { // the JSON is what comes first
		b := bytes.Clone(whole.Bytes())
		b[50+i*20] ^= 0x10
		if err := read(b); err != nil {
			wantBad(t, fresh, fmt.Sprintf("byte %d changed", 50+i*20), err)
		} else {
			t.Fatalf("byte %d changed, and nobody saw it", 50+i*20)
		}
	}
	must(t, read(whole.Bytes()))
}

// Tricks of archives; package bundle has them all.
func TestOpenExportTricks(t *testing.T) {
	for _, name := range []string{"../export.json", "/export.json", `a\export.json`, "C:export.json"} {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		must1[io.Writer](t)(z.Create(name))
		must(t, z.Close())
		_, err := index.OpenExport(bytes.NewReader(b.Bytes()), int64(b.Len()))
		var bad *index.ImportError
		if !errors.As(err, &bad) || bad.Part != fmt.Sprintf("%q", name) {
			t.Errorf("%q: %v", name, err)
		}
	}
	_, err := index.OpenExport(strings.NewReader("no archive"), 10)
	var bad *index.ImportError
	if !errors.As(err, &bad) {
		t.Errorf("%v", err)
	}
}
