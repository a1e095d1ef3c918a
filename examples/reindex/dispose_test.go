package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kith-photos/kith/index"
)

const original = "the photo as it was indexed"

// folderWith makes a folder of files and what deletes from it.
func folderWith(t *testing.T, files map[string]string) (string, remover) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := root.Close(); err != nil {
			t.Error(err)
		}
	})
	return dir, remover{root}
}

// disposal is that of a photo with the original's content.
func disposal(name string) index.Disposal {
	return index.Disposal{
		Class: index.ClassOriginals, Name: name,
		SHA256: sha256.Sum256([]byte(original)), Size: int64(len(original)),
	}
}

func mustSay(t *testing.T, path, content string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil || string(data) != content {
		t.Errorf("%s: %q, %v; want %q", path, data, err, content)
	}
}

func mustBeGone(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is there (%v)", path, err)
	}
}

func TestDisposeDeletes(t *testing.T) {
	dir, r := folderWith(t, map[string]string{"a.jpg": original, "sub/b.jpg": original, "c.jpg": original})
	for _, name := range []string{"a.jpg", "sub/b.jpg"} {
		if err := r.Dispose(t.Context(), disposal(name)); err != nil {
			t.Error(err)
		}
		mustBeGone(t, filepath.Join(dir, name))
		if err := r.Dispose(t.Context(), disposal(name)); err != nil {
			t.Errorf("gone already: %v", err)
		}
	}
	if err := r.Dispose(t.Context(), disposal("nowhere/d.jpg")); err != nil {
		t.Errorf("gone with its folder: %v", err)
	}
	mustSay(t, filepath.Join(dir, "c.jpg"), original)
}

// A file that is not what was indexed stays, whatever tells it apart.
func TestDisposeKeepsWhatChanged(t *testing.T) {
	same := strings.ToUpper(original) // as long as the original
	for name, content := range map[string]string{
		"other content of the same size": same,
		"shorter":                        original[:5],
		"longer":                         original + "!",
		"empty":                          "",
	} {
		dir, r := folderWith(t, map[string]string{"a.jpg": content})
		if err := r.Dispose(t.Context(), disposal("a.jpg")); !errors.Is(err, errChanged) {
			t.Errorf("%s: %v, want %v", name, err, errChanged)
		}
		mustSay(t, filepath.Join(dir, "a.jpg"), content)
	}
}

// What takes the original's place after it was read, and before it is deleted,
// is noticed too.
func TestDisposeLooksTwice(t *testing.T) {
	for name, change := range map[string]func(path string) error{
		"replaced":  func(path string) error { return os.Rename(path+".new", path) },
		"linked":    func(path string) error { return errors.Join(os.Remove(path), os.Symlink(path+".new", path)) },
		"rewritten": func(path string) error { return os.WriteFile(path, []byte(strings.ToUpper(original)), 0o600) },
		"longer":    func(path string) error { return os.WriteFile(path, []byte(original+"!"), 0o600) },
		"gone":      os.Remove,
	} {
		t.Run(name, func(t *testing.T) {
			dir, r := folderWith(t, map[string]string{"a.jpg": original, "a.jpg.new": original})
			path := filepath.Join(dir, "a.jpg")
			past := time.Now().Add(-time.Hour) // so that writing to it shows
			if err := os.Chtimes(path, past, past); err != nil {
				t.Fatal(err)
			}
			read, err := r.same(t.Context(), "a.jpg", disposal("a.jpg"))
			if err != nil {
				t.Fatal(err)
			}
			if err := r.still("a.jpg", read); err != nil {
				t.Errorf("unchanged: %v", err)
			}
			if err := change(path); err != nil {
				t.Skipf("not possible here: %v", err)
			}
			if name != "rewritten" && name != "gone" { // nothing else tells that
				if err := os.Chtimes(path, past, past); err != nil {
					t.Fatal(err)
				}
			}
			if err := r.still("a.jpg", read); err == nil {
				t.Error("nothing was noticed")
			}
		})
	}
}

func TestDisposeKeepsWhatIsNoOriginal(t *testing.T) {
	dir, r := folderWith(t, map[string]string{"a.jpg": original, "folder.jpg/x": original})
	d := disposal("a.jpg")
	d.Class = index.ClassExports
	if err := r.Dispose(t.Context(), d); err == nil {
		t.Error("an export was deleted from the folder of photos")
	}
	mustSay(t, filepath.Join(dir, "a.jpg"), original)
	if err := r.Dispose(t.Context(), disposal("folder.jpg")); !errors.Is(err, errNoFile) {
		t.Errorf("a folder: %v, want %v", err, errNoFile)
	}
	mustSay(t, filepath.Join(dir, "folder.jpg", "x"), original)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Dispose(ctx, disposal("a.jpg")); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	mustSay(t, filepath.Join(dir, "a.jpg"), original)
}

// Links stay, and so does what they point to: in the folder and out of it.
func TestDisposeFollowsNoLinks(t *testing.T) {
	outside, _ := folderWith(t, map[string]string{"far.jpg": original})
	dir, r := folderWith(t, map[string]string{"near.jpg": original})
	for link, target := range map[string]string{
		"inside.jpg":   "near.jpg",
		"absolute.jpg": filepath.Join(outside, "far.jpg"),
		"upwards.jpg":  filepath.Join("..", filepath.Base(outside), "far.jpg"),
		"dangling.jpg": "none.jpg",
		"folder":       outside,
	} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Skipf("links cannot be made here: %v", err)
		}
	}
	for _, name := range []string{"inside.jpg", "absolute.jpg", "upwards.jpg", "dangling.jpg"} {
		if err := r.Dispose(t.Context(), disposal(name)); !errors.Is(err, errNoFile) {
			t.Errorf("%s: %v, want %v", name, err, errNoFile)
		}
		if _, err := os.Lstat(filepath.Join(dir, name)); err != nil {
			t.Errorf("the link: %v", err)
		}
	}
	for _, name := range []string{"folder/far.jpg", "../" + filepath.Base(outside) + "/far.jpg", filepath.Join(outside, "far.jpg")} {
		if err := r.Dispose(t.Context(), disposal(name)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	mustSay(t, filepath.Join(dir, "near.jpg"), original)
	mustSay(t, filepath.Join(outside, "far.jpg"), original)
}

// What a file's other names hold is not touched.
func TestDisposeLeavesHardLinks(t *testing.T) {
	dir, r := folderWith(t, map[string]string{"a.jpg": original})
	other := filepath.Join(dir, "other.jpg")
	if err := os.Link(filepath.Join(dir, "a.jpg"), other); err != nil {
		t.Skipf("hard links cannot be made here: %v", err)
	}
	if err := r.Dispose(t.Context(), disposal("a.jpg")); err != nil {
		t.Error(err)
	}
	mustBeGone(t, filepath.Join(dir, "a.jpg"))
	mustSay(t, other, original)
}

func TestCountFiles(t *testing.T) {
	dir, _ := folderWith(t, map[string]string{
		"a.jpg": "", "notes.txt": "", ".hidden.jpg": "", "sub/b.jpg": "", ".cache/c.jpg": "",
	})
	n, err := countFiles(t.Context(), dir)
	if err != nil || n != 3 {
		t.Errorf("%d, %v; want 3", n, err)
	}
}
