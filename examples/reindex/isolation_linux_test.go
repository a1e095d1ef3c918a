package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/kith-photos/kith/models"
	"github.com/kith-photos/kith/models/modelstest"
)

// job is one run of the program over two photos, with models that are there.
type job struct {
	photos, out string   // folders
	models      []string // folders and files that hold the models and the runtime
	env         []string // beside the test's own
	program     string
}

func newJob(t *testing.T) job {
	t.Helper()
	if testing.Short() {
		t.Skip("in processes of their own, and long: run without -short")
	}
	inst, demo := modelstest.Require(t), modelstest.DemoPhotos(t)
	cache, err := models.CacheDir()
	try(t, err)
	program, err := exec.LookPath("reindex") // see TestMain
	try(t, err)
	j := job{photos: resolved(t, t.TempDir()), out: resolved(t, t.TempDir()), program: resolved(t, program)}
	for _, dir := range append(foldersOf(inst), cache) {
		j.models = append(j.models, resolved(t, dir))
	}
	for _, path := range []string{demo[0], demo[2]} {
		try(t, copyFile(filepath.Join(j.photos, filepath.Base(path)), path))
	}
	j.env = []string{
		"KITH_CACHE=" + cache, "KITH_OFFLINE=1",
		"KITH_MODELS=" + strings.Join(foldersOf(inst), string(filepath.ListSeparator)),
	}
	return j
}

// args are the program's, with outputs that begin with name.
func (j job) args(name string) []string {
	out := filepath.Join(j.out, name)
	return []string{"-offline", "-consent", "-workers", "1", "-v", "-db", out + ".kith", "-html", out + ".html",
		"-export", out + ".json", "-embeddings", j.photos}
}

func (j job) command(name string) *exec.Cmd {
	cmd := exec.Command(j.program, j.args(name)...)
	cmd.Env, cmd.Dir = append(os.Environ(), j.env...), j.out
	return cmd
}

// resolved is a path without links, as the kernel shows it.
func resolved(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.EvalSymlinks(path)
	try(t, err)
	return path
}

// mustRun runs a command that must succeed.
func mustRun(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
}

var (
	anyID   = regexp.MustCompile(`\b[a-z2-7]{26}\b`)
	anyTime = regexp.MustCompile(`"(created|added|at|hash)":"[^"]*"`)
)

// learned is what a run has exported, vectors and all, without the times and
// with numbers for the random ids, in the order of the faces.
func (j job) learned(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(j.out, name+".json"))
	try(t, err)
	numbers := map[string]string{}
	text := anyID.ReplaceAllStringFunc(anyTime.ReplaceAllString(string(data), `"$1":""`), func(id string) string {
		if numbers[id] == "" {
			numbers[id] = fmt.Sprintf("id%03d", len(numbers))
		}
		return numbers[id]
	})
	var e map[string]any
	try(t, json.Unmarshal([]byte(text), &e))
	people := e["people"].([]any)
	slices.SortFunc(people, func(a, b any) int {
		return strings.Compare(a.(map[string]any)["id"].(string), b.(map[string]any)["id"].(string))
	})
	if faces := e["faces"].([]any); len(faces) < 2 || len(people) == 0 {
		t.Fatalf("%d faces of %d people say nothing", len(faces), len(people))
	}
	plain, err := json.Marshal(e)
	try(t, err)
	return string(plain)
}

// wantSame runs the job outside and compares what the run called name learned.
func (j job) wantSame(t *testing.T, name string) {
	t.Helper()
	mustRun(t, j.command("outside"))
	if got, want := j.learned(t, name), j.learned(t, "outside"); got != want {
		t.Errorf("%s it learned\n%.2000s\nand outside\n%.2000s", name, got, want)
	}
}

// role makes the test binary, started again with it set, do one thing only.
const role = "KITH_REINDEX_TEST_ROLE"

// again is the test binary, started again for a role of the calling test.
func again(t *testing.T, as string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	try(t, err)
	cmd := exec.Command(self, "-test.run=^"+t.Name()+"$", "-test.count=1")
	cmd.Env = append(os.Environ(), role+"="+as, "TMPDIR="+t.TempDir()) // it may end before it has cleaned up
	return cmd
}

// withoutNetwork puts a command into a network namespace of its own, in which
// there is no interface but a loopback that is down.
func withoutNetwork(cmd *exec.Cmd, asUser bool) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if asUser {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}}
	}
}

// TestWithoutNetwork: in an empty network namespace the program learns the
// same, to the last digit of the vectors.
func TestWithoutNetwork(t *testing.T) {
	if at := os.Getenv(role); at != "" {
		conn, err := net.DialTimeout("tcp", at, 5*time.Second)
		if err != nil {
			t.Fatalf("no way out: %v", err)
		}
		_ = conn.Close()
		return
	}
	// Somebody to call, so that it is known whether the namespace is empty.
	home, err := net.Listen("tcp", "127.0.0.1:0")
	try(t, err)
	defer func() { _ = home.Close() }()
	dial := func() *exec.Cmd { return again(t, home.Addr().String()) }
	mustRun(t, dial())
	inside := dial()
	withoutNetwork(inside, false)
	asUser := false
	out, err := inside.CombinedOutput()
	if errors.Is(err, syscall.EPERM) { // not root
		asUser, inside = true, dial()
		withoutNetwork(inside, asUser)
		out, err = inside.CombinedOutput()
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Skipf("the kernel gives no network namespace: %v", err)
	}
	if err == nil || !strings.Contains(string(out), "no way out") {
		t.Fatalf("the namespace is not empty: %v, %s", err, out)
	}

	j := newJob(t)
	cmd := j.command("inside")
	withoutNetwork(cmd, asUser)
	mustRun(t, cmd)
	j.wantSame(t, "inside")
}

// TestWithoutSockets: the program learns the same where making a socket, of
// whatever family, kills it.
func TestWithoutSockets(t *testing.T) {
	if program := os.Getenv(role); program != "" {
		runtime.LockOSThread() // the filter is this thread's, and exec keeps it
		if err := banSockets(); err != nil {
			t.Fatalf("no filter: %v", err)
		}
		if program == "socket" {
			_, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
			t.Fatalf("alive: %v", err)
		}
		args := strings.Split(os.Getenv("KITH_REINDEX_TEST_ARGS"), "\n")
		t.Fatal(syscall.Exec(program, append([]string{program}, args...), os.Environ()))
	}
	out, err := again(t, "socket").CombinedOutput()
	if strings.Contains(string(out), "no filter") {
		t.Skipf("the kernel takes no system call filter: %s", out)
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGSYS {
		t.Fatalf("a socket did not kill: %v, %s", err, out)
	}
	j := newJob(t)
	cmd := again(t, j.program)
	cmd.Env = append(cmd.Env, j.env...)
	cmd.Env = append(cmd.Env, role+"="+j.program, "KITH_REINDEX_TEST_ARGS="+strings.Join(j.args("sealed"), "\n"))
	mustRun(t, cmd)
	j.wantSame(t, "sealed")
}

// banSockets has the kernel kill the process when this thread, or what it
// starts, asks for a socket, or for a ring through which one can be asked for.
func banSockets() error {
	const number = 0 // of the call, where seccomp_data begins
	banned := []uint32{unix.SYS_SOCKET, unix.SYS_SOCKETPAIR, unix.SYS_IO_URING_SETUP}
	program := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: number}}
	for i, nr := range banned {
		program = append(program, unix.SockFilter{
			Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: nr, Jt: uint8(len(banned) - i), // to the last
		})
	}
	program = append(program,
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_KILL_PROCESS})
	filter := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&filter)), 0, 0)
}
