package index_test

import (
	"bytes"
	"errors"
	"fmt"
	"image/jpeg"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/index"
)

// contents lists the files of a folder or archive, folders left out.
func contents(t *testing.T, fsys fs.FS) map[string]string {
	t.Helper()
	out := map[string]string{}
	must(t, fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			out[name] = string(must1[[]byte](t)(fs.ReadFile(fsys, name)))
		}
		return err
	}))
	return out
}

// withoutAudit is an export's JSON without the audit, in which every export is
// an entry.
func withoutAudit(text string) string {
	head, tail, _ := strings.Cut(text, `"audit":[`)
	_, tail, _ = strings.Cut(tail, "]")
	return head + tail
}

func TestExportBundle(t *testing.T) {
	acc := newAccount(t, index.Config{Now: func() time.Time { return start }})
	src := family()
	src.put("odd\xff.jpg", shot("odd", 1))
	src.put("con/a:b?.jpg", shot("windows", 1))
	src.put("bad.jpg", []byte("no photo"))
	src.put("alone.jpg", shot("alone", 9))
	_, _ = reindexFailing(t, acc, src, index.ReindexOptions{})
	anna, bert, cara := personOf(t, acc, "b/4.jpg", 0), personOf(t, acc, "b/5.jpg", 0), personOf(t, acc, "b/6.jpg", 0)
	named(t, acc, anna, "Anna & \"Co\"")
	must1[index.DecisionID](t)(acc.Ignore(t.Context(), cara))
	no := facesOf(t, acc, "b/5.jpg")[0]
	must1[index.DecisionID](t)(acc.NotAFace(t.Context(), no.ID))

	src.put("b/4.jpg", shot("changed", 1)) // since it was indexed
	gone := facesOf(t, acc, "a/2.jpg")
	src.remove("a/2.jpg")
	opt := index.ExportOptions{Originals: src, CropSize: 32}
	dir := filepath.Join(t.TempDir(), "out")
	must(t, acc.ExportDir(t.Context(), dir, opt))
	var b bytes.Buffer
	must(t, acc.ExportZIP(t.Context(), &b, opt))
	got := contents(t, os.DirFS(dir))
	z := contents(t, must1[fs.FS](t)(index.OpenExport(bytes.NewReader(b.Bytes()), int64(b.Len()))))
	got["export.json"], z["export.json"] = withoutAudit(got["export.json"]), withoutAudit(z["export.json"])
	if !maps.Equal(z, got) {
		t.Errorf("the archive holds %v, the folder %v", slices.Sorted(maps.Keys(z)), slices.Sorted(maps.Keys(got)))
	}

	want := []string{"README.txt", "crops/missing.txt", "export.json", "export.schema.json"}
	for _, name := range []string{"a/1.jpg", "a/2.jpg", "a/3.jpg", "b/4.jpg", "_con/a_b_.jpg", string(photoOf(t, acc, "odd\xff.jpg").ID)} {
		want = append(want, "sidecars/"+name+".xmp")
	}
	paths := map[index.PhotoID]string{}
	for _, p := range all(t, acc.Photos(t.Context(), index.PhotoQuery{})) {
		paths[p.ID] = p.Path
	}
	for _, f := range all(t, acc.Faces(t.Context(), index.FaceQuery{})) {
		if f.Person != "" && paths[f.Photo] != "b/4.jpg" && f.Photo != gone[0].Photo {
			want = append(want, fmt.Sprintf("crops/%s.jpg", f.ID))
		}
	}
	slices.Sort(want)
	if names := slices.Sorted(maps.Keys(got)); !slices.Equal(names, want) {
		t.Errorf("files:\n%s\nwant:\n%s", strings.Join(names, "\n"), strings.Join(want, "\n"))
	}
	if got["export.json"] != withoutAudit(string(exportText(t, acc, index.ExportOptions{}))) || got["export.schema.json"] != string(index.ExportSchema()) {
		t.Error("the JSON or its schema is another")
	}
	if m := strings.Split(strings.TrimSpace(got["crops/missing.txt"]), "\n"); len(m) != 2 ||
		!strings.HasPrefix(m[0], `"a/2.jpg"`) || !strings.HasPrefix(m[1], `"b/4.jpg"`) || !strings.Contains(m[1], "changed") {
		t.Errorf("missing: %q", m)
	}
	for name, text := range got {
		if strings.HasPrefix(name, "crops/") && strings.HasSuffix(name, ".jpg") {
			if c, err := jpeg.DecodeConfig(strings.NewReader(text)); err != nil || c.Width != 32 || c.Height != 32 {
				t.Errorf("%s: %dx%d, %v", name, c.Width, c.Height, err)
			}
		}
	}

	// Names and faces as other programs read them; nothing of whom is ignored.
	var seen []string
	for _, name := range []string{"a/1.jpg", "a/2.jpg", "a/3.jpg"} {
		r, err := exif.ParseRegions([]byte(got["sidecars/"+name+".xmp"]))
		must(t, err)
		for _, g := range r.Upright(1, 1000, 100) {
			seen = append(seen, fmt.Sprintf("%s %q %s %.0f %.0f %.0f %.0f", name, g.Name, g.Type, 1000*g.X, 100*g.Y, 1000*g.W, 100*g.H))
		}
	}
	if want := []string{
		`a/1.jpg "Anna & \"Co\"" Face 10 10 80 80`, `a/1.jpg "" Face 110 10 80 80`, `a/2.jpg "Anna & \"Co\"" Face 10 10 80 80`,
		`a/3.jpg "" Face 10 10 80 80`,
	}; !slices.Equal(seen, want) {
		t.Errorf("regions:\n%s\nwant:\n%s", strings.Join(seen, "\n"), strings.Join(want, "\n"))
	}
	if must1[index.Person](t)(acc.Person(t.Context(), bert)).Faces != 2 {
		t.Error("the test's second person has not two faces")
	}
}

