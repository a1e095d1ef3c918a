package fetch

import (
	"os/exec"
	"strconv"
)

// killWithChildren makes a cancelled context end the process and everything
// that it started: npm is a batch file that runs node.
func killWithChildren(cmd *exec.Cmd) {
	cmd.Cancel = func() error {
		return exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(cmd.Process.Pid)).Run()
	}
}
