//go:build unix

package store

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestReadOnlyDirectory reads an account where SQLite can make no file, as a
// user who owns nothing there.
func TestReadOnlyDirectory(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can start a process as another user")
	}
	const nobody = 65534
	// The test's own folders belong to root alone.
	base := must1[string](t)(os.MkdirTemp("", "kith-store-test-"))
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	must(t, os.Chmod(base, 0o755))
	binary := filepath.Join(base, "store.test")
	must(t, os.WriteFile(binary, must1[[]byte](t)(os.ReadFile(must1[string](t)(os.Executable()))), 0o755))
	dir := filepath.Join(base, "ro")
	must(t, os.Mkdir(dir, 0o755))
	path := filepath.Join(dir, "a.kith")
	db := must1[*DB](t)(testOpen(t.Context(), path, Options{}))
	must(t, db.PutSpace(t.Context(), Space{Name: testSpace, Dim: testDim}))
	put(t, db, "one.jpg", "1", 0)
	must(t, db.Close())
	must(t, os.Chmod(path, 0o644))

	run := func(role string) (string, error) {
		cmd := child(t, role, path)
		cmd.Path, cmd.Dir = binary, "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		return string(out) + stderr.String(), err
	}
	before := snapshotDir(t, dir)
	if out, err := run("read"); err != nil || out != "one.jpg\n" {
		t.Errorf("read-only: %v, %q", err, out)
	}
	if out, err := run("hold"); err == nil || !strings.Contains(out, "permission denied") || !strings.Contains(out, path) {
		t.Errorf("for writing: %v, %q; want a refusal that names the path", err, out)
	}
	if after := snapshotDir(t, dir); names(after) != names(before) || after["a.kith"] != before["a.kith"] {
		t.Errorf("the directory changed: %v", names(after))
	}
}
