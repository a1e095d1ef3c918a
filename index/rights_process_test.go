package index_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/kith-photos/kith/index"
)

// childRights is what the processes do that are killed: they work on the
// account at path and on the photos beside it, say how far they are, and wait
// to be killed where the test wants it.
func childRights(ctx context.Context, role, path string) error {
	hang := func(what string) {
		fmt.Println(what)
		select {}
	}
	photos := photosBeside(path)
	cfg := withScenes(index.Config{Now: func() time.Time { return start.Add(40 * day) }, Workers: 1})
	cfg.Disposer = disposeFunc(func(_ context.Context, d index.Disposal) error {
		if d.Name == "a/3.jpg" && role == "dispose" {
			hang("asked")
		}
		if err := os.Remove(filepath.Join(photos, filepath.FromSlash(d.Name))); err != nil {
			return err
		}
		if d.Name == "a/3.jpg" {
			hang("deleted")
		}
		return nil
	})
	acc, err := index.Open(ctx, path, cfg)
	if err != nil {
		return err
	}
	switch role {
	case "dispose", "dispose late":
		_, err = acc.Reindex(ctx, os.DirFS(photos), index.ReindexOptions{})
	case "expire":
		fmt.Println("expire")
		_, err = acc.Expire(ctx, index.ExpireOptions{})
	case "erase":
		var ids []index.PersonID
		for p, err := range acc.People(ctx, index.PeopleQuery{Named: true}) {
			if err != nil {
				return err
			}
			ids = append(ids, p.ID)
		}
		fmt.Println("erase")
		for _, id := range ids {
			_, erased := acc.Object(ctx, id)
			err = errors.Join(err, erased)
		}
	}
	return errors.Join(err, acc.Close())
}

func photosBeside(path string) string { return filepath.Join(filepath.Dir(path), "photos") }

// onDisk writes the files of a source beside an account.
func onDisk(t *testing.T, src *files, path string) {
	t.Helper()
	for _, name := range src.names() {
		p := filepath.Join(photosBeside(path), filepath.FromSlash(name))
		must(t, os.MkdirAll(filepath.Dir(p), 0o700))
		must(t, os.WriteFile(p, src.get(name).data, 0o600))
	}
}

// killed runs a process until it has said a line and some time has passed.
func killed(t *testing.T, role, path, line string, after time.Duration) {
	t.Helper()
	cmd := child(t, role, path)
	out := must1[io.ReadCloser](t)(cmd.StdoutPipe())
	must(t, cmd.Start())
	said, err := bufio.NewReader(out).ReadString('\n')
	time.Sleep(after)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if said != line+"\n" {
		t.Fatalf("the process said %q, %v; want %q", said, err, line)
	}
}

// Where a process dies while the host is being asked to delete a file, the file
// itself tells whether the host did. Without the folder nobody can say.
func TestKilledDuringDispose(t *testing.T) {
	rest := []string{"b/4.jpg", "b/5.jpg", "b/6.jpg"}
	for _, c := range []struct {
		role, line string
		expire     bool     // is called first, which does not see the folder
		asked      []string // by the next runs
	}{
		{"dispose", "asked", false, append([]string{"a/3.jpg"}, rest...)},
		{"dispose", "asked", true, append(slices.Clone(rest), "a/3.jpg")},
		{"dispose late", "deleted", false, rest},
		{"dispose late", "deleted", true, rest},
	} {
		t.Run(fmt.Sprintf("%s %v", c.line, c.expire), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.kith")
			onDisk(t, family(), path)
			photos := photosBeside(path)
			var asked []string
			clock := func() time.Time { return start.Add(40 * day) }
			cfg := withScenes(index.Config{Now: clock, Disposer: disposeFunc(func(_ context.Context, d index.Disposal) error {
				asked = append(asked, d.Name)
				return os.Remove(filepath.Join(photos, filepath.FromSlash(d.Name)))
			})})
			acc := must1[*index.Account](t)(index.Open(t.Context(), path, cfg))
			must(t, acc.SetConsent(t.Context(), yes))
			must(t, acc.SetRetention(t.Context(), index.Retention{index.ClassOriginals: 0}))
			must(t, acc.Close())
			killed(t, c.role, path, c.line, 0)

			acc = openAt(t, path, cfg)
			if n := len(worldOf(t, acc).faces); n != 9 {
				t.Errorf("%d faces of what was being deleted", n)
			}
			if p := photoOf(t, acc, "a/3.jpg"); !p.Disposed.IsZero() {
				t.Errorf("%+v counts as deleted", p)
			}
			if c.expire {
				e := must1[index.Expiry](t)(acc.Expire(t.Context(), index.ExpireOptions{}))
				if !slices.Equal(asked, rest) || len(e.Failed) != 0 || e.Disposed != 3 {
					t.Errorf("Expire asked for %q: %+v", asked, e)
				}
			}
			rep, err := acc.Reindex(t.Context(), os.DirFS(photos), index.ReindexOptions{})
			if err != nil || rep.Vanished != 0 || rep.Failed != 0 {
				t.Errorf("the next run: %v, %+v", err, rep)
			}
			if !slices.Equal(asked, c.asked) {
				t.Errorf("asked for %q, want %q", asked, c.asked)
			}
			if n := len(worldOf(t, acc).faces); n != 9 {
				t.Errorf("%d faces are left", n)
			}
			for _, p := range all(t, acc.Photos(t.Context(), index.PhotoQuery{})) {
				if p.Disposed.IsZero() {
					t.Errorf("%s does not count as deleted", p.Path)
				}
			}
			rep, err = acc.Reindex(t.Context(), os.DirFS(photos), index.ReindexOptions{Force: true})
			if err != nil || len(asked) != len(c.asked) || rep.Disposed != 0 {
				t.Errorf("then asked for %q: %v, %+v", asked, err, rep)
			}
		})
	}
}

