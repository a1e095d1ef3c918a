//go:build unix

package store

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// spot is a folder with an account in it, as only its owner can use it.
type spot struct {
	*testing.T
	dir, file string
}

func newSpot(t *testing.T) spot {
	t.Helper()
	p := spot{t, t.TempDir(), ""}
	p.file = filepath.Join(p.dir, "a.kith")
	must(t, os.Chmod(p.dir, 0o700))
	db := must1[*DB](t)(Open(t.Context(), p.file, Options{AccountID: "anna"}))
	must(t, db.Close())
	return p
}

func (p spot) at(name string) string { return filepath.Join(p.dir, name) }

// folder is another folder beside the account.
func (p spot) folder(name string, mode os.FileMode) string {
	p.Helper()
	must(p, os.Mkdir(p.at(name), 0o700))
	p.mode(name, mode)
	return p.at(name)
}

func (p spot) mode(name string, mode os.FileMode) { must(p, os.Chmod(p.at(name), mode)) }

func (p spot) link(to, name string) string {
	p.Helper()
	must(p, os.Symlink(to, p.at(name)))
	return p.at(name)
}

func (p spot) put(name string) { must(p, os.WriteFile(p.at(name), nil, 0o600)) }

// own gives a name to another user; it takes root.
func (p spot) own(name string, uid, gid int) { must(p, os.Lchown(p.at(name), uid, gid)) }

// me is who runs the test, other somebody else who is not root either.
var (
	me    = os.Geteuid()
	other = me + 4321
)

