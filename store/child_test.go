package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The test binary, started again with these variables, is another process.
const (
	childRole = "KITH_STORE_TEST_CHILD"
	childPath = "KITH_STORE_TEST_PATH"
)

func runChild(role string) int {
	ctx, path := context.Background(), os.Getenv(childPath)
	var err error
	switch role {
	case "hold": // opens, says so, and closes when its input ends
		err = childHold(ctx, path)
	case "write": // writes batch after batch until it is killed
		err = childWrite(ctx, path)
	case "die": // seals and unseals vectors until it dies in the middle
		err = childDie(ctx, path)
	case "read": // reads a read-only account and prints the paths
		err = childRead(ctx, path)
	case "seal": // opens a plain account with keys
		err = childSeal(ctx, path)
	case "seal-die": // seals a plain account until it dies in the middle
		err = childSealDie(ctx, path)
	case "erase": // erases, and dies on the way or is killed
		err = childErase(ctx, path)
	default:
		err = fmt.Errorf("unknown role %q", role)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		if errors.Is(err, ErrBusy) {
			return 3
		}
		return 1
	}
	return 0
}

func childHold(ctx context.Context, path string) error {
	db, err := testOpen(ctx, path, Options{})
	if err != nil {
		return err
	}
	fmt.Println("open")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return db.Close()
}

const crashBatch = 7

func childWrite(ctx context.Context, path string) error {
	db, err := testOpen(ctx, path, Options{})
	if err != nil {
		return err
	}
	// Where the one before was killed says nothing here: begin a new series.
	first := 0
	for _, err := range db.Files(ctx) {
		if err != nil {
			return err
		}
		first++
	}
	for n := first; ; n++ {
		if err := db.PutPhotos(ctx, testSpace, crashAnalyses(n)); err != nil {
			return err
		}
		fmt.Println(n)
	}
}

func crashAnalyses(n int) []Analysis {
	var batch []Analysis
	for i := range crashBatch {
		path := fmt.Sprintf("%06d/%d.jpg", n, i)
		a := Analysis{Photo: okPhoto(path, path)}
		for x := range i {
			a.Faces = append(a.Faces, faceAt(float64(200*x)))
		}
		batch = append(batch, a)
	}
	return batch
}

func childRead(ctx context.Context, path string) error {
	db, err := testOpen(ctx, path, Options{ReadOnly: true})
	if err != nil {
		return err
	}
	for f, err := range db.Files(ctx) {
		if err != nil {
			return err
		}
		fmt.Println(f.Path)
	}
	if err := db.SetSetting(ctx, "k", "v"); !errors.Is(err, ErrReadOnly) {
		return fmt.Errorf("a write gave %v, want ErrReadOnly", err)
	}
	for err := range db.Check(ctx) {
		return err
	}
	return db.Close()
}

// child starts the test binary as another process.
func child(t *testing.T, role, path string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(must1[string](t)(os.Executable()))
	cmd.Env = append(os.Environ(), childRole+"="+role, childPath+"="+path)
	cmd.Stderr = os.Stderr
	return cmd
}

func TestTwoProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.kith")
	cmd := child(t, "hold", path)
	in := must1[io.WriteCloser](t)(cmd.StdinPipe())
	out := must1[io.ReadCloser](t)(cmd.StdoutPipe())
	must(t, cmd.Start())
	defer func() { _ = cmd.Process.Kill() }()
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "open\n" {
		t.Fatalf("the other process says %q, %v", line, err)
	}

	began := time.Now()
	if _, err := testOpen(t.Context(), path, Options{}); !errors.Is(err, ErrBusy) || !strings.Contains(err.Error(), path) {
		t.Errorf("open a second time: %v, want ErrBusy and the path", err)
	}
	if d := time.Since(began); d > 2*time.Second {
		t.Errorf("ErrBusy took %v without a timeout", d)
	}
	if _, err := testOpen(t.Context(), path, Options{BusyTimeout: 60 * time.Millisecond}); !errors.Is(err, ErrBusy) {
		t.Errorf("open with a short timeout: %v, want ErrBusy", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Millisecond)
	defer cancel()
	if _, err := testOpen(ctx, path, Options{BusyTimeout: time.Hour}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("open with a context that ends: %v, want its error", err)
	}
	reader := openAt(t, path, Options{ReadOnly: true})
	if reader.AccountID() == "" {
		t.Error("the reader sees no account id")
	}

	time.AfterFunc(150*time.Millisecond, func() { _ = in.Close() })
	db := openAt(t, path, Options{BusyTimeout: time.Minute})
	must(t, cmd.Wait())
	must(t, db.SetSetting(t.Context(), "k", "v"))
	if v := must1[string](t)(reader.Setting(t.Context(), "k")); v != "v" {
		t.Errorf("the reader sees %q, want what the second writer wrote", v)
	}
}

