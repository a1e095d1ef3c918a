package index_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/index"
)

// The test binary, started again with these variables, is another process.
const (
	childRole = "KITH_INDEX_TEST_CHILD"
	childPath = "KITH_INDEX_TEST_PATH"
)

func runChild(role string) int {
	ctx, path := context.Background(), os.Getenv(childPath)
	var err error
	switch role {
	case "hold": // opens, says so, and closes when its input ends
		err = childHold(ctx, path)
	case "reindex": // indexes the crowd slowly, until it is done or killed
		err = childReindex(ctx, path)
	case "dispose", "dispose late", "expire", "erase": // works until it is killed; see rights_process_test.go
		err = childRights(ctx, role, path)
	default:
		err = fmt.Errorf("unknown role %q", role)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func childHold(ctx context.Context, path string) error {
	acc, err := index.Open(ctx, path, index.Config{})
	if err != nil {
		return err
	}
	fmt.Println("open")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return acc.Close()
}

const crashPhotos = 400

func childReindex(ctx context.Context, path string) error {
	eye := &analyzer{hook: func(_ context.Context, _ *scene, fs []face.Face) ([]face.Face, error) {
		time.Sleep(500 * time.Microsecond)
		return fs, nil
	}}
	acc, err := index.Open(ctx, path, withScenes(index.Config{Analyzer: eye, Workers: 2}))
	if err != nil {
		return err
	}
	if err := acc.SetConsent(ctx, yes); err != nil {
		return err
	}
	_, err = acc.Reindex(ctx, crowd(crashPhotos, 7), index.ReindexOptions{
		Progress: func(p index.Progress) { fmt.Println(p.Phase, p.Done) },
	})
	return errors.Join(err, acc.Close())
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
	_, err := index.Open(t.Context(), path, index.Config{})
	wantErr(t, "open a second time", err, index.ErrBusy)
	if err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("%v does not name the file", err)
	}
	if d := time.Since(began); d > 2*time.Second {
		t.Errorf("ErrBusy took %v without waiting", d)
	}
	reader := openAt(t, path, index.Config{ReadOnly: true}) // is always let in
	all(t, reader.Photos(t.Context(), index.PhotoQuery{}))

	time.AfterFunc(150*time.Millisecond, func() { _ = in.Close() })
	acc := openAt(t, path, withScenes(index.Config{Busy: time.Minute}))
	must(t, cmd.Wait())
	must(t, acc.SetConsent(t.Context(), yes))
	reindex(t, acc, family(), index.ReindexOptions{})
	wantPartition(t, reader, familyPeople...)
}

// TestCrash kills a process in the middle of indexing, again and again, and
// lets the last one finish: the account is as if nothing had happened.
func TestCrash(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.kith")
	rounds, killed, kept := 6, 0, 0
	if testing.Short() {
		rounds = 3
	}
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 1))
	t.Logf("seed %d", seed)
	for range rounds {
		cmd := child(t, "reindex", path)
		out := must1[io.ReadCloser](t)(cmd.StdoutPipe())
		must(t, cmd.Start())
		lines := bufio.NewReader(out)
		// At a random moment after the process began to index.
		_, err := lines.ReadString('\n')
		timer := time.AfterFunc(time.Duration(random.IntN(150))*time.Millisecond, func() { _ = cmd.Process.Kill() })
		_, _ = io.Copy(io.Discard, lines)
		if wait := cmd.Wait(); wait != nil && err == nil {
			killed++
		}
		timer.Stop()
		acc := must1[*index.Account](t)(index.Open(t.Context(), path, withScenes(index.Config{})))
		n := len(all(t, acc.Photos(t.Context(), index.PhotoQuery{})))
		if n < kept {
			t.Errorf("%d photos, and %d before", n, kept)
		}
		kept = n
		for _, p := range all(t, acc.Photos(t.Context(), index.PhotoQuery{})) {
			if p.Status != "ok" {
				t.Errorf("%s is %s", p.Path, p.Status)
			}
		}
		closeChecked(t, acc)
	}
	if killed == 0 {
		t.Error("no process was killed in time, so this test says nothing")
	}
	t.Logf("%d of %d were killed, after which %d of %d photos were there", killed, rounds, kept, crashPhotos)
	acc := openAt(t, path, withScenes(index.Config{}))
	must(t, acc.SetConsent(t.Context(), yes))
	src := crowd(crashPhotos, 7)
	if rep := reindex(t, acc, src, index.ReindexOptions{}); rep.Unchanged != kept || rep.Unchanged+rep.Indexed != crashPhotos {
		t.Errorf("%d photos were kept; the last run: %+v", kept, rep)
	}
	whole := newAccount(t, index.Config{})
	reindex(t, whole, src, index.ReindexOptions{})
	if got, want := partition(t, acc), partition(t, whole); !slices.Equal(got, want) {
		t.Errorf("people %v, want %v", got, want)
	}
}
