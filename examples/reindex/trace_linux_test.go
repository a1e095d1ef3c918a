package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// sysCall is one line of what strace -f -y recorded.
type sysCall struct {
	pid, name string
	args      string
	result    string // after the =
	line      string
}

var (
	callLine    = regexp.MustCompile(`^(?:(\d+) +)?(\w+)\((.*)\) += (.+)$`)
	openedFile  = regexp.MustCompile(`^\d+<(.*)>$`)
	quotedPath  = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	pathAt      = regexp.MustCompile(`(?:AT_FDCWD|\d+)<([^>]*)>, ("(?:[^"\\]|\\.)*")`)
	notCall     = regexp.MustCompile(`^(?:\d+ +)?(?:---|\+\+\+) `)
	unfinished  = regexp.MustCompile(`^(\d+) +(.*) <unfinished \.\.\.>$`)
	resumed     = regexp.MustCompile(`^(\d+) +<\.\.\. \w+ resumed>(.*)$`)
	writingFlag = regexp.MustCompile(`\b(O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND|O_TMPFILE)\b`)
)

// sysCalls reads what strace recorded. What it does not understand comes as a
// call without a name.
func sysCalls(trace string) []sysCall {
	var out []sysCall
	add := func(line string) {
		c := sysCall{line: line}
		if m := callLine.FindStringSubmatch(line); m != nil {
			c = sysCall{m[1], m[2], m[3], m[4], line}
		}
		out = append(out, c)
	}
	begun := map[string]string{} // by thread, calls that another one interrupted
	for line := range strings.Lines(trace) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || notCall.MatchString(line) {
			continue
		}
		if m := unfinished.FindStringSubmatch(line); m != nil {
			begun[m[1]] = m[2]
			continue
		}
		if m := resumed.FindStringSubmatch(line); m != nil {
			line = m[1] + " " + begun[m[1]] + m[2]
			delete(begun, m[1])
		}
		add(line)
	}
	for pid, rest := range begun { // the process ended first
		add(pid + " " + rest + ") = ?")
	}
	return out
}

// paths are the files that a call names, absolute where strace knew the folder.
func (c sysCall) paths() ([]string, error) {
	if m := openedFile.FindStringSubmatch(c.result); m != nil {
		return []string{m[1]}, nil // what was opened in the end, whatever links there were
	}
	var out []string
	add := func(dir, quoted string) error {
		path, err := strconv.Unquote(quoted)
		if err != nil {
			return fmt.Errorf("path %s: %w", quoted, err)
		}
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		out = append(out, path)
		return nil
	}
	if at := pathAt.FindAllStringSubmatch(c.args, -1); at != nil {
		for _, m := range at {
			if err := add(m[1], m[2]); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	for _, q := range quotedPath.FindAllString(c.args, -1) {
		if err := add("", q); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// sandbox says which files a process may use.
type sandbox struct {
	read  []string            // files, and folders with all that is in them
	write func(p string) bool // also may be read
}

// systemFiles are those that the loader, Go and ONNX Runtime look at: nobody's
// in particular.
func systemFiles() []string {
	return []string{
		"/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib",
		"/etc/ld.so.cache", "/etc/ld.so.preload", "/etc/ld.so.conf", "/etc/ld.so.conf.d",
		"/etc/localtime", "/usr/share/zoneinfo", "/dev/null", "/dev/urandom", "/dev/random",
		"/proc/self", "/proc/thread-self", "/proc/cpuinfo", "/proc/meminfo", "/proc/sys",
		"/sys/devices/system", "/sys/fs/cgroup", "/sys/kernel/mm",
	}
}

// faults lists what a process did that it must not, and counts the files that
// it opened.
func (s sandbox) faults(calls []sysCall) (faults []string, opened int) {
	programs := 0
	for _, c := range calls {
		failed := strings.HasPrefix(c.result, "-1 ")
		fault := func(what string) { faults = append(faults, what+": "+c.line) }
		paths, err := c.paths()
		switch kind := c.kind(); {
		case kind == "network":
			fault("network") // also where it failed
		case kind == "": // unknown, or a line that was not understood
			fault("unknown")
		case err != nil:
			fault(err.Error())
		case failed || kind == "look":
		case kind == "start":
			if programs++; programs > 1 { // the first is the process itself
				fault("another program")
			}
		case len(paths) == 0 && kind == "change": // of a file by its descriptor
		case len(paths) == 0:
			fault("a file without a name")
		default:
			opened++
			for _, p := range paths {
				if s.write(p) || kind == "open" && s.mayRead(p, calls) {
					continue
				}
				fault(kind + " of a foreign file")
			}
		}
	}
	return faults, opened
}

func (s sandbox) mayRead(path string, calls []sysCall) bool {
	if rest, ok := strings.CutPrefix(path, "/proc/"); ok {
		pid, below, _ := strings.Cut(rest, "/")
		if below != "" && slices.ContainsFunc(calls, func(c sysCall) bool { return c.pid == pid }) {
			return true // /proc/self, by its number
		}
	}
	return slices.ContainsFunc(append(systemFiles(), s.read...), func(dir string) bool {
		return path == dir || strings.HasPrefix(path, dir+"/")
	})
}

// kind is what a call does to the files that it names: "open" (to read),
// "change", "look" (at names and attributes only), "start" a program; or it is
// of the "network"; or "", unknown.
func (c sysCall) kind() string {
	switch c.name {
	case "open", "openat", "openat2":
		if writingFlag.MatchString(c.args) {
			return "change"
		}
		return "open"
	case "creat", "truncate", "rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir", "mkdir", "mkdirat",
		"link", "linkat", "symlink", "symlinkat", "mknod", "mknodat", "chmod", "fchmodat", "fchmodat2", "chown", "lchown",
		"fchownat", "utime", "utimes", "utimensat", "futimesat", "setxattr", "lsetxattr", "removexattr", "lremovexattr":
		return "change"
	case "stat", "lstat", "newfstatat", "fstatat64", "statx", "access", "faccessat", "faccessat2", "readlink", "readlinkat",
		"getcwd", "chdir", "statfs", "getxattr", "lgetxattr", "listxattr", "llistxattr":
		return "look"
	case "execve", "execveat":
		return "start"
	case "socket", "socketpair", "connect", "bind", "listen", "accept", "accept4", "sendto", "sendmsg", "sendmmsg",
		"recvfrom", "recvmsg", "recvmmsg", "getsockname", "getpeername", "getsockopt", "setsockopt", "shutdown",
		"getpmsg", "putpmsg", "sendfile", "socketcall":
		return "network"
	}
	return ""
}
