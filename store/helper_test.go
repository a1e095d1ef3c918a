package store

import (
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/face"
)

// TestMain makes the test binary its own second process; see child_test.go.
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

const (
	testSpace = "test-space"
	testDim   = 8
)

// start is what the tests' clocks show; each reading is a second later.
var start = time.Date(2024, 5, 17, 9, 30, 0, 0, time.UTC)

func clock() func() time.Time {
	n := 0
	return func() time.Time {
		n++
		return start.Add(time.Duration(n) * time.Second)
	}
}

// sealedSuite has every account of the tests sealed; see TestSealed.
const sealedSuite = "KITH_STORE_TEST_SEALED"

// testOpen is Open, with keys where the suite runs sealed.
func testOpen(ctx context.Context, path string, opt Options) (*DB, error) {
	if opt.Keys == nil && os.Getenv(sealedSuite) != "" {
		opt.Keys = fixedKeys{}
	}
	return Open(ctx, path, opt)
}

// fixedKeys has a key for every account, which it forgets nothing of.
type fixedKeys struct{}

func (fixedKeys) DataKey(_ context.Context, account string, _ bool) ([]byte, error) {
	key := sha256.Sum256([]byte("the key of " + account))
	return key[:], nil
}

func (fixedKeys) DestroyKey(context.Context, string) error { return nil }

// needsPlain skips a test that looks into the file, where that is sealed.
func needsPlain(t *testing.T) {
	t.Helper()
	if os.Getenv(sealedSuite) != "" {
		t.Skip("it looks at, or forges, the bytes of a plain account")
	}
}

// TestSealed runs all other tests with accounts that are sealed.
func TestSealed(t *testing.T) {
	switch {
	case os.Getenv(sealedSuite) != "":
		t.Skip("this is that run")
	case testing.Short():
		t.Skip("it takes as long as all the others")
	}
	cmd := exec.Command(must1[string](t)(os.Executable()), "-test.short")
	cmd.Env = append(os.Environ(), sealedSuite+"=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// openAt opens an account that is checked and closed when the test ends.
func openAt(t testing.TB, path string, opt Options) *DB {
	t.Helper()
	db, err := testOpen(context.Background(), path, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !db.closed.Load() {
			mustCheck(t, db)
		}
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return db
}

// newDB is an account with one vector space.
func newDB(t testing.TB) *DB {
	t.Helper()
	db := openAt(t, filepath.Join(t.TempDir(), "a.kith"), Options{Now: clock()})
	must(t, db.PutSpace(t.Context(), Space{Name: testSpace, Dim: testDim}))
	return db
}

func mustCheck(t testing.TB, db *DB) {
	t.Helper()
	for err := range db.Check(context.Background()) {
		t.Errorf("check: %v", err)
	}
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
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func collect[T any](t testing.TB, seq iter.Seq2[T, error]) []T {
	t.Helper()
	var all []T
	for v, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	return all
}

func sha(content string) [32]byte { return sha256.Sum256([]byte(content)) }

// vector is a unit vector that belongs to seed.
func vector(dim int, seed uint64) face.Vector {
	r := rand.New(rand.NewPCG(seed, 1))
	v := make(face.Vector, dim)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	v.Normalize()
	return v
}

// faceAt is a face of 100 by 100 pixels whose values all come from x.
func faceAt(x float64) face.Face {
	f := face.Face{
		Box: face.Box{X: x, Y: 20, W: 100, H: 100}, Score: 0.9, Quality: 0.5,
		Detector: "test", Vector: vector(testDim, uint64(x)),
	}
	for i := range f.Landmarks {
		f.Landmarks[i] = face.Point{X: x + float64(i) + 0.1, Y: 20.3 + float64(i)}
	}
	return f
}

// okPhoto is a photo that was looked at, with everything known about it.
func okPhoto(path, content string) Photo {
	alt := -3.25
	return Photo{
		Path: path, Size: int64(len(content)), ModTime: start.Add(123456789 * time.Nanosecond), SHA256: sha(content),
		Width: 400, Height: 300, Orientation: 6, Status: StatusOK, Analyzer: testSpace, Warning: "odd EXIF",
		Taken:  exif.Time{Wall: start.Add(-time.Hour), Offset: -3*time.Hour - 30*time.Minute, Zone: exif.ZoneOffset},
		GPS:    &exif.GPS{Lat: -33.9, Lon: 151.2, Alt: &alt},
		Camera: exif.Camera{Make: "Acme", Model: "One"},
	}
}

// put records one photo with faces at xs and returns both as they are now.
func put(t testing.TB, db *DB, path, content string, xs ...float64) (Photo, []Face) {
	t.Helper()
	a := Analysis{Photo: okPhoto(path, content)}
	for _, x := range xs {
		a.Faces = append(a.Faces, faceAt(x))
	}
	must(t, db.PutPhotos(t.Context(), testSpace, []Analysis{a}))
	return photoAt(t, db, path)
}

func photoAt(t testing.TB, db *DB, path string) (Photo, []Face) {
	t.Helper()
	p := must1[Photo](t)(db.PhotoByPath(t.Context(), path))
	return p, collect(t, db.Faces(t.Context(), FaceQuery{Photo: p.ID}))
}

// person puts faces together as one person.
func person(t testing.TB, db *DB, name string, faces ...Face) PersonID {
	t.Helper()
	p := Person{ID: NewPersonID(), Name: name}
	a := Assignment{People: []Person{p}, Faces: map[FaceID]Placed{}}
	for _, f := range faces {
		a.Faces[f.ID] = Placed{Person: p.ID, By: ByGroup}
	}
	must(t, db.PutPeople(t.Context(), a))
	return p.ID
}

// raw opens the file behind the package's back.
func rawExec(t testing.TB, file string, statements ...string) {
	t.Helper()
	pool := openSQL(file, readWrite, nil)
	for _, s := range statements {
		if _, err := pool.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	must(t, pool.Close())
}

// snapshotDir reads every file of a directory.
func snapshotDir(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, e := range must1[[]os.DirEntry](t)(os.ReadDir(dir)) {
		if e.Type().IsRegular() {
			b := must1[[]byte](t)(os.ReadFile(filepath.Join(dir, e.Name())))
			files[e.Name()] = string(b)
		}
	}
	return files
}

func names[T any](files map[string]T) string {
	var all []string
	for n := range files {
		all = append(all, n)
	}
	return fmt.Sprint(all)
}

// alone skips a long test of one goroutine where the short ones run, which look
// for races.
func alone(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("one goroutine, and long: run without -short")
	}
}
