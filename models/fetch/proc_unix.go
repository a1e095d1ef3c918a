//go:build unix

package fetch

import (
	"os/exec"
	"syscall"
)

// killWithChildren makes a cancelled context end the process and everything
// that it started: npm is often a script that runs node.
func killWithChildren(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
