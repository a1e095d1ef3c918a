package store

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// smallDisk is a file system of its own.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "mode=700,size="+size); err != nil {
		t.Skip("a small file system cannot be mounted here:", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}

// leaveRoom fills a disk but for so many bytes.
func leaveRoom(t *testing.T, dir string, room int) (ballast string) {
	t.Helper()
	var fs syscall.Statfs_t
	must(t, syscall.Statfs(dir, &fs))
	free := int(fs.Bavail) * int(fs.Bsize)
	if free < room {
		t.Fatalf("%d bytes are free, want %d", free, room)
	}
	ballast = filepath.Join(dir, "ballast")
	must(t, os.WriteFile(ballast, make([]byte, free-room), 0o600))
	return ballast
}

// A disk that is full in the middle of an erasure leaves an account that is
// sound, in which the rows are gone, and an erasure that is completed as soon
// as there is room.
func TestEraseOnFullDisk(t *testing.T) {
	needsPlain(t)
	if testing.Short() {
		t.Skip("it waits for disks that are full; run without -short")
	}
	for _, by := range []string{"Scrub", "Open"} {
		t.Run("by "+by, func(t *testing.T) {
			dir := smallDisk(t, "24m")
			path := filepath.Join(dir, "a.kith")
			db := must1[*DB](t)(Open(t.Context(), path, Options{AccountID: "cast", Now: clock(), perChunk: castPerChunk}))
			t.Cleanup(func() { _ = db.Close() })
			c := newCast(t, db)
			must(t, db.PutPhotos(t.Context(), testSpace, manyPhotos("filler", 800)))
			if ok := must1[bool](t)(truncateLog(t.Context(), db.write)); !ok {
				t.Fatal("the log is in use")
			}
			size := must1[os.FileInfo](t)(os.Stat(path)).Size()
			before := c.everything(t, db)
			e := erasures["a person"]
			gone := c.all(c.groups(e.gone)...)

			ballast := leaveRoom(t, dir, 0)
			if r, err := eraseAs(t.Context(), db, e.op, e.of(c)); !errors.Is(err, ErrFull) || r.ID != "" || !strings.Contains(err.Error(), path) {
				t.Errorf("no room at all: %+v, %v, want ErrFull and no receipt", r, err)
			}
			if d := differences(before, c.everything(t, db)); len(d) > 0 {
				t.Errorf("no room at all: it changed %q", d)
			}
			must(t, os.Remove(ballast))

			ballast = leaveRoom(t, dir, int(size*2/3))
			r, err := eraseAs(t.Context(), db, e.op, e.of(c))
			if !errors.Is(err, ErrFull) || r.ID == "" {
				t.Fatalf("room for the rows alone: %+v, %v, want ErrFull and a receipt", r, err)
			}
			if files := names(snapshotDir(t, dir)); strings.Contains(files, scrubSuffix) {
				t.Errorf("the copy that did not fit is left: %s", files)
			}
			after := c.everything(t, db)
			if len(differences(before, after)) == 0 {
				t.Error("the rows are there still")
			}
			if s := faults(t, db); strings.Count(s, "\n") != 1 || !strings.Contains(s, "not complete") {
				t.Errorf("Check finds %q, want that the erasure is not complete", s)
			}
			if err := db.Scrub(t.Context()); !errors.Is(err, ErrFull) {
				t.Errorf("Scrub on a full disk: %v, want ErrFull", err)
			}
			if by == "Scrub" {
				must(t, os.Remove(ballast))
				must(t, db.Scrub(t.Context()))
			} else {
				must(t, db.Close())
				db = must1[*DB](t)(Open(t.Context(), path, Options{Now: clock(), perChunk: castPerChunk}))
				if s := faults(t, db); !strings.Contains(s, "not complete") {
					t.Errorf("opened on a full disk, Check finds %q", s)
				}
				must(t, db.Close())
				must(t, os.Remove(ballast))
				db = must1[*DB](t)(Open(t.Context(), path, Options{Now: clock(), perChunk: castPerChunk}))
			}
			if found := gone.in(t, dir); len(found) > 0 {
				t.Errorf("%q is there still", found)
			}
			if d := differences(after, c.everything(t, db)); len(d) > 0 {
				t.Errorf("rewriting changed %q", d)
			}
			mustCheck(t, db)
			must(t, db.Close())
		})
	}
}
