package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// keysFunc is a KeyProvider of one function.
type keysFunc func(account string) ([]byte, error)

func (f keysFunc) DataKey(_ context.Context, account string, _ bool) ([]byte, error) {
	return f(account)
}
func (f keysFunc) DestroyKey(context.Context, string) error { return nil }

// oneKey has the same key for every account, which a host should not have.
var oneKey = keysFunc(func(string) ([]byte, error) { return bytes.Repeat([]byte{7}, 32), nil })

// needsOnce skips a test that opens its own accounts, sealed and plain, where
// the suite runs a second time.
func needsOnce(t *testing.T) {
	t.Helper()
	if os.Getenv(sealedSuite) != "" {
		t.Skip("it chooses itself what is sealed, and ran already")
	}
}

// Nothing that is sealed is in any file of the account, and the search that
// says so finds all of it in a plain one.
func TestSealedBytes(t *testing.T) {
	needsOnce(t)
	for name, perChunk := range map[string]int{"in rows": 0, "in chunks": castPerChunk} {
		t.Run(name, func(t *testing.T) {
			plain, plainDir := castAt(t, Options{perChunk: perChunk})
			sealed, sealedDir := castAt(t, Options{perChunk: perChunk, Keys: fixedKeys{}})
			look := func(when string) {
				t.Helper()
				groups := plain.groups(func(of string) bool { return secret(of) && (of != beforeCorrection || when == "in the log") })
				if m := plain.all(groups...).missing(t, plainDir); len(m) > 0 {
					t.Errorf("%s: a plain account lacks %q: this test says nothing of them", when, m)
				}
				if found := sealed.all(sealed.groups(secret)...).in(t, sealedDir); len(found) > 0 {
					t.Errorf("%s: a sealed account holds %q", when, found)
				}
			}
			look("in the log")
			for _, c := range []*cast{plain, sealed} {
				if ok := must1[bool](t)(truncateLog(t.Context(), c.db.write)); !ok {
					t.Fatal("the log is in use")
				}
			}
			look("after a checkpoint")
			for _, c := range []*cast{plain, sealed} {
				must(t, c.db.Close())
			}
			look("closed")
		})
	}
}

func TestSealPlainAccount(t *testing.T) {
	needsOnce(t)
	for name, perChunk := range map[string]int{"in rows": 0, "in chunks": castPerChunk} {
		t.Run(name, func(t *testing.T) {
			c, dir := castAt(t, Options{perChunk: perChunk})
			before := c.everything(t, c.db)
			must(t, c.db.Close())
			path := filepath.Join(dir, "a.kith")
			rawExec(t, path, "PRAGMA secure_delete = OFF; CREATE TABLE soil (a TEXT);"+
				"INSERT INTO soil WITH n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) SELECT 'Freepagemark' || i FROM n; DROP TABLE soil")
			c.mark("free", "page", "Freepagemark")
			if m := c.all("free").missing(t, dir); len(m) > 0 {
				t.Fatal("there is nothing in the unused pages: this test would say nothing of them")
			}
			for _, when := range []string{"sealed", "opened again"} {
				db := must1[*DB](t)(Open(t.Context(), path, Options{Keys: fixedKeys{}, perChunk: perChunk, Now: clock()}))
				if d := differences(before, c.everything(t, db)); len(d) > 0 {
					t.Errorf("%s: %q", when, d)
				}
				mustCheck(t, db)
				found := c.all(c.groups(secret)...).in(t, dir)
				must(t, db.Close())
				if found = append(found, c.all(c.groups(secret)...).in(t, dir)...); len(found) > 0 {
					t.Errorf("%s: %q is in the files", when, found)
				}
			}
			db := must1[*DB](t)(Open(t.Context(), path, Options{ReadOnly: true, Keys: fixedKeys{}}))
			if d := differences(before, c.everything(t, db)); len(d) > 0 {
				t.Errorf("read-only: %q", d)
			}
			must(t, db.Close())
		})
	}
}

