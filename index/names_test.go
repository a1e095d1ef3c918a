package index_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/kith-photos/kith/index"
)

// folder is a real folder.
type folder struct {
	t   *testing.T
	dir string
}

func (f folder) put(name string, data []byte) {
	f.t.Helper()
	path := filepath.Join(f.dir, name)
	must(f.t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(f.t, os.WriteFile(path, data, 0o644))
}

func (f folder) link(to, name string) {
	f.t.Helper()
	must(f.t, os.Symlink(to, filepath.Join(f.dir, name)))
}

// sources shows a folder in the two ways that the standard library has.
func (f folder) sources() map[string]fs.FS {
	root := must1[*os.Root](f.t)(os.OpenRoot(f.dir))
	f.t.Cleanup(func() { _ = root.Close() })
	return map[string]fs.FS{"DirFS": os.DirFS(f.dir), "Root": root.FS()}
}

func TestLinks(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows lets few users make links, and has no FIFOs")
	}
	dir := folder{t, t.TempDir()}
	outside := folder{t, t.TempDir()}
	outside.put("secret.jpg", shot("secret", 7))
	outside.put("album/more.jpg", shot("more", 8))
	dir.put("real/1.jpg", shot("1", 1))
	dir.put("folder.jpg/2.jpg", shot("2", 1)) // a folder named like a photo
	dir.link("real/1.jpg", "linked.jpg")
	dir.link("real", "folder link")
	dir.link("..", "real/up")
	dir.link("loop b.jpg", "loop a.jpg")
	dir.link("loop a.jpg", "loop b.jpg")
	dir.link("nowhere.jpg", "dangling.jpg")
	dir.link("nowhere", "dangling")
	dir.link(filepath.Join(outside.dir, "secret.jpg"), "out.jpg")
	dir.link(filepath.Join(outside.dir, "album"), "album out")
	must(t, syscall.Mkfifo(filepath.Join(dir.dir, "pipe.jpg"), 0o644)) // opening it would never end
	must(t, syscall.Mkfifo(filepath.Join(dir.dir, "pipe"), 0o644))
	for name, src := range dir.sources() {
		t.Run(name, func(t *testing.T) {
			acc := newAccount(t, index.Config{})
			var failed failures
			rep := must1[index.Report](t)(acc.Reindex(t.Context(), src, index.ReindexOptions{Failed: failed.add}))
			want, bad := []string{"folder.jpg/2.jpg", "linked.jpg", "out.jpg", "real/1.jpg"}, 3
			if name == "Root" { // which lets no link lead out
				want, bad = []string{"folder.jpg/2.jpg", "linked.jpg", "real/1.jpg"}, 4
				_ = failed.of(t, "out.jpg")
			}
			for _, path := range []string{"loop a.jpg", "loop b.jpg", "dangling.jpg"} {
				if e := failed.of(t, path); e.Stage != index.StageWalk || e.Path != path {
					t.Errorf("got %v", e)
				}
			}
			if len(failed) != bad || rep.Failed != bad || rep.Copied != 1 || rep.Seen != len(want) {
				t.Errorf("failed: %v; report %+v", []*index.PhotoError(failed), rep)
			}
			var got []string
			for _, p := range all(t, acc.Photos(t.Context(), index.PhotoQuery{})) {
				got = append(got, p.Path)
			}
			if !slices.Equal(got, want) {
				t.Errorf("photos %q, want %q", got, want)
			}
		})
	}
}

var oddNames = []string{
	"new\nline.jpg", "100%.jpg", "50%2Fx.jpg", "what?.jpg", "a#b.jpg", "a;b'c\"d.jpg", "-rf.jpg", " .jpg", "back\\slash.jpg",
	"tab\t.jpg", "\x1b[31mred.jpg", "ünïcode.jpg", "u\u0308ni.jpg", "家族/写真.jpg", "\u202egpj.exe.jpg", "..jpg.jpg/x.jpg",
	strings.Repeat("n", 251) + ".jpg", strings.Repeat("deep/", 100) + "x.jpg", "CON.jpg", "a:b.jpg", "SELECT * FROM photos; --.jpg",
}

