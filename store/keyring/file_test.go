package keyring

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kith-photos/kith/store"
)

func TestRefusedFiles(t *testing.T) {
	host := randomKey()
	change := func(at int, x byte) func([]byte) []byte {
		return func(b []byte) []byte { b[at] ^= x; return b }
	}
	for name, c := range map[string]struct {
		change func([]byte) []byte
		want   error
		text   string
	}{
		"empty":        {func([]byte) []byte { return nil }, ErrFormat, "does not begin"},
		"foreign":      {func([]byte) []byte { return bytes.Repeat([]byte("kith"), 27) }, ErrFormat, "does not begin"},
		"magic only":   {func(b []byte) []byte { return b[:7] }, ErrFormat, "cut short"},
		"cut short":    {func(b []byte) []byte { return b[:fileSize-1] }, ErrFormat, "107 of 108"},
		"too long":     {func(b []byte) []byte { return append(b, 0) }, ErrFormat, "more than 108"},
		"huge":         {func(b []byte) []byte { return append(b, make([]byte, 1<<20)...) }, ErrFormat, "more than 108"},
		"next version": {change(7, 3), ErrFormat, "version is 2"},
		"host key id":  {change(9, 1), store.ErrWrongKey, "not among the 1 given, or the file was changed"},
		"account":      {change(16, 1), store.ErrWrongKey, "another account"},
		"nonce":        {change(48, 1), store.ErrWrongKey, "file was changed"},
		"data key":     {change(60, 1), store.ErrWrongKey, "file was changed"},
		"tag":          {change(107, 1), store.ErrWrongKey, "file was changed"},
		"destroyed":    {func(b []byte) []byte { clear(b[sealedAt:]); return b }, store.ErrNoKey, "destroyed"},
	} {
		t.Run(name, func(t *testing.T) {
			r := openRing(t, privateDir(t), host)
			key := dataKey(t, r, "anna", true)
			path := pathOf(r, "anna")
			write(t, path, c.change(read(t, path)))
			mustRefuse(t, r, "anna", c.want, c.text, key, host)
		})
	}
}

// mustRefuse fails unless the account's key is refused with an error that is
// want only, names the file, has the text, and tells no key.
func mustRefuse(t *testing.T, r *Ring, account string, want error, text string, secrets ...[]byte) {
	t.Helper()
	got, err := r.DataKey(t.Context(), account, false)
	if got != nil || err == nil {
		t.Fatalf("got %x, %v; want an error", got, err)
	}
	for _, kind := range []error{store.ErrNoKey, store.ErrWrongKey, ErrFormat} {
		if is := errors.Is(err, kind); is != (kind == want) {
			t.Errorf("%v: is it %q: %t", err, kind, is)
		}
	}
	if !strings.Contains(err.Error(), text) || !strings.Contains(err.Error(), pathOf(r, account)) {
		t.Errorf("%v does not say %q and the path", err, text)
	}
	for _, secret := range secrets {
		if says(err.Error(), secret) {
			t.Errorf("%v tells a key", err)
		}
	}
}

func TestWrongHostKey(t *testing.T) {
	dir, host := privateDir(t), randomKey()
	first := openRing(t, dir, host)
	key := dataKey(t, first, "anna", true)
	before := read(t, pathOf(first, "anna"))
	r := openRing(t, dir, randomKey(), randomKey())
	mustRefuse(t, r, "anna", store.ErrWrongKey, "not among the 2 given", key, host)
	if _, err := r.DataKey(t.Context(), "anna", true); !errors.Is(err, store.ErrWrongKey) {
		t.Errorf("with create: %v, want ErrWrongKey", err)
	}
	if !bytes.Equal(read(t, pathOf(r, "anna")), before) {
		t.Error("the file was changed")
	}
}

func TestSwappedFiles(t *testing.T) {
	r := openRing(t, privateDir(t), randomKey())
	dataKey(t, r, "anna", true)
	dataKey(t, r, "bert", true)
	anna, bert := read(t, pathOf(r, "anna")), read(t, pathOf(r, "bert"))
	write(t, pathOf(r, "anna"), bert)
	write(t, pathOf(r, "bert"), anna)
	mustRefuse(t, r, "anna", store.ErrWrongKey, "another account")
	mustRefuse(t, r, "bert", store.ErrWrongKey, "another account")
	// Nor does it help to write the other account's id into it.
	copy(bert[accountAt:sealedAt], anna[accountAt:sealedAt])
	write(t, pathOf(r, "anna"), bert)
	mustRefuse(t, r, "anna", store.ErrWrongKey, "file was changed")
}