// A sealed account is opened with its own key or not at all, and what refuses
// to open it changes nothing.
func TestKeysRefused(t *testing.T) {
	needsOnce(t)
	c, dir := castAt(t, Options{Keys: fixedKeys{}, perChunk: castPerChunk})
	must(t, c.db.Close())
	path := filepath.Join(dir, "a.kith")
	before := snapshotDir(t, dir)
	lost := errors.New("the key server is down")
	texts := map[string]bool{}
	for name, tc := range map[string]struct {
		keys KeyProvider
		want error
		says string
	}{
		"without keys":     {nil, ErrNoKey, "opened without keys"},
		"with no such key": {keysFunc(func(string) ([]byte, error) { return nil, fmt.Errorf("not there: %w", ErrNoKey) }), ErrNoKey, "missing"},
		"with another key": {oneKey, ErrWrongKey, "not that of the account"},
		"with a short key": {keysFunc(func(string) ([]byte, error) { return make([]byte, 31), nil }), ErrWrongKey, "31 bytes"},
		"with a nil key":   {keysFunc(func(string) ([]byte, error) { return nil, nil }), ErrWrongKey, "0 bytes"},
		"with a server down": {
			keysFunc(func(string) ([]byte, error) { return nil, lost }), lost, "key server",
		},
	} {
		for _, readOnly := range []bool{false, true} {
			db, err := Open(t.Context(), path, Options{Keys: tc.keys, ReadOnly: readOnly})
			if err == nil {
				_ = db.Close()
			}
			if !errors.Is(err, tc.want) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%s (read-only %v): %v, want %q and the path", name, readOnly, err, tc.says)
				continue
			}
			if var1, var2 := errors.Is(err, ErrNoKey), errors.Is(err, ErrWrongKey); var1 && var2 {
				t.Errorf("%s: both errors at once: %v", name, err)
			}
			texts[err.Error()] = true
			if after := snapshotDir(t, dir); after["a.kith"] != before["a.kith"] || len(after["a.kith-wal"]) > 0 {
				t.Errorf("%s (read-only %v): the refused file changed", name, readOnly)
			}
		}
	}
	if len(texts) < 5 {
		t.Errorf("errors are told apart by too few texts: %v", texts)
	}
	if _, err := Open(t.Context(), path, Options{Keys: fixedKeys{}, AccountID: "another"}); !errors.Is(err, ErrWrongAccount) {
		t.Errorf("the right key, another account: %v", err)
	}
}

// A plain account stays plain for who reads it, also with keys.
func TestReadOnlyDoesNotSeal(t *testing.T) {
	needsOnce(t)
	c, dir := castAt(t, Options{})
	want := c.everything(t, c.db)
	must(t, c.db.Close())
	before := snapshotDir(t, dir)["a.kith"]
	db := must1[*DB](t)(Open(t.Context(), filepath.Join(dir, "a.kith"), Options{ReadOnly: true, Keys: fixedKeys{}}))
	if d := differences(want, c.everything(t, db)); len(d) > 0 {
		t.Errorf("%q", d)
	}
	mustCheck(t, db)
	must(t, db.Close())
	if snapshotDir(t, dir)["a.kith"] != before {
		t.Error("the file changed")
	}
}

// Who reads a plain account while another process seals it learns of it from
// State, which comes before all else: what it reads from then on is encrypted.
func TestSealedUnderReader(t *testing.T) {
	needsOnce(t)
	c, dir := castAt(t, Options{})
	must(t, c.db.Close())
	path := filepath.Join(dir, "a.kith")
	reader := must1[*DB](t)(Open(t.Context(), path, Options{ReadOnly: true}))
	defer func() { must(t, reader.Close()) }()
	if s := must1[State](t)(reader.State(t.Context())); s.Sealed {
		t.Errorf("state %+v of a plain account", s)
	}
	writer := must1[*DB](t)(Open(t.Context(), path, Options{Keys: fixedKeys{}}))
	defer func() { must(t, writer.Close()) }()
	if _, err := reader.State(t.Context()); !errors.Is(err, ErrNoKey) || !strings.Contains(err.Error(), path) {
		t.Errorf("the reader is told %v, want ErrNoKey and the path", err)
	}
	if s := must1[State](t)(writer.State(t.Context())); !s.Sealed {
		t.Errorf("state %+v of a sealed account", s)
	}
}