func TestOddNames(t *testing.T) {
	dir := folder{t, t.TempDir()}
	var want []string
	for i, name := range oddNames {
		if strings.HasPrefix(name, ".") {
			continue // hidden
		}
		if runtime.GOOS != "linux" && name != "100%.jpg" {
			continue // other systems allow fewer names
		}
		want = append(want, name)
		dir.put(name, shot(name, 1+i%2))
	}
	slices.Sort(want)
	invalid := runtime.GOOS == "linux"
	if invalid { // package fs allows UTF-8 only, so these cannot be opened
		dir.put("not\xffUTF-8.jpg", shot("x", 1))
		dir.put("folder\xfe/y.jpg", shot("y", 1))
	}
	for kind, src := range dir.sources() {
		t.Run(kind, func(t *testing.T) {
			acc := newAccount(t, index.Config{})
			var failed failures
			must1[index.Report](t)(acc.Reindex(t.Context(), src, index.ReindexOptions{Failed: failed.add}))
			if invalid {
				_ = failed.of(t, "not\xffUTF-8.jpg")
				_ = failed.of(t, "folder\xfe")
			}
			if invalid && len(failed) != 2 || !invalid && len(failed) != 0 {
				t.Errorf("failed: %v", []*index.PhotoError(failed))
			}
			var got []string
			for _, p := range all(t, acc.Photos(t.Context(), index.PhotoQuery{Status: "ok"})) {
				got = append(got, p.Path)
			}
			if !slices.Equal(got, want) {
				t.Errorf("photos %q\nwant   %q", got, want)
			}
			for _, name := range want {
				if p := must1[index.Photo](t)(acc.Index(t.Context(), src, name)); p.Path != name {
					t.Errorf("%q came back as %q", name, p.Path)
				}
			}
			rep := must1[index.Report](t)(acc.Reindex(t.Context(), src, index.ReindexOptions{}))
			if rep.Unchanged != len(want) || rep.Vanished != 0 {
				t.Errorf("again: %+v", rep)
			}
		})
	}
}

// A source that is not of the standard library may have names of any bytes.
func TestNamesOfAnyBytes(t *testing.T) {
	acc := newAccount(t, index.Config{})
	long := strings.Repeat("l", 100_000) + ".jpg"
	src := newFiles(map[string][]byte{
		"\xff\xfe.jpg": shot("1", 1), "a\xc3/\x80.jpg": shot("2", 1), long: shot("3", 1), "whole.jpg": shot("4", 1),
		"with\x00NUL.jpg": shot("5", 1), "folder\x00/6.jpg": shot("6", 1),
	})
	rep, failed := reindexFailing(t, acc, src, index.ReindexOptions{})
	wantReport(t, rep, "seen 4, indexed 4, failed 2, faces 4")
	for _, path := range []string{"with\x00NUL.jpg", "folder\x00"} { // no account can hold them
		if e := failed.of(t, path); e.Stage != index.StageWalk {
			t.Errorf("got %v", e)
		}
	}
	wantPartition(t, acc, strings.Join(slices.Sorted(slices.Values([]string{
		"\xff\xfe.jpg#0", "a\xc3/\x80.jpg#0", long + "#0", "whole.jpg#0"})), " "))
	src.remove("with\x00NUL.jpg")
	src.remove("folder\x00/6.jpg")
	wantReport(t, reindex(t, acc, src, index.ReindexOptions{}), "seen 4, unchanged 4")
	var out bytes.Buffer
	must(t, acc.Export(t.Context(), &out, index.ExportOptions{}))
	for _, want := range []string{`"path_base64":"//4uanBn"`, `"path_base64":"YcMvgC5qcGc="`} {
		if !bytes.Contains(out.Bytes(), []byte(want)) {
			t.Errorf("the export has no %s", want)
		}
	}
	if n := bytes.Count(out.Bytes(), []byte("path_base64")); n != 2 {
		t.Errorf("%d paths in base64, want 2", n)
	}
}
