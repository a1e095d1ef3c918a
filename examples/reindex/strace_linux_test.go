package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// The parser and the judgement, on lines as strace 6.1 wrote them.
func TestFaults(t *testing.T) {
	s := sandbox{
		read:  []string{"/home/anna/photos", "/opt/models"},
		write: func(p string) bool { return p == "/data/a.kith" || p == "/data/a.kith-wal" },
	}
	const start = "7 execve(\"/bin/reindex\", [\"reindex\", \"photos\"], 0x7ffd /* 20 vars */) = 0\n"
	for _, c := range []struct{ name, trace, fault string }{
		{"nothing", "", ""},
		{"a photo", `7 openat(5</home/anna/photos>, "a.jpg", O_RDONLY|O_NOFOLLOW|O_CLOEXEC) = 8</home/anna/photos/a.jpg>`, ""},
		{"a model, by open", `7 open("/opt/models/m.onnx", O_RDONLY) = 8</opt/models/m.onnx>`, ""},
		{"a library", `7 openat(AT_FDCWD</data>, "/lib/x86_64-linux-gnu/libc.so.6", O_RDONLY|O_CLOEXEC) = 3</usr/lib/x86_64-linux-gnu/libc.so.6>`, ""},
		{"itself in /proc", `7 openat(AT_FDCWD</data>, "/proc/self/maps", O_RDONLY|O_CLOEXEC) = 3</proc/7/maps>`, ""},
		{"others in /proc", `7 openat(AT_FDCWD</data>, "/proc/8/maps", O_RDONLY|O_CLOEXEC) = 3</proc/8/maps>`, "open of a foreign"},
		{"the account", `7 openat(AT_FDCWD</data>, "/data/a.kith", O_RDWR|O_NOFOLLOW|O_CLOEXEC) = 8</data/a.kith>`, ""},
		{"its log, relative", `7 openat(AT_FDCWD</data>, "a.kith-wal", O_RDWR|O_CREAT, 0600) = 8</data/a.kith-wal>`, ""},
		{"a time of it", `7 utimensat(AT_FDCWD</data>, "/data/a.kith", [{tv_sec=1, tv_nsec=0} /* 2026 */, {tv_sec=1, tv_nsec=0}], 0) = 0`, ""},
		{"a signal", "7 --- SIGURG {si_signo=SIGURG, si_code=SI_TKILL, si_pid=7, si_uid=0} ---\n7 +++ exited with 0 +++", ""},
		{"foreign, but not there", `7 openat(AT_FDCWD</data>, "/etc/ssl/cert.pem", O_RDONLY) = -1 ENOENT (No such file or directory)`, ""},
		{"a look", `7 newfstatat(AT_FDCWD</data>, "/etc", {st_mode=S_IFDIR|0755, st_size=4096, ...}, 0) = 0`, ""},
		{"a link's target", `7 readlinkat(AT_FDCWD</data>, "/proc/self/exe", "/bin/reindex", 128) = 12`, ""},
		{"two threads", "7 openat(AT_FDCWD</data>, \"/opt/models/m.onnx\", O_RDONLY <unfinished ...>\n" +
			"8 stat(\"/\", {st_mode=S_IFDIR|0755, ...}) = 0\n7 <... openat resumed>) = 8</opt/models/m.onnx>", ""},

		{"a foreign file", `7 openat(AT_FDCWD</data>, "/etc/resolv.conf", O_RDONLY|O_CLOEXEC) = 8</etc/resolv.conf>`, "open of a foreign"},
		{"a foreign file through a link", `7 openat(5</home/anna/photos>, "a.jpg", O_RDONLY) = 8</home/bert/b.jpg>`, "open of a foreign"},
		{"a neighbour's name", `7 open("/opt/models2/m.onnx", O_RDONLY) = 8</opt/models2/m.onnx>`, "open of a foreign"},
		{"two threads, foreign", "7 openat(AT_FDCWD</data>, \"/etc/hosts\", O_RDONLY <unfinished ...>\n" +
			"8 stat(\"/\", {st_mode=S_IFDIR|0755, ...}) = 0\n7 <... openat resumed>) = 8</etc/hosts>", "open of a foreign"},
		{"a photo, to write", `7 openat(5</home/anna/photos>, "a.jpg", O_RDWR|O_CLOEXEC) = 8</home/anna/photos/a.jpg>`, "change of a foreign"},
		{"a photo taken away", `7 unlinkat(5</home/anna/photos>, "a.jpg", 0) = 0`, "change of a foreign"},
		{"the account moved", `7 renameat(AT_FDCWD</data>, "/data/a.kith", AT_FDCWD</data>, "/tmp/b") = 0`, "change of a foreign"},
		{"the account moved, by rename", `7 rename("/data/a.kith", "/tmp/b") = 0`, "change of a foreign"},
		{"a folder made", `7 mkdirat(AT_FDCWD</data>, "new", 0777) = 0`, "change of a foreign"},
		{"a socket", `7 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3<TCP:[1]>`, "network"},
		{"a socket in the file system", `7 socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, 0) = 3<UNIX:[1]>`, "network"},
		{"a socket refused", `7 socket(AF_INET6, SOCK_STREAM, IPPROTO_IP) = -1 EAFNOSUPPORT (Address family not supported by protocol)`, "network"},
		{"a program", `8 execve("/bin/true", ["true"], 0x7ffd /* 20 vars */) = 0`, "another program"},
		{"a call that is not known", `7 quotactl(Q_QUOTAON, "/dev/sda1", 1, "/q") = 0`, "unknown"},
		{"a line that is no call", `strace: something went wrong`, "unknown"},
		{"a call that did not end", `7 openat(AT_FDCWD</data>, "/etc/hosts", O_RDONLY <unfinished ...>`, "open of a foreign"},
		{"a path that cannot be read", `7 open("/opt/models/\777", O_RDONLY) = ?`, "path"},
	} {
		faults, _ := s.faults(sysCalls(start + c.trace + "\n"))
		if c.fault == "" && len(faults) > 0 || c.fault != "" && (len(faults) != 1 || !strings.HasPrefix(faults[0], c.fault)) {
			t.Errorf("%s: %q, want %q", c.name, faults, c.fault)
		}
	}
}