func TestCrash(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.kith")
	db := must1[*DB](t)(testOpen(t.Context(), path, Options{}))
	must(t, db.PutSpace(t.Context(), Space{Name: testSpace, Dim: testDim}))
	must(t, db.Close())
	committed := map[int]bool{}
	for round := range 8 {
		cmd := child(t, "write", path)
		var complaint strings.Builder
		cmd.Stderr = &complaint
		out := must1[io.ReadCloser](t)(cmd.StdoutPipe())
		must(t, cmd.Start())
		timer := time.AfterFunc(time.Duration(60+37*round)*time.Millisecond, func() {
			_ = cmd.Process.Kill()
		})
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var n int
			if _, err := fmt.Sscan(lines.Text(), &n); err != nil {
				t.Fatalf("the writer says %q", lines.Text())
			}
			committed[n] = true
		}
		err := cmd.Wait()
		timer.Stop()
		if err == nil || complaint.Len() > 0 {
			t.Fatalf("the writer ended by itself: %v, %s", err, complaint.String())
		}
		checkCrashed(t, path, committed)
	}
	if len(committed) < 8 {
		t.Errorf("only %d batches were written, too few to say anything", len(committed))
	}
	t.Logf("%d batches survived 8 kills", len(committed))
}

// checkCrashed opens the account as the next process would.
func checkCrashed(t *testing.T, path string, committed map[int]bool) {
	t.Helper()
	db := must1[*DB](t)(testOpen(t.Context(), path, Options{}))
	defer func() { must(t, db.Close()) }()
	mustCheck(t, db)
	photos := map[int]int{}
	for f, err := range db.Files(t.Context()) {
		must(t, err)
		var n, i int
		must1[int](t)(fmt.Sscanf(f.Path, "%d/%d.jpg", &n, &i))
		photos[n]++
		if faces := collect(t, db.Faces(t.Context(), FaceQuery{Photo: f.ID})); len(faces) != i {
			t.Errorf("%s has %d faces, want %d", f.Path, len(faces), i)
		}
	}
	for n, k := range photos {
		if k != crashBatch {
			t.Errorf("batch %d has %d of %d photos", n, k, crashBatch)
		}
	}
	for n := range committed {
		if photos[n] == 0 {
			t.Errorf("batch %d was committed and is gone", n)
		}
	}
}

// A log that a crash left behind is read before an account is refused, and
// stays as it was.
func TestRefusalWithLog(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.kith")
	db := must1[*DB](t)(testOpen(t.Context(), path, Options{AccountID: "anna"}))
	must(t, db.PutSpace(t.Context(), Space{Name: testSpace, Dim: testDim}))
	must(t, db.Close())
	cmd := child(t, "write", path)
	out := must1[io.ReadCloser](t)(cmd.StdoutPipe())
	must(t, cmd.Start())
	lines := bufio.NewReader(out)
	for range 3 {
		must1[string](t)(lines.ReadString('\n'))
	}
	must(t, cmd.Process.Kill())
	_ = cmd.Wait()
	before := snapshotDir(t, dir)
	if before["a.kith-wal"] == "" {
		t.Fatal("the crash left no log, so this test would say nothing")
	}
	for _, readOnly := range []bool{true, false} {
		if _, err := testOpen(t.Context(), path, Options{AccountID: "bert", ReadOnly: readOnly}); !errors.Is(err, ErrWrongAccount) {
			t.Errorf("got %v, want ErrWrongAccount", err)
		}
		after := snapshotDir(t, dir)
		if after["a.kith"] != before["a.kith"] || after["a.kith-wal"] != before["a.kith-wal"] {
			t.Error("the refused account changed")
		}
	}
	reader := openAt(t, path, Options{ReadOnly: true})
	if files := collect(t, reader.Files(t.Context())); len(files) < 3*crashBatch {
		t.Errorf("a reader sees %d files, want what the log holds too", len(files))
	}
}