// No bit of a file can be changed unseen.
func TestEveryBit(t *testing.T) {
	r := &Ring{keys: []hostKey{must1[hostKey](t)(newHostKey(randomKey()))}}
	id := digest(sha256.Sum256([]byte("anna")))
	key := randomKey()
	whole := r.keys[0].wrap(id, key)
	if got, _, err := r.unwrap(whole, id); err != nil || !bytes.Equal(got, key) {
		t.Fatalf("unchanged: %x, %v", got, err)
	}
	for bit := range 8 * len(whole) {
		b := bytes.Clone(whole)
		b[bit/8] ^= 1 << (bit % 8)
		if got, _, err := r.unwrap(b, id); err == nil {
			t.Errorf("bit %d changed: got %x", bit, got)
		}
	}
	if again := r.keys[0].wrap(id, key); bytes.Equal(again, whole) {
		t.Error("the nonce is not random")
	}
}

func TestRefusedKinds(t *testing.T) {
	for name, setUp := range map[string]func(path string) error{
		"symbolic link": func(path string) error {
			if err := os.Rename(path, path+".real"); err != nil {
				return err
			}
			return os.Symlink(path+".real", path)
		},
		"folder":   func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
		"readable": func(path string) error { return os.Chmod(path, 0o640) },
		"writable": func(path string) error { return os.Chmod(path, 0o602) },
	} {
		t.Run(name, func(t *testing.T) {
			if onWindows {
				t.Skip("Windows has no modes, and links are for administrators")
			}
			r := openRing(t, privateDir(t), randomKey())
			key := dataKey(t, r, "anna", true)
			must(t, setUp(pathOf(r, "anna")))
			mustRefuse(t, r, "anna", nil, "", key)
			if _, err := r.Rotate(t.Context()); err == nil {
				t.Error("Rotate says nothing of it")
			}
		})
	}
	if !onWindows {
		r := openRing(t, privateDir(t), randomKey())
		must(t, os.Symlink(filepath.Join(t.TempDir(), "x"), filepath.Join(r.dir, lockName)))
		if _, err := r.DataKey(t.Context(), "anna", true); err == nil || !strings.Contains(err.Error(), lockName) {
			t.Errorf("a symbolic link as the lock: %v", err)
		}
	}
}

// What FuzzUnwrap's seeds were made with.
var (
	goldenHost    = bytes.Repeat([]byte("host key"), 4)
	goldenData    = bytes.Repeat([]byte("data key"), 4)
	goldenAccount = digest(sha256.Sum256([]byte("anna")))
)

// A file of the first version can be read for good: the seed is one.
func TestGolden(t *testing.T) {
	r := &Ring{keys: []hostKey{must1[hostKey](t)(newHostKey(goldenHost))}}
	b := seed(t, "FuzzUnwrap", "whole")
	if got, _, err := r.unwrap(b, goldenAccount); err != nil || !bytes.Equal(got, goldenData) {
		t.Errorf("got %q, %v", got, err)
	}
}

// Whatever the bytes: no panic, an error of a known kind, or the data key that
// was wrapped, since nobody else has the host key.
func FuzzUnwrap(f *testing.F) {
	r := &Ring{keys: []hostKey{must1[hostKey](f)(newHostKey(goldenHost))}}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		key, _, err := r.unwrap(b, goldenAccount)
		switch {
		case !bytes.Equal(b, before):
			t.Error("the bytes were changed")
		case err == nil && !bytes.Equal(key, goldenData):
			t.Errorf("a forged key: %x", key)
		case err == nil && len(b) != fileSize:
			t.Errorf("%d bytes are a file", len(b))
		case err != nil && !errors.Is(err, ErrFormat) && !errors.Is(err, store.ErrWrongKey) && !errors.Is(err, store.ErrNoKey):
			t.Errorf("an unknown error: %v", err)
		case err != nil && key != nil:
			t.Errorf("both a key and %v", err)
		}
	})
}
