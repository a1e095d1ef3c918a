package keyring

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain makes the test binary its own second process; see process_test.go.
func TestMain(m *testing.M) {
	if role := os.Getenv(childRole); role != "" {
		os.Exit(runChild(role))
	}
	os.Exit(m.Run())
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func must1[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		must(t, err)
		return v
	}
}

func randomKey() []byte {
	key := make([]byte, KeySize)
	rand.Read(key)
	return key
}

func openRing(t testing.TB, dir string, current []byte, old ...[]byte) *Ring {
	t.Helper()
	return must1[*Ring](t)(Open(dir, current, old...))
}

// dataKey is an account's data key, which must be there unless create.
func dataKey(t testing.TB, r *Ring, account string, create bool) []byte {
	t.Helper()
	return must1[[]byte](t)(r.DataKey(t.Context(), account, create))
}

func pathOf(r *Ring, account string) string { return r.path(sha256.Sum256([]byte(account))) }

// names are the names of the files in a folder, but for the lock.
func names(t testing.TB, dir string) []string {
	t.Helper()
	var list []string
	for _, e := range must1[[]os.DirEntry](t)(os.ReadDir(dir)) {
		if e.Name() != lockName {
			list = append(list, e.Name())
		}
	}
	return list
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	return must1[[]byte](t)(os.ReadFile(path))
}

func write(t testing.TB, path string, b []byte) {
	t.Helper()
	must(t, os.WriteFile(path, b, 0o600))
}

// privateDir is a folder as Open makes it.
func privateDir(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "keys")
}

// secondName gives a file another name, outside of its folder, by which its
// bytes can be read when it has lost the first.
func secondName(t testing.TB, path string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "second")
	must(t, os.Link(path, name))
	return name
}

// says reports whether a text has a key in it, in any of the usual forms.
func says(text string, key []byte) bool {
	lower := strings.ToLower(text)
	return strings.Contains(text, string(key)) ||
		strings.Contains(lower, hex.EncodeToString(key)) ||
		strings.Contains(lower, hex.EncodeToString(key[:8])) ||
		strings.Contains(text, base64.StdEncoding.EncodeToString(key)) ||
		strings.Contains(text, strings.Trim(fmt.Sprintf("%d", key[:6]), "[]"))
}

// mustBeWiped fails unless a file lost its wrapped key.
func mustBeWiped(t testing.TB, path string, before []byte) {
	t.Helper()
	if allZero(before[sealedAt:]) {
		t.Fatal("there was nothing to overwrite")
	}
	if after := read(t, path); len(after) != fileSize || !allZero(after[sealedAt:]) {
		t.Errorf("%x was not overwritten", after)
	}
}