// privateCases are what may be and what may not. prepare changes a spot and
// returns the name by which its account is opened; "" is its file's.
var privateCases = []struct {
	name    string
	root    bool // prepare needs root
	as      int  // who opens
	prepare func(p spot) string
	at      string // which name is refused; "": none
	why     string // and with what in the reason
}{
	{name: "as it was made", as: me, prepare: func(spot) string { return "" }},
	{name: "a name that is free", as: me, prepare: func(p spot) string { return p.at("new.kith") }},
	{name: "a mode that a writer tightens", as: me, prepare: func(p spot) string { p.mode("a.kith", 0o644); return "" }},
	{name: "a hard link", as: me, at: "a.kith", why: "hard link", prepare: func(p spot) string {
		must(p, os.Link(p.file, p.at("b.kith")))
		return ""
	}},
	{name: "the other name of a hard link", as: me, at: "b.kith", why: "hard link", prepare: func(p spot) string {
		must(p, os.Link(p.file, p.at("b.kith")))
		return p.at("b.kith")
	}},

	{name: "a folder for all", as: me, at: ".", why: "everybody can write", prepare: func(p spot) string { p.mode(".", 0o777); return "" }},
	{name: "a folder for all, a free name", as: me, at: ".", why: "everybody", prepare: func(p spot) string { p.mode(".", 0o707); return p.at("new") }},
	{name: "a sticky folder for all", as: me, prepare: func(p spot) string { p.mode(".", 0o777|os.ModeSticky); return "" }},
	{name: "a folder for all to read", as: me, prepare: func(p spot) string { p.mode(".", 0o755); return "" }},
	{name: "a private folder in one for all", as: me, prepare: func(p spot) string {
		p.folder("open", 0o700)
		path := p.folder("open/mine", 0o700) + "/new.kith"
		p.mode("open", 0o777)
		return path
	}},
	{name: "a group's folder", root: true, as: 1000, at: ".", why: "group 2000", prepare: func(p spot) string {
		p.own(".", 1000, 2000)
		p.mode(".", 0o770)
		return ""
	}},
	{name: "a group's folder, sticky", root: true, as: 1000, prepare: func(p spot) string {
		p.own(".", 1000, 2000)
		p.mode(".", 0o770|os.ModeSticky)
		return ""
	}},
	{name: "the folder of the user's own group", root: true, as: 1000, prepare: func(p spot) string {
		p.own(".", 1000, 1000)
		p.mode(".", 0o775)
		return ""
	}},
	{name: "the folder of root's group", root: true, as: 1000, prepare: func(p spot) string {
		p.own(".", 1000, 0)
		p.mode(".", 0o775)
		return ""
	}},
	{name: "somebody's folder", as: other, at: ".", why: "the folder belongs to user", prepare: func(p spot) string {
		if me == root {
			p.own(".", 1, 1)
		}
		return ""
	}},
	{name: "root's folder", root: true, as: 1000, prepare: func(p spot) string { p.mode(".", 0o755); return p.at("new.kith") }},

	{name: "root's file", root: true, as: 1000, prepare: func(spot) string { return "" }},
	{name: "one's own file", root: true, as: 1000, prepare: func(p spot) string { p.own("a.kith", 1000, 1000); return "" }},
	{name: "somebody's file", root: true, as: 1000, at: "a.kith", why: "belongs to user 1001, not to user 1000",
		prepare: func(p spot) string { p.own("a.kith", 1001, 1001); return "" }},
	{name: "somebody's file and folder for root", root: true, as: root, prepare: func(p spot) string {
		p.own(".", 1001, 1001)
		p.own("a.kith", 1001, 1001)
		return ""
	}},

	{name: "a link of one's own", as: me, prepare: func(p spot) string { return p.link("a.kith", "b.kith") }},
	{name: "a link of root's", root: true, as: 1000, prepare: func(p spot) string { return p.link("a.kith", "b.kith") }},
	{name: "somebody's link", root: true, as: 1000, at: "b.kith", why: "link of user 1001", prepare: func(p spot) string {
		path := p.link("a.kith", "b.kith")
		p.own("b.kith", 1001, 1001)
		return path
	}},
	{name: "somebody's link for root", root: true, as: root, at: "b.kith", why: "link of user 1001", prepare: func(p spot) string {
		path := p.link("a.kith", "b.kith")
		p.own("b.kith", 1001, 1001)
		return path
	}},
	{name: "somebody's link after one's own", root: true, as: 1000, at: "b.kith", why: "link of user 1001", prepare: func(p spot) string {
		p.link(p.file, "b.kith")
		p.own("b.kith", 1001, 1001)
		return p.link("b.kith", "c.kith")
	}},
	{name: "a link in a folder for all", as: me, at: "links", why: "everybody", prepare: func(p spot) string {
		p.folder("links", 0o777)
		return p.link("../a.kith", "links/b.kith")
	}},
	{name: "a link in a folder of one's own", as: me, prepare: func(p spot) string {
		p.folder("links", 0o755)
		return p.link("../a.kith", "links/b.kith")
	}},
	{name: "a link to a folder for all", as: me, at: "open", why: "everybody", prepare: func(p spot) string {
		p.folder("open", 0o777)
		must(p, os.Rename(p.file, p.at("open/a.kith")))
		return p.link("open/a.kith", "b.kith")
	}},
	{name: "a link by way of a linked folder", as: me, at: "open", why: "everybody", prepare: func(p spot) string {
		p.folder("open", 0o777)
		p.folder("open/in", 0o700)
		p.link("../a.kith", "open/b.kith")
		p.link("open/in", "dir")
		return p.link("dir/../b.kith", "c.kith")
	}},

	{name: "files beside it", as: me, prepare: func(p spot) string {
		p.put("a.kith-shm")
		p.put("a.kith-lock")
		return ""
	}},
	{name: "a linked lock", as: me, at: "a.kith-lock", why: "no regular file", prepare: func(p spot) string {
		p.link("elsewhere", "a.kith-lock") // to nothing: opening it would make elsewhere
		return ""
	}},
	{name: "a linked log of a free name", as: me, at: "new.kith-wal", why: "no regular file", prepare: func(p spot) string {
		p.put("elsewhere")
		p.link("elsewhere", "new.kith-wal")
		return p.at("new.kith")
	}},
	{name: "a linked journal", as: me, at: "a.kith-journal", why: "no regular file", prepare: func(p spot) string {
		p.link("elsewhere", "a.kith-journal")
		return ""
	}},
	{name: "a folder for a shared memory", as: me, at: "a.kith-shm", why: "no regular file", prepare: func(p spot) string {
		p.folder("a.kith-shm", 0o700)
		return ""
	}},
	{name: "a hard-linked log", as: me, at: "a.kith-wal", why: "hard link", prepare: func(p spot) string {
		p.put("elsewhere")
		must(p, os.Link(p.at("elsewhere"), p.at("a.kith-wal")))
		return ""
	}},
	{name: "somebody's log", root: true, as: 1000, at: "a.kith-wal", why: "user 1001", prepare: func(p spot) string {
		p.put("a.kith-wal")
		p.own("a.kith-wal", 1001, 1001)
		return ""
	}},
	{name: "somebody's log for root", root: true, as: root, at: "a.kith-wal", why: "user 1001", prepare: func(p spot) string {
		p.put("a.kith-wal")
		p.own("a.kith-wal", 1001, 1001)
		return ""
	}},
	{name: "the owner's log for root", root: true, as: root, prepare: func(p spot) string {
		p.put("a.kith-wal")
		for _, name := range []string{".", "a.kith", "a.kith-wal"} {
			p.own(name, 1001, 1001)
		}
		return ""
	}},
}

