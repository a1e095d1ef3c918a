package keyring

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kith-photos/kith/store"
	"pgregory.net/rapid"
)

func TestDataKey(t *testing.T) {
	dir, host := filepath.Join(t.TempDir(), "a", "keys"), randomKey()
	r := openRing(t, dir, host)
	accounts := []string{"anna", "bert", "", ".", "../../etc/passwd", "a/b\\c:d*", "nul\x00\xff", "Ångström", "ANNA", strings.Repeat("x", 1<<16)}
	keys := map[string][]byte{}
	for _, account := range accounts {
		if key, err := r.DataKey(t.Context(), account, false); !errors.Is(err, store.ErrNoKey) || key != nil || !strings.Contains(err.Error(), dir) {
			t.Fatalf("before there is one: %x, %v; want ErrNoKey and the path", key, err)
		}
		key := dataKey(t, r, account, true)
		if len(key) != KeySize || allZero(key) {
			t.Fatalf("key of %q: %x", account, key)
		}
		for other, k := range keys {
			if bytes.Equal(k, key) {
				t.Errorf("%q and %q have the same key", account, other)
			}
		}
		keys[account] = bytes.Clone(key)
		clear(key) // the caller's own: what is kept must not change
	}
	for _, r := range []*Ring{r, openRing(t, dir, host), openRing(t, dir, randomKey(), randomKey(), host)} {
		for account, key := range keys {
			for _, create := range []bool{false, true} {
				if got := dataKey(t, r, account, create); !bytes.Equal(got, key) {
					t.Errorf("key of %q, create %t: %x, want %x", account, create, got, key)
				}
			}
		}
	}

	list := names(t, dir)
	if len(list) != len(accounts) {
		t.Errorf("%d files, want one per account: %q", len(list), list)
	}
	for _, name := range list {
		b := string(read(t, filepath.Join(dir, name)))
		if _, kind := parseName(name); kind != keyFile {
			t.Errorf("there is a file %q", name)
		}
		for account, key := range keys {
			if says(b, key) || says(b, host) {
				t.Errorf("%s has a key in plain", name)
			}
			if len(account) >= 4 && strings.Contains(b+name, account) {
				t.Errorf("%s has the id %q", name, account)
			}
		}
	}
	if !onWindows {
		for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Dir(dir): 0o700, pathOf(r, "anna"): 0o600, filepath.Join(dir, lockName): 0o600} {
			if mode := must1[os.FileInfo](t)(os.Stat(path)).Mode().Perm(); mode != want {
				t.Errorf("%s has mode %o, want %o", path, mode, want)
			}
		}
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%x", "%s"} {
		if text := fmt.Sprintf(format, r) + fmt.Sprintf(format, *r); says(text, host) {
			t.Errorf("a Ring prints its host key with %s: %s", format, text)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	good, dir := randomKey(), privateDir(t)
	for name, keys := range map[string][][]byte{
		"none": {nil}, "short": {good[:31]}, "long": {append(bytes.Clone(good), 1)},
		"zeros": {make([]byte, KeySize)}, "old one": {good, good[:16]},
	} {
		if _, err := Open(dir, keys[0], keys[1:]...); err == nil || says(err.Error(), good) {
			t.Errorf("%s: %v, want an error without the key", name, err)
		}
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a refused Open made the folder")
	}
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, nil)
	if _, err := Open(file, good); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("a file as the folder: %v", err)
	}
	if onWindows {
		t.Log("without the part about modes, which Windows has none of")
		return
	}
	for _, mode := range []os.FileMode{0o750, 0o705, 0o711, 0o777} {
		open := t.TempDir()
		must(t, os.Chmod(open, mode))
		if _, err := Open(open, good); err == nil || !strings.Contains(err.Error(), open) {
			t.Errorf("a folder of mode %o: %v, want a refusal with its path", mode, err)
		}
	}
}

func TestDestroyKey(t *testing.T) {
	r := openRing(t, privateDir(t), randomKey())
	must(t, r.DestroyKey(t.Context(), "anna"))
	key, other := dataKey(t, r, "anna", true), dataKey(t, r, "bert", true)
	before := read(t, pathOf(r, "anna"))
	second := secondName(t, pathOf(r, "anna"))
	must(t, r.DestroyKey(t.Context(), "anna"))
	mustBeWiped(t, second, before)
	if list := names(t, r.dir); !slices.Equal(list, []string{filepath.Base(pathOf(r, "bert"))}) {
		t.Errorf("after it there are %q", list)
	}
	if _, err := r.DataKey(t.Context(), "anna", false); !errors.Is(err, store.ErrNoKey) {
		t.Errorf("after it: %v, want ErrNoKey", err)
	}
	must(t, r.DestroyKey(t.Context(), "anna"))
	if again := dataKey(t, r, "anna", true); bytes.Equal(again, key) {
		t.Error("the key came back")
	}
	if got := dataKey(t, r, "bert", false); !bytes.Equal(got, other) {
		t.Error("another account's key changed")
	}
}

