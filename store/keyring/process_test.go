package keyring

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kith-photos/kith/store"
)

// The test binary, started again with these variables, is another process.
const (
	childRole = "KITH_KEYRING_TEST_CHILD"
	childDir  = "KITH_KEYRING_TEST_DIR"
)

const processAccounts = 40

// The host keys of all processes.
var (
	processA = bytes.Repeat([]byte("key A..."), 4)
	processB = bytes.Repeat([]byte("key B..."), 4)
)

func runChild(role string) int {
	ctx, dir := context.Background(), os.Getenv(childDir)
	err := fmt.Errorf("unknown role %q", role)
	switch role {
	case "make": // makes all keys once its input ends, and prints them
		err = childMake(ctx, dir)
	case "rotate": // rotates to and fro until it is killed
		err = childRotate(ctx, dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func childMake(ctx context.Context, dir string) error {
	r, err := Open(dir, processA)
	if err != nil {
		return err
	}
	fmt.Println("open")
	_, _ = bufio.NewReader(os.Stdin).ReadByte()
	for i := range processAccounts {
		key, err := r.DataKey(ctx, fmt.Sprint(i), true)
		if err != nil {
			return err
		}
		fmt.Printf("%d %x\n", i, key)
	}
	return nil
}

func childRotate(ctx context.Context, dir string) error {
	fmt.Println("ready")
	for n := 0; ; n++ {
		current, old := processA, processB
		if n%2 == 0 {
			current, old = old, current
		}
		r, err := Open(dir, current, old)
		if err != nil {
			return err
		}
		if _, err := r.Rotate(ctx); err != nil {
			return err
		}
		fmt.Println(n)
	}
}

func child(t *testing.T, role, dir string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(must1[string](t)(os.Executable()))
	cmd.Env = append(os.Environ(), childRole+"="+role, childDir+"="+dir)
	return cmd
}

// Processes that make the same keys at once agree on them, and what each was
// told is what is kept.
func TestProcessesAgree(t *testing.T) {
	dir := privateDir(t)
	var start []func()
	var outputs []*bufio.Scanner
	var cmds []*exec.Cmd
	for range 4 {
		cmd := child(t, "make", dir)
		cmd.Stderr = os.Stderr
		in, err := cmd.StdinPipe()
		must(t, err)
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		defer func() { _ = cmd.Process.Kill() }()
		lines := bufio.NewScanner(out)
		if !lines.Scan() || lines.Text() != "open" {
			t.Fatalf("a process says %q", lines.Text())
		}
		start = append(start, func() { must(t, in.Close()) })
		outputs, cmds = append(outputs, lines), append(cmds, cmd)
	}
	for _, begin := range start {
		begin()
	}
	kept := openRing(t, dir, processA)
	told := 0
	for i, lines := range outputs {
		for lines.Scan() {
			account, key, _ := strings.Cut(lines.Text(), " ")
			if want := dataKey(t, kept, account, false); key != fmt.Sprintf("%x", want) {
				t.Errorf("a process was told another key of %s than is kept", account)
			}
			told++
		}
		must(t, cmds[i].Wait())
	}
	if told != 4*processAccounts {
		t.Errorf("%d keys were told, want %d", told, 4*processAccounts)
	}
	if list := names(t, dir); len(list) != processAccounts {
		t.Errorf("there are %d files, want %d: %q", len(list), processAccounts, list)
	}
}

// Where locks do not work, a second file of an account is refused all the same.
func TestAddWithoutLock(t *testing.T) {
	r := openRing(t, privateDir(t), randomKey())
	id := digest(sha256.Sum256([]byte("anna")))
	const n = 8
	var wg sync.WaitGroup
	keys, errs := make([][]byte, n), make([]error, n)
	for i := range n {
		wg.Go(func() { keys[i], errs[i] = r.make(id) })
	}
	wg.Wait()
	must(t, errors.Join(errs...))
	for _, key := range keys {
		if !bytes.Equal(key, keys[0]) || !bytes.Equal(key, dataKey(t, r, "anna", false)) {
			t.Fatalf("they were told different keys: %x", keys)
		}
	}
	if err := r.add(id, r.keys[0].wrap(id, randomKey())); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second file: %v, want fs.ErrExist", err)
	}
	if list := names(t, r.dir); len(list) != 1 {
		t.Errorf("there are %q", list)
	}
}

// A rotation that is killed leaves every key, and the next one finishes it.
func TestKilledRotation(t *testing.T) {
	dir := privateDir(t)
	keys := map[string][]byte{}
	first := openRing(t, dir, processA)
	for i := range processAccounts {
		keys[fmt.Sprint(i)] = dataKey(t, first, fmt.Sprint(i), true)
	}
	rotations, mixed, left := 0, 0, 0
	const kills = 15
	for round := range kills {
		cmd := child(t, "rotate", dir)
		var complaint strings.Builder
		cmd.Stderr = &complaint
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		lines := bufio.NewScanner(out)
		lines.Scan() // ready
		timer := time.AfterFunc(time.Duration(5+11*round)*time.Millisecond, func() { _ = cmd.Process.Kill() })
		for lines.Scan() {
			rotations++
		}
		err = cmd.Wait()
		timer.Stop()
		if err == nil || complaint.Len() > 0 {
			t.Fatalf("it ended by itself: %v, %s", err, complaint.String())
		}
		left += len(names(t, dir)) - processAccounts
		r := openRing(t, dir, processA, processB)
		for account, key := range keys {
			if got := dataKey(t, r, account, false); !bytes.Equal(got, key) {
				t.Fatalf("the key of %s changed", account)
			}
		}
		if n := must1[int](t)(r.Rotate(t.Context())); n > 0 && n < processAccounts {
			mixed++
		}
		if list := names(t, dir); len(list) != processAccounts {
			t.Fatalf("there are %q", list)
		}
		for account, key := range keys {
			if got := dataKey(t, first, account, false); !bytes.Equal(got, key) {
				t.Fatalf("the key of %s is not under the current host key", account)
			}
		}
	}
	if rotations+mixed == 0 {
		t.Error("no kill came after a rotation began, so this says nothing")
	}
	t.Logf("%d kills: %d whole rotations before, %d in the middle of one, %d temporary files left", kills, rotations, mixed, left)
}

// Every state that a crash can leave, made by hand: the key is there, the next
// rotation cleans up, and a destruction leaves no wrapped key at all.
func TestCrashStates(t *testing.T) {
	const account = "anna"
	id := digest(sha256.Sum256([]byte(account)))
	a, b := randomKey(), randomKey()
	for name, leave := range map[string]func(r *Ring, final, temp, old string) error{
		"temporary file not written": func(_ *Ring, _, temp, _ string) error {
			return os.WriteFile(temp, nil, 0o600)
		},
		"temporary file half written": func(r *Ring, _, temp, _ string) error {
			return os.WriteFile(temp, r.keys[1].wrap(id, randomKey())[:70], 0o600)
		},
		"made and linked": func(_ *Ring, final, temp, _ string) error { return os.Link(final, temp) },
		"old one linked": func(r *Ring, final, temp, old string) error {
			key, err := r.read(id)
			return errors.Join(err, os.WriteFile(temp, r.keys[0].wrap(id, key), 0o600), os.Link(final, old))
		},
		"renamed": func(r *Ring, final, temp, old string) error {
			key, err := r.read(id)
			return errors.Join(err, os.WriteFile(temp, r.keys[0].wrap(id, key), 0o600), os.Link(final, old), os.Rename(temp, final))
		},
		"old one overwritten": func(r *Ring, final, temp, old string) error {
			key, err := r.read(id)
			return errors.Join(err, os.WriteFile(temp, r.keys[0].wrap(id, key), 0o600), os.Link(final, old), os.Rename(temp, final), overwrite(old))
		},
	} {
		for _, then := range []string{"rotate", "destroy"} {
			t.Run(name+", "+then, func(t *testing.T) {
				dir := privateDir(t)
				want := dataKey(t, openRing(t, dir, a), account, true)
				r := openRing(t, dir, b, a)
				final := r.path(id)
				temp := strings.TrimSuffix(final, keySuffix) + ".1" + tempSuffix
				old := strings.TrimSuffix(final, keySuffix) + ".1.old" + tempSuffix
				must(t, leave(r, final, temp, old))
				if len(names(t, dir)) < 2 {
					t.Fatal("nothing was left")
				}
				if got := dataKey(t, r, account, false); !bytes.Equal(got, want) {
					t.Fatal("the key changed")
				}
				var others []string
				for _, name := range names(t, dir) {
					others = append(others, secondName(t, filepath.Join(dir, name)))
				}
				if then == "destroy" {
					must(t, r.DestroyKey(t.Context(), account))
					if list := names(t, dir); len(list) != 0 {
						t.Errorf("there are %q", list)
					}
					mustHoldNoKey(t, r, id, others)
					return
				}
				must1[int](t)(r.Rotate(t.Context()))
				if list := names(t, dir); !slices.Equal(list, []string{filepath.Base(final)}) {
					t.Errorf("there are %q", list)
				}
				if got := dataKey(t, openRing(t, dir, b), account, false); !bytes.Equal(got, want) {
					t.Error("the key changed")
				}
				now := must1[os.FileInfo](t)(os.Lstat(final))
				mustHoldNoKey(t, r, id, slices.DeleteFunc(others, func(path string) bool {
					return os.SameFile(now, must1[os.FileInfo](t)(os.Lstat(path)))
				}))
			})
		}
	}
}

// mustHoldNoKey fails if a data key can be got out of one of the files.
func mustHoldNoKey(t *testing.T, r *Ring, id digest, paths []string) {
	t.Helper()
	for _, path := range paths {
		if key, _, err := r.unwrap(read(t, path), id); err == nil {
			t.Errorf("%s still has %x", path, key)
		}
	}
}

// A destruction that a crash ended in its middle is one for every reader, and
// is finished by whoever comes next.
func TestCrashedDestruction(t *testing.T) {
	for name, next := range map[string]func(*testing.T, *Ring){
		"destroy": func(t *testing.T, r *Ring) { must(t, r.DestroyKey(t.Context(), "anna")) },
		"rotate":  func(t *testing.T, r *Ring) { must1[int](t)(r.Rotate(t.Context())) },
		"make":    func(t *testing.T, r *Ring) { dataKey(t, r, "anna", true) },
	} {
		t.Run(name, func(t *testing.T) {
			r := openRing(t, privateDir(t), randomKey())
			key := dataKey(t, r, "anna", true)
			must(t, overwrite(pathOf(r, "anna")))
			if _, err := r.DataKey(t.Context(), "anna", false); !errors.Is(err, store.ErrNoKey) {
				t.Fatalf("got %v, want ErrNoKey", err)
			}
			next(t, r)
			got, err := r.DataKey(t.Context(), "anna", false)
			if name == "make" {
				if err != nil || bytes.Equal(got, key) {
					t.Errorf("got %x, %v; want a new key", got, err)
				}
			} else if !errors.Is(err, store.ErrNoKey) || len(names(t, r.dir)) != 0 {
				t.Errorf("got %v, %q; want nothing", err, names(t, r.dir))
			}
		})
	}
}
