package bundle

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

func fill(t *testing.T, w Writer) {
	t.Helper()
	for _, f := range []struct {
		name, text string
		packed     bool
	}{{"export.json", "{}", false}, {"sidecars/a/b.xmp", "<x/>", false}, {"crops/1.jpg", "jpeg", true}} {
		out, err := w.Create(f.name, f.packed)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(out, f.text); err != nil {
			t.Fatal(err)
		}
	}
}

func wantFiles(t *testing.T, fsys fs.FS) {
	t.Helper()
	for name, want := range map[string]string{"export.json": "{}", "sidecars/a/b.xmp": "<x/>", "crops/1.jpg": "jpeg"} {
		if got, err := fs.ReadFile(fsys, name); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestZIP(t *testing.T) {
	var b bytes.Buffer
	at := time.Date(2024, 5, 17, 9, 30, 0, 0, time.FixedZone("", 7200))
	z := NewZIP(&b, at)
	fill(t, z)
	if err := z.Commit(); err != nil {
		t.Fatal(err)
	}
	fsys, err := open(b.Bytes(), DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	wantFiles(t, fsys)
	st, err := fs.Stat(fsys, "crops/1.jpg")
	if err != nil || st.Mode() != 0o600 || !st.ModTime().Equal(at) {
		t.Errorf("%v %v %v", st.Mode(), st.ModTime(), err)
	}
}

func TestFolder(t *testing.T) {
	base := t.TempDir()
	for _, name := range []string{"new", "empty"} {
		dir := filepath.Join(base, name)
		if name == "empty" {
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		f, err := NewFolder(dir)
		if err != nil {
			t.Fatal(err)
		}
		fill(t, f)
		if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
			t.Error("there is something before it is whole")
		}
		if err := f.Commit(); err != nil {
			t.Fatal(err)
		}
		wantFiles(t, os.DirFS(dir))
		if err := f.Abort(); err != nil { // nothing is left to abort
			t.Error(err)
		}
		wantFiles(t, os.DirFS(dir))
		if runtime.GOOS == "windows" {
			continue
		}
		for name, want := range map[string]fs.FileMode{".": fs.ModeDir | 0o700, "sidecars/a": fs.ModeDir | 0o700, "export.json": 0o600} {
			if st, err := fs.Stat(os.DirFS(dir), name); err != nil || st.Mode() != want {
				t.Errorf("%s: %v, want %v", name, st.Mode(), want)
			}
		}
	}
}

func TestFolderRefuses(t *testing.T) {
	base := t.TempDir()
	full := filepath.Join(base, "full")
	if err := os.MkdirAll(filepath.Join(full, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(base, "file")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	half := filepath.Join(base, "half")
	if err := os.Mkdir(half+".part", 0o700); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{full, file, half, filepath.Join(base, "no", "such")} {
		if _, err := NewFolder(dir); err == nil {
			t.Errorf("%s was taken", dir)
		}
	}
	entries, err := os.ReadDir(base)
	if err != nil || len(entries) != 3 {
		t.Errorf("%v, %v", entries, err)
	}
}

func TestFolderAbort(t *testing.T) {
	base := t.TempDir()
	f, err := NewFolder(filepath.Join(base, "out"))
	if err != nil {
		t.Fatal(err)
	}
	fill(t, f)
	for _, name := range []string{"../up", "/abs", "crops/../../up"} {
		if _, err := f.Create(name, false); err == nil {
			t.Errorf("%q was made", name)
		}
	}
	if _, err := f.Create("export.json", false); err == nil {
		t.Error("a file was made twice")
	}
	if err := f.Abort(); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(base); err != nil || len(entries) != 0 {
		t.Errorf("%v, %v", entries, err)
	}
}