// An Expire that is killed is completed by the next, or by the next Open.
func TestKilledDuringExpire(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a process twelve times")
	}
	base := filepath.Join(t.TempDir(), "base.kith")
	eye := &analyzer{}
	var m marks
	func() {
		acc := must1[*index.Account](t)(index.Open(t.Context(), base, withScenes(index.Config{Analyzer: eye, Now: func() time.Time { return start }})))
		_, em := markedFamily(t, acc, eye)
		m = em.biometrics
		for what := range em.person { // names stay
			delete(m, what)
		}
		delete(m, "Zebedee Zimmermann")
		must(t, acc.SetRetention(t.Context(), index.Retention{index.ClassFaces: 30 * day}))
		must(t, acc.Close())
	}()
	resumed := 0
	for i := range 12 {
		dir := t.TempDir()
		path := filepath.Join(dir, "a.kith")
		copyFile(t, base, path)
		killed(t, "expire", path, "expire", time.Duration(i)*time.Millisecond)
		clock := func() time.Time { return start.Add(40 * day) }
		acc := openAt(t, path, withScenes(index.Config{Now: clock}))
		e := must1[index.Expiry](t)(acc.Expire(t.Context(), index.ExpireOptions{}))
		entries, n := all(t, acc.Audit(t.Context())), 0
		for _, x := range entries {
			if x.Action == "expire" {
				n++
				if x.Counts[index.ClassFaces] != 9 {
					t.Errorf("the receipt counts %v", x.Counts)
				}
			}
		}
		if n != 1 {
			t.Errorf("round %d: %d receipts for one erasure", i, n)
		}
		if len(e.Receipts) == 0 {
			resumed++
		}
		m.wantNone(t, fmt.Sprintf("round %d", i), dir)
		if k := len(worldOf(t, acc).faces); k != 0 {
			t.Errorf("round %d: %d faces are left", i, k)
		}
		must(t, acc.Close())
	}
	t.Logf("in %d of 12 rounds the rows went before the process did", resumed)
}

// An erasure that is killed has either not begun or is completed by the next
// Open: who is gone is gone from the files.
func TestKilledDuringErasure(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a process sixteen times")
	}
	base := filepath.Join(t.TempDir(), "base.kith")
	eye := &analyzer{}
	names := map[string]marks{"Aurelia Featherstonehaugh": {}, "Zebedee Zimmermann": {}}
	acc := must1[*index.Account](t)(index.Open(t.Context(), base, withScenes(index.Config{Analyzer: eye})))
	src, em := markedFamily(t, acc, eye)
	names["Aurelia Featherstonehaugh"] = em.person
	zebedee := marks{}
	zebedee.text("Zebedee Zimmermann")
	for what, mark := range em.biometrics {
		if len(what) > 15 && what[:15] == "the vector of 1" {
			zebedee[what] = mark
		}
	}
	names["Zebedee Zimmermann"] = zebedee
	must(t, acc.Close())
	before, begun := 0, 0
	for i := range 16 {
		dir := t.TempDir()
		path := filepath.Join(dir, "a.kith")
		copyFile(t, base, path)
		killed(t, "erase", path, "erase", time.Duration(i)*time.Millisecond)
		acc := openAt(t, path, withScenes(index.Config{}))
		there := map[string]bool{}
		for _, p := range all(t, acc.People(t.Context(), index.PeopleQuery{Named: true})) {
			there[p.Name] = true
		}
		for name, m := range names {
			if there[name] {
				before++
				continue
			}
			begun++
			m.wantNone(t, fmt.Sprintf("round %d: %s", i, name), dir)
		}
		reindex(t, acc, src, index.ReindexOptions{Force: true})
		for name, m := range names {
			if !there[name] {
				m.wantNone(t, fmt.Sprintf("round %d, forced: %s", i, name), dir)
			}
		}
		must(t, acc.Close())
	}
	t.Logf("of 32 erasures %d were not begun and %d were", before, begun)
	if begun == 0 {
		t.Error("every process was killed before it did anything, so this test says nothing")
	}
}
