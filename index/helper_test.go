package index_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kith-photos/kith/index"
)

// TestMain makes the test binary its own second process; see process_test.go.
func TestMain(m *testing.M) {
	if role := os.Getenv(childRole); role != "" {
		os.Exit(runChild(role))
	}
	// Fewer random accounts than usual, so that all is over in minutes;
	// -rapid.checks on the command line still counts.
	if err := flag.Set("rapid.checks", "30"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// start is what the tests' clocks show.
var start = time.Date(2024, 5, 17, 9, 30, 0, 0, time.UTC)

// cleaner is what a helper needs of *testing.T, or of *rapid.T and a temporary
// folder.
type cleaner interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
	Context() context.Context
}

func must(t cleaner, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func must1[T any](t cleaner) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func all[T any](t cleaner, seq iter.Seq2[T, error]) []T {
	t.Helper()
	var out []T
	for v, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

func wantErr(t cleaner, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got %v, want %v", what, err, want)
	}
}

// mustCheck looks for faults in the account's file.
func mustCheck(t cleaner, acc *index.Account) {
	t.Helper()
	for err := range acc.Check(context.Background()) {
		t.Errorf("check: %v", err)
	}
}

// openAt opens an account that is checked and closed when the test ends.
func openAt(t testing.TB, path string, cfg index.Config) *index.Account {
	t.Helper()
	acc := must1[*index.Account](t)(index.Open(t.Context(), path, cfg))
	t.Cleanup(func() { closeChecked(t, acc) })
	return acc
}

// closeChecked may be called on an account that is closed already.
func closeChecked(t cleaner, acc *index.Account) {
	t.Helper()
	for err := range acc.Check(context.Background()) {
		if !errors.Is(err, index.ErrClosed) {
			t.Errorf("check: %v", err)
		}
	}
	if err := acc.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

var yes = index.Consent{Given: true, By: "anna", Version: "1", Means: "test"}

// newAccount is an empty account with consent. Without an analyzer in cfg it
// looks at scenes; see scene_test.go.
func newAccount(t testing.TB, cfg index.Config) *index.Account {
	t.Helper()
	acc := openAt(t, filepath.Join(t.TempDir(), "a.kith"), withScenes(cfg))
	must(t, acc.SetConsent(t.Context(), yes))
	return acc
}

func withScenes(cfg index.Config) index.Config {
	if cfg.Analyzer == nil {
		cfg.Analyzer = &analyzer{}
	}
	cfg.Decoders = append(cfg.Decoders, sceneDecoder{})
	return cfg
}

// failures collects what a run reports.
type failures []*index.PhotoError

func (f *failures) add(e *index.PhotoError) { *f = append(*f, e) }

// of returns the failure of a path.
func (f failures) of(t cleaner, path string) *index.PhotoError {
	t.Helper()
	i := slices.IndexFunc(f, func(e *index.PhotoError) bool { return e.Path == path })
	if i < 0 {
		t.Fatalf("%q did not fail; these did: %v", path, []*index.PhotoError(f))
	}
	return f[i]
}

// reindex runs one Reindex that must succeed and fail on no photo.
func reindex(t cleaner, acc *index.Account, src *files, opt index.ReindexOptions) index.Report {
	t.Helper()
	rep, failed := reindexFailing(t, acc, src, opt)
	if len(failed) > 0 {
		t.Fatalf("failed: %v", []*index.PhotoError(failed))
	}
	return rep
}

// reindexFailing runs one Reindex on which photos may fail.
func reindexFailing(t cleaner, acc *index.Account, src *files, opt index.ReindexOptions) (index.Report, failures) {
	t.Helper()
	var failed failures
	opt.Failed = failed.add
	rep, err := acc.Reindex(t.Context(), src, opt)
	must(t, err)
	if rep.Failed != len(failed) {
		t.Errorf("the report counts %d failures, %d were reported", rep.Failed, len(failed))
	}
	return rep, failed
}

// wantReport compares the counts that a test names, in the report's order.
func wantReport(t cleaner, rep index.Report, want string) {
	t.Helper()
	var got []string
	for _, c := range []struct {
		name string
		n    int
	}{
		{"seen", rep.Seen}, {"unchanged", rep.Unchanged}, {"indexed", rep.Indexed}, {"moved", rep.Moved},
		{"copied", rep.Copied}, {"vanished", rep.Vanished}, {"failed", rep.Failed}, {"ignored", rep.Ignored},
		{"faces", rep.Faces},
	} {
		if c.n != 0 {
			got = append(got, fmt.Sprintf("%s %d", c.name, c.n))
		}
	}
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("report: %s; want %s", s, want)
	}
}

// photoOf returns the photo at a path.
func photoOf(t cleaner, acc *index.Account, path string) index.Photo {
	t.Helper()
	for _, p := range all(t, acc.Photos(t.Context(), index.PhotoQuery{})) {
		if p.Path == path {
			return p
		}
	}
	t.Fatalf("no photo %q", path)
	return index.Photo{}
}

// facesOf lists the faces of the photo at a path, from left to right.
func facesOf(t cleaner, acc *index.Account, path string) []index.Face {
	t.Helper()
	return all(t, acc.Faces(t.Context(), index.FaceQuery{Photo: photoOf(t, acc, path).ID}))
}

// personOf is whose the i-th face of a photo is.
func personOf(t cleaner, acc *index.Account, path string, i int) index.PersonID {
	t.Helper()
	fs := facesOf(t, acc, path)
	if i >= len(fs) {
		t.Fatalf("%q has %d faces", path, len(fs))
	}
	return fs[i].Person
}

// world is everything about faces and people, ids included.
type world struct {
	photos map[string]index.PhotoID
	faces  map[index.FaceID]index.PersonID
	names  map[index.PersonID]string
}

func (w world) equal(o world) bool {
	return maps.Equal(w.photos, o.photos) && maps.Equal(w.faces, o.faces) && maps.Equal(w.names, o.names)
}

func worldOf(t cleaner, acc *index.Account) world {
	t.Helper()
	w := world{map[string]index.PhotoID{}, map[index.FaceID]index.PersonID{}, map[index.PersonID]string{}}
	for _, p := range all(t, acc.Photos(t.Context(), index.PhotoQuery{})) {
		w.photos[p.Path] = p.ID
	}
	for _, f := range all(t, acc.Faces(t.Context(), index.FaceQuery{})) {
		w.faces[f.ID] = f.Person
	}
	for _, p := range all(t, acc.People(t.Context(), index.PeopleQuery{})) {
		w.names[p.ID] = p.Name
	}
	return w
}

// partition tells the people by their faces and not by their ids: the sorted
// list of sets, each of "path#face" and headed by the name, if there is one.
// Those that kith abstained on come as sets headed by "-".
func partition(t cleaner, acc *index.Account) []string {
	t.Helper()
	path := map[index.PhotoID]string{}
	for _, p := range all(t, acc.Photos(t.Context(), index.PhotoQuery{})) {
		path[p.ID] = p.Path
	}
	name := map[index.PersonID]string{}
	for _, p := range all(t, acc.People(t.Context(), index.PeopleQuery{})) {
		name[p.ID] = p.Name
	}
	sets := map[index.PersonID][]string{}
	nth := map[index.PhotoID]int{}
	for _, f := range all(t, acc.Faces(t.Context(), index.FaceQuery{})) {
		sets[f.Person] = append(sets[f.Person], fmt.Sprintf("%s#%d", path[f.Photo], nth[f.Photo]))
		nth[f.Photo]++
	}
	var out []string
	for id, s := range sets {
		slices.Sort(s)
		head := name[id]
		if id == "" {
			head = "-"
		}
		out = append(out, strings.TrimSpace(head+" "+strings.Join(s, " ")))
	}
	slices.Sort(out)
	return out
}

func wantPartition(t cleaner, acc *index.Account, want ...string) {
	t.Helper()
	if got := partition(t, acc); !slices.Equal(got, want) {
		t.Errorf("people:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// alone skips a long test of one goroutine where the short ones run, which look
// for races.
func alone(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("one goroutine, and long: run without -short")
	}
}