// Two values that are equal are not to be told so by their bytes, and one that
// was written twice is not written the same way.
func TestSealedTwice(t *testing.T) {
	v := must1[*vault](t)(newVault("a", make([]byte, 32)))
	seen := map[string]bool{}
	for range 100 {
		s := v.seal("people.name", "x", []byte("Anna"))
		if seen[string(s)] {
			t.Fatal("the same bytes twice")
		}
		seen[string(s)] = true
		if got := must1[[]byte](t)(v.open("people.name", "x", s)); string(got) != "Anna" {
			t.Fatalf("got %q", got)
		}
	}
	other := must1[*vault](t)(newVault("b", make([]byte, 32)))
	if v.pathKey("p") == other.pathKey("p") || v.contentKey(sha("1")) == other.contentKey(sha("1")) || v.fits(other.check) {
		t.Error("two accounts of one data key have a key in common")
	}
	if v.contentKey(sha("1")) == sha256.Sum256(nil) || v.tag("a", []byte("b")) == v.tag("ab", nil) {
		t.Error("the keyed hash does not tell column from value")
	}
}

// childSeal opens a plain account with keys, to be killed at it.
func childSeal(ctx context.Context, path string) error {
	fmt.Println("go")
	db, err := Open(ctx, path, Options{Keys: fixedKeys{}, perChunk: castPerChunk})
	if err != nil {
		return err
	}
	return db.Close()
}

// childSealDie seals a plain account and dies at one of its statements.
func childSealDie(ctx context.Context, path string) error {
	db, err := Open(ctx, path, Options{perChunk: castPerChunk})
	if err != nil {
		return err
	}
	if err := dieAtStatement(ctx, db, os.Getenv(childDeath)); err != nil {
		return err
	}
	db.keys = fixedKeys{}
	if err := db.sealAccount(ctx); err != nil {
		return err
	}
	return errors.New("it lives")
}

// A process that is killed while it seals an account leaves it plain or
// sealed, and the next one to open it with the key makes it sealed, with
// everything in it that was there.
func TestSealingKilled(t *testing.T) {
	alone(t)
	needsOnce(t)
	c, dir := castAt(t, Options{perChunk: castPerChunk})
	before := c.everything(t, c.db)
	must(t, c.db.Close())
	whole := must1[[]byte](t)(os.ReadFile(filepath.Join(dir, "a.kith")))
	deaths := []string{
		"1 UPDATE ON photos", "6 UPDATE ON photos", "9 UPDATE ON photos", "1 UPDATE ON faces", "7 UPDATE ON faces", "1 UPDATE ON vectors",
		"1 UPDATE ON chunks", "3 UPDATE ON chunks", "2 UPDATE ON decisions", "9 UPDATE ON decisions", "1 UPDATE ON consent",
		"3 UPDATE ON people", "1 UPDATE ON settings", "1 UPDATE ON products", "1 UPDATE ON account",
	}
	for range 10 {
		deaths = append(deaths, "") // whenever
	}
	span, finished := time.Duration(0), 0
	for i, death := range deaths {
		dir := t.TempDir()
		path := filepath.Join(dir, "a.kith")
		must(t, os.WriteFile(path, whole, 0o600))
		if death != "" {
			mustDieOf(t, "seal-die", path, death)
		} else if span += 4 * time.Millisecond; !killAfter(t, "seal", path, span) {
			finished++
		}
		db := must1[*DB](t)(Open(t.Context(), path, Options{Keys: fixedKeys{}, perChunk: castPerChunk, Now: clock()}))
		if d := differences(before, c.everything(t, db)); len(d) > 0 {
			t.Errorf("%d %s: %q", i, death, d)
		}
		mustCheck(t, db)
		found := c.all(c.groups(secret)...).in(t, dir)
		must(t, db.Close())
		if found = append(found, c.all(c.groups(secret)...).in(t, dir)...); len(found) > 0 {
			t.Errorf("%d %s: %q is in the files", i, death, slices.Compact(found))
		}
	}
	if finished == 10 {
		t.Error("no child was killed in time: those rounds say nothing")
	}
}