func TestCheckPrivate(t *testing.T) {
	for _, c := range privateCases {
		t.Run(c.name, func(t *testing.T) {
			if c.root && me != root {
				t.Skip("only root can give files to another user")
			}
			p := newSpot(t)
			path := c.prepare(p)
			if path == "" {
				path = p.file
			}
			file := must1[string](t)(resolve(path))
			check := viewer(c.as).check
			if c.as == me {
				check = checkPrivate
			}
			wantInsecure(t, check(path, file), c.at, c.why, p)
			if c.as != me {
				return
			}
			before := snapshotDir(t, p.dir)
			for _, readOnly := range []bool{true, false} {
				db, err := Open(t.Context(), path, Options{ReadOnly: readOnly})
				if readOnly && errors.Is(err, fs.ErrNotExist) && c.at == "" {
					continue
				}
				wantInsecure(t, err, c.at, c.why, p)
				if err == nil {
					must(t, db.Close())
				}
			}
			if after := snapshotDir(t, p.dir); c.at != "" && !maps.Equal(before, after) {
				t.Errorf("%v became %v, or changed", names(before), names(after))
			}
		})
	}
}

// wantInsecure checks that err is about the name at of the spot, or nil.
func wantInsecure(t *testing.T, err error, at, why string, p spot) {
	t.Helper()
	var insecure *InsecureError
	switch {
	case at == "" && err != nil:
		t.Errorf("refused: %v", err)
	case at == "":
	case !errors.As(err, &insecure):
		t.Errorf("got %v, want an InsecureError", err)
	case !sameName(insecure.Path, p.at(at)) || !strings.Contains(insecure.Reason, why):
		t.Errorf("got %v, want one about %s with %q", err, at, why)
	case !strings.Contains(err.Error(), insecure.Path) || !strings.Contains(err.Error(), insecure.Reason):
		t.Errorf("the message %q lacks path or reason", err)
	}
}

// sameName compares paths whose folders may lead through links, as the
// temporary one does on macOS.
func sameName(a, b string) bool {
	x, errX := os.Stat(filepath.Dir(a))
	y, errY := os.Stat(filepath.Dir(b))
	return errX == nil && errY == nil && os.SameFile(x, y) && filepath.Base(a) == filepath.Base(b)
}

func TestTooManyLinks(t *testing.T) {
	p := newSpot(t)
	p.link("b.kith", "b.kith")
	if err := checkPrivate(p.at("b.kith"), p.file); err == nil || !strings.Contains(err.Error(), "too many links") {
		t.Errorf("a link to itself: %v", err)
	}
}

