package store_test

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kith-photos/kith/store"
	"github.com/kith-photos/kith/store/keyring"
)

// The tests here take accounts and keyring together, as a host does.

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func must1[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		must(t, err)
		return v
	}
}

func hostKey() []byte {
	key := make([]byte, keyring.KeySize)
	rand.Read(key)
	return key
}

// host is a folder of accounts and one of their keys.
type host struct{ accounts, keys string }

func newHost(t *testing.T) host {
	base := t.TempDir()
	return host{filepath.Join(base, "accounts"), filepath.Join(base, "keys")}
}

func (h host) ring(t *testing.T, current []byte, old ...[]byte) *keyring.Ring {
	t.Helper()
	must(t, os.MkdirAll(h.accounts, 0o700))
	return must1[*keyring.Ring](t)(keyring.Open(h.keys, current, old...))
}

func (h host) path(account string) string { return filepath.Join(h.accounts, account+".kith") }

// fill makes an account in which somebody has a name.
func (h host) fill(t *testing.T, ring *keyring.Ring, account, name string) {
	t.Helper()
	db := must1[*store.DB](t)(store.Open(t.Context(), h.path(account), store.Options{AccountID: account, Keys: ring}))
	must(t, db.PutPeople(t.Context(), store.Assignment{People: []store.Person{{ID: store.NewPersonID(), Name: name}}}))
	must(t, db.Close())
	if b := must1[[]byte](t)(os.ReadFile(h.path(account))); strings.Contains(string(b), name) {
		t.Fatalf("%s is in the file", name)
	}
}

// name opens an account, by whatever file, and says who is in it.
func name(t *testing.T, path string, ring store.KeyProvider, readOnly bool) (string, error) {
	t.Helper()
	db, err := store.Open(t.Context(), path, store.Options{Keys: ring, ReadOnly: readOnly})
	if err != nil {
		return "", err
	}
	defer func() { must(t, db.Close()) }()
	for err := range db.Check(t.Context()) {
		t.Errorf("check: %v", err)
	}
	for p, err := range db.People(t.Context(), store.PeopleQuery{}) {
		return p.Name, err
	}
	return "", store.ErrNotFound
}

// backup copies an account's file elsewhere.
func (h host) backup(t *testing.T, account string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "backup.kith")
	must(t, os.WriteFile(path, must1[[]byte](t)(os.ReadFile(h.path(account))), 0o600))
	return path
}

func TestHostKeyRotated(t *testing.T) {
	h, first, second := newHost(t), hostKey(), hostKey()
	ring := h.ring(t, first)
	h.fill(t, ring, "anna", "Annabel")
	h.fill(t, ring, "bert", "Bertram")
	before := must1[[]byte](t)(os.ReadFile(h.path("anna")))
	// One that is open while the host key changes goes on.
	open := must1[*store.DB](t)(store.Open(t.Context(), h.path("bert"), store.Options{Keys: ring}))
	if n := must1[int](t)(h.ring(t, second, first).Rotate(t.Context())); n != 2 {
		t.Errorf("%d keys wrapped again, want 2", n)
	}
	must(t, open.SetSetting(t.Context(), "k", "v"))
	must(t, open.Close())
	if after := must1[[]byte](t)(os.ReadFile(h.path("anna"))); string(after) != string(before) {
		t.Error("rotating touched the account's file")
	}
	for account, want := range map[string]string{"anna": "Annabel", "bert": "Bertram"} {
		for _, readOnly := range []bool{false, true} {
			if got, err := name(t, h.path(account), h.ring(t, second), readOnly); got != want || err != nil {
				t.Errorf("%s with the new host key: %q, %v", account, got, err)
			}
		}
		if _, err := name(t, h.path(account), h.ring(t, first), false); !errors.Is(err, store.ErrWrongKey) {
			t.Errorf("%s with the old host key: %v, want ErrWrongKey", account, err)
		}
	}
}

