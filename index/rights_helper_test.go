package index_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/store"
)

// keySafe keeps data keys in memory.
type keySafe struct {
	mu   sync.Mutex
	keys map[string][]byte
}

func (k *keySafe) DataKey(_ context.Context, account string, create bool) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	key, ok := k.keys[account]
	if !ok && !create {
		return nil, fmt.Errorf("account %s: %w", account, store.ErrNoKey)
	}
	if !ok {
		key = make([]byte, 32)
		if _, err := rand.Read(key); err != nil {
			return nil, err
		}
		if k.keys == nil {
			k.keys = map[string][]byte{}
		}
		k.keys[account] = key
	}
	return slices.Clone(key), nil
}

func (k *keySafe) DestroyKey(_ context.Context, account string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.keys, account)
	return nil
}

// plainAndSealed runs a test on an account in plain, and on one that is sealed.
func plainAndSealed(t *testing.T, f func(t *testing.T, keys store.KeyProvider)) {
	t.Run("plain", func(t *testing.T) { f(t, nil) })
	t.Run("sealed", func(t *testing.T) { f(t, &keySafe{}) })
}

// hands is a clock that is set by hand.
type hands struct {
	mu sync.Mutex
	t  time.Time
}

func newHands() *hands { return &hands{t: start} }

func (h *hands) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.t
}

func (h *hands) turn(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.t = h.t.Add(d)
}

func (h *hands) set(t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.t = t
}

const day = 24 * time.Hour

// marks are byte strings by what they are of, to be looked for in files.
type marks map[string][]byte

func (m marks) text(s string) { m[s] = []byte(s) }

// vector takes the middle of a vector as it lies in a file.
func (m marks) vector(what string, v face.Vector) {
	var b []byte
	for _, x := range v[20:30] {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	m[what] = b
}

// in lists the marks that the files of a folder hold.
func (m marks) in(t *testing.T, dir string) (found []string) {
	t.Helper()
	for _, e := range must1[[]os.DirEntry](t)(os.ReadDir(dir)) {
		data := must1[[]byte](t)(os.ReadFile(filepath.Join(dir, e.Name())))
		for what, mark := range m {
			if bytes.Contains(data, mark) {
				found = append(found, what+" in "+e.Name())
			}
		}
	}
	slices.Sort(found)
	return found
}

// wantNone looks for the marks where they must not be.
func (m marks) wantNone(t *testing.T, when, dir string) {
	t.Helper()
	if found := m.in(t, dir); len(found) > 0 {
		t.Errorf("%s: found %q", when, found)
	}
}

// wantAll makes sure that marks would be found if they were there.
func (m marks) wantAll(t *testing.T, when, dir string) {
	t.Helper()
	found := m.in(t, dir)
	for what := range m {
		if !slices.ContainsFunc(found, func(s string) bool { return len(s) > len(what) && s[:len(what)] == what }) {
			t.Errorf("%s: %s is not found, so that looking for it says nothing", when, what)
		}
	}
}

// sees makes an analyzer note the vectors that it finds, by photo and person.
func sees(eye *analyzer, seen func(title string, person int, v face.Vector)) {
	var mu sync.Mutex
	eye.hook = func(ctx context.Context, s *scene, fs []face.Face) ([]face.Face, error) {
		mu.Lock()
		defer mu.Unlock()
		var title string
		if _, err := fmt.Sscanf(s.text, sceneMagic+" %q\n", &title); err != nil {
			return nil, err
		}
		for i, f := range fs {
			seen(title, s.faces[i].person, slices.Clone(f.Vector))
		}
		return fs, ctx.Err()
	}
}

// erasedMarks are what an account of markedFamily must lose, by what it loses.
type erasedMarks struct{ photo, person, biometrics, account marks }

// markedFamily fills an account with things that are found again among bytes.
func markedFamily(t *testing.T, acc *index.Account, eye *analyzer) (*files, erasedMarks) {
	t.Helper()
	const first = "Aloysius Album/Quincunx.jpg"
	m := erasedMarks{marks{}, marks{}, marks{}, marks{}}
	sees(eye, func(title string, person int, v face.Vector) {
		what := fmt.Sprintf("the vector of %d on %s", person, title)
		m.biometrics.vector(what, v)
		if title == "1" {
			m.photo.vector(what, v)
		}
		if person == 2 {
			m.person.vector(what, v)
		}
	})
	src := newFiles(map[string][]byte{
		first: shot("1", 1, 3), "Balthasar Album/2.jpg": shot("2", 1, 2), "Balthasar Album/3.jpg": shot("3", 2, 3),
		"Balthasar Album/4.jpg": shot("4", 1), "Balthasar Album/5.jpg": shot("5", 2), "Balthasar Album/6.jpg": shot("6", 3),
	})
	must(t, acc.SetConsent(t.Context(), index.Consent{Given: true, By: "Cuthbert Consenting", Version: "wording-8271", Means: "test"}))
	reindex(t, acc, src, index.ReindexOptions{Source: "Ermintrude's disk"})
	must1[index.DecisionID](t)(acc.Name(t.Context(), personOf(t, acc, first, 0), "Zebedee Zimmermann"))
	who := personOf(t, acc, "Balthasar Album/5.jpg", 0)
	must1[index.DecisionID](t)(acc.Name(t.Context(), who, "Dorothea Early"))
	must1[index.DecisionID](t)(acc.Name(t.Context(), who, "Aurelia Featherstonehaugh"))
	must1[string](t)(acc.Keep(t.Context(), index.ClassExports, "Florimond's export.json"))
	m.photo.text(first)
	m.person.text("Dorothea Early")
	m.person.text("Aurelia Featherstonehaugh")
	m.biometrics.text("Zebedee Zimmermann")
	for _, s := range []string{"Balthasar Album", "Cuthbert Consenting", "wording-8271", "Ermintrude's disk", "Florimond's export"} {
		m.account.text(s)
	}
	return src, m
}