// TestOtherUser opens accounts as another user than the test's, so that the
// effective user is what counts.
func TestOtherUser(t *testing.T) {
	if me != root {
		t.Skip("only root can start a process as another user")
	}
	const nobody, somebody = 65534, 1234
	p := spot{T: t, dir: must1[string](t)(os.MkdirTemp("", "kith-store-test-"))}
	t.Cleanup(func() { _ = os.RemoveAll(p.dir) })
	p.mode(".", 0o755)
	binary := p.at("store.test")
	must(t, os.WriteFile(binary, must1[[]byte](t)(os.ReadFile(must1[string](t)(os.Executable()))), 0o755))
	p.folder("own", 0o755)
	p.own("own", nobody, nobody)
	p.folder("theirs", 0o777|os.ModeSticky)
	p.own("theirs", somebody, somebody)
	p.folder("all", 0o777|os.ModeSticky)
	p.put("all/planted.kith-wal")
	p.own("all/planted.kith-wal", somebody, somebody)
	for path, want := range map[string]string{
		"own/a.kith":       "",
		"all/a.kith":       "",
		"theirs/a.kith":    "the folder belongs to user 1234",
		"all/planted.kith": "belongs to user 1234",
	} {
		cmd := child(t, "hold", p.at(path))
		cmd.Path, cmd.Dir, cmd.Stderr = binary, "/", nil
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		out, err := cmd.CombinedOutput()
		if want == "" && (err != nil || string(out) != "open\n") || want != "" && (err == nil || !strings.Contains(string(out), want)) {
			t.Errorf("%s: %v, %q; want %q", path, err, out, want)
		}
	}
}

// TestUmask makes and uses an account in a process that hides nothing from
// anybody.
func TestUmask(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o755))
	path := filepath.Join(dir, "a.kith")
	start := func(role string) (*exec.Cmd, io.WriteCloser, *bufio.Reader) {
		cmd := child(t, role, path)
		cmd.Args = []string{"sh", "-c", `umask 0; : >"$1"; exec "$0"`, cmd.Path, filepath.Join(dir, "witness")}
		cmd.Path = "/bin/sh"
		in := must1[io.WriteCloser](t)(cmd.StdinPipe())
		out := must1[io.ReadCloser](t)(cmd.StdoutPipe())
		must(t, cmd.Start())
		t.Cleanup(func() { _ = cmd.Process.Kill() })
		return cmd, in, bufio.NewReader(out)
	}
	made, in, out := start("hold")
	must1[string](t)(out.ReadString('\n'))
	wantModes(t, dir, "witness", "a.kith", "a.kith-lock")
	must(t, in.Close())
	must(t, made.Wait())
	wantModes(t, dir, "witness", "a.kith")

	db := must1[*DB](t)(testOpen(t.Context(), path, Options{}))
	must(t, db.PutSpace(t.Context(), Space{Name: testSpace, Dim: testDim}))
	must(t, db.Close())
	written, _, out := start("write")
	for range 3 {
		must1[string](t)(out.ReadString('\n'))
	}
	wantModes(t, dir, "witness", "a.kith", "a.kith-lock", "a.kith-shm", "a.kith-wal")
	must(t, written.Process.Kill())
	_ = written.Wait() // it was killed
}

// wantModes checks that the first of a folder's files is anybody's, which
// shows that the umask was 0, that the others are there, and that they and all
// else are their owner's alone.
func wantModes(t *testing.T, dir, witness string, want ...string) {
	t.Helper()
	mode := map[string]os.FileMode{}
	for _, e := range must1[[]os.DirEntry](t)(os.ReadDir(dir)) {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) { // SQLite's, and gone since
			continue
		}
		must(t, err)
		mode[e.Name()] = info.Mode().Perm()
	}
	if mode[witness] != 0o666 {
		t.Fatalf("the umask is not 0: %s has mode %v", witness, mode[witness])
	}
	delete(mode, witness)
	for _, name := range want {
		if _, ok := mode[name]; !ok {
			t.Errorf("there is no %s", name)
		}
	}
	for name, m := range mode {
		if m != 0o600 {
			t.Errorf("%s has mode %v", name, m)
		}
	}
}