func TestCryptoErasure(t *testing.T) {
	for what, destroy := range map[string]func(t *testing.T, h host, ring *keyring.Ring){
		"by the key": func(t *testing.T, _ host, ring *keyring.Ring) { must(t, ring.DestroyKey(t.Context(), "anna")) },
		"by EraseAll": func(t *testing.T, h host, ring *keyring.Ring) {
			db := must1[*store.DB](t)(store.Open(t.Context(), h.path("anna"), store.Options{Keys: ring}))
			r := must1[store.Receipt](t)(db.EraseAll(t.Context()))
			if r.Counts[store.ClassPeople] != 1 || r.Action != "erase account" {
				t.Errorf("receipt %+v", r)
			}
			must(t, db.Close())
		},
	} {
		t.Run(what, func(t *testing.T) {
			h := newHost(t)
			ring := h.ring(t, hostKey())
			h.fill(t, ring, "anna", "Annabel")
			h.fill(t, ring, "bert", "Bertram")
			backup := h.backup(t, "anna")
			if got, err := name(t, backup, ring, true); got != "Annabel" || err != nil {
				t.Fatalf("the backup cannot be read before: %q, %v", got, err)
			}
			destroy(t, h, ring)
			paths := []string{backup}
			if what == "by the key" {
				paths = append(paths, h.path("anna"))
			}
			for _, path := range paths {
				for _, readOnly := range []bool{true, false} {
					before := must1[[]byte](t)(os.ReadFile(path))
					if got, err := name(t, path, ring, readOnly); !errors.Is(err, store.ErrNoKey) || !strings.Contains(err.Error(), path) {
						t.Errorf("%s (read-only %v): %q, %v, want ErrNoKey", path, readOnly, got, err)
					}
					if after := must1[[]byte](t)(os.ReadFile(path)); string(after) != string(before) {
						t.Error("the refused file changed")
					}
				}
			}
			if got, err := name(t, h.path("bert"), ring, false); got != "Bertram" || err != nil {
				t.Errorf("another account: %q, %v", got, err)
			}
			// The same host, the same id, a new start: another key, which the
			// backup does not fit.
			must(t, os.RemoveAll(h.path("anna")))
			h.fill(t, ring, "anna", "Annette")
			if got, err := name(t, backup, ring, true); !errors.Is(err, store.ErrWrongKey) {
				t.Errorf("the backup with the key of the new account: %q, %v, want ErrWrongKey", got, err)
			}
		})
	}
}

// An account that was erased stays so, keeps its receipts, and needs no key.
func TestErasedAccountReopened(t *testing.T) {
	h := newHost(t)
	ring := h.ring(t, hostKey())
	h.fill(t, ring, "anna", "Annabel")
	db := must1[*store.DB](t)(store.Open(t.Context(), h.path("anna"), store.Options{Keys: ring}))
	r := must1[store.Receipt](t)(db.EraseAll(t.Context()))
	must(t, db.Close())
	for _, keys := range []store.KeyProvider{ring, nil} {
		for _, readOnly := range []bool{true, false} {
			db := must1[*store.DB](t)(store.Open(t.Context(), h.path("anna"), store.Options{AccountID: "anna", Keys: keys, ReadOnly: readOnly}))
			for err := range db.Check(t.Context()) {
				t.Errorf("check: %v", err)
			}
			if s := must1[store.State](t)(db.State(t.Context())); s.Erased.IsZero() {
				t.Errorf("state %+v", s)
			}
			last := store.AuditEntry{}
			for e, err := range db.Audit(t.Context()) {
				must(t, err)
				last = e
			}
			if last.Hash != r.Hash {
				t.Errorf("the last entry is %+v, not the receipt", last)
			}
			must(t, db.Close())
		}
	}
	if _, err := ring.DataKey(t.Context(), "anna", false); !errors.Is(err, store.ErrNoKey) {
		t.Errorf("the key: %v, want ErrNoKey: opening the erased account must not make one", err)
	}
}

// A host whose keys cannot be destroyed just now learns of it, and the next
// time the account is opened the erasure is completed.
func TestErasureWithoutKeyServer(t *testing.T) {
	h := newHost(t)
	ring := h.ring(t, hostKey())
	h.fill(t, ring, "anna", "Annabel")
	keys := &flaky{Ring: ring, down: errors.New("the key server is down")}
	db := must1[*store.DB](t)(store.Open(t.Context(), h.path("anna"), store.Options{Keys: keys}))
	if r, err := db.EraseAll(t.Context()); !errors.Is(err, keys.down) || r.ID != "" {
		t.Errorf("got %+v, %v, want the error and no receipt", r, err)
	}
	must(t, db.Close())
	if _, err := store.Open(t.Context(), h.path("anna"), store.Options{Keys: keys}); !errors.Is(err, keys.down) {
		t.Errorf("opened meanwhile: %v, want the error", err)
	}
	keys.down = nil
	db = must1[*store.DB](t)(store.Open(t.Context(), h.path("anna"), store.Options{Keys: keys}))
	for p, err := range db.People(t.Context(), store.PeopleQuery{}) {
		t.Errorf("%v, %v is left", p, err)
	}
	must(t, db.Close())
	if _, err := ring.DataKey(t.Context(), "anna", false); !errors.Is(err, store.ErrNoKey) {
		t.Errorf("the key: %v, want ErrNoKey", err)
	}
}

// flaky destroys no key while it is down.
type flaky struct {
	*keyring.Ring
	down error
}

func (f *flaky) DestroyKey(ctx context.Context, account string) error {
	if f.down != nil {
		return f.down
	}
	return f.Ring.DestroyKey(ctx, account)
}