func TestExportBundleOptions(t *testing.T) {
	acc := newAccount(t, index.Config{})
	reindex(t, acc, family(), index.ReindexOptions{})
	for _, size := range []int{-1, 5000} {
		var b bytes.Buffer
		if err := acc.ExportZIP(t.Context(), &b, index.ExportOptions{CropSize: size}); err == nil || b.Len() > 0 {
			t.Errorf("crops of %d pixels: %v, and %d bytes", size, err, b.Len())
		}
	}
	var b bytes.Buffer
	must(t, acc.ExportZIP(t.Context(), &b, index.ExportOptions{}))
	for name := range contents(t, must1[fs.FS](t)(index.OpenExport(bytes.NewReader(b.Bytes()), int64(b.Len())))) {
		if strings.HasPrefix(name, "crops/") {
			t.Errorf("%s without the originals", name)
		}
	}
	must(t, acc.ExportZIP(t.Context(), &b, index.ExportOptions{Originals: family()}))
	full := t.TempDir()
	must(t, os.WriteFile(filepath.Join(full, "mine.txt"), []byte("mine"), 0o600))
	if err := acc.ExportDir(t.Context(), full, index.ExportOptions{}); err == nil || !strings.Contains(err.Error(), full) {
		t.Errorf("into a folder with something in it: %v", err)
	}
}

// What fails on the way leaves nothing that looks like an export.
func TestExportBundleFails(t *testing.T) {
	acc := newAccount(t, index.Config{})
	src := crowd(40, 3)
	reindex(t, acc, src, index.ReindexOptions{})
	opt := index.ExportOptions{Originals: src, CropSize: 64}
	var whole bytes.Buffer
	must(t, acc.ExportZIP(t.Context(), &whole, opt))
	for left := 0; left < whole.Len(); left += whole.Len()/7 + 1 {
		wantErr(t, fmt.Sprintf("after %d of %d bytes", left, whole.Len()), acc.ExportZIP(t.Context(), &limited{left}, opt), errPipe)
	}

	disk := t.TempDir()
	grow := smallDisk(t, disk)
	out := filepath.Join(disk, "out")
	must(t, os.WriteFile(filepath.Join(disk, "most"), make([]byte, 1900<<10), 0o600))
	err := acc.ExportDir(t.Context(), out, opt)
	if err == nil || !strings.Contains(err.Error(), "no space") {
		t.Errorf("a full disk: %v", err)
	}
	if entries, err := os.ReadDir(disk); err != nil || len(entries) != 1 {
		t.Errorf("it left %v, %v", entries, err)
	}
	grow()
	must(t, acc.ExportDir(t.Context(), out, opt))
	if _, err := os.Stat(out + ".part"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the part is left: %v", err)
	}
}