// traced runs a command under strace and returns what it did.
func traced(t *testing.T, cmd *exec.Cmd) []sysCall {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed")
	}
	if out, err := exec.Command(strace, "-f", "-o", os.DevNull, strace, "-V").CombinedOutput(); err != nil {
		t.Skipf("strace may not trace here: %v, %s", err, out)
	}
	trace := filepath.Join(t.TempDir(), "trace")
	cmd.Args = append([]string{"strace", "-f", "-y", "-qq", "-s", "4096", "-e", "trace=%network,%file", "-o", trace, cmd.Path}, cmd.Args[1:]...)
	cmd.Path = strace
	mustRun(t, cmd)
	data, err := os.ReadFile(trace)
	try(t, err)
	return sysCalls(string(data))
}

// sandbox is what the run called name may use.
func (j job) sandbox(name string) sandbox {
	db := filepath.Join(j.out, name+".kith")
	var files []string
	for _, f := range []string{db, db + "-creating"} {
		files = append(files, f, f+"-wal", f+"-shm", f+"-journal", f+"-lock")
	}
	outputs := []string{filepath.Join(j.out, name+".html"), filepath.Join(j.out, name+".json")}
	return sandbox{
		read: append([]string{j.photos, j.program}, j.models...),
		write: func(p string) bool {
			if p == j.out || // their folder, which is synced
				slices.Contains(files, p) || slices.Contains(outputs, p) {
				return true
			}
			dir, base := filepath.Split(p) // an output's own name until it is whole, as os.CreateTemp makes it
			digits := strings.TrimLeft(filepath.Ext(base), ".")
			stem, isTemp := strings.CutPrefix(strings.TrimSuffix(base, filepath.Ext(base)), ".")
			return isTemp && digits != "" && strings.Trim(digits, "0123456789") == "" && slices.Contains(outputs, dir+stem)
		},
	}
}

// TestTraced: the program opens no socket, starts no other program, reads
// nothing but the photos, the models and the system's libraries, and writes
// nothing but the account and what it was asked for.
func TestTraced(t *testing.T) {
	j := newJob(t)
	calls := traced(t, j.command("traced"))
	faults, opened := j.sandbox("traced").faults(calls)
	for _, f := range faults {
		t.Error(f)
	}
	for _, f := range []string{j.photos, ".onnx", "traced.kith-wal", "traced.html", "traced.json"} {
		if !slices.ContainsFunc(calls, func(c sysCall) bool {
			return (c.kind() == "open" || c.kind() == "change") && strings.Contains(c.line, f)
		}) {
			t.Errorf("the trace says nothing of %s", f)
		}
	}
	t.Logf("%d calls, %d files opened or changed", len(calls), opened)
	j.wantSame(t, "traced")
}

// TestTraceBites: what must not be is seen.
func TestTraceBites(t *testing.T) {
	if as := os.Getenv(role); as != "" {
		try(t, misbehave(as))
		return
	}
	out := t.TempDir()
	s := sandbox{read: []string{"/nowhere"}, write: func(p string) bool { return p == filepath.Join(out, "allowed") }}
	for as, want := range map[string]string{
		"socket": "network: ", "connect": "network: ", "read": "open of a foreign file: ",
		"write": "change of a foreign file: ", "remove": "change of a foreign file: ", "program": "another program: ",
	} {
		t.Run(as, func(t *testing.T) {
			cmd := again(t, as)
			cmd.Args[1] = "-test.run=^TestTraceBites$"
			cmd.Dir = out
			try(t, os.WriteFile(filepath.Join(out, "victim"), nil, 0o600))
			faults, _ := s.faults(traced(t, cmd))
			mark := map[string]string{
				"socket": "AF_UNIX", "connect": "connect(", "read": "/etc/passwd", "write": "misdeed", "remove": "victim", "program": "/true\"",
			}[as]
			if !slices.ContainsFunc(faults, func(f string) bool { return strings.HasPrefix(f, want) && strings.Contains(f, mark) }) {
				t.Errorf("%s was not seen; these were: %q", as, faults)
			}
			if slices.ContainsFunc(faults, func(f string) bool { return strings.Contains(f, "allowed") }) {
				t.Errorf("what is allowed counts as a fault: %q", faults)
			}
		})
	}
}

// misbehave does one thing that is allowed and one that is not.
func misbehave(as string) error {
	if err := os.WriteFile("allowed", nil, 0o600); err != nil {
		return err
	}
	switch as {
	case "socket":
		fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
		if err != nil {
			return err
		}
		return syscall.Close(fd)
	case "connect":
		fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0)
		if err != nil {
			return err
		}
		_ = syscall.Connect(fd, &syscall.SockaddrInet4{Port: 9, Addr: [4]byte{127, 0, 0, 1}}) // sends nothing yet
		return syscall.Close(fd)
	case "read":
		_, err := os.ReadFile("/etc/passwd")
		return err
	case "write":
		return os.WriteFile("misdeed", nil, 0o600)
	case "remove":
		return os.Remove("victim")
	case "program":
		return exec.Command("true").Run()
	}
	return errors.New("no such misdeed")
}