func TestRotate(t *testing.T) {
	dir, a, b := privateDir(t), randomKey(), randomKey()
	first := openRing(t, dir, a)
	keys := map[string][]byte{}
	for i := range 5 {
		account := fmt.Sprint(i)
		keys[account] = dataKey(t, first, account, true)
	}
	before := read(t, pathOf(first, "3"))
	second := secondName(t, pathOf(first, "3"))
	write(t, filepath.Join(dir, "README.key"), []byte("not ours"))
	both := openRing(t, dir, b, a)
	keys["new"] = dataKey(t, both, "new", true)
	for _, want := range []int{5, 0} {
		if n := must1[int](t)(both.Rotate(t.Context())); n != want {
			t.Errorf("rotated %d files, want %d", n, want)
		}
	}
	mustBeWiped(t, second, before)
	if list := names(t, dir); len(list) != len(keys)+1 {
		t.Errorf("there are %q", list)
	}
	for account, key := range keys {
		if got := dataKey(t, openRing(t, dir, b), account, false); !bytes.Equal(got, key) {
			t.Errorf("the data key of %q changed", account)
		}
		if _, err := first.DataKey(t.Context(), account, true); !errors.Is(err, store.ErrWrongKey) {
			t.Errorf("with the old host key: %v, want ErrWrongKey", err)
		}
	}
}

// What cannot be unwrapped stays as it is, is reported, and keeps nothing else
// from being rotated.
func TestRotateWithBrokenFiles(t *testing.T) {
	dir, a, b := privateDir(t), randomKey(), randomKey()
	first := openRing(t, dir, a)
	for i := range 6 {
		dataKey(t, first, fmt.Sprint(i), true)
	}
	cut, foreign := pathOf(first, "1"), pathOf(first, "4")
	write(t, cut, read(t, cut)[:50])
	dataKey(t, openRing(t, dir, randomKey()), "foreign", true)
	must(t, os.Rename(pathOf(first, "foreign"), foreign))
	last := strings.TrimSuffix(cut, keySuffix) + ".1.old" + tempSuffix
	write(t, last, []byte("may be the last copy"))
	before := [][]byte{read(t, cut), read(t, foreign)}

	both := openRing(t, dir, b, a)
	n, err := both.Rotate(t.Context())
	if n != 4 || !errors.Is(err, ErrFormat) || !errors.Is(err, store.ErrWrongKey) {
		t.Errorf("%d rotated, %v; want 4 and both errors", n, err)
	}
	for i, path := range []string{cut, foreign} {
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%v does not name %s", err, path)
		}
		if !bytes.Equal(read(t, path), before[i]) {
			t.Errorf("%s was changed", path)
		}
	}
	if got := read(t, last); string(got) != "may be the last copy" {
		t.Errorf("what a crash left of a broken file is %q", got)
	}
}

func TestContext(t *testing.T) {
	dir, a, b := privateDir(t), randomKey(), randomKey()
	dataKey(t, openRing(t, dir, a), "anna", true)
	r := openRing(t, dir, b, a)
	calls := map[string]func(context.Context) error{
		"DataKey":    func(ctx context.Context) error { _, err := r.DataKey(ctx, "anna", false); return err },
		"make":       func(ctx context.Context) error { _, err := r.DataKey(ctx, "bert", true); return err },
		"DestroyKey": func(ctx context.Context) error { return r.DestroyKey(ctx, "anna") },
		"Rotate":     func(ctx context.Context) error { _, err := r.Rotate(ctx); return err },
	}
	before := read(t, pathOf(r, "anna"))
	check := func(ctx context.Context, want error) {
		for name, call := range calls {
			if err := call(ctx); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", name, err, want)
			}
		}
		if list := names(t, dir); len(list) != 1 || !bytes.Equal(read(t, pathOf(r, "anna")), before) {
			t.Errorf("something changed: %q", list)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	check(ended, context.Canceled)

	// Who waits for another one's change waits no longer than the context.
	must(t, r.locked(t.Context(), exclusive, func() error {
		for name, call := range calls {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
			if err := call(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s while another changes: %v", name, err)
			}
			cancel()
		}
		return nil
	}))
	// Readers do not wait for each other.
	must(t, r.locked(t.Context(), shared, func() error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := r.DataKey(ctx, "anna", false)
		return err
	}))
}

// A ring does what a map of keys would, whatever is done to it.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir := must1[string](t)(os.MkdirTemp(t.TempDir(), ""))
		hosts := [][]byte{randomKey()}
		r := openRing(t, dir, hosts[0])
		want, stale := map[string][]byte{}, map[string]bool{}
		account := rapid.SampledFrom([]string{"a", "b", "c"})
		rt.Repeat(map[string]func(*rapid.T){
			"create": func(rt *rapid.T) {
				id := account.Draw(rt, "account")
				key := dataKey(t, r, id, true)
				if want[id] == nil {
					want[id] = key
				}
			},
			"destroy": func(rt *rapid.T) {
				id := account.Draw(rt, "account")
				must(t, r.DestroyKey(t.Context(), id))
				delete(want, id)
				delete(stale, id)
			},
			"new host key": func(*rapid.T) {
				hosts = slices.Insert(hosts, 0, randomKey())
				r = openRing(t, dir, hosts[0], hosts[1:]...)
				for id := range want {
					stale[id] = true
				}
			},
			"rotate": func(rt *rapid.T) {
				if n := must1[int](t)(r.Rotate(t.Context())); n != len(stale) {
					rt.Errorf("rotated %d, want %d", n, len(stale))
				}
				clear(stale)
				hosts = hosts[:1]
				r = openRing(t, dir, hosts[0])
			},
			"": func(rt *rapid.T) {
				for _, id := range []string{"a", "b", "c"} {
					key, err := r.DataKey(t.Context(), id, false)
					if want[id] == nil != errors.Is(err, store.ErrNoKey) || !bytes.Equal(key, want[id]) {
						rt.Fatalf("%s: %x, %v; want %x", id, key, err, want[id])
					}
				}
				if list := names(t, dir); len(list) != len(want) {
					rt.Fatalf("%d files, want %d", len(list), len(want))
				}
			},
		})
	})
}
